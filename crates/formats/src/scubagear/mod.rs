//! CISA ScubaGear: ScubaResults.json, one product's report (`AADReport.json`), and the policy engine's TestResults.json.
//!
//! Pass is Passed; Fail (a SHALL not met) is Failed, high; Warning (a SHOULD not met) is Failed, medium; N/A (manual, third party, not
//! implemented) and Omitted are Skipped; Incorrect Result keeps the original result's outcome and is suppressed; Error is Error.
//! Omitted and Incorrect Result carry the organisation's comment as their suppression. `Raw`, which holds the directory's
//! configuration and its privileged users, is passed over unread.

mod control;

use crate::hash::{Met, Ordinals, Parts};
use crate::json::{Kind, Reader, Result, cut};
use crate::model::{FormatError, FormatErrorKind, Limits, Report, SeriesEnd, SeriesInfo, Sink};
use crate::told::{self, Taken, Told, Unknown};
use bailiwick_base::{Family, Timestamp};
use control::{Control, read_control};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use uuid::Uuid;

pub use control::tests_list;

/// What the first pass learned of each report in the file; more than one only in a list of product reports.
pub struct Outline {
    reports: Vec<Header>,
}

#[derive(Default)]
struct Header {
    directory: Option<Uuid>,
    name: Option<String>,
    version: Option<String>,
    at: Option<Timestamp>,
    /// The product of a one-product report.
    product: String,
    /// Summary counts: (`AAD.Failures`, stated).
    stated: Vec<(String, i64)>,
    /// AnnotatedFailedPolicies: the organisation's comments, by policy.
    comments: HashMap<String, String>,
    has_results: bool,
}

pub fn outline(r: &mut Reader, limits: &Limits) -> Result<Outline> {
    let mut taken = Taken::default();
    let mut reports = Vec::new();
    each_report(r, &mut |r| {
        taken.series(r, limits)?;
        let mut header = Header::default();
        let mut seen = false;
        while let Some(key) = r.next_key()? {
            match key {
                "MetaData" => read_metadata(r, &mut header)?,
                "Summary" => read_summary(r, &mut header)?,
                "ReportSummary" => read_counts(r, "", &mut header)?,
                "AnnotatedFailedPolicies" => read_comments(r, &mut header)?,
                "Results" => {
                    r.once(&mut seen, "Results")?;
                    header.has_results = each_control(r, limits, &mut |r, product, control| {
                        if product.is_empty() && header.product.is_empty() {
                            header.product = control.product_name();
                        }
                        taken.result(r, limits)
                    })?;
                }
                _ => r.skip()?,
            }
        }
        if !header.has_results {
            let message =
                "The ScubaGear report cannot be taken: the member Results is missing. Send the file ScubaGear wrote, unchanged.".into();
            return Err(FormatError { kind: FormatErrorKind::Malformed, message, place: Some(r.path()) });
        }
        reports.push(header);
        Ok(())
    })?;
    Ok(Outline { reports })
}

pub fn tell(r: &mut Reader, outline: &Outline, limits: &Limits, sink: &mut dyn Sink) -> Result<Report> {
    let mut told = Told(sink);
    let mut number = 0;
    each_report(r, &mut |r| {
        let Some(header) = outline.reports.get(number) else {
            return Err(FormatError {
                kind: FormatErrorKind::Io,
                message: "The report changed while it was read. Send it again.".into(),
                place: None,
            });
        };
        number += 1;
        told.begin(header.series())?;
        let mut controls = Controls::new(&header.comments);
        while let Some(key) = r.next_key()? {
            match key {
                "Results" => {
                    each_control(r, limits, &mut |_, product, control| controls.one(product, control, limits, &mut told))?;
                }
                _ => r.skip()?,
            }
        }
        told.end(SeriesEnd {
            complete: true,
            incomplete_reason: None,
            header_mismatches: controls.mismatches(&header.stated),
            unknown_words: controls.unknown.list(),
            looked_for: Vec::new(),
        })
    })?;
    Ok(Report { family: Family::ScubaGear, refused: Vec::new() })
}

