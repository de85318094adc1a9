//! The job that performs a scan: it starts the scanner, answers for it, and hands its report to the evidence.
//!
//! What must stay true: whatever ends the process, another goes on from what was kept, and one scan makes one run; a scan that was
//! cancelled or disconnected leaves no results.

use super::broker::{Broker, Trouble};
use super::keeping::{Keeper, resumed};
use super::{db, model, report};
use crate::connections::{self, reach};
use crate::evidence::own::{self, OwnFile, OwnRun};
use crate::notifications::{self, Event};
use crate::worker::{Done, Failed, nobody, system};
use crate::{Services, fixes};
use bailiwick_base::{ConnectionId, Problem, ScanId, Timestamp};
use bailiwick_checks::{Catalogue, Job, PackSource, SCHEMA, ScanReport, plan};
use bailiwick_cloud::{Access, CancellationToken, Until};
use bailiwick_contract::connections::{CloudFailure, CloudFailureCode};
use bailiwick_contract::evidence::ArtifactKind;
use bailiwick_contract::scans::{Scan, ScanEnd, ScanEndCode, ScanKind, ScanPhase, ScanSettings, ScanState, Score};
use bailiwick_scanner::ScanEnd as Ended;
use bailiwick_store::keyring::TenantKey;
use bailiwick_store::{Audited, JobKind, Lease};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Performs a scan. All attempts together ride out a quarter of an hour without Microsoft.
pub const RUN: JobKind = JobKind {
    name: "scans.run",
    max_attempts: 14,
    lease: Duration::from_secs(60),
    backoff: Duration::from_secs(2),
    longest_wait: Duration::from_secs(120),
    schedule: None,
};

/// How often a running scan is asked whether it still may.
const WATCH: Duration = Duration::from_millis(500);
/// Bytes of one line of the snapshot are its page's; this bounds the whole file.
const SNAPSHOT_BYTES: usize = 256 << 20;
/// Bytes of pages that a scanner is given to go on from; the rest is read again. A job must fit its frame.
const RESUME_BYTES: usize = 48 << 20;

#[derive(Deserialize)]
struct Payload {
    scan: ScanId,
}

/// A scan about to be performed.
struct Prepared {
    scan: Scan,
    access: Access,
    key: TenantKey,
    settings: ScanSettings,
    packs: Vec<PackSource>,
}

/// How an attempt ended without a report.
enum Without {
    /// For good.
    End(ScanEnd),
    /// To be tried again, from what was kept; after the last try, the code says what it failed of.
    Later(ScanEndCode, Problem),
    /// The scan is over already: cancelled, or disconnected.
    Over,
}

impl From<Problem> for Without {
    fn from(problem: Problem) -> Self {
        Self::Later(ScanEndCode::Internal, problem)
    }
}

fn end(code: ScanEndCode, detail: impl Into<String>) -> Without {
    Without::End(ScanEnd { code, detail: detail.into(), cloud: None })
}

/// Performs a scan, or goes on with one that was interrupted.
///
/// # Errors
/// What may pass: the database, the artifact storage, Microsoft out of reach.
pub async fn run(services: &Services, lease: &Lease) -> Result<Done, Failed> {
    let Payload { scan } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    if !begin(services, lease, scan).await? {
        return over(services, lease, scan).await;
    }
    let outcome = async {
        let prepared = prepare(services, lease, scan).await?;
        let report = perform(services, lease, &prepared).await?;
        Ok::<_, Without>((prepared, report))
    };
    match outcome.await {
        Ok((prepared, report)) => complete(services, lease, &prepared, report).await,
        Err(Without::End(end)) => ended(services, lease, scan, &end).await,
        Err(Without::Later(code, problem)) if lease.attempt >= RUN.max_attempts => {
            ended(services, lease, scan, &exhausted(code, &problem)).await
        }
        Err(Without::Later(_, problem)) => Err(Failed(problem)),
        Err(Without::Over) => over(services, lease, scan).await,
    }
}

/// Marks the scan as begun; false when it is over already.
async fn begin(services: &Services, lease: &Lease, scan: ScanId) -> Result<bool, Problem> {
    let mut scope = services.store.write(lease.tenant, &system("scanner", None), &nobody()).await?;
    let now = scope.now();
    let begun = db::begin(scope.sql(), lease.tenant, scan, now).await?;
    services.store.keep_working_state(scope, lease).await?;
    Ok(begun)
}

