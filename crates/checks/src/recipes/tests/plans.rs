//! What is planned of failing checks, what is left out, and what an approval is bound to.

use super::{
    super::members::{over, put},
    *,
};
use crate::{ObjectRef, Verdict};
use serde_json::json;

fn result(check: &str, objects: &[&str], count: u64) -> CheckResult {
    let check = catalogue().get(check).unwrap();
    let (_, result) = failing(check);
    let objects = objects.iter().map(|id| ObjectRef { id: (*id).to_owned(), name: None, within: None }).collect();
    CheckResult { objects, object_count: count, ..result }
}

#[test]
fn objects_are_targets_of_their_own_and_those_left_out_are_told() {
    let settings = Settings::default();
    let planner = planner(&settings);
    let ids: Vec<String> = (0..20).map(|n| format!("0f5a6b70-4a3a-4f6e-8f70-0e5d6d1c2b{n:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found = planner.targets(&[result("apps.registrations.implicit-grant", &ids, 57)]);
    assert_eq!(found.targets.len(), 20);
    assert_eq!(found.targets[3].target.write, format!("/v1.0/applications/{}", ids[3]));
    assert_eq!((found.left_out.len(), found.left_out[0].code), (1, Left::TooManyObjects));
    assert!(found.left_out[0].detail.starts_with("37 more objects"), "{}", found.left_out[0].detail);
    for (check, id) in [
        ("apps.registrations.implicit-grant", "../policies/authorizationPolicy"),
        ("apps.registrations.implicit-grant", ""),
        ("azure.storage.https-only", "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"),
        (
            "azure.storage.https-only",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/blobServices/default",
        ),
        ("azure.app-service.ftp", "contoso-shop"),
        ("entra.pim.active-expiry", "no-underscore"),
    ] {
        let found = planner.targets(&[result(check, &[id], 1)]);
        assert_eq!((found.targets.len(), found.left_out[0].code), (0, Left::ObjectsUnknown), "{check} {id}");
    }
    let none = planner.targets(&[result("apps.registrations.implicit-grant", &[], 1)]);
    assert_eq!(none.left_out[0].code, Left::ObjectsUnknown);
    let by_hand = planner.targets(&[CheckResult { check: "entra.ca.no-deleted-refs".to_owned(), ..result("apps.policy.enabled", &[], 0) }]);
    assert_eq!(by_hand.left_out[0].code, Left::NoRecipe);
    let passed = planner.targets(&[CheckResult { verdict: Verdict::Unknown, ..result("apps.policy.enabled", &[], 0) }]);
    assert_eq!(passed, Targets::default());
}

#[test]
fn checks_that_one_request_mends_share_a_target() {
    let settings = Settings::default();
    let results = [result("entra.authorization-policy.guest-role-strict", &[], 0), result("entra.authorization-policy.guest-role", &[], 0)];
    let found = planner(&settings).targets(&results);
    assert_eq!((found.targets.len(), found.targets[0].checks.len()), (1, 2));
    assert_eq!(found.targets[0].target.recipe, "guests-restricted");
}

fn authorization() -> Value {
    let (case, _) = failing(catalogue().get("entra.authorization-policy.user-consent").unwrap());
    let mut policy = case.answer.unwrap();
    over(&mut policy, &json!({"defaultUserRolePermissions": {"allowedToCreateApps": true, "allowedToCreateTenants": true}}));
    policy
}

#[test]
fn what_stands_beside_a_change_goes_along_as_it_is_then() {
    let settings = Settings::default();
    let planner = planner(&settings);
    let mut policy = authorization();
    let [apps, tenants] = ["app-registration-by-developers", "no-tenant-creation"]
        .map(|recipe| change(planner.propose(&planner.target(recipe, None).unwrap(), &policy, "1")));
    take(Service::Graph, &mut policy, &apps.body);
    assert_eq!(compare(&tenants, &policy), Standing::AsBefore, "what was reviewed is as it was");
    let beside = tenants.beside(&policy);
    assert_eq!(beside.iter().map(|member| member.path.as_str()).collect::<Vec<_>>(), ["defaultUserRolePermissions.allowedToCreateApps"]);
    assert_ne!(tenants.body_now(&policy), tenants.body);
    let body = tenants.body_now(&policy);
    take(Service::Graph, &mut policy, &body);
    assert_eq!((compare(&apps, &policy), compare(&tenants, &policy)), (Standing::AsAfter, Standing::AsAfter));
    let back = undo(&apps, &policy, None).unwrap();
    take(Service::Graph, &mut policy, &back.body.unwrap());
    assert_eq!(
        (compare(&apps, &policy), compare(&tenants, &policy)),
        (Standing::AsBefore, Standing::AsAfter),
        "one goes back, the other stays"
    );
    put(&mut policy, "defaultUserRolePermissions.allowedToCreateTenants", json!("maybe"));
    let Standing::Other { differs } = compare(&tenants, &policy) else { panic!("somebody else's value is neither") };
    assert_eq!((&differs[0].before, &differs[0].after), (&json!(true), &json!("maybe")));
}

#[test]
fn consent_for_owned_resources_stays() {
    let settings = Settings::default();
    let policy = authorization();
    let target = planner(&settings).target("consent-by-admins", None).unwrap();
    let change = change(planner(&settings).propose(&target, &policy, "1"));
    let stays = json!(["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team"]);
    assert_eq!(change.body["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"], stays);
    assert_eq!(change.body["defaultUserRolePermissions"]["allowedToCreateApps"], json!(true), "the whole member goes along");
}

#[test]
fn a_value_that_got_stricter_since_the_scan_is_left_alone() {
    let settings = Settings::default();
    let planner = planner(&settings);
    for (recipe, current) in [
        ("guest-invites-restricted", json!({"allowInvitesFrom": "none"})),
        ("sharing-no-anyone-links", json!({"sharingCapability": "disabled"})),
        ("web-app-tls-12", json!({"properties": {"minTlsVersion": "1.3"}})),
    ] {
        let site = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop".to_owned();
        let target = planner.target(recipe, Some(ObjectRef { id: site, name: None, within: None })).unwrap();
        assert_eq!(planner.propose(&target, &current, "1"), Proposal::AlreadySo, "{recipe}");
    }
    let target = planner.target("guest-invites-restricted", None).unwrap();
    for nothing in [Value::Null, json!([]), json!({"error": {"code": "x"}})] {
        assert!(matches!(planner.propose(&target, &nothing, "1"), Proposal::Cannot { code: Left::Unreadable, .. }));
    }
}

#[test]
fn what_only_a_person_can_decide_is_not_proposed() {
    let settings = Settings::default();
    let target = planner(&settings).target("consent-workflow-on", None).unwrap();
    let current =
        json!({"isEnabled": false, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": []});
    let refused = planner(&settings).propose(&target, &current, "1");
    assert!(matches!(refused, Proposal::Cannot { code: Left::Needs, .. }), "{refused:?}");
}

#[test]
fn a_tenants_own_threshold_is_what_is_written() {
    let mut settings = Settings::default();
    settings.parameters.entry("entra.auth-methods.tap-lifetime".to_owned()).or_default().insert("max_minutes".to_owned(), json!(60));
    let target = planner(&settings).target("access-pass-lifetime", None).unwrap();
    let current = json!({"@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration", "state": "enabled", "maximumLifetimeInMinutes": 480});
    let change = change(planner(&settings).propose(&target, &current, "1"));
    assert_eq!(change.body["maximumLifetimeInMinutes"], 60);
    assert_eq!(change.body["@odata.type"], current["@odata.type"]);
    assert_eq!(change.changed.len(), 1, "the type is nobody's setting");
}

#[test]
fn an_approval_is_bound_to_every_fact() {
    let settings = Settings::default();
    let target = planner(&settings).target("guest-invites-restricted", None).unwrap();
    let change = *change(planner(&settings).propose(&target, &json!({"allowInvitesFrom": "everyone"}), "1"));
    let digest = change.digest(DIRECTORY);
    assert_eq!(digest.len(), 64);
    assert_ne!(digest, change.digest(Uuid::nil()));
    type Edit = fn(&mut Change);
    let edits: [Edit; 7] = [
        |c| c.recipe.push('x'),
        |c| c.version += 1,
        |c| c.method = Method::Put,
        |c| c.write.push('x'),
        |c| c.body["x"] = json!(1),
        |c| c.before["x"] = json!(1),
        |c| c.after["x"] = json!(1),
    ];
    for (at, edit) in edits.into_iter().enumerate() {
        let mut other = change.clone();
        edit(&mut other);
        assert_ne!(digest, other.digest(DIRECTORY), "edit {at}");
    }
    let mut turned = change.clone();
    turned.body = json!({"b": 1, "a": {"d": 2, "c": 3}});
    let mut same = change;
    same.body = json!({"a": {"c": 3, "d": 2}, "b": 1});
    assert_eq!(turned.digest(DIRECTORY), same.digest(DIRECTORY), "the order of members says nothing");
}
