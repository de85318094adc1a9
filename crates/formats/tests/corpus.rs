//! Every corpus file of the four families: what index.json expects and what the parser told, as a table, all equal.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod support;

use bailiwick_base::{Outcome, Severity};
use bailiwick_formats::{FormatErrorKind, Observation, SeveritySource};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::{Kept, corpus, parse};

fn tally(words: impl IntoIterator<Item = String>) -> Value {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_insert(0u64) += 1;
    }
    json!(counts)
}

fn maester_word(o: &Observation) -> String {
    match o.outcome {
        Outcome::Passed => "Passed",
        Outcome::Failed => "Failed",
        Outcome::Error => "Error",
        Outcome::Investigate => "Investigate",
        Outcome::Skipped => "Skipped",
        Outcome::NotRun => "NotRun",
        Outcome::Unknown => return o.outcome_word.clone().unwrap_or_default(),
    }
    .into()
}

fn severity_word(o: &Observation) -> String {
    match (o.severity_source, o.severity) {
        (SeveritySource::Default, _) => "unset",
        (_, Severity::Critical) => "Critical",
        (_, Severity::High) => "High",
        (_, Severity::Medium) => "Medium",
        (_, Severity::Low) => "Low",
        (_, Severity::Info) => "Info",
        (_, Severity::None) => "None",
    }
    .into()
}

fn instant(text: &Value) -> Option<bailiwick_base::Timestamp> {
    text.as_str().and_then(|t| t.parse().ok())
}

/// The figures index.json gives for a Maester file, from what was told.
fn maester(kept: &Kept, expected: &Value) -> (Value, Value) {
    let wanted = expected["tenants"].as_array().unwrap().iter().map(|t| {
        let id = t["tenant_id"].as_str().filter(|id| !id.contains(' '));
        json!({"tenant_id": id, "name": t["tenant_name"].as_str().filter(|n| !n.is_empty() && !n.contains('(')), "at": instant(&t["executed_at"]),
               "total": t["total"], "result": t["result"], "severity": t["severity"], "header_mismatch": t["header_mismatch"]})
    });
    let told = kept.0.iter().map(|s| {
        let end = s.end.as_ref().unwrap();
        json!({"tenant_id": s.info.directory, "name": s.info.directory_name, "at": s.info.assessed_at, "total": s.results.len(),
               "result": tally(s.results.iter().map(maester_word)), "severity": tally(s.results.iter().map(severity_word)),
               "header_mismatch": end.header_mismatches.iter().map(|m| &m.0).collect::<Vec<_>>()})
    });
    let versions: BTreeSet<_> = kept.0.iter().map(|s| s.info.tool_version.clone()).collect();
    (
        json!({"tenants": wanted.collect::<Vec<_>>(), "total": expected["total"], "result": expected["result"], "version": [expected["tool_version"]]}),
        json!({"tenants": told.collect::<Vec<_>>(), "total": kept.results().count(), "result": tally(kept.results().map(maester_word)), "version": versions}),
    )
}

/// Kind and level, from the tool's own word: a level, or another kind with its level in brackets.
fn kind_and_level(o: &Observation) -> (String, String) {
    let word = o.outcome_word.clone().unwrap_or_default();
    match word.split_once(" (") {
        Some((kind, level)) => (kind.into(), level.trim_end_matches(')').into()),
        None if ["none", "note", "warning", "error"].contains(&word.as_str()) => ("fail".into(), word),
        None => (word, "none".into()),
    }
}

