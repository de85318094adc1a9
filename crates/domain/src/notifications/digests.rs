//! Digests: what rules gathered, sent together when each one's time comes, in its own zone.

use super::model;
use super::render::Item;
use super::sending::db as sending_db;
use super::{db, jobs, matching};
use crate::Services;
use bailiwick_base::{Problem, RuleId, Timestamp};
use bailiwick_contract::notifications::{DeliveryKind, NotificationRule};
use bailiwick_store::{NewJob, WriteScope};
use serde_json::json;

/// Lets a rule's digest wait for its time, unless it waits already.
///
/// # Errors
/// The database's.
pub async fn await_next(scope: &mut WriteScope, rule: &NotificationRule, now: Timestamp) -> Result<(), Problem> {
    if rule.next_digest_at.is_some() {
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
    let ids = db::take_gathered(scope.sql(), tenant, id).await?;
    let found = sending_db::events(scope.sql(), tenant, &ids.iter().map(|id| id.0).collect::<Vec<_>>()).await?;
    let items: Vec<Item> =
        ids.iter().filter_map(|id| found.get(&id.0)).map(|told| Item { id: told.id, at: told.at, content: told.content.clone() }).collect();
    let channel = db::channel(scope.sql(), tenant, rule.channel.id).await?.filter(|channel| !channel.paused);
    let Some(channel) = channel.filter(|_| !items.is_empty()) else { return Ok(Some((items.len(), 0))) };
    let events = items.len();
    let places = matching::deliver(services, scope, &rule, &channel, DeliveryKind::Digest, items).await?;
    Ok(Some((events, places)))
}
