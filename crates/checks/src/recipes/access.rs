//! Conditional Access: policies that are made in report-only mode, found again by the mark in their name, and enforced later.
//!
//! What must stay true: nothing is made enforced, and nothing made or enforced without the emergency accounts left out; only a policy
//! with our mark is enforced, and only as it was reviewed, whole; it is removed only as it was made.

use super::{
    change::{Change, MemberChange, Standing},
    judge::{self, Judged},
    members::{TYPE, get, get_or_null, is_nothing, leaves, over, same},
    propose::Proposal,
    recipe::{Method, Recipe, RecipeKind},
    targets::{Left, Planner, Target},
};
use crate::{ObjectRef, rule::REPORT_ONLY};
use serde_json::{Value, json};

/// Where policies are listed and made.
pub const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";
const ENABLED: &str = "enabled";
/// Parts of a policy that people set.
const PARTS: &[&str] = &["conditions", "grantControls", "sessionControls"];
const STRENGTH: &str = "grantControls.authenticationStrength.";
const PHISHING_RESISTANT: &str = "00000000-0000-0000-0000-000000000004";

/// The path of one policy.
pub fn one(id: &str) -> String {
    format!("{POLICIES}/{id}")
}

pub fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The name of a policy that a recipe makes.
fn marked(name: &str, marker: &str) -> String {
    format!("{name} [bailiwick:{marker}]")
}

