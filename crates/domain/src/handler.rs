//! What a handler is: a few kinds, by effect, so that what an operation declares and what its handler can do are the same thing.
//!
//! A read gets a READ ONLY scope. A write answers an [`Audited`] value and cannot commit by itself. An upload takes its bytes between
//! two scopes, so that no transaction waits for a slow client. Whatever asks the world outside does so between scopes too. A disclosure is written to the trail before its first byte leaves.

use crate::Services;
use bailiwick_base::{Problem, TenantId};
use bailiwick_contract::{EventStream, Guard, Operation};
use bailiwick_store::{Admission, Audited, Caller, ReadScope, Request, WriteScope};
use bytes::Bytes;
use futures::stream::BoxStream;

/// A call that passed its guard, with its parameters read.
pub struct Call<O: Operation> {
    pub path: O::Path,
    pub query: O::Query,
    pub body: O::Body,
    pub tenant: TenantId,
    pub caller: Caller,
    pub request: Request,
}

/// An operation anybody may call: sees no tenant.
pub trait OpenHandler: Operation {
    fn handle(services: &Services) -> Result<Self::Answer, Problem>;
}

pub trait ReadHandler: Operation {
    fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> impl Future<Output = Result<Self::Answer, Problem>> + Send
    where
        Self: Sized;
}

pub trait WriteHandler: Operation {
    fn handle(
        services: &Services,
        scope: &mut WriteScope,
        call: Call<Self>,
    ) -> impl Future<Output = Result<Audited<Self::Answer>, Problem>> + Send
    where
        Self: Sized;
}

/// Bytes as they come in.
pub type Upload = BoxStream<'static, Result<Bytes, Problem>>;

/// Takes a stream: `prepare` looks, `receive` stores the bytes outside any transaction, `record` makes them count.
pub trait UploadHandler: Operation {
    type Prepared: Send;
    type Received: Send;
    fn prepare(
        services: &Services,
        scope: &mut ReadScope,
        call: &Call<Self>,
    ) -> impl Future<Output = Result<Self::Prepared, Problem>> + Send
    where
        Self: Sized;
    fn receive(
        services: &Services,
        prepared: Self::Prepared,
        bytes: Upload,
    ) -> impl Future<Output = Result<Self::Received, Problem>> + Send;
    fn record(
        services: &Services,
        scope: &mut WriteScope,
        call: &Call<Self>,
        received: Self::Received,
    ) -> impl Future<Output = Result<Audited<Self::Answer>, Problem>> + Send
    where
        Self: Sized;
}

/// Bytes on their way out.
pub struct Download {
    pub name: String,
    pub media_type: &'static str,
    pub size: u64,
    /// Lower-case hex; the stream ends in an error when the bytes turn out to differ.
    pub sha256: String,
    pub bytes: BoxStream<'static, Result<Bytes, Problem>>,
}

/// Hands out evidence. The stream must not be polled before the scope is committed.
pub trait DiscloseHandler: Operation {
    fn handle(
        services: &Services,
        scope: &mut WriteScope,
        call: Call<Self>,
    ) -> impl Future<Output = Result<Audited<Download>, Problem>> + Send
    where
        Self: Sized;
}

/// Answers with what the world outside says now: `prepare` looks into the tenant, `reach` calls out while no transaction waits.
pub trait LiveHandler: Operation {
    type Prepared: Send;
    fn prepare(
        services: &Services,
        scope: &mut ReadScope,
        call: &Call<Self>,
    ) -> impl Future<Output = Result<Self::Prepared, Problem>> + Send
    where
        Self: Sized;
    fn reach(services: &Services, prepared: Self::Prepared) -> impl Future<Output = Result<Self::Answer, Problem>> + Send;
}

