//! Durable jobs in PostgreSQL: enqueued in the transaction of the change that wants them, taken by SKIP LOCKED under a lease, run in
//! their tenant's scope, tried again with backoff, dead after their last try with the reason kept.
//!
//! A job may run more than once (its worker may die after the work and before the note of it), never twice at a time: finishing
//! deletes the job in the transaction of its effects, and only for the lease that did them.

use crate::error::StoreError;
use crate::scope::{Store, SystemScope, SystemUse, WriteScope, sql_time};
use bailiwick_base::{Code, JobId, Principal, Problem, TenantId, Timestamp};
use croner::Cron;
use jiff::SignedDuration;
use serde_json::Value;
use sqlx::types::Json;
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;

/// What a kind of job is, declared beside its capability.
#[derive(Debug, Clone, Copy)]
pub struct JobKind {
    pub name: &'static str,
    pub max_attempts: i32,
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// First wait after a failure; doubles each time,
    pub backoff: Duration,
    /// up to this. Jobs of the same concurrency key wait as long.
    pub longest_wait: Duration,
    /// Five-field cron expression (UTC) for kinds that run by themselves in every tenant.
    pub schedule: Option<&'static str>,
}

impl JobKind {
    /// How long to wait after the given failed attempt (1 is the first): doubling, up to the longest.
    pub fn wait_after(&self, attempt: i32) -> Duration {
        let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(16);
        (self.backoff * 2u32.pow(doublings)).min(self.longest_wait)
    }
}

/// A job to be done.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub kind: &'static str,
    pub payload: Value,
    pub concurrency_key: Option<String>,
    pub dedup_key: Option<String>,
}

/// A job that a worker holds.
#[derive(Debug, Clone)]
pub struct Lease {
    pub tenant: TenantId,
    pub id: JobId,
    pub kind: String,
    pub payload: Value,
    pub on_behalf: Principal,
    pub attempt: i32,
    worker: Uuid,
}

const CHANNEL: &str = "bailiwick_jobs";

/// A kind of which one tenant can have many jobs that wait for others for long, and how many of them run at once: the rest of the slots
/// is for other tenants.
const SHARED: &str = "notifications.deliver";
const SHARE: i64 = 8;

impl WriteScope {
    /// Puts a job into the queue, if and when this scope is committed.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue(&mut self, job: NewJob) -> Result<JobId, StoreError> {
        let id = JobId::new(self.clock(), self.rng());
        let (tenant, now, on_behalf) = (self.tenant(), self.now(), self.principal().await?);
        sqlx::query(
            "INSERT INTO jobs (tenant_id, id, kind, payload, on_behalf, concurrency_key, dedup_key, state, run_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $8) ON CONFLICT (tenant_id, dedup_key) DO NOTHING",
        )
        .bind(tenant.0)
        .bind(id.0)
        .bind(job.kind)
        .bind(job.payload)
        .bind(Json(on_behalf))
        .bind(job.concurrency_key)
        .bind(job.dedup_key)
        .bind(sql_time(now))
        .execute(self.sql())
        .await?;
        sqlx::query("SELECT pg_notify('bailiwick_jobs', '')").execute(self.sql()).await?;
        Ok(id)
    }

    /// Puts a job into the queue for a later time, if and when this scope is committed.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue_at(&mut self, job: NewJob, at: Timestamp) -> Result<JobId, StoreError> {
        let id = self.enqueue(job).await?;
        let tenant = self.tenant();
        sqlx::query("UPDATE jobs SET run_at = $3 WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(id.0)
            .bind(sql_time(at))
            .execute(self.sql())
            .await?;
        Ok(id)
    }

    /// Takes a waiting job out of the queue, known by its dedup key. One that runs goes on.
    ///
    /// # Errors
    /// The database's.
    pub async fn unqueue(&mut self, dedup_key: &str) -> Result<(), StoreError> {
        let tenant = self.tenant();
        sqlx::query("DELETE FROM jobs WHERE tenant_id = $1 AND dedup_key = $2 AND state = 'queued'")
            .bind(tenant.0)
            .bind(dedup_key)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Whether the job is still this lease's; if so it stays so until the transaction ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn holds(&mut self, lease: &Lease) -> Result<bool, StoreError> {
        let found = sqlx::query("SELECT FROM jobs WHERE tenant_id = $1 AND id = $2 AND worker = $3 AND attempts = $4 FOR SHARE")
            .bind(lease.tenant.0)
            .bind(lease.id.0)
            .bind(lease.worker)
            .bind(lease.attempt)
            .fetch_optional(self.sql())
            .await?;
        Ok(found.is_some())
    }

    /// Puts a job that waits for something back into the queue until a time. It keeps its place among the jobs of its concurrency key, and
    /// its tries begin anew: waiting is no failure.
    pub(crate) async fn put_off(&mut self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE jobs SET state = 'queued', run_at = $5, attempts = 0, worker = NULL, lease_until = NULL
             WHERE tenant_id = $1 AND id = $2 AND worker = $3 AND attempts = $4",
        )
        .bind(lease.tenant.0)
        .bind(lease.id.0)
        .bind(lease.worker)
        .bind(lease.attempt)
        .bind(sql_time(until))
        .execute(self.sql())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Problem::new(Code::Conflict, "The job's lease was lost.").into()) }
    }

    /// Takes a finished job out of the queue together with its effects.
    ///
    /// # Errors
    /// `conflict` when the lease was lost meanwhile: another worker has the job, and this one's effects must not be kept.
    pub async fn finish(&mut self, lease: &Lease) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM jobs WHERE tenant_id = $1 AND id = $2 AND worker = $3 AND attempts = $4")
            .bind(lease.tenant.0)
            .bind(lease.id.0)
            .bind(lease.worker)
            .bind(lease.attempt)
            .execute(self.sql())
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Problem::new(Code::Conflict, "The job's lease was lost.").into()) }
    }
}

