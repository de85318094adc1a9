//! The stage all measures play on: the program, the simulated cloud that signs its callers in, and homes for daemons.

use crate::api::Caller;
use crate::daemon::{Home, free_port};
use anyhow::Context;
use bailiwick_sim::demo::{API_CLIENT_ID, API_URI, CONTOSO, FABRIKAM, Org, PORTAL_CLIENT_ID, TAILSPIN, many};
use bailiwick_sim::{Sim, SimConfig};
use std::fmt::Write;
use std::path::PathBuf;

/// The tenant whose reports come over HTTP.
pub const SUBJECT: Org = CONTOSO;
/// The tenant into which the same rows are put by bare SQL.
pub const BARE: Org = FABRIKAM;

/// Connections to the mail server at once: what production has unless told.
pub const MAIL_CONNECTIONS: usize = 8;

pub struct Stage {
    pub program: PathBuf,
    pub quick: bool,
    sim: Sim,
}

fn directories(quick: bool) -> u32 {
    if quick { 20 } else { 1_000 }
}

impl Stage {
    /// # Errors
    /// The simulated cloud does not start.
    pub async fn new(program: PathBuf, quick: bool) -> anyhow::Result<Self> {
        let mut config = SimConfig::demo(&["http://localhost:8480/"]);
        config.directories.extend(many(&TAILSPIN, directories(quick)));
        let sim = Sim::start(config).await.context("cannot start the simulated cloud")?;
        Ok(Self { program, quick, sim })
    }

    /// How many directories there are to be scanned beside the scenario's own.
    pub fn directories(&self) -> u32 {
        directories(self.quick)
    }

    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// A new, empty home with the production configuration; only the rates of requests are raised, since a bench is one caller.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn home(&self) -> anyhow::Result<Home> {
        self.make_home("", "")
    }

    /// The same with a mail server on this machine. Links in mails lead to a portal by https, as in production.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn home_with_mail(&self, port: u16) -> anyhow::Result<Home> {
        let mail = format!(
            "[mail]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"plain_loopback\"\nfrom = \"bailiwick@example.com\"\nconnections = {MAIL_CONNECTIONS}\n"
        );
        self.make_home("public_url = \"https://bailiwick.example.com\"\n", &mail)
    }

    fn make_home(&self, first: &str, more: &str) -> anyhow::Result<Home> {
        use std::os::unix::fs::PermissionsExt;
        // PostgreSQL runs as another user when the bench runs as root, and must be able to pass.
        let open = std::fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("bailiwick-bench-").permissions(open).tempdir().context("cannot make a folder")?;
        let port = free_port()?;
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, self.sim.ca_pem())?;
        let config = folder.path().join("bailiwick.toml");
        std::fs::write(&config, format!("{first}{}{more}", self.configuration(port, &folder.path().join("data"), &ca)))?;
        Ok(Home { folder, config, port })
    }

    fn configuration(&self, port: u16, data: &std::path::Path, ca: &std::path::Path) -> String {
        let sim = self.sim.url();
        let mut text = format!(
            "listen = \"127.0.0.1:{port}\"\ndata_folder = {data:?}\n\
             [entra]\ncloud = \"custom\"\nlogin = {sim:?}\ngraph = {sim:?}\narm = {sim:?}\nvault_suffix = \"vault.localhost\"\n\
             extra_ca_file = {ca:?}\nprivate_ranges = [\"127.0.0.0/8\", \"::1/128\"]\n\
             [scanner]\nat_once = 40\ndns_servers = [\"{dns}\"]\n\
             [limits]\nread_per_minute = 1000000\nwrite_per_minute = 1000000\nupload_per_minute = 1000000\n",
            dns = self.sim.dns_address()
        );
        for org in [SUBJECT, BARE] {
            let _ = write!(
                text,
                "[[tenants]]\nname = {:?}\ndirectory = \"{}\"\nclient_id = \"{PORTAL_CLIENT_ID}\"\nlabel = {:?}\n\
                 audiences = [\"{API_CLIENT_ID}\", {API_URI:?}]\nscope = \"{API_URI}/access_as_user\"\n\
                 owners = [{{ object_id = \"{}\", name = \"Owner\", email = \"owner@example.com\" }}]\n",
                org.name, org.directory, org.name, org.owner
            );
        }
        text
    }

    /// The subject's owner, signed in.
    ///
    /// # Errors
    /// The simulated cloud refuses.
    pub fn owner(&self, home: &Home) -> anyhow::Result<Caller> {
        self.owner_of(home, &SUBJECT)
    }

    /// The owner of another tenant, signed in.
    ///
    /// # Errors
    /// The simulated cloud refuses.
    pub fn owner_of(&self, home: &Home, org: &Org) -> anyhow::Result<Caller> {
        Caller::person(home.url(), self.sim.user_token(org.directory, org.owner)?)
    }
}
