//! What tests stand on: a database of their own, the real server, the simulated Microsoft cloud, and actors with names.
//!
//! One PostgreSQL serves a test binary and dies with it; each [`World`] gets a copy of a migrated template and a server in this
//! process. Nothing sleeps: jobs are worked when a test says so, and the clock stands until it is moved.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot be set up is a failed test

pub mod actor;
pub mod cluster;
pub mod world;

pub use actor::{Actor, Answer};
pub use world::{Tenant, World, sim};
