//! Writing to Microsoft Graph and Azure Resource Manager: one request a call, and always an answer to "was it sent?".
//!
//! Stays true:
//! - without a [`WriteAccess`] nothing is written. It is made of an [`Access`] by one function with one name, which the
//!   product calls in one place: where the connections are kept, after seeing that a live *write* connection is behind it;
//! - a call sends one request, on a connection made for it, and nobody repeats it. The one exception is an answer of 401:
//!   that refuses the token and takes nothing, so a renewed token is tried, once;
//! - [`WriteError::NotSent`] means that no byte of it left this machine. Everything that is not sure of that is
//!   [`WriteError::Unknown`]; only reading the target tells then;
//! - a write goes to a path of its own service: no whole URL, no batch, no vault.

#[cfg(test)]
mod tests;

use super::{CallError, Granted, Inner, Lane, Microsoft, Reply, Service, address, signed};
use crate::{
    egress::Request,
    pace::Until,
    tokens::{Access, TokenRefusal},
};
use bailiwick_base::DirectoryId;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, sync::Arc, time::Duration};
use url::Url;
use uuid::Uuid;

/// The right to write through one write connection. Cheap to clone.
#[derive(Clone)]
pub struct WriteAccess(Access);

impl fmt::Debug for WriteAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteAccess({:?})", self.0)
    }
}

impl WriteAccess {
    /// Says that this access belongs to a write connection that is live now. For the keeper of connections alone: of an
    /// access to read this would make one that writes wherever its application happens to hold the permission.
    pub fn of_write_connection(access: Access) -> Self {
        Self(access)
    }

    /// The same right, with a deadline and somebody who may call it off. Both are heeded until a write begins; one that
    /// is under way is waited for, as long as the way out lets it take.
    pub fn until(self, until: Until) -> Self {
        Self(self.0.until(until))
    }

    pub fn directory(&self) -> DirectoryId {
        self.0.directory
    }

    /// The application's client id.
    pub fn app(&self) -> Uuid {
        self.0.app
    }
}

/// How a write changes its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WriteMethod {
    Patch,
    Post,
    Put,
    Delete,
}

impl WriteMethod {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    fn http(self) -> Method {
        match self {
            Self::Patch => Method::PATCH,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Delete => Method::DELETE,
        }
    }
}

/// One change to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    pub method: WriteMethod,
    /// From the root of the service, e.g. `/v1.0/policies/authorizationPolicy`.
    pub path: String,
    pub body: Option<Value>,
}

/// A write without an answer. An answer of any status is a [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Nothing of it left this machine, or its token was refused: nobody changed anything.
    #[error("nothing was sent: {0}")]
    NotSent(CallError),
    /// It was sent, or may have been, and no whole answer came back.
    #[error("it was sent and no answer came: {0}. Read the target to learn whether it was taken")]
    Unknown(CallError),
}

impl WriteError {
    pub fn cause(&self) -> &CallError {
        match self {
            Self::NotSent(cause) | Self::Unknown(cause) => cause,
        }
    }

    /// A stable word for records and scripts: that of the cause.
    pub fn reason(&self) -> &'static str {
        self.cause().reason()
    }
}

impl From<TokenRefusal> for WriteError {
    fn from(refusal: TokenRefusal) -> Self {
        Self::NotSent(refusal.into())
    }
}

/// What writes. Cheap to clone.
#[derive(Clone)]
pub struct Writer(Microsoft);

impl Writer {
    /// Writes over the way out, the tokens and the limits of this client, which itself stays unable to.
    pub fn over(microsoft: &Microsoft) -> Self {
        Self(microsoft.clone())
    }

    /// The whole address of a path that may be written, to show to people.
    ///
    /// # Errors
    /// [`CallError::Refused`] for what is not written.
    pub fn url(&self, service: Service, path: &str) -> Result<Url, CallError> {
        let refuse = |why| Err(CallError::Refused { why });
        let lower = path.to_ascii_lowercase();
        if service == Service::Vault {
            return refuse("nothing is written to a vault");
        }
        if !path.starts_with('/') {
            return refuse("a write goes to a path of its service, not to a URL that came from elsewhere");
        }
        if lower.contains("$batch") || lower.contains("%24batch") {
            return refuse("a batch would hide what is written in it");
        }
        address::resolve(&self.0.0.cloud, service, path)
    }

    /// Reads a path with the write connection, as [`Microsoft::get`] does.
    ///
    /// # Errors
    /// Those of [`Microsoft::get`].
    pub async fn get(&self, access: &WriteAccess, service: Service, path: &str) -> Result<Reply, CallError> {
        self.0.get(&access.0, service, path).await
    }

    /// The permissions granted to the write connection, as [`Microsoft::granted`] tells them.
    ///
    /// # Errors
    /// Those of [`Microsoft::granted`].
    pub async fn granted(&self, access: &WriteAccess, fresh: bool) -> Result<Granted, CallError> {
        self.0.granted(&access.0, fresh).await
    }

    /// Sends one write, once.
    ///
    /// # Errors
    /// What kept an answer from coming, and whether the write can have reached the service.
    pub async fn send(&self, access: &WriteAccess, service: Service, write: &Write) -> Result<Reply, WriteError> {
        let url = self.url(service, &write.path).map_err(WriteError::NotSent)?;
        let body = write.body.as_ref().map(|body| Bytes::from(body.to_string()));
        once(&self.0, &access.0, Post { service, method: write.method.http(), url, body }).await
    }
}

/// A request that is sent once.
pub(crate) struct Post {
    pub service: Service,
    pub method: Method,
    pub url: Url,
    /// JSON.
    pub body: Option<Bytes>,
}

impl Post {
    fn request(&self) -> Request {
        let request = Request::new(self.method.clone(), self.url.clone());
        match &self.body {
            Some(body) => request.body(HeaderValue::from_static("application/json"), body.clone()),
            None if self.method == Method::DELETE => request,
            // Said in so many words: some gateways refuse a POST that does not tell its length (411).
            None => request.header(header::CONTENT_LENGTH, HeaderValue::from_static("0")),
        }
    }
}

/// Sends it, and once more only with a renewed token after a 401.
pub(crate) async fn once(microsoft: &Microsoft, access: &Access, post: Post) -> Result<Reply, WriteError> {
    let inner: &Arc<Inner> = &microsoft.0;
    let (pace, until, scope) = (&inner.pace, &access.until, post.service.scope(&inner.cloud));
    let (lane, units) = Lane::of(post.service, &post.url);
    let mut token = inner.tokens.token(access, &scope).await?;
    let (mut tries, mut waited) = (0, Duration::ZERO);
    loop {
        // The last moment at which it may be called off.
        waited += inner.budgets.turn(pace, until, access.directory, lane, units).await.map_err(WriteError::NotSent)?;
        let request = signed(post.request(), post.service, &token, pace.guid(), inner.limits.body).map_err(WriteError::NotSent)?;
        let answer = inner.egress.send_once(request).await.map_err(|unanswered| match unanswered.left {
            true => WriteError::Unknown(unanswered.error.into()),
            false => WriteError::NotSent(unanswered.error.into()),
        })?;
        tries += 1;
        if answer.meta.status == 401 && tries == 1 {
            token = inner.tokens.renew(access, &scope, &token).await?;
            continue;
        }
        let reply = Reply::of(answer, tries, waited);
        if reply.status == 429 {
            let pause = reply.retry_after.unwrap_or_else(|| pace.backoff(1)).min(inner.limits.longest_wait);
            inner.budgets.block(pace, access.directory, lane, pause).await;
        }
        return Ok(reply);
    }
}
