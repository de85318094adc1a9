//! Messages, pure: what there is to tell becomes one [`Doc`], and the document becomes a mail, a card, or a payload. Nothing here asks
//! the database or the network, and nothing a report says gets out unescaped.

mod card;
mod doc;
mod html;
mod payload;
pub mod sample;
mod text;
mod words;

use super::model::Content;
use bailiwick_base::{EventId, Severity, Timestamp};
use bailiwick_contract::notifications::EventKind;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

pub use doc::Doc;

/// Events that one message tells of; the rest is counted.
pub const TOLD: usize = 20;

/// What a message is to say.
#[derive(Debug, Clone)]
pub struct Message {
    /// The tenant's name.
    pub tenant: String,
    /// Where the portal is.
    pub portal: Url,
    pub what: What,
    /// The rule that wanted it, by name.
    pub rule: Option<String>,
    /// Regressions below it are not told.
    pub min_severity: Option<Severity>,
}

#[derive(Debug, Clone)]
pub enum What {
    /// One event at once, or several gathered: at most [`TOLD`] of them, and how many more there are.
    Events { gathered: bool, items: Vec<Item>, more: u32 },
    /// That the channel works.
    Test { channel: String },
    /// That a channel does not work any more.
    Broken { channel: String, detail: String },
}

#[derive(Debug, Clone)]
pub struct Item {
    pub id: EventId,
    pub at: Timestamp,
    /// Shared by all messages that tell of it.
    pub content: Arc<Content>,
}

/// A mail's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailParts {
    pub subject: String,
    pub html: String,
    pub text: String,
}

impl Message {
    /// The first thing it tells of.
    pub fn event(&self) -> Option<EventKind> {
        match &self.what {
            What::Events { items, .. } => items.first().map(|item| item.content.kind()),
            What::Test { .. } | What::Broken { .. } => None,
        }
    }

    /// The subject alone.
    pub fn subject(&self) -> String {
        Doc::of(self).subject
    }

    /// As a mail. `unsubscribe` is the recipient's own link.
    pub fn mail(&self, unsubscribe: Option<&Url>) -> MailParts {
        let doc = Doc::of(self);
        MailParts { html: html::render(&doc, unsubscribe), text: text::render(&doc, unsubscribe), subject: doc.subject }
    }

    /// As an adaptive card, with the line that shows in a toast.
    pub fn card(&self) -> (String, Value) {
        let doc = Doc::of(self);
        (doc.subject.clone(), card::render(&doc))
    }

    /// As a webhook's body.
    pub fn payload(&self, at: Timestamp) -> Value {
        payload::render(self, at)
    }
}

#[cfg(test)]
mod tests;
