//! Microsoft's own Python clients: installed from the package index into `target/`, once, and run with their settings on
//! stdin.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses a part; helpers are not marked as tests

use bailiwick_sim::Sim;
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// An environment of `target/` and what is installed in it.
#[derive(Clone, Copy)]
pub struct Environment {
    pub name: &'static str,
    pub packages: &'static [&'static str],
}

impl Environment {
    /// The interpreter with the clients installed. Test processes wait for each other on a lock file.
    fn python(self) -> PathBuf {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        fs::create_dir_all(&target).unwrap();
        let lock = File::create(target.join(format!("{}.lock", self.name))).unwrap();
        lock.lock().unwrap();
        let folder = target.join(self.name);
        let (python, done) = (folder.join("bin/python"), folder.join("installed.txt"));
        let wanted = self.packages.join("\n");
        if fs::read_to_string(&done).is_ok_and(|text| text == wanted) {
            return python;
        }
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder).output().unwrap());
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        succeed(Command::new(&python).args(pip).args(self.packages).output().unwrap());
        fs::write(done, wanted).unwrap();
        python
    }

    /// Runs a script of `tests/clients`. The certificate bundle is set, never inherited: machines preset it.
    pub async fn run(self, sim: &Sim, script: &str, settings: Value) -> Value {
        let ca = tempfile::NamedTempFile::new().unwrap();
        fs::write(ca.path(), sim.ca_pem()).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
        let proxy = if settings["real_names"] == true { sim.proxy_url() } else { String::new() };
        let output = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(self.python());
            for name in ["HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "HTTPS_PROXY"] {
                command.env_remove(name);
            }
            if !proxy.is_empty() {
                command.env("HTTPS_PROXY", proxy).env("NO_PROXY", "localhost,127.0.0.1");
            }
            for name in ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"] {
                command.env(name, ca.path());
            }
            let mut child = command.arg(path).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(settings.to_string().as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        })
        .await
        .unwrap();
        serde_json::from_slice(&succeed(output)).unwrap()
    }
}

fn succeed(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.stdout
}
