//! When which bytes go, and what an answer means. Bytes are frozen before their first attempt and stay the same; at most
//! one beacon is on its way.
use alloc::vec::Vec;

use headwater_core::beacon::envelope;

/// How long signals are collected before the first of them goes, in milliseconds.
pub const QUIET: u32 = 250;
/// The least time before a failed attempt is repeated, in milliseconds.
const RETRY: u64 = 1000;
/// How often the wait doubles: with the default interval, 10 seconds grow to over 5 minutes.
const DOUBLINGS: u32 = 5;
/// The longest `Retry-After` that is followed, in seconds.
const LONGEST_RETRY_AFTER: u64 = 3600;
/// Frozen beacons that are kept at most; with 1,000 counts each more than a page can do by hand.
const MOST: usize = 64;

/// What the shell does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this body with `fetch`, and hand in the answer.
    Send(Vec<u8>),
    /// Come back after so many milliseconds.
    Wait(u64),
    /// Nothing until the next signal or answer.
    Done,
}

/// A frozen beacon.
#[derive(Debug)]
struct Parcel {
    /// What `now` counts from: milliseconds since 1970.
    created: u64,
    frozen: Vec<u8>,
}

/// The beacons that are not acknowledged yet.
#[derive(Debug)]
pub struct Delivery {
    /// Oldest first.
    waiting: Vec<Parcel>,
    /// Whether the first that waits is on its way.
    flying: bool,
    /// Went with `sendBeacon`, which nobody acknowledges: they wait until the page is seen again.
    parted: Vec<Parcel>,
    /// The least time between the first attempts of two beacons, in milliseconds.
    pub interval: u32,
    failures: u32,
    /// The last attempt, or its answer if that was no good.
    last: Pause,
    /// The first signal that is not frozen yet.
    unsent: Pause,
}

/// A stretch of time from a moment on, in milliseconds. It is over if the clock was set back before it began: no clock
/// holds a beacon back for longer than was meant.
#[derive(Clone, Copy, Debug)]
struct Pause {
    since: u64,
    length: u64,
}

impl Pause {
    const NONE: Self = Self { since: 0, length: 0 };

    const fn left(self, now: u64) -> u64 {
        match now.checked_sub(self.since) {
            Some(past) => self.length.saturating_sub(past),
            None => 0,
        }
    }
}

impl Delivery {
    /// Nothing to deliver yet.
    pub const EMPTY: Self = Self {
        waiting: Vec::new(),
        flying: false,
        parted: Vec::new(),
        interval: 0,
        failures: 0,
        last: Pause::NONE,
        unsent: Pause::NONE,
    };

    /// Whether more can be kept.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.waiting.len() + self.parted.len() < MOST
    }

    /// The first signal of a draft came.
    pub fn began(&mut self, now: u64) {
        self.unsent = Pause { since: now, length: self.interval.min(QUIET).into() };
    }

    /// Takes frozen bytes. `created` is the milliseconds that their `now` counts from.
    pub fn push(&mut self, created: u64, frozen: Vec<u8>) {
        self.waiting.push(Parcel { created, frozen });
    }

    /// Whether a frozen beacon waits for its turn.
    #[must_use]
    pub const fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// In how many milliseconds something may go; `None` if there is nothing, or something is on its way.
    /// `drafted` says whether there is anything that is not frozen yet.
    #[must_use]
    pub fn due(&self, now: u64, drafted: bool) -> Option<u64> {
        if self.flying || !(drafted || self.waits()) {
            return None;
        }
        let left = self.last.left(now);
        Some(if self.waits() { left } else { left.max(self.unsent.left(now)) })
    }

    /// The body of the next attempt.
    pub fn send(&mut self, now: u64) -> Option<Vec<u8>> {
        let parcel = self.waiting.first()?;
        self.flying = true;
        self.last = Pause { since: now, length: self.interval.into() };
        Some(parcel.body(now))
    }

    /// The answer to what was sent: its status, 0 if there was none, and its `Retry-After` in seconds or 0.
    /// `random` spreads the retries of many pages.
    pub fn answer(&mut self, now: u64, status: u64, retry_after: u64, random: u64) {
        if !self.flying {
            return;
        }
        self.flying = false;
        if matches!(status, 200..=299 | 400 | 403 | 404 | 410 | 413) {
            // Counted, or refused for good: the same bytes would be refused again.
            self.failures = 0;
            self.waiting.remove(0);
            return;
        }
        // From one to two times the interval, doubled with every failure.
        let base = u64::from(self.interval).max(RETRY) << self.failures;
        self.failures = (self.failures + 1).min(DOUBLINGS);
        let asked = retry_after.min(LONGEST_RETRY_AFTER) * 1000;
        // The 16 random bits are a fraction of the base.
        let jitter = (base * (random & 0xffff)) >> 16;
        self.last = Pause { since: now, length: base.max(asked) + jitter };
    }

    /// The page goes out of sight, perhaps for ever. `part` is `sendBeacon`: it says whether the browser took the bytes.
    pub fn hide(&mut self, now: u64, mut part: impl FnMut(&[u8]) -> bool) {
        // What is on its way outlives the page.
        let first = usize::from(self.flying);
        while let Some(parcel) = self.waiting.get(first) {
            if !part(&parcel.body(now)) {
                return;
            }
            let parcel = self.waiting.remove(first);
            self.parted.push(parcel);
            // A longer `Retry-After` stays.
            self.last = Pause { since: now, length: self.last.left(now).max(self.interval.into()) };
        }
    }

    /// The page is seen again: what has parted goes once more, since nobody said that it arrived.
    pub fn show(&mut self) {
        self.waiting.append(&mut self.parted);
    }
}

impl Parcel {
    fn body(&self, now: u64) -> Vec<u8> {
        let mut body = Vec::new();
        envelope(now.saturating_sub(self.created), &mut body);
        body.extend_from_slice(&self.frozen);
        body
    }
}
