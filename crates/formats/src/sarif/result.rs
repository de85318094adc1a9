//! One result: what is read of it, and the observation it becomes.

use super::location::Artifact;
use super::properties::{self, Properties};
use super::rules::{self, Found, Reference};
use super::run::{Frame, read_artifact};
use super::severity::{self, Level};
use super::{identity, message};
use crate::hash::Ordinals;
use crate::json::{Kind, Reader, Result, cut};
use crate::model::{Limits, Location, Observation, SourceSuppression};
use crate::told::{self, Unknown};
use bailiwick_base::Outcome;

/// Members of a result that are used, as written.
#[derive(Debug, Default)]
pub struct Raw {
    pub rule: Reference,
    kind: Option<String>,
    level: Option<String>,
    pub message: Message,
    place: Option<Place>,
    places: u32,
    /// The first logical location's full name: part of the identity where the tool gives no fingerprint.
    pub logical: String,
    /// For the identity alone; never told.
    pub snippet: Option<String>,
    pub fingerprints: Vec<(String, String)>,
    pub partial: Vec<(String, String)>,
    pub baseline: Option<String>,
    suppressions: Vec<Suppression>,
    properties: Properties,
}

#[derive(Debug, Default)]
pub struct Message {
    pub text: String,
    cut: bool,
    id: Option<String>,
    arguments: Vec<String>,
}

#[derive(Debug, Default)]
struct Place {
    artifact: Artifact,
    start_line: Option<u32>,
    end_line: Option<u32>,
    start_column: Option<u32>,
}

#[derive(Debug, Default)]
struct Suppression {
    kind: String,
    status: Option<String>,
    justification: String,
}

const PAIRS: usize = 20;
const ARGUMENTS: usize = 50;
/// More than any line of code; a snippet is only hashed.
const SNIPPET: usize = 4 << 10;

impl Raw {
    /// The result's own rule id, else the rule's.
    pub fn check_key(&self, found: Option<Found<'_>>) -> String {
        let own = self.rule.id.as_deref().filter(|id| !id.is_empty());
        let key = own.or_else(|| found.map(|f| f.rule.id.as_str())).filter(|id| !id.is_empty()).unwrap_or("(no rule id)");
        cut(key, 500).0
    }

    pub fn observe(
        self,
        key: String,
        found: Option<Found<'_>>,
        frame: &Frame,
        ordinals: &mut Ordinals,
        unknown: &mut Unknown,
        limits: &Limits,
    ) -> Observation {
        let rule = found.map(|f| f.rule);
        let level = self.level(found, frame, unknown);
        let outcome = self.outcome(unknown);
        let location = self.location(frame);
        let path = location.as_ref().map_or("", |l| l.path.as_str());
        let (message, truncated) = self.text(found, frame, limits);
        let secret = frame.secrets || rule.is_some_and(|rule| rule.secret);

        let base = identity::base(&self, &frame.tool, &key, path, &message, secret);
        let mut observation = told::plain(key, ordinals.tell_apart(base), outcome);
        observation.outcome_word = Some(self.word(level));
        (observation.severity, observation.severity_source) = severity::decide(&self.properties.stated, rule.map(|r| &r.stated), level);
        observation.title = self.title(rule, &message, &observation.check);
        observation.suppressed = self.suppressed(unknown);
        observation.references = rule.map(|r| r.references.clone()).unwrap_or_default();
        observation.references.extend(self.properties.references);
        observation.references.sort();
        observation.references.dedup();
        if let Some(state) = &self.baseline
            && !["new", "unchanged", "updated"].contains(&state.as_str())
        {
            unknown.count("baselineState", state);
        }
        observation.baseline_state = self.baseline.map(|state| cut(&state, 60).0);
        (observation.message, observation.truncated) = (message, truncated);
        observation.location = location;
        observation
    }

    fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("fail")
    }

    /// SARIF 3.27.10: the result's own; none for another kind than fail; the invocation's override; the rule's; warning.
    fn level(&self, found: Option<Found<'_>>, frame: &Frame, unknown: &mut Unknown) -> Level {
        if let Some(word) = &self.level {
            match Level::parse(word) {
                Some(level) => return level,
                None => unknown.count("level", word),
            }
        }
        if self.kind() != "fail" {
            return Level::None;
        }
        found.and_then(|f| frame.rules.overrides.get(&f.at).copied().or(f.rule.level)).unwrap_or(Level::Warning)
    }

    fn outcome(&self, unknown: &mut Unknown) -> Outcome {
        match self.kind() {
            "fail" => Outcome::Failed,
            "pass" => Outcome::Passed,
            "notApplicable" | "informational" => Outcome::Skipped,
            "review" | "open" => Outcome::Investigate,
            other => {
                unknown.count("kind", other);
                Outcome::Unknown
            }
        }
    }

    fn word(&self, level: Level) -> String {
        match (self.kind(), level) {
            ("fail", level) => level.word().to_owned(),
            (kind, Level::None) => cut(kind, 60).0,
            (kind, level) => format!("{} ({})", cut(kind, 60).0, level.word()),
        }
    }

    fn text(&self, found: Option<Found<'_>>, frame: &Frame, limits: &Limits) -> (String, bool) {
        let Message { text, cut: was_cut, id, arguments } = &self.message;
        let template = id.as_deref().filter(|_| text.is_empty()).and_then(|id| frame.rules.template(found, id));
        let filled = match template {
            Some(template) => message::fill(template, arguments, limits.text),
            None if !arguments.is_empty() => message::fill(text, arguments, limits.text),
            None => text.clone(),
        };
        let (text, long) = cut(&message::unlink(filled), limits.text);
        (text, long || *was_cut)
    }

    fn title(&self, rule: Option<&rules::Rule>, message: &str, key: &str) -> String {
        // Some tools leave the holes of a template in the rule's description; the message has them filled.
        let short = rule.map(|rule| rule.short.as_str()).filter(|short| !short.contains('{')).unwrap_or_default();
        let title = told::title([short, message, key].into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default());
        if title.is_empty() { key.to_owned() } else { title }
    }

    fn location(&self, frame: &Frame) -> Option<Location> {
        let place = self.place.as_ref()?;
        Some(Location {
            path: frame.bases.path(&place.artifact),
            start_line: place.start_line,
            end_line: place.end_line.or(place.start_line),
            start_column: place.start_column,
            more: self.places.saturating_sub(1),
        })
    }

    /// Suppressed when there is a suppression and none is under review or rejected (SARIF 3.27.23).
    fn suppressed(&self, unknown: &mut Unknown) -> Option<SourceSuppression> {
        let mut counts = true;
        for status in self.suppressions.iter().filter_map(|s| s.status.as_deref()) {
            match status {
                "accepted" => {}
                "underReview" | "rejected" => counts = false,
                other => {
                    unknown.count("suppression status", other);
                    counts = false;
                }
            }
        }
        let first = self.suppressions.first().filter(|_| counts)?;
        let justification = self.suppressions.iter().map(|s| &s.justification).find(|text| !text.is_empty());
        Some(SourceSuppression { kind: cut(&first.kind, 60).0, justification: justification.cloned().unwrap_or_default() })
    }
}

// ---- reading -----------------------------------------------------------------------------------------------------

pub fn read(r: &mut Reader, limits: &Limits) -> Result<Raw> {
    if r.peek()? != Kind::Object {
        return Err(r.malformed("expected a result as an object"));
    }
    let mut raw = Raw::default();
    let mut named = Reference::default();
    r.object()?;
    while let Some(key) = r.next_key()? {
        match key {
            "ruleId" => raw.rule.id = r.string()?,
            "ruleIndex" => raw.rule.index = r.int()?,
            "rule" => named = rules::read_reference(r)?,
            "kind" => raw.kind = r.string()?,
            "level" => raw.level = r.string()?,
            "message" => raw.message = read_message(r, limits)?,
            "locations" => read_locations(r, &mut raw)?,
            "fingerprints" => raw.fingerprints = read_pairs(r)?,
            "partialFingerprints" => raw.partial = read_pairs(r)?,
            "baselineState" => raw.baseline = r.string()?,
            "suppressions" => raw.suppressions = read_suppressions(r)?,
            "taxa" => read_taxa(r, &mut raw.properties)?,
            "properties" => {
                let taxa = std::mem::take(&mut raw.properties.references);
                raw.properties = properties::read_properties(r)?;
                raw.properties.references.extend(taxa);
            }
            _ => r.skip()?,
        }
    }
    let own = raw.rule;
    raw.rule = Reference {
        id: own.id.or(named.id),
        index: named.index.filter(|i| *i >= 0).or(own.index),
        guid: named.guid,
        component: named.component,
    };
    Ok(raw)
}

