//! Keys and what they wrap: a key-encryption key from a file wraps one data key per tenant, which seals that tenant's
//! secrets and artifacts (I28, I77). Destroying a tenant's wrapped keys destroys what they sealed.
//!
//! What must stay true: every ciphertext is bound to its tenant, purpose and name as additional data, so that none opens
//! in another's place; no key has Debug or Clone, and all are zeroed when dropped.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest::{SHA256, digest},
    hkdf::{HKDF_SHA256, Salt},
};
use bailiwick_base::{Rng, Secret, TenantId};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

pub const KEY_LEN: usize = 32;
const KEK_ID_LEN: usize = 8;
const WRAP_FORMAT: u8 = 1;
const SECRET_FORMAT: u8 = 1;
const SALT_LEN: usize = 32;

/// Why a key or a secret is not to be had. Says nothing of the values.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key file {path} cannot be used: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the key file {path} must hold 32 bytes, raw or in base64: make one with `bailiwickd keys generate`")]
    NotAKey { path: PathBuf },
    #[error("the key file {path} may be read by others: run `chmod 600 {path}`")]
    Exposed { path: PathBuf },
    #[error("wrapped by key {id}, which is not configured: add its file to the old keys")]
    UnknownKek { id: String },
    #[error("not in a format this version of Bailiwick knows")]
    UnknownFormat,
    #[error("does not open: altered, or it belongs to another tenant, name or key")]
    Refused,
    #[error("sealed by version {needed} of the tenant's key, and version {given} was given")]
    OtherVersion { needed: u32, given: u32 },
    #[error("the cipher refused to work")]
    Cipher,
}

/// The key that wraps tenants' data keys. Known by an id derived from it, so that several can be told apart.
pub struct KeyEncryptionKey {
    id: [u8; KEK_ID_LEN],
    key: Secret<[u8; KEY_LEN]>,
}

impl KeyEncryptionKey {
    pub fn new(key: [u8; KEY_LEN]) -> Self {
        let key = Secret::new(key);
        let mut labelled = Zeroizing::new(b"bailiwick/kek-id/v1".to_vec());
        labelled.extend_from_slice(key.expose());
        let mut id = [0; KEK_ID_LEN];
        id.copy_from_slice(&digest(&SHA256, &labelled).as_ref()[..KEK_ID_LEN]);
        Self { id, key }
    }

    /// Reads 32 bytes, raw or base64, from a file that nobody but its owner may read.
    ///
    /// # Errors
    /// When the file is missing, open to others, or holds anything else.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let fail = |source| KeyError::File { path: path.into(), source };
        let meta = fs::metadata(path).map_err(fail)?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.into() });
        }
        let content = Zeroizing::new(fs::read(path).map_err(fail)?);
        let key = parse_key(&content).ok_or_else(|| KeyError::NotAKey { path: path.into() })?;
        Ok(Self::new(*key))
    }

    /// Makes a new key file, 0600, and never replaces one.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn generate(path: &Path, rng: &dyn Rng) -> Result<Self, KeyError> {
        let key = random_key(rng);
        let text = Zeroizing::new(BASE64_STANDARD.encode(key.as_slice()) + "\n");
        let write = || {
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| KeyError::File { path: path.into(), source })?;
        Ok(Self::new(*key))
    }

    /// A secret of the whole environment that every process with this key derives alike (RFC 5869).
    ///
    /// # Errors
    /// Only when the derivation itself fails.
    pub fn derived(&self, purpose: &'static str) -> Result<Secret<String>, KeyError> {
        let info = [purpose.as_bytes()];
        let prk = Salt::new(HKDF_SHA256, b"bailiwick/environment/v1").extract(self.key.expose());
        let okm = prk.expand(&info, HKDF_SHA256).map_err(|_| KeyError::Cipher)?;
        let mut bytes = Zeroizing::new([0u8; KEY_LEN]);
        okm.fill(bytes.as_mut_slice()).map_err(|_| KeyError::Cipher)?;
        Ok(Secret::new(hex::encode(bytes.as_slice())))
    }

    /// For people and logs; tells nothing of the key.
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }
}

