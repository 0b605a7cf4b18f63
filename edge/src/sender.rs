//! Who sent a request, and what is made of it: the properties of the visit.
use std::net::IpAddr;

use headwater_core::beacon::MAX_STRING;
use headwater_core::{Millis, VisitDimension};

use crate::client::{Client, screen_class};
use crate::hints::Hints;
use crate::host::{Page, cut};
use crate::record::context;
use crate::source::{CLICK_IDS, Campaign, origin};
use crate::{SiteFacts, zone};

/// Where the platform says the sender is; empty where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// ISO 3166-1 alpha-2 code.
    pub country: &'a str,
    /// ISO 3166-2 code.
    pub region: &'a str,
    /// Name of the city.
    pub city: &'a str,
}

/// A [`Place`] that was looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// ISO 3166-2 code.
    pub region: String,
    /// Name of the city.
    pub city: String,
}

impl Located {
    /// The same, borrowed.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        Place { country: &self.country, region: &self.region, city: &self.city }
    }
}

/// What a shell knows of a request besides its body. Lives as long as the request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sender<'a> {
    /// When it arrived.
    pub at: Millis,
    /// The header `Origin`.
    pub origin: Option<&'a str>,
    /// The header `Referer`.
    pub referer: Option<&'a str>,
    /// The header `User-Agent`, empty without one.
    pub user_agent: &'a str,
    /// The headers in which browsers say more than in their user agent.
    pub hints: Hints<'a>,
    /// The visitor's address, as far as the peer is believed.
    pub address: Option<IpAddr>,
    /// Where the platform says that is.
    pub place: Place<'a>,
    /// The request has a valid token.
    pub token: bool,
}

impl Sender<'_> {
    /// Whether a beacon comes from a program by how it comes: every browser says who it is, and only browsers run trackers.
    #[must_use]
    pub fn is_no_browser(&self) -> bool {
        !self.token && self.user_agent.trim().is_empty()
    }

    /// The host of the page that sent it: of `Origin`, or of `Referer` where a browser keeps the origin to itself.
    #[must_use]
    pub fn page_host(&self) -> Option<String> {
        let host = |header: Option<&str>| header.and_then(crate::host::header_host);
        host(self.origin).or_else(|| host(self.referer))
    }
}

/// What is told of a visit; all empty or 0 where nothing is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// The address of the referring page, or the site's own.
    pub referrer: &'a str,
    /// `utm_source`, or `ref` or `source`.
    pub source: &'a str,
    /// `utm_medium`.
    pub medium: &'a str,
    /// `utm_campaign`.
    pub campaign: &'a str,
    /// `utm_content`.
    pub content: &'a str,
    /// `utm_term`.
    pub term: &'a str,
    /// Which of [`crate::source::CLICK_IDS`] the address had.
    pub click: &'a str,
    /// The path of the first page.
    pub entry: &'a str,
    /// The browser's language.
    pub language: &'a str,
    /// The browser's time zone.
    pub zone: &'a str,
    /// The screen's width in CSS pixels.
    pub screen: u16,
}

/// What the address of a visit's first page says of how it came, where no tracker of ours has read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    source: String,
    medium: String,
    campaign: String,
    content: String,
    term: String,
    click: &'static str,
}

impl Landing {
    /// Reads the address.
    #[must_use]
    pub fn of(page: &Page<'_>) -> Self {
        let parameter = |names: &[&str]| page.parameter(names).unwrap_or_default();
        Self {
            source: parameter(&["utm_source", "source", "ref"]),
            medium: parameter(&["utm_medium"]),
            campaign: parameter(&["utm_campaign"]),
            content: parameter(&["utm_content"]),
            term: parameter(&["utm_term"]),
            click: CLICK_IDS.iter().find(|(id, _)| page.parameter(&[id]).is_some()).map_or("", |(id, _)| id),
        }
    }

    /// What is told of the visit by it, the referrer and the path of the page.
    #[must_use]
    pub fn told<'a>(&'a self, referrer: &'a str, entry: &'a str) -> Told<'a> {
        let Self { source, medium, campaign, content, term, click } = self;
        Told { referrer, source, medium, campaign, content, term, click, entry, ..Told::default() }
    }
}

