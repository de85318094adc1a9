//! The directories that are connected and scanned, and the three applications that Bailiwick is registered as for it.

use super::EXCHANGE_AUDIENCE;
use crate::{
    config::{App, AppSecret, Assignment, Directory, FederatedCredential, RedirectKind, RedirectUri, User},
    consents::service_principal,
    entra::resource::GRAPH,
};
use uuid::{Uuid, uuid};

/// `Bailiwick Reader`, multi-tenant: reads for scans. Consented to by each directory.
pub const READER_CLIENT_ID: Uuid = uuid!("b0a71a1c-0000-4000-8000-0000000000d4");
pub const READER_SECRET: &str = "bailiwick-reader-sim-secret";
/// `Bailiwick Writer`, multi-tenant: changes what a fix changes. A consent of its own.
pub const WRITER_CLIENT_ID: Uuid = uuid!("b0a71a1c-0000-4000-8000-0000000000e5");
pub const WRITER_SECRET: &str = "bailiwick-writer-sim-secret";
/// `Bailiwick Mailer`, multi-tenant: sends mail from a mailbox of the directory, and nothing else. A consent of its own.
pub const MAILER_CLIENT_ID: Uuid = uuid!("b0a71a1c-0000-4000-8000-0000000000f6");
pub const MAILER_SECRET: &str = "bailiwick-mailer-sim-secret";
/// Of all three applications; refused with AADSTS7000222.
pub const EXPIRED_SECRET: &str = "bailiwick-old-sim-secret";
/// Where consent leads back to, below each redirect URI of the portal.
pub const CONSENT_RETURN: &str = "connect/consent";

/// The Graph permissions `Bailiwick Reader` asks for: one for each path that the catalogue and the live views read.
pub const READER_PERMISSIONS: &[&str] = &[
    "AccessReview.Read.All",
    "Application.Read.All",
    "AuditLog.Read.All",
    "DeviceManagementApps.Read.All",
    "DeviceManagementConfiguration.Read.All",
    "DeviceManagementManagedDevices.Read.All",
    "DeviceManagementServiceConfig.Read.All",
    "Directory.Read.All",
    "DirectoryRecommendations.Read.All",
    "Domain.Read.All",
    "Group.Read.All",
    "GroupSettings.Read.All",
    "IdentityRiskEvent.Read.All",
    "IdentityRiskyServicePrincipal.Read.All",
    "IdentityRiskyUser.Read.All",
    "OnPremDirectorySynchronization.Read.All",
    "OrgSettings-AppsAndServices.Read.All",
    "OrgSettings-Forms.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "Policy.Read.AuthenticationMethod",
    "Policy.Read.ConditionalAccess",
    "Policy.Read.DeviceConfiguration",
    "Policy.Read.PermissionGrant",
    "ReportSettings.Read.All",
    "Reports.Read.All",
    "RoleAssignmentSchedule.Read.Directory",
    "RoleEligibilitySchedule.Read.Directory",
    "RoleManagement.Read.Directory",
    "RoleManagementAlert.Read.Directory",
    "RoleManagementPolicy.Read.Directory",
    "SecurityAlert.Read.All",
    "SecurityEvents.Read.All",
    "SecurityIdentitiesHealth.Read.All",
    "SecurityIncident.Read.All",
    "SharePointTenantSettings.Read.All",
    "TeamworkAppSettings.Read.All",
    "ThreatHunting.Read.All",
    "User.Read.All",
    "UserAuthenticationMethod.Read.All",
];

/// The Graph permissions `Bailiwick Writer` asks for: one for each recipe of the catalogue, those of containing a person, and
/// what reading again after a write needs beyond them.
pub const WRITER_PERMISSIONS: &[&str] = &[
    "Application.ReadWrite.All",
    "DeviceManagementServiceConfig.ReadWrite.All",
    "Domain.ReadWrite.All",
    "IdentityRiskyUser.Read.All",
    "OrgSettings-AppsAndServices.ReadWrite.All",
    "OrgSettings-Forms.ReadWrite.All",
    "Policy.Read.All",
    "Policy.ReadWrite.ApplicationConfiguration",
    "Policy.ReadWrite.AuthenticationFlows",
    "Policy.ReadWrite.AuthenticationMethod",
    "Policy.ReadWrite.Authorization",
    "Policy.ReadWrite.ConditionalAccess",
    "Policy.ReadWrite.ConsentRequest",
    "Policy.ReadWrite.SecurityDefaults",
    "ReportSettings.ReadWrite.All",
    "RoleManagementPolicy.ReadWrite.Directory",
    "SharePointTenantSettings.ReadWrite.All",
    "TeamworkAppSettings.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User.Read.All",
    "User.RevokeSessions.All",
];

/// The Graph permissions `Bailiwick Mailer` asks for.
pub const MAILER_PERMISSIONS: &[&str] = &["Mail.Send"];

/// A directory whose contents are a folder of `scenarios/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    pub directory: Uuid,
    pub name: &'static str,
    pub domain: &'static str,
    pub holds: &'static str,
    /// A Global Administrator: may consent.
    pub admin: Uuid,
    /// May not.
    pub user: Uuid,
    /// The break-glass accounts.
    pub emergency: [Uuid; 2],
}

