//! What was measured: one line each as it is known, and all of them as JSON and as a Markdown table at the end.

use anyhow::Context;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// One measure.
#[derive(Debug, Serialize)]
pub struct Measure {
    /// What was done, with its size.
    pub name: String,
    /// Compared with `limit`.
    pub value: f64,
    /// The most that `value` may be.
    pub limit: f64,
    /// What both are in: `x` is a ratio.
    pub unit: &'static str,
    /// What the value was made from.
    pub detail: String,
    pub passed: bool,
}

/// All measures of one run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Smaller sizes than the limits are about.
    pub quick: bool,
    pub processors: usize,
    pub measures: Vec<Measure>,
}

impl Report {
    pub fn new(quick: bool) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { quick, processors, measures: Vec::new() }
    }

    /// Adds a measure and prints its line.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        value: f64,
        limit: f64,
        unit: &'static str,
        detail: impl Into<String>,
    ) -> anyhow::Result<()> {
        let measure = Measure { name: name.into(), value, limit, unit, detail: detail.into(), passed: value <= limit };
        let verdict = if measure.passed { "PASS" } else { "FAIL" };
        let figure = format!("{} (limit {})", written(value, unit), written(limit, unit));
        writeln!(std::io::stdout(), "{verdict}  {:<46} {figure:<28} {}", measure.name, measure.detail).context("cannot print")?;
        self.measures.push(measure);
        Ok(())
    }

    pub fn passed(&self) -> bool {
        self.measures.iter().all(|measure| measure.passed)
    }

    /// Writes `results.json` and `results.md`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let failed = || format!("cannot write the results to {}", folder.display());
        std::fs::create_dir_all(folder).with_context(failed)?;
        std::fs::write(folder.join("results.json"), serde_json::to_vec_pretty(self)?).with_context(failed)?;
        std::fs::write(folder.join("results.md"), self.table()).with_context(failed)
    }

    fn table(&self) -> String {
        let mut text = String::from("| Measure | Value | Limit | | Made from |\n|---|--:|--:|---|---|\n");
        for measure in &self.measures {
            let (value, limit) = (written(measure.value, measure.unit), written(measure.limit, measure.unit));
            let verdict = if measure.passed { "pass" } else { "**fail**" };
            let _ = writeln!(text, "| {} | {value} | {limit} | {verdict} | {} |", measure.name, measure.detail);
        }
        let size = if self.quick { " Smaller sizes than the limits are about." } else { "" };
        let _ = writeln!(text, "\nMeasured by `cargo xtask bench` on {} processors, release build.{size}", self.processors);
        text
    }
}

fn written(value: f64, unit: &str) -> String {
    match unit {
        "x" => format!("{value:.2} x"),
        "s" => format!("{value:.2} s"),
        "ms" => format!("{value:.1} ms"),
        "MiB" => format!("{value:.0} MiB"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// The middle of several values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_measure_over_its_limit_fails_the_report() {
        let mut report = Report::new(true);
        report.add("at its limit", 2.5, 2.5, "x", "").unwrap();
        assert!(report.passed());
        report.add("over it", 2.51, 2.5, "x", "").unwrap();
        assert!(!report.passed());
        report.measures.pop();
        report.add("not known", f64::NAN, 2.5, "x", "").unwrap();
        assert!(!report.passed(), "a measure that gave no number has not passed");
        assert!(report.table().contains("| not known | NaN x | 2.50 x | **fail** |"), "{}", report.table());
    }

    #[test]
    fn the_middle_is_taken() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
        assert!(median(&[]).is_nan());
    }
}
