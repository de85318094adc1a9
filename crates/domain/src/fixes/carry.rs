//! Carrying one thing out: load what was decided and noted, do what the machine says, note it, and settle.
//!
//! What must stay true: the intent to write is committed before the write is sent, under the job's lease, with settings, connection,
//! approvals and order held; between that commit and the answer's, nothing else happens. Every wait is the job put back, never a sleep.

use super::access::{self, Gate};
use super::db::{self, FixRow, Sql};
use super::goal::{self, Goal, SESSIONS, Seen, Sending, Stands, Subject, failure, refusal, seen};
use super::machine::{self, Doubt, Next, Outcome, PATIENCE, SEND_WITHIN, later, next, pause};
use super::steps::{self, Step};
use super::{contained, jobs, model, tell};
use crate::connections::{self, reach};
use crate::worker::{Done, Failed, Turn, nobody, system};
use crate::{Services, scans};
use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_base::{ConnectionId, DirectoryId, Principal, Problem, RequestId, TenantId, Timestamp, uuid_v7};
use bailiwick_cloud::write::{WriteAccess, WriteError, Writer};
use bailiwick_cloud::{CancellationToken, Reply, Until};
use bailiwick_contract::connections::ConnectionKind;
use bailiwick_contract::evidence::Named;
use bailiwick_contract::fixes::{ContainmentAct, FixFailure, FixFailureCode, FixState, StepKind, StepPurpose};
use bailiwick_store::{Audited, Lease, ReadScope, Request, WriteScope};
use serde_json::{Value, json};
use uuid::Uuid;

/// Pages of one listing that is looked at.
const PAGES: usize = 50;
/// The longest that Microsoft may ask to wait at a time, in seconds.
const LONGEST_WAIT: i64 = 300;

/// Something to be carried out, as it stands when an attempt begins.
struct Task {
    subject: Subject,
    order: i32,
    ordered_at: Timestamp,
    by: Principal,
    directory: Named<DirectoryId>,
    goal: Goal,
    permission: String,
    /// Of this order, oldest first.
    steps: Vec<Step>,
    /// What to ask and write with, or why nothing may be.
    allowed: Result<Allowed, FixFailure>,
    /// When the change window opens, while it is closed.
    opens_at: Option<Timestamp>,
}

struct Allowed {
    access: WriteAccess,
    connection: ConnectionId,
}

/// How something ended.
enum End {
    Reached {
        made: Option<String>,
        note: Option<String>,
        /// Whether a write of this order did it.
        wrote: bool,
    },
    Failed(FixFailure),
}

/// Carries out an order, or goes on with one that was interrupted.
///
/// # Errors
/// The database's: the attempt is repeated, and goes on from what was noted.
pub async fn run(services: &Services, lease: &Lease, subject: Subject, order: i32) -> Result<Turn, Failed> {
    let Some(mut task) = load(services, lease.tenant, subject, order).await? else {
        return passed(services, lease, subject).await.map(Turn::done);
    };
    loop {
        let noted: Vec<machine::Noted> = task.steps.iter().map(Step::noted).collect();
        match next(&noted) {
            Next::Look => {
                if let Some(turn) = look(services, lease, &mut task).await? {
                    return Ok(turn);
                }
            }
            Next::Reread { since, until, doubt } => return reread(services, lease, &task, (since, until), doubt).await,
            Next::Refused => {
                let last = task.steps.iter().rev().find(|step| step.kind == StepKind::Write);
                let (status, body) = last.map_or((0, None), |step| (step.status.unwrap_or(0), step.response.as_ref()));
                let failure = refusal(status, body, "this change", &task.permission);
                return conclude(services, lease, &task, None, End::Failed(failure)).await.map(Turn::done);
            }
        }
    }
}

// ---- loading -------------------------------------------------------------------------------------------------------

