//! Applying a batch: once, in one transaction, into minute, hour and day.
use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::{Aggregate, Batch, Grain, Minute, SiteId};
use headwater_edge::resume;
use rusqlite::{Transaction, params};

use super::admission::Admission;
use super::compact::compact;
use super::segment::Segment;
use super::{BucketKey, grain_code, nodes};
use crate::site::Site;
use crate::store::StoreError;

/// What applying a batch did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The batch, or a later one of its node, had been applied before: nothing was done.
    pub already: bool,
    /// What changed, sorted.
    pub changed: Vec<(SiteId, Minute)>,
    /// Partials of sites that are gone, dropped.
    pub dropped: usize,
}

/// Applies batches, and remembers between them what makes that quick.
#[derive(Default)]
pub struct Applier {
    admission: Admission,
}

impl Applier {
    /// Applies a batch inside a transaction; once that is committed, the batch is applied for good.
    ///
    /// Any `seq` above the last one of its node is applied, partials of any age: only edges judge age. `site` gives what
    /// is known of a site, `None` when it was deleted; `digest` is that of the batch's bytes. Grains whose retention a partial has outlived are left out.
    ///
    /// # Errors
    /// What the database says. The caller rolls back, calls [`Applier::rolled_back`], and the batch can come again.
    pub fn apply(
        &mut self,
        tx: &Transaction<'_>,
        batch: &Batch,
        digest: [u8; 16],
        site: &dyn Fn(SiteId) -> Option<Arc<Site>>,
        now: Minute,
    ) -> Result<Applied, StoreError> {
        if nodes::last(tx, batch.node)?.is_some_and(|last| batch.seq <= last.seq) {
            return Ok(Applied { already: true, ..Applied::default() });
        }
        nodes::note(tx, batch.node, &resume::Applied { seq: batch.seq, position: batch.position, digest })?;

        let mut applied = Applied::default();
        let mut buckets: BTreeMap<BucketKey, (bool, Vec<usize>)> = BTreeMap::new();
        let mut parts: Vec<Aggregate> = Vec::with_capacity(batch.partials.len());
        for partial in &batch.partials {
            let Some(site) = site(partial.site) else {
                applied.dropped += 1;
                continue;
            };
            for grain in Grain::ALL {
                let span = site.timeline.bucket(grain, partial.minute);
                let (kept, sampled) = site.retention.keeps(grain, span, now);
                if kept {
                    let key = BucketKey { site: partial.site, grain, span };
                    let bucket = buckets.entry(key).or_insert((true, Vec::new()));
                    bucket.0 &= sampled;
                    bucket.1.push(parts.len());
                }
            }
            let day = site.timeline.bucket(Grain::Day, partial.minute);
            let day = BucketKey { site: partial.site, grain: Grain::Day, span: day };
            parts.push(Aggregate {
                tallies: self.admission.admit(tx, day, &partial.aggregate.tallies)?,
                people: partial.aggregate.people.clone(),
            });
            applied.changed.push((partial.site, partial.minute));
        }
        // What a batch brings to an hour and to its day is mostly the same.
        let mut sums: BTreeMap<Vec<usize>, Vec<(BucketKey, bool)>> = BTreeMap::new();
        for (key, (sampled, indices)) in buckets {
            sums.entry(indices).or_default().push((key, sampled));
        }
        for (indices, keys) in sums {
            let parts: Vec<&Aggregate> = indices.iter().map(|&i| &parts[i]).collect();
            let mut segment = Segment { aggregate: Aggregate::merge(&parts).into(), ..Segment::default() };
            for (key, sampled) in keys {
                segment.sampled = sampled;
                append(tx, key, &segment)?;
            }
        }
        Ok(applied)
    }

    /// To be called when a transaction with [`Applier::apply`] in it did not commit.
    pub fn rolled_back(&mut self) {
        self.admission.clear();
    }
}

fn append(tx: &Transaction<'_>, key: BucketKey, segment: &Segment) -> Result<(), StoreError> {
    segment.insert(tx, key, 0)?;
    tx.prepare_cached("INSERT OR IGNORE INTO unsettled VALUES (?, ?, ?, ?)")?.execute(params![
        key.site.0,
        grain_code(key.grain),
        key.span.start.0,
        key.span.end.0
    ])?;
    compact(tx, key)
}
