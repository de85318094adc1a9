//! The database holds the line by itself: what the entered role sees, whatever statement it is given. Runs on the product's own data,
//! in every table there is.

use crate::look::{tables, tenant_tables};
use crate::stage::Stage;
use bailiwick_base::TenantId;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The connection a scope has, without the scope: the login role, which enters as it is told.
async fn login(stage: &Stage) -> PgConnection {
    PgConnection::connect_with(&stage.world.cluster.login(&stage.world.database)).await.unwrap()
}

async fn run(sql: &mut PgConnection, statement: String) -> Result<u64, String> {
    match sqlx::raw_sql(AssertSqlSafe(statement)).execute(sql).await {
        Ok(done) => Ok(done.rows_affected()),
        Err(error) => Err(error.as_database_error().and_then(|e| e.code()).unwrap_or_default().into_owned()),
    }
}

async fn enter(sql: &mut PgConnection, role: &str, tenant: Option<TenantId>, project: Option<&str>) {
    let tenant = tenant.map(|t| t.to_string()).unwrap_or_default();
    let project = project.unwrap_or_default();
    let begin = format!(
        "ROLLBACK; BEGIN; SET LOCAL ROLE {role}; SET LOCAL bailiwick.tenant = '{tenant}'; SET LOCAL bailiwick.project = '{project}'"
    );
    run(sql, begin).await.unwrap();
}

async fn count(sql: &mut PgConnection, table: &str, condition: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM bailiwick.{table} x WHERE {condition}"))).fetch_one(sql).await.unwrap()
}

const DENIED: &str = "42501";

#[tokio::test]
async fn i16_a_statement_that_forgets_the_tenant_still_sees_its_own_rows_only() {
    let stage = Stage::new().await;
    let (mut look, mut sql) = (stage.world.look().await, login(&stage).await);
    let mut filled = Vec::new();
    for (own, other) in [(stage.world.contoso.id, stage.world.fabrikam.id), (stage.world.fabrikam.id, stage.world.contoso.id)] {
        for table in tenant_tables(&mut look).await {
            enter(&mut sql, "bailiwick_app", Some(own), None).await;
            let seen = count(&mut sql, &table, "true").await;
            assert_eq!(seen, count(&mut look, &table, &format!("tenant_id = '{own}'")).await, "{table}");
            assert_eq!(count(&mut sql, &table, &format!("tenant_id = '{other}'")).await, 0, "{table}");
            if count(&mut look, &table, &format!("tenant_id = '{other}'")).await > 0 {
                filled.push(table);
            }
        }
        enter(&mut sql, "bailiwick_app", Some(own), None).await;
        assert_eq!(count(&mut sql, "tenants", "true").await, 1);
    }
    filled.sort();
    filled.dedup();
    let all = tenant_tables(&mut look).await;
    let empty: Vec<&String> = all.iter().filter(|table| !filled.contains(table)).collect();
    // Jobs are gone when done.
    assert!(empty.iter().all(|table| ["jobs", "finding_events"].contains(&table.as_str())), "the sweep saw no foreign row in {empty:?}");
}

#[tokio::test]
async fn i16_without_a_tenant_there_is_not_one_row() {
    let stage = Stage::new().await;
    let (mut look, mut sql) = (stage.world.look().await, login(&stage).await);
    for table in tenant_tables(&mut look).await.into_iter().chain(["tenants".to_owned()]) {
        enter(&mut sql, "bailiwick_app", None, None).await;
        assert_eq!(count(&mut sql, &table, "true").await, 0, "{table}");
    }
    // Nor does a connection that never heard of a tenant see one.
    let mut fresh = login(&stage).await;
    run(&mut fresh, "BEGIN; SET LOCAL ROLE bailiwick_app".into()).await.unwrap();
    assert_eq!(count(&mut fresh, "runs", "true").await, 0);
}

