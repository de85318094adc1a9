//! The operations of identity.

use super::{db, key};
use crate::tenancy;
use crate::{Call, Mount, ReadHandler, Services, WriteHandler, text};
use bailiwick_base::{ApiKeyId, Code, MemberId, Page, Problem};
use bailiwick_contract::evidence::Paging;
use bailiwick_contract::identity::{
    AddMember, ApiKey, ChangeMember, CreateApiKey, CreatedApiKey, GetMe, KeyState, ListApiKeys, ListMembers, Me, Member, RemoveMember,
    RevokeApiKey,
};
use bailiwick_contract::{Empty, Grantee, Permission, Role};
use bailiwick_store::{Audited, Caller, ReadScope, WriteScope};
use jiff::ToSpan;
use serde_json::json;
use uuid::Uuid;

pub fn mount(to: &mut impl Mount) {
    to.read::<GetMe>();
    to.read::<ListMembers>();
    to.write::<AddMember>();
    to.write::<ChangeMember>();
    to.write::<RemoveMember>();
    to.read::<ListApiKeys>();
    to.write::<CreateApiKey>();
    to.write::<RevokeApiKey>();
}

impl ReadHandler for GetMe {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Me, Problem> {
        let principal = scope.principal().await?;
        let tenant_name = tenancy::db::settings(scope.sql(), call.tenant).await?.name;
        let (who, role, project) = match &call.caller {
            Caller::Member { directory, object } => {
                let role = db::role_of(scope.sql(), call.tenant, *directory, *object).await?;
                (role.map(Grantee::Role), role, None)
            }
            Caller::Key { project, .. } => (Some(Grantee::Key), None, *project),
            Caller::Workload { .. } => (Some(Grantee::Workload), None, None),
            Caller::System { .. } => (None, None, None),
        };
        let permissions = Permission::ALL.iter().copied().filter(|p| who.is_some_and(|who| p.held_by(who))).collect();
        Ok(Me { principal, tenant: call.tenant, tenant_name, role, project, permissions })
    }
}

impl ReadHandler for ListMembers {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<Member>, Problem> {
        let limit = text::limit(call.query.limit)?;
        let after = match text::cursor::<2>(&call.query.cursor)? {
            Some([name, id]) => Some((name, text::part::<Uuid>(&id)?)),
            None => None,
        };
        let rows = db::members(scope.sql(), call.tenant, after, limit).await?;
        Ok(Page::from_rows(rows, limit as usize, |m| vec![m.name.clone(), m.id.to_string()]))
    }
}

impl WriteHandler for AddMember {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Member>, Problem> {
        let name = text::name("name", &call.body.name, 200)?;
        text::optional("email", &call.body.email, 320)?;
        let directory = tenancy::db::settings(scope.sql(), call.tenant).await?.sign_in_directory;
        let member = Member {
            id: MemberId::new(scope.clock(), scope.rng()),
            directory,
            object_id: call.body.object_id,
            name,
            email: call.body.email,
            role: call.body.role,
            added_at: scope.now(),
        };
        db::insert_member(scope.sql(), call.tenant, &member).await?;
        let detail = json!({"object_id": member.object_id, "role": member.role});
        let target = target(member.id);
        Ok(Audited::new(member, target, detail))
    }
}

/// Refuses what would leave the tenant without an owner.
async fn keep_an_owner(scope: &mut WriteScope, member: &Member) -> Result<(), Problem> {
    let tenant = scope.tenant();
    if member.role == Role::Owner && db::lock_owners(scope.sql(), tenant).await? < 2 {
        return Err(Problem::new(Code::Conflict, "This is the last owner. Make somebody else an owner first."));
    }
    Ok(())
}

impl WriteHandler for ChangeMember {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Member>, Problem> {
        let before = db::member_for_update(scope.sql(), call.tenant, call.path.member).await?.ok_or_else(Problem::not_found)?;
        if call.body.role != Role::Owner {
            keep_an_owner(scope, &before).await?;
        }
        db::set_role(scope.sql(), call.tenant, before.id, call.body.role).await?;
        let detail = json!({"before": {"role": before.role}, "after": {"role": call.body.role}});
        let target = target(before.id);
        Ok(Audited::new(Member { role: call.body.role, ..before }, target, detail))
    }
}

impl WriteHandler for RemoveMember {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Empty>, Problem> {
        let member = db::member_for_update(scope.sql(), call.tenant, call.path.member).await?.ok_or_else(Problem::not_found)?;
        keep_an_owner(scope, &member).await?;
        db::delete_member(scope.sql(), call.tenant, member.id).await?;
        Ok(Audited::new(Empty, target(member.id), json!({"object_id": member.object_id, "role": member.role})))
    }
}

fn target(id: MemberId) -> String {
    format!("member/{id}")
}

impl ReadHandler for ListApiKeys {
    async fn handle(services: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<Page<ApiKey>, Problem> {
        let Paging { cursor, limit } = call.query;
        let limit = text::limit(limit)?;
        let before = text::cursor::<1>(&cursor)?.map(|[id]| text::part::<Uuid>(&id)).transpose()?;
        let rows = db::keys(scope.sql(), call.tenant, before, limit, services.store.now()).await?;
        Ok(Page::from_rows(rows, limit as usize, |k| vec![k.id.to_string()]))
    }
}

impl WriteHandler for CreateApiKey {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<CreatedApiKey>, Problem> {
        let name = text::name("name", &call.body.name, 120)?;
        let days = call.body.expires_in_days;
        if !(1..=366).contains(&days) {
            return Err(Problem::new(Code::BadRequest, format!("`expires_in_days` is {days}. Choose 1 to 366.")).at("expires_in_days"));
        }
        let now = scope.now();
        let key = key::generate(call.tenant, call.body.project, scope.rng());
        let api_key = ApiKey {
            id: ApiKeyId::new(scope.clock(), scope.rng()),
            name,
            hint: key::hint(key.expose()),
            project: call.body.project,
            state: KeyState::Active,
            created_at: now,
            created_by: scope.principal().await?,
            expires_at: now + (i64::from(days) * 24).hours(),
            revoked_at: None,
            last_used_at: None,
        };
        db::insert_key(scope.sql(), call.tenant, &api_key, &key::sha256(key.expose())).await?;
        let detail = json!({"name": api_key.name, "project": api_key.project, "expires_at": api_key.expires_at, "shown_once": true});
        let target = format!("api_key/{}", api_key.id);
        Ok(Audited::new(CreatedApiKey { api_key, key: key.expose().clone() }, target, detail))
    }
}

impl WriteHandler for RevokeApiKey {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Empty>, Problem> {
        let (id, now) = (call.path.api_key, scope.now());
        let name = db::revoke_key(scope.sql(), call.tenant, id, now).await?.ok_or_else(Problem::not_found)?;
        Ok(Audited::new(Empty, format!("api_key/{id}"), json!({"name": name})))
    }
}
