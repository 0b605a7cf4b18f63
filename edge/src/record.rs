//! What an inbox stores: what one beacon or event says, enriched, and without anything that leads back to a person. No
//! address, no user agent, no device id, no query of a referrer.
//!
//! Beacons and events of other senders end in the same record, so there is one way to fold. Strings stand once in a
//! dictionary, as in a beacon, so that no input grows much on its way here. The context of a visit is kept as encoded
//! bytes: the fold recognises equal contexts by these bytes without looking at 19 strings.
use headwater_core::beacon::{Delta, Str};
use headwater_core::{Minute, SiteId, VisitDimension, VisitorHash};
use serde::{Deserialize, Serialize};

/// What one beacon or event adds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<'a> {
    /// For which site.
    pub site: SiteId,
    /// Orders the values of one minute: from the id it came under.
    pub order: u64,
    /// Every string of the deltas, each once; [`Str`] 0 is the empty one.
    #[serde(borrow)]
    pub strings: Vec<&'a str>,
    /// The visits it tells of.
    pub visits: Vec<VisitRow<'a>>,
}

/// What is added to one visit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitRow<'a> {
    /// Tells the visits of a visitor apart.
    pub tag: u16,
    /// The visit's properties, by [`context::encode`].
    #[serde(borrow)]
    pub context: &'a [u8],
    /// By minute.
    pub minutes: Vec<MinuteRow>,
}

/// What is added to one visit in one minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinuteRow {
    /// The visitor in this minute's identity window: eight bytes, because a varint of random bits is longer.
    pub visitor: [u8; 8],
    /// The minute.
    pub minute: Minute,
    /// The visit started in this minute: 0 or 1.
    pub started: u8,
    /// The visit, which started in this minute, went on: 0 or 1.
    pub went_on: u8,
    /// What was counted; the name [`Str`] 0 is a page view.
    pub deltas: Vec<Delta>,
}

impl MinuteRow {
    /// The visitor.
    #[must_use]
    pub const fn visitor(&self) -> VisitorHash {
        VisitorHash(u64::from_le_bytes(self.visitor))
    }
}

/// Bytes that a record of few events takes beside its texts; a longer one grows.
const ROOM: usize = 256;

impl<'a> Record<'a> {
    /// The stored form. Encoding into memory cannot fail; a failure gives no bytes, and those are never stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let strings: usize = self.strings.iter().map(|string| string.len()).sum();
        let contexts: usize = self.visits.iter().map(|visit| visit.context.len()).sum();
        postcard::to_extend(self, Vec::with_capacity(strings + contexts + ROOM)).unwrap_or_default()
    }

    /// Reads the stored form; `None` if the bytes are something else.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    /// At most how many bytes of a batch it makes, roughly: its strings may come to stand in every minute it names, once for
    /// the tallies and once for the people. Blocks and batches are bounded by this too, lest a few spiteful beacons make a
    /// batch that no collector reads.
    #[must_use]
    pub fn weight(&self) -> usize {
        let strings: usize = self.strings.iter().map(|s| s.len()).sum();
        let visits = self.visits.iter().map(|visit| visit.minutes.len() * (visit.context.len() + strings));
        2 * visits.sum::<usize>()
    }

    /// The string that `index` names; empty for 0.
    #[must_use]
    pub fn string(&self, index: Str) -> &'a str {
        usize::from(index.0).checked_sub(1).and_then(|at| self.strings.get(at)).copied().unwrap_or("")
    }
}

/// The properties of a visit as bytes: 19 strings in the order of [`VisitDimension`], each behind its length.
pub mod context {
    use super::VisitDimension;

    /// The properties by dimension.
    pub type Values<'a> = [&'a str; VisitDimension::COUNT];

    /// The bytes.
    #[must_use]
    pub fn encode(values: &Values<'_>) -> Vec<u8> {
        let length: usize = values.iter().map(|value| value.len() + 2).sum();
        postcard::to_extend(values, Vec::with_capacity(length)).unwrap_or_default()
    }

    /// The strings; `None` if the bytes are something else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Values<'_>> {
        postcard::from_bytes(bytes).ok()
    }
}

