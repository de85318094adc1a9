//! HTTPS on loopback: one listener, one certificate, and a set of routes per host name. Every request that is not
//! for the simulator's own controls is logged, and may be hit by a fault first.

use crate::{
    arm,
    bearer::{self, Caller},
    ca::Authority,
    calls::{Call, write_digest},
    cloud::{Cloud, lock},
    control, entra,
    faults::{FaultAction, Target},
    graph, issuers, oversized,
    realm::Realm,
    services::{self, Door, Service},
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
/// What Graph takes, mail with attachments for one.
const MAX_DATA: usize = 4 << 20;

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
            entra::routes()
                .merge(issuers::own_routes())
                .nest("/_graph", graph::userinfo_routes())
                .merge(control::routes())
                .with_state(site(realm))
        };
        Self {
            localhost: own(Realm::own(&format!("localhost:{port}"))),
            address: own(Realm::own(&format!("127.0.0.1:{port}"))),
            login: entra::routes().with_state(site(Realm::microsoft())),
            graph: graph::userinfo_routes().with_state(site(Realm::microsoft())),
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
    let authority = authority_of(&request);
    let host = host_of(&authority);
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let door = services::door(&host, &authority, &path);
    let most = if door.is_some() { MAX_DATA } else { MAX_BODY };
    let Ok(body) = Limited::new(body, most).collect().await else {
        let text = format!("the request is larger than {} MiB or was cut off\n", most >> 20);
        return Ok((StatusCode::PAYLOAD_TOO_LARGE, text).into_response());
    };
    let body = body.to_bytes();
    let mut call = describe(&hosts.cloud, &host, &parts, &body);
    let router = hosts.named(&host).cloned();
    if path.starts_with("/_sim/")
        && let Some(router) = router
    {
        return Ok(run(router, Request::from_parts(parts, Body::from(body))).await);
    }
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let decoded = percent_encoding::percent_decode_str(&query).decode_utf8_lossy().into_owned();
    if let Some(door) = &door {
        call.body_sha256 = write_digest(parts.method.as_str(), &door.path, &body);
    }
    let target = Target {
        host: &host,
        method: parts.method.as_str(),
        path: door.as_ref().map_or(&path, |door| &door.path),
        query: &decoded,
        write: call.body_sha256.is_some(),
    };
    let fault = hosts.cloud.faults.hit(target);
    if let Some(door) = &door {
        call.query = Some(decoded.clone()).filter(|query| !query.is_empty());
        attribute(&mut call, bearer::check(&hosts.cloud, &parts.headers, door.service).ok());
    }
    let response = match (&fault, door) {
        (Some(FaultAction::Drop { .. }), _) => None,
        (Some(FaultAction::Answer { status, retry_after, body }), _) => Some(refusal(*status, *retry_after, body.clone())),
        (Some(FaultAction::JwksDown { .. }), _) => Some(refusal(503, None, None)),
        (Some(FaultAction::Huge { huge_mib }), _) => Some(oversized::response(*huge_mib)),
        (fault, door) => {
            if let Some(FaultAction::Delay { delay_ms }) = fault {
                tokio::time::sleep(Duration::from_millis(*delay_ms)).await;
            }
            let response = match door {
                Some(door) => {
                    let arrived = Arrived { host: &host, parts: &parts, query: &query, body: &body, fault: fault.as_ref() };
                    serve_data(&hosts.cloud, &door, &arrived).await
                }
                None => match router {
                    Some(router) => run(router, Request::from_parts(parts, Body::from(body))).await,
                    None => misdirected(&host),
                },
            };
            match fault {
                Some(FaultAction::Malformed { .. }) => Some(oversized::cut(response).await),
                Some(FaultAction::DropAfter { .. }) => None,
                _ => Some(response),
            }
        }
    };
    call.status = response.as_ref().map_or(0, |r| r.status().as_u16());
    hosts.cloud.calls.add(call);
    response.ok_or(Dropped)
}

fn misdirected(host: &str) -> Response<Body> {
    (StatusCode::MISDIRECTED_REQUEST, format!("The simulator does not answer as {host:?}.\n")).into_response()
}

/// A request for Graph or Resource Manager, as it came.
struct Arrived<'a> {
    host: &'a str,
    parts: &'a http::request::Parts,
    query: &'a str,
    body: &'a Bytes,
    fault: Option<&'a FaultAction>,
}

/// The log says whose token it was, whatever the answer.
fn attribute(call: &mut Call, caller: Option<Caller>) {
    if let Some(caller) = caller {
        call.directory = Some(caller.directory);
        call.client_id = Some(caller.client.to_string());
    }
}

/// Answers from what a directory holds.
async fn serve_data(cloud: &Arc<Cloud>, door: &Door, arrived: &Arrived<'_>) -> Response<Body> {
    let latency = lock(&cloud.knobs).latency_ms;
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let asked = graph::Asked {
        host: arrived.host,
        base: &door.base,
        method: arrived.parts.method.as_str(),
        path: &door.path,
        query: arrived.query,
        headers: &arrived.parts.headers,
        body: arrived.body,
        twist: arrived.fault.and_then(FaultAction::twist),
        forget: matches!(arrived.fault, Some(FaultAction::Forget { .. })),
    };
    match door.service {
        Service::Graph => graph::answer(cloud, &asked).response(),
        Service::Arm => arm::answer(cloud, &asked).response(),
    }
}

async fn run(router: Router, request: Request<Body>) -> Response<Body> {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The host asked for, in lower case, with its port if one was said.
fn authority_of(request: &Request<Incoming>) -> String {
    let header = || request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    request.uri().authority().map(|a| a.as_str()).or_else(header).unwrap_or_default().to_ascii_lowercase()
}

fn host_of(authority: &str) -> String {
    authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_owned()
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
        query: None,
        in_batch: false,
        body_sha256: None,
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
