//! The shapes reports take: Maester through its releases, SARIF in every order its members can stand.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod support;

use bailiwick_base::{Outcome, Product, Severity};
use bailiwick_formats::{Observation, SeveritySource};
use serde_json::{Value, json};
use support::{Kept, Series, parse};

fn read(value: &Value) -> Kept {
    parse(&serde_json::to_vec(value).unwrap()).unwrap().1
}

const GUID: &str = "0817c655-a853-4d8f-9723-3a333b5b9235";

fn tenant(id: &str, tests: Value) -> Value {
    json!({"TenantId": id, "TenantName": "Contoso", "ExecutedAt": "2026-01-02T03:04:05.1234567+01:00", "CurrentVersion": "2.2.0", "Tests": tests})
}

// ---- Maester -----------------------------------------------------------------------------------------------------

#[test]
fn an_early_maester_test_is_split_at_its_colon() {
    let kept = read(&tenant(
        GUID,
        json!([
            {"Name": "MT.1001: Block legacy sign-in", "Tag": "CA", "Result": "Failed", "Block": "Conditional Access Baseline Policies",
             "ErrorRecord": {"Exception": {"Message": "Expected $true, but got $false."}}},
            {"Name": "A check of our own without an id", "Result": "Passed", "ErrorRecord": null},
            {"Name": "Text: error", "Result": "Error", "ErrorRecord": ["boom", {"Exception": "bang"}]},
        ]),
    ));
    let series = &kept.0[0];
    let first = &series.checks[0];
    assert_eq!((first.key.as_str(), first.title.as_str(), first.product), ("MT.1001", "Block legacy sign-in", Some(Product::Entra)));
    assert_eq!(first.tags, ["CA"]);
    assert_eq!(series.results[0].message, "Expected $true, but got $false.");
    assert_eq!(series.checks[1].key, "A check of our own without an id");
    assert_eq!(series.results[2].message, "boom\nbang");
    assert_eq!(series.results[0].severity_source, SeveritySource::Default);
}

#[test]
fn severity_is_the_tests_own_then_its_details_then_the_settings() {
    let mut report = tenant(
        GUID,
        json!([
            {"Id": "A", "Name": "A: x", "Result": "Passed", "Severity": "High", "ResultDetail": {"Severity": "Low"}},
            {"Id": "B", "Name": "B: x", "Result": "Passed", "Severity": "", "ResultDetail": {"Severity": "Low"}},
            {"Id": "C", "Name": "C: x", "Result": "Passed", "Severity": null, "ResultDetail": null},
            {"Id": "D", "Name": "D: x", "Result": "Passed", "Severity": "Purple"},
            {"Id": "E", "Name": "E: x", "Result": "Inconclusive"},
        ]),
    );
    report["MaesterConfig"] = json!({"TestSettings": [{"Id": "C", "Severity": "Critical"}]});
    let kept = read(&report);
    let severities: Vec<_> = kept.results().map(|o| o.severity).collect();
    assert_eq!(severities, [Severity::High, Severity::Low, Severity::Critical, Severity::None, Severity::None]);
    let last = kept.results().last().unwrap();
    assert_eq!((last.outcome, last.outcome_word.as_deref()), (Outcome::Unknown, Some("Inconclusive")));
    let unknown = &kept.0[0].end.as_ref().unwrap().unknown_words;
    assert_eq!(unknown, &[("Severity: Purple".to_owned(), 1), ("Result: Inconclusive".to_owned(), 1)]);
}

