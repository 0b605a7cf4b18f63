//! From stored blocks to a batch: records are added up by site and minute.
//!
//! The fold is the edge's hot path. A context is recognised by its encoded bytes, so 19 strings are looked at once for
//! each kind of visit and minute, not for each beacon.
use std::collections::HashMap;

use foldhash::fast::RandomState;
use headwater_core::beacon::Delta;
use headwater_core::{Activity, Batch, EventDelta, Fold, Minute, NodeId, PAGEVIEW, Partial, SAMPLE_SIZE, SiteId, VisitDimension};

use crate::record::{Block, MINUTE_BYTES, MinuteRow, Record, VisitRow, WEIGHT, context};

/// A batch takes at most this much of the inbox in bytes, so that a small machine can fold it.
pub const RANGE_BYTES: usize = 4 << 20;

struct Cell {
    fold: Fold,
    contexts: HashMap<Box<[u8]>, u32, RandomState>,
}

/// Adds up blocks until the batch is large enough.
#[derive(Default)]
pub struct Folder {
    cells: HashMap<(SiteId, Minute), Cell, RandomState>,
    bytes: usize,
    weight: usize,
    /// Of the cell that has most.
    visitors: usize,
}

impl Folder {
    /// Whether a block of this length still fits: within [`RANGE_BYTES`], within what a collector reads, and so that no
    /// partial can have more visitors than a sample keeps. The first always does.
    #[must_use]
    pub fn takes(&self, length: usize) -> bool {
        self.bytes == 0
            || (self.bytes + length <= RANGE_BYTES
                && self.weight < WEIGHT
                && self.visitors + length / MINUTE_BYTES <= SAMPLE_SIZE)
    }

    /// Whether nothing was added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Adds the records of a stored block.
    pub fn add(&mut self, block: &[u8]) {
        self.bytes += block.len();
        for bytes in Block::records(block) {
            if let Some(record) = Record::decode(bytes) {
                self.weight += record.weight();
                self.add_record(&record);
            }
        }
    }

    fn add_record(&mut self, record: &Record<'_>) {
        for visit in &record.visits {
            for minute in &visit.minutes {
                let cell = self.cells.entry((record.site, minute.minute));
                let cell = cell.or_insert_with(|| Cell { fold: Fold::new(), contexts: HashMap::default() });
                cell.add(record, visit, minute);
                self.visitors = self.visitors.max(cell.fold.visitors());
            }
        }
    }

    /// The batch of everything added.
    #[must_use]
    pub fn finish(self, node: NodeId, seq: u64, position: u64) -> Batch {
        let partials =
            self.cells.into_iter().map(|((site, minute), cell)| Partial { site, minute, aggregate: cell.fold.finish() });
        let mut partials: Vec<Partial> = partials.collect();
        partials.sort_unstable_by_key(|partial| (partial.site, partial.minute));
        Batch { node, seq, position, partials }
    }
}

impl Cell {
    fn add(&mut self, record: &Record<'_>, visit: &VisitRow<'_>, row: &MinuteRow) {
        let context = match self.contexts.get(visit.context) {
            Some(&known) => known,
            None => {
                let Some(values) = context::decode(visit.context) else { return };
                let new = self.fold.context(&values);
                self.contexts.insert(visit.context.into(), new);
                new
            }
        };
        let mut add = |events: &[EventDelta<'_>]| {
            let activity = Activity {
                visitor: row.visitor(),
                minute: row.minute,
                tag: visit.tag,
                visit: &[""; VisitDimension::COUNT], // told by the context's number
                started: row.started.into(),
                went_on: row.went_on.into(),
                events,
            };
            self.fold.add_in(context, &activity);
        };
        match row.deltas.as_slice() {
            [] => add(&[]),
            [one] => add(&[event(record, one, &props(record, one))]),
            many => {
                let props: Vec<_> = many.iter().map(|delta| props(record, delta)).collect();
                let events: Vec<_> = many.iter().zip(&props).map(|(delta, props)| event(record, delta, props)).collect();
                add(&events);
            }
        }
    }
}

fn props<'a>(record: &Record<'a>, delta: &Delta) -> Vec<(&'a str, &'a str)> {
    delta.props.iter().map(|(key, value)| (record.string(*key), record.string(*value))).collect()
}

fn event<'a>(record: &Record<'a>, delta: &'a Delta, props: &'a [(&'a str, &'a str)]) -> EventDelta<'a> {
    EventDelta {
        name: if delta.name.0 == 0 { PAGEVIEW } else { record.string(delta.name) },
        page: record.string(delta.page),
        hostname: record.string(delta.hostname),
        currency: record.string(delta.currency),
        props,
        count: delta.count.into(),
        went_on: delta.went_on.into(),
        engaged: delta.engaged.into(),
        depth: delta.depth.into(),
        values: &delta.values,
        order: record.order,
    }
}