/// Enters each report: the one object, or each object of the list.
fn each_report(r: &mut Reader, each: &mut dyn FnMut(&mut Reader) -> Result<()>) -> Result<()> {
    if r.peek()? == Kind::Object {
        r.object()?;
        return each(r);
    }
    r.array()?;
    while r.next_element()? {
        if r.peek()? != Kind::Object {
            return Err(r.malformed("expected a report as an object"));
        }
        r.object()?;
        each(r)?;
    }
    Ok(())
}

impl Header {
    fn series(&self) -> SeriesInfo {
        series(self.directory, self.name.clone(), self.version.clone(), self.product.clone(), self.at)
    }
}

/// The series of a ScubaGear report; `category` keeps a report of one product apart from a report of all.
fn series(directory: Option<Uuid>, name: Option<String>, version: Option<String>, category: String, at: Option<Timestamp>) -> SeriesInfo {
    SeriesInfo {
        family: Family::ScubaGear,
        directory,
        directory_name: name,
        tool: "ScubaGear".into(),
        tool_version: version,
        category,
        assessed_at: at,
        revision: None,
    }
}

/// The controls of one report being told.
struct Controls<'a> {
    comments: &'a HashMap<String, String>,
    ordinals: Ordinals,
    told: Met,
    unknown: Unknown,
    /// By `AAD.Failures`.
    counted: HashMap<String, u64>,
}

impl<'a> Controls<'a> {
    fn new(comments: &'a HashMap<String, String>) -> Self {
        Self { comments, ordinals: Ordinals::default(), told: Met::default(), unknown: Unknown::default(), counted: HashMap::new() }
    }

    fn one(&mut self, product: &str, control: Control, limits: &Limits, told: &mut Told) -> Result<()> {
        let key = control.key();
        if let Some(member) = control.summary_member() {
            *self.counted.entry(counter(product, member)).or_insert(0) += 1;
        }
        let base = Parts::new().text("scubagear").text(&key.to_lowercase()).fingerprint();
        let fingerprint = self.ordinals.tell_apart(base);
        let comment = self.comments.get(&control.id).map(String::as_str);
        let observation = control.observe(key.clone(), fingerprint, comment, limits, &mut self.unknown);
        if self.told.insert(&key) {
            told.check(control.check(key))?;
        }
        told.observation(observation)
    }

    fn mismatches(&self, stated: &[(String, i64)]) -> Vec<(String, u64, u64)> {
        let differs = |(name, stated): &(String, i64)| {
            let counted = self.counted.get(name).copied().unwrap_or(0);
            (*stated != counted as i64).then(|| (name.clone(), u64::try_from(*stated).unwrap_or(0), counted))
        };
        stated.iter().filter_map(differs).collect()
    }
}

fn counter(product: &str, member: &str) -> String {
    if product.is_empty() { member.to_owned() } else { format!("{product}.{member}") }
}

// ---- reading -----------------------------------------------------------------------------------------------------

/// Each control under `Results`: by product, then group, or by group alone. False when there are no results.
fn each_control(r: &mut Reader, limits: &Limits, each: &mut dyn FnMut(&mut Reader, &str, Control) -> Result<()>) -> Result<bool> {
    match r.peek()? {
        Kind::Object => {
            r.object()?;
            while let Some(product) = r.next_key()? {
                let product = product.to_owned();
                groups(r, &product, limits, each)?;
            }
            Ok(true)
        }
        Kind::Array => groups(r, "", limits, each).map(|()| true),
        Kind::Null => r.skip().map(|()| false),
        _ => Err(r.malformed("expected Results as an object of products or a list of groups")),
    }
}

fn groups(r: &mut Reader, product: &str, limits: &Limits, each: &mut dyn FnMut(&mut Reader, &str, Control) -> Result<()>) -> Result<()> {
    if !r.array()? {
        return Ok(());
    }
    while r.next_element()? {
        let (mut name, mut link) = (String::new(), None);
        if r.peek()? != Kind::Object {
            return Err(r.malformed("expected a group of controls as an object"));
        }
        r.object()?;
        while let Some(key) = r.next_key()? {
            match key {
                "GroupName" => name = cut(&r.loose()?.unwrap_or_default(), 300).0,
                "GroupReferenceURL" => link = r.loose()?.as_deref().and_then(told::link),
                "Controls" => {
                    if !r.array()? {
                        continue;
                    }
                    while r.next_element()? {
                        let mut control = read_control(r, limits)?;
                        (control.group, control.link) = (name.clone(), link.clone());
                        each(r, product, control)?;
                    }
                }
                _ => r.skip()?,
            }
        }
    }
    Ok(())
}

