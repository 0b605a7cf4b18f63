//! `/api/v1/sites/{site}/links`
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::passwords;
use super::people::{number, short};
use super::problem::{Refused, removed};
use crate::app::App;
use crate::store::links::{self, Link, LinkError};
use crate::store::named::{self, DASHBOARD};
use crate::store::people::Role;

/// `GET /api/v1/sites/{site}/links`
pub(crate) async fn list(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let id = entry.site.id;
    let found = app.store.read(move |tx| links::list(tx, id)).await?;
    let name = entry.site.domain.to_string();
    Ok(Json(json!({ "links": found.iter().map(|link| view(link, &name)).collect::<Vec<_>>() })).into_response())
}

/// `POST /api/v1/sites/{site}/links`
pub(crate) async fn add(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let mut fields = Fields::parse(&body)?;
    let name = fields.parsed("name", short)?.ok_or_else(|| Refused::field("name", "is missing; say who the link is for"))?;
    let password = fields.text("password")?;
    let dashboard = match fields.take("dashboard") {
        None => None,
        Some(number) => Some(number.as_i64().ok_or_else(|| Refused::field("dashboard", "must be the number of a dashboard"))?),
    };
    fields.end("name, password, dashboard")?;
    let kept = match password {
        Some(password) => Some(passwords::keep(password).await?),
        None => None,
    };
    let (now, id) = (app.now(), entry.site.id);
    let added = app.store.write(move |tx| {
        if let Some(number) = dashboard
            && !named::exists(tx, DASHBOARD, id, number)?
        {
            return Ok(None);
        }
        links::add(tx, id, &name, kept, dashboard, now).map(Some)
    });
    let link = added.await?.ok_or_else(|| Refused::field("dashboard", "this site has no dashboard of this number"))?;
    Ok((StatusCode::CREATED, Json(view(&link, &entry.site.domain.to_string()))).into_response())
}

/// `DELETE /api/v1/sites/{site}/links/{id}`
pub(crate) async fn remove(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let number = number("link", &id)?;
    let found = app.store.write(move |tx| links::remove(tx, entry.site.id, number)).await?;
    removed(found, "link", &id)
}

fn view(link: &Link, domain: &str) -> Value {
    let shown = link.dashboard.map(|number| format!("?dashboard={number}")).unwrap_or_default();
    let path = format!("/share/{domain}{shown}#link={}", link.secret);
    json!({
        "id": link.id,
        "name": link.name,
        "path": path,
        "has_password": link.password.is_some(),
        "dashboard": link.dashboard,
    })
}

impl From<LinkError> for Refused {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::SameName(_) => Self::exists("name", error.to_string()),
            LinkError::TooMany => Self::field("name", error),
            LinkError::Store(error) => error.into(),
        }
    }
}
