//! A visit: what pages and tabs of one browser share through storage, and when it ends.
use crate::draft::Key;
use crate::text::{Buf, Fields, SEPARATOR, get, put, put_number, set};

/// Seconds without activity that end a visit.
pub const IDLE: i32 = 30 * 60;
/// Seconds after which a visit ends whatever happens, so that what it claims for its start is never too late to be counted.
pub const LONGEST: i32 = 24 * 60 * 60;
/// Seconds after a noted activity in which another is not noted, so that storage need not be written for it: writing costs
/// more than all else of an event. A visit may end by so much less than [`IDLE`] after the last event, not after a view.
pub const NOTED: i32 = 15;
/// The second field of what is stored; another one is not read.
const FORMAT: u32 = 2;

/// A visit as the browser knows it. Times are seconds since 1970 by the browser's clock.
#[repr(C)]
#[derive(Debug)]
pub struct Visit {
    /// Random, not 0, where there is storage; else 0. 16 bits.
    pub tag: u32,
    /// When it started; 0 if there is no visit.
    pub start: u32,
    /// When it was last active, as far as that is noted.
    pub active: u32,
    /// When the last page was seen, if its going on is not counted yet; else 0.
    pub viewed: u32,
    /// Not 0 if its going on is counted, or is not this browser's to count.
    pub went_on: u32,
    /// The last view as the key of a row: an empty name, page and host, a separator after each, then its properties.
    pub last: Buf<[u8; 4096]>,
    /// What it is told by: external referrer, the campaign's source, medium, campaign, content, term and click id, path of the
    /// first page; a separator after each.
    pub context: Buf<[u8; 8192]>,
}

/// [`Visit::last`] before the first view.
const NO_VIEW: &[u8] = &[SEPARATOR; 3];
/// Before the path of the first page where there is no referrer and no campaign.
pub const NO_ORIGIN: &[u8] = &[SEPARATOR; 7];

impl Visit {
    /// None yet.
    pub const NONE: Self = Self { tag: 0, start: 0, active: 0, viewed: 0, went_on: 0, last: Buf::EMPTY, context: Buf::EMPTY };

    /// Whether activity at `at` still belongs to it.
    #[must_use]
    pub const fn lives(&self, at: u32) -> bool {
        before(at, self.active, IDLE) && before(at, self.start, LONGEST)
    }

    /// Somebody does something in it.
    pub const fn act(&mut self, at: u32) {
        if !before(at, self.active, NOTED) {
            self.active = at;
        }
    }

    /// Whether a page of it was seen.
    #[must_use]
    pub const fn is_seen(&self) -> bool {
        self.last.len > NO_VIEW.len()
    }

    /// The key of the last view's row.
    #[must_use]
    pub fn last_view(&self) -> Key<'_> {
        let mut tail = Fields::new(get(&self.last));
        let head = tail.take(3);
        Key { head, tail: tail.rest }
    }

    /// Another visit than before, of which no page is seen yet. `origin` is its referrer and campaign, a separator after each.
    pub fn begin(&mut self, tag: u32, at: u32, entry: &[u8], origin: &[u8]) {
        self.numbers([FORMAT, tag, at, at, 0, 0]);
        set(&mut self.last, NO_VIEW);
        set(&mut self.context, origin);
        put(&mut self.context, entry);
        put(&mut self.context, &[SEPARATOR]);
    }

    /// Reads what [`Visit::write`] wrote, if it holds together, and else changes nothing. Gives the device's id (0: none),
    /// which outlives a visit.
    ///
    /// Storage belongs to the page and may hold anything. A visit from the future (the clock was set back) is none.
    pub fn read(&mut self, stored: &[u8], at: u32) -> u64 {
        let mut fields = Fields::new(stored);
        let device = fields.number();
        let mut numbers = [0; 6];
        for number in &mut numbers {
            *number = fields.number() as u32;
        }
        let [format, _, start, active, viewed, _] = numbers;
        // A minute of grace: another tab may have read the clock later than this signal did.
        let in_order = 0 < start && start <= active && viewed <= active && before(active, at, 60);
        if format == FORMAT && in_order {
            self.numbers(numbers);
            set(&mut self.context, fields.take(8));
            set(&mut self.last, fields.rest);
        }
        device
    }

    /// Writes what the other pages shall read.
    pub fn write(&self, device: u64, out: &mut Buf) {
        put_number(out, device);
        for number in &[FORMAT, self.tag, self.start, self.active, self.viewed, self.went_on] {
            put(out, &[SEPARATOR]);
            put_number(out, u64::from(*number));
        }
        put(out, &[SEPARATOR]);
        put(out, get(&self.context));
        put(out, get(&self.last));
    }

    fn numbers(&mut self, [_, tag, start, active, viewed, went_on]: [u32; 6]) {
        self.tag = tag & 0xffff;
        self.start = start;
        self.active = active;
        self.viewed = viewed;
        self.went_on = went_on;
    }
}