#[tokio::test]
async fn i16_the_login_role_is_refused_everything_outside_a_scope() {
    let stage = Stage::new().await;
    let (mut look, mut sql) = (stage.world.look().await, login(&stage).await);
    for table in tables(&mut look).await.into_keys().chain(["_sqlx_migrations".to_owned()]) {
        for statement in [
            format!("SELECT * FROM bailiwick.{table}"),
            format!("DELETE FROM bailiwick.{table}"),
            format!("INSERT INTO bailiwick.{table} DEFAULT VALUES"),
        ] {
            assert_eq!(run(&mut sql, statement.clone()).await, Err(DENIED.into()), "{statement}");
        }
    }
    for role in ["bailiwick_owner", "postgres"] {
        assert!(run(&mut sql, format!("SET ROLE {role}")).await.is_err(), "the login role may become {role}");
    }
    assert_eq!(run(&mut sql, "CREATE TABLE public.mine (x int)".into()).await, Err(DENIED.into()));
    assert_eq!(run(&mut sql, "CREATE TABLE bailiwick.mine (x int)".into()).await, Err(DENIED.into()));
}

/// The system role sees the queue and the list of tenants, and no evidence.
#[tokio::test]
async fn i16_the_system_role_sees_no_evidence() {
    let stage = Stage::new().await;
    let (mut look, mut sql) = (stage.world.look().await, login(&stage).await);
    for table in tenant_tables(&mut look).await.into_iter().filter(|t| !["jobs", "job_schedules"].contains(&t.as_str())) {
        enter(&mut sql, "bailiwick_system", None, None).await;
        assert_eq!(run(&mut sql, format!("SELECT * FROM bailiwick.{table}")).await, Err(DENIED.into()), "{table}");
    }
}

#[tokio::test]
async fn i41_entries_of_the_trail_cannot_be_changed_or_removed() {
    let stage = Stage::new().await;
    let mut sql = login(&stage).await;
    for statement in
        ["UPDATE bailiwick.trail_entries SET body = '{}'", "DELETE FROM bailiwick.trail_entries", "TRUNCATE bailiwick.trail_entries"]
    {
        enter(&mut sql, "bailiwick_app", Some(stage.contoso().id), None).await;
        assert_eq!(run(&mut sql, statement.into()).await, Err(DENIED.into()), "{statement}");
    }
}

/// Foreign keys are checked past row security; the composite ones refuse a row that leads to another tenant's.
#[tokio::test]
async fn i16_no_row_can_be_written_for_or_bound_to_another_tenant() {
    let stage = Stage::new().await;
    let mut sql = login(&stage).await;
    let (contoso, fabrikam) = (stage.contoso().id, stage.world.fabrikam.id);
    let run_id = &stage.runs[0];
    for (statement, code) in [
        // For another tenant: the policy's check refuses.
        (
            format!("INSERT INTO bailiwick.projects (tenant_id, id, name, created_at) VALUES ('{contoso}', gen_random_uuid(), 'x', now())"),
            DENIED,
        ),
        (format!("UPDATE bailiwick.runs SET tenant_id = '{contoso}'"), DENIED),
        // Bound to another tenant's run: the foreign key refuses, although the run exists.
        (
            format!(
                "INSERT INTO bailiwick.run_series (tenant_id, series_id, position, run_id, at, counts, findings, coverage, complete)
                     SELECT '{fabrikam}', id, 99, '{run_id}', now(), '{{}}', '{{}}', '[]', true FROM bailiwick.series LIMIT 1"
            ),
            "23503",
        ),
        (
            format!(
                "INSERT INTO bailiwick.api_keys (tenant_id, id, project_id, name, hint, sha256, created_at, created_by, expires_at)
                  VALUES ('{fabrikam}', gen_random_uuid(), '{}', 'x', 'x', sha256('x'), now(), '{{}}', now())",
                stage.project
            ),
            "23503",
        ),
    ] {
        enter(&mut sql, "bailiwick_app", Some(fabrikam), None).await;
        assert_eq!(run(&mut sql, statement.clone()).await, Err(code.into()), "{statement}");
    }
    for statement in
        ["UPDATE bailiwick.runs SET source = 'mine'", "DELETE FROM bailiwick.members", "UPDATE bailiwick.tenants SET name = 'mine'"]
    {
        enter(&mut sql, "bailiwick_app", Some(fabrikam), None).await;
        let statement = format!("{statement} WHERE {} = '{contoso}'", if statement.contains("tenants") { "id" } else { "tenant_id" });
        assert_eq!(run(&mut sql, statement.clone()).await, Ok(0), "{statement}");
    }
}

