//! `sendMail`: taken for the outbox of the simulator, with the rules that Graph has for a message.

use super::Request;
use crate::{graph::error::Error, outbox::Mail, reply::Reply};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The most headers of its own that a message may carry.
const HEADERS: usize = 5;

impl Request<'_> {
    /// # Errors
    /// 404 where there is no such user or mailbox, 400 for a message Graph would not take.
    pub(super) fn send_mail(&self) -> Result<Reply, Error> {
        let mailbox = self.mailbox()?;
        let kind = self.asked.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let (message, saved) = if kind.starts_with("text/plain") { (self.mime()?, true) } else { self.message()? };
        if !self.asked.forget {
            self.cloud.outbox.add(Mail {
                at: self.cloud.now(),
                directory: self.directory.id,
                client_id: self.caller.client,
                mailbox,
                message,
                save_to_sent_items: saved,
            });
        }
        Ok(Reply::empty(202))
    }

    /// The sign-in name of the mailbox in the path: of somebody with an address, or with a plan of Exchange.
    fn mailbox(&self) -> Result<String, Error> {
        let named = self.segments.get(1).map_or("", String::as_str);
        let users = self.estate.graph(self.version, "/users");
        let user = users.and_then(|users| users.find(named, &self.fill()));
        let user = user.ok_or_else(|| Error::new(404, "ErrorInvalidUser", format!("The requested user '{named}' is invalid.")))?;
        let mut plans = user["assignedPlans"].as_array().into_iter().flatten();
        let exchange = plans.any(|plan| plan["service"] == "exchange" && plan["capabilityStatus"] == "Enabled");
        match (user["mail"].is_string() || exchange, user["userPrincipalName"].as_str()) {
            (true, Some(name)) => Ok(name.to_owned()),
            _ => Err(Error::new(
                404,
                "MailboxNotEnabledForRESTAPI",
                "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            )),
        }
    }

    fn message(&self) -> Result<(Value, bool), Error> {
        let given = self.body()?;
        let message = given.get("message").filter(|message| message.is_object());
        let message = message.ok_or_else(|| Error::new(400, "ErrorInvalidParameter", "The parameter 'message' is missing."))?;
        let everybody = ["toRecipients", "ccRecipients", "bccRecipients"].into_iter().filter_map(|name| message[name].as_array()).flatten();
        let addresses: Vec<&str> = everybody.map(|recipient| recipient["emailAddress"]["address"].as_str().unwrap_or_default()).collect();
        if addresses.is_empty() || addresses.iter().any(|address| !address.contains('@')) {
            return Err(Error::new(400, "ErrorInvalidRecipients", "At least one recipient isn't valid."));
        }
        if !message["body"].is_null() && !matches!(message["body"]["contentType"].as_str(), Some("Text" | "HTML" | "text" | "html")) {
            return Err(Error::bad_request("The value of the property 'contentType' cannot be converted to the expected type 'bodyType'."));
        }
        own_headers(message)?;
        Ok((message.clone(), given.get("saveToSentItems") != Some(&Value::Bool(false))))
    }

    /// A whole message as text, in base64.
    fn mime(&self) -> Result<Value, Error> {
        let text = STANDARD.decode(self.asked.body.trim_ascii()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(|text| json!({"mime": text}))
            .ok_or_else(|| Error::new(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content."))
    }
}

/// A message may carry a few headers, none of them one that mail itself uses.
fn own_headers(message: &Value) -> Result<(), Error> {
    let headers = message["internetMessageHeaders"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_own = |header: &Value| header["name"].as_str().is_some_and(|name| name.to_ascii_lowercase().starts_with("x-"));
    if let Some(other) = headers.iter().find(|header| !is_own(header)) {
        let text =
            format!("The internet message header name '{}' should start with 'x-' or 'X-'.", other["name"].as_str().unwrap_or_default());
        return Err(Error::new(400, "InvalidInternetMessageHeader", text));
    }
    if headers.len() > HEADERS {
        let text = format!("Maximum number of headers in one message should be less than or equal to {HEADERS}.");
        return Err(Error::new(400, "InvalidInternetMessageHeaderCollection", text));
    }
    Ok(())
}
