//! `demo` and `dev`.

use crate::command::{self, program};
use crate::{machine, root, target};

/// Builds every program. All at once: a part alone would give shared dependencies other features, and build them twice.
///
/// # Errors
/// The build fails.
pub fn build() -> anyhow::Result<()> {
    command::run(program("cargo", &["build", "--workspace", "--exclude", "bailiwick-benches", "--bins"]))
}

/// Runs the demo.
///
/// # Errors
/// Something is missing, does not build, or did not do its job.
pub fn run(once: bool, port: u16) -> anyhow::Result<()> {
    machine::for_demo()?;
    machine::portal()?;
    build()?;
    let programs = target().join("debug");
    let mut demo = program(&programs.join("bailiwick-demo").display().to_string(), &["--port", &port.to_string()]);
    demo.arg("--folder").arg(target().join("demo")).arg("--programs").arg(&programs).arg("--portal").arg(root().join("web/dist"));
    if once {
        demo.arg("--once");
    }
    command::run(demo)
}

/// Rebuilds the portal whenever a source file is written; a running demo serves what is built.
///
/// # Errors
/// npm fails.
pub fn dev() -> anyhow::Result<()> {
    machine::for_demo()?;
    machine::packages_of(&root().join("web"))?;
    let mut build = program("npx", &["vite", "build", "--watch"]);
    build.current_dir(root().join("web"));
    command::run(build)
}
