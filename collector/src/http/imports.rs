//! `/api/v1/sites/{site}/imports`: what an import elsewhere asks before its first batch, which goes to `/v1/partials`.
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use headwater_core::NodeId;

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::problem::Refused;
use crate::app::App;
use crate::import::Begun;
use crate::store::StoreError;
use crate::store::imports;
use crate::store::people::Role;

/// `POST /api/v1/sites/{site}/imports`: begins an import or goes on with it, by its name in 32 hexadecimal digits.
pub(crate) async fn begin(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Owner)?;
    let mut fields = Fields::parse(&body)?;
    let import = fields.parsed("import", str::parse::<NodeId>)?;
    let import = import.ok_or_else(|| Refused::field("import", "is missing; write 32 hexadecimal digits"))?;
    fields.end("import")?;
    let (site, now) = (entry.site.id, app.now());
    let salt = app.store.write(move |tx| imports::begin(tx, site, import, now)).await?;
    Ok(Json(Begun::new(&entry.site, salt)).into_response())
}

/// `DELETE /api/v1/sites/{site}/imports/{import}`: ends it, and destroys its salt.
pub(crate) async fn end(
    State(app): State<App>,
    access: Access,
    Path((domain, import)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Owner)?;
    let import: NodeId = import.parse().map_err(|error| Refused::field("import", error))?;
    let site = entry.site.id;
    app.store.write(move |tx| imports::end(tx, site, import)).await?;
    let store = app.store.clone();
    // The log holds what was deleted until it is cut.
    tokio::task::spawn_blocking(move || store.truncate_log()).await.unwrap_or(Err(StoreError::Interrupted))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
