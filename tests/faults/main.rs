//! Faults: bad input, half uploads, killed processes, full disks, clocks that jump. Each ends in a clear refusal or a clean recovery,
//! loses nothing acknowledged and duplicates nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod bad_reports;
mod daemon;
mod fixes;
mod half_uploads;
mod kills;
mod life;
mod look;
mod own_database;
mod reports;
mod scans;
mod shared;
mod transient;
