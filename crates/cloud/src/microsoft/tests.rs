//! Reading under every kind of weather: throttled, refused, broken, endless, called off.

use super::*;
use crate::{
    egress::{AllowedHost, EgressConfig, Ring},
    pace::Until,
    testing::*,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const POLICY: &str = "/v1.0/policies/authorizationPolicy";

async fn read(world: &World, path: &str) -> Result<Reply, CallError> {
    world.microsoft.get(&by_secret(CONTOSO), Service::Graph, path).await
}

fn fine() -> Answer {
    answer(200, json!({"value": []})).header("request-id", "12345678-0000-4000-8000-00000000000f")
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test]
async fn a_read_carries_the_token_and_what_the_query_needs() {
    let world = World::new().await;
    world.service.on("/graph/v1.0/users", [fine()]);
    let reply = read(&world, "/v1.0/users?$count=true&$filter=endsWith(mail,'a b')").await.unwrap();
    assert_eq!((reply.status, reply.tries, reply.waited), (200, 1, Duration::ZERO));
    assert_eq!(reply.request_id.as_deref(), Some("12345678-0000-4000-8000-00000000000f"));
    let asked = &world.service.reads()[0];
    assert_eq!((asked.method.as_str(), asked.header("authorization")), ("GET", "Bearer token-1"));
    assert_eq!((asked.header("consistencylevel"), asked.header("accept")), ("eventual", "application/json"));
    assert_eq!(asked.header("client-request-id").len(), 36);
    read(&world, "/v1.0/users?$top=5").await.unwrap();
    assert_eq!(world.service.reads()[1].header("consistencylevel"), "");
    assert!(!format!("{reply:?}").contains("value"));
}

#[tokio::test]
async fn retry_after_is_waited_for_in_seconds_and_as_a_date_and_without_it_ever_longer() {
    let busy = || answer(429, json!({}));
    let world = World::new().await;
    world.service.on(
        &format!("/graph{POLICY}"),
        [busy().header("retry-after", "7"), busy().header("retry-after", "Sun, 22 Nov 2026 08:01:00 GMT"), fine()],
    );
    let reply = read(&world, POLICY).await.unwrap();
    assert_eq!((reply.status, reply.tries, reply.waited.as_secs()), (200, 3, 60));
    assert_eq!(world.elapsed(), 60.0);

    let world = World::new().await;
    world.service.on(&format!("/graph{POLICY}"), [busy(), busy(), busy(), fine()]);
    assert_eq!(read(&world, POLICY).await.unwrap().status, 200);
    let times: Vec<_> = world.service.reads().iter().map(|asked| asked.at).collect();
    for (gap, whole) in times.windows(2).map(|pair| pair[1] - pair[0]).zip([1.0, 2.0, 4.0]) {
        assert!((whole / 2.0 - 0.002..=whole).contains(&gap), "{times:?}");
    }
}

#[tokio::test]
async fn tries_end_and_a_wait_that_is_too_long_is_handed_back() {
    let world = World::new().await;
    world.service.on(&format!("/graph{POLICY}"), [answer(503, json!({"error": {"code": "serviceNotAvailable"}}))]);
    let reply = read(&world, POLICY).await.unwrap();
    assert_eq!((reply.status, reply.tries), (503, 5));
    assert_eq!(world.service.reads().len(), 5);

    world.service.on(&format!("/graph{POLICY}"), [answer(429, json!({})).header("retry-after", "3600")]);
    let reply = read(&world, POLICY).await.unwrap();
    assert_eq!((reply.status, reply.tries, reply.retry_after), (429, 1, Some(Duration::from_secs(3600))));
    for status in [400, 403, 404, 501] {
        world.service.on("/graph/v1.0/once", [answer(status, json!({}))]);
        // A lane that was told to wait is let go of by time.
        world.advance(3600);
        assert_eq!(read(&world, "/v1.0/once").await.unwrap().tries, 1, "{status}");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let world = World::new().await;
    world.service.on(&format!("/graph{POLICY}"), [answer(401, json!({})), fine()]);
    assert_eq!(read(&world, POLICY).await.unwrap().status, 200);
    let bearers: Vec<_> = world.service.reads().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert_eq!(bearers, ["Bearer token-1", "Bearer token-2"]);
    world.service.on(&format!("/graph{POLICY}"), [answer(401, json!({}))]);
    assert_eq!(read(&world, POLICY).await.unwrap().status, 401);
    assert_eq!((world.service.grants().len(), world.service.reads().len()), (3, 4));
}

#[tokio::test]
async fn a_foreign_next_link_gets_no_token_and_no_call() {
    let world = World::new().await;
    let port = world.origin.rsplit(':').next().unwrap();
    for link in [
        "https://evil.example/v1.0/users?$skiptoken=x".to_owned(),
        format!("http://localhost:{port}/graph/v1.0/users"),
        format!("http://127.0.0.1:{port}@evil.example/graph/v1.0/users"),
        format!("https://127.0.0.1:{port}/graph/v1.0/users"),
    ] {
        assert_eq!(read(&world, &link).await.unwrap_err().reason(), "foreign_link", "{link}");
        let replies = world.microsoft.batch(&by_secret(CONTOSO), &[&link]).await;
        assert_eq!(replies[0].as_ref().unwrap_err().reason(), "foreign_link", "{link}");
    }
    let other = format!("{}/arm/subscriptions", world.origin);
    assert_eq!(read(&world, &other).await.unwrap_err().reason(), "refused");
    assert_eq!(world.service.asked().len(), 0);
    assert_eq!(world.ring.recent().len(), 0);
    world.service.on("/graph/v1.0/users", [fine()]);
    assert!(read(&world, &format!("{}/graph/v1.0/users?$skiptoken=x", world.origin)).await.is_ok());
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_off_and_told() {
    let world = World::with(Limits { body: 1000, ..Limits::default() }).await;
    let long = Answer { body: vec![b' '; 1001], ..fine() };
    world.service.on(&format!("/graph{POLICY}"), [long.clone()]);
    let error = read(&world, POLICY).await.unwrap_err();
    assert_eq!(error, CallError::TooLarge { host: "127.0.0.1".into(), limit: 1000 });
    assert!(!error.transient() && world.service.reads().len() == 1);
    // In a batch it spoils only itself.
    world.service.on("/graph/v1.0/$batch", [long]);
    world.service.on("/graph/v1.0/domains", [fine()]);
    let replies = world.microsoft.batch(&by_secret(CONTOSO), &[POLICY, "/v1.0/domains"]).await;
    assert_eq!(replies[0].as_ref().unwrap_err().reason(), "too_large");
    assert_eq!(replies[1].as_ref().unwrap().status, 200);
}

#[tokio::test]
async fn one_request_a_second_goes_to_conditional_access_however_many_are_wanted() {
    let world = World::new().await;
    let paths =
        ["policies", "namedLocations", "authenticationStrength/policies"].map(|path| format!("/v1.0/identity/conditionalAccess/{path}"));
    let mut paths = paths.to_vec();
    paths.extend(["/v1.0/identityProtection/riskyUsers".into(), "/v1.0/organization".into(), "/v1.0/domains".into()]);
    for path in &paths {
        world.service.on(&format!("/graph{path}"), [fine()]);
    }
    let replies = world.microsoft.batch(&by_secret(CONTOSO), &paths).await;
    assert!(replies.iter().all(|reply| reply.as_ref().unwrap().status == 200));
    let reads = world.service.reads();
    assert_eq!(reads.len(), 5, "four alone, two in a batch");
    let mut narrow: Vec<_> = reads.iter().filter(|asked| asked.path.contains("/identity")).map(|asked| asked.at).collect();
    narrow.sort_by(f64::total_cmp);
    assert!(narrow.len() == 4 && world.elapsed() >= 3.0, "{narrow:?}");
}

#[tokio::test]
async fn a_batch_asks_only_gets_and_brings_each_answer_home() {
    let world = World::new().await;
    let mut paths: Vec<String> = (0..25).map(|i| format!("/v1.0/groups/{i}?$count=true")).collect();
    paths.extend(["/beta/settings".into(), "/beta/policies".into(), "/v2.0/no".into()]);
    for path in &paths {
        let bare = path.split('?').next().unwrap();
        world.service.on(&format!("/graph{bare}"), [answer(200, json!({"path": bare}))]);
    }
    let replies = world.microsoft.batch(&by_secret(CONTOSO), &paths).await;
    for (path, reply) in paths.iter().zip(&replies).take(27) {
        assert_eq!(body(reply.as_ref().unwrap())["path"], *path.split('?').next().unwrap());
    }
    assert_eq!(replies[27].as_ref().unwrap_err().reason(), "refused");
    let reads = world.service.reads();
    let asked: Vec<_> = reads.iter().map(|asked| (asked.method.as_str(), asked.path.as_str())).collect();
    assert_eq!(asked, [("POST", "/graph/v1.0/$batch"), ("POST", "/graph/v1.0/$batch"), ("POST", "/graph/beta/$batch")]);
    for asked in &reads {
        let question: Value = serde_json::from_str(&asked.body).unwrap();
        let items = question["requests"].as_array().unwrap();
        assert!(items.len() <= 20 && items.iter().all(|item| item["method"] == "GET"));
    }
    let first: Value = serde_json::from_str(&reads[0].body).unwrap();
    assert_eq!(
        first["requests"][3],
        json!({"id": "3", "method": "GET", "url": "/groups/3?$count=true", "headers": {"ConsistencyLevel": "eventual"}})
    );
}

#[tokio::test]
async fn a_throttled_item_is_asked_alone_after_its_time() {
    let world = World::new().await;
    world.service.on("/graph/v1.0/a", [answer(429, json!({})).header("Retry-After", "9"), answer(200, json!({"a": 1}))]);
    world.service.on("/graph/v1.0/b", [answer(200, json!({"b": 2}))]);
    world.service.on("/graph/v1.0/c", [answer(403, json!({"error": {"code": "Authorization_RequestDenied"}}))]);
    let replies = world.microsoft.batch(&by_secret(CONTOSO), &["/v1.0/a", "/v1.0/b", "/v1.0/c"]).await;
    let seen: Vec<_> = replies.iter().map(|reply| reply.as_ref().map(|reply| (reply.status, reply.tries)).unwrap()).collect();
    assert_eq!(seen, [(200, 2), (200, 1), (403, 1)]);
    assert_eq!(world.elapsed(), 9.0);
    let paths: Vec<_> = world.service.reads().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/graph/v1.0/$batch", "/graph/v1.0/a"]);
}

#[tokio::test]
async fn an_item_told_to_wait_for_an_hour_is_handed_back() {
    let world = World::new().await;
    world.service.on("/graph/v1.0/a", [answer(429, json!({})).header("Retry-After", "3600")]);
    world.service.on("/graph/v1.0/b", [fine()]);
    let replies = world.microsoft.batch(&by_secret(CONTOSO), &["/v1.0/a", "/v1.0/b"]).await;
    let first = replies[0].as_ref().unwrap();
    assert_eq!((first.status, first.retry_after), (429, Some(Duration::from_secs(3600))));
    assert_eq!((world.service.reads().len(), world.elapsed()), (1, 0.0));
}

#[tokio::test]
async fn a_batch_that_makes_no_sense_is_asked_one_by_one() {
    for broken in [
        answer(400, json!({"error": {"code": "BadRequest"}})),
        Answer { body: b"{\"responses\": [{\"id\": \"0\", ".to_vec(), ..fine() },
        answer(200, json!({"responses": [{"id": "7", "status": 200, "body": {}}]})),
    ] {
        let world = World::new().await;
        world.service.on("/graph/v1.0/$batch", [broken]);
        for path in ["/graph/v1.0/a", "/graph/v1.0/b"] {
            world.service.on(path, [answer(200, json!({"path": path}))]);
        }
        let replies = world.microsoft.batch(&by_secret(CONTOSO), &["/v1.0/a", "/v1.0/b"]).await;
        assert_eq!(body(replies[0].as_ref().unwrap())["path"], "/graph/v1.0/a");
        assert_eq!(body(replies[1].as_ref().unwrap())["path"], "/graph/v1.0/b");
        assert_eq!(world.service.reads().len(), 3);
    }
}

#[tokio::test]
async fn a_withdrawn_consent_reaches_every_item_of_a_batch() {
    let world = World::new().await;
    let gone = json!({"error": "unauthorized_client", "error_codes": [700016]});
    world.service.on(&format!("/{CONTOSO}/oauth2/v2.0/token"), [answer(400, gone)]);
    let replies = world.microsoft.batch(&by_secret(CONTOSO), &["/v1.0/a", "/v1.0/b"]).await;
    for reply in replies {
        assert_eq!(reply.unwrap_err().reason(), "app_not_in_directory");
    }
    assert!(world.service.reads().is_empty());
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_when_called_off() {
    let world = World::new().await;
    world.service.on(&format!("/graph{POLICY}"), [answer(429, json!({})).header("retry-after", "100")]);
    let deadline = Some(start() + SignedDuration::from_secs(30));
    let access = by_secret(CONTOSO).until(Until { deadline, cancel: CancellationToken::new() });
    assert_eq!(world.microsoft.get(&access, Service::Graph, POLICY).await.unwrap_err(), CallError::Deadline);
    access.until.cancel.cancel();
    assert_eq!(world.microsoft.get(&access, Service::Graph, POLICY).await.unwrap_err(), CallError::Cancelled);
    assert_eq!((world.service.reads().len(), world.elapsed()), (1, 0.0));
}

#[tokio::test]
async fn a_host_that_is_gone_is_tried_a_few_times_and_one_off_the_list_never() {
    let world = World::new().await;
    // A port that was free a moment ago, so that nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gone = format!("http://127.0.0.1:{port}");
    world.service.on(&format!("/{CONTOSO}/oauth2/v2.0/token"), [answer(200, json!({"access_token": "t", "expires_in": 3599}))]);
    let microsoft = |listed: &[&str]| {
        let rule = |origin: &&str| {
            let port = origin.rsplit(':').next().unwrap().parse().unwrap();
            AllowedHost::public("127.0.0.1", "test").port(port).private(["127.0.0.0/8".parse().unwrap()]).plain_http()
        };
        let config = EgressConfig { allow: listed.iter().map(rule).collect(), ..EgressConfig::default() };
        let ring = Arc::new(Ring::new(10));
        let egress = Egress::new(config, Arc::new(world.clock.clone()), ring.clone()).unwrap();
        let cloud = CloudEndpoints { graph: format!("{gone}/graph").parse().unwrap(), ..world.cloud.clone() };
        (world.client(egress, cloud), ring)
    };
    let (client, ring) = microsoft(&[&world.origin, &gone]);
    let error = client.get(&by_secret(CONTOSO), Service::Graph, POLICY).await.unwrap_err();
    assert_eq!((error.reason(), error.transient()), ("network", true));
    assert_eq!(ring.recent().iter().filter(|call| call.error == Some("network")).count(), 5);
    let (client, ring) = microsoft(&[&world.origin]);
    let error = client.get(&by_secret(CONTOSO), Service::Graph, POLICY).await.unwrap_err();
    assert_eq!((error.reason(), error.transient()), ("not_allowed", false));
    assert_eq!(ring.recent().len(), 2, "one for the token, one refused");
}

#[tokio::test]
async fn granted_permissions_are_read_from_a_token_made_now() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
    let world = World::new().await;
    let token = |roles: &[&str]| {
        let claims = json!({"tid": CONTOSO, "roles": roles});
        let token = format!("{}.{}.{}", B64.encode("{}"), B64.encode(claims.to_string()), B64.encode("s"));
        answer(200, json!({"access_token": token, "expires_in": 3599}))
    };
    world.service.on(&format!("/{CONTOSO}/oauth2/v2.0/token"), [token(&["Policy.Read.All"]), token(&["Policy.Read.All", "User.Read.All"])]);
    let access = by_secret(CONTOSO);
    let granted = |fresh| world.microsoft.granted(&access, fresh);
    let needed = ["Policy.Read.All", "User.Read.All"];
    assert_eq!(crate::missing(needed, &granted(false).await.unwrap()), ["User.Read.All"]);
    assert_eq!(crate::missing(needed, &granted(false).await.unwrap()), ["User.Read.All"]);
    assert!(crate::missing(needed, &granted(true).await.unwrap()).is_empty());
    assert_eq!(world.service.grants().len(), 2);
}
