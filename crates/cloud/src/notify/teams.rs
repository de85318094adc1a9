//! Microsoft Teams: an adaptive card posted to a workflow (Power Automate), or to the older incoming webhook of a channel.
//! Follows Microsoft's "Create an Incoming Webhook" and what both kinds are known to answer.
//!
//! Stays true: only the hosts of these services, and those the operator added, are posted to. The URL is the credential;
//! it is shown by its host alone.

use super::{Outcome, Why, line, refusal, webhook::redirected};
use crate::egress::{AllowedHost, CustomerAnswer, Egress, Request, SetupError, canonical};
use bailiwick_base::Secret;
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

/// Bytes of a message that Teams takes (28 KB).
pub const LONGEST: usize = 28 * 1024;

/// Where workflows and incoming webhooks live in the public cloud.
const HOSTS: [&str; 3] = ["*.logic.azure.com", "*.api.powerplatform.com", INCOMING];
/// The older kind, which answers otherwise.
const INCOMING: &str = "*.webhook.office.com";

/// The message both kinds take: one adaptive card (1.4), and the text of the toast.
pub fn message(summary: &str, card: Value) -> Value {
    let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card});
    json!({"type": "message", "summary": summary, "attachments": [attachment]})
}

/// Posts to Teams. Cheap to clone.
#[derive(Clone)]
pub struct Teams {
    egress: Egress,
    hosts: Arc<Vec<AllowedHost>>,
}

impl Teams {
    /// With hosts beside Microsoft's public ones: names, or `*.suffix`.
    ///
    /// # Errors
    /// [`SetupError::BadRule`].
    pub fn new(egress: Egress, more_hosts: Vec<String>) -> Result<Self, SetupError> {
        let given = more_hosts.iter().map(|host| canonical(host));
        let listed = HOSTS.iter().map(|host| Ok((*host).to_owned())).chain(given);
        let hosts: Result<Vec<_>, _> = listed.map(|host| host.map(|host| AllowedHost::public(host, "Teams"))).collect();
        Ok(Self { egress, hosts: Arc::new(hosts?) })
    }

    /// The hosts that are posted to, `*.suffix` among them.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|listed| listed.host.as_str())
    }

    /// Whether a channel may have this address, as far as can be said without calling it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn admit(&self, url: &str) -> Result<Url, Why> {
        let url = Url::parse(url.trim()).map_err(|_| Why::new("bad_url", "The address is not a URL. Copy it from the workflow"))?;
        self.egress.admit_customer(&url).map_err(refusal)?;
        let host = url.host_str().unwrap_or("").to_ascii_lowercase();
        if !self.hosts.iter().any(|listed| listed.names(&host)) {
            let detail = format!("{} is not where Teams takes messages. Copy the address from the workflow in Teams", line(&host));
            return Err(Why::new("host_not_listed", detail));
        }
        Ok(url)
    }

    /// Posts one message, as [`message`] makes it. Teams takes four a second at most for one address.
    pub async fn post(&self, url: &Secret<String>, message: &Value) -> Outcome {
        let url = match self.admit(url.expose()) {
            Ok(url) => url,
            Err(why) => return Outcome::Broken { why },
        };
        let body = message.to_string();
        if body.len() > LONGEST {
            return Outcome::broken("too_large", format!("The message has {} bytes; Teams takes {LONGEST}. Nothing was sent", body.len()));
        }
        let incoming = AllowedHost::public(INCOMING, "").names(url.host_str().unwrap_or(""));
        let request = Request::new(Method::POST, url).body(HeaderValue::from_static("application/json"), body);
        match self.egress.to_customer(request).await {
            Ok(answer) => read(&answer, incoming),
            Err(error) => error.into(),
        }
    }
}

fn read(answer: &CustomerAnswer, incoming: bool) -> Outcome {
    let CustomerAnswer { host, status, .. } = answer;
    let text = String::from_utf8_lossy(&answer.body);
    let outcome = match status {
        // A workflow takes the message and works on it later; an incoming webhook says 1, or 200 with an error as text.
        200..=299 if !incoming || text.trim() == "1" => Outcome::delivered(&format!("HTTP {status}")),
        200..=299 => by_text(host, &text),
        300..=399 => redirected(answer),
        _ => by_status(host, *status),
    };
    outcome.after(answer.retry_after)
}

fn by_status(host: &str, status: u16) -> Outcome {
    match status {
        404 | 410 => Outcome::broken(
            "gone",
            format!("{host} answered {status}: the workflow was deleted or switched off, or its owner left. Make a new one"),
        ),
        429 => Outcome::later("throttled", format!("{host} asks us to slow down")),
        408 | 425 | 500.. => Outcome::later("unavailable", format!("{host} answered {status}")),
        401 | 403 => {
            Outcome::broken("refused", format!("{host} answered {status}: the address is not whole, or was replaced. Copy it again"))
        }
        413 => Outcome::broken("too_large", format!("{host} finds the message too long")),
        _ => Outcome::broken("refused", format!("{host} answered {status}: the workflow does not take adaptive cards from a webhook")),
    }
}

/// An incoming webhook's error inside a 200: `... Microsoft Teams endpoint returned HTTP error 429 ...`.
fn by_text(host: &str, text: &str) -> Outcome {
    let number = text.split_once("HTTP error ").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    match number.and_then(|number| number.parse().ok()) {
        Some(status @ 400..=599) => by_status(host, status),
        _ => Outcome::later("unavailable", format!("{host} took the message and said: {}", line(text))),
    }
}
