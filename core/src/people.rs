//! People: what each visitor did, as one canonical bottom-k sample.
//!
//! A sample keeps the visitors with the k lowest hashes and remembers theta, the hash after the last kept: everyone
//! below theta is there with a complete profile, nobody else is. Hashes are uniform, so theta / 2^64 of all visitors are
//! in the sample (Bar-Yossef et al. 2002; Beyer et al. 2007, "On synopses for distinct-value estimation"). While there
//! are at most k visitors, theta is [`u64::MAX`] and every answer is exact. The union of two samples, cut again at k, is
//! the sample of the union: merging is exactly associative, and so is the written form.
//!
//! The profile of a visitor is a map from visits to a map from event tuples to counts, laid out as four flat tables.
mod assemble;
mod coded;
mod merge;
mod profiles;
mod sketch;

pub(crate) use assemble::{Assembler, Draft};
pub use coded::Coded;
pub use profiles::{FactColumns, Profiles, VisitAt, VisitColumns};

use crate::dict::Dict;
use crate::{Hlls, Numbers, StrId, VisitDimension, VisitorHash};

/// How many visitors a sample keeps, at every grain: below that, everything about them is exact.
pub const SAMPLE_SIZE: usize = 65_536;
/// The value under which everything past a cap is summed.
pub const OTHER: &str = "(other)";

/// Who was counted in a bucket, and what they did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// The strings of contexts, tuples and sketches.
    pub dict: Dict,
    /// The distinct contexts of visits, sorted.
    pub contexts: Vec<[StrId; VisitDimension::COUNT]>,
    /// The distinct event tuples, sorted.
    pub tuples: Vec<Tuple>,
    /// Everyone whose hash is below this is in `visitors`; `u64::MAX` if that is everyone.
    pub theta: u64,
    /// Ascending by hash.
    pub visitors: Vec<Visitor>,
    /// The visits of all visitors, in their order; of one visitor sorted by context and tag.
    pub visits: Vec<Visit>,
    /// The facts of all visits, in their order; of one visit sorted by tuple.
    pub facts: Vec<Fact>,
    /// Sketches of everyone, kept or not; there exactly when theta is not `u64::MAX`.
    pub hlls: Option<Hlls>,
}

/// One visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Who.
    pub hash: VisitorHash,
    /// Where this visitor's visits end in [`People::visits`]; they begin where those of the one before end.
    pub visits_end: u32,
}

/// What one visitor's visit did in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Index into [`People::contexts`].
    pub context: u32,
    /// Tells equal visits apart; 0 without storage.
    pub tag: u16,
    /// How often it started here: 1, or more without storage.
    pub started: u64,
    /// Of those that started here, how many went on.
    pub went_on: u64,
    /// Where its facts end in [`People::facts`].
    pub facts_end: u32,
}

/// A kind of event in a context of its own: everything that filters on events can ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tuple {
    /// The event's name.
    pub name: StrId,
    /// The path of the page.
    pub page: StrId,
    /// The host of the page.
    pub hostname: StrId,
    /// ISO 4217 code of the values; empty where they are no money.
    pub currency: StrId,
    /// The properties, sorted by key.
    pub props: Box<[(StrId, StrId)]>,
}

/// How often an event tuple happened in a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Index into [`People::tuples`].
    pub tuple: u32,
    /// How many events; 0 if only something else about them is known here.
    pub count: u64,
    /// How many of these views went on.
    pub went_on: u64,
    /// Engaged seconds.
    pub engaged: u64,
    /// Increments of depth in per cent.
    pub depth: u64,
    /// The values, if the events had any.
    pub numbers: Option<Box<Numbers>>,
}

impl Default for People {
    fn default() -> Self {
        Self {
            dict: Dict::default(),
            contexts: Vec::new(),
            tuples: Vec::new(),
            theta: u64::MAX,
            visitors: Vec::new(),
            visits: Vec::new(),
            facts: Vec::new(),
            hlls: None,
        }
    }
}

impl Fact {
    pub(crate) fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.went_on = self.went_on.saturating_add(other.went_on);
        self.engaged = self.engaged.saturating_add(other.engaged);
        self.depth = self.depth.saturating_add(other.depth);
        match (&mut self.numbers, &other.numbers) {
            (Some(mine), Some(theirs)) => mine.add(theirs),
            (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
            (_, None) => {}
        }
    }
}

impl People {
    /// Whether everyone is there, so that every answer is exact.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.theta == u64::MAX
    }

    /// The visits of the visitor at `index`.
    #[must_use]
    pub fn visits_of(&self, index: usize) -> &[Visit] {
        let end = self.visitors.get(index).map_or(0, |v| v.visits_end as usize);
        let start = index.checked_sub(1).and_then(|i| self.visitors.get(i)).map_or(0, |v| v.visits_end as usize);
        self.visits.get(start..end).unwrap_or(&[])
    }

    /// Every visitor with the index of their first visit and their visits.
    pub fn iter(&self) -> impl Iterator<Item = (VisitorHash, usize, &[Visit])> {
        let mut start = 0;
        self.visitors.iter().map(move |visitor| {
            let first = core::mem::replace(&mut start, visitor.visits_end as usize);
            (visitor.hash, first, self.visits.get(first..start).unwrap_or(&[]))
        })
    }

    /// The facts of the visit at `index` in [`People::visits`].
    #[must_use]
    pub fn facts_of(&self, index: usize) -> &[Fact] {
        let end = self.visits.get(index).map_or(0, |v| v.facts_end as usize);
        let start = index.checked_sub(1).and_then(|i| self.visits.get(i)).map_or(0, |v| v.facts_end as usize);
        self.facts.get(start..end).unwrap_or(&[])
    }

    /// Whether the visit at `index` has an event: one that only went on, or only engaged, counts as no visitor yet.
    #[must_use]
    pub fn visit_counts(&self, index: usize) -> bool {
        self.facts_of(index).iter().any(|fact| fact.count > 0)
    }
}
