//! The operations of scans.

use super::db::{self, NewPack as PackRow, NewScan as ScanRow, ScanFilter, ScheduleText};
use super::{job_key, jobs, live, model, report, schedules};
use crate::connections::db::ConnectionRow;
use crate::{Call, LiveHandler, Mount, ReadHandler, Services, WatchHandler, WriteHandler, connections, text};
use bailiwick_base::{Code, ConnectionId, Page, PrincipalKind, Problem, ScanId, ScheduleId, TenantId, Timestamp};
use bailiwick_contract::Empty;
use bailiwick_contract::connections::ConnectionKind;
use bailiwick_contract::evidence::Paging;
use bailiwick_contract::scans::{
    AddPack, CancelScan, ChangeScanSchedule, CreateScanSchedule, GetLivePolicies, GetLiveThreats, GetScan, GetScanResult, GetScanSettings,
    GetScanSummary, ListPacks, ListScanResults, ListScanSchedules, ListScans, NewScanSchedule, Pack, RemovePack, RemoveScanSchedule, Scan,
    ScanEnd, ScanEndCode, ScanEvent, ScanKind, ScanResult, ScanResultPage, ScanResultQuery, ScanSchedule, ScanState, ScanSummary,
    SetScanSettings, SettingsOfDirectory, StartScan, Verdict, VerdictCounts, WatchScan,
};
use bailiwick_store::{Audited, Caller, NewJob, ReadScope, WriteScope};
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

pub fn mount(to: &mut impl Mount) {
    to.write::<StartScan>();
    to.read::<ListScans>();
    to.read::<GetScan>();
    to.write::<CancelScan>();
    to.watch::<WatchScan>();
    to.live::<GetScanSummary>();
    to.live::<ListScanResults>();
    to.live::<GetScanResult>();
    to.read::<ListScanSchedules>();
    to.write::<CreateScanSchedule>();
    to.write::<ChangeScanSchedule>();
    to.write::<RemoveScanSchedule>();
    to.read::<GetScanSettings>();
    to.write::<SetScanSettings>();
    to.read::<ListPacks>();
    to.write::<AddPack>();
    to.write::<RemovePack>();
    to.live::<GetLivePolicies>();
    to.live::<GetLiveThreats>();
}

fn target(id: ScanId) -> String {
    format!("scan/{id}")
}

fn disconnected() -> Problem {
    Problem::new(Code::NotConnected, "This connection was disconnected. Connect the directory again.").at("connection")
}

/// Queues a scan and its job.
///
/// # Errors
/// `scan_already_running`, `not_connected`, or the database's.
pub async fn begin(
    scope: &mut WriteScope,
    connection: &ConnectionRow,
    kind: ScanKind,
    schedule: Option<ScheduleId>,
) -> Result<ScanId, Problem> {
    let (tenant, now, by) = (scope.tenant(), scope.now(), scope.principal().await?);
    // Disconnecting waits for what begins here, or was there before and is seen.
    if !db::hold(scope.sql(), tenant, ConnectionId(connection.id)).await? {
        return Err(disconnected());
    }
    let id = ScanId::new(scope.clock(), scope.rng());
    let row =
        ScanRow { id, directory: connection.directory().id, connection: ConnectionId(connection.id), kind, by: &by, schedule, at: now };
    db::insert(scope.sql(), tenant, &row).await?;
    let job = NewJob { kind: jobs::RUN.name, payload: json!({"scan": id}), concurrency_key: None, dedup_key: Some(job_key(id)) };
    scope.enqueue(job).await?;
    Ok(id)
}

