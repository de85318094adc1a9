//! Which addresses may be asked, before any token is near them.
//!
//! Stays true: a URL leaves here only if it is on the configured host of its service; and of a vault only listings are
//! asked, so that no call can bring back the value of a secret.

use super::CallError;
use crate::endpoints::{BaseUrl, CloudEndpoints};
use serde::{Deserialize, Serialize};
use url::Url;

/// A service of Microsoft's that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Paths begin with `/v1.0/` or `/beta/`.
    Graph,
    /// Azure Resource Manager. Paths begin with `/`.
    Arm,
    /// Key Vault's data plane. Addresses are whole: `https://{vault}.{suffix}/...`.
    Vault,
}

impl Service {
    /// The scope of a token for this service.
    pub fn scope(self, cloud: &CloudEndpoints) -> String {
        match self {
            Self::Graph => cloud.graph_scope(),
            Self::Arm => cloud.arm_scope(),
            Self::Vault => cloud.vault_scope(),
        }
    }
}

/// The address for a path from the root of the service, or for a whole URL such as a next link.
pub(super) fn resolve(cloud: &CloudEndpoints, service: Service, path: &str) -> Result<Url, CallError> {
    match service {
        Service::Graph => {
            let url = under(&cloud.graph, path)?;
            match version(&cloud.graph, &url) {
                Some(_) => Ok(url),
                None => refuse("a Graph path begins with /v1.0/ or /beta/"),
            }
        }
        Service::Arm => under(&cloud.arm, path),
        Service::Vault => vault(&cloud.vault_suffix, path),
    }
}

/// `v1.0` or `beta`, and the rest of the path with its query, as `$batch` wants it.
pub(super) fn version<'u>(graph: &BaseUrl, url: &'u Url) -> Option<(&'static str, &'u str)> {
    let rest = url.as_str().strip_prefix(graph.as_str())?;
    ["v1.0", "beta"].into_iter().find_map(|version| {
        let rest = rest.strip_prefix('/')?.strip_prefix(version)?;
        rest.starts_with('/').then_some((version, rest))
    })
}

fn refuse<T>(why: &'static str) -> Result<T, CallError> {
    Err(CallError::Refused { why })
}

fn under(base: &BaseUrl, path: &str) -> Result<Url, CallError> {
    let text = if path.starts_with('/') { format!("{base}{path}") } else { path.to_owned() };
    let mut url = Url::parse(&text).or_else(|_| refuse("it is neither a path nor a URL"))?;
    url.set_fragment(None);
    own(&url, base.origin().holds(&url))?;
    // Dot segments are resolved by now: they cannot climb out from behind a gateway's path.
    match url.as_str().strip_prefix(base.as_str()).is_some_and(|rest| rest.starts_with('/')) {
        true => Ok(url),
        false => refuse("it leaves the path the service lives under"),
    }
}

/// Refuses a URL on another host, or with a user in it.
fn own(url: &Url, ours: bool) -> Result<(), CallError> {
    if !ours {
        let host = url.host_str().unwrap_or("nowhere");
        return Err(CallError::ForeignLink { host: url.port().map_or(host.to_owned(), |port| format!("{host}:{port}")) });
    }
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(()),
        false => refuse("it carries a user name or password"),
    }
}

fn vault(suffix: &str, address: &str) -> Result<Url, CallError> {
    let mut url = Url::parse(address).or_else(|_| refuse("a vault is addressed by a whole URL"))?;
    url.set_fragment(None);
    let host = match (url.host_str(), url.port()) {
        (Some(host), None) => host.to_owned(),
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (None, _) => String::new(),
    };
    let name = host.strip_suffix(&suffix.to_ascii_lowercase()).and_then(|name| name.strip_suffix('.'));
    own(&url, url.scheme() == "https" && name.is_some_and(plain))?;
    let segments: Vec<&str> = url.path().trim_start_matches('/').split('/').collect();
    match lists(&segments) {
        true => Ok(url),
        false => refuse("of a vault only listings, versions and policies are read, never a value"),
    }
}

