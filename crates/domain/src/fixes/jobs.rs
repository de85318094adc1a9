//! The jobs of fixes: carrying an order out, beginning one whose time has come, and the acts of a containment.
//!
//! In one directory fixes are carried out one at a time, in the order they were ordered; what waits to show keeps its place.

use super::goal::{Subject, failure};
use super::{carry, db, model};
use crate::Services;
use crate::worker::{Done, Failed, Turn, nobody, system};
use bailiwick_base::{ContainmentId, DirectoryId, FixId, Problem, Timestamp};
use bailiwick_contract::fixes::{ContainmentAct, FixFailureCode, FixState};
use bailiwick_store::{Audited, JobKind, Lease, NewJob, WriteScope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// Applies a fix, or takes it back. The attempts are those that break on our side; waiting for Microsoft costs none.
pub const APPLY: JobKind = JobKind {
    name: "fixes.apply",
    max_attempts: 40,
    lease: Duration::from_secs(60),
    backoff: Duration::from_secs(1),
    longest_wait: Duration::from_secs(15),
    schedule: None,
};

/// Begins a fix whose time has come.
pub const DUE: JobKind = JobKind { name: "fixes.due", ..APPLY };

/// Carries out one act of a containment.
pub const CONTAIN: JobKind = JobKind { name: "containments.act", ..APPLY };

#[derive(Serialize, Deserialize)]
struct OfFix {
    fix: FixId,
    order: i32,
}

#[derive(Serialize, Deserialize)]
struct OfAct {
    containment: ContainmentId,
    act: ContainmentAct,
    order: i32,
}

fn payload<T: for<'a> Deserialize<'a>>(lease: &Lease) -> Result<T, Problem> {
    serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)
}

fn due_key(fix: FixId, order: i32) -> String {
    format!("fix_due:{fix}:{order}")
}

/// Queues the carrying out of an order.
///
/// # Errors
/// The database's.
pub async fn enqueue(scope: &mut WriteScope, directory: DirectoryId, fix: FixId, order: i32) -> Result<(), Problem> {
    let job = NewJob {
        kind: APPLY.name,
        payload: json!(OfFix { fix, order }),
        concurrency_key: Some(format!("fixes:{directory}")),
        dedup_key: Some(format!("fix:{fix}:{order}")),
    };
    scope.enqueue(job).await?;
    Ok(())
}

/// Lets an order wait for its time. It holds up no other order of the directory meanwhile.
///
/// # Errors
/// The database's.
pub async fn enqueue_due(scope: &mut WriteScope, fix: FixId, order: i32, at: Timestamp) -> Result<(), Problem> {
    let job = NewJob { kind: DUE.name, payload: json!(OfFix { fix, order }), concurrency_key: None, dedup_key: Some(due_key(fix, order)) };
    scope.enqueue_at(job, at).await?;
    Ok(())
}

/// Lets it wait no more.
///
/// # Errors
/// The database's.
pub async fn forget_due(scope: &mut WriteScope, fix: FixId, order: i32) -> Result<(), Problem> {
    Ok(scope.unqueue(&due_key(fix, order)).await?)
}

/// Queues an act of a containment. No act waits for another.
///
/// # Errors
/// The database's.
pub async fn enqueue_act(scope: &mut WriteScope, containment: ContainmentId, act: ContainmentAct, order: i32) -> Result<(), Problem> {
    let job = NewJob {
        kind: CONTAIN.name,
        payload: json!(OfAct { containment, act, order }),
        concurrency_key: None,
        dedup_key: Some(format!("containment:{containment}:{}:{order}", act.as_str())),
    };
    scope.enqueue(job).await?;
    Ok(())
}

/// Carries out an order.
///
/// # Errors
/// The database's.
pub async fn apply(services: &Services, lease: &Lease) -> Result<Turn, Failed> {
    let OfFix { fix, order } = payload(lease)?;
    carry::run(services, lease, Subject::Fix(fix), order).await
}

/// Carries out an act of a containment.
///
/// # Errors
/// The database's.
pub async fn contain(services: &Services, lease: &Lease) -> Result<Turn, Failed> {
    let OfAct { containment, act, order } = payload(lease)?;
    carry::run(services, lease, Subject::Act(containment, Some(act)), order).await
}

