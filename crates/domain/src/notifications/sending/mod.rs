//! Sending: takes what is due for a channel, sends it, and keeps what came of it.
//!
//! What must stay true: a delivery that was taken is sent by one job at a time; what came of an attempt is kept before the next ones
//! begin, so that at most the few under way are sent twice when the process dies, under the same id; a channel that does not answer
//! rests, and rests alone.

pub(crate) mod db;
pub(crate) mod way;

pub use way::Way;

use super::model::{self, PATIENCE, REFUSALS};
use super::render::{Item, Message, TOLD, What};
use super::unsubscribe::{self, Tokens};
use super::{db as channels, render};
use crate::worker::{nobody, system};
use crate::{Services, tenancy};
use bailiwick_base::{ChannelId, Problem, TenantId, Timestamp};
use bailiwick_cloud::notify::Outcome;
use bailiwick_contract::notifications::{ChannelKind, DeliveryFailure, DeliveryKind, DeliveryState, LastDelivery, TryOutcome};
use bailiwick_store::{Lease, ReadScope};
use db::{DeliveryRow, Health, Queue, Tried};
use futures::StreamExt;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use url::Url;

/// Deliveries that one job takes at a time, and for how long nobody else may: longer than so many can take, one as slow as the other.
const TAKEN: i64 = 50;
const TAKEN_FOR: Duration = Duration::from_secs(600);
/// After so long a job makes room for those of others, and another one goes on.
const TURN: Duration = Duration::from_secs(30);
/// Attempts that are kept together.
const KEPT: usize = 16;

/// What a job sent.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub delivered: u32,
    pub dead: u32,
    pub dropped: u32,
    pub retried: u32,
    /// The channel was refused so often that it is broken now; its last failure in words.
    pub broken: Option<String>,
    /// When there may be more to send.
    pub next: Option<Timestamp>,
}

impl Tally {
    /// Whether the trail has something to hear of. That a server did not answer is in the tries.
    pub fn tells(&self) -> bool {
        self.delivered + self.dead + self.dropped > 0 || self.broken.is_some()
    }
}

/// One delivery with its message.
pub struct Sendable {
    pub row: DeliveryRow,
    pub message: Message,
    /// The links by which its recipient ends such mail: a page, and what mail programs post to.
    pub unsubscribe: Option<(Url, Url)>,
}

/// Sends what is due in a queue until nothing is, or the channel must rest.
///
/// # Errors
/// The database's.
pub async fn drain(services: &Services, lease: &Lease, queue: Queue) -> Result<Tally, Problem> {
    let mut tally = Tally::default();
    let until = later(services.store.now(), TURN);
    loop {
        if services.store.now() > until {
            tally.next = Some(services.store.now());
            return Ok(tally);
        }
        let mut scope = services.store.read(lease.tenant, &system("notifier", None), &nobody()).await?;
        let Some(channel) = channels::channel(scope.sql(), lease.tenant, queue.channel).await? else { return Ok(tally) };
        drop(scope);
        if !queue.notices {
            if channel.refusals >= REFUSALS && channel.broken_at.is_none() {
                tally.broken = Some(channel.failure.as_ref().map(|failure| failure.detail.clone()).unwrap_or_default());
            }
            if channel.paused || channel.broken_at.is_some() || tally.broken.is_some() {
                return Ok(tally);
            }
            if let Some(hold) = channel.hold_until.filter(|hold| *hold > services.store.now()) {
                tally.next = Some(hold);
                return Ok(tally);
            }
        }
        let Some(taken) = take(services, lease, queue).await? else {
            tally.next = next(services, lease.tenant, queue).await?;
            return Ok(tally);
        };
        let mut scope = services.store.read(lease.tenant, &system("notifier", None), &nobody()).await?;
        let way = match queue.notices {
            true => Way::operator(services),
            false => Way::open(services, &mut scope, &channel).await?,
        };
        let (sendable, unwanted) = prepare(services, &mut scope, &channel, taken).await?;
        drop(scope);
        give_back(services, lease, &unwanted).await?;
        tally.dropped += u32::try_from(unwanted.len()).unwrap_or(u32::MAX);
        send_all(services, lease, &channel, (queue, until), &way, sendable, &mut tally).await?;
    }
}

