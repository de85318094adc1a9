//! Signed webhooks, after Standard Webhooks 1.0 (standardwebhooks.com): three headers, HMAC-SHA-256 over
//! `id.timestamp.payload`.
//!
//! Stays true: a secret has no Debug and no way into an error; what is signed is the very bytes that are sent.

use super::{Outcome, Why, line, refusal};
use crate::egress::{CustomerAnswer, Egress, Request};
use aws_lc_rs::hmac;
use bailiwick_base::{Rng, Secret, Timestamp};
use base64::{Engine, prelude::BASE64_STANDARD as B64};
use http::{HeaderName, HeaderValue, Method};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// What comes before the base64 of a secret.
const PREFIX: &str = "whsec_";
/// How far a receiver's clock and ours may be apart.
const TOLERANCE: Duration = Duration::from_secs(300);

/// What both sides know, and only they.
pub struct SigningSecret(Zeroizing<Vec<u8>>);

/// The text is no signing secret. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is whsec_ and the base64 of 24 to 64 bytes")]
pub struct BadSecret;

impl SigningSecret {
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        rng.fill(&mut bytes);
        Self(bytes)
    }

    /// # Errors
    /// [`BadSecret`].
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        let bytes = Zeroizing::new(B64.decode(text.strip_prefix(PREFIX).ok_or(BadSecret)?).map_err(|_| BadSecret)?);
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(BadSecret) }
    }

    /// The text that the receiver is given, once.
    pub fn reveal(&self) -> Secret<String> {
        // Sized first, so that no copy is left behind while it grows.
        let mut text = String::with_capacity(PREFIX.len() + self.0.len().div_ceil(3) * 4);
        text.push_str(PREFIX);
        B64.encode_string(&*self.0, &mut text);
        Secret::new(text)
    }
}

fn tag(secret: &SigningSecret, id: &str, timestamp: &str, payload: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &secret.0));
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", payload] {
        context.update(part);
    }
    context.sign()
}

/// One signature as the header holds it: `v1,` and the base64 of the HMAC.
pub fn sign(secret: &SigningSecret, id: &str, at: Timestamp, payload: &[u8]) -> String {
    format!("v1,{}", B64.encode(tag(secret, id, &at.as_second().to_string(), payload)))
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    #[error("the timestamp is not a number of seconds")]
    BadTimestamp,
    #[error("the timestamp is more than five minutes away")]
    OutOfTime,
    #[error("no signature fits")]
    NoMatch,
}

/// What a receiver does with the three headers and the bytes of the body.
///
/// # Errors
/// [`Unverified`].
pub fn verify(
    secret: &SigningSecret,
    id: &str,
    timestamp: &str,
    signatures: &str,
    payload: &[u8],
    now: Timestamp,
) -> Result<(), Unverified> {
    let seconds: i64 = timestamp.parse().map_err(|_| Unverified::BadTimestamp)?;
    if now.as_second().abs_diff(seconds) > TOLERANCE.as_secs() {
        return Err(Unverified::OutOfTime);
    }
    let expected = tag(secret, id, timestamp, payload);
    let fits = |given: &str| {
        let given = given.strip_prefix("v1,").and_then(|given| B64.decode(given).ok());
        given.is_some_and(|given| aws_lc_rs::constant_time::verify_slices_are_equal(&given, expected.as_ref()).is_ok())
    };
    if signatures.split(' ').any(fits) { Ok(()) } else { Err(Unverified::NoMatch) }
}

/// Posts signed messages. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks(Egress);

impl Webhooks {
    pub fn new(egress: Egress) -> Self {
        Self(egress)
    }

    /// Whether a channel may have this address, as far as can be said without calling it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn admit(&self, url: &str) -> Result<Url, Why> {
        let url = Url::parse(url.trim()).map_err(|_| Why::new("bad_url", "The address is not a URL like https://example.com/hook"))?;
        self.0.admit_customer(&url).map_err(refusal)?;
        Ok(url)
    }

    /// Sends one message: these bytes, which are JSON, signed with each of the secrets. While a secret is being changed
    /// there are two, the new one first.
    pub async fn post(&self, url: &Secret<String>, secrets: &[&SigningSecret], id: &str, at: Timestamp, payload: &[u8]) -> Outcome {
        let url = match self.admit(url.expose()) {
            Ok(url) => url,
            Err(why) => return Outcome::Broken { why },
        };
        if secrets.is_empty() {
            return Outcome::broken("bad_secret", "The channel has no signing secret. Make a new one");
        }
        let signatures: Vec<_> = secrets.iter().map(|secret| sign(secret, id, at, payload)).collect();
        let headers =
            [("webhook-id", id.to_owned()), ("webhook-timestamp", at.as_second().to_string()), ("webhook-signature", signatures.join(" "))];
        let mut request = Request::new(Method::POST, url).body(HeaderValue::from_static("application/json"), payload.to_vec());
        for (name, value) in headers {
            let Ok(value) = HeaderValue::from_str(&value) else {
                return Outcome::broken("bad_message", "The id of the message cannot be a header");
            };
            request = request.header(HeaderName::from_static(name), value);
        }
        match self.0.to_customer(request).await {
            Ok(answer) => read(&answer),
            Err(error) => error.into(),
        }
    }
}

/// What a status means (Standard Webhooks, "Operational considerations"): every 2xx is success, 410 asks for silence,
/// anything else may be better later.
fn read(answer: &CustomerAnswer) -> Outcome {
    let CustomerAnswer { host, status, .. } = answer;
    let outcome = match status {
        200..=299 => Outcome::delivered(&format!("HTTP {status}")),
        300..=399 => redirected(answer),
        404 | 410 => Outcome::broken("gone", format!("{host} answered {status}: nobody listens at this address any more")),
        429 => Outcome::later("throttled", format!("{host} asks us to slow down")),
        408 | 425 | 500.. => Outcome::later("unavailable", format!("{host} answered {status}")),
        _ => Outcome::later("refused", format!("{host} answered {status}. Check that it knows the signing secret")),
    };
    outcome.after(answer.retry_after)
}

/// A redirect, which is told and not followed.
pub(super) fn redirected(answer: &CustomerAnswer) -> Outcome {
    let to = answer.redirected_to.as_deref().map(|to| format!(" to {}", line(to))).unwrap_or_default();
    let CustomerAnswer { host, status, .. } = answer;
    Outcome::broken(
        "redirected",
        format!("{host} answered {status} and sends us on{to}. Redirects are not followed: give the final address"),
    )
}
