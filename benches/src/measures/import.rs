//! A report's way from its sender to settled findings, against bare SQL with the same rows and one parse of the file.
//!
//! Each round has a tool of its own, so that its series and its checks are new; the middle round counts.

use super::thousands;
use crate::api::{Caller, File};
use crate::bare::{Bare, Part, Took};
use crate::daemon::Daemon;
use crate::report::{Report, median};
use crate::sarif::{self, Made};
use crate::stage::Stage;
use anyhow::Context;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// At most this many times the bare side's time.
const LIMIT: f64 = 2.5;

/// One thing done by both sides.
struct Pair {
    product: f64,
    parse: f64,
    bare: Took,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.product / (self.parse + self.bare.sum().as_secs_f64())
    }
}

#[derive(Default)]
struct Rounds {
    first: Vec<Pair>,
    same: Vec<Pair>,
    tenth: Vec<Pair>,
    rewritten: u64,
    touched: f64,
}

pub async fn measure(stage: &Stage, report: &mut Report, import: bool, reimport: bool) -> anyhow::Result<()> {
    let home = stage.home()?;
    let daemon = Daemon::start(&stage.program, &home, None).await?;
    let caller = stage.owner(&home)?.pipeline().await?;
    let mut bare = Bare::new(&home).await?;
    let (sizes, rounds) = if stage.quick { ([1_000, 5_000], 1) } else { ([10_000, 50_000], 5) };
    for results in sizes {
        let mut seen = Rounds::default();
        for round in 0..rounds {
            play(&caller, &mut bare, home.folder.path(), results, round, reimport, &mut seen).await?;
        }
        if import {
            add(report, format!("import of {} results", thousands(results)), &seen.first)?;
        }
        if reimport {
            add(report, format!("re-import of {}, nothing changed", thousands(results)), &seen.same)?;
            let detail = "findings and observations whose xmin or ctid differs afterwards";
            report.add("rows rewritten by that", seen.rewritten as f64, 0.0, "rows", detail)?;
            add(report, format!("re-import of {}, a tenth changed", thousands(results)), &seen.tenth)?;
            let detail = "of the findings there before; half of the tenth says something else, half is gone";
            report.add("findings rewritten by that", seen.touched * 100.0, 10.0, "%", detail)?;
        }
    }
    bare.close().await?;
    daemon.stop().await
}

async fn play(
    caller: &Caller,
    bare: &mut Bare,
    folder: &Path,
    results: u32,
    round: u32,
    reimport: bool,
    seen: &mut Rounds,
) -> anyhow::Result<()> {
    let path = folder.join("report.sarif");
    let made = Made { results, tool: format!("Scanner {results}.{round}"), tenth_changed: false, full: true };
    sarif::write(&made, &path)?;
    let file = File::new(&path)?;
    let (pair, part) = both(caller, bare, &file, &made, None).await?;
    seen.first.push(pair);
    if reimport {
        let before = state(bare, part).await?;
        let (pair, _) = both(caller, bare, &file, &made, Some(false)).await?;
        seen.same.push(pair);
        seen.rewritten += changed(bare, part, &before).await?;
        let made = Made { tenth_changed: true, ..made };
        sarif::write(&made, &path)?;
        let (pair, _) = both(caller, bare, &File::new(&path)?, &made, Some(true)).await?;
        seen.tenth.push(pair);
        let findings = before.iter().filter(|(table, ..)| table == "findings").count();
        let after = state(bare, part).await?;
        let kept: std::collections::HashSet<_> = after.iter().collect();
        let touched = before.iter().filter(|row| row.0 == "findings" && !kept.contains(row)).count();
        seen.touched = seen.touched.max(touched as f64 / findings as f64);
    }
    Ok(())
}

