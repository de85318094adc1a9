//! Every check of the catalogue: its file loads, has its four cases, and they come out as they say.
//!
//! `BAILIWICK_CHECKS=entra.ca cargo test -p bailiwick-checks --test cases` runs those whose id begins so.

mod common;

use bailiwick_checks::{Catalogue, Check, missing_cases, run_cases};
use common::catalogue;
use std::collections::BTreeMap;

#[test]
fn every_file_loads() {
    let (_, errors) = catalogue();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{} faults:\n{}", errors.len(), told.join("\n"));
}

#[test]
fn every_check_has_its_four_cases() {
    let (catalogue, _) = catalogue();
    let lacking = |check: &Check| (check.id.clone(), missing_cases(check));
    let lacking: Vec<_> = catalogue.checks().iter().map(lacking).filter(|(_, missing)| !missing.is_empty()).collect();
    assert!(lacking.is_empty(), "{} checks lack cases:\n{lacking:#?}", lacking.len());
}

#[test]
fn every_case_comes_out_as_it_says() {
    let (catalogue, _) = catalogue();
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for check in catalogue.checks() {
        for outcome in run_cases(check) {
            cases += 1;
            wrong.extend(outcome.problem.map(|problem| format!("{}: {}: {problem}", check.id, outcome.case)));
        }
    }
    println!("{} checks, {cases} cases", catalogue.checks().len());
    assert!(wrong.is_empty(), "{} of {cases} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn counts_by_product_and_framework() {
    let (catalogue, _) = catalogue();
    let (mut products, mut frameworks) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    for check in catalogue.checks() {
        *products.entry(&check.product).or_default() += 1;
        for framework in check.frameworks.iter().filter(|(_, controls)| !controls.is_empty()).map(|(key, _)| key) {
            *frameworks.entry(framework).or_default() += 1;
        }
    }
    println!("checks by product: {products:?}\nchecks by framework: {frameworks:?}");
    assert_eq!(products.values().sum::<usize>(), catalogue.checks().len());
}

#[test]
fn the_catalogue_a_program_is_built_with_is_whole() {
    let started = std::time::Instant::now();
    let shipped = Catalogue::shipped().unwrap();
    println!("{} checks read in {:?} (this build), version {}", shipped.checks().len(), started.elapsed(), shipped.version());
    let whole = Catalogue::shipped_with_cases().unwrap();
    assert_eq!(whole.version(), shipped.version());
    assert_eq!(whole.checks().len(), shipped.checks().len());
    for check in whole.checks() {
        assert_eq!(shipped.get(&check.id), Some(&Check { cases: Default::default(), ..check.clone() }));
    }
}

#[test]
fn the_order_of_files_does_not_matter() {
    let files = [("a", "id: x"), ("b", "id: y")];
    let version = |files: &[(&str, &str)]| Catalogue::read_sound(files.iter().copied()).0.version().to_owned();
    assert_eq!(version(&files), version(&[files[1], files[0]]));
    assert_ne!(version(&files), version(&[("a", "id: y"), ("b", "id: x")]));
}

#[test]
fn what_is_wrong_is_said_with_file_and_member() {
    let sound = include_str!("fixtures/entra/entra.fixture.mfa.yaml");
    let name = "entra/entra.fixture.mfa.yaml";
    for (file, was, is, says) in [
        (name, "severity: critical", "severity: awful", "unknown variant"),
        (name, "rationale:", "rational:", "unknown field"),
        (name, "op: contains", "op: holds", "rule.expected.all[1].value: holds is no operator"),
        (name, "fn: exclusions_accepted", "fn: all_good", "rule.expected.all[3]: \"all_good\" is no function"),
        (name, "path: state", "path: 'state['", "rule.expected.all[0]: path \"state[\""),
        (name, "\"7.0:5.2.2.2\"", "\"5.2.2.2\"", "frameworks.cis_m365: 5.2.2.2 is not version:number"),
        (name, "scans: [compliance, exposure]", "scans: []", "scans: no scan"),
        (name, "value: mfa", "value: {parameter: control}", "parameter \"control\" is not among parameters"),
        ("teams/entra.fixture.mfa.yaml", "", "", "belongs at entra/entra.fixture.mfa.yaml"),
    ] {
        let text = sound.replacen(was, is, 1);
        let told: Vec<String> = Catalogue::read([(file, text.as_str())]).unwrap_err().iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.starts_with(file) && told.contains(says)), "{is}: {told:?}");
    }
}
