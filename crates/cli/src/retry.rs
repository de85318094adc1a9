//! When to try again: capped exponential backoff with jitter, and a server's `Retry-After` obeyed.

use crate::console::Console;
use crate::failure::Failure;
use bailiwick_base::{Clock, Rng, Timestamp};
use std::{rc::Rc, time::Duration};

/// How often and how long. The default gives a server that restarts about a minute.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    pub base: Duration,
    pub cap: Duration,
    /// Tries in all, the first included.
    pub attempts: u32,
    /// A server that asks for a longer pause than this is given up on.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { base: Duration::from_millis(500), cap: Duration::from_secs(30), attempts: 8, patience: Duration::from_secs(120) }
    }
}

impl RetryPolicy {
    /// The default, its first pause replaced by `BAILIWICK_RETRY_BASE_MS`.
    pub fn from_environment() -> Result<Self, Failure> {
        let Some(text) = crate::environment::var("BAILIWICK_RETRY_BASE_MS") else { return Ok(Self::default()) };
        let millis = text.trim().parse().map_err(|_| {
            Failure::input(format!("BAILIWICK_RETRY_BASE_MS is \"{text}\", which is not a number of milliseconds."))
                .hint("Unset it, or set it to a whole number such as 500.")
        })?;
        Ok(Self { base: Duration::from_millis(millis), ..Self::default() })
    }

    /// The pause after the `attempt`th try (from 1) failed; `None` when it was the last.
    ///
    /// Half of the pause is fixed and half is drawn, so that many pipelines that failed together do not come back together.
    pub fn pause(&self, attempt: u32, retry_after: Option<Duration>, rng: &dyn Rng) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let mut bytes = [0u8; 4];
        rng.fill(&mut bytes);
        let share = f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
        let grown = self.base.saturating_mul(2u32.saturating_pow(attempt - 1)).min(self.cap);
        match retry_after {
            Some(asked) if asked > self.patience => None,
            Some(asked) => Some(asked + self.base.min(asked).mul_f64(share)),
            None => Some(grown / 2 + (grown / 2).mul_f64(share)),
        }
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Duration::from_secs(u64::try_from(at.duration_since(now).as_secs()).unwrap_or(0)))
}

/// One failed try.
pub enum Trouble {
    Transient { failure: Failure, retry_after: Option<Duration> },
    Final(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

/// Repeats what failed for a passing reason.
#[derive(Clone)]
pub struct Retrier {
    pub policy: RetryPolicy,
    pub clock: Rc<dyn Clock>,
    pub rng: Rc<dyn Rng>,
    pub console: Rc<Console>,
}

impl Retrier {
    /// Runs `attempt` until it succeeds, fails for good, or the tries are used up. What it does must be safe to repeat.
    pub async fn run<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T, Trouble>) -> Result<T, Failure> {
        for number in 1.. {
            let (failure, asked) = match attempt().await {
                Ok(value) => return Ok(value),
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Transient { failure, retry_after }) => (failure, retry_after),
            };
            let Some(pause) = self.policy.pause(number, asked, &*self.rng) else {
                return Err(given_up(failure, number, asked));
            };
            self.console.warn(&format!(
                "{} Trying again in {:.1} s ({} of {}).",
                failure.what,
                pause.as_secs_f64(),
                number + 1,
                self.policy.attempts
            ));
            tokio::time::sleep(pause).await;
        }
        Err(Failure::transient("The tries are used up."))
    }
}

fn given_up(failure: Failure, tries: u32, asked: Option<Duration>) -> Failure {
    let hint = match asked {
        Some(asked) => {
            format!("Gave up after {tries} tries; the server asks to wait {} s. Run the same command again later.", asked.as_secs())
        }
        None => format!("Gave up after {tries} tries. Run the same command again later."),
    };
    failure.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_base::SeededRng;

    #[test]
    fn pauses_grow_to_the_cap_and_end() {
        let (policy, rng) = (RetryPolicy::default(), SeededRng::new(7));
        let mut full = Duration::from_millis(500);
        for attempt in 1..policy.attempts {
            let pause = policy.pause(attempt, None, &rng).unwrap();
            assert!(pause >= full / 2 && pause <= full, "{attempt}: {pause:?}");
            full = (full * 2).min(policy.cap);
        }
        assert_eq!(policy.pause(policy.attempts, None, &rng), None);
    }

    #[test]
    fn a_server_that_names_a_pause_gets_at_least_that() {
        let (policy, rng) = (RetryPolicy::default(), SeededRng::new(7));
        let pause = policy.pause(1, Some(Duration::from_secs(9)), &rng).unwrap();
        assert!(pause >= Duration::from_secs(9) && pause <= Duration::from_millis(9_500), "{pause:?}");
        assert_eq!(policy.pause(1, Some(Duration::from_secs(121)), &rng), None);
    }

    #[test]
    fn two_machines_do_not_come_back_together() {
        let policy = RetryPolicy::default();
        assert_ne!(policy.pause(4, None, &SeededRng::new(1)), policy.pause(4, None, &SeededRng::new(2)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-22T08:00:00Z".parse().unwrap();
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 22 Nov 2026 08:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 22 Nov 2026 07:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
