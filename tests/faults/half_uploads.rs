//! Uploads that break off, are never completed, arrive twice, or say one thing and send another.

use crate::look;
use crate::reports::{hit, sarif};
use bailiwick_base::{ArtifactId, RunId};
use bailiwick_store::artifacts::ObjectKey;
use bailiwick_testkit::actor::{Credential, sha256};
use bailiwick_testkit::{Actor, World};
use futures::future::{join, join_all};
use futures::stream;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

fn scan(files: &[&str]) -> Vec<u8> {
    sarif("Scanner", true, &files.iter().map(|file| hit("R1", file, 3)).collect::<Vec<_>>())
}

/// Every stored file, finished or not.
fn stored(world: &World) -> Vec<PathBuf> {
    files_under(&world.config.data_folder.join("artifacts"))
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_under(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

async fn open(actor: &Actor, pipeline_run: &str) -> String {
    let new = json!({"source": "GitHub Actions", "pipeline_run_id": pipeline_run});
    actor.post("/api/v1/runs", new).await.ok()["id"].as_str().unwrap().to_owned()
}

fn place(run: &str, name: &str) -> String {
    format!("/api/v1/runs/{run}/artifacts/{name}")
}

/// Sends the head of a request and a part of its body, and hangs up.
async fn break_off(actor: &Actor, url: &str, path: &str, promised: usize, part: &[u8]) {
    let Credential::Bearer(token) = &actor.credential else { panic!("a token") };
    let mut connection = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: {promised}\r\n\r\n");
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(part).await.unwrap();
    connection.flush().await.unwrap();
    connection.shutdown().await.unwrap();
    // Wait until the server has hung up too: then it knows.
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut connection, &mut rest).await;
}

#[tokio::test]
async fn a_connection_cut_while_sending_leaves_nothing_and_the_file_can_be_sent_again() {
    let world = World::new().await;
    let pipeline = world.contoso.pipeline();
    let bytes = sarif("Scanner", true, &(0..20_000).map(|n| hit("R1", &format!("src/{n}.c"), 1)).collect::<Vec<_>>());
    let run = open(&pipeline, "1").await;
    for part in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        break_off(&pipeline, &world.contoso.url, &place(&run, "scan.sarif"), bytes.len(), &bytes[..part]).await;
    }
    let seen = world.contoso.owner().get(&format!("/api/v1/runs/{run}")).await.ok();
    assert_eq!((&seen["state"], &seen["artifacts"]), (&json!("receiving"), &json!([])));
    assert_eq!(pipeline.complete(&run, &[("scan.sarif", &bytes)]).await.refused(409), "wrong_state");
    // What was half written is removed behind the answer.
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while !stored(&world).is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("left behind: {:?}", stored(&world)));
    pipeline.put_bytes(&place(&run, "scan.sarif"), &bytes).await.ok();
    pipeline.complete(&run, &[("scan.sarif", &bytes)]).await.ok();
    world.work().await;
    let done = world.contoso.owner().get(&format!("/api/v1/runs/{run}")).await.ok();
    assert_eq!((&done["state"], &done["counts"]["total"]), (&json!("succeeded"), &json!(20_000)));
    assert_eq!(stored(&world).len(), 1);
}

#[tokio::test]
async fn bytes_that_are_not_those_promised_are_not_kept() {
    let world = World::new().await;
    let pipeline = world.contoso.pipeline();
    let (bytes, other) = (scan(&["a.c"]), scan(&["b.c"]));
    let run = open(&pipeline, "1").await;
    let wrong = pipeline.put_bytes(&format!("{}?sha256={}", place(&run, "scan.sarif"), sha256(&other)), &bytes).await;
    assert_eq!(wrong.refused(422), "hash_mismatch");
    for bad in ["abc", "zz", &"0".repeat(63)] {
        assert_eq!(pipeline.put_bytes(&format!("{}?sha256={bad}", place(&run, "scan.sarif")), &bytes).await.refused(400), "bad_request");
    }
    assert_eq!(pipeline.put_bytes(&place(&run, "scan.sarif"), b"").await.refused(422), "bad_report");
    assert!(stored(&world).is_empty(), "{:?}", stored(&world));
    pipeline.put_bytes(&format!("{}?sha256={}", place(&run, "scan.sarif"), sha256(&bytes)), &bytes).await.ok();
    assert_eq!(pipeline.put_bytes(&place(&run, "scan.sarif"), &other).await.refused(409), "conflict");
    assert_eq!(stored(&world).len(), 1);
}