/// Changes something by what the world outside says: `prepare` looks, `reach` calls out, `record` makes it count.
pub trait ReachHandler: Operation {
    type Prepared: Send;
    type Reached: Send;
    fn prepare(
        services: &Services,
        scope: &mut ReadScope,
        call: &Call<Self>,
    ) -> impl Future<Output = Result<Self::Prepared, Problem>> + Send
    where
        Self: Sized;
    fn reach(services: &Services, prepared: Self::Prepared) -> impl Future<Output = Result<Self::Reached, Problem>> + Send;
    fn record(
        services: &Services,
        scope: &mut WriteScope,
        call: &Call<Self>,
        reached: Self::Reached,
    ) -> impl Future<Output = Result<Audited<Self::Answer>, Problem>> + Send
    where
        Self: Sized;
}

/// An operation anybody may call who holds a token that Bailiwick gave out, such as the link in a mail: the token names the tenant, and
/// nothing of it is believed before the handler has checked it. Only what the token itself allows may be changed or told.
pub trait TokenHandler: Operation {
    /// The tenant that the token claims; nothing where it is not in the form of one.
    fn tenant(query: &Self::Query) -> Option<TenantId>;
    fn handle(
        services: &Services,
        scope: &mut WriteScope,
        call: Call<Self>,
    ) -> impl Future<Output = Result<Audited<Self::Answer>, Problem>> + Send
    where
        Self: Sized;
}

/// Tells how something stands, again and again, until there is nothing more to tell. Each look is a scope of its own, so that who may
/// no longer see it hears no more.
pub trait WatchHandler: Operation<Answer = EventStream<Self::Event>> {
    type Event: serde::Serialize + Send;
    /// How it stands, and whether that is the last word.
    fn look(
        services: &Services,
        scope: &mut ReadScope,
        path: &Self::Path,
    ) -> impl Future<Output = Result<(Self::Event, bool), Problem>> + Send;
}

/// Where handlers are mounted: the HTTP adapter, and tests that list them.
pub trait Mount {
    fn open<O: OpenHandler>(&mut self)
    where
        O::Answer: serde::Serialize;
    fn read<O: ReadHandler<Body = bailiwick_contract::Empty>>(&mut self)
    where
        O::Answer: serde::Serialize;
    fn write<O: WriteHandler>(&mut self)
    where
        O::Body: serde::de::DeserializeOwned,
        O::Answer: serde::Serialize;
    fn upload<O: UploadHandler<Body = bailiwick_contract::StreamBody>>(&mut self)
    where
        O::Answer: serde::Serialize;
    fn disclose<O: DiscloseHandler<Body = bailiwick_contract::Empty>>(&mut self);
    fn live<O: LiveHandler<Body = bailiwick_contract::Empty>>(&mut self)
    where
        O::Answer: serde::Serialize;
    fn reach<O: ReachHandler>(&mut self)
    where
        O::Body: serde::de::DeserializeOwned + Sync,
        O::Path: Sync,
        O::Query: Sync,
        O::Answer: serde::Serialize;
    fn watch<O: WatchHandler<Body = bailiwick_contract::Empty>>(&mut self)
    where
        O::Path: Sync;
    fn by_token<O: TokenHandler<Body = bailiwick_contract::Empty>>(&mut self)
    where
        O::Answer: serde::Serialize;
}

/// Which callers an operation's guard lets in.
pub fn admission(guard: Guard) -> Admission {
    use bailiwick_contract::{Grantee, Role};
    match guard {
        Guard::Open(_) => Admission { roles: vec![], keys: false, workloads: false },
        Guard::AnyCaller => Admission { roles: Role::ALL.iter().map(|r| r.as_str()).collect(), keys: true, workloads: true },
        Guard::Needs(permission) => Admission {
            roles: Role::ALL.iter().filter(|r| permission.held_by(Grantee::Role(**r))).map(|r| r.as_str()).collect(),
            keys: permission.held_by(Grantee::Key),
            workloads: permission.held_by(Grantee::Workload),
        },
    }
}
