//! Answers that fail: each takes its own checks along, with a reason, and no other; what was not read whole is never a pass.

use super::stage::{Results, Stage, text};
use super::table::{Row, tell};
use bailiwick_cloud::{Dns, DnsConfig};
use bailiwick_domain::Scanning;
use bailiwick_sim::demo::NORTHWIND;
use serde_json::{Value, json};
use std::sync::Arc;

/// One way to fail, done to one source.
struct Harm {
    what: &'static str,
    /// Requests of checks, as the catalogue writes them, begin with one of these.
    requests: &'static [&'static str],
    /// The fault, for the simulated cloud.
    fault: Value,
    verdict: &'static str,
    code: &'static str,
}

fn harms() -> Vec<Harm> {
    let denied = r#"{"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."}}"#;
    let azure = r#"{"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization to perform the action."}}"#;
    let absent = r#"{"error": {"code": "ResourceNotFound", "message": "Resource not found for the segment."}}"#;
    let short = r#"{"@odata.count": 300, "value": [{"id": "a", "policy": {"id": "b", "rules": []}}]}"#;
    vec![
        Harm {
            what: "403 on one call",
            requests: &["/v1.0/policies/authorizationPolicy"],
            fault: json!({"match": {"path": "/v1.0/policies/authorizationPolicy"}, "action": {"status": 403, "body": denied}}),
            verdict: "skipped",
            code: "permission",
        },
        Harm {
            what: "403 on a listing of Azure, and on what hangs on it",
            requests: &["/subscriptions/{sub}/providers/Microsoft.KeyVault/vaults", "{vaultId}"],
            fault: json!({"match": {"path_contains": "Microsoft.KeyVault/vaults"}, "action": {"status": 403, "body": azure}}),
            verdict: "skipped",
            code: "permission",
        },
        Harm {
            what: "404 on one call",
            requests: &["/v1.0/policies/defaultAppManagementPolicy"],
            fault: json!({"match": {"path": "/v1.0/policies/defaultAppManagementPolicy"}, "action": {"status": 404, "body": absent}}),
            verdict: "skipped",
            code: "feature_absent",
        },
        Harm {
            what: "429 without end",
            requests: &["/v1.0/admin/sharepoint/settings"],
            fault: json!({"match": {"path": "/v1.0/admin/sharepoint/settings"}, "action": {"status": 429, "retry_after": 3}}),
            verdict: "error",
            code: "throttled",
        },
        Harm {
            what: "500 without end",
            requests: &["/v1.0/policies/deviceRegistrationPolicy"],
            fault: json!({"match": {"path": "/v1.0/policies/deviceRegistrationPolicy"}, "action": {"status": 500}}),
            verdict: "error",
            code: "server_error",
        },
        Harm {
            what: "503 without end",
            requests: &["/v1.0/policies/adminConsentRequestPolicy"],
            fault: json!({"match": {"path": "/v1.0/policies/adminConsentRequestPolicy"}, "action": {"status": 503, "retry_after": 20}}),
            verdict: "error",
            code: "server_error",
        },
        Harm {
            what: "malformed JSON in a batch",
            requests: &["/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fido2"],
            fault: json!({"match": {"path_contains": "authenticationMethodConfigurations/Fido2"}, "action": {"malformed": true}}),
            verdict: "error",
            code: "malformed",
        },
        Harm {
            what: "JSON that breaks off, alone",
            requests: &["/subscriptions/{sub}/providers/Microsoft.Network/networkSecurityGroups"],
            fault: json!({"match": {"path_contains": "networkSecurityGroups"}, "action": {"malformed": true}}),
            verdict: "error",
            code: "malformed",
        },
        Harm {
            what: "a 200 MB answer",
            requests: &["/v1.0/reports/authenticationMethods/userRegistrationDetails"],
            fault: json!({"match": {"path_contains": "userRegistrationDetails"}, "action": {"huge_mib": 200}}),
            verdict: "error",
            code: "too_large",
        },
        Harm {
            what: "a page lost in the middle (its request fails)",
            requests: &["/v1.0/identity/conditionalAccess/policies"],
            fault: json!({"match": {"path": "/v1.0/identity/conditionalAccess/policies", "query_contains": "$skiptoken", "after": 1},
                          "action": {"status": 500}}),
            verdict: "error",
            code: "server_error",
        },
        Harm {
            what: "a page lost in the middle (its link has expired)",
            requests: &["/v1.0/roleManagement/directory/roleAssignmentScheduleInstances"],
            fault: json!({"match": {"path": "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances", "query_contains": "$skiptoken"},
                          "action": {"status": 400, "body": "{\"error\": {\"code\": \"Directory_ExpiredPageToken\", \"message\": \"Expired.\"}}"}}),
            verdict: "error",
            code: "truncated",
        },
        Harm {
            what: "fewer items than the answer counts",
            requests: &["/v1.0/policies/roleManagementPolicyAssignments"],
            fault: json!({"match": {"path": "/v1.0/policies/roleManagementPolicyAssignments"}, "action": {"status": 200, "body": short}}),
            verdict: "error",
            code: "truncated",
        },
        Harm {
            what: "a next link that leads back to its own page",
            requests: &["/v1.0/groupSettings"],
            fault: json!({"match": {"path": "/v1.0/groupSettings"}, "action": {"repeat_link": true}}),
            verdict: "error",
            code: "truncated",
        },
    ]
}

