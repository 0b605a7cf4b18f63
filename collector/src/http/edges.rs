//! `/v1/…`: what edges elsewhere ask and bring.
use std::time::{Duration, UNIX_EPOCH};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use headwater_core::{Batch, NodeId};
use serde_json::json;

use super::access::Access;
use super::extract::{Body, Named};
use super::problem::Refused;
use crate::app::App;
use crate::buckets::nodes;
use crate::deliver::ApplyError;
use crate::store::StoreError;
use crate::store::tokens::Scope;

/// The routes. Edges set their clocks by the `Date` of every answer.
pub(crate) fn routes(app: &App) -> Router<App> {
    Router::new()
        // A batch may be as long as the format allows.
        .route("/v1/partials", post(apply).layer(DefaultBodyLimit::max(Batch::MAX_BYTES)))
        .route("/v1/edge/sites/{domain}", get(facts))
        .route("/v1/edge/nodes/{node}", get(applied))
        .layer(middleware::map_response_with_state(app.clone(), date))
}

async fn date(State(app): State<App>, mut response: Response) -> Response {
    let now = UNIX_EPOCH + Duration::from_millis(app.now().0);
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// `POST /v1/partials`: 200 once the batch is durable, now or before.
async fn apply(State(app): State<App>, access: Access, Body(body): Body) -> Result<Response, Refused> {
    access.needs(Scope::Edge)?;
    let collector = app.collector.clone();
    let applied = tokio::task::spawn_blocking(move || collector.apply(&body)).await;
    let applied = applied.unwrap_or(Err(ApplyError::Store(StoreError::Interrupted)))?;
    Ok(Json(json!({ "already": applied.already, "dropped": applied.dropped })).into_response())
}

/// `GET /v1/edge/nodes/{node}`: the last batch that was applied of an inbox, named by 32 hexadecimal digits; `null` if there
/// was none. What a restored inbox asks before it sends anything.
async fn applied(State(app): State<App>, access: Access, Named(node): Named) -> Result<Response, Refused> {
    access.needs(Scope::Edge)?;
    let node: NodeId = node.parse().map_err(|error| Refused::field("node", error))?;
    let applied = app.store.read(move |tx| nodes::last(tx, node)).await?;
    Ok(Json(applied).into_response())
}

/// `GET /v1/edge/sites/{site}`: what an edge must know of a site, salts included.
async fn facts(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    access.needs(Scope::Edge)?;
    let entry = app.directory.site(&domain).ok_or_else(|| Refused::no_site("site", &domain))?;
    Ok(Json(&*entry.facts).into_response())
}
