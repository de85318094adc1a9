//! The operations of fixes.

use super::access::{self, Surroundings};
use super::db::{self, FixFilter, FixRow, Order, PlanRow};
use super::goal::{Subject, shown};
use super::model::{self, WhyNot};
use super::steps::Step;
use super::{contain_api, explain, jobs, plan, steps, tell};
use crate::{Call, Mount, ReachHandler, ReadHandler, Services, WriteHandler, connections, text};
use bailiwick_base::{Code, DirectoryId, FixId, Page, Problem, Severity, Timestamp};
use bailiwick_contract::connections::ConnectionKind;
use bailiwick_contract::fixes::{
    ApplyFix, ApproveFix, Fix, FixEntitlements, FixPlan, FixRecipe, FixRecipeRef, FixRecipes, FixRequest, FixSettingsOfDirectory, FixState,
    GetFix, GetFixPlan, GetFixSettings, ListFixRecipes, ListFixes, PlanFixes, RollBackFix, SetFixSettings, WithdrawFix,
};
use bailiwick_store::{Audited, ReadScope, WriteScope};
use serde_json::json;

pub fn mount(to: &mut impl Mount) {
    to.read::<GetFixSettings>();
    to.write::<SetFixSettings>();
    to.read::<ListFixRecipes>();
    to.reach::<PlanFixes>();
    to.read::<GetFixPlan>();
    to.read::<ListFixes>();
    to.read::<GetFix>();
    to.write::<ApproveFix>();
    to.write::<WithdrawFix>();
    to.write::<ApplyFix>();
    to.write::<RollBackFix>();
    explain::mount(to);
    contain_api::mount(to);
}

// ---- settings ----------------------------------------------------------------------------------------------------

/// A directory's settings as they are shown.
fn settings_of(around: &Surroundings, directory: DirectoryId, stored: Option<db::StoredSettings>) -> FixSettingsOfDirectory {
    let (settings, changed_at, changed_by) = match stored {
        Some((settings, at, by)) => (settings, Some(at), Some(by)),
        None => Default::default(),
    };
    FixSettingsOfDirectory {
        directory,
        settings,
        entitled: around.entitled,
        writer: around.writer(directory).map(bailiwick_base::ConnectionId),
        opens_at: around.opens_at(directory),
        changed_at,
        changed_by,
    }
}

impl ReadHandler for GetFixSettings {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<FixSettingsOfDirectory, Problem> {
        let directory = call.path.directory;
        access::known(scope.sql(), call.tenant, directory).await?;
        let caller = scope.principal().await?.id;
        let around = Surroundings::read(services, scope.sql(), call.tenant, caller).await?;
        let stored = db::settings(scope.sql(), call.tenant, directory).await?;
        Ok(settings_of(&around, directory, stored))
    }
}

impl WriteHandler for SetFixSettings {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<FixSettingsOfDirectory>, Problem> {
        let (directory, settings, now) = (call.path.directory, call.body, scope.now());
        access::known(scope.sql(), call.tenant, directory).await?;
        model::check_settings(&settings)?;
        let FixEntitlements { fixes, containment } = access::entitled(services, scope.sql(), call.tenant).await?;
        access::need(fixes || !settings.enabled, "fixes")?;
        access::need(containment || !settings.containment, "containment")?;
        let by = scope.principal().await?;
        let before = db::hold_settings(scope.sql(), call.tenant, directory).await?;
        db::put_settings(scope.sql(), call.tenant, directory, &settings, &by, now).await?;
        let waiting = if settings.second_approver { db::need_second(scope.sql(), call.tenant, directory).await? } else { 0 };
        let around = Surroundings::read(services, scope.sql(), call.tenant, by.id.clone()).await?;
        let detail = json!({"before": before, "after": settings, "waiting_for_a_second": waiting});
        let shown = settings_of(&around, directory, Some((settings, now, by)));
        Ok(Audited::new(shown, format!("directory/{directory}"), detail))
    }
}

// ---- recipes -----------------------------------------------------------------------------------------------------

impl ReadHandler for ListFixRecipes {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<FixRecipes, Problem> {
        let writer = connections::db::live(scope.sql(), call.tenant, ConnectionKind::Write, call.query.directory).await?;
        let granted = writer.map(|row| row.connection(services.store.now()).granted);
        let catalogue = crate::scans::catalogue::shipped()?;
        let mut items: Vec<FixRecipe> = catalogue.recipes().iter().map(|recipe| shown_recipe(recipe, granted.as_deref())).collect();
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(FixRecipes { items })
    }
}

