//! What the machine must have, installed when it is missing and can be.

use crate::command::{exists, program, run, say};
use crate::root;
use anyhow::{Context, bail};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

/// Makes sure of Debian packages, as (program or file to look for, package).
fn packages(wanted: &[(&str, &str)]) -> anyhow::Result<()> {
    let found = |what: &str| if what.starts_with('/') { Path::new(what).exists() } else { exists(what) };
    let missing: Vec<&str> = wanted.iter().filter(|(what, _)| !found(what)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !is_root() || !exists("apt-get") {
        bail!("missing: {list}. Install them (Debian: sudo apt-get install {list}) and start again.");
    }
    say(format!("Installing {list}"));
    run(program("apt-get", &["update", "-qq"]))?;
    let mut install = program("apt-get", &["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(&missing).env("DEBIAN_FRONTEND", "noninteractive");
    run(install)
}

fn has_postgres() -> bool {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    exists("initdb") || debian.into_iter().any(|version| version.path().join("bin/initdb").exists())
}

/// PostgreSQL's programs, Node and npm: what the demo needs beside Rust.
///
/// # Errors
/// Something is missing and cannot be installed here.
pub fn for_demo() -> anyhow::Result<()> {
    let mut wanted = vec![("node", "nodejs"), ("npm", "npm"), ("cc", "gcc")];
    if !has_postgres() {
        wanted.push(("initdb", "postgresql"));
    }
    packages(&wanted)?;
    let version = program("node", &["--version"]).output().context("cannot ask node its version")?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
    anyhow::ensure!(major >= 20, "Node is {version}: the portal is built with 20.19 or newer. Install it from nodejs.org and start again.");
    Ok(())
}

/// What the tests need on top: a browser, and Python for Microsoft's own clients.
///
/// # Errors
/// Something is missing and cannot be installed here.
pub fn for_tests() -> anyhow::Result<()> {
    for_demo()?;
    packages(&[("/usr/bin/chromium", "chromium"), ("python3", "python3-venv")])
}

/// Builds the portal unless what is built is newer than all it is made of.
///
/// # Errors
/// npm fails.
pub fn portal() -> anyhow::Result<()> {
    let web = root().join("web");
    let built = newest(&web.join("dist")).unwrap_or(SystemTime::UNIX_EPOCH);
    let sources = ["src", "public", "scripts", "index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json"];
    let edited = sources.iter().filter_map(|name| newest(&web.join(name))).max().context("web has no sources")?;
    if built > edited && web.join("dist/index.html").exists() {
        return Ok(());
    }
    packages_of(&web)?;
    let mut build = program("npm", &["run", "build"]);
    build.current_dir(&web);
    run(build)
}

/// Installs a folder's npm packages as its lock file says, unless they are there.
///
/// # Errors
/// npm fails.
pub fn packages_of(folder: &Path) -> anyhow::Result<()> {
    let (lock, installed) = (folder.join("package-lock.json"), folder.join("node_modules/.package-lock.json"));
    let time = |path: &Path| path.metadata().and_then(|m| m.modified()).ok();
    if time(&installed).is_some_and(|there| time(&lock).is_some_and(|wanted| there >= wanted)) {
        return Ok(());
    }
    let mut install = program("npm", &["ci", "--no-audit", "--no-fund"]);
    install.current_dir(folder);
    run(install)
}

/// When the newest file under a path was written.
fn newest(path: &Path) -> Option<SystemTime> {
    let meta = path.metadata().ok()?;
    if meta.is_file() {
        return meta.modified().ok();
    }
    fs::read_dir(path).ok()?.flatten().filter_map(|entry| newest(&entry.path())).max()
}
