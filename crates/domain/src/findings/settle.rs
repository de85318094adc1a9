//! Settling one part of a run into its series: what is new is written, what changed is replaced, what is the same is not touched.
//!
//! The current state of the series is read once (32 bytes a result); each batch is held against it in memory, and only differences
//! go to the database. Cost grows with what changed; a report imported again writes no observation and no finding.

use super::db::{self, FindingUpdate, NewFinding, NewObservation, SeriesRow};
use super::model::{Standing, Turn, turn, turn_unseen};
use crate::notifications::{self, Event};
use crate::tenancy;
use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_base::{CheckId, Code, Counts, DirectoryId, Family, FindingId, Outcome, Problem, Product, ProjectId, RunId, Timestamp};
use bailiwick_contract::evidence::FindingCounts;
use bailiwick_contract::findings::Coverage;
use bailiwick_contract::tenancy::UnknownDirectory;
use bailiwick_formats::{CheckInfo, Observation, SeriesEnd, SeriesInfo};
use bailiwick_store::WriteScope;
use std::collections::HashMap;

/// What the store knows of one result before the run, and whether the run has named it.
#[derive(Clone, Copy)]
struct Known {
    content: i64,
    standing: Standing,
    /// The series' newest run holds it (it may also be an older, open finding that the newest run did not name).
    current: bool,
    seen: bool,
}

/// A check as it is known in this run.
struct KnownCheck {
    id: CheckId,
    title: String,
    product: Option<Product>,
}

/// One series being settled.
pub struct Settling {
    identity: [u8; 32],
    series: SeriesRow,
    family: Family,
    run: RunId,
    project: Option<ProjectId>,
    position: i32,
    /// When this run looked, for the trend; the run's own time where the report says none.
    at: Timestamp,
    known: HashMap<[u8; 16], Known>,
    /// An older look than the series' newest: it is counted and kept as evidence, and turns nothing back.
    late: bool,
    checks: HashMap<String, KnownCheck>,
    pub counts: Counts,
    pub findings: FindingCounts,
    /// A failing result is not what the series said of it before: somebody may want to be told.
    turned: bool,
    coverage: HashMap<Product, Coverage>,
    complete: bool,
    incomplete_reason: Option<String>,
    /// The checks the tool looked for, where it says so; silence closes no finding of another.
    looked_for: Vec<String>,
}

/// The run that is being settled.
pub struct About {
    pub run: RunId,
    pub project: Option<ProjectId>,
    pub completed_at: Timestamp,
}

/// What makes two reports comparable.
pub fn identity(info: &SeriesInfo, project: Option<ProjectId>) -> [u8; 32] {
    let parts = [
        info.family.as_str().to_owned(),
        info.directory.map(|d| d.to_string()).unwrap_or_default(),
        project.map(|p| p.to_string()).unwrap_or_default(),
        info.tool.to_lowercase(),
        info.category.clone(),
    ];
    let mut identity = [0; 32];
    identity.copy_from_slice(digest(&SHA256, parts.join("\u{1f}").as_bytes()).as_ref());
    identity
}

/// When a run looked: what its report says, but never after it arrived, nor before there was anything to look at.
fn looked_at(assessed: Option<Timestamp>, arrived: Timestamp) -> Timestamp {
    const EARLIEST: Timestamp = Timestamp::constant(946_684_800, 0);
    assessed.filter(|at| *at >= EARLIEST).map_or(arrived, |at| at.min(arrived))
}

/// Checks that the assessed directory is one of the tenant's, adding it where the tenant's setting says so.
///
/// # Errors
/// `unknown_directory`.
async fn admit_directory(scope: &mut WriteScope, info: &SeriesInfo) -> Result<Option<DirectoryId>, Problem> {
    let Some(directory) = info.directory.map(DirectoryId) else { return Ok(None) };
    let (tenant, now) = (scope.tenant(), scope.now());
    let taken = tenancy::db::takes_directory(scope.sql(), tenant, directory).await?;
    if taken == Some(true) {
        return Ok(Some(directory));
    }
    // What a person removed does not come back by itself.
    let removed = taken == Some(false);
    if removed || tenancy::db::settings(scope.sql(), tenant).await?.unknown_directory == UnknownDirectory::Refuse {
        let detail = format!(
            "The report is about directory {directory}, which this tenant does not list. Add it in Settings, or let unknown directories be added."
        );
        return Err(Problem::new(Code::UnknownDirectory, detail));
    }
    let name: String = info.directory_name.as_deref().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    let name = if name.trim().is_empty() { directory.to_string() } else { name.trim().to_owned() };
    tenancy::db::add_directory(scope.sql(), tenant, directory, &name, "reported", now).await?;
    Ok(Some(directory))
}

