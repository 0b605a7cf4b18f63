//! Who asks: a token, a session of this server's own pages, who has a shared link, or anyone.
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::problem::Refused;
use crate::app::App;
use crate::directory::Entry;
use crate::edge_shell::sender;
use crate::secret::SecretHash;
use crate::store::people::Role;
use crate::store::sessions::{self, Holder};
use crate::store::tokens::Scope;

/// The cookie that holds a session.
pub(crate) const COOKIE: &str = "headwater_session";

/// Who asks, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    holder: Option<Holder>,
    address: Option<IpAddr>,
}

impl Access {
    /// Whose session or token it is.
    pub(crate) const fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    /// Lets only who is signed in pass, however little they may do.
    pub(crate) fn signed_in(&self) -> Result<&Holder, Refused> {
        self.holder.as_ref().ok_or_else(Refused::sign_in)
    }

    /// Lets only askers pass who may do this at every site.
    pub(crate) fn needs(&self, needed: Scope) -> Result<(), Refused> {
        match self.signed_in()? {
            Holder::Scope(scope) if scope.includes(needed) => Ok(()),
            Holder::Person(person, _) if person.admin => Ok(()),
            _ => Err(Refused::scope(needed.name())),
        }
    }

    /// What the asker may do at a site, if anything.
    pub(crate) fn role(&self, entry: &Entry) -> Option<Role> {
        match self.holder.as_ref() {
            Some(Holder::Scope(Scope::Admin)) => Some(Role::Owner),
            Some(Holder::Scope(Scope::Read)) => Some(Role::Viewer),
            Some(Holder::Person(person, _)) if person.admin => Some(Role::Owner),
            Some(Holder::Person(_, roles)) => roles.iter().find(|(site, _)| *site == entry.site.id).map(|(_, role)| *role),
            Some(Holder::Link(site)) => (*site == entry.site.id).then_some(Role::Viewer),
            Some(Holder::Scope(_)) | None => None,
        }
    }

    /// The site of this name, if the asker may do as much there. To who is not signed in, a private site looks like none; so it does to a
    /// person without a role there.
    pub(crate) fn may(&self, app: &App, field: &str, domain: &str, needed: Role) -> Result<Arc<Entry>, Refused> {
        let site = app.directory.site(domain);
        let role = site.as_ref().and_then(|site| self.role(site));
        let public = site.as_ref().is_some_and(|site| site.site.public);
        if needed == Role::Viewer && !matches!(self.holder, Some(Holder::Scope(_) | Holder::Person(..))) {
            self.limit(app, 1)?;
        }
        match (&self.holder, site) {
            (_, Some(site)) if role.is_some_and(|role| role >= needed) || (public && needed == Role::Viewer) => Ok(site),
            (None, _) => Err(Refused::sign_in()),
            (Some(Holder::Scope(scope)), _) if !scope.includes(Scope::Read) => Err(Refused::scope(Scope::Read.name())),
            (Some(Holder::Scope(scope)), Some(_)) if *scope != Scope::Admin => Err(Refused::scope(Scope::Admin.name())),
            (Some(_), Some(_)) if role.is_some() => Err(Refused::role(needed.name())),
            (Some(_), _) => Err(Refused::no_site(field, domain)),
        }
    }

    /// The site of this name, if the asker may read it.
    pub(crate) fn reads(&self, app: &App, field: &str, domain: &str) -> Result<Arc<Entry>, Refused> {
        self.may(app, field, domain, Role::Viewer)
    }

    /// Takes an attempt to get in by a secret from the limit: it counts as several requests, so that guessing is slow.
    pub(crate) fn attempt(&self, app: &App) -> Result<(), Refused> {
        self.limit(app, 6)
    }

    /// The same for an attempt that signs in. Another site must not sign a visitor in as somebody else.
    pub(crate) fn attempt_from_own_page(&self, app: &App, headers: &HeaderMap) -> Result<(), Refused> {
        if headers.contains_key(header::ORIGIN) && !is_own_page(headers) {
            return Err(Refused::origin());
        }
        self.attempt(app)
    }

    /// Counts a request without a token, or with one that may be guessed.
    pub(crate) fn limit(&self, app: &App, weight: u32) -> Result<(), Refused> {
        app.limiter.take(self.address, weight, app.now()).map_err(Refused::too_many)
    }
}

impl FromRequestParts<App> for Access {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        let forwarded = parts.headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let (address, _) = sender(peer, forwarded, &app.options.trusted_proxies, false);
        let anyone = Self { holder: None, address };
        if let Some(token) = bearer(&parts.headers) {
            if let Some(granted) = app.directory.token(token) {
                return Ok(Self { holder: Some(Holder::Scope(granted.scope)), ..anyone });
            }
            // Who has a shared link sends its session here, not as a cookie: pages of other sites may show it in a frame.
            let (hash, now) = (SecretHash::of(token), app.now());
            return match app.store.read(move |tx| sessions::find(tx, hash, now)).await? {
                Some(link @ Holder::Link(_)) => Ok(Self { holder: Some(link), ..anyone }),
                _ => {
                    anyone.limit(app, 1)?;
                    Err(Refused::bad_token())
                }
            };
        }
        let Some(session) = cookie(&parts.headers) else { return Ok(anyone) };
        let (hash, now) = (SecretHash::of(session), app.now());
        let holder = app.store.read(move |tx| sessions::find(tx, hash, now)).await?;
        // A shared link's session is no cookie, whoever made it one.
        let holder = holder.filter(|holder| !matches!(holder, Holder::Link(_)));
        if holder.is_some() && !parts.method.is_safe() && !is_own_page(&parts.headers) {
            return Err(Refused::origin());
        }
        Ok(Self { holder, address })
    }
}

/// The token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session in the cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|list| list.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

/// Whether a page of this server made the request: the browser says so, or its Origin is the host that was asked. A
/// proxy may have changed the host, so the browser's own word comes first; no page can forge either.
pub(crate) fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    if text("sec-fetch-site") == Some("same-origin") {
        return true;
    }
    let host = text("host");
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn own_pages_are_told_by_origin_or_by_the_browser() {
        assert!(is_own_page(&headers(&[("host", "127.0.0.1:8700"), ("origin", "http://127.0.0.1:8700")])));
        assert!(is_own_page(&headers(&[
            ("host", "inner"),
            ("origin", "https://stats.example.com"),
            ("sec-fetch-site", "same-origin")
        ])));
        assert!(!is_own_page(&headers(&[("host", "127.0.0.1:8700"), ("origin", "http://127.0.0.1:9000")])));
        assert!(!is_own_page(&headers(&[("host", "a"), ("origin", "null")])));
        assert!(!is_own_page(&headers(&[("host", "a")])));
        assert!(!is_own_page(&headers(&[("host", "a"), ("sec-fetch-site", "same-site")])));
    }

    #[test]
    fn the_session_is_found_among_cookies() {
        assert_eq!(cookie(&headers(&[("cookie", "a=b; headwater_session=xyz; c=d")])), Some("xyz"));
        assert_eq!(cookie(&headers(&[("cookie", "xheadwater_session=xyz")])), None);
        assert_eq!(bearer(&headers(&[("authorization", "bearer abc")])), Some("abc"));
        assert_eq!(bearer(&headers(&[("authorization", "Basic abc")])), None);
    }
}
