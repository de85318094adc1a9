//! Maester's TestResults JSON, every schema since January 2024, one tenant or several (`Tenants`).
//!
//! Never told: InvokeCommand, Account, SystemInfo, MgContext, ScriptBlock and ScriptBlockFile, which name people, machines and secrets.
//! Read twice: the first pass reads each tenant's header and finds what is broken, the second tells the tests of the good ones.

use crate::hash::{Ordinals, Parts, Prefix};
use crate::json::{Kind, Reader, Result, cut};
use crate::model::{FormatError, FormatErrorKind, Limits, Report, SeriesEnd, SeriesInfo, SeveritySource, Sink};
use crate::told::{self, Taken, Told, Unknown};
use bailiwick_base::{Counts, Family, Outcome, Severity};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use test::{Test, read_tests, references};
use uuid::Uuid;

mod test;

/// Severity settings kept of one tenant.
const SETTINGS: usize = 10_000;

type Hashes = HashSet<u64, BuildHasherDefault<Prefix>>;

/// What the first pass learned.
pub struct Outline {
    tenants: Vec<Tenant>,
    several: bool,
}

/// One tenant's header.
#[derive(Default)]
struct Tenant {
    directory: Option<Uuid>,
    name: Option<String>,
    version: Option<String>,
    executed_at: Option<String>,
    has_tests: bool,
    has_tenant: bool,
    stated: Vec<(String, i64)>,
    /// MaesterConfig's severities, by test id: the operator's own settings.
    configured: HashMap<String, String>,
    ids: Hashes,
    repeated: Hashes,
    place: String,
    broken: Option<String>,
}

// ---- first pass --------------------------------------------------------------------------------------------------

pub fn outline(r: &mut Reader, limits: &Limits) -> Result<Outline> {
    let mut taken = Taken::default();
    let mut tenants = Vec::new();
    let mut single = Tenant { place: "$".into(), ..Tenant::default() };
    let mut seen_tenants = false;
    each_member(r, &mut single, &mut |r, key, top| match key {
        "Tenants" => {
            r.once(&mut seen_tenants, "Tenants")?;
            if !r.array()? {
                return Ok(());
            }
            while r.next_element()? {
                taken.series(r, limits)?;
                tenants.push(entry(r, limits, &mut taken)?);
            }
            Ok(())
        }
        _ => read_tests(r, limits, &mut |r, test| {
            taken.result(r, limits)?;
            top.remember(&test);
            Ok(())
        }),
    })?;
    let several = !tenants.is_empty();
    if several {
        for tenant in &mut tenants {
            tenant.version = tenant.version.take().or_else(|| single.version.clone());
            tenant.check();
        }
        if tenants.iter().all(|t| t.broken.is_some()) {
            let reasons: Vec<_> =
                tenants.iter().take(5).map(|t| format!("{}: {}", t.place, t.broken.as_deref().unwrap_or_default())).collect();
            return Err(refuse(&format!("No tenant of the report can be read. {}", reasons.join(" "))));
        }
    } else {
        single.check();
        if let Some(reason) = single.broken.take() {
            return Err(refuse(&reason));
        }
        tenants.push(single);
    }
    Ok(Outline { tenants, several })
}

/// One of `Tenants`: what is wrong in it is noted, and the others go on.
fn entry(r: &mut Reader, limits: &Limits, taken: &mut Taken) -> Result<Tenant> {
    let mut tenant = Tenant { place: r.path(), ..Tenant::default() };
    r.be_lenient();
    each_member(r, &mut tenant, &mut |r, key, tenant| match key {
        "Tenants" => r.skip(),
        _ => read_tests(r, limits, &mut |r, test| {
            taken.result(r, limits)?;
            tenant.remember(&test);
            Ok(())
        }),
    })?;
    tenant.broken = r.strict().map(|e| e.message);
    Ok(tenant)
}

fn refuse(what: &str) -> FormatError {
    FormatError {
        kind: FormatErrorKind::Malformed,
        message: format!("The Maester report cannot be taken. {what}"),
        place: Some("$".into()),
    }
}

impl Tenant {
    /// Notes ids that come more than once: only those need the name to be told apart.
    fn remember(&mut self, test: &Test) {
        let id = id_hash(test.key());
        if !self.ids.insert(id) {
            self.repeated.insert(id);
        }
    }

    /// The loader of Maester's own report demands these three and no more.
    fn check(&mut self) {
        self.ids = Hashes::default();
        if self.broken.is_some() {
            return;
        }
        let missing = match (self.has_tests, self.has_tenant, &self.executed_at) {
            (false, ..) => "Tests",
            (_, false, _) => "TenantId",
            (.., None) => "ExecutedAt",
            (.., Some(at)) => {
                if told::instant(at).is_none() {
                    self.broken = Some(format!("ExecutedAt is no date and time Bailiwick can read: {:?}.", cut(at, 60).0));
                }
                return;
            }
        };
        self.broken = Some(format!("The member {missing} is missing; Maester writes Tests, TenantId and ExecutedAt for each tenant."));
    }

