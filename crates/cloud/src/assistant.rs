//! A model that answers in words, at any OpenAI-compatible address of chat completions. It is asked one question at a time and is given
//! no tools: what comes back is text.

use crate::Egress;
use crate::egress::{EgressError, Request};
use bailiwick_base::Secret;
use http::{HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::json;
use url::Url;

/// Bytes of an answer.
const ANSWER_BYTES: usize = 256 << 10;
/// Tokens of an answer.
const ANSWER_TOKENS: u32 = 800;

/// Where to ask, and as whom.
pub struct Assistant {
    url: Url,
    model: String,
    key: Option<Secret<String>>,
    egress: Egress,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error(transparent)]
    Call(#[from] EgressError),
    #[error("the assistant's key holds signs that no header may hold")]
    BadKey,
    #[error("the assistant's answer holds no text")]
    Empty,
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

impl Assistant {
    /// `url` is the whole address of chat completions; its host must be on the allow-list of `egress`.
    pub fn new(url: Url, model: String, key: Option<Secret<String>>, egress: Egress) -> Self {
        Self { url, model, key, egress }
    }

    pub fn model(&self) -> &str {
        &self.model
    }

    /// Asks once: what to do, and about what.
    ///
    /// # Errors
    /// There is no answer, or none that is text.
    pub async fn ask(&self, task: &str, about: &str) -> Result<String, NoAnswer> {
        let body = json!({
            "model": self.model,
            "messages": [{"role": "system", "content": task}, {"role": "user", "content": about}],
            "max_tokens": ANSWER_TOKENS,
        });
        let json = HeaderValue::from_static("application/json");
        let mut request = Request::new(Method::POST, self.url.clone()).body(json, body.to_string()).max_body(ANSWER_BYTES);
        if let Some(key) = &self.key {
            let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose())).map_err(|_| NoAnswer::BadKey)?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let answer: Answer = self.egress.send(request).await?.ok()?.json()?;
        let text = answer.choices.into_iter().next().and_then(|choice| choice.message.content);
        text.filter(|text| !text.trim().is_empty()).ok_or(NoAnswer::Empty)
    }
}
