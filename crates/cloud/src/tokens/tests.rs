//! Getting tokens: what is sent, what is kept, and what people are told when there is none.

use super::*;
use crate::{microsoft::Service, testing::*};
use bailiwick_base::Clock;
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::json;

const GRANT: &str = "/11111111-aaaa-4aaa-8aaa-000000000001/oauth2/v2.0/token";
/// Three parts, as every token has.
const OUTSIDE: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJvdXRzaWRlIn0.c2ln";

fn scope(world: &World) -> String {
    Service::Graph.scope(&world.cloud)
}

fn tokens(world: &World) -> Tokens {
    struct Still;
    impl crate::pace::Waits for Still {
        fn wait(&self, _: Duration) -> futures::future::BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }
    let pace = Pace::new(Arc::new(world.clock.clone()), Arc::new(bailiwick_base::SeededRng::new(3)), Arc::new(Still));
    Tokens::new(world.egress.clone(), world.cloud.clone(), pace)
}

async fn refused(world: &World, access: &Access) -> TokenRefusal {
    tokens(world).token(access, &scope(world)).await.err().unwrap()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept_until_five_minutes_before_its_end() {
    let world = World::new().await;
    let (tokens, access) = (tokens(&world), by_secret(CONTOSO));
    let all = join_all((0..10).map(|_| async { tokens.token(&access, &scope(&world)).await.unwrap().expose().to_owned() })).await;
    assert!(all.iter().all(|token| token == "token-1"), "{all:?}");
    let sent = &world.service.grants()[0];
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", GRANT));
    assert_eq!(sent.field("grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(sent.field("client_id").as_deref(), Some(APP));
    assert_eq!(sent.field("client_secret").as_deref(), Some(SECRET));
    assert_eq!(sent.field("scope").unwrap(), scope(&world));
    world.advance(3599 - 301);
    assert_eq!(tokens.token(&access, &scope(&world)).await.unwrap().expose(), "token-1");
    world.advance(1);
    assert_eq!(tokens.token(&access, &scope(&world)).await.unwrap().expose(), "token-2");
    assert_eq!(world.service.grants().len(), 2);
}

#[tokio::test]
async fn a_fresh_token_that_is_not_to_be_had_leaves_the_old_one_in_its_place() {
    let world = World::new().await;
    let (tokens, access) = (tokens(&world), by_secret(CONTOSO));
    tokens.token(&access, &scope(&world)).await.unwrap();
    assert_eq!(tokens.fresh(&access, &scope(&world)).await.unwrap().expose(), "token-2");
    world.service.on(GRANT, [answer(400, json!({"error": "unauthorized_client", "error_codes": [700016]}))]);
    assert_eq!(tokens.fresh(&access, &scope(&world)).await.err().unwrap().reason, Reason::AppNotInDirectory);
    assert_eq!(tokens.token(&access, &scope(&world)).await.unwrap().expose(), "token-2");
}

#[tokio::test]
async fn no_token_serves_another_directory_resource_or_credential() {
    let world = World::new().await;
    let tokens = tokens(&world);
    let other = by(CONTOSO, Credential::client_secret(Secret::new("another".into()), None).unwrap());
    let arm = Service::Arm.scope(&world.cloud);
    for (access, scope) in
        [(by_secret(CONTOSO), scope(&world)), (by_secret(FABRIKAM), scope(&world)), (by_secret(CONTOSO), arm), (other, scope(&world))]
    {
        tokens.token(&access, &scope).await.unwrap();
        tokens.token(&access, &scope).await.unwrap();
    }
    assert_eq!(world.service.grants().len(), 4);
}

#[tokio::test]
async fn refusals_say_what_to_do_and_nothing_of_the_secret() {
    let world = World::new().await;
    let cases = [
        (401, "invalid_client", 7000215, Reason::SecretWrong),
        (401, "invalid_client", 7000222, Reason::SecretExpired),
        (401, "invalid_client", 700027, Reason::CertificateNotRegistered),
        (400, "unauthorized_client", 700016, Reason::AppNotInDirectory),
        (400, "unauthorized_client", 7000112, Reason::AppDisabled),
        (400, "invalid_tenant", 90002, Reason::DirectoryNotFound),
        (400, "invalid_grant", 501051, Reason::AppNotAssigned),
        (401, "invalid_client", 700213, Reason::FederationSubject),
        (400, "access_denied", 53003, Reason::BlockedByPolicy),
        // Numbers nobody has told us about.
        (401, "invalid_client", 1, Reason::CredentialRefused),
        (400, "unauthorized_client", 2, Reason::AppNotInDirectory),
        (400, "something_new", 3, Reason::Refused),
    ];
    for (status, error, code, reason) in cases {
        let trace = "12345678-0000-4000-8000-000000000000";
        let text = format!("AADSTS{code}: no, {SECRET}");
        let body = json!({"error": error, "error_description": text, "error_codes": [code], "trace_id": trace});
        world.service.on(GRANT, [answer(status, body)]);
        let before = world.service.grants().len();
        let refusal = refused(&world, &by_secret(CONTOSO)).await;
        assert_eq!((refusal.reason, refusal.aadsts), (reason, Some(code)), "{code}");
        assert_eq!(world.service.grants().len(), before + 1, "{code} is not worth a second try");
        let shown = format!("{refusal} {refusal:?} {:?}", by_secret(CONTOSO));
        assert!(shown.contains(trace) && shown.contains(reason.what_to_do()) && !shown.contains("s3cret"), "{shown}");
    }
    assert!(!format!("{:?}", world.ring.recent()).contains("s3cret"));
}

#[tokio::test]
async fn a_service_at_fault_is_asked_again_and_those_who_wait_share_the_outcome() {
    let world = World::new().await;
    let granted = answer(200, json!({"access_token": "at last", "expires_in": "3599"}));
    world.service.on(GRANT, [answer(503, json!({})), answer(429, json!({})).header("retry-after", "2"), granted]);
    let (tokens, access) = (tokens(&world), by_secret(CONTOSO));
    assert_eq!(tokens.token(&access, &scope(&world)).await.unwrap().expose(), "at last");
    assert_eq!(world.service.grants().len(), 3);

    world.service.on(GRANT, [answer(429, json!({})).header("retry-after", "3000")]);
    world.advance(4000);
    let before = world.service.grants().len();
    let all = join_all((0..5).map(|_| tokens.token(&access, "x/.default"))).await;
    for outcome in all {
        let refusal = outcome.err().unwrap();
        assert_eq!((refusal.reason, refusal.retry_after), (Reason::Throttled, Some(Duration::from_secs(3000))));
    }
    assert_eq!(world.service.grants().len(), before + 1);
    world.service.on(GRANT, [answer(500, json!({}))]);
    assert_eq!(refused(&world, &access).await.reason, Reason::Unavailable);
    assert_eq!(world.service.grants().len(), before + 1 + TRIES as usize);
}

#[tokio::test]
async fn a_federated_token_comes_from_a_file_that_is_read_anew() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let access = by(CONTOSO, Credential::Federated(Federated::File(file.clone())));
    assert_eq!(refused(&world, &access).await.reason, Reason::TokenFileUnreadable);
    std::fs::write(&file, "no token").unwrap();
    assert_eq!(refused(&world, &access).await.reason, Reason::TokenFileUnreadable);
    assert!(world.service.asked().is_empty());
    std::fs::write(&file, format!("{OUTSIDE}\n")).unwrap();
    tokens(&world).token(&access, &scope(&world)).await.unwrap();
    let sent = &world.service.grants()[0];
    assert_eq!(sent.field("client_assertion").as_deref(), Some(OUTSIDE));
    assert_eq!(sent.field("client_assertion_type").as_deref(), Some(JWT_BEARER));
    assert_eq!(sent.field("client_secret"), None);
}

#[tokio::test]
async fn a_managed_identity_is_asked_once_for_all_directories_and_anew_when_its_token_is_too_old() {
    let world = World::new().await;
    let imds = "/metadata/identity/oauth2/token";
    let given = |token: &str| {
        let ends = (world.clock.now() + SignedDuration::from_hours(24)).as_second().to_string();
        answer(200, json!({"access_token": token, "expires_on": ends, "resource": "x", "token_type": "Bearer"}))
    };
    world.service.on(imds, [answer(404, json!({})), given("first"), given("second")]);
    let identity = |id: &str| ManagedIdentity::imds(Some(&world.origin), Some(id.parse().unwrap())).unwrap();
    let access = |directory| by(directory, Credential::Federated(Federated::ManagedIdentity(identity(APP))));
    let tokens = tokens(&world);
    tokens.token(&access(CONTOSO), &scope(&world)).await.unwrap();
    tokens.token(&access(FABRIKAM), &scope(&world)).await.unwrap();
    let asked: Vec<_> = world.service.asked().into_iter().filter(|asked| asked.path.starts_with(imds)).collect();
    assert_eq!(asked.len(), 2, "one refused, one answered");
    assert_eq!(asked[0].header("metadata"), "true");
    for part in ["api-version=2018-02-01", "resource=api%3A%2F%2FAzureADTokenExchange", &format!("client_id={APP}")] {
        assert!(asked[0].path.contains(part), "{}", asked[0].path);
    }
    let late = answer(401, json!({"error": "invalid_client", "error_codes": [700024]}));
    world.service.on(GRANT, [late, answer(200, json!({"access_token": "t", "expires_in": 3599}))]);
    tokens.renew(&access(CONTOSO), &scope(&world), &tokens.token(&access(CONTOSO), &scope(&world)).await.unwrap()).await.unwrap();
    assert_eq!(world.service.grants().last().unwrap().field("client_assertion").as_deref(), Some("second"));
}

#[tokio::test]
async fn the_platforms_endpoint_gets_its_header_and_a_missing_identity_is_told() {
    let world = World::new().await;
    world.service.on("/msi/token", [answer(400, json!({"statusCode": 400, "message": "No User Assigned"}))]);
    let identity = ManagedIdentity::endpoint(&format!("{}/msi/token", world.origin), Secret::new("h3ader".into()), None).unwrap();
    let refusal = refused(&world, &by(CONTOSO, Credential::Federated(Federated::ManagedIdentity(identity)))).await;
    assert_eq!(refusal.reason, Reason::NoManagedIdentity);
    let asked = world.service.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("x-identity-header"), "h3ader");
    assert!(asked[0].path.contains("api-version=2019-08-01"));
    // On a machine that is not Azure's, the metadata address is on nobody's list.
    let nowhere = ManagedIdentity::imds(None, None).unwrap();
    let refusal = refused(&world, &by(CONTOSO, Credential::Federated(Federated::ManagedIdentity(nowhere)))).await;
    assert_eq!(refusal.reason, Reason::NotAllowed);
}

#[tokio::test]
async fn nobody_waits_for_a_token_past_the_deadline_or_once_called_off() {
    let world = World::new().await;
    world.service.on(GRANT, [answer(503, json!({})).header("retry-after", "100")]);
    let until = Until { deadline: Some(world.clock.now() + SignedDuration::from_secs(60)), ..Until::default() };
    assert_eq!(refused(&world, &by_secret(CONTOSO).until(until)).await.reason, Reason::Deadline);
    let until = Until::default();
    until.cancel.cancel();
    assert_eq!(refused(&world, &by_secret(CONTOSO).until(until)).await.reason, Reason::Cancelled);
    assert_eq!(world.service.grants().len(), 1);
}
