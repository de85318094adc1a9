//! `bailiwick upload`: open a run, send its files, say that they are all there, wait for the result.
//!
//! Safe to repeat at every step: an idempotency key makes a repeated open answer the same run, a file is stored once however often
//! it is sent, and a manifest that has been taken is not taken again.

use crate::args::Upload;
use crate::client::Client;
use crate::failure::{Failure, Kind};
use crate::files::{self, LocalFile};
use crate::retry::Trouble;
use crate::wait;
use bailiwick_base::{Counts, Family, RunId, ids::uuid_v7};
use bailiwick_contract::evidence::{
    Artifact, ArtifactPath, CompleteRun, FindingCounts, GetRun, Manifest, ManifestLine, NewRun, OpenRun, PutArtifact, PutArtifactQuery,
    Run, RunPath, RunState,
};
use bailiwick_contract::{Empty, Nothing};
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::{pin::pin, time::Duration};

/// A transfer in which no byte moves for this long is broken off and tried again.
const STALL: Duration = Duration::from_secs(120);

/// What `upload --json` prints. Its members are a promise to scripts.
#[derive(Debug, Serialize)]
struct Outcome {
    run: RunId,
    family: Option<Family>,
    state: RunState,
    counts: ResultCounts,
    findings: FindingCounts,
    deduplicated: bool,
}

#[derive(Debug, Serialize)]
struct ResultCounts {
    passed: u32,
    failed: u32,
    error: u32,
    investigate: u32,
    skipped: u32,
    not_run: u32,
    total: u32,
}

impl From<Counts> for ResultCounts {
    fn from(c: Counts) -> Self {
        Self {
            passed: c.passed,
            failed: c.failed,
            error: c.error,
            investigate: c.investigate,
            skipped: c.skipped,
            not_run: c.not_run,
            total: c.total,
        }
    }
}

pub async fn run(client: &Client, arguments: Upload, files: Vec<LocalFile>) -> Result<(), Failure> {
    let manifest = hash_all(client, &files)?;
    let opened = open(client, &arguments).await?;
    client.wire.console().detail(&format!("Run {} is open.", opened.id));
    for (file, (line, size)) in files.iter().zip(&manifest) {
        send(client, opened.id, file, line, *size).await?;
    }
    let artifacts = manifest.into_iter().map(|(line, _)| line).collect();
    let completed = complete(client, opened.id, Manifest { artifacts }).await?;
    let patience = (!arguments.no_wait).then(|| Duration::from_secs(arguments.wait_timeout));
    let run = completed.id;
    let settled = wait::result(client, completed, patience).await.map_err(|failure| look_again(failure, run))?;
    report(client, &settled.run, settled.deduplicated)?;
    verdict(&settled.run, arguments.no_wait, arguments.wait_timeout)
}

fn hash_all(client: &Client, files: &[LocalFile]) -> Result<Vec<(ManifestLine, u64)>, Failure> {
    let bar = client.wire.console().progress("Hashing", files.iter().map(|f| f.size).sum());
    let lines = files
        .iter()
        .map(|file| files::hash(file, &bar).map(|(sha256, size)| (ManifestLine { name: file.name.clone(), sha256 }, size)))
        .collect();
    bar.finish_and_clear();
    lines
}

async fn open(client: &Client, arguments: &Upload) -> Result<Run, Failure> {
    let retrier = &client.wire.retrier;
    let body = NewRun {
        source: arguments.source.clone(),
        project: arguments.project.clone(),
        pipeline_run_id: arguments.pipeline_run_id.clone(),
        idempotency_key: Some(uuid_v7(&*retrier.clock, &*retrier.rng).to_string()),
    };
    client.call::<OpenRun>(Nothing {}, Nothing {}, body).await
}

