//! What a scan asks of the cloud and what it is told: requests, answers, and the two seams (`Fetch`, `Progress`) through which this
//! crate, which has no I/O, reads and reports.

use crate::{CheckResult, SourceStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The Microsoft service a request goes to. Each has its own host and its own token; DNS has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Microsoft Graph.
    Graph,
    /// Azure Resource Manager.
    Arm,
    /// The data plane of one key vault; paths are absolute addresses.
    Vault,
    /// The domain name system; a path is `TYPE name`, e.g. `TXT _dmarc.contoso.com`.
    Dns,
}

impl Service {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Arm => "arm",
            Self::Vault => "vault",
            Self::Dns => "dns",
        }
    }
}

/// One read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Request {
    pub service: Service,
    /// From the root of the service (`/v1.0/domains`), or an absolute next link taken from an answer, unchanged.
    pub path: String,
}

impl Request {
    pub fn new(service: Service, path: impl Into<String>) -> Self {
        Self { service, path: path.into() }
    }
}

/// What became of one request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The service answered, with whatever status. `headers` holds few (lower-case names; retry-after, request-id); `body` is as sent.
    /// DNS answers are status 200 with `{"records":["..."]}`, an empty list where the name has no such record.
    Body { status: u16, headers: BTreeMap<String, String>, body: Vec<u8> },
    /// No answer after the retries the fetcher thought right.
    Failed { kind: FaultKind, message: String },
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The scan was cancelled or its time is up: nothing further is asked.
    Cancelled,
    Deadline,
    /// No token can be had: consent withdrawn, secret expired. Nothing further is asked of that service.
    Unauthorized,
    /// The host cannot be reached or its name not found.
    Unreachable,
    /// Still throttled when the retries ended.
    Throttled,
    /// Server errors (5xx) when the retries ended.
    Server,
    /// No answer in time.
    Timeout,
    /// The answer is larger than the limit.
    TooLarge,
    /// The request is not one the plan allows.
    Refused,
}

/// Reads for a scan. The implementer retries, waits out Retry-After and keeps budgets; the caller pages.
pub trait Fetch {
    /// Answers at most 20 requests of one service, in their order. May send Graph requests as one `$batch`.
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer>;
}

/// Hears of a scan while it goes on.
pub trait Progress {
    /// Once, before the first request. `requests` counts patterns, so placeholders may make more of them.
    fn planned(&mut self, _requests: usize, _checks: usize) {}
    /// One request is done, all its pages: what was handed to `snapshot` under its path is now whole if the state is `read`.
    fn read(&mut self, _source: &SourceStatus) {}
    /// One page, reduced to the members that rules look at plus ids and display names.
    fn snapshot(&mut self, _request: &Request, _page: &Value) {}
    /// One verdict.
    fn judged(&mut self, _result: &CheckResult) {}
}

/// Listens to nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