/// The figures index.json gives for a SARIF file, from what was told.
fn sarif(kept: &Kept, expected: &Value) -> (Value, Value) {
    let mut wanted = expected.clone();
    // How the index was made, and members of the file that are no part of an observation.
    for name in ["encoding", "verdict", "version", "reason", "with_code_flow", "with_fix"] {
        wanted.as_object_mut().unwrap().remove(name);
    }
    let results: Vec<&Observation> = kept.results().collect();
    let paths: BTreeSet<_> = results.iter().filter_map(|o| o.location.as_ref()).map(|l| &l.path).collect();
    let rules: BTreeSet<_> = results.iter().map(|o| &o.check).collect();
    let mut told = json!({
        "runs": kept.0.len(),
        "tools": kept.0.iter().map(|s| &s.info.tool).collect::<Vec<_>>(),
        "per_run": kept.0.iter().map(|s| json!({"tool": s.info.tool, "version": s.info.tool_version, "results": s.results.len()})).collect::<Vec<_>>(),
        "total": results.len(),
        "level": tally(results.iter().map(|o| kind_and_level(o).1)),
        "kind": tally(results.iter().map(|o| kind_and_level(o).0)),
        "suppressed": results.iter().filter(|o| o.suppressed.is_some()).count(),
        "rule_ids": rules.len(),
        "without_rule_id": results.iter().filter(|o| o.check == "(no rule id)").count(),
        "artifact_uris": paths.len(),
        "by_location": results.iter().map(|o| 1 + o.location.as_ref().map_or(0, |l| l.more)).sum::<u32>(),
        "without_location": results.iter().filter(|o| o.location.is_none()).count(),
    });
    if results.iter().any(|o| o.location.as_ref().is_some_and(|l| l.more > 0)) {
        // The index counts the files of every place; an observation holds the first and the number of the others (`by_location`).
        let all = wanted.as_object_mut().unwrap().remove("artifact_uris").unwrap().as_u64().unwrap();
        told.as_object_mut().unwrap().remove("artifact_uris");
        assert!(paths.len() as u64 <= all);
    }
    let states = tally(results.iter().filter_map(|o| o.baseline_state.clone()));
    if !states.as_object().unwrap().is_empty() {
        told["baseline_state"] = states;
    }
    if wanted.get("security_severity").is_some() {
        told["security_severity"] = tally(results.iter().map(|o| match o.severity_source {
            SeveritySource::Result | SeveritySource::Rule => o.severity.as_str().to_owned(),
            _ => "unset".into(),
        }));
    }
    (wanted, told)
}

/// The figures index.json gives for a Zero Trust Assessment file, from what was told.
fn zero_trust(kept: &Kept, expected: &Value) -> (Value, Value) {
    let mut wanted = expected.clone();
    for name in ["encoding", "verdict", "summary", "ids_repeated"] {
        wanted.as_object_mut().unwrap().remove(name);
    }
    let series = &kept.0[0];
    // The first release graded likelihood, which is told as a severity.
    let likelihood = wanted["risk"].get("HighlyLikely").is_some();
    let risk = |o: &Observation| match (likelihood, severity_word(o).as_str()) {
        (true, "High") => "HighlyLikely".to_owned(),
        (true, "Medium") => "Possible".to_owned(),
        (_, word) => word.to_owned(),
    };
    let pillars: BTreeMap<_, _> = series.checks.iter().map(|c| (&c.key, c.group.clone())).collect();
    let pillar = |o: &Observation| Some(pillars[&o.check].clone()).filter(|p| !p.is_empty()).unwrap_or_else(|| "unset".into());
    let mut mismatch: Vec<_> = series.end.as_ref().unwrap().header_mismatches.iter().map(|m| m.0.clone()).collect();
    mismatch.sort();
    let told = json!({
        "tool_version": series.info.tool_version, "tenant_id": series.info.directory, "total": series.results.len(),
        "status": tally(series.results.iter().map(|o| o.outcome_word.clone().unwrap_or_else(|| maester_word(o)))),
        "risk": tally(series.results.iter().map(risk)), "pillar": tally(series.results.iter().map(pillar)), "summary_mismatch": mismatch,
    });
    (wanted, told)
}

