//! Who is calling: an API key in `X-Api-Key`, or a Microsoft Entra access token in `Authorization: Bearer`. The tenant comes from the
//! credential and from nothing else (I15). Whether the caller is still let in is checked by the store, in the request's transaction.

use axum::http::{HeaderMap, header};
use bailiwick_base::{Code, DirectoryId, Principal, PrincipalKind, Problem, TenantId};
use bailiwick_cloud::CloudEndpoints;
use bailiwick_cloud::entra::refusal::www_authenticate;
use bailiwick_cloud::entra::{DirectoryPolicy, DirectoryTrust, Identity, IdentityKind, TokenError, TokenValidator};
use bailiwick_domain::identity::key;
use bailiwick_store::{Caller, Store, TenantSignIn};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures::future::BoxFuture;
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;

/// A caller as its credential presents it.
#[derive(Debug, Clone)]
pub struct Presented {
    pub tenant: TenantId,
    pub caller: Caller,
    /// For the trail, should the caller be refused before its name is known.
    pub principal: Principal,
}

/// A credential that was refused, with the tenant whose trail should hear of it, where one is known.
pub struct Refused {
    pub problem: Problem,
    pub tenant: Option<TenantId>,
    pub reason: &'static str,
    /// `WWW-Authenticate`, for browsers' libraries and people.
    pub challenge: Option<String>,
}

impl From<Problem> for Box<Refused> {
    fn from(problem: Problem) -> Self {
        Box::new(Refused { problem, tenant: None, reason: "unavailable", challenge: None })
    }
}

/// Checks credentials.
pub struct Authenticator {
    validator: TokenValidator,
    directories: Directories,
    upload_role: String,
    /// Names the sign-in page in challenges.
    endpoints: CloudEndpoints,
}

/// A tenant and what tokens of its directory must carry.
struct Onboarded {
    sign_in: TenantSignIn,
    trust: Arc<DirectoryTrust>,
}

/// Which directories sign in here, as the store says; remembered for a minute.
#[derive(Clone)]
pub struct Directories {
    store: Store,
    known: Cache<DirectoryId, Option<Arc<Onboarded>>>,
}

impl Directories {
    fn new(store: Store) -> Self {
        let known = Cache::builder().max_capacity(20_000).time_to_live(Duration::from_secs(60)).build();
        Self { store, known }
    }

    async fn find(&self, directory: DirectoryId) -> Result<Option<Arc<Onboarded>>, Problem> {
        if let Some(known) = self.known.get(&directory).await {
            return Ok(known);
        }
        let found = self.store.tenant_of(directory).await.map_err(Problem::from)?;
        let found = found.map(|sign_in| {
            let trust = DirectoryTrust { audiences: sign_in.audiences.clone(), client_ids: Vec::new() };
            Arc::new(Onboarded { sign_in, trust: Arc::new(trust) })
        });
        self.known.insert(directory, found.clone()).await;
        Ok(found)
    }
}

impl DirectoryPolicy for Directories {
    fn trust(&self, directory: DirectoryId) -> BoxFuture<'_, Result<Option<Arc<DirectoryTrust>>, Problem>> {
        Box::pin(async move { Ok(self.find(directory).await?.map(|found| found.trust.clone())) })
    }
}

impl Authenticator {
    pub fn new(validator: TokenValidator, store: Store, upload_role: String, endpoints: CloudEndpoints) -> Self {
        Self { validator, directories: Directories::new(store), upload_role, endpoints }
    }

