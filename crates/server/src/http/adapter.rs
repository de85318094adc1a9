//! The adapter: from an operation's declaration and its handler to a route. It authenticates, counts, reads the parameters, enters the
//! scope the guard asks for, runs the handler, commits with the trail entry, and answers. No handler sees HTTP, and no route exists
//! that was not declared.

use super::auth::{Presented, Refused};
use super::{App, health, rate, respond};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request as HttpRequest, Response, StatusCode, Uri, header, request::Parts};
use axum::routing::{MethodFilter, get, on};
use bailiwick_base::{Code, Principal, Problem, RequestId};
use bailiwick_contract::{Empty, Method, Operation, OperationSpec, RateClass, StreamBody, operations};
use bailiwick_domain::{
    Call, DiscloseHandler, LiveHandler, Mount, OpenHandler, ReachHandler, ReadHandler, Services, TokenHandler, UploadHandler, WatchHandler,
    WriteHandler, admission,
};
use bailiwick_store::{Caller, Request, StoreError};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::any::{Any, TypeId};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// Bytes of a JSON body.
const JSON_BODY: usize = 1 << 20;

/// Every route of the API and the portal.
///
/// # Errors
/// An operation of the contract has no handler, or one of another effect than it declares.
pub fn router(app: App) -> anyhow::Result<Router> {
    let mut mount = HttpMount { router: Router::new(), mounted: HashSet::new(), wrong: Vec::new() };
    bailiwick_domain::mount(&mut mount);
    let missing: Vec<&str> = operations().iter().map(|op| op.id).filter(|id| !mount.mounted.contains(id)).collect();
    anyhow::ensure!(missing.is_empty(), "operations without a handler: {}", missing.join(", "));
    anyhow::ensure!(mount.wrong.is_empty(), "handlers of another effect than declared: {}", mount.wrong.join(", "));
    let fixed = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    Ok(mount
        .router
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/api/openapi.json", get(health::openapi))
        .route("/.well-known/security.txt", get(health::security_txt))
        .route("/api/v1/unsubscribe", get(to_unsubscribe_page))
        .route("/api/{*path}", axum::routing::any(no_such_operation))
        .fallback(get(portal))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(fixed("x-content-type-options", "nosniff"))
        .layer(fixed("referrer-policy", "no-referrer"))
        .layer(fixed("cross-origin-opener-policy", "same-origin"))
        .layer(fixed("cross-origin-resource-policy", "same-origin"))
        .layer(fixed("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"))
        .layer(fixed("content-security-policy", "default-src 'none'; frame-ancestors 'none'"))
        .with_state(app))
}

/// What the separate metrics listener serves.
pub fn metrics_router(app: App) -> Router {
    Router::new().route("/metrics", get(health::metrics)).with_state(app)
}

async fn portal(State(app): State<App>, uri: Uri) -> Response<Body> {
    app.portal.answer(&uri)
}

async fn no_such_operation(State(app): State<App>) -> Response<Body> {
    respond::problem(&Problem::new(Code::NotFound, "There is no such operation. See /api/openapi.json."), new_id(&app))
}

async fn method_not_allowed(State(app): State<App>) -> Response<Body> {
    respond::problem(&Problem::new(Code::MethodNotAllowed, "This address does not take that method. See /api/openapi.json."), new_id(&app))
}

fn panicked(cause: Box<dyn Any + Send>) -> Response<Body> {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    respond::problem(&Problem::internal(text.unwrap_or("a handler panicked")), RequestId(uuid::Uuid::nil()))
}

fn new_id(app: &App) -> RequestId {
    RequestId::new(app.services.store.clock(), app.services.store.rng())
}

/// A request on its way to a handler.
struct Incoming {
    app: App,
    parts: Parts,
    params: Map<String, Value>,
    body: Body,
    request: Request,
}

/// A request that did not get through, with what the trail should hear.
struct Stopped {
    problem: Problem,
    challenge: Option<String>,
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self { problem, challenge: None }
    }
}

struct HttpMount {
    router: Router<App>,
    mounted: HashSet<&'static str>,
    wrong: Vec<&'static str>,
}