#[tokio::test]
async fn nothing_is_processed_before_a_manifest_that_fits() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let (first, second) = (scan(&["a.c"]), scan(&["b.c"]));
    let run = open(&pipeline, "1").await;
    pipeline.put_bytes(&place(&run, "first.sarif"), &first).await.ok();
    assert_eq!(world.work().await, 0, "no job before the manifest");
    pipeline.put_bytes(&place(&run, "second.sarif"), &second).await.ok();
    let complete = async |files: &[(&str, &[u8])]| pipeline.complete(&run, files).await;
    assert_eq!(complete(&[]).await.refused(400), "bad_request");
    assert_eq!(complete(&[("first.sarif", &first)]).await.refused(400), "bad_request");
    assert_eq!(complete(&[("first.sarif", &first), ("second.sarif", &second), ("third.sarif", &first)]).await.refused(409), "wrong_state");
    assert_eq!(complete(&[("first.sarif", &first), ("second.sarif", &first)]).await.refused(422), "hash_mismatch");
    assert_eq!(complete(&[("first.sarif", &first), ("first.sarif", &first), ("second.sarif", &second)]).await.refused(400), "bad_request");
    assert_eq!(world.work().await, 0);
    assert_eq!(owner.get(&format!("/api/v1/runs/{run}")).await.ok()["state"], "receiving");
    complete(&[("first.sarif", &first), ("second.sarif", &second)]).await.ok();
    assert_eq!(pipeline.put_bytes(&place(&run, "late.sarif"), &first).await.refused(409), "wrong_state");
    assert_eq!(world.work().await, 1);
    let done = owner.get(&format!("/api/v1/runs/{run}")).await.ok();
    assert_eq!((&done["state"], &done["counts"]["failed"]), (&json!("succeeded"), &json!(2)), "{done:#}");
}

#[tokio::test]
async fn completing_twice_in_turn_and_at_once_is_completing_once() {
    let world = World::new().await;
    let pipeline = world.contoso.pipeline();
    let bytes = scan(&["a.c"]);
    let files: &[(&str, &[u8])] = &[("scan.sarif", &bytes)];
    let run = open(&pipeline, "1").await;
    pipeline.put_bytes(&place(&run, "scan.sarif"), &bytes).await.ok();
    for answer in join_all((0..6).map(|_| pipeline.complete(&run, files))).await {
        assert_eq!(answer.ok()["state"], "queued");
    }
    pipeline.complete(&run, files).await.ok();
    assert_eq!(world.work().await, 1);
    assert_eq!(pipeline.complete(&run, files).await.ok()["state"], "succeeded");
    assert_eq!(world.work().await, 0);
    let mut sql = world.look().await;
    for action in ["run.opened", "artifact.stored", "run.completed", "run.processed"] {
        assert_eq!(look::trail_of_runs(&mut sql).await.get(&(run.clone(), action.into())), Some(&1), "{action}");
    }
    look::series_are_whole(&mut sql).await;
    look::trails_verify(&mut sql).await;
}

#[tokio::test]
async fn one_file_sent_twice_at_once_is_kept_once() {
    let world = World::new().await;
    let pipeline = world.contoso.pipeline();
    let (bytes, other) = (scan(&["a.c"]), scan(&["b.c"]));
    let run = open(&pipeline, "1").await;
    let path = place(&run, "scan.sarif");
    let answers = join_all((0..6).map(|_| pipeline.put_bytes(&path, &bytes))).await;
    let ids: std::collections::BTreeSet<String> = answers.into_iter().map(|a| a.ok()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(stored(&world).len(), 1);
    let path = place(&run, "other.sarif");
    let (one, two) = join(pipeline.put_bytes(&path, &bytes), pipeline.put_bytes(&path, &other)).await;
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(stored(&world).len(), 2);
    let mut sql = world.look().await;
    assert_eq!(look::number(&mut sql, "SELECT count(*) FROM bailiwick.artifacts").await, 2);
    assert_eq!(look::trail_of_runs(&mut sql).await[&(run, "artifact.stored".into())], 2);
}

#[tokio::test]
async fn the_same_files_of_the_same_pipeline_run_are_one_run_and_of_another_are_another() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let bytes = scan(&["a.c"]);
    let files: &[(&str, &[u8])] = &[("scan.sarif", &bytes)];
    let new = |id: &str| json!({"source": "GitHub Actions", "pipeline_run_id": id});
    let first = pipeline.submit(new("7"), files).await;
    let again = pipeline.submit(new("7"), files).await;
    let seen = owner.get(&format!("/api/v1/runs/{again}")).await.ok();
    assert_eq!((&seen["state"], &seen["duplicate_of"]), (&json!("duplicate"), &json!(first)));
    let other = pipeline.submit(new("8"), files).await;
    assert_eq!(world.work().await, 2);
    assert_eq!(owner.get(&format!("/api/v1/runs/{other}")).await.ok()["state"], "succeeded");
    let listed = owner.get("/api/v1/runs").await.ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "a duplicate is no run of its own");
    // Known again after it was processed, too, and in another tenant never.
    let late = pipeline.submit(new("7"), files).await;
    assert_eq!(owner.get(&format!("/api/v1/runs/{late}")).await.ok()["duplicate_of"], json!(first));
    let theirs = world.fabrikam.pipeline().submit(new("7"), files).await;
    assert_eq!(world.fabrikam.owner().get(&format!("/api/v1/runs/{theirs}")).await.ok()["state"], "queued");
}

