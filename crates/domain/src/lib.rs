//! The product: one module per capability, each with its operations (`api.rs`), rules (`model.rs`), statements (`db.rs`) and jobs
//! (`jobs.rs`). Nothing here sees HTTP; every statement runs in a scope of the store.

pub mod audit;
pub mod connections;
pub mod evidence;
pub mod findings;
pub mod fixes;
pub mod handler;
pub mod identity;
pub mod microsoft;
pub mod notifications;
pub mod scans;
pub mod tenancy;
pub mod text;
pub mod worker;

pub use handler::{
    Call, DiscloseHandler, Download, LiveHandler, Mount, OpenHandler, ReachHandler, ReadHandler, TokenHandler, UploadHandler, WatchHandler,
    WriteHandler, admission,
};

pub use bailiwick_formats::Limits as FormatLimits;

use bailiwick_contract::tenancy::PublicConfig;
use bailiwick_store::{Store, artifacts::ArtifactStore, keyring::Keyring};
use std::sync::Arc;

/// What the capabilities work with.
#[derive(Clone)]
pub struct Services {
    pub store: Store,
    pub artifacts: Arc<ArtifactStore>,
    pub keyring: Arc<Keyring>,
    pub settings: Arc<Settings>,
    pub microsoft: Arc<microsoft::Environment>,
    pub scanner: Arc<Scanning>,
    pub senders: Arc<notifications::Senders>,
    /// Explains fixes in words; none unless the operator configured one.
    pub assistant: Option<Arc<fixes::Assistant>>,
}

/// How this process scans.
pub struct Scanning {
    /// The scanner's program and limits, or why there is none.
    pub scanner: Result<bailiwick_scanner::Scanner, String>,
    pub dns: bailiwick_cloud::Dns,
}

/// What the operator's configuration says to the capabilities.
#[derive(Debug, Clone)]
pub struct Settings {
    pub public: PublicConfig,
    /// Bytes of one artifact.
    pub artifact_bytes: u64,
    /// Artifacts of one run.
    pub artifacts_per_run: i64,
    pub formats: bailiwick_formats::Limits,
    /// What tenants have beside the basics, where nothing else was decided for one.
    pub entitlements: Vec<String>,
}

/// Binds every operation to its handler. The server mounts what this names; an operation left out stops it at start.
pub fn mount(to: &mut impl Mount) {
    tenancy::api::mount(to);
    identity::api::mount(to);
    evidence::api::mount(to);
    findings::api::mount(to);
    connections::api::mount(to);
    scans::api::mount(to);
    scans::catalogue::mount(to);
    fixes::api::mount(to);
    notifications::api::mount(to);
    audit::api::mount(to);
}
