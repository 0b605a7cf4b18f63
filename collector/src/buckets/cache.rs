//! What was read before. Segments never change, so a decoded one is right as long as its id exists.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use headwater_core::Aggregate;

use super::BucketKey;
use super::segment::Segment;

/// A merged bucket and the segments it was merged from.
type Merged = (Vec<i64>, Arc<Segment>);

struct Entry<T> {
    value: T,
    bytes: usize,
    used: u64,
}

#[derive(Default)]
struct Inner {
    segments: HashMap<i64, Entry<Arc<Segment>>>,
    /// Segments without their people.
    light: HashMap<i64, Entry<Arc<Segment>>>,
    merged: HashMap<BucketKey, Entry<Merged>>,
    bytes: usize,
    clock: u64,
}

/// Decoded segments and merged buckets, the least recently used thrown out first. What has no people is kept apart, so
/// that a query that looks at everybody does not drive out what answers most others.
pub struct Cache {
    inner: Mutex<Inner>,
    light: Mutex<Inner>,
    budget: usize,
}

impl Cache {
    /// A cache of at most about `budget` bytes; 0 keeps nothing.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { inner: Mutex::default(), light: Mutex::default(), budget }
    }

    /// A segment without its people.
    pub(super) fn light(&self, id: i64) -> Option<Arc<Segment>> {
        let mut inner = self.light.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = inner.tick();
        inner.light.get_mut(&id).map(|entry| {
            entry.used = clock;
            Arc::clone(&entry.value)
        })
    }

    /// Keeps a segment without its people, or notes that its lens has grown. It has a third of the memory.
    pub(super) fn keep_light(&self, id: i64, segment: &Arc<Segment>) {
        let bytes = weigh(&segment.aggregate) + segment.lens.bytes();
        let mut inner = self.light.lock().unwrap_or_else(PoisonError::into_inner);
        let used = inner.tick();
        let old = inner.light.insert(id, Entry { value: Arc::clone(segment), bytes, used });
        inner.bytes = (inner.bytes + bytes).saturating_sub(old.map_or(0, |o| o.bytes));
        inner.shrink(self.budget / 3);
    }

    pub(super) fn segment(&self, id: i64) -> Option<Arc<Segment>> {
        let mut inner = self.lock();
        let clock = inner.tick();
        inner.segments.get_mut(&id).map(|entry| {
            entry.used = clock;
            Arc::clone(&entry.value)
        })
    }

    pub(super) fn keep_segment(&self, id: i64, segment: &Arc<Segment>) {
        let bytes = weigh(&segment.aggregate);
        let mut inner = self.lock();
        let used = inner.tick();
        let old = inner.segments.insert(id, Entry { value: Arc::clone(segment), bytes, used });
        inner.bytes = inner.bytes + bytes - old.map_or(0, |o| o.bytes);
        inner.shrink(self.budget / 3 * 2);
    }

    pub(super) fn merged(&self, key: BucketKey, ids: &[i64]) -> Option<Arc<Segment>> {
        let mut inner = self.lock();
        let clock = inner.tick();
        let entry = inner.merged.get_mut(&key).filter(|entry| entry.value.0 == ids)?;
        entry.used = clock;
        Some(Arc::clone(&entry.value.1))
    }

    pub(super) fn keep_merged(&self, key: BucketKey, ids: Vec<i64>, segment: &Arc<Segment>) {
        let bytes = weigh(&segment.aggregate);
        let mut inner = self.lock();
        let used = inner.tick();
        let old = inner.merged.insert(key, Entry { value: (ids, Arc::clone(segment)), bytes, used });
        inner.bytes = inner.bytes + bytes - old.map_or(0, |o| o.bytes);
        inner.shrink(self.budget / 3 * 2);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    const fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Throws out the older half when there is too much: seldom, so that finding it need not be quick.
    fn shrink(&mut self, budget: usize) {
        if self.bytes <= budget {
            return;
        }
        let single = self.segments.values().chain(self.light.values()).map(|e| e.used);
        let mut uses: Vec<u64> = single.chain(self.merged.values().map(|e| e.used)).collect();
        uses.sort_unstable();
        let limit = uses.get(uses.len() / 2).copied().unwrap_or(u64::MAX);
        self.segments.retain(|_, entry| entry.used > limit);
        self.light.retain(|_, entry| entry.used > limit);
        self.merged.retain(|_, entry| entry.used > limit);
        let segments: usize = self.segments.values().chain(self.light.values()).map(|e| e.bytes).sum();
        self.bytes = segments + self.merged.values().map(|e| e.bytes).sum::<usize>();
    }
}

/// About how many bytes an aggregate takes in memory.
fn weigh(aggregate: &Aggregate) -> usize {
    let people = &aggregate.people;
    let sketches = people.hlls.as_ref().map_or(0, |h| (h.values.len() + 1) << 14);
    let strings = (aggregate.tallies.dict.len() + people.dict.len()) * 24;
    aggregate.tallies.rows.len() * 96
        + people.contexts.len() * 76
        + people.tuples.len() * 32
        + people.visitors.len() * 16
        + people.visits.len() * 32
        + people.facts.len() * 48
        + strings
        + sketches
        + 256
}
