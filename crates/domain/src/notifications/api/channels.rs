//! Channels: made, changed, tested, given new secrets, removed. An address that is a credential, and a signing secret, are sealed in the
//! transaction that takes them.

use super::super::db::{self, ChannelRow, StoredConfig};
use super::super::sending::db::{self as sending_db, Health, NewDelivery};
use super::super::sending::way::{old_signing_name, signing_name, url_name};
use super::super::sending::{self, Attempt, Sendable, Way};
use super::super::unsubscribe::Tokens;
use super::super::{jobs, matching};
use crate::{Call, ReachHandler, ReadHandler, Services, WriteHandler, tenancy, text};
use bailiwick_base::{ChannelId, Code, DeliveryId, Page, Problem, Secret};
use bailiwick_cloud::notify::{EmailAddress, SigningSecret, mask};
use bailiwick_contract::Empty;
use bailiwick_contract::connections::CredentialKind;
use bailiwick_contract::evidence::{Named, Paging};
use bailiwick_contract::notifications::{
    ChangeChannel, Channel, ChannelConfig, CreateChannel, CreatedChannel, Delivery, DeliveryChannel, DeliveryKind, DeliveryState,
    GetChannel, GetNotificationOptions, LastDelivery, ListChannels, MailPreference, MailboxOffer, NotificationOptions, Recipient,
    RemoveChannel, RotateChannelSecret, RotatedSecret, TestChannel, TestOutcome, TryOutcome,
};
use bailiwick_store::{Audited, ReadScope, WriteScope};
use futures::StreamExt;
use jiff::{SignedDuration, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

/// Channels of one tenant, and recipients of one channel.
const CHANNELS: i64 = 100;
const RECIPIENTS: usize = 50;
/// How long messages are signed with the secret before, too.
const OLD_SECRET_HOURS: i64 = 24;

/// Tests of one channel are so far apart: its recipients did not ask for them.
const TESTS_APART: SignedDuration = SignedDuration::from_secs(60);

fn bad(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Code::BadRequest, detail).at(field)
}

fn target(id: ChannelId) -> String {
    format!("channel/{id}")
}

/// What the trail hears of where a channel leads: nothing that is a credential.
fn told(name: &str, config: &StoredConfig) -> Value {
    json!({"name": name, "config": config})
}

impl ReadHandler for GetNotificationOptions {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<NotificationOptions, Problem> {
        let (senders, environment) = (&services.senders, &services.microsoft);
        let mailbox = match environment.federated.is_some() {
            true => {
                let sign_in = tenancy::db::settings(scope.sql(), call.tenant).await?.sign_in_directory;
                let listed = tenancy::db::directories(scope.sql(), call.tenant, None, 200).await?;
                let mut directories: Vec<_> = listed
                    .into_iter()
                    .filter(|directory| environment.speaks_for(sign_in, directory.id))
                    .map(|directory| Named { id: directory.id, name: directory.name })
                    .collect();
                if !directories.iter().any(|directory| directory.id == sign_in) {
                    let name = db::directory_name(scope.sql(), call.tenant, sign_in).await?;
                    directories.insert(0, Named { id: sign_in, name });
                }
                Some(MailboxOffer { permission: "Mail.Send".into(), federated_subject: environment.federated_subject.clone(), directories })
            }
            false => None,
        };
        let smtp_from = senders.mail.as_ref().map(|(_, from)| from.to_string());
        Ok(NotificationOptions { smtp_from, mailbox, teams_hosts: senders.teams.hosts().map(str::to_owned).collect() })
    }
}

impl ReadHandler for ListChannels {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Channel>, Problem> {
        let Paging { cursor, limit } = call.query;
        let limit = text::limit(limit)?;
        let after = match text::cursor::<2>(&cursor)? {
            Some([name, id]) => Some((name, text::part::<Uuid>(&id)?)),
            None => None,
        };
        let rows = db::channels(scope.sql(), call.tenant, after, limit).await?;
        let page = Page::from_rows(rows, limit as usize, |row| vec![row.name.clone(), row.id.to_string()]);
        let mut items = Vec::with_capacity(page.items.len());
        for row in &page.items {
            items.push(db::shown(scope.sql(), call.tenant, row).await?);
        }
        Ok(Page { items, next: page.next })
    }
}

