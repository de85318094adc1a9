//! Cases that catch nothing prove nothing: each rule is broken in every way it is likely to be broken by hand, and a case must tell.

mod common;

use bailiwick_checks::{Check, Rule, Settings, run_case};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The part of checks of which every mutant must be caught.
const CAUGHT: f64 = 0.95;

#[test]
fn a_broken_rule_is_caught_by_a_case() {
    let (catalogue, _) = common::catalogue();
    let checks = catalogue.checks();
    let (next, found) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    let work = || {
        while let Some(check) = checks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mutants = mutants(check);
            let survivors: Vec<String> = mutants.iter().filter(|(_, mutant)| !caught(mutant)).map(|(what, _)| what.clone()).collect();
            found.lock().unwrap().push((check.id.clone(), mutants.len(), survivors));
        }
    };
    std::thread::scope(|scope| {
        (0..std::thread::available_parallelism().map_or(2, usize::from)).for_each(|_| {
            scope.spawn(work);
        });
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    let mutants: usize = found.iter().map(|(_, mutants, _)| mutants).sum();
    let survivors: usize = found.iter().map(|(_, _, survivors)| survivors.len()).sum();
    let whole = found.iter().filter(|(_, mutants, survivors)| *mutants > 0 && survivors.is_empty()).count();
    for (check, _, survivors) in found.iter().filter(|(_, _, survivors)| !survivors.is_empty()) {
        println!("{check}: not caught: {}", survivors.join("; "));
    }
    println!("{mutants} mutants of {} checks, {survivors} not caught; every mutant caught for {whole} checks", found.len());
    assert!(whole as f64 >= CAUGHT * found.len() as f64, "{whole} of {} checks have all mutants caught", found.len());
}

fn caught(mutant: &Check) -> bool {
    mutant.cases.keys().any(|case| !run_case(mutant, case).holds())
}

/// The check with its rule broken in one way each; ways that leave no rule at all are left out.
fn mutants(check: &Check) -> Vec<(String, Check)> {
    let mut mutants = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut Check)| {
        let mut mutant = check.clone();
        change(&mut mutant);
        if sound(&mutant) {
            mutants.push((what, mutant));
        }
    };
    if check.license.is_some() {
        add("the licence gate dropped".to_owned(), &|mutant| mutant.license = None);
    }
    for operator in quantifiers(&check.rule.operator) {
        add(format!("{} for {}", operator, check.rule.operator), &|mutant| (*operator).clone_into(&mut mutant.rule.operator));
    }
    if quantifiers(&check.rule.operator).is_empty() && !check.rule.operator.starts_with("count_") {
        let flipped = match check.rule.operator.as_str() {
            "match" => json!({"not": check.rule.expected}),
            operator => json!({"not": {"op": operator, "value": check.rule.expected}}),
        };
        add(format!("{} flipped", check.rule.operator), &|mutant| {
            (mutant.rule.operator, mutant.rule.expected) = ("match".to_owned(), flipped.clone());
        });
    }
    for (what, expected) in broken(&json!({"op": check.rule.operator, "value": check.rule.expected})) {
        add(what, &|mutant| mutant.rule.expected = expected["value"].clone());
    }
    for (name, parameter) in &check.parameters {
        for (what, value) in shifted(&parameter.default) {
            add(format!("parameter {name} {what}"), &|mutant| {
                if let Some(parameter) = mutant.parameters.get_mut(name) {
                    parameter.default = value.clone();
                }
            });
        }
    }
    if let Some(applies) = &check.applies_when {
        add("applies_when dropped".to_owned(), &|mutant| mutant.applies_when = None);
        for (what, broken) in broken(&json!({"op": applies.operator, "value": applies.expected})) {
            add(format!("applies_when: {what}"), &|mutant| {
                if let Some(applies) = &mut mutant.applies_when {
                    applies.expected = broken["value"].clone();
                }
            });
        }
    }
    mutants
}

/// Whether a mutant is a rule at all.
fn sound(mutant: &Check) -> bool {
    Rule::of(mutant, &Settings::default()).is_ok()
}

