//! How the HTTP client is built: the one place of this command that makes one.
//!
//! TLS by rustls with aws-lc-rs, Mozilla's roots compiled in, plus the authorities of `--ca-file`; so a static binary in an empty
//! container works. `HTTPS_PROXY` and `NO_PROXY` are obeyed. Redirects are not followed: they would carry the credential elsewhere.

use crate::failure::{Failure, causes};
use reqwest::Url;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{path::Path, sync::Arc, time::Duration};

/// Reads an address that credentials are sent to: https, or plain http to this machine only.
pub fn address(text: &str, whence: &str) -> Result<Url, Failure> {
    let url = Url::parse(text.trim()).map_err(|e| {
        Failure::input(format!("{whence} is \"{text}\", which is not a URL ({e})."))
            .hint("Give it whole, such as https://bailiwick.example.com.")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::input(format!("{whence} holds a user name or password."))
            .hint("Leave it out of the URL; give the credential in BAILIWICK_TOKEN_FILE."));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback(&url) => Ok(url),
        "http" => Err(Failure::input(format!("{whence} is {url}: over http, others on the network could read your credential."))
            .hint("Use https. Plain http is taken for this machine only.")),
        other => Err(Failure::input(format!("{whence} begins with \"{other}:\".")).hint("Use an https URL.")),
    }
}

fn loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A client that also trusts the authorities in `ca_file` (PEM).
pub fn client(base: &Url, ca_file: Option<&Path>) -> Result<reqwest::Client, Failure> {
    let failed = |e: &dyn std::error::Error| Failure::input(format!("TLS cannot be set up: {}.", causes(e)));
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        add_authorities(&mut roots, path)?;
    }
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    #[expect(clippy::disallowed_methods, reason = "the command runs on a pipeline's machine, where cloud::Egress does not belong")]
    let builder = reqwest::Client::builder();
    let builder = builder
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .user_agent(concat!("bailiwick-cli/", env!("CARGO_PKG_VERSION")));
    // A proxy would see a plain request whole, and cannot reach this machine's loopback anyway.
    let builder = if base.scheme() == "http" { builder.no_proxy() } else { builder };
    builder.build().map_err(|e| failed(&e))
}

fn add_authorities(roots: &mut rustls::RootCertStore, path: &Path) -> Result<(), Failure> {
    let bad = |cause: String| {
        Failure::input(format!("The CA file {} cannot be used: {cause}.", path.display()))
            .hint("Give a PEM file with the certificates of the authorities to trust, in --ca-file or BAILIWICK_CA_FILE.")
    };
    let before = roots.len();
    let pem = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
    }
    if roots.len() == before { Err(bad("it holds no certificate".into())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_travel_over_https_or_stay_on_this_machine() {
        for good in ["https://bailiwick.example.com", "http://127.0.0.1:8080", "http://localhost:1/base", "http://[::1]:9"] {
            assert!(address(good, "--url").is_ok(), "{good}");
        }
        for bad in [
            "http://bailiwick.example.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "https://user:pass@example.com",
            "bailiwick",
        ] {
            assert!(address(bad, "--url").is_err(), "{bad}");
        }
    }
}
