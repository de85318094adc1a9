//! A mail as it is said to the server: text and HTML as alternatives (RFC 2046), and the headers that tell robots what it
//! is (RFC 3834, RFC 8058).

use super::SmtpConfig;
use crate::notify::{Mail, Why};
use bailiwick_base::Timestamp;
use lettre::message::{
    Mailbox, Message, MultiPart, MultiPartKind, SinglePart,
    header::{HeaderName, HeaderValue},
};
use std::time::SystemTime;

pub(super) fn message(config: &SmtpConfig, mail: &Mail, now: Timestamp) -> Result<Vec<u8>, Why> {
    mail.check()?;
    let bad = |detail: String| Why::new("bad_message", detail);
    let mut message = Message::builder()
        .from(Mailbox::new(config.from_name.clone(), config.from.wire()))
        .to(Mailbox::new(None, mail.to.wire()))
        .subject(mail.subject())
        .date(SystemTime::from(now))
        .message_id(Some(format!("<{}@{}>", mail.id, config.from.domain())))
        .raw_header(header("Auto-Submitted", "auto-generated".into()))
        .raw_header(header("X-Auto-Response-Suppress", "All".into()))
        .raw_header(header("X-Bailiwick-Delivery", mail.id.clone()));
    if let Some(url) = &mail.unsubscribe {
        if url.scheme() != "https" {
            return Err(bad("One-click unsubscribing needs an https address".into()));
        }
        message = message
            .raw_header(header("List-Unsubscribe", format!("<{url}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
    }
    // The id is this mail's alone, and `=_` stands in no quoted-printable or base64 part.
    let parts = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(format!("=_{}", mail.id));
    let parts = parts.singlepart(SinglePart::plain(mail.text.clone())).singlepart(SinglePart::html(mail.html.clone()));
    let message = message.multipart(parts).map_err(|e| bad(format!("The mail cannot be written: {e}")))?;
    Ok(message.formatted())
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}
