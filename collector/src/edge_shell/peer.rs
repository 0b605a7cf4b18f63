//! Who sent a request: the peer of the connection, or whom a trusted peer names in `X-Forwarded-For`.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses, as in `10.0.0.0/8` or `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: u128,
    /// How many leading bits count, of 128.
    bits: u32,
}

/// Why a text is no [`Cidr`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address range; write 10.0.0.0/8 or 2001:db8::/32")]
pub struct CidrError(String);

/// IPv4 addresses as IPv6 sees them, so that one comparison serves both.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

const fn mask(bits: u32) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (128 - bits) }
}

impl Cidr {
    /// This machine: 127.0.0.0/8 and ::1.
    pub const LOOPBACK: [Self; 2] = [
        Self { network: Ipv4Addr::new(127, 0, 0, 0).to_ipv6_mapped().to_bits(), bits: 104 },
        Self { network: Ipv6Addr::LOCALHOST.to_bits(), bits: 128 },
    ];

    /// Whether the address is in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        bits_of(address) & mask(self.bits) == self.network
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let fail = || CidrError(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| fail())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| fail())?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(full);
        if length > full {
            return Err(fail());
        }
        let bits = length + 128 - full;
        Ok(Self { network: bits_of(address) & mask(bits), bits })
    }
}

/// The sender's address. Of a chain of proxies the last hop that is not itself trusted is taken: what stands before it
/// was written by the sender and proves nothing. The flag says that a header was there and was ignored.
#[must_use]
pub fn sender(peer: Option<IpAddr>, forwarded: Option<&str>, trusted: &[Cidr], token: bool) -> (Option<IpAddr>, bool) {
    let Some(forwarded) = forwarded else { return (peer, false) };
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    if !token && !peer.is_some_and(is_trusted) {
        return (peer, true);
    }
    let mut best = peer;
    for hop in forwarded.rsplit(',') {
        let Some(address) = hop_address(hop.trim()) else { break };
        best = Some(address);
        if !is_trusted(address) {
            break;
        }
    }
    (best, false)
}

/// `1.2.3.4`, `1.2.3.4:567`, `::1`, `[::1]` or `[::1]:567`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse() {
        return Some(address);
    }
    if let Some(rest) = hop.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    hop.rsplit_once(':')?.0.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn ranges_hold_what_they_say() {
        let range: Cidr = "10.1.0.0/16".parse().unwrap();
        assert!(range.contains("10.1.2.3".parse().unwrap()) && range.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!range.contains("10.2.0.0".parse().unwrap()));
        let all: Cidr = "::/0".parse().unwrap();
        assert!(all.contains("1.2.3.4".parse().unwrap()));
        for bad in ["", "10.0.0.0/33", "x/8", "10.0.0.0/", "::/129", "10.0.0.0/-1"] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
        assert!(Cidr::LOOPBACK[0].contains("127.9.9.9".parse().unwrap()) && Cidr::LOOPBACK[1].contains("::1".parse().unwrap()));
    }

    #[test]
    fn only_trusted_peers_name_others() {
        let trusted = Cidr::LOOPBACK;
        assert_eq!(sender(ip("127.0.0.1"), Some("9.9.9.9, 8.8.8.8"), &trusted, false), (ip("8.8.8.8"), false));
        assert_eq!(sender(ip("127.0.0.1"), Some("8.8.8.8, 127.0.0.1"), &trusted, false), (ip("8.8.8.8"), false));
        assert_eq!(sender(ip("7.7.7.7"), Some("8.8.8.8"), &trusted, false), (ip("7.7.7.7"), true));
        assert_eq!(sender(ip("7.7.7.7"), Some("8.8.8.8"), &trusted, true), (ip("8.8.8.8"), false));
        assert_eq!(sender(ip("127.0.0.1"), None, &trusted, false), (ip("127.0.0.1"), false));
        assert_eq!(sender(ip("127.0.0.1"), Some("nonsense"), &trusted, false), (ip("127.0.0.1"), false));
        assert_eq!(sender(ip("127.0.0.1"), Some("[2001:db8::1]:4"), &trusted, false), (ip("2001:db8::1"), false));
        assert_eq!(sender(ip("127.0.0.1"), Some("8.8.8.8:4"), &trusted, false), (ip("8.8.8.8"), false));
    }
}
