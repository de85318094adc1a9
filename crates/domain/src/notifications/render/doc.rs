//! The document: what a message says, before it is known how. Mail, text and card are made from it, so they say the same.

use super::words::{line, many, moment, outcome_word, percent, product_word, severities, severity_word};
use super::{Item, Message, TOLD, What};
use crate::notifications::model::{Content, DriftContent, FailedRun, FailedScan, FixContent, Line};
use serde::Serialize;
use url::Url;

/// Checks that one section lists, where a message has one section, and where it has several.
const LISTED: usize = 25;
const LISTED_OF_SEVERAL: usize = 8;
const FIXED: usize = 5;
/// Characters of a subject, a name, a sentence.
const SUBJECT: usize = 160;
const NAME: usize = 160;
const SENTENCE: usize = 600;

#[derive(Debug, Clone, Serialize)]
pub struct Doc {
    pub subject: String,
    /// What shows beside the subject before the mail is opened.
    pub preview: String,
    pub title: String,
    /// Below the title: who, when.
    pub subtitle: String,
    pub sections: Vec<Section>,
    /// Sections that did not fit.
    pub more_sections: u32,
    /// Why this came.
    pub reason: String,
    pub preferences: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Bad,
    Good,
    Neutral,
}

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub tone: Tone,
    pub title: String,
    /// Where and when, in one line.
    pub context: String,
    pub figures: Vec<Figure>,
    pub paragraphs: Vec<String>,
    /// What the lines are, e.g. `Worse than before`.
    pub heading: Option<String>,
    pub lines: Vec<Listed>,
    /// Lines that are not listed here.
    pub more: u32,
    pub fixed: Vec<String>,
    pub more_fixed: u32,
    pub action: Option<Link>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub value: String,
    pub label: String,
    pub tone: Tone,
}

/// One check of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// The word as data: `critical`, `high`, …
    pub severity: &'static str,
    pub severity_word: &'static str,
    pub title: String,
    /// Check, product and place, in one line.
    pub about: String,
    pub was: &'static str,
    pub is: &'static str,
    pub url: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Link {
    pub label: &'static str,
    pub url: String,
}

/// An address of the portal.
fn page(portal: &Url, path: &str, query: &[(&str, String)]) -> String {
    let mut url = portal.clone();
    url.set_path(&format!("{}{path}", portal.path().trim_end_matches('/')));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url.into()
}

impl Doc {
    pub fn of(message: &Message) -> Self {
        let preferences = page(&message.portal, "/notifications/me", &[]);
        let tenant = line(&message.tenant, NAME);
        let reason = match &message.rule {
            Some(rule) => format!("You get this because of the notification rule “{}” of {tenant} in Bailiwick.", line(rule, NAME)),
            None => format!("You get this from {tenant} in Bailiwick."),
        };
        let doc = |subject: String, preview: String, title: String, sections: Vec<Section>| Self {
            subject: line(&subject, SUBJECT),
            preview: line(&preview, 200),
            title,
            subtitle: tenant.clone(),
            more_sections: 0,
            sections,
            reason,
            preferences,
        };
        match &message.what {
            What::Events { gathered: false, items, .. } if items.len() == 1 => {
                let section = section(message, &items[0], LISTED);
                let place = place_of(&items[0].content);
                doc(format!("{place}: {}", lower_first(&section.title)), preview(&section), section.title.clone(), vec![section])
            }
            What::Events { items, more, .. } => {
                let all: Vec<Section> = items.iter().take(TOLD).map(|item| section(message, item, LISTED_OF_SEVERAL)).collect();
                let summary = summary(message, items, *more);
                let mut doc = doc(format!("{tenant}: {summary}"), summary.clone(), upper_first(&summary), all);
                doc.more_sections = *more;
                doc
            }
            What::Test { channel } => {
                let channel = line(channel, NAME);
                let paragraph = format!("The channel “{channel}” reaches you. Nothing has happened; somebody asked for this message.");
                let section =
                    said(Tone::Good, "This is a test", paragraph, link("Open the channels", page(&message.portal, "/notifications", &[])));
                doc(format!("{tenant}: test of the channel “{channel}”"), section.paragraphs[0].clone(), "It works".into(), vec![section])
            }
            What::Broken { channel, detail } => {
                let channel = line(channel, NAME);
                let mut section = said(
                    Tone::Bad,
                    "A channel is broken",
                    format!(
                        "Messages through the channel “{channel}” were refused three times in a row, so nothing more is sent through it."
                    ),
                    link("Open the channels", page(&message.portal, "/notifications", &[])),
                );
                let detail = line(detail, SENTENCE);
                let preview = if detail.is_empty() { section.paragraphs[0].clone() } else { detail.clone() };
                section.paragraphs.extend((!detail.is_empty()).then_some(detail));
                section.paragraphs.push("What waits for it is kept for three days and sent once the channel works again.".into());
                doc(format!("{tenant}: the channel “{channel}” is broken"), preview, "A channel is broken".into(), vec![section])
            }
        }
    }
}

