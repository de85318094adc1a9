//! Mail over SMTP, against a server that takes, defers, refuses, hangs up and falls silent.

use super::sink::{NAME, Sink};
use super::*;
use crate::egress::AllowedHost;
use bailiwick_base::Secret;
use jiff::SignedDuration;
use std::{net::SocketAddr, time::Duration};

struct Post {
    sink: Sink,
    clock: Arc<ManualClock>,
    mailer: Mailer,
}

fn config(sink: &Sink) -> SmtpConfig {
    let mut config = SmtpConfig::new(NAME, "bailiwick@ops.example".parse().unwrap());
    config.port = Some(sink.at.port());
    config.private = vec!["127.0.0.0/8".parse().unwrap()];
    config
}

fn way_out(sink: &Sink, allow: AllowedHost, clock: &Arc<ManualClock>) -> Egress {
    let mut config = EgressConfig { allow: vec![allow], extra_roots_pem: Some(sink.pem.clone()), ..EgressConfig::default() };
    config.pinned.insert(NAME.into(), vec![SocketAddr::new(sink.at.ip(), 0)]);
    Egress::new(config, clock.clone(), Arc::new(Ring::new(100))).unwrap()
}

fn mailer(sink: &Sink, config: SmtpConfig) -> (Mailer, Arc<ManualClock>) {
    let clock = clock();
    let egress = way_out(sink, config.allowed_host(), &clock);
    (Mailer::new(config, egress, clock.clone()).unwrap(), clock)
}

impl Post {
    async fn new() -> Self {
        let sink = Sink::offering(&["STARTTLS", "8BITMIME"]).await;
        let (mailer, clock) = mailer(&sink, config(&sink));
        Self { sink, clock, mailer }
    }

    async fn send(&self) -> Outcome {
        self.mailer.send(&mail()).await
    }
}

/// The value of a header, unfolded.
fn header(mail: &str, name: &str) -> Option<String> {
    let head = mail.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ").replace("\r\n\t", " ");
    let start = format!("{name}: ");
    head.split("\r\n").find_map(|line| line.strip_prefix(&start)).map(|value| value.trim().to_owned())
}

#[tokio::test]
async fn a_mail_arrives_with_both_parts_and_the_headers_robots_read() {
    let post = Post::new().await;
    let token = "t".repeat(120);
    let unsubscribe = Some(url::Url::parse(&format!("https://portal.example/unsubscribe?token={token}")).unwrap());
    let text = "Zwei Prüfungen: schlechter.\r\n.\r\nEin Punkt allein.";
    let mail = Mail { unsubscribe, text: text.into(), subject: "Abweichung: Prüfungen".into(), ..mail() };
    let outcome = post.mailer.send(&mail).await;
    assert_eq!(outcome, Outcome::Delivered { receipt: "250 2.0.0 queued as 7".into() });
    let taken = post.sink.seen(|seen| seen.mails[0].clone());
    assert!(taken.is_ascii());
    let header = |name: &str| header(&taken, name).unwrap_or_else(|| panic!("no {name} in {taken}"));
    assert_eq!((header("From").as_str(), header("To").as_str()), ("bailiwick@ops.example", "grace@contoso.com"));
    assert_eq!(header("Message-ID"), "<0192f0c1-0000-7000-8000-000000000001@ops.example>");
    assert_eq!(header("List-Unsubscribe"), format!("<https://portal.example/unsubscribe?token={token}>"));
    assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!((header("Auto-Submitted").as_str(), header("X-Bailiwick-Delivery")), ("auto-generated", mail.id.clone()));
    assert!(header("Date").starts_with("Sun, 22 Nov 2026 08:00:00"), "{}", header("Date"));
    assert!(header("Subject").starts_with("Abweichung: =?utf-8?"), "{}", header("Subject"));
    assert!(header("Content-Type").starts_with("multipart/alternative"));
    // Plain text first: readers show the last part they understand.
    let (plain, html) = (taken.find("text/plain").unwrap(), taken.find("text/html").unwrap());
    assert!(plain < html && taken.contains("<b>regressed</b>"));
    assert!(taken.contains("Pr=C3=BCfungen"), "{taken}");
    assert!(!taken.contains("Zwei Prüfungen") && header("MIME-Version") == "1.0");
}

