//! The real `bailiwickd` as a process of its own, to be killed and started again.

use bailiwick_testkit::{sim, world};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The program under test: `BAILIWICKD`, or the one of this build's profile, built once if it is not current.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(named) = std::env::var_os("BAILIWICKD") {
            return named.into();
        }
        // target/<profile>/deps/faults-…
        let test = std::env::current_exe().unwrap();
        let folder = test.ancestors().nth(2).unwrap().to_owned();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "bailiwick-server", "--bin", "bailiwickd"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "bailiwickd cannot be built");
        folder.join("bailiwickd")
    })
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder that other users may pass, as PostgreSQL's account must.
pub fn open_folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("bailiwick-faults-").permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap()
}

/// A configuration with both tenants of the simulated cloud; `more` is put before its tables.
pub fn write_config(folder: &Path, port: u16, more: &str, tables: &str) -> PathBuf {
    let file = folder.join("bailiwick.toml");
    // Writes the simulator's authority beside it.
    let config = world::config(folder);
    let mut text = format!(
        "listen = \"127.0.0.1:{port}\"\npublic_url = \"http://localhost:{port}\"\ndata_folder = {data:?}\n{more}\n{tables}\n\
         [limits]\nopen_per_minute = 1000000\nread_per_minute = 1000000\nwrite_per_minute = 1000000\nupload_per_minute = 1000000\n\
         [entra]\ncloud = \"custom\"\nlogin = {url:?}\ngraph = {url:?}\narm = {url:?}\nvault_suffix = \"vault.localhost\"\nextra_ca_file = {ca:?}\n\
         private_ranges = [\"127.0.0.0/8\", \"::1/128\"]\n",
        data = folder.join("data"),
        url = sim().url(),
        ca = config.entra.extra_ca_file,
    );
    for tenant in &config.tenants {
        let owner = &tenant.owners[0];
        text.push_str(&format!(
            "[[tenants]]\nname = {:?}\ndirectory = \"{}\"\nclient_id = {:?}\naudiences = {:?}\nscope = {:?}\nunknown_directory = \"add\"\n\
             owners = [{{ object_id = \"{}\", name = {:?}, email = {:?} }}]\n",
            tenant.name, tenant.directory, tenant.client_id, tenant.audiences, tenant.scope, owner.object_id, owner.name, owner.email
        ));
    }
    fs::write(&file, text).unwrap();
    file
}

/// One `bailiwickd serve`, killed when dropped.
pub struct Daemon {
    pub url: String,
    pub data: PathBuf,
    pub log: PathBuf,
    config: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    /// Describes a process; [`Daemon::start`] starts it.
    pub fn new(config: PathBuf, port: u16, data: PathBuf) -> Self {
        let log = config.with_extension("log");
        Self { url: format!("http://127.0.0.1:{port}"), data, log, config, child: None }
    }

    pub fn start(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(program());
        command.arg("serve").arg("--config").arg(&self.config).env_remove("DATABASE_URL").env("BAILIWICK_LOG", "info");
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Waits until it answers that it is ready; how long that took.
    pub async fn ready(&mut self, within: Duration) -> Duration {
        let begun = Instant::now();
        let anybody = bailiwick_testkit::Actor::new("anybody", &self.url, bailiwick_testkit::actor::Credential::None);
        loop {
            let request = anybody.request(reqwest::Method::GET, "/readyz").timeout(Duration::from_secs(2));
            if anybody.try_send(request).await.is_ok_and(|answer| answer.status == 200) {
                return begun.elapsed();
            }
            if let Some(status) = self.ended() {
                panic!("bailiwickd ended with {status}:\n{}", self.last_words());
            }
            assert!(begun.elapsed() < within, "bailiwickd is not ready after {within:?}:\n{}", self.last_words());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().unwrap())
    }

    /// Waits for a process that is expected to refuse to start.
    pub async fn end(&mut self, within: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                self.child = None;
                return status;
            }
            assert!(begun.elapsed() < within, "bailiwickd still runs after {within:?}:\n{}", self.last_words());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and its orderly end.
    pub async fn stop(&mut self) -> ExitStatus {
        let pid = self.child.as_ref().unwrap().id();
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM).unwrap();
        self.end(Duration::from_secs(40)).await
    }

    /// The postmaster of its private PostgreSQL, while there is one.
    pub fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data.join("postgres/cluster/postmaster.pid")).ok()?;
        let pid: i32 = text.lines().next()?.trim().parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name.trim() == "postgres").then_some(Pid::from_raw(pid))
    }

    /// Everything it has said.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn last_words(&self) -> String {
        let said = self.said();
        said.lines().rev().take(15).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        // The watchdog ends the private PostgreSQL in order, which takes a moment; its folder goes with the test.
        if let Some(pid) = self.postmaster() {
            let _ = kill(pid, Signal::SIGKILL);
            let _ = writeln!(std::io::stderr(), "ended the private PostgreSQL of {}", self.data.display());
        }
    }
}
