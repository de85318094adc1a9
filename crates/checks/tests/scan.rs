//! Scans of small clouds: what is asked, how often, and what every kind of answer leads to.

mod common;

use bailiwick_checks::{
    Answer, FaultKind, Fetch, Job, ReasonCode, Request, Resumed, ScanReport, Service, SourceState, Verdict, plan_by, scan_by,
};
use common::cloud::{Cloud, Heard, fault, fixtures, job, licences, ok, result, status};
use serde_json::{Value, json};
use std::collections::HashSet;

const REGISTERED: &str = "/v1.0/reports/authenticationMethods/userRegistrationDetails?$top=999";
const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";
const AUTHORIZATION: &str = "/v1.0/policies/authorizationPolicy?$select=allowInvitesFrom,defaultUserRolePermissions";

fn scan(job: &Job, cloud: &mut Cloud) -> ScanReport {
    scan_by(&fixtures(), job, cloud, &mut Heard::default())
}

fn authorization() -> Value {
    json!({"id": "authorizationPolicy", "allowInvitesFrom": "none", "defaultUserRolePermissions": {"allowedToCreateTenants": false}})
}

fn user(n: usize, registered: bool) -> Value {
    let id = format!("00000000-0000-4000-8000-{n:012}");
    json!({"id": id, "userDisplayName": format!("User {n}"), "userPrincipalName": "u@contoso.com", "isMfaRegistered": registered})
}

fn policy(state: &str, excluded: &[&str]) -> Value {
    json!({"id": "p", "displayName": "MFA", "state": state, "grantControls": {"builtInControls": ["mfa"]},
        "conditions": {"users": {"includeUsers": ["All"], "excludeUsers": excluded, "excludeGroups": [], "excludeRoles": []},
            "applications": {"excludeApplications": []}}})
}

#[test]
fn one_read_serves_every_check_that_needs_it() {
    let mut cloud = Cloud::new(&[licences(&[]), (AUTHORIZATION, authorization())]);
    let report = scan(&job(&["entra.fixture.guest-invites", "entra.fixture.tenant-creation"]), &mut cloud);
    assert_eq!(cloud.asked, ["/v1.0/subscribedSkus", "/v1.0/organization", AUTHORIZATION]);
    assert_eq!(report.results.iter().map(|r| r.verdict).collect::<Vec<_>>(), [Verdict::Passed, Verdict::Passed]);
    assert_eq!(report.scores.overall.percent, Some(100.0));
}

#[test]
fn pages_are_followed_to_the_end_and_offenders_are_sampled_and_counted() {
    let page = |from: usize, next: Value| json!({"value": (from..from + 40).map(|n| user(n, n % 2 == 0)).collect::<Vec<_>>(), "@odata.nextLink": next});
    let mut cloud = Cloud::new(&[
        licences(&[]),
        (REGISTERED, page(0, json!("l2"))),
        ("l2", json!({"value": [], "@odata.nextLink": "l3"})),
        ("l3", page(40, Value::Null)),
    ]);
    let mut heard = Heard::default();
    let report = scan_by(&fixtures(), &job(&["entra.fixture.registered"]), &mut cloud, &mut heard);
    let result = result(&report, "entra.fixture.registered");
    assert_eq!((result.verdict, result.object_count, result.objects.len()), (Verdict::Failed, 40, 20));
    assert_eq!(result.objects[0].name.as_deref(), Some("User 1"));
    assert_eq!(result.actual, json!({"matching": 40, "not_matching": 40, "unknown": 0}));
    assert!(report.complete);
    let kept = serde_json::to_string(&heard.snapshot).unwrap();
    assert!(!kept.contains("contoso.com") && kept.contains("User 1"), "names are kept, addresses are not");
}

/// A listing whose every page names another one.
struct Endless {
    cloud: Cloud,
    pages: usize,
}

