//! What must be true of everything stored, whatever happened: one look over the whole database.

use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A whole number that a statement answers.
pub async fn number(sql: &mut PgConnection, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(sql).await.unwrap()
}

/// The jobs that are not done, one a line.
pub async fn queue(sql: &mut PgConnection) -> String {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s %s %s attempts %s run_at %s lease_until %s created %s now %s: %s', kind, payload, state, attempts, run_at, lease_until, created_at, now(), last_error)
         FROM bailiwick.jobs ORDER BY created_at",
    )
    .fetch_all(sql)
    .await
    .unwrap();
    rows.join("\n")
}

/// Checks every tenant's trail from its first entry to its head; how many entries there are.
pub async fn trails_verify(sql: &mut PgConnection) -> usize {
    let heads: Vec<(Uuid, i64, Vec<u8>)> =
        sqlx::query_as("SELECT tenant_id, seq, hash FROM bailiwick.trail_heads").fetch_all(&mut *sql).await.unwrap();
    let mut all = 0;
    for (tenant, seq, hash) in heads {
        let entries: Vec<(i64, String, Vec<u8>)> =
            sqlx::query_as("SELECT seq, body, hash FROM bailiwick.trail_entries WHERE tenant_id = $1 ORDER BY seq")
                .bind(tenant)
                .fetch_all(&mut *sql)
                .await
                .unwrap();
        let told = entries.iter().map(|(seq, body, hash)| (*seq, body.as_str(), <[u8; 32]>::try_from(hash.as_slice()).unwrap()));
        let head = bailiwick_proof::verify(told).unwrap_or_else(|broken| panic!("the trail of {tenant} is broken: {broken:?}"));
        assert_eq!((head.0, head.1.to_vec()), (seq, hash), "the head of {tenant} is not its last entry");
        all += entries.len();
    }
    all
}

/// How often each run stands in the trail under each action.
pub async fn trail_of_runs(sql: &mut PgConnection) -> BTreeMap<(String, String), i64> {
    let rows = sqlx::query(
        "SELECT body::jsonb ->> 'target' AS target, action, count(*) AS times FROM bailiwick.trail_entries
         WHERE NOT refused AND body::jsonb ->> 'target' LIKE 'run/%' GROUP BY 1, 2",
    )
    .fetch_all(sql)
    .await
    .unwrap();
    rows.iter().map(|row| ((row.get::<String, _>(0).trim_start_matches("run/").to_owned(), row.get(1)), row.get(2))).collect()
}

/// Every run of every series holds exactly the results it counted, once each, and every finding stands once and agrees with them.
pub async fn series_are_whole(sql: &mut PgConnection) {
    let broken: Vec<(Uuid, i32)> = sqlx::query_as(
        "SELECT rs.series_id, rs.position FROM bailiwick.run_series rs
         WHERE (rs.counts ->> 'total')::bigint <> (SELECT count(*) FROM bailiwick.observations o WHERE o.tenant_id = rs.tenant_id AND o.series_id = rs.series_id
                AND o.from_position <= rs.position AND (o.to_position IS NULL OR o.to_position > rs.position))",
    )
    .fetch_all(&mut *sql)
    .await
    .unwrap();
    assert!(broken.is_empty(), "runs whose results are not those they counted (series, position): {broken:?}");
    let overlapping = number(
        sql,
        "SELECT count(*) FROM bailiwick.observations a JOIN bailiwick.observations b ON b.tenant_id = a.tenant_id AND b.series_id = a.series_id
            AND b.fingerprint = a.fingerprint AND b.from_position > a.from_position AND (a.to_position IS NULL OR a.to_position > b.from_position)",
    )
    .await;
    assert_eq!(overlapping, 0, "results stored twice for one run");
    let twice = number(
        sql,
        "SELECT count(*) FROM (SELECT FROM bailiwick.findings GROUP BY tenant_id, series_id, fingerprint HAVING count(*) > 1) d",
    )
    .await;
    assert_eq!(twice, 0, "findings stored twice");
    let gaps = number(
        sql,
        "SELECT count(*) FROM bailiwick.series s WHERE s.positions <> (SELECT count(*) FROM bailiwick.run_series r WHERE r.tenant_id = s.tenant_id AND r.series_id = s.id)
            OR s.positions <> (SELECT coalesce(max(r.position), 0) FROM bailiwick.run_series r WHERE r.tenant_id = s.tenant_id AND r.series_id = s.id)",
    )
    .await;
    assert_eq!(gaps, 0, "series with a gap or a run too many");
}

/// Where scans all ended well, what is open is exactly what the newest run found.
pub async fn open_findings_are_the_newest_results(sql: &mut PgConnection) {
    let odd = number(
        sql,
        "SELECT count(*) FROM (SELECT tenant_id, series_id, fingerprint FROM bailiwick.findings WHERE status = 1) f
         FULL JOIN (SELECT tenant_id, series_id, fingerprint FROM bailiwick.observations WHERE to_position IS NULL) o
            USING (tenant_id, series_id, fingerprint) WHERE f IS NULL OR o IS NULL",
    )
    .await;
    assert_eq!(odd, 0, "findings that are open without a result, or results without their finding");
}

/// Where each row of a table stands and which transaction wrote it: two looks that agree mean that nothing was rewritten.
pub async fn rows(sql: &mut PgConnection, table: &str) -> BTreeSet<String> {
    let statement = format!("SELECT ctid::text || ' ' || xmin::text FROM bailiwick.{table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_all(sql).await.unwrap().into_iter().collect()
}