/// The connection to scan through: the named one, or the primary one.
async fn reading(scope: &mut WriteScope, named: Option<ConnectionId>) -> Result<ConnectionRow, Problem> {
    let tenant = scope.tenant();
    let Some(id) = named else {
        let primary = connections::db::live(scope.sql(), tenant, ConnectionKind::Read, None).await?;
        return primary.ok_or_else(|| Problem::new(Code::NotConnected, "No directory is connected. Connect one first."));
    };
    let row = connections::db::connection(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
    if !row.live() {
        return Err(disconnected());
    }
    if row.kind() != ConnectionKind::Read {
        let detail = "This connection is for fixes. Scans go through the connection that reads: name that one.";
        return Err(Problem::new(Code::BadRequest, detail).at("connection"));
    }
    Ok(row)
}

impl WriteHandler for StartScan {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Scan>, Problem> {
        let connection = reading(scope, call.body.connection).await?;
        let id = begin(scope, &connection, call.body.kind, None).await?;
        let scan = db::scan(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        let detail = json!({"kind": call.body.kind, "directory": scan.directory.id, "connection": scan.connection});
        Ok(Audited::new(scan, target(id), detail))
    }
}

impl ReadHandler for ListScans {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Scan>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let before = match text::cursor::<2>(&call.query.cursor)? {
            Some([at, id]) => Some((text::part(&at)?, text::part(&id)?)),
            None => None,
        };
        let filter = ScanFilter {
            directory: call.query.directory,
            kind: call.query.kind.map(ScanKind::as_str),
            state: call.query.state.map(ScanState::as_str),
            before,
        };
        let rows = db::scans(scope.sql(), call.tenant, &filter, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |s| vec![s.queued_at.to_string(), s.id.to_string()]))
    }
}

impl ReadHandler for GetScan {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Scan, Problem> {
        db::scan(scope.sql(), call.tenant, call.path.scan).await?.ok_or_else(Problem::not_found)
    }
}

impl WriteHandler for CancelScan {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Scan>, Problem> {
        let (id, now, by) = (call.path.scan, scope.now(), scope.principal().await?);
        let before = db::scan(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        let who = if by.kind == PrincipalKind::System { "Bailiwick".into() } else { by.name };
        let end = ScanEnd { code: ScanEndCode::Cancelled, detail: format!("{who} cancelled the scan."), cloud: None };
        if !db::end(scope.sql(), call.tenant, id, ScanState::Cancelled, &end, now).await? {
            if before.state == ScanState::Cancelled {
                return Ok(Audited::unchanged(before));
            }
            return Err(Problem::new(Code::WrongState, format!("The scan is {}: there is nothing left to cancel.", before.state.as_str())));
        }
        db::forget_checkpoints(scope.sql(), call.tenant, id).await?;
        scope.unqueue(&job_key(id)).await?;
        let scan = db::scan(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        Ok(Audited::new(scan, target(id), json!({"before": before.state})))
    }
}

impl WatchHandler for WatchScan {
    type Event = ScanEvent;
    async fn look(_: &Services, scope: &mut ReadScope, path: &Self::Path) -> Result<(ScanEvent, bool), Problem> {
        let tenant = scope.tenant();
        let scan = db::scan(scope.sql(), tenant, path.scan).await?.ok_or_else(Problem::not_found)?;
        let last = scan.state.settled();
        Ok((ScanEvent { scan }, last))
    }
}

// ---- results -----------------------------------------------------------------------------------------------------

impl LiveHandler for GetScanSummary {
    type Prepared = (ScanId, report::Stored);
    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<Self::Prepared, Problem> {
        Ok((call.path.scan, report::find(services, scope, call.path.scan).await?))
    }
    async fn reach(services: &Services, (scan, stored): Self::Prepared) -> Result<ScanSummary, Problem> {
        let report = report::read(services, stored).await?;
        Ok(ScanSummary { scan, scores: report.scores(), sources: report.sources(), packs: report.packs() })
    }
}

impl LiveHandler for GetScanResult {
    type Prepared = (String, report::Stored);
    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<Self::Prepared, Problem> {
        Ok((call.path.check.clone(), report::find(services, scope, call.path.scan).await?))
    }
    async fn reach(services: &Services, (check, stored): Self::Prepared) -> Result<ScanResult, Problem> {
        let report = report::read(services, stored).await?;
        report.results.into_iter().find(|result| result.check == check).ok_or_else(Problem::not_found)
    }
}

impl LiveHandler for ListScanResults {
    type Prepared = (Wanted, report::Stored);
    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<Self::Prepared, Problem> {
        Ok((Wanted::of(&call.query)?, report::find(services, scope, call.path.scan).await?))
    }
    async fn reach(services: &Services, (wanted, stored): Self::Prepared) -> Result<ScanResultPage, Problem> {
        Ok(wanted.page(report::read(services, stored).await?.results))
    }
}

/// Which results are asked for.
pub struct Wanted {
    query: ScanResultQuery,
    search: Option<String>,
    after: Option<String>,
    limit: usize,
}

/// One filter, to be left out when its own facet is counted.
#[derive(Clone, Copy, PartialEq)]
enum Facet {
    Framework,
    Product,
    Severity,
    Verdict,
}

impl Wanted {
    fn of(query: &ScanResultQuery) -> Result<Self, Problem> {
        let search = query.search.as_deref().map(str::trim).filter(|s| !s.is_empty()).map(str::to_lowercase);
        let after = text::cursor::<1>(&query.cursor)?.map(|[check]| check);
        Ok(Self { query: query.clone(), search, after, limit: text::limit(query.limit)? as usize })
    }

