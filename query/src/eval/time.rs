//! Time as a dimension: into which row a bucket falls, and what the row is called.
use headwater_core::{Grain, Minute};

use crate::{Calendar, DateRange, DateTime, Moment, Span, TimeDimension};

/// How the rows of an answer part time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeUnit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl TimeUnit {
    pub(super) fn of(dimension: TimeDimension, range: &DateRange, span: Span) -> Self {
        match dimension {
            TimeDimension::Minute => Self::Minute,
            TimeDimension::Hour => Self::Hour,
            TimeDimension::Day => Self::Day,
            TimeDimension::Week => Self::Week,
            TimeDimension::Month => Self::Month,
            TimeDimension::Auto => match range {
                DateRange::Day | DateRange::Hours24 => Self::Hour,
                DateRange::Days(_) | DateRange::Month => Self::Day,
                DateRange::Months(_) | DateRange::Year => Self::Month,
                // Up to two hours by the minute where date-times were asked for; about a month by the day.
                DateRange::Between(Moment::At(..), _) if span.minutes() <= 120 => Self::Minute,
                _ => match span.minutes() / 60 {
                    0..=25 => Self::Hour,
                    26..=745 => Self::Day,
                    _ => Self::Month,
                },
            },
        }
    }

    /// The coarsest buckets that can be added up to rows.
    pub(super) const fn grain(self) -> Grain {
        match self {
            Self::Minute => Grain::Minute,
            Self::Hour => Grain::Hour,
            Self::Day | Self::Week | Self::Month => Grain::Day,
        }
    }

    /// Whether each bucket of a grain is a row.
    pub(super) fn is_bucket(self, grain: Grain) -> bool {
        matches!((self, grain), (Self::Minute, Grain::Minute) | (Self::Hour, Grain::Hour) | (Self::Day, Grain::Day))
    }

    /// The first minute of the row that holds a minute. Rows do not reach over the range, but a month keeps its name.
    pub(super) fn row(self, minute: Minute, calendar: &Calendar, span: Span) -> Minute {
        match self {
            Self::Minute => minute,
            Self::Hour => calendar.hour(minute).start,
            Self::Day => calendar.day(minute).start,
            Self::Week => calendar.start_of(calendar.date(minute).monday()).max(span.start),
            Self::Month => calendar.start_of(calendar.date(minute).first_of_month(0)),
        }
    }

    /// The name of the row that begins at `start`: a date, or a date and time of the site's clock.
    pub(super) fn label(self, start: Minute, calendar: &Calendar) -> String {
        match self {
            Self::Minute | Self::Hour => DateTime { second: 0, ..calendar.local(start) }.to_string(),
            _ => calendar.date(start).to_string(),
        }
    }

    /// The first minutes of the rows of a range, in order; `None` if there are more than `most`.
    pub(super) fn starts(self, calendar: &Calendar, span: Span, most: usize) -> Option<Vec<Minute>> {
        let mut starts = Vec::new();
        let mut minute = span.start;
        while minute < span.end {
            if starts.len() == most {
                return None;
            }
            starts.push(self.row(minute, calendar, span));
            let next = match self {
                Self::Minute => minute.offset(1),
                Self::Hour => calendar.hour(minute).end,
                Self::Day => calendar.day(minute).end,
                Self::Week => calendar.start_of(calendar.date(minute).monday().plus_days(7)),
                Self::Month => calendar.start_of(calendar.date(minute).first_of_month(1)),
            };
            if next <= minute {
                break; // the end of all calendars
            }
            minute = next;
        }
        Some(starts)
    }
}
