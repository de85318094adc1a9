//! Microsoft Graph on the wire, v1.0 and beta: token, permission, licence and limit of each path, query options, pages,
//! `$batch`, and the writes that have a rule. What it answers with is data of [`crate::estate`].

mod batch;
mod error;
mod filter;
mod page;
mod query;
mod relations;
mod resolve;
pub mod routes;
pub mod throttle;
mod userinfo;
mod write;

pub use filter::Filter;
pub use userinfo::routes as userinfo_routes;

use crate::{
    bearer::{self, Caller},
    cloud::{Cloud, lock},
    config::Directory,
    estate::Estate,
    faults::Twist,
    reply::Reply,
    services::Service,
};
use error::Error;
use http::HeaderMap;
use query::Query;
use routes::Route;
use serde_json::Value;
use std::sync::Arc;
use throttle::Limit;

/// A request to Graph.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub host: &'a str,
    /// Scheme, host, port and prefix of the service.
    pub base: &'a str,
    pub method: &'a str,
    /// From the root of the service: `/v1.0/…`.
    pub path: &'a str,
    /// Raw.
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    pub twist: Option<Twist>,
    /// A write is answered as usual, and not kept.
    pub forget: bool,
}

/// Answers one request; a `$batch` with everything in it.
pub fn answer(cloud: &Cloud, asked: &Asked<'_>) -> Reply {
    let client_request = asked.headers.get("client-request-id").and_then(|id| id.to_str().ok());
    let reply = match bearer::check(cloud, asked.headers, Service::Graph) {
        Ok(caller) => Request::read(cloud, asked, &caller).and_then(|request| request.answer()),
        Err(refused) => Err(Error::token(refused)),
    };
    let reply = reply.unwrap_or_else(|error| error.reply(cloud, client_request));
    identified(cloud, reply, client_request)
}

fn identified(cloud: &Cloud, reply: Reply, client_request: Option<&str>) -> Reply {
    let id = cloud.uuid().to_string();
    let client_request = client_request.unwrap_or(&id).to_owned();
    reply.with("request-id", id).with("client-request-id", client_request).with("odata-version", "4.0")
}

/// A request whose token is good.
struct Request<'a> {
    cloud: &'a Cloud,
    asked: &'a Asked<'a>,
    caller: &'a Caller,
    directory: &'a Directory,
    estate: Arc<Estate>,
    version: &'a str,
    /// Without the version, as asked, each segment decoded.
    segments: Vec<String>,
}

impl<'a> Request<'a> {
    fn read(cloud: &'a Cloud, asked: &'a Asked<'a>, caller: &'a Caller) -> Result<Self, Error> {
        let mut segments = asked.path.split('/').filter(|segment| !segment.is_empty());
        let version =
            segments.next().filter(|version| matches!(*version, "v1.0" | "beta")).ok_or_else(|| Error::bad_request("Invalid version"))?;
        let decoded = |segment: &str| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let segments = segments.flat_map(|segment| resolve::keyed(&decoded(segment))).collect();
        let directory =
            cloud.directories.iter().find(|d| d.id == caller.directory).ok_or_else(|| Error::token(bearer::Refused::Identity))?;
        let estate = cloud.estate(directory).map_err(|error| Error::new(500, "generalException", format!("{error:#}")))?;
        Ok(Self { cloud, asked, caller, directory, estate, version, segments })
    }
    /// Without the version and in lower case, for look-ups.
    fn path(&self) -> String {
        self.segments.iter().map(|segment| format!("/{}", segment.to_lowercase())).collect()
    }

    fn answer(&self) -> Result<Reply, Error> {
        let path = self.path();
        if path == "/$batch" {
            return batch::answer(self);
        }
        let route = routes::of(&path).ok_or_else(|| Error::no_segment(self.segments.first().map_or("", String::as_str)))?;
        if !self.admitted(route.limit) {
            let reply = Error::throttled().reply(self.cloud, None);
            return Ok(match route.limit.retry_after() {
                Some(seconds) => reply.with("retry-after", seconds.to_string()),
                None => reply,
            });
        }
        let reading = if path == "/security/runhuntingquery" { "POST" } else { "GET" };
        if self.asked.method != reading {
            return self.write(route, &path);
        }
        self.permitted(route)?;
        let query = Query::parse(self.asked.query)?;
        self.check_special(&path, &query)?;
        self.read_path(&query)
    }

    fn admitted(&self, limit: Limit) -> bool {
        let knobs = lock(&self.cloud.knobs).clone();
        let enforced = match limit {
            Limit::None => false,
            Limit::Identity => knobs.limit_identity,
            Limit::Reports => knobs.limit_reports,
        };
        !enforced || self.cloud.throttle.admit(limit, self.directory.id, self.caller.client, self.cloud.now())
    }

    fn permitted(&self, route: &Route) -> Result<(), Error> {
        if !self.holds(route.permissions) {
            return Err(Error::not_permitted());
        }
        self.licensed_for(route)
    }
    fn licensed_for(&self, route: &Route) -> Result<(), Error> {
        if !route.plans.is_empty() && !self.licensed(route.plans) {
            return Err(Error::not_licensed());
        }
        Ok(())
    }
    /// Whether the caller holds any of these; a permission to write opens what its reading form opens.
    fn holds(&self, permissions: &[&str]) -> bool {
        let opens = |held: &str, wanted: &str| held == wanted || held == wanted.replacen(".Read.", ".ReadWrite.", 1);
        permissions.iter().any(|permission| self.caller.permissions.iter().any(|held| opens(held, permission)))
    }
    fn licensed(&self, plans: &[&str]) -> bool {
        self.estate.plans().iter().any(|plan| plans.contains(plan))
    }

    /// Rules of single paths: sign-in activity needs more, role policies need a filter, advanced queries a header.
    fn check_special(&self, path: &str, query: &Query) -> Result<(), Error> {
        if path.starts_with("/users") && query.names("signInActivity") {
            if !self.holds(&["AuditLog.Read.All"]) {
                return Err(Error::not_permitted());
            }
            if !self.licensed(&["AAD_PREMIUM", "AAD_PREMIUM_P2"]) {
                return Err(Error::not_licensed());
            }
        }
        let filtered = [
            "/policies/rolemanagementpolicyassignments",
            "/policies/rolemanagementpolicies",
            "/identitygovernance/rolemanagementalerts/alerts",
        ];
        if filtered.contains(&path) && !(query.names("scopeId") && query.names("scopeType")) {
            return Err(Error::bad_request("The request is missing a required filter: scopeId and scopeType."));
        }
        if resolve::is_directory_list(&self.segments) {
            let eventual =
                self.asked.headers.get("consistencylevel").is_some_and(|level| level.as_bytes().eq_ignore_ascii_case(b"eventual"));
            query.check_consistency(eventual)?;
            if path.ends_with("/$count") && !eventual {
                return Err(Error::unsupported("$count needs the ConsistencyLevel header set to eventual."));
            }
        }
        Ok(())
    }

    /// `@odata.context`: what the body is.
    fn context(&self, query: &Query, single: bool) -> Value {
        let select = if query.select.is_empty() { String::new() } else { format!("({})", query.select.join(",")) };
        let entity = if single { "/$entity" } else { "" };
        format!("{}/{}/$metadata#{}{select}{entity}", self.asked.base, self.version, self.segments.join("/")).into()
    }
}
