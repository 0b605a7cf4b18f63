//! `GET /api/v1/sites/{site}/properties`
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access::Access;
use super::extract::Named;
use super::problem::Refused;
use crate::app::App;
use crate::ask;

/// The properties that events of the last 28 days carried, the most frequent first.
pub(crate) async fn list(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let (asked, now) = (app.clone(), app.now());
    let found = app.store.read(move |tx| ask::properties(tx, &asked.cache, &entry.site, now)).await?;
    let found = found.iter().map(|(name, events)| json!({"name": name, "events": events})).collect::<Vec<_>>();
    Ok(Json(json!({ "properties": found })).into_response())
}
