//! What a pack says becomes results, beside the catalogue's and after them.

use crate::cloud::{Contoso, Heard, MANIFEST, guests, job, named, of, pack, run};
use bailiwick_base::Severity;
use bailiwick_checks::{Job, PackSource, ReasonCode, SourceState, Verdict, scan};
use serde_json::json;

const INVITES: &str = r#"package own
policy := input.answers["/v1.0/policies/authorizationPolicy"]
results contains {
    "id": "guest-invites",
    "title": "Few may invite guests",
    "severity": "high",
    "pass": policy.allowInvitesFrom in {"none", "adminsAndGuestInviters"},
    "actual": policy.allowInvitesFrom,
    "expected": ["none", "adminsAndGuestInviters"],
    "message": sprintf("Invitations come from %v.", [policy.allowInvitesFrom]),
}
"#;

#[test]
fn a_pack_passes_and_fails_as_it_says() {
    let report = run(vec![named("own", INVITES)], guests("everyone"));
    let result = of(&report, "pack:own:guest-invites");
    assert_eq!((result.verdict, result.severity, result.pack.as_deref()), (Verdict::Failed, Severity::High, Some("own")));
    assert_eq!((result.title.as_str(), &result.actual), ("Few may invite guests", &json!("everyone")));
    assert_eq!(result.reason.as_ref().unwrap().text, "Invitations come from everyone.");
    assert_eq!((report.packs[0].checks, &report.packs[0].error), (1, &None));
    let report = run(vec![named("own", INVITES)], guests("none"));
    assert_eq!(of(&report, "pack:own:guest-invites").verdict, Verdict::Passed);
    assert_eq!(report.scores.by_framework["pack own 1.0.0"].percent, Some(100.0));
    assert_eq!(report.scores.overall.percent, None, "a pack does not move the catalogue's score");
}

/// The catalogue is judged, told and scored first, as if there were no packs.
#[test]
fn the_catalogue_is_judged_before_any_pack() {
    let whole = Job { only: Some(vec!["entra.authorization-policy.guest-invite".to_owned()]), ..job(vec![named("own", INVITES)]) };
    let mut heard = Heard::default();
    let report = scan(&whole, &mut Contoso::new(&whole, guests("everyone")), &mut heard);
    let order: Vec<&str> = heard.0.iter().map(|result| result.check.as_str()).collect();
    assert_eq!(order, ["entra.authorization-policy.guest-invite", "pack:own:guest-invites"]);
    assert_eq!((report.scores.overall.failed, report.scores.overall.passed), (1, 0));
}

#[test]
fn apart_a_pack_has_a_job_and_a_plan_of_its_own() {
    let whole = Job { only: None, ..job(vec![named("own", INVITES), named("second", "package own\nresults := []")]) };
    let (catalogue, packs) = whole.apart();
    assert!(catalogue.packs.is_empty());
    let requests = |job: &Job| bailiwick_checks::plan(job).packs.iter().map(bailiwick_checks::Planned::pattern).collect::<Vec<_>>();
    assert_eq!(requests(&packs[0]), ["/v1.0/policies/authorizationPolicy"]);
    assert!(bailiwick_checks::plan(&packs[0]).requests.is_empty());

    let mut report = scan(&Job { only: Some(Vec::new()), ..catalogue }, &mut Contoso::new(&packs[0], []), &mut Heard::default());
    let own = scan(&packs[0], &mut Contoso::new(&packs[0], guests("none")), &mut Heard::default());
    report.add_pack(&packs[0].packs[0], Ok(own));
    report.add_pack(&packs[1].packs[0], Err("The pack needed more than 256 MiB of memory and was ended.".to_owned()));
    assert_eq!(of(&report, "pack:own:guest-invites").verdict, Verdict::Passed);
    assert_eq!(report.packs[1].error.as_deref(), Some("The pack needed more than 256 MiB of memory and was ended."));
    assert!(!report.complete, "what a pack did not say mends nothing");
}

/// A process that was taken over by a pack says what it likes: only that pack's own results are believed.
#[test]
fn a_pack_cannot_speak_for_the_catalogue_or_another_pack() {
    let mut report = run(Vec::new(), []);
    let mut lie = run(vec![named("own", INVITES), named("other", INVITES)], guests("none"));
    lie.results[0].check = "entra.authorization-policy.guest-invite".to_owned();
    report.add_pack(&named("own", INVITES), Ok(lie));
    assert!(report.results.is_empty(), "{:#?}", report.results);
}

#[test]
fn an_answer_that_was_not_read_whole_makes_no_pass() {
    let optimist = "package own\nresults contains {\"id\": \"a\", \"pass\": true}\nresults contains {\"id\": \"b\", \"pass\": true, \"reads\": []}\nresults contains {\"id\": \"c\", \"pass\": false}";
    let report = run(vec![named("own", optimist)], []);
    let unsure = of(&report, "pack:own:a");
    assert_eq!((unsure.verdict, unsure.reason.as_ref().unwrap().code), (Verdict::Unknown, ReasonCode::FeatureAbsent));
    assert_eq!(of(&report, "pack:own:b").verdict, Verdict::Passed, "it says that it looked at nothing");
    assert_eq!(of(&report, "pack:own:c").verdict, Verdict::Failed);
    assert_eq!(report.sources[0].state, SourceState::Absent);
}

