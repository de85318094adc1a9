//! Which format a report is, from its content and never from its name; and the formats refused by name.

use crate::json::{Kind, Reader, Result};
use crate::model::{FormatError, FormatErrorKind};

/// A family and the shape its file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Maester,
    ZeroTrust,
    /// ScubaResults.json.
    ScubaResults,
    /// One product's report, as an object or a list of one.
    ScubaReport,
    /// TestResults.json of the policy engine.
    ScubaTests,
    Sarif,
    /// The report of Bailiwick's own scanner.
    Scan,
}

/// The one SARIF version read.
pub const SARIF: &str = "2.1.0";

/// Reads as far as needed to know the format.
pub fn detect(r: &mut Reader) -> Result<Shape> {
    match r.peek()? {
        Kind::Object => object(r),
        Kind::Array => list(r),
        Kind::String => Err(unknown("The file begins with a text in quotes, as CSV files do, and is neither a JSON object nor a list.")),
        _ => Err(unknown("The file is JSON, but neither an object nor a list.")),
    }
}

fn object(r: &mut Reader) -> Result<Shape> {
    let mut saw = Saw::default();
    r.object()?;
    while let Some(key) = r.next_key()? {
        let key = key.to_owned();
        match key.as_str() {
            "schema" => {
                if r.loose()?.is_some_and(|schema| schema == crate::scan::SCHEMA) {
                    return Ok(Shape::Scan);
                }
            }
            "Tenants" => return Ok(Shape::Maester),
            "TestResultSummary" => return Ok(Shape::ZeroTrust),
            "ReportSummary" => return Ok(Shape::ScubaReport),
            "Tests" => match tests(r)? {
                Some(shape) => return Ok(shape),
                None => saw.maester = true,
            },
            "MetaData" => {
                if metadata(r)? {
                    return Ok(Shape::ScubaResults);
                }
                saw.metadata = true;
            }
            "Results" if r.peek()? == Kind::Object => {
                saw.results = true;
                r.skip()?;
            }
            "TenantId" | "ExecutedAt" | "PassedCount" => {
                saw.maester = true;
                r.skip()?;
            }
            "runs" => {
                saw.sarif = true;
                r.skip()?;
            }
            "$schema" => saw.sarif |= r.loose()?.is_some_and(|schema| schema.contains("sarif")),
            "version" => saw.version = r.loose()?,
            other => {
                saw.foreign = saw.foreign.or_else(|| foreign(other));
                r.skip()?;
            }
        }
        if let (true, Some(version)) = (saw.sarif, &saw.version) {
            return sarif(version);
        }
    }
    saw.decide()
}

#[derive(Default)]
struct Saw {
    maester: bool,
    metadata: bool,
    results: bool,
    sarif: bool,
    version: Option<String>,
    foreign: Option<&'static str>,
}

impl Saw {
    fn decide(self) -> Result<Shape> {
        if self.metadata && self.results {
            return Ok(Shape::ScubaResults);
        }
        if self.sarif {
            return Err(FormatError {
                kind: FormatErrorKind::Malformed,
                message: format!(
                    "The file has SARIF's `runs` but no `version`. SARIF names its version at the top; Bailiwick reads {SARIF}."
                ),
                place: Some("$".into()),
            });
        }
        if self.maester {
            return Ok(Shape::Maester);
        }
        Err(match self.foreign {
            Some(tool) => named(tool),
            None => unknown("The file is JSON, but no report that Bailiwick knows."),
        })
    }
}

fn sarif(version: &str) -> Result<Shape> {
    if version == SARIF {
        return Ok(Shape::Sarif);
    }
    Err(FormatError {
        kind: FormatErrorKind::Unknown,
        message: format!(
            "SARIF version {} is not read; Bailiwick reads SARIF {SARIF}. Let the tool write {SARIF}, or convert the file with sarif-multitool.",
            crate::json::cut(version, 40).0
        ),
        place: Some("$.version".into()),
    })
}

/// `None` when there is no test to tell by.
fn tests(r: &mut Reader) -> Result<Option<Shape>> {
    if r.peek()? != Kind::Array {
        r.skip()?;
        return Ok(None);
    }
    r.array()?;
    let mut shape = None;
    while r.next_element()? {
        if shape.is_none() && r.peek()? == Kind::Object {
            r.object()?;
            while let Some(key) = r.next_key()? {
                match key {
                    "TestId" | "TestStatus" | "TestTitle" => return Ok(Some(Shape::ZeroTrust)),
                    "Result" | "Id" | "Name" | "Block" | "ScriptBlock" => return Ok(Some(Shape::Maester)),
                    _ => r.skip()?,
                }
            }
            shape = Some(Shape::Maester);
        } else {
            r.skip()?;
        }
    }
    Ok(shape)
}

/// Whether the tool names itself ScubaGear.
fn metadata(r: &mut Reader) -> Result<bool> {
    if r.peek()? != Kind::Object {
        r.skip()?;
        return Ok(false);
    }
    let mut scuba = false;
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "Tool" => scuba = r.loose()?.is_some_and(|tool| tool == "ScubaGear"),
            _ => r.skip()?,
        }
    }
    Ok(scuba)
}

fn list(r: &mut Reader) -> Result<Shape> {
    r.array()?;
    let mut known = None;
    if r.next_element()? && r.peek()? == Kind::Object {
        r.object()?;
        while let Some(key) = r.next_key()? {
            match key {
                "ReportSummary" => return Ok(Shape::ScubaReport),
                "PolicyId" | "RequirementMet" => return Ok(Shape::ScubaTests),
                other => known = known.or_else(|| foreign(other)),
            }
            r.skip()?;
        }
    }
    Err(match known {
        Some(tool) => named(tool),
        None => unknown("The file is a JSON list, but no report that Bailiwick knows."),
    })
}

/// Tools known by a member that no other writes.
fn foreign(member: &str) -> Option<&'static str> {
    Some(match member {
        "SchemaVersion" | "ArtifactName" => "Trivy",
        "check_type" | "checkov_version" => "Checkov",
        "RuleID" => "Gitleaks",
        "kics_version" | "queries_total" => "KICS",
        "class_uid" => "OCSF",
        "bomFormat" => "CycloneDX",
        "generated_at" => "Bandit",
        "skipped_rules" | "engine_requested" => "Semgrep",
        "resource_changes" | "terraform_version" => "Terraform plan",
        _ => return None,
    })
}

fn named(tool: &str) -> FormatError {
    unknown(&format!(
        "This is {tool} output in the tool's own format, which Bailiwick does not read yet. Let the tool write SARIF 2.1.0 instead where it can."
    ))
}

pub fn unknown(what: &str) -> FormatError {
    FormatError {
        kind: FormatErrorKind::Unknown,
        message: format!(
            "{what} Bailiwick reads Maester, Zero Trust Assessment and ScubaGear JSON, their Maester and Zero Trust web pages, and SARIF {SARIF}."
        ),
        place: None,
    }
}