/// Sends one file. A server that refuses before it has read a large file may close the connection so that its refusal is lost; hence
/// the tries after a broken one send the head alone and give it a moment to be refused.
async fn send(client: &Client, run: RunId, file: &LocalFile, line: &ManifestLine, size: u64) -> Result<Artifact, Failure> {
    let path = ArtifactPath { run, name: file.name.clone() };
    let query = PutArtifactQuery { sha256: Some(line.sha256.clone()) };
    let bar = client.wire.console().progress(&file.name, size);
    let retrier = &client.wire.retrier;
    let mut grace = Duration::ZERO;
    let sent = retrier
        .run(async || {
            bar.set_position(0);
            let moved = Arc::new(AtomicU64::new(0));
            let body = files::body(file, grace, bar.clone(), moved.clone()).await?;
            let sent = unless_stalled(client.send_stream::<PutArtifact>(&path, &query, body, size), &moved, &file.name).await;
            if matches!(&sent, Err(Trouble::Transient { failure, .. }) if failure.code.is_none()) {
                grace = retrier.policy.base * 2;
            }
            sent
        })
        .await;
    bar.finish_and_clear();
    sent.map_err(|failure| changed_meanwhile(failure, file))
}

/// A large file on a slow line may take hours; what may not is standing still.
async fn unless_stalled<T>(sending: impl Future<Output = Result<T, Trouble>>, moved: &AtomicU64, name: &str) -> Result<T, Trouble> {
    let mut sending = pin!(sending);
    loop {
        let before = moved.load(Ordering::Relaxed);
        if let Ok(done) = tokio::time::timeout(STALL, &mut sending).await {
            return done;
        }
        if moved.load(Ordering::Relaxed) == before {
            let failure = Failure::transient(format!("No byte of {name} has moved for {} s.", STALL.as_secs()));
            return Err(Trouble::Transient { failure, retry_after: None });
        }
    }
}

fn changed_meanwhile(failure: Failure, file: &LocalFile) -> Failure {
    if failure.code.as_deref() == Some("hash_mismatch") {
        return failure
            .hint(format!("{} changed while it was sent. Upload again when the tool that writes it has finished.", file.path.display()));
    }
    failure
}

/// Sends the manifest. When the answer to a manifest got lost on the way, the second one is out of place and the first was taken.
async fn complete(client: &Client, run: RunId, manifest: Manifest) -> Result<Run, Failure> {
    let refusal = match client.call::<CompleteRun>(RunPath { run }, Nothing {}, manifest).await {
        Ok(run) => return Ok(run),
        Err(failure) if failure.code.as_deref() == Some("wrong_state") => failure,
        Err(failure) => return Err(failure),
    };
    let now = client.call::<GetRun>(RunPath { run }, Nothing {}, Empty).await?.run;
    if now.state == RunState::Receiving { Err(refusal) } else { Ok(now) }
}

fn report(client: &Client, run: &Run, deduplicated: bool) -> Result<(), Failure> {
    let result =
        Outcome { run: run.id, family: run.family, state: run.state, counts: run.counts.into(), findings: run.findings, deduplicated };
    client.wire.console().either(&result, || {
        let mut text = crate::runs::summary(client, run);
        if deduplicated {
            text += "These files were taken before; this is that run.\n";
        }
        text
    })
}

/// Once all files have arrived, the way on is to ask for the run and not to send it again.
fn look_again(failure: Failure, run: RunId) -> Failure {
    if failure.kind == Kind::Transient {
        failure.hint(format!("All files have arrived. Look again: bailiwick runs show {run}"))
    } else {
        failure
    }
}

/// The exit code's reason.
fn verdict(run: &Run, no_wait: bool, waited: u64) -> Result<(), Failure> {
    match (run.state, &run.failure) {
        (RunState::Failed, Some(failure)) => {
            let artifact = failure.artifact.as_deref().map(|a| format!("{a}: ")).unwrap_or_default();
            let place = failure.place.as_deref().map(|p| format!(" at {p}")).unwrap_or_default();
            Err(Failure::input(format!("The report was refused: {artifact}{}{place} ({})", failure.detail, failure.code.name()))
                .hint("Correct the report and upload it again. Nothing of this run became a finding."))
        }
        (RunState::Failed, None) => {
            Err(Failure::input(format!("Run {} failed.", run.id)).hint(format!("See why: bailiwick runs show {}", run.id)))
        }
        (state, _) if state.settled() || no_wait => Ok(()),
        _ => Err(look_again(Failure::transient(format!("Run {} is still {} after {waited} s.", run.id, run.state.as_str())), run.id)),
    }
}
