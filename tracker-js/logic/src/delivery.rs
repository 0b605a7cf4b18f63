//! When which bytes go, and what an answer means. Bytes are frozen before their first attempt and stay the same; at most
//! one beacon is on its way.
use headwater_core::beacon::{MAX_BYTES, VERSION};

use crate::text::{Buf, put};

/// How long signals are collected before the first of them goes, in milliseconds.
pub const QUIET: u64 = 250;
/// The least time before a failed attempt is repeated, in milliseconds.
const RETRY: u64 = 1000;
/// How often the wait doubles: with the default interval, 10 seconds grow to over 5 minutes.
const DOUBLINGS: u32 = 5;
/// The longest `Retry-After` that is followed, in seconds.
const LONGEST_RETRY_AFTER: u64 = 3600;
/// More than the longest wait in milliseconds: an hour of `Retry-After` and the jitter of the longest backoff, 32 minutes.
const LONGEST_WAIT: u64 = 2 * 3600 * 1000;
/// Bytes of frozen beacons that are kept at most: at some 400 bytes an hour, those of days without an answer.
pub const MOST_BYTES: usize = 2 * MAX_BYTES;
/// Bytes before each body in the queue: how long it is.
const HEAD: usize = 4;

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

/// What is known of the request that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flight {
    /// There is none.
    None,
    /// It has the first body of the queue.
    First,
    /// Its body was handed over when the page went out of sight: its answer says nothing.
    Other,
}

/// The bodies that are not acknowledged yet, in order.
#[repr(C)]
#[derive(Debug)]
pub struct Delivery {
    /// Where the first one begins.
    first: usize,
    flight: Flight,
    /// The least time between the first attempts of two beacons, in milliseconds.
    pub interval: u64,
    failures: u32,
    /// When the next attempt may be made.
    next_at: u64,
    /// When what is not frozen yet may go.
    draft_at: u64,
    /// Each after its head. Their room is free again when all of them are acknowledged.
    pub queue: Buf<[u8; MOST_BYTES]>,
}

/// Milliseconds until a moment. None if that would be longer than anything is meant to wait: the moment is over, or the
/// clock was set back.
const fn left(until: u64, now: u64) -> u64 {
    let left = until.wrapping_sub(now);
    if left > LONGEST_WAIT { 0 } else { left }
}

impl Delivery {
    /// Nothing to deliver yet.
    pub const NONE: Self =
        Self { queue: Buf::EMPTY, first: 0, flight: Flight::None, interval: 0, failures: 0, next_at: 0, draft_at: 0 };

    /// Whether one more beacon of any size can be kept.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.queue.len <= MOST_BYTES - MAX_BYTES
    }

    /// The first signal of a draft came.
    pub fn began(&mut self, now: u64) {
        self.draft_at = now.wrapping_add(self.interval.min(QUIET));
    }

    /// Begins a body: its frozen bytes are to be appended. Gives what [`Delivery::end`] wants to know.
    pub fn begin(&mut self) -> usize {
        let start = self.queue.len;
        put(&mut self.queue, &[0, 0, 0, 0, VERSION, 0, 0, 0, 0]);
        start
    }

    /// Takes the body that was begun.
    pub fn end(&mut self, start: usize) {
        let end = self.queue.len;
        self.queue.len = start;
        put(&mut self.queue, &((end - start - HEAD) as u32).to_le_bytes());
        self.queue.len = end;
    }

    /// The first body, and where it ends.
    fn body(&self) -> (&[u8], usize) {
        let start = self.first + HEAD;
        let head = self.queue.bytes.get(self.first..).and_then(|bytes| bytes.first_chunk());
        let end = start + head.map_or(0, |head| u32::from_le_bytes(*head)) as usize;
        (self.queue.bytes.get(start..end).unwrap_or_default(), end)
    }

    /// Whether there is a body to be sent.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.first < self.queue.len
    }

    /// In how many milliseconds something may go; `None` if there is nothing, or something is on its way.
    /// `drafted` says whether there is anything that is not frozen yet.
    #[must_use]
    pub fn due(&self, now: u64, drafted: bool) -> Option<u64> {
        let pause = left(self.next_at, now);
        if self.flight != Flight::None {
            None
        } else if self.waits() {
            Some(pause)
        } else {
            drafted.then(|| pause.max(left(self.draft_at, now)))
        }
    }

    /// Gives the body of the next attempt. The shell writes the time into it.
    pub fn send(&mut self, now: u64) -> &[u8] {
        self.flight = Flight::First;
        self.next_at = now + self.interval;
        self.body().0
    }

    /// The answer to what was sent: its status, 0 if there was none, and its `Retry-After` in seconds or 0.
    /// `random` spreads the retries of many pages.
    pub fn answer(&mut self, now: u64, status: u64, retry_after: u64, random: u64) {
        let flight = self.flight;
        self.flight = Flight::None;
        if flight != Flight::First {
            return;
        }
        // Final is all but 429, 5xx and no answer.
        if status.wrapping_sub(200) < 300 && status != 429 {
            // Counted, or refused for good: the same bytes would be refused again.
            self.failures = 0;
            self.first = self.body().1;
            if !self.waits() {
                self.clear();
            }
            return;
        }
        // From one to two times the interval, doubled with every failure.
        let base = self.interval.max(RETRY) << self.failures;
        self.failures = (self.failures + 1).min(DOUBLINGS);
        let asked = retry_after.min(LONGEST_RETRY_AFTER) * 1000;
        self.next_at = now + base.max(asked) + random % base;
    }

    /// The page goes out of sight, perhaps for ever: every body is handed over, the one that is on its way too, since
    /// nobody may be there for its answer.
    pub fn hide(&mut self, mut part: impl FnMut(&[u8])) {
        if self.flight == Flight::First {
            self.flight = Flight::Other;
        }
        while self.waits() {
            let (body, end) = self.body();
            part(body);
            self.first = end;
        }
        self.clear();
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.queue.len = 0;
        self.first = 0;
    }
}