    fn series(&self) -> SeriesInfo {
        SeriesInfo {
            family: Family::Maester,
            directory: self.directory,
            directory_name: self.name.clone(),
            tool: "Maester".into(),
            tool_version: self.version.clone(),
            category: String::new(),
            assessed_at: self.executed_at.as_deref().and_then(told::instant),
            revision: None,
        }
    }

    fn mismatches(&self, counts: &Counts) -> Vec<(String, u64, u64)> {
        let counted = |name: &str| match name {
            "PassedCount" => counts.passed,
            "FailedCount" => counts.failed,
            "SkippedCount" => counts.skipped,
            "ErrorCount" => counts.error,
            "InvestigateCount" => counts.investigate,
            "NotRunCount" => counts.not_run,
            _ => counts.total,
        };
        let differs = |(name, stated): &(String, i64)| {
            let counted = u64::from(counted(name));
            (*stated != counted as i64).then(|| (name.clone(), u64::try_from(*stated).unwrap_or(0), counted))
        };
        self.stated.iter().filter_map(differs).collect()
    }
}

/// Reads a tenant's members; `Tests` and `Tenants` are handed to `inner`.
fn each_member(r: &mut Reader, tenant: &mut Tenant, inner: &mut dyn FnMut(&mut Reader, &str, &mut Tenant) -> Result<()>) -> Result<()> {
    if r.peek()? != Kind::Object {
        let what = r.malformed("expected a tenant's report as an object");
        r.note(what)?;
        return r.skip();
    }
    r.object()?;
    let mut seen_tests = false;
    while let Some(key) = r.next_key()? {
        match key {
            "Tests" => {
                r.once(&mut seen_tests, "Tests")?;
                if r.peek()? == Kind::Null {
                    r.skip()?;
                    continue;
                }
                tenant.has_tests = true;
                inner(r, "Tests", tenant)?;
            }
            "Tenants" => inner(r, "Tenants", tenant)?,
            "TenantId" => {
                let id = r.string()?;
                tenant.has_tenant = id.is_some();
                // Without a Graph connection a sentence stands here: the report then names no directory.
                tenant.directory = id.and_then(|id| Uuid::try_parse(id.trim()).ok());
            }
            "TenantName" => {
                let name = r.string()?.filter(|name| !name.trim().is_empty() && !name.contains("(not connected"));
                tenant.name = name.map(|name| cut(name.trim(), 300).0);
            }
            "ExecutedAt" => tenant.executed_at = r.string()?,
            "CurrentVersion" => tenant.version = r.loose()?.filter(|v| !v.is_empty()).map(|v| cut(&v, 100).0),
            "MaesterConfig" => tenant.configured = configured(r)?,
            "PassedCount" | "FailedCount" | "SkippedCount" | "ErrorCount" | "InvestigateCount" | "NotRunCount" | "TotalCount" => {
                let name = key.to_owned();
                if let Some(stated) = r.int()? {
                    tenant.stated.retain(|(known, _)| *known != name);
                    tenant.stated.push((name, stated));
                }
            }
            _ => r.skip()?,
        }
    }
    Ok(())
}

/// `MaesterConfig.TestSettings[].{Id,Severity}`.
fn configured(r: &mut Reader) -> Result<HashMap<String, String>> {
    let mut severities = HashMap::new();
    if r.peek()? != Kind::Object {
        r.skip()?;
        return Ok(severities);
    }
    r.object()?;
    while let Some(key) = r.next_key()? {
        if key != "TestSettings" || r.peek()? != Kind::Array {
            r.skip()?;
            continue;
        }
        r.array()?;
        while r.next_element()? {
            if r.peek()? != Kind::Object {
                r.skip()?;
                continue;
            }
            let (mut id, mut severity) = (None, None);
            r.object()?;
            while let Some(key) = r.next_key()? {
                match key {
                    "Id" => id = r.loose()?,
                    "Severity" => severity = r.loose()?,
                    _ => r.skip()?,
                }
            }
            if let (Some(id), Some(severity)) = (id, severity)
                && severities.len() < SETTINGS
            {
                severities.insert(cut(&id, 300).0.to_lowercase(), cut(&severity, 100).0);
            }
        }
    }
    Ok(severities)
}

// ---- second pass -------------------------------------------------------------------------------------------------