#[tokio::test]
async fn two_identical_uploads_completing_at_once_become_one_run_and_its_duplicates() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let bytes = scan(&["a.c"]);
    let files: &[(&str, &[u8])] = &[("scan.sarif", &bytes)];
    let mut runs = Vec::new();
    for _ in 0..4 {
        let run = open(&pipeline, "7").await;
        pipeline.put_bytes(&place(&run, "scan.sarif"), &bytes).await.ok();
        runs.push(run);
    }
    let answers: Vec<Value> = join_all(runs.iter().map(|run| pipeline.complete(run, files))).await.into_iter().map(|a| a.ok()).collect();
    let original = answers.iter().find(|a| a["state"] == "queued").unwrap()["id"].clone();
    let duplicates = answers.iter().filter(|a| a["state"] == "duplicate" && a["duplicate_of"] == original).count();
    assert_eq!(duplicates, 3, "{answers:#?}");
    assert_eq!(world.work().await, 1);
    assert_eq!(owner.get("/api/v1/findings").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn one_idempotency_key_opens_one_run_however_often_it_is_sent() {
    let world = World::new().await;
    let pipeline = world.contoso.pipeline();
    let new = json!({"source": "GitHub Actions", "idempotency_key": "abc"});
    let answers = join_all((0..6).map(|_| pipeline.post("/api/v1/runs", new.clone()))).await;
    let ids: std::collections::BTreeSet<String> = answers.into_iter().map(|a| a.ok()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    let theirs = world.contoso.key(None).await.post("/api/v1/runs", new).await.ok();
    assert!(!ids.contains(theirs["id"].as_str().unwrap()), "another caller's key is another key");
}

#[tokio::test]
async fn what_nobody_completes_is_swept_after_a_day_and_nothing_else_is() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let bytes = scan(&["a.c"]);
    let kept = pipeline.submit(json!({"source": "ci"}), &[("scan.sarif", &bytes)]).await;
    world.work().await;
    let abandoned = open(&pipeline, "1").await;
    pipeline.put_bytes(&place(&abandoned, "scan.sarif"), &bytes).await.ok();
    let services = &world.running.services;
    // Bytes whose record was never made, as after a kill between the two.
    let orphan = ObjectKey {
        tenant: world.contoso.id,
        run: RunId::new(services.store.clock(), services.store.rng()),
        artifact: ArtifactId::new(services.store.clock(), services.store.rng()),
    };
    let nobody = bailiwick_domain::worker::nobody();
    let mut scope = services.store.read(world.contoso.id, &bailiwick_domain::worker::system("worker", None), &nobody).await.unwrap();
    let key = scope.tenant_key(&services.keyring).await.unwrap();
    drop(scope);
    let body = stream::iter([Ok::<_, std::io::Error>(bytes.clone().into())]);
    services.artifacts.put(&orphan, &key, body, 1 << 20, None).await.unwrap();
    assert_eq!(stored(&world).len(), 3);

    world.clock.advance(SignedDuration::from_hours(12));
    world.work().await;
    assert_eq!(stored(&world).len(), 3, "half a day is not a day");
    world.clock.advance(SignedDuration::from_hours(36));
    assert!(world.work().await >= 2, "each tenant sweeps");
    assert_eq!(stored(&world).len(), 2, "what had no record goes first: {:?}", stored(&world));
    world.clock.advance(SignedDuration::from_hours(24));
    world.work().await;
    assert_eq!(stored(&world).len(), 1, "then what lost its record: {:?}", stored(&world));
    // Tokens are not as old as the moved clock says.
    world.clock.advance(SignedDuration::from_hours(-72));
    assert_eq!(owner.get(&format!("/api/v1/runs/{abandoned}")).await.refused(404), "not_found");
    assert_eq!(owner.get(&place(&kept, "scan.sarif")).await.bytes, bytes);
    let swept = owner.get("/api/v1/trail?action=evidence.swept").await.ok();
    let told = |member: &str| {
        swept["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["detail"][member] == json!(1) || e["detail"][member] == json!([abandoned]))
            .count()
    };
    assert_eq!((told("abandoned_runs"), told("unrecorded_files")), (1, 2), "{swept:#}");
}
