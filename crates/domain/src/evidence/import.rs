//! Importing a run: its reports are read and settled in one transaction, all or nothing.

use super::db::{self, Processed};
use super::reading::{self, Told};
use crate::Services;
use crate::findings::settle::{About, Settling};
use bailiwick_base::{Code, Counts, Family, Problem, ProjectId, RunId, Timestamp};
use bailiwick_contract::evidence::{Artifact, ArtifactKind, Failure, FindingCounts};
use bailiwick_formats::{Report, SeriesEnd, SeriesInfo};
use bailiwick_store::artifacts::ObjectKey;
use bailiwick_store::keyring::TenantKey;
use bailiwick_store::{ReadScope, WriteScope};
use std::collections::HashSet;
use std::sync::Arc;

/// What is to be imported, read before the import's own transaction begins.
pub struct Plan {
    pub run: RunId,
    pub project: Option<ProjectId>,
    pub source: String,
    completed_at: Timestamp,
    reports: Vec<(Artifact, Arc<TenantKey>)>,
}

/// Which of a run's artifacts are read. Data beats pages, and pages beat whatever else a tool wrote beside its report.
pub async fn plan(services: &Services, scope: &mut ReadScope, id: RunId) -> Result<Plan, Problem> {
    let tenant = scope.tenant();
    let run = db::run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?.run();
    let artifacts = db::artifacts(scope.sql(), tenant, id).await?;
    let kind = [ArtifactKind::Json, ArtifactKind::Html].into_iter().find(|kind| artifacts.iter().any(|a| a.kind == *kind));
    let (mut reports, mut read) = (Vec::new(), HashSet::new());
    for artifact in artifacts {
        // The same bytes under two names are one report.
        if kind.is_some_and(|kind| artifact.kind != kind) || !read.insert(artifact.sha256.clone()) {
            continue;
        }
        let (artifact, version) = db::artifact_named(scope.sql(), tenant, id, &artifact.name).await?.ok_or_else(Problem::not_found)?;
        let key = scope.tenant_key_version(&services.keyring, version).await?;
        reports.push((artifact, Arc::new(key)));
    }
    Ok(Plan {
        run: id,
        project: run.project.map(|p| p.id),
        source: run.source,
        completed_at: run.completed_at.unwrap_or(run.opened_at),
        reports,
    })
}

/// Why an import stopped, and in which artifact.
pub struct Stopped {
    pub problem: Problem,
    pub artifact: Option<String>,
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self { problem, artifact: None }
    }
}

impl Stopped {
    /// As the run shows it.
    pub fn failure(&self) -> Failure {
        Failure {
            code: self.problem.code,
            detail: self.problem.detail.clone(),
            place: self.problem.place.clone(),
            artifact: self.artifact.clone(),
        }
    }
}

/// What an import came to.
pub struct Imported {
    pub family: Family,
    pub counts: Counts,
    pub findings: FindingCounts,
}

/// What the reports said about the run as a whole.
#[derive(Default)]
struct Gathered {
    family: Option<Family>,
    tool: Option<String>,
    tool_version: Option<String>,
    assessed_at: Option<Timestamp>,
    remarks: Vec<String>,
}

/// At most this many remarks are kept.
const REMARKS: usize = 100;

impl Gathered {
    fn begin(&mut self, info: &SeriesInfo) {
        self.family.get_or_insert(info.family);
        match &mut self.tool {
            None => self.tool = Some(info.tool.clone()),
            Some(tools) if !tools.split(", ").any(|t| t == info.tool) && tools.len() < 400 => {
                tools.push_str(", ");
                tools.push_str(&info.tool);
            }
            Some(_) => {}
        }
        if self.tool_version.is_none() {
            self.tool_version = info.tool_version.clone();
        }
        self.assessed_at = self.assessed_at.max(info.assessed_at);
    }

    fn remark(&mut self, text: String) {
        if self.remarks.len() < REMARKS {
            self.remarks.push(text);
        }
    }

    fn end(&mut self, end: &SeriesEnd) {
        for (member, stated, counted) in &end.header_mismatches {
            self.remark(format!("The header says {member} is {stated}; the results themselves give {counted}."));
        }
        for (word, times) in &end.unknown_words {
            self.remark(format!("The word {word:?} is not one Bailiwick knows; it came {times} times and is kept as unknown."));
        }
        if let Some(reason) = end.incomplete_reason.as_ref().filter(|_| !end.complete) {
            self.remark(format!("The tool did not finish: {reason}. What it did not look at stays as it was."));
        }
    }

