//! Whose address a request comes from: the connection's, or, behind proxies the operator trusts, the one they say.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;

/// The proxies whose `X-Forwarded-For` is believed.
pub struct Proxies(pub Vec<IpNet>);

impl Proxies {
    fn trusted(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }

    /// The right-most address that no trusted proxy has: everything left of it is the sender's own claim.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let claims = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
        let claims: Vec<&str> = claims.collect();
        for claim in claims.iter().rev() {
            if !self.trusted(client) {
                return client;
            }
            let Ok(next) = claim.trim().parse() else { return client };
            client = next;
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, claims: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for claim in claims {
            headers.append("x-forwarded-for", claim.parse().unwrap());
        }
        let proxies = Proxies(trusted.iter().map(|r| r.parse().unwrap()).collect());
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_about_the_hop_before_it() {
        assert_eq!(client(&[], "10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["9.9.9.9, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["1.2.3.4", "10.0.0.7"]), "1.2.3.4");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "8.8.8.8", &["1.2.3.4"]), "8.8.8.8");
    }
}