impl Fetch for Endless {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        let page = |n: usize| ok(&json!({"value": [user(n, true)], "@odata.nextLink": format!("l{n}")}));
        let mut answers = Vec::new();
        for request in requests {
            if request.path == REGISTERED || request.path.starts_with('l') {
                self.pages += 1;
                answers.push(page(self.pages));
            } else {
                answers.extend(self.cloud.fetch(std::slice::from_ref(request)));
            }
        }
        answers
    }
}

#[test]
fn a_listing_without_an_end_is_cut_off_and_is_no_pass() {
    let mut endless = Endless { cloud: Cloud::new(&[licences(&[])]), pages: 0 };
    let report = scan_by(&fixtures(), &job(&["entra.fixture.registered"]), &mut endless, &mut Heard::default());
    let result = result(&report, "entra.fixture.registered");
    assert_eq!((result.verdict, result.reason.as_ref().map(|r| r.code)), (Verdict::Error, Some(ReasonCode::Truncated)));
    // The page that is one too many shows it.
    assert_eq!(endless.pages, 10_001);
    assert!(!report.complete);
}

#[test]
fn a_listing_that_is_not_whole_is_an_error_and_never_a_pass() {
    let good = json!({"value": [user(1, true)], "@odata.nextLink": "l2"});
    let further: [(&str, Answer); 6] = [
        ("a circle", ok(&json!({"value": [], "@odata.nextLink": "l2"}))),
        ("no list", ok(&json!({}))),
        ("refused", status(400, &json!({"error": {"code": "Directory_ExpiredPageToken"}}))),
        ("gone", status(404, &json!({}))),
        ("half", Answer::Body { status: 200, headers: Default::default(), body: b"{\"value\":[".to_vec() }),
        ("silence", fault(FaultKind::Timeout)),
    ];
    for (what, answer) in further {
        let mut cloud = Cloud::new(&[licences(&[]), (REGISTERED, good.clone()), (AUTHORIZATION, authorization())]).with("l2", answer);
        let report = scan(&job(&["entra.fixture.registered", "entra.fixture.guest-invites", "entra.fixture.tenant-creation"]), &mut cloud);
        assert_eq!(result(&report, "entra.fixture.registered").verdict, Verdict::Error, "{what}");
        assert_eq!(result(&report, "entra.fixture.guest-invites").verdict, Verdict::Passed, "{what}: others are left alone");
        assert!(!report.complete, "{what}");
    }
    let lost = json!({"value": [user(1, true)], "@odata.count": 2});
    let report = scan(&job(&["entra.fixture.registered"]), &mut Cloud::new(&[licences(&[]), (REGISTERED, lost)]));
    assert_eq!(result(&report, "entra.fixture.registered").reason.as_ref().unwrap().code, ReasonCode::Truncated);
}

#[test]
fn each_refusal_says_what_it_means() {
    let cases = [
        (
            status(403, &json!({"error": {"code": "Authorization_RequestDenied"}})),
            Verdict::Skipped,
            ReasonCode::Permission,
            SourceState::Permission,
        ),
        (
            status(403, &json!({"error": {"code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant"}})),
            Verdict::Skipped,
            ReasonCode::Licence,
            SourceState::Licence,
        ),
        (status(404, &json!({})), Verdict::Skipped, ReasonCode::FeatureAbsent, SourceState::Absent),
        (status(429, &json!({})), Verdict::Error, ReasonCode::Throttled, SourceState::Failed),
        (status(503, &json!({})), Verdict::Error, ReasonCode::ServerError, SourceState::Failed),
        (status(400, &json!({})), Verdict::Error, ReasonCode::BadRequest, SourceState::Failed),
        (fault(FaultKind::TooLarge), Verdict::Error, ReasonCode::TooLarge, SourceState::Failed),
        (
            Answer::Body { status: 200, headers: Default::default(), body: b"<html>".to_vec() },
            Verdict::Error,
            ReasonCode::Malformed,
            SourceState::Failed,
        ),
    ];
    for (answer, verdict, code, state) in cases {
        let report = scan(&job(&["entra.fixture.registered"]), &mut Cloud::new(&[licences(&[])]).with(REGISTERED, answer));
        let result = result(&report, "entra.fixture.registered");
        let reason = result.reason.as_ref().unwrap();
        assert_eq!((result.verdict, reason.code), (verdict, code));
        assert_eq!(report.sources.iter().find(|s| s.path == REGISTERED).unwrap().state, state);
        assert!(code != ReasonCode::Permission || reason.text.contains("AuditLog.Read.All"), "{}", reason.text);
    }
}

