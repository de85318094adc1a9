//! What leads out of the process, and into it.

use crate::source::{files_with, flat, only_in, sources, text_of};
use bailiwick_contract::OPEN_ROUTES;

const PRODUCT: &[&str] = &["base", "cloud", "contract", "domain", "formats", "proof", "server", "store"];

/// Names of what opens a connection to somewhere.
const CONNECTING: &[&str] = &[
    "reqwest",
    "hyper",
    "hyper_util",
    "TcpStream",
    "UdpSocket",
    "ToSocketAddrs",
    "lookup_host",
    "ureq",
    "isahc",
    "hickory_resolver",
    // The mail library's own ways to connect; it is given connections that were made by the one way out.
    "AsyncSmtpTransport",
    "SmtpTransport",
    "AsyncNetworkStream",
    "connect_tokio1",
];

/// What connects beside the one way out for HTTP.
const BESIDE: &[(&str, &str)] =
    &[("crates/cloud/src/dns.rs", "questions for TXT and CNAME records of public names, to the configured name servers")];

/// Routes that are not operations and not open, with what they answer.
const OTHER_ROUTES: &[(&str, &str)] = &[
    ("/api/{*path}", "every other address of the API: a refusal"),
    ("/metrics", "on a listener of its own, which the configuration opens"),
];

#[test]
fn every_outbound_request_goes_through_the_one_way_out() {
    let all = sources(PRODUCT);
    let found =
        CONNECTING.iter().flat_map(|ident| files_with(&all, ident)).filter(|path| !path.starts_with("crates/cloud/src/egress")).collect();
    only_in("connections", found, BESIDE);
}

/// An access turns into the right to write where connections are kept, which looks whether one to write is live.
#[test]
fn only_the_keeper_of_connections_makes_a_right_to_write() {
    let outside: Vec<&str> = PRODUCT.iter().copied().filter(|name| *name != "cloud").collect();
    for path in files_with(&sources(&outside), "of_write_connection") {
        assert_eq!(path, "crates/domain/src/connections/reach.rs");
    }
}

/// A route beside the contract's operations must be on the list of open ones, or be a listed refusal.
#[test]
fn i1_no_route_exists_beside_the_declared_ones() {
    let mut routes = Vec::new();
    for source in sources(&["server"]) {
        let tokens = flat(&source.tokens);
        for window in tokens.windows(3) {
            if let (true, proc_macro2::TokenTree::Group(group)) =
                (["route", "nest", "route_service", "nest_service"].contains(&window[0].to_string().as_str()), &window[1])
            {
                let first = group.stream().into_iter().next();
                routes.extend(first.as_ref().and_then(text_of));
            }
        }
    }
    routes.sort();
    let fallback = "/{*path}";
    let mut declared: Vec<String> = OPEN_ROUTES
        .iter()
        .map(|r| r.path)
        .filter(|p| *p != fallback)
        .chain(OTHER_ROUTES.iter().map(|(p, _)| *p))
        .map(str::to_owned)
        .collect();
    declared.sort();
    assert_eq!(routes, declared);
}

/// The portal signs in as a public client, for one scope, and stores no token where it outlives the window.
#[test]
fn i5_the_portal_holds_no_secret_and_asks_for_nothing_of_microsofts() {
    let mut checked = 0;
    let mut folders = vec![crate::source::root().join("web/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "ts" || e == "tsx") {
                let text = std::fs::read_to_string(&path).unwrap();
                for word in ["clientSecret", "client_secret", "graph.microsoft", "User.Read", "Directory.Read", "ConfidentialClient"] {
                    assert!(!text.contains(word), "{}: {word}", path.display());
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} files of the portal were seen");
}
