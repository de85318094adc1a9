//! All SQL of `members` and `api_keys`.

use bailiwick_base::{ApiKeyId, DirectoryId, MemberId, Principal, Problem, ProjectId, TenantId, Timestamp};
use bailiwick_contract::Role;
use bailiwick_contract::identity::{ApiKey, KeyState, Member};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

#[derive(FromRow)]
struct MemberRow {
    id: Uuid,
    directory_id: Uuid,
    object_id: Uuid,
    name: String,
    email: String,
    role: String,
    added_at: SqlTime,
}

fn member(row: MemberRow) -> Result<Member, Problem> {
    Ok(Member {
        id: MemberId(row.id),
        directory: DirectoryId(row.directory_id),
        object_id: row.object_id,
        name: row.name,
        email: row.email,
        role: Role::parse(&row.role).ok_or_else(|| Problem::internal(format!("stored role {:?}", row.role)))?,
        added_at: row.added_at.to_jiff(),
    })
}

pub async fn members(sql: &mut PgConnection, tenant: TenantId, after: Option<(String, Uuid)>, limit: i64) -> Result<Vec<Member>, Problem> {
    let (name, id) = after.unzip();
    let rows: Vec<MemberRow> = sqlx::query_as(
        "SELECT id, directory_id, object_id, name, email, role, added_at FROM members
         WHERE tenant_id = $1 AND ($2::text IS NULL OR (name, id) > ($2, $3)) ORDER BY name, id LIMIT $4",
    )
    .bind(tenant.0)
    .bind(name)
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    rows.into_iter().map(member).collect()
}

/// One member, locked until the transaction ends.
pub async fn member_for_update(sql: &mut PgConnection, tenant: TenantId, id: MemberId) -> Result<Option<Member>, Problem> {
    let row: Option<MemberRow> = sqlx::query_as(
        "SELECT id, directory_id, object_id, name, email, role, added_at FROM members WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
    )
    .bind(tenant.0)
    .bind(id.0)
    .fetch_optional(sql)
    .await
    .map_err(StoreError::from)?;
    row.map(member).transpose()
}

/// The role of the person behind a token.
pub async fn role_of(sql: &mut PgConnection, tenant: TenantId, directory: DirectoryId, object: Uuid) -> Result<Option<Role>, Problem> {
    let role: Option<String> = sqlx::query_scalar("SELECT role FROM members WHERE tenant_id = $1 AND directory_id = $2 AND object_id = $3")
        .bind(tenant.0)
        .bind(directory.0)
        .bind(object)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(role.as_deref().and_then(Role::parse))
}

/// Lets one at a time decide, until its transaction ends, whether a tenant has members yet.
pub async fn lock_first_owners(sql: &mut PgConnection, tenant: TenantId) -> Result<(), Problem> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('first owners of ' || $1::text, 0))")
        .bind(tenant.0)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn insert_member(sql: &mut PgConnection, tenant: TenantId, member: &Member) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO members (tenant_id, id, directory_id, object_id, name, email, role, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant.0)
    .bind(member.id.0)
    .bind(member.directory.0)
    .bind(member.object_id)
    .bind(&member.name)
    .bind(&member.email)
    .bind(member.role.as_str())
    .bind(sql_time(member.added_at))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

pub async fn set_role(sql: &mut PgConnection, tenant: TenantId, id: MemberId, role: Role) -> Result<(), Problem> {
    sqlx::query("UPDATE members SET role = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .bind(role.as_str())
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn delete_member(sql: &mut PgConnection, tenant: TenantId, id: MemberId) -> Result<(), Problem> {
    sqlx::query("DELETE FROM members WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// How many owners there are, all of them locked, so that two owners cannot remove each other at once.
pub async fn lock_owners(sql: &mut PgConnection, tenant: TenantId) -> Result<usize, Problem> {
    let owners: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM members WHERE tenant_id = $1 AND role = 'owner' ORDER BY id FOR UPDATE")
        .bind(tenant.0)
        .fetch_all(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(owners.len())
}

#[derive(FromRow)]
struct KeyRow {
    id: Uuid,
    project_id: Option<Uuid>,
    name: String,
    hint: String,
    created_at: SqlTime,
    created_by: Json<Principal>,
    expires_at: SqlTime,
    revoked_at: Option<SqlTime>,
    last_used_at: Option<SqlTime>,
}

fn key(row: KeyRow, now: Timestamp) -> ApiKey {
    let state = match (row.revoked_at.is_some(), row.expires_at.to_jiff() <= now) {
        (true, _) => KeyState::Revoked,
        (false, true) => KeyState::Expired,
        (false, false) => KeyState::Active,
    };
    ApiKey {
        id: ApiKeyId(row.id),
        name: row.name,
        hint: row.hint,
        project: row.project_id.map(ProjectId),
        state,
        created_at: row.created_at.to_jiff(),
        created_by: row.created_by.0,
        expires_at: row.expires_at.to_jiff(),
        revoked_at: row.revoked_at.map(SqlTime::to_jiff),
        last_used_at: row.last_used_at.map(SqlTime::to_jiff),
    }
}

/// Keys, newest first.
pub async fn keys(
    sql: &mut PgConnection,
    tenant: TenantId,
    before: Option<Uuid>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<ApiKey>, Problem> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT id, project_id, name, hint, created_at, created_by, expires_at, revoked_at, last_used_at FROM api_keys
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(tenant.0)
    .bind(before)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|row| key(row, now)).collect())
}

pub async fn insert_key(sql: &mut PgConnection, tenant: TenantId, key: &ApiKey, sha256: &[u8; 32]) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO api_keys (tenant_id, id, project_id, name, hint, sha256, created_at, created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.0)
    .bind(key.id.0)
    .bind(key.project.map(|p| p.0))
    .bind(&key.name)
    .bind(&key.hint)
    .bind(sha256.as_slice())
    .bind(sql_time(key.created_at))
    .bind(Json(&key.created_by))
    .bind(sql_time(key.expires_at))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Revokes a key; answers its name, or nothing when there is no such key that still lives.
pub async fn revoke_key(sql: &mut PgConnection, tenant: TenantId, id: ApiKeyId, now: Timestamp) -> Result<Option<String>, Problem> {
    sqlx::query_scalar("UPDATE api_keys SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING name")
        .bind(tenant.0)
        .bind(id.0)
        .bind(sql_time(now))
        .fetch_optional(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// Notes that a key was used to submit.
pub async fn note_use(sql: &mut PgConnection, tenant: TenantId, sha256: &[u8; 32], now: Timestamp) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE api_keys SET last_used_at = $3 WHERE tenant_id = $1 AND sha256 = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
    )
    .bind(tenant.0)
    .bind(sha256.as_slice())
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}
