//! Scans: what judging costs, how long a whole scan takes when Microsoft is as slow and as strict as it is, what the scanner holds of a
//! very large directory, and who is waited for when very many are scanned.

use super::thousands;
use crate::api::Caller;
use crate::daemon::{Daemon, Home};
use crate::report::Report;
use crate::stage::Stage;
use anyhow::{Context, bail, ensure};
use bailiwick_checks::{Answer, Catalogue, FaultKind, Fetch, Job, Request, ScanKind, Service, Settings, Silent, scan_by};
use bailiwick_sim::Knobs;
use bailiwick_sim::demo::{LITWARE, NORTHWIND, READER_CLIENT_ID, READER_SECRET, TAILSPIN, many_id};
use futures::stream::{self, StreamExt, TryStreamExt};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(1_200);

pub async fn measure(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    judging(stage, report).await?;
    let home = stage.home()?;
    let daemon = Daemon::start(&stage.program, &home, None).await?;
    let owner = stage.owner(&home)?;
    slow_cloud(stage, &owner, report).await?;
    large_directory(stage, &daemon, &owner, report).await?;
    many_directories(stage, &daemon, &home, &owner, report).await?;
    daemon.stop().await
}

/// Answers of one directory, by service and path: asked once of the simulated cloud, then told again.
struct Recorded {
    answers: HashMap<(Service, String), (u16, Vec<u8>)>,
    live: Option<Live>,
    /// Nanoseconds of this thread spent here, which are not the judging's.
    spent: i64,
}

struct Live {
    runtime: tokio::runtime::Handle,
    client: reqwest::Client,
    url: String,
    tokens: BTreeMap<Service, String>,
}

impl Live {
    fn ask(&self, request: &Request) -> anyhow::Result<(u16, Vec<u8>)> {
        let Some(token) = self.tokens.get(&request.service) else { return Ok((200, json!({"records": []}).to_string().into_bytes())) };
        let url = if request.path.starts_with("http") { request.path.clone() } else { format!("{}{}", self.url, request.path) };
        self.runtime.block_on(async {
            let answer = self.client.get(url).bearer_auth(token).header("ConsistencyLevel", "eventual").send().await?;
            Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
        })
    }
}

fn thread_time() -> i64 {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(0, |at| at.tv_sec() * 1_000_000_000 + at.tv_nsec())
}

impl Fetch for Recorded {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        let begun = thread_time();
        let mut answers = Vec::new();
        for request in requests {
            let key = (request.service, request.path.clone());
            if let (None, Some(live)) = (self.answers.get(&key), &self.live)
                && let Ok(answer) = live.ask(request)
            {
                self.answers.insert(key.clone(), answer);
            }
            answers.push(match self.answers.get(&key) {
                Some((status, body)) => Answer::Body { status: *status, headers: BTreeMap::new(), body: body.clone() },
                None => Answer::Failed { kind: FaultKind::Unreachable, message: "not recorded".into() },
            });
        }
        self.spent += thread_time() - begun;
        answers
    }
}

/// Every check over everything one directory answers, in processor time of one thread.
async fn judging(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let sim = stage.sim();
    sim.consent(TAILSPIN.directory, READER_CLIENT_ID);
    sim.set_azure_reader(TAILSPIN.directory, READER_CLIENT_ID, true);
    sim.set_knobs(Knobs { limit_identity: false, limit_reports: false, ..Knobs::default() });
    let token = |api: &str| sim.app_token_for(TAILSPIN.directory, READER_CLIENT_ID, api);
    let tokens =
        BTreeMap::from([(Service::Graph, token("https://graph.microsoft.com")?), (Service::Arm, token("https://management.azure.com")?)]);
    let live = Live { runtime: tokio::runtime::Handle::current(), client: crate::api::client_of(sim.ca_pem())?, url: sim.url(), tokens };
    let repeats = if stage.quick { 3 } else { 15 };
    let (spent, results, unread) = tokio::task::spawn_blocking(move || {
        let catalogue = Catalogue::shipped().map_err(|broken| anyhow::anyhow!("the catalogue does not load: {broken:?}"))?;
        let job = Job {
            directory: TAILSPIN.directory,
            directory_name: TAILSPIN.name.into(),
            kind: ScanKind::Compliance,
            now: "2026-11-22T00:00:00Z".parse()?,
            settings: Settings::default(),
            packs: Vec::new(),
            only: Some(catalogue.checks().iter().map(|check| check.id.clone()).collect()),
            resume: Vec::new(),
            catalogue: None,
        };
        let mut cloud = Recorded { answers: HashMap::new(), live: Some(live), spent: 0 };
        let first = scan_by(catalogue, &job, &mut cloud, &mut Silent);
        cloud.live = None;
        let mut best = i64::MAX;
        for _ in 0..repeats {
            let (begun, before) = (thread_time(), cloud.spent);
            let again = scan_by(catalogue, &job, &mut cloud, &mut Silent);
            best = best.min(thread_time() - begun - (cloud.spent - before));
            ensure!(again.results.len() == first.results.len(), "the same answers gave another number of results");
        }
        let unread = first.results.iter().filter(|result| result.verdict.as_str() == "error").count();
        anyhow::Ok((best, first.results.len(), unread))
    })
    .await??;
    ensure!(unread * 20 < results, "{unread} of {results} checks could not be read: this is no measure of judging");
    let detail = format!("{results} checks of a directory's recorded answers, parsed and judged by one thread; best of {repeats}");
    report.add("judging one directory with all checks", spent as f64 / 1e6, 150.0, "ms", detail)
}

