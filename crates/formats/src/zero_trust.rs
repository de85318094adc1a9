//! Microsoft's Zero Trust Assessment report, every release since 2024.
//!
//! Risk becomes severity, pillar becomes group and product, and Planned is kept with the skipped: a recommendation that is not
//! assessed yet is no regression while it rests there. `Account`, `TenantInfo` and charts are never told.

use crate::hash::{Met, Ordinals, Parts};
use crate::json::{Kind, Reader, Result, cut};
use crate::model::{CheckInfo, FormatError, FormatErrorKind, Limits, Observation, Report, SeriesEnd, SeriesInfo, SeveritySource, Sink};
use crate::product;
use crate::told::{self, Taken, Told, Unknown};
use bailiwick_base::{Family, Outcome, Product, Severity};
use std::collections::HashMap;
use uuid::Uuid;

/// What the first pass learned: the header.
#[derive(Default)]
pub struct Outline {
    directory: Option<Uuid>,
    name: Option<String>,
    version: Option<String>,
    executed_at: Option<String>,
    /// `TestResultSummary`: its passed counts by pillar. Its totals leave out some statuses by rules of their own and are not compared.
    passed: Vec<(String, i64)>,
}

#[derive(Default)]
struct Test {
    id: String,
    title: String,
    description: String,
    message: String,
    truncated: bool,
    status: Option<String>,
    risk: Option<String>,
    pillar: String,
    tags: Vec<String>,
    skipped: Option<String>,
    reason: Option<String>,
}

pub fn outline(r: &mut Reader, limits: &Limits) -> Result<Outline> {
    let mut outline = Outline::default();
    let mut taken = Taken::default();
    let (mut seen, mut has_tests, mut has_tenant) = (false, false, false);
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "Tests" => {
                r.once(&mut seen, "Tests")?;
                has_tests = r.array()?;
                while has_tests && r.next_element()? {
                    taken.result(r, limits)?;
                    read_test(r, limits)?;
                }
            }
            "TenantId" => {
                let id = r.string()?;
                has_tenant = id.is_some();
                outline.directory = id.and_then(|id| Uuid::try_parse(id.trim()).ok());
            }
            "TenantName" => outline.name = r.string()?.filter(|name| !name.trim().is_empty()).map(|name| cut(name.trim(), 300).0),
            "ExecutedAt" => outline.executed_at = r.string()?,
            "CurrentVersion" => outline.version = read_version(r)?,
            "TestResultSummary" => outline.passed = read_summary(r)?,
            _ => r.skip()?,
        }
    }
    let missing = match (has_tests, has_tenant, outline.executed_at.as_deref().map(told::instant)) {
        (false, ..) => "the member Tests is missing",
        (_, false, _) => "the member TenantId is missing",
        (.., None) => "the member ExecutedAt is missing",
        (.., Some(None)) => "ExecutedAt is no date and time Bailiwick can read",
        (.., Some(Some(_))) => return Ok(outline),
    };
    Err(FormatError {
        kind: FormatErrorKind::Malformed,
        message: format!("The Zero Trust Assessment report cannot be taken: {missing}. Send the file the assessment wrote, unchanged."),
        place: Some("$".into()),
    })
}

pub fn tell(r: &mut Reader, outline: &Outline, limits: &Limits, sink: &mut dyn Sink) -> Result<Report> {
    let mut told = Told(sink);
    let mut tests = Tests::default();
    told.begin(outline.series())?;
    r.object()?;
    while let Some(key) = r.next_key()? {
        if key != "Tests" {
            r.skip()?;
            continue;
        }
        r.array()?;
        while r.next_element()? {
            tests.one(read_test(r, limits)?, limits, &mut told)?;
        }
    }
    told.end(SeriesEnd {
        complete: true,
        incomplete_reason: None,
        header_mismatches: tests.mismatches(outline),
        unknown_words: tests.unknown.list(),
        looked_for: Vec::new(),
    })?;
    Ok(Report { family: Family::ZeroTrust, refused: Vec::new() })
}

impl Outline {
    fn series(&self) -> SeriesInfo {
        SeriesInfo {
            family: Family::ZeroTrust,
            directory: self.directory,
            directory_name: self.name.clone(),
            tool: "Zero Trust Assessment".into(),
            tool_version: self.version.clone(),
            category: String::new(),
            assessed_at: self.executed_at.as_deref().and_then(told::instant),
            revision: None,
        }
    }
}

/// The tests being told.
#[derive(Default)]
struct Tests {
    ordinals: Ordinals,
    told: Met,
    unknown: Unknown,
    /// Passed tests by pillar.
    passed: HashMap<String, u64>,
}

impl Tests {
    fn one(&mut self, test: Test, limits: &Limits, told: &mut Told) -> Result<()> {
        let key = if test.id.is_empty() { test.title.clone() } else { test.id.clone() };
        let word = test.status.clone().unwrap_or_default();
        let (outcome, own_word) = outcome(&word);
        if outcome == Outcome::Unknown {
            self.unknown.count("TestStatus", &word);
        }
        if outcome == Outcome::Passed {
            *self.passed.entry(test.pillar.clone()).or_insert(0) += 1;
        }
        let base = Parts::new().text("zero trust").text(&key.to_lowercase()).fingerprint();
        let mut observation: Observation = told::plain(key.clone(), self.ordinals.tell_apart(base), outcome);
        observation.outcome_word = own_word.then(|| cut(&word, 60).0);
        (observation.severity, observation.severity_source) = self.severity(test.risk.as_deref());
        observation.title = told::title(if test.title.is_empty() { &key } else { &test.title });
        (observation.message, observation.truncated) = test.message(outcome, limits);
        if self.told.insert(&key) {
            told.check(test.check(key))?;
        }
        told.observation(observation)
    }

