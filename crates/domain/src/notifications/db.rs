//! All SQL of channels, rules and mail preferences.

use super::model::Wants;
use bailiwick_base::{ChannelId, DirectoryId, EventId, MemberId, Principal, Problem, ProjectId, RuleId, Severity, TenantId, Timestamp};
use bailiwick_contract::evidence::Named;
use bailiwick_contract::notifications::{
    Channel, ChannelKind, ChannelState, DeliveryFailure, EventKind, LastDelivery, MailPreference, NotificationRule, Recipient, ShownConfig,
    ShownRecipient, Timing,
};
use bailiwick_store::{StoreError, sql_time};
use jiff_sqlx::Timestamp as SqlTime;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// What is stored of where a channel leads: nothing that is a credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StoredConfig {
    Smtp {
        recipients: Vec<Recipient>,
    },
    Mailbox {
        directory: DirectoryId,
        client_id: Uuid,
        mailbox: String,
        recipients: Vec<Recipient>,
    },
    /// The address is sealed; this is its masked form.
    Teams {
        masked: String,
    },
    Webhook {
        masked: String,
    },
}

impl StoredConfig {
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Smtp { .. } => ChannelKind::Smtp,
            Self::Mailbox { .. } => ChannelKind::Mailbox,
            Self::Teams { .. } => ChannelKind::Teams,
            Self::Webhook { .. } => ChannelKind::Webhook,
        }
    }
    /// Whom mail goes to; nobody where the channel is no mail.
    pub fn recipients(&self) -> Option<&[Recipient]> {
        match self {
            Self::Smtp { recipients } | Self::Mailbox { recipients, .. } => Some(recipients),
            Self::Teams { .. } | Self::Webhook { .. } => None,
        }
    }
}

/// A channel with how sending through it goes.
#[derive(Debug, Clone)]
pub struct ChannelRow {
    pub id: ChannelId,
    pub name: String,
    pub config: StoredConfig,
    pub paused: bool,
    pub created_at: Timestamp,
    pub created_by: Principal,
    pub old_secret_until: Option<Timestamp>,
    pub failures: i32,
    pub refusals: i32,
    pub hold_until: Option<Timestamp>,
    pub broken_at: Option<Timestamp>,
    pub last_delivery: Option<LastDelivery>,
    pub failure: Option<DeliveryFailure>,
    pub rules: u32,
    pub waiting: u32,
}

impl ChannelRow {
    pub fn kind(&self) -> ChannelKind {
        self.config.kind()
    }
    pub fn state(&self) -> ChannelState {
        match (self.paused, self.broken_at.is_some(), self.failure.is_some(), self.last_delivery.is_some()) {
            (true, ..) => ChannelState::Paused,
            (_, true, ..) => ChannelState::Broken,
            (_, _, true, _) => ChannelState::Failing,
            (_, _, _, true) => ChannelState::Working,
            _ => ChannelState::Untried,
        }
    }
}

macro_rules! channel_columns {
    () => {
        "SELECT c.id, c.name, c.config, c.paused, c.created_at, c.created_by, c.old_secret_until, coalesce(h.failures, 0) AS failures,
                coalesce(h.refusals, 0) AS refusals, h.hold_until, h.broken_at, h.last_delivery, h.failure,
                (SELECT count(*) FROM notification_rules r WHERE r.tenant_id = c.tenant_id AND r.channel_id = c.id) AS rules,
                (SELECT count(*) FROM deliveries d WHERE d.tenant_id = c.tenant_id AND d.channel_id = c.id
                    AND d.state IN ('waiting', 'retrying') AND d.kind <> 'notice') AS waiting
         FROM channels c LEFT JOIN channel_health h ON h.tenant_id = c.tenant_id AND h.channel_id = c.id "
    };
}

#[derive(FromRow)]
struct RawChannel {
    id: Uuid,
    name: String,
    config: Json<StoredConfig>,
    paused: bool,
    created_at: SqlTime,
    created_by: Json<Principal>,
    old_secret_until: Option<SqlTime>,
    failures: i32,
    refusals: i32,
    hold_until: Option<SqlTime>,
    broken_at: Option<SqlTime>,
    last_delivery: Option<Json<LastDelivery>>,
    failure: Option<Json<DeliveryFailure>>,
    rules: i64,
    waiting: i64,
}

