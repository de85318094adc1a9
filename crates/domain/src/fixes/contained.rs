//! All SQL of containments and their acts.

use bailiwick_base::{ContainmentId, DirectoryId, Principal, Problem, TenantId, Timestamp};
use bailiwick_contract::evidence::Named;
use bailiwick_contract::fixes::{
    ActStanding, ActState, ContainedUser, Containment, ContainmentAct, ContainmentMay, ContainmentState, FixFailure,
};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// A containment with its acts and the state they come to.
macro_rules! containment_columns {
    () => {
        "SELECT c.id, c.directory_id, d.name AS directory_name, c.user_id, c.user_name, c.principal_name, c.revoke_sessions, c.disable, c.reason,
                c.ordered_at, c.ordered_by, c.released_by, a.acts, a.state
         FROM containments c JOIN directories d ON d.tenant_id = c.tenant_id AND d.id = c.directory_id
         CROSS JOIN LATERAL (
             SELECT jsonb_agg(jsonb_build_object('act', a.act, 'state', a.state, 'changed', a.changed, 'done_at', to_char(a.done_at
                        AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'failure', a.failure) ORDER BY a.ordered_at, a.act DESC) AS acts,
                    CASE max(a.state) FILTER (WHERE a.act = 'release')
                        WHEN 'waiting' THEN 'releasing' WHEN 'done' THEN 'released' WHEN 'failed' THEN 'release_failed'
                        ELSE CASE WHEN bool_or(a.state = 'waiting') THEN 'acting' WHEN bool_and(a.state = 'done') THEN 'contained'
                                  WHEN bool_and(a.state = 'failed') THEN 'failed' ELSE 'partly' END
                    END AS state
             FROM containment_acts a WHERE a.tenant_id = c.tenant_id AND a.containment_id = c.id) a "
    };
}

#[derive(FromRow)]
struct RawContainment {
    id: Uuid,
    directory_id: Uuid,
    directory_name: String,
    user_id: String,
    user_name: Option<String>,
    principal_name: Option<String>,
    revoke_sessions: bool,
    disable: bool,
    reason: String,
    ordered_at: SqlTime,
    ordered_by: Json<Principal>,
    released_by: Option<Json<Principal>>,
    acts: Option<Json<Vec<RawAct>>>,
    state: String,
}

#[derive(Deserialize)]
struct RawAct {
    act: ContainmentAct,
    state: ActState,
    changed: bool,
    done_at: Option<Timestamp>,
    failure: Option<FixFailure>,
}

impl RawContainment {
    fn containment(self) -> Containment {
        let acts = self.acts.map(|acts| acts.0).unwrap_or_default();
        let state = ContainmentState::parse(&self.state).unwrap_or(ContainmentState::Failed);
        let released = acts.iter().find(|act| act.act == ContainmentAct::Release && act.state == ActState::Done);
        Containment {
            id: ContainmentId(self.id),
            directory: Named { id: DirectoryId(self.directory_id), name: self.directory_name },
            user: ContainedUser { id: self.user_id, name: self.user_name, principal_name: self.principal_name },
            revoke_sessions: self.revoke_sessions,
            disable: self.disable,
            reason: self.reason,
            state,
            by: self.ordered_by.0,
            at: self.ordered_at.to_jiff(),
            steps: Vec::new(),
            failure: acts.iter().find_map(|act| act.failure.clone()),
            released_at: released.and_then(|act| act.done_at),
            released_by: released.and(self.released_by).map(|by| by.0),
            may: ContainmentMay { release: why_not_release(state, &acts) },
            acts: acts
                .into_iter()
                .map(|act| ActStanding { act: act.act, state: act.state, done_at: act.done_at, failure: act.failure })
                .collect(),
        }
    }
}

/// Why a person cannot be released.
fn why_not_release(state: ContainmentState, acts: &[RawAct]) -> Option<String> {
    // One that was sent and could not be read back may have locked the account: releasing looks first.
    let disabled = acts.iter().find(|act| act.act == ContainmentAct::Disable && (act.state == ActState::Done || act.changed));
    let why = match state {
        ContainmentState::Acting | ContainmentState::Releasing => "It is still under way.",
        ContainmentState::Released => "The account is enabled again.",
        _ => match disabled {
            None => "The account was not disabled by this, so there is nothing to take back.",
            Some(act) if !act.changed => "The account was disabled before, so this does not enable it. Enable it in Entra.",
            Some(_) => return None,
        },
    };
    Some(why.into())
}

pub async fn containment(sql: &mut PgConnection, tenant: TenantId, id: ContainmentId) -> Result<Option<Containment>, Problem> {
    let row: Option<RawContainment> = sqlx::query_as(concat!(containment_columns!(), "WHERE c.tenant_id = $1 AND c.id = $2"))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(row.map(RawContainment::containment))
}

/// The same, kept from being ordered about by anybody else until this transaction ends.
pub async fn hold(sql: &mut PgConnection, tenant: TenantId, id: ContainmentId) -> Result<Option<Containment>, Problem> {
    let held: Option<Uuid> = sqlx::query_scalar("SELECT id FROM containments WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(&mut *sql)
        .await
        .map_err(StoreError::from)?;
    match held {
        Some(_) => containment(sql, tenant, id).await,
        None => Ok(None),
    }
}

pub struct ContainmentFilter<'a> {
    pub directory: Option<DirectoryId>,
    pub user: Option<&'a str>,
    pub state: Option<&'static str>,
    pub before: Option<(Timestamp, Uuid)>,
}

pub async fn containments(
    sql: &mut PgConnection,
    tenant: TenantId,
    filter: &ContainmentFilter<'_>,
    limit: i64,
) -> Result<Vec<Containment>, Problem> {
    let (at, id) = filter.before.unzip();
    let rows: Vec<RawContainment> = sqlx::query_as(concat!(
        containment_columns!(),
        "WHERE c.tenant_id = $1 AND ($2::uuid IS NULL OR c.directory_id = $2) AND ($3::text IS NULL OR c.user_id = $3)
           AND ($4::text IS NULL OR a.state = $4) AND ($5::timestamptz IS NULL OR (c.ordered_at, c.id) < ($5, $6))
         ORDER BY c.ordered_at DESC, c.id DESC LIMIT $7"
    ))
    .bind(tenant.0)
    .bind(filter.directory.map(|d| d.0))
    .bind(filter.user)
    .bind(filter.state)
    .bind(at.map(sql_time))
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(RawContainment::containment).collect())
}

