//! Who: the visitor hash, made here before anything is stored, and the address and user agent end here.
use std::net::IpAddr;

use headwater_core::{Minute, SiteId, VisitorHash};

use crate::{Identity, SaltWindow, SiteFacts};

/// What tells visitors apart. Lives as long as the request.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The sender's address, if the shell knows one.
    pub address: Option<IpAddr>,
    /// The user agent.
    pub user_agent: &'a str,
    /// The browser's random id, zero without one.
    pub device: [u8; 8],
}

impl Who<'_> {
    /// The visitor in the window of `minute`; `None` without a salt for it.
    #[must_use]
    pub fn hash(&self, site: &SiteFacts, minute: Minute) -> Option<VisitorHash> {
        site.window(minute).map(|window| self.hash_in(site.id, window, minute))
    }

    /// The visitor as they were known in the window before that of `minute` (for a site that keeps a device id, the day
    /// before), if its salt is still there: a visit that goes on over midnight is found by it.
    #[must_use]
    pub fn hash_before(&self, site: &SiteFacts, minute: Minute) -> Option<VisitorHash> {
        let window = site.window(minute)?;
        let before = match window.identity {
            Identity::Device => minute.offset(-1440).max(window.from),
            Identity::Day | Identity::Month => Minute(window.from.0.checked_sub(1)?),
        };
        self.hash(site, before)
    }

    fn hash_in(&self, site: SiteId, window: &SaltWindow, minute: Minute) -> VisitorHash {
        let mut hasher = blake3::Hasher::new_keyed(&window.salt);
        hasher.update(&site.0.to_le_bytes());
        if window.identity == Identity::Device && self.device != [0; 8] {
            hasher.update(b"d").update(&self.device);
        } else {
            // Without a device id (no consent, or no browser) such a site's visitors are told apart for one UTC day only:
            // its salt lives as long as the site, and nobody agreed to be recognised for that long.
            if window.identity == Identity::Device {
                hasher.update(b"u").update(&(minute.0 / 1440).to_le_bytes());
            }
            match self.address.map(|address| address.to_canonical()) {
                Some(IpAddr::V4(v4)) => hasher.update(b"4").update(&v4.octets()),
                // A household has a /64, and its devices change the rest daily (RFC 8981).
                Some(IpAddr::V6(v6)) => hasher.update(b"6").update(&v6.octets()[..8]),
                None => hasher.update(b"0"),
            };
            hasher.update(self.user_agent.as_bytes());
        }
        VisitorHash(first_u64(&hasher.finalize()).min(u64::MAX - 1)) // the maximum means "everyone" as a sample's theta
    }
}

/// The first 64 bits of a hash.
#[must_use]
pub fn first_u64(hash: &blake3::Hash) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

/// A number that orders the values of one minute by the id they came under. Keyed by the minute's salt: the same at
/// every edge, and nothing that a client chose.
#[must_use]
pub fn order_of(window: &SaltWindow, id: &[u8]) -> u64 {
    first_u64(&blake3::Hasher::new_keyed(&window.salt).update(b"order").update(id).finalize())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A site with one window for each UTC day up to day 40,000 around `day`.
    pub(crate) fn site(identity: Identity) -> SiteFacts {
        let day = |d: u32| SaltWindow { from: Minute(d * 1440), to: Minute((d + 1) * 1440), identity, salt: [d as u8; 32] };
        let salts = match identity {
            Identity::Day => (95..105).map(day).collect(),
            _ => vec![SaltWindow { from: Minute(0), to: Minute(u32::MAX), identity, salt: [7; 32] }],
        };
        SiteFacts { id: SiteId(3), domain: "example.com".into(), salts, ..SiteFacts::default() }
    }

    fn who(address: &str) -> Who<'_> {
        Who { address: address.parse().ok(), user_agent: "UA", device: [0; 8] }
    }

    #[test]
    fn a_visitor_is_address_agent_site_and_day() {
        let facts = site(Identity::Day);
        let at = Minute(100 * 1440);
        let base = who("1.2.3.4").hash(&facts, at);
        assert!(base.is_some());
        assert_eq!(base, who("1.2.3.4").hash(&facts, at.offset(1439)));
        assert_eq!(base, who("::ffff:1.2.3.4").hash(&facts, at));
        assert_ne!(base, who("1.2.3.5").hash(&facts, at));
        assert_ne!(base, who("1.2.3.4").hash(&facts, at.offset(1440)));
        assert_ne!(base, Who { user_agent: "UB", ..who("1.2.3.4") }.hash(&facts, at));
        assert_ne!(base, who("1.2.3.4").hash(&SiteFacts { id: SiteId(4), ..facts.clone() }, at));
        assert_eq!(who("1.2.3.4").hash(&facts, Minute(1)), None);
        assert_eq!(who("1.2.3.4").hash_before(&facts, at.offset(1440)), base);
        assert_eq!(who("1.2.3.4").hash_before(&facts, Minute(95 * 1440)), None);
    }

    #[test]
    fn ipv6_counts_by_its_64_bits() {
        let facts = site(Identity::Day);
        let at = Minute(100 * 1440);
        assert_eq!(who("2001:db8:1:2:3::1").hash(&facts, at), who("2001:db8:1:2::9").hash(&facts, at));
        assert_ne!(who("2001:db8:1:2::1").hash(&facts, at), who("2001:db8:1:3::1").hash(&facts, at));
    }

    #[test]
    fn a_device_is_recognised_for_ever_and_others_for_a_day() {
        let facts = site(Identity::Device);
        let device = |address| Who { device: [9; 8], ..who(address) };
        assert_eq!(device("1.2.3.4").hash(&facts, Minute(5)), device("5.6.7.8").hash(&facts, Minute(500_000)));
        assert_eq!(who("1.2.3.4").hash(&facts, Minute(5)), who("1.2.3.4").hash(&facts, Minute(1439)));
        assert_ne!(who("1.2.3.4").hash(&facts, Minute(5)), who("1.2.3.4").hash(&facts, Minute(1440)));
        assert_eq!(who("1.2.3.4").hash_before(&facts, Minute(1440)), who("1.2.3.4").hash(&facts, Minute(0)));
    }
}
