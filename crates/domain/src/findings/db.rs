//! All SQL that writes `series`, `run_series`, `checks`, `observations`, `findings` and `finding_events`.
//!
//! Rows travel as arrays through unnest: one round trip a batch, allowed under row security (COPY is not), and routable to a shard.

use super::model::{Standing, Turn};
use bailiwick_base::{
    CheckId, Counts, DirectoryId, Family, FindingId, Outcome, Problem, Product, ProjectId, RunId, SeriesId, Severity, TenantId, Timestamp,
};
use bailiwick_contract::evidence::FindingCounts;
use bailiwick_contract::findings::Coverage;
use bailiwick_formats::{CheckInfo, Observation, SeriesInfo, SeveritySource};
use bailiwick_store::{StoreError, WriteScope, sql_time};
use futures::TryStreamExt;
use jiff_sqlx::Timestamp as SqlTime;
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;
use uuid::Uuid;

/// Separates a row's references in one text; no reference holds it.
const UNIT: &str = "\u{1f}";

pub const OPEN: i16 = 1;
pub const FIXED: i16 = 2;

pub struct SeriesRow {
    pub id: SeriesId,
    pub positions: i32,
    pub directory: Option<DirectoryId>,
    pub last_run_at: Option<Timestamp>,
}

/// Finds or makes a series and locks it until the transaction ends, so that its runs settle one after the other.
pub async fn lock_series(
    scope: &mut WriteScope,
    info: &SeriesInfo,
    directory: Option<DirectoryId>,
    project: Option<ProjectId>,
    identity: &[u8; 32],
) -> Result<SeriesRow, Problem> {
    let (tenant, fresh) = (scope.tenant(), SeriesId::new(scope.clock(), scope.rng()));
    sqlx::query(
        "INSERT INTO series (tenant_id, id, project_id, identity, family, directory_id, tool, category, positions)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT (tenant_id, identity) DO NOTHING",
    )
    .bind(tenant.0)
    .bind(fresh.0)
    .bind(project.map(|p| p.0))
    .bind(identity.as_slice())
    .bind(info.family.number())
    .bind(directory.map(|d| d.0))
    .bind(&info.tool)
    .bind(&info.category)
    .execute(scope.sql())
    .await
    .map_err(StoreError::from)?;
    let (id, positions, directory, last): (Uuid, i32, Option<Uuid>, Option<SqlTime>) =
        sqlx::query_as("SELECT id, positions, directory_id, last_run_at FROM series WHERE tenant_id = $1 AND identity = $2 FOR UPDATE")
            .bind(tenant.0)
            .bind(identity.as_slice())
            .fetch_one(scope.sql())
            .await
            .map_err(StoreError::from)?;
    Ok(SeriesRow { id: SeriesId(id), positions, directory: directory.map(DirectoryId), last_run_at: last.map(SqlTime::to_jiff) })
}

pub struct CurrentRow {
    pub fingerprint: [u8; 16],
    pub content: i64,
    pub standing: Standing,
    pub current: bool,
}

/// The state of a series: every result of its newest run, and every finding it ever had. One pass, streamed.
pub async fn current(sql: &mut PgConnection, tenant: TenantId, series: SeriesId) -> Result<Vec<CurrentRow>, Problem> {
    let mut stream = sqlx::query(
        "SELECT coalesce(o.fingerprint, f.fingerprint) AS fingerprint, o.content, f.status
         FROM (SELECT fingerprint, content FROM observations WHERE tenant_id = $1 AND series_id = $2 AND to_position IS NULL) o
         FULL JOIN (SELECT fingerprint, status FROM findings WHERE tenant_id = $1 AND series_id = $2) f ON f.fingerprint = o.fingerprint",
    )
    .bind(tenant.0)
    .bind(series.0)
    .fetch(sql);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await.map_err(StoreError::from)? {
        let fingerprint: &[u8] = row.try_get(0).map_err(StoreError::from)?;
        let content: Option<i64> = row.try_get(1).map_err(StoreError::from)?;
        let status: Option<i16> = row.try_get(2).map_err(StoreError::from)?;
        rows.push(CurrentRow {
            fingerprint: fingerprint.try_into().map_err(Problem::internal)?,
            content: content.unwrap_or(0),
            standing: match status {
                None => Standing::None,
                Some(OPEN) => Standing::Open,
                Some(_) => Standing::Fixed,
            },
            current: content.is_some(),
        });
    }
    Ok(rows)
}

