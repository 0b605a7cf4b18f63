//! Date ranges become minutes: by the site's clock and the now that is handed in.
use headwater_core::Minute;

use super::SiteContext;
use crate::{Calendar, Date, DateRange, DateTime, Moment, QueryError, Span};

/// The minutes of a range.
pub(super) fn resolve(range: &DateRange, site: &SiteContext) -> Result<Span, QueryError> {
    let calendar = site.calendar();
    let today = calendar.date(site.now);
    let dates = |from: Date, end: Date| {
        let start = calendar.start_of(from);
        Span { start, end: calendar.start_of(end).max(start) }
    };
    Ok(match range {
        DateRange::Day => dates(today, today.plus_days(1)),
        DateRange::Hours24 => {
            let Span { mut start, end } = calendar.hour(site.now);
            for _ in 0..23 {
                start = calendar.hour(start.offset(-1)).start;
            }
            Span { start, end }
        }
        DateRange::Days(days) => dates(today.plus_days(-i64::from(*days)), today),
        DateRange::Month => dates(today.first_of_month(0), today.first_of_month(1)),
        DateRange::Months(months) => dates(today.first_of_month(-i32::from(*months)), today.first_of_month(0)),
        DateRange::Year => {
            let january = 1 - i32::from(today.month);
            dates(today.first_of_month(january), today.first_of_month(january + 12))
        }
        DateRange::All => {
            let first = site.first_data.map_or(today, |first| calendar.date(first).min(today));
            dates(first, today.plus_days(1))
        }
        DateRange::Between(Moment::Date(from), Moment::Date(to)) => {
            in_order(from <= to, from, to)?;
            dates(*from, to.plus_days(1))
        }
        DateRange::Between(from, to) => {
            let start = bound(from, "date_range[0]", &[0], calendar)?;
            let end = bound(to, "date_range[1]", &[0, 59], calendar)?;
            in_order(start <= end, from, to)?;
            Span { start, end }
        }
    })
}

fn in_order(ordered: bool, from: impl ToString, to: impl ToString) -> Result<(), QueryError> {
    let found = || format!("[{}, {}]", from.to_string(), to.to_string());
    if ordered { Ok(()) } else { Err(QueryError::invalid("date_range", found(), "[from, to] with from before to")) }
}

/// The minute at which a range begins, or before which it ends: the last second of a minute is its end.
fn bound(moment: &Moment, field: &str, seconds: &[u8], calendar: &Calendar) -> Result<Minute, QueryError> {
    let (local, offset) = match *moment {
        Moment::Date(date) => (DateTime { date, hour: 0, minute: 0, second: 0 }, None),
        Moment::At(local, offset) => (local, offset),
    };
    if !seconds.contains(&local.second) {
        return Err(QueryError::NotAvailable {
            field: field.to_owned(),
            needs: format!("{moment} is inside a minute"),
            available: "a range begins at a full minute, and ends at one or with its second 59".to_owned(),
        });
    }
    let whole = DateTime { second: 0, ..local };
    let minute = match offset {
        Some(offset) => Minute(u32::try_from((whole.to_unix() - offset).div_euclid(60).max(0)).unwrap_or(u32::MAX)),
        None => calendar.minute(whole),
    };
    Ok(if local.second == 0 { minute } else { minute.offset(1) })
}

/// A range as two moments of the site's clock, as answers tell it: the end is the last second.
pub(super) fn told(span: Span, calendar: &Calendar) -> DateRange {
    let at =
        |minute: Minute, second: u8| Moment::At(DateTime { second, ..calendar.local(minute) }, Some(calendar.offset(minute)));
    let to = if span.is_empty() { at(span.start, 0) } else { at(span.end.offset(-1), 59) };
    DateRange::Between(at(span.start, 0), to)
}
