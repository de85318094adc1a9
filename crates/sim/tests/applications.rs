//! Applications that sign in by themselves: secret, certificate, federated token; and what is refused.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{
    CiJob, Platform, SimConfig, demo,
    demo::{CONTOSO, FABRIKAM},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use support::{PORTAL, Pairs, World, but, claims, world, world_of};

const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn form() -> Pairs<'static> {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", CONTOSO.pipeline.to_string()),
        ("scope", format!("{}/.default", demo::API_URI)),
    ]
}

fn with_secret() -> Pairs<'static> {
    but(form(), "client_secret", Some(CONTOSO.pipeline_secret))
}

fn with_assertion(assertion: &str) -> Pairs<'static> {
    but(but(form(), "client_assertion_type", Some(BEARER)), "client_assertion", Some(assertion))
}

async fn refused(world: &World, form: &Pairs<'_>) -> (u16, String, u64) {
    let (status, body) = world.token(form, None).await;
    (status, body["error"].as_str().unwrap_or_default().to_owned(), body["error_codes"][0].as_u64().unwrap_or_default())
}

#[tokio::test]
async fn a_secret_gets_a_token_with_the_assigned_role() {
    let world = world().await;
    let (status, body) = world.token(&with_secret(), None).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["refresh_token"].is_null());
    let token = world.verified(body["access_token"].as_str().unwrap(), &demo::API_CLIENT_ID.to_string()).await.unwrap();
    assert_eq!((&token["roles"], &token["idtyp"], &token["azpacr"]), (&json!(["Evidence.Upload"]), &"app".into(), &"1".into()));
    assert_eq!(token["oid"], token["sub"]);
    assert!(token["scp"].is_null() && token["preferred_username"].is_null() && token["azp"] == CONTOSO.pipeline.to_string());
    let basic = world
        .http
        .post(format!("{}/{}/oauth2/v2.0/token", world.sim.url(), CONTOSO.domain))
        .basic_auth(CONTOSO.pipeline, Some(CONTOSO.pipeline_secret))
        .form(&but(form(), "client_id", None));
    assert_eq!(basic.send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn an_application_without_a_role_gets_a_token_without_roles() {
    let world = world().await;
    let form = but(but(form(), "client_id", Some(&CONTOSO.bystander.to_string())), "client_secret", Some(CONTOSO.bystander_secret));
    let (_, body) = world.token(&form, None).await;
    assert!(claims(body["access_token"].as_str().unwrap()).get("roles").is_none());
    let mut config = SimConfig::demo(&[PORTAL]);
    config.directories[0].apps.iter_mut().find(|a| a.client_id == demo::API_CLIENT_ID).unwrap().assignment_required = true;
    assert_eq!(refused(&world_of(config).await, &form).await, (400, "invalid_grant".to_owned(), 501051));
}

#[tokio::test]
async fn each_wrong_request_has_its_code() {
    let world = world().await;
    let invalid_client = |code| (401, "invalid_client".to_owned(), code);
    assert_eq!(refused(&world, &but(form(), "client_secret", Some("wrong"))).await, invalid_client(7000215));
    assert_eq!(refused(&world, &but(form(), "client_secret", Some(CONTOSO.expired_secret))).await, invalid_client(7000222));
    assert_eq!(refused(&world, &form()).await, invalid_client(7000218));
    assert_eq!(refused(&world, &but(with_secret(), "client_id", Some(&demo::PORTAL_CLIENT_ID.to_string()))).await, invalid_client(700025));
    assert_eq!(
        refused(&world, &but(with_secret(), "client_id", Some(&FABRIKAM.pipeline.to_string()))).await,
        (400, "unauthorized_client".to_owned(), 700016)
    );
    assert_eq!(refused(&world, &but(with_secret(), "grant_type", None)).await, (400, "invalid_request".to_owned(), 900144));
    assert_eq!(
        refused(&world, &but(with_secret(), "grant_type", Some("password"))).await,
        (400, "unsupported_grant_type".to_owned(), 70003)
    );
    assert_eq!(
        refused(&world, &but(with_secret(), "scope", Some("api://nobody/.default"))).await,
        (400, "invalid_resource".to_owned(), 500011)
    );
    assert_eq!(refused(&world, &but(with_secret(), "scope", Some("openid"))).await, (400, "invalid_scope".to_owned(), 1002012));
    let (_, unknown) = world.token_at("nobody.example", &with_secret(), None).await;
    assert_eq!(unknown["error_codes"][0], 90002);
    let (_, common) = world.token_at("common", &with_secret(), None).await;
    assert_eq!(common["error_codes"][0], 9001023);
    let (_, browser) = world.token(&with_secret(), Some("https://portal.example.test")).await;
    assert_eq!(browser["error_codes"][0], 9002326);
}

#[tokio::test]
async fn an_error_carries_the_callers_correlation_id() {
    let world = world().await;
    let id = "11111111-2222-4333-8444-555555555555";
    let request = world
        .http
        .post(format!("{}/{}/oauth2/v2.0/token", world.sim.url(), CONTOSO.directory))
        .header("client-request-id", id)
        .form(&form());
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!((&body["correlation_id"], &body["timestamp"]), (&id.into(), &"2026-11-22 08:00:00Z".into()));
    let text = body["error_description"].as_str().unwrap();
    assert!(
        text.starts_with("AADSTS7000218: ") && text.contains(&format!("\r\nCorrelation ID: {id}\r\nTimestamp: 2026-11-22 08:00:00Z")),
        "{text}"
    );
}

#[tokio::test]
async fn a_certificate_proves_the_application_for_its_own_directory_and_time() {
    let world = world().await;
    let assertion = world.sim.client_assertion(CONTOSO.directory, CONTOSO.pipeline).unwrap();
    let (status, body) = world.token(&with_assertion(&assertion), None).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["azpacr"], "2");
    let elsewhere = world.sim.client_assertion(FABRIKAM.directory, CONTOSO.pipeline).unwrap();
    assert_eq!(refused(&world, &with_assertion(&elsewhere)).await.2, 700023);
    let (front, _) = assertion.rsplit_once('.').unwrap();
    assert_eq!(refused(&world, &with_assertion(&format!("{front}.{}", "A".repeat(342)))).await, (401, "invalid_client".to_owned(), 700027));
    let other = world.sim.client_assertion(CONTOSO.directory, CONTOSO.bystander).unwrap();
    assert_eq!(refused(&world, &with_assertion(&other)).await.0, 401);
    world.clock.advance(SignedDuration::from_mins(16));
    assert_eq!(refused(&world, &with_assertion(&assertion)).await, (401, "invalid_client".to_owned(), 700024));
    assert_eq!(refused(&world, &with_assertion("rubbish")).await.2, 50027);
    assert_eq!(refused(&world, &but(with_assertion(&assertion), "client_assertion_type", None)).await.2, 900144);
}

