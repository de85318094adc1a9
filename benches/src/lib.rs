//! Benches: measured against peers and limits.
