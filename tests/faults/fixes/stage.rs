//! A directory that may be fixed, on a stage of its own: connected twice, once to read and once to write, with two people who approve.

use crate::scans::stage::Stage;
use bailiwick_base::Clock;
use bailiwick_sim::Call;
use bailiwick_sim::demo::{CONTOSO, Scanned, TAILSPIN, WRITER_CLIENT_ID, WRITER_SECRET};
use bailiwick_testkit::{Actor, Answer};
use jiff::Timestamp;
use serde_json::{Value, json};

pub const AUTHORIZATION: &str = "/v1.0/policies/authorizationPolicy";
/// What most faults are done to: who may invite guests.
pub const INVITES: &str = "guest_invites";
/// Turns of the worker after which an order must have come to its end: a quarter of an hour is sixty of the longest pauses.
const TURNS: usize = 300;

pub struct Fixing {
    pub stage: Stage,
    /// Tailspin's connection that reads.
    pub reader: String,
}

pub fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap_or_else(|| panic!("no id: {of:#}"))
}

impl Fixing {
    /// Tailspin, where anybody may invite guests, with fixes turned on and both consents given.
    pub async fn new() -> Self {
        let fixing = Self::reading().await;
        fixing.turn_on(&TAILSPIN, json!({"enabled": true, "containment": true})).await;
        fixing.connect_writer(&TAILSPIN).await;
        fixing.stage.sim.clear_calls();
        fixing
    }

    /// The same before anybody turned fixes on, and without a consent to write.
    pub async fn reading() -> Self {
        let stage = Stage::with(|config| {
            let secret = config.data_folder.with_file_name("writer");
            std::fs::write(&secret, WRITER_SECRET).unwrap();
            (config.microsoft.writer.client_id, config.microsoft.writer.secret_file) = (WRITER_CLIENT_ID.to_string(), secret);
        })
        .await;
        stage.sim.set_limits(false);
        for (role, object) in [("admin", CONTOSO.admin), ("member", CONTOSO.member), ("auditor", CONTOSO.auditor)] {
            let person = json!({"object_id": object, "name": role, "email": CONTOSO.upn(role), "role": role});
            stage.owner().post("/api/v1/members", person).await.ok();
        }
        let reader = stage.connect(&TAILSPIN).await;
        let fixing = Self { stage, reader };
        fixing.set_invites("everyone");
        fixing
    }

    pub fn owner(&self) -> Actor {
        self.stage.owner()
    }
    pub fn admin(&self) -> Actor {
        self.stage.person("admin", CONTOSO.admin)
    }
    pub fn member(&self) -> Actor {
        self.stage.person("member", CONTOSO.member)
    }
    pub fn auditor(&self) -> Actor {
        self.stage.person("auditor", CONTOSO.auditor)
    }

    pub async fn turn_on(&self, directory: &Scanned, settings: Value) {
        self.owner().put(&format!("/api/v1/fix-settings/{}", directory.directory), settings).await.ok();
    }

    /// The second consent, given by the directory's administrator; the connection's id.
    pub async fn connect_writer(&self, directory: &Scanned) -> String {
        self.connect_writer_by(directory, || assert!(self.stage.sim.consent(directory.directory, WRITER_CLIENT_ID))).await
    }

    pub async fn connect_writer_by(&self, directory: &Scanned, consent: impl FnOnce()) -> String {
        let begun = self.owner().post("/api/v1/consents", json!({"kind": "write", "directory": directory.directory})).await.ok();
        let url = reqwest::Url::parse(begun["url"].as_str().unwrap()).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        consent();
        let outcome = self.stage.complete(json!({"tenant": directory.directory, "admin_consent": "True"}), &state).await;
        assert!(outcome["refusal"].is_null(), "{outcome:#}");
        id(&outcome["connection"]).to_owned()
    }

    pub async fn try_plan(&self, directory: &Scanned, policies: &[&str]) -> Answer {
        self.owner().post("/api/v1/fix-plans", json!({"directory": directory.directory, "policies": policies})).await
    }

    /// Proposes to restrict who invites guests; the fix.
    pub async fn plan(&self) -> Value {
        let plan = self.try_plan(&TAILSPIN, &[INVITES]).await.ok();
        assert_eq!(plan["fixes"].as_array().map(Vec::len), Some(1), "{plan:#}");
        plan["fixes"][0].clone()
    }

    pub async fn decide(&self, who: &Actor, fix: &Value, what: &str) -> Answer {
        who.post(&format!("/api/v1/fixes/{}/{what}", id(fix)), json!({"digest": fix["digest"]})).await
    }

