//! The rows of a bucket.
use std::collections::HashMap;

use headwater_core::{Grain, Millis, Minute, Numbers, RowDimension, Tally, VisitDimension};
pub use headwater_query::Span;
use headwater_query::{Calendar, DateRange, MetricValue, Moment, Need, Pagination, Query, Rows};
use rusqlite::Connection;
use serde_json::json;

use crate::ask::{self, AskError};
use crate::buckets::{self, Cache};
use crate::site::Site;

/// One row: the counts of a value of a dimension in a bucket, or the sums of an event's values in a currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When the bucket begins, by the site's clock: `2026-11-22T00:00:00+01:00`.
    pub time: String,
    /// As in queries; empty for everything.
    pub dimension: String,
    /// As it was counted; empty where there was none.
    pub value: String,
    /// What was counted; `None` in a row of sums.
    pub counts: Option<Counts>,
    /// The sums; `None` in a row of counts.
    pub values: Option<Values>,
}

/// Counts of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Distinct visitors in the bucket; `None` where people are no longer kept.
    pub visitors: Option<u64>,
    /// Visits that started.
    pub visits: u64,
    /// Of them, those that did not go on.
    pub bounces: u64,
    /// Page views.
    pub pageviews: u64,
    /// Of them, those that no other followed in their visit.
    pub exits: u64,
    /// Events, page views among them.
    pub events: u64,
    /// Engaged seconds.
    pub engaged_seconds: u64,
    /// Per cent of page depth reached, added up over the page views.
    pub depth: u64,
}

/// Sums of an event's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// ISO 4217 code, empty where the values are no money.
    pub currency: String,
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// The minutes of a range.
///
/// # Errors
/// What is wrong with the range, or the database's.
pub fn span(conn: &Connection, cache: &Cache, site: &Site, range: &serde_json::Value, now: Millis) -> Result<Span, AskError> {
    let query = json!({ "site_id": site.domain.as_str(), "metrics": ["pageviews"], "date_range": range });
    let answer = ask::answer(conn, cache, site, &Query::from_value(&query)?, now)?;
    let minute = |moment: Moment| match moment {
        Moment::At(local, offset) => {
            // The last second of a minute is its end.
            let second = local.to_unix() - offset.unwrap_or(0) + 59;
            Minute(u32::try_from(second.div_euclid(60).max(0)).unwrap_or(u32::MAX))
        }
        Moment::Date(date) => site.timeline.at(now.minute()).calendar.start_of(date),
    };
    Ok(match answer.query.date_range {
        DateRange::Between(from, to) => Span { start: minute(from), end: minute(to) },
        _ => Span { start: Minute(0), end: Minute(u32::MAX) },
    })
}

/// The buckets of a span in which something happened, in order.
///
/// # Errors
/// The database's.
pub fn buckets(conn: &Connection, site: &Site, grain: Grain, span: Span) -> Result<Vec<Span>, crate::store::StoreError> {
    buckets::spans(conn, site.id, grain, span)
}

