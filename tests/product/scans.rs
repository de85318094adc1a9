//! Scans of the simulated cloud's directories, by the real scanner in its sandbox, through every surface.

use bailiwick_server::config::Config;
use bailiwick_sim::demo::{NORTHWIND, READER_CLIENT_ID, READER_SECRET, Scanned, TAILSPIN, WINGTIP, WRITER_CLIENT_ID, WRITER_SECRET};
use bailiwick_sim::{Call, Fault};
use bailiwick_testkit::{Actor, World, sim};
use futures::StreamExt;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::OnceLock;
use tokio::sync::Mutex;

/// The simulated cloud is one for all tests of this binary: those that consent, count calls or break things in it go one at a time.
pub static READER_WORLD: Mutex<()> = Mutex::const_new(());

/// A world whose environment has both applications.
pub async fn look_only() -> World {
    World::with(applications).await
}

/// Gives an environment both applications.
pub fn applications(config: &mut Config) {
    for (application, id, secret) in
        [(&mut config.microsoft.reader, READER_CLIENT_ID, READER_SECRET), (&mut config.microsoft.writer, WRITER_CLIENT_ID, WRITER_SECRET)]
    {
        let file = config.data_folder.with_file_name(format!("secret-{id}"));
        std::fs::write(&file, secret).unwrap();
        (application.client_id, application.secret_file) = (id.to_string(), file);
    }
    config.scanner.dns_servers = vec![sim().dns_address()];
}

/// The same, where scans run. `cargo test` builds the scanner's library and not its program: where nobody built it, it is built once.
async fn scanning() -> World {
    built();
    sim().clear_faults();
    sim().set_latency(0);
    sim().set_limits(false);
    look_only().await
}

/// Builds the scanner's program where nobody did.
pub fn built() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("bailiwick-scanner");
        if !program.is_file() {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut build = Command::new(cargo);
            build.args(["build", "--quiet", "--package", "bailiwick-scanner"]).current_dir(env!("CARGO_MANIFEST_DIR"));
            assert!(build.status().unwrap().success(), "the scanner cannot be built");
        }
    });
}

/// Begins a consent; its state.
pub async fn begin(actor: &Actor, directory: &Scanned, kind: &str) -> String {
    let begun = actor.post("/api/v1/consents", json!({"kind": kind, "directory": directory.directory})).await.ok();
    let url = reqwest::Url::parse(begun["url"].as_str().unwrap()).unwrap();
    url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
}

/// Connects a directory as Contoso's owner, its administrator consenting.
pub async fn connect(world: &World, directory: &Scanned) -> Value {
    let owner = world.contoso.owner();
    sim().withdraw(directory.directory, READER_CLIENT_ID);
    let state = begin(&owner, directory, "read").await;
    assert!(sim().consent(directory.directory, READER_CLIENT_ID));
    let body = json!({"state": state, "tenant": directory.directory, "admin_consent": "True"});
    let outcome = owner.post("/api/v1/consents/complete", body).await.ok();
    assert!(outcome["refusal"].is_null(), "{outcome:#}");
    outcome["connection"].clone()
}

async fn start(world: &World, connection: &Value, kind: &str) -> String {
    let new = json!({"kind": kind, "connection": connection["id"]});
    world.contoso.owner().post("/api/v1/scans", new).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn shown(world: &World, scan: &str) -> Value {
    world.contoso.owner().get(&format!("/api/v1/scans/{scan}")).await.ok()
}

/// What the directory was asked, sign-in left out.
fn asked(directory: &Scanned) -> Vec<Call> {
    let calls = sim().calls().into_iter().filter(|call| call.directory == Some(directory.directory));
    calls.filter(|call| !call.path.contains("/oauth2/") && !call.path.contains("adminconsent")).collect()
}

/// I43: a scan of everything sends reads alone, and each thing is read once.
#[tokio::test]
async fn i43_a_scan_writes_nothing_and_reads_each_thing_once() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let connection = connect(&world, &TAILSPIN).await;
    sim().clear_calls();
    let scan = start(&world, &connection, "compliance").await;
    world.work().await;
    let done = shown(&world, &scan).await;
    assert_eq!(done["state"], "completed", "{done:#}");
    let calls = asked(&TAILSPIN);
    assert!(calls.len() > 30, "only {} calls", calls.len());
    let mut once = std::collections::HashSet::new();
    for call in &calls {
        assert!(call.method == "GET" || (call.method == "POST" && call.path.ends_with("/$batch")), "{call:?}");
        if call.method == "GET" && call.status == 200 {
            assert!(once.insert((call.host.clone(), call.path.clone(), call.query.clone())), "read twice: {call:?}");
        }
    }
    sim().withdraw(TAILSPIN.directory, READER_CLIENT_ID);
}