impl ReadHandler for GetChannel {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Channel, Problem> {
        let row = db::channel(scope.sql(), call.tenant, call.path.channel).await?.ok_or_else(Problem::not_found)?;
        db::shown(scope.sql(), call.tenant, &row).await
    }
}

/// Checks recipients, and writes addresses as they are sent to.
async fn recipients(scope: &mut WriteScope, given: Vec<Recipient>) -> Result<Vec<Recipient>, Problem> {
    if given.is_empty() || given.len() > RECIPIENTS {
        return Err(bad("config.recipients", format!("A channel has 1 to {RECIPIENTS} recipients. Use a distribution list for more.")));
    }
    let (tenant, mut checked) = (scope.tenant(), Vec::with_capacity(given.len()));
    for recipient in given {
        let one = match recipient {
            Recipient::Member(id) => {
                let found = db::members_named(scope.sql(), tenant, &[id.0]).await?;
                if found.is_empty() {
                    return Err(bad("config.recipients", format!("There is no member {id}.")));
                }
                Recipient::Member(id)
            }
            Recipient::Address(address) => {
                let address: EmailAddress = address.parse().map_err(|error| bad("config.recipients", format!("{error}.")))?;
                Recipient::Address(address.to_string())
            }
        };
        if !checked.contains(&one) {
            checked.push(one);
        }
    }
    Ok(checked)
}

/// Checks where a channel is to lead; answers what is stored of it, and the address that is sealed.
async fn check(
    services: &Services,
    scope: &mut WriteScope,
    config: ChannelConfig,
) -> Result<(StoredConfig, Option<Secret<String>>), Problem> {
    let refused = |why: bailiwick_cloud::notify::Why| bad("config.url", format!("{}.", why.detail.trim_end_matches('.')));
    Ok(match config {
        ChannelConfig::Smtp { recipients: given } => {
            if services.senders.mail.is_none() {
                let detail = "No mail server is configured here. Ask the operator for one ([mail]), or use a mailbox of your own.";
                return Err(Problem::new(Code::WrongState, detail).at("config.kind"));
            }
            (StoredConfig::Smtp { recipients: recipients(scope, given).await? }, None)
        }
        ChannelConfig::Mailbox { directory, client_id, mailbox, recipients: given } => {
            let client_id: Uuid = client_id.trim().parse().map_err(|_| bad("config.client_id", "Give the application's id, a GUID."))?;
            if services.microsoft.federated.is_none() {
                return Err(crate::connections::reach::no_federated());
            }
            let tenant = scope.tenant();
            let sign_in = tenancy::db::settings(scope.sql(), tenant).await?.sign_in_directory;
            services.microsoft.admit_own(sign_in, directory, client_id, CredentialKind::Federated)?;
            let mailbox: EmailAddress = mailbox.parse().map_err(|error| bad("config.mailbox", format!("{error}.")))?;
            let recipients = recipients(scope, given).await?;
            (StoredConfig::Mailbox { directory, client_id, mailbox: mailbox.to_string(), recipients }, None)
        }
        ChannelConfig::Teams { url } => {
            let url = Secret::new(url);
            let admitted = services.senders.teams.admit(url.expose().trim()).map_err(refused)?;
            (StoredConfig::Teams { masked: mask(admitted.as_str()) }, Some(Secret::new(admitted.into())))
        }
        ChannelConfig::Webhook { url } => {
            let url = Secret::new(url);
            let admitted = services.senders.webhooks.admit(url.expose().trim()).map_err(refused)?;
            (StoredConfig::Webhook { masked: mask(admitted.as_str()) }, Some(Secret::new(admitted.into())))
        }
    })
}

