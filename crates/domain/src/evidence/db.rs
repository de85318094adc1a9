//! All SQL of `runs` and `artifacts`.

use bailiwick_base::{ArtifactId, Counts, DirectoryId, Family, Principal, Problem, ProjectId, RunId, SeriesId, TenantId, Timestamp};
use bailiwick_contract::evidence::{Artifact, ArtifactKind, Failure, FindingCounts, Named, Report, Run, RunSeries, RunState};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// A run's row with its project's name, and what its job adds: a queued run whose job is held is being processed.
macro_rules! run_columns {
    () => {
        "SELECT r.id, CASE WHEN r.state = 'queued' AND j.state = 'running' THEN 'processing' ELSE r.state END AS state, r.source, r.project_id,
                p.name AS project_name, r.pipeline_run_id, r.submitted_by, r.address, r.family, r.tool, r.tool_version, r.opened_at,
                r.completed_at, r.processed_at, r.assessed_at, r.counts, r.findings, r.failure, r.remarks, r.duplicate_of,
                r.attempts + coalesce(j.attempts, 0) AS attempts
         FROM runs r LEFT JOIN projects p ON p.tenant_id = r.tenant_id AND p.id = r.project_id
         LEFT JOIN jobs j ON j.tenant_id = r.tenant_id AND j.dedup_key = 'run:' || r.id "
    };
}

#[derive(FromRow)]
pub struct RunRow {
    pub id: Uuid,
    state: String,
    source: String,
    project_id: Option<Uuid>,
    project_name: Option<String>,
    pipeline_run_id: Option<String>,
    submitted_by: Json<Principal>,
    address: Option<String>,
    family: Option<i16>,
    tool: Option<String>,
    tool_version: Option<String>,
    opened_at: SqlTime,
    completed_at: Option<SqlTime>,
    processed_at: Option<SqlTime>,
    assessed_at: Option<SqlTime>,
    counts: Option<Json<Counts>>,
    findings: Option<Json<FindingCounts>>,
    failure: Option<Json<Failure>>,
    pub remarks: Option<Json<Vec<String>>>,
    duplicate_of: Option<Uuid>,
    attempts: i32,
}

impl RunRow {
    pub fn run(&self) -> Run {
        let counts = self.counts.as_ref().map(|c| c.0).unwrap_or_default();
        Run {
            id: RunId(self.id),
            state: RunState::parse(&self.state).unwrap_or(RunState::Failed),
            family: self.family.and_then(Family::from_number),
            source: self.source.clone(),
            project: self.project_id.map(|id| Named { id: ProjectId(id), name: self.project_name.clone().unwrap_or_default() }),
            pipeline_run_id: self.pipeline_run_id.clone(),
            submitted_by: self.submitted_by.0.clone(),
            address: self.address.clone(),
            tool: self.tool.clone(),
            tool_version: self.tool_version.clone(),
            opened_at: self.opened_at.to_jiff(),
            completed_at: self.completed_at.map(SqlTime::to_jiff),
            processed_at: self.processed_at.map(SqlTime::to_jiff),
            assessed_at: self.assessed_at.map(SqlTime::to_jiff),
            posture: counts.posture(),
            counts,
            findings: self.findings.as_ref().map(|f| f.0).unwrap_or_default(),
            duplicate_of: self.duplicate_of.map(RunId),
            failure: self.failure.as_ref().map(|f| f.0.clone()),
            attempts: u32::try_from(self.attempts).unwrap_or(0),
        }
    }
}

