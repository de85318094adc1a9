//! The worker of `bailiwickd` as a process of its own, to be killed, beside an API in this process and a simulated Microsoft, all by the
//! machine's clock. They share a database and nothing else.

use crate::daemon::{open_folder, program};
use bailiwick_base::{SystemClock, SystemRng};
use bailiwick_server::config::Config;
use bailiwick_server::runtime::{self, Role, Running};
use bailiwick_sim::demo::{CONTOSO, READER_CLIENT_ID, READER_SECRET, Scanned, WRITER_CLIENT_ID, WRITER_SECRET};
use bailiwick_sim::{Call, Sim, SimConfig};
use bailiwick_store::PgConnectOptions;
use bailiwick_store::keyring::KeyEncryptionKey;
use bailiwick_testkit::actor::Credential;
use bailiwick_testkit::{Actor, cluster, world};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the end of something may take that nobody disturbs any more.
pub const PATIENCE: Duration = Duration::from_secs(150);

pub struct Beside {
    pub sim: Sim,
    url: String,
    database: String,
    config: PathBuf,
    log: PathBuf,
    worker: Option<Child>,
    _running: Running,
    _folder: tempfile::TempDir,
}

/// How another process reaches a database over the socket.
fn url_of(options: &PgConnectOptions, database: &str) -> String {
    let socket = options.get_socket().expect("a socket").to_str().unwrap().replace('/', "%2F");
    format!("postgresql://{}@localhost/{database}?host={socket}", options.get_username())
}

/// What the worker is told: the same environment, tenants and key as the API's, on the same database.
fn configuration(folder: &Path, config: &Config, database: &str, sim: &Sim) -> String {
    let word = folder.join("database-url");
    std::fs::write(&word, database).unwrap();
    let mut text = format!(
        "data_folder = {data:?}\n[database]\nurl_file = {word:?}\nconnections = 6\n[keys]\nkek_file = {kek:?}\n\
         [entra]\ncloud = \"custom\"\nlogin = {url:?}\ngraph = {url:?}\narm = {url:?}\nvault_suffix = \"vault.localhost\"\nextra_ca_file = {ca:?}\n\
         private_ranges = [\"127.0.0.0/8\", \"::1/128\"]\n\
         [artifacts]\nurl = {artifacts:?}\n[scanner]\ndns_servers = [\"{dns}\"]\n",
        data = folder.join("worker"),
        artifacts = config.data_folder.join("artifacts"),
        kek = config.keys.kek_file,
        url = sim.url(),
        ca = config.entra.extra_ca_file,
        dns = sim.dns_address(),
    );
    for (name, application) in [("reader", &config.microsoft.reader), ("writer", &config.microsoft.writer)] {
        let (id, file) = (&application.client_id, &application.secret_file);
        writeln!(text, "[microsoft.{name}]\nclient_id = {id:?}\nsecret_file = {file:?}").unwrap();
    }
    for tenant in &config.tenants {
        let (name, directory, client, scope) = (&tenant.name, tenant.directory, &tenant.client_id, &tenant.scope);
        let audiences = &tenant.audiences;
        writeln!(text, "[[tenants]]\nname = {name:?}\ndirectory = \"{directory}\"\nclient_id = {client:?}\naudiences = {audiences:?}\nscope = {scope:?}")
            .unwrap();
    }
    text
}