async fn seal(services: &Services, scope: &mut WriteScope, name: &str, value: &Secret<String>) -> Result<(), Problem> {
    Ok(scope.put_secret(&services.keyring, name, &Secret::new(value.expose().as_bytes().to_vec())).await?)
}

/// The names of all a channel's secrets.
fn secrets(id: ChannelId) -> [String; 3] {
    [url_name(id), signing_name(id), old_signing_name(id)]
}

async fn stored(scope: &mut WriteScope, id: ChannelId) -> Result<ChannelRow, Problem> {
    let tenant = scope.tenant();
    if !db::lock_channel(scope.sql(), tenant, id).await? {
        return Err(Problem::not_found());
    }
    db::channel(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)
}

impl WriteHandler for CreateChannel {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<CreatedChannel>, Problem> {
        let name = text::name("name", &call.body.name, 120)?;
        let has = db::count_channels(scope.sql(), call.tenant).await?;
        if has >= CHANNELS {
            return Err(Problem::new(
                Code::LimitExceeded,
                format!("There are {has} channels, and at most {CHANNELS} are kept for one tenant."),
            ));
        }
        let (config, url) = check(services, scope, call.body.config).await?;
        let (id, by, now) = (ChannelId::new(scope.clock(), scope.rng()), scope.principal().await?, scope.now());
        db::insert_channel(scope.sql(), call.tenant, id, &name, &config, &by, now).await?;
        if let Some(url) = url {
            seal(services, scope, &url_name(id), &url).await?;
        }
        let signing_secret = match &config {
            StoredConfig::Webhook { .. } => Some(new_signing_secret(services, scope, id).await?),
            _ => None,
        };
        // Made with the first channel: mail carries links by it, tests too.
        Tokens::of(services, scope).await?;
        know(scope, &config).await?;
        let row = stored(scope, id).await?;
        let channel = db::shown(scope.sql(), call.tenant, &row).await?;
        Ok(Audited::new(CreatedChannel { channel, signing_secret }, target(id), told(&name, &config)))
    }
}

/// Gives each address that a channel mails a row, so that the first mail to it carries its link.
async fn know(scope: &mut WriteScope, config: &StoredConfig) -> Result<(), Problem> {
    match config.recipients() {
        Some(recipients) => matching::addresses(scope, recipients).await.map(drop),
        None => Ok(()),
    }
}

/// Makes and seals a webhook's signing secret; the answer it is put into is the only one that holds it.
async fn new_signing_secret(services: &Services, scope: &mut WriteScope, id: ChannelId) -> Result<String, Problem> {
    let secret = SigningSecret::generate(scope.rng()).reveal();
    seal(services, scope, &signing_name(id), &secret).await?;
    Ok(secret.expose().clone())
}

impl WriteHandler for ChangeChannel {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Channel>, Problem> {
        let (id, body) = (call.path.channel, call.body);
        let before = stored(scope, id).await?;
        let name = body.name.as_deref().map(|name| text::name("name", name, 120)).transpose()?;
        let config = match body.config {
            Some(config) if config.kind() != before.kind() => {
                return Err(bad("config.kind", format!("This channel is of the kind {}. Make another one.", before.kind().as_str())));
            }
            Some(config) => {
                let (config, url) = check(services, scope, config).await?;
                if let Some(url) = url {
                    seal(services, scope, &url_name(id), &url).await?;
                }
                know(scope, &config).await?;
                Some(config)
            }
            None => None,
        };
        db::change_channel(scope.sql(), call.tenant, id, name.as_deref(), body.paused, config.as_ref()).await?;
        if config.is_some() || body.paused == Some(false) {
            db::forget_health(scope.sql(), call.tenant, id).await?;
            let now = scope.now();
            sending_db::hurry(scope.sql(), call.tenant, id, now).await?;
            jobs::send(scope, sending::queue(id)).await?;
        }
        let row = stored(scope, id).await?;
        let channel = db::shown(scope.sql(), call.tenant, &row).await?;
        let detail = json!({"before": told(&before.name, &before.config), "after": told(&row.name, &row.config), "paused": row.paused});
        Ok(Audited::new(channel, target(id), detail))
    }
}

