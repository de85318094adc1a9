//! What the one way out refuses, cuts off and records, against real sockets on loopback.

mod customers;
mod dial;
mod once;

use super::*;
use axum::{Router, body::Body, response::IntoResponse, routing::get};
use bailiwick_base::ManualClock;
use bytes::Bytes;
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-11-22T08:00:00Z".parse().unwrap()))
}

fn loopback() -> [IpNet; 1] {
    ["127.0.0.0/8".parse().unwrap()]
}

fn local(address: SocketAddr) -> AllowedHost {
    AllowedHost::public("127.0.0.1", "test").port(address.port()).private(loopback()).plain_http()
}

fn egress(config: EgressConfig) -> (Egress, Arc<Ring>) {
    let ring = Arc::new(Ring::new(100));
    (Egress::new(config, clock(), ring.clone()).unwrap(), ring)
}

fn allowing(allow: impl IntoIterator<Item = AllowedHost>) -> EgressConfig {
    EgressConfig { allow: allow.into_iter().collect(), ..EgressConfig::default() }
}

fn pin(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), 0)
}

fn url(text: impl AsRef<str>) -> Url {
    Url::parse(text.as_ref()).unwrap()
}

async fn refusal_of(egress: &Egress, address: impl AsRef<str>) -> &'static str {
    egress.send(Request::get(url(address))).await.unwrap_err().reason()
}

#[tokio::test]
async fn i59_a_host_off_the_list_is_not_called_whatever_it_resembles() {
    let (egress, ring) = egress(allowing([AllowedHost::public("graph.example", "test"), AllowedHost::public("*.vault.example", "test")]));
    for address in [
        "https://other.example/",
        "https://graph.example.evil.example/",
        "https://evilvault.example/",
        "https://vault.example/",
        "https://.vault.example/",
        "https://graph.example:8443/",
        "https://graph.example./",
        "https://a.vault.example@evil.example/x",
    ] {
        let reason = refusal_of(&egress, address).await;
        assert!(["not_allowed", "bad_url"].contains(&reason), "{address}: {reason}");
    }
    assert_eq!(refusal_of(&egress, "http://graph.example/").await, "bad_url");
    assert_eq!(refusal_of(&egress, "https://user:pw@graph.example/").await, "bad_url");
    assert_eq!(refusal_of(&egress, "ftp://graph.example/").await, "bad_url");
    assert_eq!(ring.recent().len(), 11);
    assert!(ring.recent().iter().all(|call| call.status.is_none()));
}

#[tokio::test]
async fn i58_an_inner_address_is_refused_in_every_spelling_even_when_its_host_is_listed() {
    let listed = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1", "168.63.129.16"];
    let (egress, _) = egress(allowing(listed.map(|host| AllowedHost::public(host, "test"))));
    for host in [
        "127.0.0.1",
        "2130706433",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "0x7f000001",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "10.0.0.1",
        "168.63.129.16",
        "127。0。0。1",
    ] {
        assert_eq!(refusal_of(&egress, format!("https://{host}/latest/meta-data")).await, "refused_address", "{host}");
    }
}

#[tokio::test]
async fn i58_a_name_that_leads_inside_is_refused_at_the_moment_of_connecting() {
    let inside = ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "::ffff:192.168.0.1", "64:ff9b::a00:1", "100.64.0.1"];
    let mut config = allowing([AllowedHost::public("*.rebound.example", "test"), AllowedHost::public("localhost", "test")]);
    for (i, address) in inside.iter().enumerate() {
        config.pinned.insert(format!("n{i}.rebound.example"), vec![pin(address)]);
    }
    config.pinned.insert("mixed.rebound.example".into(), vec![pin("20.190.128.1"), pin("127.0.0.1")]);
    let (egress, _) = egress(config);
    for (i, address) in inside.iter().enumerate() {
        assert_eq!(refusal_of(&egress, format!("https://n{i}.rebound.example/")).await, "refused_address", "{address}");
    }
    assert_eq!(refusal_of(&egress, "https://mixed.rebound.example/").await, "refused_address");
    // The machine's own resolver answers this one.
    assert_eq!(refusal_of(&egress, "https://localhost/").await, "refused_address");
}

