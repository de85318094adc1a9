//! Functions: conditions that need more than a comparison, such as the tenant's settings or facts from other answers.

use super::{
    Predicate, RuleError, Scene, Truth,
    path::Path,
    policy,
    predicate::At,
    values::{self, is_guid},
};
use serde_json::{Map, Value};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub enum Function {
    /// Whatever a Conditional Access policy excludes is declared by the tenant.
    ExclusionsAccepted,
    /// A policy excludes each emergency access account.
    ExcludesEmergencyAccess,
    /// The principal is none of the emergency access accounts.
    NotEmergencyAccess,
    /// Whoever a policy excludes is included by another enabled one.
    ExclusionsCovered,
    /// Each group a policy names satisfies this.
    GroupsAll(Box<Predicate>),
    /// The objects whose ids stand at these paths exist; without paths, the one whose id this is.
    RefsExist {
        paths: Vec<Path>,
        roles: Vec<Path>,
        ignore: Vec<String>,
    },
    /// A principal has a client secret that has not expired, of its own or of its application.
    HasActivePasswordCredential,
    /// An application asks for, or holds, an application role that leads to control over the directory.
    HasPrivilegedAppRole,
    /// A user has one of these service plans.
    HasServicePlan(Vec<String>),
    UserMfaRegistered,
    /// The tenant has said that this object is as it should be.
    AcceptedEntity,
    /// An assignment is of a privileged role.
    PrivilegedRole,
    /// A role's policy asks for an authentication context on activation.
    PimAuthContextEnabled,
    /// The principal of a role assignment is a guest.
    PrincipalIsGuest,
    /// A port lies in one of the ranges at these paths.
    PortInRanges {
        port: u16,
        paths: Vec<Path>,
    },
    /// The object, written as JSON, holds this text.
    JsonTextContains(String),
    /// From start to end there are at most so many days.
    ValidityDaysLte {
        start: Path,
        end: Path,
        days: f64,
    },
    UserAccountEnabled,
}

/// Names, for messages.
const NAMES: &[&str] = &[
    "exclusions_accepted",
    "excludes_emergency_access",
    "not_emergency_access",
    "exclusions_covered",
    "groups_all",
    "refs_exist",
    "has_active_password_credential",
    "has_privileged_app_role",
    "has_service_plan",
    "user_mfa_registered",
    "accepted_entity",
    "privileged_role",
    "pim_auth_context_enabled",
    "principal_is_guest",
    "port_in_ranges",
    "json_text_contains",
    "validity_days_lte",
    "user_account_enabled",
];

/// Role templates that Microsoft marks as privileged or that lead to one that is.
const PRIVILEGED_ROLES: &[&str] = &[
    "62e90394-69f5-4237-9190-012177145e10", // Global Administrator
    "e8611ab8-c189-46e8-94e1-60213ab1f814", // Privileged Role Administrator
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13", // Privileged Authentication Administrator
    "194ae4cb-b126-40b2-bd5b-6091b380977d", // Security Administrator
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", // Conditional Access Administrator
    "29232cdf-9323-42fd-ade2-1d097af3e4de", // Exchange Administrator
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c", // SharePoint Administrator
    "fe930be7-5e62-47db-91af-98c3a49a38b1", // User Administrator
    "c4e39bd9-1100-46d3-8c65-fb160da0071f", // Authentication Administrator
    "729827e3-9c14-49f7-bb1b-9608f156bbb8", // Helpdesk Administrator
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", // Application Administrator
    "158c047a-c907-4556-b7ef-446551a6b5f7", // Cloud Application Administrator
    "966707d0-3269-4727-9be2-8c3a10f19b9d", // Password Administrator
    "3a2c62db-5318-420d-8d74-23affee5d9d5", // Intune Administrator
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", // Hybrid Identity Administrator
    "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8", // Partner Tier2 Support
];

