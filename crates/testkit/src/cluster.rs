//! One PostgreSQL for a test binary, with a migrated template that every test's database is copied from.

use bailiwick_server::runtime::GivenDatabase;
use bailiwick_store::PgConnectOptions;
use bailiwick_store::login::LOGIN_ROLE;
use bailiwick_store::private_postgres::{PrivateConfig, PrivatePostgres};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

static SERVER: OnceCell<Cluster> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(1);

/// The server of this test binary.
pub struct Cluster {
    server: PrivatePostgres,
    _folder: tempfile::TempDir,
}

const TEMPLATE: &str = "bailiwick_template";

/// The shared server, started at first use. `BAILIWICK_TEST_PROGRAMS` names another PostgreSQL's programs.
pub async fn cluster() -> &'static Cluster {
    SERVER.get_or_init(Cluster::start).await
}

impl Cluster {
    async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("bailiwick-test-").permissions(open_folder()).tempdir().unwrap();
        let mut config = PrivateConfig::throwaway(folder.path().join("postgres"));
        config.programs = std::env::var_os("BAILIWICK_TEST_PROGRAMS").map(PathBuf::from);
        let server = PrivatePostgres::start(config).await.unwrap();
        let cluster = Self { server, _folder: folder };
        cluster.run(format!("CREATE DATABASE {TEMPLATE}")).await;
        bailiwick_store::migrate(cluster.admin(TEMPLATE)).await.unwrap();
        cluster
    }

    /// The administrator's way into a database.
    pub fn admin(&self, database: &str) -> PgConnectOptions {
        self.server.superuser_options().database(database)
    }

    /// The login role's way into a database.
    pub fn login(&self, database: &str) -> PgConnectOptions {
        self.server.connect_options(LOGIN_ROLE, database)
    }

    async fn run(&self, statement: String) {
        let mut connection = self.admin("postgres").disable_statement_logging().connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// A new database, migrated; its name.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.run(format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
        self.run(format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {LOGIN_ROLE}")).await;
        name
    }

    pub fn given(&self, database: &str) -> GivenDatabase {
        GivenDatabase { admin: self.admin(database), login: self.login(database) }
    }

    /// A connection as the administrator, who sees everything: for looking at what is stored, never for acting.
    pub async fn look(&self, database: &str) -> PgConnection {
        self.admin(database).disable_statement_logging().connect().await.unwrap()
    }
}

fn open_folder() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    // The server runs as another user, who must be able to reach its own folder inside.
    std::fs::Permissions::from_mode(0o755)
}
