//! Tenancy: the tenant's settings, its projects, the directories it reports on.
//!
//! Owns: `tenants` (name, unknown_directory), `projects`, `directories`. Permissions: projects.*, directories.*, settings.*.
//! Invariants: I15 (the tenant comes from the credential), I38 (the assessed directory is one of the tenant's), I73.

pub mod api;
pub(crate) mod db;
