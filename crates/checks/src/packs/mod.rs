//! Packs: a tenant's own checks in Rego, and ScubaGear's, judged after the catalogue's.
//!
//! What must stay true: a pack harms only itself. One that cannot be read, loops or answers nonsense says so in its `PackStatus` and the
//! shipped checks have long been judged; one that allocates without end takes only its own process along, where [`Job::apart`] gave it one.
//! A pack reads what its manifest names and its plan allows, and changes nothing.

mod cases;
mod collect;
mod evaluate;
mod manifest;
mod paths;
mod results;
mod scuba;

pub use cases::{PackCaseOutcome, run_pack_cases};
pub use evaluate::prepare;
pub use manifest::{MANIFEST, Manifest, Pack, PackKind, Read, ScubaProduct};
pub use scuba::{NOT_IN_GRAPH, export as scuba_export};

use crate::{CheckResult, Fetch, Job, PackSource, PackStatus, Progress, ScanReport, SourceState, scan::scores};
use collect::Collected;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What one pack came to.
struct Judged {
    status: PackStatus,
    results: Vec<CheckResult>,
    sources: Vec<crate::SourceStatus>,
}

/// Judges the job's packs, one by one, and adds them to the report.
pub(crate) fn judge(job: &Job, fetch: &mut dyn Fetch, progress: &mut dyn Progress, report: &mut ScanReport) {
    for source in &job.packs {
        let judged = judge_one(source, job, fetch);
        judged.results.iter().for_each(|result| progress.judged(result));
        report.add(judged);
    }
}

fn judge_one(source: &PackSource, job: &Job, fetch: &mut dyn Fetch) -> Judged {
    let pack = match Pack::read(source) {
        Ok(pack) => pack,
        Err(why) => return Judged { status: status(source, Some(why), 0), results: Vec::new(), sources: Vec::new() },
    };
    let collected = collect::collect(job, &pack.reads(), fetch);
    let (input, commands) = input(&pack, job, &collected);
    let (results, problems) = answer(&pack, input, &collected, &commands);
    let error = (!problems.is_empty()).then(|| problems.join(" "));
    let checks = u32::try_from(results.len()).unwrap_or(u32::MAX);
    Judged { status: status(source, error, checks), results, sources: collected.sources }
}

/// What the pack says to an input.
fn answer(pack: &Pack<'_>, input: Value, collected: &Collected, commands: &BTreeSet<String>) -> (Vec<CheckResult>, Vec<String>) {
    match evaluate::evaluate(pack, input, evaluate::TIME) {
        Err(why) => (Vec::new(), vec![why]),
        Ok(value) => {
            let told = results::results(pack, value, collected, commands);
            (told.results, told.problems)
        }
    }
}

/// What the pack's rules see as `input`, and for ScubaGear's the commands it stands for.
fn input(pack: &Pack<'_>, job: &Job, collected: &Collected) -> (Value, BTreeSet<String>) {
    match pack.manifest.kind {
        PackKind::ScubaGear => scuba::export(&pack.manifest.provides, job, &collected.answers),
        PackKind::Rego => {
            let settings = &job.settings;
            let failed: BTreeMap<&String, Value> = collected
                .failed
                .iter()
                .map(|(path, fault)| (path, json!({"code": fault.code, "status": fault.status, "message": fault.message})))
                .collect();
            let input = json!({
                "directory": {"id": job.directory, "name": job.directory_name},
                "now": job.now,
                "settings": {
                    "emergency_accounts": settings.emergency_accounts,
                    "emergency_groups": settings.emergency_groups,
                    "accepted_exclusions": settings.accepted_exclusions,
                    "accepted_entities": settings.accepted_entities,
                    "parameters": settings.parameters.get(&format!("pack:{}", pack.manifest.name)),
                },
                "answers": collected.answers,
                "each": collected.each,
                "failed": failed,
            });
            (input, BTreeSet::new())
        }
    }
}

fn status(source: &PackSource, error: Option<String>, checks: u32) -> PackStatus {
    PackStatus { name: source.name.clone(), version: source.version.clone(), error, checks }
}

impl Job {
    /// The scan of the catalogue alone, and a job for each pack, to be run in a process of its own: what a pack does to that process, it
    /// does to itself. Each job has its own plan.
    pub fn apart(mut self) -> (Self, Vec<Self>) {
        let packs = std::mem::take(&mut self.packs);
        let alone = |pack| Self { packs: vec![pack], only: Some(Vec::new()), resume: Vec::new(), ..self.clone() };
        let jobs = packs.into_iter().map(alone).collect();
        (self, jobs)
    }
}

impl ScanReport {
    /// Adds what a pack's own process came to: its report, or why there is none. Takes of a report only what that pack may say.
    pub fn add_pack(&mut self, pack: &PackSource, outcome: Result<ScanReport, String>) {
        let judged = match outcome {
            Err(why) => Judged { status: status(pack, Some(why), 0), results: Vec::new(), sources: Vec::new() },
            Ok(report) => {
                let named = results::name(&pack.name, "");
                let own = |result: &CheckResult| result.pack.as_ref() == Some(&pack.name) && result.check.starts_with(&named);
                let results: Vec<CheckResult> = report.results.into_iter().filter(own).collect();
                let error = match report.packs.into_iter().next() {
                    Some(status) => status.error,
                    None => Some("The pack was not run.".to_owned()),
                };
                let checks = u32::try_from(results.len()).unwrap_or(u32::MAX);
                Judged { status: status(pack, error, checks), results, sources: report.sources }
            }
        };
        self.add(judged);
    }

    fn add(&mut self, judged: Judged) {
        let Judged { status, results, sources } = judged;
        // What a pack did not say is not known: nothing it found before is mended by that.
        self.complete &= status.error.is_none() && sources.iter().all(|source| source.state != SourceState::Failed);
        self.packs.push(status);
        self.results.extend(results);
        for source in sources {
            if !self.sources.iter().any(|known| (known.service, &known.path) == (source.service, &source.path)) {
                self.sources.push(source);
            }
        }
        self.scores = scores(&self.results);
    }
}
