//! Reading findings, observations, series and the overview. Lists page by key, never by offset.

use super::db::{FIXED, OPEN};
use super::drift::{compare, trend_begins};
use crate::text;
use bailiwick_base::{
    CheckId, Code, Counts, DirectoryId, Family, FindingId, Outcome, Page, Problem, Product, ProjectId, RunId, SeriesId, Severity, TenantId,
    Timestamp,
};
use bailiwick_contract::evidence::{Failure, Location, Named, Observation, ObservationPage, ObservationQuery, OutcomeGroup};
use bailiwick_contract::findings::{
    Coverage, DriftQuery, Facet, Facets, FailedRun, Finding, FindingDetail, FindingEvent, FindingEventKind, FindingLife, FindingQuery,
    FindingSort, FindingStatus, Overview, OverviewQuery, Series, SeriesQuery, SeveritySource, SourceSuppression, TrendPoint,
};
use bailiwick_store::{ReadScope, StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// A place in a source file, where there is one.
pub fn location(path: Option<String>, start: Option<i32>, end: Option<i32>, column: Option<i32>, more: i32) -> Option<Location> {
    let number = |n: Option<i32>| n.and_then(|n| u32::try_from(n).ok());
    Some(Location {
        path: path?,
        start_line: number(start),
        end_line: number(end),
        start_column: number(column),
        more: u32::try_from(more).unwrap_or(0),
    })
}

fn source_of(number: i16) -> SeveritySource {
    match number {
        1 => SeveritySource::Result,
        2 => SeveritySource::Rule,
        3 => SeveritySource::Level,
        _ => SeveritySource::Default,
    }
}

#[derive(FromRow)]
struct FindingRow {
    id: Uuid,
    status: i16,
    severity: i16,
    family: i16,
    product: Option<i16>,
    suppressed: bool,
    reopened: bool,
    first_seen: SqlTime,
    last_seen: Option<SqlTime>,
    turned_position: i32,
    positions: i32,
    check_id: Uuid,
    check_key: String,
    check_title: String,
    tool: String,
    project_id: Option<Uuid>,
    directory_id: Option<Uuid>,
    outcome: i16,
    severity_source: i16,
    title: Option<String>,
    path: Option<String>,
    start_line: Option<i32>,
    end_line: Option<i32>,
    start_column: Option<i32>,
    more_places: i32,
}

impl FindingRow {
    fn finding(self) -> Finding {
        let open = self.status == OPEN;
        let newest = self.turned_position == self.positions;
        let life = match (open, newest, self.reopened) {
            (false, _, _) => FindingLife::Fixed,
            (true, true, true) => FindingLife::Reopened,
            (true, true, false) => FindingLife::New,
            (true, false, _) => FindingLife::Existing,
        };
        let first_seen = self.first_seen.to_jiff();
        Finding {
            id: FindingId(self.id),
            status: if open { FindingStatus::Open } else { FindingStatus::Fixed },
            life,
            severity: Severity::from_number(self.severity).unwrap_or(Severity::Info),
            severity_source: source_of(self.severity_source),
            outcome: Outcome::from_number(self.outcome).unwrap_or(Outcome::Unknown),
            title: self.title.unwrap_or(self.check_title),
            check: CheckId(self.check_id),
            check_key: self.check_key,
            family: Family::from_number(self.family).unwrap_or(Family::Sarif),
            tool: self.tool,
            product: self.product.and_then(Product::from_number),
            project: self.project_id.map(ProjectId),
            directory: self.directory_id.map(DirectoryId),
            location: location(self.path, self.start_line, self.end_line, self.start_column, self.more_places),
            suppressed_in_source: self.suppressed,
            first_seen,
            last_seen: self.last_seen.map_or(first_seen, SqlTime::to_jiff),
        }
    }
}

/// A finding with its check, its series, the newest result that failed, and the newest run that still saw it fail.
macro_rules! finding_columns {
    () => {
        "SELECT f.id, f.status, f.severity, f.family, f.product, f.suppressed, f.reopened, f.first_seen, seen.at AS last_seen, f.turned_position,
                s.positions, f.check_id, c.key AS check_key, c.title AS check_title, c.tool, f.project_id, f.directory_id,
                o.outcome, o.severity_source, o.title, o.path, o.start_line, o.end_line, o.start_column, o.more_places "
    };
}

macro_rules! finding_joins {
    () => {
        " JOIN checks c ON c.tenant_id = f.tenant_id AND c.id = f.check_id
          JOIN series s ON s.tenant_id = f.tenant_id AND s.id = f.series_id
          JOIN LATERAL (SELECT * FROM observations n WHERE n.tenant_id = f.tenant_id AND n.series_id = f.series_id
                AND n.fingerprint = f.fingerprint AND n.outcome IN (2, 3, 4) ORDER BY n.from_position DESC LIMIT 1) o ON true
          LEFT JOIN run_series seen ON seen.tenant_id = f.tenant_id AND seen.series_id = f.series_id
                AND seen.position = coalesce(o.to_position - 1, s.positions) "
    };
}

/// The filters of a list of findings; `$1` is the tenant.
macro_rules! finding_filters {
    () => {
        "f.tenant_id = $1 AND f.status = $2 AND ($3::smallint IS NULL OR f.severity = $3) AND ($4::smallint IS NULL OR f.family = $4)
         AND ($5::smallint IS NULL OR f.product = $5) AND ($6::uuid IS NULL OR f.directory_id = $6) AND ($7::uuid IS NULL OR f.project_id = $7)
         AND ($8::text IS NULL OR EXISTS (SELECT FROM checks k WHERE k.tenant_id = f.tenant_id AND k.id = f.check_id
              AND (k.title ILIKE $8 OR k.key ILIKE $8))) "
    };
}

/// One page of findings: filtered and cut first, joined after, so that a page costs a page. MATERIALIZED, because the planner otherwise
/// may cut the page anew for each series it joins. Four statements, because a condition that may be absent keeps an index from being
/// entered at its place.
macro_rules! finding_page {
    ($after:literal, $order:literal) => {
        concat!(
            "WITH f AS MATERIALIZED (SELECT * FROM findings f WHERE ",
            finding_filters!(),
            $after,
            " ORDER BY ",
            $order,
            " LIMIT $9) ",
            finding_columns!(),
            "FROM f",
            finding_joins!(),
            "ORDER BY ",
            $order
        )
    };
}
const WORST: &str = finding_page!("", "f.severity DESC, f.id DESC");
const WORST_AFTER: &str = finding_page!("AND (f.severity, f.id) < ($10, $11)", "f.severity DESC, f.id DESC");
const NEWEST: &str = finding_page!("", "f.id DESC");
const NEWEST_AFTER: &str = finding_page!("AND f.id < $11 AND $10::smallint IS NOT NULL", "f.id DESC");

fn status_number(status: Option<FindingStatus>) -> i16 {
    if status == Some(FindingStatus::Fixed) { FIXED } else { OPEN }
}

pub async fn findings(scope: &mut ReadScope, query: FindingQuery) -> Result<Page<Finding>, Problem> {
    let limit = text::limit(query.limit)?;
    let after: Option<(i16, Uuid)> = match text::cursor::<2>(&query.cursor)? {
        Some([severity, id]) => Some((text::part(&severity)?, text::part(&id)?)),
        None => None,
    };
    let statement = match (query.sort.unwrap_or_default(), after) {
        (FindingSort::Severity, None) => WORST,
        (FindingSort::Severity, Some(_)) => WORST_AFTER,
        (FindingSort::FirstSeen, None) => NEWEST,
        (FindingSort::FirstSeen, Some(_)) => NEWEST_AFTER,
    };
    let tenant = scope.tenant();
    let mut statement = sqlx::query_as(statement)
        .bind(tenant.0)
        .bind(status_number(query.status))
        .bind(query.severity.map(Severity::number))
        .bind(query.family.map(Family::number))
        .bind(query.product.map(Product::number))
        .bind(query.directory.map(|d| d.0))
        .bind(query.project.map(|p| p.0))
        .bind(text::contains(&query.search))
        .bind(limit + 1);
    if let Some((severity, id)) = after {
        statement = statement.bind(severity).bind(id);
    }
    let rows: Vec<FindingRow> = statement.fetch_all(scope.sql()).await.map_err(StoreError::from)?;
    let findings = rows.into_iter().map(FindingRow::finding).collect();
    Ok(Page::from_rows(findings, limit as usize, |f| vec![f.severity.number().to_string(), f.id.to_string()]))
}

pub async fn facets(scope: &mut ReadScope, query: FindingQuery) -> Result<Facets, Problem> {
    let tenant = scope.tenant();
    let rows: Vec<(i16, i16, i16, Option<i16>, i64)> = sqlx::query_as(
        "SELECT f.status, f.severity, f.family, f.product, count(*) FROM findings f
         WHERE f.tenant_id = $1 AND ($2::uuid IS NULL OR f.directory_id = $2) AND ($3::uuid IS NULL OR f.project_id = $3)
           AND ($4::text IS NULL OR EXISTS (SELECT FROM checks k WHERE k.tenant_id = f.tenant_id AND k.id = f.check_id
                AND (k.title ILIKE $4 OR k.key ILIKE $4)))
         GROUP BY 1, 2, 3, 4",
    )
    .bind(tenant.0)
    .bind(query.directory.map(|d| d.0))
    .bind(query.project.map(|p| p.0))
    .bind(text::contains(&query.search))
    .fetch_all(scope.sql())
    .await
    .map_err(StoreError::from)?;
    let status = status_number(query.status);
    let severity = query.severity.map(Severity::number);
    let family = query.family.map(Family::number);
    let product = query.product.map(Product::number);
    // Each facet counts under the other filters, not under its own: it shows what choosing another value would give.
    let mut facets = Facets { severity: vec![], family: vec![], product: vec![], status: vec![] };
    let fits = |wanted: Option<i16>, found: Option<i16>| wanted.is_none() || wanted == found;
    for (s, sev, fam, prod, count) in rows {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let ok = (s == status, fits(severity, Some(sev)), fits(family, Some(fam)), fits(product, prod));
        if ok.0 && ok.2 && ok.3 {
            add(&mut facets.severity, Severity::from_number(sev).map(Severity::as_str), count);
        }
        if ok.0 && ok.1 && ok.3 {
            add(&mut facets.family, Family::from_number(fam).map(Family::as_str), count);
        }
        if ok.0 && ok.1 && ok.2 {
            add(&mut facets.product, prod.and_then(Product::from_number).map(Product::as_str), count);
        }
        if ok.1 && ok.2 && ok.3 {
            add(&mut facets.status, Some(if s == OPEN { "open" } else { "fixed" }), count);
        }
    }
    facets.severity.sort_by_key(|f| std::cmp::Reverse(Severity::parse(&f.value)));
    for list in [&mut facets.family, &mut facets.product, &mut facets.status] {
        list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    }
    Ok(facets)
}

fn add(to: &mut Vec<Facet>, value: Option<&str>, count: u32) {
    let Some(value) = value else { return };
    match to.iter_mut().find(|facet| facet.value == value) {
        Some(facet) => facet.count += count,
        None => to.push(Facet { value: value.to_owned(), count }),
    }
}

#[derive(FromRow)]
struct DetailRow {
    #[sqlx(flatten)]
    row: FindingRow,
    message: String,
    truncated: bool,
    suppression: Option<Json<SourceSuppression>>,
    refs: Option<Vec<String>>,
    description: String,
    help_url: Option<String>,
    grouping: String,
    tags: Vec<String>,
    directory_name: Option<String>,
    project_name: Option<String>,
    series_id: Uuid,
    opened_position: i32,
}

pub async fn finding(scope: &mut ReadScope, id: FindingId) -> Result<FindingDetail, Problem> {
    let tenant = scope.tenant();
    let row: Option<DetailRow> = sqlx::query_as(concat!(
        finding_columns!(),
        ", o.message, o.truncated, o.suppression, o.refs, c.description, c.help_url, c.grouping, c.tags, d.name AS directory_name,
           p.name AS project_name, f.series_id, f.opened_position
         FROM findings f",
        finding_joins!(),
        "LEFT JOIN directories d ON d.tenant_id = f.tenant_id AND d.id = f.directory_id
         LEFT JOIN projects p ON p.tenant_id = f.tenant_id AND p.id = f.project_id
         WHERE f.tenant_id = $1 AND f.id = $2"
    ))
    .bind(tenant.0)
    .bind(id.0)
    .fetch_optional(scope.sql())
    .await
    .map_err(StoreError::from)?;
    let row = row.ok_or_else(Problem::not_found)?;
    let history = history(scope, id, row.series_id, row.opened_position).await?;
    Ok(FindingDetail {
        message: row.message,
        truncated: row.truncated,
        description: row.description,
        help_url: row.help_url,
        group: row.grouping,
        tags: row.tags,
        references: row.refs.unwrap_or_default(),
        suppression: row.suppression.map(|s| s.0),
        directory_name: row.directory_name,
        project_name: row.project_name,
        finding: row.row.finding(),
        history,
    })
}

/// The finding's life, oldest first: its opening from the run that saw it first, and every turn since.
async fn history(scope: &mut ReadScope, id: FindingId, series: Uuid, opened: i32) -> Result<Vec<FindingEvent>, Problem> {
    type Row = (String, SqlTime, Uuid, String, Option<i16>, Option<i16>);
    let tenant = scope.tenant();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT e.kind, e.at, e.run_id, r.source, e.outcome, e.severity FROM (
             SELECT 'opened' AS kind, rs.at, rs.run_id, rs.position, o.outcome, o.severity
             FROM run_series rs JOIN findings f ON f.tenant_id = rs.tenant_id AND f.id = $2
             LEFT JOIN observations o ON o.tenant_id = rs.tenant_id AND o.series_id = rs.series_id AND o.fingerprint = f.fingerprint
                  AND o.from_position = rs.position
             WHERE rs.tenant_id = $1 AND rs.series_id = $3 AND rs.position = $4
             UNION ALL
             SELECT kind, at, run_id, position, outcome, severity FROM finding_events WHERE tenant_id = $1 AND finding_id = $2) e
         JOIN runs r ON r.tenant_id = $1 AND r.id = e.run_id ORDER BY e.position",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(series)
    .bind(opened)
    .fetch_all(scope.sql())
    .await
    .map_err(StoreError::from)?;
    let event = |(kind, at, run, source, outcome, severity): Row| FindingEvent {
        kind: match kind.as_str() {
            "opened" => FindingEventKind::Opened,
            "fixed" => FindingEventKind::Fixed,
            "reopened" => FindingEventKind::Reopened,
            _ => FindingEventKind::Changed,
        },
        at: at.to_jiff(),
        run: RunId(run),
        source,
        outcome: outcome.and_then(Outcome::from_number),
        severity: severity.and_then(Severity::from_number),
    };
    Ok(rows.into_iter().map(event).collect())
}

/// Which observations.
#[derive(Debug, Clone, Copy)]
pub enum Among {
    Run(RunId),
    /// The newest run of every posture series.
    Latest,
}

#[derive(FromRow)]
struct ObservationRow {
    series_id: Uuid,
    fingerprint: Vec<u8>,
    check_id: Uuid,
    key: String,
    title: String,
    outcome: i16,
    outcome_word: Option<String>,
    severity: i16,
    product: Option<i16>,
    grouping: String,
    message: String,
    path: Option<String>,
    start_line: Option<i32>,
    end_line: Option<i32>,
    start_column: Option<i32>,
    more_places: i32,
    help_url: Option<String>,
    directory_id: Option<Uuid>,
    finding: Option<Uuid>,
    tags: Vec<String>,
    rank: i32,
}

/// The observations of a run, or the latest of each posture series, under a query's filters other than the outcome.
macro_rules! observations_among {
    () => {
        "FROM observations o
         JOIN series s ON s.tenant_id = o.tenant_id AND s.id = o.series_id
         JOIN checks c ON c.tenant_id = o.tenant_id AND c.id = o.check_id
         LEFT JOIN run_series rs ON rs.tenant_id = o.tenant_id AND rs.series_id = o.series_id AND rs.run_id = $2
         CROSS JOIN LATERAL (SELECT (CASE WHEN o.outcome IN (2, 3, 4) THEN 0 WHEN o.outcome = 1 THEN 2 ELSE 1 END) * 10 + 9 - o.severity AS rank) rank
         WHERE o.tenant_id = $1
           AND CASE WHEN $2::uuid IS NULL THEN o.to_position IS NULL AND s.family <> 4
               ELSE o.from_position <= rs.position AND (o.to_position IS NULL OR o.to_position > rs.position) END
           AND ($3::smallint IS NULL OR c.product = $3) AND ($4::uuid IS NULL OR s.directory_id = $4) AND ($5::smallint IS NULL OR s.family = $5)
           AND ($6::text IS NULL OR c.title ILIKE $6 OR c.key ILIKE $6 OR o.title ILIKE $6) "
    };
}

/// Where a page of observations ended: rank, check, series, fingerprint. A check's key may hold anything, so it travels as hex.
fn observation_key(row: &ObservationRow) -> Vec<String> {
    vec![row.rank.to_string(), hex::encode(&row.key), row.series_id.to_string(), hex::encode(&row.fingerprint)]
}

fn bytes_part(text: &str) -> Result<Vec<u8>, Problem> {
    hex::decode(text).map_err(|_| Problem::new(Code::BadCursor, "The cursor is not one this list gave out. Start again without it."))
}

type ObservationKey = (Option<i32>, Option<String>, Option<Uuid>, Option<Vec<u8>>);

fn observation_cursor(query: &ObservationQuery) -> Result<ObservationKey, Problem> {
    let Some([rank, key, series, fingerprint]) = text::cursor::<4>(&query.cursor)? else { return Ok((None, None, None, None)) };
    let key =
        String::from_utf8(bytes_part(&key)?).map_err(|_| Problem::new(Code::BadCursor, "The cursor is not one this list gave out."))?;
    Ok((Some(text::part(&rank)?), Some(key), Some(text::part(&series)?), Some(bytes_part(&fingerprint)?)))
}

pub async fn observations(scope: &mut ReadScope, among: Among, query: ObservationQuery) -> Result<ObservationPage, Problem> {
    let limit = text::limit(query.limit)?;
    let run = if let Among::Run(run) = among { Some(run.0) } else { None };
    let tenant = scope.tenant();
    let (product, directory) = (query.product.map(Product::number), query.directory.map(|d| d.0));
    let (family, search) = (query.family.map(Family::number), text::contains(&query.search));
    let (rank, key, series, fingerprint) = observation_cursor(&query)?;
    let counts: Vec<(i16, i64)> = sqlx::query_as(concat!("SELECT o.outcome, count(*) ", observations_among!(), "GROUP BY 1"))
        .bind(tenant.0)
        .bind(run)
        .bind(product)
        .bind(directory)
        .bind(family)
        .bind(&search)
        .fetch_all(scope.sql())
        .await
        .map_err(StoreError::from)?;
    let rows: Vec<ObservationRow> = sqlx::query_as(concat!(
        "SELECT page.*, f.id AS finding FROM (
            SELECT o.series_id, o.fingerprint, o.check_id, c.key, coalesce(o.title, c.title) AS title, o.outcome, o.outcome_word, o.severity,
                   c.product, c.grouping, o.message, o.path, o.start_line, o.end_line, o.start_column, o.more_places, c.help_url,
                   s.directory_id, c.tags, rank.rank ",
        observations_among!(),
        "AND ($7::smallint[] IS NULL OR o.outcome = ANY($7))
         AND ($8::int IS NULL OR (rank.rank, c.key, o.series_id, o.fingerprint) > ($8, $9, $10, $11))
         ORDER BY rank.rank, c.key, o.series_id, o.fingerprint LIMIT $12) page
         LEFT JOIN findings f ON f.tenant_id = $1 AND f.series_id = page.series_id AND f.fingerprint = page.fingerprint
         ORDER BY page.rank, page.key, page.series_id, page.fingerprint"
    ))
    .bind(tenant.0)
    .bind(run)
    .bind(product)
    .bind(directory)
    .bind(family)
    .bind(&search)
    .bind(query.outcome.map(outcomes))
    .bind(rank)
    .bind(key)
    .bind(series)
    .bind(fingerprint)
    .bind(limit + 1)
    .fetch_all(scope.sql())
    .await
    .map_err(StoreError::from)?;
    let page = Page::from_rows(rows, limit as usize, observation_key);
    let sum = |group: OutcomeGroup| {
        let wanted = outcomes(group);
        counts.iter().filter(|(outcome, _)| wanted.contains(outcome)).map(|(_, n)| u32::try_from(*n).unwrap_or(u32::MAX)).sum()
    };
    Ok(ObservationPage {
        failing: sum(OutcomeGroup::Failing),
        passed: sum(OutcomeGroup::Passed),
        rest: sum(OutcomeGroup::Rest),
        page: Page { items: page.items.into_iter().map(observation).collect(), next: page.next },
    })
}

