//! Notifications: channels by which people are told, rules that say what is told when, and what became of each message.
//!
//! Nothing here shows a secret again: an address that is a credential is masked, a signing secret is shown once.

use crate::evidence::Named;
use crate::operation::{Empty, Guard, json, operations};
use crate::permission::Permission;
use bailiwick_base::{
    ChannelId, Cursor, DeliveryId, DirectoryId, FixId, MemberId, Page, Principal, ProjectId, RuleId, RunId, ScanId, Severity, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),*];
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $text),* } }
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some($name::$variant),)* _ => None } }
        }
    };
}

words! {
    /// How a channel reaches people.
    ChannelKind {
        /// The operator's mail server.
        Smtp = "smtp",
        /// A mailbox of the customer's, through Microsoft Graph, by federated identity.
        Mailbox = "mailbox",
        /// A Teams channel, through a workflow's address.
        Teams = "teams",
        /// Any endpoint, signed by Standard Webhooks.
        Webhook = "webhook",
    }
}

words! {
    /// What can be told.
    EventKind {
        /// A run or scan has results that fail and did not before.
        DriftRegressed = "drift_regressed",
        ScanFailed = "scan_failed",
        RunFailed = "run_failed",
        /// A fix waits for somebody's approval.
        FixWaiting = "fix_waiting",
        /// A fix was applied, failed, stopped, or was rolled back.
        FixDone = "fix_done",
    }
}

words! {
    /// How a channel stands.
    ChannelState {
        /// Nothing was sent through it yet, or nothing since it was changed.
        Untried = "untried",
        Working = "working",
        /// The last attempt did not get through; it is tried again.
        Failing = "failing",
        /// Refused again and again: nothing is sent until somebody changes it or a test succeeds.
        Broken = "broken",
        /// Nothing is sent until somebody resumes it; what happens meanwhile is not told later.
        Paused = "paused",
    }
}

words! {
    /// Why a delivery is there.
    DeliveryKind {
        Immediate = "immediate",
        Digest = "digest",
        Test = "test",
        /// Tells the owners that a channel is broken.
        Notice = "notice",
    }
}

words! {
    /// How a delivery stands.
    DeliveryState {
        Waiting = "waiting",
        /// It was tried, and is tried again.
        Retrying = "retrying",
        Delivered = "delivered",
        /// It was refused for good, or nobody took it for three days.
        Dead = "dead",
        /// It was taken back before it was sent: the recipient unsubscribed, or the channel went.
        Dropped = "dropped",
    }
}

words! {
    /// What one attempt came to.
    TryOutcome {
        Delivered = "delivered",
        /// May succeed by itself.
        Later = "later",
        /// Will not succeed until somebody changes something.
        Broken = "broken",
    }
}

words! {
    /// Which mail a person wants from this tenant.
    MailPreference {
        All = "all",
        /// Only what rules gather daily or weekly.
        Digest = "digest",
        None = "none",
    }
}

words! {
    Weekday {
        Monday = "monday",
        Tuesday = "tuesday",
        Wednesday = "wednesday",
        Thursday = "thursday",
        Friday = "friday",
        Saturday = "saturday",
        Sunday = "sunday",
    }
}

/// Who gets a mail: a member at the address the tenant has of them, or any address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    Member(MemberId),
    Address(String),
}

/// Where a channel leads, as it is set.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ChannelConfig {
    Smtp {
        /// 1 to 50.
        recipients: Vec<Recipient>,
    },
    Mailbox {
        directory: DirectoryId,
        /// The registration in that directory that may send mail (`Mail.Send`) and trusts this environment's federated identity.
        #[schemars(length(min = 1, max = 100))]
        client_id: String,
        /// The one mailbox mail is sent from.
        #[schemars(length(min = 3, max = 320))]
        mailbox: String,
        /// 1 to 50.
        recipients: Vec<Recipient>,
    },
    Teams {
        /// The workflow's address. Whoever has it can post, so it is sealed at once and shown masked.
        #[schemars(length(min = 1, max = 2000))]
        url: String,
    },
    Webhook {
        /// Sealed at once and shown masked.
        #[schemars(length(min = 1, max = 2000))]
        url: String,
    },
}

