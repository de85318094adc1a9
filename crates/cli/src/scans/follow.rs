//! Following a scan: by the server's events, and by asking again where they do not come through.

use super::get;
use crate::client::Client;
use crate::failure::Failure;
use crate::retry::Trouble;
use bailiwick_contract::scans::{Scan, ScanEvent, ScanPath, ScanPhase, WatchScan};
use futures::StreamExt;
use indicatif::ProgressBar;
use std::time::Duration;
use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A stream that is silent for longer is given up: the server sends a sign of life more often.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes of one event.
const LARGEST: usize = 1 << 20;

/// The scan when it has ended, or as it is when `patience` is over.
pub async fn to_the_end(client: &Client, scan: Scan, patience: Duration) -> Result<Scan, Failure> {
    let end = Instant::now() + patience;
    let mut shown = Shown { bar: client.wire.console().steps(), phase: None, client };
    let mut scan = scan;
    shown.show(&scan);
    let mut pause = FIRST_PAUSE;
    while !scan.state.settled() && Instant::now() < end {
        // Events that cannot be had are no failure: the answer to a question is as good, only later.
        let heard = tokio::time::timeout_at(end, listen(client, &mut scan, &mut shown)).await;
        match heard {
            Err(_) => break,
            Ok(Err(Trouble::Final(failure))) if failure.code.is_some() => return Err(failure),
            Ok(Ok(events)) if events > 0 => pause = FIRST_PAUSE,
            Ok(_) => {}
        }
        if !scan.state.settled() {
            tokio::time::sleep(pause.min(end.saturating_duration_since(Instant::now()))).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            scan = get(client, scan.id).await?;
            shown.show(&scan);
        }
    }
    shown.bar.finish_and_clear();
    Ok(scan)
}

/// Takes in events until the stream ends; how many there were.
async fn listen(client: &Client, scan: &mut Scan, shown: &mut Shown<'_>) -> Result<usize, Trouble> {
    let mut stream = client.listen::<WatchScan>(&ScanPath { scan: scan.id }).await?.bytes_stream();
    let (mut text, mut events) = (Vec::new(), 0);
    while let Ok(Some(Ok(bytes))) = tokio::time::timeout(SILENCE, stream.next()).await {
        text.extend(bytes.into_iter().filter(|byte| *byte != b'\r'));
        while let Some(at) = text.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = text.drain(..at + 2).collect();
            if let Some(event) = read(&event) {
                events += 1;
                *scan = event.scan;
                shown.show(scan);
                if scan.state.settled() {
                    return Ok(events);
                }
            }
        }
        if text.len() > LARGEST {
            break;
        }
    }
    Ok(events)
}

/// One event of the stream (WHATWG HTML, 9.2): its data lines together are the JSON. A comment is a sign of life.
fn read(event: &[u8]) -> Option<ScanEvent> {
    let text = std::str::from_utf8(event).ok()?;
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| data.strip_prefix(' ').unwrap_or(data));
    serde_json::from_str(&data.collect::<Vec<_>>().join("\n")).ok()
}

/// What a person sees of a scan that goes on.
struct Shown<'c> {
    bar: ProgressBar,
    phase: Option<ScanPhase>,
    client: &'c Client,
}

impl Shown<'_> {
    fn show(&mut self, scan: &Scan) {
        let progress = &scan.progress;
        self.bar.set_length(u64::from(progress.requests_planned) + u64::from(progress.checks_planned));
        self.bar.set_position(u64::from(progress.requests_done) + u64::from(progress.checks_judged));
        self.bar.set_message(if scan.state.settled() { scan.state.as_str() } else { progress.phase.as_str() });
        let told = self.phase.replace(progress.phase) == Some(progress.phase);
        if !told && !scan.state.settled() && self.bar.is_hidden() && !self.client.wire.console().json {
            self.client.wire.console().note(&format!("{}: {}", scan.directory.name, progress.phase.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_contract::Operation;

    #[test]
    fn an_event_is_its_data_lines_and_a_comment_is_none() {
        let json = (WatchScan::SPEC.example)().to_string();
        let (first, rest) = json.split_at(json.find(',').unwrap() + 1);
        let event = format!(": alive\nevent: scan\ndata: {first}\ndata:{rest}\n\n");
        assert_eq!(read(event.as_bytes()).unwrap().scan.progress.requests_done, 12);
        assert!(read(b": alive\n\n").is_none());
        assert!(read(b"data: nonsense\n\n").is_none());
    }
}
