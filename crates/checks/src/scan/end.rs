//! How reading a source ended, told from statuses and faults, and what that means for the checks that needed it.

use crate::{Answer, Check, FaultKind, Reason, ReasonCode, Service, SourceState, Verdict};
use serde_json::Value;

/// How one source ended, short of being read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub state: SourceState,
    pub code: ReasonCode,
    pub status: Option<u16>,
    pub message: String,
}

impl Fault {
    pub fn new(code: ReasonCode, status: Option<u16>, message: impl Into<String>) -> Self {
        let state = match code {
            ReasonCode::Licence => SourceState::Licence,
            ReasonCode::Permission => SourceState::Permission,
            ReasonCode::FeatureAbsent => SourceState::Absent,
            _ => SourceState::Failed,
        };
        Self { state, code, status, message: message.into() }
    }

    /// Nothing further can be asked: of anybody, or of that service.
    pub fn ends(&self) -> Option<Scope> {
        match self.code {
            ReasonCode::Cancelled | ReasonCode::Deadline => Some(Scope::Everything),
            ReasonCode::Unauthorized => Some(Scope::Service),
            _ => None,
        }
    }

    /// What a check says that needed the source.
    pub fn verdict(&self, check: &Check) -> (Verdict, Reason) {
        let Self { code, message, .. } = self;
        let need = check.permission.as_deref().unwrap_or("a permission that the check does not name");
        let (verdict, text) = match code {
            ReasonCode::Licence => (Verdict::Skipped, format!("The directory has no licence for this: {message}")),
            ReasonCode::Permission => (Verdict::Skipped, format!("The connection lacks {need}: grant it and scan again. ({message})")),
            ReasonCode::FeatureAbsent => (Verdict::Skipped, format!("The feature is not in this directory: {message}")),
            ReasonCode::Unreachable if check.collect.service == Service::Vault => {
                (Verdict::Unknown, format!("The vault cannot be reached from here, so nothing is known of it: {message}"))
            }
            _ => (Verdict::Error, message.clone()),
        };
        (verdict, Reason { code: *code, text })
    }
}

pub enum Scope {
    Service,
    Everything,
}

/// The body of a good answer, or how it failed. `further` says that this is not the first page.
pub fn body(answer: Answer, further: bool) -> Result<Vec<u8>, Fault> {
    match answer {
        Answer::Failed { kind, message } => Err(Fault::new(code_of(kind), None, message)),
        Answer::Body { status: 200..=299, body, .. } => Ok(body),
        Answer::Body { status, body, .. } => Err(refusal(status, &body, further)),
    }
}

fn code_of(kind: FaultKind) -> ReasonCode {
    match kind {
        FaultKind::Cancelled => ReasonCode::Cancelled,
        FaultKind::Deadline => ReasonCode::Deadline,
        FaultKind::Unauthorized => ReasonCode::Unauthorized,
        FaultKind::Unreachable => ReasonCode::Unreachable,
        FaultKind::Throttled => ReasonCode::Throttled,
        FaultKind::Server => ReasonCode::ServerError,
        FaultKind::Timeout => ReasonCode::Timeout,
        FaultKind::TooLarge => ReasonCode::TooLarge,
        FaultKind::Refused => ReasonCode::Refused,
    }
}

fn refusal(status: u16, body: &[u8], further: bool) -> Fault {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = told.get("error").unwrap_or(&told);
    let word = |value: &Value, member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let inner = error.get("innererror").or_else(|| error.get("innerError")).map(|inner| word(inner, "code")).unwrap_or_default();
    let (code, text) = (word(error, "code"), word(error, "message"));
    // A licence's absence is told in codes by some services and in words by others.
    let about_licence = |text: &str| ["licens", "premium"].iter().any(|word| text.to_lowercase().contains(word));
    let network = ["ForbiddenByFirewall", "ForbiddenByConnection"].contains(&inner.as_str());
    let reason = match status {
        _ if further && ![401, 429].contains(&status) && status < 500 => ReasonCode::Truncated,
        401 => ReasonCode::Unauthorized,
        402 => ReasonCode::Licence,
        400 | 403 if about_licence(&code) || (status == 403 && about_licence(&text)) => ReasonCode::Licence,
        403 if network => ReasonCode::Unreachable,
        403 => ReasonCode::Permission,
        404 => ReasonCode::FeatureAbsent,
        429 => ReasonCode::Throttled,
        500.. => ReasonCode::ServerError,
        _ => ReasonCode::BadRequest,
    };
    let part = if reason == ReasonCode::Truncated { "a further page was refused, so the listing is not whole: " } else { "" };
    Fault::new(reason, Some(status), format!("{part}HTTP {status} {code} {}", brief(&text)).trim().to_owned())
}

fn brief(text: &str) -> String {
    text.chars().take(300).collect()
}
