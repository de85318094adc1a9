//! Findings: observations over time, the findings they amount to, drift between runs, posture.
//!
//! Owns: `series`, `run_series`, `checks`, `observations`, `findings`, `finding_events`. Permissions: findings.read, baselines.write.
//! Invariant: I55 (drift categories and posture exactly as in Maester Cloud's model).

pub mod api;
mod db;
pub(crate) mod drift;
mod list;
pub mod model;
pub mod settle;

pub use list::{Among, observations};
