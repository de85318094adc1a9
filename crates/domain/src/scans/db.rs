//! All SQL of scans, their progress and checkpoints, schedules, settings and packs.

use bailiwick_base::{ConnectionId, DirectoryId, Principal, Problem, RunId, ScanId, ScheduleId, TenantId, Timestamp};
use bailiwick_contract::evidence::{FindingCounts, Named};
use bailiwick_contract::scans::{Pack, Scan, ScanEnd, ScanKind, ScanProgress, ScanSchedule, ScanSettings, ScanState, Score};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A scan with its directory's name, how far it has come, what its run did to findings, and the score of the one before.
macro_rules! scan_columns {
    () => {
        "SELECT s.id, s.directory_id, d.name AS directory_name, s.connection_id, s.kind, s.state, s.requested_by, s.schedule_id, s.queued_at,
                s.started_at, s.ended_at, s.score, s.counts, s.ending, s.complete, s.catalogue, s.run_id, r.findings, p.progress,
                coalesce(p.attempts, 0) AS attempts,
                (SELECT b.score FROM scans b WHERE b.tenant_id = s.tenant_id AND b.directory_id = s.directory_id AND b.kind = s.kind
                    AND b.state = 'completed' AND b.queued_at < s.queued_at ORDER BY b.queued_at DESC LIMIT 1) AS score_before
         FROM scans s JOIN directories d ON d.tenant_id = s.tenant_id AND d.id = s.directory_id
         LEFT JOIN runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id AND r.state = 'succeeded'
         LEFT JOIN scan_progress p ON p.tenant_id = s.tenant_id AND p.scan_id = s.id "
    };
}

#[derive(FromRow)]
struct ScanRow {
    id: Uuid,
    directory_id: Uuid,
    directory_name: String,
    connection_id: Uuid,
    kind: String,
    state: String,
    requested_by: Json<Principal>,
    schedule_id: Option<Uuid>,
    queued_at: SqlTime,
    started_at: Option<SqlTime>,
    ended_at: Option<SqlTime>,
    score: Option<f64>,
    counts: Option<Json<Score>>,
    ending: Option<Json<ScanEnd>>,
    complete: Option<bool>,
    catalogue: Option<String>,
    run_id: Option<Uuid>,
    findings: Option<Json<FindingCounts>>,
    progress: Option<Json<ScanProgress>>,
    attempts: i32,
    score_before: Option<f64>,
}

fn kind_of(text: &str) -> ScanKind {
    ScanKind::parse(text).unwrap_or(ScanKind::Compliance)
}

impl ScanRow {
    fn scan(self) -> Scan {
        let change = self.score.zip(self.score_before).map(|(now, before)| ((now - before) * 10.0).round() / 10.0);
        Scan {
            id: ScanId(self.id),
            kind: kind_of(&self.kind),
            state: ScanState::parse(&self.state).unwrap_or(ScanState::Failed),
            directory: Named { id: DirectoryId(self.directory_id), name: self.directory_name },
            connection: ConnectionId(self.connection_id),
            requested_by: self.requested_by.0,
            schedule: self.schedule_id.map(ScheduleId),
            queued_at: self.queued_at.to_jiff(),
            started_at: self.started_at.map(SqlTime::to_jiff),
            ended_at: self.ended_at.map(SqlTime::to_jiff),
            progress: self.progress.map_or_else(super::model::nothing_yet, |p| p.0),
            score: self.counts.map(|c| c.0),
            score_change: change,
            run: self.run_id.map(RunId),
            findings: self.findings.map(|f| f.0),
            end: self.ending.map(|e| e.0),
            complete: self.complete,
            catalogue: self.catalogue,
            attempts: u32::try_from(self.attempts).unwrap_or(0),
        }
    }
}

