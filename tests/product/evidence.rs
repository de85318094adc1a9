//! Evidence: half uploads stay unprocessed, who may send may not take out, what comes out is what went in, and where it came from.

use crate::look::{artifacts, files};
use crate::stage::{REPORT, Stage};
use bailiwick_sim::scenario;
use bailiwick_testkit::actor::sha256;
use bailiwick_testkit::{Actor, World};
use serde_json::{Value, json};

async fn open(actor: &Actor) -> String {
    actor.post("/api/v1/runs", json!({"source": "GitHub Actions"})).await.ok()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn i34_without_its_manifest_a_run_is_never_processed() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = open(&pipeline).await;
    pipeline.put_bytes(&format!("/api/v1/runs/{run}/artifacts/{REPORT}"), &scenario::maester_report(&world.contoso.org, 1)).await.ok();
    assert_eq!(world.work().await, 0, "something was done about half an upload");
    assert_eq!(owner.get(&format!("/api/v1/runs/{run}")).await.ok()["state"], "receiving");
    assert_eq!(owner.get("/api/v1/findings").await.ok()["items"], json!([]));
}

/// A manifest that does not say exactly what arrived is refused, and the run goes on receiving.
#[tokio::test]
async fn i34_a_manifest_that_does_not_fit_is_refused() {
    let world = World::new().await;
    let (pipeline, report) = (world.contoso.pipeline(), scenario::maester_report(&world.contoso.org, 1));
    let run = open(&pipeline).await;
    pipeline.put_bytes(&format!("/api/v1/runs/{run}/artifacts/{REPORT}"), &report).await.ok();
    let complete = async |lines: Value| pipeline.post(&format!("/api/v1/runs/{run}/complete"), json!({"artifacts": lines})).await;
    let line = |name: &str, hash: String| json!({"name": name, "sha256": hash});
    assert_eq!(complete(json!([])).await.refused(400), "bad_request");
    assert_eq!(complete(json!([line(REPORT, sha256(b"other"))])).await.refused(422), "hash_mismatch");
    assert_eq!(complete(json!([line(REPORT, sha256(&report)), line("missing.json", sha256(b"x"))])).await.refused(409), "wrong_state");
    assert_eq!(world.work().await, 0);
    complete(json!([line(REPORT, sha256(&report))])).await.ok();
    assert_eq!(world.work().await, 1);
}

/// A file whose bytes are not those announced is refused and leaves nothing, neither a record nor bytes.
#[tokio::test]
async fn i37_bytes_that_differ_from_their_announced_hash_are_not_kept() {
    let world = World::new().await;
    let pipeline = world.contoso.pipeline();
    let run = open(&pipeline).await;
    let path = format!("/api/v1/runs/{run}/artifacts/a.json?sha256={}", sha256(b"what was meant"));
    assert_eq!(pipeline.put_bytes(&path, b"what came").await.refused(422), "hash_mismatch");
    assert_eq!(world.contoso.owner().get(&format!("/api/v1/runs/{run}")).await.ok()["artifacts"], json!([]));
    assert_eq!(files(&artifacts(&world)), Vec::<std::path::PathBuf>::new());
}

/// What a pipeline holds opens runs and sends files. It takes no report out, sees no people, keys, settings or trail.
#[tokio::test]
async fn i35_what_may_send_evidence_may_not_take_it_out() {
    let stage = Stage::new().await;
    let senders = [stage.contoso().pipeline(), stage.project_key.clone(), stage.contoso().key(None).await];
    for sender in senders {
        let artifact = format!("/api/v1/runs/{}/artifacts/{REPORT}", stage.runs[1]);
        for path in [artifact.as_str(), "/api/v1/members", "/api/v1/api-keys", "/api/v1/settings", "/api/v1/trail"] {
            assert_eq!(sender.get(path).await.refused(403), "not_allowed", "{} {path}", sender.name);
        }
    }
}

/// A run takes files until its manifest, once each; after it, none.
#[tokio::test]
async fn i35_a_completed_run_takes_nothing_more() {
    let stage = Stage::new().await;
    let path = |name: &str| format!("/api/v1/runs/{}/artifacts/{name}", stage.runs[1]);
    assert_eq!(stage.project_key.put_bytes(&path("late.json"), b"{}").await.refused(409), "wrong_state");
    assert_eq!(stage.project_key.put_bytes(&path(REPORT), b"{\"other\": 1}").await.refused(409), "conflict");
}

