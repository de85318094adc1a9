//! API keys: shown once, kept as a hash, bound to their project, ended by time or by hand; and who signs in at all.

use crate::look::dump;
use crate::stage::Stage;
use bailiwick_testkit::actor::Credential;
use bailiwick_testkit::{Actor, World};
use jiff::SignedDuration;
use serde_json::json;

fn text(actor: &Actor) -> String {
    let Credential::Key(key) = &actor.credential else { panic!("{} holds no key", actor.name) };
    key.clone()
}

#[tokio::test]
async fn i12_a_revoked_key_is_refused_on_the_next_request() {
    let world = World::new().await;
    let owner = world.contoso.owner();
    let created = owner.post("/api/v1/api-keys", json!({"name": "nightly"})).await.ok();
    let key = world.contoso.with_key(created["key"].as_str().unwrap());
    key.get("/api/v1/me").await.ok();
    owner.delete(&format!("/api/v1/api-keys/{}", created["api_key"]["id"].as_str().unwrap())).await.ok();
    assert_eq!(key.get("/api/v1/me").await.refused(401), "not_signed_in");
    assert_eq!(key.post("/api/v1/runs", json!({"source": "x"})).await.refused(401), "not_signed_in");
}

#[tokio::test]
async fn i12_a_key_ends_on_its_day() {
    let world = World::new().await;
    let created = world.contoso.owner().post("/api/v1/api-keys", json!({"name": "short", "expires_in_days": 1})).await.ok();
    let key = world.contoso.with_key(created["key"].as_str().unwrap());
    world.clock.advance(SignedDuration::from_secs(24 * 3600 - 1));
    key.get("/api/v1/me").await.ok();
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(key.get("/api/v1/me").await.refused(401), "not_signed_in");
}

/// No key lives for ever, and none for longer than a year and a day.
#[tokio::test]
async fn i12_every_key_has_an_end() {
    let world = World::new().await;
    let owner = world.contoso.owner();
    for days in [0, 367, 65_535] {
        assert_eq!(
            owner.post("/api/v1/api-keys", json!({"name": "long", "expires_in_days": days})).await.refused(400),
            "bad_request",
            "{days}"
        );
    }
    let created = owner.post("/api/v1/api-keys", json!({"name": "usual"})).await.ok();
    let [made, ends] =
        ["created_at", "expires_at"].map(|member| created["api_key"][member].as_str().unwrap().parse::<jiff::Timestamp>().unwrap());
    assert_eq!(ends.duration_since(made), SignedDuration::from_hours(90 * 24));
}

#[tokio::test]
async fn i12_a_key_is_shown_once_and_kept_as_its_hash() {
    let world = World::new().await;
    let owner = world.contoso.owner();
    let key = text(&world.contoso.key(None).await);
    for path in ["/api/v1/api-keys", "/api/v1/trail", "/api/v1/me"] {
        let body = String::from_utf8(owner.get(path).await.bytes).unwrap();
        assert!(!body.contains(&key), "{path}");
    }
    let hash: Vec<Vec<u8>> = sqlx::query_scalar("SELECT sha256 FROM bailiwick.api_keys WHERE tenant_id = $1")
        .bind(world.contoso.id.0)
        .fetch_all(&mut world.look().await)
        .await
        .unwrap();
    assert_eq!(hash.into_iter().map(hex::encode).collect::<Vec<_>>(), [bailiwick_testkit::actor::sha256(key.as_bytes())]);
}

/// Not the key, nor any part of its random bytes, in whatever spelling, is anywhere in the database.
#[tokio::test]
async fn i24_the_whole_store_holds_no_key_and_no_token() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let stage = Stage::new().await;
    let dump = dump(&stage.world).await;
    assert!(dump.contains("Contoso payments") && dump.len() > 50_000, "the dump is not one: {} bytes", dump.len());
    let secret = text(&stage.project_key);
    let random = &BASE64_URL_SAFE_NO_PAD.decode(&secret[4..]).unwrap()[32..];
    let Credential::Bearer(token) = stage.contoso().owner().credential else { unreachable!() };
    let signature = token.rsplit('.').next().unwrap().to_owned();
    for secret in [secret.clone(), secret[50..80].to_owned(), hex::encode(&random[..12]), hex::encode(random), token, signature] {
        assert!(!dump.contains(&secret), "the database holds {secret}");
    }
    assert!(!dump.contains("bwk_"), "the database holds something like a key");
    assert!(!dump.contains("eyJ"), "the database holds something like a token");
}

#[tokio::test]
async fn i13_a_project_key_acts_on_its_own_project_only() {
    let stage = Stage::new().await;
    let other = stage.contoso().key(Some(&stage.other_project)).await;
    assert_eq!(other.get(&format!("/api/v1/runs/{}", stage.runs[0])).await.refused(404), "not_found");
    for project in [stage.project.as_str(), "Contoso payments"] {
        assert_eq!(other.post("/api/v1/runs", json!({"source": "x", "project": project})).await.refused(404), "not_found");
    }
    // Without a word it acts on its own, and lists its own.
    let run = other.post("/api/v1/runs", json!({"source": "x"})).await.ok();
    assert_eq!(run["project"]["id"], json!(stage.other_project));
    let [runs, projects] = [other.get("/api/v1/runs").await.ok(), other.get("/api/v1/projects").await.ok()];
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    assert_eq!(projects["items"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect::<Vec<_>>(), [&stage.other_project]);
    for path in ["/api/v1/findings", "/api/v1/controls", "/api/v1/series", "/api/v1/reports"] {
        assert_eq!(other.get(path).await.ok()["items"], json!([]), "{path}");
    }
}

/// A key that names a project nobody has, or another tenant's, is not made.
#[tokio::test]
async fn i13_a_key_cannot_be_made_for_a_project_of_another_tenant() {
    let stage = Stage::new().await;
    let answer = stage.world.fabrikam.owner().post("/api/v1/api-keys", json!({"name": "sly", "project": stage.project})).await;
    assert_eq!(answer.refused(404), "not_found");
}

#[tokio::test]
async fn i14_being_in_the_directory_does_not_let_anybody_in() {
    let world = World::new().await;
    assert_eq!(world.contoso.outsider().get("/api/v1/me").await.refused(403), "not_a_member");
    let object = world.contoso.org.unassigned;
    let added =
        world.contoso.owner().post("/api/v1/members", json!({"object_id": object, "name": "Newcomer", "role": "auditor"})).await.ok();
    world.contoso.outsider().get("/api/v1/me").await.ok();
    world.contoso.owner().delete(&format!("/api/v1/members/{}", added["id"].as_str().unwrap())).await.ok();
    assert_eq!(world.contoso.outsider().get("/api/v1/me").await.refused(403), "not_a_member", "removed, and still let in");
}

#[tokio::test]
async fn i20_a_role_that_is_taken_away_is_gone_on_the_next_request() {
    let world = World::new().await;
    let (owner, admin) = (world.contoso.owner(), world.contoso.admin());
    let members = owner.get("/api/v1/members").await.ok();
    let id = members["items"].as_array().unwrap().iter().find(|m| m["role"] == "admin").unwrap()["id"].as_str().unwrap().to_owned();
    admin.post("/api/v1/projects", json!({"name": "before"})).await.ok();
    owner.patch(&format!("/api/v1/members/{id}"), json!({"role": "auditor"})).await.ok();
    assert_eq!(admin.post("/api/v1/projects", json!({"name": "after"})).await.refused(403), "not_allowed");
}