pub async fn run(sql: &mut PgConnection, tenant: TenantId, id: RunId) -> Result<Option<RunRow>, Problem> {
    sqlx::query_as(concat!(run_columns!(), "WHERE r.tenant_id = $1 AND r.id = $2"))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// Locks a run until the transaction ends; answers its state.
pub async fn lock_run(sql: &mut PgConnection, tenant: TenantId, id: RunId) -> Result<Option<String>, Problem> {
    sqlx::query_scalar("SELECT state FROM runs WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

pub struct RunFilter {
    pub directory: Option<DirectoryId>,
    pub project: Option<ProjectId>,
    pub family: Option<Family>,
    pub state: Option<&'static str>,
    pub before: Option<(Timestamp, Uuid)>,
}

pub async fn runs(sql: &mut PgConnection, tenant: TenantId, filter: &RunFilter, limit: i64) -> Result<Vec<Run>, Problem> {
    let (at, id) = filter.before.unzip();
    let rows: Vec<RunRow> = sqlx::query_as(concat!(
        run_columns!(),
        "WHERE r.tenant_id = $1
           AND CASE WHEN $2::text IS NULL THEN r.state <> 'duplicate' WHEN $2 = 'processing' THEN r.state = 'queued' AND j.state = 'running'
               WHEN $2 = 'queued' THEN r.state = 'queued' AND j.state IS DISTINCT FROM 'running'
               ELSE r.state = $2 END
           AND ($3::uuid IS NULL OR r.project_id = $3) AND ($4::smallint IS NULL OR r.family = $4)
           AND ($5::uuid IS NULL OR EXISTS (SELECT FROM run_series rs JOIN series s ON s.tenant_id = rs.tenant_id AND s.id = rs.series_id
                WHERE rs.tenant_id = r.tenant_id AND rs.run_id = r.id AND s.directory_id = $5))
           AND ($6::timestamptz IS NULL OR (r.opened_at, r.id) < ($6, $7))
         ORDER BY r.opened_at DESC, r.id DESC LIMIT $8"
    ))
    .bind(tenant.0)
    .bind(filter.state)
    .bind(filter.project.map(|p| p.0))
    .bind(filter.family.map(Family::number))
    .bind(filter.directory.map(|d| d.0))
    .bind(at.map(sql_time))
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.iter().map(RunRow::run).collect())
}

/// Whether a run is a scan's own: only the scan that submits it says so, in the transaction that makes both.
pub async fn of_own_scan(sql: &mut PgConnection, tenant: TenantId, run: RunId) -> Result<bool, Problem> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM scans WHERE tenant_id = $1 AND run_id = $2)")
        .bind(tenant.0)
        .bind(run.0)
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

pub struct OpenedRun<'a> {
    pub id: RunId,
    pub project: Option<ProjectId>,
    pub source: &'a str,
    pub pipeline_run_id: Option<&'a str>,
    pub idempotency_key: Option<String>,
    pub submitted_by: &'a Principal,
    pub address: Option<&'a str>,
    pub at: Timestamp,
}

/// Inserts a run; answers the id of the one that holds the idempotency key already, if there is one.
pub async fn insert_run(sql: &mut PgConnection, tenant: TenantId, run: &OpenedRun<'_>) -> Result<Option<RunId>, Problem> {
    let done = sqlx::query(
        "INSERT INTO runs (tenant_id, id, project_id, state, source, pipeline_run_id, idempotency_key, submitted_by, address, opened_at)
         VALUES ($1, $2, $3, 'receiving', $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id, idempotency_key) DO NOTHING",
    )
    .bind(tenant.0)
    .bind(run.id.0)
    .bind(run.project.map(|p| p.0))
    .bind(run.source)
    .bind(run.pipeline_run_id)
    .bind(&run.idempotency_key)
    .bind(Json(run.submitted_by))
    .bind(run.address)
    .bind(sql_time(run.at))
    .execute(&mut *sql)
    .await
    .map_err(StoreError::from)?;
    if done.rows_affected() == 1 {
        return Ok(None);
    }
    let id: Uuid = sqlx::query_scalar("SELECT id FROM runs WHERE tenant_id = $1 AND idempotency_key = $2")
        .bind(tenant.0)
        .bind(&run.idempotency_key)
        .fetch_one(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(Some(RunId(id)))
}

#[derive(FromRow)]
struct ArtifactRow {
    id: Uuid,
    run_id: Uuid,
    name: String,
    kind: String,
    size: i64,
    sha256: Vec<u8>,
    stored_at: SqlTime,
}

pub fn kind_word(kind: ArtifactKind) -> &'static str {
    match kind {
        ArtifactKind::Json => "json",
        ArtifactKind::Html => "html",
        ArtifactKind::Other => "other",
    }
}

