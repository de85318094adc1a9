//! The product through its real surfaces: HTTP, PostgreSQL, the simulated cloud. Tests named `i<number>_…` prove the invariant of that
//! number; SECURITY-MODEL.md is made from their names.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod assistant;
mod connections;
mod data_map;
mod evidence;
mod fixes;
mod injection;
mod isolation;
mod journey;
mod keys;
mod logs;
mod look;
mod matrix;
mod notifications;
mod open;
mod scan_calls;
mod scans;
mod sealed;
mod stage;
mod tokens;
mod trail;
