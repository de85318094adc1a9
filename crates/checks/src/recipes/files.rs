//! Reading recipes: from the `fix` of checks, and from the files of `catalogue/recipes` those that make policies.
//!
//! What must stay true: one request is one recipe; every recipe says what it risks; every check that names one can be judged on its target.

use super::{
    access, judge,
    members::{TYPE, get},
    recipe::{Method, Recipe, RecipeKind, Risk},
};
use crate::{Check, Fix, LoadError, Service};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Where the names of recipe files begin.
pub const FOLDER: &str = "recipes/";

/// The end of the message about a recipe that is named, but told in none of the files.
pub const TOLD_NOWHERE: &str = "is told nowhere";

const ROLLBACK: &str = "The values go back to what they were before.";
const ROLLBACK_CREATE: &str = "The policy is removed, as long as nobody changed it.";
const ROLLBACK_ENFORCE: &str = "The policy goes back to report-only mode.";

/// A file of `catalogue/recipes`: a Conditional Access policy, how it is made and how it is enforced.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    id: String,
    version: u32,
    title: String,
    /// The policy's name, before the mark.
    name: String,
    checks: Vec<String>,
    permission: String,
    license: String,
    body: Value,
    risk: Risk,
    blast_radius: String,
    #[serde(default)]
    after_note: Option<String>,
    enforce: Enforce,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Enforce {
    title: String,
    risk: Risk,
    blast_radius: String,
    #[serde(default)]
    after_note: Option<String>,
}

/// The recipes of checks and of recipe files (name, text), in the order of ids, and what is wrong with others.
pub fn read(checks: &BTreeMap<String, Check>, files: &[(&str, &str)]) -> (Vec<Recipe>, Vec<LoadError>) {
    let mut found = Found::default();
    for check in checks.values() {
        if let Some(fix) = &check.fix {
            found.of_check(check, fix);
        }
    }
    for (file, text) in files {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        match serde_saphyr::from_str_with_options::<PolicyFile>(text, options) {
            Err(error) => found.wrong(file, error.to_string()),
            Ok(policy) => found.of_policy(file, policy),
        }
    }
    found.end(checks)
}

#[derive(Default)]
struct Found {
    /// By id: the file it is told in, and the recipe.
    recipes: BTreeMap<String, (String, Recipe)>,
    /// Checks that name a recipe: (file, check, recipe).
    named: Vec<(String, String, String)>,
    errors: Vec<LoadError>,
}

impl Found {
    fn wrong(&mut self, file: &str, message: String) {
        self.errors.push(LoadError { file: file.to_owned(), message });
    }

    fn of_check(&mut self, check: &Check, fix: &Fix) {
        let file = format!("{}/{}.yaml", check.product, check.id);
        if fix.recipe.is_empty() {
            return;
        }
        self.named.push((file.clone(), check.id.clone(), fix.recipe.clone()));
        // Whoever tells the request tells all of it; the others name the recipe alone.
        if *fix == (Fix { recipe: fix.recipe.clone(), ..Fix::default() }) {
            return;
        }
        match recipe(check, fix) {
            Ok(recipe) => self.add(&file, recipe),
            Err(member) => self.wrong(&file, format!("fix.{member}: is missing")),
        }
    }

    fn add(&mut self, file: &str, recipe: Recipe) {
        let within = if file.starts_with(FOLDER) { "" } else { "fix." };
        for (member, fault) in faults(&recipe) {
            self.wrong(file, format!("{within}{member}: {fault}"));
        }
        if let Some((other, _)) = self.recipes.get(&recipe.id) {
            let message = format!("{within}recipe: {} is told in {other} already; name it here and say no more", recipe.id);
            return self.wrong(file, message);
        }
        self.recipes.insert(recipe.id.clone(), (file.to_owned(), recipe));
    }

    fn of_policy(&mut self, file: &str, policy: PolicyFile) {
        if file != format!("{FOLDER}{}.yaml", policy.id) {
            self.wrong(file, format!("id: the file of {} belongs at {FOLDER}{}.yaml", policy.id, policy.id));
        }
        if let Some(member) = policy.body.as_object().into_iter().flatten().map(|(name, _)| name).find(|name| !access::allowed(name)) {
            self.wrong(file, format!("body.{member}: name and state are set by the recipe's kind, and the rest is Microsoft's"));
        }
        let [create, enforce] = policy_recipes(policy);
        self.add(file, create);
        self.add(file, enforce);
    }

    /// Gives recipes their checks, and says which do not fit.
    fn end(mut self, checks: &BTreeMap<String, Check>) -> (Vec<Recipe>, Vec<LoadError>) {
        for (file, check, recipe) in std::mem::take(&mut self.named) {
            match self.recipes.get_mut(&recipe) {
                Some((_, recipe)) => recipe.checks.push(check),
                None => self.wrong(&file, format!("fix.recipe: {recipe} {TOLD_NOWHERE}")),
            }
        }
        let mut requests: HashMap<String, String> = HashMap::new();
        for (id, (file, recipe)) in &mut self.recipes {
            recipe.checks.sort_unstable();
            recipe.checks.dedup();
            let mut wrong = |message: String| self.errors.push(LoadError { file: file.clone(), message });
            for check in &recipe.checks {
                match checks.get(check) {
                    None => wrong(format!("checks: {check} is no check")),
                    Some(check) if recipe.kind == RecipeKind::Patch && judge::lens(check, recipe).is_none() => {
                        wrong(format!("fix.path: {} cannot be judged by what is at {}", check.id, recipe.path));
                    }
                    Some(_) => {}
                }
            }
            let request = json!([recipe.kind, recipe.method, recipe.path, recipe.body, recipe.name]).to_string();
            if let Some(other) = requests.insert(request, id.clone()) {
                wrong(format!("fix.recipe: {id} and {other} are one request; give them one name"));
            }
        }
        (self.recipes.into_values().map(|(_, recipe)| recipe).collect(), self.errors)
    }
}

