//! Fixes from plan to roll-back, and the containing of people, against the simulated cloud: what it was sent is held against what people
//! approved.

use crate::assistant;
use crate::scans::{self, READER_WORLD, begin, connect, look_only};
use bailiwick_sim::demo::{Scanned, TAILSPIN, WRITER_CLIENT_ID};
use bailiwick_sim::{Call, Fault};
use bailiwick_testkit::actor::sha256;
use bailiwick_testkit::{Actor, World, sim};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

const AUTHORIZATION: &str = "/v1.0/policies/authorizationPolicy";
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A world in which Tailspin's fixes may be carried out, alone with the simulated cloud.
struct Fixing {
    world: World,
    /// What the directory was asked for counts from here.
    _alone: MutexGuard<'static, ()>,
}

fn directory() -> String {
    TAILSPIN.directory.to_string()
}

/// Tailspin connected for reading; anybody may invite guests there.
async fn reading() -> Fixing {
    let alone = READER_WORLD.lock().await;
    sim().clear_faults();
    sim().set_latency(0);
    sim().set_limits(false);
    sim().set_write_delay(0);
    sim().restore(TAILSPIN.directory);
    sim().change(TAILSPIN.directory, AUTHORIZATION, json!({"allowInvitesFrom": "everyone"})).unwrap();
    let world = look_only().await;
    connect(&world, &TAILSPIN).await;
    Fixing { world, _alone: alone }
}

/// The same, with fixes turned on and a second consent.
async fn fixing() -> Fixing {
    let fixing = reading().await;
    fixing.turn_on(json!({"enabled": true, "containment": true})).await;
    fixing.connect_writer(&TAILSPIN).await;
    sim().clear_calls();
    fixing
}

impl Fixing {
    fn owner(&self) -> Actor {
        self.world.contoso.owner()
    }
    fn admin(&self) -> Actor {
        self.world.contoso.admin()
    }

    async fn turn_on(&self, settings: Value) -> Value {
        self.owner().put(&format!("/api/v1/fix-settings/{}", directory()), settings).await.ok()
    }

    async fn connect_writer(&self, directory: &Scanned) -> Value {
        let owner = self.owner();
        sim().withdraw(directory.directory, WRITER_CLIENT_ID);
        let state = begin(&owner, directory, "write").await;
        assert!(sim().consent(directory.directory, WRITER_CLIENT_ID));
        let body = json!({"state": state, "tenant": directory.directory, "admin_consent": "True"});
        let outcome = owner.post("/api/v1/consents/complete", body).await.ok();
        assert!(outcome["refusal"].is_null(), "{outcome:#}");
        outcome["connection"].clone()
    }

    /// Plans the fix of one live policy; the fix.
    async fn plan(&self, policy: &str) -> Value {
        let plan = self.owner().post("/api/v1/fix-plans", json!({"directory": directory(), "policies": [policy]})).await;
        assert_eq!(plan.status, 201, "{}", plan.json());
        let plan = plan.json();
        assert_eq!(plan["fixes"].as_array().map(Vec::len), Some(1), "{plan:#}");
        plan["fixes"][0].clone()
    }

    async fn order(&self, who: &Actor, fix: &Value, what: &str) -> bailiwick_testkit::Answer {
        let path = format!("/api/v1/fixes/{}/{what}", fix["id"].as_str().unwrap());
        who.post(&path, json!({"digest": fix["digest"]})).await
    }

    async fn shown(&self, fix: &Value) -> Value {
        self.owner().get(&format!("/api/v1/fixes/{}", fix["id"].as_str().unwrap())).await.ok()
    }

    /// Approved, ordered and worked.
    async fn applied(&self, fix: &Value) -> Value {
        self.order(&self.owner(), fix, "approve").await.ok();
        self.order(&self.owner(), fix, "apply").await.ok();
        self.world.work().await;
        self.shown(fix).await
    }

    /// Lets time pass until an order that waits has come to its end.
    async fn settled(&self, fix: &Value) -> Value {
        for _ in 0..40 {
            let shown = self.shown(fix).await;
            if !matches!(shown["state"].as_str(), Some("applying" | "rolling_back")) {
                return shown;
            }
            self.world.clock.advance(SignedDuration::from_secs(15));
            self.world.work().await;
        }
        panic!("it never settled: {:#}", self.shown(fix).await);
    }

    async fn contain(&self, who: &Actor, body: Value) -> bailiwick_testkit::Answer {
        who.post("/api/v1/containments", body).await
    }

    async fn contained(&self, containment: &Value) -> Value {
        self.owner().get(&format!("/api/v1/containments/{}", containment["id"].as_str().unwrap())).await.ok()
    }
}

/// Requests that may have changed something, of Tailspin.
fn writes() -> Vec<Call> {
    sim().calls().into_iter().filter(|call| call.directory == Some(TAILSPIN.directory) && call.body_sha256.is_some()).collect()
}

/// A fault of the simulated cloud, for requests to a path that begins so.
fn fault(method: &str, path: &str, action: Value) {
    let fault = json!({"match": {"method": method, "path": path}, "times": 1, "action": action});
    sim().add_faults([serde_json::from_value::<Fault>(fault).unwrap()]);
}

fn invites() -> Value {
    sim().value(TAILSPIN.directory, AUTHORIZATION)["allowInvitesFrom"].clone()
}

/// The writing steps of a fix, as `METHOD path sha256`.
fn sent(fix: &Value) -> Vec<String> {
    let steps = fix["steps"].as_array().unwrap().iter().filter(|step| step["kind"] == "write");
    let one = |step: &Value| {
        let url = reqwest::Url::parse(step["url"].as_str().unwrap()).unwrap();
        let body = if step["request"].is_null() { Vec::new() } else { serde_json::to_vec(&step["request"]).unwrap() };
        format!("{} {} {}", step["method"].as_str().unwrap(), url.path(), sha256(&body))
    };
    steps.map(one).collect()
}