fn github(subject: &str) -> CiJob {
    CiJob { platform: Platform::Github, request_token: "t".to_owned(), subject: subject.to_owned(), claims: Default::default() }
}

#[tokio::test]
async fn a_federated_token_matches_exactly_or_not_at_all() {
    let world = world().await;
    let good = CONTOSO.github_subject();
    let token = |subject: &str, audience: &str| world.sim.ci_token(&github(subject), audience).unwrap();
    let right = token(&good, demo::EXCHANGE_AUDIENCE);
    let (status, body) = world.token(&with_assertion(&right), None).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["roles"], json!(["Evidence.Upload"]));
    assert_eq!(
        refused(&world, &with_assertion(&token(&good.to_uppercase(), demo::EXCHANGE_AUDIENCE))).await,
        (401, "invalid_client".to_owned(), 700213)
    );
    assert_eq!(refused(&world, &with_assertion(&token(&good, "api://azureadtokenexchange"))).await.2, 700212);
    let (front, _) = right.rsplit_once('.').unwrap();
    assert_eq!(refused(&world, &with_assertion(&format!("{front}.{}", "A".repeat(342)))).await.2, 700027);
    let bystander = but(with_assertion(&right), "client_id", Some(&CONTOSO.bystander.to_string()));
    assert_eq!(refused(&world, &bystander).await.2, 70021);
    let kubernetes = CiJob { platform: Platform::Kubernetes, ..github("system:serviceaccount:ci:uploader") };
    assert_eq!(world.token(&with_assertion(&world.sim.ci_token(&kubernetes, demo::EXCHANGE_AUDIENCE).unwrap()), None).await.0, 200);
    world.clock.advance(SignedDuration::from_mins(11));
    assert_eq!(refused(&world, &with_assertion(&right)).await.2, 700024);
}

