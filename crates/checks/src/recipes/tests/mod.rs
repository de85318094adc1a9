//! Recipes on the answers of the checks' own cases: what they mend, what they leave alone, and how they are taken back.

mod anything;
mod mends;
mod plans;
mod policies;

use super::*;
use crate::{Case, Catalogue, Check, CheckResult, Service, Settings, cases};
use serde_json::Value;
use std::sync::OnceLock;
use uuid::Uuid;

pub const DIRECTORY: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);

pub fn catalogue() -> &'static Catalogue {
    static WHOLE: OnceLock<Catalogue> = OnceLock::new();
    WHOLE.get_or_init(|| Catalogue::shipped_with_cases().unwrap_or_else(|errors| panic!("{} faults, first {}", errors.len(), errors[0])))
}

pub fn planner(settings: &Settings) -> Planner<'_> {
    Planner { catalogue: catalogue(), settings, directory: DIRECTORY }
}

pub fn of_kind(kind: RecipeKind) -> impl Iterator<Item = &'static Recipe> {
    catalogue().recipes().iter().filter(move |recipe| recipe.kind == kind)
}

/// What Microsoft does with the body of a PATCH or PUT: members, in Resource Manager those of `properties`, are replaced whole.
pub fn take(service: Service, object: &mut Value, body: &Value) {
    for (name, value) in body.as_object().unwrap() {
        match (service, name.as_str()) {
            (Service::Arm, "properties") => {
                value.as_object().unwrap().iter().for_each(|(name, value)| object["properties"][name] = value.clone())
            }
            _ => object[name] = value.clone(),
        }
    }
}

pub fn change(proposal: Proposal) -> Box<Change> {
    match proposal {
        Proposal::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

pub fn with_emergency_account() -> Settings {
    let account = "aaaaaaaa-0000-4000-8000-000000000001".to_owned();
    Settings { emergency_accounts: [account].into(), ..Settings::default() }
}

/// A listing that a check fails on, and the case it is from.
pub fn failing(check: &Check) -> (Case, CheckResult) {
    cases::told(check, "fail").unwrap()
}

#[test]
fn every_recipe_says_what_people_must_know() {
    let recipes = catalogue().recipes();
    let of = |service| of_kind(RecipeKind::Patch).filter(|recipe| recipe.service == service).count();
    println!(
        "{} recipes: {} Graph, {} Resource Manager, {} policies made and enforced",
        recipes.len(),
        of(Service::Graph),
        of(Service::Arm),
        of_kind(RecipeKind::Create).count()
    );
    for recipe in recipes {
        let texts = [&recipe.blast_radius, &recipe.rollback].into_iter().chain(&recipe.after_note);
        for text in texts {
            assert!(
                text.len() > 25 && text.ends_with('.') && !text.contains("  ") && !text.contains(" - ") && text.is_ascii(),
                "{}: {text}",
                recipe.id
            );
        }
        assert!(!recipe.title.ends_with('.') && recipe.title.len() < 90, "{}", recipe.title);
        assert!(!recipe.checks.is_empty() && recipe.permissions().count() > 0);
        assert_eq!(recipe.permission.starts_with("AzureRole:"), recipe.service == Service::Arm, "{}", recipe.id);
    }
    assert!(recipes.len() >= 100);
    assert_eq!(of_kind(RecipeKind::Create).count(), of_kind(RecipeKind::Enforce).count());
    for key in
        ["security_defaults", "guest_invites", "guest_access", "create_applications", "user_consent", "admin_consent_workflow", "sharing"]
    {
        assert!(catalogue().policy_recipe(key).is_some(), "{key}");
    }
    assert!(catalogue().policy_recipe("").is_none());
}