impl Beside {
    /// An environment whose worker is not started yet.
    pub async fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        program();
        let sim = Sim::start(SimConfig::demo(&["http://localhost:8480/"])).await.unwrap();
        sim.set_limits(false);
        let folder = open_folder();
        let mut config = world::config(folder.path());
        std::fs::write(&config.entra.extra_ca_file, sim.ca_pem()).unwrap();
        (config.entra.login, config.entra.graph, config.entra.arm) = (sim.url(), sim.url(), sim.url());
        let applications = [
            (&mut config.microsoft.reader, READER_CLIENT_ID, READER_SECRET),
            (&mut config.microsoft.writer, WRITER_CLIENT_ID, WRITER_SECRET),
        ];
        for (application, id, secret) in applications {
            let file = folder.path().join(format!("secret-{id}"));
            std::fs::write(&file, secret).unwrap();
            (application.client_id, application.secret_file) = (id.to_string(), file);
        }
        let kek = folder.path().join("kek");
        KeyEncryptionKey::generate(&kek, &SystemRng).unwrap();
        config.keys.kek_file = kek;
        let many = &mut config.limits;
        (many.open_per_minute, many.read_per_minute, many.write_per_minute) = (1_000_000, 1_000_000, 1_000_000);
        let cluster = cluster::cluster().await;
        let database = cluster.database().await;
        let text = configuration(folder.path(), &config, &url_of(&cluster.admin(&database), &database), &sim);
        let file = folder.path().join("worker.toml");
        std::fs::write(&file, text).unwrap();
        let running =
            runtime::start(&config, Role::Api, Some(cluster.given(&database)), Arc::new(SystemClock), Arc::new(SystemRng)).await.unwrap();
        let (url, log) = (format!("http://{}", running.address), folder.path().join("worker.log"));
        Self { sim, url, database, config: file, log, worker: None, _running: running, _folder: folder }
    }

    pub fn owner(&self) -> Actor {
        let token = self.sim.user_token(CONTOSO.directory, CONTOSO.owner).unwrap();
        Actor::new("owner of Contoso", &self.url, Credential::Bearer(token))
    }

    pub async fn look(&self) -> PgConnection {
        cluster::cluster().await.look(&self.database).await
    }

    /// Consents as a directory's administrator; the connection's id.
    pub async fn connect(&self, directory: &Scanned, kind: &str) -> String {
        let begun = self.owner().post("/api/v1/consents", json!({"kind": kind, "directory": directory.directory})).await.ok();
        let url = reqwest::Url::parse(begun["url"].as_str().unwrap()).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        assert!(self.sim.consent(directory.directory, if kind == "write" { WRITER_CLIENT_ID } else { READER_CLIENT_ID }));
        let told = json!({"state": state, "tenant": directory.directory, "admin_consent": "True"});
        let outcome = self.owner().post("/api/v1/consents/complete", told).await.ok();
        outcome["connection"]["id"].as_str().unwrap_or_else(|| panic!("{outcome:#}")).to_owned()
    }

    /// A directory whose fixes are turned on.
    pub async fn turn_on(&self, directory: &Scanned) {
        self.owner().put(&format!("/api/v1/fix-settings/{}", directory.directory), json!({"enabled": true})).await.ok();
    }

    /// A completed scan, put together by hand, in which these checks failed: a real one takes its time by this clock.
    pub async fn found_failing(&self, directory: &Scanned, reader: &str, checks: &[&str]) {
        let (owner, id) = (self.owner(), directory.directory);
        owner.put(&format!("/api/v1/scan-settings/{id}"), json!({"emergency_accounts": directory.emergency})).await.ok();
        let scan = owner.post("/api/v1/scans", json!({"kind": "compliance", "connection": reader})).await.ok();
        let results: Vec<Value> = checks.iter().map(|check| failing(check)).collect();
        let score = json!({"passed": 0, "failed": checks.len(), "unclear": 0, "skipped": 0, "percent": 0.0, "band": "Critical risk"});
        let report = json!({
            "schema": "bailiwick.scan/1", "directory": id, "directory_name": directory.name, "kind": "compliance",
            "started_at": "2026-11-22T08:00:00Z", "catalogue": "1", "complete": true, "results": results, "sources": [],
            "scores": {"overall": score, "by_product": {"entra": score}, "by_framework": {}}, "packs": []
        });
        let report = serde_json::to_vec(&report).unwrap();
        let run = owner.submit(json!({"source": format!("scan of {}", directory.name)}), &[("scan.json", &report)]).await;
        let mut sql = self.look().await;
        sqlx::query(
            "UPDATE bailiwick.scans SET state = 'completed', ending = NULL, run_id = $2::uuid, score = 0, complete = true, catalogue = '1',
                counts = '{\"percent\": 0, \"passed\": 0, \"failed\": 1, \"unclear\": 0, \"skipped\": 0}' WHERE id = $1::uuid",
        )
        .bind(scan["id"].as_str().unwrap())
        .bind(run)
        .execute(&mut sql)
        .await
        .unwrap();
        sqlx::query("DELETE FROM bailiwick.jobs WHERE kind = 'scans.run'").execute(&mut sql).await.unwrap();
    }

    pub fn start(&mut self) {
        assert!(self.worker.is_none(), "it runs already");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(program());
        command.args(["serve", "--role", "worker", "--config"]).arg(&self.config).env_remove("DATABASE_URL").env("BAILIWICK_LOG", "warn");
        self.worker = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut worker) = self.worker.take() {
            let ended = worker.try_wait().unwrap();
            assert!(ended.is_none(), "the worker ended by itself with {ended:?}:\n{}", self.said());
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
    }

    pub fn said(&self) -> String {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        said.lines().rev().take(30).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// SIGTERM, and its orderly end.
    pub async fn stop(&mut self) {
        let Some(mut worker) = self.worker.take() else { return };
        kill(Pid::from_raw(worker.id().cast_signed()), Signal::SIGTERM).unwrap();
        let begun = Instant::now();
        while worker.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "the worker does not stop:\n{}", self.said());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Writes that the cloud has taken, or refused.
    pub fn writes(&self) -> Vec<Call> {
        self.sim.calls().into_iter().filter(|call| call.body_sha256.is_some()).collect()
    }

    /// Ends when nothing that a dead process sent is under way any more: its connections to the cloud are closed on both sides.
    pub async fn quiet(&self) {
        assert!(self.worker.is_none(), "its sender lives");
        let port = format!(":{:04X}", self.sim.address().port());
        let half_closed = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // The cloud's end of a connection whose other end is gone: CLOSE_WAIT, see proc_net_tcp(5).
            words.get(1).is_some_and(|local| local.ends_with(&port)) && words.get(3) == Some(&"08")
        };
        let begun = Instant::now();
        while std::fs::read_to_string("/proc/net/tcp").unwrap().lines().any(half_closed) {
            assert!(begun.elapsed() < PATIENCE, "connections of a dead process stay open");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Time passes while nobody works: everything that fixes measure time from lies further back. The processes have the machine's clock,
    /// which cannot be moved.
    pub async fn pass(&self, seconds: f64) {
        self.quiet().await;
        let mut sql = self.look().await;
        for statement in [
            "UPDATE bailiwick.jobs SET run_at = run_at - make_interval(secs => $1), lease_until = lease_until - make_interval(secs => $1)
             WHERE kind = 'fixes.apply'",
            "UPDATE bailiwick.write_steps SET at = at - make_interval(secs => $1), settled_at = settled_at - make_interval(secs => $1)",
            "UPDATE bailiwick.fixes SET ordered_at = ordered_at - make_interval(secs => $1)",
        ] {
            sqlx::query(statement).bind(seconds).execute(&mut sql).await.unwrap();
        }
    }
}

/// The result of a check that failed.
fn failing(check: &str) -> Value {
    json!({
        "check": check, "version": 1, "title": check, "product": "entra", "severity": "high", "verdict": "failed", "reason": null,
        "actual": null, "expected": {"any": true}, "path": "", "request": "/v1.0/identity/conditionalAccess/policies", "objects": [],
        "object_count": 0, "exclusions": [], "would_pass_if_enforced": false, "frameworks": [], "remediation": "Make it.", "references": []
    })
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(mut worker) = self.worker.take() {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}