    /// Whether a result passes every filter but one.
    fn passes(&self, result: &ScanResult, but: Option<Facet>) -> bool {
        let query = &self.query;
        let on = |facet| but != Some(facet);
        let framework = |wanted: &String| result.frameworks.iter().any(|control| control.framework == *wanted);
        let text = |word: &String| result.check.to_lowercase().contains(word) || result.title.to_lowercase().contains(word);
        (!on(Facet::Framework) || query.framework.as_ref().is_none_or(framework))
            && (!on(Facet::Product) || query.product.as_ref().is_none_or(|wanted| result.product == *wanted))
            && (!on(Facet::Severity) || query.severity.is_none_or(|wanted| result.severity == wanted))
            && (!on(Facet::Verdict) || query.verdict.is_none_or(|wanted| result.verdict == wanted))
            && self.search.as_ref().is_none_or(text)
    }

    fn page(self, mut results: Vec<ScanResult>) -> ScanResultPage {
        results.sort_by(|a, b| a.check.cmp(&b.check));
        let (mut counts, mut products, mut frameworks, mut severities) =
            (VerdictCounts::default(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for result in &results {
            if self.passes(result, Some(Facet::Verdict)) {
                count(&mut counts, result.verdict);
            }
            if self.passes(result, Some(Facet::Product)) {
                *products.entry(result.product.clone()).or_insert(0) += 1;
            }
            if self.passes(result, Some(Facet::Severity)) {
                *severities.entry(result.severity).or_insert(0) += 1;
            }
            if self.passes(result, Some(Facet::Framework)) {
                let mut named: Vec<&String> = result.frameworks.iter().map(|control| &control.framework).collect();
                named.dedup();
                for framework in named {
                    *frameworks.entry(framework.clone()).or_insert(0) += 1;
                }
            }
        }
        let after = self.after.clone().unwrap_or_default();
        let rows = results.into_iter().filter(|r| r.check > after && self.passes(r, None)).take(self.limit + 1).collect();
        ScanResultPage { page: Page::from_rows(rows, self.limit, |r| vec![r.check.clone()]), counts, products, frameworks, severities }
    }
}

fn count(counts: &mut VerdictCounts, verdict: Verdict) {
    *match verdict {
        Verdict::Passed => &mut counts.passed,
        Verdict::PassedWithExclusions => &mut counts.passed_with_exclusions,
        Verdict::Failed => &mut counts.failed,
        Verdict::Skipped => &mut counts.skipped,
        Verdict::Unknown => &mut counts.unknown,
        Verdict::Error => &mut counts.error,
    } += 1;
    counts.total += 1;
}

// ---- schedules ---------------------------------------------------------------------------------------------------

fn after_name(paging: &Paging) -> Result<Option<(String, Uuid)>, Problem> {
    let Some([name, id]) = text::cursor::<2>(&paging.cursor)? else { return Ok(None) };
    Ok(Some((name, text::part(&id)?)))
}

impl ReadHandler for ListScanSchedules {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<ScanSchedule>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let rows = db::schedules(scope.sql(), call.tenant, after_name(&call.query)?, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |s| vec![s.name.clone(), s.id.to_string()]))
    }
}

/// Puts a schedule in place of what it was, and lets it wait for its time.
async fn put_schedule(scope: &mut WriteScope, id: ScheduleId, body: &NewScanSchedule) -> Result<ScanSchedule, Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    let name = text::name("name", &body.name, 120)?;
    let cron = body.cron.split_whitespace().collect::<Vec<_>>().join(" ");
    let next = model::next_due(&cron, &body.zone, now)?;
    reading(scope, Some(body.connection)).await?;
    let enabled = body.enabled.unwrap_or(true);
    let next_at: Option<Timestamp> = enabled.then_some(next);
    let text = ScheduleText { name: &name, kind: body.kind, connection: body.connection, cron: &cron, zone: &body.zone, enabled, next_at };
    db::put_schedule(scope.sql(), tenant, id, &text, now).await?;
    if let Some(at) = next_at {
        schedules::wait(scope, id, at).await?;
    }
    db::schedule(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)
}

fn told(schedule: &ScanSchedule) -> serde_json::Value {
    let ScanSchedule { name, kind, connection, cron, zone, enabled, .. } = schedule;
    json!({"name": name, "kind": kind, "connection": connection, "cron": cron, "zone": zone, "enabled": enabled})
}

impl WriteHandler for CreateScanSchedule {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<ScanSchedule>, Problem> {
        model::room("schedules", db::count_schedules(scope.sql(), call.tenant).await?, model::SCHEDULES)?;
        let id = ScheduleId::new(scope.clock(), scope.rng());
        let schedule = put_schedule(scope, id, &call.body).await?;
        let detail = told(&schedule);
        Ok(Audited::new(schedule, format!("scan_schedule/{id}"), detail))
    }
}

impl WriteHandler for ChangeScanSchedule {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<ScanSchedule>, Problem> {
        let id = call.path.schedule;
        let before = db::schedule(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        schedules::forget(scope, &before).await?;
        let after = put_schedule(scope, id, &call.body).await?;
        let detail = json!({"before": told(&before), "after": told(&after)});
        Ok(Audited::new(after, format!("scan_schedule/{id}"), detail))
    }
}

impl WriteHandler for RemoveScanSchedule {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Empty>, Problem> {
        let id = call.path.schedule;
        let before = db::schedule(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        schedules::forget(scope, &before).await?;
        db::delete_schedule(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        Ok(Audited::new(Empty, format!("scan_schedule/{id}"), told(&before)))
    }
}

// ---- settings and packs ------------------------------------------------------------------------------------------

impl ReadHandler for GetScanSettings {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<SettingsOfDirectory, Problem> {
        let directory = call.path.directory;
        // A project key sees reports of its project, and nothing that is the tenant's.
        let foreign = matches!(scope.caller(), Caller::Key { project: Some(_), .. });
        if foreign || !db::lists_directory(scope.sql(), call.tenant, directory).await? {
            return Err(Problem::not_found());
        }
        let (settings, changed_at) = db::settings(scope.sql(), call.tenant, directory).await?.unzip();
        Ok(SettingsOfDirectory { directory, settings: settings.unwrap_or_default(), changed_at })
    }
}

impl WriteHandler for SetScanSettings {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<SettingsOfDirectory>, Problem> {
        let (directory, settings, now) = (call.path.directory, call.body, scope.now());
        if !db::lists_directory(scope.sql(), call.tenant, directory).await? {
            return Err(Problem::not_found());
        }
        model::check_settings(&settings)?;
        for (name, version) in &settings.packs {
            if db::pack_files(scope.sql(), call.tenant, name, version).await?.is_none() {
                let detail = format!("There is no pack {name:?} of version {version:?}. Add it first.");
                return Err(Problem::new(Code::BadRequest, detail).at("packs"));
            }
        }
        let before = db::settings(scope.sql(), call.tenant, directory).await?.map(|(settings, _)| settings).unwrap_or_default();
        db::set_settings(scope.sql(), call.tenant, directory, &settings, now).await?;
        let detail = json!({"before": before, "after": settings});
        let answer = SettingsOfDirectory { directory, settings, changed_at: Some(now) };
        Ok(Audited::new(answer, format!("directory/{directory}"), detail))
    }
}

impl ReadHandler for ListPacks {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Pack>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let after = text::cursor::<2>(&call.query.cursor)?.map(|[name, version]| (name, version));
        let rows = db::packs(scope.sql(), call.tenant, after, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |p| vec![p.name.clone(), p.version.clone()]))
    }
}

async fn stored_pack(scope: &mut WriteScope, tenant: TenantId, name: &str, version: &str) -> Result<(Pack, bool), Problem> {
    db::pack(scope.sql(), tenant, name, version).await?.ok_or_else(Problem::not_found)
}

impl WriteHandler for AddPack {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Pack>, Problem> {
        let (name, version, files) = (&call.body.name, &call.body.version, &call.body.files);
        model::check_pack_name(name, version)?;
        model::check_pack_files(files)?;
        model::check_pack(name, version, files)?;
        let (sha256, by, at) = (model::pack_hash(files), scope.principal().await?, scope.now());
        let new = PackRow { name, version, files, sha256: &sha256, by: &by, at };
        let inserted = db::insert_pack(scope.sql(), call.tenant, &new).await?;
        if inserted {
            let others = db::count_packs(scope.sql(), call.tenant).await? - 1;
            model::room("versions of packs, removed ones counted", others, model::PACKS)?;
        }
        let (pack, removed) = stored_pack(scope, call.tenant, name, version).await?;
        if !inserted {
            if pack.sha256 == hex::encode(sha256) && !removed {
                return Ok(Audited::unchanged(pack));
            }
            let detail = format!(
                "Version {version} of the pack {name} was written before, with other files or then removed. Give these another version."
            );
            return Err(Problem::new(Code::Conflict, detail).at("version"));
        }
        let detail = json!({"sha256": pack.sha256, "files": pack.files});
        Ok(Audited::new(pack, format!("scan_pack/{name}/{version}"), detail))
    }
}

impl WriteHandler for RemovePack {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Empty>, Problem> {
        let (name, version, now) = (&call.path.pack, &call.path.version, scope.now());
        if !db::remove_pack(scope.sql(), call.tenant, name, version, now).await? {
            return Err(Problem::not_found());
        }
        Ok(Audited::new(Empty, format!("scan_pack/{name}/{version}"), json!({})))
    }
}

// ---- live --------------------------------------------------------------------------------------------------------

impl LiveHandler for GetLivePolicies {
    type Prepared = live::Looking;
    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<live::Looking, Problem> {
        live::prepare(services, scope, call.query.directory).await
    }
    async fn reach(services: &Services, looking: live::Looking) -> Result<Self::Answer, Problem> {
        Ok(live::policies(services, looking).await)
    }
}

impl LiveHandler for GetLiveThreats {
    type Prepared = live::Looking;
    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<live::Looking, Problem> {
        live::prepare(services, scope, call.query.directory).await
    }
    async fn reach(services: &Services, looking: live::Looking) -> Result<Self::Answer, Problem> {
        Ok(live::threats(services, looking).await)
    }
}
