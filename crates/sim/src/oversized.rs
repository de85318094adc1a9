//! Bodies no well-behaved service sends: one that never seems to end, and one that ends in the middle.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::BodyExt;
use std::convert::Infallible;

/// A list in valid JSON of that many MiB, never held as a whole.
pub fn response(mebibytes: u32) -> Response {
    let item = format!("{{\"id\":\"{}\"}},", "x".repeat((1 << 20) - 10));
    let chunk = Bytes::from(item);
    let chunks = (0..mebibytes).map(move |_| chunk.clone());
    let body = std::iter::once(Bytes::from_static(b"{\"value\":["))
        .chain(chunks)
        .chain(std::iter::once(Bytes::from_static(b"{\"id\":\"last\"}]}")));
    let mut response = Response::new(Body::from_stream(futures::stream::iter(body.map(Ok::<_, Infallible>))));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The first half of an answer, under the same status and headers.
pub async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(whole.slice(..whole.len() / 2)))
}
