//! How a command ends badly: what happened, to which thing, what to do next, and the exit code that scripts read.
//!
//! 0 good; 1 configuration, authentication or bad input; 2 transient after retries; 3 blocked by a gate or a failed verification,
//! or stopped because a value is not what was approved.

use std::{fmt, process::ExitCode};

/// Why the command cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Trying again unchanged fails again.
    Input,
    /// Trying again later may succeed; the command has tried already.
    Transient,
    /// A gate that the caller set is not met: a score too low, a case that fails, a value that is not as it was approved.
    Blocked,
}

/// A failure a person reads. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: Kind,
    /// What happened, to which thing.
    pub what: String,
    /// The next step.
    pub hint: Option<String>,
    /// The server's stable code, where the server refused.
    pub code: Option<String>,
}

impl Failure {
    pub fn input(what: impl Into<String>) -> Self {
        Self { kind: Kind::Input, what: what.into(), hint: None, code: None }
    }
    pub fn transient(what: impl Into<String>) -> Self {
        Self { kind: Kind::Transient, ..Self::input(what) }
    }
    pub fn blocked(what: impl Into<String>) -> Self {
        Self { kind: Kind::Blocked, ..Self::input(what) }
    }
    /// With the server's stable code.
    pub fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Input => 1,
            Kind::Transient => 2,
            Kind::Blocked => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// The text of an error with its causes, each said once.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}