#[tokio::test]
async fn i13_the_database_itself_shows_a_project_key_no_other_project() {
    let stage = Stage::new().await;
    let (mut look, mut sql) = (stage.world.look().await, login(&stage).await);
    let contoso = stage.contoso().id;
    for (table, columns) in tables(&mut look).await.into_iter().filter(|(_, columns)| columns.iter().any(|c| c == "project_id")) {
        assert!(columns.iter().any(|c| c == "tenant_id"), "{table}");
        enter(&mut sql, "bailiwick_app", Some(contoso), Some(&stage.other_project)).await;
        let seen = count(&mut sql, &table, "true").await;
        let own = count(&mut look, &table, &format!("tenant_id = '{contoso}' AND project_id = '{}'", stage.other_project)).await;
        assert_eq!(seen, own, "{table}");
    }
    enter(&mut sql, "bailiwick_app", Some(contoso), Some(&stage.other_project)).await;
    assert_eq!(count(&mut sql, "projects", "true").await, 1);
    for table in ["members", "secrets", "job_schedules", "trail_entries"] {
        assert_eq!(count(&mut sql, table, "true").await, 0, "a project key sees {table}");
    }
    let taken = format!("UPDATE bailiwick.runs SET project_id = '{}' WHERE tenant_id = '{contoso}'", stage.other_project);
    assert_eq!(run(&mut sql, taken).await, Ok(0), "a project key took another project's runs");
    enter(&mut sql, "bailiwick_app", Some(contoso), Some(&stage.project)).await;
    let given = format!("UPDATE bailiwick.runs SET project_id = '{}' WHERE tenant_id = '{contoso}'", stage.other_project);
    assert_eq!(run(&mut sql, given).await, Err(DENIED.into()), "a project key gave its runs to another project");
}

/// What a request says beside its credential — paths, queries, bodies, hosts, headers — never chooses the tenant.
#[tokio::test]
async fn i15_nothing_but_the_credential_chooses_the_tenant() {
    let stage = Stage::new().await;
    let fabrikam = stage.world.fabrikam.owner();
    let (own, other) = (stage.world.fabrikam.id.to_string(), stage.contoso().id.to_string());
    for name in ["x-tenant", "x-tenant-id", "x-bailiwick-tenant", "x-forwarded-host", "x-original-url", "forwarded"] {
        let request = fabrikam.request(reqwest::Method::GET, "/api/v1/me").header(name, &other);
        assert_eq!(fabrikam.send(request).await.ok()["tenant"], own, "{name}");
    }
    for name in ["tenant", "tenant_id"] {
        let request = fabrikam.request(reqwest::Method::GET, "/api/v1/runs").query(&[(name, &other)]);
        assert_eq!(fabrikam.send(request).await.refused(400), "bad_request", "{name} in the query");
        let mut body = serde_json::json!({"source": "x"});
        body[name] = other.clone().into();
        assert_eq!(fabrikam.post("/api/v1/runs", body).await.refused(400), "bad_request", "{name} in the body");
    }
}

/// A key whose bytes were changed to name another tenant or project is no key.
#[tokio::test]
async fn i15_a_key_rewritten_to_name_another_tenant_or_project_is_none() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let stage = Stage::new().await;
    let bailiwick_testkit::actor::Credential::Key(key) = &stage.project_key.credential else { unreachable!() };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(key.strip_prefix("bwk_").unwrap()).unwrap();
    for (at, id) in [(0, stage.world.fabrikam.id.0), (16, stage.other_project.parse().unwrap()), (16, uuid::Uuid::nil())] {
        let mut changed = bytes.clone();
        changed[at..at + 16].copy_from_slice(id.as_bytes());
        let actor = stage.contoso().with_key(&format!("bwk_{}", BASE64_URL_SAFE_NO_PAD.encode(changed)));
        assert_eq!(actor.get("/api/v1/me").await.refused(401), "not_signed_in");
    }
}

/// No host name stands for a tenant in this version, so none can be mistaken for another: the session's tenant is the only one.
#[tokio::test]
async fn i19_a_host_name_never_leads_to_another_tenant() {
    let stage = Stage::new().await;
    let fabrikam = stage.world.fabrikam.owner();
    for host in ["contoso.bailiwick.example", "contoso.localhost", "127.0.0.1"] {
        let request = fabrikam.request(reqwest::Method::GET, "/api/v1/me").header("host", host);
        assert_eq!(fabrikam.send(request).await.ok()["tenant"], stage.world.fabrikam.id.to_string(), "{host}");
    }
}