impl Settling {
    /// Finds or begins the series, locks it, and reads its current state.
    ///
    /// # Errors
    /// `unknown_directory`, or the database's.
    pub async fn begin(scope: &mut WriteScope, info: &SeriesInfo, about: &About) -> Result<Self, Problem> {
        let directory = admit_directory(scope, info).await?;
        let tenant = scope.tenant();
        let identity = identity(info, about.project);
        let series = db::lock_series(scope, info, directory, about.project, &identity).await?;
        let known = db::current(scope.sql(), tenant, series.id).await?;
        let known = known
            .into_iter()
            .map(|row| (row.fingerprint, Known { content: row.content, standing: row.standing, current: row.current, seen: false }))
            .collect();
        let at = looked_at(info.assessed_at, about.completed_at);
        let late = series.last_run_at.is_some_and(|newest| at < newest);
        Ok(Self {
            identity,
            position: series.positions + 1,
            series,
            family: info.family,
            run: about.run,
            project: about.project,
            at,
            known,
            late,
            checks: HashMap::new(),
            counts: Counts::default(),
            findings: FindingCounts::default(),
            turned: false,
            coverage: HashMap::new(),
            complete: true,
            incomplete_reason: None,
            looked_for: Vec::new(),
        })
    }

    /// What tells this series from the others of its run.
    pub fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// Takes one batch.
    ///
    /// # Errors
    /// The database's, or an observation names a check that was not told.
    pub async fn rows(
        &mut self,
        scope: &mut WriteScope,
        tool: &str,
        checks: Vec<CheckInfo>,
        observations: Vec<Observation>,
    ) -> Result<(), Problem> {
        self.learn(scope, tool, checks).await?;
        let (mut inserted, mut closed, mut opened, mut updated) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for mut observation in observations {
            let outcome = observation.outcome;
            self.counts.add(outcome);
            let check = self.checks.get(&observation.check);
            let check = check.ok_or_else(|| Problem::internal(format!("check {:?} was not told before its result", observation.check)))?;
            cover(&mut self.coverage, check.product.unwrap_or(Product::Other), outcome);
            if self.late {
                continue;
            }
            observation.fingerprint = self.distinct(observation.fingerprint);
            let fingerprint = observation.fingerprint;
            let content = observation.content as i64;
            let before = self.known.get(&fingerprint).copied();
            let standing = before.map_or(Standing::None, |k| k.standing);
            let turn = turn(standing, outcome);
            let unchanged = before.is_some_and(|k| k.current && k.content == content);
            self.turned |= outcome.failing() && !unchanged && before.is_some_and(|k| k.current);
            match turn {
                Turn::Open => self.findings.new += 1,
                Turn::Reopen => self.findings.reopened += 1,
                Turn::Fix => self.findings.fixed += 1,
                Turn::Stay if outcome.failing() => self.findings.existing += 1,
                Turn::Stay | Turn::None => {}
            }
            let after = match turn {
                Turn::Open | Turn::Reopen => Standing::Open,
                Turn::Fix => Standing::Fixed,
                Turn::Stay | Turn::None => standing,
            };
            self.known.insert(fingerprint, Known { content, standing: after, current: true, seen: true });
            if turn == Turn::Open {
                opened.push(NewFinding {
                    id: FindingId::new(scope.clock(), scope.rng()),
                    fingerprint,
                    check: check.id,
                    product: check.product,
                    severity: observation.severity,
                    suppressed: observation.suppressed.is_some(),
                });
            } else if matches!(turn, Turn::Reopen | Turn::Fix) || (turn == Turn::Stay && !unchanged && outcome.failing()) {
                updated.push(FindingUpdate {
                    fingerprint,
                    turn,
                    outcome,
                    severity: observation.severity,
                    suppressed: observation.suppressed.is_some(),
                    check: check.id,
                    product: check.product,
                });
            }
            if unchanged {
                continue;
            }
            if before.is_some_and(|k| k.current) {
                closed.push(fingerprint);
            }
            let title = (observation.title != check.title).then(|| observation.title.clone());
            inserted.push(NewObservation { check: check.id, title, observation });
        }
        let context = self.context();
        db::close(scope, &context, &closed).await?;
        db::insert_observations(scope, &context, &inserted).await?;
        db::insert_findings(scope, &context, &opened).await?;
        db::update_findings(scope, &context, &updated).await
    }

