//! What was written to each directory, over the scenario it began with: kept in memory, shown to reads when its time has
//! come. Changes show in the order in which they were written.

use crate::{
    cloud::{Cloud, lock},
    config::Directory,
    estate::{Edit, Estate},
};
use anyhow::{Context, Result, bail};
use bailiwick_base::Timestamp;
use jiff::SignedDuration;
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// One directory that has been written to.
struct Written {
    /// As reads show it.
    shown: Arc<Estate>,
    /// With every change.
    newest: Arc<Estate>,
    /// Changes that reads do not show yet, and from when on they will.
    waiting: VecDeque<(Timestamp, Edit)>,
}

/// The directories that have been written to.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<Uuid, Written>>);

impl Cloud {
    /// What a directory holds, as reads show it now.
    ///
    /// # Errors
    /// When its scenario cannot be read.
    pub fn estate(&self, directory: &Directory) -> Result<Arc<Estate>> {
        let (now, fill) = (self.now(), self.fill(directory));
        if let Some(written) = lock(&self.kept.0).get_mut(&directory.id) {
            while let Some((_, edit)) = written.waiting.pop_front_if(|(from, _)| *from <= now) {
                Arc::make_mut(&mut written.shown).apply(&edit, &fill);
            }
            return Ok(written.shown.clone());
        }
        self.scenario(directory)
    }
    /// What a directory holds with every change, also those that reads do not show yet.
    ///
    /// # Errors
    /// When its scenario cannot be read.
    pub fn newest(&self, directory: &Directory) -> Result<Arc<Estate>> {
        match lock(&self.kept.0).get(&directory.id) {
            Some(written) => Ok(written.newest.clone()),
            None => self.scenario(directory),
        }
    }
    /// Keeps changes; reads show them when this much time has passed.
    ///
    /// # Errors
    /// When the scenario of the directory cannot be read.
    pub fn keep(&self, directory: &Directory, edits: &[Edit], delay: SignedDuration) -> Result<()> {
        let (scenario, fill) = (self.scenario(directory)?, self.fill(directory));
        let mut kept = lock(&self.kept.0);
        let fresh = || Written { shown: scenario.clone(), newest: scenario, waiting: VecDeque::new() };
        let written = kept.entry(directory.id).or_insert_with(fresh);
        let newest = Arc::make_mut(&mut written.newest);
        edits.iter().for_each(|edit| newest.apply(edit, &fill));
        if delay <= SignedDuration::ZERO && written.waiting.is_empty() {
            written.shown = written.newest.clone();
        } else {
            let from = self.now().saturating_add(delay).unwrap_or(Timestamp::MAX);
            written.waiting.extend(edits.iter().map(|edit| (from, edit.clone())));
        }
        Ok(())
    }
    /// Reads show everything written to a directory from now on.
    fn show(&self, directory: Uuid) {
        if let Some(written) = lock(&self.kept.0).get_mut(&directory) {
            written.waiting.clear();
            written.shown = written.newest.clone();
        }
    }
    /// What stands at a path of Graph or Resource Manager with every change, without navigation properties; null for nothing.
    pub fn value(&self, directory: Uuid, path: &str) -> Value {
        let Some(directory) = self.directories.iter().find(|known| known.id == directory) else { return Value::Null };
        let (Ok(estate), fill) = (self.newest(directory), self.fill(directory)) else { return Value::Null };
        let found = match place(path) {
            Place::Graph(version, segments) => estate.spot(version, &segments).and_then(|spot| estate.at(&spot, &fill)),
            Place::Arm(path) => {
                let path = path.replace(&directory.id.to_string(), "{tenant}");
                let list = || estate.arm(&path).map(|list| (0..list.len()).filter_map(|at| list.item(at, &fill)).collect());
                estate.resource(&path).map(|resource| fill.value(resource)).or_else(list)
            }
        };
        plain(found.unwrap_or_default())
    }
    /// Sets members of an object as somebody at the portal does: at once, and seen at once.
    ///
    /// # Errors
    /// When there is no such directory or object.
    pub fn change(&self, directory: Uuid, path: &str, members: Value) -> Result<()> {
        let known = self.directories.iter().find(|known| known.id == directory);
        let known = known.with_context(|| format!("there is no directory {directory}"))?;
        let Value::Object(members) = members else { bail!("the members to set are not an object") };
        let current = self.value(directory, path);
        if !current.is_object() {
            bail!("{} holds no object at {path}", known.name);
        }
        let edit = match place(path) {
            Place::Graph(version, segments) => Edit::Set { spots: self.newest(known)?.spots(version, &segments), members },
            Place::Arm(path) => {
                let mut value = current;
                for (name, member) in members {
                    if name == "properties"
                        && let (Some(inner), Value::Object(given)) = (value["properties"].as_object_mut(), &member)
                    {
                        inner.extend(given.clone());
                    } else {
                        value[name] = member;
                    }
                }
                Edit::Resource { path: path.replace(&directory.to_string(), "{tenant}"), value }
            }
        };
        self.keep(known, &[edit], SignedDuration::ZERO)?;
        self.show(directory);
        Ok(())
    }
    /// Undoes everything written to a directory.
    pub fn restore(&self, directory: Uuid) {
        lock(&self.kept.0).remove(&directory);
    }
    /// How long a write is hidden from reads, as it is set now.
    pub fn write_delay(&self) -> SignedDuration {
        let millis = lock(&self.knobs).write_delay_ms;
        SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// A path of either service.
enum Place<'a> {
    Graph(&'a str, Vec<String>),
    /// In lower case.
    Arm(String),
}

fn place(path: &str) -> Place<'_> {
    let path = path.split('?').next().unwrap_or_default();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match segments.next() {
        Some(version @ ("v1.0" | "beta")) => Place::Graph(version, segments.map(str::to_owned).collect()),
        _ => Place::Arm(path.trim_end_matches('/').to_lowercase()),
    }
}

/// Without navigation properties, at any depth.
fn plain(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => {
            members.into_iter().filter(|(name, _)| !name.starts_with('>')).map(|(name, member)| (name, plain(member))).collect()
        }
        other => other,
    }
}
