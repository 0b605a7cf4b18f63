//! What was read before. Segments never change, so a decoded one is right as long as its id exists.
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_core::{Row, RowDimension, SiteId, Tallies};
use headwater_query::Names;

use super::BucketKey;
use super::segment::Segment;

/// Values with about how many bytes they take.
struct Shelf<K, V> {
    kept: HashMap<K, (V, usize), foldhash::fast::RandomState>,
    bytes: usize,
}

/// A merged bucket and the segments it was merged from.
type Merged = (Vec<i64>, Segment);
/// Which rows of which segment: those of a sheet, or all.
pub(super) type RowsKey = (i64, Option<RowDimension>);

/// Decoded segments and merged buckets. Rows and people are kept apart, so that a query that looks at everybody does not
/// drive out what answers most others.
///
/// What has to go is chosen blindly. Queries read the days of a range one after the other; if these are a little more than
/// there is room for, whoever throws out the oldest throws out just what comes next, and finds nothing ever again.
pub struct Cache {
    /// Segments without their people.
    rows: Mutex<Shelf<RowsKey, Segment>>,
    /// Segments without their rows.
    people: Mutex<Shelf<i64, Segment>>,
    merged: Mutex<Shelf<BucketKey, Merged>>,
    names: Mutex<Shelf<SiteId, Arc<Names>>>,
    budget: usize,
}

impl Cache {
    /// A cache of at most about `budget` bytes; 0 keeps nothing.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { rows: Mutex::default(), people: Mutex::default(), merged: Mutex::default(), names: Mutex::default(), budget }
    }

    /// The numbers of a site's names. Those of names that are no longer anywhere go when there are too many: then all begin anew.
    pub(super) fn names(&self, site: SiteId) -> Arc<Names> {
        let mut shelf = lock(&self.names);
        let most = self.budget / 32;
        let known = shelf.get(&site).filter(|names| names.bytes() <= most / 2).cloned().unwrap_or_default();
        shelf.keep(site, known.clone(), known.bytes(), most);
        known
    }

    /// Rows of a segment.
    pub(super) fn rows(&self, key: RowsKey) -> Option<Segment> {
        lock(&self.rows).get(&key).cloned()
    }

    /// Keeps rows of a segment, or notes that their lens has grown. These have three sixteenths of the memory.
    pub(super) fn keep_rows(&self, key: RowsKey, segment: &Segment) {
        let bytes = weigh(&segment.aggregate.tallies) + segment.lens.bytes();
        lock(&self.rows).keep(key, segment.clone(), bytes, self.budget / 16 * 3);
    }

    /// The people of a segment.
    pub(super) fn people(&self, id: i64) -> Option<Segment> {
        lock(&self.people).get(&id).cloned()
    }

    /// Keeps the people of a segment, whose strings will mostly be numbered.
    pub(super) fn keep_people(&self, id: i64, segment: &Segment) {
        let people = &segment.aggregate.people;
        let bytes = people.bytes() + people.dict.len() * size_of::<u32>();
        lock(&self.people).keep(id, segment.clone(), bytes, self.budget / 4 * 3);
    }

    pub(super) fn merged(&self, key: BucketKey, ids: &[i64]) -> Option<Segment> {
        lock(&self.merged).get(&key).filter(|merged| merged.0 == ids).map(|merged| merged.1.clone())
    }

    pub(super) fn keep_merged(&self, key: BucketKey, ids: Vec<i64>, segment: &Segment) {
        let bytes = weigh(&segment.aggregate.tallies) + segment.aggregate.people.bytes();
        lock(&self.merged).keep(key, (ids, segment.clone()), bytes, self.budget / 32);
    }
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self { kept: HashMap::default(), bytes: 0 }
    }
}

impl<K: Copy + Eq + Hash, V> Shelf<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        self.kept.get(key).map(|kept| &kept.0)
    }

    fn keep(&mut self, key: K, value: V, bytes: usize, budget: usize) {
        if bytes > budget {
            return;
        }
        let old = self.kept.remove(&key).map_or(0, |old| old.1);
        self.bytes -= old;
        // The order of the map has nothing to do with what is asked.
        while self.bytes + bytes > budget
            && let Some(any) = self.kept.keys().next().copied()
        {
            self.bytes -= self.kept.remove(&any).map_or(0, |old| old.1);
        }
        self.bytes += bytes;
        self.kept.insert(key, (value, bytes));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// About how many bytes tallies take in memory.
fn weigh(tallies: &Tallies) -> usize {
    tallies.rows.len() * size_of::<Row>() + tallies.dict.bytes() + 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_never_holds_more_than_its_budget_and_still_answers_a_walk_that_is_longer() {
        let mut shelf = Shelf::default();
        let mut found = 0;
        for round in 0..100 {
            for key in 0..12 {
                match shelf.get(&key) {
                    Some(()) => found += 1,
                    None => shelf.keep(key, (), 10, 100),
                }
                assert!(shelf.bytes <= 100 && shelf.bytes == shelf.kept.len() * 10, "round {round}");
            }
        }
        assert!(found > 600, "{found} of 1,200 were there");
        shelf.keep(5, (), 101, 100);
        shelf.keep(6, (), 20, 100);
        shelf.keep(6, (), 30, 100);
        assert_eq!(shelf.bytes, shelf.kept.values().map(|kept| kept.1).sum::<usize>());
    }
}
