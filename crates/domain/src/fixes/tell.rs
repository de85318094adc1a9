//! Whom it concerns is told: that a fix waits for somebody's approval, and what became of one.

use super::db::FixRow;
use crate::notifications::{self, Event, FixFacts};
use bailiwick_base::{Principal, Problem};
use bailiwick_contract::fixes::FixState;
use bailiwick_store::WriteScope;

fn facts(row: &FixRow, state: FixState, by: &Principal, detail: String) -> FixFacts {
    FixFacts {
        fix: row.id,
        directory: row.directory.id,
        title: row.facts.title.clone(),
        object: row.facts.object.as_ref().map(|object| object.name.clone().unwrap_or_else(|| object.id.clone())),
        severity: row.severity,
        risk: row.facts.risk.as_str().into(),
        by: by.name.clone(),
        outcome: state.as_str().into(),
        detail,
    }
}

/// A plan waits for approval: told once, by its worst fix, and not once for each of a hundred.
///
/// # Errors
/// The database's.
pub async fn planned(scope: &mut WriteScope, rows: &[FixRow], by: &Principal) -> Result<(), Problem> {
    let Some(worst) = rows.first() else { return Ok(()) };
    let detail = match rows.len() - 1 {
        0 => "It waits for approval.".to_owned(),
        more => format!("It waits for approval, and {more} more of the same plan do."),
    };
    notifications::announce(scope, Event::FixWaiting(facts(worst, FixState::Proposed, by, detail))).await
}

/// A fix waits for a second person.
///
/// # Errors
/// The database's.
pub async fn second(scope: &mut WriteScope, row: &FixRow, by: &Principal) -> Result<(), Problem> {
    let detail = format!("{} approved it. Another person has to approve it as well.", by.name);
    notifications::announce(scope, Event::FixWaiting(facts(row, FixState::AwaitingSecond, by, detail))).await
}

/// An order came to its end.
///
/// # Errors
/// The database's.
pub async fn done(scope: &mut WriteScope, row: &FixRow, by: &Principal) -> Result<(), Problem> {
    let detail = match (row.state, &row.failure) {
        (_, Some(failure)) => failure.detail.clone(),
        (FixState::RolledBack, None) => "It was taken back, and read back as it was before.".into(),
        _ => "It was applied, and read back as it was approved.".into(),
    };
    notifications::announce(scope, Event::FixDone(facts(row, row.state, by, detail))).await
}
