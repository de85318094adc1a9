//! What a process has from its parent and must not keep: variables, descriptors, privileges, and a life of its own.

use nix::sys::{prctl, signal::Signal};
use nix::unistd;
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use std::os::fd::RawFd;

/// The environment cannot be wiped from memory safely, so a process that was given one is refused instead.
pub(super) fn no_environment() -> Result<(), String> {
    match std::env::vars_os().count() {
        0 => Ok(()),
        count => Err(format!("{count} environment variables came with the process; it is started without any, and not by hand")),
    }
}

/// Closes every descriptor above standard error.
pub(super) fn close_descriptors() -> Result<(), String> {
    for descriptor in open_descriptors()?.into_iter().filter(|&descriptor| descriptor > 2) {
        match unistd::close(descriptor) {
            // The folder listed was itself open while it was read.
            Ok(()) | Err(nix::errno::Errno::EBADF) => {}
            Err(error) => return Err(format!("descriptor {descriptor} could not be closed: {error}")),
        }
    }
    Ok(())
}

fn open_descriptors() -> Result<Vec<RawFd>, String> {
    let entries = std::fs::read_dir("/proc/self/fd").map_err(|error| format!("/proc/self/fd cannot be listed: {error}"))?;
    let number = |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    Ok(entries.filter_map(number).collect())
}

/// Gives up what root has, and the ways to gain anything: set-user-id programs, file capabilities, a debugger.
pub(super) fn drop_privileges() -> Result<(), String> {
    prctl::set_no_new_privs().map_err(|error| format!("no_new_privs: {error}"))?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(|error| format!("capabilities: {error}"))?;
    // After the capabilities, whose change may reset it.
    prctl::set_dumpable(false).map_err(|error| format!("dumpable: {error}"))
}

/// Has the kernel kill this process when the thread that started it ends. A parent that ended before this line has closed
/// the pipes: then there is no job to read.
pub(super) fn end_with_parent() -> Result<(), String> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| format!("parent-death signal: {error}"))
}