fn link(label: &'static str, url: String) -> Option<Link> {
    Some(Link { label, url })
}

fn said(tone: Tone, title: &str, paragraph: String, action: Option<Link>) -> Section {
    Section {
        tone,
        title: title.into(),
        context: String::new(),
        figures: vec![],
        paragraphs: vec![paragraph],
        heading: None,
        lines: vec![],
        more: 0,
        fixed: vec![],
        more_fixed: 0,
        action,
    }
}

fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Whose event it is, as a subject begins.
fn place_of(content: &Content) -> String {
    let name = match content {
        Content::DriftRegressed(drift) => drift_place(drift),
        Content::ScanFailed(scan) => &scan.directory.name,
        Content::RunFailed(run) => run.project.as_ref().map_or(&run.source, |project| &project.name),
        Content::FixWaiting(fix) | Content::FixDone(fix) => &fix.directory_name,
    };
    line(name, 80)
}

fn drift_place(drift: &DriftContent) -> &str {
    drift.directory.as_ref().map(|d| &d.name).or(drift.project.as_ref().map(|p| &p.name)).unwrap_or(&drift.tool)
}

/// Several events in one phrase: `5 checks got worse, 1 scan failed`.
fn summary(message: &Message, items: &[Item], beside: u32) -> String {
    let (mut worse, mut scans, mut runs, mut waiting, mut done) = (0, 0, 0, 0, 0);
    for item in items {
        match &*item.content {
            Content::DriftRegressed(drift) => worse += drift.regressions_from(message.min_severity),
            Content::ScanFailed(_) => scans += 1,
            Content::RunFailed(_) => runs += 1,
            Content::FixWaiting(_) => waiting += 1,
            Content::FixDone(_) => done += 1,
        }
    }
    let parts = [
        (worse, "check got worse", "checks got worse"),
        (scans, "scan failed", "scans failed"),
        (runs, "report was refused", "reports were refused"),
        (waiting, "fix waits for approval", "fixes wait for approval"),
        (done, "fix came to its end", "fixes came to their end"),
    ];
    let parts = parts.iter().filter(|(count, ..)| *count > 0).map(|(count, one, more)| many(*count, one, more));
    let mut parts: Vec<String> = parts.collect();
    parts.extend((beside > 0).then(|| many(beside, "more event", "more events")));
    parts.join(", ")
}

fn section(message: &Message, item: &Item, listed: usize) -> Section {
    let portal = &message.portal;
    match &*item.content {
        Content::DriftRegressed(drift) => drift_section(message, drift, listed),
        Content::ScanFailed(scan) => scan_section(portal, scan, item),
        Content::RunFailed(run) => run_section(portal, run, item),
        Content::FixWaiting(fix) => fix_section(portal, fix, item, true),
        Content::FixDone(fix) => fix_section(portal, fix, item, false),
    }
}

fn preview(section: &Section) -> String {
    match section.lines.first() {
        Some(first) => section.lines.iter().skip(1).fold(first.title.clone(), |told, line| format!("{told} · {}", line.title)),
        None => section.paragraphs.first().cloned().unwrap_or_default(),
    }
}

