//! `GET /api/v1/sites/{site}/buckets`
use std::io::Write as _;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use headwater_core::Grain;
use headwater_query::{DateRange, Dimension, Moment};
use serde_json::{Map, Value};

use super::access::Access;
use super::extract::Named;
use super::fields::Fields;
use super::files::accepts;
use super::problem::Refused;
use crate::app::App;
use crate::ask;

/// Answers of fewer bytes are not packed: it would cost more than it saves.
const SHORT: usize = 1024;
/// The most dimensions: every one that has rows, and some more.
const MAX_DIMENSIONS: usize = 24;

/// The totals of a range's buckets as bytes: `from` and `to` (dates, both included, or date-times), or `date_range` (as in a query), and
/// `grain` (`minute`, `hour` or `day`). Of days also the rows of some `dimensions`, with commas between them.
pub(crate) async fn show(
    State(app): State<App>,
    access: Access,
    Named(domain): Named,
    headers: HeaderMap,
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
    let dimensions = fields.text("dimensions")?.map(|names| dimensions(&names)).transpose()?.unwrap_or_default();
    fields.end("from, to, date_range, grain, dimensions")?;
    let range = match (named, from, to) {
        (Some(range), None, None) => range,
        (None, Some(from @ Moment::Date(_)), Some(to @ Moment::Date(_)))
        | (None, Some(from @ Moment::At(..)), Some(to @ Moment::At(..))) => DateRange::Between(from, to),
        (None, Some(_), Some(_)) => return Err(Refused::field("to", "must be a date if from is one, else a date-time")),
        (None, Some(_), None) => return Err(Refused::field("to", "is missing")),
        (None, None, _) => return Err(Refused::field("from", "is missing; date_range may stand for from and to")),
        (Some(_), ..) => return Err(Refused::field("date_range", "stands for from and to, so it can't stand beside them")),
    };
    let packs =
        headers.get(header::ACCEPT_ENCODING).and_then(|list| list.to_str().ok()).is_some_and(|list| accepts(list, "gzip"));
    let pass = app.queries.enter().await?;
    let (asked, now) = (app.clone(), app.now());
    let read = move |tx: &rusqlite::Transaction<'_>| {
        let told = ask::buckets(tx, &asked.cache, &entry.site, &range, grain, &dimensions, now);
        drop(pass);
        let bytes = told?.encode();
        let packed = if packs && bytes.len() >= SHORT { pack(&bytes).ok() } else { None };
        Ok::<_, ask::AskError>((packed.is_some(), packed.unwrap_or(bytes)))
    };
    let (packed, bytes) = app.store.read(read).await?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes)?;
    packed.finish()
}

fn dimensions(names: &str) -> Result<Vec<Dimension>, Refused> {
    let one = |(at, name): (usize, &str)| {
        Dimension::from_name(name).ok_or_else(|| {
            Refused::field(
                &format!("dimensions[{at}]"),
                format!("{name:?} is no dimension; they stand as in queries, with commas between them"),
            )
        })
    };
    let found = names.split(',').enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
    if found.len() > MAX_DIMENSIONS {
        return Err(Refused::field("dimensions", format!("at most {MAX_DIMENSIONS}")));
    }
    Ok(found)
}

fn grain(name: &str) -> Result<Grain, &'static str> {
    Grain::ALL.into_iter().find(|grain| grain.name() == name).ok_or("must be minute, hour or day")
}
