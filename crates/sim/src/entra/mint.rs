//! Tokens with the claims Microsoft documents (access-token and id-token claims reference): the version is the
//! API's choice, `roles` is absent when there are none, `scp` only where a user is.

use crate::{
    cloud::Cloud,
    config::{App, Assignment, Directory, User},
    entra::{error::seconds, resource::Resource},
    jwt::{self, b64},
    realm::Realm,
};
use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

/// How the client proved itself: `azpacr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientProof {
    Public,
    Secret,
    Assertion,
}

impl ClientProof {
    fn acr(self) -> &'static str {
        match self {
            Self::Public => "0",
            Self::Secret => "1",
            Self::Assertion => "2",
        }
    }
}

/// Who a token speaks for.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    User(&'a User, &'a [String]),
    App,
}

/// What goes into an access token.
pub struct AccessToken<'a> {
    pub directory: &'a Directory,
    pub client: &'a App,
    pub resource: &'a Resource,
    pub subject: Subject<'a>,
    pub proof: ClientProof,
}

/// `sub` is pairwise: one value per user and application.
pub fn pairwise(oid: Uuid, app: Uuid) -> String {
    b64(digest(&SHA256, format!("sub {oid} {app}").as_bytes()))
}

fn roles(assignments: &[Assignment], app: Uuid) -> Vec<&str> {
    assignments.iter().filter(|a| a.app == app).flat_map(|a| &a.roles).map(String::as_str).collect()
}

impl AccessToken<'_> {
    /// The claims and their lifetime in seconds: 60 to 90 minutes, by chance, as Microsoft does it.
    pub fn claims(&self, cloud: &Cloud, realm: &Realm) -> (Value, i64) {
        let mut dice = [0u8; 2];
        cloud.rng.fill(&mut dice);
        let lifetime = 3600 + i64::from(u16::from_le_bytes(dice)) % 1801;
        let now = seconds(cloud.now());
        let tid = self.directory.id;
        let mut claims = json!({
            "iat": now, "nbf": now, "exp": now + lifetime,
            "tid": tid, "uti": uti(cloud), "rh": cloud.refresh_handle(tid), "aio": cloud.opaque(""),
        });
        let v2 = self.resource.token_version == 2;
        let (client, acr) = if v2 { ("azp", "azpacr") } else { ("appid", "appidacr") };
        claims["ver"] = if v2 { "2.0" } else { "1.0" }.into();
        claims["iss"] = if v2 { realm.issuer_v2(tid) } else { realm.issuer_v1(tid) }.into();
        claims["aud"] = if v2 { self.resource.client_id.to_string() } else { self.resource.requested.clone() }.into();
        claims[client] = self.client.client_id.to_string().into();
        claims[acr] = self.proof.acr().into();
        self.subject(&mut claims, realm, v2);
        (claims, lifetime)
    }

    fn subject(&self, claims: &mut Value, realm: &Realm, v2: bool) {
        let assignments = match self.subject {
            Subject::User(user, scopes) => {
                claims["oid"] = user.oid.to_string().into();
                claims["sub"] = pairwise(user.oid, self.resource.client_id).into();
                claims["name"] = user.name.clone().into();
                claims["scp"] = scopes.join(" ").into();
                if v2 {
                    claims["preferred_username"] = user.upn.clone().into();
                } else {
                    claims["upn"] = user.upn.clone().into();
                    claims["unique_name"] = user.upn.clone().into();
                    claims["acr"] = "1".into();
                    claims["amr"] = json!(["pwd", "mfa"]);
                }
                &user.assignments
            }
            Subject::App => {
                let oid = self.client.service_principal.to_string();
                claims["oid"] = oid.clone().into();
                claims["sub"] = oid.into();
                if self.resource.idtyp {
                    claims["idtyp"] = "app".into();
                }
                if !v2 {
                    claims["app_displayname"] = self.client.name.clone().into();
                    claims["idp"] = realm.issuer_v1(self.directory.id).into();
                }
                &self.client.assignments
            }
        };
        let roles = roles(assignments, self.resource.client_id);
        if !roles.is_empty() {
            claims["roles"] = json!(roles);
        }
    }

    /// The signed token and its lifetime in seconds.
    pub fn sign(&self, cloud: &Cloud, realm: &Realm) -> Result<(String, i64)> {
        let (claims, lifetime) = self.claims(cloud, realm);
        let key = cloud.ring().signing();
        if self.resource.nonce_in_header {
            return Ok((graph_token(cloud, &claims)?, lifetime));
        }
        let extra = if self.resource.token_version == 1 { json!({"x5t": key.x5t()}) } else { json!({}) };
        Ok((jwt::rs256(&key, extra, &claims)?, lifetime))
    }
}

/// A token as Graph gets it: signed over the hash of the nonce that its header shows, so nobody else can check it.
pub fn graph_token(cloud: &Cloud, claims: &Value) -> Result<String> {
    let key = cloud.ring().signing();
    let nonce = cloud.opaque("");
    let signed = jwt::rs256(&key, json!({"nonce": hidden(&nonce), "x5t": key.x5t()}), claims)?;
    Ok(with_nonce(&signed, |_| nonce).unwrap_or(signed))
}

/// What Graph does before it checks a signature: hash the header's nonce.
pub fn reveal(token: &str) -> Option<String> {
    with_nonce(token, hidden)
}

fn hidden(nonce: &str) -> String {
    b64(digest(&SHA256, nonce.as_bytes()))
}

/// The token with another nonce in its header; `None` when it has no nonce.
fn with_nonce(token: &str, change: impl FnOnce(&str) -> String) -> Option<String> {
    let (header, rest) = token.split_once('.')?;
    let mut header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let changed = change(header.get("nonce")?.as_str()?);
    header["nonce"] = changed.into();
    Some(format!("{}.{rest}", b64(header.to_string())))
}

/// The id token of a sign-in.
pub fn id_token(
    cloud: &Cloud,
    realm: &Realm,
    directory: &Directory,
    client: &App,
    user: &User,
    nonce: Option<&str>,
    sid: &str,
) -> Result<String> {
    let now = seconds(cloud.now());
    let mut claims = json!({
        "ver": "2.0", "iss": realm.issuer_v2(directory.id), "aud": client.client_id, "tid": directory.id,
        "oid": user.oid, "sub": pairwise(user.oid, client.client_id),
        "name": user.name, "preferred_username": user.upn, "email": user.upn,
        "iat": now, "nbf": now, "exp": now + 3600, "uti": uti(cloud), "rh": "1.AAAA.", "sid": sid,
        "login_hint": login_hint(user),
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    let roles = roles(&user.assignments, client.client_id);
    if !roles.is_empty() {
        claims["roles"] = json!(roles);
    }
    jwt::rs256(&cloud.ring().signing(), json!({}), &claims)
}

/// The opaque `login_hint` claim, which may come back as a parameter.
pub fn login_hint(user: &User) -> String {
    b64(format!("O.{}", user.oid))
}

/// base64url of `{"uid","utid"}`: what MSAL builds its account id from.
pub fn client_info(directory: &Directory, user: &User) -> String {
    b64(json!({"uid": user.oid, "utid": directory.id}).to_string())
}

/// The unique token identifier: 128 random bits.
fn uti(cloud: &Cloud) -> String {
    b64(cloud.uuid().as_bytes())
}
