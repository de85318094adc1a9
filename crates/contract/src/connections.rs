//! Connections: the consented access to a directory, how it is got, what it may do, and how it ends.
//!
//! A read connection and a write connection are two consents to two application registrations: nothing that reads can write.

use crate::evidence::Named;
use crate::operation::{Guard, json, operations};
use crate::permission::Permission;
use bailiwick_base::{ConnectionId, Cursor, DirectoryId, Page, Principal, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// Scans and live views.
    Read,
    /// Approved fixes.
    Write,
}

impl ConnectionKind {
    pub const ALL: &[ConnectionKind] = &[Self::Read, Self::Write];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// How a connection stands. `unchecked` has not asked Microsoft yet; `failing` was refused when it last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    Unchecked,
    Working,
    Failing,
    Disconnected,
}

impl ConnectionState {
    pub const ALL: &[ConnectionState] = &[Self::Unchecked, Self::Working, Self::Failing, Self::Disconnected];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Working => "working",
            Self::Failing => "failing",
            Self::Disconnected => "disconnected",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text)
    }
}

/// How the application proves itself to Microsoft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A federated or managed identity: nothing to keep, nothing that ends.
    Federated,
    /// A key pair; its end is known.
    Certificate,
    /// A static secret: works, and is warned about.
    Secret,
}

impl CredentialKind {
    pub const ALL: &[CredentialKind] = &[Self::Federated, Self::Certificate, Self::Secret];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Federated => "federated",
            Self::Certificate => "certificate",
            Self::Secret => "secret",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// What of Bailiwick needs permissions in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    ComplianceScan,
    ExposureScan,
    Policies,
    Threats,
    Fixes,
}

impl Feature {
    pub const ALL: &[Feature] = &[Self::ComplianceScan, Self::ExposureScan, Self::Policies, Self::Threats, Self::Fixes];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ComplianceScan => "compliance_scan",
            Self::ExposureScan => "exposure_scan",
            Self::Policies => "policies",
            Self::Threats => "threats",
            Self::Fixes => "fixes",
        }
    }
    /// Which kind of connection serves it.
    pub fn kind(self) -> ConnectionKind {
        if self == Self::Fixes { ConnectionKind::Write } else { ConnectionKind::Read }
    }
}

/// Whether a feature has the permissions it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureAccess {
    pub feature: Feature,
    /// Nothing is missing. Unknown, and so false, before the first check.
    pub ready: bool,
    /// Every application permission the feature uses, in the alphabet's order.
    pub needs: Vec<String>,
    /// Those of them that are not granted.
    pub missing: Vec<String>,
}

/// The application registration behind a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionApp {
    pub client_id: String,
    /// True for the customer's own registration, false for the environment's.
    pub own: bool,
    pub credential: CredentialKind,
    /// When the secret or certificate ends, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Something about a connection that somebody should see to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionWarning {
    pub code: ConnectionWarningCode,
    /// One or two sentences: what, and what to do.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionWarningCode {
    /// A static secret where a federated identity or a certificate would do.
    StaticSecret,
    CredentialEnding,
    CredentialEnded,
    /// A read connection holds permissions that write.
    WritePermissions,
}

/// Why Microsoft refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloudFailure {
    pub code: CloudFailureCode,
    /// What happened and what to do next.
    pub detail: String,
    /// Microsoft's own number, e.g. `AADSTS7000222`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft_code: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloudFailureCode {
    /// No administrator has consented, or consent was withdrawn.
    ConsentMissing,
    /// The administrator said no.
    ConsentDeclined,
    /// Consent was given in another directory than was asked for.
    OtherDirectory,
    /// The consent was begun by somebody else of the tenant.
    OtherPerson,
    /// The application had consent before this one began, so this one proves nothing about who gave it.
    EarlierConsent,
    /// The secret or certificate has ended.
    CredentialEnded,
    /// The secret, certificate or assertion is wrong.
    CredentialRefused,
    /// The directory does not exist.
    DirectoryUnknown,
    /// The application is not in the directory, or was disabled there.
    ApplicationUnknown,
    /// Microsoft lets the token in, and this request not.
    PermissionMissing,
    Throttled,
    /// Microsoft does not answer.
    Unreachable,
    /// Another refusal.
    Refused,
}

/// The consented access to a directory.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    pub id: ConnectionId,
    pub directory: Named<DirectoryId>,
    pub kind: ConnectionKind,
    pub label: String,
    /// The one that is meant when none is named; at most one of each kind.
    pub primary: bool,
    pub state: ConnectionState,
    pub app: ConnectionApp,
    /// Application permissions that Microsoft granted, when last checked.
    pub granted: Vec<String>,
    pub features: Vec<FeatureAccess>,
    pub warnings: Vec<ConnectionWarning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<CloudFailure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    pub connected_at: Timestamp,
    pub connected_by: Principal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnected_at: Option<Timestamp>,
}

