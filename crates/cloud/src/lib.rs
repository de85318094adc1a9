//! The world outside Bailiwick: the one way out for HTTP, the hosts of Microsoft's clouds, and who a token speaks for.
//!
//! Stays true:
//! - Every outbound byte goes through [`Egress`]: listed hosts only, the address checked and the connection made to that
//!   very address, no redirects followed, sizes and times bounded, each call recorded.
//! - Which Microsoft cloud this is comes from [`CloudEndpoints`], as data. Nothing here knows about simulators or tests.
//! - Microsoft's services are read and never written: [`Microsoft`] has no way to send another method than GET.
//! - A bearer token makes an [`entra::Identity`] only after every check of [`entra::token`]; a token that names a
//!   directory nobody onboarded causes no outbound call.
//!
//! Start at [`Egress::new`], then [`entra::TokenValidator::new`]; [`entra::BrowserAuthority`] is what the portal needs.
//! To read a directory: [`consent`], then [`Microsoft::new`] with an [`Access`].

pub mod consent;
pub mod credentials;
pub mod egress;
pub mod endpoints;
pub mod entra;
pub mod granted;
pub mod microsoft;
mod pace;
pub mod tokens;

pub use credentials::{Certificate, Credential, CredentialError, Federated, ManagedIdentity};
pub use egress::{AllowedHost, Call, Egress, EgressConfig, EgressError, Recorder, Ring, SetupError};
pub use endpoints::{BaseUrl, CloudEndpoints, Origin};
pub use granted::{Granted, missing};
pub use microsoft::{CallError, Limits, Microsoft, Reply, Service};
pub use pace::{RealWaits, Until, Waits};
pub use tokens::{Access, AccessToken, Reason, TokenRefusal, Tokens};
