//! What an operation is, and the macro that declares one.

use crate::permission::Permission;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::marker::PhantomData;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Anybody, for the stated reason.
    Open(&'static str),
    /// Any principal of a tenant.
    AnyCaller,
    /// Principals whose role, key or token carries the permission.
    Needs(Permission),
}

/// What calling does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Read,
    /// Changes state: leaves a trail entry in the same transaction.
    Write,
    /// Hands out evidence or a secret: leaves a trail entry before the first byte.
    Disclose,
}

/// How often one caller may call: requests a minute are set per class in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateClass {
    Open,
    Read,
    Write,
    Upload,
}

pub type SchemaFn = fn(&mut SchemaGenerator) -> Schema;

#[derive(Clone, Copy)]
pub enum BodyKind {
    None,
    Json(SchemaFn),
    /// Raw bytes, streamed.
    Stream,
}

impl BodyKind {
    pub fn schema(self) -> Option<SchemaFn> {
        if let Self::Json(schema) = self { Some(schema) } else { None }
    }
}

#[derive(Clone, Copy)]
pub enum AnswerKind {
    Empty,
    Json(SchemaFn),
    Stream,
    /// Server-sent events; each one's data is JSON of this schema.
    Events(SchemaFn),
}

/// One operation, as data.
pub struct OperationSpec {
    pub id: &'static str,
    pub method: Method,
    pub path: &'static str,
    /// The first line says it in one sentence; the rest is detail.
    pub doc: &'static str,
    pub guard: Guard,
    pub effect: Effect,
    pub audit: Option<&'static str>,
    pub rate: RateClass,
    pub status: u16,
    pub path_schema: SchemaFn,
    pub query_schema: SchemaFn,
    pub body: BodyKind,
    pub answer: AnswerKind,
    pub example: fn() -> Value,
    /// Reads the example back as the answer's type.
    pub check_example: fn() -> Result<(), String>,
}

impl OperationSpec {
    /// The capability the operation belongs to, e.g. `findings`.
    pub fn capability(&self) -> &'static str {
        self.audit
            .and_then(|action| action.split('.').next())
            .unwrap_or_else(|| self.path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default())
    }
}

/// An operation as a type: what a handler implements and a client calls.
pub trait Operation: Send + Sync + 'static {
    const SPEC: &'static OperationSpec;
    type Path: DeserializeOwned + JsonSchema + Send + 'static;
    type Query: DeserializeOwned + Serialize + JsonSchema + Send + 'static;
    type Body: BodyType;
    type Answer: AnswerType;
}

/// No parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// No body, or no answer beyond its status.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct Empty;

/// Raw bytes, streamed.
#[derive(Debug, Clone, Copy, Default)]
pub struct StreamBody;

/// Server-sent events that each carry a `T` as JSON, until there is nothing more to tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventStream<T>(PhantomData<fn() -> T>);

/// What may stand as a request body.
pub trait BodyType: Send + 'static {
    const KIND: BodyKind;
}

/// What may stand as an answer.
pub trait AnswerType: Send + 'static {
    const KIND: AnswerKind;
    /// # Errors
    /// The example does not read as this answer.
    fn check(example: Value) -> Result<(), String>;
}

/// Marks a type that travels as JSON.
pub trait Json: Serialize + DeserializeOwned + JsonSchema + Send + 'static {}

impl<T: Json> BodyType for T {
    const KIND: BodyKind = BodyKind::Json(|generator| generator.subschema_for::<T>());
}
impl BodyType for Empty {
    const KIND: BodyKind = BodyKind::None;
}
impl BodyType for StreamBody {
    const KIND: BodyKind = BodyKind::Stream;
}
impl<T: Json> AnswerType for T {
    const KIND: AnswerKind = AnswerKind::Json(|generator| generator.subschema_for::<T>());
    fn check(example: Value) -> Result<(), String> {
        serde_json::from_value::<T>(example).map(drop).map_err(|e| e.to_string())
    }
}
impl AnswerType for Empty {
    const KIND: AnswerKind = AnswerKind::Empty;
    fn check(_: Value) -> Result<(), String> {
        Ok(())
    }
}
impl AnswerType for StreamBody {
    const KIND: AnswerKind = AnswerKind::Stream;
    fn check(_: Value) -> Result<(), String> {
        Ok(())
    }
}

impl<T: Json> AnswerType for EventStream<T> {
    const KIND: AnswerKind = AnswerKind::Events(|generator| generator.subschema_for::<T>());
    fn check(example: Value) -> Result<(), String> {
        serde_json::from_value::<T>(example).map(drop).map_err(|e| e.to_string())
    }
}

/// Declares the operations of one capability and its `OPERATIONS` list.
macro_rules! operations {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $id:literal $method:ident $path:literal {
            guard: $guard:expr,
            effect: $effect:ident $(($audit:literal))?,
            rate: $rate:ident,
            $(params: $params:ty,)?
            $(query: $query:ty,)?
            $(body: $body:ty,)?
            answer: $answer:ty,
            status: $status:literal,
            example: $example:tt $(,)?
        }
    )*) => {
        $(
            $(#[doc = $doc])+
            pub struct $name;

            impl $crate::operation::Operation for $name {
                const SPEC: &'static $crate::operation::OperationSpec = &$crate::operation::OperationSpec {
                    id: $id,
                    method: $crate::operation::Method::$method,
                    path: $path,
                    doc: concat!($($doc, "\n"),+),
                    guard: $guard,
                    effect: $crate::operation::Effect::$effect,
                    audit: $crate::operation::operations!(@audit $($audit)?),
                    rate: $crate::operation::RateClass::$rate,
                    status: $status,
                    path_schema: <<$name as $crate::operation::Operation>::Path as schemars::JsonSchema>::json_schema,
                    query_schema: <<$name as $crate::operation::Operation>::Query as schemars::JsonSchema>::json_schema,
                    body: <<$name as $crate::operation::Operation>::Body as $crate::operation::BodyType>::KIND,
                    answer: <<$name as $crate::operation::Operation>::Answer as $crate::operation::AnswerType>::KIND,
                    example: || serde_json::json!($example),
                    check_example: || <<$name as $crate::operation::Operation>::Answer as $crate::operation::AnswerType>::check(serde_json::json!($example)),
                };
                type Path = $crate::operation::operations!(@or $crate::operation::Nothing $(, $params)?);
                type Query = $crate::operation::operations!(@or $crate::operation::Nothing $(, $query)?);
                type Body = $crate::operation::operations!(@or $crate::operation::Empty $(, $body)?);
                type Answer = $answer;
            }
        )*

        /// The operations of this capability.
        pub const OPERATIONS: &[&$crate::operation::OperationSpec] = &[$(<$name as $crate::operation::Operation>::SPEC),*];
    };
    (@audit) => { None };
    (@audit $audit:literal) => { Some($audit) };
    (@or $default:ty) => { $default };
    (@or $default:ty, $given:ty) => { $given };
}

/// Marks types as JSON bodies or answers.
macro_rules! json {
    ($($t:ty),* $(,)?) => { $(impl $crate::operation::Json for $t {})* };
}

/// Declares closed vocabularies: enums that travel as the words given.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),*];
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $text),* } }
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some($name::$variant),)* _ => None } }
        }
    )*};
}

pub(crate) use {json, operations, words};