/// A referring page as it is kept: host and path, without scheme, `www.`, user, query, fragment and last slash. Empty
/// for the site's own pages and for what is no address.
fn external(referrer: &str, site: &SiteFacts) -> (String, String) {
    let page = Page::parse(referrer).filter(|page| !site.owns_host(&page.host));
    page.map_or_else(Default::default, |page| {
        let kept = format!("{}{}", page.host.strip_prefix("www.").unwrap_or(&page.host), page.path.trim_end_matches('/'));
        (page.host, cut(&kept, MAX_STRING).to_owned())
    })
}

/// The properties of a visit, in the form that is stored.
#[must_use]
pub fn visit_context(site: &SiteFacts, place: &Place<'_>, client: &Client, told: &Told<'_>) -> Vec<u8> {
    let (host, referrer) = external(told.referrer, site);
    let campaign = Campaign { source: told.source, medium: told.medium, campaign: told.campaign, click: told.click };
    let from = origin(&host, &campaign);
    let country = if place.country.is_empty() { zone::country(told.zone) } else { place.country };
    let values: context::Values<'_> = core::array::from_fn(|at| {
        let value = match VisitDimension::ALL.get(at) {
            Some(VisitDimension::Country) => country,
            Some(VisitDimension::Region) => place.region,
            Some(VisitDimension::City) => place.city,
            Some(VisitDimension::Device) => client.device,
            Some(VisitDimension::Browser) => client.browser,
            Some(VisitDimension::BrowserVersion) => &client.browser_version,
            Some(VisitDimension::Os) => client.os,
            Some(VisitDimension::OsVersion) => &client.os_version,
            Some(VisitDimension::Language) => cut(told.language, 35), // the longest tag of RFC 5646 without private use
            Some(VisitDimension::Screen) => screen_class(told.screen),
            Some(VisitDimension::Source) => &from.source,
            Some(VisitDimension::Referrer) => &referrer,
            Some(VisitDimension::Channel) => from.channel,
            Some(VisitDimension::UtmSource) => told.source,
            Some(VisitDimension::UtmMedium) => told.medium,
            Some(VisitDimension::UtmCampaign) => told.campaign,
            Some(VisitDimension::UtmContent) => told.content,
            Some(VisitDimension::UtmTerm) => told.term,
            Some(VisitDimension::EntryPage) => told.entry,
            None => "",
        };
        cut(value, MAX_STRING)
    });
    context::encode(&values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;
    use crate::visitor::tests::site;

    fn of(told: &Told<'_>) -> Vec<String> {
        let place = Place { country: "", region: "", city: "Ulm" };
        let bytes = visit_context(
            &site(Identity::Day),
            &place,
            &Client::parse("Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0"),
            told,
        );
        context::decode(&bytes).unwrap().iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn a_visit_has_properties() {
        let told = Told {
            referrer: "https://www.google.com/search/?q=secret#x",
            entry: "/a",
            zone: "Europe/Berlin",
            language: "de-DE",
            screen: 1440,
            ..Told::default()
        };
        let values = of(&told);
        let expected = [
            "DE",
            "",
            "Ulm",
            "Desktop",
            "Firefox",
            "126",
            "GNU/Linux",
            "",
            "de-DE",
            "Desktop",
            "Google",
            "google.com/search",
            "Organic Search",
            "",
            "",
            "",
            "",
            "",
            "/a",
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn own_pages_are_no_referrer() {
        let values = of(&Told { referrer: "https://www.example.com/b", ..Told::default() });
        assert_eq!((values[10].as_str(), values[11].as_str(), values[12].as_str()), ("", "", "Direct"));
    }

    #[test]
    fn the_referer_stands_in_for_a_missing_origin() {
        let sender = Sender { origin: Some("null"), referer: Some("https://a.example/x?y"), ..Sender::default() };
        assert_eq!(sender.page_host().as_deref(), Some("a.example"));
        assert_eq!(Sender::default().page_host(), None);
    }

    proptest::proptest! {
        #[test]
        fn no_query_of_a_referrer_is_kept(path in "[a-z/]{0,20}", query in "secret[a-z=&]{0,20}") {
            let referrer = format!("https://other.org/{path}?{query}#{query}");
            let values = of(&Told { referrer: &referrer, ..Told::default() });
            proptest::prop_assert!(values.iter().all(|v| !v.contains("secret")));
        }
    }
}