pub struct NewContainment<'a> {
    pub id: ContainmentId,
    pub directory: DirectoryId,
    pub user: &'a str,
    pub revoke_sessions: bool,
    pub disable: bool,
    pub reason: &'a str,
    pub by: &'a Principal,
    pub at: Timestamp,
}

pub async fn insert(sql: &mut PgConnection, tenant: TenantId, new: &NewContainment<'_>) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO containments (tenant_id, id, directory_id, user_id, revoke_sessions, disable, reason, ordered_at, ordered_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.0)
    .bind(new.id.0)
    .bind(new.directory.0)
    .bind(new.user)
    .bind(new.revoke_sessions)
    .bind(new.disable)
    .bind(new.reason)
    .bind(sql_time(new.at))
    .bind(Json(new.by))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Orders an act, or orders one that failed anew; the order's number.
pub async fn order(
    sql: &mut PgConnection,
    tenant: TenantId,
    containment: ContainmentId,
    act: ContainmentAct,
    now: Timestamp,
) -> Result<i32, Problem> {
    sqlx::query_scalar(
        "INSERT INTO containment_acts (tenant_id, containment_id, act, state, order_no, ordered_at) VALUES ($1, $2, $3, 'waiting', 1, $4)
         ON CONFLICT (tenant_id, containment_id, act) DO UPDATE
         SET state = 'waiting', order_no = containment_acts.order_no + 1, ordered_at = excluded.ordered_at, failure = NULL
         RETURNING order_no",
    )
    .bind(tenant.0)
    .bind(containment.0)
    .bind(act.as_str())
    .bind(sql_time(now))
    .fetch_one(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// An act that waits to be carried out.
pub struct WaitingAct {
    pub ordered_at: Timestamp,
    pub directory: Named<DirectoryId>,
    pub user: String,
    pub by: Principal,
}

type RawWaiting = (SqlTime, Uuid, String, String, Json<Principal>, Option<Json<Principal>>);

/// An act of this order, while it waits.
pub async fn waiting(
    sql: &mut PgConnection,
    tenant: TenantId,
    containment: ContainmentId,
    act: ContainmentAct,
    order: i32,
) -> Result<Option<WaitingAct>, Problem> {
    let row: Option<RawWaiting> = sqlx::query_as(
        "SELECT a.ordered_at, c.directory_id, d.name, c.user_id, c.ordered_by, c.released_by
         FROM containment_acts a JOIN containments c ON c.tenant_id = a.tenant_id AND c.id = a.containment_id
         JOIN directories d ON d.tenant_id = c.tenant_id AND d.id = c.directory_id
         WHERE a.tenant_id = $1 AND a.containment_id = $2 AND a.act = $3 AND a.order_no = $4 AND a.state = 'waiting'",
    )
    .bind(tenant.0)
    .bind(containment.0)
    .bind(act.as_str())
    .bind(order)
    .fetch_optional(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(row.map(|(at, directory, name, user, by, released_by)| WaitingAct {
        ordered_at: at.to_jiff(),
        directory: Named { id: DirectoryId(directory), name },
        user,
        by: if act == ContainmentAct::Release { released_by.unwrap_or(by).0 } else { by.0 },
    }))
}

/// Ends an act: done, with whether it changed anything, or failed.
pub async fn end(
    sql: &mut PgConnection,
    tenant: TenantId,
    containment: ContainmentId,
    act: ContainmentAct,
    (changed, failure): (bool, Option<&FixFailure>),
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE containment_acts SET state = CASE WHEN $5::jsonb IS NULL THEN 'done' ELSE 'failed' END,
                done_at = CASE WHEN $5::jsonb IS NULL THEN $6::timestamptz END, changed = changed OR $4, failure = $5
         WHERE tenant_id = $1 AND containment_id = $2 AND act = $3",
    )
    .bind(tenant.0)
    .bind(containment.0)
    .bind(act.as_str())
    .bind(changed)
    .bind(failure.map(Json))
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Notes how the directory names the person.
pub async fn name_user(
    sql: &mut PgConnection,
    tenant: TenantId,
    containment: ContainmentId,
    name: Option<&str>,
    principal_name: Option<&str>,
) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE containments SET user_name = coalesce($3, user_name), principal_name = coalesce($4, principal_name)
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(containment.0)
    .bind(name)
    .bind(principal_name)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

pub async fn note_release(sql: &mut PgConnection, tenant: TenantId, containment: ContainmentId, by: &Principal) -> Result<(), Problem> {
    sqlx::query("UPDATE containments SET released_by = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(containment.0)
        .bind(Json(by))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}
