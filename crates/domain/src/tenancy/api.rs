//! The operations of tenancy.

use super::db;
use crate::{Call, Mount, OpenHandler, ReadHandler, Services, WriteHandler, text};
use bailiwick_base::{Code, DirectoryId, Page, Problem, ProjectId};
use bailiwick_contract::Empty;
use bailiwick_contract::evidence::Paging;
use bailiwick_contract::tenancy::{
    AddDirectory, ChangeSettings, CreateProject, Directory, GetConfig, GetSettings, ListDirectories, ListProjects, Project, PublicConfig,
    RemoveDirectory, Settings,
};
use bailiwick_store::{Audited, ReadScope, WriteScope};
use serde_json::json;
use uuid::Uuid;

pub fn mount(to: &mut impl Mount) {
    to.open::<GetConfig>();
    to.read::<GetSettings>();
    to.write::<ChangeSettings>();
    to.read::<ListProjects>();
    to.write::<CreateProject>();
    to.read::<ListDirectories>();
    to.write::<AddDirectory>();
    to.write::<RemoveDirectory>();
}

impl OpenHandler for GetConfig {
    fn handle(services: &Services) -> Result<PublicConfig, Problem> {
        Ok(services.settings.public.clone())
    }
}

impl ReadHandler for GetSettings {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Settings, Problem> {
        db::settings(scope.sql(), call.tenant).await
    }
}

impl WriteHandler for ChangeSettings {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Settings>, Problem> {
        let name = call.body.name.as_deref().map(|n| text::name("name", n, 120)).transpose()?;
        let before = db::settings(scope.sql(), call.tenant).await?;
        db::change_settings(scope.sql(), call.tenant, name.as_deref(), call.body.unknown_directory).await?;
        let after = db::settings(scope.sql(), call.tenant).await?;
        let detail = json!({
            "before": {"name": before.name, "unknown_directory": before.unknown_directory},
            "after": {"name": after.name, "unknown_directory": after.unknown_directory},
        });
        Ok(Audited::new(after, format!("tenant/{}", call.tenant), detail))
    }
}

/// The sort key of lists by name.
fn after_name(paging: &Paging) -> Result<Option<(String, Uuid)>, Problem> {
    let Some([name, id]) = text::cursor::<2>(&paging.cursor)? else { return Ok(None) };
    Ok(Some((name, text::part(&id)?)))
}

impl ReadHandler for ListProjects {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Project>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let rows = db::projects(scope.sql(), call.tenant, after_name(&call.query)?, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |p| vec![p.name.clone(), p.id.to_string()]))
    }
}

impl WriteHandler for CreateProject {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Project>, Problem> {
        let name = text::name("name", &call.body.name, 120)?;
        let project = Project { id: ProjectId::new(scope.clock(), scope.rng()), name, created_at: scope.now() };
        db::insert_project(scope.sql(), call.tenant, &project).await?;
        let detail = json!({"name": project.name});
        let target = format!("project/{}", project.id);
        Ok(Audited::new(project, target, detail))
    }
}

impl ReadHandler for ListDirectories {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Directory>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let rows = db::directories(scope.sql(), call.tenant, after_name(&call.query)?, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |d| vec![d.name.clone(), d.id.to_string()]))
    }
}

impl WriteHandler for AddDirectory {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Directory>, Problem> {
        let name = text::name("name", &call.body.name, 200)?;
        let (id, now) = (call.body.id, scope.now());
        let added = db::add_directory(scope.sql(), call.tenant, id, &name, "listed", now).await?;
        let directory = added.ok_or_else(|| Problem::new(Code::Conflict, "This directory is listed already."))?;
        Ok(Audited::new(directory, target(id), json!({"name": name})))
    }
}

impl WriteHandler for RemoveDirectory {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Empty>, Problem> {
        let (id, now) = (call.path.directory, scope.now());
        if !db::remove_directory(scope.sql(), call.tenant, id, now).await? {
            return Err(Problem::not_found());
        }
        Ok(Audited::new(Empty, target(id), json!({})))
    }
}

fn target(id: DirectoryId) -> String {
    format!("directory/{id}")
}
