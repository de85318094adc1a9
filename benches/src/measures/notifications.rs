//! Notifications: how fast very many mails leave, against a bare client of the same mail server, and whether a channel whose mails are
//! taken slowly delays another.
//!
//! The mails are made as they are in production: one regression, and rules that tell it to the recipients of a channel.

use super::thousands;
use crate::api::{Caller, File};
use crate::daemon::{Daemon, Home};
use crate::report::Report;
use crate::smtp::{MailServer, SLOW, SLOW_DOMAIN, Taken, send_bare};
use crate::stage::{BARE, MAIL_CONNECTIONS, SUBJECT, Stage};
use anyhow::{Context, ensure};
use bailiwick_sim::demo::Org;
use bailiwick_sim::scenario::maester_report;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Of one channel: the most it may have.
const RECIPIENTS: u32 = 50;
/// A bare client may be at most twice as fast, and a quick channel must keep four fifths of its rate beside a slow one.
const BARE_TO_OURS: f64 = 2.0;
const BESIDE: f64 = 1.25;
const PATIENCE: Duration = Duration::from_secs(600);

/// A tenant whose regressions are mailed.
struct Desk<'a> {
    home: &'a Home,
    org: &'static Org,
    owner: Caller,
    pipeline: Caller,
    channel: String,
    mails: u32,
    reports: u32,
}

pub async fn measure(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let server = MailServer::start().await?;
    let home = stage.home_with_mail(server.port)?;
    let daemon = Daemon::start(&stage.program, &home, None).await?;
    let (rules, slow_rules) = if stage.quick { (10, 2) } else { (200, 10) };
    let mut desk = Desk::new(&home, &SUBJECT, stage.owner_of(&home, &SUBJECT)?, "quick.example", rules).await?;
    let before = daemon.processor_time()?;
    let alone = desk.tell(&server).await?;
    let spent = (daemon.processor_time()? - before).as_secs_f64() * 1_000.0 / f64::from(desk.mails);
    let bare = bare(&server, desk.mails).await?;
    let count = thousands(desk.mails);
    let detail = format!(
        "{:.0} mails a second, {spent:.2} ms of our processor time each, matched and written down; a bare client {:.0} over as many \
         connections ({MAIL_CONNECTIONS}), mails of {} KB; limit: half of it",
        alone.rate(),
        bare.rate(),
        server.sample()?.len() / 1_000
    );
    report.add(format!("{count} mails, a bare client's rate to ours"), bare.rate() / alone.rate(), BARE_TO_OURS, "x", detail)?;
    let detail = format!("busy {:.1} s of {:.1} s with at least one mail", alone.busy.as_secs_f64(), alone.wall.as_secs_f64());
    report.add("mail server without a mail meanwhile", 100.0 - alone.utilisation(), 50.0, "%", detail)?;
    let mut neighbour = Desk::new(&home, &BARE, stage.owner_of(&home, &BARE)?, SLOW_DOMAIN, slow_rules).await?;
    neighbour.regress().await?;
    let begun = Instant::now();
    while server.slow().0 == 0 {
        ensure!(begun.elapsed() < PATIENCE, "the slow channel does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let beside = desk.tell(&server).await?;
    let (under_way, taken) = server.slow();
    let ratio = alone.rate() / beside.rate();
    ensure!(under_way > 0 || ratio > BESIDE, "the slow channel ended before the quick one: this is no measure of both");
    let detail = format!(
        "{:.0} mails a second alone, {:.0} beside a channel whose mails take {} s each ({taken} taken meanwhile); limit: four fifths",
        alone.rate(),
        beside.rate(),
        SLOW.as_secs()
    );
    report.add("mails alone to mails beside a slow channel", ratio, BESIDE, "x", detail)?;
    server.hurry();
    daemon.stop().await
}

/// What a bare client gets through; the best of three, which is the hardest to keep up with.
async fn bare(server: &MailServer, mails: u32) -> anyhow::Result<Taken> {
    let sample = server.sample()?;
    let mut best = Taken::default();
    for _ in 0..3 {
        server.forget();
        send_bare(server.port, &sample, mails, MAIL_CONNECTIONS).await?;
        let taken = server.until(mails, PATIENCE).await?;
        if best.mails == 0 || taken.wall < best.wall {
            best = taken;
        }
    }
    Ok(best)
}

impl<'a> Desk<'a> {
    /// A channel with as many recipients as it may have, as many rules as told that send each regression to it, and a first report.
    async fn new(home: &'a Home, org: &'static Org, owner: Caller, domain: &str, rules: u32) -> anyhow::Result<Self> {
        let directory = json!({"id": org.directory, "name": org.name});
        owner.post("/api/v1/directories", &directory).await.context("the directory the reports are about")?;
        let recipients: Vec<Value> = (0..RECIPIENTS).map(|person| json!({"address": format!("person{person}@{domain}")})).collect();
        let channel = json!({"name": "Everybody", "config": {"kind": "smtp", "recipients": recipients}});
        let made = owner.post("/api/v1/channels", &channel).await.context("a channel")?;
        let channel = made["channel"]["id"].as_str().context("the channel has no id")?.to_owned();
        for rule in 0..rules {
            let name = format!("Told once more ({rule})");
            let rule = json!({"name": name, "channel": channel, "events": ["drift_regressed"], "timing": {"kind": "immediate"}});
            owner.post("/api/v1/notification-rules", &rule).await.context("a rule")?;
        }
        let pipeline = owner.pipeline().await?;
        let mut desk = Self { home, org, owner, pipeline, channel, mails: rules * RECIPIENTS, reports: 0 };
        desk.report(1, false).await?;
        Ok(desk)
    }

    /// Makes what was well worse, which is told to everybody.
    async fn regress(&mut self) -> anyhow::Result<()> {
        self.report(2, true).await?;
        self.report(2, false).await
    }

    /// Makes what was well worse, and waits until everybody was told.
    async fn tell(&mut self, server: &MailServer) -> anyhow::Result<Taken> {
        server.forget();
        self.regress().await?;
        let taken = server.until(self.mails, PATIENCE).await?;
        // The last mails are written down after the server took them.
        let begun = Instant::now();
        loop {
            let channel = self.owner.get(&format!("/api/v1/channels/{}", self.channel)).await?;
            if channel["waiting"] == 0 {
                ensure!(channel["state"] == "working", "the channel is not well: {channel}");
                break;
            }
            ensure!(begun.elapsed() < PATIENCE, "{} deliveries are not written down", channel["waiting"]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let again = server.until(self.mails, PATIENCE).await?;
        ensure!(again.mails == taken.mails, "a mail came twice");
        Ok(taken)
    }

    /// A report of the scenario's day, made after those before it, in which two checks may be mended.
    async fn report(&mut self, day: u32, mended: bool) -> anyhow::Result<()> {
        let mut made: Value = serde_json::from_slice(&maester_report(self.org, day))?;
        made["ExecutedAt"] = json!(format!("2026-11-18T06:{:02}:00.000000+00:00", self.reports));
        for test in made["Tests"].as_array_mut().into_iter().flatten() {
            if mended && ["MT.1005", "MT.1092"].iter().any(|id| test["Id"] == *id) {
                test["Result"] = json!("Passed");
            }
        }
        let path = self.home.folder.path().join("TestResults.json");
        std::fs::write(&path, serde_json::to_vec(&made)?)?;
        self.reports += 1;
        let run = self.pipeline.send_report(&File::new(&path)?, &self.reports.to_string()).await?;
        self.pipeline.settled(&run).await?;
        Ok(())
    }
}
