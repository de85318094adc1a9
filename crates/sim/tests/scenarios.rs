//! Every scenario answers every request that the catalogue makes; what one refuses, it refuses for a licence or a role.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::demo::{LITWARE, NORTHWIND, SCANNED, Scanned, TAILSPIN, WINGTIP};
use jiff::SignedDuration;
use serde_json::Value;
use support::{World, reader_world};

/// The Graph requests of the catalogue; `{id}` is an object of the list before it, `{emergency}` a break-glass account.
const GRAPH: &[&str] = &[
    "/beta/admin/appsAndServices/settings",
    "/beta/admin/forms/settings",
    "/beta/admin/reportSettings",
    "/beta/deviceAppManagement/vppTokens",
    "/beta/deviceManagement/androidManagedStoreAccountEnterpriseSettings",
    "/beta/deviceManagement/configurationPolicies?$filter=templateReference/templateFamily eq 'endpointSecurityAccountProtection'&$expand=assignments",
    "/beta/deviceManagement/configurationPolicies?$filter=templateReference/templateFamily eq 'endpointSecurityAntivirus'&$expand=assignments",
    "/beta/deviceManagement/configurationPolicies?$filter=templateReference/templateFamily eq 'endpointSecurityAttackSurfaceReduction'&$expand=assignments",
    "/beta/deviceManagement/configurationPolicies?$filter=templateReference/templateFamily eq 'endpointSecurityDiskEncryption'&$expand=assignments",
    "/beta/deviceManagement/configurationPolicies?$filter=templateReference/templateFamily eq 'endpointSecurityFirewall'&$expand=assignments",
    "/beta/deviceManagement/depOnboardingSettings",
    "/beta/deviceManagement/managedDeviceCleanupRules",
    "/beta/deviceManagement/ndesConnectors",
    "/beta/deviceManagement/operationApprovalPolicies",
    "/beta/deviceManagement/settings",
    "/beta/directory/recommendations",
    "/beta/identityGovernance/roleManagementAlerts/alerts?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'",
    "/beta/identityProtection/settings/notifications",
    "/beta/legacy/policies",
    "/beta/policies/authenticationMethodsPolicy",
    "/beta/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/MicrosoftAuthenticator",
    "/beta/policies/authorizationPolicy/authorizationPolicy",
    "/beta/reports/servicePrincipalSignInActivities",
    "/beta/roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions?$filter=isAuthenticationContextSettable eq true",
    "/v1.0/admin/sharepoint/settings",
    "/v1.0/applications?$expand=owners($select=id)",
    "/v1.0/applications?$expand=owners($select=id,userType)",
    "/v1.0/applications?$select=id,appId,displayName,signInAudience,passwordCredentials,keyCredentials,servicePrincipalLockConfiguration,web,spa,publicClient,isFallbackPublicClient,requiredResourceAccess,api",
    "/v1.0/deviceAppManagement/androidManagedAppProtections?$expand=assignments",
    "/v1.0/deviceAppManagement/iosManagedAppProtections?$expand=assignments",
    "/v1.0/deviceManagement/applePushNotificationCertificate",
    "/v1.0/deviceManagement/deviceCompliancePolicies?$expand=assignments",
    "/v1.0/deviceManagement/deviceEnrollmentConfigurations",
    "/v1.0/deviceManagement/intuneBrand",
    "/v1.0/deviceManagement/mobileThreatDefenseConnectors",
    "/v1.0/directory/onPremisesSynchronization",
    "/v1.0/domains",
    "/v1.0/groupLifecyclePolicies",
    "/v1.0/groupSettings",
    "/v1.0/groups?$filter=groupTypes/any(c:c eq 'DynamicMembership')",
    "/v1.0/groups?$filter=groupTypes/any(c:c eq 'Unified')",
    "/v1.0/identity/conditionalAccess/namedLocations",
    "/v1.0/identity/conditionalAccess/policies",
    "/v1.0/identityGovernance/accessReviews/definitions",
    "/v1.0/identityProtection/riskyServicePrincipals?$filter=riskState eq 'atRisk'",
    "/v1.0/identityProtection/riskyUsers?$filter=riskLevel eq 'high' and riskState eq 'atRisk'",
    "/v1.0/oauth2PermissionGrants?$filter=consentType eq 'AllPrincipals'",
    "/v1.0/organization/{id}?$select=mobileDeviceManagementAuthority",
    "/v1.0/policies/activityBasedTimeoutPolicies",
    "/v1.0/policies/adminConsentRequestPolicy",
    "/v1.0/policies/authenticationFlowsPolicy",
    "/v1.0/policies/authenticationMethodsPolicy",
    "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Email",
    "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fido2",
    "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/MicrosoftAuthenticator",
    "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Sms",
    "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass",
    "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Voice",
    "/v1.0/policies/authorizationPolicy",
    "/v1.0/policies/crossTenantAccessPolicy/default",
    "/v1.0/policies/defaultAppManagementPolicy",
    "/v1.0/policies/deviceRegistrationPolicy",
    "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
    "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)",
    "/v1.0/reports/authenticationMethods/userRegistrationDetails",
    "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
    "/v1.0/roleManagement/directory/roleAssignments?$expand=principal",
    "/v1.0/roleManagement/directory/roleAssignments?$expand=principal&$filter=roleDefinitionId eq '62e90394-69f5-4237-9190-012177145e10'",
    "/v1.0/security/identities/healthIssues?$filter=status eq 'open'",
    "/v1.0/security/incidents?$filter=status ne 'resolved' and severity eq 'high'",
    "/v1.0/security/secureScores?$top=1",
    "/v1.0/servicePrincipals/{id}/appRoleAssignments",
    "/v1.0/servicePrincipals?$filter=appId eq '1b730954-1685-4b74-9bfd-dac224a7b894'",
    "/v1.0/servicePrincipals?$filter=appId eq 'c1f33bc0-bdb4-4248-ba9b-096807ddb43e'",
    "/v1.0/servicePrincipals?$filter=appOwnerOrganizationId eq f8cdef31-a31e-4b4a-93e4-5f571e91255a&$count=true",
    "/v1.0/servicePrincipals?$filter=tags/any(t:t eq 'WindowsAzureActiveDirectoryIntegratedApp')",
    "/v1.0/servicePrincipals?$select=id,appId,passwordCredentials,keyCredentials,servicePrincipalType,preferredSingleSignOnMode",
    "/v1.0/teamwork/teamsAppSettings",
    "/v1.0/users/{emergency}/authentication/fido2Methods",
    "/v1.0/users?$filter=userType eq 'Guest'&$expand=sponsors",
    "/v1.0/users?$filter=userType eq 'Guest'&$select=id,accountEnabled,createdDateTime,signInActivity",
    "/v1.0/users?$filter=userType eq 'Member'&$select=id,accountEnabled,createdDateTime,signInActivity",
    "/v1.0/subscribedSkus",
    "/v1.0/identity/conditionalAccess/authenticationStrength/policies",
    "/v1.0/identityProtection/riskDetections",
    "/v1.0/security/alerts_v2",
    "/v1.0/security/secureScoreControlProfiles",
    "/v1.0/roleManagement/directory/roleDefinitions",
    "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
    "/v1.0/directoryRoles",
    "/v1.0/groupSettingTemplates",
    "/v1.0/deviceManagement/managedDevices",
    "/v1.0/auditLogs/signIns",
    "/v1.0/policies/permissionGrantPolicies",
    "/v1.0/policies/crossTenantAccessPolicy/partners",
];