fn outcomes(group: OutcomeGroup) -> Vec<i16> {
    let among = |outcome: &&Outcome| match group {
        OutcomeGroup::Failing => outcome.failing(),
        OutcomeGroup::Passed => **outcome == Outcome::Passed,
        OutcomeGroup::Rest => !outcome.failing() && **outcome != Outcome::Passed,
    };
    Outcome::ALL.iter().filter(among).map(|o| o.number()).collect()
}

fn observation(row: ObservationRow) -> Observation {
    Observation {
        series: SeriesId(row.series_id),
        check: CheckId(row.check_id),
        check_key: row.key,
        title: row.title,
        outcome: Outcome::from_number(row.outcome).unwrap_or(Outcome::Unknown),
        outcome_word: row.outcome_word,
        severity: Severity::from_number(row.severity).unwrap_or(Severity::Info),
        product: row.product.and_then(Product::from_number),
        group: row.grouping,
        message: row.message,
        location: location(row.path, row.start_line, row.end_line, row.start_column, row.more_places),
        help_url: row.help_url,
        directory: row.directory_id.map(DirectoryId),
        finding: row.finding.map(FindingId),
        tags: row.tags,
    }
}

#[derive(FromRow)]
struct SeriesListRow {
    id: Uuid,
    family: i16,
    tool: String,
    category: String,
    directory_id: Option<Uuid>,
    directory_name: Option<String>,
    project_id: Option<Uuid>,
    project_name: Option<String>,
    positions: i32,
    baseline: Option<Uuid>,
    last_run_id: Option<Uuid>,
    last_run_at: Option<SqlTime>,
}

