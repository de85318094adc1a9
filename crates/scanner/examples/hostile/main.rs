//! A child that means harm, for the tests: it locks itself exactly as the scanner does, takes a job, and then tries the one
//! thing that the job's directory name says. Started under a name such as `without-calls-limits` it leaves these layers out,
//! so that the others can be seen to hold by themselves; it admits that only when the name ends in `-honest`. With `--be-parent` it
//! is a parent that starts itself as a child. It is no part of what is shipped.
//!
//! Standard error says how it went: `refused: ...` or `escaped: ...`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attempts;
mod parent;
mod talk;

use bailiwick_scanner::child::{Orders, greet, take_job};
use bailiwick_scanner::lock::{Layer, Lockdown, lock_without};
use serde_json::Value;
use std::path::Path;

/// What is known before the lock and of use to an intruder after it.
pub struct Knowledge {
    pub parent: i32,
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--be-parent") {
        return parent::run();
    }
    let orders = Orders::from_arguments(std::env::args().skip(1)).expect("started by a Scanner");
    let knowledge = Knowledge { parent: nix::unistd::getppid().as_raw() };
    let name = std::env::args().next().expect("a name");
    let without = left_out(&name);
    let honest = lock_without(orders.ceilings, &without);
    let claimed = Lockdown { holding: Layer::ALL.to_vec(), lacking: Vec::new() };
    let lockdown = if name.ends_with("-honest") { honest } else { claimed };
    if !greet(orders.policy, lockdown).expect("a parent that listens") {
        return;
    }
    let job = take_job().expect("a job");
    let attempt = serde_json::from_slice::<Value>(&job).expect("JSON")["directory_name"].as_str().expect("a name").to_owned();
    let (attempt, target) = attempt.split_once(' ').unwrap_or((&attempt, ""));
    if talk::attempt(attempt, &job) {
        return;
    }
    match attempts::attempt(attempt, target, &knowledge) {
        Ok(prize) => eprintln!("escaped: {prize}"),
        Err(error) => eprintln!("refused: {error}"),
    }
    std::process::exit(3);
}

fn left_out(program: &str) -> Vec<Layer> {
    let name = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let words: Vec<&str> = name.split('-').skip(1).collect();
    let is_named = |layer: &Layer| words.contains(&format!("{layer:?}").to_lowercase().as_str());
    Layer::ALL.into_iter().filter(is_named).collect()
}
