//! A PostgreSQL of the operator's own, over TCP with passwords: one database, several processes, one key-encryption key.

use crate::daemon::{Daemon, free_port, open_folder, program, write_config};
use crate::reports::{hit, sarif};
use bailiwick_sim::demo::{CONTOSO, Org};
use bailiwick_store::PgConnectOptions;
use bailiwick_testkit::actor::Credential;
use bailiwick_testkit::{Actor, sim};
use nix::unistd::User;
use serde_json::json;
use sqlx::{ConnectOptions, Connection};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PASSWORD: &str = "the-operators-own-word-4711";
const READY: Duration = Duration::from_secs(60);

/// A throwaway PostgreSQL as an operator would set it up: TCP on loopback, SCRAM for everybody.
struct Postgres {
    child: Child,
    port: u16,
}

fn programs() -> PathBuf {
    if let Some(named) = std::env::var_os("BAILIWICK_TEST_PROGRAMS") {
        return named.into();
    }
    let mut found: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin")).collect();
    found.sort();
    found.pop().expect("PostgreSQL is installed")
}

/// Runs a program of PostgreSQL's as a user it agrees to run as.
fn command(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(programs().join(name));
    command.current_dir(folder).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if nix::unistd::geteuid().is_root() {
        let user = User::from_name("postgres").unwrap().expect("the user postgres");
        chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

impl Postgres {
    async fn start(folder: &Path) -> Self {
        std::fs::create_dir(folder).unwrap();
        let word = folder.join("word");
        std::fs::write(&word, PASSWORD).unwrap();
        std::fs::set_permissions(&word, std::fs::Permissions::from_mode(0o644)).unwrap();
        let cluster = folder.join("cluster");
        let made = command("initdb", folder)
            .arg("-D")
            .arg(&cluster)
            .args(["-U", "operator", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--pwfile"])
            .arg(&word)
            .status();
        assert!(made.unwrap().success(), "initdb");
        let port = free_port();
        let child = command("postgres", folder)
            .arg("-D")
            .arg(&cluster)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F", "-c", "unix_socket_directories="])
            .spawn()
            .unwrap();
        let postgres = Self { child, port };
        let begun = Instant::now();
        loop {
            if let Ok(mut sql) = postgres.options("operator", PASSWORD).database("postgres").connect().await {
                sqlx::raw_sql("CREATE DATABASE evidence").execute(&mut sql).await.unwrap();
                sql.close().await.unwrap();
                return postgres;
            }
            assert!(begun.elapsed() < READY, "PostgreSQL does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn options(&self, user: &str, password: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(user)
            .password(password)
            .database("evidence")
            .disable_statement_logging()
    }

    fn url(&self) -> String {
        format!("postgres://operator:{PASSWORD}@127.0.0.1:{}/evidence", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Immediate shutdown: its children end with it.
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGQUIT);
        let _ = self.child.wait();
    }
}

fn secret_file(path: PathBuf, text: &str) -> PathBuf {
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn generate(file: &Path) {
    let status = Command::new(program()).args(["keys", "generate"]).arg(file).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
}

/// One process of the environment; each has a folder of its own, and all share the artifacts.
fn process(folder: &Path, name: &str, url_file: &Path, kek_file: &Path) -> Daemon {
    let own = folder.join(name);
    std::fs::create_dir(&own).unwrap();
    let port = free_port();
    let tables = format!(
        "[database]\nurl_file = {url_file:?}\n[keys]\nkek_file = {kek_file:?}\n[artifacts]\nurl = {:?}\n",
        folder.join("artifacts").display().to_string()
    );
    Daemon::new(write_config(&own, port, "", &tables), port, own.join("data"))
}

fn pipeline(org: Org, url: &str) -> Actor {
    Actor::new("pipeline", url, Credential::Bearer(sim().app_token(org.directory, org.pipeline).unwrap()))
}

fn owner(org: Org, url: &str) -> Actor {
    Actor::new("owner", url, Credential::Bearer(sim().user_token(org.directory, org.owner).unwrap()))
}

#[tokio::test]
async fn two_processes_share_an_operators_database_and_a_third_with_another_key_is_refused() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = open_folder();
    let postgres = Postgres::start(&folder.path().join("server")).await;
    let url_file = secret_file(folder.path().join("url"), &postgres.url());
    let (kek, other_kek) = (folder.path().join("kek"), folder.path().join("other-kek"));
    generate(&kek);
    generate(&other_kek);
    let mut one = process(folder.path(), "one", &url_file, &kek);
    let mut two = process(folder.path(), "two", &url_file, &kek);
    // Both at once, on an empty database: one migrates, the other waits for it.
    one.start();
    two.start();
    let times = (one.ready(READY).await, two.ready(READY).await);

    let mut sql = postgres.options("operator", PASSWORD).connect().await.unwrap();
    let password = async |sql: &mut sqlx::PgConnection| -> String {
        sqlx::query_scalar("SELECT rolpassword FROM pg_authid WHERE rolname = 'bailiwick_login'").fetch_one(sql).await.unwrap()
    };
    let verifier = password(&mut sql).await;
    assert!(verifier.starts_with("SCRAM-SHA-256$"), "{verifier}");

    // Sent to one, seen through the other.
    let bytes = sarif("Scanner", true, &[hit("R1", "a.c", 3)]);
    let run = pipeline(CONTOSO, &one.url).submit(json!({"source": "ci"}), &[("scan.sarif", &bytes)]).await;
    let begun = Instant::now();
    loop {
        let seen = owner(CONTOSO, &two.url).get(&format!("/api/v1/runs/{run}")).await.ok();
        if seen["state"] == "succeeded" {
            break;
        }
        assert!(begun.elapsed() < READY && seen["state"] != "failed", "{seen:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(owner(CONTOSO, &two.url).get(&format!("/api/v1/runs/{run}/artifacts/scan.sarif")).await.bytes, bytes);

    // Another key: refused by name, and the others' way in is left as it is.
    let mut wrong = process(folder.path(), "wrong", &url_file, &other_kek);
    wrong.start();
    assert!(!wrong.end(READY).await.success());
    assert!(wrong.said().contains("key-encryption key") && wrong.said().contains("kek_file"), "{}", wrong.said());
    assert_eq!(password(&mut sql).await, verifier);
    // No key at all: with a database of one's own there is none to be made in secret.
    let mut none = process(folder.path(), "none", &url_file, Path::new(""));
    none.start();
    assert!(!none.end(READY).await.success());
    assert!(none.said().contains("keys.kek_file is not set"), "{}", none.said());
    // A wrong password: said, not repeated.
    let bad = secret_file(folder.path().join("bad-url"), &postgres.url().replace(PASSWORD, "a-wrong-word-0815"));
    let mut stranger = process(folder.path(), "stranger", &bad, &kek);
    stranger.start();
    assert!(!stranger.end(READY).await.success());
    assert!(stranger.said().contains("password authentication failed"), "{}", stranger.said());

    // kill -9 of one leaves the other working.
    one.kill();
    let run = pipeline(CONTOSO, &two.url).submit(json!({"source": "ci", "pipeline_run_id": "2"}), &[("scan.sarif", &bytes)]).await;
    owner(CONTOSO, &two.url).get(&format!("/api/v1/runs/{run}")).await.ok();
    one.start();
    let again = one.ready(READY).await;
    println!(
        "with an operator's database: ready after {:.2} s and {:.2} s at first, {:.2} s after kill -9",
        times.0.as_secs_f64(),
        times.1.as_secs_f64(),
        again.as_secs_f64()
    );
    assert!(two.stop().await.success() && one.stop().await.success());
    for (daemon, word) in [(&one, PASSWORD), (&two, PASSWORD), (&wrong, PASSWORD), (&none, PASSWORD), (&stranger, "a-wrong-word-0815")] {
        assert!(!daemon.said().contains(word), "the password stands in a log:\n{}", daemon.said());
    }
    sql.close().await.unwrap();
}

/// The private PostgreSQL's key lost and made anew would open nothing that is stored: that is said at start, not at the first download.
#[tokio::test]
async fn a_lost_key_is_noticed_before_anybody_is_served() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = open_folder();
    let port = free_port();
    let mut daemon = Daemon::new(write_config(folder.path(), port, "", ""), port, folder.path().join("data"));
    daemon.start();
    daemon.ready(READY).await;
    pipeline(CONTOSO, &daemon.url)
        .submit(json!({"source": "ci"}), &[("scan.sarif", &sarif("Scanner", true, &[hit("R1", "a.c", 3)]))])
        .await;
    assert!(daemon.stop().await.success());
    let (kek, away) = (daemon.data.join("keys/kek"), daemon.data.join("keys/away"));
    std::fs::rename(&kek, &away).unwrap();
    daemon.start();
    assert!(!daemon.end(READY).await.success());
    assert!(daemon.said().contains("kek_file"), "{}", daemon.said());
    std::fs::rename(&away, &kek).unwrap();
    daemon.start();
    daemon.ready(READY).await;
    assert!(daemon.stop().await.success());
}
