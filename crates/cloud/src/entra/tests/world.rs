//! A sign-in service on loopback with two directories, whose keys, faults and clock the test moves.

use crate::{
    egress::{AllowedHost, Egress, EgressConfig, Ring},
    endpoints::CloudEndpoints,
    entra::{DirectoryPolicy, DirectoryTrust, Identity, TokenConfig, TokenError, TokenValidator},
};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bailiwick_base::{Clock, DirectoryId, ManualClock, Problem};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};
use tokio::sync::Semaphore;

pub const CONTOSO: &str = "11111111-aaaa-4aaa-8aaa-000000000001";
pub const FABRIKAM: &str = "22222222-bbbb-4bbb-8bbb-000000000002";
/// Exists at Microsoft, but nobody onboarded it.
pub const STRANGER: &str = "33333333-cccc-4ccc-8ccc-000000000003";
/// Onboarded, but gone at Microsoft.
pub const GONE: &str = "44444444-dddd-4ddd-8ddd-000000000004";
pub const API: &str = "aaaaaaaa-0000-4000-8000-00000000000a";
pub const APP_URI: &str = "api://bailiwick";
pub const PORTAL: &str = "bbbbbbbb-0000-4000-8000-00000000000b";
pub const ALICE: &str = "cccccccc-0000-4000-8000-00000000000c";
pub const PIPELINE: &str = "dddddddd-0000-4000-8000-00000000000d";

static PAIRS: LazyLock<[KeyPair; 3]> = LazyLock::new(|| [(); 3].map(|()| KeyPair::generate(KeySize::Rsa2048).unwrap()));

/// One of three key pairs, made once.
pub fn pair(which: usize) -> &'static KeyPair {
    &PAIRS[which]
}

/// A key as the sign-in service publishes it.
pub fn jwk(kid: &str, which: usize, issuer: Option<&str>) -> Value {
    let public = pair(which).public_key();
    let part = |p: aws_lc_rs::signature::RsaPublicKeyComponents<Vec<u8>>| (B64.encode(p.n), B64.encode(p.e));
    let (n, e) = part(public.into());
    let mut key = json!({"kty": "RSA", "use": "sig", "kid": kid, "n": n, "e": e});
    if let Some(issuer) = issuer {
        key["issuer"] = issuer.into();
    }
    key
}

/// What the sign-in service does with the next questions.
#[derive(Clone, Copy, PartialEq)]
pub enum Mood {
    Answers,
    Breaks,
    /// Waits for [`Service::gate`].
    Waits,
}

pub struct Service {
    pub mood: Mutex<Mood>,
    pub keys: Mutex<Vec<Value>>,
    pub gate: Semaphore,
    /// Set in place of what discovery would say.
    pub discovery: Mutex<serde_json::Map<String, Value>>,
    origin: Mutex<String>,
    /// Paths asked for, in order.
    pub asked: Mutex<Vec<String>>,
    pub arrived: tokio::sync::Notify,
}

impl Service {
    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
    pub fn publish(&self, keys: impl IntoIterator<Item = Value>) {
        *self.keys.lock().unwrap() = keys.into_iter().collect();
    }
    /// Discovery documents given out or refused so far: one a fetch.
    pub fn fetches(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| path.ends_with("openid-configuration")).count()
    }

    async fn answer(&self, path: &str) -> Response {
        self.asked.lock().unwrap().push(path.to_owned());
        self.arrived.notify_waiters();
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => {}
            Mood::Breaks => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Mood::Waits => self.gate.acquire().await.unwrap().forget(),
        }
        let origin = self.origin.lock().unwrap().clone();
        let (directory, rest) = path.split_once('/').unwrap_or((path, ""));
        if directory == GONE {
            return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_tenant", "error_codes": [90002]}))).into_response();
        }
        let mut document = match rest {
            "v2.0/.well-known/openid-configuration" => {
                json!({"issuer": format!("{origin}/{directory}/v2.0"), "jwks_uri": format!("{origin}/{directory}/discovery/v2.0/keys")})
            }
            ".well-known/openid-configuration" => {
                json!({"issuer": format!("https://sts.windows.net/{directory}/"), "jwks_uri": format!("{origin}/common/discovery/keys")})
            }
            _ => return Json(json!({"keys": *self.keys.lock().unwrap()})).into_response(),
        };
        for (name, value) in self.discovery.lock().unwrap().iter() {
            document[name] = value.clone();
        }
        Json(document).into_response()
    }
}

/// Who is onboarded: Contoso, Fabrikam and the one that is gone.
#[derive(Default)]
pub struct Onboarded {
    pub terms: HashMap<&'static str, DirectoryTrust>,
    pub broken: bool,
}

impl DirectoryPolicy for Onboarded {
    fn trust(&self, directory: DirectoryId) -> BoxFuture<'_, Result<Option<Arc<DirectoryTrust>>, Problem>> {
        Box::pin(async move {
            if self.broken {
                return Err(Problem::unavailable("The database", "connection refused"));
            }
            let known = [CONTOSO, FABRIKAM, GONE].contains(&directory.to_string().as_str());
            Ok(known.then(|| Arc::new(self.terms.get(directory.to_string().as_str()).cloned().unwrap_or_default())))
        })
    }
}

