//! Looking into a directory as it is now: a handful of high-impact policies, and identity risk. Each source stands for itself: one that
//! fails says why and leaves the others as they are.

use crate::{Services, connections};
use bailiwick_base::{ConnectionId, DirectoryId, Problem, Timestamp};
use bailiwick_cloud::{Access, CallError, Reply, Service};
use bailiwick_contract::connections::{CloudFailure, CloudFailureCode};
use bailiwick_contract::evidence::Named;
use bailiwick_contract::scans::{
    ConditionalAccessSummary, LIVE, LivePolicies, LivePolicy, LiveSource, LiveThreats, RiskDetection, RiskyUser, SecurityAlert,
    SourceState, Sourced,
};
use bailiwick_store::ReadScope;
use serde_json::{Value, json};

/// How many of a source are shown.
const SHOWN: usize = 50;

/// Where to look, and with what.
pub struct Looking {
    directory: Option<Named<DirectoryId>>,
    connection: Option<ConnectionId>,
    access: Result<Access, LiveSource>,
}

/// Finds the connection that reads a directory, or the primary one.
///
/// # Errors
/// The database's. Where nothing is connected, the answer says so source by source.
pub async fn prepare(services: &Services, scope: &mut ReadScope, directory: Option<DirectoryId>) -> Result<Looking, Problem> {
    let tenant = scope.tenant();
    let Some(row) = connections::db::live(scope.sql(), tenant, LIVE, directory).await? else {
        let detail = "No connection reads this directory. Connect it under Connect.";
        return Ok(Looking { directory: None, connection: None, access: Err(source(SourceState::NotConnected, detail)) });
    };
    let access = connections::reach::access(services, scope, &row).await;
    let access = access.map_err(|problem| source(SourceState::NotConnected, &problem.detail));
    Ok(Looking { directory: Some(row.directory()), connection: Some(ConnectionId(row.id)), access })
}

fn source(state: SourceState, detail: &str) -> LiveSource {
    LiveSource { state, detail: Some(detail.to_owned()), permission: None }
}

fn ok() -> LiveSource {
    LiveSource { state: SourceState::Ok, detail: None, permission: None }
}

/// What one answer is worth: its body, or why there is none.
fn read(answer: Result<Reply, CallError>, permission: &str) -> Result<Value, LiveSource> {
    let reply = answer.map_err(|error| refused(&connections::reach::call_failure(&error), permission))?;
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    match (reply.status, body) {
        (200, Some(body)) => Ok(body),
        (200, None) => Err(source(SourceState::Error, "Microsoft's answer is not JSON. Try again.")),
        (403, body) => Err(forbidden(&body.unwrap_or_default(), permission)),
        (401, _) => Err(source(SourceState::Error, "Microsoft took the token no longer. Check the connection.")),
        (404, _) => Err(source(SourceState::NotThere, "The directory does not have this.")),
        (429, _) => Err(source(SourceState::Error, "Microsoft asks to slow down. Try again in a minute.")),
        (status, _) => Err(source(SourceState::Error, &format!("Microsoft answered {status}. Try again."))),
    }
}

fn refused(failure: &CloudFailure, permission: &str) -> LiveSource {
    match failure.code {
        CloudFailureCode::ConsentMissing => {
            LiveSource { state: SourceState::NeedsConsent, detail: Some(failure.detail.clone()), permission: Some(permission.to_owned()) }
        }
        _ => source(SourceState::Error, &failure.detail),
    }
}

