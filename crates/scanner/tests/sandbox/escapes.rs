//! Every way out that was tried, and how it was refused. The filter of system calls comes first in the kernel, so under the full
//! lock it refuses nearly all; the second group leaves it out, to see Landlock and the dropped privileges hold by themselves.

use crate::hostile::{Disguise, LIMITS, fate, program, scanner};
use bailiwick_scanner::Scanner;
use std::fs::File;
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

const BY_CALLS: &str = "it made a system call that the sandbox does not allow";
const BY_LANDLOCK: &str = "Permission denied";
const BY_PRIVILEGES: &str = "EPERM";
const BY_SCOPE: &str = "not permitted";
const BY_MEMORY: &str = "of memory it may use and was ended";
const BY_PROCESSOR: &str = "of processor time it may use and was ended";

/// The outside world that the child tries to reach: each part is there and works.
struct World {
    folder: tempfile::TempDir,
    tcp: TcpListener,
    udp: UdpSocket,
    unix: UnixListener,
    _hidden: UnixListener,
    hidden_name: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "the secret").unwrap();
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        let hidden_name = folder.path().display().to_string();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_nonblocking(true).unwrap();
        Self {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            udp,
            unix: UnixListener::bind(folder.path().join("socket")).unwrap(),
            _hidden: UnixListener::bind_addr(&SocketAddr::from_abstract_name(&hidden_name).unwrap()).unwrap(),
            hidden_name,
            folder,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Whether the child has left any trace.
    fn is_untouched(&self) -> bool {
        self.tcp.set_nonblocking(true).unwrap();
        self.unix.set_nonblocking(true).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        self.tcp.accept().is_err()
            && self.unix.accept().is_err()
            && self.udp.recv(&mut [0; 16]).is_err()
            && names == ["folder", "secret", "socket"]
            && std::fs::read_to_string(self.path("secret")).unwrap() == "the secret"
    }
}

/// Attempts, each with what must refuse it.
struct Table {
    rows: Vec<(String, String, &'static str, String)>,
}

impl Table {
    async fn row(&mut self, scanner: &Scanner, lock: &str, attempt: &str, by: &'static str) {
        let fate = fate(scanner, attempt).await;
        self.rows.push((lock.to_owned(), attempt.to_owned(), by, fate));
    }

