//! How Entra answers: headers that scripts may read, cookies, and the three ways back to an application.

use crate::entra::page;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Readable by scripts of every origin: discovery, key sets and the token endpoint.
pub fn open(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
    headers.insert("access-control-allow-methods", HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert(
        "access-control-expose-headers",
        HeaderValue::from_static("x-ms-request-id, client-request-id, x-ms-httpver, x-ms-clitelem"),
    );
    response
}

/// Where the parameters of an authorize answer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
    /// Sends the browser to `uri` with these values.
    pub fn send(self, uri: &str, values: &[(&str, String)]) -> Response {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
        match self {
            Self::FormPost => page::form_post(uri, values),
            Self::Fragment => see_other(&format!("{uri}#{encoded}")),
            Self::Query => see_other(&format!("{uri}{}{encoded}", if uri.contains('?') { '&' } else { '?' })),
        }
    }
}

/// A redirect that is always followed with GET.
pub fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))])
                .into_response()
        }
        Err(_) => (StatusCode::BAD_REQUEST, "the redirect URI is not one\n").into_response(),
    }
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Sets a session cookie that also travels in frames and background requests, as silent sign-in needs it.
pub fn set_cookie(mut response: Response, name: &str, value: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=None")) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Makes the browser forget a cookie.
pub fn clear_cookie(mut response: Response, name: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(&format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None")) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
