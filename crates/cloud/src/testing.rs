//! A Microsoft cloud on loopback whose every answer is laid out by the test, and time that moves when somebody waits.

use crate::{
    egress::{AllowedHost, Egress, EgressConfig, Ring},
    endpoints::CloudEndpoints,
    microsoft::{Limits, Microsoft},
    pace::Waits,
    tokens::Access,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use bailiwick_base::{Clock, ManualClock, Secret, SeededRng};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub const CONTOSO: &str = "11111111-aaaa-4aaa-8aaa-000000000001";
pub const FABRIKAM: &str = "22222222-bbbb-4bbb-8bbb-000000000002";
pub const APP: &str = "aaaaaaaa-0000-4000-8000-00000000000a";
pub const SECRET: &str = "s3cret~value&with=signs";

/// One answer of the service.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

pub fn answer(status: u16, body: Value) -> Answer {
    Answer { status, headers: vec![("content-type", "application/json".into())], body: body.to_string().into_bytes() }
}

impl Answer {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// One request the service took.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
    /// By the moved clock.
    pub at: f64,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    /// A field of a form.
    pub fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

pub struct Cloud {
    clock: ManualClock,
    asked: Mutex<Vec<Asked>>,
    /// By path without query; the last answer stays.
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
}

impl Cloud {
    /// Lays out what a path answers, one after the other; the last one for ever.
    pub fn on(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().insert(path.to_owned(), answers.into_iter().collect());
    }
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
    /// Requests for tokens.
    pub fn grants(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path.ends_with("/oauth2/v2.0/token")).collect()
    }
    /// Requests for anything else.
    pub fn reads(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| !asked.path.ends_with("/oauth2/v2.0/token")).collect()
    }

    fn laid_out(&self, path: &str) -> Option<Answer> {
        let mut answers = self.answers.lock().unwrap();
        let queue = answers.get_mut(path)?;
        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
    }

    async fn take(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let path = parts.uri.path().to_owned();
        let at = self.clock.now().as_millisecond() as f64 / 1000.0 - start().as_second() as f64;
        let asked = Asked { method: parts.method.to_string(), path: parts.uri.to_string(), headers: parts.headers, body: text.clone(), at };
        self.asked.lock().unwrap().push(asked);
        let answer = self.laid_out(&path).unwrap_or_else(|| self.usual(&path, &text));
        let mut response = (StatusCode::from_u16(answer.status).unwrap(), Body::from(answer.body)).into_response();
        response.headers_mut().clear();
        for (name, value) in answer.headers {
            response.headers_mut().append(name, value.parse().unwrap());
        }
        response
    }

    /// Tokens one after the other, batches item by item, and nothing else.
    fn usual(&self, path: &str, body: &str) -> Answer {
        if path.ends_with("/oauth2/v2.0/token") {
            let token = format!("token-{}", self.grants().len());
            return answer(200, json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}));
        }
        let Some(root) = path.strip_suffix("/$batch") else { return answer(404, json!({"error": {"code": "ResourceNotFound"}})) };
        let question: Value = serde_json::from_str(body).unwrap();
        let items = question["requests"].as_array().unwrap().iter().map(|item| {
            let path = item["url"].as_str().unwrap().split('?').next().unwrap();
            let answer = self.laid_out(&format!("{root}{path}")).unwrap_or_else(|| answer(404, json!({})));
            let headers: Value = answer.headers.iter().map(|(name, value)| (name.to_string(), json!(value))).collect::<serde_json::Map<_, _>>().into();
            json!({"id": item["id"], "status": answer.status, "headers": headers, "body": serde_json::from_slice::<Value>(&answer.body).unwrap()})
        });
        let mut items: Vec<Value> = items.collect();
        items.reverse();
        answer(200, json!({"responses": items}))
    }
}

pub fn start() -> bailiwick_base::Timestamp {
    "2026-11-22T08:00:00Z".parse().unwrap()
}

/// Moves the clock by as long as it is asked to wait.
struct Moving(ManualClock);

impl Waits for Moving {
    fn wait(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.0.advance(SignedDuration::try_from(time).unwrap());
        Box::pin(tokio::task::yield_now())
    }
}

