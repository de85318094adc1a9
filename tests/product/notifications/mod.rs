//! Notifications, from what happened to what arrives: a real mail server and real endpoints on loopback take what Bailiwick sends.

mod failures;
mod mails;
mod sinks;
mod wires;

use bailiwick_base::Timestamp;
use bailiwick_sim::scenario;
use bailiwick_testkit::{Actor, World};
use serde_json::{Value, json};
use sinks::{Does, Endpoint, MailServer};
use sqlx::Row;
use std::sync::atomic::{AtomicU32, Ordering};

/// A world with somewhere to send to.
pub struct Desk {
    pub world: World,
    pub owner: Actor,
    pub mail: MailServer,
    pub endpoint: Endpoint,
    reports: AtomicU32,
}

impl Desk {
    pub async fn new() -> Self {
        Self::with(&[sinks::TAKES]).await
    }

    /// A world whose endpoint does this.
    pub async fn with(script: &[Does]) -> Self {
        crate::logs::keep();
        let (mail, endpoint) = (MailServer::start().await, Endpoint::start(script).await);
        let port = mail.port;
        let world = World::with(|config| {
            config.public_url = "https://bailiwick.contoso.com".into();
            config.mail.host = "127.0.0.1".into();
            config.mail.port = port;
            config.mail.security = bailiwick_cloud::notify::SmtpSecurity::PlainLoopback;
            config.mail.from = "bailiwick@contoso.com".into();
            config.notifications.private_ranges = vec!["127.0.0.0/8".into()];
            config.notifications.teams_hosts = vec!["127.0.0.1".into()];
        })
        .await;
        let owner = world.contoso.owner();
        Self { world, owner, mail, endpoint, reports: 0.into() }
    }

    pub async fn channel(&self, name: &str, config: Value) -> Value {
        self.owner.post("/api/v1/channels", json!({"name": name, "config": config})).await.ok()
    }

    /// A channel that mails one address; its id.
    pub async fn mails_to(&self, address: &str) -> String {
        let made = self.channel(&format!("mail to {address}"), json!({"kind": "smtp", "recipients": [{"address": address}]})).await;
        id(&made["channel"])
    }

    /// A channel to a path of the endpoint; its id, and its signing secret.
    pub async fn webhook(&self, path: &str) -> (String, String) {
        let made = self.channel("hook", json!({"kind": "webhook", "url": format!("{}{path}", self.endpoint.url)})).await;
        (id(&made["channel"]), made["signing_secret"].as_str().unwrap().to_owned())
    }

    /// A rule that tells regressions at once, changed as told.
    pub async fn rule(&self, channel: &str, change: Value) -> Value {
        let mut new = json!({"name": format!("rule for {channel}"), "channel": channel, "events": ["drift_regressed"], "timing": {"kind": "immediate"}});
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.owner.post("/api/v1/notification-rules", new).await.ok()
    }

    /// A first report; works what it leads to.
    pub async fn begin(&self) -> String {
        self.report(1, false).await
    }

    /// A report that is worse than any before: two checks fail, one of high severity and one of medium.
    pub async fn worse(&self) -> String {
        self.report(2, false).await
    }

    /// The same with the two mended: nothing in it is worse than in any before.
    pub async fn better(&self) -> String {
        self.report(2, true).await
    }

    /// A first report and a worse one.
    pub async fn regress(&self) -> String {
        self.begin().await;
        self.worse().await
    }

    async fn report(&self, day: u32, mended: bool) -> String {
        let run = self.submit(day, mended).await;
        self.world.work().await;
        run
    }

    /// Hands in a report that was made after those before it.
    pub async fn submit(&self, day: u32, mended: bool) -> String {
        let number = self.reports.fetch_add(1, Ordering::SeqCst);
        let mut report: Value = serde_json::from_slice(&scenario::maester_report(&self.world.contoso.org, day)).unwrap();
        report["ExecutedAt"] = json!(format!("2026-11-18T06:{number:02}:00.000000+00:00"));
        for test in report["Tests"].as_array_mut().unwrap() {
            if mended && ["MT.1005", "MT.1092"].contains(&test["Id"].as_str().unwrap()) {
                test["Result"] = json!("Passed");
            }
        }
        let bytes = serde_json::to_vec(&report).unwrap();
        let new = json!({"source": "nightly", "pipeline_run_id": number.to_string()});
        self.world.contoso.pipeline().submit(new, &[("TestResults.json", &bytes)]).await
    }

    pub async fn deliveries(&self, query: &str) -> Vec<Value> {
        self.owner.get(&format!("/api/v1/deliveries?{query}")).await.ok()["items"].as_array().unwrap().clone()
    }

    pub async fn channel_now(&self, channel: &str) -> Value {
        self.owner.get(&format!("/api/v1/channels/{channel}")).await.ok()
    }

    /// Sets the clock to when the next message may be sent, and works what is due then. False when none waits.
    pub async fn next_try(&self) -> bool {
        let found = sqlx::query(
            "SELECT (extract(epoch FROM min(run_at)) * 1000000)::bigint AS at FROM bailiwick.jobs
             WHERE kind LIKE 'notifications.%' AND state = 'queued'",
        )
        .fetch_one(&mut self.world.look().await)
        .await
        .unwrap();
        let Some(micros) = found.get::<Option<i64>, _>("at") else { return false };
        let at = Timestamp::from_microsecond(micros).unwrap();
        self.world.clock.set(at.max(self.world.running.services.store.now()));
        self.world.work().await;
        true
    }
}

pub fn id(of: &Value) -> String {
    of["id"].as_str().unwrap_or_else(|| panic!("no id: {of:#}")).to_owned()
}
