//! The door for endpoints that customers name: webhooks, chat tools. Any host, and so the narrowest way out.
//!
//! Stays true: public addresses only, unless the operator opened a range to all customers; HTTPS, and plain HTTP to such
//! a range only; no redirect is followed, and where it led is told; an answer is cut at [`LONGEST_ANSWER`]; a call takes
//! no longer than [`super::EgressConfig::customer_timeout`]. The URL is a credential: neither records nor errors hold
//! more of it than its host.

use super::{Call, Egress, EgressError, Place, Read, Request, Unanswered, Underway, begin, read, resolver, retry_after};
use bytes::{Bytes, BytesMut};
use http::header;
use std::time::Duration;
use url::Url;

/// Bytes of an answer that are read.
pub const LONGEST_ANSWER: usize = 64 << 10;

/// What a customer's endpoint answered, whatever its status.
#[derive(Debug, Clone)]
pub struct CustomerAnswer {
    pub host: String,
    pub status: u16,
    pub retry_after: Option<Duration>,
    /// The host a redirect led to, which nobody went to.
    pub redirected_to: Option<String>,
    /// The beginning of the body, [`LONGEST_ANSWER`] bytes at most.
    pub body: Bytes,
    /// Whether there was more, or the rest did not come in time.
    pub cut: bool,
}

impl Egress {
    /// Whether an endpoint may be called, as far as its URL says. Its address is checked again whenever it is called.
    ///
    /// # Errors
    /// [`EgressError::BadUrl`], [`EgressError::RefusedAddress`].
    pub fn admit_customer(&self, url: &Url) -> Result<(), EgressError> {
        self.customer(url).map(|_| ())
    }

    /// Sends a request to an endpoint that a customer named. A status that has come counts, even if the body after it
    /// does not end in time.
    ///
    /// # Errors
    /// [`EgressError`] without `NotAllowed`, `TooLarge`, `Status` and `BadBody`.
    pub async fn to_customer(&self, request: Request) -> Result<CustomerAnswer, EgressError> {
        let call = Call::begin(self.0.clock.now(), &request.method, &request.url, Some("…"));
        let underway = Underway::begin(call, self.0.recorder.as_ref());
        let outcome = match self.customer(&request.url) {
            Ok(host) => self.ask_customer(request, host).await,
            Err(refused) => Err(refused),
        };
        match &outcome {
            Ok(answer) => underway.answered(answer.status, answer.body.len()),
            Err(error) => underway.failed(error.reason()),
        }
        outcome
    }

    async fn ask_customer(&self, request: Request, host: String) -> Result<CustomerAnswer, EgressError> {
        let end = tokio::time::Instant::now() + self.0.config.customer_timeout;
        let mut answer = match tokio::time::timeout_at(end, begin(&self.0.customers, request, &host)).await {
            Ok(begun) => begun.map_err(|Unanswered { error, .. }| error)?,
            Err(_) => return Err(EgressError::Timeout { host }),
        };
        let mut body = BytesMut::new();
        let whole = tokio::time::timeout_at(end, read(&mut answer, &mut body, LONGEST_ANSWER)).await;
        let location = answer.headers().get(header::LOCATION).and_then(|to| answer.url().join(to.to_str().ok()?).ok());
        Ok(CustomerAnswer {
            host,
            status: answer.status().as_u16(),
            retry_after: retry_after(answer.headers(), self.0.clock.as_ref()),
            redirected_to: location.and_then(|to| to.host_str().map(str::to_owned)),
            body: body.freeze(),
            cut: !matches!(whole, Ok(Ok(Read::Whole))),
        })
    }

    /// Decides on the URL alone; gives its host.
    fn customer(&self, url: &Url) -> Result<String, EgressError> {
        let bad = |why| EgressError::BadUrl { url: format!("{}://{}/…", url.scheme(), url.host_str().unwrap_or("")), why };
        let Place { host, literal, plain, .. } = Place::of(url).map_err(bad)?;
        let open = &self.0.config.customer_private;
        if plain && open.is_empty() {
            return Err(bad("only https is spoken"));
        }
        if let Some(address) = literal {
            let checked = resolver::check(open.iter(), address, plain);
            checked.map_err(|why| EgressError::RefusedAddress { host: host.clone(), address, why })?;
        }
        Ok(host)
    }
}
