//! By which name the simulator was called: Microsoft's or its own. Issuers and addresses in answers follow that name,
//! so that a client that knows nothing of a simulator meets only Microsoft's names.

use uuid::Uuid;

/// The tenant of personal Microsoft accounts (`consumers`).
pub const MSA_TENANT: Uuid = Uuid::from_u128(0x9188040d_6c67_4c5b_b112_36a304b66dad);

/// One family of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    base: String,
    own: bool,
}

impl Realm {
    /// Microsoft's public cloud.
    pub fn microsoft() -> Self {
        Self { base: "https://login.microsoftonline.com".to_owned(), own: false }
    }
    /// The simulator's own names, at `authority` (`localhost:PORT` or `127.0.0.1:PORT`).
    pub fn own(authority: &str) -> Self {
        Self { base: format!("https://{authority}"), own: true }
    }
    /// The login host with scheme, without a trailing slash.
    pub fn base(&self) -> &str {
        &self.base
    }
    pub fn is_own(&self) -> bool {
        self.own
    }
    /// The login host without scheme.
    pub fn host(&self) -> &str {
        self.base.trim_start_matches("https://")
    }
    pub fn issuer_v2(&self, tenant: impl std::fmt::Display) -> String {
        format!("{}/{tenant}/v2.0", self.base)
    }
    /// With the trailing slash of v1 issuers.
    pub fn issuer_v1(&self, tenant: impl std::fmt::Display) -> String {
        match self.own {
            true => format!("{}/{tenant}/", self.base),
            false => format!("https://sts.windows.net/{tenant}/"),
        }
    }
    pub fn token_endpoint(&self, tenant: impl std::fmt::Display) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.base)
    }
    /// The Graph host with scheme.
    pub fn graph(&self) -> String {
        match self.own {
            true => format!("{}/_graph", self.base),
            false => "https://graph.microsoft.com".to_owned(),
        }
    }
}
