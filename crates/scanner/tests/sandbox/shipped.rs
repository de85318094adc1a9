//! The shipped program does its work under the lock.

use crate::hostile::{Contoso, Heard, job, scanner};
use bailiwick_scanner::lock::{Layer, probe};
use bailiwick_scanner::{Limits, Policy, Scanner};
use std::collections::{BTreeSet, HashSet};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The shipped program.
const SCANNER: &str = env!("CARGO_BIN_EXE_bailiwick-scanner");

#[tokio::test]
async fn a_whole_scan_goes_through_under_the_full_lock() {
    let child = Scanner { program: SCANNER.into(), limits: Limits { cpu: Duration::from_secs(60), ..Limits::default() } };
    let job = job("Contoso");
    let (broker, mut heard) = (Contoso::new(&job), Heard::default());
    let scanned = child.run(&job, &broker, &mut heard, &CancellationToken::new()).await.unwrap();

    let asked = broker.asked.into_inner().unwrap();
    let unplanned: Vec<_> = asked.iter().filter(|request| !broker.plan.allows(request, &HashSet::new())).collect();
    assert!(unplanned.is_empty(), "{unplanned:?}");
    let distinct: BTreeSet<_> = asked.iter().collect();
    assert_eq!(distinct.len(), asked.len(), "each is asked for once");
    assert!(asked.len() > 20 && scanned.report.results.len() > 100, "{} requests, {} results", asked.len(), scanned.report.results.len());
    assert_eq!(heard.judged, scanned.report.results);
    assert_eq!(heard.planned, Some(broker.plan.requests.len()));
    assert!(scanned.lockdown.refusals(Policy::Require).is_empty(), "{}", scanned.lockdown);
    println!("{} requests, {} results, {:?}\n{}", asked.len(), scanned.report.results.len(), scanned.usage, scanned.lockdown);
}

#[tokio::test]
async fn what_the_kernel_is_said_to_hold_is_what_a_child_holds() {
    let lockdown = scanner(SCANNER).check().await.unwrap();
    assert_eq!(lockdown.holding, probe().holding);
    assert!([Layer::Files, Layer::Calls].iter().all(|layer| lockdown.holding.contains(layer)), "{lockdown}");
}

#[test]
fn by_hand_it_says_that_it_is_not_for_hands() {
    let output = Command::new(SCANNER).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "bailiwick-scanner is started by bailiwickd, once for each scan, and is of no use by hand\n"
    );
}

#[test]
fn with_an_environment_it_refuses_before_it_reads() {
    let orders = ["--memory=100000000", "--cpu=5", "--sandbox=allow-weaker"];
    let output = Command::new(SCANNER).args(orders).env_clear().env("AZURE_CLIENT_SECRET", "s3cr3t").stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("\"kind\":\"refused\"") && said.contains("1 environment variables came with the process"), "{said}");
    assert!(!said.contains("s3cr3t"));
}
