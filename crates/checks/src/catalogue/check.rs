//! One check as it is written: a file of `catalogue/checks/<product>/`. What the members mean is said in `catalogue/README.md`.

use crate::{
    ScanKind, Service, Verdict,
    recipes::{Method, Risk},
};
use bailiwick_base::Severity;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    sync::Arc,
};

/// The folders of the catalogue.
pub const PRODUCTS: &[&str] =
    &["apps", "azure", "defender", "entra", "exchange", "intune", "keyvault", "m365", "purview", "sharepoint", "teams"];

/// The frameworks a check may answer for: key, name in full, and whether controls are written `version:number`.
pub const FRAMEWORKS: &[(&str, &str, bool)] = &[
    ("cis_m365", "CIS Microsoft 365 Foundations", true),
    ("cis_azure", "CIS Azure Foundations", true),
    ("cisa_scuba", "CISA SCuBA M365", false),
    ("cisa_bod_25_01", "CISA BOD 25-01", false),
    ("eidsca", "EIDSCA", false),
    ("mitre", "MITRE ATT&CK", false),
    ("nis2", "NIS2", false),
    ("nist_800_53_r5", "NIST SP 800-53 r5", false),
    ("iso_27001_2022", "ISO/IEC 27001:2022 Annex A", false),
    ("soc2_tsc", "SOC 2 TSC", false),
    ("pci_dss_4_0_1", "PCI DSS 4.0.1", false),
    ("hipaa", "HIPAA Security Rule", false),
    ("csa_ccm", "CSA CCM 4.0.13", false),
    ("zero_trust_assessment", "Zero Trust Assessment", false),
];

/// A check of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// `product.theme.name`; never reused for another question.
    pub id: String,
    /// Raised when the rule's meaning changes.
    pub version: u32,
    /// The wanted state in one sentence.
    pub title: String,
    pub product: String,
    pub severity: Severity,
    pub scans: BTreeSet<ScanKind>,
    pub rationale: String,
    pub collect: Collect,
    /// The application permission (Graph) or role (`AzureRole:Reader`) that reading needs; several are parted by blanks.
    #[serde(default)]
    pub permission: Option<String>,
    /// The service plan without which the check is skipped.
    #[serde(default)]
    pub license: Option<String>,
    #[serde(default)]
    pub theme: Option<String>,
    pub rule: RuleText,
    /// Where this does not hold, the check is skipped as not applicable.
    #[serde(default)]
    pub applies_when: Option<Applies>,
    /// Thresholds a tenant may change.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Microsoft's default, if known.
    #[serde(default, deserialize_with = "present")]
    pub default: Option<Value>,
    pub remediation: String,
    #[serde(default)]
    pub fix: Option<Fix>,
    #[serde(default)]
    pub references: Vec<String>,
    #[serde(default)]
    pub frameworks: BTreeMap<String, Vec<String>>,
    /// The same question in other tools: tool to ids.
    #[serde(default)]
    pub also: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub notes: Option<String>,
    #[serde(default)]
    pub cases: Cases,
}

/// A check's cases by name; shared, since scans carry checks about and only tests look at their cases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Case>", into = "BTreeMap<String, Case>")]
pub struct Cases(Arc<BTreeMap<String, Case>>);

impl From<BTreeMap<String, Case>> for Cases {
    fn from(cases: BTreeMap<String, Case>) -> Self {
        Self(Arc::new(cases))
    }
}

impl From<Cases> for BTreeMap<String, Case> {
    fn from(cases: Cases) -> Self {
        Arc::unwrap_or_clone(cases.0)
    }
}

impl Deref for Cases {
    type Target = BTreeMap<String, Case>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    pub service: Service,
    pub path: String,
}

/// The rule as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    pub property: String,
    pub operator: String,
    #[serde(default)]
    pub expected: Value,
    /// The value that Microsoft documents an absent member to stand for. It can turn unknown into failed, never into passed.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub absent_means: Option<Value>,
}

/// A condition under which a check applies, on its own answer or on another request's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applies {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect: Option<Collect>,
    pub property: String,
    pub operator: String,
    #[serde(default)]
    pub expected: Value,
    /// Said to the reader where it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A threshold that a tenant may change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    pub default: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Framework (its name, or name and version) to what it asks of the value. Where the value is looser, its controls fail.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub frameworks: BTreeMap<String, Guard>,
}

/// What a framework asks of a parameter: `value` compared by `op`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    pub op: String,
    pub value: Value,
}

/// How the wanted state is brought about: a recipe ([`crate::recipes`]). Of the checks that one recipe serves, one tells the request and
/// what people must know of it; the others name the recipe alone. What the members mean is said in `catalogue/README.md`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fix {
    pub recipe: String,
    pub version: Option<u32>,
    pub title: Option<String>,
    pub method: Option<Method>,
    pub path: Option<String>,
    #[serde(deserialize_with = "present")]
    pub body: Option<Value>,
    pub permission: Option<String>,
    pub risk: Option<Risk>,
    pub blast_radius: Option<String>,
    pub rollback: Option<String>,
    pub after_note: Option<String>,
    pub keep: BTreeMap<String, String>,
    pub carry: Vec<String>,
    pub needs: Vec<String>,
    pub absent_means: BTreeMap<String, Value>,
    /// The row of the live policies that it sets.
    pub policy: Option<String>,
}

/// One case: an answer of Microsoft's and the verdict it must lead to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    pub description: Option<String>,
    /// The body of `collect.path`; of an error where `status` says so.
    #[serde(deserialize_with = "present")]
    pub answer: Option<Value>,
    pub status: Option<u16>,
    /// Other requests the check reads (path as in the plan, `$select` may be left out) to their bodies.
    pub answers: BTreeMap<String, Value>,
    /// The case whose members are taken where this one gives none.
    pub from: Option<String>,
    /// Path in the answer to a value put there.
    pub set: BTreeMap<String, Value>,
    /// Paths in the answer taken away.
    pub remove: Vec<String>,
    /// Service plans the directory has; the one the check needs where not said.
    pub licenses: Option<Vec<String>>,
    pub settings: Option<CaseSettings>,
    /// The scan's time; 2026-11-22T00:00:00Z where not said.
    pub now: Option<jiff::Timestamp>,
    pub verdict: Option<Verdict>,
    pub reason: Option<crate::ReasonCode>,
    pub would_pass_if_enforced: Option<bool>,
}

/// A case's settings: as [`crate::Settings`], for this one check.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseSettings {
    pub emergency_accounts: BTreeSet<String>,
    pub emergency_groups: BTreeSet<String>,
    pub accepted_exclusions: BTreeSet<String>,
    pub accepted_entities: BTreeSet<String>,
    pub parameters: BTreeMap<String, Value>,
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