async fn take(services: &Services, lease: &Lease, queue: Queue) -> Result<Option<Vec<DeliveryRow>>, Problem> {
    let tenant = lease.tenant;
    let mut scope = services.store.write(tenant, &system("notifier", None), &nobody()).await?;
    let now = scope.now();
    let ids = db::claim(scope.sql(), tenant, queue, lease.id.0, now, later(now, TAKEN_FOR), TAKEN).await?;
    if ids.is_empty() {
        return Ok(None);
    }
    let rows = db::deliveries_of(scope.sql(), tenant, &ids).await?;
    services.store.keep_working_state(scope, lease).await?;
    Ok(Some(rows))
}

async fn next(services: &Services, tenant: TenantId, queue: Queue) -> Result<Option<Timestamp>, Problem> {
    let mut scope = services.store.read(tenant, &system("notifier", None), &nobody()).await?;
    db::next_due(scope.sql(), tenant, queue).await
}

/// The messages of deliveries, and the deliveries whose recipients want no mail any more.
async fn prepare(
    services: &Services,
    scope: &mut ReadScope,
    channel: &channels::ChannelRow,
    rows: Vec<DeliveryRow>,
) -> Result<(Vec<Sendable>, Vec<uuid::Uuid>), Problem> {
    let tenant = scope.tenant();
    let name = tenancy::db::settings(scope.sql(), tenant).await?.name;
    let ids: HashSet<uuid::Uuid> = rows.iter().flat_map(|row| row.event_ids.iter().take(TOLD).copied()).collect();
    let events = db::events(scope.sql(), tenant, &ids.into_iter().collect::<Vec<_>>()).await?;
    let addresses: Vec<String> = rows.iter().filter_map(|row| row.delivery.recipient.clone()).collect();
    let preferences = channels::preferences(scope.sql(), tenant, &addresses).await?;
    let preferences: HashMap<&str, &channels::PreferenceRow> = preferences.iter().map(|row| (row.address.as_str(), row)).collect();
    let tokens = if addresses.is_empty() { None } else { Tokens::known(services, scope).await? };
    let (mut sendable, mut unwanted) = (Vec::new(), Vec::new());
    for row in rows {
        let delivery = &row.delivery;
        let preference = delivery.recipient.as_deref().and_then(|address| preferences.get(address));
        let gathered = delivery.kind == DeliveryKind::Digest;
        // A notice is about the service itself: a digest is no place for it, and only who wants no mail at all gets none.
        let wanted = preference.is_none_or(|row| model::wanted(row.mail, gathered || delivery.kind == DeliveryKind::Notice));
        let items: Vec<Item> = row
            .event_ids
            .iter()
            .take(TOLD)
            .filter_map(|id| events.get(id))
            .map(|told| Item { id: told.id, at: told.at, content: told.content.clone() })
            .collect();
        let more = u32::try_from(row.event_ids.len().saturating_sub(TOLD)).unwrap_or(u32::MAX);
        let what = match delivery.kind {
            DeliveryKind::Immediate | DeliveryKind::Digest => What::Events { gathered, items, more },
            DeliveryKind::Test => What::Test { channel: channel.name.clone() },
            DeliveryKind::Notice => What::Broken {
                channel: channel.name.clone(),
                detail: channel.failure.as_ref().map(|failure| failure.detail.clone()).unwrap_or_default(),
            },
        };
        let nothing = matches!(&what, What::Events { items, .. } if items.is_empty());
        if !wanted || nothing {
            unwanted.push(delivery.id.0);
            continue;
        }
        let message = Message {
            tenant: name.clone(),
            portal: services.senders.portal.clone(),
            what,
            rule: delivery.rule.as_ref().map(|rule| rule.name.clone()),
            min_severity: row.min_severity,
        };
        let unsubscribe = preference.zip(tokens.as_ref()).map(|(preference, tokens)| links(services, tokens, preference.id));
        sendable.push(Sendable { row, message, unsubscribe });
    }
    Ok((sendable, unwanted))
}

