//! Tokens that must be refused, each wrong in one way, made from a right one. A validator that accepts any of them
//! has a hole with that name.

use crate::{
    cloud::Cloud,
    config::{Directory, User},
    entra::{
        error::seconds,
        mint::{AccessToken, ClientProof, Subject, graph_token},
        resource::Resource,
    },
    jwt::{self, b64},
    keys::SigningKey,
    realm::{MSA_TENANT, Realm},
};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use uuid::Uuid;

/// What is wrong with the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forge {
    /// For another API of the same directory, rightly signed.
    WrongAudience,
    /// From an issuer on another host, signed with Entra's key.
    WrongIssuer,
    /// Ended an hour ago.
    Expired,
    /// Begins in an hour.
    NotYetValid,
    /// `alg: none` without a signature.
    Unsigned,
    /// HS256 with Entra's public key (PEM) as the secret.
    HmacWithPublicKey,
    /// A rightly made token under a key nobody published.
    UnknownKid,
    /// Another key's signature under a published `kid`.
    WrongKey,
    /// Rightly signed for a user of the directory that comes after this one in the configuration.
    OtherDirectory,
    /// `tid` of another directory than `iss`.
    TenantNotIssuer,
    /// One claim changed after signing.
    TamperedPayload,
    /// A personal Microsoft account, rightly signed by the key for those.
    MsaTenant,
    /// This directory's issuer under the key published for personal accounts.
    KeyOfOtherIssuer,
    /// A well-made v1.0 token; right only where v1 is configured.
    V1,
    /// A Graph token: a nonce in the header, so its signature cannot be checked.
    GraphNonce,
    /// No `scp` and no `roles`: a token of an application nobody assigned.
    NoRights,
    /// No `kid` in the header.
    NoKid,
    /// Not three parts.
    NotAJwt,
}

impl Forge {
    pub const ALL: &[Forge] = &[
        Self::WrongAudience,
        Self::WrongIssuer,
        Self::Expired,
        Self::NotYetValid,
        Self::Unsigned,
        Self::HmacWithPublicKey,
        Self::UnknownKid,
        Self::WrongKey,
        Self::OtherDirectory,
        Self::TenantNotIssuer,
        Self::TamperedPayload,
        Self::MsaTenant,
        Self::KeyOfOtherIssuer,
        Self::V1,
        Self::GraphNonce,
        Self::NoRights,
        Self::NoKid,
        Self::NotAJwt,
    ];
}

/// The right token that the wrong one is made from.
pub struct Base<'a> {
    pub directory: &'a Directory,
    pub client: Uuid,
    pub user: &'a User,
    pub resource: Resource,
    pub scopes: Vec<String>,
}

impl Base<'_> {
    fn claims(&self, cloud: &Cloud, realm: &Realm) -> Result<Value> {
        let client = self.directory.app(self.client).context("the client application is not in the directory")?;
        let token = AccessToken {
            directory: self.directory,
            client,
            resource: &self.resource,
            subject: Subject::User(self.user, &self.scopes),
            proof: ClientProof::Public,
        };
        Ok(token.claims(cloud, realm).0)
    }
}

/// Makes the token.
///
/// # Errors
/// When the client is not in the directory, when `OtherDirectory` is asked of a cloud with only one, or when signing fails.
pub fn forge(cloud: &Cloud, realm: &Realm, base: &Base<'_>, wrong: Forge) -> Result<String> {
    let mut claims = base.claims(cloud, realm)?;
    let key = cloud.ring().signing();
    let now = seconds(cloud.now());
    let tid = base.directory.id;
    let other = || cloud.directories.iter().find(|d| d.id != tid).context("there is no other directory");
    match wrong {
        Forge::WrongAudience => claims["aud"] = "00000000-0000-4000-8000-00000000a0d1".into(),
        Forge::WrongIssuer => claims["iss"] = format!("https://login.example.test/{tid}/v2.0").into(),
        Forge::Expired => move_times(&mut claims, now - 7200, now - 3600),
        Forge::NotYetValid => move_times(&mut claims, now + 3600, now + 7200),
        Forge::Unsigned => return Ok(jwt::unsigned(&claims)),
        Forge::HmacWithPublicKey => return Ok(jwt::hs256(&key.kid, key.public_pem()?.as_bytes(), &claims)),
        Forge::UnknownKid => return jwt::rs256(&SigningKey::generate("nobody")?, json!({}), &claims),
        Forge::WrongKey => return jwt::rs256(&SigningKey::generate("nobody")?, json!({"kid": key.kid}), &claims),
        Forge::OtherDirectory => {
            let other = other()?;
            claims["tid"] = other.id.to_string().into();
            claims["iss"] = realm.issuer_v2(other.id).into();
            claims["oid"] = other.users.first().map_or(base.user.oid, |u| u.oid).to_string().into();
        }
        Forge::TenantNotIssuer => claims["tid"] = other()?.id.to_string().into(),
        Forge::TamperedPayload => return tampered(&jwt::rs256(&key, json!({}), &claims)?, claims),
        Forge::MsaTenant => {
            claims["tid"] = MSA_TENANT.to_string().into();
            claims["iss"] = realm.issuer_v2(MSA_TENANT).into();
            claims["oid"] = "00000000-0000-0000-6d73-610000000001".into();
            return jwt::rs256(&cloud.msa_key, json!({}), &claims);
        }
        Forge::KeyOfOtherIssuer => return jwt::rs256(&cloud.msa_key, json!({}), &claims),
        Forge::V1 => {
            let resource = Resource { token_version: 1, ..base.resource.clone() };
            let v1 = Base { directory: base.directory, client: base.client, user: base.user, resource, scopes: base.scopes.clone() };
            claims = v1.claims(cloud, realm)?;
        }
        Forge::GraphNonce => return graph_token(cloud, &claims),
        Forge::NoRights => {
            for name in ["scp", "roles"] {
                claims.as_object_mut().map(|map| map.remove(name));
            }
        }
        Forge::NoKid => return without_kid(&key, &claims),
        Forge::NotAJwt => return Ok("not.a-token".to_owned()),
    }
    jwt::rs256(&key, json!({}), &claims)
}

fn move_times(claims: &mut Value, begins: i64, ends: i64) {
    claims["iat"] = begins.into();
    claims["nbf"] = begins.into();
    claims["exp"] = ends.into();
}

/// The signature of the right claims over others: somebody else's object id.
fn tampered(signed: &str, mut claims: Value) -> Result<String> {
    let mut parts = signed.splitn(3, '.');
    let (header, signature) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    claims["oid"] = "00000000-0000-4000-8000-0000000bad01".into();
    Ok(format!("{header}.{}.{signature}", b64(claims.to_string())))
}

fn without_kid(key: &SigningKey, claims: &Value) -> Result<String> {
    let input = format!("{}.{}", b64(json!({"typ": "JWT", "alg": "RS256"}).to_string()), b64(claims.to_string()));
    Ok(format!("{input}.{}", b64(key.rs256(input.as_bytes())?)))
}
