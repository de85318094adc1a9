//! Tokens for our applications: client credentials (OAuth 2.0), one directory, application and resource at a time.
//!
//! Stays true:
//! - a token got with one credential is never served to another;
//! - at most one fetch of the same token is under way, and those who wait share its outcome;
//! - tokens and credentials reach no log, no error and no Debug; the forms sent for tokens and the answers that hold
//!   them are wiped after use.

mod refusal;
mod slot;
#[cfg(test)]
mod tests;

pub use refusal::{Reason, TokenRefusal};
pub use slot::AccessToken;

use crate::{
    credentials::{Credential, Federated, ManagedIdentity, read_token_file},
    egress::{Egress, EgressError, Request},
    endpoints::CloudEndpoints,
    pace::{Pace, Until},
};
use bailiwick_base::{DirectoryId, Secret};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer};
use slot::Slot;
use std::{fmt, sync::Arc, time::Duration};
use url::{Url, form_urlencoded};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A token with every claim it may have, and more.
const MAX_ANSWER: usize = 256 << 10;
/// Tries of one request for a token.
const TRIES: u32 = 4;
/// Asked to wait longer than this, we give up and say so.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Tokens held at once; the least used give way.
const CAPACITY: u64 = 20_000;

/// Who asks, where, and until when. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    pub directory: DirectoryId,
    /// The application's client id.
    pub app: Uuid,
    pub credential: Arc<Credential>,
    pub until: Until,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({}, app {}, {})", self.directory, self.app, self.credential.kind())
    }
}

impl Access {
    pub fn new(directory: DirectoryId, app: Uuid, credential: Arc<Credential>) -> Self {
        Self { directory, app, credential, until: Until::default() }
    }

    /// The same access, with a deadline and somebody who may call it off.
    pub fn until(self, until: Until) -> Self {
        Self { until, ..self }
    }
}

type Place = (DirectoryId, Uuid, String, [u8; 32]);

/// The tokens in use. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    egress: Egress,
    cloud: CloudEndpoints,
    pace: Pace,
    slots: moka::future::Cache<Place, Arc<Slot>>,
    /// Assertions of managed identities, which serve all directories.
    identities: moka::future::Cache<[u8; 32], Arc<Slot>>,
}

impl Tokens {
    pub(crate) fn new(egress: Egress, cloud: CloudEndpoints, pace: Pace) -> Self {
        let (slots, identities) = (moka::future::Cache::new(CAPACITY), moka::future::Cache::new(100));
        Self(Arc::new(Inner { egress, cloud, pace, slots, identities }))
    }

