//! Notifications: people are told what happened, where they are.
//!
//! Owns: `channels`, `channel_health`, `notification_rules`, `notification_events`, `digest_entries`, `deliveries`, `delivery_tries`,
//! `mail_preferences`, and the secrets named `channel/…` and `notifications/…`. Permissions: notifications.*.
//! Jobs: [`jobs::MATCH`], [`jobs::DIGEST`], [`jobs::DELIVER`], [`jobs::SWEEP`].
//!
//! What happens is announced in the transaction in which it happens ([`announce`]); what is to be said of it, and to whom, is found out
//! by a job of its own, and each channel is sent through by its own jobs: nothing that cannot be told keeps evidence waiting.
//!
//! Invariants: I67 (a channel out of reach is tried again, seen, and holds up nothing else), I83 (mail only from the configured
//! mailbox, by federated identity; none without a regression).

pub mod api;
pub(crate) mod db;
mod digests;
pub mod jobs;
mod matching;
pub mod model;
pub mod render;
pub mod sending;
mod unsubscribe;

pub use api::no_such_link;
pub use model::{Event, FixFacts};

use bailiwick_base::{EventId, Problem};
use bailiwick_cloud::notify::{EmailAddress, GraphMail, Mailer, Teams, Webhooks};
use bailiwick_store::{NewJob, WriteScope};
use serde_json::json;
use url::Url;

/// What this environment sends by.
pub struct Senders {
    /// The operator's mail server, and the address its mail comes from.
    pub mail: Option<(Mailer, EmailAddress)>,
    pub mailbox: GraphMail,
    pub teams: Teams,
    pub webhooks: Webhooks,
    /// Where the portal is: what links in messages begin with.
    pub portal: Url,
}

/// Says that something happened, in the transaction in which it happens: it is told if and when that is kept.
///
/// # Errors
/// The database's.
pub async fn announce(scope: &mut WriteScope, event: Event) -> Result<(), Problem> {
    let id = EventId::new(scope.clock(), scope.rng());
    let (tenant, now) = (scope.tenant(), scope.now());
    sending::db::insert_event(scope.sql(), tenant, id, &event, now).await?;
    let job = NewJob {
        kind: jobs::MATCH.name,
        payload: json!({"event": id}),
        concurrency_key: None,
        dedup_key: Some(format!("notify:event:{id}")),
    };
    scope.enqueue(job).await?;
    Ok(())
}
