//! Waiting for a run to settle, and finding the run that a duplicate repeats.

use crate::client::Client;
use crate::failure::Failure;
use bailiwick_contract::evidence::{GetRun, Run, RunPath, RunState};
use bailiwick_contract::{Empty, Nothing};
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The run whose counts are the result.
pub struct Settled {
    pub run: Run,
    /// The upload repeated `run`.
    pub deduplicated: bool,
}

/// Follows `run` until it is settled, at most for `patience`; with `None` it is taken as it is. A duplicate leads to its original.
pub async fn result(client: &Client, run: Run, patience: Option<Duration>) -> Result<Settled, Failure> {
    let start = tokio::time::Instant::now();
    let (mut run, mut deduplicated, mut pause) = (run, false, FIRST_PAUSE);
    loop {
        if let (RunState::Duplicate, Some(original), false) = (run.state, run.duplicate_of, deduplicated) {
            deduplicated = true;
            run = get(client, original).await?;
            continue;
        }
        let Some(patience) = patience else { return Ok(Settled { run, deduplicated }) };
        let left = patience.saturating_sub(start.elapsed());
        if run.state.settled() || left.is_zero() {
            return Ok(Settled { run, deduplicated });
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        run = get(client, run.id).await?;
    }
}

async fn get(client: &Client, run: bailiwick_base::RunId) -> Result<Run, Failure> {
    Ok(client.call::<GetRun>(RunPath { run }, Nothing {}, Empty).await?.run)
}
