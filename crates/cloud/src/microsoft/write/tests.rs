//! Writing under every kind of weather: what was sent is sent once, and nobody is left guessing more than they must.

use super::*;
use crate::{
    egress::{AllowedHost, Egress, EgressConfig, Ring},
    testing::*,
};
use jiff::SignedDuration;
use serde_json::json;
use tokio_util::sync::CancellationToken;

const POLICY: &str = "/v1.0/policies/authorizationPolicy";

fn access() -> WriteAccess {
    WriteAccess::of_write_connection(by_secret(CONTOSO))
}

fn patch(path: &str) -> Write {
    Write { method: WriteMethod::Patch, path: path.to_owned(), body: Some(json!({"allowInvitesFrom": "adminsAndGuestInviters"})) }
}

async fn write(world: &World, path: &str) -> Result<Reply, WriteError> {
    Writer::over(&world.microsoft).send(&access(), Service::Graph, &patch(path)).await
}

fn gone() -> Answer {
    Answer { body: vec![], headers: vec![], ..answer(204, json!(null)) }
}

/// A writer whose Graph is somewhere else than the tokens; the calls it made.
fn writer_to(world: &World, graph: &str, limit: Duration) -> (Writer, Arc<Ring>) {
    let graph: url::Url = graph.parse().unwrap();
    let rule = |port: u16| AllowedHost::public("127.0.0.1", "test").port(port).private(["127.0.0.0/8".parse().unwrap()]).plain_http();
    let ports = [graph.port().unwrap(), world.origin.rsplit(':').next().unwrap().parse().unwrap()];
    let config = EgressConfig { allow: ports.map(rule).to_vec(), total_timeout: limit, ..EgressConfig::default() };
    let ring = Arc::new(Ring::new(100));
    let egress = Egress::new(config, Arc::new(world.clock.clone()), ring.clone()).unwrap();
    let cloud = crate::CloudEndpoints { graph: format!("{}graph", graph).parse().unwrap(), ..world.cloud.clone() };
    (Writer::over(&world.client(egress, cloud)), ring)
}

const LONG: Duration = Duration::from_secs(30);

/// Compiles only while an access does not turn into the right to write by itself.
#[test]
fn no_access_becomes_a_right_to_write_by_itself() {
    trait Ambiguous<A> {
        fn holds() {}
    }
    impl<T> Ambiguous<()> for T {}
    impl<T: Into<WriteAccess>> Ambiguous<u8> for T {}
    <Access as Ambiguous<_>>::holds();
    <&Access as Ambiguous<_>>::holds();
}

