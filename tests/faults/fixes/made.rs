//! Faults of what a fix makes, a Conditional Access policy, and of the writes of a containment: none is made twice, and only what was made is
//! taken back.

use super::stage::{Fixing, failed, id, well};
use super::table::tell;
use bailiwick_sim::demo::TAILSPIN;
use serde_json::{Value, json};

const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";

/// The policies of ours that are there.
fn ours(fixing: &Fixing) -> Vec<Value> {
    let all = fixing.stage.sim.value(TAILSPIN.directory, POLICIES);
    let marked = |policy: &&Value| policy["displayName"].as_str().is_some_and(|name| name.contains("[bailiwick:"));
    all.as_array().unwrap().iter().filter(marked).cloned().collect()
}

fn there(fixing: &Fixing) -> String {
    let told = |status: &u16| if *status == 0 { "cut off".into() } else { status.to_string() };
    let answers: Vec<String> = fixing.answers().iter().map(told).collect();
    let sent = if answers.is_empty() { "nothing was sent".into() } else { format!("1 write ({})", answers.join(", ")) };
    format!("{sent}; policies made by fixes: {}", ours(fixing).len())
}

/// Proposes to make a policy, and approves it.
async fn creation(fixing: &Fixing, recipes: &[&str]) -> Value {
    let plan = fixing.owner().post("/api/v1/fix-plans", json!({"directory": TAILSPIN.directory, "recipes": recipes})).await.ok();
    let all = plan["fixes"].as_array().unwrap();
    let fix = all.iter().find(|fix| fix["recipe"]["kind"] == "create").expect("a policy to make").clone();
    fixing.decide(&fixing.owner(), &fix, "approve").await.ok();
    fixing.stage.sim.clear_calls();
    fix
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_made_once_and_found_again() {
    let fixing = Fixing::new().await;
    fixing.stage.scan(&fixing.reader, "compliance").await;
    let lost = creation(&fixing, &[]).await;
    let recipe = [id(&lost["recipe"])];

    fixing.fault("POST", POLICIES, Some(1), json!({"drop_after": true}));
    let found = fixing.again(&lost, "apply").await;
    well(&found, "applied");
    assert_eq!((fixing.answers(), ours(&fixing).len()), (vec![0], 1));
    tell(50, "the connection is cut after a policy was made", &found, &there(&fixing));
    // Somebody deletes it by hand: there is nothing to take back.
    let made = ours(&fixing).remove(0);
    let token =
        fixing.stage.sim.app_token_for(TAILSPIN.directory, bailiwick_sim::demo::WRITER_CLIENT_ID, "https://graph.microsoft.com").unwrap();
    delete(&fixing, &token, id(&made)).await;
    fixing.stage.sim.clear_calls();
    let gone = fixing.again(&lost, "roll-back").await;
    well(&gone, "rolled_back");
    assert_eq!(fixing.answers(), [] as [u16; 0]);
    tell(64, "rolled back after somebody else deleted the policy", &gone, &there(&fixing));

    let unmade = creation(&fixing, &recipe).await;
    fixing.fault("POST", POLICIES, Some(1), json!({"drop": true}));
    let unsent = fixing.again(&unmade, "apply").await;
    failed(&unsent, "failed", "not_sent");
    assert_eq!((fixing.answers(), ours(&fixing).len()), (vec![0], 0));
    tell(51, "the connection is cut before a policy was made", &unsent, &there(&fixing));

    let changed = creation(&fixing, &recipe).await;
    well(&fixing.again(&changed, "apply").await, "applied");
    let made = ours(&fixing).remove(0);
    fixing.stage.sim.change(TAILSPIN.directory, &format!("{POLICIES}/{}", id(&made)), json!({"state": "enabled"})).unwrap();
    let kept = fixing.again(&changed, "roll-back").await;
    failed(&kept, "rollback_failed", "changed");
    assert_eq!((fixing.answers(), ours(&fixing).len()), (vec![201], 1), "what somebody turned on is not deleted");
    tell(65, "rolled back after somebody else turned the policy on", &kept, &there(&fixing));
}

/// Deletes a policy at somebody's own desk.
async fn delete(fixing: &Fixing, token: &str, policy: &str) {
    let authority = reqwest::Certificate::from_pem(fixing.stage.sim.ca_pem().as_bytes()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "somebody else's client, which asks the simulated cloud")]
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    let url = format!("{}{POLICIES}/{policy}", fixing.stage.sim.graph_url());
    let answer = client.delete(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_two_writes_of_a_containment_fail_each_by_itself() {
    let fixing = Fixing::new().await;
    let person = format!("/v1.0/users/{}", TAILSPIN.user);
    let contain =
        json!({"directory": TAILSPIN.directory, "user": TAILSPIN.user, "revoke_sessions": true, "disable": true, "reason": "stolen"});
    let denied = r#"{"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}}"#;
    let disable = json!({"match": {"method": "PATCH", "path": person}, "times": 1, "action": {"status": 403, "body": denied}});
    let revoke = json!({"match": {"method": "POST", "path": person}, "times": 1, "action": {"drop_after": true}});
    fixing.stage.break_with(json!([disable, revoke]));
    let before = fixing.stage.sim.value(TAILSPIN.directory, &person);
    // A moment that is not the one of the last sign-out.
    fixing.stage.clock.advance(jiff::SignedDuration::from_secs(1));
    let ordered = fixing.owner().post("/api/v1/containments", contain).await.ok();
    let path = format!("/api/v1/containments/{}", id(&ordered));
    let mut shown = fixing.owner().get(&path).await.ok();
    for _ in 0..100 {
        fixing.stage.work().await;
        shown = fixing.owner().get(&path).await.ok();
        if shown["state"] != "acting" {
            break;
        }
        fixing.next_turn().await;
    }
    failed(&shown, "partly", "permission_missing");
    let after = fixing.stage.sim.value(TAILSPIN.directory, &person);
    assert_eq!(after["accountEnabled"], true);
    assert_ne!(after["signInSessionsValidFromDateTime"], before["signInSessionsValidFromDateTime"]);
    let mut answers = fixing.answers();
    answers.sort_unstable();
    assert_eq!(answers, [0, 403], "each write once");
    let told = "2 writes: sign-out (cut off) is done, as reading tells; disabling (403) is not";
    tell(70, "a person contained: 403 on disabling, the answer to the sign-out cut off", &shown, told);
}
