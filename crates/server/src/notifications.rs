//! What notifications leave by, from the configuration: the operator's mail server, and the wires of mailboxes, Teams and webhooks.

use crate::config::{Config, given};
use crate::runtime::ranges;
use anyhow::{Context, ensure};
use bailiwick_base::Secret;
use bailiwick_cloud::notify::{EmailAddress, GraphMail, Mailer, SmtpConfig, SmtpSignIn, Teams, Webhooks};
use bailiwick_cloud::{Egress, Microsoft};
use bailiwick_domain::notifications::Senders;
use bailiwick_store::Store;
use url::Url;

/// The configured mail server; nothing where none is.
///
/// # Errors
/// A setting that is not what it should be, by name.
pub fn mail_server(config: &Config) -> anyhow::Result<Option<SmtpConfig>> {
    let mail = &config.mail;
    if mail.host.is_empty() {
        return Ok(None);
    }
    let from: EmailAddress = mail.from.parse().map_err(|error| anyhow::anyhow!("mail.from: {error}"))?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut server = SmtpConfig::new(mail.host.clone(), from);
    server.port = (mail.port != 0).then_some(mail.port);
    server.security = mail.security;
    server.from_name = some(&mail.from_name);
    server.hello = some(&mail.hello);
    server.private = ranges(&mail.private_ranges, "mail.private_ranges")?;
    server.connections = mail.connections;
    server.sign_in = match (mail.user.is_empty(), given(&mail.password_file)) {
        (true, None) => None,
        (false, Some(file)) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("mail.password_file: cannot read {}", file.display()))?;
            Some(SmtpSignIn { user: mail.user.clone(), password: Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()) })
        }
        _ => anyhow::bail!("mail: give user and password_file, or neither"),
    };
    ensure!(mail.connections > 0, "mail.connections is 0: give at least 1");
    Ok(Some(server))
}

/// Everything that notifications leave by.
///
/// # Errors
/// A setting that is not what it should be, by name.
pub fn senders(config: &Config, egress: Egress, microsoft: &Microsoft, store: &Store) -> anyhow::Result<Senders> {
    let mail = match mail_server(config)? {
        Some(server) => {
            let from = server.from.clone();
            Some((Mailer::new(server, egress.clone(), store.clock_shared()).context("mail")?, from))
        }
        None => None,
    };
    let teams = Teams::new(egress.clone(), config.notifications.teams_hosts.clone());
    Ok(Senders {
        mail,
        mailbox: GraphMail::over(microsoft),
        teams: teams.map_err(|error| anyhow::anyhow!("notifications.teams_hosts: {error}"))?,
        webhooks: Webhooks::new(egress),
        portal: Url::parse(&config.public_url).context("public_url")?,
    })
}
