//! Graph's published limits, by the simulator's clock: a request over the limit is refused and not counted.

use crate::cloud::lock;
use bailiwick_base::Timestamp;
use jiff::SignedDuration;
use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};
use uuid::Uuid;

/// A group of paths that share a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    None,
    /// Identity protection and Conditional Access: 1 a second per directory, for all applications together.
    Identity,
    /// Sign-ins, audit, registration details: 5 in 10 seconds per application and directory.
    Reports,
}

impl Limit {
    fn rate(self) -> Option<(usize, SignedDuration)> {
        match self {
            Self::None => None,
            Self::Identity => Some((1, SignedDuration::from_secs(1))),
            Self::Reports => Some((5, SignedDuration::from_secs(10))),
        }
    }
    /// The `Retry-After` of a refusal, in seconds; identity protection and Conditional Access say none.
    pub fn retry_after(self) -> Option<u32> {
        (self == Self::Reports).then_some(10)
    }
}

/// The requests let through lately, by limit, directory and application.
#[derive(Default)]
pub struct Throttle(Mutex<HashMap<(Limit, Uuid, Uuid), VecDeque<Timestamp>>>);

impl Throttle {
    /// Whether one more request goes through now.
    pub fn admit(&self, limit: Limit, directory: Uuid, client: Uuid, now: Timestamp) -> bool {
        let Some((most, window)) = limit.rate() else { return true };
        let client = if limit == Limit::Identity { Uuid::nil() } else { client };
        let mut taken = lock(&self.0);
        let taken = taken.entry((limit, directory, client)).or_default();
        while taken.front().is_some_and(|at| now.duration_since(*at) >= window) {
            taken.pop_front();
        }
        let admitted = taken.len() < most;
        if admitted {
            taken.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_second_for_identity_and_five_in_ten_for_reports() {
        let (throttle, directory) = (Throttle::default(), Uuid::nil());
        let at = |millis: i64| Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap();
        let identity = |client: u128, millis| throttle.admit(Limit::Identity, directory, Uuid::from_u128(client), at(millis));
        assert_eq!(
            [identity(1, 0), identity(2, 500), identity(2, 999), identity(2, 1000), identity(1, 1999)],
            [true, false, false, true, false]
        );
        let report = |client: u128, millis| throttle.admit(Limit::Reports, directory, Uuid::from_u128(client), at(millis));
        assert!((0..5).all(|n| report(1, n)) && !report(1, 9_999) && report(2, 9_999) && report(1, 10_000));
        assert!((0..100).all(|_| throttle.admit(Limit::None, directory, Uuid::nil(), at(0))));
    }
}
