//! Microsoft Entra ID, the side that relies on it: whose keys sign, what a token says, and whether to believe it.
//!
//! - [`token`]: the checks, in order, and the [`Identity`] that passes them;
//! - [`jwks`]: signing keys per directory, fetched seldom and served without waiting;
//! - [`claims`]: a token's parts as strictly read text, believed by nobody yet;
//! - [`authority`]: what the portal must know to send a browser to sign in.

pub mod authority;
pub mod claims;
mod document;
pub mod jwks;
pub mod refusal;
pub mod token;

#[cfg(test)]
mod tests;

pub use authority::BrowserAuthority;
pub use jwks::{KeyError, Keys, KeysPolicy};
pub use refusal::TokenError;
pub use token::{DirectoryPolicy, DirectoryTrust, Identity, IdentityKind, TokenConfig, TokenValidator, TokenVersion};
