//! The life of findings over runs that are whole, in part, moved or the same again; and which rows that writes.

use crate::look;
use crate::reports::{Hit, hit, maester, maester_part, merged, sarif, zero_trust};
use bailiwick_testkit::{Tenant, World};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::{Uuid, uuid};

const OTHER: Uuid = uuid!("0817c655-a853-4d8f-9723-3a333b5b9235");

fn scan(files: &[&str]) -> Vec<Hit> {
    files.iter().map(|file| hit("R1", file, 3)).collect()
}

/// Uploads, processes, and answers the run, a minute later than the one before.
async fn run(world: &World, tenant: &Tenant, bytes: &[u8]) -> Value {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let new = json!({"source": "ci", "pipeline_run_id": NEXT.fetch_add(1, Ordering::Relaxed).to_string()});
    let id = tenant.pipeline().submit(new, &[("report.json", bytes)]).await;
    world.work().await;
    world.clock.advance(SignedDuration::from_mins(1));
    let seen = tenant.owner().get(&format!("/api/v1/runs/{id}")).await.ok();
    assert_eq!(seen["state"], "succeeded", "{seen:#}");
    seen
}

fn turns(run: &Value) -> (u64, u64, u64, u64) {
    let count = |name: &str| run["findings"][name].as_u64().unwrap();
    (count("new"), count("existing"), count("fixed"), count("reopened"))
}

async fn findings(tenant: &Tenant, query: &str) -> Vec<Value> {
    tenant.owner().get(&format!("/api/v1/findings?limit=200{query}")).await.ok()["items"].as_array().unwrap().clone()
}

async fn history(tenant: &Tenant, finding: &Value) -> Vec<String> {
    let detail = tenant.owner().get(&format!("/api/v1/findings/{}", finding["id"].as_str().unwrap())).await.ok();
    detail["history"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap().to_owned()).collect()
}

fn at_path<'a>(findings: &'a [Value], path: &str) -> &'a Value {
    findings.iter().find(|f| f["location"]["path"] == path).unwrap_or_else(|| panic!("no finding at {path}"))
}

#[tokio::test]
async fn a_finding_is_new_then_existing_then_fixed_then_reopened_and_its_history_says_so() {
    let world = World::new().await;
    let contoso = &world.contoso;
    let whole = |files: &[&str]| sarif("Scanner", true, &scan(files));
    assert_eq!(turns(&run(&world, contoso, &whole(&["a.c", "b.c"])).await), (2, 0, 0, 0));
    let first = at_path(&findings(contoso, "").await, "a.c").clone();
    assert_eq!(first["life"], "new");
    assert_eq!(turns(&run(&world, contoso, &whole(&["b.c", "c.c"])).await), (1, 1, 1, 0));
    let open = findings(contoso, "").await;
    assert_eq!((&at_path(&open, "b.c")["life"], &at_path(&open, "c.c")["life"]), (&json!("existing"), &json!("new")));
    let fixed = findings(contoso, "&status=fixed").await;
    assert_eq!((fixed.len(), &fixed[0]["id"], &fixed[0]["life"]), (1, &first["id"], &json!("fixed")));
    assert_eq!(turns(&run(&world, contoso, &whole(&["a.c", "b.c", "c.c"])).await), (0, 2, 0, 1));
    let again = at_path(&findings(contoso, "").await, "a.c").clone();
    assert_eq!((&again["id"], &again["life"]), (&first["id"], &json!("reopened")), "one finding, one life");
    assert_eq!(history(contoso, &again).await, ["opened", "fixed", "reopened"]);
    look::series_are_whole(&mut world.look().await).await;
    look::open_findings_are_the_newest_results(&mut world.look().await).await;
}

#[tokio::test]
async fn a_scan_that_did_not_finish_closes_nothing() {
    let world = World::new().await;
    let contoso = &world.contoso;
    run(&world, contoso, &sarif("Scanner", true, &scan(&["a.c", "b.c"]))).await;
    let partial = run(&world, contoso, &sarif("Scanner", false, &scan(&["a.c"]))).await;
    assert_eq!(turns(&partial), (0, 1, 0, 0));
    assert_eq!(partial["series"][0]["complete"], false);
    assert!(partial["series"][0]["incomplete_reason"].is_string() && !partial["remarks"].as_array().unwrap().is_empty(), "{partial:#}");
    assert_eq!(findings(contoso, "").await.len(), 2, "what it did not look at stays open");
    assert_eq!(turns(&run(&world, contoso, &sarif("Scanner", true, &scan(&["a.c"]))).await), (0, 1, 1, 0));
    assert_eq!(findings(contoso, "").await.len(), 1);
}

