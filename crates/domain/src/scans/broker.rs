//! Who answers a scanner's requests. It alone holds the token and the network, and believes nothing the scanner says.
//!
//! What must stay true: a request is sent when the plan of the job names it, or when an answer of this very scan handed it out as its
//! next page; none is sent once the scan was cancelled or its connection ended, which is asked before each; nothing but reads is sent;
//! of names, only the directory's own verified domains and what is below them are looked up, as a name can carry data out.

use super::db;
use crate::Services;
use crate::connections::reach::token_failure;
use crate::worker::{nobody, system};
use bailiwick_base::{Problem, ScanId, TenantId};
use bailiwick_checks::{Answer, FaultKind, Plan, Request, Resumed, Service};
use bailiwick_cloud::{Access, CallError, CancellationToken, Dns, DnsError, Reply};
use bailiwick_contract::connections::CloudFailure;
use bailiwick_scanner::Broker as Answers;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Next pages one scan may be handed: a listing that never ends is cut off there.
const MOST_PAGES: usize = 20_000;
/// The listing that names the directory's domains.
const DOMAINS: &str = "/v1.0/domains";

/// What ended a scan from the broker's side.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// It was cancelled, or its connection ended.
    Over,
    /// Microsoft lets the application in no longer.
    Refused(CloudFailure),
    /// Microsoft cannot be reached; what was read is kept, and the scan goes on later.
    Unreachable(String),
    /// The time the scan may take ran out in the middle of a call.
    TooLong,
    /// The database did not say whether the scan may go on; it goes on later.
    Unclear(Problem),
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
    /// For a pack: where its time runs out, its own verdicts are missing and nothing else.
    pack: bool,
    handed_out: Mutex<HashMap<Service, HashSet<String>>>,
    domains: Arc<Mutex<HashSet<String>>>,
    trouble: Arc<Mutex<Option<Trouble>>>,
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
        let (handed_out, domains, trouble) = Default::default();
        Self { services, tenant, scan, access, plan, dns, cancel, pack: false, handed_out, domains, trouble }
    }

    /// The broker of one of the scan's packs: another plan, and the same trouble.
    pub fn for_pack(&self, plan: Plan) -> Self {
        Self {
            services: self.services,
            tenant: self.tenant,
            scan: self.scan,
            access: self.access.clone(),
            plan,
            dns: self.dns.clone(),
            cancel: self.cancel.clone(),
            pack: true,
            handed_out: Mutex::default(),
            domains: Arc::clone(&self.domains),
            trouble: Arc::clone(&self.trouble),
        }
    }

    /// Takes the verified domains from what an earlier try read.
    pub fn remember(&self, resumed: &[Resumed]) {
        for resumed in resumed.iter().filter(|resumed| lists_domains(&resumed.request)) {
            resumed.pages.iter().for_each(|page| self.learn_domains(page));
        }
    }

    fn learn_domains(&self, page: &Value) {
        let items = page["value"].as_array().into_iter().flatten();
        let verified = items.filter(|domain| domain["isVerified"] == true).filter_map(|domain| domain["id"].as_str());
        lock(&self.domains).extend(verified.map(str::to_ascii_lowercase));
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

    /// Stops the scan when it is over, or when it cannot be told whether it is; false when it was stopped.
    pub async fn goes_on(&self) -> bool {
        let asked = async {
            let mut scope = self.services.store.read(self.tenant, &system("scanner", None), &nobody()).await?;
            db::goes_on(scope.sql(), self.tenant, self.scan).await
        };
        match asked.await {
            Ok(true) => return true,
            Ok(false) => self.stop(Trouble::Over),
            Err(problem) => self.stop(Trouble::Unclear(problem)),
        }
        false
    }

    fn allowed(&self, request: &Request) -> bool {
        let handed_out = lock(&self.handed_out);
        self.plan.allows(request, handed_out.get(&request.service).unwrap_or(&HashSet::new()))
    }

    async fn graph(&self, paths: &[&str]) -> Vec<Answer> {
        let client = &self.services.microsoft.client;
        let replies = match paths {
            [path] => vec![client.get(&self.access, bailiwick_cloud::Service::Graph, path).await],
            paths => client.batch(&self.access, paths).await,
        };
        replies.into_iter().zip(paths).map(|(reply, path)| self.answer(&Request::new(Service::Graph, *path), reply)).collect()
    }

    async fn one(&self, request: &Request) -> Answer {
        let service = match request.service {
            Service::Dns => return self.records(&request.path).await,
            Service::Graph => bailiwick_cloud::Service::Graph,
            Service::Arm => bailiwick_cloud::Service::Arm,
            Service::Vault => bailiwick_cloud::Service::Vault,
        };
        self.answer(request, self.services.microsoft.client.get(&self.access, service, &request.path).await)
    }

    fn answer(&self, request: &Request, reply: Result<Reply, CallError>) -> Answer {
        match reply {
            Ok(reply) => {
                self.hand_out(request.service, &reply.body);
                if reply.status == 200 && lists_domains(request) {
                    self.learn_domains(&serde_json::from_slice(&reply.body).unwrap_or_default());
                }
                let mut headers = BTreeMap::new();
                headers.extend(reply.retry_after.map(|wait| ("retry-after".to_owned(), wait.as_secs().to_string())));
                headers.extend(reply.request_id.map(|id| ("request-id".to_owned(), id)));
                Answer::Body { status: reply.status, headers, body: reply.body.to_vec() }
            }
            Err(error) => self.fault(request.service, &error),
        }
    }

    /// Remembers the next page that an answer names: only such a link may be asked beside the plan, and only of the service that named it.
    fn hand_out(&self, service: Service, body: &[u8]) {
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
            let pages: usize = handed_out.values().map(HashSet::len).sum();
            if pages < MOST_PAGES {
                handed_out.entry(service).or_default().insert(link);
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
            (_, FaultKind::Deadline, _) if !self.pack => self.stop(Trouble::TooLong),
            _ => {}
        }
        Answer::Failed { kind, message: error.to_string() }
    }

    fn owns(&self, name: &str) -> bool {
        within(&lock(&self.domains), name)
    }

    /// `TXT name` or `CNAME name`.
    async fn records(&self, question: &str) -> Answer {
        let found = match question.split_once(' ') {
            Some((_, name)) if !self.owns(name) => return refused("the name is not below a verified domain of the directory"),
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

/// Whether a request reads the directory's domains.
fn lists_domains(request: &Request) -> bool {
    let path = request.path.strip_prefix("https://graph.microsoft.com").unwrap_or(&request.path);
    request.service == Service::Graph && path.split('?').next() == Some(DOMAINS)
}

/// Whether a name is one of the domains, or below one.
fn within(domains: &HashSet<String>, name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let above = |(at, _): (usize, &str)| domains.contains(&name[at + 1..]);
    domains.contains(&name) || name.match_indices('.').any(above)
}

fn refused(why: &str) -> Answer {
    Answer::Failed { kind: FaultKind::Refused, message: format!("The request was not sent: {why}.") }
}

impl Answers for Broker<'_> {
    async fn fetch(&self, requests: &[Request]) -> Vec<Answer> {
        if !self.goes_on().await {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_below_verified_domains_only() {
        let domains = HashSet::from(["contoso.example".to_owned()]);
        for own in ["contoso.example", "Contoso.Example.", "_dmarc.contoso.example", "s1._domainkey.contoso.example"] {
            assert!(within(&domains, own), "{own}");
        }
        for other in ["data.evil.example", "evilcontoso.example", "contoso.example.evil.example", "example", ""] {
            assert!(!within(&domains, other), "{other}");
        }
    }

    #[test]
    fn domains_are_taken_from_their_listing_alone() {
        let graph = |path: &str| lists_domains(&Request::new(Service::Graph, path));
        assert!(
            graph("/v1.0/domains") && graph("/v1.0/domains?$select=id") && graph("https://graph.microsoft.com/v1.0/domains?$skiptoken=x")
        );
        assert!(!graph("/v1.0/domains/contoso.example/federationConfiguration") && !graph("/v1.0/users"));
        assert!(!lists_domains(&Request::new(Service::Arm, "/v1.0/domains")));
    }
}
