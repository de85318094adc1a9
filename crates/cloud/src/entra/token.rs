//! Whether to believe an access token, and whom it speaks for.
//!
//! The checks follow Microsoft's own list for web APIs (`learn.microsoft.com/entra/identity-platform/access-tokens` and
//! `.../claims-validation`), in this order: shape, algorithm, type; whose directory it claims to be from and whether
//! that one is onboarded, before anything goes out; key, signature, key's issuer; audience; time; who speaks; client.
//!
//! Stays true: the algorithm is ours, never the header's; the identity is `(tid, oid)`, never a name or an address; no
//! check reads the machine's clock; a token that is neither a person's nor a role-bearing application's is refused.

use super::{
    claims::{self, needed, optional},
    jwks::{KeyError, Keys, KeysPolicy},
    refusal::TokenError,
};
use crate::{egress::Egress, endpoints::CloudEndpoints};
use bailiwick_base::{Clock, DirectoryId, Problem, Timestamp};
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// The directory that stands for all personal Microsoft accounts.
pub const PERSONAL_ACCOUNTS: Uuid = Uuid::from_u128(0x9188040d_6c67_4c5b_b112_36a304b66dad);
/// Clocks may disagree by no more than this.
pub const MAX_SKEW: Duration = Duration::from_secs(300);

/// What every token must satisfy; a directory's own terms come with [`DirectoryTrust`].
#[derive(Debug, Clone)]
pub struct TokenConfig {
    pub endpoints: CloudEndpoints,
    /// Accepted `aud` for every directory: our client id (version 2), our App ID URIs (version 1). Exact.
    pub audiences: Vec<String>,
    /// Clients through which people may come, beside those a directory trusts; `None` with no such list lets any.
    /// Applications are admitted by their roles instead, which only an administrator of the directory assigns.
    pub allowed_clients: Option<Vec<Uuid>>,
    pub accept_v1: bool,
    /// What a person's token must carry in `scp`.
    pub required_scope: String,
    /// The application role that lets a workload upload; for callers to test with [`Identity::has_role`].
    pub upload_role: String,
    /// Whether an application's token must say `idtyp=app`; otherwise `oid == sub` without `scp` is taken for it.
    pub require_idtyp: bool,
    /// Tolerance for clocks that disagree, at most [`MAX_SKEW`].
    pub skew: Duration,
    /// Longest `exp - iat`. Entra issues 60 to 90 minutes, up to 28 hours with continuous access evaluation.
    pub max_lifetime: Duration,
    pub keys: KeysPolicy,
}

impl TokenConfig {
    pub fn new(endpoints: CloudEndpoints) -> Self {
        Self {
            endpoints,
            audiences: vec![],
            allowed_clients: None,
            accept_v1: true,
            required_scope: "access_as_user".into(),
            upload_role: "Evidence.Upload".into(),
            require_idtyp: false,
            skew: MAX_SKEW,
            max_lifetime: Duration::from_secs(28 * 3600),
            keys: KeysPolicy::default(),
        }
    }
}

/// On what terms a directory's tokens are taken. Empty lists add nothing to [`TokenConfig`]'s.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryTrust {
    /// Accepted `aud` beside the environment's: the directory's own app registration.
    pub audiences: Vec<String>,
    /// Client ids through which this directory's people may come.
    pub client_ids: Vec<String>,
}

/// Which directories are onboarded. Asked before anything goes out for a directory.
pub trait DirectoryPolicy: Send + Sync {
    /// The directory's terms, or `None` if nobody onboarded it.
    fn trust(&self, directory: DirectoryId) -> BoxFuture<'_, Result<Option<Arc<DirectoryTrust>>, Problem>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenVersion {
    V1,
    V2,
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityKind {
    /// A person, through a client they consented to.
    User { scopes: Vec<String>, roles: Vec<String> },
    /// An application as itself, with at least one role.
    Workload { roles: Vec<String> },
}

/// Whom a believed token speaks for. The key of a person or workload is `(directory, object_id)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub directory: DirectoryId,
    pub object_id: Uuid,
    /// `sub`: pairwise per application; for the trail.
    pub subject: String,
    /// `azp` or `appid`: the application that asked for the token, a GUID in lower case.
    pub client_id: String,
    pub kind: IdentityKind,
    /// To show only; anyone may call themselves anything.
    pub name: Option<String>,
    /// To show only; it changes hands.
    pub username: Option<String>,
    /// `uti`.
    pub token_id: Option<String>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub version: TokenVersion,
}

impl Identity {
    pub fn roles(&self) -> &[String] {
        match &self.kind {
            IdentityKind::User { roles, .. } | IdentityKind::Workload { roles } => roles,
        }
    }
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().iter().any(|r| r == role)
    }
    pub fn is_workload(&self) -> bool {
        matches!(self.kind, IdentityKind::Workload { .. })
    }
}

