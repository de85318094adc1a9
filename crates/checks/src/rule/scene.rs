//! What predicates are tested against beside the object itself: the time, the tenant's settings, and facts from other answers.

use crate::Settings;
use jiff::Timestamp;
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};
use uuid::Uuid;

/// The circumstances of one test.
pub struct Scene<'s> {
    pub now: Timestamp,
    pub names: &'s Names,
    pub facts: &'s Facts,
    pub reading: Reading,
    /// Filled while reading leniently: exclusions that nobody declared.
    pub undeclared: RefCell<BTreeSet<String>>,
    /// Set when a test needed a setting that the tenant has not given.
    pub not_configured: Cell<bool>,
}

/// How strictly answers are read. The verdict hangs on the strict reading; the others say how near it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Undeclared exclusions are let pass and noted.
    pub lenient: bool,
    /// Absent members are what Microsoft documents them to stand for.
    pub assume: bool,
}

impl<'s> Scene<'s> {
    pub fn new(now: Timestamp, names: &'s Names, facts: &'s Facts) -> Self {
        Self { now, names, facts, reading: Reading::default(), undeclared: RefCell::default(), not_configured: Cell::new(false) }
    }

    pub fn reading(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }
}

/// A tenant's settings for one check, in lower case.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub emergency_accounts: BTreeSet<String>,
    pub emergency_groups: BTreeSet<String>,
    pub exclusions: BTreeSet<String>,
    pub entities: BTreeSet<String>,
}

impl Names {
    pub fn of(settings: &Settings, check: &str) -> Self {
        let lower = |names: &BTreeSet<String>| names.iter().map(|name| name.trim().to_lowercase()).collect::<BTreeSet<_>>();
        let by = |map: &BTreeMap<String, BTreeSet<String>>| [check, "*"].iter().filter_map(|key| map.get(*key)).flat_map(lower).collect();
        Self {
            emergency_accounts: lower(&settings.emergency_accounts),
            emergency_groups: lower(&settings.emergency_groups),
            exclusions: by(&settings.accepted_exclusions),
            entities: by(&settings.accepted_entities),
        }
    }

    pub fn emergency(&self, id: &str) -> bool {
        let id = id.to_lowercase();
        self.emergency_accounts.contains(&id) || self.emergency_groups.contains(&id)
    }
}

/// What functions need to know from other answers. `None`: not read, so unknown.
#[derive(Debug, Default)]
pub struct Facts {
    /// Whether a user has registered a method for multifactor authentication.
    pub mfa: Option<HashMap<Uuid, bool>>,
    pub guests: Option<HashSet<Uuid>>,
    /// Service principals that hold a privileged application role of Microsoft Graph.
    pub privileged_principals: Option<HashSet<Uuid>>,
    /// Application id to service principals' object ids.
    pub principals: Option<HashMap<Uuid, Uuid>>,
    /// Applications (by application id) with a client secret that has not expired.
    pub secret_apps: Option<HashSet<Uuid>>,
    /// Role definitions and templates that exist.
    pub roles: Option<HashSet<Uuid>>,
    /// Service plans of each product by its id.
    pub plans_of_sku: Option<HashMap<String, Vec<String>>>,
    /// Directory objects looked up by id: there or not.
    pub objects: HashMap<Uuid, bool>,
    /// Groups looked up by id; `None` for one that is deleted.
    pub groups: HashMap<Uuid, Option<Value>>,
    /// Emergency account to the groups it is in, directly or not.
    pub memberships: HashMap<String, BTreeSet<String>>,
    /// Every Conditional Access policy.
    pub policies: Option<Vec<Value>>,
}
