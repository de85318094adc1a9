//! Judging page by page: what is kept of a listing is counts and a sample, however long it is.

use super::{Facts, ListKind, Names, Op, Predicate, REPORT_ONLY, Reading, Rule, Ruling, Scene, Step, Tally, Truth, functions};
use crate::{ObjectRef, Reason, ReasonCode, SAMPLE, Verdict};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A rule over the pages of one answer.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    strict: Tally,
    lenient: Tally,
    assumed: Tally,
    enforced: Tally,
    report_only: bool,
    seen: bool,
    not_configured: bool,
    actual: Vec<Value>,
    offending: Sample,
    unclear: Sample,
    /// The fewest undeclared exclusions with which one element would do; of all elements where all must.
    undeclared: Option<BTreeSet<String>>,
}

#[derive(Debug, Clone, Default)]
struct Sample {
    objects: Vec<ObjectRef>,
    count: u64,
}

/// What a rule says of one answer.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub verdict: Verdict,
    pub reason: Option<Reason>,
    pub actual: Value,
    pub objects: Vec<ObjectRef>,
    pub object_count: u64,
    pub exclusions: Vec<String>,
    pub would_pass_if_enforced: bool,
}

/// The circumstances of a fold.
#[derive(Clone, Copy)]
pub struct Ground<'g> {
    pub now: Timestamp,
    pub names: &'g Names,
    pub facts: &'g Facts,
    /// The instance that the answer is of, where there are several.
    pub within: Option<&'g str>,
}

impl Fold {
    /// Takes one page in.
    pub fn page(&mut self, rule: &Rule, page: &Value, ground: Ground<'_>) {
        // `value[0]` is the first item of the listing, not of each page.
        if let [Step::Member(value), Step::Index(_), ..] = rule.property.steps.as_slice() {
            if self.seen {
                return;
            }
            self.seen = page.get(value).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        }
        self.strictly(rule, page, ground);
        let scene = || Scene::new(ground.now, ground.names, ground.facts);
        if rule.exclusions {
            self.leniently(rule, page, &scene().reading(Reading { lenient: true, assume: false }));
        }
        if rule.assumes {
            let scene = scene().reading(Reading { lenient: false, assume: true });
            tally(rule, page, &scene, &mut self.assumed);
        }
        if rule.policies {
            self.enforced(rule, page, &scene().reading(Reading { lenient: true, assume: false }));
        }
    }

    fn strictly(&mut self, rule: &Rule, page: &Value, ground: Ground<'_>) {
        let scene = Scene::new(ground.now, ground.names, ground.facts);
        rule.each(page, &mut |element, outer| {
            let truth = rule.add(&mut self.strict, element, outer, &scene);
            if let Some(value) = element.filter(|_| !rule.of_elements && self.actual.len() < SAMPLE) {
                self.actual.push(brief(value));
            }
            match truth {
                // One value in a place of its own needs no naming.
                _ if !rule.of_elements && !rule.property.many() => {}
                Some(Truth::Unknown) => self.unclear.add(element, outer, ground.within),
                Some(truth) if rule.list.offends(truth) => self.offending.add(element, outer, ground.within),
                _ => {}
            }
        });
        self.not_configured |= scene.not_configured.get();
    }

    fn leniently(&mut self, rule: &Rule, page: &Value, scene: &Scene<'_>) {
        rule.each(page, &mut |element, outer| {
            scene.undeclared.borrow_mut().clear();
            if rule.add(&mut self.lenient, element, outer, scene) != Some(Truth::True) {
                return;
            }
            let names = scene.undeclared.borrow().clone();
            self.undeclared = Some(match (self.undeclared.take(), &rule.list.kind) {
                (None, _) => names,
                (Some(best), ListKind::Any) => {
                    if names.len() < best.len() {
                        names
                    } else {
                        best
                    }
                }
                (Some(all), _) => all.into_iter().chain(names).collect(),
            });
        });
    }