impl ChannelConfig {
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Smtp { .. } => ChannelKind::Smtp,
            Self::Mailbox { .. } => ChannelKind::Mailbox,
            Self::Teams { .. } => ChannelKind::Teams,
            Self::Webhook { .. } => ChannelKind::Webhook,
        }
    }
}

impl fmt::Debug for ChannelConfig {
    /// Its kind only: an address may be a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelConfig({})", self.kind().as_str())
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    /// Unique in the tenant, 1 to 120 characters.
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    pub config: ChannelConfig,
}

/// What is not named stays. Any change of `config`, and `paused: false`, lets a broken channel try again.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelChange {
    #[serde(default)]
    #[schemars(length(min = 1, max = 120))]
    pub name: Option<String>,
    #[serde(default)]
    pub paused: Option<bool>,
    /// Of the channel's own kind, whole.
    #[serde(default)]
    pub config: Option<ChannelConfig>,
}

/// A recipient as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownRecipient {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// The member's name, or the address.
    pub name: String,
    /// Absent where the tenant has no address of the member, or the member has left: nothing is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the person at that address wants; only they can change it.
    pub mail: MailPreference,
}

/// Where a channel leads, as it is shown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShownConfig {
    Smtp { recipients: Vec<ShownRecipient> },
    Mailbox { directory: Named<DirectoryId>, client_id: String, mailbox: String, recipients: Vec<ShownRecipient> },
    Teams { url: String },
    Webhook { url: String },
}

/// The newest delivery that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastDelivery {
    pub delivery: DeliveryId,
    pub at: Timestamp,
    pub outcome: TryOutcome,
}

/// Why something was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryFailure {
    /// A stable word, e.g. `unreachable`, `throttled`, `gone`, `redirected`, `refused_address`, `recipient_refused`.
    pub code: String,
    /// What happened and what to do.
    pub detail: String,
    pub at: Timestamp,
}

/// A way by which people are told something.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub name: String,
    /// Where it leads, in one line, masked.
    pub target: String,
    pub state: ChannelState,
    pub config: ShownConfig,
    /// How many rules use it.
    pub rules: u32,
    /// Deliveries that wait or are tried again.
    pub waiting: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivery: Option<LastDelivery>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<DeliveryFailure>,
    pub created_at: Timestamp,
    pub created_by: Principal,
}

/// The only answer, beside that of a rotation, that ever holds a signing secret.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CreatedChannel {
    pub channel: Channel,
    /// Webhooks: `whsec_…`, shown once. Verify `webhook-signature` with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RotatedSecret {
    /// `whsec_…`, shown once.
    pub signing_secret: String,
    /// Until then messages are signed with the old secret as well.
    pub old_until: Timestamp,
}

/// What a test message came to, for each place it went to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TestOutcome {
    /// The worst of them.
    pub outcome: TryOutcome,
    /// What the other side said, or why it did not get there.
    pub detail: String,
    pub deliveries: Vec<Delivery>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChannelPath {
    pub channel: ChannelId,
}

/// When a rule sends. Times of day are `HH:MM` in the named zone, also when its clocks change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Timing {
    Immediate {},
    Daily { at: String, time_zone: String },
    Weekly { day: Weekday, at: String, time_zone: String },
}