pub struct World {
    pub clock: ManualClock,
    pub service: Arc<Service>,
    pub cloud: CloudEndpoints,
    pub ring: Arc<Ring>,
    pub egress: Egress,
    pub validator: TokenValidator,
    pub onboarded: Onboarded,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut TokenConfig)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = format!("http://127.0.0.1:{port}");
        let service = Arc::new(Service {
            mood: Mutex::new(Mood::Answers),
            keys: Mutex::default(),
            gate: Semaphore::new(0),
            discovery: Mutex::default(),
            origin: Mutex::new(origin.clone()),
            asked: Mutex::default(),
            arrived: tokio::sync::Notify::new(),
        });
        let answer = |State(service): State<Arc<Service>>, Path(path): Path<String>| async move { service.answer(&path).await };
        let router = Router::new().route("/{*path}", axum::routing::get(answer)).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });

        let clock = ManualClock::at("2026-11-22T08:00:00Z".parse().unwrap());
        let rule = AllowedHost::public("127.0.0.1", "test").port(port).private(["127.0.0.0/8".parse().unwrap()]).plain_http();
        let ring = Arc::new(Ring::new(1000));
        let config = EgressConfig { allow: vec![rule], ..EgressConfig::default() };
        let egress = Egress::new(config, Arc::new(clock.clone()), ring.clone()).unwrap();
        let own = |text: &str| text.parse().unwrap();
        let api = |text: &str| text.parse().unwrap();
        let mut cloud = CloudEndpoints::custom(own(&origin), api("https://graph.test"), api("https://arm.test"), "vault.test");
        cloud.v1_issuer = own("https://sts.windows.net");
        let mut config = TokenConfig { audiences: vec![API.into(), APP_URI.into()], ..TokenConfig::new(cloud.clone()) };
        change(&mut config);
        let validator = TokenValidator::new(config, egress.clone(), Arc::new(clock.clone()));
        let world = Self { clock, service, cloud, ring, egress, validator, onboarded: Onboarded::default() };
        world.service.publish([world.published("first", 0)]);
        world
    }

    /// A key for any directory, as Microsoft's documents have them.
    pub fn published(&self, kid: &str, which: usize) -> Value {
        jwk(kid, which, Some(&format!("{}/{{tenantid}}/v2.0", self.cloud.login)))
    }

    pub fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// A person's version 2 token of this directory, as claims.
    pub fn alice(&self, directory: &str) -> Value {
        json!({
            "aud": API, "iss": format!("{}/{directory}/v2.0", self.cloud.login), "ver": "2.0", "tid": directory, "oid": ALICE,
            "sub": "pairwise-subject-of-alice", "azp": PORTAL, "azpacr": "0", "scp": "access_as_user profile", "name": "Alice",
            "preferred_username": "alice@contoso.example", "uti": "AbCdEf", "iat": self.now(), "nbf": self.now(), "exp": self.now() + 3600,
        })
    }

    /// The same person's version 1 token.
    pub fn alice_v1(&self, directory: &str) -> Value {
        let mut claims = self.alice(directory);
        changed(
            &mut claims,
            json!({
                "aud": APP_URI, "iss": format!("https://sts.windows.net/{directory}/"), "ver": "1.0", "appid": PORTAL, "azp": null,
                "preferred_username": null, "unique_name": "alice@contoso.example",
            }),
        );
        claims
    }

    /// A pipeline's own token.
    pub fn pipeline(&self, directory: &str) -> Value {
        let mut claims = self.alice(directory);
        changed(
            &mut claims,
            json!({
                "oid": PIPELINE, "sub": PIPELINE, "azp": PIPELINE, "azpacr": "2", "scp": null, "name": null, "preferred_username": null,
                "roles": ["Evidence.Upload"],
            }),
        );
        claims
    }

    pub async fn validate(&self, token: &str) -> Result<Identity, TokenError> {
        self.validator.validate(token, &self.onboarded).await
    }

    /// Validates claims signed with the first key.
    pub async fn try_claims(&self, claims: &Value) -> Result<Identity, TokenError> {
        self.validate(&signed("first", 0, claims)).await
    }
}

/// Sets members, and removes those given as null.
pub fn changed(claims: &mut Value, changes: Value) {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
}

pub fn signed(kid: &str, which: usize, claims: &Value) -> String {
    signed_with(&json!({"typ": "JWT", "alg": "RS256", "kid": kid}), which, claims)
}

pub fn signed_with(header: &Value, which: usize, claims: &Value) -> String {
    let input = unsigned(header, claims);
    let mut signature = vec![0; pair(which).public_modulus_len()];
    pair(which).sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", B64.encode(signature))
}

/// Header and payload, without the last part.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()))
}
