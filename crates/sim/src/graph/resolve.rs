//! From a path to what stands there: an answer of the scenario, an object of one of its lists, or a property of that.

use super::{Request, error::Error, page, query::Query};
use crate::{
    estate::{Entry, Fill},
    reply::Reply,
};
use serde_json::Value;

/// What `/users` shows without `$select`.
const USER: &[&str] = &[
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// Lists of directory objects: the ones with advanced queries.
const DIRECTORY: &[&str] = &["users", "groups", "applications", "serviceprincipals", "devices"];

pub fn is_directory_list(segments: &[String]) -> bool {
    let list = segments.first().is_some_and(|first| DIRECTORY.contains(&first.to_lowercase().as_str()));
    list && (segments.len() == 1 || segments.get(1).is_some_and(|second| second == "$count"))
}

/// `applications(appId='x')` as the segments `applications` and `appId='x'`.
pub fn keyed(segment: &str) -> Vec<String> {
    match segment.strip_suffix(')').and_then(|segment| segment.split_once('(')) {
        Some((name, key)) => vec![name.to_owned(), key.trim_matches('\'').to_owned()],
        None => vec![segment.to_owned()],
    }
}

/// What a path leads to.
pub enum Found<'a> {
    List(&'a Entry),
    /// A list inside an object.
    Inner(Entry),
    One(Value),
}

impl Request<'_> {
    pub fn fill(&self) -> Fill {
        self.cloud.fill(self.directory)
    }

    pub fn read_path(&self, query: &Query) -> Result<Reply, Error> {
        let counted = self.segments.last().is_some_and(|last| last == "$count");
        let segments = if counted { &self.segments[..self.segments.len() - 1] } else { &self.segments[..] };
        let standard = if segments[0].eq_ignore_ascii_case("users") && segments.len() < 3 { USER } else { &[] };
        let found = self.find(segments)?;
        let list = match &found {
            Found::One(value) if counted => return Err(Error::bad_request(format!("{} is not a list", value["id"]))),
            Found::One(value) => return self.one(value.clone(), query, standard),
            Found::List(entry) => entry,
            Found::Inner(entry) => entry,
        };
        let page = page::Page { request: self, query, list, standard };
        Ok(if counted { Reply::text(page.total().to_string()) } else { page.reply()? })
    }

    fn one(&self, value: Value, query: &Query, standard: &[&str]) -> Result<Reply, Error> {
        if let Some(status) = value["$status"].as_u64() {
            let text = |name: &str| value["error"][name].as_str().unwrap_or_default().to_owned();
            let mut reply = Error::new(status as u16, "UnknownError", text("message")).reply(self.cloud, None);
            if let crate::reply::Payload::Json(body) = &mut reply.body {
                body["error"]["code"] = text("code").into();
            }
            return Ok(reply);
        }
        let mut body = serde_json::Map::from_iter([("@odata.context".to_owned(), self.context(query, true))]);
        match query.project(value, standard) {
            Value::Object(members) => body.extend(members),
            property => drop(body.insert("value".to_owned(), property)),
        }
        Ok(Reply::ok(Value::Object(body)))
    }

    /// The longest part of the path that the scenario answers, then down from there.
    fn find(&self, segments: &[String]) -> Result<Found<'_>, Error> {
        let lower: Vec<String> = segments.iter().map(|segment| segment.to_lowercase()).collect();
        for length in (1..=segments.len()).rev() {
            let path: String = lower[..length].iter().map(|segment| format!("/{segment}")).collect();
            if let Some(entry) = self.estate.graph(self.version, &path) {
                return self.below(entry, &path, &segments[length..]);
            }
        }
        Err(Error::not_found(&segments.join("/")))
    }

    fn below<'a>(&self, entry: &'a Entry, path: &str, rest: &[String]) -> Result<Found<'a>, Error> {
        let fill = self.fill();
        let consented = if path == "/serviceprincipals" { self.consented() } else { Vec::new() };
        let (mut value, rest) = match (entry, rest) {
            (Entry::One(value), rest) => (fill.value(value), rest),
            (Entry::List(items), []) if !consented.is_empty() => {
                return Ok(Found::Inner(Entry::List(items.iter().cloned().chain(consented).collect())));
            }
            (list, []) => return Ok(Found::List(list)),
            (list, [id, rest @ ..]) => {
                let key = id.strip_prefix("appId='");
                let found = match key {
                    Some(app_id) => {
                        (0..list.len()).filter_map(|at| list.item(at, &fill)).chain(consented).find(|item| item["appId"] == app_id)
                    }
                    None => list.find(id, &fill).or_else(|| consented.into_iter().find(|item| item["id"] == id.as_str())),
                };
                let found = found.ok_or_else(|| Error::not_found(id))?;
                if path == "/serviceprincipals" && rest.iter().map(|name| name.to_lowercase()).eq(["approleassignedto"]) {
                    return Ok(Found::Inner(Entry::List(self.assigned_to(list, &found))));
                }
                (found, rest)
            }
        };
        for name in rest {
            let member = [name.clone(), format!(">{name}")].iter().find_map(|name| value.get_mut(name).map(Value::take));
            value = match (member, value) {
                (Some(member), _) => member,
                (None, Value::Array(items)) => {
                    items.into_iter().find(|item| item["id"] == name.as_str()).ok_or_else(|| Error::not_found(name))?
                }
                _ => return Err(Error::not_found(name)),
            };
        }
        Ok(match value {
            Value::Array(items) => Found::Inner(Entry::List(items)),
            one => Found::One(one),
        })
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
    fn consented(&self) -> Vec<Value> {
        let clients = self.cloud.consents.clients(self.directory.id);
        clients
            .into_iter()
            .filter_map(|client| self.cloud.consented(self.directory, client))
            .map(|app| self.service_principal(&app))
            .collect()
    }

    fn service_principal(&self, app: &crate::config::App) -> Value {
        let id = app.service_principal.to_string();
        let roles = app.assignments.iter().flat_map(|assignment| &assignment.roles);
        let granted: Vec<Value> = roles
            .map(|role| {
                let role_id = app_role_id(role);
                serde_json::json!({"id": format!("{id}.{role}"), "appRoleId": role_id, "principalId": id, "principalType": "ServicePrincipal",
                    "principalDisplayName": app.name, "resourceDisplayName": "Microsoft Graph", "resourceId": crate::consents::service_principal(self.directory.id, crate::entra::resource::GRAPH)})
            })
            .collect();
        serde_json::json!({
            "id": id, "appId": app.client_id, "displayName": app.name, "accountEnabled": true, "servicePrincipalType": "Application",
            "signInAudience": "AzureADMultipleOrgs", "appOwnerOrganizationId": "b0a71a1c-0000-4000-8000-00000000000f", "appRoleAssignmentRequired": false,
            "passwordCredentials": [], "keyCredentials": [], "tags": [], "preferredSingleSignOnMode": null, "appRoles": [],
            ">appRoleAssignments": granted, ">owners": [],
        })
    }
}

/// The id of a Graph application permission in this simulator: made from its name, and not Microsoft's.
fn app_role_id(permission: &str) -> uuid::Uuid {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, permission.as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
