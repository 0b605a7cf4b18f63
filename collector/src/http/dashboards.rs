//! `/api/v1/sites/{site}/dashboards`
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use headwater_query::Widget;
use serde_json::{Value, json};

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::people::{number, short};
use super::problem::{Refused, removed};
use crate::app::App;
use crate::store::named::{self, DASHBOARD};
use crate::store::people::Role;

type Dashboard = named::Named<Widget>;

/// `GET /api/v1/sites/{site}/dashboards`: for everybody who may read the site.
pub(crate) async fn list(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let found: Vec<Dashboard> = app.store.read(move |tx| named::list(tx, DASHBOARD, entry.site.id)).await?;
    Ok(Json(json!({ "dashboards": found.iter().map(view).collect::<Vec<_>>() })).into_response())
}

/// `POST /api/v1/sites/{site}/dashboards`
pub(crate) async fn add(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let (name, widgets) = parse(&body)?;
    let name = name.ok_or_else(|| Refused::field("name", "is missing"))?;
    let widgets = widgets.unwrap_or_default();
    let added = app.store.write(move |tx| named::add(tx, DASHBOARD, entry.site.id, name, widgets)).await?;
    Ok((StatusCode::CREATED, Json(view(&added))).into_response())
}

/// `PATCH /api/v1/sites/{site}/dashboards/{id}`
pub(crate) async fn change(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let (name, widgets) = parse(&body)?;
    let number = number("dashboard", &id)?;
    let changed = app.store.write(move |tx| named::change(tx, DASHBOARD, entry.site.id, number, name, widgets)).await?;
    Ok(Json(view(&changed.ok_or_else(|| Refused::nothing_called("dashboard", &id))?)).into_response())
}

/// `DELETE /api/v1/sites/{site}/dashboards/{id}`: with it go the links that show it.
pub(crate) async fn remove(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let number = number("dashboard", &id)?;
    let found = app.store.write(move |tx| named::remove(tx, DASHBOARD, entry.site.id, number)).await?;
    removed(found, "dashboard", &id)
}

fn parse(body: &[u8]) -> Result<(Option<String>, Option<Vec<Widget>>), Refused> {
    let mut fields = Fields::parse(body)?;
    let name = fields.parsed("name", short)?;
    let widgets = fields.take("widgets").map(|value| Widget::list(&value, "widgets")).transpose()?;
    fields.end("name, widgets")?;
    Ok((name, widgets))
}

fn view(dashboard: &Dashboard) -> Value {
    json!({ "id": dashboard.id, "name": dashboard.name, "widgets": dashboard.list })
}
