//! A webhook's body: the facts, for programs. Members may be added to it, and none is taken away.

use super::{Item, Message, What};
use crate::notifications::model::{Content, DriftContent, Line};
use bailiwick_base::Timestamp;
use bailiwick_contract::notifications::EventKind;
use serde_json::{Value, json};

/// Lines of one drift, where it is told alone, and where several are told together.
const LINES: usize = 100;
const LINES_OF_SEVERAL: usize = 20;

/// What kind of event it is, as receivers filter by it.
pub fn kind(event: EventKind) -> &'static str {
    match event {
        EventKind::DriftRegressed => "drift.regressed",
        EventKind::ScanFailed => "scan.failed",
        EventKind::RunFailed => "run.failed",
        EventKind::FixWaiting => "fix.waiting",
        EventKind::FixDone => "fix.done",
    }
}

/// `{"type", "timestamp", "data"}`. Several events together are a `digest` of such objects.
pub fn render(message: &Message, at: Timestamp) -> Value {
    match &message.what {
        What::Events { gathered: false, items, .. } if items.len() == 1 => event(message, &items[0], LINES),
        What::Events { items, more, .. } => {
            let events: Vec<Value> = items.iter().map(|item| event(message, item, LINES_OF_SEVERAL)).collect();
            let data = json!({"tenant": message.tenant, "rule": message.rule, "events": events, "more_events": more});
            json!({"type": "digest", "timestamp": at, "data": data})
        }
        What::Test { channel } => json!({"type": "test", "timestamp": at, "data": {"tenant": message.tenant, "channel": channel}}),
        What::Broken { channel, detail } => {
            json!({"type": "channel.broken", "timestamp": at, "data": {"tenant": message.tenant, "channel": channel, "detail": detail}})
        }
    }
}

fn event(message: &Message, item: &Item, most: usize) -> Value {
    let data = match &*item.content {
        Content::DriftRegressed(drift) => drift_data(message, drift, most),
        Content::ScanFailed(scan) => json!(scan),
        Content::RunFailed(run) => json!(run),
        Content::FixWaiting(fix) | Content::FixDone(fix) => json!(fix),
    };
    let mut data = data;
    data["event"] = json!(item.id);
    data["tenant"] = json!(message.tenant);
    data["link"] =
        json!(super::doc::Doc::of(&alone(message, item)).sections.first().and_then(|s| s.action.as_ref().map(|a| a.url.clone())));
    json!({"type": kind(item.content.kind()), "timestamp": item.at, "data": data})
}

/// The message about one of its events.
fn alone(message: &Message, item: &Item) -> Message {
    Message {
        tenant: message.tenant.clone(),
        portal: message.portal.clone(),
        what: What::Events { gathered: false, items: vec![item.clone()], more: 0 },
        rule: None,
        min_severity: message.min_severity,
    }
}

fn drift_data(message: &Message, drift: &DriftContent, most: usize) -> Value {
    let least = message.min_severity;
    let lines: Vec<&Line> = drift.regressions.iter().filter(|line| least.is_none_or(|least| line.severity >= least)).take(most).collect();
    let worse = drift.regressions_from(least);
    json!({
        "run": drift.run, "from_run": drift.from_run, "family": drift.family, "tool": drift.tool, "source": drift.source,
        "directory": drift.directory, "project": drift.project, "at": drift.at,
        "posture": drift.posture, "posture_before": drift.posture_before,
        "counts": drift.counts, "regressions_by_severity": drift.by_severity,
        "regressions": lines, "more_regressions": worse.saturating_sub(u32::try_from(lines.len()).unwrap_or(u32::MAX)),
        "fixed": drift.fixed,
    })
}
