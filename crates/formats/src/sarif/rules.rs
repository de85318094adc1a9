//! The rules of a run's tool and extensions, and which of them a result means.

use super::properties::{read_properties, taxon};
use super::severity::{Level, Stated};
use crate::json::{Reader, Result, cut};
use crate::model::{CheckInfo, Limits};
use crate::told;
use bailiwick_base::Product;
use std::collections::{HashMap, HashSet};

/// Rules of one component, and different rules that the results of one run may name.
pub const MOST: usize = 100_000;
const EXTENSIONS: usize = 1_000;
/// Parts a hierarchical rule id is tried by.
const PARTS: usize = 16;

/// Bytes that may be kept between the passes: rules, artifacts and the like of all runs of a file.
pub struct Room {
    left: usize,
    /// Of those, for descriptions: when they are used up, later rules keep their title alone.
    descriptions: usize,
}

impl Room {
    const BYTES: usize = 64 << 20;

    pub fn new() -> Self {
        Self { left: Self::BYTES, descriptions: 16 << 20 }
    }

    /// Takes room for something of `bytes`, or refuses.
    pub fn take(&mut self, r: &Reader, bytes: usize) -> Result<()> {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => {
                return Err(
                    r.limit(&format!("rules, artifacts and invocations together are larger than the limit of {} bytes", Self::BYTES))
                );
            }
        }
        Ok(())
    }

    fn describe(&mut self, text: String) -> String {
        match self.descriptions.checked_sub(text.len()) {
            Some(left) => {
                self.descriptions = left;
                text
            }
            None => String::new(),
        }
    }
}

/// A reportingDescriptorReference, or the rule members of a result.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    pub id: Option<String>,
    pub index: Option<i64>,
    pub guid: Option<String>,
    pub component: Option<ComponentReference>,
}

#[derive(Debug, Clone, Default)]
pub struct ComponentReference {
    pub name: Option<String>,
    pub index: Option<i64>,
    pub guid: Option<String>,
}

#[derive(Debug, Default)]
pub struct Rule {
    pub id: String,
    guid: Option<String>,
    name: String,
    pub short: String,
    description: String,
    help: Option<String>,
    pub level: Option<Level>,
    pub stated: Stated,
    tags: Vec<String>,
    pub references: Vec<String>,
    messages: Vec<(String, String)>,
    /// The rule finds secrets: nothing of the code it points at may be used.
    pub secret: bool,
}

#[derive(Debug, Default)]
pub struct Component {
    pub name: String,
    pub version: Option<String>,
    guid: Option<String>,
    rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
    by_guid: HashMap<String, usize>,
    messages: Vec<(String, String)>,
}

/// The driver first, then the extensions.
#[derive(Debug, Default)]
pub struct Rules {
    pub components: Vec<Component>,
    /// Levels the invocation sets, by component and rule.
    pub overrides: HashMap<(usize, usize), Level>,
}

/// A rule found, and where.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    pub at: (usize, usize),
    pub rule: &'a Rule,
    pub component: &'a Component,
}

impl Rules {
    /// All rules' ids, where some of them are not among those that have `found` something: then the list is the tool's whole list, and not
    /// only the rules its results needed.
    pub fn looked_for(&self, found: &HashSet<String>) -> Vec<String> {
        let ids = || self.components.iter().flat_map(|component| &component.rules).map(|rule| &rule.id);
        if ids().all(|id| found.contains(id)) { Vec::new() } else { ids().cloned().collect() }
    }

