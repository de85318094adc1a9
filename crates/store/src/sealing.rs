//! Sealing of artifacts as they stream: AES-256-GCM over chunks, in the manner of STREAM (Hoang, Reyhanitabar, Rogaway,
//! Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, 2015).
//!
//! `magic 6 | format 1 | log2(chunk) 1 | key version 4 | salt 32`, then chunks of 64 KiB with a tag of 16 bytes each.
//! Each artifact has a key of its own (HKDF of the tenant's key and the random salt); a chunk's nonce is its number and
//! whether it is the last; the additional data are the header, the tenant and the artifact's name. So a flipped bit, a
//! chunk moved, lost, added or taken from elsewhere, and a cut end all fail to open.
//!
//! What must stay true: no plaintext leaves an [`Opener`] before its chunk is verified. That nothing is missing is known
//! only when `finish` returns.

mod adapters;
#[cfg(test)]
mod tests;

pub use adapters::{OpenReader, Sealed, open, seal};

use crate::keyring::{KeyError, TenantKey};
use aws_lc_rs::{
    aead::{Aad, LessSafeKey, NONCE_LEN, Nonce},
    digest::{Context, SHA256},
};
use bailiwick_base::Rng;
use std::{io, sync::Arc};
use zeroize::Zeroize;

/// Plaintext bytes in each chunk but the last.
pub const CHUNK: usize = 64 * 1024;
pub const HEADER_LEN: usize = 44;
const TAG: usize = 16;
const FRAME: usize = CHUNK + TAG;
const MAGIC: &[u8; 6] = b"BWSEAL";
const FORMAT: u8 = 1;
const CHUNK_LOG2: u8 = 16;
const PURPOSE: &[u8] = b"bailiwick/artifact/v1";

/// Why sealed bytes do not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the bytes are not a sealed artifact of a known format")]
    UnknownFormat,
    #[error("the sealed artifact was altered, cut, or belongs elsewhere: restore it from a backup")]
    Altered,
    #[error("the artifact's content is not the one that was recorded: restore it from a backup")]
    OtherContent,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the sealed artifact cannot be read: {0}")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// What the plaintext was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain {
    pub sha256: [u8; 32],
    /// Bytes.
    pub size: u64,
}

/// Hash and length of plaintext as it passes.
struct Tally {
    hash: Context,
    size: u64,
}

impl Tally {
    fn new() -> Self {
        Self { hash: Context::new(&SHA256), size: 0 }
    }
    fn add(&mut self, plain: &[u8]) {
        self.hash.update(plain);
        self.size += plain.len() as u64;
    }
    fn finish(self) -> Plain {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.finish().as_ref());
        Plain { sha256, size: self.size }
    }
}

/// The cipher of one artifact, and the number of its next chunk.
struct Chunks {
    key: LessSafeKey,
    aad: Vec<u8>,
    number: u64,
}

impl Chunks {
    fn new(key: &TenantKey, name: &str, header: &[u8; HEADER_LEN]) -> Result<Self, KeyError> {
        let aad = [&header[..], key.tenant().0.as_bytes(), name.as_bytes()].concat();
        Ok(Self { key: key.derive(PURPOSE, &header[12..])?, aad, number: 0 })
    }

    /// `zero 3 | number 8 | last 1`. Unique for the key: it seals one artifact, and numbers do not repeat.
    fn nonce(&mut self, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(last);
        self.number += 1;
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&mut self, plain: &mut [u8], last: bool, out: &mut Vec<u8>) -> Result<(), KeyError> {
        let nonce = self.nonce(last);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(&self.aad), plain).map_err(|_| KeyError::Cipher)?;
        out.extend_from_slice(plain);
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    fn open<'a>(&mut self, frame: &'a mut [u8], last: bool) -> Result<&'a [u8], OpenError> {
        let nonce = self.nonce(last);
        let plain = self.key.open_in_place(nonce, Aad::from(&self.aad), frame).map_err(|_| OpenError::Altered)?;
        Ok(plain)
    }
}

/// Seals one artifact, fed in pieces of any size.
pub struct Sealer {
    chunks: Chunks,
    header: Option<[u8; HEADER_LEN]>,
    /// Plaintext of the chunk being filled.
    held: Vec<u8>,
    tally: Tally,
}

impl Sealer {
    /// `name` is what the artifact is opened by: its key in the store.
    ///
    /// # Errors
    /// Only when the cipher itself fails.
    pub fn new(key: &TenantKey, name: &str, rng: &dyn Rng) -> Result<Self, KeyError> {
        let mut header = [0; HEADER_LEN];
        header[..6].copy_from_slice(MAGIC);
        header[6] = FORMAT;
        header[7] = CHUNK_LOG2;
        header[8..12].copy_from_slice(&key.version().to_be_bytes());
        rng.fill(&mut header[12..]);
        let chunks = Chunks::new(key, name, &header)?;
        Ok(Self { chunks, header: Some(header), held: Vec::with_capacity(CHUNK), tally: Tally::new() })
    }

