//! Verdicts: what the folds of a check's instances say together, and what its failed sources say instead.

use super::{
    end::Fault,
    sources::{Instance, Sources},
};
use crate::{
    CheckResult, Collect, ControlResult, FRAMEWORKS, Job, ObjectRef, Placeholder, Reason, ReasonCode, SAMPLE, Verdict,
    plan::{Chosen, Plan},
    rule::{Ground, Outcome, Rule, loosened},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One result for each check, in the order of ids.
pub fn results(plan: &Plan, job: &Job, sources: &Sources<'_>) -> Vec<CheckResult> {
    (0..plan.checks.len()).map(|check| result(plan, job, sources, check)).collect()
}

fn result(plan: &Plan, job: &Job, sources: &Sources<'_>, at: usize) -> CheckResult {
    let chosen = &plan.checks[at];
    let outcome = match &chosen.rule {
        Err(e) => nothing(Verdict::Error, ReasonCode::BadSetting, format!("The check cannot be made with these settings: {e}")),
        Ok(_) if !sources.licensed(at) => {
            let plan = chosen.check.license.as_deref().unwrap_or_default();
            nothing(Verdict::Skipped, ReasonCode::Licence, format!("The directory has no licence with the service plan {plan}."))
        }
        Ok(rule) => judged(plan, sources, chosen, rule, at, job),
    };
    finish(chosen, job, outcome)
}

/// What all instances of the check's request say together.
fn judged(plan: &Plan, sources: &Sources<'_>, chosen: &Chosen, rule: &Rule, at: usize, job: &Job) -> Outcome {
    let ground = Ground { now: job.now, names: &sources.names[at], facts: &sources.facts, within: None };
    let elsewhere = chosen.check.applies_when.as_ref().is_some_and(|applies| applies.collect.is_some());
    let condition = chosen.condition.as_ref();
    let of = |planned: &Vec<usize>| planned.iter().position(|check| *check == at);
    let applies_by = |instance: &Instance, place: Option<usize>| -> Option<Verdict> {
        let (rule, place) = (condition?, place?);
        Some(if instance.fault.is_some() { Verdict::Unknown } else { instance.conditions[place].clone().end(rule, ground).verdict })
    };
    let overall = condition.filter(|_| elsewhere).map(|_| {
        let found = plan.requests.iter().zip(&sources.read).find_map(|(planned, source)| Some((source, of(&planned.conditions)?)));
        let verdicts = found.into_iter().flat_map(|(source, place)| source.instances.iter().map(move |i| (i, place)));
        let verdicts: Vec<Verdict> = verdicts.filter_map(|(instance, place)| applies_by(instance, Some(place))).collect();
        verdicts.into_iter().max_by_key(|verdict| gravity(*verdict)).unwrap_or(Verdict::Unknown)
    });
    let Some((planned, source, place)) = plan.requests.iter().zip(&sources.read).find_map(|(p, s)| Some((p, s, of(&p.readers)?))) else {
        return nothing(Verdict::Error, ReasonCode::Internal, "The plan does not name this check's request.".to_owned());
    };
    let one = |instance: &Instance| {
        let outcome = match &instance.fault {
            Some(fault) => failed(fault, chosen),
            None => instance.folds[place].clone().end(rule, ground),
        };
        let applies = if elsewhere { overall } else { applies_by(instance, of(&planned.conditions)) };
        let itself = instance.value.clone().map(|id| ObjectRef { id, name: instance.name.clone(), within: None });
        (itself, applied(outcome, applies, chosen))
    };
    let mut outcomes: Vec<(Option<ObjectRef>, Outcome)> = source.instances.iter().map(one).collect();
    outcomes.extend(source.lacking.iter().map(|fault| (None, failed(fault, chosen))));
    together(outcomes, chosen)
}

/// An outcome where the check may not apply.
fn applied(outcome: Outcome, applies: Option<Verdict>, chosen: &Chosen) -> Outcome {
    match applies {
        Some(Verdict::Failed | Verdict::Skipped) => {
            let said = chosen.check.applies_when.as_ref().and_then(|applies| applies.reason.clone());
            let text = said.unwrap_or_else(|| "What the check is about is not in use in this directory.".to_owned());
            nothing(Verdict::Skipped, ReasonCode::NotApplicable, text)
        }
        Some(Verdict::Unknown | Verdict::Error)
            if matches!(outcome.verdict, Verdict::Failed | Verdict::Passed | Verdict::PassedWithExclusions) =>
        {
            let text = "Whether the check applies to this directory is not known: a value that says so is absent.".to_owned();
            Outcome { verdict: Verdict::Unknown, reason: Some(Reason { code: ReasonCode::AbsentValue, text }), ..outcome }
        }
        _ => outcome,
    }
}

fn failed(fault: &Fault, chosen: &Chosen) -> Outcome {
    let (verdict, reason) = fault.verdict(&chosen.check);
    nothing(verdict, reason.code, reason.text)
}

fn nothing(verdict: Verdict, code: ReasonCode, text: String) -> Outcome {
    let (actual, objects, exclusions) = Default::default();
    let reason = Some(Reason { code, text });
    Outcome { verdict, reason, actual, objects, object_count: 0, exclusions, would_pass_if_enforced: false }
}

/// Which verdict of several instances is the check's: the gravest, a skipped one only where there is no other.
fn gravity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Skipped => 0,
        Verdict::Passed => 1,
        Verdict::PassedWithExclusions => 2,
        Verdict::Unknown => 3,
        Verdict::Error => 4,
        Verdict::Failed => 5,
    }
}

