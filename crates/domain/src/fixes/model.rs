//! Rules of fixes that need neither database nor cloud: when a window is open, what may be done in which state, and what of a request
//! and an answer is kept.

use bailiwick_base::{Code, Problem, Timestamp};
use bailiwick_contract::fixes::{ChangeWindow, FixMay, FixSettings, FixState, Weekday};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use serde_json::{Map, Value, json};

/// What a tenant must have for fixes, and for containment.
pub const FIXES: &str = "fixes";
pub const CONTAINMENT: &str = "containment";
/// Every name an operator may give.
pub const ENTITLEMENTS: [&str; 2] = [FIXES, CONTAINMENT];

/// Bytes of one answer that are kept.
const KEPT_BYTES: usize = 16 << 10;
/// A fix may be ordered for at most this long ahead.
const LONGEST_AHEAD: i64 = 90 * 24;

fn bad(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Code::BadRequest, detail).at(field)
}

fn time_of(field: &str, text: &str) -> Result<Time, Problem> {
    let parsed = (text.len() == 5).then(|| Time::strptime("%H:%M", text).ok()).flatten();
    parsed.ok_or_else(|| bad(field, format!("{text:?} is no time of day. Write hours and minutes, e.g. 22:00.")))
}

/// Checks an owner's decision.
///
/// # Errors
/// `bad_request`, naming the member.
pub fn check_settings(settings: &FixSettings) -> Result<(), Problem> {
    let Some(window) = &settings.window else { return Ok(()) };
    if window.days.is_empty() {
        return Err(bad("window.days", "A change window opens on at least one day. Name one, or leave the window out."));
    }
    let (from, until) = (time_of("window.from", &window.from)?, time_of("window.until", &window.until)?);
    if from == until {
        return Err(bad("window.until", "The window closes when it opens. Name two different times, or leave the window out."));
    }
    TimeZone::get(&window.time_zone)
        .map(drop)
        .map_err(|_| bad("window.time_zone", format!("{:?} is no IANA time zone. Write one like Europe/Berlin or UTC.", window.time_zone)))
}

fn weekday(date: Date) -> Weekday {
    use jiff::civil::Weekday as Day;
    match date.weekday() {
        Day::Monday => Weekday::Monday,
        Day::Tuesday => Weekday::Tuesday,
        Day::Wednesday => Weekday::Wednesday,
        Day::Thursday => Weekday::Thursday,
        Day::Friday => Weekday::Friday,
        Day::Saturday => Weekday::Saturday,
        Day::Sunday => Weekday::Sunday,
    }
}

/// When a window opens next, seen from a moment; none while it is open. A window that cannot be read never opens within a week: then a
/// week later is asked again.
pub fn opens_at(window: &ChangeWindow, at: Timestamp) -> Option<Timestamp> {
    let a_week_on = at.checked_add(168.hours()).unwrap_or(at);
    let Ok(zone) = TimeZone::get(&window.time_zone) else { return Some(a_week_on) };
    let (Ok(from), Ok(until)) = (time_of("from", &window.from), time_of("until", &window.until)) else { return Some(a_week_on) };
    let today = at.to_zoned(zone.clone()).date();
    let moment = |date: Date, time: Time| date.to_datetime(time).to_zoned(zone.clone()).map(|zoned| zoned.timestamp());
    // From yesterday, whose window may still be open, to the same day of the next week.
    for offset in -1..=7 {
        let Ok(day) = today.checked_add(offset.days()) else { continue };
        if !window.days.contains(&weekday(day)) {
            continue;
        }
        let closing_day = if until > from { Ok(day) } else { day.tomorrow() };
        let (Ok(opens), Ok(closes)) = (moment(day, from), closing_day.and_then(|day| moment(day, until))) else { continue };
        if at < opens {
            return Some(opens);
        }
        if at < closes {
            return None;
        }
    }
    Some(a_week_on)
}

/// When something ordered for a time is due: then, or when the window opens after it.
pub fn due(settings: &FixSettings, at: Timestamp) -> Timestamp {
    settings.window.as_ref().and_then(|window| opens_at(window, at)).unwrap_or(at)
}

/// Checks the time somebody orders a fix for.
///
/// # Errors
/// `bad_request`: it is further ahead than may be.
pub fn check_time(at: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if at.duration_since(now) > SignedDuration::from_hours(LONGEST_AHEAD) {
        return Err(bad("at", "A fix may be ordered for at most 90 days ahead. Choose an earlier time."));
    }
    Ok(())
}

