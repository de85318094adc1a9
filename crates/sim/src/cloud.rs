//! The state of one simulated cloud, shared by all its servers. Locks are held for one step and never across an await.

use crate::{
    ahead::Ahead,
    arm::AzureRoles,
    calls::CallLog,
    config::{App, CiJob, Directory, Platform, SimConfig, User},
    consents::{Consents, service_principal},
    demo, dns,
    entra::grants::Grants,
    estate::{Estate, Fill},
    faults::Faults,
    graph::throttle::Throttle,
    kept::Kept,
    keys::{KeyRing, SigningKey},
    knobs::Knobs,
    outbox::Outbox,
    realm::{MSA_TENANT, Realm},
};
use anyhow::Result;
use bailiwick_base::{Rng, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use uuid::Uuid;

pub struct Cloud {
    pub directories: Vec<Directory>,
    pub clock: Ahead,
    pub rng: Arc<dyn Rng>,
    /// `localhost:PORT`
    pub own_authority: String,
    pub ca_pem: String,
    pub calls: CallLog,
    pub faults: Faults,
    pub knobs: Mutex<Knobs>,
    pub throttle: Throttle,
    pub registrations: Vec<App>,
    pub consents: Consents,
    /// How often each directory ended all its tokens.
    pub epochs: Mutex<HashMap<Uuid, u64>>,
    pub azure_roles: AzureRoles,
    /// Loaded when first asked for; directories with the same scenario share it until they are written to.
    estates: Mutex<HashMap<String, Arc<Estate>>>,
    pub kept: Kept,
    pub outbox: Outbox,
    pub grants: Mutex<Grants>,
    pub ci_jobs: Mutex<Vec<CiJob>>,
    ring: Mutex<KeyRing>,
    /// Signs for personal accounts only; published with that issuer.
    pub msa_key: SigningKey,
    platform_keys: [OnceLock<SigningKey>; 3],
    client_keys: Mutex<HashMap<Uuid, Arc<SigningKey>>>,
}

/// A lock whose holder panicked is still good: every change under it is one step.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cloud {
    pub fn new(mut config: SimConfig, own_authority: String, ca_pem: String) -> Result<Self> {
        let own = format!("https://{own_authority}");
        let mut directories = config.directories;
        let apps = directories.iter_mut().flat_map(|d| &mut d.apps).chain(&mut config.registrations);
        for credential in apps.flat_map(|a| &mut a.federated) {
            credential.issuer = credential.issuer.replace("{own}", &own);
        }
        let (first, second, msa) = three_keys()?;
        Ok(Self {
            directories,
            clock: Ahead::of(config.clock),
            rng: config.rng,
            own_authority,
            ca_pem,
            calls: CallLog::default(),
            faults: Faults::default(),
            knobs: Mutex::default(),
            throttle: Throttle::default(),
            registrations: config.registrations,
            consents: Consents::default(),
            epochs: Mutex::default(),
            azure_roles: AzureRoles::default(),
            estates: Mutex::default(),
            kept: Kept::default(),
            outbox: Outbox::default(),
            grants: Mutex::default(),
            ci_jobs: Mutex::new(config.ci_jobs),
            ring: Mutex::new(KeyRing::new(vec![first, second])),
            msa_key: msa,
            platform_keys: Default::default(),
            client_keys: Mutex::default(),
        })
    }
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub fn own_realm(&self) -> Realm {
        Realm::own(&self.own_authority)
    }
    pub fn ring(&self) -> MutexGuard<'_, KeyRing> {
        lock(&self.ring)
    }
    /// The directory of a path segment: its id or its domain.
    pub fn directory(&self, segment: &str) -> Option<&Directory> {
        let id = segment.parse::<Uuid>().ok();
        self.directories.iter().find(|d| id == Some(d.id) || d.domain.eq_ignore_ascii_case(segment))
    }
    pub fn tenant(&self, segment: &str) -> Option<Tenant<'_>> {
        match segment {
            "common" => Some(Tenant::Common),
            "organizations" => Some(Tenant::Organizations),
            "consumers" => Some(Tenant::Consumers),
            id if id.parse() == Ok(MSA_TENANT) => Some(Tenant::Consumers),
            id => self.directory(id).map(Tenant::Directory),
        }
    }
    /// A random version 4 UUID from the configured randomness.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0u8; 16];
        self.rng.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
    /// An opaque handle of 256 random bits.
    pub fn opaque(&self, prefix: &str) -> String {
        let mut bytes = [0u8; 32];
        self.rng.fill(&mut bytes);
        format!("{prefix}{}", crate::jwt::b64(bytes))
    }
    /// The key of a CI platform's issuer, made when first needed.
    pub fn platform_key(&self, platform: Platform) -> Result<&SigningKey> {
        let slot = &self.platform_keys[platform as usize];
        if let Some(key) = slot.get() {
            return Ok(key);
        }
        let made = SigningKey::generate("CI platform issuer")?;
        Ok(slot.get_or_init(|| made))
    }
    /// The certificate key of an application, made when first asked for.
    pub fn client_key(&self, client: Uuid) -> Result<Arc<SigningKey>> {
        if let Some(key) = self.made_client_key(client) {
            return Ok(key);
        }
        let made = Arc::new(SigningKey::generate("client certificate")?);
        Ok(lock(&self.client_keys).entry(client).or_insert(made).clone())
    }
    /// The same, if it has been made.
    pub fn made_client_key(&self, client: Uuid) -> Option<Arc<SigningKey>> {
        lock(&self.client_keys).get(&client).cloned()
    }
    /// What a directory began with: its scenario, or what follows from its configuration.
    ///
    /// # Errors
    /// When there is no such scenario, or one of its files cannot be read.
    pub fn scenario(&self, directory: &Directory) -> Result<Arc<Estate>> {
        let name = directory.holds.clone().unwrap_or_else(|| format!("only {}", directory.id));
        if let Some(estate) = lock(&self.estates).get(&name) {
            return Ok(estate.clone());
        }
        let made = match &directory.holds {
            Some(scenario) => Estate::load(scenario)?,
            None => Estate::configured(directory),
        };
        Ok(lock(&self.estates).entry(name).or_insert(Arc::new(made)).clone())
    }
    /// What placeholders of scenario files stand for in a directory now.
    pub fn fill(&self, directory: &Directory) -> Fill {
        let principal = |client| service_principal(directory.id, client).to_string();
        Fill {
            tenant: directory.id.to_string(),
            name: directory.name.clone(),
            domain: directory.domain.clone(),
            reader: principal(demo::READER_CLIENT_ID),
            writer: principal(demo::WRITER_CLIENT_ID),
            now: self.now(),
        }
    }
    /// Records of a name in the domains of the scenarios: `None` when it has no entry of that type.
    pub fn dns_records(&self, kind: u16, name: &str) -> Option<Vec<String>> {
        let kind = dns::kind_name(kind)?;
        let directory =
            self.directories.iter().find(|d| name.strip_suffix(&d.domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))?;
        let (estate, fill) = (self.estate(directory).ok()?, self.fill(directory));
        let name = format!("{kind} {}{{domain}}", name.strip_suffix(&directory.domain)?);
        estate.records().find(|(known, _)| **known == name).map(|(_, records)| records.iter().map(|record| fill.text(record)).collect())
    }
    /// `txt name` and `cname name`, in lower case, to the records of every directory.
    pub fn dns(&self) -> HashMap<String, Vec<String>> {
        let mut all = HashMap::new();
        for directory in &self.directories {
            let Ok(estate) = self.estate(directory) else { continue };
            let fill = self.fill(directory);
            all.extend(estate.records().map(|(name, records)| (fill.text(name), records.iter().map(|record| fill.text(record)).collect())));
        }
        all
    }
    /// Every user with the directory it lives in.
    pub fn users(&self) -> impl Iterator<Item = (&Directory, &User)> {
        self.directories.iter().flat_map(|d| d.users.iter().map(move |u| (d, u)))
    }
    /// The first directory that knows the application: for `/common`, where no directory is named.
    pub fn app_anywhere(&self, client_id: Uuid) -> Option<(&Directory, &App)> {
        self.directories.iter().find_map(|d| Some((d, d.app(client_id)?)))
    }
}

/// Key generation is the slowest part of starting, so it uses both cores of a small machine.
fn three_keys() -> Result<(SigningKey, SigningKey, SigningKey)> {
    let make = || SigningKey::generate("accounts.accesscontrol.windows.net");
    std::thread::scope(|scope| {
        let (first, second) = (scope.spawn(make), scope.spawn(make));
        let third = make()?;
        let join = |handle: std::thread::ScopedJoinHandle<'_, Result<SigningKey>>| {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        Ok((join(first)?, join(second)?, third))
    })
}

/// What a `{tenant}` path segment means.
#[derive(Clone, Copy)]
pub enum Tenant<'a> {
    Directory(&'a Directory),
    Common,
    Organizations,
    Consumers,
}
