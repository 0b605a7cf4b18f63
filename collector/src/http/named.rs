//! `/api/v1/sites/{site}/segments` and `/dashboards`: what people save of a site under a name.
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use headwater_query::{Filter, Query, Widget};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::access::Access;
use super::extract::{Body, Named as Site};
use super::fields::Fields;
use super::people::{number, short};
use super::problem::{Refused, removed};
use crate::app::App;
use crate::store::named::{self, Change, DASHBOARD, Kind, Named, NamedError, SEGMENT};
use crate::store::people::Role;

/// What one that is saved is a list of.
pub(crate) trait Item: Serialize + DeserializeOwned + Send + 'static {
    /// What such a list is.
    const KIND: Kind;
    /// Whether what is left out in a change stays as it is, and a list that is left out at first is empty.
    const IN_PARTS: bool;

    /// Reads the field of that list.
    fn list(value: &Value) -> Result<Vec<Self>, Refused>;
}

impl Item for Filter {
    const KIND: Kind = SEGMENT;
    const IN_PARTS: bool = false;

    fn list(value: &Value) -> Result<Vec<Self>, Refused> {
        if value.as_array().is_none_or(Vec::is_empty) {
            return Err(Refused::field("filters", "must be a list of at least one filter, as a query has them"));
        }
        // What a query would refuse is refused now, with the same words.
        let query = json!({"site_id": "segment", "metrics": ["visitors"], "date_range": "day", "filters": value});
        Ok(Query::from_value(&query)?.filters)
    }
}

impl Item for Widget {
    const KIND: Kind = DASHBOARD;
    const IN_PARTS: bool = true;

    fn list(value: &Value) -> Result<Vec<Self>, Refused> {
        Ok(Self::list(value, "widgets")?)
    }
}

/// All of a site, for everybody who may read it.
pub(crate) async fn list<T: Item>(State(app): State<App>, access: Access, Site(domain): Site) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let found: Vec<Named<T>> = app.store.read(move |tx| named::list(tx, T::KIND, entry.site.id)).await?;
    let plural = format!("{}s", T::KIND.noun);
    Ok(Json(json!({ plural: found.iter().map(view).collect::<Vec<_>>() })).into_response())
}

/// Another one.
pub(crate) async fn add<T: Item>(
    State(app): State<App>,
    access: Access,
    Site(domain): Site,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let Change { name, list, .. } = parse::<T>(&body, false)?;
    let (name, list) = (name.ok_or_else(|| Refused::field("name", "is missing"))?, list.unwrap_or_default());
    let added = app.store.write(move |tx| named::add(tx, T::KIND, entry.site.id, name, list)).await?;
    Ok((StatusCode::CREATED, Json(view(&added))).into_response())
}

/// Another name, another list, or both.
pub(crate) async fn change<T: Item>(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
    Body(body): Body,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let change = parse::<T>(&body, true)?;
    let number = number(T::KIND.noun, &id)?;
    let changed = app.store.write(move |tx| named::change(tx, T::KIND, entry.site.id, number, change)).await?;
    Ok(Json(view(&changed.ok_or_else(|| Refused::nothing_called(T::KIND.noun, &id))?)).into_response())
}

/// One less; with a dashboard go the links that show it.
pub(crate) async fn remove<T: Item>(
    State(app): State<App>,
    access: Access,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Editor)?;
    let number = number(T::KIND.noun, &id)?;
    let found = app.store.write(move |tx| named::remove(tx, T::KIND, entry.site.id, number)).await?;
    removed(found, T::KIND.noun, &id)
}

fn parse<T: Item>(body: &[u8], of_one: bool) -> Result<Change<T>, Refused> {
    let mut fields = Fields::parse(body)?;
    let name = fields.parsed("name", short)?;
    if name.is_none() && !(of_one && T::IN_PARTS) {
        return Err(Refused::field("name", "is missing"));
    }
    let version = if of_one { fields.text("version")? } else { None };
    let list = fields.take(T::KIND.column);
    fields.end(&format!("name, {}{}", T::KIND.column, if of_one { ", version" } else { "" }))?;
    let list = match list {
        None if T::IN_PARTS => None,
        list => Some(T::list(&list.unwrap_or_default())?),
    };
    Ok(Change { name, list, version })
}

fn view<T: Item>(one: &Named<T>) -> Value {
    json!({ "id": one.id, "name": one.name, T::KIND.column: one.list, "version": one.version })
}

impl From<NamedError> for Refused {
    fn from(error: NamedError) -> Self {
        match error {
            NamedError::SameName(..) => Self::exists("name", error.to_string()),
            NamedError::Changed(..) => Self::changed(error.to_string()),
            NamedError::TooMany(..) => Self::field("name", error),
            NamedError::Store(error) => error.into(),
        }
    }
}
