//! Everything this test binary logs, at the finest level, kept to be searched. `BAILIWICK_LOG=1` shows it as well.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Keeper;

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        if std::env::var_os("BAILIWICK_LOG").is_some() {
            io::stderr().write_all(bytes)?;
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to keep the logs of all tests of this binary.
pub fn keep() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let level = tracing_subscriber::EnvFilter::new(
            "debug,bailiwick_server=trace,bailiwick_domain=trace,bailiwick_store=trace,bailiwick_cloud=trace",
        );
        tracing_subscriber::fmt().with_env_filter(level).with_ansi(false).with_writer(|| Keeper).init();
    });
}

/// What was logged so far.
pub fn kept() -> Vec<u8> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
