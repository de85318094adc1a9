//! Graph for reading: tokens, permissions, licences, query options, pages.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    demo,
    demo::{CONTOSO, LITWARE, NORTHWIND, READER_CLIENT_ID, READER_SECRET, SCANNED, Scanned, TAILSPIN, WINGTIP},
};
use serde_json::{Value, json};
use support::{World, reader_world, world};

async fn get(world: &World, of: &Scanned, path: &str) -> (u16, Value) {
    world.graph(of.directory, path, &[]).await
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_consented_application_reads_what_its_directory_holds_and_no_other_does() {
    let world = reader_world().await;
    for of in SCANNED {
        let (status, body) = get(&world, of, "/v1.0/organization").await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["value"][0]["id"], of.directory.to_string());
        assert_eq!(body["value"][0]["displayName"], of.name);
        assert_eq!(body["@odata.context"], format!("{}/v1.0/$metadata#organization", world.sim.graph_url()));
    }
    let other = world
        .graph_with(
            &world.sim.app_token_for(CONTOSO.directory, CONTOSO.pipeline, "https://graph.microsoft.com").unwrap(),
            "/v1.0/organization",
            &[],
        )
        .await;
    assert_eq!(code(&other), (403, "Authorization_RequestDenied"));
}

#[tokio::test]
async fn a_token_must_be_good_for_graph_and_not_ended() {
    let world = reader_world().await;
    let refused = async |token: &str| code(&world.graph_with(token, "/v1.0/organization", &[]).await).0;
    let good = world.sim.app_token_for(NORTHWIND.directory, READER_CLIENT_ID, "https://graph.microsoft.com").unwrap();
    let arm = world.sim.app_token_for(NORTHWIND.directory, READER_CLIENT_ID, "https://management.azure.com").unwrap();
    assert_eq!((refused(&good).await, refused(&arm).await, refused("rubbish").await, refused("").await), (200, 401, 401, 401));
    let (front, back) = good.rsplit_once('.').unwrap();
    assert_eq!(refused(&format!("{front}.{}", "A".repeat(back.len()))).await, 401);
    world.sim.revoke_tokens(NORTHWIND.directory);
    let fresh = world.sim.app_token_for(NORTHWIND.directory, READER_CLIENT_ID, "https://graph.microsoft.com").unwrap();
    assert_eq!((refused(&good).await, refused(&fresh).await), (401, 200));
    world.clock.advance(jiff::SignedDuration::from_hours(2));
    assert_eq!(code(&world.graph_with(&fresh, "/v1.0/organization", &[]).await), (401, "InvalidAuthenticationToken"));
}

#[tokio::test]
async fn each_path_asks_for_its_own_permission() {
    let world = world().await;
    world.sim.consent_to(NORTHWIND.directory, READER_CLIENT_ID, &["Policy.Read.All"]).unwrap();
    assert_eq!(get(&world, &NORTHWIND, "/v1.0/policies/authorizationPolicy").await.0, 200);
    assert_eq!(code(&get(&world, &NORTHWIND, "/v1.0/users").await), (403, "Authorization_RequestDenied"));
    world.sim.consent_to(NORTHWIND.directory, READER_CLIENT_ID, &["User.Read.All"]).unwrap();
    assert_eq!(get(&world, &NORTHWIND, "/v1.0/users").await.0, 200);
    assert_eq!(code(&get(&world, &NORTHWIND, "/v1.0/users?$select=id,signInActivity").await), (403, "Authorization_RequestDenied"));
}

