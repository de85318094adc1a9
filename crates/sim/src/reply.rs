//! An answer of Graph or Resource Manager before it becomes HTTP: `$batch` puts the same answers into one body.

use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

/// What the service says.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Payload,
}

#[derive(Debug, Clone)]
pub enum Payload {
    Json(Value),
    Text(String),
    Nothing,
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Payload::Json(body) }
    }
    pub fn ok(body: Value) -> Self {
        Self::json(200, body)
    }
    /// A status that says everything: 204 for a change, 202 for a mail.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Payload::Nothing }
    }
    pub fn text(text: String) -> Self {
        Self { status: 200, headers: Vec::new(), body: Payload::Text(text) }
    }
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
    pub fn response(self) -> Response {
        let (kind, body): (_, Body) = match self.body {
            Payload::Json(value) => {
                (Some("application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8"), value.to_string().into())
            }
            Payload::Text(text) => (Some("text/plain"), text.into()),
            Payload::Nothing => (None, Body::empty()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