#[test]
fn without_the_licence_nothing_is_asked() {
    let mut cloud = Cloud::new(&[licences(&["EXCHANGE_S_ENTERPRISE"])]);
    let report = scan(&job(&["entra.fixture.mfa"]), &mut cloud);
    assert_eq!(result(&report, "entra.fixture.mfa").reason.as_ref().unwrap().code, ReasonCode::Licence);
    assert_eq!(cloud.asked, ["/v1.0/subscribedSkus", "/v1.0/organization"]);
    assert_eq!(report.scores.overall.percent, None);
    let p2 = scan(
        &job(&["entra.fixture.mfa"]),
        &mut Cloud::new(&[licences(&["AAD_PREMIUM_P2"]), (POLICIES, json!({"value": [policy("enabled", &[])]}))]),
    );
    assert_eq!(result(&p2, "entra.fixture.mfa").verdict, Verdict::Passed);
}

#[test]
fn exclusions_are_named_unless_declared_and_report_only_is_no_pass() {
    let with = |policy: Value| Cloud::new(&[licences(&["AAD_PREMIUM"]), (POLICIES, json!({"value": [policy]}))]);
    let mut job = job(&["entra.fixture.mfa"]);
    let report = scan(&job, &mut with(policy("enabled", &["A1", "B2"])));
    let one = result(&report, "entra.fixture.mfa");
    assert_eq!((one.verdict, one.exclusions.clone()), (Verdict::PassedWithExclusions, vec!["user:A1".to_owned(), "user:B2".to_owned()]));
    let report = scan(&job, &mut with(policy("enabledForReportingButNotEnforced", &[])));
    let one = result(&report, "entra.fixture.mfa");
    assert_eq!((one.verdict, one.would_pass_if_enforced), (Verdict::Failed, true));
    let report = scan(&job, &mut with(policy("disabled", &[])));
    assert!(!result(&report, "entra.fixture.mfa").would_pass_if_enforced);
    job.settings.emergency_accounts = ["a1".to_owned()].into();
    job.settings.accepted_exclusions = [("entra.fixture.mfa".to_owned(), ["user:b2".to_owned()].into())].into();
    assert_eq!(result(&scan(&job, &mut with(policy("enabled", &["A1", "B2"]))), "entra.fixture.mfa").verdict, Verdict::Passed);
}

#[test]
fn references_are_looked_up_and_a_missing_one_stops_nothing() {
    let there = "aaaaaaaa-0000-4000-8000-000000000001";
    let gone = "bbbbbbbb-0000-4000-8000-000000000002";
    let mut policy = policy("enabled", &[]);
    policy["conditions"]["users"]["includeUsers"] = json!([there, gone, "All"]);
    let lookup = format!("/v1.0/directoryObjects/{there}?$select=id");
    let mut cloud = Cloud::new(&[
        licences(&["AAD_PREMIUM"]),
        (POLICIES, json!({"value": [policy]})),
        (&lookup, json!({"id": there})),
        ("/v1.0/roleManagement/directory/roleDefinitions?$select=id,templateId", json!({"value": []})),
    ]);
    let report = scan(&job(&["entra.fixture.references"]), &mut cloud);
    assert_eq!(result(&report, "entra.fixture.references").verdict, Verdict::Failed);
    assert!(report.complete, "an object that is gone is an answer: {:#?}", report.sources);
    cloud.answers.insert(format!("/v1.0/directoryObjects/{gone}?$select=id"), ok(&json!({"id": gone})));
    assert_eq!(result(&scan(&job(&["entra.fixture.references"]), &mut cloud), "entra.fixture.references").verdict, Verdict::Passed);
}

