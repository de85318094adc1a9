//! Writes to Graph: permission, body, and what becomes of the object. As Graph does it, a member that is an object or a list
//! is replaced whole, and unknown members are refused. Nothing is kept when the request is to be forgotten.

mod mail;
mod people;
mod policies;
mod rules;

use super::{Request, error::Error, query::Query, routes::Route};
use crate::{
    estate::{Edit, Estate, Spot},
    reply::Reply,
    shape::{Misfit, Shapes},
};
use rules::{Act, Rule};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Request<'_> {
    /// Answers a request that is not for reading.
    ///
    /// # Errors
    /// 405 where nothing can be written, 403 without permission or licence, 404, and 400 for a body Graph would not take.
    pub fn write(&self, route: &Route, path: &str) -> Result<Reply, Error> {
        let rule = rules::of(self.asked.method, path).ok_or_else(Error::method)?;
        if !rule.permissions.iter().any(|set| set.iter().all(|permission| self.holds(&[permission]))) {
            return Err(Error::not_permitted());
        }
        self.licensed_for(route)?;
        match rule.act {
            Act::Patch | Act::PatchTyped | Act::Put => self.patch(rule),
            Act::CreatePolicy => self.create_policy(rule),
            Act::PatchPolicy => self.patch_policy(rule),
            Act::DeletePolicy => self.delete_policy(),
            Act::PatchUser => self.patch_user(rule),
            Act::RevokeSessions => self.revoke_sessions(),
            Act::SendMail => self.send_mail(),
        }
    }

    fn patch(&self, rule: &Rule) -> Result<Reply, Error> {
        let object = self.object()?;
        let given = self.body()?;
        let shape = if rule.act == Act::PatchTyped { own_type(&given, &object.value)? } else { rule.shape };
        fitting(shape, &given, &object.value)?;
        if let Some(left_out) = (rule.act == Act::Put).then(|| Shapes::graph().left_out(shape, &given)).flatten() {
            return Err(Error::bad_request(format!("The property '{left_out}' is required.")));
        }
        let after = self.commit(&set(&object, members(given)))?;
        match rule.status {
            200 => self.shown(&after, &object),
            status => Ok(Reply::empty(status)),
        }
    }

    /// The object of the path, with every change, and where it stands.
    fn object(&self) -> Result<Object, Error> {
        let missing = || Error::not_found(&self.segments.join("/"));
        let newest = self.newest()?;
        let own = newest.spot(self.version, &self.segments).ok_or_else(missing)?;
        let fill = self.fill();
        let consented = || self.consented().into_iter().find(|item| item["id"] == own.rest().first().map_or("", String::as_str));
        let value = newest.at(&own, &fill).or_else(|| consented().filter(|_| own.path() == "/serviceprincipals" && own.rest().len() == 1));
        let value = value.filter(|value| value.is_object() && value["$status"].is_null()).ok_or_else(missing)?;
        Ok(Object { spots: newest.spots(self.version, &self.segments), own, value })
    }
    fn newest(&self) -> Result<Arc<Estate>, Error> {
        self.cloud.newest(self.directory).map_err(|error| Error::new(500, "generalException", format!("{error:#}")))
    }

    /// The body as JSON.
    fn body(&self) -> Result<Map<String, Value>, Error> {
        let kind = self.asked.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.is_empty() {
            return Err(Error::bad_request("Write requests (excluding DELETE) must contain the Content-Type header declaration."));
        }
        if self.asked.body.is_empty() {
            return Err(Error::bad_request("Empty Payload. JSON content expected."));
        }
        match serde_json::from_slice(self.asked.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(Error::bad_request("Unable to read JSON request payload. Please ensure it is an object.")),
            Err(error) => Err(Error::bad_request(format!("Unable to read JSON request payload: {error}"))),
        }
    }

    /// Keeps a change, unless it is to be forgotten; what the directory holds, or would hold, with it.
    fn commit(&self, edits: &[Edit]) -> Result<Arc<Estate>, Error> {
        if self.asked.forget {
            let (mut estate, fill) = (self.newest()?, self.fill());
            let changed = Arc::make_mut(&mut estate);
            edits.iter().for_each(|edit| changed.apply(edit, &fill));
            return Ok(estate);
        }
        let kept = self.cloud.keep(self.directory, edits, self.cloud.write_delay());
        kept.map_err(|error| Error::new(500, "generalException", format!("{error:#}")))?;
        self.newest()
    }

    /// The object as it is now, for an answer that carries it.
    fn shown(&self, estate: &Estate, object: &Object) -> Result<Reply, Error> {
        let value = estate.at(&object.own, &self.fill()).ok_or_else(|| Error::not_found(&self.segments.join("/")))?;
        self.one(value, &Query::default(), &[])
    }
}

/// What a path leads to, for writing.
struct Object {
    /// Where the path leads.
    own: Spot,
    /// That, and wherever else the same object stands.
    spots: Vec<Spot>,
    value: Value,
}

fn set(object: &Object, members: Map<String, Value>) -> Vec<Edit> {
    let mut edits = vec![Edit::Set { spots: object.spots.clone(), members: members.clone() }];
    edits.extend(also(object, &members));
    edits
}

/// The beta version shows one member of the authorization policy a second time, at its top.
fn also(object: &Object, members: &Map<String, Value>) -> Option<Edit> {
    let assigned = members.get("defaultUserRolePermissions")?.get("permissionGrantPoliciesAssigned")?;
    let beta = object.spots.iter().filter(|spot| !spot.rest().is_empty()).cloned().collect();
    let again = Map::from_iter([("permissionGrantPolicyIdsAssignedToDefaultUserRole".to_owned(), assigned.clone())]);
    Some(Edit::Set { spots: beta, members: again })
}

/// The members of a body without its annotations, which are not the object's.
fn members(given: Map<String, Value>) -> Map<String, Value> {
    given.into_iter().filter(|(name, _)| !name.contains("@odata.")).collect()
}

/// The type that a body says it is of, which must be the object's own.
fn own_type<'a>(given: &'a Map<String, Value>, object: &Value) -> Result<&'a str, Error> {
    let named = given.get("@odata.type").and_then(Value::as_str).map(bare);
    let own = object["@odata.type"].as_str().map(bare);
    match named {
        Some(name) if Some(name) == own => Ok(name),
        Some(name) => {
            Err(Error::bad_request(format!("The type 'microsoft.graph.{name}' is not the type of this object, which cannot change.")))
        }
        None => Err(Error::bad_request("A type name must be given in '@odata.type': the declared type of the resource is abstract.")),
    }
}

fn bare(name: &str) -> &str {
    name.trim_start_matches('#').trim_start_matches("microsoft.graph.")
}

/// Checks a body against its type.
///
/// # Errors
/// 400 as Graph says it.
fn fitting(shape: &str, given: &Map<String, Value>, object: &Value) -> Result<(), Error> {
    Shapes::graph().check(shape, given, object).map_err(|misfit| match misfit {
        Misfit::Unknown { member, of } => Error::bad_request(format!(
            "The property '{member}' does not exist on type 'microsoft.graph.{of}'. Make sure to only use property names that are defined by the type."
        )),
        Misfit::ReadOnly { member } => {
            Error::new(400, "Request_BadRequest", format!("Property '{member}' is read-only and cannot be set."))
        }
        Misfit::Kind { member, wanted } => {
            Error::bad_request(format!("The value of the property '{member}' cannot be converted to the expected type '{wanted}'."))
        }
    })
}