/// The figures index.json gives for a ScubaGear file, from what was told.
fn scubagear(kept: &Kept, expected: &Value) -> (Value, Value) {
    let mut wanted = expected.clone();
    for name in ["encoding", "verdict", "shape", "summary"] {
        wanted.as_object_mut().unwrap().remove(name);
    }
    let series = &kept.0[0];
    assert_eq!(series.end.as_ref().unwrap().header_mismatches, [], "the tool's own summary agrees with what was counted");
    let word = |o: &Observation| {
        o.outcome_word.clone().unwrap_or_else(|| if o.outcome == Outcome::Passed { "Pass".into() } else { "Fail".into() })
    };
    let checks: BTreeMap<_, _> = series.checks.iter().map(|c| (&c.key, c)).collect();
    let mut told = json!({
        "total": series.results.len(),
        "criticality": tally(series.results.iter().map(|o| checks[&o.check].tags[0].clone())),
        "policy_ids": checks.len(),
    });
    if wanted.get("met").is_some() {
        told["met"] = tally(series.results.iter().map(|o| (o.outcome == Outcome::Passed).to_string()));
        return (wanted, told);
    }
    told["result"] = tally(series.results.iter().map(word));
    told["tenant_id"] = json!(series.info.directory);
    let mut per_product: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for o in &series.results {
        let part = o.check.split('.').nth(1).unwrap();
        let product = match part {
            _ if wanted["per_product"].get("product").is_some() => "product",
            "DEFENDER" => "Defender",
            "POWERPLATFORM" => "PowerPlatform",
            "SHAREPOINT" => "SharePoint",
            "TEAMS" => "Teams",
            other => other,
        };
        per_product.entry(product.into()).or_default().push(word(o));
    }
    told["per_product"] = per_product.into_iter().map(|(product, words)| (product, tally(words))).collect::<serde_json::Map<_, _>>().into();
    // The index looks for the version where the whole report has it; one product's report has it as `Module Version`.
    match wanted["tool_version"].is_null() {
        true => wanted
            .as_object_mut()
            .unwrap()
            .remove("tool_version")
            .map_or((), |_| assert_eq!(series.info.tool_version.as_deref(), Some("1.8.0"))),
        false => told["tool_version"] = json!(series.info.tool_version),
    }
    (wanted, told)
}

#[test]
fn every_corpus_file_of_the_four_families_gives_the_expected_counts() {
    let Some(corpus) = corpus() else {
        println!("not run: the sample corpus is not on this machine; name its folder in BAILIWICK_CORPUS");
        return;
    };
    let sample = |file: &str| std::fs::read(corpus.join(file)).unwrap();
    let index: Value = serde_json::from_slice(&sample("index.json")).unwrap();
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for entry in index["files"].as_array().unwrap() {
        let (file, kind, expected) = (entry["file"].as_str().unwrap(), entry["kind"].as_str().unwrap_or_default(), &entry["expected"]);
        if !["maester", "zta", "scuba", "sarif"].contains(&kind) {
            continue;
        }
        let (wanted, told) = match (expected["verdict"].as_str().unwrap_or("accept"), parse(&sample(file))) {
            ("reject", Err(e)) => {
                let reason = match (e.kind, &expected["version"]) {
                    (FormatErrorKind::Unknown, Value::String(version)) if e.message.contains(version.as_str()) => "version",
                    (FormatErrorKind::Malformed, _) if e.place.is_some() => "json",
                    _ => "other",
                };
                (json!({"refused": expected["reason"]}), json!({"refused": reason}))
            }
            ("reject", Ok(_)) => (json!({"refused": expected["reason"]}), json!("accepted")),
            (_, Err(e)) => (json!("accepted"), json!(e.to_string())),
            (_, Ok((_, kept))) => match kind {
                "maester" => maester(&kept, expected),
                "sarif" => sarif(&kept, expected),
                "zta" => zero_trust(&kept, expected),
                _ => scubagear(&kept, expected),
            },
        };
        let equal = wanted == told;
        rows.push(format!("| `{file}` | {} | {} | {} |", brief(&wanted), brief(&told), if equal { "yes" } else { "NO" }));
        if !equal {
            wrong.push(format!("{file}\n  expected {wanted}\n  parsed   {told}"));
        }
    }
    let table = format!("| file | expected | parsed | equal |\n|---|---|---|---|\n{}\n", rows.join("\n"));
    println!("{table}\n{} files, {} equal", rows.len(), rows.len() - wrong.len());
    let target = corpus_table();
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    std::fs::write(&target, table).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 48, "only {} files of the corpus were found under {}", rows.len(), corpus.display());
}

fn corpus_table() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/corpus-table.md")
}

/// The counts of one row, without braces.
fn brief(figures: &Value) -> String {
    match figures {
        Value::Object(map) => map.iter().map(|(k, v)| format!("{k} {}", brief(v))).collect::<Vec<_>>().join("; "),
        Value::Array(all) => all.iter().map(brief).collect::<Vec<_>>().join(" / "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
