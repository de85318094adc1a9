//! Scans: what a connected directory is judged by, when, and what came of it; and the live look at a few of its settings.
//!
//! A scan's results are an evidence run as any other: drift, findings and history of it are those of the run it names.

use crate::connections::{CloudFailure, ConnectionKind};
use crate::evidence::{FindingCounts, Named};
use crate::operation::{Empty, EventStream, Guard, json, operations, words};
use crate::permission::Permission;
use bailiwick_base::{ConnectionId, Cursor, DirectoryId, Page, Principal, RunId, ScanId, ScheduleId, Severity, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

words! {
    /// What a scan asks. `compliance` holds settings against named frameworks; `exposure` asks what the present configuration risks.
    ScanKind { Compliance = "compliance", Exposure = "exposure" }

    /// The life of a scan: `queued`, `running`, then one of the other three, for good.
    ScanState { Queued = "queued", Running = "running", Completed = "completed", Failed = "failed", Cancelled = "cancelled" }

    /// What a running scan is doing.
    ScanPhase {
        Waiting = "waiting",
        /// Asks for a token and starts the scanner.
        Starting = "starting",
        Collecting = "collecting",
        Judging = "judging",
        /// Hands the report to the evidence.
        Storing = "storing",
    }

    /// What a check came to. Only `passed` is one; an absent value is `unknown`.
    Verdict {
        Passed = "passed",
        /// Passed but for people, groups or applications that are left out and that nobody declared.
        PassedWithExclusions = "passed_with_exclusions",
        Failed = "failed",
        /// Not judged, for the stated reason.
        Skipped = "skipped",
        /// The answer did not hold the value.
        Unknown = "unknown",
        Error = "error",
    }

    /// Excellent from 90, Good from 70, Needs attention from 50, Critical risk below.
    Band { Excellent = "excellent", Good = "good", NeedsAttention = "needs_attention", CriticalRisk = "critical_risk" }

    /// How one source of a scan or of a live view stands.
    SourceState {
        Ok = "ok",
        NeedsConsent = "needs_consent",
        NotLicensed = "not_licensed",
        /// The directory does not have the feature.
        NotThere = "not_there",
        Error = "error",
        /// No connection reads this directory.
        NotConnected = "not_connected",
    }

    /// Why a scan failed or was cancelled.
    ScanEndCode {
        Cancelled = "cancelled",
        /// The connection was disconnected meanwhile.
        Disconnected = "disconnected",
        /// Microsoft let the application in no longer, or not at all.
        ConnectionRefused = "connection_refused",
        TimeLimit = "time_limit",
        MemoryLimit = "memory_limit",
        /// The kernel lacks what the sandbox needs, and the configuration requires it.
        SandboxUnavailable = "sandbox_unavailable",
        /// The scanner ended by itself, again and again.
        ScannerEnded = "scanner_ended",
        /// The scanner asked for what its plan does not hold.
        ScannerRefused = "scanner_refused",
        Unreachable = "unreachable",
        Internal = "internal",
    }
}

impl ScanState {
    /// Nothing more will happen to it.
    pub fn settled(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScan {
    pub kind: ScanKind,
    /// The connection to scan through; the primary one where none is named.
    #[serde(default)]
    pub connection: Option<ConnectionId>,
}

/// How far a scan has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScanProgress {
    pub phase: ScanPhase,
    /// Grows while listings are read: how many requests follow from one is not known before.
    pub requests_planned: u32,
    pub requests_done: u32,
    pub checks_planned: u32,
    pub checks_judged: u32,
    /// Requests whose answers an earlier, interrupted try had kept.
    pub requests_resumed: u32,
    /// The source read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<String>,
    /// Sources that could not be read whole, with why.
    #[serde(default)]
    pub degraded: Vec<ScanSource>,
}

/// One thing a scan reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanSource {
    /// `graph`, `arm`, `vault` or `dns`.
    pub service: String,
    pub path: String,
    pub state: SourceState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The permission that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}

/// A score: passed out of all that was judged, in percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// 0 to 100; absent when nothing was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    pub passed: u32,
    /// Everything judged that is no plain pass.
    pub failed: u32,
    /// Of the failed: what could not be told.
    pub unclear: u32,
    pub skipped: u32,
}

