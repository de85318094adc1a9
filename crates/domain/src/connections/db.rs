//! All SQL of `connections` and `consents`.

use super::model;
use bailiwick_base::{ConnectionId, DirectoryId, Principal, Problem, TenantId, Timestamp};
use bailiwick_contract::connections::{CloudFailure, Connection, ConnectionApp, ConnectionKind, ConnectionState, CredentialKind};
use bailiwick_contract::evidence::Named;
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

macro_rules! connection_columns {
    () => {
        "SELECT c.id, c.directory_id, d.name AS directory_name, c.kind, c.label, c.is_primary, c.client_id, c.own, c.credential,
                c.credential_expires_at, c.working, c.failure, c.granted, c.checked_at, c.connected_at, c.connected_by, c.disconnected_at
         FROM connections c JOIN directories d ON d.tenant_id = c.tenant_id AND d.id = c.directory_id "
    };
}

#[derive(FromRow)]
pub struct ConnectionRow {
    pub id: Uuid,
    pub directory_id: Uuid,
    directory_name: String,
    kind: String,
    label: String,
    is_primary: bool,
    pub client_id: String,
    pub own: bool,
    credential: String,
    credential_expires_at: Option<SqlTime>,
    working: Option<bool>,
    failure: Option<Json<CloudFailure>>,
    granted: Vec<String>,
    checked_at: Option<SqlTime>,
    connected_at: SqlTime,
    connected_by: Json<Principal>,
    disconnected_at: Option<SqlTime>,
}

impl ConnectionRow {
    pub fn kind(&self) -> ConnectionKind {
        ConnectionKind::parse(&self.kind).unwrap_or(ConnectionKind::Read)
    }
    pub fn credential(&self) -> CredentialKind {
        CredentialKind::parse(&self.credential).unwrap_or(CredentialKind::Secret)
    }
    pub fn directory(&self) -> Named<DirectoryId> {
        Named { id: DirectoryId(self.directory_id), name: self.directory_name.clone() }
    }
    pub fn live(&self) -> bool {
        self.disconnected_at.is_none()
    }

    pub fn connection(&self, now: Timestamp) -> Connection {
        let state = match (self.disconnected_at, self.working) {
            (Some(_), _) => ConnectionState::Disconnected,
            (None, None) => ConnectionState::Unchecked,
            (None, Some(true)) => ConnectionState::Working,
            (None, Some(false)) => ConnectionState::Failing,
        };
        let (kind, credential) = (self.kind(), self.credential());
        let expires_at = self.credential_expires_at.map(SqlTime::to_jiff);
        Connection {
            id: ConnectionId(self.id),
            directory: self.directory(),
            kind,
            label: self.label.clone(),
            primary: self.is_primary,
            state,
            app: ConnectionApp { client_id: self.client_id.clone(), own: self.own, credential, expires_at },
            granted: self.granted.clone(),
            features: model::features(kind, &self.granted, state == ConnectionState::Working),
            warnings: if self.live() { model::warnings(kind, credential, expires_at, &self.granted, now) } else { Vec::new() },
            failure: self.failure.as_ref().map(|f| f.0.clone()),
            checked_at: self.checked_at.map(SqlTime::to_jiff),
            connected_at: self.connected_at.to_jiff(),
            connected_by: self.connected_by.0.clone(),
            disconnected_at: self.disconnected_at.map(SqlTime::to_jiff),
        }
    }
}

