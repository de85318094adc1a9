//! One proposed change as it is reviewed, sent, compared with what is there, and undone.
//!
//! What must stay true: only the members shown in `changed` are decided over. Microsoft replaces an object inside an object whole, so its
//! other members go along, always as they are at that moment; nothing that was not shown is ever set back.

use super::{
    access,
    members::{get, get_or_null, is_nothing, leaves, put, same},
    recipe::{Method, RecipeKind},
};
use crate::{ObjectRef, Service};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Everything about one change: what is shown, approved, sent, compared and undone. Kept whole, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub recipe: String,
    /// The recipe's version when this was proposed.
    pub version: u32,
    pub kind: RecipeKind,
    pub object: Option<ObjectRef>,
    pub service: Service,
    pub method: Method,
    /// What to GET to see whether the values are as before or as after.
    pub read: String,
    /// What the request goes to.
    pub write: String,
    /// The body of the request, as long as nothing beside the changed members moves.
    pub body: Value,
    /// The touched members as they were read, whole; null where something is created.
    pub before: Value,
    /// The same members as they will be.
    pub after: Value,
    /// Each setting that changes.
    pub changed: Vec<MemberChange>,
    /// What must be as it was reviewed, though it does not change: settings of the recipe that are already as it wants them, and of a
    /// policy that is enforced all it says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, Value>,
    /// What an absent member stands for, where Microsoft documents it and null would not bring it back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent_means: BTreeMap<String, Value>,
}

/// One setting, null where it is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberChange {
    /// Names from the root of the object, parted by dots.
    pub path: String,
    pub before: Value,
    pub after: Value,
}

/// How what is there stands to a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// As it was reviewed.
    AsBefore,
    /// As the change would have it.
    AsAfter,
    /// Neither: somebody else changed it. `before` is the value that was reviewed, `after` what is there now.
    Other { differs: Vec<MemberChange> },
}

/// The request that takes a change back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    pub service: Service,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    /// What to GET afterwards; for a removed object 404 is the answer wanted.
    pub read: String,
}

/// Why something created cannot be taken back: nobody knows which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("It is not known which object was created, so it cannot be removed. Find it by the mark in its name, and remove it by hand.")]
pub struct NotKnown;

/// What Microsoft replaces as one: a member, or, in Resource Manager, a member of `properties`.
pub(super) fn unit(service: Service, path: &str) -> &str {
    let upto = |from: usize| path[from..].find('.').map_or(path, |dot| &path[..from + dot]);
    match service {
        Service::Arm if path.starts_with("properties.") => upto("properties.".len()),
        _ => upto(0),
    }
}

impl Change {
    /// What an absent member at a path stands for.
    fn stands_for(&self, path: &str) -> Value {
        self.absent_means.get(path).cloned().unwrap_or_default()
    }

    fn reads(&self, current: &Value, path: &str, wanted: &Value) -> bool {
        let found = get(current, path).unwrap_or(&Value::Null);
        let of = |value: &Value| if value.is_null() { self.stands_for(path) } else { value.clone() };
        same(found, wanted) || same(&of(found), &of(wanted))
    }

    /// What is held and sent along: nothing where a policy is enforced, of which the state alone is written.
    fn held_and_sent(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.held.iter().filter(|_| self.kind == RecipeKind::Patch)
    }

    /// The touched units and what they hold in a value.
    fn units(&self) -> impl Iterator<Item = &str> {
        let sent = self.held_and_sent().map(|(path, _)| path);
        let mut units: Vec<&str> =
            self.changed.iter().map(|change| &change.path).chain(sent).map(|path| unit(self.service, path)).collect();
        units.sort_unstable();
        units.dedup();
        units.into_iter()
    }

    /// The reviewed body without the touched units: what goes along because Microsoft wants it to, as it is now.
    fn along(&self, current: &Value) -> Value {
        let members = self.body.as_object().into_iter().flatten();
        let units: Vec<&str> = self.units().collect();
        let along = members.filter(|(name, _)| !units.iter().any(|unit| unit.split('.').next() == Some(name)));
        let now = |(name, value): (&String, &Value)| (name.clone(), get(current, name).unwrap_or(value).clone());
        Value::Object(along.map(now).collect::<Map<_, _>>())
    }

    /// The body to send now: [`Change::body`], but with the members beside the changed ones as they are in `current`.
    pub fn body_now(&self, current: &Value) -> Value {
        if self.kind == RecipeKind::Create {
            return self.body.clone();
        }
        let mut body = self.along(current);
        for unit in self.units() {
            put(&mut body, unit, get_or_null(current, unit));
        }
        for (path, value) in self.held_and_sent().chain(self.changed.iter().map(|change| (&change.path, &change.after))) {
            put(&mut body, path, value.clone());
        }
        body
    }

