//! The command line: its words, and nothing that could carry a secret.

mod fixes;

pub use fixes::{Fixes, Shown, Wait};

use bailiwick_base::{DirectoryId, Family, FindingId, Product, ProjectId, RunId, ScanId, SeriesId, Severity};
use bailiwick_contract::evidence::RunState;
use bailiwick_contract::findings::{FindingSort, FindingStatus};
use bailiwick_contract::scans::{ScanKind, ScanState};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use std::{ffi::OsString, path::PathBuf};

/// Sends security reports to Bailiwick and reads what became of them.
#[derive(Debug, Parser)]
#[command(name = "bailiwick", version, after_help = CREDENTIALS, max_term_width = 110)]
pub struct Cli {
    /// Bailiwick's address, such as https://bailiwick.example.com
    #[arg(long, env = "BAILIWICK_URL", global = true, value_name = "URL", hide_env_values = true)]
    pub url: Option<String>,
    /// PEM file of certificate authorities to trust as well
    #[arg(long, env = "BAILIWICK_CA_FILE", global = true, value_name = "FILE", hide_env_values = true)]
    pub ca_file: Option<OsString>,
    /// Print one JSON document on standard output, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Say on standard error what is asked of the server
    #[arg(long, short, global = true)]
    pub verbose: bool,
    #[command(subcommand)]
    pub command: Command,
}

const CREDENTIALS: &str = "\
Credentials are never given on the command line. Set BAILIWICK_TOKEN_FILE or BAILIWICK_TOKEN to an API key or
access token, or AZURE_TENANT_ID and AZURE_CLIENT_ID to use the pipeline's own identity.

Exit codes: 0 good, 1 configuration, authentication or bad input, 2 transient after retries, 3 blocked by a gate, or
stopped because a value is not what was approved.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send report files as one run, and wait for the result
    Upload(Upload),
    /// List runs, newest first, or show one
    Runs(Runs),
    /// Compare two runs; without names, the newest with the one before it
    Diff(Diff),
    /// List, show or export findings
    #[command(subcommand)]
    Findings(Findings),
    /// Scan connected directories and see what came of it
    #[command(subcommand)]
    Scan(Scan),
    /// Plan, approve, apply and roll back changes to a directory
    #[command(subcommand)]
    Fixes(Fixes),
    /// List the shipped checks, and test one's own; needs no server
    #[command(subcommand)]
    Checks(Checks),
}

