//! The identity Azure gives a machine or container: the two wire forms of its token endpoint. Follows Microsoft's "How
//! to use managed identities ... to acquire an access token" (IMDS) and "REST endpoint reference" (App Service).
//!
//! Stays true: the metadata address is called for this and nothing else; its line on the allow-list says so.

use super::{CredentialError, hash};
use crate::egress::{AllowedHost, Request};
use bailiwick_base::Secret;
use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use std::net::IpAddr;
use url::{Host, Url};
use uuid::Uuid;

/// Where a virtual machine asks, in every Microsoft cloud.
const IMDS: &str = "http://169.254.169.254";

/// A managed identity and where its tokens are given out.
pub struct ManagedIdentity {
    source: Source,
    /// Which one, where the machine has several.
    client_id: Option<Uuid>,
}

enum Source {
    /// Virtual machines, scale sets, container instances.
    Imds(Url),
    /// App Service, Functions, Container Apps: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
    Endpoint { url: Url, header: Secret<String> },
}

impl ManagedIdentity {
    /// The identity of this virtual machine; `host` stands in for the metadata address (`AZURE_POD_IDENTITY_AUTHORITY_HOST`).
    ///
    /// # Errors
    /// [`CredentialError::BadEndpoint`].
    pub fn imds(host: Option<&str>, client_id: Option<Uuid>) -> Result<Self, CredentialError> {
        let host = host.unwrap_or(IMDS).trim_end_matches('/');
        Ok(Self { source: Source::Imds(endpoint(&format!("{host}/metadata/identity/oauth2/token"))?), client_id })
    }

    /// The identity of this App Service, Function or Container App: the values of `IDENTITY_ENDPOINT` and
    /// `IDENTITY_HEADER`.
    ///
    /// # Errors
    /// [`CredentialError::BadEndpoint`].
    pub fn endpoint(url: &str, header: Secret<String>, client_id: Option<Uuid>) -> Result<Self, CredentialError> {
        Ok(Self { source: Source::Endpoint { url: endpoint(url)?, header }, client_id })
    }

    fn url(&self) -> &Url {
        match &self.source {
            Source::Imds(url) | Source::Endpoint { url, .. } => url,
        }
    }

    /// The line this identity needs on the list of hosts that may be called. Its range is that one address where the
    /// endpoint is an address, and this machine itself where it is a name.
    pub fn allowed_host(&self) -> AllowedHost {
        let url = self.url();
        let reason = match &self.source {
            Source::Imds(_) => "Managed identity: the only call to the metadata address, for our own token and nothing else",
            Source::Endpoint { .. } => "Managed identity: the platform's own endpoint on this machine, for our own token",
        };
        let (host, private) = match url.host() {
            Some(Host::Ipv4(ip)) => (ip.to_string(), vec![IpNet::from(IpAddr::V4(ip))]),
            Some(Host::Ipv6(ip)) => (ip.to_string(), vec![IpNet::from(IpAddr::V6(ip))]),
            Some(Host::Domain(name)) => (name.to_owned(), loopback()),
            None => (String::new(), vec![]),
        };
        let plain_http = url.scheme() == "http";
        AllowedHost { port: url.port(), plain_http, ..AllowedHost::public(host, reason).private(private) }
    }

    /// The request for a token for `resource` (an App ID URI, without `/.default`).
    pub(crate) fn request(&self, resource: &str) -> Request {
        let mut url = self.url().clone();
        let version = match &self.source {
            Source::Imds(_) => "2018-02-01",
            Source::Endpoint { .. } => "2019-08-01",
        };
        url.query_pairs_mut().append_pair("api-version", version).append_pair("resource", resource);
        if let Some(id) = self.client_id {
            url.query_pairs_mut().append_pair("client_id", &id.to_string());
        }
        let request = Request::get(url).header(HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
        match &self.source {
            Source::Imds(_) => request,
            Source::Endpoint { header, .. } => match HeaderValue::from_str(header.expose()) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    request.header(HeaderName::from_static("x-identity-header"), value)
                }
                // The endpoint will refuse, which is told as it is.
                Err(_) => request,
            },
        }
    }

    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let id = self.client_id.map(|id| id.to_string()).unwrap_or_default();
        hash(["managed identity", self.url().as_str(), &id])
    }
}

fn endpoint(text: &str) -> Result<Url, CredentialError> {
    let url = Url::parse(text).map_err(|_| CredentialError::BadEndpoint)?;
    let bare = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    if bare && url.has_host() { Ok(url) } else { Err(CredentialError::BadEndpoint) }
}

fn loopback() -> Vec<IpNet> {
    ["127.0.0.0/8", "::1/128"].iter().filter_map(|range| range.parse().ok()).collect()
}
