//! Findings, controls, drift and posture: what the evidence amounts to.

use crate::evidence::{Failure, Location, Named, ObservationPage, ObservationQuery, Run};
use crate::operation::{Empty, Guard, json, operations};
use crate::permission::Permission;
use bailiwick_base::{
    CheckId, Counts, Cursor, DirectoryId, Family, FindingId, Outcome, Page, Product, ProjectId, RunId, SeriesId, Severity, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the last run that looked still saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    Open,
    Fixed,
}

/// Where it is in its life, seen from the newest run of its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingLife {
    New,
    Existing,
    Fixed,
    Reopened,
}

/// What decided the severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeveritySource {
    Result,
    Rule,
    Level,
    Default,
}

/// A failing check, over time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    pub id: FindingId,
    pub status: FindingStatus,
    pub life: FindingLife,
    pub severity: Severity,
    pub severity_source: SeveritySource,
    pub outcome: Outcome,
    pub title: String,
    pub check: CheckId,
    pub check_key: String,
    pub family: Family,
    pub tool: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectoryId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The scanner itself says it is suppressed: shown, still open.
    pub suppressed_in_source: bool,
    pub first_seen: Timestamp,
    /// When the newest run that saw it was processed.
    pub last_seen: Timestamp,
}

/// One finding, whole.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FindingDetail {
    #[serde(flatten)]
    pub finding: Finding,
    pub message: String,
    /// The message was longer than Bailiwick keeps; the raw report has all of it.
    pub truncated: bool,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<String>,
    pub group: String,
    pub tags: Vec<String>,
    pub references: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppression: Option<SourceSuppression>,
    pub directory_name: Option<String>,
    pub project_name: Option<String>,
    pub history: Vec<FindingEvent>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceSuppression {
    pub kind: String,
    pub justification: String,
}

