//! Mail from a customer's own mailbox, by Microsoft Graph's `sendMail`, through an application that proves itself by a
//! federated identity: nobody keeps a secret for it.
//!
//! Stays true: one request a mail; nothing is kept in the mailbox's sent items. 202 says that Exchange took the mail, not
//! that it arrived. Graph cannot be asked whether it took a mail whose answer was lost, so such a one may come twice;
//! both carry the same `x-bailiwick-delivery`.

use super::{EmailAddress, Mail, Outcome, line};
use crate::{
    microsoft::{
        CallError, Microsoft, Reply, Service,
        write::{Post, WriteError, once},
    },
    pace::Until,
    tokens::Access,
};
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;

/// Bytes of a request that Graph takes (4 MB).
const LONGEST: usize = 4_000_000;

/// The right to send mail through one application. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MailAccess(Access);

/// The application proves itself by something that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("mail is sent through a federated identity only; this application has a secret or a certificate")]
pub struct NotFederated;

impl MailAccess {
    /// # Errors
    /// [`NotFederated`].
    pub fn federated(access: Access) -> Result<Self, NotFederated> {
        if access.credential.is_static() { Err(NotFederated) } else { Ok(Self(access)) }
    }

    /// The same right, with a deadline and somebody who may call it off, heeded until the request begins.
    pub fn until(self, until: Until) -> Self {
        Self(self.0.until(until))
    }
}

/// Sends from mailboxes. Cheap to clone.
#[derive(Clone)]
pub struct GraphMail(Microsoft);

impl GraphMail {
    /// Sends over the way out, the tokens and the limits of this client.
    pub fn over(microsoft: &Microsoft) -> Self {
        Self(microsoft.clone())
    }

    /// Sends one mail. Exchange takes four at once from one mailbox; more come back as `throttled`.
    pub async fn send(&self, access: &MailAccess, mailbox: &EmailAddress, mail: &Mail) -> Outcome {
        if let Err(why) = mail.check() {
            return Outcome::Broken { why };
        }
        let body = body(mail);
        if body.len() > LONGEST {
            return Outcome::broken("too_large", format!("The mail has {} bytes; Graph takes {LONGEST}. Nothing was sent", body.len()));
        }
        let Some(url) = self.address(mailbox) else {
            return Outcome::broken("bad_url", "The address of Microsoft Graph makes no URL. Check the environment's cloud");
        };
        let post = Post { service: Service::Graph, method: Method::POST, url, body: Some(body) };
        match once(&self.0, &access.0, post).await {
            Ok(reply) => read(mailbox, &reply),
            Err(error) => unsent(&error),
        }
    }

    fn address(&self, mailbox: &EmailAddress) -> Option<Url> {
        let mut url = Url::parse(&format!("{}/v1.0/users", self.0.cloud().graph)).ok()?;
        // As one segment: an address may hold what ends one.
        url.path_segments_mut().ok()?.push(mailbox.as_str()).push("sendMail");
        Some(url)
    }
}

fn body(mail: &Mail) -> Bytes {
    let header = |name: &str, value: &str| json!({"name": name, "value": value});
    let message = json!({
        "subject": mail.subject(),
        "body": {"contentType": "HTML", "content": mail.html},
        "toRecipients": [{"emailAddress": {"address": mail.to}}],
        "internetMessageHeaders": [header("x-bailiwick-delivery", &mail.id), header("x-auto-response-suppress", "All")],
    });
    Bytes::from(json!({"message": message, "saveToSentItems": false}).to_string())
}

#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    error: Inner,
}

#[derive(Deserialize, Default)]
struct Inner {
    #[serde(default)]
    code: String,
}

fn read(mailbox: &EmailAddress, reply: &Reply) -> Outcome {
    let Refusal { error: Inner { code } } = serde_json::from_slice(&reply.body).unwrap_or_default();
    let said = line(&format!("{} {code}", reply.status));
    let outcome = match (reply.status, code.as_str()) {
        (200..=299, _) => {
            Outcome::delivered(&format!("HTTP {}, request {}", reply.status, reply.request_id.as_deref().unwrap_or("unknown")))
        }
        (429, _) => Outcome::later("throttled", "Exchange asks us to slow down"),
        (408 | 500.., _) => Outcome::later("unavailable", format!("Microsoft Graph answered {said}")),
        (401, _) => Outcome::broken("connection_refused", "Microsoft Graph refuses the application's token. Connect the directory again"),
        (403, _) => Outcome::broken(
            "mailbox_refused",
            format!(
                "The application may not send from {mailbox} ({said}). Grant it Mail.Send, and this mailbox where access is restricted"
            ),
        ),
        (404, _) => Outcome::broken("mailbox_missing", format!("{mailbox} is no mailbox in this directory ({said}). Give another")),
        (413, _) => Outcome::broken("too_large", "Microsoft Graph finds the mail too long"),
        (_, "ErrorInvalidRecipients") => Outcome::broken("recipient_refused", "Exchange does not take the recipient's address"),
        _ => Outcome::broken("refused", format!("Microsoft Graph answered {said}")),
    };
    outcome.after(reply.retry_after)
}

fn unsent(error: &WriteError) -> Outcome {
    match error {
        WriteError::Unknown(cause) => Outcome::later("no_answer", format!("It was sent and no answer came ({cause}). It may arrive twice")),
        WriteError::NotSent(CallError::Token(refusal)) if refusal.reason.transient() => {
            Outcome::later("unavailable", refusal.to_string()).after(refusal.retry_after)
        }
        WriteError::NotSent(CallError::Token(refusal)) => Outcome::broken("connection_refused", refusal.to_string()),
        WriteError::NotSent(CallError::Cancelled | CallError::Deadline) => {
            Outcome::later("timeout", "It was called off before it was sent")
        }
        WriteError::NotSent(cause) if cause.transient() => Outcome::later("unreachable", cause.to_string()),
        WriteError::NotSent(cause) => Outcome::broken("refused", cause.to_string()),
    }
}
