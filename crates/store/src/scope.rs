//! Scopes: the only way to the database. Entering one begins a transaction, takes the unprivileged role, sets the tenant (and the
//! project of a project key) and admits the caller, all in one round trip. This is the one file that holds SQL of the SET family.
//!
//! - [`ReadScope`]: one tenant, READ ONLY.
//! - [`WriteScope`]: one tenant; ends in [`Store::commit`] with an [`Audited`] value, or is rolled back.
//! - [`SystemScope`]: the job queue, the list of tenants, and which directories they connect, for the uses listed in [`SystemUse`].
//!
//! A scope cannot be made by hand:
//! ```compile_fail,E0451
//! fn forge(tx: sqlx::Transaction<'static, sqlx::Postgres>) -> bailiwick_store::ReadScope {
//!     bailiwick_store::ReadScope { tx }
//! }
//! ```
//! and the pool cannot be reached past it:
//! ```compile_fail,E0616
//! fn pool(store: &bailiwick_store::Store) -> &sqlx::PgPool {
//!     &store.pool
//! }
//! ```
//! while a scope that was entered gives its connection:
//! ```
//! fn connection(scope: &mut bailiwick_store::ReadScope) -> &mut sqlx::PgConnection {
//!     scope.sql()
//! }
//! ```

use crate::error::StoreError;
use crate::trail::{Audit, Audited, Request};
use bailiwick_base::{Clock, DirectoryId, Principal, PrincipalKind, ProjectId, Rng, TenantId, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, PgPool, Postgres, Transaction};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The database behind its scopes. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
}

/// Who asks to enter, as its credential says. Whether that still holds is checked inside the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Member {
        directory: DirectoryId,
        object: Uuid,
    },
    /// The SHA-256 of an API key, and the project the key names.
    Key {
        sha256: [u8; 32],
        project: Option<ProjectId>,
    },
    /// A workload's token of the tenant's directory.
    Workload {
        directory: DirectoryId,
        client_id: String,
        subject: String,
    },
    /// Bailiwick itself: a job, or the operator's console. `name` says which.
    System {
        name: &'static str,
        project: Option<ProjectId>,
    },
}

/// Which callers a permission lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    pub roles: Vec<&'static str>,
    pub keys: bool,
    pub workloads: bool,
}

/// What a [`SystemScope`] is for. Each use is here with its reason, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemUse {
    /// A token names a directory; which tenant signs in with it is not known before it is looked up.
    FindTenant,
    /// The operator's console creates and lists tenants.
    ManageTenants,
    /// The worker takes due jobs of all tenants, renews its leases and puts failed ones back.
    WorkJobs,
    /// Due schedules of all tenants become jobs.
    RunSchedules,
    /// A consent in Microsoft's cloud does not say for which tenant it was given; answered is only whether another one claims it too.
    CompareConsents,
}

