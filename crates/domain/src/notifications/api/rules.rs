//! Rules: what goes to which channel, and when.

use super::super::{db, digests, model};
use crate::{Call, ReadHandler, Services, WriteHandler, text};
use bailiwick_base::{Code, Page, Problem, RuleId};
use bailiwick_contract::Empty;
use bailiwick_contract::evidence::Named;
use bailiwick_contract::notifications::{
    ChangeNotificationRule, CreateNotificationRule, GetNotificationRule, ListNotificationRules, NewNotificationRule, NotificationRule,
    RemoveNotificationRule,
};
use bailiwick_store::{Audited, ReadScope, WriteScope};
use serde_json::{Value, json};
use uuid::Uuid;

/// Rules of one tenant, and places one rule may name.
const RULES: i64 = 200;
const PLACES: usize = 200;

fn target(id: RuleId) -> String {
    format!("notification_rule/{id}")
}

fn told(rule: &NotificationRule) -> Value {
    json!({
        "name": rule.name, "channel": rule.channel.id, "events": rule.events, "min_severity": rule.min_severity,
        "min_regressions": rule.min_regressions, "directories": rule.directories, "projects": rule.projects, "timing": rule.timing,
        "enabled": rule.enabled,
    })
}

impl ReadHandler for ListNotificationRules {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<NotificationRule>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let after = match text::cursor::<2>(&call.query.cursor)? {
            Some([name, id]) => Some((name, text::part::<Uuid>(&id)?)),
            None => None,
        };
        let rows = db::rules(scope.sql(), call.tenant, after, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |rule| vec![rule.name.clone(), rule.id.to_string()]))
    }
}

impl ReadHandler for GetNotificationRule {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<NotificationRule, Problem> {
        db::rule(scope.sql(), call.tenant, call.path.rule).await?.ok_or_else(Problem::not_found)
    }
}

/// The rule as it was sent, checked.
async fn checked(scope: &mut WriteScope, id: RuleId, new: NewNotificationRule) -> Result<NotificationRule, Problem> {
    let bad = |field: &str, detail: String| Problem::new(Code::BadRequest, detail).at(field);
    let (tenant, now) = (scope.tenant(), scope.now());
    let name = text::name("name", &new.name, 120)?;
    let mut events = new.events;
    events.sort_unstable();
    events.dedup();
    if events.is_empty() {
        return Err(bad("events", "The rule names no event. Name at least one.".into()));
    }
    if !(1..=100_000).contains(&new.min_regressions) {
        return Err(bad("min_regressions", format!("`min_regressions` is {}. Give 1 to 100000.", new.min_regressions)));
    }
    if new.directories.len() > PLACES || new.projects.len() > PLACES {
        return Err(bad("directories", format!("A rule names at most {PLACES} directories and projects. Leave them out to mean all.")));
    }
    model::next_digest(&new.timing, now)?;
    let Some(channel) = db::channel(scope.sql(), tenant, new.channel).await? else {
        return Err(Problem::new(Code::NotFound, "There is no such channel. Make it first.").at("channel"));
    };
    let (mut directories, mut projects) = (new.directories, new.projects);
    directories.sort_unstable();
    directories.dedup();
    projects.sort_unstable();
    projects.dedup();
    let ids = (directories.iter().map(|d| d.0).collect::<Vec<_>>(), projects.iter().map(|p| p.0).collect::<Vec<_>>());
    let known = db::known_places(scope.sql(), tenant, &ids.0, &ids.1).await?;
    if known.0 != i64::try_from(ids.0.len()).unwrap_or(i64::MAX) {
        return Err(bad("directories", "One of the directories is not listed here.".into()));
    }
    if known.1 != i64::try_from(ids.1.len()).unwrap_or(i64::MAX) {
        return Err(bad("projects", "One of the projects does not exist.".into()));
    }
    Ok(NotificationRule {
        id,
        name,
        channel: Named { id: channel.id, name: channel.name },
        events,
        min_severity: new.min_severity,
        min_regressions: new.min_regressions,
        directories,
        projects,
        timing: new.timing,
        enabled: new.enabled,
        next_digest_at: None,
        gathered: 0,
        created_at: now,
    })
}

impl WriteHandler for CreateNotificationRule {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<NotificationRule>, Problem> {
        let has = db::count_rules(scope.sql(), call.tenant).await?;
        if has >= RULES {
            return Err(Problem::new(Code::LimitExceeded, format!("There are {has} rules, and at most {RULES} are kept for one tenant.")));
        }
        let id = RuleId::new(scope.clock(), scope.rng());
        let rule = checked(scope, id, call.body).await?;
        db::put_rule(scope.sql(), call.tenant, &rule).await?;
        let detail = told(&rule);
        Ok(Audited::new(rule, target(id), detail))
    }
}

async fn stored(scope: &mut WriteScope, id: RuleId) -> Result<NotificationRule, Problem> {
    let tenant = scope.tenant();
    if !db::lock_rule(scope.sql(), tenant, id).await? {
        return Err(Problem::not_found());
    }
    db::rule(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)
}

impl WriteHandler for ChangeNotificationRule {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<NotificationRule>, Problem> {
        let (id, now) = (call.path.rule, scope.now());
        let before = stored(scope, id).await?;
        let rule = NotificationRule { created_at: before.created_at, ..checked(scope, id, call.body).await? };
        digests::forget(scope, &before).await?;
        db::put_rule(scope.sql(), call.tenant, &rule).await?;
        // What was gathered goes out at the new time; at once, where the rule gathers no more.
        if rule.enabled && before.gathered > 0 {
            digests::wait(scope, id, model::next_digest(&rule.timing, now)?.unwrap_or(now)).await?;
        }
        let after = stored(scope, id).await?;
        let detail = json!({"before": told(&before), "after": told(&after)});
        Ok(Audited::new(after, target(id), detail))
    }
}

impl WriteHandler for RemoveNotificationRule {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Empty>, Problem> {
        let id = call.path.rule;
        let before = stored(scope, id).await?;
        digests::forget(scope, &before).await?;
        db::delete_rule(scope.sql(), call.tenant, id).await?;
        Ok(Audited::new(Empty, target(id), told(&before)))
    }
}
