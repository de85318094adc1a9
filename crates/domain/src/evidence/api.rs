//! The operations of evidence.

use super::model;
use super::{db, jobs};
use crate::handler::{DiscloseHandler, Download, Upload, UploadHandler};
use crate::{Call, Mount, ReadHandler, Services, WriteHandler, findings, identity, tenancy, text};
use bailiwick_base::{ArtifactId, Code, Page, Problem, ProjectId, RunId};
use bailiwick_contract::evidence::{
    Artifact, ArtifactKind, CompleteRun, GetArtifact, GetRun, ListReports, ListRunObservations, ListRuns, ManifestLine, ObservationPage,
    OpenRun, PutArtifact, Report, RetryRun, Run, RunDetail,
};
use bailiwick_store::artifacts::{ArtifactError, ObjectKey};
use bailiwick_store::keyring::TenantKey;
use bailiwick_store::{Audited, Caller, NewJob, ReadScope, WriteScope};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

pub fn mount(to: &mut impl Mount) {
    to.write::<OpenRun>();
    to.upload::<PutArtifact>();
    to.write::<CompleteRun>();
    to.read::<ListRuns>();
    to.read::<GetRun>();
    to.write::<RetryRun>();
    to.read::<ListRunObservations>();
    to.disclose::<GetArtifact>();
    to.read::<ListReports>();
}

fn target(run: RunId) -> String {
    format!("run/{run}")
}

async fn project_of(scope: &mut WriteScope, asked: Option<&str>) -> Result<Option<ProjectId>, Problem> {
    let own = if let Caller::Key { project, .. } = scope.caller() { *project } else { None };
    let Some(asked) = asked else { return Ok(own) };
    let tenant = scope.tenant();
    // Row security shows a project key its own project only, so another one's name is not found.
    let found = tenancy::db::find_project(scope.sql(), tenant, asked).await?;
    found.map(Some).ok_or_else(|| {
        Problem::new(Code::NotFound, format!("There is no project {asked:?} that you may use. Create it in Settings, or leave it out."))
            .at("project")
    })
}

impl WriteHandler for OpenRun {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Run>, Problem> {
        let source = text::name("source", &call.body.source, 120)?;
        for (field, value, max) in
            [("pipeline_run_id", &call.body.pipeline_run_id, 200), ("idempotency_key", &call.body.idempotency_key, 100)]
        {
            text::optional(field, value.as_deref().unwrap_or_default(), max)?;
        }
        let submitted_by = scope.principal().await?;
        let project = project_of(scope, call.body.project.as_deref()).await?;
        if let Caller::Key { sha256, .. } = call.caller {
            let now = scope.now();
            identity::db::note_use(scope.sql(), call.tenant, &sha256, now).await?;
        }
        // Made here, in a transaction that leaves an entry, so that artifacts find it.
        scope.tenant_key(&services.keyring).await?;
        let opened = db::OpenedRun {
            id: RunId::new(scope.clock(), scope.rng()),
            project,
            source: &source,
            pipeline_run_id: call.body.pipeline_run_id.as_deref(),
            idempotency_key: call.body.idempotency_key.as_deref().map(|key| format!("{}/{key}", submitted_by.id)),
            submitted_by: &submitted_by,
            address: call.request.address.as_deref(),
            at: scope.now(),
        };
        let existing = db::insert_run(scope.sql(), call.tenant, &opened).await?;
        let id = existing.unwrap_or(opened.id);
        let run = db::run(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?.run();
        if existing.is_some() {
            return Ok(Audited::unchanged(run));
        }
        let detail = json!({"source": source, "project": project, "pipeline_run_id": call.body.pipeline_run_id});
        Ok(Audited::new(run, target(id), detail))
    }
}

/// What an upload needs to know before its bytes come.
pub struct Prepared {
    existing: Option<Artifact>,
    key: ObjectKey,
    tenant_key: TenantKey,
    expected: Option<[u8; 32]>,
    project: Option<ProjectId>,
}

/// What came.
pub struct Received {
    artifact: Artifact,
    sha256: [u8; 32],
    key_version: u32,
    project: Option<ProjectId>,
    key: ObjectKey,
    repeated: bool,
}

fn not_receiving(state: &str) -> Problem {
    Problem::new(Code::WrongState, format!("The run is {state}: it takes no more artifacts. Open another run."))
}

fn too_many(services: &Services) -> Problem {
    Problem::new(Code::LimitExceeded, format!("A run takes at most {} artifacts. Open another run.", services.settings.artifacts_per_run))
}

fn other_bytes(name: &str) -> Problem {
    Problem::new(
        Code::Conflict,
        format!("The run holds another artifact named {name:?} already. Give this one another name, or open another run."),
    )
    .at("name")
}

impl UploadHandler for PutArtifact {
    type Prepared = Prepared;
    type Received = Received;

    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<Prepared, Problem> {
        model::artifact_name(&call.path.name)?;
        let expected = call.query.sha256.as_deref().map(|text| model::sha256("sha256", text)).transpose()?;
        let run = db::run(scope.sql(), call.tenant, call.path.run).await?.ok_or_else(Problem::not_found)?.run();
        let arrived = db::artifacts(scope.sql(), call.tenant, call.path.run).await?;
        let count = arrived.len() as i64;
        let existing = arrived.into_iter().find(|a| a.name == call.path.name);
        if existing.is_none() {
            if run.state.as_str() != "receiving" {
                return Err(not_receiving(run.state.as_str()));
            }
            if count >= services.settings.artifacts_per_run {
                return Err(too_many(services));
            }
        }
        let artifact = ArtifactId::new(services.store.clock(), services.store.rng());
        Ok(Prepared {
            existing,
            key: ObjectKey { tenant: call.tenant, run: call.path.run, artifact },
            tenant_key: scope.tenant_key(&services.keyring).await?,
            expected,
            project: run.project.map(|p| p.id),
        })
    }