impl Store {
    /// Opens the pool of the login role.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn open(login: PgConnectOptions, connections: u32, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self, StoreError> {
        let options = login
            .application_name("bailiwickd")
            .options([
                ("search_path", crate::migrate::SCHEMA),
                ("idle_in_transaction_session_timeout", "900000"),
                // CLEAN warns where there is nothing to clean, which is nearly always.
                ("client_min_messages", "error"),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(10))
            .idle_timeout(Duration::from_secs(60))
            // A ping before each use would double the round trips of a read; a dead connection shows in its first statement.
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        Ok(Self { pool, clock, rng })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
    pub fn rng(&self) -> &dyn Rng {
        &*self.rng
    }
    /// The clock, for parts that live as long as the store.
    pub fn clock_shared(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Enters a tenant to read.
    ///
    /// # Errors
    /// [`StoreError::NotSignedIn`], [`StoreError::NotAllowed`], or the database's.
    pub async fn read(&self, tenant: TenantId, caller: &Caller, admission: &Admission) -> Result<ReadScope, StoreError> {
        let tx = self.enter("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", tenant, caller, admission).await?;
        Ok(ReadScope { tx, tenant, caller: caller.clone() })
    }

    /// Enters a tenant to write.
    ///
    /// # Errors
    /// [`StoreError::NotSignedIn`], [`StoreError::NotAllowed`], or the database's.
    pub async fn write(&self, tenant: TenantId, caller: &Caller, admission: &Admission) -> Result<WriteScope, StoreError> {
        let tx = self.enter("BEGIN ISOLATION LEVEL READ COMMITTED", tenant, caller, admission).await?;
        let mut scope =
            WriteScope { tx, tenant, caller: caller.clone(), principal: None, clock: self.clock.clone(), rng: self.rng.clone() };
        // Asked before anything changes: who removes themselves still has a name for the trail.
        scope.principal().await?;
        Ok(scope)
    }

    /// Enters the system role, which sees the job queue, the list of tenants, and which directories they connect.
    ///
    /// # Errors
    /// The database's.
    pub async fn system(&self, what_for: SystemUse) -> Result<SystemScope, StoreError> {
        let tx = begin_patiently(|| self.pool.begin_with("ROLLBACK; BEGIN; SET LOCAL ROLE bailiwick_system")).await?;
        tracing::trace!(?what_for, "system scope");
        Ok(SystemScope { tx, clock: self.clock.clone(), rng: self.rng.clone() })
    }

    async fn enter(
        &self,
        begin: &str,
        tenant: TenantId,
        caller: &Caller,
        admission: &Admission,
    ) -> Result<Transaction<'static, Postgres>, StoreError> {
        let sql = entry_sql(begin, tenant, caller, admission, self.clock.now());
        Ok(begin_patiently(|| self.pool.begin_with(AssertSqlSafe(sql.clone()))).await?)
    }

    /// Ends a write: appends the trail entry and commits, in that order, or does neither. The only commit there is.
    ///
    /// A value without its audit does not get here:
    /// ```compile_fail,E0308
    /// async fn unaudited(store: &bailiwick_store::Store, scope: bailiwick_store::WriteScope, request: &bailiwick_store::Request) {
    ///     let _ = store.commit(scope, "run.opened", 1, request).await;
    /// }
    /// ```
    /// with it, it does:
    /// ```
    /// async fn audited(store: &bailiwick_store::Store, scope: bailiwick_store::WriteScope, request: &bailiwick_store::Request) {
    ///     let value = bailiwick_store::Audited::new(1, "run/1", serde_json::json!({}));
    ///     let _ = store.commit(scope, "run.opened", value, request).await;
    /// }
    /// ```
    ///
    /// # Errors
    /// The database's; then nothing has changed.
    pub async fn commit<T>(
        &self,
        mut scope: WriteScope,
        action: &'static str,
        audited: Audited<T>,
        request: &Request,
    ) -> Result<T, StoreError> {
        let (value, audits) = audited.into_parts();
        if audits.is_empty() {
            scope.tx.rollback().await?;
            return Ok(value);
        }
        let principal = scope.principal().await?;
        for Audit { target, detail } in audits {
            crate::trail::append(&mut scope, &principal, action, false, &target, &detail, request).await?;
        }
        scope.tx.commit().await?;
        Ok(value)
    }

    /// Keeps a job's own working state while it works: how far it has come, and what it would not do again. Nothing of a tenant's changes
    /// by it, so the trail hears of it with the job's end. Kept only while the job holds its lease.
    ///
    /// # Errors
    /// `conflict` when the lease was lost, or the scope is not Bailiwick's own; or the database's. Then nothing is kept.
    pub async fn keep_working_state(&self, mut scope: WriteScope, lease: &crate::Lease) -> Result<(), StoreError> {
        let own = matches!(scope.caller, Caller::System { .. });
        if !own || !scope.holds(lease).await? {
            return Err(bailiwick_base::Problem::new(bailiwick_base::Code::Conflict, "The job's lease was lost.").into());
        }
        scope.tx.commit().await?;
        Ok(())
    }

    /// Keeps a job's own working state, as [`Store::keep_working_state`] does, and lets it wait until a time: it is put back into the queue
    /// with what it has kept.
    ///
    /// # Errors
    /// `conflict` when the lease was lost, or the scope is not Bailiwick's own; or the database's. Then nothing is kept.
    pub async fn postpone(&self, mut scope: WriteScope, lease: &crate::Lease, until: Timestamp) -> Result<(), StoreError> {
        if !matches!(scope.caller, Caller::System { .. }) {
            return Err(bailiwick_base::Problem::internal("only a job of Bailiwick's own waits").into());
        }
        scope.put_off(lease, until).await?;
        scope.tx.commit().await?;
        Ok(())
    }

    /// Ends a job of which nothing of a tenant's has changed: it leaves the queue, for another one at a later time if one is named. There is
    /// nothing to tell the trail. The scope is its own, so that nothing else can be kept by it.
    ///
    /// # Errors
    /// `conflict` when the lease was lost; or the database's. Then nothing is kept.
    pub async fn finish_quietly(&self, lease: &crate::Lease, next: Option<(crate::NewJob, Timestamp)>) -> Result<(), StoreError> {
        let caller = Caller::System { name: "worker", project: None };
        let mut scope = self.write(lease.tenant, &caller, &Admission { roles: vec![], keys: false, workloads: false }).await?;
        scope.finish(lease).await?;
        if let Some((job, at)) = next {
            scope.enqueue_at(job, at).await?;
        }
        scope.tx.commit().await?;
        Ok(())
    }

    /// Writes a refusal into the tenant's trail.
    ///
    /// # Errors
    /// The database's.
    pub async fn record_refusal(
        &self,
        tenant: TenantId,
        who: &Principal,
        action: &str,
        detail: &serde_json::Value,
        request: &Request,
    ) -> Result<(), StoreError> {
        let caller = Caller::System { name: "trail", project: None };
        let mut scope = self.write(tenant, &caller, &Admission { roles: vec![], keys: false, workloads: false }).await?;
        crate::trail::append(&mut scope, who, action, true, "", detail, request).await?;
        scope.tx.commit().await?;
        Ok(())
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> bool {
        self.system(SystemUse::FindTenant).await.is_ok()
    }

    /// Connections open now, busy or idle.
    pub fn connections(&self) -> u32 {
        self.pool.size()
    }

    pub(crate) async fn listener(&self) -> Result<sqlx::postgres::PgListener, StoreError> {
        Ok(sqlx::postgres::PgListener::connect_with(&self.pool).await?)
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that died while idle shows when it is next used, and several may have died together: a few more tries get a fresh one.
/// Nothing has run yet, so nothing repeats.
async fn begin_patiently<F, Fut>(begin: F) -> Result<Transaction<'static, Postgres>, sqlx::Error>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Transaction<'static, Postgres>, sqlx::Error>>,
{
    let mut left = 3;
    loop {
        match begin().await {
            Err(error) if left > 0 && (matches!(error, sqlx::Error::Io(_)) || terminated(&error)) => left -= 1,
            other => return other,
        }
    }
}

fn terminated(error: &sqlx::Error) -> bool {
    matches!(error.as_database_error().and_then(|e| e.code()).as_deref(), Some("57P01" | "57P02"))
}

/// Ends what an entry before this one left behind: sqlx forgets a transaction whose beginning was refused, or whose caller went away
/// meanwhile, and hands its connection on as it is.
const CLEAN: &str = "ROLLBACK";

/// The statements that enter a tenant. Every value is a UUID, a hash in hex, a time, a boolean or a role's name: nothing to quote.
fn entry_sql(begin: &str, tenant: TenantId, caller: &Caller, admission: &Admission, now: Timestamp) -> String {
    let mut sql = format!("{CLEAN}; {begin}; SET LOCAL ROLE bailiwick_app; SET LOCAL bailiwick.tenant = '{tenant}'");
    let project = match caller {
        Caller::Key { project, .. } | Caller::System { project, .. } => *project,
        Caller::Member { .. } | Caller::Workload { .. } => None,
    };
    // Always set, so that no value of an earlier transaction can be left over.
    let project = project.map(|p| p.to_string()).unwrap_or_default();
    let _ = write!(sql, "; SET LOCAL bailiwick.project = '{project}'");
    if !matches!(caller, Caller::System { .. }) {
        // A request ends in time, whatever it asks for; imports take as long as they take.
        sql.push_str("; SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '10s'");
    }
    let _ = match caller {
        Caller::Member { directory, object } => {
            let roles: Vec<&str> = admission.roles.iter().copied().filter(|r| r.bytes().all(|b| b.is_ascii_lowercase())).collect();
            write!(sql, "; SELECT admit_member('{directory}', '{object}', '{{{}}}')", roles.join(","))
        }
        Caller::Key { sha256, .. } => write!(sql, "; SELECT admit_key('\\x{}', '{now}', {})", hex::encode(sha256), admission.keys),
        Caller::Workload { directory, .. } => write!(sql, "; SELECT admit_workload('{directory}', {})", admission.workloads),
        Caller::System { .. } => Ok(()),
    };
    sql
}

/// One tenant, read only. All statements see one moment.
pub struct ReadScope {
    tx: Transaction<'static, Postgres>,
    tenant: TenantId,
    caller: Caller,
}

impl ReadScope {
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
    /// The connection, for the static statements of a capability's `db.rs`.
    pub fn sql(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
    /// Who is calling, by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn principal(&mut self) -> Result<Principal, StoreError> {
        principal(&mut self.tx, self.tenant, &self.caller).await
    }
}

/// One tenant, to change it. Dropped without [`Store::commit`], it leaves nothing behind.
pub struct WriteScope {
    pub(crate) tx: Transaction<'static, Postgres>,
    tenant: TenantId,
    caller: Caller,
    principal: Option<Principal>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl WriteScope {
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
    pub fn sql(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
    pub fn rng(&self) -> &dyn Rng {
        &*self.rng
    }
    /// Who is calling, by name; asked of the database once.
    ///
    /// # Errors
    /// The database's.
    pub async fn principal(&mut self) -> Result<Principal, StoreError> {
        if let Some(known) = &self.principal {
            return Ok(known.clone());
        }
        let found = principal(&mut self.tx, self.tenant, &self.caller).await?;
        self.principal = Some(found.clone());
        Ok(found)
    }
}

async fn principal(connection: &mut PgConnection, tenant: TenantId, caller: &Caller) -> Result<Principal, StoreError> {
    Ok(match caller {
        Caller::Member { directory, object } => {
            let (id, name): (Uuid, String) =
                sqlx::query_as("SELECT id, name FROM members WHERE tenant_id = $1 AND directory_id = $2 AND object_id = $3")
                    .bind(tenant.0)
                    .bind(directory.0)
                    .bind(object)
                    .fetch_one(connection)
                    .await?;
            Principal { kind: PrincipalKind::User, id: id.to_string(), name, token_subject: Some(object.to_string()) }
        }
        Caller::Key { sha256, .. } => {
            let (id, name): (Uuid, String) = sqlx::query_as("SELECT id, name FROM api_keys WHERE tenant_id = $1 AND sha256 = $2")
                .bind(tenant.0)
                .bind(sha256.as_slice())
                .fetch_one(connection)
                .await?;
            Principal { kind: PrincipalKind::ApiKey, id: id.to_string(), name, token_subject: None }
        }
        Caller::Workload { client_id, subject, .. } => Principal {
            kind: PrincipalKind::Workload,
            id: client_id.clone(),
            name: client_id.clone(),
            token_subject: Some(subject.clone()),
        },
        Caller::System { name, .. } => Principal::system(name),
    })
}

/// The job queue, the list of tenants, and which directories they connect.
pub struct SystemScope {
    pub(crate) tx: Transaction<'static, Postgres>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
}

impl SystemScope {
    /// Keeps what was done. The tables of this scope hold no evidence, so there is no tenant's trail to write to.
    ///
    /// # Errors
    /// The database's.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}

/// A time as the database takes it.
pub fn sql_time(at: Timestamp) -> jiff_sqlx::Timestamp {
    at.to_sqlx()
}
