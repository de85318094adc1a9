//! Uploads: the order of the flow, what is repeated and what is not, what is said, and how it ends.

use crate::fake::{Fake, Fault, ORIGINAL, RUN, hasty, run_state};
use crate::{Bailiwick, Folder, KEY};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::Path;

fn upload(files: &[&Path]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["upload".into()];
    arguments.extend(files.iter().map(|f| f.into()));
    arguments.extend(["--source".into(), "GitHub Actions".into()]);
    arguments
}

fn json_upload(files: &[&Path]) -> Vec<OsString> {
    let mut arguments = upload(files);
    arguments.push("--json".into());
    arguments
}

const RESULT: &str = concat!(
    r#"{"run":"0192f0c1-2b3c-7d4e-8f50-61728394a5c0","family":"maester","state":"succeeded","#,
    r#""counts":{"passed":3,"failed":1,"error":0,"investigate":0,"skipped":0,"not_run":0,"total":4},"#,
    r#""findings":{"new":1,"existing":0,"fixed":0,"reopened":0},"deduplicated":false}"#,
    "\n"
);

#[tokio::test]
async fn files_of_one_run_are_opened_sent_completed_and_waited_for() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let (report, page) = (folder.file("TestResults.json", r#"{"a":1}"#), folder.file("TestResults.html", "<html>"));
    let mut arguments = json_upload(&[&report, &page]);
    arguments.extend(["--project", "payments-api", "--pipeline-run-id", "4711"].map(Into::into));
    let done = Bailiwick::at(&server.url).run(arguments).await;
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, RESULT, ""));
    let run = format!("/api/v1/runs/{RUN}");
    let expected = [
        "POST /api/v1/runs".to_owned(),
        format!("PUT {run}/artifacts/TestResults.json"),
        format!("PUT {run}/artifacts/TestResults.html"),
        format!("POST {run}/complete"),
        format!("GET {run}"),
        format!("GET {run}"),
    ];
    assert_eq!(server.lines(), expected);
    let seen = server.state().seen.clone();
    assert!(seen.iter().all(|s| s.headers["x-api-key"] == KEY && !s.headers.contains_key("authorization")));
    let opened: Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(
        (&opened["source"], &opened["project"], &opened["pipeline_run_id"]),
        (&json!("GitHub Actions"), &json!("payments-api"), &json!("4711"))
    );
    assert_eq!(seen[1].headers["content-length"], "7");
}

#[tokio::test]
async fn a_person_sees_a_short_summary_and_where_to_look() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let done = Bailiwick::at(&server.url).run(upload(&[&folder.file("r.json", "{}")])).await;
    let expected = format!(
        "Run       {RUN}\nState     succeeded\nFamily    maester\n\
         Results   3 passed, 1 failed, 0 error, 0 investigate, 0 skipped, 0 not run; 4 in total\n\
         Findings  1 new, 0 existing, 0 fixed, 0 reopened\nSee       {}/runs/{RUN}\n",
        server.url
    );
    assert_eq!((done.code, done.stdout, done.stderr.as_str()), (0, expected, ""));
}

#[tokio::test]
async fn no_wait_returns_when_the_files_have_arrived() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let mut arguments = json_upload(&[&folder.file("r.json", "{}")]);
    arguments.push("--no-wait".into());
    let done = Bailiwick::at(&server.url).run(arguments).await;
    assert_eq!((done.code, &done.json()["state"], &done.json()["family"]), (0, &json!("queued"), &Value::Null));
    assert!(!server.lines().iter().any(|line| line.starts_with("GET")));
}

#[tokio::test]
async fn a_passing_reason_is_waited_out_at_every_step() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    server.fail("POST /api/v1/runs", Fault::Status(429, Some("0")));
    server.fail("PUT ", Fault::Status(503, None));
    server.fail("PUT ", Fault::Status(507, None));
    server.fail("GET ", Fault::Status(502, None));
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("r.json", "{}")])).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, RESULT), "{}", done.stderr);
    let url = &server.url;
    let first =
        format!("warning: {url} answered 429: The database does not answer. (unavailable, request r-1) Trying again in 0.0 s (2 of 8).");
    assert_eq!(done.stderr.lines().next(), Some(first.as_str()));
    assert_eq!(done.stderr.lines().count(), 4);
}