fn together(mut outcomes: Vec<(Option<ObjectRef>, Outcome)>, chosen: &Chosen) -> Outcome {
    match outcomes.len() {
        0 => {
            let emergency = chosen.check.collect.path.contains("{emergencyAccountId}");
            if emergency {
                let text = "The emergency access accounts are not configured: name them in the directory's settings.".to_owned();
                return nothing(Verdict::Unknown, ReasonCode::NotConfigured, text);
            }
            let text = "There is nothing of this kind in the directory, or nothing that the connection may see.".to_owned();
            return nothing(Verdict::Skipped, ReasonCode::NothingToCheck, text);
        }
        1 => {
            let (itself, mut outcome) = outcomes.remove(0);
            if let Some(itself) = itself.filter(|_| offends_itself(&outcome) && is_of_many(chosen)) {
                (outcome.object_count, outcome.objects) = (1, vec![itself]);
            }
            return outcome;
        }
        _ => {}
    }
    let verdict = outcomes.iter().map(|(_, outcome)| outcome.verdict).max_by_key(|verdict| gravity(*verdict)).unwrap_or(Verdict::Unknown);
    let of = outcomes.len();
    let (mut objects, mut object_count, mut exclusions) = (Vec::new(), 0, BTreeSet::new());
    let (mut reason, mut actual, mut enforced, mut like) = (None, Value::Null, true, 0_u64);
    for (itself, outcome) in outcomes.into_iter().filter(|(_, outcome)| outcome.verdict == verdict) {
        like += 1;
        enforced &= outcome.would_pass_if_enforced;
        if let Some(itself) = itself.filter(|_| offends_itself(&outcome)) {
            object_count += 1;
            objects.push(itself);
        }
        exclusions.extend(outcome.exclusions);
        object_count += outcome.object_count;
        objects.extend(outcome.objects);
        if like == 1 {
            (reason, actual) = (outcome.reason, outcome.actual);
        }
    }
    objects.truncate(SAMPLE);
    let actual = json!({"of": of, verdict.as_str(): like, "first": actual});
    Outcome {
        verdict,
        reason,
        actual,
        objects,
        object_count,
        exclusions: exclusions.into_iter().collect(),
        would_pass_if_enforced: enforced,
    }
}

/// An instance that fails by a value of its own is itself the offending object.
fn offends_itself(outcome: &Outcome) -> bool {
    outcome.object_count == 0 && matches!(outcome.verdict, Verdict::Failed | Verdict::Unknown)
}

/// Whether a check's request is made for each item of a listing, so that even a single one wants naming.
fn is_of_many(chosen: &Chosen) -> bool {
    let Collect { service, path } = &chosen.check.collect;
    Placeholder::of(*service, path).last().is_some_and(|placeholder| placeholder.listing().is_some())
}

fn finish(chosen: &Chosen, job: &Job, outcome: Outcome) -> CheckResult {
    let Chosen { check, rule, .. } = chosen;
    let text = rule.as_ref().map_or(&check.rule, |rule| &rule.text);
    CheckResult {
        check: check.id.clone(),
        version: check.version,
        title: check.title.clone(),
        product: check.product.clone(),
        severity: check.severity,
        verdict: outcome.verdict,
        reason: outcome.reason,
        actual: outcome.actual,
        expected: json!({"operator": text.operator, "value": text.expected}),
        path: text.property.clone(),
        request: check.collect.path.clone(),
        objects: outcome.objects,
        object_count: outcome.object_count,
        exclusions: outcome.exclusions,
        would_pass_if_enforced: outcome.would_pass_if_enforced,
        frameworks: controls(chosen, job, outcome.verdict),
        remediation: check.remediation.clone(),
        references: check.references.clone(),
        pack: None,
    }
}

/// The check's controls. One whose framework asks more of a parameter than the tenant does fails, though the check passes.
fn controls(chosen: &Chosen, job: &Job, verdict: Verdict) -> Vec<ControlResult> {
    let loose = loosened(&chosen.check, &job.settings).unwrap_or_default();
    let mut controls = Vec::new();
    for (framework, numbers) in &chosen.check.frameworks {
        let versioned = FRAMEWORKS.iter().any(|(key, _, versioned)| key == framework && *versioned);
        for number in numbers {
            let (version, control) = match number.split_once(':').filter(|_| versioned) {
                Some((version, control)) => (Some(version.to_owned()), control.to_owned()),
                None => (None, number.clone()),
            };
            let asks = loose.get(&(framework.clone(), version.clone())).or_else(|| loose.get(&(framework.clone(), None)));
            let passes = matches!(verdict, Verdict::Passed | Verdict::PassedWithExclusions);
            let loosened = asks.filter(|_| passes).cloned();
            let verdict = if loosened.is_some() { Verdict::Failed } else { verdict };
            controls.push(ControlResult { framework: framework.clone(), version, control, verdict, loosened });
        }
    }
    controls
}
