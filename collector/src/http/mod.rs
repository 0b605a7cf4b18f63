//! HTTP: which route is answered where. Handlers translate; what they decide on is elsewhere.
mod access;
mod annotations;
mod buckets;
pub(crate) mod edge;
mod edges;
pub(crate) mod export;
mod extract;
mod fields;
mod files;
pub(crate) mod gate;
mod goals;
mod health;
mod imports;
pub(crate) mod limit;
mod links;
mod live;
mod named;
mod openapi;
pub(crate) mod passwords;
mod people;
mod problem;
mod properties;
mod query;
mod realtime;
mod session;
mod share;
mod sites;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, patch, post, put};
use headwater_query::{Filter, Widget};

use crate::app::App;
use crate::clock::instant;
use crate::edge_shell::EdgeShell;
use crate::metrics::Metrics;
use problem::Refused;

/// The longest body of the API in bytes; ingest and batches have limits of their own.
const BODY: usize = 256 * 1024;

/// Every route of the server.
pub(crate) fn router(app: &App) -> Router {
    let days = post(imports::take).layer(axum::extract::DefaultBodyLimit::max(imports::BODY));
    let api = Router::new()
        .route("/api/v1/session", get(session::show).post(session::open).delete(session::close))
        .route("/api/v1/session/password", post(session::change))
        .route("/api/v1/people", get(people::list).post(people::add))
        .route("/api/v1/people/{id}", delete(people::remove))
        .route("/api/v1/people/{id}/invitation", post(people::invite))
        .route("/api/v1/invitation", post(people::accept))
        .route("/api/v1/tokens", get(tokens::list).post(tokens::add))
        .route("/api/v1/tokens/{id}", delete(tokens::revoke))
        .route("/api/v1/share", post(share::open))
        .route("/api/v1/sites", get(sites::list).post(sites::add))
        .route("/api/v1/sites/{domain}", get(sites::show).patch(sites::change).delete(sites::remove))
        .route("/api/v1/sites/{domain}/goals", get(goals::list).post(goals::add).delete(goals::remove_named))
        .route("/api/v1/sites/{domain}/goals/{id}", delete(goals::remove))
        .route("/api/v1/sites/{domain}/people", get(people::of_site).post(people::appoint))
        .route("/api/v1/sites/{domain}/people/{id}", delete(people::dismiss))
        .route("/api/v1/sites/{domain}/links", get(links::list).post(links::add))
        .route("/api/v1/sites/{domain}/links/{id}", delete(links::remove))
        .route("/api/v1/sites/{domain}/segments", get(named::list::<Filter>).post(named::add::<Filter>))
        .route("/api/v1/sites/{domain}/segments/{id}", put(named::change::<Filter>).delete(named::remove::<Filter>))
        .route("/api/v1/sites/{domain}/dashboards", get(named::list::<Widget>).post(named::add::<Widget>))
        .route("/api/v1/sites/{domain}/dashboards/{id}", patch(named::change::<Widget>).delete(named::remove::<Widget>))
        .route("/api/v1/sites/{domain}/annotations", get(annotations::list).post(annotations::add))
        .route("/api/v1/sites/{domain}/annotations/{id}", delete(annotations::remove))
        .route("/api/v1/sites/{domain}/properties", get(properties::list))
        .route("/api/v1/sites/{domain}/buckets", get(buckets::show))
        .route("/api/v1/sites/{domain}/realtime", get(realtime::show))
        .route("/api/v1/sites/{domain}/export", get(export::stream))
        .route("/api/v1/sites/{domain}/imports", get(imports::list).post(imports::begin))
        .route("/api/v1/sites/{domain}/imports/compare", post(imports::compare))
        .route("/api/v1/sites/{domain}/imports/days", days)
        .route("/api/v1/sites/{domain}/imports/{import}", axum::routing::delete(imports::end))
        .route("/api/v1/sites/{domain}/live", get(live::open))
        .route("/api/v1/sites/{domain}/live-ticket", post(live::ticket))
        .route("/api/openapi.json", get(openapi::document))
        .route("/api/v2/query", post(query::answer))
        .route("/api/v2/queries", post(query::answers))
        .merge(edges::routes(app))
        .route("/healthz", get(health::health))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .layer(axum::extract::DefaultBodyLimit::max(BODY))
        .layer(middleware::map_response(api_headers));
    let files = Router::new()
        .route("/", get(files::dashboard))
        .route("/{domain}", get(files::dashboard))
        .route("/{domain}/settings", get(files::dashboard))
        .route("/share/{domain}", get(files::shared))
        .route("/dashboard/{file}", get(files::part))
        .route("/demo", get(files::to_demo))
        .route("/demo/", get(files::demo))
        .route("/demo/{*file}", get(files::demo))
        .merge(files::tracker_routes());
    let ingest = app.edge.as_ref().map(EdgeShell::routes).unwrap_or_default();
    api.merge(files)
        .fallback(async || Refused::nothing_here())
        .method_not_allowed_fallback(async || Refused::method())
        .with_state(app.clone())
        .merge(ingest)
        .layer(middleware::from_fn_with_state(app.metrics.clone(), every_request))
}

/// Nothing of the API is a page, and nobody may keep it.
async fn api_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

fn every_header(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.entry(HeaderName::from_static("cross-origin-opener-policy")).or_insert(HeaderValue::from_static("same-origin"));
}

/// Counts the request under its route, and adds what every response has. Paths and addresses are not kept: they say who
/// looked at what. One layer for both, because each costs every beacon a boxed future.
async fn every_request(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = instant();
    let mut response = next.run(request).await;
    every_header(&mut response);
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    metrics.request(route, response.status().as_u16(), began.elapsed());
    response
}
