//! `/api/v1/tokens`
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access::Access;
use super::extract::Body;
use super::fields::Fields;
use super::people::{number, short};
use super::problem::{Refused, removed};
use crate::app::App;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::tokens::{self, Scope};

/// `GET /api/v1/tokens`
pub(crate) async fn list(State(app): State<App>, access: Access) -> Result<Response, Refused> {
    access.needs(Scope::Admin)?;
    let tokens = app.store.read(|tx| tokens::list(tx)).await?;
    Ok(Json(json!({ "tokens": tokens })).into_response())
}

/// `POST /api/v1/tokens`: the only answer that holds the token.
pub(crate) async fn add(State(app): State<App>, access: Access, Body(body): Body) -> Result<Response, Refused> {
    access.needs(Scope::Admin)?;
    let mut fields = Fields::parse(&body)?;
    let name = fields.parsed("name", short)?.ok_or_else(|| Refused::field("name", "is missing; say what the token is for"))?;
    let scope = fields.parsed("scope", |word| Scope::parse(word).ok_or("must be admin, read, ingest or edge"))?;
    fields.end("name, scope")?;
    let scope = scope.unwrap_or(Scope::Read);
    let now = app.now();
    let secret = Secret::random().map_err(StoreError::from)?;
    let (kept, called) = (secret.clone(), name.clone());
    let id = app.store.write(move |tx| tokens::add(tx, &called, scope, &kept, now)).await?;
    app.reload_sites().await?;
    let told = json!({ "id": id, "name": name, "scope": scope, "created": now.0, "token": secret.reveal() });
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// `DELETE /api/v1/tokens/{id}`
pub(crate) async fn revoke(State(app): State<App>, access: Access, Path(id): Path<String>) -> Result<Response, Refused> {
    access.needs(Scope::Admin)?;
    let number = number("token", &id)?;
    let found = app.store.write(move |tx| tokens::revoke(tx, number)).await?;
    app.reload_sites().await?;
    removed(found, "token", &id)
}
