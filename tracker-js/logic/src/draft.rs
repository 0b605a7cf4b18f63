//! A beacon that is still being added up.
//!
//! Strings are interned at once and keys kept in their wire form (postcard, `docs/wire.md`): comparing rows compares
//! bytes, and freezing copies them. `tests/` reads the result back with [`headwater_core::Beacon::decode`].
use headwater_core::{
    BeaconId,
    beacon::{MAX_COUNTS, MAX_ENGAGED, MAX_MINUTES, MAX_PROPS, MAX_STRING, MOST_ZEROS},
};

use crate::{
    settings::Settings,
    text::{Buf, Fields, SEPARATOR, cut, get, put, put_varint, since},
    visit::Visit,
};

/// Bytes of strings and keys from which another beacon is begun. The shell's messages have at most 24 KiB, so with one
/// more of them, and with sums and values, a body stays below its 64 KiB.
const FULL: usize = 12_288;
/// Nodes that there is room for: more than [`FULL`] has bytes for their keys.
pub const MOST_NODES: usize = 2600;
/// A signal touches at most its own minute, the visit's first, and that of the view before.
const MINUTES_A_SIGNAL: usize = 3;
/// How many strings every beacon begins with.
const FIRST: u64 = 3;
/// The parent of a visit.
const ROOT: u16 = u16::MAX;

/// A visit, a minute in it, or a row in that.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The minute of a row, the visit of a minute, [`ROOT`] for a visit.
    parent: u16,
    /// Where its key is: the wire form of what comes before the numbers. A minute's is its number, which is not written.
    start: u16,
    end: u16,
    /// A minute's seconds since 1970.
    at: u32,
    /// A row: count, went on, engaged, depth. A minute: started, went on.
    sums: [u32; 4],
    /// How many minutes, rows or values it has.
    parts: u32,
}

/// Where a sum is kept.
pub mod sum {
    /// Of a row.
    pub const COUNT: usize = 0;
    /// Of a minute.
    pub const STARTED: usize = 0;
    /// Of both.
    pub const WENT_ON: usize = 1;
    /// Of a row.
    pub const ENGAGED: usize = 2;
    /// Of a row.
    pub const DEPTH: usize = 3;
}

/// Tallies by visit, minute and page.
#[repr(C)]
#[derive(Debug)]
pub struct Draft {
    string_count: u64,
    node_count: usize,
    visits: u32,
    minutes: usize,
    counts: usize,
    value_count: usize,
    keys: Buf<[u8; 16_384]>,
    /// The values, in order: a row and a number each.
    values: [(u16, i64); MAX_COUNTS as usize],
    /// Site, language and time zone, then every other string that is not empty, each once; a separator after each.
    strings: Buf<[u8; 36_864]>,
    /// Bytes of the first three.
    first: usize,
    nodes: [Node; MOST_NODES],
}

/// What makes two counts the same row, as a message tells it.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// Name (empty for a page view), page and host; what follows is not read.
    pub head: &'a [u8],
    /// Key, value, key, value … and the currency.
    pub tail: &'a [u8],
}

impl Node {
    pub(crate) const NONE: Self = Self { parent: 0, start: 0, end: 0, at: 0, sums: [0; 4], parts: 0 };
}

impl Draft {
    /// Nothing counted.
    pub const NONE: Self = Self {
        strings: Buf::EMPTY,
        first: 0,
        string_count: 0,
        keys: Buf::EMPTY,
        nodes: [Node::NONE; MOST_NODES],
        node_count: 0,
        visits: 0,
        minutes: 0,
        counts: 0,
        values: [(0, 0); MAX_COUNTS as usize],
        value_count: 0,
    };

    /// The strings that every beacon of the page load begins with: site, language and time zone, a separator between them.
    pub fn begin(&mut self, first: &[u8]) {
        put(&mut self.strings, first);
        put(&mut self.strings, &[SEPARATOR]);
        self.first = self.strings.len;
        self.clear();
    }

