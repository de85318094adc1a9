//! Putting the parts together: database, artifacts, keys, sign-in, worker, listeners; and taking them apart again in order.

use crate::config::{Config, given};
use crate::http::{App, Authenticator, Portal, Proxies, Rates, Refusals, router};
use anyhow::Context;
use bailiwick_base::{Clock, Rng};
use bailiwick_cloud::egress::Ring;
use bailiwick_cloud::entra::{BrowserAuthority, TokenConfig, TokenValidator};
use bailiwick_cloud::{CloudEndpoints, Egress};
use bailiwick_contract::tenancy::{PublicConfig, SignIn};
use bailiwick_domain::{Services, Settings, worker};
use bailiwick_store::PgConnectOptions;
use bailiwick_store::Store;
use bailiwick_store::artifacts::{ArtifactStore, CloudOptions};
use bailiwick_store::keyring::{KeyEncryptionKey, Keyring};
use bailiwick_store::login::{LOGIN_ROLE, login_options};
use bailiwick_store::private_postgres::{PrivateConfig, PrivatePostgres};
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Which parts of the work a process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Both,
    Api,
    Worker,
}

/// How long a part may take to stop: a client that sends for ever must not keep the database from being stopped in order.
const PATIENCE: Duration = Duration::from_secs(25);

/// A running Bailiwick.
pub struct Running {
    pub address: SocketAddr,
    pub services: Services,
    pub app: App,
    /// Outbound calls of late.
    pub calls: Arc<Ring>,
    private: Option<PrivatePostgres>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// A database that is there already: how its administrator and its login role connect.
pub struct GivenDatabase {
    pub admin: PgConnectOptions,
    pub login: PgConnectOptions,
}

/// Starts everything the configuration asks for. `given` stands in for the configured database.
///
/// # Errors
/// Whatever is missing or does not work, by name.
pub async fn start(
    config: &Config,
    role: Role,
    given: Option<GivenDatabase>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> anyhow::Result<Running> {
    let listener = match role {
        Role::Worker => None,
        Role::Both | Role::Api => {
            Some(TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?)
        }
    };
    let address = listener.as_ref().map_or(Ok(config.listen), TcpListener::local_addr)?;
    let Opened { store, private, key, older } = open(config, given, clock.clone(), rng.clone()).await?;
    let calls = Arc::new(Ring::new(1_000));
    let egress = crate::microsoft::egress(config, endpoints(config)?, calls.clone(), clock.clone())?;
    let services = services(config, store.clone(), key, older, &rng, egress.clone())?;
    crate::tenants::ensure(&store, config)
        .await
        .map_err(|p| anyhow::anyhow!("{p}{}", p.internal.as_deref().map(|c| format!(": {c}")).unwrap_or_default()))?;
    crate::tenants::check_keys(&services).await?;
    store.sync_schedules(&worker::schedules()).await.context("cannot set the schedules")?;
    if private.is_some() {
        // The folder is ours alone, so whoever held these is dead.
        store.release_leases().await.context("cannot take back the jobs of the last process")?;
    }
    let app = app(config, services.clone(), egress, clock)?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Vec::new();
    if let Some(listener) = listener {
        tasks.push(tokio::spawn(listen(listener, router(app.clone())?, stopped.clone())));
    }
    if !config.metrics_listen.is_empty() {
        let metrics =
            TcpListener::bind(&config.metrics_listen).await.with_context(|| format!("cannot listen on {}", config.metrics_listen))?;
        tasks.push(tokio::spawn(listen(metrics, crate::http::metrics_router(app.clone()), stopped.clone())));
    }
    if role != Role::Api {
        crate::scanner::check(&services).await;
        tasks.push(tokio::spawn(worker::work(services.clone(), config.worker.at_once, config.scanner.at_once, stopped)));
    }
    Ok(Running { address, services, app, calls, private, stop, tasks })
}

/// The database, brought up to date and opened, with the keys of this environment.
struct Opened {
    store: Store,
    private: Option<PrivatePostgres>,
    key: KeyEncryptionKey,
    older: Vec<KeyEncryptionKey>,
}

async fn open(config: &Config, given: Option<GivenDatabase>, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> anyhow::Result<Opened> {
    private_folder(&config.data_folder)?;
    let url = if given.is_some() { None } else { database_url(config)? };
    let (key, older) = (key_encryption_key(config, url.is_some(), &*rng)?, older_keys(config)?);
    let (private, admin, login) = match given {
        Some(given) => (None, given.admin, Login::Peer(given.login)),
        None => database(config, url).await?,
    };
    bailiwick_store::migrate(admin).await.context("cannot bring the database up to date")?;
    let login = match login {
        Login::Peer(options) => options,
        Login::Password(admin) => login_options(&admin, &key, &older, &*rng).await.context("cannot log in to the database")?,
    };
    let store = Store::open(login, config.database.connections, clock, rng).await.context("cannot open the database")?;
    Ok(Opened { store, private, key, older })
}

/// Does one thing at the operator's console: the database is opened for it and closed after it. A private database must not be in use by
/// a running server.
///
/// # Errors
/// The database does not open, or what `work` says.
pub async fn at_console<T>(
    config: &Config,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let opened = open(config, None, clock, rng).await?;
    let result = work(&opened.store).await;
    opened.store.close().await;
    if let Some(private) = opened.private {
        private.stop().await;
    }
    result
}

impl Running {
    /// How to reach the database as its administrator, where it is the private one.
    pub fn private(&self) -> Option<&PrivatePostgres> {
        self.private.as_ref()
    }

    /// Stops taking requests and jobs, finishes those in hand, then stops the private PostgreSQL.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let abort = task.abort_handle();
            if tokio::time::timeout(PATIENCE, task).await.is_err() {
                tracing::warn!("a part did not stop in time and is cut off");
                abort.abort();
            }
        }
        self.services.store.close().await;
        if let Some(private) = self.private {
            private.stop().await;
        }
    }
}

async fn listen(listener: TcpListener, router: axum::Router, mut stop: watch::Receiver<bool>) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopping = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopping).await {
        tracing::error!(%error, "the listener ended");
    }
}

