//! What anybody sees without a credential: the open routes, their bytes, and the headers every answer carries.

use crate::stage::Stage;
use bailiwick_contract::{Guard, OPEN_ROUTES, operations};
use bailiwick_testkit::{Actor, Answer, World, sim};
use reqwest::Method;
use serde_json::json;
use std::fmt::Write;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/product/open.golden.txt");

/// Method, path and reason of every route that answers without a credential.
fn open_routes() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut routes: Vec<_> = OPEN_ROUTES.iter().map(|route| (route.method.as_str(), route.path, route.reason)).collect();
    for op in operations() {
        if let Guard::Open(reason) = op.guard {
            routes.push((op.method.as_str(), op.path, reason));
        }
    }
    routes
}

fn requested(path: &str) -> String {
    path.replace("{*path}", "findings")
}

/// The answer's text with what differs from one start to the next left out.
fn steady(answer: &Answer) -> String {
    let text = String::from_utf8(answer.bytes.clone()).unwrap().replace(&sim().address().port().to_string(), "PORT");
    let id = answer.json()["request_id"].as_str().map(str::to_owned);
    id.map_or(text.clone(), |id| text.replace(&id, "REQUEST"))
}

async fn asked(actor: &Actor, method: &str, path: &str) -> Answer {
    actor.send(actor.request(method.parse().unwrap(), &requested(path))).await
}

/// Every byte that is told to strangers stands in one file, with the reason it may.
#[tokio::test]
async fn i73_strangers_are_told_exactly_these_bytes() {
    let world = World::new().await;
    let stranger = world.contoso.anonymous();
    let mut told = String::from(
        "# What anybody is told without a credential. Made by `BAILIWICK_UPDATE_GOLDEN=1 cargo test -p bailiwick-tests open`.\n",
    );
    for (method, path, reason) in open_routes() {
        assert!(reason.len() > 20, "{path} gives no reason");
        let answer = asked(&stranger, method, path).await;
        let body = if path == "/api/openapi.json" { "(docs/reference/openapi.json)\n".into() } else { steady(&answer) };
        let _ = writeln!(
            told,
            "\n## {method} {path}\n{reason}\n{} {}\n{}",
            answer.status,
            answer.headers["content-type"].to_str().unwrap(),
            body.trim_end()
        );
    }
    if std::env::var_os("BAILIWICK_UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &told).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert_eq!(golden, told, "strangers are told something else: if that is meant, run again with BAILIWICK_UPDATE_GOLDEN=1 and commit it");
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/openapi.json")).unwrap();
    assert!(
        stranger.get("/api/openapi.json").await.bytes == document.as_bytes(),
        "the description is not the committed one: run `cargo xtask gen`"
    );
}

/// Nothing that happens inside a tenant changes a byte of it, and a valid credential is told no more.
#[tokio::test]
async fn i73_what_strangers_are_told_does_not_depend_on_any_tenant() {
    let stage = Stage::new().await;
    let (stranger, owner) = (stage.contoso().anonymous(), stage.contoso().owner());
    let mut before = Vec::new();
    for (method, path, _) in open_routes() {
        before.push(steady(&asked(&stranger, method, path).await));
    }
    owner.patch("/api/v1/settings", json!({"name": "Codename Heron"})).await.ok();
    stage.contoso().project("Codename Egret").await;
    for ((method, path, _), before) in open_routes().into_iter().zip(before) {
        for actor in [&stranger, &owner, &stage.project_key] {
            assert_eq!(steady(&asked(actor, method, path).await), before, "{path} as {}", actor.name);
        }
    }
}

/// No other address answers a stranger with anything but a refusal.
#[tokio::test]
async fn i1_every_other_address_refuses_strangers() {
    let world = World::new().await;
    let stranger = world.contoso.anonymous();
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/tenants",
        "/api/v2/runs",
        "/api/v1/runs/",
        "/api/v1//runs",
        "/api/internal",
        "/api/v1/runs/../config",
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"] {
            let answer = stranger.send(stranger.request(method.parse().unwrap(), path)).await;
            let portal = method == "GET" || method == "HEAD";
            let shell = portal && answer.headers.get("content-type").is_some_and(|t| t == "text/html; charset=utf-8");
            let config = path.ends_with("/../config");
            assert!(
                answer.status >= 400 || shell || config,
                "{method} {path}: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.bytes)
            );
        }
    }
    assert_eq!(stranger.get("/metrics").await.headers["content-type"], "text/html; charset=utf-8", "metrics have a listener of their own");
    assert!(stranger.get("/metrics").await.bytes.starts_with(b"<!doctype html>"));
}