/// Believes tokens or says why not. Cheap to clone.
#[derive(Clone)]
pub struct TokenValidator(Arc<Inner>);

struct Inner {
    config: TokenConfig,
    keys: Keys,
    clock: Arc<dyn Clock>,
}

impl TokenValidator {
    pub fn new(mut config: TokenConfig, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        config.skew = config.skew.min(MAX_SKEW);
        let keys = Keys::new(config.endpoints.clone(), config.keys.clone(), egress, clock.clone());
        Self(Arc::new(Inner { config, keys, clock }))
    }

    pub fn config(&self) -> &TokenConfig {
        &self.0.config
    }

    /// Checks the token in full.
    ///
    /// # Errors
    /// The first check that failed; `Unavailable` if a check could not be made.
    pub async fn validate(&self, token: &str, known: &dyn DirectoryPolicy) -> Result<Identity, TokenError> {
        let parts = claims::split(token)?;
        let kid = header(&parts.header)?;
        let origin = self.origin(&parts.payload)?;
        let trust = known.trust(origin.directory).await.map_err(|problem| unavailable(&problem, problem.retry_after))?;
        let trust = trust.ok_or(TokenError::UnknownDirectory)?;
        self.signature(&parts, kid, &origin).await?;
        self.audience(&parts.payload, &trust)?;
        let (issued_at, expires_at) = self.time(&parts.payload)?;
        let (kind, object_id, subject) = self.speaker(&parts.payload)?;
        let client_id = self.client(&parts.payload, origin.version, &kind, &trust)?;
        let text = |name| optional::<&str>(&parts.payload, name);
        let username = [text("preferred_username")?, text("upn")?, text("unique_name")?].into_iter().flatten().next();
        Ok(Identity {
            directory: origin.directory,
            object_id,
            subject: subject.to_owned(),
            client_id: client_id.to_string(),
            kind,
            name: text("name")?.map(shown),
            username: username.map(shown),
            token_id: text("uti")?.map(shown),
            issued_at,
            expires_at,
            version: origin.version,
        })
    }

