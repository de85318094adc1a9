//! The product through its real surfaces: HTTP, PostgreSQL, the simulated cloud.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod journey;
