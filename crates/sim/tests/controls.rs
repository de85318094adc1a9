//! Forged tokens, faults and the call log.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    Call, Fault, Forge, MSA_TENANT, Sim, SimConfig, demo,
    demo::{CONTOSO, FABRIKAM},
};
use serde_json::json;
use std::time::{Duration, Instant};
use support::{NOW, claims, header, world};

#[tokio::test]
async fn each_forged_token_is_wrong_in_its_own_way() {
    let world = world().await;
    let api = demo::API_CLIENT_ID.to_string();
    let now = NOW.parse::<bailiwick_base::Timestamp>().unwrap().as_second();
    let tid = CONTOSO.directory.to_string();
    assert!(world.verified(&world.sim.user_token(CONTOSO.directory, CONTOSO.owner).unwrap(), &api).await.is_ok());
    for &wrong in Forge::ALL {
        let token = world.sim.forge(CONTOSO.directory, CONTOSO.owner, wrong).unwrap();
        let verified = world.verified(&token, &api).await;
        match wrong {
            // These are rightly signed, for this audience, by this issuer: what is wrong is told by other claims.
            Forge::Expired => assert!(verified.unwrap()["exp"].as_i64().unwrap() < now - 300),
            Forge::NotYetValid => assert!(verified.unwrap()["nbf"].as_i64().unwrap() > now + 300),
            Forge::TenantNotIssuer => assert_eq!(verified.unwrap()["tid"], FABRIKAM.directory.to_string()),
            Forge::KeyOfOtherIssuer => {
                assert_eq!(verified.unwrap()["tid"], tid);
                let (_, set) = world.get_json(&format!("/{tid}/discovery/v2.0/keys")).await;
                let key = set["keys"].as_array().unwrap().iter().find(|k| k["kid"] == header(&token)["kid"]).unwrap().clone();
                assert!(key["issuer"].as_str().unwrap().contains(&MSA_TENANT.to_string()));
            }
            Forge::NoRights => {
                let token = verified.unwrap();
                assert!(token["scp"].is_null() && token["roles"].is_null());
            }
            _ => assert!(verified.is_err(), "{wrong:?}"),
        }
        if !matches!(wrong, Forge::NotAJwt) {
            check_shape(wrong, &header(&token), &claims(&token), &tid);
        }
    }
}

fn check_shape(wrong: Forge, header: &serde_json::Value, claims: &serde_json::Value, tid: &str) {
    match wrong {
        Forge::Unsigned => assert_eq!(header["alg"], "none"),
        Forge::HmacWithPublicKey => assert_eq!(header["alg"], "HS256"),
        Forge::GraphNonce => assert!(header["nonce"].is_string()),
        Forge::NoKid => assert!(header["kid"].is_null()),
        Forge::V1 => assert_eq!(claims["ver"], "1.0"),
        Forge::MsaTenant => assert_eq!(claims["tid"], MSA_TENANT.to_string()),
        Forge::OtherDirectory => assert!(claims["tid"] == FABRIKAM.directory.to_string() && claims["oid"] == FABRIKAM.owner.to_string()),
        Forge::WrongAudience => assert_ne!(claims["aud"], demo::API_CLIENT_ID.to_string()),
        Forge::WrongIssuer => assert!(claims["iss"].as_str().unwrap().starts_with("https://login.example.test/") && claims["tid"] == tid),
        Forge::TamperedPayload => assert_ne!(claims["oid"], CONTOSO.owner.to_string()),
        _ => {}
    }
}

#[tokio::test]
async fn faults_hit_as_often_as_asked() {
    let world = world().await;
    let keys = format!("{}/{}/discovery/v2.0/keys", world.sim.url(), CONTOSO.directory);
    let status = async || world.http.get(&keys).send().await.map(|r| r.status().as_u16()).map_err(|_| ());
    let faults = json!([
        {"match": {"method": "GET", "path_contains": "/discovery/"}, "times": 1, "action": {"status": 429, "retry_after": 7, "body": "slow down"}},
        {"match": {"host": "localhost"}, "times": 1, "action": {"drop": true}},
        {"times": 1, "action": {"delay_ms": 30}},
        {"action": {"jwks_down": true}},
    ]);
    let control = format!("{}/_sim/faults", world.sim.url());
    assert_eq!(world.http.post(&control).json(&faults).send().await.unwrap().status().as_u16(), 204);
    let limited = world.http.get(&keys).send().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(limited.text().await.unwrap(), "slow down");
    assert!(status().await.is_err(), "the connection is dropped");
    let begun = Instant::now();
    assert_eq!(status().await, Ok(200));
    assert!(begun.elapsed() >= Duration::from_millis(30));
    assert_eq!(status().await, Ok(503));
    assert_eq!(world.get_json("/common/v2.0/.well-known/openid-configuration").await.0, 200);
    world.http.delete(&control).send().await.unwrap();
    assert_eq!(status().await, Ok(200));
    let refused = world.http.post(&control).json(&json!([{"match": {"hots": "x"}, "action": {"status": 500}}])).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 422);
    world.sim.add_faults([serde_json::from_value::<Fault>(json!({"times": 1, "action": {"status": 503}})).unwrap()]);
    assert_eq!(status().await, Ok(503));
}