#[tokio::test]
async fn a_private_range_opens_for_its_own_host_only() {
    let at = serve(Router::new().route("/", get(|| async { "in" }))).await;
    let rule = |host: &str| AllowedHost::public(host, "test").port(at.port()).plain_http();
    let mut config = allowing([rule("inner.example").private(loopback()), rule("outer.example"), rule("far.example").private(loopback())]);
    for host in ["inner.example", "outer.example"] {
        config.pinned.insert(host.into(), vec![SocketAddr::new(at.ip(), 0)]);
    }
    config.pinned.insert("far.example".into(), vec![pin("20.190.128.1")]);
    let (egress, _) = egress(config);
    let answer = egress.send(Request::get(url(format!("http://inner.example:{}/", at.port())))).await.unwrap();
    assert_eq!(&answer.body[..], b"in");
    assert_eq!(refusal_of(&egress, format!("http://outer.example:{}/", at.port())).await, "refused_address");
    // Plain HTTP never reaches a public address, though the host is listed for it.
    assert_eq!(refusal_of(&egress, format!("http://far.example:{}/", at.port())).await, "refused_address");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_nobody_follows_it() {
    let reached = Arc::new(AtomicUsize::new(0));
    let count = reached.clone();
    let inner = serve(Router::new().route(
        "/secret",
        get(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            "secret"
        }),
    ))
    .await;
    let target = format!("http://{inner}/secret");
    let at = serve(Router::new().route("/", get(move || async move { axum::response::Redirect::temporary(&target) }))).await;
    // Even a listed target is not followed to.
    let (egress, _) = egress(allowing([local(at), local(inner)]));
    let error = egress.get_json::<serde_json::Value>(&url(format!("http://{at}/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Status { code: 307, .. }), "{error}");
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_is_cut_off_at_its_limit_announced_or_not() {
    let endless = || async {
        let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024])));
        Body::from_stream(chunks)
    };
    let at = serve(Router::new().route("/long", get(|| async { "x".repeat(5000) })).route("/endless", get(endless))).await;
    let (egress, ring) = egress(EgressConfig { max_body: 4096, ..allowing([local(at)]) });
    for path in ["long", "endless"] {
        assert_eq!(refusal_of(&egress, format!("http://{at}/{path}")).await, "too_large", "{path}");
    }
    let longer = Request::get(url(format!("http://{at}/long"))).max_body(5000);
    assert_eq!(egress.send(longer).await.unwrap().body.len(), 5000);
    assert_eq!(ring.recent().last().unwrap().bytes, 5000);
}

#[tokio::test]
async fn a_body_that_never_ends_ends_at_the_time_limit() {
    let stuck = || async { Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>()) };
    let at = serve(Router::new().route("/", get(stuck))).await;
    let (egress, ring) = egress(EgressConfig { total_timeout: Duration::from_millis(150), ..allowing([local(at)]) });
    let error = egress.send(Request::get(url(format!("http://{at}/")))).await.unwrap_err();
    assert_eq!(error, EgressError::Timeout { host: "127.0.0.1".into() });
    assert!(error.transient());
    assert_eq!(ring.recent()[0].error, Some("timeout"));
}

#[tokio::test]
async fn the_record_shows_the_call_and_none_of_its_secrets() {
    let at = serve(Router::new().fallback(|| async { "ok" })).await;
    let (egress, ring) = egress(allowing([local(at)]));
    egress.send(Request::get(url(format!("http://{at}/keys?sig=s3cret")))).await.unwrap();
    egress.send(Request::get(url(format!("http://{at}/hook/s3cret"))).recorded_as("/hook/…")).await.unwrap();
    let calls = ring.recent();
    assert_eq!((calls[0].path.as_str(), calls[0].status, calls[0].bytes), ("/keys", Some(200), 2));
    assert_eq!(calls[0].at, clock().now());
    assert_eq!(calls[1].path, "/hook/…");
    let refused = egress.send(Request::get(url("https://evil.example/p?sig=s3cret"))).await.unwrap_err();
    let bad = egress.send(Request::get(url("ftp://evil.example/?sig=s3cret"))).await.unwrap_err();
    assert!(!format!("{calls:?}{refused}{bad}").contains("s3cret"));
    assert_eq!(egress.get_json::<u8>(&url(format!("http://{at}/"))).await.unwrap_err().reason(), "bad_body");
}

