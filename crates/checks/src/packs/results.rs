//! A pack's answer as results. What a pack says of one thing is weighed alone: a malformed one is counted and told, the others stand.
//!
//! What must stay true: nothing passes on answers that were not read whole.

use super::{
    collect::Collected,
    manifest::{Pack, PackKind},
};
use crate::{CheckResult, ControlResult, ObjectRef, Reason, ReasonCode, SAMPLE, Verdict};
use bailiwick_base::Severity;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Results of one pack.
const MOST: usize = 2_000;
/// Characters of a title, of a message, and bytes of a value.
const TITLE: usize = 300;
const MESSAGE: usize = 2_000;
const VALUE: usize = 4 << 10;
/// Undeclared exclusions that a result names.
const EXCLUSIONS: usize = 100;

/// What a pack's answer comes to.
#[derive(Debug, Default)]
pub struct Told {
    pub results: Vec<CheckResult>,
    /// What of it could not be taken.
    pub problems: Vec<String>,
}

/// One element of `results`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    id: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    product: Option<String>,
    #[serde(default)]
    verdict: Option<Verdict>,
    #[serde(default)]
    pass: Option<bool>,
    #[serde(default)]
    actual: Value,
    #[serde(default)]
    expected: Value,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    remediation: Option<String>,
    /// Ids, or `{id, name}`.
    #[serde(default)]
    objects: Vec<Value>,
    #[serde(default)]
    exclusions: Vec<String>,
    /// Which of the pack's reads it looked at; all of them where it does not say.
    #[serde(default)]
    reads: Option<BTreeSet<String>>,
}

/// One element of ScubaGear's `tests`. Its member names are ScubaGear's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Test {
    policy_id: String,
    criticality: String,
    #[serde(default)]
    commandlet: Commands,
    #[serde(default)]
    actual_value: Value,
    #[serde(default)]
    report_details: String,
    requirement_met: bool,
}

/// One command or several; some rules write them side by side.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Commands {
    One(String),
    Several(Vec<String>),
    #[default]
    None,
}

/// The name a pack's check has among all checks.
pub fn name(pack: &str, id: &str) -> String {
    format!("pack:{pack}:{id}")
}

/// Reads a pack's answer. `commands` are those whose answers a provider export holds.
pub fn results(pack: &Pack<'_>, answer: Option<Value>, collected: &Collected, commands: &BTreeSet<String>) -> Told {
    let rule = pack.rule();
    let mut told = Told::default();
    let elements = match answer {
        None => {
            told.problems.push(format!("{rule} is undefined: the pack has no such rule, or its body does not hold for this directory."));
            return told;
        }
        Some(Value::Array(elements)) => elements,
        Some(_) => {
            told.problems.push(format!("{rule} is not a set or list of results."));
            return told;
        }
    };
    if elements.len() > MOST {
        told.problems.push(format!("{rule} holds {} results; the first {MOST} are taken.", elements.len()));
    }
    let mut seen: BTreeMap<String, CheckResult> = BTreeMap::new();
    let (mut malformed, mut first) = (0, None);
    for element in elements.into_iter().take(MOST) {
        let result = match pack.manifest.kind {
            PackKind::Rego => serde_json::from_value(element).map_err(|e| e.to_string()).and_then(|said| own(pack, said, collected)),
            PackKind::ScubaGear => serde_json::from_value(element).map_err(|e| e.to_string()).and_then(|test| scuba(pack, test, commands)),
        };
        match result {
            Err(why) => {
                malformed += 1;
                first = first.or(Some(why));
            }
            Ok(result) => {
                let known = seen.get(&result.check);
                if let Some(known) = known {
                    told.problems.push(format!("{} came more than once; the one that does not pass counts.", known.check));
                }
                if known.is_none_or(|known| known.verdict == Verdict::Passed) {
                    seen.insert(result.check.clone(), result);
                }
            }
        }
    }
    if let Some(why) = first {
        told.problems.push(format!("{malformed} of its results could not be taken, the first because: {why}."));
    }
    told.results = seen.into_values().collect();
    told
}

fn own(pack: &Pack<'_>, said: Said, collected: &Collected) -> Result<CheckResult, String> {
    let verdict = match (said.verdict, said.pass) {
        (Some(verdict), None) => verdict,
        (None, Some(pass)) => {
            if pass {
                Verdict::Passed
            } else {
                Verdict::Failed
            }
        }
        (None, None) => Verdict::Unknown,
        (Some(_), Some(_)) => return Err(format!("{} has a verdict and pass; give one of them", clean(&said.id, 80))),
    };
    let mut result = blank(pack, &said.id, verdict)?;
    result.title = said.title.map_or_else(|| said.id.clone(), |title| clean(&title, TITLE));
    result.severity = said.severity.or(pack.manifest.severity).unwrap_or(Severity::Medium);
    if let Some(product) = said.product.filter(|product| crate::PRODUCTS.contains(&product.as_str())) {
        result.product = product;
    }
    (result.actual, result.expected) = (small(said.actual), small(said.expected));
    result.remediation = said.remediation.map(|text| clean(&text, MESSAGE)).unwrap_or_default();
    result.object_count = said.objects.len() as u64;
    result.objects = said.objects.iter().take(SAMPLE).map(object).collect();
    result.exclusions = said.exclusions.iter().take(EXCLUSIONS).map(|id| clean(id, TITLE)).collect();
    let message = said.message.filter(|message| !message.trim().is_empty());
    result.reason = message.map(|text| Reason { code: ReasonCode::Told, text: clean(&text, MESSAGE) });
    let looked = |path: &String| said.reads.as_ref().is_none_or(|reads| reads.contains(path));
    if let Some(reads) = &said.reads {
        result.request = clean(&reads.iter().map(String::as_str).collect::<Vec<_>>().join(", "), MESSAGE);
    }
    let unread = collected.failed.iter().find(|(path, _)| looked(path));
    if let (Some((path, fault)), true) = (unread, matches!(verdict, Verdict::Passed | Verdict::PassedWithExclusions)) {
        result.verdict = Verdict::Unknown;
        result.reason = Some(Reason {
            code: fault.code,
            text: format!("{path} was not read whole, so this is no pass: {}", clean(&fault.message, MESSAGE)),
        });
    }
    if result.verdict == Verdict::Unknown && result.reason.is_none() {
        let text = "The pack gives neither pass nor verdict.".to_owned();
        result.reason = Some(Reason { code: ReasonCode::AbsentValue, text });
    }
    result.controls(pack);
    Ok(result)
}