fn logged() -> Vec<String> {
    writes().iter().map(|call| format!("{} {} {}", call.method, call.path, call.body_sha256.clone().unwrap())).collect()
}

// ---- planning ------------------------------------------------------------------------------------------------------

/// I48: planning reads the directory as it is, each thing once, and writes nothing there.
#[tokio::test]
async fn i48_planning_reads_each_thing_once_and_writes_nothing() {
    let fixing = fixing().await;
    let policies = ["security_defaults", "guest_invites", "guest_access", "create_applications", "user_consent", "sharing", "made_up"];
    let plan = fixing.owner().post("/api/v1/fix-plans", json!({"directory": directory(), "policies": policies})).await.ok();
    assert_eq!(writes().len(), 0, "{:?}", writes());
    let calls: Vec<Call> = sim().calls().into_iter().filter(|call| call.directory == Some(TAILSPIN.directory)).collect();
    let mut seen = std::collections::HashSet::new();
    for call in calls.iter().filter(|call| call.method == "GET") {
        assert!(seen.insert((call.path.clone(), call.query.clone())), "read twice: {call:?}");
    }
    assert!(seen.len() >= 2, "{calls:?}");
    let invites = plan["fixes"].as_array().unwrap().iter().find(|fix| fix["changed"][0]["path"] == "allowInvitesFrom").unwrap();
    assert_eq!((&invites["before"]["allowInvitesFrom"], &invites["state"]), (&json!("everyone"), &json!("proposed")));
    assert_eq!(invites["may"]["approve"], Value::Null);
    assert!(invites["request"]["url"].as_str().unwrap().ends_with(AUTHORIZATION), "{invites:#}");
    assert!(!invites["blast_radius"].as_str().unwrap().is_empty() && !invites["checks"].as_array().unwrap().is_empty());
    let unknown = plan["left_out"].as_array().unwrap().iter().find(|left| left["code"] == "no_recipe").unwrap();
    assert!(unknown["detail"].as_str().unwrap().contains("made_up"));
    let everyone = plan["fixes"].as_array().unwrap().len() + plan["left_out"].as_array().unwrap().len();
    assert_eq!(everyone, policies.len(), "each policy is proposed or left out with a reason: {plan:#}");
}

/// A newer plan takes the place of proposals, and leaves alone what somebody has taken in hand.
#[tokio::test]
async fn a_newer_plan_supersedes_proposals_and_spares_what_is_approved() {
    let fixing = fixing().await;
    let first = fixing.plan("guest_invites").await;
    let second = fixing.plan("guest_invites").await;
    assert_eq!(fixing.shown(&first).await["state"], "superseded");
    let late = fixing.order(&fixing.owner(), &first, "approve").await;
    assert_eq!((late.status, &late.json()["code"]), (409, &json!("wrong_state")));
    fixing.order(&fixing.owner(), &second, "approve").await.ok();
    let third = fixing.owner().post("/api/v1/fix-plans", json!({"directory": directory(), "policies": ["guest_invites"]})).await.ok();
    assert_eq!(third["fixes"], json!([]));
    assert_eq!((&third["left_out"][0]["code"], &third["left_out"][0]["fix"]), (&json!("in_hand"), &second["id"]));
    assert_eq!(fixing.shown(&second).await["state"], "approved");
}

/// I45: what may be written is the server's list; a client names a recipe or a fix, never a path or a body.
#[tokio::test]
async fn i45_a_client_can_supply_neither_path_nor_body() {
    let fixing = fixing().await;
    let owner = fixing.owner();
    for smuggled in [json!({"path": "/v1.0/users"}), json!({"body": {"accountEnabled": false}}), json!({"request": {"method": "DELETE"}})] {
        let mut plan = json!({"directory": directory(), "policies": ["guest_invites"]});
        plan.as_object_mut().unwrap().extend(smuggled.as_object().unwrap().clone());
        assert_eq!(owner.post("/api/v1/fix-plans", plan).await.status, 400, "{smuggled}");
    }
    let fix = fixing.plan("guest_invites").await;
    for what in ["approve", "apply", "roll-back"] {
        let path = format!("/api/v1/fixes/{}/{what}", fix["id"].as_str().unwrap());
        assert_eq!(owner.post(&path, json!({"digest": fix["digest"], "body": {"allowInvitesFrom": "none"}})).await.status, 400, "{what}");
    }
    let recipes = owner.get("/api/v1/fix-recipes").await.ok();
    let recipes = recipes["items"].as_array().unwrap();
    assert!(recipes.len() >= 30, "{}", recipes.len());
    assert!(recipes.iter().any(|recipe| recipe["id"] == fix["recipe"]["id"] && recipe["granted"] == true), "{fix:#}");
    assert_eq!(writes().len(), 0);
}

// ---- approving -----------------------------------------------------------------------------------------------------

/// I44: an approval is for exactly what was shown. Another digest is refused, and a fix whose stored change is no longer what was approved is not
/// carried out.
#[tokio::test]
async fn i44_an_approval_binds_to_what_was_shown() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    let path = format!("/api/v1/fixes/{}", fix["id"].as_str().unwrap());
    let other = fixing.owner().post(&format!("{path}/approve"), json!({"digest": NO_DIGEST})).await;
    assert_eq!((other.status, &other.json()["code"]), (409, &json!("fix_changed")));
    let unapproved = fixing.order(&fixing.owner(), &fix, "apply").await;
    assert_eq!((unapproved.status, &unapproved.json()["code"]), (409, &json!("wrong_state")));
    fixing.order(&fixing.owner(), &fix, "approve").await.ok();
    let other = fixing.owner().post(&format!("{path}/apply"), json!({"digest": NO_DIGEST})).await;
    assert_eq!((other.status, &other.json()["code"]), (409, &json!("fix_changed")));
    // Whoever can write to the database still cannot have another change written with this approval.
    sqlx::query("UPDATE bailiwick.fixes SET change = jsonb_set(change, '{body,allowInvitesFrom}', '\"none\"') WHERE id = $1::uuid")
        .bind(fix["id"].as_str().unwrap())
        .execute(&mut fixing.world.look().await)
        .await
        .unwrap();
    fixing.order(&fixing.owner(), &fix, "apply").await.ok();
    fixing.world.work().await;
    let failed = fixing.shown(&fix).await;
    assert_eq!((&failed["state"], &failed["failure"]["code"]), (&json!("failed"), &json!("not_approved")), "{failed:#}");
    assert_eq!((writes().len(), invites()), (0, json!("everyone")));
}

