//! Built-in roles of Azure that the simulator knows, with what they allow, and who was given them since the start.

use crate::cloud::lock;
use anyhow::{Result, bail};
use std::{collections::HashMap, sync::Mutex};
use uuid::Uuid;

/// A role: its actions may hold `*`, which stands for anything.
#[derive(Debug)]
pub struct Role {
    pub name: &'static str,
    pub id: &'static str,
    pub actions: &'static [&'static str],
}

/// Less `Microsoft.Authorization/*/write`, which makes the difference to the owner's.
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";

pub const ROLES: &[Role] = &[
    Role { name: "Owner", id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", actions: &["*"] },
    Role { name: "Contributor", id: CONTRIBUTOR, actions: &["*"] },
    Role { name: "Reader", id: "acdd72a7-3385-48ef-bd42-f606fba81ae7", actions: &["*/read"] },
    Role {
        name: "Storage Account Contributor",
        id: "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        actions: &["Microsoft.Storage/storageAccounts/*", "Microsoft.Authorization/*/read", "Microsoft.Resources/*/read"],
    },
    Role {
        name: "Key Vault Contributor",
        id: "f25e0fa2-a7c8-4377-a976-54943a77a395",
        actions: &["Microsoft.KeyVault/*", "Microsoft.Authorization/*/read", "Microsoft.Resources/*/read"],
    },
    Role {
        name: "Website Contributor",
        id: "de139f84-1756-47ae-9be6-808fbbe84772",
        actions: &["Microsoft.Web/sites/*", "Microsoft.Authorization/*/read", "Microsoft.Resources/*/read"],
    },
    Role {
        name: "Hierarchy Settings Administrator",
        id: "350f8d15-c687-4448-8ae1-157740a3936d",
        actions: &["Microsoft.Management/managementGroups/settings/*"],
    },
];

impl Role {
    pub fn of_id(definition: &str) -> Option<&'static Self> {
        let definition = definition.to_lowercase();
        ROLES.iter().find(|role| definition.ends_with(role.id))
    }
    pub fn allows(&self, action: &str) -> bool {
        let granting = action.to_lowercase().starts_with("microsoft.authorization/") && !action.ends_with("/read");
        self.actions.iter().any(|pattern| matches(pattern, action)) && !(self.id == CONTRIBUTOR && granting)
    }
}

/// Whether an action fits a pattern, which has one `*` at most, without regard to case.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    match pattern.split_once('*') {
        Some((start, end)) => action.len() >= start.len() + end.len() && action.starts_with(start) && action.ends_with(end),
        None => action == pattern,
    }
}

/// Changes since the start, by directory and application: these roles on every subscription, whatever the scenario says.
#[derive(Default)]
pub struct AzureRoles(Mutex<HashMap<(Uuid, Uuid), Vec<&'static Role>>>);

impl AzureRoles {
    /// Reader, or nothing at all.
    pub fn set(&self, directory: Uuid, client: Uuid, reader: bool) {
        let roles = ROLES.iter().filter(|role| reader && role.name == "Reader").collect();
        lock(&self.0).insert((directory, client), roles);
    }
    /// One role more, also at the root group.
    ///
    /// # Errors
    /// When the simulator does not know the role.
    pub fn grant(&self, directory: Uuid, client: Uuid, role: &str) -> Result<()> {
        let Some(role) = ROLES.iter().find(|known| known.name.eq_ignore_ascii_case(role)) else {
            let known: Vec<&str> = ROLES.iter().map(|role| role.name).collect();
            bail!("the simulator does not know the role {role:?}: it knows {}", known.join(", "));
        };
        lock(&self.0).entry((directory, client)).or_default().push(role);
        Ok(())
    }
    pub fn of(&self, directory: Uuid, client: Uuid) -> Option<Vec<&'static Role>> {
        lock(&self.0).get(&(directory, client)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_allows_what_its_actions_say() {
        let allows = |role: &str, action: &str| ROLES.iter().find(|known| known.name == role).unwrap().allows(action);
        assert!(allows("Reader", "Microsoft.KeyVault/vaults/read") && !allows("Reader", "Microsoft.KeyVault/vaults/write"));
        assert!(allows("Contributor", "Microsoft.Sql/servers/write"));
        assert!(allows("Owner", "Microsoft.Authorization/roleAssignments/write"));
        assert!(!allows("Contributor", "Microsoft.Authorization/roleAssignments/write"));
        assert!(allows("Storage Account Contributor", "microsoft.storage/storageaccounts/write"));
        assert!(!allows("Storage Account Contributor", "Microsoft.KeyVault/vaults/read"));
        assert!(allows("Website Contributor", "Microsoft.Web/sites/config/write"));
        assert!(!allows("Website Contributor", "Microsoft.Web/sitesother/write"));
        assert!(matches("a/*/read", "A/b/c/read") && !matches("a/*/read", "a/b/reads") && !matches("a", "ab"));
    }
}
