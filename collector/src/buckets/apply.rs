//! Applying a batch: once, in one transaction, into minute, hour and day.
use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::{Batch, Grain, Minute, People, Profiles, SiteId, Tallies};
use headwater_edge::resume;
use rusqlite::{Transaction, params};

use super::admission::Admission;
use super::compact::compact;
use super::segment::Blobs;
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
        let mut parts: Vec<(Tallies, &People)> = Vec::with_capacity(batch.partials.len());
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
            parts.push((self.admission.admit(tx, day, &partial.aggregate.tallies)?, &partial.aggregate.people));
            applied.changed.push((partial.site, partial.minute));
        }
        // Of a busy site a batch tells one minute: its minute, hour and day then get the same.
        let mut same: BTreeMap<(bool, Vec<usize>), Vec<BucketKey>> = BTreeMap::new();
        for (key, sums) in buckets {
            same.entry(sums).or_default().push(key);
        }
        for ((sampled, indices), keys) in same {
            let blobs = pack(&parts, &indices, sampled)?;
            for key in keys {
                append(tx, key, &blobs)?;
            }
        }
        Ok(applied)
    }

    /// To be called when a transaction with [`Applier::apply`] in it did not commit.
    pub fn rolled_back(&mut self) {
        self.admission.clear();
    }
}

/// The sum of the parts at `indices`, as it is stored.
fn pack(parts: &[(Tallies, &People)], indices: &[usize], sampled: bool) -> Result<Blobs, StoreError> {
    if let [only] = indices {
        let (tallies, people) = &parts[*only];
        return Blobs::of(tallies, sampled.then(|| Profiles::from(*people)).as_ref());
    }
    let tallies = Tallies::merge(&indices.iter().map(|&i| &parts[i].0).collect::<Vec<_>>());
    let people = sampled.then(|| Profiles::from(&People::merge(&indices.iter().map(|&i| parts[i].1).collect::<Vec<_>>())));
    Blobs::of(&tallies, people.as_ref())
}

fn append(tx: &Transaction<'_>, key: BucketKey, segment: &Blobs) -> Result<(), StoreError> {
    segment.insert(tx, key, 0)?;
    tx.prepare_cached("INSERT OR IGNORE INTO unsettled VALUES (?, ?, ?, ?)")?.execute(params![
        key.site.0,
        grain_code(key.grain),
        key.span.start.0,
        key.span.end.0
    ])?;
    compact(tx, key)
}