/// I44: the product's own role in the database cannot rewrite what was proposed.
#[tokio::test]
async fn i44_no_grant_changes_what_was_proposed() {
    let fixing = fixing().await;
    fixing.plan("guest_invites").await;
    let mut look = fixing.world.look().await;
    for statement in [
        "UPDATE bailiwick.fixes SET change = '{}'",
        "UPDATE bailiwick.fixes SET digest = repeat('0', 64)",
        "UPDATE bailiwick.fixes SET facts = '{}'",
        "UPDATE bailiwick.fix_approvals SET digest = repeat('0', 64)",
        "UPDATE bailiwick.write_steps SET request = '{}'",
        "DELETE FROM bailiwick.write_steps",
        "DELETE FROM bailiwick.fixes",
    ] {
        sqlx::query("SET ROLE bailiwick_app").execute(&mut look).await.unwrap();
        let refused = sqlx::query(statement).execute(&mut look).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{statement}: {refused}");
        sqlx::query("RESET ROLE").execute(&mut look).await.unwrap();
    }
}

#[tokio::test]
async fn i44_two_people_approve_where_two_are_needed_and_the_second_is_another() {
    let fixing = fixing().await;
    fixing.turn_on(json!({"enabled": true, "second_approver": true})).await;
    let fix = fixing.plan("guest_invites").await;
    assert_eq!(fix["approvals_needed"], 2);
    for nobody in [fixing.world.contoso.member(), fixing.world.contoso.auditor()] {
        assert_eq!(fixing.order(&nobody, &fix, "approve").await.status, 403);
    }
    assert_eq!(fixing.order(&fixing.owner(), &fix, "approve").await.ok()["state"], "awaiting_second");
    let same = fixing.order(&fixing.owner(), &fix, "approve").await;
    assert_eq!((same.status, &same.json()["code"]), (409, &json!("same_approver")));
    let early = fixing.order(&fixing.owner(), &fix, "apply").await;
    assert_eq!((early.status, &early.json()["code"]), (409, &json!("wrong_state")));
    let approved = fixing.order(&fixing.admin(), &fix, "approve").await.ok();
    assert_eq!((&approved["state"], approved["approvals"].as_array().unwrap().len()), (&json!("approved"), 2));
    // One of them takes it back: what was enough is not enough any more.
    let withdrawn = fixing.admin().post(&format!("/api/v1/fixes/{}/withdraw", fix["id"].as_str().unwrap()), json!({})).await.ok();
    assert_eq!((&withdrawn["state"], withdrawn["approvals"].as_array().unwrap().len()), (&json!("awaiting_second"), 1));
    assert_eq!(fixing.order(&fixing.owner(), &fix, "apply").await.status, 409);
    assert_eq!(writes().len(), 0);
}

/// Asking for a second approver later holds for what was approved before.
#[tokio::test]
async fn i44_a_second_approver_asked_for_later_is_waited_for() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    fixing.order(&fixing.owner(), &fix, "approve").await.ok();
    fixing.turn_on(json!({"enabled": true, "second_approver": true})).await;
    let waiting = fixing.shown(&fix).await;
    assert_eq!((&waiting["state"], &waiting["approvals_needed"]), (&json!("awaiting_second"), &json!(2)));
    assert_eq!(fixing.order(&fixing.owner(), &fix, "apply").await.status, 409);
}

// ---- opt-in --------------------------------------------------------------------------------------------------------

/// I43: without an owner's opt-in nothing is planned; without a second consent nothing is written, and the reader's consent asks for nothing
/// that writes.
#[tokio::test]
async fn i43_without_opt_in_and_second_consent_nothing_is_written() {
    let fixing = reading().await;
    sim().clear_calls();
    let new = json!({"directory": directory(), "policies": ["guest_invites"]});
    let off = fixing.owner().post("/api/v1/fix-plans", new.clone()).await;
    assert_eq!((off.status, &off.json()["code"]), (409, &json!("fixes_off")));
    let settings = fixing.owner().get(&format!("/api/v1/fix-settings/{}", directory())).await.ok();
    assert_eq!((&settings["settings"]["enabled"], &settings["writer"]), (&json!(false), &Value::Null));
    let path = format!("/api/v1/fix-settings/{}", directory());
    assert_eq!(fixing.admin().put(&path, json!({"enabled": true})).await.status, 403, "an owner decides");
    fixing.turn_on(json!({"enabled": true, "containment": true})).await;
    // The connection that reads may plan, and can do no more.
    let fix = fixing.plan("guest_invites").await;
    fixing.order(&fixing.owner(), &fix, "approve").await.ok();
    let alone = fixing.order(&fixing.owner(), &fix, "apply").await;
    assert_eq!((alone.status, &alone.json()["code"]), (409, &json!("not_connected")));
    let user = json!({"directory": directory(), "user": TAILSPIN.user, "revoke_sessions": true, "disable": true, "reason": "r"});
    assert_eq!(fixing.contain(&fixing.owner(), user).await.json()["code"], "not_connected");
    fixing.world.work().await;
    assert_eq!(writes().len(), 0);
    assert!(sim().calls().iter().all(|call| call.client_id.as_deref() != Some(&WRITER_CLIENT_ID.to_string())));
}

