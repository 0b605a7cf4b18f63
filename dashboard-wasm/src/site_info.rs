//! A site as `/api/v1/sites` tells it.
use headwater_query::Filter;
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
    /// What who is signed in may do there: `viewer`, `editor` or `owner`.
    #[serde(default)]
    pub role: Option<String>,
    /// When the first bucket that is kept begins, in ISO 8601.
    #[serde(default)]
    pub since: Option<String>,
    /// From where events are taken; empty: the domain and its subdomains.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How many days are kept of each.
    #[serde(default)]
    pub retention: Retention,
}

/// Days that buckets are kept; none is for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// Minutes.
    pub minutes: Option<u32>,
    /// Hours.
    pub hours: Option<u32>,
    /// Who did what in each hour: what filters read.
    pub hour_samples: Option<u32>,
    /// Days.
    pub days: Option<u32>,
    /// Who did what on each day.
    pub day_samples: Option<u32>,
}

impl SiteInfo {
    /// Whether who is signed in may change what is shown of it.
    #[must_use]
    pub fn may_edit(&self) -> bool {
        matches!(self.role.as_deref(), Some("editor" | "owner"))
    }

    /// Whether they may change the site itself.
    #[must_use]
    pub fn may_own(&self) -> bool {
        self.role.as_deref() == Some("owner")
    }
}

/// `GET /api/v1/session`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// `admin` for who may do everything.
    pub scope: String,
    /// Who signed in with a password.
    #[serde(default)]
    pub person: Option<Person>,
    /// How many people there are, told to an administrator who is none of them.
    #[serde(default)]
    pub people: Option<u64>,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// The address.
    pub email: String,
    /// The name.
    #[serde(default)]
    pub name: String,
}

/// `GET /api/v1/sites/{site}/segments`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SegmentList {
    /// By name.
    pub segments: Vec<Segment>,
}

/// A saved segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its number.
    #[serde(default, skip_serializing)]
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it lets through; all of them must hold.
    pub filters: Vec<Filter>,
}

/// `GET /api/v1/sites/{site}/annotations`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct AnnotationList {
    /// By day.
    pub annotations: Vec<Annotation>,
}

/// What happened on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// A day of the site's clock, as `2026-11-22`.
    pub date: String,
    /// The words.
    pub text: String,
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
    host.trim_end_matches('.').to_ascii_lowercase()
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
