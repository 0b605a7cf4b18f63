//! What the address says: the page, the site, the range, and what the chart shows. Everything that is shown follows from it.
use core::fmt;

use crate::card::Card;
use crate::period::Period;

/// A page of the dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`: the list of sites.
    Sites,
    /// `/?new`: the form for another site.
    NewSite,
    /// `/{domain}`: one site.
    Site(SiteView),
}

/// What is shown of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteView {
    /// The site's domain.
    pub domain: String,
    /// The range; `?period=`.
    pub period: Period,
    /// What the chart shows; `?metric=`.
    pub card: Card,
}

impl Route {
    /// Reads `location.pathname` and `location.search`. What is not understood takes its default, so that an old or mistyped address still opens.
    #[must_use]
    pub fn parse(path: &str, search: &str) -> Self {
        let domain = path.trim_matches('/');
        let parameter = |name: &str| {
            let pairs = search.trim_start_matches('?').split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
        };
        if domain.is_empty() {
            return if parameter("new").is_some() { Self::NewSite } else { Self::Sites };
        }
        Self::Site(SiteView {
            domain: domain.to_owned(),
            period: parameter("period").and_then(Period::from_name).unwrap_or_default(),
            card: parameter("metric").and_then(Card::from_name).unwrap_or_default(),
        })
    }

    /// The site with everything else as by default.
    #[must_use]
    pub fn site(domain: &str) -> Self {
        Self::Site(SiteView { domain: domain.to_owned(), period: Period::default(), card: Card::default() })
    }
}

/// The path and query that [`Route::parse`] reads back. Defaults are left out.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sites => f.write_str("/"),
            Self::NewSite => f.write_str("/?new"),
            Self::Site(view) => view.fmt(f),
        }
    }
}

impl fmt::Display for SiteView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.domain)?;
        let mut mark = '?';
        if self.period != Period::default() {
            write!(f, "{mark}period={}", self.period.name())?;
            mark = '&';
        }
        if self.card != Card::default() {
            write!(f, "{mark}metric={}", self.card.name())?;
        }
        Ok(())
    }
}

/// The token of a sign-in link, `#sign-in=TOKEN`.
#[must_use]
pub fn sign_in_token(hash: &str) -> Option<&str> {
    hash.trim_start_matches('#').strip_prefix("sign-in=").filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_survives_its_address() {
        for period in Period::ALL {
            for card in Card::ALL {
                let route = Route::Site(SiteView { domain: "shop.example.com".into(), period, card });
                let address = route.to_string();
                let (path, search) = address.split_at(address.find('?').unwrap_or(address.len()));
                assert_eq!(Route::parse(path, search), route, "{address}");
            }
        }
        assert_eq!(Route::parse("/", ""), Route::Sites);
        assert_eq!(Route::parse("/", "?new"), Route::NewSite);
        assert_eq!(Route::parse("/example.com/", ""), Route::site("example.com"));
    }

    #[test]
    fn an_address_of_defaults_is_bare_and_nonsense_means_defaults() {
        assert_eq!(Route::site("example.com").to_string(), "/example.com");
        assert_eq!(Route::parse("/example.com", "?period=never&metric=&x"), Route::site("example.com"));
    }

    #[test]
    fn a_sign_in_link_carries_its_token() {
        assert_eq!(sign_in_token("#sign-in=abc_123"), Some("abc_123"));
        assert_eq!((sign_in_token("#sign-in="), sign_in_token("#top"), sign_in_token("")), (None, None, None));
    }
}
