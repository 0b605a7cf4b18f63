//! Admission: which values of a day have a row of their own. The rest is `(other)`.
//!
//! Decided once per site, dimension and day: a value that has a row in the day's bucket is admitted, a new one while
//! there is room. The decision holds for every grain, so that minutes, hours and the day still add up to each other.
use std::collections::HashMap;
use std::hash::BuildHasher as _;

use headwater_core::{RowDimension, Tallies};
use headwater_query::Rows;

use super::BucketKey;
use super::compact::segments;
use super::segment::Segment;
use crate::store::StoreError;

/// Values of one dimension (of one property) a day.
const MAX_VALUES: u32 = 20_000;
/// Rows of all dimensions a day.
const MAX_ROWS: usize = 200_000;
/// Days remembered between batches: hot ones stay, others are read again from their buckets.
const MAX_DAYS: usize = 64;

#[derive(Default)]
struct Day {
    admitted: std::collections::HashSet<u64, foldhash::fast::RandomState>,
    values: HashMap<u64, u32, foldhash::fast::RandomState>,
    used: u64,
}

/// What was admitted, per site and day. A cache of what the days' buckets say.
#[derive(Default)]
pub(super) struct Admission {
    days: HashMap<BucketKey, Day>,
    hasher: foldhash::fast::RandomState,
    clock: u64,
}

impl Admission {
    /// Forgets everything: after a transaction that failed, only the database knows what was admitted.
    pub(super) fn clear(&mut self) {
        self.days.clear();
    }

    /// These tallies with what is past the caps in `(other)`.
    pub(super) fn admit(
        &mut self,
        connection: &rusqlite::Connection,
        day: BucketKey,
        tallies: &Tallies,
    ) -> Result<Tallies, StoreError> {
        self.clock += 1;
        if !self.days.contains_key(&day) {
            if self.days.len() >= MAX_DAYS {
                let oldest = self.days.iter().min_by_key(|d| d.1.used).map(|d| *d.0);
                oldest.map(|key| self.days.remove(&key));
            }
            let mut known = Day::default();
            for id in segments(connection, day, None)? {
                let Some((stored, _)) = Segment::load_rows(connection, id, Rows::All)? else { continue };
                let Tallies { dict, rows } = &*stored.aggregate.tallies;
                for row in rows {
                    let (key, value) = (dict.get(row.key.key), dict.get(row.key.value));
                    known.admit(&self.hasher, row.key.dimension, key, value, true);
                }
            }
            self.days.insert(day, known);
        }
        let Some(known) = self.days.get_mut(&day) else { return Ok(tallies.clone()) };
        known.used = self.clock;
        Ok(tallies.admit(|dimension, key, value| known.admit(&self.hasher, dimension, key, value, false)))
    }
}

impl Day {
    fn admit(
        &mut self,
        hasher: &foldhash::fast::RandomState,
        dimension: RowDimension,
        key: &str,
        value: &str,
        stored: bool,
    ) -> bool {
        let row = hasher.hash_one((dimension, key, value));
        if self.admitted.contains(&row) {
            return true;
        }
        let values = self.values.entry(hasher.hash_one((dimension, key))).or_default();
        if !stored && (*values >= MAX_VALUES || self.admitted.len() >= MAX_ROWS) {
            return false;
        }
        *values += 1;
        self.admitted.insert(row);
        true
    }
}
