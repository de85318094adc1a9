//! API keys: `bwk_` and 107 characters of base64url: the tenant, the project (or zeros) and 48 random bytes.
//!
//! The key names its tenant and project, so that finding it is one look in one tenant's rows, and its SHA-256 covers both: a key whose
//! tenant or project was changed is another key, and no such key exists. 384 random bits need no slow hash.

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_base::{ProjectId, Rng, Secret, TenantId};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;

const PREFIX: &str = "bwk_";
const LENGTH: usize = 16 + 16 + 48;

/// What a key says of itself. Whether it is true, the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub tenant: TenantId,
    pub project: Option<ProjectId>,
    pub sha256: [u8; 32],
}

/// A new key.
pub fn generate(tenant: TenantId, project: Option<ProjectId>, rng: &dyn Rng) -> Secret<String> {
    let mut bytes = [0u8; LENGTH];
    bytes[..16].copy_from_slice(tenant.0.as_bytes());
    bytes[16..32].copy_from_slice(project.map_or(Uuid::nil(), |p| p.0).as_bytes());
    rng.fill(&mut bytes[32..]);
    Secret::new(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// Reads a key's claims; `None` when it is not in the form of one.
pub fn read(key: &str) -> Option<Claimed> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(key.strip_prefix(PREFIX)?).ok()?;
    let bytes: [u8; LENGTH] = bytes.try_into().ok()?;
    let uuid = |at: usize| Uuid::from_slice(&bytes[at..at + 16]).unwrap_or_default();
    let project = uuid(16);
    Some(Claimed { tenant: TenantId(uuid(0)), project: (!project.is_nil()).then_some(ProjectId(project)), sha256: sha256(key) })
}

/// What is stored of a key.
pub fn sha256(key: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    hash
}

/// The last four characters.
pub fn hint(key: &str) -> String {
    key.chars().skip(key.chars().count().saturating_sub(4)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_base::{SeededRng, SystemClock};

    #[test]
    fn a_key_names_its_tenant_and_project() {
        let rng = SeededRng::new(7);
        let (tenant, project) = (TenantId::new(&SystemClock, &rng), ProjectId::new(&SystemClock, &rng));
        for project in [None, Some(project)] {
            let key = generate(tenant, project, &rng);
            let claimed = read(key.expose()).unwrap();
            assert_eq!((claimed.tenant, claimed.project), (tenant, project));
        }
    }

    #[test]
    fn what_is_not_a_key_is_not_read_as_one() {
        for text in ["", "bwk_", "bwk_AAAA", "bwk_!", "ghp_0123", &format!("bwk_{}", "A".repeat(200))] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
