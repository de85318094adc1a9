//! Azure Resource Manager on the wire: subscriptions, the lists of the providers, single resources, and changes to those.
//! What a caller may do follows from role assignments, which are part of what a directory holds.

mod access;
mod roles;
mod write;

pub use roles::AzureRoles;

use crate::{
    bearer::{self, Caller, Refused},
    cloud::{Cloud, lock},
    config::Directory,
    estate::{Entry, Estate, Fill},
    faults::Twist,
    graph::{Asked, Filter},
    jwt::b64,
    reply::Reply,
    services::Service,
    site::{Params, params},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::Arc;

/// Resource Manager's page when `$top` does not say.
const PAGE: usize = 1000;

/// Answers one request.
pub fn answer(cloud: &Cloud, asked: &Asked<'_>) -> Reply {
    let reply = match bearer::check(cloud, asked.headers, Service::Arm) {
        Ok(caller) => Request::read(cloud, asked, &caller).and_then(|request| request.answer()),
        Err(refused) => Err(unauthorised(refused)),
    };
    let id = cloud.uuid().to_string();
    reply.unwrap_or_else(|refusal| refusal).with("x-ms-request-id", id.clone()).with("x-ms-correlation-request-id", id)
}

fn error(status: u16, code: &str, message: String) -> Reply {
    Reply::json(status, json!({"error": {"code": code, "message": message}}))
}

fn unauthorised(refused: Refused) -> Reply {
    let code = match refused {
        Refused::Missing => "AuthenticationFailed",
        Refused::Expired | Refused::Revoked => "ExpiredAuthenticationToken",
        _ => "InvalidAuthenticationToken",
    };
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.microsoftonline.com/common\", error=\"invalid_token\", error_description=\"{}\"",
        refused.text()
    );
    error(401, code, refused.text().to_owned()).with("www-authenticate", challenge)
}

/// A request whose token is good.
struct Request<'a> {
    cloud: &'a Cloud,
    asked: &'a Asked<'a>,
    caller: &'a Caller,
    directory: &'a Directory,
    estate: Arc<Estate>,
    fill: Fill,
    options: Params,
    /// In lower case, without a slash at its end; the directory's id as `{tenant}`, as scenario files write it.
    path: String,
}

impl<'a> Request<'a> {
    fn read(cloud: &'a Cloud, asked: &'a Asked<'a>, caller: &'a Caller) -> Result<Self, Reply> {
        let directory = cloud.directories.iter().find(|d| d.id == caller.directory).ok_or_else(|| unauthorised(Refused::Identity))?;
        let estate = cloud.estate(directory).map_err(|problem| error(500, "InternalServerError", format!("{problem:#}")))?;
        let decoded = percent_encoding::percent_decode_str(asked.path).decode_utf8_lossy().to_lowercase();
        let path = decoded.trim_end_matches('/').replace(&directory.id.to_string(), "{tenant}");
        Ok(Self { cloud, asked, caller, directory, estate, fill: cloud.fill(directory), options: params(asked.query.as_bytes()), path })
    }

    fn answer(&self) -> Result<Reply, Reply> {
        if !self.options.contains_key("api-version") {
            return Err(error(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.".to_owned(),
            ));
        }
        if !matches!(self.asked.method, "GET" | "HEAD") {
            return self.write();
        }
        self.permitted("read")?;
        match self.path.as_str() {
            "/subscriptions" => self.list(&Entry::List(self.subscriptions())),
            "/tenants" => self.list(&Entry::List(vec![
                json!({"id": "/tenants/{tenant}", "tenantId": "{tenant}", "displayName": "{name}", "defaultDomain": "{domain}"}),
            ])),
            path if path.ends_with("/resources") => self.list(&Entry::List(self.resources())),
            path if path.ends_with("/providers/microsoft.authorization/permissions") => {
                let one = |role: &roles::Role| json!({"actions": role.actions, "notActions": [], "dataActions": [], "notDataActions": []});
                let scope = self.scope()?;
                Ok(Reply::ok(json!({"value": self.roles(&scope).into_iter().map(one).collect::<Vec<_>>()})))
            }
            path => match self.estate.arm(path) {
                Some(Entry::One(value)) => Ok(single(self.fill.value(value))),
                Some(list) => self.list(list),
                None => self.elsewhere(path),
            },
        }
    }

    /// A resource by its id, or a list of what the scenario writes one by one: empty for a provider nobody uses.
    fn elsewhere(&self, path: &str) -> Result<Reply, Reply> {
        match (self.estate.resource(path), path.split_once("/providers/")) {
            (Some(item), _) => Ok(single(self.fill.value(item))),
            (None, Some((_, rest))) if rest.split('/').count() % 2 == 0 => self.list(&Entry::List(self.estate.arm_below(path))),
            _ => Err(error(404, "ResourceNotFound", format!("The Resource '{}' was not found.", self.asked.path))),
        }
    }