/// I43: what a tenant is not entitled to is refused whoever asks, and also in the middle of things.
#[tokio::test]
async fn i43_a_tenant_without_the_entitlement_plans_and_applies_nothing() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    fixing.order(&fixing.owner(), &fix, "approve").await.ok();
    fixing.order(&fixing.owner(), &fix, "apply").await.ok();
    let entitle = async |names: Option<&[String]>| {
        let store = &fixing.world.running.services.store;
        let request = bailiwick_store::Request { id: bailiwick_base::RequestId::new(store.clock(), store.rng()), address: None };
        store.entitle(fixing.world.contoso.id, names, &request).await.unwrap();
    };
    entitle(Some(&[])).await;
    fixing.world.work().await;
    let failed = fixing.shown(&fix).await;
    assert_eq!((&failed["state"], &failed["failure"]["code"]), (&json!("failed"), &json!("not_entitled")));
    let again = fixing.order(&fixing.owner(), &fix, "apply").await;
    assert_eq!((again.status, &again.json()["code"]), (403, &json!("not_entitled")));
    let plan = fixing.owner().post("/api/v1/fix-plans", json!({"directory": directory(), "policies": ["guest_invites"]})).await;
    assert_eq!((plan.status, &plan.json()["code"]), (403, &json!("not_entitled")));
    assert_eq!(writes().len(), 0);
    entitle(None).await;
    let applied = fixing.order(&fixing.owner(), &fix, "apply").await;
    assert_eq!(applied.status, 202);
    let trail = fixing.owner().get("/api/v1/trail?action=tenant.entitled").await.ok();
    assert!(trail.to_string().contains("tenant.entitled"), "{trail:#}");
}

/// I69: the consent to write asks for what recipes write with and for what it takes to look, and each of those is documented by a recipe or
/// by containment.
#[tokio::test]
async fn i69_write_consent_asks_for_exactly_what_recipes_and_containment_need() {
    let fixing = fixing().await;
    let options = fixing.owner().get("/api/v1/connection-options").await.ok();
    let of_kind = |kind: &str| -> Vec<String> {
        let offer = options["offers"].as_array().unwrap().iter().find(|offer| offer["kind"] == kind).unwrap();
        offer["permissions"].as_array().unwrap().iter().map(|p| p["permission"].as_str().unwrap().to_owned()).collect()
    };
    let recipes = fixing.owner().get("/api/v1/fix-recipes").await.ok();
    let mut needed: std::collections::BTreeSet<String> = recipes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|recipe| recipe["permission"].as_str().unwrap())
        .filter(|permission| !permission.starts_with("AzureRole:"))
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect();
    needed.extend(["Policy.Read.All", "User.EnableDisableAccount.All", "User.Read.All", "User.RevokeSessions.All"].map(str::to_owned));
    assert_eq!(of_kind("write").into_iter().collect::<std::collections::BTreeSet<_>>(), needed);
    let writing = |name: &String| name.contains("Write") || name.contains("EnableDisable") || name.contains("Revoke");
    assert!(of_kind("read").iter().all(|name| !writing(name)), "{:?}", of_kind("read"));
    assert!(of_kind("write").iter().filter(|name| writing(name)).count() > 5);
}

// ---- applying ------------------------------------------------------------------------------------------------------

/// I46: a fix is applied, read back, taken back and read back again; every write in the cloud's own log is one that was approved, byte for byte.
#[tokio::test]
async fn i46_a_fix_is_applied_read_back_and_rolled_back() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    let applied = fixing.applied(&fix).await;
    assert_eq!(applied["state"], "applied", "{applied:#}");
    assert_eq!(invites(), fix["after"]["allowInvitesFrom"]);
    let kinds: Vec<&str> = applied["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["read", "write", "reread"]);
    assert_eq!(applied["steps"][1]["status"], 204);
    assert_eq!(applied["applied_by"]["name"], applied["approvals"][0]["by"]["name"]);
    assert_eq!(logged(), sent(&applied), "the cloud's log and the steps tell the same writes");
    assert_eq!(applied["steps"][1]["request"], fix["request"]["body"]);
    assert_eq!(applied["may"]["roll_back"], Value::Null);

    let ordered = fixing.order(&fixing.owner(), &fix, "roll-back").await;
    assert_eq!((ordered.status, &ordered.json()["state"]), (202, &json!("rolling_back")));
    fixing.world.work().await;
    let back = fixing.shown(&fix).await;
    assert_eq!(back["state"], "rolled_back", "{back:#}");
    assert_eq!(invites(), "everyone");
    assert_eq!(logged(), sent(&back));
    assert_eq!(writes().len(), 2);
    let purposes: Vec<&str> = back["steps"].as_array().unwrap().iter().map(|step| step["purpose"].as_str().unwrap()).collect();
    assert_eq!(purposes, ["apply", "apply", "apply", "roll_back", "roll_back", "roll_back"]);
    let trail = fixing.owner().get("/api/v1/trail?limit=200").await.ok().to_string();
    for action in [
        "fix.planned",
        "fix.approved",
        "fix.apply_ordered",
        "fix.write_begun",
        "fix.written",
        "fix.applied",
        "fix.roll_back_ordered",
        "fix.rolled_back",
    ] {
        assert!(trail.contains(&format!("\"{action}\"")), "{action} is not in the trail");
    }
    assert!(trail.contains(writes()[0].body_sha256.as_deref().unwrap()), "the trail holds what was sent, by its hash");
}