async fn load(services: &Services, tenant: TenantId, subject: Subject, order: i32) -> Result<Option<Task>, Problem> {
    let mut scope = services.store.read(tenant, &system("fixes", None), &nobody()).await?;
    let steps = steps::steps(scope.sql(), tenant, &subject, Some(order)).await?;
    let Some((mut task, gate, unapproved)) = (match subject {
        Subject::Fix(id) => {
            let row = db::fix(scope.sql(), tenant, id).await?;
            row.filter(|row| row.order == order && matches!(row.state, FixState::Applying | FixState::RollingBack))
                .map(|row| fix_task(row, order, steps))
        }
        Subject::Act(id, Some(act)) => {
            let waiting = contained::waiting(scope.sql(), tenant, id, act, order).await?;
            waiting.and_then(|waiting| act_task(waiting, subject, act, order, steps))
        }
        Subject::Act(_, None) => None,
    }) else {
        return Ok(None);
    };
    let settings = db::settings(scope.sql(), tenant, task.directory.id).await?.map(|(settings, ..)| settings);
    let open = access::gate(services, scope.sql(), tenant, settings.as_ref(), gate).await?;
    let window = settings.as_ref().and_then(|settings| settings.window.as_ref()).filter(|_| task.goal.purpose() == StepPurpose::Apply);
    task.opens_at = window.and_then(|window| model::opens_at(window, services.store.now()));
    task.allowed = match (open, unapproved) {
        (Err(why), _) | (Ok(()), Some(why)) => Err(why),
        (Ok(()), None) => allowed(services, &mut scope, task.directory.id).await?,
    };
    Ok(Some(task))
}

fn blank(subject: Subject, order: i32, steps: Vec<Step>, goal: Goal, directory: Named<DirectoryId>, by: Principal, at: Timestamp) -> Task {
    let permission = goal.permission().to_owned();
    Task { subject, order, ordered_at: at, by, directory, goal, permission, steps, allowed: Err(access::not_connected()), opens_at: None }
}

fn fix_task(row: FixRow, order: i32, steps: Vec<Step>) -> (Task, Gate, Option<FixFailure>) {
    let (by, at) = (row.ordered_by.clone().unwrap_or_else(|| row.planned_by.clone()), row.ordered_at.unwrap_or(row.planned_at));
    let unapproved = unapproved(&row, row.needed);
    let change = Box::new(row.change);
    let goal = match row.state {
        FixState::RollingBack => Goal::RollBack { change, made: row.made },
        _ => Goal::Apply(change),
    };
    let mut task = blank(Subject::Fix(row.id), order, steps, goal, row.directory, by, at);
    task.permission = row.facts.permission;
    (task, Gate::Fixes, unapproved)
}

/// Why the approvals do not carry what would be sent: too few by people who may approve now, for something else than what is stored, by
/// a recipe that is not on the list any more, or ordered by somebody who may not now. A roll back is no new write of the recipe's.
fn unapproved(row: &FixRow, needed: u8) -> Option<FixFailure> {
    let not = |detail: &str| Some(failure(FixFailureCode::NotApproved, detail));
    let enough = row.counting >= usize::from(needed);
    if row.change.digest(row.directory.id.0) != row.digest || !enough {
        return not(
            "The approvals are not for exactly what would be written, or whoever gave them may not now. Nothing was written. Plan again.",
        );
    }
    if !row.orderer_may {
        return not("Whoever ordered this may not apply fixes now. Nothing was written. Order it again.");
    }
    let listed = |recipe: &bailiwick_checks::recipes::Recipe| recipe.version == row.change.version;
    let listed = scans::catalogue::shipped().is_ok_and(|catalogue| catalogue.recipe(&row.change.recipe).is_some_and(listed));
    if row.state != FixState::RollingBack && !listed {
        return not("This recipe has changed, or is not on the list of what may be written any more. Nothing was written. Plan again.");
    }
    None
}

fn act_task(
    waiting: contained::WaitingAct,
    subject: Subject,
    act: ContainmentAct,
    order: i32,
    steps: Vec<Step>,
) -> Option<(Task, Gate, Option<FixFailure>)> {
    let user: Uuid = waiting.user.parse().ok()?;
    let goal = match act {
        ContainmentAct::RevokeSessions => {
            let looked = steps.iter().rev().find(|step| step.kind == StepKind::Read && step.status == Some(200));
            Goal::Revoke { user, seen: looked.and_then(|step| Some(step.response.as_ref()?[SESSIONS].clone())) }
        }
        ContainmentAct::Disable => Goal::Account { user, enabled: false },
        ContainmentAct::Release => Goal::Account { user, enabled: true },
    };
    Some((blank(subject, order, steps, goal, waiting.directory, waiting.by, waiting.ordered_at), Gate::Containment, None))
}

