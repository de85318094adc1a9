//! Why Entra gave no token, as a person can act on it.
//!
//! Microsoft's pages say to decide on `error` and to take AADSTS numbers as diagnostics that may change: whether to try
//! again follows the status, and a number that is not known here falls back to what its `error` word means.

use crate::{egress::EgressError, pace::Ended};
use serde::Deserialize;
use std::{fmt, time::Duration};
use uuid::Uuid;

/// What stands in the way of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    SecretWrong,
    SecretExpired,
    CertificateNotRegistered,
    CertificateExpired,
    /// The clock of one side is off, or a federated token was too old.
    AssertionOutOfTime,
    /// The credential was refused, and Entra's number does not say more.
    CredentialRefused,
    FederationUnknown,
    FederationSubject,
    FederationIssuer,
    FederationAudience,
    /// Never consented to there, or consent withdrawn.
    AppNotInDirectory,
    AppDisabled,
    /// The directory asks for an assignment that the application does not have.
    AppNotAssigned,
    DirectoryNotFound,
    ResourceNotInDirectory,
    ConsentMissing,
    BlockedByPolicy,
    TokenFileUnreadable,
    NoManagedIdentity,
    ManagedIdentityUnavailable,
    /// Refused for a reason not known here.
    Refused,
    /// Our own configuration does not allow the call.
    NotAllowed,
    Throttled,
    Unavailable,
    Deadline,
    Cancelled,
}

impl Reason {
    /// A stable word for records and scripts.
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// What happened.
    pub fn what(self) -> &'static str {
        self.words().1
    }

    /// What a person can do about it.
    pub fn what_to_do(self) -> &'static str {
        self.words().2
    }

    /// Whether the same question may succeed later without anyone changing anything.
    pub fn transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::ManagedIdentityUnavailable | Self::Deadline | Self::Cancelled)
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::SecretWrong => (
                "secret_wrong",
                "Entra does not know this client secret",
                "Store the secret's value, not its id. A new secret can take a few minutes to be known",
            ),
            Self::SecretExpired => (
                "secret_expired",
                "The client secret has expired",
                "Create a new one on the app registration, or change the connection to a federated credential",
            ),
            Self::CertificateNotRegistered => (
                "certificate_not_registered",
                "The certificate is not registered on the application, or its signature does not fit",
                "Upload the public certificate to the app registration, and compare thumbprints",
            ),
            Self::CertificateExpired => {
                ("certificate_expired", "The certificate has expired", "Make a new pair, upload its certificate and store it here")
            }
            Self::AssertionOutOfTime => (
                "assertion_out_of_time",
                "Entra found the assertion too old or not yet valid",
                "Check this machine's clock, and that the federated token is renewed in time",
            ),
            Self::CredentialRefused => (
                "credential_refused",
                "Entra refused the application's credential",
                "Check the credential on the app registration, and store it again",
            ),
            Self::FederationUnknown => (
                "federation_unknown",
                "The application trusts no such issuer and subject",
                "Add the federated credential to the app registration. A new one takes minutes to be known",
            ),
            Self::FederationSubject => (
                "federation_subject",
                "The federated token names another subject than the application trusts",
                "Compare the subject of the federated credential with the token's, letter by letter",
            ),
            Self::FederationIssuer => (
                "federation_issuer",
                "The federated token comes from another issuer than the application trusts",
                "Compare the issuer of the federated credential with the token's, letter by letter",
            ),
            Self::FederationAudience => (
                "federation_audience",
                "The federated token is meant for another audience",
                "Ask for the token with the audience of the federated credential, api://AzureADTokenExchange in the public cloud",
            ),
            Self::AppNotInDirectory => (
                "app_not_in_directory",
                "The application is not known in this directory: consent was never given there, or was withdrawn",
                "Have an administrator of the directory consent again",
            ),
            Self::AppDisabled => {
                ("app_disabled", "The application is disabled in this directory", "Enable it under Enterprise applications")
            }
            Self::AppNotAssigned => (
                "app_not_assigned",
                "The directory requires an assignment that the application does not have",
                "Assign the application to the resource, or switch off \"Assignment required\"",
            ),
            Self::DirectoryNotFound => (
                "directory_not_found",
                "Entra knows no such directory in this cloud",
                "Check the directory's id, and that the connection names the right cloud",
            ),
            Self::ResourceNotInDirectory => (
                "resource_not_in_directory",
                "The directory does not have the service that was asked for",
                "Check that the directory has a subscription for it",
            ),
            Self::ConsentMissing => {
                ("consent_missing", "The application's permissions were not consented to", "Have an administrator consent again")
            }
            Self::BlockedByPolicy => (
                "blocked_by_policy",
                "A Conditional Access policy of the directory blocks the application",
                "Exclude the application from the policy for workload identities, or allow the address it comes from",
            ),
            Self::TokenFileUnreadable => (
                "token_file_unreadable",
                "The file of the federated token is missing or holds no token",
                "Check that workload identity is set up for this pod, and the file's path and rights",
            ),
            Self::NoManagedIdentity => (
                "no_managed_identity",
                "This machine has no such managed identity",
                "Assign the user-assigned identity to it, and check its client id",
            ),
            Self::ManagedIdentityUnavailable => (
                "managed_identity_unavailable",
                "The machine's managed identity endpoint does not answer",
                "Check that it runs on Azure and that the endpoint is on the list of hosts that may be called",
            ),
            Self::Refused => ("refused", "Entra refused a token", "Look up the AADSTS number on Microsoft's page of error codes"),
            Self::NotAllowed => (
                "not_allowed",
                "The call is not allowed in this environment",
                "Add the host to the list of hosts that may be called, or correct the cloud's addresses",
            ),
            Self::Throttled => ("throttled", "Entra asks us to slow down", "Nothing: it is tried again later"),
            Self::Unavailable => ("unavailable", "Entra does not answer as it should", "Nothing: it is tried again later"),
            Self::Deadline => ("deadline", "The time allowed for the call is over", "Nothing: it is tried again later"),
            Self::Cancelled => ("cancelled", "The call was called off", "Start again if it is still wanted"),
        }
    }
}