/// An address that shows a report shows it to those who present a credential each time: nothing that was handed out opens it.
#[tokio::test]
async fn i36_every_download_asks_for_a_credential() {
    let stage = Stage::new().await;
    let (owner, stranger) = (stage.contoso().owner(), stage.contoso().anonymous());
    let path = format!("/api/v1/runs/{}/artifacts/{REPORT}", stage.runs[1]);
    let answer = owner.get(&path).await;
    assert_eq!(answer.bytes, scenario::maester_report(&stage.contoso().org, 2));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-sha256"], sha256(&answer.bytes).as_str());
    assert!(answer.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert!(!answer.headers.contains_key("location") && !answer.headers.contains_key("link"));
    assert_eq!(stranger.get(&path).await.refused(401), "not_signed_in");
    let folder = artifacts(&stage.world);
    for shown in ["/api/v1/reports", &format!("/api/v1/runs/{}", stage.runs[1])] {
        let text = String::from_utf8(owner.get(shown).await.bytes).unwrap();
        assert!(
            !text.contains(folder.to_str().unwrap()) && !text.contains("sig=") && !text.contains("file://"),
            "{shown} tells where the bytes are"
        );
    }
}

/// Whichever byte of a stored file is turned: the download breaks off, and not one wrong byte was handed out before.
#[tokio::test]
async fn i37_a_turned_byte_is_found_and_never_handed_out() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let report: Vec<u8> = (0..200_000u32).flat_map(|n| n.to_le_bytes()).collect();
    let run = pipeline.submit(json!({"source": "x"}), &[("a.bin", &report)]).await;
    let path = format!("/api/v1/runs/{run}/artifacts/a.bin");
    assert!(owner.get(&path).await.bytes == report);
    let file = files(&artifacts(&world)).remove(0);
    let sealed = std::fs::read(&file).unwrap();
    let places = (0..40).map(|n| n * (sealed.len() - 1) / 39);
    for place in places {
        let mut turned = sealed.clone();
        turned[place] ^= 1;
        std::fs::write(&file, &turned).unwrap();
        breaks_off(&owner, &path, &report, &format!("byte {place}")).await;
    }
    for (what, bytes) in [("cut", &sealed[..sealed.len() - 1]), ("halved", &sealed[..sealed.len() / 2]), ("emptied", &[][..])] {
        std::fs::write(&file, bytes).unwrap();
        breaks_off(&owner, &path, &report, what).await;
    }
    std::fs::write(&file, [sealed.as_slice(), b"more"].concat()).unwrap();
    breaks_off(&owner, &path, &report, "lengthened").await;
    std::fs::write(&file, &sealed).unwrap();
    assert!(owner.get(&path).await.bytes == report);
}

