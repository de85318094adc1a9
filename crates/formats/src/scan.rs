//! Bailiwick's own scans: the report its scanner writes about one directory, `"schema": "bailiwick.scan/1"`.
//!
//! A verdict that is no plain pass fails or is left open, never passes: exclusions that nobody declared and values that were not there
//! are to be investigated. A compliance scan and an exposure scan of one directory are two lines of runs.

use crate::hash::{Met, Ordinals, Parts};
use crate::json::{Kind, Reader, Result, cut};
use crate::model::{CheckInfo, FormatError, FormatErrorKind, Limits, Observation, Report, SeriesEnd, SeriesInfo, SeveritySource, Sink};
use crate::told::{self, Taken, Told, Unknown};
use bailiwick_base::{Family, Outcome, Product, Severity};
use uuid::Uuid;

/// The value of `schema`.
pub const SCHEMA: &str = "bailiwick.scan/1";

/// What the first pass learned: the header.
#[derive(Default)]
pub struct Outline {
    directory: Option<Uuid>,
    name: Option<String>,
    kind: String,
    catalogue: Option<String>,
    started_at: Option<String>,
    complete: bool,
    /// Sources that were not read, or not whole.
    broken: Vec<String>,
}

#[derive(Default)]
struct Judged {
    check: String,
    title: String,
    product: String,
    severity: Option<String>,
    verdict: String,
    reason: Option<String>,
    reason_text: String,
    actual: String,
    expected: String,
    path: String,
    request: String,
    objects: Vec<String>,
    object_count: i64,
    exclusions: Vec<String>,
    would_pass: bool,
    controls: Vec<String>,
    remediation: String,
    reference: Option<String>,
    pack: Option<String>,
}

pub fn outline(r: &mut Reader, limits: &Limits) -> Result<Outline> {
    let mut outline = Outline::default();
    let mut taken = Taken::default();
    let (mut seen, mut has_results) = (false, false);
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "results" => {
                r.once(&mut seen, "results")?;
                has_results = r.array()?;
                while has_results && r.next_element()? {
                    taken.result(r, limits)?;
                    read_result(r, limits)?;
                }
            }
            "directory" => outline.directory = r.string()?.and_then(|id| Uuid::try_parse(id.trim()).ok()),
            "directory_name" => outline.name = r.string()?.filter(|name| !name.trim().is_empty()).map(|name| cut(name.trim(), 200).0),
            "kind" => outline.kind = r.cut_string(40)?.0,
            "catalogue" => outline.catalogue = r.string()?.map(|version| cut(&version, 100).0),
            "started_at" => outline.started_at = r.string()?,
            "complete" => outline.complete = r.bool()?.unwrap_or(false),
            "sources" => outline.broken = read_sources(r)?,
            _ => r.skip()?,
        }
    }
    let missing = match (has_results, outline.directory, outline.started_at.as_deref().and_then(told::instant)) {
        (false, ..) => "the member results is missing",
        (_, None, _) => "the member directory is missing or no id",
        (.., None) => "the member started_at is missing or no time",
        _ => return Ok(outline),
    };
    Err(FormatError {
        kind: FormatErrorKind::Malformed,
        message: format!("The scan's report cannot be taken: {missing}. Send the file the scanner wrote, unchanged."),
        place: Some("$".into()),
    })
}

pub fn tell(r: &mut Reader, outline: &Outline, limits: &Limits, sink: &mut dyn Sink) -> Result<Report> {
    let mut told = Told(sink);
    let (mut ordinals, mut met, mut unknown) = (Ordinals::default(), Met::default(), Unknown::default());
    told.begin(SeriesInfo {
        family: Family::Scan,
        directory: outline.directory,
        directory_name: outline.name.clone(),
        tool: "Bailiwick".into(),
        tool_version: outline.catalogue.clone(),
        category: outline.kind.clone(),
        assessed_at: outline.started_at.as_deref().and_then(told::instant),
        revision: None,
    })?;
    r.object()?;
    while let Some(key) = r.next_key()? {
        if key != "results" {
            r.skip()?;
            continue;
        }
        r.array()?;
        while r.next_element()? {
            let result = read_result(r, limits)?;
            let base = Parts::new().text("scan").text(&result.check).fingerprint();
            let observation = result.observation(ordinals.tell_apart(base), limits, &mut unknown);
            if met.insert(&result.check) {
                told.check(result.info())?;
            }
            told.observation(observation)?;
        }
    }
    let incomplete_reason = (!outline.complete).then(|| match outline.broken.is_empty() {
        true => "not every source could be read whole".to_owned(),
        false => cut(&format!("these sources could not be read whole: {}", outline.broken.join(", ")), 1000).0,
    });
    told.end(SeriesEnd {
        complete: outline.complete,
        incomplete_reason,
        header_mismatches: Vec::new(),
        unknown_words: unknown.list(),
        looked_for: Vec::new(),
    })?;
    Ok(Report { family: Family::Scan, refused: Vec::new() })
}