/// How many results had each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictCounts {
    pub passed: u32,
    pub passed_with_exclusions: u32,
    pub failed: u32,
    pub skipped: u32,
    pub unknown: u32,
    pub error: u32,
    pub total: u32,
}

/// The score of one product or framework.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NamedScore {
    /// `entra`; `cis_m365`.
    pub name: String,
    #[serde(flatten)]
    pub score: Score,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScanScores {
    pub overall: Score,
    pub by_product: Vec<NamedScore>,
    pub by_framework: Vec<NamedScore>,
}

/// Why a scan failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanEnd {
    pub code: ScanEndCode,
    /// What happened and what to do next.
    pub detail: String,
    /// What Microsoft said, where that was it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<CloudFailure>,
}

/// One scan.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    pub id: ScanId,
    pub kind: ScanKind,
    pub state: ScanState,
    pub directory: Named<DirectoryId>,
    pub connection: ConnectionId,
    pub requested_by: Principal,
    /// The schedule that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleId>,
    pub queued_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    pub progress: ScanProgress,
    /// Once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Points more or fewer than the completed scan of the same kind and directory before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_change: Option<f64>,
    /// The evidence run with its results, once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What it did to findings, once the run is processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<FindingCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<ScanEnd>,
    /// False when a source could not be read whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// Version of the catalogue it judged by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
    /// How often it was begun: more than once when a process ended meanwhile.
    pub attempts: u32,
}

/// What is told while a scan goes on: the scan as it stands. The last one is settled.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScanEvent {
    pub scan: Scan,
}

/// Why a verdict is no plain pass or fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictReason {
    /// `licence`, `permission`, `feature_absent`, `nothing_to_check`, or what broke.
    pub code: String,
    /// What happened, to which thing, and what to do next.
    #[serde(alias = "text")]
    pub detail: String,
}

/// A thing of the directory that fails a check, or that it could not be told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResultObject {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The subscription or domain it was found in, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

/// A control of a framework that a check answers for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResultControl {
    /// `cis_m365`, `cisa_scuba`, `eidsca`, `mitre`, `nis2`.
    pub framework: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub control: String,
    /// As the check's, but failed where a parameter was set looser than this framework asks.
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loosened: Option<String>,
}

/// What a scan found about one check.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScanResult {
    pub check: String,
    pub version: u32,
    pub title: String,
    /// The product's folder in the catalogue: `entra`, `exchange`, `azure`.
    pub product: String,
    pub severity: Severity,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<VerdictReason>,
    /// What was there.
    pub actual: Value,
    /// What should be there.
    pub expected: Value,
    /// Where in the answer it was looked for.
    pub path: String,
    /// The request that was answered.
    pub request: String,
    /// Up to twenty of the things that fail it.
    pub objects: Vec<ResultObject>,
    pub object_count: u64,
    /// Who or what is left out although nobody declared it.
    pub exclusions: Vec<String>,
    /// Report-only today: enforced, it would pass.
    pub would_pass_if_enforced: bool,
    pub frameworks: Vec<ResultControl>,
    pub remediation: String,
    pub references: Vec<String>,
    /// The pack it is from; absent for the shipped catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanResultQuery {
    #[serde(default)]
    #[schemars(length(max = 60))]
    pub framework: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 60))]
    pub product: Option<String>,
    #[serde(default)]
    pub severity: Option<Severity>,
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// Words to look for in the check's id and title.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub search: Option<String>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

/// Results in the order of their checks, with what the filters offer. Each facet counts under the other filters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScanResultPage {
    #[serde(flatten)]
    pub page: Page<ScanResult>,
    /// Under the filters but the verdict's own.
    pub counts: VerdictCounts,
    pub products: BTreeMap<String, u32>,
    pub frameworks: BTreeMap<String, u32>,
    pub severities: BTreeMap<Severity, u32>,
}

/// A scan's scores, its sources and its packs, whole.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScanSummary {
    pub scan: ScanId,
    pub scores: ScanScores,
    /// Every source that was asked, with how it went.
    pub sources: Vec<ScanSource>,
    pub packs: Vec<PackOutcome>,
}

