//! All SQL of events, deliveries, their tries, and how channels do.

use super::super::model::{Content, Event};
use bailiwick_base::{ChannelId, DeliveryId, EventId, Problem, RuleId, Severity, TenantId, Timestamp};
use bailiwick_contract::evidence::Named;
use bailiwick_contract::notifications::{
    ChannelKind, Delivery, DeliveryChannel, DeliveryFailure, DeliveryKind, DeliveryState, DeliveryTry, EventKind, LastDelivery, TryOutcome,
};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

// ---- events ------------------------------------------------------------------------------------------------------

pub async fn insert_event(sql: &mut PgConnection, tenant: TenantId, id: EventId, event: &Event, now: Timestamp) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO notification_events (tenant_id, id, project_id, directory_id, kind, at, subject) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(event.project().map(|project| project.0))
    .bind(event.directory().map(|directory| directory.0))
    .bind(event.kind().as_str())
    .bind(sql_time(now))
    .bind(Json(event))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// What happened, and when.
pub async fn event(sql: &mut PgConnection, tenant: TenantId, id: EventId) -> Result<Option<(Event, Timestamp)>, Problem> {
    let row: Option<(Json<Event>, SqlTime)> =
        sqlx::query_as("SELECT subject, at FROM notification_events WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(id.0)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(row.map(|(event, at)| (event.0, at.to_jiff())))
}

pub async fn set_content(sql: &mut PgConnection, tenant: TenantId, id: EventId, content: &Content) -> Result<(), Problem> {
    sqlx::query("UPDATE notification_events SET content = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .bind(Json(content))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// An event with what there is to tell.
#[derive(Debug, Clone)]
pub struct ToldEvent {
    pub id: EventId,
    pub at: Timestamp,
    pub event: Event,
    pub content: Arc<Content>,
}

type RawEvent = (Uuid, SqlTime, Json<Event>, Json<Content>);

fn told((id, at, event, content): RawEvent) -> ToldEvent {
    ToldEvent { id: EventId(id), at: at.to_jiff(), event: event.0, content: Arc::new(content.0) }
}

/// Events by id, where there is something to tell of them.
pub async fn events(sql: &mut PgConnection, tenant: TenantId, ids: &[Uuid]) -> Result<HashMap<Uuid, ToldEvent>, Problem> {
    let rows: Vec<RawEvent> = sqlx::query_as(
        "SELECT id, at, subject, content FROM notification_events WHERE tenant_id = $1 AND id = ANY ($2) AND content IS NOT NULL",
    )
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|row| (row.0, told(row))).collect())
}

/// The newest event of a kind, told or not: what a preview shows.
pub async fn newest_event(
    sql: &mut PgConnection,
    tenant: TenantId,
    kind: EventKind,
) -> Result<Option<(EventId, Event, Timestamp)>, Problem> {
    let row: Option<(Uuid, Json<Event>, SqlTime)> = sqlx::query_as(
        "SELECT id, subject, at FROM notification_events WHERE tenant_id = $1 AND kind = $2 ORDER BY at DESC, id DESC LIMIT 1",
    )
    .bind(tenant.0)
    .bind(kind.as_str())
    .fetch_optional(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(row.map(|(id, event, at)| (EventId(id), event.0, at.to_jiff())))
}

// ---- deliveries --------------------------------------------------------------------------------------------------

/// A delivery to be made.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub id: DeliveryId,
    pub kind: DeliveryKind,
    pub channel: ChannelId,
    pub rule: Option<Named<RuleId>>,
    pub min_severity: Option<Severity>,
    pub events: Vec<EventId>,
    pub event: Option<EventKind>,
    pub subject: String,
    pub recipient: Option<String>,
}

pub async fn insert_delivery(sql: &mut PgConnection, tenant: TenantId, new: &NewDelivery, now: Timestamp) -> Result<(), Problem> {
    let events: Vec<Uuid> = new.events.iter().map(|event| event.0).collect();
    sqlx::query(
        "INSERT INTO deliveries (tenant_id, id, kind, state, channel_id, rule_id, rule_name, min_severity, event_ids, event, subject, recipient,
                                 created_at, due_at)
         VALUES ($1, $2, $3, 'waiting', $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
    )
    .bind(tenant.0)
    .bind(new.id.0)
    .bind(new.kind.as_str())
    .bind(new.channel.0)
    .bind(new.rule.as_ref().map(|rule| rule.id.0))
    .bind(new.rule.as_ref().map(|rule| rule.name.as_str()))
    .bind(new.min_severity.map(Severity::number))
    .bind(events)
    .bind(new.event.map(EventKind::as_str))
    .bind(&new.subject)
    .bind(new.recipient.as_deref())
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

macro_rules! delivery_columns {
    () => {
        "SELECT d.id, d.kind, d.state, d.channel_id, c.name AS channel_name, c.kind AS channel_kind, d.rule_id, d.rule_name, d.min_severity,
                d.event_ids, d.event, d.subject, d.recipient, d.attempts, d.created_at, d.due_at, d.delivered_at, d.failure, h.hold_until
         FROM deliveries d JOIN channels c ON c.tenant_id = d.tenant_id AND c.id = d.channel_id
         LEFT JOIN channel_health h ON h.tenant_id = d.tenant_id AND h.channel_id = d.channel_id "
    };
}

#[derive(FromRow)]
struct RawDelivery {
    id: Uuid,
    kind: String,
    state: String,
    channel_id: Uuid,
    channel_name: String,
    channel_kind: String,
    rule_id: Option<Uuid>,
    rule_name: Option<String>,
    min_severity: Option<i16>,
    event_ids: Vec<Uuid>,
    event: Option<String>,
    subject: String,
    recipient: Option<String>,
    attempts: i32,
    created_at: SqlTime,
    due_at: SqlTime,
    delivered_at: Option<SqlTime>,
    failure: Option<Json<DeliveryFailure>>,
    hold_until: Option<SqlTime>,
}

/// A delivery as it is shown, with what it is made of.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    pub delivery: Delivery,
    pub event_ids: Vec<Uuid>,
    pub min_severity: Option<Severity>,
}

fn delivery_row(raw: RawDelivery) -> DeliveryRow {
    let state = DeliveryState::parse(&raw.state).unwrap_or(DeliveryState::Dead);
    let kind = DeliveryKind::parse(&raw.kind).unwrap_or(DeliveryKind::Immediate);
    let pending = matches!(state, DeliveryState::Waiting | DeliveryState::Retrying);
    // A channel that rests holds up what waits for it; a notice goes another way.
    let hold = raw.hold_until.filter(|_| kind != DeliveryKind::Notice);
    let next = hold.map_or(raw.due_at.to_jiff(), |hold| hold.to_jiff().max(raw.due_at.to_jiff()));
    let delivery = Delivery {
        id: DeliveryId(raw.id),
        kind,
        state,
        channel: DeliveryChannel {
            id: ChannelId(raw.channel_id),
            name: raw.channel_name,
            kind: ChannelKind::parse(&raw.channel_kind).unwrap_or(ChannelKind::Smtp),
        },
        rule: raw.rule_id.zip(raw.rule_name).map(|(id, name)| Named { id: RuleId(id), name }),
        event: raw.event.as_deref().and_then(EventKind::parse),
        events: u32::try_from(raw.event_ids.len()).unwrap_or(u32::MAX),
        subject: raw.subject,
        recipient: raw.recipient,
        attempts: u32::try_from(raw.attempts).unwrap_or(0),
        created_at: raw.created_at.to_jiff(),
        next_try_at: pending.then_some(next),
        delivered_at: raw.delivered_at.map(SqlTime::to_jiff),
        failure: raw.failure.map(|failure| failure.0),
    };
    DeliveryRow { delivery, event_ids: raw.event_ids, min_severity: raw.min_severity.and_then(Severity::from_number) }
}

pub struct DeliveryFilter {
    pub channel: Option<ChannelId>,
    pub rule: Option<RuleId>,
    pub state: Option<&'static str>,
    pub before: Option<(Timestamp, Uuid)>,
}

/// Deliveries, newest first.
pub async fn deliveries(
    sql: &mut PgConnection,
    tenant: TenantId,
    filter: &DeliveryFilter,
    limit: i64,
) -> Result<Vec<DeliveryRow>, Problem> {
    let (at, id) = filter.before.unzip();
    let rows: Vec<RawDelivery> = sqlx::query_as(concat!(
        delivery_columns!(),
        "WHERE d.tenant_id = $1 AND ($2::uuid IS NULL OR d.channel_id = $2) AND ($3::uuid IS NULL OR d.rule_id = $3)
           AND ($4::text IS NULL OR d.state = $4) AND ($5::timestamptz IS NULL OR (d.created_at, d.id) < ($5, $6))
         ORDER BY d.created_at DESC, d.id DESC LIMIT $7"
    ))
    .bind(tenant.0)
    .bind(filter.channel.map(|channel| channel.0))
    .bind(filter.rule.map(|rule| rule.0))
    .bind(filter.state)
    .bind(at.map(sql_time))
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(delivery_row).collect())
}