/// The product, then the bare side with the rows that came of it. `next` says whether it is a later run of the series, and whether
/// anything has changed in it.
async fn both(caller: &Caller, bare: &mut Bare, file: &File<'_>, made: &Made, next: Option<bool>) -> anyhow::Result<(Pair, Part)> {
    crate::bare::run(bare.admin(), "CHECKPOINT").await?;
    let pipeline_run = match next {
        None => "1",
        Some(false) => "2",
        Some(true) => "3",
    };
    let (run, product) = caller.import(file, pipeline_run, made.results).await?;
    let part = part_of(&run)?;
    stored(bare, part, made.results).await?;
    let rows = bare.rows(part).await?;
    let parse = sarif::parse(file.path, made.results)?;
    let took = match next {
        None => bare.import(&rows, made.results).await?,
        Some(changed) => {
            let (took, ended, added) = bare.settle(&rows, part, changed).await?;
            let expected = if changed { u64::from(made.results / 10) } else { 0 };
            anyhow::ensure!((ended, added) == (expected, expected), "the anti-joins found {ended} ended and {added} added, not {expected}");
            took
        }
    };
    Ok((Pair { product: product.as_secs_f64(), parse: parse.as_secs_f64(), bare: took }, part))
}

fn part_of(run: &Value) -> anyhow::Result<Part> {
    let series = &run["series"][0];
    let id = |value: &Value| value.as_str().and_then(|id| id.parse().ok()).context("the run's answer names no id");
    let position = series["position"].as_i64().and_then(|p| i32::try_from(p).ok()).context("the series has no position")?;
    Ok(Part { run: id(&run["id"])?, series: id(&series["series"])?, position })
}

/// What was said to be stored is stored.
async fn stored(bare: &mut Bare, part: Part, results: u32) -> anyhow::Result<()> {
    let subject = bare.subject();
    let (observations, findings): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM observations WHERE tenant_id = $1 AND series_id = $2 AND to_position IS NULL),
                (SELECT count(*) FROM findings WHERE tenant_id = $1 AND series_id = $2 AND status = 1)",
    )
    .bind(subject)
    .bind(part.series)
    .fetch_one(bare.admin())
    .await?;
    let expected = i64::from(results);
    anyhow::ensure!(
        (observations, findings) == (expected, expected),
        "{observations} observations and {findings} open findings are stored, not {results}"
    );
    Ok(())
}

/// Each stored row with where and by which transaction it was written.
type State = Vec<(String, Vec<u8>, String)>;

async fn state(bare: &mut Bare, part: Part) -> anyhow::Result<State> {
    let subject = bare.subject();
    let rows = sqlx::query_as(
        "SELECT 'findings', fingerprint, ctid::text || ' ' || xmin::text FROM findings WHERE tenant_id = $1 AND series_id = $2
         UNION ALL SELECT 'observations', fingerprint, ctid::text || ' ' || xmin::text FROM observations WHERE tenant_id = $1 AND series_id = $2
         ORDER BY 1, 2, 3",
    );
    Ok(rows.bind(subject).bind(part.series).fetch_all(bare.admin()).await?)
}

async fn changed(bare: &mut Bare, part: Part, before: &State) -> anyhow::Result<u64> {
    let after = state(bare, part).await?;
    let differ = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    Ok((differ + before.len().abs_diff(after.len())) as u64)
}

fn add(report: &mut Report, name: String, pairs: &[Pair]) -> anyhow::Result<()> {
    let middle = |get: fn(&Pair) -> f64| median(&pairs.iter().map(get).collect::<Vec<_>>());
    let seconds = |took: Duration| took.as_secs_f64();
    let detail = format!(
        "{:.3} s; parse {:.3}, COPY {:.3}, SQL {:.3}; ratios {}",
        middle(|p| p.product),
        middle(|p| p.parse),
        median(&pairs.iter().map(|p| seconds(p.bare.copy)).collect::<Vec<_>>()),
        median(&pairs.iter().map(|p| seconds(p.bare.sql)).collect::<Vec<_>>()),
        pairs.iter().map(|p| format!("{:.2}", p.ratio())).collect::<Vec<_>>().join(" ")
    );
    report.add(name, middle(Pair::ratio), LIMIT, "x", detail)
}