fn azure() -> Cloud {
    let vault =
        |name: &str| json!({"id": format!("/subscriptions/s1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/{name}"), "name": name});
    let locks = |name: &str| {
        format!(
            "/subscriptions/s1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/{name}/providers/Microsoft.Authorization/locks?api-version=2020-05-01"
        )
    };
    Cloud::new(&[
        licences(&[]),
        (
            "/subscriptions?api-version=2022-12-01",
            json!({"value": [{"subscriptionId": "s1", "state": "Enabled"}, {"subscriptionId": "s2", "state": "Disabled"}]}),
        ),
        ("/subscriptions/s1/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01", json!({"value": [vault("a"), vault("b")]})),
        (&locks("a"), json!({"value": [{"properties": {"level": "CanNotDelete"}}]})),
        (&locks("b"), json!({"value": []})),
    ])
}

#[test]
fn placeholders_stand_for_each_object_and_one_bad_object_fails_the_check() {
    let mut cloud = azure();
    let report = scan(&job(&["azure.fixture.vault-lock"]), &mut cloud);
    let result = result(&report, "azure.fixture.vault-lock");
    assert_eq!((result.verdict, result.object_count, result.objects[0].name.as_deref()), (Verdict::Failed, 1, Some("b")));
    assert!(result.objects[0].id.ends_with("/vaults/b"), "an object is told by its id: {}", result.objects[0].id);
    assert!(!cloud.asked.iter().any(|path| path.contains("/s2/")), "a disabled subscription is left alone");
    let none = scan(
        &job(&["azure.fixture.vault-lock"]),
        &mut Cloud::new(&[licences(&[]), ("/subscriptions?api-version=2022-12-01", json!({"value": []}))]),
    );
    assert_eq!(none.results[0].reason.as_ref().unwrap().code, ReasonCode::NothingToCheck);
    let mut odd = azure();
    let vaults = "/subscriptions/s1/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01";
    odd.answers.insert(vaults.to_owned(), ok(&json!({"value": [{"id": "/subscriptions/s1/../../tenants?x", "name": "odd"}]})));
    let odd = scan(&job(&["azure.fixture.vault-lock"]), &mut odd);
    assert_eq!(
        odd.results[0].reason.as_ref().unwrap().code,
        ReasonCode::Malformed,
        "an id that climbs is not asked for, and not passed over"
    );
    let refused = status(403, &json!({"error": {"code": "AuthorizationFailed"}}));
    let refused =
        scan(&job(&["azure.fixture.vault-lock"]), &mut Cloud::new(&[licences(&[])]).with("/subscriptions?api-version=2022-12-01", refused));
    assert_eq!(refused.results[0].reason.as_ref().unwrap().code, ReasonCode::Permission, "a listing that cannot be read is no empty one");
}

#[test]
fn a_domain_without_the_record_fails_beside_one_that_has_it() {
    let domains = json!({"value": [{"id": "a.com", "isVerified": true}, {"id": "b.com", "isVerified": true}, {"id": "c.com", "isVerified": false}, {"id": "x.onmicrosoft.com", "isVerified": true}]});
    let mut cloud = Cloud::new(&[
        licences(&[]),
        ("/v1.0/domains", domains),
        ("TXT a.com", json!({"records": ["v=spf1 mx -all"]})),
        ("TXT b.com", json!({"records": []})),
    ]);
    let report = scan(&job(&["m365.fixture.spf"]), &mut cloud);
    assert_eq!(result(&report, "m365.fixture.spf").objects.iter().map(|o| o.id.as_str()).collect::<Vec<_>>(), ["b.com"]);
    assert_eq!(cloud.asked.iter().filter(|path| path.starts_with("TXT")).count(), 2);
}