/// Deliveries by id, in the order of their ids.
pub async fn deliveries_of(sql: &mut PgConnection, tenant: TenantId, ids: &[Uuid]) -> Result<Vec<DeliveryRow>, Problem> {
    let rows: Vec<RawDelivery> =
        sqlx::query_as(concat!(delivery_columns!(), "WHERE d.tenant_id = $1 AND d.id = ANY ($2) ORDER BY d.due_at, d.id"))
            .bind(tenant.0)
            .bind(ids)
            .fetch_all(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(delivery_row).collect())
}

pub async fn delivery(sql: &mut PgConnection, tenant: TenantId, id: DeliveryId) -> Result<Option<DeliveryRow>, Problem> {
    Ok(deliveries_of(sql, tenant, &[id.0]).await?.pop())
}

/// The newest tries, newest first.
pub async fn tries(sql: &mut PgConnection, tenant: TenantId, id: DeliveryId) -> Result<Vec<DeliveryTry>, Problem> {
    type Row = (i32, SqlTime, i32, String, Option<String>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT number, at, took_ms, outcome, code, detail FROM delivery_tries WHERE tenant_id = $1 AND delivery_id = $2
         ORDER BY number DESC LIMIT 50",
    )
    .bind(tenant.0)
    .bind(id.0)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    let shown = |(number, at, took_ms, outcome, code, detail): Row| DeliveryTry {
        number: u32::try_from(number).unwrap_or(0),
        at: at.to_jiff(),
        took_ms: u32::try_from(took_ms).unwrap_or(0),
        outcome: TryOutcome::parse(&outcome).unwrap_or(TryOutcome::Broken),
        code,
        detail,
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// Which of a channel's deliveries a job sends: those through the channel, or the notices about it, which go by the operator's server.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    pub channel: ChannelId,
    pub notices: bool,
}

/// Takes due deliveries for a job, so that no other sends them meanwhile; those it took before it was interrupted are among them.
pub async fn claim(
    sql: &mut PgConnection,
    tenant: TenantId,
    queue: Queue,
    job: Uuid,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Uuid>, Problem> {
    sqlx::query_scalar(
        "UPDATE deliveries SET claimed_by = $4, claimed_until = $6
         FROM (SELECT d.id FROM deliveries d
               WHERE d.tenant_id = $1 AND d.channel_id = $2 AND (d.kind = 'notice') = $3 AND d.state IN ('waiting', 'retrying') AND d.due_at <= $5
                 AND (d.claimed_until IS NULL OR d.claimed_until <= $5 OR d.claimed_by = $4)
               ORDER BY d.due_at, d.id LIMIT $7 FOR UPDATE SKIP LOCKED) due
         WHERE deliveries.tenant_id = $1 AND deliveries.id = due.id RETURNING deliveries.id",
    )
    .bind(tenant.0)
    .bind(queue.channel.0)
    .bind(queue.notices)
    .bind(job)
    .bind(sql_time(now))
    .bind(sql_time(until))
    .bind(limit)
    .fetch_all(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// Lets go of what a job took and did not send.
pub async fn let_go(sql: &mut PgConnection, tenant: TenantId, job: Uuid) -> Result<(), Problem> {
    sqlx::query("UPDATE deliveries SET claimed_by = NULL, claimed_until = NULL WHERE tenant_id = $1 AND claimed_by = $2")
        .bind(tenant.0)
        .bind(job)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// When the next of a queue's deliveries may be sent.
pub async fn next_due(sql: &mut PgConnection, tenant: TenantId, queue: Queue) -> Result<Option<Timestamp>, Problem> {
    let at: Option<SqlTime> = sqlx::query_scalar(
        "SELECT min(greatest(due_at, claimed_until)) FROM deliveries
         WHERE tenant_id = $1 AND channel_id = $2 AND (kind = 'notice') = $3 AND state IN ('waiting', 'retrying')",
    )
    .bind(tenant.0)
    .bind(queue.channel.0)
    .bind(queue.notices)
    .fetch_one(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(at.map(SqlTime::to_jiff))
}

/// What one attempt came to, and what becomes of the delivery.
#[derive(Debug, Clone)]
pub struct Tried {
    pub delivery: DeliveryId,
    pub number: i32,
    pub at: Timestamp,
    pub took_ms: i32,
    pub outcome: TryOutcome,
    pub code: Option<String>,
    pub detail: String,
    pub state: DeliveryState,
    pub due_at: Timestamp,
}

impl Tried {
    pub fn failure(&self) -> Option<DeliveryFailure> {
        let code = self.code.clone()?;
        Some(DeliveryFailure { code, detail: self.detail.clone(), at: self.at })
    }
}

/// Keeps attempts, with what becomes of their deliveries.
pub async fn keep_tries(sql: &mut PgConnection, tenant: TenantId, tried: &[Tried]) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE deliveries SET state = t.state, attempts = t.attempts, due_at = t.due_at, delivered_at = t.delivered_at, failure = t.failure,
                claimed_by = NULL, claimed_until = NULL
         FROM unnest($2::uuid[], $3::text[], $4::integer[], $5::timestamptz[], $6::timestamptz[], $7::jsonb[])
              t (id, state, attempts, due_at, delivered_at, failure)
         WHERE deliveries.tenant_id = $1 AND deliveries.id = t.id",
    )
    .bind(tenant.0)
    .bind(tried.iter().map(|one| one.delivery.0).collect::<Vec<Uuid>>())
    .bind(tried.iter().map(|one| one.state.as_str().to_owned()).collect::<Vec<String>>())
    .bind(tried.iter().map(|one| one.number).collect::<Vec<i32>>())
    .bind(tried.iter().map(|one| sql_time(one.due_at)).collect::<Vec<SqlTime>>())
    .bind(tried.iter().map(|one| (one.state == DeliveryState::Delivered).then(|| sql_time(one.at))).collect::<Vec<Option<SqlTime>>>())
    .bind(tried.iter().map(|one| one.failure().map(Json)).collect::<Vec<Option<Json<DeliveryFailure>>>>())
    .execute(&mut *sql)
    .await
    .map_err(StoreError::from)?;
    let column = |of: fn(&Tried) -> String| tried.iter().map(of).collect::<Vec<String>>();
    sqlx::query(
        "INSERT INTO delivery_tries (tenant_id, delivery_id, number, at, took_ms, outcome, code, detail)
         SELECT $1, t.* FROM unnest($2::uuid[], $3::integer[], $4::timestamptz[], $5::integer[], $6::text[], $7::text[], $8::text[]) t
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.0)
    .bind(tried.iter().map(|one| one.delivery.0).collect::<Vec<Uuid>>())
    .bind(tried.iter().map(|one| one.number).collect::<Vec<i32>>())
    .bind(tried.iter().map(|one| sql_time(one.at)).collect::<Vec<SqlTime>>())
    .bind(tried.iter().map(|one| one.took_ms).collect::<Vec<i32>>())
    .bind(column(|one| one.outcome.as_str().to_owned()))
    .bind(tried.iter().map(|one| one.code.clone()).collect::<Vec<Option<String>>>())
    .bind(column(|one| one.detail.clone()))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Whether a channel was tested since a time.
pub async fn tested_since(sql: &mut PgConnection, tenant: TenantId, channel: ChannelId, since: Timestamp) -> Result<bool, Problem> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM deliveries WHERE tenant_id = $1 AND channel_id = $2 AND kind = 'test' AND created_at > $3)",
    )
    .bind(tenant.0)
    .bind(channel.0)
    .bind(sql_time(since))
    .fetch_one(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// Takes deliveries back before they are sent.
pub async fn drop_deliveries(sql: &mut PgConnection, tenant: TenantId, ids: &[Uuid]) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE deliveries SET state = 'dropped', claimed_by = NULL, claimed_until = NULL
         WHERE tenant_id = $1 AND id = ANY ($2) AND state IN ('waiting', 'retrying')",
    )
    .bind(tenant.0)
    .bind(ids)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Takes everything back that waits for a channel.
pub async fn drop_of_channel(sql: &mut PgConnection, tenant: TenantId, channel: ChannelId) -> Result<u64, Problem> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'dropped', claimed_by = NULL, claimed_until = NULL
         WHERE tenant_id = $1 AND channel_id = $2 AND state IN ('waiting', 'retrying')",
    )
    .bind(tenant.0)
    .bind(channel.0)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected())
}

