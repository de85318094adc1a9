//! All SQL of settings, plans, fixes and approvals. What was noted of carrying them out is in `steps.rs`.

use super::model::Look;
use bailiwick_base::{DirectoryId, FixId, FixPlanId, Principal, Problem, ScanId, Severity, TenantId, Timestamp};
use bailiwick_checks::recipes::Change;
use bailiwick_contract::evidence::Named;
use bailiwick_contract::fixes::{Approval, FixCheck, FixFailure, FixKind, FixObject, FixRisk, FixSettings, FixState, LeftOut};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// The connection of a scope, for what reads through either kind of scope.
pub type Sql = PgConnection;

// ---- settings ----------------------------------------------------------------------------------------------------

/// What a tenant has beside the basics; none where the environment's own list holds.
pub async fn entitlements(sql: &mut PgConnection, tenant: TenantId) -> Result<Option<Vec<String>>, Problem> {
    sqlx::query_scalar("SELECT entitlements FROM tenants WHERE id = $1")
        .bind(tenant.0)
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// A directory's settings with when and by whom they were changed.
pub type StoredSettings = (FixSettings, Timestamp, Principal);

pub async fn settings(sql: &mut PgConnection, tenant: TenantId, directory: DirectoryId) -> Result<Option<StoredSettings>, Problem> {
    let row: Option<(Json<FixSettings>, SqlTime, Json<Principal>)> =
        sqlx::query_as("SELECT settings, changed_at, changed_by FROM fix_settings WHERE tenant_id = $1 AND directory_id = $2")
            .bind(tenant.0)
            .bind(directory.0)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(row.map(|(settings, at, by)| (settings.0, at.to_jiff(), by.0)))
}

pub async fn all_settings(sql: &mut PgConnection, tenant: TenantId) -> Result<Vec<(Uuid, FixSettings)>, Problem> {
    let rows: Vec<(Uuid, Json<FixSettings>)> = sqlx::query_as("SELECT directory_id, settings FROM fix_settings WHERE tenant_id = $1")
        .bind(tenant.0)
        .fetch_all(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|(directory, settings)| (directory, settings.0)).collect())
}

/// A directory's settings, which stay as they are until this transaction ends: whoever turns fixes off waits for what begins here.
pub async fn hold_settings(sql: &mut PgConnection, tenant: TenantId, directory: DirectoryId) -> Result<Option<FixSettings>, Problem> {
    let row: Option<Json<FixSettings>> =
        sqlx::query_scalar("SELECT settings FROM fix_settings WHERE tenant_id = $1 AND directory_id = $2 FOR UPDATE")
            .bind(tenant.0)
            .bind(directory.0)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(row.map(|settings| settings.0))
}

pub async fn put_settings(
    sql: &mut PgConnection,
    tenant: TenantId,
    directory: DirectoryId,
    settings: &FixSettings,
    by: &Principal,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO fix_settings (tenant_id, directory_id, settings, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, directory_id) DO UPDATE
         SET settings = excluded.settings, changed_at = excluded.changed_at, changed_by = excluded.changed_by",
    )
    .bind(tenant.0)
    .bind(directory.0)
    .bind(Json(settings))
    .bind(sql_time(now))
    .bind(Json(by))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

// ---- plans -------------------------------------------------------------------------------------------------------

pub struct NewPlan<'a> {
    pub id: FixPlanId,
    pub directory: DirectoryId,
    pub scan: Option<ScanId>,
    pub left_out: &'a [LeftOut],
    pub at: Timestamp,
    pub by: &'a Principal,
}

