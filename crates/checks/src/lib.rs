//! The catalogue of checks and the engine that judges a directory by it: answers in, verdicts out; and of verdicts, the changes that would
//! mend them ([`recipes`]). Pure: what a scan reads, it reads through [`Fetch`]; what it tells, it tells through [`Progress`].
//!
//! What must stay true: an absent value never counts as a pass; each request is made once however many checks read its answer; nothing of
//! an answer is kept but what a rule looks at, ids and display names; a source that fails takes only its own checks along.

mod cases;
mod catalogue;
mod job;
mod local;
mod packs;
pub mod recipes;
mod report;
mod request;
mod rule;
mod scan;

pub use cases::{CaseOutcome, REQUIRED, missing_cases, run_case, run_cases};
pub use catalogue::*;
pub use job::*;
pub use local::read_check;
pub use packs::{
    MANIFEST, Manifest, NOT_IN_GRAPH, Pack, PackCaseOutcome, PackKind, Read, ScubaProduct, prepare, run_pack_cases, scuba_export,
};
pub use report::*;
pub use request::*;
pub use rule::{OPERATORS, Rule, RuleError, Tree};

mod plan;
pub use plan::{Placeholder, Plan, Planned, plan, plan_by};
pub use scan::{scan, scan_by};
