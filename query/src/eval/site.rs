//! What must be known of a site to answer for it.
use headwater_core::{Grain, Minute};

use crate::{Calendar, Goal};

/// How visitors are told apart, and so how long the same visitor has the same hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Within one day of the site's clock.
    Day,
    /// Within one month of the site's clock.
    Month,
    /// For the site's life.
    Device,
}

/// From which minute on something is kept; `Minute(0)` is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Buckets of a grain.
    pub buckets: Minute,
    /// Their people, who answer filters and distinct visitors.
    pub people: Minute,
}

/// What is kept of each grain. The default is everything for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Minutes.
    pub minute: Kept,
    /// Hours.
    pub hour: Kept,
    /// Days.
    pub day: Kept,
}

impl Retention {
    /// Retention in days at `now`, for buckets and their people; `None` is for ever.
    #[must_use]
    pub fn of_days(now: Minute, days: impl Fn(Grain) -> (Option<u32>, Option<u32>)) -> Self {
        let from = |days: Option<u32>| Minute(days.map_or(0, |d| now.0.saturating_sub(d.saturating_mul(24 * 60))));
        let kept = |grain| {
            let (buckets, people) = days(grain);
            Kept { buckets: from(buckets), people: from(people).max(from(buckets)) }
        };
        Self { minute: kept(Grain::Minute), hour: kept(Grain::Hour), day: kept(Grain::Day) }
    }

    pub(super) const fn of(&self, grain: Grain) -> Kept {
        match grain {
            Grain::Minute => self.minute,
            Grain::Hour => self.hour,
            Grain::Day => self.day,
        }
    }
}

#[derive(Clone, Debug)]
struct Era {
    from: Minute,
    calendar: Calendar,
    identity: Identity,
}

/// A site and a now.
#[derive(Clone, Debug)]
pub struct SiteContext {
    first: Era,
    later: Vec<Era>,
    /// The current minute.
    pub now: Minute,
    /// What is kept.
    pub retention: Retention,
    /// The first minute of which anything is kept; `None` if nothing is.
    pub first_data: Option<Minute>,
    /// The first and the last day of what was imported, if anything was.
    pub imported: Option<(crate::Date, crate::Date)>,
    /// Its goals.
    pub goals: Vec<Goal>,
}

impl SiteContext {
    /// A site that always had this clock and identity, keeps everything and knows no first data.
    #[must_use]
    pub const fn new(calendar: Calendar, identity: Identity, now: Minute) -> Self {
        let keep = Kept { buckets: Minute(0), people: Minute(0) };
        Self {
            first: Era { from: Minute(0), calendar, identity },
            later: Vec::new(),
            now,
            retention: Retention { minute: keep, hour: keep, day: keep },
            first_data: None,
            imported: None,
            goals: Vec::new(),
        }
    }

    /// The same site with another clock and identity from a minute on; later minutes last.
    #[must_use]
    pub fn then(mut self, from: Minute, calendar: Calendar, identity: Identity) -> Self {
        self.later.push(Era { from, calendar, identity });
        self
    }

    fn era(&self, minute: Minute) -> &Era {
        self.later.iter().rev().find(|era| era.from <= minute).unwrap_or(&self.first)
    }

    /// The clock that holds now: ranges and labels follow it.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.era(self.now).calendar
    }

    /// When the clock or the identity changed inside a span.
    pub(super) fn changes(&self, span: crate::Span) -> impl Iterator<Item = Minute> {
        self.later.iter().map(|era| era.from).filter(move |from| span.start < *from && *from < span.end)
    }

    /// The first minute of the identity window that holds a minute.
    pub(super) fn window(&self, minute: Minute) -> Minute {
        let Era { from, calendar, identity } = self.era(minute);
        let start = match identity {
            Identity::Day => calendar.day(minute).start,
            Identity::Month => calendar.start_of(calendar.date(minute).first_of_month(0)),
            Identity::Device => Minute(0),
        };
        start.max(*from)
    }

    /// Whether visitors are told apart by the day all over a span.
    pub(super) fn counts_by_day(&self, span: crate::Span) -> bool {
        let by_day = |era: &Era| era.identity == Identity::Day;
        by_day(self.era(span.start)) && self.changes(span).all(|at| by_day(self.era(at)))
    }

    /// The word for the unit in which visitors are counted over a span, if it holds more than one identity window.
    pub(super) fn unit(&self, span: crate::Span) -> Option<&'static str> {
        let last = Minute(span.end.0.saturating_sub(1));
        if span.is_empty() || self.window(span.start) == self.window(last) {
            return None;
        }
        let eras = std::iter::once(span.start).chain(self.changes(span)).map(|at| self.era(at).identity);
        let rank = |identity: &Identity| *identity as u8;
        Some(match eras.min_by_key(rank).unwrap_or(Identity::Device) {
            Identity::Day => "day",
            Identity::Month => "month",
            Identity::Device => "device",
        })
    }
}
