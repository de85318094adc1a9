//! Placeholders in paths: what they stand for, and the listing that gives them values.

use crate::Service;
use serde_json::Value;

/// A part of a path that another answer, or the job, gives a value to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// As written, braces included.
    pub text: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Tenant,
    EmergencyAccount,
    /// Objects that a rule refers to: found in other answers.
    Reference,
    Subscription,
    Domain,
    Site,
    Vault,
    VaultUri,
    StorageAccount,
    /// The listing that stands before it in the path.
    Item(String),
}

impl Placeholder {
    /// The placeholders of a path, in order.
    pub fn of(service: Service, path: &str) -> Vec<Self> {
        let mut all = Vec::new();
        let mut from = 0;
        while let Some((start, end)) = path[from..].find('{').and_then(|s| Some((from + s, from + s + path[from + s..].find('}')? + 1))) {
            let text = &path[start..end];
            let kind = match text {
                "{tenantId}" => Kind::Tenant,
                "{emergencyAccountId}" => Kind::EmergencyAccount,
                "{ref}" | "{groupRef}" => Kind::Reference,
                "{sub}" => Kind::Subscription,
                "{domain}" => Kind::Domain,
                "{siteId}" => Kind::Site,
                "{vaultId}" => Kind::Vault,
                "{vaultUri}" => Kind::VaultUri,
                "{storageAccountId}" => Kind::StorageAccount,
                _ if service == Service::Graph && path[..start].ends_with("/organization/") => Kind::Tenant,
                _ => Kind::Item(path[..start].trim_end_matches('/').to_owned()),
            };
            all.push(Self { text: text.to_owned(), kind });
            from = end;
        }
        all
    }

    /// The listing whose items give the values; none where the job does.
    pub fn listing(&self) -> Option<(Service, String)> {
        let arm = |path: &str| Some((Service::Arm, path.to_owned()));
        match &self.kind {
            Kind::Tenant | Kind::EmergencyAccount | Kind::Reference => None,
            Kind::Subscription => arm("/subscriptions?api-version=2022-12-01"),
            Kind::Domain => Some((Service::Graph, "/v1.0/domains".to_owned())),
            Kind::Site => arm("/subscriptions/{sub}/providers/Microsoft.Web/sites?api-version=2023-12-01"),
            Kind::Vault | Kind::VaultUri => arm("/subscriptions/{sub}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01"),
            Kind::StorageAccount => arm("/subscriptions/{sub}/providers/Microsoft.Storage/storageAccounts?api-version=2023-05-01"),
            Kind::Item(listing) => Some((Service::Graph, format!("{listing}?$select=id,displayName"))),
        }
    }

    /// What must be kept of the listing to know the values.
    pub fn looks(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Tenant | Kind::EmergencyAccount | Kind::Reference => &[],
            Kind::Subscription => &["value[].[id,subscriptionId,displayName,state]"],
            Kind::Domain => &["value[].[id,isVerified,authenticationType]"],
            Kind::VaultUri => &["value[].[id,name,properties.vaultUri]"],
            Kind::Site | Kind::Vault | Kind::StorageAccount | Kind::Item(_) => &["value[].[id,name,displayName]"],
        }
    }

    /// The value and the name of one item of the listing; none where the item is left out.
    pub fn value(&self, item: &Value) -> Option<(String, String)> {
        let text = |member: &str| item.get(member).and_then(Value::as_str).map(str::to_owned);
        let named = |value: String| {
            let name = text("displayName").or_else(|| text("name")).unwrap_or_else(|| value.clone());
            Some((value, name))
        };
        match self.kind {
            Kind::Tenant | Kind::EmergencyAccount | Kind::Reference => None,
            Kind::Subscription => {
                let open = text("state").is_none_or(|state| ["Enabled", "Warned", "PastDue"].contains(&state.as_str()));
                text("subscriptionId").or_else(|| text("id")?.rsplit('/').next().map(str::to_owned)).filter(|_| open).and_then(named)
            }
            // Microsoft's own onmicrosoft.com domains have records that nobody can change.
            Kind::Domain => {
                let verified = item.get("isVerified").and_then(Value::as_bool) == Some(true);
                text("id").filter(|id| verified && !id.to_lowercase().contains(".onmicrosoft.")).and_then(named)
            }
            Kind::VaultUri => {
                let uri = item.pointer("/properties/vaultUri")?.as_str()?;
                named(format!("{}/", uri.trim_end_matches('/')))
            }
            Kind::Site | Kind::Vault | Kind::StorageAccount | Kind::Item(_) => text("id").and_then(named),
        }
    }

    pub(crate) fn is_tenant(&self) -> bool {
        self.kind == Kind::Tenant
    }

    pub(crate) fn is_emergency_account(&self) -> bool {
        self.kind == Kind::EmergencyAccount
    }

    pub(crate) fn is_reference(&self) -> bool {
        self.kind == Kind::Reference
    }

    /// Whether text can be a value: no value reaches out of its place in the path.
    pub(crate) fn admits(&self, text: &str) -> bool {
        let plain = |extra: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b) || extra.as_bytes().contains(&b))
        };
        let climbs = text.split('/').any(|part| part == "..");
        match self.kind {
            Kind::Site => plain("/()") && !climbs && is_resource(text, "Microsoft.Web", "sites"),
            Kind::Vault => plain("/()") && !climbs && is_resource(text, "Microsoft.KeyVault", "vaults"),
            Kind::StorageAccount => plain("/()") && !climbs && is_resource(text, "Microsoft.Storage", "storageAccounts"),
            Kind::VaultUri => {
                text.starts_with("https://")
                    && text.ends_with('/')
                    && text[8..text.len() - 1].bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
            }
            _ => plain("@") && !climbs,
        }
    }
}

/// Whether text is the id of one resource of a type, and of nothing above, below or beside it.
pub(crate) fn is_resource(text: &str, namespace: &str, kind: &str) -> bool {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    match text.split('/').collect::<Vec<_>>().as_slice() {
        ["", "subscriptions", subscription, groups, group, providers, of, class, name] => {
            same(groups, "resourceGroups")
                && same(providers, "providers")
                && same(of, namespace)
                && same(class, kind)
                && [subscription, group, name].iter().all(|part| !matches!(**part, "" | "."))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_stands_for_itself_and_not_for_what_lies_beside_or_below_it() {
        let site = &Placeholder::of(Service::Arm, "{siteId}/config/web?api-version=2023-12-01")[0];
        let group = "/subscriptions/s1/resourceGroups/rg (east)".replace(' ', "-");
        assert!(site.admits(&format!("{group}/providers/Microsoft.Web/sites/app-1")));
        assert!(site.admits(&format!("{group}/providers/microsoft.web/Sites/app-1")));
        for path in [
            "/providers/Microsoft.Web/sites/app/functions/admin/token",
            "/providers/Microsoft.Web/sites/",
            "/providers/Microsoft.Web/sites/.",
            "/providers/Microsoft.Web/sites/..",
            "/providers/Microsoft.Automation/automationAccounts/a",
            "",
        ] {
            assert!(!site.admits(&format!("{group}{path}")), "{path}");
        }
        assert!(!site.admits("/tenants/s1/resourceGroups/g/providers/Microsoft.Web/sites/app"));
    }
}