#[tokio::test]
async fn a_posture_report_over_fewer_tests_closes_nothing_it_does_not_name() {
    let world = World::new().await;
    let contoso = &world.contoso;
    let day = |day: u32, tests: &[(&str, &str)]| maester(contoso.org.directory, &format!("2026-11-{day:02}T06:00:00Z"), tests);
    run(&world, contoso, &day(1, &[("MT.1001", "Failed"), ("MT.1002", "Failed"), ("MT.1003", "Passed")])).await;
    assert_eq!(turns(&run(&world, contoso, &day(2, &[("MT.1003", "Passed")])).await), (0, 0, 0, 0));
    assert_eq!(findings(contoso, "").await.len(), 2);
    let drift = contoso.owner().get("/api/v1/drift").await.ok();
    assert_eq!((&drift["counts"]["removed"], &drift["counts"]["fixed"]), (&json!(2), &json!(0)));
    // Skipped is not looked at either; passed is.
    assert_eq!(turns(&run(&world, contoso, &day(3, &[("MT.1001", "Skipped"), ("MT.1002", "Passed")])).await), (0, 0, 1, 0));
    let open = findings(contoso, "").await;
    assert_eq!((open.len(), &open[0]["check_key"]), (1, &json!("MT.1001")));
}

#[tokio::test]
async fn any_pair_is_compared_either_way_round_and_against_a_pinned_baseline() {
    let world = World::new().await;
    let contoso = &world.contoso;
    let owner = contoso.owner();
    let day = |day: u32, tests: &[(&str, &str)]| maester(contoso.org.directory, &format!("2026-11-{day:02}T06:00:00Z"), tests);
    let one = run(&world, contoso, &day(1, &[("MT.1001", "Passed"), ("MT.1002", "Failed"), ("MT.1003", "Passed")])).await;
    let two = run(&world, contoso, &day(2, &[("MT.1001", "Failed"), ("MT.1002", "Failed"), ("MT.1004", "Passed")])).await;
    let three = run(&world, contoso, &day(3, &[("MT.1001", "Failed"), ("MT.1002", "Passed"), ("MT.1004", "Passed")])).await;
    let id = |run: &Value| run["id"].as_str().unwrap().to_owned();
    let counts = |drift: &Value| {
        let count = |name: &str| drift["counts"][name].as_u64().unwrap();
        [count("regression"), count("fixed"), count("added"), count("removed"), count("other"), count("unchanged")]
    };
    let drift = owner.get("/api/v1/drift").await.ok();
    assert_eq!((&drift["from"]["run"], &drift["to"]["run"], counts(&drift)), (&two["id"], &three["id"], [0, 1, 0, 0, 0, 2]));
    let drift = owner.get(&format!("/api/v1/drift?from={}&to={}", id(&one), id(&two))).await.ok();
    assert_eq!(counts(&drift), [1, 0, 1, 1, 0, 1]);
    let back = owner.get(&format!("/api/v1/drift?from={}&to={}", id(&three), id(&one))).await.ok();
    let there = owner.get(&format!("/api/v1/drift?from={}&to={}", id(&one), id(&three))).await.ok();
    assert_eq!((counts(&there), counts(&back)), ([1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 0, 0]));
    let key = |drift: &Value, movement: &str| {
        drift["items"].as_array().unwrap().iter().find(|i| i["movement"] == movement).unwrap()["check_key"].clone()
    };
    assert_eq!((key(&there, "regression"), key(&back, "regression")), (json!("MT.1001"), json!("MT.1002")));
    assert_eq!((key(&there, "added"), key(&back, "removed")), (json!("MT.1004"), json!("MT.1004")));

    let series = one["series"][0]["series"].as_str().unwrap();
    owner.put(&format!("/api/v1/series/{series}/baseline"), json!({"run": one["id"]})).await.ok();
    let pinned = owner.get("/api/v1/drift").await.ok();
    assert_eq!((&pinned["from"]["run"], &pinned["to"]["run"], &pinned["against_baseline"]), (&one["id"], &three["id"], &json!(true)));
    assert_eq!(counts(&pinned), counts(&there));
    owner.delete(&format!("/api/v1/series/{series}/baseline")).await.ok();
    assert_eq!(owner.get("/api/v1/drift").await.ok()["from"]["run"], two["id"]);

    // Runs of two families, or of two series, are no pair.
    let scanned = run(&world, contoso, &sarif("Scanner", true, &scan(&["a.c"]))).await;
    let assessed = run(&world, contoso, &zero_trust(contoso.org.directory, "2026-11-04T06:00:00Z")).await;
    for other in [&scanned, &assessed] {
        for (from, to) in [(&three, other), (other, &three)] {
            let answer = owner.get(&format!("/api/v1/drift?from={}&to={}", id(from), id(to))).await;
            assert_eq!(answer.refused(404), "not_found");
        }
        assert_eq!(owner.put(&format!("/api/v1/series/{series}/baseline"), json!({"run": other["id"]})).await.refused(404), "not_found");
    }
    assert_eq!(owner.get("/api/v1/drift").await.ok()["to"]["run"], three["id"], "a series of one run has no pair");
}

