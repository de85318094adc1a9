//! What a recipe's checks say of the object it writes to: now, and as it would be.

use super::{
    recipe::{Recipe, RecipeKind},
    targets::Planner,
};
use crate::{
    Check, ObjectRef, Settings, Verdict,
    rule::{Facts, Fold, Ground, Names, Rule},
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// How the object that is written to stands in the answer that a check looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lens {
    /// It is the answer.
    Whole,
    /// The answer is this member of it.
    Member(String),
    /// It is an element of the answer's list.
    Item,
    /// It is a rule of the policy that belongs to a role.
    RoleRule,
}

/// What the checks of a recipe say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    Passes,
    /// None of them applies any more.
    NotApplicable,
    /// By this check, the first that does not pass.
    Fails(String),
}

fn bare(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

/// How a check can be asked about what a recipe writes; none where it cannot.
pub fn lens(check: &Check, recipe: &Recipe) -> Option<Lens> {
    let (collected, written) = (bare(&check.collect.path), bare(&recipe.path));
    if check.collect.service != recipe.service {
        return None;
    }
    if collected == written {
        return Some(Lens::Whole);
    }
    if recipe.path.contains("{policyId}") {
        return collected.ends_with("/roleManagementPolicyAssignments").then_some(Lens::RoleRule);
    }
    let below = |path: &str, root: &str| path.strip_prefix(root)?.strip_prefix('/').map(str::to_owned);
    if recipe.path.starts_with("{resourceId}") {
        return recipe.resource.is_some().then_some(Lens::Item);
    }
    if let Some(member) = below(collected, written) {
        return (!member.contains('/')).then_some(Lens::Member(member));
    }
    below(written, collected).map(|_| Lens::Item)
}

impl Lens {
    /// The answer a check would see if the object were as given.
    pub fn answer(&self, object: Option<&ObjectRef>, current: &Value) -> Value {
        match self {
            Self::Whole => current.clone(),
            Self::Member(member) => current.get(member).cloned().unwrap_or_default(),
            Self::Item => json!({"value": [current]}),
            Self::RoleRule => {
                let id = object.map_or("", |object| object.id.as_str());
                let role = id.rsplit('_').next().unwrap_or_default();
                json!({"value": [{"id": id, "roleDefinitionId": role, "policy": {"rules": [current]}}]})
            }
        }
    }
}

/// What the checks of a recipe say of its target as given; for policies the given is the listing.
pub fn all(planner: &Planner<'_>, recipe: &Recipe, object: Option<&ObjectRef>, current: &Value) -> Judged {
    let mut applies = false;
    for id in &recipe.checks {
        let Some(check) = planner.catalogue.get(id) else { return Judged::Fails(id.clone()) };
        let lens = if recipe.kind == RecipeKind::Patch { lens(check, recipe) } else { Some(Lens::Whole) };
        let verdict = lens.and_then(|lens| verdict(check, planner.settings, &lens.answer(object, current)));
        match verdict {
            Some(Verdict::Skipped) => {}
            Some(Verdict::Passed) => applies = true,
            _ => return Judged::Fails(id.clone()),
        }
    }
    if applies { Judged::Passes } else { Judged::NotApplicable }
}

/// What a check says of an answer; none where the settings do not fit it.
fn verdict(check: &Check, settings: &Settings, answer: &Value) -> Option<Verdict> {
    let (names, facts) = (Names::of(settings, &check.id), Facts::default());
    // No rule that a recipe answers looks at the time.
    let ground = Ground { now: Timestamp::UNIX_EPOCH, names: &names, facts: &facts, within: None };
    let judge = |rule: &Rule| {
        let mut fold = Fold::default();
        fold.page(rule, answer, ground);
        fold.end(rule, ground).verdict
    };
    let rule = Rule::of(check, settings).ok()?;
    let own = check.applies_when.as_ref().filter(|applies| applies.collect.is_none());
    let condition = own.map(Rule::condition).transpose().ok()?;
    if condition.is_some_and(|condition| judge(&condition) == Verdict::Failed) {
        return Some(Verdict::Skipped);
    }
    Some(judge(&rule))
}
