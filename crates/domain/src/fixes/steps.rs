//! All SQL of `write_steps`: what was asked and sent to carry something out, noted as it happens.

use super::goal::Subject;
use super::machine::{Noted, Outcome};
use bailiwick_base::{Problem, TenantId, Timestamp};
use bailiwick_contract::fixes::{FixStep, StepKind, StepPurpose};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// A step as it is stored.
#[derive(Debug, Clone)]
pub struct Step {
    pub id: Uuid,
    pub order: i32,
    pub purpose: StepPurpose,
    pub kind: StepKind,
    pub method: String,
    pub url: String,
    pub at: Timestamp,
    pub request: Option<Value>,
    pub outcome: Option<Outcome>,
    pub settled_at: Option<Timestamp>,
    pub status: Option<u16>,
    pub response: Option<Value>,
    /// Seconds after which Microsoft asked to come back.
    pub retry_after: Option<u32>,
    pub detail: Option<String>,
}

impl Step {
    pub fn noted(&self) -> Noted {
        Noted {
            kind: self.kind,
            at: self.at,
            outcome: self.outcome,
            settled_at: self.settled_at,
            status: self.status,
            retry_after: self.retry_after.is_some(),
        }
    }

    pub fn shown(self) -> FixStep {
        FixStep {
            at: self.at,
            purpose: self.purpose,
            kind: self.kind,
            method: self.method,
            url: self.url,
            status: self.status,
            request: self.request,
            response: self.response,
            detail: self.detail,
        }
    }
}

#[derive(FromRow)]
struct RawStep {
    id: Uuid,
    order_no: i32,
    purpose: String,
    kind: String,
    method: String,
    url: String,
    at: SqlTime,
    request: Option<Value>,
    outcome: Option<String>,
    settled_at: Option<SqlTime>,
    status: Option<i32>,
    response: Option<Value>,
    retry_after: Option<i32>,
    detail: Option<String>,
}

impl RawStep {
    fn step(self) -> Step {
        Step {
            id: self.id,
            order: self.order_no,
            purpose: StepPurpose::parse(&self.purpose).unwrap_or(StepPurpose::Apply),
            kind: StepKind::parse(&self.kind).unwrap_or(StepKind::Read),
            method: self.method,
            url: self.url,
            at: self.at.to_jiff(),
            request: self.request,
            outcome: self.outcome.as_deref().and_then(Outcome::parse),
            settled_at: self.settled_at.map(SqlTime::to_jiff),
            status: self.status.and_then(|status| u16::try_from(status).ok()),
            response: self.response,
            retry_after: self.retry_after.and_then(|seconds| u32::try_from(seconds).ok()),
            detail: self.detail,
        }
    }
}

/// The steps of a fix or of a containment's acts, oldest first; of one act where one is named, and of one order.
pub async fn steps(sql: &mut PgConnection, tenant: TenantId, of: &Subject, order: Option<i32>) -> Result<Vec<Step>, Problem> {
    let (fix, containment, act) = of.columns();
    let rows: Vec<RawStep> = sqlx::query_as(
        "SELECT id, order_no, purpose, kind, method, url, at, request, outcome, settled_at, status, response, retry_after, detail
         FROM write_steps
         WHERE tenant_id = $1 AND (fix_id = $2 OR containment_id = $3) AND ($4::text IS NULL OR act = $4) AND ($5::integer IS NULL OR order_no = $5)
         ORDER BY number, at, id",
    )
    .bind(tenant.0)
    .bind(fix)
    .bind(containment)
    .bind(act)
    .bind(order)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(RawStep::step).collect())
}

/// Notes a step. A second write while one is not settled is refused by the table's index.
pub async fn insert(sql: &mut PgConnection, tenant: TenantId, of: &Subject, step: &Step) -> Result<(), Problem> {
    let (fix, containment, act) = of.columns();
    sqlx::query(
        "INSERT INTO write_steps (tenant_id, id, fix_id, containment_id, act, number, order_no, purpose, kind, method, url, at, request, outcome,
                settled_at, status, response, retry_after, detail)
         SELECT $1, $2, $3, $4, $5, 1 + coalesce(max(number), 0), $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
         FROM write_steps WHERE tenant_id = $1 AND (fix_id = $3 OR containment_id = $4)",
    )
    .bind(tenant.0)
    .bind(step.id)
    .bind(fix)
    .bind(containment)
    .bind(act)
    .bind(step.order)
    .bind(step.purpose.as_str())
    .bind(step.kind.as_str())
    .bind(&step.method)
    .bind(&step.url)
    .bind(sql_time(step.at))
    .bind(&step.request)
    .bind(step.outcome.map(Outcome::as_str))
    .bind(step.settled_at.map(sql_time))
    .bind(step.status.map(i32::from))
    .bind(&step.response)
    .bind(step.retry_after.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX)))
    .bind(&step.detail)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Notes what became of a write.
pub async fn settle(sql: &mut PgConnection, tenant: TenantId, step: &Step) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE write_steps SET outcome = $3, settled_at = $4, status = $5, response = $6, retry_after = $7, detail = coalesce($8, detail)
         WHERE tenant_id = $1 AND id = $2 AND outcome IS NULL",
    )
    .bind(tenant.0)
    .bind(step.id)
    .bind(step.outcome.map(Outcome::as_str))
    .bind(step.settled_at.map(sql_time))
    .bind(step.status.map(i32::from))
    .bind(&step.response)
    .bind(step.retry_after.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX)))
    .bind(&step.detail)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// A write whose answer never came, and that was looked for to the end, counts as without an answer.
pub async fn close(sql: &mut PgConnection, tenant: TenantId, of: &Subject, now: Timestamp) -> Result<(), Problem> {
    let (fix, containment, act) = of.columns();
    sqlx::query(
        "UPDATE write_steps SET outcome = 'unknown', settled_at = $5
         WHERE tenant_id = $1 AND (fix_id = $2 OR (containment_id = $3 AND act = $4)) AND kind = 'write' AND outcome IS NULL",
    )
    .bind(tenant.0)
    .bind(fix)
    .bind(containment)
    .bind(act)
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}