/// What became of a pack in a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackOutcome {
    pub name: String,
    pub version: String,
    /// How many checks it gave verdicts for.
    pub checks: u32,
    /// Why it did not load, or what of it broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScanPath {
    pub scan: ScanId,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScanCheckPath {
    pub scan: ScanId,
    pub check: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanQuery {
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub kind: Option<ScanKind>,
    #[serde(default)]
    pub state: Option<ScanState>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

/// Scans that begin by themselves.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScanSchedule {
    pub id: ScheduleId,
    pub name: String,
    pub kind: ScanKind,
    pub connection: ConnectionId,
    pub directory: Named<DirectoryId>,
    /// Minute, hour, day of month, month, day of week.
    pub cron: String,
    /// IANA time zone the cron is read in, e.g. `Europe/Berlin`.
    pub zone: String,
    pub enabled: bool,
    /// Absent while it is not enabled, or its connection is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scan: Option<ScanId>,
    /// Why the last time began no scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_problem: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScanSchedule {
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    pub kind: ScanKind,
    pub connection: ConnectionId,
    #[schemars(length(min = 9, max = 100))]
    pub cron: String,
    #[schemars(length(min = 1, max = 60))]
    pub zone: String,
    /// True unless told.
    #[serde(default)]
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SchedulePath {
    pub schedule: ScheduleId,
}

/// What scans of a directory are told about it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanSettings {
    /// Object ids of accounts kept for emergencies: policies should leave these out.
    #[serde(default)]
    pub emergency_accounts: Vec<String>,
    /// Object ids of groups that hold emergency accounts and nobody else.
    #[serde(default)]
    pub emergency_groups: Vec<String>,
    /// By check, or `*` for every check: ids that its policies may leave out (people, groups, roles, applications).
    #[serde(default)]
    pub accepted_exclusions: BTreeMap<String, Vec<String>>,
    /// By check: object ids that may fail it.
    #[serde(default)]
    pub accepted_entities: BTreeMap<String, Vec<String>>,
    /// By check, then by name: thresholds in place of the catalogue's own.
    #[serde(default)]
    pub parameters: BTreeMap<String, BTreeMap<String, Value>>,
    /// Packs to judge with, by name; the version is pinned.
    #[serde(default)]
    pub packs: BTreeMap<String, String>,
    /// Configuration of ScubaGear's packs, as they read it.
    #[serde(default)]
    pub scuba_config: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SettingsOfDirectory {
    pub directory: DirectoryId,
    pub settings: ScanSettings,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

/// One version of a tenant's own checks.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Pack {
    pub name: String,
    pub version: String,
    /// File names with their sizes in bytes.
    pub files: BTreeMap<String, u64>,
    /// Over names and contents, lower-case hex.
    pub sha256: String,
    pub added_at: Timestamp,
    pub added_by: Principal,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPack {
    /// Letters, digits, `-`, `_` and `.`; at most 60.
    #[schemars(length(min = 1, max = 60))]
    pub name: String,
    /// Letters, digits, `-`, `_`, `+` and `.`; at most 40.
    #[schemars(length(min = 1, max = 40))]
    pub version: String,
    /// `pack.yaml` with this name and version, Rego modules (`.rego`), cases (`.yaml`) and data (`.json`), by file name; at most 200 files
    /// and 768 KiB together.
    pub files: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PackPath {
    pub pack: String,
    pub version: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveQuery {
    /// The directory to look into; that of the primary read connection unless told.
    #[serde(default)]
    pub directory: Option<DirectoryId>,
}

/// How one source of a live view answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiveSource {
    pub state: SourceState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to consent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}

/// One high-impact policy as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LivePolicy {
    /// Stable: `security_defaults`, `guest_invites`.
    pub key: String,
    pub name: String,
    pub description: String,
    pub source: LiveSource,
    /// Absent where the source was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Value>,
    pub secure: Value,
    /// Absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliant: Option<bool>,
    /// Whether there is a recipe that secures it: then a fix can be planned by its key.
    #[serde(default)]
    pub fixable: bool,
}

/// Conditional Access in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConditionalAccessSummary {
    pub source: LiveSource,
    pub total: u32,
    pub enabled: u32,
    pub report_only: u32,
    pub disabled: u32,
}

/// High-impact policies of a directory, as they are now.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LivePolicies {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Named<DirectoryId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    pub read_at: Timestamp,
    pub policies: Vec<LivePolicy>,
    pub conditional_access: ConditionalAccessSummary,
}

/// A person or workload that Microsoft holds to be at risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskyUser {
    pub id: String,
    pub name: String,
    pub principal_name: String,
    /// `low`, `medium`, `high`, `hidden`, `none`, or a word of Microsoft's that is newer than this.
    pub level: String,
    pub state: String,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskDetection {
    pub id: String,
    /// Microsoft's word: `unfamiliarFeatures`, `leakedCredentials`.
    pub kind: String,
    pub level: String,
    pub state: String,
    pub user_name: String,
    pub principal_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecurityAlert {
    pub id: String,
    pub title: String,
    pub severity: String,
    pub status: String,
    pub category: String,
    /// Which product raised it.
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What one source answered. A source that fails leaves the others as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Sourced{T}")]
pub struct Sourced<T> {
    pub source: LiveSource,
    pub items: Vec<T>,
    /// True when there are more than are shown.
    pub more: bool,
}

/// Identity risk in a directory, as Microsoft sees it now.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LiveThreats {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Named<DirectoryId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    pub read_at: Timestamp,
    pub risky_users: Sourced<RiskyUser>,
    pub detections: Sourced<RiskDetection>,
    pub alerts: Sourced<SecurityAlert>,
}

/// Live views go through the connection that reads.
pub const LIVE: ConnectionKind = ConnectionKind::Read;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScannedDirectoryPath {
    pub directory: DirectoryId,
}

json!(
    NewScan,
    Scan,
    Page<Scan>,
    ScanEvent,
    ScanResult,
    ScanResultPage,
    ScanSummary,
    ScanSchedule,
    Page<ScanSchedule>,
    NewScanSchedule,
    ScanSettings,
    SettingsOfDirectory,
    Pack,
    Page<Pack>,
    NewPack,
    LivePolicies,
    LiveThreats,
);

operations! {
    /// Starts a scan. A directory is scanned by one scan at a time.
    StartScan = "start_scan" Post "/api/v1/scans" {
        guard: Guard::Needs(Permission::ScansRun), effect: Write("scan.started"), rate: Write, body: NewScan, answer: Scan, status: 202,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "kind": "compliance", "state": "queued", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "connection": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "requested_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "queued_at": "2026-11-22T08:00:00Z", "progress": {"phase": "waiting", "requests_planned": 0, "requests_done": 0, "checks_planned": 0, "checks_judged": 0, "requests_resumed": 0, "degraded": []}, "attempts": 0},
    }
    /// Lists scans, newest first.
    ListScans = "list_scans" Get "/api/v1/scans" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, query: ScanQuery, answer: Page<Scan>, status: 200,
        example: {"items": []},
    }
    /// Shows one scan.
    GetScan = "get_scan" Get "/api/v1/scans/{scan}" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, params: ScanPath, answer: Scan, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "kind": "compliance", "state": "completed", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "connection": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "requested_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "queued_at": "2026-11-22T08:00:00Z", "started_at": "2026-11-22T08:00:01Z", "ended_at": "2026-11-22T08:00:41Z", "progress": {"phase": "storing", "requests_planned": 84, "requests_done": 84, "checks_planned": 262, "checks_judged": 262, "requests_resumed": 0, "degraded": []}, "score": {"percent": 71.4, "band": "good", "passed": 150, "failed": 60, "unclear": 2, "skipped": 52}, "score_change": 2.5, "run": "0192f0c1-2b3c-7d4e-8f50-61728394a5c0", "complete": true, "catalogue": "2026.11", "attempts": 1},
    }
    /// Cancels a scan that has not ended. Nothing more is asked of the directory for it, and nothing of it is kept as evidence.
    CancelScan = "cancel_scan" Post "/api/v1/scans/{scan}/cancel" {
        guard: Guard::Needs(Permission::ScansRun), effect: Write("scan.cancelled"), rate: Write, params: ScanPath, answer: Scan, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "kind": "compliance", "state": "cancelled", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "connection": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "requested_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "queued_at": "2026-11-22T08:00:00Z", "ended_at": "2026-11-22T08:00:10Z", "progress": {"phase": "collecting", "requests_planned": 84, "requests_done": 12, "checks_planned": 262, "checks_judged": 0, "requests_resumed": 0, "degraded": []}, "end": {"code": "cancelled", "detail": "Avery Howard cancelled the scan."}, "attempts": 1},
    }
    /// Follows a scan until it ends: one event now, and one whenever something changed.
    WatchScan = "watch_scan" Get "/api/v1/scans/{scan}/events" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, params: ScanPath, answer: EventStream<ScanEvent>, status: 200,
        example: {"scan": {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "kind": "compliance", "state": "running", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "connection": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "requested_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "queued_at": "2026-11-22T08:00:00Z", "started_at": "2026-11-22T08:00:01Z", "progress": {"phase": "collecting", "requests_planned": 84, "requests_done": 12, "checks_planned": 262, "checks_judged": 0, "requests_resumed": 0, "reading": "/v1.0/users", "degraded": []}, "attempts": 1}},
    }
    /// Shows a completed scan's scores by product and framework, its sources and its packs.
    GetScanSummary = "get_scan_summary" Get "/api/v1/scans/{scan}/summary" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, params: ScanPath, answer: ScanSummary, status: 200,
        example: {"scan": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "scores": {"overall": {"percent": 75.0, "band": "good", "passed": 3, "failed": 1, "unclear": 0, "skipped": 0}, "by_product": [{"name": "entra", "percent": 75.0, "band": "good", "passed": 3, "failed": 1, "unclear": 0, "skipped": 0}], "by_framework": []}, "sources": [{"service": "graph", "path": "/v1.0/policies/authorizationPolicy", "state": "ok"}], "packs": []},
    }
    /// Lists a completed scan's results.
    ListScanResults = "list_scan_results" Get "/api/v1/scans/{scan}/results" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, params: ScanPath, query: ScanResultQuery, answer: ScanResultPage, status: 200,
        example: {"items": [], "counts": {"passed": 0, "passed_with_exclusions": 0, "failed": 0, "skipped": 0, "unknown": 0, "error": 0, "total": 0}, "products": {}, "frameworks": {}, "severities": {}},
    }
    /// Shows one result of a completed scan.
    GetScanResult = "get_scan_result" Get "/api/v1/scans/{scan}/results/{check}" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, params: ScanCheckPath, answer: ScanResult, status: 200,
        example: {"check": "entra.authorization-policy.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "product": "entra", "severity": "medium", "verdict": "failed", "actual": "everyone", "expected": ["adminsAndGuestInviters", "none"], "path": "allowInvitesFrom", "request": "/v1.0/policies/authorizationPolicy", "objects": [], "object_count": 0, "exclusions": [], "would_pass_if_enforced": false, "frameworks": [{"framework": "cis_m365", "version": "7.0", "control": "5.1.6.3", "verdict": "failed"}], "remediation": "Set who may invite guests.", "references": ["https://learn.microsoft.com/entra/external-id/external-collaboration-settings-configure"]},
    }
    /// Lists schedules by name.
    ListScanSchedules = "list_scan_schedules" Get "/api/v1/scan-schedules" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, query: crate::evidence::Paging, answer: Page<ScanSchedule>, status: 200,
        example: {"items": []},
    }
    /// Makes a schedule.
    CreateScanSchedule = "create_scan_schedule" Post "/api/v1/scan-schedules" {
        guard: Guard::Needs(Permission::ScansManage), effect: Write("scan_schedule.created"), rate: Write, body: NewScanSchedule, answer: ScanSchedule, status: 201,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5f0", "name": "nightly", "kind": "compliance", "connection": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "cron": "30 2 * * *", "zone": "Europe/Berlin", "enabled": true, "next_at": "2026-11-23T01:30:00Z", "created_at": "2026-11-22T08:00:00Z"},
    }
    /// Changes a schedule: the whole of it is sent.
    ChangeScanSchedule = "change_scan_schedule" Put "/api/v1/scan-schedules/{schedule}" {
        guard: Guard::Needs(Permission::ScansManage), effect: Write("scan_schedule.changed"), rate: Write, params: SchedulePath, body: NewScanSchedule, answer: ScanSchedule, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5f0", "name": "nightly", "kind": "compliance", "connection": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "cron": "30 3 * * *", "zone": "Europe/Berlin", "enabled": false, "created_at": "2026-11-22T08:00:00Z"},
    }
    /// Removes a schedule. Scans it began stay.
    RemoveScanSchedule = "remove_scan_schedule" Delete "/api/v1/scan-schedules/{schedule}" {
        guard: Guard::Needs(Permission::ScansManage), effect: Write("scan_schedule.removed"), rate: Write, params: SchedulePath, answer: Empty, status: 204,
        example: null,
    }
    /// Shows what scans of a directory are told about it.
    GetScanSettings = "get_scan_settings" Get "/api/v1/scan-settings/{directory}" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, params: ScannedDirectoryPath, answer: SettingsOfDirectory, status: 200,
        example: {"directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "settings": {"emergency_accounts": [], "emergency_groups": [], "accepted_exclusions": {}, "accepted_entities": {}, "parameters": {}, "packs": {}, "scuba_config": null}},
    }
    /// Sets what scans of a directory are told about it: the whole of it is sent.
    SetScanSettings = "set_scan_settings" Put "/api/v1/scan-settings/{directory}" {
        guard: Guard::Needs(Permission::ScansManage), effect: Write("scan_settings.changed"), rate: Write, params: ScannedDirectoryPath, body: ScanSettings, answer: SettingsOfDirectory, status: 200,
        example: {"directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "settings": {"emergency_accounts": ["c0470500-0000-4000-8000-000000000001"], "emergency_groups": [], "accepted_exclusions": {}, "accepted_entities": {}, "parameters": {}, "packs": {}, "scuba_config": null}, "changed_at": "2026-11-22T08:00:00Z"},
    }
    /// Lists the tenant's packs, every version.
    ListPacks = "list_packs" Get "/api/v1/scan-packs" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, query: crate::evidence::Paging, answer: Page<Pack>, status: 200,
        example: {"items": []},
    }
    /// Adds a version of a pack. A version is written once: other files need another version.
    AddPack = "add_pack" Post "/api/v1/scan-packs" {
        guard: Guard::Needs(Permission::ScansManage), effect: Write("scan_pack.added"), rate: Write, body: NewPack, answer: Pack, status: 201,
        example: {"name": "contoso-baseline", "version": "1.0.0", "files": {"checks.rego": 1204}, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "added_at": "2026-11-22T08:00:00Z", "added_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Removes a version of a pack: no further scan judges with it.
    RemovePack = "remove_pack" Delete "/api/v1/scan-packs/{pack}/{version}" {
        guard: Guard::Needs(Permission::ScansManage), effect: Write("scan_pack.removed"), rate: Write, params: PackPath, answer: Empty, status: 204,
        example: null,
    }
    /// Looks at a directory's high-impact policies as they are now.
    GetLivePolicies = "get_live_policies" Get "/api/v1/policies" {
        guard: Guard::Needs(Permission::LiveRead), effect: Read, rate: Write, query: LiveQuery, answer: LivePolicies, status: 200,
        example: {"read_at": "2026-11-22T08:00:00Z", "policies": [{"key": "security_defaults", "name": "Security defaults", "description": "Microsoft's own minimum, for directories without Conditional Access.", "source": {"state": "ok"}, "current": true, "secure": true, "compliant": true}], "conditional_access": {"source": {"state": "ok"}, "total": 8, "enabled": 6, "report_only": 1, "disabled": 1}},
    }
    /// Looks at the people at risk, the detections and the alerts of a directory as they are now, each source for itself.
    GetLiveThreats = "get_live_threats" Get "/api/v1/threats" {
        guard: Guard::Needs(Permission::LiveRead), effect: Read, rate: Write, query: LiveQuery, answer: LiveThreats, status: 200,
        example: {"read_at": "2026-11-22T08:00:00Z", "risky_users": {"source": {"state": "not_licensed", "detail": "Risky users need Entra ID P2."}, "items": [], "more": false}, "detections": {"source": {"state": "needs_consent", "permission": "IdentityRiskEvent.Read.All"}, "items": [], "more": false}, "alerts": {"source": {"state": "ok"}, "items": [], "more": false}},
    }
}
