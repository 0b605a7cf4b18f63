//! The names of points in time, from the labels of a time dimension (`2026-11-22`, `2026-11-22 10:00:00`) as the site's own clock shows them.
use headwater_query::{Date, DateTime};

use crate::locale::{self, Form};

/// How far apart the points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// One minute.
    Minute,
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// One week, from Monday.
    Week,
    /// One month.
    Month,
}

impl Spacing {
    /// What the labels themselves tell: their form, and for dates the smallest distance between two.
    #[must_use]
    pub fn of(labels: &[String]) -> Self {
        let Some(first) = labels.first() else { return Self::Day };
        if first.len() > 10 {
            let minutes = |pair: &[String]| match pair {
                [a, b] => Some((seconds(b)? - seconds(a)?) / 60),
                _ => None,
            };
            // A repeated hour (the clock set back) is 0 apart by its labels.
            return match labels.windows(2).filter_map(minutes).filter(|apart| *apart > 0).min() {
                Some(apart) if apart < 15 => Self::Minute,
                _ => Self::Hour,
            };
        }
        let days = |pair: &[String]| match pair {
            [a, b] => Some(Date::parse(b)?.to_days() - Date::parse(a)?.to_days()),
            _ => None,
        };
        // The first week or month may be cut by the range, so the largest distance is the one to go by.
        match labels.windows(2).filter_map(days).max() {
            Some(8..) => Self::Month,
            Some(2..) => Self::Week,
            _ => Self::Day,
        }
    }

    /// "by hour", for the chart's heading.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Minute => "by minute",
            Self::Hour => "by hour",
            Self::Day => "by day",
            Self::Week => "by week",
            Self::Month => "by month",
        }
    }
}

fn seconds(label: &str) -> Option<i64> {
    DateTime::parse(label).map(|(time, _)| time.to_unix())
}

/// Which of the points of an axis holds a day: the last that begins at or before it, or the first of the day itself.
#[must_use]
pub fn place(labels: &[String], date: &str) -> Option<usize> {
    let day = |label: &String| label.get(..10).is_some_and(|day| day == date);
    let first = labels.first()?.get(..10)?;
    labels.iter().position(day).or_else(|| match Spacing::of(labels) {
        Spacing::Week | Spacing::Month if first <= date => {
            let n = labels.iter().rposition(|label| label.get(..10).is_some_and(|day| day <= date))?;
            let (begins, at) = (Date::parse(labels.get(n)?)?, Date::parse(date)?);
            let long = if Spacing::of(labels) == Spacing::Week { 7 } else { 31 };
            (at.to_days() - begins.to_days() < long).then_some(n)
        }
        _ => None,
    })
}

/// The words under the axis: `10:00`, `22 Nov`, `Nov 2026`.
#[must_use]
pub fn axis(label: &str, spacing: Spacing) -> String {
    if let Some((time, _)) = DateTime::parse(label) {
        return locale::time(time.hour, time.minute);
    }
    match (Date::parse(label), spacing) {
        (Some(date), Spacing::Month) => locale::date(date, Form::ShortMonth),
        (Some(date), _) => locale::date(date, Form::ShortDay),
        (None, _) => label.to_owned(),
    }
}

/// The words beside a figure: `Sun 22 Nov, 10:00–11:00`, `Sunday 22 November`, `Week of 23 November`, `November 2026`.
#[must_use]
pub fn full(label: &str, spacing: Spacing) -> String {
    if let Some((time, _)) = DateTime::parse(label) {
        let day = locale::date(time.date, Form::ShortWeekday);
        let from = locale::time(time.hour, time.minute);
        return match spacing {
            Spacing::Hour => format!("{day}, {from}–{}", locale::time((time.hour + 1) % 24, time.minute)),
            _ => format!("{day}, {from}"),
        };
    }
    match (Date::parse(label), spacing) {
        (Some(date), Spacing::Month) => locale::date(date, Form::LongMonth),
        (Some(date), Spacing::Week) => format!("Week of {}", locale::date(date, Form::LongDay)),
        (Some(date), _) => locale::date(date, Form::LongWeekday),
        (None, _) => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_place_on_every_axis() {
        let days = owned(&["2026-11-20", "2026-11-21", "2026-11-22"]);
        assert_eq!((place(&days, "2026-11-21"), place(&days, "2026-11-23"), place(&days, "2026-11-19")), (Some(1), None, None));
        let hours = owned(&["2026-11-21 22:00:00", "2026-11-21 23:00:00", "2026-11-22 00:00:00"]);
        assert_eq!((place(&hours, "2026-11-22"), place(&hours, "2026-11-20")), (Some(2), None));
        let weeks = owned(&["2026-11-02", "2026-11-09", "2026-11-16"]);
        assert_eq!(
            (place(&weeks, "2026-11-12"), place(&weeks, "2026-11-23"), place(&weeks, "2026-11-01")),
            (Some(1), None, None)
        );
        assert_eq!(place(&[], "2026-11-12"), None);
    }

    fn owned(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|l| (*l).to_owned()).collect()
    }

    #[test]
    fn labels_tell_their_spacing() {
        let cases: [(&[&str], Spacing); 7] = [
            (&["2026-11-22 10:00:00", "2026-11-22 11:00:00"], Spacing::Hour),
            (&["2026-11-22 10:00:00"], Spacing::Hour),
            (&["2026-10-25 01:00:00", "2026-10-25 01:00:00", "2026-10-25 02:00:00"], Spacing::Hour),
            (&["2026-11-22 10:00:00", "2026-11-22 10:01:00"], Spacing::Minute),
            (&["2026-11-22", "2026-11-23"], Spacing::Day),
            (&["2026-11-20", "2026-11-23", "2026-11-30"], Spacing::Week),
            (&["2026-01-31", "2026-02-01", "2026-03-01"], Spacing::Month),
        ];
        for (labels, spacing) in cases {
            assert_eq!(Spacing::of(&owned(labels)), spacing, "{labels:?}");
        }
        assert_eq!(Spacing::of(&[]), Spacing::Day);
    }

    #[test]
    fn points_are_named_in_words() {
        assert_eq!(axis("2026-11-22 10:00:00", Spacing::Hour), "10:00");
        assert_eq!(axis("2026-11-22", Spacing::Day), "22 Nov");
        assert_eq!(axis("2026-11-01", Spacing::Month), "Nov 2026");
        assert_eq!(full("2026-11-22 23:00:00", Spacing::Hour), "Sun 22 Nov, 23:00–00:00");
        assert_eq!(full("2026-11-22 23:45:00", Spacing::Minute), "Sun 22 Nov, 23:45");
        assert_eq!(full("2026-11-22", Spacing::Day), "Sunday 22 November");
        assert_eq!(full("2026-11-23", Spacing::Week), "Week of 23 November");
        assert_eq!(full("2026-11-01", Spacing::Month), "November 2026");
        assert_eq!(full("(other)", Spacing::Day), "(other)");
    }
}
