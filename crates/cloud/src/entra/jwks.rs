//! Signing keys per directory: fetched seldom, served without waiting, and never for want of a limit fetched in a storm.
//!
//! Stays true:
//! - keys are served for at most [`KeysPolicy::fresh`] without having been fetched again, and for at most
//!   [`KeysPolicy::stale`] while fetching fails; then lookups fail closed;
//! - an id that a fresh set does not hold causes one fetch, and no further one within [`KeysPolicy::forced_apart`], so
//!   a rollover is found at once and made-up ids cost nothing;
//! - at most one fetch per directory and version is under way, and it ends even if the request that wanted it is gone;
//! - a clock that jumps, in either direction, makes keys older, never younger.

use super::{
    document::{self, FetchError, Key, KeySet},
    token::TokenVersion,
};
use crate::{egress::Egress, endpoints::CloudEndpoints};
use bailiwick_base::{Clock, DirectoryId, Timestamp};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long keys live and how often they may be asked for.
#[derive(Debug, Clone)]
pub struct KeysPolicy {
    /// Age at which a lookup starts a fetch behind its back. New keys are published well before they sign.
    pub refresh: Duration,
    /// Age at which a lookup waits for a fetch. Microsoft asks for 24 hours at most.
    pub fresh: Duration,
    /// Age up to which keys are served while fetching fails.
    pub stale: Duration,
    /// Between two fetches caused by unknown ids.
    pub forced_apart: Duration,
    /// After a failed fetch, unless the service asked for longer.
    pub retry_apart: Duration,
    /// After the sign-in service said that there is no such directory.
    pub absent_apart: Duration,
    /// Directories held at once, in both versions; the least used give way.
    pub capacity: u64,
}

impl Default for KeysPolicy {
    fn default() -> Self {
        let hours = |n: u64| Duration::from_secs(n * 3600);
        Self {
            refresh: hours(6),
            fresh: hours(24),
            stale: hours(48),
            forced_apart: Duration::from_secs(300),
            retry_apart: Duration::from_secs(15),
            absent_apart: Duration::from_secs(600),
            capacity: 20_000,
        }
    }
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the directory has no signing key of this id")]
    UnknownKey,
    #[error("the sign-in service knows no such directory")]
    UnknownDirectory,
    #[error("the directory's signing keys cannot be fetched: {cause}")]
    Unavailable { cause: String, retry_after: Duration },
}

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    egress: Egress,
    cloud: CloudEndpoints,
    clock: Arc<dyn Clock>,
    policy: KeysPolicy,
    slots: moka::future::Cache<(DirectoryId, TokenVersion), Arc<Slot>>,
}

/// One directory and version.
struct Slot {
    directory: DirectoryId,
    version: TokenVersion,
    held: RwLock<Option<Arc<Held>>>,
    /// Whoever holds this may fetch.
    turn: Arc<Mutex<Turn>>,
}

struct Held {
    fetched: Timestamp,
    keys: KeySet,
}

/// What the last fetches came to.
#[derive(Default)]
struct Turn {
    forced: Option<Timestamp>,
    failed: Option<Failure>,
}

#[derive(Clone)]
struct Failure {
    at: Timestamp,
    /// No further fetch within this time.
    pause: Duration,
    error: KeyError,
}

/// Time between two instants, whichever came first.
fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.duration_since(b).unsigned_abs()
}

impl Slot {
    fn held(&self) -> Option<Arc<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn hold(&self, held: Option<Held>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held.map(Arc::new);
    }
}

impl Keys {
    pub fn new(cloud: CloudEndpoints, policy: KeysPolicy, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        let slots = moka::future::Cache::new(policy.capacity);
        Self(Arc::new(Inner { egress, cloud, clock, policy, slots }))
    }

