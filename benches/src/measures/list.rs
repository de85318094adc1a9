//! One authenticated list of 100 findings through the API, against the same statement on one bare connection; and again when one
//! tenant's findings, then the number of tenants, have grown.

use super::thousands;
use crate::api::{Caller, File};
use crate::bare::{run, tenant};
use crate::daemon::{Daemon, Home};
use crate::report::{Report, median};
use crate::sarif::{self, Made};
use crate::stage::{SUBJECT, Stage};
use anyhow::Context;
use bailiwick_store::login::LOGIN_ROLE;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use std::path::Path;
use std::time::Instant;

const PATH: &str = "/api/v1/findings?limit=100";

/// Latencies in milliseconds, the middle ones.
#[derive(Debug, Clone, Copy)]
struct Latency {
    api: f64,
    bare: f64,
}

/// A Bailiwick with its data, and both ways to its list.
struct Place<'a> {
    daemon: Daemon,
    home: &'a Home,
    statement: String,
}

impl<'a> Place<'a> {
    async fn open(stage: &Stage, home: &'a Home) -> anyhow::Result<Self> {
        let daemon = Daemon::start(&stage.program, home, None).await?;
        let statement = statement(stage, home).await?;
        Ok(Self { daemon, home, statement })
    }
}

pub async fn measure(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let (few, many) = if stage.quick { (2_000, 20_000) } else { (10_000, 1_000_000) };
    let (some, crowd) = if stage.quick { (10, 500) } else { (10, 10_000) };
    let (home, other) = (stage.home()?, stage.home()?);
    let (small, large) = (Place::open(stage, &home).await?, Place::open(stage, &other).await?);
    for (place, findings) in [(&small, few), (&large, many)] {
        add_tenants(place.home, some).await?;
        import(stage, place.home, findings).await?;
    }
    let [before, now] = latencies(stage, [&small, &large]).await?;
    for (findings, latency) in [(few, before), (many, now)] {
        report.add(
            format!("list of 100 among {} findings", thousands(findings)),
            latency.api / latency.bare,
            3.0,
            "x",
            format!("API {:.2} ms, the statement alone {:.2} ms", latency.api, latency.bare),
        )?;
    }
    let grown = |before: Latency, now: Latency| format!("API {:.2} ms before, {:.2} ms now, turn by turn", before.api, now.api);
    let name = format!("list, findings from {} to {}", thousands(few), thousands(many));
    report.add(name, now.api / before.api, 1.2, "x", grown(before, now))?;
    add_tenants(large.home, crowd).await?;
    let [before, now] = latencies(stage, [&small, &large]).await?;
    let name = format!("list, tenants from {} to {} as well", thousands(some), thousands(crowd));
    report.add(name, now.api / before.api, 1.2, "x", grown(before, now))?;
    small.daemon.stop().await?;
    large.daemon.stop().await
}

async fn import(stage: &Stage, home: &Home, results: u32) -> anyhow::Result<()> {
    let path = home.folder.path().join("report.sarif");
    let made = Made { results, tool: format!("Scanner {results}"), tenth_changed: false, full: results < 100_000 };
    sarif::write(&made, &path)?;
    stage.owner(home)?.pipeline().await?.import(&File::new(&path)?, &made.tool, results).await?;
    Ok(())
}

/// The statement of the list as PostgreSQL was asked it: its log tells, while it is told to.
async fn statement(stage: &Stage, home: &Home) -> anyhow::Result<String> {
    let mut admin = home.admin().await?;
    for setting in ["log_destination = 'jsonlog'", "log_statement = 'all'"] {
        run(&mut admin, &format!("ALTER SYSTEM SET {setting}")).await?;
    }
    reload(&mut admin).await?;
    let owner = stage.owner(home)?;
    let patience = Instant::now();
    let found = loop {
        owner.get(PATH).await?;
        if let Some(found) = logged(&home.postgres_log())? {
            break found;
        }
        anyhow::ensure!(patience.elapsed().as_secs() < 20, "the statement of the list is not in PostgreSQL's log");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    for setting in ["log_destination", "log_statement"] {
        run(&mut admin, &format!("ALTER SYSTEM RESET {setting}")).await?;
    }
    reload(&mut admin).await?;
    Ok(found)
}

async fn reload(admin: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::query("SELECT pg_reload_conf()").execute(admin).await?;
    Ok(())
}

fn logged(folder: &Path) -> anyhow::Result<Option<String>> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        for line in std::fs::read_to_string(&path)?.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            let message = line["message"].as_str().unwrap_or_default();
            let statement = message.strip_prefix("execute ").and_then(|m| m.split_once(": ")).map(|(_, statement)| statement);
            if let Some(statement) = statement.filter(|s| s.contains("FROM findings f") && s.contains("LIMIT $9")) {
                return Ok(Some(statement.to_owned()));
            }
        }
    }
    Ok(None)
}