/// Whether a name is one that a recipe gave.
fn is_marked(display: &str, name: &str) -> bool {
    let mark = display.strip_prefix(name).and_then(|rest| rest.strip_prefix(" [bailiwick:")?.strip_suffix(']'));
    mark.is_some_and(|mark| !mark.is_empty() && mark.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn text<'v>(policy: &'v Value, member: &str) -> &'v str {
    policy.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// The policies of a listing that was read whole.
fn policies(listing: &Value) -> Result<&[Value], Proposal> {
    let whole = listing.get("@odata.nextLink").is_none();
    match listing.get("value").and_then(Value::as_array).filter(|_| whole) {
        Some(policies) => Ok(policies),
        None => Err(Proposal::cannot(Left::Unreadable, "The Conditional Access policies could not be read whole. Plan again.")),
    }
}

/// Proposes a new policy in report-only mode.
pub fn create(planner: &Planner<'_>, recipe: &Recipe, target: &Target, listing: &Value, marker: &str) -> Proposal {
    propose_create(planner, recipe, target, listing, marker).unwrap_or_else(|why| why)
}

fn propose_create(planner: &Planner<'_>, recipe: &Recipe, target: &Target, listing: &Value, marker: &str) -> Result<Proposal, Proposal> {
    let name = recipe.name.as_deref().unwrap_or(&recipe.title);
    if let Some(made) = policies(listing)?.iter().find(|policy| is_marked(text(policy, "displayName"), name)) {
        let next = match text(made, "state") {
            REPORT_ONLY => "It is in report-only mode: scan again, read its report, then enforce it.",
            ENABLED => "It is enforced. Scan again.",
            _ => "It was switched off. Remove it, or switch it to report-only mode.",
        };
        let said = format!("A policy of this recipe is there: {}. {next}", text(made, "displayName"));
        return Err(Proposal::cannot(Left::AlreadyMade, said));
    }
    if judge::all(planner, recipe, None, listing) == Judged::Passes {
        return Ok(Proposal::AlreadySo);
    }
    let policy = policy(planner, recipe, &marked(name, marker))?;
    let mut enforced = as_answered(&policy);
    enforced["state"] = Value::from(ENABLED);
    if let Judged::Fails(check) = judge::all(planner, recipe, None, &json!({"value": [enforced]})) {
        return Err(Proposal::would_not_pass(&check));
    }
    let path = |(path, after)| MemberChange { path, before: Value::Null, after };
    Ok(Proposal::Change(Box::new(Change {
        changed: leaves(&policy).into_iter().map(path).collect(),
        body: policy.clone(),
        after: policy,
        ..Change::of(recipe, target)
    })))
}

/// The policy to send: never enforced, and with the emergency accounts left out.
fn policy(planner: &Planner<'_>, recipe: &Recipe, name: &str) -> Result<Value, Proposal> {
    let settings = planner.settings;
    if settings.emergency_accounts.is_empty() && settings.emergency_groups.is_empty() {
        return Err(Proposal::cannot(Left::NoEmergencyAccounts, NO_EMERGENCY_ACCOUNTS));
    }
    let mut policy = json!({"displayName": name, "state": REPORT_ONLY});
    over(&mut policy, &recipe.body);
    let users = &mut policy["conditions"]["users"];
    for (member, ids) in [("excludeUsers", &settings.emergency_accounts), ("excludeGroups", &settings.emergency_groups)] {
        if !ids.is_empty() {
            users[member] = ids.iter().map(|id| Value::from(id.trim())).collect();
        }
    }
    Ok(policy)
}

pub const NO_EMERGENCY_ACCOUNTS: &str = "No emergency access accounts are configured, and a policy that leaves none out can lock everybody out. \
     Name them in the directory's settings, then plan again.";

/// Proposes to enforce a policy that a recipe made and that has been in report-only mode.
pub fn enforce(planner: &Planner<'_>, recipe: &Recipe, target: &Target, listing: &Value) -> Proposal {
    propose_enforce(planner, recipe, target, listing).unwrap_or_else(|why| why)
}

fn propose_enforce(planner: &Planner<'_>, recipe: &Recipe, target: &Target, listing: &Value) -> Result<Proposal, Proposal> {
    let name = recipe.name.as_deref().unwrap_or(&recipe.title);
    let policies = policies(listing)?;
    let of_state = |policy: &&Value, state: &str| text(policy, "state") == state;
    let ours = |policy: &&Value| is_marked(text(policy, "displayName"), name) && is_id(text(policy, "id"));
    let Some(policy) = policies.iter().find(|policy| ours(policy) && of_state(policy, REPORT_ONLY)) else {
        if policies.iter().any(|policy| ours(&policy) && of_state(&policy, ENABLED)) {
            return Ok(Proposal::AlreadySo);
        }
        return Err(if policies.iter().any(|policy| of_state(&policy, REPORT_ONLY)) {
            Proposal::cannot(
                Left::NotOurs,
                "A report-only policy that would do was made by somebody else. Enforce it in the Entra admin centre.",
            )
        } else {
            Proposal::cannot(Left::NotThere, "There is no policy of this recipe in report-only mode.")
        });
    };
    let mut enforced = policy.clone();
    enforced["state"] = Value::from(ENABLED);
    if let Judged::Fails(check) = judge::all(planner, recipe, None, &json!({"value": [enforced]})) {
        return Err(Proposal::would_not_pass(&check));
    }
    leaves_emergency_out(planner, policy)?;
    let (id, name) = (text(policy, "id"), text(policy, "displayName"));
    // Whom it meets decides what enforcing it does: all of that is shown, approved, and must be so still when it is enforced.
    let mut before = json!({"displayName": name, "state": REPORT_ONLY});
    for part in PARTS {
        before[*part] = policy.get(part).cloned().unwrap_or_default();
    }
    let mut after = before.clone();
    after["state"] = Value::from(ENABLED);
    let held = leaves(&before).into_iter().filter(|(path, _)| path != "state" && !path.contains("@odata")).collect();
    Ok(Proposal::Change(Box::new(Change {
        object: Some(ObjectRef { id: id.to_owned(), name: Some(name.to_owned()), within: None }),
        read: one(id),
        write: one(id),
        method: Method::Patch,
        body: json!({"state": ENABLED}),
        before,
        after,
        held,
        changed: vec![MemberChange { path: "state".to_owned(), before: REPORT_ONLY.into(), after: ENABLED.into() }],
        ..Change::of(recipe, target)
    })))
}

/// A policy that is enforced leaves out every emergency account and group there is now.
fn leaves_emergency_out(planner: &Planner<'_>, policy: &Value) -> Result<(), Proposal> {
    let settings = planner.settings;
    if settings.emergency_accounts.is_empty() && settings.emergency_groups.is_empty() {
        return Err(Proposal::cannot(Left::NoEmergencyAccounts, NO_EMERGENCY_ACCOUNTS));
    }
    for (member, ids) in [("excludeUsers", &settings.emergency_accounts), ("excludeGroups", &settings.emergency_groups)] {
        let excluded = policy.pointer(&format!("/conditions/users/{member}")).and_then(Value::as_array);
        let is_out =
            |id: &str| excluded.is_some_and(|all| all.iter().any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(id))));
        if let Some(id) = ids.iter().map(|id| id.trim()).find(|id| !is_out(id)) {
            let said = format!(
                "The policy does not leave out {id}, an emergency account or group of this directory. Add it there, then plan again."
            );
            return Err(Proposal::cannot(Left::NoEmergencyAccounts, said));
        }
    }
    Ok(())
}