    /// Whether nothing is counted yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.node_count == 0
    }

    /// Whether the next signal belongs into another beacon.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.counts >= MAX_COUNTS as usize
            || self.minutes + MINUTES_A_SIGNAL > MAX_MINUTES
            || self.strings.len + self.keys.len > FULL
    }

    /// Adds so much to a sum of the visit's minute that holds `at`, or of a row in it. Gives where that is.
    pub fn add(&mut self, visit: &Visit, at: u32, row: Option<Key<'_>>, sum: usize, much: u32) -> u16 {
        let mut start = self.keys.len;
        put_varint(&mut self.keys, u64::from(visit.tag));
        self.strings(get(&visit.context), 8);
        let mut node = self.place(ROOT, start);
        start = self.keys.len;
        put_varint(&mut self.keys, u64::from(at / 60));
        node = self.place(node, start);
        if let Some(minute) = self.nodes.get_mut(usize::from(node))
            && minute.at == 0
        {
            minute.at = at;
            self.minutes += 1;
        }
        if let Some(Key { head, tail }) = row {
            start = self.keys.len;
            self.strings(head, 3);
            let pairs = (tail.iter().filter(|b| **b == SEPARATOR).count() / 2).min(MAX_PROPS);
            put_varint(&mut self.keys, pairs as u64);
            self.strings(tail, pairs * 2 + 1);
            node = self.place(node, start);
        }
        if let Some(node) = self.nodes.get_mut(usize::from(node))
            && let Some(sum) = node.sums.get_mut(sum)
        {
            // A visit starts and goes on once.
            *sum = if row.is_some() { sum.wrapping_add(much).min(MAX_ENGAGED) } else { 1 };
        }
        node
    }

    /// Counts one event.
    pub fn count(&mut self, visit: &Visit, at: u32, key: Key<'_>, value: Option<i64>) {
        let row = self.add(visit, at, Some(key), sum::COUNT, 1);
        self.counts += 1;
        if let Some(value) = value
            && let Some(place) = self.values.get_mut(self.value_count)
        {
            *place = (row, value);
            self.value_count += 1;
            if let Some(row) = self.nodes.get_mut(usize::from(row)) {
                row.parts += 1;
            }
        }
    }

    /// Appends the frozen bytes of the beacon, and is empty again. `created` and `now` are in seconds since 1970.
    pub fn freeze(&mut self, id: BeaconId, created: u32, now: u32, device: u64, settings: &Settings, out: &mut Buf) {
        put(out, &id.load);
        put_varint(out, id.seq.into());
        put_varint(out, created.into());
        put_varint(out, device);
        put_varint(out, settings.screen.into());
        put_varint(out, self.string_count);
        let mut strings = Fields::new(get(&self.strings));
        while !strings.rest.is_empty() {
            let text = strings.text();
            put_varint(out, text.len() as u64);
            put(out, text);
        }
        put_varint(out, self.visits.into());
        self.write(ROOT, 0, created, now, out);
        self.clear();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.strings.len = self.first;
        self.string_count = FIRST;
        self.keys.len = 0;
        self.node_count = 0;
        self.visits = 0;
        self.minutes = 0;
        self.counts = 0;
        self.value_count = 0;
    }

    /// Writes the visits (depth 0), the minutes of a visit (1) or the rows of a minute (2).
    fn write(&self, parent: u16, depth: usize, created: u32, now: u32, out: &mut Buf) {
        for (at, node) in self.nodes.iter().take(self.node_count).enumerate() {
            if node.parent != parent {
                continue;
            }
            if depth == 1 {
                // After the clock was set back nothing is told as of later than now.
                put_zigzag(out, i64::from(node.at.min(now)) - i64::from(created));
            } else {
                put(out, self.keys.bytes.get(node.start.into()..node.end.into()).unwrap_or_default());
            }
            // A visit has no sums, a minute two, a row four.
            for sum in node.sums.iter().take(depth * 2) {
                put_varint(out, u64::from(*sum));
            }
            put_varint(out, node.parts.into());
            if depth < 2 {
                self.write(at as u16, depth + 1, created, now, out);
            } else {
                for (row, value) in self.values.iter().take(self.value_count) {
                    if usize::from(*row) == at {
                        put_value(out, *value);
                    }
                }
            }
        }
    }

    /// The node whose key was just appended to `keys`, or a new one.
    fn place(&mut self, parent: u16, start: usize) -> u16 {
        let end = self.keys.len;
        let key = since(&self.keys, start);
        let known = self
            .nodes
            .iter()
            .take(self.node_count)
            .position(|node| node.parent == parent && self.keys.bytes.get(node.start.into()..node.end.into()) == Some(key));
        if let Some(at) = known {
            self.keys.len = start;
            return at as u16;
        }
        if let Some(node) = self.nodes.get_mut(self.node_count) {
            *node = Node { parent, start: start as u16, end: end as u16, at: 0, sums: [0; 4], parts: 0 };
            self.node_count += 1;
            match self.nodes.get_mut(usize::from(parent)) {
                Some(node) => node.parts += 1,
                None => self.visits += 1,
            }
        }
        (self.node_count - 1) as u16
    }

    /// Appends the indices of so many fields to `keys`; 0 is the empty text. One is cut to what a beacon may hold, and left
    /// out if there is no room for it.
    fn strings(&mut self, fields: &[u8], count: usize) {
        let mut fields = Fields::new(fields);
        for _ in 0..count {
            let text = cut(fields.text(), MAX_STRING);
            let mut at = 0;
            if !text.is_empty() {
                let mut known = Fields::new(get(&self.strings));
                loop {
                    at += 1;
                    if known.rest.is_empty() {
                        if self.strings.len + text.len() < self.strings.bytes.len() {
                            put(&mut self.strings, text);
                            put(&mut self.strings, &[SEPARATOR]);
                            self.string_count = at;
                        } else {
                            at = 0;
                        }
                        break;
                    }
                    if known.text() == text {
                        break;
                    }
                }
            }
            put_varint(&mut self.keys, at);
        }
    }
}

/// Appends a signed number: small magnitudes are short.
fn put_zigzag(out: &mut Buf, number: i64) {
    put_varint(out, (number << 1 ^ number >> 63) as u64);
}

/// Appends a value without its last zeros, and how many these were: most values are few digits of units or hundredths.
fn put_value(out: &mut Buf, mut value: i64) {
    let mut zeros = 0;
    while zeros < MOST_ZEROS && value % 10 == 0 {
        value /= 10;
        zeros += 1;
    }
    put_varint(out, ((value << 1 ^ value >> 63) as u64) << 3 | zeros);
}