fn drift_section(message: &Message, drift: &DriftContent, listed: usize) -> Section {
    let (portal, least) = (&message.portal, message.min_severity);
    let worse = drift.regressions_from(least);
    let lines: Vec<Listed> =
        drift.regressions.iter().filter(|l| least.is_none_or(|least| l.severity >= least)).take(listed).map(|l| shown(portal, l)).collect();
    let mut figures = vec![Figure { value: worse.to_string(), label: "got worse".into(), tone: Tone::Bad }];
    figures.push(Figure {
        value: drift.counts.fixed.to_string(),
        label: "fixed".into(),
        tone: if drift.counts.fixed > 0 { Tone::Good } else { Tone::Neutral },
    });
    if let Some(posture) = drift.posture {
        let before = drift.posture_before.unwrap_or(posture);
        let tone = if posture < before { Tone::Bad } else { Tone::Neutral };
        figures.push(Figure { value: percent(posture), label: format!("passed, was {}", percent(before)), tone });
    }
    let by = severities(&drift.by_severity, least);
    let fixed: Vec<String> =
        drift.fixed.iter().take(FIXED).map(|l| format!("{} ({})", line(&l.title, NAME), line(&l.check_key, 80))).collect();
    let place = line(drift_place(drift), 80);
    let tool = if place == drift.tool { String::new() } else { format!("{} · ", line(&drift.tool, 80)) };
    Section {
        tone: Tone::Bad,
        title: format!("{} ({by})", many(worse, "check got worse", "checks got worse")),
        context: format!("{place} · {tool}{} · {}", line(&drift.source, 80), moment(drift.at)),
        figures,
        paragraphs: vec![],
        heading: Some("Worse than before".into()),
        more: worse.saturating_sub(u32::try_from(lines.len()).unwrap_or(u32::MAX)),
        lines,
        more_fixed: drift.counts.fixed.saturating_sub(u32::try_from(fixed.len()).unwrap_or(u32::MAX)),
        fixed,
        action: link("See all changes", page(portal, "/changes", &[("from", drift.from_run.to_string()), ("to", drift.run.to_string())])),
    }
}

fn shown(portal: &Url, of: &Line) -> Listed {
    let mut about = vec![line(&of.check_key, 80)];
    about.extend(of.product.map(product_word));
    about.extend(of.place.as_ref().map(|place| line(place, 120)));
    Listed {
        severity: of.severity.as_str(),
        severity_word: severity_word(of.severity),
        title: line(&of.title, NAME),
        about: about.join(" · "),
        was: outcome_word(of.from),
        is: outcome_word(of.to),
        url: of.finding.map(|finding| page(portal, "/findings", &[("item", finding.to_string())])),
    }
}

fn scan_section(portal: &Url, scan: &FailedScan, item: &Item) -> Section {
    let mut section = said(
        Tone::Bad,
        &format!("The {} scan failed", line(&scan.kind, 40)),
        line(&scan.detail, SENTENCE),
        link("Open the scan", page(portal, &format!("/scans/{}", scan.scan), &[])),
    );
    section.context = format!("{} · {}", line(&scan.directory.name, 80), moment(item.at));
    section
}

fn run_section(portal: &Url, run: &FailedRun, item: &Item) -> Section {
    let mut section = said(
        Tone::Bad,
        "A report was refused",
        line(&run.detail, SENTENCE),
        link("Open the run", page(portal, &format!("/runs/{}", run.run), &[])),
    );
    section.paragraphs.extend(run.place.as_ref().map(|place| format!("Where: {}", line(place, 200))));
    let project = run.project.as_ref().map(|project| format!("{} · ", line(&project.name, 80))).unwrap_or_default();
    section.context = format!("{project}{} · {}", line(&run.source, 80), moment(item.at));
    section
}

fn fix_section(portal: &Url, fix: &FixContent, item: &Item, waiting: bool) -> Section {
    let facts = &fix.facts;
    let title = line(&facts.title, NAME);
    let (tone, said_of) = match facts.outcome.as_str() {
        _ if waiting => (Tone::Neutral, "A fix waits for approval"),
        "applied" => (Tone::Good, "A fix was applied"),
        "rolled_back" => (Tone::Neutral, "A fix was taken back"),
        "stopped" => (Tone::Bad, "A fix was stopped: the value had changed"),
        "rollback_failed" => (Tone::Bad, "A fix could not be taken back"),
        _ => (Tone::Bad, "A fix failed"),
    };
    let mut section = said(
        tone,
        &format!("{said_of}: {title}"),
        line(&facts.detail, SENTENCE),
        link(if waiting { "Review the fix" } else { "Open the fix" }, page(portal, "/fixes", &[("item", facts.fix.to_string())])),
    );
    let mut about = vec![
        format!("Risk: {}", line(&facts.risk, 20)),
        format!("Severity of what it fixes: {}", severity_word(facts.severity).to_lowercase()),
        format!("By: {}", line(&facts.by, 120)),
    ];
    about.extend(facts.object.as_ref().map(|object| format!("Object: {}", line(object, NAME))));
    section.paragraphs.push(about.join(" · "));
    section.paragraphs.retain(|paragraph| !paragraph.is_empty());
    section.context = format!("{} · {}", line(&fix.directory_name, 80), moment(item.at));
    section
}
