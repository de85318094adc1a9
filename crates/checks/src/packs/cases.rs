//! A pack's cases: answers of Microsoft's and what the pack must say of them, run through the same reading and judging as a scan.

use super::{answer, collect, input, manifest::Pack, results::name};
use crate::{Answer, CheckResult, Fetch, Job, PackSource, Request, ScanKind, Service, Settings, Verdict, plan::split};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::constant(1_795_305_600, 0);
const DIRECTORY: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
const SUBSCRIPTION: &str = "22222222-2222-4222-8222-222222222222";

/// How one case of a pack came out.
#[derive(Debug, Clone, PartialEq)]
pub struct PackCaseOutcome {
    /// The file, and the result it is about.
    pub file: String,
    pub result: String,
    pub expected: Option<Verdict>,
    pub actual: Option<Verdict>,
    /// What is wrong; none where the case holds.
    pub problem: Option<String>,
}

/// One case file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    #[expect(dead_code, reason = "for those who read the file")]
    description: Option<String>,
    /// Paths as in the manifest to bodies.
    #[serde(default)]
    answers: BTreeMap<String, Value>,
    /// Paths to the status of an error answer.
    #[serde(default)]
    statuses: BTreeMap<String, u16>,
    /// The rules' whole input, in place of answers.
    #[serde(default)]
    input: Option<Value>,
    #[serde(default)]
    settings: Settings,
    #[serde(default)]
    now: Option<Timestamp>,
    expect: BTreeMap<String, Expected>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    Verdict(Verdict),
    Whole(Whole),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    verdict: Option<Verdict>,
    /// Part of the message.
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    actual: Option<Value>,
    #[serde(default)]
    objects: Option<BTreeSet<String>>,
}

/// Runs every case of a pack, in the order of files.
///
/// # Errors
/// The pack cannot be read, or a case file cannot: what is wrong, with the file.
pub fn run_pack_cases(source: &PackSource) -> Result<Vec<PackCaseOutcome>, String> {
    let pack = Pack::read(source)?;
    let mut outcomes = Vec::new();
    for (file, text) in &pack.cases {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let case: Case = serde_saphyr::from_str_with_options(text, options).map_err(|e| format!("{file}: {e}"))?;
        outcomes.extend(run(&pack, file, &case));
    }
    Ok(outcomes)
}

fn run(pack: &Pack<'_>, file: &str, case: &Case) -> Vec<PackCaseOutcome> {
    let job = Job {
        directory: DIRECTORY,
        directory_name: "contoso.com".to_owned(),
        kind: ScanKind::Compliance,
        now: case.now.unwrap_or(NOW),
        settings: case.settings.clone(),
        packs: Vec::new(),
        only: Some(Vec::new()),
        resume: Vec::new(),
        catalogue: None,
    };
    let collected = if case.input.is_some() { Default::default() } else { collect::collect(&job, &pack.reads(), &mut Cloud(case)) };
    let (built, commands) = input(pack, &job, &collected);
    // An input that is given says itself which commands it stands for.
    let commands = match &case.input {
        Some(input) => commands_of(input),
        None => commands,
    };
    let (results, problems) = answer(pack, case.input.clone().unwrap_or(built), &collected, &commands);
    let mut outcomes: Vec<PackCaseOutcome> = case
        .expect
        .iter()
        .map(|(id, expected)| {
            let result = results.iter().find(|result| result.check == name(&pack.manifest.name, id));
            let wanted = match expected {
                Expected::Verdict(verdict) => Some(*verdict),
                Expected::Whole(whole) => whole.verdict,
            };
            let problem = match result {
                None => Some(format!("the pack says nothing of {id}")),
                Some(result) => differs(expected, result),
            };
            PackCaseOutcome {
                file: file.to_owned(),
                result: id.clone(),
                expected: wanted,
                actual: result.map(|result| result.verdict),
                problem,
            }
        })
        .collect();
    outcomes.extend(problems.into_iter().map(|problem| PackCaseOutcome {
        file: file.to_owned(),
        result: String::new(),
        expected: None,
        actual: None,
        problem: Some(problem),
    }));
    outcomes
}

