//! The operations of containing people at risk.

use super::access;
use super::contained::{self, ContainmentFilter, NewContainment};
use super::goal::Subject;
use super::steps::{self, Step};
use super::{db, jobs};
use crate::{Call, Mount, ReadHandler, Services, WriteHandler, connections, scans, text};
use bailiwick_base::{Code, ContainmentId, DirectoryId, Page, Problem};
use bailiwick_contract::connections::ConnectionKind;
use bailiwick_contract::fixes::{
    ContainUser, Containment, ContainmentAct, ContainmentState, GetContainment, ListContainments, ReleaseContainment,
};
use bailiwick_store::{Audited, Caller, ReadScope, WriteScope};
use serde_json::{Value, json};
use uuid::Uuid;

pub fn mount(to: &mut impl Mount) {
    to.write::<ContainUser>();
    to.read::<ListContainments>();
    to.read::<GetContainment>();
    to.write::<ReleaseContainment>();
}

/// Refuses where nobody may be contained: not entitled, off, or nothing writes there.
async fn admit(services: &Services, scope: &mut WriteScope, directory: DirectoryId) -> Result<(), Problem> {
    let tenant = scope.tenant();
    access::known(scope.sql(), tenant, directory).await?;
    access::need(access::entitled(services, scope.sql(), tenant).await?.containment, "containment")?;
    let settings = db::settings(scope.sql(), tenant, directory).await?.map(|(settings, ..)| settings).unwrap_or_default();
    access::need_on(settings.enabled && settings.containment, "Containing people")?;
    let writer = connections::db::live(scope.sql(), tenant, ConnectionKind::Write, Some(directory)).await?;
    writer.map(drop).ok_or_else(|| {
        Problem::new(Code::NotConnected, "No connection writes to this directory. Connect it for fixes first: that is a second consent.")
    })
}

/// Refuses to lock the account that is kept for the day when nobody else can sign in, and the caller's own.
async fn refuse_emergency(scope: &mut WriteScope, caller: &Caller, directory: DirectoryId, user: Uuid) -> Result<(), Problem> {
    if *caller == (Caller::Member { directory, object: user }) {
        let detail = "This is your own account: it is not disabled from here. Ask somebody else who may contain people.";
        return Err(Problem::new(Code::Conflict, detail).at("disable"));
    }
    let tenant = scope.tenant();
    let settings = scans::db::settings(scope.sql(), tenant, directory).await?.map(|(settings, _)| settings).unwrap_or_default();
    // Settings from before ids were held to be such: what cannot be compared is not passed over.
    if settings.emergency_accounts.iter().any(|id| id.trim().parse::<Uuid>().map_or(true, |id| id == user)) {
        let detail =
            "This is an emergency account: it is not disabled from here, or nobody might get in again. Its sessions can be revoked.";
        return Err(Problem::new(Code::Conflict, detail).at("disable"));
    }
    Ok(())
}

async fn shown(scope: &mut WriteScope, id: ContainmentId, detail: Value) -> Result<Audited<Containment>, Problem> {
    let tenant = scope.tenant();
    let containment = contained::containment(scope.sql(), tenant, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Audited::new(containment, Subject::Act(id, None).target(), detail))
}

impl WriteHandler for ContainUser {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Containment>, Problem> {
        let body = call.body;
        let reason = text::name("reason", &body.reason, 1000)?;
        let user: Uuid = body
            .user
            .parse()
            .map_err(|_| Problem::new(Code::BadRequest, "`user` is no object id. Take it from the list of people at risk.").at("user"))?;
        if !body.revoke_sessions && !body.disable {
            return Err(Problem::new(Code::BadRequest, "Say what to do: revoke_sessions, disable, or both.").at("revoke_sessions"));
        }
        admit(services, scope, body.directory).await?;
        if body.disable {
            refuse_emergency(scope, &call.caller, body.directory, user).await?;
        }
        let (now, by) = (scope.now(), scope.principal().await?);
        let id = ContainmentId::new(scope.clock(), scope.rng());
        let user = user.to_string();
        let new = NewContainment {
            id,
            directory: body.directory,
            user: &user,
            revoke_sessions: body.revoke_sessions,
            disable: body.disable,
            reason: &reason,
            by: &by,
            at: now,
        };
        contained::insert(scope.sql(), call.tenant, &new).await?;
        let acts = [(body.revoke_sessions, ContainmentAct::RevokeSessions), (body.disable, ContainmentAct::Disable)];
        for (_, act) in acts.into_iter().filter(|(wanted, _)| *wanted) {
            let order = contained::order(scope.sql(), call.tenant, id, act, now).await?;
            jobs::enqueue_act(scope, id, act, order).await?;
        }
        let detail = json!({
            "directory": body.directory, "user": user, "revoke_sessions": body.revoke_sessions, "disable": body.disable, "reason": reason,
        });
        shown(scope, id, detail).await
    }
}

impl ReadHandler for ListContainments {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Containment>, Problem> {
        let query = call.query;
        let limit = text::limit(query.limit)?;
        let before = match text::cursor::<2>(&query.cursor)? {
            Some([at, id]) => Some((text::part(&at)?, text::part(&id)?)),
            None => None,
        };
        let user = query.user.map(|user| user.to_ascii_lowercase());
        let filter = ContainmentFilter {
            directory: query.directory,
            user: user.as_deref(),
            state: query.state.map(ContainmentState::as_str),
            before,
        };
        let rows = contained::containments(scope.sql(), call.tenant, &filter, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |c| vec![c.at.to_string(), c.id.to_string()]))
    }
}

impl ReadHandler for GetContainment {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Containment, Problem> {
        let id = call.path.containment;
        let mut containment = contained::containment(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        let steps = steps::steps(scope.sql(), call.tenant, &Subject::Act(id, None), None).await?;
        containment.steps = steps.into_iter().map(Step::shown).collect();
        Ok(containment)
    }
}

impl WriteHandler for ReleaseContainment {
    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Containment>, Problem> {
        let id = call.path.containment;
        let containment = contained::hold(scope.sql(), call.tenant, id).await?.ok_or_else(Problem::not_found)?;
        admit(services, scope, containment.directory.id).await?;
        if let Some(why) = containment.may.release {
            return Err(Problem::new(Code::WrongState, why));
        }
        let (now, by) = (scope.now(), scope.principal().await?);
        contained::note_release(scope.sql(), call.tenant, id, &by).await?;
        let order = contained::order(scope.sql(), call.tenant, id, ContainmentAct::Release, now).await?;
        jobs::enqueue_act(scope, id, ContainmentAct::Release, order).await?;
        let detail = json!({"directory": containment.directory.id, "user": containment.user.id, "order": order});
        shown(scope, id, detail).await
    }
}
