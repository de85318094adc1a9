//! The log of every request the simulator took, as tests and the demo read it. Bodies are left out, and queries but for
//! those of Graph and Resource Manager: they carry codes and secrets.

use crate::cloud::lock;
use bailiwick_base::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, sync::Mutex};
use uuid::Uuid;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub at: Timestamp,
    pub host: String,
    pub method: String,
    pub path: String,
    /// 0 when the connection was dropped on purpose.
    pub status: u16,
    pub directory: Option<Uuid>,
    pub client_id: Option<String>,
    /// Percent-decoded; of Graph and Resource Manager only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Came inside a `$batch`, which has a line of its own before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_batch: bool,
    /// SHA-256 of the body, in hex: on every write to Graph or Resource Manager, whatever became of it, and on nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
}

/// What a request that may change something carries in the log. Posts that only ask are no writes.
pub fn write_digest(method: &str, path: &str, body: &[u8]) -> Option<String> {
    let asks = matches!(method, "GET" | "HEAD" | "OPTIONS") || path.ends_with("/$batch") || path.ends_with("/runHuntingQuery");
    (!asks).then(|| hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body)))
}

/// Older calls are forgotten past this many.
const KEPT: usize = 100_000;

#[derive(Default)]
pub struct CallLog(Mutex<VecDeque<Call>>);

impl CallLog {
    pub fn add(&self, call: Call) {
        let mut calls = lock(&self.0);
        if calls.len() == KEPT {
            calls.pop_front();
        }
        calls.push_back(call);
    }
    pub fn all(&self) -> Vec<Call> {
        lock(&self.0).iter().cloned().collect()
    }
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
    /// One JSON object a line.
    pub fn json_lines(&self) -> String {
        self.all().iter().filter_map(|call| serde_json::to_string(call).ok()).map(|line| line + "\n").collect()
    }
}
