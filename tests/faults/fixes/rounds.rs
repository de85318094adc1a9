//! People who keep fixes going while the worker is killed under them: they approve, apply, roll back, order again what did not happen, and
//! plan anew when everything is taken back.

use super::worker::Beside;
use crate::kills::Dice;
use bailiwick_sim::demo::Scanned;
use bailiwick_testkit::{Actor, Answer};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// Orders under way at a time, over all directories.
const IN_HAND: usize = 12;

/// What is planned of a directory, again and again.
pub struct Wanted {
    pub directory: Scanned,
    pub body: Value,
}

/// A fix as it stands now.
#[derive(sqlx::FromRow)]
struct Standing {
    id: Uuid,
    directory_id: Uuid,
    digest: String,
    state: String,
    code: Option<String>,
    failure: Option<Value>,
}

pub struct People<'a> {
    pub owner: Actor,
    pub wanted: &'a [Wanted],
    pub dice: Dice,
}

/// What the state may have become since it was looked at is refused; nothing else is.
fn taken(answer: Answer) -> bool {
    assert!(matches!(answer.status, 200..=202 | 409), "{} {}: {} {:#}", answer.who, answer.what, answer.status, answer.json());
    answer.status != 409
}

impl People<'_> {
    async fn decide(&self, fix: &Standing, what: &str) -> bool {
        taken(self.owner.post(&format!("/api/v1/fixes/{}/{what}", fix.id), json!({"digest": fix.digest})).await)
    }

    pub async fn plan(&self, wanted: &Wanted) -> Vec<Value> {
        let plan = self.owner.post("/api/v1/fix-plans", wanted.body.clone()).await.ok();
        let fixes = plan["fixes"].as_array().unwrap().clone();
        assert!(!fixes.is_empty(), "{plan:#}");
        fixes
    }

    /// Goes on until it is dropped.
    pub async fn keep_going(&self, beside: &Beside) {
        let mut sql = beside.look().await;
        loop {
            self.pass(&mut sql).await;
        }
    }

    /// Looks at everything once, and orders what may be ordered next.
    pub async fn pass(&self, sql: &mut PgConnection) {
        let mut standing: Vec<Standing> = sqlx::query_as(
            "SELECT id, directory_id, digest, state, failure ->> 'code' AS code, failure FROM bailiwick.fixes
             WHERE state NOT IN ('rolled_back', 'superseded') ORDER BY id",
        )
        .fetch_all(&mut *sql)
        .await
        .unwrap();
        let busy: HashSet<Uuid> = standing.iter().map(|fix| fix.directory_id).collect();
        for wanted in self.wanted.iter().filter(|wanted| !busy.contains(&wanted.directory.directory)) {
            self.plan(wanted).await;
        }
        let planned: HashSet<Uuid> = self.wanted.iter().map(|wanted| wanted.directory.directory).collect();
        standing.retain(|fix| planned.contains(&fix.directory_id));
        let mut in_hand = standing.iter().filter(|fix| fix.state == "applying" || fix.state == "rolling_back").count();
        while in_hand < IN_HAND && !standing.is_empty() {
            let at = usize::try_from(self.dice.below(standing.len() as u64)).unwrap();
            in_hand += usize::from(self.order(&standing.swap_remove(at)).await);
        }
        // Others want to work as well.
        tokio::task::yield_now().await;
    }

    /// Orders what comes next for a fix; whether something is under way for it now.
    async fn order(&self, fix: &Standing) -> bool {
        if let Some(code) = &fix.code {
            assert_eq!(code, "not_sent", "a kill can keep a write from being sent, and nothing else: {:#}", fix.failure.clone().unwrap());
        }
        match fix.state.as_str() {
            "proposed" => self.decide(fix, "approve").await && self.decide(fix, "apply").await,
            "approved" | "failed" => self.decide(fix, "apply").await,
            "applied" | "rollback_failed" => self.decide(fix, "roll-back").await,
            "applying" | "rolling_back" => false,
            other => panic!("fix {} is {other}", fix.id),
        }
    }
}