    /// The key of this id. Call it only for directories that are onboarded: it may go out and ask for them.
    ///
    /// # Errors
    /// `UnknownKey` and `UnknownDirectory` speak against the token; `Unavailable` does not.
    pub async fn find(&self, directory: DirectoryId, version: TokenVersion, kid: &str) -> Result<Arc<Key>, KeyError> {
        let slot = self.slot(directory, version).await;
        let now = self.0.clock.now();
        if let Some((key, age)) = self.fresh_key(&slot, kid, now) {
            if age >= self.0.policy.refresh {
                self.refresh_behind(&slot, now);
            }
            return Ok(key);
        }
        let turn = slot.turn.clone().lock_owned().await;
        // Whoever had the turn before may have brought the key.
        let now = self.0.clock.now();
        if let Some((key, _)) = self.fresh_key(&slot, kid, now) {
            return Ok(key);
        }
        let forced = slot.held().is_some_and(|held| apart(now, held.fetched) < self.0.policy.fresh);
        if forced && turn.forced.is_some_and(|at| apart(now, at) < self.0.policy.forced_apart) {
            return Err(KeyError::UnknownKey);
        }
        match self.fetch_unless_paused(&slot, turn, now, forced).await {
            Ok(()) => slot.held().and_then(|held| held.keys.get(kid).cloned()).ok_or(KeyError::UnknownKey),
            Err(error @ KeyError::Unavailable { .. }) => {
                let usable = slot.held().filter(|held| apart(now, held.fetched) < self.0.policy.stale);
                usable.and_then(|held| held.keys.get(kid).cloned()).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn slot(&self, directory: DirectoryId, version: TokenVersion) -> Arc<Slot> {
        let place = (directory, version);
        if let Some(slot) = self.0.slots.get(&place).await {
            return slot;
        }
        let slot = async { Arc::new(Slot { directory, version, held: RwLock::default(), turn: Arc::default() }) };
        self.0.slots.get_with(place, slot).await
    }

    fn fresh_key(&self, slot: &Slot, kid: &str, now: Timestamp) -> Option<(Arc<Key>, Duration)> {
        let held = slot.held()?;
        let age = apart(now, held.fetched);
        let key = held.keys.get(kid).filter(|_| age < self.0.policy.fresh)?;
        Some((key.clone(), age))
    }

    /// Starts a fetch that nobody waits for, unless one is under way or the last failure was just now.
    fn refresh_behind(&self, slot: &Arc<Slot>, now: Timestamp) {
        let Ok(turn) = slot.turn.clone().try_lock_owned() else { return };
        if !paused(&turn, now) {
            drop(tokio::spawn(self.clone().fetch(slot.clone(), turn, now, false)));
        }
    }

    async fn fetch_unless_paused(
        &self,
        slot: &Arc<Slot>,
        turn: OwnedMutexGuard<Turn>,
        now: Timestamp,
        forced: bool,
    ) -> Result<(), KeyError> {
        if let Some(failure) = turn.failed.as_ref().filter(|_| paused(&turn, now)) {
            return Err(failure.error.clone());
        }
        // In its own task: a caller who hangs up must neither lose the others' fetch nor dodge the limits.
        let fetch = tokio::spawn(self.clone().fetch(slot.clone(), turn, now, forced));
        fetch.await.unwrap_or_else(|e| {
            Err(KeyError::Unavailable { cause: format!("the fetch was broken off: {e}"), retry_after: self.0.policy.retry_apart })
        })
    }

    async fn fetch(self, slot: Arc<Slot>, mut turn: OwnedMutexGuard<Turn>, now: Timestamp, forced: bool) -> Result<(), KeyError> {
        let Inner { egress, cloud, policy, .. } = &*self.0;
        let (directory, version) = (slot.directory, slot.version);
        let fetched = document::fetch(egress, cloud, directory, version).await;
        let (error, pause) = match fetched {
            Ok(keys) => {
                slot.hold(Some(Held { fetched: now, keys }));
                turn.failed = None;
                if forced {
                    tracing::info!(%directory, "signing keys fetched again for an unknown key id");
                    turn.forced = Some(now);
                }
                return Ok(());
            }
            Err(FetchError::NoSuchDirectory) => {
                slot.hold(None);
                (KeyError::UnknownDirectory, policy.absent_apart)
            }
            Err(FetchError::Unavailable { cause, retry_after }) => {
                let pause = retry_after.unwrap_or_default().clamp(policy.retry_apart, policy.forced_apart);
                (KeyError::Unavailable { cause, retry_after: pause }, pause)
            }
        };
        tracing::warn!(%directory, %error, "signing keys not fetched");
        turn.failed = Some(Failure { at: now, pause, error: error.clone() });
        Err(error)
    }
}

fn paused(turn: &Turn, now: Timestamp) -> bool {
    turn.failed.as_ref().is_some_and(|failure| apart(now, failure.at) < failure.pause)
}