/// Brings the number of tenants up to `count`; each new one has a series of ten open findings.
async fn add_tenants(home: &Home, count: u32) -> anyhow::Result<()> {
    let mut admin = home.admin().await?;
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM tenants").fetch_one(&mut admin).await?;
    let (from, to) = (there + 1, i64::from(count));
    let id = |kind: &str, n: &str| format!("md5('{kind}' || {n})::uuid");
    let (tenant, series, check) = (id("tenant", "n"), id("series", "n"), id("check", "n"));
    let each = format!("generate_series({from}, {to}) n");
    let every = format!("{each}, generate_series(1, 10) k");
    let (finding, fingerprint) = (id("finding", "(n * 100 + k)"), "decode(md5('fingerprint' || (n * 100 + k)), 'hex')");
    let statements = format!(
        "BEGIN;
         INSERT INTO tenants (id, name, sign_in_directory, sign_in_client_id, sign_in_audiences, created_at)
             SELECT {tenant}, 'Tenant ' || n, md5('directory' || n)::uuid, 'client', '{{}}', now() FROM {each};
         INSERT INTO trail_heads (tenant_id, seq, hash) SELECT {tenant}, 0, '' FROM {each};
         INSERT INTO job_schedules (tenant_id, kind, cron, next_at)
             SELECT t.id, s.kind, s.cron, s.next_at FROM tenants t, (SELECT DISTINCT ON (kind) * FROM job_schedules) s ON CONFLICT DO NOTHING;
         INSERT INTO series (tenant_id, id, identity, family, tool, category, positions, last_run_at)
             SELECT {tenant}, {series}, sha256(int8send(n)), 4, 'Scanner', '', 1, now() FROM {each};
         INSERT INTO checks (tenant_id, id, family, tool, key, title, description, grouping, tags)
             SELECT {tenant}, {check}, 4, 'Scanner', 'SC1', 'Untrusted data', '', '', '{{}}' FROM {each};
         INSERT INTO observations (tenant_id, series_id, fingerprint, from_position, check_id, content, outcome, severity, severity_source,
                 more_places, truncated, message, path, start_line)
             SELECT {tenant}, {series}, {fingerprint}, 1, {check}, k, 2, 3, 1, 0, false, 'Input reaches a sink.', 'src/f.c', k FROM {every};
         INSERT INTO findings (tenant_id, id, series_id, fingerprint, check_id, first_seen, opened_position, turned_position, status, severity,
                 family, suppressed, reopened)
             SELECT {tenant}, {finding}, {series}, {fingerprint}, {check}, now(), 1, 1, 1, 3, 4, false, false FROM {every};
         COMMIT"
    );
    run(&mut admin, &statements).await.context("cannot add tenants")?;
    Ok(())
}

/// Turn by turn, so that what else the machine does falls on all alike. All are warm, and the tables are as autovacuum leaves them.
async fn latencies(stage: &Stage, places: [&Place<'_>; 2]) -> anyhow::Result<[Latency; 2]> {
    let mut parts = Vec::new();
    for place in places {
        let mut admin = place.home.admin().await?;
        run(&mut admin, "VACUUM ANALYZE").await?;
        run(&mut admin, "CHECKPOINT").await?;
        let subject = tenant(&mut admin, SUBJECT.name).await?;
        let mut bare = place.home.postgres(LOGIN_ROLE).connect().await?;
        run(&mut bare, &format!("SET ROLE bailiwick_app; SET bailiwick.tenant = '{subject}'; SET bailiwick.project = ''")).await?;
        parts.push((place, subject, bare, stage.owner(place.home)?, Vec::new(), Vec::new()));
    }
    let (turns, each) = if stage.quick { (5, 20) } else { (25, 20) };
    for turn in 0..=turns {
        for (place, subject, bare, owner, api, sql) in &mut parts {
            for _ in 0..each {
                let (took, fetched) = (one_api(owner).await?, one_bare(bare, &place.statement, *subject).await?);
                if turn > 0 {
                    api.push(took);
                    sql.push(fetched);
                }
            }
        }
    }
    let latency = |n: usize| Latency { api: median(&parts[n].4), bare: median(&parts[n].5) };
    Ok([latency(0), latency(1)])
}

async fn one_api(owner: &Caller) -> anyhow::Result<f64> {
    let (took, bytes) = owner.time_get(PATH).await?;
    anyhow::ensure!(bytes > 20_000, "{bytes} bytes are not 100 findings");
    Ok(took.as_secs_f64() * 1_000.0)
}

/// The statement with the values the API gives it: the tenant, open, no filter, one row more than the page.
async fn one_bare(bare: &mut PgConnection, statement: &str, subject: uuid::Uuid) -> anyhow::Result<f64> {
    let none: Option<i16> = None;
    let query = sqlx::query(AssertSqlSafe(statement.to_owned())).bind(subject).bind(1i16).bind(none).bind(none).bind(none);
    let query = query.bind(None::<uuid::Uuid>).bind(None::<uuid::Uuid>).bind(None::<String>).bind(101i64);
    let start = Instant::now();
    let rows = query.fetch_all(bare).await?;
    let took = start.elapsed();
    anyhow::ensure!(rows.len() == 101, "the bare statement gave {} rows", rows.len());
    Ok(took.as_secs_f64() * 1_000.0)
}
