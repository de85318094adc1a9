//! kill -9 of the worker while it applies fixes and takes them back. Afterwards what happened is read and shown; nothing is written twice for
//! one order, nothing is left under way, and what a fix says is what is there.
//!
//! `BAILIWICK_FIX_KILLS` is how many (40), `BAILIWICK_KILL_SEED` which dice.

use super::log::{Written, begun, of_log};
use super::rounds::{People, Wanted};
use super::stage::{AUTHORIZATION, failed, well};
use super::table::{tell, tell_words};
use super::worker::{Beside, PATIENCE};
use crate::kills::{Dice, setting};
use crate::look;
use bailiwick_base::SeededRng;
use bailiwick_sim::demo::{LITWARE, NORTHWIND, TAILSPIN, WINGTIP};
use bailiwick_sim::{Call, Fault};
use bailiwick_testkit::Actor;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// What every directory can be asked to secure without a scan.
const POLICIES: [&str; 5] = ["guest_invites", "guest_access", "create_applications", "user_consent", "sharing"];
/// Checks that the directories with a licence fail, with the recipes that make a policy for them.
const CREATIONS: [(&str, &str); 3] = [
    ("entra.ca.block-device-code", "ca-block-device-code"),
    ("entra.ca.block-legacy-auth", "ca-block-legacy-auth"),
    ("entra.ca.mfa-all-users", "ca-mfa-all-users"),
];
const MADE: &str = "/v1.0/identity/conditionalAccess/policies";
/// A moment that does not come is not waited for longer.
const LONGEST_ROUND: Duration = Duration::from_secs(6);

// ---- one kill at a known place -------------------------------------------------------------------------------------

