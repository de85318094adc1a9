//! A directory of 100,000 users that exists only while a page of it is written: every item follows from its number.

use super::Fill;
use serde_json::{Value, json};

/// Users in the large directory; every tenth is a guest.
pub const USERS: usize = 100_000;
/// The fixed part of their object ids.
const FAMILY: u128 = 0x1a26e000_0000_4000_8000_000000000000;

/// A list that is made on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Large {
    Users,
    /// `userRegistrationDetails` of the same users.
    Registrations,
}

impl Large {
    pub fn len(self) -> usize {
        USERS
    }
    /// The number in an id of [`user_id`].
    pub fn index_of(self, id: &str) -> Option<usize> {
        let id: uuid::Uuid = id.parse().ok()?;
        let index = usize::try_from(id.as_u128().checked_sub(FAMILY)?).ok()?;
        (index < USERS).then_some(index)
    }
    pub fn item(self, index: usize, fill: &Fill) -> Option<Value> {
        (index < USERS).then(|| match self {
            Self::Users => user(index, fill),
            Self::Registrations => registration(index, fill),
        })
    }
}

fn user_id(index: usize) -> String {
    uuid::Uuid::from_u128(FAMILY + index as u128).to_string()
}

fn is_guest(index: usize) -> bool {
    index % 10 == 9
}

fn upn(index: usize, fill: &Fill) -> String {
    match is_guest(index) {
        true => format!("guest{index:06}_partner.example#EXT#@{}", fill.domain),
        false => format!("user{index:06}@{}", fill.domain),
    }
}

/// Every 50th user has not signed in for 200 days, every 40th is disabled.
fn user(index: usize, fill: &Fill) -> Value {
    let last = fill.days(if index % 50 == 7 { -200 } else { -((index % 60) as i64) });
    let sponsors =
        if is_guest(index) && index % 20 == 9 { json!([{"@odata.type": "#microsoft.graph.user", "id": user_id(0)}]) } else { json!([]) };
    json!({
        "id": user_id(index), "userPrincipalName": upn(index, fill), "displayName": format!("User {index:06}"),
        "givenName": "User", "surname": format!("{index:06}"), "mail": null, "businessPhones": [], "jobTitle": null, "mobilePhone": null,
        "officeLocation": null, "preferredLanguage": null,
        "accountEnabled": index % 40 != 3, "userType": if is_guest(index) { "Guest" } else { "Member" },
        "createdDateTime": "2023-02-01T09:00:00Z", "onPremisesSyncEnabled": null, "assignedLicenses": [], "assignedPlans": [],
        "externalUserState": if is_guest(index) { json!("Accepted") } else { Value::Null },
        "signInActivity": {"lastSignInDateTime": last, "lastNonInteractiveSignInDateTime": last, "lastSuccessfulSignInDateTime": last},
        ">sponsors": sponsors, ">authentication": {"fido2Methods": keys(index)},
    })
}

/// Security keys: the break-glass accounts have one, nobody else.
fn keys(index: usize) -> Value {
    match index {
        0xe1 | 0xe2 => json!([{"id": format!("key-{index}"), "displayName": "Security key", "model": "YubiKey 5 NFC"}]),
        _ => json!([]),
    }
}

/// Every 25th member has no second factor.
fn registration(index: usize, fill: &Fill) -> Value {
    let registered = index % 25 != 11;
    let methods = if registered { json!(["microsoftAuthenticatorPush", "softwareOneTimePasscode"]) } else { json!([]) };
    json!({
        "id": user_id(index), "userPrincipalName": upn(index, fill), "userDisplayName": format!("User {index:06}"),
        "userType": if is_guest(index) { "guest" } else { "member" }, "isAdmin": index < 3, "isSsprRegistered": registered, "isSsprEnabled": true,
        "isSsprCapable": registered, "isMfaRegistered": registered, "isMfaCapable": registered, "isPasswordlessCapable": false,
        "methodsRegistered": methods, "isSystemPreferredAuthenticationMethodEnabled": true, "systemPreferredAuthenticationMethods": ["PhoneAppNotification"],
        "userPreferredMethodForSecondaryAuthentication": if registered { "push" } else { "none" }, "lastUpdatedDateTime": fill.days(0),
    })
}
