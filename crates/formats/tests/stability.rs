//! The same result is the same in the next run: when lines move, when results come in another order, when the tool is updated.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod support;

use bailiwick_formats::Observation;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::parse;

fn report(version: &str, results: Vec<Value>) -> Vec<u8> {
    let rules = json!([{"id": "R1", "shortDescription": {"text": "Rule one"}, "properties": {"tags": ["security"]}}, {"id": "secret-key", "properties": {"tags": ["secret"]}}]);
    serde_json::to_vec(&json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Tool", "version": version, "rules": rules}}, "results": results}]})).unwrap()
}

fn result(rule: &str, path: &str, line: u32, snippet: &str) -> Value {
    json!({"ruleId": rule, "message": {"text": format!("Found on line {line}")}, "locations": [{"physicalLocation": {
        "artifactLocation": {"uri": path}, "region": {"startLine": line, "snippet": {"text": snippet}}}}]})
}

fn told(bytes: &[u8]) -> Vec<Observation> {
    parse(bytes).unwrap().1.0.into_iter().flat_map(|s| s.results).collect()
}

fn prints(all: &[Observation]) -> Vec<[u8; 16]> {
    let mut prints: Vec<_> = all.iter().map(|o| o.fingerprint).collect();
    prints.sort_unstable();
    prints
}

#[test]
fn fingerprints_survive_moves_order_and_updates() {
    let results = || {
        vec![
            result("R1", "a.c", 10, "int alpha_value = 1;"),
            result("R1", "a.c", 20, "int beta_value = 2;"),
            result("R1", "b.c", 10, "int alpha_value = 1;"),
        ]
    };
    let first = told(&report("1.0", results()));
    assert_eq!(prints(&first).windows(2).filter(|w| w[0] == w[1]).count(), 0, "three results, three identities");

    let moved = told(&report(
        "1.0",
        vec![
            result("R1", "a.c", 110, "  int alpha_value  = 1;"),
            result("R1", "a.c", 120, "int beta_value = 2;"),
            result("R1", "b.c", 10, "int alpha_value = 1;"),
        ],
    ));
    assert_eq!(prints(&moved), prints(&first));
    let by_print = |all: &[Observation]| all.iter().map(|o| (o.fingerprint, o.content)).collect::<BTreeMap<_, _>>();
    let (before, after) = (by_print(&first), by_print(&moved));
    assert_eq!(before.iter().filter(|(print, content)| after[*print] != **content).count(), 2, "a move is seen in the content");

    let mut reversed = results();
    reversed.reverse();
    assert_eq!(by_print(&told(&report("2.0", reversed))), before, "order and the tool's version change nothing");
}

#[test]
fn results_alike_in_everything_are_told_apart_by_counting() {
    let same = || result("R1", "a.c", 10, "int alpha_value = 1;");
    let three = told(&report("1", vec![same(), same(), same()]));
    let two = told(&report("1", vec![same(), same()]));
    let unique: std::collections::BTreeSet<_> = prints(&three).into_iter().collect();
    assert_eq!(unique.len(), 3);
    assert!(prints(&two).iter().all(|print| unique.contains(print)), "one of three fixed leaves two known ones");
}

#[test]
fn the_tools_own_fingerprints_come_first() {
    let with = |line: u32, text: &str, hash: &str| {
        let mut one = result("R1", "a.c", line, text);
        one["partialFingerprints"] = json!({"primaryLocationLineHash": hash, "primaryLocationStartColumnFingerprint": line.to_string()});
        told(&report("1", vec![one]))[0].fingerprint
    };
    assert_eq!(with(1, "x", "aa:1"), with(9, "y", "aa:1"));
    assert_ne!(with(1, "x", "aa:1"), with(1, "x", "aa:2"));
}

#[test]
fn the_text_of_a_secret_takes_no_part() {
    let one = told(&report("1", vec![result("secret-key", "a.c", 1, "AKIAIOSFODNN7EXAMPLE")]));
    let other = told(&report("1", vec![result("secret-key", "a.c", 1, "AKIAI44QH8DHBEXAMPLE")]));
    assert_eq!(one, other);
    assert!(!format!("{one:?}").contains("AKIA"));
}

fn maester(at: &str, tests: Vec<Value>) -> Vec<u8> {
    serde_json::to_vec(&json!({"TenantId": "0817c655-a853-4d8f-9723-3a333b5b9235", "ExecutedAt": at, "Tests": tests})).unwrap()
}

fn test(id: &str, title: &str, result: &str, duration: &str) -> Value {
    json!({"Id": id, "Title": title, "Name": format!("{id}: {title}"), "Result": result, "Duration": duration, "Block": "Maester/Entra"})
}

#[test]
fn a_maester_test_is_known_by_its_id_whatever_its_case_title_and_place() {
    let first = told(&maester(
        "2026-01-01T00:00:00Z",
        vec![test("MT.1001", "One", "Passed", "00:00:01"), test("MT.1002", "Two", "Failed", "00:00:01")],
    ));
    let again = told(&maester(
        "2026-01-02T00:00:00Z",
        vec![test("MT.1002", "Two", "Failed", "00:00:09"), test("mt.1001", "One", "Passed", "00:00:09")],
    ));
    assert_eq!(prints(&first), prints(&again));
    assert_eq!(first[1].content, again[0].content, "when a test ran and how long it took is no part of its content");
    let reworded = told(&maester("2026-01-02T00:00:00Z", vec![test("MT.1001", "One, better said", "Passed", "")]));
    assert_eq!(reworded[0].fingerprint, first[0].fingerprint);
    assert_ne!(reworded[0].content, first[0].content);
}

#[test]
fn repeated_maester_ids_are_told_apart_by_name_in_any_order() {
    let (a, b) = (test("X.1", "Alpha", "Passed", ""), test("X.1", "Beta", "Failed", ""));
    let there = told(&maester("2026-01-01T00:00:00Z", vec![a.clone(), b.clone(), b.clone()]));
    let back = told(&maester("2026-01-01T00:00:00Z", vec![b.clone(), b, a]));
    assert_eq!(prints(&there), prints(&back));
    assert_eq!(prints(&there).windows(2).filter(|w| w[0] == w[1]).count(), 0);
    let keys: std::collections::BTreeSet<_> = there.iter().map(|o| o.check.as_str()).collect();
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["X.1: Alpha", "X.1: Beta"], "each is a check of its own");
    assert_eq!(
        there.iter().find(|o| o.title == "Alpha").unwrap().fingerprint,
        back.iter().find(|o| o.title == "Alpha").unwrap().fingerprint
    );
}
