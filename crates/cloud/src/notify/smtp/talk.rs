//! The conversation for one mail (RFC 5321), and what a refusal at each point of it means.

use super::{EmailAddress, Outcome, line, unreached};
use crate::egress::EgressError;
use lettre::transport::smtp::{
    Error,
    client::AsyncSmtpConnection,
    commands::{Data, Mail, Rcpt, Rset},
};
use std::error::Error as _;

/// How far the conversation had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Greeting,
    StartTls,
    SignIn,
    From,
    To,
    Data,
    Content,
}

/// The end of a conversation that handed over no mail.
#[derive(Debug)]
pub(super) enum Refused {
    /// There was none.
    Unreached(EgressError),
    At(Stage, Error),
}

/// Says one mail to one person, and gives the server's last word.
pub(super) async fn say(talk: &mut AsyncSmtpConnection, from: &EmailAddress, to: &EmailAddress, mail: &[u8]) -> Result<String, Refused> {
    talk.command(Mail::new(Some(from.wire()), vec![])).await.map_err(|e| Refused::at(Stage::From, e))?;
    talk.command(Rcpt::new(to.wire(), vec![])).await.map_err(|e| Refused::at(Stage::To, e))?;
    talk.command(Data).await.map_err(|e| Refused::at(Stage::Data, e))?;
    let last = talk.message(mail).await.map_err(|e| Refused::at(Stage::Content, e))?;
    Ok(format!("{} {}", last.code(), last.message().collect::<Vec<_>>().join(" ")))
}

/// Forgets a mail that was begun, so that the next one can be said. False where the connection is of no more use.
pub(super) async fn reset(talk: &mut AsyncSmtpConnection) -> bool {
    talk.command(Rset).await.is_ok()
}

impl Refused {
    pub fn at(stage: Stage, error: Error) -> Self {
        Self::At(stage, error)
    }

    /// The reply's code.
    fn code(&self) -> Option<u16> {
        match self {
            Self::At(_, error) => error.status().map(u16::from),
            Self::Unreached(_) => None,
        }
    }

    /// Whether a kept connection had been closed by the server: then nothing of this mail was taken.
    pub fn closed_before_anything(&self) -> bool {
        matches!(self, Self::At(Stage::From, _)) && matches!(self.code(), None | Some(421))
    }

    /// Whether the server said no in good order and listens on. 421 is a goodbye.
    pub fn line_is_good(&self) -> bool {
        self.code().is_some_and(|code| code != 421)
    }

    pub fn outcome(&self, host: &str) -> Outcome {
        let (stage, error) = match self {
            Self::Unreached(error) => return unreached(host, error),
            Self::At(stage, error) => (*stage, error),
        };
        let said = error.source().map(|text| line(&text.to_string())).unwrap_or_default();
        match (stage, self.code()) {
            // The operator's to mend: no channel is at fault, and mails wait for it.
            (Stage::SignIn, _) => Outcome::later("signed_out", format!("{host} refuses our sign-in: {said}")),
            (Stage::StartTls, _) => Outcome::later("tls", format!("{host} gives no encrypted connection: {said}")),
            (Stage::Greeting, Some(code)) => Outcome::later("unavailable", format!("{host} turns us away: {code} {said}")),
            (_, Some(code @ 400..=499)) => Outcome::later("deferred", format!("{host} asks us to come back: {code} {said}")),
            (Stage::To, Some(code)) => Outcome::broken("recipient_refused", format!("{host} refuses the recipient: {code} {said}")),
            (Stage::From, Some(code)) => Outcome::broken("sender_refused", format!("{host} refuses the sender: {code} {said}")),
            (_, Some(code)) => Outcome::broken("refused", format!("{host} refuses the mail: {code} {said}")),
            (Stage::Content, None) => {
                Outcome::later("no_answer", format!("{host} took the mail and its last word was lost. It may arrive twice"))
            }
            (_, None) => Outcome::later("unreachable", format!("The connection to {host} broke: {said}")),
        }
    }
}
