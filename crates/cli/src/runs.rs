//! `bailiwick runs`: what was submitted and what became of it.

use crate::args::{Runs, RunsCommand, RunsList};
use crate::client::Client;
use crate::console::{Cell, Colour, printable};
use crate::failure::Failure;
use bailiwick_base::{Cursor, Timestamp};
use bailiwick_contract::evidence::{GetRun, ListRuns, Run, RunDetail, RunPath, RunQuery, RunState};
use bailiwick_contract::{Empty, Nothing};

pub async fn run(client: &Client, arguments: Runs) -> Result<(), Failure> {
    match arguments.command {
        None => list(client, arguments.list).await,
        Some(RunsCommand::List(arguments)) => list(client, arguments).await,
        Some(RunsCommand::Show { run }) => {
            let detail = client.call::<GetRun>(RunPath { run }, Nothing {}, Empty).await?;
            client.wire.console().either(&detail, || whole(client, &detail))
        }
    }
}

async fn list(client: &Client, arguments: RunsList) -> Result<(), Failure> {
    let query = RunQuery {
        directory: arguments.directory,
        project: arguments.project,
        family: arguments.family,
        state: arguments.state,
        cursor: arguments.page.cursor.map(Cursor),
        limit: arguments.page.limit,
    };
    let page = client.call::<ListRuns>(Nothing {}, query, Empty).await?;
    let console = client.wire.console();
    console.either(&page, || match page.items.as_slice() {
        [] => "No runs. Send one: bailiwick upload FILE --source LABEL\n".into(),
        runs => console
            .table(&["RUN", "OPENED", "STATE", "FAMILY", "SOURCE", "PASSED", "FAILING", "NEW"], &runs.iter().map(row).collect::<Vec<_>>()),
    })?;
    more(client, page.next.as_ref(), "bailiwick runs");
    Ok(())
}

fn row(run: &Run) -> Vec<Cell> {
    vec![
        run.id.to_string().into(),
        moment(run.opened_at).into(),
        Cell::painted(run.state.as_str(), colour(run.state)),
        run.family.map_or("-", |f| f.as_str()).into(),
        run.source.as_str().into(),
        run.counts.passed.to_string().into(),
        run.counts.failing().to_string().into(),
        run.findings.new.to_string().into(),
    ]
}

/// Says how to see the next page.
pub fn more(client: &Client, next: Option<&Cursor>, command: &str) {
    if let (Some(cursor), false) = (next, client.wire.console().json) {
        client.wire.console().note(&format!("There are more: {command} --cursor {}", cursor.0));
    }
}

/// To the minute, in UTC.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

fn colour(state: RunState) -> Option<Colour> {
    match state {
        RunState::Failed => Some(Colour::Red),
        RunState::Succeeded => Some(Colour::Green),
        _ => None,
    }
}

/// A run in five lines, and where to look on.
pub fn summary(client: &Client, run: &Run) -> String {
    let (c, f) = (run.counts, run.findings);
    let unknown = if c.unknown > 0 { format!(", {} unknown", c.unknown) } else { String::new() };
    let lines = [
        ("Run", run.id.to_string()),
        ("State", client.wire.console().paint(colour(run.state), run.state.as_str())),
        ("Family", run.family.map_or("not known yet", |f| f.as_str()).into()),
        (
            "Results",
            format!(
                "{} passed, {} failed, {} error, {} investigate, {} skipped, {} not run{unknown}; {} in total",
                c.passed, c.failed, c.error, c.investigate, c.skipped, c.not_run, c.total
            ),
        ),
        ("Findings", format!("{} new, {} existing, {} fixed, {} reopened", f.new, f.existing, f.fixed, f.reopened)),
        ("See", client.page(&format!("runs/{}", run.id))),
    ];
    lines.iter().map(|(name, value)| format!("{name:<9} {value}\n")).collect()
}

fn whole(client: &Client, detail: &RunDetail) -> String {
    let run = &detail.run;
    let mut text = summary(client, run);
    let mut line = |name: &str, value: String| text += &format!("{name:<9} {}\n", printable(&value));
    line("Source", run.source.clone());
    line("By", format!("{} ({})", run.submitted_by.name, run.submitted_by.id));
    line("Opened", moment(run.opened_at));
    if let Some(tool) = &run.tool {
        line("Tool", format!("{tool} {}", run.tool_version.as_deref().unwrap_or_default()));
    }
    if let Some(project) = &run.project {
        line("Project", project.name.clone());
    }
    if let Some(id) = &run.pipeline_run_id {
        line("Pipeline", id.clone());
    }
    if let Some(original) = run.duplicate_of {
        line("Repeats", original.to_string());
    }
    if let Some(failure) = &run.failure {
        let place = failure.place.as_deref().map(|p| format!(" at {p}")).unwrap_or_default();
        line("Reason", format!("{}{place} ({})", failure.detail, failure.code.name()));
    }
    for remark in &detail.remarks {
        line("Remark", remark.clone());
    }
    if !detail.artifacts.is_empty() {
        let rows: Vec<Vec<Cell>> =
            detail.artifacts.iter().map(|a| vec![a.name.as_str().into(), a.size.to_string().into(), a.sha256.as_str().into()]).collect();
        text += &format!("\n{}", client.wire.console().table(&["ARTIFACT", "BYTES", "SHA-256"], &rows));
    }
    text
}
