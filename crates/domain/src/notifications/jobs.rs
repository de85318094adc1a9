//! The jobs of notifications: matching what happened with the rules, sending digests when they are due, sending through a channel, and
//! sweeping the history.

use super::render::{Message, What};
use super::sending::db::{self as sending_db, NewDelivery, Queue};
use super::{db, digests, matching, sending, unsubscribe};
use crate::worker::{Done, Failed, nobody, system};
use crate::{Services, tenancy};
use bailiwick_base::{ChannelId, DeliveryId, EventId, Problem, RuleId, Timestamp};
use bailiwick_contract::notifications::DeliveryKind;
use bailiwick_store::{Audited, JobKind, Lease, NewJob, WriteScope};
use jiff::{SignedDuration, ToSpan};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

const fn kind(name: &'static str, schedule: Option<&'static str>) -> JobKind {
    JobKind {
        name,
        max_attempts: 24,
        lease: Duration::from_secs(60),
        backoff: Duration::from_secs(2),
        longest_wait: Duration::from_secs(60),
        schedule,
    }
}

/// Holds one event against the rules.
pub const MATCH: JobKind = kind("notifications.match", None);
/// A rule's digest is due.
pub const DIGEST: JobKind = kind("notifications.digest", None);
/// Sends what is due through one channel.
pub const DELIVER: JobKind = kind("notifications.deliver", None);
/// Gives up what nobody took, and deletes history after ninety days.
pub const SWEEP: JobKind = kind("notifications.sweep", Some("41 3 * * *"));

/// How long what was sent can be looked up.
const HISTORY_DAYS: i64 = 90;

/// Has a queue's due deliveries sent. Jobs of one queue run one after the other; those of different queues do not wait for each other.
///
/// # Errors
/// The database's.
pub async fn send(scope: &mut WriteScope, queue: Queue) -> Result<(), Problem> {
    let mut job = deliver_job(queue);
    job.concurrency_key = Some(format!("notify:{}:{}", queue.channel, queue.notices));
    scope.enqueue(job).await?;
    Ok(())
}

fn deliver_job(queue: Queue) -> NewJob {
    let payload = json!({"channel": queue.channel, "notices": queue.notices});
    NewJob { kind: DELIVER.name, payload, concurrency_key: None, dedup_key: None }
}

/// The job that looks again later. It has no concurrency key: waiting for its time it would keep the queue's other jobs waiting.
fn look_again(queue: Queue, at: Timestamp) -> (NewJob, Timestamp) {
    // In whole seconds, so that deliveries that wait alike are looked at by one job.
    let at = Timestamp::from_second(at.as_second() + i64::from(at.subsec_nanosecond() > 0)).unwrap_or(at);
    let mut job = deliver_job(queue);
    job.dedup_key = Some(format!("notify:again:{}:{}:{at}", queue.channel, queue.notices));
    (job, at)
}

#[derive(Deserialize)]
struct EventPayload {
    event: EventId,
}

/// Matches an event. Nothing where no rule wants it: then there is nothing to keep, nor to tell the trail.
///
/// # Errors
/// The database's.
pub async fn match_event(services: &Services, lease: &Lease) -> Result<Option<Done>, Failed> {
    let EventPayload { event: id } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    let tenant = lease.tenant;
    let mut scope = services.store.read(tenant, &system("notifier", None), &nobody()).await.map_err(Problem::from)?;
    let found = match sending_db::event(scope.sql(), tenant, id).await? {
        Some((event, at)) if db::any_rule_for(scope.sql(), tenant, event.kind()).await? => {
            matching::content(&mut scope, &event).await?.map(|content| (event, at, content))
        }
        _ => None,
    };
    drop(scope);
    let Some((event, at, content)) = found else { return quiet(services, lease, None).await };
    let mut scope = services.store.write(tenant, &system("notifier", None), &nobody()).await.map_err(Problem::from)?;
    // Made before the first mail, which carries a link by it.
    unsubscribe::Tokens::of(services, &mut scope).await?;
    let matched = matching::tell(services, &mut scope, id, &event, at, &content).await?;
    if matched.rules.is_empty() {
        drop(scope);
        return quiet(services, lease, None).await;
    }
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({
        "event": event.kind(), "rules": matched.rules, "deliveries": matched.deliveries, "gathered": matched.gathered, "on_behalf": lease.on_behalf,
    });
    Ok(Some(Done { scope, action: "notification.matched", audited: Audited::new((), format!("event/{id}"), detail) }))
}

async fn quiet(services: &Services, lease: &Lease, next: Option<(NewJob, Timestamp)>) -> Result<Option<Done>, Failed> {
    services.store.finish_quietly(lease, next).await.map_err(Problem::from)?;
    Ok(None)
}

#[derive(Deserialize)]
struct DigestPayload {
    rule: RuleId,
    at: Timestamp,
}

/// Sends a rule's digest, if this is still its time.
///
/// # Errors
/// The database's.
pub async fn digest(services: &Services, lease: &Lease) -> Result<Option<Done>, Failed> {
    let DigestPayload { rule, at } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    let mut scope = services.store.write(lease.tenant, &system("notifier", None), &nobody()).await.map_err(Problem::from)?;
    let Some((events, deliveries)) = digests::send(services, &mut scope, rule, at).await? else {
        drop(scope);
        return quiet(services, lease, None).await;
    };
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({"events": events, "deliveries": deliveries});
    Ok(Some(Done { scope, action: "notification.digested", audited: Audited::new((), format!("notification_rule/{rule}"), detail) }))
}

