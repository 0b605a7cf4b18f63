//! Which beacons of which page load have come, packed: many page loads share a row of the store.
//!
//! A Durable Object pays for each row it writes. One row for each page load would cost one for each beacon, which is most
//! of what a beacon costs; and the ids must be as durable as the records they belong to. So what changes is written twice,
//! both times in good company: at once as a *log* in the very row that holds the records of all requests that came
//! together, and later, when some thousands have gathered, into *pages*. What is in no page yet is also in memory, and at a
//! start it is read back from the logs: a table of logs and pages answers as a table of rows would, whenever it is killed.
//!
//! A page holds the page loads of one virtual shard that were created in the same 68 minutes: those that come again are
//! found together, and a shard that moves to another object takes its pages along. A page that grows past a bound (many
//! ids of one moment, as by a spiteful sender) becomes sixteen by the next four bits of the id, as often as need be.
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use foldhash::quality::RandomState;
use headwater_core::Millis;

use crate::dedup::is_past;
use crate::shard::Shard;
use crate::store::Table;

/// A page load, by [`crate::dedup::load_key`].
pub type Key = [u8; 16];

/// A page splits when it is longer than this in bytes.
const PAGE_BYTES: usize = 64 * 1024;
/// Bytes of pages that are kept in memory; past that all are forgotten.
const CACHE_BYTES: usize = 12 << 20;
/// Of this many seconds, as a power of two, the page loads of one page are: 4096 s.
const SLOT_BITS: u32 = 12;
/// Four bits at a time, the page load and the seconds within its slot: below that a page holds one key of a site.
const DEEPEST: usize = 16 + 3;
/// The first byte of a page that holds page loads.
const LEAF: u8 = 0;
/// Of a page that was split.
const SPLIT: u8 = 1;

/// Where pages are kept, by the day of arrival and a key that begins with the virtual shard.
pub trait Pages {
    /// What can go wrong.
    type Error;

    /// The page at `key` of the table of `day`; `None` if there is none.
    ///
    /// # Errors
    /// The store's.
    fn read(&mut self, day: u32, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Writes a page.
    ///
    /// # Errors
    /// The store's.
    fn write(&mut self, day: u32, key: &[u8], page: &[u8]) -> Result<(), Self::Error>;
}

/// A page in memory.
type Page = Rc<[u8]>;
/// Where a page is: the day of its table, and its key.
type Place = (u32, Vec<u8>);

/// What is remembered of one page load, under the day of its last arrival.
pub type Entry = (u32, Key, Vec<u8>);

/// What is in memory of the table.
#[derive(Debug, Default)]
pub struct Packed {
    /// In no page yet.
    recent: BTreeMap<(u32, Key), Vec<u8>>,
    /// Of these, what the transaction under way has put: to be logged with it.
    log: Vec<u8>,
    /// Pages as they are in the store, those that are not there too.
    cache: HashMap<Place, Option<Page>, RandomState>,
    cached: usize,
}

impl Packed {
    /// The value of `key` in the table of `day`.
    ///
    /// # Errors
    /// The store's.
    pub fn get<P: Pages>(&mut self, pages: &mut P, day: u32, key: &Key) -> Result<Option<Vec<u8>>, P::Error> {
        if let Some(value) = self.recent.get(&(day, *key)) {
            return Ok(Some(value.clone()));
        }
        let (_, page) = self.leaf(pages, day, key)?;
        Ok(page.and_then(|page| entries(&page).find(|(found, _)| found == key).map(|(_, value)| value.to_vec())))
    }

    /// Sets the value. It is not durable until the log of the transaction is.
    pub fn put(&mut self, day: u32, key: &Key, value: &[u8]) {
        log(&mut self.log, day, key, value);
        self.recent.insert((day, *key), value.to_vec());
    }

    /// What was put since the last time: to be stored in the same transaction.
    pub fn take_log(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.log)
    }

    /// Takes in a stored log, at a start, in the order of writing.
    pub fn replay(&mut self, log: &[u8]) {
        for (day, key, value) in logged(log) {
            self.recent.insert((day, key), value.to_vec());
        }
    }

