//! `bailiwick`: sends security reports to Bailiwick from any machine or pipeline, reads what became of them, and carries people's
//! decisions about fixes.
//!
//! Holds no state. Results go to standard output, everything else to standard error; no secret is taken from the command line or
//! written anywhere. Exit codes: see [`failure`].

mod args;
mod checks;
mod client;
mod console;
mod credential;
mod diff;
mod environment;
mod export;
mod failure;
mod files;
mod findings;
mod fixes;
mod retry;
mod runs;
mod scans;
mod upload;
mod wait;

use args::{Cli, Command, Findings};
use bailiwick_base::{SystemClock, SystemRng};
use clap::Parser;
use client::Client;
use console::Console;
use failure::Failure;
use retry::{Retrier, RetryPolicy};
use std::{path::Path, process::ExitCode, rc::Rc};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => {
            // Help and version are answers; anything else is bad input, which is 1 here where clap says 2.
            let code = u8::from(refusal.use_stderr());
            let _ = refusal.print();
            return ExitCode::from(code);
        }
    };
    let console = Rc::new(Console::new(cli.json, cli.verbose));
    match run(cli, &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console.error(&failure);
            failure.exit_code()
        }
    }
}

fn run(cli: Cli, console: &Rc<Console>) -> Result<(), Failure> {
    if let Command::Checks(arguments) = &cli.command {
        return checks::run(console, arguments);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::transient(format!("The command cannot start: {e}.")))?;
    // Files are looked at before anything is asked of anyone: what is wrong with them needs no network to say.
    let files = match &cli.command {
        Command::Upload(upload) => files::check(&upload.files)?,
        _ => Vec::new(),
    };
    let client = anonymous(&cli, console)?;
    runtime.block_on(async {
        let client = client.sign_in().await?;
        match cli.command {
            Command::Upload(arguments) => upload::run(&client, arguments, files).await,
            Command::Runs(arguments) => runs::run(&client, arguments).await,
            Command::Diff(arguments) => diff::run(&client, arguments).await,
            Command::Findings(Findings::List { filter, page }) => findings::list(&client, filter, page).await,
            Command::Findings(Findings::Show { finding }) => findings::show(&client, finding).await,
            Command::Findings(Findings::Export { filter, format, output }) => export::run(&client, filter, format, output.as_deref()).await,
            Command::Scan(arguments) => scans::run(&client, arguments).await,
            Command::Fixes(arguments) => fixes::run(&client, arguments).await,
            Command::Checks(arguments) => checks::run(client.wire.console(), &arguments),
        }
    })
}

fn anonymous(cli: &Cli, console: &Rc<Console>) -> Result<Client, Failure> {
    let url = cli.url.as_deref().filter(|url| !url.trim().is_empty()).ok_or_else(|| {
        Failure::input("Bailiwick's address is not known.").hint("Set BAILIWICK_URL, or give --url, such as https://bailiwick.example.com.")
    })?;
    let base = client::http::address(url, "BAILIWICK_URL (or --url)")?;
    let ca_file = cli.ca_file.as_deref().filter(|path| !path.is_empty()).map(Path::new);
    let http = client::http::client(&base, ca_file)?;
    let retrier = Retrier {
        policy: RetryPolicy::from_environment()?,
        clock: Rc::new(SystemClock),
        rng: Rc::new(SystemRng),
        console: console.clone(),
    };
    Ok(Client::anonymous(client::wire::Wire { http, retrier }, base))
}