/// Application roles of Microsoft Graph that lead to Global Administrator, directly or by a step.
pub const PRIVILEGED_APP_ROLES: &[&str] = &[
    "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8", // RoleManagement.ReadWrite.Directory
    "06b708a9-e830-4db3-a914-8e69da51d44f", // AppRoleAssignment.ReadWrite.All
    "50483e42-d915-4231-9639-7fdb7fd190e5", // UserAuthenticationMethod.ReadWrite.All
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", // Application.ReadWrite.All
    "19dbc75e-c2e2-444c-a770-ec69d8559fc7", // Directory.ReadWrite.All
    "62a82d76-70ea-41e2-9197-370581804d09", // Group.ReadWrite.All
];

impl Function {
    /// # Errors
    /// An unknown function, or one without what it needs.
    pub fn parse(name: &Value, members: &Map<String, Value>, at: &At<'_>) -> Result<Self, RuleError> {
        let name = name.as_str().unwrap_or_default();
        let need = |member: &str| members.get(member).ok_or_else(|| at.wrong(&format!("{name} needs {member}")));
        let path = |text: &Value| match text.as_str() {
            Some(text) => Path::parse(text).map_err(|e| at.wrong(&e.to_string())),
            None => Err(at.wrong(&format!("{name}: a path is text, not {text}"))),
        };
        let paths = || need("paths")?.as_array().into_iter().flatten().map(path).collect::<Result<Vec<_>, _>>();
        let text =
            |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| at.wrong(&format!("{name}: value is text, not {value}")));
        let takes: &[&str] = match name {
            "groups_all" => &["predicate"],
            "refs_exist" => &["paths", "ignore"],
            "port_in_ranges" => &["value", "paths"],
            "validity_days_lte" => &["start", "end", "value"],
            "has_service_plan" | "json_text_contains" => &["value"],
            _ => &[],
        };
        if let Some(key) = members.keys().find(|key| *key != "fn" && !takes.contains(&key.as_str())) {
            return Err(at.wrong(&format!("{name} takes no {key}")));
        }
        Ok(match name {
            "exclusions_accepted" => Self::ExclusionsAccepted,
            "excludes_emergency_access" => Self::ExcludesEmergencyAccess,
            "not_emergency_access" => Self::NotEmergencyAccess,
            "exclusions_covered" => Self::ExclusionsCovered,
            "groups_all" => Self::GroupsAll(Box::new(Predicate::parse(need("predicate")?, &at.member("predicate"))?)),
            "refs_exist" => {
                let written = need("paths")?.as_array().into_iter().flatten();
                let (roles, paths): (Vec<&Value>, Vec<&Value>) = written.partition(|p| p.as_str().is_some_and(|p| p.ends_with("Roles")));
                let all = |texts: Vec<&Value>| texts.into_iter().map(path).collect::<Result<Vec<_>, _>>();
                Self::RefsExist { paths: all(paths)?, roles: all(roles)?, ignore: ignored(members.get("ignore")) }
            }
            "has_active_password_credential" => Self::HasActivePasswordCredential,
            "has_privileged_app_role" => Self::HasPrivilegedAppRole,
            "has_service_plan" => {
                Self::HasServicePlan(need("value")?.as_array().into_iter().flatten().map(text).collect::<Result<_, _>>()?)
            }
            "user_mfa_registered" => Self::UserMfaRegistered,
            "accepted_entity" => Self::AcceptedEntity,
            "privileged_role" => Self::PrivilegedRole,
            "pim_auth_context_enabled" => Self::PimAuthContextEnabled,
            "principal_is_guest" => Self::PrincipalIsGuest,
            "port_in_ranges" => {
                let port = need("value")?.as_u64().and_then(|port| u16::try_from(port).ok());
                Self::PortInRanges { port: port.ok_or_else(|| at.wrong("port_in_ranges: value is a port"))?, paths: paths()? }
            }
            "json_text_contains" => Self::JsonTextContains(text(need("value")?)?),
            "validity_days_lte" => {
                let days = need("value")?.as_f64().ok_or_else(|| at.wrong("validity_days_lte: value is a number of days"))?;
                Self::ValidityDaysLte { start: path(need("start")?)?, end: path(need("end")?)?, days }
            }
            "user_account_enabled" => Self::UserAccountEnabled,
            _ => return Err(at.wrong(&format!("{name:?} is no function; there are {}", NAMES.join(", ")))),
        })
    }

    /// The operator `refs_exist`: of each element, which is an id.
    ///
    /// # Errors
    /// Where `expected` is neither true nor an object of type and ignore.
    pub fn ref_exists(expected: &Value, at: &At<'_>) -> Result<Self, RuleError> {
        match expected {
            Value::Bool(true) | Value::Null | Value::Object(_) => {
                Ok(Self::RefsExist { paths: Vec::new(), roles: Vec::new(), ignore: ignored(expected.get("ignore")) })
            }
            other => Err(at.wrong(&format!("refs_exist takes {{type, ignore}}, not {other}"))),
        }
    }

    /// What the function says of an object.
    pub fn test(&self, object: &Value, outer: Option<&Value>, scene: &Scene<'_>) -> Truth {
        match self {
            Self::ExclusionsAccepted => policy::exclusions_accepted(object, scene),
            Self::ExcludesEmergencyAccess => policy::excludes_emergency_access(object, scene),
            Self::ExclusionsCovered => policy::exclusions_covered(object, scene),
            Self::NotEmergencyAccess => match text(object, &["principalId", "userId", "id"]) {
                Some(id) => (!scene.names.emergency(id)).into(),
                None => Truth::Unknown,
            },
            Self::GroupsAll(predicate) => Truth::all(policy::groups(object).into_iter().map(|id| match scene.facts.groups.get(&id) {
                // A group that is deleted protects nothing and harms nothing; refs_exist tells of it.
                Some(None) => Truth::True,
                Some(Some(group)) => predicate.test(group, None, scene),
                None => Truth::Unknown,
            })),
            Self::RefsExist { paths, roles, ignore } => refs_exist(object, outer, scene, paths, roles, ignore),
            Self::HasActivePasswordCredential => active_secret(object, scene),
            Self::HasPrivilegedAppRole => privileged_app(object, scene),
            Self::HasServicePlan(plans) => service_plan(object, plans, scene),
            Self::UserMfaRegistered => {
                let known = guid(object.as_str().or_else(|| text(object, &["id", "userId", "principalId"])));
                known.and_then(|id| scene.facts.mfa.as_ref()?.get(&id).copied()).into()
            }
            Self::AcceptedEntity => accepted(object, scene).into(),
            Self::PrivilegedRole => match text(object, &["roleDefinitionId"]) {
                Some(role) => PRIVILEGED_ROLES.iter().any(|known| known.eq_ignore_ascii_case(role)).into(),
                None => Truth::Unknown,
            },
            Self::PimAuthContextEnabled => auth_context(object, outer),
            Self::PrincipalIsGuest => {
                let from = object.get("properties").unwrap_or(object);
                match from.get("principalType").and_then(Value::as_str) {
                    Some(kind) if !kind.eq_ignore_ascii_case("User") => Truth::False,
                    _ => guid(text(from, &["principalId"])).and_then(|id| Some(scene.facts.guests.as_ref()?.contains(&id))).into(),
                }
            }
            Self::PortInRanges { port, paths } => port_in_ranges(object, outer, *port, paths),
            Self::JsonTextContains(part) => object.to_string().contains(&json_inner(part)).into(),
            Self::ValidityDaysLte { start, end, days } => {
                let date = |path: &Path| path.first(object, outer).filter(|v| !values::never(v)).and_then(|v| values::date(&v));
                date(start).zip(date(end)).map(|(start, end)| values::days(start, end) <= *days).into()
            }
            Self::UserAccountEnabled => object.get("accountEnabled").and_then(Value::as_bool).into(),
        }
    }

    /// Directory objects and groups that the function must be able to look up by id, for this object.
    pub fn lookups(&self, object: &Value, outer: Option<&Value>, objects: &mut Vec<Uuid>, groups: &mut Vec<Uuid>) {
        match self {
            Self::GroupsAll(_) => groups.extend(policy::groups(object)),
            Self::RefsExist { paths, ignore, .. } => {
                let ids = ids(object, outer, paths).into_iter().flatten();
                objects.extend(ids.filter(|id| !ignore.contains(id)).filter_map(|id| guid(Some(&id))));
            }
            _ => {}
        }
    }
}

