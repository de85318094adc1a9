//! A sink that keeps everything, and the way to the sample corpus.
#![allow(dead_code)]

use bailiwick_formats::{CheckInfo, FormatError, Limits, Observation, Report, SeriesEnd, SeriesInfo, Sink, read};
use std::ops::ControlFlow;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub info: SeriesInfo,
    pub checks: Vec<CheckInfo>,
    pub results: Vec<Observation>,
    pub end: Option<SeriesEnd>,
}

#[derive(Debug, Default)]
pub struct Kept(pub Vec<Series>);

impl Kept {
    pub fn results(&self) -> impl Iterator<Item = &Observation> {
        self.0.iter().flat_map(|s| &s.results)
    }
}

impl Sink for Kept {
    fn begin_series(&mut self, info: SeriesInfo) -> ControlFlow<()> {
        assert!(self.0.last().is_none_or(|s| s.end.is_some()), "a series begins while another is open");
        self.0.push(Series { info, checks: Vec::new(), results: Vec::new(), end: None });
        ControlFlow::Continue(())
    }
    fn check(&mut self, check: CheckInfo) -> ControlFlow<()> {
        let series = self.0.last_mut().expect("a check comes in a series");
        assert!(series.checks.iter().all(|c| c.key != check.key), "the check {} is told twice", check.key);
        series.checks.push(check);
        ControlFlow::Continue(())
    }
    fn observation(&mut self, observation: Observation) -> ControlFlow<()> {
        let series = self.0.last_mut().expect("an observation comes in a series");
        assert!(series.checks.iter().any(|c| c.key == observation.check), "{} is told before its check", observation.check);
        series.results.push(observation);
        ControlFlow::Continue(())
    }
    fn end_series(&mut self, end: SeriesEnd) -> ControlFlow<()> {
        self.0.last_mut().expect("a series ends that began").end = Some(end);
        ControlFlow::Continue(())
    }
}

pub fn parse(bytes: &[u8]) -> Result<(Report, Kept), FormatError> {
    parse_within(bytes, &Limits::default())
}

pub fn parse_within(bytes: &[u8], limits: &Limits) -> Result<(Report, Kept), FormatError> {
    let mut kept = Kept::default();
    read(bytes, limits, &mut kept).map(|report| (report, kept))
}

/// The sample corpus: beside the workspace, or where BAILIWICK_CORPUS says.
pub fn corpus() -> PathBuf {
    std::env::var_os("BAILIWICK_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from)
}

pub fn sample(file: &str) -> Vec<u8> {
    let path = corpus().join(file);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; set BAILIWICK_CORPUS to the folder of the sample corpus", path.display()))
}