/// Begins an order whose time has come, or lets it wait on where the window was moved meanwhile.
///
/// # Errors
/// The database's.
pub async fn due(services: &Services, lease: &Lease) -> Result<Done, Failed> {
    let OfFix { fix, order } = payload(lease)?;
    let tenant = lease.tenant;
    let mut scope = services.store.write(tenant, &system("fixes", None), &nobody()).await.map_err(Problem::from)?;
    let now = scope.now();
    let row = db::hold(scope.sql(), tenant, fix).await?.filter(|row| row.state == FixState::Scheduled && row.order == order);
    scope.finish(lease).await.map_err(Problem::from)?;
    let (action, detail) = match row {
        None => ("fix.passed", json!({"outcome": "the order was withdrawn, or is over"})),
        Some(row) => {
            let settings = db::settings(scope.sql(), tenant, row.directory.id).await?.map(|(settings, ..)| settings).unwrap_or_default();
            let at = model::due(&settings, row.not_before.unwrap_or(now).max(now));
            if at > now {
                db::reschedule(scope.sql(), tenant, fix, at).await?;
                enqueue_due(&mut scope, fix, order, at).await?;
                ("fix.put_off", json!({"until": at, "order": order}))
            } else {
                db::begin(scope.sql(), tenant, fix, now).await?;
                enqueue(&mut scope, row.directory.id, fix, order).await?;
                ("fix.begun", json!({"order": order, "ordered_by": row.ordered_by}))
            }
        }
    };
    Ok(Done { scope, action, audited: Audited::new((), format!("fix/{fix}"), detail) })
}

/// Lets an order that is in hand wait for the window, which closed before its turn came.
///
/// # Errors
/// The database's.
pub(super) async fn put_off(services: &Services, lease: &Lease, subject: Subject, at: Timestamp) -> Result<Done, Failed> {
    let Subject::Fix(fix) = subject else { return Err(Failed(Problem::internal("only fixes wait for a window"))) };
    let OfFix { order, .. } = payload(lease)?;
    let mut scope = services.store.write(lease.tenant, &system("fixes", None), &nobody()).await.map_err(Problem::from)?;
    db::reschedule(scope.sql(), lease.tenant, fix, at).await?;
    enqueue_due(&mut scope, fix, order, at).await?;
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({"until": at, "order": order});
    Ok(Done { scope, action: "fix.put_off", audited: Audited::new((), subject.target(), detail) })
}

/// Ends an order whose attempts all broke on our side.
///
/// # Errors
/// The database's.
pub async fn give_up(services: &Services, lease: &Lease) -> Result<Done, Failed> {
    let (subject, order) = match lease.kind.as_str() {
        "containments.act" => {
            let OfAct { containment, act, order } = payload(lease)?;
            (Subject::Act(containment, Some(act)), order)
        }
        _ => {
            let OfFix { fix, order } = payload(lease)?;
            (Subject::Fix(fix), order)
        }
    };
    if lease.kind == DUE.name
        && let Subject::Fix(fix) = subject
    {
        return never_begun(services, lease, fix, order).await;
    }
    carry::give_up(services, lease, subject, order).await
}

/// Ends an order that was to begin now and could not.
async fn never_begun(services: &Services, lease: &Lease, fix: FixId, order: i32) -> Result<Done, Failed> {
    let tenant = lease.tenant;
    let mut scope = services.store.write(tenant, &system("fixes", None), &nobody()).await.map_err(Problem::from)?;
    let waits = db::hold(scope.sql(), tenant, fix).await?.is_some_and(|row| row.state == FixState::Scheduled && row.order == order);
    let detail = "It could not be begun, again and again; the operator finds the cause in the log. Nothing was written. Order it again.";
    let why = failure(FixFailureCode::Internal, detail);
    if waits {
        db::fail(scope.sql(), tenant, fix, FixState::Failed, &why).await?;
    }
    scope.finish(lease).await.map_err(Problem::from)?;
    Ok(Done { scope, action: "fix.failed", audited: Audited::new((), format!("fix/{fix}"), json!({"failure": why, "order": order})) })
}