/// I46: a value that somebody changed after the review is left alone, and shown.
#[tokio::test]
async fn i44_a_value_that_changed_since_review_stops_the_fix() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    fixing.order(&fixing.owner(), &fix, "approve").await.ok();
    sim().change(TAILSPIN.directory, AUTHORIZATION, json!({"allowInvitesFrom": "adminsGuestInvitersAndAllMembers"})).unwrap();
    fixing.order(&fixing.owner(), &fix, "apply").await.ok();
    fixing.world.work().await;
    let stopped = fixing.shown(&fix).await;
    assert_eq!((&stopped["state"], &stopped["failure"]["code"]), (&json!("stopped"), &json!("changed")), "{stopped:#}");
    assert_eq!(stopped["failure"]["found"][0]["after"], "adminsGuestInvitersAndAllMembers");
    assert_eq!((writes().len(), invites()), (0, json!("adminsGuestInvitersAndAllMembers")));
    assert_eq!(fixing.order(&fixing.owner(), &fix, "apply").await.status, 409, "what was stopped is planned anew");
}

/// I46: an applied fix whose value somebody changed is not rolled back over their change.
#[tokio::test]
async fn i44_a_roll_back_leaves_alone_what_somebody_changed_since() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    assert_eq!(fixing.applied(&fix).await["state"], "applied");
    sim().change(TAILSPIN.directory, AUTHORIZATION, json!({"allowInvitesFrom": "adminsGuestInvitersAndAllMembers"})).unwrap();
    fixing.order(&fixing.owner(), &fix, "roll-back").await.ok();
    fixing.world.work().await;
    let failed = fixing.shown(&fix).await;
    assert_eq!((&failed["state"], &failed["failure"]["code"]), (&json!("rollback_failed"), &json!("changed")), "{failed:#}");
    assert_eq!((writes().len(), invites()), (1, json!("adminsGuestInvitersAndAllMembers")));
}

/// I46: what is so already is not written again.
#[tokio::test]
async fn i46_what_is_so_already_is_not_written() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    sim().change(TAILSPIN.directory, AUTHORIZATION, json!({"allowInvitesFrom": fix["after"]["allowInvitesFrom"]})).unwrap();
    let applied = fixing.applied(&fix).await;
    assert_eq!((&applied["state"], writes().len()), (&json!("applied"), 0), "{applied:#}");
    assert!(applied["steps"][0]["detail"].as_str().unwrap().contains("nothing was sent"));
    let theirs = fixing.order(&fixing.owner(), &fix, "roll-back").await;
    assert_eq!((theirs.status, &theirs.json()["code"]), (409, &json!("wrong_state")), "what somebody else set is not ours to take back");
}

/// I46: a write that answers well and does not stick is a failure, and a new order is a new try.
#[tokio::test]
async fn i46_a_write_that_does_not_stick_is_reported_as_failed() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    fault("PATCH", AUTHORIZATION, json!({"forget": true}));
    let waiting = fixing.applied(&fix).await;
    assert_eq!(waiting["state"], "applying", "it has a minute to show");
    let failed = fixing.settled(&fix).await;
    assert_eq!((&failed["state"], &failed["failure"]["code"]), (&json!("failed"), &json!("not_kept")), "{failed:#}");
    assert_eq!((writes().len(), invites()), (1, json!("everyone")));
    fixing.order(&fixing.owner(), &fix, "apply").await.ok();
    fixing.world.work().await;
    assert_eq!((&fixing.shown(&fix).await["state"], writes().len()), (&json!("applied"), 2));
}

/// A write that shows late is waited for, and written once.
#[tokio::test]
async fn i46_a_write_that_shows_late_is_waited_for_and_sent_once() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    sim().set_write_delay(30_000);
    assert_eq!(fixing.applied(&fix).await["state"], "applying");
    sim().advance(SignedDuration::from_secs(31));
    fixing.world.clock.advance(SignedDuration::from_secs(31));
    fixing.world.work().await;
    sim().set_write_delay(0);
    let applied = fixing.shown(&fix).await;
    assert_eq!((&applied["state"], writes().len()), (&json!("applied"), 1), "{applied:#}");
}

/// A connection that is cut after the write was taken: what happened is read, and nothing is sent again.
#[tokio::test]
async fn i46_an_answer_that_never_came_is_looked_up_and_not_repeated() {
    let fixing = fixing().await;
    for (action, state, kept) in [(json!({"drop_after": true}), "applied", true), (json!({"drop": true}), "failed", false)] {
        sim().restore(TAILSPIN.directory);
        sim().change(TAILSPIN.directory, AUTHORIZATION, json!({"allowInvitesFrom": "everyone"})).unwrap();
        let fix = fixing.plan("guest_invites").await;
        sim().clear_calls();
        fault("PATCH", AUTHORIZATION, action.clone());
        fixing.applied(&fix).await;
        let settled = fixing.settled(&fix).await;
        assert_eq!(settled["state"], state, "{action}: {settled:#}");
        assert!(kept || settled["failure"]["code"] == "not_sent", "{settled:#}");
        assert_eq!((writes().len(), invites() != "everyone"), (1, kept), "{action}");
    }
}

