//! A hundred kills, at random moments of upload and processing: of `bailiwickd`, of PostgreSQL's postmaster, of one of its backends.
//! What was acknowledged is there once; nothing is there twice.
//!
//! `BAILIWICK_KILLS` is how many (100), `BAILIWICK_KILL_SEED` which dice.

use crate::daemon::{Daemon, free_port, open_folder, write_config};
use crate::look;
use crate::reports::{hit, sarif};
use bailiwick_base::{Rng, SeededRng};
use bailiwick_sim::demo::{CONTOSO, FABRIKAM, Org};
use bailiwick_store::PgConnectOptions;
use bailiwick_store::private_postgres::SUPERUSER;
use bailiwick_testkit::actor::{Credential, sha256};
use bailiwick_testkit::{Actor, Answer, sim};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, PgConnection};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Generous: the machine may be busy with other tests.
const READY: Duration = Duration::from_secs(60);
/// After the last kill.
const SETTLED: Duration = Duration::from_secs(150);

/// Chance, from a seed.
pub struct Dice(pub SeededRng);

impl Dice {
    pub fn below(&self, n: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % n
    }
    pub fn millis(&self, most: u64) -> Duration {
        Duration::from_millis(self.below(most))
    }
}

/// A number that the environment may set.
pub fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a whole number"))
}

/// A pipeline that uploads one report after the other and tries again whatever fails for a passing reason, as the command line does.
struct Pipeline {
    actor: Actor,
    name: String,
    dice: Dice,
    /// Runs whose manifest was taken, and the hash of what they hold.
    acknowledged: Vec<(String, String)>,
    /// The same upload once more, told to be one.
    repeated: usize,
    last_kill: Arc<Mutex<Instant>>,
}

impl Pipeline {
    fn new(org: Org, number: u64, url: &str, seed: u64, last_kill: Arc<Mutex<Instant>>) -> Self {
        let token = sim().app_token(org.directory, org.pipeline).unwrap();
        let name = format!("{} {number}", org.name);
        Self {
            actor: Actor::new(&name, url, Credential::Bearer(token)),
            name,
            dice: Dice(SeededRng::new(seed)),
            acknowledged: Vec::new(),
            repeated: 0,
            last_kill,
        }
    }

    /// What has to come to an end does so in time once nobody is killed any more; until then it may be thrown back again and again.
    fn patience_ends(&self, begun: Instant) -> bool {
        self.last_kill.lock().unwrap().max(begun).elapsed() > SETTLED
    }

    /// Sends until there is an answer that means something; what it sends must be safe to repeat.
    async fn insist(&self, request: impl Fn() -> RequestBuilder) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.actor.try_send(request().timeout(Duration::from_secs(20))).await;
            match answer {
                Ok(answer) if answer.status < 500 && answer.status != 429 => return answer,
                other => assert!(!self.patience_ends(begun), "{} gets no answer: {other:?}", self.name),
            }
            tokio::time::sleep(Duration::from_millis(30) + self.dice.millis(150)).await;
        }
    }

    async fn upload(&self, number: u64, key: &str) -> (String, String, Value) {
        // A window that moves: each upload brings four results and loses four.
        let hits: Vec<_> = (number * 4..number * 4 + 40).map(|n| hit(&format!("R{}", n % 7), &format!("src/{n}.c"), 3)).collect();
        let bytes = sarif(&self.name, true, &hits);
        let hash = sha256(&bytes);
        let new = json!({"source": self.name, "pipeline_run_id": format!("{number}"), "idempotency_key": key});
        let opened = self.insist(|| self.actor.request(Method::POST, "/api/v1/runs").json(&new)).await.ok();
        let run = opened["id"].as_str().unwrap().to_owned();
        let put = format!("/api/v1/runs/{run}/artifacts/scan.sarif?sha256={hash}");
        self.insist(|| self.actor.request(Method::PUT, &put).body(bytes.clone())).await.ok();
        let manifest = json!({"artifacts": [{"name": "scan.sarif", "sha256": hash}]});
        let complete = format!("/api/v1/runs/{run}/complete");
        let completed = self.insist(|| self.actor.request(Method::POST, &complete).json(&manifest)).await.ok();
        (run, hash, completed)
    }

    async fn settled(&self, run: &str) -> Value {
        let begun = Instant::now();
        let path = format!("/api/v1/runs/{run}");
        loop {
            let found = self.insist(|| self.actor.request(Method::GET, &path)).await.ok();
            if found["state"] != "queued" && found["state"] != "processing" {
                return found;
            }
            assert!(!self.patience_ends(begun), "{}'s run is still {}: {found:#}", self.name, found["state"]);
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    async fn work(mut self, stop: Arc<AtomicBool>) -> Self {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let (run, hash, _) = self.upload(number, &format!("{}-{number}", self.name)).await;
            self.acknowledged.push((run.clone(), hash));
            // The next one is sent while this one is processed, now and then.
            if self.dice.below(3) > 0 {
                let settled = self.settled(&run).await;
                assert_eq!(settled["state"], "succeeded", "{settled:#}");
            }
            if self.dice.below(8) == 0 {
                let (again, _, answer) = self.upload(number, &format!("{}-{number}-again", self.name)).await;
                assert_eq!((&answer["state"], &answer["duplicate_of"]), (&json!("duplicate"), &json!(run)), "{again}: {answer:#}");
                self.repeated += 1;
            }
            number += 1;
        }
        self
    }
}

