//! A certificate credential: the assertion it signs (RFC 7523, and Microsoft's "certificate credentials" page: PS256 and
//! `x5t#S256`).

use super::CredentialError;
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PSS_SHA256},
};
use bailiwick_base::{Secret, Timestamp};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::json;
use uuid::Uuid;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroize;

/// How long an assertion is good for. Microsoft recommends five to ten minutes.
const ASSERTION_SECONDS: i64 = 600;

/// Moduli Entra takes, in bytes.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// A private key and the certificate that is registered for it.
pub struct Certificate {
    key: KeyPair,
    /// base64url of SHA-256 over the DER: what Entra finds the certificate by.
    thumbprint: String,
    expires: Timestamp,
}

impl Certificate {
    /// Reads a private key (PKCS #8 or PKCS #1) and, among the certificates beside it, the one that belongs to it.
    ///
    /// # Errors
    /// What the text lacks, or why the two do not fit.
    pub fn from_pem(pem: &Secret<String>) -> Result<Self, CredentialError> {
        let text = pem.expose();
        let key = private_key(text)?;
        let mut seen = false;
        for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let der = der.map_err(|_| CredentialError::BadCertificate)?;
            let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| CredentialError::BadCertificate)?;
            seen = true;
            // aws-lc-rs gives the public key as PKCS #1, which is just what the certificate's bit string holds.
            if *certificate.public_key().subject_public_key.data == *key.public_key().as_ref() {
                let expires = Timestamp::from_second(certificate.validity().not_after.timestamp());
                let expires = expires.map_err(|_| CredentialError::BadCertificate)?;
                return Ok(Self { key, thumbprint: B64.encode(digest(&SHA256, &der)), expires });
            }
        }
        Err(if seen { CredentialError::NotAPair } else { CredentialError::NoCertificate })
    }

    /// When the certificate ends.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The thumbprint (SHA-256, base64url), to compare with the one Entra lists.
    pub fn thumbprint(&self) -> String {
        self.thumbprint.clone()
    }

    /// A signed statement that we are this application, for this token endpoint only.
    pub(crate) fn assertion(&self, app: Uuid, audience: &str, now: Timestamp, id: Uuid) -> Option<Secret<String>> {
        let now = now.as_second();
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": audience, "iss": app, "sub": app, "jti": id,
            "iat": now, "nbf": now, "exp": now.saturating_add(ASSERTION_SECONDS),
        });
        let mut token = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).ok()?;
        token.push('.');
        B64.encode_string(signature, &mut token);
        Some(Secret::new(token))
    }
}

fn private_key(pem: &str) -> Result<KeyPair, CredentialError> {
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(CredentialError::EncryptedKey);
    }
    let mut der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| CredentialError::NoKey)?;
    let key = match &der {
        PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()).ok(),
        _ => None,
    };
    der.zeroize();
    key.filter(|key| MODULUS.contains(&key.public_modulus_len())).ok_or(CredentialError::UnusableKey)
}
