//! All SQL of `projects`, `directories` and the tenant's settings.

use bailiwick_base::{DirectoryId, Problem, ProjectId, TenantId, Timestamp};
use bailiwick_contract::tenancy::{Directory, DirectoryOrigin, Project, Settings, UnknownDirectory};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use sqlx::PgConnection;
use uuid::Uuid;

pub fn unknown_directory_word(choice: UnknownDirectory) -> &'static str {
    match choice {
        UnknownDirectory::Refuse => "refuse",
        UnknownDirectory::Add => "add",
    }
}

pub async fn settings(sql: &mut PgConnection, tenant: TenantId) -> Result<Settings, Problem> {
    let (name, directory, unknown): (String, Uuid, String) =
        sqlx::query_as("SELECT name, sign_in_directory, unknown_directory FROM tenants WHERE id = $1")
            .bind(tenant.0)
            .fetch_one(sql)
            .await
            .map_err(StoreError::from)?;
    let unknown_directory = if unknown == "add" { UnknownDirectory::Add } else { UnknownDirectory::Refuse };
    Ok(Settings { tenant, name, sign_in_directory: DirectoryId(directory), unknown_directory })
}

pub async fn change_settings(
    sql: &mut PgConnection,
    tenant: TenantId,
    name: Option<&str>,
    unknown: Option<UnknownDirectory>,
) -> Result<(), Problem> {
    sqlx::query("UPDATE tenants SET name = coalesce($2, name), unknown_directory = coalesce($3, unknown_directory) WHERE id = $1")
        .bind(tenant.0)
        .bind(name)
        .bind(unknown.map(unknown_directory_word))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn projects(
    sql: &mut PgConnection,
    tenant: TenantId,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<Project>, Problem> {
    let (name, id) = after.unzip();
    let rows: Vec<(Uuid, String, SqlTime)> = sqlx::query_as(
        "SELECT id, name, created_at FROM projects WHERE tenant_id = $1 AND ($2::text IS NULL OR (name, id) > ($2, $3)) ORDER BY name, id LIMIT $4",
    )
    .bind(tenant.0)
    .bind(name)
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|(id, name, at)| Project { id: ProjectId(id), name, created_at: at.to_jiff() }).collect())
}

pub async fn insert_project(sql: &mut PgConnection, tenant: TenantId, project: &Project) -> Result<(), Problem> {
    sqlx::query("INSERT INTO projects (tenant_id, id, name, created_at) VALUES ($1, $2, $3, $4)")
        .bind(tenant.0)
        .bind(project.id.0)
        .bind(&project.name)
        .bind(sql_time(project.created_at))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// A project by id, or by name.
pub async fn find_project(sql: &mut PgConnection, tenant: TenantId, text: &str) -> Result<Option<ProjectId>, Problem> {
    let id: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM projects WHERE tenant_id = $1 AND (id = $2 OR name = $3) ORDER BY id = $2 DESC LIMIT 1")
            .bind(tenant.0)
            .bind(text.parse::<Uuid>().ok())
            .bind(text)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(id.map(ProjectId))
}

type DirectoryRow = (Uuid, String, String, SqlTime, Option<SqlTime>);

fn directory((id, name, origin, added_at, last_run_at): DirectoryRow) -> Directory {
    Directory {
        id: DirectoryId(id),
        name,
        origin: if origin == "listed" { DirectoryOrigin::Listed } else { DirectoryOrigin::Reported },
        added_at: added_at.to_jiff(),
        last_run_at: last_run_at.map(SqlTime::to_jiff),
    }
}

pub async fn directories(
    sql: &mut PgConnection,
    tenant: TenantId,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<Directory>, Problem> {
    let (name, id) = after.unzip();
    let rows: Vec<DirectoryRow> = sqlx::query_as(
        "SELECT id, name, origin, added_at, last_run_at FROM directories
         WHERE tenant_id = $1 AND removed_at IS NULL AND ($2::text IS NULL OR (name, id) > ($2, $3)) ORDER BY name, id LIMIT $4",
    )
    .bind(tenant.0)
    .bind(name)
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(directory).collect())
}

/// Lists a directory; one that was removed is taken back. `None` when it is listed already.
pub async fn add_directory(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: DirectoryId,
    name: &str,
    origin: &str,
    now: Timestamp,
) -> Result<Option<Directory>, Problem> {
    let row: Option<DirectoryRow> = sqlx::query_as(
        "INSERT INTO directories (tenant_id, id, name, origin, added_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, origin = excluded.origin, added_at = excluded.added_at, removed_at = NULL
             WHERE directories.removed_at IS NOT NULL
         RETURNING id, name, origin, added_at, last_run_at",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(name)
    .bind(origin)
    .bind(sql_time(now))
    .fetch_optional(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(row.map(directory))
}

pub async fn remove_directory(sql: &mut PgConnection, tenant: TenantId, id: DirectoryId, now: Timestamp) -> Result<bool, Problem> {
    let done = sqlx::query("UPDATE directories SET removed_at = $3 WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL")
        .bind(tenant.0)
        .bind(id.0)
        .bind(sql_time(now))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}

/// Whether reports about the directory are taken; `None` for one that was never listed, `false` for one that was removed.
pub async fn takes_directory(sql: &mut PgConnection, tenant: TenantId, id: DirectoryId) -> Result<Option<bool>, Problem> {
    sqlx::query_scalar("SELECT removed_at IS NULL FROM directories WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

pub async fn touch_directory(sql: &mut PgConnection, tenant: TenantId, id: DirectoryId, at: Timestamp) -> Result<(), Problem> {
    sqlx::query("UPDATE directories SET last_run_at = greatest(last_run_at, $3) WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .bind(sql_time(at))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}