fn quantifiers(operator: &str) -> &'static [&'static str] {
    match operator {
        "any_match" => &["none_match"],
        "all_match" => &["any_match", "none_match"],
        "none_match" => &["any_match"],
        _ => &[],
    }
}

/// A condition broken in each way, with what was done to it.
fn broken(condition: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    match condition {
        Value::Object(members) => {
            // The flip of a test or a call; the outermost one is flipped by its operator instead.
            if members.contains_key("path") || members.contains_key("fn") {
                all.push((format!("{condition} flipped"), json!({"not": condition})));
            }
            if let Some(inner) = members.get("not") {
                all.push((format!("not dropped before {inner}"), inner.clone()));
            }
            for (name, member) in members {
                let parts = if name == "value" { of_value(members, member) } else { broken_member(name, member) };
                for (what, part) in parts {
                    let mut whole = members.clone();
                    whole.insert(name.clone(), part);
                    all.push((what, Value::Object(whole)));
                }
            }
        }
        Value::Array(parts) => {
            for (at, part) in parts.iter().enumerate() {
                for (what, broken) in broken(part) {
                    let mut whole = parts.clone();
                    whole[at] = broken;
                    all.push((what, Value::Array(whole)));
                }
            }
        }
        _ => {}
    }
    all
}

fn broken_member(name: &str, member: &Value) -> Vec<(String, Value)> {
    let mut all = broken(member);
    if let (true, Some(parts)) = (["all", "any", "require_enabled"].contains(&name), member.as_array()) {
        for at in (0..parts.len()).filter(|_| parts.len() > 1) {
            let mut fewer = parts.clone();
            let dropped = fewer.remove(at);
            all.push((format!("{dropped} dropped"), Value::Array(fewer)));
        }
    }
    if ["max", "min", "min_matches"].contains(&name) {
        all.extend(shifted(member));
    }
    if name == "range" {
        all.extend(ends(member));
    }
    all
}

/// Operators whose value is a threshold.
const THRESHOLDS: &[&str] =
    &["lt", "lte", "gt", "gte", "duration_lte", "age_days_lte", "days_until_gt", "days_until_gte", "days_until_lte"];

fn of_value(members: &serde_json::Map<String, Value>, value: &Value) -> Vec<(String, Value)> {
    let operator = members.get("op").or_else(|| members.get("fn")).and_then(Value::as_str).unwrap_or_default();
    if THRESHOLDS.contains(&operator) || ["count_gte", "count_lte", "count_eq", "validity_days_lte", "port_in_ranges"].contains(&operator) {
        return shifted(value);
    }
    if operator == "between" || operator == "count_between" {
        return ends(value);
    }
    // Lists of plain values are no conditions.
    if value.is_object() { broken(value) } else { Vec::new() }
}

fn ends(range: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (at, end) in range.as_array().into_iter().flatten().enumerate() {
        for (what, shifted) in shifted(end) {
            let mut moved = range.clone();
            moved[at] = shifted;
            all.push((what, moved));
        }
    }
    all
}

/// A threshold one less and one more: of a number its unit, of a fraction a tenth, of a duration its last figure.
fn shifted(threshold: &Value) -> Vec<(String, Value)> {
    let told = |by: &str, value: Value| (format!("{threshold} shifted by {by}"), value);
    match threshold {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => vec![told("-1", json!(whole - 1)), told("+1", json!(whole + 1))],
            None => number.as_f64().map(|part| vec![told("-0.1", json!(part - 0.1)), told("+0.1", json!(part + 0.1))]).unwrap_or_default(),
        },
        Value::String(text) => {
            let Some(end) = text.rfind(|c: char| c.is_ascii_digit()) else { return Vec::new() };
            let start = text[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
            let Ok(figure) = text[start..=end].parse::<i64>() else { return Vec::new() };
            let with = |figure: i64| Value::from(format!("{}{figure}{}", &text[..start], &text[end + 1..]));
            if text.starts_with('P') { vec![told("-1", with(figure - 1)), told("+1", with(figure + 1))] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}
