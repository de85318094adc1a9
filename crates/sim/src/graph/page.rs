//! One page of a list: filtered, ordered, projected, with an opaque next link. Items are looked at one by one, so that a
//! page of a very long list costs what the page holds.

use super::{Request, error::Error, query::Query};
use crate::{
    cloud::lock,
    estate::{Entry, Fill},
    faults::Twist,
    jwt::b64,
    reply::Reply,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Graph's page sizes: without `$top`, and at most.
const PAGE: usize = 100;
const LARGEST: usize = 999;

/// A list, and what is asked of it.
pub struct Page<'a> {
    pub request: &'a Request<'a>,
    pub query: &'a Query,
    pub list: &'a Entry,
    /// The properties shown without `$select`.
    pub standard: &'a [&'a str],
}

/// Where a page begins: the item, and how many pages came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    item: usize,
    page: usize,
}

impl Cursor {
    fn token(self) -> String {
        b64(format!("m~{}~{}~AQAAAA", self.item, self.page))
    }
    fn read(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let mut parts = text.strip_prefix("m~")?.split('~');
        Some(Self { item: parts.next()?.parse().ok()?, page: parts.next()?.parse().ok()? })
    }
}

impl Page<'_> {
    /// How many items pass the filter.
    pub fn total(&self) -> usize {
        let fill = self.request.fill();
        match &self.query.filter {
            None => self.list.len(),
            Some(_) => (0..self.list.len()).filter_map(|at| self.list.item(at, &fill)).filter(|item| self.passes(item)).count(),
        }
    }
    fn passes(&self, item: &Value) -> bool {
        self.query.filter.as_ref().is_none_or(|filter| filter.passes(item, &|_, _, _| false))
    }

    /// The page that the request's token points at, or the first.
    ///
    /// # Errors
    /// 400 for a token that is not ours, as Graph does it with one that has expired.
    pub fn reply(&self) -> Result<Reply, Error> {
        let expired = || {
            Error::new(
                400,
                "Directory_ExpiredPageToken",
                "The specified page token value has expired and can no longer be included in your request.",
            )
        };
        let here = match &self.query.skip_token {
            Some(token) => Cursor::read(token).ok_or_else(expired)?,
            None => Cursor { item: 0, page: 0 },
        };
        let knobs = lock(&self.request.cloud.knobs).clone();
        let size = self.query.top.unwrap_or(PAGE).min(LARGEST).min(knobs.page_size.unwrap_or(LARGEST)).max(1);
        let fill = self.request.fill();
        let ordered = self.ordered(&fill);
        let list = ordered.as_ref().unwrap_or(self.list);
        let empty = knobs.empty_pages && here.page % 2 == 1;
        let (items, mut next) = self.collect(list, here.item, if empty { 0 } else { size }, &fill);
        if self.request.asked.twist == Some(Twist::Lose)
            && let Some(at) = next
        {
            next = self.collect(list, at, size, &fill).1;
        }
        let next = self.twisted(here, next);
        Ok(Reply::ok(self.body(here, items, next)))
    }

    /// Up to `size` items from `start` that pass, and where the next one that passes stands.
    fn collect(&self, list: &Entry, start: usize, size: usize, fill: &Fill) -> (Vec<Value>, Option<usize>) {
        let mut items = Vec::new();
        for at in start..list.len() {
            let Some(item) = list.item(at, fill).filter(|item| self.passes(item)) else { continue };
            if items.len() == size {
                return (items, Some(at));
            }
            items.push(self.query.project(item, self.standard));
        }
        (items, None)
    }

    /// The list in the order asked for; `None` when it is in order already.
    fn ordered(&self, fill: &Fill) -> Option<Entry> {
        let (property, descending) = self.query.order.as_ref()?;
        let Entry::List(_) = self.list else { return None };
        let mut items: Vec<Value> = (0..self.list.len()).filter_map(|at| self.list.item(at, fill)).collect();
        items.sort_by_cached_key(|item| item[property].as_str().map_or_else(|| item[property].to_string(), str::to_lowercase));
        if *descending {
            items.reverse();
        }
        Some(Entry::List(items))
    }

    fn twisted(&self, here: Cursor, next: Option<usize>) -> Option<Cursor> {
        let further = |item| Cursor { item, page: here.page + 1 };
        match self.request.asked.twist {
            Some(Twist::Endless) => Some(further(next.unwrap_or(0))),
            Some(Twist::Repeat) => Some(here),
            _ => next.map(further),
        }
    }

    fn body(&self, here: Cursor, items: Vec<Value>, next: Option<Cursor>) -> Value {
        let mut body = Map::new();
        body.insert("@odata.context".to_owned(), self.request.context(self.query, false));
        if self.query.count && here.page == 0 {
            body.insert("@odata.count".to_owned(), self.total().into());
        }
        if let Some(next) = next {
            body.insert("@odata.nextLink".to_owned(), self.link(next).into());
        }
        body.insert("value".to_owned(), items.into());
        Value::Object(body)
    }

    /// The address of another page: the same query, with another token.
    fn link(&self, next: Cursor) -> String {
        let asked = self.request.asked;
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let kept = url::form_urlencoded::parse(asked.query.as_bytes())
            .filter(|(name, _)| !name.trim_start_matches('$').eq_ignore_ascii_case("skiptoken"));
        query.extend_pairs(kept).append_pair("$skiptoken", &next.token());
        format!("{}{}?{}", asked.base, asked.path, query.finish())
    }
}
