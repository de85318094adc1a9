//! Facts from answers, taken in page by page. What could not be read whole is no fact.

use crate::{
    plan::Helper,
    rule::{Facts, PRIVILEGED_APP_ROLES, Scene, Truth, active, guid, text},
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// Service plans by the names checks use, with their ids; ids of government clouds follow.
const PLANS: &[(&str, &[&str])] = &[
    ("AAD_PREMIUM", &["41781fb2-bc02-4b7c-bd55-b576c07bb09d"]),
    ("AAD_PREMIUM_P2", &["eec0eb4f-6444-4f95-aba0-50c24d67f998"]),
    ("INTUNE_A", &["c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "d216f254-796f-4dab-bbfa-710686e646b9"]),
    ("Entra_Identity_Governance", &["e866a266-3cff-43a3-acca-0c90a7e00c8b"]),
    ("AAD_WRKLDID_P1", &["84c289f0-efcb-486f-8581-07f44fc9efad"]),
    ("AAD_WRKLDID_P2", &["7dc0e92d-bf15-401d-907e-0884efe7c760"]),
    ("ATP_ENTERPRISE", &["f20fedf3-f3c3-43c3-8267-2bfdd51c0939", "493ff600-6a2b-4db6-ad37-a7d4eb214516"]),
    ("THREAT_INTELLIGENCE", &["8e0c0a52-6a6c-4d40-8370-dd62790dcd70", "900018f1-0cdb-4ecb-94d4-90281760fdc6"]),
    ("WINDEFATP", &["871d91ec-ec1a-452b-a83f-bd76c7d770ef"]),
    ("ATA", &["14ab5db5-e6c4-4b20-b4bc-13e36fd2227f"]),
    ("ADALLOM_S_STANDALONE", &["2e2ddb96-6af9-4b1d-a3f0-d6ecfd22edb2"]),
    ("EXCHANGE_S_ENTERPRISE", &["efb87545-963c-4e0d-99df-69c6916d9eb0", "8c3069c0-ccdb-44be-ab77-986203a67df2"]),
    ("EXCHANGE_S_STANDARD", &["9aaf7827-d63c-4b61-89c3-182f06f82e5c"]),
    ("EOP_ENTERPRISE", &["326e2b78-9d27-42c9-8509-46c827743a17"]),
    ("M365_ADVANCED_AUDITING", &["2f442157-a11c-46b9-ae5b-6e39ff4e5849"]),
    ("LOCKBOX_ENTERPRISE", &["9f431833-0334-42de-a7dc-70aa40db46db"]),
];

/// Plans that bring another along.
const IMPLIED: &[(&str, &str)] =
    &[("AAD_PREMIUM_P2", "AAD_PREMIUM"), ("AAD_WRKLDID_P2", "AAD_WRKLDID_P1"), ("THREAT_INTELLIGENCE", "ATP_ENTERPRISE")];

/// The service plans a directory has, by name and id in lower case.
#[derive(Debug, Default)]
pub struct Licences {
    has: BTreeSet<String>,
    /// Read whole; if not, no check is skipped for want of a licence.
    known: bool,
}

impl Licences {
    /// Whether the directory may have a plan.
    pub fn may_have(&self, plan: &str) -> bool {
        let has = |plan: &str| {
            let ids = PLANS.iter().filter(|(name, _)| name.eq_ignore_ascii_case(plan)).flat_map(|(_, ids)| ids.iter().copied());
            ids.chain([plan]).any(|word| self.has.contains(&word.to_lowercase()))
        };
        !self.known || has(plan) || IMPLIED.iter().any(|(with, implied)| implied.eq_ignore_ascii_case(plan) && has(with))
    }

    fn take(&mut self, page: &Value, facts: &mut Facts) {
        self.known = true;
        let products = facts.plans_of_sku.get_or_insert_default();
        for sku in items(page) {
            let paid = text(sku, &["capabilityStatus"]).is_some_and(|status| ["Enabled", "Warning"].contains(&status));
            let plans = sku.get("servicePlans").and_then(Value::as_array).into_iter().flatten();
            let plans: Vec<&Value> = plans.filter(|plan| text(plan, &["provisioningStatus"]) != Some("Disabled")).collect();
            let ids = plans.iter().filter_map(|plan| text(plan, &["servicePlanId"]));
            if let Some(id) = text(sku, &["skuId"]) {
                products.insert(id.to_lowercase(), ids.clone().map(str::to_lowercase).collect());
            }
            if paid {
                self.has.extend(ids.chain(plans.iter().filter_map(|plan| text(plan, &["servicePlanName"]))).map(str::to_lowercase));
            }
        }
    }
}

pub fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page.get("value").and_then(Value::as_array).into_iter().flatten()
}

/// Takes in one page of an answer that a helper is for. `instance` is the value of its placeholder.
pub fn learn(helper: Helper, page: &Value, instance: Option<&str>, now: Timestamp, facts: &mut Facts, licences: &mut Licences) {
    let id = |item: &Value, member: &str| guid(text(item, &[member]));
    match helper {
        Helper::Licences => licences.take(page, facts),
        Helper::Organization | Helper::Listing => {}
        Helper::MfaRegistrations => {
            let registered = |item: &Value| item.get("isMfaRegistered").and_then(Value::as_bool);
            facts.mfa.get_or_insert_default().extend(items(page).filter_map(|item| Some((id(item, "id")?, registered(item)?))));
        }
        Helper::Guests => facts.guests.get_or_insert_default().extend(items(page).filter_map(|item| id(item, "id"))),
        Helper::PrivilegedAssignments => {
            let privileged =
                |item: &&Value| text(item, &["appRoleId"]).is_some_and(|role| PRIVILEGED_APP_ROLES.contains(&role.to_lowercase().as_str()));
            let holders = items(page).filter(privileged).filter_map(|item| id(item, "principalId"));
            facts.privileged_principals.get_or_insert_default().extend(holders);
        }
        Helper::Principals => {
            facts.principals.get_or_insert_default().extend(items(page).filter_map(|item| Some((id(item, "appId")?, id(item, "id")?))));
        }
        Helper::Applications => {
            let names = Default::default();
            let none = Facts::default();
            let scene = Scene::new(now, &names, &none);
            let with_secret = items(page).filter(|app| {
                let secrets = app.get("passwordCredentials").and_then(Value::as_array).into_iter().flatten();
                Truth::any(secrets.map(|secret| active(secret, &scene))) == Truth::True
            });
            facts.secret_apps.get_or_insert_default().extend(with_secret.filter_map(|app| id(app, "appId")));
        }
        Helper::Roles => {
            let ids = items(page).flat_map(|role| [id(role, "id"), id(role, "templateId")]).flatten();
            facts.roles.get_or_insert_default().extend(ids);
        }
        Helper::Policies => facts.policies.get_or_insert_default().extend(items(page).cloned()),
        Helper::Memberships => {
            let Some(account) = instance else { return };
            let groups = items(page).filter_map(|item| text(item, &["id"])).map(str::to_lowercase);
            facts.memberships.entry(account.to_lowercase()).or_default().extend(groups);
        }
        Helper::Objects => {
            facts.objects.extend(guid(instance).map(|id| (id, true)));
        }
        Helper::Groups => {
            facts.groups.extend(guid(instance).map(|id| (id, Some(page.clone()))));
        }
    }
}

/// Forgets what was taken in from a source that was not read whole. An object that is not there is a fact of its own.
pub fn forget(helper: Helper, instance: Option<&str>, absent: bool, facts: &mut Facts, licences: &mut Licences) {
    match helper {
        Helper::Licences => {
            licences.known = false;
            facts.plans_of_sku = None;
        }
        Helper::Organization | Helper::Listing => {}
        Helper::MfaRegistrations => facts.mfa = None,
        Helper::Guests => facts.guests = None,
        Helper::PrivilegedAssignments => facts.privileged_principals = None,
        Helper::Principals => facts.principals = None,
        Helper::Applications => facts.secret_apps = None,
        Helper::Roles => facts.roles = None,
        Helper::Policies => facts.policies = None,
        Helper::Memberships => {
            facts.memberships.remove(&instance.unwrap_or_default().to_lowercase());
        }
        Helper::Objects if absent => facts.objects.extend(guid(instance).map(|id| (id, false))),
        Helper::Groups if absent => facts.groups.extend(guid(instance).map(|id| (id, None))),
        Helper::Objects | Helper::Groups => {}
    }
}
