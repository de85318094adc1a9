//! The rules of findings and drift, pure.

use bailiwick_base::{Family, Outcome};
use bailiwick_contract::findings::{DriftCounts, Movement};

/// What the store holds about a result before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Never failed.
    None,
    Open,
    Fixed,
}

/// What a run does to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    None,
    Open,
    /// Stays open.
    Stay,
    Reopen,
    Fix,
}

/// The turn a seen result makes. Only a pass closes: a test that was skipped or not run was not looked at.
pub fn turn(standing: Standing, outcome: Outcome) -> Turn {
    match (standing, outcome.failing()) {
        (Standing::None, true) => Turn::Open,
        (Standing::Fixed, true) => Turn::Reopen,
        (Standing::Open, true) => Turn::Stay,
        (Standing::Open, false) if outcome == Outcome::Passed => Turn::Fix,
        (Standing::Open, false) => Turn::Stay,
        (Standing::None | Standing::Fixed, false) => Turn::None,
    }
}

/// The turn of an open finding that a run did not mention. Scanners name only what is wrong, so silence of a whole run means it is
/// gone; posture reports name every test, so silence means that nobody looked.
pub fn turn_unseen(standing: Standing, family: Family, complete: bool) -> Turn {
    match standing {
        Standing::Open if family == Family::Sarif && complete => Turn::Fix,
        Standing::Open => Turn::Stay,
        Standing::None | Standing::Fixed => Turn::None,
    }
}

/// How a check moved from the older run to the newer; `None` when it did not.
pub fn movement(from: Option<Outcome>, to: Option<Outcome>) -> Option<Movement> {
    match (from, to) {
        (None, None) => None,
        (None, Some(_)) => Some(Movement::Added),
        (Some(_), None) => Some(Movement::Removed),
        (Some(a), Some(b)) if a == b => None,
        // Also from one failing state to another: the definition looks at where it went, not where it came from.
        (Some(_), Some(b)) if b.failing() => Some(Movement::Regression),
        (Some(_), Some(Outcome::Passed)) => Some(Movement::Fixed),
        (Some(_), Some(_)) => Some(Movement::Other),
    }
}

/// Adds so many movements of a kind to the counts.
pub fn count(counts: &mut DriftCounts, movement: Movement, times: u32) {
    *match movement {
        Movement::Regression => &mut counts.regression,
        Movement::Fixed => &mut counts.fixed,
        Movement::Added => &mut counts.added,
        Movement::Removed => &mut counts.removed,
        Movement::Other => &mut counts.other,
    } += times;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop::sample::select(Outcome::ALL)
    }

    type Snapshot = BTreeMap<u8, Outcome>;

    fn snapshot() -> impl Strategy<Value = Snapshot> {
        prop::collection::btree_map(any::<u8>(), outcome(), 0..40)
    }

    fn drift(from: &Snapshot, to: &Snapshot) -> (DriftCounts, u32) {
        let (mut counts, mut unchanged) = (DriftCounts::default(), 0);
        let keys: std::collections::BTreeSet<u8> = from.keys().chain(to.keys()).copied().collect();
        for key in keys {
            match movement(from.get(&key).copied(), to.get(&key).copied()) {
                Some(movement) => count(&mut counts, movement, 1),
                None => unchanged += 1,
            }
        }
        (counts, unchanged)
    }

    proptest! {
        /// I55: swapping the pair swaps added and removed, and keeps what moved otherwise.
        #[test]
        fn swapping_the_pair_swaps_added_and_removed(a in snapshot(), b in snapshot()) {
            let ((there, same), (back, same_back)) = (drift(&a, &b), drift(&b, &a));
            prop_assert_eq!(there.added, back.removed);
            prop_assert_eq!(there.removed, back.added);
            prop_assert_eq!(same, same_back);
            prop_assert_eq!(there.regression + there.fixed + there.other, back.regression + back.fixed + back.other);
        }

        #[test]
        fn a_run_against_itself_moves_nothing(a in snapshot()) {
            prop_assert_eq!(drift(&a, &a), (DriftCounts::default(), a.len() as u32));
        }

        /// Every check is in exactly one category.
        #[test]
        fn every_check_is_counted_once(a in snapshot(), b in snapshot()) {
            let (c, unchanged) = drift(&a, &b);
            let all: std::collections::BTreeSet<u8> = a.keys().chain(b.keys()).copied().collect();
            prop_assert_eq!(c.regression + c.fixed + c.added + c.removed + c.other + unchanged, all.len() as u32);
        }

        /// A regression ends failing, a fix ends passed, and nothing else does either.
        #[test]
        fn categories_say_what_they_mean(from in outcome(), to in outcome()) {
            match movement(Some(from), Some(to)) {
                Some(Movement::Regression) => prop_assert!(to.failing()),
                Some(Movement::Fixed) => prop_assert_eq!(to, Outcome::Passed),
                Some(Movement::Other) => prop_assert!(to != Outcome::Passed && !to.failing()),
                Some(Movement::Added | Movement::Removed) => prop_assert!(false, "both sides are there"),
                None => prop_assert_eq!(from, to),
            }
        }

        /// However runs follow each other, a finding is open exactly when its last judged result failed.
        #[test]
        fn a_finding_is_open_when_the_last_look_failed(outcomes in prop::collection::vec(outcome(), 0..20)) {
            let mut standing = Standing::None;
            let mut last_look = None;
            for outcome in outcomes {
                standing = match turn(standing, outcome) {
                    Turn::Open | Turn::Reopen => Standing::Open,
                    Turn::Fix => Standing::Fixed,
                    Turn::None | Turn::Stay => standing,
                };
                if outcome.failing() || outcome == Outcome::Passed {
                    last_look = Some(outcome);
                }
            }
            prop_assert_eq!(standing == Standing::Open, last_look.is_some_and(Outcome::failing));
        }
    }

    #[test]
    fn resting_at_investigate_is_failing_and_planned_is_not() {
        assert_eq!(movement(Some(Outcome::Passed), Some(Outcome::Investigate)), Some(Movement::Regression));
        assert_eq!(movement(Some(Outcome::Skipped), Some(Outcome::Failed)), Some(Movement::Regression));
        assert_eq!(movement(Some(Outcome::Skipped), Some(Outcome::NotRun)), Some(Movement::Other));
        assert_eq!(movement(Some(Outcome::Skipped), Some(Outcome::Skipped)), None);
    }

    #[test]
    fn silence_closes_only_a_whole_scan() {
        assert_eq!(turn_unseen(Standing::Open, Family::Sarif, true), Turn::Fix);
        assert_eq!(turn_unseen(Standing::Open, Family::Sarif, false), Turn::Stay);
        assert_eq!(turn_unseen(Standing::Open, Family::Maester, true), Turn::Stay);
    }
}
