//! What is to be carried out: what to look at, whether it is as it was, as it shall be, or otherwise, and what to send.

use bailiwick_base::{ContainmentId, FixId};
use bailiwick_checks::recipes::{self, Change, MemberChange, RecipeKind, Standing};
use bailiwick_cloud::write::{Write, WriteMethod};
use bailiwick_cloud::{CallError, Reply, Service};
use bailiwick_contract::connections::{CloudFailure, CloudFailureCode};
use bailiwick_contract::fixes::{ContainmentAct, FixChange, FixFailure, FixFailureCode, StepPurpose};
use serde_json::{Value, json};
use uuid::Uuid;

/// Whose steps they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Fix(FixId),
    /// One act; or all acts of a containment.
    Act(ContainmentId, Option<ContainmentAct>),
}

impl Subject {
    /// As the columns `fix_id`, `containment_id` and `act`.
    pub fn columns(&self) -> (Option<Uuid>, Option<Uuid>, Option<&'static str>) {
        match self {
            Self::Fix(fix) => (Some(fix.0), None, None),
            Self::Act(containment, act) => (None, Some(containment.0), act.map(ContainmentAct::as_str)),
        }
    }
    /// As the trail names it.
    pub fn target(&self) -> String {
        match self {
            Self::Fix(fix) => format!("fix/{fix}"),
            Self::Act(containment, _) => format!("containment/{containment}"),
        }
    }
}

/// What is to be reached.
#[derive(Debug, Clone)]
pub enum Goal {
    Apply(Box<Change>),
    RollBack {
        change: Box<Change>,
        /// The id of what it made.
        made: Option<String>,
    },
    /// Every session from before ends. `seen` is since when sessions counted, when it was last looked at before the write.
    Revoke {
        user: Uuid,
        seen: Option<Value>,
    },
    Account {
        user: Uuid,
        enabled: bool,
    },
}

/// How what is there stands to the goal.
#[derive(Debug, Clone, PartialEq)]
pub enum Stands {
    /// As it was when it was decided over.
    Before,
    /// As it shall be; with the id of what was made.
    Reached(Option<String>),
    Otherwise(Vec<FixChange>),
}

/// A request about to be sent.
#[derive(Debug, Clone)]
pub struct Sending {
    pub write: Write,
    /// What somebody who reads it later should know.
    pub detail: Option<String>,
}

/// Since when sessions count, as Graph calls it.
pub const SESSIONS: &str = "signInSessionsValidFromDateTime";

pub fn service(service: bailiwick_checks::Service) -> Service {
    match service {
        bailiwick_checks::Service::Arm => Service::Arm,
        _ => Service::Graph,
    }
}

fn method(method: recipes::Method) -> WriteMethod {
    match method {
        recipes::Method::Patch => WriteMethod::Patch,
        recipes::Method::Post => WriteMethod::Post,
        recipes::Method::Put => WriteMethod::Put,
        recipes::Method::Delete => WriteMethod::Delete,
    }
}

pub fn shown(change: &MemberChange) -> FixChange {
    FixChange { path: change.path.clone(), before: change.before.clone(), after: change.after.clone() }
}

impl Goal {
    pub fn purpose(&self) -> StepPurpose {
        match self {
            Self::Apply(_) => StepPurpose::Apply,
            Self::RollBack { .. } => StepPurpose::RollBack,
            Self::Account { enabled: true, .. } => StepPurpose::Release,
            Self::Revoke { .. } | Self::Account { .. } => StepPurpose::Contain,
        }
    }

    pub fn service(&self) -> Service {
        match self {
            Self::Apply(change) | Self::RollBack { change, .. } => service(change.service),
            Self::Revoke { .. } | Self::Account { .. } => Service::Graph,
        }
    }

    /// What to look at.
    pub fn read(&self) -> String {
        match self {
            Self::Apply(change) => change.read.clone(),
            Self::RollBack { change, made } => match recipes::undo(change, &Value::Null, made.as_deref()) {
                Ok(undo) => undo.read,
                Err(_) => change.read.clone(),
            },
            Self::Revoke { user, .. } | Self::Account { user, .. } => {
                format!("/v1.0/users/{user}?$select=id,displayName,userPrincipalName,accountEnabled,{SESSIONS}")
            }
        }
    }

    /// How an answer of [`Goal::read`] stands to the goal; null for one that says that nothing is there.
    pub fn stands(&self, current: &Value) -> Stands {
        match self {
            Self::Apply(change) => match recipes::compare(change, current) {
                Standing::AsBefore => Stands::Before,
                Standing::AsAfter if change.kind == RecipeKind::Create => Stands::Reached(recipes::created(change, current)),
                Standing::AsAfter => Stands::Reached(None),
                Standing::Other { differs } => Stands::Otherwise(differs.iter().map(shown).collect()),
            },
            Self::RollBack { change, .. } => match recipes::compare(change, current) {
                Standing::AsAfter => Stands::Before,
                Standing::AsBefore => Stands::Reached(None),
                // The planner tells what was expected before the change; here what it made is expected.
                Standing::Other { differs } => Stands::Otherwise(differs.iter().map(|member| as_left(change, member)).collect()),
            },
            Self::Revoke { .. } | Self::Account { .. } if current.is_null() => Stands::Otherwise(Vec::new()),
            Self::Revoke { seen, .. } => match seen {
                Some(seen) if *seen != current[SESSIONS] => Stands::Reached(None),
                _ => Stands::Before,
            },
            Self::Account { enabled, .. } => match current["accountEnabled"].as_bool() {
                Some(now) if now == *enabled => Stands::Reached(None),
                Some(_) => Stands::Before,
                None => Stands::Otherwise(vec![FixChange { path: "accountEnabled".into(), before: json!(!enabled), after: Value::Null }]),
            },
        }
    }

