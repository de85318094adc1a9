//! From the start of the process to its first good answer.

use crate::api::File;
use crate::daemon::{Daemon, Home};
use crate::report::Report;
use crate::sarif::{self, Made};
use crate::stage::Stage;
use anyhow::Context;
use bailiwick_store::private_postgres::{PrivateConfig, PrivatePostgres, SUPERUSER};
use std::process::Command;
use std::time::Duration;

pub async fn measure(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    own_database(stage, report).await?;
    private_database(stage, report).await
}

/// With a database that is there: the first start makes the tables, the later ones find them.
async fn own_database(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let home = stage.home()?;
    let postgres = PrivatePostgres::start(PrivateConfig::new(home.folder.path().join("given"))).await?;
    let kek = home.folder.path().join("kek");
    let made = Command::new(&stage.program).args(["keys", "generate"]).arg(&kek).output().context("cannot make a key")?;
    anyhow::ensure!(made.status.success(), "no key: {}", String::from_utf8_lossy(&made.stderr));
    let config = std::fs::read_to_string(&home.config)?;
    std::fs::write(&home.config, config.replace("[entra]", &format!("[keys]\nkek_file = {kek:?}\n[entra]")))?;
    let url = postgres.url(SUPERUSER);
    let first = Daemon::start(&stage.program, &home, Some(&url)).await?;
    let (first_took, mut later) = (first.ready, Vec::new());
    first.stop().await?;
    for _ in 0..if stage.quick { 1 } else { 5 } {
        let daemon = Daemon::start(&stage.program, &home, Some(&url)).await?;
        later.push(daemon.ready);
        daemon.stop().await?;
    }
    postgres.stop().await;
    report.add("ready, with an empty database", seconds(first_took), 1.0, "s", "every table is made")?;
    report.add("ready, with its database", worst(&later), 1.0, "s", each(&later))
}

/// With the private PostgreSQL.
async fn private_database(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let home = stage.home()?;
    let daemon = Daemon::start(&stage.program, &home, None).await?;
    report.add("ready, private PostgreSQL, first time", seconds(daemon.ready), 5.0, "s", "its cluster and every table are made")?;
    daemon.stop().await?;
    let (mut later, mut killed) = (Vec::new(), Vec::new());
    for _ in 0..if stage.quick { 1 } else { 5 } {
        let daemon = Daemon::start(&stage.program, &home, None).await?;
        later.push(daemon.ready);
        daemon.stop().await?;
    }
    report.add("ready, private PostgreSQL, later", worst(&later), 1.5, "s", each(&later))?;
    for round in 0..if stage.quick { 1 } else { 3 } {
        kill_at_work(stage, &home, round).await?;
        let daemon = Daemon::start(&stage.program, &home, None).await?;
        killed.push(daemon.ready);
        daemon.stop().await?;
    }
    report.add(
        "ready, private PostgreSQL, after kill -9",
        worst(&killed),
        10.0,
        "s",
        format!("killed while a report is processed; {}", each(&killed)),
    )
}

async fn kill_at_work(stage: &Stage, home: &Home, round: u32) -> anyhow::Result<()> {
    let daemon = Daemon::start(&stage.program, home, None).await?;
    let caller = stage.owner(home)?.pipeline().await?;
    let path = home.folder.path().join("report.sarif");
    let made =
        Made { results: if stage.quick { 5_000 } else { 50_000 }, tool: format!("Scanner {round}"), tenth_changed: false, full: true };
    sarif::write(&made, &path)?;
    caller.send_report(&File::new(&path)?, "1").await?;
    daemon.kill().await
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn worst(durations: &[Duration]) -> f64 {
    durations.iter().copied().max().map_or(f64::NAN, seconds)
}

fn each(durations: &[Duration]) -> String {
    durations.iter().map(|d| format!("{:.2}", seconds(*d))).collect::<Vec<_>>().join(", ") + " s; the worst counts"
}
