//! The crate graph: arrows run one way.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each crate may use of the others. `tests` and `benches` may use all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("contract", &["base"]),
    ("formats", &["base"]),
    ("checks", &["base"]),
    ("scanner", &["base", "checks"]),
    ("proof", &["base"]),
    ("cloud", &["base"]),
    ("store", &["base", "proof"]),
    ("domain", &["base", "contract", "formats", "checks", "proof", "cloud", "scanner", "store"]),
    // The server names the scanner to configure it (its program and limits) and to say at start which layers of its sandbox hold.
    ("server", &["base", "contract", "formats", "checks", "proof", "cloud", "scanner", "store", "domain"]),
    ("cli", &["base", "contract", "formats", "checks", "proof"]),
    ("control", &["base", "contract", "proof"]),
    ("sim", &["base"]),
    ("testkit", &["base", "contract", "formats", "checks", "proof", "cloud", "store", "domain", "server", "sim"]),
    ("xtask", &["base", "contract", "proof"]),
];

/// Libraries that reach a database or a network, and the crates that may name them.
const REACH: &[(&str, &[&str])] = &[
    ("sqlx", &["store", "domain", "testkit"]),
    ("object_store", &["store"]),
    ("reqwest", &["cloud", "cli", "sim", "testkit"]),
    ("axum", &["server", "sim"]),
];

/// Dependencies of every crate of the workspace, by their short names: those it is built with, not those of its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(super::source::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let short = |name: &str| name.trim_start_matches("bailiwick-").to_owned();
    let package = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"] != "dev");
        (short(package["name"].as_str().unwrap()), all.map(|d| short(d["name"].as_str().unwrap())).collect())
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn the_crate_graph_runs_one_way() {
    let dependencies = dependencies();
    let crates: BTreeSet<&String> = dependencies.keys().collect();
    for (name, uses) in &dependencies {
        if ["tests", "benches"].contains(&name.as_str()) {
            continue;
        }
        let (_, may) =
            MAY_USE.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{name} has no place in the graph: give it one in graph.rs"));
        for used in uses.iter().filter(|used| crates.contains(used)) {
            assert!(may.contains(&used.as_str()), "{name} uses {used}");
        }
    }
}

#[test]
fn only_named_crates_reach_a_database_or_a_network() {
    let dependencies = dependencies();
    for (library, may) in REACH {
        for (name, uses) in &dependencies {
            let may = may.contains(&name.as_str()) || ["tests", "benches"].contains(&name.as_str());
            assert!(may || !uses.contains(*library), "{name} uses {library}");
        }
    }
}

/// The workspace's pure crates, named again so that this cannot be loosened by a slip in the table above.
#[test]
fn parsers_and_proofs_see_no_database_and_no_socket() {
    let dependencies = dependencies();
    for name in ["base", "contract", "formats", "checks", "proof"] {
        for library in ["sqlx", "reqwest", "hyper", "axum", "object_store", "tokio"] {
            assert!(!dependencies[name].contains(library), "{name} uses {library}");
        }
    }
}
