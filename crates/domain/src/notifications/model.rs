//! What can be told, and the rules of telling it that need neither database nor network: what a rule wants, when a digest is due, how
//! long to wait after a failure, and what an address looks like to those who may not see it.

use bailiwick_base::{
    Code, DirectoryId, Family, FindingId, FixId, Outcome, Problem, Product, ProjectId, RunId, ScanId, SeriesId, Severity, Timestamp,
};
use bailiwick_contract::evidence::Named;
use bailiwick_contract::findings::{Drift, DriftCounts, DriftItem, Movement};
use bailiwick_contract::notifications::{EventKind, MailPreference, Timing, Weekday};
use jiff::ToSpan;
use jiff::civil::{self, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Something that happened and that people may want to be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run was settled into a series, and among its failing results some are not as they were. Whether any is worse is looked up later.
    DriftRegressed {
        run: RunId,
        series: SeriesId,
        directory: Option<DirectoryId>,
        project: Option<ProjectId>,
    },
    RunFailed {
        run: RunId,
        project: Option<ProjectId>,
    },
    ScanFailed {
        scan: ScanId,
        directory: DirectoryId,
    },
    FixWaiting(FixFacts),
    FixDone(FixFacts),
}

impl Event {
    pub fn kind(&self) -> EventKind {
        match self {
            Self::DriftRegressed { .. } => EventKind::DriftRegressed,
            Self::RunFailed { .. } => EventKind::RunFailed,
            Self::ScanFailed { .. } => EventKind::ScanFailed,
            Self::FixWaiting(_) => EventKind::FixWaiting,
            Self::FixDone(_) => EventKind::FixDone,
        }
    }
    pub fn directory(&self) -> Option<DirectoryId> {
        match self {
            Self::DriftRegressed { directory, .. } => *directory,
            Self::RunFailed { .. } => None,
            Self::ScanFailed { directory, .. } => Some(*directory),
            Self::FixWaiting(facts) | Self::FixDone(facts) => Some(facts.directory),
        }
    }
    pub fn project(&self) -> Option<ProjectId> {
        match self {
            Self::DriftRegressed { project, .. } | Self::RunFailed { project, .. } => *project,
            Self::ScanFailed { .. } | Self::FixWaiting(_) | Self::FixDone(_) => None,
        }
    }
}

/// What is told of a fix.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FixFacts {
    pub fix: FixId,
    pub directory: DirectoryId,
    /// What the fix does: the recipe's title, or the check's.
    pub title: String,
    /// What it changes, where that is one object of several.
    pub object: Option<String>,
    pub severity: Severity,
    /// `low`, `medium` or `high`.
    pub risk: String,
    /// Who planned it, had it applied, or took it back.
    pub by: String,
    /// The fix's state: `proposed`, `awaiting_second`, `applied`, `failed`, `stopped`, `rolled_back`, …
    pub outcome: String,
    /// One sentence for people.
    pub detail: String,
}

/// What there is to tell of an event: kept with it, so that every message about it says the same, whenever it is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Content {
    DriftRegressed(DriftContent),
    ScanFailed(FailedScan),
    RunFailed(FailedRun),
    FixWaiting(FixContent),
    FixDone(FixContent),
}

impl Content {
    pub fn kind(&self) -> EventKind {
        match self {
            Self::DriftRegressed(_) => EventKind::DriftRegressed,
            Self::ScanFailed(_) => EventKind::ScanFailed,
            Self::RunFailed(_) => EventKind::RunFailed,
            Self::FixWaiting(_) => EventKind::FixWaiting,
            Self::FixDone(_) => EventKind::FixDone,
        }
    }
}

/// What moved between a run and the one before it in its series.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DriftContent {
    pub run: RunId,
    pub from_run: RunId,
    pub family: Family,
    pub tool: String,
    pub source: String,
    pub directory: Option<Named<DirectoryId>>,
    pub project: Option<Named<ProjectId>>,
    pub at: Timestamp,
    pub posture_before: Option<f64>,
    pub posture: Option<f64>,
    pub counts: DriftCounts,
    /// Regressions by severity, by the word.
    pub by_severity: BTreeMap<String, u32>,
    /// The worst first; at most [`KEPT`].
    pub regressions: Vec<Line>,
    /// At most [`KEPT_FIXED`].
    pub fixed: Vec<Line>,
}

/// Lines of one drift that are kept to be told; the counts hold all.
pub const KEPT: usize = 100;
pub const KEPT_FIXED: usize = 20;

