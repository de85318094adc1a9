//! `$filter`, as far as Graph's own documents use it: comparisons, `in`, `startswith` and its like, `any`, and, or, not.

use bailiwick_base::Timestamp;
use serde_json::Value;
use std::cmp::Ordering;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    Or(Box<Filter>, Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare {
        path: Vec<String>,
        op: Op,
        value: Value,
    },
    In {
        path: Vec<String>,
        values: Vec<Value>,
    },
    Text {
        function: TextFunction,
        path: Vec<String>,
        text: String,
    },
    Any {
        path: Vec<String>,
        variable: String,
        inside: Box<Filter>,
    },
    /// A function of Resource Manager without a path: `atScope()`, `assignedTo('id')`.
    Call {
        name: String,
        argument: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFunction {
    StartsWith,
    EndsWith,
    Contains,
}

impl Filter {
    /// Reads the text of a `$filter`.
    ///
    /// # Errors
    /// What was found where something else was needed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { words: words(text)?, at: 0 };
        let filter = parser.or()?;
        match parser.words.get(parser.at) {
            None => Ok(filter),
            Some(word) => Err(format!("Invalid filter clause: unexpected {word:?}")),
        }
    }
    /// Whether an item passes. `call` decides functions without a path.
    pub fn passes(&self, item: &Value, call: &dyn Fn(&str, Option<&str>, &Value) -> bool) -> bool {
        self.holds(&Scope { item, variable: None }, call)
    }
    /// `ne`, `not` and `endsWith` are advanced queries on directory objects.
    pub fn is_advanced(&self) -> bool {
        match self {
            Self::Or(a, b) | Self::And(a, b) => a.is_advanced() || b.is_advanced(),
            Self::Not(_) => true,
            Self::Compare { op, path, .. } => *op == Op::Ne || path[0] == "appOwnerOrganizationId",
            Self::Text { function, .. } => *function == TextFunction::EndsWith,
            Self::Any { inside, .. } => inside.is_advanced(),
            Self::In { .. } | Self::Call { .. } => false,
        }
    }
    /// Whether a property is looked at anywhere.
    pub fn names(&self, property: &str) -> bool {
        match self {
            Self::Or(a, b) | Self::And(a, b) => a.names(property) || b.names(property),
            Self::Not(inside) => inside.names(property),
            Self::Compare { path, .. } | Self::In { path, .. } | Self::Text { path, .. } | Self::Any { path, .. } => path[0] == property,
            Self::Call { .. } => false,
        }
    }

    fn holds(&self, scope: &Scope<'_>, call: &dyn Fn(&str, Option<&str>, &Value) -> bool) -> bool {
        match self {
            Self::Or(a, b) => a.holds(scope, call) || b.holds(scope, call),
            Self::And(a, b) => a.holds(scope, call) && b.holds(scope, call),
            Self::Not(inside) => !inside.holds(scope, call),
            Self::Compare { path, op, value } => op.holds(scope.at(path), value),
            Self::In { path, values } => values.iter().any(|value| Op::Eq.holds(scope.at(path), value)),
            Self::Text { function, path, text } => scope.at(path).as_str().is_some_and(|found| function.holds(found, text)),
            Self::Any { path, variable, inside } => {
                let holds = |item: &Value| inside.holds(&Scope { item: scope.item, variable: Some((variable, item)) }, call);
                scope.at(path).as_array().is_some_and(|items| items.iter().any(holds))
            }
            Self::Call { name, argument } => call(name, argument.as_deref(), scope.item),
        }
    }
}

impl TextFunction {
    fn holds(self, found: &str, text: &str) -> bool {
        let (found, text) = (found.to_lowercase(), text.to_lowercase());
        match self {
            Self::StartsWith => found.starts_with(&text),
            Self::EndsWith => found.ends_with(&text),
            Self::Contains => found.contains(&text),
        }
    }
}

impl Op {
    fn holds(self, found: &Value, wanted: &Value) -> bool {
        match self {
            Self::Eq => same(found, wanted),
            Self::Ne => !same(found, wanted),
            Self::Gt => order(found, wanted) == Some(Ordering::Greater),
            Self::Ge => order(found, wanted).is_some_and(Ordering::is_ge),
            Self::Lt => order(found, wanted) == Some(Ordering::Less),
            Self::Le => order(found, wanted).is_some_and(Ordering::is_le),
        }
    }
}

/// Texts are equal without regard to case, as in Graph.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (a, b) if a.is_number() && b.is_number() => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

fn order(found: &Value, wanted: &Value) -> Option<Ordering> {
    match (found, wanted) {
        (Value::String(a), Value::String(b)) => match (a.parse::<Timestamp>(), b.parse::<Timestamp>()) {
            (Ok(a), Ok(b)) => Some(a.cmp(&b)),
            _ => Some(a.cmp(b)),
        },
        (a, b) => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// The item, and the element a lambda's variable stands for.
struct Scope<'a> {
    item: &'a Value,
    variable: Option<(&'a str, &'a Value)>,
}

impl<'a> Scope<'a> {
    fn at(&self, path: &[String]) -> &'a Value {
        let (start, path) = match self.variable {
            Some((name, element)) if path[0] == name => (element, &path[1..]),
            _ => (self.item, path),
        };
        path.iter().fold(start, |value, name| member(value, name))
    }
}

/// A member by name; Resource Manager keeps most of them under `properties`.
fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    match value.get(name) {
        Some(found) => found,
        None => value.get("properties").and_then(|properties| properties.get(name)).unwrap_or(&Value::Null),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Word {
    Name(String),
    Text(String),
    Mark(char),
}

fn words(text: &str) -> Result<Vec<Word>, String> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        match first {
            '\'' => {
                let (literal, after) = literal(&rest[1..])?;
                words.push(Word::Text(literal));
                rest = after;
            }
            '(' | ')' | ',' => {
                words.push(Word::Mark(first));
                rest = &rest[1..];
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "(),'".contains(c)).unwrap_or(rest.len());
                words.push(Word::Name(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        rest = rest.trim_start();
    }
    Ok(words)
}

/// A literal whose opening quote has been read; a quote inside is doubled.
fn literal(rest: &str) -> Result<(String, &str), String> {
    let (mut text, mut rest) = (String::new(), rest);
    loop {
        let (before, after) = rest.split_once('\'').ok_or("Invalid filter clause: unterminated string literal")?;
        text.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                text.push('\'');
                rest = more;
            }
            None => return Ok((text, after)),
        }
    }
}

struct Parser {
    words: Vec<Word>,
    at: usize,
}

impl Parser {
    fn next(&mut self) -> Result<Word, String> {
        let word = self.words.get(self.at).cloned().ok_or("Invalid filter clause: it ends too early")?;
        self.at += 1;
        Ok(word)
    }
    fn is_name(&self, name: &str) -> bool {
        matches!(self.words.get(self.at), Some(Word::Name(found)) if found.eq_ignore_ascii_case(name))
    }
    fn takes(&mut self, name: &str) -> bool {
        let taken = self.is_name(name);
        self.at += usize::from(taken);
        taken
    }
    fn takes_mark(&mut self, mark: char) -> bool {
        let taken = self.words.get(self.at) == Some(&Word::Mark(mark));
        self.at += usize::from(taken);
        taken
    }
    fn needs(&mut self, mark: char) -> Result<(), String> {
        if self.takes_mark(mark) { Ok(()) } else { Err(format!("Invalid filter clause: {mark:?} is missing")) }
    }
    fn or(&mut self) -> Result<Filter, String> {
        let mut filter = self.and()?;
        while self.takes("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.and()?));
        }
        Ok(filter)
    }
    fn and(&mut self) -> Result<Filter, String> {
        let mut filter = self.not()?;
        while self.takes("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.not()?));
        }
        Ok(filter)
    }
    fn not(&mut self) -> Result<Filter, String> {
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.not()?)));
        }
        if self.takes_mark('(') {
            let inside = self.or()?;
            self.needs(')')?;
            return Ok(inside);
        }
        self.term()
    }
    fn term(&mut self) -> Result<Filter, String> {
        let Word::Name(name) = self.next()? else { return Err("Invalid filter clause: a property name is missing".to_owned()) };
        if self.takes_mark('(') {
            return self.function(&name);
        }
        let path: Vec<String> = name.split('/').map(str::to_owned).collect();
        if self.takes("in") {
            self.needs('(')?;
            let mut values = vec![self.value()?];
            while self.takes_mark(',') {
                values.push(self.value()?);
            }
            self.needs(')')?;
            return Ok(Filter::In { path, values });
        }
        let Word::Name(op) = self.next()? else { return Err("Invalid filter clause: an operator is missing".to_owned()) };
        let op = match op.to_ascii_lowercase().as_str() {
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "gt" => Op::Gt,
            "ge" => Op::Ge,
            "lt" => Op::Lt,
            "le" => Op::Le,
            other => return Err(format!("Invalid filter clause: there is no operator '{other}'")),
        };
        Ok(Filter::Compare { path, op, value: self.value()? })
    }
    /// A function whose name and opening parenthesis have been read.
    fn function(&mut self, name: &str) -> Result<Filter, String> {
        if let Some(path) = name.strip_suffix("/any") {
            return self.any(path);
        }
        let function = match name.to_ascii_lowercase().as_str() {
            "startswith" => TextFunction::StartsWith,
            "endswith" => TextFunction::EndsWith,
            "contains" => TextFunction::Contains,
            _ => return self.call(name),
        };
        let Word::Name(path) = self.next()? else { return Err(format!("Invalid filter clause: {name} needs a property")) };
        self.needs(',')?;
        let Word::Text(text) = self.next()? else { return Err(format!("Invalid filter clause: {name} needs a text")) };
        self.needs(')')?;
        Ok(Filter::Text { function, path: path.split('/').map(str::to_owned).collect(), text })
    }
    fn call(&mut self, name: &str) -> Result<Filter, String> {
        if self.takes_mark(')') {
            return Ok(Filter::Call { name: name.to_owned(), argument: None });
        }
        let Word::Text(argument) = self.next()? else { return Err(format!("Invalid filter clause: there is no function '{name}'")) };
        self.needs(')')?;
        Ok(Filter::Call { name: name.to_owned(), argument: Some(argument) })
    }
    /// `path/any(x:x eq 'v')`, with or without a blank after the colon.
    fn any(&mut self, path: &str) -> Result<Filter, String> {
        let Word::Name(first) = self.next()? else { return Err("Invalid filter clause: any needs a variable".to_owned()) };
        let (variable, rest) = first.split_once(':').ok_or("Invalid filter clause: any needs a variable and a colon")?;
        if !rest.is_empty() {
            self.at -= 1;
            self.words[self.at] = Word::Name(rest.to_owned());
        }
        let inside = Box::new(self.or()?);
        self.needs(')')?;
        Ok(Filter::Any { path: path.split('/').map(str::to_owned).collect(), variable: variable.to_owned(), inside })
    }
    fn value(&mut self) -> Result<Value, String> {
        match self.next()? {
            Word::Text(text) => Ok(text.into()),
            Word::Mark(mark) => Err(format!("Invalid filter clause: a value is missing before {mark:?}")),
            Word::Name(name) => Ok(match name.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                "null" => Value::Null,
                // A number; else an id or a time without quotes.
                _ => name.parse::<i64>().map(Value::from).unwrap_or_else(|_| name.into()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_filters_of_the_catalogue_are_understood() {
        let item = json!({
            "userType": "Guest", "groupTypes": ["Unified", "DynamicMembership"], "riskLevel": "high", "riskState": "atRisk", "n": 7,
            "templateReference": {"templateFamily": "endpointSecurityFirewall"}, "owner": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
            "at": "2026-01-01T00:00:00.123Z", "on": true, "none": null, "displayName": "O'Neil", "properties": {"scope": "/"},
        });
        let cases = [
            ("userType eq 'guest'", true),
            ("userType ne 'Guest'", false),
            ("groupTypes/any(c:c eq 'Unified')", true),
            ("groupTypes/any(c: c eq 'Security')", false),
            ("riskLevel eq 'high' and riskState eq 'atRisk'", true),
            ("riskLevel eq 'low' or (riskState eq 'atRisk' and n ge 7)", true),
            ("riskLevel in ('low','high')", true),
            ("templateReference/templateFamily eq 'endpointSecurityFirewall'", true),
            ("owner eq f8cdef31-a31e-4b4a-93e4-5f571e91255a", true),
            ("at gt 2025-12-31T23:00:00Z", true),
            ("at lt 2025-12-31T23:00:00Z", false),
            ("on eq true and none eq null", true),
            ("not(on eq true)", false),
            ("startswith(displayName,'o''ne') and endswith(displayName, 'IL')", true),
            ("contains(displayName,'x')", false),
            ("scope eq '/'", true),
            ("atScope()", true),
        ];
        for (text, expected) in cases {
            let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.passes(&item, &|name, _, _| name == "atScope"), expected, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_and_advanced_queries_are_known() {
        for text in ["", "userType", "userType eq", "userType like 'x'", "userType eq 'x", "(a eq 1", "a eq 1 b", "x/any(c eq 'y')"] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
        let advanced = |text| Filter::parse(text).unwrap().is_advanced();
        assert!(advanced("a ne 1") && advanced("not(a eq 1)") && advanced("endsWith(a,'b')") && advanced("appOwnerOrganizationId eq x"));
        assert!(!advanced("a eq 1 and startswith(b,'c')"));
    }
}
