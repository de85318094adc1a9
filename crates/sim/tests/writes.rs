//! Graph for writing: who may, what is taken, what is kept, and where it shows.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    Fault, FaultAction, FaultMatch,
    demo::{LITWARE, NORTHWIND, READER_CLIENT_ID, TAILSPIN, WINGTIP, WRITER_CLIENT_ID},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use support::{World, writer_world};

const POLICY: &str = "/v1.0/policies/authorizationPolicy";
const ACCESS: &str = "/v1.0/identity/conditionalAccess/policies";
const FIDO2: &str = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fido2";
const TAILSPIN_ID: uuid::Uuid = TAILSPIN.directory;

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

async fn patch(world: &World, path: &str, body: Value) -> (u16, Value) {
    world.write(TAILSPIN_ID, "PATCH", path, body).await
}

async fn read(world: &World, path: &str) -> Value {
    world.graph(TAILSPIN_ID, path, &[]).await.1
}

fn fault(path: &str, action: FaultAction) -> Fault {
    let matches = FaultMatch { method: Some("PATCH".to_owned()), path: Some(path.to_owned()), ..FaultMatch::default() };
    Fault { matches, times: Some(1), action }
}

#[tokio::test]
async fn a_change_shows_at_each_address_of_the_object_and_in_no_other_directory() {
    let world = writer_world().await;
    let others = world.graph(NORTHWIND.directory, POLICY, &[]).await;
    assert_eq!(patch(&world, POLICY, json!({"allowInvitesFrom": "none"})).await, (204, Value::Null));
    assert_eq!(read(&world, POLICY).await["allowInvitesFrom"], "none");
    assert_eq!(read(&world, "/beta/policies/authorizationPolicy/authorizationPolicy").await["allowInvitesFrom"], "none");
    assert_eq!(read(&world, "/beta/policies/authorizationPolicy").await["value"][0]["allowInvitesFrom"], "none");
    assert_eq!(read(&world, &format!("{POLICY}?$select=allowInvitesFrom")).await["allowInvitesFrom"], "none");
    assert_eq!(world.graph(NORTHWIND.directory, POLICY, &[]).await, others);
    assert_eq!(world.sim.value(TAILSPIN_ID, POLICY)["allowInvitesFrom"], "none");
    let beta = "/beta/policies/authorizationPolicy/authorizationPolicy";
    assert_eq!(patch(&world, beta, json!({"allowUserConsentForRiskyApps": false})).await.0, 204);
    assert_eq!(read(&world, POLICY).await["allowUserConsentForRiskyApps"], false);
    world.sim.restore(TAILSPIN_ID);
    assert_eq!(read(&world, POLICY).await["allowInvitesFrom"], "adminsAndGuestInviters");
}

#[tokio::test]
async fn what_is_an_object_or_a_list_is_replaced_whole() {
    let world = writer_world().await;
    let permissions = json!({"allowedToCreateApps": true, "permissionGrantPoliciesAssigned": ["a", "{tenant} is no placeholder here"]});
    assert_eq!(patch(&world, POLICY, json!({"defaultUserRolePermissions": permissions})).await.0, 204);
    let after = read(&world, POLICY).await;
    assert_eq!((&after["defaultUserRolePermissions"], &after["allowInvitesFrom"]), (&permissions, &json!("adminsAndGuestInviters")));
    let beta = read(&world, "/beta/policies/authorizationPolicy/authorizationPolicy").await;
    assert_eq!(beta["permissionGrantPolicyIdsAssignedToDefaultUserRole"], permissions["permissionGrantPoliciesAssigned"]);
    assert_eq!(after.get("permissionGrantPolicyIdsAssignedToDefaultUserRole"), None);
}

