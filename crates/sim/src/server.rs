//! HTTPS on loopback: one listener, one certificate, and a set of routes per host name. Every request that is not
//! for the simulator's own controls is logged, and may be hit by a fault first.

use crate::{
    ca::Authority,
    calls::Call,
    cloud::Cloud,
    control, entra,
    faults::FaultAction,
    graph, issuers,
    realm::Realm,
    site::{Params, Site, params},
};
use anyhow::{Context, Result};
use axum::{Router, body::Body, response::IntoResponse};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::ServerConfig;
use std::{fmt, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

/// No request to Entra is larger.
const MAX_BODY: usize = 1 << 20;

/// The TLS side of the listener: HTTP/2 or HTTP/1.1, whichever the client prefers.
pub fn tls(authority: &Authority) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("choosing TLS versions")?
        .with_no_client_auth()
        .with_single_cert(vec![authority.server_cert.clone()], authority.server_key.clone_key())
        .context("using the server certificate")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The routes of every host name, built once.
pub struct Hosts {
    cloud: Arc<Cloud>,
    localhost: Router,
    address: Router,
    login: Router,
    graph: Router,
    github: Router,
}

impl Hosts {
    pub fn new(cloud: Arc<Cloud>) -> Self {
        let port = cloud.own_authority.rsplit_once(':').map(|(_, port)| port.to_owned()).unwrap_or_default();
        let site = |realm| Site { cloud: cloud.clone(), realm };
        let own = |realm| {
            entra::routes().merge(issuers::own_routes()).nest("/_graph", graph::routes()).merge(control::routes()).with_state(site(realm))
        };
        Self {
            localhost: own(Realm::own(&format!("localhost:{port}"))),
            address: own(Realm::own(&format!("127.0.0.1:{port}"))),
            login: entra::routes().with_state(site(Realm::microsoft())),
            graph: graph::routes().with_state(site(Realm::microsoft())),
            github: issuers::github_routes().with_state(site(Realm::microsoft())),
            cloud,
        }
    }
    fn named(&self, host: &str) -> Option<&Router> {
        match host {
            "localhost" => Some(&self.localhost),
            "127.0.0.1" => Some(&self.address),
            "login.microsoftonline.com" | "login.microsoft.com" | "login.windows.net" | "sts.windows.net" => Some(&self.login),
            "graph.microsoft.com" => Some(&self.graph),
            "token.actions.githubusercontent.com" => Some(&self.github),
            _ => None,
        }
    }
}

/// Accepts until told to stop.
pub async fn serve(listener: TcpListener, tls: TlsAcceptor, hosts: Arc<Hosts>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (tls, hosts, stop) = (tls.clone(), hosts.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        result = connection(stream, tls, hosts) => if let Err(error) = result { tracing::debug!(%error, "connection ended") },
                    }
                });
            }
            Err(error) => tracing::warn!(%error, "accepting a connection failed"),
        }
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, hosts: Arc<Hosts>) -> Result<()> {
    stream.set_nodelay(true).context("configuring the socket")?;
    let stream = tls.accept(stream).await.context("TLS handshake")?;
    let service = service_fn(move |request| answer(hosts.clone(), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    builder.serve_connection(TokioIo::new(stream), service).await.map_err(|error| anyhow::anyhow!("{error}"))
}

/// The fault "drop": the connection ends without an answer.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection dropped by a fault")
    }
}

impl std::error::Error for Dropped {}

async fn answer(hosts: Arc<Hosts>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let host = host_of(&request);
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Ok((StatusCode::PAYLOAD_TOO_LARGE, "the request is larger than 1 MiB or was cut off\n").into_response());
    };
    let body = body.to_bytes();
    let Some(router) = hosts.named(&host).cloned() else {
        let text = format!("The simulator does not answer as {host:?}.\n");
        return Ok((StatusCode::MISDIRECTED_REQUEST, text).into_response());
    };
    let path = parts.uri.path().to_owned();
    if path.starts_with("/_sim/") {
        return Ok(run(router, Request::from_parts(parts, Body::from(body))).await);
    }
    let mut call = describe(&hosts.cloud, &host, &parts, &body);
    let fault = hosts.cloud.faults.hit(&host, parts.method.as_str(), &path);
    let response = match fault {
        Some(FaultAction::Drop { .. }) => None,
        Some(FaultAction::Answer { status, retry_after, body }) => Some(refusal(status, retry_after, body)),
        Some(FaultAction::JwksDown { .. }) => Some(refusal(503, None, None)),
        Some(FaultAction::Delay { delay_ms }) => {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            Some(run(router, Request::from_parts(parts, Body::from(body))).await)
        }
        None => Some(run(router, Request::from_parts(parts, Body::from(body))).await),
    };
    call.status = response.as_ref().map_or(0, |r| r.status().as_u16());
    hosts.cloud.calls.add(call);
    response.ok_or(Dropped)
}

async fn run(router: Router, request: Request<Body>) -> Response<Body> {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The host asked for, in lower case and without its port.
fn host_of(request: &Request<Incoming>) -> String {
    let header = || request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    let authority = request.uri().authority().map(|a| a.as_str()).or_else(header).unwrap_or_default();
    authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_ascii_lowercase()
}

fn describe(cloud: &Cloud, host: &str, parts: &http::request::Parts, body: &Bytes) -> Call {
    let path = parts.uri.path();
    let query = params(parts.uri.query().unwrap_or_default().as_bytes());
    let form = if is_form(parts) { params(body) } else { Params::new() };
    let client_id = query
        .get("client_id")
        .or_else(|| form.get("client_id"))
        .cloned()
        .or_else(|| entra::client_auth::basic(&parts.headers).map(|(id, _)| id));
    let directory = path.split('/').nth(1).and_then(|segment| cloud.directory(segment)).map(|d| d.id);
    Call {
        at: cloud.now(),
        host: host.to_owned(),
        method: parts.method.to_string(),
        path: path.to_owned(),
        status: 0,
        directory,
        // A client id is a GUID; anything else might be something secret in the wrong place.
        client_id: client_id.filter(|id| id.parse::<Uuid>().is_ok()),
    }
}

fn is_form(parts: &http::request::Parts) -> bool {
    parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("application/x-www-form-urlencoded"))
}

fn refusal(status: u16, retry_after: Option<u32>, body: Option<String>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.unwrap_or_default()).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
