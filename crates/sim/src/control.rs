//! The simulator's own controls under `/_sim/`, answered only under its own loopback names: faults, the call log, key
//! rotation, tokens by request, the test authority. A program in another process does with it what a Rust test does
//! with the handle.

use crate::{
    config::{CiJob, Platform},
    faults::Fault,
    issuers,
    keys::SigningKey,
    minting,
    site::Site,
};
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

pub fn routes() -> Router<Site> {
    Router::new()
        .route("/_sim/health", get(|| async { Json(json!({"ready": true})) }))
        .route("/_sim/ca.pem", get(|State(site): State<Site>| async move { site.cloud.ca_pem.clone() }))
        .route("/_sim/calls", get(calls).delete(|State(site): State<Site>| async move { site.cloud.calls.clear() }))
        .route(
            "/_sim/faults",
            get(|State(site): State<Site>| async move { Json(site.cloud.faults.all()) }).post(add_faults).delete(clear_faults),
        )
        .route("/_sim/keys/{step}", post(keys))
        .route("/_sim/tokens", post(token))
        .route("/_sim/ci-tokens", post(ci_token))
}

async fn calls(State(site): State<Site>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-ndjson")], site.cloud.calls.json_lines()).into_response()
}

async fn add_faults(State(site): State<Site>, Json(faults): Json<Vec<Fault>>) -> StatusCode {
    site.cloud.faults.add(faults);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(site): State<Site>) -> StatusCode {
    site.cloud.faults.clear();
    StatusCode::NO_CONTENT
}

/// `publish`, `sign`, `drop`, or `rotate` for all three.
async fn keys(State(site): State<Site>, axum::extract::Path(step): axum::extract::Path<String>) -> Response {
    if matches!(step.as_str(), "publish" | "rotate") {
        match SigningKey::generate("accounts.accesscontrol.windows.net") {
            Ok(key) => site.cloud.ring().publish(key),
            Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
    let mut ring = site.cloud.ring();
    match step.as_str() {
        "publish" => {}
        "sign" => ring.sign_with_newest(),
        "drop" => ring.drop_oldest(),
        "rotate" => {
            ring.sign_with_newest();
            ring.drop_oldest();
        }
        _ => return (StatusCode::NOT_FOUND, "steps are publish, sign, drop and rotate\n").into_response(),
    }
    let kids: Vec<&str> = ring.published().map(|key| key.kid.as_str()).collect();
    Json(json!({"published": kids, "signing": ring.signing().kid})).into_response()
}

/// A user's or an application's token for an API, without a sign-in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    directory: Uuid,
    /// Object id of the user; absent for an app-only token.
    #[serde(default)]
    user: Option<Uuid>,
    client_id: Uuid,
    /// App ID URI or client id.
    api: String,
}

async fn token(State(site): State<Site>, Json(request): Json<TokenRequest>) -> Response {
    let made = match request.user {
        Some(user) => minting::user_token(&site.cloud, &site.realm, request.directory, request.client_id, user, &request.api),
        None => minting::app_token(&site.cloud, &site.realm, request.directory, request.client_id, &request.api),
    };
    match made {
        Ok(token) => Json(json!({"access_token": token, "token_type": "Bearer"})).into_response(),
        Err(error) => (StatusCode::NOT_FOUND, format!("{error:#}\n")).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CiTokenRequest {
    platform: Platform,
    subject: String,
    audience: String,
    #[serde(default)]
    claims: serde_json::Map<String, serde_json::Value>,
}

async fn ci_token(State(site): State<Site>, Json(request): Json<CiTokenRequest>) -> Response {
    let job = CiJob { platform: request.platform, request_token: String::new(), subject: request.subject, claims: request.claims };
    match issuers::mint(&site.cloud, &site.realm, &job, &request.audience) {
        Ok(token) => Json(json!({"token": token})).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
