//! Benches: what Bailiwick costs against what the same machine does with bare SQL, each a ratio taken in one run.
//!
//! The subject is the release build of `bailiwickd` in a process of its own with the private PostgreSQL it runs in production; it is
//! spoken to over HTTP only. What must stay true: no measure is compared with a number from another machine or another run, and a
//! measure that is over its limit makes the exit code 1.

mod api;
mod bare;
mod daemon;
mod measures;
mod report;
mod sarif;
mod smtp;
mod stage;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use report::Report;
use stage::Stage;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "bailiwick-bench", about = "Measures bailiwickd against the limits of this machine.")]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value = "all")]
    what: Vec<What>,
    /// Smaller reports and fewer rounds: says whether the bench works, not how fast Bailiwick is.
    #[arg(long)]
    quick: bool,
    /// The program to measure; by default the one beside this program.
    #[arg(long, env = "BAILIWICKD")]
    bailiwickd: Option<PathBuf>,
    /// Where results.json and results.md go; by default `bench` in Cargo's target folder.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    All,
    /// A report's way from the API to settled findings, against COPY and set-wise inserts.
    Import,
    /// The same report again, and with a tenth changed, against an anti-join both ways.
    Reimport,
    /// Memory of the daemon: idle, at its peak, and a minute later.
    Memory,
    /// Bytes on disk a finding, with its raw result and history.
    Disk,
    /// A list of 100 findings through the API, against the same statement bare.
    List,
    /// From start to the first good answer.
    Ready,
    /// Judging, a slow cloud, a very large directory, very many directories.
    Scan,
    /// A plan of fixes for a neglected directory.
    Fixes,
    /// Very many mails, and a slow channel beside a quick one.
    Notifications,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "bailiwick-bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    // A second one of a process cannot be installed: then the first serves.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let own = std::env::current_exe().context("cannot tell where this program is")?;
    let beside = own.parent().unwrap_or(Path::new("."));
    let program = arguments.bailiwickd.clone().unwrap_or_else(|| beside.join("bailiwickd"));
    anyhow::ensure!(program.is_file(), "{} is missing: build it with `cargo build --release -p bailiwick-server`", program.display());
    let out = arguments.out.clone().unwrap_or_else(|| beside.parent().unwrap_or(beside).join("bench"));
    let wanted = |what: What| arguments.what.contains(&What::All) || arguments.what.contains(&what);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(async {
        let stage = Stage::new(program, arguments.quick).await?;
        let mut report = Report::new(arguments.quick);
        if wanted(What::Ready) {
            measures::ready::measure(&stage, &mut report).await.context("ready")?;
        }
        if wanted(What::Import) || wanted(What::Reimport) {
            measures::import::measure(&stage, &mut report, wanted(What::Import), wanted(What::Reimport)).await.context("import")?;
        }
        if wanted(What::Memory) || wanted(What::Disk) {
            measures::size::measure(&stage, &mut report, wanted(What::Memory), wanted(What::Disk)).await.context("memory and disk")?;
        }
        if wanted(What::List) {
            measures::list::measure(&stage, &mut report).await.context("list")?;
        }
        if wanted(What::Scan) {
            measures::scan::measure(&stage, &mut report).await.context("scan")?;
        }
        if wanted(What::Fixes) {
            measures::fixes::measure(&stage, &mut report).await.context("fixes")?;
        }
        if wanted(What::Notifications) {
            measures::notifications::measure(&stage, &mut report).await.context("notifications")?;
        }
        report.write(&out)?;
        Ok(report.passed())
    })
}
