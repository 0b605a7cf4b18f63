//! Who asks: a token, a session of this server's own pages, or anyone.
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
use crate::store::sessions;
use crate::store::tokens::Scope;

/// The cookie that holds a session.
pub(crate) const COOKIE: &str = "headwater_session";

/// Who asks, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    scope: Option<Scope>,
    address: Option<IpAddr>,
}

impl Access {
    /// What the asker may do, if they are signed in.
    pub(crate) const fn scope(&self) -> Option<Scope> {
        self.scope
    }

    /// Lets only askers with this scope pass.
    pub(crate) fn needs(&self, needed: Scope) -> Result<(), Refused> {
        match self.scope {
            None => Err(Refused::sign_in()),
            Some(scope) if scope.includes(needed) => Ok(()),
            Some(_) => Err(Refused::scope(needed.name())),
        }
    }

    /// The site of this name, if the asker may read it. To who is not signed in, a private site looks like none.
    pub(crate) fn reads(&self, app: &App, field: &str, domain: &str) -> Result<Arc<Entry>, Refused> {
        let site = app.directory.site(domain);
        match (self.scope, site) {
            (None, Some(site)) if site.site.public => {
                self.limit(app, 1)?;
                Ok(site)
            }
            (None, _) => {
                self.limit(app, 1)?;
                Err(Refused::sign_in())
            }
            (Some(_), site) => {
                self.needs(Scope::Read)?;
                site.ok_or_else(|| Refused::no_site(field, domain))
            }
        }
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
        let anyone = Self { scope: None, address };
        if let Some(token) = bearer(&parts.headers) {
            let Some(granted) = app.directory.token(token) else {
                anyone.limit(app, 1)?;
                return Err(Refused::bad_token());
            };
            return Ok(Self { scope: Some(granted.scope), ..anyone });
        }
        let Some(session) = cookie(&parts.headers) else { return Ok(anyone) };
        let (hash, now) = (SecretHash::of(session), app.now());
        let scope = app.store.read(move |tx| sessions::find(tx, hash, now)).await?;
        if scope.is_some() && !parts.method.is_safe() && !is_own_page(&parts.headers) {
            return Err(Refused::origin());
        }
        Ok(Self { scope, address })
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