impl Judged {
    fn observation(&self, fingerprint: [u8; 16], limits: &Limits, unknown: &mut Unknown) -> Observation {
        let (outcome, word) = outcome(&self.verdict, self.reason.as_deref(), self.would_pass);
        if outcome == Outcome::Unknown {
            unknown.count("verdict", &self.verdict);
        }
        let mut observation = told::plain(self.check.clone(), fingerprint, outcome);
        observation.outcome_word = word;
        observation.severity = self.severity.as_deref().and_then(told::severity).unwrap_or(Severity::None);
        observation.severity_source = SeveritySource::Rule;
        observation.title = told::title(if self.title.is_empty() { &self.check } else { &self.title });
        (observation.message, observation.truncated) = cut(&self.message(outcome), limits.text);
        observation.references = self.controls.clone();
        observation
    }

    /// What was found and what should be there, for a person.
    fn message(&self, outcome: Outcome) -> String {
        let mut lines = Vec::new();
        let mut line = |label: &str, text: &str| {
            if !text.is_empty() {
                lines.push(if label.is_empty() { text.to_owned() } else { format!("{label}: {text}") });
            }
        };
        line("", &self.reason_text);
        if !matches!(outcome, Outcome::Skipped) {
            line("Found", &self.actual);
            line("Expected", &self.expected);
        }
        let more = usize::try_from(self.object_count).unwrap_or(0).saturating_sub(self.objects.len());
        let objects = self.objects.join(", ");
        line("Concerns", &if more > 0 { format!("{objects} and {more} more") } else { objects });
        line("Left out", &self.exclusions.join(", "));
        line("Looked at", format!("{} {}", self.request, self.path).trim());
        if outcome.failing() {
            line("What to do", self.remediation.trim());
        }
        lines.join("\n")
    }

    fn info(&self) -> CheckInfo {
        CheckInfo {
            key: self.check.clone(),
            title: told::title(if self.title.is_empty() { &self.check } else { &self.title }),
            description: self.remediation.clone(),
            help_url: self.reference.as_deref().and_then(told::link),
            product: Some(product(&self.product)),
            group: self.pack.clone().unwrap_or_else(|| self.product.clone()),
            tags: self.controls.clone(),
        }
    }
}

/// The catalogue's folders, as products.
fn product(folder: &str) -> Product {
    match folder {
        "apps" => Product::Entra,
        "keyvault" => Product::Azure,
        other => Product::parse(other).unwrap_or(Product::Other),
    }
}

/// The outcome, with the scanner's own word where that says more.
fn outcome(verdict: &str, reason: Option<&str>, would_pass: bool) -> (Outcome, Option<String>) {
    let word = |text: &str| Some(text.replace('_', " "));
    match verdict {
        "passed" => (Outcome::Passed, None),
        "passed_with_exclusions" => (Outcome::Investigate, word("passed with exclusions")),
        "failed" if would_pass => (Outcome::Failed, word("would pass if enforced")),
        "failed" => (Outcome::Failed, None),
        "skipped" => (Outcome::Skipped, reason.and_then(word)),
        "unknown" => (Outcome::Investigate, word("unknown")),
        "error" => (Outcome::Error, reason.and_then(word)),
        other => (Outcome::Unknown, Some(cut(other, 60).0)),
    }
}

// ---- reading -----------------------------------------------------------------------------------------------------

