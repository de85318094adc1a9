//! The world outside Bailiwick: the one way out for HTTP, the hosts of Microsoft's clouds, and who a token speaks for.
//!
//! Stays true:
//! - Every outbound call over HTTP goes through [`Egress`]: listed hosts only, the address checked and the connection
//!   made to that very address, no redirects followed, sizes and times bounded, each call recorded. Endpoints that
//!   customers name go through its second, narrower door ([`egress::customers`]); mail through its connections.
//! - The one thing beside it is [`dns`]: questions for TXT and CNAME records of public names, to the name servers the
//!   machine or the configuration names.
//! - Which Microsoft cloud this is comes from [`CloudEndpoints`], as data. Nothing here knows about simulators or tests.
//! - What reads cannot write: [`Microsoft`] has no way to send another method than GET. What writes is [`Writer`], one
//!   request a call, and only with a [`WriteAccess`], which no [`Access`] turns into by itself.
//! - A bearer token makes an [`entra::Identity`] only after every check of [`entra::token`]; a token that names a
//!   directory nobody onboarded causes no outbound call.
//!
//! Start at [`Egress::new`], then [`entra::TokenValidator::new`]; [`entra::BrowserAuthority`] is what the portal needs.
//! To read a directory: [`consent`], then [`Microsoft::new`] with an [`Access`]. To write to it: [`Writer::over`]. To tell
//! people: [`notify`].

pub mod assistant;
pub mod consent;
pub mod credentials;
pub mod dns;
pub mod egress;
pub mod endpoints;
pub mod entra;
pub mod granted;
pub mod microsoft;
pub mod notify;
mod pace;
#[cfg(test)]
mod testing;
pub mod tokens;

pub use credentials::{Certificate, Credential, CredentialError, Federated, ManagedIdentity};
pub use dns::{Dns, DnsAnswer, DnsConfig, DnsError};
pub use egress::{AllowedHost, Call, CustomerAnswer, Egress, EgressConfig, EgressError, Recorder, Ring, SetupError, Unanswered};
pub use endpoints::{BaseUrl, CloudEndpoints, Origin};
pub use granted::{Granted, missing};
pub use microsoft::write::{self, Write, WriteAccess, WriteError, WriteMethod, Writer};
pub use microsoft::{CallError, Limits, Microsoft, Reply, Service};
pub use pace::{RealWaits, Until, Waits};
pub use tokens::{Access, AccessToken, Reason, TokenRefusal, Tokens};
pub use tokio_util::sync::CancellationToken;
