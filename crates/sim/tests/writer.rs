//! The writer against the catalogue: it is granted what the recipes need and no more, and with that every recipe can be
//! carried out and read again.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::demo::{NORTHWIND, TAILSPIN, WRITER_CLIENT_ID, WRITER_PERMISSIONS};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use support::{World, writer_world};

/// What containing a person needs, and reading policies again, besides the recipes.
const BESIDE: &[&str] =
    &["IdentityRiskyUser.Read.All", "Policy.Read.All", "User.EnableDisableAccount.All", "User.Read.All", "User.RevokeSessions.All"];

fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue")
}

fn documents(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Value> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(documents(&path, wanted));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|end| end == "yaml") && wanted(&text) {
            found.push(serde_saphyr::from_str(&text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display())));
        }
    }
    found
}

/// The checks that say in full how they are fixed, with their parameters at their defaults.
fn fixed() -> Vec<Value> {
    let mut all = documents(&catalogue().join("checks"), &|text| text.contains("\nfix:"));
    all.retain(|check| check["fix"]["path"].is_string());
    for check in &mut all {
        check["fix"]["body"] = by_default(&check["fix"]["body"], &check["parameters"]);
    }
    all
}

fn by_default(value: &Value, parameters: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("parameter").and_then(Value::as_str) {
            Some(name) => parameters[name]["default"].clone(),
            None => members.iter().map(|(name, member)| (name.clone(), by_default(member, parameters))).collect(),
        },
        Value::Array(items) => items.iter().map(|item| by_default(item, parameters)).collect(),
        other => other.clone(),
    }
}

fn policies() -> Vec<Value> {
    documents(&catalogue().join("recipes"), &|_| true)
}

fn is_graph(check: &Value) -> bool {
    let path = check["fix"]["path"].as_str().unwrap();
    path.starts_with("/v1.0/") || path.starts_with("/beta/")
}

#[test]
fn the_writer_asks_for_what_recipes_need_and_no_more() {
    let (fixed, policies) = (fixed(), policies());
    let named = fixed.iter().filter(|check| is_graph(check)).map(|check| &check["fix"]["permission"]);
    let named = named.chain(policies.iter().map(|policy| &policy["permission"]));
    let words = named.flat_map(|permission| permission.as_str().unwrap().split_whitespace());
    let needed: BTreeSet<&str> = words.chain(BESIDE.iter().copied()).collect();
    let asked: BTreeSet<&str> = WRITER_PERMISSIONS.iter().copied().collect();
    assert!(fixed.len() > 40 && policies.len() > 5, "the catalogue was not found: {} and {}", fixed.len(), policies.len());
    assert_eq!(asked, needed, "mend WRITER_PERMISSIONS in crates/sim/src/demo/scanned.rs");
    assert!(WRITER_PERMISSIONS.is_sorted());
}

/// The path of a fix with an object of the directory in its place; `None` where it holds none.
fn place(world: &World, fix: &Value) -> Option<String> {
    let path = fix["path"].as_str().unwrap().replace("{tenantId}", &TAILSPIN.directory.to_string());
    let first = |list: &str, member: &str| {
        let list = world.sim.value(TAILSPIN.directory, list);
        Some(list.as_array()?.first()?[member].as_str()?.to_owned())
    };
    if path.contains("{policyId}") {
        return Some(path.replace("{policyId}", &first("/v1.0/policies/roleManagementPolicyAssignments", "policyId")?));
    }
    match path.split_once("/{id}") {
        Some((list, rest)) => Some(format!("{list}/{}{rest}", first(list, "id")?)),
        None => Some(path),
    }
}

/// What is there now with what is wanted put into it, however deep.
fn merged(current: &Value, wanted: &Value) -> Value {
    match (current, wanted) {
        (Value::Object(current), Value::Object(wanted)) => {
            let mut all = current.clone();
            for (name, value) in wanted {
                all.insert(name.clone(), merged(&current.get(name).cloned().unwrap_or_default(), value));
            }
            Value::Object(all)
        }
        (_, wanted) => wanted.clone(),
    }
}