fn read_result(r: &mut Reader, limits: &Limits) -> Result<Judged> {
    if r.peek()? != Kind::Object {
        return Err(r.malformed("expected a result as an object"));
    }
    let mut result = Judged::default();
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "check" => result.check = r.cut_string(300)?.0,
            "title" => result.title = r.cut_string(1000)?.0,
            "product" => result.product = r.cut_string(100)?.0,
            "severity" => result.severity = r.string()?,
            "verdict" => result.verdict = r.cut_string(60)?.0,
            "reason" => (result.reason, result.reason_text) = read_reason(r)?,
            "actual" => result.actual = compact(r)?,
            "expected" => result.expected = compact(r)?,
            "path" => result.path = r.cut_string(500)?.0,
            "request" => result.request = r.cut_string(500)?.0,
            "objects" => result.objects = read_objects(r)?,
            "object_count" => result.object_count = r.int()?.unwrap_or(0),
            "exclusions" => result.exclusions = r.strings()?.into_iter().take(50).map(|text| cut(&text, 200).0).collect(),
            "would_pass_if_enforced" => result.would_pass = r.bool()?.unwrap_or(false),
            "frameworks" => result.controls = read_controls(r)?,
            "remediation" => result.remediation = r.cut_string(limits.text)?.0,
            "references" => result.reference = r.strings()?.into_iter().next(),
            "pack" => result.pack = r.string()?.map(|name| cut(&name, 100).0),
            _ => r.skip()?,
        }
    }
    let missing = match (result.check.trim().is_empty(), result.verdict.is_empty()) {
        (true, _) => "check",
        (_, true) => "verdict",
        _ => return Ok(result),
    };
    Err(r.malformed(&format!("a result has no {missing}")))
}

fn read_reason(r: &mut Reader) -> Result<(Option<String>, String)> {
    let (mut code, mut text) = (None, String::new());
    if r.peek()? != Kind::Object {
        r.skip()?;
        return Ok((code, text));
    }
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "code" => code = r.string()?.map(|word| cut(&word, 60).0),
            "text" => text = r.cut_string(2000)?.0,
            _ => r.skip()?,
        }
    }
    Ok((code, text))
}

fn read_objects(r: &mut Reader) -> Result<Vec<String>> {
    let mut names = Vec::new();
    r.array()?;
    while r.next_element()? {
        let (mut id, mut name) = (None, None);
        if names.len() >= 20 || r.peek()? != Kind::Object {
            r.skip()?;
            continue;
        }
        r.object()?;
        while let Some(key) = r.next_key()? {
            match key {
                "id" => id = r.loose()?,
                "name" => name = r.loose()?,
                _ => r.skip()?,
            }
        }
        names.extend(name.filter(|name| !name.is_empty()).or(id).map(|text| cut(&text, 200).0));
    }
    Ok(names)
}

/// Controls as `cis_m365 7.0 5.1.6.3`.
fn read_controls(r: &mut Reader) -> Result<Vec<String>> {
    let mut controls = Vec::new();
    r.array()?;
    while r.next_element()? {
        let mut parts = [None, None, None];
        if controls.len() >= 50 || r.peek()? != Kind::Object {
            r.skip()?;
            continue;
        }
        r.object()?;
        while let Some(key) = r.next_key()? {
            match ["framework", "version", "control"].iter().position(|name| *name == key) {
                Some(at) => parts[at] = r.loose()?,
                None => r.skip()?,
            }
        }
        let control = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if !control.is_empty() && !controls.contains(&control) {
            controls.push(cut(&control, 200).0);
        }
    }
    Ok(controls)
}

/// The sources that failed, by their path.
fn read_sources(r: &mut Reader) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    r.array()?;
    while r.next_element()? {
        let (mut path, mut state) = (String::new(), String::new());
        r.object()?;
        while let Some(key) = r.next_key()? {
            match key {
                "path" => path = r.cut_string(200)?.0,
                "state" => state = r.cut_string(40)?.0,
                _ => r.skip()?,
            }
        }
        if state == "failed" && broken.len() < 20 {
            broken.push(path);
        }
    }
    Ok(broken)
}

/// What is shown of a value.
const SHOWN: usize = 1000;

/// A value as compact JSON, of which the first part is kept.
fn compact(r: &mut Reader) -> Result<String> {
    let mut text = String::new();
    write(r, &mut text)?;
    let (mut text, more) = cut(&text, SHOWN);
    if more {
        text.push('…');
    }
    Ok(if text == "null" { String::new() } else { text })
}