/// One application permission, and what needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeededPermission {
    pub permission: String,
    pub features: Vec<Feature>,
}

/// One kind of connection as this environment offers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionOffer {
    pub kind: ConnectionKind,
    /// The environment's application; absent where the operator configured none, and only an own registration works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialKind>,
    /// What consent gives, each with what needs it.
    pub permissions: Vec<NeededPermission>,
}

/// What can be connected here, and with which permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionOptions {
    /// `public`, `government`, `china` or `custom`.
    pub cloud: String,
    pub offers: Vec<ConnectionOffer>,
    /// Whether an own registration may use the environment's federated identity.
    pub federated: bool,
    /// Subject, issuer and audience to trust in an own registration's federated credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_subject: Option<FederatedSubject>,
    /// Where Microsoft sends people back to; register it in an own application.
    pub redirect_uri: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FederatedSubject {
    pub issuer: String,
    pub subject: String,
    pub audience: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    pub kind: ConnectionKind,
    /// The directory to connect. Consent given in another one is refused.
    pub directory: DirectoryId,
    /// What people will call it; the directory's name unless told.
    #[serde(default)]
    #[schemars(length(max = 120))]
    pub label: Option<String>,
}

/// A consent that has begun.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// Send the administrator's browser there.
    pub url: String,
    /// Until then Microsoft's answer is taken, once.
    pub expires_at: Timestamp,
}

/// What Microsoft put into the address it sent the browser back to, member by member.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentAnswer {
    #[schemars(length(max = 200))]
    pub state: String,
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub tenant: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub admin_consent: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub error: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub error_subcode: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 4000))]
    pub error_description: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 8000))]
    pub scope: Option<String>,
}

/// What a consent came to: a connection, or why there is none.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConsentOutcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<CloudFailure>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwnConnection {
    pub kind: ConnectionKind,
    pub directory: DirectoryId,
    #[serde(default)]
    #[schemars(length(max = 120))]
    pub label: Option<String>,
    /// The application (client) id of the registration in that directory.
    #[schemars(length(min = 1, max = 100))]
    pub client_id: String,
    pub credential: OwnCredential,
}

