//! What was sent and is to be sent, and how messages would look.

use super::super::model::{Content, Event};
use super::super::render::{Item, Message, TOLD, What, sample};
use super::super::sending::db as sending_db;
use super::super::{db, jobs, matching};
use crate::{Call, ReadHandler, Services, WriteHandler, tenancy, text};
use bailiwick_base::{Code, EventId, Page, Problem, RunId, SeriesId, Timestamp};
use bailiwick_contract::notifications::{
    ChannelKind, Delivery, DeliveryDetail, DeliveryKind, EventKind, GetDelivery, ListDeliveries, NotificationPreview, PreviewNotification,
    RetryDelivery, Told,
};
use bailiwick_store::{Audited, ReadScope, WriteScope};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

impl ReadHandler for ListDeliveries {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Delivery>, Problem> {
        let query = call.query;
        let limit = text::limit(query.limit)?;
        let before = match text::cursor::<2>(&query.cursor)? {
            Some([at, id]) => Some((text::part::<Timestamp>(&at)?, text::part::<Uuid>(&id)?)),
            None => None,
        };
        let filter =
            sending_db::DeliveryFilter { channel: query.channel, rule: query.rule, state: query.state.map(|state| state.as_str()), before };
        let rows = sending_db::deliveries(scope.sql(), call.tenant, &filter, limit).await?;
        let rows = rows.into_iter().map(|row| row.delivery).collect();
        Ok(Page::from_rows(rows, limit as usize, |row: &Delivery| vec![row.created_at.to_string(), row.id.to_string()]))
    }
}

/// An event as a delivery names it.
fn told(message: &Message, event: sending_db::ToldEvent) -> Told {
    let items = vec![Item { id: event.id, at: event.at, content: event.content.clone() }];
    let title = Message { what: What::Events { gathered: false, items, more: 0 }, ..message.clone() }.subject();
    let (mut run, mut scan, mut fix) = (None, None, None);
    match &event.event {
        Event::DriftRegressed { run: of, .. } | Event::RunFailed { run: of, .. } => run = Some(*of),
        Event::ScanFailed { scan: of, .. } => scan = Some(*of),
        Event::FixWaiting(facts) | Event::FixDone(facts) => fix = Some(facts.fix),
    }
    Told {
        event: event.content.kind(),
        at: event.at,
        title,
        run,
        scan,
        fix,
        directory: event.event.directory(),
        project: event.event.project(),
    }
}

async fn message(services: &Services, scope: &mut ReadScope, what: What) -> Result<Message, Problem> {
    let tenant = scope.tenant();
    let name = tenancy::db::settings(scope.sql(), tenant).await?.name;
    Ok(Message { tenant: name, portal: services.senders.portal.clone(), what, rule: None, min_severity: None })
}

impl ReadHandler for GetDelivery {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<DeliveryDetail, Problem> {
        let row = sending_db::delivery(scope.sql(), call.tenant, call.path.delivery).await?.ok_or_else(Problem::not_found)?;
        let tries = sending_db::tries(scope.sql(), call.tenant, row.delivery.id).await?;
        let mut events = sending_db::events(scope.sql(), call.tenant, &row.event_ids[..row.event_ids.len().min(TOLD)]).await?;
        let mut message = message(services, scope, What::Events { gathered: false, items: vec![], more: 0 }).await?;
        message.min_severity = row.min_severity;
        let about = row.event_ids.iter().filter_map(|id| events.remove(id)).map(|event| told(&message, event)).collect();
        Ok(DeliveryDetail { message_id: row.delivery.id.to_string(), delivery: row.delivery, tries, about })
    }
}

