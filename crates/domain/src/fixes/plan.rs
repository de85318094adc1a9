//! Planning: what a scan found, held against the directory as it is now, becomes proposals. Reads through the connection that reads, each
//! path once, and has nothing it could write with (I48).

use super::db::{self, Facts, NewFix, NewPlan};
use super::goal::{Seen, seen, service};
use super::{access, carry};
use crate::connections::{self, reach};
use crate::scans::report;
use crate::{Services, scans};
use bailiwick_base::{Code, DirectoryId, FixId, FixPlanId, Problem, ScanId, Severity, TenantId};
use bailiwick_checks::recipes::{self, Change, CheckRef, Planner, Proposal, Recipe, RecipeKind, Targeted};
use bailiwick_checks::{Catalogue, CheckResult, ObjectRef, Settings};
use bailiwick_cloud::write::Writer;
use bailiwick_cloud::{Access, CallError, Microsoft, Reply, Service};
use bailiwick_contract::connections::ConnectionKind;
use bailiwick_contract::evidence::Named;
use bailiwick_contract::fixes::{FixCheck, FixKind, FixObject, FixRisk, FixState, LeftOut, NewFixPlan};
use bailiwick_store::{ReadScope, WriteScope};
use futures::StreamExt;
use futures::future::join_all;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Paths of one batch, and readings of Azure at a time.
const TOGETHER: usize = 20;
const AT_ONCE: usize = 8;
const PAGES: usize = 50;

/// What to plan, and with what.
pub struct Planning {
    directory: Named<DirectoryId>,
    scan: Option<(ScanId, report::Stored)>,
    settings: Settings,
    access: Access,
    recipes: BTreeSet<String>,
    policies: Vec<String>,
}

/// What planning came to, before it counts.
pub struct Planned {
    pub directory: Named<DirectoryId>,
    pub scan: Option<ScanId>,
    pub fixes: Vec<NewFix>,
    pub left_out: Vec<LeftOut>,
}

/// Finds what to plan from.
///
/// # Errors
/// `not_entitled`, `fixes_off`, `not_connected`, or there is nothing to plan from.
pub async fn prepare(services: &Services, scope: &mut ReadScope, new: &NewFixPlan) -> Result<Planning, Problem> {
    let tenant = scope.tenant();
    if let Some(directory) = new.directory {
        access::known(scope.sql(), tenant, directory).await?;
    }
    access::need(access::entitled(services, scope.sql(), tenant).await?.fixes, "fixes")?;
    let row = connections::db::live(scope.sql(), tenant, ConnectionKind::Read, new.directory).await?.ok_or_else(|| {
        Problem::new(Code::NotConnected, "No connection reads this directory. Connect it first: a plan looks at it as it is now.")
    })?;
    let directory = row.directory();
    let own = db::settings(scope.sql(), tenant, directory.id).await?;
    access::need_on(own.is_some_and(|(settings, ..)| settings.enabled), "Planning and applying fixes")?;
    let scan = match new.scan {
        Some(scan) => Some(of_directory(scope, tenant, scan, &directory).await?),
        None => scans::db::latest_completed(scope.sql(), tenant, directory.id).await?,
    };
    let scan = match scan {
        Some(scan) => Some((scan, report::find(services, scope, scan).await?)),
        None if new.policies.is_empty() => {
            return Err(Problem::new(Code::WrongState, "This directory has no completed scan to plan from. Scan it first."));
        }
        None => None,
    };
    let settings = scans::db::settings(scope.sql(), tenant, directory.id).await?.map(|(settings, _)| settings).unwrap_or_default();
    let access = reach::access(services, scope, &row).await?;
    Ok(Planning {
        directory,
        scan,
        settings: scans::model::judging(settings),
        access,
        recipes: new.recipes.iter().cloned().collect(),
        policies: new.policies.clone(),
    })
}