    /// Reads and checks the request's credential.
    ///
    /// # Errors
    /// 401 without a valid one, 403 for a workload that lacks the app role, 503 when its keys cannot be had.
    pub async fn present(&self, headers: &HeaderMap) -> Result<Presented, Box<Refused>> {
        let key = headers.get("x-api-key");
        let bearer = headers.get(header::AUTHORIZATION);
        match (key, bearer) {
            (Some(_), Some(_)) => Err(self.refuse("two_credentials", "Send either an API key or a token, not both.", None)),
            (Some(key), None) => self.key(key.to_str().unwrap_or_default()),
            (None, Some(value)) => {
                let text = value.to_str().unwrap_or_default();
                match text.split_once(' ') {
                    Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => self.token(token.trim()).await,
                    _ => Err(self.refuse("bad_scheme", "The Authorization header is not a bearer token.", None)),
                }
            }
            (None, None) => Err(self.refuse("no_credential", "Sign in, or send a valid key or token.", None)),
        }
    }

    fn refuse(&self, reason: &'static str, detail: &str, tenant: Option<TenantId>) -> Box<Refused> {
        Box::new(Refused {
            problem: Problem::new(Code::NotSignedIn, detail),
            tenant,
            reason,
            challenge: Some(www_authenticate(&self.endpoints, None, None)),
        })
    }

    fn key(&self, text: &str) -> Result<Presented, Box<Refused>> {
        let claimed = key::read(text).ok_or_else(|| self.refuse("malformed_key", "The API key is not one of ours.", None))?;
        let principal = Principal { kind: PrincipalKind::ApiKey, id: key::hint(text), name: "API key".into(), token_subject: None };
        let caller = Caller::Key { sha256: claimed.sha256, project: claimed.project };
        Ok(Presented { tenant: claimed.tenant, caller, principal })
    }

    async fn token(&self, token: &str) -> Result<Presented, Box<Refused>> {
        let identity = match self.validator.validate(token, &self.directories).await {
            Ok(identity) => identity,
            Err(error) => return Err(Box::new(self.bad_token(token, &error).await?)),
        };
        let found = self.directories.find(identity.directory).await?;
        let tenant = found
            .ok_or_else(|| self.refuse("unknown_directory", "The token's directory signs in to no tenant here.", None))?
            .sign_in
            .tenant;
        let principal = principal(&identity);
        if identity.is_workload() && !identity.has_role(&self.upload_role) {
            let detail = format!("The token carries no {} role. Assign it to the application in Microsoft Entra.", self.upload_role);
            return Err(Box::new(Refused {
                problem: Problem::new(Code::NotAllowed, detail),
                tenant: Some(tenant),
                reason: "missing_role",
                challenge: None,
            }));
        }
        let caller = match identity.kind {
            IdentityKind::User { .. } => Caller::Member { directory: identity.directory, object: identity.object_id },
            IdentityKind::Workload { .. } => {
                Caller::Workload { directory: identity.directory, client_id: identity.client_id, subject: identity.subject }
            }
        };
        Ok(Presented { tenant, caller, principal })
    }

    /// A refused token. Where its signature was found good before, the tenant it speaks for is known.
    async fn bad_token(&self, token: &str, error: &TokenError) -> Result<Refused, Problem> {
        let directory = if error.signed() { directory_of(token) } else { None };
        let found = match directory {
            Some(directory) => self.directories.find(directory).await?,
            None => None,
        };
        Ok(Refused {
            problem: error.problem(),
            tenant: found.map(|found| found.sign_in.tenant),
            reason: error.reason(),
            challenge: (error.status() == 401).then(|| www_authenticate(&self.endpoints, None, Some(error))),
        })
    }
}

/// The directory a token names. True only where its signature was checked.
fn directory_of(token: &str) -> Option<DirectoryId> {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims["tid"].as_str()?.parse().ok().map(DirectoryId)
}

fn principal(identity: &Identity) -> Principal {
    let kind = if identity.is_workload() { PrincipalKind::Workload } else { PrincipalKind::User };
    let id = if identity.is_workload() { identity.client_id.clone() } else { identity.object_id.to_string() };
    let name = identity.name.clone().unwrap_or_else(|| id.clone());
    Principal { kind, id, name, token_subject: Some(identity.object_id.to_string()) }
}
