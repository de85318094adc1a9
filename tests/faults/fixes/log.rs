//! The simulated cloud's own log of calls, held against what people approved: a write for each, each for one, and none without a connection
//! that writes.

use super::stage::{AUTHORIZATION, Fixing, id, well};
use bailiwick_sim::Call;
use bailiwick_sim::demo::{NORTHWIND, Scanned, TAILSPIN, WRITER_CLIENT_ID};
use bailiwick_testkit::actor::sha256;
use serde_json::{Value, json};
use sqlx::PgConnection;

/// A write, as the cloud's log and the product's trail both tell it: directory, method, path, hash of the body.
pub type Written = (String, String, String, String);

pub fn of_log(call: &Call) -> Option<Written> {
    let hash = call.body_sha256.clone()?;
    Some((call.directory?.to_string(), call.method.clone(), call.path.clone(), hash))
}

/// Every write of fixes that the trail says was about to be sent, oldest first: with the fix, its order and when it was noted.
pub async fn begun(sql: &mut PgConnection) -> Vec<(Written, String, i64, jiff::Timestamp)> {
    let bodies: Vec<String> = sqlx::query_scalar(
        "SELECT body FROM bailiwick.trail_entries WHERE action = 'fix.write_begun' AND NOT refused ORDER BY tenant_id, seq",
    )
    .fetch_all(sql)
    .await
    .unwrap();
    let entries = bodies.iter().map(|body| serde_json::from_str::<Value>(body).unwrap());
    entries.map(|entry| written(&entry)).collect()
}

fn written(entry: &Value) -> (Written, String, i64, jiff::Timestamp) {
    let detail = &entry["detail"];
    let text = |member: &str| detail[member].as_str().unwrap_or_else(|| panic!("no {member}: {entry:#}")).to_owned();
    let path = reqwest::Url::parse(&text("url")).unwrap().path().to_owned();
    // What has no body is logged with the hash of nothing.
    let hash = detail["body_sha256"].as_str().map_or_else(|| sha256(b""), str::to_owned);
    let fix = entry["target"].as_str().unwrap().trim_start_matches("fix/").to_owned();
    let written = (text("directory"), text("method"), path, hash);
    (written, fix, detail["order"].as_i64().unwrap(), entry["at"].as_str().unwrap().parse().unwrap())
}

async fn plan(fixing: &Fixing, directory: &Scanned) -> Vec<Value> {
    let all =
        ["security_defaults", "guest_invites", "guest_access", "create_applications", "user_consent", "admin_consent_workflow", "sharing"];
    let plan = fixing.try_plan(directory, &all).await.ok();
    let fixes = plan["fixes"].as_array().unwrap().clone();
    assert!(fixes.len() >= 2, "{plan:#}");
    fixes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_write_is_one_that_was_approved_and_a_directory_without_a_writer_gets_none() {
    let fixing = Fixing::new().await;
    let (owner, sim) = (fixing.owner(), &fixing.stage.sim);
    fixing.stage.connect(&NORTHWIND).await;
    sim.change(
        NORTHWIND.directory,
        AUTHORIZATION,
        json!({"allowInvitesFrom": "everyone", "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3"}),
    )
    .unwrap();
    sim.clear_calls();
    fixing.turn_on(&NORTHWIND, json!({"enabled": true, "containment": true})).await;
    for fix in plan(&fixing, &NORTHWIND).await {
        fixing.decide(&owner, &fix, "approve").await.ok();
        assert_eq!(fixing.decide(&owner, &fix, "apply").await.refused(409), "not_connected");
    }
    let user = json!({"directory": NORTHWIND.directory, "user": NORTHWIND.user, "revoke_sessions": true, "disable": true, "reason": "r"});
    assert_eq!(owner.post("/api/v1/containments", user).await.refused(409), "not_connected");

    let fixes = plan(&fixing, &TAILSPIN).await;
    let (approved, left) = fixes.split_at(fixes.len() - 1);
    for fix in approved {
        fixing.decide(&owner, fix, "approve").await.ok();
        fixing.decide(&owner, fix, "apply").await.ok();
    }
    for fix in approved {
        well(&fixing.settled(fix).await, "applied");
    }
    well(&fixing.again(&approved[0], "roll-back").await, "rolled_back");
    fixing.stage.work().await;

    assert_eq!(fixing.writes(&NORTHWIND), [], "writes to a directory that no connection writes to");
    let writer = WRITER_CLIENT_ID.to_string();
    let there = sim.calls().into_iter().filter(|call| call.directory == Some(NORTHWIND.directory));
    assert_eq!(there.filter(|call| call.client_id.as_deref() == Some(&writer)).count(), 0, "calls of the writer there");

    let mut logged: Vec<Written> = sim.calls().iter().filter_map(of_log).collect();
    let told = begun(&mut fixing.stage.look().await).await;
    let mut trail: Vec<Written> = told.iter().map(|(written, ..)| written.clone()).collect();
    logged.sort();
    trail.sort();
    assert_eq!(logged, trail, "what the cloud was sent, and what the trail says was approved and sent");
    assert_eq!(logged.len(), approved.len() + 1);
    for fix in approved {
        let orders = told.iter().filter(|(_, of, ..)| of == id(fix)).count();
        assert_eq!(orders, if id(fix) == id(&approved[0]) { 2 } else { 1 }, "{fix:#}");
    }
    assert!(told.iter().all(|(_, of, ..)| of != id(&left[0])), "what nobody approved was not sent");
}