fn shown_recipe(recipe: &bailiwick_checks::recipes::Recipe, granted: Option<&[String]>) -> FixRecipe {
    let in_azure = recipe.permissions().any(|permission| permission.contains(':'));
    let holds = |granted: &[String]| recipe.permissions().all(|needed| granted.iter().any(|has| has == needed));
    FixRecipe {
        id: recipe.id.clone(),
        version: recipe.version,
        title: recipe.title.clone(),
        kind: plan::kind(recipe.kind),
        service: recipe.service.as_str().into(),
        method: recipe.method.as_str().into(),
        path: recipe.path.clone(),
        permission: recipe.permission.clone(),
        risk: plan::risk(recipe.risk),
        blast_radius: recipe.blast_radius.clone(),
        rollback: recipe.rollback.clone(),
        after_note: recipe.after_note.clone(),
        checks: recipe.checks.clone(),
        licence: recipe.license.clone(),
        policies: recipe.policy.iter().cloned().collect(),
        granted: granted.filter(|_| !in_azure).map(holds),
    }
}

// ---- showing -----------------------------------------------------------------------------------------------------

/// A fix as it is shown to the caller.
pub(super) fn shown_fix(row: FixRow, around: &Surroundings, steps: Vec<Step>) -> Fix {
    let may = model::may(row.look(&around.caller), around.around(row.directory.id));
    let open =
        matches!(row.state, FixState::Proposed | FixState::AwaitingSecond | FixState::Approved | FixState::Scheduled | FixState::Failed);
    let (applied_at, applied_by) = row.applied.unzip();
    let (rolled_back_at, rolled_back_by) = row.rolled_back.unzip();
    let (facts, change) = (row.facts, row.change);
    Fix {
        id: row.id,
        plan: row.plan,
        planned_at: row.planned_at,
        planned_by: row.planned_by,
        opens_at: if open { around.opens_at(row.directory.id) } else { None },
        directory: row.directory,
        recipe: FixRecipeRef { id: row.recipe, version: facts.version, title: facts.title, kind: facts.kind },
        checks: facts.checks,
        severity: row.severity,
        risk: facts.risk,
        blast_radius: facts.blast_radius,
        rollback: facts.rollback,
        after_note: facts.after_note,
        permission: facts.permission,
        object: facts.object,
        request: FixRequest { method: change.method.as_str().into(), url: facts.url, body: model::redacted(&change.body) },
        before: model::redacted(&change.before),
        after: model::redacted(&change.after),
        changed: change.changed.iter().map(shown).collect(),
        digest: row.digest,
        state: row.state,
        report_only: facts.report_only,
        approvals: row.approvals,
        approvals_needed: row.needed,
        not_before: row.not_before,
        steps: steps.into_iter().map(Step::shown).collect(),
        failure: row.failure,
        ordered_by: row.ordered_by,
        applied_at,
        applied_by,
        rolled_back_at,
        rolled_back_by,
        verified_by_scan: row.verified_by,
        may,
    }
}

fn shown_plan(row: PlanRow, fixes: Vec<FixRow>, around: &Surroundings) -> FixPlan {
    FixPlan {
        id: row.id,
        directory: row.directory,
        scan: row.scan,
        created_at: row.created_at,
        by: row.by,
        fixes: fixes.into_iter().map(|fix| shown_fix(fix, around, Vec::new())).collect(),
        left_out: row.left_out,
    }
}

impl ReadHandler for GetFixPlan {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<FixPlan, Problem> {
        let row = db::plan(scope.sql(), call.tenant, call.path.plan).await?.ok_or_else(Problem::not_found)?;
        let fixes = db::fixes_of(scope.sql(), call.tenant, row.id).await?;
        let caller = scope.principal().await?.id;
        let around = Surroundings::read(services, scope.sql(), call.tenant, caller).await?;
        Ok(shown_plan(row, fixes, &around))
    }
}

