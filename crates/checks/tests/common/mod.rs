//! The catalogue as its files are now, so that a change to one needs no build.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and a file that cannot be read ends it")]

pub mod cloud;

use bailiwick_checks::{Catalogue, LoadError};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn inside(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The sound checks, their recipes, and what is wrong with others. `BAILIWICK_CHECKS=entra.ca` leaves the checks whose id begins so, and
/// then the recipes of others are missed by nobody.
pub fn catalogue() -> (Catalogue, Vec<LoadError>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let wanted = std::env::var("BAILIWICK_CHECKS").unwrap_or_default();
    let yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_str().unwrap().starts_with(&wanted));
    let checks = inside(&root.join("checks")).into_iter().filter(|path| path.is_dir()).flat_map(|product| inside(&product)).filter(named);
    let recipes = inside(&root.join("recipes")).into_iter().filter(|_| wanted.is_empty());
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        (name.strip_prefix("checks/").map(str::to_owned).unwrap_or(name), fs::read_to_string(path).unwrap())
    };
    let files: Vec<(String, String)> = checks.chain(recipes).filter(yaml).map(read).collect();
    let (catalogue, mut errors) = Catalogue::read_sound(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    if !wanted.is_empty() {
        errors.retain(|error| !error.message.ends_with("is told nowhere"));
    }
    (catalogue, errors)
}