    /// The rule a reference means: by index if the id agrees, by guid, by id, by the id without its last parts.
    pub fn find(&self, reference: &Reference) -> Option<Found<'_>> {
        let place = self.component(reference.component.as_ref());
        let (c, component) = (place, self.components.get(place)?);
        let id = reference.id.as_deref();
        let agrees =
            |rule: &Rule| id.is_none_or(|id| id == rule.id || id.strip_prefix(rule.id.as_str()).is_some_and(|rest| rest.starts_with('/')));
        let by_index = reference.index.and_then(|i| usize::try_from(i).ok()).filter(|i| component.rules.get(*i).is_some_and(agrees));
        let by_guid = || reference.guid.as_ref().and_then(|guid| component.by_guid.get(guid).copied());
        if let Some(at) = by_index.or_else(by_guid).or_else(|| component.named(id?)) {
            return Some(Found { at: (c, at), rule: &component.rules[at], component });
        }
        // No component named and the driver does not know the id: an extension may.
        if reference.component.is_some() {
            return None;
        }
        let id = id?;
        self.components
            .iter()
            .enumerate()
            .skip(1)
            .find_map(|(c, component)| component.by_id.get(id).map(|at| Found { at: (c, *at), rule: &component.rules[*at], component }))
    }

    fn component(&self, reference: Option<&ComponentReference>) -> usize {
        let Some(reference) = reference else { return 0 };
        let by_index = reference.index.and_then(|i| usize::try_from(i).ok()).map(|i| i + 1).filter(|i| *i < self.components.len());
        let by = |same: &dyn Fn(&Component) -> bool| self.components.iter().position(same);
        by_index
            .or_else(|| reference.guid.as_ref().and_then(|guid| by(&|c| c.guid.as_ref() == Some(guid))))
            .or_else(|| reference.name.as_ref().and_then(|name| by(&|c| c.name == *name)))
            .unwrap_or(0)
    }

    /// The template of a message id: the rule's, else its component's, else the driver's.
    pub fn template(&self, found: Option<Found<'_>>, id: &str) -> Option<&str> {
        let of = |messages: &'_ [(String, String)]| messages.iter().position(|(name, _)| name == id);
        if let Some(found) = found {
            let (rule, component) = (&self.components[found.at.0].rules[found.at.1], &self.components[found.at.0]);
            if let Some(at) = of(&rule.messages) {
                return Some(&rule.messages[at].1);
            }
            if let Some(at) = of(&component.messages) {
                return Some(&component.messages[at].1);
            }
        }
        let driver = &self.components.first()?.messages;
        of(driver).map(|at| driver[at].1.as_str())
    }

    pub fn check(&self, key: &str, found: Option<Found<'_>>) -> CheckInfo {
        let component = found.map_or_else(|| self.components.first(), |f| Some(f.component));
        let mut check = CheckInfo {
            key: key.to_owned(),
            product: Some(Product::Code),
            group: component.map(|c| c.name.clone()).unwrap_or_default(),
            ..CheckInfo::default()
        };
        match found {
            Some(Found { rule, .. }) => {
                let name = if rule.name.is_empty() { key } else { &rule.name };
                check.title = told::title(if rule.short.is_empty() || rule.short.contains('{') { name } else { &rule.short });
                check.description = rule.description.clone();
                check.help_url = rule.help.clone();
                check.tags = rule.tags.clone();
            }
            None => check.title = told::title(key),
        }
        check
    }
}

impl Component {
    /// By the id, or by it without its last parts: `CA1000/sub` is of rule `CA1000`.
    fn named(&self, id: &str) -> Option<usize> {
        let mut id = Some(id).filter(|id| id.len() <= 1000)?;
        for _ in 0..PARTS {
            if let Some(at) = self.by_id.get(id) {
                return Some(*at);
            }
            id = id.rsplit_once('/')?.0;
        }
        None
    }
}

// ---- reading -----------------------------------------------------------------------------------------------------

/// `tool`: the driver and its extensions.
pub fn read_tool(r: &mut Reader, limits: &Limits, room: &mut Room) -> Result<Vec<Component>> {
    let (mut driver, mut extensions) = (None, Vec::new());
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key {
                "driver" => driver = Some(read_component(r, limits, room)?),
                "extensions" => {
                    extensions.clear();
                    if r.array()? {
                        while r.next_element()? {
                            if extensions.len() >= EXTENSIONS {
                                return Err(r.limit(&format!("more tool extensions than the limit of {EXTENSIONS}")));
                            }
                            extensions.push(read_component(r, limits, room)?);
                        }
                    }
                }
                _ => r.skip()?,
            }
        }
    }
    let driver = driver.filter(|driver: &Component| !driver.name.is_empty());
    let Some(driver) = driver else { return Err(r.malformed("a run does not say which tool made it: tool.driver.name is missing")) };
    extensions.insert(0, driver);
    Ok(extensions)
}

fn read_component(r: &mut Reader, limits: &Limits, room: &mut Room) -> Result<Component> {
    let mut component = Component::default();
    let (mut version, mut semantic) = (None, None);
    if !r.object()? {
        return Ok(component);
    }
    while let Some(key) = r.next_key()? {
        match key {
            "name" => component.name = cut(r.string()?.unwrap_or_default().trim(), 200).0,
            "version" => version = r.loose()?,
            "semanticVersion" => semantic = r.loose()?,
            "guid" => component.guid = r.string()?,
            "globalMessageStrings" => component.messages = read_messages(r, limits, room)?,
            "rules" => {
                component.rules.clear();
                if r.array()? {
                    while r.next_element()? {
                        if component.rules.len() >= MOST {
                            return Err(r.limit(&format!("more rules than the limit of {MOST}")));
                        }
                        component.rules.push(read_rule(r, limits, room)?);
                    }
                }
            }
            _ => r.skip()?,
        }
    }
    component.version = semantic.or(version).filter(|v| !v.is_empty()).map(|v| cut(&v, 100).0);
    for (at, rule) in component.rules.iter().enumerate() {
        component.by_id.entry(rule.id.clone()).or_insert(at);
        if let Some(guid) = &rule.guid {
            component.by_guid.entry(guid.clone()).or_insert(at);
        }
    }
    Ok(component)
}

