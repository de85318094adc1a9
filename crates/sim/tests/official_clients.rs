//! Microsoft's own Python clients, msal and azure-identity, sign in against the simulator: by its own name, and by
//! Microsoft's names through the CONNECT proxy with no setting of the client changed. They come from the package index
//! into `target/venv-clients`, once.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{CiJob, Platform, RedirectKind, RedirectUri, Sim, SimConfig, demo, demo::CONTOSO};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use support::{claims, python::Environment};

const CLIENTS: Environment = Environment { name: "venv-clients", packages: &["msal==1.39.0", "azure-identity==1.27.0"] };
const WEB_REDIRECT: &str = "https://server.example.test/callback";

async fn sim() -> Sim {
    let mut config = SimConfig::demo(&[support::PORTAL]);
    let app = config.directories[0].apps.iter_mut().find(|a| a.client_id == CONTOSO.pipeline).unwrap();
    app.redirect_uris.push(RedirectUri { kind: RedirectKind::Native, uri: "http://localhost".to_owned() });
    app.redirect_uris.push(RedirectUri { kind: RedirectKind::Web, uri: WEB_REDIRECT.to_owned() });
    Sim::start(config).await.unwrap()
}

fn settings(sim: &Sim, real_names: bool) -> Value {
    let certificate = sim.client_certificate(CONTOSO.pipeline).unwrap();
    let der = CertificateDer::from_pem_slice(certificate.certificate_pem.as_bytes()).unwrap();
    let thumbprint = hex::encode_upper(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &der));
    let job =
        |platform, subject: &str| CiJob { platform, request_token: String::new(), subject: subject.to_owned(), claims: Default::default() };
    let ci = |platform, subject: &str| sim.ci_token(&job(platform, subject), demo::EXCHANGE_AUDIENCE).unwrap();
    let origin = if real_names { "https://login.microsoftonline.com".to_owned() } else { sim.url() };
    json!({
        "real_names": real_names, "origin": origin, "authority": format!("{origin}/{}", CONTOSO.directory), "tenant": CONTOSO.directory,
        "client_id": CONTOSO.pipeline, "secret": CONTOSO.pipeline_secret, "api": demo::API_URI, "user": CONTOSO.owner,
        "certificate": certificate.certificate_pem, "private_key": certificate.private_key_pem, "thumbprint": thumbprint,
        "federated": ci(Platform::Github, &CONTOSO.github_subject()), "kubernetes": ci(Platform::Kubernetes, "system:serviceaccount:ci:uploader"),
        "azure_devops_url": sim.azure_devops_token_request_url(), "azure_devops_token": CONTOSO.azure_devops_request_token, "web_redirect": WEB_REDIRECT,
    })
}

fn issuer(sim: &Sim, real_names: bool) -> String {
    if real_names { Sim::microsoft_issuer(CONTOSO.directory) } else { sim.issuer(CONTOSO.directory) }
}

#[track_caller]
fn app_token(answer: &Value, issuer: &str, proof: &str) {
    let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}"));
    let claims = claims(token);
    assert_eq!((&claims["iss"], &claims["roles"], &claims["azpacr"]), (&issuer.into(), &json!(["Evidence.Upload"]), &proof.into()));
}

async fn msal(real_names: bool) {
    let sim = sim().await;
    let issuer = issuer(&sim, real_names);
    let answer = CLIENTS.run(&sim, "msal_client.py", settings(&sim, real_names)).await;
    app_token(&answer["secret"], &issuer, "1");
    for way in ["certificate_sha256", "certificate_sha1", "federated"] {
        app_token(&answer[way], &issuer, "2");
    }
    let wrong = &answer["wrong_secret"];
    assert_eq!((&wrong["error"], &wrong["error_codes"][0]), (&"invalid_client".into(), &7000215.into()));
    for (way, proof) in [("code_native", "0"), ("code_web", "1")] {
        let way = &answer[way];
        let token = claims(way["first"]["access_token"].as_str().unwrap_or_else(|| panic!("{way}")));
        assert_eq!((&token["iss"], &token["scp"], &token["azpacr"]), (&issuer.clone().into(), &demo::API_SCOPE.into(), &proof.into()));
        assert_eq!(way["first"]["id_token_claims"]["preferred_username"], "owner@contoso.example");
        assert_eq!(way["account"]["home_account_id"], format!("{}.{}", CONTOSO.owner, CONTOSO.directory));
        assert!(way["silent"]["access_token"].is_string() && way["silent"]["access_token"] != way["first"]["access_token"], "{way}");
    }
}

async fn azure_identity(real_names: bool) {
    let sim = sim().await;
    let issuer = issuer(&sim, real_names);
    let answer = CLIENTS.run(&sim, "azure_identity_client.py", settings(&sim, real_names)).await;
    app_token(&answer["secret"], &issuer, "1");
    for way in ["certificate", "federated", "workload", "pipelines"] {
        app_token(&answer[way], &issuer, "2");
    }
    assert!(answer["wrong_secret"]["error"].as_str().unwrap().contains("AADSTS7000215"));
}

#[tokio::test]
async fn msal_signs_in_by_our_name() {
    msal(false).await;
}

#[tokio::test]
async fn msal_signs_in_by_microsofts_name() {
    msal(true).await;
}

#[tokio::test]
async fn azure_identity_signs_in_by_our_name() {
    azure_identity(false).await;
}

#[tokio::test]
async fn azure_identity_signs_in_by_microsofts_name() {
    azure_identity(true).await;
}