/// A refusal for want of a licence is told from one for want of a permission by its code, and where Microsoft gives none that says it,
/// by the words of its message.
fn forbidden(body: &Value, permission: &str) -> LiveSource {
    let error = &body["error"];
    let (code, message) = (error["code"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default().to_lowercase());
    let licence = code == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
        || ["license", "licence", "premium", "not licensed"].iter().any(|word| message.contains(word));
    if licence {
        return source(SourceState::NotLicensed, "The directory has no licence for this.");
    }
    LiveSource {
        state: SourceState::NeedsConsent,
        detail: Some(format!("The connection lacks the permission {permission}. Have an administrator consent to it.")),
        permission: Some(permission.to_owned()),
    }
}

/// A policy that is looked at.
struct Look {
    key: &'static str,
    name: &'static str,
    description: &'static str,
    path: &'static str,
    permission: &'static str,
    pointer: &'static str,
    /// What is secure, as it is shown.
    secure: fn() -> Value,
    /// Whether the value that is there is secure; `None` where it cannot be told.
    judge: fn(&Value) -> Option<bool>,
}

const AUTHORIZATION: &str = "/v1.0/policies/authorizationPolicy";
const READ_ALL: &str = "Policy.Read.All";

fn is_true(value: &Value) -> Option<bool> {
    value.as_bool()
}
fn is_false(value: &Value) -> Option<bool> {
    value.as_bool().map(|v| !v)
}

const LOOKS: &[Look] = &[
    Look {
        key: "security_defaults",
        name: "Security defaults",
        description: "Microsoft's own minimum: multifactor authentication for everybody, no legacy protocols. For directories without Conditional Access.",
        path: "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        permission: READ_ALL,
        pointer: "/isEnabled",
        secure: || json!(true),
        judge: is_true,
    },
    Look {
        key: "guest_invites",
        name: "Who may invite guests",
        description: "Anybody who may invite guests may let strangers in.",
        path: AUTHORIZATION,
        permission: READ_ALL,
        pointer: "/allowInvitesFrom",
        secure: || json!(["adminsAndGuestInviters", "none"]),
        judge: |v| v.as_str().map(|word| matches!(word, "adminsAndGuestInviters" | "none")),
    },
    Look {
        key: "guest_access",
        name: "What guests may see",
        description: "Guests with the restricted role see their own profile only, and not who else is there.",
        path: AUTHORIZATION,
        permission: READ_ALL,
        pointer: "/guestUserRoleId",
        secure: || json!("2af84b1e-32c8-42b7-82bc-daa82404023b"),
        judge: |v| v.as_str().map(|id| id.eq_ignore_ascii_case("2af84b1e-32c8-42b7-82bc-daa82404023b")),
    },
    Look {
        key: "create_applications",
        name: "People register applications",
        description: "Whoever may register applications may make one that asks others for access.",
        path: AUTHORIZATION,
        permission: READ_ALL,
        pointer: "/defaultUserRolePermissions/allowedToCreateApps",
        secure: || json!(false),
        judge: is_false,
    },
    Look {
        key: "user_consent",
        name: "People consent to applications",
        description: "Consent by anybody is how hostile applications get mail and files.",
        path: AUTHORIZATION,
        permission: READ_ALL,
        pointer: "/defaultUserRolePermissions/permissionGrantPoliciesAssigned",
        secure: || json!([]),
        judge: |v| {
            let policies = v.as_array()?;
            Some(!policies.iter().filter_map(Value::as_str).any(|p| p.starts_with("ManagePermissionGrantsForSelf.")))
        },
    },
    Look {
        key: "admin_consent_workflow",
        name: "Requests for administrators' consent",
        description: "With it, people ask instead of finding a way around.",
        path: "/v1.0/policies/adminConsentRequestPolicy",
        permission: READ_ALL,
        pointer: "/isEnabled",
        secure: || json!(true),
        judge: is_true,
    },
    Look {
        key: "sharing",
        name: "Sharing with people outside",
        description: "Links for anybody need no sign-in: whoever gets one can open it.",
        path: "/v1.0/admin/sharepoint/settings",
        permission: "SharePointTenantSettings.Read.All",
        pointer: "/sharingCapability",
        secure: || json!(["disabled", "existingExternalUserSharingOnly", "externalUserSharingOnly"]),
        judge: |v| v.as_str().map(|word| matches!(word, "disabled" | "existingExternalUserSharingOnly" | "externalUserSharingOnly")),
    },
];

const CONDITIONAL_ACCESS: &str = "/v1.0/identity/conditionalAccess/policies?$select=id,state";

/// Policies as they are now. Each path is read once, whoever looks at its answer.
pub async fn policies(services: &Services, looking: Looking) -> LivePolicies {
    let mut paths: Vec<&str> = LOOKS.iter().map(|look| look.path).collect();
    paths.dedup();
    paths.push(CONDITIONAL_ACCESS);
    let answers: Vec<Result<Value, LiveSource>> = match &looking.access {
        Ok(access) => {
            let answers = services.microsoft.client.batch(access, &paths).await;
            answers.into_iter().zip(&paths).map(|(answer, path)| read(answer, permission_of(path))).collect()
        }
        Err(why) => paths.iter().map(|_| Err(why.clone())).collect(),
    };
    let answer = |path: &str| paths.iter().position(|p| *p == path).map(|at| &answers[at]);
    let policies = LOOKS.iter().filter_map(|look| Some(policy(look, answer(look.path)?))).collect();
    let conditional_access = match answer(CONDITIONAL_ACCESS) {
        Some(Ok(body)) => summary(body),
        Some(Err(why)) => nothing_known(why.clone()),
        None => nothing_known(ok()),
    };
    LivePolicies {
        directory: looking.directory,
        connection: looking.connection,
        read_at: services.store.now(),
        policies,
        conditional_access,
    }
}

fn permission_of(path: &str) -> &'static str {
    LOOKS.iter().find(|look| look.path == path).map_or(READ_ALL, |look| look.permission)
}