/// Text as it stands inside a JSON text.
fn json_inner(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn ignored(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

pub fn text<'v>(object: &'v Value, members: &[&str]) -> Option<&'v str> {
    members.iter().find_map(|member| object.get(member)?.as_str())
}

pub fn guid(text: Option<&str>) -> Option<Uuid> {
    text.filter(|text| is_guid(text))?.parse().ok()
}

/// Whether the tenant accepts this object for this check: by its id, its application id, its name, or as the value it is.
pub fn accepted(object: &Value, scene: &Scene<'_>) -> bool {
    let names = ["id", "appId", "principalId", "displayName", "name"].iter().filter_map(|member| object.get(member)?.as_str());
    !scene.names.entities.is_empty() && names.chain(object.as_str()).any(|name| scene.names.entities.contains(&name.to_lowercase()))
}

/// The ids at some paths; `None` where a path leads to nothing that could hold ids.
fn ids(object: &Value, outer: Option<&Value>, paths: &[Path]) -> Vec<Option<String>> {
    if paths.is_empty() {
        return vec![object.as_str().map(str::to_owned)];
    }
    let found = paths.iter().flat_map(|path| path.find(object, outer));
    found
        .flat_map(|found| match found.value.as_deref() {
            Some(Value::Array(list)) => list.iter().map(|id| id.as_str().map(str::to_owned)).collect(),
            Some(Value::String(id)) => vec![Some(id.clone())],
            Some(Value::Null) => Vec::new(),
            _ => vec![None],
        })
        .collect()
}

