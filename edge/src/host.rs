//! Addresses of pages: just enough of a URL for counting. Not a validator: a browser wrote them, or someone who can
//! write what they like anyway.

/// The parts of an absolute address that are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    /// The host in lower case, without port, user or brackets.
    pub host: String,
    /// The path, from its first `/`; `/` if there is none.
    pub path: &'a str,
    /// What stands between `?` and `#`.
    pub query: &'a str,
    /// What stands after `#`.
    pub fragment: &'a str,
}

impl<'a> Page<'a> {
    /// Splits `scheme://host/path?query#fragment`; `None` if there is no scheme or no host.
    #[must_use]
    pub fn parse(address: &'a str) -> Option<Self> {
        let (scheme, rest) = address.trim().split_once("://")?;
        if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) {
            return None;
        }
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        let host = authority_host(authority)?;
        Some(Self { host, path, query, fragment })
    }

    /// The value of the first of `names` that the query has, percent-decoded.
    #[must_use]
    pub fn parameter(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let values = self.query.split('&').filter_map(|pair| pair.split_once('='));
            values.filter(|(key, _)| key == name).map(|(_, value)| decode(value)).find(|value| !value.is_empty())
        })
    }
}

/// The host of an authority: `user@host:port`.
fn authority_host(authority: &str) -> Option<String> {
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let fits = !host.is_empty() && host.len() <= 253 && !host.contains(|c: char| c.is_whitespace() || c.is_control());
    fits.then(|| host.to_lowercase())
}

/// A host and its parents: `a.b.c`, `b.c`, `c`.
pub(crate) fn parents(host: &str) -> impl Iterator<Item = &str> {
    core::iter::successors(Some(host), |host| host.split_once('.').map(|(_, parent)| parent))
}

/// The host of an `Origin` or `Referer` header.
#[must_use]
pub fn header_host(value: &str) -> Option<String> {
    Page::parse(value).map(|page| page.host)
}

/// Percent-decoding of a query value; `+` is a space, and what is no UTF-8 becomes U+FFFD.
fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A') + 10,
    }
}

/// The longest beginning of `text` that has at most `limit` bytes and ends at a character.
#[must_use]
pub fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split() {
        let page = Page::parse("https://User:pw@WWW.Example.com:8080/a/b?utm_source=x%20y+z&ref=&q#top").unwrap();
        assert_eq!((page.host.as_str(), page.path, page.fragment), ("www.example.com", "/a/b", "top"));
        assert_eq!(page.parameter(&["utm_source"]).as_deref(), Some("x y z"));
        assert_eq!(page.parameter(&["ref", "q"]), None);
        assert_eq!(Page::parse("http://example.com").unwrap().path, "/");
        assert_eq!(Page::parse("http://example.com?x=1").unwrap().query, "x=1");
        assert_eq!(Page::parse("http://[2001:DB8::1]:80/").unwrap().host, "2001:db8::1");
        assert_eq!(Page::parse("https://example.com./").unwrap().host, "example.com");
    }

    #[test]
    fn what_is_no_address_is_none() {
        for bad in [
            "",
            "/path",
            "example.com/x",
            "null",
            "https://",
            "https:///x",
            "://a",
            "ht tp://a",
            "data:text/html,x",
            "http://a b/",
        ] {
            assert_eq!(Page::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn percent_decoding_takes_anything() {
        assert_eq!(decode("%e2%82%ac%zz%4"), "€%zz%4");
        assert_eq!(decode("%ff"), "\u{fffd}");
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 0), "");
    }
}
