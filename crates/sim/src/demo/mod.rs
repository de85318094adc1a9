//! The built-in scenario: two organisations, Contoso and Fabrikam, that both use Bailiwick. Every id is fixed, so that
//! tests, demo and documents can name them; keys and certificates are made anew at each start.

mod scanned;

pub use scanned::*;

use crate::config::{
    Api, App, AppSecret, Assignment, CiJob, Directory, FederatedCredential, Platform, RedirectKind, RedirectUri, SimConfig, User,
};
use serde_json::json;
use uuid::{Uuid, uuid};

/// The Bailiwick API, one multi-tenant registration: the audience (`aud`) of its v2 access tokens.
pub const API_CLIENT_ID: Uuid = uuid!("b0a71a1c-0000-4000-8000-0000000000a1");
/// App ID URI of the API: the audience of v1 access tokens, and the front part of its scopes.
pub const API_URI: &str = "api://b0a71a1c-0000-4000-8000-0000000000a1";
/// The delegated scope a signed-in user's client asks for: `{API_URI}/access_as_user`.
pub const API_SCOPE: &str = "access_as_user";
/// The app role of pipelines.
pub const UPLOAD_ROLE: &str = "Evidence.Upload";
/// The portal, a public single-page application; needs user assignment.
pub const PORTAL_CLIENT_ID: Uuid = uuid!("b0a71a1c-0000-4000-8000-0000000000b2");

/// The audience every federated credential has.
pub const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// The ids of one organisation of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Org {
    pub directory: Uuid,
    pub name: &'static str,
    pub domain: &'static str,
    /// Signs in and is assigned to the portal.
    pub owner: Uuid,
    pub admin: Uuid,
    pub member: Uuid,
    pub auditor: Uuid,
    /// In the directory, but not assigned to the portal: refused with AADSTS50105.
    pub unassigned: Uuid,
    /// An application with secret, certificate and federated credentials that holds [`UPLOAD_ROLE`].
    pub pipeline: Uuid,
    pub pipeline_secret: &'static str,
    pub expired_secret: &'static str,
    /// An application with a secret and no role at all.
    pub bystander: Uuid,
    pub bystander_secret: &'static str,
    /// The repository whose GitHub job may become the pipeline.
    pub repository: &'static str,
    pub repository_id: &'static str,
    pub github_request_token: &'static str,
    pub azure_devops_request_token: &'static str,
}

pub const CONTOSO: Org = Org {
    directory: uuid!("c0470500-1111-4111-8111-111111111111"),
    name: "Contoso",
    domain: "contoso.example",
    owner: uuid!("c0470500-0000-4000-8000-000000000001"),
    admin: uuid!("c0470500-0000-4000-8000-000000000002"),
    member: uuid!("c0470500-0000-4000-8000-000000000003"),
    auditor: uuid!("c0470500-0000-4000-8000-000000000004"),
    unassigned: uuid!("c0470500-0000-4000-8000-000000000005"),
    pipeline: uuid!("c0470500-0000-4000-8000-0000000000c1"),
    pipeline_secret: "contoso-pipeline-sim-secret",
    expired_secret: "contoso-pipeline-old-sim-secret",
    bystander: uuid!("c0470500-0000-4000-8000-0000000000c2"),
    bystander_secret: "contoso-bystander-sim-secret",
    repository: "contoso/platform",
    repository_id: "7001",
    github_request_token: "contoso-actions-request-token",
    azure_devops_request_token: "contoso-azure-devops-request-token",
};

pub const FABRIKAM: Org = Org {
    directory: uuid!("fab41ca0-2222-4222-8222-222222222222"),
    name: "Fabrikam",
    domain: "fabrikam.example",
    owner: uuid!("fab41ca0-0000-4000-8000-000000000001"),
    admin: uuid!("fab41ca0-0000-4000-8000-000000000002"),
    member: uuid!("fab41ca0-0000-4000-8000-000000000003"),
    auditor: uuid!("fab41ca0-0000-4000-8000-000000000004"),
    unassigned: uuid!("fab41ca0-0000-4000-8000-000000000005"),
    pipeline: uuid!("fab41ca0-0000-4000-8000-0000000000c1"),
    pipeline_secret: "fabrikam-pipeline-sim-secret",
    expired_secret: "fabrikam-pipeline-old-sim-secret",
    bystander: uuid!("fab41ca0-0000-4000-8000-0000000000c2"),
    bystander_secret: "fabrikam-bystander-sim-secret",
    repository: "fabrikam/factory",
    repository_id: "8001",
    github_request_token: "fabrikam-actions-request-token",
    azure_devops_request_token: "fabrikam-azure-devops-request-token",
};

/// The organisations of the scenario.
pub const ORGS: &[Org] = &[CONTOSO, FABRIKAM];

impl SimConfig {
    /// The scenario, with the portal reachable at these redirect URIs.
    pub fn demo(portal_redirects: &[&str]) -> Self {
        Self {
            directories: ORGS.iter().map(|org| org.directory(portal_redirects)).chain(SCANNED.iter().map(Scanned::directory)).collect(),
            registrations: scanned::registrations(portal_redirects),
            ci_jobs: ORGS.iter().flat_map(Org::ci_jobs).collect(),
            ..Self::default()
        }
    }
}