async fn of_directory(scope: &mut ReadScope, tenant: TenantId, id: ScanId, directory: &Named<DirectoryId>) -> Result<ScanId, Problem> {
    let scan = scans::db::scan(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
    if scan.directory.id != directory.id {
        let detail = format!("The scan is of another directory than {}. Name one of this directory.", directory.name);
        return Err(Problem::new(Code::BadRequest, detail).at("scan"));
    }
    Ok(id)
}

/// Reads the directory as it is now and proposes.
///
/// # Errors
/// The stored scan cannot be read.
pub async fn reach(services: &Services, planning: Planning) -> Result<Planned, Problem> {
    let Planning { directory, scan, settings, access, recipes, policies } = planning;
    let catalogue = scans::catalogue::shipped()?;
    let planner = Planner { catalogue, settings: &settings, directory: directory.id.0 };
    let (scan, results) = match scan {
        // Where policies alone are asked for, the scan says nothing about them.
        Some((scan, stored)) if policies.is_empty() || !recipes.is_empty() => (Some(scan), report::results(services, stored).await?),
        Some((scan, _)) => (Some(scan), Vec::new()),
        None => (None, Vec::new()),
    };
    let (targets, mut left_out) = wanted(planner, &results, &recipes, &policies);
    let answers = read(services, &access, &targets).await;
    let writer = Writer::over(&services.microsoft.client);
    let mut fixes = Vec::new();
    for targeted in targets {
        let key = (service(targeted.target.service), targeted.target.read.clone());
        match answers.get(&key) {
            Some(Ok(current)) => match propose(services, &planner, &writer, &targeted, current) {
                Ok(fix) => fixes.push(fix),
                Err(left) => left_out.push(*left),
            },
            Some(Err(why)) => left_out.push(left(&targeted, "not_read", why.clone())),
            None => left_out.push(left(&targeted, "not_read", "It was not read. Plan again.".into())),
        }
    }
    fixes.sort_by(|a, b| (b.severity, &a.change.recipe, a.object_id()).cmp(&(a.severity, &b.change.recipe, b.object_id())));
    Ok(Planned { directory, scan, fixes, left_out })
}

/// The targets that were asked for: those of failing checks, and those of live policies.
fn wanted(planner: Planner<'_>, results: &[CheckResult], recipes: &BTreeSet<String>, policies: &[String]) -> (Vec<Targeted>, Vec<LeftOut>) {
    let found = planner.targets(results);
    let asked = |recipe: Option<&String>| recipes.is_empty() || recipe.is_some_and(|recipe| recipes.contains(recipe));
    let mut targets: Vec<Targeted> = found.targets.into_iter().filter(|t| asked(Some(&t.target.recipe))).collect();
    let mut left_out: Vec<LeftOut> = found.left_out.iter().filter(|l| asked(l.recipe.as_ref())).map(planners).collect();
    let unknown = recipes.iter().filter(|id| planner.catalogue.recipe(id).is_none());
    left_out.extend(unknown.map(|id| LeftOut {
        recipe: Some(id.clone()),
        ..blank("no_recipe", format!("There is no recipe called {id}. `GET /api/v1/fix-recipes` lists them."))
    }));
    for key in policies {
        match of_policy(planner, key) {
            Ok(targeted) if targets.iter().any(|t| t.target == targeted.target) => {}
            Ok(targeted) => targets.push(targeted),
            Err(left) => left_out.push(*left),
        }
    }
    (targets, left_out)
}

fn of_policy(planner: Planner<'_>, key: &str) -> Result<Targeted, Box<LeftOut>> {
    let Some(recipe) = planner.catalogue.policy_recipe(key) else {
        return Err(Box::new(blank("no_recipe", format!("There is no recipe for the policy {key}: it takes a person."))));
    };
    let target = planner.target(&recipe.id, None).map_err(|left| Box::new(planners(&left)))?;
    Ok(Targeted { target, checks: checks_of(planner.catalogue, recipe) })
}

/// What a recipe is about, where no scan says which of its checks fail.
fn checks_of(catalogue: &Catalogue, recipe: &Recipe) -> Vec<CheckRef> {
    let of_recipe = catalogue.checks().iter().filter(|check| recipe.checks.contains(&check.id));
    of_recipe.map(|check| CheckRef { check: check.id.clone(), title: check.title.clone(), severity: check.severity }).collect()
}

fn blank(code: &str, detail: String) -> LeftOut {
    LeftOut { check: None, recipe: None, object: None, code: code.into(), detail, fix: None }
}

fn object(object: &ObjectRef) -> FixObject {
    FixObject { id: object.id.clone(), name: object.name.clone() }
}

fn planners(left: &recipes::LeftOut) -> LeftOut {
    LeftOut {
        check: left.check.clone(),
        recipe: left.recipe.clone(),
        object: left.object.as_ref().map(object),
        ..blank(left.code.as_str(), left.detail.clone())
    }
}

fn left(targeted: &Targeted, code: &str, detail: String) -> LeftOut {
    LeftOut {
        check: targeted.checks.first().map(|check| check.check.clone()),
        recipe: Some(targeted.target.recipe.clone()),
        object: targeted.target.object.as_ref().map(object),
        ..blank(code, detail)
    }
}

/// The same, as an error.
fn leave(targeted: &Targeted, code: &str, detail: String) -> Box<LeftOut> {
    Box::new(left(targeted, code, detail))
}

// ---- reading -------------------------------------------------------------------------------------------------------

/// What was read of each path, or why not.
type Answers = HashMap<(Service, String), Result<Value, String>>;

/// Reads each path once.
async fn read(services: &Services, access: &Access, targets: &[Targeted]) -> Answers {
    let paths: HashSet<(Service, String)> = targets.iter().map(|t| (service(t.target.service), t.target.read.clone())).collect();
    let client = &services.microsoft.client;
    let (graph, azure): (Vec<_>, Vec<_>) = paths.into_iter().partition(|(service, _)| *service == Service::Graph);
    let (graph, azure): (Vec<String>, Vec<String>) = (graph.into_iter().map(|p| p.1).collect(), azure.into_iter().map(|p| p.1).collect());
    let batches: Vec<Vec<String>> = graph.chunks(TOGETHER).map(<[String]>::to_vec).collect();
    let batches = join_all(batches.into_iter().map(|paths| async move { client.batch(access, &paths).await }));
    let alone = futures::stream::iter(azure.clone()).map(|path| async move { client.get(access, Service::Arm, &path).await });
    let (batched, alone) = futures::join!(batches, alone.buffered(AT_ONCE).collect::<Vec<_>>());
    let mut answers = Answers::new();
    let graph = graph.into_iter().map(|path| (Service::Graph, path)).zip(batched.into_iter().flatten());
    let azure = azure.into_iter().map(|path| (Service::Arm, path)).zip(alone);
    for ((service, path), answer) in graph.chain(azure) {
        let answer = whole(client, access, service, answer).await;
        answers.insert((service, path), answer);
    }
    answers
}

/// An answer with all its pages.
async fn whole(client: &Microsoft, access: &Access, service: Service, first: Result<Reply, CallError>) -> Result<Value, String> {
    let mut whole = body(first)?;
    for _ in 0..PAGES {
        let Some(next) = whole["@odata.nextLink"].as_str().map(str::to_owned) else { break };
        let mut page = body(client.get(access, service, &next).await)?;
        carry::append(&mut whole, &mut page);
    }
    Ok(whole)
}

fn body(answer: Result<Reply, CallError>) -> Result<Value, String> {
    match seen(answer) {
        Seen::Value(Value::Null, 404) => Err("The directory does not have this.".into()),
        Seen::Value(value, _) => Ok(value),
        Seen::Not(why, _) | Seen::NotNow(why, _) => Err(why.detail),
    }
}

// ---- proposing -----------------------------------------------------------------------------------------------------

fn propose(
    services: &Services,
    planner: &Planner<'_>,
    writer: &Writer,
    targeted: &Targeted,
    current: &Value,
) -> Result<NewFix, Box<LeftOut>> {
    let id = FixId::new(services.store.clock(), services.store.rng());
    let change = match planner.propose(&targeted.target, current, &marker(id)) {
        Proposal::Change(change) => *change,
        Proposal::AlreadySo => {
            return Err(leave(targeted, "already_so", "It is so already. Scan again to see it pass.".into()));
        }
        Proposal::Cannot { code, detail } => return Err(leave(targeted, code.as_str(), detail)),
    };
    let Some(recipe) = planner.catalogue.recipe(&change.recipe) else {
        return Err(leave(targeted, "no_recipe", "There is no recipe for this: it takes a person.".into()));
    };
    let url = writer.url(service(change.service), &change.write).map_err(|error| leave(targeted, "not_read", error.to_string()))?;
    let checks: Vec<FixCheck> = targeted.checks.iter().map(check).collect();
    let severity = checks.iter().map(|check| check.severity).max().unwrap_or(Severity::None);
    let digest = change.digest(planner.directory);
    Ok(NewFix { id, severity, facts: facts(recipe, &change, checks, url.to_string()), change, digest })
}

/// What marks what a fix makes: the end of its id, since ids of one moment begin alike.
fn marker(id: FixId) -> String {
    let text = id.0.simple().to_string();
    text.get(text.len() - 8..).unwrap_or(&text).to_owned()
}

fn check(check: &CheckRef) -> FixCheck {
    FixCheck { check: check.check.clone(), title: check.title.clone(), severity: check.severity }
}

pub fn kind(kind: RecipeKind) -> FixKind {
    match kind {
        RecipeKind::Patch => FixKind::Patch,
        RecipeKind::Create => FixKind::Create,
        RecipeKind::Enforce => FixKind::Enforce,
    }
}

pub fn risk(risk: recipes::Risk) -> FixRisk {
    match risk {
        recipes::Risk::Low => FixRisk::Low,
        recipes::Risk::Medium => FixRisk::Medium,
        recipes::Risk::High => FixRisk::High,
    }
}

fn facts(recipe: &Recipe, change: &Change, checks: Vec<FixCheck>, url: String) -> Facts {
    Facts {
        title: recipe.title.clone(),
        version: change.version,
        kind: kind(change.kind),
        checks,
        risk: risk(recipe.risk),
        blast_radius: recipe.blast_radius.clone(),
        rollback: recipe.rollback.clone(),
        after_note: recipe.after_note.clone(),
        permission: recipe.permission.clone(),
        object: change.object.as_ref().map(object),
        url,
        // Policies are made so, always.
        report_only: change.kind == RecipeKind::Create,
    }
}

// ---- keeping -------------------------------------------------------------------------------------------------------

/// Keeps a plan: its proposals take the place of earlier ones for the same things, except where somebody has those in hand.
///
/// # Errors
/// `fixes_off`, or the database's.
pub async fn record(scope: &mut WriteScope, planned: Planned) -> Result<(FixPlanId, Vec<FixId>, Vec<FixId>), Problem> {
    let (tenant, now, by) = (scope.tenant(), scope.now(), scope.principal().await?);
    let Planned { directory, scan, fixes, mut left_out } = planned;
    // Held: two plans of one directory are kept one after the other.
    let settings = db::hold_settings(scope.sql(), tenant, directory.id).await?.unwrap_or_default();
    access::need_on(settings.enabled, "Planning and applying fixes")?;
    let in_hand = db::in_hand(scope.sql(), tenant, directory.id).await?;
    let mut proposed = Vec::new();
    for fix in fixes {
        match in_hand.iter().find(|(recipe, object, ..)| *recipe == fix.change.recipe && object == fix.object_id()) {
            Some((_, _, other, state)) => left_out.push(taken(&fix, *other, *state)),
            None => proposed.push(fix),
        }
    }
    let superseded = db::supersede(scope.sql(), tenant, directory.id, &proposed).await?;
    let id = FixPlanId::new(scope.clock(), scope.rng());
    let plan = NewPlan { id, directory: directory.id, scan, left_out: &left_out, at: now, by: &by };
    db::insert_plan(scope.sql(), tenant, &plan).await?;
    let needed = if settings.second_approver { 2 } else { 1 };
    db::insert_fixes(scope.sql(), tenant, &plan, &proposed, needed).await?;
    Ok((id, proposed.iter().map(|fix| fix.id).collect(), superseded))
}

fn taken(fix: &NewFix, other: FixId, state: FixState) -> LeftOut {
    let detail = match state {
        FixState::Applying | FixState::RollingBack => "A fix of the same thing is under way. Plan again when it is done.",
        _ => "A fix of the same thing has an approval. Apply it, or withdraw it and plan again.",
    };
    LeftOut {
        check: fix.facts.checks.first().map(|check| check.check.clone()),
        recipe: Some(fix.change.recipe.clone()),
        object: fix.facts.object.clone(),
        fix: Some(other),
        ..blank("in_hand", detail.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixes_of_one_moment_have_marks_of_their_own() {
        let (a, b) = ("0192f0c1-2b3c-7d4e-8f50-61728394a701", "0192f0c1-2b3c-7d4e-8f50-61728394a702");
        let marks = [a, b].map(|id| marker(id.parse().unwrap()));
        assert_eq!(marks, ["8394a701", "8394a702"]);
    }
}
