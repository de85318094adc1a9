//! The simulator as a program: serves until interrupted, or writes one of its reports. Everything it prints on stdout
//! is one JSON line that says where it listens; logs go to stderr.

use anyhow::{Context, Result};
use bailiwick_sim::{Directory, Sim, SimConfig, scenario};
use clap::{Args, Parser, Subcommand};
use std::{fs, io::Write, path::PathBuf};

/// A simulated Microsoft cloud on loopback, for tests and demonstrations.
#[derive(Parser)]
#[command(name = "bailiwick-sim", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a report of a scenario organisation.
    Report(Report),
}

#[derive(Args)]
struct Serve {
    /// HTTPS port on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port of the CONNECT proxy that leads Microsoft's names here; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    proxy_port: u16,
    /// Writes the certificate of the test authority to this file.
    #[arg(long)]
    ca_out: Option<PathBuf>,
    /// Keeps the test authority in this folder, so that it stays the same from start to start.
    #[arg(long)]
    ca_folder: Option<PathBuf>,
    /// Directories to simulate, as JSON; without it, Contoso and Fabrikam to sign in with, and four with contents to scan.
    #[arg(long)]
    directories: Option<PathBuf>,
    /// Redirect URI of the portal in the built-in directories; may be repeated.
    #[arg(long, default_values_t = ["https://localhost:8443/".to_owned()])]
    portal_redirect: Vec<String>,
}

#[derive(Args)]
struct Report {
    #[arg(long)]
    family: scenario::ReportFamily,
    /// contoso or fabrikam (for sarif: the project's owner).
    #[arg(long)]
    directory: String,
    /// 1 is the first day.
    #[arg(long, default_value_t = 1)]
    day: u32,
    #[arg(long)]
    out: PathBuf,
    /// The HTML form (Maester only).
    #[arg(long)]
    html: bool,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    match cli.command {
        Some(Command::Report(report)) => write_report(&report),
        None => tokio::runtime::Runtime::new().context("starting the runtime")?.block_on(serve(cli.serve)),
    }
}

fn write_report(report: &Report) -> Result<()> {
    let bytes = scenario::report(report.family, &report.directory, report.day, report.html)?;
    fs::write(&report.out, bytes).with_context(|| format!("writing {}", report.out.display()))
}

async fn serve(options: Serve) -> Result<()> {
    let redirects: Vec<&str> = options.portal_redirect.iter().map(String::as_str).collect();
    let mut config =
        SimConfig { port: options.port, proxy_port: options.proxy_port, ca_folder: options.ca_folder, ..SimConfig::demo(&redirects) };
    if let Some(path) = options.directories {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        config.directories =
            serde_json::from_str::<Vec<Directory>>(&text).with_context(|| format!("{} is not a list of directories", path.display()))?;
    }
    let sim = Sim::start(config).await?;
    if let Some(path) = options.ca_out {
        fs::write(&path, sim.ca_pem()).with_context(|| format!("writing {}", path.display()))?;
    }
    let mut line = sim.describe();
    line["proxy"] = sim.proxy_url().into();
    writeln!(std::io::stdout(), "{line}").context("saying where the simulator listens")?;
    tokio::signal::ctrl_c().await.context("waiting for an interrupt")
}
