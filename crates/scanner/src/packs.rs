//! Packs, each in a child of its own after the catalogue's scan: what a pack does to its process, it does to itself.
//!
//! What must stay true: whatever becomes of a pack, the report of the catalogue stands; of a pack's child only that pack's results are taken.

use crate::parent::{Broker, Limits, ScanEnd, Scanner, Sink, Stop};
use bailiwick_checks::{CheckResult, Job, Request, ScanReport, SourceStatus};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the child of one pack may use, at most.
const LIMITS: Limits = Limits {
    memory: 256 << 20,
    cpu: Duration::from_secs(60),
    wall: Duration::from_secs(10 * 60),
    output: 16 << 20,
    sandbox: crate::Policy::Require,
};

impl Scanner {
    /// Runs the jobs that `Job::apart` made for packs, one after another, and adds what they come to to the report. `broker` makes the
    /// broker of a job by its plan. A pack that breaks is told in the report.
    ///
    /// # Errors
    /// Only `ScanEnd::Cancelled`: nothing of the scan is wanted any more.
    pub async fn run_packs<B: Broker>(
        &self,
        jobs: &[Job],
        broker: impl Fn(&Job) -> B,
        report: &mut ScanReport,
        cancel: &CancellationToken,
    ) -> Result<(), ScanEnd> {
        let alone = Self { program: self.program.clone(), limits: narrowed(&self.limits) };
        for job in jobs {
            let Some(pack) = job.packs.first() else { continue };
            let outcome = match alone.run(job, &broker(job), &mut Deaf, cancel).await {
                Ok(scanned) => Ok(scanned.report),
                Err(ScanEnd::Cancelled) => return Err(ScanEnd::Cancelled),
                Err(end) => Err(told(&end)),
            };
            report.add_pack(pack, outcome);
        }
        Ok(())
    }
}

/// A pack gets no more than a scan does.
fn narrowed(scan: &Limits) -> Limits {
    Limits {
        memory: LIMITS.memory.min(scan.memory),
        cpu: LIMITS.cpu.min(scan.cpu),
        wall: LIMITS.wall.min(scan.wall),
        output: LIMITS.output.min(scan.output),
        sandbox: scan.sandbox,
    }
}

/// The end of a pack's child in the words of who reads about the pack.
fn told(end: &ScanEnd) -> String {
    match end {
        ScanEnd::OutOfMemory { limit } => {
            format!("The pack needed more than the {} MiB of memory it may use and was ended. No verdict of it is kept.", limit >> 20)
        }
        ScanEnd::CpuLimit { limit } => {
            format!("The pack took more than {} s of processor time and was ended. No verdict of it is kept.", limit.as_secs())
        }
        ScanEnd::TimedOut { limit } => format!("The pack took longer than {} s and was ended. No verdict of it is kept.", limit.as_secs()),
        ScanEnd::Killed { signal, .. } => {
            format!("The pack made its process end by signal {signal}, as rules do that nest too deep. No verdict of it is kept.")
        }
        other => format!("The pack was not judged. {other}"),
    }
}

/// Nothing of what a pack reads is kept, and its results come with the report.
struct Deaf;

impl Sink for Deaf {
    async fn planned(&mut self, _: usize, _: usize) -> Result<(), Stop> {
        Ok(())
    }
    async fn read(&mut self, _: SourceStatus) -> Result<(), Stop> {
        Ok(())
    }
    async fn snapshot(&mut self, _: Request, _: Vec<u8>) -> Result<(), Stop> {
        Ok(())
    }
    async fn judged(&mut self, _: CheckResult) -> Result<(), Stop> {
        Ok(())
    }
}
