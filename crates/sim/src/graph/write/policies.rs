//! Conditional Access policies: created, changed and deleted. Graph completes what it is given: every condition and list
//! that was left out comes back, empty.

use super::{Object, Request, Rule, fitting, members, set};
use crate::{
    estate::{Edit, Estate},
    graph::{error::Error, query::Query},
    reply::Reply,
};
use serde_json::{Map, Value, json};

impl Request<'_> {
    pub(super) fn create_policy(&self, rule: &Rule) -> Result<Reply, Error> {
        let newest = self.newest()?;
        let list = newest.spot(self.version, &self.segments).ok_or_else(|| Error::not_found(&self.segments.join("/")))?;
        let given = self.body()?;
        fitting(rule.shape, &given, &Value::Null)?;
        for needed in ["displayName", "state", "conditions"] {
            if given.get(needed).is_none_or(Value::is_null) {
                return Err(Error::bad_request(format!("The policy needs the property '{needed}'.")));
            }
        }
        if ["grantControls", "sessionControls"].iter().all(|name| given.get(*name).is_none_or(Value::is_null)) {
            return Err(Error::bad_request("The policy needs a grant control or a session control."));
        }
        self.security_defaults_off(&newest)?;
        let mut policy = json!({
            "id": self.cloud.uuid(), "templateId": null, "displayName": null, "createdDateTime": self.fill().days(0), "modifiedDateTime": null,
            "state": null, "conditions": null, "grantControls": null, "sessionControls": null,
        });
        let completed = self.completed(&newest, members(given))?;
        completed.into_iter().for_each(|(name, value)| policy[name] = value);
        self.commit(&[Edit::Add { list, item: policy.clone() }])?;
        let mut reply = self.one(policy, &Query::default(), &[])?;
        reply.status = 201;
        Ok(reply)
    }

    pub(super) fn patch_policy(&self, rule: &Rule) -> Result<Reply, Error> {
        let object = self.object()?;
        let given = self.body()?;
        fitting(rule.shape, &given, &object.value)?;
        let newest = self.newest()?;
        if given.get("state").is_some_and(|state| state == "enabled") {
            self.security_defaults_off(&newest)?;
        }
        let mut completed = self.completed(&newest, members(given))?;
        completed.insert("modifiedDateTime".to_owned(), self.fill().days(0).into());
        self.commit(&set(&object, completed))?;
        Ok(Reply::empty(rule.status))
    }

    pub(super) fn delete_policy(&self) -> Result<Reply, Error> {
        let Object { own, .. } = self.object()?;
        self.commit(&[Edit::Remove { spot: own }])?;
        Ok(Reply::empty(204))
    }

    /// Security defaults and Conditional Access exclude each other.
    fn security_defaults_off(&self, estate: &Estate) -> Result<(), Error> {
        let path = ["policies".to_owned(), "identitysecuritydefaultsenforcementpolicy".to_owned()];
        let policy = estate.spot(self.version, &path).and_then(|spot| estate.at(&spot, &self.fill()));
        match policy.is_some_and(|policy| policy["isEnabled"] == true) {
            true => Err(Error::bad_request(
                "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a Conditional Access policy.",
            )),
            false => Ok(()),
        }
    }

    /// The members of a policy with everything Graph adds to them.
    fn completed(&self, estate: &Estate, mut given: Map<String, Value>) -> Result<Map<String, Value>, Error> {
        let parts: [(&str, Value); 3] =
            [("conditions", conditions()), ("grantControls", grant_controls()), ("sessionControls", session_controls())];
        for (name, whole) in parts {
            if let Some(part) = given.get_mut(name).filter(|part| part.is_object()) {
                complete(part, &whole);
            }
        }
        if let Some(strength) = given.get_mut("grantControls").and_then(|controls| controls.get_mut("authenticationStrength"))
            && !strength.is_null()
        {
            *strength = self.strength(estate, strength)?;
        }
        Ok(given)
    }

    /// The authentication strength that a policy names by its id.
    fn strength(&self, estate: &Estate, named: &Value) -> Result<Value, Error> {
        let id = named["id"].as_str().unwrap_or_default();
        let path = ["identity", "conditionalaccess", "authenticationstrength", "policies", id].map(str::to_owned);
        let found = estate.spot(self.version, &path).and_then(|spot| estate.at(&spot, &self.fill())).filter(Value::is_object);
        found.ok_or_else(|| Error::bad_request(format!("The authentication strength '{id}' does not exist.")))
    }
}

/// Puts the members of `whole` that are missing into a part, and into what is below it.
fn complete(part: &mut Value, whole: &Value) {
    let (Value::Object(part), Value::Object(whole)) = (part, whole) else { return };
    for (name, value) in whole {
        match part.get_mut(name) {
            Some(below) => complete(below, value),
            None => drop(part.insert(name.clone(), value.clone())),
        }
    }
}

fn conditions() -> Value {
    json!({
        "userRiskLevels": [], "signInRiskLevels": [], "servicePrincipalRiskLevels": [], "insiderRiskLevels": null, "agentIdRiskLevels": null,
        "clientAppTypes": ["all"], "platforms": null, "locations": null, "devices": null, "clientApplications": null, "authenticationFlows": null,
        "applications": {
            "includeApplications": [], "excludeApplications": [], "includeUserActions": [], "includeAuthenticationContextClassReferences": [],
            "applicationFilter": null,
        },
        "users": {
            "includeUsers": [], "excludeUsers": [], "includeGroups": [], "excludeGroups": [], "includeRoles": [], "excludeRoles": [],
            "includeGuestsOrExternalUsers": null, "excludeGuestsOrExternalUsers": null,
        },
    })
}

fn grant_controls() -> Value {
    json!({"operator": "OR", "builtInControls": [], "customAuthenticationFactors": [], "termsOfUse": [], "authenticationStrength": null})
}

fn session_controls() -> Value {
    json!({
        "disableResilienceDefaults": null, "applicationEnforcedRestrictions": null, "cloudAppSecurity": null, "signInFrequency": null,
        "persistentBrowser": null, "secureSignInSession": null,
    })
}
