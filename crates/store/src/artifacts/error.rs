//! What can go wrong with an artifact, and what the sender is told.

use crate::{keyring::KeyError, sealing::OpenError};
use bailiwick_base::{Code, Problem};
use std::{error::Error, io};

#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    #[error("the artifact storage is full")]
    Full,
    #[error("the artifact is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the bytes have the SHA-256 {}, and {} was stated", hex::encode(.received), hex::encode(.expected))]
    HashMismatch { expected: [u8; 32], received: [u8; 32] },
    #[error("the sender broke off: {0}")]
    Body(#[source] Box<dyn Error + Send + Sync>),
    #[error("there is no such artifact")]
    NotFound,
    #[error("the key is another tenant's")]
    ForeignKey,
    #[error(
        "`{0}` names no artifact storage: give a folder, az://container, https://account.blob.core.windows.net/container or s3://bucket"
    )]
    UnknownLocation(String),
    #[error("the artifact folder {path} cannot be used: {source}")]
    Folder { path: std::path::PathBuf, source: io::Error },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the artifact storage fails: {0}")]
    Store(#[source] Box<dyn Error + Send + Sync>),
}

impl From<object_store::Error> for ArtifactError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            error if is_full(&error) => Self::Full,
            error => Self::Store(error.into()),
        }
    }
}

impl From<io::Error> for ArtifactError {
    fn from(error: io::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Store(error.into()) }
    }
}

/// A full disk or quota, anywhere in the chain of causes.
fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl From<ArtifactError> for Problem {
    fn from(error: ArtifactError) -> Self {
        let text = error.to_string();
        match error {
            ArtifactError::Full => Problem::new(
                Code::StorageFull,
                "The artifact storage is full. Nothing was stored; tell your operator, then send the file again.",
            )
            .retry_after(60),
            ArtifactError::TooLarge { limit } => {
                Problem::new(Code::LimitExceeded, format!("The file is larger than the limit of {limit} bytes. Nothing was stored."))
            }
            ArtifactError::HashMismatch { .. } => {
                Problem::new(Code::HashMismatch, format!("Nothing was stored: {text}. Send the file again."))
            }
            ArtifactError::Body(_) => {
                let mut problem = Problem::new(Code::BadRequest, "The file did not arrive whole, and nothing was stored. Send it again.");
                problem.internal = Some(text);
                problem
            }
            ArtifactError::NotFound => Problem::not_found(),
            ArtifactError::Store(_) => Problem::unavailable("The artifact storage", text),
            ArtifactError::ForeignKey
            | ArtifactError::UnknownLocation(_)
            | ArtifactError::Folder { .. }
            | ArtifactError::Key(_)
            | ArtifactError::Open(_) => Problem::internal(text),
        }
    }
}
