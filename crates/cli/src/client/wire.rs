//! One request on the wire: sent, retried when the reason passes, answered with bytes or with a failure a person can act on.

use crate::console::Console;
use crate::failure::{Failure, causes};
use crate::retry::{Retrier, Trouble, retry_after};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde::Deserialize;
use std::time::Duration;

/// How long an answer to a small request may take.
pub const ANSWER_TIME: Duration = Duration::from_secs(60);

/// A client and how it retries.
#[derive(Clone)]
pub struct Wire {
    pub http: reqwest::Client,
    pub retrier: Retrier,
}

/// problem+json as older and newer servers write it: a code unknown here is still shown.
#[derive(Debug, Deserialize)]
struct Refusal {
    code: String,
    detail: String,
    #[serde(default)]
    place: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
}

impl Wire {
    pub fn console(&self) -> &Console {
        &self.retrier.console
    }

    /// Sends what `build` makes, anew for each try; answers the body of a 2xx.
    pub async fn send(&self, build: impl AsyncFn() -> Result<RequestBuilder, Failure>) -> Result<Vec<u8>, Failure> {
        self.retrier
            .run(async || {
                let request = build().await?.timeout(ANSWER_TIME);
                let answer = self.once(request).await?;
                self.read(answer).await
            })
            .await
    }

    /// One try up to the head of the answer.
    pub async fn once(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let (http, request) = request.build_split();
        let request = request.map_err(|e| Failure::input(format!("The request cannot be made: {}.", causes(&e))))?;
        let (what, host) = (format!("{} {}", request.method(), request.url().path()), origin(request.url()));
        self.console().detail(&format!("> {what}"));
        let answer = http.execute(request).await.map_err(|e| unreachable(&host, e))?;
        self.console().detail(&format!("< {what}: {}", answer.status()));
        Ok(answer)
    }

    /// The body of a 2xx; else the refusal in it.
    pub async fn read(&self, answer: Response) -> Result<Vec<u8>, Trouble> {
        let (status, host) = (answer.status(), origin(answer.url()));
        let asked =
            answer.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| retry_after(v, self.retrier.clock.now()));
        let place = answer.headers().get(header::LOCATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = answer.bytes().await.map_err(|e| unreachable(&host, e))?;
        if status.is_success() {
            return Ok(body.to_vec());
        }
        if status.is_redirection() {
            let to = place.unwrap_or_else(|| "elsewhere".into());
            return Err(Failure::input(format!("{host} redirects to {to}."))
                .hint("If you trust that address, set BAILIWICK_URL to it.")
                .into());
        }
        let failure = refused(&host, status, &body);
        Err(if transient(status) { Trouble::Transient { failure, retry_after: asked } } else { Trouble::Final(failure) })
    }
}

/// Statuses whose reason may pass by itself.
fn transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504 | 507)
}

fn origin(url: &reqwest::Url) -> String {
    url.origin().ascii_serialization()
}

fn refused(host: &str, status: StatusCode, body: &[u8]) -> Failure {
    let make = |what: String| if transient(status) { Failure::transient(what) } else { Failure::input(what) };
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        let failure = make(format!("{host} answered {status}."));
        return if status == StatusCode::NOT_FOUND {
            failure.hint("Check the address: it does not answer as Bailiwick does.")
        } else {
            failure
        };
    };
    let place = refusal.place.map(|p| format!(" at {p}")).unwrap_or_default();
    let id = refusal.request_id.map(|id| format!(", request {id}")).unwrap_or_default();
    let mut failure = make(format!("{host} answered {}: {}{place} ({}{id})", status.as_u16(), refusal.detail, refusal.code));
    failure.code = Some(refusal.code);
    match status.as_u16() {
        401 => failure.hint(
            "The credential is unknown, expired or revoked here. Make a new API key in the portal under Settings, or check BAILIWICK_URL.",
        ),
        403 => failure.hint("Ask an owner of the tenant for a role or a key that may do this."),
        _ => failure,
    }
}

fn unreachable(host: &str, error: reqwest::Error) -> Trouble {
    let error = error.without_url();
    if let Some(cause) = certificate_error(&error) {
        return Failure::input(format!("The certificate of {host} is not trusted: {cause}."))
            .hint("If a private authority issued it, give its certificate in --ca-file or BAILIWICK_CA_FILE.")
            .into();
    }
    let what = if error.is_timeout() { "does not answer in time" } else { "cannot be reached" };
    Trouble::Transient { failure: Failure::transient(format!("{host} {what}: {}.", causes(&error))), retry_after: None }
}

/// A refused certificate, which no retry heals. `std::io::Error` hides what it wraps from `source()`, hence `get_ref`.
fn certificate_error(error: &reqwest::Error) -> Option<rustls::CertificateError> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(cause)) = error.downcast_ref() {
            return Some(cause.clone());
        }
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
