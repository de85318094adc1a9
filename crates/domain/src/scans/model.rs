//! Rules of scans that need neither database nor cloud: settings, packs, and when a schedule is due.

use aws_lc_rs::digest::{Context, SHA256};
use bailiwick_base::{Code, Problem, Timestamp};
use bailiwick_contract::scans::{ScanPhase, ScanProgress, ScanSettings};
use croner::Cron;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Files of one pack, and bytes of all of them together: what fits a request with its JSON around it.
pub const PACK_FILES: usize = 200;
pub const PACK_BYTES: usize = 768 << 10;
/// Packs one directory may be judged by, and ids in one list of its settings.
pub const PACKS_PINNED: usize = 20;
/// Versions of packs, and schedules, that one tenant may have.
pub const PACKS: i64 = 200;
pub const SCHEDULES: i64 = 200;
const IDS: usize = 2_000;

/// A scan that has not begun.
pub fn nothing_yet() -> ScanProgress {
    ScanProgress {
        phase: ScanPhase::Waiting,
        requests_planned: 0,
        requests_done: 0,
        checks_planned: 0,
        checks_judged: 0,
        requests_resumed: 0,
        reading: None,
        degraded: Vec::new(),
    }
}

/// What scans are told of a directory, in the words of the crate that judges.
pub fn judging(settings: ScanSettings) -> bailiwick_checks::Settings {
    let ids = |map: BTreeMap<String, Vec<String>>| map.into_iter().map(|(check, ids)| (check, ids.into_iter().collect())).collect();
    bailiwick_checks::Settings {
        emergency_accounts: settings.emergency_accounts.into_iter().collect(),
        emergency_groups: settings.emergency_groups.into_iter().collect(),
        accepted_exclusions: ids(settings.accepted_exclusions),
        accepted_entities: ids(settings.accepted_entities),
        parameters: settings.parameters,
        scuba_config: settings.scuba_config,
    }
}

fn bad(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Code::BadRequest, detail).at(field)
}

/// The zone a schedule is read in.
///
/// # Errors
/// `bad_request`: there is no such zone.
pub fn zone(name: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(name).map_err(|_| bad("zone", format!("{name:?} is no IANA time zone. Write one like Europe/Berlin or UTC.")))
}

/// The first moment after `now` that a five-field expression names in a zone.
///
/// # Errors
/// `bad_request`: the expression or the zone is not one, or it names no moment that comes.
pub fn next_due(cron: &str, zone_name: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let fields = cron.split_whitespace().count();
    if fields != 5 {
        let detail =
            format!("The schedule has {fields} fields. Write five: minute, hour, day of month, month, day of week, e.g. `30 2 * * 1-5`.");
        return Err(bad("cron", detail));
    }
    let zone = zone(zone_name)?;
    let parsed = Cron::from_str(cron).map_err(|error| bad("cron", format!("The schedule {cron:?} cannot be read: {error}.")))?;
    let next = parsed.find_next_occurrence(&now.to_zoned(zone), false);
    next.map(|at| at.timestamp()).map_err(|_| bad("cron", format!("The schedule {cron:?} names no moment that comes.")))
}

/// Checks what scans of a directory are to be told.
///
/// # Errors
/// `bad_request`, naming the member.
pub fn check_settings(settings: &ScanSettings) -> Result<(), Problem> {
    let lists = [("emergency_accounts", &settings.emergency_accounts), ("emergency_groups", &settings.emergency_groups)]
        .into_iter()
        .chain(settings.accepted_exclusions.values().map(|ids| ("accepted_exclusions", ids)))
        .chain(settings.accepted_entities.values().map(|ids| ("accepted_entities", ids)));
    for (field, ids) in lists {
        if ids.len() > IDS {
            return Err(bad(field, format!("`{field}` holds more than {IDS} ids. Use a group instead.")));
        }
        for id in ids {
            crate::text::name(field, id, 200)?;
            // What decides who is never locked out is compared with object ids: anything else would protect nobody.
            if field.starts_with("emergency_") && id.parse::<uuid::Uuid>().is_err() {
                return Err(bad(field, format!("`{field}` holds {id:?}, which is no object id. Take the object id from Entra.")));
            }
        }
    }
    if settings.packs.len() > PACKS_PINNED {
        return Err(bad("packs", format!("At most {PACKS_PINNED} packs judge one directory.")));
    }
    Ok(())
}

fn plain(text: &str, extra: &str, max: usize) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b) || extra.as_bytes().contains(&b))
        && text.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// Checks a pack's name and version.
///
/// # Errors
/// `bad_request`.
pub fn check_pack_name(name: &str, version: &str) -> Result<(), Problem> {
    if !plain(name, "", 60) {
        return Err(bad("pack", "A pack's name is letters, digits, `-`, `_` and `.`, at most 60."));
    }
    if !plain(version, "+", 40) {
        return Err(bad("version", "A pack's version is letters, digits, `-`, `_`, `+` and `.`, at most 40."));
    }
    Ok(())
}

