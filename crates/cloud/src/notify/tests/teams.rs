//! Cards for Teams: which hosts, how long, and what both kinds of address answer.

use super::*;
use crate::notify::teams as wire;
use crate::testing::{Raw, Then};
use bailiwick_base::Secret;
use serde_json::{Value, json};

/// The same door, seen as one more host of Teams; names of incoming webhooks lead to it too.
fn teams(at: std::net::SocketAddr) -> (Teams, String) {
    let mut config = EgressConfig { customer_private: vec!["127.0.0.0/8".parse().unwrap()], ..EgressConfig::default() };
    config.pinned.insert("contoso.webhook.office.com".into(), vec![std::net::SocketAddr::new(at.ip(), 0)]);
    let egress = Egress::new(config, clock(), Arc::new(Ring::new(10))).unwrap();
    (Teams::new(egress, vec!["127.0.0.1".into()]).unwrap(), format!("http://{at}/workflows/s3cret?sig=s3cret"))
}

fn message() -> Value {
    wire::message("Two checks regressed", json!({"type": "AdaptiveCard", "version": "1.4", "body": []}))
}

async fn workflow_answered(text: &'static str) -> Outcome {
    let server = Raw::doing(Then::SayAndClose(text)).await;
    let (teams, url) = teams(server.at);
    teams.post(&Secret::new(url), &message()).await
}

async fn webhook_answered(text: &'static str) -> Outcome {
    let server = Raw::doing(Then::SayAndClose(text)).await;
    let (teams, _) = teams(server.at);
    let url = format!("http://contoso.webhook.office.com:{}/webhookb2/s3cret", server.at.port());
    teams.post(&Secret::new(url), &message()).await
}

#[tokio::test]
async fn one_card_is_posted_as_both_kinds_want_it() {
    let server = Raw::doing(Then::Say("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")).await;
    let (teams, url) = teams(server.at);
    let outcome = teams.post(&Secret::new(url), &message()).await;
    assert_eq!(outcome, Outcome::Delivered { receipt: "HTTP 202".into() });
    let taken = server.taken();
    let (head, body) = taken[0].1.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /workflows/s3cret?sig=s3cret HTTP/1.1") && head.contains("content-type: application/json"));
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["type"], &body["summary"]), (&json!("message"), &json!("Two checks regressed")));
    let attachments = body["attachments"].as_array().unwrap();
    assert_eq!(attachments.len(), 1);
    assert_eq!(attachments[0]["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!((&attachments[0]["contentUrl"], &attachments[0]["content"]["version"]), (&Value::Null, &json!("1.4")));
}

#[test]
fn only_hosts_of_teams_and_those_the_operator_added_are_taken() {
    let egress = Egress::new(EgressConfig::default(), clock(), Arc::new(Ring::new(1))).unwrap();
    let teams = Teams::new(egress.clone(), vec!["flow.contoso.example".into(), "*.logic.azure.us".into()]).unwrap();
    for url in [
        "https://prod-12.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=y",
        "https://default0.1a.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/x",
        "https://contoso.webhook.office.com/webhookb2/x@y/IncomingWebhook/z/w",
        "https://flow.contoso.example/x",
        "https://prod-1.usgovtexas.logic.azure.us/x",
    ] {
        teams.admit(url).unwrap();
    }
    for (url, wanted) in [
        ("https://example.com/x", "host_not_listed"),
        ("https://logic.azure.com/x", "host_not_listed"),
        ("https://evillogic.azure.com/x", "host_not_listed"),
        ("https://x.logic.azure.com.evil.example/x", "host_not_listed"),
        ("https://x.flow.contoso.example/x", "host_not_listed"),
        ("http://prod-12.westeurope.logic.azure.com/x", "bad_url"),
        ("https://a:b@contoso.webhook.office.com/x", "bad_url"),
        ("https://127.0.0.1/x", "refused_address"),
        ("prod-12", "bad_url"),
    ] {
        assert_eq!(teams.admit(url).unwrap_err().code, wanted, "{url}");
    }
    assert!(Teams::new(egress, vec!["*.com".into()]).is_err());
}

#[tokio::test]
async fn a_workflow_says_by_its_status_what_to_do() {
    for (text, wanted, comes_back) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "delivered", false),
        ("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", "refused", false),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", "refused", false),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "gone", false),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", "gone", false),
        ("HTTP/1.1 413 Too Long\r\ncontent-length: 0\r\n\r\n", "too_large", false),
        ("HTTP/1.1 429 Slow\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n", "throttled", true),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "unavailable", true),
        ("HTTP/1.1 307 On\r\nlocation: https://evil.example/\r\ncontent-length: 0\r\n\r\n", "redirected", false),
    ] {
        let outcome = workflow_answered(text).await;
        assert_eq!((code(&outcome), later(&outcome)), (wanted, comes_back), "{text}");
        assert!(!format!("{outcome:?}").contains("s3cret"));
    }
}

#[tokio::test]
async fn an_incoming_webhook_hides_its_errors_in_a_200() {
    for (text, wanted) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1", "delivered"),
        (
            "HTTP/1.1 200 OK\r\n\r\nWebhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId",
            "throttled",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nWebhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 404 with",
            "gone",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nWebhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413",
            "too_large",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nWebhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 500",
            "unavailable",
        ),
        ("HTTP/1.1 200 OK\r\n\r\nsomething else", "unavailable"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "unavailable"),
        ("HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n", "refused"),
    ] {
        assert_eq!(code(&webhook_answered(text).await), wanted, "{text}");
    }
}

#[tokio::test]
async fn a_message_that_teams_would_not_take_is_not_sent() {
    let server = Raw::doing(Then::Say("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")).await;
    let (teams, url) = teams(server.at);
    let overhead = wire::message("", json!("")).to_string().len();
    let sized = |bytes: usize| wire::message("", json!("x".repeat(bytes - overhead)));
    let url = Secret::new(url);
    let outcome = teams.post(&url, &sized(wire::LONGEST + 1)).await;
    assert!(broken(&outcome) && code(&outcome) == "too_large", "{outcome:?}");
    assert_eq!(server.taken(), []);
    assert_eq!(code(&teams.post(&url, &sized(wire::LONGEST)).await), "delivered");
}