#[tokio::test]
async fn every_call_is_logged_without_its_secrets() {
    let world = world().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &CONTOSO.pipeline.to_string()),
        ("client_secret", CONTOSO.pipeline_secret),
        ("scope", "api://b0a71a1c-0000-4000-8000-0000000000a1/.default"),
    ];
    world.http.post(format!("{}/{}/oauth2/v2.0/token?slip=very-secret", world.sim.url(), CONTOSO.domain)).form(&form).send().await.unwrap();
    let expected = Call {
        query: None,
        in_batch: false,
        body_sha256: None,
        at: NOW.parse().unwrap(),
        host: "localhost".to_owned(),
        method: "POST".to_owned(),
        path: "/contoso.example/oauth2/v2.0/token".to_owned(),
        status: 200,
        directory: Some(CONTOSO.directory),
        client_id: Some(CONTOSO.pipeline.to_string()),
    };
    assert_eq!(world.sim.calls(), std::slice::from_ref(&expected));
    let lines = world.http.get(world.sim.calls_url()).send().await.unwrap().text().await.unwrap();
    assert_eq!(serde_json::from_str::<Call>(lines.trim()).unwrap(), expected);
    assert!(!lines.contains(CONTOSO.pipeline_secret) && !lines.contains("very-secret"));
    world.sim.clear_calls();
    assert!(world.sim.calls().is_empty());
}

#[tokio::test]
async fn tokens_are_minted_over_the_control_address() {
    let world = world().await;
    let url = format!("{}/_sim/tokens", world.sim.url());
    let ask = |body| world.http.post(&url).json(&body).send();
    let user = json!({"directory": CONTOSO.directory, "user": CONTOSO.auditor, "client_id": demo::PORTAL_CLIENT_ID, "api": demo::API_URI});
    let body: serde_json::Value = ask(user).await.unwrap().json().await.unwrap();
    assert_eq!(claims(body["access_token"].as_str().unwrap())["oid"], CONTOSO.auditor.to_string());
    let nobody = json!({"directory": FABRIKAM.directory, "client_id": CONTOSO.pipeline, "api": demo::API_URI});
    assert_eq!(ask(nobody).await.unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn an_unknown_host_is_misdirected() {
    let world = world().await;
    let url = format!("{}/common/v2.0/.well-known/openid-configuration", world.sim.url());
    let old = support::client_http1(&world.sim);
    let ask = |host: &'static str| old.get(&url).header("host", host).send();
    assert_eq!(ask("evil.example.test").await.unwrap().status().as_u16(), 421);
    assert_eq!(ask("login.microsoftonline.com").await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn an_oversized_body_does_no_harm() {
    let world = world().await;
    let large = world.http.post(format!("{}/common/oauth2/v2.0/token", world.sim.url())).body(vec![b'a'; 2 << 20]).send().await;
    // The refusal may overtake the upload, which a client then reports as a broken connection.
    assert!(large.is_err() || large.unwrap().status().as_u16() == 413);
    assert_eq!(world.get_json("/_sim/health").await.0, 200);
    assert!(world.sim.calls().is_empty());
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_port() {
    let sim = Sim::start(SimConfig::demo(&[])).await.unwrap();
    let port = sim.address().port();
    assert!(sim.address().ip().is_loopback());
    let http = support::client(&sim, None);
    let url = format!("{}/_sim/health", sim.url());
    assert!(http.get(&url).send().await.is_ok());
    assert!(Sim::start(SimConfig { port, ..SimConfig::demo(&[]) }).await.is_err());
    drop(sim);
    let again = loop {
        match Sim::start(SimConfig { port, ..SimConfig::demo(&[]) }).await {
            Ok(again) => break again,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(again.address().port(), port);
}

#[tokio::test]
async fn another_process_looks_at_what_is_kept_changes_it_and_moves_the_clock() {
    let world = world().await;
    let directory = demo::TAILSPIN.directory;
    let path = "/v1.0/policies/authorizationPolicy";
    let url = |path: &str| format!("{}/_sim/{path}", world.sim.url());
    let kept = async || world.get_json(&format!("/_sim/value?directory={directory}&path={path}")).await.1["allowInvitesFrom"].clone();
    let post = async |path: &str, body: serde_json::Value| world.http.post(url(path)).json(&body).send().await.unwrap();
    let change = json!({"directory": directory, "path": path, "members": {"allowInvitesFrom": "none"}});
    assert_eq!((post("changes", change.clone()).await.status().as_u16(), kept().await), (204, json!("none")));
    let mut nowhere = change;
    nowhere["path"] = json!("/v1.0/policies/nothing");
    assert_eq!(post("changes", nowhere).await.status().as_u16(), 404);
    let undo = world.http.delete(url("changes")).json(&json!({"directory": directory}));
    assert_eq!((undo.send().await.unwrap().status().as_u16(), kept().await), (204, json!("adminsAndGuestInviters")));
    let moved: serde_json::Value = post("clock", json!({"advance_ms": 90_000})).await.json().await.unwrap();
    assert_eq!((&moved["now"], world.get_json("/_sim/clock").await.1), (&json!("2026-11-22T08:01:30Z"), moved.clone()));
    let role = |role: &str| json!({"directory": directory, "client_id": demo::WRITER_CLIENT_ID, "role": role});
    assert_eq!(post("azure-roles", role("Contributor")).await.status().as_u16(), 204);
    assert_eq!(post("azure-roles", role("Emperor")).await.status().as_u16(), 404);
    assert!(world.sim.calls().is_empty());
}
