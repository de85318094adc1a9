//! Fixes: changes to a directory that a scan proposes, people approve one by one, and a write connection carries out; and the
//! containing of people at risk.
//!
//! What may be written is a list of recipes on the server's side. A client names a recipe or a fix, never a path, a method or a body.

use crate::evidence::Named;
use crate::operation::{Guard, json, operations, words};
use crate::permission::Permission;
use bailiwick_base::{ConnectionId, ContainmentId, Cursor, DirectoryId, FixId, FixPlanId, Page, Principal, ScanId, Severity, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

words! {
    /// The life of a fix.
    FixState {
        /// Waits for its first approval.
        Proposed = "proposed",
        /// Approved once; another person has to approve as well.
        AwaitingSecond = "awaiting_second",
        /// Has all its approvals and waits for the order to apply it.
        Approved = "approved",
        /// Ordered for a later time, or for the change window to open.
        Scheduled = "scheduled",
        Applying = "applying",
        /// Written and read back as it was proposed.
        Applied = "applied",
        /// The value had changed since it was shown: nothing was written.
        Stopped = "stopped",
        Failed = "failed",
        RollingBack = "rolling_back",
        RolledBack = "rolled_back",
        RollbackFailed = "rollback_failed",
        /// Somebody decided against it.
        Dismissed = "dismissed",
        /// A newer plan proposes in its place.
        Superseded = "superseded",
    }

    /// What kind of change a recipe makes.
    FixKind {
        /// Sets members of something that is there.
        Patch = "patch",
        /// Makes something new: a Conditional Access policy, in report-only state.
        Create = "create",
        /// Turns a policy that Bailiwick made from report-only to enforced.
        Enforce = "enforce",
    }

    /// How much can go wrong.
    FixRisk { Low = "low", Medium = "medium", High = "high" }

    /// What one step of carrying out did.
    StepKind {
        /// Looked before writing.
        Read = "read",
        Write = "write",
        /// Looked whether the write shows.
        Reread = "reread",
    }

    /// What a step was part of.
    StepPurpose { Apply = "apply", RollBack = "roll_back", Contain = "contain", Release = "release" }

    /// Why something was not carried out.
    FixFailureCode {
        /// The value is not what was approved.
        Changed = "changed",
        /// The write was answered as done, and the value did not show.
        NotKept = "not_kept",
        /// The write was begun and brought no answer, and nothing changed there.
        NotSent = "not_sent",
        /// What was written could not be read back.
        NotRead = "not_read",
        /// Microsoft gave the application no token, or took it no longer.
        ConnectionRefused = "connection_refused",
        /// The application lacks the named permission.
        PermissionMissing = "permission_missing",
        /// Microsoft refused this change.
        Refused = "refused",
        Throttled = "throttled",
        Unreachable = "unreachable",
        /// No write connection reaches the directory any more.
        NotConnected = "not_connected",
        /// Fixes, or containment, were turned off meanwhile.
        Off = "off",
        NotEntitled = "not_entitled",
        /// The approvals do not fit what would be written.
        NotApproved = "not_approved",
        Internal = "internal",
    }

    /// A day of the week.
    Weekday {
        Monday = "mon", Tuesday = "tue", Wednesday = "wed", Thursday = "thu", Friday = "fri", Saturday = "sat", Sunday = "sun",
    }

    /// The life of a containment.
    ContainmentState {
        /// At least one of its writes is under way.
        Acting = "acting",
        /// Everything that was ordered is done.
        Contained = "contained",
        /// Some of it is done; see what failed.
        Partly = "partly",
        Failed = "failed",
        Releasing = "releasing",
        /// The account is enabled again.
        Released = "released",
        ReleaseFailed = "release_failed",
    }

    /// One of the writes of a containment.
    ContainmentAct { RevokeSessions = "revoke_sessions", Disable = "disable", Release = "release" }

    /// How one of the writes of a containment stands.
    ActState { Waiting = "waiting", Done = "done", Failed = "failed" }
}

/// What an owner decided about fixes of one directory. Off until they say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixSettings {
    /// Whether fixes may be planned and carried out.
    pub enabled: bool,
    /// Whether each fix needs two people's approval.
    #[serde(default)]
    pub second_approver: bool,
    /// When fixes may be carried out; at any time where none is set. Rolling back waits for no window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<ChangeWindow>,
    /// Whether people at risk may be contained.
    #[serde(default)]
    pub containment: bool,
}

