//! The ways out: a channel, opened, with what its kind needs.

use super::super::db::{ChannelRow, StoredConfig};
use super::Sendable;
use crate::{Services, tenancy};
use bailiwick_base::{ChannelId, Problem, Secret, Timestamp};
use bailiwick_cloud::notify::{EmailAddress, GraphMail, Mail, MailAccess, Mailer, Outcome, SigningSecret, Teams, Webhooks, Why, teams};
use bailiwick_contract::connections::CredentialKind;
use bailiwick_contract::notifications::ChannelKind;
use bailiwick_store::ReadScope;

/// A channel that can be sent through.
pub enum Way {
    Smtp(Mailer),
    Mailbox {
        client: GraphMail,
        access: MailAccess,
        from: EmailAddress,
    },
    Teams {
        client: Teams,
        url: Secret<String>,
    },
    Webhook {
        client: Webhooks,
        url: Secret<String>,
        secrets: Vec<SigningSecret>,
    },
    /// Cannot be sent through, and why; whether that may pass by itself.
    Closed {
        kind: ChannelKind,
        why: Why,
        passes: bool,
    },
}

/// The name a channel's address is sealed under.
pub fn url_name(id: ChannelId) -> String {
    format!("channel/{id}/url")
}

pub fn signing_name(id: ChannelId) -> String {
    format!("channel/{id}/signing")
}

/// The signing secret before the present one.
pub fn old_signing_name(id: ChannelId) -> String {
    format!("channel/{id}/signing-before")
}

impl Way {
    /// The operator's mail server.
    pub fn operator(services: &Services) -> Self {
        match &services.senders.mail {
            Some((mailer, _)) => Self::Smtp(mailer.clone()),
            None => Self::Closed {
                kind: ChannelKind::Smtp,
                why: Why { code: "no_mail_server", detail: "No mail server is configured here. Ask the operator for one ([mail]).".into() },
                passes: true,
            },
        }
    }

