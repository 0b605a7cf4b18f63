//! What a page posts that has no Wasm: the signals themselves. The edge runs the same code for them here and gets the
//! bytes that the page would have sent, so everything after this point treats both alike.
use alloc::{boxed::Box, string::String, vec::Vec};

use headwater_core::beacon::MAX_PROPS;
use serde::Deserialize;

use crate::{
    text::{Fields, SEPARATOR, get},
    tracker::{Tracker, seconds},
};

/// The most signals in one report, those that were told before included.
pub const MAX_SIGNALS: usize = 2000;

/// A JSON array of texts: the head, then signals (`docs/wire.md`, Signals).
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Report(Vec<String>);

/// A report as a beacon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beaconed {
    /// Milliseconds from the page load's creation to this attempt, as in a beacon's envelope.
    pub now: u64,
    /// The frozen bytes, for [`headwater_core::Beacon::decode`].
    pub frozen: Vec<u8>,
}

/// Why a report is no beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportError {
    /// There is no head, or no signal that has not been told before.
    Empty,
    /// More than [`MAX_SIGNALS`], more than fits in one beacon, or too many properties.
    TooMany,
}

impl core::fmt::Display for ReportError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Empty => "signals: a head and at least one new signal; docs/wire.md describes the format",
            Self::TooMany => "signals: at most 1000 events, 64 minutes and 2000 texts in a body, 30 properties on an event",
        })
    }
}

impl core::error::Error for ReportError {}

impl Report {
    /// Adds the signals up as the page's own Wasm would have, with visits told as without storage. What was told before
    /// says only how far the page load had come.
    ///
    /// # Errors
    /// As named.
    pub fn beacon(&self) -> Result<Beaconed, ReportError> {
        let (head, signals) = self.0.split_first().ok_or(ReportError::Empty)?;
        if signals.len() > MAX_SIGNALS {
            return Err(ReportError::TooMany);
        }
        let mut head = Fields::new(head.as_bytes());
        head.text();
        let now = head.number();
        // How many signals were posted before: it grows with every report, so it is the sequence number too.
        let told = head.number() as usize;
        let mut tracker = Box::new(Tracker::NEW);
        head.text();
        let created = head.number();
        tracker.begin(created, head);
        tracker.settings.storage = false;
        tracker.settings.device = false;
        for (at, signal) in signals.iter().enumerate() {
            if at == told {
                tracker.forget();
            }
            // At most three fields before and thirteen after the signal's name, and what a beacon may have of properties.
            let separators = signal.bytes().filter(|b| *b == SEPARATOR).count();
            if separators > 16 + 2 * MAX_PROPS {
                return Err(ReportError::TooMany);
            }
            let mut fields = Fields::new(signal.as_bytes());
            let kind = fields.letter();
            let when = fields.number();
            tracker.signal(kind, when, fields, b"");
        }
        if told >= signals.len() {
            return Err(ReportError::Empty);
        }
        let frozen = tracker.report(told as u32, now)?;
        let created = u64::from(seconds(tracker.created)) * 1000;
        Ok(Beaconed { now: now.saturating_sub(created), frozen })
    }
}

impl Tracker {
    /// The frozen bytes of everything since [`Tracker::forget`], under this number.
    fn report(&mut self, seq: u32, now: u64) -> Result<Vec<u8>, ReportError> {
        if self.delivery.waits() {
            return Err(ReportError::TooMany);
        }
        if self.draft.is_empty() {
            return Err(ReportError::Empty);
        }
        self.id.seq = seq;
        let frozen = &mut self.delivery.queue;
        self.draft.freeze(self.id, seconds(self.created), seconds(now), 0, &self.settings, frozen);
        Ok(get(frozen).to_vec())
    }

    /// Forgets what was counted, not how far the page load has come.
    fn forget(&mut self) {
        self.draft.clear();
        self.delivery.clear();
    }
}
