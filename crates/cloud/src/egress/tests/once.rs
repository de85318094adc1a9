//! Whether anything can have left: a call that brought no answer says so, and is never repeated.

use super::*;
use crate::testing::{Raw, Then};

fn post(at: SocketAddr) -> Request {
    Request::new(http::Method::POST, url(format!("http://{at}/x"))).body(HeaderValue::from_static("application/json"), "{\"a\":1}")
}

#[tokio::test]
async fn a_request_that_was_read_and_not_answered_has_left() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nten bytes.";
    for then in [Then::Close, Then::SayAndClose(cut), Then::SayAndClose("HTTP/1.1 200"), Then::SayAndClose("220 mail.example ESMTP\r\n")] {
        let server = Raw::doing(then).await;
        let (egress, ring) = egress(allowing([local(server.at)]));
        let unanswered = egress.send_once(post(server.at)).await.unwrap_err();
        assert!(unanswered.left, "{unanswered:?}");
        assert_eq!(server.taken().len(), 1);
        assert_eq!(ring.recent().len(), 1);
    }
}

#[tokio::test]
async fn a_request_that_is_not_answered_in_time_has_left() {
    let server = Raw::doing(Then::Hang).await;
    let (egress, _) = egress(EgressConfig { total_timeout: Duration::from_millis(300), ..allowing([local(server.at)]) });
    let unanswered = egress.send_once(post(server.at)).await.unwrap_err();
    assert_eq!(unanswered, Unanswered { error: EgressError::Timeout { host: "127.0.0.1".into() }, left: true });
}

#[tokio::test]
async fn a_refused_connection_or_address_or_handshake_lets_nothing_leave() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    // Something listens, and does not speak TLS.
    let (deaf, heard) = crate::testing::deaf().await;
    let far = AllowedHost::public("n.example", "test");
    let mut config = allowing([local(gone), local(deaf), far]);
    config.pinned.insert("n.example".into(), vec![pin("10.0.0.7")]);
    let (egress, _) = egress(config);
    for (address, reason) in [
        (format!("http://{gone}/x"), "network"),
        (format!("https://{deaf}/x"), "network"),
        ("https://n.example/x".to_owned(), "refused_address"),
        ("https://other.example/x".to_owned(), "not_allowed"),
        ("ftp://n.example/x".to_owned(), "bad_url"),
    ] {
        let request = Request::new(http::Method::POST, url(&address)).body(HeaderValue::from_static("text/plain"), "x");
        let unanswered = egress.send_once(request).await.unwrap_err();
        assert_eq!((unanswered.error.reason(), unanswered.left), (reason, false), "{address}");
    }
    assert!(!String::from_utf8_lossy(&heard.lock().unwrap()).contains("POST"));
}

#[tokio::test]
async fn each_request_has_a_connection_of_its_own() {
    let server = Raw::doing(Then::Say("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let (egress, _) = egress(allowing([local(server.at)]));
    for _ in 0..3 {
        assert_eq!(egress.send_once(post(server.at)).await.unwrap().meta.status, 204);
    }
    let connections: Vec<_> = server.taken().into_iter().map(|(connection, _)| connection).collect();
    assert_eq!(connections, [0, 1, 2]);
}
