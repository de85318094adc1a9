//! Reading check files: YAML, then what YAML cannot say: places, names, and that the rule compiles.

use super::{Catalogue, Check, FRAMEWORKS, PRODUCTS};
use crate::{recipes, rule};
use std::collections::BTreeMap;

/// What is wrong in a check's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {message}")]
pub struct LoadError {
    pub file: String,
    /// Names the member, and for syntax the line.
    pub message: String,
}

pub(super) fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Catalogue, Vec<LoadError>) {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut errors = Vec::new();
    let mut checks: BTreeMap<String, Check> = BTreeMap::new();
    let (recipe_files, check_files): (Vec<_>, Vec<_>) = files.iter().copied().partition(|(file, _)| file.starts_with(recipes::FOLDER));
    for (file, text) in &check_files {
        let mut wrong = |message: String| errors.push(LoadError { file: (*file).to_owned(), message });
        match parse(text) {
            Err(message) => wrong(message),
            Ok(check) => {
                let faults = faults(file, &check);
                let sound = faults.is_empty();
                faults.into_iter().for_each(&mut wrong);
                // A sound file is named by its id, so no two have one.
                if sound {
                    checks.insert(check.id.clone(), check);
                }
            }
        }
    }
    let (recipes, faults) = recipes::read(&checks, &recipe_files);
    errors.extend(faults);
    let mut recipes_of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, recipe) in recipes.iter().enumerate() {
        recipe.checks.iter().for_each(|check| recipes_of.entry(check.clone()).or_default().push(at));
    }
    (Catalogue { checks: checks.into_values().collect(), recipes, recipes_of, version: version(&files) }, errors)
}

fn parse(text: &str) -> Result<Check, String> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|e| e.to_string())
}

/// A file's text up to its cases, and from the next member on.
pub(super) fn without_cases(text: &str) -> String {
    let mut inside = false;
    let kept = text.split_inclusive('\n').filter(|line| {
        if line.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            inside = line.starts_with("cases:");
        }
        !inside
    });
    kept.collect()
}

/// Files in the order of their names to what changes when one of them does.
pub(super) fn version(files: &[(&str, &str)]) -> String {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for (name, text) in files {
        for part in [name, text] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
    }
    hex::encode(&digest.finish().as_ref()[..8])
}

/// What is wrong with a check, each beginning with the member it is about.
fn faults(file: &str, check: &Check) -> Vec<String> {
    let mut faults = Vec::new();
    let Check { id, product, .. } = check;
    if !PRODUCTS.contains(&product.as_str()) {
        faults.push(format!("product: {product} is none of {}", PRODUCTS.join(", ")));
    }
    if file != format!("{product}/{id}.yaml") {
        faults.push(format!("id: the file of {id} belongs at {product}/{id}.yaml"));
    }
    if !id.starts_with(&format!("{product}.")) || id.bytes().any(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b)))
    {
        faults.push(format!("id: {id} is not {product}. and lower-case words parted by dots and hyphens"));
    }
    if check.version == 0 {
        faults.push("version: starts at 1".to_owned());
    }
    if check.scans.is_empty() {
        faults.push("scans: no scan would ever judge this check".to_owned());
    }
    for (member, text) in [("title", &check.title), ("rationale", &check.rationale), ("remediation", &check.remediation)] {
        if text.trim().is_empty() {
            faults.push(format!("{member}: is empty"));
        }
    }
    if check.fix.as_ref().is_some_and(|fix| fix.recipe.is_empty()) {
        faults.push("fix.recipe: is missing".to_owned());
    }
    faults.extend(frameworks(check));
    if let Err(e) = rule::Rule::of(check, &Default::default()) {
        faults.push(e.to_string());
    }
    faults
}

fn frameworks(check: &Check) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, controls) in &check.frameworks {
        match FRAMEWORKS.iter().find(|(known, ..)| known == key) {
            None => faults.push(format!("frameworks.{key}: is no framework this catalogue knows")),
            Some((.., true)) => {
                faults.extend(controls.iter().filter(|c| !c.contains(':')).map(|c| format!("frameworks.{key}: {c} is not version:number")));
            }
            Some(_) => {}
        }
    }
    for (name, parameter) in &check.parameters {
        for framework in parameter.frameworks.keys() {
            if !FRAMEWORKS.iter().any(|(key, full, _)| framework.starts_with(full) || framework.split(' ').next() == Some(*key)) {
                faults.push(format!("parameters.{name}.frameworks: {framework} is no framework this catalogue knows"));
            }
        }
    }
    faults
}
