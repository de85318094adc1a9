//! Where a result is: a path within the repository, whatever way the tool wrote its URI.
//!
//! A path told never begins with a slash and never holds `..`: a step out of the repository stands as the word `(outside)`.

use percent_encoding::percent_decode_str;
use std::collections::HashMap;

const OUTSIDE: &str = "(outside)";
/// No chain of bases in a sound file is longer; a longer one is a circle.
const CHAIN: usize = 16;
const LONGEST: usize = 1024;

/// An artifactLocation, as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Artifact {
    pub uri: Option<String>,
    pub base: Option<String>,
    pub index: Option<i64>,
}

/// What URIs of one run are relative to.
#[derive(Debug, Default)]
pub struct Bases {
    /// originalUriBaseIds.
    pub ids: HashMap<String, Artifact>,
    /// The base that is the repository's root (versionControlProvenance.mappedTo).
    pub root: Option<String>,
    /// Absolute places that stand for the root: working directories.
    pub directories: Vec<String>,
    /// Absolute bases and directories, the longest first; see [`Bases::find_roots`].
    roots: Vec<String>,
    pub artifacts: Vec<Artifact>,
}

impl Artifact {
    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + [&self.uri, &self.base].into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl Bases {
    /// To be called once all members have been read: an absolute URI is told from the root it lies in.
    pub fn find_roots(&mut self) {
        let known = self.ids.values().filter_map(|b| b.uri.as_deref()).chain(self.directories.iter().map(String::as_str));
        let mut roots: Vec<String> =
            known.map(|root| forward(root).trim_end_matches('/').to_owned()).filter(|root| absolute(root)).collect();
        roots.sort_by_key(|root| std::cmp::Reverse(root.len()));
        self.roots = roots;
    }

    /// The path of an artifact, which may name itself by its place in `artifacts`.
    pub fn path(&self, artifact: &Artifact) -> String {
        let listed = artifact.index.and_then(|i| usize::try_from(i).ok()).and_then(|i| self.artifacts.get(i));
        match (&artifact.uri, listed) {
            (Some(uri), _) if !uri.is_empty() => self.resolve(uri, artifact.base.as_deref()),
            (_, Some(listed)) => self.resolve(listed.uri.as_deref().unwrap_or_default(), listed.base.as_deref()),
            _ => String::new(),
        }
    }

    fn resolve(&self, uri: &str, base: Option<&str>) -> String {
        let mut path = forward(uri);
        let mut base = base;
        for _ in 0..CHAIN {
            let Some(id) = base.filter(|id| !absolute(&path) && self.root.as_deref() != Some(*id)) else { break };
            let Some(parent) = self.ids.get(id) else { break };
            let prefix = forward(parent.uri.as_deref().unwrap_or_default());
            if absolute(&prefix) {
                break;
            }
            if !prefix.is_empty() {
                path = format!("{}/{path}", prefix.trim_end_matches('/'));
            }
            base = parent.base.as_deref();
        }
        if absolute(&path) {
            path = self.within(&path);
        }
        let (scheme, rest) = match path.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), path.as_str()),
        };
        let clean = clean(&decoded(rest));
        crate::json::cut(&format!("{scheme}{clean}"), LONGEST).0
    }

    /// An absolute URI without the root it lies in; a file URI elsewhere becomes a path from its own root.
    fn within(&self, uri: &str) -> String {
        if let Some(within) = self.roots.iter().find_map(|root| uri.strip_prefix(root.as_str())?.strip_prefix('/')) {
            return within.to_owned();
        }
        match uri.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("file:")).map(|_| &uri[5..]) {
            // file://host/path: the host is no part of the path.
            Some(rest) if rest.starts_with("//") => rest[2..].split_once('/').map_or("", |(_, path)| path).to_owned(),
            Some(rest) => rest.to_owned(),
            None => uri.to_owned(),
        }
    }
}

fn forward(uri: &str) -> String {
    uri.trim().replace('\\', "/")
}

/// Has a scheme (two letters or more, so that `C:` is a drive) or starts at a root.
fn absolute(uri: &str) -> bool {
    uri.starts_with('/')
        || uri
            .split_once(':')
            .is_some_and(|(scheme, _)| scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)))
}

/// Percent-decoded where that gives text; control characters become U+FFFD, since no file name a person reads holds one.
fn decoded(path: &str) -> String {
    let text = percent_decode_str(path).decode_utf8().unwrap_or(path.into());
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect::<String>().replace('\\', "/")
}

fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part.trim() {
            "" | "." => {}
            ".." => match kept.last() {
                None => kept.push(OUTSIDE),
                Some(&OUTSIDE) => {}
                Some(_) => {
                    kept.pop();
                }
            },
            _ => kept.push(part),
        }
    }
    kept.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(uri: &str) -> String {
        Bases::default().resolve(uri, None)
    }

    #[test]
    fn uris_become_paths_of_the_repository() {
        assert_eq!(path("src/a%20b.rs"), "src/a b.rs");
        assert_eq!(path(r"src\win\a.cs"), "src/win/a.cs");
        assert_eq!(path("file:///build/app/job.py"), "build/app/job.py");
        assert_eq!(path("file:////src/x.js"), "src/x.js");
        assert_eq!(path("file:///C:/code/file1.c"), "C:/code/file1.c");
        assert_eq!(path("/home/me/main.tf"), "home/me/main.tf");
        assert_eq!(path("./a/./b/../c.rs"), "a/c.rs");
        assert_eq!(path("https://example.com/x/y.js"), "https://example.com/x/y.js");
    }

    #[test]
    fn no_path_leaves_the_repository() {
        for uri in [
            "../../etc/passwd",
            "..%2f..%2fetc%2fpasswd",
            "%2e%2e/%2e%2e/etc/passwd",
            r"..\..\etc\passwd",
            "file:///../../etc/passwd",
            "a/../../../etc/passwd",
            ".. /../etc/passwd",
        ] {
            let path = path(uri);
            assert_eq!(path, "(outside)/etc/passwd", "{uri}");
        }
        assert_eq!(path("a%00b%0a.rs"), "a\u{FFFD}b\u{FFFD}.rs");
    }

    #[test]
    fn bases_are_followed_to_the_root_and_circles_end() {
        let at = |uri: &str, base: Option<&str>| Artifact { uri: Some(uri.into()), base: base.map(Into::into), index: None };
        let ids = [
            ("PROJECT".to_owned(), at("file://build.example.com/sources/", None)),
            ("SRC".to_owned(), at(" src/", Some("PROJECT"))),
            ("A".to_owned(), at("a/", Some("B"))),
            ("B".to_owned(), at("b/", Some("A"))),
        ];
        let mut bases = Bases { ids: ids.into(), directories: vec!["file:///home/runner/checkout".into()], ..Bases::default() };
        bases.find_roots();
        assert_eq!(bases.resolve("list.h", Some("SRC")), "src/list.h");
        assert_eq!(bases.resolve("file://build.example.com/sources/src/list.h", None), "src/list.h");
        assert_eq!(bases.resolve("file:///home/runner/checkout/app.py", None), "app.py");
        assert_eq!(bases.resolve("x", Some("%SRCROOT%")), "x");
        assert!(bases.resolve("x", Some("A")).ends_with("a/x"));
    }
}
