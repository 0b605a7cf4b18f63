//! Reading buckets.
use std::collections::HashMap;
use std::sync::Arc;

use headwater_core::{Grain, Minute, Packed, RowDimension, SiteId};
use headwater_query::{Lens, Names, Need, Rows, Span, Task, Workers as _};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::cache::RowsKey;
use super::segment::{Segment, StoredPeople};
use super::{BucketKey, Cache, grain_code};
use crate::store::StoreError;
use crate::threads::Threads;

/// A bucket as read.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Its minutes.
    pub span: Span,
    segment: Segment,
}

impl Bucket {
    /// What happened.
    #[must_use]
    pub fn aggregate(&self) -> &Packed {
        &self.segment.aggregate
    }

    /// What queries worked out about it.
    #[must_use]
    pub fn lens(&self) -> &headwater_query::Lens {
        &self.segment.lens
    }

    /// Whether its people are kept (maybe as a sample); if not, only tallies can answer.
    #[must_use]
    pub fn has_people(&self) -> bool {
        self.segment.sampled
    }
}

/// The buckets of a grain that lie wholly or partly in `span`, in order; those in which nothing happened are left out.
/// `connection` is in a transaction, so that no compaction comes between reading ids and reading segments. What is not
/// needed may be left out.
///
/// # Errors
/// What the database says.
pub fn read(
    connection: &Connection,
    cache: &Cache,
    site: SiteId,
    grain: Grain,
    span: Span,
    need: Need,
) -> Result<Vec<Bucket>, StoreError> {
    let mut buckets: Vec<(BucketKey, Vec<i64>)> = Vec::new();
    {
        // No bucket is longer than 48 hours, so none that begins earlier reaches into the span.
        let earliest = span.start.0.saturating_sub(48 * 60);
        let mut statement = connection.prepare_cached(
            "SELECT id, start, \"end\" FROM segments WHERE site = ? AND grain = ? AND start >= ? AND start < ? AND \"end\" > ? ORDER BY start, id",
        )?;
        let mut rows = statement.query(params![site.0, grain_code(grain), earliest, span.end.0, span.start.0])?;
        while let Some(row) = rows.next()? {
            let span = Span { start: Minute(row.get(1)?), end: Minute(row.get(2)?) };
            let id = row.get(0)?;
            match buckets.last_mut() {
                Some((key, ids)) if key.span.start == span.start => ids.push(id),
                _ => buckets.push((BucketKey { site, grain, span }, vec![id])),
            }
        }
    }
    let ids = buckets.iter().flat_map(|(_, ids)| ids);
    let names = cache.names(site);
    let ready = if matches!(need, Need::People(_)) { unpack(connection, cache, &names, ids)? } else { Ready::new() };
    let reader = Reader { connection, cache, names, ready };
    let load = |(key, ids): (BucketKey, Vec<i64>)| {
        let segment = match (need, &ids[..]) {
            (Need::Tallies(rows), [id]) => reader.rows(*id, rows)?.1,
            (Need::Uniques(dimension), [id]) => reader.uniques(*id, dimension)?,
            (Need::People(rows), [id]) => reader.whole(*id, rows)?,
            // What is still being written changes too often to keep more than one form of it.
            _ => reader.merge(key, ids)?,
        };
        Ok(Bucket { span: key.span, segment })
    };
    buckets.into_iter().map(load).collect()
}

/// The buckets of a grain that lie wholly in `span`, in order: those in which something happened.
///
/// # Errors
/// What the database says.
pub fn spans(connection: &Connection, site: SiteId, grain: Grain, span: Span) -> Result<Vec<Span>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT start, \"end\" FROM segments WHERE site = ? AND grain = ? AND start >= ? AND start < ? AND \"end\" <= ? ORDER BY start",
    )?;
    let rows = statement.query_map(params![site.0, grain_code(grain), span.start.0, span.end.0, span.end.0], |row| {
        Ok(Span { start: Minute(row.get(0)?), end: Minute(row.get(1)?) })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// People at hand, of the segments of these ids.
type Ready = HashMap<i64, Segment>;

/// People from memory, or unpacked on as many threads as there are cores.
fn unpack<'a>(
    connection: &Connection,
    cache: &Cache,
    names: &Arc<Names>,
    ids: impl Iterator<Item = &'a i64>,
) -> Result<Ready, StoreError> {
    let (mut ready, mut stored) = (Ready::new(), Vec::new());
    for id in ids {
        match cache.people(*id) {
            Some(segment) => drop(ready.insert(*id, segment)),
            None => stored.extend(StoredPeople::read(connection, *id)?),
        }
    }
    let mut unpacked: Vec<_> = stored.iter().map(|_| Err(StoreError::Interrupted)).collect();
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for (stored, place) in stored.iter().zip(&mut unpacked) {
        tasks.push(Box::new(move || *place = stored.unpack(names)));
    }
    Threads::of_all_cores(stored.len()).run(tasks);
    for (StoredPeople { id, .. }, segment) in stored.iter().zip(unpacked) {
        let segment = segment?;
        cache.keep_people(*id, &segment);
        ready.insert(*id, segment);
    }
    Ok(ready)
}

/// What segments of one site are read with.
struct Reader<'a> {
    connection: &'a Connection,
    cache: &'a Cache,
    names: Arc<Names>,
    ready: Ready,
}