fn refs_exist(object: &Value, outer: Option<&Value>, scene: &Scene<'_>, paths: &[Path], roles: &[Path], ignore: &[String]) -> Truth {
    let one = |id: Option<String>, exists: &dyn Fn(Uuid) -> Option<bool>| match id {
        None => Truth::Unknown,
        // Words like All and None are no references.
        Some(id) if ignore.contains(&id) || !is_guid(&id) => Truth::True,
        Some(id) => guid(Some(&id)).and_then(exists).into(),
    };
    let objects = |id: Uuid| scene.facts.objects.get(&id).copied();
    let role = |id: Uuid| scene.facts.roles.as_ref().map(|roles| roles.contains(&id));
    let found = if paths.is_empty() && !roles.is_empty() { Vec::new() } else { ids(object, outer, paths) };
    let of_roles = if roles.is_empty() { Vec::new() } else { ids(object, outer, roles) };
    Truth::all(found.into_iter().map(|id| one(id, &objects)).chain(of_roles.into_iter().map(|id| one(id, &role))))
}

fn active_secret(object: &Value, scene: &Scene<'_>) -> Truth {
    let own = match object.get("passwordCredentials") {
        Some(Value::Array(secrets)) => Truth::any(secrets.iter().map(|secret| active(secret, scene))),
        Some(Value::Null) => Truth::False,
        _ => Truth::Unknown,
    };
    let of_app = guid(text(object, &["appId"])).and_then(|id| Some(scene.facts.secret_apps.as_ref()?.contains(&id)));
    Truth::any([own, of_app.into()])
}

/// Whether a secret has not expired; one without an end never does.
pub fn active(secret: &Value, scene: &Scene<'_>) -> Truth {
    match secret.get("endDateTime") {
        Some(Value::Null) => Truth::True,
        Some(end) => values::date(end).map(|end| end > scene.now).into(),
        None => Truth::Unknown,
    }
}

