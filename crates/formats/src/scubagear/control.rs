//! One ScubaGear control, from a report or from the policy engine's list, and the observation it becomes.

use super::{Controls, series};
use crate::json::{Kind, Reader, Result, cut};
use crate::model::{CheckInfo, Limits, Observation, Report, SeriesEnd, SeveritySource, Sink, SourceSuppression};
use crate::product;
use crate::told::{self, Taken, Told, Unknown};
use bailiwick_base::{Family, Outcome, Product, Severity};
use std::collections::HashMap;

#[derive(Default)]
pub struct Control {
    /// `MS.AAD.1.1v1`.
    pub id: String,
    requirement: String,
    result: Option<String>,
    criticality: String,
    details: String,
    truncated: bool,
    original: Option<String>,
    comments: String,
    pub group: String,
    pub link: Option<String>,
}

impl Control {
    /// The policy without its version, so that a reworded policy stays the same check: `MS.AAD.1.1`.
    pub fn key(&self) -> String {
        match self.id.rsplit_once(['v', 'V']) {
            Some((policy, version))
                if !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) && policy.ends_with(|c: char| c.is_ascii_digit()) =>
            {
                policy.to_owned()
            }
            _ => self.id.clone(),
        }
    }

    /// `AAD` of `MS.AAD.1.1v1`.
    pub fn product_name(&self) -> String {
        self.id.split('.').nth(1).unwrap_or_default().to_owned()
    }

    fn word(&self) -> &str {
        self.result.as_deref().unwrap_or_default().trim()
    }

    /// The member of the report's summary that counts this control.
    pub fn summary_member(&self) -> Option<&'static str> {
        Some(match self.word() {
            "Pass" => "Passes",
            "Fail" => "Failures",
            "Warning" => "Warnings",
            "N/A" => "Manual",
            "Omitted" => "Omits",
            "Incorrect Result" => "IncorrectResults",
            word if word.starts_with("Error") => "Errors",
            _ => return None,
        })
    }

    pub fn observe(
        &self,
        key: String,
        fingerprint: [u8; 16],
        comment: Option<&str>,
        limits: &Limits,
        unknown: &mut Unknown,
    ) -> Observation {
        let word = self.word();
        let outcome = outcome(word).unwrap_or_else(|| match word {
            "Incorrect Result" => self.original.as_deref().and_then(|original| outcome(original.trim())).unwrap_or(Outcome::Investigate),
            other => {
                unknown.count("Result", if other.is_empty() { "(none)" } else { other });
                Outcome::Unknown
            }
        });
        let mut observation = told::plain(key, fingerprint, outcome);
        observation.outcome_word = (!["Pass", "Fail", "Error"].contains(&word)).then(|| cut(word, 60).0);
        (observation.severity, observation.severity_source) = self.severity(unknown);
        observation.title = told::title(if self.requirement.is_empty() { &self.id } else { &self.requirement });
        let kind = match word {
            "Omitted" => Some("omitted"),
            "Incorrect Result" => Some("incorrect result"),
            _ => None,
        };
        let comment = if self.comments.is_empty() { comment.unwrap_or_default() } else { &self.comments };
        observation.suppressed = kind.map(|kind| SourceSuppression { kind: kind.into(), justification: comment.to_owned() });
        let message = match comment {
            "" => self.details.clone(),
            comment => format!("{}\n\nComment: {comment}", self.details),
        };
        let long;
        (observation.message, long) = cut(message.trim(), limits.text);
        observation.truncated = long || self.truncated;
        observation.references = vec![self.id.clone()];
        observation
    }

    /// A SHALL weighs high, a SHOULD medium, whatever the result.
    fn severity(&self, unknown: &mut Unknown) -> (Severity, SeveritySource) {
        match self.criticality.split('/').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "shall" => (Severity::High, SeveritySource::Level),
            "should" => (Severity::Medium, SeveritySource::Level),
            "" | "-" => (Severity::None, SeveritySource::Default),
            _ => {
                unknown.count("Criticality", &self.criticality);
                (Severity::None, SeveritySource::Default)
            }
        }
    }

    pub fn check(self, key: String) -> CheckInfo {
        CheckInfo {
            product: Some(product::scuba(&self.id).unwrap_or(Product::Other)),
            title: told::title(if self.requirement.is_empty() { &self.id } else { &self.requirement }),
            key,
            description: self.requirement,
            help_url: self.link,
            group: self.group,
            tags: [self.criticality, self.id].into_iter().filter(|tag| !tag.is_empty()).collect(),
        }
    }
}

fn outcome(word: &str) -> Option<Outcome> {
    Some(match word {
        "Pass" => Outcome::Passed,
        "Fail" | "Warning" => Outcome::Failed,
        "N/A" | "Omitted" => Outcome::Skipped,
        // A deleted policy.
        "-" => Outcome::NotRun,
        word if word.starts_with("Error") => Outcome::Error,
        _ => return None,
    })
}

// ---- the policy engine's list ------------------------------------------------------------------------------------

/// Reads TestResults.json, a list of `{PolicyId, Criticality, RequirementMet, ReportDetails}`; tells it when a sink is given.
///
/// It names no directory and no time. What the report calls N/A follows from the criticality here.
pub fn tests_list(r: &mut Reader, limits: &Limits, sink: Option<&mut dyn Sink>) -> Result<Report> {
    let comments = HashMap::new();
    let mut controls = Controls::new(&comments);
    let mut taken = Taken::default();
    let mut told = sink.map(Told);
    if let Some(told) = &mut told {
        told.begin(series(None, None, None, "TestResults".into(), None))?;
    }
    r.array()?;
    while r.next_element()? {
        taken.result(r, limits)?;
        let control = read_test(r, limits)?;
        if let Some(told) = &mut told {
            controls.one("", control, limits, told)?;
        }
    }
    if let Some(told) = &mut told {
        told.end(SeriesEnd { complete: true, unknown_words: controls.unknown.list(), ..SeriesEnd::default() })?;
    }
    Ok(Report { family: Family::ScubaGear, refused: Vec::new() })
}

