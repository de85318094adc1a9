//! A cloud made of a few answers, with a list of what was asked.

use bailiwick_checks::{
    Answer, Catalogue, CheckResult, FaultKind, Fetch, Job, Progress, Request, ScanKind, ScanReport, Settings, SourceStatus,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

pub struct Cloud {
    pub answers: BTreeMap<String, Answer>,
    pub asked: Vec<String>,
    /// Calls of fetch, by how many requests each held.
    pub calls: Vec<usize>,
}

impl Cloud {
    pub fn new(answers: &[(&str, Value)]) -> Self {
        let answers = answers.iter().map(|(path, body)| ((*path).to_owned(), ok(body))).collect();
        Self { answers, asked: Vec::new(), calls: Vec::new() }
    }

    pub fn with(mut self, path: &str, answer: Answer) -> Self {
        self.answers.insert(path.to_owned(), answer);
        self
    }
}

pub fn ok(body: &Value) -> Answer {
    status(200, body)
}

pub fn status(status: u16, body: &Value) -> Answer {
    Answer::Body { status, headers: BTreeMap::new(), body: body.to_string().into_bytes() }
}

pub fn fault(kind: FaultKind) -> Answer {
    Answer::Failed { kind, message: format!("{kind:?} happened.") }
}

impl Fetch for Cloud {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        assert!(requests.len() <= 20 && requests.iter().all(|request| request.service == requests[0].service));
        self.calls.push(requests.len());
        let nothing = json!({"error": {"code": "Request_ResourceNotFound", "message": "Nothing here."}});
        let answer = |request: &Request| self.answers.get(&request.path).cloned().unwrap_or_else(|| status(404, &nothing));
        let answers = requests.iter().map(answer).collect();
        self.asked.extend(requests.iter().map(|request| request.path.clone()));
        answers
    }
}

/// Keeps all it hears.
#[derive(Default)]
pub struct Heard {
    pub read: Vec<SourceStatus>,
    pub snapshot: Vec<(Request, Value)>,
    pub judged: Vec<CheckResult>,
    pub next_links: HashSet<String>,
}

impl Progress for Heard {
    fn read(&mut self, source: &SourceStatus) {
        self.read.push(source.clone());
    }
    fn snapshot(&mut self, request: &Request, page: &Value) {
        self.snapshot.push((request.clone(), page.clone()));
    }
    fn judged(&mut self, result: &CheckResult) {
        self.judged.push(result.clone());
    }
}

/// The checks of `tests/fixtures`.
pub fn fixtures() -> Catalogue {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut files = Vec::new();
    for product in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(product).unwrap().map(|entry| entry.unwrap().path()) {
            files.push((file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), fs::read_to_string(file).unwrap()));
        }
    }
    Catalogue::read(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))).unwrap()
}

pub fn job(only: &[&str]) -> Job {
    Job {
        directory: "0f0e0d0c-0b0a-4908-8706-050403020100".parse().unwrap(),
        directory_name: "Contoso".to_owned(),
        kind: ScanKind::Compliance,
        now: "2026-11-22T00:00:00Z".parse().unwrap(),
        settings: Settings::default(),
        packs: Vec::new(),
        only: Some(only.iter().map(|id| (*id).to_owned()).collect()),
        resume: Vec::new(),
        catalogue: None,
    }
}

pub fn result<'r>(report: &'r ScanReport, check: &str) -> &'r CheckResult {
    report.results.iter().find(|result| result.check == check).unwrap_or_else(|| panic!("no result of {check}"))
}

pub fn licences(plans: &[&str]) -> (&'static str, Value) {
    let plans: Vec<Value> = plans.iter().map(|name| json!({"servicePlanName": name, "provisioningStatus": "Success"})).collect();
    ("/v1.0/subscribedSkus", json!({"value": [{"skuId": "s", "capabilityStatus": "Enabled", "servicePlans": plans}]}))
}