/// The recipe that a check's `fix` tells.
///
/// # Errors
/// The member that is missing.
fn recipe(check: &Check, fix: &Fix) -> Result<Recipe, &'static str> {
    let path = fix.path.clone().ok_or("path")?;
    let resource = check.collect.path.split_once("/providers/").and_then(|(_, rest)| rest.split('?').next()?.split_once('/'));
    Ok(Recipe {
        id: fix.recipe.clone(),
        version: fix.version.ok_or("version")?,
        title: fix.title.clone().ok_or("title")?,
        kind: RecipeKind::Patch,
        service: check.collect.service,
        method: fix.method.ok_or("method")?,
        body: fix.body.clone().ok_or("body")?,
        permission: fix.permission.clone().ok_or("permission")?,
        risk: fix.risk.ok_or("risk")?,
        blast_radius: fix.blast_radius.clone().ok_or("blast_radius")?.trim().to_owned(),
        rollback: fix.rollback.as_deref().unwrap_or(ROLLBACK).trim().to_owned(),
        after_note: fix.after_note.as_deref().map(|note| note.trim().to_owned()),
        checks: Vec::new(),
        license: check.license.clone(),
        policy: fix.policy.clone(),
        name: None,
        keep: fix.keep.clone(),
        carry: fix.carry.clone(),
        needs: fix.needs.clone(),
        absent_means: fix.absent_means.clone(),
        resource: resource.filter(|_| path.starts_with("{resourceId}")).map(|(space, kind)| (space.to_owned(), kind.to_owned())),
        path,
    })
}

/// What makes a policy, and what enforces it.
fn policy_recipes(file: PolicyFile) -> [Recipe; 2] {
    let PolicyFile { id, version, title, name, checks, permission, license, body, risk, blast_radius, after_note, enforce } = file;
    let trim = |text: String| text.trim().to_owned();
    let (keep, carry, needs, absent_means) = Default::default();
    let create = Recipe {
        id,
        version,
        title,
        kind: RecipeKind::Create,
        service: Service::Graph,
        method: Method::Post,
        path: access::POLICIES.to_owned(),
        body,
        permission,
        risk,
        blast_radius: trim(blast_radius),
        rollback: ROLLBACK_CREATE.to_owned(),
        after_note: after_note.map(trim),
        checks,
        license: Some(license),
        policy: None,
        name: Some(name),
        keep,
        carry,
        needs,
        absent_means,
        resource: None,
    };
    let enforce = Recipe {
        id: format!("{}-enforce", create.id),
        title: enforce.title,
        kind: RecipeKind::Enforce,
        method: Method::Patch,
        path: access::one("{policy}"),
        body: json!({"state": "enabled"}),
        risk: enforce.risk,
        blast_radius: trim(enforce.blast_radius),
        rollback: ROLLBACK_ENFORCE.to_owned(),
        after_note: enforce.after_note.map(trim),
        ..create.clone()
    };
    [create, enforce]
}

/// What is wrong with one recipe: the member it is about, and the fault.
fn faults(recipe: &Recipe) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    let mut wrong = |member: &str, fault: String| faults.push((member.to_owned(), fault));
    let Recipe { id, path, body, .. } = recipe;
    if id.is_empty() || id.bytes().any(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')) {
        wrong("recipe", format!("{id} is not lower-case words parted by hyphens"));
    }
    if recipe.version == 0 {
        wrong("version", "starts at 1".to_owned());
    }
    for (member, text) in [("title", &recipe.title), ("blast_radius", &recipe.blast_radius), ("permission", &recipe.permission)] {
        if text.trim().is_empty() {
            wrong(member, "is empty".to_owned());
        }
    }
    if recipe.kind == RecipeKind::Patch && !matches!(recipe.method, Method::Patch | Method::Put) {
        wrong("method", format!("{} sets no members; PATCH and PUT do", recipe.method.as_str()));
    }
    let rooted = match recipe.service {
        Service::Graph => path.starts_with("/v1.0/") || path.starts_with("/beta/"),
        Service::Arm => path.contains("?api-version=") && ["/providers/", "{resourceId}?", "{siteId}/"].iter().any(|r| path.starts_with(r)),
        Service::Vault | Service::Dns => false,
    };
    if !rooted {
        wrong("path", format!("{path} is no path of {}", recipe.service.as_str()));
    }
    if !body.as_object().is_some_and(|members| members.keys().any(|name| name != TYPE)) {
        wrong("body", "sets nothing".to_owned());
    }
    for path in recipe.keep.keys().filter(|path| !get(body, path).is_some_and(Value::is_array)) {
        wrong(&format!("keep.{path}"), "the body has no list there".to_owned());
    }
    faults
}
