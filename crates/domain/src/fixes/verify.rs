//! The last word on a fix is a scan's: one that began after it was applied, and in which its checks passed.

use super::db;
use bailiwick_base::{FixId, Problem};
use bailiwick_checks::{ScanReport, Verdict};
use bailiwick_contract::fixes::FixCheck;
use bailiwick_contract::scans::Scan;
use bailiwick_store::WriteScope;
use std::collections::HashMap;

/// Notes which applied fixes a completed scan confirms.
///
/// # Errors
/// The database's.
pub async fn verify(scope: &mut WriteScope, scan: &Scan, report: &ScanReport) -> Result<Vec<FixId>, Problem> {
    let tenant = scope.tenant();
    let began = scan.started_at.unwrap_or(scan.queued_at);
    let waiting = db::unverified(scope.sql(), tenant, scan.directory.id, began).await?;
    let verdicts: HashMap<&str, Verdict> = report.results.iter().map(|result| (result.check.as_str(), result.verdict)).collect();
    let confirmed: Vec<FixId> = waiting.into_iter().filter(|(_, checks)| confirmed(checks, &verdicts)).map(|(fix, _)| fix).collect();
    if !confirmed.is_empty() {
        db::note_verified(scope.sql(), tenant, &confirmed, scan.id).await?;
    }
    Ok(confirmed)
}

/// Whether every check of a fix that the scan judges passed, and there is one.
fn confirmed(checks: &[FixCheck], verdicts: &HashMap<&str, Verdict>) -> bool {
    let mut judged = checks.iter().filter_map(|check| verdicts.get(check.check.as_str())).peekable();
    judged.peek().is_some() && judged.all(|verdict| matches!(verdict, Verdict::Passed | Verdict::PassedWithExclusions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_base::Severity;

    fn check(id: &str) -> FixCheck {
        FixCheck { check: id.into(), title: id.into(), severity: Severity::High }
    }

    #[test]
    fn a_scan_confirms_what_it_judged_and_found_well() {
        let verdicts =
            HashMap::from([("a", Verdict::Passed), ("b", Verdict::Failed), ("c", Verdict::PassedWithExclusions), ("d", Verdict::Unknown)]);
        assert!(confirmed(&[check("a")], &verdicts));
        assert!(confirmed(&[check("a"), check("c")], &verdicts));
        assert!(confirmed(&[check("a"), check("of the other kind of scan")], &verdicts));
        assert!(!confirmed(&[check("a"), check("b")], &verdicts));
        assert!(!confirmed(&[check("a"), check("d")], &verdicts), "what could not be told confirms nothing");
        assert!(!confirmed(&[check("of the other kind of scan")], &verdicts));
        assert!(!confirmed(&[], &verdicts));
    }
}