    fn context(&self) -> db::At {
        db::At {
            series: self.series.id,
            position: self.position,
            run: self.run,
            project: self.project,
            directory: self.series.directory,
            family: self.family,
            at: self.at,
        }
    }

    /// Two parts of one report may hold the same result (one directory twice in a merged report): the second is kept apart.
    fn distinct(&self, fingerprint: [u8; 16]) -> [u8; 16] {
        let mut candidate = fingerprint;
        let mut ordinal = 1u32;
        while self.known.get(&candidate).is_some_and(|k| k.seen) {
            let hash = digest(&SHA256, &[&fingerprint[..], &ordinal.to_be_bytes()].concat());
            candidate.copy_from_slice(&hash.as_ref()[..16]);
            ordinal += 1;
        }
        candidate
    }

    async fn learn(&mut self, scope: &mut WriteScope, tool: &str, checks: Vec<CheckInfo>) -> Result<(), Problem> {
        // A check told twice in one report keeps its first words.
        let mut fresh: Vec<CheckInfo> = Vec::new();
        let mut keys = std::collections::HashSet::new();
        for check in checks {
            if !self.checks.contains_key(&check.key) && keys.insert(check.key.clone()) {
                fresh.push(check);
            }
        }
        let ids = db::upsert_checks(scope, self.family, tool, self.project, &fresh).await?;
        for check in fresh {
            let id = *ids.get(&check.key).ok_or_else(|| Problem::internal(format!("check {:?} was not kept", check.key)))?;
            self.checks.insert(check.key, KnownCheck { id, title: check.title, product: check.product });
        }
        Ok(())
    }

    /// Whether a newer run of the series was there before.
    pub fn late(&self) -> bool {
        self.late
    }

    /// Notes how a part of the report ended.
    pub fn part_ended(&mut self, end: &SeriesEnd) {
        self.looked_for.extend_from_slice(&end.looked_for);
        if !end.complete {
            self.complete = false;
            self.incomplete_reason = end.incomplete_reason.clone().or(self.incomplete_reason.take());
        }
    }

    /// Closes what the run did not name, and records what the series now looks like.
    ///
    /// # Errors
    /// The database's.
    pub async fn end(self, scope: &mut WriteScope) -> Result<(Counts, FindingCounts), Problem> {
        if self.late {
            return Ok((self.counts, FindingCounts::default()));
        }
        let context = self.context();
        let (mut closed, mut fixed) = (Vec::new(), Vec::new());
        for (fingerprint, known) in &self.known {
            if known.seen {
                continue;
            }
            if known.current {
                closed.push(*fingerprint);
            }
            if turn_unseen(known.standing, self.family, self.complete) == Turn::Fix {
                fixed.push(*fingerprint);
            }
        }
        db::close(scope, &context, &closed).await?;
        let mut findings = self.findings;
        findings.fixed += db::fix(scope, &context, &fixed, &self.looked_for).await?;
        let mut coverage: Vec<Coverage> = self.coverage.into_values().collect();
        coverage.sort_by_key(|c| c.product);
        if let Some(directory) = self.series.directory {
            let tenant = scope.tenant();
            tenancy::db::touch_directory(scope.sql(), tenant, directory, self.at).await?;
        }
        let record = db::RunRecord {
            counts: self.counts,
            findings,
            coverage,
            complete: self.complete,
            incomplete_reason: self.incomplete_reason.as_deref(),
        };
        db::record_run(scope, &context, &record).await?;
        if self.turned {
            let event =
                Event::DriftRegressed { run: self.run, series: self.series.id, directory: self.series.directory, project: self.project };
            notifications::announce(scope, event).await?;
        }
        Ok((self.counts, findings))
    }
}

fn cover(coverage: &mut HashMap<Product, Coverage>, product: Product, outcome: Outcome) {
    let line = coverage.entry(product).or_insert(Coverage { product, passed: 0, failing: 0, skipped: 0, unknown: 0 });
    *match outcome {
        Outcome::Passed => &mut line.passed,
        Outcome::Failed | Outcome::Error | Outcome::Investigate => &mut line.failing,
        Outcome::Skipped | Outcome::NotRun => &mut line.skipped,
        Outcome::Unknown => &mut line.unknown,
    } += 1;
}
