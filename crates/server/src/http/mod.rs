//! The HTTP surface: every operation of the contract through one adapter, and the few open routes beside them.

mod adapter;
mod auth;
mod health;
mod portal;
mod proxies;
mod rate;
mod refusals;
mod respond;

pub use adapter::{metrics_router, router};
pub use auth::Authenticator;
pub use rate::Rates;
pub use refusals::Refusals;

use bailiwick_domain::Services;
use std::sync::Arc;

/// What the HTTP surface works with.
#[derive(Clone)]
pub struct App {
    pub services: Services,
    pub authenticator: Arc<Authenticator>,
    pub rates: Arc<Rates>,
    pub refusals: Arc<Refusals>,
    pub portal: Arc<portal::Portal>,
    pub proxies: Arc<Proxies>,
    /// Whom to tell of a flaw, for security.txt.
    pub security_contact: Arc<str>,
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
}

pub use portal::Portal;
pub use proxies::Proxies;