fn is_pass(result: &Value) -> bool {
    ["passed", "passed_with_exclusions"].contains(&text(result, "/verdict"))
}

/// Asserts what one harm did, writes it down, and takes its checks out of both lists.
fn reached(place: u32, harm: &Harm, whole: &mut Results, hurt: &mut Results) {
    let mut passed_before = 0;
    let mut shown = None;
    let of_it: Vec<String> = whole
        .iter()
        .filter(|(_, r)| harm.requests.iter().any(|request| text(r, "/request").starts_with(request)))
        .map(|(c, _)| c.clone())
        .collect();
    for check in &of_it {
        let (before, now) = (whole.remove(check).unwrap(), hurt.remove(check).unwrap());
        assert!(!is_pass(&now), "{}: {check} passes: {now:#}", harm.what);
        // What was not judged for another reason (a licence, a condition) still is not.
        if before["verdict"] == "skipped" && now["verdict"] == "skipped" {
            continue;
        }
        assert_eq!((text(&now, "/verdict"), text(&now, "/reason/code")), (harm.verdict, harm.code), "{}: {now:#}", harm.what);
        passed_before += usize::from(is_pass(&before));
        shown.get_or_insert(now);
    }
    assert!(passed_before > 0, "{}: no check that passed before reads it", harm.what);
    let detail = text(shown.as_ref().unwrap(), "/reason/detail").to_owned();
    assert!(detail.len() > 15, "{}: {detail}", harm.what);
    let reached = format!("{} checks of its source; no other", of_it.len());
    tell(
        place,
        Row { fault: harm.what.into(), state: format!("scan completed, checks {}", harm.verdict), code: harm.code.into(), detail, reached },
    );
}

fn verdicts(results: &Results) -> Vec<(&String, &str)> {
    results.iter().map(|(check, result)| (check, text(result, "/verdict"))).collect()
}

