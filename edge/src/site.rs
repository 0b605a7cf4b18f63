//! What an edge must know of a site before it can count for it.
use headwater_core::{Minute, SiteId};
use serde::{Deserialize, Serialize};

/// How visitors of a site are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// By address and user agent, within one day of the site's clock.
    #[default]
    Day,
    /// By address and user agent, within one month of the site's clock.
    Month,
    /// By a random id that the browser keeps, for sites with consent; the window is the site's life.
    Device,
}

/// One identity window: while it lasts, the same visitor has the same hash.
///
/// Made at random by the collector, three days ahead, and destroyed everywhere 96 hours after `to`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaltWindow {
    /// The first minute of the window.
    pub from: Minute,
    /// The first minute after it.
    pub to: Minute,
    /// How visitors are told apart in it: a change of identity takes effect between two windows.
    pub identity: Identity,
    /// The secret.
    pub salt: [u8; 32],
}

impl core::fmt::Debug for SaltWindow {
    // A salt in a log would make every visitor hash of its window reversible.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SaltWindow")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// A site, as an edge knows it: what `GET /v1/edge/sites/{site}` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteFacts {
    /// The site's number in this installation.
    pub id: SiteId,
    /// The name that trackers and events carry, in lower case.
    pub domain: String,
    /// From which pages events are taken: `host`, `*.host` (its subdomains) or `*`. Empty: the domain and its subdomains.
    pub hosts: Vec<String>,
    /// The windows that are known, in any order; they do not overlap.
    pub salts: Vec<SaltWindow>,
    /// On how many objects an edge spreads the site's 256 virtual shards: 1 to 256.
    pub shards: u16,
    /// The installation's key: by what events without a page load find their shard. It does not change with the day.
    pub key: [u8; 32],
    /// BLAKE3 of each token that may send events.
    pub senders: Vec<[u8; 32]>,
}

impl SiteFacts {
    /// Whether this bearer token may send events for the site.
    #[must_use]
    pub fn knows_sender(&self, bearer: &str) -> bool {
        let hash = *blake3::hash(bearer.as_bytes()).as_bytes();
        self.senders.contains(&hash)
    }

    /// The identity window that holds `minute`; `None` when its salt is not known here (yet, or any more).
    #[must_use]
    pub fn window(&self, minute: Minute) -> Option<&SaltWindow> {
        self.salts.iter().find(|w| w.from <= minute && minute < w.to)
    }

    /// Whether pages of `host` may send events.
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|rule| rule == "*") || self.owns_host(host)
    }

    /// Whether `host` belongs to the site, so that a link from it is no referrer.
    #[must_use]
    pub fn owns_host(&self, host: &str) -> bool {
        if self.hosts.is_empty() || self.hosts.iter().any(|rule| rule == "*") {
            return host.eq_ignore_ascii_case(&self.domain) || is_subdomain(host, &self.domain);
        }
        self.hosts.iter().any(|rule| match rule.strip_prefix("*.") {
            Some(parent) => is_subdomain(host, parent),
            None => host.eq_ignore_ascii_case(rule),
        })
    }
}

/// Whether `host` is a proper subdomain of `parent`.
fn is_subdomain(host: &str, parent: &str) -> bool {
    host.len().checked_sub(parent.len() + 1).is_some_and(|dot| {
        let (host, parent) = (host.as_bytes(), parent.as_bytes());
        !parent.is_empty() && dot > 0 && host[dot] == b'.' && host[dot + 1..].eq_ignore_ascii_case(parent)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(hosts: &[&str]) -> SiteFacts {
        SiteFacts {
            id: SiteId(1),
            domain: "example.com".into(),
            hosts: hosts.iter().map(|h| (*h).into()).collect(),
            ..SiteFacts::default()
        }
    }

    #[test]
    fn by_default_the_domain_and_its_subdomains_send() {
        let site = site(&[]);
        for host in ["example.com", "EXAMPLE.com", "www.example.com", "a.b.example.com"] {
            assert!(site.allows_host(host), "{host}");
        }
        for host in ["", ".example.com", "badexample.com", "example.com.evil.org", "com", "example.org"] {
            assert!(!site.allows_host(host), "{host}");
        }
    }

    #[test]
    fn listed_hosts_replace_the_default() {
        let site = site(&["shop.example.com", "*.other.org"]);
        assert!(site.allows_host("shop.example.com") && site.allows_host("x.other.org"));
        assert!(!site.allows_host("example.com") && !site.allows_host("other.org") && !site.allows_host("a.shop.example.com"));
    }

    #[test]
    fn a_star_allows_everyone_but_owns_only_the_domain() {
        let site = site(&["*"]);
        assert!(site.allows_host("anything.net") && !site.owns_host("anything.net") && site.owns_host("www.example.com"));
    }

    #[test]
    fn a_minute_has_the_window_that_holds_it() {
        let mut site = site(&[]);
        let window =
            |from, to| SaltWindow { from: Minute(from), to: Minute(to), identity: Identity::Day, salt: [from as u8; 32] };
        site.salts = vec![window(20, 30), window(10, 20)];
        assert_eq!(site.window(Minute(9)), None);
        assert_eq!(site.window(Minute(19)).map(|w| w.salt[0]), Some(10));
        assert_eq!(site.window(Minute(20)).map(|w| w.salt[0]), Some(20));
        assert_eq!(site.window(Minute(30)), None);
        assert!(!format!("{site:?}").contains("salt: ["), "salts stay out of logs");
    }
}
