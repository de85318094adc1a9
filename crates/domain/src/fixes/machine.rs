//! What to do next to carry something out, from what was noted so far. Pure, so that every place where a process may end is a case here.
//!
//! What must stay true: a write that was begun and not answered is never sent again. Only a refusal that says that nothing was taken
//! (429, or 503 with a time to come back) leads to another look and another write.

use bailiwick_base::Timestamp;
use bailiwick_contract::fixes::StepKind;
use jiff::{SignedDuration, ToSpan};

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    /// It never left this machine.
    NotSent,
    /// It left, or may have, and brought no whole answer.
    Unknown,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Answered, Self::NotSent, Self::Unknown].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// A step as far as the machine looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    pub kind: StepKind,
    pub at: Timestamp,
    /// Of a write; none while it is not known.
    pub outcome: Option<Outcome>,
    pub settled_at: Option<Timestamp>,
    pub status: Option<u16>,
    /// Whether the answer said when to come back.
    pub retry_after: bool,
}

/// What is known of the write whose effect is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It was answered as done.
    None,
    /// It brought no answer.
    NoAnswer,
    /// Microsoft answered that something broke.
    Broke(u16),
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read, and write if it is as it was approved.
    Look,
    /// Read whether the write shows, until then.
    Reread { since: Timestamp, until: Timestamp, doubt: Doubt },
    /// Microsoft refused the write; the answer is the last write's.
    Refused,
}

/// How long a write that was answered as done may take to show.
const SHOWS_WITHIN: i64 = 60;
/// How long a write without an answer is looked for. Longer than a request may be under way ([`SEND_WITHIN`]) and then show.
const FOUND_WITHIN: i64 = 120;
/// How long after its intent a write may still be sent, in seconds: a process that slept longer must not wake up and send.
pub const SEND_WITHIN: i64 = 20;
/// How long a look, or a refusal that asks to come back, is tried again, counted from the order.
pub const PATIENCE: i64 = 15 * 60;

pub fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(seconds.seconds()).unwrap_or(at)
}

/// What to do next, by the steps of this order, oldest first.
pub fn next(steps: &[Noted]) -> Next {
    let Some(write) = steps.iter().rev().find(|step| step.kind == StepKind::Write) else { return Next::Look };
    let reread = |since: Timestamp, seconds, doubt| Next::Reread { since, until: later(since, seconds), doubt };
    match (write.outcome, write.status.unwrap_or(0)) {
        (None | Some(Outcome::Unknown), _) => reread(write.at, FOUND_WITHIN, Doubt::NoAnswer),
        (Some(Outcome::NotSent), _) | (Some(Outcome::Answered), 429) => Next::Look,
        (Some(Outcome::Answered), 503) if write.retry_after => Next::Look,
        (Some(Outcome::Answered), 200..=299) => reread(write.settled_at.unwrap_or(write.at), SHOWS_WITHIN, Doubt::None),
        (Some(Outcome::Answered), status @ 500..) => reread(write.at, FOUND_WITHIN, Doubt::Broke(status)),
        (Some(Outcome::Answered), _) => Next::Refused,
    }
}

/// How long to wait before looking again: about as long as it has taken so far, 1 to 15 seconds.
pub fn pause(since: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(since).clamp(SignedDuration::from_secs(1), SignedDuration::from_secs(15))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn step(kind: StepKind) -> Noted {
        Noted { kind, at: at(0), outcome: None, settled_at: None, status: None, retry_after: false }
    }

    fn write(outcome: Option<Outcome>, status: Option<u16>) -> Noted {
        Noted { outcome, status, settled_at: outcome.map(|_| at(2)), ..step(StepKind::Write) }
    }

    #[test]
    fn it_begins_with_a_look() {
        assert_eq!(next(&[]), Next::Look);
        assert_eq!(next(&[step(StepKind::Read)]), Next::Look);
    }

    #[test]
    fn a_write_that_may_have_been_sent_is_only_ever_looked_for() {
        for outcome in [None, Some(Outcome::Unknown)] {
            let looked_for = Next::Reread { since: at(0), until: at(120), doubt: Doubt::NoAnswer };
            assert_eq!(next(&[step(StepKind::Read), write(outcome, None)]), looked_for);
            assert_eq!(next(&[step(StepKind::Read), write(outcome, None), step(StepKind::Reread)]), looked_for);
        }
    }

    #[test]
    fn an_answer_says_what_follows() {
        let after = |status, retry_after| next(&[Noted { retry_after, ..write(Some(Outcome::Answered), Some(status)) }]);
        for done in [200, 201, 202, 204] {
            assert_eq!(after(done, false), Next::Reread { since: at(2), until: at(62), doubt: Doubt::None });
        }
        for refused in [400, 401, 403, 404, 409, 412] {
            assert_eq!(after(refused, false), Next::Refused, "{refused}");
        }
        assert_eq!(after(429, true), Next::Look);
        assert_eq!(after(429, false), Next::Look);
        assert_eq!(after(503, true), Next::Look);
        for broke in [500, 502, 503, 504] {
            assert_eq!(after(broke, false), Next::Reread { since: at(0), until: at(120), doubt: Doubt::Broke(broke) }, "{broke}");
        }
    }

    #[test]
    fn what_never_left_may_be_tried_again() {
        assert_eq!(next(&[write(Some(Outcome::NotSent), None)]), Next::Look);
    }

    /// A process that slept must have given its write up before another one says that it did not happen.
    #[test]
    fn a_late_write_is_given_up_long_before_it_is_declared_unsent() {
        let request_may_take = 30;
        assert!(SEND_WITHIN + request_may_take + 30 < FOUND_WITHIN);
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let pauses: Vec<i64> = [0, 1, 2, 5, 60].map(|s| pause(at(0), at(s)).as_secs()).to_vec();
        assert_eq!(pauses, [1, 1, 2, 5, 15]);
    }
}
