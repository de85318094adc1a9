//! Name to address, with the refusal in between: what this gives is what the connection is made to.

use super::{AllowedHost, address};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// The resolver handed to the HTTP client.
pub(super) struct Gate {
    pub rules: Arc<Vec<AllowedHost>>,
    pub pinned: Arc<HashMap<String, Vec<SocketAddr>>>,
    /// Whether the connection will be plain HTTP.
    pub plain: bool,
}

/// Travels inside the client's error back to the caller.
#[derive(Debug, thiserror::Error)]
#[error("{address} is refused: {why}")]
pub(super) struct RefusedAddress {
    pub address: IpAddr,
    pub why: &'static str,
}

impl Resolve for Gate {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, pinned, plain) = (self.rules.clone(), self.pinned.clone(), self.plain);
        Box::pin(async move {
            let host = name.as_str().to_ascii_lowercase();
            let addresses: Vec<SocketAddr> = match pin(&pinned, &host) {
                Some(fixed) => fixed.clone(),
                // Names under `localhost` are this machine (RFC 6761, 6.3), though not every resolver knows it.
                None if host.ends_with(".localhost") => vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
                None => tokio::net::lookup_host((host.as_str(), 0)).await?.collect(),
            };
            // One bad address among good ones is how rebinding looks, so it spoils the lot.
            for address in addresses.iter().map(SocketAddr::ip) {
                let rules = rules.iter().filter(|rule| rule.names(&host));
                check(rules, address, plain).map_err(|why| RefusedAddress { address, why })?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The fixed addresses of a name: its own, or those of `*.` and what follows its first label.
fn pin<'p>(pinned: &'p HashMap<String, Vec<SocketAddr>>, host: &str) -> Option<&'p Vec<SocketAddr>> {
    let parent = || host.split_once('.').and_then(|(_, parent)| pinned.get(&format!("*.{parent}")));
    pinned.get(host).or_else(parent)
}

/// Whether a host under these rules may live at this address; the error says why not.
pub(super) fn check<'r>(mut rules: impl Iterator<Item = &'r AllowedHost>, at: IpAddr, plain: bool) -> Result<(), &'static str> {
    let refusal = address::refusal(at);
    if refusal.is_none() && !plain {
        return Ok(());
    }
    let at = address::unwrapped(at);
    let listed = rules.any(|rule| (rule.plain_http || !plain) && rule.private.iter().any(|range| range.contains(&at)));
    match (listed, refusal) {
        (true, _) => Ok(()),
        (false, Some(why)) => Err(why),
        (false, None) => Err("plain HTTP goes to listed private ranges only"),
    }
}
