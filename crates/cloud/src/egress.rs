//! The one way out for HTTP. Owns the allow-list, the address checks, the limits and the record of calls.
//!
//! Stays true: no host outside the list is contacted; the address that was checked is the address connected to (the
//! check sits in the resolver, so a name cannot answer differently the second time); redirects are answers, never
//! followed; no proxy is taken from the environment; a body is cut off at its limit while it streams.

mod address;
mod record;
mod resolver;
mod rule;
#[cfg(test)]
mod tests;
mod tls;

pub use address::refusal;
pub use record::{Call, NoRecorder, Recorder, Ring};
pub use rule::AllowedHost;
pub use tls::SetupError;

use bailiwick_base::{Clock, Timestamp};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use record::Underway;
use resolver::{Gate, RefusedAddress};
use serde::de::DeserializeOwned;
use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
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
        }
    }
}

/// Why a call did not give what was asked for. Holds no query string, header or body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    #[error("the address {url} cannot be called: {why}")]
    BadUrl { url: String, why: &'static str },
    #[error("{host} is not on this environment's list of hosts that may be called")]
    NotAllowed { host: String },
    #[error("{host} lives at {address}, which is refused: {why}")]
    RefusedAddress { host: String, address: IpAddr, why: &'static str },
    #[error("{host} did not answer in time")]
    Timeout { host: String },
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLarge { host: String, limit: usize },
    #[error("{host} answered {code}")]
    Status { host: String, code: u16, retry_after: Option<Duration> },
    #[error("the answer of {host} cannot be read: {cause}")]
    BadBody { host: String, cause: String },
    #[error("{host} cannot be reached: {cause}")]
    Network { host: String, cause: String },
}

impl EgressError {
    /// A stable word for records and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BadUrl { .. } => "bad_url",
            Self::NotAllowed { .. } => "not_allowed",
            Self::RefusedAddress { .. } => "refused_address",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Status { .. } => "status",
            Self::BadBody { .. } => "bad_body",
            Self::Network { .. } => "network",
        }
    }

    /// Whether the same call may succeed later without being changed.
    pub fn transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Network { .. } => true,
            Self::Status { code, .. } => *code == 408 || *code == 429 || *code >= 500,
            _ => false,
        }
    }
}

/// One outbound request.
pub struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    max_body: Option<usize>,
    recorded_path: Option<String>,
}

impl fmt::Debug for Request {
    /// Method and host only: paths, headers and bodies may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.url.host_str().unwrap_or("?"))
    }
}

impl Request {
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, max_body: None, recorded_path: None }
    }
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, content_type);
        self.body = Some(body.into());
        self
    }
    /// Bytes of the answer's body, in place of the environment's limit.
    pub fn max_body(mut self, limit: usize) -> Self {
        self.max_body = Some(limit);
        self
    }
    /// The path to put in the record, where the real one is a secret (a chat tool's webhook).
    pub fn recorded_as(mut self, path: impl Into<String>) -> Self {
        self.recorded_path = Some(path.into());
        self
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    pub host: String,
    pub meta: Meta,
    pub body: Bytes,
}

/// An answer without its body.
#[derive(Debug, Clone)]
pub struct Meta {
    pub status: u16,
    pub headers: HeaderMap,
    /// What `Retry-After` asks for, seconds or date alike.
    pub retry_after: Option<Duration>,
}

impl Response {
    /// The same answer if its status is 2xx.
    ///
    /// # Errors
    /// [`EgressError::Status`] otherwise; a redirect is one, as none is followed.
    pub fn ok(self) -> Result<Self, EgressError> {
        match self.meta.status {
            200..=299 => Ok(self),
            code => Err(EgressError::Status { host: self.host, code, retry_after: self.meta.retry_after }),
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`EgressError::BadBody`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, EgressError> {
        serde_json::from_slice(&self.body).map_err(|e| EgressError::BadBody {
            host: self.host.clone(),
            // The category and place only: the text of a body is not ours to repeat.
            cause: format!("not the JSON that was expected (line {}, column {})", e.line(), e.column()),
        })
    }
}

/// The one way out. Cheap to clone.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    rules: Arc<Vec<AllowedHost>>,
    /// HTTPS only.
    tls: reqwest::Client,
    /// Plain HTTP, to addresses inside a rule's private ranges only.
    plain: reqwest::Client,
    total_timeout: Duration,
    max_body: usize,
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
        let gate = |plain| Gate { rules: rules.clone(), pinned: pinned.clone(), plain };
        let tls = tls::client(&config, gate(false))?;
        let plain = tls::client(&config, gate(true))?;
        Ok(Self(Arc::new(Inner { rules, tls, plain, total_timeout: config.total_timeout, max_body: config.max_body, clock, recorder })))
    }

