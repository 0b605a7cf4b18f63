//! What the address says: the page, the site, the range, what is counted and compared, and what is open. Everything that is shown follows from it.
use core::fmt;

use headwater_query::{Filter, TimeDimension};

use crate::filters::Filters;
use crate::measure::Measure;
use crate::panel::{Panel, Tab};
use crate::period::Period;
use crate::url;

/// A page of the dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`: the list of sites.
    Sites,
    /// `/?new`: the form for another site.
    NewSite,
    /// `/?server`: people, tokens, one's own password.
    Server,
    /// `/{domain}/settings`: what one site is set to.
    Settings(String),
    /// `/{domain}`, or for who has a shared link `/share/{domain}`: one site.
    Site(SiteView),
}

/// With what the range is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// As much time right before.
    #[default]
    Before,
    /// The same dates of the year before.
    YearBefore,
    /// Nothing.
    Nothing,
}

impl Against {
    /// Every one, in the order of the menu.
    pub const ALL: [Self; 3] = [Self::Before, Self::YearBefore, Self::Nothing];

    /// The name in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::YearBefore => "year",
            Self::Nothing => "off",
        }
    }

    /// The words in the menu.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Before => "Period before",
            Self::YearBefore => "Year before",
            Self::Nothing => "No comparison",
        }
    }
}

/// Whose figures are asked for: all that a question needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The site's domain.
    pub domain: String,
    /// The range; `?period=`.
    pub period: Period,
    /// With what it is compared; `?compare=`.
    pub against: Against,
    /// What is counted; `?f=`, any number of them.
    pub filters: Filters,
    /// The saved segment that is counted, by its number; `?segment=`.
    pub segment: Option<i64>,
    /// What that segment lets through. The server tells it, so it is no part of the address.
    pub within: Vec<Filter>,
}

/// The units of time that can be chosen for the chart.
pub const UNITS: [TimeDimension; 4] = [TimeDimension::Hour, TimeDimension::Day, TimeDimension::Week, TimeDimension::Month];

/// The name of a unit in the address: `week`.
#[must_use]
pub fn unit_name(unit: TimeDimension) -> &'static str {
    unit.name().strip_prefix("time:").unwrap_or_default()
}

/// What is shown of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteView {
    /// Whose figures.
    pub scope: Scope,
    /// What the chart shows; `?metric=`.
    pub measure: Measure,
    /// By what unit of time, where it is not that of the range; `?by=`.
    pub unit: Option<TimeDimension>,
    /// What each panel shows; `?tab=`, where it is not what it shows at first.
    pub tabs: [Tab; Panel::ALL.len()],
    /// The property whose values are shown; `?prop=`.
    pub property: Option<String>,
    /// The tab that is shown whole, over everything else; `?all=`.
    pub whole: Option<Tab>,
    /// The saved dashboard that is shown in place of the figures as they are at first; `?dashboard=`.
    pub dashboard: Option<i64>,
    /// Whether it was opened by a shared link, or stands in a frame.
    pub shared: bool,
}

impl SiteView {
    /// A site with everything else as by default.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self {
            scope: Scope { domain: domain.to_owned(), ..Scope::default() },
            measure: Measure::default(),
            unit: None,
            tabs: Panel::FIRST,
            property: None,
            whole: None,
            dashboard: None,
            shared: false,
        }
    }

    /// The tab that a panel shows.
    #[must_use]
    pub fn tab(&self, panel: Panel) -> Tab {
        self.tabs.get(panel.place()).copied().unwrap_or(Tab::Pages)
    }
}

impl Route {
    /// Reads `location.pathname` and `location.search`. What is not understood takes its default, so that an old or mistyped address still opens.
    #[must_use]
    pub fn parse(path: &str, search: &str) -> Self {
        let path = path.trim_matches('/');
        let (shared, domain) = path.strip_prefix("share/").map_or((false, path), |domain| (true, domain));
        let pairs = || {
            let pairs = search.trim_start_matches('?').split('&');
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        };
        let all = |name: &'static str| pairs().filter(move |(key, _)| *key == name).map(|(_, value)| value);
        let one = |name: &'static str| all(name).next().map(url::decode);
        if domain.is_empty() {
            return match () {
                () if one("new").is_some() => Self::NewSite,
                () if one("server").is_some() => Self::Server,
                () => Self::Sites,
            };
        }
        if let Some(domain) = domain.strip_suffix("/settings").filter(|_| !shared) {
            return Self::Settings(domain.to_owned());
        }
        let mut view = SiteView::new(domain);
        view.scope.period = one("period").and_then(|name| Period::from_name(&name)).unwrap_or_default();
        view.scope.against =
            one("compare").and_then(|name| Against::ALL.into_iter().find(|against| against.name() == name)).unwrap_or_default();
        view.scope.filters = Filters(all("f").filter_map(Filters::parse_one).collect());
        view.scope.segment = one("segment").and_then(|id| id.parse().ok());
        view.shared = shared;
        view.unit = one("by").and_then(|name| UNITS.into_iter().find(|unit| unit_name(*unit) == name));
        view.measure = one("metric").and_then(|name| Measure::from_name(&name)).unwrap_or_default();
        for tab in all("tab").filter_map(Tab::from_name) {
            if let Some(slot) = tab.panel().and_then(|panel| view.tabs.get_mut(panel.place())) {
                *slot = tab;
            }
        }
        view.property = one("prop").filter(|name| !name.is_empty());
        view.whole = one("all").and_then(|name| Tab::from_name(&name));
        view.dashboard = one("dashboard").and_then(|id| id.parse().ok());
        Self::Site(view)
    }

