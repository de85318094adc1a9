//! Why a token was refused: exact for the trail and metrics, vague for whoever sent it.

use crate::endpoints::CloudEndpoints;
use bailiwick_base::{Code, DirectoryId, Problem};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $reason:literal, $kind:ident;)*) => {
        /// The check that failed.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum TokenError {
            $($(#[$doc])* $name,)*
            /// A claim every Entra access token has is missing or not of its type.
            MissingClaim(&'static str),
            /// It cannot be told: keys or our own records do not answer. Not the sender's fault.
            Unavailable { cause: String, retry_after: u32 },
        }

        impl TokenError {
            /// A stable word for the trail and metrics.
            pub fn reason(&self) -> &'static str {
                match self {
                    $(Self::$name => $reason,)*
                    Self::MissingClaim(_) => "missing_claim",
                    Self::Unavailable { .. } => "unavailable",
                }
            }
            fn kind(&self) -> Kind {
                match self {
                    $(Self::$name => Kind::$kind,)*
                    Self::MissingClaim(_) => Kind::Invalid,
                    Self::Unavailable { .. } => Kind::Unavailable,
                }
            }
        }
    };
}

enum Kind {
    Invalid,
    Expired,
    Insufficient,
    Unavailable,
}

refusals! {
    TooLong = "too_long", Invalid;
    /// Not three base64url parts of JSON.
    Malformed = "malformed", Invalid;
    /// A JSON member stands twice: two readers could understand two things.
    RepeatedMember = "repeated_member", Invalid;
    /// `alg` is not RS256: `none`, an HMAC, another signature.
    WrongAlgorithm = "wrong_algorithm", Invalid;
    WrongType = "wrong_type", Invalid;
    /// `crit` demands an extension nobody here knows (RFC 7515, 4.1.11).
    CriticalHeader = "critical_header", Invalid;
    /// The header carries `nonce`: a token for Microsoft Graph, which nobody but Graph can check.
    ForGraph = "for_graph", Invalid;
    MissingKeyId = "missing_key_id", Invalid;
    UnknownKey = "unknown_key", Invalid;
    BadSignature = "bad_signature", Invalid;
    /// The key belongs to another issuer than the token names.
    WrongKeyIssuer = "wrong_key_issuer", Invalid;
    WrongIssuer = "wrong_issuer", Invalid;
    /// `ver` is neither 1.0 nor 2.0, or 1.0 where version 1 tokens are not accepted.
    WrongVersion = "wrong_version", Invalid;
    /// `tid` is not a GUID in its usual spelling.
    BadDirectory = "bad_directory", Invalid;
    /// A personal Microsoft account, which is no organisation's.
    PersonalAccount = "personal_account", Invalid;
    /// No tenant of Bailiwick has onboarded the directory.
    UnknownDirectory = "unknown_directory", Invalid;
    WrongAudience = "wrong_audience", Invalid;
    Expired = "expired", Expired;
    NotYetValid = "not_yet_valid", Invalid;
    /// Valid for longer than Entra ever issues.
    LifetimeTooLong = "lifetime_too_long", Invalid;
    /// `scp`, `idtyp`, `oid` and `sub` do not agree on whether a person or an application speaks.
    UnclearKind = "unclear_kind", Invalid;
    /// The client application is not one the directory trusts.
    WrongClient = "wrong_client", Insufficient;
    MissingScope = "missing_scope", Insufficient;
    /// An application token without any role, which every application of the directory could get.
    MissingRole = "missing_role", Insufficient;
}

impl TokenError {
    /// HTTP status of the answer: 401, 403 or 503.
    pub fn status(&self) -> u16 {
        self.code().status()
    }

    fn code(&self) -> Code {
        match self.kind() {
            Kind::Invalid | Kind::Expired => Code::NotSignedIn,
            Kind::Insufficient => Code::NotAllowed,
            Kind::Unavailable => Code::Unavailable,
        }
    }

    /// Whether the token was refused for something after its signature had been found good: what it says of its directory is then true.
    pub fn signed(&self) -> bool {
        matches!(
            self,
            Self::WrongAudience
                | Self::Expired
                | Self::NotYetValid
                | Self::LifetimeTooLong
                | Self::UnclearKind
                | Self::WrongClient
                | Self::MissingScope
                | Self::MissingRole
        )
    }

    /// What the sender is told. Says nothing of directories, keys or audiences.
    pub fn public_message(&self) -> &'static str {
        match self.kind() {
            Kind::Invalid => "The access token is not valid here. Sign in again, or ask for a token for this service.",
            Kind::Expired => "The access token has expired. Sign in again, or ask for a new token.",
            Kind::Insufficient => {
                "The access token does not carry the permission this needs. Ask an administrator of your directory to grant it."
            }
            Kind::Unavailable => "The access token cannot be checked at the moment. Try again shortly.",
        }
    }

    /// The `error` word of RFC 6750, section 3.1; none when it is not the token's fault.
    fn bearer_error(&self) -> Option<&'static str> {
        match self.kind() {
            Kind::Invalid | Kind::Expired => Some("invalid_token"),
            Kind::Insufficient => Some("insufficient_scope"),
            Kind::Unavailable => None,
        }
    }

    /// The refusal as the API answers it; the exact reason goes to the log only.
    pub fn problem(&self) -> Problem {
        let mut problem = Problem::new(self.code(), self.public_message());
        problem.internal = Some(match self {
            Self::MissingClaim(claim) => format!("token refused: missing_claim {claim}"),
            Self::Unavailable { cause, .. } => format!("token not checked: {cause}"),
            _ => format!("token refused: {}", self.reason()),
        });
        if let Self::Unavailable { retry_after, .. } = self {
            problem.retry_after = Some(*retry_after);
        }
        problem
    }
}

impl std::fmt::Display for TokenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MissingClaim(claim) => write!(f, "missing_claim {claim}"),
            Self::Unavailable { cause, .. } => write!(f, "unavailable: {cause}"),
            _ => f.write_str(self.reason()),
        }
    }
}

impl std::error::Error for TokenError {}

/// The value of `WWW-Authenticate` for a refused call. Without an error it only says how to sign in (RFC 6750, 3).
/// `directory` is the one the service expects, never one read from a refused token.
pub fn www_authenticate(cloud: &CloudEndpoints, directory: Option<DirectoryId>, error: Option<&TokenError>) -> String {
    let mut value = format!("Bearer realm=\"\", authorization_uri=\"{}\"", cloud.authorize_url(directory));
    if let Some((error, word)) = error.and_then(|e| Some((e, e.bearer_error()?))) {
        value.push_str(&format!(", error=\"{word}\", error_description=\"{}\"", error.public_message()));
    }
    value
}