/// I26: vaults, sites and storage accounts are looked at, and no call asks for a value of a secret, a key or a setting.
#[tokio::test]
async fn i26_a_scan_looks_at_vaults_and_asks_for_no_value() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let connection = connect(&world, &TAILSPIN).await;
    sim().clear_calls();
    let scan = start(&world, &connection, "compliance").await;
    world.work().await;
    let done = shown(&world, &scan).await;
    assert_eq!(done["state"], "completed", "{done:#}");
    let calls = asked(&TAILSPIN);
    for holder in ["/vaults/", "/sites/", "/storageAccounts/"] {
        assert!(calls.iter().any(|call| call.path.contains(holder)), "nothing of {holder} was looked at, so this shows nothing");
    }
    // A vault's own host lists at `/secrets`, and answers `/secrets/{name}` and `/secrets/{name}/{version}` with the value.
    for call in calls.iter().filter(|call| call.host.contains("vault") || call.path.starts_with("/secrets")) {
        let parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
        assert!(call.method == "GET" && matches!(parts[..], ["secrets" | "keys" | "certificates"]), "a value was asked for: {call:?}");
    }
    for call in &calls {
        let path = call.path.to_lowercase();
        let gives_values =
            ["listkeys", "listaccountsas", "listservicesas", "publishingcredentials", "/config/appsettings/list", "addpassword"];
        assert!(!gives_values.iter().any(|word| path.contains(word)), "a value was asked for: {call:?}");
    }
    sim().withdraw(TAILSPIN.directory, READER_CLIENT_ID);
}

#[tokio::test]
async fn a_scan_becomes_a_run_with_findings_and_drift_to_the_next() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let owner = world.contoso.owner();
    let connection = connect(&world, &WINGTIP).await;
    let first = start(&world, &connection, "compliance").await;
    let again = owner.post("/api/v1/scans", json!({"kind": "exposure", "connection": connection["id"]})).await;
    assert_eq!(again.refused(409), "scan_already_running");
    world.work().await;
    let done = shown(&world, &first).await;
    assert_eq!(done["state"], "completed", "{done:#}");
    assert!(done["score"]["percent"].as_f64().is_some() && done["findings"]["new"].as_u64().unwrap() > 10, "{done:#}");
    let run = owner.get(&format!("/api/v1/runs/{}", done["run"].as_str().unwrap())).await.ok();
    assert_eq!((&run["family"], &run["source"], &run["state"]), (&json!("scan"), &json!("Bailiwick compliance scan"), &json!("succeeded")));
    let names: Vec<&str> = run["artifacts"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["scan.json", "snapshot.jsonl"]);
    let failed = owner.get(&format!("/api/v1/scans/{first}/results?verdict=failed&limit=200")).await.ok();
    let items = failed["items"].as_array().unwrap();
    assert!(items.len() > 10 && items.iter().all(|r| r["verdict"] == "failed"), "{failed:#}");
    assert_eq!(failed["counts"]["failed"].as_u64().unwrap() as usize, items.len());
    let check = items[0]["check"].as_str().unwrap();
    assert_eq!(owner.get(&format!("/api/v1/scans/{first}/results/{check}")).await.ok()["check"], check);
    let summary = owner.get(&format!("/api/v1/scans/{first}/summary")).await.ok();
    assert_eq!(summary["scores"]["overall"]["percent"], done["score"]["percent"]);
    assert!(summary["scores"]["by_product"].as_array().unwrap().len() > 3);
    // The second scan finds the same: nothing is new, and the score has not moved.
    world.clock.advance(jiff::SignedDuration::from_mins(10));
    let second = start(&world, &connection, "compliance").await;
    world.work().await;
    let second = shown(&world, &second).await;
    assert_eq!((&second["findings"]["new"], &second["score_change"]), (&json!(0), &json!(0.0)), "{second:#}");
    let drift = owner.get("/api/v1/drift?family=scan").await.ok();
    assert_eq!(drift["items"], json!([]), "{drift:#}");
    sim().withdraw(WINGTIP.directory, READER_CLIENT_ID);
}

