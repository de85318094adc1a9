//! Evidence: runs, their artifacts, and the observations in them.

use crate::identity::Principal;
use crate::operation::{Guard, StreamBody, json, operations};
use crate::permission::Permission;
use bailiwick_base::{
    ArtifactId, CheckId, Code, Counts, Cursor, DirectoryId, Family, FindingId, Outcome, Page, Product, ProjectId, RunId, SeriesId,
    Severity, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where to go on, and how much at a time.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

/// The life of a run. `receiving` takes artifacts; completing makes it `queued`; then it is `processing` until it `succeeded`, or
/// `failed` with a reason. `duplicate` is a completed upload of the very bytes another run of the same pipeline run holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Receiving,
    Queued,
    Processing,
    Succeeded,
    Failed,
    Duplicate,
}

impl RunState {
    pub const ALL: &[RunState] = &[Self::Receiving, Self::Queued, Self::Processing, Self::Succeeded, Self::Failed, Self::Duplicate];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Duplicate => "duplicate",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text)
    }
    /// Nothing more will happen to it by itself.
    pub fn settled(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Duplicate)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// Free text that says where the report comes from, e.g. `GitHub Actions`; 1 to 120 characters.
    #[schemars(length(min = 1, max = 120))]
    pub source: String,
    /// A project's name or id. A project key implies its own.
    #[serde(default)]
    pub project: Option<String>,
    /// The pipeline's own id of its run; the same id with the same files is taken once.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub pipeline_run_id: Option<String>,
    /// Repeating an open with the same key answers the run it opened the first time; at most 100 characters.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub idempotency_key: Option<String>,
}

/// The manifest: says that all artifacts have arrived. Only now is anything processed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Every artifact of the run with its SHA-256. A missing, surplus or different one refuses the manifest.
    pub artifacts: Vec<ManifestLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestLine {
    pub name: String,
    /// Lower-case hex.
    pub sha256: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Named{Id}")]
pub struct Named<Id> {
    pub id: Id,
    pub name: String,
}

/// One submission.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    pub id: RunId,
    pub state: RunState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<Named<ProjectId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_run_id: Option<String>,
    pub submitted_by: Principal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_version: Option<String>,
    pub opened_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed_at: Option<Timestamp>,
    /// When the tool says it looked (the newest of its series).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assessed_at: Option<Timestamp>,
    pub counts: Counts,
    /// 0 to 1; absent when nothing was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<f64>,
    pub findings: FindingCounts,
    /// The run whose bytes these are again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How often processing was tried.
    pub attempts: u32,
}

/// What a run did to findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingCounts {
    pub new: u32,
    pub existing: u32,
    pub fixed: u32,
    pub reopened: u32,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    pub code: Code,
    pub detail: String,
    /// Line, or JSON path, in the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
}

/// One run, whole.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RunDetail {
    #[serde(flatten)]
    pub run: Run,
    pub artifacts: Vec<Artifact>,
    pub series: Vec<RunSeries>,
    /// What is worth knowing and refused nothing: header counts that differ, unknown words, broken entries.
    pub remarks: Vec<String>,
}

/// The part of a run that is about one directory, or one tool and category.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RunSeries {
    pub series: SeriesId,
    pub family: Family,
    pub tool: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub category: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Named<DirectoryId>>,
    /// Position of this run in the series, from 1.
    pub position: i32,
    pub counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<f64>,
    pub findings: FindingCounts,
    /// False when the tool did not finish: such a run closes nothing it did not look at.
    pub complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete_reason: Option<String>,
    /// The run before it in the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<RunId>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    pub id: ArtifactId,
    pub run: RunId,
    pub name: String,
    /// `json`, `html` or `other`, from the bytes.
    pub kind: ArtifactKind,
    pub size: u64,
    /// Lower-case hex, of the bytes as they were sent.
    pub sha256: String,
    pub stored_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactKind {
    Json,
    Html,
    Other,
}

/// An artifact in the list of reports.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    #[serde(flatten)]
    pub artifact: Artifact,
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    pub directories: Vec<Named<DirectoryId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assessed_at: Option<Timestamp>,
}