pub async fn insert_plan(sql: &mut PgConnection, tenant: TenantId, plan: &NewPlan<'_>) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO fix_plans (tenant_id, id, directory_id, scan_id, left_out, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant.0)
    .bind(plan.id.0)
    .bind(plan.directory.0)
    .bind(plan.scan.map(|scan| scan.0))
    .bind(Json(plan.left_out))
    .bind(sql_time(plan.at))
    .bind(Json(plan.by))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// A plan without its fixes.
pub struct PlanRow {
    pub id: FixPlanId,
    pub directory: Named<DirectoryId>,
    pub scan: Option<ScanId>,
    pub left_out: Vec<LeftOut>,
    pub created_at: Timestamp,
    pub by: Principal,
}

type RawPlan = (Uuid, String, Option<Uuid>, Json<Vec<LeftOut>>, SqlTime, Json<Principal>);

pub async fn plan(sql: &mut PgConnection, tenant: TenantId, id: FixPlanId) -> Result<Option<PlanRow>, Problem> {
    let row: Option<RawPlan> = sqlx::query_as(
        "SELECT p.directory_id, d.name, p.scan_id, p.left_out, p.created_at, p.created_by
         FROM fix_plans p JOIN directories d ON d.tenant_id = p.tenant_id AND d.id = p.directory_id
         WHERE p.tenant_id = $1 AND p.id = $2",
    )
    .bind(tenant.0)
    .bind(id.0)
    .fetch_optional(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(row.map(|(directory, name, scan, left_out, at, by)| PlanRow {
        id,
        directory: Named { id: DirectoryId(directory), name },
        scan: scan.map(ScanId),
        left_out: left_out.0,
        created_at: at.to_jiff(),
        by: by.0,
    }))
}

/// What is shown of a fix beside its change: written once, with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    pub title: String,
    pub version: u32,
    pub kind: FixKind,
    pub checks: Vec<FixCheck>,
    pub risk: FixRisk,
    pub blast_radius: String,
    pub rollback: String,
    #[serde(default)]
    pub after_note: Option<String>,
    pub permission: String,
    #[serde(default)]
    pub object: Option<FixObject>,
    pub url: String,
    pub report_only: bool,
}

pub struct NewFix {
    pub id: FixId,
    pub severity: Severity,
    pub facts: Facts,
    pub change: Change,
    pub digest: String,
}

impl NewFix {
    pub fn object_id(&self) -> &str {
        self.facts.object.as_ref().map_or("", |object| object.id.as_str())
    }
}

/// Proposals of earlier plans for the same things give way.
pub async fn supersede(sql: &mut PgConnection, tenant: TenantId, directory: DirectoryId, by: &[NewFix]) -> Result<Vec<FixId>, Problem> {
    let recipes: Vec<&str> = by.iter().map(|fix| fix.change.recipe.as_str()).collect();
    let objects: Vec<&str> = by.iter().map(NewFix::object_id).collect();
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE fixes f SET state = 'superseded' FROM unnest($3::text[], $4::text[]) AS n (recipe, object_id)
         WHERE f.tenant_id = $1 AND f.directory_id = $2 AND f.state = 'proposed' AND f.recipe = n.recipe AND f.object_id = n.object_id
         RETURNING f.id",
    )
    .bind(tenant.0)
    .bind(directory.0)
    .bind(recipes)
    .bind(objects)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(ids.into_iter().map(FixId).collect())
}

/// What somebody has taken in hand already: recipe, object, fix and its state.
pub async fn in_hand(
    sql: &mut PgConnection,
    tenant: TenantId,
    directory: DirectoryId,
) -> Result<Vec<(String, String, FixId, FixState)>, Problem> {
    let rows: Vec<(String, String, Uuid, String)> = sqlx::query_as(
        "SELECT recipe, object_id, id, state FROM fixes
         WHERE tenant_id = $1 AND directory_id = $2 AND state IN ('awaiting_second', 'approved', 'scheduled', 'applying', 'rolling_back')",
    )
    .bind(tenant.0)
    .bind(directory.0)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|(recipe, object, id, state)| (recipe, object, FixId(id), state_of(&state))).collect())
}

