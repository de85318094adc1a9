//! A fix, from the second consent to the roll-back: planned from a scan, approved by two people, applied, shown by the next scan, taken
//! back. And one that stops, because somebody else changed the value after it was approved.

use crate::cli::Cli;
use crate::scans::consent;
use crate::seed::{Tenant, good};
use crate::{Arguments, say};
use anyhow::Context;
use bailiwick_sim::Sim;
use bailiwick_sim::demo::{TAILSPIN, WRITER_CLIENT_ID};
use serde_json::{Value, json};

/// The check whose fix is carried out; scans of both kinds ask it.
const APPLIED: &str = "entra.authorization-policy.admin-sspr";
/// The check whose fix is approved, and whose value somebody else changes before it is applied.
const OVERTAKEN: &str = "entra.authorization-policy.guest-role-strict";
/// What somebody else sets meanwhile: the role in which guests have the rights of members.
const MEANWHILE: (&str, &str) = ("guestUserRoleId", "a0b1b346-4d3e-4e8b-98f8-753987be4970");

/// Two people with their command lines, and the fixes they decide about.
pub struct Story<'a> {
    sim: &'a Sim,
    tenant: &'a Tenant,
    owner: Cli<'a>,
    admin: Cli<'a>,
    plan: Value,
}

impl<'a> Story<'a> {
    /// Gives the write consent for Tailspin Toys, turns fixes on with two approvers, and plans from the last scan.
    pub async fn begin(arguments: &'a Arguments, sim: &'a Sim, tenant: &'a Tenant, url: &'a str) -> anyhow::Result<Self> {
        connect(sim, tenant).await?;
        let settings = json!({"enabled": true, "second_approver": true, "containment": true});
        good(tenant.owner.put(&format!("/api/v1/fix-settings/{}", TAILSPIN.directory), settings).await)?;
        let owner = Cli { arguments, url, token: tenant.bearer("owner")? };
        let admin = Cli { arguments, url, token: tenant.bearer("admin")? };
        let plan = owner.run(&["fixes", "plan", "--directory", TAILSPIN.name]).await?.good("planning fixes")?;
        let count = |name: &str| plan[name].as_array().map_or(0, Vec::len);
        say(format!("\nFixes for {}", TAILSPIN.name));
        say(format!("  planned       {} fixes, {} left out with a reason; nothing was written", count("fixes"), count("left_out")));
        Ok(Self { sim, tenant, owner, admin, plan })
    }

    /// Two people approve a fix, one applies it.
    pub async fn apply(&self) -> anyhow::Result<Value> {
        let fix = self.fix(APPLIED)?;
        let (id, digest) = (word(fix, "id")?, word(fix, "digest")?);
        say(format!("  fix           {}", fix["recipe"]["title"].as_str().unwrap_or_default()));
        say(format!("                {} {}", fix["request"]["method"].as_str().unwrap_or_default(), fix["request"]["body"]));
        for change in fix["changed"].as_array().into_iter().flatten() {
            say(format!("                {}: {} -> {}", change["path"].as_str().unwrap_or_default(), change["before"], change["after"]));
        }
        let approve = ["fixes", "approve", id, "--digest", digest];
        self.owner.run(&approve).await?.good("the first approval")?;
        self.owner.run(&approve).await?.ended_with(1, "approving twice")?;
        let approved = self.admin.run(&approve).await?.good("the second approval")?;
        let names: Vec<&str> = approved["approvals"].as_array().into_iter().flatten().filter_map(|a| a["by"]["name"].as_str()).collect();
        say(format!("  approved      by {}; the same person twice was refused", names.join(", then ")));
        let applied = self.owner.run(&["fixes", "apply", id, "--digest", digest]).await?.good("applying")?;
        say(format!("  applied       {}", steps(&applied, "apply")));
        Ok(applied)
    }

