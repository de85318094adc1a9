//! The open routes that are not operations.

use super::App;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

pub async fn alive() -> &'static str {
    "ok\n"
}

pub async fn ready(State(app): State<App>) -> Response {
    if app.services.store.ready().await {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
    }
}

pub async fn openapi() -> Response {
    static DOCUMENT: std::sync::LazyLock<String> = std::sync::LazyLock::new(bailiwick_contract::openapi::text);
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// RFC 9116. The expiry is moved on with each release.
pub async fn security_txt() -> Response {
    let text = "Contact: https://github.com/bailiwick/bailiwick/security/advisories/new\nExpires: 2027-11-22T00:00:00Z\nPreferred-Languages: en\n";
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

pub async fn metrics(State(app): State<App>) -> String {
    app.metrics.render()
}