async fn breaks_off(owner: &Actor, path: &str, right: &[u8], what: &str) {
    // A short answer may break before its head arrived.
    let Ok(mut response) = owner.request(reqwest::Method::GET, path).send().await else { return };
    if response.status() != 200 {
        assert!(response.status().is_server_error(), "{what}: {}", response.status());
        return;
    }
    let mut came = Vec::new();
    let whole = loop {
        match response.chunk().await {
            Ok(Some(piece)) => came.extend_from_slice(&piece),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert!(right.starts_with(&came), "{what}: wrong bytes came out");
    assert!(!whole, "{what}: the download ended as if all were well");
}

/// A file of one run in the place of another's does not open there, although both are the same tenant's.
#[tokio::test]
async fn i37_a_stored_file_does_not_open_in_the_place_of_another() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = pipeline.submit(json!({"source": "x"}), &[("a.bin", b"first first first"), ("b.bin", b"other other other")]).await;
    let stored = files(&artifacts(&world));
    let [one, two] = stored.as_slice() else { panic!("{stored:?}") };
    std::fs::copy(one, two).unwrap();
    let mut broken = 0;
    for (name, bytes) in [("a.bin", b"first first first"), ("b.bin", b"other other other")] {
        let request = owner.request(reqwest::Method::GET, &format!("/api/v1/runs/{run}/artifacts/{name}"));
        match owner.try_send(request).await {
            Ok(answer) => assert_eq!(answer.bytes, bytes),
            Err(_) => broken += 1,
        }
    }
    assert_eq!(broken, 1);
}

/// Fabrikam refuses reports about directories it does not list; Contoso takes them in and lists them.
#[tokio::test]
async fn i38_a_report_about_an_unknown_directory_is_refused_unless_the_tenant_says_otherwise() {
    let world = World::new().await;
    let (contoso, fabrikam) = (&world.contoso, &world.fabrikam);
    let foreign = scenario::maester_report(&contoso.org, 1);
    let refused = fabrikam.pipeline().submit(json!({"source": "x"}), &[(REPORT, &foreign)]).await;
    world.work().await;
    let run = fabrikam.owner().get(&format!("/api/v1/runs/{refused}")).await.ok();
    assert_eq!((&run["state"], &run["failure"]["code"]), (&json!("failed"), &json!("unknown_directory")), "{run:#}");
    assert_eq!(fabrikam.owner().get("/api/v1/findings").await.ok()["items"], json!([]));

    let added = contoso.pipeline().submit(json!({"source": "x"}), &[(REPORT, &scenario::maester_report(&fabrikam.org, 1))]).await;
    world.work().await;
    assert_eq!(contoso.owner().get(&format!("/api/v1/runs/{added}")).await.ok()["state"], "succeeded");
    let directories = contoso.owner().get("/api/v1/directories").await.ok();
    assert_eq!((&directories["items"][0]["id"], &directories["items"][0]["origin"]), (&json!(fabrikam.org.directory), &json!("reported")));

    contoso.owner().patch("/api/v1/settings", json!({"unknown_directory": "refuse"})).await.ok();
    let third = contoso
        .pipeline()
        .submit(json!({"source": "x", "pipeline_run_id": "3"}), &[(REPORT, &scenario::maester_report(&contoso.org, 1))])
        .await;
    world.work().await;
    assert_eq!(contoso.owner().get(&format!("/api/v1/runs/{third}")).await.ok()["failure"]["code"], "unknown_directory");
}

/// Each run tells who sent it, under which subject, from where, for which pipeline run, and what tool of what version made it.
#[tokio::test]
async fn i42_every_run_tells_where_it_came_from() {
    let world = World::new().await;
    let org = world.contoso.org;
    let report = scenario::maester_report(&org, 1);
    let new = |id: &str| json!({"source": "GitHub Actions", "pipeline_run_id": id});
    let workload = world.contoso.pipeline().submit(new("1"), &[(REPORT, &report)]).await;
    let key = world.contoso.key(None).await.submit(new("2"), &[(REPORT, &report)]).await;
    let person = world.contoso.member().submit(new("3"), &[(REPORT, &report)]).await;
    world.work().await;
    for (run, id, kind) in [(workload, "1", "workload"), (key, "2", "api_key"), (person, "3", "user")] {
        let run = world.contoso.owner().get(&format!("/api/v1/runs/{run}")).await.ok();
        assert_eq!((&run["source"], &run["pipeline_run_id"]), (&json!("GitHub Actions"), &json!(id)));
        assert_eq!((&run["submitted_by"]["kind"], &run["address"]), (&json!(kind), &json!("127.0.0.1")));
        assert_eq!(run["tool"], "Maester");
        assert!(run["tool_version"].as_str().is_some_and(|v| !v.is_empty()), "{run:#}");
        match kind {
            "workload" => assert_eq!(run["submitted_by"]["id"], json!(org.pipeline)),
            "user" => assert_eq!(run["submitted_by"]["token_subject"], json!(org.member)),
            _ => assert_eq!(run["submitted_by"]["name"], "test"),
        }
        if kind != "api_key" {
            assert!(run["submitted_by"]["token_subject"].is_string(), "{run:#}");
        }
    }
}

/// Turned around, a comparison says the opposite: added and removed change places, and nothing is lost.
#[tokio::test]
async fn i55_drift_turned_around_says_the_opposite() {
    let stage = Stage::new().await;
    let [from, to] = &stage.runs;
    let owner = stage.contoso().owner();
    let there = owner.get(&format!("/api/v1/drift?from={from}&to={to}")).await.ok();
    let back = owner.get(&format!("/api/v1/drift?from={to}&to={from}")).await.ok();
    let count = |drift: &Value, name: &str| drift["counts"][name].as_u64().unwrap();
    assert_eq!((count(&there, "added"), count(&there, "removed")), (count(&back, "removed"), count(&back, "added")));
    let sum = |drift: &Value| ["regression", "fixed", "added", "removed", "other"].map(|name| count(drift, name)).iter().sum::<u64>();
    assert_eq!((sum(&there), count(&there, "unchanged")), (sum(&back), count(&back, "unchanged")));
    assert!(count(&there, "regression") > 0 && count(&there, "fixed") > 0);
    for item in there["items"].as_array().unwrap() {
        let other = back["items"].as_array().unwrap().iter().find(|o| o["check_key"] == item["check_key"]).unwrap();
        assert_eq!((&item["from"], &item["to"]), (&other["to"], &other["from"]), "{}", item["check_key"]);
    }
    assert_eq!(owner.get(&format!("/api/v1/drift?from={from}&to={from}")).await.ok()["items"], json!([]), "a run against itself");
}

/// Posture is passed over passed, failed, error and investigate, as the results themselves count.
#[tokio::test]
async fn i55_posture_is_counted_from_the_results() {
    let stage = Stage::new().await;
    for run in &stage.runs {
        let run = stage.contoso().owner().get(&format!("/api/v1/runs/{run}")).await.ok();
        let count = |name: &str| run["counts"][name].as_f64().unwrap();
        let judged = count("passed") + count("failed") + count("error") + count("investigate");
        assert!((run["posture"].as_f64().unwrap() - count("passed") / judged).abs() < 1e-9, "{run:#}");
    }
}