/// Makes the checks what the report says and answers their ids. Checks that are the same already are not rewritten.
pub async fn upsert_checks(
    scope: &mut WriteScope,
    family: Family,
    tool: &str,
    project: Option<ProjectId>,
    checks: &[CheckInfo],
) -> Result<HashMap<String, CheckId>, Problem> {
    if checks.is_empty() {
        return Ok(HashMap::new());
    }
    let tenant = scope.tenant();
    let keys: Vec<&str> = checks.iter().map(|c| c.key.as_str()).collect();
    let ids: Vec<Uuid> = checks.iter().map(|_| CheckId::new(scope.clock(), scope.rng()).0).collect();
    sqlx::query(
        "INSERT INTO checks (tenant_id, id, family, tool, project_id, key, title, description, help_url, product, grouping, tags)
         SELECT $1, n.id, $2, $3, $12, n.key, n.title, n.description, n.help_url, n.product, n.grouping,
                CASE WHEN n.tags = '' THEN '{}' ELSE string_to_array(n.tags, E'\\x1f') END
         FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::smallint[], $10::text[], $11::text[])
              AS n (id, key, title, description, help_url, product, grouping, tags)
         ON CONFLICT (tenant_id, family, tool, key, project_id) DO UPDATE
         SET title = excluded.title, description = excluded.description, help_url = excluded.help_url, product = excluded.product,
             grouping = excluded.grouping, tags = excluded.tags
         WHERE (checks.title, checks.description, checks.help_url, checks.product, checks.grouping, checks.tags)
               IS DISTINCT FROM (excluded.title, excluded.description, excluded.help_url, excluded.product, excluded.grouping, excluded.tags)",
    )
    .bind(tenant.0)
    .bind(family.number())
    .bind(tool)
    .bind(&ids)
    .bind(&keys)
    .bind(checks.iter().map(|c| c.title.as_str()).collect::<Vec<_>>())
    .bind(checks.iter().map(|c| c.description.as_str()).collect::<Vec<_>>())
    .bind(checks.iter().map(|c| c.help_url.as_deref()).collect::<Vec<_>>())
    .bind(checks.iter().map(|c| c.product.map(Product::number)).collect::<Vec<_>>())
    .bind(checks.iter().map(|c| c.group.as_str()).collect::<Vec<_>>())
    .bind(checks.iter().map(|c| c.tags.join(UNIT)).collect::<Vec<_>>())
    .bind(project.map(|p| p.0))
    .execute(scope.sql())
    .await
    .map_err(StoreError::from)?;
    let rows: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT key, id FROM checks WHERE tenant_id = $1 AND family = $2 AND tool = $3 AND key = ANY($4) AND project_id IS NOT DISTINCT FROM $5")
            .bind(tenant.0)
            .bind(family.number())
            .bind(tool)
            .bind(&keys)
            .bind(project.map(|p| p.0))
            .fetch_all(scope.sql())
            .await
            .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|(key, id)| (key, CheckId(id))).collect())
}

/// Where in its series a run stands.
#[derive(Debug, Clone, Copy)]
pub struct At {
    pub series: SeriesId,
    pub position: i32,
    pub run: RunId,
    pub project: Option<ProjectId>,
    pub directory: Option<DirectoryId>,
    pub family: Family,
    pub at: Timestamp,
}

pub struct NewObservation {
    pub check: CheckId,
    pub title: Option<String>,
    pub observation: Observation,
}

fn source_number(source: SeveritySource) -> i16 {
    match source {
        SeveritySource::Result => 1,
        SeveritySource::Rule => 2,
        SeveritySource::Level => 3,
        SeveritySource::Default => 4,
    }
}

/// A list of one member of every row.
fn each<'a, R, T: 'a>(rows: &'a [R], get: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(get).collect()
}

