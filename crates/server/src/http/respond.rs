//! Answers: JSON, problems, and the headers every answer carries.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use bailiwick_base::{Problem, RequestId, problem::ProblemBody};
use serde::Serialize;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A JSON answer.
pub fn json<T: Serialize>(status: u16, value: &T, id: RequestId) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(bytes) => with_id(answer(status, "application/json", Body::from(bytes)), id),
        Err(error) => problem(&Problem::internal(error), id),
    }
}

/// Server-sent events.
pub fn events(body: Body, id: RequestId) -> Response<Body> {
    let mut response = with_id(answer(200, "text/event-stream", body), id);
    // Proxies that gather answers before they pass them on would hold the events back.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// An answer without a body.
pub fn empty(status: u16, id: RequestId) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NO_CONTENT);
    with_id(response, id)
}

/// `application/problem+json` (RFC 9457). The internal cause goes to the log.
pub fn problem(problem: &Problem, id: RequestId) -> Response<Body> {
    if let Some(cause) = &problem.internal {
        if problem.code.status() >= 500 {
            tracing::error!(request = %id, cause, "request failed");
        } else {
            tracing::info!(request = %id, code = problem.code.name(), cause, "request refused");
        }
    }
    let bytes = serde_json::to_vec(&ProblemBody::of(problem, id)).unwrap_or_default();
    let mut response = with_id(answer(problem.code.status(), "application/problem+json", Body::from(bytes)), id);
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn answer(status: u16, media_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn with_id(mut response: Response<Body>, id: RequestId) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    // Answers are one person's: no cache between keeps them.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