async fn allowed(services: &Services, scope: &mut ReadScope, directory: DirectoryId) -> Result<Result<Allowed, FixFailure>, Problem> {
    let tenant = scope.tenant();
    let Some(row) = connections::db::live(scope.sql(), tenant, ConnectionKind::Write, Some(directory)).await? else {
        return Ok(Err(access::not_connected()));
    };
    Ok(match reach::write_access(services, scope, &row).await {
        Ok(access) => Ok(Allowed { access, connection: ConnectionId(row.id) }),
        Err(problem) if problem.transient() => return Err(problem),
        Err(problem) => Err(failure(FixFailureCode::NotConnected, problem.detail)),
    })
}

// ---- looking and writing -------------------------------------------------------------------------------------------

/// Looks, and writes where it stands as it was approved. None: it was sent, and the machine says what follows.
async fn look(services: &Services, lease: &Lease, task: &mut Task) -> Result<Option<Turn>, Failed> {
    let allowed = match &task.allowed {
        Ok(allowed) => allowed,
        Err(why) => {
            let end = End::Failed(why.clone());
            return conclude(services, lease, task, None, end).await.map(|done| Some(Turn::done(done)));
        }
    };
    if let Some(at) = task.opens_at {
        return jobs::put_off(services, lease, task.subject, at).await.map(|done| Some(Turn::done(done)));
    }
    let writer = Writer::over(&services.microsoft.client);
    let (found, mut step) = read(services, &writer, &allowed.access, task, StepKind::Read).await;
    let (current, end) = match found {
        Seen::Value(current, _) => {
            let end = match task.goal.stands(&current) {
                Stands::Before => None,
                Stands::Reached(made) => {
                    let note = "It is so already: nothing was sent.".to_owned();
                    step.detail = Some(note.clone());
                    Some(End::Reached { made, note: Some(note), wrote: false })
                }
                Stands::Otherwise(found) => Some(End::Failed(FixFailure { found, ..changed(&task.goal, current.is_null()) })),
            };
            (current, end)
        }
        Seen::NotNow(why, _) if services.store.now() < later(task.ordered_at, PATIENCE) => {
            step.detail = Some(why.detail);
            let wait = pause(task.ordered_at, services.store.now());
            return postpone(services, lease, task, vec![step], wait).await.map(Some);
        }
        Seen::NotNow(why, _) | Seen::Not(why, _) => (Value::Null, Some(End::Failed(why))),
    };
    if let Some(end) = end {
        return conclude(services, lease, task, Some((step, current)), end).await.map(|done| Some(Turn::done(done)));
    }
    let sending = match task.goal.sending(&current) {
        Ok(sending) => sending,
        Err(why) => {
            let end = End::Failed(why);
            return conclude(services, lease, task, Some((step, current)), end).await.map(|done| Some(Turn::done(done)));
        }
    };
    let (connection, access) = (allowed.connection, allowed.access.clone());
    if let Goal::Revoke { seen, .. } = &mut task.goal {
        *seen = Some(current[SESSIONS].clone());
    }
    let intent = intent(services, &writer, task, &sending);
    match note_intent(services, lease, task, connection, (step, &current), &intent).await? {
        Ok(looked) => task.steps.extend([looked, intent]),
        Err((step, why)) => {
            let end = End::Failed(why);
            return conclude(services, lease, task, Some((step, current)), end).await.map(|done| Some(Turn::done(done)));
        }
    }
    send(services, lease, task, &writer, access, &sending).await
}

