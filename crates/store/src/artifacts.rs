//! Artifacts in an object store, sealed before they leave us (I77) and hashed as they pass (I37).
//!
//! What must stay true: nothing stands under an artifact's key until all of it is stored, synced and of the stated hash;
//! an upload that fails, is refused or is dropped leaves nothing; nothing is given out that does not verify.

mod error;
mod local;
mod location;
#[cfg(test)]
mod tests;
mod upload;

pub use error::ArtifactError;
pub use location::CloudOptions;

use crate::{
    keyring::TenantKey,
    sealing::{OpenError, OpenReader, Opener, Plain, Sealed, Sealer, open, seal},
};
use bailiwick_base::{ArtifactId, Rng, RunId, TenantId, Timestamp};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use std::{error::Error, io::Read, sync::Arc};
use tokio_util::io::{ReaderStream, StreamReader, SyncIoBridge};
use upload::Upload;

/// How much of a local file is read at once.
const READ_SIZE: usize = 128 * 1024;

/// Where an artifact lies: `<tenant>/<run>/<artifact>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    pub tenant: TenantId,
    pub run: RunId,
    pub artifact: ArtifactId,
}

impl ObjectKey {
    /// What the seal binds, besides the tenant.
    fn name(&self) -> String {
        format!("{}/{}", self.run, self.artifact)
    }

    fn parse(parts: &[&str]) -> Option<Self> {
        let [tenant, run, artifact] = parts else { return None };
        Some(Self { tenant: tenant.parse().ok()?, run: run.parse().ok()?, artifact: artifact.parse().ok()? })
    }
}

/// What was stored. Record the hash and the size: both are checked again on the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Of the plaintext.
    pub sha256: [u8; 32],
    /// Plaintext bytes.
    pub size: u64,
    /// Bytes in the store.
    pub sealed_size: u64,
}

/// The object store of all tenants' artifacts.
#[derive(Clone)]
pub struct ArtifactStore {
    store: Arc<dyn ObjectStore>,
    /// The folder, when the store is one.
    local: Option<Arc<std::path::Path>>,
    prefix: Path,
    rng: Arc<dyn Rng>,
}

impl ArtifactStore {
    /// Opens a folder (a path or `file://`), an Azure Blob container (`az://container/prefix` or its `https://` address),
    /// or an S3 bucket (`s3://bucket/prefix`). A folder is made if missing.
    ///
    /// # Errors
    /// When the address is of no kind we know, or the folder cannot be made private.
    pub fn open(url: &str, options: &CloudOptions, rng: Arc<dyn Rng>) -> Result<Self, ArtifactError> {
        let place = location::open(url, options)?;
        Ok(Self { store: place.store, local: place.folder.map(Into::into), prefix: place.prefix, rng })
    }

    /// Any other object store, e.g. one that fails on purpose.
    pub fn with_store(store: Arc<dyn ObjectStore>, rng: Arc<dyn Rng>) -> Self {
        Self { store, local: None, prefix: Path::default(), rng }
    }

