//! What a scan found: the artifact `scan.json`. Everything here crosses the process border and is stored, so members are only added.

use crate::{ScanKind, Service};
use bailiwick_base::Severity;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The value of [`ScanReport::schema`].
pub const SCHEMA: &str = "bailiwick.scan/1";
/// How many offending objects a result names; the rest are counted.
pub const SAMPLE: usize = 20;

/// What a check says of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    /// The wanted state holds but for exclusions that nobody declared; they are named.
    PassedWithExclusions,
    Failed,
    /// Not judged, for a reason that is no fault: licence, permission, feature absent, nothing to check, not applicable.
    Skipped,
    /// A value that the verdict hangs on is absent or of another type. Never a pass.
    Unknown,
    /// The values could not be read.
    Error,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::PassedWithExclusions => "passed_with_exclusions",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::Error => "error",
        }
    }
}

/// Why a verdict is not a plain pass or fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub code: ReasonCode,
    /// What happened, to which thing, what to do next.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    // skipped
    Licence,
    Permission,
    FeatureAbsent,
    NothingToCheck,
    NotApplicable,
    // unknown
    AbsentValue,
    NotConfigured,
    Unreachable,
    // error
    Cancelled,
    Deadline,
    Unauthorized,
    Throttled,
    ServerError,
    Timeout,
    TooLarge,
    Refused,
    BadRequest,
    Malformed,
    Truncated,
    Internal,
    // passed with exclusions, failed
    Exclusions,
    ReportOnly,
    /// The check itself could not be made, e.g. a tenant's value for a parameter is of the wrong type.
    BadSetting,
    /// In the words of a tenant's pack.
    Told,
}

/// An object that offends against a check, or that the verdict could not be told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectRef {
    /// The object's own id, or the value itself where a list holds plain values.
    pub id: String,
    pub name: Option<String>,
    /// The request's object it was found under (a subscription, a domain), where there are several.
    pub within: Option<String>,
}

/// One control of one framework that a check answers for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlResult {
    /// The catalogue's key: `cis_m365`, `cisa_scuba`, ...
    pub framework: String,
    /// The framework's version, where it has one.
    pub version: Option<String>,
    pub control: String,
    /// As the check's verdict, but `Failed` where the tenant set a parameter looser than this framework asks.
    pub verdict: Verdict,
    /// Says which parameter is looser than what the framework asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loosened: Option<String>,
}

/// What one check says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    pub check: String,
    pub version: u32,
    pub title: String,
    pub product: String,
    pub severity: Severity,
    pub verdict: Verdict,
    pub reason: Option<Reason>,
    /// The value found; for lists `{"matching","not_matching","unknown"}` with the counts.
    pub actual: Value,
    /// The rule's operator and what it compares with, parameters filled in.
    pub expected: Value,
    /// The path looked at inside the answer.
    pub path: String,
    /// The request whose answer was looked at, with placeholders as in the catalogue.
    pub request: String,
    /// Up to [`SAMPLE`] offending objects.
    pub objects: Vec<ObjectRef>,
    pub object_count: u64,
    /// Exclusions that nobody declared, `kind:id`.
    pub exclusions: Vec<String>,
    /// It fails, and would pass if report-only policies were enforced.
    pub would_pass_if_enforced: bool,
    pub frameworks: Vec<ControlResult>,
    pub remediation: String,
    pub references: Vec<String>,
    /// The pack that the check is from; none for the shipped catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
}

/// How one source fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    pub service: Service,
    /// The request; in the report's list with placeholders, while reading the concrete one.
    pub path: String,
    pub state: SourceState,
    /// The HTTP status that ended it, where there was an answer.
    pub status: Option<u16>,
    /// Requests made or resumed, each with all its pages.
    pub requests: u32,
    pub pages: u32,
    pub items: u64,
    /// How many checks read it.
    pub checks: u32,
    pub message: Option<String>,
}

/// Where requests with placeholders end in several states, the report tells the gravest; the order is the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Nobody needed it: every check that reads it is skipped, or its placeholder has no value.
    NotNeeded,
    /// Read whole by an earlier attempt of the scan.
    Resumed,
    /// Read whole.
    Read,
    /// 404: the feature is not there.
    Absent,
    /// Refused for want of a licence.
    Licence,
    /// Refused for want of a permission.
    Permission,
    /// Not read, or not whole.
    Failed,
}

/// The whole of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanReport {
    /// [`SCHEMA`].
    pub schema: String,
    pub directory: Uuid,
    pub directory_name: String,
    pub kind: ScanKind,
    pub started_at: Timestamp,
    /// The catalogue that judged.
    pub catalogue: String,
    /// The catalogue the job was pinned to, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    /// Every source was read whole or is rightly absent.
    pub complete: bool,
    pub sources: Vec<SourceStatus>,
    pub results: Vec<CheckResult>,
    pub scores: Scores,
    pub packs: Vec<PackStatus>,
}

/// How a pack fared. A pack that cannot load says why here and harms nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackStatus {
    pub name: String,
    pub version: String,
    pub error: Option<String>,
    /// Checks it gave verdicts for.
    pub checks: u32,
}

/// Scores of one scan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Over checks.
    pub overall: Score,
    /// Over the checks of a product.
    pub by_product: BTreeMap<String, Score>,
    /// `framework` or `framework version` to a score over its controls: one passes when every check that answers for it and was judged does.
    pub by_framework: BTreeMap<String, Score>,
}

/// One score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub passed: u32,
    /// Failed, passed with exclusions, unknown and errors: everything judged that is no plain pass.
    pub failed: u32,
    /// Of `failed`: verdicts unknown and error.
    pub unclear: u32,
    pub skipped: u32,
    /// 100 * passed / (passed + failed), one decimal; none when nothing was judged.
    pub percent: Option<f64>,
    pub band: Option<Band>,
}

/// Where a score lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Band {
    #[serde(rename = "Critical risk")]
    Critical,
    #[serde(rename = "Needs attention")]
    NeedsAttention,
    Good,
    Excellent,
}
