//! Connections through the simulated cloud: consent and its refusals, what was granted and what is missing, and the end of it.

use crate::scans::{READER_WORLD, begin, connect, look_only};
use bailiwick_sim::demo::{NORTHWIND, READER_CLIENT_ID, READER_PERMISSIONS, Scanned, TAILSPIN, WINGTIP};
use bailiwick_testkit::{Actor, World, sim};
use serde_json::{Value, json};

/// Ends a consent with what Microsoft would have put into the address.
async fn complete(actor: &Actor, state: &str, members: Value) -> Value {
    let mut body = members;
    body["state"] = json!(state);
    actor.post("/api/v1/consents/complete", body).await.ok()
}

fn refusal(outcome: &Value) -> &str {
    assert!(outcome["connection"].is_null(), "{outcome:#}");
    outcome["refusal"]["code"].as_str().unwrap()
}

fn granted(directory: &Scanned) -> Value {
    json!({"tenant": directory.directory, "admin_consent": "True", "scope": "https://graph.microsoft.com/.default"})
}

/// I68: an administrator's consent makes the access, its withdrawal ends it, and at no time is there a person's token in it.
#[tokio::test]
async fn i68_consent_makes_the_access_and_withdrawing_it_ends_it() {
    let _alone = READER_WORLD.lock().await;
    let world = look_only().await;
    let owner = world.contoso.owner();
    let connection = connect(&world, &NORTHWIND).await;
    assert_eq!(
        (&connection["state"], &connection["directory"]["name"]),
        (&json!("working"), &json!("Northwind Traders")),
        "{connection:#}"
    );
    assert_eq!(connection["app"]["client_id"], READER_CLIENT_ID.to_string());
    let check = format!("/api/v1/connections/{}/check", connection["id"].as_str().unwrap());
    assert!(sim().withdraw(NORTHWIND.directory, READER_CLIENT_ID));
    let failing = owner.post(&check, json!(null)).await.ok();
    assert_eq!((&failing["state"], &failing["failure"]["code"]), (&json!("failing"), &json!("consent_missing")), "{failing:#}");
    assert!(failing["features"].as_array().unwrap().iter().all(|feature| feature["ready"] == false));
    assert!(sim().consent(NORTHWIND.directory, READER_CLIENT_ID));
    assert_eq!(owner.post(&check, json!(null)).await.ok()["state"], "working");
    let asked = sim().calls().into_iter().filter(|call| call.directory == Some(NORTHWIND.directory));
    for call in asked.filter(|call| call.path.ends_with("/token")) {
        assert_eq!(call.client_id.as_deref(), Some(READER_CLIENT_ID.to_string().as_str()), "{call:?}");
    }
    sim().withdraw(NORTHWIND.directory, READER_CLIENT_ID);
}