    /// The allow-list, for operators to see.
    pub fn allowed(&self) -> &[AllowedHost] {
        &self.0.rules
    }

    /// Sends a request and reads the answer whole, whatever its status.
    ///
    /// # Errors
    /// Everything of [`EgressError`] but `Status` and a JSON `BadBody`.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let call = Call::begin(self.0.clock.now(), &request.method, &request.url, request.recorded_path.as_deref());
        let underway = Underway::begin(call, self.0.recorder.as_ref());
        let outcome = match self.admit(&request.url) {
            Ok(host) => match tokio::time::timeout(self.0.total_timeout, self.exchange(request, &host)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(EgressError::Timeout { host }),
            },
            Err(refused) => Err(refused),
        };
        underway.end(&outcome);
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
        let bad = |why| Err(EgressError::BadUrl { url: without_query(url), why });
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return bad("only https is spoken"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return bad("it carries a user name or password");
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return bad("it names no host");
        };
        // The URL parser has already folded decimal, octal and hex spellings of an address into one.
        let (name, literal) = match host {
            Host::Domain(name) => (name.to_ascii_lowercase(), None),
            Host::Ipv4(ip) => (ip.to_string(), Some(IpAddr::V4(ip))),
            Host::Ipv6(ip) => (ip.to_string(), Some(IpAddr::V6(ip))),
        };
        let mut rules = self.0.rules.iter().filter(|rule| rule.fits(&name, port, plain)).peekable();
        if rules.peek().is_none() {
            return Err(EgressError::NotAllowed { host: format!("{name}:{port}") });
        }
        if plain && !rules.clone().any(|rule| rule.plain_http) {
            return bad("only https is spoken to this host");
        }
        if let Some(address) = literal {
            // A literal never reaches the resolver, so its check is here.
            resolver::check(rules, address, plain).map_err(|why| EgressError::RefusedAddress { host: name.clone(), address, why })?;
        }
        Ok(name)
    }

    async fn exchange(&self, request: Request, host: &str) -> Result<Response, EgressError> {
        let client = if request.url.scheme() == "http" { &self.0.plain } else { &self.0.tls };
        let limit = request.max_body.unwrap_or(self.0.max_body);
        let mut builder = client.request(request.method, request.url).headers(request.headers);
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut answer = builder.send().await.map_err(|e| network(host, e))?;
        let too_large = || EgressError::TooLarge { host: host.to_owned(), limit };
        if answer.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| network(host, e))? {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(answer.headers_mut());
        let retry_after = retry_after(&headers, self.0.clock.as_ref());
        let meta = Meta { status: answer.status().as_u16(), headers, retry_after };
        Ok(Response { host: host.to_owned(), meta, body: body.freeze() })
    }
}

/// Scheme, host and path: what may be shown of an address.
fn without_query(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or(""), url.path())
}

/// Turns the client's error into ours; a refusal of the resolver is found inside it.
fn network(host: &str, error: reqwest::Error) -> EgressError {
    let host = host.to_owned();
    let error = error.without_url();
    let (mut cause, mut source) = (error.to_string(), std::error::Error::source(&error));
    while let Some(inner) = source {
        if let Some(RefusedAddress { address, why }) = inner.downcast_ref() {
            return EgressError::RefusedAddress { host, address: *address, why };
        }
        cause = inner.to_string();
        source = inner.source();
    }
    match error.is_timeout() {
        true => EgressError::Timeout { host },
        false => EgressError::Network { host, cause },
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
