//! Scans from a pipeline: started, followed by events or by asking, held against a score.

use crate::Bailiwick;
use crate::fake::{Fake, Fault};
use bailiwick_contract::Operation;
use bailiwick_contract::scans::{GetScan, GetScanSummary, StartScan, WatchScan};
use serde_json::{Value, json};

const SCAN: &str = "0192f0c1-2b3c-7d4e-8f50-61728394a5e0";
const WATCHED: &str = "GET /api/v1/scans/0192f0c1-2b3c-7d4e-8f50-61728394a5e0/events";
const SUMMARY: &str = "GET /api/v1/scans/0192f0c1-2b3c-7d4e-8f50-61728394a5e0/summary";
const RESULTS: &str = "GET /api/v1/scans/0192f0c1-2b3c-7d4e-8f50-61728394a5e0/results";
const SHOWN: &str = "GET /api/v1/scans/0192f0c1-2b3c-7d4e-8f50-61728394a5e0";

fn connections() -> Value {
    let one = |id: &str, name: &str, primary: bool| {
        json!({"id": id, "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": name}, "kind": "read", "label": name, "primary": primary,
            "state": "working", "app": {"client_id": "c0ffee00-0000-4000-8000-0000000000d1", "own": false, "credential": "federated"}, "granted": [], "features": [],
            "warnings": [], "connected_at": "2026-11-22T08:00:00Z", "connected_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}})
    };
    json!({"items": [one("0192f0c1-2b3c-7d4e-8f50-61728394a5d1", "Contoso", false), one("0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "Contoso", true)]})
}

/// A server on which Contoso can be scanned, and the scan has ended.
async fn scanned() -> Fake {
    let server = Fake::start().await;
    server.answer("GET /api/v1/connections", connections());
    server.answer("POST /api/v1/scans", (StartScan::SPEC.example)());
    server.answer(SUMMARY, (GetScanSummary::SPEC.example)());
    server
}

fn completed() -> Value {
    (GetScan::SPEC.example)()
}

#[tokio::test]
async fn a_scan_is_started_through_the_primary_connection() {
    let server = scanned().await;
    let done = Bailiwick::at(&server.url).run(["scan", "start", "--directory", "contoso", "--kind", "exposure", "--json"]).await;
    assert_eq!((done.code, done.json()["scan"]["state"].as_str()), (0, Some("queued")), "{}", done.stderr);
    let sent: Value = serde_json::from_slice(&server.state().seen[1].body).unwrap();
    assert_eq!(sent, json!({"kind": "exposure", "connection": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0"}));
}

#[tokio::test]
async fn a_directory_that_nobody_connected_is_named() {
    let server = scanned().await;
    let done = Bailiwick::at(&server.url).run(["scan", "start", "--directory", "Fabrikam"]).await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("No connection reads the directory Fabrikam."), "{}", done.stderr);
}

#[tokio::test]
async fn a_score_under_the_gate_is_three_and_at_the_gate_is_good() {
    for (gate, code) in [("71.4", 0), ("71.5", 3)] {
        let server = scanned().await;
        server.answer(WATCHED, json!("no stream here"));
        server.answer(SHOWN, completed());
        let done = Bailiwick::at(&server.url).run(["scan", "start", "--directory", "Contoso", "--wait", "--fail-under", gate]).await;
        assert_eq!(done.code, code, "{}{}", done.stdout, done.stderr);
        assert!(done.stdout.contains("Score      71.4 (Good, +2.5): 150 passed, 60 failed, 52 skipped\n"), "{}", done.stdout);
        assert!(done.stdout.contains("entra  75.0   Good"), "{}", done.stdout);
        assert_eq!(done.stderr.contains("The score is 71.4, under 71.5."), code == 3, "{}", done.stderr);
    }
}

#[tokio::test]
async fn a_wrong_gate_is_bad_input() {
    for gate in ["101", "-1", "much", "NaN"] {
        let done = Bailiwick::bare().run(["scan", "show", SCAN, &format!("--fail-under={gate}")]).await;
        assert_eq!(done.code, 1, "{gate}");
    }
}

#[tokio::test]
async fn events_are_followed_to_the_end() {
    let server = scanned().await;
    server.answer(SHOWN, with((WatchScan::SPEC.example)()["scan"].clone(), json!({"progress": progress("starting")})));
    let running = json!({"scan": with((WatchScan::SPEC.example)()["scan"].clone(), json!({"progress": progress("judging")}))});
    server.stream(WATCHED, format!(": alive\n\ndata: {running}\n\ndata: {}\n\n", json!({"scan": completed()})));
    let done = Bailiwick::at(&server.url).run(["scan", "watch", SCAN]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(done.stderr, "Contoso: starting\nContoso: judging\n");
    assert!(done.stdout.starts_with(&format!("Scan       {SCAN}\nState      completed\n")), "{}", done.stdout);
    assert!(!server.lines().iter().skip(1).any(|line| line == SHOWN), "nothing is asked while events come: {:?}", server.lines());
}

#[tokio::test]
async fn where_events_do_not_come_through_it_asks() {
    let server = scanned().await;
    server.answer(SHOWN, (WatchScan::SPEC.example)()["scan"].clone());
    server.fail(WATCHED, Fault::Status(502, None));
    server.answer(SHOWN, completed());
    let done = Bailiwick::at(&server.url).run(["scan", "watch", SCAN, "--json"]).await;
    assert_eq!((done.code, done.json()["scan"]["state"].as_str()), (0, Some("completed")), "{}", done.stderr);
}

#[tokio::test]
async fn a_scan_that_failed_says_why() {
    let server = Fake::start().await;
    let end = json!({"code": "connection_refused", "detail": "Microsoft lets the application in no longer. Connect the directory again."});
    server.answer(SHOWN, with(completed(), json!({"state": "failed", "end": end, "score": null, "run": null})));
    let done = Bailiwick::at(&server.url).run(["scan", "show", SCAN]).await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("Microsoft lets the application in no longer."), "{}", done.stderr);
}

#[tokio::test]
async fn failed_checks_are_listed() {
    let server = scanned().await;
    server.answer(SHOWN, completed());
    let result = (bailiwick_contract::scans::GetScanResult::SPEC.example)();
    let mut page = (bailiwick_contract::scans::ListScanResults::SPEC.example)();
    page["items"] = json!([result]);
    server.answer(RESULTS, page);
    // The scan itself is asked for first; its answer would otherwise be taken for those below it.
    let done = Bailiwick::at(&server.url).run(["scan", "show", SCAN, "--failed"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("entra.authorization-policy.guest-invites  medium    \"everyone\"  Guest invitations"), "{}", done.stdout);
    assert!(server.state().seen.iter().any(|seen| seen.line.contains("verdict=failed")));
}

#[tokio::test]
async fn scans_are_listed() {
    let server = Fake::start().await;
    server.answer("GET /api/v1/scans", json!({"items": [completed()], "next": "abc"}));
    let done = Bailiwick::at(&server.url).run(["scan", "list", "--state", "completed"]).await;
    let expected = format!(
        "SCAN                                  QUEUED             STATE      KIND        SCORE  DIRECTORY\n{SCAN}  2026-11-22 08:00Z  completed  compliance  71.4   Contoso\n"
    );
    assert_eq!((done.code, done.stdout, done.stderr.as_str()), (0, expected, "There are more: bailiwick scan list --cursor abc\n"));
    assert_eq!(server.state().seen[0].line, "GET /api/v1/scans?state=completed");
}

fn progress(phase: &str) -> Value {
    let mut progress = (WatchScan::SPEC.example)()["scan"]["progress"].clone();
    progress["phase"] = json!(phase);
    progress
}

fn with(mut value: Value, over: Value) -> Value {
    for (name, member) in over.as_object().unwrap() {
        value[name] = member.clone();
    }
    value
}
