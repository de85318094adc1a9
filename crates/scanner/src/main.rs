//! The child: one scan, no reach. Started by `bailiwickd`, never by hand.

use bailiwick_checks::{Catalogue, prepare, scan};
use bailiwick_scanner::child::{self, Line};
use std::process::ExitCode;

fn main() -> ExitCode {
    // The catalogue is part of the program; a catalogue that cannot be read is told in the report.
    let prepare = || {
        let _ = Catalogue::shipped();
        prepare();
    };
    child::run(prepare, |job| scan(&job, &mut Line, &mut Line))
}
