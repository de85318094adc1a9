//! `bailiwick scan start | watch | list | show`: scans of connected directories.

mod follow;

use crate::args::{Gate, Scan as Arguments};
use crate::client::Client;
use crate::console::{Cell, Colour, printable};
use crate::failure::Failure;
use crate::findings::severity;
use crate::runs::{moment, more};
use bailiwick_base::Cursor;
use bailiwick_contract::connections::{Connection, ConnectionKind, ConnectionQuery, ListConnections};
use bailiwick_contract::scans::{
    Band, GetScan, GetScanSummary, ListScanResults, ListScans, NewScan, Scan, ScanEndCode, ScanKind, ScanPath, ScanQuery, ScanResult,
    ScanResultQuery, ScanState, ScanSummary, Score, StartScan, Verdict,
};
use bailiwick_contract::{Empty, Nothing};
use serde_json::json;
use std::time::Duration;

/// Results of one page.
const PAGE: u16 = 200;

pub async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::Start { directory, kind, wait, gate } => start(client, &directory, kind, wait, gate).await,
        Arguments::Watch { scan, gate } => {
            let scan = get(client, scan).await?;
            let scan = follow::to_the_end(client, scan, Duration::from_secs(gate.wait_timeout)).await?;
            ended(client, scan, gate).await
        }
        Arguments::List { directory, kind, state, page } => {
            let query = ScanQuery { directory, kind, state, cursor: page.cursor.map(Cursor), limit: page.limit };
            list(client, query).await
        }
        Arguments::Show { scan, failed, gate } => show(client, get(client, scan).await?, failed, gate).await,
    }
}

async fn start(client: &Client, directory: &str, kind: ScanKind, wait: bool, gate: Gate) -> Result<(), Failure> {
    let connection = connection(client, directory).await?;
    let scan = client.call::<StartScan>(Nothing {}, Nothing {}, NewScan { kind, connection: Some(connection.id) }).await?;
    if !wait && gate.fail_under.is_none() {
        return client.wire.console().either(&json!({"scan": scan}), || summary(client, &scan));
    }
    let scan = follow::to_the_end(client, scan, Duration::from_secs(gate.wait_timeout)).await?;
    ended(client, scan, gate).await
}

/// The connection that reads a directory: the primary one where there are several.
pub async fn connection(client: &Client, directory: &str) -> Result<Connection, Failure> {
    let mut cursor = None;
    let mut found: Vec<Connection> = Vec::new();
    loop {
        let query = ConnectionQuery { kind: Some(ConnectionKind::Read), cursor, limit: Some(PAGE), ..ConnectionQuery::default() };
        let page = client.call::<ListConnections>(Nothing {}, query, Empty).await?;
        let named = |connection: &Connection| {
            connection.directory.id.to_string().eq_ignore_ascii_case(directory) || connection.directory.name.eq_ignore_ascii_case(directory)
        };
        found.extend(page.items.into_iter().filter(named));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let first = found.first().map(|connection| connection.directory.id);
    if found.iter().any(|connection| Some(connection.directory.id) != first) {
        return Err(Failure::input(format!("Several directories are called {directory}.")).hint("Name the one you mean by its id."));
    }
    let primary = found.iter().position(|connection| connection.primary).unwrap_or(0);
    if found.is_empty() {
        return Err(Failure::input(format!("No connection reads the directory {directory}."))
            .hint("Connect it in the portal, or check its id or name. Disconnected directories are not read."));
    }
    Ok(found.swap_remove(primary))
}

async fn get(client: &Client, scan: bailiwick_base::ScanId) -> Result<Scan, Failure> {
    client.call::<GetScan>(ScanPath { scan }, Nothing {}, Empty).await
}

/// Says what came of a scan that was waited for, and holds it against the gate.
async fn ended(client: &Client, scan: Scan, gate: Gate) -> Result<(), Failure> {
    if !scan.state.settled() {
        client.wire.console().either(&json!({"scan": scan}), || summary(client, &scan))?;
        return Err(Failure::transient(format!("The scan {} has not ended in {} s.", scan.id, gate.wait_timeout))
            .hint(format!("It goes on. Follow it: bailiwick scan watch {}", scan.id)));
    }
    show(client, scan, false, gate).await
}

async fn show(client: &Client, scan: Scan, failed: bool, gate: Gate) -> Result<(), Failure> {
    let (mut scores, mut results) = (None, Vec::new());
    if scan.state == ScanState::Completed {
        scores = Some(client.call::<GetScanSummary>(ScanPath { scan: scan.id }, Nothing {}, Empty).await?);
        if failed {
            results = failures(client, &scan).await?;
        }
    }
    let mut document = json!({"scan": scan, "summary": scores});
    if failed {
        document["failed"] = json!(results);
    }
    client.wire.console().either(&document, || {
        let mut text = summary(client, &scan);
        if let Some(scores) = &scores {
            text += &score_table(client, scores);
        }
        if failed && scores.is_some() {
            text += &failure_table(client, &results);
        }
        text
    })?;
    judge(&scan, gate)
}

/// Every failed result, page by page.
async fn failures(client: &Client, scan: &Scan) -> Result<Vec<ScanResult>, Failure> {
    let (mut results, mut cursor) = (Vec::new(), None);
    loop {
        let query = ScanResultQuery { verdict: Some(Verdict::Failed), cursor, limit: Some(PAGE), ..ScanResultQuery::default() };
        let page = client.call::<ListScanResults>(ScanPath { scan: scan.id }, query, Empty).await?.page;
        results.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(results);
        }
    }
}