    fn done(&mut self, report: &Report) {
        for (place, why) in &report.refused {
            self.remark(format!("A part of the report was refused at {place}: {why}"));
        }
    }
}

/// Imports a planned run in the scope's transaction. Nothing of it is kept unless the caller commits.
///
/// # Errors
/// The report is refused, or a part Bailiwick depends on fails; [`Problem::transient`] tells them apart.
pub async fn import(services: &Services, scope: &mut WriteScope, plan: &Plan, attempt: i32) -> Result<Imported, Stopped> {
    let about = About { run: plan.run, project: plan.project, completed_at: plan.completed_at };
    let mut gathered = Gathered::default();
    let mut series: Vec<Settling> = Vec::new();
    for (artifact, key) in &plan.reports {
        let read = read_one(services, scope, &about, artifact, key.clone(), &mut gathered, &mut series).await;
        read.map_err(|problem| Stopped { problem, artifact: Some(artifact.name.clone()) })?;
    }
    let family = gathered.family.ok_or_else(|| Problem::new(Code::UnknownFormat, "The run holds no report that Bailiwick reads."))?;
    let (mut counts, mut findings) = (Counts::default(), FindingCounts::default());
    for settling in series {
        if settling.late() {
            gathered.remark("A newer run of the same series was there before. This one is kept as evidence and changes no finding.".into());
        }
        let (c, f) = settling.end(scope).await?;
        counts += c;
        findings.new += f.new;
        findings.existing += f.existing;
        findings.fixed += f.fixed;
        findings.reopened += f.reopened;
    }
    let processed = Processed {
        family,
        tool: gathered.tool.as_deref().unwrap_or_default(),
        tool_version: gathered.tool_version.as_deref(),
        assessed_at: gathered.assessed_at,
        counts,
        findings,
        remarks: &gathered.remarks,
        attempts: attempt,
        at: scope.now(),
    };
    let tenant = scope.tenant();
    db::mark_succeeded(scope.sql(), tenant, plan.run, &processed).await?;
    Ok(Imported { family, counts, findings })
}

async fn read_one(
    services: &Services,
    scope: &mut WriteScope,
    about: &About,
    artifact: &Artifact,
    key: Arc<TenantKey>,
    gathered: &mut Gathered,
    series: &mut Vec<Settling>,
) -> Result<(), Problem> {
    let tenant = scope.tenant();
    let object = ObjectKey { tenant, run: artifact.run, artifact: artifact.id };
    let sha256 = super::model::sha256("sha256", &artifact.sha256)?;
    let mut told = reading::start(services, object, key, sha256);
    let mut at: Option<(usize, String)> = None;
    while let Some(next) = told.recv().await {
        match next {
            Told::Begin(info) => {
                if gathered.family.is_some_and(|family| family != info.family) {
                    return Err(Problem::new(
                        Code::BadReport,
                        "One run holds reports of two families. Send each family in a run of its own.",
                    ));
                }
                // What Bailiwick found itself is believed as such; anybody who may upload could otherwise close its findings.
                if info.family == Family::Scan && !db::of_own_scan(scope.sql(), tenant, about.run).await? {
                    return Err(Problem::new(Code::BadReport, "Reports of Bailiwick's own scans are written by Bailiwick alone."));
                }
                gathered.begin(&info);
                at = Some((place_of(scope, about, &info, series).await?, info.tool));
            }
            Told::Rows { checks, observations } => {
                let (index, tool) = at.as_ref().ok_or_else(|| Problem::internal("rows before a series"))?;
                series[*index].rows(scope, tool, checks, observations).await?;
            }
            Told::End(end) => {
                gathered.end(&end);
                let (index, _) = at.take().ok_or_else(|| Problem::internal("an end before a series"))?;
                series[index].part_ended(&end);
            }
            Told::Done(report) => {
                gathered.done(&report);
                return Ok(());
            }
            Told::Refused(problem) => return Err(problem),
        }
    }
    Err(Problem::unavailable("The report's reader", "the reader ended without a word"))
}

/// The part of the run a series belongs to: a new one, or the one an earlier part of the report began.
async fn place_of(scope: &mut WriteScope, about: &About, info: &SeriesInfo, series: &mut Vec<Settling>) -> Result<usize, Problem> {
    let identity = crate::findings::settle::identity(info, about.project);
    if let Some(index) = series.iter().position(|s| s.identity() == identity) {
        return Ok(index);
    }
    series.push(Settling::begin(scope, info, about).await?);
    Ok(series.len() - 1)
}