/// Inserts the fixes of one plan.
pub async fn insert_fixes(
    sql: &mut PgConnection,
    tenant: TenantId,
    plan: &NewPlan<'_>,
    fixes: &[NewFix],
    needed: u8,
) -> Result<(), Problem> {
    let ids: Vec<Uuid> = fixes.iter().map(|fix| fix.id.0).collect();
    let recipes: Vec<&str> = fixes.iter().map(|fix| fix.change.recipe.as_str()).collect();
    let objects: Vec<&str> = fixes.iter().map(NewFix::object_id).collect();
    let severities: Vec<i16> = fixes.iter().map(|fix| fix.severity.number()).collect();
    let facts: Vec<Value> = each_json(fixes, |fix| &fix.facts)?;
    let changes: Vec<Value> = each_json(fixes, |fix| &fix.change)?;
    let digests: Vec<&str> = fixes.iter().map(|fix| fix.digest.as_str()).collect();
    sqlx::query(
        "INSERT INTO fixes (tenant_id, id, plan_id, directory_id, recipe, object_id, severity, facts, change, digest, planned_at, state,
                approvals_needed)
         SELECT $1, n.id, $2, $3, n.recipe, n.object_id, n.severity, n.facts, n.change, n.digest, $4, 'proposed', $5
         FROM unnest($6::uuid[], $7::text[], $8::text[], $9::smallint[], $10::jsonb[], $11::jsonb[], $12::text[])
              AS n (id, recipe, object_id, severity, facts, change, digest)",
    )
    .bind(tenant.0)
    .bind(plan.id.0)
    .bind(plan.directory.0)
    .bind(sql_time(plan.at))
    .bind(i16::from(needed))
    .bind(ids)
    .bind(recipes)
    .bind(objects)
    .bind(severities)
    .bind(facts)
    .bind(changes)
    .bind(digests)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

fn each_json<'a, T: Serialize + 'a>(fixes: &'a [NewFix], part: impl Fn(&'a NewFix) -> &'a T) -> Result<Vec<Value>, Problem> {
    fixes.iter().map(|fix| serde_json::to_value(part(fix)).map_err(Problem::internal)).collect()
}

// ---- fixes -------------------------------------------------------------------------------------------------------

