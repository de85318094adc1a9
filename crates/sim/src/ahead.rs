//! The simulator's clock: the one it was given, moved ahead by as much as it was told.

use crate::cloud::lock;
use bailiwick_base::{Clock, Timestamp};
use jiff::SignedDuration;
use std::sync::{Arc, Mutex};

/// A clock that can be moved without the one below knowing.
pub struct Ahead {
    clock: Arc<dyn Clock>,
    by: Mutex<SignedDuration>,
}

impl Ahead {
    pub fn of(clock: Arc<dyn Clock>) -> Self {
        Self { clock, by: Mutex::new(SignedDuration::ZERO) }
    }
    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        now.saturating_add(*lock(&self.by)).unwrap_or(now)
    }
    /// Moves the clock on; never back, since what has happened has happened.
    pub fn advance(&self, by: SignedDuration) {
        let mut ahead = lock(&self.by);
        *ahead = ahead.saturating_add(by.max(SignedDuration::ZERO));
    }
}