/// What decides over what may be done with a fix, beside its own row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around {
    pub entitled: bool,
    pub enabled: bool,
    pub writer: bool,
    pub assistant: bool,
}

/// A fix as far as these rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub state: FixState,
    /// How many have approved it, and whether the caller is one of them.
    pub approvals: usize,
    pub approved_by_caller: bool,
    pub needed: u8,
    /// Whether what it made is known, where it made something.
    pub known: bool,
    /// Whether a write of ours did it, or may have: what was so already is somebody else's, and not taken back.
    pub wrote: bool,
}

/// Why something cannot be done, with the code for scripts.
pub type WhyNot = (Code, String);

fn not(code: Code, detail: impl Into<String>) -> Option<WhyNot> {
    Some((code, detail.into()))
}

fn off(around: Around) -> Option<WhyNot> {
    if !around.entitled {
        return not(Code::NotEntitled, "Your organisation does not have fixes here. Ask the operator.");
    }
    if !around.enabled {
        return not(Code::FixesOff, "Fixes are off for this directory. An owner turns them on in the settings of fixes.");
    }
    None
}

fn no_writer(around: Around) -> Option<WhyNot> {
    let detail = "No connection writes to this directory. Connect it for fixes first: that is a second consent.";
    if around.writer { None } else { not(Code::NotConnected, detail) }
}

fn standing(state: FixState) -> String {
    let words = match state {
        FixState::Proposed => "It waits for its first approval.",
        FixState::AwaitingSecond => "It waits for a second person's approval.",
        FixState::Approved => "It has its approvals.",
        FixState::Scheduled => "It is ordered for later.",
        FixState::Applying => "It is being applied.",
        FixState::Applied => "It is applied.",
        FixState::Stopped => "It was stopped, because the value had changed since it was shown. Plan again.",
        FixState::Failed => "It failed.",
        FixState::RollingBack => "It is being rolled back.",
        FixState::RolledBack => "It was rolled back. Plan again to propose it anew.",
        FixState::RollbackFailed => "Rolling it back failed.",
        FixState::Dismissed => "It was dismissed. Plan again to propose it anew.",
        FixState::Superseded => "A newer plan took its place.",
    };
    words.into()
}

/// Why the caller may not approve it.
pub fn why_not_approve(fix: Look, around: Around) -> Option<WhyNot> {
    match fix.state {
        FixState::AwaitingSecond | FixState::Approved | FixState::Scheduled if fix.approved_by_caller => {
            not(Code::SameApprover, "You approved it already. Where a second approval is needed, it is another person's.")
        }
        FixState::Proposed | FixState::AwaitingSecond => off(around),
        state => not(Code::WrongState, standing(state)),
    }
}

/// Why it may not be applied.
pub fn why_not_apply(fix: Look, around: Around) -> Option<WhyNot> {
    match fix.state {
        FixState::Approved | FixState::Scheduled | FixState::Failed if fix.approvals >= usize::from(fix.needed) => {
            off(around).or_else(|| no_writer(around))
        }
        FixState::Failed => not(Code::WrongState, "It failed, and lacks an approval that is needed now. Plan again."),
        FixState::Approved | FixState::Scheduled => not(
            Code::WrongState,
            "An approval does not count any more, because whoever gave it may not approve now. Withdraw it and plan again.",
        ),
        state => not(Code::WrongState, standing(state)),
    }
}

/// Why it may not be rolled back.
pub fn why_not_roll_back(fix: Look, around: Around) -> Option<WhyNot> {
    match fix.state {
        FixState::Applied | FixState::RollbackFailed if !fix.wrote => {
            not(Code::WrongState, "It was so already when it was applied, and nothing was sent: there is nothing of ours to take back.")
        }
        FixState::Applied | FixState::RollbackFailed if !fix.known => {
            not(Code::WrongState, "What it made is not known, so it cannot be taken back from here. Find it by the mark in its name.")
        }
        FixState::Applied | FixState::RollbackFailed => off(around).or_else(|| no_writer(around)),
        FixState::RollingBack | FixState::RolledBack => not(Code::WrongState, standing(fix.state)),
        _ => not(Code::WrongState, "It is not applied, so there is nothing to take back."),
    }
}