/// One turn in a finding's life.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FindingEvent {
    pub kind: FindingEventKind,
    pub at: Timestamp,
    pub run: RunId,
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingEventKind {
    Opened,
    /// Still failing, with other words, another place or another severity.
    Changed,
    Fixed,
    Reopened,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingSort {
    /// Worst first, then newest.
    #[default]
    Severity,
    /// Newest first.
    FirstSeen,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingQuery {
    /// `open` unless told.
    #[serde(default)]
    pub status: Option<FindingStatus>,
    #[serde(default)]
    pub severity: Option<Severity>,
    #[serde(default)]
    pub family: Option<Family>,
    #[serde(default)]
    pub product: Option<Product>,
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub project: Option<ProjectId>,
    /// Words to look for in the check's id and title.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub search: Option<String>,
    #[serde(default)]
    pub sort: Option<FindingSort>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

/// How many open findings carry each value, under the query's other filters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Facets {
    pub severity: Vec<Facet>,
    pub family: Vec<Facet>,
    pub product: Vec<Facet>,
    pub status: Vec<Facet>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Facet {
    pub value: String,
    pub count: u32,
}

/// How one check moved between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// Moved to failed, error or investigate.
    Regression,
    /// Moved to passed.
    Fixed,
    /// Only in the newer run.
    Added,
    /// Only in the older run.
    Removed,
    /// Moved among states that do not fail.
    Other,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DriftItem {
    pub movement: Movement,
    pub check_key: String,
    pub title: String,
    pub severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    pub group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftCounts {
    pub regression: u32,
    pub fixed: u32,
    pub added: u32,
    pub removed: u32,
    pub other: u32,
    pub unchanged: u32,
}

/// One side of a comparison.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DriftSide {
    pub run: RunId,
    pub position: i32,
    pub source: String,
    pub at: Timestamp,
    pub counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<f64>,
    pub complete: bool,
}

/// What moved between two runs of one series.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    pub series: Series,
    pub from: DriftSide,
    pub to: DriftSide,
    /// The older side is the pinned baseline.
    pub against_baseline: bool,
    pub counts: DriftCounts,
    /// Regressions first, then fixed, added, removed, other; worst first within each; at most 2,000.
    pub items: Vec<DriftItem>,
    /// More moved than are listed; the counts hold all.
    pub truncated: bool,
}

/// Which pair to compare. With nothing: the newest run that has an older one in its series.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftQuery {
    #[serde(default)]
    pub from: Option<RunId>,
    #[serde(default)]
    pub to: Option<RunId>,
    #[serde(default)]
    pub series: Option<SeriesId>,
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub project: Option<ProjectId>,
    #[serde(default)]
    pub family: Option<Family>,
}

/// A line of comparable runs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    pub id: SeriesId,
    pub family: Family,
    pub tool: String,
    #[serde(default)]
    pub category: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Named<DirectoryId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<Named<ProjectId>>,
    /// How many runs it has.
    pub runs: i32,
    /// The run comparisons start from unless another is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesQuery {
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub project: Option<ProjectId>,
    #[serde(default)]
    pub family: Option<Family>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SeriesPath {
    pub series: SeriesId,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBaseline {
    pub run: RunId,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FindingPath {
    pub finding: FindingId,
}

/// One point of the trend: one run of one series.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TrendPoint {
    pub run: RunId,
    pub series: SeriesId,
    pub at: Timestamp,
    pub posture: f64,
    pub passed: u32,
    pub failing: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    pub product: Product,
    pub passed: u32,
    pub failing: u32,
    /// Skipped and not run.
    pub skipped: u32,
    pub unknown: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FailedRun {
    pub run: RunId,
    pub source: String,
    pub at: Timestamp,
    pub failure: Failure,
}

/// The first page, in one answer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    /// Over the newest run of each posture series (Maester, Zero Trust, ScubaGear); absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<f64>,
    pub counts: Counts,
    /// Open findings by severity, worst first.
    pub open_findings: Vec<Facet>,
    /// Ninety days, oldest first.
    pub trend: Vec<TrendPoint>,
    pub coverage: Vec<Coverage>,
    /// The newest comparable pair, its items cut to ten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    pub recent_runs: Vec<Run>,
    pub failed_runs: Vec<FailedRun>,
    pub series: Vec<Series>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverviewQuery {
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub project: Option<ProjectId>,
}

json!(Page<Finding>, FindingDetail, Facets, Drift, Series, Page<Series>, NewBaseline, Overview);

operations! {
    /// The overview: posture, trend, coverage, drift headline, recent runs.
    GetOverview = "get_overview" Get "/api/v1/overview" {
        guard: Guard::Needs(Permission::FindingsRead), effect: Read, rate: Read, query: OverviewQuery, answer: Overview, status: 200,
        example: {"counts": {"passed": 0, "failed": 0, "error": 0, "investigate": 0, "skipped": 0, "not_run": 0, "unknown": 0, "total": 0}, "open_findings": [], "trend": [], "coverage": [], "recent_runs": [], "failed_runs": [], "series": []},
    }
    /// Lists findings.
    ListFindings = "list_findings" Get "/api/v1/findings" {
        guard: Guard::Needs(Permission::FindingsRead), effect: Read, rate: Read, query: FindingQuery, answer: Page<Finding>, status: 200,
        example: {"items": []},
    }
    /// Counts findings by severity, family, product and status.
    GetFacets = "get_facets" Get "/api/v1/findings/facets" {
        guard: Guard::Needs(Permission::FindingsRead), effect: Read, rate: Read, query: FindingQuery, answer: Facets, status: 200,
        example: {"severity": [{"value": "high", "count": 3}], "family": [], "product": [], "status": []},
    }
    /// Shows one finding with its history.
    GetFinding = "get_finding" Get "/api/v1/findings/{finding}" {
        guard: Guard::Needs(Permission::FindingsRead), effect: Read, rate: Read, params: FindingPath, answer: FindingDetail, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "status": "open", "life": "new", "severity": "high", "severity_source": "result", "outcome": "failed", "title": "Break-glass accounts are excluded", "check": "0192f0c1-2b3c-7d4e-8f50-61728394a5d1", "check_key": "MT.1005", "family": "maester", "tool": "Maester", "suppressed_in_source": false, "first_seen": "2026-11-22T08:00:00Z", "last_seen": "2026-11-22T08:00:00Z", "message": "", "truncated": false, "description": "", "group": "Maester/Entra", "tags": [], "references": [], "history": []},
    }
    /// Lists every control with its latest outcome.
    ListControls = "list_controls" Get "/api/v1/controls" {
        guard: Guard::Needs(Permission::FindingsRead), effect: Read, rate: Read, query: ObservationQuery, answer: ObservationPage, status: 200,
        example: {"items": [], "failing": 0, "passed": 0, "rest": 0},
    }
    /// Compares two runs of one series.
    GetDrift = "get_drift" Get "/api/v1/drift" {
        guard: Guard::Needs(Permission::FindingsRead), effect: Read, rate: Read, query: DriftQuery, answer: Drift, status: 200,
        example: {"series": {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "family": "maester", "tool": "Maester", "category": "", "runs": 2}, "from": {"run": "0192f0c1-2b3c-7d4e-8f50-61728394a5c0", "position": 1, "source": "GitHub Actions", "at": "2026-11-21T08:00:00Z", "counts": {"passed": 1, "failed": 0, "error": 0, "investigate": 0, "skipped": 0, "not_run": 0, "unknown": 0, "total": 1}, "posture": 1.0, "complete": true}, "to": {"run": "0192f0c1-2b3c-7d4e-8f50-61728394a5c2", "position": 2, "source": "GitHub Actions", "at": "2026-11-22T08:00:00Z", "counts": {"passed": 0, "failed": 1, "error": 0, "investigate": 0, "skipped": 0, "not_run": 0, "unknown": 0, "total": 1}, "posture": 0.0, "complete": true}, "against_baseline": false, "counts": {"regression": 1, "fixed": 0, "added": 0, "removed": 0, "other": 0, "unchanged": 0}, "items": [{"movement": "regression", "check_key": "MT.1005", "title": "Break-glass accounts are excluded", "severity": "high", "group": "Maester/Entra", "from": "passed", "to": "failed"}], "truncated": false},
    }
    /// Lists the series: which lines of comparable runs there are.
    ListSeries = "list_series" Get "/api/v1/series" {
        guard: Guard::Needs(Permission::FindingsRead), effect: Read, rate: Read, query: SeriesQuery, answer: Page<Series>, status: 200,
        example: {"items": []},
    }
    /// Pins the run that comparisons of a series start from.
    PinBaseline = "pin_baseline" Put "/api/v1/series/{series}/baseline" {
        guard: Guard::Needs(Permission::BaselinesWrite), effect: Write("baseline.pinned"), rate: Write, params: SeriesPath, body: NewBaseline, answer: Series, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "family": "maester", "tool": "Maester", "category": "", "runs": 2, "baseline": "0192f0c1-2b3c-7d4e-8f50-61728394a5c0"},
    }
    /// Takes the pin away: comparisons use the run before again.
    UnpinBaseline = "unpin_baseline" Delete "/api/v1/series/{series}/baseline" {
        guard: Guard::Needs(Permission::BaselinesWrite), effect: Write("baseline.unpinned"), rate: Write, params: SeriesPath, answer: Empty, status: 204,
        example: null,
    }
}
