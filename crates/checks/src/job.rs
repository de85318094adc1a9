//! What a scan is told to do: the one frame that the scanner's child process reads.

use crate::Request;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Which checks a scan judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScanKind {
    /// Configuration against baselines.
    Compliance,
    /// What an attacker would look for.
    Exposure,
}

impl ScanKind {
    pub const ALL: [Self; 2] = [Self::Compliance, Self::Exposure];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliance => "compliance",
            Self::Exposure => "exposure",
        }
    }
}

/// One scan. The same job gives the same [`crate::plan`] everywhere, so the broker can compute what the child may ask.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The Entra tenant id.
    pub directory: Uuid,
    pub directory_name: String,
    pub kind: ScanKind,
    /// The time that ages and expiries are counted from.
    pub now: Timestamp,
    #[serde(default)]
    pub settings: Settings,
    /// The tenant's own packs.
    #[serde(default)]
    pub packs: Vec<PackSource>,
    /// Only these checks (ids), whatever their kind.
    #[serde(default)]
    pub only: Option<Vec<String>>,
    /// What an earlier attempt of this scan has read.
    #[serde(default)]
    pub resume: Vec<Resumed>,
    /// The catalogue version this scan is pinned to; another one in the running program is said in the report.
    #[serde(default)]
    pub catalogue: Option<String>,
}

/// What a tenant says about its directory. Ids are compared without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Object ids of the emergency access (break-glass) accounts. Never guessed.
    pub emergency_accounts: BTreeSet<String>,
    /// Object ids of groups that hold emergency access accounts only.
    pub emergency_groups: BTreeSet<String>,
    /// Check id, or `*` for every check, to the ids that its policies may exclude: users, groups, roles, applications, guest types.
    pub accepted_exclusions: BTreeMap<String, BTreeSet<String>>,
    /// Check id to the ids of objects that it leaves alone (public groups that are meant to be public, say).
    pub accepted_entities: BTreeMap<String, BTreeSet<String>>,
    /// Check id to parameter name to the tenant's value.
    pub parameters: BTreeMap<String, BTreeMap<String, Value>>,
    /// Passed to ScubaGear packs as their `scuba_config`.
    pub scuba_config: Value,
}

/// A tenant's pack of Rego checks: its files by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackSource {
    pub name: String,
    pub version: String,
    pub files: Vec<(String, String)>,
}

/// One source that an earlier attempt read whole: its first request and the pages it handed to `Progress::snapshot`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resumed {
    pub request: Request,
    pub pages: Vec<Value>,
}
