//! Date ranges become minutes: by the site's clock and the now that is handed in.
use headwater_core::Minute;

use super::SiteContext;
use crate::{Calendar, Compare, CompareMode, Date, DateRange, DateTime, Moment, QueryError, Span};

/// The minutes of a range.
pub(super) fn resolve(range: &DateRange, field: &str, site: &SiteContext) -> Result<Span, QueryError> {
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
            let first = super::imports::first(site).map_or(today, |first| calendar.date(first).min(today));
            dates(first, today.plus_days(1))
        }
        DateRange::Between(Moment::Date(from), Moment::Date(to)) => {
            in_order(from <= to, field, from, to)?;
            dates(*from, to.plus_days(1))
        }
        DateRange::Between(from, to) => {
            let start = bound(from, &format!("{field}[0]"), &[0], calendar)?;
            let end = bound(to, &format!("{field}[1]"), &[0, 59], calendar)?;
            in_order(start <= end, field, from, to)?;
            Span { start, end }
        }
    })
}

/// The minutes that a range is compared with.
pub(super) fn compared(compare: &Compare, range: &DateRange, span: Span, site: &SiteContext) -> Result<Span, QueryError> {
    let calendar = site.calendar();
    let by_the_clock = matches!(range, DateRange::Hours24 | DateRange::Between(Moment::At(..), _));
    // Days that are still to come are compared with nothing.
    let tomorrow = calendar.day(site.now).end;
    let end = if !by_the_clock && span.start < tomorrow { span.end.min(tomorrow) } else { span.end };
    let first = calendar.date(span.start);
    let days = match compare.mode {
        CompareMode::Custom(range) => return resolve(&range, "include.comparisons.date_range", site),
        CompareMode::YearOverYear => first.to_days() - first.a_year_before().to_days(),
        CompareMode::PreviousPeriod if by_the_clock => match (range, end.0.saturating_sub(span.start.0)) {
            (DateRange::Hours24, _) => 1,
            (_, minutes) if minutes % (24 * 60) != 0 => {
                // Parts of a day: as much time right before.
                return Ok(Span { start: Minute(span.start.0.saturating_sub(minutes)), end: span.start });
            }
            (_, minutes) => i64::from(minutes / (24 * 60)),
        },
        CompareMode::PreviousPeriod => calendar.date(end.offset(-1)).to_days() - first.to_days() + 1,
    };
    let days = if compare.match_day_of_week { same_weekday(days) } else { days };
    // By the site's clock, so that a day stays a day where the clock was changed in between.
    let moved = |minute: Minute| {
        let local = calendar.local(minute);
        calendar.minute(DateTime { date: local.date.plus_days(-days), ..local })
    };
    let start = moved(span.start);
    let end = if by_the_clock { moved(end) } else { calendar.start_of(calendar.date(end.offset(-1)).plus_days(1 - days)) };
    Ok(Span { start, end: end.max(start) })
}

/// So many days before, or a few less, is the same day of the week; as Plausible does, later rather than earlier, unless
/// that is the same day.
const fn same_weekday(days: i64) -> i64 {
    match days - days.rem_euclid(7) {
        0 => 7,
        weeks => weeks,
    }
}

fn in_order(ordered: bool, field: &str, from: impl ToString, to: impl ToString) -> Result<(), QueryError> {
    let found = || format!("[{}, {}]", from.to_string(), to.to_string());
    if ordered { Ok(()) } else { Err(QueryError::invalid(field, found(), "[from, to] with from before to")) }
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
