//! Marked secrets through the whole journey, then a search of everything that was kept or said: database, artifacts, logs, answers.

use crate::logs;
use crate::look::{artifacts, dump, files, holds};
use crate::stage::{REPORT, Stage, audited};
use bailiwick_testkit::World;
use bailiwick_testkit::actor::Credential;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::json;

/// A text that nothing but the marked report holds.
const MARK: &str = "canary-7d1f6a-report-plaintext";

/// Every spelling of a secret that a careless line could leave behind.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut spelled = vec![
        secret.to_vec(),
        BASE64_STANDARD.encode(secret).into_bytes(),
        BASE64_URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        hex::encode(secret).into_bytes(),
    ];
    spelled.push(hex::encode(secret).to_uppercase().into_bytes());
    spelled
}

#[track_caller]
fn absent(place: &str, bytes: &[u8], name: &str, secret: &[u8]) {
    for spelled in spellings(secret) {
        assert!(!holds(bytes, &spelled), "{place} holds {name}");
    }
}

/// The key-encryption key, as the file has it.
fn kek(world: &World) -> Vec<u8> {
    let text = std::fs::read(world.config.data_folder.join("keys/kek")).unwrap();
    BASE64_STANDARD.decode(text.trim_ascii()).unwrap_or(text)
}

#[tokio::test]
async fn i25_no_secret_reaches_a_log_the_database_an_artifact_or_an_error() {
    let stage = Stage::new().await;
    let (owner, world) = (stage.contoso().owner(), &stage.world);
    let mut said = Vec::new();
    // Everything there is to do, as a good caller and as ones that are refused.
    for op in audited() {
        let prepared = stage.prepare(op).await;
        for actor in [&owner, &stage.contoso().outsider(), &stage.contoso().anonymous(), &world.fabrikam.owner(), &stage.project_key] {
            let answer = prepared.send(actor).await;
            if op.id != "create_api_key" {
                said.extend(answer.bytes);
            }
        }
    }
    let Credential::Key(key) = &stage.project_key.credential else { unreachable!() };
    let Credential::Bearer(token) = &owner.credential else { unreachable!() };
    // Wrong in one character, such a credential is still a secret.
    let (near_key, near_token) = (format!("{}A", &key[..key.len() - 1]), format!("{}AAAA", &token[..token.len() - 4]));
    for answer in
        [stage.contoso().with_key(&near_key).get("/api/v1/me").await, stage.contoso().with_token(&near_token).get("/api/v1/me").await]
    {
        assert_eq!(answer.status, 401);
        said.extend(answer.bytes);
    }
    world.work().await;
    let random = BASE64_URL_SAFE_NO_PAD.decode(&key[4..]).unwrap()[32..].to_vec();
    let signature = token.rsplit('.').next().unwrap();
    let secrets: [(&str, Vec<u8>); 5] = [
        ("the API key", key.clone().into_bytes()),
        ("the API key's random bytes", random),
        ("the token", token.clone().into_bytes()),
        ("the token's signature", signature.into()),
        ("the key-encryption key", kek(world)),
    ];
    let (database, logged) = (dump(world).await.into_bytes(), logs::kept());
    assert!(holds(&logged, b"bailiwick_server"), "no log was kept");
    for (name, secret) in &secrets {
        absent("the database", &database, name, secret);
        absent("the log", &logged, name, secret);
        absent("an answer", &said, name, secret);
        for file in files(&artifacts(world)) {
            absent("an artifact", &std::fs::read(file).unwrap(), name, secret);
        }
    }
    // The search can find: what is meant to be there, is.
    assert!(holds(&database, b"Contoso payments"));
}

/// A report's raw bytes are on no disk: neither in the folder of artifacts nor in any table, before and after processing.
#[tokio::test]
async fn i77_artifacts_are_sealed_where_they_lie() {
    let world = World::new().await;
    let report = format!("{{\"note\": \"{MARK}\", \"padding\": \"{}\"}}", "plain words ".repeat(20_000)).into_bytes();
    let run = world.contoso.pipeline().submit(json!({"source": "x"}), &[("marked.json", &report)]).await;
    world.work().await;
    let stored = files(&artifacts(&world));
    assert_eq!(stored.len(), 1);
    for file in &stored {
        let bytes = std::fs::read(file).unwrap();
        assert!(bytes.len() >= report.len());
        assert!(!holds(&bytes, MARK.as_bytes()) && !holds(&bytes, b"plain words"), "{} holds the report", file.display());
        assert!(!file.to_str().unwrap().contains("marked"), "the file's name tells what it is");
    }
    absent("the database", dump(&world).await.as_bytes(), "the report", MARK.as_bytes());
    assert!(world.contoso.owner().get(&format!("/api/v1/runs/{run}/artifacts/marked.json")).await.bytes == report);
}

/// The same file twice is sealed differently: equal bytes cannot be told from outside.
#[tokio::test]
async fn i77_equal_reports_do_not_look_equal() {
    let world = World::new().await;
    world
        .contoso
        .pipeline()
        .submit(json!({"source": "x"}), &[("a.json", b"the very same bytes"), ("b.json", b"the very same bytes")])
        .await;
    let stored: Vec<Vec<u8>> = files(&artifacts(&world)).iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert_eq!(stored.len(), 2);
    assert!(stored[0].windows(16).all(|window| !holds(&stored[1], window)), "sixteen bytes stand in both");
}

/// A tenant's key wrapped for it opens nothing under another tenant, although the same key-encryption key wraps both.
#[tokio::test]
async fn i28_a_tenants_key_does_not_open_for_another() {
    let stage = Stage::new().await;
    let (contoso, fabrikam) = (stage.contoso(), &stage.world.fabrikam);
    let run = fabrikam.owner().get("/api/v1/runs").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/runs/{run}/artifacts/{REPORT}");
    assert_eq!(fabrikam.owner().get(&path).await.status, 200);
    let copied = sqlx::query(
        "UPDATE bailiwick.tenant_keys SET wrapped = (SELECT wrapped FROM bailiwick.tenant_keys WHERE tenant_id = $1) WHERE tenant_id = $2",
    );
    copied.bind(contoso.id.0).bind(fabrikam.id.0).execute(&mut stage.world.look().await).await.unwrap();
    let answer = fabrikam.owner().get(&path).await;
    assert_eq!(answer.refused(500), "internal");
}

/// The wrapped keys in the database are not the keys: without the file, nothing sealed can be opened.
#[tokio::test]
async fn i28_the_database_alone_opens_nothing() {
    let stage = Stage::new().await;
    let wrapped: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT wrapped FROM bailiwick.tenant_keys").fetch_all(&mut stage.world.look().await).await.unwrap();
    assert_eq!(wrapped.len(), 2, "each tenant has a key of its own");
    assert_ne!(wrapped[0], wrapped[1]);
    let file = stage.world.config.data_folder.join("keys/kek");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    absent("the database", dump(&stage.world).await.as_bytes(), "the key-encryption key", &kek(&stage.world));
}
