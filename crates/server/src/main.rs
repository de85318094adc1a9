//! `bailiwickd`: serves the API and the portal, and works its jobs.

use anyhow::Context;
use bailiwick_base::{DirectoryId, SystemClock, SystemRng};
use bailiwick_server::config::{Config, DEFAULT};
use bailiwick_server::runtime::{self, Role};
use bailiwick_server::tenants;
use bailiwick_store::keyring::KeyEncryptionKey;
use clap::{Parser, Subcommand, ValueEnum};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(name = "bailiwickd", version, about = "Keeps the security evidence of organisations on the Microsoft cloud.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the API and the portal and works the jobs, until it is told to stop.
    Serve {
        /// A configuration file; see `bailiwickd config` for every setting.
        #[arg(long, env = "BAILIWICK_CONFIG")]
        config: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "both")]
        role: RoleArgument,
    },
    /// Prints the commented default configuration.
    Config,
    /// Tells and changes what the operator decides about tenants.
    Tenants {
        #[command(subcommand)]
        command: Tenants,
    },
    /// Makes keys.
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
}

#[derive(Subcommand)]
enum Tenants {
    /// Lists tenants with the directories they sign in with.
    List {
        /// The configuration file of the environment. With a private database, stop the server first.
        #[arg(long, env = "BAILIWICK_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Gives a tenant what it has beside the basics: fixes, containment. With no name it has neither; --default: what the environment gives.
    Entitle {
        #[arg(long, env = "BAILIWICK_CONFIG")]
        config: Option<PathBuf>,
        /// The directory the tenant signs in with.
        #[arg(long)]
        directory: DirectoryId,
        #[arg(long, conflicts_with = "names")]
        default: bool,
        names: Vec<String>,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// Writes a new key-encryption key to a file that does not exist yet.
    Generate { file: PathBuf },
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArgument {
    Both,
    Api,
    Worker,
}

fn main() -> ExitCode {
    give_memory_back();
    // Colours are for people; a log file holds words.
    let format = tracing_subscriber::fmt().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).with_env_filter(
        tracing_subscriber::EnvFilter::try_from_env("BAILIWICK_LOG").unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
    );
    format.init();
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "bailiwickd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Lets the C library's allocator return what an import needed: two arenas instead of eight a processor, and a threshold for returning
/// memory that does not grow with use. Measured after a million results, 44 MiB stay otherwise, twice what an idle process holds. The
/// allocator reads both before `main`, so the process replaces itself once, under the same id; other C libraries take no notice.
fn give_memory_back() {
    const SETTINGS: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "2"), ("MALLOC_TRIM_THRESHOLD_", "131072")];
    if SETTINGS.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
        return;
    }
    if let Ok(own) = std::env::current_exe() {
        use std::os::unix::process::CommandExt;
        // Comes back only when it failed; then the process goes on as it is.
        let _ = std::process::Command::new(own).args(std::env::args_os().skip(1)).envs(SETTINGS).exec();
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Config => std::io::stdout().write_all(DEFAULT.as_bytes()).context("cannot print"),
        Command::Keys { command: Keys::Generate { file } } => {
            let key = KeyEncryptionKey::generate(&file, &SystemRng)?;
            writeln!(
                std::io::stdout(),
                "{} holds key {}. Keep a copy apart: without it nothing sealed can be opened.",
                file.display(),
                key.id()
            )
            .context("cannot print")
        }
        Command::Tenants { command } => console(command),
        Command::Serve { config, role } => {
            let config = Config::load(config.as_deref())?;
            let role = match role {
                RoleArgument::Both => Role::Both,
                RoleArgument::Api => Role::Api,
                RoleArgument::Worker => Role::Worker,
            };
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
            runtime.block_on(serve(config, role))
        }
    }
}

/// What the operator does about tenants.
fn console(command: Tenants) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let (clock, rng) = (Arc::new(SystemClock), Arc::new(SystemRng));
    let said = match command {
        Tenants::List { config } => {
            let config = Config::load(config.as_deref())?;
            let tenants = runtime.block_on(runtime::at_console(&config, clock, rng, async |store| Ok(store.tenants().await?)))?;
            tenants.iter().map(|tenant| format!("{}  {}\n", tenant.directory, tenant.name)).collect()
        }
        Tenants::Entitle { config, directory, default, names } => {
            let config = Config::load(config.as_deref())?;
            let given = (!default).then_some(names);
            let shown = given.as_ref().map_or("what the environment gives".to_owned(), |names| match names.as_slice() {
                [] => "nothing beside the basics".to_owned(),
                names => names.join(", "),
            });
            let work = runtime::at_console(&config, clock, rng, async |store| tenants::entitle(store, directory, given).await);
            format!("{} has {shown}.\n", runtime.block_on(work)?)
        }
    };
    std::io::stdout().write_all(said.as_bytes()).context("cannot print")
}

async fn serve(config: Config, role: Role) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let running = tokio::select! {
        running = runtime::start(&config, role, None, Arc::new(SystemClock), Arc::new(SystemRng)) => running?,
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    tracing::info!(address = %running.address, portal = config.public_url, "ready");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}
