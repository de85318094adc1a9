//! Broken, hostile and foreign input: each is refused with its place and what to do, and the sink hears of nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod support;

use bailiwick_formats::{FormatError, FormatErrorKind, Limits, Sink, read, read_from};
use std::io::{self, Read};
use std::ops::ControlFlow;
use support::{Kept, composed, needed, parse, parse_within};

use FormatErrorKind::{Io, Limit, Malformed, Stopped, Unknown};

const RUN: &str = r#""tool":{"driver":{"name":"T"}}"#;

fn sarif(run: &str) -> String {
    format!(r#"{{"version":"2.1.0","runs":[{{{run}}}]}}"#)
}

fn maester(members: &str) -> String {
    format!(r#"{{"TenantId":"0817c655-a853-4d8f-9723-3a333b5b9235","ExecutedAt":"2026-01-02T03:04:05Z",{members}}}"#)
}

fn refused(bytes: &[u8]) -> FormatError {
    refused_within(bytes, &Limits::default())
}

fn refused_within(bytes: &[u8], limits: &Limits) -> FormatError {
    let mut kept = Kept::default();
    let error = read(bytes, limits, &mut kept).expect_err("the report must be refused");
    assert!(error.message.len() > 20 && error.message.len() < 1000, "{error}");
    error
}

#[track_caller]
fn expect(bytes: &[u8], kind: FormatErrorKind, says: &[&str]) {
    let error = refused(bytes);
    assert_eq!(error.kind, kind, "{error}");
    for words in says {
        assert!(error.message.contains(words), "{words:?} is not in: {error}");
    }
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    expect(b"", Malformed, &["empty"]);
    expect(b"\xef\xbb\xbf", Malformed, &["empty"]);
    expect(b"  \n ", Malformed, &["line 2", "cut short"]);
    expect(b"hello", Malformed, &["line 1, column 1", "'h'"]);
    expect(b"7", Unknown, &["neither an object nor a list"]);
    expect(b"\"Control ID\",\"Result\"\n", Unknown, &["CSV"]);
    expect(sarif(&format!("{RUN},\"results\":[{{}},]")).as_bytes(), Malformed, &["$.runs[0].results", "comma"]);
    expect(sarif(&format!("{RUN},\"results\":[{{\"a\":1,}}]")).as_bytes(), Malformed, &["$.runs[0].results[0]", "comma"]);
    expect((sarif(&format!("{RUN},\"results\":[]")) + "x").as_bytes(), Malformed, &["'x' follows"]);
    expect((sarif(&format!("{RUN},\"results\":[]")) + "{}").as_bytes(), Malformed, &["one file holds one report"]);
    expect(maester("\"Tests\":[{\"Name\" 1}]").as_bytes(), Malformed, &["$.Tests[0]", "expected :"]);
    for (text, says) in [
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "Infinity"),
        ("nan", "NaN"),
        ("01", "not a JSON number"),
        ("1.", "not a JSON number"),
        ("+1", "'+'"),
        ("True", "'T'"),
    ] {
        expect(maester(&format!("\"Other\":{text},\"Tests\":[]")).as_bytes(), Malformed, &["$.Other", says]);
    }
}

#[test]
fn a_report_cut_short_anywhere_is_refused_whole() {
    for (name, bytes) in composed() {
        assert!(parse(&bytes).is_ok(), "{name}");
        for at in 0..needed(name, &bytes) {
            let mut kept = Kept::default();
            let result = read(&bytes[..at], &Limits::default(), &mut kept);
            assert!(result.is_err(), "{name} cut at {at} was taken");
            assert!(kept.0.is_empty(), "{name} cut at {at}: the sink heard of it");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_and_never_replaced() {
    expect(b"{\"Tests\":[{\"Name\":\"caf\xe9\"}]}", Malformed, &["$.Tests[0].Name", "not valid UTF-8"]);
    expect(b"{\"Ignored\":{\"deep\":\"\xff\"},\"TenantId\":\"x\"}", Malformed, &["$.Ignored.deep", "not valid UTF-8"]);
    expect(b"{\"Tests\":[{\"Name\":\"a\x00b\"}]}", Malformed, &["NUL byte"]);
    expect(br#"{"Tests":[{"Name":"a\u0000b"}]}"#, Malformed, &["NUL character", "$.Tests[0].Name"]);
    expect(br#"{"Ignored":"\ud83d","Tests":[]}"#, Malformed, &["$.Ignored", "surrogate"]);
    expect(br#"{"Ignored":"\ude00","Tests":[]}"#, Malformed, &["surrogate"]);
    expect(br#"{"Ignored":"\ud83d\u0041","Tests":[]}"#, Malformed, &["surrogate"]);
    expect(b"{\"Ignored\":\"a\nb\"}", Malformed, &["control character"]);
    expect(br#"{"Ignored":"\x41"}"#, Malformed, &["no JSON escape"]);
    expect(b"\x1f\x8b\x08\x00rest", Malformed, &["gzip", "gunzip"]);
    expect(b"PK\x03\x04rest", Malformed, &["ZIP"]);
    expect(b"{\x00\"\x00", Malformed, &["UTF-16 without a byte order mark"]);
    expect(b"\x00{\x00\"", Malformed, &["UTF-16 without a byte order mark"]);
    expect(b"\xff\xfe\x00\x00", Malformed, &["UTF-32"]);
    let utf16 = |units: &[u16]| [0xff, 0xfe].into_iter().chain(units.iter().flat_map(|u| u.to_le_bytes())).collect::<Vec<u8>>();
    let text = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    expect(&utf16(&[text("{\"a\":\""), vec![0xd83d], text("\"}")].concat()), Malformed, &["UTF-16", "surrogate"]);
    expect(&utf16(&[text("{\"a\":\""), vec![0xde00]].concat()), Malformed, &["surrogate"]);
    let mut odd = utf16(&text("{\"a\":1"));
    odd.push(b'}');
    expect(&odd, Malformed, &["middle of a character"]);
}

#[test]
fn wrong_types_are_named_with_what_was_expected() {
    let run = |results: &str| sarif(&format!("{RUN},\"results\":{results}"));
    expect(run("{}").as_bytes(), Malformed, &["$.runs[0].results", "expected an array, found an object"]);
    expect(run("[{\"ruleId\":7}]").as_bytes(), Malformed, &["$.runs[0].results[0].ruleId", "expected a string, found a number"]);
    expect(run("[{},{},3]").as_bytes(), Malformed, &["$.runs[0].results[2]", "expected a result"]);
    expect(
        run("[{\"locations\":[{\"physicalLocation\":{\"region\":{\"startLine\":\"x\"}}}]}]").as_bytes(),
        Malformed,
        &["physicalLocation.region.startLine", "whole number"],
    );
    expect(sarif("\"results\":[]").as_bytes(), Malformed, &["$.runs[0]", "tool.driver.name"]);
    expect(sarif("\"tool\":{\"driver\":{}}").as_bytes(), Malformed, &["tool.driver.name"]);
    expect(br#"{"version":"2.1.0","runs":{}}"#, Malformed, &["$.runs", "list of runs"]);
    expect(br#"{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json"}"#, Malformed, &["no runs"]);
    expect(br#"{"version":"2.1.0","runs":[4]}"#, Malformed, &["$.runs[0]", "run as an object"]);
    expect(maester("\"Tests\":[{\"Name\":\"a\",\"Result\":{}}]").as_bytes(), Malformed, &["$.Tests[0].Result", "expected a string"]);
    expect(maester("\"Tests\":[{\"Name\":\"a\"}]").as_bytes(), Malformed, &["$.Tests[0]", "no Result"]);
    expect(maester("\"Tests\":[\"a\"]").as_bytes(), Malformed, &["$.Tests[0]", "test as an object"]);
    expect(maester("\"Tests\":\"a\"").as_bytes(), Malformed, &["$.Tests", "expected an array"]);
    expect(maester("\"Tests\":null").as_bytes(), Malformed, &["Tests is missing"]);
    expect(br#"{"TenantId":"x","Tests":[]}"#, Malformed, &["ExecutedAt is missing"]);
    expect(br#"{"ExecutedAt":"2026-01-02T03:04:05Z","Tests":[]}"#, Malformed, &["TenantId is missing"]);
    expect(br#"{"TenantId":"x","ExecutedAt":"yesterday","Tests":[]}"#, Malformed, &["yesterday"]);
    expect(
        br#"{"TestResultSummary":{},"TenantId":"x","ExecutedAt":"2026-01-02T03:04:05Z","Tests":[{"TestId":1}]}"#,
        Malformed,
        &["$.Tests[0]", "TestStatus"],
    );
    expect(br#"{"MetaData":{"Tool":"ScubaGear"},"Summary":{}}"#, Malformed, &["Results is missing"]);
    expect(
        br#"{"MetaData":{"Tool":"ScubaGear"},"Results":{"AAD":[{"Controls":[{"Control ID":"MS.AAD.1.1v1"}]}]}}"#,
        Malformed,
        &["$.Results.AAD[0].Controls[0]", "no Result"],
    );
    expect(br#"[{"PolicyId":"MS.AAD.1.1v1","Criticality":"Shall"}]"#, Malformed, &["$[0]", "RequirementMet"]);
}

#[test]
fn a_member_that_counts_results_must_stand_once() {
    expect(maester("\"Tests\":[],\"Tests\":[]").as_bytes(), Malformed, &["Tests stands here a second time"]);
    expect(sarif(&format!("{RUN},\"results\":[],\"results\":[]")).as_bytes(), Malformed, &["results stands here a second time"]);
    expect(br#"{"version":"2.1.0","runs":[],"runs":[]}"#, Malformed, &["runs stands here a second time"]);
    expect(br#"{"Tenants":[],"Tenants":[]}"#, Malformed, &["Tenants stands here a second time"]);
    let (_, kept) = parse(sarif(&format!("{RUN},\"results\":[{{\"level\":\"note\",\"level\":\"error\"}}]")).as_bytes()).unwrap();
    assert_eq!(kept.0[0].results[0].outcome_word.as_deref(), Some("error"), "of any other member the last counts");
}

#[test]
fn each_limit_names_itself() {
    let limits = Limits::default();
    let deep = |n: usize| sarif(&format!("{RUN},\"results\":[],\"properties\":{}{}", "[".repeat(n), "]".repeat(n)));
    assert!(parse(deep(61).as_bytes()).is_ok(), "64 levels are read");
    let error = refused(deep(62).as_bytes());
    assert!(error.kind == Limit && error.message.contains("limit of 64 levels"), "{error}");
    let error = refused("[".repeat(10_000_000).as_bytes());
    assert!(error.kind == Limit || error.kind == Unknown, "{error}");

    let long = maester(&format!("\"Other\":\"{}\",\"Tests\":[]", "x".repeat(2000)));
    let error = refused_within(long.as_bytes(), &Limits { string: 1000, ..limits });
    assert!(error.kind == Limit && error.message.contains("1000 bytes") && error.message.contains("$.Other"), "{error}");
    let error = refused_within(long.as_bytes(), &Limits { bytes: 1500, ..limits });
    assert!(error.kind == Limit && error.message.contains("1500 bytes"), "{error}");

    let three = sarif(&format!("{RUN},\"results\":[{{}},{{}},{{}}]"));
    assert_eq!(parse_within(three.as_bytes(), &Limits { results: 3, ..limits }).unwrap().1.results().count(), 3);
    let error = refused_within(three.as_bytes(), &Limits { results: 2, ..limits });
    assert!(error.kind == Limit && error.message.contains("limit of 2") && error.message.contains("$.runs[0].results[2]"), "{error}");

    let runs = format!(r#"{{"version":"2.1.0","runs":[{{{RUN}}},{{{RUN}}}]}}"#);
    let error = refused_within(runs.as_bytes(), &Limits { series: 1, ..limits });
    assert!(error.kind == Limit && error.message.contains("limit of 1"), "{error}");
    expect(maester(&format!("\"Other\":{},\"Tests\":[]", "1".repeat(600))).as_bytes(), Limit, &["512 characters"]);

    let text = sarif(&format!("{RUN},\"results\":[{{\"message\":{{\"text\":\"{}\"}}}}]", "é".repeat(5000)));
    let (_, kept) = parse(text.as_bytes()).unwrap();
    let message = &kept.0[0].results[0];
    assert!(message.truncated && message.message.len() == 8192 && message.message.chars().all(|c| c == 'é'));
}

/// Files of a few megabytes made to cost much more than their size: each is done with in the time its size takes.
#[test]
fn files_made_to_cost_time_or_memory_do_not() {
    let artifacts = sarif(&format!("{RUN},\"artifacts\":[{}]", vec!["{}"; 1_100_000].join(",")));
    expect(artifacts.as_bytes(), Limit, &["rules, artifacts", "bytes"]);

    let many = |text: &str, n: usize| vec![text; n].join(",");
    let run = format!(
        "{RUN},\"invocations\":[{}],\"results\":[{{\"ruleId\":\"{}\",\"suppressions\":[{}],\"message\":{{\"text\":\"{}\",\"arguments\":[\"{}\"]}}}}]",
        many("{}", 400_000),
        "a/".repeat(400_000),
        many("{}", 400_000),
        "{0}".repeat(2000),
        "x".repeat(400_000)
    );
    let (_, kept) = parse(sarif(&run).as_bytes()).unwrap();
    let told = &kept.0[0].results[0];
    assert!(told.check.len() <= 500 && told.message.len() <= 8192 && told.truncated);

    let tags = maester(&format!(
        "\"Tests\":[{{\"Name\":\"a\",\"Result\":\"Failed\",\"Tag\":[{}],\"ErrorRecord\":[{}]}}]",
        many("\"t\"", 400_000),
        many("\"e\"", 400_000)
    ));
    let (_, kept) = parse(tags.as_bytes()).unwrap();
    assert!(kept.0[0].checks[0].tags.len() <= 50 && kept.0[0].results[0].message.len() <= 8192);

    let html = format!(
        r#"{{"MetaData":{{"Tool":"ScubaGear"}},"Results":{{"AAD":[{{"Controls":[{{"Control ID":"MS.AAD.1.1v1","Result":"Fail","Details":"{}"}}]}}]}}}}"#,
        "<a ".repeat(400_000)
    );
    assert_eq!(parse(html.as_bytes()).unwrap().1.results().count(), 1);
}

#[test]
fn foreign_formats_and_versions_are_refused_by_name() {
    let cases: &[(&str, &str)] = &[
        (r#"{"version":"2.0.0","runs":[]}"#, "SARIF version 2.0.0"),
        (r#"{"runs":[{"results":{}}],"version":"1.0.0"}"#, "SARIF version 1.0.0"),
        (r#"{"SchemaVersion":2,"ArtifactName":"x"}"#, "Trivy"),
        (r#"[{"check_type":"terraform"}]"#, "Checkov"),
        (r#"[{"RuleID":"aws"}]"#, "Gitleaks"),
        (r#"{"bomFormat":"CycloneDX"}"#, "CycloneDX"),
        (r#"{"hello":"world"}"#, "no report that Bailiwick knows"),
        (r#"[]"#, "no report that Bailiwick knows"),
        ("<html><body>hello</body></html>", "web page"),
        ("<?xml version=\"1.0\"?><testsuites/>", "XML"),
        ("<html><script>var a={\"Result\":1};</script></html>", "web page"),
    ];
    for (text, name) in cases {
        expect(text.as_bytes(), Unknown, &[name, "SARIF 2.1.0"]);
    }
    expect(br#"{"runs":[]}"#, Malformed, &["no `version`"]);
}

#[test]
fn hostile_text_is_told_as_text_and_paths_stay_inside() {
    let result = r#"{"ruleId":"<img src=x onerror=alert(1)>","message":{"text":"<script>alert(1)</script>"},
        "locations":[{"physicalLocation":{"artifactLocation":{"uri":"file:///..%2f..%2f../etc/passwd"}}}]}"#;
    let run = format!(
        r#""tool":{{"driver":{{"name":"T","rules":[{{"id":"<img src=x onerror=alert(1)>","helpUri":"javascript:alert(1)"}}]}}}},"results":[{result}]"#
    );
    let (_, kept) = parse(sarif(&run).as_bytes()).unwrap();
    let told = &kept.0[0].results[0];
    assert_eq!(told.message, "<script>alert(1)</script>");
    assert_eq!(told.location.as_ref().unwrap().path, "(outside)/etc/passwd");
    assert_eq!(kept.0[0].checks[0].help_url, None);
}

struct Stops;
impl Sink for Stops {
    fn begin_series(&mut self, _: bailiwick_formats::SeriesInfo) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn check(&mut self, _: bailiwick_formats::CheckInfo) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
    fn observation(&mut self, _: bailiwick_formats::Observation) -> ControlFlow<()> {
        panic!("the sink had said stop")
    }
    fn end_series(&mut self, _: bailiwick_formats::SeriesEnd) -> ControlFlow<()> {
        panic!("the sink had said stop")
    }
}

#[test]
fn a_sink_that_stops_is_obeyed_and_a_source_that_fails_is_not_the_reports_fault() {
    let (_, bytes) = composed().into_iter().find(|(name, _)| *name == "sarif").unwrap();
    assert_eq!(read(bytes.as_slice(), &Limits::default(), &mut Stops).unwrap_err().kind, Stopped);

    struct Breaks;
    impl Read for Breaks {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk gone"))
        }
    }
    let error = read_from(&mut || Ok(Box::new(io::Cursor::new(b"{\"Tests\":[").chain(Breaks))), &Limits::default(), &mut Kept::default())
        .unwrap_err();
    assert!(error.kind == Io && error.message.contains("disk gone"), "{error}");
    let error = read_from(&mut || Err(io::Error::other("no such artifact")), &Limits::default(), &mut Kept::default()).unwrap_err();
    assert!(error.kind == Io && error.message.contains("no such artifact"), "{error}");
}
