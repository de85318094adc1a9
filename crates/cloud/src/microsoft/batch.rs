//! Graph's `$batch`: twenty reads in one request (Microsoft Graph, "Combine multiple HTTP requests using JSON batching").
//!
//! Stays true: every item of a batch is a GET; what a batch does not answer properly is asked alone, never guessed.

use super::{Ask, Reply, retryable};
use crate::egress::read_retry_after;
use bailiwick_base::Timestamp;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::{collections::HashMap, time::Duration};

/// The most requests one batch takes.
pub(super) const MOST: usize = 20;

/// The body that asks for these, numbered by their place.
pub(super) fn question<'a>(asks: impl IntoIterator<Item = (&'a Ask, &'a str)>) -> Bytes {
    let requests = asks.into_iter().enumerate().map(|(place, (ask, url))| {
        let mut request = json!({"id": place.to_string(), "method": "GET", "url": url});
        if ask.eventual {
            request["headers"] = json!({"ConsistencyLevel": "eventual"});
        }
        request
    });
    let requests: Vec<Value> = requests.collect();
    Bytes::from(json!({"requests": requests}).to_string())
}

#[derive(Deserialize)]
struct Responses<'b> {
    #[serde(borrow)]
    responses: Vec<Item<'b>>,
}

#[derive(Deserialize)]
struct Item<'b> {
    id: String,
    status: u16,
    #[serde(default)]
    headers: HashMap<String, Value>,
    #[serde(borrow, default)]
    body: Option<&'b RawValue>,
}

impl Item<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()
    }

    /// The body as the service itself would have sent it; nothing when it cannot be told.
    fn body(&self, whole: &Bytes) -> Option<Bytes> {
        let Some(raw) = self.body else { return Some(Bytes::new()) };
        let json = self.header("content-type").is_none_or(|kind| kind.to_ascii_lowercase().contains("json"));
        if json || !raw.get().starts_with('"') {
            return Some(whole.slice_ref(raw.get().as_bytes()));
        }
        let text: String = serde_json::from_str(raw.get()).ok()?;
        BASE64_STANDARD.decode(text).ok().map(Bytes::from)
    }
}

/// What came of one item.
pub(super) enum Answered {
    Done(Reply),
    /// To be asked alone, after this time if the answer named one.
    Again {
        throttled: bool,
        after: Option<Duration>,
    },
}

/// Sorts the answers to their places; what is missing, unreadable, throttled, failed or refused for its token is for
/// asking alone. A wait longer than `longest` is not waited for: its answer is handed back.
pub(super) fn answers(reply: &Reply, count: usize, now: Timestamp, longest: Duration) -> Vec<Answered> {
    let mut places: Vec<Option<Answered>> = (0..count).map(|_| None).collect();
    let items = serde_json::from_slice(&reply.body).map(|read: Responses<'_>| read.responses).unwrap_or_default();
    for item in items {
        let place = item.id.parse::<usize>().ok().and_then(|place| places.get_mut(place));
        if let Some(empty @ None) = place {
            *empty = Some(answered(reply, &item, now, longest));
        }
    }
    let missing = || Answered::Again { throttled: false, after: None };
    places.into_iter().map(|place| place.unwrap_or_else(missing)).collect()
}

fn answered(reply: &Reply, item: &Item<'_>, now: Timestamp, longest: Duration) -> Answered {
    let after = item.header("retry-after").and_then(|text| read_retry_after(text, now));
    let settled = (200..600).contains(&item.status) && item.status != 401 && !retryable(item.status);
    let too_long = item.status == 429 && after.is_some_and(|after| after > longest);
    match item.body(&reply.body) {
        Some(body) if settled || too_long => {
            let request_id = item.header("request-id").and_then(super::clean_id).or_else(|| reply.request_id.clone());
            Answered::Done(Reply { status: item.status, retry_after: after, body, request_id, ..reply.clone() })
        }
        _ => Answered::Again { throttled: item.status == 429, after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Value, count: usize) -> Vec<Answered> {
        let reply =
            Reply { status: 200, retry_after: None, tries: 1, waited: Default::default(), request_id: None, body: body.to_string().into() };
        answers(&reply, count, "2026-11-22T08:00:00Z".parse().unwrap(), Duration::from_secs(300))
    }

    #[test]
    fn answers_find_their_places_in_any_order_and_in_either_form() {
        let read = read(
            json!({"responses": [
                {"id": "2", "status": 404, "headers": {}, "body": {"error": {"code": "ResourceNotFound"}}},
                {"id": "0", "status": 200, "headers": {"Content-Type": "application/json"}, "body": {"value": [1.10]}},
                {"id": "1", "status": 200, "headers": {"content-type": "text/plain"}, "body": "MTI="},
                {"id": "0", "status": 200, "body": {"value": "a second answer to the first"}},
                {"id": "9", "status": 200, "body": {}},
                {"id": "3", "status": 204},
            ]}),
            4,
        );
        let seen: Vec<_> = read
            .iter()
            .map(|answer| match answer {
                Answered::Done(reply) => (reply.status, std::str::from_utf8(&reply.body).unwrap()),
                Answered::Again { .. } => panic!("asked again"),
            })
            .collect();
        assert_eq!(seen, [(200, r#"{"value":[1.1]}"#), (200, "12"), (404, r#"{"error":{"code":"ResourceNotFound"}}"#), (204, "")]);
    }

    #[test]
    fn what_is_not_answered_properly_is_asked_alone() {
        let read = read(
            json!({"responses": [
                {"id": "0", "status": 429, "headers": {"retry-after": "7"}},
                {"id": "1", "status": 503, "body": {}},
                {"id": "2", "status": 401, "body": {}},
                {"id": "3", "status": 200, "headers": {"Content-Type": "text/plain"}, "body": "not base64!"},
            ]}),
            5,
        );
        let again: Vec<_> = read
            .iter()
            .map(|answer| match answer {
                Answered::Again { throttled, after } => (*throttled, after.map(|after| after.as_secs())),
                Answered::Done(_) => panic!("taken as answered"),
            })
            .collect();
        assert_eq!(again, [(true, Some(7)), (false, None), (false, None), (false, None), (false, None)]);
        for body in [json!([]), json!({"responses": {}}), json!({"responses": [{"id": 0, "status": 200}]}), json!("no")] {
            let reply = Reply {
                status: 200,
                retry_after: None,
                tries: 1,
                waited: Default::default(),
                request_id: None,
                body: body.to_string().into(),
            };
            let read = answers(&reply, 2, "2026-11-22T08:00:00Z".parse().unwrap(), Duration::from_secs(300));
            assert!(read.iter().all(|answer| matches!(answer, Answered::Again { .. })), "{body}");
        }
    }
}
