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

/// The sound checks and what is wrong with others. `BAILIWICK_CHECKS=entra.ca` leaves those whose id begins so.
pub fn catalogue() -> (Catalogue, Vec<LoadError>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/checks");
    let wanted = std::env::var("BAILIWICK_CHECKS").unwrap_or_default();
    let yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_str().unwrap().starts_with(&wanted));
    let files = inside(&root).into_iter().filter(|path| path.is_dir()).flat_map(|product| inside(&product)).filter(yaml).filter(named);
    let read = |path: PathBuf| (path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap());
    let files: Vec<(String, String)> = files.map(read).collect();
    Catalogue::read_sound(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}