/// A scan that did not complete is a failure; one that did is held against the gate.
fn judge(scan: &Scan, gate: Gate) -> Result<(), Failure> {
    if let Some(end) = &scan.end {
        let passing = [ScanEndCode::TimeLimit, ScanEndCode::ScannerEnded, ScanEndCode::Unreachable, ScanEndCode::Internal];
        let what = format!("The scan {} {}: {}", scan.id, scan.state.as_str(), end.detail);
        let mut failure = if passing.contains(&end.code) { Failure::transient(what) } else { Failure::input(what) };
        failure.code = Some(end.code.as_str().to_owned());
        return Err(failure);
    }
    let Some(least) = gate.fail_under else { return Ok(()) };
    match scan.score.as_ref().and_then(|score| score.percent) {
        Some(percent) if percent >= least => Ok(()),
        Some(percent) => Err(Failure::blocked(format!("The score is {percent:.1}, under {least}."))
            .hint(format!("See what failed: bailiwick scan show {} --failed", scan.id))),
        None if !scan.state.settled() => {
            Err(Failure::blocked("The scan has no score yet.").hint(format!("Follow it: bailiwick scan watch {}", scan.id)))
        }
        None => Err(Failure::blocked(format!("Nothing was judged, so there is no score to hold against {least}."))
            .hint("Check which permissions the connection lacks, in the portal or under its sources.")),
    }
}

async fn list(client: &Client, query: ScanQuery) -> Result<(), Failure> {
    let page = client.call::<ListScans>(Nothing {}, query, Empty).await?;
    let console = client.wire.console();
    console.either(&page, || match page.items.as_slice() {
        [] => "No scans. Start one: bailiwick scan start --directory DIRECTORY\n".into(),
        scans => console.table(&["SCAN", "QUEUED", "STATE", "KIND", "SCORE", "DIRECTORY"], &scans.iter().map(row).collect::<Vec<_>>()),
    })?;
    more(client, page.next.as_ref(), "bailiwick scan list");
    Ok(())
}

fn row(scan: &Scan) -> Vec<Cell> {
    vec![
        scan.id.to_string().into(),
        moment(scan.queued_at).into(),
        Cell::painted(scan.state.as_str(), colour(scan.state)),
        scan.kind.as_str().into(),
        percent(scan.score.as_ref()).into(),
        scan.directory.name.as_str().into(),
    ]
}

fn colour(state: ScanState) -> Option<Colour> {
    match state {
        ScanState::Failed => Some(Colour::Red),
        ScanState::Completed => Some(Colour::Green),
        _ => None,
    }
}

fn percent(score: Option<&Score>) -> String {
    score.and_then(|score| score.percent).map_or_else(|| "-".into(), |percent| format!("{percent:.1}"))
}

fn band(score: &Score) -> &'static str {
    match score.band {
        Some(Band::Excellent) => "Excellent",
        Some(Band::Good) => "Good",
        Some(Band::NeedsAttention) => "Needs attention",
        Some(Band::CriticalRisk) => "Critical risk",
        None => "-",
    }
}

fn summary(client: &Client, scan: &Scan) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| text += &format!("{name:<10} {value}\n");
    line("Scan", &scan.id.to_string());
    line("State", &client.wire.console().paint(colour(scan.state), scan.state.as_str()));
    line("Kind", scan.kind.as_str());
    line("Directory", &printable(&scan.directory.name));
    line("By", &printable(&scan.requested_by.name));
    line("Queued", &moment(scan.queued_at));
    if let Some(at) = scan.ended_at {
        line("Ended", &moment(at));
    }
    if let Some(score) = &scan.score {
        let change = scan.score_change.map(|change| format!(", {change:+.1}")).unwrap_or_default();
        line(
            "Score",
            &format!(
                "{} ({}{change}): {} passed, {} failed, {} skipped",
                percent(Some(score)),
                band(score),
                score.passed,
                score.failed,
                score.skipped
            ),
        );
    }
    if scan.complete == Some(false) {
        line("Complete", "no: a source could not be read whole");
    }
    if let Some(end) = &scan.end {
        line("Reason", &printable(&format!("{} ({})", end.detail, end.code.as_str())));
    }
    line("See", &client.page(&format!("scans/{}", scan.id)));
    text
}

fn score_table(client: &Client, summary: &ScanSummary) -> String {
    let console = client.wire.console();
    let named = summary.scores.by_product.iter().chain(&summary.scores.by_framework);
    let rows: Vec<Vec<Cell>> = named
        .map(|one| {
            let score = &one.score;
            vec![
                one.name.as_str().into(),
                percent(Some(score)).into(),
                band(score).into(),
                score.passed.to_string().into(),
                score.failed.to_string().into(),
                score.skipped.to_string().into(),
            ]
        })
        .collect();
    let mut text = if rows.is_empty() {
        String::new()
    } else {
        format!("\n{}", console.table(&["OF", "SCORE", "BAND", "PASSED", "FAILED", "SKIPPED"], &rows))
    };
    for pack in &summary.packs {
        let fate = pack.detail.clone().unwrap_or_else(|| format!("{} checks", pack.checks));
        text += &printable(&format!("Pack {} {}: {fate}", pack.name, pack.version));
        text.push('\n');
    }
    text
}

fn failure_table(client: &Client, results: &[ScanResult]) -> String {
    if results.is_empty() {
        return "\nNo check failed.\n".into();
    }
    let actual = |result: &ScanResult| result.actual.to_string().chars().take(60).collect::<String>();
    let row = |result: &ScanResult| {
        vec![result.check.as_str().into(), severity(result.severity), actual(result).into(), result.title.as_str().into()]
    };
    format!("\n{}", client.wire.console().table(&["CHECK", "SEVERITY", "FOUND", "TITLE"], &results.iter().map(row).collect::<Vec<_>>()))
}