fn artifact(row: ArtifactRow) -> Artifact {
    Artifact {
        id: ArtifactId(row.id),
        run: RunId(row.run_id),
        name: row.name,
        kind: match row.kind.as_str() {
            "json" => ArtifactKind::Json,
            "html" => ArtifactKind::Html,
            _ => ArtifactKind::Other,
        },
        size: u64::try_from(row.size).unwrap_or(0),
        sha256: hex::encode(row.sha256),
        stored_at: row.stored_at.to_jiff(),
    }
}

pub async fn artifacts(sql: &mut PgConnection, tenant: TenantId, run: RunId) -> Result<Vec<Artifact>, Problem> {
    let rows: Vec<ArtifactRow> = sqlx::query_as(
        "SELECT id, run_id, name, kind, size, sha256, stored_at FROM artifacts WHERE tenant_id = $1 AND run_id = $2 ORDER BY name",
    )
    .bind(tenant.0)
    .bind(run.0)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(artifact).collect())
}

/// One artifact and the version of the key it is sealed with.
pub async fn artifact_named(sql: &mut PgConnection, tenant: TenantId, run: RunId, name: &str) -> Result<Option<(Artifact, u32)>, Problem> {
    #[derive(FromRow)]
    struct Row {
        #[sqlx(flatten)]
        artifact: ArtifactRow,
        key_version: i32,
    }
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, run_id, name, kind, size, sha256, stored_at, key_version FROM artifacts WHERE tenant_id = $1 AND run_id = $2 AND name = $3",
    )
    .bind(tenant.0)
    .bind(run.0)
    .bind(name)
    .fetch_optional(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(row.map(|row| (artifact(row.artifact), u32::try_from(row.key_version).unwrap_or(0))))
}

/// Inserts an artifact; false when the run has one of the name already.
pub async fn insert_artifact(
    sql: &mut PgConnection,
    tenant: TenantId,
    project: Option<ProjectId>,
    artifact: &Artifact,
    sha256: &[u8; 32],
    key_version: u32,
) -> Result<bool, Problem> {
    let done = sqlx::query(
        "INSERT INTO artifacts (tenant_id, id, run_id, project_id, name, kind, size, sha256, key_version, stored_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (tenant_id, run_id, name) DO NOTHING",
    )
    .bind(tenant.0)
    .bind(artifact.id.0)
    .bind(artifact.run.0)
    .bind(project.map(|p| p.0))
    .bind(&artifact.name)
    .bind(kind_word(artifact.kind))
    .bind(i64::try_from(artifact.size).unwrap_or(i64::MAX))
    .bind(sha256.as_slice())
    .bind(i32::try_from(key_version).unwrap_or(i32::MAX))
    .bind(sql_time(artifact.stored_at))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}

/// The run that holds this content already, if one does. Waits for another upload of the same content that is being completed.
///
/// Without a pipeline's own id, the same bytes are the same upload only while nothing newer came: a report may say again what an
/// earlier one said. Then the earlier run gives the content up.
pub async fn run_of_content(
    sql: &mut PgConnection,
    tenant: TenantId,
    key: &[u8; 32],
    named_by_pipeline: bool,
) -> Result<Option<RunId>, Problem> {
    let mut lock = [0u8; 8];
    for (index, byte) in key.iter().chain(tenant.0.as_bytes()).enumerate() {
        lock[index % 8] ^= byte;
    }
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(i64::from_be_bytes(lock)).execute(&mut *sql).await.map_err(StoreError::from)?;
    if !named_by_pipeline {
        sqlx::query(
            "UPDATE runs r SET content_key = NULL WHERE r.tenant_id = $1 AND r.content_key = $2 AND EXISTS (
                 SELECT FROM run_series rs JOIN series s ON s.tenant_id = rs.tenant_id AND s.id = rs.series_id
                 WHERE rs.tenant_id = r.tenant_id AND rs.run_id = r.id AND s.positions > rs.position)",
        )
        .bind(tenant.0)
        .bind(key.as_slice())
        .execute(&mut *sql)
        .await
        .map_err(StoreError::from)?;
    }
    let id: Option<Uuid> = sqlx::query_scalar("SELECT id FROM runs WHERE tenant_id = $1 AND content_key = $2")
        .bind(tenant.0)
        .bind(key.as_slice())
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(id.map(RunId))
}

