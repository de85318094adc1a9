//! SARIF 2.1.0 (OASIS), from any tool. One series a run.
//!
//! Rules, artifacts and invocations may stand after the results that point to them, and in many tools' files they do. So a file is
//! read twice: the first pass checks its syntax throughout and keeps each run's frame (see [`run::Frame`]), the second tells results.
//!
//! - `kind`: fail (or absent) is Failed; pass is Passed; notApplicable and informational are Skipped; review and open are Investigate.
//! - `outcome_word` is the level (`error`, `warning`, `note`, `none`); for another kind the kind, with a level of its own in brackets.
//! - `baselineState: absent` says that a result of an earlier run is gone: it is no result of this run and is not told.
//! - `results` absent or null: the scan did not run; the series is incomplete.
//! - Never told: snippets, command lines, arguments and environments of invocations, fixes.

mod identity;
mod location;
mod message;
mod properties;
mod result;
mod rules;
mod run;
mod severity;

use crate::hash::Ordinals;
use crate::json::{Kind, Reader, Result};
use crate::model::{FormatError, FormatErrorKind, Limits, Report, SeriesEnd, Sink};
use crate::told::{Taken, Told, Unknown};
use bailiwick_base::Family;
use rules::Room;
use run::Frame;
use std::collections::HashSet;

/// What the first pass learned: a frame for each run.
pub struct Outline {
    runs: Vec<Frame>,
}

pub fn outline(r: &mut Reader, limits: &Limits) -> Result<Outline> {
    let mut taken = Taken::default();
    let mut room = Room::new();
    let mut runs = Vec::new();
    let mut seen = false;
    r.object()?;
    while let Some(key) = r.next_key()? {
        if key != "runs" {
            r.skip()?;
            continue;
        }
        r.once(&mut seen, "runs")?;
        if r.peek()? != Kind::Array {
            return Err(r.malformed("expected runs as a list of runs"));
        }
        r.array()?;
        while r.next_element()? {
            taken.series(r, limits)?;
            runs.push(run::read(r, limits, &mut taken, &mut room)?);
        }
    }
    if !seen {
        return Err(r.malformed("the SARIF file has no runs"));
    }
    Ok(Outline { runs })
}

pub fn tell(r: &mut Reader, outline: &Outline, limits: &Limits, sink: &mut dyn Sink) -> Result<Report> {
    let mut told = Told(sink);
    let mut number = 0;
    r.object()?;
    while let Some(key) = r.next_key()? {
        if key != "runs" {
            r.skip()?;
            continue;
        }
        r.array()?;
        while r.next_element()? {
            let Some(frame) = outline.runs.get(number) else {
                return Err(FormatError {
                    kind: FormatErrorKind::Io,
                    message: "The report changed while it was read. Send it again.".into(),
                    place: None,
                });
            };
            number += 1;
            tell_run(r, frame, limits, &mut told)?;
        }
    }
    Ok(Report { family: Family::Sarif, refused: Vec::new() })
}

fn tell_run(r: &mut Reader, frame: &Frame, limits: &Limits, told: &mut Told) -> Result<()> {
    told.begin(frame.series())?;
    let mut results = Results { frame, limits, unknown: Unknown::default(), ordinals: Ordinals::default(), told: HashSet::new() };
    r.object()?;
    while let Some(key) = r.next_key()? {
        if key != "results" {
            r.skip()?;
            continue;
        }
        if r.array()? {
            while r.next_element()? {
                results.one(r, told)?;
            }
        }
    }
    told.end(SeriesEnd {
        complete: frame.incomplete.is_none(),
        incomplete_reason: frame.incomplete.clone(),
        header_mismatches: Vec::new(),
        unknown_words: results.unknown.list(),
        looked_for: frame.rules.looked_for(&results.told),
    })
}

/// One run's results being told.
struct Results<'a> {
    frame: &'a Frame,
    limits: &'a Limits,
    unknown: Unknown,
    ordinals: Ordinals,
    /// Checks told already.
    told: HashSet<String>,
}

impl Results<'_> {
    fn one(&mut self, r: &mut Reader, told: &mut Told) -> Result<()> {
        let raw = result::read(r, self.limits)?;
        if raw.baseline.as_deref() == Some("absent") {
            return Ok(());
        }
        let rule = self.frame.rules.find(&raw.rule);
        let key = raw.check_key(rule);
        if !self.told.contains(&key) {
            if self.told.len() >= rules::MOST {
                return Err(r.limit(&format!("the results of a run name more different rules than the limit of {}", rules::MOST)));
            }
            told.check(self.frame.rules.check(&key, rule))?;
            self.told.insert(key.clone());
        }
        let observation = raw.observe(key, rule, self.frame, &mut self.ordinals, &mut self.unknown, self.limits);
        told.observation(observation)
    }
}