    /// The subscriptions in which the caller has any role.
    fn subscriptions(&self) -> Vec<Value> {
        let Some(Entry::List(all)) = self.estate.arm("/subscriptions") else { return Vec::new() };
        all.iter().filter(|item| item["id"].as_str().is_some_and(|scope| !self.roles(scope).is_empty())).cloned().collect()
    }

    /// Everything with an id and a type in the subscription, without `properties`.
    fn resources(&self) -> Vec<Value> {
        let scope = self.path.trim_end_matches("/resources");
        let inside = |item: &&Value| {
            item["id"].as_str().is_some_and(|id| id.to_lowercase().starts_with(&format!("{scope}/resourcegroups/")))
                && item["type"].is_string()
        };
        let mut items: Vec<Value> = self.estate.arm_lists().flatten().filter(inside).cloned().collect();
        items.sort_by_key(|item| item["id"].as_str().map(str::to_owned));
        for item in &mut items {
            if let Value::Object(members) = item {
                members.remove("properties");
            }
        }
        items
    }

    /// A page of a list that passes `$filter`.
    fn list(&self, list: &Entry) -> Result<Reply, Reply> {
        let filter = self.options.get("$filter").map(|text| Filter::parse(text)).transpose();
        let filter = filter.map_err(|problem| error(400, "InvalidFilterInQueryString", problem))?;
        let start = match self.options.get("$skiptoken") {
            Some(token) => read_token(token).ok_or_else(|| error(400, "InvalidSkipToken", "The skip token is not valid.".to_owned()))?,
            None => 0,
        };
        let asked = self.options.get("$top").and_then(|top| top.parse().ok()).unwrap_or(PAGE);
        let size = asked.min(lock(&self.cloud.knobs).page_size.unwrap_or(PAGE)).max(1);
        let items = (0..list.len()).filter_map(|at| list.item(at, &self.fill));
        let passes = |item: &Value| {
            let subject = self.subject(item);
            filter.as_ref().is_none_or(|filter| filter.passes(&subject, &|name, argument, item| self.call(name, argument, item)))
        };
        let items: Vec<Value> = items.filter(passes).collect();
        let end = (start + size).min(items.len());
        let next = match self.asked.twist {
            Some(Twist::Endless) if end >= items.len() => Some(start + 1_000_000 * usize::from(items.is_empty())),
            Some(Twist::Repeat) => Some(start),
            Some(Twist::Lose) => (end + size < items.len()).then_some(end + size),
            _ => (end < items.len()).then_some(end),
        };
        let mut body = json!({"value": items.get(start..end).unwrap_or_default()});
        if let Some(next) = next {
            body["nextLink"] = self.link(next).into();
        }
        Ok(Reply::ok(body))
    }

    /// What the properties in a `$filter` are properties of: role definitions are known by what is inside, resources have a
    /// `resourceType`.
    fn subject(&self, item: &Value) -> Value {
        match &self.path {
            path if path.ends_with("/roledefinitions") => item["properties"].clone(),
            path if path.ends_with("/resources") => {
                json!({"resourceType": item["type"], "name": item["name"], "location": item["location"]})
            }
            _ => item.clone(),
        }
    }

    /// Functions of `$filter` on role assignments.
    fn call(&self, name: &str, argument: Option<&str>, item: &Value) -> bool {
        let scope = item["properties"]["scope"].as_str().unwrap_or_default().to_lowercase();
        let here = self.path.split("/providers/microsoft.authorization").next().unwrap_or_default();
        match (name, argument) {
            ("atScope", None) => scope == here || scope == "/" || here.starts_with(&format!("{scope}/")),
            ("assignedTo", Some(principal)) => item["properties"]["principalId"] == principal,
            _ => false,
        }
    }

    fn link(&self, next: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(url::form_urlencoded::parse(self.asked.query.as_bytes()).filter(|(name, _)| name != "$skiptoken"));
        query.append_pair("$skiptoken", &b64(format!("arm~{next}")));
        format!("{}{}?{}", self.asked.base, self.asked.path, query.finish())
    }
}

fn read_token(token: &str) -> Option<usize> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?.strip_prefix("arm~")?.parse().ok()
}

/// One object; with `$status`, the error a scenario says instead.
fn single(value: Value) -> Reply {
    match value["$status"].as_u64() {
        Some(status) => Reply::json(status as u16, json!({"error": value["error"]})),
        None => Reply::ok(value),
    }
}
