//! Who answers a scanner's requests. It alone holds the token and the network, and believes nothing the scanner says.
//!
//! What must stay true: a request is sent when the plan of the job names it, or when an answer of this very scan handed it out as its
//! next page; none is sent once the scan was cancelled or its connection ended, which is asked before each; nothing but reads is sent.

use super::db;
use crate::Services;
use crate::connections::reach::token_failure;
use crate::worker::{nobody, system};
use bailiwick_base::{ScanId, TenantId};
use bailiwick_checks::{Answer, FaultKind, Plan, Request, Service};
use bailiwick_cloud::{Access, CallError, CancellationToken, Dns, DnsError, Reply};
use bailiwick_contract::connections::CloudFailure;
use bailiwick_scanner::Broker as Answers;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// Next pages one scan may be handed: a listing that never ends is cut off there.
const MOST_PAGES: usize = 20_000;

/// What ended a scan from the broker's side.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// It was cancelled, or its connection ended.
    Over,
    /// Microsoft lets the application in no longer.
    Refused(CloudFailure),
    /// Microsoft cannot be reached; what was read is kept, and the scan goes on later.
    Unreachable(String),
}

/// The broker of one scan.
pub struct Broker<'a> {
    pub services: &'a Services,
    pub tenant: TenantId,
    pub scan: ScanId,
    pub access: Access,
    pub plan: Plan,
    pub dns: Dns,
    /// Called off when there is trouble, so that the scanner is ended.
    pub cancel: CancellationToken,
    handed_out: Mutex<HashSet<String>>,
    trouble: Mutex<Option<Trouble>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Broker<'a> {
    pub fn new(
        services: &'a Services,
        (tenant, scan): (TenantId, ScanId),
        access: Access,
        plan: Plan,
        dns: Dns,
        cancel: CancellationToken,
    ) -> Self {
        let (handed_out, trouble) = Default::default();
        Self { services, tenant, scan, access, plan, dns, cancel, handed_out, trouble }
    }

    /// What ended the scan, if it was the broker.
    pub fn trouble(&self) -> Option<Trouble> {
        lock(&self.trouble).clone()
    }

    /// Notes the first trouble and calls the scan off.
    pub fn stop(&self, trouble: Trouble) {
        lock(&self.trouble).get_or_insert(trouble);
        self.cancel.cancel();
    }

    /// Whether the scan may still ask anything. A database that does not answer says no.
    pub async fn goes_on(&self) -> bool {
        let Ok(mut scope) = self.services.store.read(self.tenant, &system("scanner", None), &nobody()).await else { return false };
        db::goes_on(scope.sql(), self.tenant, self.scan).await.unwrap_or(false)
    }

    fn allowed(&self, request: &Request) -> bool {
        self.plan.allows(request, &lock(&self.handed_out))
    }

    async fn graph(&self, paths: &[&str]) -> Vec<Answer> {
        let client = &self.services.microsoft.client;
        let replies = match paths {
            [path] => vec![client.get(&self.access, bailiwick_cloud::Service::Graph, path).await],
            paths => client.batch(&self.access, paths).await,
        };
        replies.into_iter().map(|reply| self.answer(Service::Graph, reply)).collect()
    }

    async fn one(&self, request: &Request) -> Answer {
        let service = match request.service {
            Service::Dns => return self.records(&request.path).await,
            Service::Graph => bailiwick_cloud::Service::Graph,
            Service::Arm => bailiwick_cloud::Service::Arm,
            Service::Vault => bailiwick_cloud::Service::Vault,
        };
        self.answer(request.service, self.services.microsoft.client.get(&self.access, service, &request.path).await)
    }

    fn answer(&self, service: Service, reply: Result<Reply, CallError>) -> Answer {
        match reply {
            Ok(reply) => {
                self.hand_out(&reply.body);
                let mut headers = BTreeMap::new();
                headers.extend(reply.retry_after.map(|wait| ("retry-after".to_owned(), wait.as_secs().to_string())));
                headers.extend(reply.request_id.map(|id| ("request-id".to_owned(), id)));
                Answer::Body { status: reply.status, headers, body: reply.body.to_vec() }
            }
            Err(error) => self.fault(service, &error),
        }
    }

    /// Remembers the next page that an answer names: only such a link may be asked beside the plan.
    fn hand_out(&self, body: &[u8]) {
        #[derive(Deserialize)]
        struct Links {
            #[serde(rename = "@odata.nextLink")]
            graph: Option<String>,
            #[serde(rename = "nextLink")]
            azure: Option<String>,
        }
        let Ok(links) = serde_json::from_slice::<Links>(body) else { return };
        let mut handed_out = lock(&self.handed_out);
        for link in [links.graph, links.azure].into_iter().flatten() {
            if handed_out.len() < MOST_PAGES {
                handed_out.insert(link);
            }
        }
    }

    fn fault(&self, service: Service, error: &CallError) -> Answer {
        let kind = match error {
            CallError::Cancelled => FaultKind::Cancelled,
            CallError::Deadline => FaultKind::Deadline,
            CallError::TooLarge { .. } => FaultKind::TooLarge,
            CallError::Refused { .. } | CallError::ForeignLink { .. } => FaultKind::Refused,
            CallError::Unreadable(_) => FaultKind::Unauthorized,
            CallError::Token(refusal) if refusal.reason.transient() => FaultKind::Unreachable,
            CallError::Token(_) => FaultKind::Unauthorized,
            CallError::Outbound(bailiwick_cloud::EgressError::Timeout { .. }) => FaultKind::Timeout,
            CallError::Outbound(error) if error.transient() => FaultKind::Unreachable,
            CallError::Outbound(_) => FaultKind::Refused,
        };
        // Without Graph nothing can be judged; other services take only their own checks along.
        match (service, kind, error) {
            (Service::Graph, FaultKind::Unauthorized, CallError::Token(refusal)) => self.stop(Trouble::Refused(token_failure(refusal))),
            (Service::Graph, FaultKind::Unreachable, error) => self.stop(Trouble::Unreachable(error.to_string())),
            _ => {}
        }
        Answer::Failed { kind, message: error.to_string() }
    }

    /// `TXT name` or `CNAME name`.
    async fn records(&self, question: &str) -> Answer {
        let found = match question.split_once(' ') {
            Some(("TXT", name)) => self.dns.txt(name).await,
            Some(("CNAME", name)) => self.dns.cname(name).await,
            _ => return refused("only TXT and CNAME records are looked up"),
        };
        match found {
            Ok(answer) => {
                let body = json!({"records": answer.records}).to_string().into_bytes();
                Answer::Body { status: 200, headers: BTreeMap::new(), body }
            }
            Err(error) => {
                let kind = match error {
                    DnsError::NotAsked { .. } => FaultKind::Refused,
                    DnsError::Failed { .. } => FaultKind::Server,
                    DnsError::Timeout { .. } => FaultKind::Timeout,
                    DnsError::Unreachable { .. } => FaultKind::Unreachable,
                    DnsError::TooMuch { .. } => FaultKind::TooLarge,
                };
                Answer::Failed { kind, message: error.to_string() }
            }
        }
    }
}

