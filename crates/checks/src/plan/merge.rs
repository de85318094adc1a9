//! One request for many readers: those that differ only in what they select or expand become one that brings what each of them needs.

use std::collections::{BTreeMap, BTreeSet};

/// What a request brings: members, and linked objects expanded in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    members: Members,
    expand: Option<Expand>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Members {
    /// All that come by themselves.
    Whole,
    /// Each with the licences of those that want it (`None`: no licence needed).
    Named(BTreeMap<String, Vec<Option<String>>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expand {
    /// `owners($select=id,userType)`
    Named { link: String, members: BTreeSet<String> },
    /// Anything else, as written.
    Other(String),
}

/// Listings that come by the hundred unless asked for in the largest pages there are. Of reports Microsoft answers five pages in ten
/// seconds: a hundred thousand people would take longer than a scan may.
const LARGE: &[&str] = &[
    "/v1.0/users",
    "/v1.0/groups",
    "/v1.0/applications",
    "/v1.0/servicePrincipals",
    "/v1.0/reports/authenticationMethods/userRegistrationDetails",
];
const LARGEST_PAGE: &str = "$top=999";

/// Parts a path from what it selects and expands.
pub fn split(path: &str, licence: Option<&str>) -> (String, Select) {
    let mut select = Select { members: Members::Whole, expand: None };
    let Some((base, query)) = path.split_once('?') else { return (path.to_owned(), select) };
    let mut rest = Vec::new();
    for parameter in parameters(query) {
        if let Some(members) = parameter.strip_prefix("$select=") {
            let members = members.split(',').map(|member| (member.trim().to_owned(), vec![licence.map(str::to_owned)]));
            select.members = Members::Named(members.collect());
        } else if let Some(expand) = parameter.strip_prefix("$expand=") {
            select.expand = Some(Expand::parse(expand));
        } else if parameter != LARGEST_PAGE {
            rest.push(parameter);
        }
    }
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
        let alike = matches!(self.members, Members::Whole) == matches!(other.members, Members::Whole);
        let expand = match (&self.expand, &other.expand) {
            (Some(Expand::Named { link, .. }), Some(Expand::Named { link: other, .. })) => link == other,
            (Some(mine), Some(other)) => mine == other,
            _ => true,
        };
        expand && (alike || !users)
    }

    pub fn merge(&mut self, other: Self) {
        match (&mut self.members, other.members) {
            (Members::Named(mine), Members::Named(others)) => {
                for (member, licences) in others {
                    let known = mine.entry(member).or_default();
                    known.extend(licences);
                    known.sort();
                    known.dedup();
                }
            }
            _ => self.members = Members::Whole,
        }
        match (&mut self.expand, other.expand) {
            (Some(Expand::Named { members, .. }), Some(Expand::Named { members: others, .. })) => members.extend(others),
            (mine @ None, other) => *mine = other,
            _ => {}
        }
    }

    /// The path with what is brought to those whose licence the directory has.
    pub fn onto(&self, path: &str, licensed: &dyn Fn(&str) -> bool) -> String {
        let wanted = |licences: &Vec<Option<String>>| licences.iter().any(|licence| licence.as_deref().is_none_or(licensed));
        let members: Vec<&str> = match &self.members {
            Members::Whole => Vec::new(),
            Members::Named(members) => members.iter().filter(|(_, l)| wanted(l)).map(|(member, _)| member.as_str()).collect(),
        };
        let base = path.split('?').next().unwrap_or(path);
        let large = LARGE.contains(&base) && !path.contains("$top=");
        let parts = [
            self.expand.as_ref().map(|expand| format!("$expand={expand}")),
            (!members.is_empty()).then(|| format!("$select={}", members.join(","))),
            large.then(|| LARGEST_PAGE.to_owned()),
        ];
        let mut whole = path.to_owned();
        for part in parts.into_iter().flatten() {
            whole.push(if whole.contains('?') { '&' } else { '?' });
            whole.push_str(&part);
        }
        whole
    }

    /// Whether a request that brings `asked` brings no more than this.
    pub fn covers(&self, asked: &Self) -> bool {
        let members = match (&self.members, &asked.members) {
            (Members::Whole, Members::Whole) => true,
            (Members::Named(may), Members::Named(asks)) => asks.keys().all(|member| may.contains_key(member)),
            _ => false,
        };
        members && self.expand == asked.expand
    }
}

impl Expand {
    fn parse(text: &str) -> Self {
        let named = text.strip_suffix(')').and_then(|text| text.split_once("($select="));
        match named.filter(|(link, members)| !link.contains([',', '(']) && !members.contains(['(', ')', ';', '$'])) {
            Some((link, members)) => {
                Self::Named { link: link.to_owned(), members: members.split(',').map(|member| member.trim().to_owned()).collect() }
            }
            None => Self::Other(text.to_owned()),
        }
    }
}

impl std::fmt::Display for Expand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Other(text) => f.write_str(text),
            Self::Named { link, members } => {
                write!(f, "{link}($select={})", members.iter().map(String::as_str).collect::<Vec<_>>().join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(paths: &[(&str, Option<&str>)], licensed: &[&str]) -> String {
        let mut all = paths.iter().map(|(path, licence)| split(path, *licence));
        let (path, mut select) = all.next().unwrap();
        for (other, wants) in all {
            assert!(other == path && select.joins(&path, &wants), "{other}");
            select.merge(wants);
        }
        select.onto(&path, &|plan| licensed.contains(&plan))
    }

    #[test]
    fn readers_of_one_listing_share_a_request() {
        let guests = "/v1.0/users?$filter=userType eq 'Guest'";
        let with = format!("{guests}&$select=id,signInActivity");
        let plain = format!("{guests}&$select=id");
        let paths = [(with.as_str(), Some("AAD_PREMIUM")), (plain.as_str(), None)];
        assert_eq!(joined(&paths, &["AAD_PREMIUM"]), format!("{guests}&$select=id,signInActivity&$top=999"));
        assert_eq!(joined(&paths, &[]), format!("{guests}&$select=id&$top=999"), "what needs a licence is not asked for without it");
        let owners = [
            ("/v1.0/applications?$select=id", None),
            ("/v1.0/applications?$expand=owners($select=id)", None),
            ("/v1.0/applications?$expand=owners($select=id,userType)", None),
        ];
        assert_eq!(joined(&owners, &[]), "/v1.0/applications?$expand=owners($select=id,userType)&$top=999");
        assert_eq!(joined(&[("/v1.0/security/secureScores?$top=1", None)], &[]), "/v1.0/security/secureScores?$top=1");
    }

    #[test]
    fn what_cannot_be_shared_is_kept_apart() {
        for (a, b) in [("/v1.0/users?$select=id", "/v1.0/users"), ("/v1.0/groups?$expand=owners", "/v1.0/groups?$expand=members")] {
            let ((path, mine), (_, other)) = (split(a, None), split(b, None));
            assert!(!mine.joins(&path, &other), "{a} {b}");
        }
    }

    #[test]
    fn quotes_and_brackets_hold_parameters_together() {
        assert_eq!(
            parameters("$filter=a eq 'x&y'&$expand=p($expand=q&$top=1)&z=1"),
            ["$filter=a eq 'x&y'", "$expand=p($expand=q&$top=1)", "z=1"]
        );
    }
}