pub async fn connection(sql: &mut PgConnection, tenant: TenantId, id: ConnectionId) -> Result<Option<ConnectionRow>, Problem> {
    sqlx::query_as(concat!(connection_columns!(), "WHERE c.tenant_id = $1 AND c.id = $2"))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// The live connection to a directory, or the primary one; of the two kinds the one asked for.
pub async fn live(
    sql: &mut PgConnection,
    tenant: TenantId,
    kind: ConnectionKind,
    directory: Option<DirectoryId>,
) -> Result<Option<ConnectionRow>, Problem> {
    sqlx::query_as(concat!(
        connection_columns!(),
        "WHERE c.tenant_id = $1 AND c.kind = $2 AND c.disconnected_at IS NULL AND CASE WHEN $3::uuid IS NULL THEN c.is_primary ELSE c.directory_id = $3 END"
    ))
    .bind(tenant.0)
    .bind(kind.as_str())
    .bind(directory.map(|d| d.0))
    .fetch_optional(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// The live connections of one kind: directory and connection.
pub async fn live_of_kind(sql: &mut PgConnection, tenant: TenantId, kind: ConnectionKind) -> Result<Vec<(Uuid, Uuid)>, Problem> {
    sqlx::query_as("SELECT directory_id, id FROM connections WHERE tenant_id = $1 AND kind = $2 AND disconnected_at IS NULL")
        .bind(tenant.0)
        .bind(kind.as_str())
        .fetch_all(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

pub struct ConnectionFilter {
    pub kind: Option<&'static str>,
    pub directory: Option<DirectoryId>,
    pub all: bool,
    pub before: Option<(Timestamp, Uuid)>,
}

pub async fn connections(
    sql: &mut PgConnection,
    tenant: TenantId,
    filter: &ConnectionFilter,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Connection>, Problem> {
    let (at, id) = filter.before.unzip();
    let rows: Vec<ConnectionRow> = sqlx::query_as(concat!(
        connection_columns!(),
        "WHERE c.tenant_id = $1 AND ($2::text IS NULL OR c.kind = $2) AND ($3::uuid IS NULL OR c.directory_id = $3)
           AND ($4 OR c.disconnected_at IS NULL) AND ($5::timestamptz IS NULL OR (c.connected_at, c.id) < ($5, $6))
         ORDER BY c.connected_at DESC, c.id DESC LIMIT $7"
    ))
    .bind(tenant.0)
    .bind(filter.kind)
    .bind(filter.directory.map(|d| d.0))
    .bind(filter.all)
    .bind(at.map(sql_time))
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.iter().map(|row| row.connection(now)).collect())
}

pub struct NewConnection<'a> {
    pub id: ConnectionId,
    pub directory: DirectoryId,
    pub kind: ConnectionKind,
    pub label: &'a str,
    pub client_id: &'a str,
    pub own: bool,
    pub credential: CredentialKind,
    pub expires_at: Option<Timestamp>,
    pub by: &'a Principal,
    pub at: Timestamp,
}

/// The first live connection of its kind becomes the primary one.
pub async fn insert(sql: &mut PgConnection, tenant: TenantId, new: &NewConnection<'_>) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO connections (tenant_id, id, directory_id, kind, label, is_primary, client_id, own, credential, credential_expires_at,
                connected_at, connected_by)
         VALUES ($1, $2, $3, $4, $5, NOT EXISTS (SELECT FROM connections p WHERE p.tenant_id = $1 AND p.kind = $4 AND p.is_primary),
                 $6, $7, $8, $9, $10, $11)",
    )
    .bind(tenant.0)
    .bind(new.id.0)
    .bind(new.directory.0)
    .bind(new.kind.as_str())
    .bind(new.label)
    .bind(new.client_id)
    .bind(new.own)
    .bind(new.credential.as_str())
    .bind(new.expires_at.map(sql_time))
    .bind(sql_time(new.at))
    .bind(Json(new.by))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Notes what Microsoft said. A refusal leaves what was granted before as it was known.
pub async fn note_check(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: ConnectionId,
    outcome: &Result<Vec<String>, CloudFailure>,
    now: Timestamp,
) -> Result<(), Problem> {
    let (granted, failure) = match outcome {
        Ok(granted) => (Some(granted), None),
        Err(failure) => (None, Some(Json(failure))),
    };
    sqlx::query(
        "UPDATE connections SET working = $3, granted = coalesce($4, granted), failure = $5, checked_at = $6 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(outcome.is_ok())
    .bind(granted)
    .bind(failure)
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Gives the directory the name Microsoft knows it by, where people gave it none.
pub async fn name_directory(sql: &mut PgConnection, tenant: TenantId, id: DirectoryId, name: &str) -> Result<(), Problem> {
    sqlx::query("UPDATE directories SET name = $3 WHERE tenant_id = $1 AND id = $2 AND name = id::text")
        .bind(tenant.0)
        .bind(id.0)
        .bind(name)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn relabel(sql: &mut PgConnection, tenant: TenantId, id: ConnectionId, label: &str) -> Result<(), Problem> {
    sqlx::query("UPDATE connections SET label = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .bind(label)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn make_primary(sql: &mut PgConnection, tenant: TenantId, kind: ConnectionKind, id: ConnectionId) -> Result<(), Problem> {
    // Two statements: the index that allows one primary looks at every row as it changes.
    sqlx::query("UPDATE connections SET is_primary = false WHERE tenant_id = $1 AND kind = $2 AND is_primary")
        .bind(tenant.0)
        .bind(kind.as_str())
        .execute(&mut *sql)
        .await
        .map_err(StoreError::from)?;
    sqlx::query("UPDATE connections SET is_primary = true WHERE tenant_id = $1 AND id = $2 AND disconnected_at IS NULL")
        .bind(tenant.0)
        .bind(id.0)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// Ends a connection; the oldest live one of its kind becomes primary in its place. False when it has ended already.
pub async fn disconnect(sql: &mut PgConnection, tenant: TenantId, id: ConnectionId, now: Timestamp) -> Result<bool, Problem> {
    let kind: Option<String> = sqlx::query_scalar(
        "UPDATE connections SET disconnected_at = $3, is_primary = false WHERE tenant_id = $1 AND id = $2 AND disconnected_at IS NULL RETURNING kind",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(sql_time(now))
    .fetch_optional(&mut *sql)
    .await
    .map_err(StoreError::from)?;
    let Some(kind) = kind else { return Ok(false) };
    sqlx::query(
        "UPDATE connections SET is_primary = true
         WHERE tenant_id = $1 AND NOT EXISTS (SELECT FROM connections p WHERE p.tenant_id = $1 AND p.kind = $2 AND p.is_primary)
           AND id = (SELECT id FROM connections o WHERE o.tenant_id = $1 AND o.kind = $2 AND o.disconnected_at IS NULL
                     ORDER BY o.connected_at, o.id LIMIT 1)",
    )
    .bind(tenant.0)
    .bind(kind)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(true)
}

pub struct BegunConsent<'a> {
    pub state_sha256: [u8; 32],
    pub kind: ConnectionKind,
    pub directory: DirectoryId,
    pub label: Option<&'a str>,
    pub by: &'a Principal,
    pub at: Timestamp,
    pub expires_at: Timestamp,
    pub had_access: bool,
}

/// Notes a consent that begins. Those whose time is over go, after as long again: until then another tenant's consent may have begun
/// while they waited, and is not taken beside them.
pub async fn insert_consent(sql: &mut PgConnection, tenant: TenantId, consent: &BegunConsent<'_>) -> Result<(), Problem> {
    sqlx::query("DELETE FROM consents WHERE tenant_id = $1 AND expires_at + (expires_at - begun_at) <= $2")
        .bind(tenant.0)
        .bind(sql_time(consent.at))
        .execute(&mut *sql)
        .await
        .map_err(StoreError::from)?;
    sqlx::query(
        "INSERT INTO consents (tenant_id, state_sha256, kind, directory_id, label, begun_by, begun_at, expires_at, had_access)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.0)
    .bind(consent.state_sha256.as_slice())
    .bind(consent.kind.as_str())
    .bind(consent.directory.0)
    .bind(consent.label)
    .bind(Json(consent.by))
    .bind(sql_time(consent.at))
    .bind(sql_time(consent.expires_at))
    .bind(consent.had_access)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// A consent under way.
#[derive(Clone)]
pub struct Consent {
    pub kind: ConnectionKind,
    pub directory: DirectoryId,
    pub label: Option<String>,
    pub begun_by: Principal,
    pub begun_at: Timestamp,
    pub had_access: bool,
}

type BegunRow = (String, Uuid, Option<String>, Json<Principal>, SqlTime, bool);

/// The consent that a state belongs to, while it may still be used.
pub async fn consent(
    sql: &mut PgConnection,
    tenant: TenantId,
    state_sha256: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Consent>, Problem> {
    let row: Option<BegunRow> = sqlx::query_as(
        "SELECT kind, directory_id, label, begun_by, begun_at, had_access FROM consents
         WHERE tenant_id = $1 AND state_sha256 = $2 AND used_at IS NULL AND expires_at > $3",
    )
    .bind(tenant.0)
    .bind(state_sha256.as_slice())
    .bind(sql_time(now))
    .fetch_optional(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(row.map(|(kind, directory, label, begun_by, begun_at, had_access)| Consent {
        kind: ConnectionKind::parse(&kind).unwrap_or(ConnectionKind::Read),
        directory: DirectoryId(directory),
        label,
        begun_by: begun_by.0,
        begun_at: begun_at.to_jiff(),
        had_access,
    }))
}

/// Uses a state up; false when it was used meanwhile.
pub async fn use_consent(sql: &mut PgConnection, tenant: TenantId, state_sha256: &[u8; 32], now: Timestamp) -> Result<bool, Problem> {
    let done = sqlx::query("UPDATE consents SET used_at = $3 WHERE tenant_id = $1 AND state_sha256 = $2 AND used_at IS NULL")
        .bind(tenant.0)
        .bind(state_sha256.as_slice())
        .bind(sql_time(now))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}