macro_rules! fix_columns {
    () => {
        "SELECT f.id, f.plan_id, f.planned_at, p.created_by AS planned_by, f.directory_id, d.name AS directory_name, f.recipe, f.severity,
                f.facts, f.change, f.digest, f.state, f.approvals_needed, f.order_no, f.ordered_at, f.ordered_by, f.not_before, f.made_id,
                f.failure, f.applied_at, f.applied_by, f.rolled_back_at, f.rolled_back_by, f.verified_scan_id,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('by', a.approved_by, 'at', to_char(a.approved_at AT TIME ZONE 'UTC',
                        'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'note', a.note, 'digest', a.digest) ORDER BY a.approved_at, a.principal), '[]')
                 FROM fix_approvals a WHERE a.tenant_id = f.tenant_id AND a.fix_id = f.id) AS approvals,
                (SELECT count(*) FROM fix_approvals a
                 JOIN members m ON m.tenant_id = a.tenant_id AND m.id::text = a.principal AND m.role IN ('owner', 'admin')
                 WHERE a.tenant_id = f.tenant_id AND a.fix_id = f.id AND a.digest = f.digest) AS counting,
                EXISTS (SELECT FROM members m WHERE m.tenant_id = f.tenant_id AND m.id::text = f.ordered_by ->> 'id'
                        AND m.role IN ('owner', 'admin')) AS orderer_may,
                EXISTS (SELECT FROM write_steps s WHERE s.tenant_id = f.tenant_id AND s.fix_id = f.id AND s.kind = 'write'
                        AND s.purpose = 'apply' AND (coalesce(s.outcome, 'unknown') = 'unknown'
                            OR (s.outcome = 'answered' AND (s.status < 300 OR s.status >= 500)))) AS wrote
         FROM fixes f JOIN fix_plans p ON p.tenant_id = f.tenant_id AND p.id = f.plan_id
         JOIN directories d ON d.tenant_id = f.tenant_id AND d.id = f.directory_id "
    };
}

#[derive(FromRow)]
struct RawFix {
    id: Uuid,
    plan_id: Uuid,
    planned_at: SqlTime,
    planned_by: Json<Principal>,
    directory_id: Uuid,
    directory_name: String,
    recipe: String,
    severity: i16,
    facts: Json<Facts>,
    change: Json<Change>,
    digest: String,
    state: String,
    approvals_needed: i16,
    order_no: i32,
    ordered_at: Option<SqlTime>,
    ordered_by: Option<Json<Principal>>,
    not_before: Option<SqlTime>,
    made_id: Option<String>,
    failure: Option<Json<FixFailure>>,
    applied_at: Option<SqlTime>,
    applied_by: Option<Json<Principal>>,
    rolled_back_at: Option<SqlTime>,
    rolled_back_by: Option<Json<Principal>>,
    verified_scan_id: Option<Uuid>,
    approvals: Json<Vec<Approval>>,
    counting: i64,
    orderer_may: bool,
    wrote: bool,
}

/// A fix as it is stored.
pub struct FixRow {
    pub id: FixId,
    pub plan: FixPlanId,
    pub planned_at: Timestamp,
    pub planned_by: Principal,
    pub directory: Named<DirectoryId>,
    pub recipe: String,
    pub severity: Severity,
    pub facts: Facts,
    pub change: Change,
    pub digest: String,
    pub state: FixState,
    pub needed: u8,
    pub order: i32,
    pub ordered_at: Option<Timestamp>,
    pub ordered_by: Option<Principal>,
    pub not_before: Option<Timestamp>,
    pub made: Option<String>,
    pub failure: Option<FixFailure>,
    pub applied: Option<(Timestamp, Principal)>,
    pub rolled_back: Option<(Timestamp, Principal)>,
    pub verified_by: Option<ScanId>,
    pub approvals: Vec<Approval>,
    /// Approvals of exactly this, by people who may approve now.
    pub counting: usize,
    /// Whether the person whose order this is may apply fixes now.
    pub orderer_may: bool,
    /// Whether a write of ours did it, or may have.
    pub wrote: bool,
}

fn state_of(text: &str) -> FixState {
    FixState::parse(text).unwrap_or(FixState::Failed)
}

impl RawFix {
    fn fix(self) -> FixRow {
        let when = |at: Option<SqlTime>, by: Option<Json<Principal>>| at.map(SqlTime::to_jiff).zip(by.map(|by| by.0));
        FixRow {
            id: FixId(self.id),
            plan: FixPlanId(self.plan_id),
            planned_at: self.planned_at.to_jiff(),
            planned_by: self.planned_by.0,
            directory: Named { id: DirectoryId(self.directory_id), name: self.directory_name },
            recipe: self.recipe,
            severity: Severity::from_number(self.severity).unwrap_or(Severity::None),
            facts: self.facts.0,
            change: self.change.0,
            digest: self.digest,
            state: state_of(&self.state),
            needed: u8::try_from(self.approvals_needed).unwrap_or(2),
            order: self.order_no,
            ordered_at: self.ordered_at.map(SqlTime::to_jiff),
            ordered_by: self.ordered_by.map(|by| by.0),
            not_before: self.not_before.map(SqlTime::to_jiff),
            made: self.made_id,
            failure: self.failure.map(|failure| failure.0),
            applied: when(self.applied_at, self.applied_by),
            rolled_back: when(self.rolled_back_at, self.rolled_back_by),
            verified_by: self.verified_scan_id.map(ScanId),
            approvals: self.approvals.0,
            counting: usize::try_from(self.counting).unwrap_or(0),
            orderer_may: self.orderer_may,
            wrote: self.wrote,
        }
    }
}

impl FixRow {
    /// What the rules look at, for a caller.
    pub fn look(&self, caller: &str) -> Look {
        Look {
            state: self.state,
            approvals: self.counting,
            approved_by_caller: self.approvals.iter().any(|approval| approval.by.id == caller),
            needed: self.needed,
            known: self.facts.kind != FixKind::Create || self.made.is_some(),
            wrote: self.wrote,
        }
    }
}

pub async fn fix(sql: &mut PgConnection, tenant: TenantId, id: FixId) -> Result<Option<FixRow>, Problem> {
    let row: Option<RawFix> = sqlx::query_as(concat!(fix_columns!(), "WHERE f.tenant_id = $1 AND f.id = $2"))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(row.map(RawFix::fix))
}

/// The same, kept from changing until this transaction ends.
pub async fn hold(sql: &mut PgConnection, tenant: TenantId, id: FixId) -> Result<Option<FixRow>, Problem> {
    let held: Option<Uuid> = sqlx::query_scalar("SELECT id FROM fixes WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(&mut *sql)
        .await
        .map_err(StoreError::from)?;
    match held {
        Some(_) => fix(sql, tenant, id).await,
        None => Ok(None),
    }
}

/// A plan's fixes, the worst first.
pub async fn fixes_of(sql: &mut PgConnection, tenant: TenantId, plan: FixPlanId) -> Result<Vec<FixRow>, Problem> {
    let rows: Vec<RawFix> = sqlx::query_as(concat!(
        fix_columns!(),
        "WHERE f.tenant_id = $1 AND f.plan_id = $2 ORDER BY f.severity DESC, f.recipe, f.object_id"
    ))
    .bind(tenant.0)
    .bind(plan.0)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(RawFix::fix).collect())
}

pub struct FixFilter<'a> {
    pub directory: Option<DirectoryId>,
    pub state: Option<&'static str>,
    pub severity: Option<i16>,
    pub plan: Option<FixPlanId>,
    pub recipe: Option<&'a str>,
    pub before: Option<(Timestamp, Uuid)>,
}

