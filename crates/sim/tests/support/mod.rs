//! What the tests share: a running scenario, an HTTPS client that trusts its authority, and the steps of a sign-in.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses a part; helpers are not marked as tests

pub mod python;

use bailiwick_base::{ManualClock, Timestamp};
use bailiwick_sim::{Sim, SimConfig, demo};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

pub const PORTAL: &str = "https://portal.example.test/";
pub const VERIFIER: &str = "a-code-verifier-that-is-long-enough-for-rfc-7636-0123";
pub const NOW: &str = "2026-11-22T08:00:00Z";

pub struct World {
    pub sim: Sim,
    pub clock: ManualClock,
    /// Does not follow redirects.
    pub http: reqwest::Client,
}

/// The demo scenario with a clock that stands still.
pub async fn world() -> World {
    world_of(SimConfig::demo(&[PORTAL])).await
}

pub async fn world_of(config: SimConfig) -> World {
    let clock = ManualClock::at(NOW.parse::<Timestamp>().unwrap());
    let sim = Sim::start(SimConfig { clock: Arc::new(clock.clone()), ..config }).await.unwrap();
    let http = client(&sim, None);
    World { sim, clock, http }
}

/// The demo scenario in which every directory with contents has consented to the reader; limits are off.
pub async fn reader_world() -> World {
    let world = world().await;
    world.sim.set_limits(false);
    for of in demo::SCANNED {
        assert!(world.sim.consent(of.directory, demo::READER_CLIENT_ID));
    }
    world
}

/// As [`reader_world`], with the writer consented to as well.
pub async fn writer_world() -> World {
    let world = reader_world().await;
    for of in demo::SCANNED {
        assert!(world.sim.consent(of.directory, demo::WRITER_CLIENT_ID));
    }
    world
}

/// A list read to its end.
pub struct Whole {
    pub items: Vec<Value>,
    pub pages: usize,
}

pub fn client(sim: &Sim, proxy: Option<String>) -> reqwest::Client {
    match proxy {
        Some(proxy) => builder(sim).proxy(reqwest::Proxy::https(proxy).unwrap()),
        None => builder(sim).no_proxy(),
    }
    .build()
    .unwrap()
}

/// A client that says the host in a header, which a test can then change.
pub fn client_http1(sim: &Sim) -> reqwest::Client {
    builder(sim).no_proxy().http1_only().build().unwrap()
}

#[allow(clippy::disallowed_methods)] // the simulator stands below the product's one way out
fn builder(sim: &Sim) -> reqwest::ClientBuilder {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sim.ca_pem().as_bytes()).unwrap()).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).redirect(reqwest::redirect::Policy::none())
}

pub fn challenge() -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, VERIFIER.as_bytes()))
}

/// Parameters of a query.
pub type Pairs<'a> = Vec<(&'a str, String)>;

/// `pairs` with one value replaced, or taken out by `None`.
pub fn but<'a>(mut pairs: Pairs<'a>, name: &'a str, value: Option<&str>) -> Pairs<'a> {
    pairs.retain(|(n, _)| *n != name);
    pairs.extend(value.map(|value| (name, value.to_owned())));
    pairs
}

