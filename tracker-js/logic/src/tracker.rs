//! The tracker of one page load: from signals to bodies.
use headwater_core::{BeaconId, beacon::MAX_VALUE};

use crate::{
    delivery::{Action, Delivery},
    draft::{Draft, Key, sum},
    settings::Settings,
    text::{Buf, Fields, SEPARATOR, cut_at, get, number, put, set},
    visit::{NO_ORIGIN, Visit},
};

/// Milliseconds after which a page load takes a new id for what happens next: ids are remembered for days only.
const RENEW: u64 = 24 * 60 * 60 * 1000;

/// The first letter of a field that says `true`.
const YES: u8 = b't';

/// Everything that one page load knows: some 330 KiB, all zero at first, for a static or a box.
#[repr(C)]
#[derive(Debug)]
pub struct Tracker {
    pub(crate) id: BeaconId,
    /// When the id was created, in milliseconds since 1970.
    pub(crate) created: u64,
    random: u64,
    device: u64,
    /// Whether the draft holds more than time and depth, which go with what comes next.
    pressing: bool,
    /// What is fixed.
    pub settings: Settings,
    /// The visit as this page last saw it.
    visit: Visit,
    pub(crate) draft: Draft,
    /// Where what to store is written, to be read at once.
    out: Buf<[u8; 16_384]>,
    /// Last, because it is large: so all others have small addresses, which are fewer bytes of Wasm.
    pub(crate) delivery: Delivery,
}

impl Tracker {
    /// Before the page load has begun.
    pub const NEW: Self = Self {
        settings: Settings::NONE,
        id: BeaconId { load: [0; 8], seq: 0 },
        created: 0,
        random: 0,
        device: 0,
        visit: Visit::NONE,
        draft: Draft::NONE,
        pressing: false,
        delivery: Delivery::NONE,
        out: Buf::EMPTY,
    };

    /// The page load begins, at a time in milliseconds since 1970 by the browser's clock. The fields: the page load's random
    /// id, from which all further randomness comes too; the settings; site, language and time zone.
    pub fn begin(&mut self, created: u64, mut fields: Fields<'_>) {
        self.created = created;
        self.random = fields.number();
        self.id.load = self.random.to_le_bytes();
        self.settings.read(&mut fields);
        self.delivery.interval = self.settings.interval;
        self.draft.begin(fields.rest);
    }

    /// Adds up one signal: its kind, when it happened (milliseconds since 1970 by the browser's clock) and its fields, as
    /// `docs/wire.md` lists them under Signals. `stored` is what storage holds, empty if nothing; the answer is what it
    /// shall hold now, or nothing where that is the same or storage is not used. An unknown kind is no signal.
    pub fn signal(&mut self, kind: u8, at: u64, fields: Fields<'_>, stored: &[u8]) -> Option<&[u8]> {
        if self.draft.is_full() {
            self.freeze(at);
        }
        if !self.delivery.has_room() {
            return None;
        }
        if self.draft.is_empty() && at > self.created.wrapping_add(RENEW) {
            self.id = BeaconId { load: self.random().to_le_bytes(), seq: 0 };
            self.created = at;
        }
        let now = at;
        let at = seconds(at);
        // Storage knows what other tabs did; what is remembered here stands in for it.
        self.device = self.visit.read(stored, at);
        match kind {
            b'v' => self.view(at, stored.is_empty(), fields),
            b'i' => self.event(at, true, fields),
            b'e' => self.event(at, false, fields),
            b'l' => self.link(at, fields),
            b'g' => self.engaged(at, fields),
            _ => return None,
        }
        if kind != b'g' && !self.pressing && !self.draft.is_empty() {
            self.pressing = true;
            self.delivery.began(now);
        }
        if !self.settings.device {
            self.device = 0;
        } else if self.device == 0 {
            self.device = self.random();
        }
        self.out.len = 0;
        self.visit.write(self.device, &mut self.out);
        // Writing is what costs most of an event, and mostly nothing is new.
        let new = get(&self.out);
        (self.settings.storage && new != stored).then_some(new)
    }

