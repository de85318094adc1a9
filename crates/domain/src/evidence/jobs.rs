//! The jobs of evidence: processing a completed run, and sweeping up what was never completed.

use super::{db, import};
use crate::Services;
use crate::notifications::{self, Event};
use crate::worker::{Done, Failed, system};
use bailiwick_base::{Problem, ProjectId, RunId};
use bailiwick_store::artifacts::ObjectKey;
use bailiwick_store::{Audited, JobKind, Lease};
use futures::TryStreamExt;
use jiff::ToSpan;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;

/// Turns a completed run's reports into observations and findings.
///
/// A tenant's runs are processed one at a time, so no wait is long: a run that has to wait for the storage keeps the others waiting.
/// All attempts together ride out an outage of five minutes.
pub const PROCESS: JobKind = JobKind {
    name: "evidence.process",
    max_attempts: 24,
    lease: Duration::from_secs(60),
    backoff: Duration::from_secs(2),
    longest_wait: Duration::from_secs(15),
    schedule: None,
};

/// Deletes runs that never got their manifest within a day, and stored bytes that no record knows.
pub const SWEEP: JobKind = JobKind {
    name: "evidence.sweep",
    max_attempts: 5,
    lease: Duration::from_secs(300),
    backoff: Duration::from_secs(60),
    longest_wait: Duration::from_secs(3600),
    schedule: Some("17 3 * * *"),
};

#[derive(Deserialize)]
struct Payload {
    run: RunId,
}

/// Processes a run.
///
/// # Errors
/// The problem, to be tried again when it is transient; a report that is refused fails its run at once.
pub async fn process(services: &Services, lease: &Lease) -> Result<Done, Failed> {
    let payload: Payload = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    let mut scope = services.store.read(lease.tenant, &system("worker", None), &crate::worker::nobody()).await.map_err(Problem::from)?;
    let plan = import::plan(services, &mut scope, payload.run).await?;
    drop(scope);
    let caller = system("worker", plan.project);
    let mut scope = services.store.write(lease.tenant, &caller, &crate::worker::nobody()).await.map_err(Problem::from)?;
    match import::import(services, &mut scope, &plan, lease.attempt).await {
        Ok(imported) => {
            scope.finish(lease).await.map_err(Problem::from)?;
            let detail = json!({"source": plan.source, "family": imported.family, "counts": imported.counts, "findings": imported.findings, "on_behalf": lease.on_behalf});
            Ok(Done { scope, action: "run.processed", audited: Audited::new((), format!("run/{}", plan.run), detail) })
        }
        Err(stopped) if stopped.problem.transient() && lease.attempt < PROCESS.max_attempts => Err(Failed::from(stopped.problem)),
        Err(stopped) => {
            // What was written so far goes; the reason stays.
            drop(scope);
            fail(services, lease, plan.run, plan.project, &stopped).await
        }
    }
}

/// Fails a run whose job is not tried any more.
///
/// # Errors
/// The database's.
pub async fn give_up(services: &Services, lease: &Lease, problem: &Problem) -> Result<Done, Failed> {
    let payload: Payload = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    let mut scope = services.store.read(lease.tenant, &system("worker", None), &crate::worker::nobody()).await.map_err(Problem::from)?;
    let run = db::run(scope.sql(), lease.tenant, payload.run).await?.ok_or_else(Problem::not_found)?.run();
    drop(scope);
    fail(services, lease, run.id, run.project.map(|p| p.id), &import::Stopped::from(problem.clone())).await
}

async fn fail(
    services: &Services,
    lease: &Lease,
    run: RunId,
    project: Option<ProjectId>,
    stopped: &import::Stopped,
) -> Result<Done, Failed> {
    let mut scope =
        services.store.write(lease.tenant, &system("worker", project), &crate::worker::nobody()).await.map_err(Problem::from)?;
    if let Some(cause) = &stopped.problem.internal {
        tracing::warn!(%run, cause, "run failed");
    }
    let (failure, now) = (stopped.failure(), scope.now());
    db::mark_failed(scope.sql(), lease.tenant, run, &failure, lease.attempt, now).await?;
    notifications::announce(&mut scope, Event::RunFailed { run, project }).await?;
    scope.finish(lease).await.map_err(Problem::from)?;
    Ok(Done {
        scope,
        action: "run.failed",
        audited: Audited::new((), format!("run/{run}"), json!({"failure": failure, "on_behalf": lease.on_behalf})),
    })
}

/// Sweeps one tenant.
///
/// # Errors
/// The database's, or the artifact storage's.
pub async fn sweep(services: &Services, lease: &Lease) -> Result<Done, Failed> {
    let tenant = lease.tenant;
    let yesterday = services.store.now() - 24.hours();
    // Bytes whose record was never made: older than a day, so no upload is still about to make it.
    let keys: Vec<ObjectKey> = services.artifacts.list_orphans(tenant, yesterday).try_collect().await.map_err(Problem::from)?;
    let mut scope = services.store.write(tenant, &system("worker", None), &crate::worker::nobody()).await.map_err(Problem::from)?;
    let ids: Vec<uuid::Uuid> = keys.iter().map(|key| key.artifact.0).collect();
    // Asked before the abandoned runs go: should this transaction not be kept, their records still have their bytes. The next sweep
    // takes those.
    let recorded: HashSet<uuid::Uuid> = db::recorded(scope.sql(), tenant, &ids).await?.into_iter().collect();
    let abandoned = db::take_abandoned(scope.sql(), tenant, yesterday).await?;
    let mut deleted = 0;
    for key in keys.iter().filter(|key| !recorded.contains(&key.artifact.0)) {
        services.artifacts.delete(key).await.map_err(Problem::from)?;
        deleted += 1;
    }
    services.artifacts.sweep_half_written(yesterday).await.map_err(Problem::from)?;
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({"abandoned_runs": abandoned, "unrecorded_files": deleted});
    Ok(Done { scope, action: "evidence.swept", audited: Audited::new((), format!("tenant/{tenant}"), detail) })
}
