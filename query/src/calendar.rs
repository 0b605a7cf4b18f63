//! The site's clock: which UTC minutes make an hour, a day, a week and a month of an IANA zone.
//!
//! Buckets of each grain part the minutes: every minute is in exactly one hour and one day, and a day is the union of
//! its hours. An hour ends where the local hour ends or the zone's offset changes, so a repeated hour is a second
//! bucket, and Lord Howe's half hour of daylight saving makes an hour of thirty minutes. A day runs from the first
//! moment of its date to the first moment of the next; it may have 23, 24, 25 or, at the date line, no hours.
use headwater_core::{Grain, Minute};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _, civil};

use crate::{Date, DateTime};

/// UTC minutes from `start` to `end`, the end not included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first minute.
    pub start: Minute,
    /// The minute after the last.
    pub end: Minute,
}

impl Span {
    /// Whether a minute lies inside.
    #[must_use]
    pub const fn contains(&self, minute: Minute) -> bool {
        self.start.0 <= minute.0 && minute.0 < self.end.0
    }

    /// How many minutes; 0 if the end is not after the start.
    #[must_use]
    pub const fn minutes(&self) -> u32 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Whether there is no minute inside.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.end.0 <= self.start.0
    }
}

/// The zone's name is not in the IANA time zone database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time zone; an IANA name such as \"Europe/Berlin\" or \"UTC\" is one")]
pub struct UnknownZone(pub String);

/// The clock of one zone. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    name: String,
}

/// Minutes after this one, in December 9999, are near the end of what the database can say and count as UTC.
const LAST: Minute = Minute(4_223_300_000);

impl Calendar {
    /// The calendar of an IANA zone, from the database inside the program.
    ///
    /// # Errors
    /// [`UnknownZone`] if there is none of that name.
    pub fn new(zone: &str) -> Result<Self, UnknownZone> {
        let zone = TimeZoneDatabase::bundled().get(zone).map_err(|_| UnknownZone(zone.to_owned()))?;
        let name = zone.iana_name().unwrap_or("UTC").to_owned();
        Ok(Self { zone, name })
    }

    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }

    /// The zone's name in its usual spelling.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bucket of this grain that holds the minute.
    #[must_use]
    pub fn bucket(&self, grain: Grain, minute: Minute) -> Span {
        match grain {
            Grain::Minute => Span { start: minute, end: Minute(minute.0.saturating_add(1)) },
            Grain::Hour => self.hour(minute),
            Grain::Day => self.day(minute),
        }
    }

    /// The hour of the zone's clock that holds the minute.
    #[must_use]
    pub fn hour(&self, minute: Minute) -> Span {
        let offset = self.offset(minute);
        let seconds = i64::from(minute.0) * 60;
        let start = seconds - (seconds + offset).rem_euclid(3600);
        let mut span = Span { start: ceil(start), end: ceil(start + 3600) };
        // At most one change of the clock matters: the last before the minute, the first after it.
        if self.offset(span.start) != offset {
            let changes = timestamp(minute).into_iter().flat_map(|at| self.zone.preceding(at + 1.second()));
            let mut real = changes.filter(|c| i64::from(self.zone.to_offset(c.timestamp() - 1.second()).seconds()) != offset);
            if let Some(change) = real.next() {
                span.start = span.start.max(ceil(change.timestamp().as_second()));
            }
        }
        if self.offset(Minute(span.end.0.saturating_sub(1))) != offset {
            let changes = timestamp(minute).into_iter().flat_map(|at| self.zone.following(at));
            let mut real = changes.filter(|c| i64::from(c.offset().seconds()) != offset);
            if let Some(change) = real.next() {
                span.end = span.end.min(ceil(change.timestamp().as_second()));
            }
        }
        span
    }

    /// The day of the zone's clock that holds the minute.
    #[must_use]
    pub fn day(&self, minute: Minute) -> Span {
        let date = self.local(minute).date;
        let day = self.day_of(date);
        // A clock put back over midnight repeats minutes of a date that is over: they belong to the day that runs.
        if minute >= day.end {
            self.day_of(date.plus_days(1))
        } else if minute < day.start {
            self.day_of(date.plus_days(-1))
        } else {
            day
        }
    }

    /// The minutes of a date; empty for a date that the zone skipped.
    #[must_use]
    pub fn day_of(&self, date: Date) -> Span {
        Span { start: self.start_of(date), end: self.start_of(date.plus_days(1)) }
    }

    /// The first minute of a date.
    #[must_use]
    pub fn start_of(&self, date: Date) -> Minute {
        self.minute(DateTime { date, hour: 0, minute: 0, second: 0 })
    }

    /// The date of the day that holds the minute.
    #[must_use]
    pub fn date(&self, minute: Minute) -> Date {
        let date = self.local(minute).date;
        let day = self.day_of(date);
        if minute >= day.end {
            date.plus_days(1)
        } else if minute < day.start {
            date.plus_days(-1)
        } else {
            date
        }
    }

    /// What the zone's clock shows at a minute.
    #[must_use]
    pub fn local(&self, minute: Minute) -> DateTime {
        DateTime::from_unix(i64::from(minute.0) * 60 + self.offset(minute))
    }

    /// The first minute at which the clock shows this; where it never does, because the clock was put forward, the
    /// minute that it would have been by the clock before.
    #[must_use]
    pub fn minute(&self, local: DateTime) -> Minute {
        let unix = local.to_unix();
        let zoned = civil::date(1970, 1, 1)
            .at(0, 0, 0, 0)
            .checked_add(unix.seconds())
            .ok()
            .and_then(|at| self.zone.to_timestamp(at).ok());
        ceil(zoned.map_or(unix, Timestamp::as_second))
    }

    /// The zone's offset from UTC in seconds, east positive.
    #[must_use]
    pub fn offset(&self, minute: Minute) -> i64 {
        timestamp(minute).map_or(0, |at| i64::from(self.zone.to_offset(at).seconds()))
    }
}

fn timestamp(minute: Minute) -> Option<Timestamp> {
    if minute > LAST {
        return None;
    }
    Timestamp::from_second(i64::from(minute.0) * 60).ok()
}

/// The first whole minute not before this second, held at the ends of what can be written.
fn ceil(seconds: i64) -> Minute {
    Minute(u32::try_from(seconds.saturating_add(59).div_euclid(60).max(0)).unwrap_or(u32::MAX))
}