    /// How many page loads are in no page.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.recent.len()
    }

    /// Moves everything that is in no page into its page. Once this is durable, no log is needed any more.
    ///
    /// # Errors
    /// The store's.
    pub fn merge<P: Pages>(&mut self, pages: &mut P) -> Result<(), P::Error> {
        let all = core::mem::take(&mut self.recent);
        self.add(pages, all.into_iter().map(|((day, key), value)| (day, key, value)))
    }

    /// Writes entries into their pages.
    ///
    /// # Errors
    /// The store's.
    pub fn add<P: Pages>(&mut self, pages: &mut P, all: impl Iterator<Item = Entry>) -> Result<(), P::Error> {
        type Leaf = BTreeMap<Key, Vec<u8>>;
        let mut leaves: BTreeMap<Place, Leaf> = BTreeMap::new();
        for (day, key, value) in all {
            let (at, page) = self.leaf(pages, day, &key)?;
            let read = || page.iter().flat_map(|page| entries(page)).map(|(key, value)| (key, value.to_vec())).collect();
            leaves.entry((day, at)).or_insert_with(read).insert(key, value);
        }
        while let Some(((day, at), leaf)) = leaves.pop_first() {
            let page = page(&leaf);
            if page.len() <= PAGE_BYTES || depth(&at) >= DEEPEST {
                self.write(pages, day, at, page)?;
                continue;
            }
            self.write(pages, day, at.clone(), vec![SPLIT])?;
            for (key, value) in leaf {
                leaves.entry((day, deeper(&at, &key))).or_default().insert(key, value);
            }
        }
        Ok(())
    }

    /// What is in no page of the given shard, to be handed over together with its pages.
    pub fn recent_of(&self, shard: Shard) -> impl Iterator<Item = Entry> {
        let of_shard = move |((_, key), _): &(&(u32, Key), &Vec<u8>)| shard_of(key) == shard;
        self.recent.iter().filter(of_shard).map(|((day, key), value)| (*day, *key, value.clone()))
    }

    /// Forgets the pages in memory: they were changed in the store, or a transaction was rolled back.
    pub fn forget_pages(&mut self) {
        self.cache.clear();
        self.cached = 0;
    }

    /// Forgets what is past; its tables are dropped.
    pub fn expire(&mut self, at: Millis) {
        self.recent.retain(|(day, _), _| !is_past(Table::Loads(*day), at));
        let before = self.cache.len();
        self.cache.retain(|(day, _), _| !is_past(Table::Loads(*day), at));
        if self.cache.len() < before {
            self.cached = self.cache.iter().map(|((_, key), page)| size(key, page.as_ref())).sum();
        }
    }

    /// The page that has, or would have, `key`, and where it is.
    fn leaf<P: Pages>(&mut self, pages: &mut P, day: u32, key: &Key) -> Result<(Vec<u8>, Option<Page>), P::Error> {
        let mut at = root(key);
        loop {
            let page = self.read(pages, day, &at)?;
            match &page {
                Some(found) if found.first() == Some(&SPLIT) => at = deeper(&at, key),
                _ => return Ok((at, page)),
            }
        }
    }

    fn read<P: Pages>(&mut self, pages: &mut P, day: u32, at: &[u8]) -> Result<Option<Page>, P::Error> {
        let place = (day, at.to_vec());
        if let Some(known) = self.cache.get(&place) {
            return Ok(known.clone());
        }
        let page: Option<Page> = pages.read(day, at)?.map(Into::into);
        self.keep(place, page.clone());
        Ok(page)
    }

    fn write<P: Pages>(&mut self, pages: &mut P, day: u32, at: Vec<u8>, page: Vec<u8>) -> Result<(), P::Error> {
        pages.write(day, &at, &page)?;
        self.keep((day, at), Some(page.into()));
        Ok(())
    }

    fn keep(&mut self, place: Place, page: Option<Page>) {
        let size = size(&place.1, page.as_ref());
        if self.cached + size > CACHE_BYTES {
            self.forget_pages();
        }
        // What it replaces is counted until all is forgotten: an upper bound is enough.
        self.cached += size;
        self.cache.insert(place, page);
    }
}

/// Roughly what a page takes in memory, in bytes.
fn size(key: &[u8], page: Option<&Page>) -> usize {
    64 + key.len() + page.map_or(0, |page| page.len())
}

/// The virtual shard of a page load.
#[must_use]
pub fn shard_of(key: &Key) -> Shard {
    let mut load = [0; 8];
    load.copy_from_slice(&key[8..]);
    Shard::of_load(&load)
}

/// Where the page of a key is while it was not split: shard and slot.
fn root(key: &Key) -> Vec<u8> {
    let created = u32::from_be_bytes([key[0], key[1], key[2], key[3]]);
    let mut at = vec![shard_of(key).0];
    at.extend_from_slice(&(created >> SLOT_BITS).to_be_bytes());
    at
}

