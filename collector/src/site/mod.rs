//! What a site is, apart from where it is stored.
mod domain;
mod retention;
mod timeline;

pub use domain::{Domain, HostRule, InvalidDomain, InvalidHost};
pub use retention::Retention;
pub use timeline::{Era, Timeline};

use headwater_core::{Millis, SiteId};
use headwater_edge::Identity;
use serde::Serialize;

use crate::store::bots::BotDay;
use crate::store::people::Role;

/// One site.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its number, never used again.
    pub id: SiteId,
    /// Its name, under which trackers and queries know it.
    pub domain: Domain,
    /// From which hosts events are taken; empty: the domain and its subdomains.
    pub hosts: Vec<HostRule>,
    /// Whether anyone may read its numbers.
    pub public: bool,
    /// On how many objects an edge on Workers spreads it: 1 to 256.
    pub shards: u16,
    /// How long buckets are kept.
    pub retention: Retention,
    /// When it was added.
    pub created: Millis,
    /// Its zones and identities over time.
    pub timeline: Timeline,
}

/// How the outside sees a site: the answer of `GET /api/v1/sites/{domain}`.
#[derive(Clone, Debug, Serialize)]
pub struct SiteView {
    /// The name.
    pub domain: String,
    /// The IANA zone that holds now.
    pub timezone: String,
    /// `day`, `month` or `device`, as it holds now.
    pub identity: Identity,
    /// The rules for hosts; empty: the domain and its subdomains.
    pub hosts: Vec<String>,
    /// Whether anyone may read.
    pub public: bool,
    /// On how many objects an edge on Workers spreads it.
    pub shards: u16,
    /// Days that buckets are kept; `null` is for ever.
    pub retention: Retention,
    /// A zone or identity that takes effect later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextSetting>,
    /// When the first bucket that is kept begins: a UTC minute, in ISO 8601. Only told of a site that is asked for by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What bots sent on the last days, which is in no number. Only told of a site that is asked for by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bots: Option<Vec<BotDay>>,
    /// What the asker may do: `viewer`, `editor` or `owner`; nothing for who only reads what is public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

impl SiteView {
    /// The same, as somebody with this role sees it.
    #[must_use]
    pub fn with_role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }
}

/// A change that waits for a local midnight.
#[derive(Clone, Debug, Serialize)]
pub struct NextSetting {
    /// When it takes effect: a UTC minute, in ISO 8601.
    pub from: String,
    /// The zone from then.
    pub timezone: String,
    /// The identity from then.
    pub identity: Identity,
}

impl Site {
    /// The site as the outside sees it at `now`.
    #[must_use]
    pub fn view(&self, now: Millis) -> SiteView {
        let era = self.timeline.at(now.minute());
        let next = self.timeline.after(now.minute()).map(|next| NextSetting {
            from: crate::text::iso_minute(next.from),
            timezone: next.calendar.name().to_owned(),
            identity: next.identity,
        });
        SiteView {
            domain: self.domain.to_string(),
            timezone: era.calendar.name().to_owned(),
            identity: era.identity,
            hosts: self.hosts.iter().map(ToString::to_string).collect(),
            public: self.public,
            shards: self.shards,
            retention: self.retention,
            next,
            since: None,
            bots: None,
            role: None,
        }
    }
}

/// The word for an identity, as in settings and on the command line.
#[must_use]
pub const fn identity_name(identity: Identity) -> &'static str {
    match identity {
        Identity::Day => "day",
        Identity::Month => "month",
        Identity::Device => "device",
    }
}

/// Reads `day`, `month` or `device`.
#[must_use]
pub fn parse_identity(word: &str) -> Option<Identity> {
    [Identity::Day, Identity::Month, Identity::Device].into_iter().find(|identity| identity_name(*identity) == word)
}
