//! The catalogue: every check a scan can judge by, and what each needs.

use crate::operation::{Guard, json, operations};
use crate::permission::Permission;
use crate::scans::ScanKind;
use bailiwick_base::{Cursor, Page, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One check of the catalogue.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CatalogueCheck {
    pub id: String,
    pub version: u32,
    pub title: String,
    pub product: String,
    pub severity: Severity,
    pub scans: Vec<ScanKind>,
    pub theme: String,
    /// Controls by framework.
    pub frameworks: BTreeMap<String, Vec<String>>,
    /// The application permissions its request needs; none for DNS.
    pub permissions: Vec<String>,
    /// The service plan without which it is skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Whether a fix recipe exists.
    pub fixable: bool,
}

/// One check with all that is said about it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CatalogueDetail {
    #[serde(flatten)]
    pub check: CatalogueCheck,
    pub rationale: String,
    pub remediation: String,
    /// Microsoft's default; null where it is not known.
    pub default_value: Value,
    /// `graph`, `arm`, `vault` or `dns`.
    pub service: String,
    pub path: String,
    pub rule: Value,
    pub parameters: Value,
    pub references: Vec<String>,
    /// The same check in other tools.
    pub also: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogueQuery {
    #[serde(default)]
    #[schemars(length(max = 60))]
    pub framework: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 60))]
    pub product: Option<String>,
    #[serde(default)]
    pub severity: Option<Severity>,
    #[serde(default)]
    pub scan: Option<ScanKind>,
    /// Words to look for in the check's id and title.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub search: Option<String>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

/// Checks with how many each product and framework has under the other filters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CataloguePage {
    #[serde(flatten)]
    pub page: Page<CatalogueCheck>,
    pub total: u32,
    pub products: BTreeMap<String, u32>,
    pub frameworks: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CataloguePath {
    pub check: String,
}

json!(CataloguePage, CatalogueDetail);

operations! {
    /// Lists the checks of the catalogue.
    ListCatalogue = "list_catalogue" Get "/api/v1/catalogue" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, query: CatalogueQuery, answer: CataloguePage, status: 200,
        example: {"items": [], "total": 0, "products": {}, "frameworks": {}},
    }
    /// Shows one check of the catalogue.
    GetCatalogueCheck = "get_catalogue_check" Get "/api/v1/catalogue/{check}" {
        guard: Guard::Needs(Permission::ScansRead), effect: Read, rate: Read, params: CataloguePath, answer: CatalogueDetail, status: 200,
        example: {"id": "entra.authorization-policy.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "product": "entra", "severity": "medium", "scans": ["compliance", "exposure"], "theme": "guest-access", "frameworks": {"cis_m365": ["7.0:5.1.6.3"]}, "permissions": ["Policy.Read.All"], "fixable": true, "rationale": "Anybody who may invite guests may let strangers in.", "remediation": "Set who may invite guests.", "default_value": "everyone", "service": "graph", "path": "/v1.0/policies/authorizationPolicy", "rule": {"property": "allowInvitesFrom", "operator": "in", "expected": ["adminsAndGuestInviters", "none"]}, "parameters": {}, "references": [], "also": {}},
    }
}
