//! Reports of the scenario organisations from day to day: the same bytes for the same organisation and day. Titles are
//! ours; ids are the tools' own where a check of that meaning exists.

pub mod maester;
mod maester_checks;
mod maester_html;
mod sarif;
mod scubagear;
mod zero_trust;

use crate::demo::{ORGS, Org};
use anyhow::{Result, bail};
use bailiwick_base::Timestamp;
use jiff::SignedDuration;

pub use maester::maester_report;
pub use maester_html::maester_html;
pub use sarif::sarif_report;
pub use scubagear::scubagear_report;
pub use zero_trust::zero_trust_report;

/// The families the scenario has reports of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFamily {
    Maester,
    Sarif,
    ZeroTrust,
    ScubaGear,
}

impl std::str::FromStr for ReportFamily {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "maester" => Ok(Self::Maester),
            "sarif" => Ok(Self::Sarif),
            "zero-trust" | "zero_trust" => Ok(Self::ZeroTrust),
            "scubagear" => Ok(Self::ScubaGear),
            other => Err(format!("there is no family {other:?}: say maester, sarif, zero-trust or scubagear")),
        }
    }
}

/// The organisation of that name (`contoso`, `fabrikam`), case aside.
///
/// # Errors
/// When the scenario has no such organisation.
pub fn org(name: &str) -> Result<&'static Org> {
    match ORGS.iter().find(|org| org.name.eq_ignore_ascii_case(name)) {
        Some(org) => Ok(org),
        None => bail!("the scenario has no organisation {name:?}: say contoso or fabrikam"),
    }
}

/// Any report by name, as the program writes it.
///
/// # Errors
/// For an unknown organisation, day 0, or an HTML form that the family does not have.
pub fn report(family: ReportFamily, directory: &str, day: u32, html: bool) -> Result<Vec<u8>> {
    let org = org(directory)?;
    if day == 0 {
        bail!("days are counted from 1");
    }
    match (family, html) {
        (ReportFamily::Maester, false) => Ok(maester_report(org, day)),
        (ReportFamily::Maester, true) => Ok(maester_html(org, day)),
        (_, true) => bail!("only Maester reports have an HTML form here"),
        (ReportFamily::Sarif, false) => Ok(sarif_report(org.repository, day)),
        (ReportFamily::ZeroTrust, false) => Ok(zero_trust_report(org)),
        (ReportFamily::ScubaGear, false) => Ok(scubagear_report(org)),
    }
}

/// Six in the morning, UTC, of that day of the scenario; day 1 is 17 November 2026.
fn morning(day: u32) -> Timestamp {
    const FIRST: Timestamp = Timestamp::constant(1_794_895_200, 0);
    FIRST.saturating_add(SignedDuration::from_hours(24 * i64::from(day.saturating_sub(1)))).unwrap_or(FIRST)
}

/// Reports are read by people as well: indented, with a line break at the end.
fn pretty(value: &serde_json::Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
