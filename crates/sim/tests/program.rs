//! The program `bailiwick-sim`: says where it listens, writes its authority, writes reports.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

use bailiwick_sim::{demo, scenario};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// Ends the program with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_says_where_it_listens_and_keeps_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let out = folder.path().join("ca.pem");
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick-sim"));
        command.arg("--ca-out").arg(&out).arg("--ca-folder").arg(folder.path().join("authority"));
        let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (serde_json::from_str::<Value>(&line).unwrap(), fs::read_to_string(out).unwrap())
    };
    let (said, first) = start();
    assert!(said["authority"].as_str().unwrap().starts_with("https://localhost:"));
    assert!(said["calls"].as_str().unwrap().ends_with("/_sim/calls"));
    assert_eq!(said["directories"][0]["id"], demo::CONTOSO.directory.to_string());
    let apps = said["directories"][0]["apps"].as_array().unwrap();
    let pipeline = apps.iter().find(|a| a["client_id"] == demo::CONTOSO.pipeline.to_string()).unwrap();
    assert_eq!(pipeline["secret"], demo::CONTOSO.pipeline_secret);
    let (_, second) = start();
    assert!(first.starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(first, second);
}

#[test]
fn it_writes_the_reports_of_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let run = |arguments: &[&str]| {
        let status =
            Command::new(env!("CARGO_BIN_EXE_bailiwick-sim")).arg("report").args(arguments).arg("--out").arg(&out).output().unwrap();
        status.status.success().then(|| fs::read(&out).unwrap())
    };
    let maester = |day: &str| run(&["--family", "maester", "--directory", "contoso", "--day", day]);
    assert_eq!(maester("2").unwrap(), scenario::maester_report(&demo::CONTOSO, 2));
    assert_eq!(maester("0"), None);
    let html = run(&["--family", "maester", "--directory", "fabrikam", "--day", "2", "--html"]).unwrap();
    assert_eq!(html, scenario::maester_html(&demo::FABRIKAM, 2));
    let sarif = run(&["--family", "sarif", "--directory", "contoso"]).unwrap();
    assert_eq!(sarif, scenario::sarif_report(demo::CONTOSO.repository, 1));
    assert!(run(&["--family", "zero-trust", "--directory", "contoso"]).is_some());
    assert!(run(&["--family", "scubagear", "--directory", "contoso"]).is_some());
    assert_eq!(run(&["--family", "sarif", "--directory", "northwind"]), None);
}