/// What proves an own registration. A secret or key is sealed at once and never shown again.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnCredential {
    pub kind: CredentialKind,
    /// The client secret's value (not its id).
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub secret: Option<String>,
    /// Certificate and private key, PEM, PKCS #8.
    #[serde(default)]
    #[schemars(length(max = 40000))]
    pub certificate_pem: Option<String>,
    /// When the secret ends, as Entra shows it; for a certificate it is read from it.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for OwnCredential {
    /// Its kind only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnCredential({})", self.kind.as_str())
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionChange {
    #[serde(default)]
    #[schemars(length(min = 1, max = 120))]
    pub label: Option<String>,
    /// True makes it the primary one of its kind.
    #[serde(default)]
    pub primary: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionPath {
    pub connection: ConnectionId,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionQuery {
    #[serde(default)]
    pub kind: Option<ConnectionKind>,
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    /// True lists those that were disconnected as well.
    #[serde(default)]
    pub all: Option<bool>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

json!(
    Connection,
    Page<Connection>,
    ConnectionOptions,
    NewConsent,
    Consent,
    ConsentAnswer,
    ConsentOutcome,
    NewOwnConnection,
    ConnectionChange
);

operations! {
    /// Says what can be connected, and which permissions each kind of connection asks for.
    GetConnectionOptions = "get_connection_options" Get "/api/v1/connection-options" {
        guard: Guard::Needs(Permission::ConnectionsRead), effect: Read, rate: Read, answer: ConnectionOptions, status: 200,
        example: {"cloud": "public", "federated": true, "redirect_uri": "https://bailiwick.contoso.com/connect/consent", "offers": [{"kind": "read", "client_id": "c0ffee00-0000-4000-8000-0000000000d1", "credential": "federated", "permissions": [{"permission": "Policy.Read.All", "features": ["compliance_scan", "policies"]}]}]},
    }
    /// Lists connections, newest first.
    ListConnections = "list_connections" Get "/api/v1/connections" {
        guard: Guard::Needs(Permission::ConnectionsRead), effect: Read, rate: Read, query: ConnectionQuery, answer: Page<Connection>, status: 200,
        example: {"items": []},
    }
    /// Shows one connection: what was granted, and what each feature still lacks.
    GetConnection = "get_connection" Get "/api/v1/connections/{connection}" {
        guard: Guard::Needs(Permission::ConnectionsRead), effect: Read, rate: Read, params: ConnectionPath, answer: Connection, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "kind": "read", "label": "Contoso", "primary": true, "state": "working", "app": {"client_id": "c0ffee00-0000-4000-8000-0000000000d1", "own": false, "credential": "federated"}, "granted": ["Policy.Read.All"], "features": [{"feature": "policies", "ready": true, "needs": ["Policy.Read.All"], "missing": []}], "warnings": [], "checked_at": "2026-11-22T08:01:00Z", "connected_at": "2026-11-22T08:00:00Z", "connected_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Begins a consent: answers the address to send an administrator of the directory to.
    ///
    /// Microsoft sends the browser back to the portal, which hands what came on to `complete_consent`.
    BeginConsent = "begin_consent" Post "/api/v1/consents" {
        guard: Guard::Needs(Permission::ConnectionsManage), effect: Write("consent.begun"), rate: Write, body: NewConsent, answer: Consent, status: 201,
        example: {"url": "https://login.microsoftonline.com/7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01/v2.0/adminconsent?client_id=c0ffee00-0000-4000-8000-0000000000d1&state=s", "expires_at": "2026-11-22T08:30:00Z"},
    }
    /// Ends a consent with what Microsoft answered: a connection, or why there is none.
    ///
    /// A state counts once, for the person who began, until it expires.
    CompleteConsent = "complete_consent" Post "/api/v1/consents/complete" {
        guard: Guard::Needs(Permission::ConnectionsManage), effect: Write("consent.completed"), rate: Write, body: ConsentAnswer, answer: ConsentOutcome, status: 200,
        example: {"refusal": {"code": "consent_declined", "detail": "The administrator did not consent. Begin again when they agree.", "microsoft_code": "AADSTS65004"}},
    }
    /// Connects a directory with an application registration of the customer's own.
    ConnectOwnApplication = "connect_own_application" Post "/api/v1/connections" {
        guard: Guard::Needs(Permission::ConnectionsManage), effect: Write("connection.added"), rate: Write, body: NewOwnConnection, answer: Connection, status: 201,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5d1", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "kind": "read", "label": "Contoso", "primary": true, "state": "unchecked", "app": {"client_id": "c0ffee00-0000-4000-8000-0000000000d3", "own": true, "credential": "secret", "expires_at": "2027-05-01T00:00:00Z"}, "granted": [], "features": [], "warnings": [{"code": "static_secret", "detail": "This connection uses a static secret. Use a federated identity, or a certificate, instead."}], "connected_at": "2026-11-22T08:00:00Z", "connected_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Asks Microsoft for a token now, and compares what was granted with what each feature needs.
    CheckConnection = "check_connection" Post "/api/v1/connections/{connection}/check" {
        guard: Guard::Needs(Permission::ConnectionsManage), effect: Write("connection.checked"), rate: Write, params: ConnectionPath, answer: Connection, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5d1", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "kind": "read", "label": "Contoso", "primary": true, "state": "failing", "app": {"client_id": "c0ffee00-0000-4000-8000-0000000000d3", "own": true, "credential": "secret"}, "granted": [], "features": [], "warnings": [], "failure": {"code": "credential_ended", "detail": "The client secret has ended. Make a new one and connect again.", "microsoft_code": "AADSTS7000222"}, "checked_at": "2026-11-22T08:01:00Z", "connected_at": "2026-11-22T08:00:00Z", "connected_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Changes a connection's label, or makes it the primary one.
    ChangeConnection = "change_connection" Patch "/api/v1/connections/{connection}" {
        guard: Guard::Needs(Permission::ConnectionsManage), effect: Write("connection.changed"), rate: Write, params: ConnectionPath, body: ConnectionChange, answer: Connection, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "kind": "read", "label": "Contoso Europe", "primary": true, "state": "working", "app": {"client_id": "c0ffee00-0000-4000-8000-0000000000d1", "own": false, "credential": "federated"}, "granted": [], "features": [], "warnings": [], "connected_at": "2026-11-22T08:00:00Z", "connected_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Disconnects: nothing more is asked of the directory through it, from now on. Running scans of it are cancelled; what was
    /// collected stays. A stored secret is destroyed.
    Disconnect = "disconnect" Post "/api/v1/connections/{connection}/disconnect" {
        guard: Guard::Needs(Permission::ConnectionsManage), effect: Write("connection.disconnected"), rate: Write, params: ConnectionPath, answer: Connection, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5d0", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "kind": "read", "label": "Contoso", "primary": false, "state": "disconnected", "app": {"client_id": "c0ffee00-0000-4000-8000-0000000000d1", "own": false, "credential": "federated"}, "granted": [], "features": [], "warnings": [], "connected_at": "2026-11-22T08:00:00Z", "connected_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "disconnected_at": "2026-11-22T09:00:00Z"},
    }
}
