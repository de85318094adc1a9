//! kill -9 in the middle of a scan: of the scanner, and of `bailiwickd` itself. Another goes on from what was kept, and there is one run.

use super::ends::{kept, next_due, nothing_kept_is_read_again, read};
use super::stage::{Stage, build_scanner, text};
use super::table::{tell_completed, tell_end};
use crate::daemon::{Daemon, free_port, open_folder, write_config};
use crate::{kills, look};
use bailiwick_base::Clock;
use bailiwick_sim::demo::{CONTOSO, NORTHWIND, READER_CLIENT_ID, READER_SECRET, WINGTIP};
use bailiwick_testkit::actor::Credential;
use bailiwick_testkit::{Actor, sim};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scanner_that_is_killed_is_started_again_and_reads_on() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let scan = stage.start(&connection, "compliance").await;
    stage.sim.clear_calls();
    stage.sim.set_latency(60);
    tokio::join!(stage.work(), async {
        stage.until("what is kept", async || kept(&stage).await >= 10).await;
        let scanners = stage.scanners();
        assert_eq!(scanners.len(), 1, "one scan, one scanner");
        kill(Pid::from_raw(scanners[0]), Signal::SIGKILL).unwrap();
    });
    assert_eq!(text(&stage.shown(&scan).await, "/state"), "running");
    let (before, marks) = (read(&stage), kept(&stage).await);
    stage.sim.set_latency(0);
    stage.sim.clear_calls();
    stage.clock.set(stage.clock.now().max(next_due(&stage).await));
    stage.work().await;
    let done = stage.shown(&scan).await;
    assert_eq!((text(&done, "/state"), &done["attempts"], &done["complete"]), ("completed", &json!(2), &json!(true)), "{done:#}");
    assert_eq!(done["progress"]["requests_resumed"], json!(marks), "{done:#}");
    nothing_kept_is_read_again(&before, &read(&stage), marks);
    assert_eq!(stage.owner().get("/api/v1/runs?family=scan").await.ok()["items"].as_array().unwrap().len(), 1);
    tell_completed(35, "kill -9 of the scanner in mid-scan", &done, "no check; one run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scanner_that_is_killed_each_time_is_given_up() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let scan = stage.start(&connection, "compliance").await;
    stage.sim.set_latency(1_000);
    let mut attempts = 0;
    while ["queued", "running"].contains(&text(&stage.shown(&scan).await, "/state")) {
        attempts += 1;
        assert!(attempts < 30, "it is tried for ever");
        stage.clock.set(stage.clock.now().max(next_due(&stage).await));
        tokio::join!(stage.work(), async {
            stage.until("a scanner", async || !stage.scanners().is_empty()).await;
            for scanner in stage.scanners() {
                let _ = kill(Pid::from_raw(scanner), Signal::SIGKILL);
            }
        });
    }
    let failed = stage.shown(&scan).await;
    assert_eq!((text(&failed, "/state"), text(&failed, "/end/code")), ("failed", "scanner_ended"), "{failed:#}");
    tell_end(36, "kill -9 of the scanner, each time", &failed, &format!("given up after {attempts} attempts; no verdict is kept"));
}

fn owner(daemon: &Daemon) -> Actor {
    let token = sim().user_token(CONTOSO.directory, CONTOSO.owner).unwrap();
    Actor::new("owner of Contoso", &daemon.url, Credential::Bearer(token))
}

