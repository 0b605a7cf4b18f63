//! The tracker of one page load: from messages to bodies.
use alloc::vec::Vec;

use headwater_core::{
    BeaconId,
    beacon::{MAX_STRING, MAX_VALUE},
};

use crate::{
    delivery::{Action, Delivery},
    draft::{Draft, Key},
    settings::Settings,
    text::{Fields, SEPARATOR, cut, number},
    visit::Visit,
};

/// Milliseconds after which a page load takes a new id for what it has not frozen yet: ids are remembered for days only.
const RENEW: u64 = 24 * 60 * 60 * 1000;

/// Bytes of referrer and campaign that a visit keeps: storage is shared with the page.
const LONGEST_ORIGIN: usize = 4096;

/// Everything that one page load knows.
#[derive(Debug)]
pub struct Tracker<'a> {
    pub(crate) settings: Settings<'a>,
    pub(crate) id: BeaconId,
    /// When the id was created, in milliseconds since 1970.
    pub(crate) created: u64,
    random: u64,
    device: u64,
    /// The visit as this page last saw it.
    visit: Visit,
    pub(crate) draft: Draft,
    pub(crate) delivery: Delivery,
}

impl<'a> Tracker<'a> {
    /// Before the page load has begun.
    pub const NONE: Self = Self {
        settings: Settings::NONE,
        id: BeaconId { load: [0; 8], seq: 0 },
        created: 0,
        random: 0,
        device: 0,
        visit: Visit::NONE,
        draft: Draft::EMPTY,
        delivery: Delivery::EMPTY,
    };

    /// The page load begins. `created` is in milliseconds since 1970 by the browser's clock, `random` the page load's id,
    /// from which all further randomness comes too.
    pub fn begin(&mut self, created: u64, random: u64, settings: Settings<'a>) {
        self.id.load = random.to_le_bytes();
        self.created = created;
        self.random = random;
        self.delivery.interval = settings.interval;
        self.settings = settings;
    }

    /// Adds up one signal: its kind, when it happened (milliseconds since 1970 by the browser's clock) and its fields, as
    /// `docs/wire.md` lists them under Signals. `stored` is what storage holds, empty if nothing; the answer is what it
    /// shall hold now, or nothing where storage is not used. An unknown kind is no signal.
    pub fn signal(&mut self, kind: &[u8], at: u64, fields: Fields<'_>, stored: &[u8]) -> Option<Vec<u8>> {
        if self.draft.is_full() {
            self.freeze(at);
        }
        if !self.delivery.has_room() {
            return None;
        }
        if self.draft.is_empty() {
            self.delivery.began(at);
        }
        let at = seconds(at);
        // Storage knows what other tabs did; what is remembered here stands in for it.
        self.device = self.visit.read(stored, at);
        match kind {
            b"v" => self.view(at, stored.is_empty(), fields),
            b"i" => self.event(at, true, fields),
            b"e" => self.event(at, false, fields),
            b"l" => self.link(fields),
            _ => return None,
        }
        if !self.settings.device {
            self.device = 0;
        } else if self.device == 0 {
            self.device = self.random();
        }
        self.settings.storage.then(|| self.visit.write(self.device))
    }