fn line(number: Option<u32>) -> Option<i32> {
    number.and_then(|n| i32::try_from(n).ok())
}

pub async fn insert_observations(scope: &mut WriteScope, at: &At, rows: &[NewObservation]) -> Result<(), Problem> {
    if rows.is_empty() {
        return Ok(());
    }
    let tenant = scope.tenant();
    let suppressions: Vec<Option<Value>> =
        each(rows, |r| r.observation.suppressed.as_ref().map(|s| json!({"kind": s.kind, "justification": s.justification})));
    let done = sqlx::query(
        "INSERT INTO observations (tenant_id, series_id, from_position, project_id, fingerprint, check_id, content, outcome, severity,
                severity_source, start_line, end_line, start_column, more_places, truncated, outcome_word, title, message, path, suppression,
                baseline_state, refs)
         SELECT $1, $2, $3, $4, n.fingerprint, n.check_id, n.content, n.outcome, n.severity, n.severity_source, n.start_line, n.end_line,
                n.start_column, n.more_places, n.truncated, n.outcome_word, n.title, n.message, n.path, n.suppression, n.baseline_state,
                string_to_array(n.refs, E'\\x1f')
         FROM unnest($5::bytea[], $6::uuid[], $7::bigint[], $8::smallint[], $9::smallint[], $10::smallint[], $11::int[], $12::int[], $13::int[],
                     $14::int[], $15::boolean[], $16::text[], $17::text[], $18::text[], $19::text[], $20::jsonb[], $21::text[], $22::text[])
              AS n (fingerprint, check_id, content, outcome, severity, severity_source, start_line, end_line, start_column, more_places,
                    truncated, outcome_word, title, message, path, suppression, baseline_state, refs)
         ON CONFLICT (tenant_id, series_id, fingerprint, from_position) DO NOTHING",
    )
    .bind(tenant.0)
    .bind(at.series.0)
    .bind(at.position)
    .bind(at.project.map(|p| p.0))
    .bind(each(rows, |r| r.observation.fingerprint.as_slice()))
    .bind(each(rows, |r| r.check.0))
    .bind(each(rows, |r| r.observation.content as i64))
    .bind(each(rows, |r| r.observation.outcome.number()))
    .bind(each(rows, |r| r.observation.severity.number()))
    .bind(each(rows, |r| source_number(r.observation.severity_source)))
    .bind(each(rows, |r| r.observation.location.as_ref().and_then(|l| line(l.start_line))))
    .bind(each(rows, |r| r.observation.location.as_ref().and_then(|l| line(l.end_line))))
    .bind(each(rows, |r| r.observation.location.as_ref().and_then(|l| line(l.start_column))))
    .bind(each(rows, |r| r.observation.location.as_ref().and_then(|l| line(Some(l.more))).unwrap_or(0)))
    .bind(each(rows, |r| r.observation.truncated))
    .bind(each(rows, |r| r.observation.outcome_word.as_deref()))
    .bind(each(rows, |r| r.title.as_deref()))
    .bind(each(rows, |r| r.observation.message.as_str()))
    .bind(each(rows, |r| r.observation.location.as_ref().map(|l| l.path.as_str())))
    .bind(suppressions)
    .bind(each(rows, |r| r.observation.baseline_state.as_deref()))
    .bind(each(rows, |r| (!r.observation.references.is_empty()).then(|| r.observation.references.join(UNIT))))
    .execute(scope.sql())
    .await
    .map_err(StoreError::from)?;
    whole(done.rows_affected(), rows.len())
}

/// Ends the spans of results that changed or went away.
pub async fn close(scope: &mut WriteScope, at: &At, fingerprints: &[[u8; 16]]) -> Result<(), Problem> {
    let tenant = scope.tenant();
    for some in fingerprints.chunks(5_000) {
        sqlx::query(
            "UPDATE observations o SET to_position = $3 FROM unnest($4::bytea[]) AS n (fingerprint)
             WHERE o.tenant_id = $1 AND o.series_id = $2 AND o.fingerprint = n.fingerprint AND o.to_position IS NULL",
        )
        .bind(tenant.0)
        .bind(at.series.0)
        .bind(at.position)
        .bind(each(some, |f| f.as_slice()))
        .execute(scope.sql())
        .await
        .map_err(StoreError::from)?;
    }
    Ok(())
}

