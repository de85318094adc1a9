//! A server and a simulated Microsoft of its own, both on one clock that moves when something waits: limits, back-off and outages
//! take their full time on that clock and none of ours.
//!
//! The scanner is the real program, built once if it is not current and found where the product looks for it: beside the running
//! executable or in the folder above, which is `target/<profile>/` for a test.

use bailiwick_base::{Clock, ManualClock, Secret, SystemClock, SystemRng};
use bailiwick_cloud::egress::Ring;
use bailiwick_cloud::{CloudEndpoints, Credential, Egress, EgressConfig, Limits, Microsoft, Waits};
use bailiwick_domain::microsoft::{Application, Environment};
use bailiwick_domain::{Services, worker};
use bailiwick_server::config::Config;
use bailiwick_server::runtime::{self, Role, Running};
use bailiwick_sim::demo::{CONTOSO, READER_CLIENT_ID, READER_SECRET, Scanned};
use bailiwick_sim::{Call, Fault, Sim, SimConfig};
use bailiwick_testkit::actor::Credential as Bearer;
use bailiwick_testkit::{Actor, cluster, world};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long something may take before the test fails. The machine may be busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How many stages there were, so that each gives its scanners a limit of its own.
static STAGES: AtomicU64 = AtomicU64::new(0);

/// Waiting that moves the clock.
struct Moved(ManualClock);

impl Waits for Moved {
    fn wait(&self, time: Duration) -> BoxFuture<'static, ()> {
        let clock = self.0.clone();
        let until = clock.now() + SignedDuration::try_from(time).unwrap();
        Box::pin(async move {
            // Others may have waited as long meanwhile.
            let left = until.duration_since(clock.now());
            if left.is_positive() {
                clock.advance(left);
            }
            tokio::task::yield_now().await;
        })
    }
}

/// What each check said, by its id.
pub type Results = BTreeMap<String, Value>;

pub struct Stage {
    pub sim: Sim,
    pub clock: ManualClock,
    /// As the server's, but for a client that waits on the clock.
    pub services: Services,
    /// Every call that left.
    pub left: Arc<Ring>,
    /// What tells this stage's scanners from those of others.
    memory_mib: u64,
    database: String,
    url: String,
    config: Config,
    _running: Running,
    _folder: tempfile::TempDir,
}

