//! What is done to one person's account: enabled or disabled, and its sessions ended.

use super::{Request, Rule, fitting, members, set};
use crate::{graph::error::Error, reply::Reply};
use serde_json::{Map, json};

/// Permissions that open every member of a user; enabling and disabling has one of its own.
const EVERYTHING: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];

impl Request<'_> {
    pub(super) fn patch_user(&self, rule: &Rule) -> Result<Reply, Error> {
        let object = self.object()?;
        let given = members(self.body()?);
        if given.keys().any(|member| member != "accountEnabled") && !self.holds(EVERYTHING) {
            return Err(Error::not_permitted());
        }
        fitting(rule.shape, &given, &object.value)?;
        self.commit(&set(&object, given))?;
        Ok(Reply::empty(rule.status))
    }

    /// Refresh tokens and browser sessions of before now are worth nothing: `signInSessionsValidFromDateTime` says since when.
    pub(super) fn revoke_sessions(&self) -> Result<Reply, Error> {
        let user = Self { segments: self.segments[..2].to_vec(), estate: self.estate.clone(), ..*self };
        let now = self.cloud.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.commit(&set(&user.object()?, Map::from_iter([("signInSessionsValidFromDateTime".to_owned(), now.into())])))?;
        let context = format!("{}/{}/$metadata#Edm.Boolean", self.asked.base, self.version);
        Ok(Reply::ok(json!({"@odata.context": context, "value": true})))
    }
}
