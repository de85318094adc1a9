//! Zero Trust Assessment and ScubaGear: how their words are mapped and what is never told.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod support;

use bailiwick_base::{Outcome, Product, Severity};
use serde_json::{Value, json};
use support::{Kept, parse};

fn read(value: &Value) -> Kept {
    parse(&serde_json::to_vec(value).unwrap()).unwrap().1
}

fn zero_trust(tests: Value) -> Value {
    json!({"ExecutedAt": "2026-01-02T03:04:05Z", "TenantId": "0817c655-a853-4d8f-9723-3a333b5b9235", "Account": "CANARY", "TenantInfo": {"x": "CANARY"},
           "CurrentVersion": {"Major": 2, "Minor": 1, "Build": 8, "Revision": -1}, "TestResultSummary": {"DevicesPassed": 1, "DevicesTotal": 9, "AIPassed": 3}, "Tests": tests})
}

#[test]
fn zero_trust_statuses_risks_and_pillars_are_mapped() {
    let kept = read(&zero_trust(json!([
        {"TestId": 1, "TestTitle": "a", "TestStatus": "Planned", "TestRisk": "High", "TestPillar": "Identity", "TestSkipped": "UnderConstruction", "TestMinimumLicense": ["P1"]},
        {"TestId": "2", "TestTitle": "b", "TestStatus": "Passed", "TestRisk": "Unranked", "TestPillar": "Devices", "TestMinimumLicense": "P1"},
        {"TestId": "3", "TestTitle": "c", "TestStatus": "Purple", "TestRisk": "Green", "TestPillar": null, "TestAppliesTo": ["Exchange"]},
        {"TestId": "4", "TestTitle": "d", "TestStatus": "Skipped", "TestLikelihood": "HighlyLikely", "SkippedReason": "no licence", "TestResult": "not run"},
    ])));
    let series = &kept.0[0];
    assert_eq!(series.info.tool_version.as_deref(), Some("2.1.8"));
    let told: Vec<_> =
        series.results.iter().map(|o| (o.check.as_str(), o.outcome, o.outcome_word.as_deref(), o.severity, o.message.as_str())).collect();
    assert_eq!(
        told,
        [
            ("1", Outcome::Skipped, Some("Planned"), Severity::High, "UnderConstruction"),
            ("2", Outcome::Passed, None, Severity::None, ""),
            ("3", Outcome::Unknown, Some("Purple"), Severity::None, ""),
            ("4", Outcome::Skipped, None, Severity::High, "no licence"),
        ]
    );
    let products: Vec<_> = series.checks.iter().map(|c| (c.group.as_str(), c.product.unwrap())).collect();
    assert_eq!(products, [("Identity", Product::Entra), ("Devices", Product::Intune), ("", Product::Exchange), ("", Product::Other)]);
    let end = series.end.as_ref().unwrap();
    assert_eq!(end.unknown_words, [("TestStatus: Purple".to_owned(), 1), ("TestRisk: Green".to_owned(), 1)]);
    assert_eq!(end.header_mismatches, [("AIPassed".to_owned(), 3, 0)], "a mismatch is shown; the tests are what counts");
    assert!(!format!("{series:?}").contains("CANARY"));
}

#[test]
fn a_zero_trust_web_page_reads_as_its_json() {
    let report = zero_trust(json!([{"TestId": "1", "TestTitle": "a", "TestStatus": "Failed", "TestRisk": "High"}]));
    // The tool writes ExecutedAt first, which is how its object is known in the page.
    let members: Vec<String> = ["ExecutedAt", "TenantId", "CurrentVersion", "TestResultSummary", "Tests"]
        .iter()
        .map(|m| format!("{m:?}:{}", report[*m]))
        .collect();
    let page = format!("<!DOCTYPE html><script>const reportData = {{{}}}\nrender(reportData)</script>", members.join(","));
    assert_eq!(parse(page.as_bytes()).unwrap().1.0, read(&report).0);
}