#[derive(Deserialize)]
struct DeliverPayload {
    channel: ChannelId,
    notices: bool,
}

/// Sends what is due through a channel.
///
/// # Errors
/// The database's. What a channel does is no error of the job.
pub async fn deliver(services: &Services, lease: &Lease) -> Result<Option<Done>, Failed> {
    let DeliverPayload { channel, notices } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    let queue = Queue { channel, notices };
    let tally = sending::drain(services, lease, queue).await?;
    let again = tally.next.map(|at| look_again(queue, at));
    if !tally.tells() {
        return quiet(services, lease, again).await;
    }
    let tenant = lease.tenant;
    let mut scope = services.store.write(tenant, &system("notifier", None), &nobody()).await.map_err(Problem::from)?;
    let mut action = "notification.sent";
    let mut detail = json!({"delivered": tally.delivered, "dead": tally.dead, "dropped": tally.dropped, "retried": tally.retried});
    if let Some(why) = &tally.broken {
        action = "channel.broken";
        detail["failure"] = json!(why);
        tell_owners(services, &mut scope, channel).await?;
    }
    if let Some((job, at)) = again {
        scope.enqueue_at(job, at).await.map_err(Problem::from)?;
    }
    scope.finish(lease).await.map_err(Problem::from)?;
    Ok(Some(Done { scope, action, audited: Audited::new((), format!("channel/{channel}"), detail) }))
}

/// Marks a channel as broken and tells the owners by the operator's mail server, where there is one.
async fn tell_owners(services: &Services, scope: &mut WriteScope, id: ChannelId) -> Result<(), Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    let Some(channel) = db::channel(scope.sql(), tenant, id).await? else { return Ok(()) };
    let health = sending_db::Health { broken_at: Some(now), hold_until: None, ..sending_db::Health::of(&channel) };
    sending_db::set_health(scope.sql(), tenant, id, &health).await?;
    if services.senders.mail.is_none() {
        return Ok(());
    }
    let message = Message {
        tenant: tenancy::db::settings(scope.sql(), tenant).await?.name,
        portal: services.senders.portal.clone(),
        what: What::Broken { channel: channel.name.clone(), detail: String::new() },
        rule: None,
        min_severity: None,
    };
    let owners = db::owners(scope.sql(), tenant).await?;
    let owners: Vec<_> = owners.into_iter().map(bailiwick_contract::notifications::Recipient::Address).collect();
    let told = matching::addresses(scope, &owners).await?;
    for owner in &told {
        let new = NewDelivery {
            id: DeliveryId::new(scope.clock(), scope.rng()),
            kind: DeliveryKind::Notice,
            channel: id,
            rule: None,
            min_severity: None,
            events: Vec::new(),
            event: None,
            subject: message.subject(),
            recipient: Some(owner.address.clone()),
        };
        sending_db::insert_delivery(scope.sql(), tenant, &new, now).await?;
    }
    if !told.is_empty() {
        send(scope, Queue { channel: id, notices: true }).await?;
    }
    Ok(())
}

/// Tells the trail of a job that is not tried any more, and lets its rule go on. Sending needs none: another job looks again.
///
/// # Errors
/// The database's.
pub async fn give_up(services: &Services, lease: &Lease, problem: &Problem) -> Result<Done, Failed> {
    let mut scope = services.store.write(lease.tenant, &system("notifier", None), &nobody()).await.map_err(Problem::from)?;
    let target = if lease.kind == DIGEST.name {
        let DigestPayload { rule, at } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
        digests::put_off(&mut scope, rule, at).await?;
        format!("notification_rule/{rule}")
    } else {
        let EventPayload { event } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
        format!("event/{event}")
    };
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({"job": lease.kind, "problem": problem.detail});
    Ok(Done { scope, action: "notification.given_up", audited: Audited::new((), target, detail) })
}

/// Sweeps one tenant.
///
/// # Errors
/// The database's.
pub async fn sweep(services: &Services, lease: &Lease) -> Result<Option<Done>, Failed> {
    let tenant = lease.tenant;
    let mut scope = services.store.write(tenant, &system("notifier", None), &nobody()).await.map_err(Problem::from)?;
    let now = scope.now();
    // A little longer than an attempt would, so that what is still being tried ends by its own attempt, with its reason.
    let patience = SignedDuration::try_from(super::model::PATIENCE).unwrap_or(SignedDuration::MAX) + SignedDuration::from_hours(24);
    let given_up = sending_db::give_up_before(scope.sql(), tenant, now - patience).await?;
    let (deliveries, events) = sending_db::sweep(scope.sql(), tenant, now - (HISTORY_DAYS * 24).hours()).await?;
    if given_up + deliveries + events == 0 {
        drop(scope);
        return quiet(services, lease, None).await;
    }
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({"given_up": given_up, "deliveries": deliveries, "events": events});
    Ok(Some(Done { scope, action: "notification.swept", audited: Audited::new((), format!("tenant/{tenant}"), detail) }))
}
