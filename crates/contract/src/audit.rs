//! Audit: the tenant's trail, newest first.

use crate::identity::Principal;
use crate::operation::{Guard, json, operations};
use crate::permission::Permission;
use bailiwick_base::{Cursor, Page, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry of the trail. `hash` covers everything above it and the hash of the entry before.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TrailEntry {
    pub seq: i64,
    pub at: Timestamp,
    pub actor: Principal,
    /// What happened, e.g. `run.completed`.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: TrailOutcome,
    /// What it happened to, e.g. `run/0192…`.
    pub target: String,
    /// Particulars; never a secret.
    pub detail: serde_json::Value,
    pub request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// SHA-256, lower-case hex.
    pub hash: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrailOutcome {
    Done,
    Refused,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrailQuery {
    /// Only this action, or with a trailing dot all of a kind: `run.`
    #[serde(default)]
    pub action: Option<String>,
    #[serde(default)]
    pub outcome: Option<TrailOutcome>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

json!(Page<TrailEntry>);

operations! {
    /// Lists the trail, newest first.
    ListTrail = "list_trail" Get "/api/v1/trail" {
        guard: Guard::Needs(Permission::TrailRead), effect: Read, rate: Read, query: TrailQuery, answer: Page<TrailEntry>, status: 200,
        example: {"items": [{"seq": 1, "at": "2026-11-22T08:00:00Z", "actor": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "action": "api_key.created", "outcome": "done", "target": "api_key/0192f0c1-2b3c-7d4e-8f50-61728394a5b9", "detail": {"name": "nightly"}, "request_id": "0192f0c1-2b3c-7d4e-8f50-61728394a5ba", "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}]},
    }
}
