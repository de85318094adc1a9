//! Relations that follow from the rest of a directory instead of being written down: members of groups seen from the
//! member, application roles seen from the resource, service principals that consent made, an object by its id alone.

use super::Request;
use crate::{config::App, consents::service_principal, entra::resource::GRAPH, estate::Entry};
use serde_json::{Value, json};

/// The lists of directory objects, with the type their objects carry.
const OBJECTS: &[(&str, &str)] = &[
    ("/users", "#microsoft.graph.user"),
    ("/groups", "#microsoft.graph.group"),
    ("/serviceprincipals", "#microsoft.graph.servicePrincipal"),
    ("/applications", "#microsoft.graph.application"),
    ("/directoryroles", "#microsoft.graph.directoryRole"),
];

impl Request<'_> {
    /// A relation of an object of `list`, by its name in lower case; `None` for one that scenario files write down.
    pub fn related(&self, path: &str, list: &Entry, object: &Value, relation: &str) -> Option<Vec<Value>> {
        match (path, relation) {
            ("/serviceprincipals", "approleassignedto") => Some(self.assigned_to(list, object)),
            ("/users" | "/serviceprincipals", "memberof" | "transitivememberof") => Some(self.groups_of(object)),
            _ => None,
        }
    }

    /// Any object of the directory by its id.
    pub fn directory_object(&self, id: &str) -> Option<Value> {
        let fill = self.fill();
        let written = OBJECTS.iter().find_map(|(list, kind)| {
            let mut object = self.estate.graph(self.version, list)?.find(id, &fill)?;
            object["@odata.type"] = (*kind).into();
            Some(object)
        });
        written.or_else(|| self.consented().into_iter().find(|principal| principal["id"] == id))
    }

    /// The groups that name the object as a member.
    fn groups_of(&self, object: &Value) -> Vec<Value> {
        let fill = self.fill();
        let Some(groups) = self.estate.graph(self.version, "/groups") else { return Vec::new() };
        let is_in =
            |group: &Value| group[">members"].as_array().is_some_and(|members| members.iter().any(|member| member["id"] == object["id"]));
        (0..groups.len()).filter_map(|at| groups.item(at, &fill)).filter(is_in).collect()
    }

    /// Who holds application roles of a resource: the assignments of all, seen from the other side.
    fn assigned_to(&self, principals: &Entry, resource: &Value) -> Vec<Value> {
        let fill = self.fill();
        let all = (0..principals.len()).filter_map(|at| principals.item(at, &fill)).chain(self.consented());
        let assignments = all.filter_map(|mut principal| match principal[">appRoleAssignments"].take() {
            Value::Array(assignments) => Some(assignments),
            _ => None,
        });
        assignments.flatten().filter(|assignment| assignment["resourceDisplayName"] == resource["displayName"]).collect()
    }

    /// The service principals that consent made.
    pub fn consented(&self) -> Vec<Value> {
        let clients = self.cloud.consents.clients(self.directory.id);
        clients
            .into_iter()
            .filter_map(|client| self.cloud.consented(self.directory, client))
            .map(|app| self.service_principal(&app))
            .collect()
    }

    fn service_principal(&self, app: &App) -> Value {
        let id = app.service_principal.to_string();
        let roles = app.assignments.iter().flat_map(|assignment| &assignment.roles);
        let granted: Vec<Value> = roles
            .map(|role| {
                let role_id = app_role_id(role);
                json!({"id": format!("{id}.{role}"), "appRoleId": role_id, "principalId": id, "principalType": "ServicePrincipal",
                    "principalDisplayName": app.name, "resourceDisplayName": "Microsoft Graph", "resourceId": service_principal(self.directory.id, GRAPH)})
            })
            .collect();
        let mut principal = json!({
            "id": id, "appId": app.client_id, "displayName": app.name, "accountEnabled": true, "servicePrincipalType": "Application",
            "signInAudience": "AzureADMultipleOrgs", "appOwnerOrganizationId": "b0a71a1c-0000-4000-8000-00000000000f", "appRoleAssignmentRequired": false,
            "passwordCredentials": [], "keyCredentials": [], "tags": [], "preferredSingleSignOnMode": null, "appRoles": [],
            ">appRoleAssignments": granted, ">owners": [],
        });
        if let (Some(written), Some(members)) = (self.estate.principal(&id), principal.as_object_mut()) {
            members.extend(written.iter().map(|(name, value)| (name.clone(), self.fill().value(value))));
        }
        principal
    }
}

/// The id of a Graph application permission in this simulator: made from its name, and not Microsoft's.
fn app_role_id(permission: &str) -> uuid::Uuid {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, permission.as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
