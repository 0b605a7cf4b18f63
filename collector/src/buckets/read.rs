//! Reading buckets.
use std::collections::HashMap;
use std::sync::Arc;

use headwater_core::{Grain, Minute, Packed, RowDimension, SiteId};
use headwater_query::{Need, Span};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::compact::segments;
use super::segment::{Segment, Stored};
use super::{BucketKey, Cache, grain_code};
use crate::store::StoreError;

/// A bucket as read.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Its minutes.
    pub span: Span,
    segment: Arc<Segment>,
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
    let ready =
        if need == Need::People { unpack(connection, cache, buckets.iter().flat_map(|(_, ids)| ids))? } else { Ready::new() };
    let load = |(key, ids): (BucketKey, Vec<i64>)| {
        let segment = match (need, &ids[..]) {
            (Need::Tallies, [id]) => tallies(connection, cache, *id)?,
            (Need::Uniques(dimension), [id]) => uniques(connection, cache, *id, dimension)?,
            // What is still being written changes too often to keep more than one form of it.
            _ => merge(connection, cache, &ready, key, ids)?,
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

/// Segments at hand.
type Ready = HashMap<i64, Arc<Segment>>;

/// Segments from memory, or unpacked on as many threads as there are cores.
fn unpack<'a>(connection: &Connection, cache: &Cache, ids: impl Iterator<Item = &'a i64>) -> Result<Ready, StoreError> {
    let (mut ready, mut stored) = (Ready::new(), Vec::<(Stored, Option<Arc<Segment>>)>::new());
    for id in ids {
        match cache.segment(*id) {
            Some(segment) => drop(ready.insert(*id, segment)),
            None => stored.extend(Stored::read(connection, *id)?.map(|stored| (stored, cache.light(*id)))),
        }
    }
    let unpack = |some: &[(Stored, Option<Arc<Segment>>)]| -> Result<Vec<_>, StoreError> {
        let one = |(stored, light): &(Stored, Option<Arc<Segment>>)| {
            let tallies = light.as_ref().map(|light| Arc::clone(&light.aggregate.tallies));
            Ok((stored.id, Arc::new(stored.unpack(tallies)?)))
        };
        some.iter().map(one).collect()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(stored.len());
    if threads < 2 {
        ready.extend(unpack(&stored)?);
    } else {
        std::thread::scope(|scope| {
            let each = stored.len().div_ceil(threads);
            let running: Vec<_> = stored.chunks(each).map(|some| scope.spawn(|| unpack(some))).collect();
            for thread in running {
                ready.extend(thread.join().unwrap_or(Err(StoreError::Interrupted))?);
            }
            Ok::<_, StoreError>(())
        })?;
    }
    for (stored, light) in &stored {
        let Some(segment) = ready.get(&stored.id) else { continue };
        if light.is_none() {
            // It shares its tallies with this one.
            cache.keep_light(stored.id, &Arc::new(segment.without_people()));
        }
        cache.keep_segment(stored.id, segment);
    }
    Ok(ready)
}

/// The tallies of a bucket that is one segment.
fn tallies(connection: &Connection, cache: &Cache, id: i64) -> Result<Arc<Segment>, StoreError> {
    if let Some(known) = cache.light(id) {
        return Ok(known);
    }
    let light = Arc::new(Segment::load_tallies(connection, id)?.unwrap_or_default());
    cache.keep_light(id, &light);
    Ok(light)
}

/// The tallies of a bucket that is one segment, and what its lens knows of a dimension; without its people.
fn uniques(connection: &Connection, cache: &Cache, id: i64, dimension: RowDimension) -> Result<Arc<Segment>, StoreError> {
    let known = cache.light(id);
    if let Some(known) = known.as_ref().filter(|known| known.lens.knows(dimension)) {
        return Ok(Arc::clone(known));
    }
    let light = match known {
        Some(light) => light,
        None => Arc::new(Segment::load_tallies(connection, id)?.unwrap_or_default()),
    };
    if let Some(written) = Segment::load_uniques(connection, id)? {
        let corrupt = || StoreError::Corrupt(format!("what is known of segment {id}"));
        // Whoever has it in hand without theta needs none; who finds it to know something must find theta, too.
        let light = if light.lens.knows(RowDimension::Total) {
            light
        } else {
            Arc::new(light.with_theta(headwater_query::Lens::theta(&written).ok_or_else(corrupt)?))
        };
        light.lens.read(dimension, &written, &light.aggregate.tallies).ok_or_else(corrupt)?;
        cache.keep_light(id, &light);
        return Ok(light);
    }
    let known = Some(light);
    let full = match cache.segment(id) {
        Some(segment) => segment,
        // Not kept: who asks for this asks for no people.
        None => Arc::new(Segment::load(connection, id)?.unwrap_or_default()),
    };
    // What was worked out before stays, if it was of a segment whose theta is known.
    let light = known.filter(|known| known.lens.knows(RowDimension::Total)).unwrap_or_else(|| Arc::new(full.without_people()));
    light.lens.prepare(dimension, &full.aggregate);
    cache.keep_light(id, &light);
    Ok(light)
}

/// One bucket; empty if nothing happened in it.
pub(super) fn load_bucket(connection: &Connection, cache: &Cache, key: BucketKey) -> Result<Arc<Segment>, StoreError> {
    let ids = segments(connection, key, None)?;
    merge(connection, cache, &Ready::new(), key, ids)
}

fn merge(
    connection: &Connection,
    cache: &Cache,
    ready: &Ready,
    key: BucketKey,
    ids: Vec<i64>,
) -> Result<Arc<Segment>, StoreError> {
    if ids.is_empty() {
        return Ok(Arc::new(Segment { sampled: true, ..Segment::default() }));
    }
    if ids.len() > 1
        && let Some(segment) = cache.merged(key, &ids)
    {
        return Ok(segment);
    }
    let mut parts = Vec::with_capacity(ids.len());
    for &id in &ids {
        if let Some(segment) = ready.get(&id).cloned().or_else(|| cache.segment(id)) {
            parts.push(segment);
        } else if let Some(segment) = Segment::load(connection, id)? {
            let segment = Arc::new(segment);
            cache.keep_segment(id, &segment);
            parts.push(segment);
        }
    }
    if let [one] = &parts[..] {
        return Ok(Arc::clone(one));
    }
    let merged = Arc::new(Segment::merge(&parts.iter().map(|p| &**p).collect::<Vec<_>>()));
    cache.keep_merged(key, ids, &merged);
    Ok(merged)
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