    /// What to send, where it stands as before.
    pub fn sending(&self, current: &Value) -> Result<Sending, FixFailure> {
        match self {
            Self::Apply(change) => {
                let moved = change.beside(current);
                let write = Write { method: method(change.method), path: change.write.clone(), body: Some(change.body_now(current)) };
                Ok(Sending { write, detail: beside(&moved) })
            }
            Self::RollBack { change, made } => {
                let undo = recipes::undo(change, current, made.as_deref());
                let undo = undo.map_err(|why| failure(FixFailureCode::Refused, why.to_string()))?;
                Ok(Sending { write: Write { method: method(undo.method), path: undo.path, body: undo.body }, detail: None })
            }
            Self::Revoke { user, .. } => {
                let path = format!("/v1.0/users/{user}/revokeSignInSessions");
                Ok(Sending { write: Write { method: WriteMethod::Post, path, body: None }, detail: None })
            }
            Self::Account { user, enabled } => {
                let write = Write {
                    method: WriteMethod::Patch,
                    path: format!("/v1.0/users/{user}"),
                    body: Some(json!({"accountEnabled": enabled})),
                };
                Ok(Sending { write, detail: None })
            }
        }
    }

    /// What it writes with, for the sentence that says that it is missing.
    pub fn permission(&self) -> &'static str {
        match self {
            Self::Revoke { .. } => "User.RevokeSessions.All",
            Self::Account { .. } => "User.EnableDisableAccount.All",
            Self::Apply(_) | Self::RollBack { .. } => "the recipe's permission",
        }
    }
}

/// What is there, beside what the change left there.
fn as_left(change: &Change, found: &MemberChange) -> FixChange {
    let left = change.changed.iter().find(|member| member.path == found.path).map_or(&found.before, |member| &member.after);
    FixChange { path: found.path.clone(), before: left.clone(), after: found.after.clone() }
}

fn beside(moved: &[MemberChange]) -> Option<String> {
    let paths: Vec<&str> = moved.iter().map(|member| member.path.as_str()).collect();
    let detail = "Moved since the review, and sent along as it is now, because Microsoft replaces the whole object:";
    (!paths.is_empty()).then(|| format!("{detail} {}.", paths.join(", ")))
}

// ---- what went wrong -----------------------------------------------------------------------------------------------

pub fn failure(code: FixFailureCode, detail: impl Into<String>) -> FixFailure {
    FixFailure { code, detail: detail.into(), microsoft_code: None, found: Vec::new() }
}

/// Somebody else's text: bounded, without control characters.
fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// What an answer that is no success means. `what` is the thing that was refused, as a noun: "this change".
pub fn refusal(status: u16, body: Option<&Value>, what: &str, permission: &str) -> FixFailure {
    let error = &body.unwrap_or(&Value::Null)["error"];
    let microsoft_code = error["code"].as_str().map(bounded).filter(|code| !code.is_empty());
    let said =
        error["message"].as_str().map(bounded).filter(|said| !said.is_empty()).map(|said| format!(" It said: {said}")).unwrap_or_default();
    let licence = microsoft_code.as_deref() == Some("Authentication_RequestFromNonPremiumTenantOrB2CTenant");
    let (code, detail) = match status {
        401 => {
            (FixFailureCode::ConnectionRefused, "Microsoft took the application's token no longer. Check the write connection.".to_owned())
        }
        403 if licence => (FixFailureCode::Refused, "The directory has no licence for this.".to_owned()),
        403 => (
            FixFailureCode::PermissionMissing,
            format!(
                "The write connection may not make {what}: it lacks {permission}, or the directory forbids it.{said} Consent again, then apply again."
            ),
        ),
        404 => (FixFailureCode::Refused, format!("Microsoft finds nothing there to make {what} to.{said} Plan again.")),
        409 | 412 => (
            FixFailureCode::Refused,
            format!("Microsoft refused {what}, because something else changes there ({status}).{said} Apply again in a moment."),
        ),
        429 => (FixFailureCode::Throttled, "Microsoft asks to slow down. Apply again in some minutes.".to_owned()),
        500.. => (FixFailureCode::Unreachable, format!("Microsoft answered {status}.{said} Apply again.")),
        _ => (FixFailureCode::Refused, format!("Microsoft refused {what} ({status}).{said}")),
    };
    FixFailure { code, detail, microsoft_code, found: Vec::new() }
}

