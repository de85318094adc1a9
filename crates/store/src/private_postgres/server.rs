//! One run of the server: spawned in a process group of its own, watched so that it does not outlive us, ready when it says so.

use super::{
    Durability, PrivatePostgresError, Watchdog,
    account::Account,
    folders::{Folders, last_line},
    predecessor,
    programs::Programs,
};
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A dead predecessor may hold shared memory or its pid for a moment; then the start is tried again.
const PATIENCE_WITH_REMAINS: Duration = Duration::from_secs(8);

pub(super) struct Server {
    child: Child,
    pub pid: i32,
    _watch: Option<Watch>,
}

impl Server {
    /// Starts the server and returns when it takes connections.
    pub fn start(
        folders: &Folders,
        programs: &Programs,
        account: &Account,
        watchdog: Watchdog,
        timeout: Duration,
    ) -> Result<Self, PrivatePostgresError> {
        let begun = Instant::now();
        loop {
            predecessor::clear(folders)?;
            match Self::try_start(folders, programs, account, watchdog, timeout) {
                Err(PrivatePostgresError::Start { detail, .. }) if of_remains(&detail) && begun.elapsed() < PATIENCE_WITH_REMAINS => {
                    tracing::info!(detail, "waiting for the remains of the last PostgreSQL");
                    thread::sleep(Duration::from_millis(200));
                }
                result => return result,
            }
        }
    }

    fn try_start(
        folders: &Folders,
        programs: &Programs,
        account: &Account,
        watchdog: Watchdog,
        timeout: Duration,
    ) -> Result<Self, PrivatePostgresError> {
        let log_path = folders.start_log();
        let log = start_log(&log_path)?;
        let copy = log.try_clone().map_err(PrivatePostgresError::io("opening", &log_path))?;
        let program = programs.postgres();
        let mut command = account.command(&program);
        command.arg("-D").arg(folders.cluster()).current_dir(&folders.top);
        command.stdin(Stdio::null()).stdout(log).stderr(copy).process_group(0);
        let child = command.spawn().map_err(PrivatePostgresError::io("running", &program))?;
        let pid = child.id().cast_signed();
        let mut server = Self { child, pid, _watch: None };
        match Watch::over(pid, watchdog, &folders.top) {
            Ok(watch) => server._watch = watch,
            Err(error) => {
                server.kill();
                return Err(PrivatePostgresError::io("running", "sh")(error));
            }
        }
        match server.wait_ready(folders, timeout) {
            Ok(()) => Ok(server),
            Err(detail) => {
                server.kill();
                Err(PrivatePostgresError::Start { detail, log: folders.cluster().join("log") })
            }
        }
    }

    fn wait_ready(&mut self, folders: &Folders, timeout: Duration) -> Result<(), String> {
        let until = Instant::now() + timeout;
        while !says_ready(&folders.cluster(), self.pid) {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Err(reason(folders).unwrap_or_else(|| status.to_string()));
            }
            if Instant::now() > until {
                return Err(format!("it was not ready after {} s", timeout.as_secs()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Blocks until the process has ended, without reaping it: its pid stays its own until [`Self::reap`].
    pub fn wait_end(pid: i32) {
        while waitid(Id::Pid(Pid::from_raw(pid)), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
    }

    pub fn reap(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    fn kill(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            tracing::warn!(pid = self.pid, "could not end a PostgreSQL that did not start");
        }
    }
}

/// Sends a signal to a server that has not been reaped yet.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(pid), signal) {
        tracing::warn!(pid, %signal, %error, "could not signal PostgreSQL");
    }
}

/// How a server of this kind is told to end: in order, or at once when its data does not matter.
pub(super) fn ending(durability: Durability) -> Signal {
    match durability {
        Durability::Full => Signal::SIGINT,
        Durability::Throwaway => Signal::SIGQUIT,
    }
}

fn start_log(path: &Path) -> Result<File, PrivatePostgresError> {
    let flags = nix::fcntl::OFlag::O_NOFOLLOW.bits();
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600).custom_flags(flags);
    options.open(path).map_err(PrivatePostgresError::io("opening", path))
}

/// The eighth line of `postmaster.pid` (PostgreSQL's `pidfile.h`: LOCK_FILE_LINE_PM_STATUS), as pg_ctl reads it.
fn says_ready(cluster: &Path, pid: i32) -> bool {
    let Ok(text) = fs::read_to_string(cluster.join("postmaster.pid")) else { return false };
    let mut lines = text.lines();
    lines.next().is_some_and(|line| line.trim() == pid.to_string()) && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

/// The last FATAL or PANIC of the start, from the output before the logs open or from the newest log after.
fn reason(folders: &Folders) -> Option<String> {
    let early = fs::read_to_string(folders.start_log()).unwrap_or_default();
    let logs = fs::read_dir(folders.cluster().join("log")).into_iter().flatten().flatten();
    let newest = logs.max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok());
    let late = newest.and_then(|entry| fs::read_to_string(entry.path()).ok()).unwrap_or_default();
    let fatal = |text: &str| text.lines().rfind(|line| line.contains("FATAL:") || line.contains("PANIC:")).map(str::to_owned);
    fatal(&early).or_else(|| fatal(&late)).or_else(|| (!early.trim().is_empty()).then(|| last_line(&early)))
}

fn of_remains(detail: &str) -> bool {
    ["lock file", "pre-existing shared memory", "is still in use"].iter().any(|part| detail.contains(part))
}

/// A shell that ends the server when our end of its pipe closes, which the kernel does for us even after kill -9.
struct Watch(Child);

impl Watch {
    fn over(pid: i32, watchdog: Watchdog, top: &Path) -> io::Result<Option<Self>> {
        // A line read means that the server ended while we watched: nothing to do.
        const SCRIPT: &str = r#"
            if read -r _; then exit 0; fi
            kill -"$2" "$1" 2>/dev/null
            i=0
            while kill -0 "$1" 2>/dev/null && [ "$i" -lt 100 ]; do
                i=$((i + 1)); [ "$i" -eq 50 ] && kill -QUIT "$1" 2>/dev/null
                sleep 0.1
            done
            if [ -n "$3" ]; then rm -rf -- "$3"; fi"#;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "bailiwick-watchdog"]).arg(pid.to_string());
        match watchdog {
            Watchdog::Off => return Ok(None),
            Watchdog::Stop => command.arg("INT").arg(""),
            Watchdog::StopAndRemove => command.arg("QUIT").arg(top),
        };
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(|child| Some(Self(child)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let told = self.0.stdin.take().map(|mut pipe| pipe.write_all(b"ended\n"));
        if !matches!(told, Some(Ok(()))) || self.0.wait().is_err() {
            tracing::debug!("the watchdog of PostgreSQL had ended before");
        }
    }
}