fn parse_key(content: &[u8]) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    if let Ok(raw) = content.try_into() {
        return Some(Zeroizing::new(raw));
    }
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(content.trim_ascii()).ok()?);
    decoded.as_slice().try_into().ok().map(Zeroizing::new)
}

fn random_key(rng: &dyn Rng) -> Zeroizing<[u8; KEY_LEN]> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    rng.fill(key.as_mut_slice());
    key
}

/// One version of one tenant's data key. It carries its tenant, so it cannot be used for another.
pub struct TenantKey {
    tenant: TenantId,
    version: u32,
    key: Secret<[u8; KEY_LEN]>,
}

impl TenantKey {
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
    /// Counts from 1 and grows with each rotation.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// A key for one purpose and one salt (RFC 5869), so that no two uses share a key.
    pub(crate) fn derive(&self, purpose: &[u8], salt: &[u8]) -> Result<LessSafeKey, KeyError> {
        let prk = Salt::new(HKDF_SHA256, salt).extract(self.key.expose());
        let info = [purpose, self.tenant.0.as_bytes()];
        let okm = prk.expand(&info, &AES_256_GCM).map_err(|_| KeyError::Cipher)?;
        Ok(LessSafeKey::new(UnboundKey::from(okm)))
    }
}

/// The key-encryption keys: one wraps, the older ones still open.
pub struct Keyring {
    current: KeyEncryptionKey,
    older: Vec<KeyEncryptionKey>,
    rng: Arc<dyn Rng>,
}

impl Keyring {
    pub fn new(current: KeyEncryptionKey, rng: Arc<dyn Rng>) -> Self {
        Self { current, older: Vec::new(), rng }
    }

    /// Also opens what `older` wrapped, until all is rewrapped.
    pub fn with_older(mut self, older: KeyEncryptionKey) -> Self {
        self.older.push(older);
        self
    }

    /// A new data key, to be stored as [`Self::wrap`] gives it.
    pub fn new_data_key(&self, tenant: TenantId, version: u32) -> TenantKey {
        TenantKey { tenant, version, key: Secret::new(*random_key(&*self.rng)) }
    }

    /// `format 1 | kek id 8 | nonce 12 | AES-256-GCM(key) 48`, bound to tenant and version.
    ///
    /// # Errors
    /// Only when the cipher itself fails.
    pub fn wrap(&self, key: &TenantKey) -> Result<Vec<u8>, KeyError> {
        let mut wrapped = vec![WRAP_FORMAT];
        wrapped.extend_from_slice(&self.current.id);
        let aad = wrap_aad(key.tenant, key.version, &wrapped);
        seal_into(&mut wrapped, &kek_cipher(&self.current)?, &*self.rng, &aad, key.key.expose())?;
        Ok(wrapped)
    }

    /// # Errors
    /// When it was wrapped by a key we do not have, for another tenant or version, or altered.
    pub fn unwrap(&self, tenant: TenantId, version: u32, wrapped: &[u8]) -> Result<TenantKey, KeyError> {
        let (head, sealed) = wrapped.split_at_checked(1 + KEK_ID_LEN).ok_or(KeyError::UnknownFormat)?;
        if head[0] != WRAP_FORMAT {
            return Err(KeyError::UnknownFormat);
        }
        let kek = self.by_id(&head[1..]).ok_or_else(|| KeyError::UnknownKek { id: hex::encode(&head[1..]) })?;
        let plain = open_from(sealed, &kek_cipher(kek)?, &wrap_aad(tenant, version, head))?;
        let key: [u8; KEY_LEN] = plain.as_slice().try_into().map_err(|_| KeyError::Refused)?;
        Ok(TenantKey { tenant, version, key: Secret::new(key) })
    }

    fn by_id(&self, id: &[u8]) -> Option<&KeyEncryptionKey> {
        [&self.current].into_iter().chain(&self.older).find(|kek| kek.id == id)
    }

    /// Whether an older key wrapped it.
    pub fn needs_rewrap(&self, wrapped: &[u8]) -> bool {
        wrapped.get(1..=KEK_ID_LEN) != Some(&self.current.id[..])
    }

    /// The same data key under the current key-encryption key.
    ///
    /// # Errors
    /// As [`Self::unwrap`].
    pub fn rewrap(&self, tenant: TenantId, version: u32, wrapped: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.wrap(&self.unwrap(tenant, version, wrapped)?)
    }

