//! What browsers download: tracker, dashboard and demo.
use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::extract::Named;
use super::problem::Refused;
use crate::app::App;
use crate::assets::{self, Asset};
use crate::site::Domain;

/// What the dashboard's and the demo's pages may do: nothing inline, nothing from elsewhere, and Wasm.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The same for what is shared: pages of other sites may show it in a frame.
const SHARED_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors *";
/// Nobody's statistics belong in a search engine.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";
/// The tracker changes with an update of the server; five minutes later every browser has it.
const TRACKER_CACHE: &str = "public, max-age=300, stale-while-revalidate=86400";
/// Kept, but asked for again each time, which costs no bytes while it has not changed.
const PAGE_CACHE: &str = "no-cache";

/// What pages load, and what keeps search engines away: for every server that takes events.
pub(crate) fn tracker_routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let paths = ["/t.js", "/t.wasm"];
    let routes = Router::new().route("/robots.txt", get(async || ROBOTS));
    paths.into_iter().fold(routes, |routes, path| routes.route(path, get(tracker)))
}

/// `GET /t.js`, whose second part is `/t.js?auto`, `GET /t.wasm`
async fn tracker(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Result<Response, Refused> {
    let missing =
        || Refused::unavailable("the tracker is not built into this server; run `cargo xtask start` in the project's folder");
    let second = uri.path() == "/t.js" && uri.query().is_some_and(|query| query.ends_with("auto"));
    let asset = assets::find(if second { "/t.auto.js" } else { uri.path() }).ok_or_else(missing)?;
    let mut response = send(asset, &headers, TRACKER_CACHE);
    // Pages of other sites load it, that is what it is for.
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// `GET /`, `GET /{domain}` and `GET /{domain}/settings`: the dashboard, which reads the address itself.
pub(crate) async fn dashboard(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Result<Response, Refused> {
    let site = uri.path().trim_start_matches('/');
    let site = site.strip_suffix("/settings").unwrap_or(site);
    if !site.is_empty() && site.parse::<Domain>().is_err() {
        return Err(Refused::nothing_here());
    }
    Ok(page(assets::dashboard(), &headers))
}

/// `GET /share/{domain}`: the dashboard for who has a shared link, which stands behind the `#` and so in no log.
pub(crate) async fn shared(Named(domain): Named, headers: HeaderMap) -> Result<Response, Refused> {
    domain.parse::<Domain>().map_err(|_| Refused::nothing_here())?;
    let mut response = page(assets::dashboard(), &headers);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SHARED_POLICY));
    Ok(response)
}

/// `GET /dashboard/{file}`
pub(crate) async fn part(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Result<Response, Refused> {
    assets::find(uri.path()).map(|asset| page(asset, &headers)).ok_or_else(Refused::nothing_here)
}

/// `GET /demo`
pub(crate) async fn to_demo() -> Redirect {
    Redirect::permanent("/demo/")
}

/// `GET /demo/…`
pub(crate) async fn demo(State(app): State<App>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Result<Response, Refused> {
    let path = if uri.path() == "/demo/" { "/demo/index.html" } else { uri.path() };
    let asset = if app.options.demo { assets::find(path) } else { None };
    asset.map(|asset| page(asset, &headers)).ok_or_else(Refused::nothing_here)
}

fn page(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let mut response = send(asset, headers, PAGE_CACHE);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    response
}

/// The file in the shortest form that the browser reads, or the news that it has it.
fn send(asset: &'static Asset, asked: &HeaderMap, cache: &'static str) -> Response {
    let text = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or("");
    let accepts = |coding| accepts(text(header::ACCEPT_ENCODING), coding);
    let (coding, bytes) = match (asset.br.filter(|_| accepts("br")), asset.gz.filter(|_| accepts("gzip"))) {
        (Some(br), _) => (Some("br"), br),
        (None, Some(gz)) => (Some("gzip"), gz),
        (None, None) => (None, asset.raw),
    };
    // Each form is a representation of its own, so each has its own strong tag.
    let etag = format!("\"{}-{}\"", asset.etag, coding.unwrap_or("raw"));
    let has_it = text(header::IF_NONE_MATCH).split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag);
    let mut response = if has_it { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.remove(header::CONTENT_TYPE);
    if !has_it {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
    }
    response
}

/// Whether `Accept-Encoding` names a coding, and not with weight 0.
pub(super) fn accepts(list: &str, coding: &str) -> bool {
    list.split(',').any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse::<f32>() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_form_that_is_read_is_sent() {
        assert!(accepts("gzip, deflate, br, zstd", "br"));
        assert!(accepts("br;q=1.0, gzip;q=0.8", "gzip"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("", "gzip"));
    }
}
