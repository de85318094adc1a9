//! A recipe: one request that may be sent to a directory, and what people must know before they allow it.

use crate::Service;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a recipe does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipeKind {
    /// Sets members of something that is there.
    Patch,
    /// Makes a Conditional Access policy, in report-only mode.
    Create,
    /// Enforces a policy that its recipe made.
    Enforce,
}

impl RecipeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Create => "create",
            Self::Enforce => "enforce",
        }
    }
}

/// The method of a request that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Patch,
    Post,
    Put,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// How much can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Hardly anybody notices.
    Low,
    /// Some people have to work otherwise.
    Medium,
    /// People or services can be shut out.
    High,
}

impl Risk {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One entry of the allow-list of writes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// Words parted by hyphens; never reused for another request.
    pub id: String,
    /// Rises when the request changes.
    pub version: u32,
    /// What is done, in one sentence.
    pub title: String,
    pub kind: RecipeKind,
    pub service: Service,
    pub method: Method,
    /// What is written to, with placeholders: `{id}`, `{policyId}`, `{resourceId}`, `{siteId}` of an object that a check names, `{tenantId}`.
    pub path: String,
    /// The members as they shall be; `{parameter: name}` stands for the tenant's value of the check's parameter.
    pub body: Value,
    /// Application permissions of Graph or a role in Azure (`AzureRole:Contributor`), parted by blanks; all of them are needed.
    pub permission: String,
    pub risk: Risk,
    /// Who notices what.
    pub blast_radius: String,
    /// What taking it back does.
    pub rollback: String,
    /// What to do or to watch after it.
    pub after_note: Option<String>,
    /// The checks that pass afterwards, in the order of ids.
    pub checks: Vec<String>,
    /// The service plan without which Microsoft refuses.
    pub license: Option<String>,
    /// The row of the live policies that it sets.
    pub policy: Option<String>,
    /// The name of the policy it makes or enforces, before the mark.
    pub name: Option<String>,
    /// Path of a list in the body to what of the present list stays: a text, `*` at its end for any.
    #[serde(skip)]
    pub(crate) keep: BTreeMap<String, String>,
    /// Members that go along unchanged because Microsoft wants them in the request.
    #[serde(skip)]
    pub(crate) carry: Vec<String>,
    /// Members without which the change makes no sense: not absent and not empty.
    #[serde(skip)]
    pub(crate) needs: Vec<String>,
    /// Path of a member to what Microsoft takes its absence for, where null would not bring that back.
    #[serde(skip)]
    pub(crate) absent_means: BTreeMap<String, Value>,
    /// The type of Azure resource that `{resourceId}` stands for: namespace and kind.
    #[serde(skip)]
    pub(crate) resource: Option<(String, String)>,
}

impl Recipe {
    /// The permissions that writing needs.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        // A role in Azure may be of several words.
        let role = self.permission.starts_with("AzureRole:");
        let (whole, parts) = if role { (Some(self.permission.as_str()), "") } else { (None, self.permission.as_str()) };
        whole.into_iter().chain(parts.split_whitespace())
    }

    /// Whether each failing object of its checks is a target of its own.
    pub fn is_of_objects(&self) -> bool {
        ["{id}", "{policyId}", "{resourceId}", "{siteId}"].iter().any(|placeholder| self.path.contains(placeholder))
    }
}
