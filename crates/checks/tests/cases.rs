//! Every check of the catalogue: its file loads, has its four cases, and they come out as they say.
//!
//! `BAILIWICK_CHECKS=entra.ca cargo test -p bailiwick-checks --test cases` runs those whose id begins so.

mod common;

use bailiwick_checks::{Check, missing_cases, run_cases};
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
