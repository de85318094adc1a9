//! Parse time of a generated SARIF file: `cargo run --release -p bailiwick-formats --example measure -- 50000`.
//!
//! Prints one JSON line. The file is made beforehand and held in memory; `read_ms` is the whole reading, all passes.
#![allow(clippy::print_stdout)]

use bailiwick_formats::{CheckInfo, Limits, Observation, SeriesEnd, SeriesInfo, Sink, read_from};
use std::fmt::Write;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

#[derive(Default)]
struct Counts(u32);

impl Sink for Counts {
    fn begin_series(&mut self, _: SeriesInfo) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn check(&mut self, _: CheckInfo) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn observation(&mut self, _: Observation) -> ControlFlow<()> {
        self.0 += 1;
        ControlFlow::Continue(())
    }
    fn end_series(&mut self, _: SeriesEnd) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let results: u32 = std::env::args().nth(1).map_or(Ok(50_000), |n| n.parse())?;
    let mut text = String::from(r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Generated","rules":[{"id":"R1"}]}},"results":["#);
    for n in 0..results {
        let comma = if n == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"ruleId":"R{}","level":"warning","message":{{"text":"Value {n} is used before it is set."}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"src/file{}.c"}},"region":{{"startLine":{}}}}}}}]}}"#,
            n % 50,
            n % 997,
            n % 3000 + 1
        )?;
    }
    text.push_str("]}]}");
    let bytes: Arc<[u8]> = text.into_bytes().into();
    let mut counts = Counts::default();
    let start = Instant::now();
    read_from(&mut || Ok(Box::new(Cursor::new(bytes.clone()))), &Limits::default(), &mut counts)?;
    println!(r#"{{"results":{},"bytes":{},"read_ms":{}}}"#, counts.0, bytes.len(), start.elapsed().as_millis());
    Ok(())
}