impl WriteHandler for RemoveChannel {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Empty>, Problem> {
        let id = call.path.channel;
        let row = stored(scope, id).await?;
        let rules = db::rules_of_channel(scope.sql(), call.tenant, id).await?;
        if !rules.is_empty() {
            let detail = format!("Rules use this channel: {}. Remove them, or let them use another one, first.", rules.join(", "));
            return Err(Problem::new(Code::Conflict, detail));
        }
        for name in secrets(id) {
            scope.destroy_secret(&name).await?;
        }
        let (dropped, now) = (sending_db::drop_of_channel(scope.sql(), call.tenant, id).await?, scope.now());
        db::remove_channel(scope.sql(), call.tenant, id, now).await?;
        let mut detail = told(&row.name, &row.config);
        detail["dropped"] = json!(dropped);
        Ok(Audited::new(Empty, target(id), detail))
    }
}

impl WriteHandler for RotateChannelSecret {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<RotatedSecret>, Problem> {
        let id = call.path.channel;
        let row = stored(scope, id).await?;
        if !matches!(row.config, StoredConfig::Webhook { .. }) {
            return Err(Problem::new(Code::WrongState, "Only webhooks have a signing secret."));
        }
        if let Some(old) = scope.secret(&services.keyring, &signing_name(id)).await? {
            scope.put_secret(&services.keyring, &old_signing_name(id), &old).await?;
        }
        let old_until = scope.now() + OLD_SECRET_HOURS.hours();
        let signing_secret = new_signing_secret(services, scope, id).await?;
        db::note_rotation(scope.sql(), call.tenant, id, old_until).await?;
        let detail = json!({"name": row.name, "old_until": old_until});
        Ok(Audited::new(RotatedSecret { signing_secret, old_until }, target(id), detail))
    }
}

/// A test about to be sent.
pub struct Testing {
    row: ChannelRow,
    way: Way,
    sendable: Vec<Sendable>,
}

impl ReachHandler for TestChannel {
    type Prepared = Testing;
    type Reached = (ChannelRow, Way, Vec<Attempt>);

    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<Testing, Problem> {
        let row = db::channel(scope.sql(), call.tenant, call.path.channel).await?.ok_or_else(Problem::not_found)?;
        let now = services.store.now();
        if sending_db::tested_since(scope.sql(), call.tenant, row.id, now - TESTS_APART).await? {
            let detail = "A test went through this channel less than a minute ago. Look at its delivery, or wait a little.";
            return Err(Problem::new(Code::TooManyRequests, detail).retry_after(60));
        }
        let way = Way::open(services, scope, &row).await?;
        let mut places = vec![(None, None)];
        if let Some(recipients) = row.config.recipients() {
            let addresses = db::addresses_of(scope.sql(), call.tenant, recipients).await?;
            let known = db::preferences(scope.sql(), call.tenant, &addresses).await?;
            let tokens = Tokens::known(services, scope).await?;
            let preference = |address: &String| known.iter().find(|row| row.address == *address);
            let wanting = addresses.iter().filter(|address| preference(address).is_none_or(|row| row.mail != MailPreference::None));
            let link =
                |address: &String| preference(address).zip(tokens.as_ref()).map(|(row, tokens)| sending::links(services, tokens, row.id));
            places = wanting.map(|address| (Some(address.clone()), link(address))).collect();
        }
        if places.is_empty() {
            let detail = "Nobody would get it: each recipient has left, has no address, or has unsubscribed.";
            return Err(Problem::new(Code::WrongState, detail));
        }
        let tenant = tenancy::db::settings(scope.sql(), call.tenant).await?.name;
        let message = sending::test_message(services, &tenant, &row.name);
        let sendable = places
            .into_iter()
            .map(|(recipient, unsubscribe)| Sendable {
                row: test_delivery(services, &row, &message, recipient),
                message: message.clone(),
                unsubscribe,
            })
            .collect();
        Ok(Testing { row, way, sendable })
    }

