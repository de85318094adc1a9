//! A pack in ScubaGear's shape, of our own writing, over a provider export that is built from Graph's answers.

use crate::cloud::{Contoso, Heard, job, of};
use bailiwick_checks::{Job, NOT_IN_GRAPH, PackSource, ScanReport, ScubaProduct, Verdict, scan, scuba_export};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const MANIFEST: &str = "name: scuba\nversion: 1.0.0\nkind: scubagear\npackage: aad\nprovides: [aad, sharepoint]\n";

/// As ScubaGear writes its rules: a helper package, filters over the export, exclusions from `scuba_config`, one set of tests.
const RULES: &str = r#"package aad
import rego.v1
import data.utils.told

blocking contains policy.DisplayName if {
    some policy in input.conditional_access_policies
    policy.State == "enabled"
    "All" in policy.Conditions.Users.IncludeUsers
    {"exchangeActiveSync", "other"} - {app | some app in policy.Conditions.ClientAppTypes} == set()
    "block" in policy.GrantControls.BuiltInControls
    excluded := {user | some user in policy.Conditions.Users.ExcludeUsers}
    excluded - {user | some user in object.get(input.scuba_config, ["Aad", "MS.AAD.1.1v1", "CapExclusions", "Users"], [])} == set()
}

tests contains {
    "PolicyId": "MS.AAD.1.1v1", "Criticality": "Shall", "Commandlet": ["Get-MgBetaIdentityConditionalAccessPolicy"],
    "ActualValue": blocking, "ReportDetails": sprintf("%d policy(s) found<br/>%s", [count(blocking), concat(", ", blocking)]), "RequirementMet": met,
} if met := count(blocking) > 0

tests contains {
    "PolicyId": "MS.AAD.8.2v1", "Criticality": "Should", "Commandlet": ["Get-MgBetaPolicyAuthorizationPolicy"],
    "ActualValue": values, "ReportDetails": told(met), "RequirementMet": met,
} if {
    values := [policy.AllowInvitesFrom | some policy in input.authorization_policies]
    met := count([value | some value in values; not value in ["adminsAndGuestInviters", "none"]]) == 0
}

tests contains {
    "PolicyId": "MS.AAD.7.1v1", "Criticality": "Shall", "Commandlet": ["Get-MgBetaSubscribedSku", "Get-PrivilegedUser"],
    "ActualValue": admins, "ReportDetails": told(met), "RequirementMet": met,
} if {
    admins := [user.DisplayName | some user in input.privileged_users; "Global Administrator" in user.roles]
    met := count(admins) in numbers.range(2, 8)
}

tests contains {
    "PolicyId": "MS.AAD.4.1v1", "Criticality": "Shall/Not-Implemented", "Commandlet": [],
    "ActualValue": [], "ReportDetails": "Look by hand at <a href=\"x\">the baseline</a>.", "RequirementMet": false,
}

tests contains {
    "PolicyId": "MS.AAD.9.9v1", "Criticality": "Shall", "Commandlet": ["Get-LegacyExchangeServicePrincipal"],
    "ActualValue": [], "ReportDetails": "Requirement met", "RequirementMet": true,
}

tests contains {
    "PolicyId": "MS.SHAREPOINT.1.1v1", "Criticality": "Shall", "Commandlet": ["Get-SPOTenantRest"],
    "ActualValue": [tenant.SharingCapability], "ReportDetails": told(met), "RequirementMet": met,
} if { some tenant in input.SPO_tenant; met := tenant.SharingCapability in [0, 3] }
"#;
const UTILS: &str = "package utils\nimport rego.v1\ntold(true) := \"Requirement met\"\ntold(false) := \"Requirement not met\"\n";

fn scuba() -> PackSource {
    let files = [("pack.yaml", MANIFEST), ("Rego/AADConfig.rego", RULES), ("Rego/Utils/Utils.rego", UTILS)];
    PackSource {
        name: "scuba".to_owned(),
        version: "1.0.0".to_owned(),
        files: files.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec(),
    }
}

fn assignment(role: &str, name: &str, synced: Value) -> Value {
    json!({"roleDefinitionId": role, "principal": {"@odata.type": "#microsoft.graph.user", "id": name, "displayName": name, "onPremisesImmutableId": synced}})
}