fn changed(goal: &Goal, gone: bool) -> FixFailure {
    let detail = match (goal, gone) {
        (Goal::Apply(_), true) => "What was to be changed is not there any more. Nothing was written. Plan again.",
        (Goal::Apply(_), false) => "The value has changed since it was shown, so nothing was written. Plan again to see it as it is now.",
        (Goal::RollBack { .. }, true) => "What was changed is not there any more, so there is nothing to take back.",
        (Goal::RollBack { .. }, false) => "The value is not as the fix left it, so nothing was written: somebody changed it since.",
        (_, true) => "The directory knows no such person. Nothing was written.",
        (_, false) => "The account is not as it was left. Nothing was written.",
    };
    failure(FixFailureCode::Changed, detail)
}

/// Reads what the goal looks at, every page of it.
async fn read(services: &Services, writer: &Writer, access: &WriteAccess, task: &Task, kind: StepKind) -> (Seen, Step) {
    let (service, path) = (task.goal.service(), task.goal.read());
    let mut found = seen(writer.get(access, service, &path).await);
    if let Seen::Value(whole, _) = &mut found {
        for _ in 0..PAGES {
            let Some(next) = whole["@odata.nextLink"].as_str().map(str::to_owned) else { break };
            match seen(writer.get(access, service, &next).await) {
                Seen::Value(mut page, _) => append(whole, &mut page),
                not => {
                    found = not;
                    break;
                }
            }
        }
    }
    let (status, response) = match &found {
        Seen::Value(value, status) => (Some(*status), model::kept(value.to_string().as_bytes()).filter(|value| !value.is_null())),
        Seen::Not(_, status) | Seen::NotNow(_, status) => (*status, None),
    };
    let url = writer.url(service, &path).map_or(path, |url| url.to_string());
    let now = services.store.now();
    let step = Step { status, response, settled_at: Some(now), outcome: None, ..step(services, task, kind, "GET", url, now) };
    (found, step)
}

/// A page's items join those before; the link is the page's.
pub fn append(whole: &mut Value, page: &mut Value) {
    let next = page.get("@odata.nextLink").cloned();
    if let (Some(items), Some(more)) = (whole["value"].as_array_mut(), page["value"].as_array_mut()) {
        items.append(more);
    }
    let Some(members) = whole.as_object_mut() else { return };
    match next {
        Some(next) => members.insert("@odata.nextLink".into(), next),
        None => members.remove("@odata.nextLink"),
    };
}

fn step(services: &Services, task: &Task, kind: StepKind, method: &str, url: String, at: Timestamp) -> Step {
    Step {
        id: uuid_v7(services.store.clock(), services.store.rng()),
        order: task.order,
        purpose: task.goal.purpose(),
        kind,
        method: method.to_owned(),
        url,
        at,
        request: None,
        outcome: None,
        settled_at: None,
        status: None,
        response: None,
        retry_after: None,
        detail: None,
    }
}

fn intent(services: &Services, writer: &Writer, task: &Task, sending: &Sending) -> Step {
    let write = &sending.write;
    let url = writer.url(task.goal.service(), &write.path).map_or_else(|_| write.path.clone(), |url| url.to_string());
    let step = step(services, task, StepKind::Write, write.method.as_str(), url, services.store.now());
    Step { request: write.body.as_ref().map(model::redacted), detail: sending.detail.clone(), ..step }
}

/// Notes that something is about to be sent, where it still may be. In the same transaction everything that allows it is held.
async fn note_intent(
    services: &Services,
    lease: &Lease,
    task: &Task,
    connection: ConnectionId,
    (looked, current): (Step, &Value),
    intent: &Step,
) -> Result<Result<Step, (Step, FixFailure)>, Failed> {
    let mut scope = own_scope(services, lease).await?;
    if let Some(why) = forbidden(services, &mut scope, task, connection).await? {
        return Ok(Err((looked, why)));
    }
    let tenant = lease.tenant;
    steps::insert(scope.sql(), tenant, &task.subject, &looked).await?;
    remember(scope.sql(), tenant, task, current).await?;
    steps::insert(scope.sql(), tenant, &task.subject, intent).await?;
    let detail = json!({
        "method": intent.method, "url": intent.url, "body": intent.request, "body_sha256": sent_hash(task, current), "order": task.order,
        "directory": task.directory.id, "ordered_by": task.by, "on_behalf": lease.on_behalf,
    });
    commit(services, lease, scope, task.words().begun, Audited::new((), task.subject.target(), detail)).await?;
    Ok(Ok(looked))
}