/// The Resource Manager requests of the catalogue.
const ARM: &[&str] = &[
    "/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()&api-version=2022-04-01",
    "/providers/Microsoft.Management/managementGroups/{tenantId}/settings?api-version=2023-04-01",
    "/providers/Microsoft.Subscription/policies?api-version=2021-10-01",
    "/providers/microsoft.aadiam/diagnosticSettings?api-version=2017-04-01",
    "/providers/microsoft.intune/diagnosticSettings?api-version=2017-04-01-preview",
    "/subscriptions/{sub}/providers/Microsoft.AppConfiguration/configurationStores?api-version=2024-05-01",
    "/subscriptions/{sub}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()&api-version=2022-04-01",
    "/subscriptions/{sub}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01",
    "/subscriptions/{sub}/providers/Microsoft.Authorization/roleDefinitions?$filter=type eq 'CustomRole'&api-version=2022-04-01",
    "/subscriptions/{sub}/providers/Microsoft.Automation/automationAccounts?api-version=2023-11-01",
    "/subscriptions/{sub}/providers/Microsoft.CognitiveServices/accounts?api-version=2024-10-01",
    "/subscriptions/{sub}/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01",
    "/subscriptions/{sub}/providers/Microsoft.ContainerRegistry/registries?api-version=2023-07-01",
    "/subscriptions/{sub}/providers/Microsoft.ContainerService/managedClusters?api-version=2024-05-01",
    "/subscriptions/{sub}/providers/Microsoft.DocumentDB/databaseAccounts?api-version=2024-05-15",
    "/subscriptions/{sub}/providers/Microsoft.EventHub/namespaces?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Insights/activityLogAlerts?api-version=2020-10-01",
    "/subscriptions/{sub}/providers/Microsoft.Insights/diagnosticSettings?api-version=2021-05-01-preview",
    "/subscriptions/{sub}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01",
    "/subscriptions/{sub}/providers/Microsoft.Network/networkSecurityGroups?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.RecoveryServices/vaults?api-version=2024-04-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/AppServices?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/Arm?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/CloudPosture?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/Containers?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/CosmosDbs?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/KeyVaults?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/SqlServers?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/StorageAccounts?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/pricings/VirtualMachines?api-version=2024-01-01",
    "/subscriptions/{sub}/providers/Microsoft.Security/securityContacts?api-version=2023-12-01-preview",
    "/subscriptions/{sub}/providers/Microsoft.ServiceBus/namespaces?api-version=2022-10-01-preview",
    "/subscriptions/{sub}/providers/Microsoft.Sql/servers?$expand=administrators/activedirectory&api-version=2023-08-01",
    "/subscriptions/{sub}/providers/Microsoft.Sql/servers?api-version=2023-08-01",
    "/subscriptions/{sub}/providers/Microsoft.Storage/storageAccounts?api-version=2023-05-01",
    "/subscriptions/{sub}/providers/Microsoft.Web/sites?api-version=2023-12-01",
    "{siteId}/basicPublishingCredentialsPolicies?api-version=2023-12-01",
    "{siteId}/config/configreferences/appsettings?api-version=2023-12-01",
    "{siteId}/config/web?api-version=2023-12-01",
    "{storageAccountId}/blobServices/default?api-version=2023-05-01",
    "{vaultId}/providers/Microsoft.Authorization/locks?api-version=2020-05-01",
    "{vaultId}/providers/Microsoft.Insights/diagnosticSettings?api-version=2021-05-01-preview",
];

