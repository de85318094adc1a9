//! Which addresses are not the public internet's. Follows the IANA special-purpose registries (RFC 6890 and successors).

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(address: [u8; 4], length: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(first: u16, second: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), length)
}

const V4: &[(Ipv4Net, &str)] = &[
    (v4([0, 0, 0, 0], 8), "this network"),
    (v4([10, 0, 0, 0], 8), "private"),
    (v4([100, 64, 0, 0], 10), "carrier-grade NAT"),
    (v4([127, 0, 0, 0], 8), "loopback"),
    (v4([168, 63, 129, 16], 32), "Azure platform"),
    (v4([169, 254, 0, 0], 16), "link-local, where cloud metadata lives"),
    (v4([172, 16, 0, 0], 12), "private"),
    (v4([192, 0, 0, 0], 24), "protocol assignments"),
    (v4([192, 0, 2, 0], 24), "documentation"),
    (v4([192, 88, 99, 0], 24), "6to4 relay"),
    (v4([192, 168, 0, 0], 16), "private"),
    (v4([198, 18, 0, 0], 15), "benchmarking"),
    (v4([198, 51, 100, 0], 24), "documentation"),
    (v4([203, 0, 113, 0], 24), "documentation"),
    (v4([224, 0, 0, 0], 4), "multicast"),
    (v4([240, 0, 0, 0], 4), "reserved"),
];

/// Inside the global unicast block 2000::/3; everything outside that block is refused anyway.
const V6: &[(Ipv6Net, &str)] = &[
    (v6(0x2001, 0, 23), "protocol assignments"),
    (v6(0x2001, 0xdb8, 32), "documentation"),
    (v6(0x2002, 0, 16), "6to4"),
    (v6(0x3fff, 0, 20), "documentation"),
];

/// The address without its IPv4-in-IPv6 wrapping (mapped `::ffff:0:0/96`, NAT64 `64:ff9b::/96`).
pub fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [.., a, b] = v6.segments();
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            let ([a, b], [c, d]) = (a.to_be_bytes(), b.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address,
    }
}

/// Why the address is not a public one, or `None` if it is.
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    match unwrapped(address) {
        IpAddr::V4(ip) => V4.iter().find(|(range, _)| range.contains(&ip)).map(|(_, why)| *why),
        IpAddr::V6(ip) => {
            let inside = V6.iter().find(|(range, _)| range.contains(&ip)).map(|(_, why)| *why);
            inside.or_else(|| outside_global(ip))
        }
    }
}

fn outside_global(ip: Ipv6Addr) -> Option<&'static str> {
    match ip.segments()[0] {
        0x2000..=0x3fff => None,
        _ if ip.is_loopback() => Some("loopback"),
        0xfc00..=0xfdff => Some("unique local"),
        0xfe80..=0xfebf => Some("link-local"),
        0xff00..=0xffff => Some("multicast"),
        _ => Some("not global unicast"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_inner_address_is_refused_in_each_wrapping() {
        let inner = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.254",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
        ];
        for text in inner {
            assert!(refusal(text.parse().unwrap()).is_some(), "{text}");
            for wrapping in ["::ffff:", "64:ff9b::"] {
                assert!(refusal(format!("{wrapping}{text}").parse().unwrap()).is_some(), "{wrapping}{text}");
            }
        }
        let v6 = [
            "::",
            "::1",
            "::127.0.0.1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "64:ff9b:1::1",
            "100::1",
            "3fff::1",
            "5f00::1",
            "fd00:ec2::254",
        ];
        for text in v6 {
            assert!(refusal(text.parse().unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn public_addresses_pass_up_to_the_edge_of_each_range() {
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2603:1030::1",
            "2a01:111::1",
            "2001:4860:4860::8888",
            "::ffff:20.190.128.1",
            "64:ff9b::20.190.128.1",
        ];
        for text in public {
            assert_eq!(refusal(text.parse().unwrap()), None, "{text}");
        }
    }
}
