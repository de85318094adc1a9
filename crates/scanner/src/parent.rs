//! The parent: starts a child for one scan, passes its requests to the broker and its events to the sink, and ends it at its
//! limits. One call, `Scanner::run`, from start to reaped.
//!
//! What must stay true: nothing of the parent reaches the child but three pipes and three arguments; what the child says is
//! bounded in size and number and believed in nothing else; when `run` returns, or is dropped, the child is killed, and reaped.

mod end;
mod process;
mod program;
mod stderr;
mod talk;

use crate::child::Orders;
use crate::lock::{Ceilings, Lockdown, Policy};
use bailiwick_checks::{Answer, CheckResult, Job, Request, ScanReport, SourceStatus};
use process::Child;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;
use talk::Silence;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

pub use end::ScanEnd;
pub use program::{NoProgram, find_program};

/// How long a child that has closed its pipes may take to end before it is killed.
const LAST_BREATH: Duration = Duration::from_secs(5);

/// Who answers the child's requests: holds token and network, and refuses what the plan of the job does not name.
pub trait Broker: Send + Sync {
    /// One answer a request, in their order. Requests are at most `protocol::MOST_REQUESTS` and otherwise unchecked.
    fn fetch(&self, requests: &[Request]) -> impl Future<Output = Vec<Answer>> + Send;
}

/// Who keeps what the child reports on its way. An error ends the scan. Values are as the child says, bounded in size only.
pub trait Sink: Send {
    /// The work has been planned; at most once.
    fn planned(&mut self, requests: usize, checks: usize) -> impl Future<Output = Result<(), Stop>> + Send;
    /// A source has been read, or has failed.
    fn read(&mut self, source: SourceStatus) -> impl Future<Output = Result<(), Stop>> + Send;
    /// A page of projected values: one line of valid JSON.
    fn snapshot(&mut self, request: Request, page: Vec<u8>) -> impl Future<Output = Result<(), Stop>> + Send;
    /// A check has been judged.
    fn judged(&mut self, result: CheckResult) -> impl Future<Output = Result<(), Stop>> + Send;
}

/// Why the parent's own side wants no more of a scan, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop(pub String);

/// What one child may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes it may allocate.
    pub memory: u64,
    /// Processor time, in whole seconds.
    pub cpu: Duration,
    /// Time from start to report.
    pub wall: Duration,
    /// Bytes of everything it may say.
    pub output: u64,
    /// What to do where the kernel lacks Landlock or seccomp.
    pub sandbox: Policy,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            cpu: Duration::from_secs(120),
            wall: Duration::from_secs(30 * 60),
            output: 512 << 20,
            sandbox: Policy::Require,
        }
    }
}

/// What a child took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Most bytes of memory resident at once, as the kernel counted them (`VmHWM`). Not `ru_maxrss` of the reaped child,
    /// which counts the parent's memory too: a process inherits that figure from the one it was started by.
    pub peak_memory: Option<u64>,
    /// Processor time, user and system.
    pub cpu: Duration,
    /// From start to end.
    pub wall: Duration,
}

/// A scan that came to its end.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// What the child found.
    pub report: ScanReport,
    /// What it took.
    pub usage: Usage,
    /// What kept it in.
    pub lockdown: Lockdown,
}

/// Starts children of one program under one set of limits.
#[derive(Clone, Debug)]
pub struct Scanner {
    /// The program, see `find_program`.
    pub program: PathBuf,
    /// What each child may use.
    pub limits: Limits,
}

impl Scanner {
    /// Scans in a child: one job, from start to reaped.
    pub async fn run<B: Broker, S: Sink>(
        &self,
        job: &Job,
        broker: &B,
        sink: &mut S,
        cancel: &CancellationToken,
    ) -> Result<Scanned, ScanEnd> {
        let mut child = Child::start(&self.program, self.orders()).await.map_err(|error| self.not_started(&error))?;
        let (ended, mut gone) = (child.ended(), child.ended());
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Silence::End(ScanEnd::Cancelled)),
            () = sleep(self.limits.wall) => Err(Silence::End(ScanEnd::TimedOut { limit: self.limits.wall })),
            () = child.stderr.flooded() => Err(Silence::End(ScanEnd::Broken { what: stderr::FLOOD.to_owned() })),
            outcome = talk::scan(&mut child.pipes, &self.limits, job, broker, sink, ended) => outcome,
            // Its pipes close when it ends, unless something that it started holds them.
            () = async { gone.wait().await; sleep(LAST_BREATH).await } => Err(Silence::Gone),
        };
        let (outcome, usage) = self.finish(child, outcome).await;
        let (report, lockdown) = outcome?;
        Ok(Scanned { report, usage, lockdown })
    }

    /// Starts a child that locks itself down and ends: which layers hold on this machine, as a scan would have them.
    pub async fn check(&self) -> Result<Lockdown, ScanEnd> {
        let mut child = Child::start(&self.program, self.orders()).await.map_err(|error| self.not_started(&error))?;
        let outcome = tokio::select! {
            biased;
            () = sleep(LAST_BREATH * 2) => Err(Silence::End(ScanEnd::TimedOut { limit: LAST_BREATH * 2 })),
            outcome = talk::hello(&mut child.pipes, &self.limits) => outcome,
        };
        self.finish(child, outcome).await.0
    }

    fn orders(&self) -> Orders {
        let cpu = self.limits.cpu.as_secs().max(1);
        Orders { ceilings: Ceilings { memory: self.limits.memory, cpu }, policy: self.limits.sandbox }
    }

    fn not_started(&self, error: &std::io::Error) -> ScanEnd {
        ScanEnd::NotStarted { program: self.program.clone(), reason: error.to_string() }
    }

    /// Lets the child end, or ends it, and says how it ended.
    async fn finish<T>(&self, mut child: Child, outcome: Result<T, Silence>) -> (Result<T, ScanEnd>, Usage) {
        let peak_memory = child.peak_memory();
        child.dismiss();
        if matches!(outcome, Err(Silence::End(_))) {
            child.kill();
        }
        let mut ended = child.ended();
        if timeout(LAST_BREATH, ended.wait()).await.is_err() {
            child.kill();
        }
        let death = ended.wait().await;
        let usage = Usage { peak_memory, cpu: death.cpu, wall: child.started.elapsed() };
        let said = child.stderr.tail().await;
        let outcome = outcome.map_err(|silence| match silence {
            Silence::End(end) => end,
            Silence::Gone => end::of_death(&death, &self.limits, said),
        });
        (outcome, usage)
    }
}

/// When something began.
#[derive(Clone, Copy, Debug)]
struct Started(Instant);

impl Started {
    fn now() -> Self {
        Self(Instant::now())
    }

    fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
