//! Conditional Access policies: whom they exclude, and whether that is meant.

use super::{Scene, Truth, functions::guid};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The report-only state: it never passes, but is shown as what would.
pub const REPORT_ONLY: &str = "enabledForReportingButNotEnforced";

/// Kinds of exclusions and where a policy names them.
const EXCLUSIONS: &[(&str, &str)] = &[
    ("user", "/conditions/users/excludeUsers"),
    ("group", "/conditions/users/excludeGroups"),
    ("role", "/conditions/users/excludeRoles"),
    ("application", "/conditions/applications/excludeApplications"),
];
const GUESTS: &str = "/conditions/users/excludeGuestsOrExternalUsers";

fn list<'v>(policy: &'v Value, pointer: &str) -> Option<Vec<&'v str>> {
    match policy.pointer(pointer)? {
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

/// Every exclusion as (kind, id); `None` where a member that could hold one is absent.
fn exclusions(policy: &Value) -> Option<Vec<(&'static str, &str)>> {
    let mut all = Vec::new();
    for (kind, pointer) in EXCLUSIONS {
        all.extend(list(policy, pointer)?.into_iter().map(|id| (*kind, id)));
    }
    match policy.pointer(GUESTS) {
        None | Some(Value::Null) => {}
        Some(guests) => {
            let types = guests.get("guestOrExternalUserTypes")?.as_str()?;
            all.extend(types.split(',').map(|kind| ("guests", kind.trim())));
        }
    }
    Some(all)
}

/// True when all exclusions are declared. Reading leniently it is true anyway, and the undeclared ones are noted.
pub fn exclusions_accepted(policy: &Value, scene: &Scene<'_>) -> Truth {
    let Some(excluded) = exclusions(policy) else { return Truth::Unknown };
    let declared = |kind: &str, id: &str| {
        let id = id.to_lowercase();
        let emergency = match kind {
            "user" => scene.names.emergency_accounts.contains(&id),
            "group" => scene.names.emergency_groups.contains(&id),
            _ => false,
        };
        emergency || scene.names.exclusions.contains(&id) || scene.names.exclusions.contains(&format!("{kind}:{id}"))
    };
    let undeclared: BTreeSet<String> =
        excluded.into_iter().filter(|(kind, id)| !declared(kind, id)).map(|(kind, id)| format!("{kind}:{id}")).collect();
    if undeclared.is_empty() {
        return Truth::True;
    }
    if scene.reading.lenient {
        scene.undeclared.borrow_mut().extend(undeclared);
    }
    scene.reading.lenient.into()
}

/// True when each emergency account is excluded, itself or through a group it is in.
pub fn excludes_emergency_access(policy: &Value, scene: &Scene<'_>) -> Truth {
    let names = scene.names;
    if names.emergency_accounts.is_empty() && names.emergency_groups.is_empty() {
        scene.not_configured.set(true);
        return Truth::Unknown;
    }
    let (Some(users), Some(groups)) = (list(policy, EXCLUSIONS[0].1), list(policy, EXCLUSIONS[1].1)) else { return Truth::Unknown };
    let groups: BTreeSet<String> = groups.iter().map(|id| id.to_lowercase()).collect();
    let by_group = !groups.is_disjoint(&names.emergency_groups);
    if names.emergency_accounts.is_empty() {
        return by_group.into();
    }
    Truth::all(names.emergency_accounts.iter().map(|account| {
        if by_group || users.iter().any(|user| user.eq_ignore_ascii_case(account)) {
            return Truth::True;
        }
        match scene.facts.memberships.get(account) {
            Some(of) => (!of.is_disjoint(&groups)).into(),
            None if groups.is_empty() => Truth::False,
            None => Truth::Unknown,
        }
    }))
}

/// True when whoever an enabled policy excludes is included by another enabled policy. Emergency accounts are left out.
pub fn exclusions_covered(policy: &Value, scene: &Scene<'_>) -> Truth {
    let enabled = |policy: &Value| policy.get("state").and_then(Value::as_str).map(|state| state == "enabled");
    match enabled(policy) {
        None => return Truth::Unknown,
        Some(false) => return Truth::True,
        Some(true) => {}
    }
    let Some(all) = &scene.facts.policies else { return Truth::Unknown };
    let others: Vec<&Value> = all.iter().filter(|other| enabled(other) == Some(true) && other.get("id") != policy.get("id")).collect();
    let covered = |include: &str, exclude: &str, id: &str| {
        others.iter().any(|other| {
            let has = |pointer: &str, id: &str| list(other, pointer).is_some_and(|l| l.iter().any(|one| one.eq_ignore_ascii_case(id)));
            !has(exclude, id) && (has(include, id) || has("/conditions/users/includeUsers", "All"))
        })
    };
    let kinds = [("Users", 0), ("Groups", 1), ("Roles", 2)];
    Truth::all(kinds.iter().map(|(kind, at)| {
        let exclude = EXCLUSIONS[*at].1;
        let Some(excluded) = list(policy, exclude) else { return Truth::Unknown };
        let include = format!("/conditions/users/include{kind}");
        excluded.into_iter().filter(|id| !scene.names.emergency(id)).all(|id| covered(&include, exclude, id)).into()
    }))
}

/// Ids of the groups a policy includes or excludes.
pub fn groups(policy: &Value) -> Vec<Uuid> {
    let named = ["/conditions/users/includeGroups", EXCLUSIONS[1].1].into_iter().filter_map(|pointer| list(policy, pointer));
    named.flatten().filter_map(|id| guid(Some(id))).collect()
}
