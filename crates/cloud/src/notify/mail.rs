//! A mail, before anything is known about how it travels.

use super::Why;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use url::{Host, Url};

/// Somebody's address, e.g. `ada@contoso.com`: ASCII, the domain in lower case, without a display name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(lettre::Address);

/// The text is no address that mail can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a mail address like ada@contoso.com")]
pub struct BadAddress(pub String);

impl EmailAddress {
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
    pub fn domain(&self) -> &str {
        self.0.domain()
    }
    pub(super) fn wire(&self) -> lettre::Address {
        self.0.clone()
    }
}

impl FromStr for EmailAddress {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.chars().take(254).collect());
        let (user, domain) = text.trim().rsplit_once('@').ok_or_else(bad)?;
        let domain = match Host::parse(domain) {
            Ok(Host::Domain(domain)) if domain.contains('.') && !domain.ends_with('.') => domain.to_ascii_lowercase(),
            _ => return Err(bad()),
        };
        // A local part beyond ASCII needs every server on its way to know of it (RFC 6531); few do.
        if !user.is_ascii() || user.len() + domain.len() > 253 {
            return Err(bad());
        }
        lettre::Address::new(user, domain).map(Self).map_err(|_| bad())
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = BadAddress;
    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.to_string()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One mail to one person: everyone has an own link to unsubscribe, and so an own mail with an own outcome.
#[derive(Clone)]
pub struct Mail {
    pub to: EmailAddress,
    pub subject: String,
    pub html: String,
    /// The same for those who read no HTML.
    pub text: String,
    /// The same for every attempt, different for every person: `[A-Za-z0-9.-]{1,64}`. Becomes the Message-ID over SMTP,
    /// and the header `x-bailiwick-delivery` everywhere.
    pub id: String,
    /// Where one POST unsubscribes (RFC 8058). Over SMTP only: Graph takes no such header.
    pub unsubscribe: Option<Url>,
}

impl fmt::Debug for Mail {
    /// The id only: what it says and to whom is a customer's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({})", self.id)
    }
}

impl Mail {
    pub(super) fn check(&self) -> Result<(), Why> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        match (1..=64).contains(&self.id.len()) && self.id.bytes().all(fits) {
            true => Ok(()),
            false => Err(Why::new("bad_message", "The id of the mail is not 1 to 64 letters, digits, dots and hyphens")),
        }
    }

    /// The subject without anything that could end the line.
    pub(super) fn subject(&self) -> String {
        self.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}
