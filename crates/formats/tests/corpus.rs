//! Every corpus file of the four families: what index.json expects and what the parser told, as a table, all equal.

mod support;

use bailiwick_base::{Outcome, Severity};
use bailiwick_formats::{FormatErrorKind, Observation, SeveritySource};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use support::{Kept, corpus, parse, sample};

fn tally(words: impl IntoIterator<Item = String>) -> Value {
    let mut counts = Map::new();
    for word in words {
        let n = counts.get(&word).and_then(Value::as_u64).unwrap_or(0) + 1;
        counts.insert(word, n.into());
    }
    Value::Object(counts)
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

#[test]
fn every_corpus_file_of_the_four_families_gives_the_expected_counts() {
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
                _ => continue,
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
    assert!(rows.len() >= 10, "only {} files of the corpus were found under {}", rows.len(), corpus().display());
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
