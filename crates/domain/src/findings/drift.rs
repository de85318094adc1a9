//! Drift: what moved between two runs of one series. Cost grows with what moved: spans that cover both runs are never read.

use super::list::{location, series_by};
use super::model::{count, drift_rank, movement};
use bailiwick_base::{Counts, Family, FindingId, Outcome, Problem, Product, RunId, SeriesId, Severity, Timestamp};
use bailiwick_contract::findings::{Drift, DriftCounts, DriftItem, DriftQuery, DriftSide};
use bailiwick_store::{ReadScope, StoreError};
use jiff_sqlx::Timestamp as SqlTime;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

/// At most so many items are listed; the counts hold all.
pub const ITEMS: usize = 2_000;

#[derive(FromRow)]
struct SideRow {
    series_id: Uuid,
    run_id: Uuid,
    position: i32,
    source: String,
    at: SqlTime,
    counts: Json<Counts>,
    complete: bool,
}

impl SideRow {
    fn side(&self) -> DriftSide {
        DriftSide {
            run: RunId(self.run_id),
            position: self.position,
            source: self.source.clone(),
            at: self.at.to_jiff(),
            posture: self.counts.0.posture(),
            counts: self.counts.0,
            complete: self.complete,
        }
    }
}

macro_rules! side_columns {
    () => {
        "SELECT rs.series_id, rs.run_id, rs.position, r.source, rs.at, rs.counts, rs.complete
         FROM run_series rs JOIN runs r ON r.tenant_id = rs.tenant_id AND r.id = rs.run_id
         JOIN series s ON s.tenant_id = rs.tenant_id AND s.id = rs.series_id "
    };
}

