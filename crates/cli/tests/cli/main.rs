//! The real binary against a server that speaks the contract's shapes and fails on request. Nothing here sleeps: the command's own
//! pauses are cut to a millisecond by `BAILIWICK_RETRY_BASE_MS`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod checks;
mod credentials;
mod fake;
mod fixes;
mod reading;
mod recipes_page;
mod scans;
mod tls;
mod upload;

use std::path::{Path, PathBuf};

/// An API key no message may repeat.
pub const KEY: &str = "bwk_canary0123456789";

/// What one run of the command left behind.
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }
}

/// The command with nothing of this machine's environment but what is named here.
pub struct Bailiwick(tokio::process::Command);

impl Bailiwick {
    /// Aimed at `url`, holding [`KEY`].
    pub fn at(url: &str) -> Self {
        Self::bare().env("BAILIWICK_URL", url).env("BAILIWICK_TOKEN", KEY)
    }
    pub fn bare() -> Self {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.env_clear().env("BAILIWICK_RETRY_BASE_MS", "1").kill_on_drop(true);
        Self(command)
    }
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }
    pub fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }
    pub async fn run<S: AsRef<std::ffi::OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Output {
        let done = self.0.args(arguments).stdin(std::process::Stdio::null()).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let output = Output { code: done.status.code().unwrap(), stdout: text(done.stdout), stderr: text(done.stderr) };
        assert!(
            !output.stdout.contains("canary") && !output.stderr.contains("canary"),
            "a secret was printed: {}{}",
            output.stdout,
            output.stderr
        );
        output
    }
}

/// A folder of report files.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn temporary() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

#[tokio::test]
async fn a_wrong_command_line_is_bad_input() {
    assert_eq!(Bailiwick::bare().run(["upload"]).await.code, 1);
    assert_eq!(Bailiwick::bare().run(["upload", "x", "--source", "s", "--token", "t"]).await.code, 1);
    assert_eq!(Bailiwick::bare().run(["--help"]).await.code, 0);
    let version = Bailiwick::bare().run(["--version"]).await;
    assert_eq!((version.code, version.stdout), (0, format!("bailiwick {}\n", env!("CARGO_PKG_VERSION"))));
}
