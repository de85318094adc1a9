//! What a simulated cloud holds, as data: directories, users, applications, credentials. Everything here can be
//! written as JSON and given to the binary. Nothing here runs.

use bailiwick_base::{Clock, Rng, SystemClock, SystemRng, Timestamp};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc};
use uuid::Uuid;

/// How to start a simulator. `Default` is an empty cloud on a free port.
#[derive(Clone)]
pub struct SimConfig {
    /// Loopback port for HTTPS; 0 takes a free one.
    pub port: u16,
    /// Loopback port of the CONNECT proxy; 0 takes a free one.
    pub proxy_port: u16,
    /// Folder that keeps the test authority between starts (`ca.pem`, `ca-key.pem`); `None` makes a new one each time.
    pub ca_folder: Option<PathBuf>,
    pub directories: Vec<Directory>,
    /// Multi-tenant applications registered elsewhere: usable in a directory once an administrator has consented there.
    pub registrations: Vec<App>,
    /// Jobs of CI platforms that may ask for OIDC tokens.
    pub ci_jobs: Vec<CiJob>,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            port: 0,
            proxy_port: 0,
            ca_folder: None,
            directories: Vec::new(),
            registrations: Vec::new(),
            ci_jobs: Vec::new(),
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
        }
    }
}

/// A Microsoft Entra tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    pub id: Uuid,
    /// A verified domain name, accepted in place of the id in every path.
    pub domain: String,
    pub name: String,
    #[serde(default)]
    pub users: Vec<User>,
    #[serde(default)]
    pub apps: Vec<App>,
    /// The folder of `scenarios/` whose answers Graph, Resource Manager and DNS give; without one, little more than the users.
    #[serde(default)]
    pub holds: Option<String>,
}

impl Directory {
    /// The application registered (or consented to) here under that client id.
    pub fn app(&self, client_id: Uuid) -> Option<&App> {
        self.apps.iter().find(|a| a.client_id == client_id)
    }
    pub fn user(&self, oid: Uuid) -> Option<&User> {
        self.users.iter().find(|u| u.oid == oid)
    }
}

/// A member of a directory. The simulated sign-in page asks for no password.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub oid: Uuid,
    pub name: String,
    pub upn: String,
    #[serde(default)]
    pub assignments: Vec<Assignment>,
    /// May consent for the whole directory.
    #[serde(default)]
    pub administrator: bool,
}

/// An app role assignment: the principal may use the application, with these roles (none = default access).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Client id of the application assigned to.
    pub app: Uuid,
    #[serde(default)]
    pub roles: Vec<String>,
}

/// An application in a directory: registration and service principal in one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    pub client_id: Uuid,
    /// Object id of the service principal in this directory: `oid` and `sub` of its app-only tokens.
    pub service_principal: Uuid,
    pub name: String,
    /// Usable through `/common` and `/organizations`; a single-tenant app is refused there (AADSTS50194).
    #[serde(default)]
    pub multi_tenant: bool,
    /// Users (and, for an API, applications) need an assignment to get a token.
    #[serde(default)]
    pub assignment_required: bool,
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    #[serde(default)]
    pub secrets: Vec<AppSecret>,
    /// Registered certificates, as PEM.
    #[serde(default)]
    pub certificates: Vec<String>,
    #[serde(default)]
    pub federated: Vec<FederatedCredential>,
    /// Roles this application holds on APIs (application permissions).
    #[serde(default)]
    pub assignments: Vec<Assignment>,
    /// `requiredResourceAccess`: the application permissions an administrator is asked to consent to, by API.
    #[serde(default)]
    pub required: Vec<Assignment>,
    /// Set when the application is itself an API.
    #[serde(default)]
    pub api: Option<Api>,
}

impl App {
    /// An application with nothing but its ids; fill in the rest by struct update.
    pub fn new(client_id: Uuid, service_principal: Uuid, name: &str) -> Self {
        Self {
            client_id,
            service_principal,
            name: name.to_owned(),
            multi_tenant: false,
            assignment_required: false,
            redirect_uris: Vec::new(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated: Vec::new(),
            assignments: Vec::new(),
            required: Vec::new(),
            api: None,
        }
    }
    /// Whether the application has any credential of its own.
    pub fn confidential(&self) -> bool {
        !(self.secrets.is_empty() && self.certificates.is_empty() && self.federated.is_empty())
    }
}

/// The kind of a redirect URI decides who may redeem its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RedirectKind {
    /// Redeemed by a browser: PKCE and an `Origin` header, no credential.
    Spa,
    /// Redeemed by a server: a credential, no `Origin` header.
    Web,
    /// Redeemed by an installed program: no credential, no `Origin` header; the port of http://localhost is ignored.
    Native,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectUri {
    pub kind: RedirectKind,
    pub uri: String,
}

/// A client secret. These are made up for the simulator and protect nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSecret {
    pub value: String,
    #[serde(default)]
    pub expires: Option<Timestamp>,
}

/// A federated identity credential: matched exactly and case-sensitively.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    pub name: String,
    /// `{own}` stands for the simulator's own address, which is not known before it listens.
    pub issuer: String,
    pub subject: String,
    pub audience: String,
}

/// What an application exposes as an API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    pub app_id_uri: String,
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(default)]
    pub app_roles: Vec<String>,
    /// `api.requestedAccessTokenVersion`: 1 or 2. The endpoint used does not matter.
    pub token_version: u8,
    /// Whether the optional claim `idtyp` is configured: `app` in app-only tokens.
    #[serde(default)]
    pub idtyp: bool,
}

/// A CI platform whose OIDC issuer the simulator runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    Github,
    AzureDevops,
    Kubernetes,
}

/// A running CI job: who it is in tokens, and the bearer token it asks for them with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiJob {
    pub platform: Platform,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN` or `SYSTEM_ACCESSTOKEN`.
    pub request_token: String,
    pub subject: String,
    /// Further claims: `repository`, `ref`, `event_name`, ...
    #[serde(default)]
    pub claims: serde_json::Map<String, serde_json::Value>,
}