/// The hours of the week in which changes may be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeWindow {
    /// The days on which it opens, at least one.
    #[schemars(length(min = 1, max = 7))]
    pub days: Vec<Weekday>,
    /// `HH:MM`, 24 hours: when it opens.
    #[schemars(length(min = 5, max = 5))]
    pub from: String,
    /// `HH:MM`: when it closes; on the next day where that is not after `from`.
    #[schemars(length(min = 5, max = 5))]
    pub until: String,
    /// IANA time zone, e.g. `Europe/Berlin`.
    #[schemars(length(min = 1, max = 60))]
    pub time_zone: String,
}

/// What the tenant has of this capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FixEntitlements {
    pub fixes: bool,
    pub containment: bool,
}

/// The settings of a directory, and what else decides whether anything can be carried out there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixSettingsOfDirectory {
    pub directory: DirectoryId,
    pub settings: FixSettings,
    pub entitled: FixEntitlements,
    /// The live connection that writes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<ConnectionId>,
    /// When the change window opens next; absent while it is open, or where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<Principal>,
}

/// What may be written: one entry of the allow-list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixRecipe {
    pub id: String,
    pub version: u32,
    pub title: String,
    pub kind: FixKind,
    /// `graph` or `arm`.
    pub service: String,
    pub method: String,
    /// With placeholders in braces.
    pub path: String,
    /// The application permission it writes with, or `AzureRole:` and the name of a role.
    pub permission: String,
    pub risk: FixRisk,
    /// Who notices what.
    pub blast_radius: String,
    /// What taking it back means.
    pub rollback: String,
    /// What to do or to know afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_note: Option<String>,
    pub checks: Vec<String>,
    /// The licence without which it does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Keys of the live policies that it secures.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Whether the write connection was granted the permission; absent where none is connected, or an Azure role decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<bool>,
}

/// Every recipe, by id.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixRecipes {
    pub items: Vec<FixRecipe>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixRecipeQuery {
    /// The directory whose write connection is looked at; that of the primary one unless told.
    #[serde(default)]
    pub directory: Option<DirectoryId>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFixPlan {
    /// The directory; that of the primary read connection unless told.
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    /// The scan to plan from; the directory's latest completed one unless told.
    #[serde(default)]
    pub scan: Option<ScanId>,
    /// Recipes to plan by; all unless told.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub recipes: Vec<String>,
    /// Keys of live policies to secure, whatever a scan says of them.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub policies: Vec<String>,
}

/// What one planning proposes. Planning reads the directory and changes nothing there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixPlan {
    pub id: FixPlanId,
    pub directory: Named<DirectoryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanId>,
    pub created_at: Timestamp,
    pub by: Principal,
    /// The worst first. Their steps are shown by `get_fix`.
    pub fixes: Vec<Fix>,
    pub left_out: Vec<LeftOut>,
}

/// What a plan proposes nothing for, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<FixObject>,
    /// `no_recipe`, `already_so`, `in_hand`, `no_emergency_accounts`, `not_read`, `more_objects`, or another of the planner's.
    pub code: String,
    /// What is the matter and what to do.
    pub detail: String,
    /// The fix that is in hand already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<FixId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FixRecipeRef {
    pub id: String,
    pub version: u32,
    pub title: String,
    pub kind: FixKind,
}

/// A check that a fix would make pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FixCheck {
    pub check: String,
    pub title: String,
    pub severity: Severity,
}

/// The thing of the directory that a fix changes, where the recipe is for more than one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FixObject {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The exact request that an approval allows, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FixRequest {
    pub method: String,
    /// The whole address.
    pub url: String,
    pub body: Value,
}

/// One member that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FixChange {
    /// Dotted, from the top of the object.
    pub path: String,
    /// Null where it is not there.
    pub before: Value,
    pub after: Value,
}

/// One person's approval. It holds for what the digest stands for and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    pub by: Principal,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub digest: String,
}