/// A vault's or object's name: `[0-9a-zA-Z-]{1,127}`. Nothing percent-encoded gets through.
fn plain(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The paths that answer without a value (Key Vault REST: list, list versions, rotation and certificate policy, issuers,
/// contacts).
fn lists(segments: &[&str]) -> bool {
    match segments {
        ["secrets" | "keys" | "certificates" | "deletedsecrets" | "deletedkeys" | "deletedcertificates"] => true,
        ["certificates", "issuers" | "contacts"] => true,
        ["secrets" | "keys" | "certificates", name, "versions"] => plain(name),
        ["keys", name, "rotationpolicy"] | ["certificates", name, "policy"] => plain(name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(service: Service, path: &str) -> Result<String, &'static str> {
        resolve(&CloudEndpoints::public(), service, path).map(String::from).map_err(|error| error.reason())
    }

    #[test]
    fn paths_and_next_links_lead_to_the_configured_host_and_nowhere_else() {
        let users = "https://graph.microsoft.com/v1.0/users?$top=999";
        assert_eq!(at(Service::Graph, "/v1.0/users?$top=999"), Ok(users.into()));
        assert_eq!(at(Service::Graph, "https://GRAPH.microsoft.com:443/v1.0/users?$top=999#x"), Ok(users.into()));
        for link in [
            "https://graph.microsoft.com.evil.example/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com@evil.example/v1.0/users",
            "https://management.azure.com/v1.0/users",
            "https://169.254.169.254/v1.0/",
            "file:///v1.0/etc/passwd",
        ] {
            assert_eq!(at(Service::Graph, link), Err("foreign_link"), "{link}");
        }
        for path in ["users", "", "/v2.0/users", "/v1.0", "/v1.0users/x", "/v1.0/../users", "https://u:p@graph.microsoft.com/v1.0/users"] {
            assert_eq!(at(Service::Graph, path), Err("refused"), "{path}");
        }
        assert!(at(Service::Arm, "/subscriptions?api-version=2022-12-01").is_ok());
        assert_eq!(at(Service::Arm, "https://graph.microsoft.com/subscriptions"), Err("foreign_link"));
    }

    #[test]
    fn a_path_does_not_climb_out_from_behind_a_gateway() {
        let mut cloud = CloudEndpoints::public();
        cloud.graph = "https://gateway.example/graph".parse().unwrap();
        assert!(resolve(&cloud, Service::Graph, "/v1.0/users").is_ok());
        for path in ["/v1.0/../../arm/v1.0/users", "https://gateway.example/v1.0/users", "https://gateway.example/graphs/v1.0/users"] {
            assert!(resolve(&cloud, Service::Graph, path).is_err(), "{path}");
        }
    }

    #[test]
    fn no_spelling_of_a_value_read_gets_through() {
        let vault = "https://kv1.vault.azure.net";
        for path in [
            "/secrets?api-version=7.4&maxresults=25",
            "//secrets?api-version=7.4",
            "/secrets/a/versions",
            "/keys/a-b/versions",
            "/keys/a/rotationpolicy",
            "/certificates/a/policy",
            "/deletedsecrets",
            "/certificates/contacts",
        ] {
            assert!(at(Service::Vault, &format!("{vault}{path}")).is_ok(), "{path}");
        }
        for path in [
            "/secrets/a",
            "/secrets/a/",
            "/secrets/versions",
            "/secrets/a/0123456789abcdef0123456789abcdef",
            "/secrets/a/versions/",
            "/secrets/a/versions/..",
            "/secrets/a/x/../versions/../0123456789abcdef0123456789abcdef",
            "/secrets%2Fa",
            "/secrets/a%2Fb/versions",
            "/secrets/a/%76ersions",
            "/Secrets/a",
            "/secrets/a\\b",
            "/deletedsecrets/a",
            "/secrets/a/backup",
            "/storage/a/sas",
            "/keys/a",
            "/",
            "",
        ] {
            assert_eq!(at(Service::Vault, &format!("{vault}{path}")), Err("refused"), "{path}");
        }
        for host in
            ["https://vault.azure.net", "https://a.b.vault.azure.net", "https://evilvault.azure.net", "https://kv1.vault.azure.net:444"]
        {
            assert_eq!(at(Service::Vault, &format!("{host}/secrets")), Err("foreign_link"), "{host}");
        }
        assert_eq!(at(Service::Vault, "http://kv1.vault.azure.net/secrets"), Err("foreign_link"));
        assert_eq!(at(Service::Vault, "/secrets"), Err("refused"));
    }

    #[test]
    fn scopes_name_the_service_of_this_cloud() {
        let cloud = CloudEndpoints::china();
        assert_eq!(Service::Graph.scope(&cloud), "https://microsoftgraph.chinacloudapi.cn/.default");
        assert_eq!(Service::Arm.scope(&cloud), "https://management.chinacloudapi.cn/.default");
        assert_eq!(Service::Vault.scope(&cloud), "https://vault.azure.cn/.default");
        let one = "https://cloud.test";
        let shared = CloudEndpoints::custom(one.parse().unwrap(), one.parse().unwrap(), one.parse().unwrap(), "vault.test");
        assert_eq!(Service::Graph.scope(&shared), "00000003-0000-0000-c000-000000000000/.default");
        assert_ne!(Service::Graph.scope(&shared), Service::Arm.scope(&shared));
    }
}
