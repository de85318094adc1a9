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
            // No token is to be had. One that a service refuses for a single request says nothing of the others.
            ReasonCode::Unauthorized if self.status.is_none() => Some(Scope::Service),
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
            code => (Verdict::Error, format!("{} was not read: {} ({message})", check.collect.path, what_happened(*code))),
        };
        (verdict, Reason { code: *code, text })
    }
}

/// What kept a source from being read, and what to do.
fn what_happened(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::Cancelled => "the scan was called off.",
        ReasonCode::Deadline => "the time of the scan was over before it. Look for the sources that were slow, and scan again.",
        ReasonCode::Unauthorized => "the service refuses the access token, a new one too. Check the connection, then scan again.",
        ReasonCode::Throttled => "the service asked to wait, again and again. Scan again later.",
        ReasonCode::ServerError => "the service failed, again and again. Scan again later.",
        ReasonCode::Timeout => "the service did not answer in time. Scan again later.",
        ReasonCode::Unreachable => "the service cannot be reached. Look at the network and its name servers, then scan again.",
        ReasonCode::TooLarge => "the answer is larger than one may be.",
        ReasonCode::Truncated => "not all of its pages came, so nothing is said of any. Scan again.",
        ReasonCode::Malformed => "the answer is not what the service documents. Scan again; if it stays, report it.",
        _ => "the request was refused.",
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