fn read_metadata(r: &mut Reader, header: &mut Header) -> Result<()> {
    if !r.object()? {
        return Ok(());
    }
    while let Some(key) = r.next_key()? {
        match key {
            "TenantId" => header.directory = r.loose()?.and_then(|id| Uuid::try_parse(id.trim()).ok()),
            "DisplayName" | "Tenant Display Name" => {
                header.name = r.loose()?.filter(|n| !n.trim().is_empty()).map(|n| cut(n.trim(), 300).0)
            }
            "ToolVersion" | "Module Version" => header.version = r.loose()?.filter(|v| !v.is_empty()).map(|v| cut(&v, 100).0),
            "TimestampZulu" => header.at = r.loose()?.as_deref().and_then(told::instant),
            "Report Date" => header.at = header.at.or(r.loose()?.as_deref().and_then(report_date)),
            _ => r.skip()?,
        }
    }
    Ok(())
}

/// `05/04/2026 17:15:48 Coordinated Universal Time`; in another zone's name the instant is unknown.
fn report_date(text: &str) -> Option<Timestamp> {
    let text = text.trim().strip_suffix("Coordinated Universal Time")?.trim();
    DateTime::strptime("%m/%d/%Y %H:%M:%S", text).ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn read_summary(r: &mut Reader, header: &mut Header) -> Result<()> {
    if r.object()? {
        while let Some(product) = r.next_key()? {
            let product = product.to_owned();
            read_counts(r, &product, header)?;
        }
    }
    Ok(())
}

/// The counts of one product. The tool's own document and its files name two members differently.
fn read_counts(r: &mut Reader, product: &str, header: &mut Header) -> Result<()> {
    if r.peek()? != Kind::Object {
        return r.skip();
    }
    r.object()?;
    while let Some(key) = r.next_key()? {
        let member = match key {
            "Manual" | "Passes" | "Errors" | "Failures" | "Warnings" | "Omits" | "IncorrectResults" => key.to_owned(),
            "Omit" => "Omits".into(),
            "IncorrectResult" => "IncorrectResults".into(),
            "AnnotatedFailedPolicies" => {
                read_comments(r, header)?;
                continue;
            }
            _ => {
                r.skip()?;
                continue;
            }
        };
        if r.peek()? == Kind::Number && header.stated.len() < 1000 {
            let name = counter(product, &member);
            header.stated.extend(r.int()?.map(|n| (name, n)));
        } else {
            r.skip()?;
        }
    }
    Ok(())
}

fn read_comments(r: &mut Reader, header: &mut Header) -> Result<()> {
    if r.peek()? != Kind::Object {
        return r.skip();
    }
    r.object()?;
    while let Some(policy) = r.next_key()? {
        let policy = policy.to_owned();
        if r.peek()? != Kind::Object {
            r.skip()?;
            continue;
        }
        let (mut comment, mut date) = (None, None);
        r.object()?;
        while let Some(key) = r.next_key()? {
            match key {
                "Comment" => comment = Some(r.strings()?.join(" ")).filter(|text| !text.trim().is_empty()),
                "RemediationDate" => date = r.loose()?.filter(|text| !text.is_empty()),
                _ => r.skip()?,
            }
        }
        let note = match (comment, date) {
            (Some(comment), Some(date)) => format!("{comment} (to be remedied by {date})"),
            (Some(comment), None) => comment,
            (None, Some(date)) => format!("To be remedied by {date}."),
            (None, None) => continue,
        };
        if header.comments.len() < 10_000 {
            header.comments.insert(cut(&policy, 300).0, cut(&note, 1000).0);
        }
    }
    Ok(())
}
