//! `/api/v1/sites/{site}/annotations`
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use headwater_query::Date;
use serde_json::json;

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::people::{number, short};
use super::problem::{Refused, removed};
use crate::app::App;
use crate::store::annotations;
use crate::store::people::Role;

/// `GET /api/v1/sites/{site}/annotations`: for everybody who may read the site.
pub(crate) async fn list(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let found = app.store.read(move |tx| annotations::list(tx, entry.site.id)).await?;
    Ok(Json(json!({ "annotations": found })).into_response())
}

/// `POST /api/v1/sites/{site}/annotations`
pub(crate) async fn add(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let mut fields = Fields::parse(&body)?;
    let date = fields.parsed("date", |text| Date::parse(text).ok_or("must be a day such as 2026-11-22"))?;
    let date = date.ok_or_else(|| Refused::field("date", "is missing; write it as 2026-11-22"))?;
    let text = fields.parsed("text", short)?.ok_or_else(|| Refused::field("text", "is missing"))?;
    fields.end("date, text")?;
    let added = app.store.write(move |tx| annotations::add(tx, entry.site.id, date, &text)).await?;
    let added = added.ok_or_else(|| Refused::field("text", format!("a site has at most {} annotations", annotations::MOST)))?;
    Ok((StatusCode::CREATED, Json(added)).into_response())
}

/// `DELETE /api/v1/sites/{site}/annotations/{id}`
pub(crate) async fn remove(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let number = number("annotation", &id)?;
    let found = app.store.write(move |tx| annotations::remove(tx, entry.site.id, number)).await?;
    removed(found, "annotation", &id)
}
