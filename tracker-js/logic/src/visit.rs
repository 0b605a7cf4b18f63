//! A visit: what pages and tabs of one browser share through storage, and when it ends.
use alloc::vec::Vec;

use crate::text::{Fields, SEPARATOR, push_number};

/// Seconds without activity that end a visit.
pub const IDLE: u32 = 30 * 60;
/// Seconds after which a visit ends whatever happens, so that what it claims for its start is never too late to be counted.
pub const LONGEST: u32 = 24 * 60 * 60;
/// The first line of what is stored; another one is not read.
const FORMAT: u32 = 1;

/// A visit as the browser knows it. Times are seconds since 1970 by the browser's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Random, not 0, where there is storage; else 0. 16 bits.
    pub tag: u32,
    /// When it started; 0 if there is no visit.
    pub start: u32,
    /// When it was last active.
    pub active: u32,
    /// When the last page was seen, if its going on is not counted yet; else 0.
    pub viewed: u32,
    /// Not 0 if its going on is counted, or is not this browser's to count.
    pub went_on: u32,
    /// Fields: path and host of the last page seen (empty before the first), path of the visit's first page, its external
    /// referrer, the campaign's source, medium, campaign, content and term.
    pub texts: Vec<u8>,
}

impl Visit {
    /// None yet.
    pub const NONE: Self = Self { tag: 0, start: 0, active: 0, viewed: 0, went_on: 0, texts: Vec::new() };

    /// Whether activity at `at` still belongs to it.
    #[must_use]
    pub const fn lives(&self, at: u32) -> bool {
        at < self.active.saturating_add(IDLE) && at < self.start.saturating_add(LONGEST)
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
        let [format, tag, start, active, viewed, went_on] = numbers;
        // A minute of grace: another tab may have read the clock later than this signal did.
        let in_order = 0 < start && start <= active && viewed <= active && active < at.saturating_add(60);
        if format == FORMAT && in_order {
            *self = Self { tag: tag as u16 as u32, start, active, viewed, went_on, texts: Vec::new() };
            self.texts.extend_from_slice(fields.rest);
        }
        device
    }

    /// What to store for the other pages.
    #[must_use]
    pub fn write(&self, device: u64) -> Vec<u8> {
        let mut out = Vec::new();
        push_number(&mut out, device);
        for number in &[FORMAT, self.tag, self.start, self.active, self.viewed, self.went_on] {
            out.push(SEPARATOR);
            push_number(&mut out, u64::from(*number));
        }
        out.push(SEPARATOR);
        out.extend_from_slice(&self.texts);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn visit() -> Visit {
        let texts = b"/now\x0cexample.com\x0c/in\x0chttps://a.net/\x0cnews\x0cmail\x0c\x0c\x0c".to_vec();
        Visit { tag: 7, start: 1000, active: 2000, viewed: 1500, went_on: 1, texts }
    }

    fn read(stored: &[u8], at: u32) -> (Visit, u64) {
        let mut visit = Visit::NONE;
        let device = visit.read(stored, at);
        (visit, device)
    }

    #[test]
    fn a_visit_comes_back_from_storage() {
        assert_eq!(read(&visit().write(u64::MAX), 2100), (visit(), u64::MAX));
    }

    #[test]
    fn a_corrupt_visit_is_none() {
        let stored = visit().write(5);
        assert_eq!(read(&stored[..10], 2100), (Visit::NONE, 5), "cut");
        assert_eq!(read(&stored, 1900), (Visit::NONE, 5), "from the future");
        assert_eq!(read(b"5\x0c2\x0c7\x0c1000\x0c2000\x0c1500\x0c1\x0c", 2100), (Visit::NONE, 5), "another format");
        let mut kept = visit();
        kept.read(b"nonsense", 2100);
        assert_eq!(kept, visit());
    }

    #[test]
    fn a_visit_ends_after_thirty_minutes_and_after_a_day() {
        assert!(visit().lives(2000 + IDLE - 1));
        assert!(!visit().lives(2000 + IDLE));
        assert!(!Visit { active: 1000 + LONGEST, ..visit() }.lives(1000 + LONGEST));
    }

    proptest! {
        #[test]
        fn anything_may_be_stored(stored: Vec<u8>, fields in proptest::collection::vec("[0-9]{0,12}|[a-z/]{0,9}", 0..20), at: u32) {
            read(&stored, at);
            let (visit, device) = read(fields.join("\x0c").as_bytes(), at);
            if visit.start > 0 {
                prop_assert_eq!(read(&visit.write(device), at), (visit, device));
            }
        }
    }
}
