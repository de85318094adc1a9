//! Looking at what is stored, as the database's administrator, past every policy: for judging the product, never for acting in it.

use bailiwick_base::TenantId;
use bailiwick_testkit::World;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every table of the product, with its columns in order.
pub async fn tables(sql: &mut PgConnection) -> BTreeMap<String, Vec<String>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relnamespace = 'bailiwick'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> '_sqlx_migrations' ORDER BY 1, a.attnum",
    )
    .fetch_all(sql)
    .await
    .unwrap();
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in rows {
        tables.entry(table).or_default().push(column);
    }
    tables
}

/// The tables with a `tenant_id`.
pub async fn tenant_tables(sql: &mut PgConnection) -> Vec<String> {
    tables(sql).await.into_iter().filter(|(_, columns)| columns.iter().any(|c| c == "tenant_id")).map(|(table, _)| table).collect()
}

/// A hash of every row a tenant has, by table. The trail is left out: it grows with every refusal.
pub async fn fingerprint(world: &World, tenant: TenantId) -> BTreeMap<String, String> {
    let mut sql = world.look().await;
    let tables = tenant_tables(&mut sql).await;
    let each = tables.iter().filter(|t| !t.starts_with("trail_")).map(|table| {
        format!(
            "SELECT '{table}', md5(coalesce(string_agg(x::text, ' ' ORDER BY x::text), '')) FROM bailiwick.{table} x WHERE tenant_id = $1"
        )
    });
    let own = "SELECT 'tenants', md5(x::text) FROM bailiwick.tenants x WHERE id = $1".to_owned();
    let statement = each.chain([own]).collect::<Vec<_>>().join(" UNION ALL ");
    let rows: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(statement)).bind(tenant.0).fetch_all(&mut sql).await.unwrap();
    rows.into_iter().collect()
}

/// The whole database as text, one line a row.
pub async fn dump(world: &World) -> String {
    let mut sql = world.look().await;
    let mut text = String::new();
    for table in tables(&mut sql).await.keys() {
        for row in sqlx::query(AssertSqlSafe(format!("SELECT x::text FROM bailiwick.{table} x"))).fetch_all(&mut sql).await.unwrap() {
            text.push_str(table);
            text.push(' ');
            text.push_str(&row.get::<String, _>(0));
            text.push('\n');
        }
    }
    text
}

/// Every file under a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The folder the world's artifacts are in.
pub fn artifacts(world: &World) -> PathBuf {
    world.config.data_folder.join("artifacts")
}

/// Whether the bytes hold the other bytes.
pub fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