/// Why it may not be withdrawn. Taking back what one allowed is never refused for what is switched off.
pub fn why_not_withdraw(fix: Look) -> Option<WhyNot> {
    match fix.state {
        FixState::Proposed | FixState::AwaitingSecond | FixState::Approved | FixState::Scheduled | FixState::Failed | FixState::Stopped => {
            None
        }
        state => not(Code::WrongState, standing(state)),
    }
}

/// All of it, for people.
pub fn may(fix: Look, around: Around) -> FixMay {
    let words = |why: Option<WhyNot>| why.map(|(_, words)| words);
    FixMay {
        approve: words(why_not_approve(fix, around)),
        apply: words(why_not_apply(fix, around)),
        roll_back: words(why_not_roll_back(fix, around)),
        withdraw: words(why_not_withdraw(fix)),
        explain: (!around.assistant).then(|| "No assistant is configured.".into()),
    }
}

/// The problem a reason stands for.
pub fn problem((code, detail): WhyNot) -> Problem {
    Problem::new(code, detail)
}

/// The state that a number of approvals comes to.
pub fn approved_state(approvals: usize, needed: u8) -> FixState {
    match approvals {
        0 => FixState::Proposed,
        n if n >= usize::from(needed) => FixState::Approved,
        _ => FixState::AwaitingSecond,
    }
}

/// Members whose text is a secret wherever they stand.
const SECRET: [&str; 12] = [
    "password",
    "secrettext",
    "clientsecret",
    "secret",
    "sharedkey",
    "accountkey",
    "accesskey",
    "primarykey",
    "secondarykey",
    "connectionstring",
    "accesstoken",
    "privatekey",
];

/// A body without the texts of secrets.
pub fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), member(name, value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(redacted).collect(),
        other => other.clone(),
    }
}

fn member(name: &str, value: &Value) -> Value {
    let name = name.to_ascii_lowercase();
    match value {
        Value::String(_) if SECRET.iter().any(|secret| name == *secret) => json!("(left out)"),
        value => redacted(value),
    }
}

