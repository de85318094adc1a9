//! Property paths: where in an answer a rule looks.
//!
//! `a.b` a member; `a[]` each element; `a[0]` one; `a[?name=='x']` those whose member equals; `[a,b.c].d` several members at once;
//! `$` the whole; `a|json|.b` reads text that holds JSON. A member that starts with `@` takes its dot along (`@odata.type`).
//! Null passes through members as null: Microsoft says null where nothing is set. Absent stays absent.

use super::RuleError;
use serde_json::Value;
use std::borrow::Cow;

/// A path, ready to walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub steps: Vec<Step>,
    /// Starts at the outermost list item (`$role`, `$item`), not at the value itself.
    pub outer: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Member(String),
    Each,
    Index(usize),
    Filter { member: String, equals: Value },
    Pick(Vec<Vec<Step>>),
    Json,
}

/// One place a path leads to.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// `None` where a member on the way is absent or no object.
    pub value: Option<Cow<'a, Value>>,
    /// The element of the outermost list on the way.
    pub outer: Option<&'a Value>,
}

impl Path {
    /// # Errors
    /// Where the text is no path.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let outer = ["$role", "$item"].into_iter().find_map(|name| text.strip_prefix(name));
        let rest = outer.unwrap_or(text);
        let rest = rest.strip_prefix('$').unwrap_or(rest);
        let mut parser = Parser { text: rest, rest };
        let steps = parser.steps(false)?;
        Ok(Self { steps, outer: outer.is_some() })
    }

    /// Whether it can lead to more or fewer places than one.
    pub fn many(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Each | Step::Filter { .. } | Step::Pick(_)))
    }

    /// Walks from `root`; `outer` is where `$item` starts.
    pub fn find<'a>(&self, root: &'a Value, outer: Option<&'a Value>) -> Vec<Found<'a>> {
        let start = if self.outer { outer } else { Some(root) };
        let mut found = Vec::with_capacity(1);
        walk(&self.steps, false, Found { value: start.map(Cow::Borrowed), outer }, &mut found);
        found
    }

    /// Whether the object that would hold the last member is there.
    pub fn parent_is_there(&self, root: &Value, outer: Option<&Value>) -> bool {
        let Some((_, before)) = self.steps.split_last() else { return true };
        let mut found = Vec::with_capacity(1);
        let start = if self.outer { outer } else { Some(root) };
        walk(before, false, Found { value: start.map(Cow::Borrowed), outer }, &mut found);
        found.iter().any(|found| matches!(found.value.as_deref(), Some(Value::Object(_) | Value::Null)))
    }

    /// The first place, for paths that lead to one.
    pub fn first<'a>(&self, root: &'a Value, outer: Option<&'a Value>) -> Option<Cow<'a, Value>> {
        self.find(root, outer).into_iter().next().and_then(|found| found.value)
    }
}