#[derive(Debug, Subcommand)]
pub enum Scan {
    /// Start a scan of a directory
    Start {
        /// The directory's id or name
        #[arg(long, value_name = "DIRECTORY")]
        directory: String,
        #[arg(long, value_parser = word::<ScanKind>, default_value = "compliance")]
        kind: ScanKind,
        /// Wait until it has ended
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        gate: Gate,
    },
    /// Follow a scan until it has ended
    Watch {
        scan: ScanId,
        #[command(flatten)]
        gate: Gate,
    },
    /// List scans, newest first
    List {
        #[arg(long)]
        directory: Option<DirectoryId>,
        #[arg(long, value_parser = word::<ScanKind>)]
        kind: Option<ScanKind>,
        #[arg(long, value_parser = word::<ScanState>)]
        state: Option<ScanState>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show one scan with its scores
    Show {
        scan: ScanId,
        /// List the checks that failed as well
        #[arg(long)]
        failed: bool,
        #[command(flatten)]
        gate: Gate,
    },
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Gate {
    /// Exit with 3 when the score is lower, or there is none; waits for the scan to end
    #[arg(long, value_name = "SCORE", value_parser = score)]
    pub fail_under: Option<f64>,
    /// Seconds to wait for the end
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub wait_timeout: u64,
}

#[derive(Debug, Subcommand)]
pub enum Checks {
    /// List the checks this version ships
    List {
        /// The product's folder in the catalogue, such as entra
        #[arg(long)]
        product: Option<String>,
        /// The framework's key, such as cis_m365
        #[arg(long)]
        framework: Option<String>,
    },
    /// List everything this version may write, each only as an approved fix
    Recipes,
    /// Run the cases of a check file, a folder of them, or a pack
    Test {
        /// A check's YAML file, a folder of such files, or a folder with a pack.yaml
        path: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct Upload {
    /// Report files of one run: a JSON report and its HTML belong together
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where the report comes from, such as "GitHub Actions"
    #[arg(long, value_name = "LABEL")]
    pub source: String,
    /// The project's name or id; a project key implies its own
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
    /// The pipeline's own id of its run: the same id with the same files is taken once
    #[arg(long, value_name = "ID")]
    pub pipeline_run_id: Option<String>,
    /// Return when the files have arrived, without waiting for the result
    #[arg(long)]
    pub no_wait: bool,
    /// Seconds to wait for the result
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub wait_timeout: u64,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Runs {
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    #[command(flatten)]
    pub list: RunsList,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List runs, newest first
    List(RunsList),
    /// Show one run
    Show { run: RunId },
}

#[derive(Debug, Args)]
pub struct RunsList {
    #[arg(long)]
    pub directory: Option<DirectoryId>,
    #[arg(long, value_name = "PROJECT_ID")]
    pub project: Option<ProjectId>,
    #[arg(long, value_parser = word::<Family>)]
    pub family: Option<Family>,
    #[arg(long, value_parser = word::<RunState>)]
    pub state: Option<RunState>,
    #[command(flatten)]
    pub page: PageArgs,
}

#[derive(Debug, Args)]
pub struct PageArgs {
    /// Go on where an earlier page ended
    #[arg(long)]
    pub cursor: Option<String>,
    /// 1 to 200; 50 unless told
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub limit: Option<u16>,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// The older run
    #[arg(long, value_name = "RUN")]
    pub from: Option<RunId>,
    /// The newer run
    #[arg(long, value_name = "RUN")]
    pub to: Option<RunId>,
    #[arg(long)]
    pub directory: Option<DirectoryId>,
    #[arg(long, value_parser = word::<Family>)]
    pub family: Option<Family>,
    #[arg(long)]
    pub series: Option<SeriesId>,
    #[arg(long, value_name = "PROJECT_ID")]
    pub project: Option<ProjectId>,
}

#[derive(Debug, Subcommand)]
pub enum Findings {
    /// List findings, worst first
    List {
        #[command(flatten)]
        filter: FindingFilter,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show one finding with its history
    Show { finding: FindingId },
    /// Write all findings that match, as JSON lines or CSV
    Export {
        #[command(flatten)]
        filter: FindingFilter,
        /// With --json, one JSON array is written instead
        #[arg(long, value_enum, conflicts_with = "json")]
        format: Option<ExportFormat>,
        /// Write here instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Csv,
}

#[derive(Debug, Args)]
pub struct FindingFilter {
    /// open unless told
    #[arg(long, value_parser = word::<FindingStatus>)]
    pub status: Option<FindingStatus>,
    #[arg(long, value_parser = word::<Severity>)]
    pub severity: Option<Severity>,
    #[arg(long, value_parser = word::<Family>)]
    pub family: Option<Family>,
    #[arg(long, value_parser = word::<Product>)]
    pub product: Option<Product>,
    #[arg(long)]
    pub directory: Option<DirectoryId>,
    #[arg(long, value_name = "PROJECT_ID")]
    pub project: Option<ProjectId>,
    /// Words in the check's id and title
    #[arg(long)]
    pub search: Option<String>,
    #[arg(long, value_parser = word::<FindingSort>)]
    pub sort: Option<FindingSort>,
}

/// 0 to 100.
fn score(text: &str) -> Result<f64, String> {
    let score: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    if (0.0..=100.0).contains(&score) { Ok(score) } else { Err("is not between 0 and 100".into()) }
}

/// One word of the contract's vocabulary; an unknown one is refused with the list of those there are.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.into())).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// A secret on a command line is readable by every process of the machine.
    #[test]
    fn no_option_takes_a_secret() {
        fn look(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                for word in ["token", "key", "secret", "password", "credential"] {
                    assert!(!name.contains(word), "{} --{name}", command.get_name());
                }
            }
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
    }

    #[test]
    fn an_unknown_word_is_refused_with_those_there_are() {
        assert_eq!(word::<FindingStatus>("closed").unwrap_err(), "unknown variant `closed`, expected `open` or `fixed`");
    }
}
