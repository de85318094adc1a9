//! The conversation as the parent has it. Every frame is weighed before it is passed on: its kind at this point, its size,
//! the number and bytes of all of them.

use super::end::ScanEnd;
use super::process::{Ended, Pipes};
use super::{Broker, Limits, Sink, Stop};
use crate::frames::{self, FROM_CHILD, FROM_PARENT, FrameError};
use crate::lock::Lockdown;
use crate::protocol::{FromChild, FromParent, MOST_REQUESTS, VERSION};
use bailiwick_checks::{Answer, FaultKind, Job, Request, ScanReport};
use serde::de::IgnoredAny;

/// Frames a child may send in all. A large scan sends some thousands.
const MOST_FRAMES: u64 = 500_000;
/// Bytes of the answers to one `Fetch`, which the child holds at once.
const MOST_ANSWERED: usize = 80 << 20;

/// Why the conversation broke off.
pub(super) enum Silence {
    /// The child's end of a pipe is closed: how it died will tell.
    Gone,
    /// For a reason known here; the child may still run.
    End(ScanEnd),
}

impl From<FrameError> for Silence {
    fn from(error: FrameError) -> Self {
        if error.is_gone() { Self::Gone } else { broken(error.to_string()) }
    }
}

impl From<Stop> for Silence {
    fn from(Stop(reason): Stop) -> Self {
        Self::End(ScanEnd::Stopped { reason })
    }
}

fn broken(what: impl Into<String>) -> Silence {
    Silence::End(ScanEnd::Broken { what: what.into() })
}

/// Hears the first word, and refuses a child that is not locked as the policy asks, whatever it thinks of that itself.
pub(super) async fn hello(pipes: &mut Pipes, limits: &Limits) -> Result<Lockdown, Silence> {
    let (word, _) = frames::receive(&mut pipes.from, FROM_CHILD, FromChild::body_limit).await?;
    let lockdown = match word {
        FromChild::Hello { version: VERSION, lockdown } => lockdown,
        FromChild::Hello { version, .. } => {
            return Err(broken(format!(
                "it speaks version {version} of the protocol and this program {VERSION}; install both of one build"
            )));
        }
        FromChild::Refused { lockdown } => {
            let mut lacking = lockdown.refusals(limits.sandbox);
            if lacking.is_empty() {
                lacking.push("it gave no reason".to_owned());
            }
            return Err(Silence::End(ScanEnd::Refused { lacking }));
        }
        other => return Err(broken(format!("its first word was {}", name(&other)))),
    };
    let lacking = lockdown.refusals(limits.sandbox);
    if lacking.is_empty() { Ok(lockdown) } else { Err(Silence::End(ScanEnd::Refused { lacking })) }
}

/// Hands over the job and hears the child out, until it reports.
pub(super) async fn scan<B: Broker, S: Sink>(
    pipes: &mut Pipes,
    limits: &Limits,
    job: &Job,
    broker: &B,
    sink: &mut S,
    mut ended: Ended,
) -> Result<(ScanReport, Lockdown), Silence> {
    let lockdown = hello(pipes, limits).await?;
    let job = serde_json::to_vec(job).map_err(|error| broken(format!("the job cannot be written: {error}")))?;
    say(pipes, &FromParent::Job { version: VERSION }, &job).await?;
    drop(job);
    let mut allowance = Allowance { frames: MOST_FRAMES, bytes: limits.output };
    let mut planned = false;
    loop {
        let (word, body) = frames::receive(&mut pipes.from, FROM_CHILD, FromChild::body_limit).await?;
        allowance.take(&word, body.len())?;
        match word {
            FromChild::Planned { requests, checks } if !planned => {
                planned = true;
                sink.planned(requests, checks).await?;
            }
            FromChild::Fetch { requests } => {
                let answers = tokio::select! {
                    answers = ask(broker, &requests) => answers?,
                    _ = ended.wait() => return Err(Silence::Gone),
                };
                for answer in answers {
                    let (word, body) = FromParent::answer(answer);
                    say(pipes, &word, &body).await?;
                }
            }
            FromChild::Read { source } => sink.read(source).await?,
            FromChild::Snapshot { request } => sink.snapshot(request, one_line(body)?).await?,
            FromChild::Judged {} => sink.judged(frames::parse(&body)?).await?,
            FromChild::Done {} => return Ok((frames::parse(&body)?, lockdown)),
            other => return Err(broken(format!("it said {} out of turn", name(&other)))),
        }
    }
}

async fn say(pipes: &mut Pipes, word: &FromParent, body: &[u8]) -> Result<(), Silence> {
    let pipe = pipes.to.as_mut().ok_or(Silence::Gone)?;
    Ok(frames::send(pipe, word, body, FROM_PARENT).await?)
}

/// Has the broker answer, and holds its answers to the number asked for and to a size the child can take.
async fn ask<B: Broker>(broker: &B, requests: &[Request]) -> Result<Vec<Answer>, Silence> {
    if requests.is_empty() || requests.len() > MOST_REQUESTS {
        return Err(broken(format!("it made {} requests at once; 1 to {MOST_REQUESTS} are allowed", requests.len())));
    }
    let mut answers = broker.fetch(requests).await;
    if answers.len() != requests.len() {
        return Err(Silence::End(ScanEnd::Stopped { reason: format!("{} answers came to {} requests", answers.len(), requests.len()) }));
    }
    let mut room = MOST_ANSWERED;
    for answer in &mut answers {
        let Answer::Body { body, .. } = &*answer else { continue };
        match room.checked_sub(body.len()) {
            Some(left) => room = left,
            None => {
                let message = format!("the answers to one set of requests are larger than {} MiB", MOST_ANSWERED >> 20);
                *answer = Answer::Failed { kind: FaultKind::TooLarge, message };
            }
        }
    }
    Ok(answers)
}

/// A page goes into a file of lines: it must be JSON, and bring no line break of its own.
fn one_line(page: Vec<u8>) -> Result<Vec<u8>, Silence> {
    frames::parse::<IgnoredAny>(&page)?;
    if page.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Err(broken("a page of the snapshot has more than one line"));
    }
    Ok(page)
}

/// What the child may still say.
struct Allowance {
    frames: u64,
    bytes: u64,
}

impl Allowance {
    fn take(&mut self, word: &FromChild, body: usize) -> Result<(), Silence> {
        // Headers are counted by what they carry at most in memory only when they carry lists, which are few; a flat toll
        // stands for the others.
        let toll = match word {
            FromChild::Fetch { requests } => requests.iter().map(|request| request.path.len() as u64).sum(),
            _ => 64,
        };
        let frames = self.frames.checked_sub(1).ok_or_else(|| broken(format!("it sent more than {MOST_FRAMES} frames")))?;
        let bytes = self.bytes.checked_sub(body as u64 + toll).ok_or_else(|| broken("it said more than it may"))?;
        *self = Self { frames, bytes };
        Ok(())
    }
}

fn name(word: &FromChild) -> &'static str {
    match word {
        FromChild::Hello { .. } => "hello",
        FromChild::Refused { .. } => "refused",
        FromChild::Planned { .. } => "planned",
        FromChild::Fetch { .. } => "fetch",
        FromChild::Read { .. } => "read",
        FromChild::Snapshot { .. } => "snapshot",
        FromChild::Judged {} => "judged",
        FromChild::Done {} => "done",
    }
}
