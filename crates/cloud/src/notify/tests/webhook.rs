//! Signed webhooks: the published test vector, and what each answer means.

use super::*;
use crate::notify::webhook as wire;
use crate::testing::{Raw, Then};
use bailiwick_base::{Secret, SeededRng, Timestamp};
use std::time::Duration;

/// The example of the Standard Webhooks libraries.
const VECTOR: (&str, &str, i64, &[u8], &str) = (
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1_614_265_330,
    br#"{"test": 2432232314}"#,
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
);

fn secret() -> SigningSecret {
    SigningSecret::generate(&SeededRng::new(3))
}

async fn post(url: &str) -> Outcome {
    Webhooks::new(opened().0).post(&Secret::new(url.to_owned()), &[&secret()], "msg_1", start(), b"{}").await
}

async fn answered(text: &'static str) -> Outcome {
    let server = Raw::doing(Then::SayAndClose(text)).await;
    post(&format!("http://{}/hook/s3cret", server.at)).await
}

#[test]
fn the_signature_is_that_of_the_published_vector_and_one_changed_byte_breaks_it() {
    let (secret, id, seconds, payload, signature) = VECTOR;
    let secret = SigningSecret::parse(secret).unwrap();
    let at = Timestamp::from_second(seconds).unwrap();
    assert_eq!(wire::sign(&secret, id, at, payload), signature);
    let verify = |id: &str, stamp: &str, signature: &str, payload: &[u8]| wire::verify(&secret, id, stamp, signature, payload, at);
    let stamp = seconds.to_string();
    assert_eq!(verify(id, &stamp, signature, payload), Ok(()));
    assert_eq!(verify(id, &stamp, &format!("v1,AAAA v1a,x {signature}"), payload), Ok(()));
    for at in 0..payload.len() {
        let mut changed = payload.to_vec();
        changed[at] ^= 1;
        assert_eq!(verify(id, &stamp, signature, &changed), Err(Unverified::NoMatch), "byte {at}");
    }
    assert_eq!(verify("msg_other", &stamp, signature, payload), Err(Unverified::NoMatch));
    assert_eq!(verify(id, &(seconds + 1).to_string(), signature, payload), Err(Unverified::NoMatch));
    assert_eq!(verify(id, &(seconds + 301).to_string(), signature, payload), Err(Unverified::OutOfTime));
    assert_eq!(verify(id, &(seconds - 301).to_string(), signature, payload), Err(Unverified::OutOfTime));
    assert_eq!(verify(id, "now", signature, payload), Err(Unverified::BadTimestamp));
    assert_eq!(verify(id, &stamp, "", payload), Err(Unverified::NoMatch));
    assert_eq!(verify(id, &stamp, signature.strip_prefix("v1,").unwrap(), payload), Err(Unverified::NoMatch));
}

#[test]
fn a_secret_is_shown_once_and_read_back() {
    let made = secret();
    let text = made.reveal();
    assert_eq!((text.expose().len(), &text.expose()[..6]), (50, "whsec_"));
    let again = SigningSecret::parse(text.expose()).unwrap();
    assert_eq!(wire::sign(&made, "a", start(), b"x"), wire::sign(&again, "a", start(), b"x"));
    for bad in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA", "whsec_not base64 at all, not at all..."] {
        assert_eq!(SigningSecret::parse(bad).err(), Some(BadSecret), "{bad}");
    }
}

#[tokio::test]
async fn a_message_arrives_with_its_three_headers_and_both_signatures() {
    let server = Raw::doing(Then::Say("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let (egress, ring) = opened();
    let (new, old) = (SigningSecret::generate(&SeededRng::new(1)), SigningSecret::generate(&SeededRng::new(2)));
    let payload = br#"{"type":"drift.regressed"}"#;
    let url = Secret::new(format!("http://{}/hook/s3cret", server.at));
    let outcome = Webhooks::new(egress).post(&url, &[&new, &old], "msg_1", start(), payload).await;
    assert_eq!(outcome, Outcome::Delivered { receipt: "HTTP 204".into() });
    let taken = server.taken();
    let (head, body) = taken[0].1.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap();
    assert!(head.starts_with("POST /hook/s3cret HTTP/1.1"));
    assert_eq!((header("content-type"), header("webhook-id"), body.as_bytes()), ("application/json", "msg_1", &payload[..]));
    for secret in [&new, &old] {
        let now = start() + jiff::SignedDuration::from_secs(20);
        let checked = wire::verify(secret, "msg_1", header("webhook-timestamp"), header("webhook-signature"), body.as_bytes(), now);
        assert_eq!(checked, Ok(()));
    }
    assert_eq!(ring.recent()[0].path, "…");
}

#[tokio::test]
async fn each_answer_says_whether_to_come_back() {
    let redirect = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/s3cret\r\ncontent-length: 0\r\n\r\n";
    for (text, wanted, comes_back) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "delivered", false),
        ("HTTP/1.1 299 Fine\r\ncontent-length: 0\r\n\r\n", "delivered", false),
        (redirect, "redirected", false),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "gone", false),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", "gone", false),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", "refused", true),
        ("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", "unavailable", true),
        ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "unavailable", true),
        ("nonsense", "unreachable", true),
        ("", "unreachable", true),
    ] {
        let outcome = answered(text).await;
        assert_eq!((code(&outcome), later(&outcome)), (wanted, comes_back), "{text}");
        assert!(!format!("{outcome:?}").contains("s3cret"), "{outcome:?}");
    }
    let busy = answered("HTTP/1.1 429 Slow\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(&busy, Outcome::Later { after: Some(Duration { .. }), why } if why.code == "throttled"), "{busy:?}");
    let told = answered(redirect).await.why().unwrap().detail.clone();
    assert!(told.contains("302") && told.contains("169.254.169.254"), "{told}");
}

#[tokio::test]
async fn an_address_inside_is_refused_before_anything_is_sent_and_is_not_told() {
    let mut config = EgressConfig::default();
    config.pinned.insert("hook.contoso.example".into(), vec!["10.1.2.3:0".parse().unwrap()]);
    let egress = Egress::new(config, clock(), Arc::new(Ring::new(1))).unwrap();
    let hooks = Webhooks::new(egress);
    // A name is taken on trust until it is called.
    hooks.admit("https://hook.contoso.example/x").unwrap();
    for (url, wanted) in [
        ("https://hook.contoso.example/x", "refused_address"),
        ("https://10.1.2.3/x", "refused_address"),
        ("http://hook.contoso.example/x", "bad_url"),
        ("hook.contoso.example", "bad_url"),
    ] {
        let outcome = hooks.post(&Secret::new(url.into()), &[&secret()], "m", start(), b"{}").await;
        assert!(broken(&outcome) && code(&outcome) == wanted, "{url}: {outcome:?}");
    }
    let outcome = hooks.post(&Secret::new("https://hook.contoso.example/x".into()), &[&secret()], "m", start(), b"{}").await;
    assert!(!format!("{outcome:?}").contains("10.1.2.3"), "{outcome:?}");
    assert_eq!(hooks.admit("https://[::1]/x").unwrap_err().code, "refused_address");
}

#[tokio::test]
async fn what_cannot_be_signed_or_said_is_not_sent() {
    let server = Raw::doing(Then::Say("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let url = Secret::new(format!("http://{}/", server.at));
    let hooks = Webhooks::new(opened().0);
    assert_eq!(code(&hooks.post(&url, &[], "m", start(), b"{}").await), "bad_secret");
    assert_eq!(code(&hooks.post(&url, &[&secret()], "m\r\nx: y", start(), b"{}").await), "bad_message");
    assert_eq!(server.taken(), []);
}
