//! Why a call brought no answer.

use crate::{
    egress::EgressError,
    granted::Unreadable,
    pace::Ended,
    tokens::{Reason, TokenRefusal},
};

/// A call without an answer. Holds no token, query, header or body. An answer of any status is a
/// [`super::Reply`], not one of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("this is not asked: {why}")]
    Refused { why: &'static str },
    #[error("an answer pointed on to {host}, which is not the service that was asked. Nothing was sent there")]
    ForeignLink { host: String },
    #[error(transparent)]
    Token(TokenRefusal),
    #[error("the answer of {host} is longer than the {limit} bytes allowed, and was cut off. Narrow the request")]
    TooLarge { host: String, limit: usize },
    #[error(transparent)]
    Outbound(EgressError),
    #[error("{0}")]
    Unreadable(Unreadable),
    #[error("the time allowed for the call is over. It is tried again later")]
    Deadline,
    #[error("the call was called off")]
    Cancelled,
}

impl CallError {
    /// A stable word for records and scripts.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::ForeignLink { .. } => "foreign_link",
            Self::Token(refusal) => refusal.reason.code(),
            Self::TooLarge { .. } => "too_large",
            Self::Outbound(error) => error.reason(),
            Self::Unreadable(_) => "unreadable",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the same call may succeed later without anyone changing anything.
    pub fn transient(&self) -> bool {
        match self {
            Self::Token(refusal) => refusal.reason.transient(),
            Self::Outbound(error) => error.transient(),
            Self::Deadline => true,
            _ => false,
        }
    }
}

impl From<TokenRefusal> for CallError {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal.reason {
            Reason::Deadline => Self::Deadline,
            Reason::Cancelled => Self::Cancelled,
            _ => Self::Token(refusal),
        }
    }
}

impl From<EgressError> for CallError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::TooLarge { host, limit } => Self::TooLarge { host, limit },
            error => Self::Outbound(error),
        }
    }
}

impl From<Ended> for CallError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Deadline => Self::Deadline,
            Ended::Cancelled => Self::Cancelled,
        }
    }
}

impl From<Unreadable> for CallError {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}