/// I66: fourteen sources fail at once, each in its own way, and no check says anything for another's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i66_every_kind_of_broken_answer_takes_its_own_checks_along_and_is_never_a_pass() {
    let mut stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    stage.sim.set_page_size(Some(2));
    let mut whole = stage.results(&stage.scan(&connection, "compliance").await).await;
    let harms = harms();
    stage.break_with(harms.iter().map(|harm| harm.fault.clone()).collect());
    // A name server that nobody is.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dns = Dns::new(DnsConfig { servers: vec![nobody], ..DnsConfig::default() });
    stage.services.scanner = Arc::new(Scanning { scanner: stage.services.scanner.scanner.clone(), dns });
    let done = stage.scan(&connection, "compliance").await;
    assert_eq!(done["complete"], false, "{done:#}");
    let mut hurt = stage.results(&done).await;
    for (place, harm) in (10..).zip(&harms) {
        reached(place, harm, &mut whole, &mut hurt);
    }
    let no_names = Harm {
        what: "no name server (records of domains)",
        requests: &["TXT ", "CNAME "],
        fault: Value::Null,
        verdict: "error",
        code: text(hurt.values().find(|r| text(r, "/request").starts_with("TXT ")).unwrap(), "/reason/code").to_owned().leak(),
    };
    reached(30, &no_names, &mut whole, &mut hurt);
    assert!(["unreachable", "timeout"].contains(&no_names.code), "{}", no_names.code);
    assert!(whole.len() > 60, "only {} checks are left to compare", whole.len());
    // Whether it applies hangs on the policies of Conditional Access, of which a page was lost.
    let conditional = "entra.security-defaults.or-ca";
    let (before, now) = (whole.remove(conditional).unwrap(), hurt.remove(conditional).unwrap());
    assert_eq!((text(&before, "/verdict"), text(&now, "/verdict")), ("skipped", "unknown"), "{now:#}");
    assert_eq!(verdicts(&whole), verdicts(&hurt), "checks whose sources are well");
}

/// A token that one service refuses again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_401_on_one_call_renews_the_token_and_then_costs_that_source() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let mut whole = stage.results(&stage.scan(&connection, "compliance").await).await;
    let harm = Harm {
        what: "401 on one call, whatever the token",
        requests: &["/v1.0/policies/authorizationPolicy"],
        fault: json!({"match": {"path": "/v1.0/policies/authorizationPolicy"}, "action": {"status": 401}}),
        verdict: "error",
        code: "unauthorized",
    };
    stage.break_with(json!([harm.fault]));
    let mut hurt = stage.results(&stage.scan(&connection, "compliance").await).await;
    reached(9, &harm, &mut whole, &mut hurt);
    assert_eq!(verdicts(&whole), verdicts(&hurt), "checks whose sources are well");
}

/// What passes by itself is waited for, and nobody hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_pass_are_waited_for_and_change_nothing() {
    let stage = Stage::new().await;
    let connection = stage.connect(&NORTHWIND).await;
    let whole = stage.results(&stage.scan(&connection, "compliance").await).await;
    stage.sim.revoke_tokens(NORTHWIND.directory);
    stage.break_with(json!([
        {"match": {"path": "/v1.0/admin/sharepoint/settings"}, "times": 2, "action": {"status": 429, "retry_after": 30}},
        {"match": {"path": "/v1.0/policies/deviceRegistrationPolicy"}, "times": 3, "action": {"status": 503}},
        {"match": {"path_contains": "userRegistrationDetails"}, "times": 2, "action": {"drop": true}},
        {"match": {"path_contains": "Microsoft.KeyVault/vaults"}, "times": 2, "action": {"status": 500}},
        {"match": {"path": "/v1.0/$batch"}, "times": 1, "action": {"status": 502}},
        {"match": {"path": "/v1.0/identity/conditionalAccess"}, "times": 1, "action": {"status": 429}}
    ]));
    let done = stage.scan(&connection, "compliance").await;
    assert_eq!((&done["complete"], &done["attempts"]), (&json!(true), &json!(1)), "{done:#}");
    assert_eq!(verdicts(&whole), verdicts(&stage.results(&done).await));
    let (state, detail) = ("scan completed".into(), "nothing: it was tried again, after the time the service asked for".into());
    let fault = "401, 429, 5xx and broken connections that pass".into();
    tell(8, Row { fault, state, code: String::new(), detail, reached: "no check".into() });
}
