//! The child: lock, say hello, read one job, scan, report, end. One thread; nothing is retried here.
//!
//! What must stay true: not a byte is read before the lock holds. A fault of this process is told by its end and a line on
//! standard error, never by a report.

use crate::frames::{self, FROM_CHILD, FROM_PARENT, FrameError};
use crate::lock::{Ceilings, Lockdown, Policy, lock};
use crate::protocol::{FromChild, FromParent, VERSION};
use bailiwick_checks::{Answer, CheckResult, Fetch, Job, Progress, Request, ScanReport, SourceStatus};
use nix::unistd;
use serde_json::Value;
use std::io::{Read, Write};
use std::process::ExitCode;

/// The arguments were not those that the parent gives.
pub const WRONG_ARGUMENTS: u8 = 64;
/// A frame could not be read or written.
pub const BROKEN_PIPE: u8 = 74;

/// What the parent says on the command line: nothing secret, and needed before the pipe is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orders {
    /// What this process may use.
    pub ceilings: Ceilings,
    /// What to do where a layer is lacking.
    pub policy: Policy,
}

impl Orders {
    /// As arguments of the program.
    pub fn to_arguments(self) -> Vec<String> {
        let Ceilings { memory, cpu } = self.ceilings;
        let policy = if self.policy == Policy::Require { "require" } else { "allow-weaker" };
        vec![format!("--memory={memory}"), format!("--cpu={cpu}"), format!("--sandbox={policy}")]
    }

    /// From the program's own arguments, in the order of `to_arguments`.
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut value = |name: &str| arguments.next()?.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
        let ceilings = Ceilings { memory: value("--memory")?.parse().ok()?, cpu: value("--cpu")?.parse().ok()? };
        let policy = match value("--sandbox")?.as_str() {
            "require" => Policy::Require,
            "allow-weaker" => Policy::AllowWeaker,
            _ => return None,
        };
        arguments.next().is_none().then_some(Self { ceilings, policy })
    }
}

/// The program, with the engine that does the scan. `prepare` comes before the lock: libraries that ask the machine something
/// once (the regular expressions ask for the number of processors) do so there, and nothing has been read from outside yet.
pub fn run(prepare: impl FnOnce(), scan: impl FnOnce(Job) -> ScanReport) -> ExitCode {
    let Some(orders) = Orders::from_arguments(std::env::args().skip(1)) else {
        eprintln!("bailiwick-scanner is started by bailiwickd, once for each scan, and is of no use by hand");
        return ExitCode::from(WRONG_ARGUMENTS);
    };
    prepare();
    let lockdown = lock(orders.ceilings);
    match serve(orders.policy, lockdown, scan) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent has gone, or wanted only the hello: nobody to tell.
        Err(error) if error.is_gone() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(BROKEN_PIPE)
        }
    }
}

/// Says hello, takes the job, has it done, hands in the report, and waits to be dismissed: the parent looks at how much
/// memory the process took while it is still there.
fn serve(policy: Policy, lockdown: Lockdown, scan: impl FnOnce(Job) -> ScanReport) -> Result<(), FrameError> {
    if !greet(policy, lockdown)? {
        return await_dismissal();
    }
    let job = frames::parse(&take_job()?)?;
    let report = scan(job);
    say(&FromChild::Done {}, &to_json(&report)?)?;
    await_dismissal()
}

/// Says which layers hold; whether that is enough to go on.
pub fn greet(policy: Policy, lockdown: Lockdown) -> Result<bool, FrameError> {
    let enough = lockdown.refusals(policy).is_empty();
    let word = if enough { FromChild::Hello { version: VERSION, lockdown } } else { FromChild::Refused { lockdown } };
    say(&word, &[])?;
    Ok(enough)
}

/// The job, as the JSON it came as.
pub fn take_job() -> Result<Vec<u8>, FrameError> {
    match frames::read(&mut Line, FROM_PARENT)? {
        (FromParent::Job { version: VERSION }, body) => Ok(body),
        (FromParent::Job { version }, _) => {
            Err(FrameError::NotUnderstood(format!("the parent speaks version {version} of the protocol, this program {VERSION}")))
        }
        (other, _) => Err(FrameError::NotUnderstood(format!("a job was expected, not {other:?}"))),
    }
}

/// One message to the parent.
pub fn say(word: &FromChild, body: &[u8]) -> Result<(), FrameError> {
    frames::write(&mut Line, word, body, FROM_CHILD)
}

fn await_dismissal() -> Result<(), FrameError> {
    match frames::read::<FromParent>(&mut Line, FROM_PARENT) {
        Err(error) if error.is_gone() => Ok(()),
        Err(error) => Err(error),
        Ok((word, _)) => Err(FrameError::NotUnderstood(format!("the end was expected, not {word:?}"))),
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, FrameError> {
    serde_json::to_vec(value).map_err(|error| FrameError::NotUnderstood(error.to_string()))
}

/// The two pipes to the parent, unbuffered: a frame is written in one or two calls.
pub struct Line;

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok(unistd::read(std::io::stdin(), buffer)?)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(unistd::write(std::io::stdout(), bytes)?)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Goes on, or ends the process: a scan whose parent cannot be reached has no use.
fn or_end<T>(result: Result<T, FrameError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => {
            if !error.is_gone() {
                eprintln!("{error}");
            }
            std::process::exit(i32::from(BROKEN_PIPE))
        }
    }
}

impl Fetch for Line {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        or_end(say(&FromChild::Fetch { requests: requests.to_vec() }, &[]));
        let answer = |_: &Request| {
            let (word, body) = or_end(frames::read::<FromParent>(self, FROM_PARENT));
            or_end(word.into_answer(body).ok_or_else(|| FrameError::NotUnderstood("an answer was expected, not a job".to_owned())))
        };
        requests.iter().map(answer).collect()
    }
}

impl Progress for Line {
    fn planned(&mut self, requests: usize, checks: usize) {
        or_end(say(&FromChild::Planned { requests, checks }, &[]));
    }

    fn read(&mut self, source: &SourceStatus) {
        or_end(say(&FromChild::Read { source: source.clone() }, &[]));
    }

    fn snapshot(&mut self, request: &Request, page: &Value) {
        let body = or_end(to_json(page));
        or_end(say(&FromChild::Snapshot { request: request.clone() }, &body));
    }

    fn judged(&mut self, result: &CheckResult) {
        let body = or_end(to_json(result));
        or_end(say(&FromChild::Judged {}, &body));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_read_as_they_were_written_and_nothing_else() {
        for policy in [Policy::Require, Policy::AllowWeaker] {
            let orders = Orders { ceilings: Ceilings { memory: 268_435_456, cpu: 60 }, policy };
            assert_eq!(Orders::from_arguments(orders.to_arguments().into_iter()), Some(orders));
        }
        let refused = |line: &str| Orders::from_arguments(line.split(' ').map(str::to_owned)).is_none();
        assert!(refused(""));
        assert!(refused("--memory=1 --cpu=1"));
        assert!(refused("--memory=1 --cpu=1 --sandbox=none"));
        assert!(refused("--memory=1 --cpu=1 --sandbox=require --more"));
    }
}
