//! Tokens of unsubscribe links: `bwu_` and 64 characters of base64url: the tenant, the address's row, and a MAC over both.
//!
//! A token names its tenant, as an API key does, and changes one preference of one address. It does not end, because mail is kept for
//! years; it is the same in every mail to an address, so that nothing is stored for it. The key is the tenant's own and sealed.

use crate::Services;
use aws_lc_rs::{constant_time, hmac};
use bailiwick_base::{Problem, Secret, TenantId};
use bailiwick_store::WriteScope;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;
use uuid::Uuid;

const PREFIX: &str = "bwu_";
/// The name its key is sealed under.
const SECRET: &str = "notifications/unsubscribe";
const MAC: usize = 16;
const LENGTH: usize = 16 + 16 + MAC;

/// What a token says of itself; nothing of it is believed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    pub tenant: TenantId,
    pub row: Uuid,
    mac: [u8; MAC],
}

/// Reads a token's claims; `None` when it is not in the form of one.
pub fn read(token: &str) -> Option<Claimed> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    let bytes: [u8; LENGTH] = bytes.try_into().ok()?;
    let uuid = |at: usize| Uuid::from_slice(&bytes[at..at + 16]).unwrap_or_default();
    let mut mac = [0; MAC];
    mac.copy_from_slice(&bytes[32..]);
    Some(Claimed { tenant: TenantId(uuid(0)), row: uuid(16), mac })
}

/// The key of one tenant's tokens.
pub struct Tokens {
    tenant: TenantId,
    key: hmac::Key,
}

impl Tokens {
    fn with(tenant: TenantId, key: &Secret<Vec<u8>>) -> Self {
        Self { tenant, key: hmac::Key::new(hmac::HMAC_SHA256, key.expose()) }
    }

    /// The tenant's key; made where there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(services: &Services, scope: &mut WriteScope) -> Result<Self, Problem> {
        if let Some(known) = Self::known_to(services, scope).await? {
            return Ok(known);
        }
        let tenant = scope.tenant();
        let mut fresh = vec![0; 32];
        scope.rng().fill(&mut fresh);
        let fresh = Secret::new(fresh);
        scope.put_secret(&services.keyring, SECRET, &fresh).await?;
        Ok(Self::with(tenant, &fresh))
    }

    /// The tenant's key, where it has one.
    ///
    /// # Errors
    /// The database's.
    pub async fn known(services: &Services, scope: &mut bailiwick_store::ReadScope) -> Result<Option<Self>, Problem> {
        let tenant = scope.tenant();
        Ok(scope.secret(&services.keyring, SECRET).await?.map(|key| Self::with(tenant, &key)))
    }

    /// As [`Tokens::known`], in a scope that writes.
    ///
    /// # Errors
    /// The database's.
    pub async fn known_to(services: &Services, scope: &mut WriteScope) -> Result<Option<Self>, Problem> {
        let tenant = scope.tenant();
        Ok(scope.secret(&services.keyring, SECRET).await?.map(|key| Self::with(tenant, &key)))
    }

    fn mac(&self, row: Uuid) -> [u8; MAC] {
        let tag = hmac::sign(&self.key, &[b"unsubscribe".as_slice(), self.tenant.0.as_bytes(), row.as_bytes()].concat());
        let mut mac = [0; MAC];
        mac.copy_from_slice(&tag.as_ref()[..MAC]);
        mac
    }

    /// The token of an address's row.
    pub fn token(&self, row: Uuid) -> String {
        let bytes = [self.tenant.0.as_bytes().as_slice(), row.as_bytes(), &self.mac(row)].concat();
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether the tenant gave it out.
    pub fn admits(&self, claimed: &Claimed) -> bool {
        claimed.tenant == self.tenant && constant_time::verify_slices_are_equal(&claimed.mac, &self.mac(claimed.row)).is_ok()
    }
}

/// The page a person opens. The token stands in the fragment, which no server or log sees.
pub fn page(portal: &Url, token: &str) -> Url {
    let mut url = portal.clone();
    url.set_path(&format!("{}/unsubscribe", portal.path().trim_end_matches('/')));
    url.set_fragment(Some(token));
    url
}

/// The address a mail program posts to (RFC 8058).
pub fn one_click(portal: &Url, token: &str) -> Url {
    let mut url = portal.clone();
    url.set_path(&format!("{}/api/v1/unsubscribe", portal.path().trim_end_matches('/')));
    url.query_pairs_mut().append_pair("token", token);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(tenant: u128, key: u8) -> Tokens {
        Tokens::with(TenantId(Uuid::from_u128(tenant)), &Secret::new(vec![key; 32]))
    }

    #[test]
    fn a_token_counts_for_its_tenant_and_address_alone() {
        let (ours, row) = (tokens(1, 7), Uuid::from_u128(9));
        let token = ours.token(row);
        let claimed = read(&token).unwrap();
        assert_eq!((claimed.tenant, claimed.row), (TenantId(Uuid::from_u128(1)), row));
        assert!(ours.admits(&claimed));
        assert!(!tokens(1, 8).admits(&claimed), "another key");
        assert!(!tokens(2, 7).admits(&claimed), "another tenant");
        assert!(!ours.admits(&Claimed { row: Uuid::from_u128(10), ..claimed }), "another address");
        assert!(!ours.admits(&Claimed { mac: [0; MAC], ..claimed }), "no MAC");
    }

    #[test]
    fn what_is_no_token_is_not_read_as_one() {
        for text in ["", "bwu_", "bwu_AAAA", "bwk_AAAA", "bwu_!", &format!("bwu_{}", "A".repeat(63)), &format!("bwu_{}", "A".repeat(68))] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_page_gets_the_token_where_no_log_sees_it() {
        let portal: Url = "https://bailiwick.contoso.com/".parse().unwrap();
        assert_eq!(page(&portal, "bwu_x").as_str(), "https://bailiwick.contoso.com/unsubscribe#bwu_x");
        assert_eq!(one_click(&portal, "bwu_x").as_str(), "https://bailiwick.contoso.com/api/v1/unsubscribe?token=bwu_x");
    }
}
