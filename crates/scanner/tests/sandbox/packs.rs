//! Packs that mean harm to the process they run in: each harms its own, and the scan's report and the other packs stand.

use crate::hostile::{Contoso, Heard, job};
use bailiwick_checks::{Job, PackSource, Verdict};
use bailiwick_scanner::{Limits, ScanEnd, Scanner};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn pack(name: &str, rego: &str) -> PackSource {
    let manifest = format!("name: {name}\nversion: 1.0.0\npackage: own\n");
    let files = vec![("pack.yaml".to_owned(), manifest), ("own.rego".to_owned(), format!("package own\n{rego}\n"))];
    PackSource { name: name.to_owned(), version: "1.0.0".to_owned(), files }
}

fn scanner() -> Scanner {
    let limits = Limits { memory: 128 << 20, cpu: Duration::from_secs(20), wall: Duration::from_secs(120), ..Limits::default() };
    Scanner { program: env!("CARGO_BIN_EXE_bailiwick-scanner").into(), limits }
}

const GOOD: &str = "results contains {\"id\": \"good\", \"pass\": regex.match(`^1`, sprintf(\"%d\", [time.now_ns()]))}";

#[tokio::test]
async fn whatever_a_pack_does_to_its_process_the_scan_and_the_other_packs_stand() {
    let doubling: String = (1..40).map(|n| format!("s{n} := concat(\"\", [s{0}, s{0}])\n", n - 1)).collect();
    let chain = format!("x := {}1\nresults := [] if x", "1 +\n".repeat(19_000));
    let packs = vec![
        pack("strings", &format!("s0 := \"0123456789\"\n{doubling}results contains {{\"id\": \"x\", \"actual\": s39}}")),
        pack("comprehension", "results := [{\"id\": \"x\"} | some a in numbers.range(1, 100000000)]"),
        pack(
            "set",
            "results := {{\"id\": sprintf(\"%d-%d\", [a, b])} | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000)}",
        ),
        pack(
            "loop",
            "n := numbers.range(1, 1000)\nresults contains {\"id\": \"x\"} if { some a in n; some b in n; some c in n; a + b + c < 0 }",
        ),
        pack("recursion", "f(x) := f(x + 1)\nresults contains {\"id\": \"x\", \"actual\": f(1)}"),
        pack("chain", &chain),
        pack("nots", &format!("results := []\nx if {}1", "not\n".repeat(19_000))),
        pack(
            "prints",
            "n := numbers.range(1, 1000)\nresults contains {\"id\": \"x\"} if { some a in n; some b in n; some c in n; print(a, b, c); a < 0 }",
        ),
        pack("syntax", "results contains {"),
        pack("good", GOOD),
    ];
    let whole = Job { packs, only: Some(vec!["entra.authorization-policy.guest-invite".to_owned()]), ..job("Contoso") };
    let (catalogue, packs) = whole.apart();
    let cancel = CancellationToken::new();
    let mut scanned = scanner().run(&catalogue, &Contoso::new(&catalogue), &mut Heard::default(), &cancel).await.unwrap();
    let shipped = scanned.report.results.clone();
    assert_eq!(shipped.len(), 1);
    scanner().run_packs(&packs, Contoso::new, &mut scanned.report, &cancel).await.unwrap();

    let report = scanned.report;
    println!("| pack | what a person reads |\n|---|---|");
    report.packs.iter().for_each(|pack| println!("| {} | {} |", pack.name, pack.error.as_deref().unwrap_or("judged")));
    assert_eq!(report.results[..1], shipped, "the catalogue's results stand");
    let (bad, good) = report.packs.split_at(9);
    assert!(bad.iter().all(|pack| pack.error.is_some() && pack.checks == 0), "{bad:#?}");
    assert!(bad[0].error.as_ref().unwrap().contains("128 MiB of memory"), "{bad:#?}");
    assert!(bad[3].error.as_ref().unwrap().contains("ran longer than 10 s"), "{bad:#?}");
    assert!(bad[8].error.as_ref().unwrap().starts_with("own.rego:"), "{bad:#?}");
    assert_eq!((&good[0].error, good[0].checks), (&None, 1));
    assert_eq!(report.results[1].verdict, Verdict::Passed, "clock and patterns work under the lock");
}

#[tokio::test]
async fn a_cancelled_scan_runs_no_pack() {
    let (catalogue, packs) = Job { packs: vec![pack("good", GOOD)], only: Some(vec!["none".to_owned()]), ..job("Contoso") }.apart();
    let cancel = CancellationToken::new();
    let mut scanned = scanner().run(&catalogue, &Contoso::new(&catalogue), &mut Heard::default(), &cancel).await.unwrap();
    cancel.cancel();
    let end = scanner().run_packs(&packs, Contoso::new, &mut scanned.report, &cancel).await.unwrap_err();
    assert_eq!((end, scanned.report.packs.len()), (ScanEnd::Cancelled, 0));
}