/// The newer side of the pair: the run asked for, or the newest that has an older one to be compared with.
async fn newer(scope: &mut ReadScope, query: &DriftQuery) -> Result<Option<SideRow>, Problem> {
    let tenant = scope.tenant();
    sqlx::query_as(concat!(
        side_columns!(),
        "WHERE rs.tenant_id = $1 AND ($2::uuid IS NULL OR rs.run_id = $2) AND ($3::uuid IS NULL OR s.id = $3)
           AND ($4::uuid IS NULL OR s.directory_id = $4) AND ($5::uuid IS NULL OR s.project_id = $5) AND ($6::smallint IS NULL OR s.family = $6)
           AND ($7::uuid IS NULL OR EXISTS (SELECT FROM run_series o WHERE o.tenant_id = rs.tenant_id AND o.series_id = rs.series_id AND o.run_id = $7))
           AND ($2 IS NOT NULL OR $7 IS NOT NULL OR rs.position > 1) AND ($2 IS NOT NULL OR rs.position = s.positions)
         ORDER BY rs.at DESC, rs.position DESC, rs.series_id LIMIT 1"
    ))
    .bind(tenant.0)
    .bind(query.to.map(|r| r.0))
    .bind(query.series.map(|s| s.0))
    .bind(query.directory.map(|d| d.0))
    .bind(query.project.map(|p| p.0))
    .bind(query.family.map(Family::number))
    .bind(query.from.map(|r| r.0))
    .fetch_optional(scope.sql())
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// The older side: the run asked for, else the pinned baseline, else the run before.
async fn older(scope: &mut ReadScope, to: &SideRow, from: Option<RunId>) -> Result<Option<(SideRow, bool)>, Problem> {
    let tenant = scope.tenant();
    let row: Option<SideRow> = sqlx::query_as(concat!(
        side_columns!(),
        "WHERE rs.tenant_id = $1 AND rs.series_id = $2
           AND CASE WHEN $3::uuid IS NOT NULL THEN rs.run_id = $3
               WHEN s.baseline_position IS NOT NULL AND s.baseline_position <> $4 THEN rs.position = s.baseline_position
               ELSE rs.position = $4 - 1 END"
    ))
    .bind(tenant.0)
    .bind(to.series_id)
    .bind(from.map(|r| r.0))
    .bind(to.position)
    .fetch_optional(scope.sql())
    .await
    .map_err(StoreError::from)?;
    let Some(row) = row else { return Ok(None) };
    let baseline: Option<i32> = sqlx::query_scalar("SELECT baseline_position FROM series WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(to.series_id)
        .fetch_one(scope.sql())
        .await
        .map_err(StoreError::from)?;
    let against_baseline = baseline == Some(row.position);
    Ok(Some((row, against_baseline)))
}

#[derive(FromRow)]
struct MovedRow {
    was: Option<i16>,
    is: Option<i16>,
    severity: i16,
    key: String,
    title: String,
    product: Option<i16>,
    grouping: String,
    help_url: Option<String>,
    path: Option<String>,
    start_line: Option<i32>,
    end_line: Option<i32>,
    start_column: Option<i32>,
    more_places: i32,
    finding: Option<Uuid>,
}

/// The spans that begin or end between the two positions, older joined to newer.
async fn moved(scope: &mut ReadScope, series: Uuid, older: i32, newer: i32) -> Result<Vec<MovedRow>, Problem> {
    let tenant = scope.tenant();
    sqlx::query_as(
        "WITH was AS (SELECT * FROM observations WHERE tenant_id = $1 AND series_id = $2 AND from_position <= $3 AND to_position > $3
                      AND to_position <= $4),
              now AS (SELECT * FROM observations WHERE tenant_id = $1 AND series_id = $2 AND from_position > $3 AND from_position <= $4
                      AND (to_position IS NULL OR to_position > $4))
         SELECT was.outcome AS was, now.outcome AS is, coalesce(now.severity, was.severity) AS severity, c.key,
                coalesce(now.title, was.title, c.title) AS title, c.product, c.grouping, c.help_url, coalesce(now.path, was.path) AS path,
                coalesce(now.start_line, was.start_line) AS start_line, coalesce(now.end_line, was.end_line) AS end_line,
                coalesce(now.start_column, was.start_column) AS start_column, coalesce(now.more_places, was.more_places) AS more_places,
                f.id AS finding
         FROM was FULL JOIN now ON now.fingerprint = was.fingerprint
         JOIN checks c ON c.tenant_id = $1 AND c.id = coalesce(now.check_id, was.check_id)
         LEFT JOIN findings f ON f.tenant_id = $1 AND f.series_id = $2 AND f.fingerprint = coalesce(now.fingerprint, was.fingerprint)
         WHERE was.outcome IS DISTINCT FROM now.outcome",
    )
    .bind(tenant.0)
    .bind(series)
    .bind(older)
    .bind(newer)
    .fetch_all(scope.sql())
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// Compares; `None` when there is no pair to compare.
pub async fn compare(scope: &mut ReadScope, query: &DriftQuery) -> Result<Option<Drift>, Problem> {
    let Some(to) = newer(scope, query).await? else { return Ok(None) };
    let Some((from, against_baseline)) = older(scope, &to, query.from).await? else { return Ok(None) };
    let rows = moved(scope, to.series_id, from.position.min(to.position), from.position.max(to.position)).await?;
    // Asked the other way round, what was is what is to be.
    let backwards = from.position > to.position;
    let mut counts = DriftCounts::default();
    let mut items: Vec<DriftItem> = Vec::with_capacity(rows.len().min(ITEMS));
    for row in rows {
        let (was, is) = if backwards { (row.is, row.was) } else { (row.was, row.is) };
        let (was, is) = (was.and_then(Outcome::from_number), is.and_then(Outcome::from_number));
        let Some(movement) = movement(was, is) else { continue };
        count(&mut counts, movement);
        items.push(DriftItem {
            movement,
            check_key: row.key,
            title: row.title,
            severity: Severity::from_number(row.severity).unwrap_or(Severity::Info),
            product: row.product.and_then(Product::from_number),
            group: row.grouping,
            from: was,
            to: is,
            location: location(row.path, row.start_line, row.end_line, row.start_column, row.more_places),
            finding: row.finding.map(FindingId),
            help_url: row.help_url,
        });
    }
    items.sort_by(|a, b| {
        drift_rank(a.movement, a.severity).cmp(&drift_rank(b.movement, b.severity)).then_with(|| a.check_key.cmp(&b.check_key))
    });
    let both = from.counts.0.total.saturating_sub(counts.removed);
    counts.unchanged = both.saturating_sub(counts.regression + counts.fixed + counts.other);
    let truncated = items.len() > ITEMS;
    items.truncate(ITEMS);
    let tenant = scope.tenant();
    let series = series_by(scope.sql(), tenant, SeriesId(to.series_id)).await?.ok_or_else(Problem::not_found)?;
    Ok(Some(Drift { series, from: from.side(), to: to.side(), against_baseline, counts, items, truncated }))
}

/// The earliest moment of the trend that the overview draws.
pub fn trend_begins(now: Timestamp) -> Timestamp {
    now - jiff::SignedDuration::from_hours(24 * 90)
}
