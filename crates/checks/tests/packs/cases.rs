//! A pack's own cases.

use crate::cloud::{MANIFEST, named};
use bailiwick_checks::{PackSource, Verdict, run_pack_cases};

const REGO: &str = r#"package own
policy := input.answers["/v1.0/policies/authorizationPolicy"]
results contains {"id": "invites", "pass": policy.allowInvitesFrom == "none", "actual": policy.allowInvitesFrom, "message": "Who invites."} if policy
results contains {"id": "invites", "verdict": "unknown"} if not policy
"#;

fn with(cases: &[(&str, &str)]) -> PackSource {
    let mut source = named("own", REGO);
    source.files.extend(cases.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    source
}

#[test]
fn cases_hold_or_say_why_not() {
    let source = with(&[
        ("cases/pass.yaml", "answers:\n  /v1.0/policies/authorizationPolicy: {allowInvitesFrom: none}\nexpect: {invites: passed}\n"),
        (
            "cases/fail.yaml",
            "answers:\n  /v1.0/policies/authorizationPolicy: {allowInvitesFrom: everyone}\nexpect:\n  invites: {verdict: failed, message: Who, actual: everyone}\n",
        ),
        ("cases/refused.yaml", "statuses:\n  /v1.0/policies/authorizationPolicy: 403\nexpect: {invites: unknown}\n"),
        (
            "cases/wrong.yaml",
            "answers:\n  /v1.0/policies/authorizationPolicy: {allowInvitesFrom: everyone}\nexpect: {invites: passed, another: failed}\n",
        ),
    ]);
    let outcomes = run_pack_cases(&source).unwrap();
    let told: Vec<(&str, &str, Option<&str>)> =
        outcomes.iter().map(|o| (o.file.as_str(), o.result.as_str(), o.problem.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("cases/fail.yaml", "invites", None),
            ("cases/pass.yaml", "invites", None),
            ("cases/refused.yaml", "invites", None),
            ("cases/wrong.yaml", "another", Some("the pack says nothing of another")),
            ("cases/wrong.yaml", "invites", Some("came out failed (Who invites.), not passed")),
        ]
    );
    assert_eq!(outcomes[0].actual, Some(Verdict::Failed));
}

#[test]
fn a_broken_case_file_or_pack_is_an_error_and_no_failing_case() {
    assert!(run_pack_cases(&with(&[("cases/x.yaml", "answers: 7\n")])).unwrap_err().starts_with("cases/x.yaml: "));
    let none = PackSource { files: vec![("pack.yaml".to_owned(), MANIFEST.to_owned())], ..named("own", REGO) };
    assert!(run_pack_cases(&none).unwrap_err().contains("no .rego file"));
}