/// The links by which the person at an address ends this tenant's mail.
pub(super) fn links(services: &Services, tokens: &Tokens, row: uuid::Uuid) -> (Url, Url) {
    let (portal, token) = (&services.senders.portal, tokens.token(row));
    (unsubscribe::page(portal, &token), unsubscribe::one_click(portal, &token))
}

async fn give_back(services: &Services, lease: &Lease, unwanted: &[uuid::Uuid]) -> Result<(), Problem> {
    if unwanted.is_empty() {
        return Ok(());
    }
    let mut scope = services.store.write(lease.tenant, &system("notifier", None), &nobody()).await?;
    db::drop_deliveries(scope.sql(), lease.tenant, unwanted).await?;
    Ok(services.store.keep_working_state(scope, lease).await?)
}

/// What one attempt came to.
pub struct Attempt {
    pub row: DeliveryRow,
    pub at: Timestamp,
    pub took: Duration,
    pub outcome: Outcome,
}

/// Makes one attempt.
pub async fn attempt(services: &Services, way: &Way, sendable: Sendable) -> Attempt {
    let at = services.store.now();
    let outcome = way.send(&sendable, at).await;
    let took = Duration::try_from(services.store.now().duration_since(at)).unwrap_or_default();
    Attempt { row: sendable.row, at, took, outcome }
}

async fn send_all(
    services: &Services,
    lease: &Lease,
    channel: &channels::ChannelRow,
    (queue, until): (Queue, Timestamp),
    way: &Way,
    sendable: Vec<Sendable>,
    tally: &mut Tally,
) -> Result<(), Problem> {
    let rests = AtomicBool::new(false);
    let stop = &rests;
    let attempts = futures::stream::iter(sendable)
        // Looked at when an attempt's turn comes: what has not begun when the channel must rest, or the job's turn is over, does not begin.
        .map(|one| async move {
            if stop.load(Relaxed) || services.store.now() > until { None } else { Some(attempt(services, way, one).await) }
        })
        .buffer_unordered(way.at_once())
        .filter_map(|attempt| async move { attempt })
        .ready_chunks(KEPT);
    futures::pin_mut!(attempts);
    let mut health = Health::of(channel);
    while let Some(chunk) = attempts.next().await {
        let tried: Vec<Tried> = chunk.iter().map(|attempt| judge(attempt, way.kind())).collect();
        let rested = rests.load(Relaxed);
        health = after(health, &chunk, &tried, way.kind(), rested);
        rests.store(rested || (!queue.notices && (health.hold_until.is_some() || health.refusals >= REFUSALS)), Relaxed);
        for one in &tried {
            match one.state {
                DeliveryState::Delivered => tally.delivered += 1,
                DeliveryState::Dead => tally.dead += 1,
                _ => tally.retried += 1,
            }
        }
        let mut scope = services.store.write(lease.tenant, &system("notifier", None), &nobody()).await?;
        db::keep_tries(scope.sql(), lease.tenant, &tried).await?;
        if !queue.notices {
            db::set_health(scope.sql(), lease.tenant, queue.channel, &health).await?;
        }
        services.store.keep_working_state(scope, lease).await?;
    }
    let mut scope = services.store.write(lease.tenant, &system("notifier", None), &nobody()).await?;
    db::let_go(scope.sql(), lease.tenant, lease.id.0).await?;
    Ok(services.store.keep_working_state(scope, lease).await?)
}

impl Health {
    pub fn of(channel: &channels::ChannelRow) -> Self {
        Self {
            failures: channel.failures,
            refusals: channel.refusals,
            hold_until: channel.hold_until,
            broken_at: channel.broken_at,
            last_delivery: channel.last_delivery.clone(),
            failure: channel.failure.clone(),
        }
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(jiff::SignedDuration::try_from(by).unwrap_or(jiff::SignedDuration::MAX)).unwrap_or(at)
}

/// Whether an attempt failed of its own message, and says nothing about the channel. What the operator's mail server refuses, a tenant's
/// channel cannot mend.
fn own_fault(kind: ChannelKind, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Delivered { .. } => false,
        Outcome::Later { why, .. } => why.code == "refused",
        Outcome::Broken { why } => kind == ChannelKind::Smtp || matches!(why.code, "recipient_refused" | "bad_message" | "too_large"),
    }
}