macro_rules! series_columns {
    () => {
        "SELECT s.id, s.family, s.tool, s.category, s.directory_id, d.name AS directory_name, s.project_id, p.name AS project_name, s.positions,
                b.run_id AS baseline, s.last_run_id, s.last_run_at
         FROM series s LEFT JOIN directories d ON d.tenant_id = s.tenant_id AND d.id = s.directory_id
         LEFT JOIN projects p ON p.tenant_id = s.tenant_id AND p.id = s.project_id
         LEFT JOIN run_series b ON b.tenant_id = s.tenant_id AND b.series_id = s.id AND b.position = s.baseline_position "
    };
}

fn series(row: SeriesListRow) -> Series {
    Series {
        id: SeriesId(row.id),
        family: Family::from_number(row.family).unwrap_or(Family::Sarif),
        tool: row.tool,
        category: row.category,
        directory: row.directory_id.map(|id| Named { id: DirectoryId(id), name: row.directory_name.unwrap_or_default() }),
        project: row.project_id.map(|id| Named { id: ProjectId(id), name: row.project_name.unwrap_or_default() }),
        runs: row.positions,
        baseline: row.baseline.map(RunId),
        last_run: row.last_run_id.map(RunId),
        last_run_at: row.last_run_at.map(SqlTime::to_jiff),
    }
}

