//! Calls to Bailiwick's API. Every address comes from the contract's declaration of the operation; none is written by hand.

pub mod http;
pub mod wire;

use crate::credential::Credential;
use crate::failure::Failure;
use crate::retry::Trouble;
use bailiwick_contract::{BodyKind, Method, Operation, OperationSpec, StreamBody};
use reqwest::{RequestBuilder, Url, header};
use serde::{Serialize, de::DeserializeOwned};
use wire::Wire;

/// A signed-in caller of one Bailiwick.
pub struct Client {
    pub wire: Wire,
    base: Url,
    credential: Option<Credential>,
}

impl Client {
    /// A caller that holds no credential yet: only open operations answer it.
    pub fn anonymous(wire: Wire, base: Url) -> Self {
        Self { wire, base, credential: None }
    }

    /// Finds the credential (see [`crate::credential`]) and holds it from now on.
    pub async fn sign_in(mut self) -> Result<Self, Failure> {
        self.credential = Some(crate::credential::find(&self).await?);
        Ok(self)
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The portal's page of a thing, e.g. `runs/<id>`.
    pub fn page(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Calls an operation that speaks JSON, again when the reason of a failure passes. Every operation this command uses is safe to repeat.
    pub async fn call<Op: Operation>(&self, path: Op::Path, query: Op::Query, body: Op::Body) -> Result<Op::Answer, Failure>
    where
        Op::Path: Serialize,
        Op::Body: Serialize,
        Op::Answer: DeserializeOwned,
    {
        let url = url(&self.base, Op::SPEC, &path)?;
        let answer = self
            .wire
            .send(async || {
                let request = self.request(Op::SPEC, url.clone()).query(&query);
                Ok(if Op::SPEC.body.schema().is_some() { request.json(&body) } else { request })
            })
            .await?;
        self.parse::<Op>(&answer)
    }

    /// Sends a stream of known length, once. The caller repeats it with a fresh stream.
    pub async fn send_stream<Op: Operation<Body = StreamBody>>(
        &self,
        path: &Op::Path,
        query: &Op::Query,
        body: reqwest::Body,
        length: u64,
    ) -> Result<Op::Answer, Trouble>
    where
        Op::Path: Serialize,
        Op::Answer: DeserializeOwned,
    {
        debug_assert!(matches!(Op::SPEC.body, BodyKind::Stream));
        let request = self
            .request(Op::SPEC, url(&self.base, Op::SPEC, path)?)
            .query(query)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, length)
            .body(body);
        let answer = self.wire.once(request).await?;
        let bytes = self.wire.read(answer).await?;
        Ok(self.parse::<Op>(&bytes)?)
    }

    /// Opens a stream of events: one try up to the head of the answer. What is no success is a failure.
    pub async fn listen<Op: Operation>(&self, path: &Op::Path) -> Result<reqwest::Response, Trouble>
    where
        Op::Path: Serialize,
    {
        let request = self.request(Op::SPEC, url(&self.base, Op::SPEC, path)?).header(header::ACCEPT, "text/event-stream");
        let answer = self.wire.once(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        match self.wire.read(answer).await {
            Err(trouble) => Err(trouble),
            Ok(_) => Err(Failure::transient("The stream of events ended before it began.").into()),
        }
    }

    fn request(&self, spec: &OperationSpec, url: Url) -> RequestBuilder {
        let http = &self.wire.http;
        let request = match spec.method {
            Method::Get => http.get(url),
            Method::Post => http.post(url),
            Method::Put => http.put(url),
            Method::Patch => http.patch(url),
            Method::Delete => http.delete(url),
        };
        match &self.credential {
            Some(credential) => credential.sign(request),
            None => request,
        }
    }

    fn parse<Op: Operation>(&self, bytes: &[u8]) -> Result<Op::Answer, Failure>
    where
        Op::Answer: DeserializeOwned,
    {
        serde_json::from_slice(bytes).map_err(|e| {
            Failure::input(format!("{} answered {} with something this version cannot read: {e}.", self.base, Op::SPEC.id))
                .hint("Check that BAILIWICK_URL is Bailiwick's address, and that this command is not older than the server.")
        })
    }
}

/// The operation's address under `base`, its path's parameters filled in and percent-encoded.
fn url(base: &Url, spec: &OperationSpec, path: &impl Serialize) -> Result<Url, Failure> {
    let wrong = |why: &str| Failure::input(format!("The address of {} cannot be made: {why}.", spec.id));
    let values = serde_json::to_value(path).map_err(|e| wrong(&e.to_string()))?;
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    let mut segments = url.path_segments_mut().map_err(|()| wrong("the URL has no path"))?;
    segments.pop_if_empty();
    for part in spec.path.trim_start_matches('/').split('/') {
        match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            None => segments.push(part),
            Some(name) => segments.push(values.get(name).and_then(|v| v.as_str()).ok_or_else(|| wrong(name))?),
        };
    }
    drop(segments);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_contract::evidence::{ArtifactPath, PutArtifact};

    #[test]
    fn an_address_comes_from_the_contract_with_its_names_encoded() {
        let path = ArtifactPath { run: "0192f0c1-2b3c-7d4e-8f50-61728394a5c0".parse().unwrap(), name: "a b?c#d%é.json".into() };
        for base in ["https://h.example/base", "https://h.example/base/?x#y"] {
            let url = url(&base.parse().unwrap(), PutArtifact::SPEC, &path).unwrap();
            assert_eq!(
                url.as_str(),
                "https://h.example/base/api/v1/runs/0192f0c1-2b3c-7d4e-8f50-61728394a5c0/artifacts/a%20b%3Fc%23d%25%C3%A9.json"
            );
        }
    }
}
