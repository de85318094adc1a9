//! What lets anything be written: the tenant has it, an owner turned it on, and a second consent was given. Asked when something is
//! ordered, again when it is carried out, and once more in the transaction that notes a write before it is sent.

use super::db::{self, Sql};
use super::goal::failure;
use super::model::{self, Around};
use super::model::{CONTAINMENT, FIXES};
use crate::connections::db as connections;
use crate::{Services, tenancy};
use bailiwick_base::{Code, DirectoryId, Problem, TenantId, Timestamp};
use bailiwick_contract::connections::ConnectionKind;
use bailiwick_contract::fixes::{FixEntitlements, FixFailure, FixFailureCode, FixSettings};
use std::collections::HashMap;
use uuid::Uuid;

/// What a tenant has.
pub async fn entitled(services: &Services, sql: &mut Sql, tenant: TenantId) -> Result<FixEntitlements, Problem> {
    let own = db::entitlements(sql, tenant).await?;
    let names = own.as_deref().unwrap_or(&services.settings.entitlements);
    let has = |name: &str| names.iter().any(|given| given == name);
    Ok(FixEntitlements { fixes: has(FIXES), containment: has(CONTAINMENT) })
}

/// What decides over the fixes of a tenant, read once for all of them.
pub struct Surroundings {
    pub entitled: FixEntitlements,
    settings: HashMap<Uuid, FixSettings>,
    writers: HashMap<Uuid, Uuid>,
    assistant: bool,
    pub now: Timestamp,
    /// The caller's id.
    pub caller: String,
}

impl Surroundings {
    /// # Errors
    /// The database's.
    pub async fn read(services: &Services, sql: &mut Sql, tenant: TenantId, caller: String) -> Result<Self, Problem> {
        Ok(Self {
            entitled: entitled(services, sql, tenant).await?,
            settings: db::all_settings(sql, tenant).await?.into_iter().collect(),
            writers: connections::live_of_kind(sql, tenant, ConnectionKind::Write).await?.into_iter().collect(),
            assistant: services.assistant.is_some(),
            now: services.store.now(),
            caller,
        })
    }

    pub fn settings(&self, directory: DirectoryId) -> FixSettings {
        self.settings.get(&directory.0).cloned().unwrap_or_default()
    }
    pub fn writer(&self, directory: DirectoryId) -> Option<Uuid> {
        self.writers.get(&directory.0).copied()
    }
    pub fn opens_at(&self, directory: DirectoryId) -> Option<Timestamp> {
        let settings = self.settings.get(&directory.0)?;
        model::opens_at(settings.window.as_ref()?, self.now)
    }
    pub fn around(&self, directory: DirectoryId) -> Around {
        Around {
            entitled: self.entitled.fixes,
            enabled: self.settings(directory).enabled,
            writer: self.writers.contains_key(&directory.0),
            assistant: self.assistant,
        }
    }
}

/// Refuses a directory that the tenant does not know.
///
/// # Errors
/// `not_found`.
pub async fn known(sql: &mut Sql, tenant: TenantId, directory: DirectoryId) -> Result<(), Problem> {
    tenancy::db::takes_directory(sql, tenant, directory).await?.map(drop).ok_or_else(Problem::not_found)
}

/// Refuses what a tenant does not have.
///
/// # Errors
/// `not_entitled`.
pub fn need(entitled: bool, what: &str) -> Result<(), Problem> {
    let detail = format!("Your organisation does not have {what} here. Ask the operator.");
    if entitled { Ok(()) } else { Err(Problem::new(Code::NotEntitled, detail)) }
}

/// Refuses what an owner has not turned on.
///
/// # Errors
/// `fixes_off`.
pub fn need_on(on: bool, what: &str) -> Result<(), Problem> {
    let detail = format!("{what} is off for this directory. An owner turns it on in the settings of fixes.");
    if on { Ok(()) } else { Err(Problem::new(Code::FixesOff, detail)) }
}

/// Which gate something has to pass while it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Fixes,
    Containment,
}

/// Why nothing may be written now, by what the tenant has and the settings that were read.
pub async fn gate(
    services: &Services,
    sql: &mut Sql,
    tenant: TenantId,
    settings: Option<&FixSettings>,
    gate: Gate,
) -> Result<Result<(), FixFailure>, Problem> {
    let entitled = entitled(services, sql, tenant).await?;
    let (has, on) = match gate {
        Gate::Fixes => (entitled.fixes, settings.is_some_and(|s| s.enabled)),
        Gate::Containment => (entitled.containment, settings.is_some_and(|s| s.enabled && s.containment)),
    };
    Ok(match (has, on) {
        (false, _) => Err(failure(FixFailureCode::NotEntitled, "Your organisation does not have this here any more. Ask the operator.")),
        (true, false) => Err(failure(FixFailureCode::Off, "It was turned off for this directory meanwhile. Nothing was written.")),
        (true, true) => Ok(()),
    })
}

pub fn not_connected() -> FixFailure {
    failure(
        FixFailureCode::NotConnected,
        "The connection that writes to this directory was disconnected. Connect it again, then apply again.",
    )
}
