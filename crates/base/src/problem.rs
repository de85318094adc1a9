//! Errors people and scripts see: problem+json (RFC 9457) with a stable code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal;)*) => {
        /// What went wrong, for scripts. Codes are stable; titles may improve.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            pub fn status(self) -> u16 { match self { $(Code::$name => $status,)* } }
            pub fn title(self) -> &'static str { match self { $(Code::$name => $title,)* } }
        }
    };
}

codes! {
    BadRequest = 400, "The request cannot be read";
    BadCursor = 400, "The cursor is not valid";
    BadReport = 422, "The report cannot be read";
    UnknownFormat = 422, "The file is not a report format Bailiwick reads";
    LimitExceeded = 413, "A limit was reached";
    HashMismatch = 422, "The bytes received do not match the stated hash";
    UnknownDirectory = 422, "The report is about a directory this tenant does not know";
    NotSignedIn = 401, "Sign in, or send a valid key or token";
    NotAllowed = 403, "Your role does not allow this";
    /// A valid sign-in of somebody the tenant does not know.
    NotAMember = 403, "You are not a member here";
    NotFound = 404, "Nothing here that you may see";
    MethodNotAllowed = 405, "This address does not take that method";
    Conflict = 409, "The change collides with the present state";
    /// A directory is scanned by one scan at a time.
    ScanAlreadyRunning = 409, "A scan of this directory is under way";
    /// There is no working connection to the directory, or the environment has no application to connect with.
    NotConnected = 409, "The directory is not connected";
    WrongState = 409, "It is not in a state that allows this";
    /// This environment, or its operator, has not given the tenant what this needs.
    NotEntitled = 403, "This is not part of what your organisation has here";
    /// Fixes, or containment, are off for the directory until an owner turns them on.
    FixesOff = 409, "Fixes are off for this directory";
    /// What was approved or ordered is not what is stored.
    FixChanged = 409, "The fix is not the one that was shown";
    /// The second approver is somebody else than the first.
    SameApprover = 409, "Another person has to approve";
    /// The operator has configured no assistant.
    AssistantOff = 404, "No assistant is configured";
    UnsupportedMedia = 415, "The content type is not accepted here";
    TooManyRequests = 429, "Too many requests";
    Internal = 500, "Something broke on our side";
    Unavailable = 503, "A part Bailiwick depends on does not answer";
    StorageFull = 507, "The artifact storage is full";
}

impl Code {
    /// The code as it stands in `code`, e.g. `not_found`.
    pub fn name(self) -> String {
        serde_json_name(self)
    }
}

fn serde_json_name(code: Code) -> String {
    let debug = format!("{code:?}");
    let mut name = String::with_capacity(debug.len() + 4);
    for (i, c) in debug.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// A refusal or failure: what happened, to which thing, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// One or two sentences for a person. Never holds a secret, nor text from another tenant.
    pub detail: String,
    /// Where in the input: a JSON path, a line, a parameter name.
    pub place: Option<String>,
    /// What to tell the operator's log and nobody else.
    pub internal: Option<String>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), place: None, internal: None, retry_after: None }
    }
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
    /// Our own fault; the cause goes to the log only.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let mut problem =
            Self::new(Code::Internal, "The request failed on our side. Try again; if it stays, give the request id to your operator.");
        problem.internal = Some(cause.to_string());
        problem
    }
    pub fn unavailable(what: &str, cause: impl fmt::Display) -> Self {
        let mut problem = Self::new(Code::Unavailable, format!("{what} does not answer. Try again shortly.")).retry_after(5);
        problem.internal = Some(cause.to_string());
        problem
    }
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing at this address that you may see.")
    }
    /// Whether the same request may succeed later without being changed.
    pub fn transient(&self) -> bool {
        matches!(self.code, Code::Internal | Code::Unavailable | Code::TooManyRequests | Code::StorageFull)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code.name())?;
        if let Some(place) = &self.place {
            write!(f, " at {place}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// The body of an error answer, `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ProblemBody {
    /// `urn:bailiwick:problem:<code>`
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub code: Code,
    pub detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub request_id: String,
}

impl ProblemBody {
    pub fn of(problem: &Problem, request_id: impl fmt::Display) -> Self {
        Self {
            kind: format!("urn:bailiwick:problem:{}", problem.code.name()),
            title: problem.code.title().into(),
            status: problem.code.status(),
            code: problem.code,
            detail: problem.detail.clone(),
            place: problem.place.clone(),
            request_id: request_id.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_in_the_body_is_the_code_in_the_type() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }
}