/// A whole scan while each call takes 100 ms and Microsoft's published limits hold.
async fn slow_cloud(stage: &Stage, owner: &Caller, report: &mut Report) -> anyhow::Result<()> {
    stage.sim().set_knobs(Knobs { latency_ms: 100, ..Knobs::default() });
    let connection = connect(stage, owner, NORTHWIND.directory).await?;
    let calls = stage.sim().calls().len();
    let (_, took) = scan(owner, &connection, "exposure").await?;
    let detail = format!("{} calls at 100 ms, limits of Conditional Access and reports in force", stage.sim().calls().len() - calls);
    report.add("a whole scan of a slow cloud", took.as_secs_f64(), 60.0, "s", detail)
}

/// Memory of the scanner while it pages through a directory of 100,000 people.
async fn large_directory(stage: &Stage, daemon: &Daemon, owner: &Caller, report: &mut Report) -> anyhow::Result<()> {
    stage.sim().set_knobs(Knobs::default());
    let connection = connect(stage, owner, LITWARE.directory).await?;
    // The most it held in its first seconds, when it has loaded the catalogue and begun to page, and in all.
    let (mut early, mut peak) = (0.0_f64, 0.0_f64);
    let watch = async {
        let begun = Instant::now();
        loop {
            // The kernel keeps the peak itself, and only while the process lives.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let Some(now) = daemon.scanner_memory() else { continue };
            peak = peak.max(now);
            if begun.elapsed() < Duration::from_secs(5) {
                early = peak;
            }
        }
    };
    let scanned = tokio::select! {
        scanned = scan(owner, &connection, "exposure") => scanned?,
        () = watch => bail!("the watch ended"),
    };
    ensure!(peak > 0.0, "no scanner was seen");
    let detail = format!("{:.0} MiB after five seconds; the scan took {:.1} s", early, scanned.1.as_secs_f64());
    report.add("memory, scanner over 100,000 users", peak, 150.0, "MiB", detail)
}

/// Very many directories, each call taking 100 ms: how busy our programs keep the machine while they wait for the cloud.
async fn many_directories(stage: &Stage, daemon: &Daemon, home: &Home, owner: &Caller, report: &mut Report) -> anyhow::Result<()> {
    let count = stage.directories();
    stage.sim().set_knobs(Knobs::default());
    let directories: Vec<Uuid> = (0..count).map(many_id).collect();
    let connections: Vec<String> =
        stream::iter(&directories).map(|directory| connect(stage, owner, *directory)).buffered(8).try_collect().await?;
    stage.sim().clear_calls();
    stage.sim().set_knobs(Knobs { latency_ms: 100, ..Knobs::default() });
    let (begun, ours, cloud) = (Instant::now(), daemon.processor_time()?, own_time());
    let ids: Vec<String> = stream::iter(&connections).map(|c| start(owner, c, "exposure")).buffered(8).try_collect().await?;
    let mut admin = home.admin().await?;
    loop {
        let left: i64 =
            sqlx::query_scalar("SELECT count(*) FROM bailiwick.scans WHERE state IN ('queued', 'running')").fetch_one(&mut admin).await?;
        if left == 0 {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "{left} of {count} scans do not end");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let wall = begun.elapsed();
    for id in ids.iter().step_by(ids.len().div_ceil(20)) {
        let scan = owner.get(&format!("/api/v1/scans/{id}")).await?;
        ensure!(scan["state"] == "completed", "a scan {}: {}", scan["state"], scan["end"]["detail"]);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let share = |spent: Duration| spent.as_secs_f64() / (wall.as_secs_f64() * cores) * 100.0;
    let (ours, cloud) = (daemon.processor_time()? - ours, own_time() - cloud);
    let calls = stage.sim().calls().len();
    let detail = format!(
        "{:.0} s, {calls} calls; {:.2} s of our processor time a directory; the simulated cloud took {:.0} %",
        wall.as_secs_f64(),
        ours.as_secs_f64() / f64::from(count),
        share(cloud)
    );
    report.add(format!("processors while scanning {} directories", thousands(count)), share(ours), 90.0, "%", detail)
}

/// Processor time of this process, in which the simulated cloud runs.
fn own_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// A connection through the reader's own secret, which needs no browser.
pub(super) async fn connect(stage: &Stage, owner: &Caller, directory: Uuid) -> anyhow::Result<String> {
    stage.sim().consent(directory, READER_CLIENT_ID);
    stage.sim().set_azure_reader(directory, READER_CLIENT_ID, true);
    let wanted = json!({"kind": "read", "directory": directory, "client_id": READER_CLIENT_ID, "credential": {"kind": "secret", "secret": READER_SECRET}});
    let made = owner.post("/api/v1/connections", &wanted).await?;
    let id = made["id"].as_str().context("the connection has no id")?.to_owned();
    let checked = owner.post(&format!("/api/v1/connections/{id}/check"), &json!({})).await?;
    ensure!(checked["state"] == "working", "{directory} is not connected: {}", checked["failure"]);
    Ok(id)
}

async fn start(owner: &Caller, connection: &str, kind: &str) -> anyhow::Result<String> {
    let started = owner.post("/api/v1/scans", &json!({"kind": kind, "connection": connection})).await?;
    Ok(started["id"].as_str().context("the scan has no id")?.to_owned())
}

/// A scan to its end; the scan as it then is, and how long it took.
pub(super) async fn scan(owner: &Caller, connection: &str, kind: &str) -> anyhow::Result<(Value, Duration)> {
    let (id, begun) = (start(owner, connection, kind).await?, Instant::now());
    loop {
        let scan = owner.get(&format!("/api/v1/scans/{id}")).await?;
        match scan["state"].as_str() {
            Some("completed") => return Ok((scan, begun.elapsed())),
            Some("queued" | "running") if begun.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(100)).await,
            _ => bail!("the scan is {}: {}", scan["state"], scan["end"]),
        }
    }
}
