//! `/api/v1/sites/{site}/imports`: what an import elsewhere asks before its first batch, which goes to `/v1/partials`; and sums by day
//! that another program counted.
use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use headwater_core::{NodeId, OTHER};
use headwater_query::{Date, imported_dimensions};
use serde_json::{Value, json};

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::problem::{Refused, removed};
use crate::app::App;
use crate::import::{Begun, plausible};
use crate::store::StoreError;
use crate::store::aggregates::{self, DayRows, Digest};
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

/// The longest body of days in bytes.
pub(crate) const BODY: usize = 16 * 1024 * 1024;
/// The most days that are asked about at once.
const MOST_DAYS: usize = 4_000;
/// The most rows of a dimension and day.
const MOST_ROWS: usize = 20_000;

/// `GET /api/v1/sites/{site}/imports`: what other programs counted and was imported.
pub(crate) async fn list(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    access.signed_in()?;
    let site = access.reads(&app, "site", &domain)?.site.id;
    let imports = app.store.read(move |tx| aggregates::list(tx, site)).await?;
    Ok(Json(json!({ "imports": imports })).into_response())
}

/// `POST /api/v1/sites/{site}/imports/compare`: how days, by the digests of their rows, stand to what is there.
pub(crate) async fn compare(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let site = access.may(&app, "site", &domain, Role::Owner)?.site.clone();
    let mut fields = Fields::parse(&body)?;
    let mut days = Vec::new();
    for (date, digest) in by_day(&mut fields, MOST_DAYS)? {
        let field = format!("days.{date}");
        let digest: Option<NodeId> = digest.as_str().and_then(|digits| digits.parse().ok());
        let digest = digest.ok_or_else(|| Refused::field(&field, "must be 32 hexadecimal digits"))?;
        days.push((date, digest.0));
    }
    fields.end("days")?;
    let now = app.now().minute();
    let compared = app.store.read(move |tx| plausible::compare(tx, &site, &days, now)).await?;
    let days: BTreeMap<String, plausible::Compared> = compared.into_iter().map(|(date, how)| (date.to_string(), how)).collect();
    Ok(Json(json!({ "days": days })).into_response())
}

/// `POST /api/v1/sites/{site}/imports/days`: takes days in. A day that is there with the same rows is not taken again, one with other
/// rows only with `replace`.
pub(crate) async fn take(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let site = access.may(&app, "site", &domain, Role::Owner)?.site.clone();
    let mut fields = Fields::parse(&body)?;
    let source = fields.text("source")?.filter(|source| (1..=80).contains(&source.len()));
    let source = source.ok_or_else(|| Refused::field("source", "must name the program that counted, in 1 to 80 bytes"))?;
    let content = fields.parsed("content", str::parse::<NodeId>)?;
    let content: Digest = content.ok_or_else(|| Refused::field("content", "is missing; write 32 hexadecimal digits"))?.0;
    let replace = fields.flag("replace")?.unwrap_or(false);
    let mut days = BTreeMap::new();
    for (date, rows) in by_day(&mut fields, MOST_DAYS)? {
        days.insert(date, day(&format!("days.{date}"), rows)?);
    }
    fields.end("source, content, days, replace")?;
    let now = app.now();
    let taken = app.store.write(move |tx| plausible::put(tx, &site, (&source, content), &days, replace, now)).await;
    match taken {
        Ok(taken) => Ok(Json(json!({ "taken": taken })).into_response()),
        Err(error @ plausible::PutError::Conflict(_)) => Err(Refused::exists("days", error.to_string())),
        Err(plausible::PutError::Store(error)) => Err(error.into()),
    }
}

/// The field `days`: an object by date.
fn by_day(fields: &mut Fields, most: usize) -> Result<Vec<(Date, Value)>, Refused> {
    let Some(Value::Object(days)) = fields.take("days") else {
        return Err(Refused::field("days", "must be an object whose keys are dates as in 2026-11-22"));
    };
    if days.len() > most {
        return Err(Refused::field("days", format!("at most {most}")));
    }
    let dated = |(date, value): (String, Value)| match Date::parse(&date) {
        Some(date) => Ok((date, value)),
        None => {
            Err(Refused::field(&format!("days.{}", date.chars().take(20).collect::<String>()), "is no date as in 2026-11-22"))
        }
    };
    days.into_iter().map(dated).collect()
}

/// The rows of a day, in order and each once.
fn day(field: &str, rows: Value) -> Result<DayRows, Refused> {
    let mut day: DayRows = serde_json::from_value(rows).map_err(|error| Refused::field(field, error))?;
    let known = imported_dimensions();
    for (dimension, rows) in &mut day.0 {
        let field = format!("{field}.{dimension}");
        if !known.contains(dimension) {
            return Err(Refused::field(
                &field,
                format!("is no dimension of imports; those are the total \"\" and {}", known[1..].join(", ")),
            ));
        }
        if rows.len() > MOST_ROWS || rows.iter().any(|row| row.value.len() > headwater_core::beacon::MAX_STRING) {
            return Err(Refused::field(
                &field,
                format!("has at most {MOST_ROWS} rows (sum the others up in {OTHER:?}), with values of at most 1024 bytes"),
            ));
        }
        rows.sort_by(|a, b| a.value.cmp(&b.value));
        if rows.windows(2).any(|two| matches!(two, [a, b] if a.value == b.value)) {
            return Err(Refused::field(&field, "has each value once"));
        }
    }
    if day.0.get("").is_none_or(|total| total.len() != 1 || total.iter().any(|row| !row.value.is_empty())) {
        return Err(Refused::field(&format!("{field}."), "must be the total: one row without a value"));
    }
    Ok(day)
}

/// `DELETE /api/v1/sites/{site}/imports/{import}`: with the name of an import that has begun, ends it, and destroys its salt; with
/// the number of what another program counted, removes that.
pub(crate) async fn end(
    State(app): State<App>,
    access: Access,
    Path((domain, import)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let entry = access.may(&app, "site", &domain, Role::Owner)?;
    if let Ok(id) = import.parse::<i64>()
        && import.len() < 20
    {
        let site = entry.site.id;
        return removed(app.store.write(move |tx| aggregates::remove(tx, site, id)).await?, "import", &import);
    }
    let import: NodeId = import.parse().map_err(|error| Refused::field("import", error))?;
    let site = entry.site.id;
    app.store.write(move |tx| imports::end(tx, site, import)).await?;
    let store = app.store.clone();
    // The log holds what was deleted until it is cut.
    tokio::task::spawn_blocking(move || store.truncate_log()).await.unwrap_or(Err(StoreError::Interrupted))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
