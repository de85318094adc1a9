//! The worker: takes due jobs, runs each in its tenant's scope, keeps its lease alive, and puts failed ones back.

use crate::{Services, evidence, fixes, notifications, scans};
use bailiwick_base::{Problem, ProjectId, RequestId, uuid_v7};
use bailiwick_store::{Admission, Audited, Caller, JobKind, Lease, Request, WriteScope};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

/// A job's effects, not yet kept.
pub struct Done {
    pub scope: WriteScope,
    pub action: &'static str,
    pub audited: Audited<()>,
}

/// What became of a job's turn.
pub enum Turn {
    Done(Box<Done>),
    /// It waits for something, and put itself back into the queue with what it has kept.
    Waits,
    /// It had nothing to keep, and has left the queue.
    Quiet,
}

impl Turn {
    pub fn done(done: Done) -> Self {
        Self::Done(Box::new(done))
    }
    fn of(done: Option<Done>) -> Self {
        done.map_or(Self::Quiet, Self::done)
    }
}

/// A job that did not get done.
pub struct Failed(pub Problem);

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// How long a lease lasts that has not been renewed yet.
const FIRST_LEASE: Duration = Duration::from_secs(60);

/// Bailiwick itself as a caller.
pub fn system(name: &'static str, project: Option<ProjectId>) -> Caller {
    Caller::System { name, project }
}

/// A job is let in as Bailiwick itself; no role, key or workload is.
pub fn nobody() -> Admission {
    Admission { roles: vec![], keys: false, workloads: false }
}

/// Every kind of job.
pub const KINDS: &[&JobKind] = &[
    &evidence::jobs::PROCESS,
    &evidence::jobs::SWEEP,
    &scans::jobs::RUN,
    &scans::schedules::DUE,
    &notifications::jobs::MATCH,
    &notifications::jobs::DIGEST,
    &notifications::jobs::DELIVER,
    &notifications::jobs::SWEEP,
    &fixes::jobs::APPLY,
    &fixes::jobs::DUE,
    &fixes::jobs::CONTAIN,
];

/// The kinds that run by themselves, with their cron expressions.
pub fn schedules() -> Vec<(&'static str, &'static str)> {
    KINDS.iter().filter_map(|kind| Some((kind.name, kind.schedule?))).collect()
}

async fn run(services: &Services, lease: &Lease) -> Result<Turn, Failed> {
    match lease.kind.as_str() {
        "evidence.process" => evidence::jobs::process(services, lease).await.map(Turn::done),
        "evidence.sweep" => evidence::jobs::sweep(services, lease).await.map(Turn::done),
        "scans.run" => scans::jobs::run(services, lease).await.map(Turn::done),
        "scans.due" => scans::schedules::due(services, lease).await.map(Turn::done),
        "fixes.apply" => fixes::jobs::apply(services, lease).await,
        "fixes.due" => fixes::jobs::due(services, lease).await.map(Turn::done),
        "containments.act" => fixes::jobs::contain(services, lease).await,
        "notifications.match" => notifications::jobs::match_event(services, lease).await.map(Turn::of),
        "notifications.digest" => notifications::jobs::digest(services, lease).await.map(Turn::of),
        "notifications.deliver" => notifications::jobs::deliver(services, lease).await.map(Turn::of),
        "notifications.sweep" => notifications::jobs::sweep(services, lease).await.map(Turn::of),
        other => Err(Failed(Problem::internal(format!("no handler for jobs of kind {other:?}")))),
    }
}

fn kind_of(lease: &Lease) -> &'static JobKind {
    KINDS.iter().find(|kind| kind.name == lease.kind).copied().unwrap_or(&evidence::jobs::SWEEP)
}

/// Runs one job to its end: done, put back, or given up.
pub async fn perform(services: &Services, lease: &Lease) {
    let kind = kind_of(lease);
    let work = async {
        // Its last try ended with its worker: what ends a worker each time must not be tried for ever.
        if lease.attempt > kind.max_attempts {
            return Err(Failed(Problem::internal(format!("the worker ended during each of {} attempts", kind.max_attempts))));
        }
        match run(services, lease).await? {
            Turn::Done(done) => keep(services, lease, *done).await,
            Turn::Waits | Turn::Quiet => Ok(()),
        }
    };
    let result = tokio::select! {
        result = work => result,
        () = lost(services, lease, kind.lease) => {
            tracing::warn!(job = %lease.id, kind = lease.kind, "lease lost; the work is dropped");
            return;
        }
    };
    let Err(Failed(problem)) = result else { return };
    let cause = problem.internal.clone().unwrap_or_else(|| problem.to_string());
    let wait = (lease.attempt < kind.max_attempts).then(|| kind.wait_after(lease.attempt));
    tracing::warn!(job = %lease.id, kind = lease.kind, attempt = lease.attempt, ?wait, cause, "job failed");
    if wait.is_some() {
        return put_back(services, lease, wait, &cause).await;
    }
    match give_up(services, lease, &problem).await {
        Ok(true) => {}
        Ok(false) => put_back(services, lease, None, &cause).await,
        // What was to be told about the failure could not be kept: the next attempt is for that.
        Err(_) => put_back(services, lease, Some(kind.wait_after(lease.attempt)), &cause).await,
    }
}

async fn keep(services: &Services, lease: &Lease, done: Done) -> Result<(), Failed> {
    let request = Request { id: RequestId(lease.id.0), address: None };
    services.store.commit(done.scope, done.action, done.audited, &request).await.map_err(|e| Failed(e.into()))
}