/// Checks a pack's files: few, small, with plain relative names of kinds that are read.
///
/// # Errors
/// `bad_request`, naming the file, or `limit_exceeded`.
pub fn check_pack_files(files: &BTreeMap<String, String>) -> Result<(), Problem> {
    if files.is_empty() {
        return Err(bad("files", "The pack holds no file. Send at least one."));
    }
    let bytes: usize = files.values().map(String::len).sum();
    if files.len() > PACK_FILES || bytes > PACK_BYTES {
        let detail = format!("A pack holds at most {PACK_FILES} files and {PACK_BYTES} bytes; this one has {} and {bytes}.", files.len());
        return Err(Problem::new(Code::LimitExceeded, detail).at("files"));
    }
    for (name, text) in files {
        let parts = name.len() <= 200 && name.split('/').all(|part| plain(part, " ", 100) && part != "..");
        let kind = [".rego", ".yaml", ".yml", ".json"].iter().any(|kind| name.ends_with(kind));
        if !parts || !kind {
            return Err(bad(
                "files",
                format!("The file name {name:?} is not one a pack holds: a relative path that ends in .rego, .yaml or .json."),
            ));
        }
        if text.contains('\0') {
            return Err(bad("files", format!("The file {name:?} is not text.")));
        }
    }
    Ok(())
}

/// Refuses what the scanner would refuse as a pack.
///
/// # Errors
/// `bad_request`, with what is wrong and the file.
pub fn check_pack(name: &str, version: &str, files: &BTreeMap<String, String>) -> Result<(), Problem> {
    let files = files.iter().map(|(path, text)| (path.clone(), text.clone())).collect();
    let source = bailiwick_checks::PackSource { name: name.to_owned(), version: version.to_owned(), files };
    bailiwick_checks::Pack::read(&source).map(drop).map_err(|why| bad("files", why))
}

/// Refuses one more where a tenant has as many as it may.
///
/// # Errors
/// `limit_exceeded`.
pub fn room(what: &str, has: i64, most: i64) -> Result<(), Problem> {
    if has < most {
        return Ok(());
    }
    Err(Problem::new(Code::LimitExceeded, format!("There are {has} {what}, and at most {most} are kept for one tenant.")))
}

/// SHA-256 over names and contents, each with its length.
pub fn pack_hash(files: &BTreeMap<String, String>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for text in files.iter().flat_map(|(name, text)| [name, text]) {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_schedule_is_read_in_its_own_zone_also_when_clocks_change() {
        assert_eq!(next_due("30 2 * * *", "UTC", at("2026-11-22T08:00:00Z")).unwrap(), at("2026-11-23T02:30:00Z"));
        assert_eq!(next_due("30 2 * * *", "Europe/Berlin", at("2026-11-22T08:00:00Z")).unwrap(), at("2026-11-23T01:30:00Z"));
        assert_eq!(next_due("0 6 * * 1", "America/New_York", at("2026-07-01T00:00:00Z")).unwrap(), at("2026-07-06T10:00:00Z"));
        // 2026-03-29, Berlin goes from 02:00 to 03:00.
        let spring = next_due("0 4 * * *", "Europe/Berlin", at("2026-03-28T12:00:00Z")).unwrap();
        assert_eq!(spring, at("2026-03-29T02:00:00Z"));
    }

    #[test]
    fn what_is_no_schedule_is_refused_by_name() {
        let place = |cron, zone| next_due(cron, zone, at("2026-11-22T08:00:00Z")).unwrap_err().place.unwrap();
        assert_eq!(place("* * * *", "UTC"), "cron");
        assert_eq!(place("0 0 2 * * *", "UTC"), "cron");
        assert_eq!(place("61 2 * * *", "UTC"), "cron");
        assert_eq!(place("0 2 * * *", "Berlin/Europe"), "zone");
    }

    #[test]
    fn a_pack_the_scanner_would_refuse_is_refused_when_it_is_added() {
        let rego = ("a.rego".to_owned(), "package contoso".to_owned());
        let manifest = |version: &str| ("pack.yaml".to_owned(), format!("name: mine\nversion: \"{version}\"\npackage: contoso\n"));
        assert_eq!(check_pack("mine", "1", &BTreeMap::from([rego.clone(), manifest("1")])), Ok(()));
        for files in [BTreeMap::from([rego.clone()]), BTreeMap::from([manifest("1")]), BTreeMap::from([rego, manifest("2")])] {
            assert_eq!(check_pack("mine", "1", &files).unwrap_err().place.as_deref(), Some("files"));
        }
        assert_eq!(room("packs", PACKS - 1, PACKS), Ok(()));
        assert_eq!(room("packs", PACKS, PACKS).unwrap_err().code, Code::LimitExceeded);
    }

    #[test]
    fn a_pack_holds_few_small_text_files_with_plain_names() {
        let files = |name: &str| BTreeMap::from([(name.to_owned(), "package x".to_owned())]);
        for good in ["a.rego", "policy/entra.rego", "checks/a b.yaml", "data.json"] {
            assert!(check_pack_files(&files(good)).is_ok(), "{good}");
        }
        for bad in ["a.exe", "../a.rego", "/etc/a.rego", "a//b.rego", "..rego/..", "", "a\\b.rego"] {
            assert!(check_pack_files(&files(bad)).is_err(), "{bad}");
        }
        assert!(check_pack_files(&BTreeMap::new()).is_err());
        let large = BTreeMap::from([("a.rego".to_owned(), "x".repeat(PACK_BYTES + 1))]);
        assert_eq!(check_pack_files(&large).unwrap_err().code, Code::LimitExceeded);
        assert!(check_pack_name("contoso-baseline", "1.0.0+2").is_ok());
        assert!(check_pack_name("..", "1").is_err() && check_pack_name("a/b", "1").is_err() && check_pack_name("a", "").is_err());
    }
}
