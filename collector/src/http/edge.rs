//! What an edge that runs apart from its collector serves: the tracker, ingest, and how it is.
use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::response::Response;
use axum::routing::get;

use super::problem::Refused;
use super::{api_headers, every_request, files, health};
use crate::edge_server::EdgeServer;

/// Every route of an edge.
pub(crate) fn router(edge: &EdgeServer) -> Router {
    let own = Router::new()
        .route("/healthz", get(is_healthy))
        .route("/readyz", get(is_ready))
        .route("/metrics", get(metrics))
        .layer(middleware::map_response(api_headers))
        .with_state(edge.clone());
    Router::new()
        .merge(files::tracker_routes())
        .fallback(async || Refused::nothing_here())
        .method_not_allowed_fallback(async || Refused::method())
        .merge(own)
        .merge(edge.shell.routes())
        .layer(middleware::from_fn_with_state(edge.metrics.clone(), every_request))
}

/// `GET /healthz`: whether events can be taken now, whether or not the collector is there.
async fn is_healthy(State(edge): State<EdgeServer>) -> Result<&'static str, Refused> {
    health::inbox(&edge.shell).map(|()| "ok\n")
}

async fn is_ready(State(edge): State<EdgeServer>) -> Result<&'static str, Refused> {
    health::running(&edge.stopping).map(|()| "ready\n")
}

async fn metrics(State(edge): State<EdgeServer>) -> Response {
    let mut page = edge.metrics.render();
    health::files(&mut page, &[("inbox", edge.inbox())]);
    health::edge(&edge.shell, &mut page);
    page.gauge("headwater_collector_reached", "Whether the collector was there when it was last asked.", edge.reaches().into());
    health::respond(page)
}
