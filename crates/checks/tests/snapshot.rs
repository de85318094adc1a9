//! The whole catalogue over one directory that answers everything: each request once, each within the plan, and in how much time.

mod common;

use bailiwick_checks::{Answer, Catalogue, Check, Fetch, Job, Plan, Request, Silent, Verdict, plan_by, scan_by};
use common::cloud::{Cloud, job, status};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

/// Answers from the cases `pass` of all checks, by path without what is selected; placeholders are one object each.
struct Directory<'p> {
    plan: &'p Plan,
    answers: BTreeMap<String, Value>,
    asked: Vec<String>,
    handed_out: HashSet<String>,
    spent: Duration,
}

impl<'p> Directory<'p> {
    fn new(catalogue: &Catalogue, plan: &'p Plan) -> Self {
        let plans = ["AAD_PREMIUM", "AAD_PREMIUM_P2", "INTUNE_A", "AAD_WRKLDID_P1", "INSIDER_RISK", "ATA", "MTP"];
        let (path, licences) = common::cloud::licences(&plans);
        let mut answers = BTreeMap::from([(path.to_owned(), licences)]);
        for (path, value) in catalogue.checks().iter().filter_map(passing) {
            answers.entry(unselected(&path)).or_insert(value);
        }
        answers
            .insert("/subscriptions?api-version=2022-12-01".to_owned(), json!({"value": [{"subscriptionId": "s1", "state": "Enabled"}]}));
        Self { plan, answers, asked: Vec::new(), handed_out: HashSet::new(), spent: Duration::ZERO }
    }
}

fn passing(check: &Check) -> Option<(String, Value)> {
    Some((check.collect.path.clone(), check.cases.get("pass")?.answer.clone()?))
}

fn unselected(path: &str) -> String {
    let Some((base, query)) = path.split_once('?') else { return path.to_owned() };
    let rest: Vec<&str> =
        query.split('&').filter(|part| !["$select=", "$expand=", "$top=999"].iter().any(|own| part.starts_with(own))).collect();
    if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) }
}

impl Fetch for Directory<'_> {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        let started = Instant::now();
        let answer = |request: &Request| {
            assert!(self.plan.allows(request, &self.handed_out), "{} is not planned", request.path);
            self.asked.push(format!("{} {}", request.service.as_str(), request.path));
            let path = unselected(&request.path).replace("/subscriptions/s1/", "/subscriptions/{sub}/");
            match self.answers.get(&path) {
                Some(body) => {
                    self.handed_out.extend(body.get("@odata.nextLink").and_then(Value::as_str).map(str::to_owned));
                    status(200, body)
                }
                None if request.path.starts_with("https://") => status(200, &json!({"value": []})),
                None => status(404, &json!({"error": {"code": "ResourceNotFound"}})),
            }
        };
        let answers = requests.iter().map(answer).collect();
        self.spent += started.elapsed();
        answers
    }
}

#[test]
fn a_whole_directory_is_asked_each_thing_once() {
    let (catalogue, _) = common::catalogue();
    let job = job(&catalogue.checks().iter().map(|check| check.id.as_str()).collect::<Vec<_>>());
    let plan = plan_by(&catalogue, &job);
    if std::env::var_os("BAILIWICK_SHOW_PLAN").is_some() {
        plan.requests.iter().for_each(|request| println!("{} {}", request.service.as_str(), request.pattern()));
    }
    let mut directory = Directory::new(&catalogue, &plan);
    let started = Instant::now();
    let report = scan_by(&catalogue, &job, &mut directory, &mut Silent);
    let spent = started.elapsed() - directory.spent;
    let passed = report.results.iter().filter(|result| result.verdict == Verdict::Passed).count();
    println!(
        "{} checks over {} requests judged in {spent:?} (this build), {passed} passed, {:?}",
        report.results.len(),
        directory.asked.len(),
        report.scores.overall.band
    );
    let once: HashSet<&String> = directory.asked.iter().collect();
    assert_eq!(once.len(), directory.asked.len(), "a request was made twice");
    assert!(!report.results.iter().any(|result| result.verdict == Verdict::Error), "no source failed");
    assert_eq!(plan_by(&catalogue, &job).requests.iter().map(|r| r.pattern()).collect::<Vec<_>>(), {
        let again: Job = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
        plan_by(&catalogue, &again).requests.iter().map(|r| r.pattern()).collect::<Vec<_>>()
    });
}

#[test]
fn a_listing_of_a_hundred_thousand_is_counted_and_not_kept() {
    const PAGES: usize = 101;
    let first = "/v1.0/reports/authenticationMethods/userRegistrationDetails?$top=999";
    let mut cloud = Cloud::new(&[common::cloud::licences(&[])]);
    for page in 0..PAGES {
        let users: Vec<Value> = (0..990).map(|n| json!({"id": format!("{:08}-0000-4000-8000-{n:012}", page), "userDisplayName": format!("User {n}"), "isMfaRegistered": n > 0})).collect();
        let next = if page + 1 < PAGES { json!(format!("l{}", page + 1)) } else { Value::Null };
        let path = if page == 0 { first.to_owned() } else { format!("l{page}") };
        cloud = cloud.with(&path, status(200, &json!({"value": users, "@odata.nextLink": next})));
    }
    let started = Instant::now();
    let report = scan_by(&common::cloud::fixtures(), &job(&["entra.fixture.registered"]), &mut cloud, &mut Silent);
    println!("{} users in {:?} (this build)", 990 * PAGES, started.elapsed());
    let result = &report.results[0];
    assert_eq!((result.verdict, result.object_count, result.objects.len()), (Verdict::Failed, PAGES as u64, 20));
    assert!(serde_json::to_string(&report).unwrap().len() < 20_000, "the report holds a sample");
}