fn refused(why: &str) -> Answer {
    Answer::Failed { kind: FaultKind::Refused, message: format!("The request was not sent: {why}.") }
}

impl Answers for Broker<'_> {
    async fn fetch(&self, requests: &[Request]) -> Vec<Answer> {
        if !self.goes_on().await {
            self.stop(Trouble::Over);
            let over = || Answer::Failed { kind: FaultKind::Cancelled, message: "The scan is over.".into() };
            return requests.iter().map(|_| over()).collect();
        }
        let allowed: Vec<bool> = requests.iter().map(|request| self.allowed(request)).collect();
        let graph: Vec<usize> = (0..requests.len()).filter(|at| allowed[*at] && requests[*at].service == Service::Graph).collect();
        let paths: Vec<&str> = graph.iter().map(|at| requests[*at].path.as_str()).collect();
        let others: Vec<usize> = (0..requests.len()).filter(|at| allowed[*at] && requests[*at].service != Service::Graph).collect();
        let asked_together = async { if paths.is_empty() { Vec::new() } else { self.graph(&paths).await } };
        let asked_alone = join_all(others.iter().map(|at| self.one(&requests[*at])));
        let (together, alone) = futures::join!(asked_together, asked_alone);
        let mut answers: Vec<Answer> = requests.iter().map(|_| refused("the plan of this scan does not hold it")).collect();
        for (at, answer) in graph.into_iter().zip(together).chain(others.into_iter().zip(alone)) {
            answers[at] = answer;
        }
        answers
    }
}
