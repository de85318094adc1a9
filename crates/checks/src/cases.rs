//! A check's cases: an answer as Microsoft documents it, and the verdict it must lead to, run through a whole scan of that one check.

use crate::{
    Answer, Case, Check, CheckResult, Fetch, Job, Placeholder, Reason, ReasonCode, Request, ScanKind, Service, Settings, Silent, Verdict,
    plan::split,
    rule::{Path, Step},
    scan,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// How one case came out.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseOutcome {
    pub case: String,
    pub expected: Verdict,
    pub actual: Verdict,
    pub reason: Option<Reason>,
    /// What is wrong; none where the case holds.
    pub problem: Option<String>,
}

impl CaseOutcome {
    pub fn holds(&self) -> bool {
        self.problem.is_none()
    }
}

/// The beginnings of names that every check's cases must have.
pub const REQUIRED: &[&str] = &["pass", "fail", "absent", "not_applicable"];

/// The time of a case that names none.
const NOW: Timestamp = Timestamp::constant(1_795_305_600, 0);
const DIRECTORY: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
const SUBSCRIPTION: &str = "22222222-2222-4222-8222-222222222222";

/// Runs every case of a check, in the order of names.
pub fn run_cases(check: &Check) -> Vec<CaseOutcome> {
    check.cases.keys().map(|name| run_case(check, name)).collect()
}

/// The kinds of cases in [`REQUIRED`] that a check has none of.
pub fn missing_cases(check: &Check) -> Vec<&'static str> {
    REQUIRED.iter().filter(|kind| !check.cases.keys().any(|name| is_of(name, kind))).copied().collect()
}

fn is_of(name: &str, kind: &str) -> bool {
    name.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-', ' ']))
}

/// Runs one case.
pub fn run_case(check: &Check, name: &str) -> CaseOutcome {
    let whole = resolve(check, name, &mut BTreeSet::new());
    let case = whole.as_ref().ok().or_else(|| check.cases.get(name)).cloned().unwrap_or_default();
    let expected = case.verdict.unwrap_or_else(|| by_name(name));
    let own = check.cases.get(name).map(|case| case.answers.keys().cloned().collect()).unwrap_or_default();
    let (actual, reason, problem) = match whole.and_then(|case| judge(check, &case, own)) {
        Err(problem) => (Verdict::Error, None, Some(problem)),
        Ok(result) => {
            let problem = differs(name, &case, expected, &result);
            (result.verdict, result.reason, problem)
        }
    };
    CaseOutcome { case: name.to_owned(), expected, actual, reason, problem }
}

fn by_name(name: &str) -> Verdict {
    let kinds = [
        ("pass", Verdict::Passed),
        ("absent", Verdict::Unknown),
        ("not_applicable", Verdict::Skipped),
        ("exclusions", Verdict::PassedWithExclusions),
    ];
    kinds.iter().find(|(kind, _)| is_of(name, kind)).map_or(Verdict::Failed, |(_, verdict)| *verdict)
}

fn differs(name: &str, case: &Case, expected: Verdict, result: &CheckResult) -> Option<String> {
    let told = result.reason.as_ref().map_or(String::new(), |reason| format!(" ({})", reason.text));
    if result.verdict != expected {
        return Some(format!("came out {}{told}, not {}", result.verdict.as_str(), expected.as_str()));
    }
    let enforced = case.would_pass_if_enforced.or_else(|| is_of(name, "report_only").then_some(true));
    if enforced.is_some_and(|enforced| enforced != result.would_pass_if_enforced) {
        return Some(format!("would_pass_if_enforced came out {}", result.would_pass_if_enforced));
    }
    let code: Option<ReasonCode> = result.reason.as_ref().map(|reason| reason.code);
    (case.reason.is_some() && case.reason != code).then(|| format!("gave the reason {code:?}{told}, not {:?}", case.reason))
}

/// The case with what it takes from others, its answer edited.
fn resolve(check: &Check, name: &str, seen: &mut BTreeSet<String>) -> Result<Case, String> {
    let case = check.cases.get(name).ok_or_else(|| format!("from: there is no case {name}"))?.clone();
    if !seen.insert(name.to_owned()) {
        return Err(format!("from: {name} is taken from itself"));
    }
    let mut whole = match &case.from {
        Some(from) => Case { verdict: None, reason: None, would_pass_if_enforced: None, ..resolve(check, from, seen)? },
        None => Case::default(),
    };
    whole.answer = case.answer.or(whole.answer);
    whole.status = case.status.or(whole.status);
    whole.answers.extend(case.answers);
    whole.licenses = case.licenses.or(whole.licenses);
    whole.settings = case.settings.or(whole.settings);
    whole.now = case.now.or(whole.now);
    (whole.verdict, whole.reason, whole.would_pass_if_enforced) = (case.verdict, case.reason, case.would_pass_if_enforced);
    let answer = whole.answer.get_or_insert_with(|| json!({}));
    for (path, value) in case.set {
        edit(answer, &path, Some(value))?;
    }
    // From the back, so that taking away one element does not move those still to go.
    let mut remove = case.remove;
    remove.sort_by(|a, b| b.cmp(a));
    for path in remove {
        edit(answer, &path, None)?;
    }
    Ok(whole)
}