/// Gives every tenant the schedules it lacks, and those whose expression changed their new time.
pub(crate) async fn schedule_everywhere(scope: &mut SystemScope, schedules: &[(&str, &str)]) -> Result<(), StoreError> {
    for (kind, cron) in schedules {
        let next = next_after(cron, scope.clock.now())?;
        sqlx::query(
            "INSERT INTO job_schedules (tenant_id, kind, cron, next_at) SELECT id, $1, $2, $3 FROM tenants
             ON CONFLICT (tenant_id, kind) DO UPDATE SET cron = excluded.cron, next_at = excluded.next_at WHERE job_schedules.cron <> excluded.cron",
        )
        .bind(kind)
        .bind(cron)
        .bind(sql_time(next))
        .execute(&mut *scope.tx)
        .await?;
    }
    Ok(())
}

/// The next moment a five-field cron expression names, in UTC.
fn next_after(cron: &str, now: Timestamp) -> Result<Timestamp, StoreError> {
    let bad = |e: String| StoreError::Problem(Problem::internal(format!("cron expression {cron:?}: {e}")));
    let parsed = Cron::from_str(cron).map_err(|e| bad(e.to_string()))?;
    let zoned = now.to_zoned(jiff::tz::TimeZone::UTC);
    let next = parsed.find_next_occurrence(&zoned, false).map_err(|e| bad(e.to_string()))?;
    Ok(next.timestamp())
}

