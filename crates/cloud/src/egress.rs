//! The one way out. Owns the allow-list, the address checks, the limits and the record of calls.
//!
//! Stays true: no host outside the list is contacted, but for customers' own endpoints through their own door
//! ([`customers`]); the address that was checked is the address connected to (the check sits in the resolver, so a name
//! cannot answer differently the second time); redirects are answers, never followed; no proxy is taken from the
//! environment; a body is cut off at its limit while it streams; a call that brought no answer says whether anything
//! of it can have left this machine.

mod address;
pub mod customers;
mod dial;
mod error;
mod message;
mod record;
mod resolver;
mod rule;
#[cfg(test)]
mod tests;
mod tls;

pub use address::refusal;
pub use customers::CustomerAnswer;
pub(crate) use dial::Wrap;
pub use error::{EgressError, Unanswered};
pub use message::{Meta, Request, Response};
pub use record::{Call, NoRecorder, Recorder, Ring};
pub use rule::AllowedHost;
pub(crate) use rule::canonical;
pub use tls::SetupError;

use bailiwick_base::{Clock, Timestamp};
use bytes::BytesMut;
use error::{bad, network};
use http::{HeaderMap, HeaderValue, header};
use ipnet::IpNet;
use record::Underway;
use resolver::{Gate, Hosts};
use serde::de::DeserializeOwned;
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tls::{Clients, Connections};
use url::{Host, Url};

/// What [`Egress`] may do, from the environment's configuration.
#[derive(Debug, Clone)]
pub struct EgressConfig {
    pub allow: Vec<AllowedHost>,
    /// Certificates (PEM) of authorities to trust beside Mozilla's list, e.g. a company's own.
    pub extra_roots_pem: Option<Vec<u8>>,
    /// Fixed addresses for names, or for every name `*.suffix` of one more label, instead of asking DNS. They are checked like any other. A port other than 0 takes the
    /// place of the scheme's own, not of one the URL names.
    pub pinned: HashMap<String, Vec<SocketAddr>>,
    pub connect_timeout: Duration,
    /// From the first DNS question to the last byte of the body.
    pub total_timeout: Duration,
    /// Bytes of a body, unless the request sets its own limit.
    pub max_body: usize,
    /// Ranges beside the public addresses where endpoints that customers name may live. Only there may they be plain
    /// HTTP. Empty, as it should be where tenants do not trust each other: public addresses only.
    pub customer_private: Vec<IpNet>,
    /// For a call to an endpoint that a customer named, from the first DNS question to the last byte.
    pub customer_timeout: Duration,
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            allow: vec![],
            extra_roots_pem: None,
            pinned: HashMap::new(),
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(30),
            max_body: 16 << 20,
            customer_private: vec![],
            customer_timeout: Duration::from_secs(10),
        }
    }
}

/// The one way out. Cheap to clone.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    rules: Arc<Vec<AllowedHost>>,
    /// For listed hosts.
    kept: Clients,
    /// For listed hosts, a connection a request.
    fresh: Clients,
    /// For endpoints that customers name.
    customers: Clients,
    /// Finds addresses for connections that do not speak HTTP.
    gates: [Gate; 2],
    trust: Arc<rustls::ClientConfig>,
    config: EgressConfig,
    clock: Arc<dyn Clock>,
    recorder: Arc<dyn Recorder>,
}

impl Egress {
    /// # Errors
    /// When the extra roots are not PEM certificates, a rule is not a host, or TLS cannot be set up.
    pub fn new(mut config: EgressConfig, clock: Arc<dyn Clock>, recorder: Arc<dyn Recorder>) -> Result<Self, SetupError> {
        for rule in &mut config.allow {
            rule.host = rule::canonical(&rule.host)?;
        }
        let rules = Arc::new(std::mem::take(&mut config.allow));
        let pinned = Arc::new(std::mem::take(&mut config.pinned));
        let gate = |hosts: &Hosts, plain| Gate { hosts: hosts.clone(), pinned: pinned.clone(), plain };
        let listed = Hosts::Listed(rules.clone());
        let any = Hosts::Any(Arc::new(config.customer_private.clone()));
        let trust = tls::trust(&config)?;
        Ok(Self(Arc::new(Inner {
            rules,
            kept: Clients::new(&config, &trust, |plain| gate(&listed, plain), Connections::Kept)?,
            fresh: Clients::new(&config, &trust, |plain| gate(&listed, plain), Connections::Fresh)?,
            customers: Clients::new(&config, &trust, |plain| gate(&any, plain), Connections::Kept)?,
            gates: [gate(&listed, false), gate(&listed, true)],
            trust: Arc::new(trust),
            config,
            clock,
            recorder,
        })))
    }

    /// The allow-list, for operators to see.
    pub fn allowed(&self) -> &[AllowedHost] {
        &self.0.rules
    }

    /// Whether a host may be called at this port.
    pub(crate) fn lists(&self, host: &str, port: u16, plain: bool) -> bool {
        self.0.rules.iter().any(|rule| rule.fits(host, port, plain))
    }

