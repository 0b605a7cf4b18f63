//! The names of sites and of the hosts that may send for them.
use std::fmt;
use std::str::FromStr;

/// A site's name: a host name in lower case, such as `example.com`. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

/// A rule for hosts: `host`, `*.host` (its subdomains) or `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostRule(String);

/// The text is no domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no domain; write it as example.com, without https:// and without a path (xn--… for letters outside ASCII)")]
pub struct InvalidDomain(String);

/// The text is no rule for hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host; write shop.example.com, *.example.com for all subdomains, or * for any host")]
pub struct InvalidHost(String);

/// Whether `text` is a host name or an address: 1 to 253 characters, labels of letters, digits, `-` and `_`.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => text.len() <= 253 && text.split('.').all(label),
    }
}

impl Domain {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let lower = text.trim().to_ascii_lowercase();
        if is_host(&lower) { Ok(Self(lower)) } else { Err(InvalidDomain(shorten(text))) }
    }
}

impl FromStr for HostRule {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let lower = text.trim().to_ascii_lowercase();
        if lower == "*" || is_host(lower.strip_prefix("*.").unwrap_or(&lower)) {
            Ok(Self(lower))
        } else {
            Err(InvalidHost(shorten(text)))
        }
    }
}

/// Errors repeat what was given, but not a megabyte of it.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_host_names_in_lower_case() {
        for (text, name) in [("Example.COM", "example.com"), ("demo.localhost", "demo.localhost"), ("localhost", "localhost")] {
            assert_eq!(text.parse::<Domain>().map(|d| d.to_string()).as_deref(), Ok(name));
        }
        for text in ["", "https://example.com", "example.com/blog", "a b.com", "example..com", ".com", "exämple.com", "a:80"] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }

    #[test]
    fn host_rules_are_hosts_subdomains_or_everyone() {
        for text in ["*", "*.example.com", "127.0.0.1", "[::1]", "shop.example.com"] {
            assert!(text.parse::<HostRule>().is_ok(), "{text}");
        }
        for text in ["", "*.", "a.*.com", "**", "http://x"] {
            assert!(text.parse::<HostRule>().is_err(), "{text}");
        }
    }
}