#[test]
fn good_tenants_are_taken_and_broken_ones_named() {
    let one = |n: u32| json!([{"Id": format!("T{n}"), "Name": format!("T{n}: x"), "Result": "Passed"}]);
    let report = json!({"Tenants": [
        tenant(GUID, one(1)),
        {"TenantId": GUID, "ExecutedAt": "2026-01-02T03:04:05Z"},
        tenant(GUID, json!([{"Id": "T2", "Name": "T2", "Result": ["Passed"]}])),
        tenant(GUID, json!("none")),
        "text",
        tenant("TenantId (not connected to Graph)", one(3)),
        tenant(GUID, one(4)),
    ], "CurrentVersion": "9"});
    let (report, kept) = parse(&serde_json::to_vec(&report).unwrap()).unwrap();
    let told: Vec<_> = kept.0.iter().map(|s| (s.results[0].check.as_str(), s.info.directory.is_some())).collect();
    assert_eq!(told, [("T1", true), ("T3", false), ("T4", true)], "one tenant may stand there twice, and one without a directory");
    let places: Vec<_> = report.refused.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["$.Tenants[1]", "$.Tenants[2]", "$.Tenants[3]", "$.Tenants[4]"]);
    assert!(report.refused[0].1.contains("Tests is missing"), "{:?}", report.refused);
    assert!(report.refused[1].1.contains("$.Tenants[2].Tests[0].Result"), "{:?}", report.refused);
    assert!(parse(br#"{"Tenants":[{}]}"#).unwrap_err().message.contains("No tenant"));
}

#[test]
fn what_names_people_and_machines_is_never_told() {
    let mut report = tenant(
        GUID,
        json!([{"Id": "A", "Name": "A: x", "Result": "Failed", "ScriptBlock": "CANARY", "ScriptBlockFile": "/Users/CANARY/x.ps1",
        "ErrorRecord": [{"Exception": {"Message": "no"}, "TargetObject": {"File": "CANARY"}, "ScriptStackTrace": "CANARY", "InvocationInfo": {"x": "CANARY"}}]}]),
    );
    for member in ["InvokeCommand", "Account", "SystemInfo", "MgContext", "PesterConfig", "OutputFiles"] {
        report[member] = json!({"x": "CANARY"});
    }
    assert!(!format!("{:?}", read(&report).0).contains("CANARY"));
}

#[test]
fn the_header_may_stand_after_the_tests_and_is_not_believed() {
    let text = format!(
        r#"{{"Tests":[{{"Id":"A","Name":"A: x","Result":"Passed"}}],"PassedCount":7,"TotalCount":1,"ExecutedAt":"2026-01-02T03:04:05Z","TenantId":"{GUID}"}}"#
    );
    let (_, kept) = parse(text.as_bytes()).unwrap();
    assert_eq!(kept.0[0].info.directory.unwrap().to_string(), GUID);
    assert_eq!(kept.0[0].end.as_ref().unwrap().header_mismatches, [("PassedCount".to_owned(), 7, 1)]);
}

#[test]
fn a_web_page_gives_the_data_of_its_script_past_other_objects() {
    let ordered = format!(
        "{{\"TenantId\":\"{GUID}\",\"Tests\":[{{\"Id\":\"A\",\"Name\":\"A: x\",\"Result\":\"Passed\"}}],\"ExecutedAt\":\"2026-01-02T03:04:05Z\"}}"
    );
    let page_of = |object: &str| {
        format!(
            "\n<!DOCTYPE html><title>x={{}}</title><script>const a={{\"b\":1}},c={{\"Result\":[1]}};var d = {object}; more({{}})</script>"
        )
    };
    let (_, kept) = parse(page_of(&ordered).as_bytes()).unwrap();
    assert_eq!(kept.0[0].results.len(), 1);
    assert!(parse(page_of(&ordered[..ordered.len() - 20]).as_bytes()).is_err(), "data that is cut is refused");
}

// ---- SARIF -------------------------------------------------------------------------------------------------------

fn run(members: Value) -> Series {
    let mut run = json!({"tool": {"driver": {"name": "T"}}});
    run.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    read(&json!({"version": "2.1.0", "runs": [run]})).0.remove(0)
}

fn one(result: Value, members: Value) -> (Series, Observation) {
    let mut members = members;
    members["results"] = json!([result]);
    let series = run(members);
    let observation = series.results[0].clone();
    (series, observation)
}

#[test]
fn members_may_stand_in_any_order() {
    let members = [
        r#""tool":{"driver":{"name":"T","rules":[{"id":"A"},{"id":"B","defaultConfiguration":{"level":"error"},"shortDescription":{"text":"Bee"}}]}}"#,
        r#""results":[{"ruleIndex":1,"message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"index":0}}}]}]"#,
        r#""artifacts":[{"location":{"uri":"a.c","uriBaseId":"SRC"}}]"#,
        r#""originalUriBaseIds":{"SRC":{"uri":"src/"}}"#,
        r#""automationDetails":{"id":"nightly/linux/2026-01-01"}"#,
        r#""versionControlProvenance":[{"revisionId":"abc"}]"#,
    ];
    let file = |order: &[usize]| {
        format!(r#"{{"runs":[{{{}}}],"version":"2.1.0"}}"#, order.iter().map(|i| members[*i]).collect::<Vec<_>>().join(","))
    };
    let straight = parse(file(&[0, 1, 2, 3, 4, 5]).as_bytes()).unwrap().1.0;
    for order in [[1, 0, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [1, 2, 3, 4, 5, 0], [2, 1, 4, 0, 3, 5]] {
        assert_eq!(parse(file(&order).as_bytes()).unwrap().1.0, straight);
    }
    let series = &straight[0];
    assert_eq!((series.info.category.as_str(), series.info.revision.as_deref()), ("nightly/linux", Some("abc")));
    let result = &series.results[0];
    assert_eq!((result.check.as_str(), result.title.as_str(), result.severity), ("B", "Bee", Severity::High));
    assert_eq!(result.location.as_ref().unwrap().path, "src/a.c");
}

#[test]
fn rules_are_found_by_index_guid_id_prefix_and_extension() {
    let rule = |id: &str, level: &str| json!({"id": id, "guid": format!("g-{id}"), "defaultConfiguration": {"level": level}});
    let tool = json!({"driver": {"name": "T", "rules": [rule("CA1", "error"), rule("CA2", "note")]},
                      "extensions": [{"name": "E", "guid": "ge", "rules": [rule("X1", "none")]}]});
    let level = |result: Value| one(result, json!({"tool": tool})).1.outcome_word.unwrap();
    assert_eq!(level(json!({"ruleId": "CA2"})), "note");
    assert_eq!(level(json!({"ruleIndex": 0})), "error");
    assert_eq!(level(json!({"ruleId": "CA2", "ruleIndex": 0})), "note", "an index that disagrees with the id is not believed");
    assert_eq!(level(json!({"ruleId": "CA1/sub/part"})), "error");
    assert_eq!(level(json!({"rule": {"guid": "g-CA2"}})), "note");
    assert_eq!(level(json!({"ruleId": "X1", "rule": {"index": 0, "toolComponent": {"index": 0}}})), "none");
    assert_eq!(level(json!({"rule": {"id": "X1", "toolComponent": {"name": "E"}}})), "none");
    assert_eq!(level(json!({"rule": {"id": "X1", "toolComponent": {"guid": "ge"}}})), "none");
    assert_eq!(level(json!({"ruleId": "unheard of", "ruleIndex": -1})), "warning");
    assert_eq!(one(json!({"ruleIndex": 1}), json!({"tool": tool})).1.check, "CA2");
}

#[test]
fn an_invocations_override_beats_the_rules_level() {
    let tool = json!({"driver": {"name": "T", "rules": [{"id": "A", "defaultConfiguration": {"level": "note"}}]}});
    let invocations = json!([{"executionSuccessful": true, "ruleConfigurationOverrides": [{"descriptor": {"index": 0}, "configuration": {"level": "error"}}]}]);
    let level = |result: Value| one(result, json!({"tool": tool, "invocations": invocations})).1.outcome_word.unwrap();
    assert_eq!(level(json!({"ruleId": "A"})), "error");
    assert_eq!(level(json!({"ruleId": "A", "level": "warning"})), "warning");
}

#[test]
fn kinds_become_outcomes() {
    for (kind, outcome, word) in [
        ("fail", Outcome::Failed, "warning"),
        ("pass", Outcome::Passed, "pass"),
        ("notApplicable", Outcome::Skipped, "notApplicable"),
        ("informational", Outcome::Skipped, "informational"),
        ("review", Outcome::Investigate, "review"),
        ("open", Outcome::Investigate, "open"),
        ("purple", Outcome::Unknown, "purple"),
    ] {
        let (series, told) = one(json!({"ruleId": "A", "kind": kind}), json!({}));
        assert_eq!((told.outcome, told.outcome_word.as_deref()), (outcome, Some(word)));
        assert_eq!(series.end.unwrap().unknown_words.is_empty(), kind != "purple");
    }
    let (_, told) = one(json!({"ruleId": "A", "level": "none"}), json!({}));
    assert_eq!((told.outcome, told.severity), (Outcome::Failed, Severity::Info));
}

#[test]
fn suppressions_count_unless_one_is_rejected_or_under_review() {
    let suppressed = |list: Value| one(json!({"ruleId": "A", "suppressions": list}), json!({})).1.suppressed;
    let accepted = suppressed(json!([{"kind": "external", "justification": "known"}])).unwrap();
    assert_eq!((accepted.kind.as_str(), accepted.justification.as_str()), ("external", "known"));
    assert!(suppressed(json!([{"kind": "inSource", "status": "accepted"}])).is_some());
    assert!(suppressed(json!([])).is_none());
    assert!(suppressed(json!([{"kind": "inSource"}, {"kind": "external", "status": "rejected"}])).is_none());
    assert!(suppressed(json!([{"kind": "external", "status": "underReview"}])).is_none());
}

#[test]
fn a_result_gone_since_the_baseline_is_no_result_of_this_run() {
    let series = run(json!({"results": [{"ruleId": "A", "baselineState": "absent"}, {"ruleId": "A", "baselineState": "unchanged"}]}));
    assert_eq!(series.results.len(), 1);
    assert_eq!(series.results[0].baseline_state.as_deref(), Some("unchanged"));
}

#[test]
fn a_run_that_did_not_finish_says_so() {
    let end = |members: Value| run(members).end.unwrap();
    assert!(end(json!({"results": []})).complete);
    assert!(end(json!({"results": [], "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": [{"level": "warning", "message": {"text": "w"}}]}]})).complete);
    for (members, reason) in [
        (json!({}), "did not run"),
        (json!({"results": null}), "did not run"),
        (
            json!({"results": [], "invocations": [{"executionSuccessful": true}, {"executionSuccessful": false, "exitCodeDescription": "out of memory"}]}),
            "out of memory",
        ),
        (
            json!({"results": [], "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": [{"level": "error", "message": {"text": "cannot parse x"}}]}]}),
            "cannot parse x",
        ),
        (json!({"externalPropertyFileReferences": {"results": [{}]}}), "another file"),
    ] {
        let end = end(members);
        assert!(!end.complete && end.incomplete_reason.as_ref().unwrap().contains(reason), "{end:?}");
    }
}

