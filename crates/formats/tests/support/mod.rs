//! A sink that keeps everything, and the way to the sample corpus.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use bailiwick_formats::{CheckInfo, FormatError, Limits, Observation, Report, SeriesEnd, SeriesInfo, Sink, read};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub info: SeriesInfo,
    pub checks: Vec<CheckInfo>,
    pub results: Vec<Observation>,
    pub end: Option<SeriesEnd>,
}

#[derive(Debug, Default)]
pub struct Kept(pub Vec<Series>);

impl Kept {
    pub fn results(&self) -> impl Iterator<Item = &Observation> {
        self.0.iter().flat_map(|s| &s.results)
    }
}

impl Sink for Kept {
    fn begin_series(&mut self, info: SeriesInfo) -> ControlFlow<()> {
        assert!(self.0.last().is_none_or(|s| s.end.is_some()), "a series begins while another is open");
        self.0.push(Series { info, checks: Vec::new(), results: Vec::new(), end: None });
        ControlFlow::Continue(())
    }
    fn check(&mut self, check: CheckInfo) -> ControlFlow<()> {
        let series = self.0.last_mut().expect("a check comes in a series");
        assert!(series.checks.iter().all(|c| c.key != check.key), "the check {} is told twice", check.key);
        series.checks.push(check);
        ControlFlow::Continue(())
    }
    fn observation(&mut self, observation: Observation) -> ControlFlow<()> {
        let series = self.0.last_mut().expect("an observation comes in a series");
        assert!(series.checks.iter().any(|c| c.key == observation.check), "{} is told before its check", observation.check);
        series.results.push(observation);
        ControlFlow::Continue(())
    }
    fn end_series(&mut self, end: SeriesEnd) -> ControlFlow<()> {
        self.0.last_mut().expect("a series ends that began").end = Some(end);
        ControlFlow::Continue(())
    }
}

pub fn parse(bytes: &[u8]) -> Result<(Report, Kept), FormatError> {
    parse_within(bytes, &Limits::default())
}

pub fn parse_within(bytes: &[u8], limits: &Limits) -> Result<(Report, Kept), FormatError> {
    let mut kept = Kept::default();
    read(bytes, limits, &mut kept).map(|report| (report, kept))
}

/// The sample corpus, where BAILIWICK_CORPUS says or beside the workspace; `None` on a machine that has none.
/// A folder that was named must be there.
pub fn corpus() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("BAILIWICK_CORPUS") {
        let named = PathBuf::from(named);
        assert!(named.join("index.json").is_file(), "BAILIWICK_CORPUS names {}, which holds no index.json", named.display());
        return Some(named);
    }
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    beside.join("index.json").is_file().then_some(beside)
}

/// A small report of each family, composed here, so that tests need no outside file.
pub fn composed() -> Vec<(&'static str, Vec<u8>)> {
    let tenant = |name: &str| {
        json!({"Result": "Failed", "PassedCount": 1, "FailedCount": 1, "TotalCount": 2, "ExecutedAt": "2026-01-02T03:04:05.5+01:00",
            "TenantId": "0817c655-a853-4d8f-9723-3a333b5b9235", "TenantName": name, "CurrentVersion": "2.2.0", "Tests": [
            {"Id": "MT.1001", "Title": "Zugriff überwachen \u{1F512}", "Name": "MT.1001: Zugriff", "Severity": "High", "Tag": ["CA", "Entra"], "Result": "Passed", "ErrorRecord": [], "Block": "Maester/Entra", "ResultDetail": null},
            {"Id": "MT.1002", "Title": "Second", "Name": "MT.1002: Second", "Severity": "", "Tag": "EXO", "Result": "Failed", "ErrorRecord": {"Exception": {"Message": "no"}}, "Block": "Custom",
             "ResultDetail": {"TestDescription": "why", "TestResult": "what\n\"quoted\"", "TestSkipped": null, "Severity": "Low"}}]})
    };
    let maester = tenant("Contoso");
    // A page's data is known by its first member, so the order of members matters here.
    let page = format!(
        "<!DOCTYPE html><script>var a={{\"b\":1}},us={{\"Tenants\":[{},{}],\"EndOfJson\":\"EndOfJson\"}};</script>",
        tenant("Contoso"),
        tenant("Fabrikam")
    );
    let sarif = json!({"version": "2.1.0", "runs": [
        {"results": [
            {"ruleId": "A/sub", "message": {"id": "m", "arguments": ["x", "0"]}, "suppressions": [{"kind": "external", "justification": "known"}],
             "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/a%20b.c", "uriBaseId": "R"}, "region": {"startLine": 3, "snippet": {"text": "int alpha_value;"}}}}]},
            {"ruleIndex": 1, "level": "note", "kind": "fail", "message": {"text": "see [here](1)"}, "partialFingerprints": {"primaryLocationLineHash": "ab:1"}, "baselineState": "new"}],
         "tool": {"driver": {"name": "T", "version": "1", "rules": [{"id": "A", "messageStrings": {"m": {"text": "'{0}' at [place]({1})"}}}, {"id": "B", "properties": {"security-severity": "9.1", "tags": ["external/cwe/cwe-079"]}}]}},
         "originalUriBaseIds": {"R": {"uri": "file:///build/"}}, "invocations": [{"executionSuccessful": true, "endTimeUtc": "2026-01-02T03:04:05Z"}]},
        {"tool": {"driver": {"name": "Other"}}}]});
    let zero_trust = json!({"ExecutedAt": "2026-01-02T03:04:05Z", "TenantId": "0817c655-a853-4d8f-9723-3a333b5b9235", "CurrentVersion": "2.1.8", "TestResultSummary": {"IdentityPassed": 1},
        "Tests": [{"TestId": "1", "TestTitle": "a", "TestStatus": "Passed", "TestRisk": "High", "TestPillar": "Identity"}, {"TestId": "2", "TestTitle": "b", "TestStatus": "Planned", "TestRisk": "Low", "TestPillar": null}]});
    let scubagear = json!({"MetaData": {"TenantId": "0817c655-a853-4d8f-9723-3a333b5b9235", "Tool": "ScubaGear", "ToolVersion": "1.8.0", "TimestampZulu": "2026-01-02T03:04:05Z"},
        "Results": {"AAD": [{"GroupName": "G", "Controls": [{"Control ID": "MS.AAD.1.1v1", "Requirement": "It SHALL.<div class='policy-indicators'></div>", "Result": "Fail", "Criticality": "Shall", "Details": "<b>x</b>"}]}]}, "Raw": {"a": [1.5e3, null, true]}});
    let engine =
        json!([{"PolicyId": "MS.AAD.1.1v1", "Criticality": "Should", "RequirementMet": false, "ReportDetails": "x", "ActualValue": []}]);
    let mut all = vec![("page", page.into_bytes())];
    for (name, value) in [("maester", maester), ("sarif", sarif), ("zero trust", zero_trust), ("scubagear", scubagear), ("engine", engine)]
    {
        all.push((name, serde_json::to_vec_pretty(&value).unwrap()));
    }
    all
}

/// How many bytes of a composed report are needed: fewer, and it is cut.
pub fn needed(name: &str, bytes: &[u8]) -> usize {
    if name == "page" { bytes.windows(2).rposition(|w| w == b"};").unwrap() + 1 } else { bytes.len() }
}