#[tokio::test]
async fn what_graph_would_not_take_is_refused_and_not_kept() {
    let world = writer_world().await;
    let before = world.sim.value(TAILSPIN_ID, POLICY);
    for (body, wanted) in [
        (json!({"allowedToUseSspr": false}), "BadRequest"),
        (json!({"defaultUserRolePermissions": {"allowedToDream": true}}), "BadRequest"),
        (json!({"allowedToUseSSPR": "no"}), "BadRequest"),
        (json!({"allowInvitesFrom": "nobody"}), "BadRequest"),
        (json!({"guestUserRoleId": "guest"}), "BadRequest"),
        (json!({"id": "mine"}), "Request_BadRequest"),
        (json!([1]), "BadRequest"),
        (Value::Null, "BadRequest"),
    ] {
        assert_eq!(code(&patch(&world, POLICY, body.clone()).await), (400, wanted), "{body}");
    }
    assert_eq!(world.sim.value(TAILSPIN_ID, POLICY), before);
    assert_eq!(code(&patch(&world, "/v1.0/domains/nobody.example", json!({"isDefault": true})).await), (404, "Request_ResourceNotFound"));
    assert_eq!(code(&patch(&world, "/v1.0/organization", json!({"displayName": "x"})).await), (405, "Request_BadRequest"));
}