    /// Plaintext bytes taken so far.
    pub fn size(&self) -> u64 {
        self.tally.size
    }

    /// Takes plaintext, appends sealed bytes to `out`.
    ///
    /// # Errors
    /// Only when the cipher itself fails.
    pub fn update(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
        self.put_header(out);
        self.tally.add(plain);
        while !plain.is_empty() {
            // A full chunk is held back until more comes: the last one is sealed as the last.
            if self.held.len() == CHUNK {
                self.chunks.seal(&mut self.held, false, out)?;
                self.held.clear();
            }
            let (now, later) = plain.split_at(plain.len().min(CHUNK - self.held.len()));
            self.held.extend_from_slice(now);
            plain = later;
        }
        Ok(())
    }

    /// Appends the last chunk.
    ///
    /// # Errors
    /// Only when the cipher itself fails.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Plain, KeyError> {
        self.put_header(out);
        self.chunks.seal(&mut self.held, true, out)?;
        Ok(self.tally.finish())
    }

    fn put_header(&mut self, out: &mut Vec<u8>) {
        if let Some(header) = self.header.take() {
            out.extend_from_slice(&header);
        }
    }
}

/// Opens one artifact, fed in pieces of any size.
pub struct Opener {
    key: Arc<TenantKey>,
    name: String,
    expected: Option<[u8; 32]>,
    chunks: Option<Chunks>,
    held: Vec<u8>,
    tally: Tally,
}

impl Opener {
    /// `expected` is the recorded hash of the plaintext; [`Self::finish`] fails when it differs.
    pub fn new(key: Arc<TenantKey>, name: &str, expected: Option<[u8; 32]>) -> Self {
        Self { key, name: name.into(), expected, chunks: None, held: Vec::with_capacity(FRAME + 1), tally: Tally::new() }
    }

    /// Takes sealed bytes, appends verified plaintext to `out`.
    ///
    /// # Errors
    /// At the first chunk that does not verify; nothing of it reaches `out`.
    pub fn update(&mut self, mut sealed: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        while !sealed.is_empty() {
            let wanted = if self.chunks.is_some() { FRAME } else { HEADER_LEN };
            if self.held.len() == wanted {
                self.take(false, out)?;
                continue;
            }
            let (now, later) = sealed.split_at(sealed.len().min(wanted - self.held.len()));
            self.held.extend_from_slice(now);
            sealed = later;
        }
        Ok(())
    }

    /// Appends the last chunk's plaintext, and says that nothing is missing.
    ///
    /// # Errors
    /// When the end is cut, or the whole is not the expected one.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Plain, OpenError> {
        if self.chunks.is_none() {
            self.take(true, out)?;
        }
        self.take(true, out)?;
        let plain = std::mem::replace(&mut self.tally, Tally::new()).finish();
        if self.expected.is_some_and(|expected| expected != plain.sha256) {
            return Err(OpenError::OtherContent);
        }
        Ok(plain)
    }

    /// Uses up what is held: the header first, then a chunk at a time.
    fn take(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), OpenError> {
        match &mut self.chunks {
            None => {
                let header: [u8; HEADER_LEN] = self.held.as_slice().try_into().map_err(|_| OpenError::UnknownFormat)?;
                let needed = key_version(&header)?;
                if needed != self.key.version() {
                    return Err(KeyError::OtherVersion { needed, given: self.key.version() }.into());
                }
                self.chunks = Some(Chunks::new(&self.key, &self.name, &header)?);
            }
            Some(chunks) => {
                let plain = chunks.open(&mut self.held, last)?;
                self.tally.add(plain);
                out.extend_from_slice(plain);
            }
        }
        self.held.clear();
        Ok(())
    }
}

/// Which version of the tenant's key opens an artifact that starts with `header`.
///
/// # Errors
/// When it is not a sealed artifact of a known format.
pub fn key_version(header: &[u8]) -> Result<u32, OpenError> {
    let header = header.first_chunk::<HEADER_LEN>().ok_or(OpenError::UnknownFormat)?;
    if &header[..6] != MAGIC || header[6] != FORMAT || header[7] != CHUNK_LOG2 {
        return Err(OpenError::UnknownFormat);
    }
    Ok(u32::from_be_bytes([header[8], header[9], header[10], header[11]]))
}

impl Drop for Opener {
    fn drop(&mut self) {
        self.held.zeroize(); // opened in place
    }
}
