//! What a scan keeps while it goes on: how far it has come, for people who watch; and the pages it has read, sealed, so that an
//! interrupted scan goes on from there.

use super::{db, model};
use crate::Services;
use crate::worker::{nobody, system};
use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_base::{Problem, ScanId, Secret, TenantId, Timestamp};
use bailiwick_checks::{CheckResult, Request, Resumed, SourceState as Read, SourceStatus};
use bailiwick_contract::scans::{ScanPhase, ScanProgress, ScanSource, SourceState};
use bailiwick_scanner::{Sink, Stop};
use bailiwick_store::Lease;
use bailiwick_store::keyring::TenantKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use tokio::time::{Duration, Instant};

/// Progress is written at most this often.
const PAUSE: Duration = Duration::from_millis(500);
/// Sources that are named as degraded while a scan goes on; the report names all.
const DEGRADED: usize = 50;

/// The number of the page that says a request was read whole. Pages themselves count from 1.
const MARK: i32 = 0;

/// Says that a request was read whole, and how many pages it took.
#[derive(Serialize, Deserialize)]
struct Mark {
    request: Request,
    pages: i32,
}

fn hash(request: &Request) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, format!("{} {}", request.service.as_str(), request.path).as_bytes()).as_ref());
    hash
}

fn sealed_name(scan: ScanId, request: &[u8; 32], page: i32) -> String {
    format!("scan/{scan}/{}/{page}", hex::encode(request))
}

/// Characters of the scanner's own words that are shown.
const WORDS: usize = 300;

/// The scanner's words, cut and without control characters: it is not believed in what it says, and the database takes no NUL.
fn plain(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

/// What an earlier try of a scan read whole, request by request while all together is at most `most` bytes.
///
/// # Errors
/// The database's, or a page was changed.
pub async fn resumed(services: &Services, key: &TenantKey, tenant: TenantId, scan: ScanId, most: usize) -> Result<Vec<Resumed>, Problem> {
    let mut scope = services.store.read(tenant, &system("scanner", None), &nobody()).await?;
    let rows = db::checkpoints(scope.sql(), tenant, scan).await?;
    drop(scope);
    let mut requests: BTreeMap<[u8; 32], (Option<Mark>, Vec<Value>)> = BTreeMap::new();
    let mut left = most;
    for row in rows {
        // A request that is cut off here lacks pages, so it is read again.
        let Some(rest) = left.checked_sub(row.sealed.len()) else { continue };
        left = rest;
        let name = sealed_name(scan, &row.request_sha256, row.page);
        let plain = services.keyring.open_secret(key, &name, &row.sealed).map_err(Problem::internal)?;
        let entry = requests.entry(row.request_sha256).or_default();
        match row.page {
            MARK => entry.0 = Some(serde_json::from_slice(plain.expose()).map_err(Problem::internal)?),
            _ => entry.1.push(serde_json::from_slice(plain.expose()).map_err(Problem::internal)?),
        }
    }
    // A request without its mark was interrupted in the middle: it is read again from its start.
    let whole = |(mark, pages): (Option<Mark>, Vec<Value>)| {
        let mark = mark.filter(|mark| usize::try_from(mark.pages) == Ok(pages.len()))?;
        Some(Resumed { request: mark.request, pages })
    };
    Ok(requests.into_values().filter_map(whole).collect())
}

/// Keeps one scan's progress and pages.
pub struct Keeper<'a> {
    services: &'a Services,
    lease: &'a Lease,
    scan: ScanId,
    key: &'a TenantKey,
    pub progress: ScanProgress,
    written: Instant,
    /// Pages so far of each request that is being read.
    pages: HashMap<[u8; 32], i32>,
}

fn stop(problem: &Problem) -> Stop {
    Stop(problem.internal.clone().unwrap_or_else(|| problem.detail.clone()))
}

impl<'a> Keeper<'a> {
    pub fn new(services: &'a Services, lease: &'a Lease, scan: ScanId, key: &'a TenantKey) -> Self {
        let progress = ScanProgress { phase: ScanPhase::Starting, ..model::nothing_yet() };
        Self { services, lease, scan, key, progress, written: Instant::now(), pages: HashMap::new() }
    }

    fn now(&self) -> Timestamp {
        self.services.store.now()
    }