fn policy(look: &Look, answer: &Result<Value, LiveSource>) -> LivePolicy {
    let (source, current, compliant) = match answer {
        Err(why) => (why.clone(), None, None),
        Ok(body) => match body.pointer(look.pointer) {
            Some(value) => (ok(), Some(value.clone()), (look.judge)(value)),
            None => (source(SourceState::Error, "Microsoft's answer does not hold the value."), None, None),
        },
    };
    LivePolicy {
        key: look.key.into(),
        name: look.name.into(),
        description: look.description.into(),
        source,
        current,
        secure: (look.secure)(),
        compliant,
        fixable: super::catalogue::shipped().is_ok_and(|catalogue| catalogue.policy_recipe(look.key).is_some()),
    }
}

fn nothing_known(source: LiveSource) -> ConditionalAccessSummary {
    ConditionalAccessSummary { source, total: 0, enabled: 0, report_only: 0, disabled: 0 }
}

fn summary(body: &Value) -> ConditionalAccessSummary {
    let Some(policies) = body["value"].as_array() else {
        return nothing_known(source(SourceState::Error, "Microsoft's answer is no list of policies."));
    };
    let count = |state: &str| policies.iter().filter(|p| p["state"] == state).count() as u32;
    let mut counted = nothing_known(ok());
    if body.get("@odata.nextLink").is_some() {
        counted.source.detail = Some("There are more policies than were read.".into());
    }
    counted.total = policies.len() as u32;
    (counted.enabled, counted.report_only, counted.disabled) =
        (count("enabled"), count("enabledForReportingButNotEnforced"), count("disabled"));
    counted
}

const RISKY_USERS: (&str, &str) = (
    "/v1.0/identityProtection/riskyUsers?$filter=riskState eq 'atRisk' or riskState eq 'confirmedCompromised'&$top=50",
    "IdentityRiskyUser.Read.All",
);
const DETECTIONS: (&str, &str) =
    ("/v1.0/identityProtection/riskDetections?$orderby=detectedDateTime desc&$top=50", "IdentityRiskEvent.Read.All");
const ALERTS: (&str, &str) = ("/v1.0/security/alerts_v2?$orderby=createdDateTime desc&$top=50", "SecurityAlert.Read.All");

/// Identity risk as Microsoft sees it now: three sources, asked at the same time.
pub async fn threats(services: &Services, looking: Looking) -> LiveThreats {
    let ask = async |(path, permission): (&str, &str)| match &looking.access {
        Ok(access) => read(services.microsoft.client.get(access, Service::Graph, path).await, permission),
        Err(why) => Err(why.clone()),
    };
    let (users, detections, alerts) = futures::join!(ask(RISKY_USERS), ask(DETECTIONS), ask(ALERTS));
    LiveThreats {
        directory: looking.directory,
        connection: looking.connection,
        read_at: services.store.now(),
        risky_users: listed(users, risky_user),
        detections: listed(detections, detection),
        alerts: listed(alerts, alert),
    }
}

