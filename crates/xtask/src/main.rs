//! Every routine as one command: `cargo xtask gen` and, as they arrive, demo, dev, test, ci, bench.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

mod generate;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Every routine of this repository as one command.")]
struct Arguments {
    #[command(subcommand)]
    routine: Routine,
}

#[derive(Subcommand)]
enum Routine {
    /// Writes what is generated from the contract: the OpenAPI document, the permission table, the portal's client types.
    Gen {
        /// Writes nothing; fails when a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().routine {
        Routine::Gen { check } => generate::run(check),
    }
}

/// The workspace's root.
fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).map(PathBuf::from).unwrap_or(manifest)
}
