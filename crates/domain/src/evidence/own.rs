//! Runs that Bailiwick makes itself: what a scan found takes the way of every other report from here on.

use super::{api, db, model};
use crate::Services;
use bailiwick_base::{ArtifactId, Principal, Problem, RunId, TenantId};
use bailiwick_contract::evidence::{Artifact, ArtifactKind, ManifestLine};
use bailiwick_store::WriteScope;
use bailiwick_store::artifacts::ObjectKey;
use bailiwick_store::keyring::TenantKey;
use bytes::Bytes;

/// A file of such a run.
pub struct OwnFile {
    pub name: &'static str,
    /// Only `Json` files are read as reports.
    pub kind: ArtifactKind,
    pub bytes: Vec<u8>,
}

/// Files that are stored and not yet recorded.
pub struct Stored {
    run: RunId,
    tenant: TenantId,
    key_version: u32,
    artifacts: Vec<(Artifact, [u8; 32])>,
}

/// What is said about such a run.
pub struct OwnRun<'a> {
    pub source: &'a str,
    /// What makes it one run, however often it is tried.
    pub reference: &'a str,
    pub submitted_by: &'a Principal,
}

/// Stores the files of a run to come, sealed. Files whose record is never made are swept.
///
/// # Errors
/// The artifact storage's.
pub async fn store(services: &Services, tenant: TenantId, key: &TenantKey, files: Vec<OwnFile>) -> Result<Stored, Problem> {
    let run = RunId::new(services.store.clock(), services.store.rng());
    let mut stored = Stored { run, tenant, key_version: key.version(), artifacts: Vec::new() };
    for OwnFile { name, kind, bytes } in files {
        let id = ArtifactId::new(services.store.clock(), services.store.rng());
        let object = ObjectKey { tenant, run, artifact: id };
        let body = futures::stream::once(async { Ok::<_, std::io::Error>(Bytes::from(bytes)) });
        let put = services.artifacts.put(&object, key, body, services.settings.artifact_bytes, None).await?;
        let artifact = Artifact {
            id,
            run,
            name: name.to_owned(),
            kind,
            size: put.size,
            sha256: hex::encode(put.sha256),
            stored_at: services.store.now(),
        };
        stored.artifacts.push((artifact, put.sha256));
    }
    Ok(stored)
}

/// Records a run with its stored files, whole: it is processed once this scope is committed.
///
/// # Errors
/// The database's.
pub async fn submit(scope: &mut WriteScope, run: &OwnRun<'_>, stored: &Stored) -> Result<RunId, Problem> {
    let (tenant, now) = (scope.tenant(), scope.now());
    let opened = db::OpenedRun {
        id: stored.run,
        project: None,
        source: run.source,
        pipeline_run_id: Some(run.reference),
        idempotency_key: None,
        submitted_by: run.submitted_by,
        address: None,
        at: now,
    };
    db::insert_run(scope.sql(), tenant, &opened).await?;
    for (artifact, sha256) in &stored.artifacts {
        db::insert_artifact(scope.sql(), tenant, None, artifact, sha256, stored.key_version).await?;
    }
    let line = |(artifact, _): &(Artifact, [u8; 32])| ManifestLine { name: artifact.name.clone(), sha256: artifact.sha256.clone() };
    let manifest: Vec<ManifestLine> = stored.artifacts.iter().map(line).collect();
    let key = model::content_key(None, run.source, Some(run.reference), &manifest);
    db::mark_queued(scope.sql(), tenant, stored.run, &key, now).await?;
    scope.enqueue(api::process(stored.run)).await?;
    Ok(stored.run)
}

/// Takes stored files away again whose run will not be recorded.
///
/// # Errors
/// The artifact storage's.
pub async fn discard(services: &Services, stored: &Stored) -> Result<(), Problem> {
    for (artifact, _) in &stored.artifacts {
        services.artifacts.delete(&ObjectKey { tenant: stored.tenant, run: stored.run, artifact: artifact.id }).await?;
    }
    Ok(())
}
