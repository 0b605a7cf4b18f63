//! Questions about one site, answered from its buckets: for HTTP and for the command line alike.
use std::collections::BTreeMap;

use headwater_core::{Grain, Millis, Minute, Packed, RowDimension};
use headwater_edge::Identity;
use headwater_query::{
    Answer, AnswerError, Buckets, DateRange, Dimension, Need, Query, QueryError, Realtime, Retention, Rows, SiteContext, Span,
    Workers,
};
use rusqlite::Connection;

use crate::buckets::{self, Bucket, Cache};
use crate::site::Site;
use crate::store::{StoreError, aggregates, goals};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The question is at fault.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AnswerError<StoreError>> for AskError {
    fn from(error: AnswerError<StoreError>) -> Self {
        match error {
            AnswerError::Query(error) => Self::Query(error),
            AnswerError::Read(error) => Self::Store(error),
        }
    }
}

impl headwater_query::Bucket for Bucket {
    fn span(&self) -> Span {
        self.span
    }

    fn aggregate(&self) -> &Packed {
        self.aggregate()
    }

    fn has_people(&self) -> bool {
        self.has_people()
    }

    fn lens(&self) -> Option<&headwater_query::Lens> {
        Some(self.lens())
    }
}

/// Answers a query. `conn` is in a transaction, so that the answer is of one moment.
///
/// # Errors
/// See [`AskError`].
pub fn answer(conn: &Connection, cache: &Cache, site: &Site, query: &Query, now: Millis) -> Result<Answer, AskError> {
    let context = context(conn, site, now)?;
    let read = |grain, span, need| buckets::read(conn, cache, site.id, grain, span, need);
    let mut imported = |dimension: &str, days: std::ops::Range<_>| aggregates::read(conn, site.id, dimension, &days);
    headwater_query::answer_with_imports(query, &context, read, &mut imported).map_err(AskError::from)
}

/// Answers several queries, those that look at the same people in one pass. What is wrong with a query stands in its place.
///
/// # Errors
/// The database's.
pub fn answer_together(
    conn: &Connection,
    cache: &Cache,
    site: &Site,
    queries: &[&Query],
    now: Millis,
    workers: &dyn Workers,
) -> Result<Vec<Result<Answer, QueryError>>, StoreError> {
    let context = context(conn, site, now)?;
    let read = |grain, span, need| buckets::read(conn, cache, site.id, grain, span, need);
    let mut imported = |dimension: &str, days: std::ops::Range<_>| aggregates::read(conn, site.id, dimension, &days);
    headwater_query::answer_together(queries, &context, read, &mut imported, workers)
}

/// Which of several queries are best answered together, by their places.
///
/// # Errors
/// The database's.
pub fn sets(conn: &Connection, site: &Site, queries: &[&Query], now: Millis) -> Result<Vec<Vec<usize>>, StoreError> {
    Ok(headwater_query::sets(queries, &context(conn, site, now)?))
}

/// The totals of the buckets of a range and the rows of some dimensions, for who merges them elsewhere.
///
/// # Errors
/// See [`AskError`].
pub fn buckets(
    conn: &Connection,
    cache: &Cache,
    site: &Site,
    range: &DateRange,
    grain: Grain,
    dimensions: &[Dimension],
    now: Millis,
) -> Result<Buckets, AskError> {
    let context = context(conn, site, now)?;
    let read = |grain, span, need| buckets::read(conn, cache, site.id, grain, span, need);
    headwater_query::buckets(range, grain, dimensions, &context, read).map_err(AskError::from)
}

/// The last hour, minute by minute, and the last five together.
///
/// # Errors
/// The database's.
pub fn realtime(conn: &Connection, cache: &Cache, site: &Site, now: Millis) -> Result<Realtime, StoreError> {
    let span = Span { start: now.minute().offset(-59), end: now.minute().offset(1) };
    let minutes = buckets::read(conn, cache, site.id, Grain::Minute, span, Need::People(Rows::All))?;
    Ok(headwater_query::realtime(now.minute(), minutes.iter().map(|bucket| (bucket.span.start, bucket.aggregate()))))
}

/// The days in which properties are looked for.
const PROPERTY_DAYS: u32 = 28;

/// The names of the properties that events of the last 28 days carried, with how many did; the most frequent first.
///
/// # Errors
/// The database's.
pub fn properties(conn: &Connection, cache: &Cache, site: &Site, now: Millis) -> Result<Vec<(String, u64)>, StoreError> {
    let now = now.minute();
    let span = Span { start: Minute(now.0.saturating_sub(PROPERTY_DAYS * 24 * 60)), end: now.offset(1) };
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for bucket in buckets::read(conn, cache, site.id, Grain::Day, span, Need::Tallies(Rows::Of(RowDimension::Prop)))? {
        let tallies = &bucket.aggregate().tallies;
        for row in tallies.of(RowDimension::Prop) {
            *found.entry(tallies.dict.get(row.key.key).to_owned()).or_default() += row.tally.events;
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(_, events)| std::cmp::Reverse(*events));
    Ok(found)
}

/// What the answer must know of the site.
fn context(conn: &Connection, site: &Site, now: Millis) -> Result<SiteContext, StoreError> {
    let now: Minute = now.minute();
    let mut eras = site.timeline.eras();
    let mut context = match eras.next() {
        Some(first) => SiteContext::new(first.calendar.clone(), identity(first.identity), now),
        None => SiteContext::new(headwater_query::Calendar::utc(), headwater_query::Identity::Day, now),
    };
    for era in eras {
        context = context.then(era.from, era.calendar.clone(), identity(era.identity));
    }
    context.retention = Retention::of_days(now, |grain| site.retention.days(grain));
    context.first_data = buckets::first_minute(conn, site.id)?;
    context.imported = aggregates::extent(conn, site.id)?;
    context.goals = goals::list(conn, site.id)?.into_iter().map(|stored| stored.goal).collect();
    Ok(context)
}

const fn identity(identity: Identity) -> headwater_query::Identity {
    match identity {
        Identity::Day => headwater_query::Identity::Day,
        Identity::Month => headwater_query::Identity::Month,
        Identity::Device => headwater_query::Identity::Device,
    }
}
