//! Who holds a highly privileged role, and the rules under which such roles are given: `privileged_users`, `privileged_roles`.

use super::{Export, pascal};
use serde_json::{Map, Value, json};

const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments?$expand=principal";
const ELIGIBLE: &str = "/v1.0/roleManagement/directory/roleEligibilitySchedules?$expand=principal";
const INSTANCES: &str = "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances";
const RULES: &str =
    "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)";
pub const READS: [&str; 4] = [ASSIGNMENTS, ELIGIBLE, INSTANCES, RULES];

/// The roles ScubaGear calls highly privileged: template id and name.
const ROLES: [(&str, &str); 8] = [
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    ("8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", "Hybrid Identity Administrator"),
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    ("158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator"),
];

fn items<'e>(export: &Export<'e>, path: &str) -> Option<&'e [Value]> {
    export.answers.get(path)?.get("value")?.as_array().map(Vec::as_slice)
}

fn role_of(item: &Value) -> Option<&'static str> {
    let id = item.get("roleDefinitionId")?.as_str()?;
    ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, name)| *name)
}

pub fn put(export: &mut Export<'_>) {
    people(export);
    roles(export);
}

fn people(export: &mut Export<'_>) {
    let (active, eligible) = (items(export, ASSIGNMENTS), items(export, ELIGIBLE));
    let (mut users, mut services) = (Map::new(), Map::new());
    let mut whole = active.is_some();
    for item in active.into_iter().chain(eligible).flatten() {
        let (Some(role), Some(principal)) = (role_of(item), item.get("principal").filter(|principal| principal.is_object())) else {
            continue;
        };
        let word = |member: &str| principal.get(member).cloned().unwrap_or_default();
        let Some(id) = principal.get("id").and_then(Value::as_str).map(str::to_owned) else { continue };
        let (holders, fresh) = match principal.get("@odata.type").and_then(Value::as_str) {
            Some("#microsoft.graph.servicePrincipal") => {
                (&mut services, json!({"ServicePrincipalId": id, "AppId": word("appId"), "DisplayName": word("displayName"), "roles": []}))
            }
            // Who is in a group that holds a role is not read here, so that who holds the role is not known.
            Some("#microsoft.graph.group") => {
                whole = false;
                continue;
            }
            _ => {
                let anchor = principal.get("onPremisesImmutableId").cloned();
                let synced = principal
                    .get("onPremisesSyncEnabled")
                    .map(|synced| if synced == &Value::Bool(true) { json!("synchronised") } else { Value::Null });
                let anchor =
                    anchor.filter(|anchor| !anchor.is_null()).or(synced).or_else(|| principal.get("onPremisesImmutableId").cloned());
                whole &= anchor.is_some();
                (&mut users, json!({"DisplayName": word("displayName"), "OnPremisesImmutableId": anchor, "roles": []}))
            }
        };
        let holder = holders.entry(id).or_insert(fresh);
        if let Some(roles) = holder.get_mut("roles").and_then(Value::as_array_mut).filter(|roles| !roles.iter().any(|known| known == role))
        {
            roles.push(json!(role));
        }
    }
    export.done.extend(whole.then_some("Get-PrivilegedUser"));
    export.put("privileged_users", Value::Object(users));
    export.put("privileged_service_principals", Value::Object(services));
}

fn roles(export: &mut Export<'_>) {
    let (instances, policies) = (items(export, INSTANCES), items(export, RULES));
    let mut roles = Vec::new();
    for (template, name) in ROLES {
        let of = |item: &&Value| role_of(item) == Some(name);
        let assignments: Vec<Value> = instances.into_iter().flatten().filter(of).map(pascal).collect();
        let rules = policies
            .into_iter()
            .flatten()
            .filter(of)
            .flat_map(|policy| policy.pointer("/policy/rules").and_then(Value::as_array).into_iter().flatten());
        let rules: Vec<Value> = rules.map(|rule| sourced(pascal(rule), name)).collect();
        roles.push(json!({"DisplayName": name, "RoleTemplateId": template, "Assignments": assignments, "Rules": rules}));
    }
    let whole = instances.is_some() && policies.is_some();
    export.done.extend(whole.then_some("Get-PrivilegedRole"));
    export.put("privileged_roles", Value::Array(roles));
}

/// A rule says where it is from: a role, or a group that holds one.
fn sourced(mut rule: Value, role: &str) -> Value {
    if let Some(members) = rule.as_object_mut() {
        members.insert("RuleSource".to_owned(), json!(role));
        members.insert("RuleSourceType".to_owned(), json!("Directory Role"));
    }
    rule
}
