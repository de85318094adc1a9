//! What an earlier server left: processes still working in the cluster, or a file naming a process that is gone.
//! We hold the folder's lock, so whoever works there has lost its Bailiwick and may be stopped.

use super::{PrivatePostgresError, folders::Folders};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// When which signal goes out: fast shutdown, immediate shutdown, the kernel's.
const ESCALATION: [(Duration, Signal); 3] =
    [(Duration::ZERO, Signal::SIGINT), (Duration::from_secs(4), Signal::SIGQUIT), (Duration::from_secs(6), Signal::SIGKILL)];
const GIVE_UP: Duration = Duration::from_secs(9);

/// Returns when nobody works in the cluster and nothing claims that somebody does.
pub(super) fn clear(folders: &Folders) -> Result<(), PrivatePostgresError> {
    let cluster = folders.cluster();
    let begun = Instant::now();
    let mut step = 0;
    loop {
        let living = working_in(&cluster);
        let Some(first) = living.first() else { break };
        if begun.elapsed() > GIVE_UP {
            return Err(PrivatePostgresError::PredecessorStays { pid: *first, folder: cluster });
        }
        if let Some((_, signal)) = ESCALATION.get(step).filter(|(after, _)| begun.elapsed() >= *after) {
            tracing::warn!(?living, %signal, "stopping a PostgreSQL whose Bailiwick is gone");
            signal_all(&cluster, &living, *signal);
            step += 1;
        }
        thread::sleep(Duration::from_millis(20));
    }
    // The pid these files name is dead, a zombie or somebody else's by now; PostgreSQL would refuse to start for the last two.
    for file in [cluster.join("postmaster.pid"), folders.socket_file(), folders.socket_file().with_extension("5432.lock")] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(PrivatePostgresError::io("removing", file)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The postmaster stops its children in order; they are signalled themselves only when it is gone.
fn signal_all(cluster: &Path, living: &[i32], signal: Signal) {
    let postmaster = postmaster(cluster).filter(|pid| living.contains(pid));
    let targets = match (postmaster, signal) {
        (Some(pid), Signal::SIGINT | Signal::SIGQUIT) => vec![pid],
        _ => living.to_vec(),
    };
    for pid in targets {
        if let Err(error) = kill(Pid::from_raw(pid), signal)
            && error != Errno::ESRCH
        {
            tracing::warn!(pid, %error, "could not signal a leftover PostgreSQL process");
        }
    }
}

/// The first line of `postmaster.pid`.
pub(super) fn postmaster(cluster: &Path) -> Option<i32> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// Processes whose working directory is the cluster: PostgreSQL's all change into it, and zombies have none.
pub(super) fn working_in(cluster: &Path) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster) && is_postgres(*pid)).collect()
}

fn is_postgres(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == "postgres")
}