/// An answer as it is kept: without secrets, and only its beginning where it is long.
pub fn kept(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let value = serde_json::from_slice(body).map(|value| redacted(&value)).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)));
    let text = value.to_string();
    if text.len() <= KEPT_BYTES {
        return Some(value);
    }
    let end = (0..=KEPT_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Some(json!({"cut_after_bytes": end, "of_bytes": text.len(), "begins": text.get(..end)}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[Weekday], from: &str, until: &str, zone: &str) -> ChangeWindow {
        ChangeWindow { days: days.to_vec(), from: from.into(), until: until.into(), time_zone: zone.into() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_opens() {
        // 2026-11-23 is a Monday.
        let night = window(&[Weekday::Monday], "22:00", "04:00", "Europe/Berlin");
        assert_eq!(opens_at(&night, at("2026-11-23T20:59:00Z")), Some(at("2026-11-23T21:00:00Z")));
        assert_eq!(opens_at(&night, at("2026-11-23T21:00:00Z")), None);
        assert_eq!(opens_at(&night, at("2026-11-24T02:59:59Z")), None);
        assert_eq!(opens_at(&night, at("2026-11-24T03:00:00Z")), Some(at("2026-11-30T21:00:00Z")));
    }

    #[test]
    fn a_window_keeps_its_local_time_when_the_clocks_change() {
        // On 2026-10-25 Berlin goes back from +02:00 to +01:00.
        let morning = window(&[Weekday::Saturday, Weekday::Sunday, Weekday::Monday], "08:00", "09:00", "Europe/Berlin");
        assert_eq!(opens_at(&morning, at("2026-10-24T07:30:00Z")), Some(at("2026-10-25T07:00:00Z")));
        assert_eq!(opens_at(&morning, at("2026-10-24T05:00:00Z")), Some(at("2026-10-24T06:00:00Z")));
    }

    #[test]
    fn what_is_due_in_an_open_window_is_due_when_it_was_ordered() {
        let day = window(Weekday::ALL, "00:00", "23:59", "UTC");
        let settings = FixSettings { window: Some(day), ..FixSettings::default() };
        assert_eq!(due(&settings, at("2026-11-23T12:00:00Z")), at("2026-11-23T12:00:00Z"));
        assert_eq!(due(&settings, at("2026-11-23T23:59:30Z")), at("2026-11-24T00:00:00Z"));
        assert_eq!(due(&FixSettings::default(), at("2026-11-23T23:59:30Z")), at("2026-11-23T23:59:30Z"));
    }

    #[test]
    fn a_window_that_makes_no_sense_is_refused_by_its_member() {
        let place = |window| check_settings(&FixSettings { window: Some(window), ..FixSettings::default() }).unwrap_err().place.unwrap();
        assert_eq!(place(window(&[], "22:00", "04:00", "UTC")), "window.days");
        assert_eq!(place(window(&[Weekday::Monday], "24:00", "04:00", "UTC")), "window.from");
        assert_eq!(place(window(&[Weekday::Monday], "22:00", "4:00", "UTC")), "window.until");
        assert_eq!(place(window(&[Weekday::Monday], "22:00", "22:00", "UTC")), "window.until");
        assert_eq!(place(window(&[Weekday::Monday], "22:00", "04:00", "Berlin")), "window.time_zone");
        assert!(
            check_settings(&FixSettings {
                window: Some(window(&[Weekday::Monday], "22:00", "04:00", "Asia/Tokyo")),
                ..FixSettings::default()
            })
            .is_ok()
        );
    }

    const ALL_IN_ORDER: Around = Around { entitled: true, enabled: true, writer: true, assistant: false };

    fn look(state: FixState, approvals: usize) -> Look {
        Look { state, approvals, approved_by_caller: approvals > 0, needed: 2, known: true, wrote: true }
    }

    #[test]
    fn only_what_has_all_approvals_may_be_applied() {
        for state in FixState::ALL {
            for approvals in 0..=2 {
                let may_apply = why_not_apply(look(*state, approvals), ALL_IN_ORDER).is_none();
                let expected = approvals == 2 && matches!(state, FixState::Approved | FixState::Scheduled | FixState::Failed);
                assert_eq!(may_apply, expected, "{state:?} with {approvals}");
            }
        }
    }

    #[test]
    fn nothing_is_applied_or_taken_back_where_fixes_are_off_or_nothing_writes() {
        for (around, code) in [
            (Around { entitled: false, ..ALL_IN_ORDER }, Code::NotEntitled),
            (Around { enabled: false, ..ALL_IN_ORDER }, Code::FixesOff),
            (Around { writer: false, ..ALL_IN_ORDER }, Code::NotConnected),
        ] {
            assert_eq!(why_not_apply(look(FixState::Approved, 2), around).unwrap().0, code);
            assert_eq!(why_not_roll_back(look(FixState::Applied, 2), around).unwrap().0, code);
        }
        assert_eq!(why_not_apply(look(FixState::Approved, 2), ALL_IN_ORDER), None);
        assert_eq!(why_not_roll_back(look(FixState::Applied, 2), ALL_IN_ORDER), None);
    }

    #[test]
    fn the_second_approver_is_somebody_else() {
        let second = |by_caller| why_not_approve(Look { approved_by_caller: by_caller, ..look(FixState::AwaitingSecond, 1) }, ALL_IN_ORDER);
        assert_eq!(second(true).unwrap().0, Code::SameApprover);
        assert_eq!(second(false), None);
    }

    #[test]
    fn approvals_come_to_a_state() {
        assert_eq!(
            (0..3).map(|n| approved_state(n, 2)).collect::<Vec<_>>(),
            [FixState::Proposed, FixState::AwaitingSecond, FixState::Approved]
        );
        assert_eq!(approved_state(1, 1), FixState::Approved);
    }

    #[test]
    fn secrets_are_left_out_wherever_they_stand() {
        let body = json!({"passwordProfile": {"password": "hunter2"}, "list": [{"secretText": "s3"}], "passwordRequired": true, "state": "enabled"});
        let text = redacted(&body).to_string();
        assert!(!text.contains("hunter2") && !text.contains("s3"), "{text}");
        assert!(text.contains("\"passwordRequired\":true") && text.contains("enabled"));
    }

    #[test]
    fn a_long_answer_is_kept_by_its_beginning() {
        let long = json!({"text": "ä".repeat(KEPT_BYTES)}).to_string();
        let kept = kept(long.as_bytes()).unwrap();
        assert_eq!(kept["of_bytes"], long.len());
        assert!(kept["begins"].as_str().unwrap().len() <= KEPT_BYTES);
        assert_eq!(super::kept(b""), None);
        assert_eq!(super::kept(b"<html>"), Some(json!("<html>")));
    }
}