    /// Sends a request and reads the answer whole, whatever its status.
    ///
    /// # Errors
    /// Everything of [`EgressError`] but `Status` and a JSON `BadBody`.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        self.through(&self.0.kept, request).await.map_err(|unanswered| unanswered.error)
    }

    /// As [`Egress::send`], once: on a connection made for it, so that one the other side has closed meanwhile cannot
    /// swallow it, and repeated by nobody.
    ///
    /// # Errors
    /// As [`Egress::send`], with whether anything can have left.
    pub async fn send_once(&self, request: Request) -> Result<Response, Unanswered> {
        self.through(&self.0.fresh, request).await
    }

    async fn through(&self, clients: &Clients, request: Request) -> Result<Response, Unanswered> {
        let call = Call::begin(self.0.clock.now(), &request.method, &request.url, request.recorded_path.as_deref());
        let underway = Underway::begin(call, self.0.recorder.as_ref());
        let outcome = match self.admit(&request.url) {
            Ok(host) => match tokio::time::timeout(self.0.config.total_timeout, self.exchange(clients, request, &host)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Unanswered::after(EgressError::Timeout { host })),
            },
            Err(refused) => Err(Unanswered::before(refused)),
        };
        match &outcome {
            Ok(response) => underway.answered(response.meta.status, response.body.len()),
            Err(unanswered) => underway.failed(unanswered.error.reason()),
        }
        outcome
    }

    /// Gets a JSON document.
    ///
    /// # Errors
    /// Everything of [`EgressError`].
    pub async fn get_json<T: DeserializeOwned>(&self, url: &Url) -> Result<(T, Meta), EgressError> {
        let accept = HeaderValue::from_static("application/json");
        let response = self.send(Request::get(url.clone()).header(header::ACCEPT, accept)).await?.ok()?;
        Ok((response.json()?, response.meta))
    }

    /// Decides on the URL alone, before any name is resolved. Gives the host as rules and records spell it.
    fn admit(&self, url: &Url) -> Result<String, EgressError> {
        let Place { host, port, literal, plain } = Place::of(url).map_err(|why| bad(url, why))?;
        let mut rules = self.0.rules.iter().filter(|rule| rule.fits(&host, port, plain)).peekable();
        if rules.peek().is_none() {
            return Err(EgressError::NotAllowed { host: format!("{host}:{port}") });
        }
        if plain && !rules.clone().any(|rule| rule.plain_http) {
            return Err(bad(url, "only https is spoken to this host"));
        }
        if let Some(address) = literal {
            // A literal never reaches the resolver, so its check is here.
            let checked = resolver::check(resolver::ranges(rules, plain), address, plain);
            checked.map_err(|why| EgressError::RefusedAddress { host: host.clone(), address, why })?;
        }
        Ok(host)
    }

    async fn exchange(&self, clients: &Clients, request: Request, host: &str) -> Result<Response, Unanswered> {
        let limit = request.max_body.unwrap_or(self.0.config.max_body);
        let mut answer = begin(clients, request, host).await?;
        let too_large = || Unanswered::after(EgressError::TooLarge { host: host.to_owned(), limit });
        if answer.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        if read(&mut answer, &mut body, limit).await.map_err(|e| network(host, e))? == Read::Cut {
            return Err(too_large());
        }
        let headers = std::mem::take(answer.headers_mut());
        let retry_after = retry_after(&headers, self.0.clock.as_ref());
        let meta = Meta { status: answer.status().as_u16(), headers, retry_after };
        Ok(Response { host: host.to_owned(), meta, body: body.freeze() })
    }
}

/// Sends a request that was admitted, and gives its answer as soon as the headers are there.
async fn begin(clients: &Clients, request: Request, host: &str) -> Result<reqwest::Response, Unanswered> {
    let mut builder = clients.of(&request.url).request(request.method, request.url).headers(request.headers);
    if let Some(body) = request.body {
        builder = builder.body(body);
    }
    builder.send().await.map_err(|e| network(host, e))
}

/// Whether a body was read to its end, or cut off.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    Whole,
    Cut,
}

/// Reads a body, up to a limit in bytes.
async fn read(answer: &mut reqwest::Response, body: &mut BytesMut, limit: usize) -> Result<Read, reqwest::Error> {
    while let Some(chunk) = answer.chunk().await? {
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok(Read::Cut);
        }
    }
    Ok(Read::Whole)
}

/// Where a URL leads, as far as it says itself.
struct Place {
    /// Lower case; an IPv6 address without brackets.
    host: String,
    port: u16,
    /// The host, where it is an address.
    literal: Option<IpAddr>,
    plain: bool,
}

impl Place {
    fn of(url: &Url) -> Result<Self, &'static str> {
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err("only https is spoken"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it carries a user name or password");
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err("it names no host");
        };
        // The URL parser has already folded decimal, octal and hex spellings of an address into one.
        let (host, literal) = match host {
            Host::Domain(name) => (name.to_ascii_lowercase(), None),
            Host::Ipv4(ip) => (ip.to_string(), Some(IpAddr::V4(ip))),
            Host::Ipv6(ip) => (ip.to_string(), Some(IpAddr::V6(ip))),
        };
        Ok(Self { host, port, literal, plain })
    }
}

fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    read_retry_after(headers.get(header::RETRY_AFTER)?.to_str().ok()?, clock.now())
}

/// `Retry-After` as a duration from now (RFC 9110, 10.2.3): seconds, or a date.
pub(crate) fn read_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}
