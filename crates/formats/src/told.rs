//! What every family does alike: telling the sink, counting against the limits, and the words for time, severity and links.

use crate::hash::Parts;
use crate::json::{Reader, Result};
use crate::model::{CheckInfo, FormatError, FormatErrorKind, Limits, Observation, SeriesEnd, SeriesInfo, SeveritySource, Sink};
use bailiwick_base::{Outcome, Severity, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::ops::ControlFlow;

/// The sink, with its `Break` turned into an error.
pub struct Told<'a>(pub &'a mut dyn Sink);

impl Told<'_> {
    pub fn begin(&mut self, series: SeriesInfo) -> Result<()> {
        on(self.0.begin_series(series))
    }
    pub fn check(&mut self, check: CheckInfo) -> Result<()> {
        on(self.0.check(check))
    }
    pub fn observation(&mut self, mut observation: Observation) -> Result<()> {
        observation.content = content(&observation);
        on(self.0.observation(observation))
    }
    pub fn end(&mut self, end: SeriesEnd) -> Result<()> {
        on(self.0.end_series(end))
    }
}

fn on(flow: ControlFlow<()>) -> Result<()> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(FormatError {
            kind: FormatErrorKind::Stopped,
            message: "Reading the report was stopped by its receiver.".into(),
            place: None,
        }),
    }
}

/// Everything a person sees of a result. No family puts its own times and durations into these members.
fn content(o: &Observation) -> u64 {
    let place = o.location.as_ref();
    let number = |n: Option<u32>| n.map_or(0, |n| u64::from(n) + 1);
    let mut parts = Parts::new()
        .number(o.outcome.number() as u64)
        .text(o.outcome_word.as_deref().unwrap_or_default())
        .number(o.severity.number() as u64)
        .text(&o.title)
        .text(&o.message)
        .text(place.map_or("", |l| l.path.as_str()))
        .number(number(place.and_then(|l| l.start_line)))
        .number(number(place.and_then(|l| l.end_line)))
        .number(number(place.and_then(|l| l.start_column)))
        .number(place.map_or(0, |l| u64::from(l.more)));
    if let Some(suppressed) = &o.suppressed {
        parts = parts.text(&suppressed.kind).text(&suppressed.justification);
    }
    parts = parts.text(o.baseline_state.as_deref().unwrap_or_default());
    for reference in &o.references {
        parts = parts.text(reference);
    }
    parts.content()
}

/// Results and series taken so far, against the limits.
#[derive(Default)]
pub struct Taken {
    results: u32,
    series: u32,
}

impl Taken {
    pub fn result(&mut self, r: &Reader, limits: &Limits) -> Result<()> {
        self.results += 1;
        if self.results > limits.results {
            return Err(r.limit(&format!("more results than the limit of {}; split the scan into several reports", limits.results)));
        }
        Ok(())
    }
    pub fn series(&mut self, r: &Reader, limits: &Limits) -> Result<()> {
        self.series += 1;
        if self.series > limits.series {
            return Err(r.limit(&format!("more runs or tenants in one file than the limit of {}", limits.series)));
        }
        Ok(())
    }
}

/// Words a parser did not know, with how often each came.
#[derive(Default)]
pub struct Unknown(Vec<(String, u32)>);

impl Unknown {
    pub fn count(&mut self, what: &str, word: &str) {
        let word = format!("{what}: {}", crate::json::cut(word, 60).0);
        let word = if self.0.len() < 100 || self.0.iter().any(|(known, _)| *known == word) { word } else { "others".into() };
        match self.0.iter_mut().find(|(known, _)| *known == word) {
            Some((_, times)) => *times += 1,
            None => self.0.push((word, 1)),
        }
    }
    pub fn list(self) -> Vec<(String, u32)> {
        self.0
    }
}

/// An instant as the tools write it: RFC 3339; without an offset it is UTC; `/Date(ms)/` from Windows PowerShell.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(millis) = text.strip_prefix("/Date(").and_then(|t| t.strip_suffix(")/")) {
        return Timestamp::from_millisecond(millis.parse().ok()?).ok();
    }
    text.parse().ok().or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp()))
}

/// The severity words of every family; `None` for a word no tool is known to use.
pub fn severity(word: &str) -> Option<Severity> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "blocker" | "very high" => Severity::Critical,
        "high" | "error" | "major" | "important" => Severity::High,
        "medium" | "moderate" | "warning" => Severity::Medium,
        "low" | "minor" | "note" => Severity::Low,
        "info" | "informational" | "information" | "recommendation" | "style" => Severity::Info,
        "none" | "unranked" => Severity::None,
        _ => return None,
    })
}

/// A link that is safe to offer: http or https, without white space. Anything else is dropped.
pub fn link(text: &str) -> Option<String> {
    let text = text.trim();
    let web = text.starts_with("https://") || text.starts_with("http://");
    (web && text.len() <= 2048 && !text.chars().any(|c| c.is_whitespace() || c.is_control())).then(|| text.to_owned())
}

/// One line of at most 300 bytes.
pub fn title(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    let (mut title, cut) = crate::json::cut(line, 300);
    if cut {
        title.push('…');
    }
    title
}

/// An observation with the members most families leave alone.
pub fn plain(check: String, fingerprint: [u8; 16], outcome: Outcome) -> Observation {
    Observation {
        check,
        fingerprint,
        content: 0,
        outcome,
        outcome_word: None,
        severity: Severity::None,
        severity_source: SeveritySource::Default,
        title: String::new(),
        message: String::new(),
        truncated: false,
        location: None,
        suppressed: None,
        baseline_state: None,
        references: Vec::new(),
    }
}
