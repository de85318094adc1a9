//! However a scan ends, its process is ended and reaped.

use crate::hostile::{Disguise, Heard, LIMITS, Process, Refusing, attempt, job, program, scanner};
use bailiwick_scanner::{Limits, Policy, ScanEnd, Scanner, Stop};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Runs a child that goes on for ever, and does something once it has said which process it is.
async fn when_running(
    limits: Limits,
    cancel: &CancellationToken,
    act: impl FnMut(i32) -> Result<(), Stop> + Send + 'static,
) -> (ScanEnd, Process) {
    let (seen, mut act) = (Arc::new(Mutex::new(None)), act);
    let keep = seen.clone();
    let on_plan = move |process: Process| {
        let id = process.id;
        *keep.lock().unwrap() = Some(process);
        act(id)
    };
    let mut sink = Heard { on_plan: Some(Box::new(on_plan)), ..Heard::default() };
    let child = Scanner { program: program(), limits };
    let end = child.run(&job("spin"), &Refusing, &mut sink, cancel).await.unwrap_err();
    let process = seen.lock().unwrap().take().unwrap();
    (end, process)
}

#[tokio::test]
async fn a_child_killed_by_someone_else_is_seen_and_reaped() {
    let murder = |id| {
        kill(Pid::from_raw(id), Signal::SIGKILL).unwrap();
        Ok(())
    };
    let (end, process) = when_running(LIMITS, &CancellationToken::new(), murder).await;
    assert_eq!(end, ScanEnd::Killed { signal: 9, said: String::new() });
    assert_eq!(end.to_string(), "The scanner was ended by signal 9 (by someone else, or by the kernel for want of memory).");
    assert!(process.is_reaped());
}

#[tokio::test]
async fn a_cancelled_scan_ends_at_once() {
    let cancel = CancellationToken::new();
    let ask = cancel.clone();
    let (end, process) = when_running(LIMITS, &cancel, move |_| {
        ask.cancel();
        Ok(())
    })
    .await;
    assert_eq!(end, ScanEnd::Cancelled);
    assert!(process.is_reaped());
}

#[tokio::test]
async fn a_scan_whose_events_cannot_be_kept_ends() {
    let (end, process) = when_running(LIMITS, &CancellationToken::new(), |_| Err(Stop("the lease is lost".to_owned()))).await;
    assert_eq!(end.to_string(), "The scan was stopped: the lease is lost.");
    assert!(process.is_reaped());
}

#[tokio::test]
async fn a_scan_that_takes_too_long_ends() {
    let limits = Limits { wall: Duration::from_millis(500), cpu: Duration::from_secs(60), ..LIMITS };
    let (end, process) = when_running(limits, &CancellationToken::new(), |_| Ok(())).await;
    assert_eq!(end, ScanEnd::TimedOut { limit: limits.wall });
    assert!(process.is_reaped());
}

#[tokio::test]
async fn a_scan_nobody_waits_for_any_more_ends() {
    let (told, process) = tokio::sync::oneshot::channel();
    let mut told = Some(told);
    let on_plan = move |process: Process| {
        let _ = told.take().unwrap().send(process);
        Ok(())
    };
    let running = tokio::spawn(async move {
        let mut sink = Heard { on_plan: Some(Box::new(on_plan)), ..Heard::default() };
        let limits = Limits { cpu: Duration::from_secs(60), ..LIMITS };
        Scanner { program: program(), limits }.run(&job("spin"), &Refusing, &mut sink, &CancellationToken::new()).await
    });
    let process = process.await.unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert!(process.ends());
}

/// The parent is a process of its own here: it starts a child that computes for ever, and is then killed.
#[test]
fn i54_a_child_whose_parent_is_killed_ends() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let mut parent = Command::new(program()).arg("--be-parent").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let child = Process::watch(line.trim().parse().unwrap());
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert!(child.ends(), "process {} outlived its parent", child.id);
}

#[tokio::test]
async fn a_child_that_cannot_be_locked_in_refuses_and_says_what_is_lacking() {
    let disguise = Disguise::new();
    let end = attempt(&scanner(disguise.without("calls-honest")), "read-file /etc/passwd").await.unwrap_err();
    assert_eq!(end, ScanEnd::Refused { lacking: vec!["system calls filtered (seccomp): left out".to_owned()] });
    let limits = Limits { sandbox: Policy::AllowWeaker, ..LIMITS };
    let weaker = Scanner { program: disguise.without("calls-honest"), limits };
    let end = attempt(&weaker, "no-report").await.unwrap_err();
    assert!(matches!(end, ScanEnd::Broken { .. }), "it ran: {end}");
}

#[tokio::test]
async fn a_program_that_is_not_there_or_is_another_one_is_named() {
    let end = attempt(&scanner("/nowhere/bailiwick-scanner"), "wait").await.unwrap_err();
    let sentence = "The scanner /nowhere/bailiwick-scanner could not be started: No such file or directory (os error 2).";
    assert_eq!(end.to_string(), sentence);
    let end = attempt(&scanner("/bin/echo"), "wait").await.unwrap_err();
    assert!(end.to_string().contains("what came is not a frame"), "{end}");
}

/// The figure is the child's own: the parent holds three times as much at the same time.
#[tokio::test]
async fn peak_memory_is_the_childs_own() {
    let ballast = std::hint::black_box(vec![1_u8; 192 << 20]);
    let scanned = scanner(program()).run(&job("fat"), &Refusing, &mut Heard::default(), &CancellationToken::new()).await.unwrap();
    let peak = scanned.usage.peak_memory.unwrap();
    assert!((64 << 20..112 << 20).contains(&peak), "{peak} bytes");
    assert!(scanned.usage.cpu > Duration::ZERO && scanned.usage.wall >= scanned.usage.cpu / 4);
    assert_eq!(ballast.len(), 192 << 20);
    assert!(peak < LIMITS.memory + (16 << 20));
}