    /// Version, directory and issuer agree with each other and with this cloud.
    fn origin<'p>(&self, payload: &'p Map<String, Value>) -> Result<Origin<'p>, TokenError> {
        let version = match needed::<&str>(payload, "ver")? {
            "2.0" => TokenVersion::V2,
            "1.0" if self.0.config.accept_v1 => TokenVersion::V1,
            _ => return Err(TokenError::WrongVersion),
        };
        let directory = guid(needed(payload, "tid")?).ok_or(TokenError::BadDirectory)?;
        if directory == PERSONAL_ACCOUNTS {
            return Err(TokenError::PersonalAccount);
        }
        let directory = DirectoryId(directory);
        let issuer: &str = needed(payload, "iss")?;
        let expected = match version {
            TokenVersion::V1 => self.0.config.endpoints.v1_issuer_of(directory),
            TokenVersion::V2 => self.0.config.endpoints.v2_issuer_of(directory),
        };
        if issuer == expected { Ok(Origin { version, directory, issuer }) } else { Err(TokenError::WrongIssuer) }
    }

    async fn signature(&self, parts: &claims::Parts<'_>, kid: &str, origin: &Origin<'_>) -> Result<(), TokenError> {
        let Origin { version, directory, issuer } = *origin;
        let key = self.0.keys.find(directory, version, kid).await.map_err(|error| match error {
            KeyError::UnknownKey => TokenError::UnknownKey,
            KeyError::UnknownDirectory => TokenError::UnknownDirectory,
            KeyError::Unavailable { ref cause, retry_after } => unavailable(cause, u32::try_from(retry_after.as_secs()).ok()),
        })?;
        if !key.signed(parts.signed.as_bytes(), &parts.signature) {
            return Err(TokenError::BadSignature);
        }
        // Microsoft's version 1 documents list keys under the version 2 issuer of the same directory.
        let also = match version {
            TokenVersion::V1 => self.0.config.endpoints.v2_issuer_of(directory),
            TokenVersion::V2 => issuer.to_owned(),
        };
        let ours = key.signs_for(directory, version, &[issuer, &also]);
        if ours { Ok(()) } else { Err(TokenError::WrongKeyIssuer) }
    }

    fn audience(&self, payload: &Map<String, Value>, trust: &DirectoryTrust) -> Result<(), TokenError> {
        let audience: &str = needed(payload, "aud")?;
        let mut accepted = self.0.config.audiences.iter().chain(&trust.audiences);
        if accepted.any(|a| a == audience) { Ok(()) } else { Err(TokenError::WrongAudience) }
    }

    /// `exp`, `nbf` and `iat` against our clock. Gives the time of issue and of expiry.
    fn time(&self, payload: &Map<String, Value>) -> Result<(Timestamp, Timestamp), TokenError> {
        let read = |name| -> Result<Timestamp, TokenError> {
            Timestamp::from_second(needed(payload, name)?).map_err(|_| TokenError::MissingClaim(name))
        };
        let (exp, nbf, iat) = (read("exp")?, read("nbf")?, read("iat")?);
        let (now, skew) = (self.0.clock.now(), as_signed(self.0.config.skew));
        if now.duration_since(exp) >= skew {
            return Err(TokenError::Expired);
        }
        if nbf.max(iat).duration_since(now) > skew {
            return Err(TokenError::NotYetValid);
        }
        if exp.duration_since(nbf.min(iat)) > as_signed(self.0.config.max_lifetime) {
            return Err(TokenError::LifetimeTooLong);
        }
        Ok((iat, exp))
    }

    /// A person (`scp`) or an application (roles, no `scp`), with the claims that must agree on it.
    fn speaker<'p>(&self, payload: &'p Map<String, Value>) -> Result<(IdentityKind, Uuid, &'p str), TokenError> {
        let object_id = guid(needed(payload, "oid")?).ok_or(TokenError::MissingClaim("oid"))?;
        let subject: &str = needed(payload, "sub")?;
        if subject.is_empty() || subject.len() > 255 {
            return Err(TokenError::MissingClaim("sub"));
        }
        let roles: Vec<String> = optional(payload, "roles")?.unwrap_or_default();
        let kind_said: Option<&str> = optional(payload, "idtyp")?;
        let kind = match optional::<&str>(payload, "scp")? {
            Some(scopes) => {
                if kind_said.is_some_and(|said| said != "user") {
                    return Err(TokenError::UnclearKind);
                }
                let scopes: Vec<String> = scopes.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
                if !scopes.contains(&self.0.config.required_scope) {
                    return Err(TokenError::MissingScope);
                }
                IdentityKind::User { scopes, roles }
            }
            None => {
                let application = match kind_said {
                    Some(said) => said == "app",
                    None => !self.0.config.require_idtyp,
                };
                // An application's token has one and the same `oid` and `sub`; a person's never has.
                if !application || guid(subject) != Some(object_id) {
                    return Err(TokenError::UnclearKind);
                }
                if roles.iter().all(String::is_empty) {
                    return Err(TokenError::MissingRole);
                }
                IdentityKind::Workload { roles }
            }
        };
        Ok((kind, object_id, subject))
    }

    fn client(
        &self,
        payload: &Map<String, Value>,
        version: TokenVersion,
        kind: &IdentityKind,
        trust: &DirectoryTrust,
    ) -> Result<Uuid, TokenError> {
        let claim = match version {
            TokenVersion::V1 => "appid",
            TokenVersion::V2 => "azp",
        };
        let client = guid(needed(payload, claim)?).ok_or(TokenError::MissingClaim(claim))?;
        let open = self.0.config.allowed_clients.is_none() && trust.client_ids.is_empty();
        if open || matches!(kind, IdentityKind::Workload { .. }) {
            return Ok(client);
        }
        let listed = self.0.config.allowed_clients.iter().flatten().any(|c| *c == client);
        let trusted = || trust.client_ids.iter().any(|c| Uuid::parse_str(c) == Ok(client));
        if listed || trusted() { Ok(client) } else { Err(TokenError::WrongClient) }
    }
}

/// Where a token says it is from.
struct Origin<'p> {
    version: TokenVersion,
    directory: DirectoryId,
    issuer: &'p str,
}

/// The header's checks; gives the key id.
fn header(header: &Map<String, Value>) -> Result<&str, TokenError> {
    // Compared with the one algorithm there is; verification does not look at it again.
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(TokenError::WrongAlgorithm);
    }
    if header.contains_key("crit") {
        return Err(TokenError::CriticalHeader);
    }
    if header.contains_key("nonce") {
        return Err(TokenError::ForGraph);
    }
    if !header.get("typ").and_then(Value::as_str).is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")) {
        return Err(TokenError::WrongType);
    }
    let kid = header.get("kid").and_then(Value::as_str);
    kid.filter(|kid| !kid.is_empty() && kid.len() <= 256).ok_or(TokenError::MissingKeyId)
}

/// A GUID in the one spelling Entra uses: lower case, with hyphens, no braces.
fn guid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    let mut spelled = Uuid::encode_buffer();
    (*id.hyphenated().encode_lower(&mut spelled) == *text).then_some(id)
}

/// Text fit to be shown: bounded, without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(256).collect()
}

fn as_signed(duration: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX)
}

fn unavailable(cause: &impl ToString, retry_after: Option<u32>) -> TokenError {
    TokenError::Unavailable { cause: cause.to_string(), retry_after: retry_after.unwrap_or(5) }
}
