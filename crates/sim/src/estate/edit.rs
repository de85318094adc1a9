//! Changes to what a directory holds: where an object stands, and what becomes of it there and wherever else it shows.

use super::{Entry, Estate, Fill, fill::literal};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Where an object stands in Graph: the key of an answer, and the way down from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    key: String,
    rest: Vec<String>,
}

/// One change. Texts in it are literal: they hold no placeholders.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Members of an object of Graph take new values, at each place where the object itself stands.
    Set { spots: Vec<Spot>, members: Map<String, Value> },
    /// An item joins a list of Graph.
    Add { list: Spot, item: Value },
    /// An item leaves its list.
    Remove { spot: Spot },
    /// A resource of Resource Manager, by its path in lower case, becomes this.
    Resource { path: String, value: Value },
}

impl Spot {
    /// The path of the answer, without its version and in lower case.
    pub fn path(&self) -> &str {
        self.key.find('/').map_or("", |at| &self.key[at..])
    }
    pub fn rest(&self) -> &[String] {
        &self.rest
    }
}

impl Estate {
    /// The longest part of a Graph path that is answered, and the rest of the way. Segments may be in any case.
    pub fn spot(&self, version: &str, segments: &[String]) -> Option<Spot> {
        let segments = &by_another_way(segments);
        (1..=segments.len()).rev().find_map(|length| {
            let path: String = segments[..length].iter().map(|segment| format!("/{}", segment.to_lowercase())).collect();
            let key = [format!("{version}{path}"), format!("*{path}")].into_iter().find(|key| self.graph.contains_key(key))?;
            Some(Spot { key, rest: segments[length..].to_vec() })
        })
    }

    /// Every place where the object of a path stands: a version may have an answer of its own, and a name of its own.
    pub fn spots(&self, version: &str, segments: &[String]) -> Vec<Spot> {
        let mut spots = Vec::new();
        for (version, segments) in twins(version, segments) {
            let spot = self.spot(version, &segments).filter(|spot| !spots.contains(spot));
            spots.extend(spot);
        }
        spots
    }

    /// The answer in which a spot is.
    pub fn entry(&self, spot: &Spot) -> Option<&Entry> {
        self.graph.get(&spot.key).map(Arc::as_ref)
    }
    /// What stands at a spot, filled in; lists as arrays.
    pub fn at(&self, spot: &Spot, fill: &Fill) -> Option<Value> {
        let (value, rest) = match (self.entry(spot)?, spot.rest.as_slice()) {
            (Entry::One(value), rest) => (fill.value(value), rest),
            (list, []) => (Value::Array((0..list.len()).filter_map(|at| list.item(at, fill)).collect()), &spot.rest[..0]),
            (list, [id, rest @ ..]) => (list.find(id, fill)?, rest),
        };
        rest.iter().try_fold(value, |value, name| step_into(value, name))
    }

    /// What was written of a service principal that consent made.
    pub fn principal(&self, id: &str) -> Option<&Map<String, Value>> {
        self.principals.get(id)
    }

    /// Carries out a change.
    pub fn apply(&mut self, edit: &Edit, fill: &Fill) {
        match edit {
            Edit::Set { spots, members } => {
                let members: Map<String, Value> = members.iter().map(|(name, value)| (name.clone(), literal(value))).collect();
                for spot in spots {
                    self.set(spot, &members, fill);
                }
            }
            Edit::Add { list, item } => {
                if let Some(Entry::List(items)) = self.graph.get_mut(&list.key).map(Arc::make_mut) {
                    items.push(literal(item));
                }
            }
            Edit::Remove { spot } => {
                if let (Some(Entry::List(items)), [id]) = (self.graph.get_mut(&spot.key).map(Arc::make_mut), spot.rest.as_slice()) {
                    items.retain(|item| !named(item, id, fill));
                }
            }
            Edit::Resource { path, value } => self.put_resource(path, &literal(value)),
        }
    }

    fn set(&mut self, spot: &Spot, members: &Map<String, Value>, fill: &Fill) {
        let Some(entry) = self.graph.get_mut(&spot.key).map(Arc::make_mut) else { return };
        let (start, rest) = match (entry, spot.rest.as_slice()) {
            (Entry::One(value), rest) => (Some(value), rest),
            (Entry::List(items), [id, rest @ ..]) => (items.iter_mut().find(|item| named(item, id, fill)), rest),
            (Entry::Made(large, written), [id]) => {
                if let Some(index) = large.index_of(id) {
                    written.entry(index).or_default().extend(members.clone());
                }
                return;
            }
            _ => (None, &spot.rest[..0]),
        };
        let Some(start) = start else {
            if let ("*/serviceprincipals", [id]) = (spot.key.as_str(), spot.rest.as_slice()) {
                self.principals.entry(id.to_lowercase()).or_default().extend(members.clone());
            }
            return;
        };
        let found = rest.iter().try_fold(start, |value, name| step(value, name, fill));
        let Some(Value::Object(object)) = found else { return };
        object.extend(members.clone());
        if let Some(id) = object.get("id").and_then(Value::as_str).filter(|id| id.parse::<uuid::Uuid>().is_ok()) {
            let id = id.to_owned();
            self.echo(&id, members);
        }
    }