    /// After the next scan: it proves the fix, which is then taken back; another one stops.
    pub async fn end(&self, applied: &Value) -> anyhow::Result<()> {
        say(format!("\nFixes for {}, after that scan", TAILSPIN.name));
        let (id, digest) = (word(applied, "id")?, word(applied, "digest")?);
        let shown = self.owner.run(&["fixes", "show", id]).await?.good("looking at the fix")?;
        let scan = shown["verified_by_scan"].as_str().context("the scan after it does not prove the fix")?;
        say(format!("  verified      its checks pass in scan {scan}"));
        let back = self.admin.run(&["fixes", "rollback", id, "--digest", digest]).await?.good("rolling back")?;
        say(format!("  rolled back   {}", steps(&back, "roll_back")));
        self.overtaken().await?;
        let writes = self.writes();
        anyhow::ensure!(writes == 2, "Microsoft took {writes} writes, and two were ordered");
        say(format!("  writes        {writes} reached Microsoft, the two that were ordered and recorded"));
        Ok(())
    }

    /// Somebody else changes a value between approval and order: nothing is sent.
    async fn overtaken(&self) -> anyhow::Result<()> {
        let fix = self.fix(OVERTAKEN)?;
        let (id, digest) = (word(fix, "id")?, word(fix, "digest")?);
        for person in [&self.owner, &self.admin] {
            person.run(&["fixes", "approve", id, "--digest", digest]).await?.good("approving")?;
        }
        let (member, value) = MEANWHILE;
        self.sim.change(TAILSPIN.directory, "/v1.0/policies/authorizationPolicy", json!({ member: value }))?;
        let stopped = self.owner.run(&["fixes", "apply", id, "--digest", digest]).await?.ended_with(3, "applying what changed")?;
        anyhow::ensure!(stopped["state"] == "stopped", "the fix is {}", stopped["state"]);
        for found in stopped["failure"]["found"].as_array().into_iter().flatten() {
            say(format!(
                "  stopped       {} is {} by now, and {} was approved: nothing was sent",
                found["path"].as_str().unwrap_or_default(),
                found["after"],
                found["before"]
            ));
        }
        self.sim.restore(TAILSPIN.directory);
        Ok(())
    }

    fn fix(&self, check: &str) -> anyhow::Result<&Value> {
        let answers = |fix: &&Value| fix["checks"].as_array().into_iter().flatten().any(|c| c["check"] == json!(check));
        let mut fixes = self.plan["fixes"].as_array().into_iter().flatten();
        fixes.find(answers).with_context(|| format!("no fix was planned for {check} of {}", self.tenant.org.name))
    }

    /// Writes to the directory that the simulated Microsoft was sent.
    fn writes(&self) -> usize {
        let calls = self.sim.calls();
        calls.iter().filter(|call| call.body_sha256.is_some() && call.directory == Some(TAILSPIN.directory)).count()
    }
}

/// The second consent: to the application that writes.
async fn connect(sim: &Sim, tenant: &Tenant) -> anyhow::Result<()> {
    let there = good(tenant.owner.get("/api/v1/connections?kind=write&limit=200").await)?;
    let known = there["items"].as_array().into_iter().flatten().find(|c| c["directory"]["id"] == json!(TAILSPIN.directory));
    let id = match known.and_then(|c| c["id"].as_str()) {
        Some(id) => {
            sim.consent(TAILSPIN.directory, WRITER_CLIENT_ID);
            id.to_owned()
        }
        None => consent(sim, tenant, &TAILSPIN, "write", WRITER_CLIENT_ID).await?,
    };
    let checked = good(tenant.owner.post(&format!("/api/v1/connections/{id}/check"), json!({})).await)?;
    anyhow::ensure!(checked["state"] == "working", "nothing writes to {}: {}", TAILSPIN.name, checked["failure"]["detail"]);
    Ok(())
}

fn word<'v>(fix: &'v Value, member: &str) -> anyhow::Result<&'v str> {
    fix[member].as_str().with_context(|| format!("the fix has no {member}"))
}

/// `GET 200, PATCH 204, GET 200`
fn steps(fix: &Value, purpose: &str) -> String {
    let of = |step: &&Value| step["purpose"] == json!(purpose);
    let told = |step: &Value| format!("{} {}", step["method"].as_str().unwrap_or_default(), step["status"]);
    fix["steps"].as_array().into_iter().flatten().filter(of).map(told).collect::<Vec<_>>().join(", ")
}
