//! A beacon that is still being added up.
//!
//! Strings are interned at once and keys kept in their wire form (postcard, `docs/wire.md`): comparing rows compares
//! bytes, and freezing copies them. `tests/` reads the result back with [`headwater_core::Beacon::decode`].
use alloc::vec::Vec;
use core::mem::take;

use headwater_core::{
    BeaconId,
    beacon::{MAX_COUNTS, MAX_MINUTES, MAX_PROPS, MAX_STRING},
};

use crate::{
    settings::Settings,
    text::{Fields, SEPARATOR, cut},
    visit::Visit,
};

/// Bytes (an upper estimate of the encoding) from which another beacon is begun. With one more message, which the
/// shell's buffer holds to 32 KiB, it stays below the 64 KiB that a body may have.
const FULL: usize = 16_384;
/// A signal touches at most its own minute, the visit's first, and that of the view before.
const MINUTES_A_SIGNAL: usize = 3;

/// A visit, a minute in it, or a row in that: what it is told by, and what is in it.
#[derive(Debug)]
pub struct Node {
    /// The wire form of what comes before the numbers. A minute's is its number.
    key: Vec<u8>,
    /// A minute's seconds since 1970.
    at: u32,
    /// A row: count, went on, engaged, depth. A minute: started, went on.
    pub sums: [u32; 4],
    /// How many values.
    values: u32,
    /// Their wire form.
    value_bytes: Vec<u8>,
    parts: Vec<Node>,
}

/// Tallies by visit, minute and page.
#[derive(Debug)]
pub struct Draft {
    /// Every string that is not empty, each once, a separator after each.
    strings: Vec<u8>,
    string_count: u64,
    visits: Vec<Node>,
    bytes: usize,
    minutes: usize,
    counts: u64,
}

/// What makes two counts the same row.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The event's name; empty is a page view.
    pub name: &'a [u8],
    /// The path of the page.
    pub page: &'a [u8],
    /// Its host.
    pub host: &'a [u8],
    /// Key, value, key, value …
    pub props: Fields<'a>,
    /// ISO 4217 code, or empty.
    pub currency: &'a [u8],
}

impl Draft {
    /// Nothing counted.
    pub const EMPTY: Self = Self { strings: Vec::new(), string_count: 0, visits: Vec::new(), bytes: 0, minutes: 0, counts: 0 };

    /// Whether nothing is counted yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }

