//! Faults of scans: what Microsoft, the network, a pack, a signal or a person can do to one, and what the user sees of it.
//!
//! Each test has a simulated Microsoft of its own, and the real scanner in its sandbox. What the tests assert is also written down, as a
//! table: `target/scan-faults.md`.

mod ends;
mod kills;
mod packs;
mod sources;
pub mod stage;
mod table;
