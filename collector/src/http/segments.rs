//! `/api/v1/sites/{site}/segments`
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use headwater_query::{Filter, Query};
use serde_json::{Value, json};

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::people::{number, short};
use super::problem::{Refused, removed};
use crate::app::App;
use crate::store::named::{self, NamedError, SEGMENT};
use crate::store::people::Role;

type Segment = named::Named<Filter>;

/// `GET /api/v1/sites/{site}/segments`: for everybody who may read the site.
pub(crate) async fn list(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let found: Vec<Segment> = app.store.read(move |tx| named::list(tx, SEGMENT, entry.site.id)).await?;
    Ok(Json(json!({ "segments": found.iter().map(view).collect::<Vec<_>>() })).into_response())
}

/// `POST /api/v1/sites/{site}/segments`
pub(crate) async fn add(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let (name, filters) = parse(&body)?;
    let added = app.store.write(move |tx| named::add(tx, SEGMENT, entry.site.id, name, filters)).await?;
    Ok((StatusCode::CREATED, Json(view(&added))).into_response())
}

/// `PUT /api/v1/sites/{site}/segments/{id}`
pub(crate) async fn change(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let (name, filters) = parse(&body)?;
    let number = number("segment", &id)?;
    let write =
        move |tx: &rusqlite::Transaction<'_>| named::change(tx, SEGMENT, entry.site.id, number, Some(name), Some(filters));
    let changed = app.store.write(write).await?;
    Ok(Json(view(&changed.ok_or_else(|| Refused::nothing_called("segment", &id))?)).into_response())
}

/// `DELETE /api/v1/sites/{site}/segments/{id}`
pub(crate) async fn remove(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let number = number("segment", &id)?;
    let found = app.store.write(move |tx| named::remove(tx, SEGMENT, entry.site.id, number)).await?;
    removed(found, "segment", &id)
}

fn parse(body: &[u8]) -> Result<(String, Vec<Filter>), Refused> {
    let mut fields = Fields::parse(body)?;
    let name = fields.parsed("name", short)?.ok_or_else(|| Refused::field("name", "is missing"))?;
    let filters = fields.take("filters").unwrap_or(Value::Null);
    fields.end("name, filters")?;
    if filters.as_array().is_none_or(Vec::is_empty) {
        return Err(Refused::field("filters", "must be a list of at least one filter, as a query has them"));
    }
    // What a query would refuse is refused now, with the same words.
    let query = json!({"site_id": "segment", "metrics": ["visitors"], "date_range": "day", "filters": filters});
    Ok((name, Query::from_value(&query)?.filters))
}

fn view(segment: &Segment) -> Value {
    json!({ "id": segment.id, "name": segment.name, "filters": segment.list })
}

impl From<NamedError> for Refused {
    fn from(error: NamedError) -> Self {
        match error {
            NamedError::SameName(..) => Self::exists("name", error.to_string()),
            NamedError::TooMany(..) => Self::field("name", error),
            NamedError::Store(error) => error.into(),
        }
    }
}