    /// Whether the next signal belongs into another beacon.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.counts >= MAX_COUNTS || self.minutes + MINUTES_A_SIGNAL > MAX_MINUTES || self.bytes > FULL
    }

    /// The visit's minute that holds `at`.
    pub fn minute(&mut self, visit: &Visit, at: u32) -> Option<&mut Node> {
        let mut fields = Fields::new(&visit.texts).after(2);
        let entry = fields.text();
        let mut key = Vec::new();
        varint(&mut key, visit.tag.into());
        // The referrer and five texts of the campaign.
        for _ in 0..6 {
            self.string(&mut key, fields.text());
        }
        self.string(&mut key, entry);
        let part = place(&mut self.visits, key)?;
        let mut key = Vec::new();
        varint(&mut key, u64::from(at / 60));
        let minute = place(&mut part.parts, key)?;
        if minute.at == 0 {
            minute.at = at;
            self.minutes += 1;
            self.bytes += 32; // with the visit's own part
        }
        Some(minute)
    }

    /// The row of `key` in the visit's minute that holds `at`.
    pub fn row(&mut self, visit: &Visit, at: u32, key: Key<'_>) -> Option<&mut Node> {
        let Key { name, page, host, mut props, currency } = key;
        let mut bytes = Vec::new();
        for text in &[name, page, host] {
            self.string(&mut bytes, text);
        }
        let separators = props.rest.iter().filter(|b| **b == SEPARATOR).count();
        let pairs = if props.rest.is_empty() { 0 } else { (separators / 2 + 1).min(MAX_PROPS) };
        varint(&mut bytes, pairs as u64);
        for _ in 0..pairs * 2 {
            self.string(&mut bytes, props.text());
        }
        self.string(&mut bytes, currency);
        // The key, four sums, and a value.
        self.bytes += bytes.len() + 24;
        place(&mut self.minute(visit, at)?.parts, bytes)
    }

    /// Counts one event.
    pub fn count(&mut self, visit: &Visit, at: u32, key: Key<'_>, value: Option<i64>) {
        self.counts += 1;
        if let Some(row) = self.row(visit, at, key) {
            let [count, ..] = &mut row.sums;
            *count += 1;
            if let Some(value) = value {
                row.values += 1;
                zigzag(&mut row.value_bytes, value);
            }
        }
    }

    /// The frozen bytes of the beacon, and an empty draft again. `created` is in seconds since 1970.
    pub fn freeze(&mut self, id: BeaconId, created: u32, device: u64, settings: &Settings<'_>) -> Vec<u8> {
        let mut browser = Vec::new();
        self.string(&mut browser, settings.language);
        self.string(&mut browser, settings.zone);
        let done = take(self);
        let mut out = Vec::new();
        out.extend_from_slice(&id.load);
        varint(&mut out, id.seq.into());
        varint(&mut out, created.into());
        text(&mut out, cut(settings.site, MAX_STRING));
        out.extend_from_slice(&device.to_le_bytes());
        varint(&mut out, settings.screen.into());
        out.extend_from_slice(&browser);
        varint(&mut out, done.string_count);
        let mut strings = Fields::new(&done.strings);
        while !strings.rest.is_empty() {
            text(&mut out, strings.text());
        }
        varint(&mut out, done.visits.len() as u64);
        for visit in &done.visits {
            out.extend_from_slice(&visit.key);
            varint(&mut out, visit.parts.len() as u64);
            for minute in &visit.parts {
                let [started, went_on, ..] = minute.sums;
                zigzag(&mut out, i64::from(minute.at) - i64::from(created));
                varint(&mut out, started.into());
                varint(&mut out, went_on.into());
                varint(&mut out, minute.parts.len() as u64);
                for row in &minute.parts {
                    out.extend_from_slice(&row.key);
                    for sum in &row.sums {
                        varint(&mut out, u64::from(*sum));
                    }
                    varint(&mut out, row.values.into());
                    out.extend_from_slice(&row.value_bytes);
                }
            }
        }
        out
    }

    /// Appends the index of a text, cut to what a beacon may hold; 0 is the empty one.
    fn string(&mut self, out: &mut Vec<u8>, text: &[u8]) {
        let text = cut(text, MAX_STRING);
        let mut at = 0;
        if !text.is_empty() {
            let mut known = Fields::new(&self.strings);
            loop {
                at += 1;
                if known.rest.is_empty() {
                    self.bytes += 3 + text.len();
                    self.string_count = at;
                    self.strings.extend_from_slice(text);
                    self.strings.push(SEPARATOR);
                    break;
                }
                if known.text() == text {
                    break;
                }
            }
        }
        varint(out, at);
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// The node with this key, or a new one at the end.
fn place(nodes: &mut Vec<Node>, key: Vec<u8>) -> Option<&mut Node> {
    let at = nodes.iter().position(|node| node.key == key).unwrap_or(nodes.len());
    if at == nodes.len() {
        nodes.push(Node { key, at: 0, sums: [0; 4], values: 0, value_bytes: Vec::new(), parts: Vec::new() });
    }
    nodes.get_mut(at)
}

/// Appends a number in groups of seven bits, lowest first.
fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number: small magnitudes are short.
fn zigzag(out: &mut Vec<u8>, number: i64) {
    varint(out, (number << 1 ^ number >> 63) as u64);
}

/// Appends a text after its length.
fn text(out: &mut Vec<u8>, text: &[u8]) {
    varint(out, text.len() as u64);
    out.extend_from_slice(text);
}
