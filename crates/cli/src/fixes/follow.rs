//! Following a fix that was ordered, until it has come to something.

use super::get;
use crate::client::Client;
use crate::console::printable;
use crate::failure::Failure;
use bailiwick_contract::fixes::{Fix, FixState, FixStep, StepKind};
use indicatif::ProgressBar;
use std::time::Duration;
use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What carrying out does: look, write, look again.
const STAGES: u64 = 3;

/// The fix when it has come to something, or as it is when `patience` is over.
pub async fn to_the_end(client: &Client, fix: Fix, patience: Duration) -> Result<Fix, Failure> {
    let end = Instant::now() + patience;
    let bar = client.wire.console().steps();
    bar.set_length(STAGES);
    let mut shown = Shown { client, bar, told: fix.steps.len() };
    let (mut fix, mut pause) = (fix, FIRST_PAUSE);
    while under_way(fix.state) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        fix = get(client, fix.id).await?;
        shown.show(&fix);
    }
    shown.bar.finish_and_clear();
    Ok(fix)
}

pub fn under_way(state: FixState) -> bool {
    matches!(state, FixState::Applying | FixState::RollingBack)
}

/// What a person has seen of it.
struct Shown<'c> {
    client: &'c Client,
    bar: ProgressBar,
    /// Steps that were told already.
    told: usize,
}

impl Shown<'_> {
    fn show(&mut self, fix: &Fix) {
        let console = self.client.wire.console();
        let fresh = fix.steps.get(self.told..).unwrap_or_default();
        for step in fresh.iter().filter(|_| !console.json) {
            console.note(&told(step));
        }
        // A write that waits for its answer is told, and told again when that has come.
        let open = fix.steps.last().is_some_and(|step| step.kind == StepKind::Write && step.status.is_none());
        self.told = fix.steps.len() - usize::from(open && !fresh.is_empty());
        self.bar.set_message(printable(fix.state.as_str()));
        self.bar.set_position(fix.steps.last().map_or(0, |step| match step.kind {
            StepKind::Read => 1,
            StepKind::Write => 2,
            StepKind::Reread => STAGES,
        }));
    }
}

fn told(step: &FixStep) -> String {
    let answer = step.status.map_or_else(|| "sent".into(), |status| status.to_string());
    let detail = step.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{}: {} {} {answer}{detail}", step.kind.as_str(), step.method, step.url)
}