async fn prepare(services: &Services, lease: &Lease, id: ScanId) -> Result<Prepared, Without> {
    let tenant = lease.tenant;
    let mut scope = services.store.write(tenant, &system("scanner", None), &nobody()).await.map_err(Problem::from)?;
    // A tenant that never uploaded anything has no key yet; this makes one.
    let key = scope.tenant_key(&services.keyring).await.map_err(Problem::from)?;
    services.store.keep_working_state(scope, lease).await.map_err(Problem::from)?;
    let mut scope = services.store.read(tenant, &system("scanner", None), &nobody()).await.map_err(Problem::from)?;
    let scan = db::scan(scope.sql(), tenant, id).await?.ok_or(Without::Over)?;
    let row = connections::db::connection(scope.sql(), tenant, scan.connection).await?.ok_or(Without::Over)?;
    if !row.live() {
        return Err(Without::Over);
    }
    let access = reach::access(services, &mut scope, &row).await;
    let access = access.map_err(|problem| match problem.transient() {
        true => Without::from(problem),
        false => end(ScanEndCode::ConnectionRefused, problem.detail),
    })?;
    let settings = db::settings(scope.sql(), tenant, scan.directory.id).await?.map(|(settings, _)| settings).unwrap_or_default();
    let mut packs = Vec::new();
    for (name, version) in &settings.packs {
        // A version that was removed meanwhile judges nothing; the others do.
        if let Some(files) = db::pack_files(scope.sql(), tenant, name, version).await? {
            packs.push(PackSource { name: name.clone(), version: version.clone(), files: files.into_iter().collect() });
        }
    }
    Ok(Prepared { scan, access, key, settings, packs })
}

/// What the scanner is told.
fn job(prepared: &Prepared, resume: Vec<bailiwick_checks::Resumed>) -> Job {
    let scan = &prepared.scan;
    Job {
        directory: scan.directory.id.0,
        directory_name: scan.directory.name.clone(),
        kind: match scan.kind {
            ScanKind::Compliance => bailiwick_checks::ScanKind::Compliance,
            ScanKind::Exposure => bailiwick_checks::ScanKind::Exposure,
        },
        // The moment of its first attempt, so that each attempt judges alike.
        now: scan.started_at.unwrap_or(scan.queued_at),
        settings: model::judging(prepared.settings.clone()),
        packs: prepared.packs.clone(),
        only: None,
        resume,
        catalogue: scan.catalogue.clone(),
    }
}

/// Runs the scanner to its report.
async fn perform(services: &Services, lease: &Lease, prepared: &Prepared) -> Result<ScanReport, Without> {
    let setup = &services.scanner;
    let scanner = setup.scanner.as_ref().map_err(|why| end(ScanEndCode::SandboxUnavailable, why.clone()))?;
    let (tenant, id) = (lease.tenant, prepared.scan.id);
    let started = prepared.scan.started_at.unwrap_or(prepared.scan.queued_at);
    let minutes = scanner.limits.wall.as_secs() / 60;
    let left = scanner.limits.wall.saturating_sub(elapsed(started, services.store.now()));
    let too_long = || {
        let detail = format!(
            "The scan took longer than the {minutes} minutes it may take. Start it again; see the sources that were slow in its progress."
        );
        end(ScanEndCode::TimeLimit, detail)
    };
    if left.is_zero() {
        return Err(too_long());
    }
    let cancel = CancellationToken::new();
    let _whatever_happens = cancel.clone().drop_guard();
    let deadline = services.store.now().saturating_add(SignedDuration::try_from(left).unwrap_or(SignedDuration::ZERO)).ok();
    let access = prepared.access.clone().until(Until { deadline, cancel: cancel.clone() });
    let mut keeper = Keeper::new(services, lease, id, &prepared.key);
    keeper.write().await?;
    signed_in(services, &access).await?;
    let (job, packs) = job(prepared, resumed(services, &prepared.key, tenant, id, RESUME_BYTES).await?).apart();
    let broker = Broker::new(services, (tenant, id), access, plan(&job), setup.dns.clone(), cancel.clone());
    broker.remember(&job.resume);
    let scanner =
        bailiwick_scanner::Scanner { program: scanner.program.clone(), limits: bailiwick_scanner::Limits { wall: left, ..scanner.limits } };
    // Stopping the broker calls the scan off, which ends the scanner.
    let watch = async {
        loop {
            tokio::time::sleep(WATCH).await;
            if !broker.goes_on().await {
                std::future::pending::<()>().await;
            }
        }
    };
    let work = async {
        let mut report = scanner.run(&job, &broker, &mut keeper, &cancel).await?.report;
        believable(&report, &job).map_err(|what| Ended::Broken { what })?;
        // Each in a child of its own: what a pack does to its process, it does to itself.
        scanner.run_packs(&packs, |pack| broker.for_pack(plan(pack)), &mut report, &cancel).await?;
        Ok(report)
    };
    let scanned: Result<ScanReport, Ended> = tokio::select! {
        scanned = work => scanned,
        () = watch => return Err(Without::Over),
    };
    match (broker.trouble(), scanned) {
        (Some(Trouble::Over), _) => Err(Without::Over),
        (Some(Trouble::Refused(failure)), _) => Err(refused(failure)),
        (Some(Trouble::Unreachable(cause)), _) => Err(Without::Later(ScanEndCode::Unreachable, Problem::unavailable("Microsoft", cause))),
        (Some(Trouble::Unclear(problem)), _) => Err(problem.into()),
        (Some(Trouble::TooLong), _) => Err(too_long()),
        (None, Ok(report)) => {
            keeper.progress.phase = ScanPhase::Storing;
            keeper.write().await?;
            Ok(report)
        }
        (None, Err(Ended::TimedOut { .. })) => Err(too_long()),
        (None, Err(ended)) => Err(without_report(&ended)),
    }
}