#[tokio::test]
async fn nothing_is_said_before_the_conversation_is_inside_tls() {
    let sink = Sink::offering(&["STARTTLS", "AUTH PLAIN LOGIN"]).await;
    let mut config = config(&sink);
    config.sign_in = Some(SmtpSignIn { user: "bailiwick".into(), password: Secret::new("s3cret".into()) });
    let outcome = mailer(&sink, config).0.send(&mail()).await;
    assert_eq!(code(&outcome), "delivered");
    let bare: Vec<_> = sink.seen(|seen| seen.said.iter().filter(|(_, tls, _)| !tls).map(|(_, _, line)| line.clone()).collect());
    assert_eq!(bare, ["EHLO ops.example", "STARTTLS"]);
    assert_eq!(sink.verbs(), ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"]);
    // One that does not offer TLS gets no name, no password, no mail.
    let bald = Sink::offering(&["AUTH PLAIN"]).await;
    let mut config = self::config(&bald);
    config.sign_in = Some(SmtpSignIn { user: "bailiwick".into(), password: Secret::new("s3cret".into()) });
    let outcome = mailer(&bald, config).0.send(&mail()).await;
    assert!(later(&outcome) && code(&outcome) == "tls", "{outcome:?}");
    assert_eq!(bald.verbs(), ["EHLO"]);
}

#[tokio::test]
async fn tls_from_the_first_byte_is_spoken_to_the_right_name_only() {
    let sink = Sink::in_tls().await;
    let mut config = config(&sink);
    config.security = SmtpSecurity::Tls;
    let (mailer, _) = mailer(&sink, config);
    assert_eq!(code(&mailer.send(&mail()).await), "delivered");
    let said = sink.verbs();
    assert_eq!(said, ["EHLO", "MAIL", "RCPT", "DATA"]);
    // The same server under a name its certificate does not hold.
    let mut config = self::config(&sink);
    (config.host, config.security) = ("other.example".into(), SmtpSecurity::Tls);
    let clock = clock();
    let mut out = EgressConfig { allow: vec![config.allowed_host()], extra_roots_pem: Some(sink.pem.clone()), ..EgressConfig::default() };
    out.pinned.insert("other.example".into(), vec![SocketAddr::new(sink.at.ip(), 0)]);
    let egress = Egress::new(out, clock.clone(), Arc::new(Ring::new(1))).unwrap();
    let outcome = Mailer::new(config, egress, clock).unwrap().send(&mail()).await;
    assert!(later(&outcome) && code(&outcome) == "unreachable", "{outcome:?}");
    assert_eq!(sink.verbs(), said);
}

#[tokio::test]
async fn what_the_server_says_decides_whether_to_come_back() {
    for (verb, reply, wanted, comes_back) in [
        ("RCPT", "451 4.3.0 try again", "deferred", true),
        ("RCPT", "550 5.1.1 no such user", "recipient_refused", false),
        ("MAIL", "452 4.3.1 no room", "deferred", true),
        ("MAIL", "550 5.7.1 not for you", "sender_refused", false),
        ("DATA", "451 4.3.0 later", "deferred", true),
        ("DATA", "554 5.5.1 no", "refused", false),
        (".", "451 4.3.0 later", "deferred", true),
        (".", "552 5.3.4 too long", "refused", false),
        (".", "CLOSE", "no_answer", true),
        ("RCPT", "CLOSE", "unreachable", true),
        ("RCPT", "421 4.3.2 going down", "deferred", true),
        ("CONNECT", "554 5.7.1 not you", "unavailable", true),
        ("CONNECT", "CLOSE", "unreachable", true),
        ("STARTTLS", "454 4.7.0 not now", "tls", true),
    ] {
        let post = Post::new().await;
        post.sink.on(verb, [reply]);
        let outcome = post.send().await;
        assert_eq!((code(&outcome), later(&outcome)), (wanted, comes_back), "{verb} {reply}: {outcome:?}");
        if reply.len() > 5 {
            assert!(outcome.why().unwrap().detail.contains(&reply[4..]), "{outcome:?}");
        }
        // Whatever it was, the next mail arrives.
        assert_eq!(code(&post.send().await), "delivered", "{verb} {reply}");
    }
}

#[tokio::test]
async fn a_refused_sign_in_is_the_operators_to_mend_and_shows_no_password() {
    let sink = Sink::offering(&["STARTTLS", "AUTH PLAIN"]).await;
    sink.on("AUTH", ["535 5.7.8 wrong name or password"]);
    let mut config = config(&sink);
    config.sign_in = Some(SmtpSignIn { user: "bailiwick".into(), password: Secret::new("s3cret".into()) });
    let (mailer, _) = mailer(&sink, config);
    let outcome = mailer.send(&mail()).await;
    assert!(later(&outcome) && code(&outcome) == "signed_out", "{outcome:?}");
    assert!(!format!("{outcome:?}").contains("s3cret") && sink.seen(|seen| seen.mails.is_empty()));
    assert_eq!(code(&mailer.send(&mail()).await), "delivered");
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_mail_also_after_a_refusal() {
    let post = Post::new().await;
    post.sink.on("RCPT", ["250 ok", "550 5.1.1 no such user", "250 ok"]);
    for wanted in ["delivered", "recipient_refused", "delivered"] {
        assert_eq!(code(&post.send().await), wanted);
    }
    assert_eq!(post.sink.seen(|seen| (seen.connections, seen.mails.len())), (1, 2));
    assert!(post.sink.verbs().contains(&"RSET".to_owned()));
    // After half a minute without mail it is let go.
    post.clock.advance(SignedDuration::from_secs(31));
    assert_eq!(code(&post.send().await), "delivered");
    assert_eq!(post.sink.seen(|seen| seen.connections), 2);
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closed_costs_no_mail() {
    for goodbye in ["CLOSE", "421 4.4.2 you were idle"] {
        let post = Post::new().await;
        post.sink.on("MAIL", ["250 ok", goodbye]);
        assert_eq!(code(&post.send().await), "delivered");
        assert_eq!(code(&post.send().await), "delivered", "{goodbye}");
        assert_eq!(post.sink.seen(|seen| (seen.connections, seen.mails.len())), (2, 2));
    }
}

#[tokio::test]
async fn many_mails_go_over_as_many_connections_as_allowed() {
    let sink = Sink::offering(&["STARTTLS"]).await;
    let (mailer, _) = mailer(&sink, SmtpConfig { connections: 3, ..config(&sink) });
    let mails = (0..40).map(|i| Mail { id: format!("m-{i}"), ..mail() });
    let sending = mails.map(|mail| {
        let mailer = mailer.clone();
        tokio::spawn(async move { mailer.send(&mail).await })
    });
    for sent in futures::future::join_all(sending).await {
        assert_eq!(code(&sent.unwrap()), "delivered");
    }
    let ids: std::collections::BTreeSet<_> = sink.seen(|seen| seen.mails.iter().map(|mail| header(mail, "Message-ID").unwrap()).collect());
    assert_eq!(ids.len(), 40);
    assert!(sink.seen(|seen| seen.most <= 3 && seen.connections <= 3), "{}", sink.seen(|seen| seen.connections));
}

#[tokio::test]
async fn a_connection_says_a_hundred_mails_and_no_more() {
    let sink = Sink::offering(&["STARTTLS"]).await;
    let (mailer, _) = mailer(&sink, SmtpConfig { connections: 1, ..config(&sink) });
    for _ in 0..101 {
        assert_eq!(code(&mailer.send(&mail()).await), "delivered");
    }
    assert_eq!(sink.seen(|seen| (seen.connections, seen.mails.len())), (2, 101));
}

#[tokio::test]
async fn a_server_that_is_down_or_silent_is_waited_for() {
    let sink = Sink::offering(&["STARTTLS"]).await;
    sink.on("RCPT", ["HANG"]);
    let quick = SmtpConfig { timeout: Duration::from_millis(500), ..config(&sink) };
    let outcome = mailer(&sink, quick).0.send(&mail()).await;
    assert!(later(&outcome) && code(&outcome) == "timeout", "{outcome:?}");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let down = SmtpConfig { port: Some(port), ..config(&sink) };
    let outcome = mailer(&sink, down).0.send(&mail()).await;
    assert!(later(&outcome) && code(&outcome) == "unreachable", "{outcome:?}");
}

#[tokio::test]
async fn i58_a_server_inside_is_not_reached_unless_the_operator_opened_its_range() {
    let sink = Sink::offering(&["STARTTLS"]).await;
    let closed = SmtpConfig { private: vec![], ..config(&sink) };
    let outcome = mailer(&sink, closed).0.send(&mail()).await;
    assert!(later(&outcome) && code(&outcome) == "refused_address", "{outcome:?}");
    assert_eq!(sink.seen(|seen| seen.connections), 0);
    // Without TLS this machine itself is spoken to, and nothing else, whatever ranges are given.
    let plain =
        |private: &str| SmtpConfig { security: SmtpSecurity::PlainLoopback, private: vec![private.parse().unwrap()], ..config(&sink) };
    assert_eq!(code(&mailer(&sink, plain("10.0.0.0/8")).0.send(&mail()).await), "delivered");
    let elsewhere = plain("10.0.0.0/8");
    let clock = clock();
    let mut out = EgressConfig { allow: vec![elsewhere.allowed_host()], ..EgressConfig::default() };
    out.pinned.insert(NAME.into(), vec!["10.0.0.7:0".parse().unwrap()]);
    let egress = Egress::new(out, clock.clone(), Arc::new(Ring::new(1))).unwrap();
    assert_eq!(code(&Mailer::new(elsewhere, egress, clock).unwrap().send(&mail()).await), "refused_address");
}

#[tokio::test]
async fn nothing_in_a_mail_can_add_a_header_a_recipient_or_an_end() {
    let post = Post::new().await;
    let subject = "Hello\r\nBcc: eve@evil.example\r\n\r\nbody".to_owned();
    let hostile = Mail { subject, text: "a\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n".into(), ..mail() };
    assert_eq!(code(&post.mailer.send(&hostile).await), "delivered");
    let taken = post.sink.seen(|seen| seen.mails[0].clone());
    assert_eq!(header(&taken, "Bcc"), None);
    assert_eq!(post.sink.verbs().iter().filter(|verb| *verb == "MAIL" || *verb == "RCPT").count(), 2);
    assert_eq!(post.sink.seen(|seen| seen.mails.len()), 1);
    for odd in [Mail { id: "a@b".into(), ..mail() }, Mail { id: String::new(), ..mail() }, Mail { id: "x".repeat(65), ..mail() }] {
        assert_eq!(code(&post.mailer.send(&odd).await), "bad_message");
    }
    let bare = Mail { unsubscribe: Some("http://portal.example/u".parse().unwrap()), ..mail() };
    assert_eq!(code(&post.mailer.send(&bare).await), "bad_message");
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused() {
    let from = || "bailiwick@ops.example".parse().unwrap();
    let egress = |allow| Egress::new(EgressConfig { allow, ..EgressConfig::default() }, clock(), Arc::new(Ring::new(1))).unwrap();
    for host in ["", "*.example.com", "https://mail.example", "mail.example:587", "a b"] {
        let made = Mailer::new(SmtpConfig::new(host, from()), egress(vec![]), clock());
        assert!(matches!(made.map(|_| ()), Err(MailSetupError::BadHost(_))), "{host}");
    }
    let config = SmtpConfig::new("mail.example", from());
    assert_eq!(config.allowed_host().port, Some(587));
    assert!(matches!(Mailer::new(config, egress(vec![]), clock()).map(|_| ()), Err(MailSetupError::NotAllowed(_))));
    let mut config = SmtpConfig::new("MAIL.example", from());
    config.sign_in = Some(SmtpSignIn { user: " ".into(), password: Secret::new(String::new()) });
    let listed = egress(vec![config.allowed_host()]);
    assert!(matches!(Mailer::new(config, listed, clock()).map(|_| ()), Err(MailSetupError::NoUser)));
    for (word, security) in
        [("start_tls", SmtpSecurity::StartTls), ("tls", SmtpSecurity::Tls), ("plain_loopback", SmtpSecurity::PlainLoopback)]
    {
        assert_eq!(serde_json::from_str::<SmtpSecurity>(&format!("\"{word}\"")).unwrap(), security);
    }
}
