//! What a directory holds: the answers of Graph, Resource Manager and DNS, as readable files in `scenarios/`.
//!
//! A scenario is a folder of JSON files, one an area, each a map from path to answer: an object is one resource, an array
//! a list. A path starts with `/v1.0/` or `/beta/` where the two differ, with `/` where they do not. A member whose name
//! starts with `>` is a navigation property: shown by `$expand`, or at its own path below the object. An object with
//! `$status` is an error. What is written to a directory is laid over its scenario by [`Edit`]s. Texts may hold `{tenant}`, `{name}`, `{domain}`, `{reader}` and `{writer}` (object ids of
//! Bailiwick's service principals there) and times relative to the simulator's clock: `{now}`, `{now-30d}`, `{now+1d}`.

mod edit;
mod files;
mod fill;
pub mod large;

pub use edit::{Edit, Spot, step_into};
pub use fill::Fill;

use crate::config::Directory;
use anyhow::{Context, Result, bail};
use large::Large;
use serde_json::{Map, Value, json};
use std::{collections::HashMap, sync::Arc};

/// One path's answer.
#[derive(Clone)]
pub enum Entry {
    One(Value),
    List(Vec<Value>),
    /// Made item by item when asked for, but for the members that were written since, by the item's number.
    Made(Large, HashMap<usize, Map<String, Value>>),
}

/// Everything a directory answers with. A copy shares every answer that is not changed.
#[derive(Clone, Default)]
pub struct Estate {
    graph: HashMap<String, Arc<Entry>>,
    arm: HashMap<String, Arc<Entry>>,
    /// `TXT name` or `CNAME name`, in lower case, to the records.
    dns: HashMap<String, Vec<String>>,
    /// Members written of service principals that consent made, by their id.
    principals: HashMap<String, Map<String, Value>>,
}

impl Estate {
    /// The scenario of that folder, laid over what all scenarios share.
    ///
    /// # Errors
    /// When there is no such folder, or a file is not a map from path to answer.
    pub fn load(name: &str) -> Result<Self> {
        let mut estate = Self::default();
        let folder = if name == "large" { "typical" } else { name };
        let own = files::SCENARIOS.iter().find(|(scenario, _)| *scenario == folder);
        let (_, own) = own.with_context(|| format!("there is no scenario {name:?}: look into crates/sim/scenarios"))?;
        for (area, text) in files::COMMON.iter().chain(*own) {
            estate.add(area, text).with_context(|| format!("reading scenarios/{name}/{area}.json"))?;
        }
        if name == "large" {
            estate.graph.insert("*/users".to_owned(), Arc::new(Entry::Made(Large::Users, HashMap::new())));
            let registrations = Entry::Made(Large::Registrations, HashMap::new());
            estate.graph.insert("*/reports/authenticationmethods/userregistrationdetails".to_owned(), Arc::new(registrations));
        }
        Ok(estate)
    }

    /// A directory without a scenario: its organisation, domain and users, no licence, nothing in Azure.
    pub fn configured(directory: &Directory) -> Self {
        let mut estate = Self::default();
        let domain = json!({"id": "{domain}", "authenticationType": "Managed", "isDefault": true, "isInitial": false, "isRoot": true, "isVerified": true,
            "isAdminManaged": true, "supportedServices": [], "passwordValidityPeriodInDays": null, "passwordNotificationWindowInDays": null});
        let users = directory.users.iter().map(|user| {
            json!({"id": user.oid, "displayName": user.name, "userPrincipalName": user.upn, "mail": user.upn, "accountEnabled": true, "userType": "Member"})
        });
        estate.put("/users", users.collect());
        estate.put("/domains", json!([domain]));
        estate.put("/organization", json!([{"id": "{tenant}", "displayName": "{name}", "tenantType": "AAD", "verifiedDomains": [{"name": "{domain}", "isDefault": true}]}]));
        for empty in ["/subscribedSkus", "/servicePrincipals", "/applications", "/groups"] {
            estate.put(empty, json!([]));
        }
        estate
    }

    fn add(&mut self, area: &str, text: &str) -> Result<()> {
        let answers: Map<String, Value> = serde_json::from_str(text)?;
        for (path, answer) in answers {
            match area {
                "dns" => self.add_records(&path, answer)?,
                "azure" => drop(self.arm.insert(path.to_ascii_lowercase(), Arc::new(Entry::of(answer)))),
                _ => drop(self.graph.insert(graph_key(&path), Arc::new(Entry::of(answer)))),
            }
        }
        Ok(())
    }
    fn add_records(&mut self, kind: &str, names: Value) -> Result<()> {
        let Value::Object(names) = names else { bail!("{kind} is not a map from name to records") };
        for (name, records) in names {
            let records = serde_json::from_value(records).with_context(|| format!("records of {name}"))?;
            self.dns.insert(format!("{kind} {name}").to_ascii_lowercase(), records);
        }
        Ok(())
    }