/// No token. Holds nothing of the credential, and none of the answer's free text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRefusal {
    pub reason: Reason,
    /// The AADSTS number, if Entra gave one.
    pub aadsts: Option<u32>,
    /// Entra's trace id, for a support request.
    pub trace: Option<Uuid>,
    /// What the answer asked to wait.
    pub retry_after: Option<Duration>,
}

impl std::error::Error for TokenRefusal {}

impl fmt::Display for TokenRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.reason.what(), self.reason.what_to_do())?;
        match (self.aadsts, self.trace) {
            (Some(code), Some(trace)) => write!(f, " (AADSTS{code}, trace {trace})"),
            (Some(code), None) => write!(f, " (AADSTS{code})"),
            _ => Ok(()),
        }
    }
}

impl From<Reason> for TokenRefusal {
    fn from(reason: Reason) -> Self {
        Self { reason, aadsts: None, trace: None, retry_after: None }
    }
}

impl From<Ended> for TokenRefusal {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Deadline => Reason::Deadline.into(),
            Ended::Cancelled => Reason::Cancelled.into(),
        }
    }
}

impl From<EgressError> for TokenRefusal {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::BadUrl { .. } | EgressError::NotAllowed { .. } | EgressError::RefusedAddress { .. } => Reason::NotAllowed.into(),
            _ => Reason::Unavailable.into(),
        }
    }
}

/// The token endpoint's refusal, as far as it is believed.
#[derive(Deserialize, Default)]
struct Body {
    #[serde(default)]
    error: String,
    #[serde(default)]
    suberror: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    trace_id: Option<String>,
}

/// Numbers whose meaning a person can act on (Microsoft's "Microsoft Entra authentication and authorization error codes").
const KNOWN: &[(u32, Reason)] = &[
    (50001, Reason::ResourceNotInDirectory),
    (50012, Reason::CertificateNotRegistered),
    (50013, Reason::AssertionOutOfTime),
    (50105, Reason::AppNotAssigned),
    (53003, Reason::BlockedByPolicy),
    (65001, Reason::ConsentMissing),
    (70001, Reason::AppNotInDirectory),
    (70021, Reason::FederationUnknown),
    (90002, Reason::DirectoryNotFound),
    (500011, Reason::ResourceNotInDirectory),
    (501051, Reason::AppNotAssigned),
    (530035, Reason::BlockedByPolicy),
    (650052, Reason::ResourceNotInDirectory),
    (700016, Reason::AppNotInDirectory),
    (700024, Reason::AssertionOutOfTime),
    (700027, Reason::CertificateNotRegistered),
    (700211, Reason::FederationIssuer),
    (700212, Reason::FederationAudience),
    (700213, Reason::FederationSubject),
    (700214, Reason::FederationAudience),
    (1000502, Reason::CertificateExpired),
    (7000112, Reason::AppDisabled),
    (7000215, Reason::SecretWrong),
    (7000222, Reason::SecretExpired),
    (7000229, Reason::AppNotInDirectory),
    (7002131, Reason::FederationSubject),
];

/// Reads a refusal of the token endpoint.
pub(super) fn read(status: u16, body: &[u8], retry_after: Option<Duration>) -> TokenRefusal {
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let aadsts = body.error_codes.first().copied();
    let known = body.error_codes.iter().find_map(|code| KNOWN.iter().find(|(known, _)| known == code));
    let reason = match (status, known) {
        (429, _) => Reason::Throttled,
        (408 | 500.., _) => Reason::Unavailable,
        (_, Some((_, reason))) => *reason,
        _ => by_word(&body.error, &body.suberror),
    };
    let trace = body.trace_id.and_then(|id| id.parse().ok());
    TokenRefusal { reason, aadsts, trace, retry_after }
}

fn by_word(error: &str, suberror: &str) -> Reason {
    match (error, suberror) {
        (_, "consent_required") | ("consent_required", _) => Reason::ConsentMissing,
        ("invalid_client", _) => Reason::CredentialRefused,
        ("unauthorized_client", _) => Reason::AppNotInDirectory,
        ("invalid_tenant", _) => Reason::DirectoryNotFound,
        ("invalid_resource", _) => Reason::ResourceNotInDirectory,
        ("access_denied" | "interaction_required", _) => Reason::BlockedByPolicy,
        ("temporarily_unavailable" | "server_error", _) => Reason::Unavailable,
        _ => Reason::Refused,
    }
}