#[tokio::test]
async fn a_report_of_several_directories_makes_a_series_of_each() {
    let world = World::new().await;
    let contoso = &world.contoso;
    let own = contoso.org.directory;
    let part = |directory: Uuid, name: &str, tests: &[(&str, &str)]| maester_part(directory, name, "2026-11-20T06:00:00Z", tests);
    let tests: &[(&str, &str)] = &[("MT.1001", "Failed"), ("MT.1002", "Passed")];
    let two = run(&world, contoso, &merged(&[part(own, "Contoso", tests), part(OTHER, "Other", &[("MT.1001", "Passed")])])).await;
    let series: Vec<&Value> = two["series"].as_array().unwrap().iter().collect();
    assert_eq!(series.len(), 2, "{two:#}");
    assert_eq!(two["counts"]["total"], 3);
    let of = |directory: Uuid| series.iter().find(|s| s["directory"]["id"] == json!(directory)).unwrap();
    assert_eq!((&of(own)["counts"]["failed"], &of(OTHER)["counts"]["failed"]), (&json!(1), &json!(0)));
    // One directory twice in one file stays one series; nothing is lost, and nothing appears when the same comes again.
    let twice = merged(&[part(own, "Contoso", tests), part(own, "Contoso", &[("MT.1003", "Failed")])]);
    let seen = run(&world, contoso, &twice).await;
    assert_eq!(
        (seen["series"].as_array().unwrap().len(), &seen["counts"]["total"], turns(&seen)),
        (1, &json!(3), (1, 1, 0, 0)),
        "{seen:#}"
    );
    assert_eq!(turns(&run(&world, contoso, &twice).await), (0, 2, 0, 0));
    look::series_are_whole(&mut world.look().await).await;
}

#[tokio::test]
async fn a_finding_stays_itself_when_its_lines_move() {
    let world = World::new().await;
    let contoso = &world.contoso;
    let at_line = |line: u32| sarif("Scanner", true, &[hit("R1", "a.c", line), hit("R1", "b.c", 3)]);
    run(&world, contoso, &at_line(3)).await;
    let before = at_path(&findings(contoso, "").await, "a.c").clone();
    assert_eq!(turns(&run(&world, contoso, &at_line(41)).await), (0, 2, 0, 0));
    let after = at_path(&findings(contoso, "").await, "a.c").clone();
    assert_eq!((&after["id"], &after["location"]["start_line"]), (&before["id"], &json!(41)));
    let drift = contoso.owner().get("/api/v1/drift").await.ok();
    assert_eq!((&drift["items"], &drift["counts"]["unchanged"]), (&json!([]), &json!(2)), "moving is no drift");
}

#[tokio::test]
async fn only_what_changed_is_written() {
    let world = World::new().await;
    let contoso = &world.contoso;
    let report = |changed: usize| {
        let mut hits: Vec<Hit> = (0..200).map(|n| hit("R1", &format!("src/{n}.c"), 3)).collect();
        hits[..changed].iter_mut().for_each(|hit| hit.text.push_str(", now worse"));
        sarif("Scanner", true, &hits)
    };
    run(&world, contoso, &report(0)).await;
    let mut sql = world.look().await;
    let (observations, findings) = (look::rows(&mut sql, "observations").await, look::rows(&mut sql, "findings").await);
    assert_eq!((observations.len(), findings.len()), (200, 200));
    assert_eq!(turns(&run(&world, contoso, &report(0)).await), (0, 200, 0, 0));
    assert_eq!(look::rows(&mut sql, "observations").await, observations, "the same report again writes no result");
    assert_eq!(look::rows(&mut sql, "findings").await, findings, "and no finding");
    assert_eq!(look::number(&mut sql, "SELECT count(*) FROM bailiwick.finding_events").await, 0);

    assert_eq!(turns(&run(&world, contoso, &report(20)).await), (0, 200, 0, 0));
    let (now, findings_now) = (look::rows(&mut sql, "observations").await, look::rows(&mut sql, "findings").await);
    assert_eq!((now.len(), now.intersection(&observations).count()), (220, 180), "a tenth ended, a tenth new, the rest as it stood");
    let kept = findings_now.intersection(&findings).count();
    assert!(findings_now.len() == 200 && kept >= 180, "{kept} of 200 findings were left alone");
    assert_eq!(look::number(&mut sql, "SELECT count(*) FROM bailiwick.finding_events").await, 20);
    look::series_are_whole(&mut sql).await;
}
