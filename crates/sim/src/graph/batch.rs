//! `POST /$batch`: up to twenty requests in one, each judged, limited and logged by itself.

use super::{Asked, Request, error::Error};
use crate::{
    calls::{Call, write_digest},
    faults::{FaultAction, Target},
    reply::{Payload, Reply},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The most requests of one batch.
const MOST: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Answers a batch.
///
/// # Errors
/// 400 when the batch itself is malformed; what goes wrong with an item is said in the item.
pub fn answer(request: &Request<'_>) -> Result<Reply, Error> {
    if request.asked.method != "POST" {
        return Err(Error::method());
    }
    let batch: Batch = serde_json::from_slice(request.asked.body)
        .map_err(|error| Error::bad_request(format!("Unable to read JSON request payload: {error}")))?;
    check(&batch)?;
    let mut statuses: HashMap<String, u16> = HashMap::new();
    let mut responses = Vec::new();
    for item in &batch.requests {
        let failed = |id: &String| statuses.get(&id.to_lowercase()).is_none_or(|status| *status >= 400);
        let reply = match item.depends_on.iter().any(failed) {
            true => Error::new(424, "FailedDependency", "A request this one depends on failed.").reply(request.cloud, None),
            false => run(request, item),
        };
        statuses.insert(item.id.to_lowercase(), reply.status);
        responses.push(response(&item.id, reply));
    }
    Ok(Reply::ok(json!({"responses": responses})))
}

fn check(batch: &Batch) -> Result<(), Error> {
    let bad = |text: String| Err(Error::bad_request(text));
    if batch.requests.len() > MOST {
        return bad(format!("Number of batch request steps exceeds the maximum value of {MOST}."));
    }
    if batch.requests.is_empty() {
        return bad("A batch needs at least one request.".to_owned());
    }
    let mut seen: Vec<String> = Vec::new();
    for item in &batch.requests {
        let id = item.id.to_lowercase();
        if id.is_empty() || seen.contains(&id) {
            return bad(format!("Invalid batch payload: the id '{}' is empty or not unique.", item.id));
        }
        if let Some(unknown) = item.depends_on.iter().find(|id| !seen.contains(&id.to_lowercase())) {
            return bad(format!("Invalid batch payload: '{}' depends on '{unknown}', which does not come before it.", item.id));
        }
        if item.url.contains("://") {
            return bad(format!("Invalid batch payload: the url of '{}' is not relative.", item.id));
        }
        if item.body.is_some() && !item.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
            return bad(format!("Invalid batch payload: '{}' has a body and no Content-Type.", item.id));
        }
        seen.push(id);
    }
    Ok(())
}

/// One item, as if it had come by itself: with the batch's token, its own headers, faults and line in the log.
fn run(request: &Request<'_>, item: &Item) -> Reply {
    let at = request.cloud.now();
    let (path, query) = item.url.split_once('?').unwrap_or((&item.url, ""));
    let path = format!("/{}/{}", request.version, path.trim_start_matches('/'));
    let decoded = percent_encoding::percent_decode_str(query).decode_utf8_lossy().into_owned();
    let body = item.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let body_sha256 = write_digest(&item.method, &path, &body);
    let target = Target { host: request.asked.host, method: &item.method, path: &path, query: &decoded, write: body_sha256.is_some() };
    let fault = request.cloud.faults.hit(target);
    let headers = headers(request, item);
    let asked = Asked {
        method: &item.method,
        path: &path,
        query,
        headers: &headers,
        body: &body,
        twist: fault.as_ref().and_then(FaultAction::twist),
        forget: matches!(fault, Some(FaultAction::Forget { .. })),
        ..*request.asked
    };
    let reply = match fault {
        Some(FaultAction::Answer { status, retry_after, body }) => refused(status, retry_after, body),
        Some(FaultAction::Drop { .. }) => cut_off(request),
        Some(FaultAction::DropAfter { .. }) => {
            super::answer(request.cloud, &asked);
            cut_off(request)
        }
        Some(FaultAction::Malformed { .. }) => Reply::text("{\"value\":[{\"id\":".to_owned()),
        _ => super::answer(request.cloud, &asked),
    };
    request.cloud.calls.add(Call {
        at,
        host: request.asked.host.to_owned(),
        method: item.method.clone(),
        path,
        status: reply.status,
        directory: Some(request.directory.id),
        client_id: Some(request.caller.client.to_string()),
        query: Some(decoded),
        in_batch: true,
        body_sha256,
    });
    reply
}

/// What a batch says of an item whose connection was closed.
fn cut_off(request: &Request<'_>) -> Reply {
    Error::new(504, "UnknownError", "").reply(request.cloud, None)
}

fn headers(request: &Request<'_>, item: &Item) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(token) = request.asked.headers.get(http::header::AUTHORIZATION) {
        headers.insert(http::header::AUTHORIZATION, token.clone());
    }
    for (name, value) in &item.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

fn refused(status: u16, retry_after: Option<u32>, body: Option<String>) -> Reply {
    let body =
        body.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| json!({"error": {"code": "UnknownError", "message": ""}}));
    let reply = Reply::json(status, body);
    match retry_after {
        Some(seconds) => reply.with("retry-after", seconds.to_string()),
        None => reply,
    }
}

/// A body that is not JSON travels as base64.
fn response(id: &str, reply: Reply) -> Value {
    let mut headers: Map<String, Value> = reply.headers.iter().map(|(name, value)| (title(name), Value::from(value.as_str()))).collect();
    let body = match reply.body {
        Payload::Json(body) => {
            headers.insert("Content-Type".to_owned(), "application/json".into());
            body
        }
        Payload::Text(text) => {
            headers.insert("Content-Type".to_owned(), "text/plain".into());
            STANDARD.encode(text).into()
        }
        Payload::Nothing => Value::Null,
    };
    json!({"id": id, "status": reply.status, "headers": headers, "body": body})
}

/// `retry-after` as `Retry-After`, as Graph writes the headers of items.
fn title(name: &str) -> String {
    let words = name.split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]);
    words.collect::<Vec<_>>().join("-")
}
