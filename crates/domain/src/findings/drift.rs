//! Drift: what moved between two runs of one series. Cost grows with what moved: spans that cover both runs are never read.

use super::list::{location, series_by};
use super::model::{count, movement};
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
         ORDER BY rs.position > 1 DESC, rs.at DESC, rs.position DESC, rs.series_id LIMIT 1"
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

/// The older side: the run asked for, else the pinned baseline where it is older, else the run before.
async fn older(scope: &mut ReadScope, to: &SideRow, from: Option<RunId>) -> Result<Option<(SideRow, bool)>, Problem> {
    let tenant = scope.tenant();
    let row: Option<SideRow> = sqlx::query_as(concat!(
        side_columns!(),
        "WHERE rs.tenant_id = $1 AND rs.series_id = $2
           AND CASE WHEN $3::uuid IS NOT NULL THEN rs.run_id = $3
               WHEN s.baseline_position < $4 THEN rs.position = s.baseline_position
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
    before: Option<i16>,
    after: Option<i16>,
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

/// What stands at each side where it differs. `$3` and `$4` are the lower and the higher position; with `$5` the pair was asked for the
/// other way round, and what was is what is to be. Spans that cover both positions are never read.
macro_rules! moved {
    () => {
        "WITH lower AS (SELECT * FROM observations WHERE tenant_id = $1 AND series_id = $2 AND from_position <= $3 AND to_position > $3
                        AND to_position <= $4),
              higher AS (SELECT * FROM observations WHERE tenant_id = $1 AND series_id = $2 AND from_position > $3 AND from_position <= $4
                         AND (to_position IS NULL OR to_position > $4)),
              pair AS (SELECT CASE WHEN $5 THEN higher.outcome ELSE lower.outcome END AS before, CASE WHEN $5 THEN lower.outcome ELSE higher.outcome END AS after,
                              coalesce(higher.fingerprint, lower.fingerprint) AS fingerprint, coalesce(higher.check_id, lower.check_id) AS check_id,
                              coalesce(higher.severity, lower.severity) AS severity, coalesce(higher.title, lower.title) AS title,
                              coalesce(higher.path, lower.path) AS path, coalesce(higher.start_line, lower.start_line) AS start_line,
                              coalesce(higher.end_line, lower.end_line) AS end_line, coalesce(higher.start_column, lower.start_column) AS start_column,
                              coalesce(higher.more_places, lower.more_places) AS more_places
                       FROM lower FULL JOIN higher ON higher.fingerprint = lower.fingerprint
                       WHERE lower.outcome IS DISTINCT FROM higher.outcome) "
    };
}

/// The two positions of a comparison.
struct Pair {
    series: Uuid,
    from: i32,
    to: i32,
}

impl Pair {
    fn bounds(&self) -> (i32, i32, bool) {
        (self.from.min(self.to), self.from.max(self.to), self.from > self.to)
    }
}

/// How often each move occurs.
async fn counted(scope: &mut ReadScope, pair: &Pair) -> Result<DriftCounts, Problem> {
    let (tenant, (lower, higher, backwards)) = (scope.tenant(), pair.bounds());
    let rows: Vec<(Option<i16>, Option<i16>, i64)> =
        sqlx::query_as(concat!(moved!(), "SELECT before, after, count(*) FROM pair GROUP BY 1, 2"))
            .bind(tenant.0)
            .bind(pair.series)
            .bind(lower)
            .bind(higher)
            .bind(backwards)
            .fetch_all(scope.sql())
            .await
            .map_err(StoreError::from)?;
    let mut counts = DriftCounts::default();
    for (was, is, times) in rows {
        if let Some(movement) = movement(was.and_then(Outcome::from_number), is.and_then(Outcome::from_number)) {
            count(&mut counts, movement, u32::try_from(times).unwrap_or(u32::MAX));
        }
    }
    Ok(counts)
}

/// The first moves: regressions, fixes, added, removed, others (as [`movement`] tells them apart), the worst first within each.
async fn listed(scope: &mut ReadScope, pair: &Pair, limit: usize) -> Result<Vec<DriftItem>, Problem> {
    let (tenant, (lower, higher, backwards)) = (scope.tenant(), pair.bounds());
    let rows: Vec<MovedRow> = sqlx::query_as(concat!(
        moved!(),
        "SELECT pair.before, pair.after, pair.severity, c.key, coalesce(pair.title, c.title) AS title, c.product, c.grouping, c.help_url, pair.path,
                pair.start_line, pair.end_line, pair.start_column, pair.more_places, f.id AS finding
         FROM pair JOIN checks c ON c.tenant_id = $1 AND c.id = pair.check_id
         LEFT JOIN findings f ON f.tenant_id = $1 AND f.series_id = $2 AND f.fingerprint = pair.fingerprint
         ORDER BY CASE WHEN before IS NULL THEN 2 WHEN after IS NULL THEN 3 WHEN after IN (2, 3, 4) THEN 0 WHEN after = 1 THEN 1 ELSE 4 END,
                  pair.severity DESC, c.key, pair.fingerprint LIMIT $6"
    ))
    .bind(tenant.0)
    .bind(pair.series)
    .bind(lower)
    .bind(higher)
    .bind(backwards)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(scope.sql())
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().filter_map(item).collect())
}

fn item(row: MovedRow) -> Option<DriftItem> {
    let (was, is) = (row.before.and_then(Outcome::from_number), row.after.and_then(Outcome::from_number));
    Some(DriftItem {
        movement: movement(was, is)?,
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
    })
}

/// Compares, listing at most `limit` moves; `None` when there is no pair to compare.
pub async fn compare(scope: &mut ReadScope, query: &DriftQuery, limit: usize) -> Result<Option<Drift>, Problem> {
    let Some(to) = newer(scope, query).await? else { return Ok(None) };
    let Some((from, against_baseline)) = older(scope, &to, query.from).await? else { return Ok(None) };
    let pair = Pair { series: to.series_id, from: from.position, to: to.position };
    let mut counts = counted(scope, &pair).await?;
    let items = listed(scope, &pair, limit).await?;
    let moved = counts.regression + counts.fixed + counts.added + counts.removed + counts.other;
    let both = from.counts.0.total.saturating_sub(counts.removed);
    counts.unchanged = both.saturating_sub(counts.regression + counts.fixed + counts.other);
    let tenant = scope.tenant();
    let series = series_by(scope.sql(), tenant, SeriesId(to.series_id)).await?.ok_or_else(Problem::not_found)?;
    let truncated = moved as usize > items.len();
    Ok(Some(Drift { series, from: from.side(), to: to.side(), against_baseline, counts, items, truncated }))
}

/// The earliest moment of the trend that the overview draws.
pub fn trend_begins(now: Timestamp) -> Timestamp {
    now - jiff::SignedDuration::from_hours(24 * 90)
}
