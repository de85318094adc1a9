//! What may be written to Graph: method and path, the permissions that open it, the type of the body, and what the
//! service answers. A path that is read and has no row here cannot be written.

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Members of one object.
    Patch,
    /// As [`Act::Patch`], of an object whose type has more than one form: the body says which.
    PatchTyped,
    /// An object whole: nothing may be left out.
    Put,
    CreatePolicy,
    PatchPolicy,
    DeletePolicy,
    PatchUser,
    RevokeSessions,
    SendMail,
}

/// One row; `{}` in the pattern stands for any id.
#[derive(Debug)]
pub struct Rule {
    pub method: &'static str,
    pub pattern: &'static str,
    /// Sets of application permissions; holding all of any one set is enough.
    pub permissions: &'static [&'static [&'static str]],
    /// A type of `schema/graph.json`.
    pub shape: &'static str,
    pub act: Act,
    /// 200 comes with the object, 204 with nothing.
    pub status: u16,
}

macro_rules! rules {
    ($($method:ident $pattern:literal, [$([$($permission:literal)*])*], $shape:literal, $act:ident, $status:literal;)*) => {
        &[$(Rule { method: stringify!($method), pattern: $pattern, permissions: &[$(&[$($permission),*]),*], shape: $shape, act: Act::$act, status: $status }),*]
    };
}

/// Every write that is taken.
const RULES: &[Rule] = rules! {
    PATCH "/policies/authorizationpolicy", [["Policy.ReadWrite.Authorization"]], "authorizationPolicy", Patch, 204;
    PATCH "/policies/authorizationpolicy/{}", [["Policy.ReadWrite.Authorization"]], "authorizationPolicy", Patch, 204;
    PATCH "/policies/identitysecuritydefaultsenforcementpolicy", [["Policy.ReadWrite.SecurityDefaults"] ["Policy.Read.All" "Policy.ReadWrite.ConditionalAccess"]], "identitySecurityDefaultsEnforcementPolicy", Patch, 204;
    PATCH "/policies/authenticationmethodspolicy", [["Policy.ReadWrite.AuthenticationMethod"]], "authenticationMethodsPolicy", Patch, 200;
    PATCH "/policies/authenticationmethodspolicy/authenticationmethodconfigurations/{}", [["Policy.ReadWrite.AuthenticationMethod"]], "", PatchTyped, 204;
    PATCH "/policies/authenticationflowspolicy", [["Policy.ReadWrite.AuthenticationFlows"]], "authenticationFlowsPolicy", Patch, 204;
    PATCH "/policies/defaultappmanagementpolicy", [["Policy.ReadWrite.ApplicationConfiguration"]], "tenantAppManagementPolicy", Patch, 204;
    PATCH "/policies/rolemanagementpolicies/{}/rules/{}", [["RoleManagementPolicy.ReadWrite.Directory"] ["RoleManagement.ReadWrite.Directory"]], "", PatchTyped, 204;
    PUT "/policies/adminconsentrequestpolicy", [["Policy.ReadWrite.ConsentRequest"]], "adminConsentRequestPolicy", Put, 204;
    PATCH "/policies/crosstenantaccesspolicy/default", [["Policy.ReadWrite.CrossTenantAccess"]], "crossTenantAccessPolicyConfigurationDefault", Patch, 204;
    PATCH "/domains/{}", [["Domain.ReadWrite.All"]], "domain", Patch, 204;
    PATCH "/applications/{}", [["Application.ReadWrite.All"]], "application", Patch, 204;
    PATCH "/serviceprincipals/{}", [["Application.ReadWrite.All"]], "servicePrincipal", Patch, 204;
    PATCH "/directory/onpremisessynchronization/{}", [["OnPremDirectorySynchronization.ReadWrite.All"]], "onPremisesDirectorySynchronization", Patch, 204;
    PATCH "/admin/sharepoint/settings", [["SharePointTenantSettings.ReadWrite.All"]], "sharepointSettings", Patch, 200;
    PATCH "/admin/reportsettings", [["ReportSettings.ReadWrite.All"]], "adminReportSettings", Patch, 204;
    PATCH "/admin/appsandservices", [["OrgSettings-AppsAndServices.ReadWrite.All"]], "adminAppsAndServices", Patch, 200;
    PATCH "/admin/forms", [["OrgSettings-Forms.ReadWrite.All"]], "adminForms", Patch, 200;
    PATCH "/teamwork/teamsappsettings", [["TeamworkAppSettings.ReadWrite.All"]], "teamsAppSettings", Patch, 204;
    PATCH "/devicemanagement", [["DeviceManagementServiceConfig.ReadWrite.All"] ["DeviceManagementConfiguration.ReadWrite.All"]], "deviceManagement", Patch, 200;
    POST "/identity/conditionalaccess/policies", [["Policy.Read.All" "Policy.ReadWrite.ConditionalAccess"]], "conditionalAccessPolicy", CreatePolicy, 201;
    PATCH "/identity/conditionalaccess/policies/{}", [["Policy.Read.All" "Policy.ReadWrite.ConditionalAccess"]], "conditionalAccessPolicy", PatchPolicy, 204;
    DELETE "/identity/conditionalaccess/policies/{}", [["Policy.Read.All" "Policy.ReadWrite.ConditionalAccess"]], "", DeletePolicy, 204;
    PATCH "/users/{}", [["User.EnableDisableAccount.All" "User.Read.All"] ["User.ReadWrite.All"] ["Directory.ReadWrite.All"]], "user", PatchUser, 204;
    POST "/users/{}/revokesigninsessions", [["User.RevokeSessions.All"] ["User.ReadWrite.All"] ["Directory.ReadWrite.All"]], "", RevokeSessions, 200;
    POST "/users/{}/sendmail", [["Mail.Send"]], "", SendMail, 202;
};

/// The row for a method and a path without its version, in lower case.
pub fn of(method: &str, path: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.method == method && fits(rule.pattern, path))
}

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count() && pattern.zip(path).all(|(wanted, found)| wanted == "{}" || wanted == found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph::routes, shape::Shapes};

    #[test]
    fn a_row_is_for_one_method_and_one_depth() {
        let pattern = |method: &str, path: &str| of(method, path).map(|rule| rule.pattern);
        assert_eq!(pattern("PATCH", "/domains/x.example"), Some("/domains/{}"));
        assert_eq!((pattern("PATCH", "/domains"), pattern("PUT", "/domains/x"), pattern("PATCH", "/domains/x/y")), (None, None, None));
        assert_eq!(pattern("DELETE", "/identity/conditionalaccess/policies/1"), Some("/identity/conditionalaccess/policies/{}"));
    }

    #[test]
    fn every_row_has_a_type_and_a_path_that_is_answered() {
        for rule in RULES {
            assert!(rule.shape.is_empty() || Shapes::graph().knows(rule.shape), "{rule:?}");
            assert!(routes::of(rule.pattern).is_some() && rule.pattern == rule.pattern.to_lowercase(), "{rule:?}");
            assert!(!rule.permissions.is_empty() && rule.permissions.iter().all(|set| !set.is_empty()), "{rule:?}");
        }
    }
}
