//! A server that speaks the contract's shapes: it takes runs, checks hashes and manifests, remembers what it was sent, and fails
//! where it was told to.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::{Router, http::StatusCode};
use bailiwick_contract::Operation;
use bailiwick_contract::evidence::{CompleteRun, GetRun, OpenRun, PutArtifact};
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub const RUN: &str = "0192f0c1-2b3c-7d4e-8f50-61728394a5c0";
pub const ORIGINAL: &str = "0192f0c1-2b3c-7d4e-8f50-61728394a5c9";

/// How a request goes wrong, once.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, with this `Retry-After`.
    Status(u16, Option<&'static str>),
    /// The connection ends after the first part of the request.
    HalfTaken,
    /// The work is done and the connection ends before the answer.
    AnswerLost,
    /// The body is answered with this problem.
    Problem(u16, Value),
    /// Redirected there.
    Redirect(String),
}

#[derive(Debug, Clone)]
pub struct Seen {
    pub line: String,
    pub headers: HashMap<String, String>,
    pub body: Bytes,
}

#[derive(Default)]
pub struct State {
    pub seen: Vec<Seen>,
    /// Faults by the beginning of the request line.
    pub faults: VecDeque<(&'static str, Fault)>,
    /// Runs by idempotency key.
    pub runs: HashMap<String, String>,
    pub artifacts: HashMap<String, Bytes>,
    pub completed: bool,
    /// What `GET run` answers, in turn; the last stays.
    pub script: VecDeque<Value>,
    /// Answers of other requests, by the beginning of the request line, in turn.
    pub answers: VecDeque<(&'static str, Value)>,
    /// Streams of server-sent events, by the request line.
    pub streams: HashMap<&'static str, String>,
}

pub struct Fake {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { script: [run_state("processing"), json!({})].into(), ..State::default() }));
        let router = router(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
    pub fn fail(&self, request: &'static str, fault: Fault) {
        self.state().faults.push_back((request, fault));
    }
    pub fn answer(&self, request: &'static str, value: Value) {
        self.state().answers.push_back((request, value));
    }
    pub fn stream(&self, request: &'static str, events: String) {
        self.state().streams.insert(request, events);
    }
    /// The request lines so far, without queries.
    pub fn lines(&self) -> Vec<String> {
        self.state().seen.iter().map(|s| s.line.split('?').next().unwrap().to_owned()).collect()
    }
}

pub fn router(state: Arc<Mutex<State>>) -> Router {
    Router::new().fallback(move |request: Request| answer(state.clone(), request))
}

/// A run in another state, to lay over the contract's example.
pub fn run_state(state: &str) -> Value {
    json!({"state": state})
}

fn with(mut example: Value, over: Value) -> Value {
    let Value::Object(over) = over else { return over };
    for (name, value) in over {
        example[name] = value;
    }
    example
}

async fn answer(state: Arc<Mutex<State>>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let fault = {
        let mut state = state.lock().unwrap();
        let at = state.faults.iter().position(|(start, _)| line.starts_with(start));
        at.and_then(|at| state.faults.remove(at)).map(|(_, fault)| fault)
    };
    if let Some(Fault::HalfTaken) = fault {
        let first = request.into_body().into_data_stream().next().await;
        state.lock().unwrap().seen.push(Seen { line, headers, body: first.unwrap().unwrap() });
        return broken();
    }
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let mut state = state.lock().unwrap();
    state.seen.push(Seen { line: line.clone(), headers, body: body.clone() });
    match fault {
        Some(Fault::Status(status, after)) => {
            return refused(status, after, json!({"code": "unavailable", "detail": "The database does not answer.", "request_id": "r-1"}));
        }
        Some(Fault::Redirect(to)) => return (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
        Some(Fault::Problem(status, problem)) => return refused(status, None, problem),
        _ => {}
    }
    let answer = state.handle(&line, &body);
    if matches!(fault, Some(Fault::AnswerLost)) { broken() } else { answer }
}

fn broken() -> Response {
    Body::from_stream(futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("broken on purpose")) })).into_response()
}

