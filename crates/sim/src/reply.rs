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
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Payload::Json(body) }
    }
    pub fn ok(body: Value) -> Self {
        Self::json(200, body)
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
                ("application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8", value.to_string().into())
            }
            Payload::Text(text) => ("text/plain", text.into()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