pub async fn series_by(sql: &mut PgConnection, tenant: TenantId, id: SeriesId) -> Result<Option<Series>, Problem> {
    let row: Option<SeriesListRow> = sqlx::query_as(concat!(series_columns!(), "WHERE s.tenant_id = $1 AND s.id = $2"))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(row.map(series))
}

pub async fn series_list(scope: &mut ReadScope, query: SeriesQuery) -> Result<Page<Series>, Problem> {
    let limit = text::limit(query.limit)?;
    let before = text::cursor::<1>(&query.cursor)?.map(|[id]| text::part::<Uuid>(&id)).transpose()?;
    let tenant = scope.tenant();
    let rows: Vec<SeriesListRow> = sqlx::query_as(concat!(
        series_columns!(),
        "WHERE s.tenant_id = $1 AND s.positions > 0 AND ($2::uuid IS NULL OR s.directory_id = $2) AND ($3::uuid IS NULL OR s.project_id = $3)
           AND ($4::smallint IS NULL OR s.family = $4) AND ($5::uuid IS NULL OR s.id < $5) ORDER BY s.id DESC LIMIT $6"
    ))
    .bind(tenant.0)
    .bind(query.directory.map(|d| d.0))
    .bind(query.project.map(|p| p.0))
    .bind(query.family.map(Family::number))
    .bind(before)
    .bind(limit + 1)
    .fetch_all(scope.sql())
    .await
    .map_err(StoreError::from)?;
    Ok(Page::from_rows(rows.into_iter().map(series).collect(), limit as usize, |s| vec![s.id.to_string()]))
}

