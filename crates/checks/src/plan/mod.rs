//! The requests a scan makes, computed from the job alone: the broker computes the same and refuses all else.

mod allow;
mod helpers;
mod merge;
mod packs;
mod placeholders;

pub use helpers::Helper;
pub(crate) use merge::parameters;
pub use merge::{Select, split};
pub use placeholders::Placeholder;
pub(crate) use placeholders::is_resource;

use crate::{Catalogue, Check, Collect, Job, Request, Rule, RuleError, Service, Tree};
use std::collections::BTreeSet;

/// Everything a scan may ask, each request once, in the order of service and path.
#[derive(Debug, Clone)]
pub struct Plan {
    pub requests: Vec<Planned>,
    pub(crate) checks: Vec<Chosen>,
    /// What the job's packs read, for themselves.
    pub packs: Vec<Planned>,
}

/// One request, perhaps with placeholders.
#[derive(Debug, Clone)]
pub struct Planned {
    pub service: Service,
    /// Without `$select`, placeholders in braces.
    pub path: String,
    pub(crate) select: Select,
    /// Checks (places in `Plan::checks`) whose own answer this is.
    pub(crate) readers: Vec<usize>,
    /// Checks whose condition of applying reads it.
    pub(crate) conditions: Vec<usize>,
    /// Facts taken from it, and the checks that need them; licences and the organisation are read whatever is judged.
    pub(crate) helpers: BTreeSet<Helper>,
    pub(crate) helped: BTreeSet<usize>,
    pub(crate) always: bool,
    pub(crate) looks: Tree,
}

/// A check that a scan judges.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub check: Check,
    pub rule: Result<Rule, RuleError>,
    pub condition: Option<Rule>,
    /// Calls functions that need facts from other answers, so is judged when all is read.
    pub late: bool,
}

impl Planned {
    /// The pattern as the broker and the reader see it, with every member that may be selected.
    pub fn pattern(&self) -> String {
        self.select.onto(&self.path, &|_| true)
    }

    pub(crate) fn wanted_by(&self) -> usize {
        self.readers.len() + self.conditions.len()
    }
}

/// The plan of a job over the shipped catalogue.
pub fn plan(job: &Job) -> Plan {
    match Catalogue::shipped() {
        Ok(catalogue) => plan_of(job, catalogue.checks()),
        Err(_) => plan_of(job, &[]),
    }
}

/// The plan of a job over a catalogue of one's own.
pub fn plan_by(catalogue: &Catalogue, job: &Job) -> Plan {
    plan_of(job, catalogue.checks())
}

/// The plan of a job over given checks.
pub(crate) fn plan_of(job: &Job, checks: &[Check]) -> Plan {
    let wanted = |check: &&Check| match &job.only {
        Some(only) => only.contains(&check.id),
        None => check.scans.contains(&job.kind),
    };
    let checks: Vec<Chosen> = checks.iter().filter(wanted).map(|check| Chosen::of(check, job)).collect();
    let mut plan = Plan { requests: Vec::new(), checks: Vec::new(), packs: packs::requests(job) };
    // A job of packs alone reads for them alone.
    let always = if job.only.as_ref().is_some_and(Vec::is_empty) { [].as_slice() } else { &[Helper::Licences, Helper::Organization] };
    for helper in always.iter().copied() {
        let at = plan.help(helper);
        plan.requests[at].always = true;
    }
    for (at, chosen) in checks.iter().enumerate() {
        let Collect { service, path } = &chosen.check.collect;
        let licence = chosen.check.license.as_deref();
        let request = plan.request(*service, path, licence);
        plan.requests[request].readers.push(at);
        if let Ok(rule) = &chosen.rule {
            plan.requests[request].looks.merge(&rule.looks());
            for helper in rule.functions().into_iter().flat_map(Helper::of) {
                let (service, path) = helper.request();
                let request = plan.help(*helper);
                plan.requests[request].helped.insert(at);
                plan.placeholders(service, path, at);
            }
        }
        plan.placeholders(*service, path, at);
        if let (Some(condition), Some(applies)) = (&chosen.condition, &chosen.check.applies_when) {
            let of = applies.collect.as_ref().unwrap_or(&chosen.check.collect);
            let request = plan.request(of.service, &of.path, licence);
            plan.requests[request].conditions.push(at);
            plan.requests[request].looks.merge(&condition.looks());
            plan.placeholders(of.service, &of.path, at);
        }
    }
    plan.checks = checks;
    plan.requests.sort_by(|a, b| (a.service, &a.path).cmp(&(b.service, &b.path)));
    plan
}

impl Chosen {
    fn of(check: &Check, job: &Job) -> Self {
        let rule = Rule::of(check, &job.settings);
        let late = rule.as_ref().is_ok_and(|rule| rule.functions().into_iter().any(|f| !Helper::of(f).is_empty()));
        let condition = check.applies_when.as_ref().and_then(|applies| Rule::condition(applies).ok());
        Self { check: check.clone(), rule, condition, late }
    }
}

impl Plan {
    /// The place of a request, added if it is new. `licence` gates the members it selects.
    fn request(&mut self, service: Service, path: &str, licence: Option<&str>) -> usize {
        let path = if service == Service::Dns { path.trim_start_matches("dns:") } else { path };
        let (path, select) = merge::split(path, licence);
        let same = |r: &Planned| r.service == service && r.path == path && r.select.joins(&path, &select);
        let at = self.requests.iter().position(same).unwrap_or_else(|| {
            let (readers, conditions) = Default::default();
            let (helpers, helped, looks) = Default::default();
            self.requests.push(Planned {
                service,
                path,
                select: select.clone(),
                readers,
                conditions,
                helpers,
                helped,
                always: false,
                looks,
            });
            self.requests.len() - 1
        });
        self.requests[at].select.merge(select);
        at
    }

    fn help(&mut self, helper: Helper) -> usize {
        let (service, path) = helper.request();
        let at = self.request(service, path, None);
        if self.requests[at].helpers.insert(helper) {
            helper.looks().iter().for_each(|path| self.requests[at].looks.keep(path));
        }
        at
    }

    /// The listings that give a path's placeholders their values, for a check.
    fn placeholders(&mut self, service: Service, path: &str, check: usize) {
        for placeholder in Placeholder::of(service, path) {
            if let Some((service, listing)) = placeholder.listing() {
                let at = self.request(service, &listing, None);
                placeholder.looks().iter().for_each(|path| self.requests[at].looks.keep(path));
                self.requests[at].helpers.insert(Helper::Listing);
                self.requests[at].helped.insert(check);
                self.placeholders(service, &listing, check);
            }
        }
    }

    /// The place of a planned request by its path, `$select` apart.
    pub(crate) fn find(&self, service: Service, path: &str) -> Option<usize> {
        let (path, select) = merge::split(path, None);
        self.requests.iter().position(|r| r.service == service && r.path == path && r.select.joins(&path, &select))
    }

    /// Whether a scan of this plan may make a request: one that is planned, or a next link that an answer of this scan handed out.
    pub fn allows(&self, request: &Request, handed_out: &std::collections::HashSet<String>) -> bool {
        handed_out.contains(&request.path) || self.requests.iter().chain(&self.packs).any(|planned| allow::allows(planned, request))
    }
}