fn commands_of(input: &Value) -> BTreeSet<String> {
    let lists = input.as_object().into_iter().flatten().filter(|(name, _)| name.ends_with("_successful_commands"));
    let names = lists.flat_map(|(_, list)| list.as_array().into_iter().flatten());
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn differs(expected: &Expected, result: &CheckResult) -> Option<String> {
    let said = result.reason.as_ref().map(|reason| reason.text.as_str()).unwrap_or_default();
    let verdict = |wanted: Verdict| {
        let told = if said.is_empty() { String::new() } else { format!(" ({said})") };
        (wanted != result.verdict).then(|| format!("came out {}{told}, not {}", result.verdict.as_str(), wanted.as_str()))
    };
    let whole = match expected {
        Expected::Verdict(wanted) => return verdict(*wanted),
        Expected::Whole(whole) => whole,
    };
    let objects = || result.objects.iter().map(|object| object.id.clone()).collect::<BTreeSet<_>>();
    whole
        .verdict
        .and_then(verdict)
        .or_else(|| {
            whole.message.as_ref().filter(|part| !said.contains(part.as_str())).map(|part| format!("says {said:?}, without {part:?}"))
        })
        .or_else(|| {
            whole.actual.as_ref().filter(|actual| **actual != result.actual).map(|actual| format!("found {}, not {actual}", result.actual))
        })
        .or_else(|| {
            whole.objects.as_ref().filter(|wanted| **wanted != objects()).map(|wanted| format!("names {:?}, not {wanted:?}", objects()))
        })
}

/// A cloud that knows one case's answers, by the paths of the manifest.
struct Cloud<'c>(&'c Case);

impl Cloud<'_> {
    fn answer(&self, request: &Request) -> (u16, Value) {
        let asked = &request.path;
        let directory = DIRECTORY.to_string();
        let pattern = asked.replace(SUBSCRIPTION, "{sub}").replace(&directory, "{tenantId}").replace("contoso.com", "{domain}");
        let bare = |path: &str| split(path, None).0;
        let known = |path: &&String| [asked, &pattern].contains(path) || [bare(asked), bare(&pattern)].contains(&bare(path));
        if let Some(status) = self.0.statuses.keys().find(known).and_then(|path| self.0.statuses.get(path)) {
            let body = self.0.answers.keys().find(known).and_then(|path| self.0.answers.get(path)).cloned();
            return (*status, body.unwrap_or_else(|| json!({"error": {"code": "Refused", "message": "The case says so."}})));
        }
        if let Some(body) = self.0.answers.keys().find(known).and_then(|path| self.0.answers.get(path)) {
            return (200, body.clone());
        }
        match (request.service, asked.split('?').next().unwrap_or(asked)) {
            (Service::Arm, "/subscriptions") => {
                let one = json!({"id": format!("/subscriptions/{SUBSCRIPTION}"), "subscriptionId": SUBSCRIPTION, "displayName": "Production", "state": "Enabled"});
                (200, json!({"value": [one]}))
            }
            (Service::Graph, "/v1.0/domains") => {
                (200, json!({"value": [{"id": "contoso.com", "isVerified": true, "authenticationType": "Managed"}]}))
            }
            _ => (404, json!({"error": {"code": "Request_ResourceNotFound", "message": "The case gives no answer to this."}})),
        }
    }
}

impl Fetch for Cloud<'_> {
    fn fetch(&mut self, requests: &[Request]) -> Vec<Answer> {
        let one = |request: &Request| {
            let (status, body) = self.answer(request);
            Answer::Body { status, headers: BTreeMap::new(), body: body.to_string().into_bytes() }
        };
        requests.iter().map(one).collect()
    }
}
