//! What ends a scan, or keeps it from beginning: refused consents and secrets, people, time; and what only interrupts it.

use super::stage::{Stage, text};
use super::table::{Row, tell, tell_completed, tell_end};
use bailiwick_base::Clock;
use bailiwick_sim::demo::{EXPIRED_SECRET, NORTHWIND, READER_CLIENT_ID, TAILSPIN, WINGTIP};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::HashSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_that_fails_connects_nothing_and_says_why() {
    let stage = Stage::new().await;
    let declined =
        json!({"admin_consent": "True", "error": "consent_required", "error_description": "AADSTS65004: User declined to consent."});
    let elsewhere = json!({"tenant": WINGTIP.directory, "admin_consent": "True"});
    for (place, fault, told, code) in
        [(1, "consent denied", declined, "consent_declined"), (2, "consent for another directory", elsewhere, "other_directory")]
    {
        let state = stage.begin(&TAILSPIN).await;
        stage.sim.consent(WINGTIP.directory, READER_CLIENT_ID);
        let outcome = stage.complete(told, &state).await;
        assert_eq!(text(&outcome, "/refusal/code"), code, "{outcome:#}");
        let detail = text(&outcome, "/refusal/detail").to_owned();
        assert!(detail.len() > 20, "{outcome:#}");
        tell(
            place,
            Row { fault: fault.into(), state: "not connected".into(), code: code.into(), detail, reached: "nothing is scanned".into() },
        );
    }
    assert_eq!(stage.owner().get("/api/v1/connections?all=true").await.ok()["items"], json!([]));
}

/// I68: withdrawn in the middle of a scan, consent ends it at the next request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i68_a_consent_withdrawn_in_mid_scan_ends_the_scan() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let scan = stage.start(&connection, "compliance").await;
    stage.sim.clear_calls();
    stage.sim.set_latency(60);
    let (_, withdrawn) = tokio::join!(stage.work(), async {
        stage.until_asked(&NORTHWIND, 3).await;
        assert!(stage.sim.withdraw(NORTHWIND.directory, READER_CLIENT_ID));
        let withdrawn = stage.clock.now();
        // The clock stands while nobody waits: what arrives from now on is later than what was on its way.
        stage.clock.advance(SignedDuration::from_millis(1));
        withdrawn
    });
    let failed = stage.shown(&scan).await;
    assert_eq!((text(&failed, "/state"), text(&failed, "/end/code")), ("failed", "connection_refused"), "{failed:#}");
    assert!(failed["run"].is_null(), "{failed:#}");
    let later: Vec<u16> = stage.asked(&NORTHWIND).iter().filter(|call| call.at > withdrawn).map(|call| call.status).collect();
    assert!(!later.contains(&200), "answers to what was asked after consent was withdrawn: {later:?}");
    tell_end(3, "consent withdrawn in mid-scan", &failed, "no verdict is kept; the connection shows it as failing");
    let connection = stage.owner().get(&format!("/api/v1/connections/{connection}")).await.ok();
    assert_eq!(text(&connection, "/state"), "failing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_has_expired_fails_the_scan_before_its_first_read() {
    let mut stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    stage.prove_with(EXPIRED_SECRET);
    stage.sim.clear_calls();
    let scan = stage.start(&connection, "compliance").await;
    stage.work().await;
    let failed = stage.shown(&scan).await;
    assert_eq!((text(&failed, "/state"), text(&failed, "/end/cloud/code")), ("failed", "credential_ended"), "{failed:#}");
    assert_eq!(stage.asked(&NORTHWIND), []);
    tell_end(4, "secret expired", &failed, "nothing is asked");
}

