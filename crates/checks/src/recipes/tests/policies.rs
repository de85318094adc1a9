//! Conditional Access: made in report-only mode, found again, enforced, and left alone once somebody touched it.

use super::{
    super::{
        access,
        members::{over, put},
    },
    *,
};
use crate::Verdict;
use serde_json::json;

fn judged(check: &Check, case: &Case, settings: &Settings, listing: &Value) -> CheckResult {
    let given = case.settings.clone().unwrap_or_default();
    let given = crate::CaseSettings { emergency_accounts: settings.emergency_accounts.clone(), ..given };
    cases::judge(check, &Case { answer: Some(listing.clone()), settings: Some(given), ..case.clone() }, Vec::new()).unwrap()
}

#[test]
fn policies_are_made_in_report_only_mode_found_again_and_enforced() {
    let settings = with_emergency_account();
    let planner = planner(&settings);
    for recipe in of_kind(RecipeKind::Create) {
        assert!(recipe.license.as_deref().is_some_and(|plan| plan.starts_with("AAD_PREMIUM")));
        for check in recipe.checks.iter().map(|id| catalogue().get(id).unwrap()) {
            let (case, result) = failing(check);
            let mut listing = case.answer.clone().unwrap();
            let target = planner.target(&recipe.id, None).unwrap();
            let found = planner.targets(&[CheckResult { would_pass_if_enforced: false, ..result }]);
            assert!(found.targets.iter().any(|targeted| targeted.target == target), "{}", recipe.id);
            let change = change(planner.propose(&target, &listing, "0a1b2c3d"));
            assert_eq!(change.body["state"], "enabledForReportingButNotEnforced");
            assert_eq!(change.body["conditions"]["users"]["excludeUsers"], json!(settings.emergency_accounts));
            assert!(change.body["displayName"].as_str().unwrap().ends_with(" [bailiwick:0a1b2c3d]"));
            assert_eq!((&change.before, &change.method, change.write.as_str()), (&Value::Null, &Method::Post, access::POLICIES));
            assert_eq!(compare(&change, &listing), Standing::AsBefore);
            assert_eq!(created(&change, &listing), None);

            let mut made = access::as_answered(&change.body);
            over(
                &mut made,
                &json!({"id": "0f1e2d3c-0000-4000-8000-00000000000a", "createdDateTime": "2026-11-22T00:00:00Z", "modifiedDateTime": null, "templateId": null}),
            );
            listing["value"].as_array_mut().unwrap().push(made.clone());
            assert_eq!(compare(&change, &listing), Standing::AsAfter, "{}", recipe.id);
            assert_eq!(compare(&change, &made), Standing::AsAfter);
            assert_eq!(created(&change, &listing).as_deref(), made["id"].as_str());
            let undo = undo(&change, &made, made["id"].as_str()).unwrap();
            assert_eq!((undo.method, undo.path, undo.body), (Method::Delete, access::one(made["id"].as_str().unwrap()), None));
            assert_eq!(compare(&change, &Value::Null), Standing::AsBefore, "gone");
            assert!(matches!(planner.propose(&target, &listing, "11111111"), Proposal::Cannot { code: Left::AlreadyMade, .. }));

            let result = judged(check, &case, &settings, &listing);
            assert_eq!((result.verdict, result.would_pass_if_enforced), (Verdict::Failed, true), "{} {}", recipe.id, check.id);
            let targets = planner.targets(&[result]).targets;
            let enforce: Vec<&Target> =
                targets.iter().map(|targeted| &targeted.target).filter(|t| t.recipe == format!("{}-enforce", recipe.id)).collect();
            assert_eq!(enforce.len(), 1, "{targets:?}");
            let enforced = self::change(planner.propose(enforce[0], &listing, "22222222"));
            assert_eq!((enforced.body.clone(), &enforced.write), (json!({"state": "enabled"}), &access::one(made["id"].as_str().unwrap())));
            assert_eq!(compare(&enforced, &made), Standing::AsBefore);
            take(Service::Graph, &mut made, &enforced.body);
            assert_eq!(compare(&enforced, &made), Standing::AsAfter);
            assert!(matches!(compare(&change, &made), Standing::Other { .. }), "an enforced policy is not removed by undoing its creation");
            *listing["value"].as_array_mut().unwrap().last_mut().unwrap() = made.clone();
            assert_eq!(judged(check, &case, &settings, &listing).verdict, Verdict::Passed, "{} {}", recipe.id, check.id);
            assert_eq!(planner.propose(enforce[0], &listing, "22222222"), Proposal::AlreadySo);
            let back = super::undo(&enforced, &made, None).unwrap();
            assert_eq!(back.body, Some(json!({"state": "enabledForReportingButNotEnforced"})));
        }
    }
}