fn control(id: &str, result: &str, criticality: &str) -> Value {
    json!({"Control ID": id, "Requirement": "It SHALL be so.<div class='policy-indicators'><a>x</a></div>", "Result": result, "Criticality": criticality, "Details": "as <b>seen</b>"})
}

#[test]
fn scubagear_results_are_mapped_and_raw_is_never_told() {
    let kept = read(&json!({
        "MetaData": {"TenantId": "0817c655-a853-4d8f-9723-3a333b5b9235", "Tool": "ScubaGear", "ToolVersion": "1.8.0", "TimestampZulu": "2026-01-02T03:04:05Z"},
        "Summary": {"AAD": {"Passes": 1, "Failures": 2, "Omit": 1}},
        "AnnotatedFailedPolicies": {"MS.AAD.2.1v1": {"Comment": "being fixed", "RemediationDate": "2026-06-01", "IncorrectResult": false}},
        "Results": {"AAD": [{"GroupName": "G", "GroupReferenceURL": "https://example.com/aad", "Controls": [
            control("MS.AAD.1.1v1", "Pass", "Shall"), control("MS.AAD.2.1v1", "Fail", "Shall"), control("MS.AAD.3.1v1", "Warning", "Should"),
            control("MS.AAD.4.1v1", "N/A", "Shall/3rd Party"), control("MS.AAD.5.1v1", "Omitted", "Should"), control("MS.AAD.6.1v1", "-", "-"),
            control("MS.AAD.7.1v1", "Error", "Shall"),
        ]}]},
        "Raw": {"privileged_users": {"x": "CANARY"}},
    }));
    let series = &kept.0[0];
    let told: Vec<_> = series.results.iter().map(|o| (o.outcome, o.outcome_word.as_deref(), o.severity)).collect();
    assert_eq!(
        told,
        [
            (Outcome::Passed, None, Severity::High),
            (Outcome::Failed, None, Severity::High),
            (Outcome::Failed, Some("Warning"), Severity::Medium),
            (Outcome::Skipped, Some("N/A"), Severity::High),
            (Outcome::Skipped, Some("Omitted"), Severity::Medium),
            (Outcome::NotRun, Some("-"), Severity::None),
            (Outcome::Error, None, Severity::High),
        ]
    );
    assert_eq!(series.results[1].message, "as seen\n\nComment: being fixed (to be remedied by 2026-06-01)");
    assert_eq!(series.results.iter().filter(|o| o.suppressed.is_some()).count(), 1);
    assert_eq!(series.checks[0].title, "It SHALL be so.");
    assert_eq!(series.end.as_ref().unwrap().header_mismatches, [("AAD.Failures".to_owned(), 2, 1)]);
    assert!(!format!("{series:?}").contains("CANARY"));
}

#[test]
fn reports_of_one_product_are_series_of_their_own() {
    let report = |id: &str| {
        json!({"MetaData": {"Tenant Display Name": "Contoso", "Report Date": "05/04/2026 17:15:48 Coordinated Universal Time", "Module Version": "1.8.0"},
        "ReportSummary": {"Passes": 1}, "Results": [{"GroupName": "G", "Controls": [control(id, "Pass", "Shall")]}]})
    };
    let kept = read(&json!([report("MS.AAD.1.1v1"), report("MS.TEAMS.1.1v1")]));
    let series: Vec<_> = kept.0.iter().map(|s| (s.info.category.as_str(), s.info.assessed_at.unwrap().to_string())).collect();
    assert_eq!(series, [("AAD", "2026-05-04T17:15:48Z".to_owned()), ("TEAMS", "2026-05-04T17:15:48Z".to_owned())]);
    let whole =
        read(&json!({"MetaData": {"Tool": "ScubaGear"}, "Results": {"AAD": [{"Controls": [control("MS.AAD.1.1v1", "Pass", "Shall")]}]}}));
    assert_eq!(whole.0[0].results[0].fingerprint, kept.0[0].results[0].fingerprint, "a control is the same in either kind of report");
    assert_eq!(read(&report("MS.EXO.1.1v1")).0[0].info.category, "EXO", "PowerShell writes a list of one as the one");
}