/// Puts a value at a path, or takes away what is there.
fn edit(answer: &mut Value, path: &str, value: Option<Value>) -> Result<(), String> {
    let steps = Path::parse(path).map_err(|e| e.to_string())?.steps;
    let Some((last, before)) = steps.split_last() else {
        *answer = value.unwrap_or(Value::Null);
        return Ok(());
    };
    let mut at = answer;
    for step in before {
        at = go(at, step, path, value.is_some())?;
    }
    match (last, value, &mut *at) {
        (Step::Member(name), None, Value::Object(members)) => {
            members.remove(name).map(drop).ok_or_else(|| format!("remove: {path} is not there"))
        }
        (Step::Index(n), None, Value::Array(list)) if *n < list.len() => {
            list.remove(*n);
            Ok(())
        }
        (_, None, _) => Err(format!("remove: {path} is not there")),
        (_, Some(value), _) => {
            *go(at, last, path, true)? = value;
            Ok(())
        }
    }
}

fn go<'v>(at: &'v mut Value, step: &Step, path: &str, make: bool) -> Result<&'v mut Value, String> {
    if make && at.is_null() {
        *at = if matches!(step, Step::Member(_)) { Value::Object(Map::new()) } else { Value::Array(Vec::new()) };
    }
    match (step, at) {
        (Step::Member(name), Value::Object(members)) => {
            if make {
                members.entry(name.clone()).or_insert(Value::Null);
            }
            members.get_mut(name)
        }
        (Step::Index(n), Value::Array(list)) => {
            if make && *n == list.len() {
                list.push(Value::Null);
            }
            list.get_mut(*n)
        }
        (Step::Filter { member, equals }, Value::Array(list)) => list.iter_mut().find(|item| item.get(member) == Some(equals)),
        _ => None,
    }
    .map_or_else(|| Err(format!("set or remove: {path} does not fit the answer")), Ok)
}

/// A case with what it takes from others, and what the check says of it.
#[cfg(test)]
pub(crate) fn told(check: &Check, name: &str) -> Result<(Case, CheckResult), String> {
    let case = resolve(check, name, &mut BTreeSet::new())?;
    let result = judge(check, &case, Vec::new())?;
    Ok((case, result))
}

/// What a tenant's settings are in a case.
#[cfg(test)]
pub(crate) fn settings(check: &Check, case: &Case) -> Settings {
    job(check, case).settings
}

/// `own` are the paths of answers that the case itself gives, which so must be read.
pub(crate) fn judge(check: &Check, case: &Case, own: Vec<String>) -> Result<CheckResult, String> {
    let job = job(check, case);
    let mut cloud = Cloud::new(check, case);
    let report = scan::run(std::slice::from_ref(check), "cases", &job, &mut cloud, &mut Silent);
    let read = |path: &String| {
        cloud.answers.get(&(service_of(check, path), cloud.key(service_of(check, path), path))).is_some_and(|told| told.read)
    };
    if let Some(path) = own.iter().find(|path| case.licenses.is_none() && !read(path)) {
        return Err(format!("answers: the check never reads {path}"));
    }
    report.results.into_iter().next().ok_or_else(|| "the scan judged nothing".to_owned())
}

fn job(check: &Check, case: &Case) -> Job {
    let given = case.settings.clone().unwrap_or_default();
    let one = |names: BTreeSet<String>| BTreeMap::from([(check.id.clone(), names)]);
    let settings = Settings {
        emergency_accounts: given.emergency_accounts,
        emergency_groups: given.emergency_groups,
        accepted_exclusions: one(given.accepted_exclusions),
        accepted_entities: one(given.accepted_entities),
        parameters: BTreeMap::from([(check.id.clone(), given.parameters)]),
        scuba_config: Value::Null,
    };
    Job {
        directory: DIRECTORY,
        directory_name: "contoso.com".to_owned(),
        kind: check.scans.first().copied().unwrap_or(ScanKind::Compliance),
        now: case.now.unwrap_or(NOW),
        settings,
        packs: Vec::new(),
        only: Some(vec![check.id.clone()]),
        resume: Vec::new(),
        catalogue: None,
    }
}

/// A cloud that knows one case's answers.
struct Cloud {
    answers: BTreeMap<(Service, String), Told>,
    accounts: Vec<String>,
}

struct Told {
    status: u16,
    body: Value,
    read: bool,
}

impl Cloud {
    fn new(check: &Check, case: &Case) -> Self {
        let accounts = case.settings.iter().flat_map(|settings| settings.emergency_accounts.iter().cloned()).collect();
        let mut cloud = Self { answers: BTreeMap::new(), accounts };
        let licences = case.licenses.clone().unwrap_or_else(|| check.license.iter().cloned().collect());
        let plans: Vec<Value> =
            licences.iter().map(|plan| json!({"servicePlanName": plan, "servicePlanId": plan, "provisioningStatus": "Success"})).collect();
        let skus = json!({"value": [{"skuId": "sku", "capabilityStatus": "Enabled", "servicePlans": plans}]});
        cloud.tell(Service::Graph, "/v1.0/subscribedSkus", 200, skus);
        for (path, body) in &case.answers {
            cloud.tell(service_of(check, path), path, 200, body.clone());
        }
        let body = case.answer.clone().unwrap_or_else(|| json!({}));
        cloud.tell(check.collect.service, &check.collect.path, case.status.unwrap_or(200), body);
        cloud
    }