    /// A token for this scope (`{resource}/.default`), from the cache if a good one is there.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn token(&self, access: &Access, scope: &str) -> Result<AccessToken, TokenRefusal> {
        let slot = self.slot(access, scope).await;
        slot.get(&self.0.pace, &access.until, || self.fetch(access, scope)).await
    }

    /// A token in place of one that was refused or whose contents are out of date.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn renew(&self, access: &Access, scope: &str, stale: &AccessToken) -> Result<AccessToken, TokenRefusal> {
        let slot = self.slot(access, scope).await;
        slot.drop_if(stale);
        slot.get(&self.0.pace, &access.until, || self.fetch(access, scope)).await
    }

    /// A token made now, whatever the cache holds.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn fresh(&self, access: &Access, scope: &str) -> Result<AccessToken, TokenRefusal> {
        let slot = self.slot(access, scope).await;
        slot.replace(&self.0.pace, &access.until, || self.fetch(access, scope)).await
    }

    async fn slot(&self, access: &Access, scope: &str) -> Arc<Slot> {
        let place = (access.directory, access.app, scope.to_owned(), access.credential.fingerprint());
        self.0.slots.get_with(place, async { Arc::default() }).await
    }

    async fn fetch(&self, access: &Access, scope: &str) -> Result<AccessToken, TokenRefusal> {
        let outcome = self.grant(access, scope).await;
        let Err(refusal) = outcome else { return outcome };
        match &*access.credential {
            // An assertion kept too long: a new one, once.
            Credential::Federated(Federated::ManagedIdentity(_)) if refusal.reason == Reason::AssertionOutOfTime => {
                self.identity_slot(&access.credential).await.clear();
                self.grant(access, scope).await
            }
            Credential::Certificate(certificate) if !refusal.reason.transient() && certificate.expires() <= self.0.pace.now() => {
                Err(TokenRefusal { reason: Reason::CertificateExpired, ..refusal })
            }
            _ => Err(refusal),
        }
    }

    /// One client credentials grant, with a few tries where the service is at fault.
    async fn grant(&self, access: &Access, scope: &str) -> Result<AccessToken, TokenRefusal> {
        let endpoint = format!("{}/{}/oauth2/v2.0/token", self.0.cloud.login, access.directory);
        let url = Url::parse(&endpoint).map_err(|_| Reason::NotAllowed)?;
        let mut tried = 0;
        loop {
            let form = self.form(access, scope, &endpoint).await?;
            let request = Request::new(http::Method::POST, url.clone()).body(FORM, Bytes::from_owner(form)).max_body(MAX_ANSWER);
            let refusal = match self.send(self.traced(request), &access.until).await {
                Ok(token) => return Ok(token),
                Err(refusal) => refusal,
            };
            tried += 1;
            self.wait_to_retry(tried, refusal, &access.until).await?;
        }
    }

    /// Waits for the next try, or gives the refusal back when there shall be none.
    async fn wait_to_retry(&self, tried: u32, refusal: TokenRefusal, until: &Until) -> Result<(), TokenRefusal> {
        let pause = refusal.retry_after.unwrap_or_else(|| self.0.pace.backoff(tried));
        let ended = matches!(refusal.reason, Reason::Deadline | Reason::Cancelled);
        if ended || !refusal.reason.transient() || tried >= TRIES || pause > LONGEST_WAIT {
            return Err(refusal);
        }
        Ok(self.0.pace.wait(pause, until).await?)
    }

    fn traced(&self, request: Request) -> Request {
        match HeaderValue::from_str(&self.0.pace.guid().to_string()) {
            Ok(id) => request.header(HeaderName::from_static("client-request-id"), id),
            Err(_) => request,
        }
    }

    async fn send(&self, request: Request, until: &Until) -> Result<AccessToken, TokenRefusal> {
        let answer = self.0.pace.within(until, self.0.egress.send(request)).await??;
        match answer.meta.status {
            200 => self.read(answer.body).ok_or_else(|| Reason::Unavailable.into()),
            status => Err(refusal::read(status, &answer.body, answer.meta.retry_after)),
        }
    }

    /// Reads a granted token and wipes the bytes it came in.
    fn read(&self, body: Bytes) -> Option<AccessToken> {
        let now = self.0.pace.now();
        let token = serde_json::from_slice::<Granted>(&body).ok().and_then(|granted| {
            let left = granted.expires_on.map(|at| at.saturating_sub(now.as_second()));
            let seconds = u64::try_from(granted.expires_in.or(left)?).ok()?;
            Some(AccessToken::new(Secret::new(granted.access_token), now, Duration::from_secs(seconds)))
        });
        if let Ok(mut bytes) = body.try_into_mut() {
            bytes[..].zeroize();
        }
        token
    }

    async fn form(&self, access: &Access, scope: &str, endpoint: &str) -> Result<Zeroizing<Vec<u8>>, TokenRefusal> {
        let proof = self.assertion(access, endpoint).await?;
        let app = access.app.to_string();
        let mut fields = vec![("grant_type", "client_credentials"), ("client_id", &app), ("scope", scope)];
        match (&*access.credential, &proof) {
            (Credential::ClientSecret { value, .. }, _) => fields.push(("client_secret", value.expose())),
            (_, Some(assertion)) => fields.extend([("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())]),
            (_, None) => return Err(Reason::CredentialRefused.into()),
        }
        // Room for every byte percent-encoded, so that the text is not copied while it grows.
        let room = fields.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(room));
        Ok(Zeroizing::new(form.extend_pairs(fields).finish().into_bytes()))
    }

    /// The assertion to send, for credentials that have one.
    async fn assertion(&self, access: &Access, endpoint: &str) -> Result<Option<Zeroizing<String>>, TokenRefusal> {
        let own = |text: &str| Zeroizing::new(text.to_owned());
        let pace = &self.0.pace;
        match &*access.credential {
            Credential::ClientSecret { .. } => Ok(None),
            Credential::Certificate(certificate) => {
                let assertion = certificate.assertion(access.app, endpoint, pace.now(), pace.guid());
                Ok(assertion.map(|assertion| own(assertion.expose())))
            }
            Credential::Federated(Federated::Token(token)) => Ok(Some(own(token.expose()))),
            Credential::Federated(Federated::File(path)) => {
                let token = pace.within(&access.until, read_token_file(path)).await?.ok_or(Reason::TokenFileUnreadable)?;
                Ok(Some(own(token.expose())))
            }
            Credential::Federated(Federated::ManagedIdentity(identity)) => {
                let slot = self.identity_slot(&access.credential).await;
                let token = slot.get(pace, &access.until, || self.identity_token(identity, &access.until)).await?;
                Ok(Some(own(token.expose())))
            }
        }
    }

    async fn identity_slot(&self, credential: &Credential) -> Arc<Slot> {
        self.0.identities.get_with(credential.fingerprint(), async { Arc::default() }).await
    }

    /// The managed identity's own token for the exchange. Its endpoint says 404 and 410 while it is being updated.
    async fn identity_token(&self, identity: &ManagedIdentity, until: &Until) -> Result<AccessToken, TokenRefusal> {
        let mut tried = 0;
        loop {
            let request = identity.request(&self.0.cloud.federation_audience).max_body(MAX_ANSWER);
            let refusal = match self.0.pace.within(until, self.0.egress.send(request)).await? {
                Ok(answer) if answer.meta.status == 200 => match self.read(answer.body) {
                    Some(token) => return Ok(token),
                    None => Reason::ManagedIdentityUnavailable.into(),
                },
                Ok(answer) => {
                    let reason = match answer.meta.status {
                        404 | 408 | 410 | 429 | 500.. => Reason::ManagedIdentityUnavailable,
                        _ => Reason::NoManagedIdentity,
                    };
                    TokenRefusal { retry_after: answer.meta.retry_after, ..reason.into() }
                }
                Err(error @ (EgressError::Timeout { .. } | EgressError::Network { .. } | EgressError::TooLarge { .. })) => {
                    tracing::debug!(%error, "the managed identity endpoint cannot be reached");
                    Reason::ManagedIdentityUnavailable.into()
                }
                Err(error) => error.into(),
            };
            tried += 1;
            self.wait_to_retry(tried, refusal, until).await?;
        }
    }
}

/// A token as Entra, IMDS and App Service give it out: numbers as numbers or as text, and not all of them.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default, deserialize_with = "number")]
    expires_in: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    expires_on: Option<i64>,
}

fn number<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<i64>, D::Error> {
    let value = serde_json::Value::deserialize(reader)?;
    Ok(value.as_i64().or_else(|| value.as_str()?.parse().ok()))
}
