//! A directory of few answers, and packs written on the spot.

use bailiwick_checks::{Answer, CheckResult, Fetch, Job, PackSource, Progress, Request, ScanKind, ScanReport, plan, scan};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

pub const MANIFEST: &str = "name: own\nversion: 1.0.0\npackage: own\nreads:\n  - {service: graph, path: /v1.0/policies/authorizationPolicy, permission: Policy.Read.All}\n";

/// A pack of one module with this manifest.
pub fn pack(manifest: &str, rego: &str) -> PackSource {
    let name = |member: &str| manifest.lines().find_map(|line| line.strip_prefix(member)).unwrap().trim().to_owned();
    let files = vec![("pack.yaml".to_owned(), manifest.to_owned()), ("own.rego".to_owned(), rego.to_owned())];
    PackSource { name: name("name:"), version: name("version:"), files }
}

pub fn named(name: &str, rego: &str) -> PackSource {
    pack(&MANIFEST.replace("name: own", &format!("name: {name}")), rego)
}

/// A scan of packs alone.
pub fn job(packs: Vec<PackSource>) -> Job {
    Job {
        directory: uuid::Uuid::from_u128(7),
        directory_name: "Contoso".to_owned(),
        kind: ScanKind::Compliance,
        now: "2026-11-22T00:00:00Z".parse().unwrap(),
        settings: Default::default(),
        packs,
        only: Some(Vec::new()),
        resume: Vec::new(),
        catalogue: None,
    }
}

/// Answers by path; anything else is not there. Refuses what the plan does not name, as the broker does.
pub struct Contoso {
    pub answers: BTreeMap<String, (u16, Value)>,
    pub asked: Vec<Request>,
    plan: bailiwick_checks::Plan,
}

impl Contoso {
    pub fn new(job: &Job, answers: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let answers = answers.into_iter().map(|(path, body)| (path.to_owned(), (200, body))).collect();
        Self { answers, asked: Vec::new(), plan: plan(job) }
    }
}

impl Fetch for Contoso {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        let links: HashSet<String> =
            self.answers.values().filter_map(|(_, body)| body["@odata.nextLink"].as_str().map(str::to_owned)).collect();
        requests
            .iter()
            .map(|request| {
                assert!(self.plan.allows(request, &links), "{request:?} is not in the plan");
                self.asked.push(request.clone());
                let not_found = || (404, json!({"error": {"code": "Request_ResourceNotFound", "message": "not here"}}));
                let (status, body) = self.answers.get(&request.path).cloned().unwrap_or_else(not_found);
                Answer::Body { status, headers: BTreeMap::new(), body: body.to_string().into_bytes() }
            })
            .collect()
    }
}

/// Hears verdicts in their order.
#[derive(Default)]
pub struct Heard(pub Vec<CheckResult>);

impl Progress for Heard {
    fn judged(&mut self, result: &CheckResult) {
        self.0.push(result.clone());
    }
}

pub fn run(packs: Vec<PackSource>, answers: impl IntoIterator<Item = (&'static str, Value)>) -> ScanReport {
    let job = job(packs);
    scan(&job, &mut Contoso::new(&job, answers), &mut Heard::default())
}

pub fn guests(from: &str) -> [(&'static str, Value); 1] {
    [("/v1.0/policies/authorizationPolicy", json!({"id": "authorizationPolicy", "allowInvitesFrom": from}))]
}

pub fn of<'r>(report: &'r ScanReport, id: &str) -> &'r CheckResult {
    report
        .results
        .iter()
        .find(|result| result.check == id)
        .unwrap_or_else(|| panic!("{id} is not among {:#?} {:#?}", report.results, report.packs))
}
