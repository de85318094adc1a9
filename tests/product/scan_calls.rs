//! Everything that leaves for scans of the three directories, call by call: what is asked, of whom, and how often. The table goes to
//! `target/scan-calls.md`.

#[path = "../faults/scans/stage.rs"]
#[allow(dead_code)] // the tests of faults use the rest
mod stage;

use bailiwick_sim::Call;
use bailiwick_sim::demo::{NORTHWIND, READER_CLIENT_ID, TAILSPIN, WINGTIP};
use stage::Stage;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

/// Calls of one endpoint: in how many scans, how many requests in all, how many of them further pages, and the most in one scan.
#[derive(Default)]
struct Endpoint {
    scans: usize,
    requests: usize,
    pages: usize,
}

/// The path with the objects' own names taken out, as documentation writes it.
fn endpoint(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        let named = matches!(parts.last(), Some(&("vaults" | "sites" | "storageAccounts" | "resourceGroups")));
        parts.push(if part.parse::<uuid::Uuid>().is_ok() || named { "{id}" } else { part });
    }
    parts.join("/")
}

fn is_sign_in(call: &Call) -> bool {
    ["/oauth2/v2.0/token", "/discovery/v2.0/keys", "/.well-known/openid-configuration"].iter().any(|end| call.path.ends_with(end))
}

/// Values of secrets, keys and certificates; contents of mailboxes, calendars, chats and files.
fn is_value(call: &Call) -> bool {
    let path = call.path.to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').collect();
    let vault = call.host.contains("vault") && parts.len() > 2 && ["secrets", "keys", "certificates"].contains(&parts[1]);
    let lists_keys = ["listkeys", "listsecrets", "listaccountsas", "listcallbackurl"].iter().any(|action| path.ends_with(action));
    let content =
        ["messages", "mailfolders", "events", "calendar", "calendarview", "chats", "drive", "drives", "onenote", "contacts", "photo"];
    vault || lists_keys || parts.iter().any(|part| content.contains(part))
}

/// I43: over both kinds of scan of three directories, everything that leaves is a read or a sign-in, to the hosts of the configured
/// cloud, of no value, and each thing once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i43_scans_of_three_directories_write_nothing_read_no_value_and_ask_each_thing_once() {
    let stage = Stage::new().await;
    let mut endpoints: BTreeMap<(&str, String), Endpoint> = BTreeMap::new();
    let (mut data, mut batches, mut tokens, mut writes, mut values, mut twice) = (0, 0, 0, Vec::new(), Vec::new(), Vec::new());
    for directory in [NORTHWIND, TAILSPIN, WINGTIP] {
        let connection = stage.connect(&directory).await;
        for kind in ["compliance", "exposure"] {
            stage.sim.clear_calls();
            let done = stage.scan(&connection, kind).await;
            assert_eq!(done["attempts"], 1);
            let (mut once, mut seen) = (HashSet::new(), HashSet::new());
            for call in stage.sim.calls() {
                if is_sign_in(&call) {
                    tokens += usize::from(call.path.ends_with("/token"));
                    continue;
                }
                assert_eq!(
                    (call.directory, call.client_id.clone()),
                    (Some(directory.directory), Some(READER_CLIENT_ID.to_string())),
                    "{call:?}"
                );
                let batch = call.method == "POST" && call.path.ends_with("/$batch");
                if call.method != "GET" && !batch {
                    writes.push(call.clone());
                }
                if is_value(&call) {
                    values.push(call.clone());
                }
                if batch {
                    batches += 1;
                    continue;
                }
                data += 1;
                assert!(call.status < 500 && call.status != 429, "nothing is throttled or broken here: {call:?}");
                let query = call.query.clone().filter(|query| !query.is_empty());
                if !once.insert((call.path.clone(), query.clone())) {
                    twice.push(call.clone());
                }
                let further = query.is_some_and(|query| query.contains("skiptoken") || query.contains("skipToken"));
                let entry = endpoints.entry((kind, endpoint(&call.path))).or_default();
                entry.requests += 1;
                entry.pages += usize::from(further);
                entry.scans += usize::from(seen.insert(endpoint(&call.path)));
            }
        }
    }
    let (own, port) = ("localhost", stage.sim.address().port());
    let left = stage.left.recent();
    let elsewhere: Vec<_> = left.iter().filter(|call| call.host != own || call.port.is_some_and(|p| p != port)).collect();
    let kinds: HashSet<&str> = left.iter().map(|call| call.method.as_str()).collect();
    assert!(kinds.is_subset(&HashSet::from(["GET", "POST"])), "{kinds:?}");
    let mut text = format!(
        "# What scans ask\n\nThree directories (hardened, typical, neglected), two scans each: {data} reads in {} calls ({batches} batches), {tokens} \
         token requests.\n\n- write calls: {}\n- reads of values: {}\n- calls to hosts outside the list: {}\n- things read twice in one scan: {}\n\n\
         | scan | endpoint | scans | requests | of these further pages |\n|---|---|---:|---:|---:|\n",
        left.len(),
        writes.len(),
        values.len(),
        elsewhere.len(),
        twice.len(),
    );
    for ((kind, path), Endpoint { scans, requests, pages }) in &endpoints {
        let _ = writeln!(text, "| {kind} | `{path}` | {scans} | {requests} | {pages} |");
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/scan-calls.md"), &text).unwrap();
    println!("{}", text.split("\n\n|").next().unwrap());
    assert!(data > 200 && endpoints.len() > 50, "{data} reads of {} endpoints", endpoints.len());
    assert!(writes.is_empty(), "{writes:#?}");
    assert!(values.is_empty(), "{values:#?}");
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    assert!(twice.is_empty(), "{twice:#?}");
}