    async fn receive(services: &Services, prepared: Prepared, bytes: Upload) -> Result<Received, Problem> {
        let Prepared { existing, key, tenant_key, expected, project } = prepared;
        let key_version = tenant_key.version();
        if let Some(existing) = existing {
            // Nothing is stored twice: the bytes only have to be the same.
            let sha256 = model::hash(bytes, services.settings.artifact_bytes).await?;
            if hex::encode(sha256) != existing.sha256 {
                return Err(other_bytes(&existing.name));
            }
            return Ok(Received { artifact: existing, sha256, key_version, project, key, repeated: true });
        }
        // The first bytes say what kind of file it is; they are remembered as they pass.
        let head = Arc::new(Mutex::new(Vec::new()));
        let seen = head.clone();
        let bytes = bytes.inspect_ok(move |piece: &Bytes| {
            let mut head = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let room = 512usize.saturating_sub(head.len());
            head.extend_from_slice(&piece[..piece.len().min(room)]);
        });
        let stored = services.artifacts.put(&key, &tenant_key, bytes, services.settings.artifact_bytes, expected).await?;
        if stored.size == 0 {
            services.artifacts.delete(&key).await?;
            return Err(Problem::new(Code::BadReport, "The file is empty: zero bytes arrived. Nothing was stored."));
        }
        let artifact = Artifact {
            id: key.artifact,
            run: key.run,
            name: String::new(),
            kind: model::kind_of(&head.lock().unwrap_or_else(PoisonError::into_inner)),
            size: stored.size,
            sha256: hex::encode(stored.sha256),
            stored_at: services.store.now(),
        };
        Ok(Received { artifact, sha256: stored.sha256, key_version, project, key, repeated: false })
    }