pub async fn scan(sql: &mut PgConnection, tenant: TenantId, id: ScanId) -> Result<Option<Scan>, Problem> {
    let row: Option<ScanRow> = sqlx::query_as(concat!(scan_columns!(), "WHERE s.tenant_id = $1 AND s.id = $2"))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(row.map(ScanRow::scan))
}

pub struct ScanFilter {
    pub directory: Option<DirectoryId>,
    pub kind: Option<&'static str>,
    pub state: Option<&'static str>,
    pub before: Option<(Timestamp, Uuid)>,
}

pub async fn scans(sql: &mut PgConnection, tenant: TenantId, filter: &ScanFilter, limit: i64) -> Result<Vec<Scan>, Problem> {
    let (at, id) = filter.before.unzip();
    let rows: Vec<ScanRow> = sqlx::query_as(concat!(
        scan_columns!(),
        "WHERE s.tenant_id = $1 AND ($2::uuid IS NULL OR s.directory_id = $2) AND ($3::text IS NULL OR s.kind = $3)
           AND ($4::text IS NULL OR s.state = $4) AND ($5::timestamptz IS NULL OR (s.queued_at, s.id) < ($5, $6))
         ORDER BY s.queued_at DESC, s.id DESC LIMIT $7"
    ))
    .bind(tenant.0)
    .bind(filter.directory.map(|d| d.0))
    .bind(filter.kind)
    .bind(filter.state)
    .bind(at.map(sql_time))
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(ScanRow::scan).collect())
}

pub struct NewScan<'a> {
    pub id: ScanId,
    pub directory: DirectoryId,
    pub connection: ConnectionId,
    pub kind: ScanKind,
    pub by: &'a Principal,
    pub schedule: Option<ScheduleId>,
    pub at: Timestamp,
}

/// Inserts a queued scan. A directory whose scan has not ended refuses it by its index, which is a `scan_already_running`.
pub async fn insert(sql: &mut PgConnection, tenant: TenantId, new: &NewScan<'_>) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO scans (tenant_id, id, directory_id, connection_id, kind, state, requested_by, schedule_id, queued_at)
         VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8)",
    )
    .bind(tenant.0)
    .bind(new.id.0)
    .bind(new.directory.0)
    .bind(new.connection.0)
    .bind(new.kind.as_str())
    .bind(Json(new.by))
    .bind(new.schedule.map(|s| s.0))
    .bind(sql_time(new.at))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// The latest completed scan of a directory.
pub async fn latest_completed(sql: &mut PgConnection, tenant: TenantId, directory: DirectoryId) -> Result<Option<ScanId>, Problem> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM scans WHERE tenant_id = $1 AND directory_id = $2 AND state = 'completed' ORDER BY queued_at DESC, id DESC LIMIT 1",
    )
    .bind(tenant.0)
    .bind(directory.0)
    .fetch_optional(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(id.map(ScanId))
}

