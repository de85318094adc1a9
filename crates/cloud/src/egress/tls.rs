//! How the HTTP clients are built: TLS through aws-lc-rs, Mozilla's roots compiled in, so that no machine's certificate
//! folder decides whom Bailiwick trusts.

use super::{EgressConfig, resolver::Gate};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{sync::Arc, time::Duration};

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

/// A client that asks `gate` for addresses, follows no redirect and knows no proxy.
pub(super) fn client(config: &EgressConfig, gate: Gate) -> Result<reqwest::Client, SetupError> {
    let plain = gate.plain;
    let failed = |e: &dyn std::fmt::Display| SetupError::Tls { cause: e.to_string() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .with_root_certificates(roots(config)?)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    #[allow(clippy::disallowed_methods)] // the one place that makes an HTTP client
    let builder = reqwest::Client::builder();
    builder
        .tls_backend_preconfigured(tls)
        .https_only(!plain)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .dns_resolver(gate)
        .connect_timeout(config.connect_timeout)
        .pool_idle_timeout(Duration::from_secs(60))
        .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| failed(&e))
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
