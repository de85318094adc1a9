//! What the daemon holds in memory, and what a finding takes on disk.

use super::thousands;
use crate::api::{Caller, File};
use crate::bare::run;
use crate::daemon::{Daemon, Home};
use crate::report::Report;
use crate::sarif::{self, Made};
use crate::stage::Stage;
use std::time::{Duration, Instant};

/// How long memory may take to come back.
const MINUTE: Duration = Duration::from_secs(60);

pub async fn measure(stage: &Stage, report: &mut Report, memory: bool, disk: bool) -> anyhow::Result<()> {
    let home = stage.home()?;
    let daemon = Daemon::start(&stage.program, &home, None).await?;
    let owner = stage.owner(&home)?;
    // A daemon that has answered somebody has loaded its keys and filled its caches.
    owner.get("/api/v1/findings?limit=100").await?;
    let caller = owner.pipeline().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = daemon.memory("VmRSS")?;
    if memory {
        report.add("memory, idle", idle, 60.0, "MiB", "after the first answers")?;
    }
    let sizes = if stage.quick {
        vec![(5_000, true, 256.0), (50_000, false, 256.0)]
    } else {
        vec![(50_000, true, 256.0), (1_000_000, false, 400.0)]
    };
    for (results, full, limit) in sizes {
        let made = Made { results, tool: format!("Scanner {results}"), tenth_changed: false, full };
        one(&home, &daemon, &caller, &made, limit, idle, report, (memory, disk)).await?;
    }
    daemon.stop().await
}

#[expect(clippy::too_many_arguments, reason = "one step of the measure above, with all it knows")]
async fn one(
    home: &Home,
    daemon: &Daemon,
    caller: &Caller,
    made: &Made,
    limit: f64,
    idle: f64,
    report: &mut Report,
    (memory, disk): (bool, bool),
) -> anyhow::Result<()> {
    let path = home.folder.path().join("report.sarif");
    let bytes = sarif::write(made, &path)?;
    let file = File::new(&path)?;
    let results = thousands(made.results);
    let before = stored_bytes(home).await?;
    daemon.forget_peak()?;
    let (_, took) = caller.import(&file, &made.tool, made.results).await?;
    let (peak, done) = (daemon.memory("VmHWM")?, Instant::now());
    if memory {
        let detail = format!("a file of {} MB, imported in {:.1} s", bytes / 1_000_000, took.as_secs_f64());
        report.add(format!("memory, peak of importing {results}"), peak, limit, "MiB", detail)?;
        let mut left = daemon.memory("VmRSS")?;
        while left > idle * 2.0 && done.elapsed() < MINUTE {
            tokio::time::sleep(Duration::from_millis(200)).await;
            left = daemon.memory("VmRSS")?;
        }
        let detail = format!("{:.1} s after the run succeeded; the limit is twice idle", done.elapsed().as_secs_f64());
        report.add(format!("memory, after importing {results}"), left, idle * 2.0, "MiB", detail)?;
    }
    if disk {
        let after = stored_bytes(home).await?;
        let (database, artifacts) = (after.0 - before.0, after.1 - before.1);
        let each = |bytes: u64| bytes as f64 / f64::from(made.results);
        let detail = format!("database {:.0}, sealed report {:.0}; {results} findings", each(database), each(artifacts));
        report.add(format!("disk, a finding of {results}"), each(database + artifacts), 2_500.0, "bytes", detail)?;
    }
    Ok(())
}

/// Bytes of the database and of the artifacts. The write-ahead log is of bounded size and is used again.
async fn stored_bytes(home: &Home) -> anyhow::Result<(u64, u64)> {
    let mut admin = home.admin().await?;
    run(&mut admin, "CHECKPOINT").await?;
    let database: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&mut admin).await?;
    Ok((u64::try_from(database)?, home.artifact_bytes()?))
}