/// I49: a disconnect in mid-scan stops further calls at once; what was on its way brings nothing back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i49_a_disconnect_in_mid_scan_leaves_only_what_was_on_its_way() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let whole = stage.scan(&connection, "compliance").await;
    let all = stage.asked(&NORTHWIND).len();
    assert_eq!(whole["attempts"], 1);
    let scan = stage.start(&connection, "compliance").await;
    stage.sim.clear_calls();
    stage.sim.set_latency(100);
    let (_, (before, on_its_way)) = tokio::join!(stage.work(), async {
        stage.until_asked(&NORTHWIND, 3).await;
        stage.owner().post(&format!("/api/v1/connections/{connection}/disconnect"), json!(null)).await.ok();
        (stage.asked(&NORTHWIND).len(), stage.scanners().len())
    });
    assert!(on_its_way <= 1);
    let after = stage.asked(&NORTHWIND).len() - before;
    // At most the calls of one turn: a batch is one of twenty.
    assert!(after <= 21 && before + after < all, "{after} calls after the disconnect, {before} before, {all} in a whole scan");
    assert_eq!(stage.scanners(), [] as [i32; 0], "the scanner is gone with the scan");
    let ended = stage.shown(&scan).await;
    assert_eq!((text(&ended, "/state"), text(&ended, "/end/code")), ("cancelled", "disconnected"), "{ended:#}");
    tell_end(5, "disconnected in mid-scan", &ended, &format!("{before} of {all} calls were made; {after} on their way were let drop"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_can_be_cancelled_and_a_directory_is_scanned_by_one_at_a_time() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let scan = stage.start(&connection, "compliance").await;
    stage.sim.clear_calls();
    stage.sim.set_latency(100);
    let (_, refused) = tokio::join!(stage.work(), async {
        stage.until_asked(&NORTHWIND, 3).await;
        let refused = stage.owner().post("/api/v1/scans", json!({"kind": "exposure", "connection": connection})).await;
        stage.owner().post(&format!("/api/v1/scans/{scan}/cancel"), json!(null)).await.ok();
        refused
    });
    let said = refused.json();
    assert_eq!(refused.refused(409), "scan_already_running");
    let row = Row {
        fault: "a second scan of the directory".into(),
        state: "409".into(),
        code: "scan_already_running".into(),
        detail: text(&said, "/detail").to_owned(),
        reached: "the first goes on".into(),
    };
    tell(6, row);
    let ended = stage.shown(&scan).await;
    assert_eq!((text(&ended, "/state"), text(&ended, "/end/code")), ("cancelled", "cancelled"), "{ended:#}");
    assert!(ended["run"].is_null() && stage.scanners().is_empty(), "{ended:#}");
    tell_end(7, "cancelled by a person", &ended, "nothing of it is kept");
    // The directory is free again.
    stage.sim.set_latency(0);
    stage.scan(&connection, "exposure").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_has_its_time_and_no_more() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let scan = stage.start(&connection, "compliance").await;
    stage.break_with(json!([{"action": {"drop": true}}]));
    stage.work().await;
    assert_eq!(text(&stage.shown(&scan).await, "/state"), "running");
    stage.sim.clear_faults();
    stage.clock.advance(SignedDuration::from_mins(31));
    stage.work().await;
    let failed = stage.shown(&scan).await;
    assert_eq!((text(&failed, "/state"), text(&failed, "/end/code")), ("failed", "time_limit"), "{failed:#}");
    assert!(failed["run"].is_null(), "{failed:#}");
    tell_end(33, "the time limit has passed before it could end", &failed, "no verdict is kept");
}

/// One request a second is all Microsoft allows of Conditional Access: pages without end are there cut off by time, not by number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_waits_for_limits_past_its_time_gives_no_pass_for_what_it_did_not_read() {
    let stage = Stage::with(|config| config.scanner.minutes = 3).await;
    let connection = stage.connect(&NORTHWIND).await;
    stage.break_with(json!([{"match": {"path": "/v1.0/identity/conditionalAccess/policies"}, "action": {"endless": true}}]));
    let scan = stage.start(&connection, "compliance").await;
    stage.work().await;
    let ended = stage.shown(&scan).await;
    match text(&ended, "/state") {
        "failed" => {
            assert_eq!(text(&ended, "/end/code"), "time_limit", "{ended:#}");
            tell_end(34, "endless paging, one page a second", &ended, "no verdict is kept");
        }
        _ => {
            assert_eq!(ended["complete"], false, "{ended:#}");
            let results = stage.results(&ended).await;
            let unread: Vec<_> = results.values().filter(|r| r.pointer("/reason/code").is_some_and(|c| c == "deadline")).collect();
            assert!(unread.len() > 20 && unread.iter().all(|r| r["verdict"] == "error"), "{} checks", unread.len());
            let policies = results.values().filter(|r| text(r, "/request").starts_with("/v1.0/identity/conditionalAccess/policies"));
            assert!(policies.into_iter().all(|r| r["verdict"] != "passed"));
            let detail = text(unread[0], "/reason/detail").to_owned();
            let reached = format!("{} checks whose sources were not read; what was read is judged", unread.len());
            let state = "scan completed, not complete".into();
            tell(34, Row { fault: "endless paging, one page a second".into(), state, code: "deadline".into(), detail, reached });
        }
    }
}

