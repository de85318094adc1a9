//! A channel and a rule for what got worse, and the mails that came of the reports submitted after them.

use crate::mail::Sink;
use crate::say;
use crate::seed::{Tenant, good};
use anyhow::Context;
use bailiwick_base::{Clock, SystemClock};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const CHANNEL: &str = "Security team";
const RULE: &str = "What got worse";
/// A delivery is a matter of milliseconds; a machine that is busy may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The channel, and since when what goes through it is of this start.
pub struct Told {
    channel: String,
    since: Timestamp,
}

/// Makes sure that the tenant's owner is told by mail of every regression and of every fix that was carried out.
pub async fn set_up(tenant: &Tenant) -> anyhow::Result<Told> {
    let channel = match named(tenant, "channels", CHANNEL).await? {
        Some(id) => id,
        None => {
            let config = json!({"kind": "smtp", "recipients": [{"address": tenant.org.upn("owner")}]});
            let created = good(tenant.owner.post("/api/v1/channels", json!({"name": CHANNEL, "config": config})).await)?;
            created["channel"]["id"].as_str().context("the channel has no id")?.to_owned()
        }
    };
    if named(tenant, "notification-rules", RULE).await?.is_none() {
        let events = ["drift_regressed", "fix_done"];
        let rule = json!({"name": RULE, "channel": channel, "events": events, "timing": {"kind": "immediate"}});
        good(tenant.owner.post("/api/v1/notification-rules", rule).await)?;
    }
    Ok(Told { channel, since: SystemClock.now() })
}

async fn named(tenant: &Tenant, what: &str, name: &str) -> anyhow::Result<Option<String>> {
    let page = good(tenant.owner.get(&format!("/api/v1/{what}?limit=200")).await)?;
    let found = page["items"].as_array().into_iter().flatten().find(|item| item["name"] == json!(name));
    Ok(found.and_then(|item| item["id"].as_str()).map(str::to_owned))
}

impl Told {
    /// Waits until nothing waits to be delivered, and says what was.
    pub async fn tell(&self, tenant: &Tenant, sink: &Sink) -> anyhow::Result<()> {
        let settled = tokio::time::timeout(PATIENCE, async {
            loop {
                let deliveries = self.deliveries(tenant).await?;
                if !deliveries.iter().any(|delivery| ["waiting", "retrying"].contains(&word(delivery, "state"))) {
                    return anyhow::Ok(deliveries);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        let deliveries = settled.await.context("the mails are not delivered")??;
        say(format!("\nMail to {}, in {}", tenant.org.upn("owner"), sink.folder.display()));
        for delivery in deliveries.iter().rev() {
            say(format!("  {:<12}  {}", word(delivery, "state"), word(delivery, "subject")));
        }
        let refused = deliveries.iter().find(|delivery| delivery["state"] != "delivered");
        anyhow::ensure!(refused.is_none(), "a mail was not delivered: {}", refused.map_or(&Value::Null, |delivery| &delivery["failure"]));
        anyhow::ensure!(sink.taken() == deliveries.len(), "{} mails came of {} that were delivered", sink.taken(), deliveries.len());
        Ok(())
    }

    /// Those of this start, the newest first.
    async fn deliveries(&self, tenant: &Tenant) -> anyhow::Result<Vec<Value>> {
        let page = good(tenant.owner.get(&format!("/api/v1/deliveries?channel={}&limit=200", self.channel)).await)?;
        let of_this_start = |delivery: &&Value| word(delivery, "created_at").parse::<Timestamp>().is_ok_and(|at| at >= self.since);
        Ok(page["items"].as_array().into_iter().flatten().filter(of_this_start).cloned().collect())
    }
}

fn word<'v>(delivery: &'v Value, member: &str) -> &'v str {
    delivery[member].as_str().unwrap_or_default()
}
