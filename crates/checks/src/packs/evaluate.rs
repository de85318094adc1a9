//! One evaluation: an engine of its own, the pack's modules and data, an input, and the value of one rule. Bounded in time, in what is
//! taken in and in what comes out; memory is bounded by the process it runs in.

use super::manifest::Pack;
use regorus::{Engine, LimitError, PolicyLengthConfig, utils::limits::ExecutionTimerConfig};
use serde_json::Value;
use std::{
    io::{self, Write},
    num::{NonZeroU32, NonZeroUsize},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// How long the rules of one pack may run.
pub const TIME: Duration = Duration::from_secs(10);
/// Bytes of what they may answer.
pub const ANSWER: usize = 4 << 20;
/// Columns of a line: long test texts are usual.
const COLUMNS: NonZeroU32 = NonZeroU32::MIN.saturating_add(16_383);
const LINES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(19_999);
const FILE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(super::manifest::BYTES - 1);
/// Steps between two looks at the clock.
const STEPS: NonZeroU32 = NonZeroU32::MIN.saturating_add(255);
/// Brackets within brackets: the parser tries each kind of comprehension anew at every level, so that the work grows by powers.
const NESTING: usize = 12;
/// Characters of an error that are told.
const TOLD: usize = 600;

/// Readies what the engine makes once and for all, before a process gives up its rights: its table of functions, its clock.
pub fn prepare() {
    let mut engine = Engine::new();
    let warm = "package warm\nresults contains time.now_ns() if regex.match(`^a+$`, \"aa\")\nresults contains json.patch({}, []) if true";
    let _ = engine.add_policy("warm.rego".to_owned(), warm.to_owned());
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: TIME, check_interval: STEPS });
    let _ = engine.eval_rule("data.warm.results".to_owned());
}

/// The value of the pack's rule over an input; `None` where it is undefined.
///
/// # Errors
/// What is wrong with the pack, or that it ran into a limit.
pub fn evaluate(pack: &Pack<'_>, input: Value, time: Duration) -> Result<Option<Value>, String> {
    catch_unwind(AssertUnwindSafe(|| run(pack, input, time))).unwrap_or_else(|_| Err("The policy engine gave up on this pack.".to_owned()))
}

fn run(pack: &Pack<'_>, input: Value, time: Duration) -> Result<Option<Value>, String> {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(false);
    engine.set_gather_prints(true);
    engine.set_policy_length_config(PolicyLengthConfig { max_col: COLUMNS, max_file_bytes: FILE, max_lines: LINES });
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: time, check_interval: STEPS });
    if let Some(fault) = pack.modules.iter().find_map(|(path, text)| too_deep(path, text)) {
        return Err(fault);
    }
    let faults: Vec<String> = pack
        .modules
        .iter()
        .filter_map(|(path, text)| engine.add_policy((*path).to_owned(), (*text).to_owned()).err().map(|e| told(&e, path, time)))
        .collect();
    if !faults.is_empty() {
        return Err(faults.join(" "));
    }
    for (path, text) in &pack.data {
        engine.add_data_json(text).map_err(|e| told(&e, path, time))?;
    }
    engine.set_input(input.into());
    let rule = pack.rule();
    let value = engine.eval_rule(rule.clone()).map_err(|e| told(&e, &rule, time))?;
    if value == regorus::Value::Undefined {
        return Ok(None);
    }
    let mut text = Bounded(Vec::new());
    serde_json::to_writer(&mut text, &value)
        .map_err(|_| format!("{rule} is larger than {} MiB or cannot be written as JSON.", ANSWER >> 20))?;
    serde_json::from_slice(&text.0).map(Some).map_err(|e| format!("{rule} cannot be read: {e}."))
}

fn too_deep(path: &str, text: &str) -> Option<String> {
    let (mut depth, mut quoted, mut raw, mut comment, mut escaped, mut line) = (0_usize, false, false, false, false, 1);
    for c in text.chars() {
        match c {
            '\n' => {
                line += 1;
                (comment, quoted, escaped) = (false, false, false);
            }
            _ if comment => {}
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if !raw => quoted = !quoted,
            '`' if !quoted => raw = !raw,
            _ if quoted || raw => {}
            '#' => comment = true,
            '[' | '{' | '(' => {
                depth += 1;
                if depth > NESTING {
                    return Some(format!(
                        "{path}:{line}: brackets stand within brackets more than {NESTING} deep; name the inner parts by rules of their own."
                    ));
                }
            }
            ']' | '}' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// An engine's error as `file:line: what`.
fn told(error: &anyhow::Error, at: &str, time: Duration) -> String {
    match error.downcast_ref::<LimitError>() {
        Some(LimitError::TimeLimitExceeded { .. }) => {
            return format!(
                "The rules ran longer than {} s and were stopped: a loop without an end, or too much work.",
                time.as_secs_f64()
            );
        }
        Some(other) => return format!("{at}: {other}."),
        None => {}
    }
    let text = format!("{error:#}");
    // The engine draws the place: `--> file:line:column`, the line itself, and `error: what`.
    let place = text.lines().find_map(|line| line.trim().strip_prefix("--> "));
    let what: Vec<&str> = match text.split_once("error: ") {
        Some((_, what)) => what.split_whitespace().collect(),
        None => text.split_whitespace().collect(),
    };
    let place = place.and_then(|place| place.rsplit_once(':')).map_or(at, |(place, _)| place);
    let what: String = what.join(" ").chars().filter(|c| !c.is_control()).take(TOLD).collect();
    format!("{place}: {what}.").replace("..", ".")
}

/// Takes [`ANSWER`] bytes and no more.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > ANSWER {
            return Err(io::Error::other("too large"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