    /// Prints the table; then every attempt must have been refused by what was named.
    fn settle(self, title: &str) {
        println!("\n{title}");
        println!("| lock | attempt | how it was refused |\n|---|---|---|");
        let mut wrong = Vec::new();
        for (lock, attempt, by, fate) in &self.rows {
            println!("| {lock} | {attempt} | {} |", fate.replace('\n', " "));
            if !fate.contains(by) || fate.contains("escaped") {
                wrong.push(format!("{attempt} ({lock}): expected {by:?}, was: {fate}"));
            }
        }
        println!("{} attempts, {} refused as expected", self.rows.len(), self.rows.len() - wrong.len());
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[tokio::test]
async fn i54_under_the_full_lock_every_way_out_is_refused() {
    let world = World::new();
    let child = scanner(program());
    let secret = world.path("secret");
    let tcp = world.tcp.local_addr().unwrap();
    let udp = world.udp.local_addr().unwrap();
    let attempts = [
        "read-file /etc/passwd".to_owned(),
        format!("read-file {secret}"),
        format!("write-file {secret}"),
        format!("append-file {secret}"),
        format!("write-file {}", world.path("new")),
        "write-file /tmp/bailiwick-was-here".to_owned(),
        format!("remove-file {secret}"),
        format!("rename-file {secret}"),
        format!("link-file {secret}"),
        format!("make-folder {}", world.path("new")),
        format!("look-at-file {secret}"),
        "list-folder /proc".to_owned(),
        "list-folder /".to_owned(),
        "read-parent-environment".to_owned(),
        "read-parent-memory-file".to_owned(),
        "write-own-memory-file".to_owned(),
        "read-file /proc/self/environ".to_owned(),
        "see-descriptors".to_owned(),
        "mount".to_owned(),
        "change-root".to_owned(),
        "leave-folder".to_owned(),
        "memory-file".to_owned(),
        format!("tcp {tcp}"),
        "tcp 169.254.169.254:80".to_owned(),
        "tcp-listen".to_owned(),
        format!("udp {udp}"),
        "udp 169.254.169.254:53".to_owned(),
        "resolve login.microsoftonline.com".to_owned(),
        "resolve localhost".to_owned(),
        format!("unix {}", world.path("socket")),
        format!("unix-listen {}", world.path("new")),
        format!("unix-abstract {}", world.hidden_name),
        "socket-pair".to_owned(),
        "run-shell".to_owned(),
        "spawn-shell".to_owned(),
        "run-itself".to_owned(),
        "fork-bomb".to_owned(),
        "thread".to_owned(),
        "trace-parent".to_owned(),
        "let-parent-trace".to_owned(),
        "read-parent-memory".to_owned(),
        "signal-parent".to_owned(),
        "signal-everyone".to_owned(),
        "new-namespace".to_owned(),
        "become-root".to_owned(),
        "new-session".to_owned(),
        "outlive-parent".to_owned(),
        "be-dumpable".to_owned(),
        "raise-memory".to_owned(),
        "raise-files".to_owned(),
        "sleep".to_owned(),
    ];
    let mut table = Table { rows: Vec::new() };
    for attempt in &attempts {
        table.row(&child, "full", attempt, BY_CALLS).await;
    }
    table.row(&child, "full", "allocate", BY_MEMORY).await;
    table.row(&child, "full", "allocate-at-once", BY_MEMORY).await;
    table.row(&child, "full", "compute", BY_PROCESSOR).await;
    table.row(&child, "full", "compute-deaf", BY_PROCESSOR).await;
    table.row(&child, "full", "recurse", "it crashed, as it does when input is nested too deeply").await;
    table.settle("Under the full lock");
    assert!(world.is_untouched());
}

#[tokio::test]
async fn without_the_filter_landlock_and_lost_privileges_hold() {
    let (world, disguise) = (World::new(), Disguise::new());
    // The limit on descriptors would refuse most of these before Landlock is asked.
    let lock = "calls-limits";
    let child = scanner(disguise.without(lock));
    let secret = world.path("secret");
    let rows = [
        ("read-file /etc/passwd".to_owned(), BY_LANDLOCK),
        (format!("write-file {secret}"), BY_LANDLOCK),
        (format!("append-file {secret}"), BY_LANDLOCK),
        (format!("write-file {}", world.path("new")), BY_LANDLOCK),
        (format!("remove-file {secret}"), BY_LANDLOCK),
        (format!("make-folder {}", world.path("new")), BY_LANDLOCK),
        ("list-folder /proc".to_owned(), BY_LANDLOCK),
        ("read-parent-environment".to_owned(), BY_LANDLOCK),
        ("read-parent-memory-file".to_owned(), BY_LANDLOCK),
        (format!("tcp {}", world.tcp.local_addr().unwrap()), BY_LANDLOCK),
        ("tcp 169.254.169.254:80".to_owned(), BY_LANDLOCK),
        (format!("unix-listen {}", world.path("new")), BY_LANDLOCK),
        (format!("unix-abstract {}", world.hidden_name), BY_SCOPE),
        ("run-shell".to_owned(), BY_LANDLOCK),
        ("trace-parent".to_owned(), BY_PRIVILEGES),
        ("read-parent-memory".to_owned(), BY_PRIVILEGES),
        ("signal-parent".to_owned(), BY_PRIVILEGES),
        ("mount".to_owned(), BY_PRIVILEGES),
        ("change-root".to_owned(), BY_PRIVILEGES),
    ];
    let mut table = Table { rows: Vec::new() };
    for (attempt, by) in &rows {
        table.row(&child, &format!("without {lock}"), attempt, by).await;
    }
    table.settle("Without the filter of system calls");
    assert!(world.is_untouched());
}

#[tokio::test]
async fn without_the_filter_limits_hold() {
    let (world, disguise) = (World::new(), Disguise::new());
    let lock = "calls-files-network-scope";
    let child = scanner(disguise.without(lock));
    let mut table = Table { rows: Vec::new() };
    let rows = [
        ("read-file /etc/passwd".to_owned(), "Too many open files"),
        (format!("tcp {}", world.tcp.local_addr().unwrap()), "Too many open files"),
        (format!("udp {}", world.udp.local_addr().unwrap()), "Too many open files"),
        (format!("unix {}", world.path("socket")), "Too many open files"),
        ("raise-memory".to_owned(), BY_PRIVILEGES),
        ("raise-files".to_owned(), BY_PRIVILEGES),
        ("allocate".to_owned(), BY_MEMORY),
        ("compute-deaf".to_owned(), BY_PROCESSOR),
    ];
    for (attempt, by) in &rows {
        table.row(&child, &format!("without {lock}"), attempt, by).await;
    }
    table.settle("Without filter and Landlock");
    assert!(world.is_untouched());
}

/// The attempts are real: with every layer left out that could refuse them, they succeed.
#[tokio::test]
async fn without_a_lock_the_same_attempts_go_through() {
    let (world, disguise) = (World::new(), Disguise::new());
    let child = scanner(disguise.without("calls-limits-files-network-scope-privileges-descriptors"));
    let leaked = File::create(world.folder.path().join("leaked")).unwrap();
    inherit(&leaked);
    let attempts = [
        format!("read-file {}", world.path("secret")),
        format!("append-file {}", world.path("secret")),
        "list-folder /proc".to_owned(),
        "read-parent-environment".to_owned(),
        format!("tcp {}", world.tcp.local_addr().unwrap()),
        format!("udp {}", world.udp.local_addr().unwrap()),
        format!("unix {}", world.path("socket")),
        format!("unix-abstract {}", world.hidden_name),
        "socket-pair".to_owned(),
        "spawn-shell".to_owned(),
        "thread".to_owned(),
        "memory-file".to_owned(),
        "signal-parent".to_owned(),
        "see-descriptors".to_owned(),
    ];
    for attempt in &attempts {
        let fate = fate(&child, attempt).await;
        assert!(fate.contains("escaped: "), "{attempt}: {fate}");
    }
}

/// A descriptor that the parent leaks on purpose is closed before the child reads a byte. Layers that would keep the child from
/// looking are left out.
#[tokio::test]
async fn i54_a_leaked_descriptor_does_not_come_through() {
    let (folder, disguise) = (tempfile::tempdir().unwrap(), Disguise::new());
    let mut leaked = File::create(folder.path().join("leaked")).unwrap();
    writeln!(leaked, "open in the parent").unwrap();
    inherit(&leaked);
    let open = fate(&scanner(disguise.without("calls-limits-files-descriptors")), "see-descriptors").await;
    assert!(open.contains("escaped: ") && open.contains("leaked"), "the leak is real: {open}");
    let closed = fate(&scanner(disguise.without("calls-limits-files")), "see-descriptors").await;
    assert_eq!(closed, "refused: no descriptor but the pipes");
    assert_eq!(LIMITS.sandbox, bailiwick_scanner::Policy::Require);
}

/// Takes close-on-exec off a file.
fn inherit(file: &File) {
    rustix::io::fcntl_setfd(file.as_fd(), rustix::io::FdFlags::empty()).unwrap();
}