/// Whether a report is one that this job's scanner may give: the child is not believed in what it is about.
fn believable(report: &ScanReport, job: &Job) -> Result<(), String> {
    if report.schema != SCHEMA || report.directory != job.directory || report.kind != job.kind {
        return Err("its report is of another format, directory or kind of scan".into());
    }
    let known = Catalogue::shipped().map(Catalogue::checks).unwrap_or_default();
    let ours = |check: &str| known.iter().any(|known| known.id == check);
    match report.results.iter().any(|result| result.pack.is_some() || !ours(&result.check)) || !report.packs.is_empty() {
        true => Err("its report holds results of checks that it was not given".into()),
        false => Ok(()),
    }
}

fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Asks Entra anew, so that a withdrawn consent is told before anything else is tried.
async fn signed_in(services: &Services, access: &Access) -> Result<(), Without> {
    match services.microsoft.client.sign_in(access).await {
        Ok(()) => Ok(()),
        Err(refusal) if refusal.reason.transient() => {
            Err(Without::Later(ScanEndCode::Unreachable, Problem::unavailable("Microsoft's sign-in", refusal)))
        }
        Err(refusal) => Err(refused(reach::token_failure(&refusal))),
    }
}

fn refused(failure: CloudFailure) -> Without {
    let detail = format!("Microsoft did not let the scan in. {}", failure.detail);
    Without::End(ScanEnd { code: ScanEndCode::ConnectionRefused, detail, cloud: Some(failure) })
}

/// What the scanner's end means for the scan.
fn without_report(ended: &Ended) -> Without {
    let detail = ended.to_string();
    match ended {
        Ended::Cancelled => Without::Over,
        Ended::TimedOut { .. } | Ended::CpuLimit { .. } => end(ScanEndCode::TimeLimit, detail),
        Ended::OutOfMemory { .. } => end(ScanEndCode::MemoryLimit, detail),
        Ended::Refused { .. } | Ended::NotStarted { .. } => end(ScanEndCode::SandboxUnavailable, detail),
        Ended::Broken { .. } => end(ScanEndCode::ScannerRefused, detail),
        // Somebody's hand, a full machine, or a database that did not keep a page: it goes on from what was kept.
        Ended::Stopped { .. } | Ended::Killed { .. } | Ended::Failed { .. } => {
            Without::Later(ScanEndCode::ScannerEnded, Problem::unavailable("The scanner", detail))
        }
    }
}

/// The pages that were read, one a line: the request, and its answer reduced to what rules look at.
async fn snapshot(services: &Services, tenant: bailiwick_base::TenantId, prepared: &Prepared) -> Result<Vec<u8>, Problem> {
    let mut lines = Vec::new();
    for resumed in resumed(services, &prepared.key, tenant, prepared.scan.id, SNAPSHOT_BYTES).await? {
        for page in &resumed.pages {
            serde_json::to_writer(&mut lines, &json!({"request": resumed.request, "page": page})).map_err(Problem::internal)?;
            lines.push(b'\n');
        }
        if lines.len() > SNAPSHOT_BYTES {
            return Err(Problem::internal("the snapshot of a scan is larger than it may be"));
        }
    }
    Ok(lines)
}

