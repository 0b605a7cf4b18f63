//! Date ranges as they are asked for. They become minutes only with a calendar and a now.
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filter::shown;
use crate::{Date, DateTime, QueryError};

/// `date_range` of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateRange {
    /// `day`: today.
    Day,
    /// `24h`: the current hour and the 23 before it.
    Hours24,
    /// `7d`, `28d`, `30d`, `91d` and any other number: the days before today.
    Days(u16),
    /// `month`: the current one.
    Month,
    /// `6mo`, `12mo` and any other number: the months before the current one.
    Months(u16),
    /// `year`: the current one.
    Year,
    /// `all`: from the first data to today.
    All,
    /// `[from, to]`: two dates, both included, or two date-times.
    Between(Moment, Moment),
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A date of the site's calendar.
    Date(Date),
    /// A date-time with an offset from UTC in seconds; without one, by the site's clock.
    At(DateTime, Option<i64>),
}

/// The longest range in days and in months, as Plausible's.
const MAX_DAYS: u16 = 5000;
const MAX_MONTHS: u16 = 100;

const ALLOWED: &str = "one of \"day\", \"24h\", \"7d\", \"28d\", \"30d\", \"91d\", \"month\", \"6mo\", \"12mo\", \
    \"year\", \"all\", or [from, to] with two dates (\"2026-11-22\") or two date-times (\"2026-11-22T10:00:00+01:00\")";

impl DateRange {
    /// The range of a name, as on the command line.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let number = |suffix: &str, most: u16| {
            let digits = name.strip_suffix(suffix)?;
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse().ok().filter(|&n: &u16| plain && n > 0 && n <= most)
        };
        Some(match name {
            "day" => Self::Day,
            "24h" => Self::Hours24,
            "month" => Self::Month,
            "year" => Self::Year,
            "all" => Self::All,
            _ => match number("d", MAX_DAYS) {
                Some(days) => Self::Days(days),
                None => Self::Months(number("mo", MAX_MONTHS)?),
            },
        })
    }

    /// The name that [`DateRange::from_name`] reads; nothing for one that is told by its ends.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Day => "day".to_owned(),
            Self::Hours24 => "24h".to_owned(),
            Self::Days(days) => format!("{days}d"),
            Self::Month => "month".to_owned(),
            Self::Months(months) => format!("{months}mo"),
            Self::Year => "year".to_owned(),
            Self::All => "all".to_owned(),
            Self::Between(..) => String::new(),
        }
    }

    pub(crate) fn from_value(value: &Value) -> Result<Self, QueryError> {
        Self::from_value_at(value, "date_range")
    }

    /// Reads the value of a field of that name.
    pub(crate) fn from_value_at(value: &Value, field: &str) -> Result<Self, QueryError> {
        let invalid = || QueryError::invalid(field, shown(value), ALLOWED);
        match value {
            Value::String(name) => Self::from_name(name).ok_or_else(invalid),
            Value::Array(ends) => {
                let [Value::String(from), Value::String(to)] = ends.as_slice() else { return Err(invalid()) };
                let from = Moment::parse(from).ok_or_else(|| at(format!("{field}[0]"), &ends[0]))?;
                let to = Moment::parse(to).ok_or_else(|| at(format!("{field}[1]"), &ends[1]))?;
                match (from, to) {
                    (Moment::Date(_), Moment::Date(_)) | (Moment::At(..), Moment::At(..)) => Ok(Self::Between(from, to)),
                    _ => Err(QueryError::invalid(field, shown(value), "both ends are dates or both date-times")),
                }
            }
            _ => Err(invalid()),
        }
    }
}

fn at(field: String, found: &Value) -> QueryError {
    QueryError::invalid(field, shown(found), "a date is written \"2026-11-22\", a date-time \"2026-11-22T10:00:00+01:00\"")
}

impl Moment {
    /// Reads a date or a date-time (ISO 8601).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match Date::parse(text) {
            Some(date) => Some(Self::Date(date)),
            None => DateTime::parse(text).map(|(local, offset)| Self::At(local, offset)),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::At(local, offset) => {
                write!(f, "{}T{:02}:{:02}:{:02}", local.date, local.hour, local.minute, local.second)?;
                let Some(offset) = *offset else { return Ok(()) };
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs() / 60;
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

impl Serialize for DateRange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Between(from, to) => [from.to_string(), to.to_string()].serialize(serializer),
            named => serializer.serialize_str(&named.name()),
        }
    }
}

impl<'de> Deserialize<'de> for DateRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