fn read_rule(r: &mut Reader, limits: &Limits, room: &mut Room) -> Result<Rule> {
    let mut rule = Rule::default();
    let (mut full, mut help) = (String::new(), String::new());
    if !r.object()? {
        return Ok(rule);
    }
    while let Some(key) = r.next_key()? {
        match key {
            "id" => rule.id = cut(&r.loose()?.unwrap_or_default(), 500).0,
            "guid" => rule.guid = r.string()?.map(|guid| cut(&guid, 100).0),
            "name" => rule.name = cut(&r.loose()?.unwrap_or_default(), 300).0,
            "shortDescription" => rule.short = cut(&read_text(r, limits)?, 300).0,
            "fullDescription" => full = read_text(r, limits)?,
            "help" => help = read_text(r, limits)?,
            "helpUri" => rule.help = r.loose()?.as_deref().and_then(told::link),
            "messageStrings" => rule.messages = read_messages(r, limits, room)?,
            "defaultConfiguration" => rule.level = read_configuration(r)?,
            "relationships" => read_relationships(r, &mut rule.references)?,
            "properties" => {
                let properties = read_properties(r)?;
                rule.stated = properties.stated;
                rule.references.extend(properties.references);
                rule.tags = properties.tags;
            }
            _ => r.skip()?,
        }
    }
    rule.description = room.describe(if full.is_empty() { help } else { full });
    let tags: usize = rule.tags.iter().chain(&rule.references).map(String::len).sum();
    room.take(r, size_of::<Rule>() + 2 * rule.id.len() + rule.name.len() + rule.short.len() + tags)?;
    rule.references.sort();
    rule.references.dedup();
    rule.secret = [&rule.id, &rule.name].into_iter().chain(&rule.tags).any(|word| word.to_lowercase().contains("secret"));
    Ok(rule)
}

/// A message: its text, else its Markdown.
pub fn read_text(r: &mut Reader, limits: &Limits) -> Result<String> {
    let (mut text, mut markdown) = (String::new(), String::new());
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key {
                "text" => text = r.cut_string(limits.text)?.0,
                "markdown" => markdown = r.cut_string(limits.text)?.0,
                _ => r.skip()?,
            }
        }
    }
    Ok(if text.is_empty() { markdown } else { text })
}

fn read_messages(r: &mut Reader, limits: &Limits, room: &mut Room) -> Result<Vec<(String, String)>> {
    let mut messages = Vec::new();
    if r.object()? {
        while let Some(key) = r.next_key()? {
            let name = key.to_owned();
            let text = read_text(r, limits)?;
            if messages.len() < 200 {
                room.take(r, name.len() + text.len())?;
                messages.push((name, text));
            }
        }
    }
    Ok(messages)
}

/// A reportingConfiguration's level.
pub fn read_configuration(r: &mut Reader) -> Result<Option<Level>> {
    let mut level = None;
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key {
                "level" => level = r.str()?.and_then(Level::parse),
                _ => r.skip()?,
            }
        }
    }
    Ok(level)
}

fn read_relationships(r: &mut Reader, references: &mut Vec<String>) -> Result<()> {
    if !r.array()? {
        return Ok(());
    }
    while r.next_element()? {
        if r.object()? {
            while let Some(key) = r.next_key()? {
                match key {
                    "target" => {
                        let taxon = taxon(&read_reference(r)?);
                        if references.len() < 50 {
                            references.extend(taxon);
                        }
                    }
                    _ => r.skip()?,
                }
            }
        }
    }
    Ok(())
}

/// A reference to a rule, taxon or notification.
pub fn read_reference(r: &mut Reader) -> Result<Reference> {
    let mut reference = Reference::default();
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key {
                "id" => reference.id = r.loose()?,
                "index" => reference.index = r.int()?,
                "guid" => reference.guid = r.string()?,
                "toolComponent" => reference.component = Some(read_component_reference(r)?),
                _ => r.skip()?,
            }
        }
    }
    Ok(reference)
}

fn read_component_reference(r: &mut Reader) -> Result<ComponentReference> {
    let mut reference = ComponentReference::default();
    if r.object()? {
        while let Some(key) = r.next_key()? {
            match key {
                "name" => reference.name = r.string()?,
                "index" => reference.index = r.int()?,
                "guid" => reference.guid = r.string()?,
                _ => r.skip()?,
            }
        }
    }
    Ok(reference)
}