impl Store {
    /// Takes up to `limit` due jobs, among them those whose worker stopped renewing its lease.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim(&self, worker: Uuid, limit: i64, lease: Duration) -> Result<Vec<Lease>, StoreError> {
        self.claim_of(worker, limit, lease, None).await
    }

    /// As [`Store::claim`], but jobs of the named kinds only, so that long ones do not keep short ones waiting.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_of(&self, worker: Uuid, limit: i64, lease: Duration, kinds: Option<&[&str]>) -> Result<Vec<Lease>, StoreError> {
        let mut scope = self.system(SystemUse::WorkJobs).await?;
        let now = scope.clock.now();
        let until = later(now, lease);
        type Row = (Uuid, Uuid, String, Value, Json<Principal>, i32);
        let rows: Vec<Row> = sqlx::query_as(
            // Materialized: a plan that runs the choice once per row would take more jobs than it hands out.
            "WITH due AS MATERIALIZED (
                   SELECT j.tenant_id, j.id FROM jobs j
                   WHERE ((j.state = 'queued' AND j.run_at <= $1) OR (j.state = 'running' AND j.lease_until < $1))
                     AND ($5::text[] IS NULL OR j.kind = ANY ($5))
                     AND ($6::text IS NULL OR j.kind <> $6 OR (SELECT count(*) FROM jobs s WHERE s.tenant_id = j.tenant_id AND s.kind = $6
                         AND s.state = 'running' AND s.id <> j.id) < $7)
                     AND (j.concurrency_key IS NULL OR NOT EXISTS (
                         SELECT FROM jobs o WHERE o.tenant_id = j.tenant_id AND o.concurrency_key = j.concurrency_key AND o.id <> j.id
                           AND (o.state = 'running' OR (o.state = 'queued' AND (o.created_at, o.id) < (j.created_at, j.id)))))
                   ORDER BY j.run_at, j.id LIMIT $4 FOR UPDATE SKIP LOCKED)
             UPDATE jobs SET state = 'running', attempts = jobs.attempts + 1, worker = $2, lease_until = $3 FROM due
             WHERE jobs.tenant_id = due.tenant_id AND jobs.id = due.id
             RETURNING jobs.tenant_id, jobs.id, jobs.kind, jobs.payload, jobs.on_behalf, jobs.attempts",
        )
        .bind(sql_time(now))
        .bind(worker)
        .bind(sql_time(until))
        .bind(limit)
        .bind(kinds)
        .bind(SHARED)
        .bind(SHARE)
        .fetch_all(&mut *scope.tx)
        .await?;
        scope.commit().await?;
        let lease = |(tenant, id, kind, payload, Json(on_behalf), attempt): Row| Lease {
            tenant: TenantId(tenant),
            id: JobId(id),
            kind,
            payload,
            on_behalf,
            attempt,
            worker,
        };
        Ok(rows.into_iter().map(lease).collect())
    }

    /// Says that the worker is alive and still at it. False when the lease was lost.
    ///
    /// # Errors
    /// The database's.
    pub async fn renew(&self, lease: &Lease, by: Duration) -> Result<bool, StoreError> {
        let mut scope = self.system(SystemUse::WorkJobs).await?;
        let until = later(scope.clock.now(), by);
        let done = sqlx::query("UPDATE jobs SET lease_until = $5 WHERE tenant_id = $1 AND id = $2 AND worker = $3 AND attempts = $4")
            .bind(lease.tenant.0)
            .bind(lease.id.0)
            .bind(lease.worker)
            .bind(lease.attempt)
            .bind(sql_time(until))
            .execute(&mut *scope.tx)
            .await?;
        scope.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes every lease from its worker. Only for a process that knows to be the only one: a lease then is a dead predecessor's.
    ///
    /// # Errors
    /// The database's.
    pub async fn release_leases(&self) -> Result<u64, StoreError> {
        let mut scope = self.system(SystemUse::WorkJobs).await?;
        let now = scope.clock.now();
        let done = sqlx::query(
            "UPDATE jobs SET lease_until = $1::timestamptz - interval '1 second' WHERE state = 'running' AND lease_until >= $1",
        )
        .bind(sql_time(now))
        .execute(&mut *scope.tx)
        .await?;
        scope.commit().await?;
        Ok(done.rows_affected())
    }

    /// Puts a job that failed back, to be tried again after `wait`; with `None` it is dead, and stays to be seen.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_back(&self, lease: &Lease, wait: Option<Duration>, error: &str) -> Result<(), StoreError> {
        let mut scope = self.system(SystemUse::WorkJobs).await?;
        let run_at = later(scope.clock.now(), wait.unwrap_or_default());
        sqlx::query(
            "UPDATE jobs SET state = CASE WHEN $5 THEN 'queued' ELSE 'dead' END, run_at = $6, worker = NULL, lease_until = NULL,
                    last_error = left($7, 2000), dedup_key = CASE WHEN $5 THEN dedup_key END
             WHERE tenant_id = $1 AND id = $2 AND worker = $3 AND attempts = $4",
        )
        .bind(lease.tenant.0)
        .bind(lease.id.0)
        .bind(lease.worker)
        .bind(lease.attempt)
        .bind(wait.is_some())
        .bind(sql_time(run_at))
        .bind(error)
        .execute(&mut *scope.tx)
        .await?;
        scope.commit().await
    }

    /// Makes the schedules of all tenants those of this version. Run at start.
    ///
    /// # Errors
    /// The database's, or an expression is not one.
    pub async fn sync_schedules(&self, schedules: &[(&str, &str)]) -> Result<(), StoreError> {
        let mut scope = self.system(SystemUse::RunSchedules).await?;
        schedule_everywhere(&mut scope, schedules).await?;
        scope.commit().await
    }

    /// Turns due schedules into jobs; answers how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn run_schedules(&self) -> Result<usize, StoreError> {
        let mut scope = self.system(SystemUse::RunSchedules).await?;
        let now = scope.clock.now();
        let due: Vec<(Uuid, String, String)> = sqlx::query_as(
            "SELECT tenant_id, kind, cron FROM job_schedules WHERE next_at <= $1 ORDER BY next_at LIMIT 500 FOR UPDATE SKIP LOCKED",
        )
        .bind(sql_time(now))
        .fetch_all(&mut *scope.tx)
        .await?;
        for (tenant, kind, cron) in &due {
            enqueue_scheduled(&mut scope, *tenant, kind, next_after(cron, now)?).await?;
        }
        scope.commit().await?;
        Ok(due.len())
    }

    /// When the next job or schedule falls due, to know how long to wait.
    ///
    /// # Errors
    /// The database's.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut scope = self.system(SystemUse::WorkJobs).await?;
        let at: Option<jiff_sqlx::Timestamp> = sqlx::query_scalar(
            "SELECT least((SELECT min(run_at) FROM jobs WHERE state = 'queued'), (SELECT min(lease_until) FROM jobs WHERE state = 'running'),
                          (SELECT min(next_at) FROM job_schedules))",
        )
        .fetch_one(&mut *scope.tx)
        .await?;
        Ok(at.map(jiff_sqlx::Timestamp::to_jiff))
    }

    /// Wakes when a job is enqueued anywhere.
    ///
    /// # Errors
    /// The database's.
    pub async fn job_bell(&self) -> Result<JobBell, StoreError> {
        let mut listener = self.listener().await?;
        listener.listen(CHANNEL).await?;
        Ok(JobBell(listener))
    }
}

