//! Federated credentials: the assertion is another issuer's token, taken from a file (Kubernetes workload identity), from
//! a managed identity, or handed over by a pipeline.

use super::{ManagedIdentity, hash};
use crate::entra::claims;
use bailiwick_base::Secret;
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// Where the other issuer's token comes from.
pub enum Federated {
    /// A file that holds one and is replaced before it ends; it is read anew for every request.
    File(PathBuf),
    /// The identity of the machine or container we run on. User-assigned ones only: Entra takes no other as an assertion.
    ManagedIdentity(ManagedIdentity),
    /// One that the caller got, e.g. from GitHub Actions, good for this one piece of work.
    Token(Secret<String>),
}

impl Federated {
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        match self {
            Self::File(path) => hash(["file", &path.to_string_lossy()]),
            Self::ManagedIdentity(identity) => identity.fingerprint(),
            Self::Token(token) => hash(["token", token.expose()]),
        }
    }
}

/// Reads a projected token; nothing when the file is not there or holds no token.
pub(crate) async fn read_token_file(path: &Path) -> Option<Secret<String>> {
    let file = tokio::fs::File::open(path).await.ok()?;
    let mut text = Zeroizing::new(String::new());
    file.take(claims::MAX_TOKEN_BYTES as u64 + 1).read_to_string(&mut text).await.ok()?;
    let token = text.trim();
    claims::split(token).ok().map(|_| Secret::new(token.to_owned()))
}
