//! Reading Microsoft Graph, Azure Resource Manager and Key Vault for one directory: the client behind a scan's broker.
//!
//! Stays true:
//! - reading only: [`Microsoft`] has no way to send another method than GET, nor to put one into a batch. What writes
//!   is [`write::Writer`], which asks for a [`write::WriteAccess`] each time;
//! - a token goes to the configured host of its own service and nowhere else, whatever a next link says;
//! - published limits are kept per directory, and a service that asks us to wait is waited for;
//! - every call ends: tries, waits, bytes and time are bounded, and it can be called off at any moment.

mod address;
mod batch;
mod budget;
mod error;
#[cfg(test)]
mod tests;
pub mod write;

pub use address::Service;
pub use error::CallError;

use crate::{
    egress::{Egress, Request, Response},
    endpoints::CloudEndpoints,
    granted::Granted,
    pace::{Pace, RealWaits, Waits},
    tokens::{Access, AccessToken, TokenRefusal, Tokens},
};
use bailiwick_base::{Clock, Rng};
use batch::Answered;
use budget::{Budgets, Lane};
use bytes::Bytes;
use futures::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::{fmt, sync::Arc, time::Duration};
use url::Url;

/// Bounds of every call.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one answer, a whole batch included.
    pub body: usize,
    /// Tries of one request where the service throttles, fails or cannot be reached.
    pub tries: u32,
    /// Asked to wait longer than this, we hand the answer back instead.
    pub longest_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 32 << 20, tries: 5, longest_wait: Duration::from_secs(300) }
    }
}

/// An answer, whatever its status, after whatever retries it took.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    /// What the last answer asked to wait.
    pub retry_after: Option<Duration>,
    /// Requests sent for it.
    pub tries: u32,
    /// Time spent waiting for limits and between tries.
    pub waited: Duration,
    /// Microsoft's id of the request, for a support request.
    pub request_id: Option<String>,
    pub body: Bytes,
}

impl fmt::Debug for Reply {
    /// Without the body: it is a directory's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {} bytes, {} tries)", self.status, self.body.len(), self.tries)
    }
}

impl Reply {
    fn of(answer: Response, tries: u32, waited: Duration) -> Self {
        let request_id = request_id(&answer.meta.headers);
        Self { status: answer.meta.status, retry_after: answer.meta.retry_after, tries, waited, request_id, body: answer.body }
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("request-id").or_else(|| headers.get("x-ms-request-id"))?;
    clean_id(id.to_str().ok()?)
}

/// An id of somebody else's, if it looks like one.
fn clean_id(text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| text.to_owned())
}

/// Whether the same request may be answered better in a moment.
fn retryable(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 509)
}

/// One read that may be asked: its address has been checked.
struct Ask {
    service: Service,
    url: Url,
    lane: Lane,
    units: u32,
    /// Needs `ConsistencyLevel: eventual`, which next links do not carry.
    eventual: bool,
    /// The questions of a batch. Absent for a plain GET; a batch of GETs is the only thing that is ever posted.
    questions: Option<Bytes>,
}

impl Ask {
    fn get(cloud: &CloudEndpoints, service: Service, path: &str) -> Result<Self, CallError> {
        let url = address::resolve(cloud, service, path)?;
        let (lane, units) = Lane::of(service, &url);
        let eventual = service == Service::Graph && is_advanced(&url);
        Ok(Self { service, url, lane, units, eventual, questions: None })
    }

    fn request(&self, token: &AccessToken, id: uuid::Uuid, limit: usize) -> Result<Request, CallError> {
        let mut request = match &self.questions {
            None => Request::get(self.url.clone()),
            Some(body) => Request::new(Method::POST, self.url.clone()).body(HeaderValue::from_static("application/json"), body.clone()),
        };
        if self.eventual {
            request = request.header(HeaderName::from_static("consistencylevel"), HeaderValue::from_static("eventual"));
        }
        signed(request, self.service, token, id, limit)
    }
}

/// The request with its token and an id by which Microsoft can find it.
fn signed(request: Request, service: Service, token: &AccessToken, id: uuid::Uuid, limit: usize) -> Result<Request, CallError> {
    let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut bearer = bearer.map_err(|_| CallError::Refused { why: "the token is not one that can be sent" })?;
    bearer.set_sensitive(true);
    let mut request = request.header(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        let name = if service == Service::Graph { "client-request-id" } else { "x-ms-client-request-id" };
        request = request.header(HeaderName::from_static(name), id);
    }
    Ok(request.header(header::AUTHORIZATION, bearer).max_body(limit))
}

