//! List operators: a condition over elements, counted so that a listing of any length is judged page by page.

use super::{Predicate, RuleError, Scene, Truth, path::Found, predicate::At};
use serde_json::Value;

#[derive(Debug, Clone)]
pub struct ListRule {
    pub kind: ListKind,
    /// Only elements for which this holds are looked at.
    pub condition: Option<Predicate>,
    pub predicate: Predicate,
    /// Fewer elements than this is a failure.
    pub least: u64,
}

#[derive(Debug, Clone)]
pub enum ListKind {
    Any,
    All,
    None,
    /// How many elements the condition holds for.
    Count(f64, f64),
    /// Elements the condition holds for, against those `denominator` holds for.
    Ratio {
        denominator: Box<Predicate>,
        at_most: bool,
        bound: f64,
    },
    /// One element for each of these categories, switched on.
    Enabled(Vec<String>),
}

/// What was seen of a list so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub yes: u64,
    pub no: u64,
    pub unknown: u64,
    pub denominator: u64,
    pub denominator_unknown: u64,
    enabled: Vec<bool>,
    /// A list on the way was absent, so nobody knows how many elements there are.
    lost: bool,
}

/// What a list rule says of a whole list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    Says(Truth),
    /// There was nothing to say it of.
    Nothing,
}

impl ListRule {
    pub const NAMES: &[&str] =
        &["any_match", "all_match", "none_match", "any_match_all", "count_where_between", "ratio_lte", "ratio_gte", "refs_exist"];

    /// # Errors
    /// Where `expected` is not what the operator takes.
    pub fn parse(name: &str, expected: &Value, at: &At<'_>) -> Result<Self, RuleError> {
        let plain = |kind, predicate| Self { kind, condition: None, predicate, least: 0 };
        let part = |member| match expected.get(member) {
            Some(part) => Predicate::parse(part, &at.member(member)),
            None => Err(at.wrong(&format!("{name} needs {member}"))),
        };
        Ok(match name {
            "any_match_all" => {
                let list = expected.get("require_enabled").and_then(Value::as_array);
                let names: Option<Vec<String>> = list.map(|l| l.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect());
                let names =
                    names.filter(|n| !n.is_empty()).ok_or_else(|| at.wrong("any_match_all takes {require_enabled: [category, ...]}"))?;
                plain(ListKind::Enabled(names), Predicate::All(Vec::new()))
            }
            "count_where_between" => {
                let range = expected.get("range").and_then(Value::as_array).map(|r| r.iter().filter_map(Value::as_f64).collect::<Vec<_>>());
                let Some([low, high]) = range.as_deref() else { return Err(at.wrong("count_where_between needs range: [least, most]")) };
                plain(ListKind::Count(*low, *high), part("where")?)
            }
            "ratio_lte" | "ratio_gte" => {
                let at_most = name == "ratio_lte";
                let member = if at_most { "max" } else { "min" };
                let bound =
                    expected.get(member).and_then(Value::as_f64).ok_or_else(|| at.wrong(&format!("{name} needs {member}, a number")))?;
                plain(ListKind::Ratio { denominator: Box::new(part("denominator")?), at_most, bound }, part("numerator")?)
            }
            "refs_exist" => plain(ListKind::All, Predicate::Call(super::Function::ref_exists(expected, at)?)),
            _ => {
                let kind = match name {
                    "any_match" => ListKind::Any,
                    "all_match" => ListKind::All,
                    _ => ListKind::None,
                };
                if expected.get("where").is_none() {
                    return Ok(plain(kind, Predicate::parse(expected, at)?));
                }
                let members = expected.as_object().into_iter().flatten();
                if let Some((key, _)) = members.into_iter().find(|(key, _)| !["where", "require", "min_matches"].contains(&key.as_str())) {
                    return Err(at.wrong(&format!("{key} has no meaning beside where, require and min_matches")));
                }
                let least = match expected.get("min_matches") {
                    None => 0,
                    Some(least) => least.as_u64().ok_or_else(|| at.wrong("min_matches is a whole number"))?,
                };
                Self { kind, condition: Some(part("where")?), predicate: part("require")?, least }
            }
        })
    }

    /// Counts one element; says whether the condition holds for it (`None`: it is not looked at).
    pub fn add(&self, tally: &mut Tally, element: Option<&Value>, outer: Option<&Value>, scene: &Scene<'_>) -> Option<Truth> {
        if let ListKind::Enabled(names) = &self.kind {
            return Some(tally.switch(names, element));
        }
        tally.lost |= element.is_none();
        let test = |predicate: &Predicate| match (element, predicate) {
            (Some(element), _) => predicate.test(element, outer, scene),
            // Only a test of the element itself has something to say of an absent one.
            (None, Predicate::Test { path: None, op, absent_means }) => {
                op.test(absent_means.as_ref().filter(|_| scene.reading.assume), outer, scene)
            }
            (None, _) => Truth::Unknown,
        };
        let concerned = self.condition.as_ref().map_or(Truth::True, test);
        if concerned == Truth::False {
            return None;
        }
        if let ListKind::Ratio { denominator, .. } = &self.kind {
            match test(denominator) {
                Truth::True => tally.denominator += 1,
                Truth::Unknown => tally.denominator_unknown += 1,
                Truth::False => {}
            }
        }
        let truth = if concerned == Truth::Unknown { Truth::Unknown } else { test(&self.predicate) };
        match truth {
            Truth::True => tally.yes += 1,
            Truth::False => tally.no += 1,
            Truth::Unknown => tally.unknown += 1,
        }
        Some(truth)
    }