/// SHA-256 of the body as it is sent, so that a log of the other side can be held against the trail.
fn sent_hash(task: &Task, current: &Value) -> Option<String> {
    let body = task.goal.sending(current).ok()?.write.body?;
    let bytes = serde_json::to_vec(&body).ok()?;
    Some(hex::encode(digest(&SHA256, &bytes)))
}

/// Why nothing may be sent after all. Settings, connection and fix stay as they are until the transaction ends.
async fn forbidden(
    services: &Services,
    scope: &mut WriteScope,
    task: &Task,
    connection: ConnectionId,
) -> Result<Option<FixFailure>, Problem> {
    let tenant = scope.tenant();
    let settings = db::hold_settings(scope.sql(), tenant, task.directory.id).await?;
    let kind = if matches!(task.subject, Subject::Fix(_)) { Gate::Fixes } else { Gate::Containment };
    if let Err(why) = access::gate(services, scope.sql(), tenant, settings.as_ref(), kind).await? {
        return Ok(Some(why));
    }
    if !scans::db::hold(scope.sql(), tenant, connection).await? {
        return Ok(Some(access::not_connected()));
    }
    let Subject::Fix(id) = task.subject else { return Ok(None) };
    let row = db::hold(scope.sql(), tenant, id).await?;
    let under_way = row.as_ref().filter(|row| row.order == task.order && matches!(row.state, FixState::Applying | FixState::RollingBack));
    Ok(match under_way {
        None => Some(failure(FixFailureCode::NotApproved, "The order was withdrawn. Nothing was written.")),
        Some(row) if row.state == FixState::RollingBack => unapproved(row, row.needed),
        // A second approver that is asked for meanwhile is asked for here too.
        Some(row) => {
            unapproved(row, settings.as_ref().map_or(row.needed, |settings| row.needed.max(1 + u8::from(settings.second_approver))))
        }
    })
}

/// Sends what was noted, once, and notes what came of it. None: the machine says what follows.
async fn send(
    services: &Services,
    lease: &Lease,
    task: &mut Task,
    writer: &Writer,
    access: WriteAccess,
    sending: &Sending,
) -> Result<Option<Turn>, Failed> {
    let Some(mut intent) = task.steps.pop() else { return Ok(None) };
    // A process that slept must not wake up and send what another has given up.
    let deadline = Some(later(intent.at, SEND_WITHIN));
    let access = access.until(Until { deadline, cancel: CancellationToken::new() });
    let answer = writer.send(&access, task.goal.service(), &sending.write).await;
    let now = services.store.now();
    intent.settled_at = Some(now);
    let not_sent = note_answer(&mut intent, &answer);
    let mut scope = own_scope(services, lease).await?;
    steps::settle(scope.sql(), lease.tenant, &intent).await?;
    let outcome = intent.outcome.map(Outcome::as_str);
    let detail = json!({
        "method": intent.method, "url": intent.url, "body": intent.request, "outcome": outcome, "status": intent.status,
        "response": intent.response, "order": task.order, "directory": task.directory.id, "ordered_by": task.by,
    });
    commit(services, lease, scope, task.words().written, Audited::new((), task.subject.target(), detail)).await?;
    let patient = now < later(task.ordered_at, PATIENCE);
    let wait = i64::from(intent.retry_after.unwrap_or(5)).clamp(1, LONGEST_WAIT);
    let status = intent.status.unwrap_or(0);
    let throttled = status == 429 || (status == 503 && intent.retry_after.is_some());
    task.steps.push(intent);
    let why = match not_sent {
        Some(why) => why,
        None if throttled => refusal(429, None, "this change", &task.permission),
        None => return Ok(None),
    };
    let passes = throttled || matches!(why.code, FixFailureCode::Unreachable | FixFailureCode::Throttled);
    if passes && patient {
        return postpone(services, lease, task, Vec::new(), jiff::SignedDuration::from_secs(wait)).await.map(Some);
    }
    conclude(services, lease, task, None, End::Failed(why)).await.map(|done| Some(Turn::done(done)))
}

