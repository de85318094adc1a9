//! From something that happened to who is told: what there is to tell is looked up once and kept with the event, then each rule that
//! wants it gets its deliveries, or lets it wait for its digest.

use super::model::{self, Content, DriftContent, Event, FailedRun, FailedScan, FixContent};
use super::render::{Item, Message, What};
use super::sending::db::{self as sending_db, NewDelivery};
use super::{db, digests, jobs};
use crate::{Services, evidence, findings, scans, tenancy};
use bailiwick_base::{DeliveryId, EventId, Problem, Timestamp};
use bailiwick_contract::findings::DriftQuery;
use bailiwick_contract::notifications::{DeliveryKind, NotificationRule, Recipient, Timing};
use bailiwick_store::{ReadScope, WriteScope};
use std::sync::Arc;

/// What there is to tell of an event; nothing where there is nothing (any more).
///
/// # Errors
/// The database's.
pub async fn content(scope: &mut ReadScope, event: &Event) -> Result<Option<Content>, Problem> {
    let tenant = scope.tenant();
    Ok(match event {
        Event::DriftRegressed { run, series, .. } => {
            // Against the run before, whatever baseline is pinned: each run tells what it made worse, once.
            let Some(before) = db::run_before(scope.sql(), tenant, series.0, run.0).await? else { return Ok(None) };
            let query =
                DriftQuery { from: Some(bailiwick_base::RunId(before)), to: Some(*run), series: Some(*series), ..DriftQuery::default() };
            let drift = findings::drift::compare(scope, &query, findings::drift::ITEMS).await?;
            drift.filter(|drift| drift.counts.regression > 0).map(|drift| Content::DriftRegressed(DriftContent::of(&drift)))
        }
        Event::RunFailed { run, .. } => evidence::db::run(scope.sql(), tenant, *run).await?.and_then(|row| {
            let run = row.run();
            let failure = run.failure?;
            let code = failure.code.name();
            let failed =
                FailedRun { run: run.id, source: run.source, project: run.project, code, detail: failure.detail, place: failure.place };
            Some(Content::RunFailed(failed))
        }),
        Event::ScanFailed { scan, .. } => scans::db::scan(scope.sql(), tenant, *scan).await?.and_then(|scan| {
            let end = scan.end?;
            let code = serde_json::to_value(end.code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
            let kind = scan.kind.as_str().to_owned();
            Some(Content::ScanFailed(FailedScan { scan: scan.id, directory: scan.directory, kind, code, detail: end.detail }))
        }),
        Event::FixWaiting(facts) | Event::FixDone(facts) => {
            let directory_name = db::directory_name(scope.sql(), tenant, facts.directory).await?;
            let fix = FixContent { facts: facts.clone(), directory_name };
            Some(if matches!(event, Event::FixWaiting(_)) { Content::FixWaiting(fix) } else { Content::FixDone(fix) })
        }
    })
}

/// What an event led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Rules that wanted it.
    pub rules: Vec<String>,
    pub deliveries: usize,
    pub gathered: usize,
}

/// Holds an event against the rules, and has it told.
///
/// # Errors
/// The database's.
pub async fn tell(
    services: &Services,
    scope: &mut WriteScope,
    id: EventId,
    event: &Event,
    at: Timestamp,
    content: &Content,
) -> Result<Matched, Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    let mut matched = Matched::default();
    for rule in db::rules_for(scope.sql(), tenant, event.kind()).await? {
        let wants = db::wants(&rule);
        if !model::concerns(&wants, event) || !model::enough(&wants, content) {
            continue;
        }
        let Some(channel) = db::channel(scope.sql(), tenant, rule.channel.id).await?.filter(|channel| !channel.paused) else { continue };
        if matches!(rule.timing, Timing::Immediate {}) {
            let items = vec![Item { id, at, content: Arc::new(content.clone()) }];
            matched.deliveries += deliver(services, scope, &rule, &channel, DeliveryKind::Immediate, items, vec![id]).await?;
        } else {
            digests::await_next(scope, &rule, now).await?;
            if rule.gathered < model::GATHERED {
                db::gather(scope.sql(), tenant, rule.id, id).await?;
                matched.gathered += 1;
            }
        }
        matched.rules.push(rule.name);
    }
    if !matched.rules.is_empty() {
        sending_db::set_content(scope.sql(), tenant, id, content).await?;
    }
    Ok(matched)
}

/// Makes the deliveries of a message about `events`, the first of which are told as `items`, one for each place it goes to, and has them sent. Answers how many.
///
/// # Errors
/// The database's.
pub async fn deliver(
    services: &Services,
    scope: &mut WriteScope,
    rule: &NotificationRule,
    channel: &db::ChannelRow,
    kind: DeliveryKind,
    items: Vec<Item>,
    events: Vec<EventId>,
) -> Result<usize, Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    let gathered = kind == DeliveryKind::Digest;
    let event = items.first().map(|item| item.content.kind());
    let more = u32::try_from(events.len().saturating_sub(items.len())).unwrap_or(u32::MAX);
    let message = Message {
        tenant: tenancy::db::settings(scope.sql(), tenant).await?.name,
        portal: services.senders.portal.clone(),
        what: What::Events { gathered, items, more },
        rule: Some(rule.name.clone()),
        min_severity: rule.min_severity,
    };
    let places = match channel.config.recipients() {
        Some(recipients) => {
            let wanting = addresses(scope, recipients).await?.into_iter().filter(|who| model::wanted(who.mail, gathered));
            wanting.map(|who| Some(who.address)).collect()
        }
        None => vec![None],
    };
    for recipient in &places {
        let new = NewDelivery {
            id: DeliveryId::new(scope.clock(), scope.rng()),
            kind,
            channel: channel.id,
            rule: Some(bailiwick_contract::evidence::Named { id: rule.id, name: rule.name.clone() }),
            min_severity: rule.min_severity,
            events: events.clone(),
            event,
            subject: message.subject(),
            recipient: recipient.clone(),
        };
        sending_db::insert_delivery(scope.sql(), tenant, &new, now).await?;
    }
    if !places.is_empty() {
        jobs::send(scope, sending_db::Queue { channel: channel.id, notices: false }).await?;
    }
    Ok(places.len())
}

/// The addresses behind a channel's recipients, each once, each known by a row that says what it wants. Members who left, and those
/// without an address, get nothing.
///
/// # Errors
/// The database's.
pub async fn addresses(scope: &mut WriteScope, recipients: &[Recipient]) -> Result<Vec<db::PreferenceRow>, Problem> {
    let tenant = scope.tenant();
    let addresses = db::addresses_of(scope.sql(), tenant, recipients).await?;
    for address in &addresses {
        let id = bailiwick_base::uuid_v7(scope.clock(), scope.rng());
        db::know_address(scope.sql(), tenant, id, address).await?;
    }
    let mut known = db::preferences(scope.sql(), tenant, &addresses).await?;
    known.sort_by_key(|row| addresses.iter().position(|address| *address == row.address));
    Ok(known)
}
