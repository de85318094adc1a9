//! The limit: the same rows put into the same tables by bare SQL. The administrator stages them by COPY into unlogged tables (COPY FROM is
//! refused under row security); then the product's own unprivileged role inserts them set-wise, in one transaction, under the same row
//! security, keys and indexes, into another tenant of the same database. Nothing is checked, decided, hashed, sealed or recorded.

use crate::daemon::Home;
use anyhow::Context;
use bailiwick_store::login::LOGIN_ROLE;
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The tables of one run, in an order in which their foreign keys allow inserting.
const TABLES: [&str; 7] = ["runs", "series", "checks", "observations", "findings", "finding_events", "run_series"];

/// The rows of one run as COPY's text, table by table.
pub struct Rows([Vec<u8>; TABLES.len()]);

/// What bare SQL took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub copy: Duration,
    pub sql: Duration,
}

impl Took {
    pub fn sum(self) -> Duration {
        self.copy + self.sql
    }
}

/// The bare side of a database.
pub struct Bare {
    admin: PgConnection,
    login: PgConnection,
    subject: Uuid,
    bare: Uuid,
    /// Columns of each table but the tenant's.
    columns: Vec<String>,
}

/// One run of one series of the subject.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub run: Uuid,
    pub series: Uuid,
    pub position: i32,
}

impl Bare {
    /// Makes the staging tables.
    ///
    /// # Errors
    /// The database's.
    pub async fn new(home: &Home) -> anyhow::Result<Self> {
        let mut admin = home.admin().await?;
        let login = home.postgres(LOGIN_ROLE).connect().await?;
        let (subject, bare) = (tenant(&mut admin, crate::stage::SUBJECT.name).await?, tenant(&mut admin, crate::stage::BARE.name).await?);
        run(&mut admin, "CREATE SCHEMA bench; GRANT USAGE ON SCHEMA bench TO bailiwick_app").await?;
        let mut columns = Vec::new();
        for table in TABLES {
            let list: String = sqlx::query_scalar(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                 WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'tenant_id'",
            )
            .bind(table)
            .fetch_one(&mut admin)
            .await?;
            let make = format!(
                "CREATE UNLOGGED TABLE bench.{table} AS SELECT {list} FROM bailiwick.{table} WITH NO DATA; GRANT SELECT ON bench.{table} TO bailiwick_app"
            );
            run(&mut admin, &make).await?;
            columns.push(list);
        }
        Ok(Self { admin, login, subject, bare, columns })
    }

    pub fn admin(&mut self) -> &mut PgConnection {
        &mut self.admin
    }

    pub fn subject(&self) -> Uuid {
        self.subject
    }

