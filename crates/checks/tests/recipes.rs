//! The allow-list of writes, held to the letter, and what is said of recipes that are not sound.
//!
//! `BAILIWICK_UPDATE_GOLDEN=1` writes `recipes.golden.txt` anew; it does not forgive a request that changed under the same version.

mod common;

use bailiwick_checks::{
    Catalogue, CheckResult, Settings, Verdict,
    recipes::{Planner, Proposal, Recipe},
};
use common::catalogue;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path, time::Instant};

/// What is sent, in short: it changes with the request and with nothing else.
fn request(recipe: &Recipe) -> String {
    format!("{} {} {}", recipe.method.as_str(), recipe.path, recipe.body)
}

fn line(recipe: &Recipe) -> String {
    format!("{} {} | {} | {} | {}", recipe.id, recipe.version, recipe.permission, recipe.checks.join(" "), request(recipe))
}

#[test]
fn what_may_be_written_is_what_was_last_agreed_on() {
    let (catalogue, errors) = catalogue();
    assert!(errors.is_empty(), "{errors:?}");
    if std::env::var_os("BAILIWICK_CHECKS").is_some() {
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes.golden.txt");
    let golden = fs::read_to_string(&file).unwrap_or_default();
    let known: BTreeMap<&str, &str> = golden.lines().filter_map(|line| line.split_once(" | ")).collect();
    let mut lines: Vec<String> = catalogue.recipes().iter().map(line).collect();
    for (recipe, line) in catalogue.recipes().iter().zip(&lines) {
        let (version, _) = line.split_once(" | ").unwrap();
        let same = known.get(version).is_none_or(|rest| rest.ends_with(&format!(" | {}", request(recipe))));
        assert!(same, "{}: the request is another one; raise its version:\n{line}", recipe.id);
    }
    lines.push(String::new());
    if std::env::var_os("BAILIWICK_UPDATE_GOLDEN").is_some() {
        fs::write(&file, lines.join("\n")).unwrap();
        return;
    }
    let hint = "tests/recipes.golden.txt is not current: BAILIWICK_UPDATE_GOLDEN=1 cargo test -p bailiwick-checks --test recipes";
    for (is, was) in lines.iter().map(String::as_str).zip(golden.split('\n')) {
        assert_eq!(is, was, "{hint}");
    }
    assert_eq!(lines.join("\n"), golden, "{hint}");
}

/// A check with a recipe, sound but for what is exchanged in it.
fn told(was: &str, is: &str) -> Vec<String> {
    let sound = "id: entra.fixture.invites\nversion: 1\ntitle: T\nproduct: entra\nseverity: low\nscans: [compliance]\nrationale: R\n\
        collect: {service: graph, path: /v1.0/policies/authorizationPolicy}\nrule: {property: allowInvitesFrom, operator: eq, expected: none}\n\
        remediation: R\nfix:\n  recipe: no-invites\n  version: 1\n  title: Nobody invites\n  method: PATCH\n  path: /v1.0/policies/authorizationPolicy\n  \
        body: {allowInvitesFrom: none}\n  permission: Policy.ReadWrite.Authorization\n  risk: low\n  blast_radius: Nobody can invite.\n";
    assert!(sound.contains(was), "{was}");
    let text = sound.replacen(was, is, 1);
    let read = Catalogue::read([("entra/entra.fixture.invites.yaml", text.as_str())]);
    read.map_or_else(|errors| errors.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

#[test]
fn a_recipe_that_is_not_sound_is_refused_with_file_and_member() {
    assert_eq!(told("", ""), Vec::<String>::new());
    for (was, is, says) in [
        ("  risk: low\n", "", "fix.risk: is missing"),
        ("  risk: low\n", "  risk: none\n", "unknown variant"),
        ("  blast_radius: Nobody can invite.\n", "  blast_radius: ' '\n", "fix.blast_radius: is empty"),
        ("no-invites", "No invites", "fix.recipe: No invites is not"),
        ("  version: 1\n", "  version: 0\n", "fix.version: starts at 1"),
        ("  method: PATCH\n", "  method: DELETE\n", "fix.method: DELETE"),
        ("  path: /v1.0/policies/authorizationPolicy\n", "  path: /v1.0/users/{id}\n", "fix.path: entra.fixture.invites cannot be judged"),
        ("  path: /v1.0/policies/authorizationPolicy\n", "  path: https://evil.example/\n", "fix.path: https://evil.example/ is no path"),
        ("{allowInvitesFrom: none}", "{'@odata.type': x}", "fix.body: sets nothing"),
        ("  risk: low\n", "  risk: low\n  keep: {allowInvitesFrom: '*'}\n", "fix.keep.allowInvitesFrom"),
        ("fix:\n  recipe: no-invites\n", "fix:\n", "fix.recipe: is missing"),
    ] {
        let said = told(was, is);
        assert!(said.iter().any(|said| said.contains(says)), "{is}: {said:?}");
        assert!(said.iter().all(|said| said.starts_with("entra/entra.fixture.invites.yaml: ")), "{said:?}");
    }
}

#[test]
fn a_recipe_is_told_once_and_known_by_everybody_who_names_it() {
    let whole = |id: &str, recipe: &str| {
        format!(
            "id: entra.fixture.{id}\nversion: 1\ntitle: T\nproduct: entra\nseverity: low\nscans: [compliance]\nrationale: R\n\
             collect: {{service: graph, path: /v1.0/policies/p}}\nrule: {{property: a, operator: eq, expected: 1}}\nremediation: R\nfix:\n  recipe: {recipe}\n"
        )
    };
    let request = "  version: 1\n  title: T\n  method: PATCH\n  path: /v1.0/policies/p\n  body: {a: 1}\n  permission: P\n  risk: low\n  blast_radius: B.\n";
    let read = |first: &str, second: &str| {
        Catalogue::read([("entra/entra.fixture.a.yaml", first), ("entra/entra.fixture.b.yaml", second)])
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let told = whole("a", "one") + request;
    let both = read(&told, &whole("b", "one")).unwrap();
    assert_eq!(both.recipe("one").unwrap().checks, ["entra.fixture.a", "entra.fixture.b"]);
    assert_eq!(both.recipes_of("entra.fixture.b").count(), 1);
    assert!(read(&told, &whole("b", "two")).unwrap_err().contains("two is told nowhere"));
    assert!(read(&told, &(whole("b", "one") + request)).unwrap_err().contains("is told in entra/entra.fixture.a.yaml already"));
    assert!(read(&told, &(whole("b", "two") + request)).unwrap_err().contains("are one request"));
}

#[test]
fn every_failing_check_of_a_directory_is_planned_in_one_go() {
    let (catalogue, _) = catalogue();
    let mut settings = Settings::default();
    settings.emergency_accounts.insert("aaaaaaaa-0000-4000-8000-000000000001".to_owned());
    let result = |check: &bailiwick_checks::Check| CheckResult {
        check: check.id.clone(),
        version: check.version,
        title: check.title.clone(),
        product: check.product.clone(),
        severity: check.severity,
        verdict: Verdict::Failed,
        reason: None,
        actual: Value::Null,
        expected: Value::Null,
        path: String::new(),
        request: String::new(),
        objects: Vec::new(),
        object_count: 0,
        exclusions: Vec::new(),
        would_pass_if_enforced: false,
        frameworks: Vec::new(),
        remediation: String::new(),
        references: Vec::new(),
        pack: None,
    };
    let results: Vec<CheckResult> = catalogue.checks().iter().map(result).collect();
    let planner = Planner { catalogue: &catalogue, settings: &settings, directory: uuid::Uuid::nil() };
    let started = Instant::now();
    let targets = planner.targets(&results);
    let none = json!({"value": [], "@odata.type": "#x"});
    let changes =
        targets.targets.iter().filter(|targeted| matches!(planner.propose(&targeted.target, &none, "0a1b2c3d"), Proposal::Change(_)));
    let (changes, took) = (changes.count(), started.elapsed());
    println!("{} failing checks, {} targets, {changes} changes in {took:?} (this build)", results.len(), targets.targets.len());
    let asked: std::collections::BTreeSet<&str> =
        targets.targets.iter().flat_map(|targeted| &targeted.checks).map(|check| check.check.as_str()).collect();
    let told: std::collections::BTreeSet<&str> = targets.left_out.iter().filter_map(|left| left.check.as_deref()).collect();
    for check in catalogue.checks() {
        assert!(asked.contains(check.id.as_str()) || told.contains(check.id.as_str()), "{} is neither planned nor left out", check.id);
    }
    if std::env::var_os("BAILIWICK_CHECKS").is_none() {
        assert!(changes > 40, "{changes}");
    }
}
