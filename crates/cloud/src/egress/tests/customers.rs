//! The customers' door: any host, and no way inside.

use super::*;
use crate::egress::customers::LONGEST_ANSWER;
use crate::testing::{Raw, Then};

const SECRET: &str = "s3cret";

fn open(config: EgressConfig) -> EgressConfig {
    EgressConfig { customer_private: loopback().to_vec(), ..config }
}

fn post(address: impl AsRef<str>) -> Request {
    Request::new(http::Method::POST, url(address)).body(HeaderValue::from_static("application/json"), "{}")
}

async fn reason_of(egress: &Egress, address: impl AsRef<str>) -> &'static str {
    egress.to_customer(post(address)).await.unwrap_err().reason()
}

#[tokio::test]
async fn i58_no_endpoint_of_a_customer_leads_inside() {
    let mut config = allowing([
        // That the operator lists an inner host opens nothing to customers.
        AllowedHost::public("inner.example", "test").private(["10.0.0.0/8".parse().unwrap()]),
        AllowedHost::public("169.254.169.254", "test").port(80).private(["169.254.169.254/32".parse().unwrap()]).plain_http(),
    ]);
    for (name, address) in
        [("inner", "10.0.0.7"), ("meta", "169.254.169.254"), ("self", "127.0.0.1"), ("six", "fd00::1"), ("wrapped", "64:ff9b::a00:1")]
    {
        config.pinned.insert(format!("{name}.example"), vec![pin(address)]);
    }
    config.pinned.insert("mixed.example".into(), vec![pin("20.190.128.1"), pin("10.0.0.7")]);
    let (egress, ring) = egress(config);
    for host in ["inner.example", "meta.example", "self.example", "six.example", "wrapped.example", "mixed.example", "a.localhost"] {
        assert_eq!(reason_of(&egress, format!("https://{host}/hook/{SECRET}")).await, "refused_address", "{host}");
    }
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254", "168.63.129.16", "192.168.1.1:8443"]
    {
        let address = format!("https://{host}/hook/{SECRET}");
        assert_eq!(egress.admit_customer(&url(&address)).unwrap_err().reason(), "refused_address", "{host}");
        assert_eq!(reason_of(&egress, address).await, "refused_address", "{host}");
    }
    assert!(ring.recent().iter().all(|call| call.status.is_none() && call.path == "…"));
}

#[tokio::test]
async fn only_https_is_spoken_unless_the_operator_opened_a_range() {
    let (strict, _) = egress(EgressConfig::default());
    for address in
        ["http://example.com/", "http://20.190.128.1/", "ftp://example.com/", "https://user:pw@example.com/", "mailto:a@example.com"]
    {
        assert_eq!(strict.admit_customer(&url(address)).unwrap_err().reason(), "bad_url", "{address}");
        assert_eq!(reason_of(&strict, address).await, "bad_url", "{address}");
    }
    strict.admit_customer(&url("https://example.com:8443/hook")).unwrap();
    let at = serve(Router::new().fallback(|| async { "ok" })).await;
    let mut config = open(EgressConfig::default());
    config.pinned.insert("far.example".into(), vec![pin("20.190.128.1")]);
    let (opened, _) = egress(config);
    let answer = opened.to_customer(post(format!("http://{at}/hook"))).await.unwrap();
    assert_eq!((answer.status, &answer.body[..], answer.cut), (200, &b"ok"[..], false));
    // Plain HTTP stays inside that range, and other ranges stay closed.
    assert_eq!(reason_of(&opened, "http://far.example/").await, "refused_address");
    assert_eq!(reason_of(&opened, "http://20.190.128.1/").await, "refused_address");
    assert_eq!(reason_of(&opened, "https://10.0.0.1/").await, "refused_address");
}

#[tokio::test]
async fn i58_a_redirect_inside_is_told_and_not_followed() {
    let reached = Arc::new(AtomicUsize::new(0));
    let count = reached.clone();
    let inner = serve(Router::new().fallback(move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        "secret"
    }))
    .await;
    let target = format!("http://localhost:{}/latest/{SECRET}", inner.port());
    let at = serve(Router::new().fallback(move || async move { axum::response::Redirect::temporary(&target) })).await;
    let (egress, _) = egress(open(EgressConfig::default()));
    let answer = egress.to_customer(post(format!("http://{at}/"))).await.unwrap();
    assert_eq!((answer.status, answer.redirected_to.as_deref()), (307, Some("localhost")));
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_huge_answer_is_cut_and_its_status_counts() {
    let endless = || async {
        let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1000])));
        Body::from_stream(chunks)
    };
    let at = serve(Router::new().fallback(endless)).await;
    let (egress, ring) = egress(open(EgressConfig::default()));
    let answer = egress.to_customer(post(format!("http://{at}/"))).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.cut), (200, LONGEST_ANSWER, true));
    assert_eq!(ring.recent()[0].bytes, LONGEST_ANSWER as u64);
}

#[tokio::test]
async fn a_slow_endpoint_is_given_up_and_a_broken_body_is_let_be() {
    let quick = |config| EgressConfig { customer_timeout: Duration::from_millis(300), ..open(config) };
    let silent = Raw::doing(Then::Hang).await;
    let (egress, ring) = egress(quick(EgressConfig::default()));
    let error = egress.to_customer(post(format!("http://{}/hook/{SECRET}", silent.at))).await.unwrap_err();
    assert_eq!(error, EgressError::Timeout { host: "127.0.0.1".into() });
    assert_eq!(ring.recent()[0].error, Some("timeout"));
    let (egress, _) = super::egress(open(EgressConfig::default()));
    let slow = Raw::doing(Then::SayAndClose("HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\nretry-after: 7\r\n\r\nten bytes.")).await;
    let answer = egress.to_customer(post(format!("http://{}/", slow.at))).await.unwrap();
    assert_eq!((answer.status, &answer.body[..], answer.cut), (202, &b"ten bytes."[..], true));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn the_address_of_a_customer_is_shown_by_its_host_alone() {
    let at = serve(Router::new().fallback(|| async { "ok" })).await;
    let (egress, ring) = egress(open(EgressConfig::default()));
    egress.to_customer(post(format!("http://{at}/hook/{SECRET}?sig={SECRET}"))).await.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut shown = String::new();
    for address in [format!("http://{gone}/hook/{SECRET}"), format!("ftp://{gone}/{SECRET}"), format!("https://10.0.0.1/{SECRET}")] {
        let error = egress.to_customer(post(address)).await.unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    shown += &format!("{:?}", ring.recent());
    assert_eq!((ring.recent()[0].host.as_str(), ring.recent()[0].path.as_str(), ring.recent()[0].status), ("127.0.0.1", "…", Some(200)));
    assert!(!shown.contains(SECRET), "{shown}");
}
