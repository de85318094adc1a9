//! Seccomp: the system calls that computing on one thread and speaking over three pipes needs. Any other ends the process.
//! Not on the list, among all others: open, socket, connect, execve, clone, fork, ptrace, process_vm_readv, kill, prlimit64,
//! mount, bpf, keyctl, io_uring_setup, memfd_create.

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Op, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

/// What an allowed call's arguments must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Anything.
    Any,
    /// The first argument is one of these descriptors.
    Descriptor(&'static [u64]),
    /// The third argument asks for no executable memory.
    NotExecutable,
    /// As above, and the memory is backed by no file.
    AnonymousNotExecutable,
    /// The second argument is one of these operations.
    Operation(&'static [u64]),
    /// The first argument is this process.
    OwnProcess,
}

/// The whole list, with the reason for each.
pub const ALLOWED: &[(i64, Arguments)] = &[
    // The pipes.
    (libc::SYS_read, Arguments::Descriptor(&[0])),
    (libc::SYS_write, Arguments::Descriptor(&[1, 2])),
    // The C library's last words.
    (libc::SYS_writev, Arguments::Descriptor(&[2])),
    // Memory.
    (libc::SYS_brk, Arguments::Any),
    (libc::SYS_mmap, Arguments::AnonymousNotExecutable),
    (libc::SYS_mremap, Arguments::Any),
    (libc::SYS_munmap, Arguments::Any),
    (libc::SYS_mprotect, Arguments::NotExecutable),
    (libc::SYS_madvise, Arguments::Any),
    // The allocator asks for the number of processors when memory runs out.
    (libc::SYS_sched_getaffinity, Arguments::Any),
    // Locks of a single thread: wait, wake, wait with a deadline; all private to the process.
    (libc::SYS_futex, Arguments::Operation(&[128, 129, 137])),
    (libc::SYS_sched_yield, Arguments::Any),
    // Seeds of hash maps, and the time where it is not read without a call.
    (libc::SYS_getrandom, Arguments::Any),
    (libc::SYS_clock_gettime, Arguments::Any),
    // Signals: return from one, go on after a stop, end by one (abort), report an overflowing stack.
    (libc::SYS_rt_sigreturn, Arguments::Any),
    (libc::SYS_restart_syscall, Arguments::Any),
    (libc::SYS_rt_sigaction, Arguments::Any),
    (libc::SYS_rt_sigprocmask, Arguments::Any),
    (libc::SYS_sigaltstack, Arguments::Any),
    (libc::SYS_getpid, Arguments::Any),
    (libc::SYS_gettid, Arguments::Any),
    (libc::SYS_tgkill, Arguments::OwnProcess),
    // The end.
    (libc::SYS_exit, Arguments::Any),
    (libc::SYS_exit_group, Arguments::Any),
];

/// The filter as the kernel takes it, for the process with this id.
pub fn program(process: u32) -> Result<BpfProgram, String> {
    let explain = |error: seccompiler::BackendError| format!("the filter could not be made: {error}");
    let mut rules = BTreeMap::new();
    for (call, arguments) in ALLOWED {
        rules.insert(*call, conditions(*arguments, process).map_err(explain)?);
    }
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(explain)?;
    let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, architecture).map_err(explain)?;
    filter.try_into().map_err(explain)
}

/// Any one of the rules allows the call; no rule at all allows it whatever its arguments.
fn conditions(arguments: Arguments, process: u32) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let equals = |argument, value| Ok(vec![SeccompCondition::new(argument, Length::Dword, Op::Eq, value)?]);
    let lacks = |argument, bits| SeccompCondition::new(argument, Length::Dword, Op::MaskedEq(bits), 0);
    let has = |argument, bits| SeccompCondition::new(argument, Length::Dword, Op::MaskedEq(bits), bits);
    let executable = libc::PROT_EXEC as u64;
    let any_of: Vec<Vec<SeccompCondition>> = match arguments {
        Arguments::Any => Vec::new(),
        Arguments::Descriptor(descriptors) => descriptors.iter().map(|&fd| equals(0, fd)).collect::<Result<_, _>>()?,
        Arguments::Operation(operations) => operations.iter().map(|&operation| equals(1, operation)).collect::<Result<_, _>>()?,
        Arguments::NotExecutable => vec![vec![lacks(2, executable)?]],
        Arguments::AnonymousNotExecutable => vec![vec![lacks(2, executable)?, has(3, libc::MAP_ANONYMOUS as u64)?]],
        Arguments::OwnProcess => vec![equals(0, u64::from(process))?],
    };
    any_of.into_iter().map(SeccompRule::new).collect()
}

pub(super) fn filter() -> Result<(), String> {
    let program = program(std::process::id())?;
    seccompiler::apply_filter(&program).map_err(|error| format!("this kernel refused the filter: {error}"))
}

/// Whether the kernel can end a process for a call. Where the list of its actions is not to be read, the child finds out.
pub(super) fn can_filter() -> Result<(), String> {
    program(std::process::id())?;
    match std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail") {
        Ok(actions) if !actions.split_whitespace().any(|action| action == "kill_process") => {
            Err("this kernel cannot end a process for a system call".to_owned())
        }
        Ok(_) => Ok(()),
        Err(_) => match std::fs::read_to_string("/proc/self/status") {
            Ok(status) if !status.contains("Seccomp:") => Err("this kernel was built without seccomp".to_owned()),
            _ => Ok(()),
        },
    }
}
