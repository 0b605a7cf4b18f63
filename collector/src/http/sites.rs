//! `/api/v1/sites`
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_query::Calendar;
use serde_json::json;

use super::access::Access;
use super::extract::{Body, Named};
use super::fields::Fields;
use super::problem::Refused;
use crate::app::App;
use crate::buckets;
use crate::site::{Domain, HostRule, Retention, SiteView, parse_identity};
use crate::store::people::Role;
use crate::store::sessions::Holder;
use crate::store::sites::{self, MOST_SHARDS, NewSite, SiteChange};
use crate::store::tokens::Scope;
use crate::store::{StoreError, bots};
use crate::text::iso_minute;

/// The most rules for hosts of one site.
const MOST_HOSTS: usize = 100;

/// `GET /api/v1/sites`: those that the asker may read.
pub(crate) async fn list(State(app): State<App>, access: Access) -> Result<Response, Refused> {
    if let Holder::Scope(_) = access.signed_in()? {
        access.needs(Scope::Read)?;
    }
    let entries = app.directory.accounts().sites();
    let views = entries.iter().filter_map(|entry| access.role(entry).map(|role| entry.site.view(app.now()).with_role(role)));
    Ok(Json(json!({ "sites": views.collect::<Vec<SiteView>>() })).into_response())
}

/// `POST /api/v1/sites`
pub(crate) async fn add(State(app): State<App>, access: Access, Body(body): Body) -> Result<Response, Refused> {
    access.needs(Scope::Admin)?;
    let mut fields = Fields::parse(&body)?;
    let domain = fields.parsed("domain", str::parse::<Domain>)?;
    let new = NewSite {
        domain: domain.ok_or_else(|| Refused::field("domain", "is missing; write it as example.com"))?,
        calendar: fields.parsed("timezone", Calendar::new)?.unwrap_or_else(Calendar::utc),
        identity: fields.parsed("identity", identity)?.unwrap_or_default(),
        hosts: fields.list("hosts", MOST_HOSTS, str::parse::<HostRule>)?.unwrap_or_default(),
        public: fields.flag("public")?.unwrap_or(false),
    };
    fields.end("domain, timezone, identity, hosts, public")?;
    let now = app.now();
    let site = app.store.write(move |tx| sites::add(tx, &new, now)).await?;
    app.reload_sites().await?;
    let location = HeaderValue::from_str(&format!("/api/v1/sites/{}", site.domain));
    let mut response = (StatusCode::CREATED, Json(site.view(now))).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `GET /api/v1/sites/{domain}`
pub(crate) async fn show(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    let entry = access.reads(&app, "domain", &domain)?;
    let (mut view, site, now) = (entry.site.view(app.now()), entry.site.clone(), app.now().minute());
    view.role = access.role(&entry);
    let read = move |tx: &rusqlite::Transaction<'_>| {
        Ok::<_, StoreError>((buckets::first_minute(tx, site.id)?, bots::days(tx, &site, now)?))
    };
    let (since, bots) = app.store.read(read).await?;
    view.since = since.map(iso_minute);
    view.bots = Some(bots).filter(|bots| !bots.is_empty());
    Ok(Json(view).into_response())
}

/// `PATCH /api/v1/sites/{domain}`
pub(crate) async fn change(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Body(body): Body,
) -> Result<Response, Refused> {
    let known = access.may(&app, "domain", &domain, Role::Owner)?;
    let mut fields = Fields::parse(&body)?;
    let change = SiteChange {
        calendar: fields.parsed("timezone", Calendar::new)?,
        identity: fields.parsed("identity", identity)?,
        hosts: fields.list("hosts", MOST_HOSTS, str::parse::<HostRule>)?,
        public: fields.flag("public")?,
        shards: fields.take("shards").map(shards).transpose()?,
        retention: fields.take("retention").map(|value| retention(value, known.site.retention)).transpose()?,
    };
    fields.end("timezone, identity, hosts, public, shards, retention")?;
    let now = app.now();
    let site = app.store.write(move |tx| sites::change(tx, &domain, &change, now)).await?;
    app.reload_sites().await?;
    Ok(Json(site.view(now)).into_response())
}

/// `DELETE /api/v1/sites/{domain}`
pub(crate) async fn remove(State(app): State<App>, access: Access, Named(domain): Named) -> Result<Response, Refused> {
    access.may(&app, "domain", &domain, Role::Owner)?;
    app.store.write(move |tx| sites::remove(tx, &domain)).await?;
    app.reload_sites().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn identity(word: &str) -> Result<headwater_edge::Identity, &'static str> {
    parse_identity(word).ok_or("must be day, month or device")
}

fn shards(value: serde_json::Value) -> Result<u16, Refused> {
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|number| (1..=MOST_SHARDS).contains(number));
    number.ok_or_else(|| Refused::field("shards", format!("must be a whole number from 1 to {MOST_SHARDS}")))
}

/// What is not named stays; null is for ever.
fn retention(value: serde_json::Value, current: Retention) -> Result<Retention, Refused> {
    let serde_json::Value::Object(asked) = value else { return Err(Refused::field("retention", "must be an object")) };
    let wrong = |error: serde_json::Error| Refused::field("retention", error);
    let mut merged = serde_json::to_value(current).map_err(wrong)?;
    if let Some(merged) = merged.as_object_mut() {
        merged.extend(asked);
    }
    let retention: Retention = serde_json::from_value(merged).map_err(wrong)?;
    retention.check().map_err(|(field, allowed)| Refused::field(field, allowed))?;
    Ok(retention)
}