    async fn reach(services: &Services, testing: Testing) -> Result<Self::Reached, Problem> {
        let Testing { row, way, sendable } = testing;
        let attempts = futures::stream::iter(sendable)
            .map(|one| sending::attempt(services, &way, one))
            .buffered(way.at_once())
            .collect::<Vec<Attempt>>()
            .await;
        Ok((row, way, attempts))
    }

    async fn record(
        _: &Services,
        scope: &mut WriteScope,
        call: &Call<Self>,
        (row, way, attempts): Self::Reached,
    ) -> Result<Audited<TestOutcome>, Problem> {
        let id = row.id;
        let before = stored(scope, id).await?;
        let (mut tried, mut ids) = (Vec::new(), Vec::new());
        for attempt in &attempts {
            let delivery = &attempt.row.delivery;
            let new = NewDelivery {
                id: delivery.id,
                kind: DeliveryKind::Test,
                channel: id,
                rule: None,
                min_severity: None,
                events: Vec::new(),
                event: None,
                subject: delivery.subject.clone(),
                recipient: delivery.recipient.clone(),
            };
            sending_db::insert_delivery(scope.sql(), call.tenant, &new, attempt.at).await?;
            let mut one = sending::judge(attempt, way.kind());
            // Somebody waits for the answer: a test is not tried again.
            if one.state == DeliveryState::Retrying {
                one.state = DeliveryState::Dead;
            }
            ids.push(delivery.id.0);
            tried.push(one);
        }
        sending_db::keep_tries(scope.sql(), call.tenant, &tried).await?;
        let worst = tried.iter().max_by_key(|one| one.outcome).ok_or_else(|| Problem::internal("a test without an attempt"))?.clone();
        let last_delivery = Some(LastDelivery { delivery: worst.delivery, at: worst.at, outcome: worst.outcome });
        let good = worst.outcome == TryOutcome::Delivered;
        let health = match good {
            true => Health { last_delivery, ..Health::default() },
            false => Health { last_delivery, failure: worst.failure(), ..Health::of(&before) },
        };
        sending_db::set_health(scope.sql(), call.tenant, id, &health).await?;
        if good && before.waiting > 0 {
            let now = scope.now();
            sending_db::hurry(scope.sql(), call.tenant, id, now).await?;
            jobs::send(scope, sending::queue(id)).await?;
        }
        let rows = sending_db::deliveries_of(scope.sql(), call.tenant, &ids).await?;
        let detail = json!({"name": row.name, "outcome": worst.outcome, "places": tried.len()});
        let answer =
            TestOutcome { outcome: worst.outcome, detail: worst.detail, deliveries: rows.into_iter().map(|row| row.delivery).collect() };
        Ok(Audited::new(answer, target(id), detail))
    }
}

/// A test's delivery before it is made.
fn test_delivery(
    services: &Services,
    row: &ChannelRow,
    message: &super::super::render::Message,
    recipient: Option<String>,
) -> sending_db::DeliveryRow {
    let now = services.store.now();
    let delivery = Delivery {
        id: DeliveryId::new(services.store.clock(), services.store.rng()),
        kind: DeliveryKind::Test,
        state: DeliveryState::Waiting,
        channel: DeliveryChannel { id: row.id, name: row.name.clone(), kind: row.kind() },
        rule: None,
        event: None,
        events: 0,
        subject: message.subject(),
        recipient,
        attempts: 0,
        created_at: now,
        next_try_at: None,
        delivered_at: None,
        failure: None,
    };
    sending_db::DeliveryRow { delivery, event_ids: Vec::new(), min_severity: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_trail_hears_of_a_channel_holds_no_credential() {
        let config = StoredConfig::Webhook { masked: mask("https://desk.contoso.com/hooks/secret-path?token=abc") };
        let text = told("Desk", &config).to_string();
        assert!(text.contains("desk.contoso.com") && !text.contains("secret-path") && !text.contains("abc"), "{text}");
    }
}