/// What becomes of a delivery after an attempt.
pub fn judge(attempt: &Attempt, kind: ChannelKind) -> Tried {
    let delivery = &attempt.row.delivery;
    let number = i32::try_from(delivery.attempts).unwrap_or(i32::MAX).saturating_add(1);
    let at = attempt.at;
    let too_old = at.duration_since(delivery.created_at) > jiff::SignedDuration::try_from(PATIENCE).unwrap_or(jiff::SignedDuration::MAX);
    let again = |asked| match too_old {
        true => (DeliveryState::Dead, at),
        false => (DeliveryState::Retrying, later(at, model::wait_after(number, asked))),
    };
    let (outcome, (state, due_at)) = match &attempt.outcome {
        Outcome::Delivered { .. } => (TryOutcome::Delivered, (DeliveryState::Delivered, at)),
        Outcome::Later { after, .. } => (TryOutcome::Later, again(*after)),
        broken if own_fault(kind, broken) => (TryOutcome::Broken, (DeliveryState::Dead, at)),
        Outcome::Broken { .. } => (TryOutcome::Broken, again(None)),
    };
    let (code, detail) = match &attempt.outcome {
        Outcome::Delivered { receipt } => (None, receipt.clone()),
        Outcome::Later { why, .. } | Outcome::Broken { why } => (Some(why.code.to_owned()), sentence(&why.detail)),
    };
    let took_ms = i32::try_from(attempt.took.as_millis()).unwrap_or(i32::MAX);
    Tried { delivery: delivery.id, number, at, took_ms, outcome, code, detail, state, due_at }
}

/// How a channel does after some attempts that ended together. One that got through makes it well; else what concerns all of its
/// messages lets it rest, once for all attempts that were under way.
fn after(before: Health, chunk: &[Attempt], tried: &[Tried], kind: ChannelKind, rests: bool) -> Health {
    let Some(last) = tried.last() else { return before };
    let last_delivery = Some(LastDelivery { delivery: last.delivery, at: last.at, outcome: last.outcome });
    if tried.iter().any(|one| one.outcome == TryOutcome::Delivered) {
        return Health { last_delivery, ..Health::default() };
    }
    let of_the_channel = |attempt: &&Attempt| !own_fault(kind, &attempt.outcome);
    let Some(failed) = chunk.iter().find(of_the_channel) else { return Health { last_delivery, ..before } };
    let why = failed.outcome.why();
    let failure = why.map(|why| DeliveryFailure { code: why.code.to_owned(), detail: sentence(&why.detail), at: failed.at });
    if rests {
        return Health { last_delivery, failure, ..before };
    }
    match &failed.outcome {
        Outcome::Broken { .. } => {
            let refusals = before.refusals + 1;
            let hold_until = (refusals < REFUSALS).then(|| later(failed.at, model::wait_after(refusals, None)));
            Health { refusals, hold_until, last_delivery, failure, ..before }
        }
        Outcome::Later { after, .. } => {
            let failures = before.failures + 1;
            let hold_until = Some(later(failed.at, model::wait_after(failures, *after)));
            Health { failures, hold_until, last_delivery, failure, ..before }
        }
        Outcome::Delivered { .. } => before,
    }
}

/// With a full stop.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// The channel's own id, as its queue.
pub fn queue(channel: ChannelId) -> Queue {
    Queue { channel, notices: false }
}

/// The message that says that a channel works.
pub fn test_message(services: &Services, tenant: &str, channel: &str) -> Message {
    render::Message {
        tenant: tenant.to_owned(),
        portal: services.senders.portal.clone(),
        what: What::Test { channel: channel.to_owned() },
        rule: None,
        min_severity: None,
    }
}

#[cfg(test)]
mod tests;