fn walk<'a>(steps: &[Step], picked: bool, at: Found<'a>, found: &mut Vec<Found<'a>>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(at);
        return;
    };
    let Found { value: Some(value), outer } = at else {
        found.push(Found { value: None, outer: at.outer });
        return;
    };
    match step {
        Step::Pick(paths) => {
            for path in paths {
                let mut picks = Vec::new();
                walk(path, false, Found { value: Some(value.clone()), outer }, &mut picks);
                picks.into_iter().for_each(|pick| walk(rest, true, pick, found));
            }
        }
        Step::Member(name) => {
            let value = match value {
                Cow::Borrowed(Value::Null) => Some(Cow::Borrowed(&Value::Null)),
                Cow::Owned(Value::Null) => Some(Cow::Owned(Value::Null)),
                Cow::Borrowed(value) => value.get(name).map(Cow::Borrowed),
                Cow::Owned(mut value) => value.get_mut(name).map(|member| Cow::Owned(member.take())),
            };
            walk(rest, false, Found { value, outer }, found);
        }
        Step::Index(at) => match elements(value) {
            // Nothing at all is nothing to look at; too few is an absent one.
            Ok(elements) if elements.is_empty() => {}
            Ok(elements) => {
                let value = elements.into_iter().nth(*at);
                walk(rest, false, Found { value: value.clone(), outer: outer.or(borrowed(&value)) }, found);
            }
            Err(_) => found.push(Found { value: None, outer }),
        },
        Step::Each | Step::Filter { .. } => match elements(value) {
            Ok(elements) => {
                for element in elements.into_iter().filter(|element| matches(step, element)) {
                    let element = Some(element);
                    let outer = outer.or(borrowed(&element));
                    walk(rest, false, Found { value: element, outer }, found);
                }
            }
            // `[a,b][]` flattens a list of what was picked: a plain value there stays itself.
            Err(value) if picked => walk(rest, false, Found { value: Some(value), outer }, found),
            Err(_) => found.push(Found { value: None, outer }),
        },
        Step::Json => {
            let value = match value.as_str() {
                Some(text) => serde_json::from_str(text).ok().map(Cow::Owned),
                None if value.is_null() => Some(Cow::Owned(Value::Null)),
                None => None,
            };
            walk(rest, false, Found { value, outer }, found);
        }
    }
}

fn borrowed<'a>(value: &Option<Cow<'a, Value>>) -> Option<&'a Value> {
    match value {
        Some(Cow::Borrowed(value)) => Some(value),
        _ => None,
    }
}

/// The elements of a list; null is an empty one; anything else comes back as it was.
fn elements(value: Cow<'_, Value>) -> Result<Vec<Cow<'_, Value>>, Cow<'_, Value>> {
    match value {
        Cow::Borrowed(Value::Array(list)) => Ok(list.iter().map(Cow::Borrowed).collect()),
        Cow::Owned(Value::Array(list)) => Ok(list.into_iter().map(Cow::Owned).collect()),
        Cow::Borrowed(Value::Null) | Cow::Owned(Value::Null) => Ok(Vec::new()),
        other => Err(other),
    }
}

