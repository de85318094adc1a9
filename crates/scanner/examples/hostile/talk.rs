//! Ways to break the conversation, and a few to keep it.

use bailiwick_checks::{Fetch, Job, Request, SCHEMA, ScanReport, Scores, Service, SourceState, SourceStatus};
use bailiwick_scanner::child::{Line, say};
use bailiwick_scanner::lock::Lockdown;
use bailiwick_scanner::protocol::{FromChild, VERSION};
use std::io::{Read, Write};

/// Whether the attempt was one of these.
pub fn attempt(name: &str, job: &[u8]) -> bool {
    match name {
        "garbage" => raw(b"HTTP/1.1 200 OK\r\n\r\n"),
        "half-a-frame" => raw(b"bws1\x05\x00"),
        "huge-header" => raw(b"bws1\xff\xff\xff\xff\x00\x00\x00\x00"),
        "huge-body" => raw(b"bws1\x0f\x00\x00\x00\xff\xff\xff\x00{\"kind\":\"done\"}"),
        "unknown-word" => raw(b"bws1\x0f\x00\x00\x00\x00\x00\x00\x00{\"kind\":\"exec\"}"),
        "endless-output" => loop {
            raw(&[0; 65536]);
        },
        "endless-error" => loop {
            eprintln!("{}", "x".repeat(4096));
        },
        "colourful-error" => {
            eprint!("\x1b[2Jall is well\x07");
            std::process::exit(7);
        }
        "endless-events" => loop {
            tell(&FromChild::Read { source: source() }, b"");
        },
        "hello-again" => tell(&FromChild::Hello { version: VERSION, lockdown: Lockdown::default() }, b""),
        "plan-again" => {
            tell(&FromChild::Planned { requests: 1, checks: 1 }, b"");
            tell(&FromChild::Planned { requests: 1, checks: 1 }, b"");
        }
        "no-requests" => tell(&FromChild::Fetch { requests: Vec::new() }, b""),
        "many-requests" => tell(&FromChild::Fetch { requests: vec![Request::new(Service::Graph, "/v1.0/organization"); 21] }, b""),
        "two-line-page" => tell(&FromChild::Snapshot { request: Request::new(Service::Graph, "/v1.0/organization") }, b"{}\n{}"),
        "page-of-lines" => tell(&FromChild::Snapshot { request: Request::new(Service::Graph, "/v1.0/organization") }, b"{\n}"),
        "false-result" => tell(&FromChild::Judged {}, b"{\"check\":1}"),
        "false-report" => tell(&FromChild::Done {}, b"{}"),
        "no-report" => return true,
        // Says its process id where the number of requests belongs, then goes on for ever.
        "wait" => {
            tell(&FromChild::Planned { requests: std::process::id() as usize, checks: 0 }, b"");
        }
        "spin" => {
            tell(&FromChild::Planned { requests: std::process::id() as usize, checks: 0 }, b"");
            loop {
                std::hint::spin_loop();
            }
        }
        "ask" => ask(job),
        "fat" => fat(job),
        _ => return false,
    }
    // The parent ends the child; until then it waits where an honest one would.
    let _ = Line.read_exact(&mut [0]);
    true
}

fn raw(bytes: &[u8]) {
    Line.write_all(bytes).expect("a parent that listens");
}

fn tell(word: &FromChild, body: &[u8]) {
    say(word, body).expect("a parent that listens");
}

fn source() -> SourceStatus {
    let path = "/v1.0/organization".to_owned();
    SourceStatus {
        service: Service::Graph,
        path,
        state: SourceState::Read,
        status: Some(200),
        requests: 1,
        pages: 1,
        items: 1,
        checks: 1,
        message: None,
    }
}

/// Asks for what no plan names, one after another, and says what came.
fn ask(job: &[u8]) {
    let job: Job = serde_json::from_slice(job).expect("a job");
    let wanted = job.only.unwrap_or_default();
    for path in wanted {
        let answer = Line.fetch(&[Request::new(Service::Graph, path.clone())]);
        eprintln!("{path} -> {answer:?}");
    }
    std::process::exit(3);
}

/// Holds 64 MiB for a moment, then reports that there was nothing to do.
fn fat(job: &[u8]) {
    let job: Job = serde_json::from_slice(job).expect("a job");
    drop(std::hint::black_box(vec![1_u8; 64 << 20]));
    let report = ScanReport {
        schema: SCHEMA.to_owned(),
        directory: job.directory,
        directory_name: job.directory_name,
        kind: job.kind,
        started_at: job.now,
        catalogue: "none".to_owned(),
        pinned: None,
        complete: true,
        sources: Vec::new(),
        results: Vec::new(),
        scores: Scores::default(),
        packs: Vec::new(),
    };
    tell(&FromChild::Done {}, &serde_json::to_vec(&report).expect("JSON"));
}