#[test]
fn a_policy_that_somebody_touched_is_neither_removed_nor_enforced() {
    let settings = with_emergency_account();
    let planner = planner(&settings);
    let target = planner.target("ca-mfa-all-users", None).unwrap();
    let change = change(planner.propose(&target, &json!({"value": []}), "0a1b2c3d"));
    let mut made = access::as_answered(&change.body);
    made["id"] = json!("0f1e2d3c-0000-4000-8000-00000000000a");
    for (path, value) in [
        ("conditions.users.excludeUsers", json!([])),
        ("conditions.users.excludeGroups", json!(["bbbbbbbb-0000-4000-8000-000000000002"])),
        ("conditions.locations", json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]})),
        ("conditions.insiderRiskLevels", json!("elevated")),
        ("grantControls.operator", json!("AND")),
        ("sessionControls", json!({"persistentBrowser": {"isEnabled": true, "mode": "never"}})),
        ("state", json!("disabled")),
    ] {
        let mut touched = made.clone();
        put(&mut touched, path, value);
        let Standing::Other { differs } = compare(&change, &touched) else { panic!("{path} went unseen") };
        assert!(differs.iter().all(|member| member.path.starts_with(path)), "{path}: {differs:?}");
    }
    let enforce = planner.target("ca-mfa-all-users-enforce", None).unwrap();
    let reviewed = self::change(planner.propose(&enforce, &json!({"value": [made]}), "22222222"));
    assert_eq!(reviewed.body, json!({"state": "enabled"}));
    assert_eq!(reviewed.body_now(&made), reviewed.body, "nothing but the state is sent");
    assert_eq!(
        (&reviewed.before["conditions"], &reviewed.after["conditions"]),
        (&made["conditions"], &made["conditions"]),
        "whom it meets is shown"
    );
    for (path, value) in [
        ("conditions.users.excludeUsers", json!([])),
        ("conditions.locations", json!({"includeLocations": ["All"]})),
        ("grantControls.builtInControls", json!(["block"])),
        ("sessionControls", json!({"signInFrequency": {"isEnabled": true, "value": 1, "type": "hours"}})),
        ("displayName", json!("Another")),
    ] {
        let mut touched = made.clone();
        put(&mut touched, path, value);
        assert!(matches!(compare(&reviewed, &touched), Standing::Other { .. }), "{path} was changed after review, and would be enforced");
    }
    let mut without = made.clone();
    put(&mut without, "conditions.users.excludeUsers", json!([]));
    let refused = planner.propose(&enforce, &json!({"value": [without]}), "22222222");
    assert!(
        matches!(refused, Proposal::Cannot { code: Left::NoEmergencyAccounts, .. }),
        "a policy that no longer leaves out the emergency account: {refused:?}"
    );
    put(&mut made, "conditions.users.excludeGroups", json!(["bbbbbbbb-0000-4000-8000-000000000002"]));
    let refused = planner.propose(&enforce, &json!({"value": [made]}), "22222222");
    assert!(matches!(refused, Proposal::Cannot { code: Left::WouldNotPass, .. }), "{refused:?}");
    let (mut foreign, mut other) = (made.clone(), made);
    foreign["displayName"] = json!("Require MFA for everybody");
    other["displayName"] = json!("Require MFA for guests [bailiwick:0a1b2c3d]");
    let refused = planner.propose(&enforce, &json!({"value": [foreign, other]}), "22222222");
    assert!(matches!(refused, Proposal::Cannot { code: Left::NotOurs, .. }), "{refused:?}");
    let refused = planner.propose(&enforce, &json!({"value": []}), "22222222");
    assert!(matches!(refused, Proposal::Cannot { code: Left::NotThere, .. }), "{refused:?}");
    let cut = json!({"value": [], "@odata.nextLink": "https://graph.microsoft.com/v1.0/x"});
    assert!(matches!(planner.propose(&target, &cut, "1"), Proposal::Cannot { code: Left::Unreadable, .. }), "half a listing is none");
    assert_eq!(undo(&change, &Value::Null, None), Err(NotKnown));
    assert_eq!(undo(&change, &Value::Null, Some("../../users/1")), Err(NotKnown));
}

#[test]
fn no_policy_is_planned_that_could_lock_everybody_out() {
    let settings = Settings::default();
    let (_, result) = failing(catalogue().get("entra.ca.mfa-all-users").unwrap());
    let found = planner(&settings).targets(&[result]);
    assert_eq!((found.targets.len(), found.left_out.len()), (0, 1));
    assert_eq!((found.left_out[0].code, found.left_out[0].check.as_deref()), (Left::NoEmergencyAccounts, Some("entra.ca.mfa-all-users")));
    let settings = with_emergency_account();
    let target = planner(&settings).target("ca-mfa-all-users", None).unwrap();
    let none = Settings::default();
    let refused = planner(&none).propose(&target, &json!({"value": []}), "0a1b2c3d");
    assert!(matches!(refused, Proposal::Cannot { code: Left::NoEmergencyAccounts, .. }), "taken away between planning and proposing");
}
