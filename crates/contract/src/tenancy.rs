//! Tenancy: what the portal needs before sign-in, the tenant's settings, its projects, and the directories it reports on.

use crate::operation::{Empty, Guard, json, operations};
use crate::permission::Permission;
use bailiwick_base::{DirectoryId, Page, ProjectId, TenantId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a browser must know to begin a sign-in. Holds no tenant's data (I73).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PublicConfig {
    pub product: String,
    pub version: String,
    /// Ways to sign in that this environment offers.
    pub sign_in: Vec<SignIn>,
}

/// One Microsoft Entra application people may sign in with.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SignIn {
    /// What the button says, as the environment's configuration names it.
    pub label: String,
    /// `https://login.microsoftonline.com/<directory>`
    pub authority: String,
    /// Host and port that msal-browser must trust as an authority.
    pub known_authority: String,
    pub client_id: String,
    /// The delegated scope of Bailiwick's API, e.g. `api://<client>/access_as_user`.
    pub scope: String,
}

/// What happens when a report names a directory the tenant has not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownDirectory {
    Refuse,
    Add,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    pub tenant: TenantId,
    pub name: String,
    /// The directory whose tokens sign people and workloads in.
    pub sign_in_directory: DirectoryId,
    pub unknown_directory: UnknownDirectory,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    #[serde(default)]
    #[schemars(length(min = 1, max = 120))]
    pub name: Option<String>,
    #[serde(default)]
    pub unknown_directory: Option<UnknownDirectory>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Project {
    pub id: ProjectId,
    pub name: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// Unique in the tenant, 1 to 120 characters.
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Directory {
    pub id: DirectoryId,
    pub name: String,
    /// `reported`: first seen in a report; `listed`: added by a person.
    pub origin: DirectoryOrigin,
    pub added_at: Timestamp,
    /// When the newest run about it was assessed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryOrigin {
    Reported,
    Listed,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDirectory {
    pub id: DirectoryId,
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DirectoryPath {
    pub directory: DirectoryId,
}

json!(PublicConfig, Settings, SettingsChange, Project, NewProject, Page<Project>, Directory, NewDirectory, Page<Directory>);

operations! {
    /// Says how to sign in.
    GetConfig = "get_config" Get "/api/v1/config" {
        guard: Guard::Open("the portal must know where to send people to sign in; holds no tenant's data"),
        effect: Read, rate: Open, answer: PublicConfig, status: 200,
        example: {"product": "Bailiwick", "version": "0.1.0", "sign_in": [{"label": "Contoso", "authority": "https://login.microsoftonline.com/7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "known_authority": "login.microsoftonline.com", "client_id": "c0ffee00-0000-4000-8000-000000000001", "scope": "api://c0ffee00-0000-4000-8000-000000000001/access_as_user"}]},
    }
    /// Shows the tenant's settings.
    GetSettings = "get_settings" Get "/api/v1/settings" {
        guard: Guard::Needs(Permission::SettingsRead), effect: Read, rate: Read, answer: Settings, status: 200,
        example: {"tenant": "0192f0c1-2b3c-7d4e-8f50-61728394a5b6", "name": "Contoso", "sign_in_directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "unknown_directory": "refuse"},
    }
    /// Changes the tenant's settings.
    ChangeSettings = "change_settings" Patch "/api/v1/settings" {
        guard: Guard::Needs(Permission::SettingsWrite), effect: Write("settings.changed"), rate: Write, body: SettingsChange, answer: Settings, status: 200,
        example: {"tenant": "0192f0c1-2b3c-7d4e-8f50-61728394a5b6", "name": "Contoso", "sign_in_directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "unknown_directory": "add"},
    }
    /// Lists the projects you may see.
    ListProjects = "list_projects" Get "/api/v1/projects" {
        guard: Guard::Needs(Permission::ProjectsRead), effect: Read, rate: Read, query: crate::evidence::Paging, answer: Page<Project>, status: 200,
        example: {"items": [{"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b7", "name": "payments-api", "created_at": "2026-11-22T08:00:00Z"}]},
    }
    /// Creates a project.
    CreateProject = "create_project" Post "/api/v1/projects" {
        guard: Guard::Needs(Permission::ProjectsWrite), effect: Write("project.created"), rate: Write, body: NewProject, answer: Project, status: 201,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b7", "name": "payments-api", "created_at": "2026-11-22T08:00:00Z"},
    }
    /// Lists the directories the tenant reports on.
    ListDirectories = "list_directories" Get "/api/v1/directories" {
        guard: Guard::Needs(Permission::DirectoriesRead), effect: Read, rate: Read, query: crate::evidence::Paging, answer: Page<Directory>, status: 200,
        example: {"items": [{"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso", "origin": "listed", "added_at": "2026-11-22T08:00:00Z"}]},
    }
    /// Lists a directory, so that reports about it are taken.
    AddDirectory = "add_directory" Post "/api/v1/directories" {
        guard: Guard::Needs(Permission::DirectoriesWrite), effect: Write("directory.added"), rate: Write, body: NewDirectory, answer: Directory, status: 201,
        example: {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso", "origin": "listed", "added_at": "2026-11-22T08:00:00Z"},
    }
    /// Stops taking reports about a directory. What is stored stays.
    RemoveDirectory = "remove_directory" Delete "/api/v1/directories/{directory}" {
        guard: Guard::Needs(Permission::DirectoriesWrite), effect: Write("directory.removed"), rate: Write, params: DirectoryPath, answer: Empty, status: 204,
        example: null,
    }
}
