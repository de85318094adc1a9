//! Submitting the scenario's reports with the command line, and saying what came of them.

use crate::cli::Cli;
use crate::seed::{PROJECT, Tenant, good};
use crate::{Arguments, say};
use bailiwick_base::{Clock, SystemClock};
use bailiwick_sim::scenario::{ReportFamily, report};
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;

/// Day 1 of the scenario, as its reports are dated.
const FIRST: &str = "2026-11-17T06:00:00Z";
const DAYS: u32 = 3;

/// A report as if the scenario's last day were yesterday: the same results, other dates.
fn dated(bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let first: Timestamp = FIRST.parse()?;
    let today = SystemClock.now().as_second().div_euclid(86_400);
    let mut text = String::from_utf8(bytes)?;
    for day in (0..DAYS + 1).rev() {
        let scenario = first.checked_add(SignedDuration::from_hours(24 * i64::from(day)))?;
        let actual = Timestamp::from_second((today - i64::from(DAYS) + i64::from(day)) * 86_400)?;
        let date = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
        // A mark between, so that a date that was moved is not moved again.
        text = text.replace(&date(scenario), &format!("\u{1}{}", date(actual).replace('-', "\u{2}")));
    }
    Ok(text.replace('\u{1}', "").replace('\u{2}', "-").into_bytes())
}

/// Submits three days of reports, the older first.
pub async fn reports(arguments: &Arguments, tenant: &Tenant, url: &str) -> anyhow::Result<()> {
    let name = tenant.org.name.to_lowercase();
    let folder = arguments.folder.join("reports").join(&name);
    std::fs::create_dir_all(&folder)?;
    let write = |file: String, family: ReportFamily, day: u32, html: bool| -> anyhow::Result<PathBuf> {
        let path = folder.join(file);
        std::fs::write(&path, dated(report(family, &name, day, html)?)?)?;
        Ok(path)
    };
    for day in 1..=DAYS {
        let json = write(format!("TestResults-day{day}.json"), ReportFamily::Maester, day, false)?;
        let html = write(format!("TestResults-day{day}.html"), ReportFamily::Maester, day, true)?;
        upload(arguments, tenant, url, &[json, html], "GitHub Actions", &format!("maester-{day}"), false).await?;
        let sarif = write(format!("scan-day{day}.sarif"), ReportFamily::Sarif, day, false)?;
        upload(arguments, tenant, url, &[sarif], "Azure DevOps", &format!("scan-{day}"), true).await?;
    }
    let zero_trust = write("ZeroTrustAssessmentReport.json".into(), ReportFamily::ZeroTrust, 1, false)?;
    upload(arguments, tenant, url, &[zero_trust], "Azure Automation", "zero-trust-1", false).await?;
    let scuba = write("ScubaResults.json".into(), ReportFamily::ScubaGear, 1, false)?;
    upload(arguments, tenant, url, &[scuba], "Azure Automation", "scuba-1", false).await
}

async fn upload(
    arguments: &Arguments,
    tenant: &Tenant,
    url: &str,
    files: &[PathBuf],
    source: &str,
    pipeline: &str,
    code: bool,
) -> anyhow::Result<()> {
    let files: Vec<&str> = files.iter().filter_map(|file| file.to_str()).collect();
    let key = if code { &tenant.project_key } else { &tenant.key };
    let command = Cli { arguments, url, token: key };
    let project: &[&str] = if code { &["--project", PROJECT] } else { &[] };
    let words = [&["upload"], files.as_slice(), &["--source", source, "--pipeline-run-id", pipeline], project].concat();
    let result = command.run(&words).await?.good(&format!("the upload of {pipeline} for {}", tenant.org.name))?;
    let (counts, findings) = (&result["counts"], &result["findings"]);
    let repeated = if result["deduplicated"] == true { "  (there already)" } else { "" };
    say(format!(
        "{:<9} {:<13} {:<10} {:>3} results, {:>3} failing; findings: {} new, {} existing, {} fixed, {} reopened{repeated}",
        tenant.org.name,
        pipeline,
        result["state"].as_str().unwrap_or_default(),
        counts["total"],
        ["failed", "error", "investigate"].iter().filter_map(|n| counts[n].as_u64()).sum::<u64>(),
        findings["new"],
        findings["existing"],
        findings["fixed"],
        findings["reopened"],
    ));
    Ok(())
}

/// Runs, posture, drift and findings of a tenant, as its owner sees them.
pub async fn summary(tenant: &Tenant) -> anyhow::Result<()> {
    let overview = good(tenant.owner.get("/api/v1/overview").await)?;
    let runs = good(tenant.owner.get("/api/v1/runs?limit=200").await)?;
    let drift = good(tenant.owner.get("/api/v1/drift?family=maester").await)?;
    let open: u64 = overview["open_findings"].as_array().into_iter().flatten().filter_map(|f| f["count"].as_u64()).sum();
    say(format!(
        "  {:<9} runs {:>2}   posture {:>5.1} %   drift: {} regressions, {} fixed, {} added, {} removed, {} other   open findings {open}",
        tenant.org.name,
        runs["items"].as_array().map_or(0, Vec::len),
        overview["posture"].as_f64().unwrap_or(0.0) * 100.0,
        drift["counts"]["regression"],
        drift["counts"]["fixed"],
        drift["counts"]["added"],
        drift["counts"]["removed"],
        drift["counts"]["other"],
    ));
    for item in drift["items"].as_array().into_iter().flatten().filter(|i| i["movement"] == "regression") {
        say(format!(
            "            worse: {} {}",
            item["check_key"].as_str().unwrap_or_default(),
            item["title"].as_str().unwrap_or_default()
        ));
    }
    Ok(())
}
