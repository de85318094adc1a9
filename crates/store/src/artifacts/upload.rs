//! One upload: in parts, invisible until finished, gone when it is not.

use super::{ArtifactError, local};
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use std::{path::PathBuf, sync::Arc};

/// S3 takes no part under 5 MiB but the last; Azure any.
const CLOUD_PART: usize = 8 * 1024 * 1024;
const LOCAL_PART: usize = 1024 * 1024;

pub(super) struct Upload {
    store: Arc<dyn ObjectStore>,
    root: Option<Arc<std::path::Path>>,
    path: Path,
    parts: Option<Box<dyn MultipartUpload>>,
    held: Vec<u8>,
    written: u64,
}

impl Upload {
    pub fn new(store: Arc<dyn ObjectStore>, root: Option<Arc<std::path::Path>>, path: Path) -> Self {
        Self { store, root, path, parts: None, held: Vec::new(), written: 0 }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ArtifactError> {
        let part = if self.root.is_some() { LOCAL_PART } else { CLOUD_PART };
        self.held.extend_from_slice(bytes);
        self.written += bytes.len() as u64;
        if self.held.len() >= part { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), ArtifactError> {
        let payload = PutPayload::from(std::mem::take(&mut self.held));
        Ok(self.parts().await?.put_part(payload).await?)
    }

    async fn parts(&mut self) -> Result<&mut Box<dyn MultipartUpload>, ArtifactError> {
        let parts = match self.parts.take() {
            Some(parts) => parts,
            None => self.begin().await?,
        };
        Ok(self.parts.insert(parts))
    }

    async fn begin(&mut self) -> Result<Box<dyn MultipartUpload>, ArtifactError> {
        let Some((root, file)) = self.local_file() else { return Ok(self.store.put_multipart(&self.path).await?) };
        let folders = file.clone();
        blocking(move || local::make_folders(&root, &folders)).await?;
        let parts = self.store.put_multipart(&self.path).await?;
        blocking(move || local::close_staged(&file)).await?;
        Ok(parts)
    }

    fn local_file(&self) -> Option<(Arc<std::path::Path>, PathBuf)> {
        let root = self.root.clone()?;
        let file = root.join(self.path.as_ref());
        Some((root, file))
    }

    /// Publishes what was written; returns its size in bytes.
    pub async fn finish(mut self) -> Result<u64, ArtifactError> {
        let result = self.publish().await;
        match result {
            Ok(()) => {
                self.parts = None;
                Ok(self.written)
            }
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    async fn publish(&mut self) -> Result<(), ArtifactError> {
        if self.parts.is_none() && self.root.is_none() {
            // Small enough for one request, which is whole or not at all.
            let payload = PutPayload::from(std::mem::take(&mut self.held));
            self.store.put(&self.path, payload).await?;
            return Ok(());
        }
        self.flush().await?;
        self.parts().await?.complete().await?;
        Ok(())
    }

    pub async fn abort(mut self) {
        if let Some(parts) = self.parts.take() {
            give_up(parts).await;
        }
    }
}

impl Drop for Upload {
    /// The sender went away, and with it the future that held us.
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(give_up(parts));
        }
    }
}

async fn give_up(mut parts: Box<dyn MultipartUpload>) {
    if let Err(error) = parts.abort().await {
        tracing::debug!(%error, "an upload given up could not be removed; the sweep or the cloud's own expiry will");
    }
}

async fn blocking(work: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Result<(), ArtifactError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)??)
}
