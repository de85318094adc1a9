//! Fixes: how long a plan for a neglected directory takes.

use super::scan::{connect, scan};
use crate::daemon::Daemon;
use crate::report::Report;
use crate::stage::Stage;
use anyhow::{Context, ensure};
use bailiwick_sim::Knobs;
use bailiwick_sim::demo::{WINGTIP, WRITER_CLIENT_ID, WRITER_SECRET};
use serde_json::json;
use std::time::{Duration, Instant};

/// What one plan came to.
#[derive(Clone, Copy)]
struct Plan {
    took: Duration,
    fixes: usize,
    left_out: usize,
    /// Asked of the directory, those in a batch one by one.
    reads: usize,
}

pub async fn measure(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let home = stage.home()?;
    let daemon = Daemon::start(&stage.program, &home, None).await?;
    let (owner, sim, directory) = (stage.owner(&home)?, stage.sim(), WINGTIP.directory);
    // Microsoft's limits are its own: what is measured here is what we do beside them.
    sim.set_knobs(Knobs { limit_identity: false, limit_reports: false, ..Knobs::default() });
    let reader = connect(stage, &owner, directory).await?;
    sim.consent(directory, WRITER_CLIENT_ID);
    let credential = json!({"kind": "secret", "secret": WRITER_SECRET});
    let writer = json!({"kind": "write", "directory": directory, "client_id": WRITER_CLIENT_ID, "credential": credential});
    owner.post("/api/v1/connections", &writer).await.context("the second connection")?;
    owner.put(&format!("/api/v1/scan-settings/{directory}"), &json!({"emergency_accounts": WINGTIP.emergency})).await?;
    owner.put(&format!("/api/v1/fix-settings/{directory}"), &json!({"enabled": true})).await?;
    let (scanned, _) = scan(&owner, &reader, "compliance").await?;
    let id = scanned["id"].as_str().context("the scan has no id")?;
    let failing = owner.get(&format!("/api/v1/scans/{id}/results?verdict=failed&limit=1")).await?["counts"]["failed"].clone();
    let mut plans = Vec::new();
    for _ in 0..if stage.quick { 1 } else { 5 } {
        sim.clear_calls();
        let begun = Instant::now();
        let plan = owner.post("/api/v1/fix-plans", &json!({"directory": directory})).await?;
        let took = begun.elapsed();
        let length = |list: &str| plan[list].as_array().map_or(0, Vec::len);
        let of_directory = |path: &str| !path.contains("/oauth2/") && !path.ends_with("/$batch");
        let reads = sim.calls().iter().filter(|call| call.directory == Some(directory) && of_directory(&call.path)).count();
        ensure!(sim.calls().iter().all(|call| call.body_sha256.is_none()), "planning wrote to the directory");
        plans.push(Plan { took, fixes: length("fixes"), left_out: length("left_out"), reads });
    }
    daemon.stop().await?;
    let worst = plans.iter().max_by_key(|plan| plan.took).copied().context("nothing was planned")?;
    ensure!(worst.fixes > 0 && worst.reads > 0, "{} fixes of {} reads: this is no measure of planning", worst.fixes, worst.reads);
    let times: Vec<String> = plans.iter().map(|plan| format!("{:.2}", plan.took.as_secs_f64())).collect();
    let detail = format!(
        "{failing} checks failing: {} fixes planned, {} things left out, {} reads made, each of the cloud's answers at once; {} s; the worst counts",
        worst.fixes,
        worst.left_out,
        worst.reads,
        times.join(", ")
    );
    report.add("a plan for a neglected directory", worst.took.as_secs_f64(), 1.0, "s", detail)
}