/// Puts a dead delivery back; false when it is not dead.
pub async fn revive(sql: &mut PgConnection, tenant: TenantId, id: DeliveryId, now: Timestamp) -> Result<bool, Problem> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'waiting', due_at = $3, claimed_by = NULL, claimed_until = NULL
         WHERE tenant_id = $1 AND id = $2 AND state = 'dead'",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected() == 1)
}

/// Lets what waits for a channel be sent at once.
pub async fn hurry(sql: &mut PgConnection, tenant: TenantId, channel: ChannelId, now: Timestamp) -> Result<u64, Problem> {
    let done = sqlx::query(
        "UPDATE deliveries SET due_at = least(due_at, $3) WHERE tenant_id = $1 AND channel_id = $2 AND state IN ('waiting', 'retrying')",
    )
    .bind(tenant.0)
    .bind(channel.0)
    .bind(sql_time(now))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected())
}

// ---- how channels do ---------------------------------------------------------------------------------------------

/// How a channel does after some attempts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Health {
    pub failures: i32,
    pub refusals: i32,
    pub hold_until: Option<Timestamp>,
    pub broken_at: Option<Timestamp>,
    pub last_delivery: Option<LastDelivery>,
    pub failure: Option<DeliveryFailure>,
}

pub async fn set_health(sql: &mut PgConnection, tenant: TenantId, channel: ChannelId, health: &Health) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE channel_health SET failures = $3, refusals = $4, hold_until = $5, broken_at = $6, last_delivery = $7, failure = $8
         WHERE tenant_id = $1 AND channel_id = $2",
    )
    .bind(tenant.0)
    .bind(channel.0)
    .bind(health.failures)
    .bind(health.refusals)
    .bind(health.hold_until.map(sql_time))
    .bind(health.broken_at.map(sql_time))
    .bind(health.last_delivery.as_ref().map(Json))
    .bind(health.failure.as_ref().map(Json))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

