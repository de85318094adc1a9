//! Graph's error bodies.

use crate::{bearer::Refused, cloud::Cloud, reply::Reply};
use serde_json::json;

/// An error before it has its ids and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl Error {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(400, "Request_UnsupportedQuery", message)
    }
    pub fn no_segment(segment: &str) -> Self {
        Self::bad_request(format!("Resource not found for the segment '{segment}'."))
    }
    pub fn not_found(id: &str) -> Self {
        let text = format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        Self::new(404, "Request_ResourceNotFound", text)
    }
    pub fn not_permitted() -> Self {
        Self::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    }
    pub fn not_licensed() -> Self {
        Self::new(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        )
    }
    pub fn method() -> Self {
        Self::new(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    }
    pub fn token(refused: Refused) -> Self {
        match refused {
            Refused::Identity => Self::new(401, "Authorization_IdentityNotFound", refused.text()),
            Refused::Revoked => Self::new(401, "TokenCreatedWithOutdatedPolicies", refused.text()),
            _ => Self::new(401, "InvalidAuthenticationToken", refused.text()),
        }
    }
    pub fn throttled() -> Self {
        Self::new(429, "TooManyRequests", "Too many requests. Please retry after some time.")
    }
    /// As it goes out, with the caller's own id for the request if it sent one.
    pub fn reply(&self, cloud: &Cloud, client_request: Option<&str>) -> Reply {
        let request = cloud.uuid().to_string();
        let at = cloud.now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let inner = json!({"date": at, "request-id": request, "client-request-id": client_request.unwrap_or(&request)});
        let reply = Reply::json(self.status, json!({"error": {"code": self.code, "message": self.message, "innerError": inner}}));
        match self.status {
            401 => reply.with("www-authenticate", "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\""),
            _ => reply,
        }
    }
}