fn scuba(pack: &Pack<'_>, test: Test, commands: &BTreeSet<String>) -> Result<CheckResult, String> {
    let Test { policy_id, criticality, commandlet, actual_value, report_details, requirement_met } = test;
    let needs = match commandlet {
        Commands::One(command) => vec![command],
        Commands::Several(commands) => commands,
        Commands::None => Vec::new(),
    };
    let lacking: Vec<&str> = needs.iter().filter(|command| !commands.contains(*command)).map(String::as_str).collect();
    let by_hand = ["Not-Implemented", "3rd Party"].iter().any(|word| criticality.contains(word));
    let (verdict, code) = match (by_hand, lacking.is_empty(), requirement_met) {
        (true, ..) => (Verdict::Skipped, ReasonCode::NotApplicable),
        (_, false, _) => (Verdict::Error, ReasonCode::AbsentValue),
        (.., met) => (if met { Verdict::Passed } else { Verdict::Failed }, ReasonCode::Told),
    };
    let mut result = blank(pack, &policy_id, verdict)?;
    result.title = clean(&policy_id, TITLE);
    // ScubaGear's words: SHALL must hold, SHOULD is advice.
    result.severity = if criticality.starts_with("Shall") { Severity::High } else { Severity::Medium };
    result.actual = small(actual_value);
    result.expected = Value::String(clean(&criticality, 80));
    result.request = needs.iter().map(|need| clean(need, 120)).collect::<Vec<_>>().join(", ");
    let text = match lacking.as_slice() {
        [] => plain(&report_details),
        lacking => format!(
            "The provider export has no answer of {}: it is not in Graph, or was not read whole.",
            clean(&lacking.join(", "), MESSAGE)
        ),
    };
    result.reason = (!text.is_empty()).then_some(Reason { code, text });
    result.controls(pack);
    Ok(result)
}

fn blank(pack: &Pack<'_>, id: &str, verdict: Verdict) -> Result<CheckResult, String> {
    if !(1..=120).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err(format!("the id {:?} is not up to 120 letters, digits, `-`, `_` and `.`", clean(id, 120)));
    }
    let reads: Vec<&str> = pack.manifest.reads.iter().map(|read| read.path.as_str()).collect();
    Ok(CheckResult {
        check: name(&pack.manifest.name, id),
        version: 1,
        title: String::new(),
        product: pack.manifest.product.clone().unwrap_or_else(|| "entra".to_owned()),
        severity: Severity::Medium,
        verdict,
        reason: None,
        actual: Value::Null,
        expected: Value::Null,
        path: pack.rule(),
        request: clean(&reads.join(", "), MESSAGE),
        objects: Vec::new(),
        object_count: 0,
        exclusions: Vec::new(),
        would_pass_if_enforced: false,
        frameworks: Vec::new(),
        remediation: String::new(),
        references: Vec::new(),
        pack: Some(pack.manifest.name.clone()),
    })
}

impl CheckResult {
    /// A pack is a baseline of its own, with a score of its own.
    fn controls(&mut self, pack: &Pack<'_>) {
        let control = self.check.rsplit(':').next().unwrap_or(&self.check).to_owned();
        let framework = format!("pack {}", pack.manifest.name);
        let version = Some(pack.manifest.version.clone());
        self.frameworks = vec![ControlResult { framework, version, control, verdict: self.verdict, loosened: None }];
    }
}

fn object(value: &Value) -> ObjectRef {
    let text = |value: &Value| value.as_str().map_or_else(|| clean(&value.to_string(), TITLE), |text| clean(text, TITLE));
    match value {
        Value::Object(members) => ObjectRef {
            id: members.get("id").map(text).unwrap_or_default(),
            name: members.get("name").or_else(|| members.get("displayName")).map(text),
            within: members.get("within").map(text),
        },
        other => ObjectRef { id: text(other), name: None, within: None },
    }
}

/// A value, or its beginning as text where it is large.
fn small(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= VALUE { value } else { Value::String(format!("{} ...", clean(&text, VALUE))) }
}

fn clean(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect::<String>().trim().to_owned()
}

/// Text without HTML: what stands in angle brackets goes, line breaks become blanks.
fn plain(html: &str) -> String {
    let (mut text, mut inside) = (String::new(), false);
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if inside => {}
            _ => text.push(c),
        }
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    clean(&text.split_whitespace().collect::<Vec<_>>().join(" "), MESSAGE)
}