#[tokio::test]
async fn every_recipe_can_be_carried_out_and_read_again() {
    let world = writer_world().await;
    let mut done = 0;
    for check in fixed().iter().filter(|check| is_graph(check)) {
        let (fix, id) = (&check["fix"], &check["id"]);
        let path = place(&world, fix).unwrap_or_else(|| panic!("{id}: nothing to write to"));
        let current = world.sim.value(TAILSPIN.directory, &path);
        let put = fix["method"] == "PUT";
        let mut body: Map<String, Value> =
            fix["body"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), merged(&current[name], value))).collect();
        if put {
            for (name, value) in current.as_object().unwrap().iter().filter(|(name, _)| *name != "version") {
                body.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        let (status, said) = world.write(TAILSPIN.directory, fix["method"].as_str().unwrap(), &path, Value::Object(body.clone())).await;
        assert!(matches!(status, 200 | 204), "{id}: {status} {said}");
        let (status, after) = world.read_back(TAILSPIN.directory, &path).await;
        assert_eq!(status, 200, "{id}: {after}");
        for (name, value) in &body {
            assert_eq!(after[name], *value, "{id}: {name}");
        }
        done += 1;
    }
    assert!(done > 30, "{done}");
}

#[tokio::test]
async fn every_policy_can_be_made() {
    let world = writer_world().await;
    for recipe in policies() {
        let mut policy = recipe["body"].clone();
        policy["displayName"] = recipe["name"].clone();
        policy["state"] = "enabledForReportingButNotEnforced".into();
        policy["conditions"]["users"]["excludeUsers"] = json!(TAILSPIN.emergency);
        let (status, made) = world.write(TAILSPIN.directory, "POST", "/v1.0/identity/conditionalAccess/policies", policy.clone()).await;
        assert_eq!(status, 201, "{}: {made}", recipe["id"]);
        assert_eq!(made["conditions"]["users"]["excludeUsers"], json!(TAILSPIN.emergency), "{}", recipe["id"]);
        assert_eq!(made["state"], policy["state"]);
    }
}

#[tokio::test]
async fn every_recipe_for_azure_can_be_carried_out_with_its_role() {
    let world = writer_world().await;
    let directory = NORTHWIND.directory;
    let subscription = "40470e11-5555-4555-8555-000000000001";
    let mut done = 0;
    for check in fixed().iter().filter(|check| !is_graph(check)) {
        let (fix, id) = (&check["fix"], check["id"].as_str().unwrap());
        let path = fix["path"].as_str().unwrap().replace("{tenantId}", &directory.to_string());
        let listed = match path.starts_with("{siteId}") {
            true => format!("/subscriptions/{subscription}/providers/Microsoft.Web/sites"),
            false => check["collect"]["path"].as_str().unwrap().replace("{sub}", subscription),
        };
        let resource = world.sim.value(directory, &listed)[0]["id"].as_str().unwrap_or_default().to_owned();
        let path = path.replace("{resourceId}", &resource).replace("{siteId}", &resource);
        world.sim.set_azure_reader(directory, WRITER_CLIENT_ID, false);
        let refused = world.write_arm(directory, "PATCH", &path, fix["body"].clone()).await;
        assert_eq!((refused.0, &refused.1["error"]["code"]), (403, &json!("AuthorizationFailed")), "{id} {path}");
        let role = fix["permission"].as_str().unwrap().trim_start_matches("AzureRole:");
        world.sim.grant_azure_role(directory, WRITER_CLIENT_ID, role).unwrap();
        let (status, said) = world.write_arm(directory, "PATCH", &path, fix["body"].clone()).await;
        assert_eq!(status, 200, "{id}: {said}");
        let (status, after) = world.write_arm(directory, "GET", &path, Value::Null).await;
        assert_eq!((status, &after), (200, &said), "{id}");
        for (member, value) in fix["body"]["properties"].as_object().into_iter().flatten() {
            assert_eq!(after["properties"][member], *value, "{id}: {member}");
        }
        done += 1;
    }
    assert!(done > 20, "{done}");
}