#[tokio::test]
async fn each_write_needs_its_own_permission() {
    let world = writer_world().await;
    let body = json!({"allowInvitesFrom": "none"});
    let by_reader = world.write_as(READER_CLIENT_ID, TAILSPIN_ID, "PATCH", POLICY, body.clone()).await;
    assert_eq!(code(&by_reader), (403, "Authorization_RequestDenied"));
    assert!(!by_reader.1["error"]["innerError"]["request-id"].is_null());
    world.sim.consent_to(TAILSPIN_ID, WRITER_CLIENT_ID, &["Policy.Read.All", "Policy.ReadWrite.AuthenticationMethod"]).unwrap();
    assert_eq!(patch(&world, POLICY, body.clone()).await.0, 403);
    world.sim.consent_to(TAILSPIN_ID, WRITER_CLIENT_ID, &["Policy.ReadWrite.Authorization"]).unwrap();
    assert_eq!(patch(&world, POLICY, body.clone()).await.0, 204);
    let policy = json!({"state": "disabled"});
    world.sim.consent_to(TAILSPIN_ID, WRITER_CLIENT_ID, &["Policy.ReadWrite.ConditionalAccess"]).unwrap();
    let id = world.sim.value(TAILSPIN_ID, ACCESS)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(patch(&world, &format!("{ACCESS}/{id}"), policy.clone()).await.0, 403);
    world.sim.consent_to(TAILSPIN_ID, WRITER_CLIENT_ID, &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"]).unwrap();
    assert_eq!(patch(&world, &format!("{ACCESS}/{id}"), policy).await.0, 204);
    world.sim.withdraw(TAILSPIN_ID, WRITER_CLIENT_ID);
    assert!(world.sim.app_token_for(TAILSPIN_ID, WRITER_CLIENT_ID, "https://graph.microsoft.com").is_err());
}

#[tokio::test]
async fn a_method_configuration_says_which_it_is() {
    let world = writer_world().await;
    let kind = "#microsoft.graph.fido2AuthenticationMethodConfiguration";
    assert_eq!(code(&patch(&world, FIDO2, json!({"isAttestationEnforced": true})).await), (400, "BadRequest"));
    let other = json!({"@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration", "state": "disabled"});
    assert_eq!(patch(&world, FIDO2, other).await.0, 400);
    assert_eq!(patch(&world, FIDO2, json!({"@odata.type": kind, "isAttestationEnforced": true})).await.0, 204);
    let after = read(&world, FIDO2).await;
    assert_eq!((&after["isAttestationEnforced"], &after["@odata.type"]), (&json!(true), &json!(kind)));
    let whole = read(&world, "/beta/policies/authenticationMethodsPolicy").await;
    let inside = whole["authenticationMethodConfigurations"].as_array().unwrap().iter().find(|one| one["id"] == "Fido2").unwrap();
    assert_eq!(inside["isAttestationEnforced"], true);
}

#[tokio::test]
async fn a_rule_of_a_role_shows_with_the_role() {
    let world = writer_world().await;
    let roles = "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)";
    let policy = read(&world, roles).await["value"][0]["policyId"].as_str().unwrap().to_owned();
    let path = format!("/v1.0/policies/roleManagementPolicies/{policy}/rules/Expiration_EndUser_Assignment");
    let body = json!({"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule", "id": "Expiration_EndUser_Assignment", "maximumDuration": "PT1H"});
    assert_eq!(patch(&world, &path, body).await.0, 204);
    assert_eq!(world.read_back(TAILSPIN_ID, &path).await.1["maximumDuration"], "PT1H");
    let shown = read(&world, roles).await;
    let rules = shown["value"][0]["policy"]["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == "Expiration_EndUser_Assignment").unwrap();
    assert_eq!(rule["maximumDuration"], "PT1H");
    let others = shown["value"].as_array().unwrap()[1..].iter().flat_map(|role| role["policy"]["rules"].as_array().unwrap());
    assert!(others.filter(|rule| rule["id"] == "Expiration_EndUser_Assignment").all(|rule| rule["maximumDuration"] != "PT1H"));
}

fn report_only() -> Value {
    json!({
        "displayName": "Everyone: MFA [bailiwick:0123abcd]", "state": "enabledForReportingButNotEnforced",
        "conditions": {"clientAppTypes": ["all"], "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["All"], "excludeUsers": [TAILSPIN.emergency[0]]}},
        "grantControls": {"operator": "OR", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}},
    })
}

#[tokio::test]
async fn a_conditional_access_policy_is_made_completed_changed_and_removed() {
    let world = writer_world().await;
    let before = read(&world, ACCESS).await["value"].as_array().unwrap().len();
    let (status, made) = world.write(TAILSPIN_ID, "POST", ACCESS, report_only()).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("{ACCESS}/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["modifiedDateTime"], &made["createdDateTime"]), (&Value::Null, &json!(support::NOW)));
    assert_eq!(made["conditions"]["users"]["excludeGroups"], json!([]));
    assert_eq!(made["grantControls"]["authenticationStrength"]["displayName"], "Phishing-resistant MFA");
    let mut again = read(&world, &path).await;
    again["@odata.context"] = made["@odata.context"].clone();
    assert_eq!(again, made);
    assert_eq!(read(&world, &path.replace("v1.0", "beta")).await["id"], made["id"]);
    assert_eq!(read(&world, ACCESS).await["value"].as_array().unwrap().len(), before + 1);
    world.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(patch(&world, &path, json!({"state": "enabled"})).await, (204, Value::Null));
    let enforced = read(&world, &path).await;
    assert_eq!((&enforced["state"], &enforced["modifiedDateTime"]), (&json!("enabled"), &json!("2026-11-22T08:01:00Z")));
    assert_eq!(enforced["conditions"], made["conditions"]);
    assert_eq!(world.write(TAILSPIN_ID, "DELETE", &path, Value::Null).await, (204, Value::Null));
    assert_eq!(world.write(TAILSPIN_ID, "DELETE", &path, Value::Null).await.0, 404);
    assert_eq!(read(&world, ACCESS).await["value"].as_array().unwrap().len(), before);
}

#[tokio::test]
async fn a_policy_that_cannot_be_is_refused() {
    let world = writer_world().await;
    let post = async |body: &Value| code(&world.write(TAILSPIN_ID, "POST", ACCESS, body.clone()).await).0;
    let but = |member: &str, value: Value| {
        let mut policy = report_only();
        policy[member] = value;
        policy
    };
    assert_eq!(post(&but("state", Value::Null)).await, 400);
    assert_eq!(post(&but("grantControls", Value::Null)).await, 400);
    assert_eq!(post(&but("grantControls", json!({"operator": "OR", "authenticationStrength": {"id": "none"}}))).await, 400);
    assert_eq!(post(&but("conditions", json!({"phase": "full moon"}))).await, 400);
    assert_eq!(post(&but("id", json!("00000000-0000-4000-8000-000000000001"))).await, 400);
    let defaults = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy";
    assert_eq!(patch(&world, defaults, json!({"isEnabled": true})).await.0, 204);
    let refused = world.write(TAILSPIN_ID, "POST", ACCESS, report_only()).await;
    assert!(refused.0 == 400 && refused.1["error"]["message"].as_str().unwrap().contains("Security Defaults"), "{refused:?}");
    assert_eq!(patch(&world, defaults, json!({"isEnabled": false})).await.0, 204);
    assert_eq!(post(&report_only()).await, 201);
    let unlicensed = world.write(WINGTIP.directory, "POST", ACCESS, report_only()).await;
    assert_eq!(code(&unlicensed), (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"));
    world.sim.set_limits(true);
    world.clock.advance(SignedDuration::from_secs(5));
    assert_eq!((post(&report_only()).await, post(&report_only()).await), (201, 429));
}

#[tokio::test]
async fn a_disabled_user_is_disabled_wherever_he_is_named() {
    let world = writer_world().await;
    let admin = TAILSPIN.admin;
    let path = format!("/v1.0/users/{admin}");
    assert_eq!(patch(&world, &path, json!({"accountEnabled": false})).await, (204, Value::Null));
    assert_eq!(read(&world, &format!("{path}?$select=accountEnabled")).await["accountEnabled"], false);
    let disabled = read(&world, "/v1.0/users?$filter=accountEnabled eq false&$select=id").await;
    assert_eq!(disabled["value"], json!([{"id": admin}]));
    assert_eq!(read(&world, &format!("/v1.0/directoryObjects/{admin}")).await["accountEnabled"], false);
    let assignments = read(&world, "/v1.0/roleManagement/directory/roleAssignments?$expand=principal").await;
    let held: Vec<&Value> = assignments["value"].as_array().unwrap().iter().filter(|a| a["principalId"] == json!(admin)).collect();
    assert!(!held.is_empty() && held.iter().all(|assignment| assignment["principal"]["accountEnabled"] == false), "{held:?}");
    let by_name = format!("/v1.0/users/{}", TAILSPIN.upn("admin"));
    assert_eq!(patch(&world, &by_name, json!({"accountEnabled": true})).await.0, 204);
    assert_eq!(world.sim.value(TAILSPIN_ID, &path)["accountEnabled"], true);
    assert_eq!(patch(&world, &path, json!({"displayName": "Somebody else"})).await.0, 403);
    assert_eq!(patch(&world, "/v1.0/users/nobody", json!({"accountEnabled": false})).await.0, 404);
}

#[tokio::test]
async fn one_of_a_hundred_thousand_users_is_disabled_alone() {
    let world = writer_world().await;
    let path = format!("/v1.0/users/{}", LITWARE.user);
    assert_eq!(world.write(LITWARE.directory, "PATCH", &path, json!({"accountEnabled": false})).await.0, 204);
    let user = async |id: uuid::Uuid| {
        world.graph(LITWARE.directory, &format!("/v1.0/users/{id}?$select=accountEnabled"), &[]).await.1["accountEnabled"].clone()
    };
    assert_eq!((user(LITWARE.user).await, user(LITWARE.admin).await), (json!(false), json!(true)));
    let page = world.graph(LITWARE.directory, "/v1.0/users?$select=id,accountEnabled&$top=5", &[]).await.1;
    let shown = page["value"].as_array().unwrap().iter().find(|user| user["id"] == json!(LITWARE.user)).unwrap();
    assert_eq!(shown["accountEnabled"], false);
}

#[tokio::test]
async fn sessions_are_revoked_from_now_on() {
    let world = writer_world().await;
    let path = format!("/v1.0/users/{}", TAILSPIN.user);
    let (status, body) = world.write(TAILSPIN_ID, "POST", &format!("{path}/revokeSignInSessions"), Value::Null).await;
    assert_eq!((status, &body["value"]), (200, &json!(true)));
    assert!(body["@odata.context"].as_str().unwrap().ends_with("#Edm.Boolean"));
    let user = read(&world, &format!("{path}?$select=id,signInSessionsValidFromDateTime")).await;
    assert_eq!(user["signInSessionsValidFromDateTime"], support::NOW);
    let nobody = world.write(TAILSPIN_ID, "POST", "/v1.0/users/nobody/revokeSignInSessions", Value::Null).await;
    assert_eq!(code(&nobody), (404, "Request_ResourceNotFound"));
}

#[tokio::test]
async fn replicas_take_their_time() {
    let world = writer_world().await;
    world.sim.set_write_delay(30_000);
    let invites = async || read(&world, POLICY).await["allowInvitesFrom"].clone();
    assert_eq!(patch(&world, POLICY, json!({"allowInvitesFrom": "none"})).await.0, 204);
    world.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(patch(&world, POLICY, json!({"allowInvitesFrom": "everyone"})).await.0, 204);
    assert_eq!(
        (invites().await, &world.sim.value(TAILSPIN_ID, POLICY)["allowInvitesFrom"]),
        (json!("adminsAndGuestInviters"), &json!("everyone"))
    );
    world.sim.advance(SignedDuration::from_secs(20));
    assert_eq!(invites().await, "none");
    world.sim.advance(SignedDuration::from_secs(10));
    assert_eq!(invites().await, "everyone");
    world.sim.set_write_delay(60_000);
    let made = world.write(TAILSPIN_ID, "POST", ACCESS, report_only()).await.1;
    let path = format!("{ACCESS}/{}", made["id"].as_str().unwrap());
    assert_eq!(world.graph(TAILSPIN_ID, &path, &[]).await.0, 404);
    world.sim.change(TAILSPIN_ID, POLICY, json!({"allowedToUseSSPR": false})).unwrap();
    let shown = read(&world, POLICY).await;
    assert_eq!((&shown["allowedToUseSSPR"], world.graph(TAILSPIN_ID, &path, &[]).await.0), (&json!(false), 200));
}

#[tokio::test]
async fn a_write_may_be_answered_and_forgotten_kept_and_not_answered_or_refused() {
    let world = writer_world().await;
    let before = world.sim.value(TAILSPIN_ID, POLICY);
    let sharepoint = "/v1.0/admin/sharepoint/settings";
    world.sim.add_faults([fault("/v1.0/policies", FaultAction::Forget { forget: true })]);
    assert_eq!(read(&world, POLICY).await["allowInvitesFrom"], "adminsAndGuestInviters");
    assert_eq!(patch(&world, POLICY, json!({"allowInvitesFrom": "none"})).await.0, 204);
    assert_eq!(world.sim.value(TAILSPIN_ID, POLICY), before);
    world.sim.add_faults([fault(sharepoint, FaultAction::Forget { forget: true })]);
    let (status, said) = patch(&world, sharepoint, json!({"isLoopEnabled": false})).await;
    assert_eq!((status, &said["isLoopEnabled"], &read(&world, sharepoint).await["isLoopEnabled"]), (200, &json!(false), &json!(true)));

    world.sim.add_faults([fault("/v1.0/policies", FaultAction::DropAfter { drop_after: true })]);
    let token = world.sim.app_token_for(TAILSPIN_ID, WRITER_CLIENT_ID, "https://graph.microsoft.com").unwrap();
    let url = format!("{}{POLICY}", world.sim.graph_url());
    world.sim.clear_calls();
    assert!(world.http.patch(&url).bearer_auth(&token).json(&json!({"allowInvitesFrom": "none"})).send().await.is_err());
    assert_eq!(world.sim.value(TAILSPIN_ID, POLICY)["allowInvitesFrom"], "none");
    let calls = world.sim.calls();
    assert_eq!((calls.len(), calls[0].status, calls[0].body_sha256.is_some()), (1, 0, true));

    world.sim.add_faults([fault("/v1.0/policies", FaultAction::Drop { drop: true })]);
    assert!(world.http.patch(&url).bearer_auth(&token).json(&json!({"allowInvitesFrom": "everyone"})).send().await.is_err());
    assert_eq!(world.sim.value(TAILSPIN_ID, POLICY)["allowInvitesFrom"], "none");
    for status in [403, 409, 412, 429, 503] {
        let answer =
            FaultAction::Answer { status, retry_after: Some(3), body: Some(r#"{"error":{"code":"Conflict","message":""}}"#.to_owned()) };
        world.sim.add_faults([fault("/v1.0/policies", answer)]);
        assert_eq!(code(&patch(&world, POLICY, json!({"allowInvitesFrom": "everyone"})).await), (status, "Conflict"));
    }
    assert_eq!(world.sim.value(TAILSPIN_ID, POLICY)["allowInvitesFrom"], "none");
}

#[tokio::test]
async fn faults_reach_the_writes_inside_a_batch() {
    let world = writer_world().await;
    let inside = |id: &str, invites: &str| json!({"id": id, "method": "PATCH", "url": "/policies/authorizationPolicy", "headers": {"Content-Type": "application/json"}, "body": {"allowInvitesFrom": invites}});
    let batch = async |item: Value| {
        let (_, answer) = world.write(TAILSPIN_ID, "POST", "/v1.0/$batch", json!({"requests": [item]})).await;
        (answer["responses"][0]["status"].clone(), world.sim.value(TAILSPIN_ID, POLICY)["allowInvitesFrom"].clone())
    };
    world.sim.add_faults([fault("/v1.0/policies", FaultAction::Forget { forget: true })]);
    assert_eq!(batch(inside("1", "none")).await, (json!(204), json!("adminsAndGuestInviters")));
    world.sim.add_faults([fault("/v1.0/policies", FaultAction::DropAfter { drop_after: true })]);
    assert_eq!(batch(inside("2", "none")).await, (json!(504), json!("none")));
}

#[tokio::test]
async fn a_service_principal_that_consent_made_is_changed_as_any_other() {
    let world = writer_world().await;
    let path = format!("/v1.0/servicePrincipals/{}", TAILSPIN.service_principal(READER_CLIENT_ID));
    assert_eq!(patch(&world, &path, json!({"appRoleAssignmentRequired": true})).await, (204, Value::Null));
    assert_eq!(read(&world, &path).await["appRoleAssignmentRequired"], true);
    let written = world.sim.value(TAILSPIN_ID, "/v1.0/servicePrincipals")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1.0/servicePrincipals/{written}");
    assert_eq!(patch(&world, &path, json!({"appRoleAssignmentRequired": true})).await.0, 204);
    let all = read(&world, "/v1.0/servicePrincipals").await;
    let required = all["value"].as_array().unwrap().iter().filter(|principal| principal["appRoleAssignmentRequired"] == true);
    let ids: Vec<&Value> = required.map(|principal| &principal["id"]).collect();
    assert!(ids.contains(&&json!(written)) && ids.contains(&&json!(TAILSPIN.service_principal(READER_CLIENT_ID))), "{ids:?}");
}

#[tokio::test]
async fn the_log_knows_writes_by_the_digest_of_their_bodies() {
    let world = writer_world().await;
    world.sim.clear_calls();
    let sent = br#"{ "allowInvitesFrom" : "none" }"#;
    let token = world.sim.app_token_for(TAILSPIN_ID, WRITER_CLIENT_ID, "https://graph.microsoft.com").unwrap();
    let request = world.http.patch(format!("{}{POLICY}", world.sim.graph_url())).bearer_auth(&token);
    request.header("content-type", "application/json").body(sent.as_slice()).send().await.unwrap();
    read(&world, POLICY).await;
    let inside = json!({"id": "1", "method": "PATCH", "url": "/policies/authorizationPolicy", "headers": {"Content-Type": "application/json"}, "body": {"allowedToUseSSPR": false}});
    let (_, batch) = world.write(TAILSPIN_ID, "POST", "/v1.0/$batch", json!({"requests": [inside]})).await;
    assert_eq!((&batch["responses"][0]["status"], &batch["responses"][0]["body"]), (&json!(204), &Value::Null));
    assert_eq!(world.sim.value(TAILSPIN_ID, POLICY)["allowedToUseSSPR"], false);
    let calls = world.sim.calls();
    let digest = |body: &[u8]| hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body));
    let digests: Vec<Option<String>> = calls.into_iter().map(|call| call.body_sha256).collect();
    assert_eq!(digests, [Some(digest(sent)), None, Some(digest(br#"{"allowedToUseSSPR":false}"#)), None]);
}