/// How many requests have been read whole and kept.
pub async fn kept(stage: &Stage) -> usize {
    let marks: i64 = sqlx::query_scalar("SELECT count(*) FROM bailiwick.scan_checkpoints WHERE page = 0")
        .fetch_one(&mut stage.look().await)
        .await
        .unwrap();
    usize::try_from(marks).unwrap()
}

/// The next moment at which a job is due.
pub async fn next_due(stage: &Stage) -> Timestamp {
    let micros: i64 = sqlx::query_scalar(
        "SELECT (extract(epoch FROM min(run_at)) * 1000000)::bigint FROM bailiwick.jobs WHERE state = 'queued' AND kind = 'scans.run'",
    )
    .fetch_one(&mut stage.look().await)
    .await
    .unwrap();
    Timestamp::from_microsecond(micros).unwrap()
}

/// What was read well, each with its query.
pub fn read(stage: &Stage) -> Vec<(String, Option<String>)> {
    let calls = stage.asked(&NORTHWIND).into_iter().filter(|call| call.method == "GET" && call.status == 200);
    calls.map(|call| (call.path, call.query.filter(|query| !query.is_empty()))).collect()
}

/// Nothing that was kept before an interruption is asked for again after it.
pub fn nothing_kept_is_read_again(before: &[(String, Option<String>)], after: &[(String, Option<String>)], kept: usize) {
    let first: HashSet<_> = before.iter().collect();
    assert_eq!(first.len(), before.len(), "read twice before the interruption");
    let again = after.iter().filter(|call| first.contains(call)).count();
    assert!(again + kept <= before.len(), "{again} of {} requests were read again, though {kept} were kept", before.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eleven_minutes_without_microsoft_cost_eleven_minutes_and_nothing_read() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let whole = stage.results(&stage.scan(&connection, "compliance").await).await;
    stage.sim.clear_calls();
    let scan = stage.start(&connection, "compliance").await;
    stage.sim.set_latency(40);
    tokio::join!(stage.work(), async {
        stage.until("what is kept", async || kept(&stage).await >= 10).await;
        stage.break_with(json!([{"action": {"drop": true}}]));
    });
    let (dark, before, marks) = (stage.clock.now(), read(&stage), kept(&stage).await);
    assert!(marks >= 10);
    let mut tries = 0;
    while stage.clock.now().duration_since(dark) < SignedDuration::from_mins(11) {
        let waiting = stage.shown(&scan).await;
        assert_eq!((text(&waiting, "/state"), kept(&stage).await), ("running", marks), "{waiting:#}");
        stage.clock.set(stage.clock.now().max(next_due(&stage).await));
        stage.work().await;
        tries += 1;
    }
    stage.sim.clear_faults();
    stage.sim.set_latency(0);
    stage.sim.clear_calls();
    stage.clock.set(stage.clock.now().max(next_due(&stage).await));
    stage.work().await;
    let done = stage.shown(&scan).await;
    assert_eq!((text(&done, "/state"), &done["complete"]), ("completed", &json!(true)), "{done:#}");
    assert_eq!(done["progress"]["requests_resumed"], json!(marks), "{done:#}");
    nothing_kept_is_read_again(&before, &read(&stage), marks);
    let after = stage.results(&done).await;
    assert!(after.iter().all(|(check, result)| result["verdict"] == whole[check]["verdict"]) && after.len() == whole.len());
    let away = stage.clock.now().duration_since(dark).as_secs() / 60;
    tell_completed(
        31,
        &format!("Microsoft out of reach for {away} minutes, sign-in and all"),
        &done,
        &format!("no check; {tries} tries met nobody"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_that_does_not_end_is_given_up_with_a_sentence() {
    let stage = Stage::with(|config| config.scanner.minutes = 60).await;
    let connection = stage.connect(&WINGTIP).await;
    stage.break_with(json!([{"action": {"drop": true}}]));
    let scan = stage.start(&connection, "compliance").await;
    stage.work().await;
    let begun = stage.clock.now();
    while text(&stage.shown(&scan).await, "/state") == "running" {
        assert!(stage.clock.now().duration_since(begun) < SignedDuration::from_mins(50), "it is never given up");
        stage.clock.set(stage.clock.now().max(next_due(&stage).await));
        stage.work().await;
    }
    let failed = stage.shown(&scan).await;
    assert_eq!((text(&failed, "/state"), text(&failed, "/end/code")), ("failed", "unreachable"), "{failed:#}");
    assert!(stage.clock.now().duration_since(begun) >= SignedDuration::from_mins(15), "given up too soon");
    tell_end(32, "Microsoft out of reach for good", &failed, "no verdict is kept");
}
