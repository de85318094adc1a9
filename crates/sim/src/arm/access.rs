//! Role-based access: who may do what in which scope, from the role assignments of the directory and what tests changed
//! since.

use super::{Request, error, roles::Role};
use crate::{estate::Entry, reply::Reply};
use serde_json::Value;

impl Request<'_> {
    /// The caller's roles at a scope or above it.
    pub fn roles(&self, scope: &str) -> Vec<&'static Role> {
        match self.cloud.azure_roles.of(self.directory.id, self.caller.client) {
            Some(roles) if scope == "/" => roles.into_iter().filter(|role| role.name.starts_with("Hierarchy")).collect(),
            Some(roles) => roles,
            None => self.assignments().filter_map(|assignment| self.granted(assignment, scope)).collect(),
        }
    }
    fn assignments(&self) -> impl Iterator<Item = &Value> {
        self.estate.arm_lists().flatten().filter(|item| item["properties"]["principalId"].is_string())
    }
    fn granted(&self, assignment: &Value, scope: &str) -> Option<&'static Role> {
        let text = |name: &str| self.fill.text(assignment["properties"][name].as_str().unwrap_or_default()).to_lowercase();
        let (held, scope) = (text("scope"), scope.to_lowercase());
        let inside = held == "/" || held == scope || scope.starts_with(&format!("{held}/"));
        (inside && text("principalId") == self.caller.oid.to_string()).then(|| Role::of_id(&text("roleDefinitionId")))?
    }

    /// Lists of one's own subscriptions and directories are open to all; the rest needs a role at or above the path.
    ///
    /// # Errors
    /// 403 without a role that allows it, 404 for a subscription that is not there.
    pub fn permitted(&self, verb: &str) -> Result<(), Reply> {
        if verb == "read" && matches!(self.path.as_str(), "/subscriptions" | "/tenants") {
            return Ok(());
        }
        let scope = self.scope()?;
        let own_permissions = self.path.ends_with("/providers/microsoft.authorization/permissions");
        self.allowed(&scope, &format!("{}/{verb}", self.kind()))
            .or_else(|denied| if own_permissions && !self.roles(&scope).is_empty() { Ok(()) } else { Err(denied) })
    }
    /// # Errors
    /// 403 without a role that allows the action.
    pub fn allowed(&self, scope: &str, action: &str) -> Result<(), Reply> {
        if self.roles(scope).iter().any(|role| role.allows(action)) { Ok(()) } else { Err(self.denied(action)) }
    }
    /// The subscription of the path, or the root.
    ///
    /// # Errors
    /// 404 for a subscription that is not there.
    pub fn scope(&self) -> Result<String, Reply> {
        let Some(subscription) = self.path.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next()) else {
            return Ok("/".to_owned());
        };
        let scope = format!("/subscriptions/{subscription}");
        match self.estate.arm("/subscriptions") {
            Some(Entry::List(all)) if all.iter().any(|item| item["id"] == scope.as_str()) => Ok(scope),
            _ => Err(missing(subscription)),
        }
    }
    /// The type of what the path names: the namespace and every second segment after it.
    pub fn kind(&self) -> String {
        let Some((_, rest)) = self.path.rsplit_once("/providers/") else { return "Microsoft.Resources/subscriptions".to_owned() };
        let mut segments = rest.split('/');
        let namespace = segments.next().unwrap_or_default().to_owned();
        segments.step_by(2).fold(namespace, |kind, name| format!("{kind}/{name}"))
    }
    fn denied(&self, action: &str) -> Reply {
        let (client, oid) = (self.caller.client, self.caller.oid);
        error(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{client}' with object id '{oid}' does not have authorization to perform action '{action}' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
                self.asked.path
            ),
        )
    }
}

fn missing(subscription: &str) -> Reply {
    error(404, "SubscriptionNotFound", format!("The subscription '{subscription}' could not be found."))
}
