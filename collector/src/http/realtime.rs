//! `GET /api/v1/sites/{site}/realtime`
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::access::Access;
use super::extract::Named;
use super::problem::Refused;
use crate::app::App;
use crate::ask;

/// The last hour.
pub(crate) async fn show(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let (asked, now) = (app.clone(), app.now());
    let realtime = app.store.read(move |tx| ask::realtime(tx, &asked.cache, &entry.site, now)).await?;
    Ok(Json(realtime).into_response())
}
