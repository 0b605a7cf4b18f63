//! The tracker of one page load: from signals to bodies.
use headwater_core::{
    BeaconId,
    beacon::{MAX_BYTES, MAX_COUNTS, MAX_VALUE},
};

use crate::{
    delivery::{Action, Delivery, MOST, MOST_BYTES, Parcel},
    draft::{Draft, Key, MOST_NODES, Node, sum},
    settings::Settings,
    text::{Buf, Fields, SEPARATOR, cut_at, get, number, set},
    visit::{NO_ORIGIN, Visit},
};

/// Milliseconds after which a page load takes a new id for what happens next: ids are remembered for days only.
const RENEW: u64 = 24 * 60 * 60 * 1000;

/// Everything that one page load knows. What it holds lies in a [`Space`].
#[derive(Debug)]
pub struct Tracker<'a> {
    /// What is fixed.
    pub settings: Settings<'a>,
    pub(crate) id: BeaconId,
    /// When the id was created, in milliseconds since 1970.
    pub(crate) created: u64,
    random: u64,
    device: u64,
    /// The visit as this page last saw it.
    visit: Visit<'a>,
    pub(crate) draft: Draft<'a>,
    pub(crate) delivery: Delivery<'a>,
    /// Where bodies and what to store are written, to be read at once.
    out: Buf<'a>,
}

/// The places of everything that has a size: some 330 KiB, all zero at first, for a static or a box.
#[derive(Debug)]
pub struct Space {
    site: [u8; 256],
    browser: [u8; 256],
    last: [u8; 4096],
    context: [u8; 8192],
    strings: [u8; 36_864],
    keys: [u8; 16_384],
    nodes: [Node; MOST_NODES],
    values: [(u16, i64); MAX_COUNTS as usize],
    parcels: [Parcel; MOST],
    frozen: [u8; MOST_BYTES],
    out: [u8; MAX_BYTES],
}

impl Space {
    /// Nothing in it.
    pub const EMPTY: Self = Self {
        site: [0; 256],
        browser: [0; 256],
        last: [0; 4096],
        context: [0; 8192],
        strings: [0; 36_864],
        keys: [0; 16_384],
        nodes: [Node::NONE; MOST_NODES],
        values: [(0, 0); MAX_COUNTS as usize],
        parcels: [Parcel::NONE; MOST],
        frozen: [0; MOST_BYTES],
        out: [0; MAX_BYTES],
    };
}

impl<'a> Tracker<'a> {
    /// Before the page load has begun.
    #[must_use]
    pub const fn new(space: &'a mut Space) -> Self {
        Self {
            settings: Settings::new(&mut space.site, &mut space.browser),
            id: BeaconId { load: [0; 8], seq: 0 },
            created: 0,
            random: 0,
            device: 0,
            visit: Visit::new(&mut space.last, &mut space.context),
            draft: Draft::new(&mut space.strings, &mut space.keys, &mut space.nodes, &mut space.values),
            delivery: Delivery::new(&mut space.parcels, &mut space.frozen),
            out: Buf::new(&mut space.out),
        }
    }

    /// The page load begins. The fields: when, in milliseconds since 1970 by the browser's clock; the page load's random id,
    /// from which all further randomness comes too; the settings.
    pub fn begin(&mut self, mut fields: Fields<'_>) {
        self.created = fields.number();
        self.random = fields.number();
        self.id.load = self.random.to_le_bytes();
        self.settings.read(fields);
        self.delivery.interval = self.settings.interval;
    }

    /// Adds up one signal: its kind, when it happened (milliseconds since 1970 by the browser's clock) and its fields, as
    /// `docs/wire.md` lists them under Signals. `stored` is what storage holds, empty if nothing; the answer is what it
    /// shall hold now, or nothing where storage is not used. An unknown kind is no signal.
    pub fn signal(&mut self, kind: u8, at: u64, fields: Fields<'_>, stored: &[u8]) -> Option<&[u8]> {
        if self.draft.is_full() {
            self.freeze(at);
        }
        if !self.delivery.has_room() {
            return None;
        }
        if self.draft.is_empty() {
            if at > self.created.wrapping_add(RENEW) {
                self.id = BeaconId { load: self.random().to_le_bytes(), seq: 0 };
                self.created = at;
            }
            self.delivery.began(at);
        }
        let at = seconds(at);
        // Storage knows what other tabs did; what is remembered here stands in for it.
        self.device = self.visit.read(stored, at);
        match kind {
            b'v' => self.view(at, stored.is_empty(), fields),
            b'i' => self.event(at, true, fields),
            b'e' => self.event(at, false, fields),
            b'l' => self.link(at, fields),
            _ => return None,
        }
        if !self.settings.device {
            self.device = 0;
        } else if self.device == 0 {
            self.device = self.random();
        }
        self.out.len = 0;
        self.visit.write(self.device, &mut self.out);
        self.settings.storage.then(|| get(&self.out))
    }