/// Pins (or, with `None`, unpins) a series' baseline; false when the run is not one of the series.
pub async fn set_baseline(sql: &mut PgConnection, tenant: TenantId, id: SeriesId, run: Option<RunId>) -> Result<bool, Problem> {
    let done = sqlx::query(
        "UPDATE series s SET baseline_position = (SELECT position FROM run_series r WHERE r.tenant_id = $1 AND r.series_id = $2 AND r.run_id = $3)
         WHERE s.tenant_id = $1 AND s.id = $2 AND ($3::uuid IS NULL OR EXISTS (
             SELECT FROM run_series r WHERE r.tenant_id = $1 AND r.series_id = $2 AND r.run_id = $3))",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(run.map(|r| r.0))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}

#[derive(FromRow)]
struct TrendRow {
    run_id: Uuid,
    series_id: Uuid,
    at: SqlTime,
    counts: Json<Counts>,
    coverage: Json<Vec<Coverage>>,
    newest: bool,
}

/// The newest run of each posture series however old, and the others since a moment, the newest of them; oldest first.
async fn trend(scope: &mut ReadScope, query: &OverviewQuery, since: Timestamp) -> Result<Vec<TrendRow>, Problem> {
    let tenant = scope.tenant();
    let mut rows: Vec<TrendRow> = sqlx::query_as(
        "SELECT rs.run_id, rs.series_id, rs.at, rs.counts, rs.coverage, rs.position = s.positions AS newest
         FROM series s JOIN run_series rs ON rs.tenant_id = s.tenant_id AND rs.series_id = s.id
         WHERE s.tenant_id = $1 AND s.family <> 4 AND ($2::uuid IS NULL OR s.directory_id = $2) AND ($3::uuid IS NULL OR s.project_id = $3)
           AND (rs.at >= $4 OR rs.position = s.positions) ORDER BY newest DESC, rs.at DESC, rs.position DESC LIMIT 5000",
    )
    .bind(tenant.0)
    .bind(query.directory.map(|d| d.0))
    .bind(query.project.map(|p| p.0))
    .bind(sql_time(since))
    .fetch_all(scope.sql())
    .await
    .map_err(StoreError::from)?;
    rows.sort_by_key(|row| row.at.to_jiff());
    Ok(rows)
}

async fn failed_runs(scope: &mut ReadScope, query: &OverviewQuery, since: Timestamp) -> Result<Vec<FailedRun>, Problem> {
    type Row = (Uuid, String, SqlTime, Json<Failure>);
    let tenant = scope.tenant();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, source, opened_at, failure FROM runs WHERE tenant_id = $1 AND state = 'failed' AND failure IS NOT NULL AND opened_at >= $2
           AND ($3::uuid IS NULL OR project_id = $3) ORDER BY opened_at DESC, id DESC LIMIT 10",
    )
    .bind(tenant.0)
    .bind(sql_time(since))
    .bind(query.project.map(|p| p.0))
    .fetch_all(scope.sql())
    .await
    .map_err(StoreError::from)?;
    let failed = |(run, source, at, failure): Row| FailedRun { run: RunId(run), source, at: at.to_jiff(), failure: failure.0 };
    Ok(rows.into_iter().map(failed).collect())
}

/// How many of what moved the overview names.
const HEADLINE: usize = 10;

/// The first page in one answer.
pub async fn overview(scope: &mut ReadScope, query: OverviewQuery, now: Timestamp) -> Result<Overview, Problem> {
    let since = trend_begins(now);
    let rows = trend(scope, &query, since).await?;
    let mut counts = Counts::default();
    let mut coverage: Vec<Coverage> = Vec::new();
    for row in rows.iter().filter(|row| row.newest) {
        counts += row.counts.0;
        for line in &row.coverage.0 {
            match coverage.iter_mut().find(|c| c.product == line.product) {
                Some(sum) => {
                    sum.passed += line.passed;
                    sum.failing += line.failing;
                    sum.skipped += line.skipped;
                    sum.unknown += line.unknown;
                }
                None => coverage.push(line.clone()),
            }
        }
    }
    coverage.sort_by_key(|c| std::cmp::Reverse(c.failing));
    let point = |row: &TrendRow| {
        let counts = row.counts.0;
        let (run, series) = (RunId(row.run_id), SeriesId(row.series_id));
        Some(TrendPoint { run, series, at: row.at.to_jiff(), posture: counts.posture()?, passed: counts.passed, failing: counts.failing() })
    };
    let facets = facets(scope, FindingQuery { directory: query.directory, project: query.project, ..FindingQuery::default() }).await?;
    let drift_query = DriftQuery { directory: query.directory, project: query.project, ..DriftQuery::default() };
    let drift = compare(scope, &drift_query, HEADLINE).await?;
    let filter =
        crate::evidence::db::RunFilter { directory: query.directory, project: query.project, family: None, state: None, before: None };
    let tenant = scope.tenant();
    let mut recent_runs = crate::evidence::db::runs(scope.sql(), tenant, &filter, 7).await?;
    recent_runs.truncate(8);
    let series = SeriesQuery { directory: query.directory, project: query.project, limit: Some(50), ..SeriesQuery::default() };
    Ok(Overview {
        posture: counts.posture(),
        counts,
        open_findings: facets.severity,
        trend: rows.iter().filter(|row| row.at.to_jiff() >= since).filter_map(point).collect(),
        coverage,
        drift,
        recent_runs,
        failed_runs: failed_runs(scope, &query, since).await?,
        series: series_list(scope, series).await?.items,
    })
}
