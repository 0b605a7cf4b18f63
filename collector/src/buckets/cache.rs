//! What was read before. Segments never change, so a decoded one is right as long as its id exists.
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_core::{Packed, Row, Tallies};

use super::BucketKey;
use super::segment::Segment;

/// Values with about how many bytes they take.
struct Shelf<K, V> {
    kept: HashMap<K, (V, usize), foldhash::fast::RandomState>,
    bytes: usize,
}

/// A merged bucket and the segments it was merged from.
type Merged = (Vec<i64>, Arc<Segment>);

/// Decoded segments and merged buckets. What has no people is kept apart, so that a query that looks at everybody does not
/// drive out what answers most others.
///
/// What has to go is chosen blindly. Queries read the days of a range one after the other; if these are a little more than
/// there is room for, whoever throws out the oldest throws out just what comes next, and finds nothing ever again.
pub struct Cache {
    segments: Mutex<Shelf<i64, Arc<Segment>>>,
    /// Segments without their people.
    light: Mutex<Shelf<i64, Arc<Segment>>>,
    merged: Mutex<Shelf<BucketKey, Merged>>,
    budget: usize,
}

impl Cache {
    /// A cache of at most about `budget` bytes; 0 keeps nothing.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { segments: Mutex::default(), light: Mutex::default(), merged: Mutex::default(), budget }
    }

    /// A segment without its people.
    pub(super) fn light(&self, id: i64) -> Option<Arc<Segment>> {
        lock(&self.light).get(&id).map(Arc::clone)
    }

    /// Keeps a segment without its people, or notes that its lens has grown. These have three sixteenths of the memory.
    pub(super) fn keep_light(&self, id: i64, segment: &Arc<Segment>) {
        lock(&self.light).keep(
            id,
            Arc::clone(segment),
            weigh(&segment.aggregate.tallies) + segment.lens.bytes(),
            self.budget / 16 * 3,
        );
    }

    pub(super) fn segment(&self, id: i64) -> Option<Arc<Segment>> {
        lock(&self.segments).get(&id).map(Arc::clone)
    }

    pub(super) fn keep_segment(&self, id: i64, segment: &Arc<Segment>) {
        let Packed { tallies, people } = &segment.aggregate;
        // Mostly they are shared with what is kept without people.
        let own = if Arc::strong_count(tallies) == 1 { weigh(tallies) } else { 0 };
        lock(&self.segments).keep(id, Arc::clone(segment), people.bytes() + own, self.budget / 4 * 3);
    }

    pub(super) fn merged(&self, key: BucketKey, ids: &[i64]) -> Option<Arc<Segment>> {
        lock(&self.merged).get(&key).filter(|merged| merged.0 == ids).map(|merged| Arc::clone(&merged.1))
    }

    pub(super) fn keep_merged(&self, key: BucketKey, ids: Vec<i64>, segment: &Arc<Segment>) {
        let bytes = weigh(&segment.aggregate.tallies) + segment.aggregate.people.bytes();
        lock(&self.merged).keep(key, (ids, Arc::clone(segment)), bytes, self.budget / 16);
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
