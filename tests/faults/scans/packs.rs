//! Packs that do not end, that eat memory, that cannot be read: each says so, and the shipped checks say what they always say.

use super::stage::{Results, Stage, text};
use super::table::{Row, tell};
use bailiwick_sim::demo::NORTHWIND;
use serde_json::{Value, json};

const LOOPS: &str = "package loops\nimport rego.v1\nresults contains r if {\n\tsome i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\ti * j == -1\n\tr := {\"id\": \"x\"}\n}\n";
const EATS: &str = "package eats\nimport rego.v1\nheap := [s | some i in numbers.range(1, 90000000); s := sprintf(\"%0400d\", [i])]\nresults contains r if {\n\tcount(heap) == 0\n\tr := {\"id\": \"x\"}\n}\n";
const BROKEN: &str = "package broken\nimport rego.v1\nresults contains r if {\n\tr := {\"id\": \n";

async fn add(stage: &Stage, name: &str, rego: &str) {
    let manifest = format!("name: {name}\nversion: \"1\"\npackage: {name}\n");
    let files = json!({"pack.yaml": manifest, "rules.rego": rego});
    stage.owner().post("/api/v1/scan-packs", json!({"name": name, "version": "1", "files": files})).await.ok();
}

/// Scans with one pack; what the shipped checks said, the pack's outcome, and the scan.
async fn with_pack(stage: &Stage, connection: &str, name: &str) -> (Results, Value, Value) {
    let settings = json!({"emergency_accounts": NORTHWIND.emergency, "packs": {name: "1"}});
    stage.owner().put(&format!("/api/v1/scan-settings/{}", NORTHWIND.directory), settings).await.ok();
    let scan = stage.start(connection, "compliance").await;
    stage.work().await;
    let done = stage.shown(&scan).await;
    assert_eq!(text(&done, "/state"), "completed", "the pack {name} took the scan along: {done:#}");
    let summary = stage.owner().get(&format!("/api/v1/scans/{scan}/summary")).await.ok();
    let outcome = summary["packs"].as_array().unwrap().iter().find(|pack| pack["name"] == name);
    let outcome = outcome.unwrap_or_else(|| panic!("nothing is said of {name}: {summary:#}")).clone();
    (stage.results(&done).await, outcome, done)
}

async fn harms_only_itself(stage: Stage, place: u32, fault: &str, name: &str, rego: &str) {
    let connection = stage.connect(&NORTHWIND).await;
    let whole = stage.results(&stage.scan(&connection, "compliance").await).await;
    add(&stage, name, rego).await;
    let (results, outcome, done) = with_pack(&stage, &connection, name).await;
    assert_eq!(outcome["checks"], 0, "{outcome:#}");
    let detail = text(&outcome, "/detail").to_owned();
    assert!(detail.len() > 20, "{outcome:#}");
    assert_eq!(done["complete"], false, "what a pack did not say is not known: {done:#}");
    let verdicts = |results: &Results| -> Vec<_> { results.iter().map(|(check, r)| (check.clone(), r["verdict"].clone())).collect() };
    assert_eq!(verdicts(&whole), verdicts(&results), "the shipped checks");
    let reached = format!("that pack; {} shipped checks say what they said", results.len());
    tell(place, Row { fault: fault.into(), state: "scan completed, pack without results".into(), code: String::new(), detail, reached });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_that_loops_is_stopped_and_harms_only_itself() {
    harms_only_itself(Stage::new().await, 26, "a pack that loops", "loops", LOOPS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_that_allocates_without_end_harms_only_itself() {
    let stage = Stage::with(|config| config.scanner.memory_mib = 256).await;
    harms_only_itself(stage, 27, "a pack that allocates without end", "eats", EATS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_that_cannot_be_read_harms_only_itself() {
    harms_only_itself(Stage::new().await, 28, "a pack that cannot be read", "broken", BROKEN).await;
}