async fn until(daemon: &Daemon, scan: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let seen = owner(daemon).get(&format!("/api/v1/scans/{scan}")).await.ok();
        if is(&seen) {
            return seen;
        }
        assert!(begun.elapsed() < super::stage::PATIENCE, "{what} does not come: {seen:#}\n{}", daemon.said());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn answered() -> Vec<(String, Option<String>)> {
    let calls = sim().calls().into_iter().filter(|call| call.directory == Some(WINGTIP.directory) && !call.path.contains("/oauth2/"));
    let read = calls.filter(|call| call.method == "GET" && call.status == 200);
    read.map(|call| (call.path, call.query.filter(|query| !query.is_empty()))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_survives_kill_9_of_bailiwickd_with_one_run_and_a_trail_that_verifies() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    build_scanner();
    let (folder, port) = (open_folder(), free_port());
    let secret = folder.path().join("reader");
    std::fs::write(&secret, READER_SECRET).unwrap();
    let tables = format!(
        "[microsoft.reader]\nclient_id = \"{READER_CLIENT_ID}\"\nsecret_file = {secret:?}\n[scanner]\nmemory_mib = 503\ndns_servers = [\"{}\"]\n",
        sim().dns_address()
    );
    let mut daemon = Daemon::new(write_config(folder.path(), port, "", &tables), port, folder.path().join("data"));
    daemon.start();
    daemon.ready(Duration::from_secs(60)).await;
    let begun = owner(&daemon).post("/api/v1/consents", json!({"kind": "read", "directory": WINGTIP.directory})).await.ok();
    let url = reqwest::Url::parse(text(&begun, "/url")).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    assert!(sim().consent(WINGTIP.directory, READER_CLIENT_ID));
    let told = json!({"state": state, "tenant": WINGTIP.directory, "admin_consent": "True"});
    let outcome = owner(&daemon).post("/api/v1/consents/complete", told).await.ok();
    sim().set_latency(150);
    let earlier = answered().len();
    let new = json!({"kind": "compliance", "connection": outcome["connection"]["id"]});
    let scan = text(&owner(&daemon).post("/api/v1/scans", new).await.ok(), "/id").to_owned();
    until(&daemon, &scan, "progress", |seen| seen["progress"]["requests_done"].as_u64() >= Some(12)).await;
    daemon.kill();
    sim().set_latency(0);
    let scanner = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let line = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        processes.map(line).any(|line| String::from_utf8_lossy(&line).contains(&format!("--memory={}", 503 << 20)))
    };
    let gone = Instant::now();
    while scanner() {
        assert!(gone.elapsed() < Duration::from_secs(20), "the scanner outlives its parent");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before: Vec<_> = answered().split_off(earlier);
    daemon.start();
    daemon.ready(Duration::from_secs(60)).await;
    let done = until(&daemon, &scan, "the end", |seen| !["queued", "running"].contains(&text(seen, "/state"))).await;
    assert_eq!((text(&done, "/state"), &done["attempts"], &done["complete"]), ("completed", &json!(2), &json!(true)), "{done:#}");
    let resumed = usize::try_from(done["progress"]["requests_resumed"].as_u64().unwrap()).unwrap();
    assert!(resumed > 0, "{done:#}");
    nothing_kept_is_read_again(&before, &answered().split_off(earlier + before.len()), resumed);
    let run = format!("/api/v1/runs/{}", text(&done, "/run"));
    let begun = Instant::now();
    while text(&owner(&daemon).get(&run).await.ok(), "/state") != "succeeded" {
        assert!(begun.elapsed() < super::stage::PATIENCE, "the run of the scan is not processed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(owner(&daemon).get("/api/v1/runs?family=scan").await.ok()["items"].as_array().unwrap().len(), 1);
    let mut sql = kills::look_at(&daemon).await;
    for (action, times) in [("scan.started", 1), ("scan.completed", 1)] {
        let entries: i64 = sqlx::query_scalar("SELECT count(*) FROM bailiwick.trail_entries WHERE action = $1")
            .bind(action)
            .fetch_one(&mut sql)
            .await
            .unwrap();
        assert_eq!(entries, times, "{action}");
    }
    assert_eq!(look::number(&mut sql, "SELECT count(*) FROM bailiwick.scan_checkpoints").await, 0);
    let entries = look::trails_verify(&mut sql).await;
    look::series_are_whole(&mut sql).await;
    drop(sql);
    assert!(daemon.stop().await.success());
    tell_completed(37, "kill -9 of bailiwickd in mid-scan", &done, &format!("no check; one run; the trail of {entries} entries verifies"));
}