/// Whether `at` comes before `seconds` after `then`, for moments less than 68 years apart.
const fn before(at: u32, then: u32, seconds: i32) -> bool {
    (at.wrapping_sub(then) as i32) < seconds
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    const STORED: &str = "5\x0c2\x0c7\x0c1000\x0c2000\x0c1500\x0c1\x0chttps://a.net/\x0cnews\x0cmail\x0c\x0c\x0c\x0cgclid\x0c/in\x0c\x0c/now\x0cexample.com\x0ca\x0cb\x0c";

    /// Runs `test` on a visit that has read `stored`.
    fn read<T>(stored: &[u8], at: u32, test: impl FnOnce(&mut Visit, u64) -> T) -> T {
        let mut visit = Visit::NONE;
        let device = visit.read(stored, at);
        test(&mut visit, device)
    }

    fn write(visit: &Visit, device: u64) -> String {
        let mut out = Buf::<[u8; 16384]>::EMPTY;
        visit.write(device, &mut out);
        String::from_utf8(get(&out).to_vec()).unwrap()
    }

    fn start(stored: &[u8], at: u32) -> u32 {
        read(stored, at, |visit, _| visit.start)
    }

    #[test]
    fn a_visit_comes_back_from_storage() {
        read(STORED.as_bytes(), 2100, |visit, device| {
            assert_eq!((visit.tag, visit.start, visit.active, visit.viewed, visit.went_on, device), (7, 1000, 2000, 1500, 1, 5));
            assert_eq!(write(visit, device), STORED);
        });
    }

    #[test]
    fn a_corrupt_visit_is_none() {
        let stored = STORED.as_bytes();
        assert_eq!(start(stored, 2100), 1000);
        assert_eq!(start(&stored[..9], 2100), 0, "cut");
        assert_eq!(start(stored, 1900), 0, "from the future");
        assert_eq!(start(b"5\x0c1\x0c7\x0c1000\x0c2000\x0c1500\x0c1\x0c", 2100), 0, "another format");
        read(stored, 2100, |visit, _| {
            visit.read(b"nonsense", 2100);
            assert_eq!(write(visit, 5), STORED);
        });
    }

    #[test]
    fn a_visit_ends_after_thirty_minutes_and_after_a_day() {
        read(STORED.as_bytes(), 2100, |visit, _| {
            assert!(visit.lives(2000 + IDLE as u32 - 1));
            assert!(!visit.lives(2000 + IDLE as u32));
            visit.active = 1000 + LONGEST as u32;
            assert!(!visit.lives(1000 + LONGEST as u32));
        });
    }

    proptest! {
        #[test]
        fn anything_may_be_stored(stored: Vec<u8>, fields in proptest::collection::vec("[0-9]{0,12}|[a-z/]{0,9}", 0..20), at: u32) {
            start(&stored, at);
            let text = |visit: &mut Visit, device| (visit.start > 0).then(|| write(visit, device));
            if let Some(once) = read(fields.join("\x0c").as_bytes(), at, text) {
                prop_assert_eq!(read(once.as_bytes(), at, text), Some(once));
            }
        }
    }
}