/// One result in one run, or the latest of its check.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    pub series: SeriesId,
    pub check: CheckId,
    /// The tool's id of the check: `MT.1001`, `CKV_AZURE_1`.
    pub check_key: String,
    pub title: String,
    pub outcome: Outcome,
    /// The tool's own word where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_word: Option<String>,
    pub severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    pub group: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectoryId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingId>,
    pub tags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start_column: Option<u32>,
    #[serde(default)]
    pub more: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RunPath {
    pub run: RunId,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactPath {
    pub run: RunId,
    /// A file name: 1 to 200 characters, no slash, no control character, not `.` or `..`.
    pub name: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutArtifactQuery {
    /// SHA-256 of the body in lower-case hex; a body that differs is refused and not kept.
    #[serde(default)]
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunQuery {
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub project: Option<ProjectId>,
    #[serde(default)]
    pub family: Option<Family>,
    #[serde(default)]
    pub state: Option<RunState>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub kind: Option<ArtifactKind>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

/// Which outcomes: `failing` is failed, error and investigate; `rest` is skipped, not run and unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeGroup {
    Failing,
    Passed,
    Rest,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservationQuery {
    #[serde(default)]
    pub outcome: Option<OutcomeGroup>,
    #[serde(default)]
    pub product: Option<Product>,
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub family: Option<Family>,
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

/// Observations with how many there are of each group under the other filters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ObservationPage {
    #[serde(flatten)]
    pub page: Page<Observation>,
    pub failing: u32,
    pub passed: u32,
    pub rest: u32,
}

json!(NewRun, Manifest, Run, RunDetail, Page<Run>, Artifact, Page<Report>, ObservationPage);

operations! {
    /// Opens a run.
    OpenRun = "open_run" Post "/api/v1/runs" {
        guard: Guard::Needs(Permission::RunsSubmit), effect: Write("run.opened"), rate: Upload, body: NewRun, answer: Run, status: 201,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5c0", "state": "receiving", "source": "GitHub Actions", "submitted_by": {"kind": "workload", "id": "c0ffee00-0000-4000-8000-000000000002", "name": "nightly"}, "opened_at": "2026-11-22T08:00:00Z", "counts": {"passed": 0, "failed": 0, "error": 0, "investigate": 0, "skipped": 0, "not_run": 0, "unknown": 0, "total": 0}, "findings": {"new": 0, "existing": 0, "fixed": 0, "reopened": 0}, "attempts": 0},
    }
    /// Sends one file of an open run, as raw bytes.
    ///
    /// Repeating it with the same bytes changes nothing; other bytes under the same name are refused.
    PutArtifact = "put_artifact" Put "/api/v1/runs/{run}/artifacts/{name}" {
        guard: Guard::Needs(Permission::RunsSubmit), effect: Write("artifact.stored"), rate: Upload, params: ArtifactPath, query: PutArtifactQuery, body: StreamBody, answer: Artifact, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5c1", "run": "0192f0c1-2b3c-7d4e-8f50-61728394a5c0", "name": "TestResults.json", "kind": "json", "size": 48213, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "stored_at": "2026-11-22T08:00:01Z"},
    }
    /// Sends the manifest: the run is whole, and is processed from now on.
    CompleteRun = "complete_run" Post "/api/v1/runs/{run}/complete" {
        guard: Guard::Needs(Permission::RunsSubmit), effect: Write("run.completed"), rate: Upload, params: RunPath, body: Manifest, answer: Run, status: 202,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5c0", "state": "queued", "source": "GitHub Actions", "submitted_by": {"kind": "workload", "id": "c0ffee00-0000-4000-8000-000000000002", "name": "nightly"}, "opened_at": "2026-11-22T08:00:00Z", "completed_at": "2026-11-22T08:00:02Z", "counts": {"passed": 0, "failed": 0, "error": 0, "investigate": 0, "skipped": 0, "not_run": 0, "unknown": 0, "total": 0}, "findings": {"new": 0, "existing": 0, "fixed": 0, "reopened": 0}, "attempts": 0},
    }
    /// Lists runs, newest first. Duplicates only when asked for by state.
    ListRuns = "list_runs" Get "/api/v1/runs" {
        guard: Guard::Needs(Permission::RunsRead), effect: Read, rate: Read, query: RunQuery, answer: Page<Run>, status: 200,
        example: {"items": []},
    }
    /// Shows one run: state, counts, artifacts, series.
    GetRun = "get_run" Get "/api/v1/runs/{run}" {
        guard: Guard::Needs(Permission::RunsRead), effect: Read, rate: Read, params: RunPath, answer: RunDetail, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5c0", "state": "succeeded", "family": "maester", "source": "GitHub Actions", "submitted_by": {"kind": "workload", "id": "c0ffee00-0000-4000-8000-000000000002", "name": "nightly"}, "opened_at": "2026-11-22T08:00:00Z", "completed_at": "2026-11-22T08:00:02Z", "processed_at": "2026-11-22T08:00:03Z", "counts": {"passed": 3, "failed": 1, "error": 0, "investigate": 0, "skipped": 0, "not_run": 0, "unknown": 0, "total": 4}, "posture": 0.75, "findings": {"new": 1, "existing": 0, "fixed": 0, "reopened": 0}, "attempts": 1, "artifacts": [], "series": [], "remarks": []},
    }
    /// Tries a failed run again.
    RetryRun = "retry_run" Post "/api/v1/runs/{run}/retry" {
        guard: Guard::Needs(Permission::RunsRetry), effect: Write("run.retried"), rate: Write, params: RunPath, answer: Run, status: 202,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5c0", "state": "queued", "source": "GitHub Actions", "submitted_by": {"kind": "workload", "id": "c0ffee00-0000-4000-8000-000000000002", "name": "nightly"}, "opened_at": "2026-11-22T08:00:00Z", "counts": {"passed": 0, "failed": 0, "error": 0, "investigate": 0, "skipped": 0, "not_run": 0, "unknown": 0, "total": 0}, "findings": {"new": 0, "existing": 0, "fixed": 0, "reopened": 0}, "attempts": 1},
    }
    /// Lists every result of one run.
    ListRunObservations = "list_run_observations" Get "/api/v1/runs/{run}/observations" {
        guard: Guard::Needs(Permission::FindingsRead), effect: Read, rate: Read, params: RunPath, query: ObservationQuery, answer: ObservationPage, status: 200,
        example: {"items": [], "failing": 0, "passed": 0, "rest": 0},
    }
    /// Streams an artifact as it was sent, after its trail entry is written; the hash is checked again on the way.
    GetArtifact = "get_artifact" Get "/api/v1/runs/{run}/artifacts/{name}" {
        guard: Guard::Needs(Permission::ArtifactsRead), effect: Disclose("artifact.read"), rate: Read, params: ArtifactPath, answer: StreamBody, status: 200,
        example: null,
    }
    /// Lists the stored reports, newest first.
    ListReports = "list_reports" Get "/api/v1/reports" {
        guard: Guard::Needs(Permission::RunsRead), effect: Read, rate: Read, query: ReportQuery, answer: Page<Report>, status: 200,
        example: {"items": []},
    }
}
