//! One observation model for all families.

use bailiwick_base::{Family, Outcome, Product, Severity, Timestamp};
use std::ops::ControlFlow;
use uuid::Uuid;

/// What a line of comparable runs is about. Two reports with equal keys are compared; others never are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesInfo {
    pub family: Family,
    /// The assessed directory the report names; `None` for code scanners and for reports made without a Graph connection.
    pub directory: Option<Uuid>,
    pub directory_name: Option<String>,
    /// The tool as it names itself: `Maester`, `Trivy`, `CodeQL`.
    pub tool: String,
    pub tool_version: Option<String>,
    /// What keeps two reports of one tool apart: SARIF `automationDetails.id` up to its last slash; empty elsewhere.
    pub category: String,
    /// When the tool says it looked.
    pub assessed_at: Option<Timestamp>,
    /// Source revision, when the report says (SARIF versionControlProvenance).
    pub revision: Option<String>,
}

/// What was tested, told once per series before the first observation that names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckInfo {
    /// Stable within tool and family: `MT.1001`, `CKV_AZURE_1`, `MS.AAD.1.1`. Where a Maester report repeats an id, the test's whole
    /// name (`AADSC: Default Settings`), since the id names no test alone there.
    pub key: String,
    pub title: String,
    /// Plain text or Markdown; hostile until rendered by a sanitiser.
    pub description: String,
    pub help_url: Option<String>,
    pub product: Option<Product>,
    /// Grouping the tool gives: Maester block, Zero Trust pillar, ScubaGear group, SARIF tool component.
    pub group: String,
    pub tags: Vec<String>,
}

/// One result in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// [`CheckInfo::key`] of the check.
    pub check: String,
    /// Survives line moves and re-runs: first 16 bytes of SHA-256 over family, tool, check and the best identity the format offers.
    /// Two results of one run with the same base are told apart by an ordinal, which the parser has mixed in already.
    pub fingerprint: [u8; 16],
    /// First 8 bytes of SHA-256 over everything below: equal means nothing a person would see has changed.
    pub content: u64,
    pub outcome: Outcome,
    /// The tool's own word for the outcome where it differs (`Planned`, `N/A`, `Warning`). For SARIF the level (`error`, `note`), for
    /// another kind than fail the kind, with a level of its own in brackets (`pass`, `review (note)`).
    pub outcome_word: Option<String>,
    pub severity: Severity,
    pub severity_source: SeveritySource,
    pub title: String,
    /// What the tool says about this result; hostile until rendered. At most [`Limits::text`] bytes, cut at a character with `truncated` set.
    pub message: String,
    pub truncated: bool,
    pub location: Option<Location>,
    /// The scanner's own suppression: kept and shown, never a silent close.
    pub suppressed: Option<SourceSuppression>,
    /// SARIF baselineState, as written.
    pub baseline_state: Option<String>,
    /// Framework references found in the result or rule: `CWE-79`, `CIS.M365.1.1.1`.
    pub references: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeveritySource {
    /// The result carries it.
    Result,
    /// The rule or test definition carries it.
    Rule,
    /// Derived from level or criticality.
    Level,
    /// The tool says nothing: the family's default.
    Default,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// Relative to the repository, forward slashes, no `..`.
    pub path: String,
    pub start_line: Option<u32>,
    pub end_line: Option<u32>,
    pub start_column: Option<u32>,
    /// How many more places the result names.
    pub more: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSuppression {
    pub kind: String,
    pub justification: String,
}

/// What a series amounts to, told when its last observation has been.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeriesEnd {
    /// False when the tool itself says it did not finish (SARIF `executionSuccessful: false`, an error-level notification): closes nothing.
    pub complete: bool,
    /// Why not, in the tool's words.
    pub incomplete_reason: Option<String>,
    /// Header counts that differ from the results: (`member`, stated, counted).
    pub header_mismatches: Vec<(String, u64, u64)>,
    /// Words the parser did not know, with how often each came.
    pub unknown_words: Vec<(String, u32)>,
    /// Every check the tool says it looked for, where it also names some that found nothing (SARIF `rules`). Silence about any other
    /// check then says nothing. Empty: the tool lists only what it found, or the family names every test.
    pub looked_for: Vec<String>,
}

/// What the parser tells as it reads. `Break` stops the reading: the receiver cannot go on.
pub trait Sink {
    fn begin_series(&mut self, series: SeriesInfo) -> ControlFlow<()>;
    fn check(&mut self, check: CheckInfo) -> ControlFlow<()>;
    fn observation(&mut self, observation: Observation) -> ControlFlow<()>;
    fn end_series(&mut self, end: SeriesEnd) -> ControlFlow<()>;
}

/// Limits of one report. Each refusal names the one that was hit.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes after any decompression.
    pub bytes: u64,
    pub depth: u32,
    /// Bytes of one string in the file.
    pub string: usize,
    pub results: u32,
    pub series: u32,
    /// Bytes kept of a message or description.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 512 << 20, depth: 64, string: 16 << 20, results: 1_000_000, series: 200, text: 8 << 10 }
    }
}

/// What a report was, once read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub family: Family,
    /// Parts that were refused while others were good (a broken entry of a multi-tenant report), with their place.
    pub refused: Vec<(String, String)>,
}

/// Why a report was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FormatError {
    pub kind: FormatErrorKind,
    /// For a person: what is wrong and what to do.
    pub message: String,
    /// `line 12, column 4`, `$.runs[0].results[7]`.
    pub place: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatErrorKind {
    /// Not a format Bailiwick reads, or a version it refuses by name.
    Unknown,
    /// The format, but broken.
    Malformed,
    Limit,
    /// The bytes could not be read; not the report's fault.
    Io,
    /// The sink asked to stop.
    Stopped,
}