/// I49: once a disconnect is answered, nothing more is asked of the directory, whatever was under way.
#[tokio::test]
async fn i49_after_a_disconnect_is_answered_the_directory_is_asked_nothing() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let owner = world.contoso.owner();
    let connection = connect(&world, &NORTHWIND).await;
    let scan = start(&world, &connection, "compliance").await;
    sim().set_latency(150);
    sim().clear_calls();
    let (_, answered) = tokio::join!(world.work(), async {
        while asked(&NORTHWIND).len() < 3 {
            tokio::task::yield_now().await;
        }
        owner.post(&format!("/api/v1/connections/{}/disconnect", connection["id"].as_str().unwrap()), json!(null)).await.ok();
        // By the clock that stamps the calls, which other tests may have moved ahead.
        sim().now()
    });
    sim().set_latency(0);
    let after: Vec<Call> = asked(&NORTHWIND).into_iter().filter(|call| call.at > answered).collect();
    // Those that were on their way when it was answered arrive, and bring nothing back: one turn, which is twenty requests at most,
    // in two batches.
    assert!(after.len() <= 22, "{after:#?}");
    let ended = shown(&world, &scan).await;
    assert_eq!((&ended["state"], &ended["end"]["code"]), (&json!("cancelled"), &json!("disconnected")), "{ended:#}");
    assert!(ended["run"].is_null());
    sim().clear_calls();
    let refused = owner.post("/api/v1/scans", json!({"kind": "compliance", "connection": connection["id"]})).await;
    assert_eq!(refused.refused(409), "not_connected");
    let live = owner.get(&format!("/api/v1/threats?directory={}", NORTHWIND.directory)).await.ok();
    assert_eq!(live["alerts"]["source"]["state"], "not_connected");
    assert_eq!(asked(&NORTHWIND), []);
    sim().withdraw(NORTHWIND.directory, READER_CLIENT_ID);
}

fn broken(path: &str) -> Fault {
    serde_json::from_value(json!({"match": {"path_contains": path}, "action": {"status": 500}})).unwrap()
}

/// I66: a source that fails takes its own checks along, with a reason, and no other.
#[tokio::test]
async fn i66_a_source_that_fails_takes_only_its_own_checks_along() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let owner = world.contoso.owner();
    let connection = connect(&world, &TAILSPIN).await;
    sim().add_faults([broken("/authorizationPolicy")]);
    let scan = start(&world, &connection, "compliance").await;
    world.work().await;
    sim().clear_faults();
    let done = shown(&world, &scan).await;
    assert_eq!((&done["state"], &done["complete"]), (&json!("completed"), &json!(false)), "{done:#}");
    let results = owner.get(&format!("/api/v1/scans/{scan}/results?limit=200&verdict=error")).await.ok();
    let errors = results["items"].as_array().unwrap();
    assert!(!errors.is_empty());
    for result in errors {
        assert!(result["request"].as_str().unwrap().contains("authorizationPolicy"), "{result:#}");
        assert!(result["reason"]["detail"].as_str().unwrap().len() > 10);
    }
    assert!(results["counts"]["passed"].as_u64().unwrap() > 10);
    sim().withdraw(TAILSPIN.directory, READER_CLIENT_ID);
}

/// I66, live: each source of threats answers for itself.
#[tokio::test]
async fn i66_live_views_tell_each_sources_state() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let owner = world.contoso.owner();
    connect(&world, &NORTHWIND).await;
    let some: Vec<&str> = bailiwick_sim::demo::READER_PERMISSIONS.iter().copied().filter(|p| *p != "IdentityRiskEvent.Read.All").collect();
    sim().consent_to(NORTHWIND.directory, READER_CLIENT_ID, &some).unwrap();
    sim().revoke_tokens(NORTHWIND.directory);
    sim().add_faults([broken("/alerts_v2")]);
    let threats = owner.get("/api/v1/threats").await.ok();
    sim().clear_faults();
    assert_eq!(threats["risky_users"]["source"]["state"], "ok", "{threats:#}");
    assert_eq!(threats["detections"]["source"]["state"], "needs_consent", "{threats:#}");
    assert_eq!(threats["detections"]["source"]["permission"], "IdentityRiskEvent.Read.All");
    assert_eq!(threats["alerts"]["source"]["state"], "error", "{threats:#}");
    let policies = owner.get("/api/v1/policies").await.ok();
    assert!(
        policies["policies"].as_array().unwrap().iter().all(|p| p["source"]["state"] == "ok" && p["compliant"].is_boolean()),
        "{policies:#}"
    );
    assert!(policies["conditional_access"]["enabled"].as_u64().unwrap() > 0);
    sim().withdraw(NORTHWIND.directory, READER_CLIENT_ID);
}