impl ReadHandler for ListFixes {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Fix>, Problem> {
        let query = call.query;
        let limit = text::limit(query.limit)?;
        let before = match text::cursor::<2>(&query.cursor)? {
            Some([at, id]) => Some((text::part(&at)?, text::part(&id)?)),
            None => None,
        };
        let filter = FixFilter {
            directory: query.directory,
            state: query.state.map(FixState::as_str),
            severity: query.severity.map(Severity::number),
            plan: query.plan,
            recipe: query.recipe.as_deref(),
            before,
        };
        let rows = db::fixes(scope.sql(), call.tenant, &filter, limit).await?;
        let caller = scope.principal().await?.id;
        let around = Surroundings::read(services, scope.sql(), call.tenant, caller).await?;
        let page = Page::from_rows(rows, limit as usize, |fix| vec![fix.planned_at.to_string(), fix.id.to_string()]);
        Ok(Page { items: page.items.into_iter().map(|fix| shown_fix(fix, &around, Vec::new())).collect(), next: page.next })
    }
}

impl ReadHandler for GetFix {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Fix, Problem> {
        let id = call.path.fix;
        let row = db::fix(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        let steps = steps::steps(scope.sql(), call.tenant, &Subject::Fix(id), None).await?;
        let caller = scope.principal().await?.id;
        let around = Surroundings::read(services, scope.sql(), call.tenant, caller).await?;
        Ok(shown_fix(row, &around, steps))
    }
}

// ---- planning ------------------------------------------------------------------------------------------------------

impl ReachHandler for PlanFixes {
    type Prepared = plan::Planning;
    type Reached = plan::Planned;

    async fn prepare(services: &Services, scope: &mut ReadScope, call: &Call<Self>) -> Result<plan::Planning, Problem> {
        for name in call.body.recipes.iter().chain(&call.body.policies) {
            text::name("recipes", name, 120)?;
        }
        plan::prepare(services, scope, &call.body).await
    }

    async fn reach(services: &Services, planning: plan::Planning) -> Result<plan::Planned, Problem> {
        plan::reach(services, planning).await
    }