/// Tells those who wait for the job's effects that there will be none. False where nobody waits: then the dead job itself is the record.
async fn give_up(services: &Services, lease: &Lease, problem: &Problem) -> Result<bool, Failed> {
    let done = match lease.kind.as_str() {
        "evidence.process" => evidence::jobs::give_up(services, lease, problem).await?,
        "scans.run" => scans::jobs::give_up(services, lease, problem).await?,
        "notifications.match" | "notifications.digest" => notifications::jobs::give_up(services, lease, problem).await?,
        "fixes.apply" | "fixes.due" | "containments.act" => fixes::jobs::give_up(services, lease).await?,
        _ => return Ok(false),
    };
    keep(services, lease, done).await?;
    Ok(true)
}

/// Puts a job back, patiently: when the database is what failed, it is not there to be told so at once.
async fn put_back(services: &Services, lease: &Lease, wait: Option<Duration>, cause: &str) {
    let mut pause = Duration::from_millis(200);
    let mut patience = FIRST_LEASE;
    while let Err(error) = services.store.put_back(lease, wait, cause).await {
        if patience.is_zero() {
            tracing::warn!(job = %lease.id, %error, "job not put back; its lease will run out");
            return;
        }
        tokio::time::sleep(pause).await;
        patience = patience.saturating_sub(pause);
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Ends when the lease was lost. While the database does not answer, the lease may still be ours: the last word is the commit's.
async fn lost(services: &Services, lease: &Lease, length: Duration) {
    loop {
        tokio::time::sleep(length.min(FIRST_LEASE) / 3).await;
        if let Ok(false) = services.store.renew(lease, length).await {
            return;
        }
    }
}

/// Takes and performs every due job, until none is due. For tests and `--once`.
///
/// # Errors
/// The database's.
pub async fn drain(services: &Services) -> Result<usize, Problem> {
    let worker = uuid_v7(services.store.clock(), services.store.rng());
    services.store.run_schedules().await?;
    let mut performed = 0;
    loop {
        let leases = services.store.claim(worker, 1, FIRST_LEASE).await?;
        let Some(lease) = leases.first() else { return Ok(performed) };
        perform(services, lease).await;
        performed += 1;
    }
}

/// Channels that are sent through at once: each job waits for others nearly all of its time, and none may wait for another's channel.
const CHANNELS_AT_ONCE: usize = 64;
/// Writes to directories under way at once: they wait for Microsoft, and somebody at risk is not kept waiting by an import.
const WRITES_AT_ONCE: usize = 4;

/// Kinds of jobs with the slots they share: scans and messages wait for others most of their time, and must not keep imports waiting.
struct Lane {
    kinds: Vec<&'static str>,
    slots: Arc<Semaphore>,
}

impl Lane {
    fn all(at_once: usize, scans_at_once: usize) -> [Self; 4] {
        let writes = vec![fixes::jobs::APPLY.name, fixes::jobs::CONTAIN.name];
        let apart = [scans::jobs::RUN.name, notifications::jobs::DELIVER.name, fixes::jobs::APPLY.name, fixes::jobs::CONTAIN.name];
        let lane = |kinds: Vec<&'static str>, slots| Self { kinds, slots: Arc::new(Semaphore::new(slots)) };
        [
            lane(KINDS.iter().map(|kind| kind.name).filter(|name| !apart.contains(name)).collect(), at_once),
            lane(vec![scans::jobs::RUN.name], scans_at_once),
            lane(vec![notifications::jobs::DELIVER.name], CHANNELS_AT_ONCE),
            lane(writes, WRITES_AT_ONCE),
        ]
    }
}

/// Works until told to stop; jobs in hand are finished first, for at most twenty seconds.
pub async fn work(services: Services, at_once: usize, scans_at_once: usize, mut stop: watch::Receiver<bool>) {
    let worker = uuid_v7(services.store.clock(), services.store.rng());
    let lanes = Lane::all(at_once, scans_at_once);
    let mut running = JoinSet::new();
    let mut bell = None;
    while !*stop.borrow() {
        if bell.is_none() {
            bell = services.store.job_bell().await.ok();
        }
        let wait = match turn(&services, worker, &lanes, &mut running).await {
            Ok(wait) => wait,
            Err(problem) => {
                tracing::warn!(cause = problem.internal.as_deref().unwrap_or(&problem.detail), "the job queue does not answer");
                bell = None;
                Duration::from_secs(1)
            }
        };
        let rung = async {
            match &mut bell {
                Some(bell) => bell.rung().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            heard = rung => if !heard { bell = None },
            () = tokio::time::sleep(wait) => {}
            Some(_) = running.join_next() => {}
            _ = stop.changed() => {}
        }
    }
    let finish = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(20), finish).await.is_err() {
        tracing::warn!("jobs in hand did not finish in time; their leases will run out");
    }
}

/// Takes what is due and fits; answers how long to wait for the next.
async fn turn(services: &Services, worker: Uuid, lanes: &[Lane], running: &mut JoinSet<()>) -> Result<Duration, Problem> {
    services.store.run_schedules().await?;
    for lane in lanes {
        while let Ok(slot) = lane.slots.clone().try_acquire_owned() {
            let mut leases = services.store.claim_of(worker, 1, FIRST_LEASE, Some(&lane.kinds)).await?;
            let Some(lease) = leases.pop() else { break };
            let services = services.clone();
            running.spawn(async move {
                perform(&services, &lease).await;
                drop(slot);
            });
        }
    }
    let now = services.store.now();
    let due = services.store.next_due().await?;
    let wait = due.map_or(Duration::from_secs(30), |at| Duration::try_from(at.duration_since(now)).unwrap_or(Duration::from_millis(200)));
    Ok(wait.clamp(Duration::from_millis(200), Duration::from_secs(30)))
}