/// Every row must have gone in: ON CONFLICT is there for distributed tables, which take bulk rows in no other way.
fn whole(inserted: u64, wanted: usize) -> Result<(), Problem> {
    if inserted == wanted as u64 { Ok(()) } else { Err(Problem::internal(format!("{inserted} of {wanted} rows were new"))) }
}

pub struct NewFinding {
    pub id: FindingId,
    pub fingerprint: [u8; 16],
    pub check: CheckId,
    pub product: Option<Product>,
    pub severity: Severity,
    pub suppressed: bool,
}

pub async fn insert_findings(scope: &mut WriteScope, at: &At, rows: &[NewFinding]) -> Result<(), Problem> {
    if rows.is_empty() {
        return Ok(());
    }
    let tenant = scope.tenant();
    let done = sqlx::query(
        "INSERT INTO findings (tenant_id, series_id, project_id, directory_id, family, first_seen, opened_position, turned_position, status,
                reopened, id, fingerprint, check_id, product, severity, suppressed)
         SELECT $1, $2, $3, $4, $5, $6, $7, $7, 1, false, n.id, n.fingerprint, n.check_id, n.product, n.severity, n.suppressed
         FROM unnest($8::uuid[], $9::bytea[], $10::uuid[], $11::smallint[], $12::smallint[], $13::boolean[])
              AS n (id, fingerprint, check_id, product, severity, suppressed)
         ON CONFLICT (tenant_id, series_id, fingerprint) DO NOTHING",
    )
    .bind(tenant.0)
    .bind(at.series.0)
    .bind(at.project.map(|p| p.0))
    .bind(at.directory.map(|d| d.0))
    .bind(at.family.number())
    .bind(sql_time(at.at))
    .bind(at.position)
    .bind(each(rows, |r| r.id.0))
    .bind(each(rows, |r| r.fingerprint.as_slice()))
    .bind(each(rows, |r| r.check.0))
    .bind(each(rows, |r| r.product.map(Product::number)))
    .bind(each(rows, |r| r.severity.number()))
    .bind(each(rows, |r| r.suppressed))
    .execute(scope.sql())
    .await
    .map_err(StoreError::from)?;
    whole(done.rows_affected(), rows.len())
}

pub struct FindingUpdate {
    pub fingerprint: [u8; 16],
    pub turn: Turn,
    pub outcome: Outcome,
    pub severity: Severity,
    pub suppressed: bool,
    pub check: CheckId,
    pub product: Option<Product>,
}

fn event(turn: Turn) -> &'static str {
    match turn {
        Turn::Fix => "fixed",
        Turn::Reopen => "reopened",
        Turn::None | Turn::Open | Turn::Stay => "changed",
    }
}

/// Turns findings and writes the event of each turn, in one statement.
pub async fn update_findings(scope: &mut WriteScope, at: &At, rows: &[FindingUpdate]) -> Result<(), Problem> {
    let tenant = scope.tenant();
    for some in rows.chunks(5_000) {
        sqlx::query(
            "WITH n AS (
                SELECT * FROM unnest($6::bytea[], $7::text[], $8::smallint[], $9::smallint[], $10::boolean[], $11::uuid[], $12::smallint[])
                    AS n (fingerprint, kind, outcome, severity, suppressed, check_id, product)),
             turned AS (
                UPDATE findings f SET
                    status = CASE n.kind WHEN 'fixed' THEN 2 ELSE 1 END,
                    severity = CASE n.kind WHEN 'fixed' THEN f.severity ELSE n.severity END,
                    suppressed = CASE n.kind WHEN 'fixed' THEN f.suppressed ELSE n.suppressed END,
                    check_id = n.check_id,
                    product = n.product,
                    reopened = CASE n.kind WHEN 'reopened' THEN true WHEN 'fixed' THEN false ELSE f.reopened END,
                    turned_position = CASE n.kind WHEN 'changed' THEN f.turned_position ELSE $3 END
                FROM n WHERE f.tenant_id = $1 AND f.series_id = $2 AND f.fingerprint = n.fingerprint
                RETURNING f.id, f.project_id, n.kind, n.outcome, n.severity)
             INSERT INTO finding_events (tenant_id, finding_id, position, project_id, kind, run_id, at, outcome, severity)
             SELECT $1, id, $3, project_id, kind, $4, $5, outcome, severity FROM turned",
        )
        .bind(tenant.0)
        .bind(at.series.0)
        .bind(at.position)
        .bind(at.run.0)
        .bind(sql_time(at.at))
        .bind(each(some, |r| r.fingerprint.as_slice()))
        .bind(each(some, |r| event(r.turn)))
        .bind(each(some, |r| r.outcome.number()))
        .bind(each(some, |r| r.severity.number()))
        .bind(each(some, |r| r.suppressed))
        .bind(each(some, |r| r.check.0))
        .bind(each(some, |r| r.product.map(Product::number)))
        .execute(scope.sql())
        .await
        .map_err(StoreError::from)?;
    }
    Ok(())
}