    /// What to do next.
    pub fn step(&mut self, now: u64) -> Action<'_> {
        match self.delivery.due(now, self.pressing) {
            None => Action::Done,
            Some(0) => {
                if !self.delivery.waits() {
                    self.freeze(now);
                }
                Action::Send(self.delivery.send(now))
            }
            Some(left) => Action::Wait(left),
        }
    }

    /// The answer to the last `Send`: its status, 0 if there was none, and its `Retry-After` in seconds or 0.
    pub fn answer(&mut self, now: u64, status: u64, retry_after: u64) {
        let random = self.random();
        self.delivery.answer(now, status, retry_after, random);
    }

    /// The page goes out of sight, perhaps for ever: everything goes now. `part` takes each body, to send it by `sendBeacon`
    /// and to keep it until it is acknowledged. A second call hands over only what is new.
    pub fn hide(&mut self, now: u64, part: impl FnMut(&[u8])) {
        if !self.draft.is_empty() {
            self.freeze(now);
        }
        self.delivery.hide(part);
    }

    /// A page is seen. `unknown`: storage holds nothing.
    fn view(&mut self, at: u32, unknown: bool, mut fields: Fields<'_>) {
        let mut head = fields;
        let view = fields.take(3);
        head.text();
        let page = head.text();
        let own = fields.letter() == YES;
        let origin = fields.take(7);
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
        put(&mut self.visit.last, fields.rest);
        self.visit.active = self.visit.active.max(at);
        self.visit.viewed = at;
        self.draft.count(&self.visit, at, self.visit.last_view(), None);
    }

    /// Something happened on a page. What nobody did neither begins a visit nor keeps one alive.
    #[inline(always)]
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
            self.visit.act(at);
            self.goes_on();
        }
        self.draft.count(&self.visit, at, Key { head: name, tail: fields.rest }, value);
    }

    /// Time was spent on a page and more of it was seen. It keeps a visit alive.
    fn engaged(&mut self, at: u32, mut fields: Fields<'_>) {
        let head = fields.take(3);
        let (spent, depth) = (fields.number(), fields.number());
        if self.visit.start > 0 {
            if self.visit.lives(at) {
                self.visit.act(at);
            }
            let key = Key { head, tail: fields.rest };
            self.draft.add(&self.visit, at, Some(key), sum::ENGAGED, spent as u32);
            self.draft.add(&self.visit, at, Some(key), sum::DEPTH, depth as u32);
        }
    }

    /// A link to a page of the site's own is followed.
    fn link(&mut self, at: u32, mut fields: Fields<'_>) {
        // A page of the same host shares our storage and will say itself that this one went on.
        let tells = self.settings.storage && fields.letter() == YES;
        if !tells && self.visit.lives(at) {
            self.goes_on();
            self.view_goes_on();
        }
    }

    /// A new visit, counted in its first minute.
    fn starts(&mut self, at: u32, entry: &[u8], origin: &[u8]) {
        self.begins(at, entry, origin);
        self.draft.add(&self.visit, at, None, sum::STARTED, 1);
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
            self.draft.add(&self.visit, self.visit.start, None, sum::WENT_ON, 1);
        }
    }

    /// Counts, once, that the last view went on: in its own minute and page.
    fn view_goes_on(&mut self) {
        if self.visit.viewed > 0 {
            self.draft.add(&self.visit, self.visit.viewed, Some(self.visit.last_view()), sum::WENT_ON, 1);
            self.visit.viewed = 0;
        }
    }

    /// Freezes the draft under the next number.
    fn freeze(&mut self, now: u64) {
        let created = seconds(self.created);
        let start = self.delivery.begin();
        self.draft.freeze(self.id, created, seconds(now), self.device, &self.settings, &mut self.delivery.queue);
        self.delivery.end(start);
        self.id.seq += 1;
        self.pressing = false;
    }

    /// The next random number (xorshift64, Marsaglia 2003; the seed is not 0 but once in 2^64): good enough for tags, ids
    /// and jitter.
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
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
