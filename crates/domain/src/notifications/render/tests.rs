//! What messages look like: golden samples, and that neither a hostile report nor a huge one gets through as anything but text.
//!
//! `BAILIWICK_UPDATE_GOLDEN=1` writes the golden files anew.

use super::card::{LONGEST, escaped};
use super::*;
use crate::notifications::model::{DriftContent, KEPT, Line};
use bailiwick_base::{FindingId, Outcome};
use std::path::PathBuf;
use uuid::Uuid;

const AT: &str = "2026-11-22T08:00:00Z";

fn message(what: What) -> Message {
    Message {
        tenant: "Contoso".into(),
        portal: "https://bailiwick.contoso.com/".parse().unwrap(),
        what,
        rule: Some("What got worse".into()),
        min_severity: None,
    }
}

fn item(content: Content) -> Item {
    Item { id: EventId(Uuid::from_u128(0x77)), at: AT.parse().unwrap(), content: Arc::new(content) }
}

fn alone(content: Content) -> Message {
    message(What::Events { gathered: false, items: vec![item(content)], more: 0 })
}

fn unsubscribe() -> Url {
    "https://bailiwick.contoso.com/unsubscribe#bwu_token".parse().unwrap()
}

fn golden(name: &str, found: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/notifications/render/golden").join(name);
    if std::env::var_os("BAILIWICK_UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, found).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(wanted, found, "{name} is not the golden one: if that is meant, run again with BAILIWICK_UPDATE_GOLDEN=1 and commit it");
}

fn of(event: EventKind) -> Message {
    alone(sample::content(event))
}

fn digest() -> Message {
    let items = EventKind::ALL.iter().map(|event| item(sample::content(*event))).collect();
    message(What::Events { gathered: true, items, more: 0 })
}

/// A report as somebody would write it who wants to be more than text: in each place that a report fills.
fn hostile() -> Content {
    let text = "<script>alert(1)</script> <img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} &amp; <at>All</at> [click](https://evil.example) *b* `c`\r\nBcc: a@b.c \u{202e}";
    let mut drift = sample::drift();
    (drift.tool, drift.source) = (text.into(), text.into());
    drift.directory = None;
    for line in drift.regressions.iter_mut().chain(&mut drift.fixed) {
        (line.check_key, line.title, line.place) = (text.into(), text.into(), Some(text.into()));
    }
    Content::DriftRegressed(drift)
}

fn huge() -> Content {
    let sample = sample::drift();
    let regressions: Vec<Line> = (0..KEPT)
        .map(|n| Line {
            title: format!("{n} {}", "long ".repeat(60)),
            finding: Some(FindingId(Uuid::from_u128(n as u128))),
            ..sample.regressions[0].clone()
        })
        .collect();
    let by_severity = [("critical".to_owned(), 100_000)].into();
    let mut counts = sample.counts;
    (counts.regression, counts.fixed) = (100_000, 5_000);
    Content::DriftRegressed(DriftContent { regressions, by_severity, counts, ..sample })
}

#[test]
fn a_drift_is_told_as_the_golden_mail_card_and_payload() {
    let message = of(EventKind::DriftRegressed);
    let mail = message.mail(Some(&unsubscribe()));
    assert_eq!(mail.subject, "Example directory: 3 checks got worse (1 critical, 1 high, 1 medium)");
    golden("drift.html", &mail.html);
    golden("drift.txt", &mail.text);
    golden("drift.card.json", &format!("{:#}\n", message.card().1));
    golden("drift.payload.json", &format!("{:#}\n", message.payload(AT.parse().unwrap())));
}

#[test]
fn a_digest_is_told_as_the_golden_mail_card_and_payload() {
    let message = digest();
    let mail = message.mail(Some(&unsubscribe()));
    assert_eq!(
        mail.subject,
        "Contoso: 3 checks got worse, 1 scan failed, 1 report was refused, 1 fix waits for approval, 1 fix came to its end"
    );
    golden("digest.html", &mail.html);
    golden("digest.txt", &mail.text);
    golden("digest.card.json", &format!("{:#}\n", message.card().1));
    golden("digest.payload.json", &format!("{:#}\n", message.payload(AT.parse().unwrap())));
}

#[test]
fn each_event_has_a_subject_of_its_own() {
    let subjects: Vec<String> = EventKind::ALL.iter().map(|event| of(*event).subject()).collect();
    assert_eq!(
        subjects,
        [
            "Example directory: 3 checks got worse (1 critical, 1 high, 1 medium)",
            "Example directory: the compliance scan failed",
            "nightly pipeline: a report was refused",
            "Example directory: a fix waits for approval: Block legacy authentication",
            "Example directory: a fix was applied: Block legacy authentication",
        ]
    );
    let test = message(What::Test { channel: "Security team".into() });
    assert_eq!(test.subject(), "Contoso: test of the channel “Security team”");
    let broken = message(What::Broken { channel: "Desk".into(), detail: "404 Not Found".into() });
    assert_eq!(broken.subject(), "Contoso: the channel “Desk” is broken");
}

/// What a report holds is text in every form, and nothing of it leaves its line.
#[test]
fn i63_what_a_report_says_is_text_in_mails_cards_and_subjects() {
    for message in [alone(hostile()), message(What::Events { gathered: true, items: vec![item(hostile()), item(hostile())], more: 0 })] {
        let mail = message.mail(Some(&unsubscribe()));
        for tag in ["<script", "<img", "<at>"] {
            assert!(!mail.html.contains(tag), "{tag} in the HTML");
        }
        assert!(mail.html.contains("&lt;script&gt;") && mail.html.contains("{{ 7*7 }}"));
        assert!(!mail.subject.contains(['\r', '\n', '\u{202e}']), "{:?}", mail.subject);
        assert!(!mail.text.contains("\nBcc:") && !mail.text.contains(['\r', '\u{202e}']));
        let (summary, card) = message.card();
        assert!(!summary.contains(['\r', '\n']));
        let card = card.to_string();
        assert!(!card.contains("<at>") && !card.contains("[click](https"), "{card}");
    }
}

/// Nothing is fetched when a mail is opened: no image, font, script, frame or style sheet from anywhere.
#[test]
fn a_mail_loads_nothing() {
    for message in [of(EventKind::DriftRegressed), digest(), alone(huge())] {
        let html = message.mail(Some(&unsubscribe())).html;
        for way in ["<img", "<script", "<link", "<iframe", "<object", "<form", "src=", "url(", "@import", "@font-face", "http-equiv"] {
            assert!(!html.contains(way), "{way}");
        }
        for address in html.split("href=\"").skip(1) {
            assert!(address.starts_with("https://bailiwick.contoso.com/"), "{}", &address[..60]);
        }
    }
}

/// A card fits whatever there is to tell, says how much it leaves out, and is one that Teams shows.
#[test]
fn a_card_fits_a_message_and_says_how_much_more_there_is() {
    let many = (0..TOLD).map(|_| item(huge())).collect();
    for message in [
        of(EventKind::DriftRegressed),
        digest(),
        alone(huge()),
        alone(hostile()),
        message(What::Events { gathered: true, items: many, more: 480 }),
    ] {
        let (_, card) = message.card();
        assert!(card.to_string().len() <= LONGEST, "{}", card.to_string().len());
        assert_eq!((&card["type"], &card["version"]), (&"AdaptiveCard".into(), &"1.4".into()));
        let text = card.to_string();
        for known in ["\"Table\"", "Action.Submit", "Action.Execute", "\"Image\""] {
            assert!(!text.contains(known), "{known} does not work through a webhook");
        }
    }
    assert!(alone(huge()).card().1.to_string().contains("99988 more"));
    assert!(alone(huge()).mail(None).html.contains("and 99975 more"));
}

#[test]
fn what_is_below_the_rules_severity_is_not_told() {
    let mut message = of(EventKind::DriftRegressed);
    message.min_severity = Some(Severity::High);
    let mail = message.mail(None);
    assert_eq!(mail.subject, "Example directory: 2 checks got worse (1 critical, 1 high)");
    assert!(!mail.html.contains("External sharing") && !mail.text.contains("External sharing"));
    assert!(!message.card().1.to_string().contains("External sharing"));
    let payload = message.payload(AT.parse().unwrap());
    assert_eq!(payload["data"]["regressions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_mail_without_a_link_to_unsubscribe_names_none() {
    let mail = message(What::Test { channel: "x".into() }).mail(None);
    assert!(!mail.html.contains("Unsubscribe") && !mail.text.contains("Unsubscribe"));
    let mail = of(EventKind::DriftRegressed).mail(Some(&unsubscribe()));
    assert!(mail.html.contains("unsubscribe#bwu_token") && mail.text.contains("unsubscribe#bwu_token"));
}

#[test]
fn markup_in_a_card_is_shown_as_it_was_written() {
    assert_eq!(escaped("[a](b) *c* _d_ `e` <at>f</at>"), "\\[a\\]\\(b\\) \\*c\\* \\_d\\_ \\`e\\` &lt;at&gt;f&lt;/at&gt;");
    assert_eq!(escaped("1. one"), "\u{200b}1. one");
    assert_eq!(escaped("- one"), "\u{200b}- one");
    assert_eq!(escaped("10 checks"), "10 checks");
    assert_eq!(escaped(&"x".repeat(300)).chars().count(), 201);
}

/// An outcome without a word would be a hole in the line.
#[test]
fn every_outcome_has_a_word() {
    for outcome in Outcome::ALL {
        assert!(!super::words::outcome_word(Some(*outcome)).is_empty());
    }
}