#[tokio::test]
async fn a_consent_that_was_not_given_is_explained_and_its_state_is_used_up() {
    let _alone = READER_WORLD.lock().await;
    let world = look_only().await;
    let owner = world.contoso.owner();
    let declined =
        json!({"admin_consent": "True", "error": "consent_required", "error_description": "AADSTS65004: User declined to consent."});
    for (members, code) in [
        (declined, "consent_declined"),
        (json!({"error": "access_denied", "error_subcode": "cancel"}), "consent_declined"),
        (json!({"error": "access_denied", "error_description": "AADSTS90094: An administrator is needed."}), "consent_missing"),
        (json!({"tenant": TAILSPIN.directory}), "refused"),
        (granted(&WINGTIP), "other_directory"),
    ] {
        let state = begin(&owner, &TAILSPIN, "read").await;
        assert_eq!(refusal(&complete(&owner, &state, members.clone()).await), code, "{members}");
        assert_eq!(owner.post("/api/v1/consents/complete", json!({"state": state})).await.refused(404), "not_found");
    }
    assert_eq!(owner.get("/api/v1/connections?all=true").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_consent_belongs_to_who_began_it_and_to_their_tenant_and_ends_in_time() {
    let _alone = READER_WORLD.lock().await;
    let world = look_only().await;
    let (owner, admin, foreign) = (world.contoso.owner(), world.contoso.admin(), world.fabrikam.owner());
    let state = begin(&owner, &TAILSPIN, "read").await;
    assert_eq!(refusal(&complete(&admin, &state, granted(&TAILSPIN)).await), "other_person");
    let mut body = granted(&TAILSPIN);
    body["state"] = json!(state);
    assert_eq!(foreign.post("/api/v1/consents/complete", body.clone()).await.refused(404), "not_found");
    sqlx::query("UPDATE bailiwick.consents SET expires_at = begun_at").execute(&mut world.look().await).await.unwrap();
    assert_eq!(owner.post("/api/v1/consents/complete", body).await.refused(404), "not_found");
}

/// Whoever knows a directory's id could otherwise attach what its administrators consented to for somebody else.
#[tokio::test]
async fn a_consent_that_was_there_before_connects_nothing() {
    let _alone = READER_WORLD.lock().await;
    let world = look_only().await;
    let owner = world.fabrikam.owner();
    sim().consent(WINGTIP.directory, READER_CLIENT_ID);
    let state = begin(&owner, &WINGTIP, "read").await;
    assert_eq!(refusal(&complete(&owner, &state, granted(&WINGTIP)).await), "earlier_consent");
    sim().withdraw(WINGTIP.directory, READER_CLIENT_ID);
}

/// I50: after consent, what is missing is listed, each permission by its name under the feature that lacks it.
#[tokio::test]
async fn i50_what_is_missing_is_listed_exactly_for_each_feature() {
    let _alone = READER_WORLD.lock().await;
    let world = look_only().await;
    let owner = world.contoso.owner();
    let connection = connect(&world, &TAILSPIN).await;
    let missing = |connection: &Value, feature: &str| {
        let features = connection["features"].as_array().unwrap();
        features.iter().find(|f| f["feature"] == feature).unwrap_or_else(|| panic!("{feature}"))["missing"].clone()
    };
    for feature in ["compliance_scan", "exposure_scan", "policies", "threats"] {
        assert_eq!(
            missing(&connection, feature),
            json!([]),
            "{feature}: the registration of the simulated cloud asks for less than is needed"
        );
    }
    let lacking = ["IdentityRiskyUser.Read.All", "SharePointTenantSettings.Read.All"];
    let rest: Vec<&str> = READER_PERMISSIONS.iter().copied().filter(|p| !lacking.contains(p)).collect();
    sim().consent_to(TAILSPIN.directory, READER_CLIENT_ID, &rest).unwrap();
    let checked = owner.post(&format!("/api/v1/connections/{}/check", connection["id"].as_str().unwrap()), json!(null)).await.ok();
    assert_eq!(missing(&checked, "threats"), json!(["IdentityRiskyUser.Read.All"]));
    assert_eq!(missing(&checked, "policies"), json!(["SharePointTenantSettings.Read.All"]));
    let needed = owner.get("/api/v1/connection-options").await.ok();
    let read = &needed["offers"].as_array().unwrap().iter().find(|offer| offer["kind"] == "read").unwrap()["permissions"];
    for lacks in lacking {
        assert!(read.as_array().unwrap().iter().any(|p| p["permission"] == lacks), "{lacks} is asked for before consent");
    }
    sim().withdraw(TAILSPIN.directory, READER_CLIENT_ID);
}

/// I30: a secret of one's own works, is warned about, and its end is told; it is gone with the connection.
#[tokio::test]
async fn i30_a_secret_of_ones_own_is_warned_about_until_it_is_replaced() {
    let world = World::new().await;
    let owner = world.contoso.owner();
    let ends = world.running.services.store.now() + jiff::SignedDuration::from_hours(24 * 10);
    let own = json!({
        "kind": "read", "directory": world.contoso.org.directory, "label": "Contoso", "client_id": world.contoso.org.pipeline,
        "credential": {"kind": "secret", "secret": world.contoso.org.pipeline_secret, "expires_at": ends},
    });
    let connection = owner.post("/api/v1/connections", own.clone()).await.ok();
    let codes: Vec<&str> = connection["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["static_secret", "credential_ending"], "{connection:#}");
    assert_eq!(owner.post("/api/v1/connections", own).await.refused(409), "conflict");
    let id = connection["id"].as_str().unwrap();
    let secrets = "SELECT count(*) FROM bailiwick.secrets WHERE name LIKE 'connection/%'";
    let mut look = world.look().await;
    assert_eq!(sqlx::query_scalar::<_, i64>(secrets).fetch_one(&mut look).await.unwrap(), 1);
    let ended = owner.post(&format!("/api/v1/connections/{id}/disconnect"), json!(null)).await.ok();
    assert_eq!(ended["state"], "disconnected");
    assert_eq!(sqlx::query_scalar::<_, i64>(secrets).fetch_one(&mut look).await.unwrap(), 0);
}

/// I43: reading and writing are two applications with two consents, and consenting to one gives nothing to the other.
#[tokio::test]
async fn i43_reading_and_writing_are_two_consents_to_two_applications() {
    let _alone = READER_WORLD.lock().await;
    let world = look_only().await;
    let owner = world.contoso.owner();
    let url = |begun: Value| reqwest::Url::parse(begun["url"].as_str().unwrap()).unwrap();
    let client = |url: &reqwest::Url| url.query_pairs().find(|(name, _)| name == "client_id").unwrap().1.into_owned();
    let new = |kind: &str| json!({"kind": kind, "directory": TAILSPIN.directory});
    let read = url(owner.post("/api/v1/consents", new("read")).await.ok());
    let write = url(owner.post("/api/v1/consents", new("write")).await.ok());
    assert_ne!(client(&read), client(&write));
    assert!(read.as_str().starts_with(&sim().url()) && read.path().ends_with("/v2.0/adminconsent"), "{read}");
    let connection = connect(&world, &TAILSPIN).await;
    let granted: Vec<&str> = connection["granted"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    assert!(!granted.is_empty() && granted.iter().all(|p| !p.contains("Write")), "{granted:?}");
    assert_eq!(owner.get("/api/v1/connections?kind=write").await.ok()["items"], json!([]));
    sim().withdraw(TAILSPIN.directory, READER_CLIENT_ID);
}
