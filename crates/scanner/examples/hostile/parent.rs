//! A parent that is to be killed: it starts a child that computes for ever, says which process that is, and waits.

use bailiwick_checks::{Answer, CheckResult, Job, Request, ScanKind, Settings, SourceStatus};
use bailiwick_scanner::{Broker, Limits, Scanner, Sink, Stop};
use tokio_util::sync::CancellationToken;

struct Nobody;

impl Broker for Nobody {
    async fn fetch(&self, _: &[Request]) -> Vec<Answer> {
        Vec::new()
    }
}

struct Teller;

impl Sink for Teller {
    async fn planned(&mut self, process: usize, _: usize) -> Result<(), Stop> {
        use std::io::Write;
        writeln!(std::io::stdout(), "{process}").map_err(|error| Stop(error.to_string()))
    }

    async fn read(&mut self, _: SourceStatus) -> Result<(), Stop> {
        Ok(())
    }

    async fn snapshot(&mut self, _: Request, _: Vec<u8>) -> Result<(), Stop> {
        Ok(())
    }

    async fn judged(&mut self, _: CheckResult) -> Result<(), Stop> {
        Ok(())
    }
}

pub fn run() {
    let program = std::env::current_exe().expect("a program");
    let job = Job {
        directory: uuid::Uuid::nil(),
        directory_name: "spin".to_owned(),
        kind: ScanKind::Compliance,
        now: jiff::Timestamp::UNIX_EPOCH,
        settings: Settings::default(),
        packs: Vec::new(),
        only: None,
        resume: Vec::new(),
        catalogue: None,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let scanner = Scanner { program, limits: Limits::default() };
    let end = runtime.block_on(scanner.run(&job, &Nobody, &mut Teller, &CancellationToken::new()));
    panic!("the child ended first: {end:?}");
}