impl HttpMount {
    fn route<O, F, Fut>(&mut self, effect: Option<bailiwick_contract::Effect>, handle: F)
    where
        O: Operation,
        F: Fn(Incoming) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response<Body>, Stopped>> + Send + 'static,
    {
        let spec = O::SPEC;
        if !self.mounted.insert(spec.id) || effect.is_some_and(|effect| effect != spec.effect) {
            self.wrong.push(spec.id);
            return;
        }
        let filter = match spec.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Put => MethodFilter::PUT,
            Method::Patch => MethodFilter::PATCH,
            Method::Delete => MethodFilter::DELETE,
        };
        let service = move |State(app): State<App>, request: HttpRequest<Body>| {
            let handle = handle.clone();
            async move { serve(app, request, spec, handle).await }
        };
        self.router = std::mem::take(&mut self.router).route(spec.path, on(filter, service));
    }
}

async fn serve<F, Fut>(app: App, request: HttpRequest<Body>, spec: &'static OperationSpec, handle: F) -> Response<Body>
where
    F: Fn(Incoming) -> Fut,
    Fut: Future<Output = Result<Response<Body>, Stopped>> + Send + 'static,
{
    let id = new_id(&app);
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address = peer.map(|peer| app.proxies.client(peer, &parts.headers).to_string());
    let result = match path_params(&mut parts).await {
        Ok(params) => handle(Incoming { app, parts, params, body, request: Request { id, address } }).await,
        Err(problem) => Err(problem.into()),
    };
    let response = result.unwrap_or_else(|stopped| {
        let mut response = respond::problem(&stopped.problem, id);
        if let Some(challenge) = stopped.challenge.and_then(|c| HeaderValue::from_str(&c).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    });
    metrics::counter!("bailiwick_requests_total", "operation" => spec.id, "status" => response.status().as_str().to_owned()).increment(1);
    response
}

async fn path_params(parts: &mut Parts) -> Result<Map<String, Value>, Problem> {
    let raw = RawPathParams::from_request_parts(parts, &()).await;
    let raw = raw.map_err(|_| Problem::new(Code::BadRequest, "The address holds bytes that are not UTF-8."))?;
    Ok(raw.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect())
}

/// An id that is not one names nothing: 404, as for any other thing that is not there.
fn path<T: DeserializeOwned>(params: Map<String, Value>) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(params)).map_err(|_| Problem::not_found())
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let read = axum::extract::Query::<T>::try_from_uri(uri);
    read.map(|q| q.0)
        .map_err(|error| Problem::new(Code::BadRequest, format!("The query is not understood: {}", error.body_text())).at("query"))
}

/// A JSON body as it came; an operation that takes none reads none.
async fn body_bytes<T: 'static>(parts: &Parts, body: Body) -> Result<Bytes, Problem> {
    if TypeId::of::<T>() == TypeId::of::<Empty>() {
        return Ok(Bytes::from_static(b"null"));
    }
    let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Code::UnsupportedMedia, "Send the body as application/json."));
    }
    let read = to_bytes(body, JSON_BODY).await;
    read.map_err(|_| Problem::new(Code::LimitExceeded, format!("The body is larger than {JSON_BODY} bytes, or did not arrive whole.")))
}

fn json_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Problem::new(Code::BadRequest, format!("The body is not what this operation takes: {error}")).at(place)
    })
}

/// Authenticates and counts.
async fn present(app: &App, headers: &HeaderMap, request: &Request, spec: &'static OperationSpec) -> Result<Presented, Stopped> {
    let address = rate::address(request.address.as_deref());
    app.rates.left(address, RateClass::Open)?;
    match app.authenticator.present(headers).await {
        Ok(presented) => {
            app.rates.take(rate::caller(&presented), spec.rate)?;
            Ok(presented)
        }
        Err(refused) => {
            let Refused { problem, tenant, reason, challenge } = *refused;
            app.rates.take(address, RateClass::Open)?;
            metrics::counter!("bailiwick_refused_total", "reason" => reason).increment(1);
            if let Some(tenant) = tenant {
                app.refusals.record(tenant, &stranger(), spec.id, reason, request).await;
            }
            Err(Stopped { problem, challenge })
        }
    }
}

fn stranger() -> Principal {
    Principal { kind: bailiwick_base::PrincipalKind::Unknown, id: String::new(), name: "unknown".into(), token_subject: None }
}

