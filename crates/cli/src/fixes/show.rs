//! One fix for people: what changes and for whom, the exact request, who approved, what was done so far, and what can be done next.

use super::{colour, difference, title};
use crate::client::Client;
use crate::console::{Cell, printable};
use crate::findings::severity;
use crate::runs::moment;
use bailiwick_contract::fixes::{Fix, FixState, FixStep};

pub fn whole(client: &Client, fix: &Fix) -> String {
    let console = client.wire.console();
    let mut text = format!("{}\n\n{}", printable(&title(fix)), facts(client, fix));
    let rows: Vec<Vec<Cell>> =
        fix.checks.iter().map(|c| vec![c.check.as_str().into(), severity(c.severity), c.title.as_str().into()]).collect();
    text += &format!("\nChecks that pass with it\n{}", console.table(&["CHECK", "SEVERITY", "TITLE"], &rows));
    text += &format!("\nChange (- before, + after)\n{}", difference::text(console, &fix.changed));
    if let Some(beside) = difference::beside(&fix.before, &fix.changed) {
        text += &format!("\nBeside it, as it is\n{}", indented(&beside));
    }
    let request = printable(&format!("{} {}", fix.request.method, fix.request.url));
    text += &format!("\nRequest\n  {request}\n{}", indented(&fix.request.body));
    if !fix.steps.is_empty() {
        text += &format!("\nSteps\n{}", console.table(&["AT", "FOR", "STEP", "STATUS", "CAME TO"], &steps(&fix.steps)));
    }
    if let Some(failure) = fix.failure.as_ref().filter(|failure| !failure.found.is_empty()) {
        text += &format!("\nFound there (- expected, + found)\n{}", difference::text(console, &failure.found));
    }
    text += &format!("\nDigest  {}\nSee     {}\n", fix.digest, client.page(&format!("fixes?item={}", fix.id)));
    text + &next(fix).map(|next| format!("Next    {next}\n")).unwrap_or_default()
}

/// JSON over several lines, two columns in.
fn indented(value: &serde_json::Value) -> String {
    format!("{value:#}").lines().map(|line| format!("  {}\n", printable(line))).collect()
}

fn facts(client: &Client, fix: &Fix) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text += &format!("{name:<12} {value}\n");
        }
    };
    let console = client.wire.console();
    let report = if fix.report_only { ", only reports until it is enforced" } else { "" };
    line("Fix", &fix.id.to_string());
    line("State", &format!("{}{report}", console.paint(colour(fix.state), fix.state.as_str())));
    line("Directory", &printable(&fix.directory.name));
    line("Recipe", &format!("{} version {}, {}", printable(&fix.recipe.id), fix.recipe.version, fix.recipe.kind.as_str()));
    line("Risk", fix.risk.as_str());
    line("Noticed by", &printable(&fix.blast_radius));
    line("Taking back", &printable(&fix.rollback));
    line("Afterwards", &printable(fix.after_note.as_deref().unwrap_or_default()));
    line("Permission", &printable(&fix.permission));
    line("Planned", &printable(&format!("{} by {}", moment(fix.planned_at), fix.planned_by.name)));
    line("Approvals", &format!("{} of {}", fix.approvals.len(), fix.approvals_needed));
    for approval in &fix.approvals {
        let note = approval.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
        line("", &printable(&format!("{} {}{note}", moment(approval.at), approval.by.name)));
    }
    line("Due", &fix.not_before.map(moment).unwrap_or_default());
    line("Window opens", &fix.opens_at.map(moment).unwrap_or_default());
    let by = |at: Option<_>, who: Option<&bailiwick_base::Principal>| {
        at.map(|at| printable(&format!("{}{}", moment(at), who.map(|who| format!(" by {}", who.name)).unwrap_or_default())))
    };
    line("Applied", &by(fix.applied_at, fix.applied_by.as_ref()).unwrap_or_default());
    line("Rolled back", &by(fix.rolled_back_at, fix.rolled_back_by.as_ref()).unwrap_or_default());
    line("Verified by", &fix.verified_by_scan.map(|scan| format!("scan {scan}")).unwrap_or_default());
    if let Some(failure) = &fix.failure {
        let code = failure.microsoft_code.as_deref().map(|code| format!(", Microsoft: {code}")).unwrap_or_default();
        line("Reason", &printable(&format!("{} ({}{code})", failure.detail, failure.code.as_str())));
    }
    text
}

fn steps(steps: &[FixStep]) -> Vec<Vec<Cell>> {
    let row = |step: &FixStep| {
        vec![
            step.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string().into(),
            step.purpose.as_str().into(),
            format!("{} {}", step.kind.as_str(), step.method).into(),
            step.status.map_or_else(|| "-".into(), |status| status.to_string()).into(),
            step.detail.clone().unwrap_or_default().into(),
        ]
    };
    steps.iter().map(row).collect()
}

/// The command that goes on from here, or why none does.
fn next(fix: &Fix) -> Option<String> {
    let with = |command: &str| format!("bailiwick fixes {command} {} --digest {}", fix.id, fix.digest);
    let (may, command) = match fix.state {
        FixState::Proposed | FixState::AwaitingSecond => (&fix.may.approve, "approve"),
        FixState::Approved => (&fix.may.apply, "apply"),
        FixState::Applied | FixState::RollbackFailed => (&fix.may.roll_back, "rollback"),
        FixState::Failed => (&fix.may.apply, "apply"),
        FixState::Stopped => return Some(format!("bailiwick fixes plan --directory {}", fix.directory.id)),
        _ => return None,
    };
    Some(match may {
        None => with(command),
        Some(why_not) => printable(why_not),
    })
}

/// A fix that was decided about: how it stands, and what can be done next.
pub fn short(client: &Client, fix: &Fix) -> String {
    let next = next(fix).map(|next| format!("{:<12} {next}\n", "Next")).unwrap_or_default();
    format!("{}\n\n{}{next}", printable(&title(fix)), facts(client, fix))
}