pub async fn mark_queued(sql: &mut PgConnection, tenant: TenantId, id: RunId, key: &[u8; 32], at: Timestamp) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE runs SET state = 'queued', completed_at = coalesce(completed_at, $3), content_key = $4, failure = NULL
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(sql_time(at))
    .bind(key.as_slice())
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

pub async fn mark_duplicate(sql: &mut PgConnection, tenant: TenantId, id: RunId, of: RunId, at: Timestamp) -> Result<(), Problem> {
    sqlx::query("UPDATE runs SET state = 'duplicate', duplicate_of = $3, completed_at = $4 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .bind(of.0)
        .bind(sql_time(at))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// A failed run gives its content up, so that the same files can be sent again.
pub async fn mark_failed(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: RunId,
    failure: &Failure,
    attempts: i32,
    at: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE runs SET state = 'failed', failure = $3, attempts = attempts + $4, processed_at = $5, content_key = NULL
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(Json(failure))
    .bind(attempts)
    .bind(sql_time(at))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// What processing found out about a run.
pub struct Processed<'a> {
    pub family: Family,
    pub tool: &'a str,
    pub tool_version: Option<&'a str>,
    pub assessed_at: Option<Timestamp>,
    pub counts: Counts,
    pub findings: FindingCounts,
    pub remarks: &'a [String],
    pub attempts: i32,
    pub at: Timestamp,
}

pub async fn mark_succeeded(sql: &mut PgConnection, tenant: TenantId, id: RunId, processed: &Processed<'_>) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE runs SET state = 'succeeded', family = $3, tool = $4, tool_version = $5, assessed_at = $6, counts = $7, findings = $8,
                remarks = $9, attempts = attempts + $10, processed_at = $11
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(processed.family.number())
    .bind(processed.tool)
    .bind(processed.tool_version)
    .bind(processed.assessed_at.map(sql_time))
    .bind(Json(processed.counts))
    .bind(Json(processed.findings))
    .bind(Json(processed.remarks))
    .bind(processed.attempts)
    .bind(sql_time(processed.at))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

#[derive(FromRow)]
struct RunSeriesRow {
    series_id: Uuid,
    family: i16,
    tool: String,
    category: String,
    directory_id: Option<Uuid>,
    directory_name: Option<String>,
    position: i32,
    counts: Json<Counts>,
    findings: Json<FindingCounts>,
    complete: bool,
    incomplete_reason: Option<String>,
    previous: Option<Uuid>,
}

pub async fn run_series(sql: &mut PgConnection, tenant: TenantId, run: RunId) -> Result<Vec<RunSeries>, Problem> {
    let rows: Vec<RunSeriesRow> = sqlx::query_as(
        "SELECT rs.series_id, s.family, s.tool, s.category, s.directory_id, d.name AS directory_name, rs.position, rs.counts, rs.findings,
                rs.complete, rs.incomplete_reason, before.run_id AS previous
         FROM run_series rs JOIN series s ON s.tenant_id = rs.tenant_id AND s.id = rs.series_id
         LEFT JOIN directories d ON d.tenant_id = s.tenant_id AND d.id = s.directory_id
         LEFT JOIN run_series before ON before.tenant_id = rs.tenant_id AND before.series_id = rs.series_id AND before.position = rs.position - 1
         WHERE rs.tenant_id = $1 AND rs.run_id = $2 ORDER BY d.name, s.tool, s.category",
    )
    .bind(tenant.0)
    .bind(run.0)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    let series = |row: RunSeriesRow| RunSeries {
        series: SeriesId(row.series_id),
        family: Family::from_number(row.family).unwrap_or(Family::Sarif),
        tool: row.tool,
        category: row.category,
        directory: row.directory_id.map(|id| Named { id: DirectoryId(id), name: row.directory_name.unwrap_or_default() }),
        position: row.position,
        posture: row.counts.0.posture(),
        counts: row.counts.0,
        findings: row.findings.0,
        complete: row.complete,
        incomplete_reason: row.incomplete_reason,
        previous: row.previous.map(RunId),
    };
    Ok(rows.into_iter().map(series).collect())
}

#[derive(FromRow)]
struct ReportRow {
    #[sqlx(flatten)]
    artifact: ArtifactRow,
    source: String,
    family: Option<i16>,
    assessed_at: Option<SqlTime>,
    directories: Json<Vec<Named<DirectoryId>>>,
}

pub async fn reports(
    sql: &mut PgConnection,
    tenant: TenantId,
    directory: Option<DirectoryId>,
    kind: Option<ArtifactKind>,
    before: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Report>, Problem> {
    let (at, id) = before.unzip();
    let rows: Vec<ReportRow> = sqlx::query_as(
        "SELECT a.id, a.run_id, a.name, a.kind, a.size, a.sha256, a.stored_at, r.source, r.family, r.assessed_at, about.directories
         FROM artifacts a JOIN runs r ON r.tenant_id = a.tenant_id AND r.id = a.run_id
         CROSS JOIN LATERAL (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('id', d.id, 'name', d.name)), '[]') AS directories,
                                    coalesce(bool_or(d.id = $2), false) AS matches
             FROM run_series rs JOIN series s ON s.tenant_id = rs.tenant_id AND s.id = rs.series_id
             JOIN directories d ON d.tenant_id = s.tenant_id AND d.id = s.directory_id
             WHERE rs.tenant_id = a.tenant_id AND rs.run_id = a.run_id) about
         WHERE a.tenant_id = $1 AND r.state NOT IN ('receiving', 'duplicate') AND ($2::uuid IS NULL OR about.matches)
           AND ($3::text IS NULL OR a.kind = $3) AND ($4::timestamptz IS NULL OR (a.stored_at, a.id) < ($4, $5))
         ORDER BY a.stored_at DESC, a.id DESC LIMIT $6",
    )
    .bind(tenant.0)
    .bind(directory.map(|d| d.0))
    .bind(kind.map(kind_word))
    .bind(at.map(sql_time))
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    let report = |row: ReportRow| Report {
        artifact: artifact(row.artifact),
        source: row.source,
        family: row.family.and_then(Family::from_number),
        directories: row.directories.0,
        assessed_at: row.assessed_at.map(SqlTime::to_jiff),
    };
    Ok(rows.into_iter().map(report).collect())
}

/// Runs that never got their manifest, with their artifacts' ids; they are deleted.
pub async fn take_abandoned(sql: &mut PgConnection, tenant: TenantId, older_than: Timestamp) -> Result<Vec<RunId>, Problem> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "DELETE FROM runs WHERE tenant_id = $1 AND id IN (SELECT id FROM runs WHERE tenant_id = $1 AND state = 'receiving' AND opened_at < $2
             ORDER BY opened_at LIMIT 500 FOR UPDATE SKIP LOCKED) RETURNING id",
    )
    .bind(tenant.0)
    .bind(sql_time(older_than))
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(ids.into_iter().map(RunId).collect())
}

/// Of these artifacts, the ones that are on record.
pub async fn recorded(sql: &mut PgConnection, tenant: TenantId, ids: &[Uuid]) -> Result<Vec<Uuid>, Problem> {
    sqlx::query_scalar("SELECT id FROM artifacts WHERE tenant_id = $1 AND id = ANY($2)")
        .bind(tenant.0)
        .bind(ids)
        .fetch_all(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}
