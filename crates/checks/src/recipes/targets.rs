//! From failing checks to the things that could be changed: which recipe, on which object, by which paths.

use super::{
    access,
    recipe::{Method, Recipe, RecipeKind},
};
use crate::{Catalogue, CheckResult, ObjectRef, SAMPLE, Service, Settings, Verdict, plan::is_resource};
use bailiwick_base::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Plans changes of one directory. Reads and writes nothing.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    pub catalogue: &'a Catalogue,
    pub settings: &'a Settings,
    /// The Entra tenant id.
    pub directory: Uuid,
}

/// What could be changed, and what could not and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Targets {
    /// In the order of recipes and objects, each once.
    pub targets: Vec<Targeted>,
    pub left_out: Vec<LeftOut>,
}

/// A target and the failing checks that ask for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Targeted {
    pub target: Target,
    pub checks: Vec<CheckRef>,
}

/// A failing check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckRef {
    pub check: String,
    pub title: String,
    pub severity: Severity,
}

/// One thing that a recipe can be applied to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub recipe: String,
    pub object: Option<ObjectRef>,
    pub service: Service,
    /// The path whose answer [`Planner::propose`] takes. Several targets may have the same.
    pub read: String,
    pub write: String,
    pub method: Method,
}

/// Something that is not proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    pub check: Option<String>,
    pub recipe: Option<String>,
    pub object: Option<ObjectRef>,
    pub code: Left,
    /// What it is about, and what to do.
    pub detail: String,
}

/// Why something is not proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// There is no recipe for this check: it takes a person.
    NoRecipe,
    NoEmergencyAccounts,
    /// The result does not say which objects fail.
    ObjectsUnknown,
    /// More objects fail than a result names.
    TooManyObjects,
    /// The recipe's policy is there already.
    AlreadyMade,
    /// What would do was made by somebody else.
    NotOurs,
    NotThere,
    /// Something must be set by a person first.
    Needs,
    /// The change would not make the check pass.
    WouldNotPass,
    NotApplicable,
    /// What was read is not what was asked for.
    Unreadable,
}

impl Left {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRecipe => "no_recipe",
            Self::NoEmergencyAccounts => "no_emergency_accounts",
            Self::ObjectsUnknown => "objects_unknown",
            Self::TooManyObjects => "too_many_objects",
            Self::AlreadyMade => "already_made",
            Self::NotOurs => "not_ours",
            Self::NotThere => "not_there",
            Self::Needs => "needs",
            Self::WouldNotPass => "would_not_pass",
            Self::NotApplicable => "not_applicable",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Planner<'_> {
    /// The targets of a scan's failing checks. Results of packs, and verdicts other than failed, ask for nothing.
    pub fn targets(&self, results: &[CheckResult]) -> Targets {
        let mut found: BTreeMap<(&str, String), Targeted> = BTreeMap::new();
        let mut left_out = Vec::new();
        for result in results.iter().filter(|result| result.verdict == Verdict::Failed && result.pack.is_none()) {
            let mut any = false;
            for recipe in self.catalogue.recipes_of(&result.check).filter(|recipe| is_wanted(recipe, result)) {
                any = true;
                let targets = self.of_result(recipe, result, &mut left_out);
                for target in targets {
                    let key = (recipe.id.as_str(), target.write.clone());
                    let targeted = found.entry(key).or_insert_with(|| Targeted { target, checks: Vec::new() });
                    targeted.checks.push(CheckRef { check: result.check.clone(), title: result.title.clone(), severity: result.severity });
                }
            }
            if !any {
                let detail = "There is no recipe for this: it takes a person. The check's remediation says how.";
                left_out.push(LeftOut::of(Some(result), None, Left::NoRecipe, detail));
            }
        }
        Targets { targets: found.into_values().collect(), left_out }
    }

