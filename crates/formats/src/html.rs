//! Reports as web pages: Maester and Zero Trust Assessment write their data object into a script of the page, as `name = {...}`.
//!
//! The page is searched as it streams, and exactly the object is handed on; no script is interpreted.

use std::io::{self, BufRead, BufReader, Read};

/// First members of the data objects, in any release. Other objects of the page's script are passed over.
const FIRST_MEMBERS: &[&str] = &[
    "Tenants",
    "Result",
    "TotalCount",
    "FailedCount",
    "PassedCount",
    "ExecutedAt",
    "TenantId",
    "TenantName",
    "Account",
    "Tests",
    "CurrentVersion",
    "LatestVersion",
    "TestResultSummary",
    "Domain",
    "EndOfJson",
];

/// How many objects of one page are tried.
pub const CANDIDATES: usize = 16;

/// The page from the start of its `nth` (from 0) object that looks like report data; `None` when there is no such object.
pub fn data(page: Box<dyn Read>, nth: usize) -> io::Result<Option<Box<dyn Read>>> {
    let mut page = BufReader::with_capacity(64 << 10, page);
    let mut search = Search::Text;
    let mut found = 0;
    loop {
        let chunk = page.fill_buf()?;
        if chunk.is_empty() {
            return Ok(None);
        }
        let mut used = 0;
        let mut start = None;
        for byte in chunk {
            used += 1;
            search = search.next(*byte);
            if let Search::Found(text) = &search {
                if found == nth {
                    start = Some(text.clone());
                    break;
                }
                found += 1;
                search = Search::Text;
            }
        }
        page.consume(used);
        if let Some(start) = start {
            return Ok(Some(Box::new(io::Cursor::new(start).chain(page))));
        }
    }
}

enum Search {
    Text,
    /// After `=`.
    Assigned,
    /// After `{`, what has been read from it.
    Opened(Vec<u8>),
    /// Inside the first member's name.
    Name(Vec<u8>, usize),
    Found(Vec<u8>),
}

impl Search {
    fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (Search::Assigned, b' ' | b'\t' | b'\r' | b'\n') => Search::Assigned,
            (Search::Assigned, b'{') => Search::Opened(vec![b'{']),
            (Search::Opened(mut text), b' ' | b'\t' | b'\r' | b'\n') if text.len() < 256 => {
                text.push(byte);
                Search::Opened(text)
            }
            (Search::Opened(mut text), b'"') => {
                text.push(byte);
                let name = text.len();
                Search::Name(text, name)
            }
            (Search::Name(mut text, name), b'"') => {
                let known = FIRST_MEMBERS.iter().any(|member| member.as_bytes() == &text[name..]);
                text.push(byte);
                if known { Search::Found(text) } else { Search::Text }
            }
            (Search::Name(mut text, name), _) if text.len() - name < 32 => {
                text.push(byte);
                Search::Name(text, name)
            }
            (_, b'=') => Search::Assigned,
            _ => Search::Text,
        }
    }
}