#[test]
fn an_earlier_attempt_is_taken_up_where_it_ended() {
    let all = ["azure.fixture.vault-lock", "entra.fixture.registered", "entra.fixture.guest-invites"];
    let cloud = || {
        azure()
            .with(REGISTERED, ok(&json!({"value": [user(1, false)], "@odata.nextLink": "l2"})))
            .with("l2", ok(&json!({"value": [user(2, true)]})))
    };
    let mut heard = Heard::default();
    let whole = scan_by(&fixtures(), &job(&all), &mut cloud(), &mut heard);
    let read: HashSet<&str> =
        heard.read.iter().filter(|source| source.state == SourceState::Read).map(|source| source.path.as_str()).collect();
    let mut again = job(&all);
    for (request, page) in heard.snapshot.iter().filter(|(request, _)| read.contains(request.path.as_str())) {
        match again.resume.iter_mut().find(|resumed| resumed.request == *request) {
            Some(resumed) => resumed.pages.push(page.clone()),
            None => again.resume.push(Resumed { request: request.clone(), pages: vec![page.clone()] }),
        }
    }
    let again: Job = serde_json::from_str(&serde_json::to_string(&again).unwrap()).unwrap();
    let mut empty = Cloud::new(&[]);
    let resumed = scan(&again, &mut empty);
    assert_eq!(resumed.results, whole.results);
    assert!(!empty.asked.iter().any(|path| path.contains("userRegistrationDetails") || path.contains("locks")), "{:?}", empty.asked);
}

#[test]
fn when_it_is_cancelled_nothing_more_is_asked() {
    let mut cloud = azure().with("/subscriptions?api-version=2022-12-01", fault(FaultKind::Cancelled));
    let report = scan(&job(&["azure.fixture.vault-lock", "m365.fixture.spf", "entra.fixture.references"]), &mut cloud);
    assert!(!report.complete);
    assert!(report.results.iter().any(|r| r.reason.as_ref().is_some_and(|r| r.code == ReasonCode::Cancelled)));
    assert!(!cloud.asked.iter().any(|path| path.contains("vaults")));
    let mut cloud = Cloud::new(&[]).with("/v1.0/subscribedSkus", fault(FaultKind::Unauthorized));
    scan(&job(&["entra.fixture.guest-invites", "azure.fixture.vault-lock"]), &mut cloud);
    assert_eq!(cloud.asked, ["/v1.0/subscribedSkus", "/subscriptions?api-version=2022-12-01"], "another service may still answer");
}

#[test]
fn a_loosened_threshold_fails_the_framework_that_asks_more() {
    let mut job = job(&["entra.fixture.quota"]);
    let mut cloud = Cloud::new(&[licences(&[]), ("/v1.0/policies/deviceRegistrationPolicy", json!({"userDeviceQuota": 40}))]);
    assert_eq!(result(&scan(&job, &mut cloud), "entra.fixture.quota").verdict, Verdict::Failed);
    job.settings.parameters = [("entra.fixture.quota".to_owned(), [("most".to_owned(), json!(50))].into())].into();
    let report = scan(&job, &mut cloud);
    let one = result(&report, "entra.fixture.quota");
    assert_eq!((one.verdict, &one.expected), (Verdict::Passed, &json!({"operator": "lte", "value": 50})));
    let controls: Vec<_> = one.frameworks.iter().map(|c| (c.framework.as_str(), c.verdict, c.loosened.is_some())).collect();
    assert_eq!(controls, [("cis_m365", Verdict::Failed, true), ("eidsca", Verdict::Passed, false)]);
    assert_eq!(report.scores.by_framework["cis_m365 7.0"].percent, Some(0.0));
    job.settings.parameters = [("entra.fixture.quota".to_owned(), [("most".to_owned(), json!("many"))].into())].into();
    assert_eq!(result(&scan(&job, &mut cloud), "entra.fixture.quota").reason.as_ref().unwrap().code, ReasonCode::BadSetting);
}

