//! `bailiwick checks list | recipes | test`: the shipped catalogue, and the cases of one's own checks and packs. Asks no server anything.

use crate::args::Checks;
use crate::console::{Cell, Colour, Console};
use crate::failure::Failure;
use crate::findings::severity;
use bailiwick_checks::recipes::Recipe;
use bailiwick_checks::{
    Catalogue, Check, FRAMEWORKS, MANIFEST, Manifest, PRODUCTS, PackSource, missing_cases, read_check, run_cases, run_pack_cases,
};
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What a test reads at most: folders may be named by mistake.
const MOST_FILES: usize = 2_000;
const LARGEST: u64 = 4 << 20;

pub fn run(console: &Console, arguments: &Checks) -> Result<(), Failure> {
    match arguments {
        Checks::List { product, framework } => list(console, product.as_deref(), framework.as_deref()),
        Checks::Recipes => recipes(console),
        Checks::Test { path } => test(console, path),
    }
}

fn list(console: &Console, product: Option<&str>, framework: Option<&str>) -> Result<(), Failure> {
    let shipped = shipped()?;
    if let Some(product) = product.filter(|product| !PRODUCTS.contains(product)) {
        return Err(Failure::input(format!("There is no product {product}.")).hint(format!("Products: {}.", PRODUCTS.join(", "))));
    }
    let keys: Vec<&str> = FRAMEWORKS.iter().map(|(key, ..)| *key).collect();
    if let Some(framework) = framework.filter(|framework| !keys.contains(framework)) {
        return Err(Failure::input(format!("There is no framework {framework}.")).hint(format!("Frameworks: {}.", keys.join(", "))));
    }
    let of = |check: &&Check| {
        product.is_none_or(|product| check.product == product)
            && framework.is_none_or(|framework| check.frameworks.get(framework).is_some_and(|controls| !controls.is_empty()))
    };
    let checks: Vec<&Check> = shipped.checks().iter().filter(of).collect();
    let one = |check: &&Check| {
        json!({
            "id": check.id, "version": check.version, "title": check.title, "product": check.product, "severity": check.severity,
            "scans": check.scans, "frameworks": check.frameworks, "permission": check.permission, "license": check.license,
        })
    };
    console.either(&json!({"catalogue": shipped.version(), "checks": checks.iter().map(one).collect::<Vec<_>>()}), || {
        let controls =
            |check: &Check| framework.and_then(|key| check.frameworks.get(key)).map(|controls| controls.join(", ")).unwrap_or_default();
        let rows: Vec<Vec<Cell>> = checks
            .iter()
            .map(|check| vec![check.id.as_str().into(), severity(check.severity), controls(check).into(), check.title.as_str().into()])
            .collect();
        format!(
            "{}\n{} checks, catalogue {}\n",
            console.table(&["CHECK", "SEVERITY", "CONTROLS", "TITLE"], &rows).trim_end(),
            checks.len(),
            shipped.version()
        )
    })
}

fn shipped() -> Result<&'static Catalogue, Failure> {
    Catalogue::shipped().map_err(|errors| Failure::input(format!("The shipped catalogue cannot be read: {errors:?}.")))
}

fn recipes(console: &Console) -> Result<(), Failure> {
    let shipped = shipped()?;
    console.either(&json!({"catalogue": shipped.version(), "recipes": shipped.recipes()}), || {
        let row = |recipe: &Recipe| {
            let request = format!("{} {}", recipe.method.as_str(), recipe.path);
            vec![
                recipe.id.as_str().into(),
                recipe.risk.as_str().into(),
                recipe.permission.as_str().into(),
                request.into(),
                recipe.title.as_str().into(),
            ]
        };
        let rows: Vec<Vec<Cell>> = shipped.recipes().iter().map(row).collect();
        let table = console.table(&["RECIPE", "RISK", "PERMISSION", "REQUEST", "TITLE"], &rows);
        format!("{}\n{} recipes, catalogue {}\n", table.trim_end(), rows.len(), shipped.version())
    })
}

/// How one case came out.
#[derive(Debug, Serialize)]
struct Row {
    /// The check's id, or the pack's name.
    of: String,
    case: String,
    expected: Option<&'static str>,
    actual: Option<&'static str>,
    problem: Option<String>,
}