pub struct World {
    pub clock: ManualClock,
    pub service: Arc<Cloud>,
    pub origin: String,
    pub cloud: CloudEndpoints,
    pub egress: Egress,
    pub ring: Arc<Ring>,
    pub microsoft: Microsoft,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        let clock = ManualClock::at(start());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = format!("http://127.0.0.1:{port}");
        let service = Arc::new(Cloud { clock: clock.clone(), asked: Mutex::default(), answers: Mutex::default() });
        let take = |State(service): State<Arc<Cloud>>, request: Request| async move { service.take(request).await };
        let router = Router::new().fallback(take).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });

        let rule = AllowedHost::public("127.0.0.1", "test").port(port).private(["127.0.0.0/8".parse().unwrap()]).plain_http();
        let ring = Arc::new(Ring::new(1000));
        let egress =
            Egress::new(EgressConfig { allow: vec![rule], ..EgressConfig::default() }, Arc::new(clock.clone()), ring.clone()).unwrap();
        let api = |path: &str| format!("{origin}{path}").parse().unwrap();
        let cloud = CloudEndpoints::custom(origin.parse().unwrap(), api("/graph"), api("/arm"), "vault.test");
        let microsoft = client(&clock, egress.clone(), cloud.clone(), limits);
        Self { clock, service, origin, cloud, egress, ring, microsoft }
    }

    /// A client of another kind, on the same clock.
    pub fn client(&self, egress: Egress, cloud: CloudEndpoints) -> Microsoft {
        client(&self.clock, egress, cloud, Limits::default())
    }

    /// Seconds since the test began, by the moved clock.
    pub fn elapsed(&self) -> f64 {
        self.clock.now().duration_since(start()).as_secs_f64()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

fn client(clock: &ManualClock, egress: Egress, cloud: CloudEndpoints, limits: Limits) -> Microsoft {
    let (time, dice) = (Arc::new(clock.clone()), Arc::new(SeededRng::new(7)));
    Microsoft::with(egress, cloud, time, dice, Arc::new(Moving(clock.clone())), limits)
}

/// The application by its secret.
pub fn by_secret(directory: &str) -> Access {
    by(directory, crate::credentials::Credential::client_secret(Secret::new(SECRET.to_owned()), None).unwrap())
}

pub fn by(directory: &str, credential: crate::credentials::Credential) -> Access {
    Access::new(directory.parse().unwrap(), APP.parse().unwrap(), Arc::new(credential))
}

/// What a raw server does once it has read a request whole.
#[derive(Clone, Copy)]
pub enum Then {
    /// Keeps silent for ever.
    Hang,
    /// Closes the connection.
    Close,
    /// Says these very bytes, and waits for the next request.
    Say(&'static str),
    /// Says these very bytes and closes the connection.
    SayAndClose(&'static str),
}

/// An HTTP server whose every byte is laid out by the test.
pub struct Raw {
    pub at: SocketAddr,
    /// Requests read whole, with the number of the connection each came on.
    pub taken: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Raw {
    pub async fn doing(then: Then) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let raw = Self { at: listener.local_addr().unwrap(), taken: Arc::default() };
        let taken = raw.taken.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let taken = taken.clone();
                tokio::spawn(async move {
                    while let Some(request) = whole_request(&mut stream).await {
                        taken.lock().unwrap().push((connection, request));
                        match then {
                            Then::Hang => std::future::pending().await,
                            Then::Close => return,
                            Then::Say(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                            Then::SayAndClose(text) => return stream.write_all(text.as_bytes()).await.unwrap(),
                        }
                    }
                });
            }
        });
        raw
    }

    pub fn taken(&self) -> Vec<(usize, String)> {
        self.taken.lock().unwrap().clone()
    }
}

/// Something that listens and speaks neither HTTP nor TLS, and what it heard.
pub async fn deaf() -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (at, heard) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<u8>>>::default());
    let hearing = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut some = [0; 4096];
            let read = stream.read(&mut some).await.unwrap_or(0);
            hearing.lock().unwrap().extend_from_slice(&some[..read]);
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
        }
    });
    (at, heard)
}

/// Head and body of one request, or nothing when the connection has ended.
async fn whole_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |text| text.parse().unwrap());
            if body.len() >= length {
                return Some(String::from_utf8(bytes).unwrap());
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&more[..read]),
        }
    }
}

/// What answers in TLS under a certificate for this name, and the certificate to trust for it (PEM).
pub fn tls_for(name: &str) -> (tokio_rustls::TlsAcceptor, Vec<u8>) {
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (tokio_rustls::TlsAcceptor::from(Arc::new(config)), made.cert.pem().into_bytes())
}
