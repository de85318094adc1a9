//! Connecting the scenario's three directories and scanning them: what each is worth, what fails where, and how long it took.

use crate::say;
use crate::seed::{Tenant, good};
use anyhow::Context;
use bailiwick_sim::Sim;
use bailiwick_sim::demo::{NORTHWIND, READER_CLIENT_ID, Scanned, TAILSPIN, WINGTIP};
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// From the best kept to the worst.
const DIRECTORIES: [Scanned; 3] = [NORTHWIND, TAILSPIN, WINGTIP];
/// A scan waits for Microsoft's limits, here as there; the slowest takes about half a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// A directory that is connected, and the connection's id.
pub struct Connected {
    directory: Scanned,
    id: String,
}

/// Connects each directory as its administrator would: asked by Bailiwick, consented at Microsoft, told back to Bailiwick.
pub async fn connect(sim: &Sim, tenant: &Tenant) -> anyhow::Result<Vec<Connected>> {
    let there = good(tenant.owner.get("/api/v1/connections?kind=read&limit=200").await)?;
    let mut connected = Vec::new();
    for directory in DIRECTORIES {
        let known = there["items"].as_array().into_iter().flatten().find(|c| c["directory"]["id"] == json!(directory.directory));
        let id = match known.and_then(|c| c["id"].as_str()) {
            Some(id) => {
                // The simulated Microsoft forgets between starts what was consented to; Bailiwick does not.
                sim.consent(directory.directory, READER_CLIENT_ID);
                id.to_owned()
            }
            None => consent(sim, tenant, &directory, "read", READER_CLIENT_ID).await?,
        };
        let checked = good(tenant.owner.post(&format!("/api/v1/connections/{id}/check"), json!({})).await)?;
        anyhow::ensure!(checked["state"] == "working", "{} is not connected: {}", directory.name, checked["failure"]["detail"]);
        let settings = json!({"emergency_accounts": directory.emergency});
        good(tenant.owner.put(&format!("/api/v1/scan-settings/{}", directory.directory), settings).await)?;
        connected.push(Connected { directory, id });
    }
    Ok(connected)
}

/// A consent as an administrator of the directory gives it: begun here, given at Microsoft, told here. The connection's id.
pub async fn consent(sim: &Sim, tenant: &Tenant, directory: &Scanned, kind: &str, application: Uuid) -> anyhow::Result<String> {
    let wanted = json!({"kind": kind, "directory": directory.directory, "label": directory.name});
    let begun = good(tenant.owner.post("/api/v1/consents", wanted).await)?;
    let url: reqwest::Url = begun["url"].as_str().context("no address came to consent at")?.parse()?;
    let state = url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
    sim.consent(directory.directory, application);
    let told = json!({"state": state, "tenant": directory.directory, "admin_consent": "True"});
    let outcome = good(tenant.owner.post("/api/v1/consents/complete", told).await)?;
    let id = outcome["connection"]["id"].as_str().map(str::to_owned);
    id.with_context(|| format!("{} was not connected: {}", directory.name, outcome["refusal"]["detail"]))
}

/// Scans every directory for compliance and says what came of it, also by framework.
pub async fn compliance(tenant: &Tenant, connected: &[Connected]) -> anyhow::Result<()> {
    say("\nMicrosoft 365 scans");
    let mut failures = Vec::new();
    for (connected, scan) in all(tenant, connected, "compliance").await? {
        failures.push((connected.directory.name, by_framework(tenant, &scan).await?));
    }
    say("  failed, by framework");
    for (name, failed) in failures {
        say(format!("  {name:<18} {failed}"));
    }
    Ok(())
}

/// Scans every directory for exposure and says what came of it.
pub async fn exposure(tenant: &Tenant, connected: &[Connected]) -> anyhow::Result<()> {
    say("\nMicrosoft 365 scans for exposure");
    all(tenant, connected, "exposure").await.map(drop)
}

async fn all<'c>(tenant: &Tenant, connected: &'c [Connected], kind: &str) -> anyhow::Result<Vec<(&'c Connected, Value)>> {
    let scans = try_join_all(connected.iter().map(|c| scan(tenant, c, kind))).await?;
    for (connected, scan) in &scans {
        let score = &scan["score"];
        say(format!(
            "  {:<18} {kind:<10} {:>5.1} %  {:<15} {:>3} passed, {:>3} failed, {:>3} skipped   {:>4.1} s",
            connected.directory.name,
            score["percent"].as_f64().unwrap_or(0.0),
            score["band"].as_str().unwrap_or("no band").replace('_', " "),
            score["passed"],
            score["failed"],
            score["skipped"],
            seconds(scan).unwrap_or(0.0),
        ));
    }
    Ok(scans)
}

/// Starts a scan, waits for its end, and answers it when it went well.
async fn scan<'c>(tenant: &Tenant, connected: &'c Connected, kind: &str) -> anyhow::Result<(&'c Connected, Value)> {
    let started = good(tenant.owner.post("/api/v1/scans", json!({"kind": kind, "connection": connected.id})).await)?;
    let path = format!("/api/v1/scans/{}", started["id"].as_str().context("the scan has no id")?);
    let settled = tokio::time::timeout(PATIENCE, async {
        loop {
            let scan = good(tenant.owner.get(&path).await)?;
            if !["queued", "running"].contains(&scan["state"].as_str().unwrap_or_default()) {
                return anyhow::Ok(scan);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    });
    let scan = settled.await.with_context(|| format!("the scan of {} does not end", connected.directory.name))??;
    anyhow::ensure!(scan["state"] == "completed", "the scan of {} {}: {}", connected.directory.name, scan["state"], scan["end"]["detail"]);
    Ok((connected, scan))
}

fn seconds(scan: &Value) -> Option<f64> {
    let at = |name: &str| scan[name].as_str()?.parse::<jiff::Timestamp>().ok();
    Some(at("ended_at")?.duration_since(at("started_at")?).as_secs_f64())
}

/// Failed controls of each framework, in its newest version.
async fn by_framework(tenant: &Tenant, scan: &Value) -> anyhow::Result<String> {
    let id: Uuid = scan["id"].as_str().unwrap_or_default().parse()?;
    let summary = good(tenant.owner.get(&format!("/api/v1/scans/{id}/summary")).await)?;
    let mut newest = BTreeMap::new();
    for score in summary["scores"]["by_framework"].as_array().into_iter().flatten() {
        let name = score["name"].as_str().unwrap_or_default();
        // They come in the order of their names, so the last version of each stays.
        newest.insert(name.split(' ').next(), format!("{name}: {}", score["failed"]));
    }
    Ok(newest.into_values().collect::<Vec<_>>().join(", "))
}
