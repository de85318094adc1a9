//! The store: PostgreSQL behind scopes, artifacts behind seals, jobs and the trail.
//!
//! - [`scope`]: the only connections there are, and the one commit.
//! - [`trail`], [`jobs`], [`tenants`]: what the store itself keeps.
//! - [`consents`]: the one question that is asked across tenants on behalf of one.
//! - [`artifacts`], [`sealing`], [`keyring`]: sealed bytes in an object store, and the keys they are sealed with.
//! - [`private_postgres`]: the server Bailiwick starts for itself when it is given none.

pub mod artifacts;
pub mod consents;
pub mod error;
pub mod jobs;
pub mod keyring;
pub mod login;
pub mod migrate;
pub mod private_postgres;
pub mod scope;
pub mod sealing;
pub mod tenants;
pub mod trail;
pub mod vault;

pub use error::StoreError;
pub use jobs::{JobBell, JobKind, Lease, NewJob};
pub use migrate::migrate;
pub use scope::{Admission, Caller, ReadScope, Store, SystemUse, WriteScope, sql_time};
pub use tenants::{NewTenant, TenantSignIn};
pub use trail::{Audited, Request};

/// How to connect to a database; for the process that puts the parts together.
pub use sqlx::postgres::PgConnectOptions;
