//! Memory stays small however large the report: a generated SARIF of 200,000 results is read without ever being held.
//! Alone in its file, so that the peak measured is its own.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

use bailiwick_formats::{CheckInfo, Limits, Observation, SeriesEnd, SeriesInfo, Sink, read_from};
use std::io::{self, Read};
use std::ops::ControlFlow;

const RESULTS: u32 = 200_000;

/// A SARIF file made as it is read: head, results, and then the tool with its rules.
struct Generated {
    next: u32,
    line: io::Cursor<Vec<u8>>,
}

impl Generated {
    fn new() -> Self {
        Self { next: 0, line: io::Cursor::new(br#"{"version":"2.1.0","runs":[{"results":["#.to_vec()) }
    }

    fn more(&mut self) -> Option<String> {
        let n = self.next;
        self.next += 1;
        if n < RESULTS {
            let comma = if n == 0 { "" } else { "," };
            return Some(format!(
                r#"{comma}{{"ruleId":"R{}","level":"warning","message":{{"text":"Value {n} is used before it is set."}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"src/file{}.c"}},"region":{{"startLine":{}}}}}}}]}}"#,
                n % 50,
                n % 997,
                n % 3000 + 1
            ));
        }
        (n == RESULTS)
            .then(|| r#"],"tool":{"driver":{"name":"Generated","rules":[{"id":"R1","shortDescription":{"text":"One"}}]}}}]}"#.to_owned())
    }
}

impl Read for Generated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.line.read(into)?;
            if n > 0 {
                return Ok(n);
            }
            match self.more() {
                Some(line) => self.line = io::Cursor::new(line.into_bytes()),
                None => return Ok(0),
            }
        }
    }
}

#[derive(Default)]
struct Counts {
    results: u32,
    checks: u32,
    titled: u32,
}

impl Sink for Counts {
    fn begin_series(&mut self, series: SeriesInfo) -> ControlFlow<()> {
        assert_eq!(series.tool, "Generated", "the tool stands after the results and is known before them");
        ControlFlow::Continue(())
    }
    fn check(&mut self, check: CheckInfo) -> ControlFlow<()> {
        self.checks += 1;
        self.titled += u32::from(check.title == "One");
        ControlFlow::Continue(())
    }
    fn observation(&mut self, _: Observation) -> ControlFlow<()> {
        self.results += 1;
        ControlFlow::Continue(())
    }
    fn end_series(&mut self, _: SeriesEnd) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// The most memory this process has held so far, in KiB, as Linux counts it.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn two_hundred_thousand_results_take_a_few_megabytes() {
    let before = peak();
    let mut counts = Counts::default();
    read_from(&mut || Ok(Box::new(Generated::new())), &Limits::default(), &mut counts).unwrap();
    let grown = peak() - before;
    println!("{RESULTS} results grew the process by {grown} KiB");
    assert_eq!((counts.results, counts.checks, counts.titled), (RESULTS, 50, 1));
    assert!(grown < 16 << 10, "{grown} KiB for {RESULTS} results of 190 bytes: something holds the report");
}
