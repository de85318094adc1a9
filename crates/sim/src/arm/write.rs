//! PATCH of resources: members of `properties` are replaced whole, as are tags, identity and SKU; what a type does not know
//! is refused.

use super::{Request, error};
use crate::{
    estate::{Edit, Estate},
    reply::Reply,
    shape::{Misfit, Shapes},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl Request<'_> {
    /// Answers a request that is not for reading.
    ///
    /// # Errors
    /// 403 without a role that allows it, 404, 405 for what the simulator cannot change, and 400 for a body that does not fit.
    pub fn write(&self) -> Result<Reply, Reply> {
        self.permitted("write")?;
        let kind = self.kind();
        if self.asked.method != "PATCH" || !Shapes::arm().knows(&kind) {
            return Err(error(405, "MethodNotAllowed", format!("{} is not supported for {kind} here.", self.asked.method)));
        }
        let newest = self.newest()?;
        let resource = newest.resource(&self.path).map(|resource| self.fill.value(resource));
        let resource =
            resource.ok_or_else(|| error(404, "ResourceNotFound", format!("The Resource '{}' was not found.", self.asked.path)))?;
        let given = self.body()?;
        self.check(&kind, &given, &resource)?;
        let after = self.merged(resource, given);
        if !self.asked.forget {
            let edit = Edit::Resource { path: self.path.clone(), value: after.clone() };
            let kept = self.cloud.keep(self.directory, &[edit], self.cloud.write_delay());
            kept.map_err(|problem| error(500, "InternalServerError", format!("{problem:#}")))?;
        }
        Ok(Reply::ok(after))
    }

    fn newest(&self) -> Result<Arc<Estate>, Reply> {
        self.cloud.newest(self.directory).map_err(|problem| error(500, "InternalServerError", format!("{problem:#}")))
    }

    fn body(&self) -> Result<Map<String, Value>, Reply> {
        let invalid = |text: String| error(400, "InvalidRequestContent", format!("The request content was invalid: {text}"));
        match serde_json::from_slice(self.asked.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(invalid("it is not an object.".to_owned())),
            Err(problem) => Err(invalid(problem.to_string())),
        }
    }

    fn check(&self, kind: &str, given: &Map<String, Value>, resource: &Value) -> Result<(), Reply> {
        let refused = |text: String| Err(error(400, "InvalidRequestContent", text));
        if let Some(member) = given.keys().find(|name| !matches!(name.as_str(), "properties" | "tags" | "identity" | "sku" | "kind")) {
            return refused(format!("Could not find member '{member}' on object of type '{kind}'."));
        }
        let nothing = Map::new();
        let properties = match given.get("properties") {
            None | Some(Value::Null) => &nothing,
            Some(Value::Object(members)) => members,
            Some(_) => return refused("'properties' is not an object.".to_owned()),
        };
        if let Err(misfit) = Shapes::arm().check(kind, properties, &resource["properties"]) {
            return refused(match misfit {
                Misfit::Unknown { member, of } => format!("Could not find member '{member}' on object of type '{of}'."),
                Misfit::ReadOnly { member } => format!("The property '{member}' is read-only."),
                Misfit::Kind { member, wanted } => format!("Error converting the value of '{member}' to type '{wanted}'."),
            });
        }
        if kind == "microsoft.keyvault/vaults" {
            self.check_vault(properties, resource)?;
        }
        Ok(())
    }

    /// Purge protection stays on once it is, and who may grant roles may change the permission model.
    fn check_vault(&self, properties: &Map<String, Value>, resource: &Value) -> Result<(), Reply> {
        if properties.get("enablePurgeProtection") == Some(&Value::Bool(false)) {
            let text = "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.";
            return Err(error(400, "BadRequest", text.to_owned()));
        }
        match properties.get("enableRbacAuthorization") {
            Some(model) if *model != resource["properties"]["enableRbacAuthorization"] => {
                self.allowed(&self.scope()?, "Microsoft.Authorization/roleAssignments/write")
            }
            _ => Ok(()),
        }
    }

    /// The resource with what was given: null takes a member away, but purge protection, of which it says nothing.
    fn merged(&self, mut resource: Value, given: Map<String, Value>) -> Value {
        for (name, value) in given {
            match (name.as_str(), value) {
                ("properties", Value::Object(members)) => {
                    for (member, value) in members {
                        if value.is_null() && member == "enablePurgeProtection" {
                            continue;
                        }
                        put(&mut resource["properties"], &member, value);
                    }
                }
                ("properties", _) => {}
                ("identity", Value::Object(identity)) => resource["identity"] = self.identity(identity),
                (_, value) => put(&mut resource, &name, value),
            }
        }
        resource
    }

    /// A system-assigned identity gets its ids from the service.
    fn identity(&self, mut identity: Map<String, Value>) -> Value {
        let kind = identity.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind.contains("SystemAssigned") && !identity.contains_key("principalId") {
            let ids = json!({"principalId": self.cloud.uuid(), "tenantId": self.directory.id});
            identity.extend(ids.as_object().cloned().unwrap_or_default());
        }
        Value::Object(identity)
    }
}

fn put(object: &mut Value, member: &str, value: Value) {
    match (object.as_object_mut(), value) {
        (Some(members), Value::Null) => drop(members.remove(member)),
        (Some(members), value) => drop(members.insert(member.to_owned(), value)),
        (None, _) => {}
    }
}