/// The created policy in a listing, or the policy itself.
pub fn find<'v>(change: &Change, current: &'v Value) -> Option<&'v Value> {
    debug_assert_eq!(change.kind, RecipeKind::Create);
    let name = text(&change.after, "displayName");
    match current.get("value").and_then(Value::as_array) {
        Some(policies) => policies.iter().find(|policy| text(policy, "displayName") == name),
        None => current.get("id").map(|_| current),
    }
}

/// Whether the policy was made, and is as it was made.
pub fn compare(change: &Change, current: &Value) -> Standing {
    let Some(found) = find(change, current) else { return Standing::AsBefore };
    let sent = leaves(&change.after);
    let mut differs: Vec<MemberChange> = Vec::new();
    let mut differ = |path: &str, before: &Value, after: &Value| {
        differs.push(MemberChange { path: path.to_owned(), before: before.clone(), after: after.clone() });
    };
    for (path, wanted) in &sent {
        let there = get_or_null(found, path);
        if !same(&there, wanted) {
            differ(path, wanted, &there);
        }
    }
    // Microsoft fills in what was not sent, with nothing; something there was put there.
    for part in PARTS {
        for (path, value) in get(found, part).map(leaves).unwrap_or_default() {
            let path = if path.is_empty() { (*part).to_owned() } else { format!("{part}.{path}") };
            let filled_in = path.starts_with(STRENGTH) || path.contains("@odata") || is_nothing(&value);
            if !filled_in && !sent.iter().any(|(sent, _)| *sent == path) {
                differ(&path, &Value::Null, &value);
            }
        }
    }
    if differs.is_empty() { Standing::AsAfter } else { Standing::Other { differs } }
}

/// A policy as Microsoft answers it: with all that was not sent. <https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy>
pub(super) fn as_answered(policy: &Value) -> Value {
    let mut whole = json!({
        "conditions": {
            "users": {
                "includeUsers": [], "excludeUsers": [], "includeGroups": [], "excludeGroups": [], "includeRoles": [], "excludeRoles": [],
                "includeGuestsOrExternalUsers": null, "excludeGuestsOrExternalUsers": null,
            },
            "applications": {
                "includeApplications": [], "excludeApplications": [], "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [], "applicationFilter": null,
            },
            "clientApplications": null, "clientAppTypes": ["all"], "platforms": null, "locations": null, "devices": null,
            "signInRiskLevels": [], "userRiskLevels": [], "insiderRiskLevels": null, "authenticationFlows": null,
        },
        "grantControls": {
            "operator": "OR", "builtInControls": [], "customAuthenticationFactors": [], "termsOfUse": [], "authenticationStrength": null,
        },
        "sessionControls": null,
    });
    over(&mut whole, policy);
    let strength = &mut whole["grantControls"]["authenticationStrength"];
    if strength.get("id").and_then(Value::as_str) == Some(PHISHING_RESISTANT) {
        strength["allowedCombinations"] = json!(["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"]);
    }
    whole
}

/// Members that a recipe of a policy may set.
pub fn allowed(member: &str) -> bool {
    PARTS.contains(&member) || member == TYPE
}
