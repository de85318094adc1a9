//! How an application proves itself to Entra: a secret, a certificate, or somebody else's token.
//!
//! Stays true: a secret has no Debug and no way into an error, and is zeroed when dropped. Whatever lasts until a person
//! replaces it says so ([`Credential::is_static`]), so that it can be warned about; federation is the one that does not.

mod certificate;
mod federated;
mod managed_identity;
#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use federated::Federated;
pub(crate) use federated::read_token_file;
pub use managed_identity::ManagedIdentity;

use aws_lc_rs::digest::{Context, SHA256};
use bailiwick_base::{Secret, Timestamp};
use std::fmt;

/// What proves that we are the application.
pub enum Credential {
    /// The weakest: it travels with every request for a token, and whoever has read it once is the application.
    ClientSecret {
        value: Secret<String>,
        /// When it ends, if the one who gave it knew.
        expires: Option<Timestamp>,
    },
    /// Proves possession of a private key, which stays here.
    Certificate(Certificate),
    /// Nothing is kept: another issuer vouches for us, minutes at a time.
    Federated(Federated),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.kind())
    }
}

/// What is wrong with a credential that was given. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("the secret is empty. Give the secret's value as Entra showed it once")]
    EmptySecret,
    #[error("there is no private key in the file. Give one PEM file with the private key and its certificate")]
    NoKey,
    #[error("the private key is encrypted. Give it without a passphrase; it is sealed before it is stored")]
    EncryptedKey,
    #[error("the private key is not an RSA key of 2048 to 8192 bits. Entra takes no other for applications")]
    UnusableKey,
    #[error("there is no certificate in the file. Give one PEM file with the private key and its certificate")]
    NoCertificate,
    #[error("the certificate cannot be read. Give it as X.509 in PEM")]
    BadCertificate,
    #[error("no certificate in the file belongs to the private key. Give the pair that was made together")]
    NotAPair,
    #[error("the address of the managed identity's endpoint is not http(s)://host/path")]
    BadEndpoint,
}

impl Credential {
    /// A client secret, with its end if that is known.
    ///
    /// # Errors
    /// [`CredentialError::EmptySecret`].
    pub fn client_secret(value: Secret<String>, expires: Option<Timestamp>) -> Result<Self, CredentialError> {
        if value.expose().trim().is_empty() {
            return Err(CredentialError::EmptySecret);
        }
        Ok(Self::ClientSecret { value, expires })
    }

    /// A private key and its certificate, in one PEM text.
    ///
    /// # Errors
    /// Those of [`Certificate::from_pem`].
    pub fn certificate(pem: &Secret<String>) -> Result<Self, CredentialError> {
        Certificate::from_pem(pem).map(Self::Certificate)
    }

    /// A stable word: `client_secret`, `certificate` or `federated`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ClientSecret { .. } => "client_secret",
            Self::Certificate(_) => "certificate",
            Self::Federated(_) => "federated",
        }
    }

    /// Whether it is something kept that works until a person replaces it, and so wants a warning and a watch.
    pub fn is_static(&self) -> bool {
        !matches!(self, Self::Federated(_))
    }

    /// When it ends, if that is known.
    pub fn expires(&self) -> Option<Timestamp> {
        match self {
            Self::ClientSecret { expires, .. } => *expires,
            Self::Certificate(certificate) => Some(certificate.expires()),
            Self::Federated(_) => None,
        }
    }

    /// Tells credentials apart without keeping them: a token got with one is not served to another.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        match self {
            Self::ClientSecret { value, .. } => hash(["secret", value.expose()]),
            Self::Certificate(certificate) => hash(["certificate", &certificate.thumbprint()]),
            Self::Federated(federated) => federated.fingerprint(),
        }
    }
}

/// SHA-256 over the parts, each ended by a byte that text does not hold.
fn hash<const N: usize>(parts: [&str; N]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0xFF]);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}