impl WriteHandler for RetryDelivery {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Delivery>, Problem> {
        let (id, now) = (call.path.delivery, scope.now());
        let row = sending_db::delivery(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        if row.delivery.kind == DeliveryKind::Test {
            return Err(Problem::new(Code::WrongState, "This was a test. Send another one from the channel."));
        }
        if db::channel(scope.sql(), call.tenant, row.delivery.channel.id).await?.is_none() {
            return Err(Problem::new(Code::WrongState, "The channel was removed, so there is nothing to send it through."));
        }
        if !sending_db::revive(scope.sql(), call.tenant, id, now).await? {
            return Err(Problem::new(Code::WrongState, "Only a dead delivery is tried again; this one is not dead."));
        }
        let notices = row.delivery.kind == DeliveryKind::Notice;
        if !notices {
            // Somebody asks for it now: a channel that rests, or is broken, tries again.
            db::forget_health(scope.sql(), call.tenant, row.delivery.channel.id).await?;
        }
        jobs::send(scope, sending_db::Queue { channel: row.delivery.channel.id, notices }).await?;
        let row = sending_db::delivery(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        let detail = json!({"channel": row.delivery.channel.id, "subject": row.delivery.subject});
        Ok(Audited::new(row.delivery, format!("delivery/{id}"), detail))
    }
}

/// The newest thing of the kind that there is to tell.
async fn newest(scope: &mut ReadScope, kind: EventKind) -> Result<Option<Item>, Problem> {
    let tenant = scope.tenant();
    if let Some((id, event, at)) = sending_db::newest_event(scope.sql(), tenant, kind).await?
        && let Some(content) = matching::content(scope, &event).await?
    {
        return Ok(Some(Item { id, at, content: Arc::new(content) }));
    }
    if kind != EventKind::DriftRegressed {
        return Ok(None);
    }
    // Runs that nothing was announced of, because they came before there was anybody to tell.
    let Some((series, run)) = db::newest_pair(scope.sql(), tenant).await? else { return Ok(None) };
    let event = Event::DriftRegressed { run: RunId(run), series: SeriesId(series), directory: None, project: None };
    let content = matching::content(scope, &event).await?;
    Ok(content.map(|content| Item { id: EventId(run), at: time_of(&content), content: Arc::new(content) }))
}

fn time_of(content: &Content) -> Timestamp {
    match content {
        Content::DriftRegressed(drift) => drift.at,
        _ => Timestamp::UNIX_EPOCH,
    }
}

impl ReadHandler for PreviewNotification {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<NotificationPreview, Problem> {
        let (event, channel, now) = (call.query.event, call.query.channel, services.store.now());
        let found = newest(scope, event).await?;
        let sample = found.is_none();
        let item = found.unwrap_or_else(|| Item { id: EventId(Uuid::nil()), at: now, content: Arc::new(sample::content(event)) });
        let message = message(services, scope, What::Events { gathered: false, items: vec![item], more: 0 }).await?;
        let mut preview = NotificationPreview {
            event,
            channel,
            sample,
            subject: message.subject(),
            html: None,
            text: None,
            card: None,
            payload: None,
            headers: BTreeMap::new(),
            size: 0,
        };
        let size = match channel {
            ChannelKind::Smtp | ChannelKind::Mailbox => {
                let mut link = services.senders.portal.clone();
                link.set_path("/unsubscribe");
                let mail = message.mail(Some(&link));
                let size = mail.html.len() + mail.text.len();
                (preview.html, preview.text) = (Some(mail.html), Some(mail.text));
                size
            }
            ChannelKind::Teams => {
                let card = message.card().1;
                let size = card.to_string().len();
                preview.card = Some(card);
                size
            }
            ChannelKind::Webhook => {
                let payload = message.payload(now);
                let size = payload.to_string().len();
                preview.payload = Some(payload);
                let headers = [
                    ("webhook-id", "<the delivery's id>"),
                    ("webhook-timestamp", "<seconds since 1970>"),
                    ("webhook-signature", "v1,<base64>"),
                ];
                preview.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
                size
            }
        };
        preview.size = u32::try_from(size).unwrap_or(u32::MAX);
        Ok(preview)
    }
}