#[tokio::test]
async fn a_write_is_one_request_with_its_token_and_body() {
    let world = World::new().await;
    world.service.on(&format!("/graph{POLICY}"), [gone().header("request-id", "12345678-0000-4000-8000-00000000000f")]);
    let reply = write(&world, POLICY).await.unwrap();
    assert_eq!((reply.status, reply.tries, reply.body.len()), (204, 1, 0));
    assert_eq!(reply.request_id.as_deref(), Some("12345678-0000-4000-8000-00000000000f"));
    let asked = &world.service.reads()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("PATCH", "/graph/v1.0/policies/authorizationPolicy"));
    assert_eq!((asked.header("authorization"), asked.header("content-type")), ("Bearer token-1", "application/json"));
    assert_eq!((asked.header("client-request-id").len(), asked.body.as_str()), (36, r#"{"allowInvitesFrom":"adminsAndGuestInviters"}"#));
    assert!(!format!("{:?}", access()).contains(SECRET));
}

#[tokio::test]
async fn a_write_without_a_body_says_that_it_has_none() {
    let world = World::new().await;
    let (users, policies) = ("/v1.0/users/7/revokeSignInSessions", "/v1.0/identity/conditionalAccess/policies/7");
    world.service.on(&format!("/graph{users}"), [answer(200, json!({"value": true}))]);
    world.service.on(&format!("/graph{policies}"), [gone()]);
    let writer = Writer::over(&world.microsoft);
    for (method, path, status, length) in [(WriteMethod::Post, users, 200, "0"), (WriteMethod::Delete, policies, 204, "")] {
        let bare = Write { method, path: path.to_owned(), body: None };
        assert_eq!(writer.send(&access(), Service::Graph, &bare).await.unwrap().status, status);
        let asked = world.service.reads().pop().unwrap();
        assert_eq!((asked.method.as_str(), asked.header("content-length"), asked.header("content-type")), (method.as_str(), length, ""));
    }
}

#[tokio::test]
async fn whatever_the_service_answers_is_handed_back_after_one_request() {
    for status in [400, 403, 404, 409, 412, 423, 429, 500, 502, 503, 504] {
        let world = World::new().await;
        world.service.on(&format!("/graph{POLICY}"), [answer(status, json!({"error": {"code": "x"}})).header("retry-after", "9"), gone()]);
        let reply = write(&world, POLICY).await.unwrap();
        assert_eq!((reply.status, reply.tries, reply.retry_after), (status, 1, Some(Duration::from_secs(9))));
        assert_eq!((world.service.reads().len(), world.elapsed()), (1, 0.0), "{status}");
    }
}

#[tokio::test]
async fn after_a_429_the_next_write_waits_its_time() {
    let world = World::new().await;
    world.service.on(&format!("/graph{POLICY}"), [answer(429, json!({})).header("retry-after", "9"), gone()]);
    assert_eq!(write(&world, POLICY).await.unwrap().status, 429);
    let reply = write(&world, POLICY).await.unwrap();
    assert_eq!((reply.status, reply.waited), (204, Duration::from_secs(9)));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_write_sent_once_more() {
    let world = World::new().await;
    world.service.on(&format!("/graph{POLICY}"), [answer(401, json!({})), gone()]);
    assert_eq!(write(&world, POLICY).await.unwrap().status, 204);
    let bearers: Vec<_> = world.service.reads().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert_eq!(bearers, ["Bearer token-1", "Bearer token-2"]);
    world.service.on(&format!("/graph{POLICY}"), [answer(401, json!({}))]);
    let reply = write(&world, POLICY).await.unwrap();
    assert_eq!((reply.status, reply.tries, world.service.reads().len()), (401, 2, 4));
}

#[tokio::test]
async fn consent_withdrawn_between_a_401_and_the_renewal_means_nothing_was_taken() {
    let world = World::new().await;
    let withdrawn = json!({"error": "unauthorized_client", "error_codes": [700016]});
    let token = answer(200, json!({"access_token": "t", "expires_in": 3599}));
    world.service.on(&format!("/{CONTOSO}/oauth2/v2.0/token"), [token, answer(400, withdrawn)]);
    world.service.on(&format!("/graph{POLICY}"), [answer(401, json!({}))]);
    let error = write(&world, POLICY).await.unwrap_err();
    assert!(matches!(&error, WriteError::NotSent(CallError::Token(_))), "{error}");
    assert_eq!((error.reason(), error.cause().transient(), world.service.reads().len()), ("app_not_in_directory", false, 1));
    // And where there is no token from the start, not even that one went out.
    let error = write(&world, POLICY).await.unwrap_err();
    assert!(matches!(error, WriteError::NotSent(_)) && world.service.reads().len() == 1);
}

#[tokio::test]
async fn a_drop_after_the_request_was_read_leaves_it_unknown_and_sends_nothing_again() {
    let world = World::new().await;
    for then in [Then::Close, Then::SayAndClose("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\"")] {
        let graph = Raw::doing(then).await;
        let (writer, ring) = writer_to(&world, &format!("http://{}", graph.at), LONG);
        let error = writer.send(&access(), Service::Graph, &patch(POLICY)).await.unwrap_err();
        assert!(matches!(&error, WriteError::Unknown(_)), "{error}");
        assert_eq!(error.reason(), "network");
        let taken = graph.taken();
        assert!(taken.len() == 1 && taken[0].1.starts_with("PATCH /graph/v1.0/policies"), "{taken:?}");
        assert_eq!(ring.recent().iter().filter(|call| call.method == "PATCH").count(), 1);
    }
}

#[tokio::test]
async fn a_service_that_reads_and_keeps_silent_leaves_it_unknown() {
    let world = World::new().await;
    let graph = Raw::doing(Then::Hang).await;
    let (writer, _) = writer_to(&world, &format!("http://{}", graph.at), Duration::from_millis(500));
    let error = writer.send(&access(), Service::Graph, &patch(POLICY)).await.unwrap_err();
    assert!(matches!(&error, WriteError::Unknown(_)) && error.reason() == "timeout", "{error}");
}

#[tokio::test]
async fn a_refused_connection_and_a_failed_handshake_mean_that_nothing_was_sent() {
    let world = World::new().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (deaf, heard) = deaf().await;
    for graph in [format!("http://{free}"), format!("https://{deaf}")] {
        let (writer, ring) = writer_to(&world, &graph, LONG);
        let error = writer.send(&access(), Service::Graph, &patch(POLICY)).await.unwrap_err();
        assert!(matches!(&error, WriteError::NotSent(_)) && error.cause().transient(), "{error}");
        assert_eq!(ring.recent().iter().filter(|call| call.method == "PATCH").count(), 1, "{graph}");
    }
    assert!(!String::from_utf8_lossy(&heard.lock().unwrap()).contains("PATCH"));
}

#[tokio::test]
async fn a_write_called_off_before_it_begins_is_not_sent() {
    let world = World::new().await;
    // The lane waits, and the deadline comes first.
    world.service.on(&format!("/graph{POLICY}"), [answer(429, json!({})).header("retry-after", "100"), gone()]);
    assert_eq!(write(&world, POLICY).await.unwrap().status, 429);
    let deadline = Some(start() + SignedDuration::from_secs(30));
    let hurried = access().until(Until { deadline, cancel: CancellationToken::new() });
    let writer = Writer::over(&world.microsoft);
    let late = writer.send(&hurried, Service::Graph, &patch(POLICY)).await.unwrap_err();
    assert_eq!(late, WriteError::NotSent(CallError::Deadline));
    let cancel = CancellationToken::new();
    cancel.cancel();
    let off = writer.send(&access().until(Until { deadline: None, cancel }), Service::Graph, &patch(POLICY)).await.unwrap_err();
    assert_eq!(off, WriteError::NotSent(CallError::Cancelled));
    assert_eq!(world.service.reads().len(), 1);
}

#[tokio::test]
async fn batches_urls_and_vaults_are_not_written() {
    let world = World::new().await;
    let writer = Writer::over(&world.microsoft);
    for (service, path) in [
        (Service::Graph, "/v1.0/$batch"),
        (Service::Graph, "/v1.0/%24BATCH"),
        (Service::Graph, "/v2.0/policies"),
        (Service::Graph, "/v1.0/../../arm/subscriptions"),
        (Service::Graph, "policies"),
        (Service::Arm, "https://management.azure.com/subscriptions"),
        (Service::Vault, "https://kv1.vault.test/secrets"),
        (Service::Vault, "/secrets/a"),
    ] {
        let error = writer.send(&access(), service, &patch(path)).await.unwrap_err();
        assert!(matches!(&error, WriteError::NotSent(CallError::Refused { .. })), "{path}: {error}");
    }
    let whole = format!("{}/graph{POLICY}", world.origin);
    assert_eq!(writer.send(&access(), Service::Graph, &patch(&whole)).await.unwrap_err().reason(), "refused");
    assert_eq!(writer.url(Service::Graph, POLICY).unwrap().as_str(), whole);
    assert!(world.service.asked().is_empty());
}

#[tokio::test]
async fn the_write_connection_reads_with_its_own_token_and_arm_has_its_own() {
    let world = World::new().await;
    world.service.on(&format!("/graph{POLICY}"), [answer(200, json!({"id": "x"}))]);
    world.service.on("/arm/subscriptions/1/providers/x", [answer(200, json!({}))]);
    let writer = Writer::over(&world.microsoft);
    assert_eq!(writer.get(&access(), Service::Graph, POLICY).await.unwrap().status, 200);
    assert_eq!(writer.send(&access(), Service::Arm, &patch("/subscriptions/1/providers/x?api-version=1")).await.unwrap().status, 200);
    let asked: Vec<_> =
        world.service.reads().iter().map(|asked| (asked.method.clone(), asked.header("authorization").to_owned())).collect();
    assert_eq!(asked, [("GET".into(), "Bearer token-1".into()), ("PATCH".into(), "Bearer token-2".into())]);
    let read = world.service.reads().pop().unwrap();
    assert_eq!((read.header("x-ms-client-request-id").len(), read.path.as_str()), (36, "/arm/subscriptions/1/providers/x?api-version=1"));
}
