//! Digests: what rules gathered, sent together when each one's time comes, in its own zone.

use super::model;
use super::render::{Item, TOLD};
use super::sending::db as sending_db;
use super::{db, jobs, matching};
use crate::Services;
use bailiwick_base::{Problem, RuleId, Timestamp};
use bailiwick_contract::notifications::{DeliveryKind, NotificationRule};
use bailiwick_store::{NewJob, WriteScope};
use jiff::SignedDuration;
use serde_json::json;

/// A digest whose time is so long past, and that was not sent, is not sent by itself any more.
const STALE: SignedDuration = SignedDuration::from_hours(1);

/// Lets a rule's digest wait for its time, unless it waits already.
///
/// # Errors
/// The database's.
pub async fn await_next(scope: &mut WriteScope, rule: &NotificationRule, now: Timestamp) -> Result<(), Problem> {
    // A time long past is that of a job that died: the rule waits anew.
    if rule.next_digest_at.is_some_and(|at| at > now - STALE) {
        return Ok(());
    }
    match model::next_digest(&rule.timing, now)? {
        Some(at) => wait(scope, rule.id, at).await,
        None => Ok(()),
    }
}

/// Lets a rule's digest wait for a time, whatever it waited for before.
///
/// # Errors
/// The database's.
pub async fn wait(scope: &mut WriteScope, rule: RuleId, at: Timestamp) -> Result<(), Problem> {
    let tenant = scope.tenant();
    db::set_next_digest(scope.sql(), tenant, rule, Some(at)).await?;
    let job =
        NewJob { kind: jobs::DIGEST.name, payload: json!({"rule": rule, "at": at}), concurrency_key: None, dedup_key: Some(key(rule, at)) };
    scope.enqueue_at(job, at).await?;
    Ok(())
}

/// Lets it wait no more.
///
/// # Errors
/// The database's.
pub async fn forget(scope: &mut WriteScope, rule: &NotificationRule) -> Result<(), Problem> {
    match rule.next_digest_at {
        Some(at) => Ok(scope.unqueue(&key(rule.id, at)).await?),
        None => Ok(()),
    }
}

fn key(rule: RuleId, at: Timestamp) -> String {
    format!("notify:digest:{rule}:{at}")
}

/// Sends what a rule gathered, if its time is this one. Answers of how many events and to how many places; nothing where the rule was
/// changed, turned off or removed meanwhile.
///
/// # Errors
/// The database's.
pub async fn send(services: &Services, scope: &mut WriteScope, id: RuleId, at: Timestamp) -> Result<Option<(usize, usize)>, Problem> {
    let tenant = scope.tenant();
    if !db::lock_rule(scope.sql(), tenant, id).await? {
        return Ok(None);
    }
    let Some(rule) = db::rule(scope.sql(), tenant, id).await?.filter(|rule| rule.enabled && rule.next_digest_at == Some(at)) else {
        return Ok(None);
    };
    db::set_next_digest(scope.sql(), tenant, id, None).await?;
    let channel = db::channel(scope.sql(), tenant, rule.channel.id).await?.filter(|channel| !channel.paused);
    let Some(channel) = channel else {
        // What was gathered waits for the next time: somebody may resume the channel until then.
        let now = scope.now();
        if let Some(next) = model::next_digest(&rule.timing, now)? {
            wait(scope, id, next).await?;
        }
        return Ok(Some((0, 0)));
    };
    let ids = db::take_gathered(scope.sql(), tenant, id).await?;
    let found = sending_db::events(scope.sql(), tenant, &ids.iter().take(TOLD).map(|id| id.0).collect::<Vec<_>>()).await?;
    let items: Vec<Item> =
        ids.iter().filter_map(|id| found.get(&id.0)).map(|told| Item { id: told.id, at: told.at, content: told.content.clone() }).collect();
    if items.is_empty() {
        return Ok(Some((0, 0)));
    }
    let events = ids.len();
    let places = matching::deliver(services, scope, &rule, &channel, DeliveryKind::Digest, items, ids).await?;
    Ok(Some((events, places)))
}

/// Sets a rule whose digest could not be sent to its next time; what it gathered waits until then.
///
/// # Errors
/// The database's.
pub async fn put_off(scope: &mut WriteScope, id: RuleId, at: Timestamp) -> Result<(), Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    if !db::lock_rule(scope.sql(), tenant, id).await? {
        return Ok(());
    }
    let Some(rule) = db::rule(scope.sql(), tenant, id).await?.filter(|rule| rule.next_digest_at == Some(at)) else { return Ok(()) };
    match model::next_digest(&rule.timing, now)? {
        Some(next) => wait(scope, id, next).await,
        None => db::set_next_digest(scope.sql(), tenant, id, None).await,
    }
}
