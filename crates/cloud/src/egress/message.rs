//! One request, and its answer.

use super::EgressError;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::de::DeserializeOwned;
use std::{fmt, time::Duration};
use url::Url;

/// One outbound request.
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) max_body: Option<usize>,
    pub(super) recorded_path: Option<String>,
}

impl fmt::Debug for Request {
    /// Method and host only: paths, headers and bodies may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.url.host_str().unwrap_or("?"))
    }
}

impl Request {
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, max_body: None, recorded_path: None }
    }
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, content_type);
        self.body = Some(body.into());
        self
    }
    /// Bytes of the answer's body, in place of the environment's limit.
    pub fn max_body(mut self, limit: usize) -> Self {
        self.max_body = Some(limit);
        self
    }
    /// The path to put in the record, where the real one is a secret (a chat tool's webhook).
    pub fn recorded_as(mut self, path: impl Into<String>) -> Self {
        self.recorded_path = Some(path.into());
        self
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    pub host: String,
    pub meta: Meta,
    pub body: Bytes,
}

/// An answer without its body.
#[derive(Debug, Clone)]
pub struct Meta {
    pub status: u16,
    pub headers: HeaderMap,
    /// What `Retry-After` asks for, seconds or date alike.
    pub retry_after: Option<Duration>,
}

impl Response {
    /// The same answer if its status is 2xx.
    ///
    /// # Errors
    /// [`EgressError::Status`] otherwise; a redirect is one, as none is followed.
    pub fn ok(self) -> Result<Self, EgressError> {
        match self.meta.status {
            200..=299 => Ok(self),
            code => Err(EgressError::Status { host: self.host, code, retry_after: self.meta.retry_after }),
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`EgressError::BadBody`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, EgressError> {
        serde_json::from_slice(&self.body).map_err(|e| EgressError::BadBody {
            host: self.host.clone(),
            // The category and place only: the text of a body is not ours to repeat.
            cause: format!("not the JSON that was expected (line {}, column {})", e.line(), e.column()),
        })
    }
}