/// A credential counts in its header and nowhere else: links that carry one do not work, so none can be leaked by a log or a referrer.
#[tokio::test]
async fn i36_a_credential_in_an_address_or_a_cookie_is_none() {
    let stage = Stage::new().await;
    let key = stage.contoso().key(None).await;
    let bailiwick_testkit::actor::Credential::Key(text) = &key.credential else { unreachable!() };
    let stranger = stage.contoso().anonymous();
    let path = format!("/api/v1/runs/{}", stage.runs[1]);
    key.get(&path).await.ok();
    for name in ["api_key", "x-api-key", "access_token", "token", "key", "sig"] {
        let request = stranger.request(Method::GET, &path).query(&[(name, text)]);
        assert_eq!(stranger.send(request).await.refused(401), "not_signed_in", "{name}");
        let request = stranger.request(Method::GET, &path).header("cookie", format!("{name}={text}"));
        assert_eq!(stranger.send(request).await.refused(401), "not_signed_in", "{name}");
    }
    let both = key.request(Method::GET, &path).bearer_auth(text);
    assert_eq!(key.send(both).await.refused(401), "not_signed_in");
}

/// No answer of any operation or open route names another origin as welcome, asked for or not.
#[tokio::test]
async fn i57_no_answer_ever_lets_another_origin_in() {
    let stage = Stage::new().await;
    let owner = stage.contoso().owner();
    let mut asked = Vec::new();
    for op in operations() {
        let prepared = stage.prepare(op).await;
        asked.push((prepared.method, prepared.path));
    }
    asked.extend(OPEN_ROUTES.iter().map(|route| (Method::GET, requested(route.path))));
    for (method, path) in asked {
        for origin in ["https://evil.example", "null", "http://localhost:8480"] {
            let preflight =
                owner.request(Method::OPTIONS, &path).header("origin", origin).header("access-control-request-method", method.as_str());
            let real = owner.request(method.clone(), &path).header("origin", origin);
            for answer in [owner.send(preflight.header("access-control-request-headers", "authorization")).await, owner.send(real).await] {
                let welcoming: Vec<_> = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-")).collect();
                assert!(welcoming.is_empty(), "{}: {welcoming:?}", answer.what);
            }
        }
    }
}

/// Every answer, good or bad, carries the headers that keep a browser from misreading or embedding it.
#[tokio::test]
async fn i57_every_answer_carries_the_security_headers() {
    let stage = Stage::new().await;
    let (owner, stranger) = (stage.contoso().owner(), stage.contoso().anonymous());
    let artifact = format!("/api/v1/runs/{}/artifacts/{}", stage.runs[1], crate::stage::REPORT);
    let mut answers = Vec::new();
    for path in
        ["/", "/healthz", "/readyz", "/api/openapi.json", "/api/v1/config", "/api/v1/me", "/api/nothing", "/missing.js", artifact.as_str()]
    {
        answers.extend([owner.get(path).await, stranger.get(path).await, owner.delete(path).await]);
    }
    for answer in answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers.get(name).map(|v| v.to_str().unwrap()), Some(value), "{} {}: {name}", answer.what, answer.status);
        }
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{}: {policy}", answer.what);
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("server"), "{}", answer.what);
        if answer.what.contains("/api/v1/") {
            assert_eq!(answer.headers["cache-control"], "no-store", "{}", answer.what);
        }
    }
}

/// People sign in as users of a public client: there is no client secret to steal, in the configuration or anywhere else.
#[tokio::test]
async fn i5_no_client_secret_exists_for_signing_in() {
    let world = World::new().await;
    let config = world.contoso.anonymous().get("/api/v1/config").await.ok();
    for sign_in in config["sign_in"].as_array().unwrap() {
        let members: Vec<&String> = sign_in.as_object().unwrap().keys().collect();
        assert_eq!(members, ["label", "authority", "known_authority", "client_id", "scope"]);
    }
    let reference = bailiwick_server::config::DEFAULT.to_lowercase();
    for word in ["client_secret", "clientsecret", "client secret", "password ="] {
        assert!(!reference.contains(word), "the configuration knows a {word}");
    }
}

/// The portal asks for one delegated scope: Bailiwick's own.
#[tokio::test]
async fn i6_the_portal_asks_for_no_scope_but_its_own() {
    let world = World::new().await;
    let config = world.contoso.anonymous().get("/api/v1/config").await.ok();
    assert_eq!(config["sign_in"].as_array().unwrap().len(), 2);
    for sign_in in config["sign_in"].as_array().unwrap() {
        assert_eq!(sign_in["scope"], format!("{}/{}", bailiwick_sim::demo::API_URI, bailiwick_sim::demo::API_SCOPE));
    }
}