    /// What to do next.
    pub fn step(&mut self, now: u64) -> Action<'_> {
        match self.delivery.due(now, !self.draft.is_empty()) {
            None => Action::Done,
            Some(0) => {
                if self.delivery.next() == 0 {
                    self.freeze(now);
                }
                self.delivery.send(now, &mut self.out);
                Action::Send(get(&self.out))
            }
            Some(left) => Action::Wait(left),
        }
    }

    /// The answer to the last `Send`: its status, 0 if there was none, and its `Retry-After` in seconds or 0.
    pub fn answer(&mut self, now: u64, status: u64, retry_after: u64) {
        let random = self.random();
        self.delivery.answer(now, status, retry_after, random);
    }

    /// The page goes out of sight, perhaps for ever: everything goes now. `part` is `sendBeacon` and says whether the
    /// browser took the bytes. A second call sends only what is new.
    pub fn hide(&mut self, now: u64, part: impl FnMut(&[u8]) -> bool) {
        if !self.draft.is_empty() {
            self.freeze(now);
        }
        self.delivery.hide(now, &mut self.out, part);
    }

    /// The page is seen again.
    pub fn show(&mut self) {
        self.delivery.show();
    }

    /// A page is seen. `unknown`: storage holds nothing.
    fn view(&mut self, at: u32, unknown: bool, mut fields: Fields<'_>) {
        let mut head = fields;
        let view = fields.take(3);
        head.text();
        let page = head.text();
        let own = self.settings.is_own(fields.text(), head.text());
        let origin = fields.rest;
        let (_, campaign) = cut_at(origin, SEPARATOR);
        let (_, known) = cut_at(get(&self.visit.context), SEPARATOR);
        // A campaign brings people from elsewhere. On the site's own links its marks (and `ref` and `source`, which have
        // other uses there) begin nothing.
        let other = !own && !known.starts_with(campaign) && campaign.iter().any(|b| *b != SEPARATOR);
        if self.visit.start == 0 && own && unknown {
            // They come from our own page, which was told without storage or under another host: not a new visit, and
            // whether it went on is not known here.
            self.begins(at, b"", NO_ORIGIN);
            self.visit.went_on = 1;
        } else if other || !self.visit.lives(at) {
            self.starts(at, page, if own { NO_ORIGIN } else { origin });
        }
        if self.visit.is_seen() {
            self.goes_on();
            self.view_goes_on();
        }
        set(&mut self.visit.last, view);
        self.visit.active = self.visit.active.max(at);
        self.visit.viewed = at;
        self.draft.count(&self.visit, at, Key { head: view, tail: b"" }, None);
    }

    /// Something happened on a page. What nobody did neither begins a visit nor keeps one alive.
    fn event(&mut self, at: u32, interactive: bool, mut fields: Fields<'_>) {
        let mut head = fields;
        let name = fields.take(3);
        let value = millionths(fields.text());
        // An empty name would be a page view.
        if head.text().is_empty() {
            return;
        }
        if self.visit.start == 0 || (interactive && !self.visit.lives(at)) {
            self.starts(at, head.text(), NO_ORIGIN);
        }
        if interactive {
            self.visit.active = self.visit.active.max(at);
            self.goes_on();
        }
        self.draft.count(&self.visit, at, Key { head: name, tail: fields.rest }, value);
    }

    /// A link is followed.
    fn link(&mut self, at: u32, mut fields: Fields<'_>) {
        let to = fields.text();
        let mut last = Fields::new(get(&self.visit.last));
        last.take(2);
        let host = last.text();
        // A page of the same host shares our storage and will say itself that this one went on.
        let tells = self.settings.storage && to == host;
        if !tells && self.visit.lives(at) && self.settings.is_own(to, host) {
            self.goes_on();
            self.view_goes_on();
        }
    }

    /// A new visit, counted in its first minute.
    fn starts(&mut self, at: u32, entry: &[u8], origin: &[u8]) {
        self.begins(at, entry, origin);
        self.draft.add(&self.visit, at, None, sum::STARTED);
    }

    /// Another visit than before.
    fn begins(&mut self, at: u32, entry: &[u8], origin: &[u8]) {
        let tag = if self.settings.storage { self.random() as u32 | 1 } else { 0 };
        self.visit.begin(tag, at, entry, origin);
    }

    /// Counts, once, that the visit went on: in its first minute.
    fn goes_on(&mut self) {
        if self.visit.start > 0 && self.visit.went_on == 0 {
            self.visit.went_on = 1;
            self.draft.add(&self.visit, self.visit.start, None, sum::WENT_ON);
        }
    }

    /// Counts, once, that the last view went on: in its own minute and page.
    fn view_goes_on(&mut self) {
        if self.visit.viewed > 0 {
            let key = Key { head: get(&self.visit.last), tail: b"" };
            self.draft.add(&self.visit, self.visit.viewed, Some(key), sum::WENT_ON);
            self.visit.viewed = 0;
        }
    }

    /// Freezes the draft under the next number.
    fn freeze(&mut self, now: u64) {
        let created = seconds(self.created);
        let start = self.delivery.frozen.len;
        let frozen = &mut self.delivery.frozen;
        self.draft.freeze(self.id, created, seconds(now), self.device, &self.settings, frozen);
        self.delivery.push(created, start);
        self.id.seq += 1;
    }

    /// The next random number (SplitMix64, Steele et al. 2014): good enough for tags, ids and jitter.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.random ^ self.random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// Whole seconds; a minute of seconds is the same minute as that of its milliseconds.
pub(crate) const fn seconds(ms: u64) -> u32 {
    (ms / 1000) as u32
}

/// A whole number of millionths with an optional sign; `None` if it is none or too large to be counted.
fn millionths(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let size = number(digits);
    // 0 is also what `number` gives for no number.
    if digits.len() > 19 || size > MAX_VALUE as u64 || (size == 0 && digits != b"0") {
        return None;
    }
    Some(if digits.len() < text.len() { -(size as i64) } else { size as i64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_millionths_within_bounds() {
        assert_eq!(millionths(b"-1500000"), Some(-1_500_000));
        assert_eq!(millionths(b"0"), Some(0));
        assert_eq!(millionths(b"1000000000000000000"), Some(MAX_VALUE));
        for none in ["", "-", "NaN", "1.5", "1000000000000000001", "1e+21", "--1", "18446744073709551617"] {
            assert_eq!(millionths(none.as_bytes()), None, "{none}");
        }
    }
}