    fn tell(&mut self, service: Service, path: &str, status: u16, body: Value) {
        self.answers.insert((service, self.key(service, path)), Told { status, body, read: false });
    }

    /// As [`key`], emergency accounts by their placeholder.
    fn key(&self, service: Service, path: &str) -> String {
        self.accounts.iter().fold(key(service, path), |path, account| path.replace(account, "{emergencyAccountId}"))
    }

    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let asked = self.key(request.service, &request.path);
        if let Some(told) = self.answers.get_mut(&(request.service, asked.clone())) {
            told.read = true;
            return (told.status, told.body.clone());
        }
        // An object looked up by its id: one of those a case lists for the pattern.
        let (folder, id) = asked.rsplit_once('/').unwrap_or((&asked, ""));
        for pattern in ["{ref}", "{groupRef}", "{id}"] {
            if let Some(told) = self.answers.get_mut(&(request.service, format!("{folder}/{pattern}"))) {
                told.read = true;
                let of = |item: &&Value| item.get("id").and_then(Value::as_str).is_some_and(|known| known.eq_ignore_ascii_case(id));
                return match told.body.get("value").and_then(Value::as_array).and_then(|items| items.iter().find(of)) {
                    Some(item) => (200, item.clone()),
                    None => (404, not_found()),
                };
            }
        }
        match &*asked {
            _ if ["/v1.0/directoryObjects", "/v1.0/groups"].contains(&folder) => (404, not_found()),
            "/v1.0/organization" => (200, json!({"value": [{"id": DIRECTORY, "displayName": "Contoso"}]})),
            "/v1.0/domains" => (200, json!({"value": [{"id": DOMAIN, "isVerified": true, "authenticationType": "Managed"}]})),
            _ if asked.starts_with("/subscriptions?") => {
                let one = json!({"id": format!("/subscriptions/{SUBSCRIPTION}"), "subscriptionId": SUBSCRIPTION, "displayName": "Production", "state": "Enabled"});
                (200, json!({"value": [one]}))
            }
            _ if request.service == Service::Arm => match resource(&asked) {
                Some(id) => (200, json!({"value": [{"id": id, "name": "one", "properties": {"vaultUri": VAULT}}]})),
                None => (200, json!({"value": []})),
            },
            _ if request.service == Service::Dns => (200, json!({"records": []})),
            _ => (200, json!({"value": [{"id": ITEM, "displayName": "One"}]})),
        }
    }
}

const DOMAIN: &str = "contoso.com";
const VAULT: &str = "https://one.vault.azure.net/";
const ITEM: &str = "33333333-3333-4333-8333-333333333333";

fn not_found() -> Value {
    json!({"error": {"code": "Request_ResourceNotFound", "message": "There is no such object."}})
}

/// The id of the one resource that a case's listing of resources has.
fn resource(listing: &str) -> Option<String> {
    let kind = listing.split('?').next()?.split_once("/providers/")?.1;
    Some(format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/{kind}/one"))
}

fn service_of(check: &Check, path: &str) -> Service {
    match path {
        _ if path.starts_with("/v1.0/") || path.starts_with("/beta/") => Service::Graph,
        _ if path.starts_with("/subscriptions") || path.starts_with("/providers/") => Service::Arm,
        _ if path.starts_with("https://") || path.starts_with("{vaultUri}") => Service::Vault,
        _ => check.collect.service,
    }
}

/// A path with a case's values for its placeholders, without what it selects, by which requests and answers find each other.
fn key(service: Service, path: &str) -> String {
    let path = if service == Service::Dns { path.trim_start_matches("dns:") } else { path };
    let mut path = split(path, None).0;
    for placeholder in Placeholder::of(service, &path.clone()) {
        let value = match placeholder.listing() {
            Some((Service::Arm, listing)) if placeholder.text != "{sub}" => {
                if placeholder.text == "{vaultUri}" {
                    Some(VAULT.to_owned())
                } else {
                    resource(&listing)
                }
            }
            Some((Service::Arm, _)) => Some(SUBSCRIPTION.to_owned()),
            Some(_) if placeholder.text == "{domain}" => Some(DOMAIN.to_owned()),
            _ if placeholder.is_tenant() => Some(DIRECTORY.to_string()),
            Some(_) if !path.ends_with(&placeholder.text) => Some(ITEM.to_owned()),
            _ => None,
        };
        path = value.map_or_else(|| path.clone(), |value| path.replacen(&placeholder.text, &value, 1));
    }
    path
}

impl Fetch for Cloud {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        let one = |request: &Request| {
            let (status, body) = self.answer(request);
            Answer::Body { status, headers: BTreeMap::new(), body: body.to_string().into_bytes() }
        };
        requests.iter().map(one).collect()
    }
}
