//! One child process: started with nothing, kept by a thread of its own, killed as a group, always reaped.
//!
//! The thread is there for two reasons: the kernel's parent-death signal is about the thread that started a process, and tasks
//! move between threads that come and go; and only a blocking `wait4` tells what the child took.

use super::Started;
use super::stderr::Stderr;
use crate::child::Orders;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{oneshot, watch};
use wait4::Wait4;

/// Stack of the thread that waits.
const KEEPER_STACK: usize = 128 << 10;

/// How a child ended and what it took.
#[derive(Clone, Debug)]
pub(super) struct Death {
    /// As the kernel says.
    pub status: ExitStatus,
    /// Processor time, user and system.
    pub cpu: Duration,
}

impl Default for Death {
    /// Of a child that could not be waited for: as if killed.
    fn default() -> Self {
        Self { status: ExitStatus::from_raw(Signal::SIGKILL as i32), cpu: Duration::ZERO }
    }
}

/// Both ends of the conversation.
pub(super) struct Pipes {
    /// To the child; `None` once dismissed.
    pub to: Option<ChildStdin>,
    /// From the child.
    pub from: ChildStdout,
}

/// A running child. Dropping it kills it; its keeper reaps it.
pub(super) struct Child {
    pub pipes: Pipes,
    pub stderr: Stderr,
    pub started: Started,
    leash: Leash,
    ended: Ended,
}

impl Child {
    /// Starts the program with an empty environment, in `/`, in a process group of its own, with three pipes.
    pub(super) async fn start(program: &Path, orders: Orders) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(orders.to_arguments()).env_clear().current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (born, birth) = oneshot::channel();
        let (dead, death) = watch::channel(None);
        let started = Started::now();
        std::thread::Builder::new().name("scan-keeper".into()).stack_size(KEEPER_STACK).spawn(move || keep(command, born, &dead))?;
        let newborn = birth.await.map_err(|_| io::Error::other("the thread that starts children ended"))??;
        let Newborn { to, from, stderr, leash } = newborn;
        let pipes = Pipes { to: Some(ChildStdin::from_std(to)?), from: ChildStdout::from_std(from)? };
        Ok(Self { pipes, stderr: Stderr::collect(ChildStderr::from_std(stderr)?), started, leash, ended: Ended(death) })
    }

    /// Resolves when the child has ended and is reaped.
    pub(super) fn ended(&self) -> Ended {
        self.ended.clone()
    }

    /// Most memory resident at once so far; unknown once the process is gone.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.leash.process)).ok()?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?;
        Some(kilobytes.parse::<u64>().ok()? * 1024)
    }

    /// Closes the pipe to the child, which is its word to end.
    pub(super) fn dismiss(&mut self) {
        self.pipes.to = None;
    }

    pub(super) fn kill(&self) {
        self.leash.kill();
    }
}

/// Waits for the end of a child.
#[derive(Clone)]
pub(super) struct Ended(watch::Receiver<Option<Death>>);

impl Ended {
    pub(super) async fn wait(&mut self) -> Death {
        match self.0.wait_for(Option::is_some).await {
            Ok(death) => death.clone().unwrap_or_default(),
            Err(_) => Death::default(),
        }
    }
}

struct Newborn {
    to: std::process::ChildStdin,
    from: std::process::ChildStdout,
    stderr: std::process::ChildStderr,
    leash: Leash,
}

/// Kills the child's process group, but never one that was given the same number after the child was reaped.
struct Leash {
    process: i32,
    reaped: Arc<Mutex<bool>>,
}

impl Leash {
    fn kill(&self) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if !*reaped {
            signal_group(self.process);
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills a group whose number is still taken.
fn signal_group(group: i32) {
    // It may have ended by itself: then there is nobody to signal.
    let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
}

/// The keeper's thread: starts the child, and stays until it is reaped.
fn keep(mut command: Command, born: oneshot::Sender<io::Result<Newborn>>, dead: &watch::Sender<Option<Death>>) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let _ = born.send(Err(error));
            return;
        }
    };
    let process = child.id() as i32;
    let reaped = Arc::new(Mutex::new(false));
    let leash = Leash { process, reaped: reaped.clone() };
    if let (Some(to), Some(from), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
        // Nobody waits any more: the newborn is dropped, which kills the child.
        let _ = born.send(Ok(Newborn { to, from, stderr, leash }));
    }
    // Waits without reaping, so that the number stays the child's until no one can signal it.
    while let Err(Errno::EINTR) = waitid(Id::Pid(Pid::from_raw(process)), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {}
    // Whatever it started, where calls are not filtered, goes with it: it would hold the pipes open.
    signal_group(process);
    *reaped.lock().unwrap_or_else(PoisonError::into_inner) = true;
    let death = match child.wait4() {
        Ok(used) => Death { status: used.status, cpu: used.rusage.utime + used.rusage.stime },
        Err(_) => Death::default(),
    };
    dead.send_replace(Some(death));
}
