//! The way to the server: a private authority is trusted when it is named, and only then; a proxy is used where it may be.

use crate::fake::{State, router};
use crate::{Bailiwick, Folder};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer};

/// A server with a certificate for `localhost` of an authority of its own, and that authority's certificate.
async fn start() -> (String, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::from_params(&authority, &authority_key);
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let answers = [("GET /api/v1/runs", json!({"items": []})), ("GET https", json!({"items": []}))].into();
    let service = TowerToHyperService::new(router(Arc::new(Mutex::new(State { answers, ..State::default() }))));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, service) = (acceptor.clone(), service.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(socket).await {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                }
            });
        }
    });
    (url, authority_pem)
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_named() {
    let (url, pem) = start().await;
    let folder = Folder::temporary();
    let file = folder.file("ca.pem", pem);
    let done = Bailiwick::at(&url).env("BAILIWICK_CA_FILE", &file).run(["runs", "--json"]).await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "{\"items\":[]}\n"), "{}", done.stderr);
}

#[tokio::test]
async fn a_stranger_is_refused_at_once_with_the_way_to_trust_it() {
    let (url, _) = start().await;
    let done = Bailiwick::at(&url).run(["runs"]).await;
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.starts_with(&format!("error: The certificate of {url} is not trusted: ")), "{}", done.stderr);
    assert!(
        done.stderr.ends_with("hint: If a private authority issued it, give its certificate in --ca-file or BAILIWICK_CA_FILE.\n"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn a_ca_file_without_certificates_is_refused_by_name() {
    let folder = Folder::temporary();
    let file = folder.file("ca.pem", "nothing");
    let done = Bailiwick::at("https://localhost:1").env("BAILIWICK_CA_FILE", &file).run(["runs"]).await;
    assert_eq!(done.code, 1);
    assert!(
        done.stderr.starts_with(&format!("error: The CA file {} cannot be used: it holds no certificate.", file.display())),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn an_empty_variable_counts_as_absent() {
    let server = crate::fake::Fake::start().await;
    server.answer("GET /api/v1/runs", json!({"items": []}));
    let done = Bailiwick::at(&server.url).env("BAILIWICK_CA_FILE", "").env("BAILIWICK_TOKEN_FILE", "").run(["runs", "--json"]).await;
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}

/// A proxy that says no, and the first line it was asked.
async fn proxy() -> (String, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let mut line = String::new();
        let (socket, _) = listener.accept().await.unwrap();
        BufReader::new(socket).read_line(&mut line).await.unwrap();
        line
    });
    (url, asked)
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_and_sees_no_more() {
    let (proxy, asked) = proxy().await;
    let done = Bailiwick::at("https://bailiwick.invalid").env("HTTPS_PROXY", proxy).run(["runs"]).await;
    assert_eq!((done.code, asked.await.unwrap().as_str()), (2, "CONNECT bailiwick.invalid:443 HTTP/1.1\r\n"), "{}", done.stderr);
}

#[tokio::test]
async fn no_proxy_sees_a_plain_request_to_this_machine() {
    let (proxy, asked) = proxy().await;
    let server = crate::fake::Fake::start().await;
    server.answer("GET /api/v1/runs", json!({"items": []}));
    let done = Bailiwick::at(&server.url).env("HTTP_PROXY", &proxy).env("ALL_PROXY", proxy).run(["runs", "--json"]).await;
    assert_eq!((done.code, server.lines().len(), asked.is_finished()), (0, 1, false), "{}", done.stderr);
}