    /// `format 1 | key version 4 | salt 32 | nonce 12 | AES-256-GCM`, bound to the key's tenant and to `name`.
    ///
    /// # Errors
    /// Only when the cipher itself fails.
    pub fn seal_secret(&self, key: &TenantKey, name: &str, plain: &Secret<Vec<u8>>) -> Result<Vec<u8>, KeyError> {
        let mut salt = [0; SALT_LEN];
        self.rng.fill(&mut salt);
        let mut sealed = vec![SECRET_FORMAT];
        sealed.extend_from_slice(&key.version.to_be_bytes());
        sealed.extend_from_slice(&salt);
        let aad = secret_aad(key.tenant, name, &sealed);
        seal_into(&mut sealed, &key.derive(b"bailiwick/secret/v1", &salt)?, &*self.rng, &aad, plain.expose())?;
        Ok(sealed)
    }

    /// # Errors
    /// When it was sealed for another tenant or name, by another version, or altered.
    pub fn open_secret(&self, key: &TenantKey, name: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, KeyError> {
        let needed = secret_key_version(sealed)?;
        if needed != key.version {
            return Err(KeyError::OtherVersion { needed, given: key.version });
        }
        let (head, body) = sealed.split_at_checked(5 + SALT_LEN).ok_or(KeyError::UnknownFormat)?;
        let plain = open_from(body, &key.derive(b"bailiwick/secret/v1", &head[5..])?, &secret_aad(key.tenant, name, head))?;
        Ok(Secret::new(plain))
    }
}

/// Which version of the tenant's key opens a sealed secret.
///
/// # Errors
/// When it is not a sealed secret.
pub fn secret_key_version(sealed: &[u8]) -> Result<u32, KeyError> {
    match sealed {
        [SECRET_FORMAT, a, b, c, d, ..] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => Err(KeyError::UnknownFormat),
    }
}

fn wrap_aad(tenant: TenantId, version: u32, head: &[u8]) -> Vec<u8> {
    [b"bailiwick/data-key/v1", &tenant.0.as_bytes()[..], &version.to_be_bytes(), head].concat()
}

fn secret_aad(tenant: TenantId, name: &str, head: &[u8]) -> Vec<u8> {
    [b"bailiwick/secret/v1", &tenant.0.as_bytes()[..], head, name.as_bytes()].concat()
}

fn kek_cipher(kek: &KeyEncryptionKey) -> Result<LessSafeKey, KeyError> {
    UnboundKey::new(&AES_256_GCM, kek.key.expose()).map(LessSafeKey::new).map_err(|_| KeyError::Cipher)
}

/// Appends `nonce | ciphertext | tag`. Random nonces are safe here: one key seals far fewer than 2^32 values (SP 800-38D 8.3).
fn seal_into(out: &mut Vec<u8>, key: &LessSafeKey, rng: &dyn Rng, aad: &[u8], plain: &[u8]) -> Result<(), KeyError> {
    let mut nonce = [0; NONCE_LEN];
    rng.fill(&mut nonce);
    let mut buffer = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM.tag_len()));
    buffer.extend_from_slice(plain);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut *buffer).map_err(|_| KeyError::Cipher)?;
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&buffer);
    Ok(())
}

