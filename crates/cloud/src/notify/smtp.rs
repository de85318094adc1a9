//! Mail through the operator's mail server, by SMTP.
//!
//! Stays true:
//! - the server is on the allow-list, and its address is checked as for HTTP;
//! - the conversation is inside TLS before a name, a password or a mail is said. Without TLS only this machine itself is
//!   spoken to, and only if the operator says so;
//! - a mail goes to one person; what the server says of that person is that mail's outcome alone;
//! - connections are kept for the next mail, a bounded number of them. One that the server closed meanwhile costs no
//!   mail: nothing was said on it yet, so a new one is made.

mod compose;
mod talk;

use super::{EmailAddress, Mail, Outcome, line};
use crate::egress::{AllowedHost, Egress, EgressError, SetupError, Wrap};
use bailiwick_base::{Clock, Secret, Timestamp};
use ipnet::IpNet;
use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, TlsParameters},
    extension::ClientId,
};
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use talk::{Refused, Stage};
use tokio::sync::Semaphore;

/// How the conversation is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    /// Turned to TLS at its beginning (RFC 3207); a server that does not offer that gets no mail.
    #[default]
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// None, to a server on this machine itself.
    PlainLoopback,
}

/// A name and a password for the mail server.
pub struct SmtpSignIn {
    pub user: String,
    pub password: Secret<String>,
}

/// The operator's mail server.
pub struct SmtpConfig {
    pub host: String,
    /// Absent: 587 for [`SmtpSecurity::StartTls`], 465 for `Tls`, 25 for `PlainLoopback`.
    pub port: Option<u16>,
    pub security: SmtpSecurity,
    pub from: EmailAddress,
    pub from_name: Option<String>,
    pub sign_in: Option<SmtpSignIn>,
    /// Ranges of non-public addresses the server may live at.
    pub private: Vec<IpNet>,
    /// The name we greet with; absent: the domain of `from`.
    pub hello: Option<String>,
    /// Connections at once, and so mails on their way at once.
    pub connections: usize,
    /// For one mail, from connecting to the server's last word.
    pub timeout: Duration,
}

impl SmtpConfig {
    pub fn new(host: impl Into<String>, from: EmailAddress) -> Self {
        Self {
            host: host.into(),
            port: None,
            security: SmtpSecurity::default(),
            from,
            from_name: None,
            sign_in: None,
            private: vec![],
            hello: None,
            connections: 8,
            timeout: Duration::from_secs(60),
        }
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            SmtpSecurity::StartTls => 587,
            SmtpSecurity::Tls => 465,
            SmtpSecurity::PlainLoopback => 25,
        })
    }

    /// The line this server needs on the list of hosts that may be called.
    pub fn allowed_host(&self) -> AllowedHost {
        let rule = AllowedHost::public(&self.host, "The operator's mail server").port(self.port());
        match self.security {
            SmtpSecurity::PlainLoopback => rule.private(loopback()).plain_http(),
            _ => rule.private(self.private.clone()),
        }
    }
}

fn loopback() -> [IpNet; 2] {
    [IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8), IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128)]
}

/// What is wrong with the configuration of a [`Mailer`].
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    #[error("the mail server \"{0}\" is not a host name or an address")]
    BadHost(String),
    #[error("{0} is not on the list of hosts that may be called. Add the mail server's line to it")]
    NotAllowed(String),
    #[error("the name of the mail server's sign-in is empty")]
    NoUser,
    #[error(transparent)]
    Tls(SetupError),
}

/// Mails said on one connection before it is given up, since servers count them too.
const MAILS_A_CONNECTION: u32 = 100;
/// How long a connection waits for its next mail. Servers close theirs after minutes.
const IDLE: Duration = Duration::from_secs(30);

/// Sends mail. Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

struct Inner {
    config: SmtpConfig,
    hello: ClientId,
    starttls: TlsParameters,
    egress: Egress,
    clock: Arc<dyn Clock>,
    room: Semaphore,
    idle: Mutex<Vec<Kept>>,
}

/// A connection, and what it has done.
struct Kept {
    line: AsyncSmtpConnection,
    mails: u32,
    since: Timestamp,
}

