//! Fixes: proposing changes to a directory, having people approve them, carrying them out, and taking them back; and containing people
//! at risk.
//!
//! Owns: `fix_settings`, `fix_plans`, `fixes`, `fix_approvals`, `containments`, `containment_acts`, `write_steps`. Permissions: fixes.*,
//! containment.act. Jobs: [`jobs::APPLY`], [`jobs::DUE`], [`jobs::CONTAIN`].
//! Invariants: I43 (nothing writes unless an owner turned it on and a second consent was given), I44 (an approval binds to what was
//! shown), I45 (what may be written is a list of recipes here), I46 (a write is read back), I48 (planning writes nothing), I49
//! (disconnecting ends every further call).
//!
//! How something is carried out is one machine for all of it (`machine.rs`, `carry.rs`): look, note the intent, send once, read back.
//! Whatever ends a process, what was noted tells the next one what to do, and it never sends what may have been sent.

mod access;
pub mod api;
mod carry;
mod contain_api;
mod contained;
pub(crate) mod db;
mod explain;
mod goal;
pub mod jobs;
mod machine;
pub mod model;
mod plan;
mod steps;
mod tell;
mod verify;

pub use explain::Assistant;
pub use verify::verify;
