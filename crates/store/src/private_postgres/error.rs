//! What can keep a private PostgreSQL from running, each in one line that says what to do next.

use std::{io, path::PathBuf};

/// Why the private PostgreSQL does not start, or did not stay up.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    #[error(
        "PostgreSQL is not installed (looked in PATH and /usr/lib/postgresql): run `apt-get install postgresql`, or set DATABASE_URL to a server of your own"
    )]
    NotInstalled,
    #[error(
        "{folder} does not hold {missing}: name the folder that holds both `postgres` and `initdb`, or run `apt-get install postgresql`"
    )]
    Incomplete { folder: PathBuf, missing: &'static str },
    #[error("PostgreSQL in {folder} is version {major}, and Bailiwick needs 15 or newer: run `apt-get install postgresql`")]
    TooOld { folder: PathBuf, major: u32 },
    #[error("{program} does not tell its version ({detail}): check that {user} may run it, or run `apt-get install postgresql`")]
    NotRunnable { program: PathBuf, user: String, detail: String },
    #[error("the database in {data} was made by PostgreSQL {made}, and only {found} was found: run `apt-get install postgresql-{made}`")]
    OtherMajor { data: PathBuf, made: u32, found: u32 },
    #[error(
        "PostgreSQL does not run as root, and there is no user `postgres` to run it as: run `apt-get install postgresql`, `useradd --system postgres`, or start Bailiwick as an ordinary user"
    )]
    NoPostgresUser,
    #[error("user id {uid} has no entry in /etc/passwd, and PostgreSQL refuses such a user: start Bailiwick as a user that has one")]
    NoPasswdEntry { uid: u32 },
    #[error("user {user} may not pass through {folder}: run `chmod o+x {folder}`, or choose a data folder elsewhere")]
    NotTraversable { folder: PathBuf, user: String },
    #[error("{folder} holds `{found}`, which is not part of a private database: name an empty or new folder")]
    ForeignFolder { folder: PathBuf, found: String },
    #[error("{folder} is in use by another running Bailiwick: stop that one, or name another data folder")]
    InUse { folder: PathBuf },
    #[error("process {pid} still works in {folder} and does not end: stop it, then start again")]
    PredecessorStays { pid: i32, folder: PathBuf },
    #[error("initdb failed in {folder}: {detail}")]
    Initdb { folder: PathBuf, detail: String },
    #[error("PostgreSQL did not start: {detail} (its log is in {log})")]
    Start { detail: String, log: PathBuf },
    #[error("{doing} {path} failed: {source}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the private PostgreSQL runs but refuses its owner: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("the task that starts PostgreSQL was cancelled")]
    Cancelled,
}

impl PrivatePostgresError {
    /// For `map_err`: what was being done to which path.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
