//! Every routine of this repository as one command.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

mod command;
mod demo;
mod generate;
mod machine;
mod security_model;
mod test;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Every routine of this repository as one command.")]
struct Arguments {
    #[command(subcommand)]
    routine: Routine,
}

#[derive(Subcommand)]
enum Routine {
    /// Shows Bailiwick at its main job: builds what is missing, starts everything, submits three days of reports for two tenants.
    Demo {
        /// Stops after the main job.
        #[arg(long)]
        once: bool,
        /// Where the portal and the API answer.
        #[arg(long, default_value_t = 8480)]
        port: u16,
    },
    /// Rebuilds the portal as it is edited, beside a running demo.
    Dev,
    /// Installs what the tests need and runs all of them: lints, generated files, licences, Rust, portal, browser, PostgreSQL 18.
    Test {
        /// Only those whose name holds this text: rust, portal, browser, postgres18, lints.
        only: Option<String>,
    },
    /// What CI runs: the same as `test`, with nothing left out.
    Ci,
    /// Writes what is generated: the OpenAPI document, the permission table, the security model, the portal's client types.
    Gen {
        /// Writes nothing; fails when a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Measures speed and size in a release build, as ratios against limits of the same machine.
    Bench {
        /// Passed on to the benches.
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match perform(Arguments::parse().routine) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            command::say(format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(routine: Routine) -> anyhow::Result<()> {
    match routine {
        Routine::Demo { once, port } => demo::run(once, port),
        Routine::Dev => demo::dev(),
        Routine::Test { only } => test::run(only.as_deref()),
        Routine::Ci => test::run(None),
        Routine::Gen { check } => generate::run(check),
        Routine::Bench { arguments } => test::bench(&arguments),
    }
}

/// The workspace's root.
fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).map(PathBuf::from).unwrap_or(manifest)
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
