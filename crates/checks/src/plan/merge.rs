//! One request for many readers: those that differ in `$select` alone become one that selects what each of them needs.

use std::collections::BTreeMap;

/// What a request selects: nothing (the whole object), or members, each with the licences of those that want it (`None`: no licence needed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    Whole,
    Members(BTreeMap<String, Vec<Option<String>>>),
}

/// Parts a path from its `$select`.
pub fn split(path: &str, licence: Option<&str>) -> (String, Select) {
    let Some((base, query)) = path.split_once('?') else { return (path.to_owned(), Select::Whole) };
    let mut select = Select::Whole;
    let rest: Vec<&str> = parameters(query)
        .into_iter()
        .filter(|parameter| match parameter.strip_prefix("$select=") {
            Some(members) => {
                let members = members.split(',').map(|member| (member.trim().to_owned(), vec![licence.map(str::to_owned)]));
                select = Select::Members(members.collect());
                false
            }
            None => true,
        })
        .collect();
    (if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) }, select)
}

/// Query parameters; an ampersand inside brackets or quotes parts nothing.
pub fn parameters(query: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0_i32, false);
    for (at, byte) in query.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            b'&' if !quoted && depth == 0 => {
                parts.push(&query[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&query[from..]);
    parts
}

impl Select {
    /// Whether one request can serve both. Users are the exception: without `$select` they come with few members.
    pub fn joins(&self, path: &str, other: &Self) -> bool {
        let users = path.split('?').next().is_some_and(|base| base.ends_with("/users"));
        matches!(self, Self::Whole) == matches!(other, Self::Whole) || !users
    }

    pub fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Members(mine), Self::Members(others)) => {
                for (member, licences) in others {
                    let known = mine.entry(member).or_default();
                    known.extend(licences);
                    known.sort();
                    known.dedup();
                }
            }
            _ => *self = Self::Whole,
        }
    }

    /// The path with what is selected by those whose licence the directory has.
    pub fn onto(&self, path: &str, licensed: &dyn Fn(&str) -> bool) -> String {
        let Self::Members(members) = self else { return path.to_owned() };
        let wanted = |licences: &Vec<Option<String>>| licences.iter().any(|licence| licence.as_deref().is_none_or(licensed));
        let members: Vec<&str> = members.iter().filter(|(_, licences)| wanted(licences)).map(|(member, _)| member.as_str()).collect();
        if members.is_empty() {
            return path.to_owned();
        }
        let joint = if path.contains('?') { '&' } else { '?' };
        format!("{path}{joint}$select={}", members.join(","))
    }

    pub fn members(&self) -> Option<Vec<&str>> {
        match self {
            Self::Whole => None,
            Self::Members(members) => Some(members.keys().map(String::as_str).collect()),
        }
    }
}
