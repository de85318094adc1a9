//! Embeds every file of `catalogue/checks` and `catalogue/recipes` into the crate, sorted by name: the sandboxed scanner has no file system
//! to read them from.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// Folders of the catalogue, and what their files' names begin with.
const FOLDERS: &[(&str, &str)] = &[("checks", ""), ("recipes", "recipes/")];

fn main() -> io::Result<()> {
    let catalogue = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../../catalogue");
    let mut named = Vec::new();
    for (folder, prefix) in FOLDERS {
        let root = catalogue.join(folder);
        println!("cargo::rerun-if-changed={}", root.display());
        let mut files = Vec::new();
        if root.is_dir() {
            walk(&root, &mut files)?;
        }
        for file in files {
            let name = file.strip_prefix(&root).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
            named.push((format!("{prefix}{name}"), file.canonicalize()?));
        }
    }
    named.sort();
    let mut source = String::from("&[\n");
    for (name, file) in &named {
        source.push_str(&format!("    ({name:?}, include_str!({file:?})),\n"));
    }
    source.push(']');
    fs::write(PathBuf::from(variable("OUT_DIR")?).join("catalogue.rs"), source)
}

fn variable(name: &str) -> io::Result<std::ffi::OsString> {
    env::var_os(name).ok_or_else(|| io::Error::other(format!("cargo gives no {name}")))
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            into.push(path);
        }
    }
    Ok(())
}
