//! Identity: who is calling, the members, the API keys.
//!
//! Owns: `members`, `api_keys`. Permissions: members.*, keys.*.
//! Invariants: I12 (keys shown once, stored hashed, scoped, expiring, revocable on the next request), I13, I15, I20, I21, I24.

pub mod api;
pub(crate) mod db;
pub mod key;
