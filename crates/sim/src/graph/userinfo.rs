//! The one address of Microsoft Graph that sign-in needs: userinfo. Graph reads its own tokens; nobody else can.

use crate::{cloud::Cloud, config::User, jwt::Parsed, site::Site};
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

pub fn routes() -> Router<Site> {
    Router::new().route("/oidc/userinfo", get(userinfo).post(userinfo))
}

async fn userinfo(State(site): State<Site>, headers: HeaderMap) -> Response {
    match bearer(&headers).and_then(|token| reader(&site.cloud, token)) {
        Some((user, sub)) => {
            let (given, family) = user.name.split_once(' ').unwrap_or((&user.name, ""));
            Json(json!({"sub": sub, "name": user.name, "given_name": given, "family_name": family, "email": user.upn, "picture": "https://graph.microsoft.com/v1.0/me/photo/$value"})).into_response()
        }
        None => (
            StatusCode::UNAUTHORIZED,
            Json(json!({"error": {"code": "InvalidAuthenticationToken", "message": "Access token validation failure."}})),
        )
            .into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The user of a Graph token. Graph hashes the header's nonce before it checks; here the claims of our own token suffice
/// once its signature has been checked that way.
fn reader<'a>(cloud: &'a Cloud, token: &str) -> Option<(&'a User, String)> {
    let parsed = Parsed::read(&crate::entra::mint::reveal(token)?)?;
    let kid = parsed.header_text("kid")?;
    let public = cloud.ring().published().find(|key| key.kid == kid)?.public_der()?;
    let (oid, exp): (uuid::Uuid, i64) = (parsed.text("oid")?.parse().ok()?, parsed.seconds("exp")?);
    let valid = parsed.signed_by(&public) && exp > cloud.now().as_second() && parsed.text("aud") == Some("https://graph.microsoft.com");
    let user = cloud.users().find(|(d, u)| u.oid == oid && Some(d.id.to_string().as_str()) == parsed.text("tid"))?.1;
    valid.then(|| (user, parsed.text("sub").unwrap_or_default().to_owned()))
}