    /// A fix that the owner approved.
    pub async fn approved(&self) -> Value {
        let fix = self.plan().await;
        self.decide(&self.owner(), &fix, "approve").await.ok();
        fix
    }

    /// A fix whose order waits for the worker.
    pub async fn ordered(&self) -> Value {
        let fix = self.approved().await;
        self.decide(&self.owner(), &fix, "apply").await.ok();
        fix
    }

    /// A fix that is applied.
    pub async fn applied(&self) -> Value {
        let fix = self.ordered().await;
        let applied = self.settled(&fix).await;
        assert_eq!(applied["state"], "applied", "{applied:#}");
        applied
    }

    /// Orders something once more; what it comes to.
    pub async fn again(&self, fix: &Value, what: &str) -> Value {
        self.decide(&self.owner(), fix, what).await.ok();
        self.settled(fix).await
    }

    pub async fn shown(&self, fix: &Value) -> Value {
        self.owner().get(&format!("/api/v1/fixes/{}", id(fix))).await.ok()
    }

    /// Lets the worker work, and time pass from one turn of its to the next, until an order has come to its end.
    pub async fn settled(&self, fix: &Value) -> Value {
        for _ in 0..TURNS {
            self.stage.work().await;
            let shown = self.shown(fix).await;
            if !matches!(shown["state"].as_str(), Some("applying" | "rolling_back")) {
                return shown;
            }
            self.next_turn().await;
        }
        panic!("it never settled: {:#}", self.shown(fix).await);
    }

    /// Lets time pass until the next job of a fix is due.
    pub async fn next_turn(&self) {
        let due: Option<i64> = sqlx::query_scalar(
            "SELECT (extract(epoch FROM min(run_at)) * 1000000)::bigint FROM bailiwick.jobs
             WHERE state = 'queued' AND kind IN ('fixes.apply', 'fixes.due', 'containments.act')",
        )
        .fetch_one(&mut self.stage.look().await)
        .await
        .unwrap();
        let due = Timestamp::from_microsecond(due.expect("no job waits for it")).unwrap();
        self.stage.clock.set(self.stage.clock.now().max(due));
    }

    /// Somebody else sets who may invite guests.
    pub fn set_invites(&self, to: &str) {
        self.stage.sim.change(TAILSPIN.directory, AUTHORIZATION, json!({"allowInvitesFrom": to})).unwrap();
    }
    pub fn invites(&self) -> String {
        self.stage.sim.value(TAILSPIN.directory, AUTHORIZATION)["allowInvitesFrom"].as_str().unwrap().to_owned()
    }

    /// What a directory was sent that may have changed something.
    pub fn writes(&self, directory: &Scanned) -> Vec<Call> {
        self.stage
            .sim
            .calls()
            .into_iter()
            .filter(|call| call.directory == Some(directory.directory) && call.body_sha256.is_some())
            .collect()
    }

    /// How each write to Tailspin was answered; 0: not at all.
    pub fn answers(&self) -> Vec<u16> {
        self.writes(&TAILSPIN).iter().map(|call| call.status).collect()
    }

    /// What becomes of the next requests to a path that begins so.
    pub fn fault(&self, method: &str, path: &str, times: Option<u32>, action: Value) {
        self.stage.break_with(json!([{"match": {"method": method, "path": path}, "times": times, "action": action}]));
    }

    /// The next fault is alone: earlier ones and their calls are forgotten, and anybody may invite guests again.
    pub fn anew(&self) {
        self.stage.sim.clear_faults();
        self.stage.sim.set_write_delay(0);
        self.set_invites("everyone");
        self.stage.sim.clear_calls();
    }

    /// What was sent and what is there, in words.
    pub fn there(&self) -> String {
        let answers = self.answers();
        let told: Vec<String> = answers.iter().map(|status| if *status == 0 { "cut off".into() } else { status.to_string() }).collect();
        match answers.len() {
            0 => format!("nothing was sent; `{}`", self.invites()),
            1 => format!("1 write ({}); `{}`", told[0], self.invites()),
            n if n > 4 => format!("{n} writes ({}, …, {}); `{}`", told[0], told[n - 1], self.invites()),
            n => format!("{n} writes ({}); `{}`", told.join(", "), self.invites()),
        }
    }
}

/// A fix is in a state, for this reason.
#[track_caller]
pub fn failed(fix: &Value, state: &str, code: &str) {
    assert_eq!((&fix["state"], &fix["failure"]["code"]), (&json!(state), &json!(code)), "{fix:#}");
}

/// A fix is in a state, and nothing went wrong.
#[track_caller]
pub fn well(fix: &Value, state: &str) {
    assert_eq!((&fix["state"], &fix["failure"]), (&json!(state), &Value::Null), "{fix:#}");
}
