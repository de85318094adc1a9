//! Audit: reading the trail. Writing it is the store's, in the transaction of the change.
//!
//! Owns: nothing beyond the view of `trail_entries`. Permission: trail.read. Invariant: I41.

pub mod api;
mod db;