fn privileged_app(object: &Value, scene: &Scene<'_>) -> Truth {
    if let Some(Value::Array(resources)) = object.get("requiredResourceAccess") {
        let access = |resource: &Value| resource.get("resourceAccess").and_then(Value::as_array).cloned();
        return Truth::any(resources.iter().map(|resource| match access(resource) {
            None => Truth::Unknown,
            Some(roles) => Truth::any(roles.iter().map(|role| match (text(role, &["id"]), text(role, &["type"])) {
                (Some(id), Some(kind)) => (kind == "Role" && PRIVILEGED_APP_ROLES.contains(&id.to_lowercase().as_str())).into(),
                _ => Truth::Unknown,
            })),
        }));
    }
    let Some(privileged) = &scene.facts.privileged_principals else { return Truth::Unknown };
    match guid(text(object, &["appId"])) {
        Some(app) => match scene.facts.principals.as_ref().map(|of| of.get(&app)) {
            Some(Some(principal)) => privileged.contains(principal).into(),
            // No service principal here: no role here.
            Some(None) => Truth::False,
            None => Truth::Unknown,
        },
        None => guid(text(object, &["id", "principalId"])).map(|id| privileged.contains(&id)).into(),
    }
}

fn service_plan(object: &Value, plans: &[String], scene: &Scene<'_>) -> Truth {
    // Only users have plans.
    if text(object, &["@odata.type"]).is_some_and(|kind| kind != "#microsoft.graph.user") {
        return Truth::False;
    }
    let wanted = |id: Option<&str>| id.is_some_and(|id| plans.iter().any(|plan| plan.eq_ignore_ascii_case(id)));
    if let Some(Value::Array(assigned)) = object.get("assignedPlans") {
        return Truth::any(assigned.iter().map(|plan| {
            let on = text(plan, &["capabilityStatus"]).map(|status| ["Enabled", "Warning"].contains(&status));
            if wanted(text(plan, &["servicePlanId"])) { on.into() } else { Truth::False }
        }));
    }
    let (Some(Value::Array(licences)), Some(products)) = (object.get("assignedLicenses"), &scene.facts.plans_of_sku) else {
        return Truth::Unknown;
    };
    Truth::any(licences.iter().map(|licence| {
        let off = |plan: &String| {
            let disabled = licence.get("disabledPlans").and_then(Value::as_array);
            disabled.is_some_and(|off| off.iter().any(|id| id.as_str().is_some_and(|id| id.eq_ignore_ascii_case(plan))))
        };
        let product = text(licence, &["skuId"]).and_then(|sku| products.get(&sku.to_lowercase()));
        product.map(|plans| plans.iter().any(|plan| wanted(Some(plan)) && !off(plan))).into()
    }))
}

fn auth_context(object: &Value, outer: Option<&Value>) -> Truth {
    let rules = outer.and_then(|role| role.pointer("/policy/rules")).or_else(|| object.pointer("/policy/rules"));
    let Some(rules) = rules.and_then(Value::as_array) else { return Truth::Unknown };
    match rules.iter().find(|rule| text(rule, &["id"]) == Some("AuthenticationContext_EndUser_Assignment")) {
        None => Truth::False,
        Some(rule) => {
            let on = rule.get("isEnabled").and_then(Value::as_bool).into();
            let named = rule.get("claimValue").map(|claim| claim.as_str().is_some_and(|claim| !claim.is_empty())).into();
            Truth::all([on, named])
        }
    }
}

fn port_in_ranges(object: &Value, outer: Option<&Value>, port: u16, paths: &[Path]) -> Truth {
    let ranges: Vec<Option<String>> = ids_or_empty(object, outer, paths);
    if ranges.is_empty() {
        return Truth::Unknown;
    }
    Truth::any(ranges.into_iter().map(|range| range.and_then(|range| in_range(&range, port)).into()))
}

/// As [`ids`], an absent list counting as empty: a rule has its ports in one member or in a list of them.
fn ids_or_empty(object: &Value, outer: Option<&Value>, paths: &[Path]) -> Vec<Option<String>> {
    let there = paths.iter().filter(|path| path.first(object, outer).is_some()).cloned().collect::<Vec<_>>();
    if there.is_empty() { Vec::new() } else { ids(object, outer, &there) }
}

fn in_range(range: &str, port: u16) -> Option<bool> {
    if range == "*" {
        return Some(true);
    }
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    Some((from.trim().parse::<u16>().ok()?..=to.trim().parse().ok()?).contains(&port))
}