    /// As if report-only policies were enforced; only answers that hold one differ.
    fn enforced(&mut self, rule: &Rule, page: &Value, scene: &Scene<'_>) {
        let policies = page.get("value").and_then(Value::as_array);
        let report_only = |policy: &Value| policy.get("state").and_then(Value::as_str) == Some(REPORT_ONLY);
        if !policies.is_some_and(|policies| policies.iter().any(report_only)) {
            tally(rule, page, scene, &mut self.enforced);
            return;
        }
        self.report_only = true;
        let mut page = page.clone();
        for policy in page["value"].as_array_mut().into_iter().flatten().filter(|policy| report_only(policy)) {
            policy["state"] = Value::from("enabled");
        }
        tally(rule, &page, scene, &mut self.enforced);
    }

    /// What the rule says now that all pages are in.
    pub fn end(mut self, rule: &Rule, ground: Ground<'_>) -> Outcome {
        let strict = rule.ruling(&self.strict);
        let (verdict, reason) = match strict {
            Ruling::Says(Truth::True) => (Verdict::Passed, None),
            Ruling::Nothing => (Verdict::Skipped, reason(ReasonCode::NothingToCheck, "There is nothing of this kind in the directory.")),
            Ruling::Says(_) if rule.exclusions && rule.ruling(&self.lenient) == Ruling::Says(Truth::True) => {
                let text = "Holds but for exclusions that are not declared in the settings: remove them, or declare those that are meant.";
                (Verdict::PassedWithExclusions, reason(ReasonCode::Exclusions, text))
            }
            Ruling::Says(Truth::False) => (Verdict::Failed, None),
            Ruling::Says(Truth::Unknown) if rule.assumes && rule.assumed(&self.assumed, ground) == Truth::False => (Verdict::Failed, None),
            Ruling::Says(Truth::Unknown) => (Verdict::Unknown, self.unknown(rule)),
        };
        let enforced = verdict == Verdict::Failed && self.report_only && rule.ruling(&self.enforced) == Ruling::Says(Truth::True);
        let reason = if enforced {
            self::reason(ReasonCode::ReportOnly, "A policy that would do is in report-only mode: enforce it once its report looks right.")
        } else {
            reason
        };
        let exclusions = self.undeclared.take().filter(|_| verdict == Verdict::PassedWithExclusions).into_iter().flatten().collect();
        let Sample { objects, count } = match verdict {
            Verdict::Failed if self.offending.count > 0 || self.unclear.count == 0 => self.offending,
            Verdict::Failed | Verdict::Unknown => self.unclear,
            _ => Sample::default(),
        };
        let actual = rule.actual(&self.strict, self.actual);
        Outcome { verdict, reason, actual, objects, object_count: count, exclusions, would_pass_if_enforced: enforced }
    }

    fn unknown(&self, rule: &Rule) -> Option<Reason> {
        if self.not_configured {
            let text = "The emergency access accounts are not configured: name them in the directory's settings.";
            return reason(ReasonCode::NotConfigured, text);
        }
        let text = format!("A value at {} is absent or of another type than expected, so nothing is known of it.", rule.text.property);
        reason(ReasonCode::AbsentValue, &text)
    }
}

fn reason(code: ReasonCode, text: &str) -> Option<Reason> {
    Some(Reason { code, text: text.to_owned() })
}

fn tally(rule: &Rule, page: &Value, scene: &Scene<'_>, into: &mut Tally) {
    rule.each(page, &mut |element, outer| {
        rule.add(into, element, outer, scene);
    });
}

impl Rule {
    /// Looks at the first item of a listing and at no other.
    pub fn first_item_only(&self) -> bool {
        matches!(self.property.steps.as_slice(), [Step::Member(value), Step::Index(0), ..] if value == "value")
    }

