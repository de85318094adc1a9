//! The state of one simulated cloud, shared by all its servers. Locks are held for one step and never across an await.

use crate::{
    calls::CallLog,
    config::{App, CiJob, Directory, Platform, SimConfig, User},
    entra::grants::Grants,
    faults::Faults,
    keys::{KeyRing, SigningKey},
    realm::{MSA_TENANT, Realm},
};
use anyhow::Result;
use bailiwick_base::{Clock, Rng, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use uuid::Uuid;

pub struct Cloud {
    pub directories: Vec<Directory>,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    /// `localhost:PORT`
    pub own_authority: String,
    pub ca_pem: String,
    pub calls: CallLog,
    pub faults: Faults,
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
    pub fn new(config: SimConfig, own_authority: String, ca_pem: String) -> Result<Self> {
        let own = format!("https://{own_authority}");
        let mut directories = config.directories;
        for credential in directories.iter_mut().flat_map(|d| &mut d.apps).flat_map(|a| &mut a.federated) {
            credential.issuer = credential.issuer.replace("{own}", &own);
        }
        let (first, second, msa) = three_keys()?;
        Ok(Self {
            directories,
            clock: config.clock,
            rng: config.rng,
            own_authority,
            ca_pem,
            calls: CallLog::default(),
            faults: Faults::default(),
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
