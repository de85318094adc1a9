//! One fetch of a directory's discovery document and signing keys (OpenID Connect Discovery 1.0; RFC 7517), checked
//! and parsed into keys ready to verify with.
//!
//! Stays true: keys are taken only from the sign-in service itself, and only from a document that names the issuer
//! which was asked for.

use super::token::TokenVersion;
use crate::{
    egress::{Egress, EgressError, Request},
    endpoints::CloudEndpoints,
};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use bailiwick_base::DirectoryId;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc, time::Duration};
use url::Url;

/// A key set is a few dozen kilobytes with its certificates.
const MAX_DOCUMENT: usize = 1 << 20;

/// A signing key. It verifies RS256 and nothing else: the algorithm is part of the parsed key.
pub struct Key {
    public: ParsedPublicKey,
    /// Whom the key signs for; `{tenantid}` stands for any directory.
    issuer: Option<String>,
}

impl Key {
    /// Whether the signature over these bytes is this key's.
    pub fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(bytes, signature).is_ok()
    }

    /// Whether the key may sign for one of these issuers of the directory. A key that names no issuer may only for
    /// version 1, whose documents are older than that member.
    pub fn signs_for(&self, directory: DirectoryId, version: TokenVersion, issuers: &[&str]) -> bool {
        match &self.issuer {
            Some(issuer) => issuers.contains(&filled(issuer, directory).as_str()),
            None => version == TokenVersion::V1,
        }
    }
}

/// The issuer with the directory in place of `{tenantid}`, whatever its case.
fn filled(template: &str, directory: DirectoryId) -> String {
    const HOLE: &str = "{tenantid}";
    match template.to_ascii_lowercase().find(HOLE) {
        Some(at) => format!("{}{directory}{}", &template[..at], &template[at + HOLE.len()..]),
        None => template.to_owned(),
    }
}

/// The keys of one directory, by key id.
pub type KeySet = HashMap<String, Arc<Key>>;

/// Why there are no keys.
#[derive(Debug, Clone)]
pub enum FetchError {
    /// The sign-in service says that there is no such directory.
    NoSuchDirectory,
    Unavailable {
        cause: String,
        retry_after: Option<Duration>,
    },
}

impl From<EgressError> for FetchError {
    fn from(error: EgressError) -> Self {
        let retry_after = match &error {
            EgressError::Status { retry_after, .. } => *retry_after,
            _ => None,
        };
        Self::Unavailable { cause: error.to_string(), retry_after }
    }
}

fn unusable(cause: impl Into<String>) -> FetchError {
    FetchError::Unavailable { cause: cause.into(), retry_after: None }
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    issuer: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Fetches a directory's keys: discovery first, then the key set it points to.
pub async fn fetch(egress: &Egress, cloud: &CloudEndpoints, directory: DirectoryId, version: TokenVersion) -> Result<KeySet, FetchError> {
    let (path, issuer) = match version {
        TokenVersion::V1 => ("", cloud.v1_issuer_of(directory)),
        TokenVersion::V2 => ("/v2.0", cloud.v2_issuer_of(directory)),
    };
    let address = format!("{}/{directory}{path}/.well-known/openid-configuration", cloud.login);
    let address = Url::parse(&address).map_err(|e| unusable(e.to_string()))?;
    let answer = egress.send(Request::get(address).max_body(MAX_DOCUMENT)).await?;
    // Microsoft answers 400 with AADSTS90002 for a directory that does not exist.
    if matches!(answer.meta.status, 400 | 404) && answer.json::<Refusal>().is_ok_and(|r| r.error == "invalid_tenant") {
        return Err(FetchError::NoSuchDirectory);
    }
    let discovery: Discovery = answer.ok()?.json()?;
    if discovery.issuer != issuer {
        return Err(unusable("the discovery document names another issuer than the directory's"));
    }
    let keys = Url::parse(&discovery.jwks_uri).ok().filter(|url| cloud.login.holds(url));
    let keys = keys.ok_or_else(|| unusable("the discovery document points to keys outside the sign-in service"))?;
    let jwks: Jwks = egress.send(Request::get(keys).max_body(MAX_DOCUMENT)).await?.ok()?.json()?;
    let set = parse(jwks);
    if set.is_empty() { Err(unusable("the key set holds no usable key")) } else { Ok(set) }
}

/// The usable keys; what is not an RSA signing key of 2048 bits or more is passed over, as other kinds may be added any day.
fn parse(jwks: Jwks) -> KeySet {
    let mut set = KeySet::new();
    for value in jwks.keys {
        if let Some((kid, key)) = serde_json::from_value(value).ok().and_then(usable) {
            // The first stands: a later key cannot take over an id.
            set.entry(kid).or_insert_with(|| Arc::new(key));
        }
    }
    set
}

fn usable(jwk: Jwk) -> Option<(String, Key)> {
    let signing = jwk.kty == "RSA" && jwk.purpose.is_none_or(|p| p == "sig") && jwk.alg.is_none_or(|a| a == "RS256");
    let kid = jwk.kid.filter(|kid| signing && !kid.is_empty())?;
    let decode = |text: String| BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let (n, e) = (decode(jwk.n?)?, decode(jwk.e?)?);
    let first = n.iter().position(|byte| *byte != 0)?;
    if n.len() - first < 256 {
        return None;
    }
    let components = RsaPublicKeyComponents { n: &n[first..], e: &e[..] };
    let public = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
    Some((kid, Key { public, issuer: jwk.issuer }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_filled_whatever_its_case_and_nothing_else_is() {
        let directory: DirectoryId = "72f988bf-86f1-41af-91ab-2d7cd011db47".parse().unwrap();
        assert_eq!(filled("https://l/{TenantID}/v2.0", directory), format!("https://l/{directory}/v2.0"));
        assert_eq!(filled("https://l/other/v2.0", directory), "https://l/other/v2.0");
    }

    #[test]
    fn keys_that_cannot_verify_rs256_are_passed_over() {
        let n = BASE64_URL_SAFE_NO_PAD.encode([0xAB; 256]);
        let weak = BASE64_URL_SAFE_NO_PAD.encode([0xAB; 128]);
        let keys = serde_json::json!({"keys": [
            {"kty": "EC", "kid": "curve", "crv": "P-256", "x": "AA", "y": "AA"},
            {"kty": "RSA", "use": "enc", "kid": "for encryption", "n": n, "e": "AQAB"},
            {"kty": "RSA", "alg": "RS512", "kid": "other algorithm", "n": n, "e": "AQAB"},
            {"kty": "RSA", "kid": "weak", "n": weak, "e": "AQAB"},
            {"kty": "RSA", "kid": "", "n": n, "e": "AQAB"},
            {"kty": "oct", "kid": "shared secret", "k": "c2VjcmV0"},
            7,
        ]});
        assert!(parse(serde_json::from_value(keys).unwrap()).is_empty());
    }
}