/// Makes a folder that nobody else may list. Others may pass through it: the private PostgreSQL runs as another user.
fn private_folder(folder: &Path) -> anyhow::Result<()> {
    made(folder, 0o711)
}

fn made(folder: &Path, mode: u32) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(folder);
    made.with_context(|| format!("cannot make the folder {}", folder.display()))
}

fn database_url(config: &Config) -> anyhow::Result<Option<String>> {
    if let Some(file) = given(&config.database.url_file) {
        let url = std::fs::read_to_string(file).with_context(|| format!("cannot read the database URL from {}", file.display()))?;
        return Ok(Some(url.trim().to_owned()));
    }
    Ok(std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()))
}

fn key_encryption_key(config: &Config, own_database: bool, rng: &dyn Rng) -> anyhow::Result<KeyEncryptionKey> {
    if let Some(file) = given(&config.keys.kek_file) {
        return Ok(KeyEncryptionKey::from_file(file)?);
    }
    anyhow::ensure!(
        !own_database,
        "keys.kek_file is not set: with a database of your own, every process needs the same key-encryption key. Make one with `bailiwickd keys generate FILE`."
    );
    let file = config.data_folder.join("keys").join("kek");
    if !file.exists() {
        owner_only(file.parent().unwrap_or(&config.data_folder))?;
        KeyEncryptionKey::generate(&file, rng)?;
    }
    Ok(KeyEncryptionKey::from_file(&file)?)
}

/// Makes a folder with mode 0700.
fn owner_only(folder: &Path) -> anyhow::Result<()> {
    made(folder, 0o700)
}

enum Login {
    /// The private PostgreSQL knows the process by its user.
    Peer(PgConnectOptions),
    /// Elsewhere the login role has a password, made from the key-encryption key.
    Password(PgConnectOptions),
}

async fn database(config: &Config, url: Option<String>) -> anyhow::Result<(Option<PrivatePostgres>, PgConnectOptions, Login)> {
    if let Some(url) = url {
        // The URL may hold a password: an error must not repeat it.
        let admin = PgConnectOptions::from_str(&url)
            .map_err(|_| anyhow::anyhow!("the database URL is not one: postgres://user:password@host:port/name"))?;
        return Ok((None, admin.clone(), Login::Password(admin)));
    }
    let mut private = PrivateConfig::new(config.data_folder.join("postgres"));
    private.programs = given(&config.database.programs).map(Path::to_path_buf);
    let private = PrivatePostgres::start(private).await.context("cannot start the private PostgreSQL")?;
    let login = private.connect_options(LOGIN_ROLE, "bailiwick");
    let admin = private.superuser_options();
    Ok((Some(private), admin, Login::Peer(login)))
}

fn older_keys(config: &Config) -> anyhow::Result<Vec<KeyEncryptionKey>> {
    config.keys.older_kek_files.iter().map(|file| Ok(KeyEncryptionKey::from_file(file)?)).collect()
}

