//! Which result of another run a result is the same as: the best the tool offers, else its own words and place without line numbers.

use super::message;
use super::result::Raw;
use crate::hash::Parts;

/// The identity of a result before ordinals. The tool's version is no part of it, nor are lines and columns.
pub fn base(raw: &Raw, tool: &str, check: &str, path: &str, message: &str, secret: bool) -> [u8; 16] {
    let parts = Parts::new().text("sarif").text(tool).text(check).text(path);
    if let Some((name, value)) = full(&raw.fingerprints) {
        return parts.text("fingerprint").text(name).text(value).fingerprint();
    }
    if let Some((name, value)) = partial(&raw.partial) {
        return parts.text("partial").text(name).text(value).fingerprint();
    }
    // A secret's own text is never hashed without a key: short ones could be guessed from the hash.
    match raw.snippet.as_deref().filter(|_| !secret).map(heading).filter(|heading| !heading.is_empty()) {
        Some(heading) => parts.text("snippet").text(&heading),
        None => parts.text("message").text(&message::steady(message)),
    }
    .text(&raw.logical)
    .fingerprint()
}

type Pair = (String, String);

/// The first by name, so that a tool that adds `name/v2` beside `name/v1` keeps its identities.
fn full(fingerprints: &[Pair]) -> Option<(&str, &str)> {
    usable(fingerprints).min()
}

/// `primaryLocationLineHash`, which code hosts use; else one known to follow the code; else the first that is no hash of the whole file.
fn partial(fingerprints: &[Pair]) -> Option<(&str, &str)> {
    let exact = usable(fingerprints).find(|(name, _)| *name == "primaryLocationLineHash");
    let rank = |name: &str| {
        let name = name.to_ascii_lowercase();
        match name {
            n if n.contains("column") || n.contains("startline") || n.contains("file") => None,
            n if n.contains("matchbasedid") || n.contains("contexthash") || n.contains("primarylocation") || n.contains("linehash") => {
                Some(0)
            }
            _ => Some(1),
        }
    };
    exact.or_else(|| {
        usable(fingerprints).filter_map(|(name, value)| Some((rank(name)?, name, value))).min().map(|(_, name, value)| (name, value))
    })
}

/// Semgrep writes `requires login` where it keeps the real value back.
fn usable(fingerprints: &[Pair]) -> impl Iterator<Item = (&str, &str)> {
    fingerprints
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(_, value)| !value.is_empty() && *value != "requires login")
}

/// The first lines of a snippet that say enough to know it by: a block is then the same when its inside is edited.
fn heading(snippet: &str) -> String {
    let mut heading = String::new();
    for line in snippet.lines() {
        for word in line.split_whitespace() {
            heading.push_str(word);
            heading.push(' ');
        }
        if heading.bytes().filter(u8::is_ascii_alphanumeric).count() >= 12 {
            break;
        }
    }
    heading
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> Vec<Pair> {
        all.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_best_fingerprint_is_taken() {
        assert_eq!(full(&pairs(&[("h/v2", "b"), ("h/v1", "a")])), Some(("h/v1", "a")));
        assert_eq!(full(&pairs(&[("matchBasedId/v1", "requires login")])), None);
        let scan = pairs(&[("scanFileHash", "f"), ("scanPrimaryLocationHash", "p")]);
        assert_eq!(partial(&scan), Some(("scanPrimaryLocationHash", "p")));
        let codeql = pairs(&[("primaryLocationStartColumnFingerprint", "0"), ("primaryLocationLineHash", "9c:1")]);
        assert_eq!(partial(&codeql), Some(("primaryLocationLineHash", "9c:1")));
        assert_eq!(partial(&pairs(&[("primaryLocationStartColumnFingerprint", "0")])), None);
    }

    #[test]
    fn a_block_is_known_by_its_heading() {
        assert_eq!(
            heading("resource \"azurerm_storage_account\" \"logs\" {\n  tls = 1\n}"),
            heading("resource  \"azurerm_storage_account\" \"logs\" {\n  tls = 2\n}")
        );
        assert_ne!(heading("{\n  alpha_one_name: 1"), heading("{\n  beta_two_name: 1"));
    }
}