fn matches(step: &Step, element: &Value) -> bool {
    match step {
        Step::Filter { member, equals } => match (element.get(member), equals) {
            // Ids and names differ in case between services.
            (Some(Value::String(a)), Value::String(b)) => a.eq_ignore_ascii_case(b),
            (Some(a), b) => a == b,
            (None, _) => false,
        },
        _ => true,
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl Parser<'_> {
    fn wrong(&self, why: &str) -> RuleError {
        RuleError::new(format!("path {:?}: {why} at {:?}", self.text, self.rest))
    }

    /// Steps to the end, or inside `[a,b]` to the comma or the bracket.
    fn steps(&mut self, inside: bool) -> Result<Vec<Step>, RuleError> {
        let mut steps = Vec::new();
        loop {
            self.rest = self.rest.strip_prefix('.').unwrap_or(self.rest);
            if self.rest.is_empty() || (inside && self.rest.starts_with([',', ']'])) {
                return Ok(steps);
            }
            if let Some(rest) = self.rest.strip_prefix("|json") {
                self.rest = rest.strip_prefix('|').unwrap_or(rest);
                steps.push(Step::Json);
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                steps.push(self.bracket()?);
            } else {
                steps.push(Step::Member(self.member()?));
            }
        }
    }

    fn member(&mut self) -> Result<String, RuleError> {
        let dots = usize::from(self.rest.starts_with('@'));
        let mut seen = 0;
        let end = self.rest.find(|c: char| {
            seen += usize::from(c == '.');
            (c == '.' && seen > dots) || "[],|=?'\"".contains(c)
        });
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return Err(self.wrong("a member's name is missing"));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn bracket(&mut self) -> Result<Step, RuleError> {
        if let Some(rest) = self.rest.strip_prefix(']') {
            self.rest = rest;
            return Ok(Step::Each);
        }
        let Some(end) = self.rest.find(']') else { return Err(self.wrong("a bracket is not closed")) };
        if let Ok(index) = self.rest[..end].parse() {
            self.rest = &self.rest[end + 1..];
            return Ok(Step::Index(index));
        }
        if let Some(filter) = self.rest.strip_prefix('?') {
            let Some((member, value)) = filter[..end - 1].split_once("==") else {
                return Err(self.wrong("a filter is [?member=='value']"));
            };
            let quoted = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\''));
            let equals = match quoted {
                Some(text) => Value::String(text.to_owned()),
                None => serde_json::from_str(value).map_err(|_| self.wrong("a filter's value is 'text', a number, true, false or null"))?,
            };
            let step = Step::Filter { member: member.to_owned(), equals };
            self.rest = &self.rest[end + 1..];
            return Ok(step);
        }
        let mut picks = Vec::new();
        loop {
            picks.push(self.steps(true)?);
            match self.rest.split_at_checked(1) {
                Some((",", rest)) => self.rest = rest,
                Some(("]", rest)) => {
                    self.rest = rest;
                    return Ok(Step::Pick(picks));
                }
                _ => return Err(self.wrong("a bracket is not closed")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn find(path: &str, root: &Value) -> Vec<Value> {
        let absent = || json!("(absent)");
        Path::parse(path).unwrap().find(root, None).into_iter().map(|f| f.value.map_or_else(absent, Cow::into_owned)).collect()
    }

    #[test]
    fn each_kind_of_step_leads_where_it_says() {
        let root = json!({"a": {"b": 1, "@odata.type": "#t"}, "l": [{"n": "x", "v": [1, 2]}, {"n": "y", "v": []}, {"n": "z"}],
            "k": {"one": "p", "two": "q"}, "none": null, "text": ["{\"deep\":{\"c\":3}}"]});
        for (path, found) in [
            ("$", vec![root.clone()]),
            ("a.b", vec![json!(1)]),
            ("a.@odata.type", vec![json!("#t")]),
            ("a.missing.b", vec![json!("(absent)")]),
            ("none.b.c", vec![json!(null)]),
            ("l[].n", vec![json!("x"), json!("y"), json!("z")]),
            ("l[0].n", vec![json!("x")]),
            ("l[9].n", vec![json!("(absent)")]),
            ("l[].v[]", vec![json!(1), json!(2), json!("(absent)")]),
            ("l[?n=='Y'].v", vec![json!([])]),
            ("l[?n=='nobody'].v", vec![]),
            ("none[].b", vec![]),
            ("k.[one,two][]", vec![json!("p"), json!("q")]),
            ("[a,k.one].b", vec![json!(1), json!("(absent)")]),
            ("text[0]|json|.deep.c", vec![json!(3)]),
        ] {
            assert_eq!(find(path, &root), found, "{path}");
        }
    }

    #[test]
    fn picked_lists_are_flattened_one_level() {
        let root = json!({"value": [{"p": [1], "k": [2, 3]}, {"p": [], "k": [4]}]});
        assert_eq!(find("value[].[p,k][]", &root), [json!(1), json!(2), json!(3), json!(4)]);
    }

    #[test]
    fn the_outer_item_is_that_of_the_first_list() {
        let root = json!({"value": [{"role": "r1", "rules": [{"id": 1}, {"id": 2}]}]});
        for found in Path::parse("value[].rules[]").unwrap().find(&root, None) {
            let item = found.value.unwrap();
            assert_eq!(Path::parse("$role.role").unwrap().first(&item, found.outer).unwrap().as_ref(), "r1");
        }
    }

    #[test]
    fn a_path_that_is_none_says_where() {
        for (text, why) in
            [("a[", "not closed"), ("a[?b]", "a filter is"), ("a[?b==c]", "value is"), ("[a,b", "not closed"), ("a.'b'", "missing")]
        {
            let error = Path::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
