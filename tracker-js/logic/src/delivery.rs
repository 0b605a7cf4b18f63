//! When which bytes go, and what an answer means. Bytes are frozen before their first attempt and stay the same; at most
//! one beacon is on its way.
use headwater_core::beacon::{MAX_BYTES, VERSION};

use crate::text::{Buf, get, put, put_varint, set};

/// How long signals are collected before the first of them goes, in milliseconds.
pub const QUIET: u32 = 250;
/// The least time before a failed attempt is repeated, in milliseconds.
const RETRY: u64 = 1000;
/// How often the wait doubles: with the default interval, 10 seconds grow to over 5 minutes.
const DOUBLINGS: u32 = 5;
/// The longest `Retry-After` that is followed, in seconds.
const LONGEST_RETRY_AFTER: u64 = 3600;
/// More than the longest wait in milliseconds: an hour of `Retry-After` and the jitter of the longest backoff, 32 minutes.
const LONGEST_WAIT: u64 = 2 * 3600 * 1000;
/// Frozen beacons that are kept at most: those of two days without an answer.
pub const MOST: usize = 48;
/// Bytes of them that are kept at most.
pub const MOST_BYTES: usize = 2 * MAX_BYTES;

/// What the shell does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Send this body with `fetch`, and hand in the answer.
    Send(&'a [u8]),
    /// Come back after so many milliseconds.
    Wait(u64),
    /// Nothing until the next signal or answer.
    Done,
}

/// Where a frozen beacon stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is to be sent, or on its way.
    Waits,
    /// It went with `sendBeacon`, which nobody acknowledges, and waits until the page is seen again.
    Parted,
    /// It is answered for good.
    Done,
}

/// A frozen beacon.
#[derive(Clone, Copy, Debug)]
pub struct Parcel {
    /// What `now` counts from: seconds since 1970.
    created: u32,
    /// Where its bytes are in [`Delivery::frozen`].
    start: usize,
    end: usize,
    state: State,
}

/// The beacons that are not acknowledged yet. Their room is free again when all of them are.
#[derive(Debug)]
pub struct Delivery<'a> {
    parcels: &'a mut [Parcel],
    count: usize,
    /// Their bytes, one after the other.
    pub frozen: Buf<'a>,
    /// Which of them is on its way, counted from 1.
    flying: usize,
    /// The least time between the first attempts of two beacons, in milliseconds.
    pub interval: u32,
    failures: u32,
    /// When the next attempt may be made.
    next_at: u64,
    /// When what is not frozen yet may go.
    draft_at: u64,
}

impl Parcel {
    pub(crate) const NONE: Self = Self { created: 0, start: 0, end: 0, state: State::Waits };
}

/// Milliseconds until a moment. None if that would be longer than anything is meant to wait: the moment is over, or the
/// clock was set back.
const fn left(until: u64, now: u64) -> u64 {
    let left = until.wrapping_sub(now);
    if left > LONGEST_WAIT { 0 } else { left }
}

impl<'a> Delivery<'a> {
    /// Nothing to deliver yet.
    #[must_use]
    pub const fn new(parcels: &'a mut [Parcel], frozen: &'a mut [u8]) -> Self {
        Self { parcels, count: 0, frozen: Buf::new(frozen), flying: 0, interval: 0, failures: 0, next_at: 0, draft_at: 0 }
    }

    /// Whether one more beacon of any size can be kept.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.count < MOST && self.frozen.len <= MOST_BYTES - MAX_BYTES
    }

    /// The first signal of a draft came.
    pub fn began(&mut self, now: u64) {
        self.draft_at = now.wrapping_add(u64::from(self.interval.min(QUIET)));
    }

    /// Takes the beacon whose bytes were appended to `frozen` from `start` on. `created` is the second that its `now`
    /// counts from.
    pub fn push(&mut self, created: u32, start: usize) {
        if let Some(parcel) = self.parcels.get_mut(self.count) {
            *parcel = Parcel { created, start, end: self.frozen.len, state: State::Waits };
            self.count += 1;
        }
    }

    /// The parcel that goes next, counted from 1, or 0.
    #[must_use]
    pub fn next(&self) -> usize {
        self.parcels.iter().take(self.count).position(|parcel| parcel.state == State::Waits).map_or(0, |at| at + 1)
    }

    /// In how many milliseconds something may go; `None` if there is nothing, or something is on its way.
    /// `drafted` says whether there is anything that is not frozen yet.
    #[must_use]
    pub fn due(&self, now: u64, drafted: bool) -> Option<u64> {
        let pause = left(self.next_at, now);
        match self.next() {
            _ if self.flying > 0 => None,
            0 => drafted.then(|| pause.max(left(self.draft_at, now))),
            _ => Some(pause),
        }
    }

    /// Writes the body of the next attempt.
    pub fn send(&mut self, now: u64, body: &mut Buf<'_>) {
        self.flying = self.next();
        self.next_at = now + u64::from(self.interval);
        if let Some(parcel) = self.parcels.get(self.flying.wrapping_sub(1)) {
            parcel.write(&self.frozen, now, body);
        }
    }

    /// The answer to what was sent: its status, 0 if there was none, and its `Retry-After` in seconds or 0.
    /// `random` spreads the retries of many pages.
    pub fn answer(&mut self, now: u64, status: u64, retry_after: u64, random: u64) {
        let flying = self.flying;
        self.flying = 0;
        if matches!(status, 200..=299 | 400 | 403 | 404 | 410 | 413) {
            // Counted, or refused for good: the same bytes would be refused again.
            self.failures = 0;
            if let Some(parcel) = self.parcels.get_mut(flying.wrapping_sub(1)) {
                parcel.state = State::Done;
            }
            if self.parcels.iter().take(self.count).all(|parcel| parcel.state == State::Done) {
                self.clear();
            }
            return;
        }
        // From one to two times the interval, doubled with every failure.
        let base = u64::from(self.interval).max(RETRY) << self.failures;
        self.failures = (self.failures + 1).min(DOUBLINGS);
        let asked = retry_after.min(LONGEST_RETRY_AFTER) * 1000;
        // The 16 random bits are a fraction of the base.
        let jitter = (base * (random & 0xffff)) >> 16;
        self.next_at = now + base.max(asked) + jitter;
    }

    /// The page goes out of sight, perhaps for ever. `part` is `sendBeacon`: it says whether the browser took the bytes.
    pub fn hide(&mut self, now: u64, body: &mut Buf<'_>, mut part: impl FnMut(&[u8]) -> bool) {
        for (at, parcel) in self.parcels.iter_mut().take(self.count).enumerate() {
            // What is on its way outlives the page.
            if parcel.state == State::Waits && at + 1 != self.flying {
                parcel.write(&self.frozen, now, body);
                if part(get(body)) {
                    parcel.state = State::Parted;
                }
            }
        }
    }

    /// The page is seen again: what has parted goes once more, since nobody said that it arrived.
    pub fn show(&mut self) {
        for parcel in self.parcels.iter_mut() {
            if parcel.state == State::Parted {
                parcel.state = State::Waits;
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.frozen.len = 0;
    }
}

impl Parcel {
    /// Writes the body: version, the milliseconds since its creation, the frozen bytes.
    fn write(&self, frozen: &Buf<'_>, now: u64, body: &mut Buf<'_>) {
        set(body, &[VERSION]);
        put_varint(body, now.saturating_sub(u64::from(self.created) * 1000));
        put(body, frozen.bytes.get(self.start..self.end).unwrap_or_default());
    }
}