fn test(console: &Console, path: &Path) -> Result<(), Failure> {
    let rows = if path.is_dir() && path.join(MANIFEST).is_file() { pack(path)? } else { checks(path)? };
    let failing = rows.iter().filter(|row| row.problem.is_some()).count();
    console.either(&json!({"cases": rows, "failing": failing}), || {
        let outcome = |row: &Row| match &row.problem {
            None => Cell::painted("holds", Some(Colour::Green)),
            Some(_) => Cell::painted("FAILS", Some(Colour::Red)),
        };
        let line = |row: &Row| {
            vec![row.of.as_str().into(), row.case.as_str().into(), outcome(row), row.problem.clone().unwrap_or_default().into()]
        };
        let table = console.table(&["CHECK", "CASE", "OUTCOME", "PROBLEM"], &rows.iter().map(line).collect::<Vec<_>>());
        format!("{table}{} cases, {failing} failing\n", rows.len())
    })?;
    match failing {
        0 => Ok(()),
        _ => Err(Failure::blocked(format!("{failing} of {} cases of {} fail.", rows.len(), path.display()))
            .hint("Mend the rule, or the case where it asks the wrong thing.")),
    }
}

fn pack(folder: &Path) -> Result<Vec<Row>, Failure> {
    let broken = |why: String| Failure::input(format!("{}: {why}", folder.display())).hint("docs/checks.md says how a pack is written.");
    let mut files = Vec::new();
    for path in inside(folder, &["rego", "yaml", "yml", "json"])? {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        files.push((name, read(&path)?));
    }
    let manifest = Manifest::of(&files).map_err(&broken)?;
    let source = PackSource { name: manifest.name.clone(), version: manifest.version, files };
    let outcomes = run_pack_cases(&source).map_err(&broken)?;
    if outcomes.is_empty() {
        return Err(broken("the pack has no cases, so there is nothing to test by.".into()));
    }
    let row = |outcome: bailiwick_checks::PackCaseOutcome| Row {
        of: if outcome.result.is_empty() { manifest.name.clone() } else { outcome.result },
        case: outcome.file,
        expected: outcome.expected.map(|verdict| verdict.as_str()),
        actual: outcome.actual.map(|verdict| verdict.as_str()),
        problem: outcome.problem,
    };
    Ok(outcomes.into_iter().map(row).collect())
}

fn checks(path: &Path) -> Result<Vec<Row>, Failure> {
    let files = if path.is_dir() { inside(path, &["yaml", "yml"])? } else { vec![path.to_owned()] };
    let mut rows = Vec::new();
    for file in &files {
        let check = read_check(&read(file)?).map_err(|faults| {
            Failure::input(format!("{}: {}", file.display(), faults.join("; "))).hint("docs/checks.md says how a check is written.")
        })?;
        let kind = |case: &'static str| Row {
            of: check.id.clone(),
            case: case.into(),
            expected: None,
            actual: None,
            problem: Some("there is no such case".into()),
        };
        rows.extend(missing_cases(&check).into_iter().map(kind));
        rows.extend(run_cases(&check).into_iter().map(|outcome| Row {
            of: check.id.clone(),
            case: outcome.case,
            expected: Some(outcome.expected.as_str()),
            actual: Some(outcome.actual.as_str()),
            problem: outcome.problem,
        }));
    }
    match rows.is_empty() {
        true => Err(Failure::input(format!("{} holds no check file and no {MANIFEST}.", path.display()))),
        false => Ok(rows),
    }
}

/// Files below a folder with one of these endings, in the order of names. Links are not followed.
fn inside(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |path: &Path, cause: std::io::Error| Failure::input(format!("{} cannot be read: {cause}.", path.display()));
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| unreadable(&folder, e))? {
            let entry = entry.map_err(|e| unreadable(&folder, e))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(|e| unreadable(&folder, e))?);
            let wanted = path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known));
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && wanted {
                found.push(path);
            }
        }
        if found.len() > MOST_FILES {
            return Err(Failure::input(format!("{} holds more than {MOST_FILES} files.", folder.display()))
                .hint("Name the folder of the checks or of the pack."));
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed =
        |cause: String| Failure::input(format!("{} cannot be read: {cause}.", path.display())).hint("Check the path and its permissions.");
    let meta = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?;
    if meta.len() > LARGEST {
        return Err(failed(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))
}