#[tokio::test]
async fn a_reason_that_does_not_pass_ends_with_two() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    for _ in 0..8 {
        server.fail("POST /api/v1/runs", Fault::Status(503, None));
    }
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("r.json", "{}")])).await;
    assert_eq!((done.code, done.stdout.as_str(), server.lines().len()), (2, "", 8));
    let end = format!(
        "error: {} answered 503: The database does not answer. (unavailable, request r-1)\nhint: Gave up after 8 tries. Run the same command again later.\n",
        server.url
    );
    assert!(done.stderr.ends_with(&end), "{}", done.stderr);
}

#[tokio::test]
async fn a_server_that_asks_for_too_long_a_pause_is_given_up_on_at_once() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    server.fail("POST /api/v1/runs", Fault::Status(429, Some("3600")));
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("r.json", "{}")])).await;
    assert_eq!((done.code, server.lines().len()), (2, 1));
    assert!(done.stderr.contains("asks to wait 3600 s"), "{}", done.stderr);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_transient() {
    let folder = Folder::temporary();
    let done = Bailiwick::at("http://127.0.0.1:1").run(upload(&[&folder.file("r.json", "{}")])).await;
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("http://127.0.0.1:1 cannot be reached"), "{}", done.stderr);
}

#[tokio::test]
async fn a_connection_lost_half_way_sends_the_file_again_into_the_same_run() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let bytes: Vec<u8> = (0..8_000_000u32).map(|n| (n % 251) as u8).collect();
    let file = folder.file("large.json", &bytes);
    server.fail("PUT ", Fault::HalfTaken);
    let done = Bailiwick::at(&server.url).run(json_upload(&[&file])).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, RESULT), "{}", done.stderr);
    let state = server.state();
    assert_eq!((state.runs.len(), state.artifacts["large.json"].len()), (1, bytes.len()));
    assert_eq!(state.seen.iter().filter(|s| s.line.starts_with("PUT")).count(), 2);
    assert_eq!(state.artifacts["large.json"], bytes);
}

#[tokio::test]
async fn an_open_whose_answer_was_lost_opens_no_second_run() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    server.fail("POST /api/v1/runs", Fault::AnswerLost);
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("r.json", "{}")])).await;
    assert_eq!((done.code, server.state().runs.len()), (0, 1), "{}", done.stderr);
    assert_eq!(server.lines().iter().filter(|l| *l == "POST /api/v1/runs").count(), 2);
}

#[tokio::test]
async fn a_manifest_whose_answer_was_lost_counts_as_taken() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    server.fail("POST /api/v1/runs/", Fault::AnswerLost);
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("r.json", "{}")])).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, RESULT), "{}", done.stderr);
}

#[tokio::test]
async fn two_invocations_are_two_runs() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let file = folder.file("r.json", "{}");
    let mut arguments = json_upload(&[&file]);
    arguments.push("--no-wait".into());
    Bailiwick::at(&server.url).run(arguments.clone()).await;
    Bailiwick::at(&server.url).run(arguments).await;
    assert_eq!(server.state().runs.len(), 2);
}

#[tokio::test]
async fn a_duplicate_shows_the_original() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    server.state().script = [json!({"state": "duplicate", "duplicate_of": ORIGINAL}), json!({"id": ORIGINAL})].into();
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("r.json", "{}")])).await;
    let expected = RESULT.replace(RUN, ORIGINAL).replace("\"deduplicated\":false", "\"deduplicated\":true");
    assert_eq!((done.code, done.stdout), (0, expected));
    assert_eq!(server.lines().last().unwrap(), &format!("GET /api/v1/runs/{ORIGINAL}"));
}

#[tokio::test]
async fn a_refused_report_is_bad_input_with_its_place() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let failure = json!({"code": "bad_report", "detail": "The file ends inside a string.", "place": "line 7", "artifact": "r.json"});
    server.state().script = [json!({"state": "failed", "failure": failure})].into();
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("r.json", "{")])).await;
    assert_eq!((done.code, &done.json()["state"]), (1, &json!("failed")));
    assert_eq!(
        done.stderr,
        "error: The report was refused: r.json: The file ends inside a string. at line 7 (bad_report)\nhint: Correct the report and upload it again. Nothing of this run became a finding.\n"
    );
}

