//! The real `bailiwickd`, with a configuration that points it at the simulated cloud.

use crate::Arguments;
use crate::mail::Sink;
use anyhow::{Context, bail};
use bailiwick_sim::Sim;
use bailiwick_sim::demo::{API_CLIENT_ID, API_URI, ORGS, PORTAL_CLIENT_ID, READER_CLIENT_ID, WRITER_CLIENT_ID};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use uuid::Uuid;

pub struct Daemon {
    child: Child,
    pub log: PathBuf,
}

/// Starts it and waits until it answers.
pub async fn start(arguments: &Arguments, sim: &Sim, mail: &Sink, ca: &Path, data: &Path, url: &str) -> anyhow::Result<Daemon> {
    let file = arguments.folder.join("bailiwickd.toml");
    let mut text = configuration(arguments, sim, ca, data, url);
    let _ = write!(
        text,
        "\n[mail]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain_loopback\"\nfrom = \"bailiwick@demo.example\"\n\n[notifications]\nprivate_ranges = [\"127.0.0.0/8\", \"::1/128\"]\n",
        mail.port
    );
    for (name, client) in [("reader", READER_CLIENT_ID), ("writer", WRITER_CLIENT_ID)] {
        let certificate = certificate(arguments, sim, name, client)?;
        let _ = write!(text, "\n[microsoft.{name}]\nclient_id = \"{client}\"\ncertificate_file = {certificate:?}\n");
    }
    std::fs::write(&file, text)?;
    let log = arguments.folder.join("bailiwickd.log");
    let output = std::fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let child = Command::new(arguments.programs.join("bailiwickd"))
        .args(["serve", "--config"])
        .arg(&file)
        .env_remove("DATABASE_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .kill_on_drop(true)
        .spawn()
        .context("cannot start bailiwickd")?;
    let mut daemon = Daemon { child, log };
    daemon.wait_until_ready(url).await?;
    Ok(daemon)
}

/// Key and certificate of an application that is consented to, which the simulated Microsoft makes anew at each start.
fn certificate(arguments: &Arguments, sim: &Sim, name: &str, client: Uuid) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = sim.client_certificate(client)?;
    let file = arguments.folder.join(format!("{name}.pem"));
    let mut open = std::fs::OpenOptions::new();
    let mut written = open.write(true).create(true).truncate(true).mode(0o600).open(&file)?;
    std::io::Write::write_all(&mut written, format!("{}{}", made.private_key_pem, made.certificate_pem).as_bytes())?;
    Ok(file)
}

fn configuration(arguments: &Arguments, sim: &Sim, ca: &Path, data: &Path, url: &str) -> String {
    let mut text = format!(
        "listen = \"127.0.0.1:{}\"\npublic_url = \"{url}\"\ndata_folder = {data:?}\nportal_folder = {:?}\n\n[entra]\ncloud = \"custom\"\nlogin = \"{sim}\"\ngraph = \"{sim}\"\narm = \"{sim}\"\nvault_suffix = \"vault.localhost\"\nextra_ca_file = {ca:?}\nprivate_ranges = [\"127.0.0.0/8\", \"::1/128\"]\n\n[scanner]\ndns_servers = [\"{dns}\"]\n",
        arguments.port,
        arguments.portal,
        sim = sim.url(),
        dns = sim.dns_address(),
    );
    for (index, org) in ORGS.iter().enumerate() {
        // The first tenant takes reports about any directory, the second only about those it lists.
        let unknown = if index == 0 { "add" } else { "refuse" };
        let _ = write!(
            text,
            "\n[[tenants]]\nname = {name:?}\ndirectory = \"{}\"\nclient_id = \"{PORTAL_CLIENT_ID}\"\nlabel = {name:?}\naudiences = [\"{API_CLIENT_ID}\", \"{API_URI}\"]\nscope = \"{API_URI}/access_as_user\"\nunknown_directory = \"{unknown}\"\nowners = [{{ object_id = \"{}\", name = \"{}\", email = {:?} }}]\n",
            org.directory,
            org.owner,
            crate::seed::name_of(org, "owner"),
            org.upn("owner"),
            name = org.name,
        );
    }
    text
}

impl Daemon {
    async fn wait_until_ready(&mut self, url: &str) -> anyhow::Result<()> {
        let asker = bailiwick_testkit::Actor::new("demo", url, bailiwick_testkit::actor::Credential::None);
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!("bailiwickd ended with {status}:\n{log}");
            }
            let answer = asker.try_send(asker.request(reqwest::Method::GET, "/readyz")).await;
            if answer.is_ok_and(|a| a.status == 200) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("bailiwickd did not become ready within a minute; its log is {}", self.log.display())
    }

    /// Waits for it to end by itself.
    pub async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Asks it to stop, and waits.
    pub async fn stop(&mut self) {
        if let Some(pid) = self.child.id() {
            // The standard library sends no signal but SIGKILL, and its database wants to end in order.
            let _ = Command::new("kill").arg(pid.to_string()).status().await;
        }
        let _ = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
    }
}
