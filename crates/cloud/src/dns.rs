//! TXT and CNAME records of public names, as mail and domain checks read them.
//!
//! Stays true: "there is no such record" is an answer and comes only from a name server that said so; a server that
//! fails, refuses or keeps silent is an error, and never looks like an absent record. Private names are not asked about.

#[cfg(test)]
mod tests;

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError as Wire, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, RecordType},
    },
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use url::Host;

/// Whom to ask, and how patiently.
#[derive(Debug, Clone)]
pub struct DnsConfig {
    /// Name servers. Empty: those of the machine (`/etc/resolv.conf`).
    pub servers: Vec<SocketAddr>,
    /// Time for one question to one server.
    pub timeout: Duration,
    /// Further tries after the first.
    pub retries: usize,
    /// Lookups under way at once.
    pub at_once: usize,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self { servers: vec![], timeout: Duration::from_secs(3), retries: 2, at_once: 16 }
    }
}

/// What the name servers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAnswer {
    /// Whether the name exists, with records of this type or without.
    pub exists: bool,
    /// TXT: the text of each record, its parts joined. CNAME: the target, without the dot at its end.
    pub records: Vec<String>,
}

/// Why it is not known which records there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    #[error("\"{name}\" is not looked up: {why}")]
    NotAsked { name: String, why: &'static str },
    #[error("the name server could not answer for {name} ({code}). Try again later; if it lasts, the domain's own servers are at fault")]
    Failed { name: String, code: String },
    #[error("no name server answered for {name} in time")]
    Timeout { name: String },
    #[error("no name server can be reached for {name}: {cause}. Check the configured name servers")]
    Unreachable { name: String, cause: String },
    #[error("{name} has more records than are read")]
    TooMuch { name: String },
}

impl DnsError {
    /// A stable word for records and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotAsked { .. } => "not_asked",
            Self::Failed { .. } => "failed",
            Self::Timeout { .. } => "timeout",
            Self::Unreachable { .. } => "unreachable",
            Self::TooMuch { .. } => "too_much",
        }
    }

    /// Whether the same lookup may succeed later.
    pub fn transient(&self) -> bool {
        !matches!(self, Self::NotAsked { .. } | Self::TooMuch { .. })
    }
}

/// Records and bytes of one answer that are read.
const MOST_RECORDS: usize = 200;
const MOST_BYTES: usize = 64 << 10;

/// Last labels of names that are not the public's (RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's reservation of
/// `internal`, and what networks commonly use inside).
const PRIVATE: &[&str] =
    &["arpa", "local", "localhost", "internal", "intranet", "private", "lan", "home", "corp", "onion", "alt", "invalid", "localdomain"];

/// The lookups. Cheap to clone.
#[derive(Clone)]
pub struct Dns(Arc<Inner>);

struct Inner {
    config: DnsConfig,
    room: Semaphore,
}

impl Dns {
    pub fn new(config: DnsConfig) -> Self {
        let room = Semaphore::new(config.at_once.max(1));
        Self(Arc::new(Inner { config, room }))
    }

    /// The TXT records of a name; an alias is followed.
    ///
    /// # Errors
    /// Whenever no name server said which records there are.
    pub async fn txt(&self, name: &str) -> Result<DnsAnswer, DnsError> {
        self.lookup(name, RecordType::TXT).await
    }

    /// Where a name is an alias to.
    ///
    /// # Errors
    /// As [`Dns::txt`].
    pub async fn cname(&self, name: &str) -> Result<DnsAnswer, DnsError> {
        self.lookup(name, RecordType::CNAME).await
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<DnsAnswer, DnsError> {
        let name = public(name)?;
        let bad = |why| DnsError::NotAsked { name: name.clone(), why };
        let question = Name::from_ascii(format!("{name}.")).map_err(|_| bad("it is no domain name"))?;
        let unreachable = |cause: String| DnsError::Unreachable { name: name.clone(), cause };
        // Closing it is nowhere done, so the room is always given.
        let _room = self.0.room.acquire().await.map_err(|_| unreachable("lookups have ended".into()))?;
        let resolver = self.resolver().map_err(|e| unreachable(e.to_string()))?;
        let whole = self.0.config.timeout.saturating_mul(u32::try_from(2 * (self.0.config.retries + 1)).unwrap_or(u32::MAX));
        match tokio::time::timeout(whole, resolver.lookup(question, kind)).await {
            Ok(Ok(found)) => records(&name, kind, found.answers().iter().map(|record| &record.data)),
            Ok(Err(error)) => negative(name.clone(), error),
            Err(_) => Err(DnsError::Timeout { name: name.clone() }),
        }
    }

    /// Made for each lookup, so that a machine that changes its name servers is followed. It keeps no answers.
    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let config = &self.0.config;
        let mut builder = match config.servers.as_slice() {
            [] => Resolver::builder_tokio()?,
            servers => {
                let servers = servers.iter().map(|at| server(*at)).collect();
                let servers = ResolverConfig::from_parts(None, vec![], servers);
                Resolver::builder_with_config(servers, TokioRuntimeProvider::default())
            }
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = config.timeout;
        options.attempts = config.retries;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        builder.build()
    }
}

fn server(at: SocketAddr) -> NameServerConfig {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    (udp.port, tcp.port) = (at.port(), at.port());
    NameServerConfig::new(at.ip(), true, vec![udp, tcp])
}

/// The name as it is asked for, if it is one of the public's.
fn public(name: &str) -> Result<String, DnsError> {
    let refuse = |why| Err(DnsError::NotAsked { name: name.chars().take(253).collect(), why });
    let Ok(Host::Domain(ascii)) = Host::parse(name.strip_suffix('.').unwrap_or(name)) else {
        return refuse("it is no domain name");
    };
    let ascii = ascii.to_ascii_lowercase();
    let labels: Vec<&str> = ascii.split('.').collect();
    if ascii.len() > 253 || labels.iter().any(|label| label.is_empty() || label.len() > 63) {
        return refuse("it is no domain name");
    }
    match labels.as_slice() {
        [_] => refuse("a single label is a name of the inner network"),
        [.., last] if PRIVATE.contains(last) => refuse("it is a name of the inner network"),
        _ => Ok(ascii),
    }
}

fn records<'r>(name: &str, kind: RecordType, found: impl Iterator<Item = &'r RData>) -> Result<DnsAnswer, DnsError> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    for data in found {
        let text = match (kind, data) {
            (RecordType::TXT, RData::TXT(text)) => String::from_utf8_lossy(&text.txt_data.concat()).into_owned(),
            (RecordType::CNAME, RData::CNAME(target)) => target.0.to_ascii().trim_end_matches('.').to_owned(),
            _ => continue,
        };
        bytes += text.len();
        records.push(text);
        if records.len() > MOST_RECORDS || bytes > MOST_BYTES {
            return Err(DnsError::TooMuch { name: name.to_owned() });
        }
    }
    Ok(DnsAnswer { exists: true, records })
}

/// What a lookup without records means.
fn negative(name: String, error: NetError) -> Result<DnsAnswer, DnsError> {
    let failed = |code: ResponseCode| Err(DnsError::Failed { name: name.clone(), code: code.to_string() });
    match error {
        NetError::Dns(Wire::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => Ok(DnsAnswer { exists: false, records: vec![] }),
            ResponseCode::NoError => Ok(DnsAnswer { exists: true, records: vec![] }),
            code => failed(code),
        },
        NetError::Dns(Wire::ResponseCode(code)) => failed(code),
        NetError::Timeout => Err(DnsError::Timeout { name }),
        error => Err(DnsError::Unreachable { name, cause: error.to_string() }),
    }
}