/// Fixes findings that a whole scan no longer names; with `looked_for`, only those of checks among them (`CA1000/sub` is one of
/// `CA1000`, SARIF 2.1.0 section 3.52.4). Answers how many.
pub async fn fix(scope: &mut WriteScope, at: &At, fingerprints: &[[u8; 16]], looked_for: &[String]) -> Result<u32, Problem> {
    let tenant = scope.tenant();
    let mut fixed = 0;
    for some in fingerprints.chunks(5_000) {
        let done = sqlx::query(
            "WITH turned AS (
                UPDATE findings f SET status = 2, reopened = false, turned_position = $3
                FROM unnest($6::bytea[]) AS n (fingerprint)
                WHERE f.tenant_id = $1 AND f.series_id = $2 AND f.fingerprint = n.fingerprint
                  AND (cardinality($7::text[]) = 0 OR EXISTS (
                      SELECT FROM checks c, unnest($7) AS l (key)
                      WHERE c.tenant_id = $1 AND c.id = f.check_id AND (c.key = l.key OR starts_with(c.key, l.key || '/'))))
                RETURNING f.id, f.project_id)
             INSERT INTO finding_events (tenant_id, finding_id, position, project_id, kind, run_id, at)
             SELECT $1, id, $3, project_id, 'fixed', $4, $5 FROM turned",
        )
        .bind(tenant.0)
        .bind(at.series.0)
        .bind(at.position)
        .bind(at.run.0)
        .bind(sql_time(at.at))
        .bind(each(some, |f| f.as_slice()))
        .bind(looked_for)
        .execute(scope.sql())
        .await
        .map_err(StoreError::from)?;
        fixed += u32::try_from(done.rows_affected()).unwrap_or(u32::MAX);
    }
    Ok(fixed)
}

pub struct RunRecord<'a> {
    pub counts: Counts,
    pub findings: FindingCounts,
    pub coverage: Vec<Coverage>,
    pub complete: bool,
    pub incomplete_reason: Option<&'a str>,
}

/// Adds the run to its series.
pub async fn record_run(scope: &mut WriteScope, at: &At, record: &RunRecord<'_>) -> Result<(), Problem> {
    let tenant = scope.tenant();
    sqlx::query(
        "INSERT INTO run_series (tenant_id, series_id, position, run_id, project_id, at, counts, findings, coverage, complete, incomplete_reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tenant.0)
    .bind(at.series.0)
    .bind(at.position)
    .bind(at.run.0)
    .bind(at.project.map(|p| p.0))
    .bind(sql_time(at.at))
    .bind(Json(record.counts))
    .bind(Json(record.findings))
    .bind(Json(&record.coverage))
    .bind(record.complete)
    .bind(record.incomplete_reason)
    .execute(scope.sql())
    .await
    .map_err(StoreError::from)?;
    sqlx::query("UPDATE series SET positions = $3, last_run_id = $4, last_run_at = $5 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(at.series.0)
        .bind(at.position)
        .bind(at.run.0)
        .bind(sql_time(at.at))
        .execute(scope.sql())
        .await
        .map_err(StoreError::from)?;
    Ok(())
}
