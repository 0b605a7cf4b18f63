//! Each id once: which beacons and events have come before.
//!
//! An id is accepted until it is 72 hours old and remembered for 96 hours from its last arrival. Ids stand in one table
//! for each UTC day of arrival, and a table is dropped whole once the last moment of its day is 96 hours past. By day,
//! not by hour, because every first arrival has to look into all tables there are: five of them, where hours would
//! make it 97. Four of the five are nearly free: keys begin with the moment of the page load's creation, so a new page
//! load falls behind the last key of every older table, onto a page that is always in memory, and new rows are
//! written side by side instead of all over the tree. A sixth, tomorrow's, is asked in case the clock was set back over
//! midnight; it does not exist otherwise. The moment is part of the key only; a wrong clock costs locality and
//! nothing else, because a beacon that comes again carries the same one.
use headwater_core::{BeaconId, Millis, SiteId};
use serde::{Deserialize, Serialize};

use crate::store::{Table, Transaction};

/// Milliseconds in an hour.
pub const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// Ids and events are taken up to this age in milliseconds.
pub const ACCEPTED: u64 = 72 * HOUR;
/// Ids are remembered this long from their last arrival, in milliseconds.
pub const REMEMBERED: u64 = 96 * HOUR;
/// More holes in a page load's sequence than this and it is no tracker that counts.
const MAX_HOLES: usize = 1024;

/// What became of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It came for the first time and is remembered now.
    New,
    /// It has come before.
    Before,
    /// Its page load has too many sequence numbers that never came: no tracker of ours.
    TooManyHoles,
}

/// A page load inside an installation: creation (big-endian seconds), site, random bits.
#[must_use]
pub fn load_key(created: u32, site: SiteId, id: BeaconId) -> [u8; 16] {
    let mut key = [0; 16];
    key[..4].copy_from_slice(&created.to_be_bytes());
    key[4..8].copy_from_slice(&site.0.to_be_bytes());
    key[8..].copy_from_slice(&id.load);
    key
}

/// An event's id inside an installation: site, and 128 bits of a hash under the installation's key, because an id may be
/// an order number or an e-mail address.
#[must_use]
pub fn id_key(key: &[u8; 32], site: SiteId, id: &str) -> [u8; 20] {
    let hash = blake3::Hasher::new_keyed(key).update(&site.0.to_be_bytes()).update(id.as_bytes()).finalize();
    let mut row = [0; 20];
    row[..4].copy_from_slice(&site.0.to_be_bytes());
    row[4..].copy_from_slice(&hash.as_bytes()[..16]);
    row
}

/// Where the site stands in the keys of a table: for deleting what is known of a site.
#[must_use]
pub const fn site_in_key(table: Table) -> core::ops::Range<usize> {
    match table {
        Table::Loads(_) => 4..8,
        Table::Ids(_) | Table::Visits(_) => 0..4,
    }
}

/// Whether nothing in this table is needed any more.
#[must_use]
pub const fn is_past(table: Table, at: Millis) -> bool {
    match table {
        Table::Loads(day) | Table::Ids(day) => (day as u64 + 1) * DAY + REMEMBERED <= at.0,
        Table::Visits(hour) => (hour as u64 + 2) * HOUR <= at.0,
    }
}

/// The sequence numbers that have come of one page load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seqs {
    /// All below this have come.
    below: u32,
    /// Those that have come from there on, ascending.
    beyond: Vec<u32>,
}

impl Seqs {
    fn remember(&mut self, seq: u32) -> Seen {
        let Err(at) = self.beyond.binary_search(&seq) else { return Seen::Before };
        if seq < self.below {
            return Seen::Before;
        }
        if self.beyond.len() >= MAX_HOLES {
            return Seen::TooManyHoles;
        }
        self.beyond.insert(at, seq);
        let run = self.beyond.iter().zip(self.below..).take_while(|(have, next)| *have == next).count();
        self.beyond.drain(..run);
        self.below = self.below.saturating_add(run as u32);
        Seen::New
    }
}

const fn day_of(at: Millis) -> u32 {
    (at.0 / DAY) as u32
}

/// The days whose tables may know an id that arrives now, latest first: what a later one says holds.
fn days(at: Millis) -> impl Iterator<Item = u32> {
    (0..6).filter_map(move |back| (day_of(at) + 1).checked_sub(back))
}

/// Remembers a beacon of the page load at `key`.
///
/// # Errors
/// The store's.
pub fn remember_beacon<T: Transaction>(tx: &mut T, at: Millis, key: &[u8; 16], seq: u32) -> Result<Seen, T::Error> {
    let mut found = None;
    for day in days(at) {
        if let Some(row) = tx.get(Table::Loads(day), key)? {
            // The newest row holds all that older ones hold.
            found = Some((day, postcard::from_bytes::<Seqs>(&row).unwrap_or_default()));
            break;
        }
    }
    let (day, mut seqs) = found.unwrap_or_default();
    let seen = seqs.remember(seq);
    // One that comes again moves on to today, so that it is remembered from its last arrival.
    if seen == Seen::New || (seen == Seen::Before && day < day_of(at)) {
        let row = postcard::to_allocvec(&seqs).unwrap_or_default();
        tx.put(Table::Loads(day_of(at).max(day)), key, &row)?;
    }
    Ok(seen)
}