const fn scanned(directory: Uuid, name: &'static str, domain: &'static str, holds: &'static str) -> Scanned {
    let family = directory.as_u128() >> 96 << 96 | 0x4000_8000_0000_0000_0000;
    Scanned {
        directory,
        name,
        domain,
        holds,
        admin: Uuid::from_u128(family + 1),
        user: Uuid::from_u128(family + 2),
        emergency: [Uuid::from_u128(family + 0xe1), Uuid::from_u128(family + 0xe2)],
    }
}

/// Passes nearly every check; Microsoft 365 E5.
pub const NORTHWIND: Scanned = scanned(uuid!("40470e11-3333-4333-8333-333333333333"), "Northwind Traders", "northwind.example", "hardened");
/// Passes some; Business Premium with a few P2.
pub const TAILSPIN: Scanned = scanned(uuid!("7a115710-4444-4444-8444-444444444444"), "Tailspin Toys", "tailspin.example", "typical");
/// Fails most; no licence beyond the free one.
pub const WINGTIP: Scanned = scanned(uuid!("3199717b-5555-4555-8555-555555555555"), "Wingtip Toys", "wingtip.example", "neglected");
/// As Tailspin, with 100,000 users made page by page.
pub const LITWARE: Scanned = scanned(uuid!("1a26e000-6666-4666-8666-666666666666"), "Litware", "litware.example", "large");

/// The directories with contents.
pub const SCANNED: &[Scanned] = &[NORTHWIND, TAILSPIN, WINGTIP, LITWARE];

impl Scanned {
    /// Sign-in name of somebody of this directory.
    pub fn upn(&self, user: &str) -> String {
        format!("{user}@{}", self.domain)
    }
    /// The object id an application has here once consented to.
    pub fn service_principal(&self, client: Uuid) -> Uuid {
        service_principal(self.directory, client)
    }
    pub(super) fn directory(&self) -> Directory {
        let user = |oid, name: &str, local: &str, administrator| User {
            oid,
            name: name.to_owned(),
            upn: self.upn(local),
            assignments: vec![],
            administrator,
        };
        Directory {
            id: self.directory,
            domain: self.domain.to_owned(),
            name: self.name.to_owned(),
            users: vec![user(self.admin, "Ada Administrator", "admin", true), user(self.user, "Uri User", "user", false)],
            apps: vec![],
            holds: Some(self.holds.to_owned()),
        }
    }
}

/// `count` further directories with the contents of `like`, for measures over many: the n-th is [`many_id`].
pub fn many(like: &Scanned, count: u32) -> Vec<Directory> {
    (0..count)
        .map(|n| Directory { id: many_id(n), domain: format!("many{n:04}.example"), name: format!("Many {n:04}"), ..like.directory() })
        .collect()
}

/// The id of the n-th directory of [`many`].
pub fn many_id(n: u32) -> Uuid {
    Uuid::from_u128(0x3a27_0000_7777_4777_8777_0000_0000_0000 | u128::from(n) << 16)
}

/// The applications an administrator of each directory consents to.
pub(super) fn registrations(portal_redirects: &[&str]) -> Vec<App> {
    let app = |client: Uuid, name: &str, secret: &str, permissions: &[&str]| App {
        multi_tenant: true,
        redirect_uris: portal_redirects.iter().map(|portal| redirect(portal, CONSENT_RETURN)).collect(),
        secrets: vec![
            AppSecret { value: secret.to_owned(), expires: None },
            AppSecret { value: EXPIRED_SECRET.to_owned(), expires: "2024-01-01T00:00:00Z".parse().ok() },
        ],
        federated: federated(name),
        required: vec![Assignment { app: GRAPH, roles: permissions.iter().map(|permission| (*permission).to_owned()).collect() }],
        ..App::new(client, Uuid::nil(), name)
    };
    vec![
        app(READER_CLIENT_ID, "Bailiwick Reader", READER_SECRET, READER_PERMISSIONS),
        app(WRITER_CLIENT_ID, "Bailiwick Writer", WRITER_SECRET, WRITER_PERMISSIONS),
        app(MAILER_CLIENT_ID, "Bailiwick Mailer", MAILER_SECRET, MAILER_PERMISSIONS),
    ]
}

fn redirect(portal: &str, path: &str) -> RedirectUri {
    RedirectUri { kind: RedirectKind::Web, uri: format!("{}/{path}", portal.trim_end_matches('/')) }
}

/// A job of Bailiwick's own repository on GitHub, and a service account of Kubernetes: `system:serviceaccount:bailiwick:reader`.
fn federated(name: &str) -> Vec<FederatedCredential> {
    let account = name.rsplit(' ').next().unwrap_or_default().to_lowercase();
    let credential = |name: &str, issuer: &str, subject: String| FederatedCredential {
        name: name.to_owned(),
        issuer: issuer.to_owned(),
        subject,
        audience: EXCHANGE_AUDIENCE.to_owned(),
    };
    vec![
        credential("github-sim", "{own}/_issuers/github", "repo:bailiwick/operations:ref:refs/heads/main".to_owned()),
        credential("kubernetes-sim", "{own}/_issuers/kubernetes", format!("system:serviceaccount:bailiwick:{account}")),
    ]
}
