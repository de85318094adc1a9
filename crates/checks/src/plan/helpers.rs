//! Requests that no check asks for by itself, but that judging needs: licences, and the facts behind functions.

use crate::{Service, rule::Function};

/// Why a request is made beside checks reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Helper {
    Licences,
    Organization,
    /// Gives placeholders their values.
    Listing,
    MfaRegistrations,
    Guests,
    PrivilegedAssignments,
    Principals,
    Applications,
    Roles,
    Policies,
    Memberships,
    Objects,
    Groups,
}

impl Helper {
    /// The facts a function needs.
    pub fn of(function: &Function) -> &'static [Helper] {
        match function {
            Function::UserMfaRegistered => &[Helper::MfaRegistrations],
            Function::PrincipalIsGuest => &[Helper::Guests],
            Function::HasPrivilegedAppRole => &[Helper::PrivilegedAssignments, Helper::Principals],
            Function::HasActivePasswordCredential => &[Helper::Applications],
            Function::ExclusionsCovered => &[Helper::Policies],
            Function::ExcludesEmergencyAccess => &[Helper::Memberships],
            Function::GroupsAll(_) => &[Helper::Groups],
            Function::RefsExist { .. } => &[Helper::Objects, Helper::Roles],
            _ => &[],
        }
    }

    pub fn request(self) -> (Service, &'static str) {
        let path = match self {
            Self::Licences | Self::Listing => "/v1.0/subscribedSkus",
            Self::Organization => "/v1.0/organization",
            Self::MfaRegistrations => "/v1.0/reports/authenticationMethods/userRegistrationDetails?$select=id,isMfaRegistered",
            Self::Guests => "/v1.0/users?$filter=userType eq 'Guest'&$select=id",
            Self::PrivilegedAssignments => "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/appRoleAssignedTo",
            Self::Principals => "/v1.0/servicePrincipals?$select=id,appId,displayName",
            Self::Applications => "/v1.0/applications?$select=id,appId,displayName,passwordCredentials",
            Self::Roles => "/v1.0/roleManagement/directory/roleDefinitions?$select=id,templateId",
            Self::Policies => "/v1.0/identity/conditionalAccess/policies",
            Self::Memberships => "/v1.0/users/{emergencyAccountId}/transitiveMemberOf?$select=id",
            Self::Objects => "/v1.0/directoryObjects/{ref}?$select=id",
            Self::Groups => "/v1.0/groups/{groupRef}?$select=id,displayName,isAssignableToRole,isManagementRestricted",
        };
        (Service::Graph, path)
    }

    /// What is kept of the answer.
    pub fn looks(self) -> &'static [&'static str] {
        match self {
            Self::Licences => {
                &["value[].[skuId,capabilityStatus]", "value[].servicePlans[].[servicePlanId,servicePlanName,provisioningStatus]"]
            }
            Self::Organization => &["value[].onPremisesSyncEnabled"],
            Self::MfaRegistrations => &["value[].isMfaRegistered"],
            Self::PrivilegedAssignments => &["value[].[principalId,appRoleId]"],
            Self::Principals => &["value[].appId"],
            Self::Applications => &["value[].appId", "value[].passwordCredentials[].endDateTime"],
            Self::Roles => &["value[].templateId"],
            Self::Policies => &[
                "value[].state",
                "value[].conditions.users.[includeUsers,excludeUsers,includeGroups,excludeGroups,includeRoles,excludeRoles]",
            ],
            Self::Groups => &["isAssignableToRole", "isManagementRestricted"],
            Self::Listing | Self::Guests | Self::Memberships | Self::Objects => &["value[].id", "id"],
        }
    }
}
