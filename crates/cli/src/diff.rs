//! `bailiwick diff`: what moved between two runs of one series.

use crate::args::Diff;
use crate::client::Client;
use crate::console::{Cell, Colour, printable};
use crate::failure::Failure;
use crate::findings::severity;
use crate::runs::moment;
use bailiwick_base::Outcome;
use bailiwick_contract::findings::{Drift, DriftItem, DriftQuery, DriftSide, GetDrift, Movement};
use bailiwick_contract::{Empty, Nothing};

pub async fn run(client: &Client, arguments: Diff) -> Result<(), Failure> {
    let query = DriftQuery {
        from: arguments.from,
        to: arguments.to,
        series: arguments.series,
        directory: arguments.directory,
        project: arguments.project,
        family: arguments.family,
    };
    let drift = client.call::<GetDrift>(Nothing {}, query, Empty).await?;
    client.wire.console().either(&drift, || text(client, &drift))
}

fn text(client: &Client, drift: &Drift) -> String {
    let series = &drift.series;
    let mut subject = vec![series.tool.as_str(), series.family.as_str()];
    subject.extend([series.category.as_str()].into_iter().filter(|c| !c.is_empty()));
    subject.extend(series.directory.as_ref().map(|d| d.name.as_str()));
    subject.extend(series.project.as_ref().map(|p| p.name.as_str()));
    let c = drift.counts;
    let mut text = format!("{}\n", printable(&subject.join(", ")));
    text += &side("From", &drift.from, if drift.against_baseline { ", the pinned baseline" } else { "" });
    text += &side("To", &drift.to, "");
    text += &format!(
        "{} regression, {} fixed, {} added, {} removed, {} other; {} unchanged\n",
        c.regression, c.fixed, c.added, c.removed, c.other, c.unchanged
    );
    if !drift.items.is_empty() {
        let rows: Vec<Vec<Cell>> = drift.items.iter().map(row).collect();
        text += &format!("\n{}", client.wire.console().table(&["MOVEMENT", "SEVERITY", "CHECK", "FROM", "TO", "TITLE"], &rows));
    }
    if drift.truncated {
        text += &format!("Only the first {} are listed; the counts hold all.\n", drift.items.len());
    }
    text
}

fn side(label: &str, side: &DriftSide, remark: &str) -> String {
    let posture = side.posture.map(|p| format!(", {:.1} % passed", p * 100.0)).unwrap_or_default();
    let partial = if side.complete { "" } else { ", in part" };
    format!("{label:<5} {} {}, {}{posture}{partial}{remark}\n", side.run, moment(side.at), printable(&side.source))
}

fn row(item: &DriftItem) -> Vec<Cell> {
    let (word, colour) = match item.movement {
        Movement::Regression => ("regression", Some(Colour::Red)),
        Movement::Fixed => ("fixed", Some(Colour::Green)),
        Movement::Added => ("added", None),
        Movement::Removed => ("removed", Some(Colour::Yellow)),
        Movement::Other => ("other", None),
    };
    let outcome = |o: Option<Outcome>| o.map_or("-", |o| o.as_str());
    vec![
        Cell::painted(word, colour),
        severity(item.severity),
        item.check_key.as_str().into(),
        outcome(item.from).into(),
        outcome(item.to).into(),
        item.title.as_str().into(),
    ]
}
