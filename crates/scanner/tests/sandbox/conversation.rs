//! A child that breaks the rules of the conversation is ended, and the parent takes no harm.

use crate::hostile::{Contoso, Heard, LIMITS, fate, job, program, scanner};
use bailiwick_checks::{Service, plan};
use bailiwick_scanner::{Limits, ScanEnd, Scanner};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn each_breach_is_named() {
    let rows = [
        ("garbage", "what came is not a frame: it begins with [48, 54, 54, 50]"),
        ("endless-output", "what came is not a frame: it begins with [00, 00, 00, 00]"),
        ("huge-header", "the header of a frame has 4294967295 bytes; at most 1048576 are allowed"),
        ("huge-body", "the body of a frame has 16777215 bytes; at most 8388608 are allowed"),
        ("unknown-word", "a frame was not understood: unknown variant `exec`"),
        ("hello-again", "it said hello out of turn"),
        ("plan-again", "it said planned out of turn"),
        ("no-requests", "it made 0 requests at once; 1 to 20 are allowed"),
        ("many-requests", "it made 21 requests at once; 1 to 20 are allowed"),
        ("two-line-page", "a frame was not understood: trailing characters"),
        ("page-of-lines", "a page of the snapshot has more than one line"),
        ("false-result", "a frame was not understood: invalid type"),
        ("false-report", "a frame was not understood: missing field"),
        ("no-report", "it ended without a report"),
        ("endless-events", "it said more than it may"),
        ("endless-error", "it wrote more than 1 MiB on its standard error"),
    ];
    let child = scanner(program());
    println!("| breach | what a person reads |\n|---|---|");
    for (breach, named) in rows {
        let fate = fate(&child, breach).await;
        println!("| {breach} | {fate} |");
        assert!(fate.starts_with("The scanner broke the rules of its conversation and was ended: "), "{breach}: {fate}");
        assert!(fate.contains(named), "{breach}: {fate}");
    }
}

#[tokio::test]
async fn a_child_that_says_half_a_frame_and_waits_is_ended_by_the_clock() {
    let limits = Limits { wall: Duration::from_millis(500), ..LIMITS };
    let child = Scanner { program: program(), limits };
    for silence in ["half-a-frame", "wait"] {
        let end = crate::hostile::attempt(&child, silence).await.unwrap_err();
        assert_eq!(end, ScanEnd::TimedOut { limit: limits.wall }, "{silence}");
    }
}

#[tokio::test]
async fn last_words_are_shown_without_what_could_draw_on_a_terminal() {
    let fate = fate(&scanner(program()), "colourful-error").await;
    assert_eq!(fate, "The scanner failed (exit code 7). It said: \u{fffd}[2Jall is well\u{fffd}");
}

#[tokio::test]
async fn a_fault_of_the_child_is_told_in_its_own_words() {
    let panic = fate(&scanner(program()), "panic").await;
    assert!(panic.starts_with("The scanner failed (exit code 101). It said: "), "{panic}");
    assert!(panic.contains("a fault of our own"), "{panic}");
    let abort = fate(&scanner(program()), "abort").await;
    assert_eq!(abort, "The scanner was ended by signal 6 (SIGABRT).");
}

/// The parent passes requests on and the broker decides by the plan: what it refuses, the child gets as a refusal and nothing else.
#[tokio::test]
async fn what_the_plan_does_not_name_does_not_come_back() {
    let unplanned = [
        "/v1.0/users/alice@contoso.com/messages",
        "/v1.0/users/alice@contoso.com/photo/$value",
        "/v1.0/policies/authorizationPolicy/../../me",
        "http://169.254.169.254/metadata/identity/oauth2/token",
        "https://login.microsoftonline.com/common/oauth2/token",
        "https://graph.microsoft.com.evil.example/v1.0/users",
    ];
    let planned = plan(&job(""))
        .requests
        .iter()
        .find(|request| request.service == Service::Graph && !request.pattern().contains('{'))
        .unwrap()
        .pattern();
    // The hostile child asks for what the job's list of checks says; the plan is that of a job without the list.
    let (broker, mut asking) = (Contoso::new(&job("")), job("ask"));
    asking.only = Some(unplanned.iter().copied().chain([planned.as_str()]).map(str::to_owned).collect());
    let end = scanner(program()).run(&asking, &broker, &mut Heard::default(), &CancellationToken::new()).await.unwrap_err();
    let ScanEnd::Failed { said, .. } = end else { panic!("{end}") };
    println!("{said}");
    for path in unplanned {
        assert!(said.contains(&format!("{path} -> [Failed {{ kind: Refused, message: \"not in the plan\" }}]")), "{said}");
    }
    assert!(said.contains(&format!("{planned} -> [Body {{ status: 200")), "{said}");
}
