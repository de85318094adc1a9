//! Running other programs: what is run is printed, and a failure names it.

use crate::root;
use anyhow::{Context, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Prints for the person at the terminal.
pub fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
}

/// A program, to be run at the workspace's root.
pub fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|w| w.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Runs to its end.
///
/// # Errors
/// It cannot be started, or fails.
pub fn run(mut command: Command) -> anyhow::Result<()> {
    say(format!("$ {}", shown(&command)));
    let status = command.status().with_context(|| format!("cannot start {}", shown(&command)))?;
    if status.success() { Ok(()) } else { bail!("{} ended with {status}", shown(&command)) }
}

/// Runs to its end, passing its output on line by line; answers whether it succeeded, and the lines.
///
/// # Errors
/// It cannot be started.
pub fn watch(mut command: Command) -> anyhow::Result<(bool, Vec<String>)> {
    say(format!("$ {}", shown(&command)));
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", shown(&command)))?;
    let mut lines = Vec::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            say(&line);
            lines.push(line);
        }
    }
    Ok((child.wait()?.success(), lines))
}

/// Whether a program is there to be run.
pub fn exists(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}