/// Remembers the event id at `key`.
///
/// # Errors
/// The store's.
pub fn remember_id<T: Transaction>(tx: &mut T, at: Millis, key: &[u8; 20]) -> Result<Seen, T::Error> {
    let mut found = None;
    for day in days(at) {
        if tx.get(Table::Ids(day), key)?.is_some() {
            found = Some(day);
            break;
        }
    }
    if found.is_none_or(|day| day < day_of(at)) {
        tx.put(Table::Ids(day_of(at)), key, &[])?;
    }
    Ok(if found.is_some() { Seen::Before } else { Seen::New })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Memory;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const NOON: u64 = 20_000 * DAY + DAY / 2;

    fn key(load: u8) -> [u8; 16] {
        load_key(1_728_000_000, SiteId(1), BeaconId { load: [load; 8], seq: 0 })
    }

    proptest! {
        #[test]
        fn in_any_order_and_repetition_each_counts_once(arrivals in prop::collection::vec((0..4u8, 0..40u32, 0..90u64), 0..200)) {
            let mut tx = Memory::default();
            let mut counted = BTreeSet::new();
            let mut at = NOON;
            for (load, seq, minutes) in arrivals {
                at += minutes * 60_000;
                // Only while the first id is still remembered: later it may count again.
                if at > NOON + REMEMBERED { break; }
                tx.expire(Millis(at));
                let first = counted.insert((load, seq));
                let seen = remember_beacon(&mut tx, Millis(at), &key(load), seq).unwrap();
                prop_assert_eq!(seen, if first { Seen::New } else { Seen::Before });
            }
        }

        #[test]
        fn an_event_id_is_remembered_for_96_hours_from_its_last_arrival(pauses in prop::collection::vec(0..=REMEMBERED, 1..20)) {
            let mut tx = Memory::default();
            let key = id_key(&[1; 32], SiteId(1), "order-17");
            let mut at = NOON;
            prop_assert_eq!(remember_id(&mut tx, Millis(at), &key).unwrap(), Seen::New);
            for pause in pauses {
                at += pause;
                tx.expire(Millis(at));
                prop_assert_eq!(remember_id(&mut tx, Millis(at), &key).unwrap(), Seen::Before);
            }
        }
    }

    #[test]
    fn old_tables_go_and_only_five_of_them_and_tomorrow_are_asked() {
        let mut tx = Memory::default();
        for day in 0..30 {
            let at = Millis(NOON + day * DAY);
            tx.expire(at);
            remember_beacon(&mut tx, at, &load_key(day as u32, SiteId(1), BeaconId::default()), 0).unwrap();
        }
        let tables: BTreeSet<_> = tx.tables.keys().map(|(table, _)| *table).collect();
        assert_eq!(tables.len(), 5);
        tx.gets = 0;
        assert_eq!(remember_beacon(&mut tx, Millis(NOON + 29 * DAY), &key(1), 0), Ok(Seen::New));
        assert_eq!(tx.gets, 6);
    }

    #[test]
    fn a_page_load_is_one_small_row() {
        let mut tx = Memory::default();
        for seq in [0, 1, 2, 5, 4, 3, 7] {
            assert_eq!(remember_beacon(&mut tx, Millis(NOON), &key(1), seq), Ok(Seen::New));
        }
        assert_eq!(tx.tables.len(), 1);
        assert!(tx.tables.values().all(|row| row.len() <= 4));
    }

    #[test]
    fn wild_sequence_numbers_are_bounded() {
        let mut tx = Memory::default();
        let seen: Vec<_> =
            (0..2000).map(|i| remember_beacon(&mut tx, Millis(NOON), &key(1), u32::MAX - 2 * i).unwrap()).collect();
        assert_eq!(seen.iter().filter(|s| **s == Seen::New).count(), MAX_HOLES);
        assert_eq!(seen.last(), Some(&Seen::TooManyHoles));
        assert_eq!(remember_beacon(&mut tx, Millis(NOON), &key(1), u32::MAX), Ok(Seen::Before));
    }

    #[test]
    fn a_clock_set_back_over_midnight_counts_nothing_twice() {
        let mut tx = Memory::default();
        let midnight = 20_001 * DAY;
        assert_eq!(remember_beacon(&mut tx, Millis(midnight), &key(1), 0), Ok(Seen::New));
        assert_eq!(remember_beacon(&mut tx, Millis(midnight - 1), &key(1), 0), Ok(Seen::Before));
        assert_eq!(remember_beacon(&mut tx, Millis(midnight - 1), &key(1), 1), Ok(Seen::New));
        assert_eq!(remember_beacon(&mut tx, Millis(midnight), &key(1), 1), Ok(Seen::Before));
    }

    #[test]
    fn ids_of_two_sites_are_two() {
        assert_ne!(id_key(&[1; 32], SiteId(1), "a"), id_key(&[1; 32], SiteId(2), "a"));
        assert_ne!(id_key(&[1; 32], SiteId(1), "a"), id_key(&[2; 32], SiteId(1), "a"));
    }
}
