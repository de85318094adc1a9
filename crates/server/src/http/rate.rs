//! Requests a minute of one caller, by the operation's class, and streams it follows at a time. Counted in this process; a caller of
//! several processes has several counts.

use super::auth::Presented;
use bailiwick_base::{Clock, Code, Problem};
use bailiwick_contract::RateClass;
use bailiwick_store::Caller;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// The allowances, and who used how much of them in the present minute.
pub struct Rates {
    clock: Arc<dyn Clock>,
    per_minute: [u32; 4],
    used: Mutex<Window>,
    following: Mutex<HashMap<u64, u32>>,
}

/// Streams of events that one caller may follow at a time: each looks into the database twice a second.
const STREAMS: u32 = 20;

/// One stream that a caller follows, until it is dropped.
pub struct Following {
    rates: Arc<Rates>,
    who: u64,
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut following = self.rates.following.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = following.get_mut(&self.who) {
            *streams -= 1;
            if *streams == 0 {
                following.remove(&self.who);
            }
        }
    }
}

#[derive(Default)]
struct Window {
    minute: i64,
    used: HashMap<(u64, usize), u32>,
}

fn index(class: RateClass) -> usize {
    match class {
        RateClass::Open => 0,
        RateClass::Read => 1,
        RateClass::Write => 2,
        RateClass::Upload => 3,
    }
}

impl Rates {
    pub fn new(limits: &crate::config::Limits, clock: Arc<dyn Clock>) -> Self {
        let per_minute = [limits.open_per_minute, limits.read_per_minute, limits.write_per_minute, limits.upload_per_minute];
        Self { clock, per_minute, used: Mutex::default(), following: Mutex::default() }
    }

    /// Counts one more stream of a caller, for as long as the answer is kept.
    ///
    /// # Errors
    /// `too_many_requests` when the caller follows as many as it may.
    pub fn follow(self: &Arc<Self>, who: u64) -> Result<Following, Problem> {
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = following.entry(who).or_default();
        if *streams >= STREAMS {
            let detail = format!("This caller follows {STREAMS} streams of events already. Close one first.");
            return Err(Problem::new(Code::TooManyRequests, detail).retry_after(5));
        }
        *streams += 1;
        Ok(Following { rates: self.clone(), who })
    }

    /// Counts one request of a caller.
    ///
    /// # Errors
    /// `too_many_requests` with the seconds until the next minute.
    pub fn take(&self, who: u64, class: RateClass) -> Result<(), Problem> {
        self.count(who, class, 1)
    }

    /// Whether a caller has anything left, without counting. Asked of an address before its credential is looked at: every refused
    /// credential is counted against the address it came from, however many different ones it tries.
    ///
    /// # Errors
    /// As [`Rates::take`].
    pub fn left(&self, who: u64, class: RateClass) -> Result<(), Problem> {
        self.count(who, class, 0)
    }

    fn count(&self, who: u64, class: RateClass, requests: u32) -> Result<(), Problem> {
        let seconds = self.clock.now().as_second();
        let mut window = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if window.minute != seconds.div_euclid(60) {
            *window = Window { minute: seconds.div_euclid(60), used: HashMap::new() };
        }
        // Past this many callers in a minute, new ones share one allowance: memory stays bounded whoever comes.
        let known = window.used.contains_key(&(who, index(class)));
        let who = if known || window.used.len() < CALLERS { who } else { 0 };
        let allowed = self.per_minute[index(class)];
        let used = window.used.entry((who, index(class))).or_default();
        *used = used.saturating_add(requests);
        if *used < allowed || (*used == allowed && requests > 0) {
            return Ok(());
        }
        let wait = u32::try_from(60 - seconds.rem_euclid(60)).unwrap_or(60);
        let detail = format!("This caller may make {allowed} requests of this kind a minute. Wait {wait} s.");
        Err(Problem::new(Code::TooManyRequests, detail).retry_after(wait))
    }
}

/// Callers counted apart in one minute.
const CALLERS: usize = 50_000;

/// Tells callers apart; addresses and principals never meet.
pub fn caller(presented: &Presented) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &presented.caller {
        Caller::Member { directory, object } => (1, directory, object).hash(&mut hasher),
        Caller::Key { sha256, .. } => (2, sha256).hash(&mut hasher),
        Caller::Workload { directory, client_id, .. } => (3, directory, client_id).hash(&mut hasher),
        Caller::System { name, .. } => (4, name).hash(&mut hasher),
    }
    hasher.finish()
}

pub fn address(address: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (0, address).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_base::ManualClock;
    use jiff::SignedDuration;

    #[test]
    fn the_allowance_comes_back_with_the_next_minute() {
        let clock = ManualClock::at("2026-11-22T08:00:30Z".parse().unwrap());
        let mut limits = crate::config::Config::load(None).unwrap().limits;
        limits.write_per_minute = 2;
        let rates = Rates::new(&limits, Arc::new(clock.clone()));
        assert!(rates.take(7, RateClass::Write).is_ok() && rates.take(7, RateClass::Write).is_ok());
        assert_eq!(rates.take(7, RateClass::Write).unwrap_err().retry_after, Some(30));
        assert!(rates.take(8, RateClass::Write).is_ok(), "another caller has another allowance");
        assert!(rates.take(7, RateClass::Read).is_ok(), "another class has another allowance");
        assert!(rates.left(7, RateClass::Write).is_err() && rates.left(9, RateClass::Write).is_ok(), "asking counts nothing");
        clock.advance(SignedDuration::from_secs(30));
        assert!(rates.take(7, RateClass::Write).is_ok());
    }

    #[test]
    fn a_caller_follows_so_many_streams_and_more_when_one_ends() {
        let clock = ManualClock::at("2026-11-22T08:00:30Z".parse().unwrap());
        let rates = Arc::new(Rates::new(&crate::config::Config::load(None).unwrap().limits, Arc::new(clock)));
        let mut streams: Vec<_> = (0..STREAMS).map(|_| rates.follow(7).unwrap()).collect();
        assert!(rates.follow(7).is_err_and(|problem| problem.code == Code::TooManyRequests));
        assert!(rates.follow(8).is_ok(), "another caller has streams of its own");
        streams.pop();
        streams.push(rates.follow(7).unwrap());
        assert!(rates.follow(7).is_err());
        drop(streams);
        assert!(rates.following.lock().unwrap().is_empty(), "nothing is kept of those who left");
    }
}
