//! Which of Microsoft's services a request is for, by host and path. Under the simulator's own names Graph answers below
//! `/_graph` and at the root, Resource Manager below `/_arm` and at the root: their paths do not collide with sign-in's.

/// A service whose answers come from what a directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Graph,
    Arm,
}

/// A request's way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    pub service: Service,
    /// Scheme, host, port and prefix: what links in answers begin with.
    pub base: String,
    /// The path from the root of the service.
    pub path: String,
}

/// The service a request is for; `None` for sign-in, issuers and controls. `authority` is the host with its port.
pub fn door(host: &str, authority: &str, path: &str) -> Option<Door> {
    let door = |service, prefix: &str| {
        let path = format!("/{}", path.strip_prefix(prefix).unwrap_or(path).trim_start_matches('/'));
        Door { service, base: format!("https://{authority}{prefix}"), path }
    };
    let graph = |rest: &str| ["/v1.0/", "/beta/"].iter().any(|version| rest.starts_with(version));
    let arm = |rest: &str| {
        let rest = rest.to_ascii_lowercase();
        ["/subscriptions", "/providers/", "/tenants", "/metadata/endpoints"].iter().any(|start| rest.starts_with(start))
    };
    match host {
        "graph.microsoft.com" => (!path.starts_with("/oidc/")).then(|| door(Service::Graph, "")),
        "management.azure.com" => Some(door(Service::Arm, "")),
        "localhost" | "127.0.0.1" => match path {
            _ if path.strip_prefix("/_graph").is_some_and(|rest| !rest.starts_with("/oidc/")) => Some(door(Service::Graph, "/_graph")),
            _ if path.starts_with("/_arm/") => Some(door(Service::Arm, "/_arm")),
            _ if graph(path) => Some(door(Service::Graph, "")),
            _ if arm(path) => Some(door(Service::Arm, "")),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_leads_to_its_service_and_sign_in_stays_sign_in() {
        let of = |host: &str, path: &str| door(host, &format!("{host}:1"), path).map(|d| (d.service, d.base, d.path));
        let graph = |base: &str| Some((Service::Graph, format!("https://{base}"), "/v1.0/users".to_owned()));
        assert_eq!(of("graph.microsoft.com", "/v1.0/users"), graph("graph.microsoft.com:1"));
        assert_eq!(of("localhost", "/_graph/v1.0/users"), graph("localhost:1/_graph"));
        assert_eq!(of("127.0.0.1", "/v1.0/users"), graph("127.0.0.1:1"));
        assert_eq!(of("localhost", "/subscriptions").map(|d| d.0), Some(Service::Arm));
        assert_eq!(of("management.azure.com", "/anything").map(|d| d.0), Some(Service::Arm));
        for sign_in in ["/common/v2.0/adminconsent", "/organizations/oauth2/v2.0/token", "/_graph/oidc/userinfo", "/_sim/calls"] {
            assert_eq!(of("localhost", sign_in), None, "{sign_in}");
        }
        assert_eq!(of("login.microsoftonline.com", "/v1.0/users"), None);
    }
}
