//! One line of the allow-list: a host, why it is called, and where it may live.

use super::SetupError;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::IpAddr;
use url::Host;

/// A host this environment may call, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedHost {
    /// A name, `*.suffix` (one or more labels before the suffix, never the suffix itself), or an IP address.
    pub host: String,
    /// The port; absent means the scheme's own (443, or 80 where plain HTTP is allowed).
    #[serde(default)]
    pub port: Option<u16>,
    /// Why the environment needs it. Shown to operators beside the host.
    pub reason: String,
    /// Ranges of non-public addresses this host may live at, e.g. a private endpoint's subnet. Empty: public addresses only.
    #[serde(default)]
    pub private: Vec<IpNet>,
    /// Whether `http://` is allowed, which it only ever is to an address inside `private`.
    #[serde(default)]
    pub plain_http: bool,
}

impl AllowedHost {
    /// A public host, HTTPS on port 443.
    pub fn public(host: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { host: host.into(), port: None, reason: reason.into(), private: vec![], plain_http: false }
    }
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }
    /// Lets the host live inside these ranges, although they are not public.
    pub fn private(mut self, ranges: impl IntoIterator<Item = IpNet>) -> Self {
        self.private.extend(ranges);
        self
    }
    /// Lets `http://` be used, inside the ranges of [`AllowedHost::private`] only.
    pub fn plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Whether the rule names this host; `host` is lower case, an IPv6 address without brackets.
    pub(crate) fn names(&self, host: &str) -> bool {
        match self.host.strip_prefix("*.") {
            Some(suffix) => host.strip_suffix(suffix).is_some_and(|front| front.len() > 1 && front.ends_with('.')),
            None => self.host == host,
        }
    }

    /// Whether the rule names this host at this port.
    pub(super) fn fits(&self, host: &str, port: u16, plain: bool) -> bool {
        let own = if plain { 80 } else { 443 };
        self.names(host) && self.port.unwrap_or(own) == port
    }
}

/// The spelling URLs will be compared with, e.g. `bücher.example` as punycode and `0x7f.1` as `127.0.0.1`.
pub(crate) fn canonical(host: &str) -> Result<String, SetupError> {
    let (star, rest) = match host.strip_prefix("*.") {
        Some(rest) => ("*.", rest),
        None => ("", host),
    };
    let refuse = || SetupError::BadRule { host: host.to_owned() };
    let bare = rest.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return if star.is_empty() { Ok(ip.to_string()) } else { Err(refuse()) };
    }
    match Host::parse(rest).map_err(|_| refuse())? {
        // A rule of one label after the star would open a whole top-level domain.
        Host::Domain(name) if !name.ends_with('.') && !name.contains('*') && (star.is_empty() || name.contains('.')) => {
            Ok(format!("{star}{}", name.to_ascii_lowercase()))
        }
        _ => Err(refuse()),
    }
}
