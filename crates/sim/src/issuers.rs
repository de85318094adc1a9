//! OIDC issuers of CI platforms: GitHub Actions, Azure DevOps and a Kubernetes cluster, with discovery, keys and the
//! addresses at which a job asks for its token. They are not Entra: their tokens have their own issuer and keys.

use crate::{
    cloud::{Cloud, lock},
    config::{CiJob, Platform},
    entra::{error::seconds, response::open},
    jwt,
    realm::Realm,
    site::{Params, Site},
};
use anyhow::Result;
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

/// Under the simulator's own name every issuer has a path.
pub fn own_routes() -> Router<Site> {
    Router::new()
        .route("/_issuers/{platform}/.well-known/openid-configuration", get(discovery))
        .route("/_issuers/{platform}/.well-known/jwks", get(keys))
        .route("/_issuers/github/token", get(github_token))
        .route("/_issuers/azure-devops/oidctoken", post(azure_devops_token))
}

/// Under GitHub's name its issuer is the whole host.
pub fn github_routes() -> Router<Site> {
    Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(|State(site): State<Site>| async move { Json(document(&issuer(&site.realm, &site.cloud, Platform::Github))) }),
        )
        .route("/.well-known/jwks", get(|State(site): State<Site>| async move { key_set(&site, Platform::Github) }))
        .route("/token", get(github_token))
}

fn platform(name: &str) -> Option<Platform> {
    match name {
        "github" => Some(Platform::Github),
        "azure-devops" => Some(Platform::AzureDevops),
        "kubernetes" => Some(Platform::Kubernetes),
        _ => None,
    }
}

/// `iss` of a platform. Only GitHub has a fixed name of its own; the others belong to an organisation or cluster.
pub fn issuer(realm: &Realm, cloud: &Cloud, platform: Platform) -> String {
    let own = if realm.is_own() { realm.clone() } else { cloud.own_realm() };
    match platform {
        Platform::Github if !realm.is_own() => "https://token.actions.githubusercontent.com".to_owned(),
        Platform::Github => format!("{}/_issuers/github", own.base()),
        Platform::AzureDevops => format!("{}/_issuers/azure-devops", own.base()),
        Platform::Kubernetes => format!("{}/_issuers/kubernetes", own.base()),
    }
}

/// The platform whose issuer this is, by any of its names.
pub fn platform_of(cloud: &Cloud, iss: &str) -> Option<Platform> {
    let realms = [Realm::microsoft(), cloud.own_realm(), Realm::own(&cloud.own_authority.replace("localhost", "127.0.0.1"))];
    [Platform::Github, Platform::AzureDevops, Platform::Kubernetes]
        .into_iter()
        .find(|p| realms.iter().any(|realm| issuer(realm, cloud, *p) == iss))
}

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks"),
        "subject_types_supported": ["public", "pairwise"],
        "response_types_supported": ["id_token"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
        "claims_supported": ["sub", "aud", "exp", "iat", "iss", "jti", "nbf"],
    })
}

async fn discovery(State(site): State<Site>, Path(name): Path<String>) -> Response {
    open(match platform(&name) {
        Some(platform) => Json(document(&issuer(&site.realm, &site.cloud, platform))).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn keys(State(site): State<Site>, Path(name): Path<String>) -> Response {
    open(platform(&name).map_or_else(|| StatusCode::NOT_FOUND.into_response(), |platform| key_set(&site, platform)))
}

fn key_set(site: &Site, platform: Platform) -> Response {
    match site.cloud.platform_key(platform) {
        Ok(key) => {
            let mut jwk = key.jwk();
            jwk["alg"] = "RS256".into();
            Json(json!({"keys": [jwk]})).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A platform's token for a subject: five minutes, as GitHub's.
pub fn mint(cloud: &Cloud, realm: &Realm, job: &CiJob, audience: &str) -> Result<String> {
    let now = seconds(cloud.now());
    let mut claims = Value::Object(job.claims.clone());
    let fixed = json!({
        "iss": issuer(realm, cloud, job.platform), "aud": audience, "sub": job.subject,
        "iat": now, "nbf": now - 60, "exp": now + 300, "jti": cloud.uuid(),
    });
    if let (Some(claims), Value::Object(fixed)) = (claims.as_object_mut(), fixed) {
        claims.extend(fixed);
    }
    let key = cloud.platform_key(job.platform)?;
    // As GitHub writes it, beside the kid.
    let header = if job.platform == Platform::Github { json!({"x5t": key.x5t()}) } else { json!({}) };
    jwt::rs256(key, header, &claims)
}

/// The running job whose request token this is.
fn job(site: &Site, platform: Platform, headers: &HeaderMap) -> Option<CiJob> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    let jobs = lock(&site.cloud.ci_jobs);
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| jobs.iter().find(|job| job.platform == platform && job.request_token == token.trim()).cloned())
        .flatten()
}

/// `GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=…`; the default audience is the owner's page.
async fn github_token(State(site): State<Site>, Query(query): Query<Params>, headers: HeaderMap) -> Response {
    let Some(job) = job(&site, Platform::Github, &headers) else {
        return (StatusCode::UNAUTHORIZED, Json(json!({"message": "Invalid request token"}))).into_response();
    };
    let owner = job.claims.get("repository_owner").and_then(Value::as_str).unwrap_or("nobody");
    let audience = query.get("audience").cloned().unwrap_or_else(|| format!("https://github.com/{owner}"));
    match mint(&site.cloud, &site.realm, &job, &audience) {
        Ok(token) => Json(json!({"count": token.len(), "value": token})).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// `POST $SYSTEM_OIDCREQUESTURI?api-version=7.1`; the audience is always Entra's exchange.
async fn azure_devops_token(State(site): State<Site>, headers: HeaderMap) -> Response {
    let Some(job) = job(&site, Platform::AzureDevops, &headers) else {
        return (StatusCode::UNAUTHORIZED, Json(json!({"message": "TF400813: The user is not authorized to access this resource."})))
            .into_response();
    };
    match mint(&site.cloud, &site.realm, &job, crate::demo::EXCHANGE_AUDIENCE) {
        Ok(token) => Json(json!({"oidcToken": token})).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