fn listed<T>(answer: Result<Value, LiveSource>, item: fn(&Value) -> T) -> Sourced<T> {
    let nothing = |source| Sourced { source, items: Vec::new(), more: false };
    match answer {
        Err(why) => nothing(why),
        Ok(body) => match body["value"].as_array() {
            None => nothing(source(SourceState::Error, "Microsoft's answer is no list.")),
            Some(items) => Sourced {
                source: ok(),
                items: items.iter().take(SHOWN).map(item).collect(),
                more: items.len() > SHOWN || body.get("@odata.nextLink").is_some(),
            },
        },
    }
}

/// A member's text, bounded: what others wrote is shown, never trusted.
fn text(item: &Value, member: &str) -> String {
    item[member].as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).take(300).collect()
}

fn time(item: &Value, member: &str) -> Option<Timestamp> {
    item[member].as_str()?.parse().ok()
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn risky_user(item: &Value) -> RiskyUser {
    RiskyUser {
        id: text(item, "id"),
        name: text(item, "userDisplayName"),
        principal_name: text(item, "userPrincipalName"),
        level: text(item, "riskLevel"),
        state: text(item, "riskState"),
        detail: text(item, "riskDetail"),
        changed_at: time(item, "riskLastUpdatedDateTime"),
    }
}

fn detection(item: &Value) -> RiskDetection {
    RiskDetection {
        id: text(item, "id"),
        kind: text(item, "riskEventType"),
        level: text(item, "riskLevel"),
        state: text(item, "riskState"),
        user_name: text(item, "userDisplayName"),
        principal_name: text(item, "userPrincipalName"),
        address: given(text(item, "ipAddress")),
        country: given(text(&item["location"], "countryOrRegion")),
        detected_at: time(item, "detectedDateTime"),
    }
}

fn alert(item: &Value) -> SecurityAlert {
    let url = text(item, "alertWebUrl");
    SecurityAlert {
        id: text(item, "id"),
        title: text(item, "title"),
        severity: text(item, "severity"),
        status: text(item, "status"),
        category: text(item, "category"),
        source: text(item, "serviceSource"),
        created_at: time(item, "createdDateTime"),
        url: url.starts_with("https://").then_some(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_whether_a_licence_or_a_permission_is_missing() {
        let premium =
            json!({"error": {"code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "message": "Neither tenant is B2C"}});
        assert_eq!(forbidden(&premium, "X.Read").state, SourceState::NotLicensed);
        let words = json!({"error": {"code": "Forbidden", "message": "Your tenant is not licensed for this feature."}});
        assert_eq!(forbidden(&words, "X.Read").state, SourceState::NotLicensed);
        let denied = forbidden(&json!({"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}), "X.Read");
        assert_eq!((denied.state, denied.permission.as_deref()), (SourceState::NeedsConsent, Some("X.Read")));
        assert_eq!(forbidden(&Value::Null, "X.Read").state, SourceState::NeedsConsent);
    }

    #[test]
    fn a_value_that_is_not_there_is_no_verdict() {
        for look in LOOKS {
            let absent = policy(look, &Ok(json!({})));
            assert_eq!((absent.compliant, absent.current), (None, None), "{}", look.key);
            assert_eq!(absent.source.state, SourceState::Error);
            let secure = (look.secure)();
            let good = if look.key == "user_consent" { json!([]) } else { secure.get(0).cloned().unwrap_or(secure) };
            assert_eq!((look.judge)(&good), Some(true), "{}", look.key);
        }
    }

    #[test]
    fn conditional_access_is_counted_by_state() {
        let body = json!({"value": [{"state": "enabled"}, {"state": "enabledForReportingButNotEnforced"}, {"state": "disabled"}, {"state": "enabled"}]});
        let counted = summary(&body);
        assert_eq!((counted.total, counted.enabled, counted.report_only, counted.disabled), (4, 2, 1, 1));
        assert_eq!(summary(&json!({})).source.state, SourceState::Error);
    }

    #[test]
    fn hostile_text_of_an_alert_is_bounded_and_its_link_is_a_web_address_or_nothing() {
        let shown = alert(&json!({"id": "1", "title": format!("a\n{}", "x".repeat(1000)), "alertWebUrl": "javascript:alert(1)"}));
        assert_eq!((shown.title.len(), shown.url), (300, None));
    }
}
