//! What each path of Graph asks of its caller: an application permission (any of those named), a licence (any of the
//! service plans), and the published limit it shares. The longest pattern that fits a path decides.

use super::throttle::Limit;

/// One row; `{}` in the pattern stands for any id, `.` at its end for nothing more.
#[derive(Debug)]
pub struct Route {
    pub pattern: &'static str,
    pub permissions: &'static [&'static str],
    pub plans: &'static [&'static str],
    pub limit: Limit,
}

const P1: &[&str] = &["AAD_PREMIUM", "AAD_PREMIUM_P2"];
const P2: &[&str] = &["AAD_PREMIUM_P2", "Entra_Identity_Governance"];
const INTUNE: &[&str] = &["INTUNE_A"];
const FREE: &[&str] = &[];

macro_rules! routes {
    ($($pattern:literal, [$($permission:literal)*], $plans:expr, $limit:ident;)*) => {
        &[$(Route { pattern: $pattern, permissions: &[$($permission),*], plans: $plans, limit: Limit::$limit }),*]
    };
}

/// Every path that is answered.
pub const ROUTES: &[Route] = routes! {
    "/organization", ["Organization.Read.All" "Directory.Read.All"], FREE, None;
    "/subscribedskus", ["Organization.Read.All" "Directory.Read.All"], FREE, None;
    "/domains", ["Domain.Read.All" "Directory.Read.All"], FREE, None;
    "/users", ["User.Read.All" "Directory.Read.All"], FREE, None;
    "/users/{}/authentication", ["UserAuthenticationMethod.Read.All"], FREE, None;
    "/groups", ["Group.Read.All" "Directory.Read.All"], FREE, None;
    "/groups/{}/members", ["GroupMember.Read.All" "Group.Read.All" "Directory.Read.All"], FREE, None;
    "/directoryobjects", ["Directory.Read.All"], FREE, None;
    "/directoryroles", ["RoleManagement.Read.Directory" "Directory.Read.All"], FREE, None;
    "/applications", ["Application.Read.All" "Directory.Read.All"], FREE, None;
    "/serviceprincipals", ["Application.Read.All" "Directory.Read.All"], FREE, None;
    "/oauth2permissiongrants", ["Directory.Read.All" "DelegatedPermissionGrant.Read.All"], FREE, None;
    "/groupsettings", ["GroupSettings.Read.All" "Directory.Read.All"], FREE, None;
    "/groupsettingtemplates", ["GroupSettings.Read.All" "Directory.Read.All"], FREE, None;
    "/settings", ["GroupSettings.Read.All" "Directory.Read.All"], FREE, None;
    "/directorysettingtemplates", ["GroupSettings.Read.All" "Directory.Read.All"], FREE, None;
    "/grouplifecyclepolicies", ["Directory.Read.All"], P1, None;
    "/directory/onpremisessynchronization", ["OnPremDirectorySynchronization.Read.All"], FREE, None;
    "/directory/recommendations", ["DirectoryRecommendations.Read.All"], FREE, None;
    "/legacy/policies", ["Policy.Read.All"], FREE, None;
    "/policies", ["Policy.Read.All"], FREE, None;
    "/policies/authenticationmethodspolicy", ["Policy.Read.AuthenticationMethod" "Policy.Read.All"], FREE, None;
    "/policies/deviceregistrationpolicy", ["Policy.Read.DeviceConfiguration" "Policy.Read.All"], FREE, None;
    "/policies/permissiongrantpolicies", ["Policy.Read.PermissionGrant" "Policy.Read.All"], FREE, None;
    "/policies/rolemanagementpolicies", ["RoleManagementPolicy.Read.Directory" "RoleManagement.Read.Directory"], P2, None;
    "/policies/rolemanagementpolicyassignments", ["RoleManagementPolicy.Read.Directory" "RoleManagement.Read.Directory"], P2, None;
    "/identity/conditionalaccess", ["Policy.Read.ConditionalAccess" "Policy.Read.All"], P1, Identity;
    "/identityprotection/riskyusers", ["IdentityRiskyUser.Read.All"], P2, Identity;
    "/identityprotection/riskdetections", ["IdentityRiskEvent.Read.All"], P2, Identity;
    "/identityprotection/riskyserviceprincipals", ["IdentityRiskyServicePrincipal.Read.All"], &["AAD_WRKLDID_P1", "AAD_WRKLDID_P2"], Identity;
    "/identityprotection/settings/notifications", ["IdentityRiskEvent.Read.All"], P2, Identity;
    "/identitygovernance/accessreviews", ["AccessReview.Read.All"], P2, None;
    "/identitygovernance/rolemanagementalerts", ["RoleManagementAlert.Read.Directory"], P2, None;
    "/rolemanagement/directory/roleassignments", ["RoleManagement.Read.Directory" "Directory.Read.All"], FREE, None;
    "/rolemanagement/directory/roledefinitions", ["RoleManagement.Read.Directory" "Directory.Read.All"], FREE, None;
    "/rolemanagement/directory/resourcenamespaces", ["RoleManagement.Read.Directory" "Directory.Read.All"], P1, None;
    "/rolemanagement/directory/roleeligibilityscheduleinstances", ["RoleEligibilitySchedule.Read.Directory" "RoleManagement.Read.Directory"], P2, None;
    "/rolemanagement/directory/roleeligibilityschedules", ["RoleEligibilitySchedule.Read.Directory" "RoleManagement.Read.Directory"], P2, None;
    "/rolemanagement/directory/roleassignmentscheduleinstances", ["RoleAssignmentSchedule.Read.Directory" "RoleManagement.Read.Directory"], P2, None;
    "/rolemanagement/directory/roleassignmentschedules", ["RoleAssignmentSchedule.Read.Directory" "RoleManagement.Read.Directory"], P2, None;
    "/reports/authenticationmethods", ["AuditLog.Read.All"], P1, Reports;
    "/reports/serviceprincipalsigninactivities", ["AuditLog.Read.All"], P1, Reports;
    "/auditlogs/signins", ["AuditLog.Read.All"], P1, Reports;
    "/auditlogs/directoryaudits", ["AuditLog.Read.All"], FREE, Reports;
    "/admin/sharepoint/settings", ["SharePointTenantSettings.Read.All"], FREE, None;
    "/admin/reportsettings", ["ReportSettings.Read.All"], FREE, None;
    "/admin/appsandservices", ["OrgSettings-AppsAndServices.Read.All"], FREE, None;
    "/admin/forms", ["OrgSettings-Forms.Read.All"], FREE, None;
    "/teamwork/teamsappsettings", ["TeamworkAppSettings.Read.All"], FREE, None;
    "/devicemanagement", ["DeviceManagementConfiguration.Read.All"], INTUNE, None;
    "/devicemanagement/.", ["DeviceManagementConfiguration.Read.All" "DeviceManagementServiceConfig.Read.All"], INTUNE, None;
    "/devicemanagement/settings", ["DeviceManagementConfiguration.Read.All" "DeviceManagementServiceConfig.Read.All"], INTUNE, None;
    "/devicemanagement/manageddevices", ["DeviceManagementManagedDevices.Read.All"], INTUNE, None;
    "/devicemanagement/manageddevicecleanuprules", ["DeviceManagementManagedDevices.Read.All"], INTUNE, None;
    "/devicemanagement/deviceenrollmentconfigurations", ["DeviceManagementServiceConfig.Read.All"], INTUNE, None;
    "/devicemanagement/applepushnotificationcertificate", ["DeviceManagementServiceConfig.Read.All"], INTUNE, None;
    "/devicemanagement/intunebrand", ["DeviceManagementServiceConfig.Read.All"], INTUNE, None;
    "/devicemanagement/mobilethreatdefenseconnectors", ["DeviceManagementServiceConfig.Read.All"], INTUNE, None;
    "/devicemanagement/deponboardingsettings", ["DeviceManagementServiceConfig.Read.All"], INTUNE, None;
    "/deviceappmanagement", ["DeviceManagementApps.Read.All"], INTUNE, None;
    "/security/securescores", ["SecurityEvents.Read.All"], FREE, None;
    "/security/securescorecontrolprofiles", ["SecurityEvents.Read.All"], FREE, None;
    "/security/alerts_v2", ["SecurityAlert.Read.All"], FREE, None;
    "/security/incidents", ["SecurityIncident.Read.All"], FREE, None;
    "/security/identities/healthissues", ["SecurityIdentitiesHealth.Read.All"], &["ATA"], None;
    "/security/runhuntingquery", ["ThreatHunting.Read.All"], &["MTP"], None;
};

/// The row for a path without its version, in lower case.
pub fn of(path: &str) -> Option<&'static Route> {
    ROUTES.iter().filter(|route| fits(route.pattern, path)).max_by_key(|route| route.pattern.split('/').count())
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut path = path.split('/');
    pattern.split('/').all(|wanted| path.next().map_or(wanted == ".", |found| wanted == "{}" || wanted == found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pattern_decides() {
        let pattern = |path: &str| of(path).map(|route| route.pattern);
        assert_eq!(pattern("/users/1/authentication/fido2methods"), Some("/users/{}/authentication"));
        assert_eq!(pattern("/users/1"), Some("/users"));
        assert_eq!(pattern("/usersx"), None);
        assert_eq!(
            (pattern("/devicemanagement"), pattern("/devicemanagement/x")),
            (Some("/devicemanagement/."), Some("/devicemanagement"))
        );
        assert_eq!(pattern("/policies/authenticationmethodspolicy/x/sms"), Some("/policies/authenticationmethodspolicy"));
    }
}
