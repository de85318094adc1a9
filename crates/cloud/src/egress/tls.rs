//! How the HTTP clients are built: TLS through aws-lc-rs, Mozilla's roots compiled in, so that no machine's certificate
//! folder decides whom Bailiwick trusts.

use super::{EgressConfig, resolver::Gate};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{sync::Arc, time::Duration};
use url::Url;

/// What is wrong with the configuration of [`super::Egress`].
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the extra root certificates cannot be read: {cause}. Give PEM certificates of authorities")]
    BadRoots { cause: String },
    #[error("\"{host}\" in the list of allowed hosts is not a host name, \"*.suffix\" of two labels or more, or an IP address")]
    BadRule { host: String },
    #[error("TLS cannot be set up: {cause}")]
    Tls { cause: String },
}

/// TLS as this environment speaks it, whatever runs inside.
pub(super) fn trust(config: &EgressConfig) -> Result<rustls::ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.map_err(|e| SetupError::Tls { cause: e.to_string() })?;
    Ok(tls.with_root_certificates(roots(config)?).with_no_client_auth())
}

/// What becomes of a connection after its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections {
    /// Kept for the next request.
    Kept,
    /// Closed: each request has one of its own, and no request is ever repeated by the client.
    Fresh,
}

/// HTTP clients over one way of finding addresses.
pub(super) struct Clients {
    /// HTTPS only.
    tls: reqwest::Client,
    /// Plain HTTP, to addresses inside private ranges that are open to it only.
    plain: reqwest::Client,
}

impl Clients {
    pub fn new(
        config: &EgressConfig,
        trust: &rustls::ClientConfig,
        gate: impl Fn(bool) -> Gate,
        keep: Connections,
    ) -> Result<Self, SetupError> {
        Ok(Self { tls: client(config, trust, gate(false), keep)?, plain: client(config, trust, gate(true), keep)? })
    }

    /// The client for the URL's scheme.
    pub fn of(&self, url: &Url) -> &reqwest::Client {
        if url.scheme() == "http" { &self.plain } else { &self.tls }
    }
}

/// A client that asks `gate` for addresses, follows no redirect and knows no proxy.
fn client(config: &EgressConfig, trust: &rustls::ClientConfig, gate: Gate, keep: Connections) -> Result<reqwest::Client, SetupError> {
    let plain = gate.plain;
    let mut tls = trust.clone();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    #[allow(clippy::disallowed_methods)] // the one place that makes an HTTP client
    let builder = reqwest::Client::builder();
    let builder = builder
        .tls_backend_preconfigured(tls)
        .https_only(!plain)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .dns_resolver(gate)
        .connect_timeout(config.connect_timeout)
        .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")));
    let builder = match keep {
        Connections::Kept => builder.pool_idle_timeout(Duration::from_secs(60)),
        Connections::Fresh => builder.pool_max_idle_per_host(0).retry(reqwest::retry::never()),
    };
    builder.build().map_err(|e| SetupError::Tls { cause: e.to_string() })
}

fn roots(config: &EgressConfig) -> Result<rustls::RootCertStore, SetupError> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let Some(pem) = &config.extra_roots_pem else { return Ok(roots) };
    let bad = |cause: String| SetupError::BadRoots { cause };
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
    }
    if roots.len() == before {
        return Err(bad("no certificate found in it".into()));
    }
    Ok(roots)
}
