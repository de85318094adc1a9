//! An actor: somebody with a credential who calls the API over HTTP, and what came back.

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// How an actor says who it is.
#[derive(Clone)]
pub enum Credential {
    None,
    Bearer(String),
    Key(String),
}

#[derive(Clone)]
pub struct Actor {
    pub name: String,
    url: String,
    pub credential: Credential,
    client: reqwest::Client,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub who: String,
    pub what: String,
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }
    /// The body of a good answer.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}: {} {}", self.who, self.what, self.status, String::from_utf8_lossy(&self.bytes));
        self.json()
    }
    /// The code of a refusal with this status.
    #[track_caller]
    pub fn refused(self, status: u16) -> String {
        assert_eq!(self.status, status, "{} {}: {}", self.who, self.what, String::from_utf8_lossy(&self.bytes));
        let problem = self.json();
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["status"], status);
        problem["code"].as_str().unwrap().to_owned()
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own client calls the server under test, not the world outside")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Actor {
    pub fn new(name: &str, url: &str, credential: Credential) -> Self {
        Self { name: name.into(), url: url.into(), credential, client: client() }
    }

    /// A request with the actor's credential, to be sent by [`Actor::send`].
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match &self.credential {
            Credential::None => request,
            Credential::Bearer(token) => request.bearer_auth(token),
            Credential::Key(key) => request.header("x-api-key", key),
        }
    }

    /// Sends a request and reads its answer whole.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// Sends a request that may break off.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let request = request.build()?;
        let what = format!("{} {}", request.method(), request.url().path());
        let response = self.client.execute(request).await?;
        let (status, headers): (StatusCode, _) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        Ok(Answer { who: self.name.clone(), what, status: status.as_u16(), headers, bytes })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }
    pub async fn put_bytes(&self, path: &str, bytes: &[u8]) -> Answer {
        self.send(self.request(Method::PUT, path).body(bytes.to_vec())).await
    }

    /// Opens a run, sends files, completes it; the run's id.
    pub async fn submit(&self, new: Value, files: &[(&str, &[u8])]) -> String {
        let run = self.post("/api/v1/runs", new).await.ok()["id"].as_str().unwrap().to_owned();
        for (name, bytes) in files {
            self.put_bytes(&format!("/api/v1/runs/{run}/artifacts/{name}"), bytes).await.ok();
        }
        self.complete(&run, files).await.ok();
        run
    }

    pub async fn complete(&self, run: &str, files: &[(&str, &[u8])]) -> Answer {
        let lines: Vec<Value> = files.iter().map(|(name, bytes)| json!({"name": name, "sha256": sha256(bytes)})).collect();
        self.post(&format!("/api/v1/runs/{run}/complete"), json!({"artifacts": lines})).await
    }
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}