/// One check that moved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    pub check_key: String,
    pub title: String,
    pub severity: Severity,
    pub product: Option<Product>,
    pub from: Option<Outcome>,
    pub to: Option<Outcome>,
    pub place: Option<String>,
    pub finding: Option<FindingId>,
}

impl From<&DriftItem> for Line {
    fn from(item: &DriftItem) -> Self {
        let place = item.location.as_ref().map(|location| match location.start_line {
            Some(line) => format!("{}:{line}", location.path),
            None => location.path.clone(),
        });
        let cut = |text: &str| text.chars().take(300).collect::<String>();
        Self {
            check_key: cut(&item.check_key),
            title: cut(&item.title),
            severity: item.severity,
            product: item.product,
            from: item.from,
            to: item.to,
            place: place.map(|place| cut(&place)),
            finding: item.finding,
        }
    }
}

impl DriftContent {
    /// From a comparison that lists every regression.
    pub fn of(drift: &Drift) -> Self {
        let of = |movement: Movement| drift.items.iter().filter(move |item| item.movement == movement);
        let mut by_severity: BTreeMap<String, u32> = BTreeMap::new();
        for item in of(Movement::Regression) {
            *by_severity.entry(item.severity.as_str().to_owned()).or_default() += 1;
        }
        Self {
            run: drift.to.run,
            from_run: drift.from.run,
            family: drift.series.family,
            tool: drift.series.tool.clone(),
            source: drift.to.source.clone(),
            directory: drift.series.directory.clone(),
            project: drift.series.project.clone(),
            at: drift.to.at,
            posture_before: drift.from.posture,
            posture: drift.to.posture,
            counts: drift.counts,
            by_severity,
            regressions: of(Movement::Regression).take(KEPT).map(Line::from).collect(),
            fixed: of(Movement::Fixed).take(KEPT_FIXED).map(Line::from).collect(),
        }
    }

