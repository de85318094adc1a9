//! Ways out of a process that a program without `unsafe` can try. What it cannot try, the test of the filter asks the filter.

use crate::Knowledge;
use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl;
use nix::sys::ptrace;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::{Pid, Uid};
use std::error::Error;
use std::fs;
use std::io::{IoSliceMut, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What was got, or how it was refused.
type Outcome = Result<String, Box<dyn Error>>;

pub fn attempt(name: &str, target: &str, known: &Knowledge) -> Outcome {
    let parent = Pid::from_raw(known.parent);
    match name {
        "read-file" => got(fs::read_to_string(target)),
        "write-file" => got(fs::write(target, "was here")),
        "append-file" => got(fs::OpenOptions::new().append(true).open(target).and_then(|mut file| file.write_all(b"was here"))),
        "remove-file" => got(fs::remove_file(target)),
        "rename-file" => got(fs::rename(target, format!("{target}.moved"))),
        "link-file" => got(fs::hard_link(target, format!("{target}.linked"))),
        "make-folder" => got(fs::create_dir(target)),
        "list-folder" => got(fs::read_dir(target).map(Iterator::count)),
        "look-at-file" => got(fs::metadata(target)),
        "read-parent-environment" => got(fs::read(format!("/proc/{parent}/environ"))),
        "read-parent-memory-file" => got(fs::File::open(format!("/proc/{parent}/mem"))),
        "write-own-memory-file" => got(fs::OpenOptions::new().write(true).open("/proc/self/mem")),
        "see-descriptors" => descriptors(),
        "mount" => got(nix::mount::mount(Some("none"), "/tmp", Some("tmpfs"), MsFlags::empty(), None::<&str>)),
        "change-root" => got(nix::unistd::chroot("/tmp")),
        "leave-folder" => got(std::env::set_current_dir("/tmp")),
        "memory-file" => got(memfd_create("hidden", MFdFlags::empty())),

        "tcp" => got(TcpStream::connect(target)),
        "tcp-listen" => got(TcpListener::bind("127.0.0.1:0")),
        "udp" => got(UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"was here", target))),
        "resolve" => got((target, 443).to_socket_addrs().map(|mut addresses| addresses.next())),
        "unix" => got(UnixStream::connect(target)),
        "unix-listen" => got(UnixListener::bind(target)),
        "unix-abstract" => got(SocketAddr::from_abstract_name(target).and_then(|name| UnixStream::connect_addr(&name))),
        "socket-pair" => got(UnixStream::pair()),

        "run-shell" => Err(Command::new("/bin/sh").exec().into()),
        "spawn-shell" => got(Command::new("/bin/sh").spawn()),
        "run-itself" => Err(Command::new("/proc/self/exe").exec().into()),
        "fork-bomb" => fork_bomb(),
        "thread" => got(std::thread::Builder::new().spawn(|| ())),
        "trace-parent" => got(ptrace::attach(parent)),
        "let-parent-trace" => got(ptrace::traceme()),
        "read-parent-memory" => read_memory(parent),
        "signal-parent" => got(kill(parent, Signal::SIGURG)),
        "signal-everyone" => got(kill(Pid::from_raw(-1), Signal::SIGURG)),
        "new-namespace" => got(nix::sched::unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)),
        "become-root" => got(nix::unistd::setuid(Uid::from_raw(0))),
        "new-session" => got(nix::unistd::setsid()),
        "outlive-parent" => got(prctl::set_pdeathsig(None)),
        "be-dumpable" => got(prctl::set_dumpable(true)),
        "raise-memory" => got(setrlimit(Resource::RLIMIT_DATA, 1 << 40, 1 << 40)),
        "raise-files" => got(setrlimit(Resource::RLIMIT_NOFILE, 1024, 1024)),

        "allocate" => allocate(),
        "allocate-at-once" => got(Ok::<_, String>(vec![1_u8; 1 << 40].len())),
        "compute" => compute(),
        "compute-deaf" => got(SigSet::all().thread_block()).and_then(|_| compute()),
        "recurse" => Ok(recurse(0).to_string()),
        "sleep" => got(Ok::<_, String>(nix::unistd::sleep(3600))),
        "abort" => std::process::abort(),
        "panic" => panic!("a fault of our own"),
        other => panic!("no attempt is called {other}"),
    }
}

fn got<T, E: Into<Box<dyn Error>>>(result: Result<T, E>) -> Outcome {
    result.map(|_| "it went through".to_owned()).map_err(Into::into)
}

/// Descriptors other than the pipes and that of the listing itself.
fn descriptors() -> Outcome {
    let mut extra = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let path = entry?.path();
        let number: i32 = path.file_name().and_then(|name| name.to_str()).ok_or("no number")?.parse()?;
        match fs::read_link(&path) {
            Ok(link) if number > 2 && !link.starts_with("/proc") => extra.push(format!("{number} is {}", link.display())),
            _ => {}
        }
    }
    if extra.is_empty() { Err("no descriptor but the pipes".into()) } else { Ok(extra.join(", ")) }
}

fn fork_bomb() -> Outcome {
    loop {
        Command::new("/proc/self/exe").spawn()?;
    }
}

fn read_memory(process: Pid) -> Outcome {
    let mut buffer = [0; 8];
    let place = RemoteIoVec { base: 0x40_0000, len: 8 };
    got(process_vm_readv(process, &mut [IoSliceMut::new(&mut buffer)], &[place]))
}

fn allocate() -> Outcome {
    let mut kept = Vec::new();
    loop {
        kept.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&kept);
    }
}

fn compute() -> Outcome {
    let mut number = 1_u64;
    loop {
        number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005));
    }
}

#[allow(unconditional_recursion, clippy::only_used_in_recursion)]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 128]);
    recurse(frame[7] + 1) + frame[0]
}
