//! Times as people and JSON read them.
use headwater_core::Minute;
use headwater_query::DateTime;

/// A UTC minute in ISO 8601: `2026-11-22T10:05:00Z`.
#[must_use]
pub(crate) fn iso_minute(minute: Minute) -> String {
    let at = DateTime::from_unix(i64::from(minute.0) * 60);
    let date = at.date;
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:00Z", date.year, date.month, date.day, at.hour, at.minute)
}
