//! Name to address, with the refusal in between: what this gives is what the connection is made to.

use super::{AllowedHost, address};
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    collections::HashMap,
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// Whose addresses are given out.
#[derive(Clone)]
pub(super) enum Hosts {
    /// Those on the allow-list, each inside its own ranges.
    Listed(Arc<Vec<AllowedHost>>),
    /// Any, as customers name them: public addresses, and the ranges the operator opened to all.
    Any(Arc<Vec<IpNet>>),
}

/// Finds addresses, and gives out only those that may be connected to. It is the resolver of the HTTP clients.
#[derive(Clone)]
pub(super) struct Gate {
    pub hosts: Hosts,
    pub pinned: Arc<HashMap<String, Vec<SocketAddr>>>,
    /// Whether the connection will be without TLS.
    pub plain: bool,
}

/// Travels inside the client's error back to the caller.
#[derive(Debug, thiserror::Error)]
#[error("{address} is refused: {why}")]
pub(super) struct RefusedAddress {
    pub address: IpAddr,
    pub why: &'static str,
}

impl Gate {
    /// The addresses of a name; their port is 0 unless a pin says another.
    pub async fn addresses(&self, host: &str) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let addresses: Vec<SocketAddr> = match pin(&self.pinned, host) {
            Some(fixed) => fixed.clone(),
            // Names under `localhost` are this machine (RFC 6761, 6.3), though not every resolver knows it.
            None if host.ends_with(".localhost") => vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            None => tokio::net::lookup_host((host, 0)).await?.collect(),
        };
        // One bad address among good ones is how rebinding looks, so it spoils the lot.
        for address in addresses.iter().map(SocketAddr::ip) {
            self.check(host, address)?;
        }
        Ok(addresses)
    }

    /// Whether this host may live at this address.
    pub fn check(&self, host: &str, address: IpAddr) -> Result<(), RefusedAddress> {
        let checked = match &self.hosts {
            Hosts::Listed(rules) => check(ranges(rules.iter().filter(|rule| rule.names(host)), self.plain), address, self.plain),
            Hosts::Any(open) => check(open.iter(), address, self.plain),
        };
        checked.map_err(|why| RefusedAddress { address, why })
    }
}

impl Resolve for Gate {
    fn resolve(&self, name: Name) -> Resolving {
        let gate = self.clone();
        Box::pin(async move {
            let addresses = gate.addresses(&name.as_str().to_ascii_lowercase()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The fixed addresses of a name: its own, or those of `*.` and what follows its first label.
fn pin<'p>(pinned: &'p HashMap<String, Vec<SocketAddr>>, host: &str) -> Option<&'p Vec<SocketAddr>> {
    let parent = || host.split_once('.').and_then(|(_, parent)| pinned.get(&format!("*.{parent}")));
    pinned.get(host).or_else(parent)
}

/// The ranges beside the public addresses that these rules open; without TLS only those of rules that allow that.
pub(super) fn ranges<'r>(rules: impl Iterator<Item = &'r AllowedHost>, plain: bool) -> impl Iterator<Item = &'r IpNet> {
    rules.filter(move |rule| rule.plain_http || !plain).flat_map(|rule| &rule.private)
}

/// Whether an address may be connected to that is public or inside one of these ranges; the error says why not.
pub(super) fn check<'r>(mut ranges: impl Iterator<Item = &'r IpNet>, at: IpAddr, plain: bool) -> Result<(), &'static str> {
    let refusal = address::refusal(at);
    if refusal.is_none() && !plain {
        return Ok(());
    }
    let at = address::unwrapped(at);
    match (ranges.any(|range| range.contains(&at)), refusal) {
        (true, _) => Ok(()),
        (false, Some(why)) => Err(why),
        (false, None) => Err("without TLS only listed private ranges are reached"),
    }
}
