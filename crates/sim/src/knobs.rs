//! What can be turned while the simulator runs: pace, page sizes, published limits. Read once a request.

use serde::{Deserialize, Serialize};

/// The settings of Graph and Resource Manager. As JSON, absent members keep their default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Every answer takes this much longer, in milliseconds; a `$batch` once, not once an item.
    pub latency_ms: u64,
    /// The largest page, whatever `$top` asks; absent = Graph's own, 100 by default and 999 at most.
    pub page_size: Option<usize>,
    /// Every other page is empty, with a next link.
    pub empty_pages: bool,
    /// Identity protection and Conditional Access take one request a second per directory, and say no `Retry-After`.
    pub limit_identity: bool,
    /// Reports take five requests in ten seconds per directory and application.
    pub limit_reports: bool,
    /// Seconds from consent until tokens carry the granted roles.
    pub consent_delay_s: u32,
    /// Milliseconds by the simulator's clock until reads show what was written: Microsoft's replicas take their time.
    pub write_delay_ms: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            page_size: None,
            empty_pages: false,
            limit_identity: true,
            limit_reports: true,
            consent_delay_s: 0,
            write_delay_ms: 0,
        }
    }
}
