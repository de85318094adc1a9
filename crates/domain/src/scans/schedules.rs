//! Schedules: each waits as one job for its next time, begins its scan then, and waits again.

use super::{api, db, model};
use crate::worker::{Done, Failed, nobody, system};
use crate::{Services, connections};
use bailiwick_base::{Problem, ScheduleId, Timestamp};
use bailiwick_contract::connections::ConnectionKind;
use bailiwick_contract::scans::ScanSchedule;
use bailiwick_store::{Audited, JobKind, Lease, NewJob, WriteScope};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// A schedule's turn.
pub const DUE: JobKind = JobKind {
    name: "scans.due",
    max_attempts: 8,
    lease: Duration::from_secs(60),
    backoff: Duration::from_secs(5),
    longest_wait: Duration::from_secs(300),
    schedule: None,
};

#[derive(Deserialize)]
struct Payload {
    schedule: ScheduleId,
    at: Timestamp,
}

fn key(schedule: ScheduleId, at: Timestamp) -> String {
    format!("scan_schedule:{schedule}:{at}")
}

/// Lets a schedule wait for its next time.
///
/// # Errors
/// The database's.
pub async fn wait(scope: &mut WriteScope, schedule: ScheduleId, at: Timestamp) -> Result<(), Problem> {
    let job = NewJob {
        kind: DUE.name,
        payload: json!({"schedule": schedule, "at": at}),
        concurrency_key: None,
        dedup_key: Some(key(schedule, at)),
    };
    scope.enqueue_at(job, at).await?;
    Ok(())
}

/// Lets it wait no more.
///
/// # Errors
/// The database's.
pub async fn forget(scope: &mut WriteScope, schedule: &ScanSchedule) -> Result<(), Problem> {
    match schedule.next_at {
        Some(at) => Ok(scope.unqueue(&key(schedule.id, at)).await?),
        None => Ok(()),
    }
}

/// Takes a schedule's turn: begins its scan, or notes why not, and waits for the next time.
///
/// # Errors
/// The database's.
pub async fn due(services: &Services, lease: &Lease) -> Result<Done, Failed> {
    let Payload { schedule: id, at } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    let tenant = lease.tenant;
    let mut scope = services.store.write(tenant, &system("schedule", None), &nobody()).await.map_err(Problem::from)?;
    let now = scope.now();
    let target = format!("scan_schedule/{id}");
    let schedule = db::schedule(scope.sql(), tenant, id).await?;
    // One that was changed or removed meanwhile waits under another time, or not at all.
    let Some(schedule) = schedule.filter(|s| s.enabled && s.next_at == Some(at)) else {
        scope.finish(lease).await.map_err(Problem::from)?;
        let audited = Audited::new((), target, json!({"outcome": "the schedule was changed, removed or disconnected"}));
        return Ok(Done { scope, action: "scan_schedule.passed", audited });
    };
    let connection = connections::db::connection(scope.sql(), tenant, schedule.connection).await?;
    let begun = match connection.filter(|row| row.live() && row.kind() == ConnectionKind::Read) {
        None => Err("Its connection was disconnected."),
        Some(row) if db::under_way(scope.sql(), tenant, row.directory().id).await? => Err("Another scan of the directory was under way."),
        Some(row) => Ok(api::begin(&mut scope, &row, schedule.kind, Some(id)).await?),
    };
    let next = model::next_due(&schedule.cron, &schedule.zone, now).ok();
    db::note_turn(scope.sql(), tenant, id, begun, next, now).await?;
    if let Some(next) = next {
        wait(&mut scope, id, next).await?;
    }
    scope.finish(lease).await.map_err(Problem::from)?;
    let (action, detail) = match begun {
        Ok(scan) => ("scan.started", json!({"schedule": id, "scan": scan, "kind": schedule.kind, "connection": schedule.connection})),
        Err(problem) => ("scan_schedule.passed", json!({"outcome": problem})),
    };
    Ok(Done { scope, action, audited: Audited::new((), target, detail) })
}
