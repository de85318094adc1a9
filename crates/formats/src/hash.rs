//! Identity and content of a result: what makes it the same one in the next run, and what makes it look different.

use aws_lc_rs::digest::{Context, SHA256};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// SHA-256 over parts, each with its length in front, so that no two lists of parts are the same bytes.
pub struct Parts(Context);

impl Parts {
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub fn text(mut self, part: &str) -> Self {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part.as_bytes());
        self
    }

    pub fn number(mut self, part: u64) -> Self {
        self.0.update(&part.to_le_bytes());
        self
    }

    fn digest(self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.finish().as_ref());
        out
    }

    pub fn fingerprint(self) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&self.digest()[..16]);
        out
    }

    pub fn content(self) -> u64 {
        let mut out = [0; 8];
        out.copy_from_slice(&self.digest()[..8]);
        u64::from_le_bytes(out)
    }
}

/// Tells results of one run with the same base apart by counting: the first keeps the base, the second mixes in 1, and so on.
/// The set of fingerprints of a run is then the same in whatever order its results come. Nine bytes a result.
#[derive(Default)]
pub struct Ordinals {
    seen: HashSet<u64, BuildHasherDefault<Prefix>>,
    repeated: HashMap<u64, u64, BuildHasherDefault<Prefix>>,
}

impl Ordinals {
    pub fn tell_apart(&mut self, base: [u8; 16]) -> [u8; 16] {
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&base[..8]);
        let prefix = u64::from_le_bytes(prefix);
        if self.seen.insert(prefix) {
            return base;
        }
        let ordinal = self.repeated.entry(prefix).or_insert(0);
        *ordinal += 1;
        Parts::new().text(&hex::encode(base)).number(*ordinal).fingerprint()
    }
}

/// Keys met before, at nine bytes each.
#[derive(Default)]
pub struct Met(HashSet<u64, BuildHasherDefault<Prefix>>);

impl Met {
    /// True the first time.
    pub fn insert(&mut self, key: &str) -> bool {
        self.0.insert(Parts::new().text(key).content())
    }
}

/// The keys are SHA-256 already: hashing them again would change nothing.
#[derive(Default)]
pub struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}
