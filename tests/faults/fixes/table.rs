//! What the user sees of each fault: rows that the tests hand in as they assert them, written to `target/fix-faults.md`.

use bailiwick_testkit::Answer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

static ROWS: Mutex<BTreeMap<u32, Row>> = Mutex::new(BTreeMap::new());

/// One fault.
struct Row {
    fault: String,
    /// What the fix came to, or the status of the refusal.
    state: String,
    code: String,
    /// The sentence that is shown.
    detail: String,
    /// What was sent, and what is there.
    there: String,
}

fn write(place: u32, row: Row) {
    let mut rows = ROWS.lock().unwrap();
    assert!(rows.insert(place, row).is_none(), "two rows at {place}");
    let mut text = String::from("| fault | comes to | code | what is said | sent, and there afterwards |\n|---|---|---|---|---|\n");
    for Row { fault, state, code, detail, there } in rows.values() {
        let cells = [fault, state, code, detail, there].map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/fix-faults.md"), text).unwrap();
}

fn word(value: &Value, place: &str) -> String {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Where all went well: what the last step of the last order that has something to say says.
fn last_said(steps: &[Value]) -> String {
    let write = steps.iter().rposition(|step| step["kind"] == "write").unwrap_or_default();
    let begins = steps[..write].iter().rposition(|step| step["kind"] == "reread").map_or(0, |at| at + 1);
    steps[begins..].iter().filter_map(|step| step["detail"].as_str()).next_back().unwrap_or_default().to_owned()
}

/// A fix, or a containment, as it is shown after a fault.
#[track_caller]
pub fn tell(place: u32, fault: &str, shown: &Value, there: &str) {
    let (code, microsoft) = (word(shown, "/failure/code"), word(shown, "/failure/microsoft_code"));
    let detail = word(shown, "/failure/detail");
    assert!(code.is_empty() || detail.len() > 20, "no sentence: {shown:#}");
    let code = if microsoft.is_empty() { code } else { format!("{code}: {microsoft}") };
    let said = last_said(shown["steps"].as_array().map_or(&[], Vec::as_slice));
    let detail = if detail.is_empty() { said } else { detail };
    write(place, Row { fault: fault.into(), state: word(shown, "/state"), code, detail, there: there.into() });
}

/// An order or an approval that is refused at once.
#[track_caller]
pub fn tell_refused(place: u32, fault: &str, refused: Answer, status: u16, code: &str, there: &str) {
    let said = refused.json();
    assert_eq!(refused.refused(status), code, "{said:#}");
    let detail = word(&said, "/detail");
    assert!(detail.len() > 15, "no sentence: {said:#}");
    write(place, Row { fault: fault.into(), state: status.to_string(), code: code.into(), detail, there: there.into() });
}

/// A fault that is told in words of the test's own.
pub fn tell_words(place: u32, fault: &str, state: &str, detail: &str, there: &str) {
    write(place, Row { fault: fault.into(), state: state.into(), code: String::new(), detail: detail.into(), there: there.into() });
}