/// What Microsoft refuses is told by its kind, with Microsoft's own code, and nothing is tried behind people's backs.
#[tokio::test]
async fn refusals_of_a_write_are_told_and_not_repeated() {
    let fixing = fixing().await;
    let refused = json!({"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}});
    for (status, code) in [(400, "refused"), (403, "permission_missing"), (404, "refused"), (409, "refused"), (412, "refused")] {
        let fix = fixing.plan("guest_invites").await;
        sim().clear_calls();
        fault("PATCH", AUTHORIZATION, json!({"status": status, "body": refused.to_string()}));
        let failed = fixing.applied(&fix).await;
        assert_eq!((&failed["state"], &failed["failure"]["code"]), (&json!("failed"), &json!(code)), "{status}: {failed:#}");
        assert_eq!(failed["failure"]["microsoft_code"], "Authorization_RequestDenied");
        assert_eq!((writes().len(), invites()), (1, json!("everyone")), "{status}");
        fixing.owner().post(&format!("/api/v1/fixes/{}/withdraw", fix["id"].as_str().unwrap()), json!({})).await.ok();
    }
}

/// Asked to slow down, it comes back when it was told to, looks again, and writes once more.
#[tokio::test]
async fn a_throttled_write_is_made_when_microsoft_says_so() {
    let fixing = fixing().await;
    for (status, retry_after) in [(429, 20), (503, 20)] {
        sim().restore(TAILSPIN.directory);
        sim().change(TAILSPIN.directory, AUTHORIZATION, json!({"allowInvitesFrom": "everyone"})).unwrap();
        let fix = fixing.plan("guest_invites").await;
        sim().clear_calls();
        fault("PATCH", AUTHORIZATION, json!({"status": status, "retry_after": retry_after}));
        assert_eq!(fixing.applied(&fix).await["state"], "applying", "{status}");
        assert_eq!(writes().len(), 1, "not before its time");
        fixing.world.clock.advance(SignedDuration::from_secs(retry_after));
        fixing.world.work().await;
        let applied = fixing.shown(&fix).await;
        assert_eq!((&applied["state"], writes().len()), (&json!("applied"), 2), "{status}: {applied:#}");
    }
}

/// A server error says nothing about what was done: that is read.
#[tokio::test]
async fn a_server_error_after_a_write_is_settled_by_reading() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    fault("PATCH", AUTHORIZATION, json!({"status": 500}));
    fixing.applied(&fix).await;
    let failed = fixing.settled(&fix).await;
    assert_eq!((&failed["state"], &failed["failure"]["code"], writes().len()), (&json!("failed"), &json!("not_kept"), 1), "{failed:#}");
}

// ---- when ----------------------------------------------------------------------------------------------------------

/// A fix ordered outside its window waits for it, and is withdrawn or applied there.
#[tokio::test]
async fn a_fix_waits_for_its_change_window() {
    let fixing = fixing().await;
    let opens = (bailiwick_base::Clock::now(&fixing.world.clock) + SignedDuration::from_mins(10)).to_zoned(jiff::tz::TimeZone::UTC);
    let closes = &opens + SignedDuration::from_mins(30);
    let (from, until) = (opens.strftime("%H:%M").to_string(), closes.strftime("%H:%M").to_string());
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let window = json!({"days": days, "from": from, "until": until, "time_zone": "UTC"});
    let settings = fixing.turn_on(json!({"enabled": true, "window": window})).await;
    assert!(settings["opens_at"].is_string(), "{settings:#}");
    let fix = fixing.plan("guest_invites").await;
    let waiting = fixing.applied(&fix).await;
    assert_eq!((&waiting["state"], &waiting["not_before"]), (&json!("scheduled"), &settings["opens_at"]), "{waiting:#}");
    assert_eq!(writes().len(), 0);
    fixing.world.clock.advance(SignedDuration::from_mins(11));
    fixing.world.work().await;
    let applied = fixing.shown(&fix).await;
    assert_eq!((&applied["state"], writes().len()), (&json!("applied"), 1), "{applied:#}");
}

/// An order for later can be taken back until its time comes.
#[tokio::test]
async fn an_order_for_later_is_taken_back_and_never_carried_out() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    fixing.order(&fixing.owner(), &fix, "approve").await.ok();
    let at = bailiwick_base::Clock::now(&fixing.world.clock) + SignedDuration::from_mins(5);
    let path = format!("/api/v1/fixes/{}", fix["id"].as_str().unwrap());
    let ordered = fixing.owner().post(&format!("{path}/apply"), json!({"digest": fix["digest"], "at": at})).await.ok();
    assert_eq!(ordered["state"], "scheduled");
    let withdrawn = fixing.owner().post(&format!("{path}/withdraw"), json!({"note": "not today"})).await.ok();
    assert_eq!(withdrawn["state"], "proposed");
    fixing.world.clock.advance(SignedDuration::from_mins(6));
    fixing.world.work().await;
    assert_eq!((&fixing.shown(&fix).await["state"], writes().len()), (&json!("proposed"), 0));
}

/// What somebody allowed counts as long as they may allow it: an order that waits is no way to act after one's role is gone.
#[tokio::test]
async fn i44_approvals_and_orders_end_with_the_role_of_whoever_gave_them() {
    let fixing = fixing().await;
    let owner = fixing.owner();
    let fix = fixing.plan("guest_invites").await;
    fixing.order(&fixing.admin(), &fix, "approve").await.ok();
    let at = bailiwick_base::Clock::now(&fixing.world.clock) + SignedDuration::from_mins(5);
    let path = format!("/api/v1/fixes/{}", fix["id"].as_str().unwrap());
    fixing.admin().post(&format!("{path}/apply"), json!({"digest": fix["digest"], "at": at})).await.ok();
    let members = owner.get("/api/v1/members").await.ok();
    let admin = members["items"].as_array().unwrap().iter().find(|member| member["role"] == "admin").unwrap()["id"].clone();
    let member = format!("/api/v1/members/{}", admin.as_str().unwrap());
    owner.patch(&member, json!({"role": "member"})).await.ok();
    assert!(fixing.shown(&fix).await["may"]["apply"].as_str().is_some_and(|why| why.contains("does not count")));
    fixing.world.clock.advance(SignedDuration::from_mins(6));
    fixing.world.work().await;
    let ended = fixing.shown(&fix).await;
    assert_eq!((&ended["state"], &ended["failure"]["code"]), (&json!("failed"), &json!("not_approved")), "{ended:#}");
    assert_eq!((writes().len(), invites()), (0, json!("everyone")));
    owner.patch(&member, json!({"role": "admin"})).await.ok();
}