/// How often a page's way was split.
const fn depth(at: &[u8]) -> usize {
    at.len().saturating_sub(5)
}

/// Where the part of a split page is that has `key`: by the next four bits of the page load, then of the creation.
fn deeper(at: &[u8], key: &Key) -> Vec<u8> {
    let (high, low) = (key[2], key[3]);
    let digit = match depth(at) {
        depth @ 0..16 if depth % 2 == 0 => key[8 + depth / 2] >> 4,
        depth @ 0..16 => key[8 + depth / 2] & 15,
        16 => high & 15,
        17 => low >> 4,
        _ => low & 15,
    };
    [at, &[digit]].concat()
}

fn page(leaf: &BTreeMap<Key, Vec<u8>>) -> Vec<u8> {
    let mut page = vec![LEAF];
    for (key, value) in leaf {
        page.extend_from_slice(key);
        page.extend_from_slice(&(value.len() as u16).to_le_bytes()); // a value is at most 6 KB, see `dedup`
        page.extend_from_slice(value);
    }
    page
}

/// What a page holds. What a broken store left ends the iteration.
pub fn entries(page: &[u8]) -> impl Iterator<Item = (Key, &[u8])> {
    let mut rest = page.strip_prefix(&[LEAF]).unwrap_or(&[]);
    core::iter::from_fn(move || {
        let (key, tail) = rest.split_first_chunk::<16>()?;
        let (length, tail) = tail.split_first_chunk::<2>()?;
        let (value, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        rest = tail;
        Some((*key, value))
    })
}

/// Appends an entry to a log.
pub fn log(log: &mut Vec<u8>, day: u32, key: &Key, value: &[u8]) {
    log.extend_from_slice(&day.to_le_bytes());
    log.extend_from_slice(key);
    log.extend_from_slice(&(value.len() as u16).to_le_bytes());
    log.extend_from_slice(value);
}

/// The entries of a log, in the order of writing.
pub fn logged(log: &[u8]) -> impl Iterator<Item = (u32, Key, &[u8])> {
    let mut rest = log;
    core::iter::from_fn(move || {
        let (day, tail) = rest.split_first_chunk::<4>()?;
        let (key, tail) = tail.split_first_chunk::<16>()?;
        let (length, tail) = tail.split_first_chunk::<2>()?;
        let (value, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        rest = tail;
        Some((u32::from_le_bytes(*day), *key, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::{Seen, load_key, remember_beacon};
    use crate::store::Transaction;
    use headwater_core::{BeaconId, SiteId};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    #[derive(Default)]
    struct Stored {
        pages: BTreeMap<(u32, Vec<u8>), Vec<u8>>,
        written: usize,
        logs: Vec<Vec<u8>>,
    }

    impl Pages for Stored {
        type Error = Infallible;

        fn read(&mut self, day: u32, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
            Ok(self.pages.get(&(day, key.to_vec())).cloned())
        }

        fn write(&mut self, day: u32, key: &[u8], page: &[u8]) -> Result<(), Infallible> {
            self.written += 1;
            self.pages.insert((day, key.to_vec()), page.to_vec());
            Ok(())
        }
    }

    #[derive(Default)]
    struct World {
        stored: Stored,
        packed: Packed,
    }

    impl Transaction for World {
        type Error = Infallible;

        fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
            let Table::Loads(day) = table else { return Ok(None) };
            self.packed.get(&mut self.stored, day, key.try_into().unwrap())
        }

        fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Infallible> {
            let Table::Loads(day) = table else { return Ok(()) };
            self.packed.put(day, key.try_into().unwrap(), value);
            Ok(())
        }

        fn append(&mut self, _: &[u8]) -> Result<(), Infallible> {
            Ok(())
        }
    }

    impl World {
        fn commit(&mut self) {
            let log = self.packed.take_log();
            self.stored.logs.push(log);
        }

        fn merge(&mut self) {
            let Ok(()) = self.packed.merge(&mut self.stored);
            self.stored.logs.clear();
        }

        /// Killed and started again: only what is stored is left.
        fn restart(&mut self) {
            self.packed = Packed::default();
            self.stored.logs.iter().for_each(|log| self.packed.replay(log));
        }
    }

    fn key(created: u32, load: u64) -> Key {
        load_key(created, SiteId(1), BeaconId { load: load.to_le_bytes(), seq: 0 })
    }

    #[derive(Clone, Debug)]
    enum Step {
        Beacon(u32, u64, u32),
        Merge,
        Restart,
        Later(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            12 => (0..3u32, 0..12u64, 0..6u32).prop_map(|(slot, load, seq)| Step::Beacon(slot * 5000, load, seq)),
            1 => Just(Step::Merge),
            1 => Just(Step::Restart),
            1 => (0..30u64).prop_map(Step::Later),
        ]
    }

    proptest! {
        #[test]
        fn packed_rows_answer_as_rows_do_whenever_it_is_killed(steps in prop::collection::vec(step(), 0..200)) {
            let (mut packed, mut rows) = (World::default(), crate::store::tests::Memory::default());
            let mut at = Millis(20_000 * 86_400_000);
            for step in steps {
                match step {
                    Step::Beacon(created, load, seq) => {
                        let key = key(1_728_000_000 + created, load);
                        let Ok(expected) = remember_beacon(&mut rows, at, &key, seq);
                        let Ok(found) = remember_beacon(&mut packed, at, &key, seq);
                        packed.commit();
                        prop_assert_eq!(found, expected);
                    }
                    Step::Merge => packed.merge(),
                    Step::Restart => packed.restart(),
                    Step::Later(hours) => {
                        at = at.offset(hours as i64 * 3_600_000);
                        packed.packed.expire(at);
                        packed.stored.pages.retain(|(day, _), _| !is_past(Table::Loads(*day), at));
                        rows.expire(at);
                    }
                }
            }
        }
    }

    #[test]
    fn thousands_of_page_loads_take_few_rows() {
        let mut world = World::default();
        let at = Millis(20_000 * 86_400_000);
        // 8,000 page loads within two minutes, each with two beacons.
        for load in 0..8000u64 {
            for seq in 0..2 {
                let Ok(seen) = remember_beacon(&mut world, at, &key(1_728_000_000 + load as u32 / 66, load), seq);
                assert_eq!(seen, Seen::New);
            }
        }
        world.commit();
        world.merge();
        assert!(world.stored.written <= 512, "{} rows for 16,000 beacons", world.stored.written);
        world.restart();
        for load in 0..8000u64 {
            let Ok(seen) = remember_beacon(&mut world, at, &key(1_728_000_000 + load as u32 / 66, load), 1);
            assert_eq!(seen, Seen::Before);
        }
    }

    #[test]
    fn however_many_ids_of_one_moment_come_no_page_grows_past_its_bound() {
        let mut world = World::default();
        let at = Millis(20_000 * 86_400_000);
        // All in one virtual shard, and alike in their first bytes.
        let loads: Vec<u64> = (0..3_000_000u64).filter(|load| Shard::of_load(&load.to_le_bytes()).0 == 7).take(9000).collect();
        for chunk in loads.chunks(1000) {
            for load in chunk {
                let Ok(_) = remember_beacon(&mut world, at, &key(0, *load), 0);
            }
            world.merge();
        }
        assert!(world.stored.pages.len() > 16);
        assert!(world.stored.pages.values().all(|page| page.len() <= PAGE_BYTES));
        assert!(world.stored.pages.keys().all(|(_, key)| key[0] == 7));
        let all: BTreeSet<Key> =
            world.stored.pages.values().flat_map(|page| entries(page).map(|(key, _)| key).collect::<Vec<_>>()).collect();
        assert_eq!(all.len(), loads.len());
        for load in loads {
            let Ok(seen) = remember_beacon(&mut world, at, &key(0, load), 0);
            assert_eq!(seen, Seen::Before);
        }
        // Even if all have the same bits, and as many holes as they may.
        for created in 0..200 {
            world.packed.put(20_000, &key(created, 1), &[1; 6000]);
        }
        world.merge();
        assert!(world.stored.pages.values().all(|page| page.len() <= PAGE_BYTES));
        assert_eq!(world.packed.get(&mut world.stored, 20_000, &key(199, 1)), Ok(Some(vec![1; 6000])));
    }

    #[test]
    fn broken_bytes_end_early() {
        let mut world = Packed::default();
        world.put(1, &[3; 16], b"abc");
        let log = world.take_log();
        assert_eq!(logged(&log).count(), 1);
        for end in 0..log.len() {
            assert_eq!(logged(&log[..end]).count(), 0);
        }
        let page = page(&BTreeMap::from([([3; 16], b"abc".to_vec())]));
        assert_eq!(entries(&page).count(), 1);
        for end in 0..page.len() {
            assert_eq!(entries(&page[..end]).count(), 0);
        }
    }
}
