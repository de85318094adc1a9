//! Evidence: runs, artifacts, and what processing makes of them.
//!
//! Owns: `runs`, `artifacts`. Permissions: runs.*, artifacts.read. Jobs: [`jobs::PROCESS`], [`jobs::SWEEP`].
//! Invariants: I34 (half uploads are never processed), I35, I36, I37 (hash at ingest, again at download), I38, I42 (provenance).

pub mod api;
pub(crate) mod db;
pub mod import;
pub mod jobs;
pub mod model;
pub(crate) mod own;
mod reading;
