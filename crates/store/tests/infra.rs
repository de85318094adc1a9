//! The private PostgreSQL on the real programs: what it opens, who it runs as, and what it survives.
//! `BAILIWICK_TEST_PROGRAMS` names another version's folder to run all of it on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // a test file: helpers outside `#[test]` too

use bailiwick_store::private_postgres::{PrivateConfig, PrivatePostgres, PrivatePostgresError, SUPERUSER, ServerState, Watchdog};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A folder that the `postgres` user may pass through, as an installed Bailiwick's parent folder is.
fn place() -> TempDir {
    let top = tempfile::tempdir().unwrap();
    fs::set_permissions(top.path(), fs::Permissions::from_mode(0o755)).unwrap();
    top
}

fn config(data: &Path) -> PrivateConfig {
    let programs = std::env::var_os("BAILIWICK_TEST_PROGRAMS").map(PathBuf::from);
    PrivateConfig { programs, ..PrivateConfig::new(data) }
}

async fn one(options: &PgConnectOptions, sql: &'static str) -> String {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::query_scalar::<_, String>(sql).fetch_one(&mut connection).await.unwrap()
}

async fn run(options: &PgConnectOptions, sql: &'static str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

fn kill_hard(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_quickly_on_a_private_socket_and_keeps_its_data() {
    let top = place();
    let data = top.path().join("postgres");
    let begun = Instant::now();
    let server = PrivatePostgres::start(config(&data)).await.unwrap();
    let first = begun.elapsed();
    assert!(first < Duration::from_secs(5), "first start took {first:?}");

    let superuser = server.superuser_options();
    assert_eq!(one(&superuser, "show listen_addresses").await, "");
    assert_eq!(one(&superuser, "show data_checksums").await, "on");
    assert_eq!(one(&superuser, "select pg_encoding_to_char(encoding) from pg_database where datname = current_database()").await, "UTF8");
    for folder in ["", "cluster", "socket"] {
        assert_eq!(fs::metadata(data.join(folder)).unwrap().mode() & 0o777, 0o700, "{folder}");
    }
    assert!(tcp_inodes_of(server.pid().unwrap()).is_empty(), "the server listens on TCP");
    run(&superuser, "create table kept (word text); insert into kept values ('still here')").await;
    server.stop().await;

    let begun = Instant::now();
    let server = PrivatePostgres::start(config(&data)).await.unwrap();
    let later = begun.elapsed();
    assert!(later < Duration::from_millis(1500), "later start took {later:?}");
    assert_eq!(one(&server.superuser_options(), "select word from kept").await, "still here");
    println!("first start {first:?}, later {later:?}");
    server.stop().await;
}

/// Socket inodes of the process that stand in the kernel's TCP tables.
fn tcp_inodes_of(pid: i32) -> Vec<String> {
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());
    let inodes: Vec<String> = tables
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .filter_map(|line| line.split_whitespace().nth(9).map(str::to_owned))
        .collect();
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let sockets = descriptors.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned()));
    let mut seen = 0;
    let found = sockets.inspect(|_| seen += 1).filter(|link| inodes.iter().any(|inode| link == &format!("socket:[{inode}]"))).collect();
    assert!(seen > 3, "the server's descriptors could not be read");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_as_postgres_when_started_by_root() {
    let top = place();
    let data = top.path().join("postgres");
    let server = PrivatePostgres::start(config(&data)).await.unwrap();
    let uid = fs::metadata(format!("/proc/{}", server.pid().unwrap())).unwrap().uid();
    assert_eq!(uid, fs::metadata(data.join("cluster")).unwrap().uid());
    let name = nix::unistd::User::from_uid(Uid::from_raw(uid)).unwrap().unwrap().name;
    if Uid::effective().is_root() {
        assert_eq!(name, "postgres");
        let closed = top.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let error = PrivatePostgres::start(config(&closed.join("data"))).await.err().unwrap();
        assert!(matches!(error, PrivatePostgresError::NotTraversable { .. }), "{error}");
    } else {
        assert_eq!(Uid::from_raw(uid), Uid::effective());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_named_roles_come_in_on_postgres_15_and_a_stranger_never() {
    let top = place();
    let server = PrivatePostgres::start(config(&top.path().join("postgres")).with_roles(["app"])).await.unwrap();
    run(&server.superuser_options(), "create role app login; create role other login").await;
    assert_eq!(one(&server.connect_options("app", "bailiwick"), "select current_user::text").await, "app");
    let other = PgConnection::connect_with(&server.connect_options("other", "bailiwick")).await;
    assert_eq!(other.is_err(), server.major() == 15);

    server.admit_role("other").unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while PgConnection::connect_with(&server.connect_options("other", "bailiwick")).await.is_err() {
        assert!(Instant::now() < until, "the admitted role is still refused");
        tokio::task::yield_now().await;
    }
    if Uid::effective().is_root() {
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "ls"])
            .arg(server.socket_folder())
            .output()
            .unwrap();
        assert!(!output.status.success(), "another user reads the socket's folder");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn comes_back_by_itself_when_the_server_is_killed() {
    let top = place();
    let server = PrivatePostgres::start(config(&top.path().join("postgres"))).await.unwrap();
    run(&server.superuser_options(), "create table kept (word text); insert into kept values ('committed')").await;
    let mut state = server.state();
    let before = server.pid().unwrap();
    let begun = Instant::now();
    kill_hard(before);
    state.wait_for(|state| matches!(state, ServerState::Restarting { .. })).await.unwrap();
    let back = state.wait_for(|state| matches!(state, ServerState::Running { .. }));
    tokio::time::timeout(Duration::from_secs(10), back).await.expect("not back within 10 s").unwrap();
    println!("back {:?} after kill -9 of the postmaster", begun.elapsed());
    assert_ne!(server.pid().unwrap(), before);
    assert_eq!(one(&server.superuser_options(), "select word from kept").await, "committed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_has_one_master_and_foreign_folders_are_refused() {
    let top = place();
    let data = top.path().join("postgres");
    let server = PrivatePostgres::start(config(&data)).await.unwrap();
    let error = PrivatePostgres::start(config(&data)).await.err().unwrap();
    assert!(matches!(error, PrivatePostgresError::InUse { .. }), "{error}");
    server.stop().await;

    let home = top.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("thesis.txt"), "mine").unwrap();
    let before = fs::metadata(&home).unwrap();
    let error = PrivatePostgres::start(config(&home)).await.err().unwrap();
    assert!(error.to_string().contains("thesis.txt"), "{error}");
    let after = fs::metadata(&home).unwrap();
    assert_eq!((before.uid(), before.mode()), (after.uid(), after.mode()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_path_puts_the_socket_elsewhere_and_a_half_made_cluster_is_made_again() {
    let top = place();
    let data = top.path().join("d".repeat(100)).join("postgres");
    fs::create_dir_all(data.join("cluster.new.0123")).unwrap();
    fs::write(data.join("cluster.new.0123/PG_VERSION"), "15").unwrap();
    let server = PrivatePostgres::start(config(&data)).await.unwrap();
    let socket = server.socket_folder().to_path_buf();
    assert!(!socket.starts_with(&data));
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
    assert_eq!(one(&server.superuser_options(), "select current_user::text").await, SUPERUSER);
    assert!(!data.join("cluster.new.0123").exists());
    server.stop().await;
    assert!(!socket.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pid_that_is_somebody_elses_by_now_does_not_keep_the_server_down() {
    let top = place();
    let data = top.path().join("postgres");
    let server = PrivatePostgres::start(config(&data)).await.unwrap();
    server.stop().await;
    // As after a crash in a container: the recorded pid is alive, and another program's.
    let stale =
        format!("{}\n{}\n1\n5432\n{}\n\n\nready\n", std::process::id(), data.join("cluster").display(), data.join("socket").display());
    fs::write(data.join("cluster/postmaster.pid"), &stale).unwrap();
    fs::write(data.join("socket/.s.PGSQL.5432.lock"), &stale).unwrap();
    let server = PrivatePostgres::start(config(&data)).await.unwrap();
    assert_eq!(one(&server.superuser_options(), "select current_user::text").await, SUPERUSER);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_nobody_waits_for_leaves_no_server() {
    let top = place();
    let data = top.path().join("postgres");
    let server = PrivatePostgres::start(config(&data)).await.unwrap();
    server.stop().await;
    let mut start = Box::pin(PrivatePostgres::start(config(&data)));
    let until = Instant::now() + Duration::from_secs(20);
    while !data.join("cluster/postmaster.pid").exists() {
        assert!(futures::poll!(start.as_mut()).is_pending());
        assert!(Instant::now() < until, "the server does not start");
        tokio::task::yield_now().await;
    }
    drop(start);
    while data.join("cluster/postmaster.pid").exists() {
        assert!(Instant::now() < until, "the server runs on");
        tokio::task::yield_now().await;
    }
    // and its folder is free again
    PrivatePostgres::start(config(&data)).await.unwrap().stop().await;
}

const CHILD_DATA: &str = "BAILIWICK_TEST_CHILD_DATA";
const CHILD_WATCHDOG: &str = "BAILIWICK_TEST_CHILD_WATCHDOG";

/// In the child: holds a server until killed.
async fn hold_a_server(data: &str) {
    let watchdog = match std::env::var(CHILD_WATCHDOG).unwrap().as_str() {
        "off" => Watchdog::Off,
        "stop" => Watchdog::Stop,
        _ => Watchdog::StopAndRemove,
    };
    let server = PrivatePostgres::start(PrivateConfig { watchdog, ..config(Path::new(data)) }).await.unwrap();
    println!("\npid {}", server.pid().unwrap());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    server.stop().await;
}

fn child(test: &str, data: &Path, watchdog: &str) -> (Child, i32) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD_DATA, data)
        .env(CHILD_WATCHDOG, watchdog)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pid = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("pid ")?.parse().ok());
    (child, pid.expect("the child did not start its server"))
}

fn kill_and_reap(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_over_from_a_killed_bailiwick_whose_server_still_runs() {
    if let Ok(data) = std::env::var(CHILD_DATA) {
        return hold_a_server(&data).await;
    }
    let top = place();
    let data = top.path().join("postgres");
    for watchdog in ["off", "stop"] {
        let (holder, orphan) = child("takes_over_from_a_killed_bailiwick_whose_server_still_runs", &data, watchdog);
        kill_and_reap(holder);
        let begun = Instant::now();
        let server = PrivatePostgres::start(config(&data)).await.unwrap();
        let took = begun.elapsed();
        println!("took over in {took:?} (watchdog {watchdog})");
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_ne!(server.pid().unwrap(), orphan);
        assert_eq!(one(&server.superuser_options(), "select current_user::text").await, SUPERUSER);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throwaway_server_leaves_nothing_behind_when_its_test_run_is_killed() {
    if let Ok(data) = std::env::var(CHILD_DATA) {
        return hold_a_server(&data).await;
    }
    let top = place();
    let data = top.path().join("postgres");
    let (holder, orphan) = child("a_throwaway_server_leaves_nothing_behind_when_its_test_run_is_killed", &data, "remove");
    kill_and_reap(holder);
    let until = Instant::now() + Duration::from_secs(10);
    while data.exists() || fs::metadata(format!("/proc/{orphan}/cwd")).is_ok() {
        assert!(Instant::now() < until, "the server or its folder outlived the test run");
        std::thread::yield_now();
    }
}