/// Records of one transaction, one behind the other: what is written as one row, so that requests that arrive together
/// cost one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    bytes: Vec<u8>,
    weight: usize,
}

/// The first byte of a block.
const BLOCK_VERSION: u8 = 1;
/// A block takes no further record at this size in bytes. One record may reach beyond it, so a row stays below 1 MB.
pub const BLOCK_BYTES: usize = 512 * 1024;
/// Nor at this sum of [`Record::weight`]. A single record weighs at most about 10 MB, a batch may reach 32.
pub const WEIGHT: usize = 8 << 20;
/// No minute of a record is shorter than this in bytes: visitor 8, minute 4, three counts; so a block's length bounds
/// how many visitors it can hold.
pub const MINUTE_BYTES: usize = 15;

impl Block {
    /// Adds an encoded record of this [`Record::weight`].
    pub fn push(&mut self, record: &[u8], weight: usize) {
        self.weight += weight;
        if self.bytes.is_empty() {
            self.bytes.push(BLOCK_VERSION);
        }
        let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(record);
    }

    /// Whether it should be written before another record is added.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.bytes.len() >= BLOCK_BYTES || self.weight >= WEIGHT
    }

    /// Whether there is no record in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes to store.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The encoded records of a stored block. What a broken disk left ends the iteration.
    pub fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut rest = match bytes.split_first() {
            Some((&BLOCK_VERSION, rest)) => rest,
            _ => &[],
        };
        core::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let (record, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = tail;
            Some(record)
        })
    }

    /// A stored block without the records of `site`, or `None` if it holds none of them.
    #[must_use]
    pub fn without(bytes: &[u8], site: SiteId) -> Option<Vec<u8>> {
        let of_site = |record: &[u8]| postcard::take_from_bytes::<SiteId>(record).is_ok_and(|(id, _)| id == site);
        if !Self::records(bytes).any(of_site) {
            return None;
        }
        let mut rest = Self::default();
        Self::records(bytes).filter(|record| !of_site(record)).for_each(|record| rest.push(record, 0));
        Some(rest.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(site: u32) -> Vec<u8> {
        let context = context::encode(&["x"; VisitDimension::COUNT]);
        let minutes = vec![MinuteRow { visitor: [1; 8], minute: Minute(29_000_000), ..MinuteRow::default() }];
        let visits = vec![VisitRow { tag: 5, context: &context, minutes }];
        Record { site: SiteId(site), order: 9, strings: vec!["/a"], visits }.encode()
    }

    #[test]
    fn a_record_comes_back() {
        let bytes = record(1);
        let record = Record::decode(&bytes).unwrap();
        assert_eq!((record.site, record.string(Str(1)), record.string(Str(0)), record.string(Str(9))), (SiteId(1), "/a", "", ""));
        assert_eq!(context::decode(record.visits[0].context), Some(["x"; VisitDimension::COUNT]));
        assert!(postcard::to_allocvec(&record.visits[0].minutes[0]).unwrap().len() >= MINUTE_BYTES);
    }

    #[test]
    fn a_block_holds_records_and_forgets_a_site() {
        let mut block = Block::default();
        assert!(block.is_empty());
        for site in [1, 2, 1, 300] {
            block.push(&record(site), 0);
        }
        let bytes = block.into_bytes();
        assert_eq!(Block::records(&bytes).count(), 4);
        assert_eq!(Block::without(&bytes, SiteId(9)), None);
        let rest = Block::without(&bytes, SiteId(1)).unwrap();
        let sites: Vec<_> = Block::records(&rest).map(|r| Record::decode(r).unwrap().site.0).collect();
        assert_eq!(sites, [2, 300]);
        assert_eq!(Block::records(&Block::without(&rest, SiteId(2)).unwrap()).count(), 1);
    }

    #[test]
    fn broken_blocks_end_early() {
        let mut block = Block::default();
        block.push(&record(1), 0);
        let bytes = block.into_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Block::records(&bytes[..end]).count(), 0);
        }
        assert_eq!(Block::records(&[7, 1, 2]).count(), 0);
    }
}