/// I49: once the connection that writes is disconnected, or fixes are turned off, nothing that was ordered is sent.
#[tokio::test]
async fn i49_disconnecting_or_turning_off_stops_what_was_ordered() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    fixing.order(&fixing.owner(), &fix, "approve").await.ok();
    fixing.order(&fixing.owner(), &fix, "apply").await.ok();
    fixing.turn_on(json!({"enabled": false})).await;
    fixing.world.work().await;
    let off = fixing.shown(&fix).await;
    assert_eq!((&off["state"], &off["failure"]["code"]), (&json!("failed"), &json!("off")));
    fixing.turn_on(json!({"enabled": true})).await;
    fixing.order(&fixing.owner(), &fix, "apply").await.ok();
    let writer = fixing.owner().get(&format!("/api/v1/fix-settings/{}", directory())).await.ok()["writer"].as_str().unwrap().to_owned();
    fixing.owner().post(&format!("/api/v1/connections/{writer}/disconnect"), json!({})).await.ok();
    sim().clear_calls();
    fixing.world.work().await;
    let gone = fixing.shown(&fix).await;
    assert_eq!((&gone["state"], &gone["failure"]["code"]), (&json!("failed"), &json!("not_connected")));
    let by_writer = sim().calls().into_iter().filter(|call| call.client_id.as_deref() == Some(&WRITER_CLIENT_ID.to_string())).count();
    assert_eq!((by_writer, writes().len()), (0, 0));
}

/// Consent that was withdrawn at Microsoft's between approval and order: nothing is written, and the fix says why.
#[tokio::test]
async fn i49_consent_withdrawn_before_the_order_ends_it() {
    let fixing = fixing().await;
    let fix = fixing.plan("guest_invites").await;
    fixing.order(&fixing.owner(), &fix, "approve").await.ok();
    sim().withdraw(TAILSPIN.directory, WRITER_CLIENT_ID);
    fixing.order(&fixing.owner(), &fix, "apply").await.ok();
    fixing.world.work().await;
    let failed = fixing.shown(&fix).await;
    assert_eq!(failed["state"], "failed", "{failed:#}");
    let code = failed["failure"]["code"].as_str().unwrap();
    assert!(["connection_refused", "permission_missing"].contains(&code), "{failed:#}");
    assert_eq!(invites(), "everyone");
}

// ---- scans and Conditional Access ------------------------------------------------------------------------------------

/// From a scan's failing checks to a plan; Conditional Access begins in report-only state and leaves the emergency accounts out; the next scan
/// confirms what was applied; what was made is removed again.
#[tokio::test]
async fn i46_a_scan_plans_fixes_and_the_next_one_confirms_them() {
    let fixing = fixing().await;
    scans::built();
    let owner = fixing.owner();
    let settings = json!({"emergency_accounts": TAILSPIN.emergency});
    owner.put(&format!("/api/v1/scan-settings/{}", directory()), settings).await.ok();
    let scan = async || {
        let connection =
            owner.get(&format!("/api/v1/connections?kind=read&directory={}", directory())).await.ok()["items"][0]["id"].clone();
        let id = owner.post("/api/v1/scans", json!({"kind": "compliance", "connection": connection})).await.ok()["id"].clone();
        fixing.world.work().await;
        let scan = owner.get(&format!("/api/v1/scans/{}", id.as_str().unwrap())).await.ok();
        assert_eq!(scan["state"], "completed", "{scan:#}");
        id
    };
    let first = scan().await;
    sim().clear_calls();
    let plan = owner.post("/api/v1/fix-plans", json!({"directory": directory()})).await.ok();
    assert_eq!((&plan["scan"], writes().len()), (&first, 0));
    let fixes = plan["fixes"].as_array().unwrap();
    assert!(fixes.len() > 5, "{}", fixes.len());
    let digests: std::collections::HashSet<&str> = fixes.iter().map(|fix| fix["digest"].as_str().unwrap()).collect();
    assert_eq!(digests.len(), fixes.len());
    let invites = fixes.iter().find(|fix| fix["changed"][0]["path"] == "allowInvitesFrom").unwrap();
    assert_eq!(fixing.applied(invites).await["state"], "applied");

    let policies = "/v1.0/identity/conditionalAccess/policies";
    let before = sim().value(TAILSPIN.directory, policies).as_array().unwrap().len();
    let create = fixes.iter().find(|fix| fix["recipe"]["kind"] == "create").expect("a Conditional Access policy is proposed");
    assert_eq!((&create["before"], &create["report_only"]), (&Value::Null, &json!(true)));
    let made = fixing.applied(create).await;
    assert_eq!(made["state"], "applied", "{made:#}");
    let now = sim().value(TAILSPIN.directory, policies);
    let made_policy =
        now.as_array().unwrap().iter().find(|policy| policy["displayName"].as_str().unwrap().contains("[bailiwick:")).unwrap();
    assert_eq!(made_policy["state"], "enabledForReportingButNotEnforced");
    let left_out = made_policy["conditions"]["users"]["excludeUsers"].to_string();
    assert!(TAILSPIN.emergency.iter().all(|account| left_out.contains(&account.to_string())), "{left_out}");
    fixing.order(&owner, create, "roll-back").await.ok();
    fixing.world.work().await;
    let back = fixing.shown(create).await;
    assert_eq!(back["state"], "rolled_back", "{back:#}");
    assert_eq!(sim().value(TAILSPIN.directory, policies).as_array().unwrap().len(), before);

    fixing.world.clock.advance(SignedDuration::from_secs(1));
    let second = scan().await;
    assert_eq!(fixing.shown(invites).await["verified_by_scan"], second);
    assert_eq!(fixing.shown(create).await["verified_by_scan"], Value::Null);
}

// ---- containment -----------------------------------------------------------------------------------------------------

fn person() -> String {
    format!("/v1.0/users/{}", TAILSPIN.user)
}

fn contain_both() -> Value {
    json!({"directory": directory(), "user": TAILSPIN.user, "revoke_sessions": true, "disable": true, "reason": "Leaked credentials"})
}