    /// The copies of an object in navigation properties of others follow it, in the members they show.
    fn echo(&mut self, id: &str, members: &Map<String, Value>) {
        for entry in self.graph.values_mut() {
            let copies = match entry.as_ref() {
                Entry::One(value) => copied(value, id),
                Entry::List(items) => items.iter().any(|item| copied(item, id)),
                Entry::Made(..) => false,
            };
            if copies {
                match Arc::make_mut(entry) {
                    Entry::One(value) => follow(value, id, members, false),
                    Entry::List(items) => items.iter_mut().for_each(|item| follow(item, id, members, false)),
                    Entry::Made(..) => {}
                }
            }
        }
    }

    /// The resource of Resource Manager with that path, in lower case.
    pub fn resource(&self, path: &str) -> Option<&Value> {
        match self.arm(path) {
            Some(Entry::One(value)) => Some(value).filter(|value| value["$status"].is_null()),
            _ => self.arm_lists().flatten().find(|item| is_resource(item, path)),
        }
    }
    fn put_resource(&mut self, path: &str, value: &Value) {
        if let Some(Entry::One(one)) = self.arm.get_mut(path).map(Arc::make_mut) {
            *one = value.clone();
        }
        for entry in self.arm.values_mut() {
            let Entry::List(items) = entry.as_ref() else { continue };
            if !items.iter().any(|item| is_resource(item, path)) {
                continue;
            }
            if let Entry::List(items) = Arc::make_mut(entry) {
                items.iter_mut().filter(|item| is_resource(item, path)).for_each(|item| *item = value.clone());
            }
        }
    }
}

/// Where the same object stands by other names: Graph's versions differ in a few.
fn twins(version: &str, segments: &[String]) -> Vec<(&'static str, Vec<String>)> {
    let names: Vec<String> = segments.iter().map(|segment| segment.to_lowercase()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match (version, names.as_slice()) {
        ("v1.0", ["policies", "authorizationpolicy"]) | ("beta", ["policies", "authorizationpolicy", "authorizationpolicy"]) => {
            let policy = ["policies", "authorizationpolicy", "authorizationpolicy"];
            vec![("v1.0", of(&policy[..2])), ("beta", of(&policy))]
        }
        _ => {
            let versions = if version == "beta" { ["beta", "v1.0"] } else { ["v1.0", "beta"] };
            versions.into_iter().map(|version| (version, segments.to_vec())).collect()
        }
    }
}

/// Policies of role management are written down with the roles they are assigned to.
fn by_another_way(segments: &[String]) -> Vec<String> {
    match segments {
        [first, second, id, rest @ ..]
            if first.eq_ignore_ascii_case("policies") && second.eq_ignore_ascii_case("roleManagementPolicies") =>
        {
            let way = [first.clone(), "rolemanagementpolicyassignments".to_owned(), format!("policyId='{id}"), "policy".to_owned()];
            way.into_iter().chain(rest.iter().cloned()).collect()
        }
        _ => segments.to_vec(),
    }
}

/// From a filled-in value to what a segment of a path names in it.
pub fn step_into(mut value: Value, name: &str) -> Option<Value> {
    match &mut value {
        Value::Object(members) => {
            let key = members.keys().find(|known| is_member(known, name))?.clone();
            members.remove(&key)
        }
        Value::Array(items) => {
            let at = items.iter().position(|item| super::is_named(item, name))?;
            Some(items.swap_remove(at))
        }
        _ => None,
    }
}

/// A member, by its name or as navigation.
fn is_member(known: &str, name: &str) -> bool {
    known.trim_start_matches('>').eq_ignore_ascii_case(name)
}

/// From a value to what a segment of a path names in it: a member, by its name or as navigation, or the item of a list.
fn step<'a>(value: &'a mut Value, name: &str, fill: &Fill) -> Option<&'a mut Value> {
    match value {
        Value::Object(members) => members.iter_mut().find(|(known, _)| is_member(known, name)).map(|(_, member)| member),
        Value::Array(items) => items.iter_mut().find(|item| named(item, name, fill)),
        _ => None,
    }
}

/// [`super::is_named`] of an item that is not filled in yet.
fn named(item: &Value, segment: &str, fill: &Fill) -> bool {
    let key = segment.split_once("='").map_or("id", |(key, _)| key);
    let names = ["id", "userPrincipalName", key].into_iter().map(|name| (name.to_owned(), fill.value(&item[name])));
    super::is_named(&Value::Object(names.collect()), segment)
}

fn is_resource(item: &Value, path: &str) -> bool {
    item["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(path))
}

/// Whether a navigation property somewhere below holds a copy of the object.
fn copied(value: &Value, id: &str) -> bool {
    let is_copy = |value: &Value| value["id"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(id));
    match value {
        Value::Object(members) => members.iter().any(|(name, member)| match (name.starts_with('>'), member) {
            (true, Value::Array(items)) => items.iter().any(|item| is_copy(item) || copied(item, id)),
            (true, one) => is_copy(one) || copied(one, id),
            (false, _) => false,
        }),
        _ => false,
    }
}

/// Sets members on the copies below a value; a copy shows no member it did not show before.
fn follow(value: &mut Value, id: &str, members: &Map<String, Value>, inside: bool) {
    let Value::Object(object) = value else { return };
    if inside && object.get("id").and_then(Value::as_str).is_some_and(|found| found.eq_ignore_ascii_case(id)) {
        for (name, member) in members {
            if let Some(shown) = object.get_mut(name) {
                *shown = member.clone();
            }
        }
    }
    for (_, member) in object.iter_mut().filter(|(name, _)| name.starts_with('>')) {
        match member {
            Value::Array(items) => items.iter_mut().for_each(|item| follow(item, id, members, true)),
            one => follow(one, id, members, true),
        }
    }
}