fn number(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn channel_row(raw: RawChannel) -> ChannelRow {
    ChannelRow {
        id: ChannelId(raw.id),
        name: raw.name,
        config: raw.config.0,
        paused: raw.paused,
        created_at: raw.created_at.to_jiff(),
        created_by: raw.created_by.0,
        old_secret_until: raw.old_secret_until.map(SqlTime::to_jiff),
        failures: raw.failures,
        refusals: raw.refusals,
        hold_until: raw.hold_until.map(SqlTime::to_jiff),
        broken_at: raw.broken_at.map(SqlTime::to_jiff),
        last_delivery: raw.last_delivery.map(|last| last.0),
        failure: raw.failure.map(|failure| failure.0),
        rules: number(raw.rules),
        waiting: number(raw.waiting),
    }
}

/// Channels by name.
pub async fn channels(
    sql: &mut PgConnection,
    tenant: TenantId,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<ChannelRow>, Problem> {
    let (name, id) = after.unzip();
    let rows: Vec<RawChannel> = sqlx::query_as(concat!(
        channel_columns!(),
        "WHERE c.tenant_id = $1 AND c.removed_at IS NULL AND ($2::text IS NULL OR (c.name, c.id) > ($2, $3)) ORDER BY c.name, c.id LIMIT $4"
    ))
    .bind(tenant.0)
    .bind(name)
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(channel_row).collect())
}

/// A channel that was not removed.
pub async fn channel(sql: &mut PgConnection, tenant: TenantId, id: ChannelId) -> Result<Option<ChannelRow>, Problem> {
    let row: Option<RawChannel> =
        sqlx::query_as(concat!(channel_columns!(), "WHERE c.tenant_id = $1 AND c.id = $2 AND c.removed_at IS NULL"))
            .bind(tenant.0)
            .bind(id.0)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(row.map(channel_row))
}

/// Lets one at a time decide about a channel, until its transaction ends.
pub async fn lock_channel(sql: &mut PgConnection, tenant: TenantId, id: ChannelId) -> Result<bool, Problem> {
    let found = sqlx::query("SELECT FROM channels WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL FOR UPDATE")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(found.is_some())
}

pub async fn count_channels(sql: &mut PgConnection, tenant: TenantId) -> Result<i64, Problem> {
    sqlx::query_scalar("SELECT count(*) FROM channels WHERE tenant_id = $1 AND removed_at IS NULL")
        .bind(tenant.0)
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

pub async fn insert_channel(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: ChannelId,
    name: &str,
    config: &StoredConfig,
    by: &Principal,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO channels (tenant_id, id, kind, name, config, paused, created_at, created_by) VALUES ($1, $2, $3, $4, $5, false, $6, $7)",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(config.kind().as_str())
    .bind(name)
    .bind(Json(config))
    .bind(sql_time(now))
    .bind(Json(by))
    .execute(&mut *sql)
    .await
    .map_err(StoreError::from)?;
    sqlx::query("INSERT INTO channel_health (tenant_id, channel_id) VALUES ($1, $2)")
        .bind(tenant.0)
        .bind(id.0)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn change_channel(
    sql: &mut PgConnection,
    tenant: TenantId,
    id: ChannelId,
    name: Option<&str>,
    paused: Option<bool>,
    config: Option<&StoredConfig>,
) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE channels SET name = coalesce($3, name), paused = coalesce($4, paused), config = coalesce($5, config)
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(id.0)
    .bind(name)
    .bind(paused)
    .bind(config.map(Json))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// A channel that was changed is as good as new.
pub async fn forget_health(sql: &mut PgConnection, tenant: TenantId, id: ChannelId) -> Result<(), Problem> {
    sqlx::query(
        "UPDATE channel_health SET failures = 0, refusals = 0, hold_until = NULL, broken_at = NULL, failure = NULL, last_delivery = NULL
         WHERE tenant_id = $1 AND channel_id = $2",
    )
    .bind(tenant.0)
    .bind(id.0)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

/// Removes a channel; its row stays for the history.
pub async fn remove_channel(sql: &mut PgConnection, tenant: TenantId, id: ChannelId, now: Timestamp) -> Result<(), Problem> {
    sqlx::query("UPDATE channels SET removed_at = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .bind(sql_time(now))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn note_rotation(sql: &mut PgConnection, tenant: TenantId, id: ChannelId, old_until: Timestamp) -> Result<(), Problem> {
    sqlx::query("UPDATE channels SET old_secret_until = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .bind(sql_time(old_until))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

// ---- rules -------------------------------------------------------------------------------------------------------

macro_rules! rule_columns {
    () => {
        "SELECT r.id, r.name, r.channel_id, c.name AS channel_name, r.events, r.min_severity, r.min_regressions, r.directories, r.projects,
                r.timing, r.enabled, r.next_digest_at, r.created_at,
                (SELECT count(*) FROM digest_entries e WHERE e.tenant_id = r.tenant_id AND e.rule_id = r.id) AS gathered
         FROM notification_rules r JOIN channels c ON c.tenant_id = r.tenant_id AND c.id = r.channel_id "
    };
}

#[derive(FromRow)]
struct RawRule {
    id: Uuid,
    name: String,
    channel_id: Uuid,
    channel_name: String,
    events: Vec<String>,
    min_severity: Option<i16>,
    min_regressions: i32,
    directories: Vec<Uuid>,
    projects: Vec<Uuid>,
    timing: Json<Timing>,
    enabled: bool,
    next_digest_at: Option<SqlTime>,
    created_at: SqlTime,
    gathered: i64,
}

fn rule_of(raw: RawRule) -> NotificationRule {
    NotificationRule {
        id: RuleId(raw.id),
        name: raw.name,
        channel: Named { id: ChannelId(raw.channel_id), name: raw.channel_name },
        events: raw.events.iter().filter_map(|word| EventKind::parse(word)).collect(),
        min_severity: raw.min_severity.and_then(Severity::from_number),
        min_regressions: u32::try_from(raw.min_regressions).unwrap_or(1),
        directories: raw.directories.into_iter().map(DirectoryId).collect(),
        projects: raw.projects.into_iter().map(ProjectId).collect(),
        timing: raw.timing.0,
        enabled: raw.enabled,
        next_digest_at: raw.next_digest_at.map(SqlTime::to_jiff),
        gathered: number(raw.gathered),
        created_at: raw.created_at.to_jiff(),
    }
}

/// What of a rule decides whether it wants an event.
pub fn wants(rule: &NotificationRule) -> Wants {
    Wants {
        events: rule.events.clone(),
        min_severity: rule.min_severity,
        min_regressions: rule.min_regressions,
        directories: rule.directories.clone(),
        projects: rule.projects.clone(),
    }
}

/// Rules by name.
pub async fn rules(
    sql: &mut PgConnection,
    tenant: TenantId,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<NotificationRule>, Problem> {
    let (name, id) = after.unzip();
    let rows: Vec<RawRule> = sqlx::query_as(concat!(
        rule_columns!(),
        "WHERE r.tenant_id = $1 AND ($2::text IS NULL OR (r.name, r.id) > ($2, $3)) ORDER BY r.name, r.id LIMIT $4"
    ))
    .bind(tenant.0)
    .bind(name)
    .bind(id)
    .bind(limit + 1)
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(rule_of).collect())
}

pub async fn rule(sql: &mut PgConnection, tenant: TenantId, id: RuleId) -> Result<Option<NotificationRule>, Problem> {
    let row: Option<RawRule> = sqlx::query_as(concat!(rule_columns!(), "WHERE r.tenant_id = $1 AND r.id = $2"))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(row.map(rule_of))
}

/// Rules that are on and want events of a kind, each locked until the transaction ends, so that what they gather and when they send it
/// stay together.
pub async fn rules_for(sql: &mut PgConnection, tenant: TenantId, event: EventKind) -> Result<Vec<NotificationRule>, Problem> {
    let rows: Vec<RawRule> = sqlx::query_as(concat!(
        rule_columns!(),
        "WHERE r.tenant_id = $1 AND r.enabled AND $2 = ANY (r.events) ORDER BY r.id FOR UPDATE OF r"
    ))
    .bind(tenant.0)
    .bind(event.as_str())
    .fetch_all(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(rule_of).collect())
}

/// Whether any rule that is on wants events of a kind.
pub async fn any_rule_for(sql: &mut PgConnection, tenant: TenantId, event: EventKind) -> Result<bool, Problem> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM notification_rules WHERE tenant_id = $1 AND enabled AND $2 = ANY (events))")
        .bind(tenant.0)
        .bind(event.as_str())
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

pub async fn lock_rule(sql: &mut PgConnection, tenant: TenantId, id: RuleId) -> Result<bool, Problem> {
    let found = sqlx::query("SELECT FROM notification_rules WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(found.is_some())
}

pub async fn count_rules(sql: &mut PgConnection, tenant: TenantId) -> Result<i64, Problem> {
    sqlx::query_scalar("SELECT count(*) FROM notification_rules WHERE tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// The names of rules that use a channel.
pub async fn rules_of_channel(sql: &mut PgConnection, tenant: TenantId, channel: ChannelId) -> Result<Vec<String>, Problem> {
    sqlx::query_scalar("SELECT name FROM notification_rules WHERE tenant_id = $1 AND channel_id = $2 ORDER BY name LIMIT 5")
        .bind(tenant.0)
        .bind(channel.0)
        .fetch_all(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// Writes a rule whole, new or in place of what it was.
pub async fn put_rule(sql: &mut PgConnection, tenant: TenantId, rule: &NotificationRule) -> Result<(), Problem> {
    let events: Vec<&str> = rule.events.iter().map(|event| event.as_str()).collect();
    let directories: Vec<Uuid> = rule.directories.iter().map(|directory| directory.0).collect();
    let projects: Vec<Uuid> = rule.projects.iter().map(|project| project.0).collect();
    sqlx::query(
        "INSERT INTO notification_rules (tenant_id, id, name, channel_id, events, min_severity, min_regressions, directories, projects, timing,
                                         enabled, next_digest_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, channel_id = excluded.channel_id, events = excluded.events,
             min_severity = excluded.min_severity, min_regressions = excluded.min_regressions, directories = excluded.directories,
             projects = excluded.projects, timing = excluded.timing, enabled = excluded.enabled, next_digest_at = excluded.next_digest_at",
    )
    .bind(tenant.0)
    .bind(rule.id.0)
    .bind(&rule.name)
    .bind(rule.channel.id.0)
    .bind(events)
    .bind(rule.min_severity.map(Severity::number))
    .bind(i32::try_from(rule.min_regressions).unwrap_or(i32::MAX))
    .bind(directories)
    .bind(projects)
    .bind(Json(&rule.timing))
    .bind(rule.enabled)
    .bind(rule.next_digest_at.map(sql_time))
    .bind(sql_time(rule.created_at))
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

pub async fn delete_rule(sql: &mut PgConnection, tenant: TenantId, id: RuleId) -> Result<(), Problem> {
    sqlx::query("DELETE FROM notification_rules WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

pub async fn set_next_digest(sql: &mut PgConnection, tenant: TenantId, id: RuleId, at: Option<Timestamp>) -> Result<(), Problem> {
    sqlx::query("UPDATE notification_rules SET next_digest_at = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .bind(at.map(sql_time))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// Lets an event wait for a rule's next digest.
pub async fn gather(sql: &mut PgConnection, tenant: TenantId, rule: RuleId, event: EventId) -> Result<(), Problem> {
    sqlx::query("INSERT INTO digest_entries (tenant_id, rule_id, event_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(tenant.0)
        .bind(rule.0)
        .bind(event.0)
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// Takes what a rule gathered, in the order it happened.
pub async fn take_gathered(sql: &mut PgConnection, tenant: TenantId, rule: RuleId) -> Result<Vec<EventId>, Problem> {
    let mut ids: Vec<Uuid> = sqlx::query_scalar("DELETE FROM digest_entries WHERE tenant_id = $1 AND rule_id = $2 RETURNING event_id")
        .bind(tenant.0)
        .bind(rule.0)
        .fetch_all(sql)
        .await
        .map_err(StoreError::from)?;
    // Ids are ordered by time.
    ids.sort_unstable();
    Ok(ids.into_iter().map(EventId).collect())
}

// ---- people ------------------------------------------------------------------------------------------------------

/// What the person at an address wants.
#[derive(Debug, Clone)]
pub struct PreferenceRow {
    pub id: Uuid,
    pub address: String,
    pub mail: MailPreference,
    pub by_link: bool,
    pub changed_at: Option<Timestamp>,
}

type RawPreference = (Uuid, String, String, bool, Option<SqlTime>);

fn preference_row((id, address, mail, by_link, changed_at): RawPreference) -> PreferenceRow {
    // A word that is not known sends nothing.
    let mail = MailPreference::parse(&mail).unwrap_or(MailPreference::None);
    PreferenceRow { id, address, mail, by_link, changed_at: changed_at.map(SqlTime::to_jiff) }
}

/// What is known of the addresses (in lower case) of those who said something, or were sent something.
pub async fn preferences(sql: &mut PgConnection, tenant: TenantId, addresses: &[String]) -> Result<Vec<PreferenceRow>, Problem> {
    let rows: Vec<RawPreference> =
        sqlx::query_as("SELECT id, address, mail, by_link, changed_at FROM mail_preferences WHERE tenant_id = $1 AND address = ANY ($2)")
            .bind(tenant.0)
            .bind(addresses)
            .fetch_all(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(preference_row).collect())
}

pub async fn preference_by_id(sql: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<Option<PreferenceRow>, Problem> {
    let row: Option<RawPreference> =
        sqlx::query_as("SELECT id, address, mail, by_link, changed_at FROM mail_preferences WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(id)
            .fetch_optional(sql)
            .await
            .map_err(StoreError::from)?;
    Ok(row.map(preference_row))
}

/// Gives an address a row to be known by, if it has none. It gets all mail until somebody there says otherwise.
pub async fn know_address(sql: &mut PgConnection, tenant: TenantId, id: Uuid, address: &str) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO mail_preferences (tenant_id, id, address, mail, by_link) VALUES ($1, $2, $3, 'all', false) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.0)
    .bind(id)
    .bind(address)
    .execute(sql)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

pub async fn set_preference(
    sql: &mut PgConnection,
    tenant: TenantId,
    address: &str,
    mail: MailPreference,
    by_link: bool,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query("UPDATE mail_preferences SET mail = $3, by_link = $4, changed_at = $5 WHERE tenant_id = $1 AND address = $2")
        .bind(tenant.0)
        .bind(address)
        .bind(mail.as_str())
        .bind(by_link)
        .bind(sql_time(now))
        .execute(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(())
}

/// A member as a recipient.
pub struct Person {
    pub id: MemberId,
    pub name: String,
    pub email: String,
}

pub async fn members_named(sql: &mut PgConnection, tenant: TenantId, ids: &[Uuid]) -> Result<Vec<Person>, Problem> {
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as("SELECT id, name, email FROM members WHERE tenant_id = $1 AND id = ANY ($2)")
        .bind(tenant.0)
        .bind(ids)
        .fetch_all(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(rows.into_iter().map(|(id, name, email)| Person { id: MemberId(id), name, email }).collect())
}

fn members_in(recipients: &[Recipient]) -> Vec<Uuid> {
    recipients.iter().filter_map(|recipient| if let Recipient::Member(id) = recipient { Some(id.0) } else { None }).collect()
}

/// The addresses behind recipients, in lower case, each once. Members who left, and those without an address, have none.
pub async fn addresses_of(sql: &mut PgConnection, tenant: TenantId, recipients: &[Recipient]) -> Result<Vec<String>, Problem> {
    let people = members_named(sql, tenant, &members_in(recipients)).await?;
    let mut addresses: Vec<String> = Vec::new();
    for recipient in recipients {
        let address = match recipient {
            Recipient::Member(id) => people.iter().find(|person| person.id == *id).map(|person| person.email.as_str()),
            Recipient::Address(address) => Some(address.as_str()),
        };
        let address = address.map(str::to_lowercase).filter(|address| !address.is_empty() && !addresses.contains(address));
        addresses.extend(address);
    }
    Ok(addresses)
}

/// Recipients as they are shown: by name, with what each wants.
async fn shown_recipients(sql: &mut PgConnection, tenant: TenantId, recipients: &[Recipient]) -> Result<Vec<ShownRecipient>, Problem> {
    let people = members_named(sql, tenant, &members_in(recipients)).await?;
    let addresses = addresses_of(sql, tenant, recipients).await?;
    let known = preferences(sql, tenant, &addresses).await?;
    let shown = |recipient: &Recipient| {
        let (member, name, address) = match recipient {
            Recipient::Member(id) => match people.iter().find(|person| person.id == *id) {
                Some(person) => (Some(*id), person.name.clone(), Some(person.email.clone()).filter(|email| !email.is_empty())),
                None => (Some(*id), "A member who left".into(), None),
            },
            Recipient::Address(address) => (None, address.clone(), Some(address.clone())),
        };
        let preference = address.as_ref().and_then(|address| known.iter().find(|row| row.address == address.to_lowercase()));
        ShownRecipient { member, name, address, mail: preference.map_or(MailPreference::All, |row| row.mail) }
    };
    Ok(recipients.iter().map(shown).collect())
}

/// A channel as people see it.
pub async fn shown(sql: &mut PgConnection, tenant: TenantId, row: &ChannelRow) -> Result<Channel, Problem> {
    let config = match &row.config {
        StoredConfig::Smtp { recipients } => ShownConfig::Smtp { recipients: shown_recipients(sql, tenant, recipients).await? },
        StoredConfig::Mailbox { directory, client_id, mailbox, recipients } => ShownConfig::Mailbox {
            directory: Named { id: *directory, name: directory_name(sql, tenant, *directory).await? },
            client_id: client_id.to_string(),
            mailbox: mailbox.clone(),
            recipients: shown_recipients(sql, tenant, recipients).await?,
        },
        StoredConfig::Teams { masked } => ShownConfig::Teams { url: masked.clone() },
        StoredConfig::Webhook { masked } => ShownConfig::Webhook { url: masked.clone() },
    };
    let target = match &config {
        ShownConfig::Smtp { recipients } => to_whom(recipients),
        ShownConfig::Mailbox { mailbox, recipients, .. } => format!("{} from {mailbox}", to_whom(recipients)),
        ShownConfig::Teams { url } | ShownConfig::Webhook { url } => url.clone(),
    };
    Ok(Channel {
        id: row.id,
        kind: row.kind(),
        name: row.name.clone(),
        target,
        state: row.state(),
        config,
        rules: row.rules,
        waiting: row.waiting,
        last_delivery: row.last_delivery.clone(),
        failure: row.failure.clone(),
        created_at: row.created_at,
        created_by: row.created_by.clone(),
    })
}

fn to_whom(recipients: &[ShownRecipient]) -> String {
    match recipients {
        [] => "nobody".into(),
        [one] => one.name.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.name, rest.len()),
    }
}

/// The addresses of the tenant's owners.
pub async fn owners(sql: &mut PgConnection, tenant: TenantId) -> Result<Vec<String>, Problem> {
    sqlx::query_scalar("SELECT email FROM members WHERE tenant_id = $1 AND role = 'owner' AND email <> '' ORDER BY email")
        .bind(tenant.0)
        .fetch_all(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// The address of the person behind a token.
pub async fn address_of(sql: &mut PgConnection, tenant: TenantId, directory: DirectoryId, object: Uuid) -> Result<Option<String>, Problem> {
    sqlx::query_scalar("SELECT email FROM members WHERE tenant_id = $1 AND directory_id = $2 AND object_id = $3 AND email <> ''")
        .bind(tenant.0)
        .bind(directory.0)
        .bind(object)
        .fetch_optional(sql)
        .await
        .map_err(|e| StoreError::from(e).into())
}

/// A directory's name, also of one that was removed.
pub async fn directory_name(sql: &mut PgConnection, tenant: TenantId, id: DirectoryId) -> Result<String, Problem> {
    let name: Option<String> = sqlx::query_scalar("SELECT name FROM directories WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(sql)
        .await
        .map_err(StoreError::from)?;
    Ok(name.unwrap_or_else(|| id.to_string()))
}

/// How many of the directories and projects there are; fewer than asked for means that one does not exist.
pub async fn known_places(
    sql: &mut PgConnection,
    tenant: TenantId,
    directories: &[Uuid],
    projects: &[Uuid],
) -> Result<(i64, i64), Problem> {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM directories d WHERE d.tenant_id = $1 AND d.id = ANY ($2)),
                (SELECT count(*) FROM projects p WHERE p.tenant_id = $1 AND p.id = ANY ($3))",
    )
    .bind(tenant.0)
    .bind(directories)
    .bind(projects)
    .fetch_one(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// The run before another one in its series, and whether both are there.
pub async fn run_before(sql: &mut PgConnection, tenant: TenantId, series: Uuid, run: Uuid) -> Result<Option<Uuid>, Problem> {
    sqlx::query_scalar(
        "SELECT b.run_id FROM run_series a JOIN run_series b ON b.tenant_id = a.tenant_id AND b.series_id = a.series_id
                AND b.position = a.position - 1
         WHERE a.tenant_id = $1 AND a.series_id = $2 AND a.run_id = $3",
    )
    .bind(tenant.0)
    .bind(series)
    .bind(run)
    .fetch_optional(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}

/// The newest run of any series that has one before it: what a preview shows.
pub async fn newest_pair(sql: &mut PgConnection, tenant: TenantId) -> Result<Option<(Uuid, Uuid)>, Problem> {
    sqlx::query_as(
        "SELECT rs.series_id, rs.run_id FROM run_series rs WHERE rs.tenant_id = $1 AND rs.position > 1
         ORDER BY rs.at DESC, rs.position DESC LIMIT 1",
    )
    .bind(tenant.0)
    .fetch_optional(sql)
    .await
    .map_err(|e| StoreError::from(e).into())
}