/// What goes to a channel, and when.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NotificationRule {
    pub id: RuleId,
    pub name: String,
    pub channel: Named<ChannelId>,
    pub events: Vec<EventKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_severity: Option<Severity>,
    pub min_regressions: u32,
    pub directories: Vec<DirectoryId>,
    pub projects: Vec<ProjectId>,
    pub timing: Timing,
    pub enabled: bool,
    /// When what has been gathered is sent; absent where nothing waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_digest_at: Option<Timestamp>,
    /// Events that wait for the next digest.
    pub gathered: u32,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNotificationRule {
    /// Unique in the tenant, 1 to 120 characters.
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    pub channel: ChannelId,
    /// At least one.
    pub events: Vec<EventKind>,
    /// Regressions below it do not count. All count unless told. Concerns `drift_regressed` alone.
    #[serde(default)]
    pub min_severity: Option<Severity>,
    /// So many regressions that count make an event; 1 unless told. Concerns `drift_regressed` alone.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100_000))]
    pub min_regressions: u32,
    /// Only events of these directories; of all where empty.
    #[serde(default)]
    pub directories: Vec<DirectoryId>,
    /// Only events of these projects; of all, and of none, where empty.
    #[serde(default)]
    pub projects: Vec<ProjectId>,
    pub timing: Timing,
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RulePath {
    pub rule: RuleId,
}

/// What a message tells of.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    pub event: EventKind,
    pub at: Timestamp,
    /// One line: what happened.
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<FixId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectoryId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
}

/// A channel as a delivery names it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryChannel {
    pub id: ChannelId,
    pub name: String,
    pub kind: ChannelKind,
}

/// One message to one place.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    pub id: DeliveryId,
    pub kind: DeliveryKind,
    pub state: DeliveryState,
    /// The channel it goes through; of a notice, the channel it tells of.
    pub channel: DeliveryChannel,
    /// The rule that wanted it, as it was called then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Named<RuleId>>,
    /// The first thing it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventKind>,
    /// How many things it tells of.
    pub events: u32,
    pub subject: String,
    /// Whom a mail goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    pub attempts: u32,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// Why it is not delivered (yet).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<DeliveryFailure>,
}

