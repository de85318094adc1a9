//! Connections through the simulated cloud: consent and its refusals, what was granted and what is missing, and the end of it.

use crate::scans::{READER_WORLD, begin, connect, look_only};
use bailiwick_sim::demo::{NORTHWIND, READER_CLIENT_ID, READER_PERMISSIONS, Scanned, TAILSPIN, WINGTIP, WRITER_CLIENT_ID};
use bailiwick_sim::{Fault, FaultAction, FaultMatch};
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

/// One identity proves registrations for every tenant, so it opens nobody's directory but the one a tenant signs in with; and the
/// environment's own applications are connected by consent alone, whatever credential is shown.
#[tokio::test]
async fn i17_a_second_tenant_gets_no_directory_by_a_registration_that_is_not_its_own() {
    let world = World::with(|config| {
        for (application, id) in [(&mut config.microsoft.reader, READER_CLIENT_ID), (&mut config.microsoft.writer, WRITER_CLIENT_ID)] {
            let file = config.data_folder.with_file_name(format!("secret-{id}"));
            std::fs::write(&file, "secret").unwrap();
            (application.client_id, application.secret_file) = (id.to_string(), file);
        }
        config.microsoft.federated_token_file = config.data_folder.with_file_name("token");
        std::fs::write(&config.microsoft.federated_token_file, "token").unwrap();
    })
    .await;
    let (foreign, pipeline) = (world.fabrikam.owner(), world.contoso.org.pipeline);
    let own = |directory, client, credential: &Value| json!({"kind": "read", "directory": directory, "client_id": client, "credential": credential});
    let (federated, secret) = (json!({"kind": "federated"}), json!({"kind": "secret", "secret": "x"}));
    let (theirs, ours) = (world.contoso.org.directory, world.fabrikam.org.directory);
    for refused in [
        own(theirs, READER_CLIENT_ID, &federated),
        own(theirs, WRITER_CLIENT_ID, &federated),
        own(theirs, READER_CLIENT_ID, &secret),
        own(ours, READER_CLIENT_ID, &federated),
        own(theirs, pipeline, &federated),
    ] {
        assert_eq!(foreign.post("/api/v1/connections", refused.clone()).await.refused(400), "bad_request", "{refused}");
    }
    assert_eq!(foreign.get("/api/v1/connections?all=true").await.ok()["items"], json!([]));
    // In its own directory it may; and a row that says otherwise is not used.
    let made = foreign.post("/api/v1/connections", own(ours, pipeline, &federated)).await.ok();
    sqlx::query("UPDATE bailiwick.connections SET client_id = $1")
        .bind(READER_CLIENT_ID.to_string())
        .execute(&mut world.look().await)
        .await
        .unwrap();
    let check = format!("/api/v1/connections/{}/check", made["id"].as_str().unwrap());
    assert_eq!(foreign.post(&check, json!(null)).await.refused(409), "not_connected");
}

/// Whether access was there before is known or the consent does not begin.
#[tokio::test]
async fn a_consent_does_not_begin_while_microsoft_does_not_say_who_has_access() {
    let _alone = READER_WORLD.lock().await;
    let world = look_only().await;
    sim().consent(WINGTIP.directory, READER_CLIENT_ID);
    let matches = FaultMatch { path_contains: Some(format!("{}/oauth2", WINGTIP.directory)), ..FaultMatch::default() };
    let action = FaultAction::Answer { status: 429, retry_after: Some(3600), body: None };
    sim().add_faults([Fault { matches, times: None, action }]);
    let new = json!({"kind": "read", "directory": WINGTIP.directory});
    let answer = world.fabrikam.owner().post("/api/v1/consents", new).await;
    sim().clear_faults();
    sim().withdraw(WINGTIP.directory, READER_CLIENT_ID);
    assert_eq!(answer.refused(503), "unavailable");
    let begun = "SELECT count(*) FROM bailiwick.consents";
    assert_eq!(sqlx::query_scalar::<_, i64>(begun).fetch_one(&mut world.look().await).await.unwrap(), 0);
}

/// An answer is a text anybody can write: without a token it connects nothing, and what was consented to for one tenant is not another's.
#[tokio::test]
async fn a_forged_answer_connects_nothing_and_one_consent_is_not_two_tenants() {
    let _alone = READER_WORLD.lock().await;
    let world = look_only().await;
    let (owner, foreign) = (world.contoso.owner(), world.fabrikam.owner());
    sim().withdraw(NORTHWIND.directory, READER_CLIENT_ID);
    let theirs = begin(&foreign, &NORTHWIND, "read").await;
    assert_eq!(refusal(&complete(&foreign, &theirs, granted(&NORTHWIND)).await), "consent_missing");
    let ours = begin(&owner, &NORTHWIND, "read").await;
    sim().consent(NORTHWIND.directory, READER_CLIENT_ID);
    assert_eq!(refusal(&complete(&foreign, &theirs, granted(&NORTHWIND)).await), "earlier_consent");
    // The first who waits is not told from the second: nobody gets it while two wait.
    assert_eq!(refusal(&complete(&owner, &ours, granted(&NORTHWIND)).await), "earlier_consent");
    for actor in [&owner, &foreign] {
        assert_eq!(actor.get("/api/v1/connections?all=true").await.ok()["items"], json!([]));
    }
    sim().withdraw(NORTHWIND.directory, READER_CLIENT_ID);
}

/// Whoever may upload could otherwise close what Bailiwick's own scans found.
#[tokio::test]
async fn a_report_of_bailiwicks_own_scans_is_not_taken_from_an_upload() {
    let world = World::new().await;
    let report = crate::stage::scan_report(&world.contoso.org.directory.to_string());
    for (actor, name) in [(world.contoso.pipeline(), "one"), (world.contoso.owner(), "two")] {
        let run = actor.submit(json!({"source": "Bailiwick compliance scan", "pipeline_run_id": name}), &[("scan.json", &report)]).await;
        world.work().await;
        let run = world.contoso.owner().get(&format!("/api/v1/runs/{run}")).await.ok();
        assert_eq!((&run["state"], &run["failure"]["code"]), (&json!("failed"), &json!("bad_report")), "{run:#}");
        assert!(run["failure"]["detail"].as_str().unwrap().contains("by Bailiwick alone"), "{run:#}");
    }
    assert_eq!(world.contoso.owner().get("/api/v1/findings").await.ok()["items"], json!([]));
}
