//! Predicates: conditions on one object, joined by all, any and not.

use super::{Function, Op, RuleError, Scene, Truth, path::Path};
use serde_json::{Map, Value};

/// A condition, ready to test.
#[derive(Debug, Clone)]
pub enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    /// Where the first holds, the second must.
    Where(Box<Predicate>, Box<Predicate>),
    /// A member of the object against an operator; without a path, the object itself.
    Test {
        path: Option<Path>,
        op: Op,
        absent_means: Option<Value>,
    },
    Call(Function),
}

/// Where in a check's file an error lies.
#[derive(Debug, Clone, Copy)]
pub struct At<'p> {
    pub before: Option<&'p At<'p>>,
    pub member: &'p str,
    pub index: Option<usize>,
}

impl<'p> At<'p> {
    pub fn root(member: &'p str) -> Self {
        Self { before: None, member, index: None }
    }
    pub fn member(&'p self, member: &'p str) -> Self {
        Self { before: Some(self), member, index: None }
    }
    pub fn index(&'p self, member: &'p str, index: usize) -> Self {
        Self { before: Some(self), member, index: Some(index) }
    }
    pub fn wrong(&self, message: &str) -> RuleError {
        RuleError::new(format!("{self}: {message}"))
    }
}

impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(before) = self.before {
            write!(f, "{before}")?;
        }
        let dot = if self.before.is_some() && !self.member.is_empty() { "." } else { "" };
        write!(f, "{dot}{}", self.member)?;
        self.index.map_or(Ok(()), |n| write!(f, "[{n}]"))
    }
}

impl Predicate {
    /// # Errors
    /// Where it is none; names the member.
    pub fn parse(text: &Value, at: &At<'_>) -> Result<Self, RuleError> {
        let Some(members) = text.as_object() else { return Err(at.wrong(&format!("a condition is an object, not {text}"))) };
        let only = |allowed: &[&str]| match members.keys().find(|key| !allowed.contains(&key.as_str())) {
            Some(key) => Err(at.wrong(&format!("{key} has no meaning here; there may be {}", allowed.join(", ")))),
            None => Ok(()),
        };
        if let Some(name) = members.get("fn") {
            return Function::parse(name, members, at).map(Self::Call);
        }
        if members.contains_key("op") {
            only(&["path", "op", "value", "absent_means"])?;
            return Self::leaf(members, at);
        }
        if members.contains_key("where") {
            only(&["where", "require"])?;
            let part = |member| Self::parse(members.get(member).unwrap_or(&Value::Null), &at.member(member)).map(Box::new);
            return Ok(Self::Where(part("where")?, part("require")?));
        }
        only(&["all", "any", "not"])?;
        let Some((name, parts)) = members.iter().next().filter(|_| members.len() == 1) else {
            return Err(at.wrong("a condition holds one of all, any, not, where and require, op, fn"));
        };
        if name == "not" {
            return Ok(Self::Not(Box::new(Self::parse(parts, &at.member("not"))?)));
        }
        let list = parts.as_array().filter(|parts| !parts.is_empty());
        let list = list.ok_or_else(|| at.wrong(&format!("{name} takes a list of conditions, not {parts}")))?;
        let parts = list.iter().enumerate().map(|(n, part)| Self::parse(part, &at.index(name, n))).collect::<Result<_, _>>()?;
        Ok(if name == "all" { Self::All(parts) } else { Self::Any(parts) })
    }

    fn leaf(members: &Map<String, Value>, at: &At<'_>) -> Result<Self, RuleError> {
        let path = match members.get("path") {
            None => None,
            Some(Value::String(path)) => Some(Path::parse(path).map_err(|e| at.wrong(&e.to_string()))?),
            Some(other) => return Err(at.wrong(&format!("path is text, not {other}"))),
        };
        let Some(Value::String(op)) = members.get("op") else { return Err(at.wrong("op is the name of an operator")) };
        let op = Op::parse(op, members.get("value").unwrap_or(&Value::Null), &at.member("value"))?;
        Ok(Self::Test { path, op, absent_means: members.get("absent_means").cloned() })
    }

    /// What the condition says of an object.
    pub fn test(&self, object: &Value, outer: Option<&Value>, scene: &Scene<'_>) -> Truth {
        match self {
            Self::All(parts) => Truth::all(parts.iter().map(|part| part.test(object, outer, scene))),
            Self::Any(parts) => Truth::any(parts.iter().map(|part| part.test(object, outer, scene))),
            Self::Not(part) => !part.test(object, outer, scene),
            Self::Where(condition, required) => Truth::any([!condition.test(object, outer, scene), required.test(object, outer, scene)]),
            Self::Call(function) => function.test(object, outer, scene),
            Self::Test { path: None, op, .. } if object.is_null() && op.negative() => Truth::Unknown,
            Self::Test { path: None, op, .. } => op.test(Some(object), outer, scene),
            Self::Test { path: Some(path), op, absent_means } => {
                let assumed = || absent_means.as_ref().filter(|_| scene.reading.assume);
                match (op, path.many()) {
                    // A list operator over many places takes them for its list.
                    (Op::List(rule), true) => rule.over(path.find(object, outer), scene),
                    (_, true) => {
                        let found = path.find(object, outer);
                        if found.is_empty() {
                            return op.test(assumed(), outer, scene);
                        }
                        Truth::all(found.iter().map(|found| op.test(found.value.as_deref().or_else(&assumed), found.outer, scene)))
                    }
                    (_, false) => {
                        let value = path.first(object, outer);
                        // Not there at all is something else than not there because what holds it is not there.
                        if value.is_none() && matches!(op, Op::NotExists) && !path.parent_is_there(object, outer) {
                            return Truth::Unknown;
                        }
                        op.test(value.as_deref().or_else(assumed), outer, scene)
                    }
                }
            }
        }
    }

    /// Every part that tests or calls, however deep.
    pub fn leaves<'p>(&'p self, visit: &mut dyn FnMut(&'p Predicate)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.leaves(visit)),
            Self::Not(part) => part.leaves(visit),
            Self::Where(a, b) => {
                a.leaves(visit);
                b.leaves(visit);
            }
            Self::Test { .. } | Self::Call(_) => visit(self),
        }
    }
}
