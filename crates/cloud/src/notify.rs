//! Telling people: the wires of mail, Microsoft 365 mailboxes, Teams and webhooks. What to tell whom is not known here.
//!
//! Stays true:
//! - every attempt ends in one [`Outcome`]: it arrived, it may arrive later, or somebody has to change something first;
//! - nothing is tried twice here; who keeps the deliveries does that, and ids that stay the same ([`Mail::id`], the id
//!   of a webhook) let receivers tell a repetition;
//! - what an outcome says names the host and what happened, never the path of a URL, which is a credential.

pub mod graph_mail;
mod mail;
pub mod smtp;
pub mod teams;
#[cfg(test)]
mod tests;
pub mod webhook;

pub use graph_mail::{GraphMail, MailAccess, NotFederated};
pub use mail::{BadAddress, EmailAddress, Mail};
pub use smtp::{MailSetupError, Mailer, SmtpConfig, SmtpSecurity, SmtpSignIn};
pub use teams::Teams;
pub use webhook::{BadSecret, SigningSecret, Unverified, Webhooks};

use crate::egress::EgressError;
use std::time::Duration;
use url::Url;

/// What became of one attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side took it.
    Delivered {
        /// What it said, in one short line, for the history.
        receipt: String,
    },
    /// The same may work later without anybody changing anything.
    Later {
        /// What the other side asked to wait, however long.
        after: Option<Duration>,
        why: Why,
    },
    /// It will not work until somebody changes something.
    Broken { why: Why },
}

/// What stood in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// A stable word for records and scripts.
    pub code: &'static str,
    /// A sentence for people, with what to do where there is something.
    pub detail: String,
}

impl Why {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl Outcome {
    fn delivered(receipt: &str) -> Self {
        Self::Delivered { receipt: line(receipt) }
    }
    fn later(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Later { after: None, why: Why::new(code, detail) }
    }
    fn broken(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Broken { why: Why::new(code, detail) }
    }
    fn after(self, asked: Option<Duration>) -> Self {
        match self {
            Self::Later { why, .. } => Self::Later { after: asked, why },
            other => other,
        }
    }

    /// What stood in the way, if something did.
    pub fn why(&self) -> Option<&Why> {
        match self {
            Self::Delivered { .. } => None,
            Self::Later { why, .. } | Self::Broken { why } => Some(why),
        }
    }
}

impl From<EgressError> for Outcome {
    /// A call to an endpoint that a customer named and that did not answer. An inner address that a name led to is not
    /// told: customers are not shown how the network here is built.
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::BadUrl { why, .. } => Self::broken("bad_url", format!("The address cannot be called: {why}")),
            EgressError::RefusedAddress { host, .. } => {
                Self::broken("refused_address", format!("{host} does not lead to a public address. Give one that the internet can reach"))
            }
            EgressError::Timeout { host } => Self::later("timeout", format!("{host} did not answer in time")),
            EgressError::Network { host, cause } => Self::later("unreachable", format!("{host} cannot be reached: {}", line(&cause))),
            other => Self::later("unreachable", other.to_string()),
        }
    }
}

/// Why an address of a channel is not taken.
fn refusal(error: EgressError) -> Why {
    match Outcome::from(error) {
        Outcome::Later { why, .. } | Outcome::Broken { why } => why,
        Outcome::Delivered { receipt } => Why::new("bad_url", receipt),
    }
}

/// Characters of somebody else's text that are kept.
const LONGEST_LINE: usize = 200;

/// Somebody else's text as one short line.
fn line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST_LINE).collect()
}

/// A URL that is a credential, as it may be shown: scheme and host.
pub fn mask(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) if url.has_host() => format!("{}/…", url.origin().ascii_serialization()),
        _ => "…".to_owned(),
    }
}
