//! Microsoft's clouds as data: where sign-in, Graph, Resource Manager and vaults are, and how issuers are spelled.
//! Everything that differs between the public, government, Chinese and a custom cloud stands here and nowhere else.

use crate::egress::AllowedHost;
use bailiwick_base::DirectoryId;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use url::Url;

/// Scheme, host and port of a service, e.g. `https://graph.microsoft.com`. Never ends in a slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// The text is not the address of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not the address of a service: write https://host or https://host:port, without user, query or fragment; sign-in takes no path either"
)]
pub struct BadOrigin(String);

/// Where an API's paths begin, e.g. `https://graph.microsoft.com`. A gateway may put a path before them. Never ends in a slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl {
    origin: Origin,
    text: String,
}

/// The URL, if it holds nothing but scheme, host, port and path.
fn service(text: &str) -> Result<Url, BadOrigin> {
    let refuse = || BadOrigin(text.to_owned());
    let url = Url::parse(text).map_err(|_| refuse())?;
    let bare = matches!(url.scheme(), "https" | "http") && url.query().is_none() && url.fragment().is_none();
    if bare && url.username().is_empty() && url.password().is_none() { Ok(url) } else { Err(refuse()) }
}

impl FromStr for BaseUrl {
    type Err = BadOrigin;
    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let url = service(text)?;
        let origin = Origin(url.origin().ascii_serialization());
        let text = format!("{origin}{}", url.path().trim_end_matches('/'));
        Ok(Self { origin, text })
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BadOrigin;
    fn try_from(text: String) -> Result<Self, BadOrigin> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(base: BaseUrl) -> String {
        base.text
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl BaseUrl {
    pub fn as_str(&self) -> &str {
        &self.text
    }
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;
    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let url = service(text)?;
        if url.path() != "/" {
            return Err(BadOrigin(text.to_owned()));
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

impl TryFrom<String> for Origin {
    type Error = BadOrigin;
    fn try_from(text: String) -> Result<Self, BadOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Origin {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the URL belongs to this service.
    pub fn holds(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.0
    }

    /// Host and, if it is not the scheme's own, `:port`.
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or(&self.0, |(_, authority)| authority)
    }

    /// The entry for the allow-list.
    fn allowed(&self, reason: &str) -> AllowedHost {
        let url = Url::parse(&self.0).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let plain_http = url.as_ref().is_some_and(|url| url.scheme() == "http");
        AllowedHost { port: url.as_ref().and_then(Url::port), plain_http, ..AllowedHost::public(host, reason) }
    }
}

/// Which cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloudKind {
    Public,
    Government,
    China,
    Custom,
}

/// The addresses of one Microsoft cloud. Those of the public cloud are Microsoft's documented ones; the government and
/// Chinese ones follow `learn.microsoft.com/entra/identity-platform/authentication-national-cloud`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudEndpoints {
    pub kind: CloudKind,
    /// Sign-in, tokens, discovery and keys.
    pub login: Origin,
    /// Issuer of version 1 tokens, before `/{directory}/`.
    pub v1_issuer: Origin,
    pub graph: BaseUrl,
    pub arm: BaseUrl,
    /// A vault is `https://{name}.{suffix}`; a custom cloud's may end in `:port`.
    pub vault_suffix: String,
    /// Audience of assertions in workload identity federation.
    pub federation_audience: String,
}

impl CloudEndpoints {
    pub fn public() -> Self {
        Self {
            kind: CloudKind::Public,
            login: https("login.microsoftonline.com"),
            v1_issuer: https("sts.windows.net"),
            graph: api("graph.microsoft.com"),
            arm: api("management.azure.com"),
            vault_suffix: "vault.azure.net".into(),
            federation_audience: "api://AzureADTokenExchange".into(),
        }
    }

    /// US Government (GCC High). For DoD, set `graph` to `https://dod-graph.microsoft.us`.
    pub fn government() -> Self {
        Self {
            kind: CloudKind::Government,
            login: https("login.microsoftonline.us"),
            v1_issuer: https("sts.windows.net"),
            graph: api("graph.microsoft.us"),
            arm: api("management.usgovcloudapi.net"),
            vault_suffix: "vault.usgovcloudapi.net".into(),
            federation_audience: "api://AzureADTokenExchangeUSGov".into(),
        }
    }

    /// China, operated by 21Vianet.
    pub fn china() -> Self {
        Self {
            kind: CloudKind::China,
            login: https("login.partner.microsoftonline.cn"),
            v1_issuer: https("sts.chinacloudapi.cn"),
            graph: api("microsoftgraph.chinacloudapi.cn"),
            arm: api("management.chinacloudapi.cn"),
            vault_suffix: "vault.azure.cn".into(),
            federation_audience: "api://AzureADTokenExchangeChina".into(),
        }
    }

    /// A cloud of one's own. Version 1 issuers start with the login origin; set the field where they differ.
    pub fn custom(login: Origin, graph: BaseUrl, arm: BaseUrl, vault_suffix: impl Into<String>) -> Self {
        Self {
            kind: CloudKind::Custom,
            v1_issuer: login.clone(),
            login,
            graph,
            arm,
            vault_suffix: vault_suffix.into(),
            federation_audience: "api://AzureADTokenExchange".into(),
        }
    }

    /// `iss` of this directory's version 2 tokens.
    pub fn v2_issuer_of(&self, directory: DirectoryId) -> String {
        format!("{}/{directory}/v2.0", self.login)
    }

    /// `iss` of this directory's version 1 tokens; the slash at its end is part of it.
    pub fn v1_issuer_of(&self, directory: DirectoryId) -> String {
        format!("{}/{directory}/", self.v1_issuer)
    }

    /// Where a browser is sent to sign in; with no directory, any organisation's people may.
    pub fn authorize_url(&self, directory: Option<DirectoryId>) -> String {
        format!("{}/{}/oauth2/v2.0/authorize", self.login, segment(directory))
    }

    /// The scope of tokens for Microsoft Graph, with every permission granted.
    pub fn graph_scope(&self) -> String {
        self.scope(self.graph.as_str(), "00000003-0000-0000-c000-000000000000")
    }

    /// The scope of tokens for Azure Resource Manager.
    pub fn arm_scope(&self) -> String {
        self.scope(self.arm.as_str(), "797f4846-ba00-4fd7-ba43-dac1f8f63013")
    }

    /// The scope of tokens for Key Vault's data plane.
    pub fn vault_scope(&self) -> String {
        self.scope(&format!("https://{}", self.vault_suffix), "cfa8b339-82a2-471a-a3c9-0fc0be7a4093")
    }

    /// Microsoft's own clouds name an API by its address. In a custom one, where several may share an address or stand
    /// behind a gateway, it is named by its application id, which is the same in all clouds.
    fn scope(&self, address: &str, application: &str) -> String {
        match self.kind {
            CloudKind::Custom => format!("{application}/.default"),
            _ => format!("{address}/.default"),
        }
    }

    /// The hosts this cloud needs on the allow-list, each with its reason. A custom cloud on a private network needs
    /// its ranges added: [`AllowedHost::private`].
    pub fn allowed_hosts(&self) -> Vec<AllowedHost> {
        let (suffix, port) = match self.vault_suffix.rsplit_once(':') {
            Some((suffix, port)) => (suffix, port.parse().ok()),
            None => (self.vault_suffix.as_str(), None),
        };
        let vaults = AllowedHost::public(format!("*.{suffix}"), "Key Vault: what a vault holds, by name and date, never a value");
        vec![
            self.login.allowed("Entra ID: discovery, signing keys, tokens"),
            self.graph.origin.allowed("Microsoft Graph: the directory's configuration"),
            self.arm.origin.allowed("Azure Resource Manager: subscriptions and resources"),
            AllowedHost { port, ..vaults },
        ]
    }
}

/// The directory's part of a sign-in path.
pub(crate) fn segment(directory: Option<DirectoryId>) -> String {
    directory.map_or_else(|| "organizations".to_owned(), |id| id.to_string())
}

fn https(host: &str) -> Origin {
    Origin(format!("https://{host}"))
}

fn api(host: &str) -> BaseUrl {
    let origin = https(host);
    BaseUrl { text: origin.to_string(), origin }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_nothing_after_the_port() {
        for text in ["https://login.example", "https://login.example/", "https://LOGIN.example:443"] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), "https://login.example");
        }
        for text in ["login.example", "ftp://x", "https://x/path", "https://x?q", "https://u:p@x", "https://x/#f", ""] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_api_may_begin_behind_a_path() {
        let base: BaseUrl = "https://gateway.example:8443/graph/".parse().unwrap();
        assert_eq!(base.as_str(), "https://gateway.example:8443/graph");
        assert_eq!(base.origin().as_str(), "https://gateway.example:8443");
        assert!("https://x/path?q".parse::<BaseUrl>().is_err());
        let mut cloud = CloudEndpoints::public();
        cloud.graph = base;
        let graph = &cloud.allowed_hosts()[1];
        assert_eq!((graph.host.as_str(), graph.port, graph.plain_http), ("gateway.example", Some(8443), false));
    }

    #[test]
    fn issuers_are_spelled_as_microsoft_spells_them() {
        let directory: DirectoryId = "72f988bf-86f1-41af-91ab-2d7cd011db47".parse().unwrap();
        let cloud = CloudEndpoints::public();
        assert_eq!(cloud.v2_issuer_of(directory), "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0");
        assert_eq!(cloud.v1_issuer_of(directory), "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/");
    }

    #[test]
    fn each_cloud_lists_its_own_hosts_and_no_one_elses() {
        for cloud in [CloudEndpoints::public(), CloudEndpoints::government(), CloudEndpoints::china()] {
            let hosts: Vec<_> = cloud.allowed_hosts().into_iter().map(|h| h.host).collect();
            assert_eq!(hosts[0], cloud.login.authority());
            assert_eq!(hosts[3], format!("*.{}", cloud.vault_suffix));
        }
    }
}
