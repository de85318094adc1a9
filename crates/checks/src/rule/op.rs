//! Operators: one value against what is expected of it.
//!
//! Absent is unknown for all but `exists` and `not_exists`. Null is Microsoft's "not set": it equals null, holds nothing, is empty, and has
//! no number, so that comparing its size is unknown.

use super::{Predicate, RuleError, Scene, Truth, list::ListRule, predicate::At, values};
use fancy_regex::Regex;
use serde_json::Value;

#[derive(Debug, Clone)]
pub enum Op {
    Eq(Value),
    Ne(Value),
    EqCi(String),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    Size(Compare, f64),
    Between(f64, f64),
    Contains(Value),
    ContainsCi(String),
    ContainsAll(Vec<Value>),
    ContainsAny(Vec<Value>),
    Exists,
    NotExists,
    IsEmpty,
    NotEmpty,
    StartsWith(Vec<String>),
    EndsWith(Vec<String>),
    Matches(Vec<Regex>),
    NotMatches(Regex),
    SubsetOf(Vec<Value>),
    FlagsAll(Vec<String>),
    FlagsAny(Vec<String>),
    WordsAny(Vec<String>),
    /// How many elements a list has.
    Count(f64, f64),
    /// Seconds at most.
    DurationLte(f64),
    AgeDaysLte(f64),
    DaysUntil(Compare, f64),
    /// `numerator / denominator`, both members of the value.
    RatioPaths {
        numerator: super::path::Path,
        denominator: super::path::Path,
        compare: Compare,
        bound: f64,
    },
    List(Box<ListRule>),
    Match(Box<Predicate>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Compare {
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Lt => a < b,
            Self::Lte => a <= b,
            Self::Gt => a > b,
            Self::Gte => a >= b,
        }
    }
}

/// Every operator's name, for messages.
pub const NAMES: &[&str] = &[
    "eq",
    "ne",
    "eq_ci",
    "in",
    "not_in",
    "lt",
    "lte",
    "gt",
    "gte",
    "between",
    "contains",
    "contains_ci",
    "contains_all",
    "contains_any",
    "exists",
    "not_exists",
    "is_empty",
    "not_empty",
    "starts_with",
    "ends_with",
    "ends_with_any",
    "matches",
    "not_matches",
    "matches_ci",
    "matches_any",
    "subset_of",
    "flags_all",
    "flags_any",
    "words_any",
    "count_eq",
    "count_gte",
    "count_lte",
    "count_between",
    "count_where_between",
    "any_match",
    "all_match",
    "none_match",
    "any_match_all",
    "match",
    "match_any",
    "ratio_lte",
    "ratio_gte",
    "refs_exist",
    "duration_lte",
    "age_days_lte",
    "days_until_gt",
    "days_until_gte",
    "days_until_lte",
];

