//! Role-based access: who may read which scope, from the role assignments of the directory and what tests changed since.

use super::{Request, error};
use crate::{cloud::lock, estate::Entry, reply::Reply};
use serde_json::Value;
use std::{collections::HashMap, sync::Mutex};
use uuid::Uuid;

/// Built-in roles that may read everything in their scope: Owner, Contributor, Reader.
const READING: &[&str] =
    &["8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c", "acdd72a7-3385-48ef-bd42-f606fba81ae7"];

/// Changes since the start, by directory and application: Reader on every subscription, or nothing anywhere.
#[derive(Default)]
pub struct AzureRoles(Mutex<HashMap<(Uuid, Uuid), bool>>);

impl AzureRoles {
    pub fn set(&self, directory: Uuid, client: Uuid, reader: bool) {
        lock(&self.0).insert((directory, client), reader);
    }
    fn of(&self, directory: Uuid, client: Uuid) -> Option<bool> {
        lock(&self.0).get(&(directory, client)).copied()
    }
}

impl Request<'_> {
    /// Whether the caller may read that scope and what is below it.
    pub fn may_read(&self, scope: &str) -> bool {
        match self.cloud.azure_roles.of(self.directory.id, self.caller.client) {
            Some(reader) => reader && scope != "/",
            None => self.assignments().any(|assignment| self.grants(assignment, scope)),
        }
    }
    fn assignments(&self) -> impl Iterator<Item = &Value> {
        self.estate.arm_lists().flatten().filter(|item| item["properties"]["principalId"].is_string())
    }
    fn grants(&self, assignment: &Value, scope: &str) -> bool {
        let text = |name: &str| self.fill.text(assignment["properties"][name].as_str().unwrap_or_default()).to_lowercase();
        let (held, scope) = (text("scope"), scope.to_lowercase());
        text("principalId") == self.caller.oid.to_string()
            && READING.iter().any(|role| text("roleDefinitionId").ends_with(role))
            && (held == "/" || held == scope || scope.starts_with(&format!("{held}/")))
    }

    /// Lists of one's own subscriptions and directories are open to all; the rest needs a role at or above the path.
    ///
    /// # Errors
    /// 403 without the role, or for a change; 404 for a subscription that is not there.
    pub fn permitted(&self) -> Result<(), Reply> {
        if !matches!(self.asked.method, "GET" | "HEAD") {
            return Err(self.denied("write"));
        }
        if matches!(self.path.as_str(), "/subscriptions" | "/tenants") {
            return Ok(());
        }
        let scope = match self.path.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next()) {
            Some(subscription) => {
                let scope = format!("/subscriptions/{subscription}");
                let Some(Entry::List(all)) = self.estate.arm("/subscriptions") else { return Err(missing(subscription)) };
                if !all.iter().any(|item| item["id"] == scope.as_str()) {
                    return Err(missing(subscription));
                }
                scope
            }
            None => "/".to_owned(),
        };
        if self.may_read(&scope) { Ok(()) } else { Err(self.denied("read")) }
    }
    fn denied(&self, verb: &str) -> Reply {
        let (client, oid) = (self.caller.client, self.caller.oid);
        let kind = self.path.rsplit_once("/providers/").map_or("Microsoft.Resources/subscriptions", |(_, rest)| rest);
        error(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{client}' with object id '{oid}' does not have authorization to perform action '{kind}/{verb}' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
                self.asked.path
            ),
        )
    }
}

fn missing(subscription: &str) -> Reply {
    error(404, "SubscriptionNotFound", format!("The subscription '{subscription}' could not be found."))
}