/// What the store's refusal means for this caller; written to the trail.
async fn refused(app: &App, presented: &Presented, spec: &'static OperationSpec, request: &Request, error: StoreError) -> Stopped {
    if matches!(error, StoreError::NotSignedIn) {
        let counted = app.rates.take(rate::address(request.address.as_deref()), RateClass::Open);
        if let Err(problem) = counted {
            return problem.into();
        }
    }
    let (reason, problem) = match (&error, &presented.caller) {
        (StoreError::NotSignedIn, Caller::Member { .. }) => {
            let detail = "You are signed in, but not a member of this tenant. Ask one of its owners to add you.";
            ("not_a_member", Problem::new(Code::NotAMember, detail))
        }
        (StoreError::NotSignedIn, Caller::Key { .. }) => {
            ("dead_key", Problem::new(Code::NotSignedIn, "The API key is unknown, expired or revoked. Ask for another."))
        }
        (StoreError::NotSignedIn, _) => ("not_signed_in", Problem::from(error)),
        (StoreError::NotAllowed, _) => ("not_allowed", Problem::from(error)),
        _ => return Problem::from(error).into(),
    };
    app.refusals.record(presented.tenant, &presented.principal, spec.id, reason, request).await;
    problem.into()
}

fn call<O: Operation>(presented: &Presented, path: O::Path, query: O::Query, body: O::Body, request: &Request) -> Call<O> {
    Call { path, query, body, tenant: presented.tenant, caller: presented.caller.clone(), request: request.clone() }
}

fn answer<T: Serialize + 'static>(status: u16, value: &T, id: RequestId) -> Response<Body> {
    if TypeId::of::<T>() == TypeId::of::<Empty>() { respond::empty(status, id) } else { respond::json(status, value, id) }
}

/// Runs what must not stop halfway because a client went away.
async fn to_its_end<T: Send + 'static>(work: impl Future<Output = Result<T, Stopped>> + Send + 'static) -> Result<T, Stopped> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(Problem::internal(error).into()),
    }
}

async fn read<O: ReadHandler<Body = Empty>>(incoming: Incoming) -> Result<Response<Body>, Stopped>
where
    O::Answer: Serialize,
{
    let presented = present(&incoming.app, &incoming.parts.headers, &incoming.request, O::SPEC).await?;
    let Incoming { app, parts, params, request, .. } = incoming;
    let scope = app.services.store.read(presented.tenant, &presented.caller, &admission(O::SPEC.guard)).await;
    let mut scope = match scope {
        Ok(scope) => scope,
        Err(error) => return Err(refused(&app, &presented, O::SPEC, &request, error).await),
    };
    let call = call::<O>(&presented, path(params)?, query(&parts.uri)?, Empty, &request);
    let value = O::handle(&app.services, &mut scope, call).await?;
    Ok(answer(O::SPEC.status, &value, request.id))
}

async fn write<O: WriteHandler>(incoming: Incoming) -> Result<Response<Body>, Stopped>
where
    O::Body: DeserializeOwned,
    O::Answer: Serialize,
{
    let presented = present(&incoming.app, &incoming.parts.headers, &incoming.request, O::SPEC).await?;
    let Incoming { app, parts, params, body, request } = incoming;
    let body = body_bytes::<O::Body>(&parts, body).await;
    to_its_end(async move {
        let mut scope = match app.services.store.write(presented.tenant, &presented.caller, &admission(O::SPEC.guard)).await {
            Ok(scope) => scope,
            Err(error) => return Err(refused(&app, &presented, O::SPEC, &request, error).await),
        };
        // Read only now: who may not write learns nothing about what a good request is.
        let call = call::<O>(&presented, path(params)?, query(&parts.uri)?, json_body(&body?)?, &request);
        let audited = O::handle(&app.services, &mut scope, call).await?;
        let value = app.services.store.commit(scope, action(O::SPEC), audited, &request).await.map_err(Problem::from)?;
        Ok(answer(O::SPEC.status, &value, request.id))
    })
    .await
}

