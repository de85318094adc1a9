//! Reading a stored report: the parser runs on a thread of its own and hands batches over a short channel, so that parsing and
//! writing overlap and neither runs ahead of the other.

use crate::Services;
use bailiwick_base::{Code, Problem};
use bailiwick_formats::{CheckInfo, FormatError, FormatErrorKind, Limits, Observation, Report, SeriesEnd, SeriesInfo, Sink};
use bailiwick_store::artifacts::ObjectKey;
use bailiwick_store::keyring::TenantKey;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many observations travel together.
pub const BATCH: usize = 2_000;

/// What the parser tells, in batches.
pub enum Told {
    Begin(SeriesInfo),
    Rows {
        checks: Vec<CheckInfo>,
        observations: Vec<Observation>,
    },
    End(SeriesEnd),
    /// The report was read to its end.
    Done(Report),
    Refused(Problem),
}

/// Starts reading an artifact.
pub fn start(services: &Services, key: ObjectKey, tenant_key: Arc<TenantKey>, sha256: [u8; 32]) -> mpsc::Receiver<Told> {
    let (to, from) = mpsc::channel(3);
    let (artifacts, limits) = (services.artifacts.clone(), services.settings.formats);
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut open = || -> io::Result<Box<dyn io::Read>> {
            let reader = runtime.block_on(artifacts.reader(&key, tenant_key.clone(), Some(sha256))).map_err(io::Error::other)?;
            Ok(Box::new(io::BufReader::with_capacity(64 << 10, reader)))
        };
        read(&mut open, &limits, to);
    });
    from
}

fn read(open: &mut dyn FnMut() -> io::Result<Box<dyn io::Read>>, limits: &Limits, to: mpsc::Sender<Told>) {
    let mut batches = Batches { to: &to, checks: Vec::new(), observations: Vec::with_capacity(BATCH) };
    let last = match bailiwick_formats::read_from(open, limits, &mut batches) {
        Ok(report) => Told::Done(report),
        Err(error) => Told::Refused(problem(error)),
    };
    // Nobody listens any more when the import stopped: then there is nobody to tell.
    let _ = to.blocking_send(last);
}

fn problem(error: FormatError) -> Problem {
    let code = match error.kind {
        FormatErrorKind::Unknown => Code::UnknownFormat,
        FormatErrorKind::Malformed => Code::BadReport,
        FormatErrorKind::Limit => Code::LimitExceeded,
        FormatErrorKind::Io | FormatErrorKind::Stopped => return Problem::unavailable("The artifact storage", error.message),
    };
    let problem = Problem::new(code, error.message);
    match error.place {
        Some(place) => problem.at(place),
        None => problem,
    }
}

struct Batches<'a> {
    to: &'a mpsc::Sender<Told>,
    checks: Vec<CheckInfo>,
    observations: Vec<Observation>,
}

impl Batches<'_> {
    fn send(&mut self, told: Told) -> ControlFlow<()> {
        if self.to.blocking_send(told).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if self.checks.is_empty() && self.observations.is_empty() {
            return ControlFlow::Continue(());
        }
        let checks = std::mem::take(&mut self.checks);
        let observations = std::mem::replace(&mut self.observations, Vec::with_capacity(BATCH));
        self.send(Told::Rows { checks, observations })
    }
}

impl Sink for Batches<'_> {
    fn begin_series(&mut self, series: SeriesInfo) -> ControlFlow<()> {
        self.send(Told::Begin(series))
    }
    fn check(&mut self, check: CheckInfo) -> ControlFlow<()> {
        self.checks.push(check);
        if self.checks.len() >= BATCH { self.flush() } else { ControlFlow::Continue(()) }
    }
    fn observation(&mut self, observation: Observation) -> ControlFlow<()> {
        self.observations.push(observation);
        if self.observations.len() >= BATCH { self.flush() } else { ControlFlow::Continue(()) }
    }
    fn end_series(&mut self, end: SeriesEnd) -> ControlFlow<()> {
        self.flush()?;
        self.send(Told::End(end))
    }
}