#[tokio::test]
async fn a_run_that_does_not_settle_in_time_is_transient() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    server.state().script = [run_state("processing")].into();
    let mut arguments = json_upload(&[&folder.file("r.json", "{}")]);
    arguments.extend(["--wait-timeout", "0"].map(Into::into));
    let done = Bailiwick::at(&server.url).run(arguments).await;
    assert_eq!((done.code, &done.json()["run"]), (2, &json!(RUN)));
    let expected =
        format!("error: Run {RUN} is still queued after 0 s.\nhint: All files have arrived. Look again: bailiwick runs show {RUN}\n");
    assert_eq!(done.stderr, expected);
}

#[tokio::test]
async fn a_result_that_cannot_be_asked_for_leaves_the_runs_id() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    for _ in 0..8 {
        server.fail("GET ", Fault::Status(503, None));
    }
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("r.json", "{}")])).await;
    assert_eq!((done.code, done.stdout.as_str()), (2, ""));
    assert!(done.stderr.ends_with(&format!("\nhint: All files have arrived. Look again: bailiwick runs show {RUN}\n")), "{}", done.stderr);
}

#[tokio::test]
async fn a_refusal_that_comes_before_the_file_is_sent_is_believed() {
    let folder = Folder::temporary();
    let url = hasty(json!({"code": "limit_exceeded", "detail": "An artifact may hold 1 byte."})).await;
    let done = Bailiwick::at(&url)
        .env("BAILIWICK_RETRY_BASE_MS", "300")
        .run(json_upload(&[&folder.file("large.json", vec![b' '; 1_000_000])]))
        .await;
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert_eq!(done.stderr.lines().last().unwrap(), format!("error: {url} answered 413: An artifact may hold 1 byte. (limit_exceeded)"));
}

#[tokio::test]
async fn files_arrive_byte_for_byte_whatever_their_encoding() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("{\"ä\":1}\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let contents: [(&str, &[u8]); 3] = [("bom.json", b"\xef\xbb\xbf{}\r\n"), ("utf16.json", &utf16), ("odd.bin", b"\x00\xff\xfe\n\r")];
    let paths: Vec<_> = contents.iter().map(|(name, bytes)| folder.file(name, bytes)).collect();
    let done = Bailiwick::at(&server.url).run(json_upload(&paths.iter().map(|p| p.as_path()).collect::<Vec<_>>())).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    for (name, bytes) in contents {
        assert_eq!(server.state().artifacts[name], bytes, "{name}");
    }
}

#[tokio::test]
async fn a_name_with_unusual_characters_arrives_as_it_is() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let done = Bailiwick::at(&server.url).run(json_upload(&[&folder.file("Bericht #1 ä?.json", "{}")])).await;
    assert!(server.lines()[1].ends_with("/artifacts/Bericht%20%231%20%C3%A4%3F.json"), "{:?} {}", server.lines(), done.stderr);
    assert_eq!((done.code, server.state().artifacts.contains_key("Bericht #1 ä?.json")), (0, true), "{}", done.stderr);
}

#[tokio::test]
async fn files_that_cannot_be_a_report_are_refused_before_anything_is_sent() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let (a, b, empty) = (folder.file("a/r.json", "{}"), folder.file("b/r.json", "{}"), folder.file("empty.json", ""));
    let absent = folder.path().join("absent.json");
    let cases = [
        (
            vec![&*absent],
            format!(
                "{} cannot be read: No such file or directory (os error 2).\nhint: Check the path and its permissions.",
                absent.display()
            ),
        ),
        (vec![&*empty], format!("{} is empty.\nhint: Check that the tool that writes it has finished without an error.", empty.display())),
        (vec![folder.path()], format!("{} is a folder.\nhint: Name the report files in it.", folder.path().display())),
        (
            vec![&*a, &*b],
            format!(
                "{} and {} have the same name, r.json.\nhint: The files of one run need different names. Rename one, or upload them as two runs.",
                a.display(),
                b.display()
            ),
        ),
    ];
    for (files, message) in cases {
        let done = Bailiwick::at(&server.url).run(upload(&files)).await;
        assert_eq!((done.code, done.stdout.as_str(), done.stderr), (1, "", format!("error: {message}\n")));
    }
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test]
async fn verbose_says_what_is_asked_and_never_with_what() {
    let (server, folder) = (Fake::start().await, Folder::temporary());
    let mut arguments = json_upload(&[&folder.file("r.json", "{}")]);
    arguments.push("-v".into());
    let done = Bailiwick::at(&server.url).run(arguments).await;
    assert!(done.stderr.starts_with("> POST /api/v1/runs\n< POST /api/v1/runs: 201 Created\n"), "{}", done.stderr);
    assert_eq!(done.stdout, RESULT);
}
