//! The test authority and the server certificate it signs: for the simulator's own names and for Microsoft's.
//! The authority's key never leaves the process unless a folder was asked for; there it is readable by its owner only.

use anyhow::{Context, Result};
use bailiwick_base::Rng;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::{fs, path::Path};

/// Every name the server answers to, beside `localhost` and `127.0.0.1`.
pub const MICROSOFT_NAMES: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "graph.microsoft.com",
    "management.azure.com",
    "*.vault.azure.net",
    "token.actions.githubusercontent.com",
];

/// Whether the simulator stands in for that host (port already cut off).
pub fn stands_in_for(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    MICROSOFT_NAMES.iter().any(|name| match name.strip_prefix("*.") {
        Some(suffix) => {
            host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')).is_some_and(|label| !label.is_empty() && !label.contains('.'))
        }
        None => host == *name,
    })
}

/// The authority's certificate and the server's certificate and key.
pub struct Authority {
    pub ca_pem: String,
    pub server_cert: CertificateDer<'static>,
    pub server_key: PrivateKeyDer<'static>,
}

impl Authority {
    /// A new authority, or the one kept in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be read or written, or holds a key that is not one.
    pub fn open(folder: Option<&Path>, rng: &dyn Rng) -> Result<Self> {
        let (ca_pem, ca_key) = match folder {
            Some(folder) => kept(folder)?,
            None => made()?,
        };
        let params = authority_params();
        let issuer = Issuer::from_params(&params, &ca_key);
        let key = KeyPair::generate().context("making the server key")?;
        let certificate = server_params(rng)?.signed_by(&key, &issuer).context("signing the server certificate")?;
        Ok(Self {
            ca_pem,
            server_cert: certificate.der().clone(),
            server_key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        })
    }
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Bailiwick simulator test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    params
}

fn server_params(rng: &dyn Rng) -> Result<CertificateParams> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    names.extend(MICROSOFT_NAMES.iter().map(|&name| name.to_owned()));
    let mut params = CertificateParams::new(names).context("naming the server certificate")?;
    params.distinguished_name.push(DnType::CommonName, "Bailiwick simulator");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    let mut serial = [0u8; 16];
    rng.fill(&mut serial);
    serial[0] &= 0x7f; // a serial number is positive (RFC 5280, 4.1.2.2)
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    Ok(params)
}

fn made() -> Result<(String, KeyPair)> {
    let key = KeyPair::generate().context("making the authority's key")?;
    let certificate = authority_params().self_signed(&key).context("signing the authority's certificate")?;
    Ok((certificate.pem(), key))
}

fn kept(folder: &Path) -> Result<(String, KeyPair)> {
    let (cert_path, key_path) = (folder.join("ca.pem"), folder.join("ca-key.pem"));
    if cert_path.exists() && key_path.exists() {
        let pem = fs::read_to_string(&cert_path).with_context(|| format!("reading {}", cert_path.display()))?;
        let key = fs::read_to_string(&key_path).with_context(|| format!("reading {}", key_path.display()))?;
        let key = KeyPair::from_pem(&key).with_context(|| {
            format!("{} holds no private key: delete it and {} to make new ones", key_path.display(), cert_path.display())
        })?;
        return Ok((pem, key));
    }
    let (pem, key) = made()?;
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    write_private(&key_path, &key.serialize_pem())?;
    fs::write(&cert_path, &pem).with_context(|| format!("writing {}", cert_path.display()))?;
    Ok((pem, key))
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("creating {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_base::SeededRng;

    #[test]
    fn a_kept_authority_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let first = Authority::open(Some(folder.path()), &SeededRng::new(1)).unwrap();
        let second = Authority::open(Some(folder.path()), &SeededRng::new(2)).unwrap();
        assert_eq!(first.ca_pem, second.ca_pem);
        assert_ne!(first.server_cert, second.server_cert);
    }

    #[test]
    fn vaults_are_ours_by_wildcard_and_others_are_not() {
        assert!(stands_in_for("contoso-prod.vault.azure.net"));
        assert!(stands_in_for("Login.MicrosoftOnline.com"));
        for other in [
            "vault.azure.net",
            "a.b.vault.azure.net",
            "evil-login.microsoftonline.com",
            "example.com",
            "login.microsoftonline.com.example.com",
        ] {
            assert!(!stands_in_for(other), "{other}");
        }
    }
}
