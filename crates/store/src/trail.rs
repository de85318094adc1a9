//! The trail: what happened in a tenant, one hash chain each, appended in the transaction of the change itself.

use crate::error::StoreError;
use crate::scope::{WriteScope, sql_time};
use bailiwick_base::{Principal, RequestId, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// A value together with what the trail is to say about how it came to be.
#[must_use = "hand it to Store::commit, or nothing is kept"]
pub struct Audited<T> {
    value: T,
    audits: Vec<Audit>,
}

pub(crate) struct Audit {
    pub target: String,
    pub detail: Value,
}

impl<T> Audited<T> {
    /// `target` is what it happened to, e.g. `run/0192…`; `detail` holds particulars and never a secret.
    pub fn new(value: T, target: impl Into<String>, detail: Value) -> Self {
        Self { value, audits: vec![Audit { target: target.into(), detail }] }
    }
    /// A repeated request that found everything done already. There is nothing to tell, so nothing is kept: the commit rolls back.
    pub fn unchanged(value: T) -> Self {
        Self { value, audits: Vec::new() }
    }
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Audited<U> {
        Audited { value: f(self.value), audits: self.audits }
    }
    pub(crate) fn into_parts(self) -> (T, Vec<Audit>) {
        (self.value, self.audits)
    }
}

/// The request behind a change.
#[derive(Debug, Clone)]
pub struct Request {
    pub id: RequestId,
    /// The client's network address, where one was seen.
    pub address: Option<String>,
}

/// The text that is hashed: members in this order, as compact JSON.
#[derive(Serialize)]
struct Body<'a> {
    at: Timestamp,
    actor: &'a Principal,
    action: &'a str,
    outcome: &'a str,
    target: &'a str,
    detail: &'a Value,
    request_id: RequestId,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
}

pub(crate) async fn append(
    scope: &mut WriteScope,
    actor: &Principal,
    action: &str,
    refused: bool,
    target: &str,
    detail: &Value,
    request: &Request,
) -> Result<(), StoreError> {
    let at = scope.now();
    let outcome = if refused { "refused" } else { "done" };
    let body = Body { at, actor, action, outcome, target, detail, request_id: request.id, address: request.address.as_deref() };
    let body = serde_json::to_string(&body).map_err(|e| StoreError::Problem(bailiwick_base::Problem::internal(e)))?;
    let tenant = scope.tenant();
    // One statement: takes the head, so that entries of one tenant queue here and nowhere else, and chains to it.
    let done = sqlx::query(
        "WITH head AS (
            UPDATE trail_heads SET seq = seq + 1, hash = sha256(hash || int8send(seq + 1) || convert_to($2, 'UTF8'))
            WHERE tenant_id = $1 RETURNING seq, hash)
         INSERT INTO trail_entries (tenant_id, seq, at, action, refused, body, hash)
         SELECT $1, head.seq, $3, $4, $5, $2, head.hash FROM head",
    )
    .bind(tenant.0)
    .bind(&body)
    .bind(sql_time(at))
    .bind(action)
    .bind(refused)
    .execute(scope.sql())
    .await?;
    if done.rows_affected() != 1 {
        return Err(StoreError::Problem(bailiwick_base::Problem::internal("the tenant's trail has no head")));
    }
    Ok(())
}
