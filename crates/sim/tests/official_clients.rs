//! Microsoft's own Python clients, msal and azure-identity, sign in against the simulator: by its own name, and by
//! Microsoft's names through the CONNECT proxy with no setting of the client changed. They come from the package index
//! into `target/venv-clients`, once.
#![allow(clippy::unwrap_used)] // helpers of tests are not marked as tests

mod support;

use bailiwick_sim::{CiJob, Platform, RedirectKind, RedirectUri, Sim, SimConfig, demo, demo::CONTOSO};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use support::claims;

const PACKAGES: &[&str] = &["msal==1.39.0", "azure-identity==1.27.0"];
const WEB_REDIRECT: &str = "https://server.example.test/callback";

/// The interpreter with the clients installed. Test processes wait for each other on a lock file.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    fs::create_dir_all(&target).unwrap();
    let lock = File::create(target.join("venv-clients.lock")).unwrap();
    lock.lock().unwrap();
    let (folder, done) = (target.join("venv-clients"), target.join("venv-clients/installed.txt"));
    let python = folder.join("bin/python");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&done).is_ok_and(|text| text == wanted) {
        return python;
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder).output().unwrap());
    succeed(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES).output().unwrap(),
    );
    fs::write(done, wanted).unwrap();
    python
}

fn succeed(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs a script with its settings on stdin. The certificate bundle is set, never inherited: machines preset it.
async fn run(sim: &Sim, script: &str, settings: Value) -> Value {
    let ca = tempfile::NamedTempFile::new().unwrap();
    fs::write(ca.path(), sim.ca_pem()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let proxy = if settings["real_names"] == true { sim.proxy_url() } else { String::new() };
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python());
        for name in ["HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "HTTPS_PROXY"] {
            command.env_remove(name);
        }
        if !proxy.is_empty() {
            command.env("HTTPS_PROXY", proxy).env("NO_PROXY", "localhost,127.0.0.1");
        }
        for name in ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"] {
            command.env(name, ca.path());
        }
        let mut child = command.arg(path).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(settings.to_string().as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap();
    serde_json::from_slice(&succeed(output)).unwrap()
}

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
    let answer = run(&sim, "msal_client.py", settings(&sim, real_names)).await;
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
    let answer = run(&sim, "azure_identity_client.py", settings(&sim, real_names)).await;
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
