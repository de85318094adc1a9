//! Roles, permissions, and who holds which: the one table behind every guard, the portal's "may I" and SECURITY-MODEL.md.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A member's role in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Admin,
    Member,
    Auditor,
}

impl Role {
    pub const ALL: &[Role] = &[Role::Owner, Role::Admin, Role::Member, Role::Auditor];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Auditor => "auditor",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }
}

/// What permissions are given to: a role, an API key, or a workload's token of the tenant's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grantee {
    Role(Role),
    Key,
    Workload,
}

impl Grantee {
    pub const ALL: &[Grantee] = &[
        Grantee::Role(Role::Owner),
        Grantee::Role(Role::Admin),
        Grantee::Role(Role::Member),
        Grantee::Role(Role::Auditor),
        Grantee::Key,
        Grantee::Workload,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role(role) => role.as_str(),
            Self::Key => "key",
            Self::Workload => "workload",
        }
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal [$($who:ident)*];)*) => {
        /// The right to do one kind of thing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Permission { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl Permission {
            pub const ALL: &[Permission] = &[$(Permission::$name,)*];
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $text,)* } }
            /// Who holds it.
            pub fn grantees(self) -> &'static [Grantee] {
                match self { $(Self::$name => &[$(permissions!(@ $who),)*],)* }
            }
        }
    };
    (@ owner) => { Grantee::Role(Role::Owner) };
    (@ admin) => { Grantee::Role(Role::Admin) };
    (@ member) => { Grantee::Role(Role::Member) };
    (@ auditor) => { Grantee::Role(Role::Auditor) };
    (@ key) => { Grantee::Key };
    (@ workload) => { Grantee::Workload };
}

permissions! {
    RunsSubmit = "runs.submit" [owner admin member key workload];
    RunsRead = "runs.read" [owner admin member auditor key workload];
    /// Opens what a tool wrote, whole: the raw report.
    ArtifactsRead = "artifacts.read" [owner admin member auditor];
    RunsRetry = "runs.retry" [owner admin];
    FindingsRead = "findings.read" [owner admin member auditor key workload];
    BaselinesWrite = "baselines.write" [owner admin];
    ProjectsRead = "projects.read" [owner admin member auditor key workload];
    ProjectsWrite = "projects.write" [owner admin];
    DirectoriesRead = "directories.read" [owner admin member auditor];
    DirectoriesWrite = "directories.write" [owner admin];
    KeysRead = "keys.read" [owner admin auditor];
    KeysWrite = "keys.write" [owner admin];
    MembersRead = "members.read" [owner admin member auditor];
    MembersWrite = "members.write" [owner];
    SettingsRead = "settings.read" [owner admin member auditor];
    SettingsWrite = "settings.write" [owner];
    TrailRead = "trail.read" [owner admin auditor];
    ConnectionsRead = "connections.read" [owner admin member auditor];
    /// Connects directories and disconnects them: decides what Bailiwick may reach.
    ConnectionsManage = "connections.manage" [owner admin];
    ScansRead = "scans.read" [owner admin member auditor key workload];
    ScansRun = "scans.run" [owner admin member key workload];
    /// Decides when and how scans judge: schedules, settings, packs.
    ScansManage = "scans.manage" [owner admin];
    /// Looks into a connected directory as it is now: policies, and people at risk.
    LiveRead = "live.read" [owner admin member auditor];
    /// Sees what is told to whom, and says how one wants to be told oneself.
    NotificationsRead = "notifications.read" [owner admin member auditor];
    /// Decides what leaves for which mailbox, team and endpoint.
    NotificationsManage = "notifications.manage" [owner admin];
    FixesRead = "fixes.read" [owner admin member auditor];
    /// Proposes fixes: reads the directory, changes nothing.
    FixesPlan = "fixes.plan" [owner admin member];
    /// Says that a shown change may be made.
    FixesApprove = "fixes.approve" [owner admin];
    /// Has approved changes made, and taken back.
    FixesApply = "fixes.apply" [owner admin];
    /// Decides whether a directory has fixes at all, by how many people, and when.
    FixesManage = "fixes.manage" [owner];
    /// Signs people at risk out and locks their accounts.
    ContainmentAct = "containment.act" [owner admin];
}

impl Permission {
    pub fn held_by(self, who: Grantee) -> bool {
        self.grantees().contains(&who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I20: an auditor sees and never changes.
    #[test]
    fn auditors_hold_no_permission_that_changes_anything() {
        for permission in Permission::ALL.iter().filter(|p| p.held_by(Grantee::Role(Role::Auditor))) {
            assert!(permission.as_str().ends_with(".read"), "{permission:?}");
        }
    }

    /// I21: what changes credentials, people or settings needs an elevated role, and no key or workload holds it.
    #[test]
    fn elevated_permissions_stay_with_owners_and_admins() {
        for permission in [
            Permission::KeysWrite,
            Permission::MembersWrite,
            Permission::SettingsWrite,
            Permission::DirectoriesWrite,
            Permission::ConnectionsManage,
            Permission::ScansManage,
            Permission::NotificationsManage,
            Permission::FixesApprove,
            Permission::FixesApply,
            Permission::FixesManage,
            Permission::ContainmentAct,
        ] {
            for who in [Grantee::Key, Grantee::Workload, Grantee::Role(Role::Member), Grantee::Role(Role::Auditor)] {
                assert!(!permission.held_by(who), "{permission:?} {who:?}");
            }
        }
    }

    /// I44: whatever leads to a write in a directory is a person's doing: no key and no workload holds it.
    #[test]
    fn i44_no_key_or_workload_approves_applies_or_contains() {
        let acting = Permission::ALL.iter().filter(|p| p.as_str().starts_with("fixes.") || p.as_str().starts_with("containment."));
        assert!(acting.clone().count() >= 6);
        for permission in acting {
            assert!(!permission.held_by(Grantee::Key) && !permission.held_by(Grantee::Workload), "{permission:?}");
        }
    }

    #[test]
    fn owners_hold_everything() {
        for permission in Permission::ALL {
            assert!(permission.held_by(Grantee::Role(Role::Owner)), "{permission:?}");
        }
    }
}