/// Advanced queries on directory objects (Microsoft Graph, "Advanced query capabilities").
fn is_advanced(url: &Url) -> bool {
    let asks =
        |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| name == "$search" || (name == "$count" && value == "true");
    url.path().ends_with("/$count") || url.query_pairs().any(asks)
}

/// The client. Cheap to clone; one serves all directories.
#[derive(Clone)]
pub struct Microsoft(Arc<Inner>);

struct Inner {
    egress: Egress,
    cloud: CloudEndpoints,
    tokens: Tokens,
    budgets: Budgets,
    pace: Pace,
    limits: Limits,
}

impl Microsoft {
    pub fn new(egress: Egress, cloud: CloudEndpoints, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self::with(egress, cloud, clock, rng, Arc::new(RealWaits), Limits::default())
    }

    /// As [`Microsoft::new`], with limits of its own, and waiting done elsewhere.
    pub fn with(
        egress: Egress,
        cloud: CloudEndpoints,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        waits: Arc<dyn Waits>,
        limits: Limits,
    ) -> Self {
        let pace = Pace::new(clock, rng, waits);
        let tokens = Tokens::new(egress.clone(), cloud.clone(), pace.clone());
        Self(Arc::new(Inner { egress, cloud, tokens, budgets: Budgets::new(), pace, limits }))
    }

    pub fn cloud(&self) -> &CloudEndpoints {
        &self.0.cloud
    }

    /// Proves that the application can get a token in the directory now, asking Entra anew.
    ///
    /// # Errors
    /// Why it cannot, with what to do.
    pub async fn sign_in(&self, access: &Access) -> Result<(), TokenRefusal> {
        self.fresh(access).await.map(|_| ())
    }

    /// The permissions granted in the directory. `fresh` asks Entra anew: a cached token shows those of when it was made.
    ///
    /// # Errors
    /// Those of the token, or [`CallError::Unreadable`].
    pub async fn granted(&self, access: &Access, fresh: bool) -> Result<Granted, CallError> {
        let token = match fresh {
            true => self.fresh(access).await?,
            false => self.0.tokens.token(access, &Service::Graph.scope(&self.0.cloud)).await?,
        };
        Ok(Granted::read(token.expose())?)
    }

    async fn fresh(&self, access: &Access) -> Result<AccessToken, TokenRefusal> {
        self.0.tokens.fresh(access, &Service::Graph.scope(&self.0.cloud)).await
    }

    /// Reads a path from the root of the service, or a next link of it.
    ///
    /// # Errors
    /// What kept an answer from coming. An answer of any status is a [`Reply`]; a 429 or 5xx only after all tries.
    pub async fn get(&self, access: &Access, service: Service, path: &str) -> Result<Reply, CallError> {
        self.call(access, &Ask::get(&self.0.cloud, service, path)?).await
    }

    /// Reads many Graph paths, twenty at a time in a batch, each answer at the place of its path. Those whose limits a
    /// batch would break go alone beside it.
    pub async fn batch<P: AsRef<str>>(&self, access: &Access, paths: &[P]) -> Vec<Result<Reply, CallError>> {
        let mut replies = Vec::with_capacity(paths.len());
        for paths in paths.chunks(batch::MOST) {
            replies.extend(self.batch_of_few(access, paths).await);
        }
        replies
    }

