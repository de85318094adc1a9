//! Why a call brought nothing, and whether anything of it can have left.

use super::resolver::RefusedAddress;
use std::{net::IpAddr, time::Duration};
use url::Url;

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

/// A call that brought no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    pub error: EgressError,
    /// Whether bytes of the request can have left this machine. Where they cannot, nothing was done by anybody.
    pub left: bool,
}

impl Unanswered {
    pub(super) fn before(error: EgressError) -> Self {
        Self { error, left: false }
    }
    pub(super) fn after(error: EgressError) -> Self {
        Self { error, left: true }
    }
}

/// Refuses a URL, showing scheme, host and path of it.
pub(super) fn bad(url: &Url, why: &'static str) -> EgressError {
    EgressError::BadUrl { url: format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or(""), url.path()), why }
}

/// Turns the client's error into ours; a refusal of the resolver is found inside it.
pub(super) fn network(host: &str, error: reqwest::Error) -> Unanswered {
    let host = host.to_owned();
    // Everything up to the end of the TLS handshake is connecting.
    let left = !error.is_connect() && !error.is_builder();
    let error = error.without_url();
    let (mut cause, mut source) = (error.to_string(), std::error::Error::source(&error));
    while let Some(inner) = source {
        if let Some(RefusedAddress { address, why }) = inner.downcast_ref() {
            return Unanswered::before(EgressError::RefusedAddress { host, address: *address, why });
        }
        cause = inner.to_string();
        source = inner.source();
    }
    let error = match error.is_timeout() {
        true => EgressError::Timeout { host },
        false => EgressError::Network { host, cause },
    };
    Unanswered { error, left }
}