    /// Adds an answer to Graph, as a scenario file would.
    pub fn put(&mut self, path: &str, answer: Value) {
        self.graph.insert(graph_key(path), Arc::new(Entry::of(answer)));
    }
    /// The answer of exactly that Graph path (`version` is `v1.0` or `beta`, the path in lower case with its slash).
    pub fn graph(&self, version: &str, path: &str) -> Option<&Entry> {
        self.graph.get(&format!("{version}{path}")).or_else(|| self.graph.get(&format!("*{path}"))).map(Arc::as_ref)
    }
    /// The answer of exactly that Resource Manager path, in lower case.
    pub fn arm(&self, path: &str) -> Option<&Entry> {
        self.arm.get(path).map(Arc::as_ref)
    }
    /// Objects of Resource Manager that a scenario writes one by one below a path, as the collection at that path lists them.
    pub fn arm_below(&self, path: &str) -> Vec<Value> {
        let one = |(key, entry): (&String, &Arc<Entry>)| match (key.strip_prefix(path)?.strip_prefix('/'), entry.as_ref()) {
            (Some(name), Entry::One(value)) if !name.contains('/') && value["$status"].is_null() => Some((key.clone(), value.clone())),
            _ => None,
        };
        let mut all: Vec<(String, Value)> = self.arm.iter().filter_map(one).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.into_iter().map(|(_, value)| value).collect()
    }
    /// Every list of Resource Manager.
    pub fn arm_lists(&self) -> impl Iterator<Item = &[Value]> {
        self.arm.values().filter_map(|entry| if let Entry::List(items) = entry.as_ref() { Some(items.as_slice()) } else { None })
    }
    /// `TXT name` and `CNAME name`, placeholders not filled in, with their records.
    pub fn records(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.dns.iter()
    }
    /// Names of the service plans this directory has paid for and not turned off.
    pub fn plans(&self) -> Vec<&str> {
        let Some(Entry::List(skus)) = self.graph("v1.0", "/subscribedskus") else { return Vec::new() };
        let usable = |sku: &&Value| matches!(sku["capabilityStatus"].as_str(), Some("Enabled" | "Warning"));
        let plans = skus.iter().filter(usable).filter_map(|sku| sku["servicePlans"].as_array()).flatten();
        plans.filter(|plan| plan["provisioningStatus"] != "Disabled").filter_map(|plan| plan["servicePlanName"].as_str()).collect()
    }
}

impl Entry {
    fn of(answer: Value) -> Self {
        match answer {
            Value::Array(items) => Self::List(items),
            one => Self::One(one),
        }
    }
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::List(items) => items.len(),
            Self::Made(large, _) => large.len(),
        }
    }
    /// The item at `index`, with its placeholders filled in.
    pub fn item(&self, index: usize, fill: &Fill) -> Option<Value> {
        match self {
            Self::One(value) => (index == 0).then(|| fill.value(value)),
            Self::List(items) => items.get(index).map(|item| fill.value(item)),
            Self::Made(large, written) => made(*large, written, index, fill),
        }
    }
    /// The item that a segment of a path names.
    pub fn find(&self, id: &str, fill: &Fill) -> Option<Value> {
        if let Self::Made(large, written) = self {
            return large.index_of(id).and_then(|index| made(*large, written, index, fill));
        }
        (0..self.len()).filter_map(|index| self.item(index, fill)).find(|item| is_named(item, id))
    }
}

/// Whether a segment of a path names an item: its id, its sign-in name, or another key of it as `appId='…`.
pub fn is_named(item: &Value, segment: &str) -> bool {
    let is = |name: &str, wanted: &str| item[name].as_str().is_some_and(|found| found.eq_ignore_ascii_case(wanted));
    match segment.split_once("='") {
        Some((key, value)) => is(key, value),
        None => is("id", segment) || is("userPrincipalName", segment),
    }
}

/// An item made on demand, with what was written of it.
fn made(large: Large, written: &HashMap<usize, Map<String, Value>>, index: usize, fill: &Fill) -> Option<Value> {
    let mut item = large.item(index, fill)?;
    if let (Some(members), Some(item)) = (written.get(&index), item.as_object_mut()) {
        item.extend(members.iter().map(|(name, value)| (name.clone(), fill.value(value))));
    }
    Some(item)
}

/// `/v1.0/x` and `/beta/x` keep their version, `/x` is for both; without regard to case.
fn graph_key(path: &str) -> String {
    let path = path.to_ascii_lowercase();
    match path.strip_prefix("/v1.0/").map(|rest| ("v1.0", rest)).or_else(|| path.strip_prefix("/beta/").map(|rest| ("beta", rest))) {
        Some((version, rest)) => format!("{version}/{rest}"),
        None => format!("*{path}"),
    }
}