fn open_from(sealed: &[u8], key: &LessSafeKey, aad: &[u8]) -> Result<Vec<u8>, KeyError> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(KeyError::Refused)?;
    let mut buffer = Zeroizing::new(body.to_vec());
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut buffer).map_err(|_| KeyError::Refused)?;
    Ok(plain.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_base::SeededRng;
    use uuid::Uuid;

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }
    fn ring(byte: u8) -> Keyring {
        Keyring::new(KeyEncryptionKey::new([byte; KEY_LEN]), Arc::new(SeededRng::new(u64::from(byte))))
    }
    fn secret(text: &str) -> Secret<Vec<u8>> {
        Secret::new(text.as_bytes().to_vec())
    }

    #[test]
    fn a_data_key_opens_for_its_tenant_and_version_only() {
        let ring = ring(1);
        let key = ring.new_data_key(tenant(1), 3);
        let wrapped = ring.wrap(&key).unwrap();
        assert!(!wrapped.windows(KEY_LEN).any(|part| part == key.key.expose()));
        assert_eq!(ring.unwrap(tenant(1), 3, &wrapped).unwrap().key.expose(), key.key.expose());
        assert!(matches!(ring.unwrap(tenant(2), 3, &wrapped), Err(KeyError::Refused)));
        assert!(matches!(ring.unwrap(tenant(1), 4, &wrapped), Err(KeyError::Refused)));
        for at in 0..wrapped.len() {
            let mut bent = wrapped.clone();
            bent[at] ^= 1;
            assert!(ring.unwrap(tenant(1), 3, &bent).is_err(), "byte {at}");
            assert!(ring.unwrap(tenant(1), 3, &wrapped[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_key_encryption_key_rotates_without_touching_what_was_sealed() {
        let old = ring(1);
        let key = old.new_data_key(tenant(1), 1);
        let (wrapped, sealed) = (old.wrap(&key).unwrap(), old.seal_secret(&key, "webhook", &secret("s3cret")).unwrap());

        let both = ring(2).with_older(KeyEncryptionKey::new([1; KEY_LEN]));
        assert!(both.needs_rewrap(&wrapped));
        let rewrapped = both.rewrap(tenant(1), 1, &wrapped).unwrap();
        assert!(!both.needs_rewrap(&rewrapped));

        let new = ring(2);
        let key = new.unwrap(tenant(1), 1, &rewrapped).unwrap();
        assert_eq!(new.open_secret(&key, "webhook", &sealed).unwrap().expose(), b"s3cret");
        let id = KeyEncryptionKey::new([1; KEY_LEN]).id();
        assert!(matches!(new.unwrap(tenant(1), 1, &wrapped), Err(KeyError::UnknownKek { id: named }) if named == id));
    }

    #[test]
    fn a_secret_opens_under_its_own_tenant_name_and_version_only() {
        let ring = ring(1);
        let (ours, theirs, newer) = (ring.new_data_key(tenant(1), 1), ring.new_data_key(tenant(2), 1), ring.new_data_key(tenant(1), 2));
        let sealed = ring.seal_secret(&ours, "smtp", &secret("hunter2")).unwrap();
        assert_eq!(ring.open_secret(&ours, "smtp", &sealed).unwrap().expose(), b"hunter2");
        assert!(matches!(ring.open_secret(&ours, "smtq", &sealed), Err(KeyError::Refused)));
        assert!(matches!(ring.open_secret(&theirs, "smtp", &sealed), Err(KeyError::Refused)));
        assert!(matches!(ring.open_secret(&newer, "smtp", &sealed), Err(KeyError::OtherVersion { needed: 1, given: 2 })));
        let same_bytes = TenantKey { tenant: tenant(2), version: 1, key: Secret::new(*ours.key.expose()) };
        assert!(matches!(ring.open_secret(&same_bytes, "smtp", &sealed), Err(KeyError::Refused)));
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 0x80;
            assert!(ring.open_secret(&ours, "smtp", &bent).is_err(), "byte {at}");
            assert!(ring.open_secret(&ours, "smtp", &sealed[..at]).is_err(), "cut at {at}");
        }
        assert_ne!(sealed, ring.seal_secret(&ours, "smtp", &secret("hunter2")).unwrap());
    }

    #[test]
    fn key_files_are_private_and_never_replaced() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("kek");
        let made = KeyEncryptionKey::generate(&path, &SeededRng::new(7)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(KeyEncryptionKey::from_file(&path).unwrap().id(), made.id());
        assert!(matches!(KeyEncryptionKey::generate(&path, &SeededRng::new(8)), Err(KeyError::File { .. })));

        fs::write(&path, [9; KEY_LEN]).unwrap();
        assert_eq!(KeyEncryptionKey::from_file(&path).unwrap().id(), KeyEncryptionKey::new([9; KEY_LEN]).id());
        fs::write(&path, "too short").unwrap();
        assert!(matches!(KeyEncryptionKey::from_file(&path), Err(KeyError::NotAKey { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(KeyEncryptionKey::from_file(&path), Err(KeyError::Exposed { .. })));
    }
}
