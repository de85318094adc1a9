//! A pack as it is written: `pack.yaml`, Rego modules, data and cases. Read and held to its limits before a line of it is run.

use super::paths;
use crate::{PRODUCTS, PackSource, Request, Service};
use bailiwick_base::Severity;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The file every pack has.
pub const MANIFEST: &str = "pack.yaml";
/// Files of one pack, and bytes of all of them together.
pub const FILES: usize = 200;
pub const BYTES: usize = 1 << 20;
/// Requests one pack may read.
pub const READS: usize = 40;

/// What a pack's rules are given and what they answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackKind {
    /// Answers as Microsoft gives them, and `results`.
    #[default]
    Rego,
    /// A provider export as ScubaGear writes it, and `tests`.
    ScubaGear,
}

/// The products whose provider export can be built from Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScubaProduct {
    Aad,
    SharePoint,
}

/// `pack.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub kind: PackKind,
    /// The Rego package whose answer is taken, such as `contoso.baseline`.
    pub package: String,
    /// Of a ScubaGear pack: what its provider export holds.
    #[serde(default)]
    pub provides: BTreeSet<ScubaProduct>,
    /// Where results that name none are listed.
    #[serde(default)]
    pub product: Option<String>,
    #[serde(default)]
    pub severity: Option<Severity>,
    #[serde(default)]
    pub reads: Vec<Read>,
}

impl Manifest {
    /// The manifest among a pack's files.
    ///
    /// # Errors
    /// There is none, or what is wrong with it.
    pub fn of(files: &[(String, String)]) -> Result<Self, String> {
        let found = files.iter().find(|(path, _)| path == MANIFEST);
        let (_, text) =
            found.ok_or_else(|| format!("{MANIFEST}: the pack has no such file. It names the pack, its package and what it reads."))?;
        parse(text)
    }
}

/// One request that a pack reads: a GET, whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    pub service: Service,
    /// As in a check's `collect`; may hold `{tenantId}`, `{sub}`, `{domain}` and the like.
    pub path: String,
    /// GET; written out by those who like to.
    #[serde(default)]
    pub method: Option<String>,
    /// The application permission it needs.
    #[serde(default)]
    pub permission: Option<String>,
}

impl Read {
    pub fn request(&self) -> Request {
        Request::new(self.service, &self.path)
    }
}

/// A pack that may be run.
#[derive(Debug, Clone)]
pub struct Pack<'s> {
    pub manifest: Manifest,
    /// Rego modules: path and text.
    pub modules: Vec<(&'s str, &'s str)>,
    /// JSON documents under `data`.
    pub data: Vec<(&'s str, &'s str)>,
    /// Case files.
    pub cases: Vec<(&'s str, &'s str)>,
}

impl<'s> Pack<'s> {
    /// # Errors
    /// What is wrong, with the file.
    pub fn read(source: &'s PackSource) -> Result<Self, String> {
        let bytes: usize = source.files.iter().map(|(_, text)| text.len()).sum();
        if source.files.len() > FILES || bytes > BYTES {
            return Err(format!(
                "The pack has {} files and {bytes} bytes; at most {FILES} files and {BYTES} bytes are taken.",
                source.files.len()
            ));
        }
        let manifest = Manifest::of(&source.files)?;
        if (&manifest.name, &manifest.version) != (&source.name, &source.version) {
            let Manifest { name, version, .. } = &manifest;
            return Err(format!("{MANIFEST}: says {name} {version}, but the pack is kept as {} {}.", source.name, source.version));
        }
        let ending = |end: &[&str]| -> Vec<(&'s str, &'s str)> {
            let of = |(path, _): &&(String, String)| path != MANIFEST && end.iter().any(|end| path.ends_with(end));
            let mut files: Vec<_> = source.files.iter().filter(of).map(|(path, text)| (path.as_str(), text.as_str())).collect();
            files.sort_unstable();
            files
        };
        let pack = Self { manifest, modules: ending(&[".rego"]), data: ending(&[".json"]), cases: ending(&[".yaml", ".yml"]) };
        if pack.modules.is_empty() {
            return Err("The pack has no .rego file, so there is nothing to judge by.".to_owned());
        }
        Ok(pack)
    }

    /// Everything it reads: what its manifest names, and what its provider export is built from.
    pub fn reads(&self) -> Vec<Request> {
        let mut requests: Vec<Request> = self.manifest.reads.iter().map(Read::request).collect();
        let provided = self.manifest.provides.iter().flat_map(|product| super::scuba::reads(*product));
        requests.extend(provided.map(|path| Request::new(Service::Graph, path)));
        requests.sort();
        requests.dedup();
        requests
    }

    /// The name of its rule.
    pub fn rule(&self) -> String {
        let rule = if self.manifest.kind == PackKind::ScubaGear { "tests" } else { "results" };
        format!("data.{}.{rule}", self.manifest.package)
    }
}

fn parse(text: &str) -> Result<Manifest, String> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let manifest: Manifest = serde_saphyr::from_str_with_options(text, options).map_err(|e| format!("{MANIFEST}: {e}"))?;
    let wrong = |what: String| Err(format!("{MANIFEST}: {what}"));
    let plain = |text: &str, also: &str, most: usize| {
        (1..=most).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b) || also.as_bytes().contains(&b))
    };
    if !plain(&manifest.name, "", 60) || !plain(&manifest.version, "+", 40) {
        return wrong("name is up to 60 letters, digits, `-`, `_` and `.`; version up to 40 of these and `+`.".to_owned());
    }
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if manifest.package.len() > 200 || !manifest.package.split('.').all(word) {
        return wrong(format!("package: {:?} is not a Rego package, such as contoso.baseline.", manifest.package));
    }
    if let Some(product) = manifest.product.as_ref().filter(|product| !PRODUCTS.contains(&product.as_str())) {
        return wrong(format!("product: {product} is none of {}.", PRODUCTS.join(", ")));
    }
    if (manifest.kind == PackKind::ScubaGear) == manifest.provides.is_empty() {
        return wrong("provides: a scubagear pack names aad, sharepoint or both; other packs name none.".to_owned());
    }
    if manifest.reads.len() > READS {
        return wrong(format!("reads: names {} requests; at most {READS} are taken.", manifest.reads.len()));
    }
    for (at, read) in manifest.reads.iter().enumerate() {
        if let Err(why) = paths::permit(read) {
            return wrong(format!("reads[{at}]: {why}"));
        }
    }
    Ok(manifest)
}