fn read_test(r: &mut Reader, limits: &Limits) -> Result<Control> {
    if r.peek()? != Kind::Object {
        return Err(r.malformed("expected a policy's result as an object"));
    }
    let mut control = Control::default();
    let mut met = None;
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "PolicyId" => control.id = cut(r.string()?.unwrap_or_default().trim(), 300).0,
            "Criticality" => control.criticality = cut(&r.loose()?.unwrap_or_default(), 100).0,
            "RequirementMet" => met = r.bool()?,
            "ReportDetails" => (control.details, control.truncated) = plain(&r.loose()?.unwrap_or_default(), limits.text),
            _ => r.skip()?,
        }
    }
    let criticality = control.criticality.to_ascii_lowercase();
    let result = match met {
        None => return Err(r.malformed("a policy's result has no RequirementMet")),
        _ if criticality.contains("3rd party") || criticality.contains("not-implemented") => "N/A",
        Some(true) => "Pass",
        Some(false) if criticality.starts_with("should") => "Warning",
        Some(false) => "Fail",
    };
    control.result = Some(result.into());
    named(r, control)
}

// ---- reading -----------------------------------------------------------------------------------------------------

pub fn read_control(r: &mut Reader, limits: &Limits) -> Result<Control> {
    if r.peek()? != Kind::Object {
        return Err(r.malformed("expected a control as an object"));
    }
    let mut control = Control::default();
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "Control ID" | "ControlID" => control.id = cut(r.loose()?.unwrap_or_default().trim(), 300).0,
            "Requirement" => control.requirement = requirement(&r.loose()?.unwrap_or_default()),
            "Result" => control.result = r.string()?,
            "Criticality" => control.criticality = cut(&r.loose()?.unwrap_or_default(), 100).0,
            "Details" => (control.details, control.truncated) = plain(&r.loose()?.unwrap_or_default(), limits.text),
            "OriginalResult" => control.original = r.loose()?,
            "Comments" => control.comments = plain(&r.strings()?.join(" "), 1000).0,
            _ => r.skip()?,
        }
    }
    if control.result.is_none() {
        return Err(r.malformed("a control has no Result"));
    }
    named(r, control)
}

fn named(r: &Reader, control: Control) -> Result<Control> {
    if control.id.is_empty() {
        return Err(r.malformed("a control has no policy id"));
    }
    Ok(control)
}

/// Since 1.8 the requirement is followed by a block of HTML indicators.
fn requirement(text: &str) -> String {
    let sentence = text.split("<div class='policy-indicators'").next().unwrap_or_default();
    plain(sentence, 2000).0
}

/// HTML as plain text: tags out, line breaks and the common entities in. The result is still text to be escaped where it is shown.
fn plain(html: &str, max: usize) -> (String, bool) {
    let mut text = String::with_capacity(html.len().min(max));
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if !rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') {
            text.push('<');
            rest = &rest[1..];
            continue;
        }
        // Without another > there is no other tag either.
        let Some(end) = rest.find('>') else { break };
        let name = cut(rest[1..end].trim_start_matches('/'), 20).0.to_ascii_lowercase();
        if ["br", "p", "li", "div", "ul", "tr"].contains(&name.split([' ', '/']).next().unwrap_or_default()) {
            text.push('\n');
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    for (entity, char) in [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        text = text.replace(entity, char);
    }
    cut(text.trim(), max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text() {
        let html = "Legacy authentication SHALL be blocked.<div class='policy-indicators'><a href='x'>BOD</a></div>";
        assert_eq!(requirement(html), "Legacy authentication SHALL be blocked.");
        assert_eq!(plain("a<br/>b <a href='#x'>c</a> 1 < 2 &amp;lt;", 100).0, "a\nb c 1 < 2 &lt;");
    }

    #[test]
    fn a_check_keeps_its_key_when_its_version_moves() {
        let key = |id: &str| Control { id: id.into(), ..Control::default() }.key();
        assert_eq!(key("MS.AAD.1.1v1"), "MS.AAD.1.1");
        assert_eq!(key("MS.AAD.1.1v12"), "MS.AAD.1.1");
        assert_eq!(key("custom-v"), "custom-v");
    }

    #[test]
    fn an_omitted_policy_is_kept_as_suppressed_with_its_reason() {
        let control = |result: &str, original: &str| Control {
            id: "MS.AAD.1.1v1".into(),
            result: Some(result.into()),
            original: Some(original.into()),
            criticality: "Shall".into(),
            comments: "accepted by the board".into(),
            ..Control::default()
        };
        let see = |control: Control| control.observe("k".into(), [0; 16], None, &Limits::default(), &mut Unknown::default());
        let omitted = see(control("Omitted", "Fail"));
        assert_eq!((omitted.outcome, omitted.suppressed.unwrap().justification.as_str()), (Outcome::Skipped, "accepted by the board"));
        let incorrect = see(control("Incorrect Result", "Fail"));
        assert_eq!((incorrect.outcome, incorrect.suppressed.unwrap().kind.as_str()), (Outcome::Failed, "incorrect result"));
        assert_eq!(see(control("Error - Test results missing", "")).outcome, Outcome::Error);
        assert_eq!(see(control("Purple", "")).outcome, Outcome::Unknown);
    }
}
