//! Rules: what a check looks at in an answer and what it expects there, compiled once for a scan and folded over pages.

mod fold;
mod functions;
mod list;
mod looks;
mod op;
mod path;
mod policy;
mod predicate;
mod scene;
mod truth;
pub(crate) mod values;

pub use fold::{Fold, Ground, Outcome};
pub use functions::{Function, PRIVILEGED_APP_ROLES};
pub(crate) use functions::{active, guid, text};
pub use list::{ListKind, ListRule, Ruling, Tally};
pub use looks::Tree;
pub use op::{NAMES as OPERATORS, Op};
pub use path::{Path, Step};
pub use policy::REPORT_ONLY;
pub use predicate::Predicate;
pub use scene::{Facts, Names, Reading, Scene};
pub use truth::Truth;

use crate::{Applies, Check, FRAMEWORKS, RuleText, Settings};
use predicate::At;
use serde_json::Value;
use std::collections::BTreeMap;

/// A rule that says nothing that could be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RuleError {
    message: String,
}

impl RuleError {
    pub(crate) fn new(message: String) -> Self {
        Self { message }
    }
}

/// A rule, ready to judge. Operators on one value are a list rule over the values that the property leads to, of which all must hold.
#[derive(Debug, Clone)]
pub struct Rule {
    pub property: Path,
    pub text: RuleText,
    pub list: ListRule,
    /// The operator is one of lists, so that a property that leads to one list means its elements.
    of_elements: bool,
    /// Some member has a documented meaning where it is absent.
    assumes: bool,
    /// Asks whether a policy's exclusions are declared.
    exclusions: bool,
    /// Looks at Conditional Access policies, which may be in report-only mode.
    policies: bool,
}

impl Rule {
    /// Compiles a check's rule with a tenant's parameters.
    ///
    /// # Errors
    /// What is wrong, naming the member.
    pub fn of(check: &Check, settings: &Settings) -> Result<Self, RuleError> {
        let chosen = settings.parameters.get(&check.id);
        if let Some(name) = chosen.and_then(|chosen| chosen.keys().find(|name| !check.parameters.contains_key(*name))) {
            return Err(RuleError::new(format!("parameters.{name}: {} has no such parameter", check.id)));
        }
        let mut used = Vec::new();
        let value = |name: &str| chosen.and_then(|c| c.get(name)).or_else(|| check.parameters.get(name).map(|p| &p.default)).cloned();
        let expected = fill(&check.rule.expected, &value, &mut used)?;
        if let Some(name) = check.parameters.keys().find(|name| !used.contains(name)) {
            return Err(RuleError::new(format!("parameters.{name}: the rule does not use it")));
        }
        loosened(check, settings)?;
        if let Some(applies) = &check.applies_when {
            Self::condition(applies)?;
        }
        let policies = check.collect.path.contains("/conditionalAccess/policies");
        Ok(Self { policies, ..Self::compile(RuleText { expected, ..check.rule.clone() }, "rule")? })
    }

    /// Compiles the condition under which a check applies.
    ///
    /// # Errors
    /// What is wrong, naming the member.
    pub fn condition(applies: &Applies) -> Result<Self, RuleError> {
        let Applies { property, operator, expected, .. } = applies.clone();
        Self::compile(RuleText { property, operator, expected, absent_means: None }, "applies_when")
    }

    fn compile(text: RuleText, member: &str) -> Result<Self, RuleError> {
        let root = At::root(member);
        let property = Path::parse(&text.property).map_err(|e| root.member("property").wrong(&e.to_string()))?;
        if property.outer {
            return Err(root.member("property").wrong("$role and $item have a meaning inside conditions only"));
        }
        let op = Op::parse(&text.operator, &text.expected, &root.member("expected"))?;
        let (list, of_elements) = match op {
            Op::List(list) => (*list, true),
            Op::Count(low, high) => {
                let each = Predicate::All(Vec::new());
                (ListRule { kind: ListKind::Count(low, high), condition: None, predicate: each, least: 0 }, true)
            }
            op => {
                let predicate = Predicate::Test { path: None, op, absent_means: text.absent_means.clone() };
                (ListRule { kind: ListKind::All, condition: None, predicate, least: 0 }, false)
            }
        };
        let mut rule = Self { property, text, list, of_elements, assumes: false, exclusions: false, policies: false };
        let (mut assumes, mut exclusions) = (rule.text.absent_means.is_some(), false);
        rule.leaves(&mut |leaf| match leaf {
            Predicate::Test { absent_means, .. } => assumes |= absent_means.is_some(),
            Predicate::Call(function) => exclusions |= matches!(function, Function::ExclusionsAccepted),
            _ => {}
        });
        (rule.assumes, rule.exclusions) = (assumes, exclusions);
        Ok(rule)
    }