fn answers() -> Vec<(&'static str, Value)> {
    let global = "62e90394-69f5-4237-9190-012177145e10";
    let block = json!({"id": "p1", "displayName": "Block legacy", "state": "enabled",
        "conditions": {"users": {"includeUsers": ["All"], "excludeUsers": ["e1"]}, "clientAppTypes": ["exchangeActiveSync", "other"]},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
    vec![
        ("/beta/identity/conditionalAccess/policies", json!({"value": [block]})),
        (
            "/v1.0/policies/authorizationPolicy",
            json!({"id": "authorizationPolicy", "allowInvitesFrom": "everyone", "defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["x"]}}),
        ),
        ("/v1.0/groupSettings", json!({"value": []})),
        (
            "/beta/policies/authenticationMethodsPolicy",
            json!({"policyMigrationState": "migrationComplete", "authenticationMethodConfigurations": [{"@odata.type": "#t", "id": "Sms", "state": "disabled"}]}),
        ),
        ("/v1.0/domains", json!({"value": [{"id": "contoso.com", "passwordValidityPeriodInDays": 2_147_483_647}]})),
        (
            "/v1.0/subscribedSkus",
            json!({"value": [{"skuPartNumber": "E5", "skuId": "s", "consumedUnits": 3, "prepaidUnits": {"enabled": 5}, "capabilityStatus": "Enabled",
            "servicePlans": [{"servicePlanName": "AAD_PREMIUM_P2", "provisioningStatus": "Success"}, {"servicePlanName": "OFF", "provisioningStatus": "Disabled"}]}]}),
        ),
        (
            "/v1.0/organization",
            json!({"value": [{"displayName": "Contoso Ltd", "verifiedDomains": [{"name": "contoso.onmicrosoft.com", "isInitial": true}]}]}),
        ),
        (
            "/v1.0/roleManagement/directory/roleAssignments?$expand=principal",
            json!({"value": [assignment(global, "ann", Value::Null), assignment(global, "bob", Value::Null)]}),
        ),
        ("/v1.0/roleManagement/directory/roleEligibilitySchedules?$expand=principal", json!({"value": []})),
        (
            "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
            json!({"value": [{"roleDefinitionId": global, "principalId": "ann", "endDateTime": null}]}),
        ),
        (
            "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)",
            json!({"value": [{"roleDefinitionId": global, "policy": {"rules": [{"@odata.type": "#r", "id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": true}}]}}]}),
        ),
        (
            "/v1.0/applications?$select=id,appId,displayName,signInAudience,keyCredentials,passwordCredentials,requiredResourceAccess",
            json!({"value": []}),
        ),
        (
            "/v1.0/admin/sharepoint/settings",
            json!({"sharingCapability": "existingExternalUserSharingOnly", "sharingDomainRestrictionMode": "allowList", "sharingAllowedDomainList": ["a.example", "b.example"]}),
        ),
    ]
}

fn with(config: Value) -> Job {
    let mut job = job(vec![scuba()]);
    job.settings.scuba_config = config;
    job
}

fn run(config: Value, answers: Vec<(&'static str, Value)>) -> ScanReport {
    let job = with(config);
    scan(&job, &mut Contoso::new(&job, answers), &mut Heard::default())
}

fn accepted() -> Value {
    json!({"Aad": {"MS.AAD.1.1v1": {"CapExclusions": {"Users": ["e1"]}}}})
}

#[test]
fn tests_become_results() {
    let report = run(accepted(), answers());
    assert_eq!(report.packs[0].error, None);
    let verdicts: BTreeMap<&str, Verdict> = report.results.iter().map(|result| (result.check.as_str(), result.verdict)).collect();
    let expected = [
        ("pack:scuba:MS.AAD.1.1v1", Verdict::Passed),
        ("pack:scuba:MS.AAD.4.1v1", Verdict::Skipped),
        ("pack:scuba:MS.AAD.7.1v1", Verdict::Passed),
        ("pack:scuba:MS.AAD.8.2v1", Verdict::Failed),
        ("pack:scuba:MS.AAD.9.9v1", Verdict::Error),
        ("pack:scuba:MS.SHAREPOINT.1.1v1", Verdict::Passed),
    ];
    assert_eq!(verdicts, expected.into());
    assert_eq!(of(&report, "pack:scuba:MS.AAD.1.1v1").reason.as_ref().unwrap().text, "1 policy(s) found Block legacy", "markup goes");
    assert!(of(&report, "pack:scuba:MS.AAD.9.9v1").reason.as_ref().unwrap().text.contains("Get-LegacyExchangeServicePrincipal"));
}

#[test]
fn exclusions_that_nobody_declared_count() {
    let report = run(Value::Null, answers());
    assert_eq!(of(&report, "pack:scuba:MS.AAD.1.1v1").verdict, Verdict::Failed);
}

/// What was not read is no empty list to ScubaGear's rules, but an error.
#[test]
fn a_source_that_fails_makes_errors_and_no_passes() {
    let without = |path: &str| answers().into_iter().filter(|(known, _)| *known != path).collect::<Vec<_>>();
    let report = run(accepted(), without("/beta/identity/conditionalAccess/policies"));
    assert_eq!(of(&report, "pack:scuba:MS.AAD.1.1v1").verdict, Verdict::Error);
    assert_eq!(of(&report, "pack:scuba:MS.AAD.7.1v1").verdict, Verdict::Passed);
    let report = run(accepted(), without("/v1.0/subscribedSkus"));
    assert_eq!(of(&report, "pack:scuba:MS.AAD.7.1v1").verdict, Verdict::Error);
    assert_eq!(of(&report, "pack:scuba:MS.AAD.1.1v1").verdict, Verdict::Passed);
}

fn export() -> (Value, BTreeSet<String>) {
    let answers = answers().into_iter().map(|(path, body)| (path.to_owned(), body)).collect();
    scuba_export(&[ScubaProduct::Aad, ScubaProduct::SharePoint].into(), &with(accepted()), &answers)
}

#[test]
fn the_export_has_powershells_shape() {
    let (export, commands) = export();
    let at = |pointer: &str| export.pointer(pointer).cloned().unwrap_or_else(|| panic!("{pointer} is not in {export:#}"));
    assert_eq!(at("/conditional_access_policies/0/Conditions/Users/IncludeUsers"), json!(["All"]));
    assert_eq!(at("/authorization_policies/0/PermissionGrantPolicyIdsAssignedToDefaultUserRole"), json!(["x"]));
    assert_eq!(at("/authentication_method/0/authentication_method_policy/PolicyMigrationState"), "migrationComplete");
    assert_eq!(
        at("/authentication_method/0/authentication_method_feature_settings/0"),
        json!({"@odata.type": "#t", "Id": "Sms", "State": "disabled"})
    );
    assert_eq!(at("/service_plans"), json!([{"ServicePlanName": "AAD_PREMIUM_P2", "ProvisioningStatus": "Success"}]));
    assert_eq!(at("/license_information/0/PrepaidUnits"), json!({"Enabled": 5}));
    assert_eq!(
        at("/privileged_users/ann"),
        json!({"DisplayName": "ann", "OnPremisesImmutableId": null, "roles": ["Global Administrator"]})
    );
    assert_eq!(at("/privileged_roles/0/Rules/0/RuleSourceType"), "Directory Role");
    assert_eq!(at("/privileged_roles/0/Assignments/0/EndDateTime"), Value::Null);
    assert_eq!(
        at("/SPO_tenant/0"),
        json!({"SharingCapability": 3, "SharingDomainRestrictionMode": 1, "SharingAllowedDomainList": "a.example b.example"})
    );
    assert_eq!(at("/tenant_details/0/DomainName"), "contoso.onmicrosoft.com");
    assert_eq!(at("/scuba_config/ProductNames"), json!(["aad", "sharepoint"]));
    assert_eq!(at("/aad_unsuccessful_commands"), json!(NOT_IN_GRAPH));
    assert!(commands.contains("Get-PrivilegedRole") && commands.contains("Get-SPOTenantRest"));
}

/// Beside a report of ScubaGear's own, where one lies at hand (`SCUBAGEAR_REPORT`): every member that its Entra provider writes and
/// ours does too has the same shape, down to the names of members.
#[test]
fn the_export_agrees_with_scubagears_own() {
    let Ok(path) = std::env::var("SCUBAGEAR_REPORT") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let report: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    let (ours, _) = export();
    let mut compared = 0;
    for (name, value) in ours.as_object().unwrap() {
        let theirs = &report["Raw"][name];
        if theirs.is_null() || name == "scuba_config" {
            continue;
        }
        let first = |value: &Value| value.get(0).cloned().unwrap_or_else(|| value.clone());
        let (mine, theirs) = (first(value), first(theirs));
        let unknown: Vec<&String> = mine
            .as_object()
            .into_iter()
            .flatten()
            .map(|(member, _)| member)
            .filter(|member| theirs.is_object() && theirs.get(member.as_str()).is_none() && name != "privileged_users")
            .collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?} are not ScubaGear's members");
        compared += 1;
    }
    println!("{compared} members of the export have ScubaGear's names");
    assert!(compared > 12, "{compared}");
}
