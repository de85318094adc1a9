//! Telling people, against servers on loopback that take, defer, refuse and fall silent.

mod graph_mail;
mod sink;
mod smtp;
mod teams;
mod webhook;

use super::*;
use crate::{
    egress::{Egress, EgressConfig, Ring},
    testing::start,
};
use bailiwick_base::ManualClock;
use std::sync::Arc;

fn mail() -> Mail {
    Mail {
        to: "grace@contoso.com".parse().unwrap(),
        subject: "2 checks regressed in Contoso".into(),
        html: "<p>Two checks <b>regressed</b>.</p>".into(),
        text: "Two checks regressed.".into(),
        id: "0192f0c1-0000-7000-8000-000000000001".into(),
        unsubscribe: None,
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(start()))
}

/// A way out whose customers' door leads to loopback, as an operator's configuration may say.
fn opened() -> (Egress, Arc<Ring>) {
    let open = vec!["127.0.0.0/8".parse().unwrap()];
    let ring = Arc::new(Ring::new(100));
    (Egress::new(EgressConfig { customer_private: open, ..EgressConfig::default() }, clock(), ring.clone()).unwrap(), ring)
}

fn code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered { .. } => "delivered",
        Outcome::Later { why, .. } | Outcome::Broken { why } => why.code,
    }
}

fn later(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Later { .. })
}

fn broken(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Broken { .. })
}

#[test]
fn an_address_is_one_that_mail_can_be_sent_to() {
    for (text, kept) in [
        ("ada@contoso.com", "ada@contoso.com"),
        (" Ada.Lovelace+drift@Contoso.COM ", "Ada.Lovelace+drift@contoso.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("o'brien@contoso.com", "o'brien@contoso.com"),
    ] {
        assert_eq!(text.parse::<EmailAddress>().unwrap().as_str(), kept);
    }
    for text in [
        "",
        "ada",
        "ada@",
        "@contoso.com",
        "ada@contoso",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada lovelace@contoso.com",
        "ada@contoso.com\r\nRCPT TO:<eve@evil.example>",
        "ada\r\n@contoso.com",
        "adä@contoso.com",
        "<ada@contoso.com>",
        "ada@contoso.com,eve@evil.example",
        "ada@contoso.com.",
    ] {
        assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
    }
    assert!(format!("{}@contoso.com", "a".repeat(250)).parse::<EmailAddress>().is_err());
    let address: EmailAddress = serde_json::from_str("\"ada@contoso.com\"").unwrap();
    assert_eq!(serde_json::to_string(&address).unwrap(), "\"ada@contoso.com\"");
}

#[test]
fn a_url_that_is_a_credential_is_shown_by_its_host() {
    assert_eq!(
        mask("https://prod-12.westeurope.logic.azure.com:443/workflows/s3cret?sig=s3cret"),
        "https://prod-12.westeurope.logic.azure.com/…"
    );
    assert_eq!(mask("https://example.com:8443/hook/s3cret"), "https://example.com:8443/…");
    assert_eq!(mask("s3cret"), "…");
    assert_eq!(mask("data:s3cret"), "…");
}
