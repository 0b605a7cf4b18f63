//! Compaction: few segments a bucket, each written a logarithmic number of times (a log-structured merge tree,
//! O'Neil, Cheng, Gawlick, O'Neil 1996, with eight segments to a level).
use headwater_core::{Grain, Minute, SiteId};
use headwater_query::Span;
use rusqlite::{Connection, Transaction, params};

use super::segment::Segment;
use super::{BucketKey, grain_code, grain_of};
use crate::store::StoreError;

/// This many segments of one level become one of the next.
const FAN_OUT: usize = 8;
/// The level of a bucket's only segment when its time is over.
const SETTLED: i64 = 99;
/// How long after its end a bucket is settled, in minutes: most late beacons have come by then.
const GRACE: u32 = 5;

/// Merges the segments of each level that is full.
pub(super) fn compact(connection: &Connection, key: BucketKey) -> Result<(), StoreError> {
    for level in 0..SETTLED {
        let ids = segments(connection, key, Some(level))?;
        if ids.len() < FAN_OUT {
            return Ok(());
        }
        replace(connection, key, &ids, level + 1)?;
    }
    Ok(())
}

/// Makes one segment of each bucket whose time is over, a few buckets a call; true if there may be more.
///
/// # Errors
/// What the database says; the caller rolls back.
pub fn settle(tx: &Transaction<'_>, now: Minute) -> Result<bool, StoreError> {
    const AT_ONCE: usize = 16;
    let over: Vec<BucketKey> = {
        let mut statement = tx.prepare_cached("SELECT site, grain, start, \"end\" FROM unsettled WHERE \"end\" <= ? LIMIT ?")?;
        let rows = statement.query_map(params![now.0.saturating_sub(GRACE), AT_ONCE as i64], |row| {
            let span = Span { start: Minute(row.get(2)?), end: Minute(row.get(3)?) };
            Ok(BucketKey { site: SiteId(row.get(0)?), grain: grain_of(row.get(1)?), span })
        })?;
        rows.collect::<Result<_, _>>()?
    };
    for key in &over {
        let ids = segments(tx, *key, None)?;
        let settled = match &ids[..] {
            [one] if key.grain == Grain::Day => Segment::load(tx, *one)?.map(|segment| (*one, segment)),
            [] | [_] => None,
            _ => Some(replace(tx, *key, &ids, SETTLED)?),
        };
        // The days of months are asked for together; shorter buckets are few at a time.
        if let Some((id, segment)) = settled.filter(|_| key.grain == Grain::Day) {
            segment.insert_uniques(tx, id)?;
        }
        tx.prepare_cached("DELETE FROM unsettled WHERE site = ? AND grain = ? AND start = ?")?.execute(params![
            key.site.0,
            grain_code(key.grain),
            key.span.start.0
        ])?;
    }
    Ok(over.len() == AT_ONCE)
}

/// Makes one segment of several; gives it with its id.
fn replace(connection: &Connection, key: BucketKey, ids: &[i64], level: i64) -> Result<(i64, Segment), StoreError> {
    let mut parts = Vec::with_capacity(ids.len());
    for &id in ids {
        parts.extend(Segment::load(connection, id)?);
    }
    let merged = Segment::merge(&parts);
    let id = merged.insert(connection, key, level)?;
    let mut delete = connection.prepare_cached("DELETE FROM segments WHERE id = ?")?;
    for id in ids {
        delete.execute([id])?;
    }
    Ok((id, merged))
}

/// The ids of a bucket's segments, of one level or all.
pub(super) fn segments(connection: &Connection, key: BucketKey, level: Option<i64>) -> Result<Vec<i64>, StoreError> {
    let (low, high) = level.map_or((0, SETTLED), |level| (level, level));
    let mut statement = connection.prepare_cached(
        "SELECT id FROM segments WHERE site = ? AND grain = ? AND start = ? AND level BETWEEN ? AND ? ORDER BY id",
    )?;
    let ids = statement.query_map(params![key.site.0, grain_code(key.grain), key.span.start.0, low, high], |r| r.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}
