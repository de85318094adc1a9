//! What the user sees of each fault: rows that the tests hand in as they assert them, written to `target/scan-faults.md`.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

static ROWS: Mutex<BTreeMap<u32, Row>> = Mutex::new(BTreeMap::new());

/// One fault.
pub struct Row {
    pub fault: String,
    /// What the scan or the consent came to.
    pub state: String,
    pub code: String,
    /// The sentence that is shown.
    pub detail: String,
    /// Which checks it reached, or what became of the rest.
    pub reached: String,
}

/// Adds a row at its place and writes the table anew.
pub fn tell(place: u32, row: Row) {
    let mut rows = ROWS.lock().unwrap();
    rows.insert(place, row);
    let mut text = String::from("| fault | comes to | code | what is said | reaches |\n|---|---|---|---|---|\n");
    for Row { fault, state, code, detail, reached } in rows.values() {
        let cells = [fault, state, code, detail, reached].map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/scan-faults.md");
    std::fs::write(file, text).unwrap();
}

/// A scan that ended without results, as it is shown.
pub fn tell_end(place: u32, fault: &str, scan: &Value, reached: &str) {
    let word = |place: &str| scan.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (code, cloud) = (word("/end/code"), word("/end/cloud/code"));
    let code = if cloud.is_empty() { code } else { format!("{code}: {cloud}") };
    let (state, detail) = (format!("scan {}", word("/state")), word("/end/detail"));
    assert!(detail.len() > 20, "no sentence: {scan:#}");
    tell(place, Row { fault: fault.into(), state, code, detail, reached: reached.into() });
}

/// A scan that came to its end all the same.
pub fn tell_completed(place: u32, fault: &str, scan: &Value, reached: &str) {
    let attempts = &scan["attempts"];
    let resumed = &scan["progress"]["requests_resumed"];
    let state = format!("scan completed, {attempts} attempts");
    let detail = format!("{resumed} requests taken from what was kept");
    tell(place, Row { fault: fault.into(), state, code: String::new(), detail, reached: reached.into() });
}
