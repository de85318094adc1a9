//! Who may act where: the grants administrators gave to applications registered elsewhere, and what became of them.

use crate::entra::resource::GRAPH;
use crate::{
    cloud::{Cloud, lock},
    config::{App, Assignment, Directory},
};
use anyhow::{Result, bail};
use bailiwick_base::Timestamp;
use jiff::SignedDuration;
use std::{collections::HashMap, sync::Mutex};
use uuid::Uuid;

/// One consent: the service principal exists, its roles follow after the configured delay.
#[derive(Debug, Clone)]
pub struct Granted {
    pub permissions: Vec<Assignment>,
    pub at: Timestamp,
}

#[derive(Default)]
pub struct Consents(Mutex<HashMap<(Uuid, Uuid), Granted>>);

impl Consents {
    pub fn grant(&self, directory: Uuid, client: Uuid, granted: Granted) {
        lock(&self.0).insert((directory, client), granted);
    }
    /// Removes the service principal; `false` when there was none.
    pub fn withdraw(&self, directory: Uuid, client: Uuid) -> bool {
        lock(&self.0).remove(&(directory, client)).is_some()
    }
    pub fn of(&self, directory: Uuid, client: Uuid) -> Option<Granted> {
        lock(&self.0).get(&(directory, client)).cloned()
    }
    /// The applications consented to in a directory.
    pub fn clients(&self, directory: Uuid) -> Vec<Uuid> {
        let mut clients: Vec<Uuid> = lock(&self.0).keys().filter(|(d, _)| *d == directory).map(|(_, client)| *client).collect();
        clients.sort();
        clients
    }
}

/// The object id of an application's service principal in a directory: always the same, so that role assignments in
/// scenario files can name it before anybody has consented.
pub fn service_principal(directory: Uuid, client: Uuid) -> Uuid {
    Uuid::from_u128(directory.as_u128() & !0xffff | 0x5000 | client.as_u128() & 0xff)
}

impl Cloud {
    /// An application as it exists in a directory: configured there, or registered elsewhere and consented to.
    pub fn app(&self, directory: Uuid, client: Uuid) -> Option<App> {
        let home = self.directories.iter().find(|d| d.id == directory)?;
        home.app(client).cloned().or_else(|| self.consented(home, client))
    }
    /// The same, for one registered elsewhere.
    pub fn consented(&self, directory: &Directory, client: Uuid) -> Option<App> {
        let registration = self.registration(client)?;
        let granted = self.consents.of(directory.id, client)?;
        let delay = SignedDuration::from_secs(i64::from(lock(&self.knobs).consent_delay_s));
        let effective = self.now().duration_since(granted.at) >= delay;
        Some(App {
            service_principal: service_principal(directory.id, client),
            assignments: if effective { granted.permissions } else { Vec::new() },
            ..registration.clone()
        })
    }
    pub fn registration(&self, client: Uuid) -> Option<&App> {
        self.registrations.iter().find(|app| app.client_id == client)
    }
    /// An administrator consents to everything the registration asks for.
    pub fn consent(&self, directory: Uuid, client: Uuid) -> bool {
        let known = self.directories.iter().any(|d| d.id == directory);
        let Some(registration) = self.registration(client).filter(|_| known) else { return false };
        self.consents.grant(directory, client, Granted { permissions: registration.required.clone(), at: self.now() });
        true
    }
    /// An administrator consents to some Graph permissions of those a registration asks for, or others.
    ///
    /// # Errors
    /// When there is no such directory or registration.
    pub fn consent_to(&self, directory: Uuid, client: Uuid, permissions: &[&str]) -> Result<()> {
        if !self.consent(directory, client) {
            bail!("there is no directory {directory} or no registration {client}");
        }
        let roles = permissions.iter().map(|permission| (*permission).to_owned()).collect();
        self.consents.grant(directory, client, Granted { permissions: vec![Assignment { app: GRAPH, roles }], at: self.now() });
        Ok(())
    }
    /// An opaque claim of tokens that changes when the directory ends its tokens.
    pub fn refresh_handle(&self, directory: Uuid) -> String {
        let epoch = lock(&self.epochs).get(&directory).copied().unwrap_or(0);
        format!("1.AAAA{epoch}.")
    }
    /// Ends every access token issued for a directory so far.
    pub fn revoke_tokens(&self, directory: Uuid) {
        *lock(&self.epochs).entry(directory).or_default() += 1;
    }
}