async fn enqueue_scheduled(scope: &mut SystemScope, tenant: Uuid, kind: &str, next: Timestamp) -> Result<(), StoreError> {
    let id = JobId::new(&*scope.clock, &*scope.rng);
    let now = scope.clock.now();
    sqlx::query(
        "INSERT INTO jobs (tenant_id, id, kind, payload, on_behalf, dedup_key, state, run_at, created_at)
         VALUES ($1, $2, $3, '{}', $4, 'schedule:' || $3, 'queued', $5, $5) ON CONFLICT (tenant_id, dedup_key) DO NOTHING",
    )
    .bind(tenant)
    .bind(id.0)
    .bind(kind)
    .bind(Json(Principal::system("schedule")))
    .bind(sql_time(now))
    .execute(&mut *scope.tx)
    .await?;
    sqlx::query("UPDATE job_schedules SET next_at = $3 WHERE tenant_id = $1 AND kind = $2")
        .bind(tenant)
        .bind(kind)
        .bind(sql_time(next))
        .execute(&mut *scope.tx)
        .await?;
    Ok(())
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::from_hours(1));
    now.saturating_add(by).unwrap_or(now)
}

/// A listener for new jobs.
pub struct JobBell(sqlx::postgres::PgListener);

impl JobBell {
    /// Waits for the next ring.
    ///
    /// # Errors
    /// The connection was lost; open a new bell.
    pub async fn rung(&mut self) -> Result<(), StoreError> {
        self.0.recv().await?;
        Ok(())
    }
}
