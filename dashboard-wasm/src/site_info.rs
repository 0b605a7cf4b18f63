//! A site as `/api/v1/sites` tells it.
use serde::{Deserialize, Serialize};

/// A site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteInfo {
    /// The domain, which is also its name.
    pub domain: String,
    /// The IANA zone of its hours and days.
    #[serde(default = "utc")]
    pub timezone: String,
    /// How long a visitor can be told from others: `day`, `month` or `device`.
    #[serde(default)]
    pub identity: String,
    /// Whether it can be read without signing in.
    #[serde(default)]
    pub public: bool,
}

fn utc() -> String {
    "UTC".into()
}

/// `GET /api/v1/sites`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteList {
    /// Every site that the session may read.
    pub sites: Vec<SiteInfo>,
}

/// `GET /api/v1/sites/{site}/properties`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyList {
    /// The properties that events carried in the last weeks, the most frequent first.
    pub properties: Vec<Property>,
}

/// A property of events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its name.
    pub name: String,
}

/// The body of `POST /api/v1/sites`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewSite {
    /// The domain.
    pub domain: String,
    /// The IANA zone.
    pub timezone: String,
    /// Whether it can be read without signing in.
    pub public: bool,
}

/// A domain from what people paste: without scheme, path, port and a closing dot, in small letters.
#[must_use]
pub fn domain_of(text: &str) -> String {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
    host.trim_end_matches('.').to_lowercase()
}

/// The tag to paste into a site's pages.
#[must_use]
pub fn script_tag(origin: &str, domain: &str) -> String {
    format!("<script defer data-site=\"{domain}\" src=\"{origin}/t.js\"></script>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_pasted_becomes_a_domain() {
        for text in ["example.com", " https://Example.com/shop?x=1 ", "http://example.com:8080", "example.com."] {
            assert_eq!(domain_of(text), "example.com", "{text:?}");
        }
        assert_eq!(domain_of(""), "");
    }

    #[test]
    fn a_list_is_read_with_what_later_servers_add() {
        let list: SiteList = serde_json::from_str(r#"{"sites":[{"domain":"a.b","timezone":"Asia/Kolkata","identity":"day","hosts":["a.b"],"public":true,"more":1},{"domain":"c.d"}]}"#).unwrap();
        assert_eq!(list.sites[0].timezone, "Asia/Kolkata");
        assert_eq!((list.sites[1].timezone.as_str(), list.sites[1].public), ("UTC", false));
    }
}