    fn path(&self, key: &ObjectKey) -> Path {
        let parts = [key.tenant.to_string(), key.run.to_string(), key.artifact.to_string()];
        parts.into_iter().fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// Seals and stores a body as it streams, at most `limit` bytes of plaintext. Writing the same key again replaces it whole.
    ///
    /// # Errors
    /// `TooLarge`, `HashMismatch`, `Full`, `Body` when the sender broke off; in each case nothing of it stays.
    pub async fn put<S, E>(
        &self,
        key: &ObjectKey,
        tenant_key: &TenantKey,
        body: S,
        limit: u64,
        expected_sha256: Option<[u8; 32]>,
    ) -> Result<Stored, ArtifactError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Error + Send + Sync + 'static,
    {
        own_key(key, tenant_key)?;
        let sealer = Sealer::new(tenant_key, &key.name(), &*self.rng)?;
        let mut taken = 0u64;
        let body = body.map_err(|error| ArtifactError::Body(error.into())).and_then(move |piece| {
            taken = taken.saturating_add(piece.len() as u64);
            std::future::ready(if taken > limit { Err(ArtifactError::TooLarge { limit }) } else { Ok(piece) })
        });
        let mut upload = Upload::new(self.store.clone(), self.local.clone(), self.path(key));
        match fill(&mut upload, std::pin::pin!(seal(Box::pin(body), sealer)), expected_sha256).await {
            Ok(plain) => Ok(Stored { sha256: plain.sha256, size: plain.size, sealed_size: upload.finish().await? }),
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    /// The plaintext as a stream. Its last item is an error when anything is missing, altered or, with `expected_sha256`,
    /// not what was recorded.
    ///
    /// # Errors
    /// `NotFound`, or when the store does not answer.
    pub async fn get(
        &self,
        key: &ObjectKey,
        tenant_key: Arc<TenantKey>,
        expected_sha256: Option<[u8; 32]>,
    ) -> Result<BoxStream<'static, Result<Bytes, OpenError>>, ArtifactError> {
        own_key(key, &tenant_key)?;
        let opener = Opener::new(tenant_key, &key.name(), expected_sha256);
        Ok(match self.store.get(&self.path(key)).await?.payload {
            GetResultPayload::File(file, _) => {
                open(ReaderStream::with_capacity(tokio::fs::File::from_std(file), READ_SIZE), opener).boxed()
            }
            GetResultPayload::Stream(stream) => open(stream, opener).boxed(),
        })
    }

    /// The plaintext as a blocking reader, for a parser on a thread of `spawn_blocking`. Must be made inside the runtime.
    ///
    /// # Errors
    /// `NotFound`, or when the store does not answer.
    pub async fn reader(
        &self,
        key: &ObjectKey,
        tenant_key: Arc<TenantKey>,
        expected_sha256: Option<[u8; 32]>,
    ) -> Result<Box<dyn Read + Send>, ArtifactError> {
        own_key(key, &tenant_key)?;
        let opener = Opener::new(tenant_key, &key.name(), expected_sha256);
        Ok(match self.store.get(&self.path(key)).await?.payload {
            GetResultPayload::File(file, _) => Box::new(OpenReader::new(file, opener)),
            GetResultPayload::Stream(stream) => {
                let stream = StreamReader::new(stream.map_err(std::io::Error::other));
                Box::new(OpenReader::new(SyncIoBridge::new(stream), opener))
            }
        })
    }

    /// Deletes an artifact; one that is not there is deleted already.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), ArtifactError> {
        match self.store.delete(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            result => Ok(result?),
        }
    }

    /// A tenant's artifacts stored before `older_than`. Those that the database does not know are orphans of an upload whose
    /// transaction did not commit: delete them, and take a time well before now so that none of them is still being written.
    pub fn list_orphans(&self, tenant: TenantId, older_than: Timestamp) -> BoxStream<'static, Result<ObjectKey, ArtifactError>> {
        let prefix = self.prefix.clone();
        let wanted = move |meta: ObjectMeta| {
            let old = meta.last_modified.timestamp_millis() < older_than.as_millisecond();
            let parts: Vec<_> = meta.location.prefix_match(&prefix)?.collect();
            let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
            ObjectKey::parse(&parts).filter(|_| old)
        };
        self.store
            .list(Some(&self.prefix.clone().join(tenant.to_string())))
            .map_err(ArtifactError::from)
            .try_filter_map(move |meta| std::future::ready(Ok(wanted(meta))))
            .boxed()
    }

    /// Removes what a killed process left half written in a local folder; returns how many files. Clouds expire theirs.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn sweep_half_written(&self, older_than: Timestamp) -> Result<usize, ArtifactError> {
        let Some(root) = self.local.clone() else { return Ok(0) };
        tokio::task::spawn_blocking(move || local::sweep(&root, older_than))
            .await
            .map_err(std::io::Error::other)?
            .map_err(ArtifactError::from)
    }
}

/// A tenant's key never seals nor opens under another tenant's path.
fn own_key(key: &ObjectKey, tenant_key: &TenantKey) -> Result<(), ArtifactError> {
    if key.tenant == tenant_key.tenant() { Ok(()) } else { Err(ArtifactError::ForeignKey) }
}

async fn fill(
    upload: &mut Upload,
    mut sealed: impl Stream<Item = Result<Sealed, ArtifactError>> + Unpin,
    expected: Option<[u8; 32]>,
) -> Result<Plain, ArtifactError> {
    while let Some(item) = sealed.next().await {
        match item? {
            Sealed::Bytes(bytes) => upload.write(&bytes).await?,
            Sealed::End(plain) => {
                return match expected {
                    Some(expected) if expected != plain.sha256 => Err(ArtifactError::HashMismatch { expected, received: plain.sha256 }),
                    _ => Ok(plain),
                };
            }
        }
    }
    Err(ArtifactError::Body("the body ended before its end".into()))
}