/// One attempt to deliver.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryTry {
    pub number: u32,
    pub at: Timestamp,
    pub took_ms: u32,
    pub outcome: TryOutcome,
    /// A stable word where it was not delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the other side said, or why it did not get there.
    pub detail: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryDetail {
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The same at each attempt: what a receiver knows a message by that came twice.
    pub message_id: String,
    /// The newest fifty, newest first.
    pub tries: Vec<DeliveryTry>,
    pub about: Vec<Told>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    #[serde(default)]
    pub channel: Option<ChannelId>,
    #[serde(default)]
    pub rule: Option<RuleId>,
    #[serde(default)]
    pub state: Option<DeliveryState>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryPath {
    pub delivery: DeliveryId,
}

/// What a person wants to be told by mail, by this tenant, through whatever channel.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NotificationPreference {
    pub mail: MailPreference,
    /// The address the tenant has of you; without one no mail comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Since when mail is off or reduced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// It was changed by a link in a mail.
    pub by_link: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferenceChange {
    pub mail: MailPreference,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnsubscribeQuery {
    /// The token of the link in the mail.
    #[schemars(length(min = 1, max = 200))]
    pub token: String,
    /// Takes it back.
    #[serde(default)]
    pub undo: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Unsubscribed {
    /// Masked.
    pub address: String,
    pub tenant_name: String,
    pub mail: MailPreference,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewQuery {
    pub event: EventKind,
    pub channel: ChannelKind,
}

/// A message as it would look.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NotificationPreview {
    pub event: EventKind,
    pub channel: ChannelKind,
    /// Nothing of the kind has happened yet: what is shown is made up.
    pub sample: bool,
    pub subject: String,
    /// Mail: a whole document. Show it in a frame without scripts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Teams: the adaptive card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Value>,
    /// Webhook: the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// Webhook: the headers that are signed by, with placeholders for what is only known when it is sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Bytes of the message.
    pub size: u32,
}

/// The mail application a customer registers: what it has to trust.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MailboxOffer {
    /// The application permission it needs; lock it to the one mailbox by an application access policy of Exchange.
    pub permission: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_subject: Option<crate::connections::FederatedSubject>,
    /// Directories this tenant may send from.
    pub directories: Vec<Named<DirectoryId>>,
}

/// What this environment can send by.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NotificationOptions {
    /// The address mail comes from; absent where the operator configured no mail server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_from: Option<String>,
    /// Absent where the environment has no federated identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<MailboxOffer>,
    /// Hosts a Teams workflow may be at; `*.` stands for any name under it.
    pub teams_hosts: Vec<String>,
}

json!(
    Channel,
    NewChannel,
    ChannelChange,
    CreatedChannel,
    RotatedSecret,
    TestOutcome,
    Page<Channel>,
    NotificationRule,
    NewNotificationRule,
    Page<NotificationRule>,
    Page<Delivery>,
    Delivery,
    DeliveryDetail,
    NotificationPreference,
    PreferenceChange,
    Unsubscribed,
    NotificationPreview,
    NotificationOptions,
);

operations! {
    /// Says what this environment can send by.
    GetNotificationOptions = "get_notification_options" Get "/api/v1/notification-options" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, answer: NotificationOptions, status: 200,
        example: {"smtp_from": "bailiwick@example.com", "teams_hosts": ["*.logic.azure.com", "*.api.powerplatform.com"]},
    }
    /// Lists the channels by name.
    ListChannels = "list_channels" Get "/api/v1/channels" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, query: crate::evidence::Paging, answer: Page<Channel>, status: 200,
        example: {"items": []},
    }
    /// Makes a channel. A webhook's signing secret is in this answer and in no other.
    CreateChannel = "create_channel" Post "/api/v1/channels" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("channel.created"), rate: Write, body: NewChannel, answer: CreatedChannel, status: 201,
        example: {"channel": {"id": "0192f0c1-2b3c-7d4e-8f50-617283950001", "kind": "webhook", "name": "Incident desk", "target": "https://desk.contoso.com/…", "state": "untried", "config": {"kind": "webhook", "url": "https://desk.contoso.com/…"}, "rules": 0, "waiting": 0, "created_at": "2026-11-22T08:00:00Z", "created_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}}, "signing_secret": "whsec_…"},
    }
    /// Shows one channel.
    GetChannel = "get_channel" Get "/api/v1/channels/{channel}" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, params: ChannelPath, answer: Channel, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-617283950002", "kind": "smtp", "name": "Security team", "target": "security@contoso.com", "state": "working", "config": {"kind": "smtp", "recipients": [{"name": "security@contoso.com", "address": "security@contoso.com", "mail": "all"}]}, "rules": 1, "waiting": 0, "last_delivery": {"delivery": "0192f0c1-2b3c-7d4e-8f50-617283950201", "at": "2026-11-22T08:00:05Z", "outcome": "delivered"}, "created_at": "2026-11-22T08:00:00Z", "created_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Changes a channel: its name, where it leads, or whether it is paused.
    ChangeChannel = "change_channel" Patch "/api/v1/channels/{channel}" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("channel.changed"), rate: Write, params: ChannelPath, body: ChannelChange, answer: Channel, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-617283950002", "kind": "smtp", "name": "Security team", "target": "security@contoso.com", "state": "paused", "config": {"kind": "smtp", "recipients": [{"name": "security@contoso.com", "address": "security@contoso.com", "mail": "all"}]}, "rules": 1, "waiting": 0, "created_at": "2026-11-22T08:00:00Z", "created_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Removes a channel that no rule uses: its secrets are destroyed, what waits is dropped, its history stays.
    RemoveChannel = "remove_channel" Delete "/api/v1/channels/{channel}" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("channel.removed"), rate: Write, params: ChannelPath, answer: Empty, status: 204,
        example: null,
    }
    /// Sends a test message through a channel and answers what came of it. A broken channel that takes it works again.
    TestChannel = "test_channel" Post "/api/v1/channels/{channel}/test" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("channel.tested"), rate: Write, params: ChannelPath, answer: TestOutcome, status: 200,
        example: {"outcome": "delivered", "detail": "202 Accepted", "deliveries": []},
    }
    /// Makes a new signing secret for a webhook. For a day messages are signed with the old one as well.
    RotateChannelSecret = "rotate_channel_secret" Post "/api/v1/channels/{channel}/rotate-secret" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("channel.secret_rotated"), rate: Write, params: ChannelPath, answer: RotatedSecret, status: 200,
        example: {"signing_secret": "whsec_…", "old_until": "2026-11-23T08:00:00Z"},
    }
    /// Lists the rules by name.
    ListNotificationRules = "list_notification_rules" Get "/api/v1/notification-rules" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, query: crate::evidence::Paging, answer: Page<NotificationRule>, status: 200,
        example: {"items": []},
    }
    /// Makes a rule.
    CreateNotificationRule = "create_notification_rule" Post "/api/v1/notification-rules" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("notification_rule.created"), rate: Write, body: NewNotificationRule, answer: NotificationRule, status: 201,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-617283950101", "name": "What got worse", "channel": {"id": "0192f0c1-2b3c-7d4e-8f50-617283950002", "name": "Security team"}, "events": ["drift_regressed", "scan_failed"], "min_severity": "medium", "min_regressions": 1, "directories": [], "projects": [], "timing": {"kind": "daily", "at": "07:30", "time_zone": "Europe/Berlin"}, "enabled": true, "gathered": 0, "created_at": "2026-11-22T08:00:00Z"},
    }
    /// Shows one rule.
    GetNotificationRule = "get_notification_rule" Get "/api/v1/notification-rules/{rule}" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, params: RulePath, answer: NotificationRule, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-617283950101", "name": "What got worse", "channel": {"id": "0192f0c1-2b3c-7d4e-8f50-617283950002", "name": "Security team"}, "events": ["drift_regressed"], "min_regressions": 1, "directories": [], "projects": [], "timing": {"kind": "immediate"}, "enabled": true, "gathered": 0, "created_at": "2026-11-22T08:00:00Z"},
    }
    /// Changes a rule: the whole of it is sent. What was gathered stays gathered.
    ChangeNotificationRule = "change_notification_rule" Put "/api/v1/notification-rules/{rule}" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("notification_rule.changed"), rate: Write, params: RulePath, body: NewNotificationRule, answer: NotificationRule, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-617283950101", "name": "What got worse", "channel": {"id": "0192f0c1-2b3c-7d4e-8f50-617283950002", "name": "Security team"}, "events": ["drift_regressed"], "min_regressions": 3, "directories": [], "projects": [], "timing": {"kind": "weekly", "day": "monday", "at": "08:00", "time_zone": "UTC"}, "enabled": false, "gathered": 0, "created_at": "2026-11-22T08:00:00Z"},
    }
    /// Removes a rule, with what it gathered. What it sent stays in the history.
    RemoveNotificationRule = "remove_notification_rule" Delete "/api/v1/notification-rules/{rule}" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("notification_rule.removed"), rate: Write, params: RulePath, answer: Empty, status: 204,
        example: null,
    }
    /// Lists what was sent or is to be sent, newest first.
    ListDeliveries = "list_deliveries" Get "/api/v1/deliveries" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, query: DeliveryQuery, answer: Page<Delivery>, status: 200,
        example: {"items": [{"id": "0192f0c1-2b3c-7d4e-8f50-617283950201", "kind": "immediate", "state": "retrying", "channel": {"id": "0192f0c1-2b3c-7d4e-8f50-617283950002", "name": "Security team", "kind": "smtp"}, "rule": {"id": "0192f0c1-2b3c-7d4e-8f50-617283950101", "name": "What got worse"}, "event": "drift_regressed", "events": 1, "subject": "Contoso: 1 check got worse (1 high)", "recipient": "security@contoso.com", "attempts": 1, "created_at": "2026-11-22T08:00:00Z", "next_try_at": "2026-11-22T08:01:00Z", "failure": {"code": "unreachable", "detail": "The mail server does not answer.", "at": "2026-11-22T08:00:00Z"}}]},
    }
    /// Shows one delivery with its attempts and what it tells of.
    GetDelivery = "get_delivery" Get "/api/v1/deliveries/{delivery}" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, params: DeliveryPath, answer: DeliveryDetail, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-617283950201", "kind": "immediate", "state": "delivered", "channel": {"id": "0192f0c1-2b3c-7d4e-8f50-617283950002", "name": "Security team", "kind": "smtp"}, "event": "drift_regressed", "events": 1, "subject": "Contoso: 1 check got worse (1 high)", "recipient": "security@contoso.com", "attempts": 1, "created_at": "2026-11-22T08:00:00Z", "delivered_at": "2026-11-22T08:00:02Z", "message_id": "0192f0c1-2b3c-7d4e-8f50-617283950201", "tries": [{"number": 1, "at": "2026-11-22T08:00:02Z", "took_ms": 120, "outcome": "delivered", "detail": "250 2.0.0 Ok"}], "about": [{"event": "drift_regressed", "at": "2026-11-22T08:00:00Z", "title": "Contoso: 1 check got worse (1 high)"}]},
    }
    /// Tries a dead delivery again, now.
    RetryDelivery = "retry_delivery" Post "/api/v1/deliveries/{delivery}/retry" {
        guard: Guard::Needs(Permission::NotificationsManage), effect: Write("delivery.retried"), rate: Write, params: DeliveryPath, answer: Delivery, status: 202,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-617283950201", "kind": "immediate", "state": "waiting", "channel": {"id": "0192f0c1-2b3c-7d4e-8f50-617283950002", "name": "Security team", "kind": "smtp"}, "event": "drift_regressed", "events": 1, "subject": "Contoso: 1 check got worse (1 high)", "attempts": 12, "created_at": "2026-11-22T08:00:00Z"},
    }
    /// Shows how a message would look, made from the tenant's newest event of the kind.
    PreviewNotification = "preview_notification" Get "/api/v1/notification-preview" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, query: PreviewQuery, answer: NotificationPreview, status: 200,
        example: {"event": "drift_regressed", "channel": "webhook", "sample": false, "subject": "Contoso: 1 check got worse (1 high)", "payload": {"type": "drift.regressed", "timestamp": "2026-11-22T08:00:00Z", "data": {}}, "headers": {"webhook-id": "…"}, "size": 80},
    }
    /// Shows which mail you want from this tenant.
    GetMyNotifications = "get_my_notifications" Get "/api/v1/me/notifications" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Read, rate: Read, answer: NotificationPreference, status: 200,
        example: {"mail": "all", "address": "avery@contoso.com", "by_link": false},
    }
    /// Says which mail you want from this tenant.
    SetMyNotifications = "set_my_notifications" Put "/api/v1/me/notifications" {
        guard: Guard::Needs(Permission::NotificationsRead), effect: Write("notification_preference.changed"), rate: Write, body: PreferenceChange, answer: NotificationPreference, status: 200,
        example: {"mail": "digest", "address": "avery@contoso.com", "changed_at": "2026-11-22T08:00:00Z", "by_link": false},
    }
    /// Ends a tenant's mail to one address, by the token in the link of such a mail (RFC 8058).
    ///
    /// The body is not read: mail programs send `List-Unsubscribe=One-Click` in it.
    Unsubscribe = "unsubscribe" Post "/api/v1/unsubscribe" {
        guard: Guard::Open("whoever gets mail must be able to end it without an account; the token in the link changes this one preference and shows nothing else"),
        effect: Write("notification_preference.unsubscribed"), rate: Open, query: UnsubscribeQuery, answer: Unsubscribed, status: 200,
        example: {"address": "a…y@contoso.com", "tenant_name": "Contoso", "mail": "none"},
    }
}
