//! Buckets by their totals and rows: what `GET /api/v1/sites/{site}/buckets` tells, and what follows from merging them. The dashboard
//! asks once for a range and then parts, adds up, sorts and zooms by itself, with the same sums and figures as an answer has.
//!
//! Of people there is a count for each bucket and row, never a hash or a profile. So distinct visitors can be added up only where no two
//! buckets share an identity window: over days, where visitors are told apart by the day. Where they can't, there is no figure, and
//! whoever needs it asks the server.
mod list;
mod read;
mod sheet;
mod totals;

use headwater_core::{Estimate, Grain, Minute, Tally};
use read::Reader;
use serde::Serialize;

pub use sheet::Sheet;
#[cfg(feature = "eval")]
pub(crate) use sheet::{Counts, Line, SheetWriter};

use crate::sum::share;
use crate::totals::{Totals, What};
use crate::{Date, Dimension};

/// The first byte of what is written.
const VERSION: u8 = 2;

/// The buckets of one grain in a range.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Buckets {
    /// How long each is.
    pub grain: Grain,
    /// As [`Meta::visitors_unit`], of the whole range.
    pub unit: Option<String>,
    /// Whether they are all that an answer holds: nothing was imported into the range, and one time zone and identity hold all over it. If
    /// not, nothing is told from them.
    pub whole: bool,
    /// Every place in time of the range, in order, also where nothing happened.
    pub rows: Vec<TimeRow>,
    /// The rows of the dimensions that were asked for, of all these buckets.
    pub sheets: Vec<Sheet>,
    /// The dimensions that have too many.
    pub left_out: Vec<Dimension>,
}

/// A place in time, as the rows of an answer by time have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeRow {
    /// What it is called by the site's clock: a date, or a date and time.
    pub label: String,
    /// The first minute of its identity window.
    pub window: Minute,
    /// What is counted in it: mostly one bucket; around a change of the time zone more.
    pub buckets: Vec<Bucketed>,
}

/// A bucket's totals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bucketed {
    /// The first minute of its identity window.
    pub window: Minute,
    /// Page views; events; visits; visits that went on; views that went on; engaged seconds; depth: as in a [`Tally`].
    counts: [u64; 7],
    /// Its distinct visitors.
    pub visitors: Found,
}

/// What is known of the distinct visitors of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Found {
    /// How many the sample holds.
    pub sampled: u64,
    /// The hash below which it holds everyone; `u64::MAX` if it holds all.
    pub theta: u64,
    /// What the HyperLogLog says, where that is surer.
    pub sketched: Option<Estimate>,
}

impl Bucketed {
    /// A bucket's totals.
    #[must_use]
    pub const fn new(window: Minute, tally: &Tally, visitors: Found) -> Self {
        let Tally { views, events, visits, visits_went_on, views_went_on, engaged, depth, .. } = tally;
        let counts = [*views, *events, *visits, *visits_went_on, *views_went_on, *engaged, *depth];
        Self { window, counts, visitors }
    }
}

impl Buckets {
    /// The written form: a version byte, then postcard's.
    #[cfg(feature = "eval")]
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Writing into memory fails for no value of ours: all sequences have known lengths.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Reads the written form; `None` if it is none.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        if *version != VERSION {
            return None;
        }
        let mut reader = Reader(rest);
        let told = reader.buckets()?;
        let buckets = told.rows.iter().map(|row| row.buckets.len()).sum();
        let whole = reader.0.is_empty() && told.sheets.iter().all(|sheet| sheet.is_of(buckets));
        whole.then_some(told)
    }

    /// Those from one day to another, both included; `None` if they don't reach so far, or can't be told from these. Rows of dimensions do not
    /// come along: [`Buckets::list`] finds them where they are.
    #[must_use]
    pub fn between(&self, from: Date, to: Date) -> Option<Self> {
        let rows = self.part(from, to)?;
        let unit = self.unit_of(rows);
        Some(Self { grain: self.grain, unit, whole: self.whole, rows: rows.to_vec(), sheets: Vec::new(), left_out: Vec::new() })
    }

    /// These and those of a later time, if the one begins on the day after the other ends.
    #[must_use]
    pub fn then(&self, later: &Self) -> Option<Self> {
        let (end, start) = (self.rows.last()?.date()?, later.rows.first()?.date()?);
        let fit = end.plus_days(1) == start && self.grain == later.grain && later.grain == Grain::Day;
        fit.then(|| Self {
            grain: self.grain,
            unit: self.unit.clone().or_else(|| later.unit.clone()),
            whole: self.whole && later.whole,
            rows: [&self.rows[..], &later.rows[..]].concat(),
            sheets: Vec::new(),
            left_out: Vec::new(),
        })
    }

    /// Whether others tell the same totals, of all of the range or of a part of it.
    #[must_use]
    pub fn agrees(&self, other: &Self, part: Option<(Date, Date)>) -> bool {
        match part {
            Some((from, to)) => self.part(from, to).is_some_and(|rows| other.part(from, to) == Some(rows)),
            None => self.rows == other.rows,
        }
    }

    /// The unit of visitors in some of the rows: none where all are in one identity window.
    fn unit_of(&self, rows: &[TimeRow]) -> Option<String> {
        let one_window = rows.first().map(|row| row.window) == rows.last().map(|row| row.window);
        self.unit.clone().filter(|_| !one_window)
    }

    /// The places in time from one day to another.
    fn part(&self, from: Date, to: Date) -> Option<&[TimeRow]> {
        let (first, last) = (self.rows.first()?.date()?, self.rows.last()?.date()?);
        if from < first || to > last || from > to {
            return None;
        }
        let start = self.rows.iter().position(|row| row.date() >= Some(from))?;
        let end = self.rows.iter().rposition(|row| row.date() <= Some(to))?;
        self.rows.get(start..=end)
    }
}

impl TimeRow {
    fn date(&self) -> Option<Date> {
        Date::parse(self.label.get(..10)?)
    }
}

impl Bucketed {
    /// Adds them to others.
    fn add_to(&self, totals: &mut Totals) {
        let [views, events, visits, went_on, _, engaged, depth] = self.counts;
        let whats = [What::Views, What::Events, What::Started, What::WentOn, What::Engaged, What::Depth];
        whats.into_iter().zip([views, events, visits, went_on, engaged, depth]).for_each(|(what, count)| totals.add(what, count));
        let Found { sampled, theta, sketched } = self.visitors;
        match sketched {
            Some(sketch) => totals.add_sketched(What::Visitors, sketch),
            None => totals.add_found(What::Visitors, sampled, sampled as f64, share(theta)),
        }
        totals.settle();
        totals.miss(share(theta));
    }

    /// The sums of several.
    fn sum(buckets: &[&Self]) -> Totals {
        let mut totals = Totals::default();
        buckets.iter().for_each(|bucket| bucket.add_to(&mut totals));
        totals
    }
}

/// Whether the distinct visitors of buckets add up: if no two share a window.
fn add_up(buckets: &[&Bucketed]) -> bool {
    buckets.windows(2).all(|two| !matches!(two, [a, b] if a.window == b.window))
}
