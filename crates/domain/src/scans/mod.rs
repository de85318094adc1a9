//! Scans: judging connected directories, and looking into them as they are now.
//!
//! Owns: `scans`, `scan_progress`, `scan_checkpoints`, `scan_schedules`, `scan_settings`, `scan_packs`. Permissions: scans.*, live.read.
//! Jobs: [`jobs::RUN`], [`schedules::DUE`]. A completed scan's results are an evidence run: what becomes of them is written there.
//! Invariants: I49 (a scan of a disconnected directory asks nothing more), I66 (a source that fails harms itself only).

pub mod api;
mod broker;
pub mod catalogue;
pub(crate) mod db;
pub mod jobs;
mod keeping;
pub mod live;
pub mod model;
pub(crate) mod report;
pub mod schedules;

use bailiwick_base::{ConnectionId, Problem, ScanId};
use bailiwick_contract::scans::{ScanEnd, ScanEndCode};
use bailiwick_store::WriteScope;

/// The key of a scan's job: at most one waits or runs.
pub(crate) fn job_key(scan: ScanId) -> String {
    format!("scan:{scan}")
}

/// Ends every scan that goes through a connection, because it was disconnected. Answers which.
///
/// # Errors
/// The database's.
pub async fn end_scans_of(scope: &mut WriteScope, connection: ConnectionId) -> Result<Vec<ScanId>, Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    let end = ScanEnd {
        code: ScanEndCode::Disconnected,
        detail: "The directory was disconnected while the scan was under way. Nothing of it is kept.".into(),
        cloud: None,
    };
    let ended = db::cancel_of_connection(scope.sql(), tenant, connection, &end, now).await?;
    for scan in &ended {
        db::forget_checkpoints(scope.sql(), tenant, *scan).await?;
        scope.unqueue(&job_key(*scan)).await?;
    }
    Ok(ended)
}
