//! The simulator's own controls under `/_sim/`, answered only under its own loopback names: faults, the call log, key
//! rotation, tokens by request, consents, knobs, the clock, what is kept, mail that was sent, the test authority. A program in another process does with it what a Rust test does
//! with the handle.

use crate::{
    cloud::lock,
    config::{CiJob, Platform},
    faults::Fault,
    issuers,
    keys::SigningKey,
    knobs::Knobs,
    minting,
    site::Site,
};
use axum::{
    Json, Router,
    extract::{Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{StatusCode, header};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
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
        .route("/_sim/consents", post(consent).delete(withdraw))
        .route("/_sim/azure-readers", post(azure_reader))
        .route("/_sim/azure-roles", post(azure_role))
        .route("/_sim/revocations", post(revoke))
        .route("/_sim/value", get(value))
        .route("/_sim/changes", post(change).delete(restore))
        .route("/_sim/clock", get(clock).post(advance))
        .route(
            "/_sim/outbox",
            get(|State(site): State<Site>| async move { Json(site.cloud.outbox.all()) })
                .delete(|State(site): State<Site>| async move { site.cloud.outbox.clear() }),
        )
        .route("/_sim/knobs", get(|State(site): State<Site>| async move { Json(lock(&site.cloud.knobs).clone()) }).put(set_knobs))
        .route("/_sim/dns", get(|State(site): State<Site>| async move { Json(site.cloud.dns()) }))
}

/// An application in a directory.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    directory: Uuid,
    client_id: Uuid,
    /// Graph permissions, in place of all that the registration asks for.
    #[serde(default)]
    permissions: Option<Vec<String>>,
    /// Reader on the directory's subscriptions, or no role.
    #[serde(default)]
    reader: bool,
}

async fn consent(State(site): State<Site>, Json(asked): Json<Where>) -> Response {
    let known = match &asked.permissions {
        None => site.cloud.consent(asked.directory, asked.client_id),
        Some(permissions) => {
            let permissions: Vec<&str> = permissions.iter().map(String::as_str).collect();
            site.cloud.consent_to(asked.directory, asked.client_id, &permissions).is_ok()
        }
    };
    done(known, "there is no such directory or no such registration\n")
}

async fn withdraw(State(site): State<Site>, Json(asked): Json<Where>) -> Response {
    done(site.cloud.consents.withdraw(asked.directory, asked.client_id), "there was no consent\n")
}

async fn azure_reader(State(site): State<Site>, Json(asked): Json<Where>) -> StatusCode {
    site.cloud.azure_roles.set(asked.directory, asked.client_id, asked.reader);
    StatusCode::NO_CONTENT
}

/// A built-in role of Azure, by its name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleGrant {
    directory: Uuid,
    client_id: Uuid,
    role: String,
}

async fn azure_role(State(site): State<Site>, Json(asked): Json<RoleGrant>) -> Response {
    said(site.cloud.azure_roles.grant(asked.directory, asked.client_id, &asked.role))
}

/// A place in a directory.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    directory: Uuid,
    path: String,
}

/// What is kept there, also if reads do not show it yet.
async fn value(State(site): State<Site>, Query(at): Query<At>) -> Json<Value> {
    Json(site.cloud.value(at.directory, &at.path))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    directory: Uuid,
    path: String,
    members: Value,
}

/// Somebody else changes an object.
async fn change(State(site): State<Site>, Json(asked): Json<Change>) -> Response {
    said(site.cloud.change(asked.directory, &asked.path, asked.members))
}

/// Undoes everything written to a directory.
async fn restore(State(site): State<Site>, Json(asked): Json<Revocation>) -> StatusCode {
    site.cloud.restore(asked.directory);
    StatusCode::NO_CONTENT
}

async fn clock(State(site): State<Site>) -> Json<Value> {
    Json(json!({"now": site.cloud.now()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u32,
}

async fn advance(State(site): State<Site>, Json(asked): Json<Advance>) -> Json<Value> {
    site.cloud.clock.advance(SignedDuration::from_millis(asked.advance_ms.into()));
    clock(State(site)).await
}

fn said(result: anyhow::Result<()>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => (StatusCode::NOT_FOUND, format!("{problem:#}\n")).into_response(),
    }
}

/// Ends every token of a directory.
async fn revoke(State(site): State<Site>, Json(asked): Json<Revocation>) -> StatusCode {
    site.cloud.revoke_tokens(asked.directory);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    directory: Uuid,
}

/// All knobs at once; those absent go back to their default.
async fn set_knobs(State(site): State<Site>, Json(knobs): Json<Knobs>) -> StatusCode {
    *lock(&site.cloud.knobs) = knobs;
    StatusCode::NO_CONTENT
}

fn done(known: bool, otherwise: &'static str) -> Response {
    if known { StatusCode::NO_CONTENT.into_response() } else { (StatusCode::NOT_FOUND, otherwise).into_response() }
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
    claims: serde_json::Map<String, Value>,
}

async fn ci_token(State(site): State<Site>, Json(request): Json<CiTokenRequest>) -> Response {
    let job = CiJob { platform: request.platform, request_token: String::new(), subject: request.subject, claims: request.claims };
    match issuers::mint(&site.cloud, &site.realm, &job, &request.audience) {
        Ok(token) => Json(json!({"token": token})).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