    async fn record(
        services: &Services,
        scope: &mut WriteScope,
        call: &Call<Self>,
        planned: plan::Planned,
    ) -> Result<Audited<FixPlan>, Problem> {
        let (id, fixes, superseded) = plan::record(scope, planned).await?;
        let row = db::plan(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        let rows = db::fixes_of(scope.sql(), call.tenant, id).await?;
        let by = scope.principal().await?;
        tell::planned(scope, &rows, &by).await?;
        let around = Surroundings::read(services, scope.sql(), call.tenant, by.id).await?;
        let detail = json!({
            "directory": row.directory.id, "scan": row.scan, "fixes": fixes, "left_out": row.left_out.len(), "superseded": superseded,
        });
        Ok(Audited::new(shown_plan(row, rows, &around), format!("fix_plan/{id}"), detail))
    }
}

// ---- deciding ------------------------------------------------------------------------------------------------------

/// A fix that somebody decides over, held, with all that decides besides.
struct Deciding {
    row: FixRow,
    around: Surroundings,
    now: Timestamp,
}

async fn deciding(services: &Services, scope: &mut WriteScope, id: FixId) -> Result<Deciding, Problem> {
    let tenant = scope.tenant();
    let row = db::hold(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
    let caller = scope.principal().await?.id;
    let around = Surroundings::read(services, scope.sql(), tenant, caller).await?;
    Ok(Deciding { row, around, now: scope.now() })
}

impl Deciding {
    fn refuse(&self, why: impl FnOnce(model::Look, model::Around) -> Option<WhyNot>) -> Result<(), Problem> {
        match why(self.row.look(&self.around.caller), self.around.around(self.row.directory.id)) {
            Some(why) => Err(model::problem(why)),
            None => Ok(()),
        }
    }

    /// I44: what was shown is what is stored, whatever the client says of it.
    fn same(&self, digest: &str) -> Result<(), Problem> {
        if self.row.digest == digest {
            return Ok(());
        }
        let detail = "The fix is not the one that was shown: its digest is another. Open it again and look at what it changes.";
        Err(Problem::new(Code::FixChanged, detail).at("digest"))
    }
}

async fn decided(services: &Services, scope: &mut WriteScope, id: FixId, detail: serde_json::Value) -> Result<Audited<Fix>, Problem> {
    let Deciding { row, around, .. } = deciding(services, scope, id).await?;
    let tenant = scope.tenant();
    let steps = steps::steps(scope.sql(), tenant, &Subject::Fix(id), None).await?;
    Ok(Audited::new(shown_fix(row, &around, steps), format!("fix/{id}"), detail))
}

fn note(note: &Option<String>) -> Result<Option<&str>, Problem> {
    let note = note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    text::optional("note", note.unwrap_or_default(), 1000)?;
    Ok(note)
}

impl WriteHandler for ApproveFix {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Fix>, Problem> {
        let (id, note) = (call.path.fix, note(&call.body.note)?);
        let fix = deciding(services, scope, id).await?;
        fix.same(&call.body.digest)?;
        fix.refuse(model::why_not_approve)?;
        let by = scope.principal().await?;
        db::approve(scope.sql(), call.tenant, id, &fix.row.digest, &by, note, fix.now).await?;
        let state = model::approved_state(fix.row.counting + 1, fix.row.needed);
        db::set_state(scope.sql(), call.tenant, id, state).await?;
        if state == FixState::AwaitingSecond {
            tell::second(scope, &fix.row, &by).await?;
        }
        let detail =
            json!({"digest": fix.row.digest, "recipe": fix.row.recipe, "directory": fix.row.directory.id, "note": note, "state": state});
        decided(services, scope, id, detail).await
    }
}

impl WriteHandler for WithdrawFix {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Fix>, Problem> {
        let (id, note) = (call.path.fix, note(&call.body.note)?);
        let fix = deciding(services, scope, id).await?;
        fix.refuse(|look, _| model::why_not_withdraw(look))?;
        let own = db::disapprove(scope.sql(), call.tenant, id, &fix.around.caller).await?;
        let left = fix.row.counting.saturating_sub(1);
        // What failed or was stopped is over; what somebody else approved and one did not is decided against.
        let waits = own && !matches!(fix.row.state, FixState::Failed | FixState::Stopped);
        let state = if waits { model::approved_state(left, fix.row.needed) } else { FixState::Dismissed };
        if fix.row.state == FixState::Scheduled {
            jobs::forget_due(scope, id, fix.row.order).await?;
        }
        db::set_state(scope.sql(), call.tenant, id, state).await?;
        let detail = json!({"before": fix.row.state, "state": state, "own_approval": own, "note": note});
        decided(services, scope, id, detail).await
    }
}

impl WriteHandler for ApplyFix {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Fix>, Problem> {
        let id = call.path.fix;
        let fix = deciding(services, scope, id).await?;
        fix.same(&call.body.digest)?;
        fix.refuse(model::why_not_apply)?;
        let at = call.body.at.unwrap_or(fix.now).max(fix.now);
        model::check_time(at, fix.now)?;
        let due = model::due(&fix.around.settings(fix.row.directory.id), at);
        if fix.row.state == FixState::Scheduled {
            jobs::forget_due(scope, id, fix.row.order).await?;
        }
        let waits = due > fix.now;
        let by = scope.principal().await?;
        let state = if waits { FixState::Scheduled } else { FixState::Applying };
        let order = Order { state, at: fix.now, by: &by, not_before: waits.then_some(due) };
        let number = db::order(scope.sql(), call.tenant, id, &order).await?;
        if waits {
            jobs::enqueue_due(scope, id, number, due).await?;
        } else {
            jobs::enqueue(scope, fix.row.directory.id, id, number).await?;
        }
        let detail = json!({
            "digest": fix.row.digest, "recipe": fix.row.recipe, "directory": fix.row.directory.id, "order": number, "not_before": order.not_before,
            "approved_by": fix.row.approvals.iter().map(|approval| &approval.by).collect::<Vec<_>>(),
        });
        decided(services, scope, id, detail).await
    }
}

impl WriteHandler for RollBackFix {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Fix>, Problem> {
        let id = call.path.fix;
        let fix = deciding(services, scope, id).await?;
        fix.same(&call.body.digest)?;
        fix.refuse(model::why_not_roll_back)?;
        let by = scope.principal().await?;
        let order = Order { state: FixState::RollingBack, at: fix.now, by: &by, not_before: None };
        let number = db::order(scope.sql(), call.tenant, id, &order).await?;
        jobs::enqueue(scope, fix.row.directory.id, id, number).await?;
        let detail = json!({"digest": fix.row.digest, "recipe": fix.row.recipe, "directory": fix.row.directory.id, "order": number});
        decided(services, scope, id, detail).await
    }
}