#[tokio::test]
async fn a_scan_whose_consent_was_withdrawn_fails_with_a_sentence() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let connection = connect(&world, &WINGTIP).await;
    sim().withdraw(WINGTIP.directory, READER_CLIENT_ID);
    let scan = start(&world, &connection, "compliance").await;
    world.work().await;
    let failed = shown(&world, &scan).await;
    assert_eq!((&failed["state"], &failed["end"]["code"]), (&json!("failed"), &json!("connection_refused")), "{failed:#}");
    assert_eq!(failed["end"]["cloud"]["code"], "consent_missing");
    let now = world.contoso.owner().get(&format!("/api/v1/connections/{}", connection["id"].as_str().unwrap())).await.ok();
    assert_eq!(now["state"], "failing");
}

/// A worker that ends in the middle: another goes on from what was kept, and there is one run.
#[tokio::test]
async fn an_interrupted_scan_goes_on_from_what_was_kept_and_makes_one_run() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let connection = connect(&world, &TAILSPIN).await;
    let scan = start(&world, &connection, "compliance").await;
    sim().set_latency(100);
    let kept = async {
        let mut look = world.look().await;
        loop {
            let marks: i64 =
                sqlx::query_scalar("SELECT count(*) FROM bailiwick.scan_checkpoints WHERE page = 0").fetch_one(&mut look).await.unwrap();
            if marks > 5 {
                return;
            }
        }
    };
    tokio::select! {
        _ = world.work() => panic!("the scan ended before it could be interrupted"),
        () = kept => {}
    }
    sim().set_latency(0);
    sqlx::query("UPDATE bailiwick.jobs SET lease_until = lease_until - interval '1 hour' WHERE state = 'running'")
        .execute(&mut world.look().await)
        .await
        .unwrap();
    world.work().await;
    let done = shown(&world, &scan).await;
    assert_eq!((&done["state"], &done["attempts"]), (&json!("completed"), &json!(2)), "{done:#}");
    assert!(done["progress"]["requests_resumed"].as_u64().unwrap() > 5, "{done:#}");
    let runs = world.contoso.owner().get("/api/v1/runs?family=scan").await.ok();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM bailiwick.scan_checkpoints").fetch_one(&mut world.look().await).await.unwrap();
    assert_eq!(left, 0);
    sim().withdraw(TAILSPIN.directory, READER_CLIENT_ID);
}

#[tokio::test]
async fn who_watches_a_scan_hears_of_its_progress_and_of_its_end() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let owner = world.contoso.owner();
    let connection = connect(&world, &TAILSPIN).await;
    let scan = start(&world, &connection, "exposure").await;
    sim().set_latency(50);
    let request = owner.request(reqwest::Method::GET, &format!("/api/v1/scans/{scan}/events"));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.bytes_stream();
    // The scan begins when its watcher has heard that it waits.
    let first = body.next().await.unwrap().unwrap();
    let watch = async {
        let mut text = String::from_utf8(first.to_vec()).unwrap();
        while let Some(piece) = body.next().await {
            text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        lines.map(|line| serde_json::from_str::<Value>(line).unwrap()["scan"].clone()).collect::<Vec<Value>>()
    };
    let (_, heard) = tokio::join!(world.work(), watch);
    sim().set_latency(0);
    let states: Vec<&str> = heard.iter().map(|scan| scan["state"].as_str().unwrap()).collect();
    assert_eq!((states.first(), states.last()), (Some(&"queued"), Some(&"completed")), "{states:?}");
    assert!(heard.iter().any(|scan| scan["progress"]["phase"] == "collecting"), "{states:?}");
    sim().withdraw(TAILSPIN.directory, READER_CLIENT_ID);
}

#[tokio::test]
async fn a_schedule_begins_its_scan_at_its_time_and_waits_for_the_next() {
    let _alone = READER_WORLD.lock().await;
    let world = scanning().await;
    let owner = world.contoso.owner();
    let connection = connect(&world, &WINGTIP).await;
    let new = json!({"name": "hourly", "kind": "compliance", "connection": connection["id"], "cron": "0 * * * *", "zone": "Europe/Berlin"});
    let schedule = owner.post("/api/v1/scan-schedules", new).await.ok();
    let next: jiff::Timestamp = schedule["next_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.work().await, 0, "nothing is due yet");
    let wait = next.duration_since(bailiwick_base::Clock::now(&world.clock));
    world.clock.advance(wait + jiff::SignedDuration::from_secs(1));
    world.work().await;
    let listed = owner.get("/api/v1/scan-schedules").await.ok();
    let schedule = &listed["items"][0];
    assert_eq!(schedule["next_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap(), next + jiff::SignedDuration::from_hours(1));
    let scan = shown(&world, schedule["last_scan"].as_str().unwrap()).await;
    assert_eq!((&scan["state"], &scan["schedule"]), (&json!("completed"), &schedule["id"]), "{scan:#}");
    sim().withdraw(WINGTIP.directory, READER_CLIENT_ID);
}
