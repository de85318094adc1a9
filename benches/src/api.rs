//! Callers of the API under measure.

use anyhow::{Context, bail};
use aws_lc_rs::digest;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_util::io::ReaderStream;

/// The bench's own client. It speaks to the daemon on loopback only.
///
/// # Errors
/// It cannot be set up.
#[expect(clippy::disallowed_methods, reason = "the bench calls the server under measure, not the world outside")]
pub fn client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().build().context("cannot set up the HTTP client")
}

/// A client of the simulated cloud, whose authority signed its certificate.
///
/// # Errors
/// It cannot be set up.
#[expect(clippy::disallowed_methods, reason = "the bench asks the simulated cloud on loopback, not the world outside")]
pub fn client_of(ca_pem: &str) -> anyhow::Result<reqwest::Client> {
    let root = reqwest::Certificate::from_pem(ca_pem.as_bytes()).context("the simulated cloud's authority is not a certificate")?;
    reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().context("cannot set up the HTTP client")
}

/// Somebody with a credential.
#[derive(Clone)]
pub struct Caller {
    url: String,
    token: String,
    key: Option<String>,
    client: reqwest::Client,
}

/// A report as its sender has it: on disk, with its hash.
pub struct File<'a> {
    pub path: &'a Path,
    pub sha256: String,
}

impl<'a> File<'a> {
    /// # Errors
    /// The file cannot be read.
    pub fn new(path: &'a Path) -> anyhow::Result<Self> {
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut file = std::fs::File::open(path)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match std::io::Read::read(&mut file, &mut buffer)? {
                0 => return Ok(Self { path, sha256: hex::encode(hash.finish()) }),
                n => hash.update(&buffer[..n]),
            }
        }
    }
}

impl Caller {
    /// A person with a Microsoft Entra access token.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub fn person(url: String, token: String) -> anyhow::Result<Self> {
        Ok(Self { url, token, key: None, client: client()? })
    }

    /// A pipeline with a new API key of the tenant.
    ///
    /// # Errors
    /// The key is refused.
    pub async fn pipeline(&self) -> anyhow::Result<Self> {
        let created = self.send(self.request(Method::POST, "/api/v1/api-keys").json(&json!({"name": "bench"}))).await?;
        Ok(Self { key: Some(text(&created, "key")?), ..self.clone() })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request.bearer_auth(&self.token),
        }
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.context("no answer")?;
        let (status, body) = (answer.status(), answer.bytes().await.context("half an answer")?);
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }

    /// # Errors
    /// Any answer that is not a good one.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.request(Method::GET, path)).await
    }

    /// # Errors
    /// Any answer that is not a good one.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// # Errors
    /// Any answer that is not a good one.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// One request read whole and not looked at: how long it took, and how many bytes came.
    ///
    /// # Errors
    /// Any answer that is not a good one.
    pub async fn time_get(&self, path: &str) -> anyhow::Result<(Duration, usize)> {
        let start = Instant::now();
        let answer = self.request(Method::GET, path).send().await.context("no answer")?.error_for_status()?;
        let bytes = answer.bytes().await.context("half an answer")?.len();
        Ok((start.elapsed(), bytes))
    }

    /// Sends a report under its file's name and completes its run; the run's id. Nothing waits for its processing.
    ///
    /// # Errors
    /// Any answer that is not a good one.
    pub async fn send_report(&self, file: &File<'_>, pipeline_run: &str) -> anyhow::Result<String> {
        let new = json!({"source": "bench", "pipeline_run_id": pipeline_run});
        let run = text(&self.send(self.request(Method::POST, "/api/v1/runs").json(&new)).await?, "id")?;
        let body = reqwest::Body::wrap_stream(ReaderStream::with_capacity(tokio::fs::File::open(file.path).await?, 256 << 10));
        let name = file.path.file_name().and_then(|name| name.to_str()).context("the report's file has no name")?;
        let path = format!("/api/v1/runs/{run}/artifacts/{name}?sha256={}", file.sha256);
        self.send(self.request(Method::PUT, &path).body(body)).await?;
        let manifest = json!({"artifacts": [{"name": name, "sha256": file.sha256}]});
        self.send(self.request(Method::POST, &format!("/api/v1/runs/{run}/complete")).json(&manifest)).await?;
        Ok(run)
    }

    /// Waits until a run succeeded; the run as it then is.
    ///
    /// # Errors
    /// It fails.
    pub async fn settled(&self, id: &str) -> anyhow::Result<Value> {
        loop {
            let run = self.get(&format!("/api/v1/runs/{id}")).await?;
            match run["state"].as_str() {
                Some("succeeded") => return Ok(run),
                Some("queued" | "processing") => tokio::time::sleep(Duration::from_millis(5)).await,
                _ => bail!("the run did not succeed: {run}"),
            }
        }
    }

    /// Sends a report and waits until its findings are settled and answered: the run as it then is, and how long that took.
    ///
    /// # Errors
    /// The run fails, or counts other than `results`.
    pub async fn import(&self, file: &File<'_>, pipeline_run: &str, results: u32) -> anyhow::Result<(Value, Duration)> {
        let start = Instant::now();
        let id = self.send_report(file, pipeline_run).await?;
        let run = self.settled(&id).await?;
        let page = self.get("/api/v1/findings?limit=1").await?;
        let took = start.elapsed();
        anyhow::ensure!(page["items"].as_array().is_some_and(|items| items.len() == 1), "no finding is answered: {page}");
        anyhow::ensure!(run["counts"]["total"] == results, "the run counts {} results, not {results}", run["counts"]["total"]);
        Ok((run, took))
    }
}

fn text(value: &Value, member: &str) -> anyhow::Result<String> {
    value[member].as_str().map(str::to_owned).with_context(|| format!("the answer has no {member}: {value}"))
}
