//! ScubaGear's rules read one provider export, shaped by PowerShell cmdlets: members in PascalCase, one member of the export a cmdlet, and
//! a list of the commands that succeeded. This builds that export from Graph's answers, as far as Graph has them.
//! Source of the shape: ScubaGear 1.8, `docs/misc/tooloutputschema.md` and its sample reports (cisagov/ScubaGear, CC0).
//!
//! What must stay true: a command counts as successful only where every answer it stands for was read whole, so that no rule passes on
//! what is not there.

mod privileged;

use super::manifest::ScubaProduct;
use crate::{Job, rule::PRIVILEGED_APP_ROLES};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const POLICIES: &str = "/beta/identity/conditionalAccess/policies";
const AUTHORIZATION: &str = "/v1.0/policies/authorizationPolicy";
const SETTINGS: &str = "/v1.0/groupSettings";
const METHODS: &str = "/beta/policies/authenticationMethodsPolicy";
const DOMAINS: &str = "/v1.0/domains";
const SKUS: &str = "/v1.0/subscribedSkus";
const ORGANIZATION: &str = "/v1.0/organization";
const APPLICATIONS: &str =
    "/v1.0/applications?$select=id,appId,displayName,signInAudience,keyCredentials,passwordCredentials,requiredResourceAccess";
const SHAREPOINT: &str = "/v1.0/admin/sharepoint/settings";

/// Commands of ScubaGear's providers that Graph has no answer for here: tests that need them come out as errors, never as passes.
pub const NOT_IN_GRAPH: &[&str] = &[
    "Get-MgBetaUserCount",
    "Get-ServicePrincipalsWithRiskyPermissions",
    "Format-RiskyThirdPartyServicePrincipals",
    "Get-ServicePrincipalsWithRiskyDelegatedPermissionClassifications",
    "Get-LegacyExchangeServicePrincipal",
    "Get-DedicatedExchangeHybridApplications",
];

/// What is read for a product's export.
pub fn reads(product: ScubaProduct) -> Vec<&'static str> {
    match product {
        ScubaProduct::Aad => {
            let mut paths = vec![POLICIES, AUTHORIZATION, SETTINGS, METHODS, DOMAINS, SKUS, ORGANIZATION, APPLICATIONS];
            paths.extend(privileged::READS);
            paths
        }
        ScubaProduct::SharePoint => vec![SHAREPOINT, ORGANIZATION],
    }
}

/// The provider export of some products, and the commands it has answers of. `answers` are bodies by the paths of [`reads`].
pub fn export(products: &BTreeSet<ScubaProduct>, job: &Job, answers: &BTreeMap<String, Value>) -> (Value, BTreeSet<String>) {
    let mut export = Export { answers, members: Map::new(), done: BTreeSet::new() };
    export.frame(job, products);
    let mut all = BTreeSet::new();
    for product in products {
        let before = std::mem::take(&mut export.done);
        let (prefix, commands) = match product {
            ScubaProduct::Aad => {
                export.aad();
                ("aad", AAD)
            }
            ScubaProduct::SharePoint => {
                export.sharepoint();
                ("SharePoint", SHAREPOINT_COMMANDS)
            }
        };
        let lacking: Vec<&&str> = commands.iter().filter(|command| !export.done.contains(**command)).collect();
        export.members.insert(format!("{prefix}_unsuccessful_commands"), json!(lacking));
        export.members.insert(format!("{prefix}_successful_commands"), json!(export.done));
        all.extend(std::mem::replace(&mut export.done, before).into_iter().map(str::to_owned));
    }
    (Value::Object(export.members), all)
}

/// The commands of the Entra provider.
const AAD: &[&str] = &[
    "Get-MgBetaIdentityConditionalAccessPolicy",
    "Get-MgBetaSubscribedSku",
    "Get-PrivilegedUser",
    "Get-PrivilegedRole",
    "Get-MgBetaUserCount",
    "Get-MgBetaPolicyAuthorizationPolicy",
    "Get-MgBetaDirectorySetting",
    "Get-MgBetaPolicyAuthenticationMethodPolicy",
    "Get-MgBetaDomain",
    "Get-ApplicationsWithRiskyPermissions",
    "Get-ServicePrincipalsWithRiskyPermissions",
    "Format-RiskyApplications",
    "Format-RiskyThirdPartyServicePrincipals",
    "Get-ServicePrincipalsWithRiskyDelegatedPermissionClassifications",
    "Get-LegacyExchangeServicePrincipal",
    "Get-DedicatedExchangeHybridApplications",
];
/// Both names under which ScubaGear's SharePoint rules have known the one command.
const SHAREPOINT_COMMANDS: &[&str] = &["Get-SPOTenantRest", "Get-SPOTenant"];

struct Export<'a> {
    answers: &'a BTreeMap<String, Value>,
    members: Map<String, Value>,
    done: BTreeSet<&'static str>,
}

