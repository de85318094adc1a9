//! Who did something.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of principal behind a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    User,
    ApiKey,
    Workload,
    /// Bailiwick itself, in a job or at the operator's console.
    System,
    /// Nobody known: a refused sign-in.
    Unknown,
}

/// Who did something, as shown to people of the same tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Principal {
    pub kind: PrincipalKind,
    /// Member, key or client id.
    pub id: String,
    pub name: String,
    /// Subject of the token that spoke for it: the object id in its directory. Absent for keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_subject: Option<String>,
}

impl Principal {
    /// Bailiwick itself, doing the named thing.
    pub fn system(name: &str) -> Self {
        Self { kind: PrincipalKind::System, id: "bailiwick".into(), name: name.into(), token_subject: None }
    }
}