#[test]
fn a_listing_comes_as_one_and_a_lost_page_makes_no_pass() {
    let manifest = MANIFEST.replace("/v1.0/policies/authorizationPolicy", "/v1.0/groups?$select=id");
    let count = "package own\nresults contains {\"id\": \"groups\", \"pass\": true, \"actual\": count(input.answers[\"/v1.0/groups?$select=id\"].value)}";
    let first = json!({"value": [{"id": "1"}, {"id": "2"}], "@odata.nextLink": "https://graph.microsoft.com/v1.0/groups?$skiptoken=x"});
    let pages = |second| [("/v1.0/groups?$select=id", first.clone()), ("https://graph.microsoft.com/v1.0/groups?$skiptoken=x", second)];
    let report = run(vec![pack(&manifest, count)], pages(json!({"value": [{"id": "3"}]})));
    assert_eq!((of(&report, "pack:own:groups").verdict, &of(&report, "pack:own:groups").actual), (Verdict::Passed, &json!(3)));
    let report = run(vec![pack(&manifest, count)], pages(json!({"oops": 1})));
    assert!(report.results.is_empty() || report.results[0].verdict != Verdict::Passed, "{:#?}", report.results);
    assert_eq!(report.sources[0].state, SourceState::Failed);
}

#[test]
fn placeholders_take_their_values_from_their_listings() {
    let manifest = "name: own\nversion: 1.0.0\npackage: own\nreads:\n  - {service: arm, path: \"/subscriptions/{sub}/locks?api-version=2020-05-01\"}\n";
    let rego = "package own\nresults contains {\"id\": \"locks\", \"pass\": count(all) == 2, \"objects\": [{\"id\": s.value, \"name\": s.name} | some s in all; count(s.body.value) == 0]} if all := input.each[\"/subscriptions/{sub}/locks?api-version=2020-05-01\"]";
    let answers = [
        (
            "/subscriptions?api-version=2022-12-01",
            json!({"value": [{"subscriptionId": "s1", "displayName": "One", "state": "Enabled"}, {"subscriptionId": "s2", "displayName": "Two", "state": "Enabled"}]}),
        ),
        ("/subscriptions/s1/locks?api-version=2020-05-01", json!({"value": [{"id": "l"}]})),
        ("/subscriptions/s2/locks?api-version=2020-05-01", json!({"value": []})),
    ];
    let report = run(vec![pack(manifest, rego)], answers);
    let result = of(&report, "pack:own:locks");
    assert_eq!((result.verdict, result.objects[0].name.as_deref()), (Verdict::Passed, Some("Two")));
}

/// Left out in silence, an object would be one that is well.
#[test]
fn an_object_that_cannot_be_asked_for_makes_no_pass() {
    let manifest = "name: own\nversion: 1.0.0\npackage: own\nreads:\n  - {service: arm, path: \"/subscriptions/{sub}/locks?api-version=2020-05-01\"}\n";
    let rego = "package own\nresults contains {\"id\": \"locks\", \"pass\": true}";
    let answers = [
        (
            "/subscriptions?api-version=2022-12-01",
            json!({"value": [{"subscriptionId": "s1", "displayName": "One", "state": "Enabled"}, {"subscriptionId": "s2/../x", "displayName": "Two", "state": "Enabled"}]}),
        ),
        ("/subscriptions/s1/locks?api-version=2020-05-01", json!({"value": [{"id": "l"}]})),
    ];
    let report = run(vec![pack(manifest, rego)], answers);
    assert_ne!(of(&report, "pack:own:locks").verdict, Verdict::Passed);
    let source = report.sources.iter().find(|source| source.path.contains("/locks")).unwrap();
    assert!(source.message.as_ref().is_some_and(|text| text.contains("s2/../x")), "{source:?}");
    assert_eq!(source.requests, 1, "the other one is read");
}

#[test]
fn settings_and_time_are_told_to_a_pack() {
    let rego = "package own\nresults contains {\"id\": \"told\", \"pass\": true, \"reads\": [], \"actual\": [input.now, input.directory.name, input.settings.emergency_accounts]}";
    let mut with = job(vec![named("own", rego)]);
    with.settings.emergency_accounts.insert("e1".to_owned());
    let report = scan(&with, &mut Contoso::new(&with, []), &mut Heard::default());
    assert_eq!(of(&report, "pack:own:told").actual, json!(["2026-11-22T00:00:00Z", "Contoso", ["e1"]]));
}

#[test]
fn a_pack_kept_under_another_version_is_not_run() {
    let other = PackSource { version: "2.0.0".to_owned(), ..named("own", INVITES) };
    let report = run(vec![other], guests("none"));
    assert_eq!(report.packs[0].error.as_deref(), Some("pack.yaml: says own 1.0.0, but the pack is kept as own 2.0.0."));
}