async fn until(beside: &Beside, what: &str, is: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is().await {
        assert!(begun.elapsed() < PATIENCE, "{what} does not come\n{}\n{}", look::queue(&mut beside.look().await).await, beside.said());
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// Writes of fixes by their outcome, oldest first.
async fn outcomes(beside: &Beside) -> Vec<Option<String>> {
    let statement = "SELECT outcome FROM bailiwick.write_steps WHERE kind = 'write' ORDER BY at, id";
    sqlx::query_scalar(statement).fetch_all(&mut beside.look().await).await.unwrap()
}

async fn shown(owner: &Actor, fix: &Value) -> Value {
    owner.get(&format!("/api/v1/fixes/{}", super::stage::id(fix))).await.ok()
}

/// Goes on after a kill, and lets time pass until the fix is settled.
async fn goes_on(beside: &mut Beside, fix: &Value) -> Value {
    beside.sim.clear_faults();
    loop {
        beside.pass(61.0).await;
        beside.start();
        until(beside, "the next look", async || due(&mut beside.look().await).await == 0).await;
        let now = shown(&beside.owner(), fix).await;
        beside.stop().await;
        if !matches!(now["state"].as_str(), Some("applying" | "rolling_back")) {
            return now;
        }
    }
}

fn fault(beside: &Beside, fault: Value) {
    beside.sim.add_faults([serde_json::from_value::<Fault>(fault).unwrap()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_between_write_and_re_read_leaves_a_fix_that_is_read_and_not_repeated() {
    let mut beside = Beside::new().await;
    let (owner, directory) = (beside.owner(), TAILSPIN.directory);
    beside.sim.change(directory, AUTHORIZATION, json!({"allowInvitesFrom": "everyone"})).unwrap();
    beside.connect(&TAILSPIN, "read").await;
    beside.turn_on(&TAILSPIN).await;
    beside.connect(&TAILSPIN, "write").await;
    let plan = owner.post("/api/v1/fix-plans", json!({"directory": directory, "policies": ["guest_invites"]})).await.ok();
    let fix = &plan["fixes"][0];
    let order = async |what: &str| {
        let path = format!("/api/v1/fixes/{}/{what}", super::stage::id(fix));
        owner.post(&path, json!({"digest": fix["digest"]})).await.ok();
    };
    let invites = |beside: &Beside| beside.sim.value(directory, AUTHORIZATION)["allowInvitesFrom"].as_str().unwrap().to_owned();
    order("approve").await;

    // The write is on its way and not taken: it is noted, and has no outcome.
    fault(&beside, json!({"match": {"method": "PATCH", "path": AUTHORIZATION}, "action": {"delay_ms": 600_000}}));
    order("apply").await;
    beside.start();
    until(&beside, "the intent", async || outcomes(&beside).await == [None]).await;
    beside.kill();
    let lost = goes_on(&mut beside, fix).await;
    failed(&lost, "failed", "not_sent");
    assert_eq!((beside.writes().len(), invites(&beside)), (0, "everyone".into()));
    tell(80, "kill -9 of the worker before the write was taken", &lost, "nothing was taken; `everyone`");

    // The write was taken and answered; its re-read hangs.
    let hangs = json!({"match": {"method": "GET", "path": AUTHORIZATION, "after": 1}, "action": {"delay_ms": 600_000}});
    fault(&beside, hangs.clone());
    order("apply").await;
    beside.start();
    until(&beside, "the answer", async || outcomes(&beside).await.last() == Some(&Some("answered".into()))).await;
    beside.kill();
    assert_eq!(shown(&owner, fix).await["state"], "applying");
    let applied = goes_on(&mut beside, fix).await;
    well(&applied, "applied");
    assert_eq!((beside.writes().len(), invites(&beside)), (1, "adminsAndGuestInviters".into()));
    tell(81, "kill -9 of the worker between write and re-read", &applied, "1 write (204); `adminsAndGuestInviters`");

    fault(&beside, hangs);
    order("roll-back").await;
    beside.start();
    let answered = async || outcomes(&beside).await.iter().flatten().filter(|outcome| *outcome == "answered").count() == 2;
    until(&beside, "the answer", answered).await;
    beside.kill();
    let back = goes_on(&mut beside, fix).await;
    well(&back, "rolled_back");
    assert_eq!((beside.writes().len(), invites(&beside)), (2, "everyone".into()));
    tell(82, "kill -9 of the worker between write and re-read of a roll-back", &back, "1 more write (204); `everyone`");
    look::trails_verify(&mut beside.look().await).await;
}

// ---- many kills at any place ---------------------------------------------------------------------------------------

/// When the worker is killed.
#[derive(Debug)]
enum Moment {
    /// After so many more calls to the cloud.
    Calls(usize),
    /// As soon as so many more writes were taken.
    Writes(usize),
    /// As soon as one more write is noted.
    Intent,
    /// After this time, perhaps before it has come to its feet.
    Time(Duration),
}

impl Moment {
    fn thrown(dice: &Dice) -> Self {
        let up_to = |most| usize::try_from(1 + dice.below(most)).unwrap();
        match dice.below(8) {
            0..=2 => Self::Calls(up_to(40)),
            3..=5 => Self::Writes(up_to(5)),
            6 => Self::Intent,
            _ => Self::Time(dice.millis(900)),
        }
    }

    async fn comes(&self, beside: &Beside, sql: &mut PgConnection) {
        let (begun, noted) = (Instant::now(), intents(sql).await);
        let calls = || beside.sim.calls().into_iter().filter(|call| call.client_id.as_deref() == Some(&writer()));
        loop {
            let come = match self {
                Self::Calls(many) => calls().count() >= *many,
                Self::Writes(many) => beside.writes().len() >= *many,
                Self::Intent => intents(sql).await > noted,
                Self::Time(long) => begun.elapsed() >= *long,
            };
            if come || begun.elapsed() > LONGEST_ROUND {
                return;
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }
}

fn writer() -> String {
    bailiwick_sim::demo::WRITER_CLIENT_ID.to_string()
}

async fn intents(sql: &mut PgConnection) -> i64 {
    look::number(sql, "SELECT count(*) FROM bailiwick.write_steps WHERE kind = 'write'").await
}

/// Orders that a worker has in hand, or could take now.
async fn due(sql: &mut PgConnection) -> i64 {
    let statement =
        "SELECT count(*) FROM bailiwick.jobs WHERE kind = 'fixes.apply' AND (state = 'running' OR (state = 'queued' AND run_at <= now()))";
    look::number(sql, statement).await
}

/// Three directories with people who keep their fixes going, and one that is only read.
async fn environment() -> (Beside, Vec<Wanted>) {
    let beside = Beside::new().await;
    let owner = beside.owner();
    let open = json!({"allowInvitesFrom": "everyone", "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3"});
    let mut wanted = Vec::new();
    for directory in [TAILSPIN, WINGTIP, LITWARE, NORTHWIND] {
        beside.sim.change(directory.directory, AUTHORIZATION, open.clone()).unwrap();
        let reader = beside.connect(&directory, "read").await;
        beside.turn_on(&directory).await;
        if directory == NORTHWIND {
            continue;
        }
        beside.connect(&directory, "write").await;
        let mut body = json!({"directory": directory.directory, "policies": POLICIES});
        // Where there is a licence for it, a Conditional Access policy is made besides, and removed.
        if directory != WINGTIP {
            beside.found_failing(&directory, &reader, &CREATIONS.map(|(check, _)| check)).await;
            body["recipes"] = CREATIONS.iter().map(|(_, recipe)| *recipe).collect();
        }
        wanted.push(Wanted { directory, body });
    }
    let body = json!({"directory": NORTHWIND.directory, "policies": POLICIES});
    let plan = owner.post("/api/v1/fix-plans", body).await.ok();
    for fix in plan["fixes"].as_array().unwrap() {
        let path = format!("/api/v1/fixes/{}", super::stage::id(fix));
        owner.post(&format!("{path}/approve"), json!({"digest": fix["digest"]})).await.ok();
        assert_eq!(owner.post(&format!("{path}/apply"), json!({"digest": fix["digest"]})).await.refused(409), "not_connected");
    }
    beside.sim.clear_calls();
    (beside, wanted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_kills_apply_nothing_twice_and_leave_nothing_unknown() {
    let (wanted, seed) = (setting("BAILIWICK_FIX_KILLS", 40), setting("BAILIWICK_KILL_SEED", 20_261_122));
    let (mut beside, plans) = environment().await;
    let (dice, orders) = (Dice(SeededRng::new(seed)), Dice(SeededRng::new(seed + 1)));
    let people = People { owner: beside.owner(), wanted: &plans, dice: orders };
    println!("{wanted} kills, seed {seed}");
    let mut sql = beside.look().await;
    people.pass(&mut sql).await;
    let (mut calls, begun_at) = (Vec::new(), Instant::now());
    for _ in 0..wanted {
        beside.sim.set_latency(dice.below(25));
        if dice.below(3) == 0 {
            fault(&beside, json!({"match": {}, "times": 1, "action": {"drop_after": true}}));
        }
        let moment = Moment::thrown(&dice);
        beside.start();
        tokio::select! {
            () = moment.comes(&beside, &mut sql) => {}
            () = people.keep_going(&beside) => {}
        }
        beside.kill();
        // Sometimes only the leases run out; sometimes also the time in which a write may show.
        beside.pass(if dice.below(2) == 0 { 61.0 } else { 130.0 }).await;
        beside.sim.clear_faults();
        calls.extend(beside.writes());
        beside.sim.clear_calls();
    }
    let took = begun_at.elapsed();
    beside.sim.set_latency(0);
    settle(&mut beside).await;
    calls.extend(beside.writes());
    let (written, noted) = every_write_is_one_order(&mut sql, &calls).await;
    let fixes = what_is_said_is_what_is_there(&mut sql, &beside).await;
    assert_eq!(calls.iter().filter(|call| call.directory == Some(NORTHWIND.directory)).count(), 0, "writes where nothing may write");
    let entries = look::trails_verify(&mut sql).await;
    let told = format!("{noted} writes noted, {written} taken, each once; {fixes}; the trail of {entries} entries verifies");
    println!("{wanted} kills in {:.0} s: {told}", took.as_secs_f64());
    assert!(written > 0, "nothing was written at all");
    tell_words(
        83,
        &format!("{wanted} times kill -9 of the worker, at random moments of applying and rolling back"),
        "settled, all of them",
        "",
        &told,
    );
}

/// Lets the worker work undisturbed until no order is left.
async fn settle(beside: &mut Beside) {
    let begun = Instant::now();
    loop {
        beside.start();
        until(beside, "the end of what is due", async || due(&mut beside.look().await).await == 0).await;
        beside.stop().await;
        let mut sql = beside.look().await;
        if look::number(&mut sql, "SELECT count(*) FROM bailiwick.jobs WHERE kind = 'fixes.apply'").await == 0 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "orders are left:\n{}\n{}", look::queue(&mut sql).await, beside.said());
        beside.pass(61.0).await;
    }
}

/// Each write the cloud took is one that the trail noted before, for an order of its own that somebody gave; how many were taken and noted.
async fn every_write_is_one_order(sql: &mut PgConnection, calls: &[Call]) -> (usize, usize) {
    let noted = begun(sql).await;
    let ordered: BTreeSet<(String, i64)> = orders(sql, &["fix.apply_ordered", "fix.roll_back_ordered"]).await;
    let approved: BTreeSet<String> = targets(sql, "fix.approved").await;
    let mut once = BTreeSet::new();
    for (written, fix, order, _) in &noted {
        assert!(once.insert((fix.clone(), *order)), "order {order} of fix {fix} was begun twice: {written:?}");
        assert!(ordered.contains(&(fix.clone(), *order)), "nobody ordered {order} of fix {fix}");
        assert!(approved.contains(fix), "nobody approved fix {fix}");
    }
    // The last one noted before a call is the one it belongs to.
    let mut slots: BTreeMap<&Written, Vec<(jiff::Timestamp, usize)>> = BTreeMap::new();
    for (written, _, _, at) in &noted {
        slots.entry(written).or_default().push((*at, 0));
    }
    for call in calls {
        let written = of_log(call).unwrap();
        let slots = slots.get_mut(&written).unwrap_or_else(|| panic!("not noted in the trail: {call:?}"));
        let slot = slots.iter_mut().rfind(|(at, _)| *at <= call.at).unwrap_or_else(|| panic!("sent before it was noted: {call:?}"));
        slot.1 += 1;
        assert_eq!(slot.1, 1, "sent twice for one order: {call:?}");
    }
    (calls.len(), noted.len())
}

async fn entries(sql: &mut PgConnection, action: &str) -> Vec<Value> {
    let statement = "SELECT body FROM bailiwick.trail_entries WHERE action = $1 AND NOT refused";
    let bodies: Vec<String> = sqlx::query_scalar(statement).bind(action).fetch_all(sql).await.unwrap();
    bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

fn target(entry: &Value) -> String {
    entry["target"].as_str().unwrap().trim_start_matches("fix/").to_owned()
}

async fn targets(sql: &mut PgConnection, action: &str) -> BTreeSet<String> {
    entries(sql, action).await.iter().map(target).collect()
}

async fn orders(sql: &mut PgConnection, actions: &[&str]) -> BTreeSet<(String, i64)> {
    let mut all = BTreeSet::new();
    for action in actions {
        all.extend(entries(sql, action).await.iter().map(|entry| (target(entry), entry["detail"]["order"].as_i64().unwrap())));
    }
    all
}

/// A fix as it is stored.
#[derive(sqlx::FromRow)]
struct Stored {
    directory_id: uuid::Uuid,
    recipe: String,
    state: String,
    code: Option<String>,
    change: Value,
    id: uuid::Uuid,
}

/// No fix is under way, and what each says is what the directory holds; how many there are in each state.
async fn what_is_said_is_what_is_there(sql: &mut PgConnection, beside: &Beside) -> String {
    let fixes: Vec<Stored> = sqlx::query_as(
        "SELECT directory_id, recipe, state, failure ->> 'code' AS code, change, id FROM bailiwick.fixes ORDER BY planned_at DESC, id DESC",
    )
    .fetch_all(sql)
    .await
    .unwrap();
    let (mut states, mut made) = (BTreeMap::<String, usize>::new(), 0);
    let mut newest: HashMap<(uuid::Uuid, &str), &Stored> = HashMap::new();
    for fix in &fixes {
        *states.entry(fix.state.clone()).or_default() += 1;
        assert!(!matches!(fix.state.as_str(), "applying" | "rolling_back" | "scheduled"), "fix {} is still {}", fix.id, fix.state);
        assert!(fix.code.as_deref().is_none_or(|code| code == "not_sent"), "fix {} ended with {:?}", fix.id, fix.code);
        if fix.change["method"] == "POST" {
            made += 1;
            made_as_said(beside, fix);
        } else if !matches!(fix.state.as_str(), "proposed" | "approved" | "superseded") {
            newest.entry((fix.directory_id, &fix.recipe)).or_insert(fix);
        }
    }
    for fix in newest.values() {
        changed_as_said(beside, fix);
    }
    assert!(newest.len() > 10 && made > 1, "{} recipes in all, {made} policies", newest.len());
    let counted: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    counted.join(", ")
}

/// Whether what the fix was to do is done.
fn done(fix: &Stored) -> bool {
    matches!(fix.state.as_str(), "applied" | "rollback_failed")
}

fn changed_as_said(beside: &Beside, fix: &Stored) {
    let path = fix.change["write"].as_str().unwrap();
    let there = beside.sim.value(fix.directory_id, path);
    for member in fix.change["changed"].as_array().unwrap() {
        let name = member["path"].as_str().unwrap();
        let found = name.split('.').fold(&there, |value, part| &value[part]);
        let said = &member[if done(fix) { "after" } else { "before" }];
        assert_eq!(found, said, "fix {} ({}) is {}, and {path} {name} is otherwise", fix.id, fix.recipe, fix.state);
    }
}

/// A policy is there once where its fix says so, and else not.
fn made_as_said(beside: &Beside, fix: &Stored) {
    let name = &fix.change["body"]["displayName"];
    assert!(name.as_str().unwrap().contains("[bailiwick:"), "{name}");
    let there = beside.sim.value(fix.directory_id, MADE);
    let found = there.as_array().unwrap().iter().filter(|policy| policy["displayName"] == *name).count();
    assert_eq!(found, usize::from(done(fix)), "fix {} ({}) is {}", fix.id, fix.recipe, fix.state);
}