    fn severity(&mut self, risk: Option<&str>) -> (Severity, SeveritySource) {
        let Some(risk) = risk.filter(|risk| !risk.is_empty()) else { return (Severity::None, SeveritySource::Default) };
        // TestRisk, and TestLikelihood of the first release.
        let severity = match risk.to_ascii_lowercase().as_str() {
            "critical" => Severity::Critical,
            "high" | "highlylikely" => Severity::High,
            "medium" | "likely" | "possible" => Severity::Medium,
            "low" | "unlikely" => Severity::Low,
            "unranked" => Severity::None,
            _ => {
                self.unknown.count("TestRisk", risk);
                return (Severity::None, SeveritySource::Default);
            }
        };
        (severity, SeveritySource::Result)
    }

    fn mismatches(&self, outline: &Outline) -> Vec<(String, u64, u64)> {
        let counted = |pillar: &str| self.passed.get(pillar).copied().unwrap_or(0);
        let differs = |(pillar, stated): &(String, i64)| {
            let counted = counted(pillar);
            (*stated != counted as i64).then(|| (format!("{pillar}Passed"), u64::try_from(*stated).unwrap_or(0), counted))
        };
        outline.passed.iter().filter_map(differs).collect()
    }
}

/// The outcome, and whether the tool's word says more than it.
fn outcome(word: &str) -> (Outcome, bool) {
    match word.to_ascii_lowercase().as_str() {
        "passed" => (Outcome::Passed, false),
        "failed" => (Outcome::Failed, false),
        "error" => (Outcome::Error, false),
        "investigate" => (Outcome::Investigate, false),
        "skipped" => (Outcome::Skipped, false),
        "planned" | "notapplicable" => (Outcome::Skipped, true),
        "notrun" => (Outcome::NotRun, false),
        _ => (Outcome::Unknown, true),
    }
}

impl Test {
    fn message(&self, outcome: Outcome, limits: &Limits) -> (String, bool) {
        let reason = self.reason.as_ref().or(self.skipped.as_ref());
        match reason {
            Some(reason) if outcome == Outcome::Skipped || self.message.trim().is_empty() => cut(reason, limits.text),
            _ => (self.message.clone(), self.truncated),
        }
    }

    fn check(self, key: String) -> CheckInfo {
        let by_area = || self.tags.iter().find_map(|tag| product::pillar(tag).or_else(|| product::tagged(tag)));
        CheckInfo {
            product: Some(product::pillar(&self.pillar).or_else(by_area).unwrap_or(Product::Other)),
            title: told::title(if self.title.is_empty() { &key } else { &self.title }),
            key,
            description: self.description,
            help_url: None,
            group: self.pillar,
            tags: self.tags,
        }
    }
}

// ---- reading -----------------------------------------------------------------------------------------------------

fn read_test(r: &mut Reader, limits: &Limits) -> Result<Test> {
    if r.peek()? != Kind::Object {
        return Err(r.malformed("expected a test as an object"));
    }
    let mut test = Test::default();
    let mut tags = Vec::new();
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "TestId" => test.id = r.loose()?.map(|id| cut(id.trim(), 300).0).unwrap_or_default(),
            "TestTitle" => test.title = r.cut_string(1000)?.0,
            "TestDescription" => test.description = r.cut_string(limits.text)?.0,
            "TestResult" => (test.message, test.truncated) = r.cut_string(limits.text)?,
            "TestStatus" => test.status = r.string()?,
            "TestRisk" => test.risk = r.loose()?.or(test.risk.take()),
            "TestLikelihood" => test.risk = test.risk.take().or(r.loose()?),
            "TestPillar" => test.pillar = r.cut_string(100)?.0,
            "TestCategory" | "TestSfiPillar" | "TestTags" | "TestAppliesTo" => {
                tags.extend(r.strings()?);
                tags.truncate(200);
            }
            "TestSkipped" => test.skipped = r.loose()?.filter(|code| !code.is_empty()),
            "SkippedReason" => test.reason = r.loose()?.filter(|text| !text.trim().is_empty()),
            _ => r.skip()?,
        }
    }
    for tag in tags {
        let tag = cut(tag.trim(), 200).0;
        if !tag.is_empty() && !test.tags.contains(&tag) && test.tags.len() < 50 {
            test.tags.push(tag);
        }
    }
    let missing = match (&test.status, test.id.is_empty() && test.title.is_empty()) {
        (None, _) => "TestStatus",
        (_, true) => "TestId",
        _ => return Ok(test),
    };
    Err(r.malformed(&format!("a test has no {missing}")))
}

/// A text, or an object with Major, Minor, Build and Revision.
fn read_version(r: &mut Reader) -> Result<Option<String>> {
    if r.peek()? != Kind::Object {
        return Ok(r.loose()?.filter(|v| !v.is_empty()).map(|v| cut(&v, 100).0));
    }
    let mut parts = [None; 4];
    r.object()?;
    while let Some(key) = r.next_key()? {
        let at = ["Major", "Minor", "Build", "Revision"].iter().position(|name| *name == key);
        match at {
            Some(at) => parts[at] = r.int()?.filter(|n| *n >= 0),
            None => r.skip()?,
        }
    }
    let known: Vec<String> = parts.iter().map_while(|part| part.map(|n| n.to_string())).collect();
    Ok((!known.is_empty()).then(|| known.join(".")))
}

fn read_summary(r: &mut Reader) -> Result<Vec<(String, i64)>> {
    let mut passed = Vec::new();
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key.strip_suffix("Passed").map(str::to_owned) {
                Some(pillar) if passed.len() < 50 => passed.extend(r.int()?.map(|n| (pillar, n))),
                _ => r.skip()?,
            }
        }
    }
    Ok(passed)
}
