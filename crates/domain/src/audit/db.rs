//! All SQL that reads `trail_entries`.

use bailiwick_base::{Problem, TenantId};
use bailiwick_store::StoreError;
use sqlx::PgConnection;

/// Number, body and hash of the newest entries before `before`.
pub async fn entries(
    sql: &mut PgConnection,
    tenant: TenantId,
    action: Option<&str>,
    refused: Option<bool>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, String, Vec<u8>)>, Problem> {
    sqlx::query_as(
        "SELECT seq, body, hash FROM trail_entries
         WHERE tenant_id = $1 AND ($2::text IS NULL OR action = $2 OR ($2 LIKE '%.' AND starts_with(action, $2)))
           AND ($3::boolean IS NULL OR refused = $3) AND ($4::bigint IS NULL OR seq < $4)
         ORDER BY seq DESC LIMIT $5",
    )
    .bind(tenant.0)
    .bind(action)
    .bind(refused)
    .bind(before)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}