/// Whether a scan of the directory has not ended.
pub async fn under_way(sql: &mut PgConnection, tenant: TenantId, directory: DirectoryId) -> Result<bool, Problem> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM scans WHERE tenant_id = $1 AND directory_id = $2 AND state IN ('queued', 'running'))")
        .bind(tenant.0)
        .bind(directory.0)
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// Marks a scan as begun; false when it has ended meanwhile.
pub async fn begin(sql: &mut PgConnection, tenant: TenantId, id: ScanId, now: Timestamp) -> Result<bool, Problem> {
    let done = sqlx::query(
        "UPDATE scans SET state = 'running', started_at = coalesce(started_at, $3)
         WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'running')",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}

/// Whether a connection lives; it cannot be disconnected until this transaction ends, so what begins here is seen by who disconnects.
pub async fn hold(sql: &mut PgConnection, tenant: TenantId, connection: ConnectionId) -> Result<bool, Problem> {
    let lives: Option<bool> =
        sqlx::query_scalar("SELECT disconnected_at IS NULL FROM connections WHERE tenant_id = $1 AND id = $2 FOR SHARE")
            .bind(tenant.0)
            .bind(connection.0)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(lives == Some(true))
}

/// Whether a scan may go on: it runs, and its connection lives.
pub async fn goes_on(sql: &mut PgConnection, tenant: TenantId, id: ScanId) -> Result<bool, Problem> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM scans s JOIN connections c ON c.tenant_id = s.tenant_id AND c.id = s.connection_id
         WHERE s.tenant_id = $1 AND s.id = $2 AND s.state = 'running' AND c.disconnected_at IS NULL)",
    )
    .bind(tenant.0)
    .bind(id.0)
    .fetch_one(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// Ends a scan without results, as failed or cancelled; false when it has ended already.
pub async fn end(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: ScanId,
    state: ScanState,
    end: &ScanEnd,
    now: Timestamp,
) -> Result<bool, Problem> {
    let done = sqlx::query(
        "UPDATE scans SET state = $3, ending = $4, ended_at = $5 WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'running')",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(state.as_str())
    .bind(Json(end))
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}

/// Cancels every scan of a connection that has not ended; which they were.
pub async fn cancel_of_connection(
    sql: &mut PgConnection,
    tenant: TenantId,
    connection: ConnectionId,
    end: &ScanEnd,
    now: Timestamp,
) -> Result<Vec<ScanId>, Problem> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE scans SET state = 'cancelled', ending = $3, ended_at = $4
         WHERE tenant_id = $1 AND connection_id = $2 AND state IN ('queued', 'running') RETURNING id",
    )
    .bind(tenant.0)
    .bind(connection.0)
    .bind(Json(end))
    .bind(sql_time(now))
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(ids.into_iter().map(ScanId).collect())
}

/// What a completed scan came to.
pub struct Completed<'a> {
    pub score: &'a Score,
    pub complete: bool,
    pub catalogue: &'a str,
    pub run: RunId,
    pub at: Timestamp,
}