#[tokio::test]
async fn a_ci_job_asks_its_platform_for_a_token() {
    let world = world().await;
    let ask = |token: &str| {
        world.http.get(format!("{}&audience=bailiwick", world.sim.github_token_request_url())).bearer_auth(token.to_owned()).send()
    };
    let body: Value = ask(CONTOSO.github_request_token).await.unwrap().json().await.unwrap();
    let token = claims(body["value"].as_str().unwrap());
    assert_eq!((&token["aud"], &token["sub"]), (&"bailiwick".into(), &CONTOSO.github_subject().into()));
    assert_eq!(token["iss"], world.sim.ci_issuer(Platform::Github));
    assert_eq!(token["repository"], CONTOSO.repository);
    assert_eq!(ask("wrong").await.unwrap().status().as_u16(), 401);
    let document: Value = world
        .http
        .get(format!("{}/.well-known/openid-configuration", world.sim.ci_issuer(Platform::Github)))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(document["issuer"], token["iss"]);
    let keys: Value = world.http.get(document["jwks_uri"].as_str().unwrap()).send().await.unwrap().json().await.unwrap();
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(keys).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&["bailiwick"]);
    validation.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(&set.keys[0]).unwrap();
    assert!(jsonwebtoken::decode::<Value>(body["value"].as_str().unwrap(), &key, &validation).is_ok());

    let devops = world
        .http
        .post(format!("{}?api-version=7.1&serviceConnectionId=x", world.sim.azure_devops_token_request_url()))
        .bearer_auth(CONTOSO.azure_devops_request_token);
    let body: Value = devops.send().await.unwrap().json().await.unwrap();
    assert_eq!(world.token(&with_assertion(body["oidcToken"].as_str().unwrap()), None).await.0, 200);
}

/// An assertion made the older way: RS256, with the header given.
fn rs256_assertion(world: &World, header: Value) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
    let certificate = world.sim.client_certificate(CONTOSO.pipeline).unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(certificate.private_key_pem.as_bytes()).unwrap();
    let key = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let now = support::NOW.parse::<bailiwick_base::Timestamp>().unwrap().as_second();
    let claims = json!({
        "iss": CONTOSO.pipeline, "sub": CONTOSO.pipeline, "exp": now + 300, "nbf": now, "jti": "1",
        "aud": format!("{}/{}/oauth2/v2.0/token", world.sim.url(), CONTOSO.domain),
    });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(&header), encode(&claims));
    let mut signature = vec![0; key.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    key.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn the_older_forms_of_a_certificate_assertion_are_taken_and_unnamed_certificates_are_not() {
    let world = world().await;
    let pem = world.sim.client_certificate(CONTOSO.pipeline).unwrap().certificate_pem;
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let carried = rs256_assertion(&world, json!({"alg": "RS256", "x5c": [body]}));
    assert_eq!(world.token(&with_assertion(&carried), None).await.0, 200);
    let unnamed = rs256_assertion(&world, json!({"alg": "RS256"}));
    assert_eq!(refused(&world, &with_assertion(&unnamed)).await.2, 700027);
    let confused = rs256_assertion(&world, json!({"alg": "PS256", "x5c": [body]}));
    assert_eq!(refused(&world, &with_assertion(&confused)).await.2, 700027);
    let none = rs256_assertion(&world, json!({"alg": "none", "x5c": [body]}));
    assert_eq!(refused(&world, &with_assertion(&none)).await.2, 700027);
}