/// Why there was no answer, in the words of a connection's failure.
pub fn unanswered(cloud: &CloudFailure) -> FixFailure {
    let code = match cloud.code {
        CloudFailureCode::Throttled => FixFailureCode::Throttled,
        CloudFailureCode::Unreachable => FixFailureCode::Unreachable,
        CloudFailureCode::PermissionMissing => FixFailureCode::PermissionMissing,
        CloudFailureCode::Refused => FixFailureCode::Refused,
        _ => FixFailureCode::ConnectionRefused,
    };
    FixFailure { code, detail: cloud.detail.clone(), microsoft_code: cloud.microsoft_code.clone(), found: Vec::new() }
}

/// What came of looking.
#[derive(Debug)]
pub enum Seen {
    /// What is there, or null where nothing is; with the status that said so.
    Value(Value, u16),
    /// Not to be seen, whoever asks again.
    Not(FixFailure, Option<u16>),
    /// Not now.
    NotNow(FixFailure, Option<u16>),
}

/// What one answer says.
pub fn seen(answer: Result<Reply, CallError>) -> Seen {
    let reply = match answer {
        Ok(reply) => reply,
        Err(error) => {
            let failure = unanswered(&crate::connections::reach::call_failure(&error));
            return match failure.code {
                FixFailureCode::Unreachable | FixFailureCode::Throttled => Seen::NotNow(failure, None),
                _ => Seen::Not(failure, None),
            };
        }
    };
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    match (reply.status, body) {
        (200..=299, Some(body)) => Seen::Value(body, reply.status),
        (200..=299, None) => {
            Seen::NotNow(failure(FixFailureCode::Unreachable, "Microsoft's answer is not JSON. Try again."), Some(reply.status))
        }
        (404, _) => Seen::Value(Value::Null, 404),
        (status @ (429 | 500..), body) => Seen::NotNow(refusal(status, body.as_ref(), "this look", "a permission to read"), Some(status)),
        (status, body) => Seen::Not(refusal(status, body.as_ref(), "this look", "a permission to read"), Some(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Uuid {
        "c0470500-0000-4000-8000-000000000014".parse().unwrap()
    }

    #[test]
    fn revoking_is_done_when_sessions_count_from_another_time_than_before() {
        let (before, after) = (json!({SESSIONS: "2026-01-01T00:00:00Z"}), json!({SESSIONS: "2026-11-22T08:00:00Z"}));
        let first = Goal::Revoke { user: person(), seen: None };
        assert_eq!(
            (first.stands(&before), first.stands(&after)),
            (Stands::Before, Stands::Before),
            "the first look never spares the write"
        );
        let then = Goal::Revoke { user: person(), seen: Some(before[SESSIONS].clone()) };
        assert_eq!((then.stands(&before), then.stands(&after)), (Stands::Before, Stands::Reached(None)));
        assert_eq!(then.stands(&Value::Null), Stands::Otherwise(vec![]));
    }

    #[test]
    fn an_account_is_as_it_shall_be_by_its_own_member() {
        let disable = Goal::Account { user: person(), enabled: false };
        assert_eq!(disable.stands(&json!({"accountEnabled": true})), Stands::Before);
        assert_eq!(disable.stands(&json!({"accountEnabled": false})), Stands::Reached(None));
        assert!(matches!(disable.stands(&json!({})), Stands::Otherwise(_)), "an absent value is not one that fits");
        let sending = disable.sending(&json!({"accountEnabled": true})).unwrap().write;
        assert_eq!((sending.method.as_str(), sending.body), ("PATCH", Some(json!({"accountEnabled": false}))));
        assert_eq!(disable.purpose(), StepPurpose::Contain);
        assert_eq!(Goal::Account { user: person(), enabled: true }.purpose(), StepPurpose::Release);
    }

    #[test]
    fn refusals_are_told_apart_and_bounded() {
        let body = json!({"error": {"code": "Authorization_RequestDenied", "message": format!("No\n{}", "x".repeat(1000))}});
        let denied = refusal(403, Some(&body), "this change", "Policy.ReadWrite.Authorization");
        assert_eq!(
            (denied.code, denied.microsoft_code.as_deref()),
            (FixFailureCode::PermissionMissing, Some("Authorization_RequestDenied"))
        );
        assert!(denied.detail.contains("Policy.ReadWrite.Authorization") && denied.detail.len() < 600 && !denied.detail.contains('\n'));
        let premium = json!({"error": {"code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant"}});
        assert_eq!(refusal(403, Some(&premium), "this change", "p").code, FixFailureCode::Refused);
        let codes: Vec<FixFailureCode> =
            [400, 401, 404, 409, 412, 429, 500].map(|status| refusal(status, None, "this change", "p").code).to_vec();
        use FixFailureCode::{ConnectionRefused, Refused, Throttled, Unreachable};
        assert_eq!(codes, [Refused, ConnectionRefused, Refused, Refused, Refused, Throttled, Unreachable]);
    }
}
