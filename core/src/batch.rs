//! The unit of delivery from an edge to a collector.
use serde::{Deserialize, Serialize};

use crate::wire::{check, read, write};
use crate::{Aggregate, Minute, NodeId, SiteId, WireError};

/// What one site's visitors did in one minute, as one edge saw it: a delta, to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The site.
    pub site: SiteId,
    /// The minute, UTC.
    pub minute: Minute,
    /// What is to be added; its people are complete.
    pub aggregate: Aggregate,
}

/// All partials folded from one contiguous range of an inbox. The pair of `node` and `seq` is applied at most once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The inbox.
    pub node: NodeId,
    /// Counts the batches of a node; each greater than the one before.
    pub seq: u64,
    /// The end of the range in the inbox; a restored inbox drops everything up to the last one applied.
    pub position: u64,
    /// What happened, sorted by site and minute, each pair once.
    pub partials: Vec<Partial>,
}

#[derive(Serialize, Deserialize)]
struct Columns<'a> {
    node: NodeId,
    seq: u64,
    position: u64,
    #[serde(borrow)]
    partials: Vec<(SiteId, Minute, &'a [u8])>,
}

impl Batch {
    /// The longest batch in bytes that a collector reads.
    pub const MAX_BYTES: usize = 32 << 20;

    /// The written form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let encoded: Vec<Vec<u8>> = self.partials.iter().map(|p| p.aggregate.encode()).collect();
        let partials = self.partials.iter().zip(&encoded).map(|(p, bytes)| (p.site, p.minute, &bytes[..])).collect();
        write(&Columns { node: self.node, seq: self.seq, position: self.position, partials })
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// [`WireError`] as named: also if a partial's people are a sample, because sketches are fed with everyone.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        check(bytes.len() <= Self::MAX_BYTES, "length")?;
        let columns: Columns<'_> = read(bytes)?;
        check(columns.partials.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)), "partials")?;
        let mut partials = Vec::with_capacity(columns.partials.len());
        for (site, minute, bytes) in columns.partials {
            let aggregate = Aggregate::decode(bytes)?;
            check(aggregate.people.is_complete(), "people")?;
            partials.push(Partial { site, minute, aggregate });
        }
        Ok(Self { node: columns.node, seq: columns.seq, position: columns.position, partials })
    }
}
