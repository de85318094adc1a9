//! Waiting as a seam, and how long to wait: back-off with jitter, deadlines, cancellation.
//!
//! Stays true: nobody waits past a deadline to find out that it has passed, and a call that was called off ends at once.

use bailiwick_base::{Clock, Rng, Timestamp};
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Where waiting is done, so that tests move time in place of spending it.
pub trait Waits: Send + Sync + 'static {
    /// Ends after this time.
    fn wait(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// Waits as long as it says.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealWaits;

impl Waits for RealWaits {
    fn wait(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// How long a call may take in all, and who may call it off. The default is without end.
#[derive(Debug, Clone, Default)]
pub struct Until {
    pub deadline: Option<Timestamp>,
    pub cancel: CancellationToken,
}

/// Why a call ended before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Deadline,
    Cancelled,
}

/// The longest back-off between two tries.
const LONGEST: Duration = Duration::from_secs(60);

/// Time, dice and waiting in one. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pace {
    pub clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    waits: Arc<dyn Waits>,
}

impl Pace {
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>, waits: Arc<dyn Waits>) -> Self {
        Self { clock, rng, waits }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A random id, for a request or an assertion.
    pub fn guid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Time before try number `tried + 1`: 1, 2, 4 ... seconds, less up to a half by chance, so that callers that failed
    /// together do not come back together.
    pub fn backoff(&self, tried: u32) -> Duration {
        let whole = Duration::from_secs(1u64 << tried.saturating_sub(1).min(6)).min(LONGEST);
        let mut die = [0; 4];
        self.rng.fill(&mut die);
        whole.mul_f64(1.0 - f64::from(u32::from_le_bytes(die)) / f64::from(u32::MAX) / 2.0)
    }

    /// Waits, unless the call would be over by then.
    pub async fn wait(&self, time: Duration, until: &Until) -> Result<(), Ended> {
        if until.cancel.is_cancelled() {
            return Err(Ended::Cancelled);
        }
        if self.left(until).is_some_and(|left| left <= time) {
            return Err(Ended::Deadline);
        }
        if time.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = until.cancel.cancelled() => Err(Ended::Cancelled),
            () = self.waits.wait(time) => Ok(()),
        }
    }

    /// Does something that may be called off, or run out of time, at any moment.
    pub async fn within<T>(&self, until: &Until, doing: impl Future<Output = T>) -> Result<T, Ended> {
        if until.cancel.is_cancelled() {
            return Err(Ended::Cancelled);
        }
        let limited = async {
            match self.left(until) {
                Some(left) if left.is_zero() => Err(Ended::Deadline),
                Some(left) => tokio::time::timeout(left, doing).await.map_err(|_| Ended::Deadline),
                None => Ok(doing.await),
            }
        };
        tokio::select! {
            () = until.cancel.cancelled() => Err(Ended::Cancelled),
            outcome = limited => outcome,
        }
    }

    /// Time until the deadline; nothing when there is none.
    fn left(&self, until: &Until) -> Option<Duration> {
        until.deadline.map(|deadline| Duration::try_from(deadline.duration_since(self.now())).unwrap_or_default())
    }
}

/// Time between two instants, whichever came first: a clock that jumps makes things older, never younger.
pub(crate) fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.duration_since(b).unsigned_abs()
}
