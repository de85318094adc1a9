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

/// RFC 9116, where the operator named a contact. It expires in half a year, counted from each answer.
pub async fn security_txt(State(app): State<App>) -> Response {
    if app.security_contact.is_empty() {
        return (StatusCode::NOT_FOUND, "no security contact is configured\n").into_response();
    }
    let expires = (app.services.store.now() + jiff::SignedDuration::from_hours(24 * 182)).strftime("%Y-%m-%dT00:00:00Z");
    let text = format!("Contact: {}\nExpires: {expires}\nPreferred-Languages: en\n", app.security_contact);
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

pub async fn metrics(State(app): State<App>) -> String {
    app.metrics.render()
}
