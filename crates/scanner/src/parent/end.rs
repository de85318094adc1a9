//! The ways a scan ends without a report, each with a sentence for a person.

use super::Limits;
use super::process::Death;
use nix::sys::signal::Signal;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanEnd {
    /// Someone asked for it.
    #[error("The scan was cancelled.")]
    Cancelled,
    /// The parent's own side wanted no more.
    #[error("The scan was stopped: {reason}.")]
    Stopped {
        /// What the sink said.
        reason: String,
    },
    /// It took too long.
    #[error("The scan took longer than the {} it may take and was ended. Start it again to go on where it stopped.", seconds(.limit))]
    TimedOut {
        /// Time it may take.
        limit: Duration,
    },
    /// It allocated too much.
    #[error("The scan needed more than the {} MiB of memory it may use and was ended.", .limit >> 20)]
    OutOfMemory {
        /// Bytes it may allocate.
        limit: u64,
    },
    /// It computed too long, as a check or pack does that does not come to an end.
    #[error("The scan used more than the {} of processor time it may use and was ended.", seconds(.limit))]
    CpuLimit {
        /// Time it may compute.
        limit: Duration,
    },
    /// A signal ended it.
    #[error("The scanner was ended by signal {signal} ({}).{}", meaning(*.signal), quote(.said))]
    Killed {
        /// The signal's number.
        signal: i32,
        /// Its last words.
        said: String,
    },
    /// It cannot be locked in here.
    #[error("The scanner was not run, since this machine cannot lock it in: {}. See `scanner.sandbox` in the configuration.", .lacking.join("; "))]
    Refused {
        /// The layers that lack, each with its reason.
        lacking: Vec<String>,
    },
    /// It said what it must not say.
    #[error("The scanner broke the rules of its conversation and was ended: {what}.")]
    Broken {
        /// Which rule.
        what: String,
    },
    /// It gave up.
    #[error("The scanner failed (exit code {code}).{}", quote(.said))]
    Failed {
        /// Its exit code.
        code: i32,
        /// Its last words.
        said: String,
    },
    /// There was no process at all.
    #[error("The scanner {} could not be started: {reason}.", .program.display())]
    NotStarted {
        /// What was to be started.
        program: PathBuf,
        /// Why it was not.
        reason: String,
    },
}

fn seconds(time: &Duration) -> String {
    format!("{} s", time.as_secs())
}

fn quote(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(" It said: {said}") }
}

fn meaning(signal: i32) -> &'static str {
    match Signal::try_from(signal) {
        Ok(Signal::SIGSYS) => "it made a system call that the sandbox does not allow",
        Ok(Signal::SIGKILL) => "by someone else, or by the kernel for want of memory",
        Ok(Signal::SIGSEGV) => "it crashed, as it does when input is nested too deeply",
        Ok(other) => other.as_str(),
        Err(_) => "unknown",
    }
}

/// What the Rust runtime says before it aborts for want of memory.
const NO_MEMORY: &str = "memory allocation of";

/// Reads a child's death that nobody asked for.
pub(super) fn of_death(death: &Death, limits: &Limits, said: String) -> ScanEnd {
    let (limit, cpu) = (limits.memory, limits.cpu);
    match (death.status.signal().map(Signal::try_from), death.status.code()) {
        (Some(Ok(Signal::SIGXCPU)), _) => ScanEnd::CpuLimit { limit: cpu },
        (Some(Ok(Signal::SIGKILL)), _) if death.cpu >= cpu => ScanEnd::CpuLimit { limit: cpu },
        (Some(Ok(Signal::SIGABRT)), _) if said.contains(NO_MEMORY) => ScanEnd::OutOfMemory { limit },
        (Some(_), _) => ScanEnd::Killed { signal: death.status.signal().unwrap_or_default(), said },
        (None, Some(0)) => ScanEnd::Broken { what: "it ended without a report".to_owned() },
        (None, code) => ScanEnd::Failed { code: code.unwrap_or(-1), said },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::ExitStatus;

    fn end(raw: i32, cpu: u64, said: &str) -> ScanEnd {
        let death = Death { status: ExitStatus::from_raw(raw), cpu: Duration::from_secs(cpu) };
        let limits = Limits { memory: 64 << 20, cpu: Duration::from_secs(10), ..Limits::default() };
        of_death(&death, &limits, said.to_owned())
    }

    #[test]
    fn each_death_has_its_name() {
        assert_eq!(end(Signal::SIGXCPU as i32, 10, ""), ScanEnd::CpuLimit { limit: Duration::from_secs(10) });
        assert_eq!(end(Signal::SIGKILL as i32, 12, ""), ScanEnd::CpuLimit { limit: Duration::from_secs(10) });
        assert_eq!(end(Signal::SIGKILL as i32, 1, ""), ScanEnd::Killed { signal: 9, said: String::new() });
        let words = "memory allocation of 67108864 bytes failed";
        assert_eq!(end(Signal::SIGABRT as i32, 1, words), ScanEnd::OutOfMemory { limit: 64 << 20 });
        assert_eq!(
            end(Signal::SIGABRT as i32, 1, "panic in a destructor"),
            ScanEnd::Killed { signal: 6, said: "panic in a destructor".into() }
        );
        assert_eq!(end(101 << 8, 1, "thread 'main' panicked"), ScanEnd::Failed { code: 101, said: "thread 'main' panicked".into() });
        assert_eq!(end(0, 1, "").to_string(), "The scanner broke the rules of its conversation and was ended: it ended without a report.");
    }

    #[test]
    fn a_person_reads_what_happened() {
        let sentence = "The scan needed more than the 64 MiB of memory it may use and was ended.";
        assert_eq!(ScanEnd::OutOfMemory { limit: 64 << 20 }.to_string(), sentence);
        let sentence = "The scanner was ended by signal 31 (it made a system call that the sandbox does not allow).";
        assert_eq!(end(Signal::SIGSYS as i32, 0, "").to_string(), sentence);
        let sentence = "The scanner failed (exit code 101). It said: thread 'main' panicked";
        assert_eq!(end(101 << 8, 0, "thread 'main' panicked").to_string(), sentence);
    }
}
