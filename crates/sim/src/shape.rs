//! The members that callers may write, by type, from `schema/*.json`: what a service refuses as unknown, read-only or of the
//! wrong kind.
//!
//! A type is a map from member to kind: `bool`, `int`, `text`, `guid`, `duration`, `any`, `key` (must repeat the object's
//! own), `#other` (a type of its own), `a|b|c` (one of these), or a list of one kind. Null is good for every member.

use serde_json::{Map, Value};
use std::sync::LazyLock;

static GRAPH: LazyLock<Map<String, Value>> = LazyLock::new(|| read(include_str!("../schema/graph.json")));
static ARM: LazyLock<Map<String, Value>> = LazyLock::new(|| read(include_str!("../schema/arm.json")));

fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Why a body is refused, with the member it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// The type has no such member.
    Unknown { member: String, of: String },
    /// The object shows it, and nobody can set it.
    ReadOnly { member: String },
    /// The value is of another kind than the member.
    Kind { member: String, wanted: String },
}

/// The types of a service.
#[derive(Clone, Copy)]
pub struct Shapes(&'static Map<String, Value>);

impl Shapes {
    pub fn graph() -> Self {
        Self(&GRAPH)
    }
    pub fn arm() -> Self {
        Self(&ARM)
    }
    pub fn knows(self, name: &str) -> bool {
        self.0.contains_key(name)
    }
    /// The first member of a type that a body leaves out.
    pub fn left_out(self, name: &str, given: &Map<String, Value>) -> Option<&'static str> {
        let members = self.0.get(name)?.as_object()?;
        members.keys().find(|member| !given.contains_key(*member)).map(String::as_str)
    }
    /// Checks the members of a body against a type. `current` is the object they are for.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(self, name: &str, given: &Map<String, Value>, current: &Value) -> Result<(), Misfit> {
        let Some(Value::Object(members)) = self.0.get(name) else {
            return Err(Misfit::Unknown { member: String::new(), of: name.to_owned() });
        };
        for (member, value) in given.iter().filter(|(member, _)| !member.contains("@odata.")) {
            match members.get(member) {
                Some(kind) if *kind == "key" && *value == current[member] => {}
                Some(kind) if *kind == "key" => return Err(Misfit::ReadOnly { member: member.clone() }),
                Some(kind) => self.fits(member, kind, value, &current[member])?,
                None if !current[member].is_null() => return Err(Misfit::ReadOnly { member: member.clone() }),
                None => return Err(Misfit::Unknown { member: member.clone(), of: name.to_owned() }),
            }
        }
        Ok(())
    }

    fn fits(self, member: &str, kind: &Value, value: &Value, current: &Value) -> Result<(), Misfit> {
        let misfit = |wanted: &str| Err(Misfit::Kind { member: member.to_owned(), wanted: wanted.to_owned() });
        match (kind, value) {
            (_, Value::Null) => Ok(()),
            (Value::Array(kinds), Value::Array(items)) => {
                items.iter().try_for_each(|item| kinds.first().map_or(Ok(()), |kind| self.fits(member, kind, item, &Value::Null)))
            }
            (Value::Array(_), _) => misfit("Collection"),
            (Value::String(kind), value) => match (kind.strip_prefix('#'), value) {
                (Some(name), Value::Object(members)) => self.check(name, members, current),
                (Some(name), _) => misfit(name),
                (None, value) if is(kind, value) => Ok(()),
                (None, _) => misfit(kind),
            },
            _ => misfit("Object"),
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match (kind, value) {
        ("any", _) | ("bool", Value::Bool(_)) | ("text", Value::String(_)) => true,
        ("int", value) => value.is_i64() || value.is_u64(),
        ("guid", Value::String(text)) => text.parse::<uuid::Uuid>().is_ok(),
        ("duration", Value::String(text)) => text.starts_with('P') && text.parse::<jiff::Span>().is_ok(),
        (choices, Value::String(text)) => choices.contains('|') && choices.split('|').any(|choice| choice == text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(name: &str, given: Value) -> Result<(), Misfit> {
        Shapes::graph().check(name, given.as_object().unwrap(), &json!({"id": "authorizationPolicy", "createdDateTime": "2026-01-01"}))
    }

    #[test]
    fn every_type_that_is_named_exists() {
        for shapes in [Shapes::graph(), Shapes::arm()] {
            assert!(!shapes.0.is_empty());
            for (name, members) in shapes.0 {
                for (member, kind) in members.as_object().unwrap() {
                    let kind = kind.get(0).unwrap_or(kind).as_str().unwrap();
                    let known = ["any", "bool", "int", "text", "guid", "duration", "key"].contains(&kind) || kind.contains('|');
                    assert!(known || kind.strip_prefix('#').is_some_and(|other| shapes.knows(other)), "{name}.{member}: {kind}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let unknown = |member: &str, of: &str| Err(Misfit::Unknown { member: member.into(), of: of.into() });
        let kind = |member: &str, wanted: &str| Err(Misfit::Kind { member: member.into(), wanted: wanted.into() });
        assert_eq!(check("authorizationPolicy", json!({"allowedToUseSSPR": false, "guestUserRoleId": null, "@odata.type": "#x"})), Ok(()));
        assert_eq!(check("authorizationPolicy", json!({"allowedToUseSspr": false})), unknown("allowedToUseSspr", "authorizationPolicy"));
        assert_eq!(
            check("authorizationPolicy", json!({"createdDateTime": "x"})),
            Err(Misfit::ReadOnly { member: "createdDateTime".into() })
        );
        assert_eq!(check("authorizationPolicy", json!({"allowedToUseSSPR": "no"})), kind("allowedToUseSSPR", "bool"));
        let nested = json!({"defaultUserRolePermissions": {"allowedToCreateApps": false, "more": 1}});
        assert_eq!(check("authorizationPolicy", nested), unknown("more", "defaultUserRolePermissions"));
        let listed = json!({"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["x", 1]}});
        assert_eq!(check("authorizationPolicy", listed), kind("permissionGrantPoliciesAssigned", "text"));
        assert!(check("authorizationPolicy", json!({"allowInvitesFrom": "nobody"})).is_err());
        assert_eq!(check("fido2AuthenticationMethodConfiguration", json!({"id": "authorizationPolicy"})), Ok(()));
        assert_eq!(check("fido2AuthenticationMethodConfiguration", json!({"id": "x"})), Err(Misfit::ReadOnly { member: "id".into() }));
        let rule = |text: &str| check("unifiedRoleManagementPolicyExpirationRule", json!({"maximumDuration": text}));
        assert_eq!((rule("P180D").is_ok(), rule("PT8H").is_ok(), rule("8 hours").is_ok()), (true, true, false));
    }
}