#[tokio::test]
async fn what_is_not_licensed_says_so() {
    let world = reader_world().await;
    let premium = (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant");
    for path in [
        "/v1.0/identity/conditionalAccess/policies",
        "/v1.0/identityProtection/riskyUsers",
        "/v1.0/deviceManagement/deviceCompliancePolicies",
        "/v1.0/reports/authenticationMethods/userRegistrationDetails",
        "/v1.0/users?$select=id,signInActivity",
    ] {
        world.clock.advance(jiff::SignedDuration::from_secs(2));
        assert_eq!(code(&get(&world, &WINGTIP, path).await), premium, "{path}");
        assert_eq!(get(&world, &NORTHWIND, path).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_may_not_be_done_is_refused() {
    let world = reader_world().await;
    assert_eq!(code(&get(&world, &NORTHWIND, "/v1.0/nothing").await), (400, "BadRequest"));
    assert_eq!(code(&get(&world, &NORTHWIND, "/v1.0/users/00000000-0000-4000-8000-00000000dead").await), (404, "Request_ResourceNotFound"));
    assert_eq!(code(&get(&world, &NORTHWIND, "/v1.0/users?$filter=userType like 'x'").await), (400, "BadRequest"));
    assert_eq!(code(&get(&world, &NORTHWIND, "/v1.0/policies/roleManagementPolicyAssignments").await), (400, "BadRequest"));
    assert_eq!(code(&get(&world, &NORTHWIND, "/v1.0/users?$skiptoken=old").await), (400, "Directory_ExpiredPageToken"));
    let token = world.reader_token(NORTHWIND.directory);
    for (method, status) in [(reqwest::Method::PATCH, 403), (reqwest::Method::DELETE, 405), (reqwest::Method::POST, 405)] {
        let request = world
            .http
            .request(method, format!("{}/v1.0/policies/authorizationPolicy", world.sim.graph_url()))
            .bearer_auth(&token)
            .body("{}");
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
}

#[tokio::test]
async fn advanced_queries_need_the_consistency_header() {
    let world = reader_world().await;
    let path = "/v1.0/servicePrincipals?$filter=appOwnerOrganizationId eq f8cdef31-a31e-4b4a-93e4-5f571e91255a&$count=true";
    assert_eq!(code(&get(&world, &NORTHWIND, path).await), (400, "Request_UnsupportedQuery"));
    let (status, body) = world.graph(NORTHWIND.directory, path, &[("ConsistencyLevel", "eventual")]).await;
    assert_eq!((status, &body["@odata.count"]), (200, &json!(3)));
    let count = world.graph_text(NORTHWIND.directory, "/v1.0/users/$count", &[("ConsistencyLevel", "eventual")]).await;
    assert_eq!(count, (200, "text/plain".to_owned(), "20".to_owned()));
}

#[tokio::test]
async fn filters_selects_and_expands_reach_the_data() {
    let world = reader_world().await;
    let (_, guests) = get(&world, &TAILSPIN, "/v1.0/users?$filter=userType eq 'Guest'&$expand=sponsors").await;
    let sponsored = guests["value"].as_array().unwrap().iter().filter(|guest| guest["sponsors"] != json!([])).count();
    assert_eq!((guests["value"].as_array().unwrap().len(), sponsored), (6, 3));
    let (_, user) = get(&world, &TAILSPIN, &format!("/v1.0/users/{}", TAILSPIN.upn("admin"))).await;
    assert_eq!((&user["id"], &user["accountEnabled"]), (&json!(TAILSPIN.admin), &Value::Null));
    let (_, keys) = get(&world, &NORTHWIND, &format!("/v1.0/users/{}/authentication/fido2Methods", NORTHWIND.emergency[0])).await;
    assert_eq!(keys["value"].as_array().unwrap().len(), 2);
    let roles = "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)";
    let (_, roles) = get(&world, &NORTHWIND, roles).await;
    assert_eq!((roles["value"].as_array().unwrap().len(), roles["value"][0]["policy"]["rules"].as_array().unwrap().len()), (8, 10));
    let (_, beta) = get(&world, &NORTHWIND, "/beta/policies/authorizationPolicy/authorizationPolicy").await;
    assert_eq!(beta["allowUserConsentForRiskyApps"], false);
    let (_, sms) = get(&world, &NORTHWIND, "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Sms").await;
    assert_eq!(sms["state"], "disabled");
    let (_, doubled) = get(&world, &NORTHWIND, "/v1.0//organization").await;
    assert_eq!(doubled["value"][0]["displayName"], "Northwind Traders");
}

#[tokio::test]
async fn application_roles_are_seen_from_the_resource_too() {
    let world = reader_world().await;
    let path = "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/appRoleAssignedTo";
    let (_, body) = get(&world, &WINGTIP, path).await;
    let holders = |role: &str| {
        let of_role = body["value"].as_array().unwrap().iter().filter(|assignment| assignment["appRoleId"] == role);
        of_role.map(|assignment| assignment["principalDisplayName"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(holders("9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"), ["Reporting job"]);
    assert_eq!(holders("06b708a9-e830-4db3-a914-8e69da51d44f"), ["Old survey tool"]);
    assert_eq!(get(&world, &WINGTIP, &path.replace("00000003", "00000009")).await.0, 404);
}

#[tokio::test]
async fn pages_are_followed_to_the_end_whole_and_in_order() {
    let world = reader_world().await;
    world.sim.set_page_size(Some(7));
    let whole = world.collect(TAILSPIN.directory, "/v1.0/users?$select=id").await;
    assert_eq!((whole.items.len(), whole.pages), (23, 4));
    let mut knobs = world.sim.knobs();
    knobs.empty_pages = true;
    world.sim.set_knobs(knobs);
    let again = world.collect(TAILSPIN.directory, "/v1.0/users?$select=id").await;
    assert_eq!((again.items, again.pages), (whole.items, 7));
}

#[tokio::test]
async fn a_hundred_thousand_users_come_page_by_page() {
    let world = reader_world().await;
    let path = "/v1.0/users?$select=id,userType&$top=999&$filter=userType eq 'Guest'&$count=true";
    let (status, first) = world.graph(LITWARE.directory, path, &[("ConsistencyLevel", "eventual")]).await;
    assert_eq!((status, &first["@odata.count"], first["value"].as_array().unwrap().len()), (200, &json!(10_000), 999));
    let guests = world.collect(LITWARE.directory, "/v1.0/users?$select=id,userType&$top=999&$filter=userType eq 'Guest'").await;
    assert_eq!((guests.items.len(), guests.pages), (10_000, 11));
    let (_, one) = get(&world, &LITWARE, &format!("/v1.0/users/{}?$select=id,accountEnabled", LITWARE.admin)).await;
    assert_eq!(one["accountEnabled"], true);
}

#[tokio::test]
async fn secret_of_the_reader_gets_a_token_with_its_granted_roles_only_after_consent() {
    let world = world().await;
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", READER_CLIENT_ID.to_string()),
        ("client_secret", READER_SECRET.to_owned()),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
    ];
    let tenant = NORTHWIND.directory.to_string();
    let (status, body) = world.token_at(&tenant, &form, None).await;
    assert_eq!((status, &body["error"], &body["error_codes"][0]), (400, &json!("unauthorized_client"), &json!(7000229)));
    assert!(world.sim.consent(NORTHWIND.directory, READER_CLIENT_ID));
    let (status, body) = world.token_at(&tenant, &form, None).await;
    let claims = support::claims(body["access_token"].as_str().unwrap());
    assert_eq!((status, claims["roles"].as_array().unwrap().len()), (200, demo::READER_PERMISSIONS.len()));
    assert_eq!(claims["oid"], NORTHWIND.service_principal(READER_CLIENT_ID).to_string());
    assert!(world.sim.withdraw(NORTHWIND.directory, READER_CLIENT_ID));
    let late = world.graph_with(body["access_token"].as_str().unwrap(), "/v1.0/organization", &[]).await;
    assert_eq!(code(&late), (401, "Authorization_IdentityNotFound"));
    assert_eq!(world.token_at(&tenant, &form, None).await.1["error_codes"][0], 7000229);
}

#[tokio::test]
async fn many_directories_share_one_scenario_and_keep_their_own_names() {
    let mut config = bailiwick_sim::SimConfig::demo(&[support::PORTAL]);
    config.directories.extend(demo::many(&NORTHWIND, 1000));
    let world = support::world_of(config).await;
    for n in [0, 7, 999] {
        assert!(world.sim.consent(demo::many_id(n), READER_CLIENT_ID));
        let (_, organization) = world.graph(demo::many_id(n), "/v1.0/organization", &[]).await;
        assert_eq!(organization["value"][0]["displayName"], format!("Many {n:04}"));
        let (status, root) = world.arm(demo::many_id(n), "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01").await;
        assert_eq!((status, root["value"].as_array().unwrap().len()), (200, 1));
    }
    let records = world.sim.dns_records();
    assert_eq!(records["txt _dmarc.many0999.example"].len(), 1);
}