impl Mailer {
    /// # Errors
    /// [`MailSetupError`]. Whether the server answers is seen with the first mail.
    pub fn new(mut config: SmtpConfig, egress: Egress, clock: Arc<dyn Clock>) -> Result<Self, MailSetupError> {
        config.host = crate::egress::canonical(&config.host)
            .ok()
            .filter(|host| !host.starts_with("*."))
            .ok_or_else(|| MailSetupError::BadHost(config.host.clone()))?;
        if config.sign_in.as_ref().is_some_and(|sign_in| sign_in.user.trim().is_empty()) {
            return Err(MailSetupError::NoUser);
        }
        let plain = config.security == SmtpSecurity::PlainLoopback;
        if !egress.lists(&config.host, config.port(), plain) {
            return Err(MailSetupError::NotAllowed(format!("{}:{}", config.host, config.port())));
        }
        let starttls = egress.starttls(&config.host).map_err(MailSetupError::Tls)?;
        let hello = ClientId::Domain(config.hello.clone().unwrap_or_else(|| config.from.domain().to_owned()));
        let room = Semaphore::new(config.connections.max(1));
        Ok(Self(Arc::new(Inner { config, hello, starttls, egress, clock, room, idle: Mutex::default() })))
    }

    /// Sends one mail, when a connection is free. A mail whose last word was lost is told as [`Outcome::Later`] and may
    /// so come twice, with the same Message-ID.
    pub async fn send(&self, mail: &Mail) -> Outcome {
        let Inner { config, clock, room, .. } = &*self.0;
        let bytes = match compose::message(config, mail, clock.now()) {
            Ok(bytes) => bytes,
            Err(why) => return Outcome::Broken { why },
        };
        // It is closed nowhere, so a place is always given.
        let _place = room.acquire().await;
        match tokio::time::timeout(config.timeout, self.deliver(mail, &bytes)).await {
            Ok(Ok(said)) => Outcome::delivered(&said),
            Ok(Err(refused)) => refused.outcome(&config.host),
            Err(_) => Outcome::later("timeout", format!("{} did not answer in time", config.host)),
        }
    }

    async fn deliver(&self, mail: &Mail, bytes: &[u8]) -> Result<String, Refused> {
        if let Some(kept) = self.idle() {
            match self.say(kept, mail, bytes).await {
                Err(refused) if refused.closed_before_anything() => {}
                said => return said,
            }
        }
        let line = self.connect().await?;
        self.say(Kept { line, mails: 0, since: self.0.clock.now() }, mail, bytes).await
    }

    /// Says one mail, and keeps the connection if it is good for another.
    async fn say(&self, mut kept: Kept, mail: &Mail, bytes: &[u8]) -> Result<String, Refused> {
        let said = talk::say(&mut kept.line, &self.0.config.from, &mail.to, bytes).await;
        kept.mails += 1;
        let good = match &said {
            Ok(_) => true,
            Err(refused) => refused.line_is_good() && talk::reset(&mut kept.line).await,
        };
        if good && kept.mails < MAILS_A_CONNECTION {
            kept.since = self.0.clock.now();
            self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        }
        said
    }

    /// The connection used last, so that those that are not needed grow old and go.
    fn idle(&self) -> Option<Kept> {
        let now = self.0.clock.now();
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| crate::pace::apart(now, kept.since) < IDLE);
        idle.pop()
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Refused> {
        let Inner { config, hello, starttls, egress, .. } = &*self.0;
        let wrap = match config.security {
            SmtpSecurity::StartTls => Wrap::Later,
            SmtpSecurity::Tls => Wrap::Tls,
            SmtpSecurity::PlainLoopback => Wrap::Never,
        };
        let line = egress.dial(&config.host, config.port(), wrap, "smtp").await.map_err(Refused::Unreached)?;
        let greeted = AsyncSmtpConnection::connect_with_transport(line.boxed(), hello).await;
        let mut line = greeted.map_err(|e| Refused::at(Stage::Greeting, e))?;
        if config.security == SmtpSecurity::StartTls {
            line.starttls(starttls.clone(), hello).await.map_err(|e| Refused::at(Stage::StartTls, e))?;
        }
        if let Some(SmtpSignIn { user, password }) = &config.sign_in {
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            line.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(|e| Refused::at(Stage::SignIn, e))?;
        }
        Ok(line)
    }
}

/// Why a mail could not be handed over before anything was said.
fn unreached(host: &str, error: &EgressError) -> Outcome {
    match error {
        EgressError::Timeout { .. } => Outcome::later("timeout", format!("{host} did not answer in time")),
        EgressError::RefusedAddress { address, why, .. } => Outcome::later(
            "refused_address",
            format!("The mail server {host} lives at {address} ({why}). The operator has to open that range for it"),
        ),
        EgressError::NotAllowed { .. } => Outcome::later("refused_address", error.to_string()),
        _ => Outcome::later("unreachable", line(&error.to_string())),
    }
}
