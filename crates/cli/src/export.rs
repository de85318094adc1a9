//! `bailiwick findings export`: every finding that matches, as JSON lines, CSV, or with `--json` one array.
//!
//! Written page by page. A file appears under its name only when it is whole. CSV cells cannot act as formulas in a spreadsheet.

use crate::args::{ExportFormat, FindingFilter};
use crate::client::Client;
use crate::failure::Failure;
use crate::findings::{life, place, query, status};
use bailiwick_contract::findings::{Finding, ListFindings, SeveritySource};
use bailiwick_contract::{Empty, Nothing};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The largest page the API gives.
const PAGE: u16 = 200;
const HEADINGS: [&str; 19] = [
    "id",
    "status",
    "life",
    "severity",
    "outcome",
    "check",
    "title",
    "family",
    "tool",
    "product",
    "directory",
    "project",
    "place",
    "end_line",
    "suppressed_in_source",
    "severity_source",
    "first_seen",
    "last_seen",
    "check_id",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Lines,
    Csv,
    Array,
}

pub async fn run(client: &Client, filter: FindingFilter, format: Option<ExportFormat>, output: Option<&Path>) -> Result<(), Failure> {
    let console = client.wire.console();
    let form = match format {
        _ if console.json => Form::Array,
        Some(ExportFormat::Csv) => Form::Csv,
        Some(ExportFormat::Jsonl) | None => Form::Lines,
    };
    let Some(path) = output else {
        write_all(client, filter, form, io::stdout().lock(), "Standard output").await?;
        return Ok(());
    };
    let part = PathBuf::from(format!("{}.part", path.display()));
    let shown = path.display().to_string();
    let file = File::create(&part).map_err(|e| unwritable(&shown, &e))?;
    let count = match write_all(client, filter, form, file, &shown).await {
        Ok(count) => count,
        Err(failure) => {
            let _ = std::fs::remove_file(&part);
            return Err(failure);
        }
    };
    std::fs::rename(&part, path).map_err(|e| unwritable(&shown, &e))?;
    console.note(&format!("{count} findings written to {shown}."));
    Ok(())
}

fn unwritable(what: &str, cause: &dyn std::fmt::Display) -> Failure {
    Failure::input(format!("{what} cannot be written: {cause}.")).hint("Check the path, its permissions and the free space.")
}

async fn write_all(client: &Client, filter: FindingFilter, form: Form, out: impl Write, whither: &str) -> Result<u64, Failure> {
    let failed = |e: io::Error| unwritable(whither, &e);
    let mut out = BufWriter::new(out);
    let mut asked = query(filter, None, Some(PAGE));
    let mut count = 0;
    begin(form, &mut out).map_err(failed)?;
    loop {
        let page = client.call::<ListFindings>(Nothing {}, asked.clone(), Empty).await?;
        for finding in &page.items {
            one(form, finding, count == 0, &mut out).map_err(failed)?;
            count += 1;
        }
        match page.next {
            Some(next) => asked.cursor = Some(next),
            None => break,
        }
    }
    if form == Form::Array {
        out.write_all(b"]\n").map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    Ok(count)
}

fn begin(form: Form, out: &mut impl Write) -> io::Result<()> {
    match form {
        Form::Lines => Ok(()),
        Form::Csv => record(out, HEADINGS.map(str::to_owned)),
        Form::Array => out.write_all(b"["),
    }
}

fn one(form: Form, finding: &Finding, first: bool, out: &mut impl Write) -> io::Result<()> {
    match form {
        Form::Csv => record(out, cells(finding)),
        Form::Lines => {
            serde_json::to_writer(&mut *out, finding)?;
            out.write_all(b"\n")
        }
        Form::Array => {
            if !first {
                out.write_all(b",")?;
            }
            serde_json::to_writer(out, finding).map_err(io::Error::from)
        }
    }
}

fn record<const N: usize>(out: &mut impl Write, cells: [String; N]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(cells.iter().map(|cell| inert(cell)))?;
    writer.flush()
}

fn cells(finding: &Finding) -> [String; 19] {
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    [
        finding.id.to_string(),
        status(finding.status).into(),
        life(finding.life).into(),
        finding.severity.to_string(),
        finding.outcome.to_string(),
        finding.check_key.clone(),
        finding.title.clone(),
        finding.family.to_string(),
        finding.tool.clone(),
        or_empty(finding.product.map(|p| p.to_string())),
        or_empty(finding.directory.map(|d| d.to_string())),
        or_empty(finding.project.map(|p| p.to_string())),
        finding.location.as_ref().map(place).unwrap_or_default(),
        or_empty(finding.location.as_ref().and_then(|l| l.end_line).map(|l| l.to_string())),
        finding.suppressed_in_source.to_string(),
        severity_source(finding.severity_source).into(),
        finding.first_seen.to_string(),
        finding.last_seen.to_string(),
        finding.check.to_string(),
    ]
}

fn severity_source(source: SeveritySource) -> &'static str {
    match source {
        SeveritySource::Result => "result",
        SeveritySource::Rule => "rule",
        SeveritySource::Level => "level",
        SeveritySource::Default => "default",
    }
}

/// A cell a spreadsheet takes for text: one that begins like a formula gets an apostrophe (OWASP, CSV injection).
fn inert(cell: &str) -> String {
    let formula =
        cell.trim_start_matches([' ', '\u{feff}', '\u{a0}']).starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_act_as_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert_eq!(inert(hostile), format!("'{hostile}"));
        }
        for plain in ["", "MT.1001", "a=b", "'x", "日本"] {
            assert_eq!(inert(plain), plain);
        }
    }
}
