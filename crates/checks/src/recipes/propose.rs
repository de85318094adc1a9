//! From what is there now to the change that a recipe would make of it.

use super::{
    access,
    change::{Change, MemberChange, unit},
    judge::{self, Judged},
    members::{TYPE, get, get_or_null, leaves, put, same},
    recipe::{Recipe, RecipeKind},
    targets::{Left, Planner, Target},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What a recipe has to say to what is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    Change(Box<Change>),
    /// The checks pass as it is.
    AlreadySo,
    Cannot {
        code: Left,
        detail: String,
    },
}

impl Proposal {
    pub(super) fn cannot(code: Left, detail: impl Into<String>) -> Self {
        Self::Cannot { code, detail: detail.into() }
    }

    pub(super) fn would_not_pass(check: &str) -> Self {
        Self::cannot(Left::WouldNotPass, format!("The check {check} would not pass after this change, so it is not proposed."))
    }
}

impl Change {
    /// Of a recipe and target, with nothing in it.
    pub(super) fn of(recipe: &Recipe, target: &Target) -> Self {
        let (body, before, after, changed, held, absent_means) = Default::default();
        Self {
            recipe: recipe.id.clone(),
            version: recipe.version,
            kind: recipe.kind,
            object: target.object.clone(),
            service: target.service,
            method: target.method,
            read: target.read.clone(),
            write: target.write.clone(),
            body,
            before,
            after,
            changed,
            held,
            absent_means,
        }
    }
}

impl Planner<'_> {
    /// What the target's recipe would make of `current`, the answer of `target.read`. `marker` names a policy that is made: the first
    /// eight characters of the fix's id.
    pub fn propose(&self, target: &Target, current: &Value, marker: &str) -> Proposal {
        let Some(recipe) = self.catalogue.recipe(&target.recipe) else {
            return Proposal::cannot(Left::NoRecipe, format!("There is no recipe {}.", target.recipe));
        };
        match recipe.kind {
            RecipeKind::Patch => self.patch(recipe, target, current).unwrap_or_else(|why| why),
            RecipeKind::Create => access::create(self, recipe, target, current, marker),
            RecipeKind::Enforce => access::enforce(self, recipe, target, current),
        }
    }

    fn patch(&self, recipe: &Recipe, target: &Target, current: &Value) -> Result<Proposal, Proposal> {
        if !current.is_object() || current.get("error").is_some_and(Value::is_object) {
            return Err(Proposal::cannot(Left::Unreadable, format!("{} answered with no object.", target.read)));
        }
        match judge::all(self, recipe, target.object.as_ref(), current) {
            Judged::Passes => return Ok(Proposal::AlreadySo),
            Judged::NotApplicable => {
                return Err(Proposal::cannot(Left::NotApplicable, "The check does not apply to it any more. Scan again."));
            }
            Judged::Fails(_) => {}
        }
        let empty = |path: &&String| match get(current, path) {
            None | Some(Value::Null) => true,
            Some(Value::Array(list)) => list.is_empty(),
            Some(_) => false,
        };
        if let Some(member) = recipe.needs.iter().find(empty) {
            let detail =
                format!("{member} is empty there, and only a person can say what belongs in it. The check's remediation says how.");
            return Err(Proposal::cannot(Left::Needs, detail));
        }
        let wanted = self.wanted(recipe, current);
        let mut then = current.clone();
        wanted.iter().for_each(|(path, value)| put(&mut then, path, value.clone()));
        if let Judged::Fails(check) = judge::all(self, recipe, target.object.as_ref(), &then) {
            return Err(Proposal::would_not_pass(&check));
        }
        let units: BTreeSet<&str> = wanted.iter().map(|(path, _)| unit(recipe.service, path)).collect();
        let (mut before, mut after, mut body) = (object(), object(), along(recipe, current));
        for path in units {
            put(&mut before, path, get_or_null(current, path));
            put(&mut after, path, get_or_null(&then, path));
            put(&mut body, path, get_or_null(&then, path));
        }
        let (mut changed, mut held) = (Vec::new(), BTreeMap::new());
        for (path, after) in wanted {
            let before = get_or_null(current, &path);
            if same(&before, &after) {
                held.insert(path, after);
            } else {
                changed.push(MemberChange { path, before, after });
            }
        }
        if changed.is_empty() {
            return Ok(Proposal::AlreadySo);
        }
        let absent = |(path, _): &(&String, &Value)| get(&before, path).is_none_or(Value::is_null);
        let absent_means = recipe.absent_means.iter().filter(absent).map(|(path, value)| (path.clone(), value.clone())).collect();
        Ok(Proposal::Change(Box::new(Change { body, before, after, changed, held, absent_means, ..Change::of(recipe, target) })))
    }

    /// The settings that a recipe wants, each with its path.
    fn wanted(&self, recipe: &Recipe, current: &Value) -> Vec<(String, Value)> {
        let mut wanted = leaves(&self.filled(recipe, &recipe.body));
        wanted.retain(|(path, _)| !recipe.carry.contains(path));
        for (path, value) in &mut wanted {
            let (Some(pattern), Value::Array(ours)) = (recipe.keep.get(path), value) else { continue };
            let there = get(current, path).and_then(Value::as_array).into_iter().flatten();
            let kept = there.filter(|one| matches(pattern, one) && !ours.iter().any(|our| same(our, one)));
            let kept: Vec<Value> = kept.cloned().collect();
            ours.splice(0..0, kept);
        }
        wanted
    }

    /// The body with the tenant's parameters in their places.
    fn filled(&self, recipe: &Recipe, body: &Value) -> Value {
        let Value::Object(members) = body else { return body.clone() };
        if let (1, Some(name)) = (members.len(), members.get("parameter").and_then(Value::as_str)) {
            let of = |id: &String| {
                let chosen = self.settings.parameters.get(id).and_then(|chosen| chosen.get(name));
                chosen.or_else(|| Some(&self.catalogue.get(id)?.parameters.get(name)?.default)).cloned()
            };
            return recipe.checks.iter().find_map(of).unwrap_or_default();
        }
        Value::Object(members.iter().map(|(member, value)| (member.clone(), self.filled(recipe, value))).collect())
    }
}

fn object() -> Value {
    Value::Object(Map::new())
}

fn matches(pattern: &str, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return pattern == "*" };
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    }
}

/// What goes along unchanged: the type, which Microsoft asks for, and what the recipe carries.
fn along(recipe: &Recipe, current: &Value) -> Value {
    let mut along = Map::new();
    if let Some(kind) = recipe.body.get(TYPE) {
        along.insert(TYPE.to_owned(), current.get(TYPE).unwrap_or(kind).clone());
    }
    for member in &recipe.carry {
        if let Some(value) = current.get(member) {
            along.insert(member.clone(), value.clone());
        }
    }
    Value::Object(along)
}