    /// Writes the progress down.
    ///
    /// # Errors
    /// The database's, or the lease was lost.
    pub async fn write(&mut self) -> Result<(), Problem> {
        let tenant = self.lease.tenant;
        let mut scope = self.services.store.write(tenant, &system("scanner", None), &nobody()).await?;
        db::note_progress(scope.sql(), tenant, self.scan, &self.progress, self.lease.attempt, self.now()).await?;
        self.services.store.keep_working_state(scope, self.lease).await?;
        self.written = Instant::now();
        Ok(())
    }

    async fn write_sometimes(&mut self) -> Result<(), Stop> {
        if self.written.elapsed() < PAUSE {
            return Ok(());
        }
        self.write().await.map_err(|problem| stop(&problem))
    }

    async fn keep(&self, request: &[u8; 32], page: i32, plain: Vec<u8>) -> Result<(), Problem> {
        let tenant = self.lease.tenant;
        let name = sealed_name(self.scan, request, page);
        let sealed = self.services.keyring.seal_secret(self.key, &name, &Secret::new(plain)).map_err(Problem::internal)?;
        let mut scope = self.services.store.write(tenant, &system("scanner", None), &nobody()).await?;
        let version = i32::try_from(self.key.version()).unwrap_or(i32::MAX);
        db::keep_page(scope.sql(), tenant, self.scan, version, request, page, &sealed).await?;
        self.services.store.keep_working_state(scope, self.lease).await?;
        Ok(())
    }
}

impl Sink for Keeper<'_> {
    async fn planned(&mut self, requests: usize, checks: usize) -> Result<(), Stop> {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.progress.phase = ScanPhase::Collecting;
        (self.progress.requests_planned, self.progress.checks_planned) = (number(requests), number(checks));
        self.write().await.map_err(|problem| stop(&problem))
    }

    async fn read(&mut self, source: SourceStatus) -> Result<(), Stop> {
        let request = Request::new(source.service, source.path.clone());
        let id = hash(&request);
        let pages = self.pages.remove(&id).unwrap_or(0);
        if source.state == Read::Read && pages > 0 {
            let mark = serde_json::to_vec(&Mark { request, pages }).map_err(|error| Stop(error.to_string()))?;
            self.keep(&id, MARK, mark).await.map_err(|problem| stop(&problem))?;
        }
        let progress = &mut self.progress;
        progress.requests_done += 1;
        progress.requests_planned = progress.requests_planned.max(progress.requests_done);
        progress.requests_resumed += u32::from(source.state == Read::Resumed);
        let state = match source.state {
            Read::Licence => Some(SourceState::NotLicensed),
            Read::Permission => Some(SourceState::NeedsConsent),
            Read::Failed => Some(SourceState::Error),
            Read::NotNeeded | Read::Resumed | Read::Read | Read::Absent => None,
        };
        if let Some(state) = state.filter(|_| progress.degraded.len() < DEGRADED) {
            let service = source.service.as_str().to_owned();
            let permission =
                (state == SourceState::NeedsConsent).then(|| super::catalogue::permission_of(&service, &source.path)).flatten();
            let (path, detail) = (plain(&source.path), source.message.as_deref().map(plain));
            progress.degraded.push(ScanSource { service, path, state, detail, permission });
        }
        progress.reading = Some(plain(&source.path));
        self.write_sometimes().await
    }

    async fn snapshot(&mut self, request: Request, page: Vec<u8>) -> Result<(), Stop> {
        let id = hash(&request);
        let number = self.pages.entry(id).or_insert(0);
        *number += 1;
        let number = *number;
        self.keep(&id, number, page).await.map_err(|problem| stop(&problem))?;
        self.write_sometimes().await
    }

    async fn judged(&mut self, _: CheckResult) -> Result<(), Stop> {
        self.progress.phase = ScanPhase::Judging;
        self.progress.checks_judged += 1;
        self.progress.checks_planned = self.progress.checks_planned.max(self.progress.checks_judged);
        self.write_sometimes().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scanners_words_are_cut_and_cleaned() {
        assert_eq!(plain("/v1.0/users\0\n\u{1b}[31m"), "/v1.0/users[31m");
        assert_eq!(plain(&"ä".repeat(1 << 20)).chars().count(), WORDS);
    }
}
