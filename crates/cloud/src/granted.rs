//! What an application may do in a directory: the application permissions in its own token for Microsoft Graph.
//!
//! The format of another API's token is not a contract, so this serves to tell people what is missing, never to decide
//! what is allowed: Graph decides that, request by request. The token came to us over TLS from the token endpoint; its
//! signature is Graph's to check.

use crate::entra::claims;
use bailiwick_base::DirectoryId;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The application as the directory knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The directory the token is for, from the token itself.
    pub directory: DirectoryId,
    /// The application's service principal there (object id).
    pub principal: Option<Uuid>,
    /// Application permissions, e.g. `Policy.Read.All`; empty where none was consented to.
    pub permissions: BTreeSet<String>,
}

/// The token is not in the form that shows permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token does not show which permissions were granted. Check them on the app registration")]
pub struct Unreadable;

impl Granted {
    /// Reads a token's permissions.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn read(token: &str) -> Result<Self, Unreadable> {
        let parts = claims::split(token).map_err(|_| Unreadable)?;
        let directory = text(&parts.payload, "tid").and_then(|id| id.parse().ok()).ok_or(Unreadable)?;
        let principal = text(&parts.payload, "oid").and_then(|id| id.parse().ok());
        let roles: Option<Vec<String>> = claims::optional(&parts.payload, "roles").map_err(|_| Unreadable)?;
        Ok(Self { directory, principal, permissions: roles.unwrap_or_default().into_iter().collect() })
    }

    /// Whether this permission is there, itself or as the write permission of the same name, which holds it.
    pub fn holds(&self, permission: &str) -> bool {
        self.permissions.contains(permission) || self.permissions.contains(&permission.replacen(".Read.", ".ReadWrite.", 1))
    }
}

fn text<'p>(payload: &'p Map<String, Value>, name: &str) -> Option<&'p str> {
    payload.get(name)?.as_str()
}

/// Those of the needed permissions that were not granted, each once, in alphabetical order.
pub fn missing<'n>(needed: impl IntoIterator<Item = &'n str>, granted: &Granted) -> Vec<String> {
    let missing: BTreeSet<_> = needed.into_iter().filter(|permission| !granted.holds(permission)).collect();
    missing.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
    use serde_json::json;

    const DIRECTORY: &str = "11111111-aaaa-4aaa-8aaa-000000000001";

    fn token(claims: &Value) -> String {
        format!("{}.{}.{}", B64.encode(r#"{"alg":"RS256"}"#), B64.encode(claims.to_string()), B64.encode("signature"))
    }

    #[test]
    fn the_missing_list_is_exact() {
        let roles = ["Policy.Read.All", "Directory.ReadWrite.All"];
        let granted = Granted::read(&token(&json!({"tid": DIRECTORY, "oid": DIRECTORY, "roles": roles}))).unwrap();
        assert_eq!(granted.directory.to_string(), DIRECTORY);
        let needed = ["User.Read.All", "Policy.Read.All", "Directory.Read.All", "AuditLog.Read.All", "User.Read.All"];
        assert_eq!(missing(needed, &granted), ["AuditLog.Read.All", "User.Read.All"]);
        assert_eq!(missing(["Policy.ReadWrite.All", "policy.read.all"], &granted), ["Policy.ReadWrite.All", "policy.read.all"]);
    }

    #[test]
    fn no_roles_claim_means_nothing_granted_and_other_tokens_are_not_guessed_at() {
        let none = Granted::read(&token(&json!({"tid": DIRECTORY}))).unwrap();
        assert!(none.permissions.is_empty() && none.principal.is_none());
        for odd in [json!({"tid": DIRECTORY, "roles": "Policy.Read.All"}), json!({"roles": []}), json!({"tid": "contoso"}), json!(7)] {
            assert_eq!(Granted::read(&token(&odd)), Err(Unreadable), "{odd}");
        }
        assert_eq!(Granted::read("EwBwA8l6BAAU"), Err(Unreadable));
    }
}