fn write(r: &mut Reader, to: &mut String) -> Result<()> {
    let full = to.len() > SHOWN;
    match r.peek()? {
        _ if full => r.skip(),
        Kind::String => {
            let (text, _) = r.cut_string(SHOWN)?;
            to.push_str(&serde_json::Value::from(text).to_string());
            Ok(())
        }
        Kind::Number | Kind::Bool | Kind::Null => {
            to.push_str(r.loose()?.as_deref().unwrap_or("null"));
            Ok(())
        }
        Kind::Array => {
            r.array()?;
            to.push('[');
            let mut first = true;
            while r.next_element()? {
                if !std::mem::take(&mut first) {
                    to.push_str(", ");
                }
                write(r, to)?;
            }
            to.push(']');
            Ok(())
        }
        Kind::Object => {
            r.object()?;
            to.push('{');
            let mut first = true;
            while let Some(key) = r.next_key()? {
                let key = serde_json::Value::from(cut(key, 200).0).to_string();
                if !std::mem::take(&mut first) {
                    to.push_str(", ");
                }
                to.push_str(&key);
                to.push_str(": ");
                write(r, to)?;
            }
            to.push('}');
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{CheckInfo, Limits, Observation, SeriesEnd, SeriesInfo, Sink, read};
    use bailiwick_base::{Family, Outcome, Product, Severity};
    use serde_json::{Value, json};
    use std::ops::ControlFlow;

    #[derive(Default)]
    struct Heard {
        series: Vec<SeriesInfo>,
        checks: Vec<CheckInfo>,
        observations: Vec<Observation>,
        ends: Vec<SeriesEnd>,
    }

    impl Sink for Heard {
        fn begin_series(&mut self, series: SeriesInfo) -> ControlFlow<()> {
            self.series.push(series);
            ControlFlow::Continue(())
        }
        fn check(&mut self, check: CheckInfo) -> ControlFlow<()> {
            self.checks.push(check);
            ControlFlow::Continue(())
        }
        fn observation(&mut self, observation: Observation) -> ControlFlow<()> {
            self.observations.push(observation);
            ControlFlow::Continue(())
        }
        fn end_series(&mut self, end: SeriesEnd) -> ControlFlow<()> {
            self.ends.push(end);
            ControlFlow::Continue(())
        }
    }

    fn result(check: &str, verdict: &str) -> Value {
        json!({
            "check": check, "version": 1, "title": "Guests are invited by few", "product": "entra", "severity": "high", "verdict": verdict,
            "reason": null, "actual": "everyone", "expected": {"operator": "in", "expected": ["none", 1, null]}, "path": "allowInvitesFrom",
            "request": "/v1.0/policies/authorizationPolicy", "objects": [{"id": "1", "name": "Ann", "within": null}, {"id": "2", "name": null, "within": null}],
            "object_count": 7, "exclusions": [], "would_pass_if_enforced": false,
            "frameworks": [{"framework": "cis_m365", "version": "7.0", "control": "5.1.6.3", "verdict": "failed"}, {"framework": "mitre", "version": null, "control": "T1078", "verdict": "failed"}],
            "remediation": "Set who may invite guests.", "references": ["https://learn.microsoft.com/x"]
        })
    }

    fn report(results: Value) -> Value {
        json!({
            "schema": "bailiwick.scan/1", "directory": "c0470500-1111-4111-8111-111111111111", "directory_name": "Contoso", "kind": "compliance",
            "started_at": "2026-11-22T08:00:00Z", "catalogue": "2026.11", "complete": true, "sources": [], "results": results, "scores": {}, "packs": []
        })
    }

    fn heard(report: &Value) -> Heard {
        let mut heard = Heard::default();
        let text = report.to_string();
        let read = read(text.as_bytes(), &Limits::default(), &mut heard).unwrap();
        assert_eq!(read.family, Family::Scan);
        heard
    }

    #[test]
    fn a_scan_is_known_by_its_schema_and_is_a_series_of_its_kind() {
        let heard = heard(&report(json!([result("a.b.c", "failed")])));
        let series = &heard.series[0];
        assert_eq!((series.family, series.tool.as_str(), series.category.as_str()), (Family::Scan, "Bailiwick", "compliance"));
        assert_eq!(series.directory.unwrap().to_string(), "c0470500-1111-4111-8111-111111111111");
        assert_eq!(series.assessed_at.unwrap().to_string(), "2026-11-22T08:00:00Z");
        assert!(heard.ends[0].complete);
        let check = &heard.checks[0];
        assert_eq!((check.key.as_str(), check.product, check.group.as_str()), ("a.b.c", Some(Product::Entra), "entra"));
        assert_eq!(check.tags, ["cis_m365 7.0 5.1.6.3", "mitre T1078"]);
    }

    #[test]
    fn only_a_pass_passes() {
        let verdicts = ["passed", "passed_with_exclusions", "failed", "skipped", "unknown", "error", "novel"];
        let results: Vec<Value> = verdicts.iter().enumerate().map(|(n, verdict)| result(&format!("c{n}"), verdict)).collect();
        let heard = heard(&report(json!(results)));
        let outcomes: Vec<Outcome> = heard.observations.iter().map(|o| o.outcome).collect();
        use Outcome::{Error, Failed, Investigate, Passed, Skipped, Unknown};
        assert_eq!(outcomes, [Passed, Investigate, Failed, Skipped, Investigate, Error, Unknown]);
        assert_eq!(heard.observations[1].outcome_word.as_deref(), Some("passed with exclusions"));
        assert_eq!(heard.ends[0].unknown_words, [("verdict: novel".to_owned(), 1)]);
    }

    #[test]
    fn a_failure_says_what_was_there_what_should_be_and_whom_it_concerns() {
        let mut report_only = result("a", "failed");
        report_only["would_pass_if_enforced"] = json!(true);
        let heard = heard(&report(json!([report_only])));
        let observation = &heard.observations[0];
        assert_eq!(observation.severity, Severity::High);
        assert_eq!(observation.outcome_word.as_deref(), Some("would pass if enforced"));
        assert_eq!(
            observation.message,
            "Found: \"everyone\"\nExpected: {\"operator\": \"in\", \"expected\": [\"none\", 1, null]}\nConcerns: Ann, 2 and 5 more\n\
             Looked at: /v1.0/policies/authorizationPolicy allowInvitesFrom\nWhat to do: Set who may invite guests."
        );
    }

    #[test]
    fn a_skipped_check_says_why() {
        let mut skipped = result("a", "skipped");
        skipped["reason"] = json!({"code": "permission", "text": "The connection lacks Policy.Read.All."});
        let heard = heard(&report(json!([skipped])));
        assert_eq!(heard.observations[0].outcome_word.as_deref(), Some("permission"));
        assert!(heard.observations[0].message.starts_with("The connection lacks Policy.Read.All."));
    }

    #[test]
    fn an_incomplete_scan_says_so_and_names_its_sources() {
        let mut incomplete = report(json!([result("a", "error")]));
        incomplete["complete"] = json!(false);
        incomplete["sources"] = json!([{"service": "graph", "path": "/v1.0/users", "state": "failed"}, {"service": "graph", "path": "/v1.0/domains", "state": "read"}]);
        let heard = heard(&incomplete);
        assert!(!heard.ends[0].complete);
        assert_eq!(heard.ends[0].incomplete_reason.as_deref(), Some("these sources could not be read whole: /v1.0/users"));
    }

    #[test]
    fn what_is_missing_is_named() {
        for member in ["results", "directory", "started_at"] {
            let mut broken = report(json!([result("a", "failed")]));
            broken.as_object_mut().unwrap().remove(member);
            let error = read(broken.to_string().as_bytes(), &Limits::default(), &mut Heard::default()).unwrap_err();
            assert!(error.message.contains(member), "{error}");
        }
        let mut nameless = result("a", "failed");
        nameless.as_object_mut().unwrap().remove("verdict");
        assert!(read(report(json!([nameless])).to_string().as_bytes(), &Limits::default(), &mut Heard::default()).is_err());
    }

    #[test]
    fn an_unchanged_result_is_the_same_and_unchanged() {
        let (a, b) = (heard(&report(json!([result("a", "failed")]))), heard(&report(json!([result("a", "failed")]))));
        assert_eq!((a.observations[0].fingerprint, a.observations[0].content), (b.observations[0].fingerprint, b.observations[0].content));
        let c = heard(&report(json!([result("a", "passed")])));
        assert_eq!(a.observations[0].fingerprint, c.observations[0].fingerprint);
        assert_ne!(a.observations[0].content, c.observations[0].content);
    }
}
