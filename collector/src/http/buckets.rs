//! `GET /api/v1/sites/{site}/buckets`
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use headwater_core::Grain;
use headwater_query::{DateRange, Moment};
use serde_json::{Map, Value};

use super::access::Access;
use super::extract::Named;
use super::fields::Fields;
use super::problem::Refused;
use crate::app::App;
use crate::ask;

/// The totals of a range's buckets as bytes: `from` and `to` (dates, both included, or date-times), or `date_range` (as in a query), and
/// `grain` (`minute`, `hour` or `day`).
pub(crate) async fn show(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Refused> {
    let entry = access.reads(&app, "site", &domain)?;
    let asked: Map<String, Value> = asked.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let mut fields = Fields::from(asked);
    let named =
        fields.parsed("date_range", |name| DateRange::from_name(name).ok_or("must be such as day, 28d, 12mo, year or all"))?;
    let written =
        |text: &str| Moment::parse(text).ok_or("must be a date (2026-11-22) or a date-time (2026-11-22T10:00:00+01:00)");
    let (from, to) = (fields.parsed("from", written)?, fields.parsed("to", written)?);
    let grain = fields.parsed("grain", grain)?.unwrap_or(Grain::Day);
    fields.end("from, to, date_range, grain")?;
    let range = match (named, from, to) {
        (Some(range), None, None) => range,
        (None, Some(from @ Moment::Date(_)), Some(to @ Moment::Date(_)))
        | (None, Some(from @ Moment::At(..)), Some(to @ Moment::At(..))) => DateRange::Between(from, to),
        (None, Some(_), Some(_)) => return Err(Refused::field("to", "must be a date if from is one, else a date-time")),
        (None, Some(_), None) => return Err(Refused::field("to", "is missing")),
        (None, None, _) => return Err(Refused::field("from", "is missing; date_range may stand for from and to")),
        (Some(_), ..) => return Err(Refused::field("date_range", "stands for from and to, so it can't stand beside them")),
    };
    let pass = app.queries.enter().await?;
    let (asked, now) = (app.clone(), app.now());
    let read = move |tx: &rusqlite::Transaction<'_>| {
        let told = ask::totals(tx, &asked.cache, &entry.site, &range, grain, now);
        drop(pass);
        told
    };
    let bytes = app.store.read(read).await?.encode();
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))], bytes).into_response())
}

fn grain(name: &str) -> Result<Grain, &'static str> {
    Grain::ALL.into_iter().find(|grain| grain.name() == name).ok_or("must be minute, hour or day")
}
