//! The query options of a request, and what they do to an item: `$select`, `$expand`, `$filter`, `$orderby`, `$top`,
//! `$count`.

use super::{error::Error, filter::Filter};
use crate::site::{Params, params};
use serde_json::{Map, Value};

/// What a request asks of a list or an object.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub select: Vec<String>,
    pub expand: Vec<Expand>,
    pub filter: Option<Filter>,
    /// Property and whether descending.
    pub order: Option<(String, bool)>,
    pub top: Option<usize>,
    pub count: bool,
    pub search: bool,
    pub skip_token: Option<String>,
}

/// One navigation property to show, with its own options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expand {
    pub name: String,
    pub select: Vec<String>,
    pub expand: Vec<Expand>,
}

impl Query {
    /// Reads a raw query string.
    ///
    /// # Errors
    /// 400 for options that cannot be read.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        let options: Params =
            params(raw.as_bytes()).into_iter().map(|(name, value)| (name.trim_start_matches('$').to_ascii_lowercase(), value)).collect();
        let value = |name: &str| options.get(name).map(String::as_str);
        let top = value("top").map(|text| {
            text.parse::<usize>()
                .ok()
                .filter(|top| *top > 0)
                .ok_or_else(|| Error::bad_request(format!("Invalid value '{text}' for $top query option found.")))
        });
        Ok(Self {
            select: value("select").map(names).unwrap_or_default(),
            expand: value("expand").map(expands).unwrap_or_default(),
            filter: value("filter").map(Filter::parse).transpose().map_err(Error::bad_request)?,
            order: value("orderby").and_then(|text| {
                let mut words = text.split(',').next()?.split_whitespace();
                Some((words.next()?.to_owned(), words.next() == Some("desc")))
            }),
            top: top.transpose()?,
            count: value("count") == Some("true"),
            search: value("search").is_some(),
            skip_token: value("skiptoken").map(str::to_owned),
        })
    }

    /// Advanced queries on directory objects need `ConsistencyLevel: eventual` and, but for `$search`, `$count=true`.
    ///
    /// # Errors
    /// 400 `Request_UnsupportedQuery` without them.
    pub fn check_consistency(&self, eventual: bool) -> Result<(), Error> {
        let filter = self.filter.as_ref();
        let advanced = filter.is_some_and(Filter::is_advanced) || (filter.is_some() && self.order.is_some());
        match (advanced || self.count || self.search, advanced) {
            (true, _) if !eventual => Err(Error::unsupported(
                "Request with $search, $count or an advanced filter is only supported with the ConsistencyLevel header set to eventual.",
            )),
            (_, true) if !self.count => Err(Error::unsupported("Unsupported Query: the filter is only supported with $count=true.")),
            _ => Ok(()),
        }
    }

    /// Whether a property is asked for or looked at.
    pub fn names(&self, property: &str) -> bool {
        self.select.iter().any(|name| name == property) || self.filter.as_ref().is_some_and(|filter| filter.names(property))
    }

    /// The item as the request wants it; `standard` are the properties shown without `$select`, empty for all.
    pub fn project(&self, item: Value, standard: &[&str]) -> Value {
        let standard: Vec<String> = standard.iter().map(|name| (*name).to_owned()).collect();
        project(item, if self.select.is_empty() { &standard } else { &self.select }, &self.expand)
    }
}

fn project(item: Value, select: &[String], expand: &[Expand]) -> Value {
    let Value::Object(members) = item else { return item };
    let mut shown = Map::new();
    for (name, value) in members {
        match name.strip_prefix('>') {
            Some(navigation) => {
                if let Some(wanted) = expand.iter().find(|e| e.name == navigation) {
                    shown.insert(navigation.to_owned(), projected(value, wanted));
                }
            }
            None if select.is_empty() || name.starts_with('@') || select.contains(&name) => drop(shown.insert(name, value)),
            None => {}
        }
    }
    for wanted in expand {
        shown.entry(wanted.name.clone()).or_insert_with(|| Value::Array(Vec::new()));
    }
    Value::Object(shown)
}

fn projected(value: Value, wanted: &Expand) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| project(item, &wanted.select, &wanted.expand)).collect(),
        one => project(one, &wanted.select, &wanted.expand),
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// `policy($expand=rules),owners($select=id,userType)`
fn expands(text: &str) -> Vec<Expand> {
    split(text, ',').into_iter().map(expand).collect()
}

fn expand(text: &str) -> Expand {
    let Some((name, options)) = text.split_once('(') else { return Expand { name: text.trim().to_owned(), ..Expand::default() } };
    let mut wanted = Expand { name: name.trim().to_owned(), ..Expand::default() };
    for option in split(options.strip_suffix(')').unwrap_or(options), ';') {
        match option.split_once('=') {
            Some((name, value)) if name.trim_start_matches('$') == "select" => wanted.select = names(value),
            Some((name, value)) if name.trim_start_matches('$') == "expand" => wanted.expand = expands(value),
            _ => {}
        }
    }
    wanted
}

/// Splits at marks that are not inside parentheses.
fn split(text: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if c == mark && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn navigation_shows_only_when_expanded_and_selects_go_inside() {
        let item = json!({"@odata.type": "#t", "id": "1", "name": "n", ">policy": {"id": "p", "x": 1, ">rules": [{"id": "r"}]}, ">owners": [{"id": "o", "userType": "Guest", "mail": "m"}]});
        let shown = |raw: &str| Query::parse(raw).unwrap().project(item.clone(), &[]);
        assert_eq!(shown(""), json!({"@odata.type": "#t", "id": "1", "name": "n"}));
        assert_eq!(shown("$select=name"), json!({"@odata.type": "#t", "name": "n"}));
        assert_eq!(shown("$expand=policy($expand=rules)&$select=id")["policy"], json!({"id": "p", "x": 1, "rules": [{"id": "r"}]}));
        assert_eq!(shown("%24expand=owners(%24select%3Did%2CuserType),sponsors")["owners"], json!([{"id": "o", "userType": "Guest"}]));
        assert_eq!(shown("$expand=sponsors")["sponsors"], json!([]));
    }

    #[test]
    fn advanced_queries_need_the_header_and_the_count() {
        let check = |raw: &str, eventual| Query::parse(raw).unwrap().check_consistency(eventual).is_ok();
        assert!(check("$filter=a eq 1", false) && check("$filter=a ne 1&$count=true", true) && check("$search=\"x\"", true));
        assert!(!check("$filter=a ne 1&$count=true", false) && !check("$filter=a ne 1", true) && !check("$count=true", false));
        assert!(!check("$filter=a eq 1&$orderby=b", true) && check("$filter=a eq 1&$orderby=b&$count=true", true));
        assert!(Query::parse("$top=x").is_err() && Query::parse("$filter=a b").is_err());
    }
}
