//! The record of outbound calls: who was called, when, with what outcome. Never a query, header or body.

use bailiwick_base::Timestamp;
use http::Method;
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Instant,
};
use url::Url;

/// One outbound call, refused ones included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    pub at: Timestamp,
    pub host: String,
    pub port: Option<u16>,
    pub method: String,
    /// Without the query; a placeholder where the path itself is a secret.
    pub path: String,
    /// Absent when no answer came.
    pub status: Option<u16>,
    /// Why there is no answer: [`super::EgressError::reason`], or `abandoned` when the caller did not wait for one.
    pub error: Option<&'static str>,
    /// Bytes of the answer's body.
    pub bytes: u64,
    pub millis: u64,
}

impl Call {
    pub(super) fn begin(at: Timestamp, method: &Method, url: &Url, path: Option<&str>) -> Self {
        let host = url.host_str().unwrap_or("").to_owned();
        Self::new(at, method.as_str(), host, url.port_or_known_default(), path.unwrap_or(url.path()))
    }

    /// A connection that will not speak HTTP; `what` stands where a path would.
    pub(super) fn connecting(at: Timestamp, host: &str, port: u16, what: &str) -> Self {
        Self::new(at, "CONNECT", host.to_owned(), Some(port), what)
    }

    fn new(at: Timestamp, method: &str, host: String, port: Option<u16>, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { at, host, port, method, path, status: None, error: None, bytes: 0, millis: 0 }
    }
}

/// A call under way. It is told exactly once, even if whoever waits for it goes away.
pub(super) struct Underway<'r> {
    call: Call,
    started: Instant,
    recorder: &'r dyn Recorder,
}

impl<'r> Underway<'r> {
    pub fn begin(call: Call, recorder: &'r dyn Recorder) -> Self {
        let call = Call { error: Some("abandoned"), ..call };
        Self { call, started: Instant::now(), recorder }
    }
    pub fn answered(mut self, status: u16, bytes: usize) {
        (self.call.error, self.call.status, self.call.bytes) = (None, Some(status), bytes as u64);
    }
    pub fn failed(mut self, reason: &'static str) {
        self.call.error = Some(reason);
    }
    /// A connection for something else than HTTP, which has no status.
    pub fn connected(mut self) {
        self.call.error = None;
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.call.millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.recorder.record(&self.call);
    }
}

/// Where calls are told, each once, when it has ended. Must not block.
pub trait Recorder: Send + Sync + 'static {
    fn record(&self, call: &Call);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRecorder;

impl Recorder for NoRecorder {
    fn record(&self, _: &Call) {}
}

/// The latest calls, in memory.
#[derive(Debug)]
pub struct Ring {
    calls: Mutex<VecDeque<Call>>,
    capacity: usize,
}

impl Ring {
    /// Keeps the latest `capacity` calls.
    pub fn new(capacity: usize) -> Self {
        Self { calls: Mutex::new(VecDeque::with_capacity(capacity)), capacity }
    }

    /// The calls kept, oldest first.
    pub fn recent(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Recorder for Ring {
    fn record(&self, call: &Call) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() >= self.capacity {
            calls.pop_front();
        }
        calls.push_back(call.clone());
    }
}