/// Completes a running scan; false when it has ended meanwhile.
pub async fn complete(sql: &mut PgConnection, tenant: TenantId, id: ScanId, done: &Completed<'_>) -> Result<bool, Problem> {
    let updated = sqlx::query(
        "UPDATE scans SET state = 'completed', score = $3, counts = $4, complete = $5, catalogue = $6, run_id = $7, ended_at = $8
         WHERE tenant_id = $1 AND id = $2 AND state = 'running'",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(done.score.percent)
    .bind(Json(done.score))
    .bind(done.complete)
    .bind(done.catalogue)
    .bind(done.run.0)
    .bind(sql_time(done.at))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(updated.rows_affected() == 1)
}

pub async fn note_progress(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: ScanId,
    progress: &ScanProgress,
    attempts: i32,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO scan_progress (tenant_id, scan_id, progress, attempts, noted_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, scan_id) DO UPDATE SET progress = excluded.progress, attempts = excluded.attempts, noted_at = excluded.noted_at",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(Json(progress))
    .bind(attempts)
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// One page of what was read, sealed.
pub struct Checkpoint {
    pub request_sha256: [u8; 32],
    pub page: i32,
    pub sealed: Vec<u8>,
}

/// Keeps one page of one request, in place of what an earlier try kept of it. A request's first page takes its later ones along.
pub async fn keep_page(
    sql: &mut PgConnection,
    tenant: TenantId,
    scan: ScanId,
    key_version: i32,
    request_sha256: &[u8; 32],
    page: i32,
    sealed: &[u8],
) -> Result<(), Problem> {
    if page == 1 {
        sqlx::query("DELETE FROM scan_checkpoints WHERE tenant_id = $1 AND scan_id = $2 AND request_sha256 = $3")
            .bind(tenant.0)
            .bind(scan.0)
            .bind(request_sha256.as_slice())
            .execute(&mut *sql)
            .await
            .map_err(StoreError::from)?;
    }
    sqlx::query(
        "INSERT INTO scan_checkpoints (tenant_id, scan_id, request_sha256, page, key_version, sealed) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.0)
    .bind(scan.0)
    .bind(request_sha256.as_slice())
    .bind(page)
    .bind(key_version)
    .bind(sealed)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Everything an earlier try kept, page by page.
pub async fn checkpoints(sql: &mut PgConnection, tenant: TenantId, scan: ScanId) -> Result<Vec<Checkpoint>, Problem> {
    let rows: Vec<(Vec<u8>, i32, Vec<u8>)> = sqlx::query_as(
        "SELECT request_sha256, page, sealed FROM scan_checkpoints WHERE tenant_id = $1 AND scan_id = $2 ORDER BY request_sha256, page",
    )
    .bind(tenant.0)
    .bind(scan.0)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    let checkpoint =
        |(hash, page, sealed): (Vec<u8>, i32, Vec<u8>)| Some(Checkpoint { request_sha256: hash.try_into().ok()?, page, sealed });
    Ok(rows.into_iter().filter_map(checkpoint).collect())
}

pub async fn forget_checkpoints(sql: &mut PgConnection, tenant: TenantId, scan: ScanId) -> Result<(), Problem> {
    sqlx::query("DELETE FROM scan_checkpoints WHERE tenant_id = $1 AND scan_id = $2")
        .bind(tenant.0)
        .bind(scan.0)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

// ---- schedules ---------------------------------------------------------------------------------------------------

macro_rules! schedule_columns {
    () => {
        "SELECT s.id, s.name, s.kind, s.connection_id, c.directory_id, d.name AS directory_name, s.cron, s.zone, s.enabled,
                CASE WHEN c.disconnected_at IS NULL THEN s.next_at END AS next_at, s.last_at, s.last_scan_id, s.last_problem, s.created_at
         FROM scan_schedules s JOIN connections c ON c.tenant_id = s.tenant_id AND c.id = s.connection_id
         JOIN directories d ON d.tenant_id = c.tenant_id AND d.id = c.directory_id "
    };
}

#[derive(FromRow)]
struct ScheduleRow {
    id: Uuid,
    name: String,
    kind: String,
    connection_id: Uuid,
    directory_id: Uuid,
    directory_name: String,
    cron: String,
    zone: String,
    enabled: bool,
    next_at: Option<SqlTime>,
    last_at: Option<SqlTime>,
    last_scan_id: Option<Uuid>,
    last_problem: Option<String>,
    created_at: SqlTime,
}

impl ScheduleRow {
    fn schedule(self) -> ScanSchedule {
        ScanSchedule {
            id: ScheduleId(self.id),
            name: self.name,
            kind: kind_of(&self.kind),
            connection: ConnectionId(self.connection_id),
            directory: Named { id: DirectoryId(self.directory_id), name: self.directory_name },
            cron: self.cron,
            zone: self.zone,
            enabled: self.enabled,
            next_at: self.next_at.map(SqlTime::to_jiff),
            last_at: self.last_at.map(SqlTime::to_jiff),
            last_scan: self.last_scan_id.map(ScanId),
            last_problem: self.last_problem,
            created_at: self.created_at.to_jiff(),
        }
    }
}

pub async fn schedules(
    sql: &mut PgConnection,
    tenant: TenantId,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<ScanSchedule>, Problem> {
    let (name, id) = after.unzip();
    let rows: Vec<ScheduleRow> = sqlx::query_as(concat!(
        schedule_columns!(),
        "WHERE s.tenant_id = $1 AND ($2::text IS NULL OR (s.name, s.id) > ($2, $3)) ORDER BY s.name, s.id LIMIT $4"
    ))
    .bind(tenant.0)
    .bind(name)
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(ScheduleRow::schedule).collect())
}

pub async fn schedule(sql: &mut PgConnection, tenant: TenantId, id: ScheduleId) -> Result<Option<ScanSchedule>, Problem> {
    let row: Option<ScheduleRow> = sqlx::query_as(concat!(schedule_columns!(), "WHERE s.tenant_id = $1 AND s.id = $2"))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(row.map(ScheduleRow::schedule))
}

/// What people decide about a schedule, and when that makes it due.
pub struct ScheduleText<'a> {
    pub name: &'a str,
    pub kind: ScanKind,
    pub connection: ConnectionId,
    pub cron: &'a str,
    pub zone: &'a str,
    pub enabled: bool,
    pub next_at: Option<Timestamp>,
}

/// Inserts a schedule, or sets one anew.
pub async fn put_schedule(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: ScheduleId,
    text: &ScheduleText<'_>,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO scan_schedules (tenant_id, id, name, kind, connection_id, cron, zone, enabled, next_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, kind = excluded.kind, connection_id = excluded.connection_id,
            cron = excluded.cron, zone = excluded.zone, enabled = excluded.enabled, next_at = excluded.next_at, last_problem = NULL",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(text.name)
    .bind(text.kind.as_str())
    .bind(text.connection.0)
    .bind(text.cron)
    .bind(text.zone)
    .bind(text.enabled)
    .bind(text.next_at.map(sql_time))
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Notes what came of a schedule's turn, and when the next one is.
pub async fn note_turn(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: ScheduleId,
    begun: Result<ScanId, &str>,
    next_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Problem> {
    let (scan, problem) = match begun {
        Ok(scan) => (Some(scan.0), None),
        Err(problem) => (None, Some(problem)),
    };
    sqlx::query(
        "UPDATE scan_schedules SET last_at = $3, last_scan_id = coalesce($4, last_scan_id), last_problem = $5, next_at = $6
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(sql_time(now))
    .bind(scan)
    .bind(problem)
    .bind(next_at.map(sql_time))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

pub async fn count_schedules(sql: &mut PgConnection, tenant: TenantId) -> Result<i64, Problem> {
    sqlx::query_scalar("SELECT count(*) FROM scan_schedules WHERE tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

pub async fn delete_schedule(sql: &mut PgConnection, tenant: TenantId, id: ScheduleId) -> Result<Option<String>, Problem> {
    sqlx::query_scalar("DELETE FROM scan_schedules WHERE tenant_id = $1 AND id = $2 RETURNING name")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

// ---- settings and packs ------------------------------------------------------------------------------------------

/// Whether the tenant lists the directory.
pub async fn lists_directory(sql: &mut PgConnection, tenant: TenantId, id: DirectoryId) -> Result<bool, Problem> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM directories WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL)")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

pub async fn settings(sql: &mut PgConnection, tenant: TenantId, id: DirectoryId) -> Result<Option<(ScanSettings, Timestamp)>, Problem> {
    let row: Option<(Json<ScanSettings>, SqlTime)> =
        sqlx::query_as("SELECT settings, changed_at FROM scan_settings WHERE tenant_id = $1 AND directory_id = $2")
            .bind(tenant.0)
            .bind(id.0)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(row.map(|(settings, at)| (settings.0, at.to_jiff())))
}

pub async fn set_settings(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: DirectoryId,
    settings: &ScanSettings,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO scan_settings (tenant_id, directory_id, settings, changed_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, directory_id) DO UPDATE SET settings = excluded.settings, changed_at = excluded.changed_at",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(Json(settings))
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

#[derive(FromRow)]
struct PackRow {
    name: String,
    version: String,
    /// Bytes of each file.
    sizes: Json<BTreeMap<String, u64>>,
    sha256: Vec<u8>,
    added_at: SqlTime,
    added_by: Json<Principal>,
}

impl PackRow {
    fn pack(self) -> Pack {
        Pack {
            name: self.name,
            version: self.version,
            files: self.sizes.0,
            sha256: hex::encode(self.sha256),
            added_at: self.added_at.to_jiff(),
            added_by: self.added_by.0,
        }
    }
}

pub async fn packs(sql: &mut PgConnection, tenant: TenantId, after: Option<(String, String)>, limit: i64) -> Result<Vec<Pack>, Problem> {
    let (name, version) = after.unzip();
    let rows: Vec<PackRow> = sqlx::query_as(
        "SELECT name, version, (SELECT jsonb_object_agg(f.key, octet_length(f.value)) FROM jsonb_each_text(files) f) AS sizes, sha256,
                added_at, added_by FROM scan_packs
         WHERE tenant_id = $1 AND removed_at IS NULL AND ($2::text IS NULL OR (name, version) > ($2, $3)) ORDER BY name, version LIMIT $4",
    )
    .bind(tenant.0)
    .bind(name)
    .bind(version)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(PackRow::pack).collect())
}

/// A version of a pack with whether it was removed; removed ones are there still.
pub async fn pack(sql: &mut PgConnection, tenant: TenantId, name: &str, version: &str) -> Result<Option<(Pack, bool)>, Problem> {
    let row: Option<PackRow> = sqlx::query_as(
        "SELECT name, version, (SELECT jsonb_object_agg(f.key, octet_length(f.value)) FROM jsonb_each_text(files) f) AS sizes, sha256,
                added_at, added_by FROM scan_packs WHERE tenant_id = $1 AND name = $2 AND version = $3",
    )
    .bind(tenant.0)
    .bind(name)
    .bind(version)
    .fetch_optional(&mut *sql)
    .await
    .map_err(StoreError::from)?;
    let Some(row) = row else { return Ok(None) };
    let removed: bool =
        sqlx::query_scalar("SELECT removed_at IS NOT NULL FROM scan_packs WHERE tenant_id = $1 AND name = $2 AND version = $3")
            .bind(tenant.0)
            .bind(name)
            .bind(version)
            .fetch_one(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(Some((row.pack(), removed)))
}

/// The files of a pack's version that scans may judge with.
pub async fn pack_files(
    sql: &mut PgConnection,
    tenant: TenantId,
    name: &str,
    version: &str,
) -> Result<Option<BTreeMap<String, String>>, Problem> {
    let files: Option<Json<BTreeMap<String, String>>> =
        sqlx::query_scalar("SELECT files FROM scan_packs WHERE tenant_id = $1 AND name = $2 AND version = $3 AND removed_at IS NULL")
            .bind(tenant.0)
            .bind(name)
            .bind(version)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(files.map(|f| f.0))
}

pub struct NewPack<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub files: &'a BTreeMap<String, String>,
    pub sha256: &'a [u8; 32],
    pub by: &'a Principal,
    pub at: Timestamp,
}

/// How many versions of packs the tenant has, removed ones too: their files are still there.
pub async fn count_packs(sql: &mut PgConnection, tenant: TenantId) -> Result<i64, Problem> {
    sqlx::query_scalar("SELECT count(*) FROM scan_packs WHERE tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// Inserts a version; false when there is one.
pub async fn insert_pack(sql: &mut PgConnection, tenant: TenantId, pack: &NewPack<'_>) -> Result<bool, Problem> {
    let done = sqlx::query(
        "INSERT INTO scan_packs (tenant_id, name, version, files, sha256, added_at, added_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, name, version) DO NOTHING",
    )
    .bind(tenant.0)
    .bind(pack.name)
    .bind(pack.version)
    .bind(Json(pack.files))
    .bind(pack.sha256.as_slice())
    .bind(sql_time(pack.at))
    .bind(Json(pack.by))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}

pub async fn remove_pack(sql: &mut PgConnection, tenant: TenantId, name: &str, version: &str, now: Timestamp) -> Result<bool, Problem> {
    let done =
        sqlx::query("UPDATE scan_packs SET removed_at = $4 WHERE tenant_id = $1 AND name = $2 AND version = $3 AND removed_at IS NULL")
            .bind(tenant.0)
            .bind(name)
            .bind(version)
            .bind(sql_time(now))
            .execute(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}
