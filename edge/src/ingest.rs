//! What happens inside a transaction: each id once, each event to its visit, everything counted into one block.
use headwater_core::beacon::{Delta, Str};
use headwater_core::{Millis, PAGEVIEW, SiteId, VisitorHash};

use crate::dedup::{HOUR, Seen, remember_beacon, remember_id};
use crate::record::{Block, MinuteRow, Record, VisitRow};
use crate::store::{Table, Transaction};
use crate::visit::{Addition, Counted, VisitState, next};
use crate::{Refusal, beacon, event};

/// What is to be done in a transaction for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A beacon.
    Beacon(beacon::Accepted),
    /// The accepted items of a request, with their places.
    Events(Vec<(usize, event::Accepted)>),
}

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Counted now.
    pub accepted: usize,
    /// Counted before.
    pub duplicate: usize,
    /// Refused after all.
    pub refused: Option<Refusal>,
}

/// Everything that several requests do in one transaction. After the last, [`Ingest::finish`], then commit; then, and
/// not before, answer.
#[derive(Debug)]
pub struct Ingest<'t, T: Transaction> {
    tx: &'t mut T,
    at: Millis,
    block: Block,
}

impl<'t, T: Transaction> Ingest<'t, T> {
    /// Begins. `at` is the time of the transaction and never smaller than that of an earlier one: which table knows an id
    /// follows from it.
    pub fn new(tx: &'t mut T, at: Millis) -> Self {
        Self { tx, at, block: Block::default() }
    }

    /// Does the work of one request.
    ///
    /// # Errors
    /// The store's: then nothing of the transaction may be kept.
    pub fn request(&mut self, work: Work) -> Result<Done, T::Error> {
        match work {
            Work::Beacon(beacon) => self.beacon(&beacon),
            Work::Events(events) => self.events(events),
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// The store's.
    pub fn finish(self) -> Result<(), T::Error> {
        if self.block.is_empty() { Ok(()) } else { self.tx.append(&self.block.into_bytes()) }
    }

    fn push(&mut self, record: &[u8], weight: usize) -> Result<(), T::Error> {
        self.block.push(record, weight);
        if self.block.is_full() {
            self.tx.append(&core::mem::take(&mut self.block).into_bytes())?;
        }
        Ok(())
    }

    fn beacon(&mut self, beacon: &beacon::Accepted) -> Result<Done, T::Error> {
        Ok(match remember_beacon(self.tx, self.at, &beacon.load, beacon.seq)? {
            Seen::New => {
                self.push(&beacon.record, beacon.weight)?;
                Done { accepted: 1, ..Done::default() }
            }
            Seen::Before => Done { duplicate: 1, ..Done::default() },
            Seen::TooManyHoles => {
                let refused = Refusal::Field("seq", "counts the beacons of a page load from 0");
                Done { refused: Some(refused), ..Done::default() }
            }
        })
    }

    fn events(&mut self, mut events: Vec<(usize, event::Accepted)>) -> Result<Done, T::Error> {
        // Visits are told in the order in which things happened, as far as one request knows.
        events.sort_by_key(|(place, event)| (event.event.at, *place));
        let mut done = Done::default();
        for (place, event) in events {
            if let Some(id) = &event.id
                && remember_id(self.tx, self.at, id)? == Seen::Before
            {
                done.duplicate += 1;
                continue;
            }
            let order = if event.id.is_some() { event.order } else { event.order.wrapping_add(place as u64) };
            self.event(&event, order)?;
            done.accepted += 1;
        }
        Ok(done)
    }

    fn event(&mut self, accepted: &event::Accepted, order: u64) -> Result<(), T::Error> {
        let state = self.visit(accepted)?;
        let (state, effects) = next(state, &accepted.event);
        if let Some(state) = state {
            let row = postcard::to_allocvec(&state).unwrap_or_default();
            self.tx.put(Table::Visits(self.hour()), &visit_key(accepted.site, accepted.event.visitor), &row)?;
        }
        let mut strings = Vec::new();
        let minutes = effects.additions.iter().map(|addition| minute_row(addition, &mut strings)).collect();
        let visits = vec![VisitRow { tag: effects.tag, context: &effects.context, minutes }];
        let record = Record { site: accepted.site, order, strings, visits };
        self.push(&record.encode(), record.weight())
    }

    const fn hour(&self) -> u32 {
        (self.at.0 / HOUR) as u32
    }

    /// The state of the visitor's visit: under today's hash, else under yesterday's.
    fn visit(&mut self, accepted: &event::Accepted) -> Result<Option<VisitState>, T::Error> {
        let hour = self.hour();
        for visitor in [Some(accepted.event.visitor), accepted.before].into_iter().flatten() {
            for table in [Some(hour), hour.checked_sub(1)].into_iter().flatten() {
                if let Some(row) = self.tx.get(Table::Visits(table), &visit_key(accepted.site, visitor))? {
                    return Ok(postcard::from_bytes(&row).ok());
                }
            }
        }
        Ok(None)
    }
}

fn visit_key(site: SiteId, visitor: VisitorHash) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&site.0.to_be_bytes());
    key[4..].copy_from_slice(&visitor.0.to_le_bytes());
    key
}

fn minute_row<'a>(addition: &'a Addition, strings: &mut Vec<&'a str>) -> MinuteRow {
    MinuteRow {
        visitor: addition.at.visitor.0.to_le_bytes(),
        minute: addition.at.minute,
        started: addition.started.into(),
        went_on: addition.went_on.into(),
        deltas: addition.counted.iter().map(|counted| delta(counted, strings)).collect(),
    }
}

fn delta<'a>(counted: &'a Counted, strings: &mut Vec<&'a str>) -> Delta {
    let mut string = |text: &'a str| {
        if text.is_empty() {
            return Str(0);
        }
        // One event has at most 30 properties and a handful of others: a search beats a map.
        let at = strings.iter().position(|known| *known == text).unwrap_or_else(|| {
            strings.push(text);
            strings.len() - 1
        });
        Str(at as u16 + 1)
    };
    Delta {
        name: if counted.name == PAGEVIEW { Str(0) } else { string(&counted.name) },
        page: string(&counted.page),
        hostname: string(&counted.hostname),
        props: counted.props.iter().map(|(key, value)| (string(key), string(value))).collect(),
        currency: string(&counted.currency),
        count: counted.count,
        went_on: counted.went_on,
        engaged: counted.engaged,
        depth: counted.depth,
        values: counted.value.into_iter().collect(),
    }
}