fn refused(status: u16, after: Option<&str>, problem: Value) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap(), axum::Json(problem)).into_response();
    if let Some(after) = after {
        response.headers_mut().insert("retry-after", after.parse().unwrap());
    }
    response
}

impl State {
    fn handle(&mut self, line: &str, body: &Bytes) -> Response {
        if let Some(events) = self.streams.get(line) {
            return ([("content-type", "text/event-stream")], events.clone()).into_response();
        }
        let exact = self.answers.iter().position(|(start, _)| line.split('?').next() == Some(start));
        if let Some(at) = exact.or_else(|| self.answers.iter().position(|(start, _)| line.starts_with(start))) {
            return axum::Json(self.answers.remove(at).unwrap().1).into_response();
        }
        let (path, query) = line.split_once('?').unwrap_or((line, ""));
        let artifact = path.strip_prefix(&format!("PUT /api/v1/runs/{RUN}/artifacts/"));
        if let Some(name) = artifact {
            let name = percent_encoding::percent_decode_str(name).decode_utf8().unwrap().into_owned();
            return self.put(&name, query, body);
        }
        if path == "POST /api/v1/runs" {
            return self.open(body);
        }
        if path == format!("POST /api/v1/runs/{RUN}/complete") {
            return self.complete(body);
        }
        if path.starts_with("GET /api/v1/runs/") {
            let over = if self.script.len() > 1 { self.script.pop_front().unwrap() } else { self.script[0].clone() };
            return axum::Json(with((GetRun::SPEC.example)(), over)).into_response();
        }
        refused(404, None, json!({"code": "not_found", "detail": "There is nothing at this address that you may see."}))
    }

    fn open(&mut self, body: &Bytes) -> Response {
        let body: Value = serde_json::from_slice(body).unwrap();
        self.runs.entry(body["idempotency_key"].as_str().unwrap().to_owned()).or_insert_with(|| RUN.into());
        (StatusCode::CREATED, axum::Json((OpenRun::SPEC.example)())).into_response()
    }

    fn put(&mut self, name: &str, query: &str, body: &Bytes) -> Response {
        if query != format!("sha256={}", sha256(body)) {
            return refused(422, None, json!({"code": "hash_mismatch", "detail": "The bytes received do not match the stated hash."}));
        }
        self.artifacts.insert(name.to_owned(), body.clone());
        axum::Json(with((PutArtifact::SPEC.example)(), json!({"name": name, "sha256": sha256(body), "size": body.len()}))).into_response()
    }

    fn complete(&mut self, body: &Bytes) -> Response {
        if std::mem::replace(&mut self.completed, true) {
            return refused(409, None, json!({"code": "wrong_state", "detail": "The run is queued already."}));
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let lines: HashMap<String, String> = body["artifacts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| (l["name"].as_str().unwrap().into(), l["sha256"].as_str().unwrap().into()))
            .collect();
        let stored: HashMap<String, String> = self.artifacts.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect();
        assert_eq!(lines, stored, "the manifest names what was stored");
        (StatusCode::ACCEPTED, axum::Json((CompleteRun::SPEC.example)())).into_response()
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}

/// A server that opens runs, and refuses files by their head: whoever has begun to send the body finds the connection gone instead.
pub async fn hasty(problem: Value) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).await.unwrap() > 0 {
                head.push(byte[0]);
            }
            let opens = head.starts_with(b"POST /api/v1/runs ");
            let body_came = tokio::time::timeout(Duration::from_millis(100), socket.peek(&mut byte)).await.is_ok();
            let (status, answer) = match (opens, body_came) {
                (true, _) => (201, (OpenRun::SPEC.example)()),
                (false, true) => continue,
                (false, false) => (413, problem.clone()),
            };
            let answer = answer.to_string();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len());
            socket.write_all(answer.as_bytes()).await.unwrap();
            if opens {
                // The request's own body is drained, so that closing does not reset the connection under the answer.
                let _ = socket.shutdown().await;
                while socket.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {}
            }
        }
    });
    url
}
