//! What Entra remembers between requests: browser sessions, codes, refresh tokens. Lifetimes are Microsoft's.

use crate::config::RedirectKind;
use bailiwick_base::Timestamp;
use jiff::SignedDuration;
use std::collections::HashMap;
use uuid::Uuid;

/// A code lives ten minutes and is redeemed once.
pub const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// A refresh token of a single-page application ends 24 hours after the sign-in, however often it is renewed.
pub const SPA_REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// Any other refresh token ends after 90 days without use.
pub const REFRESH_IDLE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Who signed in where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub directory: Uuid,
    pub oid: Uuid,
}

/// An authorization code.
#[derive(Debug, Clone)]
pub struct CodeGrant {
    pub account: Account,
    pub client_id: Uuid,
    pub redirect_uri: String,
    pub kind: RedirectKind,
    pub challenge: Option<Challenge>,
    pub scope: String,
    pub nonce: Option<String>,
    pub sid: String,
    pub issued: Timestamp,
    pub redeemed: bool,
}

/// A PKCE challenge (RFC 7636).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    S256(String),
    Plain(String),
}

/// A refresh token: bound to user and client, not to an API.
#[derive(Debug, Clone)]
pub struct RefreshGrant {
    pub account: Account,
    pub client_id: Uuid,
    /// Of the redirect URI the first token came from: who may redeem stays the same.
    pub kind: RedirectKind,
    pub scope: String,
    pub sid: String,
    /// Of the first token of the chain.
    pub first_issued: Timestamp,
    pub issued: Timestamp,
}

#[derive(Default)]
pub struct Grants {
    pub sessions: HashMap<String, Vec<Account>>,
    pub codes: HashMap<String, CodeGrant>,
    pub refresh: HashMap<String, RefreshGrant>,
}
