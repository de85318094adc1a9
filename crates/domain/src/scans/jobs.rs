//! The job that performs a scan.

use super::db;
use crate::Services;
use crate::worker::{Done, Failed, nobody, system};
use bailiwick_base::{Problem, ScanId};
use bailiwick_contract::scans::{ScanEnd, ScanEndCode, ScanState};
use bailiwick_store::{Audited, JobKind, Lease};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// Performs a scan.
pub const RUN: JobKind = JobKind {
    name: "scans.run",
    max_attempts: 12,
    lease: Duration::from_secs(60),
    backoff: Duration::from_secs(5),
    longest_wait: Duration::from_secs(120),
    schedule: None,
};

#[derive(Deserialize)]
struct Payload {
    scan: ScanId,
}

/// Performs a scan, or goes on with one that was interrupted.
///
/// # Errors
/// The database's.
pub async fn run(services: &Services, lease: &Lease) -> Result<Done, Failed> {
    let Payload { scan } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    let end = ScanEnd {
        code: ScanEndCode::SandboxUnavailable,
        detail: "This environment has no scanner program. Its operator installs it beside bailiwickd.".into(),
        cloud: None,
    };
    ended(services, lease, scan, &end).await
}

/// Ends a scan without results.
async fn ended(services: &Services, lease: &Lease, scan: ScanId, end: &ScanEnd) -> Result<Done, Failed> {
    let mut scope = services.store.write(lease.tenant, &system("scanner", None), &nobody()).await.map_err(Problem::from)?;
    let now = scope.now();
    db::end(scope.sql(), lease.tenant, scan, ScanState::Failed, end, now).await?;
    db::forget_checkpoints(scope.sql(), lease.tenant, scan).await?;
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({"end": end, "on_behalf": lease.on_behalf});
    Ok(Done { scope, action: "scan.failed", audited: Audited::new((), format!("scan/{scan}"), detail) })
}