impl Op {
    /// # Errors
    /// An unknown operator, or an expected value it cannot compare with; `at` names the member.
    pub fn parse(name: &str, expected: &Value, at: &At<'_>) -> Result<Self, RuleError> {
        let wrong = |what: &str| at.wrong(&format!("{name} takes {what}, not {expected}"));
        let text = || expected.as_str().map(str::to_owned).ok_or_else(|| wrong("text"));
        let size = || expected.as_f64().ok_or_else(|| wrong("a number"));
        let list = || expected.as_array().cloned().ok_or_else(|| wrong("a list"));
        let texts = || {
            let all = expected.as_array().map(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
            all.flatten().filter(|all| !all.is_empty()).ok_or_else(|| wrong("a list of text"))
        };
        let pair = |value: &Value| match value.as_array().map(Vec::as_slice) {
            Some([low, high]) => low.as_f64().zip(high.as_f64()).filter(|(low, high)| low <= high),
            _ => None,
        };
        let range = || pair(expected).ok_or_else(|| wrong("[least, most]"));
        let regex = |pattern: &str| Regex::new(pattern).map_err(|e| at.wrong(&format!("{name}: {pattern:?} is no pattern: {e}")));
        let flag = || match expected {
            Value::Bool(wanted) => Ok(*wanted),
            Value::Null => Ok(true),
            _ => Err(wrong("true or false")),
        };
        Ok(match name {
            "eq" => Self::Eq(expected.clone()),
            "ne" => Self::Ne(expected.clone()),
            "eq_ci" => Self::EqCi(text()?.to_lowercase()),
            "in" => Self::In(list()?),
            "not_in" => Self::NotIn(list()?),
            "lt" => Self::Size(Compare::Lt, size()?),
            "lte" => Self::Size(Compare::Lte, size()?),
            "gt" => Self::Size(Compare::Gt, size()?),
            "gte" => Self::Size(Compare::Gte, size()?),
            "between" => range().map(|(low, high)| Self::Between(low, high))?,
            "contains" => Self::Contains(expected.clone()),
            "contains_ci" => Self::ContainsCi(text()?.to_lowercase()),
            "contains_all" => Self::ContainsAll(list()?),
            "contains_any" => Self::ContainsAny(list()?),
            "exists" | "not_exists" => {
                if flag()? == (name == "exists") {
                    Self::Exists
                } else {
                    Self::NotExists
                }
            }
            "is_empty" | "not_empty" => {
                if flag()? == (name == "is_empty") {
                    Self::IsEmpty
                } else {
                    Self::NotEmpty
                }
            }
            "starts_with" => Self::StartsWith(vec![text()?.to_lowercase()]),
            "ends_with" => Self::EndsWith(vec![text()?.to_lowercase()]),
            "ends_with_any" => Self::EndsWith(texts()?.iter().map(|t| t.to_lowercase()).collect()),
            "matches" => Self::Matches(vec![regex(&text()?)?]),
            "matches_ci" => Self::Matches(vec![regex(&format!("(?i){}", text()?))?]),
            "matches_any" => Self::Matches(texts()?.iter().map(|pattern| regex(pattern)).collect::<Result<_, _>>()?),
            "not_matches" => Self::NotMatches(regex(&text()?)?),
            "subset_of" => Self::SubsetOf(list()?),
            "flags_all" => Self::FlagsAll(texts()?),
            "flags_any" => Self::FlagsAny(texts()?),
            "words_any" => Self::WordsAny(texts()?),
            "count_eq" => size().map(|n| Self::Count(n, n))?,
            "count_gte" => Self::Count(size()?, f64::INFINITY),
            "count_lte" => Self::Count(0.0, size()?),
            "count_between" => range().map(|(low, high)| Self::Count(low, high))?,
            "duration_lte" => {
                let text = text()?;
                Self::DurationLte(values::duration(&text).ok_or_else(|| wrong("an ISO 8601 duration"))?)
            }
            "age_days_lte" => Self::AgeDaysLte(size()?),
            "days_until_gt" => Self::DaysUntil(Compare::Gt, size()?),
            "days_until_gte" => Self::DaysUntil(Compare::Gte, size()?),
            "days_until_lte" => Self::DaysUntil(Compare::Lte, size()?),
            "match" => Self::Match(Box::new(Predicate::parse(expected, at)?)),
            "match_any" => {
                let any = list()?.iter().enumerate().map(|(n, p)| Predicate::parse(p, &at.index("", n))).collect::<Result<Vec<_>, _>>()?;
                Self::Match(Box::new(Predicate::Any(any)))
            }
            "ratio_lte" | "ratio_gte" if expected.get("numerator_path").is_some() => Self::ratio(name, expected, at)?,
            _ if ListRule::NAMES.contains(&name) => Self::List(Box::new(ListRule::parse(name, expected, at)?)),
            _ => return Err(at.wrong(&format!("{name} is no operator; there are {}", NAMES.join(", ")))),
        })
    }

    fn ratio(name: &str, expected: &Value, at: &At<'_>) -> Result<Self, RuleError> {
        let path = |member: &str| match expected.get(member).and_then(Value::as_str) {
            Some(text) => super::path::Path::parse(text),
            None => Err(at.wrong(&format!("{name} needs {member}"))),
        };
        let (compare, member) = if name == "ratio_lte" { (Compare::Lte, "max") } else { (Compare::Gte, "min") };
        let bound = expected.get(member).and_then(Value::as_f64).ok_or_else(|| at.wrong(&format!("{name} needs {member}, a number")))?;
        Ok(Self::RatioPaths { numerator: path("numerator_path")?, denominator: path("denominator_path")?, compare, bound })
    }

    /// Holds where something is *not* so: said of null at the very place a check looks, that would be a pass for want of a value.
    pub fn negative(&self) -> bool {
        match self {
            Self::Ne(expected) => !expected.is_null(),
            Self::NotIn(expected) => !expected.contains(&Value::Null),
            Self::NotMatches(_) => true,
            _ => false,
        }
    }

    /// What the operator says of a value; `None` is an absent one.
    pub fn test(&self, value: Option<&Value>, outer: Option<&Value>, scene: &Scene<'_>) -> Truth {
        let Some(value) = value else {
            return match self {
                Self::Exists => Truth::False,
                Self::NotExists => Truth::True,
                _ => Truth::Unknown,
            };
        };
        let text = |test: &dyn Fn(&str) -> bool| match value {
            Value::String(text) => Truth::from(test(text)),
            Value::Null => Truth::False,
            _ => Truth::Unknown,
        };
        match self {
            Self::Eq(expected) => values::same(value, expected).into(),
            Self::Ne(expected) => (!values::same(value, expected)).into(),
            Self::EqCi(expected) => match value {
                Value::Bool(b) => (b.to_string() == *expected).into(),
                _ => text(&|text| text.to_lowercase() == *expected),
            },
            Self::In(expected) => expected.iter().any(|e| values::same(value, e)).into(),
            Self::NotIn(expected) => (!expected.iter().any(|e| values::same(value, e))).into(),
            Self::Size(compare, bound) => values::number(value).map(|n| compare.holds(n, *bound)).into(),
            Self::Between(low, high) => values::number(value).map(|n| *low <= n && n <= *high).into(),
            Self::Contains(wanted) => contains(value, wanted),
            Self::ContainsAll(wanted) => Truth::all(wanted.iter().map(|wanted| contains(value, wanted))),
            Self::ContainsAny(wanted) => Truth::any(wanted.iter().map(|wanted| contains(value, wanted))),
            Self::ContainsCi(wanted) => match value {
                Value::Array(list) => list.iter().any(|v| v.as_str().is_some_and(|text| text.to_lowercase() == *wanted)).into(),
                _ => text(&|text| text.to_lowercase().contains(wanted)),
            },
            Self::Exists => (!value.is_null()).into(),
            Self::NotExists => value.is_null().into(),
            Self::IsEmpty => empty(value).into(),
            Self::NotEmpty => empty(value).map(|empty| !empty).into(),
            Self::StartsWith(wanted) => text(&|text| wanted.iter().any(|w| text.to_lowercase().starts_with(w))),
            Self::EndsWith(wanted) => text(&|text| wanted.iter().any(|w| text.to_lowercase().ends_with(w))),
            Self::Matches(patterns) => match value {
                Value::Null => Truth::False,
                _ => Truth::any(patterns.iter().map(|pattern| matches(pattern, value))),
            },
            Self::NotMatches(pattern) => match value {
                Value::Null => Truth::True,
                _ => !matches(pattern, value),
            },
            Self::SubsetOf(whole) => match value {
                Value::Array(list) => list.iter().all(|v| whole.iter().any(|w| values::same(v, w))).into(),
                Value::Null => Truth::False,
                _ => Truth::Unknown,
            },
            Self::FlagsAll(wanted) => flags(value, |c| c == ',', |has| wanted.iter().all(|w| has(w))),
            Self::FlagsAny(wanted) => flags(value, |c| c == ',', |has| wanted.iter().any(|w| has(w))),
            Self::WordsAny(wanted) => flags(value, char::is_whitespace, |has| wanted.iter().any(|w| has(w))),
            Self::Count(low, high) => match value {
                Value::Array(list) => (*low <= list.len() as f64 && list.len() as f64 <= *high).into(),
                Value::Null => (*low <= 0.0).into(),
                _ => Truth::Unknown,
            },
            Self::DurationLte(most) => value.as_str().and_then(values::duration).map(|seconds| seconds <= *most).into(),
            // What never happened is older than any age.
            Self::AgeDaysLte(_) if values::never(value) => Truth::False,
            Self::AgeDaysLte(most) => values::date(value).map(|date| values::days(date, scene.now) <= *most).into(),
            Self::DaysUntil(..) if values::never(value) => Truth::Unknown,
            Self::DaysUntil(compare, bound) => values::date(value).map(|date| compare.holds(values::days(scene.now, date), *bound)).into(),
            Self::RatioPaths { numerator, denominator, compare, bound } => {
                let part = |path: &super::path::Path| path.first(value, outer).and_then(|found| values::number(&found));
                match (part(numerator), part(denominator)) {
                    (Some(part), Some(whole)) if whole > 0.0 => compare.holds(part / whole, *bound).into(),
                    _ => Truth::Unknown,
                }
            }
            Self::List(rule) => rule.inner(value, outer, scene),
            Self::Match(predicate) => predicate.test(value, outer, scene),
        }
    }
}

fn contains(value: &Value, wanted: &Value) -> Truth {
    match (value, wanted) {
        (Value::Array(list), _) => list.iter().any(|v| values::same(v, wanted)).into(),
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()).into(),
        (Value::Null, _) => Truth::False,
        _ => Truth::Unknown,
    }
}

fn empty(value: &Value) -> Option<bool> {
    match value {
        Value::Null => Some(true),
        Value::Array(list) => Some(list.is_empty()),
        Value::String(text) => Some(text.trim().is_empty()),
        Value::Object(members) => Some(members.is_empty()),
        _ => None,
    }
}

fn matches(pattern: &Regex, value: &Value) -> Truth {
    match value {
        // Of a list: one of its texts does.
        Value::Array(list) => Truth::any(list.iter().map(|one| matches(pattern, one))),
        // A pattern that would take too long says nothing.
        _ => Truth::from(value.as_str().and_then(|text| pattern.is_match(text).ok())),
    }
}

fn flags(value: &Value, part: fn(char) -> bool, test: impl Fn(&dyn Fn(&str) -> bool) -> bool) -> Truth {
    if value.is_null() {
        return Truth::False;
    }
    Truth::from(values::words(value, part).map(|words| test(&|wanted| words.iter().any(|word| word.eq_ignore_ascii_case(wanted)))))
}