    async fn batch_of_few<P: AsRef<str>>(&self, access: &Access, paths: &[P]) -> Vec<Result<Reply, CallError>> {
        let asks: Vec<_> = paths.iter().map(|path| Ask::get(&self.0.cloud, Service::Graph, path.as_ref())).collect();
        let (mut groups, mut replies) = (Vec::<Group<'_>>::new(), Vec::new());
        for (place, ask) in asks.iter().enumerate() {
            match ask {
                Err(error) => replies.push((place, Err(error.clone()))),
                Ok(ask) => {
                    let version = address::version(&self.0.cloud.graph, &ask.url).filter(|_| !ask.lane.narrow());
                    let key = version.map(|(version, _)| version);
                    let item = (place, ask, version.map_or("", |(_, rest)| rest));
                    match groups.iter_mut().find(|group| group.0.is_some() && group.0 == key) {
                        Some(group) => group.1.push(item),
                        None => groups.push((key, vec![item])),
                    }
                }
            }
        }
        let answered = join_all(groups.into_iter().map(|group| self.group(access, group))).await;
        replies.extend(answered.into_iter().flatten());
        replies.sort_by_key(|(place, _)| *place);
        replies.into_iter().map(|(_, reply)| reply).collect()
    }

    async fn group(&self, access: &Access, (version, items): Group<'_>) -> Vec<(usize, Result<Reply, CallError>)> {
        let version = match (version, items.as_slice()) {
            (Some(version), [_, _, ..]) => version,
            _ => return self.each_alone(access, &items).await,
        };
        let address = format!("{}/{version}/$batch", self.0.cloud.graph);
        let Ok(url) = Url::parse(&address) else { return self.each_alone(access, &items).await };
        let units = items.iter().map(|(_, ask, _)| ask.units).sum();
        let questions = Some(batch::question(items.iter().map(|(_, ask, url)| (*ask, *url))));
        let ask = Ask { service: Service::Graph, url, lane: Lane::Directory, units, eventual: false, questions };
        match self.call(access, &ask).await {
            Ok(reply) if reply.status == 200 => self.finish(access, &items, &reply).await,
            // Too long or not understood as a whole: the items may be well one by one.
            Ok(Reply { status: 400 | 404 | 405 | 413 | 501, .. }) | Err(CallError::TooLarge { .. }) => {
                self.each_alone(access, &items).await
            }
            whole => items.iter().map(|(place, ..)| (*place, whole.clone())).collect(),
        }
    }

    async fn each_alone(&self, access: &Access, items: &[Item<'_>]) -> Vec<(usize, Result<Reply, CallError>)> {
        join_all(items.iter().map(|(place, ask, _)| async move { (*place, self.call(access, ask).await) })).await
    }

    async fn finish(&self, access: &Access, items: &[Item<'_>], reply: &Reply) -> Vec<(usize, Result<Reply, CallError>)> {
        let answers = batch::answers(reply, items.len(), self.0.pace.now(), self.0.limits.longest_wait);
        join_all(items.iter().zip(answers).map(|((place, ask, _), answer)| async move {
            let reply = match answer {
                Answered::Done(reply) => Ok(reply),
                Answered::Again { throttled, after } => self.again(access, ask, throttled, after).await,
            };
            (*place, reply)
        }))
        .await
    }

    /// Asks one item of a batch alone, after the time it was told to wait.
    async fn again(&self, access: &Access, ask: &Ask, throttled: bool, after: Option<Duration>) -> Result<Reply, CallError> {
        let pause = match (throttled, after) {
            (_, Some(after)) => after.min(self.0.limits.longest_wait),
            (true, None) => self.0.pace.backoff(1),
            (false, None) => Duration::ZERO,
        };
        if throttled {
            self.0.budgets.block(&self.0.pace, access.directory, ask.lane, pause).await;
        }
        self.0.pace.wait(pause, &access.until).await?;
        let reply = self.call(access, ask).await?;
        Ok(Reply { tries: reply.tries + 1, waited: reply.waited + pause, ..reply })
    }

    async fn call(&self, access: &Access, ask: &Ask) -> Result<Reply, CallError> {
        let (pace, until, scope) = (&self.0.pace, &access.until, ask.service.scope(&self.0.cloud));
        let mut token = self.0.tokens.token(access, &scope).await?;
        let (mut tries, mut waited, mut renewed) = (0, Duration::ZERO, false);
        loop {
            waited += self.0.budgets.turn(pace, until, access.directory, ask.lane, ask.units).await?;
            let request = ask.request(&token, pace.guid(), self.0.limits.body)?;
            let outcome = pace.within(until, self.0.egress.send(request)).await?;
            tries += 1;
            let pause = match outcome {
                Ok(answer) if answer.meta.status == 401 && !renewed => {
                    renewed = true;
                    token = self.0.tokens.renew(access, &scope, &token).await?;
                    continue;
                }
                Ok(answer) => {
                    let reply = Reply::of(answer, tries, waited);
                    let pause = reply.retry_after.unwrap_or_else(|| pace.backoff(tries));
                    if reply.status == 429 {
                        self.0.budgets.block(pace, access.directory, ask.lane, pause.min(self.0.limits.longest_wait)).await;
                    }
                    if !retryable(reply.status) || tries >= self.0.limits.tries || pause > self.0.limits.longest_wait {
                        return Ok(reply);
                    }
                    pause
                }
                Err(error) if error.transient() && tries < self.0.limits.tries => pace.backoff(tries),
                Err(error) => return Err(error.into()),
            };
            pace.wait(pause, until).await?;
            waited += pause;
        }
    }
}

/// A place in the answer, what is asked there, and its address inside a batch.
type Item<'a> = (usize, &'a Ask, &'a str);
/// Items that go together under one version of Graph; under none, they go alone.
type Group<'a> = (Option<&'static str>, Vec<Item<'a>>);
