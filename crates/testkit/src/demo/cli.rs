//! The real command line, as people and pipelines run it.

use crate::Arguments;
use anyhow::Context;
use serde_json::Value;
use tokio::process::Command;

/// The command line in the hands of one caller.
pub struct Cli<'a> {
    pub arguments: &'a Arguments,
    pub url: &'a str,
    /// A key, or a person's token.
    pub token: &'a str,
}

/// What one command left behind.
pub struct Done {
    pub code: Option<i32>,
    /// Null where it printed nothing.
    pub document: Value,
    pub said: String,
}

impl Cli<'_> {
    /// Runs a command with `--json`.
    pub async fn run(&self, words: &[&str]) -> anyhow::Result<Done> {
        let mut command = Command::new(self.arguments.programs.join("bailiwick"));
        command.args(words).arg("--json").env("BAILIWICK_URL", self.url).env("BAILIWICK_TOKEN", self.token);
        let done = command.env_remove("BAILIWICK_TOKEN_FILE").output().await.context("cannot run bailiwick")?;
        let document = if done.stdout.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&done.stdout).context("the command line printed no JSON")?
        };
        Ok(Done { code: done.status.code(), document, said: String::from_utf8_lossy(&done.stderr).into_owned() })
    }
}

impl Done {
    /// What it printed, if it went well. `what` is named where it did not.
    pub fn good(self, what: &str) -> anyhow::Result<Value> {
        self.ended_with(0, what)
    }

    /// What it printed, if it ended with `code`.
    pub fn ended_with(self, code: i32, what: &str) -> anyhow::Result<Value> {
        anyhow::ensure!(self.code == Some(code), "{what} ended with {:?} and not {code}: {}", self.code, self.said);
        Ok(self.document)
    }
}
