//! The embedded default: a PostgreSQL of our own, on a Unix socket in a folder that only its account may enter.
//!
//! What must stay true: no TCP; never root and never `nobody`; one Bailiwick per folder; a cluster under its final name
//! is whole; whoever was killed, the next start recovers by itself.

mod account;
mod error;
mod folders;
mod predecessor;
mod programs;
mod server;
mod settings;
mod supervise;

pub use error::PrivatePostgresError;
pub use programs::OLDEST_MAJOR;

use account::Account;
use folders::Folders;
use programs::Programs;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use supervise::{Ground, Supervisor};
use tokio::sync::watch;

/// The role initdb makes. Only migrations and the making of roles use it.
pub const SUPERUSER: &str = "bailiwick_superuser";

/// How a private server is run.
#[derive(Debug, Clone)]
pub struct PrivateConfig {
    /// Its folder; made if missing, and refused when it holds anything else.
    pub data_dir: PathBuf,
    /// The folder of `postgres` and `initdb`; `None` looks in PATH, then in Debian's versioned folders.
    pub programs: Option<PathBuf>,
    /// The database to make at the first start.
    pub database: String,
    /// Roles that may connect, besides [`SUPERUSER`]. PostgreSQL 15 must know them by name; newer ones admit every role.
    pub roles: Vec<String>,
    pub watchdog: Watchdog,
    pub durability: Durability,
    /// How long a start, with its crash recovery, may take.
    pub start_timeout: Duration,
}

impl PrivateConfig {
    /// A durable server in `data_dir` with the database `bailiwick`, for the login role of `roles.sql`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            programs: None,
            database: "bailiwick".into(),
            roles: vec!["bailiwick_login".into()],
            watchdog: Watchdog::Stop,
            durability: Durability::Full,
            start_timeout: Duration::from_secs(60),
        }
    }

    /// For tests: loses data at a power cut, and is removed when the process ends, however it ends.
    pub fn throwaway(data_dir: impl Into<PathBuf>) -> Self {
        Self { watchdog: Watchdog::StopAndRemove, durability: Durability::Throwaway, ..Self::new(data_dir) }
    }

    pub fn with_roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }
}

/// What becomes of the server when this process ends without stopping it, as after kill -9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watchdog {
    /// It stays, and the next start stops it.
    Off,
    /// It shuts down in order.
    Stop,
    /// It ends at once and its folder is removed.
    StopAndRemove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// What was committed survives a power cut.
    Full,
    /// Nothing is synced to disk.
    Throwaway,
}

/// What the supervisor knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerState {
    Starting,
    Running {
        pid: i32,
    },
    /// It ended by itself and is being started again.
    Restarting {
        attempt: u32,
        reason: String,
    },
    Stopped,
}

/// A running private server. Dropping it asks the server to end; [`PrivatePostgres::stop`] also waits for it.
pub struct PrivatePostgres {
    supervisor: Arc<Supervisor>,
    roles: Mutex<Vec<String>>,
}

impl PrivatePostgres {
    /// Starts the server, making its cluster and database at the first start, and returns when it takes connections.
    ///
    /// # Errors
    /// One line that says what to do: nothing installed, no user to run as, folder in use or not reachable.
    pub async fn start(config: PrivateConfig) -> Result<Self, PrivatePostgresError> {
        // The server comes back as `Self`, so that it ends when nobody waits for it any more.
        let launched = tokio::task::spawn_blocking(move || launch(config).map(Self::over)).await;
        let server = launched.map_err(|_| PrivatePostgresError::Cancelled)??;
        make_database(&server.connect_options(SUPERUSER, "postgres"), &server.supervisor.ground.config.database).await?;
        Ok(server)
    }

    fn over(supervisor: Arc<Supervisor>) -> Self {
        let roles = Mutex::new(supervisor.ground.config.roles.clone());
        Self { supervisor, roles }
    }

    /// How `role` reaches `database`.
    pub fn connect_options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("localhost")
            .port(5432)
            .socket(&self.supervisor.ground.folders.socket)
            .username(role)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    /// How the superuser reaches the configured database.
    pub fn superuser_options(&self) -> PgConnectOptions {
        self.connect_options(SUPERUSER, &self.supervisor.ground.config.database)
    }

    /// The same as a URL, for tools such as psql; it holds no secret.
    pub fn url(&self, role: &str) -> String {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
        let socket = self.supervisor.ground.folders.socket.to_string_lossy();
        format!("postgresql://{}@localhost/{}?host={}", encode(role), encode(&self.supervisor.ground.config.database), encode(&socket))
    }

    /// The folder of the Unix socket.
    pub fn socket_folder(&self) -> &Path {
        &self.supervisor.ground.folders.socket
    }

    /// The major version of the server.
    pub fn major(&self) -> u32 {
        self.supervisor.ground.programs.major
    }

    /// Changes whenever the server comes or goes.
    pub fn state(&self) -> watch::Receiver<ServerState> {
        self.supervisor.state.subscribe()
    }

    /// The postmaster's process id, while it runs.
    pub fn pid(&self) -> Option<i32> {
        self.supervisor.pid()
    }

    /// Lets one more role connect, as of the next connections. Needed on PostgreSQL 15 only; takes effect when the server
    /// has read its files again, a few milliseconds later.
    ///
    /// # Errors
    /// When the server's file cannot be written.
    pub fn admit_role(&self, role: &str) -> Result<(), PrivatePostgresError> {
        let ground = &self.supervisor.ground;
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
            settings::write_ident(&ground.folders, &ground.account, &roles, ground.programs.major)?;
            self.supervisor.reload();
        }
        Ok(())
    }

    /// Fast shutdown: ends sessions, writes a checkpoint, waits until the process is gone.
    pub async fn stop(self) {
        let supervisor = self.supervisor.clone();
        if tokio::task::spawn_blocking(move || supervisor.stop()).await.is_err() {
            tracing::warn!("stopping PostgreSQL was cancelled; it goes on by itself");
        }
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.supervisor.request_stop();
    }
}

/// Prepares the folder and starts the server and its supervisor; blocks meanwhile.
fn launch(config: PrivateConfig) -> Result<Arc<Supervisor>, PrivatePostgresError> {
    let account = Account::for_this_process()?;
    let folders = Folders::claim(&config.data_dir, &account)?;
    let made = folders.made_by()?;
    let cluster = folders.cluster();
    let programs = Programs::find(config.programs.as_deref(), made.map(|major| (major, cluster.as_path())), &account)?;
    if made.is_none() {
        folders.init(&programs, &account, SUPERUSER, config.durability == Durability::Full)?;
    }
    // Before the files change under a predecessor that still reads them.
    predecessor::clear(&folders)?;
    settings::write(&folders, &account, &config, programs.major)?;
    let ground = Ground { config, account, programs, folders };
    let first = ground.start()?;
    let supervisor = Arc::new(Supervisor::new(ground));
    let thread = supervisor.clone();
    thread::Builder::new()
        .name("private-postgres".into())
        .spawn(move || thread.run(first))
        .map_err(PrivatePostgresError::io("starting a thread for", "postgres"))?;
    Ok(supervisor)
}

async fn make_database(server: &PgConnectOptions, name: &str) -> Result<(), PrivatePostgresError> {
    let mut connection = PgConnection::connect_with(server).await?;
    let known =
        sqlx::query_scalar::<_, i32>("select 1 from pg_database where datname = $1").bind(name).fetch_optional(&mut connection).await?;
    if known.is_none() {
        let quoted = name.replace('"', "\"\"");
        sqlx::query(AssertSqlSafe(format!("create database \"{quoted}\""))).execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}