/// One request that was made to carry something out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FixStep {
    pub at: Timestamp,
    pub purpose: StepPurpose,
    pub kind: StepKind,
    pub method: String,
    pub url: String,
    /// Microsoft's answer; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What was sent. Secrets are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Value>,
    /// What came back, cut at 16 KiB. Secrets are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
    /// What it came to, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Why something was not carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FixFailure {
    pub code: FixFailureCode,
    /// What happened and what to do next.
    pub detail: String,
    /// Microsoft's own code, e.g. `Authorization_RequestDenied` or `AADSTS7000222`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft_code: Option<String>,
    /// Where it is not as expected: `before` is what was expected, `after` what is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FixChange>,
}

/// What may be done with a fix now: null, or the reason why not, in words. The caller's permissions come on top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FixMay {
    pub approve: Option<String>,
    pub apply: Option<String>,
    pub roll_back: Option<String>,
    pub withdraw: Option<String>,
    /// Null where an assistant is configured.
    pub explain: Option<String>,
}

/// One proposed change to a directory.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    pub id: FixId,
    pub plan: FixPlanId,
    pub planned_at: Timestamp,
    pub planned_by: Principal,
    pub directory: Named<DirectoryId>,
    pub recipe: FixRecipeRef,
    pub checks: Vec<FixCheck>,
    /// The worst of its checks.
    pub severity: Severity,
    pub risk: FixRisk,
    pub blast_radius: String,
    /// What taking it back means.
    pub rollback: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_note: Option<String>,
    pub permission: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<FixObject>,
    pub request: FixRequest,
    /// The members it touches as they were read; null where something new is made.
    pub before: Value,
    /// The same members as they will be.
    pub after: Value,
    pub changed: Vec<FixChange>,
    /// Stands for recipe, request, before and after: what an approval binds to.
    pub digest: String,
    pub state: FixState,
    /// True where what it makes only reports at first.
    pub report_only: bool,
    pub approvals: Vec<Approval>,
    /// 1 or 2.
    pub approvals_needed: u8,
    /// When it is due, while it is scheduled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When the change window opens next; absent while it is open, or where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// Oldest first. Empty in lists: `get_fix` shows them.
    #[serde(default)]
    pub steps: Vec<FixStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FixFailure>,
    /// Who ordered it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_by: Option<Principal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_by: Option<Principal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_by: Option<Principal>,
    /// The scan after it in which its checks passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by_scan: Option<ScanId>,
    pub may: FixMay,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixQuery {
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    #[serde(default)]
    pub state: Option<FixState>,
    #[serde(default)]
    pub severity: Option<Severity>,
    #[serde(default)]
    pub plan: Option<FixPlanId>,
    #[serde(default)]
    #[schemars(length(max = 120))]
    pub recipe: Option<String>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApproval {
    /// The digest of the fix as it was shown.
    #[schemars(length(min = 64, max = 64))]
    pub digest: String,
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyOrder {
    /// The digest of the fix as it was shown.
    #[schemars(length(min = 64, max = 64))]
    pub digest: String,
    /// Not before this time; at once unless told. The change window holds besides.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBackOrder {
    /// The digest of the fix as it was shown.
    #[schemars(length(min = 64, max = 64))]
    pub digest: String,
}

/// A fix in words, by the assistant that the operator configured. Only words: nothing follows from it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixExplanation {
    /// Plain text.
    pub text: String,
    /// What the assistant calls itself.
    pub model: String,
    /// Whether it was told ids and names, or placeholders in their place.
    pub identifiers: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixPath {
    pub fix: FixId,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixPlanPath {
    pub plan: FixPlanId,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixedDirectoryPath {
    pub directory: DirectoryId,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContainment {
    pub directory: DirectoryId,
    /// The person's object id.
    #[schemars(length(min = 36, max = 36))]
    pub user: String,
    /// Signs them out everywhere.
    pub revoke_sessions: bool,
    /// Lets them sign in no more.
    pub disable: bool,
    /// Why; it stands in the trail.
    #[schemars(length(min = 1, max = 1000))]
    pub reason: String,
}

/// The person who is contained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainedUser {
    pub id: String,
    /// As the directory shows it, once it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_name: Option<String>,
}

/// How one write of a containment stands. The writes do not wait for each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActStanding {
    pub act: ContainmentAct,
    pub state: ActState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FixFailure>,
}

/// What may be done with a containment now: null, or the reason why not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainmentMay {
    pub release: Option<String>,
}

/// The containing of one person at risk.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Containment {
    pub id: ContainmentId,
    pub directory: Named<DirectoryId>,
    pub user: ContainedUser,
    pub revoke_sessions: bool,
    pub disable: bool,
    pub reason: String,
    pub state: ContainmentState,
    pub by: Principal,
    pub at: Timestamp,
    pub acts: Vec<ActStanding>,
    /// Oldest first. Empty in lists: `get_containment` shows them.
    #[serde(default)]
    pub steps: Vec<FixStep>,
    /// The first thing that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FixFailure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_by: Option<Principal>,
    pub may: ContainmentMay,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainmentQuery {
    #[serde(default)]
    pub directory: Option<DirectoryId>,
    /// A person's object id.
    #[serde(default)]
    #[schemars(length(max = 36))]
    pub user: Option<String>,
    #[serde(default)]
    pub state: Option<ContainmentState>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// 1 to 200; 50 unless told.
    #[serde(default)]
    pub limit: Option<u16>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ContainmentPath {
    pub containment: ContainmentId,
}

json!(
    FixSettings,
    FixSettingsOfDirectory,
    FixRecipes,
    NewFixPlan,
    FixPlan,
    Fix,
    Page<Fix>,
    NewApproval,
    Withdrawal,
    ApplyOrder,
    RollBackOrder,
    FixExplanation,
    NewContainment,
    Containment,
    Page<Containment>,
);

operations! {
    /// Shows what an owner decided about fixes of a directory, and what else decides.
    GetFixSettings = "get_fix_settings" Get "/api/v1/fix-settings/{directory}" {
        guard: Guard::Needs(Permission::FixesRead), effect: Read, rate: Read, params: FixedDirectoryPath, answer: FixSettingsOfDirectory, status: 200,
        example: {"directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "settings": {"enabled": true, "second_approver": true, "window": {"days": ["mon", "tue", "wed", "thu"], "from": "22:00", "until": "04:00", "time_zone": "Europe/Berlin"}, "containment": false}, "entitled": {"fixes": true, "containment": true}, "writer": "0192f0c1-2b3c-7d4e-8f50-61728394a5d2", "opens_at": "2026-11-23T21:00:00Z", "changed_at": "2026-11-22T08:00:00Z", "changed_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Decides about fixes of a directory: whether, by how many people, when.
    SetFixSettings = "set_fix_settings" Put "/api/v1/fix-settings/{directory}" {
        guard: Guard::Needs(Permission::FixesManage), effect: Write("fix_settings.changed"), rate: Write, params: FixedDirectoryPath, body: FixSettings, answer: FixSettingsOfDirectory, status: 200,
        example: {"directory": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "settings": {"enabled": true, "second_approver": true, "window": {"days": ["mon", "tue", "wed", "thu"], "from": "22:00", "until": "04:00", "time_zone": "Europe/Berlin"}, "containment": false}, "entitled": {"fixes": true, "containment": true}, "writer": "0192f0c1-2b3c-7d4e-8f50-61728394a5d2", "opens_at": "2026-11-23T21:00:00Z", "changed_at": "2026-11-22T08:00:00Z", "changed_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Lists everything that may be written: the recipes.
    ListFixRecipes = "list_fix_recipes" Get "/api/v1/fix-recipes" {
        guard: Guard::Needs(Permission::FixesRead), effect: Read, rate: Read, query: FixRecipeQuery, answer: FixRecipes, status: 200,
        example: {"items": [{"id": "entra.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "kind": "patch", "service": "graph", "method": "PATCH", "path": "/v1.0/policies/authorizationPolicy", "permission": "Policy.ReadWrite.Authorization", "risk": "low", "blast_radius": "People without an administrative role can no longer invite guests.", "rollback": "Sets who may invite back to what it was.", "checks": ["entra.authorization-policy.guest-invites"], "policies": ["guest_invites"], "granted": true}]},
    }
    /// Plans fixes: reads the directory as it is now and proposes what would make failing checks pass. Changes nothing there.
    PlanFixes = "plan_fixes" Post "/api/v1/fix-plans" {
        guard: Guard::Needs(Permission::FixesPlan), effect: Write("fix.planned"), rate: Write, body: NewFixPlan, answer: FixPlan, status: 201,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "scan": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "created_at": "2026-11-22T08:00:00Z", "by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "fixes": [{"id": "0192f0c1-2b3c-7d4e-8f50-61728394a701", "plan": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "planned_at": "2026-11-22T08:00:00Z", "planned_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "recipe": {"id": "entra.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "kind": "patch"}, "checks": [{"check": "entra.authorization-policy.guest-invites", "title": "Guest invitations are limited to administrators and inviters", "severity": "medium"}], "severity": "medium", "risk": "low", "blast_radius": "People without an administrative role can no longer invite guests. Guests who are there stay.", "rollback": "Sets who may invite back to what it was.", "permission": "Policy.ReadWrite.Authorization", "request": {"method": "PATCH", "url": "https://graph.example/v1.0/policies/authorizationPolicy", "body": {"allowInvitesFrom": "adminsAndGuestInviters"}}, "before": {"allowInvitesFrom": "everyone"}, "after": {"allowInvitesFrom": "adminsAndGuestInviters"}, "changed": [{"path": "allowInvitesFrom", "before": "everyone", "after": "adminsAndGuestInviters"}], "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "state": "proposed", "report_only": false, "approvals": [], "approvals_needed": 1, "steps": [], "may": {"approve": null, "apply": "It waits for approval.", "roll_back": "It was not applied.", "withdraw": null, "explain": "No assistant is configured."}}], "left_out": [{"check": "entra.conditional-access.mfa-all-users", "recipe": "ca.mfa-all-users", "code": "no_emergency_accounts", "detail": "No emergency account is configured, and a policy for everybody could lock everybody out. Name them in the scan settings of the directory."}]},
    }
    /// Shows a plan with its fixes as they stand now.
    GetFixPlan = "get_fix_plan" Get "/api/v1/fix-plans/{plan}" {
        guard: Guard::Needs(Permission::FixesRead), effect: Read, rate: Read, params: FixPlanPath, answer: FixPlan, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "scan": "0192f0c1-2b3c-7d4e-8f50-61728394a5e0", "created_at": "2026-11-22T08:00:00Z", "by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "fixes": [{"id": "0192f0c1-2b3c-7d4e-8f50-61728394a701", "plan": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "planned_at": "2026-11-22T08:00:00Z", "planned_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "recipe": {"id": "entra.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "kind": "patch"}, "checks": [{"check": "entra.authorization-policy.guest-invites", "title": "Guest invitations are limited to administrators and inviters", "severity": "medium"}], "severity": "medium", "risk": "low", "blast_radius": "People without an administrative role can no longer invite guests. Guests who are there stay.", "rollback": "Sets who may invite back to what it was.", "permission": "Policy.ReadWrite.Authorization", "request": {"method": "PATCH", "url": "https://graph.example/v1.0/policies/authorizationPolicy", "body": {"allowInvitesFrom": "adminsAndGuestInviters"}}, "before": {"allowInvitesFrom": "everyone"}, "after": {"allowInvitesFrom": "adminsAndGuestInviters"}, "changed": [{"path": "allowInvitesFrom", "before": "everyone", "after": "adminsAndGuestInviters"}], "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "state": "proposed", "report_only": false, "approvals": [], "approvals_needed": 1, "steps": [], "may": {"approve": null, "apply": "It waits for approval.", "roll_back": "It was not applied.", "withdraw": null, "explain": "No assistant is configured."}}], "left_out": [{"check": "entra.conditional-access.mfa-all-users", "recipe": "ca.mfa-all-users", "code": "no_emergency_accounts", "detail": "No emergency account is configured, and a policy for everybody could lock everybody out. Name them in the scan settings of the directory."}]},
    }
    /// Lists fixes, newest first.
    ListFixes = "list_fixes" Get "/api/v1/fixes" {
        guard: Guard::Needs(Permission::FixesRead), effect: Read, rate: Read, query: FixQuery, answer: Page<Fix>, status: 200,
        example: {"items": []},
    }
    /// Shows one fix with every step that was taken.
    GetFix = "get_fix" Get "/api/v1/fixes/{fix}" {
        guard: Guard::Needs(Permission::FixesRead), effect: Read, rate: Read, params: FixPath, answer: Fix, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a701", "plan": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "planned_at": "2026-11-22T08:00:00Z", "planned_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "recipe": {"id": "entra.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "kind": "patch"}, "checks": [{"check": "entra.authorization-policy.guest-invites", "title": "Guest invitations are limited to administrators and inviters", "severity": "medium"}], "severity": "medium", "risk": "low", "blast_radius": "People without an administrative role can no longer invite guests. Guests who are there stay.", "rollback": "Sets who may invite back to what it was.", "permission": "Policy.ReadWrite.Authorization", "request": {"method": "PATCH", "url": "https://graph.example/v1.0/policies/authorizationPolicy", "body": {"allowInvitesFrom": "adminsAndGuestInviters"}}, "before": {"allowInvitesFrom": "everyone"}, "after": {"allowInvitesFrom": "adminsAndGuestInviters"}, "changed": [{"path": "allowInvitesFrom", "before": "everyone", "after": "adminsAndGuestInviters"}], "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "state": "applied", "report_only": false, "approvals": [{"by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "at": "2026-11-22T08:05:00Z", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}], "approvals_needed": 1, "steps": [{"at": "2026-11-22T08:06:00Z", "purpose": "apply", "kind": "write", "method": "PATCH", "url": "https://graph.example/v1.0/policies/authorizationPolicy", "status": 204, "request": {"allowInvitesFrom": "adminsAndGuestInviters"}}], "may": {"approve": "It is applied.", "apply": "It is applied.", "roll_back": null, "withdraw": "It is applied.", "explain": "No assistant is configured."}, "applied_at": "2026-11-22T08:06:01Z", "applied_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Approves a fix as it was shown. Where two people are needed, the second is somebody else.
    ApproveFix = "approve_fix" Post "/api/v1/fixes/{fix}/approve" {
        guard: Guard::Needs(Permission::FixesApprove), effect: Write("fix.approved"), rate: Write, params: FixPath, body: NewApproval, answer: Fix, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a701", "plan": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "planned_at": "2026-11-22T08:00:00Z", "planned_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "recipe": {"id": "entra.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "kind": "patch"}, "checks": [{"check": "entra.authorization-policy.guest-invites", "title": "Guest invitations are limited to administrators and inviters", "severity": "medium"}], "severity": "medium", "risk": "low", "blast_radius": "People without an administrative role can no longer invite guests. Guests who are there stay.", "rollback": "Sets who may invite back to what it was.", "permission": "Policy.ReadWrite.Authorization", "request": {"method": "PATCH", "url": "https://graph.example/v1.0/policies/authorizationPolicy", "body": {"allowInvitesFrom": "adminsAndGuestInviters"}}, "before": {"allowInvitesFrom": "everyone"}, "after": {"allowInvitesFrom": "adminsAndGuestInviters"}, "changed": [{"path": "allowInvitesFrom", "before": "everyone", "after": "adminsAndGuestInviters"}], "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "state": "approved", "report_only": false, "approvals": [{"by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "at": "2026-11-22T08:05:00Z", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}], "approvals_needed": 1, "steps": [], "may": {"approve": "It has its approvals.", "apply": null, "roll_back": "It was not applied.", "withdraw": null, "explain": null}},
    }
    /// Takes one's approval back; a fix that nobody approved is dismissed.
    WithdrawFix = "withdraw_fix" Post "/api/v1/fixes/{fix}/withdraw" {
        guard: Guard::Needs(Permission::FixesApprove), effect: Write("fix.withdrawn"), rate: Write, params: FixPath, body: Withdrawal, answer: Fix, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a701", "plan": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "planned_at": "2026-11-22T08:00:00Z", "planned_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "recipe": {"id": "entra.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "kind": "patch"}, "checks": [{"check": "entra.authorization-policy.guest-invites", "title": "Guest invitations are limited to administrators and inviters", "severity": "medium"}], "severity": "medium", "risk": "low", "blast_radius": "People without an administrative role can no longer invite guests. Guests who are there stay.", "rollback": "Sets who may invite back to what it was.", "permission": "Policy.ReadWrite.Authorization", "request": {"method": "PATCH", "url": "https://graph.example/v1.0/policies/authorizationPolicy", "body": {"allowInvitesFrom": "adminsAndGuestInviters"}}, "before": {"allowInvitesFrom": "everyone"}, "after": {"allowInvitesFrom": "adminsAndGuestInviters"}, "changed": [{"path": "allowInvitesFrom", "before": "everyone", "after": "adminsAndGuestInviters"}], "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "state": "dismissed", "report_only": false, "approvals": [], "approvals_needed": 1, "steps": [], "may": {"approve": "It was dismissed.", "apply": "It was dismissed.", "roll_back": "It was not applied.", "withdraw": "It was dismissed.", "explain": null}},
    }
    /// Orders a fix to be applied: at once, or when the time or the change window has come.
    ApplyFix = "apply_fix" Post "/api/v1/fixes/{fix}/apply" {
        guard: Guard::Needs(Permission::FixesApply), effect: Write("fix.apply_ordered"), rate: Write, params: FixPath, body: ApplyOrder, answer: Fix, status: 202,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a701", "plan": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "planned_at": "2026-11-22T08:00:00Z", "planned_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "recipe": {"id": "entra.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "kind": "patch"}, "checks": [{"check": "entra.authorization-policy.guest-invites", "title": "Guest invitations are limited to administrators and inviters", "severity": "medium"}], "severity": "medium", "risk": "low", "blast_radius": "People without an administrative role can no longer invite guests. Guests who are there stay.", "rollback": "Sets who may invite back to what it was.", "permission": "Policy.ReadWrite.Authorization", "request": {"method": "PATCH", "url": "https://graph.example/v1.0/policies/authorizationPolicy", "body": {"allowInvitesFrom": "adminsAndGuestInviters"}}, "before": {"allowInvitesFrom": "everyone"}, "after": {"allowInvitesFrom": "adminsAndGuestInviters"}, "changed": [{"path": "allowInvitesFrom", "before": "everyone", "after": "adminsAndGuestInviters"}], "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "state": "scheduled", "report_only": false, "approvals": [{"by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "at": "2026-11-22T08:05:00Z", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}], "approvals_needed": 1, "steps": [], "may": {"approve": "It has its approvals.", "apply": null, "roll_back": "It was not applied.", "withdraw": null, "explain": null}, "not_before": "2026-11-23T21:00:00Z", "opens_at": "2026-11-23T21:00:00Z", "ordered_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Orders an applied fix to be taken back to what was recorded before it.
    RollBackFix = "roll_back_fix" Post "/api/v1/fixes/{fix}/roll-back" {
        guard: Guard::Needs(Permission::FixesApply), effect: Write("fix.roll_back_ordered"), rate: Write, params: FixPath, body: RollBackOrder, answer: Fix, status: 202,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a701", "plan": "0192f0c1-2b3c-7d4e-8f50-61728394a700", "planned_at": "2026-11-22T08:00:00Z", "planned_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "recipe": {"id": "entra.guest-invites", "version": 1, "title": "Guest invitations are limited to administrators and inviters", "kind": "patch"}, "checks": [{"check": "entra.authorization-policy.guest-invites", "title": "Guest invitations are limited to administrators and inviters", "severity": "medium"}], "severity": "medium", "risk": "low", "blast_radius": "People without an administrative role can no longer invite guests. Guests who are there stay.", "rollback": "Sets who may invite back to what it was.", "permission": "Policy.ReadWrite.Authorization", "request": {"method": "PATCH", "url": "https://graph.example/v1.0/policies/authorizationPolicy", "body": {"allowInvitesFrom": "adminsAndGuestInviters"}}, "before": {"allowInvitesFrom": "everyone"}, "after": {"allowInvitesFrom": "adminsAndGuestInviters"}, "changed": [{"path": "allowInvitesFrom", "before": "everyone", "after": "adminsAndGuestInviters"}], "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "state": "rolling_back", "report_only": false, "approvals": [{"by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "at": "2026-11-22T08:05:00Z", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}], "approvals_needed": 1, "steps": [], "may": {"approve": "It is under way.", "apply": "It is under way.", "roll_back": "It is under way.", "withdraw": "It is under way.", "explain": null}, "ordered_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "applied_at": "2026-11-22T08:06:01Z", "applied_by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}},
    }
    /// Explains a fix in words, where the operator configured an assistant. It is shown text and can do nothing.
    ExplainFix = "explain_fix" Get "/api/v1/fixes/{fix}/explanation" {
        guard: Guard::Needs(Permission::FixesRead), effect: Read, rate: Write, params: FixPath, answer: FixExplanation, status: 200,
        example: {"text": "Today anybody in the directory may invite guests. Afterwards only administrators and people with the Guest Inviter role may.", "model": "an-assistant", "identifiers": false},
    }
    /// Contains a person at risk: signs them out everywhere, lets them sign in no more, or both. The writes do not wait for each other.
    ContainUser = "contain_user" Post "/api/v1/containments" {
        guard: Guard::Needs(Permission::ContainmentAct), effect: Write("containment.ordered"), rate: Write, body: NewContainment, answer: Containment, status: 202,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a710", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "user": {"id": "c0470500-0000-4000-8000-000000000014", "name": "Robin Pike", "principal_name": "robin.pike@contoso.com"}, "revoke_sessions": true, "disable": true, "reason": "Leaked credentials, confirmed by phone.", "state": "acting", "by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "at": "2026-11-22T08:00:00Z", "acts": [{"act": "revoke_sessions", "state": "waiting"}, {"act": "disable", "state": "waiting"}], "may": {"release": "It is still under way."}},
    }
    /// Lists containments, newest first.
    ListContainments = "list_containments" Get "/api/v1/containments" {
        guard: Guard::Needs(Permission::FixesRead), effect: Read, rate: Read, query: ContainmentQuery, answer: Page<Containment>, status: 200,
        example: {"items": []},
    }
    /// Shows one containment with every step that was taken.
    GetContainment = "get_containment" Get "/api/v1/containments/{containment}" {
        guard: Guard::Needs(Permission::FixesRead), effect: Read, rate: Read, params: ContainmentPath, answer: Containment, status: 200,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a710", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "user": {"id": "c0470500-0000-4000-8000-000000000014", "name": "Robin Pike", "principal_name": "robin.pike@contoso.com"}, "revoke_sessions": true, "disable": true, "reason": "Leaked credentials, confirmed by phone.", "state": "contained", "by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "at": "2026-11-22T08:00:00Z", "acts": [{"act": "revoke_sessions", "state": "done", "done_at": "2026-11-22T08:00:02Z"}, {"act": "disable", "state": "done", "done_at": "2026-11-22T08:00:02Z"}], "may": {"release": null}},
    }
    /// Enables a contained person's account again, if it is still as the containment left it.
    ReleaseContainment = "release_containment" Post "/api/v1/containments/{containment}/release" {
        guard: Guard::Needs(Permission::ContainmentAct), effect: Write("containment.release_ordered"), rate: Write, params: ContainmentPath, answer: Containment, status: 202,
        example: {"id": "0192f0c1-2b3c-7d4e-8f50-61728394a710", "directory": {"id": "7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01", "name": "Contoso"}, "user": {"id": "c0470500-0000-4000-8000-000000000014", "name": "Robin Pike", "principal_name": "robin.pike@contoso.com"}, "revoke_sessions": true, "disable": true, "reason": "Leaked credentials, confirmed by phone.", "state": "releasing", "by": {"kind": "user", "id": "0192f0c1-2b3c-7d4e-8f50-61728394a5b8", "name": "Avery Howard"}, "at": "2026-11-22T08:00:00Z", "acts": [{"act": "revoke_sessions", "state": "done", "done_at": "2026-11-22T08:00:02Z"}, {"act": "disable", "state": "done", "done_at": "2026-11-22T08:00:02Z"}, {"act": "release", "state": "waiting"}], "may": {"release": "It is still under way."}},
    }
}
