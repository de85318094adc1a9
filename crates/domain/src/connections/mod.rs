//! Connections: the consented access to directories.
//!
//! Owns: `connections`, `consents`, and the secrets of customers' own registrations. Permissions: connections.*.
//! Invariants: I30 (a static secret is warned about), I43 (reading and writing are two applications and two consents), I49
//! (disconnecting ends every further call), I50 (what is missing is listed exactly), I68 (access is an application's).

pub mod api;
pub(crate) mod db;
pub mod model;
pub(crate) mod reach;
