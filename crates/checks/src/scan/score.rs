//! Scores: what part of what was judged passes. Unknown and error count as not passing; skipped counts for nothing.

use crate::{Band, CheckResult, Score, Scores, Verdict};
use std::collections::BTreeMap;

pub fn scores(results: &[CheckResult]) -> Scores {
    let (mut overall, mut by_product) = (Score::default(), BTreeMap::<String, Score>::new());
    let mut controls: BTreeMap<(String, &str), Verdict> = BTreeMap::new();
    for result in results {
        // A pack is a framework of its own: it does not move the score of the shipped catalogue.
        if result.pack.is_none() {
            overall.count(result.verdict);
            by_product.entry(result.product.clone()).or_default().count(result.verdict);
        }
        for control in &result.frameworks {
            let framework = control.version.as_ref().map_or_else(|| control.framework.clone(), |v| format!("{} {v}", control.framework));
            let worst = controls.entry((framework, &control.control)).or_insert(Verdict::Skipped);
            if weight(control.verdict) > weight(*worst) {
                *worst = control.verdict;
            }
        }
    }
    let mut by_framework = BTreeMap::<String, Score>::new();
    for ((framework, _), verdict) in controls {
        by_framework.entry(framework).or_default().count(verdict);
    }
    overall.settle();
    by_product.values_mut().chain(by_framework.values_mut()).for_each(Score::settle);
    Scores { overall, by_product, by_framework }
}

/// Which of a control's checks speaks for it.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Skipped => 0,
        Verdict::Passed => 1,
        Verdict::Unknown | Verdict::Error => 2,
        Verdict::PassedWithExclusions | Verdict::Failed => 3,
    }
}

impl Score {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Skipped => self.skipped += 1,
            Verdict::Failed | Verdict::PassedWithExclusions => self.failed += 1,
            Verdict::Unknown | Verdict::Error => {
                self.failed += 1;
                self.unclear += 1;
            }
        }
    }

    fn settle(&mut self) {
        let judged = self.passed + self.failed;
        self.percent = (judged > 0).then(|| (f64::from(self.passed) / f64::from(judged) * 1000.0).round() / 10.0);
        self.band = self.percent.map(Band::of);
    }
}

impl Band {
    /// The band of a percentage.
    pub fn of(percent: f64) -> Self {
        match percent {
            90.0.. => Self::Excellent,
            70.0.. => Self::Good,
            50.0.. => Self::NeedsAttention,
            _ => Self::Critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_begin_where_they_say() {
        for (percent, band) in [
            (100.0, Band::Excellent),
            (90.0, Band::Excellent),
            (89.9, Band::Good),
            (70.0, Band::Good),
            (69.9, Band::NeedsAttention),
            (50.0, Band::NeedsAttention),
            (49.9, Band::Critical),
            (0.0, Band::Critical),
        ] {
            assert_eq!(Band::of(percent), band, "{percent}");
        }
    }

    #[test]
    fn what_was_not_judged_has_no_score() {
        let mut score = Score::default();
        score.count(Verdict::Skipped);
        score.settle();
        assert_eq!((score.percent, score.band), (None, None));
        score.count(Verdict::Passed);
        score.count(Verdict::Unknown);
        score.count(Verdict::Passed);
        score.settle();
        assert_eq!((score.percent, score.band, score.unclear), (Some(66.7), Some(Band::NeedsAttention), 1));
    }
}
