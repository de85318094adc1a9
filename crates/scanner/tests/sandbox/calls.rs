//! The filter asked about every system call there is, by an interpreter of its instructions: what a program without `unsafe`
//! cannot try is settled here.

use bailiwick_scanner::lock::{ALLOWED_CALLS, call_filter};
use nix::libc;
use std::collections::BTreeSet;

const PROCESS: u32 = 4242;
const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// What the kernel hands the filter (`struct seccomp_data`), as 32-bit words.
fn data(call: u32, architecture: u32, arguments: [u64; 6]) -> Vec<u32> {
    let mut words = vec![call, architecture, 0, 0];
    words.extend(arguments.iter().flat_map(|argument| [*argument as u32, (*argument >> 32) as u32]));
    words
}

/// Runs the filter as the kernel does: the few instructions of classic BPF that such filters are made of.
fn verdict(call: u32, architecture: u32, arguments: [u64; 6]) -> u32 {
    let program = call_filter(PROCESS).unwrap();
    let data = data(call, architecture, arguments);
    let (mut at, mut accumulator) = (0, 0_u32);
    loop {
        let step = &program[at];
        let jump = |taken: bool| at + 1 + usize::from(if taken { step.jt } else { step.jf });
        at = match step.code {
            0x20 => {
                accumulator = data[step.k as usize / 4];
                at + 1
            }
            0x54 => {
                accumulator &= step.k;
                at + 1
            }
            0x05 => at + 1 + step.k as usize,
            0x15 => jump(accumulator == step.k),
            0x25 => jump(accumulator > step.k),
            0x35 => jump(accumulator >= step.k),
            0x06 => return step.k,
            other => panic!("instruction {other:#x} is not interpreted here"),
        };
    }
}

fn allowed(call: i64, arguments: [u64; 6]) -> bool {
    match verdict(u32::try_from(call).unwrap(), ARCHITECTURE, arguments) {
        ALLOW => true,
        KILL => false,
        other => panic!("call {call} is neither allowed nor ends the process: {other:#x}"),
    }
}

#[test]
fn only_the_listed_calls_pass_whatever_their_arguments() {
    let listed: BTreeSet<i64> = ALLOWED_CALLS.iter().map(|(call, _)| *call).collect();
    assert_eq!(listed.len(), ALLOWED_CALLS.len());
    let values = [0, 1, 2, 3, 0x20, 128, u64::from(PROCESS), u64::MAX];
    for call in (0..1024).filter(|call| !listed.contains(call)) {
        for value in values {
            assert!(!allowed(call, [value; 6]), "call {call} passes with {value}");
        }
    }
}

#[test]
fn calls_by_which_one_gets_out_are_not_listed() {
    let dangerous = [
        libc::SYS_openat,
        libc::SYS_openat2,
        libc::SYS_open_by_handle_at,
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_bind,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_clone,
        libc::SYS_clone3,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_process_madvise,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_prlimit64,
        libc::SYS_setrlimit,
        libc::SYS_prctl,
        libc::SYS_seccomp,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_memfd_create,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_kexec_load,
        libc::SYS_dup,
        libc::SYS_dup3,
        libc::SYS_fcntl,
        libc::SYS_ioctl,
        libc::SYS_setuid,
        libc::SYS_capset,
        libc::SYS_sethostname,
        libc::SYS_shmget,
        libc::SYS_msgget,
        libc::SYS_mq_open,
        libc::SYS_getppid,
    ];
    println!("{} calls pass of those the kernel has; {} ways out asked for by name end the process", ALLOWED_CALLS.len(), dangerous.len());
    for call in dangerous {
        assert!(!allowed(call, [0; 6]), "call {call} passes");
    }
}

#[test]
fn arguments_are_held_to_the_pipes_to_data_and_to_this_process() {
    let of = |first: u64, second: u64, third: u64, fourth: u64| [first, second, third, fourth, 0, 0];
    for descriptor in [0, 1, 2, 3, 4, u64::from(u32::MAX)] {
        assert_eq!(allowed(libc::SYS_read, of(descriptor, 0, 1, 0)), descriptor == 0);
        assert_eq!(allowed(libc::SYS_write, of(descriptor, 0, 1, 0)), descriptor == 1 || descriptor == 2);
        assert_eq!(allowed(libc::SYS_writev, of(descriptor, 0, 1, 0)), descriptor == 2);
    }
    let (readable, executable) = (libc::PROT_READ as u64, libc::PROT_EXEC as u64);
    let (private, anonymous) = (libc::MAP_PRIVATE as u64, libc::MAP_ANONYMOUS as u64);
    assert!(allowed(libc::SYS_mmap, of(0, 4096, readable, private | anonymous)));
    assert!(!allowed(libc::SYS_mmap, of(0, 4096, readable | executable, private | anonymous)));
    assert!(!allowed(libc::SYS_mmap, of(0, 4096, readable, private)));
    assert!(allowed(libc::SYS_mprotect, of(0, 4096, readable, 0)));
    assert!(!allowed(libc::SYS_mprotect, of(0, 4096, readable | executable, 0)));
    assert!(allowed(libc::SYS_tgkill, of(u64::from(PROCESS), 1, 6, 0)));
    assert!(!allowed(libc::SYS_tgkill, of(u64::from(PROCESS) - 1, 1, 6, 0)));
    // Wait, wake, wait with a deadline; not the operations on two locks or with priorities.
    let passing: Vec<u64> = (0..512).filter(|&operation| allowed(libc::SYS_futex, of(0, operation, 0, 0))).collect();
    assert_eq!(passing, [128, 129, 137]);
}

#[test]
fn calls_of_another_architecture_end_the_process() {
    const I386: u32 = 0x4000_0003;
    const X32: u32 = 0x4000_0000;
    for (call, _) in ALLOWED_CALLS {
        let call = u32::try_from(*call).unwrap();
        assert_eq!(verdict(call, I386, [1; 6]), KILL);
        assert_eq!(verdict(call | X32, ARCHITECTURE, [1; 6]), KILL);
    }
}
