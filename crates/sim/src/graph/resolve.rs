//! From a path to what stands there: an answer of the scenario, an object of one of its lists, or a property of that.

use super::{Request, error::Error, page, query::Query};
use crate::{
    estate::{Entry, Fill, is_named, step_into},
    reply::Reply,
};
use serde_json::Value;

/// What `/users` shows without `$select`.
const USER: &[&str] = &[
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// Lists of directory objects: the ones with advanced queries.
const DIRECTORY: &[&str] = &["users", "groups", "applications", "serviceprincipals", "devices"];

pub fn is_directory_list(segments: &[String]) -> bool {
    let list = segments.first().is_some_and(|first| DIRECTORY.contains(&first.to_lowercase().as_str()));
    list && (segments.len() == 1 || segments.get(1).is_some_and(|second| second == "$count"))
}

/// `applications(appId='x')` as the segments `applications` and `appId='x'`.
pub fn keyed(segment: &str) -> Vec<String> {
    match segment.strip_suffix(')').and_then(|segment| segment.split_once('(')) {
        Some((name, key)) => vec![name.to_owned(), key.trim_matches('\'').to_owned()],
        None => vec![segment.to_owned()],
    }
}

/// What a path leads to.
pub enum Found<'a> {
    List(&'a Entry),
    /// A list inside an object.
    Inner(Entry),
    One(Value),
}

impl Request<'_> {
    pub fn fill(&self) -> Fill {
        self.cloud.fill(self.directory)
    }

    pub fn read_path(&self, query: &Query) -> Result<Reply, Error> {
        let counted = self.segments.last().is_some_and(|last| last == "$count");
        let segments = if counted { &self.segments[..self.segments.len() - 1] } else { &self.segments[..] };
        let standard = if segments[0].eq_ignore_ascii_case("users") && segments.len() < 3 { USER } else { &[] };
        let found = self.find(segments)?;
        let list = match &found {
            Found::One(value) if counted => return Err(Error::bad_request(format!("{} is not a list", value["id"]))),
            Found::One(value) => return self.one(value.clone(), query, standard),
            Found::List(entry) => entry,
            Found::Inner(entry) => entry,
        };
        let page = page::Page { request: self, query, list, standard };
        Ok(if counted { Reply::text(page.total().to_string()) } else { page.reply()? })
    }

    pub fn one(&self, value: Value, query: &Query, standard: &[&str]) -> Result<Reply, Error> {
        if let Some(status) = value["$status"].as_u64() {
            let text = |name: &str| value["error"][name].as_str().unwrap_or_default().to_owned();
            let mut reply = Error::new(status as u16, "UnknownError", text("message")).reply(self.cloud, None);
            if let crate::reply::Payload::Json(body) = &mut reply.body {
                body["error"]["code"] = text("code").into();
            }
            return Ok(reply);
        }
        let mut body = serde_json::Map::from_iter([("@odata.context".to_owned(), self.context(query, true))]);
        match query.project(value, standard) {
            Value::Object(members) => body.extend(members),
            property => drop(body.insert("value".to_owned(), property)),
        }
        Ok(Reply::ok(Value::Object(body)))
    }

    /// The longest part of the path that the scenario answers, then down from there.
    fn find(&self, segments: &[String]) -> Result<Found<'_>, Error> {
        let lower: Vec<String> = segments.iter().map(|segment| segment.to_lowercase()).collect();
        if let [list, id] = lower.as_slice()
            && list == "directoryobjects"
        {
            return self.directory_object(id).map(Found::One).ok_or_else(|| Error::not_found(id));
        }
        let spot = self.estate.spot(self.version, segments);
        let entry = spot.as_ref().and_then(|spot| Some((self.estate.entry(spot)?, spot)));
        let (entry, spot) = entry.ok_or_else(|| Error::not_found(&segments.join("/")))?;
        self.below(entry, spot.path(), spot.rest())
    }

    fn below<'a>(&self, entry: &'a Entry, path: &str, rest: &[String]) -> Result<Found<'a>, Error> {
        let fill = self.fill();
        let consented = if path == "/serviceprincipals" { self.consented() } else { Vec::new() };
        let (mut value, rest) = match (entry, rest) {
            (Entry::One(value), rest) => (fill.value(value), rest),
            (Entry::List(items), []) if !consented.is_empty() => {
                return Ok(Found::Inner(Entry::List(items.iter().cloned().chain(consented).collect())));
            }
            (list, []) => return Ok(Found::List(list)),
            (list, [id, rest @ ..]) => {
                let found = list.find(id, &fill).or_else(|| consented.into_iter().find(|item| is_named(item, id)));
                let found = found.ok_or_else(|| Error::not_found(id))?;
                if let [relation] = rest
                    && let Some(related) = self.related(path, list, &found, &relation.to_lowercase())
                {
                    return Ok(Found::Inner(Entry::List(related)));
                }
                (found, rest)
            }
        };
        for name in rest {
            value = step_into(value, name).ok_or_else(|| Error::not_found(name))?;
        }
        Ok(match value {
            Value::Array(items) => Found::Inner(Entry::List(items)),
            one => Found::One(one),
        })
    }
}