fn services(
    config: &Config,
    store: Store,
    key: KeyEncryptionKey,
    older: Vec<KeyEncryptionKey>,
    rng: &Arc<dyn Rng>,
    egress: Egress,
) -> anyhow::Result<Services> {
    let microsoft = crate::microsoft::environment(config, endpoints(config)?, egress.clone(), &store, rng.clone())?;
    let senders = crate::notifications::senders(config, egress.clone(), &microsoft.client, &store)?;
    let keyring = older.into_iter().fold(Keyring::new(key, rng.clone()), Keyring::with_older);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let options = CloudOptions {
        account: some(&config.artifacts.account),
        access_key_file: given(&config.artifacts.access_key_file).map(Path::to_path_buf),
        endpoint: some(&config.artifacts.endpoint),
        region: some(&config.artifacts.region),
    };
    let place = if config.artifacts.url.is_empty() {
        config.data_folder.join("artifacts").display().to_string()
    } else {
        config.artifacts.url.clone()
    };
    let limits = &config.limits;
    let settings = Settings {
        public: public(config)?,
        artifact_bytes: limits.artifact_bytes,
        artifacts_per_run: limits.artifacts_per_run,
        formats: bailiwick_domain::FormatLimits {
            bytes: limits.artifact_bytes,
            depth: limits.depth,
            results: limits.results,
            ..bailiwick_domain::FormatLimits::default()
        },
        entitlements: config.entitlements.names.clone(),
    };
    Ok(Services {
        store,
        artifacts: Arc::new(ArtifactStore::open(&place, &options, rng.clone())?),
        keyring: Arc::new(keyring),
        settings: Arc::new(settings),
        microsoft: Arc::new(microsoft),
        scanner: Arc::new(crate::scanner::scanning(config)),
        senders: Arc::new(senders),
        assistant: crate::assistant::assistant(config, egress)?.map(Arc::new),
    })
}

fn endpoints(config: &Config) -> anyhow::Result<CloudEndpoints> {
    let entra = &config.entra;
    Ok(match entra.cloud.as_str() {
        "public" => CloudEndpoints::public(),
        "government" => CloudEndpoints::government(),
        "china" => CloudEndpoints::china(),
        "custom" => CloudEndpoints::custom(
            entra.login.parse().context("entra.login")?,
            entra.graph.parse().context("entra.graph")?,
            entra.arm.parse().context("entra.arm")?,
            entra.vault_suffix.clone(),
        ),
        other => anyhow::bail!("entra.cloud is {other:?}: choose public, government, china or custom"),
    })
}

/// What the portal may know before sign-in. The labels are the operator's choice; no tenant's data is in it.
fn public(config: &Config) -> anyhow::Result<PublicConfig> {
    let endpoints = endpoints(config)?;
    let sign_in = config.tenants.iter().filter(|tenant| !tenant.label.is_empty()).map(|tenant| {
        let authority = BrowserAuthority::new(&endpoints, Some(tenant.directory), &tenant.client_id, "", "");
        SignIn {
            label: tenant.label.clone(),
            known_authority: authority.known_authorities.first().cloned().unwrap_or_default(),
            authority: authority.authority,
            client_id: tenant.client_id.clone(),
            scope: tenant.scope.clone(),
        }
    });
    Ok(PublicConfig { product: "Bailiwick".into(), version: env!("CARGO_PKG_VERSION").into(), sign_in: sign_in.collect() })
}

fn app(config: &Config, services: Services, egress: Egress, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    let endpoints = endpoints(config)?;
    let mut tokens = TokenConfig::new(endpoints.clone());
    tokens.accept_v1 = config.entra.accept_v1;
    tokens.required_scope = config.entra.scope.clone();
    tokens.upload_role = config.entra.upload_role.clone();
    let validator = TokenValidator::new(tokens, egress, clock.clone());
    let authorities: Vec<String> = services.settings.public.sign_in.iter().map(|s| origin(&s.authority)).collect();
    let authenticator = Authenticator::new(validator, services.store.clone(), config.entra.upload_role.clone(), endpoints);
    let portal = Portal::new(given(&config.portal_folder).map(Path::to_path_buf), &authorities);
    Ok(App {
        authenticator: Arc::new(authenticator),
        rates: Arc::new(Rates::new(&config.limits, clock.clone())),
        refusals: Arc::new(Refusals::new(services.store.clone(), clock)),
        portal: Arc::new(portal),
        proxies: Arc::new(Proxies(ranges(&config.trusted_proxies, "trusted_proxies")?)),
        security_contact: config.security_contact.as_str().into(),
        metrics: metrics(),
        services,
    })
}

pub(crate) fn ranges(texts: &[String], setting: &'static str) -> anyhow::Result<Vec<ipnet::IpNet>> {
    texts.iter().map(|r| r.parse().with_context(|| format!("{setting}: {r:?} is not an address range like 10.0.0.0/8"))).collect()
}

/// Scheme, host and port of an address.
fn origin(address: &str) -> String {
    url::Url::parse(address).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// The process's metrics; installed once, whoever asks.
fn metrics() -> metrics_exporter_prometheus::PrometheusHandle {
    static HANDLE: std::sync::OnceLock<metrics_exporter_prometheus::PrometheusHandle> = std::sync::OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            // A second recorder in one process is a test's second server: it shares the first.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}