pub fn tell(r: &mut Reader, outline: &Outline, limits: &Limits, sink: &mut dyn Sink) -> Result<Report> {
    let mut told = Told(sink);
    let mut number = 0;
    each_member(r, &mut Tenant::default(), &mut |r, key, _| match key {
        "Tenants" if outline.several => {
            r.array()?;
            while r.next_element()? {
                let Some(tenant) = outline.tenants.get(number) else { return Err(changed()) };
                number += 1;
                if tenant.broken.is_some() {
                    r.skip()?;
                    continue;
                }
                let mut run = Run::begin(tenant, &mut told)?;
                each_member(r, &mut Tenant::default(), &mut |r, key, _| match key {
                    "Tests" => run.tests(r, limits, &mut told),
                    _ => r.skip(),
                })?;
                run.end(&mut told)?;
            }
            Ok(())
        }
        "Tests" if !outline.several => {
            let Some(tenant) = outline.tenants.first() else { return Err(changed()) };
            let mut run = Run::begin(tenant, &mut told)?;
            run.tests(r, limits, &mut told)?;
            run.end(&mut told)
        }
        _ => r.skip(),
    })?;
    let refused = outline.tenants.iter().filter_map(|t| t.broken.clone().map(|reason| (t.place.clone(), reason))).collect();
    Ok(Report { family: Family::Maester, refused })
}

fn changed() -> FormatError {
    FormatError { kind: FormatErrorKind::Io, message: "The report changed while it was read. Send it again.".into(), place: None }
}

/// One tenant's tests being told.
struct Run<'a> {
    tenant: &'a Tenant,
    counts: Counts,
    unknown: Unknown,
    ordinals: Ordinals,
    /// Checks told already; of those with repeated ids also how their keys were written first.
    told: Hashes,
    written: HashMap<u64, String>,
}

impl<'a> Run<'a> {
    fn begin(tenant: &'a Tenant, told: &mut Told) -> Result<Self> {
        told.begin(tenant.series())?;
        Ok(Self {
            tenant,
            counts: Counts::default(),
            unknown: Unknown::default(),
            ordinals: Ordinals::default(),
            told: Hashes::default(),
            written: HashMap::new(),
        })
    }

    fn end(self, told: &mut Told) -> Result<()> {
        told.end(SeriesEnd {
            complete: true,
            incomplete_reason: None,
            header_mismatches: self.tenant.mismatches(&self.counts),
            unknown_words: self.unknown.list(),
            looked_for: Vec::new(),
        })
    }

    fn tests(&mut self, r: &mut Reader, limits: &Limits, told: &mut Told) -> Result<()> {
        read_tests(r, limits, &mut |_, test| self.test(test, limits, told))
    }

    fn test(&mut self, test: Test, limits: &Limits, told: &mut Told) -> Result<()> {
        // An id that comes more than once names no test alone: there the name, which begins with the id, is the key.
        let repeated = self.tenant.repeated.contains(&id_hash(test.key()));
        let key = if repeated && !test.name.is_empty() { &test.name } else { test.key() };
        let hash = id_hash(key);
        let key = match repeated {
            true => self.written.entry(hash).or_insert_with(|| key.to_owned()).clone(),
            false => key.to_owned(),
        };
        let base = Parts::new().text("maester").text(&key.to_lowercase());

        let word = test.result.clone().unwrap_or_default();
        let outcome = outcome(&word);
        if outcome == Outcome::Unknown {
            self.unknown.count("Result", if word.is_empty() { "(none)" } else { &word });
        }
        self.counts.add(outcome);
        let (severity, source) = self.severity(&test);

        let mut observation = told::plain(key.clone(), self.ordinals.tell_apart(base.fingerprint()), outcome);
        observation.outcome_word = (outcome == Outcome::Unknown).then_some(cut(&word, 60).0);
        observation.severity = severity;
        observation.severity_source = source;
        observation.title = told::title(test.title());
        observation.references = references(&test);
        (observation.message, observation.truncated) = test.message(outcome, limits);
        if self.told.insert(hash) {
            told.check(test.check(key))?;
        }
        told.observation(observation)
    }

    /// The test's own word, which already holds the operator's override; else its detail's; else the operator's setting.
    fn severity(&mut self, test: &Test) -> (Severity, SeveritySource) {
        let configured = || self.tenant.configured.get(&test.id.to_lowercase());
        let words = [test.severity.as_ref(), test.detail.severity.as_ref(), configured()];
        let Some(word) = words.into_iter().flatten().find(|word| !word.trim().is_empty()) else {
            return (Severity::None, SeveritySource::Default);
        };
        match told::severity(word) {
            Some(severity) => (severity, SeveritySource::Result),
            None => {
                self.unknown.count("Severity", word);
                (Severity::None, SeveritySource::Default)
            }
        }
    }
}

fn outcome(word: &str) -> Outcome {
    match word.to_ascii_lowercase().as_str() {
        "passed" => Outcome::Passed,
        "failed" => Outcome::Failed,
        "error" => Outcome::Error,
        "investigate" => Outcome::Investigate,
        "skipped" => Outcome::Skipped,
        "notrun" => Outcome::NotRun,
        _ => Outcome::Unknown,
    }
}

/// Ids are compared without regard to case, as Maester's own merge does.
fn id_hash(id: &str) -> u64 {
    Parts::new().text(&id.to_lowercase()).content()
}
