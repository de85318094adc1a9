//! Made-up events, for previews where nothing of the kind has happened yet. They are shown as what they are.

use crate::notifications::model::{Content, DriftContent, FailedRun, FailedScan, FixContent, FixFacts, Line};
use bailiwick_base::{DirectoryId, Family, FixId, Outcome, Product, RunId, ScanId, Severity, Timestamp};
use bailiwick_contract::evidence::Named;
use bailiwick_contract::findings::DriftCounts;
use bailiwick_contract::notifications::EventKind;
use std::collections::BTreeMap;
use uuid::Uuid;

/// When it is said to have happened.
const AT: Timestamp = Timestamp::constant(1_795_334_400, 0);

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0000 + n)
}

fn directory() -> Named<DirectoryId> {
    Named { id: DirectoryId(id(1)), name: "Example directory".into() }
}

/// One of each kind.
pub fn content(event: EventKind) -> Content {
    match event {
        EventKind::DriftRegressed => Content::DriftRegressed(drift()),
        EventKind::ScanFailed => Content::ScanFailed(FailedScan {
            scan: ScanId(id(2)),
            directory: directory(),
            kind: "compliance".into(),
            code: "connection_refused".into(),
            detail: "Microsoft did not let the scan in. Consent was withdrawn. Connect the directory again.".into(),
        }),
        EventKind::RunFailed => Content::RunFailed(FailedRun {
            run: RunId(id(3)),
            source: "nightly pipeline".into(),
            project: None,
            code: "bad_report".into(),
            detail: "The report ends in the middle of a result. Send the whole file.".into(),
            place: Some("line 812, column 40".into()),
        }),
        EventKind::FixWaiting => Content::FixWaiting(fix("proposed", "Blocks sign-ins by protocols that cannot ask for a second factor.")),
        EventKind::FixDone => Content::FixDone(fix("applied", "The policy was written and read back as approved.")),
    }
}

fn fix(outcome: &str, detail: &str) -> FixContent {
    let facts = FixFacts {
        fix: FixId(id(4)),
        directory: directory().id,
        title: "Block legacy authentication".into(),
        object: None,
        severity: Severity::High,
        risk: "medium".into(),
        by: "Avery Howard".into(),
        outcome: outcome.into(),
        detail: detail.into(),
    };
    FixContent { facts, directory_name: directory().name }
}

fn line(key: &str, title: &str, severity: Severity, product: Product, to: Outcome) -> Line {
    Line {
        check_key: key.into(),
        title: title.into(),
        severity,
        product: Some(product),
        from: Some(Outcome::Passed),
        to: Some(to),
        place: None,
        finding: None,
    }
}

pub fn drift() -> DriftContent {
    let regressions = vec![
        line("MT.1005", "Emergency access accounts are excluded from all policies", Severity::Critical, Product::Entra, Outcome::Failed),
        line("MT.1011", "Registering security information is protected", Severity::High, Product::Entra, Outcome::Failed),
        line("MT.1063", "External sharing is limited to known guests", Severity::Medium, Product::SharePoint, Outcome::Investigate),
    ];
    let mut fixed = line("MT.1009", "Legacy authentication is blocked", Severity::High, Product::Entra, Outcome::Passed);
    fixed.from = Some(Outcome::Failed);
    DriftContent {
        run: RunId(id(11)),
        from_run: RunId(id(10)),
        family: Family::Maester,
        tool: "Maester".into(),
        source: "nightly pipeline".into(),
        directory: Some(directory()),
        project: None,
        at: AT,
        posture_before: Some(0.812),
        posture: Some(0.793),
        counts: DriftCounts { regression: 3, fixed: 1, added: 0, removed: 0, other: 2, unchanged: 148 },
        by_severity: BTreeMap::from([("critical".into(), 1), ("high".into(), 1), ("medium".into(), 1)]),
        regressions,
        fixed: vec![fixed],
    }
}