    fn of_result(&self, recipe: &Recipe, result: &CheckResult, left_out: &mut Vec<LeftOut>) -> Vec<Target> {
        let mut leave = |left: LeftOut| left_out.push(LeftOut { check: Some(result.check.clone()), ..left });
        if !recipe.is_of_objects() {
            return self.bound(recipe, None).map_err(|left| leave(*left)).into_iter().collect();
        }
        let objects = &result.objects[..result.objects.len().min(SAMPLE)];
        let targets =
            objects.iter().filter_map(|object| self.bound(recipe, Some(object.clone())).map_err(|left| leave(*left)).ok()).collect();
        let more = result.object_count.saturating_sub(objects.len() as u64);
        if objects.is_empty() {
            let detail = "The scan does not say which objects fail. Scan again, then plan.";
            leave(LeftOut::of(None, Some(recipe), Left::ObjectsUnknown, detail));
        } else if more > 0 {
            let detail =
                format!("{more} more objects fail than the first {} that are planned. Fix these, scan, and plan again.", objects.len());
            leave(LeftOut::of(None, Some(recipe), Left::TooManyObjects, &detail));
        }
        targets
    }

    /// The target of a recipe, on an object where its path has a place for one.
    ///
    /// # Errors
    /// No such recipe, or the object cannot be its target.
    pub fn target(&self, recipe: &str, object: Option<ObjectRef>) -> Result<Target, Box<LeftOut>> {
        match self.catalogue.recipe(recipe) {
            Some(recipe) => self.bound(recipe, object),
            None => {
                let detail = format!("There is no recipe {recipe}.");
                Err(Box::new(LeftOut { recipe: Some(recipe.to_owned()), object, ..LeftOut::of(None, None, Left::NoRecipe, &detail) }))
            }
        }
    }

    fn bound(&self, recipe: &Recipe, object: Option<ObjectRef>) -> Result<Target, Box<LeftOut>> {
        let left = |code, detail: &str, object: Option<ObjectRef>| {
            Err(Box::new(LeftOut { object, ..LeftOut::of(None, Some(recipe), code, detail) }))
        };
        let settings = self.settings;
        if recipe.kind == RecipeKind::Create && settings.emergency_accounts.is_empty() && settings.emergency_groups.is_empty() {
            return left(Left::NoEmergencyAccounts, access::NO_EMERGENCY_ACCOUNTS, None);
        }
        let path = recipe.path.replace("{tenantId}", &self.directory.to_string());
        let write = match &object {
            _ if !recipe.is_of_objects() => Some(path),
            Some(object) => place(recipe, &path, &object.id),
            None => None,
        };
        let Some(write) = write else {
            let named = object.as_ref().map_or("no object is named", |object| &object.id);
            let detail = format!("The recipe {} needs an object that can stand in its path: {named}.", recipe.id);
            return left(Left::ObjectsUnknown, &detail, object);
        };
        let listed = recipe.kind != RecipeKind::Patch;
        let read = if listed { access::POLICIES.to_owned() } else { write.clone() };
        let object = object.filter(|_| recipe.is_of_objects());
        Ok(Target { recipe: recipe.id.clone(), object, service: recipe.service, read, write, method: recipe.method })
    }
}

/// A policy that would do once enforced is enforced rather than made anew.
fn is_wanted(recipe: &Recipe, result: &CheckResult) -> bool {
    match recipe.kind {
        RecipeKind::Patch => true,
        RecipeKind::Create => !result.would_pass_if_enforced,
        RecipeKind::Enforce => result.would_pass_if_enforced,
    }
}

/// A path with an object's id in its place; none where the id is not of the kind that belongs there.
fn place(recipe: &Recipe, path: &str, id: &str) -> Option<String> {
    let plain = |id: &str| !id.is_empty() && !id.contains("..") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let azure = |id: &str| !id.contains("..") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./()".contains(&b));
    if path.starts_with("{siteId}") {
        return (azure(id) && is_resource(id, "Microsoft.Web", "sites")).then(|| path.replace("{siteId}", id));
    }
    if path.starts_with("{resourceId}") {
        let (namespace, kind) = recipe.resource.as_ref()?;
        return (azure(id) && is_resource(id, namespace, kind)).then(|| path.replace("{resourceId}", id));
    }
    // The id of a role's assignment is that of its policy and the role's own.
    if path.contains("{policyId}") {
        let (policy, _role) = id.rsplit_once('_')?;
        return plain(policy).then(|| path.replace("{policyId}", policy));
    }
    plain(id).then(|| path.replace("{id}", id))
}

impl LeftOut {
    fn of(result: Option<&CheckResult>, recipe: Option<&Recipe>, code: Left, detail: &str) -> Self {
        let (check, recipe) = (result.map(|result| result.check.clone()), recipe.map(|recipe| recipe.id.clone()));
        Self { check, recipe, object: None, code, detail: detail.to_owned() }
    }
}
