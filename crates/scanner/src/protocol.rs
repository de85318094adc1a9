//! What child and parent say to each other, in this order:
//!
//! | child | parent |
//! |---|---|
//! | `Hello` (which layers hold), or `Refused` | `Job` (body: the job), only after a `Hello` that suffices |
//! | `Fetch` (up to 20 requests) | one `Answer` a request, in their order (body: what the service answered) |
//! | `Planned` once, `Read`, `Snapshot` (body: a page of projected values), `Judged` (body: a result), any number of times | |
//! | `Done` (body: the report) | closes the pipe; the child ends |
//!
//! The parent has no word for "stop": it ends the child.

use crate::lock::Lockdown;
use bailiwick_checks::{Answer, FaultKind, Request, SourceStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raised when a message changes its meaning. Child and parent are of one build; this tells a stale program from a broken one.
pub const VERSION: u32 = 1;
/// Requests of one `Fetch`: as many as one Graph `$batch` takes.
pub const MOST_REQUESTS: usize = 20;

/// From the child.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromChild {
    /// The first word: the child is locked, and which layers hold.
    Hello {
        /// Version of this protocol.
        version: u32,
        /// What holds.
        lockdown: Lockdown,
    },
    /// The first word instead: a layer that the policy asks for does not hold.
    Refused {
        /// What holds, and what does not.
        lockdown: Lockdown,
    },
    /// How much there is to do.
    Planned {
        /// Requests to read.
        requests: usize,
        /// Checks to judge.
        checks: usize,
    },
    /// Please read these.
    Fetch {
        /// At most `MOST_REQUESTS`.
        requests: Vec<Request>,
    },
    /// A source has been read, or has failed.
    Read {
        /// Which, and how.
        source: SourceStatus,
    },
    /// Body: the allow-listed values of one page, as one line of JSON.
    Snapshot {
        /// What the page answers.
        request: Request,
    },
    /// Body: the result of one check.
    Judged {},
    /// Body: the report. The last word.
    Done {},
}

impl FromChild {
    /// Bytes its body may have.
    pub fn body_limit(&self) -> usize {
        match self {
            Self::Snapshot { .. } => 16 << 20,
            Self::Done {} => 8 << 20,
            Self::Judged {} => 1 << 20,
            _ => 0,
        }
    }
}

/// From the parent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromParent {
    /// Body: the job.
    Job {
        /// Version of this protocol.
        version: u32,
    },
    /// Body: what the service answered.
    Body {
        /// HTTP status.
        status: u16,
        /// The few headers that matter.
        headers: BTreeMap<String, String>,
    },
    /// There is no answer, and why.
    Failed {
        /// What kind of fault.
        fault: FaultKind,
        /// A sentence.
        message: String,
    },
}

impl FromParent {
    /// Header and body of an answer.
    pub fn answer(answer: Answer) -> (Self, Vec<u8>) {
        match answer {
            Answer::Body { status, headers, body } => (Self::Body { status, headers }, body),
            Answer::Failed { kind, message } => (Self::Failed { fault: kind, message }, Vec::new()),
        }
    }

    /// The answer again; `None` for a message that is none.
    pub fn into_answer(self, body: Vec<u8>) -> Option<Answer> {
        match self {
            Self::Body { status, headers } => Some(Answer::Body { status, headers, body }),
            Self::Failed { fault, message } => Some(Answer::Failed { kind: fault, message }),
            Self::Job { .. } => None,
        }
    }
}
