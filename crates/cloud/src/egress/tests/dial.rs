//! Connections that do not speak HTTP: the same list, the same addresses.

use super::*;
use crate::egress::Wrap;

async fn reason_of(egress: &Egress, host: &str, port: u16, wrap: Wrap) -> &'static str {
    egress.dial(host, port, wrap, "smtp").await.unwrap_err().reason()
}

#[tokio::test]
async fn i58_a_mail_server_off_the_list_or_inside_is_not_connected_to() {
    let rule = |host: &str| AllowedHost::public(host, "test").port(587);
    let mut config =
        allowing([rule("mail.example"), rule("relay.example"), rule("127.0.0.1"), rule("plain.example").plain_http().private(loopback())]);
    config.pinned.insert("mail.example".into(), vec![pin("10.0.0.7")]);
    config.pinned.insert("relay.example".into(), vec![pin("20.190.128.1"), pin("169.254.169.254")]);
    config.pinned.insert("plain.example".into(), vec![pin("20.190.128.1")]);
    let (egress, ring) = egress(config);
    assert_eq!(reason_of(&egress, "other.example", 587, Wrap::Later).await, "not_allowed");
    assert_eq!(reason_of(&egress, "mail.example", 25, Wrap::Later).await, "not_allowed");
    for wrap in [Wrap::Later, Wrap::Tls] {
        for host in ["mail.example", "relay.example", "127.0.0.1"] {
            assert_eq!(reason_of(&egress, host, 587, wrap).await, "refused_address", "{host}");
        }
    }
    // Without TLS not even the public internet is reached.
    assert_eq!(reason_of(&egress, "plain.example", 587, Wrap::Never).await, "refused_address");
    let calls = ring.recent();
    assert_eq!((calls.len(), calls[0].method.as_str(), calls[0].path.as_str(), calls[0].port), (9, "CONNECT", "smtp", Some(587)));
    assert!(calls.iter().all(|call| call.error.is_some()));
}

#[tokio::test]
async fn a_connection_is_recorded_and_carries_bytes_both_ways() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (acceptor, pem) = crate::testing::tls_for("mail.example");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for tls in [false, true] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut word = [0; 4];
            if tls {
                let mut stream = acceptor.accept(stream).await.unwrap();
                stream.read_exact(&mut word).await.unwrap();
                stream.write_all(&word).await.unwrap();
                stream.shutdown().await.unwrap();
            } else {
                stream.read_exact(&mut word).await.unwrap();
                stream.write_all(&word).await.unwrap();
            }
        }
    });
    let rule = AllowedHost::public("mail.example", "test").port(at.port()).private(loopback());
    let mut config = EgressConfig { extra_roots_pem: Some(pem), ..allowing([rule]) };
    config.pinned.insert("mail.example".into(), vec![pin("127.0.0.1")]);
    let (egress, ring) = egress(config);
    for wrap in [Wrap::Later, Wrap::Tls] {
        let mut line = egress.dial("mail.example", at.port(), wrap, "smtp").await.unwrap();
        line.write_all(b"echo").await.unwrap();
        line.flush().await.unwrap();
        let mut back = [0; 4];
        line.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"echo");
    }
    assert!(ring.recent().len() == 2 && ring.recent().iter().all(|call| call.error.is_none() && call.status.is_none()));
}