    /// What the subject's newest run of a tool has become, as COPY would send it.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(&mut self, part: Part) -> anyhow::Result<Rows> {
        let Part { run, series, position } = part;
        let of_series = format!("series_id = '{series}'");
        let which = [
            format!("id = '{run}'"),
            format!("id = '{series}'"),
            format!("id IN (SELECT check_id FROM bailiwick.observations WHERE tenant_id = '{}' AND {of_series})", self.subject),
            format!("{of_series} AND to_position IS NULL"),
            of_series.clone(),
            format!("run_id = '{run}'"),
            format!("{of_series} AND position = {position}"),
        ];
        let mut rows = Rows(Default::default());
        for ((table, columns), (which, into)) in TABLES.iter().zip(&self.columns).zip(which.iter().zip(&mut rows.0)) {
            let copy = format!("COPY (SELECT {columns} FROM bailiwick.{table} WHERE tenant_id = '{}' AND {which}) TO STDOUT", self.subject);
            let mut stream = self.admin.copy_out_raw(&copy).await?;
            while let Some(bytes) = stream.try_next().await? {
                into.extend_from_slice(&bytes);
            }
        }
        Ok(rows)
    }

    /// Stages rows; how long COPY took. Planner statistics are made afterwards, in the bare side's favour and on nobody's time.
    async fn stage(&mut self, rows: &Rows) -> anyhow::Result<Duration> {
        let list: Vec<String> = TABLES.iter().map(|table| format!("bench.{table}")).collect();
        run(&mut self.admin, &format!("TRUNCATE {}; CHECKPOINT", list.join(", "))).await?;
        let start = Instant::now();
        run(&mut self.admin, "BEGIN").await?;
        for ((table, columns), bytes) in TABLES.iter().zip(&self.columns).zip(&rows.0) {
            let mut copy = self.admin.copy_in_raw(&format!("COPY bench.{table} ({columns}) FROM STDIN")).await?;
            for piece in bytes.chunks(256 << 10) {
                copy.send(piece).await?;
            }
            copy.finish().await?;
        }
        run(&mut self.admin, "COMMIT").await?;
        let took = start.elapsed();
        run(&mut self.admin, &format!("ANALYZE {}, observations, findings", list.join(", "))).await?;
        Ok(took)
    }

    /// Runs statements as the product's role in the bare tenant, in one transaction; rows each of them wrote, and the time of all.
    async fn as_app(&mut self, statements: &[String]) -> anyhow::Result<(Vec<u64>, Duration)> {
        let enter =
            format!("BEGIN; SET LOCAL ROLE bailiwick_app; SET LOCAL bailiwick.tenant = '{}'; SET LOCAL bailiwick.project = ''", self.bare);
        let start = Instant::now();
        run(&mut self.login, &enter).await?;
        let mut written = Vec::new();
        for statement in statements {
            written.push(run(&mut self.login, statement).await.with_context(|| statement.clone())?);
        }
        run(&mut self.login, "COMMIT").await?;
        Ok((written, start.elapsed()))
    }

    fn insert(&self, table: &str, which: &str) -> String {
        let columns = TABLES.iter().position(|t| *t == table).map_or("", |at| &self.columns[at]);
        format!("INSERT INTO {table} (tenant_id, {columns}) SELECT '{}', {columns} FROM bench.{table} s{which}", self.bare)
    }

    /// The first import of a series.
    ///
    /// # Errors
    /// The database's, or other rows arrive than `results`.
    pub async fn import(&mut self, rows: &Rows, results: u32) -> anyhow::Result<Took> {
        let copy = self.stage(rows).await?;
        let statements: Vec<String> = TABLES.iter().map(|table| self.insert(table, "")).collect();
        let (written, sql) = self.as_app(&statements).await?;
        anyhow::ensure!(written[3] == u64::from(results) && written[4] >= written[3], "bare SQL wrote {written:?} rows, not {results}");
        Ok(Took { copy, sql })
    }

    /// The next run of a series: an anti-join both ways, and what comes of it. How many observations were ended and added, too.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle(&mut self, rows: &Rows, part: Part, changed: bool) -> anyhow::Result<(Took, u64, u64)> {
        let copy = self.stage(rows).await?;
        let (tenant, series, position) = (self.bare, part.series, part.position);
        let here = format!("o.tenant_id = '{tenant}' AND o.series_id = '{series}'");
        let mut statements = vec![
            self.insert("runs", ""),
            format!(
                "UPDATE observations o SET to_position = {position} WHERE {here} AND o.to_position IS NULL AND NOT EXISTS
                 (SELECT FROM bench.observations s WHERE s.fingerprint = o.fingerprint AND s.content = o.content)"
            ),
            self.insert(
                "observations",
                &format!(
                    " WHERE NOT EXISTS (SELECT FROM observations o WHERE {here} AND o.to_position IS NULL AND o.fingerprint = s.fingerprint AND o.content = s.content)"
                ),
            ),
            self.insert("run_series", ""),
        ];
        if changed {
            statements.push(format!(
                "UPDATE findings o SET status = s.status, turned_position = s.turned_position, severity = s.severity
                 FROM bench.findings s WHERE {here} AND o.fingerprint = s.fingerprint AND o.id IN (SELECT finding_id FROM bench.finding_events)"
            ));
            statements.push(
                self.insert(
                    "findings",
                    &format!(" WHERE NOT EXISTS (SELECT FROM findings o WHERE {here} AND o.fingerprint = s.fingerprint)"),
                ),
            );
            statements.push(self.insert("finding_events", ""));
        }
        let (written, sql) = self.as_app(&statements).await?;
        Ok((Took { copy, sql }, written[1], written[2]))
    }
}

/// A tenant's id by its name.
///
/// # Errors
/// There is none.
pub async fn tenant(admin: &mut PgConnection, name: &str) -> anyhow::Result<Uuid> {
    sqlx::query_scalar("SELECT id FROM tenants WHERE name = $1")
        .bind(name)
        .fetch_one(admin)
        .await
        .with_context(|| format!("no tenant {name}"))
}

/// Runs statements whose text holds ids and names of tables only.
///
/// # Errors
/// The database's.
pub async fn run(connection: &mut PgConnection, statements: &str) -> anyhow::Result<u64> {
    Ok(sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await?.rows_affected())
}

impl Bare {
    /// # Errors
    /// The database's.
    pub async fn close(self) -> anyhow::Result<()> {
        self.admin.close().await?;
        Ok(self.login.close().await?)
    }
}
