//! The scanner, from its configuration, and what the machine can do to keep it in.

use crate::config::{Config, Sandbox, given};
use bailiwick_cloud::{Dns, DnsConfig};
use bailiwick_domain::{Scanning, Services};
use bailiwick_scanner::{Limits, Policy, Scanner, find_program};
use std::time::Duration;

/// How this process scans. A machine without the scanner's program does everything else.
pub fn scanning(config: &Config) -> Scanning {
    let of = &config.scanner;
    let wall = Duration::from_secs(of.minutes.max(1) * 60);
    let sandbox = match of.sandbox {
        Sandbox::Require => Policy::Require,
        Sandbox::AllowWeaker => Policy::AllowWeaker,
    };
    let limits = Limits { memory: of.memory_mib.max(32) << 20, wall, sandbox, ..Limits::default() };
    let scanner = find_program(given(&of.program))
        .map(|program| Scanner { program, limits })
        .map_err(|error| format!("There can be no scan: {error}."));
    Scanning { scanner, dns: Dns::new(DnsConfig { servers: of.dns_servers.clone(), ..DnsConfig::default() }) }
}

/// Says at start which layers of the sandbox this machine holds up. Where one is required and lacks, scans are refused, one by one.
pub async fn check(services: &Services) {
    match &services.scanner.scanner {
        Err(why) => tracing::warn!("{why}"),
        Ok(scanner) => match scanner.check().await {
            Ok(lockdown) => tracing::info!(?lockdown, "the scanner's sandbox"),
            Err(error) => tracing::error!(%error, "the scanner cannot be locked in"),
        },
    }
}
