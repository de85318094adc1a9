//! Reading: runs, drift and findings, for people and for scripts.

use crate::fake::{Fake, Fault, RUN};
use crate::{Bailiwick, Folder};
use bailiwick_contract::Operation;
use bailiwick_contract::evidence::GetRun;
use bailiwick_contract::findings::{GetDrift, GetFinding};
use serde_json::{Value, json};

const FINDING: &str = "0192f0c1-2b3c-7d4e-8f50-61728394a5d0";

fn finding(over: Value) -> Value {
    let mut finding = (GetFinding::SPEC.example)();
    for (name, value) in over.as_object().unwrap() {
        finding[name] = value.clone();
    }
    finding
}

async fn answering(request: &'static str, value: Value) -> Fake {
    let server = Fake::start().await;
    server.answer(request, value);
    server
}

#[tokio::test]
async fn runs_are_listed_in_columns_with_the_way_on() {
    let run = (GetRun::SPEC.example)();
    let server = answering("GET /api/v1/runs", json!({"items": [run], "next": "abc"})).await;
    let done = Bailiwick::at(&server.url).run(["runs", "--family", "maester", "--limit", "1"]).await;
    let expected = format!(
        "RUN                                   OPENED             STATE      FAMILY   SOURCE          PASSED  FAILING  NEW\n\
         {RUN}  2026-11-22 08:00Z  succeeded  maester  GitHub Actions  3       1        1\n"
    );
    assert_eq!((done.code, done.stdout, done.stderr.as_str()), (0, expected, "There are more: bailiwick runs --cursor abc\n"));
    assert_eq!(server.state().seen[0].line, "GET /api/v1/runs?family=maester&limit=1");
}

#[tokio::test]
async fn a_run_is_shown_whole() {
    let server = Fake::start().await;
    server.state().script = [json!({"remarks": ["TotalCount says 5; 4 were counted."]})].into();
    let done = Bailiwick::at(&server.url).run(["runs", "show", RUN]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.ends_with("Source    GitHub Actions\nBy        nightly (c0ffee00-0000-4000-8000-000000000002)\nOpened    2026-11-22 08:00Z\nRemark    TotalCount says 5; 4 were counted.\n"), "{}", done.stdout);
}

#[tokio::test]
async fn a_run_that_is_not_there_is_bad_input() {
    let server = Fake::start().await;
    server.fail("GET ", Fault::Problem(404, json!({"code": "not_found", "detail": "There is nothing at this address that you may see."})));
    let done = Bailiwick::at(&server.url).run(["runs", "show", RUN]).await;
    assert_eq!(
        (done.code, done.stderr),
        (1, format!("error: {} answered 404: There is nothing at this address that you may see. (not_found)\n", server.url))
    );
}

#[tokio::test]
async fn an_address_that_is_not_bailiwicks_is_told_from_one_that_is() {
    let server = answering("GET ", json!("hello")).await;
    let done = Bailiwick::at(&server.url).run(["runs"]).await;
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("hint: Check that BAILIWICK_URL is Bailiwick's address"), "{}", done.stderr);
}

#[tokio::test]
async fn a_diff_names_what_moved() {
    let server = answering("GET /api/v1/drift", (GetDrift::SPEC.example)()).await;
    let done = Bailiwick::at(&server.url).run(["diff", "--from", RUN, "--to", FINDING, "--family", "zero_trust"]).await;
    let expected = "\
Maester, maester
From  0192f0c1-2b3c-7d4e-8f50-61728394a5c0 2026-11-21 08:00Z, GitHub Actions, 100.0 % passed
To    0192f0c1-2b3c-7d4e-8f50-61728394a5c2 2026-11-22 08:00Z, GitHub Actions, 0.0 % passed
1 regression, 0 fixed, 0 added, 0 removed, 0 other; 0 unchanged

MOVEMENT    SEVERITY  CHECK    FROM    TO      TITLE
regression  high      MT.1005  passed  failed  Break-glass accounts are excluded
";
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, expected, ""));
    assert_eq!(server.state().seen[0].line, format!("GET /api/v1/drift?from={RUN}&to={FINDING}&family=zero_trust"));
}

#[tokio::test]
async fn findings_are_listed_without_letting_a_title_drive_the_terminal() {
    let server = answering("GET /api/v1/findings", json!({"items": [finding(json!({"title": "red \u{1b}[31m"}))]})).await;
    let done = Bailiwick::at(&server.url).run(["findings", "list", "--severity", "high", "--search", "a b"]).await;
    let expected = format!(
        "FINDING                               SEVERITY  STATUS  LIFE  CHECK    FIRST SEEN         TITLE\n\
         {FINDING}  high      open    new   MT.1005  2026-11-22 08:00Z  red \u{fffd}[31m\n"
    );
    assert_eq!((done.code, done.stdout), (0, expected));
    assert_eq!(server.state().seen[0].line, "GET /api/v1/findings?severity=high&search=a+b");
}