/// Hands the report to the evidence as one run, and completes the scan, in one transaction.
async fn complete(services: &Services, lease: &Lease, prepared: &Prepared, report: ScanReport) -> Result<Done, Failed> {
    let (tenant, id) = (lease.tenant, prepared.scan.id);
    let score = score(&report);
    let text = serde_json::to_vec(&report).map_err(Problem::internal)?;
    let pages = snapshot(services, tenant, prepared).await?;
    let mut files = vec![OwnFile { name: report::NAME, kind: ArtifactKind::Json, bytes: text }];
    if !pages.is_empty() {
        files.push(OwnFile { name: "snapshot.jsonl", kind: ArtifactKind::Other, bytes: pages });
    }
    let source = format!("Bailiwick {} scan", prepared.scan.kind.as_str());
    let new = OwnRun { source: &source, reference: &id.to_string(), submitted_by: &prepared.scan.requested_by };
    let stored = own::store(services, tenant, &prepared.key, files).await?;
    let mut scope = services.store.write(tenant, &system("scanner", None), &nobody()).await.map_err(Problem::from)?;
    let now = scope.now();
    let run = own::submit(&mut scope, &new, &stored).await?;
    let done = db::Completed { score: &score, complete: report.complete, catalogue: &report.catalogue, run, at: now };
    if !db::complete(scope.sql(), tenant, id, &done).await? {
        drop(scope);
        own::discard(services, &stored).await?;
        return over(services, lease, id).await;
    }
    db::forget_checkpoints(scope.sql(), tenant, id).await?;
    let verified = fixes::verify(&mut scope, &prepared.scan, &report).await?;
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({
        "kind": prepared.scan.kind, "directory": prepared.scan.directory.id, "run": run, "score": score.percent, "complete": report.complete,
        "catalogue": report.catalogue, "fixes_verified": verified, "on_behalf": lease.on_behalf,
    });
    Ok(Done { scope, action: "scan.completed", audited: Audited::new((), format!("scan/{id}"), detail) })
}

fn score(report: &ScanReport) -> Score {
    let overall = &report.scores.overall;
    Score {
        percent: overall.percent,
        band: overall.percent.map(report::band),
        passed: overall.passed,
        failed: overall.failed,
        unclear: overall.unclear,
        skipped: overall.skipped,
    }
}

/// Ends a scan without results.
async fn ended(services: &Services, lease: &Lease, scan: ScanId, end: &ScanEnd) -> Result<Done, Failed> {
    let tenant = lease.tenant;
    let mut scope = services.store.write(tenant, &system("scanner", None), &nobody()).await.map_err(Problem::from)?;
    let now = scope.now();
    let stored = db::scan(scope.sql(), tenant, scan).await?;
    let connection = stored.as_ref().map(|scan| scan.connection);
    db::end(scope.sql(), tenant, scan, ScanState::Failed, end, now).await?;
    if let Some(stored) = stored {
        notifications::announce(&mut scope, Event::ScanFailed { scan, directory: stored.directory.id }).await?;
    }
    // Where Microsoft could not be reached, the connection is not at fault.
    let refused = end.cloud.as_ref().filter(|_| end.code == ScanEndCode::ConnectionRefused);
    if let (Some(failure), Some(connection)) = (refused, connection) {
        note_refusal(&mut scope, connection, failure, now).await?;
    }
    settle(scope, lease, scan, "scan.failed", json!({"end": end, "on_behalf": lease.on_behalf})).await
}

/// The connection shows what its scan met.
async fn note_refusal(
    scope: &mut bailiwick_store::WriteScope,
    connection: ConnectionId,
    failure: &CloudFailure,
    now: Timestamp,
) -> Result<(), Problem> {
    let tenant = scope.tenant();
    connections::db::note_check(scope.sql(), tenant, connection, &Err(failure.clone()), now).await
}

/// Takes the job of a scan that is over out of the queue. Its row ended before, or it ends here: one that ran on without a job would keep
/// its directory from being scanned.
async fn over(services: &Services, lease: &Lease, scan: ScanId) -> Result<Done, Failed> {
    let mut scope = services.store.write(lease.tenant, &system("scanner", None), &nobody()).await.map_err(Problem::from)?;
    let (now, detail) = (scope.now(), "The directory was disconnected before the scan came to its end. Nothing of it is kept.".into());
    let end = ScanEnd { code: ScanEndCode::Disconnected, detail, cloud: None };
    db::end(scope.sql(), lease.tenant, scan, ScanState::Cancelled, &end, now).await?;
    settle(scope, lease, scan, "scan.stopped", json!({"on_behalf": lease.on_behalf})).await
}