/// Fills in what came of a write; why, where it never left.
fn note_answer(intent: &mut Step, answer: &Result<Reply, WriteError>) -> Option<FixFailure> {
    match answer {
        Ok(reply) => {
            intent.outcome = Some(Outcome::Answered);
            intent.status = Some(reply.status);
            intent.response = model::kept(&reply.body);
            intent.retry_after = reply.retry_after.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
            None
        }
        Err(WriteError::NotSent(error)) => {
            intent.outcome = Some(Outcome::NotSent);
            let why = goal::unanswered(&reach::call_failure(error));
            intent.detail = Some(format!("It was not sent. {}", why.detail));
            Some(why)
        }
        Err(WriteError::Unknown(error)) => {
            intent.outcome = Some(Outcome::Unknown);
            intent.detail = Some(format!("It brought no whole answer ({error}). What it did is looked up."));
            None
        }
    }
}

// ---- reading back --------------------------------------------------------------------------------------------------

/// Reads back whether a write shows; settles, or comes again.
async fn reread(
    services: &Services,
    lease: &Lease,
    task: &Task,
    (since, until): (Timestamp, Timestamp),
    doubt: Doubt,
) -> Result<Turn, Failed> {
    let allowed = match &task.allowed {
        Ok(allowed) => allowed,
        Err(why) => {
            let end = End::Failed(unread(task, &why.detail));
            return conclude(services, lease, task, None, end).await.map(Turn::done);
        }
    };
    let writer = Writer::over(&services.microsoft.client);
    let (found, mut step) = read(services, &writer, &allowed.access, task, StepKind::Reread).await;
    let now = services.store.now();
    let (current, end) = match found {
        Seen::Value(current, _) => match task.goal.stands(&current) {
            Stands::Reached(made) => (current, End::Reached { made, note: None, wrote: true }),
            _ if now < until => {
                step.detail = Some("It does not show yet.".into());
                return postpone(services, lease, task, vec![step], pause(since, now)).await;
            }
            stands => (current, End::Failed(not_reached(task, stands, doubt))),
        },
        Seen::Not(why, _) | Seen::NotNow(why, _) if now < later(until, PATIENCE) => {
            step.detail = Some(why.detail);
            return postpone(services, lease, task, vec![step], pause(since, now)).await;
        }
        Seen::Not(why, _) | Seen::NotNow(why, _) => (Value::Null, End::Failed(unread(task, &why.detail))),
    };
    conclude(services, lease, task, Some((step, current)), end).await.map(Turn::done)
}

fn unread(task: &Task, why: &str) -> FixFailure {
    let last = task.steps.iter().rev().find(|step| step.kind == StepKind::Write);
    let said = match last.and_then(|step| step.status) {
        Some(status) => format!("Microsoft answered {status} to the write"),
        None => "The write brought no answer".to_owned(),
    };
    failure(
        FixFailureCode::NotRead,
        format!("{said}, and it could not be read back: {why} Look at the value in the directory, or order it again: it looks first."),
    )
}

/// What it means that a write does not show after all the time it had.
fn not_reached(task: &Task, stands: Stands, doubt: Doubt) -> FixFailure {
    let last = task.steps.iter().rev().find(|step| step.kind == StepKind::Write);
    let status = last.and_then(|step| step.status).unwrap_or(0);
    let found = if let Stands::Otherwise(found) = stands { found } else { Vec::new() };
    let (code, detail) = match (doubt, found.is_empty()) {
        (Doubt::None, _) => (
            FixFailureCode::NotKept,
            format!(
                "Microsoft answered {status}, and a minute later the value is not what was written. Look for another tool or policy that sets it."
            ),
        ),
        (Doubt::NoAnswer, true) => (
            FixFailureCode::NotSent,
            "The write brought no answer, and two minutes later nothing has changed there. Order it again if it is still wanted.".into(),
        ),
        (Doubt::NoAnswer, false) => {
            (FixFailureCode::NotKept, "The write brought no answer, and two minutes later the value is something else.".into())
        }
        (Doubt::Broke(status), _) => (
            FixFailureCode::NotKept,
            format!("Microsoft answered {status}, and two minutes later the value is not what was written. Order it again."),
        ),
    };
    FixFailure { found, ..failure(code, detail) }
}

