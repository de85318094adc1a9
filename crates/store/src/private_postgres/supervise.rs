//! The thread that keeps the server up: it blocks until the server ends, and starts it again unless told to stop.
//! A thread, not a task: it outlives the runtime that started it, as in a suite of tests that share one server.

use super::{
    PrivateConfig, PrivatePostgresError, ServerState, Watchdog,
    account::Account,
    folders::{Folders, remove_tree},
    programs::Programs,
    server::{Server, ending, signal},
};
use nix::sys::signal::Signal;
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// A server that ran this long earns the shortest backoff again.
const STEADY: Duration = Duration::from_secs(60);
/// After how long without effect a request to stop gets harsher.
const STOP_PATIENCE: [(Duration, Signal); 2] = [(Duration::from_secs(10), Signal::SIGQUIT), (Duration::from_secs(5), Signal::SIGKILL)];

/// What the supervisor works with; fixed for its life.
pub(super) struct Ground {
    pub config: PrivateConfig,
    pub account: Account,
    pub programs: Programs,
    pub folders: Folders,
}

impl Ground {
    pub fn start(&self) -> Result<Server, PrivatePostgresError> {
        Server::start(&self.folders, &self.programs, &self.account, self.config.watchdog, self.config.start_timeout)
    }
}

#[derive(Default)]
struct Now {
    /// The running server, not yet reaped: only such a pid may be signalled.
    pid: Option<i32>,
    stopping: bool,
    ended: bool,
}

pub(super) struct Supervisor {
    pub ground: Ground,
    pub state: watch::Sender<ServerState>,
    now: Mutex<Now>,
    changed: Condvar,
}

impl Supervisor {
    pub fn new(ground: Ground) -> Self {
        Self { ground, state: watch::Sender::new(ServerState::Starting), now: Mutex::default(), changed: Condvar::new() }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn pid(&self) -> Option<i32> {
        self.now().pid
    }

    /// The thread's whole life, from a server that is ready.
    pub fn run(&self, first: Server) {
        let mut next = Some(first);
        let mut backoff = FIRST_BACKOFF;
        while let Some(server) = next.take() {
            let begun = Instant::now();
            let reason = self.attend(server);
            if begun.elapsed() > STEADY {
                backoff = FIRST_BACKOFF;
            }
            next = self.start_again(reason, &mut backoff);
        }
        self.ground.folders.remove_outer_socket();
        if self.ground.config.watchdog == Watchdog::StopAndRemove {
            remove_tree(&self.ground.folders.top);
        }
        self.now().ended = true;
        self.state.send_replace(ServerState::Stopped);
        self.changed.notify_all();
    }

    /// Waits with a running server until it ends; says how it ended.
    fn attend(&self, server: Server) -> String {
        let pid = server.pid;
        {
            let mut now = self.now();
            now.pid = Some(pid);
            if now.stopping {
                signal(pid, ending(self.ground.config.durability));
            }
        }
        self.state.send_replace(ServerState::Running { pid });
        Server::wait_end(pid);
        let mut now = self.now();
        now.pid = None;
        match server.reap() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// A new server, or nothing when it is time to stop.
    fn start_again(&self, mut reason: String, backoff: &mut Duration) -> Option<Server> {
        let mut attempt = 0;
        loop {
            if self.now().stopping {
                return None;
            }
            attempt += 1;
            tracing::error!(%reason, attempt, "PostgreSQL ended unexpectedly; starting it again");
            self.state.send_replace(ServerState::Restarting { attempt, reason });
            if self.stopped_within(*backoff) {
                return None;
            }
            *backoff = (*backoff * 2).min(LONGEST_BACKOFF);
            match self.ground.start() {
                Ok(server) => return Some(server),
                Err(error) => reason = error.to_string(),
            }
        }
    }

    fn stopped_within(&self, pause: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.now(), pause, |now| !now.stopping);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }

    /// Asks the server to end and returns at once.
    pub fn request_stop(&self) {
        let mut now = self.now();
        if !now.stopping
            && let Some(pid) = now.pid
        {
            signal(pid, ending(self.ground.config.durability));
        }
        now.stopping = true;
        self.changed.notify_all();
    }

    /// Blocks until the server has ended, with growing emphasis.
    pub fn stop(&self) {
        self.request_stop();
        for (patience, harsher) in STOP_PATIENCE {
            let waited = self.changed.wait_timeout_while(self.now(), patience, |now| !now.ended);
            let now = waited.unwrap_or_else(PoisonError::into_inner).0;
            if now.ended {
                return;
            }
            if let Some(pid) = now.pid {
                tracing::warn!(pid, %harsher, "PostgreSQL takes long to stop");
                signal(pid, harsher);
            }
        }
        let guard = self.changed.wait_while(self.now(), |now| !now.ended);
        drop(guard.unwrap_or_else(PoisonError::into_inner));
    }

    /// Tells the server to read its files again.
    pub fn reload(&self) {
        if let Some(pid) = self.now().pid {
            signal(pid, Signal::SIGHUP);
        }
    }
}
