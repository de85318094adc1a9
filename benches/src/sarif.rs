//! Made-up SARIF reports of any size, the same at each run, and their parse by the product's parser.

use anyhow::Context;
use bailiwick_formats::{CheckInfo, Limits, Observation, SeriesEnd, SeriesInfo, Sink, read_from};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

/// A report to make.
#[derive(Debug, Clone)]
pub struct Made {
    pub results: u32,
    /// The tool's name: reports of one tool are compared, reports of two never are.
    pub tool: String,
    /// Whether a tenth of the results differs from the unchanged report: half of that tenth says something else about the same
    /// place, the other half is gone and as many others came.
    pub tenth_changed: bool,
    /// Results with the columns, fingerprint and longer text a scanner gives (about 480 bytes each), not the least (about 190).
    pub full: bool,
}

const RULES: u32 = 200;
const LEVELS: [&str; 4] = ["error", "warning", "warning", "note"];
const FOLDERS: [&str; 8] = ["src/api", "src/auth", "src/billing", "src/data", "lib/net", "lib/parse", "infra/modules", "web/app"];

/// Writes the report to a file; its length in bytes.
///
/// # Errors
/// The file cannot be written.
pub fn write(made: &Made, file: &Path) -> anyhow::Result<u64> {
    let failed = || format!("cannot write {}", file.display());
    let mut to = BufWriter::new(File::create(file).with_context(failed)?);
    write_all(made, &mut to).and_then(|()| to.flush()).with_context(failed)?;
    Ok(std::fs::metadata(file).with_context(failed)?.len())
}

fn write_all(made: &Made, to: &mut impl Write) -> std::io::Result<()> {
    write!(
        to,
        r#"{{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"{}","version":"4.2.1","informationUri":"https://scanner.example/docs","rules":["#,
        made.tool
    )?;
    for rule in 0..RULES {
        let comma = if rule == 0 { "" } else { "," };
        write!(
            to,
            r#"{comma}{{"id":"SC{rule:04}","name":"Rule{rule}","shortDescription":{{"text":"Untrusted data reaches sink {rule}"}},"fullDescription":{{"text":"Data that a caller controls reaches sink {rule} without being checked, which lets the caller choose what is done there."}},"helpUri":"https://scanner.example/rules/SC{rule:04}","defaultConfiguration":{{"level":"{}"}},"properties":{{"tags":["security","external/cwe/cwe-{}"],"security-severity":"{}.{}"}}}}"#,
            LEVELS[rule as usize % LEVELS.len()],
            20 + rule,
            1 + rule % 9,
            rule % 10
        )?;
    }
    write!(to, r#"]}}}},"automationDetails":{{"id":"nightly/1"}},"results":["#)?;
    for number in 0..made.results {
        if number > 0 {
            to.write_all(b",")?;
        }
        one(made, number, to)?;
    }
    to.write_all(b"]}]}")
}

fn one(made: &Made, number: u32, to: &mut impl Write) -> std::io::Result<()> {
    let (says_else, is_other) = match (made.tenth_changed, number % 20) {
        (true, 0) => (true, false),
        (true, 10) => (false, true),
        _ => (false, false),
    };
    // Results that came in place of others have numbers of their own.
    let place = if is_other { number + made.results } else { number };
    let (rule, line) = (place % RULES, place / 7 % 4000 + 1);
    let level = LEVELS[rule as usize % LEVELS.len()];
    let folder = FOLDERS[place as usize % FOLDERS.len()];
    let now = if says_else { " now" } else { "" };
    if !made.full {
        // The place tells results apart where the tool gives no fingerprint.
        return write!(
            to,
            r#"{{"ruleId":"SC{rule:04}","level":"{level}","message":{{"text":"Input {place} reaches a sink{now}."}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"{folder}/f{place}.c"}},"region":{{"startLine":{line}}}}}}}]}}"#
        );
    }
    write!(
        to,
        r#"{{"ruleId":"SC{rule:04}","ruleIndex":{rule},"level":"{level}","message":{{"text":"The value of parameter 'p{place}' reaches sink {rule}{now} without being checked; it comes from the request's query."}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"{folder}/module{}/handler{}.c","uriBaseId":"%SRCROOT%"}},"region":{{"startLine":{line},"startColumn":{},"endLine":{line},"endColumn":{}}}}}}}],"partialFingerprints":{{"primaryLocationLineHash":"{:016x}:1"}}}}"#,
        place % 97,
        place % 1009,
        place % 60 + 1,
        place % 60 + 24,
        u64::from(place).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    )
}

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

/// One parse of a file; how long it took.
///
/// # Errors
/// The file is not what was written.
pub fn parse(file: &Path, results: u32) -> anyhow::Result<Duration> {
    let mut counts = Counts::default();
    let start = Instant::now();
    read_from(&mut || Ok(Box::new(BufReader::with_capacity(64 << 10, File::open(file)?))), &Limits::default(), &mut counts)?;
    let took = start.elapsed();
    anyhow::ensure!(counts.0 == results, "{} holds {} results, not {results}", file.display(), counts.0);
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Content by fingerprint.
    #[derive(Default)]
    struct Known(HashMap<[u8; 16], u64>);

    impl Sink for Known {
        fn begin_series(&mut self, _: SeriesInfo) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
        fn check(&mut self, _: CheckInfo) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
        fn observation(&mut self, observation: Observation) -> ControlFlow<()> {
            self.0.insert(observation.fingerprint, observation.content);
            ControlFlow::Continue(())
        }
        fn end_series(&mut self, _: SeriesEnd) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    fn known(made: &Made) -> HashMap<[u8; 16], u64> {
        let mut bytes = Vec::new();
        write_all(made, &mut bytes).unwrap();
        let mut known = Known::default();
        bailiwick_formats::read(&bytes[..], &Limits::default(), &mut known).unwrap();
        known.0
    }

    #[test]
    fn a_changed_report_differs_in_a_tenth_of_its_results() {
        // Without the tool's own fingerprint, what it says is part of which result it is.
        for (full, expected) in [(true, (100, 100)), (false, (200, 0))] {
            let made = Made { results: 2_000, tool: "Scanner".into(), tenth_changed: false, full };
            let (before, after) = (known(&made), known(&Made { tenth_changed: true, ..made.clone() }));
            assert_eq!((before.len(), after.len()), (2_000, 2_000), "every result is one of its own");
            let gone = before.keys().filter(|k| !after.contains_key(*k)).count();
            let said_else = before.iter().filter(|(k, content)| after.get(*k).is_some_and(|now| now != *content)).count();
            assert_eq!((gone, said_else), expected);
        }
    }
}