    /// The site with everything else as by default.
    #[must_use]
    pub fn site(domain: &str) -> Self {
        Self::Site(SiteView::new(domain))
    }
}

/// The path and query that [`Route::parse`] reads back. Defaults are left out.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sites => f.write_str("/"),
            Self::NewSite => f.write_str("/?new"),
            Self::Server => f.write_str("/?server"),
            Self::Settings(domain) => write!(f, "/{domain}/settings"),
            Self::Site(view) => view.fmt(f),
        }
    }
}

impl fmt::Display for SiteView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { domain, period, against, filters, segment, .. } = &self.scope;
        let mut parts: Vec<String> = self.dashboard.iter().map(|id| format!("dashboard={id}")).collect();
        if *period != Period::default() {
            parts.push(format!("period={}", period.name()));
        }
        if *against != Against::default() {
            parts.push(format!("compare={}", against.name()));
        }
        if self.measure != Measure::default() {
            parts.push(format!("metric={}", self.measure.name()));
        }
        parts.extend(self.unit.iter().map(|unit| format!("by={}", unit_name(*unit))));
        if !filters.is_empty() {
            parts.push(filters.to_string());
        }
        parts.extend(segment.iter().map(|id| format!("segment={id}")));
        let turned = self.tabs.iter().zip(Panel::FIRST).filter(|(tab, first)| *tab != first);
        parts.extend(turned.map(|(tab, _)| format!("tab={}", tab.name())));
        parts.extend(self.property.iter().map(|name| format!("prop={}", url::encode_readable(name))));
        parts.extend(self.whole.iter().map(|tab| format!("all={}", tab.name())));
        let mark = if parts.is_empty() { "" } else { "?" };
        let shared = if self.shared { "/share" } else { "" };
        write!(f, "{shared}/{domain}{mark}{}", parts.join("&"))
    }
}

/// The secret behind the `#`: of a sign-in link `#sign-in=TOKEN`, of an invitation `#invitation=TOKEN`, of a shared link `#link=SECRET`.
#[must_use]
pub fn secret<'a>(hash: &'a str, of: &str) -> Option<&'a str> {
    hash.trim_start_matches('#').strip_prefix(of)?.strip_prefix('=').filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use headwater_query::Dimension;

    use super::*;

    fn survives(route: &Route) {
        let address = route.to_string();
        let (path, search) = address.split_at(address.find('?').unwrap_or(address.len()));
        assert_eq!(Route::parse(path, search), *route, "{address}");
    }

    #[test]
    fn every_view_survives_its_address() {
        for period in Period::ALL.into_iter().chain(Period::from_name("2026-11-01,2026-11-09")) {
            for measure in Measure::CARDS {
                for against in Against::ALL {
                    let mut view = SiteView { measure, ..SiteView::new("shop.example.com") };
                    view.scope.period = period;
                    view.scope.against = against;
                    survives(&Route::Site(view));
                }
            }
        }
        let mut view = SiteView::new("shop.example.com");
        let filters = Filters::default().toggled(&Dimension::Page, "/a,b&c", false);
        view.scope.filters = filters.toggled(&Dimension::Prop("plan".into()), "pro +", false).negated(1);
        view.tabs[0] = Tab::Terms;
        view.tabs[3] = Tab::Languages;
        view.property = Some("my plan".into());
        view.unit = Some(TimeDimension::Week);
        view.whole = Some(Tab::ExitPages);
        view.scope.segment = Some(3);
        view.dashboard = Some(2);
        survives(&Route::Site(view.clone()));
        view.shared = true;
        survives(&Route::Site(view));
        survives(&Route::Settings("shop.example.com".into()));
        survives(&Route::Server);
        assert_eq!(Route::parse("/", ""), Route::Sites);
        assert_eq!(Route::parse("/", "?new"), Route::NewSite);
        assert_eq!(Route::parse("/example.com/", ""), Route::site("example.com"));
    }

    #[test]
    fn the_address_is_short_and_readable() {
        let Route::Site(view) = Route::parse("/example.com", "?period=28d&f=is,visit:country,DE") else { panic!("a site") };
        assert_eq!(view.scope.period, Period::Days28);
        assert_eq!(view.scope.filters.0.len(), 1);
        assert_eq!(view.to_string(), "/example.com?period=28d&f=is,visit:country,DE");
    }

    #[test]
    fn an_address_of_defaults_is_bare_and_nonsense_means_defaults() {
        assert_eq!(Route::site("example.com").to_string(), "/example.com");
        assert_eq!(
            Route::parse("/example.com", "?period=never&metric=&x&f=or&tab=none&all=1&compare=2"),
            Route::site("example.com")
        );
    }

    #[test]
    fn a_sign_in_link_carries_its_token() {
        assert_eq!(secret("#sign-in=abc_123", "sign-in"), Some("abc_123"));
        assert_eq!((secret("#sign-in=", "sign-in"), secret("#top", "sign-in"), secret("", "sign-in")), (None, None, None));
        assert_eq!((secret("#link=abc", "sign-in"), secret("#link=abc", "link")), (None, Some("abc")));
    }
}