impl Reader<'_> {
    /// Rows of a segment without its people, and under which key they are kept.
    fn rows(&self, id: i64, rows: Rows) -> Result<(RowsKey, Segment), StoreError> {
        let key = match rows {
            Rows::None => return Ok(((id, None), Segment::default())),
            Rows::Of(dimension) => (id, Some(dimension.sheet())),
            Rows::All => (id, None),
        };
        for key in [(id, None), key] {
            if let Some(known) = self.cache.rows(key) {
                return Ok((key, known));
            }
        }
        let (segment, all) = Segment::load_rows(self.connection, id, rows)?.unwrap_or_default();
        let segment = Segment { lens: Arc::new(Lens::of_site(self.names.clone())), ..segment };
        let key = if all { (id, None) } else { key };
        self.cache.keep_rows(key, &segment);
        Ok((key, segment))
    }

    /// The rows of a dimension of a segment, and what its lens knows of the dimension; without its people.
    fn uniques(&self, id: i64, dimension: RowDimension) -> Result<Segment, StoreError> {
        let (key, rows) = self.rows(id, Rows::Of(dimension))?;
        if rows.lens.knows(dimension) {
            return Ok(rows);
        }
        let segment = if let Some(theta) = rows.load_uniques(self.connection, id, dimension)? {
            rows.with_theta(theta)
        } else {
            // They are not kept: who asks for this asks for nobody.
            let people = self.people(id)?;
            rows.lens.prepare(dimension, &people.with_rows(&rows).aggregate);
            rows.with_theta(people.aggregate.people.theta)
        };
        self.cache.keep_rows(key, &segment);
        Ok(segment)
    }

    /// The people of a segment.
    fn people(&self, id: i64) -> Result<Segment, StoreError> {
        match self.ready.get(&id).cloned().or_else(|| self.cache.people(id)) {
            Some(people) => Ok(people),
            None => match StoredPeople::read(self.connection, id)? {
                Some(stored) => stored.unpack(&self.names),
                None => Ok(Segment::default()),
            },
        }
    }

    /// The people of a segment with rows.
    fn whole(&self, id: i64, rows: Rows) -> Result<Segment, StoreError> {
        Ok(self.people(id)?.with_rows(&self.rows(id, rows)?.1))
    }

    /// What the segments of a bucket are together.
    fn merge(&self, key: BucketKey, ids: Vec<i64>) -> Result<Segment, StoreError> {
        if let Some(segment) = self.cache.merged(key, &ids) {
            return Ok(segment);
        }
        let parts = ids.iter().map(|id| {
            let people = self.people(*id)?;
            self.cache.keep_people(*id, &people);
            Ok(people.with_rows(&self.rows(*id, Rows::All)?.1))
        });
        let merged = Segment::merge(&parts.collect::<Result<Vec<_>, StoreError>>()?);
        self.cache.keep_merged(key, ids, &merged);
        Ok(merged)
    }
}

/// The first minute that a site's buckets reach back to, if it has any.
///
/// # Errors
/// What the database says.
pub fn first_minute(connection: &Connection, site: SiteId) -> Result<Option<Minute>, StoreError> {
    let mut first: Option<Minute> = None;
    for grain in Grain::ALL {
        let mut statement =
            connection.prepare_cached("SELECT start FROM segments WHERE site = ? AND grain = ? ORDER BY start LIMIT 1")?;
        let start = statement.query_row(params![site.0, grain_code(grain)], |row| row.get(0).map(Minute)).optional()?;
        first = first.min(start).or(first).or(start);
    }
    Ok(first)
}