    /// What moved since review beside the changed members, inside the objects that are sent whole.
    pub fn beside(&self, current: &Value) -> Vec<MemberChange> {
        if self.kind == RecipeKind::Create {
            return Vec::new();
        }
        let ours = |path: &str| self.held.contains_key(path) || self.changed.iter().any(|change| change.path == path);
        let mut paths: Vec<String> = Vec::new();
        for value in [&self.before, current] {
            for unit in self.units() {
                let found = get(value, unit).map(leaves).unwrap_or_default();
                let whole = |leaf: String| if leaf.is_empty() { unit.to_owned() } else { format!("{unit}.{leaf}") };
                paths.extend(found.into_iter().map(|(leaf, _)| whole(leaf)).filter(|path| !ours(path) && !path.contains("@odata")));
            }
        }
        paths.sort_unstable();
        paths.dedup();
        let moved = |path: String| MemberChange { before: get_or_null(&self.before, &path), after: get_or_null(current, &path), path };
        // A unit that was absent as a whole is no member beside.
        paths.into_iter().map(moved).filter(|m| !same(&m.before, &m.after) && !self.units().any(|unit| unit == m.path)).collect()
    }

    /// What an approval is bound to: SHA-256 over recipe, directory, target, request, and what is shown before and after; hexadecimal.
    pub fn digest(&self, directory: Uuid) -> String {
        let facts = json!({
            "recipe": self.recipe, "version": self.version, "directory": directory, "service": self.service, "method": self.method,
            "path": self.write, "body": self.body, "before": self.before, "after": self.after,
        });
        let mut text = String::new();
        canonical(&facts, &mut text);
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()))
    }
}

/// JSON with members in the order of names, so that a value that was stored and read back gives the same text.
fn canonical(value: &Value, into: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            into.push('{');
            for (at, (name, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    into.push(',');
                }
                into.push_str(&Value::from(name.as_str()).to_string());
                into.push(':');
                canonical(member, into);
            }
            into.push('}');
        }
        Value::Array(list) => {
            into.push('[');
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    into.push(',');
                }
                canonical(element, into);
            }
            into.push(']');
        }
        plain => into.push_str(&plain.to_string()),
    }
}

/// How what is there stands to a change. `current` is the answer of `change.read`, or of the created object's own path; null where it
/// answers 404.
pub fn compare(change: &Change, current: &Value) -> Standing {
    if change.kind == RecipeKind::Create {
        return access::compare(change, current);
    }
    let wanted = |after: bool| {
        change
            .held
            .iter()
            .chain(change.changed.iter().map(move |member| (&member.path, if after { &member.after } else { &member.before })))
    };
    let differs = |after: bool| wanted(after).filter(|(path, value)| !change.reads(current, path, value));
    if differs(true).next().is_none() {
        return Standing::AsAfter;
    }
    let found =
        |(path, value): (&String, &Value)| MemberChange { path: path.clone(), before: value.clone(), after: get_or_null(current, path) };
    let differs: Vec<MemberChange> = differs(false).map(found).collect();
    if differs.is_empty() { Standing::AsBefore } else { Standing::Other { differs } }
}

/// The id of what a change created, found in the listing by the mark in its name.
pub fn created(change: &Change, current: &Value) -> Option<String> {
    access::find(change, current)?.get("id")?.as_str().map(str::to_owned)
}

/// The request that takes a change back: the changed members as they were, those beside them as they are in `current`. What was created
/// is removed, by its id `created`.
///
/// # Errors
/// Where something was created and nobody says under which id.
pub fn undo(change: &Change, current: &Value, created: Option<&str>) -> Result<Undo, NotKnown> {
    let Change { service, .. } = *change;
    if change.kind == RecipeKind::Create {
        let path = access::one(created.filter(|id| access::is_id(id)).ok_or(NotKnown)?);
        return Ok(Undo { service, method: Method::Delete, path: path.clone(), body: None, read: path });
    }
    let mut body = change.along(current);
    for unit in change.units() {
        let within = || change.changed.iter().filter(|member| self::unit(service, &member.path) == unit);
        let was_there = get(&change.before, unit).is_some_and(|was| !was.is_null());
        let stays = was_there || holds_more(current, unit, &within().map(|member| member.path.as_str()).collect::<Vec<_>>());
        put(&mut body, unit, if stays { get_or_null(current, unit) } else { change.stands_for(unit) });
        for member in within().filter(|member| stays || change.absent_means.contains_key(&member.path)) {
            let back = if member.before.is_null() { change.stands_for(&member.path) } else { member.before.clone() };
            put(&mut body, &member.path, back);
        }
    }
    Ok(Undo { service, method: change.method, path: change.write.clone(), body: Some(body), read: change.read.clone() })
}

/// Whether somebody set more in a unit than the members at these paths.
fn holds_more(current: &Value, unit: &str, paths: &[&str]) -> bool {
    let found = get(current, unit).filter(|value| value.is_object()).map(leaves).unwrap_or_default();
    let other = |leaf: &str| !paths.iter().any(|path| path.strip_prefix(unit).and_then(|rest| rest.strip_prefix('.')) == Some(leaf));
    found.iter().any(|(leaf, value)| other(leaf) && !leaf.contains("@odata") && !is_nothing(value))
}
