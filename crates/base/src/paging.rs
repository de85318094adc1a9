//! Keyset paging: a page and the opaque cursor of the next one. Cost does not grow with how far one has paged.

use crate::problem::{Code, Problem};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One page of a list. `next` is absent on the last page.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Pass as `cursor` for the next page. Opaque: its inside may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Turns up to `limit + 1` rows into a page of at most `limit`; the cursor is made from the last row kept.
    pub fn from_rows(mut rows: Vec<T>, limit: usize, key: impl Fn(&T) -> Vec<String>) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(|row| Cursor::of(&key(row))) } else { None };
        Self { items: rows, next }
    }
}

/// The sort key of the last row seen, base64url of its parts joined by the unit separator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Cursor(pub String);

const SEPARATOR: char = '\u{1f}';

impl Cursor {
    pub fn of(parts: &[String]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(parts.join(&SEPARATOR.to_string())))
    }

    /// The `N` parts of the key.
    ///
    /// # Errors
    /// `bad_cursor` when the text is not one of ours.
    pub fn parts<const N: usize>(&self) -> Result<[String; N], Problem> {
        let refuse = || Problem::new(Code::BadCursor, "The cursor is not one this list gave out. Start again without it.");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| refuse())?;
        let text = String::from_utf8(bytes).map_err(|_| refuse())?;
        let parts: Vec<String> = text.split(SEPARATOR).map(str::to_owned).collect();
        parts.try_into().map_err(|_| refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_carries_a_cursor_only_when_more_follows() {
        let key = |n: &u32| vec![n.to_string(), "x".into()];
        let page = Page::from_rows(vec![1, 2, 3], 2, key);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next.unwrap().parts::<2>().unwrap(), ["2".to_owned(), "x".to_owned()]);
        assert!(Page::from_rows(vec![1, 2], 2, key).next.is_none());
    }

    #[test]
    fn a_foreign_cursor_is_refused_by_name() {
        for text in ["", "!!", "AAAA"] {
            let problem = Cursor(text.into()).parts::<2>().unwrap_err();
            assert_eq!(problem.code, Code::BadCursor);
        }
    }
}