/// A person at risk is signed out and locked, each read back, and released again; members may not.
#[tokio::test]
async fn i46_a_person_is_contained_read_back_and_released() {
    let fixing = fixing().await;
    for nobody in [fixing.world.contoso.member(), fixing.world.contoso.auditor()] {
        assert_eq!(fixing.contain(&nobody, contain_both()).await.status, 403);
    }
    let since = sim().value(TAILSPIN.directory, &person())["signInSessionsValidFromDateTime"].clone();
    let ordered = fixing.contain(&fixing.admin(), contain_both()).await;
    assert_eq!((ordered.status, &ordered.json()["state"]), (202, &json!("acting")));
    fixing.world.work().await;
    let contained = fixing.contained(&ordered.json()).await;
    assert_eq!(contained["state"], "contained", "{contained:#}");
    assert!(contained["user"]["name"].is_string());
    let now = sim().value(TAILSPIN.directory, &person());
    assert_eq!(now["accountEnabled"], false);
    assert_ne!(now["signInSessionsValidFromDateTime"], since);
    assert_eq!(writes().len(), 2);
    let path = format!("/api/v1/containments/{}/release", contained["id"].as_str().unwrap());
    assert_eq!(fixing.admin().post(&path, json!({})).await.status, 202);
    fixing.world.work().await;
    let released = fixing.contained(&contained).await;
    assert_eq!((&released["state"], &released["released_by"]["kind"]), (&json!("released"), &json!("user")), "{released:#}");
    assert_eq!(sim().value(TAILSPIN.directory, &person())["accountEnabled"], true);
    assert_eq!(logged().len(), sent(&released).len(), "every write is a step of the containment");
}

/// The two writes do not wait for each other: one that fails leaves the other done.
#[tokio::test]
async fn i66_one_write_of_a_containment_that_fails_leaves_the_other_done() {
    let fixing = fixing().await;
    fault("POST", &format!("{}/revokeSignInSessions", person()), json!({"status": 403}));
    let ordered = fixing.contain(&fixing.owner(), contain_both()).await.json();
    fixing.world.work().await;
    let partly = fixing.contained(&ordered).await;
    assert_eq!((&partly["state"], &partly["failure"]["code"]), (&json!("partly"), &json!("permission_missing")), "{partly:#}");
    let states: Vec<(&str, &str)> =
        partly["acts"].as_array().unwrap().iter().map(|act| (act["act"].as_str().unwrap(), act["state"].as_str().unwrap())).collect();
    assert!(states.contains(&("disable", "done")) && states.contains(&("revoke_sessions", "failed")), "{states:?}");
    assert_eq!(sim().value(TAILSPIN.directory, &person())["accountEnabled"], false);
}

/// An account kept for emergencies is not locked from here, and containment has a switch of its own.
#[tokio::test]
async fn i43_containment_has_its_own_switch_and_spares_emergency_accounts() {
    let fixing = fixing().await;
    let settings = json!({"emergency_accounts": TAILSPIN.emergency});
    fixing.owner().put(&format!("/api/v1/scan-settings/{}", directory()), settings).await.ok();
    let mut body = contain_both();
    body["user"] = json!(TAILSPIN.emergency[0]);
    let refused = fixing.contain(&fixing.owner(), body).await;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("conflict")));
    let named = json!({"emergency_accounts": ["breakglass@tailspin.example"]});
    let refused = fixing.owner().put(&format!("/api/v1/scan-settings/{}", directory()), named).await;
    assert_eq!(refused.status, 400, "what is no object id would protect nobody");
    let ordered = fixing.contain(&fixing.owner(), contain_both()).await.json();
    fixing.turn_on(json!({"enabled": true, "containment": false})).await;
    let off = fixing.contain(&fixing.owner(), contain_both()).await;
    assert_eq!((off.status, &off.json()["code"]), (409, &json!("fixes_off")));
    fixing.world.work().await;
    let failed = fixing.contained(&ordered).await;
    assert_eq!((&failed["state"], &failed["failure"]["code"]), (&json!("failed"), &json!("off")));
    assert_eq!(writes().len(), 0);
}

// ---- the assistant ---------------------------------------------------------------------------------------------------

/// I44: an assistant that was configured says a sentence; it is told no id, and nothing follows from what it says.
#[tokio::test]
async fn i44_an_assistant_explains_and_can_do_nothing() {
    let mut fixing = fixing().await;
    fixing.owner();
    let fix = fixing.plan("guest_access").await;
    let off = fixing.owner().get(&format!("/api/v1/fixes/{}/explanation", fix["id"].as_str().unwrap())).await;
    assert_eq!((off.status, &off.json()["code"]), (404, &json!("assistant_off")));
    assert!(fix["may"]["explain"].is_string());
    fixing.world = World::with(|config| {
        scans::applications(config);
        assistant::configure(config);
    })
    .await;
    connect(&fixing.world, &TAILSPIN).await;
    fixing.turn_on(json!({"enabled": true})).await;
    let fix = fixing.plan("guest_access").await;
    assert_eq!(fix["may"]["explain"], Value::Null);
    assistant::ASKED.lock().unwrap().clear();
    sim().clear_calls();
    let path = format!("/api/v1/fixes/{}/explanation", fix["id"].as_str().unwrap());
    let explained = fixing.owner().get(&path).await.ok();
    assert_eq!((&explained["text"], &explained["identifiers"]), (&json!(assistant::SAID), &json!(false)));
    let asked = assistant::ASKED.lock().unwrap().join("\n");
    assert!(asked.contains("guestUserRoleId"), "{asked}");
    for told in [fix["after"]["guestUserRoleId"].as_str().unwrap(), &directory(), fix["id"].as_str().unwrap(), "Tailspin"] {
        assert!(!asked.contains(told), "it was told {told}: {asked}");
    }
    fixing.world.work().await;
    assert_eq!((&fixing.shown(&fix).await["state"], writes().len()), (&json!("proposed"), 0), "nothing follows from what it says");
}