#[test]
fn an_accepted_object_is_left_alone() {
    let mut job = job(&["entra.fixture.registered"]);
    let users = json!({"value": [user(1, false), user(2, true)]});
    let accepted = user(1, false)["id"].as_str().unwrap().to_owned();
    job.settings.accepted_entities = [("entra.fixture.registered".to_owned(), [accepted].into())].into();
    assert_eq!(scan(&job, &mut Cloud::new(&[licences(&[]), (REGISTERED, users)])).results[0].verdict, Verdict::Passed);
}

#[test]
fn the_plan_allows_what_a_scan_asks_and_nothing_else() {
    let mut only = job(&[]);
    only.only = None;
    let plan = plan_by(&fixtures(), &only);
    let none = HashSet::new();
    let allows = |service, path: &str| plan.allows(&Request::new(service, path), &none);
    for path in [AUTHORIZATION, "/v1.0/policies/authorizationPolicy?$select=allowInvitesFrom", REGISTERED, "/v1.0/domains"] {
        assert!(allows(Service::Graph, path), "{path}");
    }
    assert!(allows(Service::Dns, "TXT contoso.com"));
    let vault = "/subscriptions/s1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/a";
    let locks = "/providers/Microsoft.Authorization/locks?api-version=2020-05-01";
    assert!(allows(Service::Arm, &format!("{vault}{locks}")));
    for (service, path) in [
        (Service::Graph, "/v1.0/policies/authorizationPolicy"),
        (Service::Graph, "/v1.0/policies/authorizationPolicy?$select=allowInvitesFrom,secret"),
        (Service::Graph, "/v1.0/users/me/messages"),
        (Service::Graph, "/v1.0/domains?$expand=x"),
        (Service::Graph, "/v1.0/directoryObjects/a/../../users?$select=id"),
        (Service::Arm, REGISTERED),
        (Service::Arm, "/subscriptions/s1/../x/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01"),
        (Service::Dns, "TXT contoso.com/x y"),
        (Service::Dns, "MX contoso.com"),
    ] {
        assert!(!allows(service, path), "{path}");
    }
    assert!(!allows(Service::Arm, &format!("{vault}/secrets?x={locks}")));
    let handed = HashSet::from(["https://graph.microsoft.com/v1.0/x?$skiptoken=1".to_owned()]);
    assert!(plan.allows(&Request::new(Service::Graph, "https://graph.microsoft.com/v1.0/x?$skiptoken=1"), &handed));
}

#[test]
fn the_first_item_is_not_sought_beyond_its_page() {
    let text = include_str!("fixtures/entra/entra.fixture.registered.yaml").replace("\"value[]\"", "\"value[0].isMfaRegistered\"");
    let text = text.replace("operator: all_match, expected: {path: isMfaRegistered, op: eq, value: true}", "operator: eq, expected: true");
    let catalogue = bailiwick_checks::Catalogue::read([("entra/entra.fixture.registered.yaml", text.as_str())]).unwrap();
    let mut cloud = Cloud::new(&[
        licences(&[]),
        (REGISTERED, json!({"value": [], "@odata.nextLink": "l2"})),
        ("l2", json!({"value": [user(1, true), user(2, false)], "@odata.nextLink": "l3"})),
    ]);
    let report = scan_by(&catalogue, &job(&["entra.fixture.registered"]), &mut cloud, &mut Heard::default());
    assert_eq!((report.results[0].verdict, &report.results[0].actual), (Verdict::Passed, &json!(true)));
    assert!(!cloud.asked.contains(&"l3".to_owned()) && cloud.asked.contains(&"l2".to_owned()));
}
