//! Entra's errors: a code, the OAuth word for it, and a text that names what was wrong. The wire body is the one of
//! Microsoft's token endpoint; `invalid_client` answers 401, everything else 400.

use crate::{
    cloud::Cloud,
    config::{App, Directory},
};
use axum::response::{IntoResponse, Response};
use bailiwick_base::Timestamp;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// An AADSTS error.
#[derive(Debug, Clone)]
pub struct Aadsts {
    pub code: u32,
    /// The OAuth `error` word.
    pub error: &'static str,
    pub text: String,
    pub suberror: Option<&'static str>,
}

impl Aadsts {
    pub fn new(code: u32, error: &'static str, text: impl Into<String>) -> Self {
        Self { code, error, text: text.into(), suberror: None }
    }
    pub fn status(&self) -> StatusCode {
        match self.error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
    /// The error as it happened once: with its ids and time.
    pub fn happened(&self, cloud: &Cloud, correlation: Option<Uuid>) -> Happened {
        let at = cloud.now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        Happened { error: self.clone(), trace: cloud.uuid(), correlation: correlation.unwrap_or_else(|| cloud.uuid()), at }
    }

    // The ones raised in more than one place.
    pub fn tenant_not_found(segment: &str) -> Self {
        let text = format!(
            "Tenant '{segment}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        );
        Self::new(90002, "invalid_tenant", text)
    }
    pub fn missing(parameter: &str) -> Self {
        Self::new(900144, "invalid_request", format!("The request body must contain the following parameter: '{parameter}'."))
    }
    pub fn app_not_found(client_id: &str, directory: &str) -> Self {
        Self::new(
            700016,
            "unauthorized_client",
            format!("Application with identifier '{client_id}' was not found in the directory '{directory}'."),
        )
    }
    pub fn redirect_mismatch(asked: &str, client_id: Uuid) -> Self {
        let text = format!(
            "The redirect URI '{asked}' specified in the request does not match the redirect URIs configured for the application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal."
        );
        Self::new(50011, "invalid_request", text)
    }
    pub fn no_service_principal(app: &App, directory: &Directory) -> Self {
        let text = format!(
            "The client application '{}'({}) is missing service principal in the tenant '{}'. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
            app.client_id, app.name, directory.id
        );
        Self::new(7000229, "unauthorized_client", text)
    }
    pub fn user_not_assigned(user: &str, client_id: Uuid, app: &str) -> Self {
        let text = format!(
            "Your administrator has configured the application {app} ('{client_id}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '{user}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator."
        );
        Self::new(50105, "interaction_required", text)
    }
    pub fn app_not_assigned(app: &str, client_id: Uuid, resource: &str, resource_id: Uuid) -> Self {
        Self::new(
            501051,
            "invalid_grant",
            format!("Application '{client_id}'({app}) is not assigned to a role for the application '{resource_id}'({resource})."),
        )
    }
}

/// One occurrence of an error.
pub struct Happened {
    pub error: Aadsts,
    pub trace: Uuid,
    pub correlation: Uuid,
    /// `2026-01-09 02:02:12Z`
    pub at: String,
}

impl Happened {
    /// `AADSTS…: text Trace ID: … Correlation ID: … Timestamp: …`, with the given separator (a line break in bodies, a space in redirects).
    pub fn description(&self, separator: &str) -> String {
        format!(
            "AADSTS{}: {}{separator}Trace ID: {}{separator}Correlation ID: {}{separator}Timestamp: {}",
            self.error.code, self.error.text, self.trace, self.correlation, self.at
        )
    }
    pub fn body(&self, base: &str) -> Value {
        let code = self.error.code;
        let mut body = json!({
            "error": self.error.error,
            "error_description": self.description("\r\n"),
            "error_codes": [code],
            "timestamp": self.at,
            "trace_id": self.trace,
            "correlation_id": self.correlation,
            "error_uri": format!("{base}/error?code={code}"),
        });
        if let Some(suberror) = self.error.suberror {
            body["suberror"] = suberror.into();
        }
        body
    }
    /// The JSON answer of the token endpoint and of discovery.
    pub fn response(&self, base: &str) -> Response {
        let mut response = (self.error.status(), axum::Json(self.body(base))).into_response();
        let headers = response.headers_mut();
        headers.insert("cache-control", HeaderValue::from_static("no-store, no-cache"));
        for (name, id) in [("x-ms-request-id", self.trace), ("client-request-id", self.correlation)] {
            if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Unix seconds.
pub fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}