    /// Regressions of at least a severity.
    pub fn regressions_from(&self, least: Option<Severity>) -> u32 {
        let counts = |word: &str| least.is_none_or(|least| Severity::parse(word).is_some_and(|severity| severity >= least));
        self.by_severity.iter().filter(|(word, _)| counts(word)).map(|(_, times)| times).sum()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailedScan {
    pub scan: ScanId,
    pub directory: Named<DirectoryId>,
    /// `compliance` or `exposure`.
    pub kind: String,
    pub code: String,
    pub detail: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailedRun {
    pub run: RunId,
    pub source: String,
    pub project: Option<Named<ProjectId>>,
    pub code: String,
    pub detail: String,
    pub place: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FixContent {
    #[serde(flatten)]
    pub facts: FixFacts,
    pub directory_name: String,
}

/// What of a rule decides whether it wants an event.
#[derive(Debug, Clone)]
pub struct Wants {
    pub events: Vec<EventKind>,
    pub min_severity: Option<Severity>,
    pub min_regressions: u32,
    pub directories: Vec<DirectoryId>,
    pub projects: Vec<ProjectId>,
}

/// Whether a rule may want an event of this kind from there; what it holds is not looked at.
pub fn concerns(wants: &Wants, event: &Event) -> bool {
    let within = |list: &[DirectoryId]| list.is_empty() || event.directory().is_some_and(|directory| list.contains(&directory));
    let projects = wants.projects.is_empty() || event.project().is_some_and(|project| wants.projects.contains(&project));
    wants.events.contains(&event.kind()) && within(&wants.directories) && projects
}

/// Whether what happened is enough for a rule. A drift without a regression is enough for none.
pub fn enough(wants: &Wants, content: &Content) -> bool {
    match content {
        Content::DriftRegressed(drift) => drift.regressions_from(wants.min_severity) >= wants.min_regressions.max(1),
        _ => true,
    }
}

/// Whether somebody who wants this much mail gets a message that is sent at once, or gathered.
pub fn wanted(mail: MailPreference, gathered: bool) -> bool {
    match mail {
        MailPreference::All => true,
        MailPreference::Digest => gathered,
        MailPreference::None => false,
    }
}

fn bad(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Code::BadRequest, detail).at(field)
}

/// The hour and minute of a time of day.
fn time_of_day(text: &str) -> Result<Time, Problem> {
    let parts = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
    let time = parts.and_then(|(hour, minute)| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok());
    time.ok_or_else(|| bad("timing.at", format!("{text:?} is no time of day. Write it like 07:30.")))
}

fn weekday(day: Weekday) -> civil::Weekday {
    match day {
        Weekday::Monday => civil::Weekday::Monday,
        Weekday::Tuesday => civil::Weekday::Tuesday,
        Weekday::Wednesday => civil::Weekday::Wednesday,
        Weekday::Thursday => civil::Weekday::Thursday,
        Weekday::Friday => civil::Weekday::Friday,
        Weekday::Saturday => civil::Weekday::Saturday,
        Weekday::Sunday => civil::Weekday::Sunday,
    }
}

/// The next moment a rule sends what it gathered: after `now`, in the rule's own zone. Nothing for rules that send at once.
///
/// # Errors
/// `bad_request`: the time or the zone is not one.
pub fn next_digest(timing: &Timing, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let (on, at, zone) = match timing {
        Timing::Immediate {} => return Ok(None),
        Timing::Daily { at, time_zone } => (None, at, time_zone),
        Timing::Weekly { day, at, time_zone } => (Some(weekday(*day)), at, time_zone),
    };
    let time = time_of_day(at)?;
    let zone = TimeZone::get(zone)
        .map_err(|_| bad("timing.time_zone", format!("{zone:?} is no IANA time zone. Write one like Europe/Berlin or UTC.")))?;
    let today = now.to_zoned(zone.clone()).date();
    for days in 0..=8 {
        let date = today.saturating_add(days.days());
        if on.is_some_and(|day| date.weekday() != day) {
            continue;
        }
        // A time that the clocks skip comes as much later as they were put forward.
        let moment = date.to_datetime(time).to_zoned(zone.clone()).map_err(Problem::internal)?.timestamp();
        if moment > now {
            return Ok(Some(moment));
        }
    }
    Err(Problem::internal("no day of the coming week is the day of the digest"))
}

/// Events that wait for one digest; what happens beyond that is not gathered.
pub const GATHERED: u32 = 500;

/// Messages that nobody takes are given up after so long: a weekend and a day.
pub const PATIENCE: Duration = Duration::from_secs(72 * 3600);
/// So many refusals in a row break a channel.
pub const REFUSALS: i32 = 3;
/// What the other side may ask us to wait at most.
const LONGEST_ASKED: Duration = Duration::from_secs(6 * 3600);
const LONGEST: Duration = Duration::from_secs(1800);

/// How long to wait after so many failures in a row (1 is the first): half a minute, doubling, up to half an hour; longer where the
/// other side asked for it.
pub fn wait_after(failures: i32, asked: Option<Duration>) -> Duration {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(10);
    let own = (Duration::from_secs(30) * 2u32.pow(doublings)).min(LONGEST);
    asked.map_or(own, |asked| asked.min(LONGEST_ASKED).max(own))
}

/// An address for those who hold no more than a link: the first and last letter of its name.
pub fn masked_address(address: &str) -> String {
    let Some((name, domain)) = address.rsplit_once('@') else { return "…".into() };
    let (first, last) = (name.chars().next(), name.chars().last());
    match (first, last) {
        (Some(first), Some(last)) if name.chars().count() > 2 => format!("{first}…{last}@{domain}"),
        _ => format!("…@{domain}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daily(time: &str, zone: &str) -> Timing {
        Timing::Daily { at: time.into(), time_zone: zone.into() }
    }

    #[test]
    fn a_digest_is_due_in_its_own_zone_also_when_clocks_change() {
        let next = |timing: &Timing, now: &str| next_digest(timing, at(now)).unwrap().unwrap();
        assert_eq!(next(&daily("07:30", "UTC"), "2026-11-22T08:00:00Z"), at("2026-11-23T07:30:00Z"));
        assert_eq!(next(&daily("07:30", "UTC"), "2026-11-22T07:29:59Z"), at("2026-11-22T07:30:00Z"));
        assert_eq!(next(&daily("07:30", "UTC"), "2026-11-22T07:30:00Z"), at("2026-11-23T07:30:00Z"));
        assert_eq!(next(&daily("07:30", "Europe/Berlin"), "2026-11-22T08:00:00Z"), at("2026-11-23T06:30:00Z"));
        assert_eq!(next(&daily("07:30", "Europe/Berlin"), "2026-07-22T08:00:00Z"), at("2026-07-23T05:30:00Z"));
        // 2026-03-29, Berlin goes from 02:00 to 03:00: half past two comes at half past three.
        assert_eq!(next(&daily("02:30", "Europe/Berlin"), "2026-03-28T12:00:00Z"), at("2026-03-29T01:30:00Z"));
        // The local day is another one than UTC's.
        assert_eq!(next(&daily("06:00", "Pacific/Auckland"), "2026-11-22T18:00:00Z"), at("2026-11-23T17:00:00Z"));
        let monday = Timing::Weekly { day: Weekday::Monday, at: "08:00".into(), time_zone: "UTC".into() };
        assert_eq!(next(&monday, "2026-11-23T07:59:00Z"), at("2026-11-23T08:00:00Z"));
        assert_eq!(next(&monday, "2026-11-23T08:00:00Z"), at("2026-11-30T08:00:00Z"));
        assert_eq!(next_digest(&Timing::Immediate {}, at("2026-11-22T08:00:00Z")).unwrap(), None);
    }

    #[test]
    fn what_is_no_time_or_zone_is_refused_by_name() {
        let place = |time, zone| next_digest(&daily(time, zone), Timestamp::UNIX_EPOCH).unwrap_err().place.unwrap();
        for time in ["", "7:30", "24:00", "07:60", "07:30:00", "-1:30", "aa:bb"] {
            assert_eq!(place(time, "UTC"), "timing.at", "{time:?}");
        }
        assert_eq!(place("07:30", "Berlin"), "timing.time_zone");
    }

    #[test]
    fn waits_double_up_to_half_an_hour_and_heed_what_is_asked() {
        let seconds = |failures, asked: Option<u64>| wait_after(failures, asked.map(Duration::from_secs)).as_secs();
        assert_eq!([1, 2, 3, 6, 7, 50].map(|n| seconds(n, None)), [30, 60, 120, 960, 1800, 1800]);
        assert_eq!((seconds(1, Some(90)), seconds(3, Some(1))), (90, 120));
        assert_eq!(seconds(1, Some(u64::MAX)), 6 * 3600, "nobody keeps us waiting for ever");
    }

    fn drift(counts: &[(&str, u32)]) -> Content {
        let content = super::super::render::sample::drift();
        let by_severity = counts.iter().map(|(word, times)| ((*word).to_owned(), *times)).collect();
        Content::DriftRegressed(DriftContent { by_severity, ..content })
    }

    fn wants(min_severity: Option<Severity>, min_regressions: u32) -> Wants {
        Wants { events: vec![EventKind::DriftRegressed], min_severity, min_regressions, directories: vec![], projects: vec![] }
    }

    /// I83: whatever a rule's threshold, nothing worse is nothing to tell.
    #[test]
    fn i83_a_drift_without_a_regression_is_enough_for_no_rule() {
        for threshold in [0, 1, 2] {
            assert!(!enough(&wants(None, threshold), &drift(&[])));
            assert!(!enough(&wants(Some(Severity::High), threshold), &drift(&[("medium", 7)])));
        }
    }

    #[test]
    fn thresholds_count_what_is_severe_enough() {
        let content = drift(&[("critical", 1), ("high", 2), ("low", 9)]);
        assert!(enough(&wants(None, 12), &content) && !enough(&wants(None, 13), &content));
        assert!(enough(&wants(Some(Severity::High), 3), &content) && !enough(&wants(Some(Severity::High), 4), &content));
        assert!(enough(&wants(Some(Severity::Critical), 1), &content));
    }

    #[test]
    fn a_rule_for_some_directories_or_projects_is_not_concerned_by_others() {
        let id = |n: u128| uuid::Uuid::from_u128(n);
        let event = |directory: Option<u128>, project: Option<u128>| Event::DriftRegressed {
            run: RunId(id(1)),
            series: SeriesId(id(2)),
            directory: directory.map(|n| DirectoryId(id(n))),
            project: project.map(|n| ProjectId(id(n))),
        };
        let all = wants(None, 1);
        assert!(concerns(&all, &event(None, None)) && concerns(&all, &event(Some(3), Some(4))));
        let some = Wants { directories: vec![DirectoryId(id(3))], ..all.clone() };
        assert!(
            concerns(&some, &event(Some(3), None)) && !concerns(&some, &event(Some(5), None)) && !concerns(&some, &event(None, Some(4)))
        );
        let some = Wants { projects: vec![ProjectId(id(4))], ..all.clone() };
        assert!(concerns(&some, &event(None, Some(4))) && !concerns(&some, &event(None, None)));
        assert!(!concerns(&all, &Event::RunFailed { run: RunId(id(1)), project: None }));
    }

    #[test]
    fn an_address_is_told_apart_and_not_told() {
        assert_eq!(masked_address("avery@contoso.com"), "a…y@contoso.com");
        assert_eq!(masked_address("ab@contoso.com"), "…@contoso.com");
        assert_eq!(masked_address("nonsense"), "…");
    }
}