// ---- noting and settling -------------------------------------------------------------------------------------------

async fn own_scope(services: &Services, lease: &Lease) -> Result<WriteScope, Problem> {
    Ok(services.store.write(lease.tenant, &system("fixes", None), &nobody()).await?)
}

/// Keeps what was done, in the trail too, while the lease holds.
async fn commit(
    services: &Services,
    lease: &Lease,
    mut scope: WriteScope,
    action: &'static str,
    audited: Audited<()>,
) -> Result<(), Problem> {
    if !scope.holds(lease).await? {
        return Err(Problem::new(bailiwick_base::Code::Conflict, "The job's lease was lost."));
    }
    let request = Request { id: RequestId(lease.id.0), address: None };
    Ok(services.store.commit(scope, action, audited, &request).await?)
}

/// Keeps steps, and comes again after a while.
async fn postpone(services: &Services, lease: &Lease, task: &Task, new: Vec<Step>, wait: jiff::SignedDuration) -> Result<Turn, Failed> {
    let mut scope = own_scope(services, lease).await?;
    for step in &new {
        steps::insert(scope.sql(), lease.tenant, &task.subject, step).await?;
    }
    let now = scope.now();
    let until = now.checked_add(wait).unwrap_or(now);
    services.store.postpone(scope, lease, until).await.map_err(Problem::from)?;
    Ok(Turn::Waits)
}

/// How the directory names the person who is contained.
async fn remember(sql: &mut Sql, tenant: TenantId, task: &Task, current: &Value) -> Result<(), Problem> {
    let Subject::Act(containment, _) = task.subject else { return Ok(()) };
    let text = |member: &str| current[member].as_str().map(|text| text.chars().filter(|c| !c.is_control()).take(300).collect::<String>());
    let (name, principal_name) = (text("displayName"), text("userPrincipalName"));
    if name.is_none() && principal_name.is_none() {
        return Ok(());
    }
    contained::name_user(sql, tenant, containment, name.as_deref(), principal_name.as_deref()).await
}

/// What the trail calls what happens to a task.
struct Words {
    begun: &'static str,
    written: &'static str,
    reached: &'static str,
    failed: &'static str,
}

impl Task {
    /// Whether a write of this order was taken, or may have been.
    fn may_have_written(&self) -> bool {
        let taken = |step: &Step| match step.outcome {
            None | Some(Outcome::Unknown) => true,
            Some(Outcome::Answered) => step.status.is_none_or(|status| !(300..500).contains(&status)),
            Some(Outcome::NotSent) => false,
        };
        self.steps.iter().any(|step| step.kind == StepKind::Write && taken(step))
    }

    fn words(&self) -> Words {
        let (begun, written) = match self.subject {
            Subject::Fix(_) => ("fix.write_begun", "fix.written"),
            Subject::Act(..) => ("containment.write_begun", "containment.written"),
        };
        let (reached, failed) = match self.goal.purpose() {
            StepPurpose::Apply => ("fix.applied", "fix.failed"),
            StepPurpose::RollBack => ("fix.rolled_back", "fix.roll_back_failed"),
            StepPurpose::Contain => ("containment.done", "containment.failed"),
            StepPurpose::Release => ("containment.released", "containment.release_failed"),
        };
        Words { begun, written, reached, failed }
    }
}