#[tokio::test]
async fn one_finding_is_shown_with_its_history() {
    let event = json!({"kind": "opened", "at": "2026-11-22T08:00:00Z", "run": RUN, "source": "nightly"});
    let server = answering("GET /api/v1/findings/", finding(json!({"history": [event]}))).await;
    let done = Bailiwick::at(&server.url).run(["findings", "show", FINDING]).await;
    assert!(
        done.stdout.starts_with(
            "Break-glass accounts are excluded\n\nFinding    0192f0c1-2b3c-7d4e-8f50-61728394a5d0\nStatus     open, new\nSeverity   high\n"
        ),
        "{}",
        done.stdout
    );
    assert!(done.stdout.ends_with(&format!("2026-11-22 08:00Z  opened  {RUN}  nightly\n")), "{}", done.stdout);
}

async fn two_pages() -> Fake {
    let server = Fake::start().await;
    server.answer("GET /api/v1/findings", json!({"items": [finding(json!({"title": "=cmd|' /C calc'!A0"}))], "next": "n2"}));
    server.answer("GET /api/v1/findings", json!({"items": [finding(json!({"title": "a, \"b\"", "location": {"path": "src/a.rs", "start_line": 3, "end_line": 4, "more": 0}}))]}));
    server
}

#[tokio::test]
async fn an_export_follows_the_pages_and_writes_a_line_for_each() {
    let server = two_pages().await;
    let done = Bailiwick::at(&server.url).run(["findings", "export", "--status", "fixed"]).await;
    let titles: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["title"].clone()).collect();
    assert_eq!((done.code, titles), (0, vec![json!("=cmd|' /C calc'!A0"), json!("a, \"b\"")]));
    let lines: Vec<String> = server.state().seen.iter().map(|s| s.line.clone()).collect();
    assert_eq!(lines, ["GET /api/v1/findings?status=fixed&limit=200", "GET /api/v1/findings?status=fixed&cursor=n2&limit=200"]);
}

#[tokio::test]
async fn a_csv_export_holds_no_live_formula() {
    let done = Bailiwick::at(&two_pages().await.url).run(["findings", "export", "--format", "csv"]).await;
    let expected = format!(
        "id,status,life,severity,outcome,check,title,family,tool,product,directory,project,place,end_line,suppressed_in_source,severity_source,first_seen,last_seen,check_id\n\
         {FINDING},open,new,high,failed,MT.1005,'=cmd|' /C calc'!A0,maester,Maester,,,,,,false,result,2026-11-22T08:00:00Z,2026-11-22T08:00:00Z,0192f0c1-2b3c-7d4e-8f50-61728394a5d1\n\
         {FINDING},open,new,high,failed,MT.1005,\"a, \"\"b\"\"\",maester,Maester,,,,src/a.rs:3,4,false,result,2026-11-22T08:00:00Z,2026-11-22T08:00:00Z,0192f0c1-2b3c-7d4e-8f50-61728394a5d1\n"
    );
    assert_eq!((done.code, done.stdout), (0, expected));
}

#[tokio::test]
async fn with_json_an_export_is_one_document() {
    let done = Bailiwick::at(&two_pages().await.url).run(["--json", "findings", "export"]).await;
    assert_eq!(done.json().as_array().unwrap().len(), 2);
    let none = answering("GET /api/v1/findings", json!({"items": []})).await;
    assert_eq!(Bailiwick::at(&none.url).run(["--json", "findings", "export"]).await.stdout, "[]\n");
}

#[tokio::test]
async fn an_export_to_a_file_appears_when_it_is_whole() {
    let folder = Folder::temporary();
    let path = folder.path().join("findings.csv");
    let shown = path.display().to_string();
    let server = two_pages().await;
    server.fail("GET /api/v1/findings?cursor", Fault::Problem(403, json!({"code": "not_allowed", "detail": "No."})));
    let broken = Bailiwick::at(&server.url).run(["findings", "export", "--output", &shown]).await;
    assert_eq!((broken.code, std::fs::read_dir(folder.path()).unwrap().count()), (1, 0), "{}", broken.stderr);
    let done = Bailiwick::at(&two_pages().await.url).run(["findings", "export", "--output", &shown]).await;
    assert_eq!((done.code, done.stdout.as_str(), done.stderr), (0, "", format!("2 findings written to {shown}.\n")));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
}