    /// Opens a channel.
    ///
    /// # Errors
    /// The database's, or a secret of the channel is not what was sealed.
    pub async fn open(services: &Services, scope: &mut ReadScope, channel: &ChannelRow) -> Result<Self, Problem> {
        let senders = &services.senders;
        let closed = |code, detail: String| Self::Closed { kind: channel.kind(), why: Why { code, detail }, passes: false };
        Ok(match &channel.config {
            StoredConfig::Smtp { .. } => Self::operator(services),
            StoredConfig::Mailbox { directory, client_id, mailbox, .. } => {
                // Asked at each use: the environment, or what the tenant speaks for, may have changed.
                let tenant = scope.tenant();
                let sign_in = tenancy::db::settings(scope.sql(), tenant).await?.sign_in_directory;
                let environment = &services.microsoft;
                let admitted = environment.admit_own(sign_in, *directory, *client_id, CredentialKind::Federated);
                let (credential, from) = match (admitted, environment.federated.clone(), mailbox.parse::<EmailAddress>()) {
                    (Err(refused), ..) => return Ok(closed("connection_refused", refused.detail)),
                    (_, None, _) => return Ok(closed("connection_refused", "This environment has no federated identity any more.".into())),
                    (.., Err(bad)) => return Ok(closed("mailbox_missing", format!("{bad}."))),
                    (Ok(()), Some(credential), Ok(from)) => (credential, from),
                };
                let access = bailiwick_cloud::Access::new(*directory, *client_id, credential);
                match MailAccess::federated(access) {
                    Ok(access) => Self::Mailbox { client: senders.mailbox.clone(), access, from },
                    Err(error) => closed("connection_refused", format!("{error}.")),
                }
            }
            StoredConfig::Teams { .. } => match text_secret(services, scope, &url_name(channel.id)).await? {
                Some(url) => Self::Teams { client: senders.teams.clone(), url },
                None => closed("bad_url", "The workflow's address is gone. Give it again.".into()),
            },
            StoredConfig::Webhook { .. } => {
                let Some(url) = text_secret(services, scope, &url_name(channel.id)).await? else {
                    return Ok(closed("bad_url", "The endpoint's address is gone. Give it again.".into()));
                };
                let mut secrets = Vec::new();
                let still = channel.old_secret_until.is_some_and(|until| until > services.store.now());
                let names = [Some(signing_name(channel.id)), still.then(|| old_signing_name(channel.id))];
                for name in names.into_iter().flatten() {
                    let sealed = text_secret(services, scope, &name).await?;
                    secrets.extend(sealed.and_then(|text| SigningSecret::parse(text.expose()).ok()));
                }
                match secrets.is_empty() {
                    true => closed("bad_secret", "The signing secret is gone. Make a new one.".into()),
                    false => Self::Webhook { client: senders.webhooks.clone(), url, secrets },
                }
            }
        })
    }

    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Smtp(_) => ChannelKind::Smtp,
            Self::Mailbox { .. } => ChannelKind::Mailbox,
            Self::Teams { .. } => ChannelKind::Teams,
            Self::Webhook { .. } => ChannelKind::Webhook,
            Self::Closed { kind, .. } => *kind,
        }
    }

    /// How many messages may be under way at once: a mail server takes what its connections carry, a mailbox four (Microsoft's limit), a
    /// workflow one after the other.
    pub fn at_once(&self) -> usize {
        match self {
            Self::Smtp(_) => 16,
            Self::Mailbox { .. } | Self::Webhook { .. } => 4,
            Self::Teams { .. } | Self::Closed { .. } => 1,
        }
    }

    /// Sends one message, once.
    pub async fn send(&self, sendable: &Sendable, now: Timestamp) -> Outcome {
        let (message, delivery) = (&sendable.message, &sendable.row.delivery);
        match self {
            Self::Smtp(mailer) => match mail(sendable) {
                Ok(mail) => mailer.send(&mail).await,
                Err(why) => Outcome::Broken { why },
            },
            Self::Mailbox { client, access, from } => match mail(sendable) {
                Ok(mail) => client.send(access, from, &mail).await,
                Err(why) => Outcome::Broken { why },
            },
            Self::Teams { client, url } => {
                let (summary, card) = message.card();
                client.post(url, &teams::message(&summary, card)).await
            }
            Self::Webhook { client, url, secrets } => {
                // The same bytes at each attempt.
                let payload = message.payload(delivery.created_at).to_string();
                let secrets: Vec<&SigningSecret> = secrets.iter().collect();
                client.post(url, &secrets, &delivery.id.to_string(), now, payload.as_bytes()).await
            }
            Self::Closed { why, passes, .. } => match passes {
                true => Outcome::Later { after: None, why: why.clone() },
                false => Outcome::Broken { why: why.clone() },
            },
        }
    }
}

/// The mail of a delivery.
fn mail(sendable: &Sendable) -> Result<Mail, Why> {
    let delivery = &sendable.row.delivery;
    let to = delivery.recipient.as_deref().unwrap_or_default();
    let to = to.parse().map_err(|bad| Why { code: "recipient_refused", detail: format!("{bad}.") })?;
    let (page, one_click) = sendable.unsubscribe.clone().unzip();
    let parts = sendable.message.mail(page.as_ref());
    // One-click needs https (RFC 8058, 3.1). An environment on http still sends, with the link in the text alone.
    let unsubscribe = one_click.filter(|url| url.scheme() == "https");
    Ok(Mail { to, subject: parts.subject, html: parts.html, text: parts.text, id: delivery.id.to_string(), unsubscribe })
}

async fn text_secret(services: &Services, scope: &mut ReadScope, name: &str) -> Result<Option<Secret<String>>, Problem> {
    let sealed = scope.secret(&services.keyring, name).await?;
    Ok(sealed.map(|bytes| Secret::new(String::from_utf8_lossy(bytes.expose()).into_owned())))
}