// ---- sweeping ----------------------------------------------------------------------------------------------------

/// Gives up what waited too long; answers how many.
pub async fn give_up_before(sql: &mut PgConnection, tenant: TenantId, created: Timestamp) -> Result<u64, Problem> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'dead', claimed_by = NULL, claimed_until = NULL
         WHERE tenant_id = $1 AND state IN ('waiting', 'retrying') AND created_at < $2",
    )
    .bind(tenant.0)
    .bind(sql_time(created))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(done.rows_affected())
}

/// Deletes deliveries that are over, and events nothing refers to, from before a time; answers how many of each.
pub async fn sweep(sql: &mut PgConnection, tenant: TenantId, before: Timestamp) -> Result<(u64, u64), Problem> {
    let deliveries =
        sqlx::query("DELETE FROM deliveries WHERE tenant_id = $1 AND state IN ('delivered', 'dead', 'dropped') AND created_at < $2")
            .bind(tenant.0)
            .bind(sql_time(before))
            .execute(&mut *sql)
            .await
            .map_err(StoreError::from)?;
    let events = sqlx::query(
        "DELETE FROM notification_events e WHERE e.tenant_id = $1 AND e.at < $2
           AND NOT EXISTS (SELECT FROM digest_entries g WHERE g.tenant_id = e.tenant_id AND g.event_id = e.id)",
    )
    .bind(tenant.0)
    .bind(sql_time(before))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok((deliveries.rows_affected(), events.rows_affected()))
}
