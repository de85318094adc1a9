//! Reading a stored `scan.json` back: the sealed artifact of a completed scan's run, as the API shows it.
//!
//! The file is read by its members, not by the types of the crate that wrote it: reports of earlier versions stay readable.

use super::db;
use crate::{Services, evidence};
use bailiwick_base::{Code, Problem, ScanId};
use bailiwick_checks::CheckResult;
use bailiwick_contract::scans::{Band, NamedScore, PackOutcome, Scan, ScanResult, ScanScores, ScanSource, ScanState, Score, SourceState};
use bailiwick_store::ReadScope;
use bailiwick_store::artifacts::ObjectKey;
use bailiwick_store::keyring::TenantKey;
use futures::TryStreamExt;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The artifact's name.
pub const NAME: &str = "scan.json";

/// Where a scan's report lies, and what opens it.
pub struct Stored {
    key: ObjectKey,
    tenant_key: Arc<TenantKey>,
    sha256: Option<[u8; 32]>,
}

/// Finds the report of a completed scan.
///
/// # Errors
/// `not_found`, or `wrong_state` where the scan has no results.
pub async fn find(services: &Services, scope: &mut ReadScope, id: ScanId) -> Result<Stored, Problem> {
    let tenant = scope.tenant();
    let scan: Scan = db::scan(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
    let run = scan.run.filter(|_| scan.state == ScanState::Completed).ok_or_else(|| {
        Problem::new(Code::WrongState, format!("The scan is {}: only a completed scan has results.", scan.state.as_str()))
    })?;
    let found = evidence::db::artifact_named(scope.sql(), tenant, run, NAME).await?;
    let (artifact, version) = found.ok_or_else(|| Problem::internal("a completed scan has no report"))?;
    let tenant_key = Arc::new(scope.tenant_key_version(&services.keyring, version).await?);
    let sha256 = hex::decode(&artifact.sha256).ok().and_then(|bytes| bytes.try_into().ok());
    Ok(Stored { key: ObjectKey { tenant, run, artifact: artifact.id }, tenant_key, sha256 })
}

/// A report as it is stored.
#[derive(Deserialize)]
pub struct Report {
    pub results: Vec<ScanResult>,
    scores: Scores,
    sources: Vec<Source>,
    packs: Vec<Pack>,
}

#[derive(Deserialize)]
struct Scores {
    overall: RawScore,
    by_product: BTreeMap<String, RawScore>,
    by_framework: BTreeMap<String, RawScore>,
}

#[derive(Deserialize)]
struct RawScore {
    passed: u32,
    failed: u32,
    unclear: u32,
    skipped: u32,
    percent: Option<f64>,
}

#[derive(Deserialize)]
struct Source {
    service: String,
    path: String,
    state: String,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Pack {
    name: String,
    version: String,
    error: Option<String>,
    checks: u32,
}

/// Reads a report.
///
/// # Errors
/// The artifact storage does not answer, or the file is not what was recorded.
pub async fn read(services: &Services, stored: Stored) -> Result<Report, Problem> {
    let bytes = bytes(services, stored).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::internal(format!("scan.json cannot be read: {error}")))
}

/// The results of a report as the crate that judges writes them, to plan from.
///
/// # Errors
/// As [`read`]; or a version wrote it whose results this one does not read.
pub async fn results(services: &Services, stored: Stored) -> Result<Vec<CheckResult>, Problem> {
    #[derive(Deserialize)]
    struct Results {
        results: Vec<CheckResult>,
    }
    let bytes = bytes(services, stored).await?;
    let read: Results = serde_json::from_slice(&bytes).map_err(|error| {
        tracing::warn!(%error, "the results of a stored scan cannot be read");
        Problem::new(Code::Conflict, "This scan was made by a version whose results cannot be planned from. Scan the directory again.")
    })?;
    Ok(read.results)
}

async fn bytes(services: &Services, stored: Stored) -> Result<Vec<u8>, Problem> {
    let Stored { key, tenant_key, sha256 } = stored;
    let bytes = services.artifacts.get(&key, tenant_key, sha256).await?;
    let bytes = bytes.try_fold(Vec::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    });
    bytes.await.map_err(|error| Problem::unavailable("The artifact storage", error))
}

/// Excellent from 90, Good from 70, Needs attention from 50, Critical risk below.
pub fn band(percent: f64) -> Band {
    match percent {
        p if p >= 90.0 => Band::Excellent,
        p if p >= 70.0 => Band::Good,
        p if p >= 50.0 => Band::NeedsAttention,
        _ => Band::CriticalRisk,
    }
}

fn score(raw: &RawScore) -> Score {
    let RawScore { passed, failed, unclear, skipped, percent } = *raw;
    Score { percent, band: percent.map(band), passed, failed, unclear, skipped }
}

fn named(scores: &BTreeMap<String, RawScore>) -> Vec<NamedScore> {
    scores.iter().map(|(name, raw)| NamedScore { name: name.clone(), score: score(raw) }).collect()
}

/// What the scanner says of a source, in the API's words.
pub fn source_state(word: &str) -> SourceState {
    match word {
        "read" | "resumed" | "not_needed" => SourceState::Ok,
        "absent" => SourceState::NotThere,
        "licence" => SourceState::NotLicensed,
        "permission" => SourceState::NeedsConsent,
        _ => SourceState::Error,
    }
}

impl Report {
    pub fn scores(&self) -> ScanScores {
        ScanScores {
            overall: score(&self.scores.overall),
            by_product: named(&self.scores.by_product),
            by_framework: named(&self.scores.by_framework),
        }
    }

    pub fn sources(&self) -> Vec<ScanSource> {
        let source = |s: &Source| {
            let state = source_state(&s.state);
            let permission = (state == SourceState::NeedsConsent).then(|| super::catalogue::permission_of(&s.service, &s.path)).flatten();
            ScanSource { service: s.service.clone(), path: s.path.clone(), state, detail: s.message.clone(), permission }
        };
        self.sources.iter().map(source).collect()
    }

    pub fn packs(&self) -> Vec<PackOutcome> {
        let pack = |p: &Pack| PackOutcome { name: p.name.clone(), version: p.version.clone(), checks: p.checks, detail: p.error.clone() };
        self.packs.iter().map(pack).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_begin_where_they_say() {
        let found: Vec<Band> = [100.0, 90.0, 89.9, 70.0, 69.9, 50.0, 49.9, 0.0].into_iter().map(band).collect();
        use Band::{CriticalRisk, Excellent, Good, NeedsAttention};
        assert_eq!(found, [Excellent, Excellent, Good, Good, NeedsAttention, NeedsAttention, CriticalRisk, CriticalRisk]);
    }
}