/// The processes that work in a cluster, besides its postmaster.
fn backends(cluster: &Path, postmaster: Pid) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let here = pids.filter(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster));
    here.map(Pid::from_raw).filter(|pid| *pid != postmaster).collect()
}

fn socket(folder: &Path) -> PathBuf {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_name() == ".s.PGSQL.5432" {
                return folder;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != "base" {
                folders.push(entry.path());
            }
        }
    }
    panic!("no socket under {}", folder.display());
}

pub async fn look_at(daemon: &Daemon) -> PgConnection {
    let folder = socket(&daemon.data.join("postgres"));
    let options = PgConnectOptions::new_without_pgpass().host("localhost").socket(folder).username(SUPERUSER).database("bailiwick");
    options.disable_statement_logging().connect().await.unwrap()
}

/// How long starts took, by what came before.
#[derive(Default)]
struct Starts(Vec<(&'static str, Duration)>);

impl Starts {
    fn table(&self) -> String {
        let mut text = String::new();
        for what in [
            "first start",
            "start after an orderly stop",
            "start after kill -9",
            "back after kill -9 of PostgreSQL",
            "back after kill -9 of a backend",
        ] {
            let mut times: Vec<Duration> = self.0.iter().filter(|(w, _)| *w == what).map(|(_, t)| *t).collect();
            times.sort_unstable();
            if let (Some(worst), false) = (times.last(), times.is_empty()) {
                let _ = writeln!(
                    text,
                    "  {what}: median {:.2} s, worst {:.2} s, {} times",
                    times[times.len() / 2].as_secs_f64(),
                    worst.as_secs_f64(),
                    times.len()
                );
            }
        }
        text
    }
}

async fn kill_daemon(daemon: &mut Daemon, dice: &Dice, starts: &mut Starts) -> u64 {
    daemon.kill();
    daemon.start();
    let mut kills = 1;
    // Sometimes it does not even get to its feet.
    while dice.below(5) == 0 {
        tokio::time::sleep(dice.millis(700)).await;
        daemon.kill();
        daemon.start();
        kills += 1;
    }
    starts.0.push(("start after kill -9", daemon.ready(READY).await));
    kills
}

async fn kill_postgres(daemon: &mut Daemon, dice: &Dice, starts: &mut Starts) -> u64 {
    let Some(postmaster) = daemon.postmaster() else { return 0 };
    let begun = Instant::now();
    if dice.below(2) == 0 {
        let cluster = daemon.data.join("postgres/cluster").canonicalize().unwrap();
        let backends = backends(&cluster, postmaster);
        let Some(one) = backends.get(usize::try_from(dice.below(backends.len().max(1) as u64)).unwrap()) else { return 0 };
        // It may have ended by itself since.
        if kill(*one, Signal::SIGKILL).is_err() {
            return 0;
        }
        daemon.ready(READY).await;
        starts.0.push(("back after kill -9 of a backend", begun.elapsed()));
        return 1;
    }
    kill(postmaster, Signal::SIGKILL).unwrap();
    while daemon.postmaster().is_none_or(|pid| pid == postmaster) {
        assert!(begun.elapsed() < READY, "no new PostgreSQL");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    daemon.ready(READY).await;
    starts.0.push(("back after kill -9 of PostgreSQL", begun.elapsed()));
    1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_random_kills_lose_nothing_and_duplicate_nothing() {
    let (wanted, seed) = (setting("BAILIWICK_KILLS", 100), setting("BAILIWICK_KILL_SEED", 20_261_122));
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = open_folder();
    let port = free_port();
    let config = write_config(folder.path(), port, "", "");
    let mut daemon = Daemon::new(config, port, folder.path().join("data"));
    let (dice, mut starts) = (Dice(SeededRng::new(seed)), Starts::default());
    crate::daemon::program();
    daemon.start();
    starts.0.push(("first start", daemon.ready(READY).await));

    let stop = Arc::new(AtomicBool::new(false));
    let orgs = [(CONTOSO, 1), (FABRIKAM, 2), (CONTOSO, 3), (FABRIKAM, 4)];
    let last_kill = Arc::new(Mutex::new(Instant::now()));
    let pipelines = orgs
        .map(|(org, number)| tokio::spawn(Pipeline::new(org, number, &daemon.url, seed + number, last_kill.clone()).work(stop.clone())));
    let begun = Instant::now();
    let mut kills = 0;
    while kills < wanted {
        tokio::time::sleep(dice.millis(1_200)).await;
        for pipeline in &pipelines {
            assert!(!pipeline.is_finished(), "a pipeline gave up after {kills} kills");
        }
        kills += if dice.below(2) == 0 {
            kill_daemon(&mut daemon, &dice, &mut starts).await
        } else {
            kill_postgres(&mut daemon, &dice, &mut starts).await
        };
        *last_kill.lock().unwrap() = Instant::now();
    }
    let took = begun.elapsed();
    stop.store(true, Ordering::Relaxed);

    let (mut acknowledged, mut found, mut repeated, mut again) = (0, 0, 0, 0);
    for pipeline in pipelines {
        let pipeline = match pipeline.await {
            Ok(pipeline) => pipeline,
            Err(gave_up) => panic!("{gave_up}; the queue:\n{}", look::queue(&mut look_at(&daemon).await).await),
        };
        acknowledged += pipeline.acknowledged.len();
        repeated += pipeline.repeated;
        for (run, hash) in &pipeline.acknowledged {
            let settled = pipeline.settled(run).await;
            assert_eq!((&settled["state"], &settled["artifacts"][0]["sha256"]), (&json!("succeeded"), &json!(hash)), "{settled:#}");
            found += 1;
            again += usize::from(settled["attempts"].as_u64().unwrap() > 1);
        }
        let owner = sim().user_token(pipeline_org(&pipeline.name).directory, pipeline_org(&pipeline.name).owner).unwrap();
        let owner = Actor::new("owner", &daemon.url, Credential::Bearer(owner));
        for (run, hash) in pipeline.acknowledged.iter().step_by(7) {
            let artifact = owner.get(&format!("/api/v1/runs/{run}/artifacts/scan.sarif")).await;
            assert_eq!(sha256(&artifact.bytes), *hash, "what {run} holds is not what was sent");
        }
    }
    println!("{kills} kills in {:.0} s (seed {seed}): acknowledged {acknowledged}, found {found}", took.as_secs_f64());
    println!("  {again} runs were processed again after a kill, {repeated} repeated uploads were known again");
    assert_eq!(acknowledged, found);
    assert!(acknowledged > 0);

    let mut sql = look_at(&daemon).await;
    let runs = look::number(&mut sql, "SELECT count(*) FROM bailiwick.runs").await;
    let succeeded = look::number(&mut sql, "SELECT count(*) FROM bailiwick.runs WHERE state = 'succeeded'").await;
    let artifacts = look::number(&mut sql, "SELECT count(*) FROM bailiwick.artifacts").await;
    assert_eq!((runs, succeeded, artifacts), ((acknowledged + repeated) as i64, acknowledged as i64, (acknowledged + repeated) as i64));
    assert_eq!(look::number(&mut sql, "SELECT count(*) FROM bailiwick.jobs WHERE kind = 'evidence.process'").await, 0, "jobs left over");
    for ((run, action), times) in look::trail_of_runs(&mut sql).await {
        assert!(times == 1 || action == "artifact.read", "{action} of run {run} stands {times} times in the trail");
    }
    for action in ["run.opened", "artifact.stored", "run.completed", "run.processed"] {
        let entries = look::trail_of_runs(&mut sql).await.keys().filter(|(_, a)| a == action).count();
        assert_eq!(entries, if action == "run.processed" { acknowledged } else { acknowledged + repeated }, "{action}");
    }
    look::series_are_whole(&mut sql).await;
    look::open_findings_are_the_newest_results(&mut sql).await;
    println!("  {} trail entries verify; no run, observation, finding or entry stands twice", look::trails_verify(&mut sql).await);
    drop(sql);

    assert!(daemon.stop().await.success(), "an orderly stop is a good end");
    daemon.start();
    starts.0.push(("start after an orderly stop", daemon.ready(READY).await));
    print!("{}", starts.table());
    assert!(daemon.stop().await.success());
}

fn pipeline_org(name: &str) -> Org {
    if name.starts_with(CONTOSO.name) { CONTOSO } else { FABRIKAM }
}