pub async fn fixes(sql: &mut PgConnection, tenant: TenantId, filter: &FixFilter<'_>, limit: i64) -> Result<Vec<FixRow>, Problem> {
    let (at, id) = filter.before.unzip();
    let rows: Vec<RawFix> = sqlx::query_as(concat!(
        fix_columns!(),
        "WHERE f.tenant_id = $1 AND ($2::uuid IS NULL OR f.directory_id = $2) AND ($3::text IS NULL OR f.state = $3)
           AND ($4::uuid IS NULL OR f.plan_id = $4) AND ($5::text IS NULL OR f.recipe = $5) AND ($6::smallint IS NULL OR f.severity = $6)
           AND ($7::timestamptz IS NULL OR (f.planned_at, f.id) < ($7, $8))
         ORDER BY f.planned_at DESC, f.id DESC LIMIT $9"
    ))
    .bind(tenant.0)
    .bind(filter.directory.map(|d| d.0))
    .bind(filter.state)
    .bind(filter.plan.map(|p| p.0))
    .bind(filter.recipe)
    .bind(filter.severity)
    .bind(at.map(sql_time))
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(RawFix::fix).collect())
}

// ---- approvals and states ------------------------------------------------------------------------------------------

/// Notes an approval; one person approves a fix once, by the table's key.
pub async fn approve(
    sql: &mut PgConnection,
    tenant: TenantId,
    fix: FixId,
    digest: &str,
    by: &Principal,
    note: Option<&str>,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO fix_approvals (tenant_id, fix_id, principal, digest, approved_at, approved_by, note) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant.0)
    .bind(fix.0)
    .bind(&by.id)
    .bind(digest)
    .bind(sql_time(now))
    .bind(Json(by))
    .bind(note)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Takes one person's approval back; false where there was none.
pub async fn disapprove(sql: &mut PgConnection, tenant: TenantId, fix: FixId, principal: &str) -> Result<bool, Problem> {
    let done = sqlx::query("DELETE FROM fix_approvals WHERE tenant_id = $1 AND fix_id = $2 AND principal = $3")
        .bind(tenant.0)
        .bind(fix.0)
        .bind(principal)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}

pub async fn set_state(sql: &mut PgConnection, tenant: TenantId, fix: FixId, state: FixState) -> Result<(), Problem> {
    sqlx::query("UPDATE fixes SET state = $3, not_before = NULL WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(fix.0)
        .bind(state.as_str())
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// From now on what waits in a directory needs two approvals; what had enough goes back to waiting.
pub async fn need_second(sql: &mut PgConnection, tenant: TenantId, directory: DirectoryId) -> Result<u64, Problem> {
    let done = sqlx::query(
        "UPDATE fixes f SET approvals_needed = 2, not_before = NULL,
                state = CASE WHEN f.state IN ('approved', 'scheduled') THEN 'awaiting_second' ELSE f.state END
         WHERE f.tenant_id = $1 AND f.directory_id = $2 AND f.approvals_needed = 1
           AND f.state IN ('proposed', 'awaiting_second', 'approved', 'scheduled', 'failed')",
    )
    .bind(tenant.0)
    .bind(directory.0)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected())
}

/// An order: a decision with a number of its own.
pub struct Order<'a> {
    /// `applying`, `scheduled` or `rolling_back`.
    pub state: FixState,
    pub at: Timestamp,
    pub by: &'a Principal,
    pub not_before: Option<Timestamp>,
}

