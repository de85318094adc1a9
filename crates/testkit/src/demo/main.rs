//! The demo behind `cargo xtask demo`: a simulated Microsoft cloud, the real `bailiwickd` with its private PostgreSQL, two tenants, and
//! three days of reports submitted with the real command line, three directories connected and scanned, and one fix carried out and
//! taken back. Everything it keeps is in one folder, and stays there.

mod cli;
mod daemon;
mod fixes;
mod mail;
mod notify;
mod scans;
mod seed;
mod submit;

use anyhow::Context;
use bailiwick_sim::{Sim, SimConfig};
use clap::Parser;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
struct Arguments {
    /// Stops after the main job.
    #[arg(long)]
    once: bool,
    /// Where the portal and the API answer.
    #[arg(long, default_value_t = 8480)]
    port: u16,
    /// The folder of demo.json and everything the demo writes for people.
    #[arg(long)]
    folder: PathBuf,
    /// Where the built programs are.
    #[arg(long)]
    programs: PathBuf,
    /// The portal's built files.
    #[arg(long)]
    portal: PathBuf,
}

/// Prints for the person who started the demo.
fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    std::fs::create_dir_all(&arguments.folder).context("cannot make the demo's folder")?;
    let url = format!("http://localhost:{}", arguments.port);
    let redirects = [format!("{url}/"), format!("{url}/redirect.html")];
    let redirects: Vec<&str> = redirects.iter().map(String::as_str).collect();
    let sim = Sim::start(SimConfig { ca_folder: Some(arguments.folder.join("ca")), ..SimConfig::demo(&redirects) }).await?;
    let ca = arguments.folder.join("sim-ca.pem");
    std::fs::write(&ca, sim.ca_pem())?;
    let data = data_folder(&arguments.folder)?;
    let mail = mail::Sink::start(&arguments.folder.join("mail")).await?;
    let mut daemon = daemon::start(&arguments, &sim, &mail, &ca, &data, &url).await?;
    let outcome = tell(&arguments, &sim, &mail, &ca, &data, &url).await;
    if outcome.is_ok() && !arguments.once {
        say("\nRunning until you press Ctrl+C. What you make stays for the next start.");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            ended = daemon.ended() => anyhow::bail!("bailiwickd ended by itself ({ended}); its log is {}", daemon.log.display()),
        }
    }
    daemon.stop().await;
    outcome.with_context(|| format!("bailiwickd's log is {}", daemon.log.display()))
}

/// Seeds, submits, and says what came of it.
async fn tell(arguments: &Arguments, sim: &Sim, mail: &mail::Sink, ca: &Path, data: &Path, url: &str) -> anyhow::Result<()> {
    let file = arguments.folder.join("demo.json");
    let tenants = seed::tenants(sim, url, &file).await?;
    let scanning = tenants.first().context("there is no tenant")?;
    let told = notify::set_up(scanning).await?;
    for tenant in &tenants {
        submit::reports(arguments, tenant, url).await?;
    }
    let connected = scans::connect(sim, scanning).await?;
    scans::compliance(scanning, &connected).await?;
    let story = fixes::Story::begin(arguments, sim, scanning, url).await?;
    let applied = story.apply().await?;
    scans::exposure(scanning, &connected).await?;
    story.end(&applied).await?;
    told.tell(scanning, mail).await?;
    let document = json!({
        "ready": true,
        "portal": url,
        "api": url,
        "ca_file": ca,
        "database_url": format!("postgres://bailiwick_superuser@localhost/bailiwick?host={}", data.join("postgres/socket").display()),
        "tenants": tenants.iter().map(seed::Tenant::document).collect::<Vec<_>>(),
        "mail_folder": mail.folder,
        "sim": sim.describe(),
    });
    write_whole(&file, format!("{document:#}\n").as_bytes())?;
    say("\nWhat the demo saw");
    for tenant in &tenants {
        submit::summary(tenant).await?;
    }
    say(format!("\nOpen        {url}"));
    say(format!(
        "            Microsoft is simulated at {}: open it once and accept its certificate, or trust {}.",
        sim.url(),
        ca.display()
    ));
    say("            Then sign in as any of these, without a password:");
    for tenant in &tenants {
        say(format!("            {:<9} {}", tenant.org.name, tenant.people().join(", ")));
    }
    say(format!("Everything  {}", file.display()));
    Ok(())
}

/// A file appears whole or not at all: others wait for it.
fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let beside = file.with_extension("json.new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, file).with_context(|| format!("cannot write {}", file.display()))
}

/// Where bailiwickd keeps its data. As root, its PostgreSQL runs as another user, who may not be able to reach the project's folder.
fn data_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder.canonicalize()?;
    let passable = |path: &Path| path.metadata().is_ok_and(|m| m.permissions().mode() & 0o001 != 0);
    if folder.ancestors().all(passable) {
        return Ok(folder.join("data"));
    }
    let name = bailiwick_testkit::actor::sha256(folder.display().to_string().as_bytes());
    Ok(PathBuf::from("/var/tmp").join(format!("bailiwick-demo-{}", &name[..12])))
}
