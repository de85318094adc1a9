//! Graph under load and in trouble: batches, limits, faults of answers and pages, and what the log says of them.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    Fault, FaultAction, FaultMatch, demo,
    demo::{LITWARE, NORTHWIND, READER_CLIENT_ID, TAILSPIN},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{World, reader_world};

async fn batch(world: &World, requests: Value) -> (u16, Value) {
    let token = world.reader_token(NORTHWIND.directory);
    let request = world.http.post(format!("{}/v1.0/$batch", world.sim.graph_url())).bearer_auth(token).json(&json!({"requests": requests}));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn item(id: u32, url: &str) -> Value {
    json!({"id": id.to_string(), "method": "GET", "url": url})
}

fn on(path: &str, action: FaultAction) -> Fault {
    Fault { matches: FaultMatch { path: Some(path.to_owned()), ..FaultMatch::default() }, times: None, action }
}

#[tokio::test]
async fn a_batch_answers_each_request_by_itself_and_logs_it() {
    let world = reader_world().await;
    world.sim.clear_calls();
    let mut late = item(4, "/organization");
    late["dependsOn"] = json!(["2"]);
    let mut counted = item(5, "/users/$count");
    counted["headers"] = json!({"ConsistencyLevel": "eventual"});
    let (status, body) =
        batch(&world, json!([item(1, "/policies/authorizationPolicy"), item(2, "users/nobody"), item(3, "/users?$top=2"), late, counted]))
            .await;
    let statuses: Vec<_> =
        body["responses"].as_array().unwrap().iter().map(|r| (r["id"].as_str().unwrap(), r["status"].as_u64().unwrap())).collect();
    assert_eq!((status, statuses), (200, vec![("1", 200), ("2", 404), ("3", 200), ("4", 424), ("5", 200)]));
    assert_eq!(body["responses"][0]["body"]["allowInvitesFrom"], "adminsAndGuestInviters");
    assert!(body["responses"][2]["body"]["@odata.nextLink"].as_str().unwrap().starts_with(&world.sim.graph_url()));
    assert_eq!(body["responses"][4]["body"], "MjA="); // 20, as a text travels
    let calls = world.sim.calls();
    let logged: Vec<_> = calls.iter().map(|call| (call.method.as_str(), call.path.as_str(), call.status, call.in_batch)).collect();
    assert_eq!(logged[0], ("GET", "/v1.0/policies/authorizationPolicy", 200, true));
    assert_eq!(logged.last().unwrap(), &("POST", "/_graph/v1.0/$batch", 200, false));
    assert!(calls.iter().all(|call| call.directory == Some(NORTHWIND.directory) && call.client_id == Some(READER_CLIENT_ID.to_string())));
}

#[tokio::test]
async fn a_malformed_batch_is_refused_whole() {
    let world = reader_world().await;
    let many: Vec<Value> = (0..21).map(|n| item(n, "/organization")).collect();
    let mut early = item(1, "/organization");
    early["dependsOn"] = json!(["2"]);
    for requests in [
        json!(many),
        json!([item(1, "/a"), item(1, "/b")]),
        json!([]),
        json!([early]),
        json!([item(1, "https://graph.microsoft.com/v1.0/me")]),
        json!("x"),
    ] {
        assert_eq!(batch(&world, requests).await.0, 400);
    }
}

#[tokio::test]
async fn published_limits_hold_by_the_clock_alone_and_in_batches() {
    let world = reader_world().await;
    world.sim.set_limits(true);
    let token = world.reader_token(NORTHWIND.directory);
    let read = async |path: &str| world.get(&format!("{}{path}", world.sim.graph_url()), &token, &[]).await;
    assert_eq!(read("/v1.0/identity/conditionalAccess/policies").await.status().as_u16(), 200);
    let refused = read("/v1.0/identityProtection/riskyUsers").await;
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after")), (429, None));
    world.clock.advance(SignedDuration::from_secs(1));
    let (_, body) = batch(
        &world,
        json!([item(1, "/identityProtection/riskyUsers"), item(2, "/identityProtection/riskDetections"), item(3, "/organization")]),
    )
    .await;
    let statuses: Vec<_> = body["responses"].as_array().unwrap().iter().map(|r| r["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 429, 200]);
    for _ in 0..5 {
        assert_eq!(read("/v1.0/auditLogs/signIns").await.status().as_u16(), 200);
    }
    let refused = read("/v1.0/auditLogs/signIns").await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "10"));
    world.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(read("/v1.0/auditLogs/signIns").await.status().as_u16(), 200);
}

#[tokio::test]
async fn lists_can_end_never_repeat_or_lose_a_page() {
    let world = reader_world().await;
    world.sim.set_page_size(Some(5));
    let token = world.reader_token(TAILSPIN.directory);
    let page = async |url: &str| world.get(url, &token, &[("ConsistencyLevel", "eventual")]).await.json::<Value>().await.unwrap();
    let users = format!("{}/v1.0/users?$select=id&$count=true", world.sim.graph_url());
    let link = |page: &Value| page["@odata.nextLink"].as_str().map(str::to_owned);

    world.sim.add_faults([on("/v1.0/users", FaultAction::Endless { endless: true })]);
    let (mut links, mut next) = (Vec::new(), users.clone());
    for _ in 0..30 {
        next = link(&page(&next).await).unwrap();
        assert!(!links.contains(&next));
        links.push(next.clone());
    }
    world.sim.clear_faults();

    world.sim.add_faults([on("/v1.0/users", FaultAction::RepeatLink { repeat_link: true })]);
    let first = link(&page(&users).await).unwrap();
    assert_eq!(link(&page(&first).await).as_deref(), Some(first.as_str()));
    world.sim.clear_faults();

    let whole = world.collect(TAILSPIN.directory, "/v1.0/users?$select=id").await;
    world.sim.add_faults([Fault { times: Some(1), ..on("/v1.0/users", FaultAction::LosePage { lose_page: true }) }]);
    let short = world.collect(TAILSPIN.directory, "/v1.0/users?$select=id").await;
    assert_eq!((whole.items.len(), short.items.len()), (23, 18));
    assert!(whole.items.starts_with(&short.items[..5]) && whole.items.ends_with(&short.items[5..]));
}

#[tokio::test]
async fn answers_can_be_cut_off_swollen_delayed_or_fail_on_a_later_page() {
    let world = reader_world().await;
    world.sim.set_page_size(Some(5));
    let token = world.reader_token(TAILSPIN.directory);
    let url = |path: &str| format!("{}{path}", world.sim.graph_url());

    world.sim.add_faults([on("/v1.0/organization", FaultAction::Malformed { malformed: true })]);
    let cut = world.get(&url("/v1.0/organization"), &token, &[]).await;
    assert_eq!(cut.status().as_u16(), 200);
    assert!(serde_json::from_str::<Value>(&cut.text().await.unwrap()).is_err());

    world.sim.add_faults([on("/v1.0/domains", FaultAction::Huge { huge_mib: 3 })]);
    let huge = world.get(&url("/v1.0/domains"), &token, &[]).await.bytes().await.unwrap();
    assert!(huge.len() > 3 << 20 && serde_json::from_slice::<Value>(&huge).unwrap()["value"].as_array().unwrap().len() == 4);

    let later = FaultMatch {
        path: Some("/v1.0/users".to_owned()),
        query_contains: Some("$skiptoken".to_owned()),
        after: 1,
        ..FaultMatch::default()
    };
    world.sim.add_faults([Fault {
        matches: later,
        times: Some(1),
        action: FaultAction::Answer { status: 503, retry_after: Some(2), body: None },
    }]);
    let mut next = url("/v1.0/users?$select=id");
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = world.get(&next, &token, &[]).await;
        statuses.push(answer.status().as_u16());
        if let Some(link) = answer.json::<Value>().await.unwrap_or_default()["@odata.nextLink"].as_str() {
            next = link.to_owned();
        }
    }
    assert_eq!(statuses, [200, 200, 503, 200]);

    world.sim.set_latency(30);
    let begun = Instant::now();
    world.get(&url("/v1.0/subscribedSkus"), &token, &[]).await;
    assert!(begun.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn granted_roles_may_take_a_while_to_appear() {
    let world = support::world().await;
    let mut knobs = world.sim.knobs();
    knobs.consent_delay_s = 60;
    world.sim.set_knobs(knobs);
    world.sim.consent(LITWARE.directory, READER_CLIENT_ID);
    let roles = || support::claims(&world.reader_token(LITWARE.directory))["roles"].as_array().map_or(0, Vec::len);
    assert_eq!(roles(), 0);
    world.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(roles(), demo::READER_PERMISSIONS.len());
}

#[tokio::test]
async fn a_value_read_from_a_vault_would_show_in_the_log() {
    let world = reader_world().await;
    let through = support::client(&world.sim, Some(world.sim.proxy_url()));
    world.sim.clear_calls();
    let answer = through.get("https://nw-prod-kv.vault.azure.net/secrets/db?api-version=7.4").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 421);
    let call = &world.sim.calls()[0];
    assert_eq!((call.host.as_str(), call.method.as_str(), call.path.as_str()), ("nw-prod-kv.vault.azure.net", "GET", "/secrets/db"));
}