async fn settle(
    mut scope: bailiwick_store::WriteScope,
    lease: &Lease,
    scan: ScanId,
    action: &'static str,
    detail: Value,
) -> Result<Done, Failed> {
    db::forget_checkpoints(scope.sql(), lease.tenant, scan).await?;
    scope.finish(lease).await.map_err(Problem::from)?;
    Ok(Done { scope, action, audited: Audited::new((), format!("scan/{scan}"), detail) })
}

/// The end of a scan whose last attempt failed, by what it failed of.
fn exhausted(code: ScanEndCode, problem: &Problem) -> ScanEnd {
    if code == ScanEndCode::Unreachable {
        let detail =
            "Microsoft could not be reached for a quarter of an hour. Look at the network and its name servers, then start the scan again.";
        let cloud = connections::model::failure(CloudFailureCode::Unreachable, problem.detail.clone());
        return ScanEnd { code, detail: detail.into(), cloud: Some(cloud) };
    }
    let attempts = RUN.max_attempts;
    let detail = format!("The scan was begun {attempts} times and did not come to its end. Its operator finds the cause in the log.");
    ScanEnd { code, detail, cloud: None }
}

/// Ends a scan whose last attempt ended with its worker, or could not be settled.
///
/// # Errors
/// The database's.
pub async fn give_up(services: &Services, lease: &Lease, problem: &Problem) -> Result<Done, Failed> {
    let Payload { scan } = serde_json::from_value(lease.payload.clone()).map_err(Problem::internal)?;
    ended(services, lease, scan, &exhausted(ScanEndCode::Internal, problem)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_checks::Settings;

    #[test]
    fn what_the_last_attempt_failed_of_is_told_by_its_code() {
        let told = |code| exhausted(code, &Problem::unavailable("Microsoft", "no route"));
        let unreachable = told(ScanEndCode::Unreachable);
        assert_eq!(unreachable.cloud.unwrap().code, CloudFailureCode::Unreachable);
        for code in [ScanEndCode::ScannerEnded, ScanEndCode::Internal] {
            assert_eq!((told(code).code, told(code).cloud), (code, None));
        }
    }

    fn report(job: &Job, check: &str) -> ScanReport {
        let result = json!({
            "check": check, "version": 1, "title": "t", "product": "entra", "severity": "medium", "verdict": "passed", "reason": null,
            "actual": null, "expected": null, "path": "a", "request": "/v1.0/a", "objects": [], "object_count": 0, "exclusions": [],
            "would_pass_if_enforced": false, "frameworks": [], "remediation": "r", "references": []
        });
        let score = json!({"passed": 1, "failed": 0, "unclear": 0, "skipped": 0, "percent": 100.0, "band": "Excellent"});
        serde_json::from_value(json!({
            "schema": SCHEMA, "directory": job.directory, "directory_name": "Contoso", "kind": job.kind,
            "started_at": "2026-11-22T08:00:00Z", "catalogue": "1", "complete": true, "results": [result], "sources": [],
            "scores": {"overall": score, "by_product": {}, "by_framework": {}}, "packs": []
        }))
        .unwrap()
    }

    #[test]
    fn a_report_about_something_else_is_not_believed() {
        let job: Job = serde_json::from_value(json!({
            "directory": "b0a71a1c-0000-4000-8000-000000000001", "directory_name": "Contoso", "kind": "compliance",
            "now": "2026-11-22T08:00:00Z", "settings": Settings::default(), "packs": [], "only": null, "resume": [], "catalogue": null
        }))
        .unwrap();
        let check = Catalogue::shipped().unwrap().checks()[0].id.clone();
        let good = report(&job, &check);
        assert_eq!(believable(&good, &job), Ok(()));
        let mut other = good.clone();
        other.directory = "b0a71a1c-0000-4000-8000-000000000002".parse().unwrap();
        assert!(believable(&other, &job).is_err());
        let mut other = good.clone();
        other.kind = bailiwick_checks::ScanKind::Exposure;
        assert!(believable(&other, &job).is_err());
        let mut other = good.clone();
        other.schema = "bailiwick.scan/0".into();
        assert!(believable(&other, &job).is_err());
        let mut other = good;
        other.results[0].pack = Some("mine".into());
        assert!(believable(&other, &job).is_err());
        assert!(believable(&report(&job, "made.up.check"), &job).is_err());
    }
}