    /// Calls `visit` for each element the property leads to on a page: (element, outermost list item).
    pub fn each(&self, page: &Value, visit: &mut dyn FnMut(Option<&Value>, Option<&Value>)) {
        let found = self.property.find(page, None);
        if !self.of_elements || self.property.many() {
            found.iter().for_each(|found| visit(found.value.as_deref(), found.outer));
            return;
        }
        for found in &found {
            match found.value.as_deref() {
                Some(Value::Array(list)) => list.iter().for_each(|element| visit(Some(element), found.outer.or(Some(element)))),
                Some(Value::Null) => {}
                _ => visit(None, found.outer),
            }
        }
    }

    fn add(&self, tally: &mut Tally, element: Option<&Value>, outer: Option<&Value>, scene: &Scene<'_>) -> Option<Truth> {
        // An object that the tenant accepts for this check is left alone.
        let accepts = matches!(self.list.kind, ListKind::All | ListKind::None);
        if accepts && [element, outer].into_iter().flatten().any(|object| functions::accepted(object, scene)) {
            *(if matches!(self.list.kind, ListKind::All) { &mut tally.yes } else { &mut tally.no }) += 1;
            return None;
        }
        self.list.add(tally, element, outer, scene)
    }

    fn ruling(&self, tally: &Tally) -> Ruling {
        match self.list.end(tally) {
            // A filter that finds nothing means that what it asks for is absent, not that there is nothing to ask.
            Ruling::Nothing if self.filters() => Ruling::Says(Truth::Unknown),
            ruling => ruling,
        }
    }

    fn filters(&self) -> bool {
        !self.of_elements && self.property.steps.iter().any(|step| matches!(step, Step::Filter { .. }))
    }

    fn assumed(&self, tally: &Tally, ground: Ground<'_>) -> Truth {
        match (self.list.end(tally), &self.list.predicate) {
            (Ruling::Says(truth), _) => truth,
            (Ruling::Nothing, Predicate::Test { path: None, op, absent_means: Some(value) }) if self.filters() => {
                op.test(Some(value), None, &Scene::new(ground.now, ground.names, ground.facts))
            }
            (Ruling::Nothing, _) => Truth::Unknown,
        }
    }

    fn actual(&self, tally: &Tally, mut values: Vec<Value>) -> Value {
        match values.len() {
            _ if self.of_elements => json!({"matching": tally.yes, "not_matching": tally.no, "unknown": tally.unknown}),
            0 => Value::Null,
            1 => values.remove(0),
            _ => Value::Array(values),
        }
    }
}

/// A value as it is shown: no longer than a reader cares for.
fn brief(value: &Value) -> Value {
    const LONGEST: usize = 2048;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        None => value.clone(),
        Some((end, _)) => Value::from(format!("{}...", &text[..end])),
    }
}

impl Sample {
    fn add(&mut self, element: Option<&Value>, outer: Option<&Value>, within: Option<&str>) {
        self.count += 1;
        if self.objects.len() >= SAMPLE {
            return;
        }
        // In Resource Manager `properties` are the object's, and no object of their own, though some have a name.
        let properties = outer.and_then(|outer| outer.get("properties"));
        let element = if element.zip(properties).is_some_and(|(element, of)| std::ptr::eq(element, of)) { outer } else { element };
        let word = |object: Option<&Value>, members: &[&str]| object.and_then(|o| functions::text(o, members)).map(str::to_owned);
        let name = |object| word(object, &["displayName", "userDisplayName", "deviceName", "name", "title"]);
        let ids = &["id", "appId", "principalId", "category", "name"];
        // A plain value is told with the item it stands in.
        let id =
            word(element, ids).or_else(|| word(outer, ids)).or_else(|| element.filter(|e| !e.is_object()).map(|e| brief(e).to_string()));
        let name = if word(element, ids).is_some() { name(element).or_else(|| name(outer)) } else { name(outer) };
        self.objects.push(ObjectRef { id: id.unwrap_or_default(), name, within: within.map(str::to_owned) });
    }
}

impl Predicate {
    /// The operator of a plain comparison, for messages.
    pub fn op(&self) -> Option<&Op> {
        match self {
            Self::Test { op, .. } => Some(op),
            _ => None,
        }
    }
}