/// Notes an order; its number.
pub async fn order(sql: &mut PgConnection, tenant: TenantId, fix: FixId, order: &Order<'_>) -> Result<i32, Problem> {
    sqlx::query_scalar(
        "UPDATE fixes SET state = $3, order_no = order_no + 1, ordered_at = $4, ordered_by = $5, not_before = $6, failure = NULL
         WHERE tenant_id = $1 AND id = $2 RETURNING order_no",
    )
    .bind(tenant.0)
    .bind(fix.0)
    .bind(order.state.as_str())
    .bind(sql_time(order.at))
    .bind(Json(order.by))
    .bind(order.not_before.map(sql_time))
    .fetch_one(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// A scheduled order's time has come; its patience is counted from now.
pub async fn begin(sql: &mut PgConnection, tenant: TenantId, fix: FixId, now: Timestamp) -> Result<(), Problem> {
    sqlx::query("UPDATE fixes SET state = 'applying', ordered_at = $3, not_before = NULL WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(fix.0)
        .bind(sql_time(now))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// An order waits for a later time.
pub async fn reschedule(sql: &mut PgConnection, tenant: TenantId, fix: FixId, at: Timestamp) -> Result<(), Problem> {
    sqlx::query("UPDATE fixes SET state = 'scheduled', not_before = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(fix.0)
        .bind(sql_time(at))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn applied(
    sql: &mut PgConnection,
    tenant: TenantId,
    fix: FixId,
    made: Option<&str>,
    by: &Principal,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE fixes SET state = 'applied', made_id = coalesce($3, made_id), applied_at = $4, applied_by = $5, failure = NULL, not_before = NULL,
                verified_scan_id = NULL, rolled_back_at = NULL, rolled_back_by = NULL
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(fix.0)
    .bind(made)
    .bind(sql_time(now))
    .bind(Json(by))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

pub async fn rolled_back(sql: &mut PgConnection, tenant: TenantId, fix: FixId, by: &Principal, now: Timestamp) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE fixes SET state = 'rolled_back', rolled_back_at = $3, rolled_back_by = $4, failure = NULL WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(fix.0)
    .bind(sql_time(now))
    .bind(Json(by))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Ends an order without its effect.
pub async fn fail(sql: &mut PgConnection, tenant: TenantId, fix: FixId, state: FixState, failure: &FixFailure) -> Result<(), Problem> {
    sqlx::query("UPDATE fixes SET state = $3, failure = $4, not_before = NULL WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(fix.0)
        .bind(state.as_str())
        .bind(Json(failure))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

// ---- scans -------------------------------------------------------------------------------------------------------

/// Applied fixes of a directory that no scan has confirmed, applied before a moment: each with its checks.
pub async fn unverified(
    sql: &mut PgConnection,
    tenant: TenantId,
    directory: DirectoryId,
    before: Timestamp,
) -> Result<Vec<(FixId, Vec<FixCheck>)>, Problem> {
    let rows: Vec<(Uuid, Json<Facts>)> = sqlx::query_as(
        "SELECT id, facts FROM fixes
         WHERE tenant_id = $1 AND directory_id = $2 AND state = 'applied' AND verified_scan_id IS NULL AND applied_at <= $3",
    )
    .bind(tenant.0)
    .bind(directory.0)
    .bind(sql_time(before))
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|(id, facts)| (FixId(id), facts.0.checks)).collect())
}

pub async fn note_verified(sql: &mut PgConnection, tenant: TenantId, fixes: &[FixId], scan: ScanId) -> Result<(), Problem> {
    let ids: Vec<Uuid> = fixes.iter().map(|fix| fix.0).collect();
    sqlx::query("UPDATE fixes SET verified_scan_id = $3 WHERE tenant_id = $1 AND id = ANY ($2) AND state = 'applied'")
        .bind(tenant.0)
        .bind(ids)
        .bind(scan.0)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}
