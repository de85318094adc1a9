//! Headers that Entra's answers share.

use axum::response::Response;
use http::HeaderValue;

/// Readable by scripts of every origin: discovery, key sets and the token endpoint.
pub fn open(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
    headers.insert("access-control-allow-methods", HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert("access-control-expose-headers", HeaderValue::from_static("x-ms-request-id, client-request-id, x-ms-httpver, x-ms-clitelem"));
    response
}