/// Builds the program that judges, if it is not current.
pub fn build_scanner() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "bailiwick-scanner", "--bin", "bailiwick-scanner"]);
        if std::env::current_exe().unwrap().ancestors().nth(2).unwrap().ends_with("release") {
            build.arg("--release");
        }
        assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success(), "the scanner cannot be built");
    });
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        build_scanner();
        let clock = ManualClock::at(SystemClock.now());
        let sim = Sim::start(SimConfig { clock: Arc::new(clock.clone()), ..SimConfig::demo(&["http://localhost:8480/"]) }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut config = world::config(folder.path());
        std::fs::write(&config.entra.extra_ca_file, sim.ca_pem()).unwrap();
        (config.entra.login, config.entra.graph, config.entra.arm) = (sim.url(), sim.url(), sim.url());
        let secret = folder.path().join("reader");
        std::fs::write(&secret, READER_SECRET).unwrap();
        (config.microsoft.reader.client_id, config.microsoft.reader.secret_file) = (READER_CLIENT_ID.to_string(), secret);
        config.scanner.dns_servers = vec![sim.dns_address()];
        let many = &mut config.limits;
        (many.open_per_minute, many.read_per_minute, many.write_per_minute) = (1_000_000, 1_000_000, 1_000_000);
        config.scanner.memory_mib = 512 + STAGES.fetch_add(1, Ordering::Relaxed);
        change(&mut config);
        let cluster = cluster::cluster().await;
        let database = cluster.database().await;
        let given = Some(cluster.given(&database));
        let running = runtime::start(&config, Role::Api, given, Arc::new(clock.clone()), Arc::new(SystemRng)).await.unwrap();
        let left = Arc::new(Ring::new(100_000));
        let url = format!("http://{}", running.address);
        let memory_mib = config.scanner.memory_mib;
        let services = running.services.clone();
        let mut stage = Self { sim, clock, services, left, memory_mib, database, url, config, _running: running, _folder: folder };
        stage.prove_with(READER_SECRET);
        stage
    }

    /// From now on scans prove themselves with this secret.
    pub fn prove_with(&mut self, secret: &str) {
        let (entra, clock) = (&self.config.entra, Arc::new(self.clock.clone()));
        let endpoints = CloudEndpoints::custom(
            entra.login.parse().unwrap(),
            entra.graph.parse().unwrap(),
            entra.arm.parse().unwrap(),
            entra.vault_suffix.clone(),
        );
        let hosts = endpoints.allowed_hosts().into_iter();
        let allow = hosts.map(|host| host.private(entra.private_ranges.iter().map(|range| range.parse().unwrap()))).collect();
        let egress = EgressConfig { allow, extra_roots_pem: Some(self.sim.ca_pem().as_bytes().to_vec()), ..EgressConfig::default() };
        let egress = Egress::new(egress, clock.clone(), self.left.clone()).unwrap();
        let credential = Credential::client_secret(Secret::new(secret.to_owned()), None).unwrap();
        let reader = Application { client_id: READER_CLIENT_ID, credential: Arc::new(credential) };
        let waits = Arc::new(Moved(self.clock.clone()));
        let there = &self.services.microsoft;
        let environment = Environment {
            cloud: there.cloud.clone(),
            reader: Some(reader),
            writer: there.writer.clone(),
            federated: None,
            federated_subject: None,
            redirect: there.redirect.clone(),
            earlier_consent: there.earlier_consent,
            client: Microsoft::with(egress, endpoints, clock, Arc::new(SystemRng), waits, Limits::default()),
        };
        self.services.microsoft = Arc::new(environment);
    }

    pub fn owner(&self) -> Actor {
        self.person("owner", CONTOSO.owner)
    }

    /// Somebody of Contoso.
    pub fn person(&self, name: &str, object: Uuid) -> Actor {
        let token = self.sim.user_token(CONTOSO.directory, object).unwrap();
        Actor::new(&format!("{name} of Contoso"), &self.url, Bearer::Bearer(token))
    }

    pub async fn look(&self) -> PgConnection {
        cluster::cluster().await.look(&self.database).await
    }

    /// Works every due job.
    pub async fn work(&self) -> usize {
        worker::drain(&self.services).await.unwrap()
    }

    /// Begins a consent; its state.
    pub async fn begin(&self, directory: &Scanned) -> String {
        let begun = self.owner().post("/api/v1/consents", json!({"kind": "read", "directory": directory.directory})).await.ok();
        let url = reqwest::Url::parse(begun["url"].as_str().unwrap()).unwrap();
        url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
    }

    pub async fn complete(&self, mut told: Value, state: &str) -> Value {
        told["state"] = json!(state);
        self.owner().post("/api/v1/consents/complete", told).await.ok()
    }

    /// Connects a directory, its administrator consenting; the connection's id.
    pub async fn connect(&self, directory: &Scanned) -> String {
        let state = self.begin(directory).await;
        assert!(self.sim.consent(directory.directory, READER_CLIENT_ID));
        let outcome = self.complete(json!({"tenant": directory.directory, "admin_consent": "True"}), &state).await;
        let settings = json!({"emergency_accounts": directory.emergency});
        self.owner().put(&format!("/api/v1/scan-settings/{}", directory.directory), settings).await.ok();
        outcome["connection"]["id"].as_str().unwrap_or_else(|| panic!("{outcome:#}")).to_owned()
    }

    /// Queues a scan; its id.
    pub async fn start(&self, connection: &str, kind: &str) -> String {
        let new = json!({"kind": kind, "connection": connection});
        self.owner().post("/api/v1/scans", new).await.ok()["id"].as_str().unwrap().to_owned()
    }

    pub async fn shown(&self, scan: &str) -> Value {
        self.owner().get(&format!("/api/v1/scans/{scan}")).await.ok()
    }

    /// Scans to the end, which is a good one.
    pub async fn scan(&self, connection: &str, kind: &str) -> Value {
        let scan = self.start(connection, kind).await;
        self.work().await;
        let done = self.shown(&scan).await;
        assert_eq!(done["state"], "completed", "{done:#}");
        done
    }

    /// Every result of a completed scan.
    pub async fn results(&self, scan: &Value) -> Results {
        let (owner, path) = (self.owner(), format!("/api/v1/scans/{}/results?limit=200", scan["id"].as_str().unwrap()));
        let (mut results, mut further) = (Results::new(), String::new());
        loop {
            let page = owner.get(&format!("{path}{further}")).await.ok();
            let items = page["items"].as_array().unwrap();
            results.extend(items.iter().map(|item| (item["check"].as_str().unwrap().to_owned(), item.clone())));
            match page["next_cursor"].as_str() {
                Some(cursor) => further = format!("&cursor={cursor}"),
                None => return results,
            }
        }
    }

    /// What a directory was asked, sign-in left out.
    pub fn asked(&self, directory: &Scanned) -> Vec<Call> {
        let of_it = self.sim.calls().into_iter().filter(|call| call.directory == Some(directory.directory));
        of_it.filter(|call| !call.path.contains("/oauth2/") && !call.path.contains("adminconsent")).collect()
    }

    /// Ends when a directory has been asked that often.
    pub async fn until_asked(&self, directory: &Scanned, times: usize) {
        self.until(&format!("{times} calls"), async || self.asked(directory).len() >= times).await;
    }

    /// Ends when something is true.
    pub async fn until(&self, what: &str, is: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !is().await {
            assert!(begun.elapsed() < PATIENCE, "{what} does not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn break_with(&self, faults: Value) {
        self.sim.add_faults(serde_json::from_value::<Vec<Fault>>(faults).unwrap());
    }

    /// The scanners that this stage's scans have running.
    pub fn scanners(&self) -> Vec<i32> {
        let limit = format!("--memory={}", self.memory_mib << 20);
        let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let ours = |pid: &i32| {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let arguments: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
            arguments.first().is_some_and(|program| program.ends_with("bailiwick-scanner")) && arguments.iter().any(|a| *a == limit)
        };
        processes.filter(ours).collect()
    }
}

pub fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.pointer(member).and_then(Value::as_str).unwrap_or_else(|| panic!("no {member} in {value:#}"))
}