/// Ends an order: what came of it stands in its row and in the trail, and its job goes.
async fn conclude(services: &Services, lease: &Lease, task: &Task, looked: Option<(Step, Value)>, end: End) -> Result<Done, Failed> {
    let (tenant, mut scope) = (lease.tenant, own_scope(services, lease).await?);
    if let Some((step, current)) = &looked {
        steps::insert(scope.sql(), tenant, &task.subject, step).await?;
        remember(scope.sql(), tenant, task, current).await?;
    }
    let now = scope.now();
    steps::close(scope.sql(), tenant, &task.subject, now).await?;
    let (words, act_word) = (task.words(), act_of(task.subject));
    let (action, detail) = match &end {
        End::Reached { made, note, wrote } => {
            reached(scope.sql(), tenant, task, made.as_deref(), *wrote, now).await?;
            (words.reached, json!({"made": made, "note": note, "wrote": wrote}))
        }
        End::Failed(why) => {
            let stopped = fail(scope.sql(), tenant, task, why, now).await?;
            (if stopped { "fix.stopped" } else { words.failed }, json!({"failure": why}))
        }
    };
    if let Subject::Fix(id) = task.subject
        && let Some(row) = db::fix(scope.sql(), tenant, id).await?
    {
        tell::done(&mut scope, &row, &task.by).await?;
    }
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({
        "outcome": detail, "act": act_word, "order": task.order, "directory": task.directory.id, "ordered_by": task.by,
        "on_behalf": lease.on_behalf,
    });
    Ok(Done { scope, action, audited: Audited::new((), task.subject.target(), detail) })
}

fn act_of(subject: Subject) -> Option<&'static str> {
    subject.columns().2
}

async fn reached(sql: &mut Sql, tenant: TenantId, task: &Task, made: Option<&str>, wrote: bool, now: Timestamp) -> Result<(), Problem> {
    match task.subject {
        Subject::Fix(fix) if task.goal.purpose() == StepPurpose::RollBack => db::rolled_back(sql, tenant, fix, &task.by, now).await,
        Subject::Fix(fix) => db::applied(sql, tenant, fix, made, &task.by, now).await,
        Subject::Act(containment, Some(act)) => contained::end(sql, tenant, containment, act, (wrote, None), now).await,
        Subject::Act(_, None) => Ok(()),
    }
}

/// Notes a failure; true where it is a stop before anything was written.
async fn fail(sql: &mut Sql, tenant: TenantId, task: &Task, why: &FixFailure, now: Timestamp) -> Result<bool, Problem> {
    match task.subject {
        Subject::Fix(fix) => {
            let stopped = why.code == FixFailureCode::Changed && task.goal.purpose() == StepPurpose::Apply;
            let state = match (task.goal.purpose(), stopped) {
                (StepPurpose::RollBack, _) => FixState::RollbackFailed,
                (_, true) => FixState::Stopped,
                (_, false) => FixState::Failed,
            };
            db::fail(sql, tenant, fix, state, why).await?;
            Ok(stopped)
        }
        Subject::Act(containment, Some(act)) => {
            contained::end(sql, tenant, containment, act, (task.may_have_written(), Some(why)), now).await?;
            Ok(false)
        }
        Subject::Act(_, None) => Ok(false),
    }
}

/// Takes the job of an order that is over, or was withdrawn, out of the queue.
async fn passed(services: &Services, lease: &Lease, subject: Subject) -> Result<Done, Failed> {
    let mut scope = own_scope(services, lease).await?;
    scope.finish(lease).await.map_err(Problem::from)?;
    let detail = json!({"outcome": "the order was withdrawn, or is over", "on_behalf": lease.on_behalf});
    let action = if matches!(subject, Subject::Fix(_)) { "fix.passed" } else { "containment.passed" };
    Ok(Done { scope, action, audited: Audited::new((), subject.target(), detail) })
}

/// Ends an order whose attempts broke on our side, again and again. What was sent is said; what it did is not known, and so said.
///
/// # Errors
/// The database's.
pub async fn give_up(services: &Services, lease: &Lease, subject: Subject, order: i32) -> Result<Done, Failed> {
    let Some(task) = load(services, lease.tenant, subject, order).await? else { return passed(services, lease, subject).await };
    let wrote = task.steps.iter().any(|step| step.kind == StepKind::Write && step.outcome != Some(Outcome::NotSent));
    let why = "It broke on our side, again and again; the operator finds the cause in the log.";
    let end = if wrote { unread(&task, why) } else { failure(FixFailureCode::Internal, format!("{why} Nothing was written.")) };
    conclude(services, lease, &task, None, End::Failed(end)).await
}