#[test]
fn messages_are_filled_and_their_place_links_become_text() {
    let tool = json!({"driver": {"name": "T", "globalMessageStrings": {"g": {"text": "global {0}"}},
        "rules": [{"id": "A", "messageStrings": {"m": {"text": "'{0}' at [here]({1}) {{x}}"}}}]}});
    let text = |message: Value| one(json!({"ruleId": "A", "message": message}), json!({"tool": tool})).1.message;
    assert_eq!(text(json!({"id": "m", "arguments": ["p", "0"]})), "'p' at here {x}");
    assert_eq!(text(json!({"id": "g", "arguments": ["q"]})), "global q");
    assert_eq!(text(json!({"text": "plain {0}"})), "plain {0}");
    assert_eq!(text(json!({"markdown": "**md**"})), "**md**");
    assert_eq!(text(json!({})), "");
}

#[test]
fn command_lines_environments_and_snippets_are_never_told() {
    let series = run(json!({
        "invocations": [{"executionSuccessful": true, "commandLine": "CANARY", "arguments": ["CANARY"], "environmentVariables": {"X": "CANARY"}, "account": "CANARY", "machine": "CANARY"}],
        "results": [{"ruleId": "secret", "message": {"text": "found"}, "fixes": [{"x": "CANARY"}],
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a"}, "region": {"snippet": {"text": "CANARY"}}, "contextRegion": {"snippet": {"text": "CANARY"}}}}]}]
    }));
    assert!(!format!("{series:?}").contains("CANARY"));
}

#[test]
fn weaknesses_are_found_in_tags_properties_and_taxa() {
    let rules = json!([{"id": "A", "properties": {"tags": ["security", "external/cwe/cwe-079", "OWASP-A05:2021"], "cwe": ["CWE-89: SQL"]},
        "relationships": [{"target": {"id": "CWE-22", "toolComponent": {"name": "CWE"}}}]}]);
    let (_, told) = one(
        json!({"ruleId": "A", "taxa": [{"id": "327", "toolComponent": {"name": "cwe"}}]}),
        json!({"tool": {"driver": {"name": "T", "rules": rules}}}),
    );
    assert_eq!(told.references, ["CWE-22", "CWE-327", "CWE-79", "CWE-89", "OWASP-A05:2021"]);
}
