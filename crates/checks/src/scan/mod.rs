//! One scan: reads what the plan names, judges as pages come in, and reports.
//!
//! What must stay true: a listing is never held, only counted; what was not read whole gives no verdict; one source's failure is told to its
//! own checks and no others.

pub(crate) mod end;
mod judge;
mod learn;
mod project;
mod queue;
mod score;
mod sources;

pub(crate) use score::scores;

use crate::{
    Answer, Catalogue, Check, CheckResult, Fetch, Job, Progress, Request, SCHEMA, ScanReport, packs,
    plan::{Plan, plan_of},
};

/// Requests in one call of [`Fetch::fetch`], as Graph's `$batch` allows.
pub const BATCH: usize = 20;
/// Pages of one listing; more is taken for one without an end.
pub const PAGES: u32 = 10_000;

/// Runs a job over the shipped catalogue. Never panics: what goes wrong is in the report.
pub fn scan(job: &Job, fetch: &mut dyn Fetch, progress: &mut dyn Progress) -> ScanReport {
    match Catalogue::shipped() {
        Ok(catalogue) => scan_by(catalogue, job, fetch, progress),
        Err(_) => report(job, "unreadable", &plan_of(job, &[]), Vec::new(), Vec::new(), progress),
    }
}

/// Runs a job over a catalogue of one's own.
pub fn scan_by(catalogue: &Catalogue, job: &Job, fetch: &mut dyn Fetch, progress: &mut dyn Progress) -> ScanReport {
    run(catalogue.checks(), catalogue.version(), job, fetch, progress)
}

/// Runs a job over some checks.
pub(crate) fn run(checks: &[Check], version: &str, job: &Job, fetch: &mut dyn Fetch, progress: &mut dyn Progress) -> ScanReport {
    let plan = plan_of(job, checks);
    progress.planned(plan.requests.len(), plan.checks.len());
    let mut sources = sources::Sources::new(&plan, job);
    sources.collect(&mut Counted(fetch), progress);
    let results = judge::results(&plan, job, &sources);
    let statuses = sources.statuses();
    let mut report = report(job, version, &plan, statuses, results, progress);
    packs::judge(job, fetch, progress, &mut report);
    report
}

fn report(
    job: &Job,
    version: &str,
    plan: &Plan,
    sources: Vec<crate::SourceStatus>,
    results: Vec<CheckResult>,
    progress: &mut dyn Progress,
) -> ScanReport {
    results.iter().for_each(|result| progress.judged(result));
    let pinned = job.catalogue.clone().filter(|pinned| pinned != version);
    ScanReport {
        schema: SCHEMA.to_owned(),
        directory: job.directory,
        directory_name: job.directory_name.clone(),
        kind: job.kind,
        started_at: job.now,
        catalogue: version.to_owned(),
        pinned,
        complete: !plan.requests.is_empty() && sources.iter().all(|source| source.state != crate::SourceState::Failed),
        scores: scores(&results),
        sources,
        results,
        packs: Vec::new(),
    }
}

/// Holds a fetcher to its promise: one answer for each request.
struct Counted<'f>(&'f mut dyn Fetch);

impl Counted<'_> {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        let mut answers = self.0.fetch(requests);
        let missing =
            || Answer::Failed { kind: crate::FaultKind::Server, message: "The fetcher gave no answer to this request.".to_owned() };
        answers.resize_with(requests.len(), missing);
        answers
    }
}
