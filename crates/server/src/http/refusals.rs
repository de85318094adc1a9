//! Refusals in the trail: every one that concerns a known tenant, at most so many a minute for each, so that somebody who only knows a
//! tenant's id cannot fill its trail. What was left out is counted in the next entry.

use bailiwick_base::{Clock, Principal, TenantId};
use bailiwick_store::{Request, Store};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const PER_MINUTE: u32 = 30;

pub struct Refusals {
    store: Store,
    clock: Arc<dyn Clock>,
    counts: Mutex<HashMap<TenantId, Count>>,
}

#[derive(Default, Clone, Copy)]
struct Count {
    minute: i64,
    written: u32,
    left_out: u32,
}

impl Refusals {
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, counts: Mutex::default() }
    }

    /// Whether to write one now, and how many were left out before it.
    fn admit(&self, tenant: TenantId) -> Option<u32> {
        let minute = self.clock.now().as_second().div_euclid(60);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() > 10_000 {
            counts.retain(|_, count| count.minute == minute);
        }
        let count = counts.entry(tenant).or_default();
        if count.minute != minute {
            *count = Count { minute, written: 0, left_out: count.left_out };
        }
        if count.written >= PER_MINUTE {
            count.left_out += 1;
            return None;
        }
        count.written += 1;
        Some(std::mem::take(&mut count.left_out))
    }

    /// Writes a refusal. A tenant that does not exist has no trail; that the write fails is logged and changes nothing for the caller.
    pub async fn record(&self, tenant: TenantId, who: &Principal, operation: &'static str, reason: &str, request: &Request) {
        let Some(left_out) = self.admit(tenant) else { return };
        let mut detail = json!({"operation": operation, "reason": reason});
        if left_out > 0 {
            detail["left_out_before"] = left_out.into();
        }
        if let Err(error) = self.store.record_refusal(tenant, who, "access.refused", &detail, request).await {
            tracing::debug!(%tenant, %error, "refusal not written");
        }
    }
}
