//! `bailiwick findings list | show`: what fails now, and the life of one failure.

use crate::args::{FindingFilter, PageArgs};
use crate::client::Client;
use crate::console::{Cell, Colour, printable};
use crate::failure::Failure;
use crate::runs::{moment, more};
use bailiwick_base::{Cursor, FindingId, Severity};
use bailiwick_contract::evidence::Location;
use bailiwick_contract::findings::{
    Finding, FindingDetail, FindingEventKind, FindingLife, FindingPath, FindingQuery, FindingStatus, GetFinding, ListFindings,
};
use bailiwick_contract::{Empty, Nothing};

pub async fn list(client: &Client, filter: FindingFilter, page: PageArgs) -> Result<(), Failure> {
    let page = client.call::<ListFindings>(Nothing {}, query(filter, page.cursor.map(Cursor), page.limit), Empty).await?;
    let console = client.wire.console();
    console.either(&page, || match page.items.as_slice() {
        [] => "No findings match.\n".into(),
        findings => console.table(
            &["FINDING", "SEVERITY", "STATUS", "LIFE", "CHECK", "FIRST SEEN", "TITLE"],
            &findings.iter().map(row).collect::<Vec<_>>(),
        ),
    })?;
    more(client, page.next.as_ref(), "bailiwick findings list");
    Ok(())
}

pub async fn show(client: &Client, finding: FindingId) -> Result<(), Failure> {
    let detail = client.call::<GetFinding>(FindingPath { finding }, Nothing {}, Empty).await?;
    client.wire.console().either(&detail, || whole(client, &detail))
}

/// The API's query of these filters.
pub fn query(filter: FindingFilter, cursor: Option<Cursor>, limit: Option<u16>) -> FindingQuery {
    FindingQuery {
        status: filter.status,
        severity: filter.severity,
        family: filter.family,
        product: filter.product,
        directory: filter.directory,
        project: filter.project,
        search: filter.search,
        sort: filter.sort,
        cursor,
        limit,
    }
}

fn row(finding: &Finding) -> Vec<Cell> {
    vec![
        finding.id.to_string().into(),
        severity(finding.severity),
        status(finding.status).into(),
        life(finding.life).into(),
        finding.check_key.as_str().into(),
        moment(finding.first_seen).into(),
        finding.title.as_str().into(),
    ]
}

/// The severity's word in its colour.
pub fn severity(severity: Severity) -> Cell {
    let colour = match severity {
        Severity::Critical | Severity::High => Some(Colour::Red),
        Severity::Medium => Some(Colour::Yellow),
        _ => None,
    };
    Cell::painted(severity.as_str(), colour)
}

pub fn status(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Open => "open",
        FindingStatus::Fixed => "fixed",
    }
}

pub fn life(life: FindingLife) -> &'static str {
    match life {
        FindingLife::New => "new",
        FindingLife::Existing => "existing",
        FindingLife::Fixed => "fixed",
        FindingLife::Reopened => "reopened",
    }
}

/// `path:line`
pub fn place(location: &Location) -> String {
    location.start_line.map_or_else(|| location.path.clone(), |line| format!("{}:{line}", location.path))
}

fn whole(client: &Client, detail: &FindingDetail) -> String {
    let finding = &detail.finding;
    let mut text = format!("{}\n\n", printable(&finding.title));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text += &format!("{name:<10} {}\n", printable(value));
        }
    };
    line("Finding", &finding.id.to_string());
    line("Status", &format!("{}, {}", status(finding.status), life(finding.life)));
    line("Severity", finding.severity.as_str());
    line("Check", &finding.check_key);
    line("Tool", &format!("{} ({})", finding.tool, finding.family));
    line("Product", finding.product.map_or("", |p| p.as_str()));
    line("Directory", detail.directory_name.as_deref().unwrap_or_default());
    line("Project", detail.project_name.as_deref().unwrap_or_default());
    line("Place", &finding.location.as_ref().map(place).unwrap_or_default());
    line("First seen", &moment(finding.first_seen));
    line("Last seen", &moment(finding.last_seen));
    line("Suppressed", detail.suppression.as_ref().map_or("", |s| s.justification.as_str()));
    line("Message", &detail.message);
    line("Help", detail.help_url.as_deref().unwrap_or_default());
    line("See", &client.page(&format!("findings?status={}&item={}", status(finding.status), finding.id)));
    if !detail.history.is_empty() {
        let rows: Vec<Vec<Cell>> = detail
            .history
            .iter()
            .map(|event| vec![moment(event.at).into(), turn(event.kind).into(), event.run.to_string().into(), event.source.as_str().into()])
            .collect();
        text += &format!("\n{}", client.wire.console().table(&["AT", "EVENT", "RUN", "SOURCE"], &rows));
    }
    text
}

fn turn(kind: FindingEventKind) -> &'static str {
    match kind {
        FindingEventKind::Opened => "opened",
        FindingEventKind::Changed => "changed",
        FindingEventKind::Fixed => "fixed",
        FindingEventKind::Reopened => "reopened",
    }
}
