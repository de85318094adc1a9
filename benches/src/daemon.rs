//! `bailiwickd` as a process of its own: started, asked, stopped, killed, and weighed.

use anyhow::{Context, bail};
use bailiwick_store::PgConnectOptions;
use bailiwick_store::private_postgres::SUPERUSER;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::ConnectOptions;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Where one daemon lives between its starts.
pub struct Home {
    pub folder: tempfile::TempDir,
    pub config: PathBuf,
    pub port: u16,
}

/// A port of loopback that nobody listens on.
///
/// # Errors
/// None is left.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?.local_addr()?.port())
}

impl Home {
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The private PostgreSQL's log folder.
    pub fn postgres_log(&self) -> PathBuf {
        self.data().join("postgres").join("cluster").join("log")
    }

    /// How a role reaches the private PostgreSQL.
    pub fn postgres(&self, role: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("localhost")
            .socket(self.data().join("postgres").join("socket"))
            .username(role)
            .database("bailiwick")
            .options([("search_path", "bailiwick")])
            .disable_statement_logging()
    }

    /// A connection that sees everything, to look and to load.
    ///
    /// # Errors
    /// The private PostgreSQL does not answer.
    pub async fn admin(&self) -> anyhow::Result<sqlx::PgConnection> {
        self.postgres(SUPERUSER).connect().await.context("cannot look into the private PostgreSQL")
    }

    /// Bytes of the artifacts as they are stored.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn artifact_bytes(&self) -> anyhow::Result<u64> {
        let folder = self.data().join("artifacts");
        if folder.is_dir() { bytes_below(&folder) } else { Ok(0) }
    }
}

fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() { bytes_below(&entry.path())? } else { meta.len() };
    }
    Ok(sum)
}

/// A running daemon.
pub struct Daemon {
    child: Child,
    pid: i32,
    /// From the start of the process to the first good answer of /readyz.
    pub ready: Duration,
}

/// How long a start may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(60);

impl Daemon {
    /// Starts the program and waits until it is ready.
    ///
    /// # Errors
    /// It ends instead, or takes too long; its last words are in the error.
    pub async fn start(program: &Path, home: &Home, database_url: Option<&str>) -> anyhow::Result<Self> {
        let log = home.folder.path().join("bailiwickd.log");
        let words = std::fs::OpenOptions::new().create(true).append(true).open(&log).context("cannot write the daemon's log")?;
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(&home.config).env("BAILIWICK_LOG", "warn").env_remove("DATABASE_URL");
        if let Some(url) = database_url {
            command.env("DATABASE_URL", url);
        }
        let start = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(words)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start bailiwickd")?;
        let pid = i32::try_from(child.id().context("bailiwickd has no process id")?)?;
        let url = format!("{}/readyz", home.url());
        let client = crate::api::client()?;
        loop {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(Self { child, pid, ready: start.elapsed() });
            }
            let ended = child.try_wait()?;
            if ended.is_some() || start.elapsed() > PATIENCE {
                let words = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("bailiwickd is not ready ({ended:?}): {}", words.lines().last().unwrap_or("it said nothing"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops it in order and waits for its end.
    ///
    /// # Errors
    /// It does not end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::SIGTERM)?;
        tokio::time::timeout(PATIENCE, self.child.wait()).await.context("bailiwickd does not stop")??;
        Ok(())
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// It was gone already.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.child.wait().await?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill(Pid::from_raw(self.pid), signal).context("bailiwickd is gone")
    }

    /// A line of /proc/PID/status in MiB: `VmRSS` is what it holds now, `VmHWM` the most since the last [`Daemon::forget_peak`].
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn memory(&self, line: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).context("cannot read the daemon's status")?;
        let value = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'));
        let kib: f64 =
            value.and_then(|v| v.trim().strip_suffix("kB")).context("the kernel does not tell the daemon's memory")?.trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// The most that the scanner which runs now has held, in MiB; `None` where none runs.
    pub fn scanner_memory(&self) -> Option<f64> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid)).ok()?.flatten();
        let children = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
        let ids: Vec<String> = children.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
        let scanner =
            |id: &&String| std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.starts_with("bailiwick-scan"));
        let status = std::fs::read_to_string(format!("/proc/{}/status", ids.iter().find(scanner)?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
    }

    /// Processor time of the daemon and of the children it has buried, PostgreSQL not among them while it runs.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn processor_time(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).context("cannot read the daemon's statistics")?;
        // proc(5): after the name in brackets, user, system, and both of waited-for children are the fields 14 to 17.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>()).unwrap_or_default();
        let ticks: u64 =
            fields.get(11..15).context("the daemon's statistics are cut off")?.iter().filter_map(|f| f.parse::<u64>().ok()).sum();
        // Linux counts these in hundredths of a second on every architecture it tells them to programs (USER_HZ).
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Begins the peak anew (proc(5), clear_refs, value 5).
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn forget_peak(&self) -> anyhow::Result<()> {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid), "5").context("cannot begin the daemon's memory peak anew")
    }
}