impl Org {
    /// A user principal name of this organisation.
    pub fn upn(&self, user: &str) -> String {
        format!("{user}@{}", self.domain)
    }
    fn service_principal(&self, last: u128) -> Uuid {
        Uuid::from_u128(self.directory.as_u128() & !0xffff | 0x5000 | last)
    }
    /// `sub` of this organisation's GitHub job on its main branch.
    pub fn github_subject(&self) -> String {
        format!("repo:{}:ref:refs/heads/main", self.repository)
    }
    fn azure_devops_subject(&self) -> String {
        format!("sc://{}/platform/bailiwick", self.name.to_lowercase())
    }
    fn directory(&self, portal_redirects: &[&str]) -> Directory {
        let names = [
            ("Olivia Owner", "owner", self.owner),
            ("Adam Admin", "admin", self.admin),
            ("Mia Member", "member", self.member),
            ("Aki Auditor", "auditor", self.auditor),
        ];
        let assigned = Assignment { app: PORTAL_CLIENT_ID, roles: vec![] };
        let mut users: Vec<User> = names
            .into_iter()
            .map(|(name, local, oid)| User {
                oid,
                name: name.to_owned(),
                upn: self.upn(local),
                assignments: vec![assigned.clone()],
                administrator: matches!(local, "owner" | "admin"),
            })
            .collect();
        users.push(User {
            oid: self.unassigned,
            name: "Uma Unassigned".to_owned(),
            upn: self.upn("unassigned"),
            assignments: vec![],
            administrator: false,
        });
        Directory {
            id: self.directory,
            domain: self.domain.to_owned(),
            name: self.name.to_owned(),
            users,
            apps: vec![self.api(), self.portal(portal_redirects), self.pipeline_app(), self.bystander_app()],
            holds: None,
        }
    }
    fn api(&self) -> App {
        App {
            multi_tenant: true,
            api: Some(Api {
                app_id_uri: API_URI.to_owned(),
                scopes: vec![API_SCOPE.to_owned()],
                app_roles: vec![UPLOAD_ROLE.to_owned()],
                token_version: 2,
                idtyp: true,
            }),
            ..App::new(API_CLIENT_ID, self.service_principal(0xa1), "Bailiwick API")
        }
    }
    fn portal(&self, redirects: &[&str]) -> App {
        App {
            multi_tenant: true,
            assignment_required: true,
            redirect_uris: redirects.iter().map(|uri| RedirectUri { kind: RedirectKind::Spa, uri: (*uri).to_owned() }).collect(),
            ..App::new(PORTAL_CLIENT_ID, self.service_principal(0xb2), "Bailiwick portal")
        }
    }
    fn pipeline_app(&self) -> App {
        let federated = |name: &str, issuer: &str, subject: String| FederatedCredential {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            subject,
            audience: EXCHANGE_AUDIENCE.to_owned(),
        };
        App {
            secrets: vec![
                AppSecret { value: self.pipeline_secret.to_owned(), expires: None },
                AppSecret { value: self.expired_secret.to_owned(), expires: "2024-01-01T00:00:00Z".parse().ok() },
            ],
            federated: vec![
                federated("github", "https://token.actions.githubusercontent.com", self.github_subject()),
                federated("github-sim", "{own}/_issuers/github", self.github_subject()),
                federated("azure-devops-sim", "{own}/_issuers/azure-devops", self.azure_devops_subject()),
                federated("kubernetes-sim", "{own}/_issuers/kubernetes", "system:serviceaccount:ci:uploader".to_owned()),
            ],
            assignments: vec![Assignment { app: API_CLIENT_ID, roles: vec![UPLOAD_ROLE.to_owned()] }],
            ..App::new(self.pipeline, self.service_principal(0xc1), "Evidence pipeline")
        }
    }
    fn bystander_app(&self) -> App {
        App {
            secrets: vec![AppSecret { value: self.bystander_secret.to_owned(), expires: None }],
            ..App::new(self.bystander, self.service_principal(0xc2), "App without a role")
        }
    }
    fn ci_jobs(&self) -> Vec<CiJob> {
        let owner = self.name.to_lowercase();
        let github = json!({
            "repository": self.repository, "repository_owner": owner, "repository_id": self.repository_id, "repository_owner_id": format!("{}9", self.repository_id),
            "ref": "refs/heads/main", "ref_type": "branch", "event_name": "push", "workflow": "evidence", "actor": "octo",
            "run_id": "100", "run_number": "1", "run_attempt": "1", "repository_visibility": "private", "runner_environment": "github-hosted",
        });
        let claims = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
        vec![
            CiJob {
                platform: Platform::Github,
                request_token: self.github_request_token.to_owned(),
                subject: self.github_subject(),
                claims: claims(github),
            },
            CiJob {
                platform: Platform::AzureDevops,
                request_token: self.azure_devops_request_token.to_owned(),
                subject: self.azure_devops_subject(),
                claims: claims(json!({})),
            },
        ]
    }
}