    async fn record(
        services: &Services,
        scope: &mut WriteScope,
        call: &Call<Self>,
        received: Received,
    ) -> Result<Audited<Artifact>, Problem> {
        if received.repeated {
            return Ok(Audited::unchanged(received.artifact));
        }
        let discard = async |problem: Problem| -> Result<Audited<Artifact>, Problem> {
            services.artifacts.delete(&received.key).await?;
            Err(problem)
        };
        let state = db::lock_run(scope.sql(), call.tenant, call.path.run).await?.ok_or_else(Problem::not_found)?;
        if state != "receiving" {
            return discard(not_receiving(&state)).await;
        }
        // Counted again under the run's lock: many files may have come at once.
        if db::artifacts(scope.sql(), call.tenant, call.path.run).await?.len() as i64 >= services.settings.artifacts_per_run {
            return discard(too_many(services)).await;
        }
        let artifact = Artifact { name: call.path.name.clone(), ..received.artifact.clone() };
        let inserted =
            db::insert_artifact(scope.sql(), call.tenant, received.project, &artifact, &received.sha256, received.key_version).await?;
        if !inserted {
            // The same file came twice at once, and the other was first.
            let (first, _) =
                db::artifact_named(scope.sql(), call.tenant, call.path.run, &artifact.name).await?.ok_or_else(Problem::not_found)?;
            if first.sha256 != artifact.sha256 {
                return discard(other_bytes(&artifact.name)).await;
            }
            services.artifacts.delete(&received.key).await?;
            return Ok(Audited::unchanged(first));
        }
        let detail = json!({"artifact": artifact.id, "name": artifact.name, "size": artifact.size, "sha256": artifact.sha256});
        Ok(Audited::new(artifact, target(call.path.run), detail))
    }
}

impl WriteHandler for CompleteRun {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Run>, Problem> {
        let (tenant, id) = (call.tenant, call.path.run);
        let state = db::lock_run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
        let arrived = db::artifacts(scope.sql(), tenant, id).await?;
        model::check_manifest(&call.body.artifacts, &arrived)?;
        let run = db::run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?.run();
        if state != "receiving" {
            // The manifest fits what arrived, so this is the same request again.
            return Ok(Audited::unchanged(run));
        }
        let key = content_key(&run, &call.body.artifacts);
        let now = scope.now();
        let detail = json!({"artifacts": call.body.artifacts});
        if let Some(original) = db::run_of_content(scope.sql(), tenant, &key, run.pipeline_run_id.is_some()).await? {
            db::mark_duplicate(scope.sql(), tenant, id, original, now).await?;
            let run = db::run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?.run();
            return Ok(Audited::new(run, target(id), json!({"artifacts": call.body.artifacts, "duplicate_of": original})));
        }
        db::mark_queued(scope.sql(), tenant, id, &key, now).await?;
        scope.enqueue(process(id)).await?;
        let run = db::run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?.run();
        Ok(Audited::new(run, target(id), detail))
    }
}

fn content_key(run: &Run, manifest: &[ManifestLine]) -> [u8; 32] {
    model::content_key(run.project.as_ref().map(|p| p.id), &run.source, run.pipeline_run_id.as_deref(), manifest)
}

/// The job that processes a run. One at a time in each tenant, in the order of completion, so that series grow in order.
pub(super) fn process(run: RunId) -> NewJob {
    NewJob {
        kind: jobs::PROCESS.name,
        payload: json!({"run": run}),
        concurrency_key: Some("evidence.process".into()),
        dedup_key: Some(format!("run:{run}")),
    }
}

impl WriteHandler for RetryRun {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Run>, Problem> {
        let (tenant, id) = (call.tenant, call.path.run);
        let state = db::lock_run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
        if state != "failed" {
            return Err(Problem::new(Code::WrongState, format!("The run is {state}. Only a failed run can be tried again.")));
        }
        // The failed run gave its content up; meanwhile the same files may have come again.
        let before = db::run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?.run();
        let manifest: Vec<ManifestLine> =
            db::artifacts(scope.sql(), tenant, id).await?.into_iter().map(|a| ManifestLine { name: a.name, sha256: a.sha256 }).collect();
        let key = content_key(&before, &manifest);
        if let Some(other) = db::run_of_content(scope.sql(), tenant, &key, before.pipeline_run_id.is_some()).await? {
            return Err(Problem::new(Code::Conflict, format!("Run {other} holds the same files already. Look at that one.")));
        }
        let now = scope.now();
        db::mark_queued(scope.sql(), tenant, id, &key, now).await?;
        scope.enqueue(process(id)).await?;
        let run = db::run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?.run();
        Ok(Audited::new(run, target(id), json!({})))
    }
}

impl ReadHandler for ListRuns {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Run>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let before = match text::cursor::<2>(&call.query.cursor)? {
            Some([at, id]) => Some((text::part(&at)?, text::part(&id)?)),
            None => None,
        };
        let filter = db::RunFilter {
            directory: call.query.directory,
            project: call.query.project,
            family: call.query.family,
            state: call.query.state.map(|s| s.as_str()),
            before,
        };
        let rows = db::runs(scope.sql(), call.tenant, &filter, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |r| vec![r.opened_at.to_string(), r.id.to_string()]))
    }
}

impl ReadHandler for GetRun {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<RunDetail, Problem> {
        let (tenant, id) = (call.tenant, call.path.run);
        let row = db::run(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
        Ok(RunDetail {
            run: row.run(),
            artifacts: db::artifacts(scope.sql(), tenant, id).await?,
            series: db::run_series(scope.sql(), tenant, id).await?,
            remarks: row.remarks.map(|r| r.0).unwrap_or_default(),
        })
    }
}

impl ReadHandler for ListRunObservations {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<ObservationPage, Problem> {
        db::run(scope.sql(), call.tenant, call.path.run).await?.ok_or_else(Problem::not_found)?;
        findings::observations(scope, findings::Among::Run(call.path.run), call.query).await
    }
}

impl DiscloseHandler for GetArtifact {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Download>, Problem> {
        let found = db::artifact_named(scope.sql(), call.tenant, call.path.run, &call.path.name).await?;
        let (artifact, key_version) = found.ok_or_else(Problem::not_found)?;
        let tenant_key = Arc::new(scope.tenant_key_version(&services.keyring, key_version).await?);
        let key = ObjectKey { tenant: call.tenant, run: artifact.run, artifact: artifact.id };
        let expected = model::sha256("sha256", &artifact.sha256)?;
        let bytes = services.artifacts.get(&key, tenant_key, Some(expected)).await.map_err(|error| match error {
            // Its record is here, so that its bytes are not is our loss and not the caller's mistake.
            ArtifactError::NotFound => Problem::internal(format!("the bytes of artifact {} are gone", artifact.id)),
            other => other.into(),
        })?;
        let detail = json!({"artifact": artifact.id, "name": artifact.name, "sha256": artifact.sha256});
        let download = Download {
            name: artifact.name,
            media_type: model::media_type(artifact.kind),
            size: artifact.size,
            sha256: artifact.sha256,
            bytes: bytes.map_err(Problem::internal).boxed(),
        };
        Ok(Audited::new(download, target(call.path.run), detail))
    }
}

impl ReadHandler for ListReports {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Report>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let before = match text::cursor::<2>(&call.query.cursor)? {
            Some([at, id]) => Some((text::part(&at)?, text::part(&id)?)),
            None => None,
        };
        let kind: Option<ArtifactKind> = call.query.kind;
        let rows = db::reports(scope.sql(), call.tenant, call.query.directory, kind, before, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |r| vec![r.artifact.stored_at.to_string(), r.artifact.id.to_string()]))
    }
}