impl World {
    pub async fn get_json(&self, path: &str) -> (u16, Value) {
        let response = self.http.get(format!("{}{path}", self.sim.url())).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
    /// A good request of the portal at Contoso.
    pub fn portal_request(&self) -> Pairs<'static> {
        vec![
            ("client_id", demo::PORTAL_CLIENT_ID.to_string()),
            ("response_type", "code".to_owned()),
            ("redirect_uri", PORTAL.to_owned()),
            ("response_mode", "fragment".to_owned()),
            ("scope", format!("{}/{} openid profile offline_access", demo::API_URI, demo::API_SCOPE)),
            ("state", "st&te".to_owned()),
            ("nonce", "n0nce".to_owned()),
            ("code_challenge", challenge()),
            ("code_challenge_method", "S256".to_owned()),
            ("client_info", "1".to_owned()),
        ]
    }
    pub fn authorize_url(&self, tenant: &str, pairs: &Pairs<'_>) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{}/{tenant}/oauth2/v2.0/authorize?{query}", self.sim.url())
    }
    /// Opens the page; the answer as `Answer`.
    pub async fn open(&self, tenant: &str, pairs: &Pairs<'_>, cookie: Option<&str>) -> Answer {
        let mut request = self.http.get(self.authorize_url(tenant, pairs));
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        Answer::of(request.send().await.unwrap()).await
    }
    /// Presses a button of the page.
    pub async fn press(&self, tenant: &str, pairs: &Pairs<'_>, name: &str, value: &str) -> Answer {
        let response = self.http.post(self.authorize_url(tenant, pairs)).form(&[(name, value)]).send().await.unwrap();
        Answer::of(response).await
    }
    pub async fn sign_in(&self, pairs: &Pairs<'_>, user: Uuid) -> Answer {
        self.press(&demo::CONTOSO.directory.to_string(), pairs, "account", &user.to_string()).await
    }
    pub async fn code(&self) -> String {
        self.sign_in(&self.portal_request(), demo::CONTOSO.owner).await.values["code"].clone()
    }
    pub fn redemption(&self, code: &str) -> Pairs<'static> {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", demo::PORTAL_CLIENT_ID.to_string()),
            ("code", code.to_owned()),
            ("redirect_uri", PORTAL.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
            ("client_info", "1".to_owned()),
        ]
    }
    /// A token of the reader for Graph.
    pub fn reader_token(&self, directory: Uuid) -> String {
        self.sim.app_token_for(directory, demo::READER_CLIENT_ID, "https://graph.microsoft.com").unwrap()
    }
    /// A GET of the reader at Graph's own name of the simulator.
    pub async fn graph(&self, directory: Uuid, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        self.graph_with(&self.reader_token(directory), path, headers).await
    }
    pub async fn graph_with(&self, token: &str, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let response = self.get(&format!("{}{path}", self.sim.graph_url()), token, headers).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
    /// A token of the reader for Resource Manager.
    pub fn arm_token(&self, directory: Uuid) -> String {
        self.sim.app_token_for(directory, demo::READER_CLIENT_ID, "https://management.azure.com").unwrap()
    }
    /// A GET of the reader at Resource Manager's own name of the simulator.
    pub async fn arm(&self, directory: Uuid, path: &str) -> (u16, Value) {
        let response = self.get(&format!("{}{path}", self.sim.arm_url()), &self.arm_token(directory), &[]).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
    /// A request of the writer at Graph's own name of the simulator, with a body unless it is null.
    pub async fn write(&self, directory: Uuid, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.write_as(demo::WRITER_CLIENT_ID, directory, method, path, body).await
    }
    /// The same of another application.
    pub async fn write_as(&self, client: Uuid, directory: Uuid, method: &str, path: &str, body: Value) -> (u16, Value) {
        let token = self.sim.app_token_for(directory, client, "https://graph.microsoft.com").unwrap();
        self.send(&token, method, &format!("{}{path}", self.sim.graph_url()), body).await
    }
    /// A request of the writer at Resource Manager's own name of the simulator.
    pub async fn write_arm(&self, directory: Uuid, method: &str, path: &str, body: Value) -> (u16, Value) {
        let token = self.sim.app_token_for(directory, demo::WRITER_CLIENT_ID, "https://management.azure.com").unwrap();
        self.send(&token, method, &format!("{}{path}", self.sim.arm_url()), body).await
    }
    async fn send(&self, token: &str, method: &str, url: &str, body: Value) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), url).bearer_auth(token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
    /// A GET of the writer, as it reads again what it wrote.
    pub async fn read_back(&self, directory: Uuid, path: &str) -> (u16, Value) {
        self.write(directory, "GET", path, Value::Null).await
    }
    /// Status, content type and text.
    pub async fn graph_text(&self, directory: Uuid, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
        let response = self.get(&format!("{}{path}", self.sim.graph_url()), &self.reader_token(directory), headers).await;
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (response.status().as_u16(), kind, response.text().await.unwrap())
    }
    pub async fn get(&self, url: &str, token: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self.http.get(url).bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }
    /// Follows next links to the end.
    pub async fn collect(&self, directory: Uuid, path: &str) -> Whole {
        let token = self.reader_token(directory);
        let (mut items, mut pages, mut next) = (Vec::new(), 0, Some(format!("{}{path}", self.sim.graph_url())));
        while let Some(url) = next {
            let page: Value = self.get(&url, &token, &[]).await.json().await.unwrap();
            items.extend(page["value"].as_array().unwrap_or_else(|| panic!("{page}")).iter().cloned());
            pages += 1;
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        Whole { items, pages }
    }
    /// Posts to Contoso's token endpoint; `origin` as a browser would send it.
    pub async fn token(&self, form: &Pairs<'_>, origin: Option<&str>) -> (u16, Value) {
        self.token_at(&demo::CONTOSO.directory.to_string(), form, origin).await
    }
    pub async fn token_at(&self, tenant: &str, form: &Pairs<'_>, origin: Option<&str>) -> (u16, Value) {
        let mut request = self.http.post(format!("{}/{tenant}/oauth2/v2.0/token", self.sim.url())).form(form);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
    /// The claims of a token, once an independent library has checked it against the published keys.
    pub async fn verified(&self, token: &str, audience: &str) -> Result<Value, String> {
        let (_, set) = self.get_json(&format!("/{}/discovery/v2.0/keys", demo::CONTOSO.directory)).await;
        let set: JwkSet = serde_json::from_value(set).unwrap();
        let header = jsonwebtoken::decode_header(token).map_err(|e| e.to_string())?;
        let jwk = header.kid.and_then(|kid| set.find(&kid).cloned()).ok_or("unknown kid")?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[self.sim.issuer(demo::CONTOSO.directory)]);
        // The library reads the machine's clock; the tests' clock stands still, so times are checked by hand.
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(&jwk).map_err(|e| e.to_string())?;
        jsonwebtoken::decode::<Value>(token, &key, &validation).map(|data| data.claims).map_err(|e| e.to_string())
    }
}

/// An answer of the authorize endpoint.
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    /// What came back to the redirect URI.
    pub values: HashMap<String, String>,
    pub cookie: Option<String>,
    pub body: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let header = |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let (status, location) = (response.status().as_u16(), header("location"));
        let cookie = header("set-cookie").map(|c| c.split(';').next().unwrap().to_owned());
        let encoded = location.as_deref().and_then(|l| l.split_once(['#', '?'])).map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        let values = url::form_urlencoded::parse(encoded.as_bytes()).into_owned().collect();
        Self { status, location, values, cookie, body: response.text().await.unwrap() }
    }
    pub fn error(&self) -> (&str, &str) {
        let get = |name: &str| self.values.get(name).map(String::as_str).unwrap_or_default();
        (get("error"), get("error_description").split(':').next().unwrap())
    }
}

/// The unchecked claims of a token.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

pub fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, at: usize) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
}
