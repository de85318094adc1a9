//! Starting the hostile child, and watching processes end.

use bailiwick_checks::{Answer, CheckResult, FaultKind, Job, Plan, Request, ScanKind, Service, Settings, SourceStatus, plan};
use bailiwick_scanner::{Broker, Limits, Policy, ScanEnd, Scanned, Scanner, Sink, Stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::{BTreeMap, HashSet};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The hostile program: cargo puts examples into a folder beside that of the tests.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join("hostile");
    assert!(program.is_file(), "{} is built by `cargo test`", program.display());
    program
}

/// The hostile program under a name that tells it which layers to leave out.
pub struct Disguise {
    folder: TempDir,
}

impl Disguise {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn without(&self, layers: &str) -> PathBuf {
        let name = self.folder.path().join(format!("without-{layers}"));
        if !name.exists() {
            std::os::unix::fs::symlink(program(), &name).unwrap();
        }
        name
    }
}

/// Small, so that attempts to use up a machine end soon.
pub const LIMITS: Limits =
    Limits { memory: 96 << 20, cpu: Duration::from_secs(1), wall: Duration::from_secs(60), output: 4 << 20, sandbox: Policy::Require };

pub fn scanner(program: impl Into<PathBuf>) -> Scanner {
    Scanner { program: program.into(), limits: LIMITS }
}

pub fn job(name: &str) -> Job {
    Job {
        directory: Uuid::from_u128(7),
        directory_name: name.to_owned(),
        kind: ScanKind::Compliance,
        now: "2026-11-22T00:00:00Z".parse().unwrap(),
        settings: Settings::default(),
        packs: Vec::new(),
        only: None,
        resume: Vec::new(),
        catalogue: None,
    }
}

/// Has the hostile child try one thing.
pub async fn attempt(scanner: &Scanner, name: &str) -> Result<Scanned, ScanEnd> {
    scanner.run(&job(name), &Refusing, &mut Heard::default(), &CancellationToken::new()).await
}

/// What the hostile child said of its attempt, or what became of it.
pub async fn fate(scanner: &Scanner, name: &str) -> String {
    match attempt(scanner, name).await {
        Ok(_) => "it reported".to_owned(),
        Err(ScanEnd::Failed { code: 3, said }) => said,
        Err(end) => end.to_string(),
    }
}

/// A broker that answers nothing.
pub struct Refusing;

impl Broker for Refusing {
    async fn fetch(&self, requests: &[Request]) -> Vec<Answer> {
        requests.iter().map(|_| Answer::Failed { kind: FaultKind::Refused, message: "not in the plan".to_owned() }).collect()
    }
}

/// Answers what the plan of the job names: a DNS name has no records, a page is empty. Remembers what it was asked.
pub struct Contoso {
    pub plan: Plan,
    pub asked: Mutex<Vec<Request>>,
}

impl Contoso {
    pub fn new(job: &Job) -> Self {
        Self { plan: plan(job), asked: Mutex::default() }
    }

    fn answer(&self, request: &Request) -> Answer {
        if !self.plan.allows(request, &HashSet::new()) {
            return Answer::Failed { kind: FaultKind::Refused, message: "not in the plan".to_owned() };
        }
        let body = if request.service == Service::Dns { r#"{"records":[]}"# } else { r#"{"value":[]}"# };
        Answer::Body { status: 200, headers: BTreeMap::new(), body: body.into() }
    }
}

impl Broker for Contoso {
    async fn fetch(&self, requests: &[Request]) -> Vec<Answer> {
        self.asked.lock().unwrap().extend_from_slice(requests);
        requests.iter().map(|request| self.answer(request)).collect()
    }
}

/// What a test does once it knows the process.
type OnPlan = dyn FnMut(Process) -> Result<(), Stop> + Send;

/// A sink that keeps count, and may do something when the plan is told: the hostile child tells its process id then.
#[derive(Default)]
pub struct Heard {
    pub planned: Option<usize>,
    pub read: usize,
    pub snapshot: Vec<Vec<u8>>,
    pub judged: Vec<CheckResult>,
    pub on_plan: Option<Box<OnPlan>>,
}

impl Sink for Heard {
    async fn planned(&mut self, requests: usize, _: usize) -> Result<(), Stop> {
        self.planned = Some(requests);
        match &mut self.on_plan {
            Some(act) => act(Process::watch(i32::try_from(requests).unwrap())),
            None => Ok(()),
        }
    }

    async fn read(&mut self, _: SourceStatus) -> Result<(), Stop> {
        self.read += 1;
        Ok(())
    }

    async fn snapshot(&mut self, _: Request, page: Vec<u8>) -> Result<(), Stop> {
        self.snapshot.push(page);
        Ok(())
    }

    async fn judged(&mut self, result: CheckResult) -> Result<(), Stop> {
        self.judged.push(result);
        Ok(())
    }
}

/// A process seen through a descriptor, which never comes to mean another one.
pub struct Process {
    pub id: i32,
    descriptor: OwnedFd,
}

impl Process {
    pub fn watch(id: i32) -> Self {
        let descriptor = pidfd_open(Pid::from_raw(id).unwrap(), PidfdFlags::empty()).unwrap();
        Self { id, descriptor }
    }

    /// Whether it ends within ten seconds; waits for the kernel to say so.
    pub fn ends(&self) -> bool {
        let mut watched = [PollFd::new(&self.descriptor, PollFlags::IN)];
        let limit = Timespec { tv_sec: 10, tv_nsec: 0 };
        poll(&mut watched, Some(&limit)).unwrap() == 1
    }

    /// Whether nothing of it is left, not even an entry that its parent has yet to read.
    pub fn is_reaped(&self) -> bool {
        !Path::new(&format!("/proc/{}", self.id)).exists()
    }
}