/// The ids that the placeholders of one directory stand for.
async fn placeholders(world: &World, of: &Scanned) -> Vec<(&'static str, String)> {
    let first = async |path: &str, member: &str| {
        let (status, body) = world.arm(of.directory, path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body["value"][0][member].as_str().unwrap().to_owned()
    };
    let subscription = first("/subscriptions?api-version=2022-12-01", "subscriptionId").await;
    let list = |kind: &str, version: &str| format!("/subscriptions/{subscription}/providers/{kind}?api-version={version}");
    let (_, principals) = world.graph(of.directory, "/v1.0/servicePrincipals?$select=id", &[]).await;
    vec![
        ("{siteId}", first(&list("Microsoft.Web/sites", "2023-12-01"), "id").await),
        ("{storageAccountId}", first(&list("Microsoft.Storage/storageAccounts", "2023-05-01"), "id").await),
        ("{vaultId}", first(&list("Microsoft.KeyVault/vaults", "2023-07-01"), "id").await),
        ("{sub}", subscription),
        ("{tenantId}", of.directory.to_string()),
        ("{emergency}", of.emergency[0].to_string()),
        ("/organization/{id}", format!("/organization/{}", of.directory)),
        ("{id}", principals["value"][2]["id"].as_str().unwrap().to_owned()),
    ]
}

fn filled(path: &str, placeholders: &[(&str, String)]) -> String {
    placeholders.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

fn reason((status, body): &(u16, Value)) -> String {
    format!("{status} {}", body["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn every_scenario_answers_every_graph_request_of_the_catalogue() {
    let world = reader_world().await;
    let premium = "403 Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    for of in SCANNED {
        let placeholders = placeholders(&world, of).await;
        let mut refused = Vec::new();
        for path in GRAPH {
            let answer = world.graph(of.directory, &filled(path, &placeholders), &[("ConsistencyLevel", "eventual")]).await;
            if answer.0 != 200 {
                refused.push((reason(&answer), *path));
            }
        }
        let only_for_licences = refused.iter().all(|(reason, _)| reason == premium);
        assert!(only_for_licences, "{}: {refused:?}", of.name);
        let expected = if *of == NORTHWIND {
            0
        } else if *of == WINGTIP {
            40
        } else {
            2
        };
        assert_eq!(refused.len(), expected, "{}: {refused:?}", of.name);
    }
}

#[tokio::test]
async fn every_scenario_answers_every_resource_manager_request_of_the_catalogue() {
    let world = reader_world().await;
    for of in [NORTHWIND, TAILSPIN, WINGTIP, LITWARE] {
        let placeholders = placeholders(&world, &of).await;
        for path in ARM {
            let answer = world.arm(of.directory, &filled(path, &placeholders)).await;
            // Reader at the root is granted in the hardened directory only.
            let expected = match path {
                _ if path.starts_with("/providers/") && of != NORTHWIND => "403 AuthorizationFailed",
                _ => "200 ",
            };
            assert_eq!(reason(&answer), expected, "{} {path}", of.name);
        }
    }
}

#[tokio::test]
async fn collections_list_what_is_written_one_by_one() {
    let world = reader_world().await;
    for (of, contacts) in [(NORTHWIND, 1), (WINGTIP, 0)] {
        let placeholders = placeholders(&world, &of).await;
        let list = async |path: &str| world.arm(of.directory, &filled(path, &placeholders)).await.1["value"].as_array().unwrap().clone();
        let found = list("/subscriptions/{sub}/providers/Microsoft.Security/securityContacts?api-version=2023-12-01-preview").await;
        assert_eq!(found.len(), contacts, "{}: one that is not there is in no list: {found:?}", of.name);
        let names = list("{siteId}/basicPublishingCredentialsPolicies?api-version=2023-12-01").await;
        let names: Vec<&str> = names.iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["ftp", "scm"], "{}", of.name);
    }
}

#[tokio::test]
async fn times_of_a_scenario_follow_the_clock() {
    let world = reader_world().await;
    let expires = async || {
        world.graph(NORTHWIND.directory, "/v1.0/deviceManagement/applePushNotificationCertificate", &[]).await.1["expirationDateTime"]
            .clone()
    };
    assert_eq!(expires().await, "2027-08-14T08:00:00Z");
    world.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(expires().await, "2027-08-15T08:00:00Z");
}
