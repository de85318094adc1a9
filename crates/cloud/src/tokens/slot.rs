//! One cached value: held while it is good, fetched by one at a time.

use super::refusal::{Reason, TokenRefusal};
use crate::pace::{Pace, Until, apart};
use bailiwick_base::{Secret, Timestamp};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// A token, for as long as somebody holds it. Cheap to clone; no Debug.
#[derive(Clone)]
pub struct AccessToken(Arc<Held>);

struct Held {
    value: Secret<String>,
    fetched: Timestamp,
    good_for: Duration,
}

/// Time before a token's end at which it is no longer handed out.
const MARGIN: Duration = Duration::from_secs(300);

/// No token lives longer than this, whatever its answer says (Microsoft: up to 28 hours).
const LONGEST: Duration = Duration::from_secs(28 * 3600);

impl AccessToken {
    /// A token that ends `lifetime` from now. It is handed out until five minutes before that, a short one for half its life.
    pub(super) fn new(value: Secret<String>, now: Timestamp, lifetime: Duration) -> Self {
        let lifetime = lifetime.min(LONGEST);
        let good_for = lifetime.saturating_sub(MARGIN.min(lifetime / 2));
        Self(Arc::new(Held { value, fetched: now, good_for }))
    }

    /// The token itself. Every use can be found by searching for that word.
    pub(crate) fn expose(&self) -> &str {
        self.0.value.expose()
    }

    fn good(&self, now: Timestamp) -> bool {
        apart(now, self.0.fetched) < self.0.good_for
    }

    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Default)]
pub(super) struct Slot {
    held: RwLock<Option<AccessToken>>,
    /// Whoever holds this may fetch. It keeps the last failure for those who waited behind it.
    turn: Mutex<Option<TokenRefusal>>,
    /// Fetches that ended.
    ended: AtomicU64,
}

impl Slot {
    fn good(&self, now: Timestamp) -> Option<AccessToken> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone().filter(|token| token.good(now))
    }

    fn hold(&self, token: Option<AccessToken>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// Lets go of a token that did not work, unless it has been replaced already.
    pub fn drop_if(&self, stale: &AccessToken) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|token| token.same(stale)) {
            *held = None;
        }
    }

    pub fn clear(&self) {
        self.hold(None);
    }

    /// A fetched token in place of the held one, which stays if there is none to be had.
    pub async fn replace<F>(&self, pace: &Pace, until: &Until, fetch: impl FnOnce() -> F) -> Result<AccessToken, TokenRefusal>
    where
        F: Future<Output = Result<AccessToken, TokenRefusal>>,
    {
        let _turn = pace.within(until, self.turn.lock()).await?;
        let token = fetch().await?;
        self.hold(Some(token.clone()));
        Ok(token)
    }

    /// The held token, or a fetched one. Those who wait behind a fetch share what it came to.
    pub async fn get<F>(&self, pace: &Pace, until: &Until, fetch: impl FnOnce() -> F) -> Result<AccessToken, TokenRefusal>
    where
        F: Future<Output = Result<AccessToken, TokenRefusal>>,
    {
        if let Some(token) = self.good(pace.now()) {
            return Ok(token);
        }
        let seen = self.ended.load(Ordering::Acquire);
        let mut turn = pace.within(until, self.turn.lock()).await?;
        if let Some(token) = self.good(pace.now()) {
            return Ok(token);
        }
        if let Some(refusal) = turn.clone().filter(|_| self.ended.load(Ordering::Acquire) != seen) {
            return Err(refusal);
        }
        let outcome = fetch().await;
        // That one caller ran out of time says nothing to the others.
        let shared = |refusal: &&TokenRefusal| !matches!(refusal.reason, Reason::Deadline | Reason::Cancelled);
        *turn = outcome.as_ref().err().filter(shared).cloned();
        self.ended.fetch_add(1, Ordering::Release);
        self.hold(outcome.as_ref().ok().cloned());
        outcome
    }
}