fn read_message(r: &mut Reader, limits: &Limits) -> Result<Message> {
    let mut message = Message::default();
    let mut markdown = (String::new(), false);
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key {
                "text" => (message.text, message.cut) = r.cut_string(limits.text)?,
                "markdown" => markdown = r.cut_string(limits.text)?,
                "id" => message.id = r.string()?,
                "arguments" => {
                    message.arguments = r.strings()?;
                    message.arguments.truncate(ARGUMENTS);
                }
                _ => r.skip()?,
            }
        }
    }
    if message.text.is_empty() && message.id.is_none() {
        (message.text, message.cut) = markdown;
    }
    Ok(message)
}

/// The first place in a file, and how many places there are.
fn read_locations(r: &mut Reader, raw: &mut Raw) -> Result<()> {
    raw.places = 0;
    if !r.array()? {
        return Ok(());
    }
    while r.next_element()? {
        raw.places += 1;
        if !r.object()? {
            continue;
        }
        while let Some(key) = r.next_key()? {
            match key {
                "physicalLocation" if raw.place.is_none() => read_physical(r, raw)?,
                "logicalLocations" if raw.logical.is_empty() => raw.logical = read_logical(r)?,
                _ => r.skip()?,
            }
        }
    }
    Ok(())
}

fn read_physical(r: &mut Reader, raw: &mut Raw) -> Result<()> {
    let mut place = Place::default();
    if !r.object()? {
        return Ok(());
    }
    while let Some(key) = r.next_key()? {
        match key {
            "artifactLocation" => place.artifact = read_artifact(r)?,
            "region" => read_region(r, &mut place, &mut raw.snippet)?,
            _ => r.skip()?,
        }
    }
    raw.place = Some(place);
    Ok(())
}

fn read_region(r: &mut Reader, place: &mut Place, snippet: &mut Option<String>) -> Result<()> {
    if !r.object()? {
        return Ok(());
    }
    while let Some(key) = r.next_key()? {
        match key {
            "startLine" => place.start_line = line(r)?,
            "endLine" => place.end_line = line(r)?,
            "startColumn" => place.start_column = line(r)?,
            "snippet" => {
                if r.object()? {
                    while let Some(key) = r.next_key()? {
                        match key {
                            "text" => *snippet = r.str()?.map(|text| cut(text, SNIPPET).0),
                            _ => r.skip()?,
                        }
                    }
                }
            }
            _ => r.skip()?,
        }
    }
    Ok(())
}

/// Lines and columns count from 1; tools that do not know write 0 or -1.
fn line(r: &mut Reader) -> Result<Option<u32>> {
    Ok(r.int()?.filter(|n| *n > 0).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= i32::MAX as u32))
}

fn read_logical(r: &mut Reader) -> Result<String> {
    let mut name = None;
    if !r.array()? {
        return Ok(String::new());
    }
    while r.next_element()? {
        if !r.object()? {
            continue;
        }
        while let Some(key) = r.next_key()? {
            match key {
                "fullyQualifiedName" if name.is_none() => name = r.loose()?,
                _ => r.skip()?,
            }
        }
    }
    Ok(name.map(|name| cut(&name, 1000).0).unwrap_or_default())
}

fn read_pairs(r: &mut Reader) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    if r.object()? {
        while let Some(key) = r.next_key()? {
            let name = key.to_owned();
            if let Some(value) = r.loose()?
                && pairs.len() < PAIRS
            {
                pairs.retain(|(known, _)| *known != name);
                pairs.push((name, value));
            }
        }
    }
    Ok(pairs)
}

fn read_suppressions(r: &mut Reader) -> Result<Vec<Suppression>> {
    let mut suppressions = Vec::new();
    if !r.array()? {
        return Ok(suppressions);
    }
    while r.next_element()? {
        let mut suppression = Suppression::default();
        if r.object()? {
            while let Some(key) = r.next_key()? {
                match key {
                    "kind" => suppression.kind = r.loose()?.unwrap_or_default(),
                    "status" => suppression.status = r.string()?,
                    "justification" => suppression.justification = r.cut_string(1000)?.0,
                    _ => r.skip()?,
                }
            }
        }
        // Of very many, those that lift the suppression are what counts.
        if suppressions.len() < PAIRS {
            suppressions.push(suppression);
        } else if suppression.status.as_deref().is_some_and(|status| status != "accepted") {
            suppressions[PAIRS - 1] = suppression;
        }
    }
    Ok(suppressions)
}

fn read_taxa(r: &mut Reader, properties: &mut Properties) -> Result<()> {
    if !r.array()? {
        return Ok(());
    }
    while r.next_element()? {
        let taxon = properties::taxon(&rules::read_reference(r)?);
        if properties.references.len() < 50 {
            properties.references.extend(taxon);
        }
    }
    Ok(())
}