impl Export<'_> {
    fn put(&mut self, member: &str, value: Value) {
        self.members.insert(member.to_owned(), value);
    }

    /// A list's items in PascalCase, and the command noted; an empty list where it was not read.
    fn list(&mut self, member: &str, path: &str, command: &'static str) {
        let items = self.answers.get(path).and_then(|body| body.get("value")).and_then(Value::as_array);
        self.done.extend(items.map(|_| command));
        let items: Vec<Value> = items.into_iter().flatten().map(pascal).collect();
        self.put(member, Value::Array(items));
    }

    fn frame(&mut self, job: &Job, products: &BTreeSet<ScubaProduct>) {
        let organization = self.answers.get(ORGANIZATION).and_then(|body| body.pointer("/value/0")).cloned().unwrap_or_default();
        let domains = organization.get("verifiedDomains").and_then(Value::as_array).into_iter().flatten();
        let initial = domains.clone().find(|domain| domain.get("isInitial") == Some(&Value::Bool(true)));
        let domain = initial.and_then(|domain| domain.get("name")).cloned().unwrap_or_else(|| json!(job.directory_name));
        let name = organization.get("displayName").cloned().unwrap_or_else(|| json!(job.directory_name));
        let mut config = job.settings.scuba_config.as_object().cloned().unwrap_or_default();
        let named: Vec<&str> = products.iter().map(|p| if *p == ScubaProduct::Aad { "aad" } else { "sharepoint" }).collect();
        config.entry("ProductNames").or_insert_with(|| json!(named));
        config.entry("M365Environment").or_insert_with(|| json!("commercial"));
        self.put("baseline_version", json!("1"));
        self.put("module_version", json!("1.8.0"));
        self.put("date", json!(job.now.strftime("%m/%d/%Y %H:%M:%S Coordinated Universal Time").to_string()));
        self.put("timestamp_zulu", json!(job.now.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()));
        self.put(
            "tenant_details",
            json!([{"TenantId": job.directory, "DisplayName": name, "DomainName": domain, "AADAdditionalData": [pascal(&organization)]}]),
        );
        self.put("scuba_config", Value::Object(config));
    }

    fn aad(&mut self) {
        self.list("conditional_access_policies", POLICIES, "Get-MgBetaIdentityConditionalAccessPolicy");
        self.put("cap_table_data", json!([]));
        self.authorization();
        self.list("directory_settings", SETTINGS, "Get-MgBetaDirectorySetting");
        self.methods();
        self.list("domain_settings", DOMAINS, "Get-MgBetaDomain");
        self.licences();
        privileged::put(self);
        self.applications();
        self.put("risky_third_party_service_principals", json!([]));
        // What ScubaGear writes where the users are not counted.
        self.put("total_user_count", json!(-1));
    }

    /// v1.0 has one policy where the beta has a list of one, and the grant policies one level down.
    fn authorization(&mut self) {
        let mut policies = Vec::new();
        if let Some(policy) = self.answers.get(AUTHORIZATION).filter(|policy| policy.is_object()) {
            let grants = policy.pointer("/defaultUserRolePermissions/permissionGrantPoliciesAssigned").cloned();
            let mut policy = pascal(policy);
            if let (Some(grants), Some(members)) = (grants, policy.as_object_mut()) {
                members.entry("PermissionGrantPolicyIdsAssignedToDefaultUserRole").or_insert(grants);
            }
            policies.push(policy);
            self.done.insert("Get-MgBetaPolicyAuthorizationPolicy");
        }
        self.put("authorization_policies", Value::Array(policies));
    }

    fn methods(&mut self) {
        let mut found = Vec::new();
        if let Some(policy) =
            self.answers.get(METHODS).filter(|policy| policy.get("authenticationMethodConfigurations").is_some_and(Value::is_array))
        {
            let mut policy = pascal(policy);
            let configurations = policy.as_object_mut().and_then(|members| members.remove("AuthenticationMethodConfigurations"));
            found.push(json!({"authentication_method_policy": policy, "authentication_method_feature_settings": configurations}));
            self.done.insert("Get-MgBetaPolicyAuthenticationMethodPolicy");
        }
        self.put("authentication_method", Value::Array(found));
    }

    fn licences(&mut self) {
        let skus = self.answers.get(SKUS).and_then(|body| body.get("value")).and_then(Value::as_array);
        self.done.extend(skus.map(|_| "Get-MgBetaSubscribedSku"));
        let (mut plans, mut licences) = (Vec::new(), Vec::new());
        for sku in skus.into_iter().flatten() {
            let word = |member: &str| sku.get(member).cloned().unwrap_or_default();
            let units = sku.get("prepaidUnits").map(pascal);
            licences.push(json!({"SkuPartNumber": word("skuPartNumber"), "SkuId": word("skuId"), "ConsumedUnits": word("consumedUnits"), "PrepaidUnits": units}));
            let paid = ["Enabled", "Warning"].iter().any(|state| sku.get("capabilityStatus").is_some_and(|status| status == state));
            let provided = |plan: &&Value| plan.get("provisioningStatus").is_some_and(|status| status == "Success");
            let of = sku.get("servicePlans").and_then(Value::as_array).into_iter().flatten();
            plans.extend(of.filter(|_| paid).filter(provided).map(pascal));
        }
        self.put("service_plans", Value::Array(plans));
        self.put("license_information", Value::Array(licences));
    }

    /// Applications that ask for an application permission by which a directory can be taken over.
    fn applications(&mut self) {
        let apps = self.answers.get(APPLICATIONS).and_then(|body| body.get("value")).and_then(Value::as_array);
        if apps.is_some() {
            self.done.extend(["Get-ApplicationsWithRiskyPermissions", "Format-RiskyApplications"]);
        }
        let mut risky = Vec::new();
        for app in apps.into_iter().flatten() {
            let wanted = app.get("requiredResourceAccess").and_then(Value::as_array).into_iter().flatten();
            let roles = wanted.flat_map(|resource| resource.get("resourceAccess").and_then(Value::as_array).into_iter().flatten());
            let permission = |role: &Value| {
                let id = role.get("id")?.as_str()?.to_lowercase();
                let application = role.get("type")? == "Role";
                let risky = application && PRIVILEGED_APP_ROLES.contains(&id.as_str());
                Some((
                    risky,
                    json!({"RoleId": id, "RoleType": if application { "Application" } else { "Delegated" }, "IsRisky": risky, "IsAdminConsented": null}),
                ))
            };
            let permissions: Vec<(bool, Value)> = roles.filter_map(permission).collect();
            if !permissions.iter().any(|(risky, _)| *risky) {
                continue;
            }
            let word = |member: &str| app.get(member).cloned().unwrap_or_default();
            let credentials = |member: &str| {
                app.get(member)
                    .and_then(Value::as_array)
                    .filter(|all| !all.is_empty())
                    .map(|all| all.iter().map(pascal).collect::<Vec<_>>())
            };
            let many = app.get("signInAudience").is_some_and(|audience| audience != "AzureADMyOrg");
            risky.push(json!({
                "ObjectId": {"Application": word("id"), "ServicePrincipal": null},
                "AppId": word("appId"),
                "DisplayName": word("displayName"),
                "IsMultiTenantEnabled": many,
                "KeyCredentials": credentials("keyCredentials"),
                "PasswordCredentials": credentials("passwordCredentials"),
                "FederatedCredentials": null,
                "Permissions": permissions.into_iter().map(|(_, permission)| permission).collect::<Vec<_>>(),
            }));
        }
        self.put("risky_applications", Value::Array(risky));
    }

    /// Graph gives words where the tenant's own interface gives numbers; what Graph does not have is absent.
    fn sharepoint(&mut self) {
        let number =
            |word: Option<&Value>, words: &[&str]| words.iter().position(|known| word.is_some_and(|word| word == known)).map(Value::from);
        let mut tenants = Vec::new();
        if let Some(settings) = self.answers.get(SHAREPOINT).filter(|settings| settings.is_object()) {
            let sharing = ["disabled", "externalUserSharingOnly", "externalUserAndGuestSharing", "existingExternalUserSharingOnly"];
            let capability = number(settings.get("sharingCapability"), &sharing);
            let mode = number(settings.get("sharingDomainRestrictionMode"), &["none", "allowList", "blockList"]);
            let domains = |member: &str| {
                settings
                    .get(member)
                    .and_then(Value::as_array)
                    .map(|all| json!(all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")))
            };
            let mut tenant = Map::new();
            let members = [
                ("SharingCapability", capability),
                ("SharingDomainRestrictionMode", mode),
                ("SharingAllowedDomainList", domains("sharingAllowedDomainList")),
                ("SharingBlockedDomainList", domains("sharingBlockedDomainList")),
                (
                    "PreventExternalUsersFromResharing",
                    settings.get("isResharingByExternalUsersEnabled").and_then(Value::as_bool).map(|may| json!(!may)),
                ),
                ("LegacyAuthProtocolsEnabled", settings.get("isLegacyAuthProtocolsEnabled").cloned()),
                ("RequireAcceptingAccountMatchInvitedAccount", settings.get("isRequireAcceptingUserToMatchInvitedUserEnabled").cloned()),
            ];
            tenant.extend(members.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?))));
            if tenant.contains_key("SharingCapability") {
                self.done.extend(SHAREPOINT_COMMANDS);
            }
            tenants.push(Value::Object(tenant));
        }
        self.put("SPO_tenant", Value::Array(tenants));
        self.put("OneDrive_PnP_Flag", json!(false));
    }
}

/// Members as PowerShell writes them: each begins with a capital, except annotations.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(pascal).collect()),
        Value::Object(members) => Value::Object(members.iter().map(|(name, value)| (capital(name), pascal(value))).collect()),
        plain => plain.clone(),
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