    /// Every test and call in the rule, lists inside lists included.
    pub fn leaves<'r>(&'r self, visit: &mut dyn FnMut(&'r Predicate)) {
        leaves_of(&self.list, visit);
    }

    /// The functions the rule calls.
    pub fn functions(&self) -> Vec<&Function> {
        let mut functions = Vec::new();
        self.leaves(&mut |leaf| {
            if let Predicate::Call(function) = leaf {
                functions.push(function);
            }
        });
        functions
    }
}

fn leaves_of<'r>(list: &'r ListRule, visit: &mut dyn FnMut(&'r Predicate)) {
    let denominator = match &list.kind {
        ListKind::Ratio { denominator, .. } => Some(&**denominator),
        _ => None,
    };
    for predicate in [Some(&list.predicate), list.condition.as_ref(), denominator].into_iter().flatten() {
        deep(predicate, visit);
    }
}

fn deep<'r>(predicate: &'r Predicate, visit: &mut dyn FnMut(&'r Predicate)) {
    let mut leaves = Vec::new();
    predicate.leaves(&mut |leaf| leaves.push(leaf));
    for leaf in leaves {
        visit(leaf);
        match leaf {
            Predicate::Test { op: Op::List(list), .. } => leaves_of(list, visit),
            Predicate::Test { op: Op::Match(inner), .. } => deep(inner, visit),
            _ => {}
        }
    }
}

/// Puts parameters' values where the rule refers to them.
fn fill(expected: &Value, value: &dyn Fn(&str) -> Option<Value>, used: &mut Vec<String>) -> Result<Value, RuleError> {
    Ok(match expected {
        Value::Object(members) if members.len() == 1 && members.contains_key("parameter") => {
            let name = members["parameter"].as_str().unwrap_or_default();
            used.push(name.to_owned());
            value(name).ok_or_else(|| RuleError::new(format!("rule.expected: parameter {name:?} is not among parameters")))?
        }
        Value::Object(members) => {
            let filled = members.iter().map(|(key, member)| Ok((key.clone(), fill(member, value, used)?)));
            Value::Object(filled.collect::<Result<_, RuleError>>()?)
        }
        Value::Array(list) => Value::Array(list.iter().map(|one| fill(one, value, used)).collect::<Result<_, _>>()?),
        plain => plain.clone(),
    })
}

/// Frameworks (key, version) whose limit a tenant's parameters go beyond, with what to say of it.
///
/// # Errors
/// Where a guard is no comparison.
pub fn loosened(check: &Check, settings: &Settings) -> Result<BTreeMap<(String, Option<String>), String>, RuleError> {
    let mut loose = BTreeMap::new();
    let (names, facts) = (Names::default(), Facts::default());
    let scene = Scene::new(jiff::Timestamp::UNIX_EPOCH, &names, &facts);
    for (name, parameter) in &check.parameters {
        let chosen = settings.parameters.get(&check.id).and_then(|chosen| chosen.get(name)).unwrap_or(&parameter.default);
        for (framework, guard) in &parameter.frameworks {
            let member = format!("parameters.{name}.frameworks.{framework}");
            let op = Op::parse(&guard.op, &guard.value, &At::root(&member))?;
            if op.test(Some(chosen), None, &scene) != Truth::True {
                let text = format!("parameter {name} is {chosen}, and {framework} asks {} {}", guard.op, guard.value);
                loose.insert(framework_of(framework), text);
            }
        }
    }
    Ok(loose)
}

/// `CIS Microsoft 365 Foundations 7.0` or `cis_m365 7.0`, as key and version.
fn framework_of(name: &str) -> (String, Option<String>) {
    let known = FRAMEWORKS.iter().find_map(|(key, full, _)| Some((key, name.strip_prefix(full).or_else(|| name.strip_prefix(key))?)));
    let (key, rest) = known.map_or((name, ""), |(key, rest)| (*key, rest));
    (key.to_owned(), Some(rest.trim().to_owned()).filter(|version| !version.is_empty()))
}
