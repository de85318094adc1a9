//! What people want to be told by mail: said in the portal by those who sign in, and by the link in a mail by everybody who gets one.

use super::super::unsubscribe::{self, Tokens};
use super::super::{db, model};
use crate::handler::TokenHandler;
use crate::{Call, ReadHandler, Services, WriteHandler, tenancy};
use bailiwick_base::{Code, Problem, TenantId, uuid_v7};
use bailiwick_contract::notifications::{
    GetMyNotifications, MailPreference, NotificationPreference, SetMyNotifications, Unsubscribe, UnsubscribeQuery, Unsubscribed,
};
use bailiwick_store::{Audited, Caller, ReadScope, WriteScope};
use serde_json::json;

fn preference(address: Option<String>, row: Option<&db::PreferenceRow>) -> NotificationPreference {
    NotificationPreference {
        mail: row.map_or(MailPreference::All, |row| row.mail),
        address,
        changed_at: row.and_then(|row| row.changed_at),
        by_link: row.is_some_and(|row| row.by_link),
    }
}

impl ReadHandler for GetMyNotifications {
    async fn handle(_: &Services, scope: &mut ReadScope, call: Call<Self>) -> Result<NotificationPreference, Problem> {
        let Caller::Member { directory, object } = call.caller else { return Err(Problem::not_found()) };
        let address = db::address_of(scope.sql(), call.tenant, directory, object).await?;
        let known = match &address {
            Some(address) => db::preferences(scope.sql(), call.tenant, &[address.to_lowercase()]).await?,
            None => Vec::new(),
        };
        Ok(preference(address, known.first()))
    }
}

impl WriteHandler for SetMyNotifications {
    async fn handle(_: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<NotificationPreference>, Problem> {
        let Caller::Member { directory, object } = call.caller else { return Err(Problem::not_found()) };
        let Some(address) = db::address_of(scope.sql(), call.tenant, directory, object).await? else {
            let detail = "The tenant has no e-mail address of you, so it sends you none. Ask an owner to add you with one.";
            return Err(Problem::new(Code::WrongState, detail));
        };
        let (id, now, key) = (uuid_v7(scope.clock(), scope.rng()), scope.now(), address.to_lowercase());
        db::know_address(scope.sql(), call.tenant, id, &key).await?;
        db::set_preference(scope.sql(), call.tenant, &key, call.body.mail, false, now).await?;
        let known = db::preferences(scope.sql(), call.tenant, &[key]).await?;
        let principal = scope.principal().await?;
        let detail = json!({"mail": call.body.mail});
        Ok(Audited::new(preference(Some(address), known.first()), format!("member/{}", principal.id), detail))
    }
}

impl TokenHandler for Unsubscribe {
    fn tenant(query: &UnsubscribeQuery) -> Option<TenantId> {
        unsubscribe::read(&query.token).map(|claimed| claimed.tenant)
    }

    async fn handle(services: &Services, scope: &mut WriteScope, call: Call<Self>) -> Result<Audited<Unsubscribed>, Problem> {
        let claimed = unsubscribe::read(&call.query.token).ok_or_else(no_such_link)?;
        let tokens = Tokens::known_to(services, scope).await?.ok_or_else(no_such_link)?;
        let row = match tokens.admits(&claimed) {
            true => db::preference_by_id(scope.sql(), call.tenant, claimed.row).await?.ok_or_else(no_such_link)?,
            false => return Err(no_such_link()),
        };
        let (mail, now) = (if call.query.undo { MailPreference::All } else { MailPreference::None }, scope.now());
        let tenant_name = tenancy::db::settings(scope.sql(), call.tenant).await?.name;
        let answer = Unsubscribed { address: model::masked_address(&row.address), tenant_name, mail };
        if row.mail == mail {
            return Ok(Audited::unchanged(answer));
        }
        db::set_preference(scope.sql(), call.tenant, &row.address, mail, true, now).await?;
        let detail = json!({"mail": mail, "before": row.mail, "by": "the link in a mail"});
        Ok(Audited::new(answer, format!("mail_preference/{}", row.id), detail))
    }
}

/// Said alike whatever is wrong with a token: whether a tenant or an address exists is not told.
pub fn no_such_link() -> Problem {
    Problem::new(Code::NotFound, "This link is not one of ours, or is cut off. Open the newest mail and use the link in it.")
}