    /// What to do next.
    pub fn step(&mut self, now: u64) -> Action {
        match self.delivery.due(now, !self.draft.is_empty()) {
            None => Action::Done,
            Some(0) => {
                if !self.delivery.waits() {
                    self.freeze(now);
                }
                self.delivery.send(now).map_or(Action::Done, Action::Send)
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
        self.delivery.hide(now, part);
    }

    /// The page is seen again.
    pub fn show(&mut self) {
        self.delivery.show();
    }

    /// A page is seen. `unknown`: storage holds nothing.
    fn view(&mut self, at: u32, unknown: bool, mut fields: Fields<'_>) {
        let host = cut(fields.text(), MAX_STRING);
        let page = cut(fields.text(), MAX_STRING);
        let own = self.settings.is_own(fields.text(), host);
        let campaign = fields.after(1).rest;
        let known = Fields::new(&self.visit.texts).after(4).rest;
        // A campaign brings people from elsewhere. On the site's own links its marks (and `ref` and `source`, which have
        // other uses there) begin nothing.
        let other = !own && campaign != known && campaign.iter().any(|b| *b != SEPARATOR);
        if self.visit.start == 0 && own && unknown {
            // They come from our own page, which was told without storage or under another host: not a new visit, and
            // whether it went on is not known here.
            self.start(at, b"", &[]);
            self.visit.went_on = 1;
        } else if other || !self.visit.lives(at) {
            self.begins(at, page, if own { &[] } else { fields.rest });
        }
        let mut texts = Fields::new(&self.visit.texts);
        let first = texts.text().is_empty();
        let now = join(&[page, host, texts.after(1).rest]);
        if !first {
            self.goes_on();
            self.view_goes_on();
        }
        self.visit.texts = now;
        self.visit.active = self.visit.active.max(at);
        self.visit.viewed = at;
        self.draft.count(&self.visit, at, Key { name: b"", page, host, props: Fields::NONE, currency: b"" }, None);
    }

    /// Something happened on a page. What nobody did neither begins a visit nor keeps one alive.
    fn event(&mut self, at: u32, interactive: bool, mut fields: Fields<'_>) {
        let host = fields.text();
        let page = fields.text();
        let name = fields.text();
        let value = millionths(fields.text());
        let currency = fields.text();
        if self.visit.start == 0 || (interactive && !self.visit.lives(at)) {
            self.begins(at, cut(page, MAX_STRING), &[]);
        }
        if interactive {
            self.visit.active = self.visit.active.max(at);
            self.goes_on();
        }
        // An empty name would be a page view.
        let name = if name.is_empty() { b"event" } else { name };
        self.draft.count(&self.visit, at, Key { name, page, host, props: fields, currency }, value);
    }

    /// A link is followed.
    fn link(&mut self, mut fields: Fields<'_>) {
        let to = fields.text();
        let host = Fields::new(&self.visit.texts).after(1).text();
        // A page of the same host shares our storage and will say itself that this one went on.
        let tells = self.settings.storage && to == host;
        if !tells && self.settings.is_own(to, host) {
            self.goes_on();
            self.view_goes_on();
        }
    }

    /// A new visit begins, counted in its first minute. `origin` is its referrer and campaign.
    fn begins(&mut self, at: u32, entry: &[u8], origin: &[u8]) {
        self.start(at, entry, origin);
        if let Some(minute) = self.draft.minute(&self.visit, at) {
            let [started, ..] = &mut minute.sums;
            *started = 1;
        }
    }

    /// Another visit than before: no page of it is seen yet.
    fn start(&mut self, at: u32, entry: &[u8], origin: &[u8]) {
        let tag = if self.settings.storage { self.random() as u16 | 1 } else { 0 };
        let texts = join(&[b"", b"", entry, cut(origin, LONGEST_ORIGIN)]);
        self.visit = Visit { tag: tag.into(), start: at, active: at, viewed: 0, went_on: 0, texts };
    }

    /// Counts, once, that the visit went on: in its first minute.
    fn goes_on(&mut self) {
        if self.visit.start > 0 && self.visit.went_on == 0 {
            self.visit.went_on = 1;
            if let Some(minute) = self.draft.minute(&self.visit, self.visit.start) {
                let [_, went_on, ..] = &mut minute.sums;
                *went_on = 1;
            }
        }
    }

    /// Counts, once, that the last view went on: in its own minute and page.
    fn view_goes_on(&mut self) {
        if self.visit.viewed > 0 {
            let mut texts = Fields::new(&self.visit.texts);
            let key = Key { name: b"", page: texts.text(), host: texts.text(), props: Fields::NONE, currency: b"" };
            if let Some(row) = self.draft.row(&self.visit, self.visit.viewed, key) {
                let [_, went_on, ..] = &mut row.sums;
                *went_on += 1;
            }
            self.visit.viewed = 0;
        }
    }

    /// Freezes the draft under the next number.
    fn freeze(&mut self, now: u64) {
        if now.saturating_sub(self.created) > RENEW {
            self.id = BeaconId { load: self.random().to_le_bytes(), seq: 0 };
            self.created = now;
        }
        let created = seconds(self.created);
        let frozen = self.draft.freeze(self.id, created, self.device, &self.settings);
        self.id.seq += 1;
        self.delivery.push(u64::from(created) * 1000, frozen);
    }

    /// The next random number (SplitMix64, Steele et al. 2014): good enough for tags, ids and jitter.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.random ^ self.random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// Fields with separators between them.
fn join(fields: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            text.push(SEPARATOR);
        }
        text.extend_from_slice(field);
    }
    text
}

/// Whole seconds; a minute of seconds is the same minute as that of its milliseconds.
pub(crate) const fn seconds(ms: u64) -> u32 {
    (ms / 1000) as u32
}

/// A whole number of millionths with an optional sign; `None` if it is none or too large to be counted.
fn millionths(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let size = number(digits) as i64;
    // 0 is also what `number` gives for no number.
    if digits.len() > 19 || size > MAX_VALUE || size < 0 || (size == 0 && digits != b"0") {
        return None;
    }
    Some(if digits.len() < text.len() { -size } else { size })
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