    /// What the whole list says.
    pub fn end(&self, tally: &Tally) -> Ruling {
        let Tally { yes, no, unknown, .. } = *tally;
        let decide = |certain: u64, unless: Truth| {
            if certain > 0 {
                !unless
            } else if unknown > 0 {
                Truth::Unknown
            } else {
                unless
            }
        };
        let truth = match &self.kind {
            ListKind::Enabled(names) => {
                let missing = tally.enabled.iter().filter(|on| !**on).count() + names.len().saturating_sub(tally.enabled.len());
                decide(u64::from(missing == 0), Truth::False)
            }
            ListKind::Any => decide(yes, Truth::False),
            ListKind::None => decide(yes, Truth::True),
            ListKind::All if yes + no + unknown == 0 && self.least == 0 => return Ruling::Nothing,
            ListKind::All => decide(no, Truth::True),
            ListKind::Count(..) if tally.lost => Truth::Unknown,
            ListKind::Count(low, high) => {
                let within = |n: u64| *low <= n as f64 && n as f64 <= *high;
                match unknown {
                    0 => within(yes).into(),
                    _ if (yes + unknown) < low.max(0.0) as u64 || yes as f64 > *high => Truth::False,
                    _ => Truth::Unknown,
                }
            }
            ListKind::Ratio { .. } if unknown + tally.denominator_unknown > 0 => Truth::Unknown,
            ListKind::Ratio { .. } if yes + tally.denominator == 0 => return Ruling::Nothing,
            ListKind::Ratio { at_most, bound, .. } => {
                // Some against none is more than any bound.
                let ratio = yes as f64 / tally.denominator as f64;
                (if *at_most { ratio <= *bound } else { ratio >= *bound }).into()
            }
        };
        let enough: Truth = if yes + no >= self.least {
            Truth::True
        } else if yes + no + unknown >= self.least {
            Truth::Unknown
        } else {
            Truth::False
        };
        Ruling::Says(Truth::all([truth, enough]))
    }

    /// As a condition on one list inside an object. Over nothing, "all" is true.
    pub fn inner(&self, list: &Value, outer: Option<&Value>, scene: &Scene<'_>) -> Truth {
        let mut tally = Tally::default();
        match list {
            Value::Array(list) => list.iter().for_each(|element| {
                self.add(&mut tally, Some(element), outer, scene);
            }),
            Value::Null => {}
            _ => return Truth::Unknown,
        }
        self.settle(&tally)
    }

    /// As a condition on the places that a path led to.
    pub fn over(&self, found: Vec<Found<'_>>, scene: &Scene<'_>) -> Truth {
        let mut tally = Tally::default();
        for found in &found {
            self.add(&mut tally, found.value.as_deref(), found.outer, scene);
        }
        self.settle(&tally)
    }

    fn settle(&self, tally: &Tally) -> Truth {
        match self.end(tally) {
            Ruling::Says(truth) => truth,
            Ruling::Nothing => Truth::True,
        }
    }

    /// Whether an element for which the condition came out so is one that the list fails by.
    pub fn offends(&self, truth: Truth) -> bool {
        match self.kind {
            ListKind::All => truth == Truth::False,
            ListKind::None => truth == Truth::True,
            ListKind::Count(..) | ListKind::Ratio { .. } => truth == Truth::True,
            ListKind::Any | ListKind::Enabled(_) => false,
        }
    }
}

impl Tally {
    /// Notes a log category of a diagnostic setting; the group `allLogs` stands for every category.
    fn switch(&mut self, names: &[String], element: Option<&Value>) -> Truth {
        self.enabled.resize(names.len(), false);
        let word = |member: &str| element.and_then(|e| e.get(member)).and_then(Value::as_str);
        let category = word("category").or_else(|| word("categoryGroup"));
        let (Some(category), Some(enabled)) = (category, element.and_then(|e| e.get("enabled")).and_then(Value::as_bool)) else {
            self.unknown += 1;
            return Truth::Unknown;
        };
        for (name, on) in names.iter().zip(&mut self.enabled) {
            *on |= enabled && (category.eq_ignore_ascii_case(name) || category.eq_ignore_ascii_case("allLogs"));
        }
        *(if enabled { &mut self.yes } else { &mut self.no }) += 1;
        enabled.into()
    }
}