/// The audit action of a write; the contract's test holds every write to naming one.
fn action(spec: &'static OperationSpec) -> &'static str {
    spec.audit.unwrap_or(spec.id)
}

async fn upload<O: UploadHandler<Body = StreamBody>>(incoming: Incoming) -> Result<Response<Body>, Stopped>
where
    O::Answer: Serialize,
{
    let presented = present(&incoming.app, &incoming.parts.headers, &incoming.request, O::SPEC).await?;
    let Incoming { app, parts, params, body, request } = incoming;
    let admission = admission(O::SPEC.guard);
    let mut scope = match app.services.store.read(presented.tenant, &presented.caller, &admission).await {
        Ok(scope) => scope,
        Err(error) => return Err(refused(&app, &presented, O::SPEC, &request, error).await),
    };
    let call = call::<O>(&presented, path(params)?, query(&parts.uri)?, StreamBody, &request);
    let prepared = O::prepare(&app.services, &mut scope, &call).await?;
    // No transaction stays open while a client sends.
    drop(scope);
    let bytes = body.into_data_stream().map_err(|error| {
        let mut problem = Problem::new(Code::BadRequest, "The file did not arrive whole. Send it again.");
        problem.internal = Some(error.to_string());
        problem
    });
    let received = O::receive(&app.services, prepared, patient(bytes.boxed())).await?;
    to_its_end(async move {
        let mut scope = match app.services.store.write(presented.tenant, &presented.caller, &admission).await {
            Ok(scope) => scope,
            Err(error) => return Err(refused(&app, &presented, O::SPEC, &request, error).await),
        };
        let audited = O::record(&app.services, &mut scope, &call, received).await?;
        let value = app.services.store.commit(scope, action(O::SPEC), audited, &request).await.map_err(Problem::from)?;
        Ok(answer(O::SPEC.status, &value, request.id))
    })
    .await
}

async fn live<O: LiveHandler<Body = Empty>>(incoming: Incoming) -> Result<Response<Body>, Stopped>
where
    O::Answer: Serialize,
{
    let presented = present(&incoming.app, &incoming.parts.headers, &incoming.request, O::SPEC).await?;
    let Incoming { app, parts, params, request, .. } = incoming;
    let mut scope = match app.services.store.read(presented.tenant, &presented.caller, &admission(O::SPEC.guard)).await {
        Ok(scope) => scope,
        Err(error) => return Err(refused(&app, &presented, O::SPEC, &request, error).await),
    };
    let call = call::<O>(&presented, path(params)?, query(&parts.uri)?, Empty, &request);
    let prepared = O::prepare(&app.services, &mut scope, &call).await?;
    // No transaction stays open while others answer.
    drop(scope);
    Ok(answer(O::SPEC.status, &O::reach(&app.services, prepared).await?, request.id))
}

async fn reach<O: ReachHandler>(incoming: Incoming) -> Result<Response<Body>, Stopped>
where
    O::Body: DeserializeOwned + Sync,
    O::Path: Sync,
    O::Query: Sync,
    O::Answer: Serialize,
{
    let presented = present(&incoming.app, &incoming.parts.headers, &incoming.request, O::SPEC).await?;
    let Incoming { app, parts, params, body, request } = incoming;
    let body = body_bytes::<O::Body>(&parts, body).await;
    let admission = admission(O::SPEC.guard);
    let mut scope = match app.services.store.read(presented.tenant, &presented.caller, &admission).await {
        Ok(scope) => scope,
        Err(error) => return Err(refused(&app, &presented, O::SPEC, &request, error).await),
    };
    let call = call::<O>(&presented, path(params)?, query(&parts.uri)?, json_body(&body?)?, &request);
    let prepared = O::prepare(&app.services, &mut scope, &call).await?;
    drop(scope);
    to_its_end(async move {
        let reached = O::reach(&app.services, prepared).await?;
        let mut scope = match app.services.store.write(presented.tenant, &presented.caller, &admission).await {
            Ok(scope) => scope,
            Err(error) => return Err(refused(&app, &presented, O::SPEC, &request, error).await),
        };
        let audited = O::record(&app.services, &mut scope, &call, reached).await?;
        let value = app.services.store.commit(scope, action(O::SPEC), audited, &request).await.map_err(Problem::from)?;
        Ok(answer(O::SPEC.status, &value, request.id))
    })
    .await
}

/// How often a watched thing is looked at, and after how many looks without news a line is sent so that no proxy takes the stream for dead.
const LOOK: Duration = Duration::from_millis(500);
const QUIET_LOOKS: u32 = 30;

/// A caller who follows something.
struct Watcher<O: Operation> {
    app: App,
    presented: Presented,
    path: O::Path,
    told: Vec<u8>,
    first: Option<Bytes>,
    ended: bool,
    _counted: rate::Following,
}

impl<O: WatchHandler<Body = Empty>> Watcher<O>
where
    O::Path: Sync,
{
    /// The event as it goes out, if it says anything new.
    async fn look(&mut self) -> Result<Option<Bytes>, StoreError> {
        let mut scope = self.app.services.store.read(self.presented.tenant, &self.presented.caller, &admission(O::SPEC.guard)).await?;
        let (event, last) = O::look(&self.app.services, &mut scope, &self.path).await?;
        self.ended = last;
        let data = serde_json::to_vec(&event).map_err(|error| StoreError::Problem(Problem::internal(error)))?;
        if data == self.told {
            return Ok(None);
        }
        let line = [b"data: ".as_slice(), &data, b"\n\n"].concat();
        self.told = data;
        Ok(Some(line.into()))
    }

    /// The next piece of the stream. A caller who may no longer look, and a database that does not answer, end it: clients come again.
    async fn next(mut self) -> Option<(Result<Bytes, std::io::Error>, Self)> {
        if let Some(first) = self.first.take() {
            return Some((Ok(first), self));
        }
        if self.ended {
            return None;
        }
        for _ in 0..QUIET_LOOKS {
            tokio::time::sleep(LOOK).await;
            match self.look().await {
                Ok(Some(line)) => return Some((Ok(line), self)),
                Ok(None) if self.ended => return None,
                Ok(None) => {}
                Err(_) => return None,
            }
        }
        Some((Ok(Bytes::from_static(b": still here\n\n")), self))
    }
}

async fn watch<O: WatchHandler<Body = Empty>>(incoming: Incoming) -> Result<Response<Body>, Stopped>
where
    O::Path: Sync,
{
    let presented = present(&incoming.app, &incoming.parts.headers, &incoming.request, O::SPEC).await?;
    let Incoming { app, params, request, .. } = incoming;
    let _counted = app.rates.follow(rate::caller(&presented))?;
    let (path, told) = (path(params)?, Vec::new());
    let mut watcher = Watcher::<O> { app: app.clone(), presented, path, told, first: None, ended: false, _counted };
    watcher.first = match watcher.look().await {
        Ok(first) => first,
        Err(StoreError::Problem(problem)) => return Err(problem.into()),
        Err(error) => return Err(refused(&app, &watcher.presented, O::SPEC, &request, error).await),
    };
    Ok(respond::events(Body::from_stream(futures::stream::unfold(watcher, Watcher::next)), request.id))
}

/// How long a sender may pause.
const PAUSE: Duration = Duration::from_secs(60);

/// A stream that ends in an error when nothing comes for too long: a sender that stopped holds nothing of ours.
fn patient(bytes: BoxStream<'static, Result<Bytes, Problem>>) -> BoxStream<'static, Result<Bytes, Problem>> {
    let next = |mut bytes: BoxStream<'static, Result<Bytes, Problem>>| async move {
        match tokio::time::timeout(PAUSE, bytes.next()).await {
            Ok(Some(piece)) => Some((piece, bytes)),
            Ok(None) => None,
            Err(_) => {
                let detail = format!("Nothing came for {} seconds. Send the file again.", PAUSE.as_secs());
                Some((Err(Problem::new(Code::BadRequest, detail)), futures::stream::empty().boxed()))
            }
        }
    };
    futures::stream::unfold(bytes, next).boxed()
}

/// The one who acts by a token: what a link allows, whoever opens it.
const LINK: Caller = Caller::System { name: "link in a mail", project: None };

async fn by_token<O: TokenHandler<Body = Empty>>(incoming: Incoming) -> Result<Response<Body>, Stopped>
where
    O::Answer: Serialize,
{
    let Incoming { app, parts, params, request, .. } = incoming;
    app.rates.take(rate::address(request.address.as_deref()), O::SPEC.rate)?;
    let (path, query) = (path(params)?, query(&parts.uri)?);
    let tenant = O::tenant(&query).ok_or_else(bailiwick_domain::notifications::no_such_link)?;
    to_its_end(async move {
        let mut scope = app.services.store.write(tenant, &LINK, &admission(O::SPEC.guard)).await.map_err(Problem::from)?;
        let call = Call::<O> { path, query, body: Empty, tenant, caller: LINK, request: request.clone() };
        let audited = O::handle(&app.services, &mut scope, call).await?;
        let value = app.services.store.commit(scope, action(O::SPEC), audited, &request).await.map_err(Problem::from)?;
        Ok(answer(O::SPEC.status, &value, request.id))
    })
    .await
}

/// Mail programs that do not know one-click open the same address: people are sent on to the page that asks them first.
async fn to_unsubscribe_page(uri: Uri) -> Response<Body> {
    let token = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
    let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let page = if plain { format!("/unsubscribe#{token}") } else { "/unsubscribe".to_owned() };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(page) = HeaderValue::from_str(&page) {
        response.headers_mut().insert(header::LOCATION, page);
    }
    response
}

async fn disclose<O: DiscloseHandler<Body = Empty>>(incoming: Incoming) -> Result<Response<Body>, Stopped> {
    let presented = present(&incoming.app, &incoming.parts.headers, &incoming.request, O::SPEC).await?;
    let Incoming { app, parts, params, request, .. } = incoming;
    let mut scope = match app.services.store.write(presented.tenant, &presented.caller, &admission(O::SPEC.guard)).await {
        Ok(scope) => scope,
        Err(error) => return Err(refused(&app, &presented, O::SPEC, &request, error).await),
    };
    let call = call::<O>(&presented, path(params)?, query(&parts.uri)?, Empty, &request);
    let audited = O::handle(&app.services, &mut scope, call).await?;
    // The entry is kept before the first byte is asked for.
    let id = request.id;
    let store = app.services.store.clone();
    let download =
        to_its_end(async move { Ok(store.commit(scope, action(O::SPEC), audited, &request).await.map_err(Problem::from)?) }).await?;
    let mut response = Response::new(Body::from_stream(download.bytes.map_err(|problem| {
        tracing::error!(cause = problem.internal.as_deref().unwrap_or(&problem.detail), "a download broke off");
        std::io::Error::other("the artifact is not what was recorded")
    })));
    *response.status_mut() = StatusCode::OK;
    let name: String = download.name.bytes().map(encoded).collect();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(download.media_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(download.size));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in [
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
        (HeaderName::from_static("x-content-sha256"), download.sha256),
        (respond::REQUEST_ID, id.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

/// RFC 8187 value characters as they are, all others percent-encoded.
fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

impl Mount for HttpMount {
    fn open<O: OpenHandler>(&mut self)
    where
        O::Answer: Serialize,
    {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Read), |incoming: Incoming| async move {
            let address = rate::address(incoming.request.address.as_deref());
            incoming.app.rates.take(address, O::SPEC.rate)?;
            let services: &Services = &incoming.app.services;
            Ok(answer(O::SPEC.status, &O::handle(services)?, incoming.request.id))
        });
    }
    fn read<O: ReadHandler<Body = Empty>>(&mut self)
    where
        O::Answer: Serialize,
    {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Read), read::<O>);
    }
    fn write<O: WriteHandler>(&mut self)
    where
        O::Body: DeserializeOwned,
        O::Answer: Serialize,
    {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Write), write::<O>);
    }
    fn upload<O: UploadHandler<Body = StreamBody>>(&mut self)
    where
        O::Answer: Serialize,
    {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Write), upload::<O>);
    }
    fn disclose<O: DiscloseHandler<Body = Empty>>(&mut self) {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Disclose), disclose::<O>);
    }
    fn live<O: LiveHandler<Body = Empty>>(&mut self)
    where
        O::Answer: Serialize,
    {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Read), live::<O>);
    }
    fn reach<O: ReachHandler>(&mut self)
    where
        O::Body: DeserializeOwned + Sync,
        O::Path: Sync,
        O::Query: Sync,
        O::Answer: Serialize,
    {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Write), reach::<O>);
    }
    fn watch<O: WatchHandler<Body = Empty>>(&mut self)
    where
        O::Path: Sync,
    {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Read), watch::<O>);
    }
    fn by_token<O: TokenHandler<Body = Empty>>(&mut self)
    where
        O::Answer: Serialize,
    {
        self.route::<O, _, _>(Some(bailiwick_contract::Effect::Write), by_token::<O>);
    }
}
