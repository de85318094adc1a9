//! Reading Rust sources as tokens: no comment and no string is mistaken for code, and tests inside a file are left out.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// One source file of a crate, without its tests.
pub struct Source {
    /// From the workspace's root, e.g. `crates/store/src/scope.rs`.
    pub path: String,
    pub tokens: Vec<TokenTree>,
}

/// Every source file of these crates.
pub fn sources(crates: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for name in crates {
        let folder = root().join("crates").join(name).join("src");
        assert!(folder.is_dir(), "there is no crate {name}");
        read(&folder, &mut found);
    }
    found
}

fn read(folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "tests" {
                read(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            let tokens = text.parse::<TokenStream>().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push(Source { path, tokens: without_tests(tokens) });
        }
    }
}

/// Leaves out every `#[cfg(test)]` item.
fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < all.len() {
        if all[at].to_string() == "#" && all.get(at + 1).is_some_and(|t| t.to_string().replace(' ', "") == "[cfg(test)]") {
            at += 2;
            while at < all.len()
                && all[at].to_string() != ";"
                && !matches!(&all[at], TokenTree::Group(g) if g.delimiter() == Delimiter::Brace)
            {
                at += 1;
            }
            at += 1;
        } else {
            kept.push(all[at].clone());
            at += 1;
        }
    }
    kept
}

/// Every token of a tree, outermost first, in order.
pub fn flat(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let mut flat_ones = Vec::new();
    for token in tokens {
        flat_ones.push(token.clone());
        if let TokenTree::Group(group) = token {
            flat_ones.extend(flat(&group.stream().into_iter().collect::<Vec<_>>()));
        }
    }
    flat_ones
}

/// The value of a string literal.
pub fn text_of(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| text.value())
}

/// The files in which an identifier stands.
pub fn files_with(sources: &[Source], ident: &str) -> Vec<String> {
    let holds = |source: &&Source| flat(&source.tokens).iter().any(|t| matches!(t, TokenTree::Ident(i) if i == ident));
    sources.iter().filter(holds).map(|source| source.path.clone()).collect()
}

/// That the files are exactly the listed ones.
#[track_caller]
pub fn only_in(what: &str, mut found: Vec<String>, listed: &[(&str, &str)]) {
    found.sort();
    found.dedup();
    let mut wanted: Vec<String> = listed.iter().map(|(path, _)| (*path).to_owned()).collect();
    wanted.sort();
    assert_eq!(found, wanted, "files with {what} (found, then listed)");
}