#[tokio::test]
async fn a_call_nobody_waits_for_any_more_is_recorded_too() {
    let (started, seen) = tokio::sync::oneshot::channel();
    let started = Arc::new(std::sync::Mutex::new(Some(started)));
    let stuck = move || async move {
        started.lock().unwrap().take().unwrap().send(()).unwrap();
        std::future::pending::<&str>().await
    };
    let at = serve(Router::new().route("/", get(stuck))).await;
    let (egress, ring) = egress(allowing([local(at)]));
    let calling = tokio::spawn(async move { egress.send(Request::get(url(format!("http://{at}/")))).await });
    seen.await.unwrap();
    assert_eq!(ring.recent(), []);
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    assert_eq!(ring.recent()[0].error, Some("abandoned"));
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_and_as_a_date() {
    let answer = |value: &'static str| move || async move { ([(header::RETRY_AFTER, value)], "").into_response() };
    let busy = |value| get(move || async move { (http::StatusCode::TOO_MANY_REQUESTS, answer(value)().await) });
    let at = serve(
        Router::new()
            .route("/s", busy("17"))
            .route("/d", busy("Sun, 22 Nov 2026 08:01:30 GMT"))
            .route("/p", busy("Sun, 22 Nov 2026 07:00:00 GMT")),
    )
    .await;
    let (egress, _) = egress(allowing([local(at)]));
    for (path, seconds) in [("s", 17), ("d", 90), ("p", 0)] {
        let error = egress.get_json::<u8>(&url(format!("http://{at}/{path}"))).await.unwrap_err();
        let retry_after = Some(Duration::from_secs(seconds));
        assert_eq!(error, EgressError::Status { host: "127.0.0.1".into(), code: 429, retry_after });
        assert!(error.transient());
    }
}

/// Answers one TLS connection after another with an empty JSON object, under a certificate for `name`.
async fn serve_tls(name: &str) -> (SocketAddr, Vec<u8>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (acceptor, pem) = crate::testing::tls_for(name);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
            let _ = stream.shutdown().await;
        }
    });
    (address, pem)
}

#[tokio::test]
async fn tls_trusts_the_extra_authority_for_its_own_name_and_nothing_else() {
    let (at, pem) = serve_tls("vault.example").await;
    let config = |roots| {
        let rule = |host: &str| AllowedHost::public(host, "test").port(at.port()).private(loopback());
        let mut config = EgressConfig { extra_roots_pem: roots, ..allowing([rule("vault.example"), rule("other.example")]) };
        for host in ["vault.example", "other.example"] {
            config.pinned.insert(host.into(), vec![SocketAddr::new(at.ip(), 0)]);
        }
        config
    };
    let trusting = egress(config(Some(pem))).0;
    let (object, _) = trusting.get_json::<serde_json::Value>(&url(format!("https://vault.example:{}/", at.port()))).await.unwrap();
    assert_eq!(object, serde_json::json!({}));
    assert_eq!(refusal_of(&trusting, format!("https://other.example:{}/", at.port())).await, "network");
    let strict = egress(config(None)).0;
    assert_eq!(refusal_of(&strict, format!("https://vault.example:{}/", at.port())).await, "network");
}

#[tokio::test]
async fn a_public_name_can_be_pinned_to_a_port_of_its_own() {
    let (at, pem) = serve_tls("login.microsoftonline.com").await;
    let rule = AllowedHost::public("login.microsoftonline.com", "test").private(loopback());
    let mut config = EgressConfig { extra_roots_pem: Some(pem), ..allowing([rule]) };
    config.pinned.insert("login.microsoftonline.com".into(), vec![at]);
    let (egress, ring) = egress(config);
    egress.get_json::<serde_json::Value>(&url("https://login.microsoftonline.com/common")).await.unwrap();
    assert_eq!(ring.recent()[0].status, Some(200));
}

#[tokio::test]
async fn vaults_are_pinned_together_and_names_under_localhost_are_this_machine() {
    let (at, pem) = serve_tls("*.vault.example").await;
    let rule = |host: &str| AllowedHost::public(host, "test").port(at.port()).private(loopback());
    let allowed = allowing([rule("*.vault.example"), rule("*.vault.localhost")]);
    let mut config = EgressConfig { extra_roots_pem: Some(pem), ..allowed };
    config.pinned.insert("*.vault.example".into(), vec![SocketAddr::new(at.ip(), 0)]);
    let (egress, _) = egress(config);
    for vault in ["one", "two"] {
        egress.get_json::<serde_json::Value>(&url(format!("https://{vault}.vault.example:{}/", at.port()))).await.unwrap();
    }
    // Found without DNS, and met with a certificate of another name.
    let error = egress.send(Request::get(url(format!("https://one.vault.localhost:{}/", at.port())))).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let strict = super::Egress::new(allowing([AllowedHost::public("*.vault.localhost", "test")]), clock(), Arc::new(NoRecorder)).unwrap();
    assert_eq!(refusal_of(&strict, "https://one.vault.localhost/").await, "refused_address");
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused() {
    let try_with = |config| Egress::new(config, clock(), Arc::new(NoRecorder)).map(|_| ());
    for host in ["", "*", "*.", "*.net", "a.*.net", "https://x", "x/y", "*.127.0.0.1", "x."] {
        let error = try_with(allowing([AllowedHost::public(host, "test")])).unwrap_err();
        assert!(matches!(error, SetupError::BadRule { .. }), "{host}");
    }
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let config = EgressConfig { extra_roots_pem: Some(pem.into()), ..EgressConfig::default() };
        assert!(matches!(try_with(config), Err(SetupError::BadRoots { .. })), "{pem}");
    }
}