/// The rows of one bucket: everything, then each dimension, by value.
pub(super) fn of_bucket(
    conn: &Connection,
    cache: &Cache,
    site: &Site,
    grain: Grain,
    span: Span,
    now: Millis,
) -> Result<Vec<Row>, AskError> {
    let Some(bucket) = buckets::read(conn, cache, site.id, grain, span, Need::Tallies(Rows::All))?
        .into_iter()
        .find(|bucket| bucket.span == span)
    else {
        return Ok(Vec::new());
    };
    let calendar = &site.timeline.at(span.start).calendar;
    let time = told(calendar, span.start);
    let range = range(calendar, span);
    let tallies = &bucket.aggregate().tallies;
    let mut rows = Vec::with_capacity(tallies.rows.len());
    let mut of: Option<(String, Option<HashMap<String, u64>>)> = None;
    for row in &tallies.rows {
        let (key, value) = (tallies.dict.get(row.key.key), tallies.dict.get(row.key.value));
        let dimension = match row.key.dimension {
            RowDimension::Prop => format!("event:props:{key}"),
            other => other.name().to_owned(),
        };
        if of.as_ref().is_none_or(|(known, _)| *known != dimension) {
            let visitors = if bucket.has_people() { visitors(conn, cache, site, &range, &dimension, now)? } else { None };
            of = Some((dimension.clone(), visitors));
        }
        let known = of.as_ref().and_then(|(_, visitors)| visitors.as_ref());
        let visitors = known.map(|known| known.get(shown(row.key.dimension, value)).copied().unwrap_or(0));
        let new =
            |counts, values| Row { time: time.clone(), dimension: dimension.clone(), value: value.to_owned(), counts, values };
        rows.push(new(Some(counts(&row.tally, visitors)), None));
        for (currency, numbers) in &row.tally.numbers {
            rows.push(new(None, Some(values(tallies.dict.get(*currency), numbers))));
        }
    }
    Ok(rows)
}

const fn counts(tally: &Tally, visitors: Option<u64>) -> Counts {
    Counts {
        visitors,
        visits: tally.visits,
        bounces: tally.visits.saturating_sub(tally.visits_went_on),
        pageviews: tally.views,
        exits: tally.views.saturating_sub(tally.views_went_on),
        events: tally.events,
        engaged_seconds: tally.engaged,
        depth: tally.depth,
    }
}

fn values(currency: &str, numbers: &Numbers) -> Values {
    let units = |millionths: f64| millionths / 1e6;
    Values {
        currency: currency.to_owned(),
        count: numbers.count,
        sum: units(numbers.sum as f64),
        min: units(numbers.min as f64),
        max: units(numbers.max as f64),
    }
}

/// Distinct visitors by value as queries show it; `None` if the query can't be answered any more.
fn visitors(
    conn: &Connection,
    cache: &Cache,
    site: &Site,
    range: &serde_json::Value,
    dimension: &str,
    now: Millis,
) -> Result<Option<HashMap<String, u64>>, AskError> {
    let dimensions: &[&str] = if dimension.is_empty() { &[] } else { &[dimension] };
    let mut all = HashMap::new();
    loop {
        let query = json!({
            "site_id": site.domain.as_str(), "metrics": ["visitors"], "date_range": range, "dimensions": dimensions,
            "pagination": { "limit": Pagination::MAX, "offset": all.len() },
            // An export is of what was counted here.
            "include": { "imports": false },
        });
        let answer = match Query::from_value(&query).map_err(AskError::from).and_then(|q| ask::answer(conn, cache, site, &q, now))
        {
            Ok(answer) => answer,
            Err(AskError::Query(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let rows = answer.results.len();
        for row in answer.results {
            let visitors = match row.metrics.first() {
                Some(MetricValue::Whole(visitors)) => *visitors,
                _ => 0,
            };
            all.insert(row.dimensions.into_iter().next().unwrap_or_default(), visitors);
        }
        if rows < Pagination::MAX as usize {
            return Ok(Some(all));
        }
    }
}

/// What queries call a missing value.
fn shown(dimension: RowDimension, value: &str) -> &str {
    use VisitDimension as V;
    match dimension {
        _ if !value.is_empty() => value,
        RowDimension::Visit(V::Source | V::Referrer) => "Direct / None",
        RowDimension::Visit(V::Channel) => "Direct",
        RowDimension::Visit(V::Country | V::Region | V::City | V::EntryPage) => "",
        RowDimension::Visit(_) => "(not set)",
        _ => "",
    }
}

/// The range of a query for exactly this bucket.
fn range(calendar: &Calendar, span: Span) -> serde_json::Value {
    json!([told(calendar, span.start), told(calendar, span.end)])
}

/// A minute by the site's clock, with its offset.
fn told(calendar: &Calendar, minute: Minute) -> String {
    Moment::At(calendar.local(minute), Some(calendar.offset(minute))).to_string()
}
