//! What the store refuses, and the one place where a named constraint becomes a client's error.

use bailiwick_base::{Code, Problem};

/// Why a scope could not be entered or a statement not be run.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No valid caller: not a member, no such key, not this tenant's directory.
    #[error("no valid caller")]
    NotSignedIn,
    /// A valid caller whose role, key or token does not carry the permission.
    #[error("not allowed")]
    NotAllowed,
    #[error(transparent)]
    Database(sqlx::Error),
    #[error("{0}")]
    Problem(#[from] Problem),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code()).map(|c| c.into_owned());
        match code.as_deref() {
            Some("BW401") => Self::NotSignedIn,
            Some("BW403") => Self::NotAllowed,
            _ => Self::Database(error),
        }
    }
}

/// What a violated constraint means to the caller. Constraints not named here are our own fault when they break.
fn constraint(name: &str) -> Option<(Code, &'static str)> {
    Some(match name {
        "projects_name" => (Code::Conflict, "A project of this name exists already. Choose another name."),
        "members_person" => (Code::Conflict, "This person is a member already."),
        "directories_pkey" => (Code::Conflict, "This directory is listed already."),
        "tenants_sign_in_directory" => (Code::Conflict, "This directory signs in to a tenant already."),
        "connections_live" => (Code::Conflict, "This directory is connected already. Disconnect it first to connect it another way."),
        "scans_one_at_a_time" => {
            (Code::ScanAlreadyRunning, "A scan of this directory is under way. Wait until it has ended, or cancel it.")
        }
        "fixes_open" => (Code::Conflict, "Another fix of the same thing is proposed or in hand. Decide about that one first."),
        "fix_approvals_once" => (Code::SameApprover, "You approved it already. The second approval is another person's."),
        "channels_name" => (Code::Conflict, "A channel of this name exists already. Choose another name."),
        "notification_rules_name" => (Code::Conflict, "A rule of this name exists already. Choose another name."),
        "scan_schedules_name" => (Code::Conflict, "A schedule of this name exists already. Choose another name."),
        "api_keys_project" | "runs_project" => (Code::NotFound, "There is no such project."),
        _ => return None,
    })
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotSignedIn => Problem::new(Code::NotSignedIn, "Sign in, or send a valid key or token."),
            StoreError::NotAllowed => Problem::new(Code::NotAllowed, "Your role does not allow this. Ask an owner of the tenant."),
            StoreError::Problem(problem) => problem,
            StoreError::Database(error) => database(&error),
        }
    }
}

fn database(error: &sqlx::Error) -> Problem {
    if let Some(named) = error.as_database_error() {
        if let Some((code, detail)) = named.constraint().and_then(constraint) {
            return Problem::new(code, detail);
        }
        return match named.code().as_deref() {
            // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, serialization, deadlock
            Some("57P01" | "57P02" | "57P03" | "53300" | "40001" | "40P01") => Problem::unavailable("The database", error),
            // query_canceled, lock_not_available
            Some("57014" | "55P03") => {
                let mut problem =
                    Problem::new(Code::Unavailable, "The answer took too long and was given up. Narrow the request, or try again shortly.")
                        .retry_after(5);
                problem.internal = Some(error.to_string());
                problem
            }
            // disk_full
            Some("53100") => Problem::new(Code::StorageFull, "The database's disk is full. Tell your operator."),
            // character_not_in_repertoire, untranslatable_character
            Some("22021" | "22P05") => Problem::new(Code::BadRequest, "The text holds a character that cannot be stored (NUL)."),
            _ => Problem::internal(error),
        };
    }
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::BeginFailed | sqlx::Error::Protocol(_) => {
            Problem::unavailable("The database", error)
        }
        _ => Problem::internal(error),
    }
}
