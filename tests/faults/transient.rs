//! Parts that fail for a while: the artifact storage, the database, the sign-in service. What was taken is kept, what was not is said.

use crate::look;
use crate::reports::{hit, sarif};
use bailiwick_base::{Clock, ManualClock, SystemClock, SystemRng, uuid_v7};
use bailiwick_domain::evidence::jobs::PROCESS;
use bailiwick_domain::worker;
use bailiwick_server::runtime::{self, Role};
use bailiwick_sim::demo::CONTOSO;
use bailiwick_sim::{Fault, Sim, SimConfig};
use bailiwick_testkit::actor::Credential;
use bailiwick_testkit::{Actor, World, world};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

fn report() -> Vec<u8> {
    sarif("Scanner", true, &[hit("R1", "a.c", 3), hit("R1", "b.c", 3)])
}

/// A disk of a given size, unmounted when dropped; `None` where this user may not mount one.
struct Disk(PathBuf);

impl Disk {
    fn of(folder: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(folder).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(folder.to_path_buf()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_forgotten_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("artifacts");
    let Some(_disk) = Disk::of(&place, "size=2m") else {
        println!("not shown: mounting a small disk needs root");
        return;
    };
    let world = World::with(|config| config.artifacts.url = place.display().to_string()).await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    // What does not compress, as sealed bytes do not either.
    let large = vec![b' '; 3 << 20];
    let run = pipeline.post("/api/v1/runs", json!({"source": "ci"})).await.ok()["id"].as_str().unwrap().to_owned();
    let put = |name: &str| format!("/api/v1/runs/{run}/artifacts/{name}");
    let answer = pipeline.put_bytes(&put("large.json"), &large).await;
    assert!(answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
    assert_eq!(answer.refused(507), "storage_full");
    assert_eq!(owner.get(&format!("/api/v1/runs/{run}")).await.ok()["artifacts"], json!([]));
    // Filled to the brim by somebody else.
    let ballast = place.join("ballast");
    let filled = std::fs::write(&ballast, vec![1u8; 4 << 20]);
    assert!(filled.is_err(), "the disk is full");
    assert_eq!(pipeline.put_bytes(&put("scan.sarif"), &report()).await.refused(507), "storage_full");
    std::fs::remove_file(&ballast).unwrap();
    pipeline.put_bytes(&put("scan.sarif"), &report()).await.ok();
    pipeline.complete(&run, &[("scan.sarif", &report())]).await.ok();
    world.work().await;
    let seen = owner.get(&format!("/api/v1/runs/{run}")).await.ok();
    assert_eq!((&seen["state"], &seen["counts"]["failed"]), (&json!("succeeded"), &json!(2)), "{seen:#}");
}

async fn run_sql(sql: &mut PgConnection, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(sql).await.unwrap();
}

/// Ends every connection of the server to its database, and lets it make no new one.
async fn cut(world: &World, sql: &mut PgConnection) {
    run_sql(sql, format!("ALTER DATABASE {} CONNECTION LIMIT 0", world.database)).await;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = 'bailiwick_login'";
    run_sql(sql, others.into()).await;
}

async fn mend(world: &World, sql: &mut PgConnection) {
    run_sql(sql, format!("ALTER DATABASE {} CONNECTION LIMIT -1", world.database)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_during_processing_costs_an_attempt_and_nothing_else() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = pipeline.submit(json!({"source": "ci"}), &[("scan.sarif", &report())]).await;
    let path = format!("/api/v1/runs/{run}");
    let mut sql = world.look().await;
    // Processing gets as far as its findings, and there it waits for us.
    let mut gate = world.look().await;
    run_sql(&mut gate, "BEGIN; LOCK TABLE bailiwick.findings IN ACCESS EXCLUSIVE MODE".into()).await;
    let services = world.running.services.clone();
    let who = uuid_v7(services.store.clock(), services.store.rng());
    let lease = services.store.claim(who, 1, Duration::from_secs(60)).await.unwrap().pop().unwrap();
    let working = tokio::spawn({
        let services = services.clone();
        async move { worker::perform(&services, &lease).await }
    });
    while look::number(&mut sql, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        .await
        == 0
    {
        tokio::task::yield_now().await;
    }
    cut(&world, &mut sql).await;
    let answer = owner.get(&path).await;
    assert_eq!((answer.headers.contains_key("retry-after"), answer.refused(503).as_str()), (true, "unavailable"));
    mend(&world, &mut sql).await;
    working.await.unwrap();
    drop(gate);

    let seen = owner.get(&path).await.ok();
    assert_eq!((&seen["state"], &seen["attempts"], &seen["series"]), (&json!("queued"), &json!(1), &json!([])), "{seen:#}");
    assert_eq!(world.work().await, 0, "not before its time");
    world.clock.advance(SignedDuration::from_secs(2));
    assert_eq!(world.work().await, 1);
    let seen = owner.get(&path).await.ok();
    assert_eq!((&seen["state"], &seen["attempts"]), (&json!("succeeded"), &json!(2)), "{seen:#}");
    look::series_are_whole(&mut sql).await;
    look::trails_verify(&mut sql).await;
}

fn artifact_file(folder: &Path) -> PathBuf {
    let mut place = folder.join("artifacts");
    while place.is_dir() {
        place = std::fs::read_dir(&place).unwrap().next().unwrap().unwrap().path();
    }
    place
}

#[tokio::test]
async fn what_stays_away_is_tried_for_five_minutes_then_given_up_and_can_be_tried_again() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = pipeline.submit(json!({"source": "ci"}), &[("scan.sarif", &report())]).await;
    let path = format!("/api/v1/runs/{run}");
    let file = artifact_file(&world.config.data_folder);
    let away = world.config.data_folder.join("away");
    std::fs::rename(&file, &away).unwrap();
    let waits = [2, 4, 8].into_iter().chain(std::iter::repeat_n(15, 20));
    for (attempt, wait) in (1..).zip(waits) {
        assert_eq!(world.work().await, 1, "attempt {attempt}");
        let seen = owner.get(&path).await.ok();
        assert_eq!((&seen["state"], &seen["attempts"]), (&json!("queued"), &json!(attempt)), "{seen:#}");
        world.clock.advance(SignedDuration::from_secs(wait - 1));
        assert_eq!(world.work().await, 0, "the wait doubles, up to the longest");
        world.clock.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(world.work().await, 2, "the last try, and telling of it");
    let seen = owner.get(&path).await.ok();
    assert_eq!((&seen["state"], &seen["attempts"]), (&json!("failed"), &json!(PROCESS.max_attempts)), "{seen:#}");
    assert_eq!((&seen["failure"]["code"], &seen["failure"]["artifact"]), (&json!("unavailable"), &json!("scan.sarif")), "{seen:#}");
    assert!(seen["failure"]["detail"].as_str().unwrap().contains("artifact storage"), "{seen:#}");
    assert_eq!(look::number(&mut world.look().await, "SELECT count(*) FROM bailiwick.jobs WHERE kind = 'evidence.process'").await, 0);

    std::fs::rename(&away, &file).unwrap();
    world.contoso.admin().post(&format!("{path}/retry"), json!({})).await.ok();
    assert_eq!(world.work().await, 1);
    let seen = owner.get(&path).await.ok();
    assert_eq!((&seen["state"], &seen["failure"]), (&json!("succeeded"), &Value::Null), "{seen:#}");
    assert_eq!(world.contoso.admin().post(&format!("{path}/retry"), json!({})).await.refused(409), "wrong_state");
    // It has its content back: the same upload is known again.
    let again = pipeline.submit(json!({"source": "ci"}), &[("scan.sarif", &report())]).await;
    assert_eq!(owner.get(&format!("/api/v1/runs/{again}")).await.ok()["duplicate_of"], json!(run));
}

#[tokio::test]
async fn a_changed_artifact_is_never_read_as_evidence() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = pipeline.submit(json!({"source": "ci"}), &[("scan.sarif", &report())]).await;
    let file = artifact_file(&world.config.data_folder);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    for _ in 0..PROCESS.max_attempts {
        world.work().await;
        world.clock.advance(SignedDuration::from_secs(15));
    }
    let seen = owner.get(&format!("/api/v1/runs/{run}")).await.ok();
    assert_eq!((&seen["state"], &seen["series"]), (&json!("failed"), &json!([])), "{seen:#}");
    let download = owner.request(reqwest::Method::GET, &format!("/api/v1/runs/{run}/artifacts/scan.sarif"));
    let came = owner.try_send(download).await;
    assert!(came.as_ref().is_err() || came.is_ok_and(|answer| answer.status >= 500), "bytes that do not verify do not leave whole");
}

fn jwks_down() -> Fault {
    serde_json::from_value(json!({"action": {"jwks_down": true}})).unwrap()
}

/// A server whose sign-in service is a simulator of its own, with one clock for both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_keys_that_cannot_be_had_stop_nobody_whose_keys_are_known() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let clock = ManualClock::at(SystemClock.now());
    let sim = Sim::start(SimConfig { clock: Arc::new(clock.clone()), ..SimConfig::demo(&["http://localhost:8480/"]) }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = world::config(folder.path());
    std::fs::write(&config.entra.extra_ca_file, sim.ca_pem()).unwrap();
    (config.entra.login, config.entra.graph, config.entra.arm) = (sim.url(), sim.url(), sim.url());
    let cluster = bailiwick_testkit::cluster::cluster().await;
    let database = cluster.database().await;
    let running =
        runtime::start(&config, Role::Api, Some(cluster.given(&database)), Arc::new(clock.clone()), Arc::new(SystemRng)).await.unwrap();
    let url = format!("http://{}", running.address);
    let owner = || Actor::new("owner", &url, Credential::Bearer(sim.user_token(CONTOSO.directory, CONTOSO.owner).unwrap()));

    sim.add_faults([jwks_down()]);
    let answer = owner().get("/api/v1/me").await;
    assert_eq!(
        (answer.headers.contains_key("retry-after"), answer.refused(503).as_str()),
        (true, "unavailable"),
        "nobody is let in unchecked, nobody is called a stranger"
    );
    sim.clear_faults();
    clock.advance(SignedDuration::from_mins(1));
    owner().get("/api/v1/me").await.ok();
    let key = owner().post("/api/v1/api-keys", json!({"name": "ci"})).await.ok()["key"].as_str().unwrap().to_owned();

    sim.add_faults([jwks_down()]);
    for hours in [1, 8, 16, 20] {
        clock.advance(SignedDuration::from_hours(hours));
        owner().get("/api/v1/me").await.ok();
    }
    clock.advance(SignedDuration::from_hours(5));
    assert_eq!(owner().get("/api/v1/me").await.refused(503), "unavailable", "two days without keys is too long");
    Actor::new("key", &url, Credential::Key(key)).get("/api/v1/runs").await.ok();
    sim.clear_faults();
    clock.advance(SignedDuration::from_mins(1));
    owner().get("/api/v1/me").await.ok();
    // Back and forth: keys grow older, never younger, and are fetched again.
    for hours in [-30, 30] {
        clock.advance(SignedDuration::from_hours(hours));
        owner().get("/api/v1/me").await.ok();
    }
    running.stop().await;
}
