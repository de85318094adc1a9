//! What a browser needs to sign in as a public client (code + PKCE). Nothing here is secret.

use crate::endpoints::{CloudEndpoints, CloudKind, segment};
use bailiwick_base::DirectoryId;
use serde::{Deserialize, Serialize};

/// The configuration of `@azure/msal-browser`, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrowserAuthority {
    pub client_id: String,
    /// `https://login.../{directory}`, or `.../organizations` when people of any onboarded directory may sign in.
    pub authority: String,
    /// Hosts the library shall trust without asking Microsoft's public instance about them: only for a custom cloud.
    pub known_authorities: Vec<String>,
    /// The one delegated permission the portal asks for, as `{resource}/{scope}`.
    pub scopes: Vec<String>,
}

impl BrowserAuthority {
    /// `resource` is the API's App ID URI (`api://…`), or its client id when the portal and the API are one application.
    pub fn new(cloud: &CloudEndpoints, directory: Option<DirectoryId>, client_id: &str, resource: &str, scope: &str) -> Self {
        let known_authorities = match cloud.kind {
            CloudKind::Custom => vec![cloud.login.authority().to_owned()],
            _ => vec![],
        };
        Self {
            client_id: client_id.to_owned(),
            authority: format!("{}/{}", cloud.login, segment(directory)),
            known_authorities,
            scopes: vec![format!("{}/{scope}", resource.trim_end_matches('/'))],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_cloud_is_vouched_for_by_us_and_the_public_one_by_the_library() {
        let id = "00000000-0000-0000-0000-00000000000a";
        let public = BrowserAuthority::new(&CloudEndpoints::public(), None, id, "api://x/", "access_as_user");
        assert_eq!(public.authority, "https://login.microsoftonline.com/organizations");
        assert!(public.known_authorities.is_empty());
        assert_eq!(public.scopes, ["api://x/access_as_user"]);

        let own = |text: &str| text.parse().unwrap();
        let api = |text: &str| text.parse().unwrap();
        let custom = CloudEndpoints::custom(own("https://login.test:8443"), api("https://g.test"), api("https://a.test"), "v.test");
        let directory = id.parse().unwrap();
        let config = BrowserAuthority::new(&custom, Some(directory), id, id, "access_as_user");
        assert_eq!(config.authority, format!("https://login.test:8443/{id}"));
        assert_eq!(config.known_authorities, ["login.test:8443"]);
    }
}
